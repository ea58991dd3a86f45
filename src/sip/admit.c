/* SPDX-License-Identifier: Apache-2.0 */
/* admit.c  May this request from outside of any call come in? Whose it is, whether there is room for another call, whether its source asks too often: what
 * isn't taken is answered without keeping anything (RFC 3261 8.2.7), so that a flood finds nothing to fill. */
#include "base/mem.h"
#include "sip/conns.h"
#include "sip/core_private.h"

void sip_over_budget(struct sip_core *core, const struct net_addr *addr, enum sip_budget_what what)
{
	bool room = what == SIP_BUDGET_CONNS || what == SIP_BUDGET_HANDSHAKES;
	struct ev_report r;
	uint64_t count;
	char peer[NET_ADDR_SIZE];

	core->stats.refused++;
	metric_add(core->m.refused, 1);
	if (!sip_budget_refused(core->budget, addr, what, &count))
		return;
	sip_ev(core, &r, room ? EV_SIP_TOO_MANY_CONNECTIONS : EV_SIP_OVER_BUDGET, NULL);
	ev_str(&r, "peer", room ? net_addr_print(addr, peer) : net_addr_print_host(addr, peer));
	ev_str(&r, "what", sip_budget_word(what));
	ev_int(&r, "count", core->n_conns);
	ev_int(&r, "refused", (int64_t)count);
	ev_emit(core->bus, &r);
}

static void refused(struct sip_core *core, const struct sip_path *path, const struct sip_msg *req, const struct sip_reply *r)
{
	core->stats.refused++;
	metric_add(core->m.refused, 1);
	sip_reply_stateless(core, path, req, r);
}

static void unknown_peer(struct sip_core *core, const struct sip_path *path, const struct sip_msg *req, const struct ev_report *why)
{
	char peer[NET_ADDR_SIZE], words[400], sentence[320];
	struct ev_report r;
	uint64_t count;

	ev_sentence(why, words, sizeof(words));
	(void)text_print(sentence, sizeof(sentence), "%s is no gateway of this server", net_addr_print_host(&path->peer, peer));
	refused(core, path, req, &(struct sip_reply){ .status = 403, .sentence = sentence });
	if (!sip_budget_tell(core->budget, &path->peer, SIP_TOLD_STRANGER, &count))
		return;
	sip_ev(core, &r, EV_SIP_UNKNOWN_PEER, NULL);
	ev_str(&r, "peer", net_addr_print(&path->peer, peer));
	ev_str(&r, "transport", net_transport_name(path->transport));
	ev_text(&r, "method", req->method_text);
	ev_str(&r, "why", why->id ? words : sentence);
	ev_int(&r, "count", (int64_t)count);
	ev_emit(core->bus, &r);
}

/* What is known of a connection fills tens of kilobytes, and at hundreds of calls a second it is the same each time: once a second is enough. */
static bool told_just_now(struct sip_core *core, const struct sip_path *path, struct sip_peer *peer)
{
	enum { TELL_MS = 1000 };
	uint64_t conn = path->conn ? path->conn->wire_id : 0;
	int64_t now = clock_mono_ms(core->prm.clock);
	unsigned at = (unsigned)((uintptr_t)peer / 64 % (sizeof(core->came_in) / sizeof(*core->came_in)));

	if (!core->prm.flow_again)
		return false;
	if (core->came_in[at].peer == peer && core->came_in[at].conn == conn && net_addr_eq_host(&core->came_in[at].from, &path->peer) &&
	    now < core->came_in[at].until_ms && core->prm.flow_again(peer, core->prm.arg))
		return true;
	core->came_in[at].peer = peer;
	core->came_in[at].conn = conn;
	core->came_in[at].from = path->peer;
	core->came_in[at].until_ms = now + TELL_MS;
	return false;
}

static void call_came_in(struct sip_core *core, const struct sip_path *path, struct sip_peer *peer)
{
	struct trust_facts *f;

	if (!core->prm.flow || told_just_now(core, path, peer) || !(f = mem_alloc(sizeof(*f))))
		return;
	sip_path_facts(core, path, f);
	facts_flow(f, TRUST_FLOW_CALL_IN);
	facts_gateway(f, peer->name, peer->host);
	f->sip.received = true;
	sip_flow(core, peer, f, true);
	mem_free(f);
}

static void no_room(struct sip_core *core, const struct sip_path *path, const struct sip_msg *req, const struct sip_peer *peer, const struct sip_reply *r)
{
	struct ev_report ev;
	uint64_t count;

	refused(core, path, req, r);
	if (!sip_budget_tell(core->budget, &path->peer, SIP_TOLD_BUSY, &count))
		return;
	sip_ev(core, &ev, EV_SIP_CALL_REFUSED, NULL);
	ev_str(&ev, "gateway", peer->name);
	ev_int(&ev, "calls", core->n_legs);
	ev_str(&ev, "why", r->sentence);
	ev_int(&ev, "count", (int64_t)count);
	ev_emit(core->bus, &ev);
}

/* Contact: whom it called, elsewhere, as securely (RFC 3261 8.1.3.4). What else its URI says ("opaque=app:voicemail") may tell there what is wanted. It is
 * marked, so that two nodes that are drained at the same time do not send it to and fro: each would hear of the other only seconds later. */
struct elsewhere {
	const struct sip_msg *req;
	const char *place;
};
static const char sent_on[] = "umbel-sent-on";

static bool may_go(const struct sip_msg *req, const char *place)
{
	bool secure = strstr(place, ";transport=tls") != NULL;
	return *place && req->uri.has_user && (secure || req->uri.scheme != SIP_SCHEME_SIPS) && !sip_uri_param(&req->uri, sent_on, NULL);
}

static void put_elsewhere(struct buf *b, void *arg)
{
	const struct elsewhere *x = arg;
	static const char *const ways[] = { "transport", "maddr", "ttl", "lr" };
	struct text name, value, rest;

	if (x->req->uri.scheme == SIP_SCHEME_SIPS) /* which says TLS by itself (26.2.2) */
		buf_printf(b, "Contact: <sips:%.*s@%.*s", TEXT_FMT(x->req->uri.user), (int)strcspn(x->place, ";"), x->place);
	else
		buf_printf(b, "Contact: <sip:%.*s@%s", TEXT_FMT(x->req->uri.user), x->place);
	for (rest = x->req->uri.params; rest.n && !sip_param_next(&rest, &name, &value);) {
		bool way = false;
		for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways); i++)
			way = way || text_is_nocase(name, ways[i]);
		if (!way)
			buf_printf(b, value.n ? ";%.*s=%.*s" : ";%.*s%.*s", TEXT_FMT(name), TEXT_FMT(value));
	}
	buf_printf(b, ";%s>\r\n", sent_on);
}

static bool has_room(struct sip_core *core, const struct sip_path *path, const struct sip_msg *req, struct sip_peer *peer)
{
	unsigned of_peer = peer->max_dialogs ? peer->max_dialogs : core->prm.limits.legs_per_source;
	struct sip_reply r = { .status = 503, .retry_after_s = core->prm.limits.retry_after_s };
	struct sip_readiness ready;
	struct elsewhere elsewhere;

	core->stats.invites++;
	metric_add(core->m.invites, 1);
	if (!sip_budget_call(core->budget, &path->peer)) {
		sip_over_budget(core, &path->peer, SIP_BUDGET_CALLS);
		r.sentence = "too many new calls a second";
		sip_reply_stateless(core, path, req, &r);
		return false;
	}
	call_came_in(core, path, peer);
	if (!sip_is_ready(core, peer, &ready)) {
		r.sentence = ready.reason;
		r.retry_after_s = ready.retry_after_s;
		elsewhere = (struct elsewhere){ req, ready.elsewhere };
		if (may_go(req, ready.elsewhere))
			r = (struct sip_reply){ .status = 302, .sentence = ready.reason, .more = put_elsewhere, .arg = &elsewhere };
	} else if (core->n_legs >= core->prm.limits.legs || (core->n_legs >= of_peer && sip_legs_of(core, peer) >= of_peer)) {
		r.sentence = "too many calls at once";
		if (core->prm.limits.busy_when_full)
			r = (struct sip_reply){ .status = 486, .sentence = r.sentence };
	}
	if (r.sentence)
		no_room(core, path, req, peer, &r);
	return !r.sentence;
}

struct sip_peer *sip_admit(struct sip_core *core, const struct sip_path *path, const struct sip_msg *req)
{
	struct sip_peer *peer;

	core->why.id = 0;
	peer = sip_who(core, path, &core->why);
	if (!peer) {
		unknown_peer(core, path, req, &core->why);
		return NULL;
	}
	/* What asks whether we live is answered also when everything is full, and so is all that belongs to a call. */
	if (req->method != SIP_OPTIONS && sip_txns_count(core->txns) >= core->prm.limits.transactions) {
		no_room(core, path, req, peer, &(struct sip_reply){ .status = 503, .sentence = "too many transactions at once", .retry_after_s = core->prm.limits.retry_after_s });
		return mem_unref(peer);
	}
	if (req->method == SIP_INVITE && !has_room(core, path, req, peer))
		return mem_unref(peer);
	return peer;
}
