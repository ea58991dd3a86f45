/* SPDX-License-Identifier: Apache-2.0 */
/* refuse_test.c  We dial the refusing peer over real sockets, once with each way of refusing and each TLS version, and look at the verdict and at
 * the facts behind it: tables 4.2 and 4.4 of who sees what, lived.                                                          */
#include <errno.h>
#include <signal.h>
#include "base/mem.h"
#include "net/conn.h"
#include "net/pool.h"
#include "support/certs.h"
#include "support/refusing_peer.h"
#include "trust/explain.h"
#include "trust/tls_filter.h"
#include "ut.h"

enum { V12 = 0x0303, V13 = 0x0304 };
enum our_cert { SHARED, NODE, NO_CLIENT_AUTH, STRANGER, EXPIRED, NONE };

struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct pool *crypto;
	struct tc root, other_root, pool_cert, ours[5];
	struct trust_policy *policy;
};
static struct bench b;

struct dial {
	struct conn *conn;
	bool closed, answered;
	struct conn_end end;
	struct trust_facts facts;
	struct trust_verdict verdict;
};

static int bench_up(void **state)
{
	(void)state;
	const char *pool = "lyncpool.domain.com";
	signal(SIGPIPE, SIG_IGN);
	clock_fake_init(&b.clock, TC_NOW);
	assert_int_equal(loop_create(&b.loop, &b.clock.clock), 0);
	assert_int_equal(pool_create(&b.crypto, b.loop, "crypto", 1, 16), 0);
	tc_root(&b.root, "Root");
	tc_root(&b.other_root, "Other Root");
	tc_leaf(&b.pool_cert, &b.root, pool, "DNS:lyncpool.domain.com");
	tc_leaf(&b.ours[SHARED], &b.root, "um.domain.local", "DNS:um.domain.local,DNS:node01.domain.local,DNS:node02.domain.local");
	tc_leaf(&b.ours[NODE], &b.root, "node01.domain.local", "DNS:node01.domain.local");
	tc_make(&b.ours[NO_CLIENT_AUTH], &(struct tc_prm){ .cn = "node01.domain.local", .san = "DNS:node01.domain.local", .eku = "serverAuth", .issuer = &b.root });
	tc_leaf(&b.ours[STRANGER], &b.other_root, "node01.domain.local", "DNS:node01.domain.local");
	tc_make(&b.ours[EXPIRED], &(struct tc_prm){ .cn = "node01.domain.local", .san = "DNS:node01.domain.local", .from_days = -20, .to_days = -10, .issuer = &b.root });
	assert_int_equal(trust_policy_one(&b.policy, "lyncpool", TRUST_RULE_RFC5922, &pool, 1), 0);
	return 0;
}

static int bench_down(void **state)
{
	(void)state;
	mem_unref(b.policy);
	pool_destroy(b.crypto);
	loop_destroy(b.loop);
	for (unsigned i = 0; i < 5; i++)
		tc_free(&b.ours[i]);
	tc_free(&b.pool_cert);
	tc_free(&b.root);
	tc_free(&b.other_root);
	return 0;
}

/* ---- dialling ---- */

static void on_established(struct conn *c, void *arg)
{
	static const char request[] = "OPTIONS sip:lyncpool.domain.com SIP/2.0\r\nVia: SIP/2.0/TLS node01.domain.local;branch=z9hG4bK1\r\n"
				      "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	struct dial *d = arg;
	(void)d;
	assert_int_equal(conn_send(c, request, sizeof request - 1), 0);
	facts_sip_sent(tls_conn_own_facts(c), TEXT("OPTIONS"));
}

static void on_recv(struct conn *c, const uint8_t *data, size_t n, void *arg)
{
	struct dial *d = arg;
	struct text t = text_make(data, n), line, rest;
	uint32_t status = 0;
	text_cut(t, '\r', &line, &rest);
	if (text_starts(line, "SIP/2.0 "))
		text_u32(text_head(text_skip(line, 8), 3), 699, &status);
	facts_sip_answer(tls_conn_own_facts(c), status, text_skip(line, 12));
	size_t at = text_find_text(rest, TEXT("ms-diagnostics: "));
	if (at != SIZE_MAX) {
		text_cut(text_skip(rest, at + 16), '\r', &line, &rest);
		facts_sip_headers(tls_conn_own_facts(c), TEXT_NONE, TEXT_NONE, line, -1);
	}
	d->answered = true;
}

static void on_closed(struct conn *c, const struct conn_end *end, void *arg)
{
	struct dial *d = arg;
	(void)c;
	d->closed = true;
	d->end = *end;
}

static struct trust_set *set_with(enum our_cert which)
{
	struct trust_set *set;
	struct trust_identity *id;
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_set_anchor(set, b.root.cert), 0);
	if (which != NONE) {
		assert_int_equal(trust_identity_from(&id, "default", b.ours[which].cert, NULL, b.ours[which].key, NULL), 0);
		assert_int_equal(trust_set_identity(set, id), 0);
		mem_unref(id);
	}
	return set;
}

static void open_conn(struct dial *d, uint16_t port, enum our_cert which, const struct tls_limits *limits, uint32_t handshake_ms)
{
	static const struct conn_handlers h = { .established = on_established, .recv = on_recv, .closed = on_closed };
	struct trust_set *set = set_with(which);
	struct trust_facts *f = mem_alloc(sizeof *f);
	facts_init(f, TRUST_DIALLED, TRUST_TLS, TC_NOW);
	facts_us(f, "node01", "node01.domain.local", "um.domain.local");
	facts_gateway(f, "lyncpool", "lyncpool.domain.com");
	facts_target(f, "lyncpool.domain.com", port, "127.0.0.1");
	facts_flow(f, TRUST_FLOW_OPTIONS);
	struct tls_filter_prm prm = { .loop = b.loop, .crypto = b.crypto, .handshake_ms = handshake_ms,
				      .tls = { .role = TRUST_DIALLED, .set = set, .policy = b.policy, .sni = "lyncpool.domain.com",
					       .limits = *limits, .clock = &b.clock.clock, .facts = f, .no_identity = which == NONE } };
	struct conn_filter filter;
	struct net_addr to;
	assert_int_equal(tls_filter_make(&filter, &prm), 0);
	assert_int_equal(net_addr_parse(&to, TEXT("127.0.0.1"), port), 0);
	assert_int_equal(conn_connect(&d->conn, b.loop, &to, NULL, 2000, &filter, &h, d), 0);
	mem_free(f);
	mem_unref(set);
}

/* Until answered or closed, or `ms` of the fake clock went by. */
static void follow(struct dial *d, unsigned ms)
{
	for (unsigned t = 0; t < ms && !d->closed && !d->answered; t += 5) {
		loop_step(b.loop, 5);
		clock_fake_advance_ms(&b.clock, 5);
	}
	/* a worker may still have it when the machine is busy */
	for (unsigned i = 0; i < 400 && !d->closed && !tls_of_conn(d->conn); i++)
		loop_step(b.loop, 5);
}

static void judge(struct dial *d)
{
	struct trust_facts *f = &d->facts;
	assert_true(tls_conn_facts(d->conn, f));
	if (d->closed)
		facts_conn_end(f, &d->end); /* the filter hears of no end before it was up */
	else if (!d->answered)
		facts_silent(f, 500);
	trust_explain(f, &d->verdict);
}

static void hang_up(struct dial *d)
{
	if (!d->closed)
		conn_abort(d->conn, false);
	d->conn = mem_unref(d->conn);
	for (unsigned i = 0; i < 3; i++)
		loop_step(b.loop, 0);
}

static void dial(struct dial *d, struct refuser_prm *prm, enum our_cert which, uint16_t version)
{
	memset(d, 0, sizeof *d);
	prm->cert = prm->cert ? prm->cert : b.pool_cert.cert;
	prm->key = prm->key ? prm->key : b.pool_cert.key;
	prm->ca = b.root.cert;
	prm->now_s = TC_NOW;
	struct refuser *r = refuser_start(prm);
	/* Where silence is the outcome, it need not last; where an answer is, a busy machine must not look like silence. */
	bool stalls = prm->how == REFUSE_STALL_AT_ACCEPT || prm->how == REFUSE_STALL_AFTER_HELLO;
	open_conn(d, refuser_port(r), which, &(struct tls_limits){ .min = version, .max = version }, stalls ? 400 : 10000);
	if (prm->how == REFUSE_SILENT) {
		for (unsigned i = 0; i < 4000 && !refuser_requests(r); i++)
			follow(d, 5);
		follow(d, 300);
	} else
		follow(d, 20000);
	judge(d);
	hang_up(d);
	refuser_stop(r);
}

/* ---- the table ---- */

struct row {
	const char *name;
	struct refuser_prm peer;
	enum our_cert ours;
	uint16_t version; /* 0: both */
	enum trust_verdict_id id12, id13;
	int alert;        /* received; 0: none, -1: not looked at */
	int late;         /* in TLS 1.3 after our handshake: 1 yes, 0 no */
};
#define BOTH(v) TRUST_V_##v, TRUST_V_##v
static const struct row rows[] = {
	{ "answers", { .how = REFUSE_NOT }, NODE, 0, BOTH(WORKS), 0, 0 },
	{ "fin_at_accept", { .how = REFUSE_FIN_AT_ACCEPT }, NODE, 0, BOTH(CLOSED_BEFORE_HELLO), 0, 0 },
	{ "rst_at_accept", { .how = REFUSE_RST_AT_ACCEPT }, NODE, 0, BOTH(CLOSED_BEFORE_HELLO), 0, 0 },
	{ "stall_at_accept", { .how = REFUSE_STALL_AT_ACCEPT }, NODE, 0, BOTH(STALLED_SILENT), 0, 0 },
	{ "plain_sip", { .how = REFUSE_PLAIN_SIP }, NODE, 0, BOTH(PLAIN_SIP_ON_TLS_PORT), 0, 0 },
	{ "http", { .how = REFUSE_HTTP }, NODE, 0, BOTH(HTTP_ON_TLS_PORT), 0, 0 },
	{ "garbage", { .how = REFUSE_GARBAGE }, NODE, 0, BOTH(NOT_TLS), 0, 0 },
	{ "stall_in_handshake", { .how = REFUSE_STALL_AFTER_HELLO }, NODE, V12, BOTH(STALLED), 0, 0 },
	{ "fin_in_handshake", { .how = REFUSE_FIN_AFTER_HELLO }, NODE, V12, BOTH(CLOSED_IN_HANDSHAKE), 0, 0 },
	{ "rst_in_handshake", { .how = REFUSE_RST_AFTER_HELLO }, NODE, V12, BOTH(CLOSED_IN_HANDSHAKE), 0, 0 },
	{ "alert_40_at_hello", { .how = REFUSE_ALERT_AT_HELLO, .alert = 40 }, NODE, 0, BOTH(NO_COMMON_SUITE), 40, 0 },
	{ "alert_49_at_hello", { .how = REFUSE_ALERT_AT_HELLO, .alert = 49 }, NODE, 0, BOTH(PEER_ACCESS_DENIED), 49, 0 },
	{ "alert_70_at_hello", { .how = REFUSE_ALERT_AT_HELLO, .alert = 70 }, NODE, 0, BOTH(NO_COMMON_VERSION), 70, 0 },
	{ "alert_80_at_hello", { .how = REFUSE_ALERT_AT_HELLO, .alert = 80 }, NODE, 0, BOTH(PEER_INTERNAL), 80, 0 },
	{ "alert_112_at_hello", { .how = REFUSE_ALERT_AT_HELLO, .alert = 112 }, NODE, 0, BOTH(PEER_UNRECOGNIZED_NAME), 112, 0 },
	{ "alert_40", { .how = REFUSE_ALERT, .alert = 40 }, NODE, 0, BOTH(PEER_SAYS_HANDSHAKE_FAILURE), 40, 1 },
	{ "alert_42", { .how = REFUSE_ALERT, .alert = 42 }, NODE, 0, BOTH(PEER_BAD_CERTIFICATE), 42, 1 },
	{ "alert_44", { .how = REFUSE_ALERT, .alert = 44 }, NODE, 0, BOTH(PEER_REVOKED), 44, 1 },
	{ "alert_46", { .how = REFUSE_ALERT, .alert = 46 }, NODE, 0, BOTH(PEER_CERTIFICATE_UNKNOWN), 46, 1 },
	{ "wrong_usage", { .how = REFUSE_NOT }, NO_CLIENT_AUTH, 0, BOTH(PEER_WRONG_PURPOSE), 43, 1 },
	{ "unknown_issuer", { .how = REFUSE_NOT }, STRANGER, 0, BOTH(PEER_UNKNOWN_CA), 48, 1 },
	{ "expired", { .how = REFUSE_NOT }, EXPIRED, 0, BOTH(PEER_EXPIRED), 45, 1 },
	{ "no_certificate_12", { .how = REFUSE_NOT }, NONE, V12, BOTH(PEER_WANTS_CERTIFICATE), 40, 0 },
	{ "no_certificate_13", { .how = REFUSE_NOT }, NONE, V13, BOTH(PEER_WANTS_CERTIFICATE), 116, 1 },
	{ "close_notify", { .how = REFUSE_CLOSE_NOTIFY, .known = "node01.domain.local" }, SHARED, 0, BOTH(IDENTITY_UNKNOWN), 0, 0 },
	{ "bare_fin", { .how = REFUSE_FIN, .known = "node01.domain.local" }, SHARED, 0, BOTH(IDENTITY_UNKNOWN), 0, 0 },
	{ "rst", { .how = REFUSE_RST, .known = "node01.domain.local" }, SHARED, 0, BOTH(IDENTITY_UNKNOWN), 0, 0 },
	{ "silent", { .how = REFUSE_SILENT, .known = "node01.domain.local" }, SHARED, 0, BOTH(IDENTITY_UNKNOWN), 0, 0 },
	{ "close_notify_on_request", { .how = REFUSE_CLOSE_NOTIFY_ON_REQUEST }, SHARED, 0, BOTH(IDENTITY_UNKNOWN), 0, 0 },
	{ "fin_on_request", { .how = REFUSE_FIN_ON_REQUEST }, SHARED, 0, BOTH(IDENTITY_UNKNOWN), 0, 0 },
	{ "rst_on_request", { .how = REFUSE_RST_ON_REQUEST }, SHARED, 0, BOTH(IDENTITY_UNKNOWN), 0, 0 },
	{ "known_cn_is_answered", { .how = REFUSE_SILENT, .known = "node02.domain.local,node01.domain.local" }, NODE, 0, BOTH(WORKS), 0, 0 },
	{ "closed_with_own_cn", { .how = REFUSE_FIN }, NODE, 0, BOTH(CLOSED_WITHOUT_SIP), 0, 0 },
	{ "silent_with_own_cn", { .how = REFUSE_SILENT }, NODE, 0, BOTH(SILENT_WITHOUT_SIP), 0, 0 },
	{ "status_403", { .how = REFUSE_STATUS, .status = 403 }, NODE, 0, BOTH(SIP_FORBIDDEN), 0, 0 },
	{ "status_403_names", { .how = REFUSE_STATUS, .status = 403, .header = "ms-diagnostics: 1;reason=\"Connection allows following fqdns: a.b\"" },
	  SHARED, 0, BOTH(SIP_NAME_NOT_ALLOWED), 0, 0 },
	{ "status_503", { .how = REFUSE_STATUS, .status = 503 }, NODE, 0, BOTH(SIP_UNAVAILABLE), 0, 0 },
	{ "status_504", { .how = REFUSE_STATUS, .status = 504 }, NODE, 0, BOTH(SIP_TIMEOUT), 0, 0 },
	{ "only_13_there", { .how = REFUSE_NOT, .min = V13 }, NODE, V12, BOTH(NO_COMMON_VERSION), 70, 0 },
	{ "only_12_there", { .how = REFUSE_NOT, .max = V12 }, NODE, V13, BOTH(NO_COMMON_VERSION), 70, 0 },
	{ "no_suite_there", { .how = REFUSE_NOT, .suites = "AES128-SHA" }, NODE, V12, BOTH(NO_COMMON_SUITE), 40, 0 },
};
enum { ROWS = sizeof rows / sizeof *rows };

static void one(const struct row *r, uint16_t version)
{
	struct dial *d = mem_zalloc(1, sizeof *d);
	struct refuser_prm peer = r->peer;
	enum trust_verdict_id id = version == V13 ? r->id13 : r->id12;
	dial(d, &peer, r->ours, version);
	/* A reset may arrive before we know that we are connected; then it belongs to connecting. */
	if (r->peer.how == REFUSE_RST_AT_ACCEPT && d->verdict.id == TRUST_V_CONNECT_RESET)
		id = TRUST_V_CONNECT_RESET;
	if (d->verdict.id != id) {
		struct buf text;
		buf_init(&text, 1 << 16);
		facts_text(&d->facts, &text);
		fail_msg("%s, %x: wanted %s, got %s: %s\n%s", r->name, version, trust_verdict_name(id), d->verdict.name, d->verdict.sentence, buf_cstr(&text));
	}
	const struct trust_tls_facts *t = &d->facts.tls;
	if (r->alert > 0) {
		assert_int_equal(t->n_alerts, 1);
		assert_false(t->alert[0].sent);
		assert_int_equal(t->alert[0].number, r->alert);
		assert_int_equal(t->alert[0].after_handshake, version == V13 && r->late);
	} else if (!r->alert)
		assert_int_equal(t->n_alerts, 0);
	mem_free(d);
}

static void one_row(void **state)
{
	const struct row *r = *state;
	if (r->version != V13)
		one(r, V12);
	if (r->version != V12)
		one(r, V13);
}

/* ---- more than a row ---- */

static void the_form_of_the_end_is_kept(void **state)
{
	(void)state;
	static const struct {
		enum refuse_how how;
		enum trust_end end;
	} forms[] = { { REFUSE_CLOSE_NOTIFY, TRUST_CLOSE_NOTIFY }, { REFUSE_FIN, TRUST_FIN }, { REFUSE_RST, TRUST_RST },
		      { REFUSE_CLOSE_NOTIFY_ON_REQUEST, TRUST_CLOSE_NOTIFY }, { REFUSE_FIN_ON_REQUEST, TRUST_FIN }, { REFUSE_RST_ON_REQUEST, TRUST_RST } };
	for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++)
		for (uint16_t v = V12; v <= V13; v++) {
			struct dial *d = mem_zalloc(1, sizeof *d);
			struct refuser_prm peer = { .how = forms[i].how };
			dial(d, &peer, SHARED, v);
			if (d->facts.end != forms[i].end)
				fail_msg("%s: %s", refuse_how_name(forms[i].how), trust_end_name(d->facts.end));
			assert_true(d->facts.ours.shown);
			assert_true(d->facts.tls.cert_requested);
			mem_free(d);
		}
}

static void a_server_that_is_somebody_else_is_refused_by_us(void **state)
{
	(void)state;
	struct tc other;
	tc_leaf(&other, &b.root, "other.domain.com", "DNS:other.domain.com");
	for (uint16_t v = V12; v <= V13; v++) {
		struct dial *d = mem_zalloc(1, sizeof *d);
		struct refuser_prm peer = { .how = REFUSE_NOT, .cert = other.cert, .key = other.key };
		dial(d, &peer, NODE, v);
		assert_int_equal(d->verdict.id, TRUST_V_NAME_MISMATCH);
		assert_int_equal(d->verdict.who, TRUST_US);
		assert_string_equal(d->verdict.offered, "other.domain.com");
		assert_string_equal(d->verdict.wanted, "lyncpool.domain.com");
		assert_int_equal(d->facts.tls.alert[0].number, 42);
		mem_free(d);
	}
	tc_free(&other);
}

static void many_at_once_share_the_pool(void **state)
{
	(void)state;
	enum { N = 40 };
	struct dial *d = mem_zalloc(N, sizeof *d);
	struct refuser_prm prm = { .how = REFUSE_NOT, .cert = b.pool_cert.cert, .key = b.pool_cert.key, .ca = b.root.cert, .now_s = TC_NOW };
	struct refuser *r = refuser_start(&prm);
	unsigned answered = 0;
	for (unsigned i = 0; i < N; i++)
		open_conn(&d[i], refuser_port(r), NODE, &(struct tls_limits){ 0 }, 10000);
	int64_t give_up_ms = clock_mono_ms(clock_system()) + 20000;
	while (answered < N && clock_mono_ms(clock_system()) < give_up_ms) {
		loop_step(b.loop, 5);
		clock_fake_advance_ms(&b.clock, 1);
		answered = 0;
		for (unsigned i = 0; i < N; i++)
			answered += d[i].answered;
	}
	assert_int_equal(answered, N);
	for (unsigned i = 0; i < N; i++)
		hang_up(&d[i]);
	refuser_stop(r);
	mem_free(d);
}

static void closing_while_a_worker_has_it(void **state)
{
	(void)state;
	struct refuser_prm prm = { .how = REFUSE_NOT, .cert = b.pool_cert.cert, .key = b.pool_cert.key, .ca = b.root.cert, .now_s = TC_NOW };
	struct refuser *r = refuser_start(&prm);
	for (unsigned i = 0; i < 12; i++) {
		struct dial *d = mem_zalloc(1, sizeof *d);
		open_conn(d, refuser_port(r), NODE, &(struct tls_limits){ 0 }, 10000);
		for (unsigned k = 0; k < i; k++)
			loop_step(b.loop, 1);
		if (i % 2) {
			conn_abort(d->conn, i % 4 == 1);
		} else {
			conn_close(d->conn);
			for (unsigned k = 0; k < 2000 && !d->closed; k++) {
				loop_step(b.loop, 5);
				clock_fake_advance_ms(&b.clock, 5);
			}
			assert_true(d->closed);
		}
		mem_unref(d->conn);
		for (unsigned k = 0; k < 200 && pool_depth(b.crypto); k++)
			loop_step(b.loop, 5);
		loop_step(b.loop, 5);
		mem_free(d);
	}
	refuser_stop(r);
}

int main(void)
{
	static struct CMUnitTest tests[ROWS + 4];
	for (unsigned i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, one_row, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)UT(the_form_of_the_end_is_kept);
	tests[ROWS + 1] = (struct CMUnitTest)UT(a_server_that_is_somebody_else_is_refused_by_us);
	tests[ROWS + 2] = (struct CMUnitTest)UT(many_at_once_share_the_pool);
	tests[ROWS + 3] = (struct CMUnitTest)UT(closing_while_a_worker_has_it);
	int failed = cmocka_run_group_tests(tests, bench_up, bench_down);
	if (!failed && mem_live()) {
		print_error("leak: %zu block(s) left\n", mem_live());
		return 1;
	}
	return failed;
}
