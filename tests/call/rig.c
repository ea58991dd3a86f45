/* SPDX-License-Identifier: Apache-2.0 */
/* rig.c  See rig.h. */
#include "call/rig.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "base/mem.h"

udp_recv_h *rig_name_server;
unsigned rig_crypto_threads;
struct ev_bus *rig_bus;

static void word(struct rig_side *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void word(struct rig_side *s, const char *fmt, ...)
{
	size_t n = strlen(s->log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->log + n, sizeof(s->log) - n, fmt, ap);
	va_end(ap);
	n = strlen(s->log);
	if (n + 1 < sizeof(s->log)) {
		s->log[n] = ' ';
		s->log[n + 1] = '\0';
	}
}

static void on_media(struct media_port *port, const struct media_event *ev, void *arg)
{
	struct rig_side *s = arg;

	if (ev->type == MEDIA_CLOSED && s->port == port)
		s->port = NULL;
}

static struct media_port *port_of(struct rig_side *s)
{
	struct net_addr local;
	struct media_port_prm prm = { .local = &local, .handler = on_media, .arg = s };

	if (s->port)
		return s->port;
	assert_int_equal(net_addr_parse(&local, text_of(net_addr_is_v6(sip_core_local(s->core, 0)) ? "::1" : "127.0.0.1"), 0), 0);
	assert_int_equal(media_port_open(&s->port, s->rig->engine, &prm, NULL), 0);
	return s->port;
}

static void on_leg(struct leg *leg, const struct leg_event *ev, void *arg)
{
	struct rig_side *s = arg;

	s->last = *ev;
	s->had_facts = ev->facts != NULL;
	if (ev->facts)
		s->facts = *ev->facts;
	switch (ev->type) {
	case LEG_DIGIT:
		word(s, "digit:%c/%u", ev->digit, ev->duration_ms);
		break;
	case LEG_PROGRESS:
	case LEG_TRANSFER_PROGRESS:
		word(s, "%s:%d", ev->type == LEG_PROGRESS ? "progress" : "transferring", ev->status);
		break;
	case LEG_TRANSFERRED:
		word(s, "transferred:%d", ev->status);
		if (s->auto_hangup_on_transfer)
			leg_hangup(leg, NULL);
		break;
	case LEG_TRANSFER_FAILED:
		word(s, "transfer-failed:%d", ev->status);
		break;
	case LEG_REFERRED:
		word(s, "referred");
		snprintf(s->last_target, sizeof(s->last_target), "%s", ev->target);
		break;
	case LEG_ENDING:
		word(s, "ending%s", ev->receipt ? "!" : "");
		if (ev->receipt && s->auto_confirm)
			leg_confirm(leg, true);
		break;
	case LEG_OVER:
		word(s, "over:%s:%d", leg_end_name(ev->end), ev->status);
		break;
	default:
		word(s, "%s", leg_event_name(ev->type));
	}
}

static void on_offered(struct leg *leg, void *arg)
{
	struct rig_side *s = arg;

	word(s, "offered");
	mem_unref(s->leg);
	s->leg = mem_ref(leg);
	leg_handler(leg, on_leg, s);
	if (s->auto_reject)
		leg_reject(leg, s->auto_reject, "because the test says so", 7);
	else if (s->auto_answer)
		s->answer_err = leg_answer(leg, port_of(s), &s->why);
}

static int on_lookup(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg)
{
	struct rig_side *s = arg;

	(void)src;
	(void)why;
	if (s->no_lookup || !s->other)
		return ENOENT;
	*peer = mem_ref(s->other);
	return 0;
}

static void on_ready(const struct sip_peer *peer, struct sip_readiness *r, void *arg)
{
	struct rig_side *s = arg;

	(void)peer;
	*r = s->ready;
}

static void on_flow(struct sip_peer *peer, const struct trust_facts *facts, bool works, void *arg)
{
	struct rig_side *s = arg;

	(void)peer;
	if (facts->flow == TRUST_FLOW_DIALOG) {
		s->dialog_flows++;
		s->dialog_works = works;
		return;
	}
	s->flow = *facts;
	s->flow_works = works;
	s->flows++;
}

static void on_trace(const struct sip_trace *t, void *arg)
{
	struct rig_side *s = arg;
	size_t n = strlen(s->heard);
	const uint8_t *end = memchr(t->data, '\r', t->n);

	if (!t->in || !end)
		return;
	snprintf(s->heard + n, sizeof(s->heard) - n, "%.*s\n", (int)(end - t->data), (const char *)t->data);
}

static struct trust_keeper *keeper_make(struct rig *r, const char *cn)
{
	struct trust_keeper *k;
	struct trust_set *set;
	struct trust_identity *id;
	struct tc leaf;
	char san[128];

	snprintf(san, sizeof(san), "DNS:%s", cn);
	tc_leaf(&leaf, &r->root, cn, san);
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_identity_from(&id, "default", leaf.cert, NULL, leaf.key, NULL), 0);
	assert_int_equal(trust_set_identity(set, id), 0);
	assert_int_equal(trust_set_anchor(set, r->root.cert), 0);
	assert_int_equal(trust_keeper_create(&k, set), 0);
	mem_unref(id);
	mem_unref(set);
	tc_free(&leaf);
	return k;
}

static const char *const cn_of[] = { "a.test", "b.test" };

static void core_open(struct rig *r, int side, bool v6, uint16_t version)
{
	struct rig_side *s = &r->side[side];
	struct ev_report why;
	struct sip_core_prm prm = { .loop = r->loop, .clock = &r->clock.clock, .lookup = on_lookup, .offered = on_offered, .ready = on_ready,
		                    .flow = on_flow, .arg = s, .dns = r->dns, .bus = rig_bus, .crypto = r->crypto, .n_listen = r->tls ? 3 : 2, .node = "node1" };
	const char *accept = cn_of[!side];
	struct trust_policy *policy = NULL;

	for (unsigned i = 0; i < prm.n_listen; i++) {
		prm.listen[i].transport = (enum net_transport)i;
		assert_int_equal(net_addr_parse(&prm.listen[i].addr, text_of(v6 ? "::1" : "127.0.0.1"), 0), 0);
	}
	if (r->tls) {
		prm.trust = s->keeper = keeper_make(r, cn_of[side]);
		assert_int_equal(trust_policy_one(&policy, "other", TRUST_RULE_RFC5922, &accept, 1), 0);
		prm.accept = policy;
		prm.accept_tls.min = prm.accept_tls.max = version;
	}
	s->rig = r;
	s->name = side == A ? "a" : "b";
	s->ready.ready = true;
	ev_set(&why, 0);
	assert_int_equal(sip_core_create(&s->core, &prm, &why), 0);
	sip_core_tracer(s->core, on_trace, s);
	mem_unref(policy);
}

static void peer_open(struct rig *r, int side, enum net_transport transport, bool v6, uint16_t version)
{
	struct rig_side *s = &r->side[side];
	struct sip_peer *p = sip_peer_create();

	snprintf(p->name, sizeof(p->name), "pool-%s", r->side[!side].name);
	snprintf(p->host, sizeof(p->host), "%s", v6 ? "::1" : "127.0.0.1");
	p->transport = transport;
	p->port = net_addr_port(sip_core_local(r->side[!side].core, transport));
	p->believes_headers = true;
	if (transport == NET_TLS) {
		const char *accept = cn_of[!side];
		p->rule = TRUST_RULE_RFC5922;
		assert_int_equal(trust_policy_one(&p->policy, p->name, p->rule, &accept, 1), 0);
		p->tls.min = p->tls.max = version;
	}
	s->other = p;
}

static void open_all(struct rig *r, enum net_transport transport, bool v6, uint16_t version)
{
	struct media_engine_prm media = { .clock = &r->clock.clock };

	memset(r, 0, sizeof(*r));
	r->tls = transport == NET_TLS;
	clock_fake_init(&r->clock, TC_NOW);
	assert_int_equal(loop_create(&r->loop, &r->clock.clock), 0);
	assert_int_equal(media_engine_create(&r->engine, &media, NULL), 0);
	if (r->tls)
		tc_root(&r->root, "test root");
	if (rig_crypto_threads)
		assert_int_equal(pool_create(&r->crypto, r->loop, "crypto", rig_crypto_threads, 64), 0);
	if (rig_name_server) {
		struct net_addr any;
		char at[NET_ADDR_SIZE];
		assert_int_equal(net_addr_parse(&any, TEXT("127.0.0.1"), 0), 0);
		assert_int_equal(udp_create(&r->name_server, r->loop, &any, rig_name_server, NULL), 0);
		assert_int_equal(dns_create(&r->dns, r->loop, net_addr_print(udp_local(r->name_server), at)), 0);
	}
	core_open(r, A, v6, version);
	core_open(r, B, v6, version);
	peer_open(r, A, transport, v6, version);
	peer_open(r, B, transport, v6, version);
	r->side[B].auto_answer = r->side[B].auto_confirm = r->side[A].auto_confirm = true;
}

void rig_open(struct rig *r, enum net_transport transport, bool v6)
{
	open_all(r, transport, v6, 0);
}

void rig_open_tls(struct rig *r, uint16_t version)
{
	open_all(r, NET_TLS, false, version);
}

void rig_close(struct rig *r)
{
	for (int i = 0; i < 2; i++) {
		struct rig_side *s = &r->side[i];
		sip_core_destroy(s->core);
		s->leg = mem_unref(s->leg);
		s->other = mem_unref(s->other);
		if (s->port)
			media_port_close(s->port);
		trust_keeper_destroy(s->keeper);
	}
	for (int i = 0; i < 20; i++)
		loop_step(r->loop, 0);
	media_engine_step(r->engine);
	media_engine_destroy(r->engine);
	if (r->crypto)
		pool_destroy(r->crypto);
	if (r->dns) {
		dns_destroy(r->dns);
		udp_destroy(r->name_server);
	}
	loop_destroy(r->loop);
	if (r->tls)
		tc_free(&r->root);
}

/* Where nothing happens time passes, a little at once: what is under way in the kernel comes first. */
static void turn(struct rig *r, unsigned *idle, int64_t *passed)
{
	if (!r->media_stands)
		media_engine_step(r->engine);
	if (loop_step(r->loop, 0)) {
		*idle = 0;
		return;
	}
	if (r->crypto && pool_depth(r->crypto)) { /* a thread's time is not ours to turn */
		usleep(200);
		return;
	}
	if (++*idle < 4) {
		usleep(20);
		return;
	}
	clock_fake_advance_ms(&r->clock, 5);
	*passed += 5;
}

bool rig_until(struct rig *r, int side, const char *words, int64_t max_ms)
{
	int64_t passed = 0;
	unsigned idle = 0;

	while (!strstr(r->side[side].log, words)) {
		if (passed > max_ms) {
			print_message("side %s: wanted '%s', log: %s\n", r->side[side].name, words, r->side[side].log);
			return false;
		}
		turn(r, &idle, &passed);
	}
	return true;
}

void rig_run(struct rig *r, int64_t ms)
{
	int64_t passed = 0;
	unsigned idle = 0;

	while (passed < ms)
		turn(r, &idle, &passed);
}

void rig_prepare(struct rig *r)
{
	(void)port_of(&r->side[A]);
	(void)port_of(&r->side[B]);
}

void rig_call(struct rig *r, int side, const char *user)
{
	assert_int_equal(rig_try_call(r, side, user), 0);
}

int rig_try_call(struct rig *r, int side, const char *user)
{
	struct rig_side *s = &r->side[side];
	char uri[640];
	struct leg_call_prm prm = { .uri = uri, .from_user = "alice", .from_display = "Alice", .h = on_leg, .arg = s };

	snprintf(uri, sizeof(uri), "sip:%s@%s", user, strchr(s->other->host, ':') ? "[::1]" : s->other->host);
	mem_unref(s->leg);
	s->leg = NULL;
	return leg_call(&s->leg, s->core, s->other, &prm, port_of(s), NULL);
}

void rig_call_up(struct rig *r)
{
	rig_call(r, A, "100");
	assert_true(rig_until(r, A, "answered", 2000));
	assert_true(rig_until(r, B, "answered", 2000));
}

void rig_forget(struct rig_side *s)
{
	s->log[0] = s->heard[0] = '\0';
}

struct sip_core_stats rig_stats(struct rig *r, int side)
{
	struct sip_core_stats st;

	sip_core_stats(r->side[side].core, &st);
	return st;
}

void rig_on_result(const struct sip_result *res, void *arg)
{
	struct rig_result *k = arg;

	k->done = true;
	k->res = *res;
	snprintf(k->reason, sizeof(k->reason), "%s", res->reason);
	if (res->facts)
		k->facts = *res->facts;
	k->res.facts = &k->facts;
}
