/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "jobs/lease.h"
#include "jobs_events.h"
#include "event/bus.h"
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
	bool came, asked;
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
	for (int i = 0; i < 3000 && !b->came; i++)
		loop_step(b->loop, 5);
	assert_true(b->came);
}

/* Until what that node said of itself was written. */
static void list_until(struct bench *b, struct registry *r, size_t i, const char *says)
{
	do
		list(b, r);
	while (b->n <= i || strcmp(b->v[i].state, says) != 0);
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
	list_until(&b, one, 0, "ready");
	prm.node = "node02";
	assert_int_equal(registry_create(&two, &prm), 0);
	list_until(&b, one, 1, "not-ready");
	assert_int_equal(b.n, 2);
	assert_true(b.v[0].alive && b.v[0].self && b.v[1].alive && !b.v[1].self);
	assert_string_equal(b.v[0].state, "ready");
	assert_int_equal(b.v[0].calls, 3);
	registry_destroy(two);
	list_until(&b, one, 1, "stopped");
	assert_false(b.v[1].alive);
	assert_string_equal(b.v[1].state, "stopped");
	registry_destroy(one);
	end(&b);
}

/* ---- nodes that fall silent ---- */

struct ears {
	struct ev_bus *bus;
	atomic_int silent, back;
};

static void event_h(const struct ev_record *rec, void *arg)
{
	struct ears *e = arg;
	if (rec->report.id == EV_NODE_SILENT)
		atomic_fetch_add(&e->silent, 1);
	if (rec->report.id == EV_NODE_BACK)
		atomic_fetch_add(&e->back, 1);
}

/* That much of fake time at once, until the beat of that moment was written and looked at: what it made known is on the bus then. */
static void later(struct bench *b, struct registry *r, int64_t ms)
{
	clock_fake_advance_ms(&b->clock, ms);
	int64_t now = clock_real_us(&b->clock.clock);
	do
		list(b, r);
	while (b->v[0].beat_us != now);
	settle(b);
}

static void second(struct bench *b, struct registry *r)
{
	later(b, r, 1000);
}

static void expect(struct bench *b, struct ears *e, int silent, int back)
{
	for (int i = 0; i < 2000 && (atomic_load(&e->silent) < silent || atomic_load(&e->back) < back); i++) {
		loop_step(b->loop, 5);
		ev_bus_flush(e->bus);
	}
	assert_int_equal(atomic_load(&e->silent), silent);
	assert_int_equal(atomic_load(&e->back), back);
}

static struct registry *node(struct bench *b, struct ears *e, const char *name)
{
	struct registry *r = NULL;
	struct registry_prm prm = { .store = b->s, .loop = b->loop, .clock = &b->clock.clock, .bus = e->bus, .node = name, .fqdn = name, .version = "1",
		                    .interval_ms = 1000, .max_calls = 500 };
	assert_int_equal(registry_create(&r, &prm), 0);
	return r;
}

/* As a process that is killed: its row stays as it is. */
static int beats_no_more(struct db_tx *tx, void *arg, struct ev_report *why)
{
	return db_exec(tx, why, "INSERT INTO node (name, fqdn, version, state, reason, started_us, beat_us, calls, interval_ms) VALUES"
		" ('node02', 'node02', '1', 'ready', '', 1, ?1, 0, 1000) ON CONFLICT (name) DO UPDATE SET beat_us = excluded.beat_us", "i", *(int64_t *)arg);
}

/* As a node that went back to a release which beats more rarely, and does not say so. */
static int goes_back(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	return db_exec(tx, why, "UPDATE node SET version = '0' WHERE name = 'node02'", "");
}

static void signs(struct bench *b)
{
	int64_t now = clock_real_us(&b->clock.clock);
	assert_int_equal(store_run(b->s, STORE_WRITE, beats_no_more, &now, NULL), 0);
}

static void a_silent_node_is_told_once_within_five_seconds_and_told_back(void **state)
{
	(void)state;
	struct bench b;
	struct ears e = { 0 };
	begin(&b);
	assert_int_equal(ev_bus_create(&e.bus, &b.clock.clock, 0), 0);
	for (unsigned c = 0; c < EV_CATEGORIES; c++)
		ev_bus_level(e.bus, (enum ev_category)c, EV_LEVEL_LOW);
	assert_int_equal(ev_bus_sink(e.bus, event_h, NULL, &e), 0);
	signs(&b);
	struct registry *one = node(&b, &e, "node01");
	list_until(&b, one, 0, "not-ready");
	for (int s = 1; s <= 3; s++) {
		second(&b, one);
		expect(&b, &e, 0, 0);
		assert_true(b.v[1].alive);
	}
	second(&b, one);
	expect(&b, &e, 1, 0);
	assert_false(b.v[1].alive);
	second(&b, one);
	expect(&b, &e, 1, 0);
	signs(&b);
	second(&b, one);
	expect(&b, &e, 1, 1);
	assert_true(b.v[1].alive);
	registry_destroy(one);
	ev_bus_destroy(e.bus);
	end(&b);
}

static void who_was_away_itself_accuses_nobody(void **state)
{
	(void)state;
	struct bench b;
	struct ears e = { 0 };
	begin(&b);
	assert_int_equal(ev_bus_create(&e.bus, &b.clock.clock, 0), 0);
	for (unsigned c = 0; c < EV_CATEGORIES; c++)
		ev_bus_level(e.bus, (enum ev_category)c, EV_LEVEL_LOW);
	assert_int_equal(ev_bus_sink(e.bus, event_h, NULL, &e), 0);
	signs(&b);
	struct registry *one = node(&b, &e, "node01");
	list_until(&b, one, 0, "not-ready");
	later(&b, one, 60000); /* one step: no beat of ours came between either */
	expect(&b, &e, 0, 0);
	for (int s = 1; s <= 3; s++) { /* they all have as long to come back as to fall silent */
		second(&b, one);
		expect(&b, &e, 0, 0);
	}
	second(&b, one); /* from here on it knows */
	expect(&b, &e, 1, 0);
	signs(&b);
	second(&b, one);
	expect(&b, &e, 1, 1);
	later(&b, one, 3000); /* the other's last sign is a second older than ours: a short gap can look like silence, too */
	signs(&b); /* a second after us */
	second(&b, one);
	second(&b, one);
	expect(&b, &e, 1, 1);
	registry_destroy(one);
	ev_bus_destroy(e.bus);
	end(&b);
}

static void another_release_may_beat_more_rarely(void **state)
{
	(void)state;
	struct bench b;
	struct ears e = { 0 };
	begin(&b);
	assert_int_equal(ev_bus_create(&e.bus, &b.clock.clock, 0), 0);
	for (unsigned c = 0; c < EV_CATEGORIES; c++)
		ev_bus_level(e.bus, (enum ev_category)c, EV_LEVEL_LOW);
	assert_int_equal(ev_bus_sink(e.bus, event_h, NULL, &e), 0);
	signs(&b);
	assert_int_equal(store_run(b.s, STORE_WRITE, goes_back, NULL, NULL), 0);
	struct registry *one = node(&b, &e, "node01");
	list_until(&b, one, 0, "not-ready");
	for (int s = 1; s <= 17; s++) {
		second(&b, one);
		assert_true(b.v[1].alive);
	}
	expect(&b, &e, 0, 0);
	second(&b, one);
	expect(&b, &e, 1, 0);
	assert_false(b.v[1].alive);
	registry_destroy(one);
	ev_bus_destroy(e.bus);
	end(&b);
}

static void who_was_silent_before_is_not_told(void **state)
{
	(void)state;
	struct bench b;
	struct ears e = { 0 };
	begin(&b);
	assert_int_equal(ev_bus_create(&e.bus, &b.clock.clock, 0), 0);
	for (unsigned c = 0; c < EV_CATEGORIES; c++)
		ev_bus_level(e.bus, (enum ev_category)c, EV_LEVEL_LOW);
	assert_int_equal(ev_bus_sink(e.bus, event_h, NULL, &e), 0);
	signs(&b);
	clock_fake_advance_ms(&b.clock, 86400000);
	struct registry *one = node(&b, &e, "node01");
	list_until(&b, one, 0, "not-ready");
	for (int s = 1; s <= 9; s++)
		second(&b, one);
	expect(&b, &e, 0, 0);
	assert_false(b.v[1].alive); /* the list says so all the same */
	signs(&b);
	second(&b, one);
	expect(&b, &e, 0, 0); /* nobody was told that it was away */
	for (int s = 1; s <= 3; s++)
		second(&b, one);
	expect(&b, &e, 1, 0);
	registry_destroy(one);
	ev_bus_destroy(e.bus);
	end(&b);
}

static void load_and_what_is_served_are_told(void **state)
{
	(void)state;
	struct bench b;
	struct ears e = { 0 };
	begin(&b);
	struct registry *one = node(&b, &e, "node01");
	registry_serves(one, 7, "0123456789abcdef0123456789abcdef");
	registry_say(one, "ready", NULL, 3);
	list_until(&b, one, 0, "ready");
	assert_int_equal(b.v[0].calls, 3);
	assert_int_equal(b.v[0].max_calls, 500);
	assert_int_equal(b.v[0].revision, 7);
	assert_int_equal(b.v[0].skew_us, 0);
	assert_string_equal(b.v[0].objects, "0123456789abcdef0123456789abcdef");
	registry_destroy(one);
	end(&b);
}

static void heard_cards(int err, const struct registry_node *nodes, size_t n, void *arg)
{
	struct bench *b = arg;
	assert_int_equal(err, 0);
	b->asked = false;
	assert_true(n <= 2);
	if (n < 2 || !nodes[0].card || strcmp(nodes[0].card, "{\"a\":2}") != 0)
		return; /* not written yet */
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
	while (!b.came) {
		b.asked = true;
		assert_int_equal(registry_cards(two, heard_cards, &b), 0);
		for (int i = 0; i < 3000 && b.asked; i++)
			loop_step(b.loop, 5);
		assert_false(b.asked);
	}
	list(&b, two); /* without cards where nobody wants them */
	assert_null(b.v[0].card);
	registry_destroy(two);
	registry_destroy(one);
	end(&b);
}

static void over(int err, const struct registry_node *nodes, size_t n, void *arg)
{
	int *said = arg;
	(void)nodes;
	assert_int_equal(n, err ? 0 : 1);
	*said = err;
}

static void who_waits_for_a_list_is_told_that_the_registry_is_gone(void **state)
{
	(void)state;
	struct bench b;
	struct registry *r;
	int said = -1, cards = -1;
	begin(&b);
	struct registry_prm prm = { .store = b.s, .loop = b.loop, .clock = &b.clock.clock, .node = "node01" };
	assert_int_equal(registry_create(&r, &prm), 0);
	list_until(&b, r, 0, "not-ready");
	assert_int_equal(registry_list_always(r, over, &said), 0);
	assert_int_equal(registry_cards(r, over, &cards), 0);
	registry_destroy(r);
	for (int i = 0; i < 20000 && (said < 0 || cards < 0); i++)
		loop_step(b.loop, 5);
	assert_int_equal(said, ECANCELED);
	assert_int_equal(cards, ECANCELED);
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

UT_MAIN(UT(two_processes_never_hold_one_lease), UT(leases_go_by_the_clock_of_the_server), UT(a_silent_node_is_told_once_within_five_seconds_and_told_back), UT(who_was_away_itself_accuses_nobody), UT(who_was_silent_before_is_not_told), UT(another_release_may_beat_more_rarely),
        UT(load_and_what_is_served_are_told), UT(nodes_are_seen_alive_silent_and_stopped), UT(a_card_is_written_once_changed_and_read_by_all), UT(who_waits_for_a_list_is_told_that_the_registry_is_gone), UT(lease_has_one_holder_at_a_time))
