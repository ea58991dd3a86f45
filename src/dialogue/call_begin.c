/* SPDX-License-Identifier: Apache-2.0 */
/* call_begin.c  How a call begins: its object, a port for its sound, which conversation it gets, the answer; what comes then is call.c.
 * Calls that we make (find_live.c) begin here, too.                                                                      */
#include "dialogue/call_private.h"
#include "dialogue/rules.h"
#include "dialogue/tell.h"
#include <errno.h>
#include "base/mem.h"
#include "dialogue_events.h"
#include "sip_events.h"

enum { RETRY_AFTER_S = 30 };

int dlg_call_open_port(struct dlg_call *c, const struct net_addr *local, struct ev_report *why)
{
	struct media_port_prm prm = { .local = local, .handler = dlg_call_media_h, .arg = c, .session = c->session };
	int err = media_port_open(&c->port, c->svc->prm.media, &prm, why);
	if (!err)
		player_init(&c->player, c->port);
	return err;
}

void dlg_call_undo(struct dlg_call *c)
{
	if (c->port) {
		media_port_handler(c->port, NULL, NULL);
		media_port_close(c->port);
		c->port = NULL;
	}
	dlg_engine_close(&c->s.eng);
	mem_unref(c);
}

static int local_for(struct dlg_service *svc, struct net_addr *local, const struct net_addr *to)
{
	enum { GOOD_FOR_MS = 1000 };
	int64_t now_ms = clock_mono_ms(svc->prm.clock);
	int err = 0;
	if (now_ms >= svc->way.until_ms || !net_addr_eq_host(&svc->way.to, to)) {
		err = net_addr_local_for(&svc->way.local, to);
		svc->way.to = *to;
		svc->way.until_ms = err ? 0 : now_ms + GOOD_FOR_MS;
	}
	*local = svc->way.local;
	return err;
}

static int open_port(struct dlg_call *c, struct ev_report *why)
{
	const struct leg_info *info = leg_info(c->leg);
	struct net_addr local;
	int err = *c->svc->media_address ? net_addr_parse(&local, text_of(c->svc->media_address), 0)
	                                 : local_for(c->svc, &local, &info->source);
	if (err)
		return err;
	net_addr_set_port(&local, 0);
	return dlg_call_open_port(c, &local, why);
}

static void choose_table(struct dlg_call *c)
{
	struct dlg_service *svc = c->svc;
	switch (c->who.kind) {
	case DLG_WHO_ATTENDANT:
		c->table = dlg_attendant_table(svc->attendants, text_of(c->who.attendant->name));
		c->table_owner = mem_ref(svc->attendants);
		metric_add(svc->m.attendant, 1);
		break;
	case DLG_WHO_SUBSCRIBER:
		c->table = &dlg_subscriber;
		metric_add(svc->m.subscriber, 1);
		break;
	default:
		c->table = &dlg_answering;
		metric_add(svc->m.answering, 1);
		break;
	}
}

/* All that decides which greeting and which rule apply is known before the call is answered. */
static void how_to_answer(struct dlg_call *c)
{
	struct dlg_session *s = &c->s;
	const struct dlg_who *w = &c->who;
	int64_t now_s = clock_real_s(c->svc->prm.clock);
	const struct cfg *cfg = dir_view_cfg(s->view);
	const struct cfg_mailbox *m = cfg_mailbox(cfg, text_of(w->box->name));
	s->reason = dlg_reason_of(text_of(w->reason));
	s->closed = m && !dlg_schedule_open(cfg, m->schedule, now_s);
	struct dlg_rule_facts f = { .view = s->view, .caller = w->caller, .caller_number = w->caller_number, .dialled = w->dialled,
		                    .dialled_uri = w->dialled_uri, .reason = s->reason, .now_s = now_s };
	s->rule = dlg_rule_of(w->box, &f);
	if (s->rule && dlg_may_be_own_search(c->svc, c->leg, w))
		s->rule = NULL;
	if (s->rule)
		dlg_call_step(c, "rule %s", s->rule->name);
}

static void destroy(void *object)
{
	struct dlg_call *c = object;
	for (int i = 0; i < DLG_CLIPS; i++)
		mem_unref(c->clip[i]);
	recorder_free(c->recorder);
	mem_unref(c->stretched);
	mem_unref(c->zone);
	mem_free(c->verdict);
	mem_free(c->part);
	mem_free(c->listen_memory);
	mem_free(c->saying);
	mem_free(c->step);
	dlg_tale_free(&c->tale);
	dlg_path_free(&c->notes.path);
	dlg_session_close(&c->s);
	mem_unref(c->table_owner);
	mem_unref(c->leg);
}

void dlg_call_caller_is(struct dlg_call *c)
{
	c->s.caller = c->who.caller;
	text_fill(c->s.caller_number, sizeof(c->s.caller_number), c->who.caller_number);
	text_fill(c->s.caller_name, sizeof(c->s.caller_name), c->who.caller_name);
}

struct dlg_call *dlg_call_make(struct dlg_service *svc, struct dir_view *view, const struct dlg_who *who, const char *session)
{
	struct dlg_call *c = mem_object(sizeof(*c), destroy);
	if (!c)
		return NULL;
	c->svc = svc;
	c->who = *who;
	c->started_us = clock_real_us(svc->prm.clock);
	c->started_mono_ms = clock_mono_ms(svc->prm.clock);
	text_fill(c->session, sizeof(c->session), session);
	dlg_session_init(&c->s, view, &dlg_live, c);
	c->s.box = who->box;
	c->s.aa = who->attendant;
	dlg_call_caller_is(c);
	return c;
}

static struct dlg_call *make(struct dlg_service *svc, struct leg *leg, struct dir_view *view, const struct dlg_who *who)
{
	const struct leg_info *info = leg_info(leg);
	struct dlg_call *c = dlg_call_make(svc, view, who, info->session);
	if (!c)
		return NULL;
	c->leg = mem_ref(leg);
	text_fill(c->called, sizeof(c->called), info->called.uri);
	text_fill(c->gateway, sizeof(c->gateway), info->peer ? info->peer->name : "");
	char addr[NET_ADDR_SIZE];
	text_fill(c->source, sizeof(c->source), net_addr_print(&info->source, addr));
	c->s.open_line = dlg_open_line(info->transport);
	text_fill(c->s.home, sizeof(c->s.home), info->peer && *info->peer->host ? info->peer->host : info->from.host);
	if (who->kind == DLG_WHO_MAILBOX)
		how_to_answer(c);
	choose_table(c);
	return c;
}

static void tell_arrived(struct dlg_call *c)
{
	EV_REPORT(r);
	ev_set(&r, EV_CALL_ARRIVED);
	ev_str(&r, "dialogue", c->table->title);
	ev_str(&r, "called", c->called);
	ev_str(&r, "by", c->who.by);
	ev_str(&r, "mailbox", c->who.box ? c->who.box->name : "");
	dlg_call_emit(c, &r);
	dlg_call_step(c, "%s, told by %s", c->table->title, c->who.by);
	dlg_tale_arrived(c);
}

static void tell_not_answered(struct dlg_call *c, const struct ev_report *why, int err)
{
	EV_REPORT(r);
	char sentence[256];
	ev_set(&r, EV_CALL_NOT_ANSWERED);
	ev_str(&r, "reason", why->id ? ev_sentence(why, sentence, sizeof(sentence)) : strerror(err));
	dlg_call_emit(c, &r);
}

int dlg_call_begin(struct dlg_service *svc, struct leg *leg, struct dir_view *view, const struct dlg_who *who)
{
	EV_REPORT(why);
	ev_set(&why, 0);
	struct dlg_call *c = make(svc, leg, view, who);
	if (!c || !c->table) {
		mem_unref(c);
		leg_reject(leg, 500, "the call cannot be taken", RETRY_AFTER_S);
		return ENOMEM;
	}
	mem_ref(c); /* the first reference is the list's, and a leg that is refused may be over at once */
	dlg_service_add(svc, c);
	tell_arrived(c);
	leg_handler(leg, dlg_call_leg_h, c);
	int err = open_port(c, &why);
	if (err) {
		leg_reject(leg, 503, "no port for audio is left", RETRY_AFTER_S);
	} else {
		leg_srtp(leg, dlg_srtp(who->plan, cfg_gateway(dir_view_cfg(view), text_of(c->gateway))));
		err = leg_answer(leg, c->port, &why); /* refuses by itself what it cannot speak */
		if (err && err != EPROTO)
			leg_reject(leg, 500, "the call cannot be answered", 0);
	}
	if (err) {
		c->notes.end = LEG_END_REJECTED;
		if (why.id == EV_SIP_SOUND_NOT_ENCRYPTED || why.id == EV_SIP_SOUND_ONLY_ENCRYPTED || why.id == EV_SIP_SOUND_NO_SUITE || why.id == EV_SIP_SOUND_KEYS_OPEN)
			c->notes.drop = "not-encrypted";
		tell_not_answered(c, &why, err);
		dlg_tale_not_answered(c, &why, err);
		dlg_call_end(c, "not answered");
	} else {
		c->answered = true;
		dlg_call_sound_is(c);
	}
	mem_unref(c);
	return err;
}
