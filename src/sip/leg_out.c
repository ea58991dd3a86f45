/* SPDX-License-Identifier: Apache-2.0 */
/* leg_out.c  A call of ours: INVITE with our offer, progress, the answer and its ACK, CANCEL and the races around it. (RFC 3261 13.2, 9.1) */
#include <errno.h>
#include "base/mem.h"
#include "sip/conns.h"
#include "sip/leg_private.h"

void leg_out_drop(struct leg *leg)
{
	if (!leg->out)
		return;
	tmr_cancel(&leg->out->ring);
	leg->out->invite = NULL;
}

void leg_out_free(struct leg *leg)
{
	if (!leg->out)
		return;
	tmr_cancel(&leg->out->ring);
	mem_free(leg->out->redirect);
	buf_free(&leg->out->said);
	mem_free(leg->out);
	leg->out = NULL;
}

static int out_make(struct leg *leg)
{
	leg->out = mem_zalloc(1, sizeof(*leg->out));
	if (!leg->out)
		return ENOMEM;
	buf_init(&leg->out->said, SIP_HEAD_MAX_BYTES);
	return 0;
}

static void failed(struct leg *leg, struct leg_req *q, enum sip_uac_event ev)
{
	const struct trust_facts *facts = sip_uac_facts(q->uac);

	leg->out->invite = NULL;
	if (leg->cancel_wanted)
		leg_over(leg, LEG_END_CANCELLED, 487, "", NULL);
	else if (ev == SIP_UAC_TIMEOUT)
		leg_over(leg, LEG_END_FAILED, 408, "no answer", facts);
	else
		leg_over(leg, LEG_END_FAILED, 0, strerror(sip_uac_err(q->uac)), facts);
}

static void flow_told(struct leg *leg, struct leg_req *q, bool works)
{
	const struct trust_facts *facts = sip_uac_facts(q->uac);

	if (facts && leg->peer)
		sip_flow(leg->core, leg->peer, facts, works);
}

static void cancel_now(struct leg *leg)
{
	if (leg->out->cancel_sent || !leg->out->invite || !leg->out->provisional)
		return;
	leg->out->cancel_sent = !sip_uac_cancel(leg->out->invite->uac);
}

/* The peer neither refuses nor answers after our CANCEL (9.1: wait 64*T1). */
static void on_cancel_late(void *arg)
{
	leg_over(arg, LEG_END_CANCELLED, 487, "", NULL);
}

static void on_ring_late(void *arg)
{
	struct leg *leg = arg;

	(void)leg_cancel(leg);
}

static int invite_send(struct leg *leg);

/* Moved (RFC 3261 8.1.3.4): the first place named that is the gateway's own, by its host or a name of its certificate. It may send us about among its
 * members, not to a stranger; and twice at most. */
static bool redirected(struct leg *leg, const struct sip_msg *res, struct text *target)
{
	struct sip_iter it = sip_iter_of(res, SIP_HDR_CONTACT);
	enum { REDIRECTS_MAX = 2 };
	struct sip_addr a;
	int err;

	while ((err = sip_iter_addr(&it, &a)) != ENOENT) {
		struct sip_hop hop;
		if (err || a.star || a.uri.headers.n || sip_hop_of_uri(&hop, a.uri.whole, leg->d.transport) || hop.transport != leg->d.transport)
			continue;
		if (!sip_peer_owns_host(leg->peer, text_of(hop.host)) || text_is(a.uri.whole, leg->d.target))
			continue;
		if (leg->out->redirects++ >= REDIRECTS_MAX)
			return false;
		if (!leg->out->redirect && !(leg->out->redirect = mem_alloc(sizeof(hop))))
			return false;
		*leg->out->redirect = hop;
		*target = a.uri.whole;
		return true;
	}
	return false;
}

/* A refusal that says how it would be taken: once more so. */
static bool said_again(struct leg *leg, const struct sip_msg *res)
{
	enum { TIMES_MAX = 5 };
	char room[1024];
	struct text target;

	if (leg->cancel_wanted || leg->out->again == TIMES_MAX)
		return false;
	switch (res->status) {
	case 301:
	case 302:
		if (!redirected(leg, res, &target) || leg_history_moved(leg, target))
			return false;
		break;
	case 422:
		if (!leg_timer_longer(leg, res) || text_copy(text_of(leg->d.target), room, sizeof(room)))
			return false;
		target = text_of(room);
		break;
	default:
		return false;
	}
	if (sip_dialog_anew(&leg->d, target))
		return false;
	leg_reliable_anew(leg);
	leg->out->again++;
	leg->out->provisional = false;
	return !invite_send(leg);
}

static void refused(struct leg *leg, struct leg_req *q, const struct sip_msg *res)
{
	char words[200];

	text_escape(res->phrase, words, sizeof(words));
	leg->out->invite = NULL;
	if (said_again(leg, res))
		return;
	leg_srtp_refused(leg, res->status, words);
	flow_told(leg, q, res->status != 403 && res->status != 408 && res->status < 500);
	if (leg->cancel_wanted)
		leg_over(leg, LEG_END_CANCELLED, (int)res->status, words, NULL);
	else
		leg_over(leg, LEG_END_REJECTED, (int)res->status, words, sip_uac_facts(q->uac));
}

/* Another branch of a fork answered too: acknowledged and hung up by a leg that nobody sees (13.2.2.4). */
static void forked(struct leg *leg, struct leg_req *q, const struct sip_msg *res)
{
	struct leg *ghost = leg_make(leg->core, leg->peer, false, leg->session);
	int err = ghost ? sip_dialog_uac(&ghost->d, leg->d.local_uri, leg->d.local_display, leg->d.remote_uri, leg->d.call_id, leg->d.transport) : ENOMEM;

	if (!err) {
		ghost->ghost = true;
		ghost->state = LEG_S_UP;
		text_fill(ghost->d.local_tag, sizeof(ghost->d.local_tag), leg->d.local_tag);
		ghost->d.local_cseq = q->cseq;
		err = sip_dialog_answered(&ghost->d, res);
	}
	if (!err) {
		leg_ack(ghost, q->cseq);
		leg_bye_send(ghost, NULL);
		leg_reqs_end(ghost);
	}
	mem_unref(ghost);
}

static void answer_bad(struct leg *leg, const char *sentence)
{
	leg_bye_send(leg, sentence);
	leg_over(leg, LEG_END_FAILED, 488, sentence, NULL);
}

static void answered(struct leg *leg, struct leg_req *q, const struct sip_msg *res)
{
	struct leg_event up = { .type = LEG_ANSWERED, .status = (int)res->status };
	struct sip_refusal why = { .sentence = "" };
	struct sdp_agreed agreed;
	const struct sdp_agreed *early;
	struct ev_report report;
	char words[256];
	struct text sdp;
	int err;

	tmr_cancel(&leg->out->ring);
	buf_free(&leg->out->said); /* it is not said again */
	if (sip_dialog_answered(&leg->d, res)) {
		/* Without a usable Contact or route there is no dialog to say BYE in. */
		leg_over(leg, LEG_END_FAILED, 502, "the 200 has no Contact or Record-Route that can be used", NULL);
		return;
	}
	early = leg_reliable_answer(leg);
	flow_told(leg, q, true);
	leg->info.source = sip_uac_path(q->uac)->peer;
	leg_ack(leg, q->cseq);
	leg_set_state(leg, LEG_S_UP);
	if (leg->cancel_wanted) {
		leg_set_state(leg, LEG_S_HANGING);
		leg->end = LEG_END_CANCELLED;
		leg_bye_send(leg, NULL);
		return;
	}
	err = sip_msg_sdp(res, &sdp, &why);
	if (err == ENOENT && early) {
		agreed = *early;
	} else if (err || leg_sdp_accept(leg, sdp, &agreed, &why)) {
		(void)leg_srtp_report(leg, &why, &report);
		answer_bad(leg, why.sentence[0] ? sip_refusal_text(&why, words, sizeof(words)) : "the 200 has no session description");
		return;
	}
	if (leg_media_apply(leg, &agreed, false)) {
		answer_bad(leg, "the audio could not be started");
		return;
	}
	leg_timer_answered(leg, res);
	leg_emit(leg, &up);
}

static void on_invite(struct leg *leg, struct leg_req *q, enum sip_uac_event ev, const struct sip_msg *res)
{
	struct leg_event progress = { .type = LEG_PROGRESS };
	char words[200];

	if (res && leg->d.transport == NET_ANY) /* what DNS said; the rest of the call stays with it */
		leg->d.transport = leg->info.transport = sip_uac_path(q->uac)->transport;
	if (ev == SIP_UAC_PROVISIONAL) {
		leg->out->provisional = true;
		if (leg->state != LEG_S_CALLING || !leg_reliable_came(leg, res, q->cseq))
			return;
		if (leg->cancel_wanted) {
			cancel_now(leg);
		} else if (res->status > 100) {
			progress.status = (int)res->status;
			progress.reason = text_escape(res->phrase, words, sizeof(words));
			leg_emit(leg, &progress);
		}
		return;
	}
	if (ev != SIP_UAC_FINAL) {
		flow_told(leg, q, false);
		failed(leg, q, ev);
		return;
	}
	if (res->status >= 300) {
		refused(leg, q, res);
		return;
	}
	if (leg->state == LEG_S_CALLING)
		answered(leg, q, res);
	else if (text_is(res->to_tag, leg->d.remote_tag))
		leg_ack(leg, q->cseq); /* our ACK was lost */
	else
		forked(leg, q, res);
}

static int uris_make(struct leg *leg, const struct leg_call_prm *prm, struct buf *from)
{
	struct sip_core *core = leg->core;
	struct sip_path path = { .transport = leg->peer->transport == NET_ANY ? NET_UDP : leg->peer->transport, .listener = UINT_MAX };
	struct sip_self self;
	struct sip_uri_prm uri = { .scheme = SIP_SCHEME_SIP, .user = text_of(prm->from_user), .host = text_of(prm->from_host) };

	if (!prm->from_host || !prm->from_host[0]) {
		if (net_addr_parse(&path.peer, text_of(leg->peer->host), 5060))
			(void)net_addr_parse(&path.peer, TEXT("127.0.0.1"), 5060);
		sip_self(core, &path, &self);
		uri.host = text_of(self.host);
	}
	sip_put_uri(from, &uri);
	return buf_error(from);
}

static void info_of_call(struct leg *leg, const struct leg_call_prm *prm)
{
	struct leg_info *i = &leg->info;
	struct sip_uri u;

	i->call_id = leg->d.call_id;
	i->transport = leg->peer->transport;
	if (i->transport == NET_ANY) /* until it is known */
		i->transport = NET_UDP;
	i->called.uri = i->to.uri = leg_keep(leg, text_of(prm->uri));
	if (!sip_uri_parse(&u, text_of(prm->uri), NULL)) {
		i->called.user = i->to.user = leg_keep(leg, u.user);
		i->called.host = i->to.host = leg_keep(leg, u.host);
	}
	i->from.uri = leg_keep(leg, text_of(leg->d.local_uri));
	i->from.user = leg_keep(leg, text_of(prm->from_user));
	i->from.display = leg_keep(leg, text_of(prm->from_display));
	i->referred_by = leg_keep(leg, text_of(prm->referred_by));
}

/* RFC 3325 9.1: who calls, where we know it from somebody who is believed, or are it ourselves; never of who wants privacy. */
static void identity_put(struct leg *leg, const struct leg_call_prm *prm)
{
	const struct leg_info *i = prm->after;
	struct sip_addr_prm a = { .uri = text_of(prm->assert_from ? leg->d.local_uri : i && i->headers_believed ? i->asserted.uri : "") };
	struct sip_uri u;

	if (i && i->wants_privacy)
		return;
	if (!prm->assert_from && i)
		a.display = text_of(i->asserted.display);
	if (!sip_uri_parse(&u, a.uri, NULL))
		sip_put_addr(&leg->out->said, "P-Asserted-Identity", &a);
}

/* What the INVITE says beside the usual; kept, since it may have to be said again. */
static int said_once(struct leg *leg, const struct leg_call_prm *prm)
{
	struct sip_uri u;

	if (prm->referred_by && prm->referred_by[0] && !sip_uri_parse(&u, text_of(prm->referred_by), NULL))
		sip_put_printf(&leg->out->said, "Referred-By", "<%s>", prm->referred_by);
	if (prm->diversion && prm->diversion[0] && !sip_uri_parse(&u, text_of(prm->diversion), NULL))
		sip_put_printf(&leg->out->said, "Diversion", "<%s>;reason=unconditional", prm->diversion);
	if (leg->peer->told_identity)
		identity_put(leg, prm);
	if (leg->peer->told_identity && prm->after)
		leg_history_put(leg, prm);
	return buf_error(&leg->out->said);
}

static int invite_send(struct leg *leg)
{
	struct leg_timer_lines lines;
	struct buf sdp;
	int err;

	buf_init(&sdp, 16384);
	err = leg_sdp_offer(leg, SDP_SENDRECV, &sdp);
	if (!err)
		err = leg_req_send(&leg->out->invite, leg, "INVITE", 0, leg_timer_lines(leg, &lines), "application/sdp", buf_as_text(&sdp), TRUST_FLOW_CALL_OUT,
		                   on_invite);
	buf_free(&sdp);
	return err;
}

int leg_call(struct leg **legp, struct sip_core *core, struct sip_peer *peer, const struct leg_call_prm *prm, struct media_port *port, struct ev_report *why)
{
	struct leg *leg = NULL;
	struct sip_uri target;
	struct buf from;
	int err;

	buf_init(&from, 1024);
	err = core->ending ? ECANCELED : sip_uri_parse(&target, text_of(prm->uri), NULL) || target.scheme == SIP_SCHEME_OTHER ? EINVAL : 0;
	if (!err && core->n_legs >= core->prm.limits.legs)
		err = EAGAIN;
	if (!err && !(leg = leg_make(core, peer, false, prm->session)))
		err = ENOMEM;
	if (!err)
		err = out_make(leg);
	if (!err) {
		leg->port = port;
		leg->h = prm->h;
		leg->arg = prm->arg;
		leg->identity = leg_keep(leg, text_of(prm->identity));
		if (net_addr_parse(&leg->info.source, text_of(peer->host), peer->port))
			leg->info.source = (struct net_addr){ 0 };
		err = uris_make(leg, prm, &from);
	}
	if (!err)
		err = sip_dialog_uac(&leg->d, buf_cstr(&from), prm->from_display, prm->uri, NULL, peer->transport);
	if (!err) {
		leg->d.max_forwards = prm->max_forwards;
		if (prm->srtp > leg->srtp_want)
			leg->srtp_want = prm->srtp;
		info_of_call(leg, prm);
		err = said_once(leg, prm);
	}
	if (!err)
		err = leg_enter(leg);
	if (!err && (err = invite_send(leg)) != 0) {
		leg->h = NULL;
		leg->ghost = true;
		leg_over(leg, LEG_END_FAILED, 0, "", NULL);
	}
	buf_free(&from);
	if (err) {
		ev_set(why, EV_SIP_CALL_NOT_STARTED);
		ev_str(why, "target", prm->uri ? prm->uri : "");
		ev_str(why, "error", strerror(err));
		mem_unref(leg);
		return err;
	}
	tmr_start(core->loop, &leg->out->ring, prm->ring_ms ? prm->ring_ms : core->prm.timers.tc, on_ring_late, leg);
	*legp = leg;
	return 0;
}

int leg_cancel(struct leg *leg)
{
	if (leg->state == LEG_S_OVER)
		return ENOTCONN;
	if (leg->state != LEG_S_CALLING)
		return leg_hangup(leg, NULL);
	if (leg->cancel_wanted)
		return 0;
	leg->cancel_wanted = true;
	/* Not before a provisional answer (9.1): until then nobody knows our INVITE. */
	cancel_now(leg);
	tmr_start(leg->core->loop, &leg->out->ring, (int64_t)leg->core->prm.timers.t1 * 64, on_cancel_late, leg);
	return 0;
}
