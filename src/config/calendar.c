/* SPDX-License-Identifier: Apache-2.0 */
/* calendar.c  Holidays out of an iCalendar file (RFC 5545), read by libical: events of whole days or of hours, yearly and other repetitions. What
 * has no end is taken to the year 2100, and no event more often than EACH_MAX times.                                     */
#include <errno.h>
#include <fcntl.h>
#include <libical/ical.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "config/config_private.h"
#include "config/zone.h"

/* A file of repetitions that never come true would keep libical busy for minutes. */
enum { DAYS_MAX = 5000, EACH_MAX = 400, RULES_MAX = 500, WORK_MAX_MS = 1000, LAST_YEAR = 2100, FIRST_YEAR = 1970, LONGEST_MIN = 366 * CFG_DAY_MIN };

struct days {
	struct arena *arena;
	const struct zone *zone; /* of the schedule */
	struct cfg_calendar_day *v;
	size_t n;
	unsigned rules; /* events that repeat */
	int64_t began_ms; /* on the clock of this thread's work */
	bool too_much;
};

static int64_t work_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* Minutes on the schedule's clock. A time in another zone or in universal time is brought there. */
static int64_t minute_of(const struct days *d, struct icaltimetype t, const struct zone *theirs)
{
	int64_t day = zone_day_of(t.year, t.month, t.day), second = t.is_date ? 0 : t.hour * 3600 + t.minute * 60 + t.second;
	if (t.is_date || (!theirs && !icaltime_is_utc(t)))
		return day * CFG_DAY_MIN + second / 60;
	int64_t utc = icaltime_is_utc(t) ? day * 86400 + second : zone_utc(theirs, day, (int32_t)second);
	struct zone_time there = zone_local(d->zone, utc);
	return there.day * CFG_DAY_MIN + floor_div(there.second, 60);
}

static bool sane(struct icaltimetype t)
{
	return !icaltime_is_null_time(t) && t.year >= FIRST_YEAR && t.year <= LAST_YEAR && t.month >= 1 && t.month <= 12 && t.day >= 1 && t.day <= 31 &&
		t.hour >= 0 && t.hour <= 24 && t.minute >= 0 && t.minute <= 59 && t.second >= 0 && t.second <= 60;
}

static void add(struct days *d, int64_t from, int64_t minutes, const char *name)
{
	if (d->n == DAYS_MAX || minutes <= 0)
		return;
	d->v[d->n++] = (struct cfg_calendar_day){ from, from + (minutes < LONGEST_MIN ? minutes : LONGEST_MIN), name };
}

/* What an event excepts from its repetitions. */
static bool excepted(icalcomponent *ev, struct icaltimetype t)
{
	for (icalproperty *p = icalcomponent_get_first_property(ev, ICAL_EXDATE_PROPERTY); p; p = icalcomponent_get_next_property(ev, ICAL_EXDATE_PROPERTY)) {
		struct icaltimetype x = icalproperty_get_exdate(p);
		if (x.year == t.year && x.month == t.month && x.day == t.day)
			return true;
	}
	return false;
}

static void repeat(struct days *d, icalcomponent *ev, struct icaltimetype first, const struct zone *theirs, int64_t minutes, const char *name)
{
	d->too_much = d->too_much || ++d->rules > RULES_MAX || work_ms() - d->began_ms > WORK_MAX_MS;
	if (d->too_much)
		return;
	icalproperty *p = icalcomponent_get_first_property(ev, ICAL_RRULE_PROPERTY);
	struct icalrecurrencetype rule = icalproperty_get_rrule(p);
	bool by_days = rule.freq == ICAL_YEARLY_RECURRENCE || rule.freq == ICAL_MONTHLY_RECURRENCE || rule.freq == ICAL_WEEKLY_RECURRENCE ||
		rule.freq == ICAL_DAILY_RECURRENCE;
	icalrecur_iterator *it = by_days ? icalrecur_iterator_new(rule, first) : NULL;
	if (!it) {
		add(d, minute_of(d, first, theirs), minutes, name);
		return;
	}
	for (int i = 0; i < EACH_MAX; i++) {
		struct icaltimetype t = icalrecur_iterator_next(it);
		if (!sane(t))
			break;
		if (!excepted(ev, t))
			add(d, minute_of(d, t, theirs), minutes, name);
	}
	icalrecur_iterator_free(it);
}

/* Its name without what no voice can say. */
static const char *name_of(struct days *d, icalcomponent *ev)
{
	const char *summary = icalcomponent_get_summary(ev);
	char name[65];
	text_fill(name, sizeof name, summary ? summary : "");
	for (char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	return arena_text(d->arena, text_trim(text_of(name)));
}

static void event(struct days *d, icalcomponent *ev)
{
	struct icaltimetype from = icalcomponent_get_dtstart(ev), to = icalcomponent_get_dtend(ev);
	icalproperty *p = icalcomponent_get_first_property(ev, ICAL_DTSTART_PROPERTY);
	icalparameter *tzid = p ? icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER) : NULL;
	const char *id = tzid ? icalparameter_get_tzid(tzid) : NULL;
	struct zone *theirs = NULL;
	if (!sane(from) || icalcomponent_get_status(ev) == ICAL_STATUS_CANCELLED)
		return;
	if (id && zone_load(&theirs, id))
		theirs = NULL; /* a zone of its own making: its clock counts as ours */
	int64_t minutes = from.is_date ? CFG_DAY_MIN : 0;
	if (sane(to))
		minutes = minute_of(d, to, theirs) - minute_of(d, from, theirs);
	if (from.is_date && minutes <= 0)
		minutes = CFG_DAY_MIN;
	const char *name = name_of(d, ev);
	if (name && icalcomponent_get_first_property(ev, ICAL_RRULE_PROPERTY))
		repeat(d, ev, from, theirs, minutes, name);
	else if (name)
		add(d, minute_of(d, from, theirs), minutes, name);
	mem_unref(theirs);
}

static int by_time(const void *a, const void *b)
{
	const struct cfg_calendar_day *x = a, *y = b;
	return x->from_min < y->from_min ? -1 : x->from_min > y->from_min;
}

static size_t calendar(struct days *d, icalcomponent *c)
{
	size_t found = 0;
	if (icalcomponent_isa(c) == ICAL_VCALENDAR_COMPONENT) {
		for (icalcomponent *e = icalcomponent_get_first_component(c, ICAL_VEVENT_COMPONENT); e; e = icalcomponent_get_next_component(c, ICAL_VEVENT_COMPONENT))
			event(d, e);
		return 1;
	}
	for (icalcomponent *e = icalcomponent_get_first_component(c, ICAL_VCALENDAR_COMPONENT); e; e = icalcomponent_get_next_component(c, ICAL_VCALENDAR_COMPONENT))
		found += calendar(d, e);
	return found;
}

int cfg_calendar_parse(struct arena *a, const struct zone *zone, struct text ics, const struct cfg_calendar_day **v, size_t *n)
{
	struct days d = { .arena = a, .zone = zone, .began_ms = work_ms() };
	if (!ics.n || memchr(ics.p, 0, ics.n))
		return EINVAL;
	char *copy = text_dup(ics);
	d.v = mem_zalloc(DAYS_MAX, sizeof *d.v);
	if (!copy || !d.v) {
		mem_free(copy);
		mem_free(d.v);
		return ENOMEM;
	}
	icalerror_set_errors_are_fatal(0);
	icalcomponent *root = icalparser_parse_string(copy);
	mem_free(copy);
	size_t found = root ? calendar(&d, root) : 0;
	if (root)
		icalcomponent_free(root);
	found = d.too_much ? 0 : found;
	struct cfg_calendar_day *days = found ? arena_alloc(a, (d.n ? d.n : 1) * sizeof *days) : NULL;
	if (d.n)
		qsort(d.v, d.n, sizeof *d.v, by_time);
	if (days && d.n)
		memcpy(days, d.v, d.n * sizeof *days);
	mem_free(d.v);
	if (!found)
		return d.too_much ? E2BIG : EINVAL;
	if (!days || a->failed)
		return ENOMEM;
	*v = days;
	*n = d.n;
	return 0;
}

enum { READ_BYTES = 65536 };

static int read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = 0;
	if (fd < 0)
		return errno;
	for (;;) {
		uint8_t *p = buf_reserve(out, READ_BYTES);
		ssize_t n = p ? read(fd, p, READ_BYTES) : -1;
		if (n < 0 && p && errno == EINTR)
			continue;
		err = !p ? buf_error(out) : n < 0 ? errno : 0;
		if (n <= 0)
			break;
		buf_grew(out, (size_t)n);
	}
	close(fd);
	return err;
}

int cfg_calendar_load(struct arena *a, struct cfg_schedule *s)
{
	struct buf b;
	buf_init(&b, CFG_CALENDAR_MAX_BYTES + READ_BYTES);
	int err = read_file(s->calendar, &b);
	if (!err && b.n > CFG_CALENDAR_MAX_BYTES)
		err = EMSGSIZE;
	if (!err)
		err = cfg_calendar_parse(a, s->zone, buf_as_text(&b), &s->days, &s->n_days);
	buf_free(&b);
	return err;
}

/* ---- calendars of addresses ---- */

bool cfg_calendar_is_address(const char *calendar)
{
	return calendar && text_find_text(text_of(calendar), TEXT("://")) != SIZE_MAX;
}

bool cfg_has_calendars(const struct cfg *c)
{
	for (size_t i = 0; i < c->n_schedules; i++)
		if (cfg_calendar_is_address(c->schedules[i].calendar))
			return true;
	return false;
}

int cfg_calendar_count(const char *time_zone, struct text ics, size_t *n)
{
	struct arena a = { 0 };
	struct zone *zone;
	const struct cfg_calendar_day *v;
	int err = zone_load(&zone, time_zone);
	if (err)
		return err == ENOMEM ? err : EINVAL;
	err = cfg_calendar_parse(&a, zone, ics, &v, n);
	mem_unref(zone);
	arena_free(&a);
	return err;
}

/* The days that it had belong to a configuration that ends. */
static void keep_days(struct arena *a, struct cfg_schedule *s)
{
	struct cfg_calendar_day *v = arena_alloc(a, (s->n_days ? s->n_days : 1) * sizeof *v);
	for (size_t i = 0; v && i < s->n_days; i++) {
		v[i] = s->days[i];
		v[i].name = arena_text(a, text_of(s->days[i].name));
	}
	s->days = v;
	s->n_days = v ? s->n_days : 0;
}

void cfg_fill_calendars(struct cfg_all *all, cfg_calendar_h *find, void *arg)
{
	struct cfg *c = &all->cfg;
	struct cfg_schedule *v = arena_alloc(&all->arena, (c->n_schedules ? c->n_schedules : 1) * sizeof *v);
	for (size_t i = 0; v && i < c->n_schedules; i++) {
		struct buf b;
		v[i] = c->schedules[i];
		if (!cfg_calendar_is_address(v[i].calendar))
			continue;
		buf_init(&b, CFG_CALENDAR_MAX_BYTES);
		int err = find(&v[i], &b, arg);
		if (!err)
			err = cfg_calendar_parse(&all->arena, v[i].zone, buf_as_text(&b), &v[i].days, &v[i].n_days);
		if (err == ENOMEM)
			all->arena.failed = true;
		else if (err)
			keep_days(&all->arena, &v[i]);
		buf_free(&b);
	}
	c->schedules = v;
}
