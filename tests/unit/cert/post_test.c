/* SPDX-License-Identifier: Apache-2.0 */
/* post_test.c  Two nodes on one store, or with a store of each: what is delivered once, what is not believed, and what is said when it does not arrive. */
#include "cert/post.h"
#include "cert/letter.h"
#include <errno.h>
#include <stdio.h>
#include "base/id.h"
#include "base/mem.h"
#include "cert_events.h"
#include "db/db.h"
#include "jobs/registry.h"
#include "sip/core.h"
#include "sip/request.h"
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
	struct sip_core *sip[2]; /* without a common store */
	struct trust_policy *accept[2];
	unsigned heard, refused, unsent;
	uint16_t unsent_id;
	char from[65], kind[16], said[64], order[16], why[1024];
};

static void hear(const struct cert_letter_in *l, void *arg)
{
	struct bench *b = arg;
	b->heard++;
	text_fill(b->from, sizeof b->from, l->from);
	text_fill(b->kind, sizeof b->kind, l->kind);
	text_fill(b->said, sizeof b->said, json_string_value(l->data) ? json_string_value(l->data) : "");
}

static void tell_unsent(const char *to, const char *order, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)to;
	b->unsent++;
	b->unsent_id = why->id;
	text_fill(b->order, sizeof b->order, order);
	ev_sentence(why, b->why, sizeof b->why);
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

/* ---- without a common store: over mutual TLS ---- */

static uint16_t port_of(const struct bench *b, unsigned i)
{
	return net_addr_port(sip_core_local(b->sip[i], 0));
}

/* What each accepts is as server/ composes it: the other node's name. */
static void core(struct bench *b, unsigned i, const char *fqdn, const char *other)
{
	struct sip_core_prm prm = { .loop = b->loop, .clock = &b->clock.clock, .bus = b->bus, .trust = b->keeper[i], .n_listen = 1,
				    .timers = { .connect_ms = 3000, .handshake_ms = 3000 } };
	struct ev_report why = { 0 };
	assert_int_equal(trust_policy_one(&b->accept[i], "node", TRUST_RULE_RFC9525, &other, 1), 0);
	prm.accept = b->accept[i];
	prm.listen[0].transport = NET_TLS;
	assert_int_equal(net_addr_parse(&prm.listen[0].addr, TEXT("127.0.0.1"), 0), 0);
	text_fill(prm.fqdn, sizeof prm.fqdn, fqdn);
	assert_int_equal(sip_core_create(&b->sip[i], &prm, &why), 0);
}

static struct cfg *two_nodes(const struct bench *b, const char *self, uint16_t port)
{
	char yaml[800];
	struct cfg *c = NULL;
	struct cfg_errors e = { 0 };
	snprintf(yaml, sizeof yaml, "node: {name: %s, fqdn: %s.domain.local, listen: tls:127.0.0.1:5061, identities: [{name: a, cert: /c, key: /k}]}\n"
		"nodes:\n  - {name: node01, fqdn: " ONE ", address: 127.0.0.1, port: %u}\n  - {name: node02, fqdn: " TWO ", address: 127.0.0.1, port: %u}\n",
		self, self, port_of(b, 0), port ? port : port_of(b, 1));
	assert_int_equal(cfg_parse(&c, "u", text_of(yaml), CFG_WANT_NODE, &e), 0);
	return c;
}

static void post_of(struct bench *b, unsigned i, const char *name)
{
	struct cert_post_prm pp = { .loop = b->loop, .pool = b->pool, .clock = &b->clock.clock, .bus = b->bus, .keeper = b->keeper[i], .sip = b->sip[i],
				    .node = name, .service = SERVICE, .h = hear, .unsent = tell_unsent, .arg = b };
	assert_int_equal(cert_post_create(&b->post[i], &pp), 0);
	assert_int_equal(cert_post_way(b->post[i]), CERT_POST_NOWHERE);
}

static void list_them(struct bench *b, unsigned i, const char *name, uint16_t port)
{
	struct cfg *c = two_nodes(b, name, port);
	assert_int_equal(cert_post_nodes(b->post[i], c), 0);
	cfg_unref(c);
}

static void up_apart_as(struct bench *b, const char *san_of_one, const char *san_of_two)
{
	memset(b, 0, sizeof *b);
	clock_fake_init(&b->clock, TC_NOW);
	assert_int_equal(loop_create(&b->loop, &b->clock.clock), 0);
	assert_int_equal(pool_create(&b->pool, b->loop, "crypto", 2, 64), 0);
	assert_int_equal(ev_bus_create(&b->bus, &b->clock.clock, 64), 0);
	assert_int_equal(ev_bus_sink(b->bus, watch_events, NULL, b), 0);
	tc_root(&b->root, "Root");
	identity(b, 0, ONE, san_of_one);
	identity(b, 1, TWO, san_of_two);
	core(b, 0, ONE, TWO);
	core(b, 1, TWO, ONE);
	post_of(b, 0, "node01");
	post_of(b, 1, "node02");
	list_them(b, 0, "node01", 0);
	list_them(b, 1, "node02", 0);
	assert_int_equal(cert_post_way(b->post[0]), CERT_POST_DIRECT);
}

#define BOTH_NAMES(fqdn) "DNS:" fqdn ",DNS:" SERVICE

static void down_apart(struct bench *b)
{
	for (unsigned i = 0; i < 2; i++) {
		cert_post_destroy(b->post[i]);
		sip_core_destroy(b->sip[i]);
	}
	turn(b);
	pool_destroy(b->pool);
	turn(b);
	ev_bus_destroy(b->bus);
	loop_destroy(b->loop);
	for (unsigned i = 0; i < 2; i++) {
		mem_unref(b->accept[i]);
		trust_keeper_destroy(b->keeper[i]);
		tc_free(&b->cert[i]);
	}
	tc_free(&b->root);
}

static void step(struct bench *b)
{
	loop_step(b->loop, 5);
	clock_fake_advance_ms(&b->clock, 5);
	ev_bus_flush(b->bus);
}

static void until_unsent(struct bench *b)
{
	for (int i = 0; i < 6000 && !b->unsent; i++)
		step(b);
	assert_int_equal(b->unsent, 1);
}

static void letters_travel_over_mutual_tls_in_order(void **state)
{
	(void)state;
	static const char *const said[] = { "a", "b", "c", "d", "e" };
	struct bench b;
	const char *fqdn;
	up_apart_as(&b, BOTH_NAMES(ONE), BOTH_NAMES(TWO));
	assert_string_equal(cert_post_node(b.post[0], 0, &fqdn), "node02"); /* not itself */
	assert_string_equal(fqdn, TWO);
	assert_null(cert_post_node(b.post[0], 1, &fqdn));
	assert_int_equal(cert_post_send(b.post[0], "node03", "ORDER", "step", NULL), ENOENT);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER", "step", json_string(said[i])), 0);
	for (unsigned i = 0; i < 5; i++) {
		for (int k = 0; k < 4000 && b.heard == i; k++)
			step(&b);
		assert_int_equal(b.heard, i + 1);
		assert_string_equal(b.said, said[i]);
	}
	assert_string_equal(b.from, "node01");
	assert_int_equal(cert_post_send(b.post[1], "node01", "ORDER", "done", json_string("back")), 0);
	for (int k = 0; k < 4000 && b.heard == 5; k++)
		step(&b);
	assert_string_equal(b.from, "node02");
	assert_string_equal(b.said, "back");
	turn(&b);
	assert_int_equal(b.unsent, 0);
	assert_int_equal(b.refused, 0);
	down_apart(&b);
}

/* node02 shows a certificate that is not its own: this side refuses, and says whom and why. What waits behind is told once. */
static void the_wrong_certificate_is_refused_by_who_dials(void **state)
{
	(void)state;
	struct bench b;
	up_apart_as(&b, BOTH_NAMES(ONE), "DNS:other.domain.local,DNS:" SERVICE);
	assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER", "cure", NULL), 0);
	assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER", "step", NULL), 0);
	until_unsent(&b);
	assert_int_equal(b.unsent_id, EV_CERT_LETTER_NOT_TAKEN);
	assert_string_equal(b.order, "ORDER");
	assert_non_null(strstr(b.why, "node node02 (" TWO ")"));
	assert_non_null(strstr(b.why, "this node refused"));
	turn(&b);
	assert_int_equal(b.unsent, 1);
	assert_int_equal(b.heard, 0);
	down_apart(&b);
}

/* It has the node's name, so the handshake is good; the service's is missing. */
static void a_certificate_without_the_service_is_not_enough(void **state)
{
	(void)state;
	struct bench b;
	up_apart_as(&b, "DNS:" ONE, BOTH_NAMES(TWO));
	assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER", "cure", NULL), 0);
	until_unsent(&b);
	assert_int_equal(b.unsent_id, EV_CERT_LETTER_TURNED_AWAY);
	assert_non_null(strstr(b.why, "403: the certificate of the connection is no node's"));
	expect(&b, 0, 1);
	cert_post_destroy(b.post[1]);
	b.post[1] = NULL;
	b.unsent = 0;
	down_apart(&b);
	up_apart_as(&b, BOTH_NAMES(ONE), "DNS:" TWO);
	assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER", "cure", NULL), 0);
	until_unsent(&b);
	assert_int_equal(b.unsent_id, EV_CERT_LETTER_WRONG_NODE);
	down_apart(&b);
}

static void a_node_that_is_down_or_takes_no_letters_is_told(void **state)
{
	(void)state;
	struct bench b;
	up_apart_as(&b, BOTH_NAMES(ONE), BOTH_NAMES(TWO));
	cert_post_destroy(b.post[1]); /* an older version: a SIP endpoint, but it knows no letters */
	b.post[1] = NULL;
	assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER", "cure", NULL), 0);
	until_unsent(&b);
	assert_int_equal(b.unsent_id, EV_CERT_LETTER_TURNED_AWAY);
	assert_non_null(strstr(b.why, "with 405"));
	sip_core_destroy(b.sip[1]);
	b.sip[1] = NULL;
	turn(&b);
	b.unsent = 0;
	assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER2", "cure", NULL), 0);
	until_unsent(&b);
	assert_int_equal(b.unsent_id, EV_CERT_LETTER_NOT_TAKEN);
	assert_non_null(strstr(b.why, "nothing listens on"));
	down_apart(&b);
}

/* A letter of node01, copied, and brought by a node whose certificate is good, but another: the store's carrier could; a connection tells. */
static void sent(const struct sip_result *res, void *arg)
{
	*(int *)arg = res->outcome == SIP_ANSWERED ? res->status : -1;
}

static int request(struct bench *b, unsigned from, const struct sip_request_prm *prm)
{
	const char *name = from ? ONE : TWO;
	struct sip_peer *peer = sip_peer_create();
	int status = 0;
	assert_int_equal(trust_policy_one(&peer->policy, "x", TRUST_RULE_RFC9525, &name, 1), 0);
	text_fill(peer->name, sizeof peer->name, "x");
	text_fill(peer->host, sizeof peer->host, "127.0.0.1");
	text_fill(peer->sni, sizeof peer->sni, name);
	peer->port = port_of(b, !from);
	peer->transport = NET_TLS;
	assert_int_equal(sip_request_send(NULL, b->sip[from], peer, prm, sent, &status), 0);
	for (int i = 0; i < 4000 && !status; i++)
		step(b);
	mem_unref(peer);
	return status;
}

static int bring(struct bench *b, const char *type, const char *body)
{
	struct sip_request_prm prm = { .method = "MESSAGE", .content_type = type, .body = body, .body_n = strlen(body), .timeout_ms = 5000 };
	return request(b, 0, &prm);
}

/* Nor on a connection that this side opened to it, where a gateway would need no further proof. */
static void a_node_is_no_gateway(void **state)
{
	(void)state;
	struct bench b;
	struct sip_request_prm prm = { .method = "OPTIONS", .timeout_ms = 5000 };
	struct sip_core_stats before, after;
	up_apart_as(&b, BOTH_NAMES(ONE), BOTH_NAMES(TWO));
	assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER", "step", NULL), 0);
	expect(&b, 1, 0);
	sip_core_stats(b.sip[1], &before);
	assert_int_equal(request(&b, 1, &prm), 403);
	sip_core_stats(b.sip[1], &after);
	assert_int_equal(after.opened, before.opened); /* it went the way that node01 had opened */
	prm.choice = SIP_CONN_FRESH;
	assert_int_equal(request(&b, 1, &prm), 403);
	down_apart(&b);
}

static void what_is_no_letter_is_answered_so(void **state)
{
	(void)state;
	struct bench b;
	up_apart_as(&b, BOTH_NAMES(ONE), BOTH_NAMES(TWO));
	assert_int_equal(bring(&b, "text/plain", "hello"), 405); /* people's messages are no business of ours */
	assert_int_equal(bring(&b, "application/vnd.umbel.letter", "hello"), 403);
	expect(&b, 0, 1);
	/* a good letter that says it is from another node than whose certificate signed it */
	struct trust_set *set = trust_keeper_get(b.keeper[0]);
	struct buf pem;
	buf_init(&pem, CERT_LETTER_MAX);
	json_t *words = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I}", "schema", 1, "id", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "from", "node03", "to", "node02", "order", "O",
				  "kind", "cure", "at_s", (json_int_t)TC_NOW);
	assert_int_equal(cert_letter_seal(&pem, words, trust_set_find(set, NULL)), 0);
	assert_int_equal(bring(&b, "application/vnd.umbel.letter", buf_cstr(&pem)), 403);
	/* of another version */
	buf_clear(&pem);
	json_object_set_new(words, "schema", json_integer(2));
	json_object_set_new(words, "from", json_string("node01"));
	assert_int_equal(cert_letter_seal(&pem, words, trust_set_find(set, NULL)), 0);
	assert_int_equal(bring(&b, "application/vnd.umbel.letter", buf_cstr(&pem)), 403);
	/* and as it should be; a second time not */
	buf_clear(&pem);
	char id[ID_SIZE];
	id_make(id, &b.clock.clock);
	json_object_set_new(words, "id", json_string(id));
	json_object_set_new(words, "schema", json_integer(1));
	json_object_set_new(words, "at_s", json_integer(clock_real_s(&b.clock.clock)));
	assert_int_equal(cert_letter_seal(&pem, words, trust_set_find(set, NULL)), 0);
	assert_int_equal(bring(&b, "application/vnd.umbel.letter", buf_cstr(&pem)), 200);
	assert_int_equal(b.heard, 1);
	assert_int_equal(bring(&b, "application/vnd.umbel.letter", buf_cstr(&pem)), 403);
	assert_int_equal(b.heard, 1);
	buf_free(&pem);
	json_decref(words);
	mem_unref(set);
	down_apart(&b);
}

static void the_list_may_change_at_any_time(void **state)
{
	(void)state;
	struct bench b;
	struct cfg *none = NULL;
	struct cfg_errors e = { 0 };
	up_apart_as(&b, BOTH_NAMES(ONE), BOTH_NAMES(TWO));
	assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER", "step", NULL), 0);
	assert_int_equal(cfg_parse(&none, "u", TEXT("node: {name: node02, fqdn: " TWO ", listen: udp:127.0.0.1:5060}\n"), CFG_WANT_NODE, &e), 0);
	assert_int_equal(cert_post_nodes(b.post[1], none), 0); /* node01 is taken out there */
	cfg_unref(none);
	assert_int_equal(cert_post_way(b.post[1]), CERT_POST_NOWHERE);
	until_unsent(&b);
	assert_int_equal(b.unsent_id, EV_CERT_LETTER_TURNED_AWAY);
	assert_int_equal(b.heard, 0);
	assert_int_equal(cert_post_send(b.post[1], "node01", "ORDER", "step", NULL), ENOENT);
	/* one on its way when the post ends is nobody's any more */
	assert_int_equal(cert_post_send(b.post[0], "node02", "ORDER", "step", NULL), 0);
	for (int i = 0; i < 3; i++)
		step(&b);
	down_apart(&b);
}

UT_MAIN(UT(a_letter_arrives_once), UT(a_stranger_is_not_believed), UT(what_is_for_another_node_is_not_believed),
	UT(what_was_read_before_or_is_old_is_not_believed), UT(letters_travel_over_mutual_tls_in_order), UT(the_wrong_certificate_is_refused_by_who_dials),
	UT(a_certificate_without_the_service_is_not_enough), UT(a_node_that_is_down_or_takes_no_letters_is_told), UT(what_is_no_letter_is_answered_so),
	UT(the_list_may_change_at_any_time), UT(a_node_is_no_gateway))
