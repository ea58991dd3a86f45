/* SPDX-License-Identifier: Apache-2.0 */
/* post_test.c  Two nodes on one store: what is delivered once, and what is not believed. */
#include "cert/post.h"
#include <errno.h>
#include <stdio.h>
#include "base/mem.h"
#include "cert_events.h"
#include "db/db.h"
#include "jobs/registry.h"
#include "support/certs.h"
#include "ut.h"

#define ONE "node01.domain.local"
#define TWO "node02.domain.local"
#define SERVICE "um.domain.local"

struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct pool *pool;
	struct store *store;
	struct ev_bus *bus;
	struct tc root, cert[2];
	struct trust_keeper *keeper[2];
	struct registry *registry[2];
	struct cert_post *post[2];
	unsigned heard, refused;
	char from[65], kind[16], said[64];
};

static void hear(const struct cert_letter_in *l, void *arg)
{
	struct bench *b = arg;
	b->heard++;
	text_fill(b->from, sizeof b->from, l->from);
	text_fill(b->kind, sizeof b->kind, l->kind);
	text_fill(b->said, sizeof b->said, json_string_value(l->data) ? json_string_value(l->data) : "");
}

static void watch_events(const struct ev_record *rec, void *arg)
{
	struct bench *b = arg;
	b->refused += rec->report.id == EV_CERT_LETTER_REFUSED;
}

static void identity(struct bench *b, unsigned i, const char *cn, const char *san)
{
	struct trust_identity *id;
	struct trust_set *set;
	tc_leaf(&b->cert[i], &b->root, cn, san);
	assert_int_equal(trust_identity_from(&id, "own", b->cert[i].cert, NULL, b->cert[i].key, NULL), 0);
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_set_identity(set, id), 0);
	assert_int_equal(trust_set_anchor(set, b->root.cert), 0);
	assert_int_equal(trust_keeper_create(&b->keeper[i], set), 0);
	mem_unref(set);
	mem_unref(id);
}

static void node(struct bench *b, unsigned i, const char *name, const char *fqdn)
{
	struct registry_prm rp = { .store = b->store, .loop = b->loop, .clock = &b->clock.clock, .node = name, .fqdn = fqdn, .version = "1" };
	assert_int_equal(registry_create(&b->registry[i], &rp), 0);
	struct cert_post_prm pp = { .store = b->store, .loop = b->loop, .pool = b->pool, .clock = &b->clock.clock, .bus = b->bus, .keeper = b->keeper[i],
				    .registry = b->registry[i], .node = name, .service = SERVICE, .interval_ms = 50, .h = hear, .arg = b };
	assert_int_equal(cert_post_create(&b->post[i], &pp), 0);
}

static void turn(struct bench *b)
{
	for (int i = 0; i < 60; i++) {
		loop_step(b->loop, 5);
		clock_fake_advance_ms(&b->clock, 10);
	}
	ev_bus_flush(b->bus);
}

/* Until so much was heard and refused (the machine may be slow), and then a while longer: not more. */
static void expect(struct bench *b, unsigned heard, unsigned refused)
{
	for (int i = 0; i < 1000 && (b->heard != heard || b->refused != refused); i++) {
		loop_step(b->loop, 5);
		clock_fake_advance_ms(&b->clock, 10);
		ev_bus_flush(b->bus);
	}
	turn(b);
	assert_int_equal(b->heard, heard);
	assert_int_equal(b->refused, refused);
}

static int both_listed(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *rows;
	(void)arg;
	int err = db_query_one(tx, &rows, why, "SELECT count(*) FROM node", "");
	if (err)
		return err;
	err = db_col_int(rows, 0) == 2 ? 0 : EAGAIN;
	db_rows_close(rows);
	return err;
}

static void up(struct bench *b, const char *san_of_one)
{
	char url[300];
	memset(b, 0, sizeof *b);
	clock_fake_init(&b->clock, TC_NOW);
	assert_int_equal(loop_create(&b->loop, &b->clock.clock), 0);
	assert_int_equal(pool_create(&b->pool, b->loop, "crypto", 1, 16), 0);
	assert_int_equal(ev_bus_create(&b->bus, &b->clock.clock, 64), 0);
	assert_int_equal(ev_bus_sink(b->bus, watch_events, NULL, b), 0);
	snprintf(url, sizeof url, "sqlite:%s/p.db", ut_tmpdir());
	struct store_prm prm = { .url = url, .loop = b->loop, .clock = &b->clock.clock };
	assert_int_equal(store_open(&b->store, &prm, NULL), 0);
	tc_root(&b->root, "Root");
	identity(b, 0, ONE, san_of_one);
	identity(b, 1, TWO, "DNS:" TWO ",DNS:" SERVICE);
	node(b, 0, "node01", ONE);
	node(b, 1, "node02", TWO);
	for (int i = 0; i < 500 && store_run(b->store, STORE_READ, both_listed, NULL, NULL) != 0; i++)
		loop_step(b->loop, 5);
	turn(b);
}

static void down(struct bench *b)
{
	for (unsigned i = 0; i < 2; i++) {
		cert_post_destroy(b->post[i]);
		registry_destroy(b->registry[i]);
	}
	turn(b);
	pool_destroy(b->pool);
	store_close(b->store);
	ev_bus_destroy(b->bus);
	loop_destroy(b->loop);
	for (unsigned i = 0; i < 2; i++) {
		trust_keeper_destroy(b->keeper[i]);
		tc_free(&b->cert[i]);
	}
	tc_free(&b->root);
}

static void a_letter_arrives_once(void **state)
{
	(void)state;
	struct bench b;
	up(&b, "DNS:" ONE ",DNS:" SERVICE);
	assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER", "step", json_string("hello")), 0);
	expect(&b, 1, 0);
	assert_string_equal(b.from, "node01");
	assert_string_equal(b.kind, "step");
	assert_string_equal(b.said, "hello");
	down(&b);
}

/* A good certificate of the same authority that is no node's: a gateway's, say. */
static void a_stranger_is_not_believed(void **state)
{
	(void)state;
	struct bench b;
	up(&b, "DNS:lyncpool.domain.com");
	assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER", "cure", NULL), 0);
	expect(&b, 0, 1);
	down(&b);
}

/* Whoever writes into the store can put a letter there again, or hand it to another node. */
struct row {
	char id[64], to[65], body[16384];
};

static int take(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct row *r = arg;
	struct db_rows *rows;
	int err = db_query_one(tx, &rows, why, "SELECT body FROM node_letter", "");
	if (err)
		return err;
	db_col_copy(rows, 0, r->body, sizeof r->body);
	db_rows_close(rows);
	return 0;
}

static int put(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct row *r = arg;
	return db_exec(tx, why, "INSERT INTO node_letter (id, to_node, at_us, body) VALUES (?1,?2,?3,?4)", "ssis", r->id, r->to, (int64_t)TC_NOW * 1000000, r->body);
}

static void what_is_for_another_node_is_not_believed(void **state)
{
	(void)state;
	struct bench b;
	static struct row r;
	memset(&r, 0, sizeof r);
	up(&b, "DNS:" ONE ",DNS:" SERVICE);
	/* for a node that does not fetch: so it lies there to be copied */
	assert_int_equal(cert_post_send(b.post[0], "node03", "ORDER", "step", NULL), 0);
	for (int i = 0; i < 200 && store_run(b.store, STORE_READ, take, &r, NULL) != 0; i++)
		turn(&b);
	assert_true(r.body[0]);
	text_fill(r.to, sizeof r.to, "node02");
	text_fill(r.id, sizeof r.id, "copied");
	assert_int_equal(store_run(b.store, STORE_WRITE, put, &r, NULL), 0);
	expect(&b, 0, 1); /* it was written to node03 */
	down(&b);
}

static void what_was_read_before_or_is_old_is_not_believed(void **state)
{
	(void)state;
	struct bench b;
	static struct row r;
	memset(&r, 0, sizeof r);
	up(&b, "DNS:" ONE ",DNS:" SERVICE);
	cert_post_destroy(b.post[1]); /* it does not fetch for a while */
	b.post[1] = NULL;
	turn(&b);
	assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER", "step", NULL), 0);
	for (int i = 0; i < 200 && store_run(b.store, STORE_READ, take, &r, NULL) != 0; i++)
		turn(&b);
	assert_true(r.body[0]);
	struct cert_post_prm pp = { .store = b.store, .loop = b.loop, .pool = b.pool, .clock = &b.clock.clock, .bus = b.bus, .keeper = b.keeper[1],
				    .registry = b.registry[1], .node = "node02", .service = SERVICE, .interval_ms = 50, .h = hear, .arg = &b };
	assert_int_equal(cert_post_create(&b.post[1], &pp), 0);
	expect(&b, 1, 0);
	text_fill(r.to, sizeof r.to, "node02");
	text_fill(r.id, sizeof r.id, "again");
	assert_int_equal(store_run(b.store, STORE_WRITE, put, &r, NULL), 0);
	expect(&b, 1, 1);
	/* a node that was restarted remembers no ids: then its age tells */
	cert_post_destroy(b.post[1]);
	turn(&b);
	clock_fake_advance_ms(&b.clock, 600 * 1000);
	assert_int_equal(cert_post_create(&b.post[1], &pp), 0);
	text_fill(r.id, sizeof r.id, "later");
	assert_int_equal(store_run(b.store, STORE_WRITE, put, &r, NULL), 0);
	expect(&b, 1, 2);
	down(&b);
}

UT_MAIN(UT(a_letter_arrives_once), UT(a_stranger_is_not_believed), UT(what_is_for_another_node_is_not_believed),
	UT(what_was_read_before_or_is_old_is_not_believed))
