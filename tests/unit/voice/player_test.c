/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include "base/mem.h"
#include "media_pair.h"
#include "voice/player.h"

static struct pair p;
static struct player player;
static unsigned told;
static bool was_stopped;
static uint32_t heard_ms;

static void over(struct player *pl, bool stopped, uint32_t ms, void *arg)
{
	assert_ptr_equal(pl, &player);
	assert_ptr_equal(arg, &told);
	told++;
	was_stopped = stopped;
	heard_ms = ms;
}

static void pass_on(struct media_port *port, const struct media_event *ev, void *arg)
{
	(void)port;
	(void)arg;
	player_event(&player, ev);
}

static void begin(void)
{
	pair_open(&p, false);
	p.a.also = pass_on;
	player_init(&player, p.a.port);
	told = 0;
}

static struct say_seq *seq(unsigned ms, unsigned n)
{
	static struct say_seq q;
	say_begin(&q, NULL);
	for (unsigned i = 0; i < n; i++)
		say_pause(&q, ms);
	return &q;
}

static void play(unsigned ms, unsigned n)
{
	struct say_seq *q = seq(ms, n);
	assert_int_equal(player_play(&player, q, over, &told), 0);
	say_clear(q);
}

static void one_end_for_a_sequence(void **state)
{
	(void)state;
	begin();
	play(300, 3);
	pair_run(&p, 800);
	assert_true(player_active(&player));
	assert_int_equal(told, 0);
	pair_run(&p, 200);
	assert_int_equal(told, 1);
	assert_false(was_stopped);
	assert_int_equal(heard_ms, 900);
	assert_false(player_active(&player));
	pair_close(&p);
}

static void an_empty_sequence_ends_too(void **state)
{
	(void)state;
	begin();
	play(0, 0);
	assert_int_equal(told, 0); /* not before the caller is back in its loop */
	pair_run(&p, 80);
	assert_int_equal(told, 1);
	pair_close(&p);
}

static void barge_in_tells_how_much_was_heard(void **state)
{
	(void)state;
	begin();
	play(500, 4);
	pair_run(&p, 700);
	player_stop(&player);
	pair_run(&p, 40);
	assert_int_equal(told, 1);
	assert_true(was_stopped);
	assert_in_range(heard_ms, 660, 720);
	pair_close(&p);
}

static void a_new_one_replaces_the_old_silently(void **state)
{
	(void)state;
	begin();
	play(500, 1);
	pair_run(&p, 100);
	play(200, 1);
	pair_run(&p, 400);
	assert_int_equal(told, 1);
	assert_int_equal(heard_ms, 200);
	play(500, 1);
	player_forget(&player);
	pair_run(&p, 700);
	assert_int_equal(told, 1);
	pair_close(&p);
}

static void what_is_appended_counts_as_one(void **state)
{
	(void)state;
	begin();
	play(300, 1);
	struct say_seq *q = seq(200, 1);
	assert_int_equal(player_append(&player, q), 0);
	assert_int_equal(player_append(&player, q), 0);
	say_clear(q);
	pair_run(&p, 640);
	assert_int_equal(told, 0);
	pair_run(&p, 200);
	assert_int_equal(told, 1);
	assert_int_equal(heard_ms, 700);
	pair_close(&p);
}

static void closing_the_port_ends_it(void **state)
{
	(void)state;
	begin();
	play(5000, 1);
	pair_run(&p, 100);
	pair_close(&p);
	assert_int_equal(told, 1);
	assert_true(was_stopped);
}

UT_MAIN(UT(one_end_for_a_sequence), UT(an_empty_sequence_ends_too), UT(barge_in_tells_how_much_was_heard), UT(a_new_one_replaces_the_old_silently),
	UT(what_is_appended_counts_as_one), UT(closing_the_port_ends_it))
