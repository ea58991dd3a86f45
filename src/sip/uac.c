/* SPDX-License-Identifier: Apache-2.0 */
/* uac.c  See uac.h. The story of one request from the name to the answer; the facts are written at its end (uac_facts.c). */
#include "sip/uac.h"
#include <errno.h>
#include "base/mem.h"
#include "sip/uac_private.h"

static void next_target(struct sip_uac *u);
static void send_now(struct sip_uac *u);
static void by_stream(struct sip_uac *u, const struct net_addr *to);
static void by_datagram(struct sip_uac *u, const struct net_addr *to);

static void uac_destroy(void *object)
{
	struct sip_uac *u = object;

	mem_unref(u->peer);
	mem_unref(u->policy);
	mem_unref(u->conn);
	mem_unref(u->last_conn);
	sip_path_clear(&u->path);
	mem_free(u->facts);
	mem_free(u->targets);
	buf_free(&u->login.line);
	buf_free(&u->proxy_login.line);
}

static void detach(struct sip_uac *u)
{
	if (!u->conn)
		return;
	sip_conn_unuse(u->conn, &u->use);
	mem_unref(u->last_conn);
	u->last_conn = u->conn;
	u->conn = NULL;
}

/* Nothing runs any more; the core's reference is given back. */
static void leave(struct sip_uac *u)
{
	if (u->state == UAC_DONE)
		return;
	u->state = UAC_DONE;
	tmr_cancel(&u->deadline);
	tmr_cancel(&u->attempt);
	tmr_cancel(&u->kick);
	if (u->resolve)
		dns_resolve_cancel(u->resolve);
	u->resolve = NULL;
	if (u->ctx)
		sip_ctx_forget(u->ctx);
	u->ctx = NULL;
	detach(u);
	list_remove(&u->link);
	mem_unref(u);
}

static void finish(struct sip_uac *u, enum sip_uac_event ev, int err)
{
	sip_uac_h *h = u->h;

	mem_ref(u);
	u->err = err;
	if (ev == SIP_UAC_TIMEOUT && u->conn)
		sip_conn_silent(u->conn);
	uac_facts_collect(u, ev);
	if (u->ctx) {
		sip_ctx_end(u->ctx);
		u->ctx = NULL;
	}
	u->h = NULL;
	leave(u);
	if (h)
		h(u, ev, NULL, u->arg);
	mem_unref(u);
}

static void fail(struct sip_uac *u, int err)
{
	finish(u, SIP_UAC_FAILED, err);
}

/* Each address that is passed over leaves its reason: the end of the story tells only of the last one (RFC 3263 4.3). */
static void passed_over(struct sip_uac *u, const char *reason)
{
	char addr[NET_ADDR_SIZE];
	struct ev_report r;

	if (!ev_wanted(u->core->bus, EV_SIP_TARGET_PASSED))
		return;
	sip_ev(u->core, &r, EV_SIP_TARGET_PASSED, NULL);
	ev_str(&r, "method", u->method);
	ev_str(&r, "gateway", u->peer ? u->peer->name : "");
	ev_str(&r, "host", u->hop.host);
	ev_str(&r, "peer", net_addr_print(&u->addr, addr));
	ev_int(&r, "number", u->at + 1);
	ev_int(&r, "count", u->targets->n);
	ev_str(&r, "why", reason);
	ev_emit(u->core->bus, &r);
}

static void pass_on(struct sip_uac *u, const char *reason)
{
	passed_over(u, reason);
	detach(u);
	u->at++;
	u->again = false;
	next_target(u);
}

/* This address did not do: the next one, or the end. */
static void target_failed(struct sip_uac *u, int err)
{
	tmr_cancel(&u->attempt);
	if (u->ctx) {
		sip_ctx_end(u->ctx);
		u->ctx = NULL;
	}
	if (u->at + 1 >= u->targets->n) {
		if (err == ETIMEDOUT && u->sent)
			finish(u, SIP_UAC_TIMEOUT, err);
		else
			fail(u, err);
		return;
	}
	pass_on(u, err == ETIMEDOUT ? "no answer in time" : strerror(err));
}

static void on_attempt_late(void *arg)
{
	struct sip_uac *u = arg;

	if (u->conn)
		sip_conn_silent(u->conn);
	target_failed(u, ETIMEDOUT);
}

static void on_deadline(void *arg)
{
	struct sip_uac *u = arg;

	if (u->sent)
		finish(u, SIP_UAC_TIMEOUT, ETIMEDOUT);
	else
		fail(u, ETIMEDOUT);
}

/* ---- answers ---- */
static void on_final(struct sip_uac *u, const struct sip_msg *res)
{
	bool first = !u->answered, accepted = u->invite && res->status < 300;

	if (first && res->status == 503 && u->new_dialog && u->at + 1 < u->targets->n) {
		u->ctx = NULL; /* goes on alone: absorbs, ACKs */
		pass_on(u, "503 Service Unavailable");
		return;
	}
	tmr_cancel(&u->deadline);
	tmr_cancel(&u->attempt);
	if (first) {
		u->answered = true;
		uac_facts_collect(u, SIP_UAC_FINAL);
		if (u->facts)
			sip_facts_answer(u->facts, res);
		detach(u);
	}
	mem_ref(u);
	if (u->h)
		u->h(u, SIP_UAC_FINAL, res, u->arg);
	if (!accepted)
		leave(u);
	mem_unref(u);
}

static void on_ctx(struct sip_ctx *ctx, enum sip_ctx_event ev, const struct sip_msg *res, void *arg)
{
	struct sip_uac *u = arg;

	if (u->ctx != ctx)
		return;
	u->received |= res != NULL;
	switch (ev) {
	case SIP_CTX_PROVISIONAL:
		tmr_cancel(&u->attempt);
		if (u->h)
			u->h(u, SIP_UAC_PROVISIONAL, res, u->arg);
		break;
	case SIP_CTX_FINAL:
		if (!u->answered && uac_auth_answer(u, res)) {
			sip_ctx_forget(ctx); /* absorbs, ACKs */
			u->ctx = NULL;
			send_now(u);
			break;
		}
		if (!u->answered)
			uac_auth_done(u, res);
		if (u->new_dialog && res->status == 503 && !u->answered && u->at + 1 < u->targets->n)
			sip_ctx_forget(ctx);
		on_final(u, res);
		break;
	case SIP_CTX_TIMEOUT:
	case SIP_CTX_TRANSPORT:
		sip_ctx_forget(ctx); /* it ends by itself */
		u->ctx = NULL;
		target_failed(u, ev == SIP_CTX_TIMEOUT ? ETIMEDOUT : ECONNABORTED);
		break;
	case SIP_CTX_OVER:
		u->ctx = NULL;
		if (u->answered)
			leave(u);
		break;
	}
}

/* ---- sending ---- */
static int build(struct sip_uac *u, struct buf *b)
{
	struct sip_self way, self;
	struct sip_via_prm via;

	sip_self(u->core, &u->path, &way);
	uac_self(u, &way, &self);
	sip_branch_make(u->branch);
	/* RFC 5923 4: we are ready to be called back on this connection, so we say alias; only TLS has it. */
	via = (struct sip_via_prm){ .transport = sip_transport_from_net(u->path.transport), .host = text_of(way.host), .port = way.port,
		                    .branch = text_of(u->branch), .rport = true, .alias = u->path.transport == NET_TLS && u->choice != SIP_CONN_FRESH };
	return u->build(b, &via, &self, u->arg);
}

static void send_now(struct sip_uac *u)
{
	struct buf b;
	int err;

	buf_init(&b, SIP_HEAD_MAX_BYTES + SIP_BODY_MAX_BYTES);
	err = build(u, &b);
	if (!err && uac_auth_ahead(u, buf_as_text(&b))) {
		buf_clear(&b);
		err = build(u, &b);
	}
	if (!err)
		err = buf_error(&b);
	if (!err && uac_goes_by_tcp(u, b.n)) {
		buf_free(&b);
		sip_path_clear(&u->path);
		by_stream(u, &u->addr);
		return;
	}
	if (!err && u->ack)
		err = sip_path_send(u->core, &u->path, b.p, b.n);
	else if (!err)
		err = sip_ctx_create(&u->ctx, u->core->txns, &u->path, u->branch, u->method, &b, on_ctx, u);
	buf_free(&b);
	if (err) {
		u->built_wrong = err == EINVAL || err == ENOMEM;
		u->built_wrong ? fail(u, err) : target_failed(u, err);
		return;
	}
	u->sent = true;
	u->sent_ms = clock_mono_ms(u->core->prm.clock);
	if (u->ack)
		finish(u, SIP_UAC_SENT, 0);
	else if (u->at + 1 < u->targets->n)
		tmr_start(u->core->loop, &u->attempt, (int64_t)u->core->prm.timers.t1 * 16, on_attempt_late, u);
}

static void on_conn(struct sip_conn *c, enum sip_conn_event ev, void *arg)
{
	struct sip_uac *u = arg;
	int err;

	if (ev == SIP_CONN_UP) {
		sip_path_clear(&u->path);
		sip_conn_path(c, &u->path);
		send_now(u);
		return;
	}
	err = c->end.err ? c->end.err : c->end.how == CONN_TIMEOUT ? ETIMEDOUT : ECONNRESET;
	/* One that stood before may have been closed by the peer just now: once more, on a new one, to the same address. */
	if (u->reused && !u->received && !u->again && u->choice == SIP_CONN_REUSE) {
		u->again = true;
		if (u->ctx)
			sip_ctx_end(u->ctx);
		u->ctx = NULL;
		tmr_cancel(&u->attempt);
		detach(u);
		next_target(u);
		return;
	}
	if (uac_goes_by_udp(u, err)) {
		detach(u);
		by_datagram(u, &u->addr);
		return;
	}
	if (u->targets->n > u->at + 1)
		target_failed(u, err == ETIMEDOUT ? ECONNABORTED : err);
	else
		fail(u, err);
}

static void by_stream(struct sip_uac *u, const struct net_addr *to)
{
	struct sip_conn_want want = { .addr = *to, .transport = u->transport, .peer = u->peer, .policy = u->policy, .identity = u->identity,
		                      .choice = u->choice, .at_peer = u->at_peer, .sni = u->peer && u->peer->sni[0] && u->policy == u->peer->policy ? u->peer->sni : u->hop.host };
	struct sip_conn *c = u->again ? NULL : sip_conn_find(u->core, &want);
	int err = 0;

	u->reused = c != NULL;
	u->peers_own = c && !c->opened;
	if (c && c->opened && u->at_peer && c->owner == u->peer) /* first dialled for another name of the same place */
		c->at_peer = true;
	if (!c)
		err = u->choice == SIP_CONN_PEERS_OWN ? ENOTCONN : sip_conn_open(&c, u->core, &want);
	if (err && uac_goes_by_udp(u, err)) {
		by_datagram(u, to);
		return;
	}
	if (err) {
		u->connect_err = err;
		target_failed(u, err);
		return;
	}
	u->conn = mem_ref(c);
	sip_conn_use(c, &u->use, on_conn, u);
	if (c->state == SIP_CONN_OPEN)
		on_conn(c, SIP_CONN_UP, u);
}

static void by_datagram(struct sip_uac *u, const struct net_addr *to)
{
	int err;

	sip_path_clear(&u->path);
	u->last_conn = mem_unref(u->last_conn); /* its story is not this one's */
	err = sip_path_udp(u->core, &u->path, to);
	if (err) {
		u->connect_err = err;
		target_failed(u, err);
	} else {
		send_now(u);
	}
}

static void next_target(struct sip_uac *u)
{
	const struct net_addr *to = &u->targets->target[u->at].addr;

	u->state = UAC_TRYING;
	if (!u->again)
		u->tried++;
	u->addr = *to;
	if (!u->again) /* the same again goes by the same way */
		u->transport = u->targets->target[u->at].transport;
	u->tcp_err = 0;
	if (u->transport != NET_UDP)
		by_stream(u, to);
	else
		by_datagram(u, to);
}

/* ---- names ---- */
static void on_targets(const struct dns_targets *t, void *arg)
{
	struct sip_uac *u = arg;

	u->resolve = NULL;
	*u->targets = *t;
	sip_core_looked_up(u->core, u->peer ? u->peer->name : "", t);
	if (t->outcome != DNS_OK || !t->n) {
		u->targets->n = 0;
		fail(u, EHOSTUNREACH);
		return;
	}
	next_target(u);
}

static void on_kick(void *arg)
{
	struct sip_uac *u = arg;

	if (u->start_err)
		fail(u, u->start_err);
	else
		next_target(u);
}

static void one_target(struct sip_uac *u, const struct net_addr *addr, enum net_transport by)
{
	u->targets->n = 1;
	u->targets->target[0].addr = *addr;
	u->targets->target[0].transport = u->hop.transport == NET_ANY ? by : u->hop.transport;
	u->no_dns = true;
	tmr_start(u->core->loop, &u->kick, 0, on_kick, u);
}

static void begin(struct sip_uac *u, const struct net_addr *only, enum net_transport only_by)
{
	uint16_t port = u->hop.port ? u->hop.port : u->hop.transport == NET_TLS ? 5061 : 5060;
	struct net_addr literal;

	if (net_addr_is_set(only)) {
		one_target(u, only, only_by);
	} else if (!net_addr_parse(&literal, text_of(u->hop.host), port)) {
		one_target(u, &literal, NET_UDP);
	} else if (u->choice == SIP_CONN_PEERS_OWN) {
		one_target(u, &(struct net_addr){ 0 }, NET_TLS);
	} else {
		u->start_err = u->core->prm.dns ? dns_resolve_sip(u->core->prm.dns, &u->resolve, text_of(u->hop.host), u->hop.port, u->hop.transport, on_targets, u) :
						  EHOSTUNREACH;
		if (u->start_err)
			tmr_start(u->core->loop, &u->kick, 0, on_kick, u);
	}
}

/* Who may be at the other end: the peer's own policy for its own names; any other host must hold its own name (RFC 5922 4). */
static int policy_for(struct sip_uac *u)
{
	const char *host = u->hop.host;

	u->at_peer = u->peer && sip_peer_owns_host(u->peer, text_of(host));
	if ((u->hop.transport != NET_TLS && u->hop.transport != NET_ANY) || !u->peer)
		return 0;
	/* The gateway's own host may be configured as an address: its names then say who may be there. */
	if (u->at_peer) {
		u->policy = mem_ref(u->peer->policy);
		return 0;
	}
	return trust_policy_one(&u->policy, u->peer->name, u->peer->rule, &host, 1);
}

int sip_uac_start(struct sip_uac **up, struct sip_core *core, const struct sip_uac_prm *prm)
{
	struct sip_uac *u;

	if (core->ending)
		return ECANCELED;
	u = mem_object(sizeof(*u), uac_destroy);
	if (!u)
		return ENOMEM;
	u->core = core;
	buf_init(&u->login.line, 4096);
	buf_init(&u->proxy_login.line, 4096);
	u->peer = mem_ref(prm->peer);
	u->hop = *prm->hop;
	u->transport = u->hop.transport == NET_ANY ? NET_UDP : u->hop.transport;
	u->choice = prm->choice;
	u->flow = prm->flow;
	u->new_dialog = prm->new_dialog;
	u->build = prm->build;
	u->h = prm->h;
	u->arg = prm->arg;
	text_fill(u->method, sizeof(u->method), prm->method);
	u->invite = text_is(text_of(prm->method), "INVITE");
	u->ack = text_is(text_of(prm->method), "ACK");
	text_fill(u->identity, sizeof(u->identity), prm->identity ? prm->identity : prm->peer ? prm->peer->identity : "");
	u->targets = mem_zalloc(1, sizeof(*u->targets));
	if (!u->targets || policy_for(u)) {
		mem_unref(u);
		return ENOMEM;
	}
	list_append(&core->uacs, &u->link);
	mem_ref(u);
	if (prm->timeout_ms)
		tmr_start(core->loop, &u->deadline, prm->timeout_ms, on_deadline, u);
	begin(u, &prm->only, prm->only_by);
	*up = u;
	return 0;
}

struct sip_uac *sip_uac_stop(struct sip_uac *u)
{
	if (!u)
		return NULL;
	u->h = NULL;
	if (u->state != UAC_DONE) {
		/* An ACK still on its way goes out; everything else stops here, its transaction absorbing what comes. */
		if (!u->ack)
			leave(u);
	}
	return mem_unref(u);
}

int sip_uac_cancel(struct sip_uac *u)
{
	struct sip_ctx *ctx;
	struct buf b;
	int err;

	if (!u->ctx || !u->received)
		return EAGAIN;
	buf_init(&b, SIP_HEAD_MAX_BYTES);
	err = sip_make_from_invite(&b, sip_ctx_request(u->ctx), "CANCEL", NULL);
	if (!err)
		err = sip_ctx_create(&ctx, u->core->txns, &u->path, u->branch, "CANCEL", &b, NULL, NULL);
	buf_free(&b);
	return err;
}

int sip_uac_err(const struct sip_uac *u)
{
	return u->err;
}

bool sip_uac_sent(const struct sip_uac *u)
{
	return u->sent;
}

const struct sip_path *sip_uac_path(const struct sip_uac *u)
{
	return &u->path;
}

void sip_uac_fate(const struct sip_uac *u, struct sip_result *res)
{
	res->addr = u->addr;
	res->tried = u->tried;
	res->reused = u->reused;
	res->peers_own = u->peers_own;
	res->err = u->err;
}

void sip_uacs_end(struct sip_core *core)
{
	struct link *l;

	while ((l = list_first(&core->uacs))) {
		struct sip_uac *u = LIST_ENTRY(l, struct sip_uac, link);
		u->h = NULL;
		leave(u);
	}
}
