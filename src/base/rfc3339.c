/* SPDX-License-Identifier: Apache-2.0 */
/* rfc3339.c  Instants as text (RFC 3339 5.6). */
#include "base/rfc3339.h"
#include <errno.h>
#include <time.h>

static char *print(int64_t s, char *dst)
{
	struct tm tm;
	time_t t = (time_t)s;
	if (!gmtime_r(&t, &tm) || !strftime(dst, RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &tm))
		text_fill(dst, RFC3339_SIZE, "?");
	return dst;
}

char *rfc3339_s(int64_t s, char *dst)
{
	print(s, dst);
	size_t n = strlen(dst);
	snprintf(dst + n, RFC3339_SIZE - n, "Z");
	return dst;
}

char *rfc3339_us(int64_t us, char *dst)
{
	int64_t s = us / 1000000, rest = us % 1000000;
	if (rest < 0) {
		s--;
		rest += 1000000;
	}
	print(s, dst);
	size_t n = strlen(dst);
	snprintf(dst + n, RFC3339_SIZE - n, ".%03dZ", (int)(rest / 1000));
	return dst;
}

static int number(struct text *t, size_t digits, char then, int *v)
{
	uint32_t u;
	if (t->n < digits + (then ? 1 : 0) || text_u32(text_head(*t, digits), 9999, &u))
		return EINVAL;
	if (then && text_lower(t->p[digits]) != then)
		return EINVAL;
	*v = (int)u;
	*t = text_skip(*t, digits + (then ? 1 : 0));
	return 0;
}

int rfc3339_parse(struct text t, int64_t *s)
{
	struct tm tm = { 0 };
	int off_h = 0, off_m = 0, sign = 0;
	if (number(&t, 4, '-', &tm.tm_year) || number(&t, 2, '-', &tm.tm_mon) || number(&t, 2, 't', &tm.tm_mday) ||
	    number(&t, 2, ':', &tm.tm_hour) || number(&t, 2, ':', &tm.tm_min) || number(&t, 2, 0, &tm.tm_sec))
		return EINVAL;
	if (t.n && t.p[0] == '.') {
		t = text_skip(t, 1);
		while (t.n && t.p[0] >= '0' && t.p[0] <= '9')
			t = text_skip(t, 1);
	}
	if (t.n == 1 && (t.p[0] == 'Z' || t.p[0] == 'z')) {
		sign = 0;
	} else if (t.n == 6 && (t.p[0] == '+' || t.p[0] == '-')) {
		sign = t.p[0] == '+' ? 1 : -1;
		t = text_skip(t, 1);
		if (number(&t, 2, ':', &off_h) || number(&t, 2, 0, &off_m) || off_h > 23 || off_m > 59)
			return EINVAL;
	} else {
		return EINVAL;
	}
	static const int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > month_days[tm.tm_mon - 1] || tm.tm_hour > 23 || tm.tm_min > 59 ||
	    tm.tm_sec > 60)
		return EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	*s = (int64_t)timegm(&tm) - sign * (off_h * 3600 + off_m * 60);
	return 0;
}
