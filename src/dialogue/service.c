/* SPDX-License-Identifier: Apache-2.0 */
/* service.c  All calls of this node: how they come in, the list, the history, drain, and what was left behind by a crash. */
#include "dialogue/service.h"
#include <errno.h>
#include <sys/stat.h>
#include "base/mem.h"
#include "dialogue/call_private.h"
#include "dialogue/words.h"
#include "dialogue_events.h"

enum { RETRY_AFTER_S = 30, STOP_STEPS = 150, STOP_STEP_MS = 20 };

/* A call that is over, in one block. */
struct past {
	struct link link;
	char session[EV_SESSION_SIZE], from[64], from_name[128], called[128], gateway[64], source[64], dialogue[CFG_NAME_SIZE];
	char object[CFG_NAME_SIZE], outcome[96];
	int64_t started_us, duration_ms;
	bool refused;
	struct dlg_tale tale;
	unsigned n_steps, steps_lost;
	struct dlg_call_step steps[];
};

static void past_free(struct past *p)
{
	dlg_tale_free(&p->tale);
	mem_free(p);
}

/* Those that were refused at once may be many, and take no room from the others. */
static void keep(struct dlg_service *s, struct past *p)
{
	unsigned *n = p->refused ? &s->n_refused : &s->n_past, max = p->refused ? DLG_REFUSED : DLG_HISTORY;
	struct link *it = s->past.head.prev;
	list_prepend(&s->past, &p->link);
	if (++*n <= max)
		return;
	while (LIST_ENTRY(it, struct past, link)->refused != p->refused)
		it = it->prev;
	list_remove(it);
	past_free(LIST_ENTRY(it, struct past, link));
	--*n;
}

/* ---- life ---- */
static void make_metrics(struct dlg_service *s)
{
	struct metrics *m = s->prm.metrics;
	const char *calls = "umbel_calls_total", *help = "Calls taken, by conversation";
	dlg_record_metrics(s, m);
	s->m.active = metric_get(m, METRIC_GAUGE, "umbel_calls_active", NULL, "Calls alive");
	s->m.answering = metric_get(m, METRIC_COUNTER, calls, "dialogue=\"answering\"", help);
	s->m.subscriber = metric_get(m, METRIC_COUNTER, calls, "dialogue=\"subscriber\"", help);
	s->m.attendant = metric_get(m, METRIC_COUNTER, calls, "dialogue=\"attendant\"", help);
	s->m.refused = metric_get(m, METRIC_COUNTER, "umbel_calls_refused_total", NULL, "Calls refused: nobody called, drain, no room");
	s->m.saved = metric_get(m, METRIC_COUNTER, "umbel_messages_saved_total", NULL, "Messages whose caller heard or got the receipt");
	s->m.lost = metric_get(m, METRIC_COUNTER, "umbel_messages_lost_total", NULL, "Messages that neither store nor spool took");
	s->m.dropped_short = metric_get(m, METRIC_COUNTER, "umbel_recordings_dropped_total", "reason=\"short\"", "Recordings that were too short or silent");
	s->m.dropped_silent = metric_get(m, METRIC_COUNTER, "umbel_recordings_dropped_total", "reason=\"silent\"", "Recordings that were too short or silent");
	s->m.missed = metric_get(m, METRIC_COUNTER, "umbel_calls_missed_total", NULL, "Calls whose caller left nothing");
	s->m.found = metric_get(m, METRIC_COUNTER, "umbel_find_me_total", "outcome=\"found\"", "Places called by find me");
	s->m.not_found = metric_get(m, METRIC_COUNTER, "umbel_find_me_total", "outcome=\"not found\"", "Places called by find me");
	s->m.transfers = metric_get(m, METRIC_COUNTER, "umbel_transfers_total", "outcome=\"done\"", "Transfers by outcome");
	s->m.heard = metric_get(m, METRIC_COUNTER, "umbel_spoken_names_total", "outcome=\"heard\"", "Names that callers said, by outcome");
	s->m.not_heard = metric_get(m, METRIC_COUNTER, "umbel_spoken_names_total", "outcome=\"not understood\"", "Names that callers said, by outcome");
	s->m.transfers_failed = metric_get(m, METRIC_COUNTER, "umbel_transfers_total", "outcome=\"failed\"", "Transfers by outcome");
}

static int make_folder(const char *path, struct ev_report *why)
{
	if (!mkdir(path, 0700) || errno == EEXIST)
		return 0;
	int err = errno;
	ev_set(why, EV_RECORDINGS_NO_FOLDER);
	ev_str(why, "path", path);
	ev_str(why, "error", strerror(err));
	return err;
}

int dlg_service_create(struct dlg_service **sp, const struct dlg_service_prm *prm, struct ev_report *why)
{
	struct dlg_service *s = mem_zalloc(1, sizeof(*s));
	if (!s)
		return ENOMEM;
	s->prm = *prm;
	list_init(&s->calls);
	list_init(&s->outgoing);
	list_init(&s->past);
	list_init(&s->jobs);
	list_init(&s->found);
	text_fill(s->node, sizeof(s->node), prm->node ? prm->node : "");
	s->prm.node = s->node;
	int err = text_copy(text_of(prm->spool_dir), s->spool_dir, sizeof(s->spool_dir));
	if (!err)
		err = make_folder(s->spool_dir, why);
	if (!err && prm->media_address)
		err = text_copy(text_of(prm->media_address), s->media_address, sizeof(s->media_address));
	if (!err)
		err = dlg_attendants_create(&s->attendants, prm->cfg);
	if (err) {
		mem_free(s);
		return err;
	}
	s->cfg = cfg_ref(prm->cfg);
	make_metrics(s);
	*sp = s;
	return 0;
}

void dlg_service_use(struct dlg_service *s, const struct cfg *cfg, struct dlg_attendants *attendants)
{
	mem_unref(s->attendants);
	cfg_unref(s->cfg);
	s->attendants = attendants;
	s->cfg = cfg_ref(cfg);
}

void dlg_service_ways(struct dlg_service *s, struct sip_core *core, struct gw_table *gateways)
{
	s->core = core;
	s->gateways = gateways;
}

void dlg_service_destroy(struct dlg_service *s)
{
	if (!s)
		return;
	s->draining = true;
	LIST_FOREACH(&s->calls, it) {
		struct dlg_call *c = LIST_ENTRY(it, struct dlg_call, link);
		c->notes.drop = "server-stopping";
		dlg_call_end(c, "the server is stopping");
	}
	for (int i = 0; i < STOP_STEPS && (s->n_calls || s->n_saves); i++)
		loop_step(s->prm.loop, STOP_STEP_MS);
	for (struct link *l; (l = list_pop(&s->calls));) {
		struct dlg_call *c = LIST_ENTRY(l, struct dlg_call, link);
		list_remove(&c->outgoing_link);
		dlg_record_over(c);
		dlg_call_detach(c);
		mem_unref(c);
	}
	dlg_recover_stop(s);
	dlg_jobs_cancel(s);
	for (struct link *l; (l = list_pop(&s->past));)
		past_free(LIST_ENTRY(l, struct past, link));
	mem_unref(s->attendants);
	cfg_unref(s->cfg);
	mem_free(s);
}

/* ---- a call comes ---- */
static const char *said_caller(const struct leg_info *info, const struct dlg_who *who)
{
	if (who && *who->caller_number)
		return who->caller_number;
	return *info->from.uri && !info->wants_privacy ? info->from.uri : dlg_words(DLG_SAYS_UNKNOWN_CALLER);
}

static void remember_refused(struct dlg_service *s, struct leg *leg, const struct dlg_who *who, const struct ev_report *refusal)
{
	const struct leg_info *info = leg_info(leg);
	const struct ev_field *status = ev_field(refusal, "status");
	struct past *p = mem_zalloc(1, sizeof(*p));
	char addr[NET_ADDR_SIZE];
	if (!p)
		return;
	p->refused = true;
	text_fill(p->session, sizeof(p->session), info->session);
	text_fill(p->from, sizeof(p->from), said_caller(info, who));
	text_fill(p->from_name, sizeof(p->from_name), who ? who->caller_name : "");
	text_fill(p->called, sizeof(p->called), info->called.uri);
	text_fill(p->gateway, sizeof(p->gateway), info->peer ? info->peer->name : "");
	text_fill(p->source, sizeof(p->source), net_addr_print(&info->source, addr));
	text_print(p->outcome, sizeof(p->outcome), "refused with %d", status ? (int)status->i : 403);
	p->started_us = clock_real_us(s->prm.clock);
	dlg_tale_refused(&p->tale, leg, who, p->from, refusal);
	keep(s, p);
}

static void refuse(struct dlg_service *s, struct leg *leg, const struct dlg_who *who, uint16_t id, int status, const char *reason)
{
	const struct leg_info *info = leg_info(leg);
	EV_REPORT(r);
	char looked_at[DLG_LOOKED_AT] = "";
	ev_set(&r, id);
	ev_session(&r, info->session);
	ev_str(&r, "caller", said_caller(info, who));
	ev_str(&r, "gateway", info->peer ? info->peer->name : "");
	ev_int(&r, "status", status);
	ev_str(&r, "reason", reason);
	if (who)
		dlg_looked_at(info, looked_at);
	ev_str(&r, "looked_for", looked_at);
	ev_str(&r, "call_id", info->call_id);
	ev_emit(s->prm.bus, &r);
	metric_add(s->m.refused, 1);
	dlg_record_refused(s, info, who, who ? "nobody-called" : "not-taken");
	remember_refused(s, leg, who, &r);
	leg_reject(leg, status, reason, status == 503 ? RETRY_AFTER_S : 0);
}

/* Whoever asked for calls that nobody on the way can hear gets no others. */
static void refuse_open_call(struct dlg_service *s, struct leg *leg, const struct dlg_who *who)
{
	const struct leg_info *info = leg_info(leg);
	EV_REPORT(r);
	char addr[NET_ADDR_SIZE];
	ev_set(&r, EV_CALL_NOT_SECURE);
	ev_session(&r, info->session);
	ev_str(&r, "caller", said_caller(info, who));
	ev_str(&r, "gateway", info->peer ? info->peer->name : "");
	ev_str(&r, "source", net_addr_print(&info->source, addr));
	ev_str(&r, "called", info->called.uri);
	ev_str(&r, "dialplan", who->plan->name);
	ev_str(&r, "transport", net_transport_name(info->transport));
	ev_str(&r, "call_id", info->call_id);
	ev_emit(s->prm.bus, &r);
	metric_add(s->m.refused, 1);
	dlg_record_refused(s, info, who, "not-secure");
	remember_refused(s, leg, who, &r);
	leg_reject(leg, 403, dlg_words(DLG_SAYS_TLS_ONLY), 0);
}

/* The last ones are kept for those who want to hear their messages: nobody else helps them, while another node may take a caller. */
static bool room_for(const struct dlg_service *s, bool owner)
{
	unsigned kept = s->prm.reserved_calls < s->prm.max_calls / 10 ? s->prm.reserved_calls : s->prm.max_calls / 10;
	return !s->prm.max_calls || s->n_calls < s->prm.max_calls - (owner ? 0 : kept);
}

static int full_status(const struct dlg_service *s)
{
	return s->prm.busy_when_full ? 486 : 503;
}

void dlg_service_offer(struct dlg_service *s, struct leg *leg)
{
	struct dlg_who who;
	struct dir_view *view = dir_view(s->prm.dir);
	if (s->draining) {
		refuse(s, leg, NULL, EV_CALL_REFUSED, 503, "this server is being drained and takes no new calls");
	} else if (!room_for(s, true)) {
		refuse(s, leg, NULL, EV_CALL_REFUSED, full_status(s), "this server has as many calls as it may take");
	} else if (!view) {
		refuse(s, leg, NULL, EV_CALL_REFUSED, 503, "the directory has not been read yet");
	} else {
		dlg_who(view, leg_info(leg), &who);
		if (who.kind == DLG_WHO_NOBODY)
			refuse(s, leg, &who, EV_CALL_REJECTED, 404, "no mailbox, attendant or access number here has this name");
		else if (!room_for(s, who.kind == DLG_WHO_SUBSCRIBER))
			refuse(s, leg, NULL, EV_CALL_REFUSED, full_status(s), "the last calls that this server may take are kept for owners of mailboxes");
		else if (dlg_is_own_search(s, leg))
			leg_reject(leg, 486, NULL, 0);
		else if (!dlg_secure_enough(&who, leg_info(leg)->transport))
			refuse_open_call(s, leg, &who);
		else
			dlg_call_begin(s, leg, view, &who);
	}
	dir_view_unref(view);
}

void dlg_service_offered_h(struct leg *leg, void *service)
{
	dlg_service_offer(service, leg);
}

/* ---- the list and the history ---- */
void dlg_service_add(struct dlg_service *s, struct dlg_call *c)
{
	list_append(&s->calls, &c->link);
	if (c->outgoing)
		list_append(&s->outgoing, &c->outgoing_link);
	c->listed = true;
	metric_set(s->m.active, ++s->n_calls);
}

static const char *object_of(const struct dlg_call *c)
{
	return c->who.box ? c->who.box->name : c->who.attendant ? c->who.attendant->name : "";
}

static const char *dialogue_of(const struct dlg_call *c)
{
	return c->outgoing ? "find-me" : c->who.kind == DLG_WHO_ATTENDANT ? "attendant" : c->table->name;
}

static void remember(struct dlg_service *s, struct dlg_call *c)
{
	struct past *p = mem_zalloc(1, sizeof(*p) + c->n_steps * sizeof(p->steps[0]));
	if (!p)
		return;
	text_fill(p->session, sizeof(p->session), c->session);
	text_fill(p->from, sizeof(p->from), c->who.caller_number);
	text_fill(p->from_name, sizeof(p->from_name), c->who.caller_name);
	text_fill(p->called, sizeof(p->called), c->called);
	text_fill(p->gateway, sizeof(p->gateway), c->gateway);
	text_fill(p->source, sizeof(p->source), c->source);
	text_fill(p->dialogue, sizeof(p->dialogue), dialogue_of(c));
	text_fill(p->object, sizeof(p->object), object_of(c));
	text_fill(p->outcome, sizeof(p->outcome), c->outcome);
	p->started_us = c->started_us;
	p->duration_ms = clock_mono_ms(s->prm.clock) - c->started_mono_ms;
	p->n_steps = c->n_steps;
	p->steps_lost = c->steps_lost;
	if (c->n_steps)
		memcpy(p->steps, c->step, c->n_steps * sizeof(p->steps[0]));
	dlg_tale_move(&p->tale, &c->tale);
	keep(s, p);
}

void dlg_service_over(struct dlg_service *s, struct dlg_call *c)
{
	remember(s, c);
	dlg_record_over(c);
	list_remove(&c->link);
	list_remove(&c->outgoing_link);
	c->listed = false;
	metric_set(s->m.active, --s->n_calls);
	mem_unref(c);
	dlg_service_check_idle(s);
}

/* ---- drain ---- */
void dlg_service_drain(struct dlg_service *s, bool on)
{
	s->draining = on;
}

void dlg_service_ask_to_finish(struct dlg_service *s, unsigned seconds)
{
	LIST_FOREACH(&s->calls, it)
		dlg_call_notice(LIST_ENTRY(it, struct dlg_call, link), seconds);
}

unsigned dlg_service_count(const struct dlg_service *s)
{
	return s->n_calls;
}

void dlg_service_check_idle(struct dlg_service *s)
{
	if (s->n_calls || s->n_saves || !s->idle)
		return;
	dlg_idle_h *h = s->idle;
	s->idle = NULL;
	h(s->idle_arg);
}

void dlg_service_when_idle(struct dlg_service *s, dlg_idle_h *h, void *arg)
{
	s->idle = h;
	s->idle_arg = arg;
	dlg_service_check_idle(s);
}

/* ---- for the administrator ---- */
static void show_call(struct dlg_service *s, struct dlg_call *c, dlg_call_h *h, void *arg)
{
	char state[160];
	const struct dlg_table *t = dlg_table_of(&c->s.eng);
	text_print(state, sizeof(state), "%s%s%s", t ? t->name : leg_state_name(c->leg), t ? ": " : "", t ? dlg_state_of(&c->s.eng) : "");
	struct dlg_call_info info = {
		.session = c->session, .from = c->who.caller_number, .from_name = c->who.caller_name, .called = c->called, .gateway = c->gateway,
		.source = c->source, .dialogue = dialogue_of(c), .object = object_of(c), .state = state, .held = leg_is_held(c->leg),
		.started_us = c->started_us, .duration_ms = clock_mono_ms(s->prm.clock) - c->started_mono_ms,
		.steps = c->step, .n_steps = c->n_steps, .steps_lost = c->steps_lost, .tale = &c->tale,
	};
	h(&info, arg);
}

static void show_past(const struct past *p, dlg_call_h *h, void *arg)
{
	struct dlg_call_info info = {
		.session = p->session, .from = p->from, .from_name = p->from_name, .called = p->called, .gateway = p->gateway, .source = p->source,
		.dialogue = p->dialogue, .object = p->object, .state = p->outcome, .over = true, .started_us = p->started_us,
		.duration_ms = p->duration_ms, .steps = p->steps, .n_steps = p->n_steps, .steps_lost = p->steps_lost,
		.tale = &p->tale,
	};
	h(&info, arg);
}

void dlg_service_calls(struct dlg_service *s, bool history, dlg_call_h *each, void *arg)
{
	LIST_FOREACH(&s->calls, it)
		show_call(s, LIST_ENTRY(it, struct dlg_call, link), each, arg);
	if (!history)
		return;
	LIST_FOREACH(&s->past, it)
		show_past(LIST_ENTRY(it, struct past, link), each, arg);
}

/* The live or past call whose session begins so: exactly one of *c and *p is set on success. */
static int find(struct dlg_service *s, const char *session, struct dlg_call **c, struct past **p)
{
	unsigned found = 0;
	*c = NULL;
	*p = NULL;
	if (!session || !*session)
		return ENOENT;
	LIST_FOREACH(&s->calls, it) {
		struct dlg_call *x = LIST_ENTRY(it, struct dlg_call, link);
		if (text_starts(text_of(x->session), session)) {
			*c = x;
			found++;
		}
	}
	LIST_FOREACH(&s->past, it) {
		struct past *x = LIST_ENTRY(it, struct past, link);
		if (!text_starts(text_of(x->session), session))
			continue;
		if (!*c)
			*p = x;
		found++;
	}
	return found == 0 ? ENOENT : found == 1 ? 0 : EEXIST;
}

int dlg_service_call(struct dlg_service *s, const char *session, dlg_call_h *h, void *arg)
{
	struct dlg_call *c;
	struct past *p;
	int err = find(s, session, &c, &p);
	if (err)
		return err;
	if (c)
		show_call(s, c, h, arg);
	else
		show_past(p, h, arg);
	return 0;
}

int dlg_service_end(struct dlg_service *s, const char *session)
{
	struct dlg_call *c;
	struct past *p;
	int err = find(s, session, &c, &p);
	if (err || !c)
		return err ? err : ENOENT;
	EV_REPORT(r);
	ev_set(&r, EV_CALL_ENDED_BY_ADMIN);
	dlg_call_emit(c, &r);
	c->notes.drop = "administrator";
	dlg_call_end(c, "ended by the administrator");
	return 0;
}
