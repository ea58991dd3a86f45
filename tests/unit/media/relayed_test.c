/* SPDX-License-Identifier: Apache-2.0 */
/* relayed_test.c  Two real ports with a bad network between them, which loses, doubles and reorders by a seed: what the one records is what the other
 * played, in each codec, plain and encrypted. UMBEL_SEEDS=N tries more.                                                 */
#include "ut.h"
#include <stdlib.h>
#include <string.h>
#include "audio.h"
#include "base/mem.h"
#include "media/g711.h"
#include "media_pair.h"
#include "net/loop.h"
#include "relay.h"

enum { SECONDS = 8, SAMPLES = SECONDS * MEDIA_RATE, STEP_MS = 5, BEFORE_MS = 400, AFTER_MS = 600 };
static struct pair p;
static struct loop *loop;
static struct relay *relay;
static int16_t said[SAMPLES], heard[SAMPLES + 4 * MEDIA_RATE];

static unsigned seeds(void)
{
	const char *more = getenv("UMBEL_SEEDS");
	return more ? (unsigned)strtoul(more, NULL, 10) : 2;
}

static void start(struct pair_side *s, const struct net_addr *remote, enum media_codec codec, const struct srtp_key *send, const struct srtp_key *recv)
{
	uint8_t pt = media_codec_pt(codec) == CODEC_NO_PT ? 96 : media_codec_pt(codec);
	struct media_stream st = { .remote = remote, .codec = codec, .pt = pt, .dtmf_pt = 101, .send = true, .recv = true, .send_key = send, .recv_key = recv };
	assert_int_equal(media_port_start(s->port, &st), 0);
}

static void begin(enum media_codec codec, enum srtp_suite suite, const struct relay_prm *prm)
{
	struct srtp_key key[2] = { { .suite = suite }, { .suite = suite } };
	memset(key[0].bytes, 1, SRTP_KEY_MAX);
	memset(key[1].bytes, 2, SRTP_KEY_MAX);
	pair_open_idle(&p, false);
	assert_int_equal(loop_create(&loop, &p.clock.clock), 0);
	assert_int_equal(relay_create(&relay, loop, media_port_addr(p.a.port), media_port_addr(p.b.port), prm), 0);
	start(&p.a, relay_for_a(relay), codec, suite ? &key[0] : NULL, suite ? &key[1] : NULL);
	start(&p.b, relay_for_b(relay), codec, suite ? &key[1] : NULL, suite ? &key[0] : NULL);
}

static void run(unsigned ms)
{
	for (unsigned t = 0; t < ms; t += STEP_MS) {
		clock_fake_advance_ms(&p.clock, STEP_MS);
		media_engine_step(p.engine); /* what is due: every 20 ms */
		while (loop_step(loop, 0) > 0)
			;
	}
}

static void end(void)
{
	relay_destroy(relay);
	loop_destroy(loop);
	pair_close(&p);
}

/* What is heard, and how it went. */
static size_t call(enum media_codec codec, enum srtp_suite suite, const struct relay_prm *prm, struct relay_stats *st, struct media_rec_stats *rec)
{
	struct media_sink_mem sink;
	struct media_clip *clip = pair_clip(said, SAMPLES, (unsigned)prm->seed);
	begin(codec, suite, prm);
	media_sink_mem_init(&sink, sizeof heard);
	run(BEFORE_MS);
	assert_int_equal(media_record(p.b.port, &(struct media_record_prm){ .sink = &sink.sink, .format = MEDIA_PCMU }, NULL), 0);
	assert_int_equal(media_play(p.a.port, &clip, 1, NULL), 0);
	run(SECONDS * 1000 + AFTER_MS);
	media_record_stop(p.b.port);
	run(200);
	assert_non_null(pair_event(&p.b, MEDIA_REC_ENDED, 0));
	*rec = sink.stats;
	relay_stats(relay, st);
	size_t n = sink.bytes.n;
	assert_true(n <= sizeof heard / sizeof *heard);
	g711_decode(MEDIA_PCMU, heard, sink.bytes.p, n);
	buf_free(&sink.bytes);
	mem_unref(clip);
	end();
	return n;
}

static void alike(enum media_codec codec, enum srtp_suite suite, const struct relay_prm *how, double least)
{
	for (uint64_t seed = 1; seed <= seeds(); seed++) {
		struct relay_prm prm = *how;
		struct relay_stats st;
		struct media_rec_stats rec;
		prm.seed = seed;
		size_t n = call(codec, suite, &prm, &st, &rec);
		struct audio_match m = audio_compare(said, SAMPLES, heard, n, MEDIA_RATE);
		if (getenv("UMBEL_SAY"))
			print_message("%s %s seed %u: correlation %.3f at %ld, %zu samples, relay lost %u doubled %u overtaken %u; lost %u late %u\n", media_codec_name(codec), srtp_suite_name(suite),
			              (unsigned)seed, m.correlation, m.lag, n, st.lost, st.doubled, st.overtaken, rec.lost, rec.late);
		assert_true(!how->lost_percent || st.lost > 0);
		assert_true(!how->doubled_percent || (st.doubled > 0 && st.overtaken > 0));
		assert_true(rec.late * 100 <= SECONDS * 50); /* of packets held up for 50 ms and read every 20 ms, hardly one comes later than is waited for */
		if (m.correlation < least)
			fail_msg("%s %s, seed %u: correlation %.3f", media_codec_name(codec), srtp_suite_name(suite), (unsigned)seed, m.correlation);
		assert_in_range(n, SAMPLES + AFTER_MS * 8 - 800, SAMPLES + AFTER_MS * 8 + 800);
	}
}

static const struct relay_prm good = { 0 };
static const struct relay_prm rough = { .lost_percent = 5, .doubled_percent = 5, .delay_ms = 50 };

static void a_good_network_changes_nothing(void **state)
{
	(void)state;
	alike(MEDIA_PCMU, SRTP_NONE, &good, 0.99);
	alike(MEDIA_PCMU, SRTP_AES_CM_128_80, &good, 0.99);
	alike(MEDIA_G722, SRTP_NONE, &good, 0.97);
	alike(MEDIA_L16, SRTP_NONE, &good, 0.99);
	alike(MEDIA_OPUS, SRTP_NONE, &good, 0.8);
}

static void what_is_recorded_over_a_bad_one_is_what_was_played(void **state)
{
	(void)state;
	alike(MEDIA_PCMU, SRTP_NONE, &rough, 0.9);
	alike(MEDIA_PCMA, SRTP_AES_GCM_128, &rough, 0.9);
	alike(MEDIA_PCMU, SRTP_AES_CM_128_80, &rough, 0.9);
	alike(MEDIA_L16, SRTP_NONE, &rough, 0.9);
	alike(MEDIA_G722, SRTP_NONE, &rough, 0.9);
	alike(MEDIA_OPUS, SRTP_AES_CM_256_80, &rough, 0.8);
}

UT_MAIN(UT(a_good_network_changes_nothing), UT(what_is_recorded_over_a_bad_one_is_what_was_played))
