/* SPDX-License-Identifier: Apache-2.0 */
/* store_private.h  What store.c (queues, loop) and worker.c (threads, transactions) share. */
#ifndef DB_STORE_PRIVATE_H
#define DB_STORE_PRIVATE_H
#include <pthread.h>
#include <stdatomic.h>
#include "base/list.h"
#include "db/driver.h"

struct waiting;
struct store_bell;
struct notices;

struct job {
	struct link link;
	enum store_kind kind;
	store_work_h *work;
	store_done_h *done;
	void *arg;
	struct waiting *waiter; /* store_run() instead of done */
	enum store_result result;
	int err;
	struct ev_report *why; /* owned; NULL when there is nothing to say */
	unsigned runs;
};

struct worker {
	struct store *store;
	unsigned nr;
	pthread_t thread;
	struct db_conn *conn;
	int64_t next_try_ms; /* not to be connected before */
	struct ev_report why; /* of the work under way */
};

struct store {
	const struct db_driver *drv;
	void *drv_arg;
	char *url;
	char place[256];
	struct loop *loop;
	const struct um_clock *clock;
	struct ev_bus *bus;
	unsigned queue_max;
	uint64_t statement_ms, free_min;
	struct store_tls tls;
	char *tls_file[3];
	struct metric *m_queue, *m_good, *m_jobs, *m_commits;

	pthread_mutex_t lock; /* all below until the blank line */
	pthread_cond_t more[2]; /* of a kind, where each kind has its own workers; else only the first */
	struct list queue[2], finished;
	size_t queued;
	atomic_bool closing; /* written under the lock; connections look at it without */
	bool quiet, rung; /* quiet: the loop is told nothing any more */
	int64_t since_ms; /* of the state */
	atomic_int state;
	int64_t full_said_ms;
	unsigned reason_said; /* event of the refusal that was told last; 0: none */

	pthread_mutex_t schema_lock;
	bool migrated; /* under schema_lock */

	/* loop thread only */
	struct store_bell *bell;
	struct notices *notices; /* NULL: nobody asked for them */
	store_state_h *on_state;
	void *on_state_arg;
	enum store_state told;
	int delivering;

	struct worker *workers;
	unsigned n_workers, n_started;
};

void *store_worker(void *worker);
/* Connects and migrates before there are threads. */
int store_first_contact(struct store *s, bool may_be_away, struct ev_report *why);
void store_set_state(struct store *s, enum store_state now, const struct ev_report *why);
void store_wake_loop(struct store *s);
/* ---- notices.c ---- */
void store_notices_deliver(struct store *s);
void store_notices_stop(struct store *s);
/* Where a worker for such jobs waits: one job wakes one worker. */
pthread_cond_t *store_more(struct store *s, enum store_kind kind);
void store_job_over(struct store *s, struct job *j); /* from here on the job is the loop's */
void store_say_queue_full(struct store *s);

#endif
