/* SPDX-License-Identifier: Apache-2.0 */
/* actor_sound.c  Audio and keys of a scripted peer, and whether Umbel is heard. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "replayed/actor_private.h"
#include "support/ut.h"

enum { FRAME_MS = 20, FRAME = 160, IDLE_MS = 1000 };

static int socket_on(const char *host, unsigned port)
{
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, host, &me.sin_addr), 1);
	if (bind(fd, (struct sockaddr *)&me, sizeof(me)) == 0)
		return fd;
	close(fd);
	return -1;
}

static unsigned port_of(int fd)
{
	struct sockaddr_in me;
	socklen_t n = sizeof(me);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&me, &n), 0);
	return ntohs(me.sin_port);
}

/* The port above is ours too: reports go there (RFC 3550 11). */
void actor_sound_open(struct actor *a)
{
	for (unsigned i = 0; i < 100; i++) {
		a->rtp_fd = socket_on(a->prm.host, 0);
		assert_true(a->rtp_fd >= 0);
		a->rtp_port = port_of(a->rtp_fd);
		a->rtcp_fd = a->rtp_port % 2 ? -1 : socket_on(a->prm.host, a->rtp_port + 1);
		if (a->rtcp_fd >= 0)
			break;
		close(a->rtp_fd);
	}
	assert_true(a->rtcp_fd >= 0);
	a->key_pt = 101;
}

void actor_sound_close(struct actor *a)
{
	close(a->rtp_fd);
	close(a->rtcp_fd);
}

void actor_sound_learn(struct actor *a, const struct msg *m)
{
	const char *body = msg_body(m), *c = strstr(body, "c=IN IP4 "), *audio = strstr(body, "m=audio "), *event;
	unsigned port, pt;
	char host[64];
	if (!c || !audio || sscanf(audio, "m=audio %u RTP/AVP %u", &port, &pt) != 2 || sscanf(c, "c=IN IP4 %63[0-9.]", host) != 1)
		return;
	a->rtp_to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	a->rtp_known = inet_pton(AF_INET, host, &a->rtp_to.sin_addr) == 1 && port;
	a->pt = (uint8_t)pt;
	event = strstr(body, " telephone-event/8000");
	if (!event)
		return;
	while (event > body && event[-1] != ':')
		event--;
	a->key_pt = (uint8_t)atoi(event);
}

static void packet(struct actor *a, uint8_t pt, bool marker, uint32_t stamp, const uint8_t *p, size_t n)
{
	uint8_t out[12 + FRAME] = { 0x80, (uint8_t)(pt | (marker ? 0x80 : 0)), (uint8_t)(a->seq >> 8), (uint8_t)a->seq,
		                    (uint8_t)(stamp >> 24), (uint8_t)(stamp >> 16), (uint8_t)(stamp >> 8), (uint8_t)stamp, 0, 0, 0x55, (uint8_t)a->prm.number };
	a->seq++;
	memcpy(out + 12, p, n);
	if (a->rtp_known && !a->silent)
		(void)sendto(a->rtp_fd, out, 12 + n, MSG_NOSIGNAL, (struct sockaddr *)&a->rtp_to, sizeof(a->rtp_to));
}

/* Whether another frame is due; a stage's step may be longer than one. */
static bool frame_due(struct actor *a)
{
	if (a->tick_ms < a->now_ms - 200)
		a->tick_ms = a->now_ms;
	if (a->tick_ms > a->now_ms)
		return false;
	a->tick_ms += FRAME_MS;
	a->stamp += FRAME;
	return true;
}

bool actor_speaks(struct actor *a, int64_t since_ms, int64_t ms)
{
	uint8_t loud[FRAME];
	while (frame_due(a)) {
		for (unsigned i = 0; i < FRAME; i++) /* 500 Hz, loud in either law */
			loud[i] = i / 8 % 2 ? 0x92 : 0x12;
		packet(a, a->pt, false, a->stamp, loud, sizeof(loud));
	}
	return a->now_ms - since_ms >= ms;
}

bool actor_presses(struct actor *a, const char *keys)
{
	enum { ON = 5, END = 8, PAUSE = 12 };
	static const char names[] = "0123456789*#ABCD";
	while (keys[a->key_at] && frame_due(a)) {
		const char *key = strchr(names, keys[a->key_at]);
		unsigned n = a->key_phase++;
		if (key && n < END) {
			uint32_t length = (n < ON ? n + 1 : ON) * FRAME, began = a->stamp - n * FRAME;
			uint8_t event[4] = { (uint8_t)(key - names), (uint8_t)(n >= ON ? 0x8a : 0x0a), (uint8_t)(length >> 8), (uint8_t)length };
			packet(a, a->key_pt, n == 0, began, event, sizeof(event));
		}
		if (a->key_phase == PAUSE) {
			a->key_phase = 0;
			a->key_at++;
		}
	}
	if (keys[a->key_at])
		return false;
	a->key_at = 0;
	return true;
}

/* Now and then a packet, as of a line on which nobody speaks: silence for good would be taken for a lost caller. */
void actor_sound_idle(struct actor *a)
{
	uint8_t quiet[FRAME];
	if (a->now_ms - a->tick_ms < IDLE_MS)
		return;
	a->stamp += (uint32_t)(a->now_ms - a->tick_ms) * 8;
	a->tick_ms = a->now_ms;
	memset(quiet, a->pt == 8 ? 0xd5 : 0xff, sizeof(quiet));
	packet(a, a->pt, false, a->stamp, quiet, sizeof(quiet));
}

bool actor_hears_audio(struct actor *a)
{
	char in[2000];
	unsigned n = 0;
	while (recv(a->rtp_fd, in, sizeof(in), 0) > 0)
		n++;
	return n > 0;
}
