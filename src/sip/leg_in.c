/* SPDX-License-Identifier: Apache-2.0 */
/* leg_in.c  A call that is offered to us: INVITE, the owner's word, 200 repeated until its ACK, CANCEL. (RFC 3261 13.3, 9.2, RFC 6026) */
#include <errno.h>
#include "base/mem.h"
#include "sip/conns.h"
#include "sip/leg_private.h"

/* ---- the INVITE transaction ---- */
static void on_stx(struct sip_stx *stx, enum sip_stx_event ev, void *arg)
{
	struct leg *leg = arg;

	if (ev != SIP_STX_OVER || leg->invite != stx)
		return;
	leg->invite = mem_unref(leg->invite);
}

void leg_invite_take(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req)
{
	leg_invite_dropped(leg);
	leg->invite = mem_ref(stx);
	leg->invite_cseq = req->cseq.number;
	sip_stx_handler(stx, on_stx, leg);
}

void leg_invite_dropped(struct leg *leg)
{
	if (!leg->invite)
		return;
	sip_stx_handler(leg->invite, NULL, NULL);
	if (leg->state == LEG_S_OFFERED)
		leg_reply(leg, leg->invite, 480, NULL);
	leg->invite = mem_unref(leg->invite);
}

static void refuse_sdp(struct sip_core *core, struct leg *leg, const struct sip_refusal *why)
{
	char words[256];

	core->stats.refused++;
	leg_reply(leg, leg->invite, why->status ? why->status : 488, sip_refusal_text(why, words, sizeof(words)));
}

/* The offer, copied; 0 also when there is none. */
static int offer_keep(struct leg *leg, const struct sip_msg *req, struct sip_refusal *why)
{
	const struct sdp *parsed;
	struct text sdp;
	int err = sip_msg_sdp(req, &sdp, why);

	if (err == ENOENT)
		return 0;
	if (err)
		return err;
	leg->offer = text_dup(sdp);
	return leg->offer ? leg_offer_read(leg, text_of(leg->offer), &parsed, why) : ENOMEM;
}

static void report_offered(struct leg *leg)
{
	struct ev_report r;
	char peer[NET_ADDR_SIZE];

	ev_set(&r, EV_SIP_CALL_OFFERED);
	ev_session(&r, leg->session);
	ev_str(&r, "gateway", leg->peer->name);
	ev_str(&r, "peer", net_addr_print(&leg->info.source, peer));
	ev_str(&r, "called", leg->info.called.uri);
	ev_str(&r, "caller", leg->info.from.uri);
	ev_str(&r, "call_id", leg->info.call_id);
	ev_emit(leg->core->bus, &r);
}

void sip_leg_invite(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, struct sip_peer *peer)
{
	struct leg *leg;
	struct sip_reply trying = { .status = 100 }, broken = { .status = 500 };
	struct sip_refusal why = { .sentence = "" };
	int err;

	if (leg_timer_too_short(core, stx, req, TEXT_NONE) || sip_leg_replaces(core, stx, req, peer))
		return;
	leg = leg_make(core, peer, true, NULL);
	err = leg ? sip_dialog_uas(&leg->d, req, sip_stx_path(stx)->transport) : ENOMEM;
	if (!err)
		err = leg_enter(leg);
	if (err) {
		broken.status = err == EBADMSG ? 400 : 500;
		broken.sentence = err == EBADMSG ? "INVITE has no Contact or Record-Route that can be used" : NULL;
		(void)sip_reply(core, stx, &broken);
		mem_unref(leg);
		return;
	}
	leg_invite_take(leg, stx, req);
	leg->prack_wanted = sip_msg_has_token(req, SIP_HDR_REQUIRE, "100rel");
	leg_texts_begin(leg);
	leg_info_fill(leg, req, sip_stx_path(stx));
	leg_texts_settle(leg);
	leg_timer_asked(leg, req);
	err = offer_keep(leg, req, &why);
	if (err) {
		refuse_sdp(core, leg, &why);
		leg->ghost = true;
		leg_over(leg, LEG_END_REJECTED, (int)why.status, why.sentence, NULL);
		mem_unref(leg);
		return;
	}
	if (ev_wanted(core->bus, EV_SIP_CALL_OFFERED))
		report_offered(leg);
	if (core->prm.offered)
		core->prm.offered(leg, core->prm.arg);
	/* Who did not answer at once may take longer than the 200 ms of RFC 3261 17.2.1. */
	if (leg->state == LEG_S_OFFERED && !sip_stx_status(stx) && mem_refs(leg) > 2)
		(void)sip_reply(core, stx, &trying);
	/* Nobody took it. */
	if (leg->state == LEG_S_OFFERED && mem_refs(leg) <= 2) {
		leg_reply(leg, leg->invite, 480, "nobody takes this call");
		leg_over(leg, LEG_END_REJECTED, 480, "nobody took the call", NULL);
	}
	mem_unref(leg);
}

void sip_leg_cancelled(struct sip_stx *invite)
{
	struct leg *leg = sip_stx_handler_of(invite) == on_stx ? sip_stx_arg(invite) : NULL;

	/* After the 200 a CANCEL comes too late and has no effect (9.2). */
	if (!leg || leg->state != LEG_S_OFFERED)
		return;
	leg_reply(leg, invite, 487, NULL);
	leg_over(leg, LEG_END_CANCELLED, 487, "the caller gave up", NULL);
}

/* ---- 2xx until ACK ---- */
void leg_accept_stop(struct leg *leg)
{
	struct leg_accept *a = leg->accept;

	if (!a)
		return;
	tmr_cancel(&a->repeat);
	tmr_cancel(&a->give_up);
	mem_unref(a->stx);
	buf_free(&a->bytes);
	mem_free(a);
	leg->accept = NULL;
}

static void on_repeat(void *arg)
{
	struct leg *leg = arg;
	struct leg_accept *a = leg->accept;
	unsigned t2 = leg->core->prm.timers.t2;

	(void)sip_stx_respond(a->stx, 200, a->bytes.p, a->bytes.n);
	a->repeat_ms = a->repeat_ms * 2 > t2 ? t2 : a->repeat_ms * 2;
	tmr_start(leg->core->loop, &a->repeat, a->repeat_ms, on_repeat, leg);
}

static void on_no_ack(void *arg)
{
	struct leg *leg = arg;
	struct ev_report r;

	sip_ev(leg->core, &r, EV_SIP_NO_ACK, leg->session);
	ev_str(&r, "gateway", leg->peer ? leg->peer->name : "");
	ev_emit(leg->core->bus, &r);
	mem_ref(leg);
	leg_accept_stop(leg);
	leg_bye_send(leg, NULL);
	leg_over(leg, LEG_END_FAILED, 408, "our 200 was never acknowledged", NULL);
	mem_unref(leg);
}

int leg_accept_send(struct leg *leg, struct sip_stx *stx, uint32_t cseq, struct text sdp, bool initial, bool our_offer)
{
	struct sip_reply r = { .status = 200, .to_tag = text_of(leg->d.local_tag), .more = leg_put_session, .arg = leg, .body_type = "application/sdp", .body = sdp };
	struct leg_accept *a = mem_zalloc(1, sizeof(*a));
	int err;

	if (!a)
		return ENOMEM;
	buf_init(&a->bytes, SIP_HEAD_MAX_BYTES + SIP_BODY_MAX_BYTES);
	r.keep = &a->bytes;
	err = sip_reply(leg->core, stx, &r);
	if (!a->bytes.n) {
		buf_free(&a->bytes);
		mem_free(a);
		return err ? err : ENOMEM;
	}
	leg->accept = a;
	a->stx = mem_ref(stx);
	a->cseq = cseq;
	a->initial = initial;
	a->our_offer = our_offer;
	a->repeat_ms = leg->core->prm.timers.t1;
	/* Over streams too: only the ACK proves that a 2xx reached the caller (13.3.1.4). */
	tmr_start(leg->core->loop, &a->repeat, a->repeat_ms, on_repeat, leg);
	tmr_start(leg->core->loop, &a->give_up, (int64_t)leg->core->prm.timers.t1 * 64, on_no_ack, leg);
	return 0;
}

static bool answer_in_ack(struct leg *leg, const struct sip_msg *ack)
{
	struct sip_refusal why = { .sentence = "" };
	struct ev_report r;
	struct sdp_agreed agreed;
	struct text sdp;
	bool tell = leg->state == LEG_S_UP;

	if (!sip_msg_sdp(ack, &sdp, &why) && !leg_sdp_accept(leg, sdp, &agreed, &why) && !leg_media_apply(leg, &agreed, tell))
		return true;
	(void)leg_srtp_report(leg, &why, &r);
	return false;
}

void leg_on_ack(struct leg *leg, const struct sip_msg *ack)
{
	const struct leg_accept *a = leg->accept;
	struct leg_event up = { .type = LEG_ANSWERED, .status = 200 };
	bool initial, our_offer;

	if (!a || a->cseq != ack->cseq.number)
		return; /* repeated */
	initial = a->initial;
	our_offer = a->our_offer;
	leg_accept_stop(leg);
	if (leg->state != LEG_S_ANSWERING && leg->state != LEG_S_UP)
		return;
	if (our_offer && !answer_in_ack(leg, ack)) {
		leg_bye_send(leg, "the ACK brought no usable answer to our offer");
		leg_over(leg, LEG_END_FAILED, 488, "the ACK brought no usable answer to our offer", NULL);
		return;
	}
	if (leg->hangup_wanted) {
		leg->hangup_wanted = false;
		leg_set_state(leg, LEG_S_HANGING);
		leg_bye_send(leg, leg->hangup_reason);
		return;
	}
	if (initial) {
		leg_set_state(leg, LEG_S_UP);
		leg_timer_start(leg);
		leg_emit(leg, &up);
	}
}

/* ---- verbs ---- */
int leg_ring(struct leg *leg)
{
	struct sip_reply r = { .status = 180, .to_tag = text_of(leg->d.local_tag), .more = leg_put_2xx, .arg = leg };

	if (leg->state == LEG_S_OVER)
		return ENOTCONN;
	if (leg->state != LEG_S_OFFERED)
		return EALREADY;
	return leg->prack_wanted ? leg_reliable_ring(leg) : sip_reply(leg->core, leg->invite, &r);
}

void leg_put_2xx(struct buf *b, void *arg)
{
	struct leg *leg = arg;
	struct sip_self self;
	const struct sip_path *path = leg->invite ? sip_stx_path(leg->invite) : NULL;
	struct sip_path any = { .transport = leg->info.transport, .peer = leg->info.source, .listener = UINT_MAX };

	sip_self(leg->core, path ? path : &any, &self);
	sip_put_contact(b, &self, TEXT("umbel"), false);
	sip_put_capabilities(b);
}

void leg_put_session(struct buf *b, void *arg)
{
	leg_put_2xx(b, arg);
	leg_timer_put_response(arg, b);
}

static void no_codec(struct leg *leg, const struct sip_refusal *why, struct ev_report *report)
{
	char words[256], codecs[160] = "";
	struct sdp *sdp = mem_alloc(sizeof(*sdp));

	if (sdp && leg->offer && !sdp_parse(sdp, text_of(leg->offer), NULL))
		sdp_offered_codecs(sdp, codecs, sizeof(codecs));
	mem_free(sdp);
	sip_refusal_text(why, words, sizeof(words));
	if (leg_srtp_report(leg, why, report)) {
		leg_reply(leg, leg->invite, why->status, words);
		leg_over_later(leg, LEG_END_REJECTED, (int)why->status, why->sentence);
		return;
	}
	if (why->fault == SIP_FAULT_SDP_NO_CODEC && codecs[0])
		(void)text_print(words, sizeof(words), "%s %s", why->sentence, codecs);
	ev_set(report, EV_SIP_NO_COMMON_CODEC);
	ev_session(report, leg->session);
	ev_str(report, "gateway", leg->peer ? leg->peer->name : "");
	ev_str(report, "offered", codecs[0] ? codecs : "nothing");
	ev_str(report, "allowed", sdp_codecs_text(leg->peer ? &leg->peer->codecs : NULL, codecs, sizeof(codecs)));
	ev_str(report, "why", words);
	leg_reply(leg, leg->invite, why->status ? why->status : 488, words);
	leg_over_later(leg, LEG_END_REJECTED, (int)why->status, words);
}

int leg_answer(struct leg *leg, struct media_port *port, struct ev_report *why)
{
	struct sdp_agreed agreed;
	struct sip_refusal refusal;
	bool theirs = leg->offer != NULL;
	struct buf sdp;
	int err;

	if (leg->state == LEG_S_OVER)
		return ENOTCONN;
	if (leg->state != LEG_S_OFFERED || !leg->invite)
		return EALREADY;
	leg->port = port;
	buf_init(&sdp, 16384);
	err = theirs ? leg_sdp_answer(leg, text_of(leg->offer), &sdp, &agreed, &refusal) : leg_sdp_offer(leg, SDP_SENDRECV, &sdp);
	if (err == EPROTO)
		no_codec(leg, &refusal, why);
	if (!err && theirs)
		err = leg_media_apply(leg, &agreed, false);
	/* A way that is gone is not known to be gone for good: the 200 is repeated, and the ACK will tell. */
	if (!err)
		err = leg_accept_send(leg, leg->invite, leg->invite_cseq, buf_as_text(&sdp), true, !theirs);
	buf_free(&sdp);
	if (err) {
		leg->port = NULL;
		return err;
	}
	leg_set_state(leg, LEG_S_ANSWERING);
	leg_reliable_stop(leg);
	leg_offer_drop(leg);
	return 0;
}

struct moved {
	const struct leg *leg;
	char uri[600];
};

static void put_moved(struct buf *b, void *arg)
{
	const struct moved *m = arg;
	struct sip_addr_prm to = { .uri = text_of(m->uri) };
	struct sip_uri u;

	sip_put_addr(b, "Contact", &to);
	/* RFC 5806 6: whoever sends a call on says whose it was. */
	if (!sip_uri_parse(&u, text_of(m->leg->info.called.uri), NULL))
		sip_put_printf(b, "Diversion", "<%s>;reason=unconditional", m->leg->info.called.uri);
}

static int refuse_call(struct leg *leg, const struct sip_reply *r)
{
	int err;

	if (leg->state == LEG_S_OVER)
		return ENOTCONN;
	if (leg->state != LEG_S_OFFERED || !leg->invite)
		return EALREADY;
	leg->core->stats.refused++;
	metric_add(leg->core->m.refused, 1);
	err = sip_reply(leg->core, leg->invite, r);
	leg_over_later(leg, LEG_END_REJECTED, (int)r->status, r->sentence);
	return err;
}

int leg_redirect(struct leg *leg, const char *contact, const char *reason_text)
{
	struct moved m = { .leg = leg };
	struct sip_reply r = { .status = 302, .to_tag = text_of(leg->d.local_tag), .sentence = reason_text, .more = put_moved, .arg = &m };
	struct sip_uri u;

	if (sip_uri_parse(&u, text_of(contact), NULL) || u.scheme == SIP_SCHEME_OTHER || text_copy(text_of(contact), m.uri, sizeof(m.uri)))
		return EINVAL;
	return refuse_call(leg, &r);
}

int leg_reject(struct leg *leg, int status, const char *reason_text, unsigned retry_after_s)
{
	struct sip_reply r = { .status = (unsigned)status, .to_tag = text_of(leg->d.local_tag), .sentence = reason_text, .retry_after_s = retry_after_s };

	return status < 300 || status > 699 ? EINVAL : refuse_call(leg, &r);
}
