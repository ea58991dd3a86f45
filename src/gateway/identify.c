/* SPDX-License-Identifier: Apache-2.0 */
/* identify.c  Who is calling: over TLS by the names that the certificate proves, else by the address. */
#include <arpa/inet.h>
#include <errno.h>
#include "base/mem.h"
#include "gateway/gateway_private.h"
#include "gateway_events.h"

/* ---- addresses ---- */

static unsigned bits_of(const struct net_addr *a, const uint8_t **bytes)
{
	if (net_addr_is_v6(a)) {
		*bytes = a->u.v6.sin6_addr.s6_addr;
		return 128;
	}
	*bytes = (const uint8_t *)&a->u.v4.sin_addr;
	return 32;
}

/* "192.0.2.0/24", "2001:db8::/32" or a plain address. */
static bool within(const struct net_addr *a, struct text net)
{
	struct text host, length;
	struct net_addr n;
	const uint8_t *p, *q;
	bool has_length = text_cut(net, '/', &host, &length);
	if (net_addr_parse(&n, host, 0) != 0 || net_addr_is_v6(&n) != net_addr_is_v6(a))
		return false;
	unsigned bits = bits_of(a, &p);
	uint32_t want = bits;
	bits_of(&n, &q);
	if (has_length && text_u32(length, bits, &want) != 0)
		return false;
	if (memcmp(p, q, want / 8) != 0)
		return false;
	unsigned rest = want % 8;
	return !rest || ((p[want / 8] ^ q[want / 8]) >> (8 - rest)) == 0;
}

bool gw_comes_from(const struct gateway *g, const struct net_addr *a)
{
	for (size_t i = 0; i < g->conf->sources.n; i++)
		if (within(a, text_of(g->conf->sources.v[i])))
			return true;
	if (g->conf->sources.n)
		return false;
	LIST_FOREACH(&g->members, it)
		if (net_addr_eq_host(&LIST_ENTRY(it, struct gw_member, link)->addr, a))
			return true;
	return false;
}

bool gw_is_known(struct gw_table *t, const struct net_addr *addr)
{
	LIST_FOREACH(&t->gateways, it)
		if (gw_comes_from(LIST_ENTRY(it, struct gateway, link), addr))
			return true;
	return false;
}

/* A gateway that is to speak TLS is not believed by its address: that would let anybody on its network in without a certificate. */
static struct gateway *by_source(struct gw_table *t, const struct sip_source *src, struct gateway **wants_tls)
{
	struct gateway *best = NULL;
	*wants_tls = NULL;
	LIST_FOREACH(&t->gateways, it) {
		struct gateway *g = LIST_ENTRY(it, struct gateway, link);
		if (!gw_comes_from(g, &src->addr))
			continue;
		if (gw_transport(g) == NET_TLS) /* of any member: who calls otherwise is not believed for its address */
			*wants_tls = g;
		else if (!best || (best->peer->transport != src->transport && g->peer->transport == src->transport))
			best = g;
	}
	return best;
}

/* ---- certificates ---- */

/* Two gateways may accept the same name; then the one that the address belongs to is meant. */
static struct gateway *by_names(struct gw_table *t, const struct sip_source *src, struct trust_judgement *j)
{
	struct trust_cert_names names = { 0 };
	memset(j, 0, sizeof *j);
	if (trust_cert_names_of_facts(&names, &src->facts->theirs) != 0)
		return NULL;
	trust_policy_judge(t->policy, &names, j);
	struct gateway *g = j->reason == TRUST_NAME_OK ? gw_find(t, j->label) : NULL;
	LIST_FOREACH(&t->gateways, it) {
		struct gateway *other = LIST_ENTRY(it, struct gateway, link);
		struct trust_judgement one;
		if (!g || g == other || !cfg_may_speak_tls(other->conf->transport) || gw_comes_from(g, &src->addr) || !gw_comes_from(other, &src->addr))
			continue;
		trust_policy_judge(other->peer->policy, &names, &one);
		if (one.reason == TRUST_NAME_OK)
			g = other;
	}
	trust_cert_names_free(&names);
	return g;
}

/* ---- strangers ---- */

static enum trust_transport transport_of(enum net_transport t)
{
	return t == NET_UDP ? TRUST_UDP : t == NET_TCP ? TRUST_TCP : TRUST_TLS;
}

static void stranger_facts(const struct gw_table *t, const struct sip_source *src, const struct trust_judgement *j, const struct gateway *wants_tls,
                           struct trust_facts *f)
{
	char address[NET_ADDR_SIZE];
	if (src->facts)
		*f = *src->facts;
	else
		facts_init(f, TRUST_ACCEPTED, transport_of(src->transport), clock_real_s(t->prm.clock));
	facts_us(f, t->node, t->fqdn, NULL);
	facts_flow(f, TRUST_FLOW_CALL_IN);
	text_fill(f->peer_addr, sizeof f->peer_addr, net_addr_print(&src->addr, address));
	if (wants_tls)
		facts_gateway(f, gw_name(wants_tls), wants_tls->conf->address);
	f->sip.received = true;
	f->turned_away = wants_tls ? TRUST_AWAY_NOT_BY_TLS : src->facts ? TRUST_AWAY_NAME : TRUST_AWAY_ADDRESS;
	if (!src->facts)
		return;
	f->name.judged = true;
	f->name.reason = (uint8_t)j->reason;
	f->name.wanted = j->wanted;
	f->name.offered = j->offered;
}

static void fill_stranger(struct ev_report *r, const struct sip_source *src, const struct trust_judgement *j, const struct gateway *wants_tls)
{
	char address[NET_ADDR_SIZE], names[512];
	ev_set(r, wants_tls ? EV_GW_WANTS_TLS : src->facts ? EV_GW_STRANGER_TLS : EV_GW_STRANGER);
	ev_str(r, "address", net_addr_print(&src->addr, address));
	ev_str(r, "host", net_addr_print_host(&src->addr, address));
	ev_str(r, "transport", net_transport_name(src->transport));
	if (wants_tls)
		ev_str(r, "gateway", gw_name(wants_tls));
	if (src->facts) {
		ev_str(r, "cn", src->facts->theirs.cn);
		ev_str(r, "offered", trust_names_join(&j->offered, names, sizeof names));
		ev_str(r, "wanted", trust_names_join(&j->wanted, names, sizeof names));
		ev_str(r, "reason", trust_name_reason_name(j->reason));
	}
}

/* Told when its story begins, comes back, and once an hour; the count tells what was not told. */
static void tell_stranger(struct gw_table *t, const struct sip_source *src, const struct trust_judgement *j, struct gateway *wants_tls,
                          struct ev_report *r)
{
	struct trust_facts f;
	struct trust_verdict v;
	struct gw_story_told told;
	enum trust_verdict_id id = wants_tls ? TRUST_V_MUST_SPEAK_TLS : src->facts ? TRUST_V_STRANGERS_NAME : TRUST_V_STRANGER;
	if (gw_tell_again(t, wants_tls, &src->addr, id, src->facts ? src->facts->our_identity : ""))
		return;
	stranger_facts(t, src, j, wants_tls, &f);
	trust_explain(&f, &v);
	gw_tell_failed(t, wants_tls, &f, &v, &told);
	if (!told.story || told.news == GW_STORY_IS_OLD)
		return;
	ev_int(r, "count", (int64_t)told.story->count);
	ev_str(r, "story", told.story->id);
	ev_str(r, "verdict_name", v.name);
	ev_emit(t->prm.bus, r);
}

int gw_identify(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg)
{
	struct gw_table *t = arg;
	struct trust_judgement j = { 0 };
	struct gateway *wants_tls = NULL;
	bool by_certificate = src->transport == NET_TLS && src->facts;
	struct gateway *g = by_certificate ? by_names(t, src, &j) : by_source(t, src, &wants_tls);
	if (g) {
		*peer = mem_ref(g->peer);
		gw_tell_heard(g, &src->addr, src->began_ms);
		return 0;
	}
	struct ev_report r = { 0 };
	fill_stranger(&r, src, &j, wants_tls);
	ev_int(&r, "count", 1);
	if (why)
		ev_copy(why, &r);
	tell_stranger(t, src, &j, wants_tls, &r);
	return ENOENT;
}
