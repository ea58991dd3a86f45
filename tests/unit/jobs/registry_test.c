/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "jobs/lease.h"
#include "jobs/registry.h"
#include "net/loop.h"

struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct store *s;
	char url[300];
	struct registry_node v[4];
	size_t n;
	bool came;
};

static void begin(struct bench *b)
{
	memset(b, 0, sizeof *b);
	clock_fake_init(&b->clock, 1795356309);
	assert_int_equal(loop_create(&b->loop, &b->clock.clock), 0);
	snprintf(b->url, sizeof b->url, "sqlite:%s/r.db", ut_tmpdir());
	struct store_prm prm = { .url = b->url, .loop = b->loop, .clock = &b->clock.clock };
	assert_int_equal(store_open(&b->s, &prm, NULL), 0);
}

static void end(struct bench *b)
{
	store_close(b->s);
	loop_destroy(b->loop);
}

static void heard(int err, const struct registry_node *nodes, size_t n, void *arg)
{
	struct bench *b = arg;
	assert_int_equal(err, 0);
	assert_true(n <= 4);
	memcpy(b->v, nodes, n * sizeof *nodes);
	b->n = n;
	b->came = true;
}

static void settle(struct bench *b)
{
	for (int i = 0; i < 20; i++)
		loop_step(b->loop, 3);
}

static void list(struct bench *b, struct registry *r)
{
	settle(b);
	b->came = false;
	assert_int_equal(registry_list(r, heard, b), 0);
	for (int i = 0; i < 300 && !b->came; i++)
		loop_step(b->loop, 5);
	assert_true(b->came);
}

static void nodes_are_seen_alive_silent_and_stopped(void **state)
{
	(void)state;
	struct bench b;
	struct registry *one, *two;
	begin(&b);
	struct registry_prm prm = { .store = b.s, .loop = b.loop, .clock = &b.clock.clock, .node = "node01", .fqdn = "node01.domain.local", .version = "0.1.0" };
	assert_int_equal(registry_create(&one, &prm), 0);
	registry_say(one, "ready", NULL, 3);
	prm.node = "node02";
	assert_int_equal(registry_create(&two, &prm), 0);
	list(&b, one);
	assert_int_equal(b.n, 2);
	assert_true(b.v[0].alive && b.v[0].self && b.v[1].alive && !b.v[1].self);
	assert_string_equal(b.v[0].state, "ready");
	assert_int_equal(b.v[0].calls, 3);
	registry_destroy(two);
	list(&b, one);
	assert_false(b.v[1].alive);
	assert_string_equal(b.v[1].state, "stopped");
	registry_destroy(one);
	end(&b);
}

static void heard_cards(int err, const struct registry_node *nodes, size_t n, void *arg)
{
	struct bench *b = arg;
	assert_int_equal(err, 0);
	assert_int_equal(n, 2);
	assert_string_equal(nodes[0].card, "{\"a\":2}");
	assert_null(nodes[1].card);
	b->came = true;
}

static void a_card_is_written_once_changed_and_read_by_all(void **state)
{
	(void)state;
	struct bench b;
	struct registry *one, *two;
	begin(&b);
	struct registry_prm prm = { .store = b.s, .loop = b.loop, .clock = &b.clock.clock, .node = "node01", .fqdn = "node01.domain.local", .version = "0.1.0" };
	assert_int_equal(registry_create(&one, &prm), 0);
	prm.node = "node02";
	assert_int_equal(registry_create(&two, &prm), 0);
	assert_int_equal(registry_card(one, "{\"a\":1}"), 0);
	settle(&b);
	assert_int_equal(registry_card(one, "{\"a\":2}"), 0);
	assert_int_equal(registry_card(one, "{\"a\":2}"), 0);
	settle(&b);
	assert_int_equal(registry_cards(two, heard_cards, &b), 0);
	for (int i = 0; i < 300 && !b.came; i++)
		loop_step(b.loop, 5);
	assert_true(b.came);
	list(&b, two); /* without cards where nobody wants them */
	assert_null(b.v[0].card);
	registry_destroy(two);
	registry_destroy(one);
	end(&b);
}

struct ask {
	const char *owner;
	int result;
	char holder[65];
	bool give;
};

static int lease_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct ask *a = arg;
	a->result = a->give ? lease_give(tx, "sweep", a->owner, why) : lease_take(tx, "sweep", a->owner, 1000, a->holder, sizeof a->holder, why);
	return 0;
}

static int ask(struct bench *b, struct ask *a)
{
	assert_int_equal(store_run(b->s, STORE_WRITE, lease_work, a, NULL), 0);
	return a->result;
}

static void lease_has_one_holder_at_a_time(void **state)
{
	(void)state;
	struct bench b;
	struct ask one = { .owner = "node01" }, two = { .owner = "node02" };
	begin(&b);
	assert_int_equal(ask(&b, &one), 0);
	assert_int_equal(ask(&b, &two), EBUSY);
	assert_string_equal(two.holder, "node01");
	assert_int_equal(ask(&b, &one), 0); /* prolonged */
	clock_fake_advance_ms(&b.clock, 1001);
	assert_int_equal(ask(&b, &two), 0);
	assert_int_equal(ask(&b, &one), EBUSY);
	two.give = true;
	assert_int_equal(ask(&b, &two), 0);
	assert_int_equal(ask(&b, &one), 0);
	end(&b);
}

UT_MAIN(UT(nodes_are_seen_alive_silent_and_stopped), UT(a_card_is_written_once_changed_and_read_by_all), UT(lease_has_one_holder_at_a_time))
