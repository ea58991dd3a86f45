/* SPDX-License-Identifier: Apache-2.0 */
/* ear_test.c  What the test caller takes for a sound that it waits for, and what not. */
#include "ut.h"
#include <string.h>
#include "audio.h"
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

static bool found(size_t from, const int16_t *what, size_t n, size_t at, double likeness)
{
	size_t where = 0;
	double like = 0;
	if (!ear_heard(&ear, from, what, n, &where, &like))
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
	assert_true(ear_heard(&ear, 0, sound, LONG, &at, &like));
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
	bool heard = false;
	for (size_t i = 0; i < n && !heard; i += 500) {
		hear(line + i, n - i < 500 ? n - i : 500);
		heard = ear_heard(&ear, from, sound, LONG, &at, &like);
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

UT_MAIN(UT(a_sound_is_found_where_it_began), UT(gaps_do_not_hide_it), UT(it_is_found_while_it_is_being_heard), UT(what_only_begins_or_ends_alike_is_another),
        UT(silence_is_no_sound))
