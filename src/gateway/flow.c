/* SPDX-License-Identifier: Apache-2.0 */
/* flow.c  What works with a gateway and what does not, a flow each, with its last verdict. */
#include "gateway/gateway_private.h"

const char *gw_works_name(enum gw_works w)
{
	static const char *const names[] = { "not tried", "works", "refused" };
	return w <= GW_REFUSED ? names[w] : "?";
}

const char *gw_flow_name(enum gw_flow_kind f)
{
	static const char *const names[GW_FLOWS] = { "calls-in", "options", "transfer", "lamp" };
	return f < GW_FLOWS ? names[f] : "?";
}

const struct gw_flow_state *gw_flow_state(const struct gateway *g, enum gw_flow_kind f)
{
	return &g->flow[f];
}

enum gw_flow_kind gw_worst_flow(const struct gateway *g)
{
	static const enum gw_flow_kind order[] = { GW_OPTIONS, GW_TRANSFER, GW_LAMP, GW_CALLS_IN };
	for (unsigned i = 0; i < GW_FLOWS; i++)
		if (g->flow[order[i]].works == GW_REFUSED)
			return order[i];
	return GW_OPTIONS;
}

static bool kind_of(enum trust_flow f, enum gw_flow_kind *kind)
{
	switch (f) {
	case TRUST_FLOW_CALL_IN:
		*kind = GW_CALLS_IN;
		return true;
	case TRUST_FLOW_OPTIONS:
		*kind = GW_OPTIONS;
		return true;
	case TRUST_FLOW_TRANSFER:
		*kind = GW_TRANSFER;
		return true;
	case TRUST_FLOW_LAMP:
		*kind = GW_LAMP;
		return true;
	case TRUST_FLOW_NONE:
	case TRUST_FLOW_CALL_OUT:
	case TRUST_FLOW_DIALOG:
		break;
	}
	return false;
}

static void set_metric(struct gateway *g, enum gw_flow_kind f)
{
	if (!g->works[f]) {
		char labels[256];
		text_print(labels, sizeof labels, "gateway=\"%s\",flow=\"%s\"", gw_name(g), gw_flow_name(f));
		g->works[f] = metric_get(g->table->prm.metrics, METRIC_GAUGE, "umbel_gateway_flow_works", labels,
		                         "Whether the last try of a flow with a gateway worked: 1 yes, 0 no; absent: not tried");
	}
	metric_set(g->works[f], g->flow[f].works == GW_WORKS);
}

static void tell_story(struct gateway *g, struct gw_flow_state *s, bool works)
{
	struct gw_story_told told = { 0 };
	if (works && s->facts.role == TRUST_DIALLED) {
		gw_tell_works(g, &s->facts);
	} else if (!works && trust_verdict_bad(&s->verdict)) {
		gw_tell_failed(g->table, g, &s->facts, &s->verdict, &told);
		text_fill(s->story, sizeof s->story, told.story ? told.story->id : "");
	}
}

void gw_flow_set(struct gateway *g, enum gw_flow_kind f, bool works, const struct trust_facts *facts, const struct trust_verdict *verdict)
{
	struct gw_flow_state *s = &g->flow[f];
	enum gw_works was = s->works;
	bool other = strcmp(s->verdict.name, verdict->name) != 0;
	int64_t now_us = clock_real_us(g->table->prm.clock);
	s->works = works ? GW_WORKS : GW_REFUSED;
	s->at_us = now_us;
	if (works) {
		s->worked_us = now_us;
		s->good++;
	} else {
		s->failed_us = now_us;
		s->bad++;
	}
	s->facts = *facts;
	s->verdict = *verdict;
	set_metric(g, f);
	tell_story(g, s, works);
	gw_say_facts(g, f, facts);
	if (f != GW_OPTIONS && (was != s->works || (!works && other)))
		gw_say_flow(g, f, s);
}

enum { SECOND_HOLDS_S = 600, MUTE_MAX = 5, MUTE_FORGET_MS = 3600 * 1000 };

void gw_judge(const struct gateway *g, const struct trust_facts *facts, struct trust_facts *full, struct trust_verdict *v)
{
	const struct gw_flow_state *o = &g->flow[GW_OPTIONS];
	struct trust_facts copy = *facts;
	bool lately = o->works == GW_REFUSED && clock_real_us(g->table->prm.clock) - o->at_us < (int64_t)SECOND_HOLDS_S * 1000000;
	if (lately && copy.second.kind == TRUST_SECOND_NONE && o->facts.second.kind != TRUST_SECOND_NONE && gw_second_wanted(&copy) &&
	    gw_second_wanted(&o->facts) && strcmp(copy.ours.cn, o->facts.ours.cn) == 0)
		copy.second = o->facts.second;
	trust_explain(&copy, v);
	if (full)
		*full = copy;
}

/* A connection that failed before anybody was known: whose address is it? */
static struct gateway *by_address(struct gw_table *t, const char *address)
{
	struct net_addr a;
	if (net_addr_parse_port(&a, text_of(address), 0) != 0)
		return NULL;
	LIST_FOREACH(&t->gateways, it)
		if (gw_comes_from(LIST_ENTRY(it, struct gateway, link), &a))
			return LIST_ENTRY(it, struct gateway, link);
	return NULL;
}

/* It shook hands with us, showed a good certificate, and left without a word: once may be a check; again and again, and never a request by a new
 * connection in between, is what a peer does that looks at our certificate after the handshake and does not like it. The first time it is asked
 * by OPTIONS at once; where OPTIONS fails, too, no more patience is called for. */
static bool suspicious(struct gateway *g, const struct trust_facts *f)
{
	int64_t now_ms = clock_mono_ms(g->table->prm.clock);
	struct net_addr from = { 0 };
	if (now_ms - g->mute_ms > MUTE_FORGET_MS)
		g->mute = 0;
	g->mute_ms = now_ms;
	if (++g->mute == 1) {
		g->mute_since_ms = now_ms;
		gw_say_mute(g, f);
	}
	if (g->flow[GW_OPTIONS].works == GW_REFUSED || g->mute >= MUTE_MAX)
		return true;
	(void)net_addr_parse_port(&from, text_of(f->peer_addr), 0);
	gw_probe_hint(g, &from);
	return false;
}

/* A flow that has no state of its own (calls out, requests within a dialog), or a stranger's. */
static void tell_only(struct gw_table *t, struct gateway *g, const struct trust_facts *f, bool works, const struct trust_verdict *v)
{
	struct gw_story_told told;
	if (!works && trust_verdict_bad(v))
		gw_tell_failed(t, g, f, v, &told);
	else if (works && g && f->role == TRUST_DIALLED)
		gw_tell_works(g, f);
}

void gw_flow(struct sip_peer *peer, const struct trust_facts *facts, bool works, void *arg)
{
	struct gw_table *t = arg;
	enum gw_flow_kind kind;
	struct trust_verdict verdict;
	struct trust_facts full;
	if (!facts)
		return;
	full = *facts;
	if (full.flow == TRUST_FLOW_NONE && full.role == TRUST_ACCEPTED)
		full.flow = TRUST_FLOW_CALL_IN;
	struct gateway *g = peer ? gw_find(t, peer->name) : by_address(t, full.peer_addr);
	/* probes and lamps tell their own end, with the second probe and what became of the outbox row */
	if (full.flow == TRUST_FLOW_OPTIONS || full.flow == TRUST_FLOW_LAMP)
		return;
	if (g && !full.gateway[0]) /* so that a command in the advice can be copied as it stands */
		text_fill(full.gateway, sizeof full.gateway, gw_name(g));
	if (g)
		gw_judge(g, &full, &full, &verdict);
	else
		trust_explain(&full, &verdict);
	if (verdict.id == TRUST_V_ACCEPTED_SAID_NOTHING && (!g || !full.theirs.shown || !suspicious(g, &full)))
		return;
	if (g && kind_of(full.flow, &kind))
		gw_flow_set(g, kind, works, &full, &verdict);
	else
		tell_only(t, g, &full, works, &verdict);
}

bool gw_flow_again(struct sip_peer *peer, void *arg)
{
	struct gateway *g = gw_find(arg, peer->name);
	struct gw_flow_state *s = g ? &g->flow[GW_CALLS_IN] : NULL;
	if (!s || s->works != GW_WORKS)
		return false;
	s->at_us = s->worked_us = clock_real_us(g->table->prm.clock);
	s->good++;
	return true;
}
