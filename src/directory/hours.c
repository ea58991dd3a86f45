/* SPDX-License-Identifier: Apache-2.0 */
/* hours.c  Opening hours at a moment, on the clock of their zone. */
#include "directory/hours.h"
#include <stdlib.h>

enum { CHANGE_DAYS = 400, MARKS = 300 };

const char *hours_state_name(enum hours_state s)
{
	static const char *const names[] = { "open", "closed", "holiday" };
	return (unsigned)s < 3 ? names[s] : "?";
}

static bool leap(int32_t y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

/* Minutes since 1970 of a date in a year; false: that year has no such day. */
static bool minute_of(const struct cfg_date *d, int32_t year, bool end, int64_t *min)
{
	int32_t day = d->day;
	if (d->month == 2 && day == 29 && !leap(year)) {
		if (!end)
			return false;
		day = 28;
	}
	*min = zone_day_of(year, d->month, day) * CFG_DAY_MIN + (d->minute >= 0 ? d->minute : end ? CFG_DAY_MIN : 0);
	return true;
}

/* The holiday as it begins in that year. */
static bool span_in(const struct cfg_holiday *h, int32_t year, int64_t *from, int64_t *to)
{
	struct cfg_date last = h->to.month ? h->to : (struct cfg_date){ h->from.year, h->from.month, h->from.day, -1 };
	int32_t ends = h->from.year ? last.year : year;
	if (!minute_of(&h->from, year, false, from) || !minute_of(&last, ends, true, to))
		return false;
	if (!h->from.year && *to <= *from && !minute_of(&last, year + 1, true, to))
		return false;
	return *to > *from;
}

/* A yearly one that goes over the end of the year may have begun in the last. */
static bool on_holiday(const struct cfg_holiday *h, int64_t min)
{
	int64_t from, to;
	int64_t day = min >= 0 ? min / CFG_DAY_MIN : -((-min + CFG_DAY_MIN - 1) / CFG_DAY_MIN);
	int32_t year = h->from.year ? h->from.year : zone_date_of(day).year;
	if (span_in(h, year, &from, &to) && min >= from && min < to)
		return true;
	return !h->from.year && span_in(h, year - 1, &from, &to) && min >= from && min < to;
}

static const struct cfg_period *in_period(const struct cfg_schedule *s, int64_t day, int32_t min)
{
	int today = zone_weekday(day), yesterday = (today + 6) % 7;
	for (size_t i = 0; i < s->n_hours; i++) {
		const struct cfg_period *p = &s->hours[i];
		if (p->day == today && min >= p->from_min && min < p->to_min)
			return p;
		if (p->day == yesterday && p->to_min > CFG_DAY_MIN && min < p->to_min - CFG_DAY_MIN)
			return p;
	}
	return NULL;
}

void hours_at(const struct cfg_schedule *s, int64_t utc_s, struct hours_now *now)
{
	*now = (struct hours_now){ .state = HOURS_OPEN, .holiday_name = "" };
	if (!s || !s->zone)
		return;
	now->local = zone_local(s->zone, utc_s);
	int64_t min = now->local.day * CFG_DAY_MIN + now->local.second / 60;
	for (size_t i = 0; i < s->n_holidays && !now->holiday; i++)
		if (on_holiday(&s->holidays[i], min))
			now->holiday = &s->holidays[i];
	for (size_t i = 0; i < s->n_days && !now->holiday && !now->day && s->days[i].from_min <= min; i++)
		if (min < s->days[i].to_min)
			now->day = &s->days[i];
	if (now->holiday || now->day) {
		now->state = HOURS_HOLIDAY;
		now->holiday_name = now->holiday ? now->holiday->name : now->day->name;
		return;
	}
	now->period = in_period(s, now->local.day, now->local.second / 60);
	now->state = now->period ? HOURS_OPEN : HOURS_CLOSED;
}

/* ---- the next change ---- */

struct marks {
	int32_t v[MARKS];
	size_t n;
};

static void mark(struct marks *m, int64_t min)
{
	if (min < 0 || min > CFG_DAY_MIN || m->n == MARKS)
		return;
	m->v[m->n++] = (int32_t)min;
}

static int by_size(const void *a, const void *b)
{
	const int32_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Every minute of a day at which anything may begin or end, ascending. */
static void marks_of(const struct cfg_schedule *s, int64_t day, struct marks *m)
{
	int64_t from, to, base = day * CFG_DAY_MIN;
	int32_t year = zone_date_of(day).year;
	int today = zone_weekday(day), yesterday = (today + 6) % 7;
	m->n = 0;
	mark(m, 0);
	for (size_t i = 0; i < s->n_hours; i++) {
		const struct cfg_period *p = &s->hours[i];
		if (p->day == today) {
			mark(m, p->from_min);
			mark(m, p->to_min);
		} else if (p->day == yesterday) {
			mark(m, p->to_min - CFG_DAY_MIN);
		}
	}
	for (size_t i = 0; i < s->n_holidays; i++) {
		int32_t only = s->holidays[i].from.year; /* it may be over in another year than it began */
		for (int32_t y = only ? only : year - 1; y <= (only ? only : year); y++)
			if (span_in(&s->holidays[i], y, &from, &to)) {
				mark(m, from - base);
				mark(m, to - base);
			}
	}
	for (size_t i = 0; i < s->n_days && s->days[i].from_min <= base + CFG_DAY_MIN; i++) {
		mark(m, s->days[i].from_min - base);
		mark(m, s->days[i].to_min - base);
	}
	qsort(m->v, m->n, sizeof m->v[0], by_size);
}

static bool another(const struct cfg_schedule *s, const struct hours_now *now, int64_t utc_s)
{
	struct hours_now then;
	hours_at(s, utc_s, &then);
	return then.state != now->state || then.holiday != now->holiday || then.day != now->day;
}

int64_t hours_change(const struct cfg_schedule *s, int64_t utc_s)
{
	struct hours_now now;
	struct marks m;
	hours_at(s, utc_s, &now);
	for (int64_t d = 0; s && s->zone && d < CHANGE_DAYS; d++) {
		int64_t begin = zone_utc(s->zone, now.local.day + d, 0), end = zone_utc(s->zone, now.local.day + d + 1, 0);
		if (end - begin != CFG_DAY_MIN * 60) { /* the clocks change: the same time may come twice, so every minute is looked at */
			for (int64_t at = begin; at <= end; at += 60)
				if (at > utc_s && another(s, &now, at))
					return at;
			continue;
		}
		marks_of(s, now.local.day + d, &m);
		for (size_t i = 0; i < m.n; i++)
			if (begin + m.v[i] * 60 > utc_s && another(s, &now, begin + m.v[i] * 60))
				return begin + m.v[i] * 60;
	}
	return 0;
}

/* ---- reading aloud ---- */

static bool same_periods(const struct cfg_period *a, size_t na, const struct cfg_period *b, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++)
		if (a[i].from_min != b[i].from_min || a[i].to_min != b[i].to_min)
			return false;
	return true;
}

size_t hours_groups(const struct cfg_schedule *s, struct hours_group out[7])
{
	size_t n = 0, at = 0;
	for (int day = 0; day < 7; day++) {
		size_t from = at;
		while (at < s->n_hours && s->hours[at].day == day) /* they stand in the order of the week */
			at++;
		if (at == from)
			continue;
		if (n && out[n - 1].last_day == day - 1 && same_periods(out[n - 1].v, out[n - 1].n, &s->hours[from], at - from))
			out[n - 1].last_day = day;
		else
			out[n++] = (struct hours_group){ day, day, &s->hours[from], at - from };
	}
	return n;
}
