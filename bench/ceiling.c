/* SPDX-License-Identifier: Apache-2.0 */
/* ceiling.c  The least a server can do for a call: what any server is compared with in the same run.
 *
 *   ceiling PORT            answers every INVITE over UDP on loopback with 200 and plays until BYE, while it reads what comes
 *   ceiling PORT FOLDER     keeps what comes, too, and writes it to a file there at the BYE: written, synced, renamed
 *
 * One thread, ticks of a millisecond, a connected socket a call, sockets read on the tick, audio already encoded in what is offered first: a law, G.722 or
 * Opus; what comes is kept as it comes. Where a key is offered each packet is sealed and opened with the same ciphers as the server's (media/srtp.h). It is
 * no product: it trusts everybody, repeats nothing and parses next to nothing. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "media/codec.h"
#include "media/srtp.h"

enum { CALLS = 20000, FRAME = 160, HEAD = 12, TICKS = 20, BUCKETS = 65536, KEPT = 8000 * 40, SECOND = 50 };

/* A second of it, which is played for ever. */
struct sound {
	uint8_t bytes[SECOND][FRAME];
	size_t n[SECOND];
	uint32_t ts_step;
};

struct call {
	bool used;
	char id[64];
	int fd, next; /* in the bucket */
	uint16_t seq;
	uint32_t ts;
	uint8_t pt;
	const struct sound *sound;
	struct srtp *seal, *open;
	uint8_t *kept;
	size_t n_kept;
};

static struct call call[CALLS];
static int bucket[BUCKETS], unused[CALLS], n_unused, top;
static struct sound law, g722, opus;
static const char *folder;
static unsigned files;

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

static int *place(const char *id, int n)
{
	uint32_t h = 2166136261u;
	for (int i = 0; i < n; i++)
		h = (h ^ (uint8_t)id[i]) * 16777619u;
	int *at = &bucket[h % BUCKETS];
	while (*at && (strncmp(call[*at - 1].id, id, (size_t)n) != 0 || call[*at - 1].id[n]))
		at = &call[*at - 1].next;
	return at;
}

static struct call *begin(int *at, const char *id, int n)
{
	if (n >= 64 || (!n_unused && top == CALLS))
		return NULL;
	int i = n_unused ? unused[--n_unused] : top++;
	call[i] = (struct call){ .used = true, .fd = -1, .sound = &law, .ts = (uint32_t)i * FRAME, .kept = call[i].kept };
	memcpy(call[i].id, id, (size_t)n);
	if (folder && !call[i].kept)
		call[i].kept = malloc(KEPT);
	*at = i + 1;
	return &call[i];
}

/* The key of the first a=crypto line; our own goes into `line`. */
static void take_key(struct call *c, const char *msg, char line[200])
{
	const char *crypto = strstr(msg, "\na=crypto:1 "), *text = crypto ? strstr(crypto, " inline:") : NULL;
	struct srtp_key theirs = { .suite = text ? srtp_suite_named(text_make(crypto + 12, (size_t)(text - crypto) - 12)) : SRTP_NONE }, mine = theirs;
	uint8_t bytes[SRTP_KEY_MAX + 8];
	*line = '\0';
	if (!theirs.suite)
		return;
	size_t n = strcspn(text + 8, "|\r\n "), want = srtp_suite_bytes(theirs.suite);
	if (n != (want + 2) / 3 * 4 || EVP_DecodeBlock(bytes, (const uint8_t *)text + 8, (int)n) < (int)want)
		return;
	memcpy(theirs.bytes, bytes, want);
	char own[SRTP_KEY_MAX / 3 * 4 + 8];
	if (RAND_bytes(mine.bytes, (int)want) != 1 || srtp_new(&c->seal, &mine, true) || srtp_new(&c->open, &theirs, false))
		exit(1);
	EVP_EncodeBlock((uint8_t *)own, mine.bytes, (int)want);
	snprintf(line, 200, "a=crypto:1 %s inline:%s\r\n", srtp_suite_name(mine.suite), own);
}

/* What stands first on their line of audio. */
static void take_codec(struct call *c, const char *msg)
{
	const char *m = strstr(msg, "\nm=audio "), *avp = m ? strstr(m, "AVP ") : NULL;
	c->pt = avp ? (uint8_t)atoi(avp + 4) : 0;
	c->sound = c->pt == 9 ? &g722 : c->pt >= 96 ? &opus : &law;
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

static void store(struct call *c)
{
	char part[300], whole[300];
	snprintf(part, sizeof part, "%s/%u.part", folder, files);
	snprintf(whole, sizeof whole, "%s/%u.ul", folder, files++);
	int fd = open(part, O_CREAT | O_TRUNC | O_WRONLY, 0600), dir = open(folder, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || dir < 0 || write(fd, c->kept, c->n_kept) != (ssize_t)c->n_kept || fdatasync(fd) || rename(part, whole) || fsync(dir)) {
		perror("ceiling: store");
		exit(1);
	}
	close(fd);
	close(dir);
}

static void end(int *at)
{
	int i = *at - 1;
	*at = call[i].next;
	close(call[i].fd);
	call[i].seal = mem_unref(call[i].seal);
	call[i].open = mem_unref(call[i].open);
	call[i].used = false;
	unused[n_unused++] = i;
	if (folder)
		store(&call[i]);
}

static void answer(int fd, const struct sockaddr_in *from, const char *msg, struct call *of, uint16_t port)
{
	char out[2048], sdp[600] = "", crypto[200] = "";
	int nv, nf, nt, ni, nc;
	const char *v = line(msg, "Via", &nv), *f = line(msg, "From", &nf), *t = line(msg, "To", &nt), *i = line(msg, "Call-ID", &ni), *c = line(msg, "CSeq", &nc);
	struct sockaddr_in me;
	socklen_t len = sizeof me;
	getsockname(fd, (struct sockaddr *)&me, &len);
	if (port) {
		take_codec(of, msg);
		take_key(of, msg, crypto);
		snprintf(sdp, sizeof sdp, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %u RTP/%s %u\r\n%s%s", port, of->seal ? "SAVP" : "AVP",
		         of->pt, of->sound == &opus ? "a=rtpmap:96 opus/48000/2\r\n" : "", crypto);
	}
	int n = snprintf(out, sizeof out, "SIP/2.0 200 OK\r\n%.*s\r\n%.*s\r\n%.*s%s\r\n%.*s\r\n%.*s\r\nContact: <sip:ceiling@127.0.0.1:%u>\r\n%sContent-Length: %zu\r\n\r\n%s",
	                 nv, v, nf, f, nt, t, strstr(t, ";tag=") && strstr(t, ";tag=") < t + nt ? "" : ";tag=c", ni, i, nc, c, ntohs(me.sin_port),
	                 port ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
	sendto(fd, out, (size_t)n, 0, (const struct sockaddr *)from, sizeof *from);
}

static void sip(int fd)
{
	static char msg[65536];
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	for (ssize_t n; (n = recvfrom(fd, msg, sizeof msg - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &len)) > 0; len = sizeof from) {
		int ni;
		msg[n] = '\0';
		const char *id = line(msg, "Call-ID", &ni);
		int *at = place(id, ni);
		if (strncmp(msg, "INVITE ", 7) == 0 && !*at) {
			struct call *c = begin(at, id, ni);
			if (c)
				answer(fd, &from, msg, c, open_media(c, msg));
		} else if (strncmp(msg, "BYE ", 4) == 0) {
			if (*at)
				end(at);
			answer(fd, &from, msg, NULL, 0);
		}
	}
}

static void media(struct call *c)
{
	uint8_t in[2048], p[HEAD + FRAME + SRTP_ROOM] = { 0x80, 0, (uint8_t)(c->seq >> 8), (uint8_t)c->seq, (uint8_t)(c->ts >> 24), (uint8_t)(c->ts >> 16), (uint8_t)(c->ts >> 8), (uint8_t)c->ts, 9, 9, 9, 9 };
	ssize_t got;
	p[1] = c->pt | (c->seq ? 0 : 0x80);
	while ((got = recv(c->fd, in, sizeof in, MSG_DONTWAIT)) > 0) {
		size_t n = (size_t)got;
		if (c->open && srtp_open(c->open, in, &n))
			continue;
		if (c->kept && n > HEAD && c->n_kept + n - HEAD <= KEPT) {
			memcpy(c->kept + c->n_kept, in + HEAD, n - HEAD);
			c->n_kept += n - HEAD;
		}
	}
	const uint8_t *payload = c->sound->bytes[c->seq % SECOND];
	size_t n = c->sound->n[c->seq % SECOND], whole = HEAD + n;
	if (!c->seal)
		memcpy(p + HEAD, payload, n);
	else if (srtp_seal(c->seal, p, HEAD, payload, n, &whole))
		return;
	c->seq++;
	c->ts += c->sound->ts_step;
	(void)!send(c->fd, p, whole, MSG_DONTWAIT);
}

/* A hum, and noise in it. */
static void make_sound(struct sound *s, enum media_codec codec)
{
	struct codec_tx *tx;
	uint32_t seed = 3;
	int16_t pcm[MEDIA_FRAME];
	uint8_t payload[CODEC_PAYLOAD_MAX];
	if (codec_tx_create(&tx, codec, MEDIA_RATE))
		exit(1);
	s->ts_step = codec_info(codec)->clock / 1000 * MEDIA_FRAME_MS;
	for (int i = 0; i < SECOND; i++) {
		for (int k = 0; k < MEDIA_FRAME; k++) {
			seed = seed * 1664525 + 1013904223;
			pcm[k] = (int16_t)((k % 64 - 32) * 100 + (int32_t)(seed >> 21) - 1024);
		}
		s->n[i] = codec_encode(tx, pcm, payload);
		if (s->n[i] > FRAME)
			s->n[i] = FRAME;
		memcpy(s->bytes[i], payload, s->n[i]);
	}
	codec_tx_free(tx);
}

int main(int argc, char **argv)
{
	struct rlimit many = { 65536, 65536 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 5070)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 1 << 22;
	folder = argc > 2 ? argv[2] : NULL;
	setrlimit(RLIMIT_NOFILE, &many);
	prctl(PR_SET_TIMERSLACK, 1000);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		perror("ceiling: bind");
		return 1;
	}
	make_sound(&law, MEDIA_PCMU);
	make_sound(&g722, MEDIA_G722);
	make_sound(&opus, MEDIA_OPUS);
	int64_t next = now_us();
	for (unsigned tick = 0;; tick++, next += 1000) {
		struct timespec until = { next / 1000000, next % 1000000 * 1000 };
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		sip(fd);
		for (int i = (int)(tick % TICKS); i < top; i += TICKS)
			if (call[i].used)
				media(&call[i]);
	}
}
