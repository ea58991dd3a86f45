/* SPDX-License-Identifier: Apache-2.0 */
/* names_test.c  Requests to names (RFC 3263): the next address when one refuses or is silent, 503 sends on, and what DNS said is kept. */
#include <errno.h>
#include <stdio.h>
#include "base/mem.h"
#include "call/rig.h"
#include "event/bus.h"
#include "net/udp.h"
#include "sip_events.h"
#include "unit/net/dns_packet.h"

/* Where the SRV records of auto.test and tls.test lead, at one.test. */
static unsigned srv_port;

/* auto.test is reached by TCP, tls.test by TLS, as their NAPTR records say. True: it was such a question. */
static bool services(struct buf *b, unsigned id, const char *name, unsigned type)
{
	struct buf d;

	if (type == DNS_NAPTR && (text_is(text_of(name), "auto.test") || text_is(text_of(name), "tls.test"))) {
		pkhead(b, id, 0, name, type, 2, 0);
		pknaptr(b, 20, 10, "s", "SIP+D2U", "_sip._udp.auto.test");
		if (name[0] == 'a')
			pknaptr(b, 10, 10, "s", "SIP+D2T", "_sip._tcp.auto.test");
		else
			pknaptr(b, 10, 10, "s", "SIPS+D2T", "_sips._tcp.tls.test");
		return true;
	}
	if (type != DNS_SRV || !srv_port)
		return false;
	buf_init(&d, 256);
	pk16(&d, 1), pk16(&d, 1), pk16(&d, srv_port), pkname(&d, "one.test");
	pkhead(b, id, 0, name, type, 1, 0);
	pkrr(b, NULL, DNS_SRV, 60, d.p, d.n);
	buf_free(&d);
	return true;
}

/* two.test: 127.0.0.9 where nobody is, then 127.0.0.1; one.test: 127.0.0.1; the rest does not exist */
static void name_server(struct udp *udp, const struct net_addr *from, uint8_t *q, size_t n, void *arg)
{
	char name[256] = "";
	size_t at = 12, o = 0;
	struct buf b;

	(void)arg;
	if (n < 17)
		return;
	for (; q[at]; at += q[at] + 1u) {
		memcpy(name + o, q + at + 1, q[at]);
		o += q[at];
		name[o++] = '.';
	}
	name[o - 1] = '\0';
	unsigned id = (unsigned)(q[0] << 8 | q[1]), type = (unsigned)(q[at + 1] << 8 | q[at + 2]);
	buf_init(&b, 4096);
	if (services(&b, id, name, type)) {
		;
	} else if (type == DNS_A && text_is(text_of(name), "two.test")) {
		pkhead(&b, id, 0, name, type, 2, 0);
		pkrr(&b, NULL, DNS_A, 60, "\x7f\x00\x00\x09", 4);
		pkrr(&b, NULL, DNS_A, 60, "\x7f\x00\x00\x01", 4);
	} else if (type == DNS_A && text_is(text_of(name), "one.test")) {
		pkhead(&b, id, 0, name, type, 1, 0);
		pkrr(&b, NULL, DNS_A, 60, "\x7f\x00\x00\x01", 4);
	} else {
		pkhead(&b, id, strstr(name, "one.test") || strstr(name, "two.test") ? 0 : 3, name, type, 0, 1);
		pksoa(&b, "test", 100, 50);
	}
	udp_send(udp, from, b.p, b.n);
	buf_free(&b);
}

static struct rig_result probe(struct rig *r, const char *host, int64_t timeout_ms)
{
	struct rig_result k = { .done = false };
	struct sip_request_prm prm = { .method = "OPTIONS", .timeout_ms = timeout_ms, .choice = SIP_CONN_REUSE, .flow = TRUST_FLOW_OPTIONS };
	struct rig_side *s = &r->side[A];

	snprintf(s->other->host, sizeof(s->other->host), "%s", host);
	assert_int_equal(sip_request_send(NULL, s->core, s->other, &prm, rig_on_result, &k), 0);
	for (int64_t i = 0; i < timeout_ms * 2 && !k.done; i += 5)
		rig_run(r, 5);
	assert_true(k.done);
	return k;
}

static void the_next_address(enum net_transport t)
{
	struct rig_result k;
	struct rig r;

	rig_name_server = name_server;
	rig_open(&r, t, false);
	k = probe(&r, "one.test", 20000);
	assert_int_equal(k.res.status, 200);
	assert_int_equal(k.res.tried, 1);
	/* addresses may be turned round by DNS: until the dead one came first once */
	for (int i = 0; i < 20 && k.res.tried < 2; i++)
		k = probe(&r, "two.test", 20000);
	assert_int_equal(k.res.tried, 2);
	assert_int_equal(k.res.status, 200);
	assert_int_equal(k.facts.dns, TRUST_DNS_OK);
	assert_string_equal(k.facts.dns_name, "two.test");
	assert_string_equal(k.facts.target, "two.test");
	rig_close(&r);
}

static void note_event(const struct ev_record *rec, void *arg)
{
	if (rec->report.id == EV_SIP_TARGET_PASSED)
		ev_sentence(&rec->report, arg, 400);
}

/* What was tried in vain before is told, with its reason. */
static void each_reason_is_kept(void **state)
{
	char words[400] = "";
	struct clock_fake clock;
	struct rig_result k = { .done = false };
	struct rig r;

	(void)state;
	clock_fake_init(&clock, TC_NOW);
	assert_int_equal(ev_bus_create(&rig_bus, &clock.clock, 64), 0);
	ev_bus_level(rig_bus, EV_CAT_SIP, EV_LEVEL_HIGH);
	rig_name_server = name_server;
	rig_open(&r, NET_TCP, false);
	for (int i = 0; i < 20 && k.res.tried < 2; i++) /* until the dead one came first */
		k = probe(&r, "two.test", 20000);
	assert_int_equal(k.res.tried, 2);
	ev_bus_flush(rig_bus);
	ev_bus_read(rig_bus, 0, 64, note_event, words);
	if (!strstr(words, "OPTIONS to gateway pool-b: 127.") || !strstr(words, "address 1 of 2 of two.test, was passed over: "))
		fail_msg("%s", words);
	rig_close(&r);
	ev_bus_destroy(rig_bus);
	rig_bus = NULL;
}

static void next_address_tcp(void **state)
{
	(void)state;
	the_next_address(NET_TCP);
}

static void next_address_udp(void **state)
{
	(void)state;
	the_next_address(NET_UDP);
}

/* A gateway whose transport is for DNS to say (RFC 3263 4.1). */
static void naptr_says_the_transport(void **state)
{
	struct rig_result k;
	struct rig r;

	(void)state;
	rig_name_server = name_server;
	rig_open(&r, NET_TCP, false);
	srv_port = r.side[A].other->port;
	r.side[A].other->transport = NET_ANY;
	r.side[A].other->port = 0;
	k = probe(&r, "auto.test", 20000);
	assert_int_equal(k.res.status, 200);
	assert_int_equal(k.facts.transport, TRUST_TCP);
	rig_call_up(&r);
	assert_int_equal(leg_info(r.side[B].leg)->transport, NET_TCP);
	rig_forget(&r.side[A]);
	leg_hangup(r.side[A].leg, NULL);
	assert_true(rig_until(&r, A, "over:we hung up:200", 2000));
	srv_port = 0;
	rig_close(&r);
}

/* DNS says TLS, and TLS does not come about: then nothing is sent at all. */
static void tls_by_naptr_is_never_less(void **state)
{
	struct rig_result k;
	struct rig r;

	(void)state;
	rig_name_server = name_server;
	rig_open(&r, NET_UDP, false);
	srv_port = r.side[A].other->port;
	r.side[A].other->transport = NET_ANY;
	r.side[A].other->port = 0;
	k = probe(&r, "tls.test", 20000);
	assert_int_equal(k.res.outcome, SIP_FAILED);
	assert_int_equal(k.facts.transport, TRUST_TLS);
	assert_string_equal(r.side[B].heard, "");
	srv_port = 0;
	rig_close(&r);
}

static void no_such_name(void **state)
{
	struct rig_result k;
	struct rig r;

	(void)state;
	rig_name_server = name_server;
	rig_open(&r, NET_TCP, false);
	k = probe(&r, "nowhere.test", 5000);
	assert_int_equal(k.res.outcome, SIP_FAILED);
	assert_int_equal(k.facts.dns, TRUST_DNS_NXDOMAIN);
	assert_string_equal(k.facts.dns_name, "nowhere.test");
	assert_false(k.facts.connect_tried);
	assert_int_equal(k.res.tried, 0);
	rig_close(&r);
}

static void calls_go_by_name_too(void **state)
{
	struct rig r;

	(void)state;
	rig_name_server = name_server;
	rig_open(&r, NET_TCP, false);
	snprintf(r.side[A].other->host, sizeof(r.side[A].other->host), "one.test");
	rig_call_up(&r);
	leg_hangup(r.side[A].leg, NULL);
	assert_true(rig_until(&r, A, "over:we hung up:200", 2000));
	rig_close(&r);
}

static void cancelled_while_resolving(void **state)
{
	struct sip_request_prm prm = { .method = "OPTIONS", .timeout_ms = 1000 };
	struct rig_result k = { .done = false };
	struct sip_request *q;
	struct rig r;

	(void)state;
	rig_name_server = name_server;
	rig_open(&r, NET_TCP, false);
	snprintf(r.side[A].other->host, sizeof(r.side[A].other->host), "one.test");
	assert_int_equal(sip_request_send(&q, r.side[A].core, r.side[A].other, &prm, rig_on_result, &k), 0);
	sip_request_cancel(q);
	assert_int_equal(sip_request_send(&q, r.side[A].core, r.side[A].other, &prm, rig_on_result, &k), 0);
	rig_close(&r); /* and the other is told that the core ends */
	assert_true(k.done);
	assert_int_equal(k.res.err, ECANCELED);
}

UT_MAIN(UT(each_reason_is_kept), UT(next_address_tcp), UT(next_address_udp), UT(naptr_says_the_transport), UT(tls_by_naptr_is_never_less), UT(no_such_name), UT(calls_go_by_name_too), UT(cancelled_while_resolving))
