/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <string.h>
#include "media/g711.h"
#include "media/line.h"

/* Packets are filled with their number; silence is 0xff (PCMU). */
struct got {
	uint8_t p[400000];
	size_t n;
};
static struct got got;
static struct line line;

static void take(const uint8_t *p, size_t n, void *arg)
{
	struct got *g = arg;
	assert_true(g->n + n <= sizeof g->p);
	if (p)
		memcpy(g->p + g->n, p, n);
	else
		memset(g->p + g->n, 0xff, n);
	g->n += n;
}

static void count_bytes(const uint8_t *p, size_t n, void *arg)
{
	(void)p;
	*(uint64_t *)arg += n;
}

static void begin(void)
{
	got.n = 0;
	line_init(&line, MEDIA_PCMU, 0, take, &got);
}

static void put(unsigned number, uint32_t ts, int64_t now_ms)
{
	uint8_t p[MEDIA_FRAME];
	memset(p, (int)number, sizeof p);
	line_put(&line, now_ms * 1000, 1, ts, MEDIA_PCMU, p, sizeof p);
	line_tick(&line, now_ms * 1000);
}

/* What the nth frame of the output holds. */
static unsigned frame(unsigned n)
{
	assert_true((n + 1u) * MEDIA_FRAME <= got.n);
	return got.p[n * MEDIA_FRAME + 80];
}

static void in_order(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 0; i < 50; i++) {
		put(i, 1000 + i * 160, i * 20);
		assert_int_equal(got.n, (i + 1) * 160); /* nothing is held back */
	}
	line_flush(&line, 1000000);
	assert_int_equal(got.n, 50 * 160);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(frame(i), i);
}

static void what_is_missing_is_silence(void **state)
{
	(void)state;
	begin();
	static const unsigned came[] = { 0, 1, 2, 5, 6, 9, 12 };
	for (unsigned i = 0; i < sizeof came / sizeof *came; i++)
		put(came[i], 0xffffff00u + came[i] * 160, came[i] * 20 + 60);
	line_flush(&line, 300000);
	assert_int_equal(got.n, 13 * 160);
	for (unsigned i = 0, k = 0; i < 13; i++)
		assert_int_equal(frame(i), i == came[k] ? came[k++] : 0xff);
	assert_int_equal(line.late, 0);
}

static void too_late_is_not_used(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 0; i < 20; i++)
		if (i != 5)
			put(i, i * 160, i * 20);
	put(5, 5 * 160, 400);
	assert_int_equal(line.late, 1);
	line_flush(&line, 400000);
	assert_int_equal(frame(5), 0xff);
	assert_int_equal(got.n, 20 * 160);
}

/* A clock that is 300 ppm off for an hour: every sample is there once, in its place; pauses of the sender, too, are as long as he made them. */
static void drift_neither_cuts_nor_stretches(void **state)
{
	(void)state;
	static const int ppm[] = { 300, -300 };
	for (unsigned k = 0; k < 2; k++) {
		uint8_t p[MEDIA_FRAME];
		uint64_t bytes = 0;
		uint32_t frames = 3600 * 50;
		line_init(&line, MEDIA_PCMU, 0, count_bytes, &bytes);
		memset(p, 7, sizeof p);
		int64_t now_us = 0;
		for (uint32_t i = 0; i < frames; i++) {
			now_us = (int64_t)i * 20000 * (1000000 - ppm[k]) / 1000000;
			if (i / 50 % 10 < 7) /* three seconds of each ten it is quiet */
				line_put(&line, now_us, 1, i * 160, MEDIA_PCMU, p, sizeof p);
			line_tick(&line, now_us);
		}
		line_put(&line, now_us + 20000, 1, frames * 160, MEDIA_PCMU, p, sizeof p);
		assert_int_equal(line.late, 0);
		assert_int_equal(line.leaps, 0);
		assert_int_equal(bytes, (uint64_t)(frames + 1) * 160);
	}
}

static void long_gap_keeps_its_length(void **state)
{
	(void)state;
	begin();
	put(1, 0, 0);
	put(2, 160 * 100, 2000); /* the sender was quiet for two seconds; its stamps went on */
	line_flush(&line, 2020000);
	assert_int_equal(got.n, 101 * 160);
	assert_int_equal(frame(0), 1);
	assert_int_equal(frame(50), 0xff);
	assert_int_equal(frame(100), 2);
}

static void the_clock_goes_on_when_nothing_comes(void **state)
{
	(void)state;
	begin();
	put(1, 0, 0);
	for (int64_t ms = 20; ms <= 3000; ms += 20)
		line_tick(&line, ms * 1000);
	assert_in_range(got.n, 2700 * 8, 2940 * 8);
	put(2, 3000 * 8, 3000); /* stamps counted on */
	line_flush(&line, 3020000);
	assert_int_equal(got.n, 3020 * 8);
	assert_int_equal(frame(150), 2);
}

static void stamps_that_leap_are_not_believed(void **state)
{
	(void)state;
	begin();
	put(1, 0, 0);
	put(2, 0x40000000, 20); /* weeks ahead */
	put(3, 0x40000000 + 160, 40);
	put(4, 0x10, 60); /* and back */
	line_flush(&line, 80000);
	assert_int_equal(got.n, 4 * 160);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(frame(i), i + 1);
	assert_int_equal(line.leaps, 2);
}

static void a_new_source_goes_on_at_once(void **state)
{
	(void)state;
	begin();
	uint8_t p[MEDIA_FRAME];
	for (unsigned i = 0; i < 10; i++) {
		memset(p, (int)i, sizeof p);
		line_put(&line, i * 20000, i < 5 ? 1 : 2, i * 160 + (i < 5 ? 0 : 777), MEDIA_PCMU, p, sizeof p);
	}
	line_flush(&line, 200000);
	assert_int_equal(got.n, 1600);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(frame(i), i);
}

static void a_flood_does_not_outrun_the_clock(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 0; i < 5000; i++)
		put(i & 0x7f, i * 160, i / 50); /* a hundred seconds of sound in a tenth of one */
	line_flush(&line, 100000);
	assert_true(got.n <= 8 * 700);
	assert_true(line.late > 4000);
}

static void the_other_law_is_converted(void **state)
{
	(void)state;
	begin();
	uint8_t p[MEDIA_FRAME];
	memset(p, g711_encode_alaw(5000), sizeof p);
	line_put(&line, 0, 1, 0, MEDIA_PCMA, p, sizeof p);
	line_flush(&line, 20000);
	assert_in_range(g711_table(MEDIA_PCMU)[got.p[0]], 4700, 5300);
}

UT_MAIN(UT(in_order), UT(what_is_missing_is_silence), UT(too_late_is_not_used), UT(drift_neither_cuts_nor_stretches), UT(long_gap_keeps_its_length),
	UT(the_clock_goes_on_when_nothing_comes), UT(stamps_that_leap_are_not_believed), UT(a_new_source_goes_on_at_once),
	UT(a_flood_does_not_outrun_the_clock), UT(the_other_law_is_converted))
