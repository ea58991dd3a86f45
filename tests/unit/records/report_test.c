/* SPDX-License-Identifier: Apache-2.0 */
/* What reports say of calls that were put down before, on both stores; and how people say when. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "db/faults.h"
#include "net/loop.h"
#include "pg.h"
#include "records/report.h"

struct bench {
	struct loop *loop;
	struct store *s;
	struct records *rs;
	char url[300];
	bool came;
	int err;
	/* the answer */
	struct report_calls calls[32];
	struct report_step step[32];
	struct report_box box[8];
	char id[REPORT_PAGE][32];
	unsigned n_steps[REPORT_PAGE];
	struct call_record record;
	struct call_step first;
	size_t n;
};

static bool on_pg;
static const int64_t hour = INT64_C(3600) * 1000000;
static const int64_t t0 = INT64_C(1795348800000000); /* 2026-11-22T12:00:00Z */

static void begin(struct bench *b)
{
	memset(b, 0, sizeof *b);
	setenv("TZ", "UTC", 1);
	tzset();
	assert_int_equal(loop_create(&b->loop, clock_system()), 0);
	struct store_prm prm = { .url = b->url, .loop = b->loop, .clock = clock_system() };
	snprintf(b->url, sizeof b->url, "sqlite:%s/r.db", ut_tmpdir());
	if (on_pg) {
		if (!pg_url())
			skip();
		pg_wipe();
		prm.url = pg_url();
	}
	assert_int_equal(store_open(&b->s, &prm, NULL), 0);
	struct records_prm rp = { .store = b->s, .loop = b->loop, .clock = clock_system(), .keep_days = 90, .write_ms = 1 };
	assert_int_equal(records_create(&b->rs, &rp), 0);
}

static void end(struct bench *b)
{
	records_destroy(b->rs);
	store_close(b->s);
	loop_destroy(b->loop);
}

static struct call_record record(int n, enum record_kind kind, int64_t at_us)
{
	struct call_record r;
	record_init(&r);
	snprintf(r.id, sizeof r.id, "call-%04d", n);
	text_fill(r.kind, sizeof r.kind, record_kind_name(kind));
	text_fill(r.offer_result, sizeof r.offer_result, "answer");
	text_fill(r.node, sizeof r.node, n % 2 ? "node01" : "node02");
	text_fill(r.gateway, sizeof r.gateway, "pool");
	r.started_us = at_us;
	r.duration_ms = 1000 * n;
	record_day(at_us, r.day);
	return r;
}

static struct call_step step(const char *menu, enum record_what what, const char *value, const char *target)
{
	struct call_step s = { .at_ms = 7 };
	text_fill(s.attendant, sizeof s.attendant, "main");
	text_fill(s.menu, sizeof s.menu, menu);
	text_fill(s.what, sizeof s.what, record_what_name(what));
	text_fill(s.value, sizeof s.value, value);
	text_fill(s.target, sizeof s.target, target);
	return s;
}

/* 1, 2: messages for alice, yesterday; 3: missed by her today; 4 to 6: the attendant, today; 7: bob logs on, a month ago. */
static void some_calls(struct bench *b)
{
	for (int n = 1; n <= 7; n++) {
		bool message = n <= 2, missed = n == 3, attendant = n >= 4 && n <= 6;
		struct call_record r = record(n, message ? RECORD_VOICE_MESSAGE : missed ? RECORD_MISSED : attendant ? RECORD_ATTENDANT : RECORD_SUBSCRIBER,
			n == 7 ? t0 - 31 * 24 * hour : message ? t0 - 24 * hour + n : t0 + n * hour / 10);
		struct call_box x = { .mailbox = "alice", .called = true, .message = message, .missed = missed };
		if (n == 7)
			x = (struct call_box){ .mailbox = "bob", .logons = 1, .failed = 2 };
		struct call_step s[3] = { step("open", RECORD_ENTERED, "", ""), step("open", RECORD_KEY, n == 6 ? "2" : "1", "sales"),
			step("open", RECORD_GAVE_UP, "hung up", "menu") };
		if (n == 1) {
			r.received = 900;
			r.lost = 100;
			r.jitter_us = 3000;
			r.round_trip_us = 50000;
			r.nmos_centi = 400;
			text_fill(r.band, sizeof r.band, "good");
		}
		if (attendant)
			text_fill(r.attendant, sizeof r.attendant, "main");
		r.steps = attendant ? 3 : 0;
		records_put(b->rs, &r, &x, attendant ? 0 : 1, s, (unsigned)r.steps);
	}
	for (int i = 0; i < 1000 && records_waiting(b->rs); i++)
		loop_step(b->loop, 10);
}

static void came(const struct report *rep, int err, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->came = true;
	b->err = err;
	b->n = rep->n;
	for (size_t i = 0; i < rep->n && rep->what == REPORT_RECORDS; i++) {
		const struct record_item *it = ((struct record_item **)rep->rows)[i];
		text_fill(b->id[i], sizeof b->id[i], it->r.id);
		b->n_steps[i] = it->n_steps;
		b->record = it->r;
		if (it->n_steps)
			b->first = it->step[0];
	}
	if (rep->what == REPORT_CALLS && rep->n)
		memcpy(b->calls, rep->rows, (rep->n < 32 ? rep->n : 32) * sizeof b->calls[0]);
	if (rep->what == REPORT_ATTENDANTS && rep->n)
		memcpy(b->step, rep->rows, (rep->n < 32 ? rep->n : 32) * sizeof b->step[0]);
	if (rep->what == REPORT_MAILBOXES && rep->n)
		memcpy(b->box, rep->rows, (rep->n < 8 ? rep->n : 8) * sizeof b->box[0]);
}

static size_t ask(struct bench *b, enum report_what what, struct report_filter f)
{
	b->came = false;
	assert_int_equal(report_ask(b->rs, what, &f, came, b), 0);
	for (int i = 0; i < 500 && !b->came; i++)
		loop_step(b->loop, 10);
	assert_true(b->came);
	assert_int_equal(b->err, 0);
	return b->n;
}

static int64_t sum(const struct bench *b, const char *kind)
{
	int64_t n = 0;
	for (size_t i = 0; i < b->n; i++)
		n += !kind || strcmp(b->calls[i].kind, kind) == 0 ? b->calls[i].calls : 0;
	return n;
}

static void calls_in_figures(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	some_calls(&b);
	ask(&b, REPORT_CALLS, (struct report_filter){ 0 });
	assert_int_equal(sum(&b, NULL), 7);
	assert_int_equal(sum(&b, "attendant"), 3);
	assert_string_equal(b.calls[0].period, "");
	struct report_filter f = { .by = REPORT_DAY };
	ask(&b, REPORT_CALLS, f);
	assert_string_equal(b.calls[0].period, "2026-11-22");
	assert_string_equal(b.calls[b.n - 1].period, "2026-10-22");
	f.limit = 2;
	ask(&b, REPORT_CALLS, f);
	assert_int_equal(sum(&b, NULL), 6);
	for (int times = 0; times < 2; times++) { /* out of the days' figures, and counted from the calls */
		f = (struct report_filter){ .by = REPORT_MONTH, .times = times == 1, .since_us = t0 - 30 * 24 * hour, .since_day = "2026-10-23", .node = "node01" };
		ask(&b, REPORT_CALLS, f);
		assert_string_equal(b.calls[0].period, "2026-11");
		assert_int_equal(sum(&b, NULL), 3);
		for (size_t i = 0; i < b.n; i++)
			if (strcmp(b.calls[i].kind, "voice-message") == 0) {
				assert_string_equal(b.calls[i].band, "good");
				assert_int_equal(b.calls[i].lost, 100);
				assert_int_equal(b.calls[i].received, 900);
				assert_int_equal(b.calls[i].jitter_us, 3000);
				assert_int_equal(b.calls[i].n_nmos, 1);
				assert_int_equal(b.calls[i].nmos_centi, 400);
			} else {
				assert_int_equal(b.calls[i].n_jitter + b.calls[i].n_round_trip + b.calls[i].n_nmos + b.calls[i].jitter_us, 0);
			}
	}
	ask(&b, REPORT_CALLS, (struct report_filter){ .mailbox = "alice" });
	assert_int_equal(sum(&b, NULL), 3);
	ask(&b, REPORT_CALLS, (struct report_filter){ .attendant = "main", .times = true });
	assert_int_equal(sum(&b, NULL), 3);
	ask(&b, REPORT_CALLS, (struct report_filter){ .kind = "missed" });
	assert_int_equal(sum(&b, NULL), 1);
	assert_int_equal(ask(&b, REPORT_CALLS, (struct report_filter){ .gateway = "other" }), 0);
	assert_int_equal(ask(&b, REPORT_CALLS, (struct report_filter){ .gateway = "' OR ''='" }), 0);
	end(&b);
}

static void single_calls_page_by_page(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	some_calls(&b);
	assert_int_equal(ask(&b, REPORT_RECORDS, (struct report_filter){ 0 }), 7);
	assert_string_equal(b.id[0], "call-0006");
	assert_string_equal(b.id[6], "call-0007");
	assert_int_equal(b.n_steps[0], 3);
	assert_int_equal(b.n_steps[6], 0);
	assert_string_equal(b.first.what, "entered");
	char seen[8][32];
	struct report_filter f = { .limit = 2 };
	unsigned n = 0;
	for (size_t got; (got = ask(&b, REPORT_RECORDS, f)) > 0;) {
		for (size_t i = 0; i < got; i++)
			text_fill(seen[n++], 32, b.id[i]);
		f.before_us = b.record.started_us;
		text_fill(f.before_id, sizeof f.before_id, b.record.id);
	}
	static const char *const order[] = { "call-0006", "call-0005", "call-0004", "call-0003", "call-0002", "call-0001", "call-0007" };
	assert_int_equal(n, 7);
	for (unsigned i = 0; i < 7; i++)
		assert_string_equal(seen[i], order[i]);
	assert_int_equal(ask(&b, REPORT_RECORDS, (struct report_filter){ .mailbox = "alice", .until_us = t0 }), 2);
	assert_string_equal(b.id[0], "call-0002");
	assert_int_equal(b.record.jitter_us, 3000);
	assert_string_equal(b.record.band, "good");
	assert_int_equal(ask(&b, REPORT_RECORDS, (struct report_filter){ .attendant = "main", .node = "node02" }), 2);
	assert_int_equal(ask(&b, REPORT_RECORDS, (struct report_filter){ .id = "call-0003" }), 1);
	assert_string_equal(b.id[0], "call-0003");
	assert_int_equal(ask(&b, REPORT_RECORDS, (struct report_filter){ .id = "call-" }), 2); /* enough to know that there are several */
	assert_int_equal(ask(&b, REPORT_RECORDS, (struct report_filter){ .id = "call-0003x" }), 0);
	assert_int_equal(ask(&b, REPORT_RECORDS, (struct report_filter){ .id = "%" }), 0);
	end(&b);
}

static void what_callers_did(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	some_calls(&b);
	assert_int_equal(ask(&b, REPORT_ATTENDANTS, (struct report_filter){ .attendant = "main" }), 5);
	assert_int_equal(b.step[0].calls, 3);
	assert_string_equal(b.step[0].menu, "");
	assert_int_equal(b.step[1].calls, 3);
	assert_string_equal(b.step[1].menu, "open");
	assert_string_equal(b.step[2].what, "gave-up");
	assert_int_equal(b.step[2].count, 3);
	assert_string_equal(b.step[3].value, "1"); /* the more frequent key first */
	assert_int_equal(b.step[3].count, 2);
	assert_string_equal(b.step[4].value, "2");
	assert_int_equal(ask(&b, REPORT_ATTENDANTS, (struct report_filter){ .since_us = t0 + hour }), 0);
	assert_int_equal(ask(&b, REPORT_ATTENDANTS, (struct report_filter){ 0 }), 5);
	assert_int_equal(ask(&b, REPORT_MAILBOXES, (struct report_filter){ 0 }), 2);
	assert_string_equal(b.box[0].mailbox, "alice");
	assert_int_equal(b.box[0].called, 3);
	assert_int_equal(b.box[0].messages, 2);
	assert_int_equal(b.box[0].missed, 1);
	assert_int_equal(b.box[0].last_message_us, t0 - 24 * hour + 2);
	assert_int_equal(b.box[0].last_logon_us, 0);
	assert_int_equal(b.box[1].failed, 2);
	assert_int_equal(b.box[1].last_logon_us, t0 - 31 * 24 * hour);
	assert_int_equal(ask(&b, REPORT_MAILBOXES, (struct report_filter){ .mailbox = "bob", .since_us = t0 }), 0);
	assert_int_equal(ask(&b, REPORT_MAILBOXES, (struct report_filter){ .after_mailbox = "alice" }), 1);
	assert_string_equal(b.box[0].mailbox, "bob");
	end(&b);
}

static void answers_come_once_even_while_the_store_closes(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	assert_int_equal(report_ask(b.rs, REPORT_MAILBOXES, &(struct report_filter){ 0 }, came, &b), 0);
	end(&b);
	assert_true(b.came);
}

static void times_as_people_say_them(void **state)
{
	(void)state;
	struct report_filter f;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	int64_t now = t0, day_start = t0 - 13 * hour; /* 13:00 there */
	static const struct {
		const char *when;
		int64_t since_h, until_h; /* hours from the midnight before now */
		const char *since, *until;
	} good[] = {
		{ "today", 0, 24, "2026-11-22", "2026-11-23" }, { "yesterday", -24, 0, "2026-11-21", "2026-11-22" }, { "1d", 0, 24, "2026-11-22", "2026-11-23" },
		{ "7d", -144, -120, "2026-11-16", "2026-11-17" }, { "2026-11-20", -48, -24, "2026-11-20", "2026-11-21" },
		{ "2026-10-25", -28 * 24 - 1, -27 * 24, "2026-10-25", "2026-10-26" }, /* a day of 25 hours */
	};
	for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
		f = (struct report_filter){ 0 };
		assert_int_equal(report_since(&f, text_of(good[i].when), now), 0);
		assert_int_equal(report_until(&f, text_of(good[i].when), now), 0);
		assert_int_equal((f.since_us - day_start) / hour, good[i].since_h);
		assert_int_equal((f.until_us - day_start) / hour, good[i].until_h);
		assert_string_equal(f.since_day, good[i].since);
		assert_string_equal(f.until_day, good[i].until);
		assert_false(f.times);
	}
	f = (struct report_filter){ 0 };
	assert_int_equal(report_since(&f, TEXT("2026-11-22T10:00:00Z"), now), 0);
	assert_int_equal(f.since_us, t0 - 2 * hour);
	assert_true(f.times);
	assert_int_equal(report_until(&f, TEXT("all"), now), 0);
	assert_int_equal(f.until_us, 0);
	static const char *const bad[] = { "tomorrow", "0d", "d", "-3d", "2026-13-01", "2026-02-30", "2026-11-2", "2026-11-22x", "12:00", "99999999d", "1900-01-01" };
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(report_since(&f, text_of(bad[i]), now), EINVAL);
	setenv("TZ", "UTC", 1);
	tzset();
}

static void pg(void **state)
{
	on_pg = true;
	calls_in_figures(state);
	single_calls_page_by_page(state);
	what_callers_did(state);
	on_pg = false;
}

UT_MAIN(UT(calls_in_figures), UT(single_calls_page_by_page), UT(what_callers_did), UT(answers_come_once_even_while_the_store_closes),
        UT(times_as_people_say_them), UT(pg))
