/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h  Worker threads for what may block or takes long. A job runs on one of the pool's threads and comes back as a call on the
 * loop's thread. The queue is bounded: a full one says so at once instead of growing.                                   */
#ifndef NET_POOL_H
#define NET_POOL_H
#include "net/loop.h"

struct pool;
enum pool_result { POOL_DONE, POOL_FAILED, POOL_CANCELLED };

/* On a worker. 0 or an errno code, handed to done. It must touch nothing but what arg holds. */
typedef int (pool_work_h)(void *arg);
/* On the loop, exactly once for each job that was taken: DONE (work gave 0), FAILED (err), CANCELLED (the pool ended before it ran).
 * From here on arg is the submitter's again. */
typedef void (pool_done_h)(enum pool_result result, int err, void *arg);

/* `name` is borrowed and appears in metrics. */
int pool_create(struct pool **pp, struct loop *loop, const char *name, unsigned threads, unsigned queue_max);
/* Waits for running jobs; waiting ones come back CANCELLED. All done handlers have run when it returns. Loop thread. */
void pool_destroy(struct pool *pool);
void pool_observe(struct pool *pool, struct metrics *metrics); /* queue depth, time in queue */
/* Loop thread. EAGAIN: the queue is full; then no handler will run. */
int pool_submit(struct pool *pool, pool_work_h *work, pool_done_h *done, void *arg);
unsigned pool_depth(struct pool *pool); /* waiting and running; any thread */

#endif
