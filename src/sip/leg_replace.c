/* SPDX-License-Identifier: Apache-2.0 */
/* leg_replace.c  An INVITE that takes the place of a call that is up (RFC 3891): somebody who talks with us hands the call to another phone. The leg
 * goes on with the new dialog, its audio and its owner stay; the old dialog gets our BYE. And the other way round: our REFER that joins two
 * calls of ours at the peer.                                                                                            */
#include <errno.h>
#include "base/mem.h"
#include "sip/leg_private.h"

struct refusal {
	unsigned status;
	const char *sentence;
};

static void refuse(struct sip_core *core, struct sip_stx *stx, unsigned status, const char *sentence)
{
	struct sip_reply r = { .status = status, .sentence = sentence };

	core->stats.refused++;
	(void)sip_reply(core, stx, &r);
}

static struct leg *meant(struct sip_core *core, const struct sip_replaces *r)
{
	struct hash_entry *e = hash_find(core->leg_by_tag, r->to_tag);
	struct leg *leg = e ? HASH_MEMBER(e, struct leg, by_tag) : NULL;

	return leg && text_is(r->call_id, leg->d.call_id) && text_is(r->from_tag, leg->d.remote_tag) ? leg : NULL;
}

/* RFC 3891 3. Who may: only the gateway whose call it is. */
static struct refusal may_not(const struct leg *leg, const struct sip_replaces *r, const struct sip_peer *peer)
{
	if (!leg || leg->state == LEG_S_OFFERED || leg->state == LEG_S_CALLING)
		return (struct refusal){ 481, "there is no such call to take the place of" };
	if (!leg->peer || !text_is(text_of(leg->peer->name), peer->name))
		return (struct refusal){ 403, "that call belongs to another gateway" };
	if (leg->state != LEG_S_UP && leg->state != LEG_S_ANSWERING)
		return (struct refusal){ 603, "that call is over" };
	if (r->early_only)
		return (struct refusal){ 486, "that call is answered already" };
	if (leg->state == LEG_S_ANSWERING || leg->accept || leg->modify || leg->transfer)
		return (struct refusal){ 491, "that call is being changed just now" };
	return (struct refusal){ 0, NULL };
}

/* What the old dialog still needs: a BYE, by a leg that nobody sees. */
static void old_one_ends(struct leg *leg, struct sip_dialog *old)
{
	struct leg *ghost = leg_make(leg->core, leg->peer, leg->info.incoming, leg->session);

	if (!ghost) {
		sip_dialog_clear(old);
		return;
	}
	ghost->ghost = true;
	ghost->state = LEG_S_UP;
	ghost->d = *old;
	leg_bye_send(ghost, "another phone took this call");
	leg_reqs_end(ghost);
	mem_unref(ghost);
}

static int dialog_swap(struct leg *leg, struct sip_dialog *d)
{
	struct sip_dialog old = leg->d;
	int err;

	hash_remove(&leg->by_tag);
	leg->d = *d;
	err = hash_add(leg->core->leg_by_tag, &leg->by_tag, text_of(leg->d.local_tag));
	if (err) {
		leg->d = old;
		(void)hash_add(leg->core->leg_by_tag, &leg->by_tag, text_of(leg->d.local_tag));
		return err;
	}
	*d = old;
	return 0;
}

static void report(struct leg *leg)
{
	struct ev_report r;

	sip_ev(leg->core, &r, EV_SIP_CALL_REPLACED, leg->session);
	ev_str(&r, "gateway", leg->peer->name);
	ev_str(&r, "caller", leg->info.from.uri);
	ev_emit(leg->core->bus, &r);
}

static void taken(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req, struct sip_dialog *old, struct sip_peer *peer)
{
	mem_ref(peer);
	mem_unref(leg->peer);
	leg->peer = peer;
	leg_invite_take(leg, stx, req);
	old_one_ends(leg, old);
	leg_info_replaced(leg, req, sip_stx_path(stx));
	report(leg);
}

static void take_over(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req, struct sip_peer *peer)
{
	struct leg_event ev = { .type = LEG_REPLACED };
	struct sip_refusal why = { .sentence = "" };
	struct sdp_agreed agreed;
	struct text offer = TEXT_NONE;
	struct sip_dialog d = { 0 };
	char words[256];
	struct buf sdp;
	enum net_transport was = leg->d.transport;
	int err = sip_msg_sdp(req, &offer, &why);

	if (leg->sdes)
		leg->sdes->anew = true;
	leg->sdp.before = leg->sdp.behind = 0;        /* a dialog of its own: no line has a place yet */
	leg->d.transport = sip_stx_path(stx)->transport; /* by which keys come and go: not that of the old one */

	buf_init(&sdp, 16384);
	if (err == ENOENT)
		err = leg_sdp_offer(leg, SDP_SENDRECV, &sdp);
	else if (!err)
		err = leg_sdp_answer(leg, offer, &sdp, &agreed, &why);
	leg->d.transport = was;
	if (!err)
		err = sip_dialog_uas(&d, req, sip_stx_path(stx)->transport);
	if (!err)
		err = dialog_swap(leg, &d);
	if (err) {
		if (leg->sdes)
			leg->sdes->anew = false;
		sip_dialog_clear(&d);
		refuse(leg->core, stx, why.status ? why.status : err == EBADMSG ? 400 : 500, why.sentence[0] ? sip_refusal_text(&why, words, sizeof(words)) : NULL);
		goto out;
	}
	leg->hold_ours = leg->hold_was = false;
	taken(leg, stx, req, &d, peer);
	leg_timer_asked(leg, req);
	(void)leg_accept_send(leg, stx, req->cseq.number, buf_as_text(&sdp), false, text_empty(offer));
	leg_timer_start(leg);
	if (!text_empty(offer))
		(void)leg_media_apply(leg, &agreed, true);
	leg_emit(leg, &ev);
out:
	buf_free(&sdp);
}

bool sip_leg_replaces(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, struct sip_peer *peer)
{
	struct sip_replaces r;
	struct refusal no;
	struct leg *leg;

	if (!sip_msg_hdr(req, SIP_HDR_REPLACES))
		return false;
	if (sip_replaces_parse(&r, sip_msg_value(req, SIP_HDR_REPLACES), NULL) || sip_msg_hdr(req, SIP_HDR_JOIN)) {
		refuse(core, stx, 400, "Replaces is malformed, or stands beside Join");
		return true;
	}
	leg = meant(core, &r);
	no = may_not(leg, &r, peer);
	if (no.status) {
		refuse(core, stx, no.status, no.sentence);
		return true;
	}
	mem_ref(leg);
	take_over(leg, stx, req, peer);
	mem_unref(leg);
	return true;
}

int leg_transfer_to(struct leg *leg, const struct leg *other, const char *referred_by)
{
	char target[600];
	const struct sip_dialog *d = &other->d;
	struct buf b;
	int err;

	if (other->state != LEG_S_UP)
		return ENOTCONN;
	buf_init(&b, sizeof(target));
	buf_printf(&b, "%s%cReplaces=", d->target, strchr(d->target, '?') ? '&' : '?');
	sip_put_escaped(&b, text_of(d->call_id), "");
	buf_str(&b, "%3Bto-tag%3D");
	sip_put_escaped(&b, text_of(d->remote_tag), "");
	buf_str(&b, "%3Bfrom-tag%3D");
	sip_put_escaped(&b, text_of(d->local_tag), "");
	err = buf_error(&b) ? EINVAL : text_copy(buf_as_text(&b), target, sizeof(target));
	buf_free(&b);
	return err ? err : leg_transfer(leg, target, referred_by);
}
