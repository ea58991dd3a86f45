/* SPDX-License-Identifier: Apache-2.0 */
/* join_test.c  Two calls joined: what is said at one end is heard at the other, whatever the packets do on their way. */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "audio.h"
#include "base/mem.h"
#include "media/g711.h"
#include "media/join.h"
#include "media_pair.h"

static struct pair p, q;
static int16_t played[8 * 4000], heard[8 * 6000];

/* ---- the pipe alone ---- */
struct ends {
	struct join_end a, b;
};

static void begin(struct ends *e)
{
	struct media_join *j = media_join_new();
	*e = (struct ends){ 0 };
	join_set(&e->a, mem_ref(j), 0);
	join_set(&e->b, j, 1);
}

static void end(struct ends *e)
{
	join_set(&e->a, NULL, 0);
	join_set(&e->b, NULL, 0);
}

static void say(struct ends *e, uint32_t ts, unsigned frames, uint8_t value)
{
	uint8_t frame[MEDIA_FRAME];
	memset(frame, value, sizeof frame);
	for (unsigned i = 0; i < frames; i++)
		join_put(&e->a, 7, ts + i * MEDIA_FRAME, MEDIA_PCMU, frame, sizeof frame);
}

static unsigned hear(struct ends *e, uint8_t value, unsigned most)
{
	uint8_t frame[MEDIA_FRAME];
	for (unsigned n = 0; n < most; n++)
		if (!join_take(&e->b, MEDIA_PCMU, frame) || frame[0] != value || frame[MEDIA_FRAME - 1] != value)
			return n;
	return most;
}

static void nothing_is_said_before_the_hold_is_over(void **state)
{
	(void)state;
	struct ends e;
	begin(&e);
	say(&e, 1000, 2, 1);
	assert_int_equal(hear(&e, 1, 9), 0);
	say(&e, 1000 + 2 * MEDIA_FRAME, 1, 1);
	assert_int_equal(hear(&e, 1, 9), 3);
	assert_int_equal(hear(&e, 1, 9), 0); /* ran dry: holds back again */
	say(&e, 1000 + 3 * MEDIA_FRAME, 2, 1);
	assert_int_equal(hear(&e, 1, 9), 0);
	end(&e);
}

static void gaps_are_silent_and_late_packets_left_out(void **state)
{
	(void)state;
	struct ends e;
	begin(&e);
	say(&e, 1000, 2, 1);
	say(&e, 1000 + 3 * MEDIA_FRAME, 1, 3);
	say(&e, 1000 + 2 * MEDIA_FRAME, 1, 2); /* too late */
	say(&e, 1000 + 3 * MEDIA_FRAME, 1, 9); /* twice */
	assert_int_equal(hear(&e, 1, 2), 2);
	assert_int_equal(hear(&e, media_codec_silence(MEDIA_PCMU), 1), 1);
	assert_int_equal(hear(&e, 3, 9), 1);
	end(&e);
}

static void what_piles_up_is_skipped(void **state)
{
	(void)state;
	struct ends e;
	begin(&e);
	say(&e, 0, 12, 1);
	assert_int_equal(hear(&e, 1, 99), JOIN_HOLD / MEDIA_FRAME);
	say(&e, 0x90000000u, 3, 2); /* a leap of the stamps is a new count */
	assert_int_equal(hear(&e, 2, 99), 3);
	end(&e);
}

static void floods_do_not_grow(void **state)
{
	(void)state;
	struct ends e;
	uint8_t big[JOIN_ROOM] = { 0 };
	begin(&e);
	for (uint32_t i = 0; i < 1000; i++)
		join_put(&e.a, i, i * 77777, MEDIA_PCMA, big, 1 + i % sizeof big);
	assert_true(hear(&e, 0, 1000) <= JOIN_HOLD / MEDIA_FRAME);
	join_put(&e.a, 1, 1, MEDIA_PCMU, big, 0);
	end(&e);
	struct join_end none = { 0 };
	join_put(&none, 1, 1, MEDIA_PCMU, big, 160);
	assert_false(join_take(&none, MEDIA_PCMU, big));
}

/* What both sides speak is not looked into: it comes out byte by byte as it went in. */
static void payload_passes_as_it_is(void **state)
{
	struct ends e;
	uint8_t one[37], out[2 * MEDIA_FRAME], frame[MEDIA_FRAME];
	size_t n;
	(void)state;
	begin(&e);
	assert_false(join_put_payload(&e.a, 7, 0, MEDIA_OPUS, one, sizeof one, MEDIA_FRAME)); /* nobody knows what b speaks */
	join_speaks(&e.b, MEDIA_OPUS);
	assert_false(join_put_payload(&e.a, 7, 0, MEDIA_G722, frame, MEDIA_FRAME, MEDIA_FRAME));
	assert_false(join_put_payload(&e.a, 7, 0, MEDIA_OPUS, out, 319, MEDIA_FRAME)); /* too much for 20 ms */
	assert_false(join_put_payload(&e.a, 7, 0, MEDIA_OPUS, one, sizeof one, 3 * MEDIA_FRAME));
	for (unsigned i = 0; i < 8; i++) {
		memset(one, (int)i + 1, sizeof one);
		one[36] = 0xee;
		assert_true(join_put_payload(&e.a, 7, i * MEDIA_FRAME, MEDIA_OPUS, one, sizeof one, MEDIA_FRAME));
	}
	assert_false(join_take_payload(&e.b, MEDIA_G722, out, &n));
	for (unsigned i = 0; i < 7; i++) {
		assert_true(join_take_payload(&e.b, MEDIA_OPUS, out, &n));
		assert_int_equal(n, sizeof one);
		assert_int_equal(out[35], i + 1);
		assert_int_equal(out[36], 0xee);
	}
	assert_true(join_take(&e.b, MEDIA_PCMU, frame)); /* who cannot say it is silent */
	assert_int_equal(frame[80], 0xff);
	join_speaks(&e.b, MEDIA_G722);
	memset(frame, 0x5a, sizeof frame);
	for (unsigned i = 8; i < 12; i++)
		assert_true(join_put_payload(&e.a, 7, i * MEDIA_FRAME, MEDIA_G722, frame, sizeof frame, sizeof frame));
	assert_true(join_take_payload(&e.b, MEDIA_G722, out, &n));
	assert_int_equal(n, MEDIA_FRAME);
	assert_memory_equal(out, frame, n);
	end(&e);
}

/* ---- ports ---- */
static void run(unsigned ms)
{
	for (unsigned i = 0; i < ms; i += 20) {
		pair_run(&p, 20);
		pair_run(&q, 20);
	}
}

/* Somebody at p.a, our ports p.b and q.b, somebody at q.a. */
static void open_both(enum media_codec one, enum media_codec other)
{
	pair_open_idle(&p, false);
	pair_open_idle(&q, false);
	pair_start(&p, &p.a, media_port_addr(p.b.port), one);
	pair_start(&p, &p.b, media_port_addr(p.a.port), one);
	pair_start(&q, &q.a, media_port_addr(q.b.port), other);
	pair_start(&q, &q.b, media_port_addr(q.a.port), other);
	run(100);
}

static void one_hears_the_other(enum media_codec one, enum media_codec other)
{
	struct media_sink_mem sink;
	struct media_clip *clip = pair_clip(played, 8 * 3000, 3);
	uint32_t play, rec;
	open_both(one, other);
	assert_int_equal(media_join(p.b.port, q.b.port), 0);
	media_sink_mem_init(&sink, 1 << 20);
	struct media_record_prm prm = { .sink = &sink.sink, .format = MEDIA_PCMU };
	assert_int_equal(media_record(q.a.port, &prm, &rec), 0);
	run(200);
	assert_int_equal(media_play(p.a.port, &clip, 1, &play), 0);
	mem_unref(clip);
	run(3400);
	media_record_stop(q.a.port);
	run(40);
	size_t n = sink.bytes.n < sizeof heard / 2 ? sink.bytes.n : sizeof heard / 2;
	g711_decode(MEDIA_PCMU, heard, sink.bytes.p, n);
	struct audio_match m = audio_compare(played, 8 * 3000, heard, n, 8 * 600);
	if (m.correlation < (one == MEDIA_OPUS || other == MEDIA_OPUS ? 0.85 : 0.95))
		fail_msg("%s to %s: %f", media_codec_name(one), media_codec_name(other), m.correlation);
	assert_in_range(m.lag, 8 * 200, 8 * 390); /* the 200 ms before it began, the hold, and the ticks of three threads */
	buf_free(&sink.bytes);
	pair_close(&p);
	pair_close(&q);
}

static void joined_calls_hear_each_other(void **state)
{
	(void)state;
	one_hears_the_other(MEDIA_PCMU, MEDIA_PCMU);
	one_hears_the_other(MEDIA_PCMA, MEDIA_PCMU);
	one_hears_the_other(MEDIA_PCMU, MEDIA_PCMA);
	one_hears_the_other(MEDIA_G722, MEDIA_G722);
	one_hears_the_other(MEDIA_OPUS, MEDIA_OPUS);
	one_hears_the_other(MEDIA_OPUS, MEDIA_G722);
	one_hears_the_other(MEDIA_PCMA, MEDIA_OPUS);
	one_hears_the_other(MEDIA_L16_WIDE, MEDIA_PCMU);
}

/* In any order, and with the other end closed: nothing is left, nobody falls. */
static void parting_and_closing(void **state)
{
	(void)state;
	open_both(MEDIA_PCMU, MEDIA_PCMA);
	assert_int_equal(media_join(p.b.port, q.b.port), 0);
	run(100);
	assert_int_equal(media_join(p.b.port, q.b.port), 0); /* anew */
	media_part(q.b.port);
	run(100);
	assert_int_equal(media_join(q.b.port, p.b.port), 0);
	media_port_close(q.b.port);
	run(100);
	assert_null(q.b.port);
	media_part(p.b.port);
	run(40);
	pair_close(&p);
	pair_close(&q);
}

static void closing_port_joins_nobody(void **state)
{
	(void)state;
	open_both(MEDIA_PCMU, MEDIA_PCMU);
	media_port_close(p.b.port);
	assert_int_equal(media_join(q.b.port, p.b.port), EAGAIN);
	run(40);
	pair_close(&q);
	pair_close(&p);
}

UT_MAIN(UT(nothing_is_said_before_the_hold_is_over), UT(gaps_are_silent_and_late_packets_left_out), UT(what_piles_up_is_skipped),
        UT(floods_do_not_grow), UT(payload_passes_as_it_is), UT(joined_calls_hear_each_other), UT(parting_and_closing), UT(closing_port_joins_nobody))
