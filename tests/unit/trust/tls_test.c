/* SPDX-License-Identifier: Apache-2.0 */
/* tls_test.c  Two engines talk through a pipe in memory. */
#include <errno.h>
#include "base/mem.h"
#include "support/certs.h"
#include "support/ossl.h"
#include "trust/tls.h"
#include "ut.h"

struct side {
	struct tc cert;
	struct trust_identity *id;
	struct trust_set *set;
	struct trust_policy *policy;
	struct tls *tls;
};

struct pair {
	struct tc root;
	struct clock_fake clock;
	struct side client, server;
	struct tls_limits limits;
	const char *sni;
	int client_err, server_err;
};

static void side_up(struct pair *p, struct side *s, const char *cn, const char *san, const char *accepts)
{
	struct ev_report why;
	tc_leaf(&s->cert, &p->root, cn, san);
	assert_int_equal(trust_identity_from(&s->id, "default", s->cert.cert, NULL, s->cert.key, &why), 0);
	assert_int_equal(trust_set_create(&s->set), 0);
	assert_int_equal(trust_set_identity(s->set, s->id), 0);
	assert_int_equal(trust_set_anchor(s->set, p->root.cert), 0);
	assert_int_equal(trust_policy_one(&s->policy, "gw", TRUST_RULE_SAN_OR_CN, &accepts, accepts ? 1 : 0), 0);
}

static void pair_up(struct pair *p)
{
	*p = (struct pair){ 0 };
	tc_root(&p->root, "Root");
	clock_fake_init(&p->clock, TC_NOW);
	side_up(p, &p->client, "node01.domain.local", "DNS:node01.domain.local", "pool.domain.com");
	side_up(p, &p->server, "pool.domain.com", "DNS:pool.domain.com", "node01.domain.local");
}

static void side_down(struct side *s)
{
	tls_destroy(s->tls);
	mem_unref(s->policy);
	mem_unref(s->set);
	mem_unref(s->id);
	tc_free(&s->cert);
}

static void pair_down(struct pair *p)
{
	side_down(&p->client);
	side_down(&p->server);
	tc_free(&p->root);
}

static size_t carry(struct tls *from, struct tls *to)
{
	uint8_t bytes[4096];
	size_t n = tls_drain(from, bytes, sizeof bytes);
	if (n)
		assert_int_equal(tls_feed(to, bytes, n), 0);
	return n;
}

static void shake(struct pair *p)
{
	struct tls_prm c = { .role = TRUST_DIALLED, .set = p->client.set, .policy = p->client.policy, .sni = p->sni, .limits = p->limits,
			     .clock = &p->clock.clock };
	struct tls_prm s = { .role = TRUST_ACCEPTED, .set = p->server.set, .policy = p->server.policy, .clock = &p->clock.clock };
	if (!p->client.tls)
		assert_int_equal(tls_create(&p->client.tls, &c), 0);
	if (!p->server.tls)
		assert_int_equal(tls_create(&p->server.tls, &s), 0);
	for (unsigned i = 0; i < 20; i++) {
		p->client_err = tls_step(p->client.tls);
		size_t moved = carry(p->client.tls, p->server.tls);
		p->server_err = tls_step(p->server.tls);
		moved += carry(p->server.tls, p->client.tls);
		if (!moved)
			break;
	}
}

static void both_versions_shake_hands_and_carry_text(void **state)
{
	(void)state;
	for (uint16_t v = 0x0303; v <= 0x0304; v++) {
		struct pair p;
		char text[64];
		size_t n = 0;
		pair_up(&p);
		p.limits.min = p.limits.max = v;
		p.sni = "pool.domain.com";
		shake(&p);
		assert_int_equal(p.client_err, 0);
		assert_int_equal(p.server_err, 0);
		const struct trust_facts *f = tls_facts(p.server.tls);
		assert_int_equal(f->tls.version, v);
		assert_string_equal(f->tls.sni, "pool.domain.com");
		assert_string_equal(f->theirs.cn, "node01.domain.local");
		assert_true(tls_facts(p.client.tls)->tls.cert_requested);
		assert_true(tls_facts(p.client.tls)->ours.shown);
		assert_string_equal(tls_peer_name(p.client.tls), "pool.domain.com");
		assert_string_equal(tls_peer_label(p.server.tls), "gw");
		assert_int_equal(tls_write(p.client.tls, "OPTIONS", 7), 0);
		carry(p.client.tls, p.server.tls);
		assert_int_equal(tls_read(p.server.tls, text, sizeof text, &n), 0);
		assert_memory_equal(text, "OPTIONS", 7);
		tls_close(p.server.tls);
		carry(p.server.tls, p.client.tls);
		assert_int_equal(tls_read(p.client.tls, text, sizeof text, &n), EPIPE);
		pair_down(&p);
	}
}

static void a_wrong_server_name_is_told_by_alert_42(void **state)
{
	(void)state;
	struct pair p;
	pair_up(&p);
	mem_unref(p.client.policy);
	const char *other = "other.domain.com";
	assert_int_equal(trust_policy_one(&p.client.policy, "gw", TRUST_RULE_RFC5922, &other, 1), 0);
	shake(&p);
	assert_int_equal(p.client_err, EPROTO);
	assert_int_equal(p.server_err, EPROTO);
	const struct trust_facts *c = tls_facts(p.client.tls), *s = tls_facts(p.server.tls);
	assert_int_equal(c->tls.verify_code, X509_V_ERR_HOSTNAME_MISMATCH);
	assert_int_equal(c->name.reason, TRUST_NAME_MISMATCH);
	assert_true(c->tls.alert[0].sent);
	assert_int_equal(c->tls.alert[0].number, 42);
	assert_false(s->tls.alert[0].sent);
	assert_int_equal(s->tls.alert[0].number, 42);
	pair_down(&p);
}

static void in_tls13_the_client_hears_of_its_certificate_late(void **state)
{
	(void)state;
	struct pair p;
	char text[64];
	size_t n;
	pair_up(&p);
	mem_unref(p.server.policy);
	assert_int_equal(trust_policy_one(&p.server.policy, "gw", TRUST_RULE_CN_ONLY, NULL, 0), 0); /* nobody */
	shake(&p);
	assert_int_equal(p.client_err, 0);
	assert_int_equal(p.server_err, EPROTO);
	assert_int_equal(tls_read(p.client.tls, text, sizeof text, &n), EPROTO);
	const struct trust_facts *c = tls_facts(p.client.tls);
	assert_int_equal(c->tls.n_alerts, 1);
	assert_true(c->tls.alert[0].after_handshake);
	assert_int_equal(c->tls.alert[0].number, 42);
	pair_down(&p);
}

static void a_missing_client_certificate_is_alert_116_or_40(void **state)
{
	(void)state;
	for (uint16_t v = 0x0303; v <= 0x0304; v++) {
		struct pair p;
		char text[64];
		size_t n;
		pair_up(&p);
		struct tls_prm c = { .role = TRUST_DIALLED, .set = p.client.set, .policy = p.client.policy, .clock = &p.clock.clock,
				     .no_identity = true, .limits = { .min = v, .max = v } };
		assert_int_equal(tls_create(&p.client.tls, &c), 0);
		shake(&p);
		(void)tls_read(p.client.tls, text, sizeof text, &n);
		const struct trust_facts *f = tls_facts(p.client.tls);
		assert_true(f->tls.cert_requested);
		assert_false(f->ours.shown);
		assert_int_equal(f->tls.alert[0].number, v == 0x0304 ? 116 : 40);
		assert_int_equal(f->tls.alert[0].after_handshake, v == 0x0304);
		pair_down(&p);
	}
}

static void sni_chooses_the_identity(void **state)
{
	(void)state;
	struct pair p;
	struct tc second;
	struct trust_identity *id;
	const char *um = "um.domain.local";
	pair_up(&p);
	tc_leaf(&second, &p.root, um, "DNS:um.domain.local");
	assert_int_equal(trust_identity_from(&id, "um", second.cert, NULL, second.key, NULL), 0);
	assert_int_equal(trust_set_identity(p.server.set, id), 0);
	mem_unref(p.client.policy);
	assert_int_equal(trust_policy_one(&p.client.policy, "gw", TRUST_RULE_RFC5922, &um, 1), 0);
	p.sni = um;
	shake(&p);
	assert_int_equal(p.client_err, 0);
	assert_string_equal(trust_identity_name(tls_identity(p.server.tls)), "um");
	mem_unref(id);
	tc_free(&second);
	pair_down(&p);
}

/* OpenSSL keeps a certificate a kind of key: the one that was chosen must be the only one left. */
static void an_identity_of_another_kind_of_key_replaces_the_first(void **state)
{
	(void)state;
	struct pair p;
	struct tc second;
	struct trust_identity *id;
	const char *um = "um.domain.local";
	pair_up(&p);
	tc_make(&second, &(struct tc_prm){ .cn = um, .san = "DNS:um.domain.local", .issuer = &p.root, .rsa = true });
	assert_int_equal(trust_identity_from(&id, "um", second.cert, NULL, second.key, NULL), 0);
	assert_int_equal(trust_set_identity(p.server.set, id), 0);
	mem_unref(p.client.policy);
	assert_int_equal(trust_policy_one(&p.client.policy, "gw", TRUST_RULE_RFC5922, &um, 1), 0);
	p.sni = um;
	shake(&p);
	assert_int_equal(p.client_err, 0);
	assert_string_equal(tls_facts(p.client.tls)->theirs.cn, um);
	assert_string_equal(tls_facts(p.client.tls)->theirs.sha256, tls_facts(p.server.tls)->ours.sha256);
	mem_unref(id);
	tc_free(&second);
	pair_down(&p);
}

static void time_is_the_clocks(void **state)
{
	(void)state;
	struct pair p;
	pair_up(&p);
	clock_fake_set_real_s(&p.clock, TC_NOW + 400 * 86400LL);
	shake(&p);
	const struct trust_facts *c = tls_facts(p.client.tls);
	assert_int_equal(c->tls.verify_code, X509_V_ERR_CERT_HAS_EXPIRED);
	assert_int_equal(c->tls.alert[0].number, 45);
	pair_down(&p);
}

static void no_version_in_common_shows_both_offers(void **state)
{
	(void)state;
	struct pair p;
	pair_up(&p);
	p.limits = (struct tls_limits){ .min = 0x0303, .max = 0x0303 };
	struct tls_prm s = { .role = TRUST_ACCEPTED, .set = p.server.set, .policy = p.server.policy, .clock = &p.clock.clock,
			     .limits = { .min = 0x0304, .max = 0x0304 } };
	assert_int_equal(tls_create(&p.server.tls, &s), 0);
	shake(&p);
	const struct trust_facts *f = tls_facts(p.server.tls);
	char words[64];
	assert_int_equal(f->tls.alert[0].number, 70);
	assert_string_equal(trust_versions_words(&f->tls.client_hello, words, sizeof words), "TLS 1.2");
	assert_string_equal(trust_versions_words(&f->tls.server_can, words, sizeof words), "TLS 1.3");
	pair_down(&p);
}

static void plain_sip_on_the_tls_port_is_recognised(void **state)
{
	(void)state;
	struct pair p;
	pair_up(&p);
	struct tls_prm s = { .role = TRUST_ACCEPTED, .set = p.server.set, .policy = p.server.policy, .clock = &p.clock.clock };
	assert_int_equal(tls_create(&p.server.tls, &s), 0);
	const char *sip = "OPTIONS sip:um.domain.local SIP/2.0\r\nVia:";
	assert_int_equal(tls_feed(p.server.tls, sip, strlen(sip)), 0);
	assert_int_equal(tls_step(p.server.tls), EPROTO);
	assert_int_equal(tls_facts(p.server.tls)->tls.plain, TRUST_PLAIN_SIP);
	assert_string_equal(tls_facts(p.server.tls)->tls.plain_bytes, "OPTIONS sip:um.domain.local SIP/2.0");
	pair_down(&p);
}

static void an_old_connection_keeps_its_identity_when_the_set_goes(void **state)
{
	(void)state;
	struct pair p;
	char text[16];
	size_t n;
	pair_up(&p);
	shake(&p);
	assert_int_equal(p.server_err, 0);
	p.server.set = mem_unref(p.server.set);
	p.server.id = mem_unref(p.server.id);
	assert_int_equal(tls_write(p.server.tls, "hi", 2), 0);
	carry(p.server.tls, p.client.tls);
	assert_int_equal(tls_read(p.client.tls, text, sizeof text, &n), 0);
	assert_string_equal(trust_identity_cn(tls_identity(p.server.tls)), "pool.domain.com");
	pair_down(&p);
}

static void limits_that_exclude_each_other_are_refused(void **state)
{
	(void)state;
	struct pair p;
	pair_up(&p);
	struct tls_prm c = { .role = TRUST_DIALLED, .set = p.client.set, .clock = &p.clock.clock, .limits = { .min = 0x0304, .max = 0x0303 } };
	assert_int_equal(tls_create(&p.client.tls, &c), EINVAL);
	c.limits = (struct tls_limits){ .min = 0x0301 };
	assert_int_equal(tls_create(&p.client.tls, &c), EINVAL);
	c.limits.legacy = TLS_LEGACY_TLS10;
	assert_int_equal(tls_create(&p.client.tls, &c), 0);
	pair_down(&p);
}

static void say(struct tls *from, struct tls *to)
{
	char text[64];
	size_t n = 0;
	assert_int_equal(tls_write(from, "OPTIONS", 7), 0);
	carry(from, to);
	assert_int_equal(tls_read(to, text, sizeof text, &n), 0);
	assert_int_equal(n, 7);
	assert_memory_equal(text, "OPTIONS", 7);
}

/* Within a record, whether only its header was read or more, the buffer is in use. */
static void half_read(struct pair *p, size_t half)
{
	uint8_t bytes[256];
	char text[64];
	size_t got = 0;
	assert_int_equal(tls_write(p->client.tls, "ACK", 3), 0);
	size_t n = tls_drain(p->client.tls, bytes, sizeof bytes);
	assert_true(n > half);
	assert_int_equal(tls_feed(p->server.tls, bytes, half), 0);
	assert_int_equal(tls_read(p->server.tls, text, sizeof text, &got), EAGAIN);
	assert_false(tls_rest(p->server.tls));
	assert_int_equal(tls_feed(p->server.tls, bytes + half, n - half), 0);
	assert_false(tls_rest(p->server.tls));
	assert_int_equal(tls_read(p->server.tls, text, sizeof text, &got), 0);
	assert_int_equal(got, 3);
	assert_true(tls_rest(p->server.tls));
}

static void records_buffers_are_kept_in_use_and_given_back_at_rest(void **state)
{
	(void)state;
	for (uint16_t v = 0x0303; v <= 0x0304; v++) {
		struct pair p;
		pair_up(&p);
		p.limits.min = p.limits.max = v;
		shake(&p);
		say(p.client.tls, p.server.tls);
		say(p.server.tls, p.client.tls);
		unsigned long taken = ossl_large_taken();
		for (unsigned i = 0; i < 10; i++) {
			say(p.client.tls, p.server.tls);
			say(p.server.tls, p.client.tls);
		}
		assert_int_equal(ossl_large_taken(), taken);
		assert_int_equal(ossl_large(), 4);
		assert_true(tls_rest(p.server.tls));
		assert_true(tls_rest(p.server.tls));
		assert_int_equal(ossl_large(), 2);
		say(p.client.tls, p.server.tls);
		for (size_t half = 1; half <= 6; half++)
			half_read(&p, half);
		say(p.server.tls, p.client.tls);
		pair_down(&p);
	}
}

static void a_stranger_who_waits_has_no_buffer_of_records(void **state)
{
	(void)state;
	struct pair p;
	pair_up(&p);
	struct tls_prm c = { .role = TRUST_DIALLED, .set = p.client.set, .policy = p.client.policy, .clock = &p.clock.clock };
	struct tls_prm s = { .role = TRUST_ACCEPTED, .set = p.server.set, .policy = p.server.policy, .clock = &p.clock.clock };
	assert_int_equal(tls_create(&p.client.tls, &c), 0);
	assert_int_equal(tls_create(&p.server.tls, &s), 0);
	assert_int_equal(tls_step(p.client.tls), EAGAIN);
	assert_int_equal(ossl_large(), 1); /* what a handshake's messages are put together in */
	assert_true(carry(p.client.tls, p.server.tls) > 0);
	assert_int_equal(tls_step(p.server.tls), EAGAIN); /* our hello is written, their certificate is waited for */
	assert_int_equal(ossl_large(), 2);
	assert_false(tls_done(p.server.tls));
	pair_down(&p);
}

UT_MAIN(UT(records_buffers_are_kept_in_use_and_given_back_at_rest), UT(a_stranger_who_waits_has_no_buffer_of_records),
	UT(both_versions_shake_hands_and_carry_text), UT(a_wrong_server_name_is_told_by_alert_42),
	UT(in_tls13_the_client_hears_of_its_certificate_late), UT(a_missing_client_certificate_is_alert_116_or_40),
	UT(sni_chooses_the_identity), UT(an_identity_of_another_kind_of_key_replaces_the_first), UT(time_is_the_clocks), UT(no_version_in_common_shows_both_offers),
	UT(plain_sip_on_the_tls_port_is_recognised), UT(an_old_connection_keeps_its_identity_when_the_set_goes),
	UT(limits_that_exclude_each_other_are_refused))
