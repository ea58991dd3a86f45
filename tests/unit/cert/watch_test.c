/* SPDX-License-Identifier: Apache-2.0 */
#include "cert/watch.h"
#include <openssl/x509v3.h>
#include "base/mem.h"
#include "cert_events.h"
#include "support/certs.h"
#include "trust/pem.h"
#include "trust/verify.h"
#include "ut.h"

static unsigned count[2];
static void counter(const struct ev_record *rec, void *arg)
{
	(void)arg;
	count[0] += rec->report.id == EV_CERT_EXPIRES;
	count[1] += rec->report.id == EV_CERT_EXPIRED;
}

static void each_threshold_is_said_once(void **state)
{
	(void)state;
	struct clock_fake clock;
	struct loop *loop;
	struct ev_bus *bus;
	struct tc root, leaf;
	struct trust_identity *id;
	struct trust_set *set;
	struct trust_keeper *keeper;
	struct cert_watch *w;
	count[0] = count[1] = 0;
	clock_fake_init(&clock, TC_NOW);
	assert_int_equal(loop_create(&loop, &clock.clock), 0);
	assert_int_equal(ev_bus_create(&bus, &clock.clock, 64), 0);
	assert_int_equal(ev_bus_sink(bus, counter, NULL, NULL), 0);
	tc_root(&root, "Root");
	tc_make(&leaf, &(struct tc_prm){ .cn = "node01", .san = "DNS:node01", .issuer = &root, .from_days = -1, .to_days = 40 });
	assert_int_equal(trust_identity_from(&id, "default", leaf.cert, NULL, leaf.key, NULL), 0);
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_set_identity(set, id), 0);
	assert_int_equal(trust_keeper_create(&keeper, set), 0);
	assert_int_equal(cert_watch_create(&w, loop, keeper, bus, NULL), 0);
	for (int day = 0; day < 45; day++) {
		clock_fake_advance_ms(&clock, 86400 * 1000);
		cert_watch_look(w);
		cert_watch_look(w);
	}
	ev_bus_flush(bus);
	assert_int_equal(count[0], 4); /* 30, 14, 7, 1 */
	assert_int_equal(count[1], 1);
	cert_watch_destroy(w);
	trust_keeper_destroy(keeper);
	mem_unref(set);
	mem_unref(id);
	tc_free(&leaf);
	tc_free(&root);
	ev_bus_destroy(bus);
	loop_destroy(loop);
}


static unsigned peer[4];
static void peer_counter(const struct ev_record *rec, void *arg)
{
	static const uint16_t ids[] = { EV_CERT_PEER_EXPIRES, EV_CERT_PEER_EXPIRED, EV_CERT_PEER_MIDDLE_EXPIRES, EV_CERT_PEER_MIDDLE_EXPIRED };
	(void)arg;
	for (unsigned i = 0; i < 4; i++)
		peer[i] += rec->report.id == ids[i];
}

/* A leaf of 100 days behind two intermediates, one of 20 and one of 50 days: as it is judged on a connection. */
static void see_peer(struct trust_facts *f)
{
	struct tc root, upper, lower, leaf;
	struct buf ca, chain;
	bool accepted = false;
	const char *name = "pool";
	buf_init(&ca, 1 << 16);
	buf_init(&chain, 1 << 16);
	tc_root(&root, "Root");
	tc_make(&upper, &(struct tc_prm){ .cn = "Upper CA", .ca = true, .issuer = &root, .from_days = -1, .to_days = 20 });
	tc_make(&lower, &(struct tc_prm){ .cn = "Lower CA", .ca = true, .issuer = &upper, .from_days = -1, .to_days = 50 });
	tc_make(&leaf, &(struct tc_prm){ .cn = name, .san = "DNS:pool", .issuer = &lower, .from_days = -1, .to_days = 100 });
	assert_int_equal(trust_pem_put_cert(&ca, root.cert), 0);
	for (X509 **x = (X509 *[]){ leaf.cert, lower.cert, upper.cert, NULL }; *x; x++)
		assert_int_equal(trust_pem_put_cert(&chain, *x), 0);
	struct trust_verify_prm prm = { .ca_pem = buf_as_text(&ca), .chain_pem = buf_as_text(&chain), .names = &name, .n_names = 1, .time_s = TC_NOW, .depth = -1 };
	assert_int_equal(trust_verify(&prm, &accepted, f, NULL, NULL), 0);
	assert_true(accepted);
	buf_free(&ca);
	buf_free(&chain);
	tc_free(&leaf);
	tc_free(&lower);
	tc_free(&upper);
	tc_free(&root);
}

static void what_a_gateway_showed_is_watched_with_its_authorities(void **state)
{
	(void)state;
	struct clock_fake clock;
	struct loop *loop;
	struct ev_bus *bus;
	struct trust_set *set;
	struct trust_keeper *keeper;
	struct cert_watch *w;
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	memset(peer, 0, sizeof peer);
	see_peer(f);
	assert_string_equal(f->theirs_middle.cn, "Upper CA"); /* the one that ends first */
	clock_fake_init(&clock, TC_NOW);
	assert_int_equal(loop_create(&loop, &clock.clock), 0);
	assert_int_equal(ev_bus_create(&bus, &clock.clock, 64), 0);
	assert_int_equal(ev_bus_sink(bus, peer_counter, NULL, NULL), 0);
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_keeper_create(&keeper, set), 0);
	assert_int_equal(cert_watch_create(&w, loop, keeper, bus, NULL), 0);
	for (int day = 0; day < 105; day++) {
		clock_fake_advance_ms(&clock, 86400 * 1000);
		cert_watch_peer(w, "pool", f);
		cert_watch_peer(w, "pool", f);
	}
	ev_bus_flush(bus);
	assert_int_equal(peer[0], 4);
	assert_int_equal(peer[1], 1);
	assert_int_equal(peer[2], 4); /* 20 days: the first threshold, 30, has passed; 14, 7, 1 */
	assert_int_equal(peer[3], 1);
	cert_watch_destroy(w);
	trust_keeper_destroy(keeper);
	mem_unref(set);
	mem_free(f);
	ev_bus_destroy(bus);
	loop_destroy(loop);
}

static unsigned traps[3], middles, middles_gone, roots_gone;
static void trap_counter(const struct ev_record *rec, void *arg)
{
	(void)arg;
	traps[0] += rec->report.id == EV_CERT_TRAP_HASH;
	traps[1] += rec->report.id == EV_CERT_TRAP_KEY;
	traps[2] += rec->report.id == EV_CERT_TRAP_CLIENT;
	middles += rec->report.id == EV_CERT_MIDDLE_EXPIRES;
	middles_gone += rec->report.id == EV_CERT_MIDDLE_EXPIRED;
	roots_gone += rec->report.id == EV_CERT_ROOT_EXPIRED;
}

/* A leaf of the public kind, signed with SHA-1, with an RSA key of 1024 bits. */
static X509 *poor_leaf(const struct tc *issuer, EVP_PKEY **key)
{
	struct tc c;
	tc_make(&c, &(struct tc_prm){ .cn = "node01", .san = "DNS:node01", .issuer = issuer });
	X509 *x = X509_dup(c.cert);
	POLICYINFO *info = POLICYINFO_new();
	CERTIFICATEPOLICIES *all = sk_POLICYINFO_new_null();
	ASN1_OBJECT_free(info->policyid);
	info->policyid = OBJ_txt2obj("2.23.140.1.2.2", 1); /* organisation validated */
	sk_POLICYINFO_push(all, info);
	X509_EXTENSION *policy = X509V3_EXT_i2d(NID_certificate_policies, 0, all);
	CERTIFICATEPOLICIES_free(all);
	*key = EVP_RSA_gen(1024);
	assert_non_null(policy);
	assert_int_equal(X509_add_ext(x, policy, -1), 1);
	assert_int_equal(X509_set_pubkey(x, *key), 1);
	assert_true(X509_sign(x, issuer->key, EVP_sha1()) > 0);
	X509_EXTENSION_free(policy);
	tc_free(&c);
	return x;
}

static void what_will_end_in_trouble_is_said_once(void **state)
{
	(void)state;
	struct clock_fake clock;
	struct loop *loop;
	struct ev_bus *bus;
	struct tc root, middle;
	struct trust_identity *id;
	struct trust_set *set;
	struct trust_keeper *keeper;
	struct cert_watch *w;
	EVP_PKEY *key;
	memset(traps, 0, sizeof traps);
	middles = middles_gone = roots_gone = 0;
	clock_fake_init(&clock, TC_NOW);
	assert_int_equal(loop_create(&loop, &clock.clock), 0);
	assert_int_equal(ev_bus_create(&bus, &clock.clock, 64), 0);
	assert_int_equal(ev_bus_sink(bus, trap_counter, NULL, NULL), 0);
	tc_root(&root, "Root");
	tc_make(&middle, &(struct tc_prm){ .cn = "Issuing CA", .ca = true, .issuer = &root, .from_days = -1, .to_days = 20 });
	X509 *leaf = poor_leaf(&middle, &key);
	STACK_OF(X509) *chain = sk_X509_new_null();
	sk_X509_push(chain, middle.cert);
	assert_int_equal(trust_identity_from(&id, "default", leaf, chain, key, NULL), 0);
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_set_identity(set, id), 0);
	assert_int_equal(trust_set_anchor(set, root.cert), 0);
	assert_int_equal(trust_keeper_create(&keeper, set), 0);
	assert_int_equal(cert_watch_create(&w, loop, keeper, bus, NULL), 0);
	cert_watch_look(w);
	cert_watch_look(w);
	ev_bus_flush(bus);
	assert_int_equal(traps[0], 1);
	assert_int_equal(traps[1], 1);
	assert_int_equal(traps[2], 1);
	assert_int_equal(middles, 1); /* 20 days: the first threshold, 30, has passed */
	clock_fake_advance_ms(&clock, 10LL * 86400 * 1000);
	cert_watch_look(w);
	ev_bus_flush(bus);
	assert_int_equal(middles, 2); /* 14 */
	assert_int_equal(middles_gone, 0);
	clock_fake_advance_ms(&clock, 11LL * 86400 * 1000);
	cert_watch_look(w);
	ev_bus_flush(bus);
	assert_int_equal(middles, 2);
	assert_int_equal(middles_gone, 1);
	assert_int_equal(roots_gone, 0);
	clock_fake_advance_ms(&clock, 30LL * 366 * 86400 * 1000);
	cert_watch_look(w);
	cert_watch_look(w);
	ev_bus_flush(bus);
	assert_int_equal(roots_gone, 1);
	cert_watch_destroy(w);
	trust_keeper_destroy(keeper);
	mem_unref(set);
	mem_unref(id);
	sk_X509_free(chain);
	X509_free(leaf);
	EVP_PKEY_free(key);
	tc_free(&middle);
	tc_free(&root);
	ev_bus_destroy(bus);
	loop_destroy(loop);
}

UT_MAIN(UT(each_threshold_is_said_once), UT(what_a_gateway_showed_is_watched_with_its_authorities), UT(what_will_end_in_trouble_is_said_once))
