/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c  Workers: a bounded queue in, posts to the loop out. */
#include "net/pool.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include "base/mem.h"

enum { THREADS_MAX = 64 };

struct job {
	struct link link;
	struct pool *pool;
	pool_work_h *work;
	pool_done_h *done;
	void *arg;
	enum pool_result result;
	int err;
	int64_t queued_us;
};

struct pool {
	struct loop *loop;
	const char *name;
	pthread_t thread[THREADS_MAX];
	unsigned n_threads, queue_max;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct list queue, finished;
	unsigned depth;   /* waiting and running */
	bool ending, collecting;
	struct metric *m_depth, *m_wait_max, *m_refused;
};

static void collect(void *arg);

static void finish(struct pool *pool, struct job *job)
{
	list_append(&pool->finished, &job->link);
	pool->depth--;
	metric_set(pool->m_depth, pool->depth);
	if (pool->collecting)
		return;
	/* One post at a time for all that is finished. Without memory for it the next job's end tries again; destroy collects the rest. */
	pool->collecting = loop_post(pool->loop, collect, mem_ref(pool)) == 0;
	if (!pool->collecting)
		mem_unref(pool);
}

static void *run(void *arg)
{
	struct pool *pool = arg;
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the loop's business */
	pthread_mutex_lock(&pool->lock);
	for (;;) {
		while (list_empty(&pool->queue) && !pool->ending)
			pthread_cond_wait(&pool->more, &pool->lock);
		struct link *e = list_pop(&pool->queue);
		if (!e)
			break;
		struct job *job = LIST_ENTRY(e, struct job, link);
		if (pool->ending) {
			job->result = POOL_CANCELLED;
			job->err = ECANCELED;
		} else {
			metric_max(pool->m_wait_max, (clock_mono_us(loop_clock(pool->loop)) - job->queued_us) / 1000);
			pthread_mutex_unlock(&pool->lock);
			job->err = job->work(job->arg);
			job->result = job->err ? POOL_FAILED : POOL_DONE;
			pthread_mutex_lock(&pool->lock);
		}
		finish(pool, job);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static void run_finished(struct pool *pool)
{
	for (;;) {
		pthread_mutex_lock(&pool->lock);
		struct link *e = list_pop(&pool->finished);
		if (!e)
			pool->collecting = false;
		pthread_mutex_unlock(&pool->lock);
		if (!e)
			return;
		struct job *job = LIST_ENTRY(e, struct job, link);
		job->done(job->result, job->err, job->arg);
		mem_free(job);
	}
}

static void collect(void *arg)
{
	struct pool *pool = arg;
	run_finished(pool);
	mem_unref(pool);
}

static void destroy(void *object)
{
	struct pool *pool = object;
	pthread_mutex_destroy(&pool->lock);
	pthread_cond_destroy(&pool->more);
}

int pool_create(struct pool **pp, struct loop *loop, const char *name, unsigned threads, unsigned queue_max)
{
	if (!threads || threads > THREADS_MAX)
		return EINVAL;
	struct pool *pool = mem_object(sizeof *pool, destroy);
	if (!pool)
		return ENOMEM;
	pool->loop = loop;
	pool->name = name;
	pool->queue_max = queue_max;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->more, NULL);
	list_init(&pool->queue);
	list_init(&pool->finished);
	for (; pool->n_threads < threads; pool->n_threads++) {
		int err = pthread_create(&pool->thread[pool->n_threads], NULL, run, pool);
		if (err) {
			pool_destroy(pool);
			return err;
		}
	}
	*pp = pool;
	return 0;
}

void pool_destroy(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->more);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->n_threads; i++)
		pthread_join(pool->thread[i], NULL);
	run_finished(pool);
	mem_unref(pool); /* a post still waiting holds its own reference */
}

void pool_observe(struct pool *pool, struct metrics *metrics)
{
	char labels[80];
	text_print(labels, sizeof labels, "pool=\"%s\"", pool->name);
	pool->m_depth = metric_get(metrics, METRIC_GAUGE, "umbel_pool_depth", labels, "Jobs waiting or running in a pool.");
	pool->m_wait_max = metric_get(metrics, METRIC_GAUGE, "umbel_pool_wait_ms_max", labels, "Longest wait of a job in a pool's queue, in milliseconds.");
	pool->m_refused = metric_get(metrics, METRIC_COUNTER, "umbel_pool_refused_total", labels, "Jobs refused because a pool's queue was full.");
}

int pool_submit(struct pool *pool, pool_work_h *work, pool_done_h *done, void *arg)
{
	struct job *job = mem_zalloc(1, sizeof *job);
	if (!job)
		return ENOMEM;
	*job = (struct job){ .pool = pool, .work = work, .done = done, .arg = arg, .queued_us = clock_mono_us(loop_clock(pool->loop)) };
	pthread_mutex_lock(&pool->lock);
	int err = pool->ending ? ECANCELED : pool->depth >= pool->queue_max + pool->n_threads ? EAGAIN : 0;
	if (!err) {
		list_append(&pool->queue, &job->link);
		pool->depth++;
		metric_set(pool->m_depth, pool->depth);
		pthread_cond_signal(&pool->more);
	}
	pthread_mutex_unlock(&pool->lock);
	if (err) {
		metric_add(pool->m_refused, 1);
		mem_free(job);
	}
	return err;
}

unsigned pool_depth(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	unsigned depth = pool->depth;
	pthread_mutex_unlock(&pool->lock);
	return depth;
}
