/* SPDX-License-Identifier: Apache-2.0 */
/* report.c  The events of gateways. */
#include "base/rfc3339.h"
#include "gateway/gateway_private.h"
#include "gateway_events.h"
#include "trust_events.h"

static void common(struct ev_report *r, uint16_t id, const struct gateway *g)
{
	ev_set(r, id);
	ev_str(r, "gateway", gw_name(g));
	ev_str(r, "node", g->table->node);
	ev_str(r, "transport", net_transport_name(g->peer->transport));
}

static void put_verdict(struct ev_report *r, const struct trust_verdict *v)
{
	trust_verdict_fields(v, r);
	ev_str(r, "cause", v->cause);
}

static uint16_t event_of(enum gw_say say)
{
	switch (say) {
	case GW_SAY_NOTHING:
		break;
	case GW_SAY_UP:
		return EV_GW_UP;
	case GW_SAY_MISSED:
		return EV_GW_PROBE_MISSED;
	case GW_SAY_DOWN:
	case GW_SAY_REASON:
	case GW_SAY_STILL:
		return EV_GW_OPTIONS_FAILED;
	case GW_SAY_BACK:
		return EV_GW_BACK;
	}
	return 0;
}

static const char *message_of(const struct trust_facts *f, int status)
{
	if (status)
		return f->sip.phrase;
	return f->sip.sent && (f->end == TRUST_TIMED_OUT || f->end == TRUST_OPEN) ? "no answer came in time" : "no SIP answer ever came";
}

void gw_say_health(struct gw_member *m, enum gw_say say, const struct trust_facts *facts, const struct trust_verdict *v, int status)
{
	struct ev_report r = { 0 };
	char address[NET_ADDR_SIZE] = "";
	uint16_t id = event_of(say);
	if (!id)
		return;
	common(&r, id, m->gw);
	if (net_addr_is_set(&m->addr))
		net_addr_print_host(&m->addr, address);
	ev_str(&r, "address", *address ? address : m->gw->conf->address);
	ev_str(&r, "host", m->host);
	ev_int(&r, "port", net_addr_is_set(&m->addr) ? net_addr_port(&m->addr) : m->gw->conf->port);
	ev_int(&r, "response_code", status);
	ev_str(&r, "message", message_of(facts, status));
	ev_int(&r, "count", (int64_t)m->health.failed);
	ev_int(&r, "down_s", m->health.state == GW_DOWN ? (clock_mono_ms(m->gw->table->prm.clock) - m->health.since_ms) / 1000 : 0);
	ev_str(&r, "news", say == GW_SAY_STILL ? "still" : say == GW_SAY_REASON ? "changed" : "new");
	ev_int(&r, "took_ms", m->took_ms);
	put_verdict(&r, v);
	ev_str(&r, "story", say == GW_SAY_UP || say == GW_SAY_BACK ? "" : m->gw->flow[GW_OPTIONS].story);
	ev_emit(m->gw->table->prm.bus, &r);
}

void gw_say_facts(struct gateway *g, enum gw_flow_kind f, const struct trust_facts *facts)
{
	struct ev_report r;
	struct buf b;
	if (!ev_wanted(g->table->prm.bus, EV_GW_FACTS))
		return;
	ev_set(&r, 0);
	buf_init(&b, 8192);
	facts_text(facts, &b); /* what does not fit is left out */
	common(&r, EV_GW_FACTS, g);
	ev_str(&r, "flow", gw_flow_name(f));
	ev_text(&r, "facts", text_trim(text_make(b.p, b.n)));
	ev_emit(g->table->prm.bus, &r);
	buf_free(&b);
}

void gw_say_shared_address(struct gw_table *t, const struct gateway *a, const struct gateway *b, const struct net_addr *addr)
{
	struct ev_report r = { 0 };
	char address[NET_ADDR_SIZE];
	ev_set(&r, EV_GW_SHARED_ADDRESS);
	ev_str(&r, "gateway", gw_name(a));
	ev_str(&r, "other", gw_name(b));
	ev_str(&r, "name", a->conf->address);
	ev_str(&r, "other_name", b->conf->address);
	ev_str(&r, "address", net_addr_print_host(addr, address));
	ev_emit(t->prm.bus, &r);
}

void gw_say_dns(struct gateway *g, const struct dns_targets *res)
{
	struct ev_report r = { 0 };
	common(&r, EV_GW_NO_ADDRESS, g);
	ev_str(&r, "name", g->conf->address);
	ev_str(&r, "outcome", dns_outcome_name(res->outcome));
	ev_str(&r, "server", res->n_trail ? res->trail[res->n_trail - 1].server : "");
	ev_emit(g->table->prm.bus, &r);
}

void gw_say_mute(struct gateway *g, const struct trust_facts *f)
{
	struct ev_report r = { 0 };
	common(&r, EV_GW_MUTE, g);
	ev_str(&r, "address", f->peer_addr);
	ev_emit(g->table->prm.bus, &r);
}

void gw_say_flow(struct gateway *g, enum gw_flow_kind f, const struct gw_flow_state *s)
{
	struct ev_report r = { 0 };
	common(&r, s->works == GW_WORKS ? EV_GW_FLOW_WORKS : EV_GW_FLOW_REFUSED, g);
	ev_str(&r, "flow", gw_flow_name(f));
	put_verdict(&r, &s->verdict);
	if (s->works != GW_WORKS)
		ev_str(&r, "story", s->story);
	ev_emit(g->table->prm.bus, &r);
}

/* ---- stories ---- */

static void put_story(struct ev_report *r, const struct gw_story *st)
{
	char when[RFC3339_SIZE], lasted[48];
	ev_str(r, "story", st->id);
	ev_str(r, "gateway", st->gateway);
	ev_str(r, "peer", *st->gateway ? st->peer : st->many ? st->peer : st->host);
	ev_printf(r, "who", "%s%s%s%s", *st->gateway ? "gateway " : "", st->gateway, *st->gateway && *st->peer ? " at " : "",
	          *st->gateway || st->many ? st->peer : st->host);
	ev_str(r, "direction", trust_role_name(st->role));
	ev_str(r, "flow", trust_flow_name(st->flow));
	ev_str(r, "verdict_name", st->verdict);
	ev_int(r, "count", (int64_t)st->count);
	ev_str(r, "first", rfc3339_us(st->first_us, when));
	ev_str(r, "last", rfc3339_us(st->last_us, when));
	ev_str(r, "lasted", gw_story_lasted(st, lasted, sizeof lasted));
}

void gw_say_incoming(struct gw_table *t, const struct gw_story *st, const struct trust_facts *f, const struct trust_verdict *v)
{
	struct ev_report r = { 0 };
	ev_set(&r, EV_TRUST_INCOMING_TLS_FAILED);
	put_story(&r, st);
	ev_str(&r, "node", t->node);
	ev_str(&r, "peer", f->peer_addr);
	put_verdict(&r, v);
	ev_emit(t->prm.bus, &r);
}

void gw_say_story(struct gw_table *t, const struct gw_story *st, const struct trust_verdict *v)
{
	struct ev_report r = { 0 };
	ev_set(&r, EV_GW_STORY);
	put_story(&r, st);
	ev_str(&r, "node", t->node);
	put_verdict(&r, v);
	ev_emit(t->prm.bus, &r);
}

void gw_say_story_over(struct gw_table *t, const struct gw_story *st)
{
	static const uint16_t ids[] = { [GW_STORY_WORKS] = EV_GW_STORY_OVER, [GW_STORY_CHANGED] = EV_GW_STORY_CHANGED,
		                        [GW_STORY_GONE] = EV_GW_STORY_GONE, [GW_STORY_QUIET] = EV_GW_STORY_QUIET };
	struct ev_report r = { 0 };
	ev_set(&r, ids[st->end]);
	put_story(&r, st);
	ev_str(&r, "node", t->node);
	ev_str(&r, "end", gw_story_end_name(st->end));
	ev_emit(t->prm.bus, &r);
}

void gw_say_stories_full(struct gw_table *t)
{
	struct ev_report r = { 0 };
	ev_set(&r, EV_GW_STORIES_FULL);
	ev_str(&r, "node", t->node);
	ev_int(&r, "open", gw_story_open(t->stories));
	ev_int(&r, "lost", (int64_t)gw_story_lost(t->stories));
	ev_emit(t->prm.bus, &r);
}
