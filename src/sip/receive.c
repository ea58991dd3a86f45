/* SPDX-License-Identifier: Apache-2.0 */
/* receive.c  A message's way in, top to bottom: parsed, matched with a transaction, checked (RFC 3261 8.2), recognised, handed on.
 * What is refused is answered with a sentence and counted; what nobody asked for is dropped.                           */
#include <errno.h>
#include "base/mem.h"
#include "sip/conns.h"
#include "sip/core_private.h"
#include "sip/trace.h"

/* ---- refusals ---- */
static void refused(struct sip_core *core)
{
	core->stats.refused++;
	metric_add(core->m.refused, 1);
}

static void report_malformed(struct sip_core *core, const struct sip_path *path, const struct sip_refusal *why)
{
	struct ev_report r;
	char peer[NET_ADDR_SIZE], words[256];
	uint64_t count;

	core->stats.malformed++;
	metric_add(core->m.malformed, 1);
	if (!sip_budget_tell(core->budget, &path->peer, SIP_TOLD_MALFORMED, &count))
		return;
	ev_set(&r, EV_SIP_MALFORMED);
	ev_str(&r, "peer", net_addr_print(&path->peer, peer));
	ev_str(&r, "transport", net_transport_name(path->transport));
	ev_str(&r, "why", sip_refusal_text(why, words, sizeof(words)));
	ev_int(&r, "status", why->status);
	ev_int(&r, "count", (int64_t)count);
	ev_emit(core->bus, &r);
}

struct refusal_more {
	const struct sip_msg *req;
	const struct sip_served *served;
	const struct sip_refusal *why;
};

static void put_refusal(struct buf *b, void *arg)
{
	struct refusal_more *m = arg;

	sip_put_refusal_headers(b, m->req, m->served, m->why);
}

static void refuse(struct sip_core *core, const struct sip_path *path, const struct sip_msg *req, const struct sip_served *served, const struct sip_refusal *why)
{
	char words[256];
	struct refusal_more more = { req, served, why };
	struct sip_reply r = { .status = why->status, .more = put_refusal, .arg = &more, .sentence = sip_refusal_text(why, words, sizeof(words)) };

	refused(core);
	sip_reply_stateless(core, path, req, &r);
}

static void refuse_status(struct sip_core *core, struct sip_stx *stx, unsigned status, const char *sentence)
{
	struct sip_reply r = { .status = status, .sentence = sentence };

	refused(core);
	(void)sip_reply(core, stx, &r);
}

void sip_receive_bad(struct sip_core *core, const struct sip_path *path, struct text head, const struct sip_refusal *why)
{
	struct sip_msg *msg = mem_alloc(sizeof(*msg));
	char words[256];
	struct sip_reply r = { .status = why->status, .sentence = sip_refusal_text(why, words, sizeof(words)) };

	report_malformed(core, path, why);
	if (msg && head.n) {
		(void)sip_msg_parse(msg, head.p, head.n, NULL);
		sip_reply_stateless(core, path, msg, &r);
	}
	mem_free(msg);
}

static void malformed(struct sip_core *core, const struct sip_path *path, const struct sip_msg *msg, const struct sip_refusal *why)
{
	char words[256];
	struct sip_reply r = { .status = why->status, .sentence = sip_refusal_text(why, words, sizeof(words)) };

	report_malformed(core, path, why);
	sip_reply_stateless(core, path, msg, &r);
}

/* ---- who ---- */
void sip_source(struct sip_source *src, struct trust_facts *facts, const struct sip_path *path)
{
	*src = (struct sip_source){ .addr = path->peer, .transport = path->transport, .listener = path->listener, .label = "",
				    .began_ms = path->conn ? path->conn->began_ms : 0 };
	if (path->transport != NET_TLS || !path->conn)
		return;
	src->facts = sip_conn_known(path->conn);
	if (!src->facts && facts) {
		sip_conn_facts(path->conn, facts);
		src->facts = facts;
	}
	src->label = sip_conn_label(path->conn);
}

struct sip_peer *sip_who(struct sip_core *core, const struct sip_path *path, struct ev_report *why)
{
	struct sip_source src;
	struct sip_peer *peer = NULL;
	struct trust_facts *facts;
	int err;

	/* On a connection that we opened the other side is whom we dialled: it proved it. But only where that was the peer: a Contact or route of a call
	 * leads to anybody. */
	if (path->conn && path->conn->opened && path->conn->at_peer && path->conn->owner && !path->conn->owner->notes_only)
		return mem_ref(path->conn->owner);
	if (!core->prm.lookup)
		return NULL;
	facts = path->transport == NET_TLS && path->conn && !sip_conn_known(path->conn) ? mem_alloc(sizeof(*facts)) : NULL;
	sip_source(&src, facts, path);
	err = path->transport == NET_TLS && !src.facts ? ENOMEM : core->prm.lookup(&src, &peer, why, core->prm.arg);
	mem_free(facts);
	if (err || !peer)
		return NULL;
	if (path->conn)
		sip_conn_recognised(path->conn, peer);
	return peer;
}

void sip_flow(struct sip_core *core, struct sip_peer *peer, const struct trust_facts *facts, bool works)
{
	if (core->prm.flow)
		core->prm.flow(peer, facts, works, core->prm.arg);
}

/* ---- requests ---- */
static void on_cancel(struct sip_core *core, struct sip_stx *stx, struct sip_stx *invite)
{
	struct sip_reply ok = { .status = 200 };

	(void)sip_reply(core, stx, &ok);
	sip_leg_cancelled(invite);
}

/* Outside of any dialog. */
static void on_new(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, struct sip_peer *peer)
{
	if (req->method != SIP_OPTIONS && !sip_auth_passes(core, stx, req, peer))
		return;
	switch (req->method) {
	case SIP_INVITE:
		sip_leg_invite(core, stx, req, peer);
		break;
	case SIP_OPTIONS:
		sip_options_answer(core, stx, peer, false);
		break;
	case SIP_SUBSCRIBE:
		sip_watch_new(core, stx, req, peer);
		break;
	case SIP_REFER:
		refuse_status(core, stx, 403, "a REFER is taken only within a call");
		break;
	default:
		refuse_status(core, stx, 481, "there is no call that this request belongs to");
	}
}

/* Before anything is kept of it: is it one that we serve, and is there what it belongs to? False: it was answered. */
static bool has_ground(struct sip_core *core, const struct sip_path *path, const struct sip_msg *req, bool note)
{
	const struct sip_served *served = note ? &sip_served_notes : req->method == SIP_INVITE ? &sip_served_calls : &sip_served;
	struct sip_stx *invite = req->method == SIP_CANCEL ? sip_stx_cancelled(core->txns, req) : NULL;
	struct sip_refusal why;
	struct sip_reply none = { .status = 481 };

	if (sip_msg_check(req, served, &why)) {
		refuse(core, path, req, served, &why);
		return false;
	}
	if (req->method == SIP_CANCEL && (!invite || !sip_stx_is_invite(invite)))
		none.sentence = "there is no INVITE that this CANCEL could mean";
	else if (req->method != SIP_CANCEL && !text_empty(req->to_tag) && !sip_leg_is_there(core, req) && !sip_watch_is_there(core, req))
		none.sentence = "this call does not exist (any more) on this node";
	if (!none.sentence)
		return true;
	refused(core);
	sip_reply_stateless(core, path, req, &none);
	return false;
}

static void serve(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, struct sip_peer *peer, bool merged)
{
	struct sip_stx *invite = req->method == SIP_CANCEL ? sip_stx_cancelled(core->txns, req) : NULL;

	if (invite)
		on_cancel(core, stx, invite);
	else if (merged)
		refuse_status(core, stx, 482, "this request came before by another way");
	else if (peer)
		on_new(core, stx, req, peer);
	else if (text_empty(req->to_tag))
		sip_note_take(core, stx, req);
	else if (!sip_leg_request(core, stx, req) && !sip_watch_request(core, stx, req))
		refuse_status(core, stx, 481, "this call does not exist (any more) on this node");
}

static void on_request(struct sip_core *core, const struct sip_path *path, const struct sip_msg *req)
{
	struct sip_path back = *path;
	struct sip_stx *stx = sip_stx_find(core->txns, req);
	struct sip_reply busy = { .status = 503, .sentence = "too many transactions at once", .retry_after_s = core->prm.limits.retry_after_s };
	struct sip_peer *peer = NULL;
	bool note, fresh, merged;

	if (path->conn) {
		sip_conn_saw_via(path->conn, &req->via);
		sip_conn_proven(path->conn);
	}
	/* RFC 3261 18.2.2, RFC 3581: back to the source address; its port only where rport asks for it. */
	if (path->transport == NET_UDP && !req->via.has_rport)
		net_addr_set_port(&back.peer, req->via.port ? req->via.port : 5060);
	/* RFC 6026 7.1: the ACK of a 2xx is the call's, also if its sender took the INVITE's branch for it once more. */
	if (stx && !(req->method == SIP_ACK && sip_stx_accepted(stx))) {
		sip_stx_again(stx, req, &back);
		return;
	}
	if (req->method == SIP_ACK) {
		if (!sip_leg_request(core, NULL, req))
			core->stats.stray++;
		return;
	}
	note = sip_is_note(core, path, req);
	fresh = text_empty(req->to_tag) && req->method != SIP_CANCEL;
	if (!has_ground(core, path, req, note) || (fresh && !note && !(peer = sip_admit(core, path, req))))
		return;
	merged = fresh && sip_stx_merged(core->txns, req);
	if (sip_stx_create(&stx, core->txns, req, &back)) {
		refused(core);
		sip_reply_stateless(core, path, req, &busy);
		mem_unref(peer);
		return;
	}
	metric_add(core->m.transactions, 1);
	mem_ref(stx);
	core->now.stx = stx;
	core->now.req = req;
	core->now.history_read = false;
	serve(core, stx, req, peer, merged);
	core->now.stx = NULL;
	core->now.req = NULL;
	mem_unref(stx);
	mem_unref(peer);
}

static void on_response(struct sip_core *core, const struct sip_path *path, const struct sip_msg *res)
{
	if (path->conn)
		sip_conn_proven(path->conn);
	if (!sip_ctx_receive(core->txns, res)) {
		core->stats.stray++;
		metric_add(core->m.stray, 1);
	}
}

void sip_receive(struct sip_core *core, const struct sip_path *path, struct text bytes)
{
	struct sip_refusal why;
	struct sip_msg *msg;

	sip_trace_message(core, path, true, bytes);
	msg = core->msg ? core->msg : mem_alloc(sizeof(*msg));
	core->msg = NULL;
	if (!msg)
		return;
	if (sip_msg_parse(msg, bytes.p, bytes.n, &why))
		malformed(core, path, msg, &why);
	else if (msg->request)
		on_request(core, path, msg);
	else
		on_response(core, path, msg);
	mem_free(core->msg);
	core->msg = msg;
}
