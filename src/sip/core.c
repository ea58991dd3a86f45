/* SPDX-License-Identifier: Apache-2.0 */
/* core.c  Birth and end of the endpoint, its listeners, its figures. */
#include "sip/core.h"
#include <errno.h>
#include "base/mem.h"
#include "base/rand.h"
#include "sip/auth_memory.h"
#include "sip/conns.h"
#include "sip/core_private.h"
#include "sip/uac.h"

static void limits_fill(struct sip_limits *l)
{
	if (!l->conns)
		l->conns = 4096;
	if (!l->conns_per_source)
		l->conns_per_source = 256;
	if (!l->conns_per_gateway)
		l->conns_per_gateway = 1024;
	if (!l->handshakes)
		l->handshakes = 256;
	if (!l->stranger_handshakes)
		l->stranger_handshakes = 20;
	if (!l->stranger_messages)
		l->stranger_messages = 100;
	if (!l->strangers_messages)
		l->strangers_messages = 2000;
	if (!l->calls)
		l->calls = 2000;
	if (!l->stranger_bytes)
		l->stranger_bytes = 32 << 20;
	if (!l->transactions)
		l->transactions = 65536;
	if (!l->legs)
		l->legs = 2000;
	if (!l->legs_per_source)
		l->legs_per_source = 1000;
	if (!l->requests)
		l->requests = 1024;
	if (!l->watches)
		l->watches = 10000;
	if (!l->retry_after_s)
		l->retry_after_s = 10;
}

static int budget_make(struct sip_core *core)
{
	const struct sip_limits *l = &core->prm.limits;
	struct sip_budget_prm prm = {
		.clock = core->prm.clock, .metrics = core->prm.metrics, .conns = l->conns, .conns_per_source = l->conns_per_source,
		.conns_per_gateway = l->conns_per_gateway, .handshakes = l->handshakes, .stranger_handshakes = l->stranger_handshakes,
		.stranger_messages = l->stranger_messages, .strangers_messages = l->strangers_messages, .calls = l->calls, .stranger_bytes = l->stranger_bytes,
		.known = core->prm.known, .arg = core->prm.arg,
	};

	return sip_budget_create(&core->budget, &prm);
}

static int on_txn_send(const struct sip_path *path, const void *p, size_t n, void *arg)
{
	int err = sip_path_send(arg, path, p, n);

	return err && path->conn && text_starts(text_make(p, n), "SIP/2.0 ") ? sip_answer_anew(arg, path, p, n) : err;
}

static void on_datagram(struct udp *udp, const struct net_addr *from, uint8_t *data, size_t n, void *arg)
{
	struct sip_listener *l = arg;
	struct sip_path path = { .transport = NET_UDP, .peer = *from, .local = l->local, .udp = udp, .listener = l->index };

	/* Keep-alives (RFC 5626 3.5.1 and the single bytes that some peers send) are no messages. */
	while (n > 0 && (*data == '\r' || *data == '\n' || *data == '\0')) {
		data++;
		n--;
	}
	if (n < 8)
		return;
	if (!sip_budget_message(l->core->budget, from)) {
		sip_over_budget(l->core, from, SIP_BUDGET_MESSAGES);
		return;
	}
	sip_receive(l->core, &path, text_make(data, n));
}

static void on_connection(struct listener *listener, int fd, const struct net_addr *peer, void *arg)
{
	struct sip_listener *l = arg;

	(void)listener;
	sip_conn_accept(l->core, l->index, fd, peer);
}

static int listen_one(struct sip_core *core, unsigned i, struct ev_report *why)
{
	const struct sip_listen *want = &core->prm.listen[i];
	struct sip_listener *l = &core->listener[i];
	char addr[NET_ADDR_SIZE];
	int err;

	l->core = core;
	l->index = i;
	l->local = want->addr;
	if (want->transport == NET_UDP) {
		err = udp_create(&l->udp, core->loop, &want->addr, on_datagram, l);
		if (!err)
			l->local = *udp_local(l->udp);
	} else {
		err = listener_create(&l->stream, core->loop, &want->addr, 256, on_connection, l);
		if (!err)
			l->local = *listener_local(l->stream);
	}
	if (!err)
		return 0;
	ev_set(why, EV_SIP_LISTEN_FAILED);
	ev_str(why, "transport", net_transport_name(want->transport));
	ev_str(why, "address", net_addr_print(&want->addr, addr));
	ev_str(why, "error", strerror(err));
	return err;
}

static void metrics_make(struct sip_core *core)
{
	struct metrics *m = core->prm.metrics;

	core->m.conns = metric_get(m, METRIC_GAUGE, "umbel_sip_connections", NULL, "stream connections open");
	core->m.opened = metric_get(m, METRIC_COUNTER, "umbel_sip_connections_opened_total", NULL, "stream connections dialled");
	core->m.accepted = metric_get(m, METRIC_COUNTER, "umbel_sip_connections_accepted_total", NULL, "stream connections accepted");
	core->m.transactions = metric_get(m, METRIC_COUNTER, "umbel_sip_requests_total", NULL, "requests that came, repetitions left out");
	core->m.legs = metric_get(m, METRIC_GAUGE, "umbel_sip_legs", NULL, "call legs alive");
	core->m.invites = metric_get(m, METRIC_COUNTER, "umbel_sip_calls_offered_total", NULL, "calls offered by peers");
	core->m.refused = metric_get(m, METRIC_COUNTER, "umbel_sip_refused_total", NULL, "requests and connections refused");
	core->m.malformed = metric_get(m, METRIC_COUNTER, "umbel_sip_malformed_total", NULL, "messages that could not be read");
	core->m.stray = metric_get(m, METRIC_COUNTER, "umbel_sip_stray_total", NULL, "responses and ACKs that belonged to nothing");
	core->m.watches = metric_get(m, METRIC_GAUGE, "umbel_sip_subscriptions", NULL, "subscriptions of peers to the state of mailboxes");
	core->m.in = metric_get(m, METRIC_COUNTER, "umbel_sip_messages_total", "direction=\"in\"", "SIP messages");
	core->m.out = metric_get(m, METRIC_COUNTER, "umbel_sip_messages_total", "direction=\"out\"", "SIP messages");
}

int sip_core_create(struct sip_core **cp, const struct sip_core_prm *prm, struct ev_report *why)
{
	struct sip_core *core;
	int err;

	if (prm->n_listen > SIP_LISTENERS)
		return EINVAL;
	core = mem_zalloc(1, sizeof(*core));
	if (!core)
		return ENOMEM;
	core->prm = *prm;
	core->loop = prm->loop;
	core->bus = prm->bus;
	core->prm.accept = mem_ref(prm->accept);
	sip_timers_fill(&core->prm.timers);
	limits_fill(&core->prm.limits);
	list_init(&core->conns);
	list_init(&core->legs);
	list_init(&core->requests);
	list_init(&core->uacs);
	list_init(&core->orphans);
	list_init(&core->watch.list);
	list_init(&core->watch.owners);
	metrics_make(core);
	err = rand_bytes(core->tag_key, sizeof(core->tag_key));
	if (!err)
		err = rand_bytes(core->nonce_key, sizeof(core->nonce_key));
	if (!err)
		err = hash_create(&core->leg_by_tag, 256);
	if (!err)
		err = hash_create(&core->tally_by_name, 16);
	if (!err)
		err = hash_create(&core->watch.by_tag, 64);
	if (!err)
		err = budget_make(core);
	if (!err)
		err = sip_txns_create(&core->txns, core->loop, &core->prm.timers, core->prm.limits.transactions * 2, on_txn_send, core);
	for (unsigned i = 0; !err && i < prm->n_listen; i++)
		err = listen_one(core, i, why);
	if (err) {
		sip_core_destroy(core);
		return err;
	}
	*cp = core;
	return 0;
}

void sip_core_drain(struct sip_core *core)
{
	core->draining = true;
}

void sip_core_destroy(struct sip_core *core)
{
	if (!core)
		return;
	core->ending = true;
	for (unsigned i = 0; i < core->prm.n_listen; i++) {
		listener_destroy(core->listener[i].stream);
		core->listener[i].stream = NULL;
	}
	sip_legs_end(core);
	sip_watches_end(core);
	sip_orphans_end(core);
	sip_requests_end(core);
	sip_uacs_end(core);
	sip_txns_destroy(core->txns);
	core->txns = NULL;
	sip_conns_end(core);
	for (unsigned i = 0; i < core->prm.n_listen; i++)
		udp_destroy(core->listener[i].udp);
	hash_destroy(core->leg_by_tag);
	hash_destroy(core->tally_by_name);
	hash_destroy(core->watch.by_tag);
	sip_budget_destroy(core->budget);
	sip_auth_memory_free(core->auth_memory);
	mem_unref(core->prm.accept);
	mem_free(core->msg);
	mem_free(core->gather);
	mem_free(core->offer.sdp);
	mem_free(core);
}

void sip_core_accept(struct sip_core *core, struct trust_policy *accept, const struct tls_limits *limits)
{
	mem_ref(accept);
	mem_unref(core->prm.accept);
	core->prm.accept = accept;
	if (limits)
		core->prm.accept_tls = *limits;
}

const struct net_addr *sip_core_local(const struct sip_core *core, unsigned i)
{
	return &core->listener[i].local;
}

unsigned sip_core_legs(const struct sip_core *core)
{
	return core->n_legs;
}

void sip_core_tracer(struct sip_core *core, sip_trace_h *h, void *arg)
{
	core->tracer = h;
	core->tracer_arg = arg;
}

void sip_core_wire(struct sip_core *core, const struct sip_wire *wire)
{
	core->wire = wire ? *wire : (struct sip_wire){ 0 };
}

void sip_core_stats(const struct sip_core *core, struct sip_core_stats *s)
{
	*s = core->stats;
	s->conns = core->n_conns;
	s->legs = core->n_legs;
	s->requests = core->n_requests;
	s->transactions = sip_txns_count(core->txns);
	s->retransmissions = sip_txns_repeats(core->txns);
}
