/* SPDX-License-Identifier: Apache-2.0 */
/* The resolver against a name server that runs on the same loop and says what the test wants. */
#include "ut.h"
#include <errno.h>
#include "base/mem.h"
#include "dns_packet.h"
#include "net/dns_naptr.h"
#include "net/udp.h"

static struct loop *loop;
static struct udp *server;
static struct dns *dns;
static unsigned asked;
static bool mute;
static unsigned force_rcode;

static void answer(struct udp *udp, const struct net_addr *from, uint8_t *q, size_t n, void *arg)
{
	(void)arg;
	char name[256];
	size_t at = 12, o = 0;
	asked++;
	if (mute || n < 17)
		return;
	while (q[at]) {
		memcpy(name + o, q + at + 1, q[at]);
		o += q[at];
		name[o++] = '.';
		at += q[at] + 1u;
	}
	name[o - 1] = '\0';
	unsigned id = (unsigned)(q[0] << 8 | q[1]), type = (unsigned)(q[at + 1] << 8 | q[at + 2]);
	struct buf b, d;
	buf_init(&b, 4096);
	buf_init(&d, 256);
	if (force_rcode) {
		pkhead(&b, id, force_rcode, name, type, 0, 0);
	} else if (type == DNS_SRV && strcmp(name, "_sips._tcp.pool.test") == 0) {
		pkhead(&b, id, 0, name, type, 2, 0);
		pk16(&d, 20), pk16(&d, 0), pk16(&d, 7001), pkname(&d, "b.pool.test");
		pkrr(&b, NULL, DNS_SRV, 30, d.p, d.n);
		buf_clear(&d);
		pk16(&d, 10), pk16(&d, 0), pk16(&d, 7000), pkname(&d, "a.pool.test");
		pkrr(&b, NULL, DNS_SRV, 30, d.p, d.n);
	} else if (type == DNS_NAPTR && strcmp(name, "naptr.pool.test") == 0) { /* TLS is the second best; nobody has SCTP here */
		pkhead(&b, id, 0, name, type, 4, 0);
		pknaptr(&b, 30, 10, "s", "SIP+D2U", "_sip._udp.pool.test");
		pknaptr(&b, 20, 10, "s", "SIPS+D2T", "_sips._tcp.pool.test");
		pknaptr(&b, 10, 20, "s", "SIP+D2S", "_sip._sctp.pool.test");
		pknaptr(&b, 20, 20, "s", "SIP+D2T", "_sip._tcp.pool.test");
	} else if (type == DNS_NAPTR && strcmp(name, "gone.pool.test") == 0) { /* its best service has no machine */
		pkhead(&b, id, 0, name, type, 2, 0);
		pknaptr(&b, 10, 10, "s", "SIP+D2T", "_nothing._tcp.pool.test");
		pknaptr(&b, 20, 10, "s", "SIP+D2U", "_sip._udp.pool.test");
	} else if (type == DNS_NAPTR && strcmp(name, "tlsgone.pool.test") == 0) {
		pkhead(&b, id, 0, name, type, 2, 0);
		pknaptr(&b, 10, 10, "s", "SIPS+D2T", "_broken._tcp.pool.test");
		pknaptr(&b, 20, 10, "s", "SIP+D2U", "_sip._udp.pool.test");
	} else if (strncmp(name, "_broken.", 8) == 0 || (type == DNS_NAPTR && strcmp(name, "silent.pool.test") == 0) ||
	           (type == DNS_SRV && strcmp(name, "_sips._tcp.halfsilent.pool.test") == 0)) {
		pkhead(&b, id, 2, name, type, 0, 0);
	} else if (type == DNS_SRV && (strcmp(name, "_sip._udp.pool.test") == 0 || strcmp(name, "_sip._tcp.only.pool.test") == 0 ||
	                               strcmp(name, "_sip._udp.halfsilent.pool.test") == 0)) {
		pkhead(&b, id, 0, name, type, 1, 0);
		pk16(&d, 10), pk16(&d, 0), pk16(&d, 7070), pkname(&d, "b.pool.test");
		pkrr(&b, NULL, DNS_SRV, 30, d.p, d.n);
	} else if (type == DNS_A && strstr(name, "pool.test")) {
		pkhead(&b, id, 0, name, type, 1, 0);
		pkrr(&b, NULL, DNS_A, 60, name[0] == 'a' ? "\x7f\x00\x00\x0a" : "\x7f\x00\x00\x0b", 4);
	} else {
		pkhead(&b, id, strstr(name, "pool.test") ? 0 : 3, name, type, 0, 1);
		pksoa(&b, "test", 100, 50);
	}
	udp_send(udp, from, b.p, b.n);
	buf_free(&b);
	buf_free(&d);
}

static void open_all(void)
{
	struct net_addr any;
	char at[NET_ADDR_SIZE];
	asked = 0;
	mute = false;
	force_rcode = 0;
	net_addr_parse(&any, TEXT("127.0.0.1"), 0);
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	assert_int_equal(udp_create(&server, loop, &any, answer, NULL), 0);
	assert_int_equal(dns_create(&dns, loop, net_addr_print(udp_local(server), at)), 0);
}

static void close_all(void)
{
	dns_destroy(dns);
	udp_destroy(server);
	loop_destroy(loop);
}

static struct dns_result got;
static bool got_it;

static void on_result(const struct dns_result *res, void *arg)
{
	(void)arg;
	got = *res;
	got_it = true;
}

static void look_up(const char *name, enum dns_type type)
{
	got_it = false;
	assert_int_equal(dns_query(dns, NULL, text_of(name), type, on_result, NULL), 0);
	assert_false(got_it); /* never from within the call */
	for (int i = 0; i < 2000 && !got_it; i++)
		loop_step(loop, 10);
	assert_true(got_it);
}

static void second_question_is_answered_from_the_cache(void **state)
{
	(void)state;
	open_all();
	look_up("a.pool.test", DNS_A);
	assert_int_equal(got.outcome, DNS_OK);
	assert_false(got.cached);
	look_up("A.pool.test.", DNS_A);
	assert_true(got.cached);
	assert_int_equal(asked, 1);
	look_up("absent.test", DNS_A);
	assert_int_equal(got.outcome, DNS_NXDOMAIN);
	look_up("absent.test", DNS_A);
	assert_int_equal(asked, 2);
	dns_flush(dns);
	look_up("a.pool.test", DNS_A);
	assert_int_equal(asked, 3);
	close_all();
}

static void outcomes_name_what_the_server_said(void **state)
{
	(void)state;
	open_all();
	force_rcode = 5;
	look_up("a.pool.test", DNS_A);
	assert_int_equal(got.outcome, DNS_REFUSED);
	force_rcode = 2;
	look_up("a.pool.test", DNS_A);
	assert_int_equal(got.outcome, DNS_SERVFAIL);
	assert_string_not_equal(got.server, "");
	mute = true;
	dns_timeout(dns, 300);
	look_up("a.pool.test", DNS_A);
	assert_int_equal(got.outcome, DNS_TIMEOUT);
	close_all();
}

static void a_server_that_is_not_there_is_told_as_such(void **state)
{
	(void)state;
	open_all();
	udp_destroy(server);
	server = NULL;
	look_up("a.pool.test", DNS_A);
	assert_int_equal(got.outcome, DNS_NO_SERVER);
	close_all();
}

static struct dns_targets targets;
static bool got_targets;

static void on_targets(const struct dns_targets *t, void *arg)
{
	(void)arg;
	targets = *t;
	got_targets = true;
}

static void resolve_by(const char *host, uint16_t port, enum net_transport transport)
{
	got_targets = false;
	assert_int_equal(dns_resolve_sip(dns, NULL, text_of(host), port, transport, on_targets, NULL), 0);
	for (int i = 0; i < 2000 && !got_targets; i++)
		loop_step(loop, 10);
	assert_true(got_targets);
}

static void resolve(const char *host, uint16_t port)
{
	resolve_by(host, port, NET_TLS);
}

static void sip_hosts_resolve_by_srv_in_order_of_priority(void **state)
{
	(void)state;
	char s[NET_ADDR_SIZE];
	open_all();
	resolve("pool.test", 0);
	assert_int_equal(targets.outcome, DNS_OK);
	assert_int_equal(targets.n, 2);
	assert_string_equal(net_addr_print(&targets.target[0].addr, s), "127.0.0.10:7000");
	assert_string_equal(targets.target[0].host, "a.pool.test");
	assert_string_equal(net_addr_print(&targets.target[1].addr, s), "127.0.0.11:7001");
	close_all();
}

static void a_port_or_an_address_needs_no_srv(void **state)
{
	(void)state;
	char s[NET_ADDR_SIZE];
	open_all();
	resolve("a.pool.test", 5099);
	assert_int_equal(targets.n, 1);
	assert_string_equal(net_addr_print(&targets.target[0].addr, s), "127.0.0.10:5099");
	unsigned before = asked;
	resolve("[::1]", 0);
	assert_string_equal(net_addr_print(&targets.target[0].addr, s), "[::1]:5061");
	assert_int_equal(asked, before);
	resolve("absent.test", 5061);
	assert_int_equal(targets.outcome, DNS_NXDOMAIN);
	assert_int_equal(targets.n, 0);
	assert_true(targets.n_trail >= 1);
	close_all();
}

static void expect_way(const char *host, enum net_transport transport, unsigned port, unsigned looked, const char *by)
{
	resolve_by(host, 0, NET_ANY);
	assert_int_equal(targets.outcome, DNS_OK);
	assert_true(targets.n >= 1);
	for (unsigned i = 0; i < targets.n; i++)
		assert_int_equal(targets.target[i].transport, transport);
	assert_int_equal(net_addr_port(&targets.target[0].addr), port);
	assert_int_equal(targets.n_trail, looked);
	assert_string_equal(targets.by, by);
}

/* RFC 3263 4.1 */
static void naptr_says_by_which_transport(void **state)
{
	(void)state;
	open_all();
	expect_way("naptr.pool.test", NET_TLS, 7000, 6, "NAPTR naptr.pool.test, SRV _sips._tcp.pool.test");  /* NAPTR, SRV, and A and AAAA of two */
	expect_way("gone.pool.test", NET_UDP, 7070, 5, "NAPTR gone.pool.test, SRV _sip._udp.pool.test");   /* NAPTR, SRV of nothing, SRV, A, AAAA */
	expect_way("only.pool.test", NET_TCP, 7070, 5, "SRV _sip._tcp.only.pool.test");   /* no NAPTR, no SRV for TLS, one for TCP */
	expect_way("a.pool.test", NET_UDP, 5060, 6, "");      /* none of them: the host itself */
	resolve_by("192.0.2.7", 0, NET_ANY);
	assert_int_equal(targets.n, 1);
	assert_int_equal(targets.target[0].transport, NET_UDP);
	close_all();
}

/* Who can make an answer vanish must not get us from TLS to anything less. */
static void silence_leads_to_no_lesser_transport(void **state)
{
	static const char *const hosts[] = { "silent.pool.test", "tlsgone.pool.test", "halfsilent.pool.test" };
	(void)state;
	open_all();
	for (unsigned i = 0; i < 3; i++) {
		resolve_by(hosts[i], 0, NET_ANY);
		assert_int_equal(targets.n, 0);
		assert_int_equal(targets.outcome, DNS_SERVFAIL);
	}
	close_all();
}

static void services_are_chosen(void **state)
{
	static const struct {
		uint16_t order, preference;
		const char *flags, *service, *target;
	} rec[] = {
		{ 1, 1, "u", "SIPS+D2T", "uri.test" },  { 1, 1, "s", "SIPS+D2T", "" },       { 1, 1, "S", "SIP+D2X", "x.test" },
		{ 10, 20, "S", "sip+d2t", "_sip._tcp.a.test" }, { 10, 10, "s", "SIP+D2U", "_sip._udp.a.test" }, { 9, 99, "s", "SIPS+D2T", "_sips._tcp.b.test" },
		{ 9, 100, "s", "sips+d2t", "_sips._tcp.c.test" },
	};
	struct dns_result *res = mem_zalloc(1, sizeof *res);
	struct dns_service out[DNS_SERVICES];
	(void)state;
	for (unsigned i = 0; i < sizeof rec / sizeof rec[0]; i++) {
		struct dns_record *r = &res->rec[res->n++];
		r->priority = rec[i].order;
		r->weight = rec[i].preference;
		text_fill(r->flags, sizeof r->flags, rec[i].flags);
		text_fill(r->service, sizeof r->service, rec[i].service);
		text_fill(r->target, sizeof r->target, rec[i].target);
	}
	assert_int_equal(dns_naptr_services(res, out), 2); /* TLS is the best: nothing else is left */
	assert_string_equal(out[0].name, "_sips._tcp.b.test");
	assert_string_equal(out[1].name, "_sips._tcp.c.test");
	assert_int_equal(out[1].transport, NET_TLS);
	res->n = 5;
	assert_int_equal(dns_naptr_services(res, out), 2);
	assert_string_equal(out[0].name, "_sip._udp.a.test");
	assert_int_equal(out[0].transport, NET_UDP);
	assert_int_equal(out[1].transport, NET_TCP);
	res->n = 3;
	assert_int_equal(dns_naptr_services(res, out), 0);
	mem_free(res);
}

static void cancelled_questions_stay_silent(void **state)
{
	(void)state;
	struct dns_query *q;
	struct dns_resolve *r;
	open_all();
	got_it = got_targets = false;
	assert_int_equal(dns_query(dns, &q, TEXT("a.pool.test"), DNS_A, on_result, NULL), 0);
	assert_int_equal(dns_resolve_sip(dns, &r, TEXT("pool.test"), 0, NET_TLS, on_targets, NULL), 0);
	dns_cancel(q);
	dns_resolve_cancel(r);
	assert_int_equal(dns_query(dns, NULL, TEXT("192.0.2.1"), DNS_A, on_result, NULL), EINVAL);
	for (int i = 0; i < 20; i++)
		loop_step(loop, 5);
	assert_false(got_it || got_targets);
	assert_int_equal(dns_query(dns, NULL, TEXT("never.test"), DNS_A, on_result, NULL), 0);
	close_all(); /* with one still under way */
}

UT_MAIN(UT(second_question_is_answered_from_the_cache), UT(outcomes_name_what_the_server_said), UT(a_server_that_is_not_there_is_told_as_such),
        UT(sip_hosts_resolve_by_srv_in_order_of_priority), UT(a_port_or_an_address_needs_no_srv), UT(naptr_says_by_which_transport), UT(silence_leads_to_no_lesser_transport),
        UT(services_are_chosen), UT(cancelled_questions_stay_silent))
