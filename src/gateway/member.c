/* SPDX-License-Identifier: Apache-2.0 */
/* member.c  A gateway's members: what DNS names for it now. Asked anew when the answer's time is over. A name that is gone for good takes its
 * members along; a name server that is away does not.                                                                    */
#include <errno.h>
#include "base/mem.h"
#include "gateway/gateway_private.h"

static struct gw_member *find_member(struct gateway *g, const struct net_addr *addr)
{
	LIST_FOREACH(&g->members, it) {
		struct gw_member *m = LIST_ENTRY(it, struct gw_member, link);
		if (net_addr_is_set(addr) ? net_addr_eq(&m->addr, addr) : !net_addr_is_set(&m->addr))
			return m;
	}
	return NULL;
}

static void make_metric(struct gw_member *m)
{
	char labels[512], address[NET_ADDR_SIZE] = "none";
	if (net_addr_is_set(&m->addr))
		net_addr_print(&m->addr, address);
	text_print(labels, sizeof labels, "gateway=\"%s\",member=\"%s\"", gw_name(m->gw), address);
	m->up = metric_get(m->gw->table->prm.metrics, METRIC_GAUGE, "umbel_gateway_up", labels,
	                   "Whether a member of a gateway answers OPTIONS: 1 up, 0 down, -1 not known yet");
	metric_set(m->up, -1);
}

static struct gw_member *add_member(struct gateway *g, const struct net_addr *addr, const char *host, enum net_transport transport)
{
	struct gw_member *m = mem_zalloc(1, sizeof *m);
	if (!m)
		return NULL;
	m->gw = g;
	m->addr = *addr;
	m->transport = transport;
	m->want_fresh = true;
	text_fill(m->host, sizeof m->host, host);
	make_metric(m);
	int64_t in_ms = (int64_t)list_count(&g->members) * GW_START_GAP_MS;
	list_append(&g->members, &m->link);
	gw_member_start(m, in_ms);
	return m;
}

static void drop_member(struct gw_member *m)
{
	gw_member_stop(m);
	list_remove(&m->link);
	metric_set(m->up, 0);
	mem_free(m);
}

void gw_members_drop(struct gateway *g)
{
	LIST_FOREACH(&g->members, it)
		drop_member(LIST_ENTRY(it, struct gw_member, link));
}

static void drop_unseen(struct gateway *g)
{
	LIST_FOREACH(&g->members, it) {
		struct gw_member *m = LIST_ENTRY(it, struct gw_member, link);
		if (!m->seen)
			drop_member(m);
	}
}

/* Two gateways on one address: calls from there cannot be told apart where only the address tells, and two names for one thing are most
 * often a mistake. Gateways that speak TLS on different ports are told apart by their certificates. */
static bool can_be_told_apart(const struct gateway *a, const struct net_addr *x, const struct gateway *b, const struct net_addr *y)
{
	return gw_transport(a) == NET_TLS && gw_transport(b) == NET_TLS && net_addr_port(x) != net_addr_port(y);
}

static void look_for_shared(struct gateway *g, const struct gw_member *m)
{
	LIST_FOREACH(&g->table->gateways, it) {
		struct gateway *other = LIST_ENTRY(it, struct gateway, link);
		if (other == g)
			continue;
		LIST_FOREACH(&other->members, jt) {
			const struct gw_member *o = LIST_ENTRY(jt, struct gw_member, link);
			if (net_addr_is_set(&o->addr) && net_addr_eq_host(&o->addr, &m->addr) && !can_be_told_apart(g, &m->addr, other, &o->addr)) {
				gw_say_shared_address(g->table, g, other, &m->addr);
				break;
			}
		}
	}
}

static void take_targets(struct gateway *g, const struct dns_targets *t)
{
	text_fill(g->by, sizeof g->by, t->by);
	LIST_FOREACH(&g->members, it)
		LIST_ENTRY(it, struct gw_member, link)->seen = false;
	for (unsigned i = 0; i < t->n; i++) {
		struct gw_member *m = find_member(g, &t->target[i].addr);
		bool fresh = !m;
		if (!m)
			m = add_member(g, &t->target[i].addr, t->target[i].host, t->target[i].transport);
		if (!m)
			continue;
		m->want_fresh |= m->transport != t->target[i].transport;
		m->transport = t->target[i].transport;
		m->seen = true;
		if (fresh)
			look_for_shared(g, m);
	}
	drop_unseen(g);
}

/* Whether the answer says that the name has no address, rather than that nobody could be asked. */
static bool is_final(enum dns_outcome o)
{
	return o == DNS_NXDOMAIN || o == DNS_NODATA || o == DNS_REFUSED;
}

/* Without an address the gateway has one nameless member: probing it makes the core ask DNS, and the verdict says what it said. */
static void take_failure(struct gateway *g, const struct dns_targets *t)
{
	static const struct net_addr none;
	if (!g->dns_failed)
		gw_say_dns(g, t);
	g->dns_failed = true;
	if (!list_empty(&g->members) && !is_final(t->outcome))
		return;
	LIST_FOREACH(&g->members, it)
		LIST_ENTRY(it, struct gw_member, link)->seen = false;
	struct gw_member *m = find_member(g, &none);
	if (!m)
		m = add_member(g, &none, g->conf->address, g->peer->transport);
	if (m)
		m->seen = true;
	drop_unseen(g);
}

static void resolve_again_h(void *arg)
{
	gw_resolve(arg);
}

static void resolved_h(const struct dns_targets *t, void *arg)
{
	struct gateway *g = arg;
	g->resolve = NULL;
	if (g->table->core)
		sip_core_looked_up(g->table->core, gw_name(g), t);
	int64_t again_ms = GW_DNS_RETRY_MS;
	if (t->n) {
		g->dns_failed = false;
		take_targets(g, t);
		uint32_t ttl_s = t->ttl_s < GW_TTL_MIN_S ? GW_TTL_MIN_S : t->ttl_s > GW_TTL_MAX_S ? GW_TTL_MAX_S : t->ttl_s;
		again_ms = (int64_t)ttl_s * 1000;
	} else {
		take_failure(g, t);
	}
	tmr_start(g->table->prm.loop, &g->dns_tmr, again_ms, resolve_again_h, g);
}

void gw_resolve(struct gateway *g)
{
	struct gw_table *t = g->table;
	if (g->resolve || t->stopped)
		return;
	int err = t->hooks.resolve(t->prm.dns, &g->resolve, text_of(g->peer->host), g->peer->port, g->peer->transport, resolved_h, g);
	if (err)
		tmr_start(t->prm.loop, &g->dns_tmr, GW_DNS_RETRY_MS, resolve_again_h, g);
}

void gw_resolve_stop(struct gateway *g)
{
	tmr_cancel(&g->dns_tmr);
	if (g->resolve)
		g->table->hooks.resolve_cancel(g->resolve);
	g->resolve = NULL;
}
