/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "jobs/lease.h"
#include "jobs/registry.h"
#include "net/loop.h"
#include "pg.h"
#include "procs.h"

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

/* ---- two processes and a real server ---- */

enum { TURNS = 25 };

static int make_sum(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	int err = db_exec(tx, why, "CREATE TABLE sum (n BIGINT NOT NULL)", "");
	return err ? err : db_exec(tx, why, "INSERT INTO sum (n) VALUES (0)", "");
}

static int read_sum(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT n FROM sum", "");
	if (err)
		return err;
	*(int64_t *)arg = db_col_int(r, 0);
	db_rows_close(r);
	return 0;
}

static int write_sum(struct db_tx *tx, void *arg, struct ev_report *why)
{
	return db_exec(tx, why, "UPDATE sum SET n = ?1", "i", *(int64_t *)arg);
}

static int take_or_give(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct ask *a = arg;
	return a->give ? lease_give(tx, "sum", a->owner, why) : lease_take(tx, "sum", a->owner, 600000, NULL, 0, why);
}

static struct store *store_of_a_node(struct loop **loop)
{
	struct store *s = NULL;
	struct store_prm prm = { .url = pg_url(), .clock = clock_system(), .threads = 2, .statement_ms = 60000 };
	if (loop_create(loop, clock_system()))
		return NULL;
	prm.loop = *loop;
	return store_open(&s, &prm, NULL) ? NULL : s;
}

/* Reads, then writes one more in another transaction: whoever was let in beside the holder would make it count one too few. */
static void add_under_lease(unsigned nr, struct procs_end *end, void *arg)
{
	struct loop *loop = NULL;
	struct store *s = store_of_a_node(&loop);
	struct ask a = { .owner = nr ? "node02" : "node01" };
	(void)arg;
	while (s && end->n[0] < TURNS) {
		int64_t n = 0;
		a.give = false;
		if (store_run(s, STORE_WRITE, take_or_give, &a, NULL))
			continue;
		bool good = !store_run(s, STORE_READ, read_sum, &n, NULL);
		n++;
		good = good && !store_run(s, STORE_WRITE, write_sum, &n, NULL);
		a.give = true;
		good = good && !store_run(s, STORE_WRITE, take_or_give, &a, NULL);
		end->n[0]++;
		end->n[1] += good;
	}
	store_close(s);
	loop_destroy(loop);
}

static void two_processes_never_hold_one_lease(void **state)
{
	(void)state;
	struct procs_end ends[2];
	struct loop *loop = NULL;
	int64_t n = 0;
	if (!pg_url())
		skip();
	pg_wipe();
	struct store *s = store_of_a_node(&loop);
	assert_non_null(s);
	assert_int_equal(store_run(s, STORE_WRITE, make_sum, NULL, NULL), 0);
	store_close(s);
	loop_destroy(loop);
	procs_run(2, add_under_lease, NULL, ends);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ends[i].ok, 1);
		assert_int_equal(ends[i].n[1], TURNS);
	}
	s = store_of_a_node(&loop);
	assert_int_equal(store_run(s, STORE_READ, read_sum, &n, NULL), 0);
	assert_int_equal(n, 2 * TURNS);
	store_close(s);
	loop_destroy(loop);
}

static int ask_time(struct db_tx *tx, void *arg, struct ev_report *why)
{
	int64_t now = 0;
	int err = db_now(tx, &now, why);
	*(int64_t *)arg = now;
	return err;
}

static void leases_go_by_the_clock_of_the_server(void **state)
{
	(void)state;
	struct loop *loop = NULL;
	int64_t now = 0;
	if (!pg_url())
		skip();
	pg_wipe();
	struct store *s = store_of_a_node(&loop);
	assert_int_equal(store_run(s, STORE_WRITE, ask_time, &now, NULL), 0);
	int64_t off_s = (now - clock_real_us(clock_system())) / 1000000;
	assert_true(off_s < 600 && off_s > -600); /* one machine, one clock; more than a busy machine's pause would be a wrong unit */
	store_close(s);
	loop_destroy(loop);
}

UT_MAIN(UT(two_processes_never_hold_one_lease), UT(leases_go_by_the_clock_of_the_server), UT(nodes_are_seen_alive_silent_and_stopped), UT(a_card_is_written_once_changed_and_read_by_all), UT(lease_has_one_holder_at_a_time))
