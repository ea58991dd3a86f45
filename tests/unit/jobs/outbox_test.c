/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "db/faults.h"
#include "jobs/outbox.h"
#include "net/loop.h"
#include "pg.h"

struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct store *s;
	struct db_faults f;
	struct outbox *o;
	char url[300];
	unsigned calls;
	char last_key[32], last_body[32];
	unsigned last_tries;
	uint64_t handle;
	enum outbox_verdict answer;
	bool answer_later;
};

static bool on_pg;

static void handle(const struct outbox_item *item, void *arg)
{
	struct bench *b = arg;
	b->calls++;
	b->handle = item->handle;
	b->last_tries = item->tries;
	snprintf(b->last_key, sizeof b->last_key, "%s", item->key);
	snprintf(b->last_body, sizeof b->last_body, "%s", item->body);
	if (!b->answer_later)
		outbox_finish(b->o, item->handle, strcmp(item->key, "bad") == 0 ? OUTBOX_LATER : b->answer, "because");
}

static struct outbox *worker(struct bench *b, const char *node)
{
	struct outbox *o;
	struct outbox_prm prm = { .store = b->s, .loop = b->loop, .clock = &b->clock.clock, .node = node };
	assert_int_equal(outbox_create(&o, &prm), 0);
	assert_int_equal(outbox_on(o, "lamp", handle, b), 0);
	assert_int_equal(outbox_on(o, "lamp", handle, b), EEXIST);
	return o;
}

static void begin(struct bench *b)
{
	memset(b, 0, sizeof *b);
	clock_fake_init(&b->clock, 1795356309);
	db_faults_init(&b->f);
	assert_int_equal(loop_create(&b->loop, &b->clock.clock), 0);
	struct store_prm prm = { .url = b->url, .loop = b->loop, .clock = &b->clock.clock };
	if (on_pg) {
		if (!pg_url())
			skip();
		pg_wipe();
		prm.url = pg_url();
		assert_int_equal(store_open(&b->s, &prm, NULL), 0);
	} else {
		snprintf(b->url, sizeof b->url, "sqlite:%s/o.db", ut_tmpdir());
		assert_int_equal(store_open_with(&b->s, &prm, &db_scripted, &b->f, NULL), 0);
	}
	b->o = worker(b, "node01");
	outbox_start(b->o);
}

static void end(struct bench *b)
{
	outbox_destroy(b->o);
	store_close(b->s);
	loop_destroy(b->loop);
}

struct order {
	const char *key, *body;
};

static int put_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct order *o = arg;
	return outbox_put(tx, "lamp", o->key, o->body, why);
}

static void put(struct bench *b, const char *key, const char *body)
{
	struct order o = { key, body };
	assert_int_equal(store_run(b->s, STORE_WRITE, put_work, &o, NULL), 0);
}

static int count_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT COUNT(*), COUNT(CASE WHEN state = 1 THEN 1 END) FROM outbox", "");
	if (err)
		return err;
	((int64_t *)arg)[0] = db_col_int(r, 0);
	((int64_t *)arg)[1] = db_col_int(r, 1);
	db_rows_close(r);
	return 0;
}

static void expect_rows(struct bench *b, int64_t all, int64_t failed)
{
	int64_t n[2] = { -1, -1 };
	for (int i = 0; i < 6000 && (n[0] != all || n[1] != failed); i++) {
		loop_step(b->loop, 5);
		assert_int_equal(store_run(b->s, STORE_READ, count_work, n, NULL), 0);
	}
	assert_int_equal(n[0], all);
	assert_int_equal(n[1], failed);
}

static void expect_calls(struct bench *b, unsigned n)
{
	for (int i = 0; i < 6000 && b->calls < n; i++)
		loop_step(b->loop, 5);
	assert_int_equal(b->calls, n);
}

static int leased_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT COUNT(*) FROM outbox WHERE lease_until_us > 0", "");
	if (err)
		return err;
	*(int64_t *)arg = db_col_int(r, 0);
	db_rows_close(r);
	return 0;
}

/* How the last try ended stands in the store: from that moment its pause counts. */
static void written(struct bench *b)
{
	int64_t n = -1;
	for (int i = 0; i < 6000 && n; i++) {
		loop_step(b->loop, 5);
		assert_int_equal(store_run(b->s, STORE_READ, leased_work, &n, NULL), 0);
	}
	assert_int_equal(n, 0);
}

static void settle(struct bench *b)
{
	for (int i = 0; i < 20; i++)
		loop_step(b->loop, 3);
}

static void done_row_is_gone(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	put(&b, "alice", "{}");
	outbox_kick(b.o);
	expect_calls(&b, 1);
	assert_string_equal(b.last_key, "alice");
	assert_int_equal(b.last_tries, 1);
	expect_rows(&b, 0, 0);
	end(&b);
}

static void later_waits_and_grows_and_never_stays_as_failed(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	b.answer = OUTBOX_LATER;
	put(&b, "alice", "{}");
	outbox_kick(b.o);
	expect_calls(&b, 1);
	written(&b);
	clock_fake_advance_ms(&b.clock, 3000);
	settle(&b);
	assert_int_equal(b.calls, 1);
	clock_fake_advance_ms(&b.clock, 4000);
	expect_calls(&b, 2);
	assert_int_equal(b.last_tries, 2);
	written(&b);
	clock_fake_advance_ms(&b.clock, 8000);
	settle(&b);
	assert_int_equal(b.calls, 2); /* the second pause is longer */
	b.answer = OUTBOX_NEVER;
	clock_fake_advance_ms(&b.clock, 5000);
	expect_calls(&b, 3);
	expect_rows(&b, 1, 1);
	put(&b, "alice", "{}"); /* a new order begins anew */
	b.answer = OUTBOX_DONE;
	outbox_kick(b.o);
	expect_calls(&b, 4);
	assert_int_equal(b.last_tries, 1);
	expect_rows(&b, 0, 0);
	end(&b);
}

static void bad_row_holds_up_no_other(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	put(&b, "bad", "{}");
	for (int i = 0; i < 40; i++) {
		char key[16];
		snprintf(key, sizeof key, "k%d", i);
		put(&b, key, "{}");
	}
	outbox_kick(b.o);
	expect_calls(&b, 41);
	expect_rows(&b, 1, 0);
	end(&b);
}

static void order_that_comes_during_a_try_is_done_after_it(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	b.answer_later = true;
	put(&b, "alice", "one");
	outbox_kick(b.o);
	expect_calls(&b, 1);
	put(&b, "alice", "two");
	outbox_kick(b.o);
	settle(&b);
	assert_int_equal(b.calls, 1); /* never two at once about the same */
	outbox_finish(b.o, b.handle, OUTBOX_DONE, NULL);
	expect_calls(&b, 2);
	assert_string_equal(b.last_body, "two");
	outbox_finish(b.o, b.handle, OUTBOX_DONE, NULL);
	outbox_finish(b.o, b.handle, OUTBOX_DONE, NULL); /* twice is harmless */
	expect_rows(&b, 0, 0);
	end(&b);
}

static void dead_node_gives_its_rows_back(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	b.answer_later = true;
	put(&b, "alice", "{}");
	outbox_kick(b.o);
	expect_calls(&b, 1);
	outbox_destroy(b.o); /* without an end */
	b.o = worker(&b, "node02");
	outbox_start(b.o);
	settle(&b);
	assert_int_equal(b.calls, 1);
	clock_fake_advance_ms(&b.clock, 61000);
	expect_calls(&b, 2);
	assert_int_equal(b.last_tries, 2);
	outbox_finish(b.o, b.handle, OUTBOX_DONE, NULL);
	expect_rows(&b, 0, 0);
	end(&b);
}

static void two_workers_do_a_row_once(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct outbox *other = worker(&b, "node02");
	b.answer_later = true;
	outbox_start(other);
	settle(&b);
	put(&b, "alice", "{}");
	outbox_kick(b.o);
	outbox_kick(other);
	expect_calls(&b, 1);
	settle(&b);
	assert_int_equal(b.calls, 1);
	assert_int_equal(outbox_running(b.o) + outbox_running(other), 1);
	outbox_destroy(other);
	end(&b);
}

static void end_that_cannot_be_written_is_written_later(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	settle(&b);
	b.answer_later = true;
	put(&b, "alice", "{}");
	outbox_kick(b.o);
	expect_calls(&b, 1);
	settle(&b);
	db_faults_add(&b.f, (struct db_fault){ DB_AT_EXEC, EIO, .times = 1 });
	outbox_finish(b.o, b.handle, OUTBOX_DONE, NULL);
	settle(&b);
	for (int i = 0; i < 6000 && store_state(b.s) != STORE_GOOD; i++)
		loop_step(b.loop, 5);
	clock_fake_advance_ms(&b.clock, 2500);
	expect_rows(&b, 0, 0);
	assert_int_equal(b.calls, 1);
	end(&b);
}

static int set_pg(void **state)
{
	on_pg = true;
	return ut_setup(state);
}

static int set_sqlite(void **state)
{
	on_pg = false;
	return ut_setup(state);
}

#define BOTH(t) { #t " (sqlite)", t, set_sqlite, ut_teardown, NULL }, { #t " (postgresql)", t, set_pg, ut_teardown, NULL }
#define ONE(t) { #t, t, set_sqlite, ut_teardown, NULL }

UT_MAIN(BOTH(done_row_is_gone), BOTH(later_waits_and_grows_and_never_stays_as_failed), BOTH(bad_row_holds_up_no_other),
	BOTH(order_that_comes_during_a_try_is_done_after_it), BOTH(dead_node_gives_its_rows_back), BOTH(two_workers_do_a_row_once),
	ONE(end_that_cannot_be_written_is_written_later))
