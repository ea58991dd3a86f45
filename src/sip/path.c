/* SPDX-License-Identifier: Apache-2.0 */
/* path.c  Sending whole messages, being traced on the way, and what we say of ourselves on a path. */
#include "sip/path.h"
#include <errno.h>
#include "base/mem.h"
#include "sip/conns.h"
#include "sip/core_private.h"
#include "sip/trace.h"

void sip_path_copy(struct sip_path *dst, const struct sip_path *src)
{
	*dst = *src;
	mem_ref(dst->conn);
}

void sip_path_clear(struct sip_path *p)
{
	p->conn = mem_unref(p->conn);
	p->udp = NULL;
}

int sip_path_send(struct sip_core *core, const struct sip_path *path, const void *p, size_t n)
{
	/* A response that is lost is asked for again; a request that cannot leave goes to the next target (RFC 3263 4.3) without delay. */
	int (*send)(struct udp *udp, const struct net_addr *to, const void *p, size_t n) = text_starts(text_make(p, n), "SIP/2.0 ") ? udp_send_soon : udp_send;
	int err;

	if (path->transport == NET_UDP)
		err = path->udp ? send(path->udp, &path->peer, p, n) : ENOTCONN;
	else
		err = path->conn ? sip_conn_send(path->conn, p, n) : ENOTCONN;
	if (err == EAGAIN && path->transport == NET_UDP)
		err = 0; /* lost, as the network would; it is repeated */
	if (!err)
		sip_trace_message(core, path, false, text_make(p, n));
	return err;
}

int sip_path_udp(struct sip_core *core, struct sip_path *path, const struct net_addr *to)
{
	for (unsigned i = 0; i < core->prm.n_listen; i++) {
		struct sip_listener *l = &core->listener[i];
		if (!l->udp || net_addr_is_v6(&l->local) != net_addr_is_v6(to))
			continue;
		/* From a loopback listener nothing leaves this machine, and to it nothing comes from another address. */
		if (net_addr_is_loopback(&l->local) != net_addr_is_loopback(to) && !net_addr_is_any(&l->local))
			continue;
		*path = (struct sip_path){ .transport = NET_UDP, .peer = *to, .local = l->local, .udp = l->udp, .listener = i };
		return 0;
	}
	return EAFNOSUPPORT;
}

/* The listener where peers find us for that transport: the one the message came by, else the first of that kind and family. */
static struct sip_listener *home_of(struct sip_core *core, const struct sip_path *path)
{
	struct sip_listener *any = NULL;

	if (path->listener < core->prm.n_listen)
		return &core->listener[path->listener];
	for (unsigned i = 0; i < core->prm.n_listen; i++) {
		if (core->prm.listen[i].transport != path->transport)
			continue;
		if (net_addr_is_v6(&core->listener[i].local) == net_addr_is_v6(&path->peer))
			return &core->listener[i];
		any = &core->listener[i];
	}
	return any;
}

void sip_self(struct sip_core *core, const struct sip_path *path, struct sip_self *self)
{
	struct sip_listener *home = home_of(core, path);
	struct net_addr local = path->local;
	char host[NET_ADDR_SIZE];

	self->transport = path->transport;
	self->port = home ? net_addr_port(&home->local) : net_addr_port(&local);
	if (core->prm.fqdn[0] && path->transport == NET_TLS) {
		text_fill(self->host, sizeof(self->host), core->prm.fqdn);
		return;
	}
	if (home && !net_addr_is_any(&home->local))
		local = home->local;
	else if (!net_addr_is_set(&local) || net_addr_is_any(&local))
		(void)net_addr_local_for(&local, &path->peer);
	text_fill(self->host, sizeof(self->host), net_addr_print_host(&local, host));
}

void sip_put_contact(struct buf *b, const struct sip_self *self, struct text user, bool focus)
{
	static const char *const transport[] = { [NET_UDP] = "transport=udp", [NET_TCP] = "transport=tcp", [NET_TLS] = "transport=tls" };
	struct sip_uri_prm uri = { .scheme = SIP_SCHEME_SIP, .user = user, .host = text_of(self->host), .port = self->port,
		                   .params = text_of(transport[self->transport]) };

	buf_str(b, "Contact: <");
	sip_put_uri(b, &uri);
	buf_str(b, focus ? ">;isfocus\r\n" : ">\r\n");
}

enum sip_transport sip_transport_from_net(enum net_transport t)
{
	return t == NET_UDP ? SIP_UDP : t == NET_TCP ? SIP_TCP : SIP_TLS;
}

bool sip_transport_to_net(enum sip_transport t, enum net_transport *out)
{
	if (t != SIP_UDP && t != SIP_TCP && t != SIP_TLS)
		return false;
	*out = t == SIP_UDP ? NET_UDP : t == SIP_TCP ? NET_TCP : NET_TLS;
	return true;
}

void sip_path_facts(struct sip_core *core, const struct sip_path *path, struct trust_facts *f)
{
	char addr[NET_ADDR_SIZE];

	if (path->conn) {
		sip_conn_facts(path->conn, f);
		return;
	}
	facts_init(f, TRUST_ACCEPTED, TRUST_UDP, clock_real_s(core->prm.clock));
	facts_us(f, core->prm.node, core->prm.fqdn, core->prm.service);
	text_fill(f->peer_addr, sizeof(f->peer_addr), net_addr_print(&path->peer, addr));
}
