/* SPDX-License-Identifier: Apache-2.0 */
/* leg_bye.c  The end of a call: the peer's BYE, whose answer waits for the receipt, and ours. (RFC 3261 15) */
#include <errno.h>
#include "base/mem.h"
#include "sip/leg_private.h"

static void on_receipt_late(void *arg)
{
	struct leg *leg = arg;
	struct ev_report r;

	sip_ev(leg->core, &r, EV_SIP_RECEIPT_LATE, leg->session);
	ev_int(&r, "ms", leg->core->prm.timers.receipt_ms);
	ev_emit(leg->core->bus, &r);
	leg_confirm(leg, false);
}

/* What the peer says of its reasons: 'Q.850;cause=16;text="..."' */
static void reason_of(const struct sip_msg *req, char *dst, size_t size)
{
	struct sip_reason reason;
	struct sip_iter it = sip_iter_of(req, SIP_HDR_REASON);
	struct text item;

	dst[0] = '\0';
	if (sip_iter_next(&it, &item) || sip_reason_parse(&reason, item, NULL))
		return;
	if (!text_empty(reason.text))
		sip_plain_text(reason.text, dst, size);
	else if (reason.cause)
		(void)text_print(dst, size, "%.*s cause %u", TEXT_FMT(reason.protocol), reason.cause);
}

/* Before the answer: the caller gives up by BYE instead of CANCEL, or after a CANCEL that did not reach us. */
static void bye_early(struct leg *leg, struct sip_stx *stx)
{
	leg_reply(leg, stx, 200, NULL);
	if (leg->invite)
		leg_reply(leg, leg->invite, 487, NULL);
	leg_over(leg, LEG_END_CANCELLED, 487, "the caller gave up", NULL);
}

void leg_on_bye(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req)
{
	struct leg_event ev = { .type = LEG_ENDING, .receipt = true, .end = LEG_END_PEER };
	char reason[160];

	if (leg->state == LEG_S_OFFERED) {
		bye_early(leg, stx);
		return;
	}
	/* Both hung up at once: nobody waits for a receipt. */
	if (leg->state != LEG_S_UP && leg->state != LEG_S_ANSWERING) {
		leg_reply(leg, stx, 200, NULL);
		return;
	}
	reason_of(req, reason, sizeof(reason));
	leg_accept_stop(leg);
	leg_transfer_drop(leg);
	leg->bye = mem_ref(stx);
	leg->end = LEG_END_PEER;
	leg->end_reason = leg_keep(leg, text_of(reason));
	leg_set_state(leg, LEG_S_ENDING);
	if (!leg->h) {
		leg_confirm(leg, true);
		return;
	}
	tmr_start(leg->core->loop, &leg->tmr, leg->core->prm.timers.receipt_ms, on_receipt_late, leg);
	ev.reason = reason;
	leg_emit(leg, &ev);
}

void leg_confirm(struct leg *leg, bool ok)
{
	struct sip_reply r = { .status = ok ? 200 : 500, .to_tag = text_of(leg->d.local_tag), .sentence = ok ? NULL : "the message may not have been saved" };

	if (leg->state != LEG_S_ENDING || !leg->bye)
		return;
	tmr_cancel(&leg->tmr);
	(void)sip_reply(leg->core, leg->bye, &r);
	leg->bye = mem_unref(leg->bye);
	leg_over_later(leg, LEG_END_PEER, ok ? 200 : 500, leg->end_reason);
}

/* ---- ours ---- */
static void on_bye(struct leg *leg, struct leg_req *q, enum sip_uac_event ev, const struct sip_msg *res)
{
	enum leg_end end = leg->cancel_wanted ? LEG_END_CANCELLED : LEG_END_US;
	struct ev_report r;

	if (leg->state != LEG_S_HANGING || leg->over_soon || ev == SIP_UAC_PROVISIONAL)
		return;
	if (ev == SIP_UAC_FINAL) {
		leg_over(leg, end, (int)res->status, leg->hangup_reason, NULL);
		return;
	}
	sip_ev(leg->core, &r, EV_SIP_BYE_UNANSWERED, leg->session);
	ev_str(&r, "gateway", leg->peer ? leg->peer->name : "");
	ev_str(&r, "error", strerror(sip_uac_err(q->uac)));
	ev_str(&r, "verdict", "");
	sip_ev_verdict(&r, sip_uac_facts(q->uac));
	sip_ev_what(&r, (const char *const[]){ "error", "verdict", NULL });
	ev_emit(leg->core->bus, &r);
	leg_over(leg, end, 0, leg->hangup_reason, sip_uac_facts(q->uac));
}

void leg_bye_send(struct leg *leg, const char *reason)
{
	const char *headers[2] = { NULL };
	struct buf line;
	int err;

	buf_init(&line, 1024);
	if (reason && reason[0]) {
		buf_str(&line, "Reason: SIP;cause=200;text=");
		sip_put_quoted(&line, text_of(reason));
		headers[0] = buf_cstr(&line);
	}
	err = leg_req_send(NULL, leg, "BYE", 0, headers, NULL, TEXT_NONE, TRUST_FLOW_DIALOG, on_bye);
	buf_free(&line);
	if (err && leg->state == LEG_S_HANGING)
		leg_over_later(leg, LEG_END_US, 0, reason);
}

int leg_hangup(struct leg *leg, const char *reason)
{
	switch (leg->state) {
	case LEG_S_OVER:
		return ENOTCONN;
	case LEG_S_OFFERED:
		return leg_reject(leg, 480, reason, 0);
	case LEG_S_CALLING:
		return leg_cancel(leg);
	case LEG_S_ENDING:
		leg_confirm(leg, true);
		return 0;
	case LEG_S_HANGING:
		return 0;
	case LEG_S_ANSWERING:
	case LEG_S_UP:
		break;
	}
	mem_free(leg->hangup_reason);
	leg->hangup_reason = mem_strdup(reason ? reason : "");
	leg_transfer_drop(leg);
	/* Not before the ACK of our 200 (15): until then the caller may not know the dialog. */
	if (leg->state == LEG_S_ANSWERING) {
		leg->hangup_wanted = true;
		return 0;
	}
	leg_set_state(leg, LEG_S_HANGING);
	leg_bye_send(leg, reason);
	return 0;
}
