/* SPDX-License-Identifier: Apache-2.0 */
/* lang.c  What languages share. */
#include "voice/lang.h"
#include <string.h>
#include "voice/say.h"

const struct lang *lang_find(const char *tag)
{
	static const struct lang *const all[] = { &lang_en, &lang_de, &lang_fr, &lang_es, &lang_it, &lang_nl };
	struct text primary = text_head(text_of(tag), strcspn(tag, "-_"));
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		if (text_is_nocase(primary, all[i]->code))
			return all[i];
	return &lang_en;
}

void lang_print(struct say_seq *q, const char *fmt, unsigned n)
{
	char name[SAY_NAME];
	text_print(name, sizeof name, fmt, n);
	say_prompt(q, name);
}

void lang_groups(struct say_seq *q, uint32_t n, enum lang_gender g, lang_part_h *thousands, lang_part_h *below)
{
	unsigned millions = n / 1000000, k = n / 1000 % 1000, rest = n % 1000;
	if (millions == 1) {
		say_prompt(q, "digits/million");
	} else if (millions) {
		below(q, millions, LANG_MASCULINE);
		say_prompt(q, "digits/millions");
	}
	if (k)
		thousands(q, k, g);
	if (rest || !n)
		below(q, rest, g);
}

void lang_count(struct say_seq *q, uint32_t n, enum lang_gender g, const char *adjective, const char *singular)
{
	char name[SAY_NAME];
	const char *form = n == 0 ? "none" : n == 1 ? "one" : "other";
	if (n > 1)
		say_number_as(q, n, g);
	text_print(name, sizeof name, "counted/%s%s%s/%s", adjective ? adjective : "", adjective ? "-" : "", singular, form);
	say_prompt(q, name);
}

void lang_plain_count(struct say_seq *q, uint32_t n, const char *adjective, const char *singular, const char *plural)
{
	(void)plural;
	lang_count(q, n, LANG_ALONE, adjective, singular);
}

void lang_plain_below_1000(struct say_seq *q, unsigned n, enum lang_gender g)
{
	(void)g;
	if (n >= 200)
		lang_print(q, "digits/%u", n / 100);
	if (n >= 100)
		say_prompt(q, "digits/hundred");
	if (n % 100 || !n)
		lang_print(q, "digits/%u", n % 100);
}

void lang_no_time(struct say_seq *q)
{
	say_prompt(q, "counted/second/none");
}

static const char *day_part(int hour)
{
	static const struct {
		int until;
		const char *name;
	} parts[] = { { 1, "day-part/midnight" }, { 5, "day-part/night" }, { 12, "day-part/morning" }, { 13, "day-part/noon" },
		      { 18, "day-part/afternoon" }, { 20, "day-part/early-evening" }, { 22, "day-part/evening" } };
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (hour < parts[i].until)
			return parts[i].name;
	return "day-part/late";
}

/* "fünfzehn Uhr zehn", or "drei Uhr zehn nachmittags". */
static void hour_and_minutes(struct say_seq *q, const char *fmt, const struct tm *tm)
{
	bool twelve = q->hours == 12;
	lang_print(q, fmt, (unsigned)(!twelve ? tm->tm_hour : tm->tm_hour % 12 ? tm->tm_hour % 12 : 12));
	if (tm->tm_min)
		lang_print(q, "minutes/%u", (unsigned)tm->tm_min);
	if (twelve)
		say_prompt(q, day_part(tm->tm_hour));
}

void lang_clock(struct say_seq *q, const struct tm *tm)
{
	hour_and_minutes(q, "hours/%u", tm);
}

void lang_date(struct say_seq *q, const struct tm *tm)
{
	lang_print(q, "digits/day-%u", (unsigned)tm->tm_wday);
	lang_print(q, "days/%u", (unsigned)tm->tm_mday);
	lang_print(q, "digits/mon-%u", (unsigned)tm->tm_mon);
}

void lang_when(struct say_seq *q, const struct tm *tm, int64_t days_ago)
{
	if (days_ago == 0) {
		say_prompt(q, "digits/today");
	} else if (days_ago == 1) {
		say_prompt(q, "digits/yesterday");
	} else if (days_ago > 1 && days_ago < 7) {
		lang_print(q, "on-day-%u", (unsigned)tm->tm_wday);
	} else {
		lang_print(q, "on-days/%u", (unsigned)tm->tm_mday);
		lang_print(q, "digits/mon-%u", (unsigned)tm->tm_mon);
	}
	hour_and_minutes(q, "at-hours/%u", tm);
}
