/* SPDX-License-Identifier: Apache-2.0 */
/* What the store says of its state, and what becomes of work, when the engine fails at a place of our choice. */
#include "ut.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "db/faults.h"
#include "net/loop.h"

struct bench {
	struct loop *loop;
	struct store *s;
	struct db_faults f;
	char url[320];
};

static void begin(struct bench *b)
{
	db_faults_init(&b->f);
	assert_int_equal(loop_create(&b->loop, clock_system()), 0);
	snprintf(b->url, sizeof b->url, "sqlite:%s/f.db", ut_tmpdir());
	struct store_prm prm = { .url = b->url, .loop = b->loop, .clock = clock_system() };
	assert_int_equal(store_open_with(&b->s, &prm, &db_scripted, &b->f, NULL), 0);
}

static void end(struct bench *b)
{
	store_close(b->s);
	loop_destroy(b->loop);
}

static int put(struct db_tx *tx, void *arg, struct ev_report *why)
{
	return db_exec(tx, why, "INSERT INTO lease (name, owner, until_us) VALUES (?1, 'me', 0) ON CONFLICT (name) DO NOTHING", "s", (const char *)arg);
}

static int count(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT COUNT(*) FROM lease", "");
	if (err)
		return err;
	*(int64_t *)arg = db_col_int(r, 0);
	db_rows_close(r);
	return 0;
}

struct answer {
	enum store_result result;
	int err;
	bool came;
};

static void answered(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	(void)why;
	*(struct answer *)arg = (struct answer){ result, err, true };
}

struct one {
	const char *key;
	struct answer a;
};

static int put_one(struct db_tx *tx, void *arg, struct ev_report *why)
{
	return put(tx, (void *)(uintptr_t)((struct one *)arg)->key, why);
}

static void one_done(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	answered(result, err, why, &((struct one *)arg)->a);
}

static struct answer write_one(struct bench *b, const char *key)
{
	struct one o = { key, { 0 } };
	assert_int_equal(store_submit(b->s, STORE_WRITE, put_one, one_done, &o), 0);
	for (int i = 0; i < 1000 && !o.a.came; i++)
		loop_step(b->loop, 10);
	assert_true(o.a.came);
	return o.a;
}

static int64_t rows(struct bench *b)
{
	int64_t n = -1;
	assert_int_equal(store_run(b->s, STORE_READ, count, &n, NULL), 0);
	return n;
}

static void wait_state(struct bench *b, enum store_state want)
{
	for (int i = 0; i < 1000 && store_state(b->s) != want; i++)
		loop_step(b->loop, 10);
	assert_int_equal(store_state(b->s), want);
}

static void lost_answer_to_commit_is_unknown(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	db_faults_add(&b.f, (struct db_fault){ DB_AT_COMMIT, ENOTCONN, .after = true });
	struct answer a = write_one(&b, "x");
	assert_int_equal(a.result, STORE_UNKNOWN);
	assert_int_equal(a.err, ENOTCONN);
	wait_state(&b, STORE_GOOD);
	assert_int_equal(rows(&b), 1); /* it was kept */
	assert_int_equal(write_one(&b, "x").result, STORE_DONE); /* and again is harmless */
	assert_int_equal(rows(&b), 1);
	end(&b);
}

static void busy_is_tried_again(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	db_faults_add(&b.f, (struct db_fault){ DB_AT_EXEC, EBUSY, .times = 2 });
	assert_int_equal(write_one(&b, "x").result, STORE_DONE);
	assert_int_equal(rows(&b), 1);
	end(&b);
}

static void connection_lost_before_commit_is_tried_on_a_new_one(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	db_faults_add(&b.f, (struct db_fault){ DB_AT_EXEC, ENOTCONN });
	assert_int_equal(write_one(&b, "x").result, STORE_DONE);
	assert_int_equal(store_state(b.s), STORE_GOOD);
	end(&b);
}

static enum store_state heard[8];
static unsigned n_heard;

static void hear(struct store *s, enum store_state was, enum store_state now, void *arg)
{
	(void)s;
	(void)was;
	(void)arg;
	if (n_heard < 8)
		heard[n_heard++] = now;
}

static void full_disk_is_told_and_mends_itself(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	n_heard = 0;
	store_on_state(b.s, hear, NULL);
	db_faults_add(&b.f, (struct db_fault){ DB_AT_COMMIT, ENOSPC, .times = 2 });
	struct answer a = write_one(&b, "x");
	assert_int_equal(a.result, STORE_FAILED);
	assert_int_equal(a.err, ENOSPC);
	assert_int_equal(rows(&b), 0); /* reading goes on */
	wait_state(&b, STORE_GOOD);
	loop_step(b.loop, 50);
	assert_int_equal(write_one(&b, "x").result, STORE_DONE);
	assert_true(n_heard >= 1);
	assert_int_equal(heard[n_heard - 1], STORE_GOOD);
	end(&b);
}

static void read_only_store_can_be_read(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	assert_int_equal(write_one(&b, "x").result, STORE_DONE);
	db_faults_add(&b.f, (struct db_fault){ DB_AT_EXEC, EROFS, .times = 2 });
	struct answer a = write_one(&b, "y");
	assert_int_equal(a.result, STORE_FAILED);
	assert_int_equal(a.err, EROFS);
	assert_int_equal(rows(&b), 1);
	wait_state(&b, STORE_GOOD);
	end(&b);
}

static int open_use_close(void *arg)
{
	struct store *s;
	struct loop *loop;
	int err = loop_create(&loop, clock_system());
	if (err)
		return err;
	struct store_prm prm = { .url = arg, .loop = loop, .clock = clock_system(), .threads = 1 };
	err = store_open(&s, &prm, NULL);
	if (!err) {
		err = store_run(s, STORE_WRITE, put, (void *)(uintptr_t) "oom", NULL);
		store_close(s);
	}
	loop_destroy(loop);
	return err;
}

static void survives_every_failing_allocation(void **state)
{
	(void)state;
	char url[320];
	snprintf(url, sizeof url, "sqlite:%s/oom.db", ut_tmpdir());
	ut_oom(open_use_close, url);
}

static void store_that_is_away_says_so_at_once(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	db_faults_add(&b.f, (struct db_fault){ DB_AT_BEGIN, ENOTCONN });
	db_faults_add(&b.f, (struct db_fault){ DB_AT_OPEN, ENOTCONN, .times = 2 });
	assert_int_equal(write_one(&b, "x").err, ENOTCONN);
	assert_int_equal(store_state(b.s), STORE_AWAY);
	assert_int_equal(write_one(&b, "x").err, ENOTCONN);
	wait_state(&b, STORE_GOOD);
	assert_int_equal(write_one(&b, "x").result, STORE_DONE);
	end(&b);
}

static void queue_is_bounded(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	store_close(b.s);
	struct store_prm prm = { .url = "fail:EBUSY", .loop = b.loop, .clock = clock_system(), .queue_max = 4 };
	assert_int_equal(store_open(&b.s, &prm, NULL), EBUSY);
	prm.url = b.url;
	assert_int_equal(store_open_with(&b.s, &prm, &db_scripted, &b.f, NULL), 0);
	struct one o[64] = { 0 };
	int taken = 0;
	db_faults_add(&b.f, (struct db_fault){ DB_AT_EXEC, EBUSY, .times = 3 }); /* keeps the writer a while */
	for (int i = 0; i < 64; i++) {
		o[i].key = "q";
		taken += store_submit(b.s, STORE_WRITE, put_one, one_done, &o[i]) == 0;
	}
	assert_true(taken >= 4 && taken < 64);
	end(&b);
	int came = 0;
	for (int i = 0; i < 64; i++)
		came += o[i].a.came;
	assert_int_equal(came, taken);
}

static void always_failing_engine_fails(void **state)
{
	(void)state;
	struct loop *loop;
	struct store *s;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	struct store_prm prm = { .url = "fail:ENOTCONN", .loop = loop, .clock = clock_system(), .may_be_away = true };
	assert_int_equal(store_open(&s, &prm, NULL), 0);
	assert_int_equal(store_run(s, STORE_WRITE, put, (void *)(uintptr_t) "x", NULL), ENOTCONN);
	store_close(s);
	prm.url = "mysql://x";
	assert_int_equal(store_open(&s, &prm, NULL), EINVAL);
	loop_destroy(loop);
}

static void backup_is_whole_and_appears_at_once(void **state)
{
	(void)state;
	struct bench b;
	char path[300];
	struct stat st;
	begin(&b);
	write_one(&b, "x");
	store_close(b.s);
	struct store_prm prm = { .url = b.url, .loop = b.loop, .clock = clock_system() };
	assert_int_equal(store_open(&b.s, &prm, NULL), 0);
	snprintf(path, sizeof path, "%s/copy.db", ut_tmpdir());
	assert_int_equal(store_backup(b.s, path, NULL), 0);
	assert_int_equal(store_backup(b.s, "/nonexistent/copy.db", NULL), EIO);
	end(&b);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(loop_create(&b.loop, clock_system()), 0);
	snprintf(b.url, sizeof b.url, "sqlite:%s", path);
	prm.loop = b.loop;
	assert_int_equal(store_open(&b.s, &prm, NULL), 0);
	assert_int_equal(rows(&b), 1);
	end(&b);
}

static void damaged_file_is_named(void **state)
{
	(void)state;
	struct loop *loop;
	struct store *s;
	char url[300];
	struct ev_report *why = mem_zalloc(1, sizeof *why);
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	snprintf(url, sizeof url, "sqlite:%s/junk.db", ut_tmpdir());
	int fd = open(url + 7, O_CREAT | O_WRONLY, 0600);
	char junk[8192];
	memset(junk, 'j', sizeof junk);
	assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
	close(fd);
	struct store_prm prm = { .url = url, .loop = loop, .clock = clock_system() };
	assert_int_equal(store_open(&s, &prm, why), EBADMSG);
	assert_string_equal(ev_def_find(why->id)->name, "DB_CORRUPT");
	prm.url = "sqlite:/nonexistent/folder/umbel.db";
	assert_int_equal(store_open(&s, &prm, why), ENOENT);
	assert_string_equal(ev_def_find(why->id)->name, "DB_CANNOT_OPEN");
	loop_destroy(loop);
	mem_free(why);
}

UT_MAIN(UT(lost_answer_to_commit_is_unknown), UT(busy_is_tried_again), UT(connection_lost_before_commit_is_tried_on_a_new_one),
	UT(full_disk_is_told_and_mends_itself), UT(store_that_is_away_says_so_at_once), UT(read_only_store_can_be_read), UT(survives_every_failing_allocation), UT(queue_is_bounded), UT(always_failing_engine_fails),
	UT(backup_is_whole_and_appears_at_once), UT(damaged_file_is_named))
