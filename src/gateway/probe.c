/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c  OPTIONS to one member, again and again: first probe -> (silence or close: asked in another way) -> verdict -> health -> events.
 *
 * The first probe goes on a connection of its own at the start, while the member is down, and every tenth time: so the answer holds for new
 * connections too. In between, and always with `reuse: any`, it goes the way that the other requests go.                    */
#include <errno.h>
#include "base/mem.h"
#include "gateway/gateway_private.h"

enum { PLAIN_MS = 2000, SOON_MS = 10000, HINT_MS = 60000 };

static void first_h(const struct sip_result *res, void *arg);

/* ---- the end of a probe ---- */

static void probe_free(struct gw_member *m)
{
	mem_free(m->probe);
	m->probe = NULL;
}

static void tell_by_hand(struct gateway *g)
{
	if (!g->probed)
		return;
	LIST_FOREACH(&g->members, it)
		if (LIST_ENTRY(it, struct gw_member, link)->probe)
			return;
	gw_probed_h *h = g->probed;
	g->probed = NULL;
	h(g, g->probed_arg);
}

static struct gw_health_prm health_prm(const struct gateway *g)
{
	return (struct gw_health_prm){ .misses = g->conf->options.misses, .answers = g->conf->options.answers };
}

/* Never faster than once a second, whatever is configured. */
static int64_t interval_ms(const struct gateway *g)
{
	return g->conf->options.interval_ms < 1000 ? 1000 : (int64_t)g->conf->options.interval_ms;
}

static int64_t timeout_ms(const struct gateway *g)
{
	return g->conf->options.timeout_ms ? (int64_t)g->conf->options.timeout_ms : 5000;
}

static void next_h(void *arg)
{
	struct gw_member *m = arg;
	gw_member_start(m, interval_ms(m->gw));
	gw_member_probe(m, false);
}

static void count(struct gw_member *m, bool good)
{
	char labels[256];
	text_print(labels, sizeof labels, "gateway=\"%s\",result=\"%s\"", gw_name(m->gw), good ? "answered" : "failed");
	metric_add(metric_get(m->gw->table->prm.metrics, METRIC_COUNTER, "umbel_gateway_probes_total", labels, "OPTIONS probes by their end"), 1);
}

/* All that can be known of this probe is known. */
static void conclude(struct gw_member *m)
{
	struct gateway *g = m->gw;
	struct gw_probe *p = m->probe;
	struct gw_health_prm prm = health_prm(g);
	int64_t now_ms = clock_mono_ms(g->table->prm.clock);
	m->facts = p->facts;
	trust_explain(&m->facts, &m->verdict);
	bool good = p->status && !trust_verdict_bad(&m->verdict);
	if (!good && !trust_verdict_bad(&m->verdict)) { /* we ended it ourselves, or nothing is known: neither an answer nor a miss */
		m->want_fresh = true;
		probe_free(m);
		tell_by_hand(g);
		return;
	}
	m->judged = true;
	m->status = p->status;
	m->took_ms = p->took_ms;
	m->probed_us = clock_real_us(g->table->prm.clock);
	enum gw_say say;
	if (good) {
		say = gw_health_answer(&m->health, &prm, now_ms);
	} else {
		char reason[96];
		text_print(reason, sizeof reason, "%s %d", m->verdict.name, p->status);
		say = gw_health_miss(&m->health, &prm, now_ms, reason);
	}
	count(m, good);
	metric_set(m->up, m->health.state == GW_UP);
	m->want_fresh = !good;
	/* A member that was up is not left in doubt for a whole interval for each miss: whether it is down is known within a minute. */
	if (say == GW_SAY_MISSED && interval_ms(g) > SOON_MS)
		gw_member_start(m, SOON_MS);
	gw_flow_set(g, GW_OPTIONS, good, &m->facts, &m->verdict);
	gw_say_health(m, say, &m->facts, &m->verdict, p->status);
	probe_free(m);
	tell_by_hand(g);
}

/* ---- the second probe ---- */

static void second_result(struct gw_member *m, unsigned i, const struct sip_result *res)
{
	struct gw_probe *p = m->probe;
	p->second[i] = NULL;
	p->waiting--;
	enum trust_second_outcome o = gw_second_outcome(res);
	bool none_there = i == 1 && res->outcome == SIP_FAILED && res->err == ENOTCONN;
	if (!none_there && gw_second_better(&p->facts.second, o))
		facts_second(&p->facts, i == 0 ? TRUST_SECOND_IDENTITY : TRUST_SECOND_PEERS_CONNECTION, i == 0 ? p->other_identity : p->facts.our_identity,
		             i == 0 ? p->other_cn : p->facts.ours.cn, o, res->outcome == SIP_ANSWERED ? (unsigned)res->status : 0);
	if (p->waiting == 0)
		conclude(m);
}

static void second_identity_h(const struct sip_result *res, void *arg)
{
	second_result(arg, 0, res);
}

static void second_own_h(const struct sip_result *res, void *arg)
{
	second_result(arg, 1, res);
}

static void ask_again(struct gw_member *m, unsigned i, enum sip_conn_choice choice, const char *identity, sip_result_h *h)
{
	struct gw_table *t = m->gw->table;
	struct sip_request_prm prm = { .method = "OPTIONS", .timeout_ms = timeout_ms(m->gw), .choice = choice,
		                       .identity = identity, .only = m->addr, .only_by = m->transport, .flow = TRUST_FLOW_OPTIONS };
	if (t->hooks.send(&m->probe->second[i], t->core, m->gw->peer, &prm, h, m) == 0)
		m->probe->waiting++;
}

/* Both ways at once: the verdict must stand within 15 s of the start, and each takes up to 5 s. */
static void second_probe(struct gw_member *m)
{
	struct gw_table *t = m->gw->table;
	struct gw_probe *p = m->probe;
	struct trust_set *set = t->prm.trust ? trust_keeper_get(t->prm.trust) : NULL;
	const char *name, *cn;
	if (gw_second_identity(set, m->gw->peer->identity, &p->facts, &name, &cn)) {
		text_fill(p->other_identity, sizeof p->other_identity, name);
		text_fill(p->other_cn, sizeof p->other_cn, cn);
		ask_again(m, 0, SIP_CONN_FRESH, p->other_identity, second_identity_h);
	}
	mem_unref(set);
	ask_again(m, 1, SIP_CONN_PEERS_OWN, NULL, second_own_h);
}

/* ---- the same port in plain SIP: an answer there says that it is no TLS port; and a plain one in TLS ---- */

/* ... or TLS instead of plain SIP: then a hello or an alert is answer enough, whatever became of it. */
static bool speaks_the_other(const struct sip_result *res)
{
	return res->outcome == SIP_ANSWERED ||
	       (res->facts && res->facts->transport == TRUST_TLS && (res->facts->tls.hello_from_peer || res->facts->tls.n_alerts));
}

static void other_way_h(const struct sip_result *res, void *arg)
{
	struct gw_member *m = arg;
	m->probe->second[2] = NULL;
	m->probe->waiting--;
	if (speaks_the_other(res))
		m->probe->facts.tls.tls_on_plain = true;
	if (m->probe->waiting == 0)
		conclude(m);
}

static void other_way(struct gw_member *m, enum net_transport transport)
{
	struct gw_table *t = m->gw->table;
	struct sip_peer *other = sip_peer_create();
	struct sip_request_prm prm = { .method = "OPTIONS", .timeout_ms = PLAIN_MS, .choice = SIP_CONN_FRESH, .only = m->addr, .only_by = m->transport, .flow = TRUST_FLOW_OPTIONS };
	if (!other)
		return;
	text_fill(other->name, sizeof other->name, gw_name(m->gw));
	text_fill(other->host, sizeof other->host, m->gw->peer->host);
	other->port = m->gw->peer->port;
	other->transport = transport; /* in TLS without accepted names: we want to hear its hello, and trust it with nothing */
	if (t->hooks.send(&m->probe->second[2], t->core, other, &prm, other_way_h, m) == 0)
		m->probe->waiting++;
	mem_unref(other);
}

/* While it stays down in the same way, what was found holds. */
static void ask_the_other_way(struct gw_member *m, bool wanted(const struct trust_facts *f), enum net_transport transport)
{
	struct gw_probe *p = m->probe;
	struct trust_facts was = m->facts;
	was.tls.tls_on_plain = false;
	if (m->judged && m->health.state == GW_DOWN && wanted(&was) && !p->by_hand)
		p->facts.tls.tls_on_plain = m->facts.tls.tls_on_plain;
	else
		other_way(m, transport);
}

/* While a member stays down for the same reason, what the second probe found holds; it is asked again with each reminder. */
static bool second_known(const struct gw_member *m, const struct trust_facts *f)
{
	return m->judged && m->facts.second.kind != TRUST_SECOND_NONE && m->health.state == GW_DOWN && m->facts.end == f->end &&
	       m->health.failed % 60 != 0 && !m->probe->by_hand;
}

/* ---- the first probe ---- */

static void first_h(const struct sip_result *res, void *arg)
{
	struct gw_member *m = arg;
	struct gw_probe *p = m->probe;
	p->first = NULL;
	if (res->facts)
		p->facts = *res->facts;
	p->status = res->outcome == SIP_ANSWERED ? res->status : 0;
	p->took_ms = res->took_ms;
	if (!p->status && gw_second_wanted(&p->facts)) {
		if (second_known(m, &p->facts))
			p->facts.second = m->facts.second;
		else
			second_probe(m);
	} else if (!p->status && gw_plain_wanted(&p->facts)) {
		ask_the_other_way(m, gw_plain_wanted, NET_TCP);
	} else if (!p->status && gw_tls_wanted(&p->facts)) {
		ask_the_other_way(m, gw_tls_wanted, NET_TLS);
	}
	if (p->waiting == 0)
		conclude(m);
}

static enum sip_conn_choice choice(const struct gw_member *m)
{
	if (m->gw->peer->reuse == SIP_REUSE_ANY && m->health.state != GW_DOWN)
		return SIP_CONN_REUSE;
	return m->want_fresh || m->turn % GW_FRESH_EVERY == 0 ? SIP_CONN_FRESH : SIP_CONN_REUSE;
}

int gw_member_probe(struct gw_member *m, bool by_hand)
{
	struct gateway *g = m->gw;
	struct gw_table *t = g->table;
	if (t->stopped || (!t->core && t->hooks.send == sip_request_send))
		return ENOTCONN;
	if (m->probe) {
		m->probe->by_hand = m->probe->by_hand || by_hand;
		return 0;
	}
	m->probe = mem_zalloc(1, sizeof *m->probe);
	if (!m->probe)
		return ENOMEM;
	m->probe->by_hand = by_hand;
	struct sip_request_prm prm = { .method = "OPTIONS", .timeout_ms = timeout_ms(g), .choice = choice(m), .only = m->addr, .only_by = m->transport,
		                       .flow = TRUST_FLOW_OPTIONS };
	m->turn++;
	int err = t->hooks.send(&m->probe->first, t->core, g->peer, &prm, first_h, m);
	if (err)
		probe_free(m);
	return err;
}

void gw_probe_hint(struct gateway *g, const struct net_addr *host)
{
	int64_t now_ms = clock_mono_ms(g->table->prm.clock);
	LIST_FOREACH(&g->members, it) {
		struct gw_member *m = LIST_ENTRY(it, struct gw_member, link);
		bool other = net_addr_is_set(host) && !net_addr_eq_host(&m->addr, host);
		if (other || !g->conf->options.on || (m->hint_ms && now_ms - m->hint_ms < HINT_MS))
			continue;
		m->hint_ms = now_ms;
		m->want_fresh = true;
		(void)gw_member_probe(m, false);
	}
}

void gw_member_start(struct gw_member *m, int64_t in_ms)
{
	if (m->gw->conf->options.on && !m->gw->table->stopped)
		tmr_start(m->gw->table->prm.loop, &m->next, in_ms, next_h, m);
}

void gw_member_stop(struct gw_member *m)
{
	tmr_cancel(&m->next);
	if (!m->probe)
		return;
	void (*cancel)(struct sip_request *r) = m->gw->table->hooks.cancel;
	if (m->probe->first)
		cancel(m->probe->first);
	for (unsigned i = 0; i < 3; i++)
		if (m->probe->second[i])
			cancel(m->probe->second[i]);
	probe_free(m);
}

int gw_probe(struct gateway *g, gw_probed_h *h, void *arg)
{
	if (g->probed)
		return EBUSY;
	unsigned asked = 0;
	int err = list_empty(&g->members) ? ENOTCONN : 0;
	LIST_FOREACH(&g->members, it) {
		int e = gw_member_probe(LIST_ENTRY(it, struct gw_member, link), true);
		err = e ? e : err;
		asked += e == 0;
	}
	if (!asked)
		return err;
	g->probed = h;
	g->probed_arg = arg;
	return 0;
}
