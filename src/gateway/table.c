/* SPDX-License-Identifier: Apache-2.0 */
/* table.c  The gateways of the configuration, and its changes. */
#include <errno.h>
#include "base/mem.h"
#include "gateway/gateway_private.h"

static const struct gw_hooks real_hooks = { sip_request_send, sip_request_cancel, dns_resolve_sip, dns_resolve_cancel };

/* ---- one gateway ---- */

static void stop_gateway(struct gateway *g)
{
	gw_resolve_stop(g);
	gw_members_drop(g);
}

static void destroy_gateway(struct gateway *g)
{
	if (g->live)
		gw_live_abort(g->live);
	stop_gateway(g);
	gw_lamps_cancel(g->table, g);
	gw_probed_h *probed = g->probed;
	list_remove(&g->link);
	mem_unref(g->peer);
	cfg_unref(g->cfg);
	if (probed)
		probed(NULL, g->probed_arg);
	mem_free(g);
}

static struct gateway *create_gateway(struct gw_table *t, struct cfg *cfg, const struct cfg_gateway *conf)
{
	struct gateway *g = mem_zalloc(1, sizeof *g);
	if (!g)
		return NULL;
	g->table = t;
	list_init(&g->members);
	if (gw_make_peer(&g->peer, conf) != 0) {
		mem_free(g);
		return NULL;
	}
	g->cfg = cfg_ref(cfg);
	g->conf = conf;
	g->seen = true;
	return g;
}

const char *gw_name(const struct gateway *g)
{
	return g->peer->name;
}

const struct cfg_gateway *gw_cfg(const struct gateway *g)
{
	return g->conf;
}

enum net_transport gw_transport(const struct gateway *g)
{
	enum net_transport found = NET_ANY;
	if (g->peer->transport != NET_ANY)
		return g->peer->transport;
	LIST_FOREACH(&g->members, it) {
		const struct gw_member *m = LIST_ENTRY(it, struct gw_member, link);
		if (net_addr_is_set(&m->addr) && found != NET_TLS)
			found = m->transport;
	}
	return found;
}

bool gw_may_speak_tls(const struct gateway *g)
{
	enum net_transport t = gw_transport(g);
	return t == NET_TLS || t == NET_ANY;
}

const char *gw_decided_by(const struct gateway *g)
{
	return g->by;
}

struct sip_peer *gw_peer(const struct gateway *g)
{
	return g->peer;
}

bool gw_calls_in(const struct gateway *g)
{
	return g->conf->calls_in;
}

enum gw_state gw_state(const struct gateway *g)
{
	unsigned down = 0, n = 0;
	LIST_FOREACH(&g->members, it) {
		const struct gw_member *m = LIST_ENTRY(it, struct gw_member, link);
		if (m->health.state == GW_UP)
			return GW_UP;
		down += m->health.state == GW_DOWN;
		n++;
	}
	return n && down == n ? GW_DOWN : GW_UNKNOWN;
}

unsigned gw_members(const struct gateway *g)
{
	return (unsigned)list_count(&g->members);
}

void gw_member(const struct gateway *g, unsigned i, struct gw_member_info *info)
{
	memset(info, 0, sizeof *info);
	LIST_FOREACH(&g->members, it) {
		const struct gw_member *m = LIST_ENTRY(it, struct gw_member, link);
		if (i--)
			continue;
		info->addr = m->addr;
		info->host = m->host;
		info->state = m->health.state;
		info->since_ms = m->health.since_ms;
		info->probed_us = m->probed_us;
		info->took_ms = m->took_ms;
		info->status = m->status;
		info->misses = m->health.misses;
		info->failed = m->health.failed;
		info->verdict = m->judged ? &m->verdict : NULL;
		info->facts = m->judged ? &m->facts : NULL;
		return;
	}
}

/* ---- the table ---- */

unsigned gw_count(const struct gw_table *t)
{
	return (unsigned)list_count(&t->gateways);
}

struct gateway *gw_at(struct gw_table *t, unsigned i)
{
	LIST_FOREACH(&t->gateways, it)
		if (i-- == 0)
			return LIST_ENTRY(it, struct gateway, link);
	return NULL;
}

struct gateway *gw_find(struct gw_table *t, const char *name)
{
	LIST_FOREACH(&t->gateways, it)
		if (strcmp(gw_name(LIST_ENTRY(it, struct gateway, link)), name) == 0)
			return LIST_ENTRY(it, struct gateway, link);
	return NULL;
}

static void start_gateway(struct gateway *g)
{
	if (g->table->core || g->table->hooks.send != sip_request_send)
		gw_resolve(g);
}

/* New gateways are made aside. */
static int make_new_ones(struct gw_table *t, struct cfg *cfg, struct list *fresh)
{
	for (size_t i = 0; i < cfg->n_gateways; i++) {
		struct gateway *old = gw_find(t, cfg->gateways[i].name);
		if (old && gw_same_settings(old->conf, &cfg->gateways[i]))
			continue;
		struct gateway *g = create_gateway(t, cfg, &cfg->gateways[i]);
		if (!g)
			return ENOMEM;
		list_append(fresh, &g->link);
	}
	return 0;
}

static void keep_unchanged(struct gw_table *t, struct cfg *cfg)
{
	LIST_FOREACH(&t->gateways, it) {
		struct gateway *g = LIST_ENTRY(it, struct gateway, link);
		const struct cfg_gateway *conf = cfg_gateway(cfg, text_of(gw_name(g)));
		g->seen = conf && gw_same_settings(g->conf, conf);
		if (!g->seen)
			continue;
		struct cfg *was = g->cfg;
		g->cfg = cfg_ref(cfg);
		g->conf = conf;
		cfg_unref(was);
	}
}

struct gw_change {
	struct cfg *cfg;
	struct trust_policy *policy;
	struct list fresh;
};

void gw_change_drop(struct gw_change *c)
{
	if (!c)
		return;
	LIST_FOREACH(&c->fresh, it)
		destroy_gateway(LIST_ENTRY(it, struct gateway, link));
	mem_unref(c->policy);
	cfg_unref(c->cfg);
	mem_free(c);
}

int gw_table_prepare(struct gw_table *t, const struct cfg *cfg, struct gw_change **change)
{
	struct gw_change *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return ENOMEM;
	c->cfg = cfg_ref(cfg);
	list_init(&c->fresh);
	int err = gw_make_policy(&c->policy, c->cfg);
	if (!err)
		err = make_new_ones(t, c->cfg, &c->fresh);
	if (err)
		gw_change_drop(c);
	else
		*change = c;
	return err;
}

void gw_table_use(struct gw_table *t, struct gw_change *c)
{
	keep_unchanged(t, c->cfg);
	LIST_FOREACH(&t->gateways, it)
		if (!LIST_ENTRY(it, struct gateway, link)->seen)
			destroy_gateway(LIST_ENTRY(it, struct gateway, link));
	for (struct link *l; (l = list_pop(&c->fresh)) != NULL;) {
		list_append(&t->gateways, l);
		start_gateway(LIST_ENTRY(l, struct gateway, link));
	}
	mem_unref(t->policy);
	t->policy = c->policy;
	cfg_unref(t->cfg);
	t->cfg = c->cfg;
	mem_free(c);
}

int gw_table_apply(struct gw_table *t, const struct cfg *cfg)
{
	struct gw_change *change;
	int err = gw_table_prepare(t, cfg, &change);
	if (!err)
		gw_table_use(t, change);
	return err;
}

void gw_table_start(struct gw_table *t, struct sip_core *core)
{
	t->core = core;
	LIST_FOREACH(&t->gateways, it)
		start_gateway(LIST_ENTRY(it, struct gateway, link));
}

void gw_table_trust_changed(struct gw_table *t)
{
	LIST_FOREACH(&t->gateways, it) {
		struct gateway *g = LIST_ENTRY(it, struct gateway, link);
		if (!cfg_may_speak_tls(g->conf->transport))
			continue;
		LIST_FOREACH(&g->members, jt) {
			struct gw_member *m = LIST_ENTRY(jt, struct gw_member, link);
			m->want_fresh = true;
			m->facts.second.kind = TRUST_SECOND_NONE;
			gw_member_start(m, 0);
		}
	}
}

void gw_table_stop(struct gw_table *t)
{
	t->stopped = true;
	LIST_FOREACH(&t->gateways, it) {
		struct gateway *g = LIST_ENTRY(it, struct gateway, link);
		gw_resolve_stop(g);
		LIST_FOREACH(&g->members, im)
			gw_member_stop(LIST_ENTRY(im, struct gw_member, link));
	}
}

int gw_table_create(struct gw_table **tp, const struct gw_prm *prm)
{
	struct gw_table *t = mem_zalloc(1, sizeof *t);
	if (!t)
		return ENOMEM;
	t->prm = *prm;
	t->hooks = prm->hooks ? *prm->hooks : real_hooks;
	text_fill(t->node, sizeof t->node, prm->node ? prm->node : "");
	text_fill(t->fqdn, sizeof t->fqdn, prm->fqdn ? prm->fqdn : "");
	list_init(&t->gateways);
	list_init(&t->lamps);
	int err = gw_stories_create(&t->stories, prm->clock, t->node);
	if (err) {
		mem_free(t);
		return err;
	}
	gw_tell_start(t);
	*tp = t;
	return 0;
}

void gw_table_destroy(struct gw_table *t)
{
	if (!t)
		return;
	t->stopped = true;
	LIST_FOREACH(&t->gateways, it)
		destroy_gateway(LIST_ENTRY(it, struct gateway, link));
	gw_lamps_cancel(t, NULL);
	tmr_cancel(&t->sweep);
	gw_stories_destroy(t->stories);
	mem_unref(t->policy);
	cfg_unref(t->cfg);
	mem_free(t);
}

struct gw_stories *gw_table_stories(const struct gw_table *t)
{
	return t->stories;
}

struct trust_policy *gw_table_policy(const struct gw_table *t)
{
	return t->policy;
}

void gw_table_accept_tls(const struct gw_table *t, struct tls_limits *limits)
{
	*limits = (struct tls_limits){ 0 };
	for (const struct link *e = t->gateways.head.next; e != &t->gateways.head; e = e->next) {
		const struct gateway *g = LIST_ENTRY(e, struct gateway, link);
		const struct tls_limits *l = &g->peer->tls;
		if (!cfg_may_speak_tls(g->conf->transport))
			continue;
		if (l->min && (!limits->min || l->min < limits->min))
			limits->min = l->min;
		if (l->max > limits->max)
			limits->max = l->max;
		if (l->legacy > limits->legacy)
			limits->legacy = l->legacy;
	}
}
