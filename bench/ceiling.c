/* SPDX-License-Identifier: Apache-2.0 */
/* ceiling.c  The least a server can do for an announcement: what any server is compared with in the same run.
 *
 * One thread, one loop with a grain of a millisecond, a connected socket a call, audio already encoded. It answers every INVITE over UDP on
 * loopback with 200 and plays a tone until BYE. It is no product: it trusts everybody, repeats nothing and parses next to nothing. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 20000, FRAME = 160 };

struct call {
	bool used;
	char id[64];
	int fd;
	int64_t next_us;
	uint16_t seq;
	uint32_t ts;
};

static struct call call[CALLS];
static int top;
static uint8_t audio[FRAME * 50];

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static const char *line(const char *msg, const char *name, int *n)
{
	size_t k = strlen(name);
	for (const char *p = msg; (p = strstr(p, "\r\n")) != NULL;) {
		p += 2;
		if (strncasecmp(p, name, k) == 0 && p[k] == ':') {
			*n = (int)strcspn(p, "\r");
			return p;
		}
	}
	*n = 0;
	return "";
}

static struct call *find(const char *id, int n, bool make)
{
	struct call *unused = NULL;
	for (int i = 0; i < top; i++) {
		if (call[i].used && strncmp(call[i].id, id, (size_t)n) == 0 && !call[i].id[n])
			return &call[i];
		if (!call[i].used && !unused)
			unused = &call[i];
	}
	if (!make || n >= 64 || (!unused && top == CALLS))
		return NULL;
	if (!unused)
		unused = &call[top++];
	*unused = (struct call){ .used = true, .fd = -1, .next_us = now_us() };
	memcpy(unused->id, id, (size_t)n);
	return unused;
}

static uint16_t open_media(struct call *c, const char *msg)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, to = a;
	socklen_t len = sizeof a;
	const char *m = strstr(msg, "\nm=audio ");
	c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	to.sin_port = htons((uint16_t)(m ? atoi(m + 9) : 9));
	if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&a, sizeof a) < 0 || getsockname(c->fd, (struct sockaddr *)&a, &len) < 0 ||
	    connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0) {
		perror("ceiling: media");
		exit(1);
	}
	return ntohs(a.sin_port);
}

static void answer(int fd, const struct sockaddr_in *from, const char *msg, uint16_t port)
{
	char out[2048], sdp[256] = "";
	int nv, nf, nt, ni, nc;
	const char *v = line(msg, "Via", &nv), *f = line(msg, "From", &nf), *t = line(msg, "To", &nt), *i = line(msg, "Call-ID", &ni), *c = line(msg, "CSeq", &nc);
	struct sockaddr_in me;
	socklen_t len = sizeof me;
	getsockname(fd, (struct sockaddr *)&me, &len);
	if (port)
		snprintf(sdp, sizeof sdp, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %u RTP/AVP 0\r\n", port);
	int n = snprintf(out, sizeof out, "SIP/2.0 200 OK\r\n%.*s\r\n%.*s\r\n%.*s%s\r\n%.*s\r\n%.*s\r\nContact: <sip:ceiling@127.0.0.1:%u>\r\n%sContent-Length: %zu\r\n\r\n%s",
	                 nv, v, nf, f, nt, t, strstr(t, ";tag=") && strstr(t, ";tag=") < t + nt ? "" : ";tag=c", ni, i, nc, c, ntohs(me.sin_port),
	                 port ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
	sendto(fd, out, (size_t)n, 0, (const struct sockaddr *)from, sizeof *from);
}

static void sip(int fd)
{
	char msg[65536];
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	for (ssize_t n; (n = recvfrom(fd, msg, sizeof msg - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &len)) > 0; len = sizeof from) {
		int ni;
		msg[n] = '\0';
		const char *id = line(msg, "Call-ID", &ni);
		if (strncmp(msg, "INVITE ", 7) == 0) {
			struct call *c = find(id, ni, true);
			if (c && c->fd < 0)
				answer(fd, &from, msg, open_media(c, msg));
		} else if (strncmp(msg, "BYE ", 4) == 0) {
			struct call *c = find(id, ni, false);
			if (c) {
				close(c->fd);
				c->used = false;
			}
			answer(fd, &from, msg, 0);
		}
	}
}

static void media(struct call *c, int64_t now)
{
	uint8_t in[2048], p[12 + FRAME] = { 0x80, 0, (uint8_t)(c->seq >> 8), (uint8_t)c->seq, (uint8_t)(c->ts >> 24), (uint8_t)(c->ts >> 16), (uint8_t)(c->ts >> 8), (uint8_t)c->ts, 9, 9, 9, 9 };
	if (now < c->next_us)
		return;
	c->next_us += 20000;
	while (recv(c->fd, in, sizeof in, MSG_DONTWAIT) > 0)
		;
	memcpy(p + 12, audio + (c->seq % 50) * FRAME, FRAME);
	c->seq++;
	c->ts += FRAME;
	(void)!send(c->fd, p, sizeof p, MSG_DONTWAIT);
}

int main(int argc, char **argv)
{
	struct rlimit many = { 65536, 65536 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 5070)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 1 << 22;
	setrlimit(RLIMIT_NOFILE, &many);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		perror("ceiling: bind");
		return 1;
	}
	for (size_t i = 0; i < sizeof audio; i++)
		audio[i] = (uint8_t)(0x80 + i % 16);
	for (;;) {
		struct timespec ms = { 0, 1000000 };
		nanosleep(&ms, NULL);
		sip(fd);
		int64_t now = now_us();
		for (int i = 0; i < top; i++)
			if (call[i].used)
				media(&call[i], now);
	}
}
