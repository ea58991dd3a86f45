/* SPDX-License-Identifier: Apache-2.0 */
/* Opening hours at moments that are hard: midnight, the ends of periods, clock changes of several zones, leap days, years. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "directory/hours.h"

static struct cfg *site(const char *zone, const char *rest)
{
	char yaml[2000];
	struct cfg *c = NULL;
	struct cfg_errors e = { 0 };
	snprintf(yaml, sizeof yaml, "schedules:\n  - name: s\n    time_zone: %s\n%s", zone, rest);
	int err = cfg_parse(&c, "u", text_of(yaml), CFG_WANT_OBJECTS, &e);
	for (size_t i = 0; i < e.n; i++)
		print_error("%s: %s: %s\n", yaml, e.v[i].key, e.v[i].what);
	cfg_errors_free(&e);
	assert_int_equal(err, 0);
	return c;
}

static int64_t utc(const char *when)
{
	int y, mo, d, h, mi, s = 0;
	assert_true(sscanf(when, "%d-%d-%d %d:%d:%d", &y, &mo, &d, &h, &mi, &s) >= 5);
	return zone_day_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + s;
}

struct at {
	const char *utc;
	enum hours_state state;
	const char *holiday;
};

static void look(const char *zone, const char *rest, const struct at *v, size_t n)
{
	struct cfg *c = site(zone, rest);
	for (size_t i = 0; i < n; i++) {
		struct hours_now now;
		hours_at(&c->schedules[0], utc(v[i].utc), &now);
		if (now.state != v[i].state || strcmp(now.holiday_name, v[i].holiday ? v[i].holiday : "") != 0)
			fail_msg("%s in %s: %s \"%s\"", v[i].utc, zone, hours_state_name(now.state), now.holiday_name);
	}
	cfg_unref(c);
}
#define LOOK(zone, rest, ...) \
	do { \
		static const struct at v[] = { __VA_ARGS__ }; \
		look(zone, rest, v, sizeof v / sizeof v[0]); \
	} while (0)

static void periods_have_their_minutes(void **state)
{
	(void)state;
	LOOK("UTC", "    hours: {mon-fri: '08:30-12:00, 13:01-17:45'}\n", { "2026-11-23 08:29:59", HOURS_CLOSED }, { "2026-11-23 08:30:00", HOURS_OPEN },
	     { "2026-11-23 11:59:59", HOURS_OPEN }, { "2026-11-23 12:00:00", HOURS_CLOSED }, { "2026-11-23 13:00:59", HOURS_CLOSED },
	     { "2026-11-23 13:01:00", HOURS_OPEN }, { "2026-11-27 17:44:59", HOURS_OPEN }, { "2026-11-28 10:00", HOURS_CLOSED });
	LOOK("UTC", "", { "2026-11-28 03:00", HOURS_OPEN }, { "1960-01-01 00:00", HOURS_OPEN });
	LOOK("UTC", "    hours: {}\n", { "2026-11-23 10:00", HOURS_CLOSED });
	LOOK("UTC", "    hours: {daily: 00:00-24:00}\n", { "2026-11-23 00:00", HOURS_OPEN }, { "2026-11-23 23:59:59", HOURS_OPEN });
}

static void nights_belong_to_the_day_they_begin_on(void **state)
{
	(void)state;
	LOOK("UTC", "    hours: {fri: 22:00-06:00, sun: 23:00-01:00}\n", { "2026-11-27 21:59", HOURS_CLOSED }, { "2026-11-27 22:00", HOURS_OPEN },
	     { "2026-11-28 05:59:59", HOURS_OPEN }, { "2026-11-28 06:00", HOURS_CLOSED }, { "2026-11-28 22:30", HOURS_CLOSED },
	     { "2026-11-27 03:00", HOURS_CLOSED }, { "2026-11-29 23:00", HOURS_OPEN }, { "2026-11-30 00:59", HOURS_OPEN }, { "2026-11-30 01:00", HOURS_CLOSED });
}

static void clocks_on_the_wall_count(void **state)
{
	(void)state;
	const char *office = "    hours: {daily: 09:00-17:00}\n";
	LOOK("Europe/Berlin", office, { "2026-03-28 07:59", HOURS_CLOSED }, { "2026-03-28 08:00", HOURS_OPEN }, { "2026-03-29 06:59", HOURS_CLOSED },
	     { "2026-03-29 07:00", HOURS_OPEN }, { "2026-10-24 07:00", HOURS_OPEN }, { "2026-10-25 07:00", HOURS_CLOSED }, { "2026-10-25 08:00", HOURS_OPEN });
	LOOK("America/New_York", office, { "2026-03-07 14:00", HOURS_OPEN }, { "2026-03-08 12:59", HOURS_CLOSED }, { "2026-03-08 13:00", HOURS_OPEN },
	     { "2026-11-01 13:59", HOURS_CLOSED }, { "2026-11-01 14:00", HOURS_OPEN });
	LOOK("Australia/Lord_Howe", office, { "2026-01-01 21:59", HOURS_CLOSED }, { "2026-01-01 22:00", HOURS_OPEN }, { "2026-07-01 22:29", HOURS_CLOSED },
	     { "2026-07-01 22:30", HOURS_OPEN }); /* half an hour of summer time */
	LOOK("Asia/Kathmandu", office, { "2026-05-05 03:14", HOURS_CLOSED }, { "2026-05-05 03:15", HOURS_OPEN });
	LOOK("Pacific/Kiritimati", "    hours: {fri: all day}\n", { "2026-11-26 09:59", HOURS_CLOSED }, { "2026-11-26 10:00", HOURS_OPEN });
	LOOK("Europe/Berlin", office, { "2055-07-01 06:59", HOURS_CLOSED }, { "2055-07-01 07:00", HOURS_OPEN }, { "2055-12-01 07:59", HOURS_CLOSED },
	     { "2055-12-01 08:00", HOURS_OPEN }); /* behind the last change in the file: by its rule */
}

/* 02:30 does not come on the day the clocks go forward, and comes twice on the other. */
static void skipped_and_repeated_times(void **state)
{
	(void)state;
	const char *bar = "    hours: {daily: 02:15-02:45}\n";
	LOOK("Europe/Berlin", bar, { "2026-03-29 00:59:59", HOURS_CLOSED }, { "2026-03-29 01:00", HOURS_CLOSED }, { "2026-03-29 01:30", HOURS_CLOSED },
	     { "2026-10-25 00:14", HOURS_CLOSED }, { "2026-10-25 00:15", HOURS_OPEN }, { "2026-10-25 00:45", HOURS_CLOSED }, { "2026-10-25 01:15", HOURS_OPEN },
	     { "2026-10-25 01:44", HOURS_OPEN }, { "2026-10-25 01:45", HOURS_CLOSED });
	LOOK("Europe/Berlin", "    hours: {sat: 22:00-03:00}\n", { "2026-10-25 00:59", HOURS_OPEN }, { "2026-10-25 01:59", HOURS_OPEN },
	     { "2026-10-25 02:00", HOURS_CLOSED }, { "2026-03-29 00:59", HOURS_OPEN }, { "2026-03-29 01:00", HOURS_CLOSED });
}

static void holidays_close_whatever_the_hours_say(void **state)
{
	(void)state;
	LOOK("Europe/Berlin", "    hours: {daily: all day}\n    holidays:\n      - {name: Eve, from: 2026-12-24 12:00}\n      - {name: Christmas, from: 12-25, to: 12-26}\n"
	     "      - {name: Turn, from: 12-31 18:00, to: 01-01 10:00}\n      - {name: Leap, from: 02-29}\n      - {name: Three, from: 2027-05-01, to: 2027-05-03}\n",
	     { "2026-12-24 10:59:59", HOURS_OPEN }, { "2026-12-24 11:00", HOURS_HOLIDAY, "Eve" }, { "2026-12-24 22:59:59", HOURS_HOLIDAY, "Eve" },
	     { "2026-12-24 23:00", HOURS_HOLIDAY, "Christmas" }, { "2026-12-26 22:59:59", HOURS_HOLIDAY, "Christmas" }, { "2026-12-26 23:00", HOURS_OPEN },
	     { "2031-12-25 12:00", HOURS_HOLIDAY, "Christmas" }, { "2027-12-24 12:00", HOURS_OPEN }, { "2026-12-31 16:59", HOURS_OPEN },
	     { "2026-12-31 17:00", HOURS_HOLIDAY, "Turn" }, { "2027-01-01 08:59", HOURS_HOLIDAY, "Turn" }, { "2027-01-01 09:00", HOURS_OPEN },
	     { "2028-02-29 12:00", HOURS_HOLIDAY, "Leap" }, { "2027-02-28 12:00", HOURS_OPEN }, { "2027-03-01 12:00", HOURS_OPEN },
	     { "2027-04-30 21:59", HOURS_OPEN }, { "2027-04-30 22:00", HOURS_HOLIDAY, "Three" }, { "2027-05-03 21:59", HOURS_HOLIDAY, "Three" },
	     { "2027-05-03 22:00", HOURS_OPEN });
}

static void midnight_of_a_holiday_is_that_of_its_zone(void **state)
{
	(void)state;
	const char *h = "    holidays: [{name: H, from: 2026-07-04}]\n";
	LOOK("America/Los_Angeles", h, { "2026-07-04 06:59:59", HOURS_OPEN }, { "2026-07-04 07:00", HOURS_HOLIDAY, "H" }, { "2026-07-05 07:00", HOURS_OPEN });
	LOOK("Asia/Tokyo", h, { "2026-07-03 14:59:59", HOURS_OPEN }, { "2026-07-03 15:00", HOURS_HOLIDAY, "H" }, { "2026-07-04 15:00", HOURS_OPEN });
}

static struct cfg *with_calendar(const char *ics, struct cfg_errors *e)
{
	char path[300], rest[600];
	snprintf(path, sizeof path, "%s/c.ics", ut_tmpdir());
	FILE *f = fopen(path, "w");
	fputs(ics, f);
	fclose(f);
	snprintf(rest, sizeof rest, "schedules:\n  - {name: s, time_zone: Europe/Berlin, calendar: %s, holidays: [{name: H, from: 2026-07-04}]}\n", path);
	struct cfg *c = NULL;
	(void)cfg_parse(&c, "u", text_of(rest), CFG_WANT_OBJECTS, e);
	return c;
}

static void holidays_of_a_calendar_count_behind_the_files(void **state)
{
	(void)state;
	static const char ics[] =
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
		"BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20260704\r\nDTEND;VALUE=DATE:20260706\r\nSUMMARY:Two days\r\nEND:VEVENT\r\n"
		"BEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20201225\r\nRRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20281225\r\nSUMMARY:Christ\r\n mas Day\r\nEND:VEVENT\r\n"
		"BEGIN:VEVENT\r\nUID:3\r\nDTSTART;VALUE=DATE:20201126\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\r\nSUMMARY:Thanks\r\nEND:VEVENT\r\n"
		"BEGIN:VEVENT\r\nUID:4\r\nDTSTART:20260210T150000Z\r\nDTEND:20260210T163000Z\r\nSUMMARY:Outing\r\nEND:VEVENT\r\n"
		"BEGIN:VEVENT\r\nUID:5\r\nDTSTART;TZID=America/New_York:20260310T090000\r\nDURATION:PT1H\r\nSUMMARY:Abroad\r\nEND:VEVENT\r\n"
		"BEGIN:VEVENT\r\nUID:6\r\nDTSTART;VALUE=DATE:20260501\r\nSTATUS:CANCELLED\r\nSUMMARY:Off\r\nEND:VEVENT\r\n"
		"BEGIN:VEVENT\r\nUID:7\r\nSUMMARY:No day\r\nEND:VEVENT\r\n"
		"BEGIN:VEVENT\r\nUID:8\r\nDTSTART:20260601T000000Z\r\nRRULE:FREQ=SECONDLY\r\nSUMMARY:Mad\r\nEND:VEVENT\r\n"
		"END:VCALENDAR\r\n";
	static const struct at v[] = {
		{ "2026-07-04 12:00", HOURS_HOLIDAY, "H" }, { "2026-07-05 12:00", HOURS_HOLIDAY, "Two days" }, { "2026-07-05 21:59", HOURS_HOLIDAY, "Two days" },
		{ "2026-07-05 22:00", HOURS_OPEN }, { "2027-12-25 12:00", HOURS_HOLIDAY, "Christmas Day" }, { "2028-12-25 12:00", HOURS_OPEN },
		{ "2040-12-24 23:00", HOURS_HOLIDAY, "Christmas Day" }, { "2026-11-26 12:00", HOURS_HOLIDAY, "Thanks" }, { "2027-11-25 12:00", HOURS_HOLIDAY, "Thanks" },
		{ "2027-11-26 12:00", HOURS_OPEN }, { "2026-02-10 14:59", HOURS_OPEN }, { "2026-02-10 15:00", HOURS_HOLIDAY, "Outing" },
		{ "2026-02-10 16:30", HOURS_OPEN }, { "2026-03-10 13:00", HOURS_HOLIDAY, "Abroad" }, { "2026-03-10 14:00", HOURS_OPEN }, { "2026-05-01 12:00", HOURS_OPEN },
		{ "2026-06-02 12:00", HOURS_OPEN },
	};
	struct cfg_errors e = { 0 };
	struct cfg *c = with_calendar(ics, &e);
	assert_non_null(c);
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct hours_now now;
		hours_at(&c->schedules[0], utc(v[i].utc), &now);
		if (now.state != v[i].state || strcmp(now.holiday_name, v[i].holiday ? v[i].holiday : "") != 0)
			fail_msg("%s: %s \"%s\"", v[i].utc, hours_state_name(now.state), now.holiday_name);
	}
	assert_int_equal(hours_change(&c->schedules[0], utc("2026-07-05 12:00")), utc("2026-07-05 22:00"));
	cfg_unref(c);
	struct hours_now now;
	hours_at(NULL, 0, &now);
	assert_int_equal(now.state, HOURS_OPEN);
	char *many = mem_alloc(100000);
	size_t at = (size_t)snprintf(many, 100000, "BEGIN:VCALENDAR\r\n");
	for (int i = 0; i < 501; i++) /* none of them ever comes true, and each takes long to find that out */
		at += (size_t)snprintf(many + at, 100000 - at, "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\nEND:VEVENT\r\n");
	snprintf(many + at, 100000 - at, "END:VCALENDAR\r\n");
	assert_null(with_calendar(many, &e));
	assert_non_null(strstr(e.v[0].what, "repeat"));
	cfg_errors_free(&e);
	mem_free(many);
	static const char *const bad[] = { "", "hello\n", "BEGIN:VCARD\r\nEND:VCARD\r\n" };
	for (size_t i = 0; i < 3; i++) {
		assert_null(with_calendar(bad[i], &e));
		assert_non_null(strstr(e.v[0].what, "cannot be read as a calendar: it is none"));
		cfg_errors_free(&e);
	}
	static const struct {
		const char *address, *rest, *fix; /* fix NULL: good */
	} addresses[] = { { "https://example.com/a.ics", "", NULL }, { "HTTPS://example.com:8443/", "", NULL }, { "http://example.com/a", ", calendar_plain_http: true", NULL },
		          { "http://example.com/a", "", "calendar_plain_http" }, { "webcal://example.com/a", "", "write https:// instead" }, { "ftp://example.com/a", "", "write https://" },
		          { "file:///etc/passwd", "", "write https://" }, { "https:///a", "", "whole address" }, { "https://:80/a", "", "whole address" }, { "https://a b/", "", "hexadecimal" } };
	for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
		char yaml[300];
		snprintf(yaml, sizeof yaml, "schedules: [{name: s, calendar: '%s'%s}]", addresses[i].address, addresses[i].rest);
		int err = cfg_parse(&c, "u", text_of(yaml), CFG_WANT_OBJECTS, &e);
		assert_int_equal(err, addresses[i].fix ? EINVAL : 0);
		if (err)
			assert_non_null(strstr(e.v[0].fix, addresses[i].fix));
		else
			cfg_unref(c);
		cfg_errors_free(&e);
	}
	cfg_errors_free(&e);
}

static void the_next_change_is_found(void **state)
{
	(void)state;
	static const struct {
		const char *zone, *rest, *from, *to;
	} cases[] = {
		{ "UTC", "    hours: {mon-fri: 08:00-17:00}\n", "2026-11-27 17:00", "2026-11-30 08:00" },
		{ "UTC", "    hours: {mon-fri: 08:00-17:00}\n", "2026-11-27 10:00", "2026-11-27 17:00" },
		{ "Europe/Berlin", "    hours: {daily: 02:15-02:45}\n", "2026-10-25 00:20", "2026-10-25 00:45" },
		{ "Europe/Berlin", "    hours: {daily: 02:15-02:45}\n", "2026-10-25 00:50", "2026-10-25 01:15" },
		{ "Europe/Berlin", "    hours: {daily: 00:00-02:30}\n", "2026-10-25 00:40", "2026-10-25 01:00" }, /* it is 02:00 again */
		{ "Europe/Berlin", "    hours: {daily: 02:15-02:45}\n", "2026-03-28 12:00", "2026-03-30 00:15" },
		{ "Europe/Berlin", "    hours: {daily: 02:30-09:00}\n", "2026-03-28 12:00", "2026-03-29 01:00" }, /* what was skipped is over at once */
		{ "UTC", "    holidays: [{name: H, from: 12-24, to: 01-02}]\n", "2026-11-01 00:00", "2026-12-24 00:00" },
		{ "UTC", "    holidays: [{name: H, from: 12-24, to: 01-02}]\n", "2026-12-30 00:00", "2027-01-03 00:00" },
		{ "UTC", "    holidays: [{name: H, from: 2023-03-01, to: 2026-12-31}]\n", "2026-11-23 10:00", "2027-01-01 00:00" }, /* began years ago */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct cfg *c = site(cases[i].zone, cases[i].rest);
		int64_t got = hours_change(&c->schedules[0], utc(cases[i].from));
		if (got != utc(cases[i].to))
			fail_msg("%s %s: %lld, not %s", cases[i].rest, cases[i].from, (long long)got, cases[i].to);
		cfg_unref(c);
	}
	struct cfg *c = site("UTC", "");
	assert_int_equal(hours_change(&c->schedules[0], 0), 0);
	cfg_unref(c);
}

static void days_are_put_together_for_reading_aloud(void **state)
{
	(void)state;
	struct hours_group g[7];
	struct cfg *c = site("UTC", "    hours: {mon-thu: '08:00-12:00,13:00-17:00', fri: 08:00-12:00, sun: 08:00-12:00}\n");
	assert_int_equal(hours_groups(&c->schedules[0], g), 3);
	assert_int_equal(g[0].first_day, 0);
	assert_int_equal(g[0].last_day, 3);
	assert_int_equal(g[0].n, 2);
	assert_int_equal(g[1].first_day, 4);
	assert_int_equal(g[2].first_day, 6);
	cfg_unref(c);
	c = site("UTC", "");
	assert_int_equal(hours_groups(&c->schedules[0], g), 1);
	assert_int_equal(g[0].last_day, 6);
	cfg_unref(c);
}

/* The C library, which knows one zone at a time, as the oracle. */
static void agrees_with_the_c_library(void **state)
{
	(void)state;
	static const char *const zones[] = { "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns", "Asia/Gaza",
		"Pacific/Apia", "Europe/Dublin", "America/Sao_Paulo", "Antarctica/Troll", "Asia/Tehran", "America/Godthab" };
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		struct zone *z;
		if (zone_load(&z, zones[i])) {
			print_message("%s is not on this machine\n", zones[i]);
			continue;
		}
		setenv("TZ", zones[i], 1);
		tzset();
		for (int64_t t = utc("1975-01-01 00:00"); t < utc("2090-01-01 00:00"); t += 6 * 3600 + 1234) {
			time_t tt = (time_t)t;
			struct tm tm;
			localtime_r(&tt, &tm);
			if (zone_offset_s(z, t) != tm.tm_gmtoff)
				fail_msg("%s at %lld: %d, the C library says %ld", zones[i], (long long)t, zone_offset_s(z, t), tm.tm_gmtoff);
			struct zone_time there = zone_local(z, t);
			struct zone_date d = zone_date_of(there.day);
			assert_true(d.year == tm.tm_year + 1900 && d.month == tm.tm_mon + 1 && d.day == tm.tm_mday);
			assert_int_equal((zone_weekday(there.day) + 1) % 7, tm.tm_wday);
			assert_int_equal(there.second, tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
			int64_t back = zone_utc(z, there.day, there.second); /* the same, or the first of two */
			assert_true(back == t || (back < t && t - back <= 7200 && zone_local(z, back).second == there.second));
		}
		mem_unref(z);
	}
	unsetenv("TZ");
	tzset();
}

static void what_is_no_zone_is_refused(void **state)
{
	(void)state;
	struct zone *z;
	static const char *const names[] = { "", "/etc/passwd", "../../etc/passwd", "Europe/../Berlin", "Europe/", "Europe", "Mars/Phobos", "zone.tab", "a//b" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_int_not_equal(zone_load(&z, names[i]), 0);
	assert_int_equal(zone_parse(&z, TEXT("")), EINVAL);
	assert_int_equal(zone_parse(&z, TEXT("TZif2")), EINVAL);
	FILE *f = fopen(ZONE_DIR "/Europe/Berlin", "r");
	char bytes[8000];
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	for (size_t cut = 0; cut < n; cut++) { /* no length but the whole is a zone */
		int err = zone_parse(&z, text_make(bytes, cut));
		assert_int_equal(err, EINVAL);
	}
	assert_int_equal(zone_parse(&z, text_make(bytes, n)), 0);
	mem_unref(z);
}

static int load(void *arg)
{
	struct zone *z;
	int err = zone_load(&z, arg);
	if (!err)
		mem_unref(z);
	return err;
}

static void survives_every_failing_allocation(void **state)
{
	(void)state;
	char name[] = "Europe/Berlin";
	ut_oom(load, name);
}

UT_MAIN(UT(periods_have_their_minutes), UT(nights_belong_to_the_day_they_begin_on), UT(clocks_on_the_wall_count), UT(skipped_and_repeated_times),
	UT(holidays_close_whatever_the_hours_say), UT(midnight_of_a_holiday_is_that_of_its_zone), UT(holidays_of_a_calendar_count_behind_the_files),
	UT(the_next_change_is_found), UT(days_are_put_together_for_reading_aloud), UT(agrees_with_the_c_library), UT(what_is_no_zone_is_refused),
	UT(survives_every_failing_allocation))
