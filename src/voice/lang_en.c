/* SPDX-License-Identifier: Apache-2.0 */
/* lang_en.c  English: "two thousand forty two", "one new message", "June second at three oh five p m". Its words are single, so that a
 * sequence can also be spoken by recordings that hold no more than these.                                                */
#include "voice/lang.h"
#include "voice/prompt_private.h"
#include "voice/say.h"

/* One prompt for the whole number sounds better; but people who recorded prompts spoke only its parts. */
static bool as_parts(const struct say_seq *q, unsigned n)
{
	char name[SAY_NAME];
	if (n <= 20 || n % 10 == 0)
		return false;
	text_print(name, sizeof name, "digits/%u", n);
	return prompt_has_recordings(q->set) && !prompt_recorded(q->set, name);
}

static void below_100(struct say_seq *q, unsigned n)
{
	if (as_parts(q, n)) {
		lang_print(q, "digits/%u", n - n % 10);
		lang_print(q, "digits/%u", n % 10);
	} else {
		lang_print(q, "digits/%u", n);
	}
}

static void below_1000(struct say_seq *q, unsigned n)
{
	if (n >= 100) {
		lang_print(q, "digits/%u", n / 100);
		say_prompt(q, "digits/hundred");
	}
	if (n % 100 || !n)
		below_100(q, n % 100);
}

static void number(struct say_seq *q, uint32_t n, enum lang_gender g)
{
	static const struct {
		uint32_t unit;
		const char *word;
	} groups[] = { { 1000000, "digits/million" }, { 1000, "digits/thousand" } };
	(void)g;
	bool said = false;
	for (unsigned i = 0; i < 2; i++) {
		if (n < groups[i].unit)
			continue;
		below_1000(q, n / groups[i].unit);
		say_prompt(q, groups[i].word);
		n %= groups[i].unit;
		said = true;
	}
	if (n || !said)
		below_1000(q, n);
}

static void ordinal(struct say_seq *q, unsigned n)
{
	if (as_parts(q, n)) {
		lang_print(q, "digits/%u", n - n % 10);
		lang_print(q, "digits/h-%u", n % 10);
	} else {
		lang_print(q, "digits/h-%u", n);
	}
}

static void count(struct say_seq *q, uint32_t n, const char *adjective, const char *singular, const char *plural)
{
	if (n)
		number(q, n, LANG_ALONE);
	else
		say_prompt(q, "no");
	if (adjective)
		say_prompt(q, adjective);
	say_prompt(q, n == 1 ? singular : plural);
}

static void no_time(struct say_seq *q)
{
	number(q, 0, LANG_ALONE);
	say_prompt(q, "seconds");
}

static void clock_time(struct say_seq *q, const struct tm *tm)
{
	unsigned hour = (unsigned)tm->tm_hour, minute = (unsigned)tm->tm_min;
	number(q, q->hours == 24 ? hour : hour % 12 ? hour % 12 : 12, LANG_ALONE);
	if (minute && minute < 10)
		say_prompt(q, "digits/oh");
	if (minute)
		number(q, minute, LANG_ALONE);
	else
		say_prompt(q, "digits/oclock");
	if (q->hours != 24)
		say_prompt(q, hour < 12 ? "digits/a-m" : "digits/p-m");
}

static void day(struct say_seq *q, const struct tm *tm)
{
	lang_print(q, "digits/mon-%u", (unsigned)tm->tm_mon);
	ordinal(q, (unsigned)tm->tm_mday);
}

static void date(struct say_seq *q, const struct tm *tm)
{
	lang_print(q, "digits/day-%u", (unsigned)tm->tm_wday);
	day(q, tm);
}

static void when(struct say_seq *q, const struct tm *tm, int64_t days_ago)
{
	if (days_ago == 0)
		say_prompt(q, "digits/today");
	else if (days_ago == 1)
		say_prompt(q, "digits/yesterday");
	else if (days_ago > 1 && days_ago < 7)
		lang_print(q, "digits/day-%u", (unsigned)tm->tm_wday);
	else
		day(q, tm);
	say_prompt(q, "digits/at");
	clock_time(q, tm);
}

const struct lang lang_en = { "en", 12, number, count, no_time, clock_time, date, when };
