/* SPDX-License-Identifier: Apache-2.0 */
/* The same questions to both engines. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "db/driver.h"
#include "db_events.h"
#include "net/loop.h"
#include "pg.h"

struct bench {
	struct loop *loop;
	struct store *s;
	char url[300];
};

static const char *engine; /* "sqlite" or "postgresql" */

static void open_again(struct bench *b)
{
	struct store_prm prm = { .url = b->url, .loop = b->loop, .clock = clock_system() };
	struct ev_report *why = mem_zalloc(1, sizeof *why);
	char words[300];
	int err = store_open(&b->s, &prm, why);
	if (err)
		fail_msg("%s: %s", strerror(err), ev_sentence(why, words, sizeof words));
	mem_free(why);
}

static void begin(struct bench *b)
{
	assert_int_equal(loop_create(&b->loop, clock_system()), 0);
	if (strcmp(engine, "sqlite") == 0) {
		snprintf(b->url, sizeof b->url, "sqlite:%s/umbel.db", ut_tmpdir());
	} else {
		if (!pg_url())
			skip();
		pg_wipe();
		snprintf(b->url, sizeof b->url, "%s", pg_url());
	}
	open_again(b);
}

static void end(struct bench *b)
{
	store_close(b->s);
	loop_destroy(b->loop);
}

static int table(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	return db_exec(tx, why, "CREATE TABLE t (k TEXT NOT NULL PRIMARY KEY, n BIGINT, b BYTEA, s TEXT)", "");
}

static int values_in(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	int err = db_exec(tx, why, "INSERT INTO t (k, n, b, s) VALUES (?1, ?2, ?3, ?4)", "sibt", "a", INT64_MIN, (const void *)"\0\1\xff", (size_t)3,
		TEXT("gr\xc3\xbc\xc3\x9f \xff'; DROP TABLE t"));
	assert_int_equal(db_changes(tx), 1);
	if (!err)
		err = db_exec(tx, why, "INSERT INTO t (k, n, b, s) VALUES (?1, ?2, NULL, ?3)", "tis", text_make("b\0b", 3), (int64_t)-5, (const char *)NULL);
	return err;
}

static int values_out(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *r;
	char name[4];
	(void)arg;
	assert_int_equal(db_query(tx, &r, why, "SELECT k, n, b, s, COUNT(*) OVER () FROM t ORDER BY k", ""), 0);
	assert_int_equal(db_step(r, why), 0);
	assert_true(text_is(db_col_text(r, 0), "a"));
	assert_true(db_col_int(r, 1) == INT64_MIN);
	assert_int_equal(db_col_blob(r, 2).n, 3);
	assert_memory_equal(db_col_blob(r, 2).p, "\0\1\xff", 3);
	assert_true(text_is(db_col_text(r, 3), "gr\xc3\xbc\xc3\x9f \xef\xbf\xbd'; DROP TABLE t"));
	db_col_copy(r, 3, name, sizeof name);
	assert_string_equal(name, "gr\xc3");
	assert_int_equal(db_col_int(r, 4), 2);
	assert_int_equal(db_step(r, why), 0);
	assert_true(text_is(db_col_text(r, 0), "b\xef\xbf\xbd" "b"));
	assert_int_equal(db_col_int(r, 1), -5);
	assert_true(db_col_null(r, 2) && db_col_null(r, 3));
	assert_int_equal(db_step(r, why), ENOENT);
	db_rows_close(r);
	assert_int_equal(db_query_one(tx, &r, why, "SELECT k FROM t WHERE k = ?1", "s", "none"), ENOENT);
	return 0;
}

static int update_and_count(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	struct db_rows *r;
	int err = db_exec(tx, why, "UPDATE t SET n = n + ?1 WHERE k = ?2 AND n < ?3", "isi", (int64_t)2, "a", (int64_t)0);
	assert_int_equal(db_changes(tx), 1);
	if (!err)
		err = db_query_one(tx, &r, why, "UPDATE t SET n = 7 WHERE k = 'a' RETURNING n, s", "");
	if (err)
		return err;
	assert_int_equal(db_col_int(r, 0), 7);
	db_rows_close(r);
	return 0;
}

static void values_go_in_and_come_out_as_they_were(void **state)
{
	(void)state;
	struct bench b = { 0 };
	begin(&b);
	assert_int_equal(store_run(b.s, STORE_WRITE, table, NULL, NULL), 0);
	assert_int_equal(store_run(b.s, STORE_WRITE, values_in, NULL, NULL), 0);
	assert_int_equal(store_run(b.s, STORE_READ, values_out, NULL, NULL), 0);
	assert_int_equal(store_run(b.s, STORE_WRITE, update_and_count, NULL, NULL), 0);
	end(&b);
}

static int twice(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	return db_exec(tx, why, "INSERT INTO t (k) VALUES ('same')", "");
}

static int nonsense(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	return db_exec(tx, why, "SELEKT 1", "");
}

static int write_in_read(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	return db_exec(tx, why, "DELETE FROM t", "");
}

static void errors_have_their_code_and_words(void **state)
{
	(void)state;
	struct bench b = { 0 };
	struct ev_report *why = mem_zalloc(1, sizeof *why);
	begin(&b);
	assert_int_equal(store_run(b.s, STORE_WRITE, table, NULL, NULL), 0);
	assert_int_equal(store_run(b.s, STORE_WRITE, twice, NULL, why), 0);
	assert_int_equal(store_run(b.s, STORE_WRITE, twice, NULL, why), EEXIST);
	assert_int_equal(store_run(b.s, STORE_WRITE, nonsense, NULL, why), EINVAL);
	assert_int_equal(why->id, EV_DB_STATEMENT);
	assert_true(ev_field_text(why, "error").n > 5);
	assert_int_equal(store_run(b.s, STORE_READ, write_in_read, NULL, why), EROFS);
	end(&b);
	mem_free(why);
}

static int half(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	int err = db_exec(tx, why, "INSERT INTO t (k) VALUES ('half')", "");
	return err ? err : ECANCELED;
}

static int count(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT COUNT(*) FROM t", "");
	if (err)
		return err;
	*(int64_t *)arg = db_col_int(r, 0);
	db_rows_close(r);
	return 0;
}

static void failed_work_leaves_nothing(void **state)
{
	(void)state;
	struct bench b = { 0 };
	int64_t n = -1;
	begin(&b);
	assert_int_equal(store_run(b.s, STORE_WRITE, table, NULL, NULL), 0);
	assert_int_equal(store_run(b.s, STORE_WRITE, half, NULL, NULL), ECANCELED);
	assert_int_equal(store_run(b.s, STORE_READ, count, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_state(b.s), STORE_GOOD);
	end(&b);
}

static int one_row(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	return db_exec(tx, why, "INSERT INTO t (k) VALUES ('later')", "");
}

static int before_and_after(struct db_tx *tx, void *arg, struct ev_report *why)
{
	int64_t n = -1;
	assert_int_equal(count(tx, &n, why), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_run(arg, STORE_WRITE, one_row, NULL, NULL), 0); /* another node, in between */
	assert_int_equal(count(tx, &n, why), 0);
	assert_int_equal(n, 0);
	return 0;
}

static void a_read_sees_one_moment_whatever_others_commit_meanwhile(void **state)
{
	(void)state;
	struct bench b = { 0 }, other = { 0 };
	int64_t n = -1;
	begin(&b);
	other = b;
	open_again(&other);
	assert_int_equal(store_run(b.s, STORE_WRITE, table, NULL, NULL), 0);
	assert_int_equal(store_run(b.s, STORE_READ, before_and_after, other.s, NULL), 0);
	assert_int_equal(store_run(b.s, STORE_READ, count, &n, NULL), 0);
	assert_int_equal(n, 1);
	store_close(other.s);
	end(&b);
}

/* ---- many jobs through the queue ---- */

struct order {
	char key[16];
	int want;
	int *left;
};

static int insert(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct order *o = arg;
	int err = db_exec(tx, why, "INSERT INTO t (k) VALUES (?1)", "s", o->key);
	return err ? err : o->want;
}

static void inserted(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct order *o = arg;
	assert_int_equal(err, o->want);
	assert_int_equal(result, o->want ? STORE_FAILED : STORE_DONE);
	assert_non_null(why);
	--*o->left;
}

static void wait_for(struct bench *b, const int *left)
{
	for (int i = 0; i < 2000 && *left > 0; i++)
		loop_step(b->loop, 10);
	assert_int_equal(*left, 0);
}

static void one_that_fails_spoils_no_other(void **state)
{
	(void)state;
	struct bench b = { 0 };
	struct order o[200];
	int left = 200;
	int64_t n;
	begin(&b);
	assert_int_equal(store_run(b.s, STORE_WRITE, table, NULL, NULL), 0);
	for (int i = 0; i < 200; i++) {
		o[i].want = i % 7 == 3 ? EDOM : i % 11 == 5 ? EEXIST : 0;
		o[i].left = &left;
		snprintf(o[i].key, sizeof o[i].key, "%d", o[i].want == EEXIST ? 0 : i);
		assert_int_equal(store_submit(b.s, STORE_WRITE, insert, inserted, &o[i]), 0);
	}
	wait_for(&b, &left);
	int good = 0;
	for (int i = 0; i < 200; i++)
		good += o[i].want == 0;
	assert_int_equal(store_run(b.s, STORE_READ, count, &n, NULL), 0);
	assert_int_equal(n, good);
	end(&b);
}

static void what_is_done_is_there_after_opening_again(void **state)
{
	(void)state;
	struct bench b = { 0 };
	int left = 1;
	int64_t n;
	struct order o = { "x", 0, &left };
	begin(&b);
	assert_int_equal(store_run(b.s, STORE_WRITE, table, NULL, NULL), 0);
	assert_int_equal(store_submit(b.s, STORE_WRITE, insert, inserted, &o), 0);
	store_close(b.s); /* closing finishes what is queued */
	assert_int_equal(left, 0);
	open_again(&b);
	assert_int_equal(store_run(b.s, STORE_READ, count, &n, NULL), 0);
	assert_int_equal(n, 1);
	end(&b);
}

/* ---- blobs ---- */

static int blobs(struct db_tx *tx, void *arg, struct ev_report *why)
{
	uint8_t *big = arg;
	size_t n = DB_BLOB_CHUNK * 2 + 17;
	int64_t size = 0;
	struct buf out;
	buf_init(&out, DB_BLOB_MAX);
	assert_int_equal(db_blob_put(tx, "b", "old", 3, why), 0);
	assert_int_equal(db_blob_put(tx, "b", big, n, why), 0);
	assert_int_equal(db_blob_append(tx, "b", "tail", 4, why), 0);
	assert_int_equal(db_blob_size(tx, "b", &size, why), 0);
	assert_int_equal(size, n + 4);
	assert_int_equal(db_blob_get(tx, "b", &out, why), 0);
	assert_int_equal(out.n, n + 4);
	assert_memory_equal(out.p, big, n);
	assert_memory_equal(out.p + n, "tail", 4);
	buf_free(&out);
	assert_int_equal(db_blob_put(tx, "empty", "", 0, why), 0);
	assert_int_equal(db_blob_get(tx, "empty", &out, why), 0);
	assert_int_equal(out.n, 0);
	assert_int_equal(db_blob_delete(tx, "b", why), 0);
	assert_int_equal(db_blob_get(tx, "b", &out, why), ENOENT);
	assert_int_equal(db_blob_size(tx, "b", &size, why), ENOENT);
	buf_free(&out);
	return 0;
}

static void blobs_come_back_whole(void **state)
{
	(void)state;
	struct bench b = { 0 };
	size_t n = DB_BLOB_CHUNK * 2 + 17;
	uint8_t *big = mem_alloc(n);
	for (size_t i = 0; i < n; i++)
		big[i] = (uint8_t)(i * 31 >> 3);
	begin(&b);
	assert_int_equal(store_run(b.s, STORE_WRITE, blobs, big, NULL), 0);
	end(&b);
	mem_free(big);
}

static int spoil(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct buf out;
	char first[DB_BLOB_MARK_SIZE], second[DB_BLOB_MARK_SIZE];
	(void)arg;
	buf_init(&out, DB_BLOB_MAX);
	assert_int_equal(db_blob_mark(tx, "b", first, why), ENOENT);
	assert_int_equal(db_blob_put(tx, "b", "what was said", 13, why), 0);
	assert_int_equal(db_blob_mark(tx, "b", first, why), 0);
	assert_int_equal(db_blob_put(tx, "b", "what was sand", 13, why), 0);
	assert_int_equal(db_blob_mark(tx, "b", second, why), 0);
	assert_string_not_equal(first, second);
	assert_int_equal(db_exec(tx, why, "UPDATE blob_chunk SET bytes = ?1 WHERE id = 'b'", "b", (const void *)"what was said", (size_t)13), 0);
	assert_int_equal(db_blob_get(tx, "b", &out, why), EBADMSG);
	assert_int_equal(why->id, EV_DB_BLOB_DAMAGED);
	assert_int_equal(out.n, 0);
	assert_int_equal(db_exec(tx, why, "UPDATE blob_chunk SET hash = '' WHERE id = 'b'", ""), 0); /* written by a release that knew no hash */
	assert_int_equal(db_blob_get(tx, "b", &out, why), 0);
	assert_int_equal(db_blob_mark(tx, "b", first, why), 0);
	assert_string_equal(first, "");
	buf_free(&out);
	return 0;
}

static void bytes_that_changed_are_refused(void **state)
{
	(void)state;
	struct bench b = { 0 };
	struct ev_report why = { 0 };
	begin(&b);
	assert_int_equal(store_run(b.s, STORE_WRITE, spoil, NULL, &why), 0);
	end(&b);
}

/* ---- versions ---- */

static int from_the_future(struct db_tx *tx, void *arg, struct ev_report *why)
{
	return db_exec(tx, why, "INSERT INTO store_schema (version, readable_by, applied_us) VALUES (99, ?1, 0)", "i", *(int64_t *)arg);
}

static void newer_data_are_refused_unless_readable(void **state)
{
	(void)state;
	struct bench b = { 0 };
	int64_t readable_by = 1;
	struct ev_report *why = mem_zalloc(1, sizeof *why);
	begin(&b);
	assert_int_equal(store_run(b.s, STORE_WRITE, from_the_future, &readable_by, NULL), 0);
	store_close(b.s);
	open_again(&b);
	end(&b);
	b.loop = NULL;
	begin(&b);
	readable_by = 98;
	assert_int_equal(store_run(b.s, STORE_WRITE, from_the_future, &readable_by, NULL), 0);
	store_close(b.s);
	struct store_prm prm = { .url = b.url, .loop = b.loop, .clock = clock_system() };
	assert_int_equal(store_open(&b.s, &prm, why), EPROTO);
	assert_int_equal(why->id, EV_DB_NEWER);
	loop_destroy(b.loop);
	mem_free(why);
}

/* ---- PostgreSQL alone ---- */

static void wait_state(struct bench *b, enum store_state want)
{
	for (int i = 0; i < 1500 && store_state(b->s) != want; i++) {
		struct timespec t = { 0, 10000000 };
		nanosleep(&t, NULL);
	}
	assert_int_equal(store_state(b->s), want);
}

static void server_that_dies_is_away_and_comes_back(void **state)
{
	(void)state;
	struct bench b = { 0 };
	int64_t n;
	engine = "postgresql";
	begin(&b);
	assert_int_equal(store_run(b.s, STORE_WRITE, table, NULL, NULL), 0);
	pg_crash();
	assert_int_equal(store_run(b.s, STORE_WRITE, twice, NULL, NULL), ENOTCONN);
	wait_state(&b, STORE_AWAY);
	store_close(b.s);
	struct ev_report *why = mem_zalloc(1, sizeof *why);
	struct store_prm prm = { .url = b.url, .loop = b.loop, .clock = clock_system(), .may_be_away = true };
	assert_int_equal(store_open(&b.s, &prm, why), 0);
	assert_int_equal(store_state(b.s), STORE_AWAY);
	assert_int_equal(store_run(b.s, STORE_READ, count, &n, why), ENOTCONN);
	assert_int_equal(why->id, EV_DB_AWAY);
	pg_again();
	wait_state(&b, STORE_GOOD);
	assert_int_equal(store_run(b.s, STORE_WRITE, twice, NULL, NULL), 0);
	pg_crash();
	pg_again(); /* connections are dead, but nobody noticed: work is done on new ones */
	assert_int_equal(store_run(b.s, STORE_READ, count, &n, NULL), 0);
	assert_int_equal(n, 1);
	mem_free(why);
	end(&b);
}

static void password_is_not_shown(void **state)
{
	(void)state;
	struct loop *loop;
	struct store *s;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	struct store_prm prm = { .url = "postgresql://umbel:geheim@127.0.0.1:1/umbel", .loop = loop, .clock = clock_system(), .may_be_away = true };
	assert_int_equal(store_open(&s, &prm, NULL), 0);
	assert_string_equal(store_place(s), "postgresql://umbel@127.0.0.1:1/umbel");
	store_close(s);
	loop_destroy(loop);
}

static int set_engine_sqlite(void **state)
{
	engine = "sqlite";
	return ut_setup(state);
}

static int set_engine_pg(void **state)
{
	engine = "postgresql";
	return ut_setup(state);
}

#define BOTH(t) { #t " (sqlite)", t, set_engine_sqlite, ut_teardown, NULL }, { #t " (postgresql)", t, set_engine_pg, ut_teardown, NULL }

UT_MAIN(BOTH(values_go_in_and_come_out_as_they_were), BOTH(errors_have_their_code_and_words), BOTH(failed_work_leaves_nothing),
	BOTH(one_that_fails_spoils_no_other), BOTH(what_is_done_is_there_after_opening_again), BOTH(blobs_come_back_whole),
	BOTH(bytes_that_changed_are_refused), BOTH(a_read_sees_one_moment_whatever_others_commit_meanwhile), BOTH(newer_data_are_refused_unless_readable), UT(server_that_dies_is_away_and_comes_back), UT(password_is_not_shown))
