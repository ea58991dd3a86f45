/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include "base/rand.h"
#include "net/tmr.h"

static struct clock_fake fake;
static struct loop *loop;
static unsigned fired;

static void fire(void *arg)
{
	(void)arg;
	fired++;
}

static void open_loop(void)
{
	clock_fake_init(&fake, 1795356309);
	fired = 0;
	assert_int_equal(loop_create(&loop, &fake.clock), 0);
}

static void turn(int64_t ms)
{
	clock_fake_advance_ms(&fake, ms);
	loop_step(loop, 0);
}

static void fires_once_and_not_early(void **state)
{
	(void)state;
	struct tmr t = { 0 };
	open_loop();
	tmr_start(loop, &t, 500, fire, NULL);
	turn(499);
	assert_int_equal(fired, 0);
	assert_int_equal(tmr_left_ms(&t), 1);
	turn(1);
	assert_int_equal(fired, 1);
	assert_false(tmr_active(&t));
	turn(100000);
	assert_int_equal(fired, 1);
	loop_destroy(loop);
}

static void cancelled_timer_stays_silent(void **state)
{
	(void)state;
	struct tmr t = { 0 };
	open_loop();
	tmr_start(loop, &t, 10, fire, NULL);
	tmr_cancel(&t);
	tmr_cancel(&t);
	turn(1000);
	assert_int_equal(fired, 0);
	loop_destroy(loop);
}

struct due {
	struct tmr t;
	int64_t at_ms;
	bool done;
};

static int64_t last_ms;

static void check_due(void *arg)
{
	struct due *d = arg;
	int64_t now = clock_mono_ms(&fake.clock);
	assert_true(now >= d->at_ms);
	assert_true(d->at_ms >= last_ms); /* in order of time */
	last_ms = d->at_ms;
	d->done = true;
}

static void many_timers_fire_in_order_over_all_levels_of_the_wheel(void **state)
{
	(void)state;
	enum { N = 2000 };
	static struct due d[N];
	open_loop();
	last_ms = 0;
	int64_t farthest = 0;
	for (int i = 0; i < N; i++) {
		int64_t ms = 1 + (int64_t)rand_below(i % 3 == 0 ? 300 : i % 3 == 1 ? 70000 : 20000000);
		d[i] = (struct due){ .at_ms = clock_mono_ms(&fake.clock) + ms };
		tmr_start(loop, &d[i].t, ms, check_due, &d[i]);
		if (ms > farthest)
			farthest = ms;
	}
	for (int64_t t = 0; t <= farthest + 1;) {
		int64_t step = 1 + (int64_t)rand_below(50000);
		turn(step);
		t += step;
	}
	for (int i = 0; i < N; i++)
		assert_true(d[i].done);
	loop_destroy(loop);
}

static void restart(void *arg)
{
	struct tmr *t = arg;
	if (++fired < 5)
		tmr_start(loop, t, 10, restart, t);
}

static void handler_may_start_its_timer_again(void **state)
{
	(void)state;
	struct tmr t = { 0 };
	open_loop();
	tmr_start(loop, &t, 10, restart, &t);
	for (int i = 0; i < 100; i++)
		turn(1);
	assert_int_equal(fired, 5);
	loop_destroy(loop);
}

static void loop_wakes_for_a_timer_in_real_time(void **state)
{
	(void)state;
	struct tmr t = { 0 };
	struct loop *real;
	fired = 0;
	assert_int_equal(loop_create(&real, clock_system()), 0);
	tmr_start(real, &t, 30, fire, NULL);
	int64_t began = clock_mono_ms(clock_system());
	while (!fired)
		loop_step(real, 10000);
	assert_true(clock_mono_ms(clock_system()) - began >= 30);
	loop_destroy(real);
}

UT_MAIN(UT(fires_once_and_not_early), UT(cancelled_timer_stays_silent), UT(many_timers_fire_in_order_over_all_levels_of_the_wheel),
        UT(handler_may_start_its_timer_again), UT(loop_wakes_for_a_timer_in_real_time))
