/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include "base/rand.h"
#include "net/tmr_private.h"

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

static void lax_timer_wakes_nobody_and_fires_with_what_happens(void **state)
{
	(void)state;
	struct tmr lax = { 0 }, punctual = { 0 };
	open_loop();
	struct wheel *w = loop_wheel(loop);
	tmr_start_lax(loop, &lax, 5, fire, NULL);
	int64_t alone = wheel_next_ms(w, w->now_ms);
	assert_in_range(alone, 6, TMR_LAX_MS);
	tmr_start(loop, &punctual, 7, fire, NULL);
	assert_int_equal(wheel_next_ms(w, w->now_ms), 7);
	tmr_cancel(&punctual);
	assert_int_equal(wheel_next_ms(w, w->now_ms), alone);
	turn(4);
	assert_int_equal(fired, 0);
	turn(1);
	assert_int_equal(fired, 1);
	assert_int_equal(wheel_next_ms(w, w->now_ms), -1);
	loop_destroy(loop);
}

static void soon_again(void *arg)
{
	fired++;
	tmr_start_soon(loop, arg, fire, NULL);
}

static void soon_is_the_end_of_this_turn(void **state)
{
	(void)state;
	struct tmr t = { 0 }, gone = { 0 };
	open_loop();
	tmr_start_soon(loop, &t, soon_again, &t);
	tmr_start_soon(loop, &gone, fire, NULL);
	tmr_cancel(&gone);
	assert_int_equal(fired, 0);
	turn(0);
	assert_int_equal(fired, 1); /* what it starts is for the next turn, which does not wait */
	assert_true(tmr_active(&t));
	assert_int_equal(wheel_next_ms(loop_wheel(loop), 1000), 0);
	turn(0);
	assert_int_equal(fired, 2);
	assert_false(tmr_active(&t));
	loop_destroy(loop);
}

/* The next one that is due is found whatever was started and stopped meanwhile. */
static void the_wait_never_passes_a_timer(void **state)
{
	(void)state;
	enum { N = 40 };
	static struct tmr t[N];
	int64_t due[N] = { 0 };
	open_loop();
	struct wheel *w = loop_wheel(loop);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned i = rand_below(N);
		int64_t now = clock_mono_ms(&fake.clock), least = -1;
		if (rand_below(3)) {
			int64_t ms = 1 + (int64_t)rand_below(rand_below(2) ? 300 : 3000);
			tmr_start(loop, &t[i], ms, fire, NULL);
			due[i] = now + ms;
		} else {
			tmr_cancel(&t[i]);
		}
		for (unsigned k = 0; k < N; k++)
			if (tmr_active(&t[k]) && (least < 0 || due[k] - now < least))
				least = due[k] - now;
		int64_t next = wheel_next_ms(w, now);
		assert_true(least < 0 ? next == -1 : next >= 0 && next <= least);
		if (!rand_below(4))
			turn(1 + (int64_t)rand_below(40));
	}
	for (unsigned k = 0; k < N; k++)
		tmr_cancel(&t[k]);
	loop_destroy(loop);
}

UT_MAIN(UT(lax_timer_wakes_nobody_and_fires_with_what_happens), UT(soon_is_the_end_of_this_turn), UT(the_wait_never_passes_a_timer), UT(fires_once_and_not_early), UT(cancelled_timer_stays_silent), UT(many_timers_fire_in_order_over_all_levels_of_the_wheel),
        UT(handler_may_start_its_timer_again), UT(loop_wakes_for_a_timer_in_real_time))
