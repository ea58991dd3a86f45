/* SPDX-License-Identifier: Apache-2.0 */
/* leg.c  A leg's birth, its states, its events, its end; and the way a request within its dialog takes. */
#include "sip/leg_private.h"
#include <errno.h>
#include "base/mem.h"
#include "sip/conns.h"

/* There may be tens of thousands: what is needed only for a while has an allocation of its own (leg_private.h). */
_Static_assert(sizeof(struct leg) <= 824, "with what a plain phone's INVITE says and its places in the tables, a call that is up shall take at most a kilobyte of the allocator");

static void leg_destroy(void *object)
{
	struct leg *leg = object;

	leg_texts_free(leg);
	sip_dialog_clear(&leg->d);
	leg_accept_stop(leg);
	leg_reliable_free(leg);
	leg_out_free(leg);
	mem_free(leg->ack_auth);
	leg_srtp_forget(leg);
	mem_free(leg->offer);
	mem_free(leg->hangup_reason);
	mem_free(leg->end_facts);
	mem_unref(leg->peer);
}

void leg_info_silent(struct leg *leg)
{
	static const struct leg_party nobody = { "", "", "", "" };
	struct leg_info *i = &leg->info;

	i->call_id = i->opaque = i->referred_by = i->user_agent = "";
	i->called = i->to = i->from = i->asserted = nobody;
	i->diversion = i->history = NULL;
	i->n_diversions = i->n_history = 0;
}

struct leg *leg_make(struct sip_core *core, struct sip_peer *peer, bool incoming, const char *session)
{
	struct leg *leg = mem_object(sizeof(*leg), leg_destroy);

	if (!leg)
		return NULL;
	leg->core = core;
	leg->peer = mem_ref(peer);
	if (peer)
		leg->srtp_want = peer->srtp;
	leg->state = incoming ? LEG_S_OFFERED : LEG_S_CALLING;
	leg->started_ms = clock_mono_ms(core->prm.clock);
	list_init(&leg->reqs);
	sdp_session_init(&leg->sdp, (uint64_t)clock_real_us(core->prm.clock));
	if (session && session[0])
		text_fill(leg->session, sizeof(leg->session), session);
	else
		id_make(leg->session, core->prm.clock);
	leg->end_reason = leg->identity = "";
	leg->info = (struct leg_info){ .incoming = incoming, .session = leg->session, .peer = peer };
	leg_info_silent(leg);
	return leg;
}

static struct leg_tally *tally_of(const struct sip_core *core, const char *name)
{
	struct hash_entry *e = hash_find(core->tally_by_name, text_of(name));

	return e ? HASH_MEMBER(e, struct leg_tally, by_name) : NULL;
}

static int tally_in(struct leg *leg)
{
	struct leg_tally *t = leg->peer ? tally_of(leg->core, leg->peer->name) : NULL;
	int err = 0;

	if (!t && leg->peer) {
		if (!(t = mem_zalloc(1, sizeof(*t))))
			return ENOMEM;
		text_fill(t->name, sizeof(t->name), leg->peer->name);
		err = hash_add(leg->core->tally_by_name, &t->by_name, text_of(t->name));
	}
	if (err) {
		mem_free(t);
		return err;
	}
	if (t)
		t->n++;
	leg->tally = t;
	return 0;
}

static void tally_out(struct leg *leg)
{
	struct leg_tally *t = leg->tally;

	leg->tally = NULL;
	if (!t || --t->n)
		return;
	hash_remove(&t->by_name);
	mem_free(t);
}

int leg_enter(struct leg *leg)
{
	struct sip_core *core = leg->core;
	int err = hash_add(core->leg_by_tag, &leg->by_tag, text_of(leg->d.local_tag));

	if (!err && (err = tally_in(leg)) != 0)
		hash_remove(&leg->by_tag);
	if (err)
		return err;
	list_append(&core->legs, &leg->link);
	core->n_legs++;
	metric_set(core->m.legs, core->n_legs);
	mem_ref(leg);
	return 0;
}

static void leg_leave(struct leg *leg)
{
	if (!link_linked(&leg->link))
		return;
	hash_remove(&leg->by_tag);
	tally_out(leg);
	list_remove(&leg->link);
	leg->core->n_legs--;
	metric_set(leg->core->m.legs, leg->core->n_legs);
	mem_unref(leg);
}

/* ---- states ---- */
static const char *const state_names[] = {
	[LEG_S_OFFERED] = "offered", [LEG_S_ANSWERING] = "answering", [LEG_S_CALLING] = "calling", [LEG_S_UP] = "up",
	[LEG_S_ENDING] = "ending",   [LEG_S_HANGING] = "hanging up",  [LEG_S_OVER] = "over",
};

/* A report is large, and cleared where it begins to live: only where somebody wants to hear it. */
static void report_state(const struct leg *leg, enum leg_state s)
{
	struct ev_report r;

	ev_set(&r, EV_SIP_LEG_STATE);
	ev_session(&r, leg->session);
	ev_str(&r, "was", state_names[leg->state]);
	ev_str(&r, "state", state_names[s]);
	ev_str(&r, "direction", leg->info.incoming ? "in" : "out");
	ev_emit(leg->core->bus, &r);
}

void leg_set_state(struct leg *leg, enum leg_state s)
{
	if (leg->state == s)
		return;
	if (ev_wanted(leg->core->bus, EV_SIP_LEG_STATE))
		report_state(leg, s);
	leg->state = s;
}

bool leg_was_up(const struct leg *leg)
{
	return leg->state == LEG_S_UP || leg->state == LEG_S_ANSWERING || leg->state == LEG_S_ENDING || leg->state == LEG_S_HANGING;
}

void leg_emit(struct leg *leg, struct leg_event *ev)
{
	if (!ev->reason)
		ev->reason = "";
	if (!ev->target)
		ev->target = "";
	if (!ev->referred_by)
		ev->referred_by = "";
	mem_ref(leg);
	if (leg->h)
		leg->h(leg, ev, leg->arg);
	mem_unref(leg);
}

static void report_over(struct leg *leg)
{
	struct ev_report r;

	ev_set(&r, EV_SIP_CALL_OVER);
	ev_session(&r, leg->session);
	ev_str(&r, "direction", leg->info.incoming ? "in" : "out");
	ev_str(&r, "gateway", leg->peer ? leg->peer->name : "");
	ev_str(&r, "end", leg_end_name(leg->end));
	ev_int(&r, "status", leg->end_status);
	ev_str(&r, "reason", leg->end_reason);
	sip_ev_what(&r, (const char *const[]){ "end", "status", "reason", NULL });
	ev_int(&r, "seconds", (clock_mono_ms(leg->core->prm.clock) - leg->started_ms) / 1000);
	ev_emit(leg->core->bus, &r);
}

/* Whatever is still open is let go; the peer has been told, or will never be reached. */
static void stop_all(struct leg *leg)
{
	leg_accept_stop(leg);
	leg_invite_dropped(leg);
	leg_transfer_drop(leg);
	leg_out_drop(leg);
	leg_change_drop(leg);
	leg_reliable_stop(leg);
	leg_timer_stop(leg);
	leg_offer_drop(leg);
	leg_reqs_end(leg);
	if (leg->bye) {
		leg_reply(leg, leg->bye, 200, NULL);
		leg->bye = mem_unref(leg->bye);
	}
}

static void over_now(struct leg *leg)
{
	struct leg_event ev = { .type = LEG_OVER, .end = leg->end, .status = leg->end_status, .reason = leg->end_reason, .facts = leg->end_facts };

	if (leg->state == LEG_S_OVER)
		return;
	mem_ref(leg);
	stop_all(leg);
	leg_set_state(leg, LEG_S_OVER);
	leg->port = NULL;
	if (!leg->ghost && ev_wanted(leg->core->bus, EV_SIP_CALL_OVER))
		report_over(leg);
	leg_emit(leg, &ev);
	leg->h = NULL;
	leg_leave(leg);
	mem_unref(leg);
}

static void end_note(struct leg *leg, enum leg_end end, int status, const char *reason)
{
	char words[200];

	leg->end = end;
	leg->end_status = status;
	text_fill(words, sizeof(words), reason ? reason : "");
	leg->end_reason = leg_keep(leg, text_of(words));
}

void leg_over(struct leg *leg, enum leg_end end, int status, const char *reason, const struct trust_facts *facts)
{
	struct leg_event ev = { .type = LEG_ENDING, .end = end, .status = status, .reason = reason };

	if (leg->state == LEG_S_OVER)
		return;
	mem_ref(leg);
	end_note(leg, end, status, reason);
	if (facts && !leg->end_facts && (leg->end_facts = mem_alloc(sizeof(*facts))))
		*leg->end_facts = *facts;
	/* Who is up and did not end it himself hears first that it ends, to save what there is. */
	if ((leg->state == LEG_S_UP || leg->state == LEG_S_ANSWERING) && end != LEG_END_US && !leg->ghost) {
		leg_set_state(leg, LEG_S_ENDING);
		leg_emit(leg, &ev);
		end_note(leg, end, status, reason);
	}
	over_now(leg);
	mem_unref(leg);
}

static void on_over(void *arg)
{
	over_now(arg);
}

void leg_over_later(struct leg *leg, enum leg_end end, int status, const char *reason)
{
	if (leg->state == LEG_S_OVER || leg->over_soon)
		return;
	end_note(leg, end, status, reason);
	leg_set_state(leg, LEG_S_HANGING);
	leg->over_soon = true;
	tmr_start_soon(leg->core->loop, &leg->tmr, on_over, leg);
}

void sip_legs_end(struct sip_core *core)
{
	struct link *l;

	while ((l = list_first(&core->legs)))
		leg_over(LIST_ENTRY(l, struct leg, link), LEG_END_FAILED, 0, "the server ends", NULL);
}

unsigned sip_legs_of(const struct sip_core *core, const struct sip_peer *peer)
{
	const struct leg_tally *t = tally_of(core, peer->name);

	return t ? t->n : 0;
}

const char *sip_session_of(const struct sip_core *core, struct text message)
{
	struct sip_msg *m = mem_alloc(sizeof(*m));
	struct hash_entry *e = NULL;

	if (m && !sip_msg_parse(m, message.p, message.n, NULL)) {
		e = text_empty(m->to_tag) ? NULL : hash_find(core->leg_by_tag, m->to_tag);
		if (!e && !text_empty(m->from_tag))
			e = hash_find(core->leg_by_tag, m->from_tag);
	}
	mem_free(m);
	return e ? HASH_MEMBER(e, struct leg, by_tag)->session : "";
}

void leg_reply(struct leg *leg, struct sip_stx *stx, unsigned status, const char *sentence)
{
	struct sip_reply r = { .status = status, .sentence = sentence, .to_tag = text_of(leg->d.local_tag) };

	(void)sip_reply(leg->core, stx, &r);
}

/* ---- requests within the dialog ---- */
static void dispatch(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req)
{
	switch (req->method) {
	case SIP_BYE:
		leg_on_bye(leg, stx, req);
		break;
	case SIP_INVITE:
		leg_on_reinvite(leg, stx, req);
		break;
	case SIP_UPDATE:
		leg_on_update(leg, stx, req);
		break;
	case SIP_PRACK:
		leg_on_prack(leg, stx, req);
		break;
	case SIP_INFO:
		leg_on_info(leg, stx, req);
		break;
	case SIP_REFER:
		leg_on_refer(leg, stx, req);
		break;
	case SIP_NOTIFY:
		leg_on_notify(leg, stx, req);
		break;
	case SIP_OPTIONS:
		sip_options_answer(leg->core, stx, leg->peer, true);
		break;
	default:
		leg_reply(leg, stx, 405, "not within a call");
	}
}

static struct leg *leg_of(const struct sip_core *core, const struct sip_msg *req)
{
	struct hash_entry *e = text_empty(req->to_tag) ? NULL : hash_find(core->leg_by_tag, req->to_tag);
	struct leg *leg = e ? HASH_MEMBER(e, struct leg, by_tag) : NULL;

	return leg && sip_dialog_matches(&leg->d, req) ? leg : NULL;
}

bool sip_leg_is_there(struct sip_core *core, const struct sip_msg *req)
{
	return leg_of(core, req);
}

bool sip_leg_request(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req)
{
	struct leg *leg = leg_of(core, req);

	if (!leg)
		return false;
	mem_ref(leg);
	if (!stx)
		leg_on_ack(leg, req);
	else if (!sip_dialog_in_order(&leg->d, req))
		leg_reply(leg, stx, 500, "CSeq is not greater than that of the request before (RFC 3261 12.2.2)");
	else
		dispatch(leg, stx, req);
	mem_unref(leg);
	return true;
}

/* ---- small questions ---- */
void leg_handler(struct leg *leg, leg_event_h *h, void *arg)
{
	leg->h = h;
	leg->arg = arg;
}

const struct leg_info *leg_info(const struct leg *leg)
{
	return &leg->info;
}

const char *leg_session(const struct leg *leg)
{
	return leg->session;
}

const char *leg_state_name(const struct leg *leg)
{
	return state_names[leg->state];
}

bool leg_is_up(const struct leg *leg)
{
	return leg->state == LEG_S_UP;
}

bool leg_is_over(const struct leg *leg)
{
	return leg->state == LEG_S_OVER;
}

bool leg_is_held(const struct leg *leg)
{
	return leg->held;
}

int64_t leg_started_ms(const struct leg *leg)
{
	return leg->started_ms;
}

const struct trust_facts *leg_facts_known(struct leg *leg)
{
	const struct sip_path *way = leg->invite ? sip_stx_path(leg->invite) : NULL;

	if (leg->out && leg->out->invite)
		return sip_uac_facts(leg->out->invite->uac);
	return way && way->conn ? sip_conn_known(way->conn) : NULL;
}

int leg_facts(struct leg *leg, struct trust_facts *f)
{
	const struct trust_facts *known = leg->out && leg->out->invite ? sip_uac_facts(leg->out->invite->uac) : NULL;

	if (known)
		*f = *known;
	else if (leg->invite)
		sip_path_facts(leg->core, sip_stx_path(leg->invite), f);
	return known || leg->invite ? 0 : ENOENT;
}

bool leg_sound(const struct leg *leg, struct leg_sound *s)
{
	if (!leg->agreed_once || !leg->port || net_addr_parse(&s->remote, text_of(leg->agreed.remote_addr), leg->agreed.remote_port))
		return false;
	s->codec = sdp_codec_name(leg->agreed.codec);
	s->srtp = media_port_srtp(leg->port);
	s->local = *media_port_addr(leg->port);
	s->keys_pt = leg->agreed.recv_dtmf_pt;
	return true;
}

const char *leg_event_name(enum leg_event_type t)
{
	static const char *const names[] = {
		[LEG_PROGRESS] = "progress", [LEG_ANSWERED] = "answered", [LEG_HELD] = "held", [LEG_RESUMED] = "resumed", [LEG_DIGIT] = "digit",
		[LEG_REFERRED] = "referred", [LEG_REPLACED] = "replaced", [LEG_TRANSFER_PROGRESS] = "transfer progress", [LEG_TRANSFERRED] = "transferred",
		[LEG_TRANSFER_FAILED] = "transfer failed", [LEG_ENDING] = "ending", [LEG_OVER] = "over",
	};
	return names[t];
}

const char *leg_end_name(enum leg_end e)
{
	static const char *const names[] = {
		[LEG_END_PEER] = "the peer hung up", [LEG_END_US] = "we hung up", [LEG_END_CANCELLED] = "cancelled",
		[LEG_END_REJECTED] = "refused", [LEG_END_FAILED] = "failed",
	};
	return names[e];
}

void sip_core_each_leg(struct sip_core *core, sip_leg_each_h *each, void *arg)
{
	LIST_FOREACH (&core->legs, it)
		each(LIST_ENTRY(it, struct leg, link), arg);
}

struct leg *sip_core_leg(struct sip_core *core, const char *session)
{
	LIST_FOREACH (&core->legs, it) {
		struct leg *leg = LIST_ENTRY(it, struct leg, link);
		if (text_is(text_of(leg->session), session))
			return leg;
	}
	return NULL;
}
