/* SPDX-License-Identifier: Apache-2.0 */
/* Gateways with a clock that is turned by hand, and a resolver and a sender that do what the test says. */
#include "trust/profile.h"
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "gateway/gateway.h"
#include "gateway_events.h"
#include "trust_events.h"

enum { REQUESTS = 16, EVENTS = 64 };

struct request {
	bool used;
	struct sip_request_prm prm;
	char identity[64];
	sip_result_h *h;
	void *arg;
};

static struct rig {
	struct clock_fake clock;
	struct loop *loop;
	struct ev_bus *bus;
	struct gw_table *table;
	struct trust_keeper *keeper;
	struct request rq[REQUESTS];
	unsigned sent, cancelled, resolved;
	struct dns_targets dns[2]; /* answers by host: "pool...", else */
	uint16_t event[EVENTS];
	unsigned n_events;
	char last_message[256], last_verdict[64];
} rig;

/* ---- what the table believes to be the network ---- */

static int fake_send(struct sip_request **rp, struct sip_core *core, struct sip_peer *peer, const struct sip_request_prm *prm, sip_result_h *h, void *arg)
{
	(void)core;
	(void)peer;
	for (unsigned i = 0; i < REQUESTS; i++)
		if (!rig.rq[i].used) {
			rig.rq[i] = (struct request){ .used = true, .prm = *prm, .h = h, .arg = arg };
			text_fill(rig.rq[i].identity, 64, prm->identity ? prm->identity : "");
			*rp = (struct sip_request *)(void *)&rig.rq[i];
			rig.sent++;
			return 0;
		}
	return EAGAIN;
}

static void fake_cancel(struct sip_request *r)
{
	((struct request *)(void *)r)->used = false;
	rig.cancelled++;
}

struct answer_later {
	dns_targets_h *h;
	void *arg;
	unsigned which;
	bool cancelled;
};

static void answer_dns(void *arg)
{
	struct answer_later *a = arg;
	if (!a->cancelled)
		a->h(&rig.dns[a->which], a->arg);
	mem_free(a);
}

static int fake_resolve(struct dns *dns, struct dns_resolve **rp, struct text host, uint16_t port, enum net_transport transport, dns_targets_h *h, void *arg)
{
	(void)dns;
	(void)port;
	(void)transport;
	struct answer_later *a = mem_zalloc(1, sizeof *a);
	*a = (struct answer_later){ h, arg, text_starts(host, "pool") ? 0 : 1, false };
	*rp = (struct dns_resolve *)(void *)a;
	rig.resolved++;
	return loop_post(rig.loop, answer_dns, a);
}

static void fake_resolve_cancel(struct dns_resolve *r)
{
	((struct answer_later *)(void *)r)->cancelled = true;
}

static const struct gw_hooks hooks = { fake_send, fake_cancel, fake_resolve, fake_resolve_cancel };

/* ---- events ---- */

static void sink(const struct ev_record *rec, void *arg)
{
	(void)arg;
	if (rig.n_events < EVENTS)
		rig.event[rig.n_events++] = rec->report.id;
	struct text m = ev_field_text(&rec->report, "message"), v = ev_field_text(&rec->report, "verdict_name");
	text_print(rig.last_message, sizeof rig.last_message, "%.*s", TEXT_FMT(m));
	if (v.n)
		text_print(rig.last_verdict, sizeof rig.last_verdict, "%.*s", TEXT_FMT(v));
}

static unsigned events_of(uint16_t id)
{
	unsigned n = 0;
	ev_bus_flush(rig.bus);
	for (unsigned i = 0; i < rig.n_events; i++)
		n += rig.event[i] == id;
	return n;
}

/* ---- begin, end, time ---- */

#define POOL \
	"gateways:\n" \
	"- {name: pool, address: pool.example.com, port: 5061, transport: tls, lamp: true,\n" \
	"   judges_us: {profile: cn-known-servers, known_names: [node01.example.com]},\n" \
	"   options: {interval_s: 60, timeout_s: 5, misses: 2, answers: 1}}\n"
#define PBX "- {name: pbx, address: 192.0.2.9, transport: udp, sources: [198.51.100.0/24], lamp: true}\n"

static struct cfg *config(const char *yaml)
{
	struct cfg *c = NULL;
	struct cfg_errors errors = { 0 };
	struct buf b;
	buf_init(&b, 65536);
	if (cfg_parse(&c, "test", text_of(yaml), CFG_WANT_OBJECTS, &errors) != 0) {
		cfg_errors_print(&errors, &b);
		fail_msg("%s", buf_cstr(&b));
	}
	cfg_errors_free(&errors);
	buf_free(&b);
	return c;
}

static void apply(const char *yaml)
{
	struct cfg *c = config(yaml);
	assert_int_equal(gw_table_apply(rig.table, c), 0);
	cfg_unref(c);
}

static void target(unsigned which, const char *ip)
{
	struct dns_targets *t = &rig.dns[which];
	assert_int_equal(net_addr_parse(&t->target[t->n].addr, text_of(ip), which ? 5060 : 5061), 0);
	text_fill(t->target[t->n++].host, 256, "pool.example.com");
	t->outcome = DNS_OK;
	t->ttl_s = 300;
}

static void begin(void)
{
	memset(&rig, 0, sizeof rig);
	clock_fake_init(&rig.clock, 1700000000);
	assert_int_equal(loop_create(&rig.loop, &rig.clock.clock), 0);
	assert_int_equal(ev_bus_create(&rig.bus, &rig.clock.clock, 16), 0);
	for (int c = 0; c < EV_CATEGORIES; c++)
		ev_bus_level(rig.bus, (enum ev_category)c, EV_LEVEL_HIGH);
	assert_int_equal(ev_bus_sink(rig.bus, sink, NULL, NULL), 0);
	struct gw_prm prm = { .loop = rig.loop, .clock = &rig.clock.clock, .bus = rig.bus, .node = "node01", .fqdn = "node01.example.com", .hooks = &hooks };
	assert_int_equal(gw_table_create(&rig.table, &prm), 0);
	target(0, "192.0.2.1");
	target(1, "192.0.2.9");
}

static void end(void)
{
	gw_table_destroy(rig.table);
	loop_step(rig.loop, 0);
	ev_bus_destroy(rig.bus);
	loop_destroy(rig.loop);
}

static void pass(int64_t ms)
{
	int64_t t = 0;
	do {
		clock_fake_advance_ms(&rig.clock, ms - t < 500 ? ms - t : 500);
		while (loop_step(rig.loop, 0))
			;
		t += 500;
	} while (t < ms);
}

static struct request *waiting(unsigned n)
{
	for (unsigned i = 0; i < REQUESTS; i++)
		if (rig.rq[i].used && n-- == 0)
			return &rig.rq[i];
	return NULL;
}

static unsigned count_waiting(void)
{
	unsigned n = 0;
	while (waiting(n))
		n++;
	return n;
}

static void facts_of_pool(struct trust_facts *f, const struct request *rq)
{
	facts_init(f, TRUST_DIALLED, TRUST_TLS, 1700000000);
	facts_us(f, "node01", "node01.example.com", "um.example.com");
	facts_gateway(f, "pool", "pool.example.com");
	facts_flow(f, rq->prm.flow);
	facts_target(f, "pool.example.com", 5061, "192.0.2.1:5061");
	facts_connect(f, 0, 3);
	f->tls.used = f->tls.started = f->tls.hello_from_peer = f->tls.done = f->tls.cert_requested = f->tls.cert_sent = true;
	f->tls.version = 0x0304;
	f->ours.shown = f->theirs.shown = true;
	text_fill(f->ours.cn, sizeof f->ours.cn, "um.example.com");
	facts_judges(f, "cn-known-servers", TRUST_RULE_CN_ONLY);
	facts_judges_name(f, "node01.example.com");
	facts_sip_sent(f, text_of(rq->prm.method));
}

static void answered(struct request *rq, int status)
{
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_of_pool(f, rq);
	facts_sip_answer(f, (unsigned)status, TEXT("OK"));
	struct sip_result res = { .outcome = SIP_ANSWERED, .status = status, .reason = "OK", .took_ms = 12, .facts = f };
	rq->used = false;
	rq->h(&res, rq->arg);
	mem_free(f);
}

static void closed(struct request *rq)
{
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_of_pool(f, rq);
	facts_closed(f, TRUST_FIN, 0, 4);
	struct sip_result res = { .outcome = SIP_FAILED, .err = ECONNRESET, .reason = "", .facts = f };
	rq->used = false;
	rq->h(&res, rq->arg);
	mem_free(f);
}

/* Ended by us before anything was known. */
static void cut_short(struct request *rq)
{
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, TRUST_DIALLED, TRUST_TLS, 1700000000);
	struct sip_result res = { .outcome = SIP_FAILED, .err = ECANCELED, .reason = "", .facts = f };
	rq->used = false;
	rq->h(&res, rq->arg);
	mem_free(f);
}

static void no_such_connection(struct request *rq)
{
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, TRUST_ACCEPTED, TRUST_TLS, 1700000000);
	struct sip_result res = { .outcome = SIP_FAILED, .err = ENOTCONN, .reason = "", .facts = f };
	rq->used = false;
	rq->h(&res, rq->arg);
	mem_free(f);
}

static void no_name(struct request *rq)
{
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, TRUST_DIALLED, TRUST_TLS, 1700000000);
	facts_gateway(f, "pool", "pool.example.com");
	facts_flow(f, TRUST_FLOW_OPTIONS);
	facts_target(f, "pool.example.com", 5061, "");
	facts_dns(f, TRUST_DNS_NXDOMAIN, "pool.example.com", "A", "127.0.0.1:53");
	struct sip_result res = { .outcome = SIP_FAILED, .err = ENOENT, .reason = "", .facts = f };
	rq->used = false;
	rq->h(&res, rq->arg);
	mem_free(f);
}

static struct gateway *pool(void)
{
	return gw_find(rig.table, "pool");
}

static enum gw_works works(enum gw_flow_kind f)
{
	return gw_flow_state(pool(), f)->works;
}

/* ---- the tests ---- */

static void first_answer_makes_it_up(void **state)
{
	(void)state;
	begin();
	apply(POOL);
	pass(10);
	assert_int_equal(count_waiting(), 1);
	assert_string_equal(waiting(0)->prm.method, "OPTIONS");
	assert_int_equal(waiting(0)->prm.choice, SIP_CONN_FRESH);
	assert_int_equal(gw_state(pool()), GW_UNKNOWN);
	answered(waiting(0), 200);
	assert_int_equal(gw_state(pool()), GW_UP);
	assert_int_equal(works(GW_OPTIONS), GW_WORKS);
	assert_int_equal(works(GW_TRANSFER), GW_NOT_TRIED);
	assert_int_equal(events_of(EV_GW_UP), 1);
	pass(59000);
	assert_int_equal(count_waiting(), 0);
	pass(1500);
	assert_int_equal(count_waiting(), 1);
	assert_int_equal(waiting(0)->prm.choice, SIP_CONN_REUSE);
	end();
}

static void only_an_answer_makes_it_up(void **state)
{
	(void)state;
	begin();
	apply(POOL);
	pass(10);
	cut_short(waiting(0));
	assert_int_equal(gw_state(pool()), GW_UNKNOWN);
	assert_int_equal(works(GW_OPTIONS), GW_NOT_TRIED);
	assert_int_equal(events_of(EV_GW_UP) + events_of(EV_GW_OPTIONS_FAILED), 0);
	pass(60500);
	answered(waiting(0), 200);
	assert_int_equal(gw_state(pool()), GW_UP);
	end();
}

static void silence_after_a_good_handshake_is_asked_again_in_another_way(void **state)
{
	(void)state;
	begin();
	apply(POOL);
	pass(10);
	closed(waiting(0));
	/* no verdict yet: the peer's own connection is tried first */
	assert_int_equal(works(GW_OPTIONS), GW_NOT_TRIED);
	assert_int_equal(count_waiting(), 1);
	assert_int_equal(waiting(0)->prm.choice, SIP_CONN_PEERS_OWN);
	answered(waiting(0), 200);
	assert_int_equal(works(GW_OPTIONS), GW_REFUSED);
	assert_int_equal(gw_state(pool()), GW_DOWN);
	const struct gw_flow_state *s = gw_flow_state(pool(), GW_OPTIONS);
	assert_int_equal(s->facts.second.kind, TRUST_SECOND_PEERS_CONNECTION);
	assert_int_equal(s->facts.second.outcome, TRUST_SECOND_ANSWERED);
	assert_int_equal(s->verdict.certainty, TRUST_SURE);
	assert_int_equal(s->verdict.who, TRUST_PEER);
	assert_int_equal(events_of(EV_GW_OPTIONS_FAILED), 1);
	assert_string_equal(rig.last_verdict, s->verdict.name);
	end();
}

static void without_another_way_the_verdict_stays_likely(void **state)
{
	(void)state;
	begin();
	apply(POOL);
	pass(10);
	closed(waiting(0));
	no_such_connection(waiting(0));
	const struct gw_flow_state *s = gw_flow_state(pool(), GW_OPTIONS);
	assert_int_equal(s->works, GW_REFUSED);
	assert_int_equal(s->facts.second.kind, TRUST_SECOND_NONE);
	assert_int_equal(s->verdict.certainty, TRUST_LIKELY);
	assert_int_equal(events_of(EV_GW_OPTIONS_FAILED), 1);
	end();
}

static void down_is_told_once_then_hourly_with_a_count_then_back(void **state)
{
	(void)state;
	begin();
	apply(POOL);
	pass(10);
	for (unsigned minute = 0; minute < 61; minute++) {
		closed(waiting(0));
		if (count_waiting())
			no_such_connection(waiting(0));
		pass(60000);
		assert_true(count_waiting() > 0);
	}
	assert_int_equal(events_of(EV_GW_OPTIONS_FAILED), 2);
	answered(waiting(0), 200);
	assert_int_equal(gw_state(pool()), GW_UP);
	assert_int_equal(events_of(EV_GW_BACK), 1);
	end();
}

static void what_the_second_probe_found_holds_while_the_reason_stays(void **state)
{
	(void)state;
	begin();
	apply(POOL);
	pass(10);
	closed(waiting(0));
	answered(waiting(0), 200);
	unsigned sent = rig.sent;
	pass(60000);
	closed(waiting(0));
	assert_int_equal(rig.sent, sent + 1); /* no second probe this time */
	assert_int_equal(gw_flow_state(pool(), GW_OPTIONS)->verdict.certainty, TRUST_SURE);
	end();
}

static void port_that_says_nothing_to_tls_is_asked_in_plain_sip(void **state)
{
	(void)state;
	begin();
	apply(POOL);
	pass(10);
	struct request *rq = waiting(0);
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, TRUST_DIALLED, TRUST_TLS, 1700000000);
	facts_gateway(f, "pool", "pool.example.com");
	facts_target(f, "pool.example.com", 5060, "192.0.2.1:5060");
	facts_connect(f, 0, 1);
	f->tls.used = f->tls.started = f->tls.stalled = true;
	facts_closed(f, TRUST_TIMED_OUT, 0, -1);
	struct sip_result res = { .outcome = SIP_FAILED, .err = ETIMEDOUT, .reason = "", .facts = f };
	rq->used = false;
	rq->h(&res, rq->arg);
	mem_free(f);
	assert_int_equal(count_waiting(), 1);
	answered(waiting(0), 404); /* whatever it answers: it answers */
	assert_string_equal(gw_flow_state(pool(), GW_OPTIONS)->verdict.name, "tls-on-plain-port");
	end();
}

static void name_that_does_not_exist_is_the_verdict(void **state)
{
	(void)state;
	begin();
	rig.dns[0].n = 0;
	rig.dns[0].outcome = DNS_NXDOMAIN;
	apply(POOL);
	pass(10);
	assert_int_equal(gw_members(pool()), 1);
	assert_false(net_addr_is_set(&waiting(0)->prm.only));
	no_name(waiting(0));
	assert_int_equal(gw_state(pool()), GW_DOWN);
	assert_int_equal(gw_flow_state(pool(), GW_OPTIONS)->verdict.step, TRUST_STEP_DNS);
	assert_int_equal(events_of(EV_GW_NO_ADDRESS), 1);
	assert_int_equal(events_of(EV_GW_OPTIONS_FAILED), 1);
	/* the name comes to be */
	target(0, "192.0.2.1");
	pass(16000);
	assert_int_equal(gw_members(pool()), 1);
	assert_true(net_addr_is_set(&waiting(0)->prm.only));
	answered(waiting(0), 200);
	assert_int_equal(gw_state(pool()), GW_UP);
	end();
}

static void members_follow_the_name(void **state)
{
	(void)state;
	struct gw_member_info m;
	begin();
	target(0, "192.0.2.2");
	rig.dns[0].ttl_s = 30;
	apply(POOL);
	pass(1000);
	assert_int_equal(gw_members(pool()), 2);
	answered(waiting(0), 200);
	closed(waiting(0));
	no_such_connection(waiting(0));
	assert_int_equal(gw_state(pool()), GW_UP); /* one of two is enough */
	/* a name server that is away changes nothing */
	unsigned n = rig.dns[0].n;
	rig.dns[0].n = 0;
	rig.dns[0].outcome = DNS_TIMEOUT;
	pass(31000);
	assert_int_equal(gw_members(pool()), 2);
	/* an answer without the first one does */
	rig.dns[0].n = n;
	rig.dns[0].outcome = DNS_OK;
	rig.dns[0].target[0] = rig.dns[0].target[1];
	rig.dns[0].n = 1;
	pass(16000);
	assert_int_equal(gw_members(pool()), 1);
	gw_member(pool(), 0, &m);
	assert_int_equal(m.state, GW_DOWN);
	assert_int_equal(gw_state(pool()), GW_DOWN);
	end();
}

/* transport: auto */
static void dns_says_whether_a_gateway_speaks_tls(void **state)
{
	(void)state;
	begin();
	rig.dns[0].ttl_s = 30;
	rig.dns[0].target[0].transport = NET_TLS;
	text_fill(rig.dns[0].by, sizeof rig.dns[0].by, "NAPTR pool.example.com, SRV _sips._tcp.pool.example.com");
	apply("gateways:\n- {name: pool, address: pool.example.com, transport: auto}\n" PBX);
	assert_int_equal(gw_transport(pool()), NET_ANY); /* not asked yet */
	assert_true(gw_may_speak_tls(pool()));
	pass(1000);
	assert_int_equal(gw_transport(pool()), NET_TLS);
	assert_true(gw_may_speak_tls(pool()));
	assert_string_equal(gw_decided_by(pool()), rig.dns[0].by);
	rig.dns[0].target[0].transport = NET_TCP;
	text_fill(rig.dns[0].by, sizeof rig.dns[0].by, "SRV _sip._tcp.pool.example.com");
	pass(31000);
	assert_int_equal(gw_transport(pool()), NET_TCP);
	assert_false(gw_may_speak_tls(pool()));
	assert_string_equal(gw_decided_by(pool()), "SRV _sip._tcp.pool.example.com");
	assert_int_equal(gw_transport(gw_find(rig.table, "pbx")), NET_UDP);
	end();
}

static void two_gateways_on_one_address_are_told(void **state)
{
	(void)state;
	begin();
	rig.dns[1].target[0].addr = rig.dns[0].target[0].addr;
	apply(POOL PBX);
	pass(1000);
	assert_int_equal(events_of(EV_GW_SHARED_ADDRESS), 1);
	end();
}

static void unchanged_gateways_live_through_a_reload(void **state)
{
	(void)state;
	begin();
	apply(POOL PBX);
	pass(10);
	struct gateway *g = pool();
	unsigned sent = rig.sent;
	apply(POOL);
	assert_ptr_equal(pool(), g);
	assert_null(gw_find(rig.table, "pbx"));
	assert_int_equal(rig.cancelled, 1);
	assert_int_equal(rig.sent, sent);
	apply("gateways:\n- {name: pool, address: pool.example.com, port: 5061, transport: tls, reuse: any}\n");
	assert_int_equal(gw_peer(pool())->reuse, SIP_REUSE_ANY);
	assert_int_equal(gw_count(rig.table), 1);
	end();
}

static unsigned probed;

static void probed_h(struct gateway *g, void *arg)
{
	(void)arg;
	assert_ptr_equal(g, pool());
	probed++;
}

static void probe_by_hand_tells_when_all_is_known(void **state)
{
	(void)state;
	begin();
	probed = 0;
	apply(POOL);
	pass(10);
	answered(waiting(0), 200);
	assert_int_equal(gw_probe(pool(), probed_h, NULL), 0);
	assert_int_equal(gw_probe(pool(), probed_h, NULL), EBUSY);
	closed(waiting(0));
	assert_int_equal(probed, 0);
	no_such_connection(waiting(0));
	assert_int_equal(probed, 1);
	assert_int_equal(gw_state(pool()), GW_UP); /* one miss of two */
	assert_int_equal(works(GW_OPTIONS), GW_REFUSED); /* but the verdict stands */
	assert_int_equal(events_of(EV_GW_OPTIONS_FAILED), 0);
	end();
}

static struct gw_lamp_result lamp;
static unsigned lamps;

static void lamp_h(const struct gw_lamp_result *res, void *arg)
{
	(void)arg;
	lamp = *res;
	lamps++;
}

static void send_lamp(void)
{
	struct gw_lamp l = { .account = "sip:201@example.com", .body = "x", .body_n = 1 };
	assert_int_equal(gw_lamp_send(pool(), &l, lamp_h, NULL), 0);
}

static void lamp_is_done_later_or_never(void **state)
{
	(void)state;
	static const struct {
		int status;
		enum gw_sent sent;
	} cases[] = { { 200, GW_SENT_DONE }, { 202, GW_SENT_DONE }, { 481, GW_SENT_NEVER }, { 489, GW_SENT_NEVER }, { 404, GW_SENT_NEVER },
		      { 403, GW_SENT_LATER }, { 480, GW_SENT_LATER }, { 503, GW_SENT_LATER }, { 501, GW_SENT_NEVER }, { 603, GW_SENT_NEVER } };
	begin();
	apply(POOL);
	pass(10);
	answered(waiting(0), 200);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		send_lamp();
		struct request *rq = waiting(0);
		assert_string_equal(rq->prm.method, "NOTIFY");
		assert_int_equal(rq->prm.flow, TRUST_FLOW_LAMP);
		answered(rq, cases[i].status);
		assert_int_equal(lamp.sent, cases[i].sent);
		assert_int_equal(lamp.status, cases[i].status);
	}
	send_lamp();
	closed(waiting(0));
	assert_int_equal(lamp.sent, GW_SENT_LATER);
	assert_int_equal(works(GW_LAMP), GW_REFUSED);
	assert_int_equal(works(GW_OPTIONS), GW_WORKS); /* one half never hides the other */
	struct gw_lamp bad = { .account = "nobody" };
	assert_int_equal(gw_lamp_send(pool(), &bad, lamp_h, NULL), EINVAL);
	lamps = 0;
	send_lamp();
	end();
	assert_int_equal(lamps, 1); /* told although the table went away */
}

static int identify_by(const char *ip, enum net_transport transport, const struct trust_facts *facts, int64_t began_ms, char *name)
{
	struct sip_source src = { .transport = transport, .facts = facts, .began_ms = began_ms };
	struct sip_peer *peer = NULL;
	struct ev_report why = { 0 };
	assert_int_equal(net_addr_parse(&src.addr, text_of(ip), 40000), 0);
	int err = gw_identify(&src, &peer, &why, rig.table);
	text_fill(name, 64, peer ? peer->name : "");
	assert_true(err == 0 || why.id != 0);
	mem_unref(peer);
	return err;
}

static int identify(const char *ip, enum net_transport transport, const struct trust_facts *facts, char *name)
{
	return identify_by(ip, transport, facts, 0, name);
}

/* Their new calls are answered with 503 then, and not like a stranger's. */
static void peers_are_known_while_the_node_stops(void **state)
{
	(void)state;
	char name[64];
	begin();
	apply(POOL "- {name: desk, address: desk.example.com, transport: udp}\n");
	pass(1000);
	assert_int_equal(identify("192.0.2.9", NET_UDP, NULL, name), 0);
	gw_table_stop(rig.table);
	assert_int_equal(identify("192.0.2.9", NET_UDP, NULL, name), 0);
	assert_string_equal(name, "desk");
	assert_int_equal(gw_probe(gw_find(rig.table, "desk"), NULL, NULL), ENOTCONN);
	end();
}

static void peers_are_known_by_certificate_or_address(void **state)
{
	(void)state;
	char name[64];
	begin();
	apply(POOL PBX);
	pass(1000);
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, TRUST_ACCEPTED, TRUST_TLS, 1700000000);
	f->theirs.shown = true;
	f->theirs.has_san = true;
	text_fill(f->theirs.cn, sizeof f->theirs.cn, "pool.example.com");
	trust_names_add_str(&f->theirs.cns, "pool.example.com");
	trust_names_add_str(&f->theirs.sans, "DNS:pool.example.com");
	assert_int_equal(identify("203.0.113.7", NET_TLS, f, name), 0);
	assert_string_equal(name, "pool");
	assert_int_equal(identify("198.51.100.77", NET_UDP, NULL, name), 0);
	assert_string_equal(name, "pbx");
	assert_int_equal(identify("198.51.101.77", NET_UDP, NULL, name), ENOENT);
	assert_int_equal(events_of(EV_GW_STRANGER), 1);
	assert_int_equal(identify("198.51.101.77", NET_UDP, NULL, name), ENOENT);
	assert_int_equal(events_of(EV_GW_STRANGER), 1);
	pass(61000);
	assert_int_equal(identify("198.51.101.78", NET_UDP, NULL, name), ENOENT);
	assert_int_equal(events_of(EV_GW_STRANGER), 1); /* once a story */
	pass(3600 * 1000);
	assert_int_equal(identify("198.51.101.77", NET_UDP, NULL, name), ENOENT);
	assert_int_equal(events_of(EV_GW_STRANGER), 2); /* and once an hour */
	/* an address alone is nothing where TLS is wanted */
	assert_int_equal(identify("192.0.2.1", NET_UDP, NULL, name), ENOENT);
	assert_int_equal(events_of(EV_GW_WANTS_TLS), 1);
	trust_names_clear(&f->theirs.sans);
	trust_names_clear(&f->theirs.cns);
	trust_names_add_str(&f->theirs.cns, "evil.example.com");
	text_fill(f->theirs.cn, sizeof f->theirs.cn, "evil.example.com");
	trust_names_add_str(&f->theirs.sans, "DNS:evil.example.com");
	assert_int_equal(identify("192.0.2.1", NET_TLS, f, name), ENOENT);
	assert_int_equal(events_of(EV_GW_STRANGER_TLS), 1);
	mem_free(f);
	end();
}

/* The listeners let the other nodes of the list in, by a label that is no gateway's, and never this node itself. */
static void other_nodes_may_shake_hands_and_not_call(void **state)
{
	(void)state;
	static const char yaml[] = "node: {name: node01, fqdn: node01.example.com, listen: tls:127.0.0.1:5061, identities: [{name: a, cert: /c, key: /k}]}\n"
		POOL "nodes: [{name: node01, fqdn: node01.example.com}, {name: node02, fqdn: node02.example.com}]\n";
	char name[64];
	struct cfg_errors errors = { 0 };
	struct cfg *c = NULL;
	begin();
	assert_int_equal(cfg_parse(&c, "test", text_of(yaml), CFG_WANT_NODE, &errors), 0);
	assert_int_equal(gw_table_apply(rig.table, c), 0);
	cfg_unref(c);
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, TRUST_ACCEPTED, TRUST_TLS, 1700000000);
	f->theirs.shown = f->theirs.has_san = true;
	for (unsigned i = 1; i <= 2; i++) {
		struct trust_cert_names names;
		struct trust_judgement j;
		char san[64];
		text_print(san, sizeof san, "DNS:node%02u.example.com", i);
		trust_names_clear(&f->theirs.sans);
		trust_names_add_str(&f->theirs.sans, san);
		assert_int_equal(trust_cert_names_of_facts(&names, &f->theirs), 0);
		trust_policy_judge(gw_table_policy(rig.table), &names, &j);
		trust_cert_names_free(&names);
		assert_int_equal(j.reason == TRUST_NAME_OK, i == 2);
		assert_string_equal(j.label, i == 2 ? "node node02" : "");
		assert_int_equal(identify("203.0.113.7", NET_TLS, f, name), ENOENT);
	}
	mem_free(f);
	end();
}

static void a_story_begins_with_the_failure_and_ends_with_its_cause(void **state)
{
	(void)state;
	begin();
	apply(POOL);
	pass(10);
	for (unsigned i = 0; i < 5; i++) {
		no_name(waiting(0));
		pass(60500);
	}
	struct gw_stories *s = gw_table_stories(rig.table);
	assert_int_equal(gw_story_open(s), 1);
	assert_string_equal(gw_story_at(s, 0)->verdict, "dns-name-unknown");
	assert_string_equal(gw_story_at(s, 0)->gateway, "pool");
	assert_int_equal(gw_story_at(s, 0)->count, 5);
	assert_string_equal(gw_story_at(s, 0)->id, gw_flow_state(pool(), GW_OPTIONS)->story);
	answered(waiting(0), 200);
	assert_int_equal(gw_story_open(s), 0);
	assert_int_equal(events_of(EV_GW_STORY_OVER), 1);
	end();
}

static void what_comes_in_and_fails_is_told_once(void **state)
{
	(void)state;
	char name[64];
	begin();
	apply(POOL);
	pass(10);
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, TRUST_ACCEPTED, TRUST_TLS, 1700000000);
	text_fill(f->peer_addr, sizeof f->peer_addr, "192.0.2.1:40001");
	f->tls.used = f->tls.started = f->tls.hello_from_peer = true;
	facts_alert(f, false, true, false, 48);
	facts_closed(f, TRUST_FIN, 0, 0);
	for (unsigned i = 0; i < 20; i++)
		gw_flow(NULL, f, false, rig.table);
	struct gw_stories *s = gw_table_stories(rig.table);
	assert_int_equal(events_of(EV_TRUST_INCOMING_TLS_FAILED), 1);
	assert_int_equal(gw_story_open(s), 1);
	assert_int_equal(gw_story_at(s, 0)->count, 20);
	assert_string_equal(gw_story_at(s, 0)->gateway, "pool");
	text_fill(f->peer_addr, sizeof f->peer_addr, "203.0.113.5:40001"); /* nobody's address */
	gw_flow(NULL, f, false, rig.table);
	assert_int_equal(gw_story_open(s), 2);
	assert_string_equal(gw_story_at(s, 0)->peer, "203.0.113.0/24");
	f->theirs.shown = f->theirs.has_san = true;
	text_fill(f->theirs.cn, sizeof f->theirs.cn, "pool.example.com");
	trust_names_add_str(&f->theirs.cns, "pool.example.com");
	trust_names_add_str(&f->theirs.sans, "DNS:pool.example.com");
	assert_int_equal(identify("192.0.2.1", NET_TLS, f, name), 0); /* now it gets through */
	assert_int_equal(gw_story_open(s), 1);
	assert_int_equal(events_of(EV_GW_STORY_OVER), 1);
	mem_free(f);
	end();
}

/* The pool dialled, showed its certificate, and left. */
static struct trust_facts *left_without_a_word(void)
{
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	assert_non_null(f);
	facts_init(f, TRUST_ACCEPTED, TRUST_TLS, 1700000000);
	text_fill(f->peer_addr, sizeof f->peer_addr, "192.0.2.1:40001");
	f->tls.used = f->tls.started = f->tls.hello_from_peer = f->tls.done = true;
	f->theirs.shown = f->theirs.has_san = true;
	text_fill(f->theirs.cn, sizeof f->theirs.cn, "pool.example.com");
	trust_names_add_str(&f->theirs.cns, "pool.example.com");
	trust_names_add_str(&f->theirs.sans, "DNS:pool.example.com");
	facts_closed(f, TRUST_FIN, 0, 2);
	return f;
}

static void who_leaves_without_a_word_is_asked_at_once(void **state)
{
	(void)state;
	begin();
	apply(POOL);
	pass(10);
	answered(waiting(0), 200);
	struct trust_facts *f = left_without_a_word();
	struct gw_stories *s = gw_table_stories(rig.table);
	assert_int_equal(count_waiting(), 0);
	gw_flow(NULL, f, false, rig.table);
	assert_int_equal(count_waiting(), 1);
	assert_int_equal(waiting(0)->prm.choice, SIP_CONN_FRESH);
	gw_flow(NULL, f, false, rig.table);
	assert_int_equal(count_waiting(), 1); /* once a minute */
	assert_int_equal(events_of(EV_GW_MUTE), 1);
	assert_int_equal(gw_story_open(s), 0);
	closed(waiting(0)); /* and it does not answer either */
	no_such_connection(waiting(0));
	assert_int_equal(gw_story_open(s), 1);
	gw_flow(NULL, f, false, rig.table);
	assert_int_equal(gw_story_open(s), 2); /* the third tells, and not the fifth */
	mem_free(f);
	end();
}

/* A certificate was renewed: what stands goes on, what is new fails. */
static void an_old_connection_proves_nothing_of_new_ones(void **state)
{
	(void)state;
	char name[64];
	begin();
	apply(POOL);
	pass(10);
	answered(waiting(0), 200);
	int64_t old = clock_mono_ms(&rig.clock.clock);
	pass(1000);
	struct trust_facts *f = left_without_a_word();
	struct gw_stories *s = gw_table_stories(rig.table);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(gw_story_open(s), 0);
		gw_flow(NULL, f, false, rig.table);
		assert_int_equal(identify_by("192.0.2.1", NET_TLS, f, old, name), 0);
	}
	assert_int_equal(gw_story_open(s), 1);
	assert_int_equal(events_of(EV_GW_STORY_OVER), 0);
	pass(1000);
	assert_int_equal(identify_by("192.0.2.1", NET_TLS, f, clock_mono_ms(&rig.clock.clock), name), 0);
	assert_int_equal(gw_story_open(s), 0);
	assert_int_equal(events_of(EV_GW_STORY_OVER), 1);
	mem_free(f);
	end();
}

/* 30 s between two questions, two misses: it was 80 s until the event. */
static void silence_is_told_within_a_minute(void **state)
{
	(void)state;
	begin();
	apply(POOL);
	pass(10);
	answered(waiting(0), 200);
	pass(60500); /* now it is silent */
	closed(waiting(0));
	no_such_connection(waiting(0));
	assert_int_equal(gw_state(pool()), GW_UP);
	assert_int_equal(works(GW_OPTIONS), GW_REFUSED);
	assert_int_equal(events_of(EV_GW_PROBE_MISSED), 1);
	assert_int_equal(gw_story_open(gw_table_stories(rig.table)), 1);
	pass(10500);
	assert_int_equal(count_waiting(), 1);
	closed(waiting(0));
	no_such_connection(waiting(0));
	assert_int_equal(gw_state(pool()), GW_DOWN);
	assert_int_equal(events_of(EV_GW_OPTIONS_FAILED), 1);
	pass(30000); /* no faster than configured from then on */
	assert_int_equal(count_waiting(), 0);
	end();
}

static void who_leaves_without_a_word_again_and_again_is_suspicious(void **state)
{
	(void)state;
	char name[64];
	begin();
	apply(POOL);
	pass(10);
	struct trust_facts *f = left_without_a_word();
	struct gw_stories *s = gw_table_stories(rig.table);
	for (unsigned i = 0; i < 4; i++)
		gw_flow(NULL, f, false, rig.table);
	assert_int_equal(gw_story_open(s), 0);
	assert_int_equal(identify("192.0.2.1", NET_TLS, f, name), 0); /* it speaks after all */
	for (unsigned i = 0; i < 4; i++)
		gw_flow(NULL, f, false, rig.table);
	assert_int_equal(gw_story_open(s), 0);
	gw_flow(NULL, f, false, rig.table);
	assert_int_equal(gw_story_open(s), 1);
	assert_string_equal(gw_story_at(s, 0)->verdict, "peer-said-nothing");
	assert_int_equal(gw_story_at(s, 0)->certainty, TRUST_UNKNOWN);
	f->theirs.shown = false; /* balancers have no certificate */
	text_fill(f->peer_addr, sizeof f->peer_addr, "203.0.113.5:40001");
	for (unsigned i = 0; i < 20; i++)
		gw_flow(NULL, f, false, rig.table);
	assert_int_equal(gw_story_open(s), 1);
	mem_free(f);
	end();
}

static void flows_told_by_calls_are_kept(void **state)
{
	(void)state;
	begin();
	apply(POOL);
	pass(10);
	answered(waiting(0), 200);
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	struct request rq = { .prm = { .method = "REFER", .flow = TRUST_FLOW_TRANSFER } };
	facts_of_pool(f, &rq);
	facts_closed(f, TRUST_FIN, 0, 4);
	gw_flow(gw_peer(pool()), f, false, rig.table);
	assert_int_equal(works(GW_TRANSFER), GW_REFUSED);
	assert_int_equal(events_of(EV_GW_FLOW_REFUSED), 1);
	assert_int_equal(gw_worst_flow(pool()), GW_TRANSFER);
	gw_flow(gw_peer(pool()), f, false, rig.table);
	assert_int_equal(events_of(EV_GW_FLOW_REFUSED), 1); /* the same again is no news */
	/* a handshake that failed before anybody was known counts for the gateway of that address */
	facts_init(f, TRUST_ACCEPTED, TRUST_TLS, 1700000000);
	text_fill(f->peer_addr, sizeof f->peer_addr, "192.0.2.1:51234");
	f->tls.used = f->tls.started = true;
	facts_alert(f, false, true, false, 42);
	gw_flow(NULL, f, false, rig.table);
	assert_int_equal(works(GW_CALLS_IN), GW_REFUSED);
	assert_string_equal(gw_flow_state(pool(), GW_CALLS_IN)->verdict.command, "umbel cert cure pool");
	mem_free(f);
	end();
}

static void what_options_found_out_makes_other_verdicts_sure(void **state)
{
	(void)state;
	begin();
	apply(POOL);
	pass(10);
	closed(waiting(0));
	answered(waiting(0), 200);
	send_lamp();
	closed(waiting(0));
	const struct gw_flow_state *s = gw_flow_state(pool(), GW_LAMP);
	assert_int_equal(s->facts.second.outcome, TRUST_SECOND_ANSWERED);
	assert_int_equal(s->verdict.certainty, TRUST_SURE);
	/* but not for ever */
	gw_table_stop(rig.table);
	pass(700000);
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	struct request rq = { .prm = { .method = "REFER", .flow = TRUST_FLOW_TRANSFER } };
	facts_of_pool(f, &rq);
	facts_closed(f, TRUST_FIN, 0, 4);
	gw_flow(gw_peer(pool()), f, false, rig.table);
	assert_int_equal(gw_flow_state(pool(), GW_TRANSFER)->verdict.certainty, TRUST_LIKELY);
	mem_free(f);
	end();
}

static int no_resolve(struct dns *dns, struct dns_resolve **rp, struct text host, uint16_t port, enum net_transport transport, dns_targets_h *h, void *arg)
{
	(void)dns;
	(void)rp;
	(void)host;
	(void)port;
	(void)transport;
	(void)h;
	(void)arg;
	return EAGAIN;
}

/* A configuration that cannot be taken for lack of memory leaves the gateways as they are. */
static int apply_two(void *arg)
{
	static const struct gw_hooks deaf = { fake_send, fake_cancel, no_resolve, fake_resolve_cancel };
	struct cfg **cfg = arg;
	struct gw_prm prm = { .loop = rig.loop, .clock = &rig.clock.clock, .node = "n", .fqdn = "n", .hooks = &deaf };
	struct gw_table *t = NULL;
	int err = gw_table_create(&t, &prm);
	if (!err)
		err = gw_table_apply(t, cfg[0]);
	unsigned before = t ? gw_count(t) : 0;
	if (!err) {
		err = gw_table_apply(t, cfg[1]);
		assert_int_equal(gw_count(t), err ? before : 1);
	}
	gw_table_destroy(t);
	return err;
}

static void lack_of_memory_changes_nothing(void **state)
{
	(void)state;
	begin();
	struct cfg *cfg[2] = { config(POOL PBX), config("gateways:\n- {name: pool, address: pool.example.com, port: 5061, transport: tls, reuse: any}\n") };
	ut_oom(apply_two, cfg);
	cfg_unref(cfg[0]);
	cfg_unref(cfg[1]);
	end();
}

/* config/ checks the words, trust/ knows what they mean. */
static void every_word_of_judges_us_is_a_profile(void **state)
{
	(void)state;
	for (int i = 0; i < CFG_PROFILES; i++) {
		struct trust_judges_us j = { 0 };
		const char *name = cfg_profile_name((enum cfg_profile)i);
		assert_int_equal(trust_judges_us_set(&j, name), i != CFG_PROFILE_UNKNOWN);
		assert_string_equal(j.profile, i == CFG_PROFILE_UNKNOWN ? "" : name);
	}
	assert_true(trust_profile_count() >= CFG_PROFILES - 1);
}

UT_MAIN(UT(every_word_of_judges_us_is_a_profile), UT(lack_of_memory_changes_nothing), UT(what_options_found_out_makes_other_verdicts_sure), UT(first_answer_makes_it_up), UT(only_an_answer_makes_it_up), UT(silence_after_a_good_handshake_is_asked_again_in_another_way), UT(without_another_way_the_verdict_stays_likely),
        UT(down_is_told_once_then_hourly_with_a_count_then_back), UT(what_the_second_probe_found_holds_while_the_reason_stays),
        UT(name_that_does_not_exist_is_the_verdict), UT(port_that_says_nothing_to_tls_is_asked_in_plain_sip),
        UT(members_follow_the_name), UT(dns_says_whether_a_gateway_speaks_tls), UT(two_gateways_on_one_address_are_told),
        UT(unchanged_gateways_live_through_a_reload), UT(probe_by_hand_tells_when_all_is_known), UT(lamp_is_done_later_or_never),
        UT(peers_are_known_by_certificate_or_address), UT(peers_are_known_while_the_node_stops), UT(other_nodes_may_shake_hands_and_not_call), UT(a_story_begins_with_the_failure_and_ends_with_its_cause), UT(what_comes_in_and_fails_is_told_once),
	UT(who_leaves_without_a_word_again_and_again_is_suspicious), UT(who_leaves_without_a_word_is_asked_at_once),
	UT(an_old_connection_proves_nothing_of_new_ones), UT(silence_is_told_within_a_minute), UT(flows_told_by_calls_are_kept))
