/* SPDX-License-Identifier: Apache-2.0 */
/* report_time.c  From when until when, as people say it. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include "base/rfc3339.h"
#include "records/report.h"

enum { DAYS_BACK_MAX = 36500 };

/* Midnight at which a day begins, so many days from it; where the clocks are set at midnight, the first moment of that day. */
static int64_t midnight_us(struct tm tm, int days)
{
	tm.tm_mday += days;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * 1000000;
}

static int day_of(struct text when, int64_t now_us, struct tm *tm)
{
	time_t now = (time_t)(now_us / 1000000);
	uint32_t back = 0;
	if (!localtime_r(&now, tm))
		return EINVAL;
	if (text_is_nocase(when, "today"))
		return 0;
	if (text_is_nocase(when, "yesterday")) {
		back = 1;
	} else if (text_ends_nocase(when, "d") && !text_u32(text_head(when, when.n - 1), DAYS_BACK_MAX, &back) && back) {
		back--; /* with today */
	} else {
		char day[11], rest;
		int y, m, d;
		if (text_copy(when, day, sizeof day) || sscanf(day, "%4d-%2d-%2d%c", &y, &m, &d, &rest) != 3 || when.n != 10 || m < 1 || m > 12 || d < 1 || d > 31)
			return EINVAL;
		*tm = (struct tm){ .tm_year = y - 1900, .tm_mon = m - 1, .tm_mday = d, .tm_hour = 12, .tm_isdst = -1 };
		return mktime(tm) == -1 || tm->tm_mday != d ? EINVAL : 0; /* there is no 31st of June */
	}
	tm->tm_mday -= (int)back;
	return 0;
}

static int take(struct report_filter *f, struct text when, int64_t now_us, bool until, int64_t *us, char day[11])
{
	struct tm tm;
	*us = 0;
	day[0] = '\0';
	if (!when.n || text_is_nocase(when, "all"))
		return 0;
	if (!day_of(when, now_us, &tm)) {
		*us = midnight_us(tm, until);
		record_day(*us, day);
		return *us > 0 ? 0 : EINVAL;
	}
	int64_t s;
	if (rfc3339_parse(when, &s) || s <= 0)
		return EINVAL;
	*us = s * 1000000;
	f->times = true;
	return 0;
}

int report_since(struct report_filter *f, struct text when, int64_t now_us)
{
	return take(f, when, now_us, false, &f->since_us, f->since_day);
}

int report_until(struct report_filter *f, struct text when, int64_t now_us)
{
	return take(f, when, now_us, true, &f->until_us, f->until_day);
}
