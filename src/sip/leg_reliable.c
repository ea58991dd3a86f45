/* SPDX-License-Identifier: Apache-2.0 */
/* leg_reliable.c  Provisional answers that must arrive (RFC 3262). As the callee: 180 with RSeq, repeated until its PRACK, for callers that require it.
 * As the caller: PRACK for each one in its order, of every fork; an answer to our offer that comes in one of them counts, and the 200 of the same
 * fork need not say it again (RFC 6337 2.2). Audio before the 200 is not listened to.                                   */
#include <errno.h>
#include "base/mem.h"
#include "base/rand.h"
#include "sip/leg_private.h"

static struct leg_reliable *reliable_of(struct leg *leg)
{
	if (!leg->reliable && (leg->reliable = mem_zalloc(1, sizeof(*leg->reliable))))
		buf_init(&leg->reliable->bytes, SIP_HEAD_MAX_BYTES);
	return leg->reliable;
}

void leg_reliable_free(struct leg *leg)
{
	if (leg->reliable)
		buf_free(&leg->reliable->bytes);
	mem_free(leg->reliable);
	leg->reliable = NULL;
}

/* ---- ours ---- */
void leg_reliable_stop(struct leg *leg)
{
	struct leg_reliable *r = leg->reliable;

	if (!r)
		return;
	tmr_cancel(&r->repeat);
	tmr_cancel(&r->give_up);
	buf_clear(&r->bytes);
	r->waiting = false;
}

static void on_repeat(void *arg)
{
	struct leg *leg = arg;
	struct leg_reliable *r = leg->reliable;

	(void)sip_stx_respond(leg->invite, 180, r->bytes.p, r->bytes.n);
	r->repeat_ms *= 2; /* without end: 3 */
	tmr_start(leg->core->loop, &r->repeat, r->repeat_ms, on_repeat, leg);
}

static void on_no_prack(void *arg)
{
	struct leg *leg = arg;

	mem_ref(leg);
	leg_reliable_stop(leg);
	leg_reply(leg, leg->invite, 504, "a provisional answer was never acknowledged by PRACK");
	leg_over(leg, LEG_END_FAILED, 504, "a provisional answer was never acknowledged", NULL);
	mem_unref(leg);
}

static void put_reliable(struct buf *b, void *arg)
{
	struct leg *leg = arg;

	leg_put_2xx(b, leg);
	sip_put_str(b, "Require", "100rel");
	sip_put_uint(b, "RSeq", leg->reliable->rseq);
}

int leg_reliable_ring(struct leg *leg)
{
	struct leg_reliable *r = reliable_of(leg);
	struct sip_reply ringing = { .status = 180, .to_tag = text_of(leg->d.local_tag), .more = put_reliable, .arg = leg };
	int err;

	if (!r)
		return ENOMEM;
	ringing.keep = &r->bytes;
	/* The next one must wait for the PRACK of this one; and where the INVITE brought no offer the first would have to make one (5): without audio to
	 * offer yet, the caller learns nothing before the 200. */
	if (r->waiting || !leg->offer)
		return 0;
	r->rseq = r->rseq ? r->rseq + 1 : 1 + rand_below(1u << 30);
	buf_clear(&r->bytes);
	err = sip_reply(leg->core, leg->invite, &ringing);
	if (!r->bytes.n)
		return err;
	r->waiting = true;
	r->repeat_ms = leg->core->prm.timers.t1;
	tmr_start(leg->core->loop, &r->repeat, r->repeat_ms, on_repeat, leg);
	tmr_start(leg->core->loop, &r->give_up, (int64_t)leg->core->prm.timers.t1 * 64, on_no_prack, leg);
	return 0;
}

void leg_on_prack(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req)
{
	struct sip_rack rack;
	struct sip_refusal why;
	struct text sdp;
	const struct leg_reliable *r = leg->reliable;

	if (sip_rack_parse(&rack, sip_msg_value(req, SIP_HDR_RACK))) {
		leg_reply(leg, stx, 400, "RAck is missing or malformed");
		return;
	}
	if (!r || !r->waiting || rack.rseq != r->rseq || rack.cseq.number != leg->invite_cseq || rack.cseq.method != SIP_INVITE) {
		leg_reply(leg, stx, 481, "no provisional answer waits for this PRACK");
		return;
	}
	leg_reliable_stop(leg);
	/* The offer of the INVITE is not answered yet: there is no room for another one. */
	if (!sip_msg_sdp(req, &sdp, &why))
		leg_reply(leg, stx, 488, "an offer in this PRACK comes before the answer to the one in the INVITE");
	else
		leg_reply(leg, stx, 200, NULL);
}

/* ---- theirs ---- */
static struct leg_early *early_of(struct leg *leg, struct text tag)
{
	struct leg_reliable *r = reliable_of(leg);

	if (!r)
		return NULL;
	for (unsigned i = 0; i < r->n_early; i++)
		if (text_is(tag, r->early[i].tag))
			return &r->early[i];
	if (r->n_early == LEG_EARLY || text_empty(tag) || text_copy(tag, r->early[r->n_early].tag, sizeof(r->early[0].tag)))
		return NULL;
	return &r->early[r->n_early++];
}

/* PRACK goes within the early dialog of its fork; the first fork's is that of the leg, until another one answers. */
static void prack(struct leg *leg, const struct sip_msg *res, uint32_t rseq, uint32_t cseq)
{
	char rack[64];
	const char *headers[] = { rack, NULL };
	struct sip_dialog other = { 0 };
	bool first = !leg->d.remote_tag[0] || text_is(res->to_tag, leg->d.remote_tag);
	struct sip_dialog *d = first ? &leg->d : &other;
	int err = first ? 0 : sip_dialog_copy(&other, &leg->d);

	(void)text_print(rack, sizeof(rack), "RAck: %u %u INVITE", rseq, cseq);
	if (!err)
		err = sip_dialog_answered(d, res);
	if (!err)
		err = leg_req_send_in(leg, d, "PRACK", headers);
	(void)err; /* lost: the peer repeats its answer, and gives up after a while */
	sip_dialog_clear(&other);
}

static void early_answer(struct leg *leg, const struct sip_msg *res)
{
	struct leg_reliable *r = leg->reliable;
	struct sip_refusal why;
	struct text sdp;

	if (r->answered || !text_is(res->to_tag, leg->d.remote_tag) || sip_msg_sdp(res, &sdp, &why) || leg_sdp_accept(leg, sdp, &r->agreed, &why))
		return;
	r->answered = true;
	(void)text_copy(res->to_tag, r->tag, sizeof(r->tag));
}

bool leg_reliable_came(struct leg *leg, const struct sip_msg *res, uint32_t cseq)
{
	struct leg_early *e;
	uint32_t rseq;

	if (!sip_msg_has_token(res, SIP_HDR_REQUIRE, "100rel") || sip_expires_parse(sip_msg_value(res, SIP_HDR_RSEQ), &rseq))
		return true;
	e = early_of(leg, res->to_tag);
	/* Repeated, or one before it is still missing (4). */
	if (!e || (e->rseq && rseq != e->rseq + 1) || !rseq)
		return false;
	e->rseq = rseq;
	prack(leg, res, rseq, cseq);
	early_answer(leg, res);
	return true;
}

const struct sdp_agreed *leg_reliable_answer(const struct leg *leg)
{
	const struct leg_reliable *r = leg->reliable;

	return r && r->answered && text_is(text_of(r->tag), leg->d.remote_tag) ? &r->agreed : NULL;
}

void leg_reliable_anew(struct leg *leg)
{
	if (!leg->reliable)
		return;
	leg->reliable->n_early = 0;
	leg->reliable->answered = false;
}
