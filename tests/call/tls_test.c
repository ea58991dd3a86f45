/* SPDX-License-Identifier: Apache-2.0 */
/* tls_test.c  Calls and probes over mutual TLS, which connection carries what, and the facts of what was refused. */
#include <errno.h>
#include "base/mem.h"
#include "call/rig.h"
#include "net/conn.h"
#include "support/ossl.h"
#include "trust/explain.h"
#include "trust/tls_filter.h"

static void call_over(uint16_t version)
{
	struct rig r;

	rig_open_tls(&r, version);
	rig_call_up(&r);
	leg_hangup(r.side[A].leg, NULL);
	assert_true(rig_until(&r, A, "over:we hung up:200", 3000));
	assert_true(rig_until(&r, B, "over:the peer hung up", 3000));
	assert_int_equal(rig_stats(&r, A).opened, 1);
	assert_int_equal(rig_stats(&r, B).opened, 0);
	assert_int_equal(r.side[B].flow.flow, TRUST_FLOW_CALL_IN);
	assert_true(r.side[B].flow_works);
	assert_string_equal(r.side[B].flow.theirs.cn, "a.test");
	rig_close(&r);
}

static void call_tls12(void **state)
{
	(void)state;
	call_over(0x0303);
}

static void call_tls13(void **state)
{
	(void)state;
	call_over(0x0304);
}

static void handshakes_in_threads(void **state)
{
	(void)state;
	rig_crypto_threads = 2;
	call_over(0x0303);
	call_over(0x0304);
	rig_crypto_threads = 0;
}

static struct rig_result probe(struct rig *r, int side, enum sip_conn_choice choice)
{
	struct rig_result k = { .done = false };
	struct sip_request_prm prm = { .method = "OPTIONS", .timeout_ms = 5000, .choice = choice, .flow = TRUST_FLOW_OPTIONS };
	struct rig_side *s = &r->side[side];

	assert_int_equal(sip_request_send(NULL, s->core, s->other, &prm, rig_on_result, &k), 0);
	for (int i = 0; i < 2000 && !k.done; i++)
		rig_run(r, 5);
	assert_true(k.done);
	return k;
}

static void probe_is_answered(void **state)
{
	struct rig_result k;
	struct rig r;

	(void)state;
	rig_open_tls(&r, 0);
	k = probe(&r, A, SIP_CONN_FRESH);
	assert_int_equal(k.res.outcome, SIP_ANSWERED);
	assert_int_equal(k.res.status, 200);
	assert_int_equal(k.facts.flow, TRUST_FLOW_OPTIONS);
	assert_int_equal(k.facts.role, TRUST_DIALLED);
	assert_true(k.facts.connected);
	assert_true(k.facts.tls.done);
	assert_true(k.facts.tls.cert_requested);
	assert_true(k.facts.sip.received);
	assert_int_equal(k.facts.sip.status, 200);
	assert_string_equal(k.facts.theirs.cn, "b.test");
	assert_string_equal(k.facts.ours.cn, "a.test");
	rig_run(&r, 100);
	assert_int_equal(rig_stats(&r, A).conns, 0); /* a fresh one is nobody else's */
	r.side[B].ready = (struct sip_readiness){ .ready = false, .reason = "no store", .retry_after_s = 5 };
	k = probe(&r, A, SIP_CONN_FRESH);
	assert_int_equal(k.res.status, 503);
	assert_int_equal(k.facts.sip.retry_after_s, 5);
	rig_close(&r);
}

/* b accepts other names only: in TLS 1.3 we learn that after our handshake is done. */
static void refused_by_name(uint16_t version)
{
	const char *other = "c.test";
	struct trust_policy *policy;
	struct rig_result k;
	bool alert = false;
	struct rig r;

	rig_open_tls(&r, version);
	assert_int_equal(trust_policy_one(&policy, "other", TRUST_RULE_RFC5922, &other, 1), 0);
	sip_core_accept(r.side[B].core, policy, NULL);
	mem_unref(policy);
	k = probe(&r, A, SIP_CONN_FRESH);
	assert_int_equal(k.res.outcome, SIP_FAILED);
	assert_true(k.facts.connected);
	assert_int_equal(k.facts.sip.status, 0);
	for (unsigned i = 0; i < k.facts.tls.n_alerts; i++)
		alert |= !k.facts.tls.alert[i].sent && k.facts.tls.alert[i].number == 42;
	assert_true(alert);
	assert_int_equal(k.facts.tls.done, version == 0x0304);
	assert_true(k.facts.end != TRUST_OPEN);
	/* and b, who refused, knows it too */
	assert_int_equal(r.side[B].flows, 1);
	assert_false(r.side[B].flow_works);
	assert_int_equal(r.side[B].flow.role, TRUST_ACCEPTED);
	assert_string_equal(r.side[B].flow.theirs.cn, "a.test");
	rig_close(&r);
}

static void refused_tls12(void **state)
{
	(void)state;
	refused_by_name(0x0303);
}

static void refused_tls13(void **state)
{
	(void)state;
	refused_by_name(0x0304);
}

/* We accept other names only. */
static void we_refuse(void **state)
{
	const char *other = "c.test";
	struct rig_result k;
	struct rig r;

	(void)state;
	rig_open_tls(&r, 0);
	mem_unref(r.side[A].other->policy);
	assert_int_equal(trust_policy_one(&r.side[A].other->policy, "x", TRUST_RULE_RFC5922, &other, 1), 0);
	k = probe(&r, A, SIP_CONN_FRESH);
	assert_int_equal(k.res.outcome, SIP_FAILED);
	assert_true(k.facts.name.judged);
	assert_int_equal(k.facts.name.reason, TRUST_NAME_MISMATCH);
	assert_false(k.facts.sip.sent);
	rig_close(&r);
}

/* ---- reuse ---- */
/* a called b; now b has a request of its own for a. */
static struct rig_result back(struct rig *r, enum sip_reuse reuse, enum sip_conn_choice choice)
{
	rig_open_tls(r, 0);
	r->side[B].other->reuse = reuse;
	rig_call_up(r);
	return probe(r, B, choice);
}

static void never_on_the_peers_connection(void **state)
{
	struct rig_result k;
	struct rig r;

	(void)state;
	k = back(&r, SIP_REUSE_NEVER, SIP_CONN_REUSE);
	assert_int_equal(k.res.status, 200);
	assert_false(k.res.reused);
	assert_int_equal(rig_stats(&r, B).opened, 1);
	k = probe(&r, B, SIP_CONN_REUSE); /* but our own again */
	assert_true(k.res.reused);
	assert_false(k.res.peers_own);
	assert_int_equal(rig_stats(&r, B).opened, 1);
	rig_close(&r);
}

static void on_the_peers_connection_when_it_said_alias(void **state)
{
	struct rig_result k;
	struct rig r;

	(void)state;
	k = back(&r, SIP_REUSE_ALIAS, SIP_CONN_REUSE);
	assert_int_equal(k.res.status, 200);
	assert_true(k.res.reused);
	assert_true(k.res.peers_own);
	assert_int_equal(rig_stats(&r, B).opened, 0);
	rig_close(&r);
}

static void alias_counts_only_for_the_name_that_was_proved(void **state)
{
	const char *other = "c.test";
	struct rig_result k;
	struct rig r;

	(void)state;
	rig_open_tls(&r, 0);
	rig_call_up(&r);
	mem_unref(r.side[B].other->policy);
	assert_int_equal(trust_policy_one(&r.side[B].other->policy, "x", TRUST_RULE_RFC5922, &other, 1), 0);
	k = probe(&r, B, SIP_CONN_REUSE);
	assert_int_equal(k.res.outcome, SIP_FAILED);
	assert_int_equal(rig_stats(&r, B).opened, 1);
	assert_int_equal(k.facts.name.reason, TRUST_NAME_MISMATCH);
	rig_close(&r);
}

/* The probe over FRESH does not say alias, so its connection cannot be used backwards; `any` would. */
static void any_and_the_peers_own(void **state)
{
	struct rig_result k;
	struct rig r;

	(void)state;
	k = back(&r, SIP_REUSE_ANY, SIP_CONN_REUSE);
	assert_true(k.res.peers_own);
	assert_int_equal(rig_stats(&r, B).opened, 0);
	k = probe(&r, B, SIP_CONN_FRESH);
	assert_false(k.res.reused);
	assert_int_equal(rig_stats(&r, B).opened, 1);
	rig_close(&r);

	k = back(&r, SIP_REUSE_NEVER, SIP_CONN_PEERS_OWN); /* the second probe may, whatever the gateway says */
	assert_int_equal(k.res.status, 200);
	assert_true(k.res.peers_own);
	rig_close(&r);
}

static void no_connection_of_the_peers(void **state)
{
	struct rig_result k;
	struct rig r;

	(void)state;
	rig_open_tls(&r, 0);
	k = probe(&r, A, SIP_CONN_PEERS_OWN);
	assert_int_equal(k.res.outcome, SIP_FAILED);
	assert_int_equal(k.res.err, ENOTCONN);
	rig_close(&r);
}

/* A new identity: the connection that showed the old one carries no new request. */
static void a_new_identity_wants_a_new_connection(void **state)
{
	struct trust_set *was, *set;
	struct trust_identity *id;
	struct tc leaf;
	struct rig r;

	(void)state;
	rig_open_tls(&r, 0);
	assert_int_equal(probe(&r, A, SIP_CONN_REUSE).res.status, 200);
	assert_true(probe(&r, A, SIP_CONN_REUSE).res.reused);
	tc_leaf(&leaf, &r.root, "a.test", "DNS:a.test");
	was = trust_keeper_get(r.side[A].keeper);
	assert_int_equal(trust_set_copy(&set, was), 0);
	assert_int_equal(trust_identity_from(&id, "default", leaf.cert, NULL, leaf.key, NULL), 0);
	assert_int_equal(trust_set_identity(set, id), 0);
	trust_keeper_swap(r.side[A].keeper, set);
	mem_unref(id);
	mem_unref(set);
	mem_unref(was);
	tc_free(&leaf);
	assert_false(probe(&r, A, SIP_CONN_REUSE).res.reused);
	assert_int_equal(rig_stats(&r, A).opened, 2);
	rig_close(&r);
}

/* ---- a good handshake, and then? ---- */
enum behaviour { STALLS, SILENT, CLOSES_AT_ONCE, CLOSES_ON_REQUEST, FIN_ON_REQUEST, RESETS_ON_REQUEST };
struct mute {
	struct rig *rig;
	struct listener *listener;
	struct conn *conn;
	int fd;
	enum behaviour how;
};

static void mute_act(struct mute *m)
{
	if (m->how == RESETS_ON_REQUEST)
		conn_abort(m->conn, true);
	else if (m->how == FIN_ON_REQUEST)
		conn_abort(m->conn, false);
	else
		conn_close(m->conn);
}

static void mute_up(struct conn *c, void *arg)
{
	struct mute *m = arg;

	(void)c;
	if (m->how == CLOSES_AT_ONCE)
		mute_act(m);
}

static void mute_heard(struct conn *c, const uint8_t *p, size_t n, void *arg)
{
	struct mute *m = arg;

	(void)c;
	(void)p;
	(void)n;
	if (m->how > SILENT)
		mute_act(m);
}

static void mute_closed(struct conn *c, const struct conn_end *end, void *arg)
{
	(void)c;
	(void)end;
	(void)arg;
}

static void mute_accept(struct listener *l, int fd, const struct net_addr *peer, void *arg)
{
	static const struct conn_handlers h = { .established = mute_up, .recv = mute_heard, .closed = mute_closed };
	struct mute *m = arg;
	const char *a = "a.test";
	struct conn_filter filter;
	struct trust_policy *policy;
	struct trust_set *set;
	struct tls_filter_prm prm = { .loop = m->rig->loop };

	(void)l;
	if (m->how == STALLS) {
		assert_int_equal(conn_adopt(&m->conn, m->rig->loop, fd, peer, NULL, &h, m), 0);
		return;
	}
	assert_int_equal(trust_policy_one(&policy, "a", TRUST_RULE_RFC5922, &a, 1), 0);
	set = trust_keeper_get(m->rig->side[B].keeper);
	prm.tls = (struct tls_prm){ .role = TRUST_ACCEPTED, .set = set, .policy = policy, .clock = &m->rig->clock.clock };
	assert_int_equal(tls_filter_make(&filter, &prm), 0);
	assert_int_equal(conn_adopt(&m->conn, m->rig->loop, fd, peer, &filter, &h, m), 0);
	mem_unref(policy);
	mem_unref(set);
}

static struct rig_result probe_mute(struct rig *r, enum behaviour how, uint16_t version)
{
	struct mute m = { .rig = r, .how = how };
	struct net_addr any;
	struct rig_result k;

	rig_open_tls(r, version);
	assert_int_equal(net_addr_parse(&any, TEXT("127.0.0.1"), 0), 0);
	assert_int_equal(listener_create(&m.listener, r->loop, &any, 8, mute_accept, &m), 0);
	r->side[A].other->port = net_addr_port(listener_local(m.listener));
	k = probe(r, A, SIP_CONN_FRESH);
	rig_run(r, 50);
	if (m.conn)
		conn_abort(m.conn, false);
	mem_unref(m.conn);
	listener_destroy(m.listener);
	rig_close(r);
	return k;
}

static void silence_behind_a_good_handshake(void **state)
{
	struct rig r;
	struct rig_result k = probe_mute(&r, SILENT, 0x0304);

	(void)state;
	assert_int_equal(k.res.outcome, SIP_TIMEOUT);
	assert_in_range(k.res.took_ms, 5000, 5200);
	assert_true(k.facts.tls.done);
	assert_true(k.facts.sip.sent);
	assert_false(k.facts.sip.received);
	assert_int_equal(k.facts.sip.status, 0);
	assert_int_equal(k.facts.end, TRUST_TIMED_OUT);
	assert_int_equal(k.facts.tls.n_alerts, 0);
}

/* The time for the request ends before the time for the handshake does: that is still told as a handshake that got no answer. */
static void silence_before_the_handshake(void **state)
{
	struct rig r;
	struct rig_result k = probe_mute(&r, STALLS, 0);
	struct trust_verdict v;

	(void)state;
	assert_int_equal(k.res.outcome, SIP_FAILED);
	assert_int_equal(k.res.err, ETIMEDOUT);
	assert_true(k.facts.tls.stalled);
	assert_false(k.facts.tls.done);
	assert_int_equal(k.facts.end, TRUST_TIMED_OUT);
	assert_in_range(k.facts.tls.handshake_ms, 4900, 5200);
	trust_explain(&k.facts, &v);
	assert_string_equal(v.name, "handshake-no-answer");
	assert_true(trust_verdict_bad(&v));
}

/* What stayed silent is not tried again: the next request goes on a new connection. */
static void silence_is_not_reused(void **state)
{
	struct mute m = { .how = SILENT };
	struct net_addr any;
	struct rig r;

	(void)state;
	rig_open_tls(&r, 0);
	m.rig = &r;
	assert_int_equal(net_addr_parse(&any, TEXT("127.0.0.1"), 0), 0);
	assert_int_equal(listener_create(&m.listener, r.loop, &any, 8, mute_accept, &m), 0);
	r.side[A].other->port = net_addr_port(listener_local(m.listener));
	assert_int_equal(probe(&r, A, SIP_CONN_REUSE).res.outcome, SIP_TIMEOUT);
	rig_run(&r, 100);
	assert_int_equal(rig_stats(&r, A).conns, 0);
	mem_unref(m.conn);
	m.conn = NULL;
	assert_false(probe(&r, A, SIP_CONN_REUSE).res.reused);
	conn_abort(m.conn, false);
	mem_unref(m.conn);
	listener_destroy(m.listener);
	rig_close(&r);
}

static void close_behind_a_good_handshake(void **state)
{
	static const struct {
		enum behaviour how;
		enum trust_end end;
	} row[] = { { CLOSES_AT_ONCE, TRUST_CLOSE_NOTIFY }, { CLOSES_ON_REQUEST, TRUST_CLOSE_NOTIFY }, { FIN_ON_REQUEST, TRUST_FIN },
		    { RESETS_ON_REQUEST, TRUST_RST } };

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++)
		for (uint16_t version = 0x0303; version <= 0x0304; version++) {
			struct rig r;
			struct rig_result k = probe_mute(&r, row[i].how, version);
			assert_int_equal(k.res.outcome, SIP_FAILED);
			assert_true(k.facts.tls.done);
			assert_int_equal(k.facts.tls.version, version);
			assert_false(k.facts.sip.received);
			assert_int_equal(k.facts.end, row[i].end);
			assert_in_range(k.facts.end_ms, 0, 1000);
		}
}

static void peer_closes_when_idle(void **state)
{
	struct rig_result k;
	struct rig r;

	(void)state;
	rig_open_tls(&r, 0);
	assert_int_equal(probe(&r, A, SIP_CONN_REUSE).res.status, 200);
	/* the peer restarts: the connection is gone, the next request goes on a new one */
	rig_run(&r, 16 * 60 * 1000);
	k = probe(&r, A, SIP_CONN_REUSE);
	assert_int_equal(k.res.status, 200);
	assert_int_equal(rig_stats(&r, A).opened, 2);
	rig_close(&r);
}

static void a_connection_in_use_keeps_its_buffers(void **state)
{
	struct rig r;
	unsigned long taken;

	(void)state;
	rig_open_tls(&r, 0);
	assert_int_equal(probe(&r, A, SIP_CONN_REUSE).res.status, 200);
	assert_int_equal(ossl_large(), 4); /* of records, both ways, at both ends */
	taken = ossl_large_taken();
	for (int i = 0; i < 4; i++) {
		rig_run(&r, 2000);
		assert_int_equal(probe(&r, A, SIP_CONN_REUSE).res.status, 200);
	}
	assert_int_equal(ossl_large_taken(), taken);
	rig_run(&r, 11 * 1000);
	assert_int_equal(ossl_large(), 0);
	assert_int_equal(probe(&r, A, SIP_CONN_REUSE).res.status, 200);
	assert_int_equal(ossl_large(), 4);
	assert_int_equal(rig_stats(&r, A).opened, 1);
	rig_close(&r);
}

UT_MAIN(UT(a_connection_in_use_keeps_its_buffers), UT(call_tls12), UT(call_tls13), UT(handshakes_in_threads), UT(probe_is_answered), UT(refused_tls12), UT(refused_tls13), UT(we_refuse),
        UT(never_on_the_peers_connection), UT(on_the_peers_connection_when_it_said_alias), UT(alias_counts_only_for_the_name_that_was_proved),
        UT(any_and_the_peers_own), UT(no_connection_of_the_peers), UT(a_new_identity_wants_a_new_connection), UT(silence_before_the_handshake), UT(silence_behind_a_good_handshake), UT(silence_is_not_reused),
        UT(close_behind_a_good_handshake), UT(peer_closes_when_idle))
