/* SPDX-License-Identifier: Apache-2.0 */
/* conns.c  A connection's life: dialled or accepted, handshake, messages, users, its end as facts. Which one may be used again: reuse.c. */
#include <assert.h>
#include <errno.h>
#include <unistd.h>
#include "base/mem.h"
#include "sip/conns.h"
#include "sip/core_private.h"
#include "trust/explain.h"
#include "trust_events.h"

static void conn_destroy(void *object)
{
	struct sip_conn *c = object;

	assert(list_empty(&c->users));
	tmr_cancel(&c->idle);
	tmr_cancel(&c->message);
	tmr_cancel(&c->slow);
	sip_framer_free(&c->framer);
	if (c->conn)
		conn_tap(c->conn, NULL, NULL);
	mem_unref(c->conn);
	mem_unref(c->owner);
	mem_unref(c->policy);
	mem_free(c->facts);
}

/* ---- facts ---- */
static enum trust_end end_of(enum conn_how how)
{
	switch (how) {
	case CONN_LOCAL: return TRUST_LOCAL;
	case CONN_FIN: return TRUST_FIN;
	case CONN_CLOSE_NOTIFY: return TRUST_CLOSE_NOTIFY;
	case CONN_RST: return TRUST_RST;
	case CONN_TIMEOUT: return TRUST_TIMED_OUT;
	case CONN_ERROR: break;
	}
	return TRUST_FAILED;
}

/* What TLS does not know. */
static void complete(struct sip_conn *c, struct trust_facts *f)
{
	struct sip_core *core = c->core;
	char addr[NET_ADDR_SIZE];

	f->now_s = clock_real_s(core->prm.clock);
	facts_us(f, core->prm.node, core->prm.fqdn, core->prm.service);
	text_fill(f->peer_addr, sizeof(f->peer_addr), net_addr_print(&c->peer, addr));
	if (c->opened && !f->connect_tried) {
		f->connect_tried = true;
		f->connected = c->up_ms || f->tls.started;
	}
	if (c->up_ms && !f->connected)
		facts_connect(f, 0, c->up_ms - c->began_ms);
	if (!c->opened && c->listener < SIP_LISTENERS)
		f->target_port = net_addr_port(&core->listener[c->listener].local);
	if (c->state == SIP_CONN_ENDED)
		facts_conn_end(f, &c->end);
}

static void gather(struct sip_conn *c, struct trust_facts *f)
{
	struct sip_core *core = c->core;

	if (c->transport != NET_TLS || !c->conn || !tls_conn_facts(c->conn, f)) {
		facts_init(f, c->opened ? TRUST_DIALLED : TRUST_ACCEPTED, c->transport == NET_TLS ? TRUST_TLS : TRUST_TCP,
		           clock_real_s(core->prm.clock));
		f->tls.used = c->transport == NET_TLS;
		if (c->tls_spoken)
			(void)facts_plain_bytes(f, c->first, c->n_first);
	}
	complete(c, f);
}

const struct trust_facts *sip_conn_known(struct sip_conn *c)
{
	struct trust_facts *own = c->state == SIP_CONN_OPEN && c->transport == NET_TLS ? tls_conn_own_facts(c->conn) : NULL;

	if (own)
		complete(c, own);
	return own;
}

void sip_conn_facts(struct sip_conn *c, struct trust_facts *f)
{
	if (c->facts)
		*f = *c->facts;
	else
		gather(c, f);
}

/* ---- users ---- */
static void on_idle(void *arg)
{
	struct sip_conn *c = arg;

	if (list_empty(&c->users) && !tmr_active(&c->message)) /* a message that has begun has a limit of its own */
		sip_conn_close(c);
}

/* Who is nobody's gateway, or has not said whose yet, may not stay for the pleasure of it. */
static int64_t idle_ms(const struct sip_conn *c)
{
	const struct sip_timers *t = &c->core->prm.timers;

	if (c->exclusive || c->suspect)
		return 0;
	return c->opened || c->owner || t->idle_ms < t->handshake_ms ? t->idle_ms : t->handshake_ms;
}

static void rest(struct sip_conn *c)
{
	if (c->state == SIP_CONN_OPEN && list_empty(&c->users) && !c->closing)
		tmr_start(c->core->loop, &c->idle, idle_ms(c), on_idle, c);
}

void sip_conn_use(struct sip_conn *c, struct sip_conn_user *u, void (*h)(struct sip_conn *, enum sip_conn_event, void *), void *arg)
{
	u->h = h;
	u->arg = arg;
	tmr_cancel(&c->idle);
	list_append(&c->users, &u->link);
}

void sip_conn_unuse(struct sip_conn *c, struct sip_conn_user *u)
{
	if (!link_linked(&u->link))
		return;
	list_remove(&u->link);
	if (c->exclusive && list_empty(&c->users))
		sip_conn_close(c);
	else
		rest(c);
}

/* Each user once; one may take itself or others out meanwhile. */
static void tell(struct sip_conn *c, enum sip_conn_event ev)
{
	struct list now = LIST_INIT(now);
	struct link *l;

	while ((l = list_pop(&c->users)))
		list_append(&now, l);
	while ((l = list_pop(&now))) {
		struct sip_conn_user *u = LIST_ENTRY(l, struct sip_conn_user, link);
		if (ev != SIP_CONN_DOWN)
			list_append(&c->users, l);
		u->h(c, ev, u->arg);
	}
}

/* ---- the end ---- */
static void leave(struct sip_conn *c)
{
	struct sip_core *core = c->core;

	if (!link_linked(&c->link))
		return;
	list_remove(&c->link);
	sip_budget_leave(core->budget, &c->seat);
	core->n_conns--;
	metric_set(core->m.conns, core->n_conns);
	mem_unref(c);
}

static void report_end(struct sip_conn *c)
{
	struct sip_core *core = c->core;
	struct ev_report r;
	char peer[NET_ADDR_SIZE];

	if (!ev_wanted(core->bus, EV_SIP_CONN_ENDED))
		return;
	ev_set(&r, EV_SIP_CONN_ENDED);
	ev_str(&r, "peer", net_addr_print(&c->peer, peer));
	ev_str(&r, "transport", net_transport_name(c->transport));
	ev_str(&r, "how", trust_end_name(end_of(c->end.how)));
	ev_str(&r, "error", c->end.err ? strerror(c->end.err) : "");
	ev_str(&r, "opened_by", c->opened ? "us" : "the peer");
	sip_ev_what(&r, (const char *const[]){ "how", "error", NULL });
	ev_int(&r, "established_ms", c->end.established ? c->end.since_established_ms : -1);
	ev_emit(core->bus, &r);
}

/* A scanner must not fill the log: one a second, the others are counted. */
static void report_tls_in(struct sip_conn *c)
{
	struct sip_core *core = c->core;
	int64_t now = clock_mono_ms(core->prm.clock);
	struct ev_report r;
	char peer[NET_ADDR_SIZE];

	if (core->tls_in_reported_ms && now - core->tls_in_reported_ms < 1000) {
		core->tls_in_silent++;
		return;
	}
	core->tls_in_reported_ms = now;
	ev_set(&r, EV_TRUST_INCOMING_TLS_FAILED);
	ev_str(&r, "peer", net_addr_print(&c->peer, peer));
	ev_str(&r, "verdict", "the connection ended before the handshake was done");
	sip_ev_verdict(&r, c->facts);
	if (core->tls_in_silent)
		ev_int(&r, "more", core->tls_in_silent);
	core->tls_in_silent = 0;
	ev_emit(core->bus, &r);
}

/* A peer that dialled us and never got as far as SIP: calls in may be broken, and nobody else would notice. Who shook hands, asked for a name
 * that is ours, and left without a word may be a health check: no failure for now; whoever listens to flows may think otherwise when it
 * happens again and again. */
static bool failed_in(struct sip_conn *c, bool *suspicious)
{
	struct trust_verdict v;

	if (c->opened || c->proven || !c->facts || !(c->tls_spoken || c->facts->tls.started || c->facts->tls.stalled))
		return false;
	facts_flow(c->facts, TRUST_FLOW_CALL_IN);
	trust_explain(c->facts, &v);
	*suspicious = v.id == TRUST_V_ACCEPTED_SAID_NOTHING;
	if (c->end.established)
		return c->tls_spoken || v.id == TRUST_V_SERVER_NAME_REFUSED;
	return v.id != TRUST_V_ACCEPTED_SAID_NOTHING;
}

static void on_closed(struct conn *conn, const struct conn_end *end, void *arg)
{
	struct sip_conn *c = arg;
	bool failed, suspicious = false;

	(void)conn;
	mem_ref(c);
	c->end = *end;
	c->state = SIP_CONN_ENDED;
	tmr_cancel(&c->idle);
	tmr_cancel(&c->message);
	tmr_cancel(&c->slow);
	c->facts = mem_alloc(sizeof(*c->facts));
	if (c->facts)
		gather(c, c->facts);
	sip_conn_tell_end(c);
	report_end(c);
	failed = failed_in(c, &suspicious);
	if (failed && !c->core->prm.flow) /* else who listens there says it: once a story, and not once a connection */
		report_tls_in(c);
	if (failed || suspicious)
		sip_flow(c->core, NULL, c->facts, false);
	tell(c, SIP_CONN_DOWN);
	leave(c);
	mem_unref(c);
}

void sip_conn_close(struct sip_conn *c)
{
	if (c->state == SIP_CONN_ENDED || c->closing)
		return;
	c->closing = true;
	tmr_cancel(&c->idle);
	conn_close(c->conn);
}

/* ---- messages ---- */
static void on_message_late(void *arg)
{
	struct sip_conn *c = arg;
	struct text head = sip_framer_give_up(&c->framer);
	struct sip_path path;
	struct ev_report r;
	char peer[NET_ADDR_SIZE];

	sip_ev(c->core, &r, EV_SIP_MESSAGE_STALLED, NULL);
	ev_str(&r, "peer", net_addr_print(&c->peer, peer));
	ev_int(&r, "seconds", c->core->prm.timers.message_ms / 1000);
	ev_emit(c->core->bus, &r);
	mem_ref(c);
	sip_conn_path(c, &path);
	if (head.n)
		sip_receive_bad(c->core, &path, head, &c->framer.why);
	sip_conn_close(c);
	sip_path_clear(&path);
	mem_unref(c);
}

static void pong(struct sip_conn *c)
{
	(void)conn_send(c->conn, "\r\n", 2);
}

static void take_message(struct sip_conn *c, const struct sip_path *path, struct text message)
{
	if (sip_budget_message(c->core->budget, &c->peer)) {
		sip_receive(c->core, path, message);
		return;
	}
	sip_over_budget(c->core, &c->peer, SIP_BUDGET_MESSAGES);
	sip_conn_close(c);
}

/* How long the rest of a message may take, and how many bytes may wait for theirs. */
static void await_rest(struct sip_conn *c, bool another)
{
	size_t waiting = sip_framer_midway(&c->framer) ? c->framer.in.room : 0;

	if (!waiting || another)
		tmr_cancel(&c->message);
	if (waiting && !tmr_active(&c->message) && c->state == SIP_CONN_OPEN)
		tmr_start(c->core->loop, &c->message, c->core->prm.timers.message_ms, on_message_late, c);
	if (sip_budget_bytes(c->core->budget, &c->seat, waiting))
		return;
	sip_over_budget(c->core, &c->peer, SIP_BUDGET_BYTES);
	sip_conn_close(c);
}

static void on_recv(struct conn *conn, const uint8_t *data, size_t n, void *arg)
{
	struct sip_conn *c = arg;
	struct sip_frame frame;
	struct sip_path path;
	enum sip_frame_kind kind;
	bool heard = false; /* a whole message */

	(void)conn;
	if (c->transport == NET_TCP && !c->n_first) {
		c->n_first = (uint8_t)(n < sizeof(c->first) ? n : sizeof(c->first));
		memcpy(c->first, data, c->n_first);
		c->tls_spoken = facts_plain_bytes(NULL, data, n);
	}
	if (c->tls_spoken) {
		sip_conn_close(c);
		return;
	}
	mem_ref(c);
	sip_conn_path(c, &path);
	while (n > 0 && c->state == SIP_CONN_OPEN && !c->closing) {
		size_t piece = n > 65536 ? 65536 : n;
		if (sip_framer_feed(&c->framer, data, piece)) {
			sip_conn_close(c);
			break;
		}
		data += piece;
		n -= piece;
		while (c->state == SIP_CONN_OPEN && !c->closing && (kind = sip_framer_next(&c->framer, &frame)) != SIP_FRAME_MORE) {
			if (kind == SIP_FRAME_MESSAGE) {
				heard = true;
				take_message(c, &path, frame.message);
			} else if (kind == SIP_FRAME_PING) {
				pong(c);
			} else if (kind == SIP_FRAME_BAD) {
				sip_receive_bad(c->core, &path, frame.message, &frame.why);
				sip_conn_close(c);
			}
		}
	}
	await_rest(c, heard);
	sip_conn_heed_queue(c);
	if (heard || c->owner || c->opened) /* by blank lines alone no stranger stays */
		rest(c);
	sip_path_clear(&path);
	mem_unref(c);
}

static void on_established(struct conn *conn, void *arg)
{
	struct sip_conn *c = arg;

	(void)conn;
	mem_ref(c);
	c->state = SIP_CONN_OPEN;
	c->up_ms = clock_mono_ms(c->core->prm.clock);
	sip_budget_up(c->core->budget, &c->seat);
	sip_conn_tell_up(c);
	tell(c, SIP_CONN_UP);
	rest(c);
	mem_unref(c);
}

static const struct conn_handlers handlers = { .established = on_established, .recv = on_recv, .drained = sip_conn_drained, .closed = on_closed };

int sip_conn_send(struct sip_conn *c, const void *p, size_t n)
{
	if (c->state != SIP_CONN_OPEN || c->closing)
		return ENOTCONN;
	return conn_send(c->conn, p, n);
}

/* ---- birth ---- */
static struct sip_conn *make(struct sip_core *core, enum net_transport transport, const struct net_addr *peer)
{
	struct sip_conn *c = mem_object(sizeof(*c), conn_destroy);

	if (!c)
		return NULL;
	c->core = core;
	c->transport = transport;
	c->peer = *peer;
	c->listener = UINT_MAX;
	c->wire_id = ++core->last_wire_id;
	c->began_ms = clock_mono_ms(core->prm.clock);
	list_init(&c->users);
	sip_framer_init(&c->framer);
	return c;
}

/* Into the table, which holds the first reference. */
static void enter(struct sip_conn *c)
{
	list_append(&c->core->conns, &c->link);
	c->core->n_conns++;
	metric_set(c->core->m.conns, c->core->n_conns);
}

static int tls_dial(struct sip_conn *c, const struct sip_conn_want *want, struct conn_filter *filter)
{
	struct sip_core *core = c->core;
	struct trust_set *set = core->prm.trust ? trust_keeper_get(core->prm.trust) : NULL;
	struct net_addr literal;
	struct tls_filter_prm prm = { .loop = core->loop, .crypto = core->prm.crypto, .handshake_ms = core->prm.timers.handshake_ms };
	int err;

	if (!set)
		return ENOKEY;
	prm.tls = (struct tls_prm){ .role = TRUST_DIALLED, .set = set, .policy = want->policy, .clock = core->prm.clock };
	prm.tls.identity = trust_set_find(set, want->identity);
	if (!prm.tls.identity) {
		mem_unref(set);
		return ENOKEY;
	}
	text_fill(c->shown, sizeof(c->shown), trust_identity_fingerprint(prm.tls.identity));
	if (want->peer)
		prm.tls.limits = want->peer->tls;
	prm.tls.keylog = core->wire.keylog;
	prm.tls.keylog_arg = core->wire.arg;
	prm.tls.sni = want->sni;
	if (prm.tls.sni && !net_addr_parse(&literal, text_of(prm.tls.sni), 0))
		prm.tls.sni = NULL;
	err = tls_filter_make(filter, &prm);
	mem_unref(set);
	return err;
}

int sip_conn_open(struct sip_conn **cp, struct sip_core *core, const struct sip_conn_want *want)
{
	struct sip_conn *c = make(core, want->transport, &want->addr);
	struct conn_filter filter;
	bool tls = want->transport == NET_TLS;
	int err;

	if (!c)
		return ENOMEM;
	c->opened = true;
	c->exclusive = want->choice == SIP_CONN_FRESH;
	c->at_peer = want->at_peer;
	c->owner = mem_ref(want->peer);
	c->policy = mem_ref(want->policy);
	text_fill(c->identity, sizeof(c->identity), want->identity);
	err = tls ? tls_dial(c, want, &filter) : 0;
	if (!err)
		err = conn_connect(&c->conn, core->loop, &want->addr, NULL, core->prm.timers.connect_ms, tls ? &filter : NULL, &handlers, c);
	if (err) {
		mem_unref(c);
		return err;
	}
	conn_tap(c->conn, sip_conn_on_tap, c);
	core->stats.opened++;
	metric_add(core->m.opened, 1);
	enter(c);
	*cp = c;
	return 0;
}

static int tls_accept(struct sip_conn *c, struct conn_filter *filter)
{
	struct sip_core *core = c->core;
	struct trust_set *set = core->prm.trust ? trust_keeper_get(core->prm.trust) : NULL;
	struct tls_filter_prm prm = { .loop = core->loop, .crypto = core->prm.crypto, .handshake_ms = core->prm.timers.handshake_ms };
	int err;

	if (!set)
		return ENOKEY;
	prm.tls = (struct tls_prm){ .role = TRUST_ACCEPTED, .set = set, .policy = core->prm.accept, .clock = core->prm.clock,
		                    .limits = core->prm.accept_tls, .keylog = core->wire.keylog, .keylog_arg = core->wire.arg };
	prm.tls.identity = trust_set_find(set, core->prm.listen[c->listener].identity);
	err = tls_filter_make(filter, &prm);
	mem_unref(set);
	return err;
}

static void unseat(struct sip_conn *c)
{
	sip_budget_leave(c->core->budget, &c->seat);
	mem_unref(c);
}

void sip_conn_accept(struct sip_core *core, unsigned listener, int fd, const struct net_addr *peer)
{
	enum net_transport transport = core->prm.listen[listener].transport;
	struct sip_conn *c = NULL;
	struct conn_filter filter;
	struct sip_seat seat = { 0 };
	enum sip_budget_what what;

	if (core->ending || !sip_budget_sit(core->budget, peer, transport == NET_TLS, &seat, &what) || !(c = make(core, transport, peer))) {
		close(fd);
		core->stats.refused++;
		if (seat.source)
			sip_budget_leave(core->budget, &seat);
		else if (!core->ending)
			sip_over_budget(core, peer, what);
		return;
	}
	c->seat = seat;
	c->listener = listener;
	if (c->transport == NET_TLS && tls_accept(c, &filter)) {
		close(fd);
		unseat(c);
		return;
	}
	if (conn_adopt(&c->conn, core->loop, fd, peer, c->transport == NET_TLS ? &filter : NULL, &handlers, c)) {
		unseat(c);
		return;
	}
	conn_tap(c->conn, sip_conn_on_tap, c);
	core->stats.accepted++;
	metric_add(core->m.accepted, 1);
	enter(c);
}

void sip_conns_end(struct sip_core *core)
{
	struct link *l;

	while ((l = list_first(&core->conns))) {
		struct sip_conn *c = LIST_ENTRY(l, struct sip_conn, link);
		c->state = SIP_CONN_ENDED;
		tmr_cancel(&c->idle);
		tmr_cancel(&c->message);
		tmr_cancel(&c->slow);
		conn_abort(c->conn, false);
		while ((l = list_first(&c->users)))
			list_remove(l);
		leave(c);
	}
}

void sip_core_each_conn(struct sip_core *core, sip_conn_each_h *each, void *arg)
{
	int64_t now = clock_mono_ms(core->prm.clock);

	LIST_FOREACH (&core->conns, it) {
		struct sip_conn *c = LIST_ENTRY(it, struct sip_conn, link);
		struct tls *tls = c->transport == NET_TLS && c->state == SIP_CONN_OPEN ? tls_of_conn(c->conn) : NULL;
		struct trust_identity *ours = tls ? tls_identity(tls) : NULL;
		struct sip_conn_info info = { .transport = c->transport, .peer = c->peer, .opened = c->opened, .owner = c->owner ? c->owner->name : "" };
		if (c->state != SIP_CONN_OPEN)
			continue;
		info.identity = ours ? trust_identity_name(ours) : c->identity;
		info.sha256 = ours ? trust_identity_fingerprint(ours) : c->shown;
		info.peer_name = tls ? tls_peer_name(tls) : "";
		info.age_ms = now - c->up_ms;
		each(&info, arg);
	}
}

void sip_conn_saw_via(struct sip_conn *c, const struct sip_via *via)
{
	if (c->opened || !via->has_alias)
		return;
	c->alias_port = via->port ? via->port : sip_transport_port(via->transport);
}

void sip_conn_recognised(struct sip_conn *c, struct sip_peer *peer)
{
	if (c->opened || c->owner == peer)
		return;
	mem_unref(c->owner);
	c->owner = mem_ref(peer);
	if (c->transport == NET_TLS)
		sip_budget_proven(c->core->budget, &c->seat);
}

void sip_conn_proven(struct sip_conn *c)
{
	struct tls *tls;

	if (c->proven)
		return;
	c->proven = true;
	tls = c->transport == NET_TLS && c->state == SIP_CONN_OPEN ? tls_of_conn(c->conn) : NULL;
	if (tls)
		tls_proven(tls);
}

void sip_conn_silent(struct sip_conn *c)
{
	c->suspect = c->opened;
}

const char *sip_conn_label(struct sip_conn *c)
{
	struct tls *tls = c->transport == NET_TLS && c->state == SIP_CONN_OPEN ? tls_of_conn(c->conn) : NULL;

	return tls ? tls_peer_label(tls) : "";
}

void sip_conn_path(struct sip_conn *c, struct sip_path *path)
{
	*path = (struct sip_path){ .transport = c->transport, .peer = c->peer, .conn = mem_ref(c), .listener = c->listener };
	if (c->conn)
		path->local = *conn_local(c->conn);
}
