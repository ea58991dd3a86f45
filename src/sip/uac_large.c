/* SPDX-License-Identifier: Apache-2.0 */
/* uac_large.c  A request that is too large for one datagram goes by TCP to the same address and port (RFC 3261 18.1.1): fragments are what firewalls lose first.
 * Where the other side takes no TCP it goes by UDP after all, in fragments. RFC 3261 grants that to who refuses; to who is silent we grant it too, since a
 * firewall that drops TCP would cost each such call. It is remembered for a while, so that only the first one waits. */
#include "base/mem.h"
#include "sip/uac_private.h"

/* The sizes of RFC 3261 18.1.1. Below `ASK` no way that carries SIP at all is too narrow, and the kernel is not asked. */
enum { LARGE_BYTES = 1300, MTU_ROOM_BYTES = 200, ASK_BYTES = 1000, REMEMBERED_MS = 10 * 60 * 1000 };

static bool is_large(const struct net_addr *to, size_t n)
{
	size_t mtu = n > LARGE_BYTES || n < ASK_BYTES ? 0 : net_addr_mtu(to);

	return n > LARGE_BYTES || (mtu && n + MTU_ROOM_BYTES > mtu);
}

/* Why it took no TCP lately; 0: nothing is known. */
static int takes_no_tcp(const struct sip_core *core, const struct net_addr *addr)
{
	int64_t now = clock_mono_ms(core->prm.clock);

	for (unsigned i = 0; i < sizeof(core->no_tcp) / sizeof(*core->no_tcp); i++)
		if (core->no_tcp[i].until_ms > now && net_addr_eq(&core->no_tcp[i].addr, addr))
			return core->no_tcp[i].err;
	return 0;
}

bool uac_goes_by_tcp(struct sip_uac *u, size_t n)
{
	if (u->transport != NET_UDP || u->tcp_err || !is_large(&u->addr, n))
		return false;
	u->large = n;
	u->tcp_err = takes_no_tcp(u->core, &u->addr);
	if (!u->tcp_err)
		u->transport = NET_TCP;
	return !u->tcp_err;
}

static void tell(struct sip_uac *u, int err)
{
	char addr[NET_ADDR_SIZE];
	struct ev_report r;

	if (!ev_wanted(u->core->bus, EV_SIP_TCP_REFUSED))
		return;
	sip_ev(u->core, &r, EV_SIP_TCP_REFUSED, NULL);
	ev_str(&r, "method", u->method);
	ev_str(&r, "gateway", u->peer ? u->peer->name : "");
	ev_str(&r, "peer", net_addr_print(&u->addr, addr));
	ev_int(&r, "bytes", (int64_t)u->large);
	ev_str(&r, "why", strerror(err));
	ev_emit(u->core->bus, &r);
}

/* This try goes by TCP, though its target is one for UDP. */
static bool is_switched(const struct sip_uac *u)
{
	return u->transport == NET_TCP && u->targets->n && u->targets->target[u->at].transport == NET_UDP;
}

bool uac_goes_by_udp(struct sip_uac *u, int err)
{
	struct sip_core *core = u->core;
	unsigned at;

	if (!is_switched(u) || u->ctx)
		return false;
	u->transport = NET_UDP;
	u->tcp_err = err;
	at = core->last_no_tcp++ % (sizeof(core->no_tcp) / sizeof(*core->no_tcp));
	core->no_tcp[at].addr = u->addr;
	core->no_tcp[at].err = err;
	core->no_tcp[at].until_ms = clock_mono_ms(core->prm.clock) + REMEMBERED_MS;
	tell(u, err);
	return true;
}

void uac_self(struct sip_uac *u, const struct sip_self *way, struct sip_self *self)
{
	struct sip_path udp;

	*self = *way;
	if (is_switched(u) && !sip_path_udp(u->core, &udp, &u->addr))
		sip_self(u->core, &udp, self);
}
