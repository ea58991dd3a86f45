/* SPDX-License-Identifier: Apache-2.0 */
/* refer.c  Transfers (RFC 3515, 3892). Ours: REFER, whose subscription exists from the moment it is sent, so that a NOTIFY may come before the 202
 * and by any way. Theirs: 202, LEG_REFERRED, and NOTIFYs of how it goes.
 *
 *   leg_transfer() -> REFER ->   202 (progress 202)   NOTIFY 1xx (progress)   NOTIFY 2xx -> LEG_TRANSFERRED
 *                                refused, silent, lost: LEG_TRANSFER_FAILED   NOTIFY >= 300 -> LEG_TRANSFER_FAILED            */
#include <errno.h>
#include "base/mem.h"
#include "sip/leg_private.h"
#include "sip/summary.h"
#include "sip/words.h"

enum { UNHEARD_REPORTS = 8 }; /* a peer that answers none of them does not get more */

/* ---- ours ---- */
static void transfer_clear(struct leg *leg)
{
	struct leg_transfer *t = leg->transfer;

	if (!t)
		return;
	leg->transfer = NULL;
	tmr_cancel(&t->late);
	if (t->req)
		leg_req_drop(t->req);
	mem_free(t->facts);
	mem_free(t);
}

void leg_transfer_drop(struct leg *leg)
{
	transfer_clear(leg);
	leg->referral.active = false;
}

static void report(struct leg *leg, int status, const char *reason, const struct trust_facts *facts, bool order_refused)
{
	struct ev_report r;

	sip_ev(leg->core, &r, EV_SIP_TRANSFER_FAILED, leg->session);
	ev_str(&r, "gateway", leg->peer ? leg->peer->name : "");
	ev_int(&r, "status", status);
	ev_str(&r, "reason", reason);
	ev_str(&r, "verdict", "");
	ev_str(&r, "cause", sip_words(order_refused ? SIP_SAYS_ORDER_CAUSE : SIP_SAYS_TRANSFER_CAUSE));
	ev_str(&r, "advice", sip_words(order_refused ? SIP_SAYS_ORDER_ADVICE : SIP_SAYS_TRANSFER_ADVICE));
	sip_ev_verdict(&r, facts);
	sip_ev_what(&r, (const char *const[]){ "status", "reason", "verdict", NULL });
	ev_emit(leg->core->bus, &r);
}

static void failed_how(struct leg *leg, int status, const char *reason, bool order_refused)
{
	struct leg_event ev = { .type = LEG_TRANSFER_FAILED, .status = status, .reason = reason, .order_refused = order_refused };
	struct trust_facts *facts = leg->transfer->facts;

	leg->transfer->facts = NULL;
	report(leg, status, reason, status ? NULL : facts, order_refused);
	transfer_clear(leg);
	ev.facts = facts;
	leg_emit(leg, &ev);
	mem_free(facts);
}

static void failed(struct leg *leg, int status, const char *reason)
{
	failed_how(leg, status, reason, false);
}

static void on_late(void *arg)
{
	struct leg *leg = arg;
	struct leg_transfer *t = leg->transfer;

	failed(leg, t->last_status, t->notified ? "no final NOTIFY came in time" : "the order was accepted, but no NOTIFY came");
}

static void facts_keep(struct leg *leg, struct leg_req *q, bool works)
{
	const struct trust_facts *f = sip_uac_facts(q->uac);

	if (!f)
		return;
	mem_free(leg->transfer->facts);
	leg->transfer->facts = mem_alloc(sizeof(*f));
	if (leg->transfer->facts)
		*leg->transfer->facts = *f;
	sip_flow(leg->core, leg->peer, f, works);
}

static void on_refer(struct leg *leg, struct leg_req *q, enum sip_uac_event ev, const struct sip_msg *res)
{
	struct leg_event progress = { .type = LEG_TRANSFER_PROGRESS };
	struct leg_transfer *t = leg->transfer;
	char words[200];

	if (ev == SIP_UAC_PROVISIONAL || !t || t->req != q)
		return;
	t->req = NULL;
	facts_keep(leg, q, ev == SIP_UAC_FINAL && res->status < 300);
	if (ev != SIP_UAC_FINAL) {
		/* A NOTIFY proves that the order arrived, though its answer was lost. */
		if (t->notified)
			return;
		failed(leg, 0, ev == SIP_UAC_TIMEOUT ? "the REFER got no answer" : "the REFER could not be delivered");
		return;
	}
	text_escape(res->phrase, words, sizeof(words));
	if (res->status >= 300) {
		bool lost = res->status == 481 || res->status == 408;
		if (lost)
			text_fill(words, sizeof(words), "the peer does not know this call any more");
		failed_how(leg, (int)res->status, words, !lost);
		return;
	}
	t->accepted = true;
	if (!t->notified)
		tmr_start(leg->core->loop, &t->late, leg->core->prm.timers.first_notify_ms, on_late, leg);
	progress.status = (int)res->status;
	progress.reason = words;
	leg_emit(leg, &progress);
}

int leg_transfer(struct leg *leg, const char *target, const char *referred_by)
{
	struct leg_transfer *t = leg->transfer;
	char refer_to[700], by[700];
	const char *headers[] = { refer_to, by, NULL };
	struct sip_uri u;
	int err;

	if (leg->state != LEG_S_UP)
		return leg->state == LEG_S_OVER ? ENOTCONN : EAGAIN;
	if (leg->transfer)
		return EBUSY;
	if (!target || sip_uri_parse(&u, text_of(target), NULL) || u.scheme == SIP_SCHEME_OTHER)
		return EINVAL;
	if (referred_by && referred_by[0] && sip_uri_parse(&u, text_of(referred_by), NULL))
		return EINVAL;
	if (text_print(refer_to, sizeof(refer_to), "Refer-To: <%s>", target) ||
	    text_print(by, sizeof(by), "Referred-By: <%s>", referred_by && referred_by[0] ? referred_by : leg->d.local_uri))
		return EINVAL;
	t = leg->transfer = mem_zalloc(1, sizeof(*t));
	if (!t)
		return ENOMEM;
	err = leg_req_send(&t->req, leg, "REFER", 0, headers, NULL, TEXT_NONE, TRUST_FLOW_TRANSFER, on_refer);
	if (err) {
		transfer_clear(leg);
		return err;
	}
	tmr_start(leg->core->loop, &t->late, leg->core->prm.timers.transfer_ms, on_late, leg);
	return 0;
}

static void progressed(struct leg *leg, const struct sip_sipfrag *frag, bool terminated)
{
	struct leg_event ev = { .type = LEG_TRANSFER_PROGRESS, .status = (int)frag->status };
	struct leg_transfer *t = leg->transfer;
	char words[200];

	t->notified = true;
	t->last_status = (int)frag->status;
	ev.reason = text_escape(frag->phrase, words, sizeof(words));
	if (frag->status >= 300) {
		failed(leg, (int)frag->status, words);
	} else if (frag->status >= 200) {
		ev.type = LEG_TRANSFERRED;
		transfer_clear(leg);
		leg_emit(leg, &ev);
	} else if (terminated) {
		failed(leg, (int)frag->status, "the peer ended its reports before the outcome was known");
	} else {
		/* Not before the whole time of a transfer is over. */
		tmr_start(leg->core->loop, &t->late, leg->core->prm.timers.transfer_ms, on_late, leg);
		leg_emit(leg, &ev);
	}
}

void leg_on_notify(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req)
{
	struct sip_subscription_state sub = { .state = SIP_SUB_ACTIVE };
	struct sip_event event;
	struct sip_sipfrag frag;

	if (sip_event_parse(&event, sip_msg_value(req, SIP_HDR_EVENT), NULL) || !text_is_nocase(event.package, "refer")) {
		leg_reply(leg, stx, 489, "only NOTIFY of the event package refer is understood here");
		return;
	}
	if (!leg->transfer) {
		/* Late or repeated after the outcome: the peer shall be content. */
		leg_reply(leg, stx, leg->state == LEG_S_UP || leg->state == LEG_S_HANGING ? 200 : 481, NULL);
		return;
	}
	(void)sip_subscription_state_parse(&sub, sip_msg_value(req, SIP_HDR_SUBSCRIPTION_STATE), NULL);
	if (sip_sipfrag_parse(&frag, req->body, NULL)) {
		if (sub.state == SIP_SUB_TERMINATED) {
			leg_reply(leg, stx, 200, NULL);
			failed(leg, leg->transfer->last_status, "the peer ended its reports before the outcome was known");
		} else {
			leg_reply(leg, stx, 400, "the NOTIFY of a transfer carries no sipfrag");
		}
		return;
	}
	leg_reply(leg, stx, 200, NULL);
	if (leg->transfer)
		progressed(leg, &frag, sub.state == SIP_SUB_TERMINATED);
}

/* ---- theirs ---- */
static int notify(struct leg *leg, unsigned status, bool last)
{
	const char *const going[] = { "Event: refer", "Subscription-State: active;expires=120", NULL };
	const char *const over[] = { "Event: refer", "Subscription-State: terminated;reason=noresource", NULL };
	struct buf body;
	int err;

	if (leg->referral.quiet) /* the peer does not want to hear of it (RFC 4488) */
		return 0;
	buf_init(&body, 256);
	sip_sipfrag_put(&body, status, NULL);
	err = leg_req_send(NULL, leg, "NOTIFY", 0, last ? over : going, SIP_SIPFRAG_TYPE ";version=2.0", buf_as_text(&body), TRUST_FLOW_DIALOG, NULL);
	buf_free(&body);
	return err;
}

static void put_accepted(struct buf *b, void *arg)
{
	struct leg *leg = arg;

	leg_put_2xx(b, leg);
	if (leg->referral.quiet)
		sip_put_str(b, "Refer-Sub", "false");
}

void leg_on_refer(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req)
{
	struct sip_reply accepted = { .status = 202, .to_tag = text_of(leg->d.local_tag), .more = put_accepted, .arg = leg };
	struct leg_event ev = { .type = LEG_REFERRED };
	struct sip_addr to, by;
	char target[600], referrer[600] = "";

	if (leg->state != LEG_S_UP || !leg->h) {
		leg_reply(leg, stx, leg->state == LEG_S_UP ? 603 : 481, "this call cannot be transferred now");
		return;
	}
	if (leg->referral.active) {
		leg_reply(leg, stx, 491, "another transfer is under way");
		return;
	}
	/* Each takes two reports, which live for half a minute if nobody answers them. */
	if (list_count(&leg->reqs) > UNHEARD_REPORTS) {
		leg_reply(leg, stx, 491, "the reports of earlier transfers are not answered yet");
		return;
	}
	if (sip_addr_parse(&to, sip_msg_value(req, SIP_HDR_REFER_TO), NULL) || to.star || text_copy(to.uri.whole, target, sizeof(target))) {
		leg_reply(leg, stx, 400, "Refer-To is missing or malformed");
		return;
	}
	if (!sip_addr_parse(&by, sip_msg_value(req, SIP_HDR_REFERRED_BY), NULL))
		(void)text_copy(by.uri.whole, referrer, sizeof(referrer));
	leg->referral.active = true;
	leg->referral.quiet = text_is_nocase(text_trim(sip_msg_value(req, SIP_HDR_REFER_SUB)), "false");
	(void)sip_reply(leg->core, stx, &accepted);
	(void)notify(leg, 100, false);
	ev.target = target;
	ev.referred_by = referrer;
	leg_emit(leg, &ev);
}

int leg_refer_progress(struct leg *leg, int status)
{
	if (!leg->referral.active)
		return ENOENT;
	if (leg->state != LEG_S_UP)
		return ENOTCONN;
	if (status < 100 || status > 699)
		return EINVAL;
	if (status >= 200)
		leg->referral.active = false;
	return notify(leg, (unsigned)status, status >= 200);
}
