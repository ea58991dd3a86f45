/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c  A thread of the store: takes jobs, runs them in transactions, and knows how the store is.
 *
 * Several writes in one: BEGIN, then a savepoint a job, one COMMIT; a job that fails is rolled back to its savepoint alone. When the
 * COMMIT itself fails or the engine rolls all back, each job is run again by itself, so that one cannot spoil the others.      */
#include <errno.h>
#include <sys/statvfs.h>
#include <time.h>
#include "base/mem.h"
#include "base/rand.h"
#include "db/store_private.h"
#include "db_events.h"

enum { BATCH = 64, RUNS_MAX = 4, IDLE_MS = 2000, RETRY_MS = 1000 };

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

/* ---- how the store is ---- */

static bool short_of_room(struct store *s)
{
	uint64_t bytes;
	return s->drv->unique_place && db_free_bytes(db_sqlite_path(s->url), &bytes) == 0 && bytes < s->free_min;
}

/* Only what the engine said counts; a work function's own errors tell nothing about the store. */
static void learn(struct store *s, int engine_err, bool wrote, const struct ev_report *why)
{
	switch (engine_err) {
	case 0:
		if (wrote)
			store_set_state(s, short_of_room(s) ? STORE_FULL : STORE_GOOD, NULL);
		return;
	case ENOSPC:
		store_set_state(s, STORE_FULL, why);
		return;
	case EROFS:
		store_set_state(s, STORE_READONLY, why);
		return;
	case ENOTCONN: case EIO: case EBADMSG: case ENOENT: case EACCES:
		store_set_state(s, STORE_AWAY, why);
		return;
	default:
		return;
	}
}

static int migrate_once(struct store *s, struct db_conn *c, struct ev_report *why)
{
	int err = 0;
	pthread_mutex_lock(&s->schema_lock);
	if (!s->migrated)
		err = db_migrate(c, s->clock, s->bus, why);
	s->migrated = s->migrated || !err;
	pthread_mutex_unlock(&s->schema_lock);
	return err;
}

static void hang_up(struct worker *w)
{
	if (w->conn)
		w->conn->drv->close(w->conn);
	w->conn = NULL;
}

static int connect_now(struct worker *w, struct ev_report *why)
{
	struct store *s = w->store;
	if (w->conn && w->conn->drv->usable(w->conn))
		return 0;
	hang_up(w);
	struct db_open prm = { .url = s->url, .writer = s->drv->group_commit ? w->nr == 0 : true, .statement_ms = s->statement_ms, .tls = &s->tls,
		.bus = s->bus, .place = s->place, .arg = s->drv_arg, .closing = &s->closing };
	int err = s->drv->open(&w->conn, &prm, why);
	if (!err && prm.writer)
		err = migrate_once(s, w->conn, why);
	if (err)
		hang_up(w);
	return err;
}

/* While the store is away only the probe tries to reach it: jobs learn at once instead of waiting in turn for the same time-out. */
static int connect_for_jobs(struct worker *w, struct ev_report *why)
{
	struct store *s = w->store;
	if (w->conn && w->conn->drv->usable(w->conn))
		return 0;
	if (store_state(s) == STORE_AWAY) {
		ev_set(why, EV_DB_AWAY);
		ev_str(why, "place", s->place);
		ev_str(why, "error", "it is tried again every second");
		return ENOTCONN;
	}
	return connect_now(w, why);
}

/* A write that changes nothing: would one be taken? */
static int touch(struct worker *w, struct ev_report *why)
{
	struct db_tx tx = { .conn = w->conn, .clock = w->store->clock };
	bool unknown = false;
	int err = w->conn->drv->begin(w->conn, STORE_WRITE, why);
	if (!err)
		err = db_exec(&tx, why, "UPDATE store_schema SET applied_us = applied_us", "");
	if (!err)
		err = w->conn->drv->commit(w->conn, &unknown, why);
	if (err)
		w->conn->drv->rollback(w->conn);
	return err;
}

static int ask(struct worker *w, struct ev_report *why)
{
	struct db_tx tx = { .conn = w->conn, .clock = w->store->clock };
	struct db_rows *r = NULL;
	int err = w->conn->drv->begin(w->conn, STORE_READ, why);
	if (!err)
		err = db_query_one(&tx, &r, why, "SELECT version FROM store_schema LIMIT 1", "");
	if (!err)
		db_rows_close(r);
	w->conn->drv->rollback(w->conn);
	return err == ENOENT ? 0 : err;
}

static void probe(struct worker *w)
{
	struct store *s = w->store;
	bool good = store_state(s) == STORE_GOOD;
	if (!good && now_ms() < w->next_try_ms)
		return;
	w->next_try_ms = now_ms() + RETRY_MS;
	ev_set(&w->why, 0);
	int err = connect_now(w, &w->why);
	if (!err)
		err = good ? ask(w, &w->why) : touch(w, &w->why);
	if (err == ENOTCONN && good) /* idle connections are cut by many: ask once more on a new one */
		err = connect_now(w, &w->why);
	learn(s, err, true, &w->why);
}

/* ---- one job ---- */

static void keep_why(struct job *j, const struct ev_report *why)
{
	if (!why->id)
		return;
	if (!j->why)
		j->why = mem_alloc(sizeof *j->why);
	if (j->why)
		ev_copy(j->why, why);
}

static void over(struct store *s, struct job *j, enum store_result result, int err, const struct ev_report *why)
{
	j->result = result;
	j->err = err;
	if (err && why)
		keep_why(j, why);
	metric_add(s->m_jobs, 1);
	store_job_over(s, j);
}

static bool again(struct store *s, struct job *j, int engine_err)
{
	if (j->runs >= RUNS_MAX || (engine_err == ENOTCONN && j->runs >= 2))
		return false;
	if (engine_err == EBUSY) {
		struct timespec pause = { 0, (long)(rand_below(20) + 5) * 1000000L };
		nanosleep(&pause, NULL);
	}
	return engine_err == EBUSY || (engine_err == ENOTCONN && store_state(s) != STORE_AWAY);
}

/* One run in its own transaction. The engine's error apart from the work's; both 0: committed. */
static int run_once(struct worker *w, struct job *j, int *engine_err, bool *unknown)
{
	const struct db_driver *drv = w->store->drv;
	struct db_tx tx = { .conn = w->conn, .clock = w->store->clock };
	*engine_err = drv->begin(w->conn, j->kind, &w->why);
	if (*engine_err)
		return *engine_err;
	int err = j->work(&tx, j->arg, &w->why);
	*engine_err = tx.err;
	if (!err && tx.err)
		err = tx.err;
	if (!err && j->kind == STORE_WRITE)
		err = *engine_err = drv->commit(w->conn, unknown, &w->why);
	if (err || j->kind == STORE_READ) /* what only read has nothing to commit */
		drv->rollback(w->conn);
	return err;
}

static void say_unknown(struct worker *w)
{
	if (!w->store->bus)
		return;
	struct ev_report *r = mem_alloc(sizeof *r);
	if (!r)
		return;
	ev_set(r, EV_DB_COMMIT_UNKNOWN);
	ev_str(r, "place", w->store->place);
	ev_text(r, "error", ev_field_text(&w->why, "error"));
	ev_emit(w->store->bus, r);
	mem_free(r);
}

static void run_single(struct worker *w, struct job *j)
{
	struct store *s = w->store;
	for (;;) {
		bool unknown = false;
		int engine_err, err;
		j->runs++;
		ev_set(&w->why, 0);
		err = engine_err = connect_for_jobs(w, &w->why);
		if (!err)
			err = run_once(w, j, &engine_err, &unknown);
		if (!err) {
			learn(s, 0, j->kind == STORE_WRITE, NULL);
			metric_add(s->m_commits, j->kind == STORE_WRITE);
			over(s, j, STORE_DONE, 0, NULL);
			return;
		}
		if (unknown && j->kind == STORE_WRITE) {
			say_unknown(w);
			learn(s, engine_err, false, &w->why);
			over(s, j, STORE_UNKNOWN, err, &w->why);
			return;
		}
		if (engine_err && again(s, j, engine_err))
			continue;
		learn(s, engine_err, false, &w->why);
		over(s, j, STORE_FAILED, err, &w->why);
		return;
	}
}

/* ---- several jobs under one COMMIT ---- */

/* false: the engine has rolled everything back. */
static bool run_in_savepoint(struct worker *w, struct job *j)
{
	const struct db_driver *drv = w->store->drv;
	struct db_tx tx = { .conn = w->conn, .clock = w->store->clock };
	if (drv->script(w->conn, "SAVEPOINT job", NULL))
		return false;
	j->runs++;
	ev_set(&w->why, 0);
	int err = j->work(&tx, j->arg, &w->why);
	if (!err)
		err = tx.err;
	if (!drv->in_tx(w->conn) || (tx.err && tx.err != EEXIST && tx.err != EINVAL))
		return false;
	if (drv->script(w->conn, err ? "ROLLBACK TO job; RELEASE job" : "RELEASE job", NULL))
		return false;
	j->err = err;
	if (err)
		keep_why(j, &w->why);
	return true;
}

static bool run_group(struct worker *w, struct job **jobs, unsigned n)
{
	const struct db_driver *drv = w->store->drv;
	bool unknown = false, good = true;
	if (connect_for_jobs(w, NULL) || drv->begin(w->conn, STORE_WRITE, NULL))
		return false;
	for (unsigned i = 0; i < n && good; i++)
		good = run_in_savepoint(w, jobs[i]);
	if (good && drv->commit(w->conn, &unknown, NULL) == 0)
		return true;
	drv->rollback(w->conn);
	return false;
}

static void run_batch(struct worker *w, struct job **jobs, unsigned n)
{
	struct store *s = w->store;
	if (n > 1 && run_group(w, jobs, n)) {
		learn(s, 0, true, NULL);
		metric_add(s->m_commits, 1);
		for (unsigned i = 0; i < n; i++)
			over(s, jobs[i], jobs[i]->err ? STORE_FAILED : STORE_DONE, jobs[i]->err, NULL);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		mem_free(jobs[i]->why);
		jobs[i]->why = NULL;
		jobs[i]->err = 0;
		run_single(w, jobs[i]);
	}
}

/* ---- the thread ---- */

static unsigned take_from(struct store *s, enum store_kind kind, struct job **jobs, unsigned max)
{
	unsigned n = 0;
	struct link *e;
	while (n < max && (e = list_pop(&s->queue[kind])) != NULL)
		jobs[n++] = LIST_ENTRY(e, struct job, link);
	s->queued -= n;
	return n;
}

static unsigned take(struct worker *w, struct job **jobs)
{
	struct store *s = w->store;
	if (s->drv->group_commit)
		return take_from(s, w->nr ? STORE_READ : STORE_WRITE, jobs, w->nr ? 1 : BATCH);
	enum store_kind first = w->nr % 2 ? STORE_READ : STORE_WRITE;
	unsigned n = take_from(s, first, jobs, 1);
	return n ? n : take_from(s, first == STORE_READ ? STORE_WRITE : STORE_READ, jobs, 1);
}

static void wait_for_more(struct worker *w)
{
	struct store *s = w->store;
	pthread_cond_t *more = store_more(s, w->nr ? STORE_READ : STORE_WRITE);
	if (w->nr) {
		pthread_cond_wait(more, &s->lock);
		return;
	}
	struct timespec until;
	int64_t ms = store_state(s) == STORE_GOOD ? IDLE_MS : RETRY_MS / 4;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(ms % 1000) * 1000000L;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_timedwait(more, &s->lock, &until);
}

/* How many jobs; 0 when it is time to look after the store; *closing when there is nothing left to do for ever. */
static unsigned next(struct worker *w, struct job **jobs, bool *closing)
{
	struct store *s = w->store;
	pthread_mutex_lock(&s->lock);
	unsigned n = take(w, jobs);
	if (!n && !s->closing) {
		wait_for_more(w);
		n = take(w, jobs);
	}
	*closing = s->closing && !n;
	int64_t queued = (int64_t)s->queued;
	pthread_mutex_unlock(&s->lock);
	metric_set(s->m_queue, queued);
	return n;
}

void *store_worker(void *arg)
{
	struct worker *w = arg;
	struct job *jobs[BATCH];
	int64_t looked_ms = now_ms();
	for (;;) {
		bool closing;
		unsigned n = next(w, jobs, &closing);
		if (closing)
			break;
		if (n)
			run_batch(w, jobs, n);
		bool good = store_state(w->store) == STORE_GOOD;
		if (w->nr == 0 && (!good || (!n && now_ms() - looked_ms >= IDLE_MS))) {
			probe(w);
			looked_ms = now_ms();
		}
	}
	hang_up(w);
	return NULL;
}

/* A disk that was taken out of use by the kernel or by an administrator comes back; a file that belongs to somebody else does not. */
static bool mounted_read_only(const struct store *s)
{
	struct statvfs v;
	return s->drv->unique_place && statvfs(db_sqlite_path(s->url), &v) == 0 && (v.f_flag & ST_RDONLY);
}

int store_first_contact(struct store *s, bool may_be_away, struct ev_report *why)
{
	struct worker *w = &s->workers[0];
	w->store = s;
	int err = connect_now(w, why);
	if (err && may_be_away && (err == ENOTCONN || mounted_read_only(s))) {
		store_set_state(s, err == ENOTCONN ? STORE_AWAY : STORE_READONLY, why);
		return 0;
	}
	if (err)
		return err;
	int touched = touch(w, &w->why);
	learn(s, touched, true, &w->why);
	return 0;
}
