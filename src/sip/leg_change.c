/* SPDX-License-Identifier: Apache-2.0 */
/* leg_change.c  Our re-INVITE within a call: hold and its end, and the refresh of peers that know no UPDATE. Where it meets one of the peer (491) it
 * is said again after the time that RFC 3261 14.1 gives each side; refused, the session stays as it was.                */
#include <errno.h>
#include "base/mem.h"
#include "base/rand.h"
#include "sip/leg_private.h"

static void again_drop(struct leg *leg)
{
	if (!leg->again)
		return;
	tmr_cancel(leg->again);
	mem_free(leg->again);
	leg->again = NULL;
}

void leg_change_drop(struct leg *leg)
{
	again_drop(leg);
	leg->modify = NULL;
}

void leg_lost(struct leg *leg, int status, const char *sentence)
{
	mem_ref(leg);
	leg_bye_send(leg, sentence);
	leg_over(leg, LEG_END_FAILED, status, sentence, NULL);
	mem_unref(leg);
}

static void on_again(void *arg)
{
	struct leg *leg = arg;

	/* Theirs is being answered just now: in a second. */
	if (leg->state == LEG_S_UP && leg_change_send(leg) == EBUSY)
		tmr_start(leg->core->loop, leg->again, 1000, on_again, leg);
	else if (leg->again && !tmr_active(leg->again))
		again_drop(leg);
}

/* 2.1 to 4 s for whose Call-ID it is, up to 2 s for the other, in steps of 10 ms: so that they do not meet again. */
static void again_later(struct leg *leg)
{
	int64_t ms = leg->info.incoming ? 10 * (int64_t)rand_below(201) : 2100 + 10 * (int64_t)rand_below(191);

	if (!leg->again && !(leg->again = mem_zalloc(1, sizeof(*leg->again)))) {
		leg->hold_ours = leg->hold_was; /* as if it were refused */
		return;
	}
	tmr_start(leg->core->loop, leg->again, ms, on_again, leg);
}

static void accepted(struct leg *leg, struct leg_req *q, const struct sip_msg *res)
{
	struct sip_refusal why;
	struct sdp_agreed agreed;
	struct text sdp;

	leg_ack(leg, q->cseq);
	(void)sip_dialog_target(&leg->d, res);
	if (sip_msg_sdp(res, &sdp, &why) || leg_sdp_accept(leg, sdp, &agreed, &why) || leg_media_apply(leg, &agreed, false)) {
		leg_lost(leg, 488, "the answer to our offer cannot be used");
		return;
	}
	leg->hold_was = leg->hold_ours;
	leg_timer_answered(leg, res);
}

static void on_changed(struct leg *leg, struct leg_req *q, enum sip_uac_event ev, const struct sip_msg *res)
{
	if (ev == SIP_UAC_PROVISIONAL)
		return;
	if (ev == SIP_UAC_FINAL && res->status < 300 && leg->modify != q) {
		leg_ack(leg, q->cseq); /* repeated: our ACK was lost */
		return;
	}
	if (leg->modify == q)
		leg->modify = NULL;
	if (leg->state != LEG_S_UP)
		return;
	if (ev == SIP_UAC_TIMEOUT) {
		leg_lost(leg, 408, "the peer does not answer within this call any more");
	} else if (ev != SIP_UAC_FINAL) {
		leg->hold_ours = leg->hold_was; /* the way is broken just now; the session timer tells whether for good */
	} else if (res->status < 300) {
		accepted(leg, q, res);
	} else if (res->status == 481 || res->status == 408) {
		leg_lost(leg, (int)res->status, "the peer does not know this call any more");
	} else if (res->status == 491) {
		again_later(leg);
	} else if (res->status == 422 && leg_timer_longer(leg, res)) {
		(void)leg_change_send(leg);
	} else {
		leg->hold_ours = leg->hold_was;
	}
}

int leg_change_send(struct leg *leg)
{
	struct leg_timer_lines lines;
	struct buf sdp;
	int err;

	if (leg->modify || leg->accept)
		return EBUSY;
	again_drop(leg);
	buf_init(&sdp, 16384);
	err = leg_sdp_offer(leg, leg->hold_ours ? SDP_SENDONLY : SDP_SENDRECV, &sdp);
	if (!err)
		err = leg_req_send(&leg->modify, leg, "INVITE", 0, leg_timer_lines(leg, &lines), "application/sdp", buf_as_text(&sdp), TRUST_FLOW_DIALOG,
		                   on_changed);
	buf_free(&sdp);
	return err;
}

int leg_hold(struct leg *leg, bool on)
{
	int err;

	if (leg->state != LEG_S_UP)
		return ENOTCONN;
	if (leg->modify || leg->accept || leg->again)
		return EBUSY;
	if (leg->hold_ours == on)
		return EALREADY;
	leg->hold_was = leg->hold_ours;
	leg->hold_ours = on;
	err = leg_change_send(leg);
	if (err)
		leg->hold_ours = leg->hold_was;
	return err;
}
