/* SPDX-License-Identifier: Apache-2.0 */
/* reports.c  reports FOLDER [N]   What records of calls cost: N of them (100,000) are written to a new SQLite store in FOLDER as ended calls are, then each report
 * is asked for. One JSON line a figure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "net/loop.h"
#include "records/report.h"

enum { CALLS = 100000, WINDOW_DAYS = 90, BOXES = 500 };
static struct loop *loop;
static struct records *rs;
static bool came;
static size_t rows;

static double now_ms(void)
{
	return (double)clock_mono_us(clock_system()) / 1000;
}

static void tell(const char *figure, double value, const char *unit, double most, const char *how)
{
	printf("{\"figure\": \"%s\", \"value\": %.2f, \"unit\": \"%s\", \"target\": %.0f, \"met\": %s, \"how\": \"%s\"}\n", figure, value, unit, most,
	       value <= most ? "true" : "false", how);
	fflush(stdout);
}

/* A third each: messages, missed calls, attendants. */
static void put(int i, int n, int64_t now_us)
{
	struct call_record r;
	record_init(&r);
	id_make(r.id, clock_system());
	bool attendant = i % 3 == 2;
	text_print(r.kind, sizeof r.kind, "%s", record_kind_name(attendant ? RECORD_ATTENDANT : i % 3 ? RECORD_MISSED : RECORD_VOICE_MESSAGE));
	text_fill(r.offer_result, sizeof r.offer_result, "answer");
	text_fill(r.drop_reason, sizeof r.drop_reason, "caller-hung-up");
	text_fill(r.node, sizeof r.node, "node01");
	text_print(r.gateway, sizeof r.gateway, "pool%d", i % 4);
	text_print(r.called, sizeof r.called, "sip:%d@example.com", 2000 + i % BOXES);
	r.started_us = now_us - (int64_t)(n - i) * WINDOW_DAYS * 86400 * 1000000 / n;
	r.duration_ms = 1000 + i % 60000;
	record_day(r.started_us, r.day);
	struct call_box box = { .called = true, .message = i % 3 == 0, .missed = i % 3 == 1 };
	text_print(box.mailbox, sizeof box.mailbox, "box%d", i % BOXES);
	struct call_step step[4] = { { .menu = "open", .what = "entered" }, { .menu = "open", .what = "key", .target = "sales" }, { .menu = "open", .what = "number" },
		{ .menu = "open", .what = "gave-up", .value = "hung up", .target = "menu" } };
	for (int k = 0; attendant && k < 4; k++)
		text_print(step[k].attendant, sizeof step[k].attendant, "attendant%d", i % 5);
	text_print(step[1].value, sizeof step[1].value, "%d", i % 10);
	text_print(step[2].value, sizeof step[2].value, "%d", 2000 + i % BOXES);
	if (attendant)
		text_fill(r.attendant, sizeof r.attendant, step[0].attendant);
	r.steps = attendant ? 4 : 0;
	records_put(rs, &r, &box, attendant ? 0 : 1, step, (unsigned)r.steps);
}

static void answered(const struct report *rep, int err, const struct ev_report *why, void *arg)
{
	(void)why, (void)arg;
	came = true;
	rows = err ? 0 : rep->n;
}

static void ask(const char *figure, enum report_what what, struct report_filter f, double most, const char *how)
{
	double best = 1e9;
	for (int i = 0; i < 3; i++) {
		double from = now_ms();
		came = false;
		if (report_ask(rs, what, &f, answered, NULL))
			abort();
		while (!came)
			loop_step(loop, 100);
		double took = now_ms() - from;
		best = took < best ? took : best;
	}
	char text[160];
	text_print(text, sizeof text, "%s; %zu rows, best of 3", how, rows);
	tell(figure, best, "ms", most, text);
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : CALLS;
	char url[400];
	struct ev_report *why = mem_zalloc(1, sizeof *why);
	struct store *store;
	if (argc < 2 || n < 1 || !why)
		return 2;
	text_print(url, sizeof url, "sqlite:%s/reports.db", argv[1]);
	if (loop_create(&loop, clock_system()))
		return 1;
	struct store_prm sp = { .url = url, .loop = loop, .clock = clock_system() };
	struct records_prm rp = { .loop = loop, .clock = clock_system(), .keep_days = 3650, .write_ms = 1 };
	if (store_open(&store, &sp, why))
		return 1;
	rp.store = store;
	if (records_create(&rs, &rp))
		return 1;
	int64_t now_us = clock_real_us(clock_system());
	double from = now_ms(), in_put = 0;
	for (int i = 0; i < n; i++) {
		double at = now_ms();
		put(i, n, now_us);
		in_put += now_ms() - at;
		while (records_waiting(rs) > RECORDS_QUEUE_MAX / 2)
			loop_step(loop, 10);
	}
	while (records_waiting(rs))
		loop_step(loop, 10);
	tell("record_put", in_put * 1000 / n, "us", 20, "time of the loop thread for the end of a call");
	tell("record_written", (now_ms() - from) * 1000 / n, "us", 2000, "until it is durable, in batches of 64");
	struct report_filter day = { .by = REPORT_DAY, .limit = 90 }, box = { .mailbox = "box7" }, attendant = { .attendant = "attendant2" };
	ask("report_calls_by_day", REPORT_CALLS, day, 50, "figures of 90 days");
	ask("report_records_page", REPORT_RECORDS, (struct report_filter){ 0 }, 50, "the newest page of all calls");
	ask("report_records_old_page", REPORT_RECORDS, (struct report_filter){ .before_us = now_us - INT64_C(80) * 86400 * 1000000 }, 50, "a page 80 days back");
	ask("report_records_mailbox", REPORT_RECORDS, box, 50, "the newest page of one mailbox");
	ask("report_calls_mailbox", REPORT_CALLS, box, 50, "figures of one mailbox, counted");
	ask("report_attendant_week", REPORT_ATTENDANTS, (struct report_filter){ .attendant = "attendant2", .since_us = now_us - INT64_C(7) * 86400 * 1000000 }, 100, "one attendant, 7 days");
	ask("report_attendant", REPORT_ATTENDANTS, attendant, 1000, "one attendant, 90 days");
	ask("report_mailboxes", REPORT_MAILBOXES, (struct report_filter){ .since_us = now_us - INT64_C(30) * 86400 * 1000000 }, 500, "all mailboxes, 30 days");
	records_destroy(rs);
	store_close(store);
	loop_destroy(loop);
	mem_free(why);
	return 0;
}
