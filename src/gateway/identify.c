/* SPDX-License-Identifier: Apache-2.0 */
/* identify.c  Who is calling: over TLS by the names that the certificate proves, else by the address. */
#include <arpa/inet.h>
#include <errno.h>
#include "base/mem.h"
#include "gateway/gateway_private.h"
#include "gateway_events.h"

enum { TELL_AGAIN_MS = 60000 };

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

static bool comes_from(const struct gateway *g, const struct net_addr *a)
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

/* A gateway that is to speak TLS is not believed by its address: that would let anybody on its network in without a certificate. */
static struct gateway *by_source(struct gw_table *t, const struct sip_source *src, struct gateway **wants_tls)
{
	struct gateway *best = NULL;
	*wants_tls = NULL;
	LIST_FOREACH(&t->gateways, it) {
		struct gateway *g = LIST_ENTRY(it, struct gateway, link);
		if (!comes_from(g, &src->addr))
			continue;
		if (g->conf->transport == CFG_TLS)
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
		if (!g || g == other || other->conf->transport != CFG_TLS || comes_from(g, &src->addr) || !comes_from(other, &src->addr))
			continue;
		trust_policy_judge(other->peer->policy, &names, &one);
		if (one.reason == TRUST_NAME_OK)
			g = other;
	}
	trust_cert_names_free(&names);
	return g;
}

/* ---- strangers ---- */

/* Once a minute, address and kind; the count tells what was not told. */
static bool worth_telling(struct gw_table *t, const struct net_addr *a, uint16_t id, unsigned *count)
{
	int64_t now_ms = clock_mono_ms(t->prm.clock);
	struct gw_stranger *s = NULL;
	for (unsigned i = 0; i < t->n_strangers; i++)
		if (t->stranger[i].id == id && net_addr_eq_host(&t->stranger[i].addr, a))
			s = &t->stranger[i];
	if (!s) {
		s = t->n_strangers < GW_STRANGERS ? &t->stranger[t->n_strangers++] : &t->stranger[(uint64_t)now_ms % GW_STRANGERS];
		*s = (struct gw_stranger){ .addr = *a, .id = id, .told_ms = now_ms - TELL_AGAIN_MS };
	}
	s->count++;
	if (now_ms - s->told_ms < TELL_AGAIN_MS)
		return false;
	*count = s->count;
	s->count = 0;
	s->told_ms = now_ms;
	return true;
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

int gw_identify(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg)
{
	struct gw_table *t = arg;
	struct trust_judgement j = { 0 };
	struct gateway *wants_tls = NULL;
	bool by_certificate = src->transport == NET_TLS && src->facts;
	struct gateway *g = by_certificate ? by_names(t, src, &j) : by_source(t, src, &wants_tls);
	if (g) {
		*peer = mem_ref(g->peer);
		return 0;
	}
	struct ev_report r = { 0 };
	unsigned count = 0;
	fill_stranger(&r, src, &j, wants_tls);
	ev_int(&r, "count", 1);
	if (why)
		ev_copy(why, &r);
	if (worth_telling(t, &src->addr, r.id, &count)) {
		ev_int(&r, "count", count);
		ev_emit(t->prm.bus, &r);
	}
	return ENOENT;
}
