/* SPDX-License-Identifier: Apache-2.0 */
/* leg_modify.c  Changes while the call is up: re-INVITE and UPDATE of the peer (RFC 3261 14, RFC 3311, RFC 6337), hold by us. */
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

static void put_2xx(struct buf *b, void *arg)
{
	leg_put_2xx(b, arg);
}

void leg_on_reinvite(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req)
{
	struct sip_reply ok = { .status = 200, .to_tag = text_of(leg->d.local_tag), .more = put_2xx, .arg = leg, .body_type = "application/sdp",
		                .keep = &leg->accept.bytes };
	struct sip_refusal why;
	struct sdp_agreed agreed;
	struct text offer = TEXT_NONE;
	struct buf sdp;
	int err;

	if (leg->modify || leg->state == LEG_S_CALLING) {
		retry_later(leg, stx, 491, NULL); /* glare (14.2) */
		return;
	}
	if (leg->state != LEG_S_UP) {
		retry_later(leg, stx, leg->accept.stx ? 500 : 481, leg->accept.stx ? "an INVITE of this call is still being answered" : NULL);
		return;
	}
	if (leg->accept.stx) {
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
		ok.body = buf_as_text(&sdp);
		(void)sip_reply(leg->core, stx, &ok);
		leg_accept_start(leg, stx, req->cseq.number, false, text_empty(offer));
		if (!text_empty(offer))
			(void)leg_media_apply(leg, &agreed, true);
	}
	buf_free(&sdp);
}

void leg_on_update(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req)
{
	struct sip_reply ok = { .status = 200, .to_tag = text_of(leg->d.local_tag), .more = put_2xx, .arg = leg };
	struct sip_refusal why;
	struct sdp_agreed agreed;
	struct text offer = TEXT_NONE;
	struct buf sdp;
	int err = sip_msg_sdp(req, &offer, &why);

	if (err && err != ENOENT) {
		refuse(leg, stx, &why);
		return;
	}
	if (err == ENOENT) { /* a session timer's refresh, or a new Contact */
		(void)sip_dialog_target(&leg->d, req);
		(void)sip_reply(leg->core, stx, &ok);
		return;
	}
	if (leg->modify || leg->state == LEG_S_CALLING) {
		retry_later(leg, stx, 491, NULL);
		return;
	}
	if (leg->state != LEG_S_UP || leg->accept.stx) {
		retry_later(leg, stx, 500, "an INVITE of this call is still being answered");
		return;
	}
	buf_init(&sdp, 16384);
	err = describe(leg, offer, &sdp, &agreed, &why);
	if (err) {
		refuse(leg, stx, &why);
	} else {
		(void)sip_dialog_target(&leg->d, req);
		ok.body_type = "application/sdp";
		ok.body = buf_as_text(&sdp);
		(void)sip_reply(leg->core, stx, &ok);
		(void)leg_media_apply(leg, &agreed, true);
	}
	buf_free(&sdp);
}

/* ---- ours ---- */
static void on_modified(struct leg *leg, struct leg_req *q, enum sip_uac_event ev, const struct sip_msg *res)
{
	struct sip_refusal why;
	struct sdp_agreed agreed;
	struct text sdp;

	if (ev == SIP_UAC_PROVISIONAL)
		return;
	if (leg->modify == q)
		leg->modify = NULL;
	if (ev != SIP_UAC_FINAL || leg->state != LEG_S_UP)
		return;
	if (res->status < 300) {
		leg_ack(leg, q->cseq);
		(void)sip_dialog_target(&leg->d, res);
		if (!sip_msg_sdp(res, &sdp, &why) && !leg_sdp_accept(leg, sdp, &agreed, &why))
			(void)leg_media_apply(leg, &agreed, false);
	} else if (res->status == 481 || res->status == 408) {
		leg_over(leg, LEG_END_FAILED, (int)res->status, "the peer does not know this call any more", NULL); /* 12.2.1.2 */
	} else {
		leg->hold_ours = !leg->hold_ours; /* refused: as it was */
	}
}

int leg_hold(struct leg *leg, bool on)
{
	struct buf sdp;
	int err;

	if (leg->state != LEG_S_UP)
		return ENOTCONN;
	if (leg->modify || leg->accept.stx)
		return EBUSY;
	if (leg->hold_ours == on)
		return EALREADY;
	leg->hold_ours = on;
	buf_init(&sdp, 16384);
	err = leg_sdp_offer(leg, on ? SDP_SENDONLY : SDP_SENDRECV, &sdp);
	if (!err)
		err = leg_req_send(&leg->modify, leg, "INVITE", 0, NULL, "application/sdp", buf_as_text(&sdp), TRUST_FLOW_DIALOG, on_modified);
	buf_free(&sdp);
	if (err)
		leg->hold_ours = !on;
	return err;
}
