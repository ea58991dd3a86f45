/* SPDX-License-Identifier: Apache-2.0 */
/* secure_test.c  Ports with keys: nothing plain goes out or comes in, keys change within a call, and what is not genuine is told. */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "audio.h"
#include "base/mem.h"
#include "media/g711.h"
#include "media/rtp.h"
#include "media_pair.h"

static struct pair p;
static int16_t played[8 * 4000], heard[8 * 6000];

static struct srtp_key key_of(enum srtp_suite suite, uint8_t seed)
{
	struct srtp_key k = { .suite = suite };
	for (unsigned i = 0; i < SRTP_KEY_MAX; i++)
		k.bytes[i] = (uint8_t)(seed * 31 + i);
	return k;
}

static int begin(struct pair_side *s, const struct net_addr *remote, const struct srtp_key *send, const struct srtp_key *recv)
{
	struct media_stream st = { .remote = remote, .codec = MEDIA_PCMA, .pt = 8, .dtmf_pt = 101, .send = true, .recv = true, .send_key = send, .recv_key = recv };
	return media_port_start(s->port, &st);
}

static void both_begin(const struct srtp_key *a, const struct srtp_key *b)
{
	assert_int_equal(begin(&p.a, media_port_addr(p.b.port), a, b), 0);
	assert_int_equal(begin(&p.b, media_port_addr(p.a.port), b, a), 0);
}

static struct media_port_stats stats(const struct pair_side *s)
{
	struct media_port_stats st;
	media_port_stats(s->port, &st);
	return st;
}

/* What A plays, B hears, with the keys changed on the way. */
static void sound_passes(void **state)
{
	(void)state;
	for (enum srtp_suite suite = 1; suite < SRTP_SUITES; suite++) {
		struct srtp_key a = key_of(suite, 1), b = key_of(suite, 2), a2 = key_of(suite, 3);
		struct media_clip *clip = pair_clip(played, 8 * 3000, 1);
		struct media_sink_mem sink;
		uint32_t id;
		pair_open_idle(&p, false);
		both_begin(&a, &b);
		assert_string_equal(media_port_srtp(p.a.port), srtp_suite_name(suite));
		pair_run(&p, 100);
		media_sink_mem_init(&sink, 1 << 20);
		struct media_record_prm prm = { .sink = &sink.sink, .format = MEDIA_PCMA };
		assert_int_equal(media_record(p.b.port, &prm, &id), 0);
		assert_int_equal(media_play(p.a.port, &clip, 1, &id), 0);
		mem_unref(clip);
		pair_run(&p, 1000);
		both_begin(&a, &b); /* the same again */
		pair_run(&p, 500);
		assert_int_equal(begin(&p.b, media_port_addr(p.a.port), &b, &a2), 0); /* B learns of A's new key before A uses it */
		pair_run(&p, 200);
		assert_int_equal(begin(&p.a, media_port_addr(p.b.port), &a2, &b), 0);
		pair_run(&p, 1500);
		assert_int_equal(media_send_digits(p.a.port, "4711#", 0, 0), 0);
		pair_run(&p, 4000);
		media_record_stop(p.b.port);
		pair_run(&p, 40);
		assert_string_equal(pair_digits(&p.b), "4711#");
		g711_decode(MEDIA_PCMA, heard, sink.bytes.p, sink.bytes.n < sizeof heard / 2 ? sink.bytes.n : sizeof heard / 2);
		struct audio_match m = audio_compare(played, 8 * 3000, heard, 8 * 3200, 8 * 60);
		assert_true(m.correlation > 0.99);
		assert_int_equal(stats(&p.b).not_genuine, 0);
		assert_int_equal(stats(&p.b).lost, 0);
		assert_true(stats(&p.a).rtt_us || stats(&p.a).peer_lost == 0);
		assert_int_equal(pair_count(&p.b, MEDIA_SRTP_FAILED), 0);
		buf_free(&sink.bytes);
		pair_close(&p);
	}
}

static int socket_on(struct net_addr *addr)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	assert_int_equal(net_addr_parse(addr, text_of("127.0.0.1"), 0), 0);
	assert_int_equal(bind(fd, &addr->u.sa, net_addr_len(addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	net_addr_from(addr, (struct sockaddr *)&ss);
	return fd;
}

static void nothing_plain_goes_out(void **state)
{
	(void)state;
	struct srtp_key a = key_of(SRTP_AES_CM_128_80, 1), b = key_of(SRTP_AES_CM_128_80, 2);
	struct net_addr addr;
	uint8_t q[256], silence[160];
	struct srtp *s;
	int fd = socket_on(&addr);
	unsigned n_packets = 0;
	pair_open_idle(&p, false);
	assert_int_equal(begin(&p.a, &addr, &a, &b), 0);
	pair_run(&p, 400);
	assert_int_equal(srtp_new(&s, &a, false), 0);
	memset(silence, media_codec_silence(MEDIA_PCMA), sizeof silence);
	for (ssize_t n; (n = recv(fd, q, sizeof q, MSG_DONTWAIT)) > 0; n_packets++) {
		size_t len = (size_t)n;
		assert_int_equal(n, 12 + 160 + 10);
		assert_true(memcmp(q + 12, silence, sizeof silence) != 0);
		assert_true(n_packets || (q[2] & 0x80) == 0);
		assert_int_equal(srtp_open(s, q, &len), 0);
		assert_memory_equal(q + 12, silence, sizeof silence);
	}
	assert_true(n_packets > 15);
	mem_unref(s);
	close(fd);
	pair_close(&p);
}

static void wrong_keys_are_told_once(void **state)
{
	(void)state;
	struct srtp_key a = key_of(SRTP_AES_GCM_128, 1), b = key_of(SRTP_AES_GCM_128, 2), c = key_of(SRTP_AES_GCM_128, 3);
	pair_open_idle(&p, false);
	assert_int_equal(begin(&p.a, media_port_addr(p.b.port), &a, &b), 0);
	assert_int_equal(begin(&p.b, media_port_addr(p.a.port), &b, &c), 0);
	pair_run(&p, 2000);
	assert_int_equal(pair_count(&p.b, MEDIA_SRTP_FAILED), 1);
	assert_false(pair_event(&p.b, MEDIA_SRTP_FAILED, 0)->heard);
	assert_int_equal(pair_count(&p.a, MEDIA_SRTP_FAILED), 0);
	assert_int_equal(stats(&p.b).received, 0);
	assert_true(stats(&p.b).not_genuine > 90);
	assert_true(stats(&p.a).received > 90);
	pair_close(&p);
}

static void plain_sound_is_not_taken(void **state)
{
	(void)state;
	struct srtp_key a = key_of(SRTP_AES_CM_128_32, 1), b = key_of(SRTP_AES_CM_128_32, 2);
	pair_open_idle(&p, false);
	assert_int_equal(begin(&p.a, media_port_addr(p.b.port), NULL, NULL), 0);
	assert_int_equal(begin(&p.b, media_port_addr(p.a.port), &b, &a), 0);
	assert_string_equal(media_port_srtp(p.a.port), "");
	pair_run(&p, 2000);
	assert_int_equal(pair_count(&p.b, MEDIA_SRTP_FAILED), 1);
	assert_true(pair_event(&p.b, MEDIA_SRTP_FAILED, 0)->heard);
	assert_int_equal(stats(&p.b).received, 0);
	/* and where it is agreed from now on, it is */
	assert_int_equal(begin(&p.b, media_port_addr(p.a.port), NULL, NULL), 0);
	pair_run(&p, 400);
	assert_true(stats(&p.b).received > 15);
	assert_int_equal(begin(&p.b, media_port_addr(p.a.port), &b, NULL), EINVAL);
	pair_close(&p);
}

/* The peer's sound comes from somewhere else than he said: genuine, and therefore his. */
static void who_has_the_key_may_move(void **state)
{
	(void)state;
	struct srtp_key a = key_of(SRTP_AES_CM_256_80, 1), b = key_of(SRTP_AES_CM_256_80, 2);
	struct net_addr said, from;
	int fd_said = socket_on(&said), fd = socket_on(&from);
	struct srtp *s;
	pair_open_idle(&p, false);
	assert_int_equal(begin(&p.a, &said, &a, &b), 0);
	pair_run(&p, 40);
	assert_int_equal(srtp_new(&s, &b, true), 0);
	for (unsigned i = 0; i < 50; i++) {
		uint8_t q[RTP_HEAD + 160 + SRTP_ROOM];
		size_t total;
		rtp_write_head(q, &(struct rtp_packet){ .pt = 8, .seq = (uint16_t)i, .ts = i * 160, .ssrc = 9 });
		memset(q + RTP_HEAD, 0x55, 160);
		assert_int_equal(srtp_seal(s, q, RTP_HEAD, q + RTP_HEAD, 160, &total), 0);
		assert_int_equal(sendto(fd, q, total, 0, &media_port_addr(p.a.port)->u.sa, net_addr_len(media_port_addr(p.a.port))), (ssize_t)total);
		if (i == 30) /* the same from a thief */
			assert_int_equal(sendto(fd_said, q, total, 0, &media_port_addr(p.a.port)->u.sa, net_addr_len(media_port_addr(p.a.port))), (ssize_t)total);
		pair_run(&p, 20);
	}
	assert_int_equal(stats(&p.a).received, 50);
	assert_int_equal(stats(&p.a).repeated, 1);
	assert_int_equal(stats(&p.a).strangers, 0);
	mem_unref(s);
	close(fd);
	close(fd_said);
	pair_close(&p);
}

/* Keys that nobody took over yet, and some on their way back. */
static void the_end_of_the_engine_leaves_no_key_behind(void **state)
{
	(void)state;
	struct srtp_key a = key_of(SRTP_AES_CM_128_80, 1), b = key_of(SRTP_AES_CM_128_80, 2), c = key_of(SRTP_AES_CM_128_80, 3);
	pair_open_idle(&p, false);
	both_begin(&a, &b);
	pair_run(&p, 40);
	both_begin(&c, &b);
	pair_run(&p, 40);
	both_begin(&b, &a);
	media_engine_destroy(p.engine);
}

static int rekeys(void *arg)
{
	(void)arg;
	struct srtp_key a = key_of(SRTP_AES_CM_128_80, 1), b = key_of(SRTP_AES_CM_128_80, 2);
	static uint8_t turn;
	a.bytes[0] = turn++;
	int err = begin(&p.a, media_port_addr(p.b.port), &a, &b);
	pair_run(&p, 20);
	assert_int_equal(begin(&p.a, media_port_addr(p.b.port), NULL, NULL), 0);
	pair_run(&p, 20);
	return err;
}

static void without_memory(void **state)
{
	(void)state;
	pair_open(&p, false);
	ut_oom(rekeys, NULL);
	pair_close(&p);
}

UT_MAIN(UT(sound_passes), UT(nothing_plain_goes_out), UT(wrong_keys_are_told_once), UT(plain_sound_is_not_taken), UT(who_has_the_key_may_move),
        UT(the_end_of_the_engine_leaves_no_key_behind), UT(without_memory))
