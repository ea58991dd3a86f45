/* SPDX-License-Identifier: Apache-2.0 */
/* record_live.c  A call as its record tells it: what it was, how it came, what became of it, how it sounded. */
#include "dialogue/record_live.h"
#include "dialogue/call_private.h"
#include "dialogue/rules.h"
#include "dialogue_events.h"
#include "records/quality.h"
#include "records/records.h"

#define FILL(dst, s) text_fill(dst, sizeof(dst), or_empty(s))
static const char *or_empty(const char *s)
{
	return s ? s : "";
}

void dlg_record_figures(struct dlg_call *c)
{
	if (!c->port)
		return;
	media_port_stats(c->port, &c->notes.figures);
	c->notes.has_figures = true;
	c->notes.has_codec = media_port_codec(c->port, &c->notes.codec);
	c->notes.srtp = media_port_srtp(c->port);
}

/* ---- what it was ---- */
static enum record_kind kind_of(const struct dlg_call *c)
{
	const struct dlg_session *s = &c->s;
	if (c->outgoing && c->table == &dlg_screen)
		return RECORD_FIND_ME;
	if (c->outgoing && c->table == &dlg_bridged)
		return RECORD_PUT_THROUGH;
	if (c->outgoing)
		return *s->phone.wanted ? RECORD_PLAY_ON_PHONE : RECORD_GREETING;
	if (c->who.kind == DLG_WHO_ATTENDANT)
		return RECORD_ATTENDANT;
	if (s->logged_on)
		return RECORD_SUBSCRIBER;
	if (c->who.kind == DLG_WHO_SUBSCRIBER)
		return RECORD_UNAUTHENTICATED;
	if (s->left_message)
		return RECORD_VOICE_MESSAGE;
	return s->talked || c->result == R_TRANSFERRED ? RECORD_ANSWERED : RECORD_MISSED;
}

static enum record_offer offer_of(const struct dlg_call *c)
{
	if (c->answered)
		return RECORD_OFFER_ANSWER;
	if (c->notes.end == LEG_END_CANCELLED)
		return RECORD_OFFER_NONE;
	if (c->end_status >= 300 && c->end_status < 400)
		return RECORD_OFFER_REDIRECTED;
	return c->notes.end == LEG_END_REJECTED ? RECORD_OFFER_REJECTED : RECORD_OFFER_FAILED;
}

/* Of a call of ours that nobody answered. */
static const char *not_reached(const struct dlg_call *c)
{
	if (c->notes.end == LEG_END_CANCELLED)
		return c->end_status == 487 || !c->end_status ? "cancelled" : "no-answer";
	switch (c->end_status) {
	case 486: case 600: return "busy";
	case 408: case 480: case 487: return "no-answer";
	case 603: return "declined";
	default: return c->end_status >= 400 ? "refused" : "failed";
	}
}

static const char *drop_of(const struct dlg_call *c)
{
	const struct dlg_notes *n = &c->notes;
	if (c->s.lost)
		return c->s.rec.late ? "message-late" : "message-lost";
	if (n->drop)
		return n->drop;
	if (!c->answered)
		return c->outgoing ? not_reached(c) : n->end == LEG_END_CANCELLED ? "caller-hung-up" : "not-answered";
	if (c->result == R_TRANSFERRED)
		return "transferred";
	if (n->path.gave_up && !n->path.hung_up)
		return "gave-up";
	if (n->path.hung_up)
		return n->end == LEG_END_FAILED ? "failed" : c->outgoing ? "callee-hung-up" : "caller-hung-up";
	switch (c->result) {
	case R_TALKED: return "callee-hung-up";
	case R_REFUSED: return c->outgoing ? "declined" : "not-logged-on";
	case R_GIVE_UP: case R_NO_INPUT: return "gave-up";
	case R_GOODBYE: return c->s.pin_tries && !c->s.logged_on ? "not-logged-on" : "goodbye";
	default: return "ended";
	}
}

static const char *reason_of(const struct dlg_call *c)
{
	static const char *const names[] = { [DLG_DIRECT] = "direct", [DLG_BUSY] = "busy", [DLG_NO_ANSWER] = "no-answer", [DLG_UNREACHABLE] = "unreachable",
		                             [DLG_FORWARDED] = "forwarded" };
	return c->outgoing ? "outbound" : names[dlg_reason_of(text_of(c->who.reason))];
}

/* ---- who ---- */
/* An access number belongs to a dial plan, whoever logs on. */
static const struct cfg_dialplan *plan_of_access(const struct cfg *cfg, const char *user)
{
	for (size_t i = 0; cfg && i < cfg->n_dialplans; i++)
		for (size_t k = 0; k < cfg->dialplans[i].access_numbers.n; k++)
			if (text_is_nocase(text_of(user), cfg->dialplans[i].access_numbers.v[k]))
				return &cfg->dialplans[i];
	return NULL;
}

static const char *plan_of(const struct dlg_call *c)
{
	const struct dir_user *box = c->who.box ? c->who.box : c->s.box;
	if (c->who.attendant)
		return c->who.attendant->dialplan;
	const struct cfg_dialplan *p = box ? dir_dialplan(c->s.view, box) : plan_of_access(dir_view_cfg(c->s.view), leg_info(c->leg)->called.user);
	return p ? p->name : "";
}

static void mailboxes(const struct dlg_call *c, struct call_record *r)
{
	const struct dlg_session *s = &c->s;
	const struct dir_user *callee = c->who.box, *caller = c->who.caller;
	if (!c->outgoing && c->who.kind != DLG_WHO_MAILBOX)
		callee = s->left_message || c->who.kind == DLG_WHO_SUBSCRIBER || s->logged_on ? s->box : NULL;
	if (!c->outgoing && s->logged_on)
		caller = s->box;
	FILL(r->callee_mailbox, callee ? callee->name : "");
	FILL(r->caller_mailbox, caller ? caller->name : "");
}

static void where(const struct dlg_call *c, struct call_record *r)
{
	const struct leg_info *info = leg_info(c->leg);
	char addr[NET_ADDR_SIZE];
	FILL(r->call_id, info->call_id);
	FILL(r->direction, c->outgoing ? "out" : "in");
	FILL(r->transport, net_transport_name(info->transport));
	FILL(r->gateway, c->gateway);
	FILL(r->gateway_address, net_addr_is_set(&info->source) ? net_addr_print(&info->source, addr) : c->source);
	FILL(r->dialplan, plan_of(c));
	FILL(r->called, c->called);
	FILL(r->caller, c->who.caller_number);
	FILL(r->caller_name, c->who.caller_name);
	/* The diversion's texts belong to the leg that came in: not to one that was made for it. */
	FILL(r->dialled, c->outgoing ? c->called : c->who.dialled);
	FILL(r->reason, reason_of(c));
	FILL(r->attendant, !c->outgoing && c->who.attendant ? c->who.attendant->name : "");
	FILL(r->transferred_to, c->result == R_TRANSFERRED ? c->s.uri : "");
	mailboxes(c, r);
}

static void sound(const struct dlg_call *c, struct call_record *r)
{
	const struct dlg_notes *n = &c->notes;
	key_ways_text(&n->keys, r->keys);
	if (n->has_codec)
		FILL(r->codec, media_codec_name(n->codec));
	FILL(r->srtp, n->srtp);
	if (!n->has_figures || !n->has_codec)
		return;
	r->received = (int64_t)n->figures.received;
	if (n->figures.received > 1) {
		r->lost = n->figures.lost;
		r->jitter_us = n->figures.jitter_us;
	}
	if (n->figures.rtt_us) { /* their report has come */
		r->round_trip_us = n->figures.rtt_us;
		r->peer_lost = n->figures.peer_lost;
	}
	(void)quality_estimate(r);
}

/* ---- how it sounded ---- */
static const char *const bands[DLG_BANDS] = { "excellent", "good", "average", "poor", "bad", "not-measured" };

void dlg_record_metrics(struct dlg_service *s, struct metrics *m)
{
	char label[32];
	for (unsigned i = 0; i < DLG_BANDS; i++) {
		text_print(label, sizeof(label), "band=\"%s\"", bands[i]);
		s->m.band[i] = metric_get(m, METRIC_COUNTER, "umbel_call_quality_total", label, "Answered calls by how they sounded");
	}
}

static const char *figure(char text[24], int64_t v, int64_t unit)
{
	if (v < 0)
		text_print(text, 24, "unknown");
	else
		text_print(text, 24, "%lld.%lld", (long long)(v / unit), (long long)(v % unit * 10 / unit));
	return text;
}

/* Bad by its band; or, where that is not known for want of reports, by what was lost. */
static void tell_bad_sound(struct dlg_call *c, const struct call_record *r)
{
	unsigned band = 0;
	while (band + 1 < DLG_BANDS && strcmp(bands[band], r->band) != 0)
		band++;
	if (c->answered)
		metric_add(c->svc->m.band[band], 1);
	int64_t all = r->lost > 0 ? r->received + r->lost : 0;
	bool lossy = r->received >= QUALITY_LEAST_PACKETS && r->lost > 0 && r->lost * 10 >= all;
	if ((strcmp(r->band, "poor") != 0 && strcmp(r->band, "bad") != 0 && !lossy) || !c->answered)
		return;
	struct ev_report ev;
	char text[24];
	ev_set(&ev, EV_CALL_SOUNDED_BAD);
	ev_str(&ev, "band", *r->band ? r->band : "bad");
	ev_str(&ev, "nmos", figure(text, r->nmos_centi, 100));
	ev_str(&ev, "loss", figure(text, all ? r->lost * 1000 / all : 0, 10));
	ev_str(&ev, "jitter", figure(text, r->jitter_us, 1000));
	ev_str(&ev, "round_trip", figure(text, r->round_trip_us, 1000));
	ev_str(&ev, "address", r->gateway_address);
	dlg_call_emit(c, &ev);
}

void dlg_record_over(struct dlg_call *c)
{
	struct records *rs = c->svc->prm.records;
	struct dlg_path *p = &c->notes.path;
	struct call_record r;
	if (!rs)
		return;
	record_init(&r);
	FILL(r.id, c->session);
	FILL(r.parent, c->notes.parent);
	FILL(r.node, c->svc->prm.node);
	r.started_us = c->started_us;
	record_day(c->started_us, r.day);
	r.duration_ms = clock_mono_ms(c->svc->prm.clock) - c->started_mono_ms;
	enum record_kind kind = kind_of(c);
	FILL(r.kind, record_kind_name(kind));
	FILL(r.offer_result, record_offer_name(offer_of(c)));
	FILL(r.drop_reason, drop_of(c));
	where(c, &r);
	sound(c, &r);
	tell_bad_sound(c, &r);
	struct call_box *b = dlg_path_box(p, c->who.box);
	if (b && !c->outgoing && c->who.kind == DLG_WHO_MAILBOX) {
		b->called = true;
		b->missed = kind == RECORD_MISSED;
	}
	(void)dlg_path_box(p, c->who.caller); /* among his calls */
	r.steps = p->n_steps;
	r.steps_lost = p->steps_lost;
	records_put(rs, &r, p->box, p->n_boxes, p->step, p->n_steps);
}

void dlg_record_refused(struct dlg_service *svc, const struct leg_info *info, const struct dlg_who *who, const char *why)
{
	struct call_record r;
	char addr[NET_ADDR_SIZE];
	if (!svc->prm.records)
		return;
	record_init(&r);
	FILL(r.id, info->session);
	FILL(r.node, svc->prm.node);
	r.started_us = clock_real_us(svc->prm.clock);
	record_day(r.started_us, r.day);
	FILL(r.kind, record_kind_name(RECORD_NONE));
	FILL(r.offer_result, record_offer_name(RECORD_OFFER_REJECTED));
	FILL(r.drop_reason, why);
	FILL(r.call_id, info->call_id);
	FILL(r.direction, "in");
	FILL(r.transport, net_transport_name(info->transport));
	FILL(r.gateway, info->peer ? info->peer->name : "");
	FILL(r.gateway_address, net_addr_print(&info->source, addr));
	FILL(r.dialplan, who && who->plan ? who->plan->name : "");
	FILL(r.called, info->called.uri);
	/* As he says himself; who wants privacy is nobody here, too. */
	FILL(r.caller, who && *who->caller_number ? who->caller_number : info->wants_privacy ? "" : info->from.user);
	FILL(r.caller_name, who ? who->caller_name : info->wants_privacy ? "" : info->from.display);
	FILL(r.reason, "none");
	records_put(svc->prm.records, &r, NULL, 0, NULL, 0);
}
