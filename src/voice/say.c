/* SPDX-License-Identifier: Apache-2.0 */
/* say.c  Sequences of clips; numbers, dates and times by the rules of the set's language. */
#include "voice/say.h"
#include <errno.h>
#include <time.h>
#include "base/mem.h"
#include "config/zone.h"
#include "voice/lang.h"
#include "voice/prompt_private.h"
#include "voice_events.h"

enum { PAUSE_MAX = 5000, DAY_S = 86400 };

void say_begin(struct say_seq *q, const struct prompt_set *set)
{
	q->set = set;
	q->n = 0;
	q->err = 0;
	q->missing[0] = 0;
	q->zone = NULL;
	q->hours = 0;
}

void say_zone(struct say_seq *q, const struct zone *zone, unsigned hours)
{
	q->zone = zone;
	q->hours = hours;
}

void say_clear(struct say_seq *q)
{
	for (unsigned i = 0; i < q->n; i++) {
		mem_unref(q->clip[i]);
		mem_unref(q->recorded[i]);
	}
	q->n = 0;
	q->err = 0;
}

int say_error(const struct say_seq *q, struct ev_report *why)
{
	if (q->err == ENOENT)
		return prompt_check(q->set, q->missing, why);
	return q->err;
}

struct media_clip *const *say_clips(const struct say_seq *q)
{
	for (unsigned i = 0; i < q->n; i++)
		if (!q->recorded[i])
			return q->clip;
	return q->recorded;
}

uint32_t say_ms(const struct say_seq *q)
{
	struct media_clip *const *c = say_clips(q);
	uint64_t samples = 0;
	for (unsigned i = 0; i < q->n; i++)
		samples += media_clip_samples(c[i]);
	samples /= MEDIA_RATE / 1000;
	return samples > UINT32_MAX ? UINT32_MAX : (uint32_t)samples;
}

/* Both are referenced; recorded may be NULL. */
static void add(struct say_seq *q, struct media_clip *clip, struct media_clip *recorded)
{
	if (q->n == SAY_MAX) {
		q->err = q->err ? q->err : E2BIG;
		return;
	}
	q->clip[q->n] = mem_ref(clip);
	q->recorded[q->n++] = mem_ref(recorded);
}

void say_prompt(struct say_seq *q, const char *name)
{
	struct media_clip *c = prompt_clip(q->set, name);
	if (c) {
		add(q, c, prompt_recorded(q->set, name));
	} else if (!q->err) {
		q->err = ENOENT;
		text_fill(q->missing, sizeof q->missing, name);
	}
}

void say_clip(struct say_seq *q, struct media_clip *clip)
{
	if (clip)
		add(q, clip, clip);
}

void say_pause(struct say_seq *q, unsigned ms)
{
	struct media_clip *c;
	if (!ms)
		return;
	int err = media_clip_silence(&c, ms > PAUSE_MAX ? PAUSE_MAX : ms);
	if (err) {
		q->err = q->err ? q->err : err;
		return;
	}
	add(q, c, c);
	mem_unref(c);
}

void say_beep(struct say_seq *q)
{
	struct media_clip *c = prompt_clip(q->set, "beep");
	if (c)
		add(q, c, c); /* a tone has no voice */
	else
		say_prompt(q, "beep");
}

/* ---- numbers ---- */
void say_number_as(struct say_seq *q, uint32_t n, enum lang_gender g)
{
	char digits[16];
	if (n <= LANG_NUMBER_MAX) {
		prompt_set_lang(q->set)->number(q, n, g);
		return;
	}
	text_print(digits, sizeof digits, "%u", n);
	say_digits(q, text_of(digits));
}

void say_number(struct say_seq *q, uint32_t n)
{
	say_number_as(q, n, LANG_ALONE);
}

void say_digits(struct say_seq *q, struct text digits)
{
	for (size_t i = 0; i < digits.n; i++) {
		char c = text_lower(digits.p[i]);
		if (c >= '0' && c <= '9')
			lang_print(q, "digits/%u", (unsigned)(c - '0'));
		else if (c >= 'a' && c <= 'z')
			say_letters(q, text_make(&c, 1));
		else if (c == '*' || c == '#' || c == '+')
			say_prompt(q, c == '*' ? "digits/star" : c == '#' ? "digits/pound" : "letters/plus");
	}
}

void say_letters(struct say_seq *q, struct text word)
{
	for (size_t i = 0; i < word.n; i++) {
		char c = text_lower(word.p[i]), name[] = "letters/?";
		if (c >= 'a' && c <= 'z') {
			name[sizeof name - 2] = c;
			say_prompt(q, name);
		} else if (c >= '0' && c <= '9') {
			lang_print(q, "digits/%u", (unsigned)(c - '0'));
		}
	}
}

void say_count(struct say_seq *q, uint32_t n, const char *adjective, const char *singular, const char *plural)
{
	prompt_set_lang(q->set)->count(q, n > LANG_NUMBER_MAX ? LANG_NUMBER_MAX : n, adjective, singular, plural);
}

/* ---- time ---- */
void say_clock_time(struct say_seq *q, unsigned minute)
{
	struct tm tm = { .tm_hour = (int)(minute / 60 % 24), .tm_min = (int)(minute % 60) };
	prompt_set_lang(q->set)->clock(q, &tm);
}

/* A moment on the clock of the sequence's zone. */
static bool local(const struct say_seq *q, int64_t when_s, struct tm *tm)
{
	time_t t = (time_t)when_s;
	if (!q->zone)
		return localtime_r(&t, tm) != NULL;
	t += zone_offset_s(q->zone, when_s);
	return gmtime_r(&t, tm) != NULL;
}

void say_time(struct say_seq *q, int64_t when_s)
{
	struct tm tm;
	if (local(q, when_s, &tm))
		prompt_set_lang(q->set)->clock(q, &tm);
}

void say_date(struct say_seq *q, int64_t when_s)
{
	struct tm tm;
	if (local(q, when_s, &tm))
		prompt_set_lang(q->set)->date(q, &tm);
}

/* Days since 1970 of a local date, so that "yesterday" holds also across a change of summer time. */
static int64_t day_number(struct tm tm)
{
	tm.tm_hour = 12;
	tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = 0;
	return timegm(&tm) / DAY_S;
}

void say_when(struct say_seq *q, int64_t when_s, int64_t now_s)
{
	struct tm tm, now;
	if (!local(q, when_s, &tm) || !local(q, now_s, &now))
		return;
	prompt_set_lang(q->set)->when(q, &tm, day_number(now) - day_number(tm));
}

void say_duration(struct say_seq *q, uint32_t ms)
{
	uint32_t s = ms / 1000 + (ms % 1000 >= 500), h = s / 3600, m = s / 60 % 60;
	s %= 60;
	if (h)
		say_count(q, h, NULL, "hour", "hours");
	if (m)
		say_count(q, m, NULL, "minute", "minutes");
	if ((h || m) && s)
		say_prompt(q, "and");
	if (s)
		say_count(q, s, NULL, "second", "seconds");
	if (!h && !m && !s)
		prompt_set_lang(q->set)->no_time(q);
}
