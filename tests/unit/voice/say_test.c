/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "voice/say.h"
#include "voice_events.h"

static struct prompt_set *set;
static struct say_seq q;

static int open_set(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return prompt_set_open(&set, &(struct prompt_set_prm){ 0 }, NULL);
}

static int close_set(void **state)
{
	(void)state;
	prompt_set_close(set);
	return 0;
}

/* The words of the sequence, found back by the clips' identity. */
static const char *words(void)
{
	static char text[2048];
	size_t n = 0;
	text[0] = 0;
	for (unsigned i = 0; i < q.n; i++)
		for (unsigned k = 0; k < prompt_count(set); k++)
			if (prompt_clip(set, prompt_name(set, k)) == q.clip[i])
				n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", prompt_text(set, prompt_name(set, k)));
	assert_int_equal(say_error(&q, NULL), 0);
	say_clear(&q);
	return text;
}

static void numbers(void **state)
{
	(void)state;
	static const struct {
		uint32_t n;
		const char *words;
	} rows[] = { { 0, "zero" }, { 7, "seven" }, { 13, "thirteen" }, { 42, "forty two" }, { 100, "one hundred" },
		{ 115, "one hundred fifteen" }, { 1000, "one thousand" }, { 2042, "two thousand forty two" },
		{ 999999, "nine hundred ninety nine thousand nine hundred ninety nine" }, { 1000001, "one million one" },
		{ 20000300, "twenty million three hundred" }, { 1000000000, "one zero zero zero zero zero zero zero zero zero" } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		say_begin(&q, set);
		say_number(&q, rows[i].n);
		assert_string_equal(words(), rows[i].words);
	}
	for (uint32_t n = 0; n < 1200; n++) {
		say_begin(&q, set);
		say_number(&q, n);
		assert_int_equal(say_error(&q, NULL), 0);
		say_clear(&q);
	}
}

static void digits_and_counts(void **state)
{
	(void)state;
	say_begin(&q, set);
	say_digits(&q, TEXT("+4 2-3*#b"));
	assert_string_equal(words(), "plus four two three star pound B");
	say_begin(&q, set);
	say_count(&q, 0, "new", "message", "messages");
	assert_string_equal(words(), "no new messages");
	say_begin(&q, set);
	say_count(&q, 1, NULL, "message", "messages");
	assert_string_equal(words(), "one message");
	say_begin(&q, set);
	say_count(&q, 21, "saved", "message", "messages");
	assert_string_equal(words(), "twenty one saved messages");
}

static void times(void **state)
{
	(void)state;
	const int64_t now = 1781449200; /* Sunday 2026-06-14 15:00:00 UTC */
	static const struct {
		int64_t ago;
		const char *words;
	} rows[] = { { 0, "today at three o'clock P M" }, { 55 * 60, "today at two oh five P M" }, { 15 * 3600, "today at twelve o'clock A M" },
		{ 15 * 3600 + 1, "yesterday at eleven fifty nine P M" }, { 2 * 86400 + 3 * 3600, "Friday at twelve o'clock P M" },
		{ 6 * 86400, "Monday at three o'clock P M" }, { 7 * 86400, "June seventh at three o'clock P M" },
		{ -86400, "June fifteenth at three o'clock P M" } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		say_begin(&q, set);
		say_when(&q, now - rows[i].ago, now);
		assert_string_equal(words(), rows[i].words);
	}
	say_begin(&q, set);
	say_date(&q, now);
	assert_string_equal(words(), "Sunday June fourteenth");
}

static void yesterday_holds_across_summer_time(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	say_begin(&q, set); /* clocks went forward on 2026-03-29; 23:30 before it, asked 22 hours later at 22:30 */
	say_when(&q, 1774737000, 1774737000 + 22 * 3600);
	const char *w = words();
	setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(w, "yesterday at eleven thirty P M");
}

static void durations(void **state)
{
	(void)state;
	static const struct {
		uint32_t ms;
		const char *words;
	} rows[] = { { 0, "zero seconds" }, { 1400, "one second" }, { 59600, "one minute" }, { 130000, "two minutes and ten seconds" },
		{ 3661000, "one hour one minute and one second" } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		say_begin(&q, set);
		say_duration(&q, rows[i].ms);
		assert_string_equal(words(), rows[i].words);
	}
}

static void errors_stick_and_name_the_prompt(void **state)
{
	(void)state;
	struct ev_report why;
	say_begin(&q, set);
	say_prompt(&q, "no-such");
	say_prompt(&q, "nor-this");
	say_prompt(&q, "goodbye");
	assert_int_equal(q.n, 1);
	assert_int_equal(say_error(&q, &why), ENOENT);
	assert_int_equal(why.id, EV_VOICE_PROMPT_MISSING);
	assert_true(text_is(ev_field_text(&why, "prompt"), "no-such"));
	say_clear(&q);
	say_begin(&q, set);
	for (unsigned i = 0; i < SAY_MAX + 1; i++)
		say_beep(&q);
	assert_int_equal(say_error(&q, NULL), E2BIG);
	say_clear(&q);
	say_begin(&q, set);
	say_pause(&q, 200);
	say_clip(&q, NULL);
	say_beep(&q);
	assert_int_equal(say_ms(&q), 500);
	say_clear(&q);
}

/* Recordings: used when all of a sequence was recorded, else not at all. */
static void one_voice_a_sentence(void **state)
{
	(void)state;
	struct prompt_set *mixed;
	const char *dir = "/usr/share/asterisk/sounds/en_US_f_Allison";
	assert_int_equal(prompt_set_open(&mixed, &(struct prompt_set_prm){ .wav_dir = dir }, NULL), 0);
	say_begin(&q, mixed);
	say_prompt(&q, "you-have");
	say_number(&q, 42); /* of parts, for nobody recorded the whole */
	say_prompt(&q, "messages");
	bool recorded = say_clips(&q) == q.recorded;
	if (!recorded) {
		say_clear(&q);
		prompt_set_close(mixed);
		skip(); /* the package is not installed */
	}
	assert_int_equal(q.n, 4);
	say_prompt(&q, "answer-saved"); /* only the default voice says this */
	assert_ptr_equal(say_clips(&q), q.clip);
	say_clear(&q);
	prompt_set_close(mixed);
}

int main(void)
{
	const struct CMUnitTest tests[] = { UT(numbers), UT(digits_and_counts), UT(times), UT(yesterday_holds_across_summer_time), UT(durations),
		UT(errors_stick_and_name_the_prompt), UT(one_voice_a_sentence) };
	return cmocka_run_group_tests(tests, open_set, close_set);
}
