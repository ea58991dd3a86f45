/* SPDX-License-Identifier: Apache-2.0 */
/* leg_timer.c  Session timers (RFC 4028): both sides say how long a call may go without a sign of life, and who gives it. Ours is an UPDATE without
 * a body, where the peer knows that method, else a re-INVITE with the same session; sent at half of the interval, and again while there is time.
 *
 *   who          when                          does
 *   we refresh   interval / 2                  UPDATE or re-INVITE; lost, or no time left: BYE
 *   they do      interval - min(32, third)     nothing came: BYE                                                       */
#include "base/mem.h"
#include "sip/leg_private.h"

enum { AGAIN_MIN_MS = 4000 };

static bool wanted(const struct sip_core *core)
{
	return core->prm.timers.session_s != SIP_NO_SESSION_TIMER;
}

static void put_min_se(struct buf *b, void *arg)
{
	sip_put_uint(b, "Min-SE", ((struct sip_core *)arg)->prm.timers.min_session_s);
}

bool leg_timer_too_short(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, struct text to_tag)
{
	struct sip_reply r = { .status = 422, .to_tag = to_tag, .more = put_min_se, .arg = core,
		               .sentence = "a session interval as short as that is not taken here" };
	struct sip_session_expires se;

	/* Whoever does not know timers cannot mend it: a proxy put it there, and no timer is kept (8.1, 9). */
	if (sip_session_expires_parse(&se, sip_msg_value(req, SIP_HDR_SESSION_EXPIRES)) || se.seconds >= core->prm.timers.min_session_s ||
	    !sip_msg_has_token(req, SIP_HDR_SUPPORTED, "timer"))
		return false;
	core->stats.refused++;
	(void)sip_reply(core, stx, &r);
	return true;
}

static void peer_is(struct leg *leg, const struct sip_msg *m)
{
	leg->timer.peer_knows = sip_msg_has_token(m, SIP_HDR_SUPPORTED, "timer") || sip_msg_has_token(m, SIP_HDR_REQUIRE, "timer");
	if (sip_msg_hdr(m, SIP_HDR_ALLOW))
		leg->timer.peer_updates = sip_msg_has_token(m, SIP_HDR_ALLOW, "UPDATE");
	else if (m->method == SIP_UPDATE)
		leg->timer.peer_updates = true;
}

/* Table 2 of RFC 4028: with a peer that knows no timers it is always we. Asked for nothing, we refresh ourselves: what we do can be relied on. */
void leg_timer_asked(struct leg *leg, const struct sip_msg *req)
{
	struct leg_timer *t = &leg->timer;
	struct sip_session_expires se;
	uint32_t least = 0;

	peer_is(leg, req);
	t->in_response = true;
	t->interval_s = 0;
	if (!sip_expires_parse(sip_msg_value(req, SIP_HDR_MIN_SE), &least) && least > t->least_s)
		t->least_s = least;
	if (!sip_session_expires_parse(&se, sip_msg_value(req, SIP_HDR_SESSION_EXPIRES))) {
		if (se.seconds < leg->core->prm.timers.min_session_s)
			return;
		t->interval_s = se.seconds;
		t->ours = !t->peer_knows || se.refresher != SIP_REFRESHER_UAC;
	} else if (t->peer_knows && wanted(leg->core)) {
		t->interval_s = leg->core->prm.timers.session_s > t->least_s ? leg->core->prm.timers.session_s : t->least_s;
		t->ours = true;
	}
}

void leg_timer_put_response(struct leg *leg, struct buf *b)
{
	const struct leg_timer *t = &leg->timer;

	if (!t->in_response || !t->interval_s)
		return;
	sip_put_printf(b, "Session-Expires", "%u;refresher=%s", t->interval_s, t->ours ? "uas" : "uac");
	if (t->peer_knows)
		sip_put_str(b, "Require", "timer");
}

const char *const *leg_timer_lines(struct leg *leg, struct leg_timer_lines *lines)
{
	struct leg_timer *t = &leg->timer;
	unsigned ours = leg->core->prm.timers.session_s;
	bool first = leg->state == LEG_S_CALLING;

	*lines = (struct leg_timer_lines){ .list = { NULL } };
	t->in_response = false;
	if (first && wanted(leg->core))
		t->interval_s = ours > t->least_s ? ours : t->least_s;
	if (!t->interval_s)
		return lines->list;
	/* The first one leaves it to the peer who refreshes; later ones keep to it (7.4). */
	(void)text_print(lines->expires, sizeof(lines->expires), "Session-Expires: %u%s", t->interval_s,
	                 first ? "" : t->ours ? ";refresher=uac" : ";refresher=uas");
	lines->list[0] = lines->expires;
	if (t->least_s && !text_print(lines->least, sizeof(lines->least), "Min-SE: %u", t->least_s))
		lines->list[1] = lines->least;
	return lines->list;
}

void leg_timer_answered(struct leg *leg, const struct sip_msg *res)
{
	struct leg_timer *t = &leg->timer;
	struct sip_session_expires se;

	peer_is(leg, res);
	t->interval_s = 0;
	if (!sip_session_expires_parse(&se, sip_msg_value(res, SIP_HDR_SESSION_EXPIRES)) && se.seconds) {
		t->interval_s = se.seconds;
		t->ours = se.refresher != SIP_REFRESHER_UAS;
	}
	leg_timer_start(leg);
}

bool leg_timer_longer(struct leg *leg, const struct sip_msg *res)
{
	struct leg_timer *t = &leg->timer;
	uint32_t least;

	/* Each time more than before: it ends. */
	if (sip_expires_parse(sip_msg_value(res, SIP_HDR_MIN_SE), &least) || least <= t->interval_s || least > 86400)
		return false;
	t->least_s = t->interval_s = least;
	return true;
}

/* ---- its working ---- */
static int64_t left_ms(const struct leg *leg)
{
	return leg->timer.ends_ms - clock_mono_ms(leg->core->prm.clock);
}

static void lost(struct leg *leg, uint16_t event, int status, const char *sentence)
{
	struct ev_report r;

	sip_ev(leg->core, &r, event, leg->session);
	ev_str(&r, "gateway", leg->peer ? leg->peer->name : "");
	ev_int(&r, "seconds", leg->timer.interval_s);
	ev_emit(leg->core->bus, &r);
	leg_lost(leg, status, sentence);
}

static void on_due(void *arg);

static void again(struct leg *leg)
{
	int64_t left = left_ms(leg), next = left / 2 > AGAIN_MIN_MS ? left / 2 : AGAIN_MIN_MS;

	tmr_start(leg->core->loop, &leg->tmr, next < left ? next : left > 0 ? left : 0, on_due, leg);
}

static void on_update(struct leg *leg, struct leg_req *q, enum sip_uac_event ev, const struct sip_msg *res)
{
	struct leg_timer *t = &leg->timer;

	if (ev == SIP_UAC_PROVISIONAL || t->req != q)
		return;
	t->req = NULL;
	if (leg->state != LEG_S_UP)
		return;
	if (ev == SIP_UAC_TIMEOUT || (ev == SIP_UAC_FINAL && (res->status == 408 || res->status == 481))) {
		lost(leg, EV_SIP_REFRESH_UNANSWERED, res ? (int)res->status : 408, "the peer did not answer when asked whether the call is still up");
	} else if (ev == SIP_UAC_FINAL && res->status < 300) {
		(void)sip_dialog_target(&leg->d, res);
		leg_timer_answered(leg, res);
	} else if (ev == SIP_UAC_FINAL && res->status == 422 && leg_timer_longer(leg, res)) {
		tmr_start(leg->core->loop, &leg->tmr, 0, on_due, leg);
	} else {
		/* It knows the call, but not this method. */
		if (ev == SIP_UAC_FINAL && (res->status == 405 || res->status == 501))
			t->peer_updates = false;
		again(leg);
	}
}

static int refresh(struct leg *leg)
{
	struct leg_timer_lines lines;

	if (!leg->timer.peer_updates)
		return leg_change_send(leg);
	if (leg->timer.req)
		return 0;
	return leg_req_send(&leg->timer.req, leg, "UPDATE", 0, leg_timer_lines(leg, &lines), NULL, TEXT_NONE, TRUST_FLOW_DIALOG, on_update);
}

static void on_due(void *arg)
{
	struct leg *leg = arg;

	if (leg->state != LEG_S_UP)
		return;
	if (!leg->timer.ours) {
		lost(leg, EV_SIP_SESSION_NOT_REFRESHED, 408, "the peer gave no sign of life within the agreed time");
	} else if (left_ms(leg) <= 0) {
		lost(leg, EV_SIP_REFRESH_UNANSWERED, 408, "the peer did not answer when asked whether the call is still up");
	} else {
		(void)refresh(leg);
		again(leg); /* until it is answered, which starts the interval anew */
	}
}

void leg_timer_start(struct leg *leg)
{
	struct leg_timer *t = &leg->timer;
	int64_t whole = (int64_t)t->interval_s * 1000, before = whole / 3 < 32000 ? whole / 3 : 32000;

	tmr_cancel(&leg->tmr);
	t->in_response = false;
	if (!t->interval_s)
		return;
	t->ends_ms = clock_mono_ms(leg->core->prm.clock) + whole - before;
	tmr_start(leg->core->loop, &leg->tmr, t->ours ? whole / 2 : whole - before, on_due, leg);
}

void leg_timer_stop(struct leg *leg)
{
	tmr_cancel(&leg->tmr);
	leg->timer.req = NULL;
}
