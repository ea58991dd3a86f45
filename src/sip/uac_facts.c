/* SPDX-License-Identifier: Apache-2.0 */
/* uac_facts.c  What is known of a request's fate, put together for a verdict: names, connection, TLS, answer or silence. */
#include <errno.h>
#include "base/mem.h"
#include "sip/uac_private.h"

static enum trust_dns_outcome dns_of(enum dns_outcome o)
{
	switch (o) {
	case DNS_OK: return TRUST_DNS_OK;
	case DNS_NXDOMAIN: return TRUST_DNS_NXDOMAIN;
	case DNS_NODATA: return TRUST_DNS_NODATA;
	case DNS_SERVFAIL: return TRUST_DNS_SERVFAIL;
	case DNS_REFUSED: return TRUST_DNS_REFUSED;
	case DNS_TIMEOUT: return TRUST_DNS_TIMEOUT;
	case DNS_MALFORMED: return TRUST_DNS_MALFORMED;
	case DNS_NO_SERVER: break;
	}
	return TRUST_DNS_NO_SERVER;
}

/* The decisive look-up: the last one with the outcome of the whole. */
static void dns_facts(const struct sip_uac *u, struct trust_facts *f)
{
	const struct dns_targets *t = u->targets;
	const struct dns_step *step = NULL;

	if (u->no_dns || u->start_err)
		return;
	for (unsigned i = 0; i < t->n_trail; i++)
		if (t->trail[i].outcome == t->outcome)
			step = &t->trail[i];
	if (step)
		facts_dns(f, dns_of(t->outcome), step->name, dns_type_name(step->type), step->server);
	else if (t->n_trail || t->outcome != DNS_OK)
		facts_dns(f, dns_of(t->outcome), u->hop.host, "A", "");
}

static void peer_facts(const struct sip_uac *u, struct trust_facts *f)
{
	struct trust_set *set;

	facts_us(f, u->core->prm.node, u->core->prm.fqdn, u->core->prm.service);
	if (u->peer) {
		facts_gateway(f, u->peer->name, u->peer->host);
		f->judges = u->peer->judges_us;
	}
	if (!u->core->prm.trust)
		return;
	set = trust_keeper_get(u->core->prm.trust);
	trust_set_facts(set, f);
	if (!f->our_identity[0]) {
		struct trust_identity *id = trust_set_find(set, u->identity);
		text_fill(f->our_identity, sizeof(f->our_identity), id ? trust_identity_name(id) : u->identity);
	}
	mem_unref(set);
}

/* The deadline came before the request could leave. */
static void late_facts(const struct sip_uac *u, const struct sip_conn *c, struct trust_facts *f)
{
	if (u->resolve)
		facts_dns(f, TRUST_DNS_TIMEOUT, u->hop.host, "A", "");
	else if (c)
		facts_late(f, clock_mono_ms(u->core->prm.clock) - c->began_ms);
}

void uac_facts_collect(struct sip_uac *u, enum sip_uac_event ev)
{
	static const enum trust_transport transport[] = { [NET_UDP] = TRUST_UDP, [NET_TCP] = TRUST_TCP, [NET_TLS] = TRUST_TLS };
	struct sip_conn *c = u->conn ? u->conn : u->last_conn;
	struct trust_facts *f = u->facts ? u->facts : (u->facts = mem_alloc(sizeof(*f)));
	char addr[NET_ADDR_SIZE];
	int64_t since_sent = u->sent ? clock_mono_ms(u->core->prm.clock) - u->sent_ms : -1;

	if (!f)
		return;
	if (c) {
		sip_conn_facts(c, f);
	} else {
		facts_init(f, TRUST_DIALLED, transport[u->transport], clock_real_s(u->core->prm.clock));
		f->tls.used = u->transport == NET_TLS;
		if (u->connect_err)
			facts_connect(f, u->connect_err, 0);
	}
	peer_facts(u, f);
	facts_flow(f, u->flow);
	facts_target(f, u->hop.host, net_addr_is_set(&u->addr) ? net_addr_port(&u->addr) : u->hop.port,
	             net_addr_is_set(&u->addr) ? net_addr_print(&u->addr, addr) : "");
	dns_facts(u, f);
	if (u->sent)
		facts_sip_sent(f, text_of(u->method));
	if (u->tcp_err == ECONNREFUSED || u->tcp_err == ECONNRESET) /* it lives: who is silent to everything needs no other reason */
		facts_sip_large(f, u->large, strerror(u->tcp_err));
	f->sip.received |= u->received || (c && c->proven);
	if (ev == SIP_UAC_TIMEOUT && f->end == TRUST_OPEN)
		facts_silent(f, since_sent);
	else if (ev == SIP_UAC_FAILED && u->err == ETIMEDOUT && !u->sent)
		late_facts(u, c, f);
}

const struct trust_facts *sip_uac_facts(struct sip_uac *u)
{
	if (!u->facts)
		uac_facts_collect(u, SIP_UAC_SENT);
	return u->facts;
}
