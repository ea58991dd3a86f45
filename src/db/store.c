/* SPDX-License-Identifier: Apache-2.0 */
/* store.c  Queues, worker threads and the way back to the loop.
 *
 *   store_submit -> queue (write | read) -> worker: begin, work, commit -> done list -> loop: done handler
 *
 * SQLite: worker 0 writes, the others read. PostgreSQL: every worker has a connection and does both. A worker that finds the
 * store away says so to its jobs at once and tries to connect again once a second; worker 0 probes a store that is not good, so
 * that it comes back without anybody asking. Waiting is done in real time: threads have no turn of the loop's clock.      */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include "base/list.h"
#include "base/mem.h"
#include "db/driver.h"
#include "db/store_private.h"
#include "db_events.h"
#include "net/loop.h"

/* ---- state ---- */

const char *store_state_name(enum store_state st)
{
	static const char *const names[] = { "starting", "good", "full", "read-only", "away" };
	return (unsigned)st < 5 ? names[st] : "?";
}

enum store_state store_state(const struct store *s)
{
	return (enum store_state)atomic_load(&s->state);
}

/* Who refused whom: told once, and again when another reason takes its place. */
static void say_reason(struct store *s, enum store_state now, const struct ev_report *why)
{
	unsigned id = now == STORE_AWAY && why && why->id >= EV_DB_TLS_NAME && why->id <= EV_DB_TLS_FILES ? why->id : 0;
	pthread_mutex_lock(&s->lock);
	bool say = s->bus && id && id != s->reason_said;
	if (now == STORE_GOOD || id)
		s->reason_said = id;
	pthread_mutex_unlock(&s->lock);
	struct ev_report *r = say ? mem_alloc(sizeof *r) : NULL;
	if (!r)
		return;
	ev_copy(r, why);
	ev_emit(s->bus, r);
	mem_free(r);
}

static void say_state(struct store *s, enum store_state was, enum store_state now, int64_t since_ms, const struct ev_report *why)
{
	static const uint16_t ids[] = { 0, EV_DB_GOOD_AGAIN, EV_DB_FULL, EV_DB_READONLY, EV_DB_AWAY };
	if (!s->bus || (now == STORE_GOOD && was == STORE_STARTING))
		return;
	struct ev_report *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return;
	ev_set(r, ids[now]);
	ev_str(r, "place", s->place);
	ev_str(r, "was", store_state_name(was));
	ev_int(r, "seconds", (clock_mono_ms(clock_system()) - since_ms) / 1000);
	ev_text(r, "error", why && why->id ? ev_field_text(why, "error") : TEXT("the reserve of free space is used up"));
	ev_emit(s->bus, r);
	mem_free(r);
}

void store_set_state(struct store *s, enum store_state now, const struct ev_report *why)
{
	pthread_mutex_lock(&s->lock);
	enum store_state was = store_state(s);
	int64_t since = s->since_ms;
	if (was != now) {
		atomic_store(&s->state, (int)now);
		s->since_ms = clock_mono_ms(clock_system());
	}
	pthread_mutex_unlock(&s->lock);
	say_reason(s, now, why);
	if (was == now)
		return;
	say_state(s, was, now, since, why);
	metric_set(s->m_good, now == STORE_GOOD);
	store_wake_loop(s);
}

/* ---- the way back ---- */

/* What a post in the loop's mailbox holds on to, so that it may arrive after the store is gone. */
struct store_bell {
	struct store *s; /* NULL once the store is closed; loop thread only */
};

static void finish(struct job *j)
{
	static const struct ev_report nothing;
	if (j->done)
		j->done(j->result, j->err, j->why ? j->why : &nothing, j->arg);
	mem_free(j->why);
	mem_free(j);
}

static void deliver(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	s->rung = false;
	struct link *e;
	while ((e = list_pop(&s->finished)) != NULL) {
		pthread_mutex_unlock(&s->lock);
		finish(LIST_ENTRY(e, struct job, link));
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	store_notices_deliver(s);
	enum store_state now = store_state(s), was = s->told;
	s->told = now;
	if (s->on_state && was != now)
		s->on_state(s, was, now, s->on_state_arg);
}

static void on_bell(void *arg)
{
	struct store_bell *b = arg;
	if (b->s) {
		struct store *s = b->s;
		s->delivering++;
		deliver(s);
		s->delivering--;
	}
	mem_unref(b);
}

void store_wake_loop(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	bool ring = !s->rung && !s->quiet;
	s->rung = s->rung || ring;
	pthread_mutex_unlock(&s->lock);
	if (ring && loop_post(s->loop, on_bell, mem_ref(s->bell))) {
		mem_unref(s->bell); /* no memory: the next job that ends rings again */
		pthread_mutex_lock(&s->lock);
		s->rung = false;
		pthread_mutex_unlock(&s->lock);
	}
}

/* ---- jobs ---- */

pthread_cond_t *store_more(struct store *s, enum store_kind kind)
{
	return &s->more[s->drv->group_commit ? kind : 0];
}

static int submit(struct store *s, enum store_kind kind, struct job *j)
{
	int err = 0;
	pthread_mutex_lock(&s->lock);
	if (s->closing)
		err = ESHUTDOWN;
	else if (s->queued >= s->queue_max)
		err = EAGAIN;
	else {
		list_append(&s->queue[kind], &j->link);
		s->queued++;
		pthread_cond_signal(store_more(s, kind));
	}
	int64_t queued = (int64_t)s->queued;
	pthread_mutex_unlock(&s->lock);
	metric_set(s->m_queue, queued);
	return err;
}

int store_submit(struct store *s, enum store_kind kind, store_work_h *work, store_done_h *done, void *arg)
{
	struct job *j = mem_zalloc(1, sizeof *j);
	if (!j)
		return ENOMEM;
	j->kind = kind;
	j->work = work;
	j->done = done;
	j->arg = arg;
	int err = submit(s, kind, j);
	if (err) {
		mem_free(j);
		if (err == EAGAIN)
			store_say_queue_full(s);
	}
	return err;
}

void store_say_queue_full(struct store *s)
{
	int64_t now = clock_mono_ms(clock_system());
	pthread_mutex_lock(&s->lock);
	bool say = s->bus && (!s->full_said_ms || now - s->full_said_ms >= 10000);
	s->full_said_ms = say ? now : s->full_said_ms;
	pthread_mutex_unlock(&s->lock);
	if (!say)
		return;
	struct ev_report *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return;
	ev_set(r, EV_DB_QUEUE_FULL);
	ev_str(r, "place", s->place);
	ev_int(r, "queued", (int64_t)s->queue_max);
	ev_emit(s->bus, r);
	mem_free(r);
}

/* A job that somebody waits for in its own thread. */
struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t over;
	bool done;
	int err;
	struct ev_report *why;
};

static void wake_waiter(struct job *j)
{
	struct waiting *w = j->waiter;
	pthread_mutex_lock(&w->lock);
	w->err = j->err;
	if (w->why && j->why)
		ev_copy(w->why, j->why);
	w->done = true;
	pthread_cond_signal(&w->over);
	pthread_mutex_unlock(&w->lock);
	mem_free(j->why);
	mem_free(j);
}

int store_run(struct store *s, enum store_kind kind, store_work_h *work, void *arg, struct ev_report *why)
{
	struct waiting w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, why };
	struct job *j = mem_zalloc(1, sizeof *j);
	if (!j)
		return ENOMEM;
	j->kind = kind;
	j->work = work;
	j->arg = arg;
	j->waiter = &w;
	int err = submit(s, kind, j);
	if (err) {
		mem_free(j);
		return err;
	}
	pthread_mutex_lock(&w.lock);
	while (!w.done)
		pthread_cond_wait(&w.over, &w.lock);
	pthread_mutex_unlock(&w.lock);
	pthread_mutex_destroy(&w.lock);
	pthread_cond_destroy(&w.over);
	return w.err;
}

void store_job_over(struct store *s, struct job *j)
{
	if (j->waiter) {
		wake_waiter(j);
		return;
	}
	pthread_mutex_lock(&s->lock);
	list_append(&s->finished, &j->link);
	pthread_mutex_unlock(&s->lock);
	store_wake_loop(s);
}

/* ---- life ---- */

static void place_of(struct store *s)
{
	struct text url = text_of(s->url), rest = url, at;
	size_t scheme = text_find_text(url, TEXT("://"));
	text_fill(s->place, sizeof s->place, s->url);
	if (scheme == SIZE_MAX)
		return;
	rest = text_skip(url, scheme + 3);
	size_t slash = text_find(rest, '/'), host = text_rfind(text_head(rest, slash), '@');
	if (host == SIZE_MAX)
		return;
	at = text_skip(rest, host + 1);
	struct text who, secret;
	text_cut(text_head(rest, host), ':', &who, &secret);
	text_print(s->place, sizeof s->place, "%.*s%.*s@%.*s", (int)(scheme + 3), s->url, TEXT_FMT(who), TEXT_FMT(at));
	size_t options = text_find_text(text_of(s->place), TEXT("password="));
	if (options != SIZE_MAX)
		s->place[options] = 0;
}

static const struct db_driver *driver_of(const char *url)
{
	struct text t = text_of(url);
	if (db_sqlite_path(url))
		return &db_sqlite;
	if (text_starts(t, "postgresql://") || text_starts(t, "postgres://"))
		return &db_pgsql;
	if (text_starts(t, "fail:"))
		return &db_fail;
	return NULL;
}

static void store_gone(void *p)
{
	struct store *s = p;
	mem_unref(s->bell);
	mem_free(s->workers);
	for (int i = 0; i < 3; i++)
		mem_free(s->tls_file[i]);
	mem_free(s->url);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->schema_lock);
	pthread_cond_destroy(&s->more[0]);
	pthread_cond_destroy(&s->more[1]);
}

static int take_tls(struct store *s, const struct store_tls *tls)
{
	const char *const from[3] = { tls->ca, tls->certificate, tls->key };
	for (int i = 0; i < 3; i++)
		if (from[i] && *from[i] && !(s->tls_file[i] = mem_strdup(from[i])))
			return ENOMEM;
	s->tls = (struct store_tls){ s->tls_file[0], s->tls_file[1], s->tls_file[2] };
	return 0;
}

static int fill(struct store *s, const struct store_prm *prm)
{
	pthread_condattr_t mono;
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->schema_lock, NULL);
	pthread_cond_init(&s->more[0], &mono);
	pthread_cond_init(&s->more[1], &mono);
	pthread_condattr_destroy(&mono);
	list_init(&s->queue[STORE_READ]);
	list_init(&s->queue[STORE_WRITE]);
	list_init(&s->finished);
	s->loop = prm->loop;
	s->clock = prm->clock;
	s->bus = prm->bus;
	s->queue_max = prm->queue_max ? prm->queue_max : 1024;
	s->statement_ms = prm->statement_ms ? prm->statement_ms : 5000;
	s->free_min = prm->free_min_bytes ? prm->free_min_bytes : 32 << 20;
	s->since_ms = clock_mono_ms(clock_system());
	s->n_workers = (prm->threads ? prm->threads : 4) + (s->drv->group_commit ? 1 : 0);
	s->m_queue = metric_get(prm->metrics, METRIC_GAUGE, "umbel_store_queue", NULL, "Jobs waiting for the store");
	s->m_good = metric_get(prm->metrics, METRIC_GAUGE, "umbel_store_good", NULL, "1 while the store takes messages");
	s->m_jobs = metric_get(prm->metrics, METRIC_COUNTER, "umbel_store_jobs_total", NULL, "Jobs done by the store");
	s->m_commits = metric_get(prm->metrics, METRIC_COUNTER, "umbel_store_commits_total", NULL, "Write transactions committed");
	s->url = mem_strdup(prm->url);
	s->workers = mem_zalloc(s->n_workers, sizeof *s->workers);
	s->bell = mem_object(sizeof *s->bell, NULL);
	if (!s->url || !s->workers || !s->bell)
		return ENOMEM;
	s->bell->s = s;
	place_of(s);
	return take_tls(s, &prm->tls);
}

int store_open_with(struct store **sp, const struct store_prm *prm, const struct db_driver *drv, void *arg, struct ev_report *why)
{
	struct store *s = mem_object(sizeof *s, store_gone);
	if (!s)
		return ENOMEM;
	s->drv = drv;
	s->drv_arg = arg;
	int err = fill(s, prm);
	if (!err)
		err = store_first_contact(s, prm->may_be_away, why);
	for (; !err && s->n_started < s->n_workers; s->n_started++) {
		s->workers[s->n_started].store = s;
		s->workers[s->n_started].nr = s->n_started;
		err = pthread_create(&s->workers[s->n_started].thread, NULL, store_worker, &s->workers[s->n_started]);
		if (err)
			break;
	}
	if (err) {
		store_close(s);
		return err;
	}
	s->told = store_state(s);
	*sp = s;
	return 0;
}

int store_open(struct store **sp, const struct store_prm *prm, struct ev_report *why)
{
	const struct db_driver *drv = driver_of(prm->url);
	if (!drv) {
		ev_set(why, EV_DB_URL);
		ev_str(why, "url", prm->url);
		return EINVAL;
	}
	return store_open_with(sp, prm, drv, NULL, why);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->quiet = true;
	atomic_store(&s->closing, true);
	pthread_cond_broadcast(&s->more[0]);
	pthread_cond_broadcast(&s->more[1]);
	pthread_mutex_unlock(&s->lock);
	store_notices_stop(s);
	for (unsigned i = 0; i < s->n_started; i++)
		pthread_join(s->workers[i].thread, NULL);
	if (!s->n_started && s->workers && s->workers[0].conn) /* no thread ever owned it */
		s->drv->close(s->workers[0].conn);
	s->on_state = NULL;
	if (s->bell)
		deliver(s);
	if (s->bell)
		s->bell->s = NULL;
	mem_unref(s);
}

void store_on_state(struct store *s, store_state_h *h, void *arg)
{
	s->on_state = h;
	s->on_state_arg = arg;
}

const char *store_engine(const struct store *s)
{
	return s->drv->name;
}

const char *store_place(const struct store *s)
{
	return s->place;
}

size_t store_queued(const struct store *s)
{
	struct store *w = (struct store *)(uintptr_t)s;
	pthread_mutex_lock(&w->lock);
	size_t n = s->queued;
	pthread_mutex_unlock(&w->lock);
	return n;
}

int store_backup(struct store *s, const char *path, struct ev_report *why)
{
	return s->drv == &db_sqlite ? db_sqlite_backup(s->url, path, why) : ENOTSUP;
}
