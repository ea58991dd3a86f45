/* SPDX-License-Identifier: Apache-2.0 */
/* hear_test.c  What is stored is what was said: a recording by a real port of what a bad network brings it. */
#include "ut.h"
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "audio.h"
#include "base/mem.h"
#include "media/g711.h"
#include "media/rtp.h"
#include "media_pair.h"

enum { FRAMES = 1000, COPIES_MOST = 2 };
static struct pair p;
static int16_t pcm[FRAMES * MEDIA_FRAME], heard[FRAMES * MEDIA_FRAME + 16000];
static uint8_t said[FRAMES * MEDIA_FRAME];
static int fd;
static uint64_t seed;

static unsigned chance(unsigned below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)((seed >> 33) % below);
}

static void begin(struct media_sink_mem *sink)
{
	struct net_addr at;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof in;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	net_addr_from(&at, (struct sockaddr *)&in);
	pair_open_idle(&p, false);
	pair_start(&p, &p.b, &at, MEDIA_PCMU);
	media_sink_mem_init(sink, 1 << 21);
	assert_int_equal(media_record(p.b.port, &(struct media_record_prm){ .sink = &sink->sink }, NULL), 0);
	media_engine_step(p.engine);
	audio_make(pcm, FRAMES * MEDIA_FRAME, (unsigned)seed + 5);
	g711_encode(MEDIA_PCMU, said, pcm, FRAMES * MEDIA_FRAME);
}

static void end(struct media_sink_mem *sink)
{
	media_record_stop(p.b.port);
	pair_run(&p, 40);
	assert_non_null(pair_event(&p.b, MEDIA_REC_ENDED, 0));
	(void)sink;
}

static void leave(struct media_sink_mem *sink)
{
	buf_free(&sink->bytes);
	pair_close(&p);
	close(fd);
}

static void send_one(unsigned i, uint8_t pt, uint32_t ssrc, uint16_t seq, uint32_t ts)
{
	uint8_t b[RTP_HEAD + MEDIA_FRAME];
	const struct net_addr *to = media_port_addr(p.b.port);
	rtp_write_head(b, &(struct rtp_packet){ .pt = pt, .seq = seq, .ts = ts, .ssrc = ssrc });
	memcpy(b + RTP_HEAD, said + (size_t)i * MEDIA_FRAME, MEDIA_FRAME);
	size_t n = pt == 13 ? RTP_HEAD + 1 : sizeof b;
	assert_int_equal(sendto(fd, b, n, 0, &to->u.sa, net_addr_len(to)), (ssize_t)n);
}

static void turn(unsigned ms)
{
	clock_fake_advance_ms(&p.clock, ms);
	media_engine_step(p.engine);
}

/* Frame i of what was stored is frame k of what was said, to the bit. */
static bool same(const struct media_sink_mem *sink, size_t i, unsigned k)
{
	return (i + 1) * MEDIA_FRAME <= sink->bytes.n && !memcmp(sink->bytes.p + i * MEDIA_FRAME, said + (size_t)k * MEDIA_FRAME, MEDIA_FRAME);
}

static void over_a_bad_network(unsigned delay_ms, unsigned lost_percent, unsigned doubled_percent)
{
	static unsigned due_ms[FRAMES][COPIES_MOST];
	struct media_sink_mem sink;
	unsigned lost = 0, whole = 0;
	begin(&sink);
	memset(due_ms, 0, sizeof due_ms);
	for (unsigned i = 0; i < FRAMES; i++) {
		bool gone = i && i + 1 < FRAMES && chance(100) < lost_percent;
		lost += gone;
		for (unsigned c = 0; !gone && c < 1 + (chance(100) < doubled_percent); c++)
			due_ms[i][c] = 20 + i * 20 + (i ? chance(delay_ms + 1) : 0);
	}
	for (unsigned ms = 0; ms < FRAMES * 20 + delay_ms + 40; ms += 5) {
		unsigned from = ms > delay_ms + 40 ? (ms - delay_ms - 40) / 20 : 0;
		turn(5);
		for (unsigned i = from; i < FRAMES && i * 20 <= ms; i++)
			for (unsigned c = 0; c < COPIES_MOST; c++)
				if (due_ms[i][c] && due_ms[i][c] <= ms && due_ms[i][c] + 5 > ms)
					send_one(i, 0, 77, (uint16_t)(65000 + i), 0xfffff000u + i * MEDIA_FRAME);
	}
	end(&sink);
	const struct media_event *ended = pair_event(&p.b, MEDIA_REC_ENDED, 0);
	assert_int_equal(ended->rec.lost, lost);
	assert_int_equal(ended->rec.late, 0);
	assert_int_equal(sink.bytes.n, FRAMES * MEDIA_FRAME); /* not a sample more or less */
	for (unsigned i = 0; i < FRAMES; i++)
		if (due_ms[i][0] && (!i || due_ms[i - 1][0])) {
			assert_true(same(&sink, i, i));
			whole++;
		}
	assert_true(whole >= FRAMES - 2 * lost - 1);
	g711_decode(MEDIA_PCMU, heard, sink.bytes.p, sink.bytes.n);
	struct audio_match m = audio_compare(pcm, FRAMES * MEDIA_FRAME, heard, sink.bytes.n, 80);
	assert_int_equal(m.lag, 0);
	assert_true(m.correlation > 1 - lost_percent * 0.015 - 0.01);
	leave(&sink);
}

static void what_is_stored_is_what_was_said(void **state)
{
	(void)state;
	for (seed = 3; seed < 30; seed += 13) {
		over_a_bad_network(0, 0, 0);
		over_a_bad_network(40, 5, 5);
		over_a_bad_network(150, 15, 30);
	}
}

/* The voice stops for half a second, once by nothing, once by comfort noise; time stamps go on. None of it is taken for a loss. */
static void a_pause_is_silence(void **state)
{
	(void)state;
	for (unsigned noise = 0; noise < 2; noise++) {
		struct media_sink_mem sink;
		uint16_t seq = 1;
		begin(&sink);
		for (unsigned i = 0; i < 200; i++) {
			turn(20);
			bool quiet = i % 50 >= 25;
			if (!quiet || (noise && i % 50 % 8 == 1))
				send_one(i, quiet ? 13 : 0, 5, seq++, i * MEDIA_FRAME);
		}
		end(&sink);
		assert_int_equal(pair_event(&p.b, MEDIA_REC_ENDED, 0)->rec.lost, 0);
		for (unsigned i = 0; i < 175; i++) {
			if (i % 50 < 25) {
				assert_true(same(&sink, i, i));
				continue;
			}
			for (unsigned k = 0; k < MEDIA_FRAME; k++)
				assert_int_equal((uint8_t)sink.bytes.p[i * MEDIA_FRAME + k], 0xff);
		}
		leave(&sink);
	}
}

/* The gateway changes its source, then begins its numbers anew, with other stamps; half a second passes each time. */
static void a_sender_that_begins_anew_is_followed(void **state)
{
	(void)state;
	struct media_sink_mem sink;
	begin(&sink);
	for (unsigned i = 0; i < 300; i++) {
		unsigned part = i / 100;
		if (i && i % 100 == 0)
			for (unsigned k = 0; k < 25; k++)
				turn(20);
		turn(20);
		send_one(i, 0, part ? 8 : 5, (uint16_t)(i + part * 20000), i * MEDIA_FRAME + part * 0x55555555u);
	}
	turn(20);
	end(&sink);
	size_t gap = 25;
	for (unsigned i = 0; i < 300; i++)
		assert_true(same(&sink, i + i / 100 * gap, i));
	leave(&sink);
}

/* A caller's clock that is 300 ppm fast, or slow, for ten minutes. */
static void a_clock_that_drifts_changes_nothing(void **state)
{
	(void)state;
	static const int ppm[] = { 300, -300 };
	for (unsigned k = 0; k < 2; k++) {
		struct media_sink_mem sink;
		unsigned sent = 0, seconds = 600;
		begin(&sink);
		buf_free(&sink.bytes);
		media_sink_mem_init(&sink, 8 << 20);
		for (int64_t us = 0; us < seconds * INT64_C(1000000); us += 20000) {
			turn(20);
			for (; (int64_t)sent * 20000 * (1000000 - ppm[k]) / 1000000 <= us; sent++)
				send_one(sent % FRAMES, 0, 5, (uint16_t)sent, sent * MEDIA_FRAME);
		}
		turn(20);
		end(&sink);
		assert_int_equal(pair_event(&p.b, MEDIA_REC_ENDED, 0)->rec.late, 0);
		assert_int_equal(sink.bytes.n, (size_t)sent * MEDIA_FRAME);
		for (unsigned i = 0; i < sent; i++)
			assert_true(same(&sink, i, i % FRAMES));
		leave(&sink);
	}
}

/* A codec with a memory: decoded in the order in which it was spoken, though neighbours change places and some come twice. */
static void other_codecs_are_decoded_in_order(void **state)
{
	(void)state;
	static const enum media_codec codecs[] = { MEDIA_G722, MEDIA_OPUS, MEDIA_L16 };
	for (unsigned k = 0; k < 3; k++) {
		static uint8_t payload[FRAMES][CODEC_PAYLOAD_MAX];
		static size_t n[FRAMES];
		struct media_sink_mem sink;
		struct codec_tx *tx;
		struct net_addr at;
		struct sockaddr_in in;
		socklen_t len = sizeof in;
		begin(&sink);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
		net_addr_from(&at, (struct sockaddr *)&in);
		pair_start(&p, &p.b, &at, codecs[k]);
		assert_int_equal(codec_tx_create(&tx, codecs[k], MEDIA_RATE), 0);
		for (unsigned i = 0; i < 200; i++)
			n[i] = codec_encode(tx, pcm + (size_t)i * MEDIA_FRAME, payload[i]);
		codec_tx_free(tx);
		for (unsigned i = 0; i < 200; i++) {
			unsigned which = i && i < 199 ? ((i - 1) ^ 1) + 1 : i; /* 0 2 1 4 3 ... */
			uint8_t b[RTP_HEAD + CODEC_PAYLOAD_MAX];
			const struct net_addr *to = media_port_addr(p.b.port);
			uint8_t pt = media_codec_pt(codecs[k]) == CODEC_NO_PT ? 96 : media_codec_pt(codecs[k]);
			rtp_write_head(b, &(struct rtp_packet){ .pt = pt, .seq = (uint16_t)which, .ts = which * codec_info(codecs[k])->clock / 50, .ssrc = 4 });
			memcpy(b + RTP_HEAD, payload[which], n[which]);
			turn(20);
			for (unsigned copy = 0; copy < 1 + (i % 7 == 0); copy++)
				assert_true(sendto(fd, b, RTP_HEAD + n[which], 0, &to->u.sa, net_addr_len(to)) > 0);
		}
		turn(20);
		end(&sink);
		assert_in_range(sink.bytes.n, 200 * MEDIA_FRAME - 40, 200 * MEDIA_FRAME + 40);
		assert_int_equal(pair_event(&p.b, MEDIA_REC_ENDED, 0)->rec.lost, 0);
		g711_decode(MEDIA_PCMU, heard, sink.bytes.p, sink.bytes.n);
		assert_true(audio_compare(pcm, 200 * MEDIA_FRAME, heard, sink.bytes.n, 200).correlation > (codecs[k] == MEDIA_OPUS ? 0.8 : 0.97));
		leave(&sink);
	}
}

/* 72 to 76 are what RTCP's types look like; a peer without RTCP on the same port may give such a number to its audio. */
static void a_number_among_those_of_rtcp_is_heard_where_it_was_agreed(void **state)
{
	(void)state;
	for (unsigned agreed = 0; agreed < 2; agreed++) {
		struct media_sink_mem sink;
		begin(&sink);
		struct net_addr at;
		struct sockaddr_in in;
		socklen_t len = sizeof in;
		assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
		net_addr_from(&at, (struct sockaddr *)&in);
		struct media_stream st = { .remote = &at, .codec = MEDIA_PCMU, .pt = 0, .recv_pt = agreed ? 77 : 0, .dtmf_pt = 101, .send = true, .recv = true };
		assert_int_equal(media_port_start(p.b.port, &st), 0);
		for (unsigned i = 0; i < 50; i++) {
			turn(20);
			send_one(i, 77, 4, (uint16_t)i, i * MEDIA_FRAME);
		}
		turn(20);
		end(&sink);
		assert_true(agreed ? same(&sink, 10, 10) : sink.bytes.n == 0 || !same(&sink, 10, 10));
		leave(&sink);
	}
}

UT_MAIN(UT(what_is_stored_is_what_was_said), UT(a_pause_is_silence), UT(a_sender_that_begins_anew_is_followed), UT(a_clock_that_drifts_changes_nothing),
	UT(other_codecs_are_decoded_in_order), UT(a_number_among_those_of_rtcp_is_heard_where_it_was_agreed))
