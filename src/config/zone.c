/* SPDX-License-Identifier: Apache-2.0 */
/* zone.c  TZif as data of others: every count is checked against the bytes that are there. Version 1 has 32-bit times, the later ones repeat all
 * in 64 bits and end with a rule (a POSIX TZ string) for the time after the last change.                                */
#include "config/zone.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"

enum { HEAD = 44, TYPE = 6, CHANGES_MAX = 20000, DAY_S = 86400, OFFSET_MAX_S = 26 * 3600 };

/* A day of the rule: Mm.w.d, Jn or n, and when on it. */
struct rule_day {
	char kind; /* 'M', 'J' (1 to 365, without leap days), 'N' (0 to 365) */
	int month, week, weekday, n;
	int32_t at_s;
};
struct rule {
	bool there, dst;
	int32_t standard_s, summer_s; /* to be added to universal time */
	struct rule_day begin, end; /* of the summer time */
};
struct zone {
	size_t n;
	int64_t *at; /* changes, ascending */
	int32_t *offset; /* from that on */
	int32_t first_s; /* before the first */
	struct rule rule; /* after the last */
};

/* ---- days ---- */

int64_t zone_day_of(int32_t year, int32_t month, int32_t day)
{
	int64_t y = year - (month <= 2); /* the year begins in March, so that the leap day is its last */
	int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct zone_date zone_date_of(int64_t day)
{
	int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;
	return (struct zone_date){ (int32_t)(yoe + era * 400 + (month <= 2)), (int32_t)month, (int32_t)(doy - (153 * mp + 2) / 5 + 1) };
}

int zone_weekday(int64_t day)
{
	int64_t d = (day + 3) % 7; /* 1970-01-01 was a Thursday */
	return (int)(d < 0 ? d + 7 : d);
}

static int64_t floor_day(int64_t s)
{
	return s >= 0 ? s / DAY_S : -((-s + DAY_S - 1) / DAY_S);
}

static bool leap(int32_t y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

/* ---- the rule at the end of the file (POSIX.1 8.3, RFC 9636 3.3) ---- */

struct scan {
	const char *p, *end;
	bool bad;
};

static bool at_char(struct scan *s, char c)
{
	if (s->p < s->end && *s->p == c) {
		s->p++;
		return true;
	}
	return false;
}

static int scan_number(struct scan *s, int most)
{
	int n = 0;
	bool any = false;
	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9' && n <= most; s->p++, any = true)
		n = n * 10 + (*s->p - '0');
	s->bad = s->bad || !any || n > most;
	return s->bad ? 0 : n;
}

/* "CET", "<+0330>" */
static void scan_name(struct scan *s)
{
	const char *from = s->p;
	if (at_char(s, '<')) {
		while (s->p < s->end && *s->p != '>')
			s->p++;
		s->bad = s->bad || !at_char(s, '>');
		return;
	}
	while (s->p < s->end && ((*s->p >= 'A' && *s->p <= 'Z') || (*s->p >= 'a' && *s->p <= 'z')))
		s->p++;
	s->bad = s->bad || s->p - from < 3;
}

/* "2", "-3:30", "+26:00:01"; hours up to 167 in times of the rule */
static int32_t scan_time(struct scan *s)
{
	bool minus = at_char(s, '-');
	if (!minus)
		at_char(s, '+');
	int32_t t = scan_number(s, 167) * 3600;
	if (at_char(s, ':'))
		t += scan_number(s, 59) * 60;
	if (at_char(s, ':'))
		t += scan_number(s, 59);
	return minus ? -t : t;
}

static void scan_day(struct scan *s, struct rule_day *d)
{
	*d = (struct rule_day){ .at_s = 7200 };
	if (at_char(s, 'M')) {
		d->kind = 'M';
		d->month = scan_number(s, 12);
		s->bad = s->bad || !at_char(s, '.');
		d->week = scan_number(s, 5);
		s->bad = s->bad || !at_char(s, '.');
		d->weekday = scan_number(s, 6);
		s->bad = s->bad || d->month < 1 || d->week < 1;
	} else {
		d->kind = at_char(s, 'J') ? 'J' : 'N';
		d->n = scan_number(s, 365);
		s->bad = s->bad || (d->kind == 'J' && d->n < 1);
	}
	if (at_char(s, '/'))
		d->at_s = scan_time(s);
}

static bool parse_rule(struct rule *r, struct text t)
{
	struct scan s = { t.p, t.p + t.n, false };
	if (!t.n)
		return true; /* nothing is said of the time after the last change */
	r->there = true;
	scan_name(&s);
	r->standard_s = -scan_time(&s);
	if (!s.bad && s.p < s.end) {
		r->dst = true;
		r->summer_s = r->standard_s + 3600;
		scan_name(&s);
		if (s.p < s.end && *s.p != ',')
			r->summer_s = -scan_time(&s);
		s.bad = s.bad || !at_char(&s, ',');
		scan_day(&s, &r->begin);
		s.bad = s.bad || !at_char(&s, ',');
		scan_day(&s, &r->end);
	}
	bool sane = r->standard_s <= OFFSET_MAX_S && r->standard_s >= -OFFSET_MAX_S && r->summer_s <= OFFSET_MAX_S && r->summer_s >= -OFFSET_MAX_S;
	return !s.bad && s.p == s.end && sane;
}

/* Seconds since 1970 on the clock there at which the rule's day comes in that year. */
static int64_t rule_at(const struct rule_day *d, int32_t year)
{
	int64_t day;
	if (d->kind == 'M') {
		int64_t first = zone_day_of(year, d->month, 1), next = d->month == 12 ? zone_day_of(year + 1, 1, 1) : zone_day_of(year, d->month + 1, 1);
		int sunday_first = (zone_weekday(first) + 1) % 7;
		day = first + (d->weekday - sunday_first + 7) % 7 + 7 * (d->week - 1);
		while (day >= next)
			day -= 7;
	} else if (d->kind == 'J') {
		day = zone_day_of(year, 1, 1) + d->n - 1 + (leap(year) && d->n >= 60);
	} else {
		day = zone_day_of(year, 1, 1) + d->n;
	}
	return day * DAY_S + d->at_s;
}

static int32_t rule_offset(const struct rule *r, int64_t utc_s)
{
	if (!r->dst)
		return r->standard_s;
	int32_t year = zone_date_of(floor_day(utc_s + r->standard_s)).year;
	int64_t begin = rule_at(&r->begin, year) - r->standard_s, end = rule_at(&r->end, year) - r->summer_s;
	bool summer = begin < end ? utc_s >= begin && utc_s < end : utc_s >= begin || utc_s < end;
	return summer ? r->summer_s : r->standard_s;
}

/* ---- the file ---- */

static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct counts {
	uint32_t isut, isstd, leaps, times, types, chars;
};

static bool read_head(const uint8_t *p, size_t n, struct counts *c, char *version)
{
	if (n < HEAD || memcmp(p, "TZif", 4) != 0)
		return false;
	*version = (char)p[4];
	*c = (struct counts){ u32(p + 20), u32(p + 24), u32(p + 28), u32(p + 32), u32(p + 36), u32(p + 40) };
	return c->times <= CHANGES_MAX && c->types >= 1 && c->types <= 256 && c->chars <= 4096 && c->leaps <= 1000 && c->isut <= 256 && c->isstd <= 256;
}

static size_t body(const struct counts *c, size_t time)
{
	return c->times * time + c->times + c->types * TYPE + c->chars + c->leaps * (time + 4) + c->isstd + c->isut;
}

static bool take_changes(struct zone *z, const uint8_t *p, const struct counts *c, size_t time)
{
	const uint8_t *index = p + c->times * time, *types = index + c->times;
	z->first_s = (int32_t)u32(types);
	for (uint32_t i = 0; i < c->times; i++) {
		if (index[i] >= c->types)
			return false;
		const uint8_t *t = p + i * time;
		z->at[i] = time == 8 ? (int64_t)((uint64_t)u32(t) << 32 | u32(t + 4)) : (int32_t)u32(t);
		z->offset[i] = (int32_t)u32(types + index[i] * TYPE);
		if (i && z->at[i] <= z->at[i - 1])
			return false;
		if (z->offset[i] > OFFSET_MAX_S || z->offset[i] < -OFFSET_MAX_S)
			return false;
	}
	z->n = c->times;
	return z->first_s <= OFFSET_MAX_S && z->first_s >= -OFFSET_MAX_S;
}

static void gone(void *p)
{
	struct zone *z = p;
	mem_free(z->at);
	mem_free(z->offset);
}

static int take(struct zone *z, const uint8_t *p, size_t n)
{
	struct counts c;
	char version;
	size_t time = 4;
	if (!read_head(p, n, &c, &version) || n - HEAD < body(&c, 4))
		return EINVAL;
	if (version >= '2') {
		size_t skip = HEAD + body(&c, 4);
		p += skip;
		n -= skip;
		time = 8;
		if (!read_head(p, n, &c, &version) || n - HEAD < body(&c, 8))
			return EINVAL;
	}
	z->at = mem_zalloc(c.times + 1, sizeof *z->at);
	z->offset = mem_zalloc(c.times + 1, sizeof *z->offset);
	if (!z->at || !z->offset)
		return ENOMEM;
	if (!take_changes(z, p + HEAD, &c, time))
		return EINVAL;
	if (time == 4)
		return 0;
	struct text foot = text_make(p + HEAD + body(&c, 8), n - HEAD - body(&c, 8)), line, rest;
	if (!foot.n || foot.p[0] != '\n' || !text_cut(text_skip(foot, 1), '\n', &line, &rest))
		return EINVAL;
	return parse_rule(&z->rule, line) ? 0 : EINVAL;
}

int zone_parse(struct zone **zp, struct text tzif)
{
	struct zone *z = mem_object(sizeof *z, gone);
	if (!z)
		return ENOMEM;
	int err = take(z, (const uint8_t *)tzif.p, tzif.n);
	if (err)
		mem_unref(z);
	else
		*zp = z;
	return err;
}

static bool name_good(const char *name)
{
	bool part = false; /* something since the last slash, and no dot: nothing leads out of the folder */
	for (const char *p = name; *p; p++) {
		bool good = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '_' || *p == '+' || *p == '-';
		if (!good && !(*p == '/' && part))
			return false;
		part = *p != '/';
	}
	return part && strlen(name) <= 64;
}

static int read_zone(const char *name, uint8_t *bytes, size_t size, size_t *n)
{
	char path[128];
	if (text_print(path, sizeof path, "%s/%s", ZONE_DIR, name))
		return ENOENT;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	if (fd < 0)
		return errno;
	ssize_t got;
	for (*n = 0; !err && *n < size; *n += (size_t)got) {
		got = read(fd, bytes + *n, size - *n);
		if (got < 0) {
			err = errno == EINTR ? 0 : errno;
			got = 0;
		} else if (!got) {
			break;
		}
	}
	close(fd);
	return err;
}

int zone_load(struct zone **zp, const char *name)
{
	if (strcmp(name, "UTC") == 0) {
		struct zone *z = mem_object(sizeof *z, gone);
		if (z)
			*zp = z;
		return z ? 0 : ENOMEM;
	}
	if (!name_good(name))
		return ENOENT;
	uint8_t *bytes = mem_alloc(ZONE_FILE_MAX_BYTES);
	size_t n = 0;
	int err = bytes ? read_zone(name, bytes, ZONE_FILE_MAX_BYTES, &n) : ENOMEM;
	if (err == EISDIR || err == ENOTDIR)
		err = ENOENT;
	if (!err)
		err = zone_parse(zp, text_make(bytes, n));
	mem_free(bytes);
	return err;
}

/* ---- asking ---- */

int32_t zone_offset_s(const struct zone *z, int64_t utc_s)
{
	if (!z->n || utc_s < z->at[0])
		return !z->n && z->rule.there ? rule_offset(&z->rule, utc_s) : z->first_s;
	if (utc_s >= z->at[z->n - 1] && z->rule.there)
		return rule_offset(&z->rule, utc_s);
	size_t from = 0, to = z->n; /* at[from] <= utc_s < at[to] */
	while (to - from > 1) {
		size_t mid = from + (to - from) / 2;
		if (z->at[mid] <= utc_s)
			from = mid;
		else
			to = mid;
	}
	return z->offset[from];
}

struct zone_time zone_local(const struct zone *z, int64_t utc_s)
{
	int64_t there = utc_s + zone_offset_s(z, utc_s), day = floor_day(there);
	return (struct zone_time){ day, (int32_t)(there - day * DAY_S) };
}

/* The clock there less the clock asked for never falls but at a change backwards, so the first moment that reaches it is found by halving
 * between two offsets: before it and behind it. */
int64_t zone_utc(const struct zone *z, int64_t day, int32_t second)
{
	int64_t there = day * DAY_S + second, early = there - OFFSET_MAX_S, late = there + OFFSET_MAX_S;
	int32_t offset = zone_offset_s(z, early);
	for (int i = 0; i < 8; i++) { /* walk over the changes between: the first offset that makes it true counts */
		int64_t at = there - offset;
		int64_t lo = early, hi = at;
		if (at >= early && zone_offset_s(z, at) == offset)
			return at;
		while (hi - lo > 1) { /* the change of the offset before `at` */
			int64_t mid = lo + (hi - lo) / 2;
			if (zone_offset_s(z, mid) == offset)
				lo = mid;
			else
				hi = mid;
		}
		offset = zone_offset_s(z, hi);
		if (there - offset < hi) /* the clocks jumped over it */
			return hi;
		early = hi;
		if (early >= late)
			break;
	}
	return there - offset;
}
