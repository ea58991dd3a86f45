/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <pthread.h>
#include "net/pool.h"

struct job {
	int err;
	enum pool_result result;
	bool done;
	pthread_mutex_t *gate;
};

static int work(void *arg)
{
	struct job *j = arg;
	if (j->gate) {
		pthread_mutex_lock(j->gate);
		pthread_mutex_unlock(j->gate);
	}
	return j->err;
}

static void done(enum pool_result result, int err, void *arg)
{
	struct job *j = arg;
	assert_int_equal(err, result == POOL_CANCELLED ? ECANCELED : j->err);
	j->result = result;
	j->done = true;
}

static void results_come_back_to_the_loop(void **state)
{
	(void)state;
	struct loop *loop;
	struct pool *pool;
	struct job good = { 0 }, bad = { .err = EIO };
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	assert_int_equal(pool_create(&pool, loop, "test", 2, 10), 0);
	assert_int_equal(pool_submit(pool, work, done, &good), 0);
	assert_int_equal(pool_submit(pool, work, done, &bad), 0);
	while (!good.done || !bad.done)
		loop_step(loop, 1000);
	assert_int_equal(good.result, POOL_DONE);
	assert_int_equal(bad.result, POOL_FAILED);
	pool_destroy(pool);
	loop_destroy(loop);
}

static void full_queue_refuses_and_ending_cancels_what_waits(void **state)
{
	(void)state;
	struct loop *loop;
	struct pool *pool;
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct job j[3] = { { .gate = &gate }, { 0 }, { 0 } }, refused = { 0 };
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	assert_int_equal(pool_create(&pool, loop, "test", 1, 2), 0);
	pthread_mutex_lock(&gate);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pool_submit(pool, work, done, &j[i]), 0);
	assert_int_equal(pool_submit(pool, work, done, &refused), EAGAIN);
	assert_int_equal(pool_depth(pool), 3);
	pthread_mutex_unlock(&gate);
	pool_destroy(pool);
	assert_true(j[0].done && j[1].done && j[2].done && !refused.done);
	loop_destroy(loop);
}

UT_MAIN(UT(results_come_back_to_the_loop), UT(full_queue_refuses_and_ending_cancels_what_waits))
