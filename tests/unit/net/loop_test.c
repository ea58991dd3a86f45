/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "net/loop.h"

static unsigned runs;

static void count_post(void *arg)
{
	(void)arg;
	runs++;
}

static void *post_many(void *arg)
{
	for (int i = 0; i < 1000; i++)
		assert_int_equal(loop_post(arg, count_post, NULL), 0);
	loop_stop(arg);
	return NULL;
}

static void posts_of_another_thread_all_run(void **state)
{
	(void)state;
	struct loop *loop;
	pthread_t thread;
	runs = 0;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	pthread_create(&thread, NULL, post_many, loop);
	loop_run(loop);
	pthread_join(thread, NULL);
	loop_step(loop, 0);
	loop_destroy(loop);
	assert_int_equal(runs, 1000);
}

static void post_again(void *arg)
{
	runs++;
	if (runs < 3)
		assert_int_equal(loop_post(arg, post_again, arg), 0);
}

/* Posts of the loop's own handlers need no waking; each is for the next turn, which does not wait for it. */
static void posts_of_a_handler_run_without_delay(void **state)
{
	(void)state;
	struct loop *loop;
	runs = 0;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	assert_int_equal(loop_post(loop, post_again, loop), 0);
	for (unsigned turn = 1; turn <= 3; turn++) {
		assert_int_equal(loop_step(loop, 60000), 1);
		assert_int_equal(runs, turn);
	}
	loop_destroy(loop);
}

struct two {
	struct loop_io a, b;
	unsigned calls;
};

static void delete_both(struct loop_io *io, uint32_t events, void *arg)
{
	struct two *two = arg;
	(void)io;
	(void)events;
	two->calls++;
	loop_io_del(&two->a);
	loop_io_del(&two->b);
}

static void deleted_io_gets_no_event_of_the_same_turn(void **state)
{
	(void)state;
	struct loop *loop;
	struct two two = { 0 };
	int p[2], q[2];
	assert_int_equal(pipe(p) | pipe(q), 0);
	assert_int_equal(write(p[1], "x", 1) + write(q[1], "x", 1), 2);
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	assert_int_equal(loop_io_add(loop, &two.a, p[0], EPOLLIN, delete_both, &two), 0);
	assert_int_equal(loop_io_add(loop, &two.b, q[0], EPOLLIN, delete_both, &two), 0);
	loop_step(loop, 100);
	loop_step(loop, 0);
	assert_int_equal(two.calls, 1);
	loop_destroy(loop);
	for (int i = 0; i < 2; i++) {
		close(p[i]);
		close(q[i]);
	}
}

static int create(void *arg)
{
	(void)arg;
	struct loop *loop;
	int err = loop_create(&loop, clock_system());
	if (!err)
		loop_destroy(loop);
	return err;
}

static void survives_every_failing_allocation(void **state)
{
	(void)state;
	ut_oom(create, NULL);
}

static void read_none(struct loop_io *io, uint32_t events, void *arg)
{
	(void)io;
	(void)events;
	(void)arg;
}

static void turns(struct loop *loop, struct clock_fake *clock, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		clock_fake_advance_ms(clock, 1);
		loop_step(loop, 0);
	}
}

static void gathers_only_while_descriptors_ask_often(void **state)
{
	(void)state;
	struct clock_fake clock;
	struct loop *loop;
	struct loop_io io = { 0 };
	uint64_t one = 1;
	int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	clock_fake_init(&clock, 1795356309);
	assert_int_equal(loop_create(&loop, &clock.clock), 0);
	assert_int_equal(loop_io_add(loop, &io, fd, EPOLLIN, read_none, NULL), 0);
	assert_false(loop_gathers(loop));
	turns(loop, &clock, 200); /* it has something each millisecond */
	assert_true(loop_gathers(loop));
	assert_int_equal(read(fd, &one, sizeof one), sizeof one);
	turns(loop, &clock, 200);
	assert_false(loop_gathers(loop));
	loop_io_del(&io);
	close(fd);
	loop_destroy(loop);
}

static void timers_and_posts_are_not_what_it_gathers(void **state)
{
	(void)state;
	struct clock_fake clock;
	struct loop *loop;
	clock_fake_init(&clock, 1795356309);
	assert_int_equal(loop_create(&loop, &clock.clock), 0);
	for (unsigned i = 0; i < 400; i++) {
		assert_int_equal(loop_post(loop, count_post, NULL), 0);
		turns(loop, &clock, 1);
	}
	assert_false(loop_gathers(loop));
	loop_destroy(loop);
}

static struct loop_later first, second;

static void count_later(void *arg)
{
	runs++;
	if (arg)
		loop_later(arg, &second, count_later, NULL); /* the same turn's */
}

static void later_runs_once_at_the_end_of_the_turn(void **state)
{
	(void)state;
	struct loop *loop;
	runs = 0;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	loop_later(loop, &first, count_later, loop);
	loop_later(loop, &first, count_later, loop);
	assert_true(loop_later_waits(&first));
	loop_step(loop, 60000); /* and does not wait for anything before */
	assert_int_equal(runs, 2);
	assert_false(loop_later_waits(&first));
	loop_later(loop, &first, count_later, NULL);
	loop_later_cancel(&first);
	loop_step(loop, 0);
	assert_int_equal(runs, 2);
	loop_destroy(loop);
}

UT_MAIN(UT(gathers_only_while_descriptors_ask_often), UT(timers_and_posts_are_not_what_it_gathers), UT(later_runs_once_at_the_end_of_the_turn),
        UT(posts_of_another_thread_all_run), UT(posts_of_a_handler_run_without_delay), UT(deleted_io_gets_no_event_of_the_same_turn), UT(survives_every_failing_allocation))
