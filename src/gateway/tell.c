/* SPDX-License-Identifier: Apache-2.0 */
/* tell.c  Between what works and fails and the stories of it: which story a failure belongs to, what a success ends, and what of it is news. */
#include "gateway/gateway_private.h"

enum { FULL_AGAIN_MS = 3600 * 1000 };

static void over_h(const struct gw_story *st, void *arg)
{
	gw_say_story_over(arg, st);
}

/* "192.0.2.1" of "192.0.2.1:5061". */
static void host_of(const char *address, char host[NET_ADDR_SIZE])
{
	struct net_addr a;
	host[0] = '\0';
	if (*address && net_addr_parse_port(&a, text_of(address), 0) == 0)
		net_addr_print_host(&a, host);
}

static void count_open(struct gw_table *t)
{
	metric_set(metric_get(t->prm.metrics, METRIC_GAUGE, "umbel_stories_open", "", "Failures that go on, each kind counted once: umbel explain shows them"),
	           gw_story_open(t->stories));
}

/* What OPTIONS, transfers and lamps do is told by their own events; those carry the story's id. */
static bool has_event(const struct trust_facts *f)
{
	return f->turned_away || f->flow == TRUST_FLOW_OPTIONS || f->flow == TRUST_FLOW_TRANSFER || f->flow == TRUST_FLOW_LAMP;
}

static void tell_full(struct gw_table *t)
{
	int64_t now_ms = clock_mono_ms(t->prm.clock);
	if (t->lost_told_ms && now_ms - t->lost_told_ms < FULL_AGAIN_MS)
		return;
	t->lost_told_ms = now_ms;
	gw_say_stories_full(t);
}

bool gw_tell_again(struct gw_table *t, const struct gateway *g, const struct net_addr *from, enum trust_verdict_id id, const char *identity)
{
	char host[NET_ADDR_SIZE];
	uint64_t lost = gw_story_lost(t->stories);
	bool counted = gw_story_again(t->stories, g ? gw_name(g) : "", net_addr_print_host(from, host), TRUST_ACCEPTED, TRUST_FLOW_CALL_IN,
	                              trust_verdict_name(id), identity);
	if (gw_story_lost(t->stories) != lost)
		tell_full(t);
	return counted;
}

void gw_tell_failed(struct gw_table *t, const struct gateway *g, const struct trust_facts *f, const struct trust_verdict *v, struct gw_story_told *told)
{
	char host[NET_ADDR_SIZE];
	host_of(f->peer_addr, host);
	gw_story_failed(t->stories, g ? gw_name(g) : "", host, f, v, told);
	count_open(t);
	if (!told->story) {
		tell_full(t);
		return;
	}
	if (told->news == GW_STORY_IS_OLD || has_event(f))
		return;
	if (f->role == TRUST_ACCEPTED)
		gw_say_incoming(t, told->story, f, v);
	else
		gw_say_story(t, told->story, v);
}

void gw_tell_works(const struct gateway *g, const struct trust_facts *f)
{
	struct gw_table *t = g->table;
	char host[NET_ADDR_SIZE];
	if (!gw_story_open(t->stories))
		return;
	host_of(f->peer_addr, host);
	gw_story_works(t->stories, gw_name(g), host, TRUST_DIALLED, f->flow, 0, over_h, t);
	count_open(t);
}

void gw_tell_heard(struct gateway *g, const struct net_addr *from, int64_t began_ms)
{
	struct gw_table *t = g->table;
	char host[NET_ADDR_SIZE];
	if (!began_ms || began_ms >= g->mute_since_ms)
		g->mute = 0;
	if (!gw_story_open(t->stories))
		return;
	gw_story_works(t->stories, gw_name(g), net_addr_print_host(from, host), TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, began_ms, over_h, t);
	count_open(t);
}

/* ---- now and then ---- */

/* In a dialog and on its routes we reach addresses that are no member's. */
static bool is_there(const struct gw_story *st, void *arg)
{
	struct gateway *g = gw_find(arg, st->gateway);
	struct net_addr a;
	bool by_name = st->role == TRUST_DIALLED && (st->flow == TRUST_FLOW_OPTIONS || st->flow == TRUST_FLOW_LAMP) && *st->peer;
	if (!g || !by_name || net_addr_parse(&a, text_of(st->peer), 0) != 0)
		return g != NULL;
	LIST_FOREACH(&g->members, it)
		if (net_addr_eq_host(&LIST_ENTRY(it, struct gw_member, link)->addr, &a))
			return true;
	return list_empty(&g->members); /* DNS was not asked yet */
}

static void sweep_h(void *arg)
{
	struct gw_table *t = arg;
	gw_story_sweep(t->stories, is_there, t, over_h, t);
	count_open(t);
	tmr_start(t->prm.loop, &t->sweep, GW_SWEEP_MS, sweep_h, t);
}

void gw_tell_start(struct gw_table *t)
{
	tmr_start(t->prm.loop, &t->sweep, GW_SWEEP_MS, sweep_h, t);
}
