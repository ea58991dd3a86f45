/* SPDX-License-Identifier: Apache-2.0 */
/* The directory on a store: revisions, PINs, and the lock that holds over callers and nodes. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "directory/pin.h"
#include "directory_events.h"
#include "net/loop.h"
#include "net/pool.h"
#include "pg.h"
#include "procs.h"

struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct store *s;
	struct pool *crypto;
	struct ev_bus *bus;
	struct dir *d;
	char url[300];
	unsigned came;
	int err;
	int64_t revision;
	struct dir_logon_result result;
	enum dir_pin_rule rule;
	struct dir_pin_status status;
	unsigned outcomes[8];
	unsigned events[4]; /* 1012, 1013, 1036, other */
};

static bool on_pg;

static void count_event(const struct ev_record *rec, void *arg)
{
	struct bench *b = arg;
	unsigned id = rec->report.id;
	b->events[id == EV_PIN_LOCKED ? 0 : id == EV_LOGON_GAVE_UP ? 1 : id == EV_LOGON ? 2 : 3]++;
}

static struct dir *node_named(struct bench *b, const char *name)
{
	struct dir *d;
	struct dir_prm prm = { .store = b->s, .loop = b->loop, .crypto = b->crypto, .clock = &b->clock.clock, .bus = b->bus, .node = name, .cheap_hash = true };
	assert_int_equal(dir_create(&d, &prm), 0);
	return d;
}

static void begin(struct bench *b)
{
	memset(b, 0, sizeof *b);
	clock_fake_init(&b->clock, 1795356309);
	assert_int_equal(loop_create(&b->loop, &b->clock.clock), 0);
	assert_int_equal(pool_create(&b->crypto, b->loop, "crypto", 2, 64), 0);
	assert_int_equal(ev_bus_create(&b->bus, &b->clock.clock, 16), 0);
	ev_bus_level(b->bus, EV_CAT_DIRECTORY, EV_LEVEL_EXPERT);
	assert_int_equal(ev_bus_sink(b->bus, count_event, NULL, b), 0);
	struct store_prm prm = { .url = b->url, .loop = b->loop, .clock = &b->clock.clock };
	snprintf(b->url, sizeof b->url, "sqlite:%s/d.db", ut_tmpdir());
	if (on_pg) {
		if (!pg_url())
			skip();
		pg_wipe();
		snprintf(b->url, sizeof b->url, "%s", pg_url());
	}
	assert_int_equal(store_open(&b->s, &prm, NULL), 0);
	b->d = node_named(b, "node01");
}

static void shut(struct bench *b)
{
	dir_destroy(b->d);
	store_close(b->s);
	pool_destroy(b->crypto);
	loop_destroy(b->loop);
}

static void end(struct bench *b)
{
	shut(b);
	ev_bus_destroy(b->bus);
}

static void wait_came(struct bench *b, unsigned n)
{
	for (int i = 0; i < 2000 && b->came < n; i++)
		loop_step(b->loop, 5);
	assert_int_equal(b->came, n);
	b->came = 0;
}

static void applied(int err, int64_t revision, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	b->revision = revision;
	b->came++;
}

static void apply(struct bench *b, struct dir *d, const char *yaml)
{
	struct cfg *c;
	assert_int_equal(cfg_parse(&c, "f", text_of(yaml), CFG_WANT_OBJECTS, NULL), 0);
	assert_int_equal(dir_apply(d, c, applied, b), 0);
	cfg_unref(c);
	wait_came(b, 1);
	assert_int_equal(b->err, 0);
}

static bool has(struct dir *d, const char *name)
{
	struct dir_view *v = dir_view(d);
	bool yes = dir_find_name(v, text_of(name)) != NULL;
	dir_view_unref(v);
	return yes;
}

#define TWO "mailboxes: [{name: alice, extensions: ['0201'], sip_uris: ['sip:a@b', 'sip:c@d']}, {name: bob, extensions: ['0202']}]\n"

static void file_becomes_a_revision_that_other_nodes_learn_of(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct dir *two = node_named(&b, "node02");
	apply(&b, b.d, TWO);
	assert_int_equal(b.revision, 1);
	apply(&b, two, TWO); /* the same is no new revision */
	assert_int_equal(b.revision, 1);
	struct dir_view *v = dir_view(two);
	assert_int_equal(dir_view_revision(v), 1);
	assert_string_equal(dir_find_uri(v, TEXT("sip:c@d"))->name, "alice");
	assert_true(dir_find_name(v, TEXT("alice"))->managed_by_file);
	dir_view_unref(v);
	apply(&b, b.d, "mailboxes: [{name: alice, extensions: ['0209']}, {name: eve}]\n");
	assert_int_equal(b.revision, 2);
	assert_true(has(b.d, "eve") && !has(b.d, "bob"));
	assert_true(has(two, "bob"));
	clock_fake_advance_ms(&b.clock, 6000);
	for (int i = 0; i < 10000 && has(two, "bob"); i++)
		loop_step(b.loop, 5);
	assert_true(has(two, "eve") && !has(two, "bob"));
	apply(&b, two, TWO); /* back again, with all that belonged to it */
	assert_int_equal(b.revision, 3);
	assert_true(has(two, "bob") && !has(two, "eve"));
	dir_destroy(two);
	end(&b);
}

#define NODE "node: {name: node02, fqdn: node02.domain.local, listen: 'udp:127.0.0.1:5060'}\n"

static unsigned n_objects;
static struct cfg *merged;

static void objects(const struct cfg *o, int64_t revision, void *arg)
{
	struct cfg *node;
	assert_int_equal(revision, 1);
	assert_int_equal(cfg_parse(&node, "n", TEXT(NODE), CFG_WANT_NODE, NULL), 0);
	assert_int_equal(cfg_merge(&merged, node, o, NULL), 0);
	cfg_unref(node);
	n_objects++;
	assert_int_equal(dir_apply(arg, merged, NULL, NULL), 0);
}

static int64_t revision_of(struct dir *d)
{
	struct dir_view *v = dir_view(d);
	int64_t n = dir_view_revision(v);
	dir_view_unref(v);
	return n;
}

static void objects_applied_for_all_reach_a_node_whose_file_has_none(void **state)
{
	(void)state;
	struct bench b;
	struct cfg *node;
	begin(&b);
	n_objects = 0;
	apply(&b, b.d, "policies: [{name: strict, pin_min_length: 9}]\n" TWO);
	struct dir *two = node_named(&b, "node02");
	dir_on_objects(two, objects, two);
	assert_int_equal(cfg_parse(&node, "n", TEXT(NODE), CFG_WANT_NODE, NULL), 0);
	assert_int_equal(dir_apply(two, node, applied, &b), 0);
	cfg_unref(node);
	wait_came(&b, 1);
	for (int i = 0; i < 3000 && (!n_objects || !revision_of(two)); i++) { /* no faster than the time that the database needs */
		clock_fake_advance_ms(&b.clock, 20);
		loop_step(b.loop, 20);
	}
	for (int i = 0; i < 200; i++) {
		clock_fake_advance_ms(&b.clock, 200);
		loop_step(b.loop, 2);
	}
	assert_int_equal(n_objects, 1); /* once, and not again */
	assert_true(has(two, "bob"));
	struct dir_view *v = dir_view(two);
	assert_int_equal(dir_policy(v, dir_find_name(v, TEXT("bob")))->pin_min_length, 9);
	assert_int_equal(dir_view_revision(v), 1);
	assert_string_equal(dir_view_cfg(v)->node.name, "node02");
	dir_view_unref(v);
	cfg_unref(merged);
	dir_destroy(two);
	end(&b);
}

struct before {
	int64_t number;
	char *objects;
};

static int ask_before(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct before *x = arg;
	mem_free(x->objects); /* of a try that was rolled back */
	x->objects = NULL;
	return dir_revision_before(tx, &x->number, &x->objects, why);
}

static void what_was_before_the_newest_revision_is_found_again(void **state)
{
	(void)state;
	struct bench b;
	struct before x = { 0 };
	begin(&b);
	assert_int_equal(store_run(b.s, STORE_READ, ask_before, &x, NULL), ENOENT);
	apply(&b, b.d, TWO);
	assert_int_equal(store_run(b.s, STORE_READ, ask_before, &x, NULL), ENOENT);
	apply(&b, b.d, "mailboxes: [{name: eve}]\n");
	assert_int_equal(store_run(b.s, STORE_READ, ask_before, &x, NULL), 0);
	assert_int_equal(x.number, 1);
	assert_string_equal(x.objects, TWO);
	apply(&b, b.d, x.objects); /* undone: then the other is what was before */
	assert_int_equal(store_run(b.s, STORE_READ, ask_before, &x, NULL), 0);
	assert_int_equal(x.number, 2);
	assert_string_equal(x.objects, "mailboxes: [{name: eve}]\n");
	mem_free(x.objects);
	end(&b);
}

static const struct dir_user *user(struct bench *b, const char *name, struct dir_view **v)
{
	*v = dir_view(b->d);
	return dir_find_name(*v, text_of(name));
}

static void pin_set(int err, enum dir_pin_rule rule, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	b->rule = rule;
	b->came++;
}

static int set_pin(struct bench *b, const char *name, const char *pin, bool must_change)
{
	struct dir_view *v;
	assert_int_equal(dir_pin_set(b->d, user(b, name, &v), text_of(pin), must_change, pin_set, b, NULL), 0);
	wait_came(b, 1);
	dir_view_unref(v);
	return b->err;
}

static void logged_on(const struct dir_logon_result *r, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->result = *r;
	b->outcomes[r->outcome]++;
	b->came++;
}

static enum dir_logon try(struct bench *b, const char *name, const char *pin)
{
	struct dir_view *v;
	assert_int_equal(dir_logon(b->d, user(b, name, &v), text_of(pin), "call-1", logged_on, b, NULL), 0);
	wait_came(b, 1);
	dir_view_unref(v);
	return b->result.outcome;
}

static void on_status(int err, const struct dir_pin_status *st, void *arg)
{
	struct bench *b = arg;
	b->err = err;
	b->status = *st;
	b->came++;
}

static void status(struct bench *b, const char *name)
{
	assert_int_equal(dir_pin_status(b->d, name, on_status, b, NULL), 0);
	wait_came(b, 1);
	assert_int_equal(b->err, 0);
}

static void right_pin_opens_and_first_use_must_change(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	apply(&b, b.d, TWO);
	assert_int_equal(try(&b, "alice", "739164"), DIR_LOGON_NO_PIN);
	assert_int_equal(set_pin(&b, "alice", "111111", false), EINVAL);
	assert_int_equal(b.rule, DIR_PIN_REPEATS);
	assert_int_equal(set_pin(&b, "alice", "739164", true), 0);
	assert_int_equal(try(&b, "alice", "739164"), DIR_LOGON_MUST_CHANGE);
	assert_int_equal(set_pin(&b, "alice", "648203", false), 0);
	assert_int_equal(try(&b, "alice", "739164"), DIR_LOGON_WRONG);
	assert_int_equal(b.result.failures, 1);
	assert_int_equal(b.result.left, 9);
	assert_int_equal(try(&b, "alice", "7391640284615739164028461739164028461"), DIR_LOGON_WRONG);
	status(&b, "Alice");
	assert_int_equal(b.status.failures, 2);
	assert_int_equal(try(&b, "alice", "648203"), DIR_LOGON_OK);
	status(&b, "alice");
	assert_true(b.status.set && !b.status.must_change && !b.status.locked && b.status.logon_us);
	assert_int_equal(b.status.failures, 0);
	assert_int_equal(dir_logon_nobody(b.d, TEXT("648203"), logged_on, &b, NULL), 0);
	wait_came(&b, 1);
	assert_int_equal(b.result.outcome, DIR_LOGON_WRONG);
	ev_bus_flush(b.bus);
	assert_int_equal(b.events[2], 2);
	end(&b);
}

static void a_pin_that_is_too_old_must_be_changed(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	apply(&b, b.d, "policies: [{name: p, pin_lifetime_days: 30}]\n" TWO);
	int64_t began = clock_real_s(&b.clock.clock);
	assert_int_equal(set_pin(&b, "alice", "739164", false), 0);
	clock_fake_set_real_s(&b.clock, began + 30 * 86400 - 60);
	assert_int_equal(try(&b, "alice", "739164"), DIR_LOGON_OK);
	clock_fake_set_real_s(&b.clock, began + 30 * 86400 + 60);
	assert_int_equal(try(&b, "alice", "739165"), DIR_LOGON_WRONG); /* nothing is said of its age to whoever does not know it */
	assert_int_equal(try(&b, "alice", "739164"), DIR_LOGON_MUST_CHANGE);
	assert_int_equal(set_pin(&b, "alice", "648203", false), 0);
	assert_int_equal(try(&b, "alice", "648203"), DIR_LOGON_OK);
	end(&b);
}

static int count_former(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT COUNT(*) FROM pin_history WHERE mailbox = ?1", "s", "alice");
	if (err)
		return err;
	*(int64_t *)arg = db_col_int(r, 0);
	db_rows_close(r);
	return 0;
}

static unsigned counted;

static void was_counted(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	(void)result, (void)err, (void)why, (void)arg;
	counted++;
}

static int64_t kept(struct bench *b)
{
	int64_t n = -1;
	counted = 0;
	assert_int_equal(store_submit(b->s, STORE_READ, count_former, was_counted, &n), 0);
	for (int i = 0; i < 2000 && !counted; i++)
		loop_step(b->loop, 5);
	return n;
}

static void former_pins_are_refused_as_many_as_the_policy_says(void **state)
{
	(void)state;
	static const char *const pins[] = { "739164", "648203", "517294", "926183" };
	struct bench b;
	begin(&b);
	apply(&b, b.d, "policies: [{name: p, pin_history: 3}]\n" TWO);
	for (int i = 0; i < 3; i++, clock_fake_advance_ms(&b.clock, 1000))
		assert_int_equal(set_pin(&b, "alice", pins[i], false), 0);
	for (int i = 0; i < 3; i++) { /* the present one, and two before it */
		assert_int_equal(set_pin(&b, "alice", pins[i], false), EINVAL);
		assert_int_equal(b.rule, DIR_PIN_USED);
	}
	assert_int_equal(try(&b, "alice", pins[2]), DIR_LOGON_OK);
	assert_int_equal(set_pin(&b, "bob", pins[0], false), 0); /* everybody has his own */
	assert_int_equal(set_pin(&b, "alice", pins[3], true), 0);
	assert_int_equal(kept(&b), 2);
	clock_fake_advance_ms(&b.clock, 1000);
	assert_int_equal(set_pin(&b, "alice", pins[0], false), 0); /* now it is the fourth */
	assert_int_equal(try(&b, "alice", pins[0]), DIR_LOGON_OK);
	apply(&b, b.d, "policies: [{name: p, pin_history: 0}]\n" TWO);
	assert_int_equal(set_pin(&b, "alice", pins[0], false), 0);
	assert_int_equal(kept(&b), 0); /* what nobody asks for is not kept */
	end(&b);
}

static void hundred_callers_at_once_get_ten_tries(void **state)
{
	(void)state;
	struct bench b;
	struct dir_view *v;
	begin(&b);
	apply(&b, b.d, TWO);
	set_pin(&b, "alice", "739164", false);
	const struct dir_user *u = user(&b, "alice", &v);
	unsigned asked = 0;
	for (; asked < 50; asked++)
		assert_int_equal(dir_logon(b.d, u, TEXT("111222"), "", logged_on, &b, NULL), 0);
	wait_came(&b, asked);
	for (int i = 0; i < 50; i++, asked++)
		try(&b, "alice", "111222");
	assert_int_equal(b.outcomes[DIR_LOGON_WRONG] + b.outcomes[DIR_LOGON_LOCKED], 100);
	assert_true(b.outcomes[DIR_LOGON_WRONG] < 10);
	assert_int_equal(try(&b, "alice", "739164"), DIR_LOGON_LOCKED); /* also with the right one */
	status(&b, "alice");
	assert_true(b.status.locked);
	assert_int_equal(b.status.failures, 10);
	ev_bus_flush(b.bus);
	assert_int_equal(b.events[0], 1);
	dir_logon_gave_up(b.d, "alice", "+1555", 3, "call-1");
	ev_bus_flush(b.bus);
	assert_int_equal(b.events[1], 1);
	assert_int_equal(set_pin(&b, "alice", "648203", true), 0); /* the administrator opens it */
	assert_int_equal(try(&b, "alice", "648203"), DIR_LOGON_MUST_CHANGE);
	dir_view_unref(v);
	end(&b);
}

static void outside_counted(int err, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	assert_true(!err || err == EDQUOT);
	b->outcomes[err == EDQUOT]++;
	b->came++;
}

/* Two nodes, many callers at once: together they make as many as one may, and the next hour begins anew. */
static void calls_outside_are_counted_over_all_nodes(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct dir *two = node_named(&b, "node02");
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(dir_count_outside(i % 2 ? two : b.d, "mailbox alice", 7, outside_counted, &b, NULL), 0);
	wait_came(&b, 30);
	assert_int_equal(b.outcomes[0], 7);
	assert_int_equal(b.outcomes[1], 23);
	ev_bus_flush(b.bus);
	assert_int_equal(b.events[3], 1); /* told once */
	assert_int_equal(dir_count_outside(two, "mailbox bob", 7, outside_counted, &b, NULL), 0);
	wait_came(&b, 1);
	assert_int_equal(b.outcomes[0], 8);
	clock_fake_advance_ms(&b.clock, 3600000);
	assert_int_equal(dir_count_outside(two, "mailbox alice", 7, outside_counted, &b, NULL), 0);
	wait_came(&b, 1);
	assert_int_equal(b.outcomes[0], 9);
	dir_destroy(two);
	end(&b);
}

static void cancelled_and_ended_tries_are_not_heard_of(void **state)
{
	(void)state;
	struct bench b;
	struct dir_view *v;
	uint64_t handle;
	begin(&b);
	apply(&b, b.d, TWO);
	set_pin(&b, "alice", "739164", false);
	const struct dir_user *u = user(&b, "alice", &v);
	assert_int_equal(dir_logon(b.d, u, TEXT("739164"), "", logged_on, &b, &handle), 0);
	dir_cancel(b.d, handle);
	for (int i = 0; i < 30; i++)
		loop_step(b.loop, 5);
	assert_int_equal(b.came, 0);
	assert_int_equal(dir_logon(b.d, u, TEXT("739164"), "", logged_on, &b, &handle), 0);
	dir_view_unref(v);
	end(&b);
	assert_int_equal(b.came, 0);
}

/* ---- two nodes, each a process of its own ---- */

enum { AT_ONCE = 30 };

static void open_node(struct bench *b, const char *name, bool first)
{
	memset(b, 0, sizeof *b);
	clock_fake_init(&b->clock, 1795356309);
	assert_int_equal(loop_create(&b->loop, &b->clock.clock), 0);
	assert_int_equal(pool_create(&b->crypto, b->loop, "crypto", 2, 64), 0);
	struct store_prm prm = { .url = pg_url(), .loop = b->loop, .clock = &b->clock.clock, .statement_ms = 60000 };
	if (first)
		pg_wipe();
	assert_int_equal(store_open(&b->s, &prm, NULL), 0);
	b->d = node_named(b, name);
	apply(b, b->d, TWO);
}

/* 0 wrong, 1 locked, 2 failed, 3 let in. */
static void guess_all_at_once(unsigned nr, struct procs_end *end, void *arg)
{
	struct bench b;
	struct dir_view *v;
	(void)arg;
	open_node(&b, nr ? "node02" : "node01", false);
	const struct dir_user *u = user(&b, "alice", &v);
	unsigned asked = 0;
	for (; asked < AT_ONCE; asked++)
		assert_int_equal(dir_logon(b.d, u, TEXT("111222"), "", logged_on, &b, NULL), 0);
	while (b.came < asked)
		loop_step(b.loop, 5);
	end->n[0] = (int)b.outcomes[DIR_LOGON_WRONG];
	end->n[1] = (int)b.outcomes[DIR_LOGON_LOCKED];
	end->n[2] = (int)b.outcomes[DIR_LOGON_FAILED];
	end->n[3] = (int)(b.outcomes[DIR_LOGON_OK] + b.outcomes[DIR_LOGON_MUST_CHANGE]);
	dir_view_unref(v);
	shut(&b);
}

static void two_nodes_together_give_ten_tries(void **state)
{
	(void)state;
	struct bench b;
	struct procs_end ends[2];
	if (!pg_url())
		skip();
	open_node(&b, "node01", true);
	assert_int_equal(set_pin(&b, "alice", "739164", false), 0);
	shut(&b);
	procs_run(2, guess_all_at_once, NULL, ends);
	int wrong = ends[0].n[0] + ends[1].n[0], locked = ends[0].n[1] + ends[1].n[1];
	assert_true(ends[0].ok && ends[1].ok);
	assert_int_equal(ends[0].n[2] + ends[1].n[2], 0);
	assert_int_equal(ends[0].n[3] + ends[1].n[3], 0);
	assert_int_equal(wrong + locked, 2 * AT_ONCE);
	assert_true(wrong < 10);
	open_node(&b, "node01", false);
	status(&b, "alice");
	assert_true(b.status.locked);
	assert_int_equal(b.status.failures, 10); /* each try that was judged was counted before, none twice */
	assert_int_equal(try(&b, "alice", "739164"), DIR_LOGON_LOCKED);
	shut(&b);
}

static int set_pg(void **state)
{
	on_pg = true;
	return ut_setup(state);
}

static int set_sqlite(void **state)
{
	on_pg = false;
	return ut_setup(state);
}

#define BOTH(t) { #t " (sqlite)", t, set_sqlite, ut_teardown, NULL }, { #t " (postgresql)", t, set_pg, ut_teardown, NULL }

UT_MAIN(UT(two_nodes_together_give_ten_tries), BOTH(objects_applied_for_all_reach_a_node_whose_file_has_none), BOTH(what_was_before_the_newest_revision_is_found_again), BOTH(file_becomes_a_revision_that_other_nodes_learn_of), BOTH(right_pin_opens_and_first_use_must_change),
	BOTH(a_pin_that_is_too_old_must_be_changed), BOTH(former_pins_are_refused_as_many_as_the_policy_says), BOTH(calls_outside_are_counted_over_all_nodes), BOTH(hundred_callers_at_once_get_ten_tries), BOTH(cancelled_and_ended_tries_are_not_heard_of))
