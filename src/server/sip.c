/* SPDX-License-Identifier: Apache-2.0 */
/* sip.c  The SIP core with the configuration's addresses, limits and timers, its questions answered by the gateways, the calls and the node;
 * and lamps on their way from the outbox to a gateway.                                                                  */
#include <errno.h>
#include "base/mem.h"
#include "server/server_private.h"
#include "delivery/words.h"
#include "server/words.h"
#include "server_events.h"

static int lookup(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg)
{
	return gw_identify(src, peer, why, ((struct server *)arg)->gateways);
}

static bool known(const struct net_addr *addr, void *arg)
{
	return gw_is_known(((struct server *)arg)->gateways, addr);
}

static void offered(struct leg *leg, void *arg)
{
	struct server *s = arg;
	const struct sip_peer *peer = leg_info(leg)->peer;
	const struct gateway *g = peer ? gw_find(s->gateways, peer->name) : NULL;
	if (g && !gw_calls_in(g))
		leg_reject(leg, 403, server_words(SERVER_SAYS_NO_CALLS_IN), 0);
	else
		dlg_service_offer(s->calls, leg);
}

static void flow(struct sip_peer *peer, const struct trust_facts *facts, bool works, void *arg)
{
	gw_flow(peer, facts, works, ((struct server *)arg)->gateways);
}

static bool flow_again(struct sip_peer *peer, void *arg)
{
	return gw_flow_again(peer, ((struct server *)arg)->gateways);
}

static void ready(const struct sip_peer *peer, struct sip_readiness *r, void *arg)
{
	struct node_answer a;
	node_answer(((struct server *)arg)->node, &a);
	if (!a.ready)
		server_elsewhere(arg, peer, r->elsewhere, sizeof r->elsewhere);
	r->ready = a.ready;
	r->avoid = a.avoid;
	r->retry_after_s = a.retry_after_s;
	text_fill(r->reason, sizeof r->reason, a.reason);
}

static const enum net_transport transports[] = { [CFG_UDP] = NET_UDP, [CFG_TCP] = NET_TCP, [CFG_TLS] = NET_TLS };

static int add_listeners(struct server *s, struct sip_core_prm *prm, struct ev_report *why)
{
	const struct cfg_node *n = &s->cfg->node;
	for (size_t i = 0; i < n->n_listen && i < SIP_LISTENERS; i++) {
		struct sip_listen *l = &prm->listen[prm->n_listen++];
		l->transport = transports[n->listen[i].transport];
		if (net_addr_parse(&l->addr, text_of(n->listen[i].address), n->listen[i].port)) {
			ev_set(why, EV_SERVER_ADDRESS_BAD);
			ev_str(why, "key", "node.listen");
			ev_str(why, "value", n->listen[i].address);
			return EINVAL;
		}
	}
	return 0;
}

static void set_timers(const struct cfg_sip *c, struct sip_core_prm *prm)
{
	prm->timers = (struct sip_timers){
		.t1 = (unsigned)c->t1_ms, .t2 = (unsigned)c->t2_ms, .t4 = (unsigned)c->t4_ms,
		.tc = (unsigned)c->invite_timeout_ms, /* ringing; B and F follow from T1 */
		.connect_ms = (unsigned)c->connect_timeout_ms, .handshake_ms = (unsigned)c->handshake_timeout_ms, .message_ms = (unsigned)c->message_timeout_ms,
		.session_s = !c->session_timer_s ? SIP_NO_SESSION_TIMER : c->session_timer_s < 90 ? 90 : c->session_timer_s,
		.idle_ms = (unsigned)c->idle_ms, .transfer_ms = (unsigned)c->transfer_timeout_ms,
	};
	prm->limits = (struct sip_limits){
		.conns = c->max_connections, .conns_per_source = c->max_connections_per_source, .legs = c->max_calls, .legs_per_source = c->max_calls_per_source,
		.retry_after_s = c->retry_after_s, .conns_per_gateway = c->max_connections_per_gateway, .handshakes = c->max_handshakes,
		.stranger_handshakes = c->max_handshakes_per_s, .stranger_messages = c->max_messages_per_s, .strangers_messages = c->max_strangers_per_s,
		.calls = c->max_calls_per_s, .busy_when_full = c->busy_when_full,
	};
}

int server_build_sip(struct server *s, struct ev_report *why)
{
	const struct cfg_node *n = &s->cfg->node;
	struct sip_core_prm *prm = mem_zalloc(1, sizeof *prm);
	if (!prm)
		return ENOMEM;
	*prm = (struct sip_core_prm){
		.loop = s->loop, .clock = clock_system(), .dns = s->dns, .crypto = s->crypto, .bus = s->bus, .metrics = s->metrics, .trust = s->keeper,
		.accept = gw_table_policy(s->gateways), .lookup = lookup, .known = known, .offered = offered, .ready = ready, .flow = flow, .flow_again = flow_again,
		.arg = s,
	};
	gw_table_accept_tls(s->gateways, &prm->accept_tls);
	text_fill(prm->fqdn, sizeof prm->fqdn, n->fqdn);
	text_fill(prm->service, sizeof prm->service, n->service);
	text_fill(prm->node, sizeof prm->node, n->name);
	set_timers(&n->sip, prm);
	prm->timers.rtp_timeout_ms = (unsigned)n->media.rtp_timeout_ms;
	int err = add_listeners(s, prm, why);
	if (!err)
		err = sip_core_create(&s->sip, prm, why);
	mem_free(prm);
	if (!err)
		lookout_attach(s->lookout, s->sip);
	if (!err)
		node_met(s->node, NODE_NEED_LISTENERS);
	return err;
}

void server_drop_sip(struct server *s)
{
	if (s->calls)
		dlg_service_ways(s->calls, NULL, NULL);
	sip_core_destroy(s->sip);
	s->sip = NULL;
}

/* ---- lamps ---- */
struct lamp_way {
	struct lamp *lamp;
	uint64_t handle;
};

static void lamp_told(const struct gw_lamp_result *res, void *arg)
{
	struct lamp_way *way = arg;
	static const enum outbox_verdict verdicts[] = { [GW_SENT_DONE] = OUTBOX_DONE, [GW_SENT_LATER] = OUTBOX_LATER, [GW_SENT_NEVER] = OUTBOX_NEVER };
	struct lamp_outcome o = { .verdict = verdicts[res->sent], .sip_status = res->status };
	if (res->verdict) {
		o.verdict_name = res->verdict->name;
		o.sentence = res->verdict->sentence;
		o.advice = res->verdict->advice;
	}
	lamp_result(way->lamp, way->handle, &o);
	mem_free(way);
}

static void send_lamp(struct lamp *l, const struct lamp_note *note, void *arg)
{
	struct server *s = arg;
	struct gateway *g = gw_find(s->gateways, note->gateway);
	struct lamp_way *way = mem_zalloc(1, sizeof *way);
	struct buf body;
	buf_init(&body, 4096);
	int err = way && g ? lamp_body(note, &body) : g ? ENOMEM : ENOENT;
	if (!err) {
		*way = (struct lamp_way){ l, note->handle };
		struct gw_lamp lamp = { .account = note->account, .body = body.p, .body_n = body.n };
		err = gw_lamp_send(g, &lamp, lamp_told, way);
	}
	buf_free(&body);
	if (!err)
		return;
	/* A gateway that is not in the configuration, or an account that is no address, gets no better by waiting. */
	struct lamp_outcome o = { .verdict = err == ENOENT || err == EINVAL ? OUTBOX_NEVER : OUTBOX_LATER };
	o.sentence = lamp_words(err == ENOENT ? LAMP_SAYS_GATEWAY_GONE : err == EINVAL ? LAMP_SAYS_NO_ADDRESS : err == ENOMEM ? LAMP_SAYS_NO_MEMORY : LAMP_SAYS_BUSY);
	mem_free(way);
	lamp_result(l, note->handle, &o);
}

int server_build_lamp(struct server *s, struct ev_report *why)
{
	struct lamp_prm prm = { .outbox = s->outbox, .store = s->store, .dir = s->dir, .bus = s->bus, .metrics = s->metrics, .clock = clock_system(),
		                .node = s->cfg->node.name, .send = send_lamp, .send_arg = s };
	(void)why;
	struct lookout_prm watched = { .loop = s->loop, .store = s->store, .dir = s->dir, .mbox = s->mbox };
	int err = lamp_create(&s->lamp, &prm);
	return err ? err : lookout_create(&s->lookout, &watched);
}

void server_drop_lamp(struct server *s)
{
	lookout_destroy(s->lookout);
	lamp_destroy(s->lamp);
}
