/* SPDX-License-Identifier: Apache-2.0 */
/* callgen.c  Load for the benchmarks: many calls at a server on loopback, from one thread, and what the server's process used meanwhile.
 *
 * It is no SIP stack: it sends fixed messages and looks for the few things that it needs in the answers, so that it costs little beside
 * the server that is measured. RTP sockets are read once in 20 ms; when packets really arrived is taken from the kernel's time stamps.
 *
 *   callgen --target 127.0.0.1:5060 --to 6000 --mode setup  --rate 200 --seconds 8 --pid PID
 *   callgen --target 127.0.0.1:5060 --to 6000 --mode play   --calls 500 --rate 100 --seconds 8 --pid PID
 *   callgen ... --tls --cert CERT --key KEY --ca CA
 *   callgen ... --long   with INVITEs of 2.5 KB
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "invite.h"

enum { FRAME = 160, CALLS_MAX = 20000, HIST = 100000 };
enum state { NEW, INVITED, UP, LEAVING, GONE, FAILED };

struct call {
	enum state state;
	int rtp;
	uint16_t rtp_port;
	struct sockaddr_in media;
	char to_tag[80], contact[200];
	int64_t invited_us, up_us, resend_us, bye_us, last_ns;
	uint16_t seq;
	uint32_t ts;
	unsigned resends, received;
};

static struct {
	struct sockaddr_in target, local;
	const char *to, *mode, *cert, *key, *ca;
	double rate;
	int seconds, calls, pid, settle;
	bool tls, long_invite;
} opt = { .to = "6000", .mode = "setup", .rate = 100, .seconds = 8, .calls = 100, .settle = 1 };

static int sip_fd = -1;
static SSL *ssl;
static char stream[1 << 20];
static size_t stream_n;
static struct call *calls;
static int n_calls, n_up, n_done, n_failed;
static unsigned retransmissions;
static bool measuring;
static uint32_t hist[HIST]; /* |interval - 20 ms| in 10 us */
static uint64_t packets, late_20ms;
static int64_t setup_us[CALLS_MAX];
static int n_setup;
static char run_id[16];

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "callgen: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void sip_send(const char *msg, int n)
{
	if (!opt.tls) {
		if (send(sip_fd, msg, (size_t)n, 0) < 0 && errno != ECONNREFUSED)
			die("send");
		return;
	}
	for (int done = 0; done < n;) {
		int w = SSL_write(ssl, msg + done, n - done);
		if (w > 0) {
			done += w;
			continue;
		}
		struct pollfd p = { .fd = sip_fd, .events = POLLOUT | POLLIN };
		int e = SSL_get_error(ssl, w);
		if (e != SSL_ERROR_WANT_WRITE && e != SSL_ERROR_WANT_READ)
			die("TLS write");
		poll(&p, 1, 100);
	}
}

static void request(int i, const char *method, unsigned cseq, unsigned branch)
{
	struct call *c = &calls[i];
	char msg[4096], sdp[1000] = "", ip[32], uri[256];
	inet_ntop(AF_INET, &opt.local.sin_addr, ip, sizeof ip);
	bool invite = strcmp(method, "INVITE") == 0, big = invite && opt.long_invite;
	if (invite)
		snprintf(sdp, sizeof sdp, "v=0\r\no=- %d 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP 0 %s101\r\n%s",
		         i + 1, ip, ip, c->rtp_port, big ? "8 9 18 111 13 " : "", big ? INVITE_LONG_SDP : "a=rtpmap:101 telephone-event/8000\r\n");
	if (invite || !c->contact[0])
		snprintf(uri, sizeof uri, "sip:%.60s@%.30s:%u", opt.to, ip, ntohs(opt.target.sin_port));
	else
		snprintf(uri, sizeof uri, "%s", c->contact);
	const char *transport = opt.tls ? "TLS" : "UDP";
	int n = snprintf(msg, sizeof msg,
	                 "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s:%u;branch=z9hG4bK%s%dx%u;rport\r\n%sMax-Forwards: 70\r\n"
	                 "From: <sip:bench%d@%s>;tag=b%s%d\r\nTo: <sip:%s@%s>%s%s\r\nCall-ID: %s-%d@bench\r\nCSeq: %u %s\r\n"
	                 "Contact: <sip:bench@%s:%u%s>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
	                 method, uri, transport, ip, ntohs(opt.local.sin_port), run_id, i, branch, big ? INVITE_LONG_VIA : "", i, ip, run_id, i, opt.to, ip,
	                 c->to_tag[0] ? ";tag=" : "", c->to_tag, run_id, i, cseq, method, ip, ntohs(opt.local.sin_port), opt.tls ? ";transport=tls" : "",
	                 big ? INVITE_LONG_HEADERS : "", invite ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
	sip_send(msg, n);
}

static void open_rtp(struct call *c)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = opt.local.sin_addr };
	socklen_t len = sizeof a;
	int on = 1;
	c->rtp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (c->rtp < 0 || bind(c->rtp, (struct sockaddr *)&a, sizeof a) < 0 || getsockname(c->rtp, (struct sockaddr *)&a, &len) < 0)
		die("RTP socket");
	setsockopt(c->rtp, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	c->rtp_port = ntohs(a.sin_port);
}

static const char *header(const char *msg, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = msg; (p = strstr(p, "\r\n")) != NULL;) {
		p += 2;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':')
			return p + n + 1 + strspn(p + n + 1, " ");
		if (*p == '\r')
			break;
	}
	return NULL;
}

static void copy_until(char *dst, size_t size, const char *from, const char *stop)
{
	size_t n = strcspn(from, stop);
	if (n >= size)
		n = size - 1;
	memcpy(dst, from, n);
	dst[n] = '\0';
}

static void answered(int i, const char *msg, int64_t now)
{
	struct call *c = &calls[i];
	const char *to = header(msg, "To"), *contact = header(msg, "Contact"), *tag = to ? strstr(to, ";tag=") : NULL;
	const char *m = strstr(msg, "\nm=audio "), *ip = strstr(msg, "\nc=IN IP4 ");
	if (!tag || !contact || !m || !ip) {
		c->state = FAILED;
		n_failed++;
		return;
	}
	char host[32];
	copy_until(c->to_tag, sizeof c->to_tag, tag + 5, ";\r\n");
	const char *lt = strchr(contact, '<');
	copy_until(c->contact, sizeof c->contact, lt ? lt + 1 : contact, ">\r\n");
	copy_until(host, sizeof host, ip + 10, " \r\n");
	c->media = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(m + 9)) };
	inet_pton(AF_INET, host, &c->media.sin_addr);
	if (c->rtp >= 0 && connect(c->rtp, (struct sockaddr *)&c->media, sizeof c->media) < 0)
		die("connect RTP");
	request(i, "ACK", 1, 2);
	c->state = UP;
	c->up_us = now;
	if (n_setup < CALLS_MAX)
		setup_us[n_setup++] = now - c->invited_us;
	n_up++;
}

static void finish(struct call *c)
{
	if (c->rtp >= 0)
		close(c->rtp);
	c->rtp = -1;
	c->state = GONE;
	n_done++;
	n_up--;
}

static void incoming(const char *msg)
{
	int64_t now = now_us();
	const char *id = header(msg, "Call-ID"), *cseq = header(msg, "CSeq");
	const char *dash = id ? strchr(id, '-') : NULL;
	if (!id || !cseq)
		return;
	int i = dash ? atoi(dash + 1) : -1;
	if (i < 0 || i >= n_calls || strncmp(id, run_id, strlen(run_id)) != 0)
		return;
	struct call *c = &calls[i];
	if (strncmp(msg, "SIP/2.0 ", 8) != 0) { /* the server hangs up: answer by mirroring */
		if (strncmp(msg, "BYE ", 4) != 0)
			return;
		char out[2048] = "SIP/2.0 200 OK\r\n";
		size_t o = strlen(out);
		for (const char *p = strstr(msg, "\r\n") + 2; *p != '\r' && o < sizeof out - 300;) {
			size_t n = strcspn(p, "\r") + 2;
			if (strncasecmp(p, "Via:", 4) == 0 || strncasecmp(p, "From:", 5) == 0 || strncasecmp(p, "To:", 3) == 0 ||
			    strncasecmp(p, "Call-ID:", 8) == 0 || strncasecmp(p, "CSeq:", 5) == 0) {
				memcpy(out + o, p, n);
				o += n;
			}
			p += n;
		}
		o += (size_t)snprintf(out + o, sizeof out - o, "Content-Length: 0\r\n\r\n");
		sip_send(out, (int)o);
		if (c->state == UP || c->state == LEAVING)
			finish(c);
		return;
	}
	int status = atoi(msg + 8);
	if (status < 200)
		return;
	if (strstr(cseq, "INVITE") && c->state == INVITED && status < 300)
		answered(i, msg, now);
	else if (strstr(cseq, "INVITE") && c->state == UP)
		request(i, "ACK", 1, 2);
	else if (strstr(cseq, "INVITE") && c->state == INVITED) {
		request(i, "ACK", 1, 1);
		c->state = FAILED;
		n_failed++;
	} else if (strstr(cseq, "BYE") && c->state == LEAVING)
		finish(c);
}

static void read_stream(void)
{
	for (;;) {
		int n = SSL_read(ssl, stream + stream_n, (int)(sizeof stream - 1 - stream_n));
		if (n <= 0)
			break;
		stream_n += (size_t)n;
		stream[stream_n] = '\0';
		for (char *end; (end = strstr(stream, "\r\n\r\n")) != NULL;) {
			const char *len = header(stream, "Content-Length");
			size_t whole = (size_t)(end - stream) + 4 + (len ? (size_t)atoi(len) : 0);
			if (whole > stream_n)
				break;
			char keep = stream[whole];
			stream[whole] = '\0';
			incoming(stream);
			stream[whole] = keep;
			memmove(stream, stream + whole, stream_n - whole + 1);
			stream_n -= whole;
		}
	}
}

static void read_sip(void)
{
	static char msg[65536];
	if (opt.tls) {
		read_stream();
		return;
	}
	for (ssize_t n; (n = recv(sip_fd, msg, sizeof msg - 1, MSG_DONTWAIT)) > 0;) {
		msg[n] = '\0';
		incoming(msg);
	}
}

static void read_rtp(struct call *c)
{
	char data[2048], control[128];
	struct iovec iov = { data, sizeof data };
	for (;;) {
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
		if (recvmsg(c->rtp, &m, MSG_DONTWAIT) <= 0)
			return;
		struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
		if (!cm)
			continue;
		struct timespec t;
		memcpy(&t, CMSG_DATA(cm), sizeof t);
		int64_t ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
		c->received++;
		if (measuring && c->last_ns) {
			int64_t off = ns - c->last_ns - 20000000, ten_us = (off < 0 ? -off : off) / 10000;
			hist[ten_us < HIST ? ten_us : HIST - 1]++;
			packets++;
			if (off > 20000000)
				late_20ms++;
		}
		c->last_ns = ns;
	}
}

/* A tone with a slow swell: loud enough that nobody takes it for silence. */
static uint8_t speech[FRAME * 50];

static void make_speech(void)
{
	static const uint8_t wave[8] = { 0x80, 0x8c, 0x90, 0x8c, 0x80, 0x0c, 0x10, 0x0c };
	for (size_t i = 0; i < sizeof speech; i++)
		speech[i] = (uint8_t)(wave[i % 8] + (i / FRAME) % 4);
}

static void send_rtp(int i)
{
	struct call *c = &calls[i];
	uint8_t p[12 + FRAME] = { 0x80, 0, (uint8_t)(c->seq >> 8), (uint8_t)c->seq, (uint8_t)(c->ts >> 24), (uint8_t)(c->ts >> 16), (uint8_t)(c->ts >> 8),
		                  (uint8_t)c->ts, 1, 2, (uint8_t)(i >> 8), (uint8_t)i };
	memcpy(p + 12, speech + (c->seq % 50) * FRAME, FRAME);
	c->seq++;
	c->ts += FRAME;
	(void)!send(c->rtp, p, sizeof p, MSG_DONTWAIT);
}

static double user_s; /* the process's own part of what cpu_of() found last, without the kernel's */

static void cpu_of(int pid, double *cpu_s, double *rss_kb)
{
	char path[64], line[2048];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *f = fopen(path, "r");
	if (!f || !fgets(line, sizeof line, f))
		die(path);
	fclose(f);
	unsigned long u = 0, s = 0;
	long rss = 0;
	sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %ld", &u, &s, &rss);
	user_s = (double)u / (double)sysconf(_SC_CLK_TCK);
	*cpu_s = (double)(u + s) / (double)sysconf(_SC_CLK_TCK);
	*rss_kb = (double)rss * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static double percentile(double p)
{
	uint64_t want = (uint64_t)((double)packets * p), seen = 0;
	for (int i = 0; i < HIST; i++)
		if ((seen += hist[i]) > want)
			return i / 100.0;
	return HIST / 100.0;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static void connect_sip(void)
{
	socklen_t len = sizeof opt.local;
	sip_fd = socket(AF_INET, opt.tls ? SOCK_STREAM : SOCK_DGRAM, 0);
	int room = 1 << 22, on = 1;
	setsockopt(sip_fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	if (sip_fd < 0 || connect(sip_fd, (struct sockaddr *)&opt.target, sizeof opt.target) < 0 ||
	    getsockname(sip_fd, (struct sockaddr *)&opt.local, &len) < 0)
		die("connect");
	if (!opt.tls)
		return;
	setsockopt(sip_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, opt.cert) != 1 || SSL_CTX_use_PrivateKey_file(ctx, opt.key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_locations(ctx, opt.ca, NULL) != 1 || !(ssl = SSL_new(ctx)))
		die("certificates");
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_set_fd(ssl, sip_fd);
	if (SSL_connect(ssl) != 1)
		die("TLS handshake");
	fcntl(sip_fd, F_SETFL, O_NONBLOCK);
}

static void start_call(int64_t now, bool media)
{
	int i = n_calls++;
	struct call *c = &calls[i];
	*c = (struct call){ .rtp = -1, .rtp_port = 9, .ts = (uint32_t)i * 977 };
	if (media)
		open_rtp(c);
	c->state = INVITED;
	c->invited_us = now;
	c->resend_us = now + 500000;
	request(i, "INVITE", 1, 1);
}

/* Timers of one call: repeat the INVITE, leave when it is time. */
static void turn(int i, int64_t now, int64_t hold_us, bool leave_all)
{
	struct call *c = &calls[i];
	if (c->state == INVITED && now > c->resend_us) {
		if (++c->resends > 6) {
			c->state = FAILED;
			n_failed++;
			return;
		}
		if (!opt.tls) {
			request(i, "INVITE", 1, 1);
			retransmissions++;
		}
		c->resend_us = now + ((int64_t)500000 << c->resends);
	}
	if (c->state == UP && (leave_all || (hold_us && now - c->up_us > hold_us))) {
		request(i, "BYE", 2, 3);
		c->state = LEAVING;
		c->bye_us = now;
	} else if (c->state == LEAVING && !opt.tls && now - c->bye_us > 1000000) {
		request(i, "BYE", 2, 3);
		c->bye_us = now;
		retransmissions++;
	}
}

static void parse(int argc, char **argv)
{
	static const struct option names[] = { { "target", 1, NULL, 't' }, { "to", 1, NULL, 'o' }, { "mode", 1, NULL, 'm' }, { "rate", 1, NULL, 'r' },
		{ "seconds", 1, NULL, 's' }, { "calls", 1, NULL, 'c' }, { "pid", 1, NULL, 'p' }, { "settle", 1, NULL, 'S' }, { "tls", 0, NULL, 'T' }, { "cert", 1, NULL, 'C' },
		{ "key", 1, NULL, 'K' }, { "ca", 1, NULL, 'A' }, { "long", 0, NULL, 'L' }, { 0 } };
	for (int k; (k = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		char host[64] = "";
		switch (k) {
		case 't':
			copy_until(host, sizeof host, optarg, ":");
			opt.target.sin_family = AF_INET;
			opt.target.sin_port = htons((uint16_t)atoi(strchr(optarg, ':') ? strchr(optarg, ':') + 1 : "5060"));
			if (inet_pton(AF_INET, host, &opt.target.sin_addr) != 1 || (ntohl(opt.target.sin_addr.s_addr) >> 24) != 127) {
				fprintf(stderr, "callgen: %s: only loopback is ever a target\n", optarg);
				exit(2);
			}
			break;
		case 'o': opt.to = optarg; break;
		case 'm': opt.mode = optarg; break;
		case 'r': opt.rate = atof(optarg); break;
		case 's': opt.seconds = atoi(optarg); break;
		case 'c': opt.calls = atoi(optarg); break;
		case 'p': opt.pid = atoi(optarg); break;
		case 'S': opt.settle = atoi(optarg); break;
		case 'T': opt.tls = true; break;
		case 'L': opt.long_invite = true; break;
		case 'C': opt.cert = optarg; break;
		case 'K': opt.key = optarg; break;
		case 'A': opt.ca = optarg; break;
		default: exit(2);
		}
	}
	if (!opt.target.sin_port || !opt.pid || opt.rate <= 0) {
		fprintf(stderr, "usage: callgen --target 127.0.0.1:PORT --pid PID [--to USER] [--mode setup|play] [--rate N] [--calls N] [--seconds N] [--settle N] "
		                "[--long] [--tls --cert F --key F --ca F]\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct rlimit many = { 65536, 65536 };
	double cpu0 = 0, rss0 = 0, cpu1 = 0, rss1 = 0, rss_idle = 0;
	parse(argc, argv);
	if (setrlimit(RLIMIT_NOFILE, &many) < 0 && getrlimit(RLIMIT_NOFILE, &many) == 0) {
		many.rlim_cur = many.rlim_max;
		setrlimit(RLIMIT_NOFILE, &many);
	}
	snprintf(run_id, sizeof run_id, "%x", (unsigned)now_us());
	calls = calloc(CALLS_MAX, sizeof *calls);
	if (!calls)
		die("memory");
	make_speech();
	connect_sip();
	bool setup = strcmp(opt.mode, "setup") == 0;
	int total = setup ? (int)(opt.rate * opt.seconds) : opt.calls;
	if (total > CALLS_MAX)
		total = CALLS_MAX;
	cpu_of(opt.pid, &cpu0, &rss_idle);
	double user0 = user_s;
	int64_t start = now_us(), next_call = start, next_frame = start, window_from = setup ? start : 0, window_to = 0;
	int64_t end = start + ((int64_t)((double)total / opt.rate) + opt.seconds + opt.settle + 40) * 1000000;
	bool leave = false;
	while (n_done + n_failed < total && now_us() < end) {
		struct pollfd p = { .fd = sip_fd, .events = POLLIN };
		poll(&p, 1, 1);
		read_sip();
		int64_t now = now_us();
		while (n_calls < total && next_call <= now) {
			start_call(now, !setup);
			next_call += (int64_t)(1e6 / opt.rate);
		}
		for (int i = 0; i < n_calls; i++)
			turn(i, now, setup ? 100000 : 0, leave);
		if (!setup && now >= next_frame) {
			next_frame += 20000;
			for (int i = 0; i < n_calls; i++)
				if (calls[i].state == UP) {
					read_rtp(&calls[i]);
					send_rtp(i);
				}
		}
		if (!setup && !window_from && n_calls == total && n_up + n_failed >= total && now > next_call + (int64_t)opt.settle * 1000000) {
			cpu_of(opt.pid, &cpu0, &rss0);
			window_from = now;
			measuring = true;
		}
		if (!setup && measuring && now - window_from > (int64_t)opt.seconds * 1000000) {
			measuring = false;
			leave = true;
			window_to = now;
			cpu_of(opt.pid, &cpu1, &rss1);
		}
	}
	if (setup || !window_to) {
		window_to = now_us();
		cpu_of(opt.pid, &cpu1, &rss1);
	}
	qsort(setup_us, (size_t)n_setup, sizeof setup_us[0], by_value);
	double cpu = cpu1 - cpu0, window = (double)(window_to - window_from) / 1e6;
	printf("{\"mode\":\"%s\",\"transport\":\"%s\",\"calls\":%d,\"ok\":%d,\"failed\":%d,\"retransmissions\":%u,\"cpu_s\":%.3f,\"window_s\":%.3f,"
	       "\"core_percent\":%.2f,\"cpu_ms_per_setup\":%.4f,\"user_ms_per_setup\":%.4f,\"core_percent_per_call\":%.5f,\"rss_kb_per_call\":%.2f,\"packets\":%llu,\"late_20ms\":%llu,"
	       "\"jitter_p50_ms\":%.2f,\"jitter_p99_ms\":%.2f,\"jitter_p999_ms\":%.2f,\"setup_p50_ms\":%.2f,\"setup_p99_ms\":%.2f}\n",
	       opt.mode, opt.tls ? "TLS" : "UDP", total, n_setup, n_failed, retransmissions, cpu, window, 100 * cpu / window,
	       setup && n_setup ? 1000 * cpu / n_setup : 0, setup && n_setup ? 1000 * (user_s - user0) / n_setup : 0, !setup && n_setup ? 100 * cpu / window / n_setup : 0, n_setup ? (rss1 - rss_idle) / n_setup : 0,
	       (unsigned long long)packets, (unsigned long long)late_20ms, percentile(0.5), percentile(0.99), percentile(0.999),
	       n_setup ? (double)setup_us[n_setup / 2] / 1000 : 0, n_setup ? (double)setup_us[n_setup * 99 / 100] / 1000 : 0);
	return n_setup == total ? 0 : 1;
}
