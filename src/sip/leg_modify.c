/* SPDX-License-Identifier: Apache-2.0 */
/* leg_modify.c  Changes while the call is up: re-INVITE and UPDATE of the peer (RFC 3261 14, RFC 3311, RFC 6337). Ours are in leg_change.c. */
#include <errno.h>
#include "base/mem.h"
#include "base/rand.h"
#include "sip/leg_private.h"

static void retry_later(struct leg *leg, struct sip_stx *stx, unsigned status, const char *sentence)
{
	struct sip_reply r = { .status = status, .sentence = sentence, .to_tag = text_of(leg->d.local_tag) };

	if (status == 500)
		r.retry_after_s = 1 + rand_below(10); /* RFC 3261 14.2 */
	(void)sip_reply(leg->core, stx, &r);
}

static void refuse(struct leg *leg, struct sip_stx *stx, const struct sip_refusal *why)
{
	char words[256];
	struct ev_report r;

	(void)leg_srtp_report(leg, why, &r);
	leg_reply(leg, stx, why->status ? why->status : 488, sip_refusal_text(why, words, sizeof(words)));
}

/* The session stays as it was when this fails. An empty `offer` asks for ours. */
static int describe(struct leg *leg, struct text offer, struct buf *sdp, struct sdp_agreed *agreed, struct sip_refusal *why)
{
	*why = (struct sip_refusal){ .sentence = "" };
	if (text_empty(offer))
		return leg_sdp_offer(leg, leg->hold_ours ? SDP_SENDONLY : SDP_SENDRECV, sdp);
	return leg_sdp_answer(leg, offer, sdp, agreed, why);
}

void leg_on_reinvite(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req)
{
	struct sip_refusal why;
	struct sdp_agreed agreed;
	struct text offer = TEXT_NONE;
	struct buf sdp;
	int err;

	if (leg_timer_too_short(leg->core, stx, req, text_of(leg->d.local_tag)))
		return;
	if (leg->modify || leg->state == LEG_S_CALLING) {
		retry_later(leg, stx, 491, NULL); /* glare (14.2) */
		return;
	}
	if (leg->state != LEG_S_UP) {
		retry_later(leg, stx, leg->accept ? 500 : 481, leg->accept ? "an INVITE of this call is still being answered" : NULL);
		return;
	}
	if (leg->accept) {
		retry_later(leg, stx, 500, "an INVITE of this call is still being answered");
		return;
	}
	err = sip_msg_sdp(req, &offer, &why);
	if (err && err != ENOENT) {
		refuse(leg, stx, &why);
		return;
	}
	buf_init(&sdp, 16384);
	err = describe(leg, offer, &sdp, &agreed, &why);
	if (err) {
		refuse(leg, stx, &why);
	} else {
		(void)sip_dialog_target(&leg->d, req);
		leg_timer_asked(leg, req);
		(void)leg_accept_send(leg, stx, req->cseq.number, buf_as_text(&sdp), false, text_empty(offer));
		leg_timer_start(leg);
		if (!text_empty(offer))
			(void)leg_media_apply(leg, &agreed, true);
	}
	buf_free(&sdp);
}

void leg_on_update(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req)
{
	struct sip_reply ok = { .status = 200, .to_tag = text_of(leg->d.local_tag), .more = leg_put_session, .arg = leg };
	struct sip_refusal why;
	struct sdp_agreed agreed;
	struct text offer = TEXT_NONE;
	struct buf sdp;
	bool early;
	int err;

	if (leg_timer_too_short(leg->core, stx, req, text_of(leg->d.local_tag)))
		return;
	err = sip_msg_sdp(req, &offer, &why);
	if (err && err != ENOENT) {
		refuse(leg, stx, &why);
		return;
	}
	if (err == ENOENT) { /* a session timer's refresh, or a new Contact */
		(void)sip_dialog_target(&leg->d, req);
		leg_timer_asked(leg, req);
		(void)sip_reply(leg->core, stx, &ok);
		if (leg->state == LEG_S_UP)
			leg_timer_start(leg);
		return;
	}
	/* Before the 200 only where our offer is answered already (RFC 3311 5.2). */
	early = leg->state == LEG_S_CALLING && leg_reliable_answer(leg);
	if (leg->modify || (leg->state == LEG_S_CALLING && !early)) {
		retry_later(leg, stx, 491, NULL);
		return;
	}
	if ((leg->state != LEG_S_UP && !early) || leg->accept) {
		retry_later(leg, stx, 500, "an INVITE of this call is still being answered");
		return;
	}
	buf_init(&sdp, 16384);
	err = describe(leg, offer, &sdp, &agreed, &why);
	if (err) {
		refuse(leg, stx, &why);
	} else {
		(void)sip_dialog_target(&leg->d, req);
		leg_timer_asked(leg, req);
		ok.body_type = "application/sdp";
		ok.body = buf_as_text(&sdp);
		(void)sip_reply(leg->core, stx, &ok);
		if (early) {
			leg->reliable->agreed = agreed;
		} else {
			leg_timer_start(leg);
			(void)leg_media_apply(leg, &agreed, true);
		}
	}
	buf_free(&sdp);
}
