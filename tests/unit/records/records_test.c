/* SPDX-License-Identifier: Apache-2.0 */
/* Records of calls on both stores: written in batches, kept while the store is away, never counted twice, deleted in time. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/mem.h"
#include "db/faults.h"
#include "net/loop.h"
#include "pg.h"
#include "records/records.h"

struct bench {
	struct loop *loop;
	struct store *s;
	struct db_faults f;
	struct ev_bus *bus;
	struct records *rs;
	char url[300], spool[300];
	unsigned queue_max;
	int64_t n;
};

static bool on_pg;
static const int64_t noon = INT64_C(1795348800000000);

static void open_store(struct bench *b)
{
	struct store_prm prm = { .url = b->url, .loop = b->loop, .clock = clock_system() };
	if (on_pg) {
		prm.url = pg_url();
		prm.statement_ms = 1000;
		assert_int_equal(store_open(&b->s, &prm, NULL), 0);
	} else {
		assert_int_equal(store_open_with(&b->s, &prm, &db_scripted, &b->f, NULL), 0);
	}
}

static void open_records(struct bench *b)
{
	struct records_prm prm = { .store = b->s, .loop = b->loop, .clock = clock_system(), .bus = b->bus, .spool = b->spool, .keep_days = 90,
		.queue_max = b->queue_max, .write_ms = 1, .retry_ms = 20 };
	assert_int_equal(records_create(&b->rs, &prm), 0);
}

static void begin(struct bench *b)
{
	memset(b, 0, sizeof *b);
	db_faults_init(&b->f);
	snprintf(b->url, sizeof b->url, "sqlite:%s/r.db", ut_tmpdir());
	snprintf(b->spool, sizeof b->spool, "%s/call-records", ut_tmpdir());
	assert_int_equal(loop_create(&b->loop, clock_system()), 0);
	assert_int_equal(ev_bus_create(&b->bus, clock_system(), 64), 0);
	for (unsigned c = 0; c < EV_CATEGORIES; c++)
		ev_bus_level(b->bus, (enum ev_category)c, EV_LEVEL_HIGH);
	if (on_pg) {
		if (!pg_url())
			skip();
		pg_wipe();
	}
	open_store(b);
	open_records(b);
}

static void end(struct bench *b)
{
	records_destroy(b->rs);
	store_close(b->s);
	ev_bus_destroy(b->bus);
	loop_destroy(b->loop);
	unlink(b->spool);
}

static struct call_record record(const char *kind, int64_t at_us)
{
	struct call_record r;
	record_init(&r);
	id_make(r.id, clock_system());
	text_fill(r.kind, sizeof r.kind, kind);
	text_fill(r.node, sizeof r.node, "node01");
	text_fill(r.offer_result, sizeof r.offer_result, "answer");
	text_fill(r.caller_name, sizeof r.caller_name, "=1+1 \xff");
	r.started_us = at_us;
	r.duration_ms = 4000;
	record_day(at_us, r.day);
	return r;
}

static void put(struct bench *b, const struct call_record *r)
{
	struct call_box box = { .mailbox = "alice", .called = true, .message = true, .failed = 2 };
	struct call_step step[2] = { { .at_ms = 5, .attendant = "main", .menu = "open", .what = "entered" },
		{ .at_ms = 900, .attendant = "main", .menu = "open", .what = "key", .value = "1", .target = "dialed" } };
	records_put(b->rs, r, &box, 1, step, 2);
}

struct ask {
	const char *sql;
	int64_t n;
};

static int ask_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct ask *a = arg;
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, a->sql, "");
	if (err)
		return err;
	a->n = db_col_int(r, 0);
	db_rows_close(r);
	return 0;
}

static int64_t ask(struct bench *b, const char *sql)
{
	struct ask a = { .sql = sql };
	assert_int_equal(store_run(b->s, STORE_READ, ask_work, &a, NULL), 0);
	return a.n;
}

static void until_written(struct bench *b)
{
	for (int i = 0; i < 1000 && records_waiting(b->rs); i++)
		loop_step(b->loop, 10);
	assert_int_equal(records_waiting(b->rs), 0);
}

struct look {
	uint16_t id;
	unsigned n;
};

static void look(const struct ev_record *rec, void *arg)
{
	struct look *l = arg;
	l->n += rec->report.id == l->id;
}

static bool told(struct bench *b, const char *name)
{
	const struct ev_def *d = ev_def_by_name(text_of(name));
	assert_non_null(d);
	struct look l = { .id = d->id };
	ev_bus_flush(b->bus);
	ev_bus_read(b->bus, 0, 64, look, &l);
	return l.n > 0;
}

static void what_is_put_is_there_once(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct call_record r = record("voice-message", noon);
	put(&b, &r);
	for (int i = 0; i < 150; i++) {
		struct call_record x = record("attendant", noon + i);
		put(&b, &x);
	}
	assert_int_equal(records_waiting(b.rs), 151);
	until_written(&b);
	put(&b, &r); /* as after an end that nobody knows */
	until_written(&b);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_record"), 151);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_step"), 302);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_box WHERE failed = 2 AND messages = 1"), 151);
	assert_int_equal(ask(&b, "SELECT CAST(SUM(calls) AS BIGINT) FROM call_day"), 151);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_day"), 2);
	assert_int_equal(ask(&b, "SELECT CAST(SUM(duration_ms) AS BIGINT) FROM call_day WHERE kind = 'voice-message'"), 4000);
	assert_int_equal(ask(&b, "SELECT CAST(SUM(duration_ms) AS BIGINT) FROM call_day WHERE kind = 'attendant' AND calls = 150"), 600000);
	assert_int_equal(ask(&b, "SELECT CAST(SUM(n_nmos + n_jitter + received) AS BIGINT) FROM call_day"), 0);
	assert_int_equal(records_lost(b.rs), 0);
	end(&b);
}

static void a_store_that_is_away_is_waited_for(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	db_faults_add(&b.f, (struct db_fault){ .at = DB_AT_BEGIN, .err = ENOSPC, .times = 3 });
	db_faults_add(&b.f, (struct db_fault){ .at = DB_AT_COMMIT, .err = ENOTCONN, .after = true });
	for (int i = 0; i < 10; i++) {
		struct call_record x = record("missed", noon + i);
		put(&b, &x);
	}
	until_written(&b);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_record"), 10);
	assert_int_equal(ask(&b, "SELECT CAST(SUM(calls) AS BIGINT) FROM call_day"), 10);
	assert_true(told(&b, "RECORDS_WAIT"));
	assert_true(told(&b, "RECORDS_WRITTEN"));
	assert_false(told(&b, "RECORDS_LOST"));
	end(&b);
}

static void what_a_stop_leaves_is_written_by_the_next_start(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	for (int round = 0; round < 2; round++) { /* the second time all but one are in the file already */
		db_faults_add(&b.f, (struct db_fault){ .at = DB_AT_BEGIN, .err = ENOSPC, .times = 1000 });
		struct call_record x = record("missed", noon + round), y = record("subscriber", noon + 10 + round);
		put(&b, &x);
		put(&b, &y);
		for (int i = 0; i < 20; i++)
			loop_step(b.loop, 2);
		records_destroy(b.rs);
		store_close(b.s);
		assert_int_equal(access(b.spool, R_OK), 0);
		db_faults_clear(&b.f);
		open_store(&b);
		open_records(&b);
	}
	until_written(&b);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_record"), 4);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_step"), 8);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_box WHERE failed = 2"), 4);
	assert_int_equal(access(b.spool, R_OK), -1);
	end(&b);
}

static void a_damaged_file_is_told_and_the_rest_of_it_kept(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct call_record r = record("missed", noon);
	struct record_item *it = record_item(&r, NULL, 0, NULL, 0);
	struct buf line;
	buf_init(&line, 65536);
	assert_int_equal(record_write(it, &line), 0);
	records_destroy(b.rs);
	FILE *f = fopen(b.spool, "w");
	fprintf(f, "rubbish\n{\"id\":\"x\"}\n%s\n", buf_cstr(&line));
	fclose(f);
	buf_free(&line);
	mem_free(it);
	open_records(&b);
	until_written(&b);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_record"), 1);
	assert_true(told(&b, "RECORDS_SPOOL_DAMAGED"));
	assert_int_equal(access(b.spool, R_OK), -1);
	end(&b);
}

/* A file of records that began one after the other. */
static void write_file(struct bench *b, int n)
{
	FILE *f = fopen(b->spool, "w");
	assert_non_null(f);
	for (int i = 0; i < n; i++) {
		struct call_record r = record("missed", noon + i);
		struct record_item *it = record_item(&r, NULL, 0, NULL, 0);
		struct buf line;
		buf_init(&line, 65536);
		assert_int_equal(record_write(it, &line), 0);
		fprintf(f, "%s\n", buf_cstr(&line));
		buf_free(&line);
		mem_free(it);
	}
	assert_int_equal(fclose(f), 0);
}

static void a_file_of_more_than_may_wait_is_read_to_its_end(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	records_destroy(b.rs);
	write_file(&b, 11);
	b.queue_max = 4;
	open_records(&b);
	struct call_record now = record("subscriber", noon + 100);
	put(&b, &now); /* there is room for a call that ends meanwhile */
	until_written(&b);
	assert_int_equal(records_lost(b.rs), 0);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_record"), 12);
	assert_int_equal(ask(&b, "SELECT CAST(SUM(calls) AS BIGINT) FROM call_day"), 12);
	assert_int_equal(access(b.spool, R_OK), -1);
	end(&b);
}

static void a_record_of_the_file_that_the_store_refuses_is_lost_once(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	records_destroy(b.rs);
	write_file(&b, 1);
	db_faults_add(&b.f, (struct db_fault){ .at = DB_AT_EXEC, .err = EINVAL });
	open_records(&b);
	until_written(&b);
	assert_int_equal(records_lost(b.rs), 1);
	assert_int_equal(access(b.spool, R_OK), -1); /* the next start does not ask for it again */
	end(&b);
}

static void too_many_are_counted_and_told(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	records_destroy(b.rs);
	b.queue_max = 5;
	open_records(&b);
	for (int i = 0; i < 8; i++) {
		struct call_record x = record("missed", noon + i);
		put(&b, &x);
	}
	assert_int_equal(records_lost(b.rs), 3);
	assert_true(told(&b, "RECORDS_LOST"));
	until_written(&b);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_record"), 5);
	end(&b);
}

static void one_that_the_store_refuses_holds_up_no_other(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	db_faults_add(&b.f, (struct db_fault){ .at = DB_AT_EXEC, .err = EINVAL, .skip = 3 }); /* of the batch */
	db_faults_add(&b.f, (struct db_fault){ .at = DB_AT_EXEC, .err = EINVAL });            /* and the first of those that are tried alone */
	for (int i = 0; i < 4; i++) {
		struct call_record x = record("missed", noon + i);
		put(&b, &x);
	}
	until_written(&b);
	assert_int_equal(records_lost(b.rs), 1);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_record"), 3);
	end(&b);
}

/* As left by two nodes that swept at the same time. */
static int orphan_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	int64_t at = *(const int64_t *)arg;
	int err = db_exec(tx, why, "INSERT INTO call_step (record, seq, started_us, at_ms, attendant, menu, what, value, target)"
		" VALUES ('gone', 0, ?1, 5, 'main', 'open', 'key', '1', '')", "i", at);
	return err ? err : db_exec(tx, why, "INSERT INTO call_box (record, mailbox, started_us, called, messages, missed, logons, failed)"
		" VALUES ('gone', 'alice', ?1, 1, 0, 1, 0, 0)", "i", at);
}

static void old_ones_are_deleted_a_few_at_a_time(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	int64_t day = INT64_C(86400) * 1000000, now = clock_real_us(clock_system());
	for (int i = 0; i < 700; i++) {
		struct call_record x = record("attendant", now - 91 * day + i);
		put(&b, &x);
	}
	struct call_record young = record("attendant", now - 89 * day);
	put(&b, &young);
	until_written(&b);
	int64_t older = now - 92 * day;
	assert_int_equal(store_run(b.s, STORE_WRITE, orphan_work, &older, NULL), 0);
	int64_t days = ask(&b, "SELECT COUNT(*) FROM call_day");
	records_sweep_now(b.rs);
	for (int i = 0; i < 500 && ask(&b, "SELECT COUNT(*) FROM call_record") > 1; i++)
		loop_step(b.loop, 10);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_record"), 1);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_step"), 2);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_box"), 1);
	assert_int_equal(ask(&b, "SELECT COUNT(*) FROM call_day"), days);
	end(&b);
}

static int there_and_back(void *arg)
{
	struct call_record r = record("find-me", noon);
	struct call_step s[3] = { { .at_ms = 1, .what = "entered" }, { .what = "said", .value = "\x01 \xc3\xa4" }, { .what = "gave-up" } };
	struct call_box x[2] = { { .mailbox = "alice", .missed = true, .logons = 3 }, { .mailbox = "bob" } };
	struct record_item *it = record_item(&r, x, 2, s, 3), *back = NULL;
	struct buf line;
	(void)arg;
	buf_init(&line, 65536);
	int err = it ? record_write(it, &line) : ENOMEM;
	if (!err)
		err = record_read(&back, buf_as_text(&line));
	if (!err) {
		assert_int_equal(back->n_steps, 3);
		assert_int_equal(back->n_boxes, 2);
		assert_int_equal(back->box[0].logons, 3);
		assert_true(back->box[0].missed);
		assert_string_equal(back->step[1].value, s[1].value);
		assert_int_equal(back->r.jitter_us, RECORD_UNKNOWN);
		assert_string_equal(back->r.id, r.id);
		assert_string_equal(back->r.caller_name, "=1+1 \\xff");
	}
	buf_free(&line);
	mem_free(it);
	mem_free(back);
	return err;
}

static void records_survive_being_written_as_lines(void **state)
{
	(void)state;
	ut_oom(there_and_back, NULL);
	struct record_item *it;
	assert_int_equal(record_read(&it, TEXT("")), EBADMSG);
	assert_int_equal(record_read(&it, TEXT("[]")), EBADMSG);
	assert_int_equal(record_read(&it, TEXT("{\"path\":[1,2]}")), EBADMSG);
}

static void pg(void **state)
{
	on_pg = true;
	what_is_put_is_there_once(state);
	old_ones_are_deleted_a_few_at_a_time(state);
	on_pg = false;
}

UT_MAIN(UT(what_is_put_is_there_once), UT(a_store_that_is_away_is_waited_for), UT(what_a_stop_leaves_is_written_by_the_next_start),
        UT(a_damaged_file_is_told_and_the_rest_of_it_kept), UT(a_file_of_more_than_may_wait_is_read_to_its_end),
        UT(a_record_of_the_file_that_the_store_refuses_is_lost_once), UT(too_many_are_counted_and_told), UT(one_that_the_store_refuses_holds_up_no_other),
        UT(old_ones_are_deleted_a_few_at_a_time), UT(records_survive_being_written_as_lines), UT(pg))
