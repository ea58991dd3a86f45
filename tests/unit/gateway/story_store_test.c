/* SPDX-License-Identifier: Apache-2.0 */
/* Stories outlive the process, are seen by other nodes, and wait for a store that is away. */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "db/db.h"
#include "gateway/story_store.h"
#include "net/loop.h"
#include "pg.h"

struct side {
	struct gw_stories *s;
	struct gw_story_store *kept;
};

static struct store *open_store(struct loop *loop, const char *url)
{
	struct store *store;
	struct store_prm prm = { .url = url, .loop = loop, .clock = clock_system() };
	assert_int_equal(store_open(&store, &prm, NULL), 0);
	return store;
}

static void begin(struct side *d, struct loop *loop, struct store *store, const char *node)
{
	assert_int_equal(gw_stories_create(&d->s, clock_system(), node), 0);
	struct gw_story_store_prm prm = { .stories = d->s, .store = store, .loop = loop, .clock = clock_system(), .node = node, .interval_ms = 10 };
	assert_int_equal(gw_story_store_create(&d->kept, &prm), 0);
}

static void end(struct side *d)
{
	gw_story_store_destroy(d->kept);
	gw_stories_destroy(d->s);
}

static void fail_once(struct side *d, int err)
{
	struct gw_story_told told;
	struct trust_verdict v;
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, TRUST_DIALLED, TRUST_TLS, 1700000000);
	facts_gateway(f, "pool", "pool.example.com");
	facts_flow(f, TRUST_FLOW_OPTIONS);
	facts_target(f, "pool.example.com", 5061, "192.0.2.1:5061");
	facts_connect(f, err, 3);
	trust_explain(f, &v);
	gw_story_failed(d->s, "pool", "192.0.2.1", f, &v, &told);
	mem_free(f);
}

static bool wait_open(struct loop *loop, struct side *d, unsigned n)
{
	for (unsigned i = 0; i < 500 && gw_story_open(d->s) != n; i++)
		loop_step(loop, 10);
	return gw_story_open(d->s) == n;
}

static bool wait_other(struct loop *loop, struct side *d, unsigned n)
{
	for (unsigned i = 0; i < 500 && gw_story_store_others(d->kept) != n; i++)
		loop_step(loop, 10);
	return gw_story_store_others(d->kept) == n;
}

struct looked {
	bool came, found;
	char verdict[48];
};

static void looked_h(const struct gw_story *st, void *arg)
{
	struct looked *x = arg;
	x->came = true;
	x->found = st != NULL;
	text_fill(x->verdict, sizeof x->verdict, st ? st->verdict : "");
	if (st)
		assert_non_null(strstr(st->facts_json, "192.0.2.1"));
}

static bool look_up(struct loop *loop, struct side *d, const char *id, const char *verdict)
{
	struct looked x = { 0 };
	assert_int_equal(gw_story_store_find(d->kept, id, looked_h, &x), 0);
	for (unsigned i = 0; i < 500 && !x.came; i++)
		loop_step(loop, 10);
	assert_true(x.came);
	return x.found && strcmp(x.verdict, verdict) == 0;
}

static void outlive_a_restart(const char *url)
{
	struct loop *loop;
	struct side a, b;
	char id[ID_SIZE];
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	struct store *store = open_store(loop, url);
	begin(&a, loop, store, "node01");
	begin(&b, loop, store, "node02");
	fail_once(&a, ECONNREFUSED);
	fail_once(&a, ECONNREFUSED);
	fail_once(&a, ETIMEDOUT);
	text_fill(id, sizeof id, gw_story_at(a.s, 1)->id);
	assert_true(wait_other(loop, &b, 2)); /* the other node hears of them */
	assert_string_equal(gw_story_store_other(b.kept, 0)->node, "node01");
	assert_true(look_up(loop, &b, id, "connection-refused")); /* with all that is known of it */
	assert_false(look_up(loop, &b, "01m82a2ayqfw1er0v6j7ph08eh", ""));
	end(&a);
	end(&b);
	store_close(store);

	store = open_store(loop, url);
	begin(&a, loop, store, "node01");
	fail_once(&a, ECONNREFUSED); /* before what was kept is read */
	assert_true(wait_open(loop, &a, 2));
	const struct gw_story *st = gw_story_find(a.s, id);
	assert_non_null(st);
	assert_string_equal(st->verdict, "connection-refused");
	assert_int_equal(st->count, 3);
	for (unsigned i = 0; i < 2; i++)
		assert_non_null(strstr(gw_story_at(a.s, i)->verdict_json, "\"schema\""));
	gw_story_works(a.s, "pool", "192.0.2.1", TRUST_DIALLED, TRUST_FLOW_OPTIONS, 0, NULL, NULL);
	assert_int_equal(gw_story_open(a.s), 0);
	begin(&b, loop, store, "node02");
	assert_true(wait_other(loop, &b, 0));
	for (unsigned i = 0; i < 20; i++)
		loop_step(loop, 10);
	end(&a);
	end(&b);
	store_close(store);

	store = open_store(loop, url);
	begin(&a, loop, store, "node01");
	for (unsigned i = 0; i < 500 && gw_story_count(a.s) < 2; i++)
		loop_step(loop, 10);
	assert_int_equal(gw_story_count(a.s), 2); /* over, and still to be seen */
	assert_int_equal(gw_story_open(a.s), 0);
	end(&a);
	store_close(store);
	loop_destroy(loop);
}

static void stories_outlive_a_restart(void **state)
{
	(void)state;
	char url[300];
	text_print(url, sizeof url, "sqlite:%s/db", ut_tmpdir());
	outlive_a_restart(url);
}

static void in_postgresql_too(void **state)
{
	(void)state;
	if (!pg_url())
		skip();
	pg_wipe();
	outlive_a_restart(pg_url());
}

static void a_store_that_is_away_loses_nothing(void **state)
{
	(void)state;
	struct loop *loop;
	struct store *store;
	struct side a;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	struct store_prm prm = { .url = "fail:ENOTCONN", .loop = loop, .clock = clock_system(), .may_be_away = true };
	assert_int_equal(store_open(&store, &prm, NULL), 0);
	begin(&a, loop, store, "node01");
	fail_once(&a, ECONNREFUSED);
	for (unsigned i = 0; i < 20; i++)
		loop_step(loop, 10);
	assert_int_equal(gw_story_open(a.s), 1);
	assert_true(gw_story_at(a.s, 0)->dirty); /* still to be written */
	end(&a);
	store_close(store);
	loop_destroy(loop);
}

UT_MAIN(UT(stories_outlive_a_restart), UT(in_postgresql_too), UT(a_store_that_is_away_loses_nothing))
