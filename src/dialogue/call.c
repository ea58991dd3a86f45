/* SPDX-License-Identifier: Apache-2.0 */
/* call.c  A call's life once it was taken (call_begin.c): conversation, what leg and port say, over. Leg events enter at dlg_call_leg_h() only,
 * media events at dlg_call_media_h() only.
 *
 * Two things end, in either order: the conversation (talk_over) and the leg (leg_over). When the conversation ends first, we hang up; when
 * the caller hangs up first, the conversation learns of it, keeps what has to be kept, and confirms. The call leaves the list when
 * both are over and the port is closed.                                                                                 */
#include "dialogue/call_private.h"
#include "dialogue/rules.h"
#include "dialogue/tell.h"
#include <errno.h>
#include <stdarg.h>
#include "base/mem.h"
#include "dialogue_events.h"

enum { FIRST_STEPS = 12 };
_Static_assert(DLG_CALL_STEPS == FIRST_STEPS << 3, "a history grows by doubling");

/* ---- telling ---- */
static int more_steps(struct dlg_call *c)
{
	unsigned room = c->room_steps ? c->room_steps * 2 : FIRST_STEPS;
	if (c->room_steps == DLG_CALL_STEPS)
		return ENOSPC;
	struct dlg_call_step *v = mem_realloc(c->step, room * sizeof(*v));
	if (!v)
		return ENOMEM;
	c->step = v;
	c->room_steps = room;
	return 0;
}

void dlg_call_step(struct dlg_call *c, const char *fmt, ...)
{
	if (c->n_steps == c->room_steps && more_steps(c)) {
		c->steps_lost++;
		return;
	}
	struct dlg_call_step *st = &c->step[c->n_steps++];
	st->at_ms = c->svc ? clock_mono_ms(c->svc->prm.clock) - c->started_mono_ms : 0;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(st->text, sizeof(st->text), fmt, ap);
	va_end(ap);
}

void dlg_call_emit(struct dlg_call *c, struct ev_report *r)
{
	if (!c->svc)
		return;
	ev_session(r, c->session);
	if (!ev_field(r, "caller"))
		ev_str(r, "caller", *c->who.caller_number ? c->who.caller_number : "an unknown caller");
	if (!ev_field(r, "gateway"))
		ev_str(r, "gateway", c->gateway);
	ev_emit(c->svc->prm.bus, r);
}

static int64_t age_ms(const struct dlg_call *c)
{
	return c->svc ? clock_mono_ms(c->svc->prm.clock) - c->started_mono_ms : 0;
}

static void set_outcome(struct dlg_call *c, const char *text)
{
	if (!*c->outcome)
		text_fill(c->outcome, sizeof(c->outcome), text);
}

/* ---- the end ---- */
static void stop_timers(struct dlg_call *c)
{
	for (int i = 0; i < DLG_TIMERS; i++)
		tmr_cancel(&c->timer[i]);
	tmr_cancel(&c->limit);
}

static void tell_over(struct dlg_call *c)
{
	EV_REPORT(r);
	ev_set(&r, c->outgoing ? EV_CALL_MADE_OVER : EV_CALL_OVER);
	ev_str(&r, "target", c->called);
	ev_int(&r, "seconds", (clock_mono_ms(c->svc->prm.clock) - c->started_mono_ms) / 1000);
	ev_str(&r, "outcome", c->outcome);
	ev_str(&r, "mailbox", c->who.box ? c->who.box->name : "");
	dlg_call_emit(c, &r);
}

static void maybe_gone(struct dlg_call *c)
{
	if (!c->talk_over || !c->leg_over || c->port || !c->listed)
		return;
	set_outcome(c, "ended");
	tell_over(c);
	stop_timers(c);
	leg_handler(c->leg, NULL, NULL);
	dlg_service_over(c->svc, c);
}

static const char *outcome_of(const struct dlg_call *c, int result)
{
	switch (result) {
	case R_TRANSFERRED: return "transferred";
	case R_TALKED: return "talked";
	case R_REFUSED: return "not logged on";
	case R_GIVE_UP: return "gave up after wrong or missing keys";
	case R_GOODBYE: return c->s.lost ? "message lost" : c->s.left_message ? "message left" : "goodbye said";
	case R_GONE:
	case R_NONE: return c->s.talked ? "talked, caller hung up" : c->s.lost ? "message lost" : c->s.left_message ? "message left, caller hung up" : "caller hung up";
	default: return "ended";
	}
}

/* Of a call that we made. */
static const char *outcome_made(const struct dlg_call *c, int result)
{
	return c->joined ? "talked" : !c->answered ? "not answered" : result == R_REFUSED ? "declined" : result == R_NO_INPUT ? "not taken" : "hung up";
}

/* Somebody called, and nothing is left of it. */
static void note_missed(struct dlg_call *c)
{
	const struct dlg_session *s = &c->s;
	if (c->outgoing || c->table != &dlg_answering || !c->who.box || s->left_message || s->lost || s->talked || s->logged_on || c->result == R_TRANSFERRED)
		return;
	struct mbox_missed k = { .at_us = c->started_us };
	const char *why = dlg_missed_name(c->answered ? s->missed : DLG_MISSED_UNANSWERED);
	EV_REPORT(r);
	ev_set(&r, EV_CALL_MISSED);
	ev_str(&r, "mailbox", c->who.box->name);
	ev_str(&r, "why", why);
	dlg_call_emit(c, &r);
	metric_add(c->svc->m.missed, 1);
	if (!dir_policy(s->view, c->who.box)->features.missed_calls)
		return;
	id_make(k.id, c->svc->prm.clock);
	text_fill(k.mailbox, sizeof(k.mailbox), c->who.box->name);
	text_fill(k.caller_number, sizeof(k.caller_number), c->who.caller_number);
	text_fill(k.caller_name, sizeof(k.caller_name), c->who.caller_name);
	text_fill(k.session, sizeof(k.session), c->session);
	text_fill(k.why, sizeof(k.why), why);
	text_fill(k.reason, sizeof(k.reason), dlg_reason_name(s->reason));
	(void)mbox_missed_put(c->svc->prm.mbox, &k, NULL, NULL, NULL); /* the event has told it where the store is away */
}

static void close_port(struct dlg_call *c)
{
	if (!c->port)
		return;
	dlg_record_figures(c);
	dlg_tale_sound(c);
	dlg_live_hush(c);
	if (c->leg_over || c->started) /* before the ACK the leg may still want to start it */
		media_port_close(c->port); /* MEDIA_CLOSED comes, perhaps at once */
}

/* The conversation is over: its bottom table returned, or had nothing to do after a hang-up. Called from within the engine. */
void dlg_call_talk_over(struct dlg_call *c, int result)
{
	if (c->talk_over)
		return;
	c->talk_over = true;
	c->result = result;
	set_outcome(c, c->outgoing ? outcome_made(c, result) : outcome_of(c, result));
	dlg_call_step(c, "over: %s", c->outcome);
	dlg_tale_talk_over(c);
	dlg_path_over(&c->notes.path, &c->s, result, age_ms(c));
	if (c->outgoing)
		dlg_call_tell(c, TELL_ENDED);
	else
		dlg_call_part(c);
	note_missed(c);
	if (c->receipt) {
		c->receipt = false;
		leg_confirm(c->leg, !c->s.lost);
	}
	if (!c->leg_over && c->outgoing)
		leg_cancel(c->leg);
	else if (!c->leg_over)
		leg_hangup(c->leg, NULL);
	stop_timers(c);
	dlg_live_deaf(c);
	close_port(c);
	maybe_gone(c);
}

/* The caller is gone, or is to be treated so. */
static void hang_up_talk(struct dlg_call *c)
{
	dlg_path_hangup(&c->notes.path, &c->s, age_ms(c));
	if (c->started)
		dlg_hangup(&c->s.eng);
	else
		dlg_call_talk_over(c, R_NONE);
}

void dlg_call_end(struct dlg_call *c, const char *why)
{
	set_outcome(c, why);
	dlg_call_step(c, "ended: %s", why);
	dlg_tale_end(c, why);
	mem_ref(c);
	hang_up_talk(c);
	mem_unref(c);
}

static void nobody_listens(struct media_port *port, const struct media_event *ev, void *arg)
{
	(void)port, (void)ev, (void)arg;
}

void dlg_call_detach(struct dlg_call *c)
{
	dlg_call_part(c);
	leg_handler(c->leg, NULL, NULL);
	if (!c->leg_over && c->outgoing)
		leg_cancel(c->leg);
	else if (!c->leg_over)
		leg_hangup(c->leg, "the server is stopping");
	stop_timers(c);
	dlg_live_hush(c);
	dlg_live_deaf(c);
	if (c->port) {
		media_port_handler(c->port, nobody_listens, NULL);
		media_port_close(c->port);
		c->port = NULL;
		c->recorder = NULL; /* its file threads may still write: the process ends, and the next one finds the file */
	}
	c->talk_over = c->leg_over = true;
	dlg_engine_close(&c->s.eng);
	c->listed = false;
	c->svc = NULL;
}

/* ---- conversation ---- */
static void too_long(void *arg)
{
	struct dlg_call *c = arg;
	EV_REPORT(r);
	ev_set(&r, EV_CALL_TOO_LONG);
	ev_int(&r, "seconds", (int64_t)(dlg_max_call_ms(&c->s) / 1000));
	dlg_call_emit(c, &r);
	c->notes.drop = "too-long";
	dlg_call_end(c, "greatest length of a call");
}

static void start_talk(struct dlg_call *c)
{
	if (c->started || c->talk_over)
		return;
	c->started = true;
	uint64_t limit_ms = dlg_max_call_ms(&c->s);
	if (limit_ms)
		tmr_start(c->svc->prm.loop, &c->limit, (int64_t)limit_ms, too_long, c);
	dlg_start(&c->s.eng, c->table);
	dlg_path_look(&c->notes.path, &c->s, age_ms(c));
}

/* ---- what the leg says ---- */
/* Without any SIP answer the connection has the word: who refused whom, and what to do. */
static void judge_transfer(struct dlg_call *c, const struct leg_event *ev)
{
	mem_free(c->verdict);
	c->verdict = ev->facts && !ev->status ? mem_alloc(sizeof(*c->verdict)) : NULL;
	if (c->verdict)
		trust_explain(ev->facts, c->verdict);
}

static void transfer_ended(struct dlg_call *c, const struct leg_event *ev)
{
	uint32_t job = c->xfer_job;
	c->xfer_job = 0;
	if (ev->type == LEG_TRANSFERRED) {
		metric_add(c->svc->m.transfers, 1);
		dlg_call_step(c, "transfer: the target answered");
		if (dlg_awaits(&c->s.eng, job))
			dlg_job_done(&c->s.eng, job, J_DONE);
		else if (!c->talk_over)
			dlg_call_end(c, "transferred"); /* given up here already; but the caller talks with somebody now, and not with us */
		return;
	}
	if (ev->order_refused && dlg_transfer_by(c) == CFG_TRANSFER_AUTO) {
		dlg_call_step(c, "transfer: the gateway takes no REFER: %d %s", ev->status, ev->reason);
		dlg_job_failed(&c->s.eng, job, EOPNOTSUPP);
		return;
	}
	metric_add(c->svc->m.transfers_failed, 1);
	judge_transfer(c, ev);
	c->s.xfer_status = ev->status;
	text_fill(c->s.xfer_reason, sizeof(c->s.xfer_reason), ev->reason);
	dlg_call_step(c, "transfer failed: %d %s", ev->status, ev->reason);
	dlg_job_failed(&c->s.eng, job, ECONNREFUSED);
}

/* Who is logged on stays so: he handed his own call to another phone of his, or to somebody he trusts. */
static void taken_over(struct dlg_call *c)
{
	if (!c->outgoing && !c->s.logged_on) {
		dlg_who_calls(c->s.view, leg_info(c->leg), &c->who);
		dlg_call_caller_is(c);
	}
	dlg_call_step(c, "handed over to %s", leg_info(c->leg)->from.uri);
	c->s.open_line = dlg_open_line(leg_info(c->leg)->transport);
	const struct cfg_dialplan *plan = c->s.box ? dir_dialplan(c->s.view, c->s.box) : c->who.plan;
	if (dlg_line_allows(&c->s, plan) && dlg_line_allows(&c->s, c->who.plan))
		return;
	dlg_tell_not_secure(&c->s, c->s.box ? c->s.box->name : c->called, plan);
	c->notes.drop = "not-secure";
	dlg_call_end(c, "handed over to a call that others can read");
}

static void on_key(struct dlg_call *c, enum key_way way, char digit)
{
	if (!key_ways_counts(&c->notes.keys, way, digit, clock_mono_ms(c->svc->prm.clock)))
		return;
	if (c->joined)
		dlg_call_pass_key(c, digit);
	else
		dlg_key(&c->s.eng, digit);
}

/* Once encrypted it stays so where some dial plan counts on that: what a menu leads to is judged by how the call is, not by how it began. */
void dlg_call_sound_is(struct dlg_call *c)
{
	const struct cfg *cfg = dir_view_cfg(c->s.view);
	c->s.open_sound = !leg_is_encrypted(c->leg);
	for (size_t i = 0; !c->s.open_sound && cfg && i < cfg->n_dialplans; i++)
		if (cfg->dialplans[i].security == CFG_SECURITY_MEDIA)
			leg_srtp(c->leg, SDES_REQUIRED);
}

void dlg_call_leg_h(struct leg *leg, const struct leg_event *ev, void *arg)
{
	struct dlg_call *c = mem_ref(arg);
	(void)leg;
	dlg_tale_leg(c, ev);
	switch (ev->type) {
	case LEG_PROGRESS:
		dlg_call_step(c, "ringing: %d", ev->status);
		break;
	case LEG_ANSWERED:
		c->answered = true;
		dlg_call_sound_is(c);
		dlg_call_step(c, "answered");
		start_talk(c);
		break;
	case LEG_DIGIT:
		on_key(c, KEY_BY_INFO, ev->digit);
		break;
	case LEG_TRANSFER_PROGRESS:
		dlg_call_step(c, "transfer: %d", ev->status);
		dlg_job_progress(&c->s.eng, c->xfer_job, ev->status);
		break;
	case LEG_TRANSFERRED:
	case LEG_TRANSFER_FAILED:
		transfer_ended(c, ev);
		break;
	case LEG_ENDING:
		c->receipt = ev->receipt;
		c->notes.end = ev->end;
		dlg_call_step(c, "ending: %s", leg_end_name(ev->end));
		if (c->talk_over) {
			c->receipt = false;
			leg_confirm(c->leg, !c->s.lost);
		} else {
			hang_up_talk(c);
		}
		break;
	case LEG_OVER:
		c->leg_over = true;
		c->receipt = false;
		c->end_status = ev->status;
		if (!c->answered || ev->end == LEG_END_FAILED)
			c->notes.end = ev->end;
		if (!c->answered || ev->end == LEG_END_FAILED)
			set_outcome(c, ev->reason && *ev->reason ? ev->reason : leg_end_name(ev->end));
		if (c->talk_over && !c->started)
			close_port(c);
		if (!c->talk_over)
			hang_up_talk(c);
		maybe_gone(c);
		break;
	case LEG_REPLACED:
		taken_over(c);
		break;
	case LEG_REFERRED:
		leg_refer_progress(c->leg, 603); /* callers do not send us elsewhere */
		break;
	default: /* hold changes nothing: what is said then is not heard, as the caller asked */
		break;
	}
	mem_unref(c);
}

/* ---- what the port says ---- */
void dlg_call_media_h(struct media_port *port, const struct media_event *ev, void *arg)
{
	struct dlg_call *c = mem_ref(arg);
	(void)port;
	dlg_tale_media(c, ev);
	if (dlg_live_media(c, ev)) {
		mem_unref(c);
		return;
	}
	switch (ev->type) {
	case MEDIA_DIGIT:
		on_key(c, ev->by_tone ? KEY_BY_TONE : KEY_BY_EVENT, ev->digit);
		break;
	case MEDIA_DIGITS_SENT:
		dlg_call_pass_more(c);
		break;
	case MEDIA_RTP_TIMEOUT:
		if (!leg_is_held(c->leg)) {
			c->notes.drop = "no-audio";
			dlg_call_end(c, "no audio from the caller any more");
		}
		break;
	case MEDIA_CLOSED:
		c->port = NULL;
		maybe_gone(c);
		break;
	default:
		break;
	}
	mem_unref(c);
}
