/* SPDX-License-Identifier: Apache-2.0 */
/* ear_test.c  What the test caller takes for a sound that it waits for, and what not. */
#include "ut.h"
#include <math.h>
#include <string.h>
#include "audio.h"
#include "base/mem.h"
#include "cli/calltest_audio.h"

enum { RATE = MEDIA_RATE, LONG = 3 * RATE };

static struct ear ear;
static int16_t sound[LONG], other[LONG];
static const int16_t quiet[RATE];

static void begin(void)
{
	ear_init(&ear);
	audio_make(sound, LONG, 1);
	for (size_t i = 0; i < LONG; i++) /* backwards: the same sweep would be too much alike */
		other[i] = sound[LONG - 1 - i];
}

static void hear(const int16_t *p, size_t n)
{
	assert_int_equal(ear.sink.append(&ear.sink, p, n * 2), 0);
}

static bool look(size_t from, const int16_t *what, size_t n, size_t *at, double *like, unsigned *gaps_ms)
{
	struct match_sound s;
	struct match_found f = { 0 };
	int16_t *copy = mem_zalloc(n, sizeof *copy);
	assert_non_null(copy);
	memcpy(copy, what, n * sizeof *copy);
	match_prepare(&s, copy, n);
	bool is_there = ear_heard(&ear, from, &s, &f);
	match_free(&s);
	*at = f.at;
	*like = f.likeness;
	*gaps_ms = f.gaps_ms;
	return is_there;
}

static bool found(size_t from, const int16_t *what, size_t n, size_t at, double likeness)
{
	size_t where;
	double like;
	unsigned gaps_ms;
	if (!look(from, what, n, &where, &like, &gaps_ms))
		return false;
	assert_in_range(where, at > RATE / 4 ? at - RATE / 4 : 0, at + RATE / 4);
	assert_true(like >= likeness);
	return true;
}

static void a_sound_is_found_where_it_began(void **state)
{
	(void)state;
	begin();
	hear(other, LONG);
	hear(quiet, 700);
	hear(sound, LONG);
	size_t at = 0;
	double like = 0;
	unsigned gaps_ms;
	assert_true(look(0, sound, LONG, &at, &like, &gaps_ms));
	assert_int_equal(gaps_ms, 0);
	assert_int_equal(at, LONG + 700);
	assert_true(like > 0.999);
	assert_true(found(LONG, sound, LONG, LONG + 700, 0.999));
	assert_false(found(LONG + 701, sound, LONG, 0, 0)); /* it began before */
	ear_free(&ear);
}

static void gaps_do_not_hide_it(void **state)
{
	(void)state;
	begin();
	hear(other, RATE);
	hear(sound, RATE);
	hear(quiet, 6 * MEDIA_FRAME); /* frames that a thread gave up */
	hear(sound + RATE, RATE);
	hear(sound + 2 * RATE + 3 * MEDIA_FRAME, RATE - 3 * MEDIA_FRAME); /* and some that were lost */
	hear(quiet, RATE);
	assert_true(found(0, sound, LONG, RATE, 0.8));
	ear_free(&ear);
}

/* Wherever the gap is, in whatever the sound is looked for by, and at its ends. */
static void no_place_of_a_gap_hides_it(void **state)
{
	(void)state;
	for (size_t cut = MEDIA_FRAME; cut < LONG; cut += 5 * MEDIA_FRAME) {
		begin();
		hear(quiet, 300);
		hear(sound, cut);
		hear(quiet, 7 * MEDIA_FRAME);
		hear(sound + cut, LONG - cut);
		hear(quiet, RATE / 10);
		size_t at;
		double like;
		unsigned gaps_ms;
		assert_true(look(0, sound, LONG, &at, &like, &gaps_ms));
		if (gaps_ms) /* otherwise what is on one side of it is like enough */
			assert_int_equal(gaps_ms, 140);
		ear_free(&ear);
	}
}

/* A thread that gives up five frames is late again soon. */
static void many_gaps_do_not_hide_it(void **state)
{
	(void)state;
	begin();
	hear(quiet, 77);
	for (size_t i = 0, n; i < LONG; i += n) {
		n = i < RATE ? 7 * MEDIA_FRAME + 33 : RATE;
		n = n < LONG - i ? n : LONG - i;
		hear(sound + i, n);
		hear(quiet, 5 * MEDIA_FRAME);
	}
	size_t at;
	double like;
	unsigned gaps_ms;
	assert_true(look(0, sound, LONG, &at, &like, &gaps_ms));
	assert_in_range(gaps_ms, 400, 1000);
	ear_free(&ear);
}

static void a_torn_tone_is_one_tone(void **state)
{
	enum { TONE = 15 * MEDIA_FRAME };
	static int16_t tone[TONE];
	(void)state;
	for (size_t i = 0; i < TONE; i++)
		tone[i] = (int16_t)lrint(7000 * sin((double)i * 2 * M_PI * 1000 / RATE));
	for (size_t cut = 2; cut < 14; cut++) {
		begin();
		hear(quiet, RATE / 2);
		hear(tone, cut * MEDIA_FRAME);
		hear(quiet, 6 * MEDIA_FRAME);
		hear(tone + cut * MEDIA_FRAME, TONE - cut * MEDIA_FRAME);
		hear(quiet, RATE / 2);
		assert_true(found(0, tone, TONE, RATE / 2, 0.8));
		assert_false(found(RATE / 2 + TONE, tone, TONE, 0, 0));
		ear_free(&ear);
	}
	begin();
	hear(quiet, RATE / 2);
	hear(tone, 7 * MEDIA_FRAME); /* half a tone is none */
	hear(quiet, RATE);
	assert_false(found(0, tone, TONE, 0, 0));
	ear_free(&ear);
}

/* What was heard of it so far is looked at again when the rest has come. */
static void it_is_found_while_it_is_being_heard(void **state)
{
	(void)state;
	static int16_t line[LONG * 2 + RATE];
	begin();
	memcpy(line, other, sizeof other);
	memcpy(line + LONG, sound, sizeof sound / 2);
	memcpy(line + LONG + LONG / 2 + 5 * MEDIA_FRAME, sound + LONG / 2, sizeof sound / 2);
	size_t from = 0, n = sizeof line / 2, at = 0;
	double like;
	unsigned gaps_ms;
	bool heard = false;
	for (size_t i = 0; i < n && !heard; i += 500) {
		hear(line + i, n - i < 500 ? n - i : 500);
		heard = look(from, sound, LONG, &at, &like, &gaps_ms);
		assert_true(at >= from && at <= i + 500);
		from = at;
	}
	assert_true(heard);
	assert_in_range(at, LONG - RATE / 4, LONG + RATE / 4);
	ear_free(&ear);
}

static void what_only_begins_or_ends_alike_is_another(void **state)
{
	(void)state;
	begin();
	hear(sound, LONG / 2);
	hear(other, LONG / 2);
	hear(other, LONG / 2);
	hear(sound + LONG / 2, LONG / 2);
	hear(quiet, RATE);
	assert_false(found(0, sound, LONG, 0, 0));
	assert_false(found(0, other, LONG, 0, 0));
	ear_free(&ear);
}

static void silence_is_no_sound(void **state)
{
	(void)state;
	begin();
	hear(quiet, RATE);
	assert_false(found(0, sound, LONG, 0, 0));
	assert_false(found(0, quiet, RATE / 2, 0, 0));
	assert_false(found(5 * RATE, sound, LONG, 0, 0));
	ear_free(&ear);
}

UT_MAIN(UT(a_sound_is_found_where_it_began), UT(gaps_do_not_hide_it), UT(no_place_of_a_gap_hides_it), UT(many_gaps_do_not_hide_it), UT(a_torn_tone_is_one_tone),
        UT(it_is_found_while_it_is_being_heard), UT(what_only_begins_or_ends_alike_is_another),
        UT(silence_is_no_sound))
