/* SPDX-License-Identifier: Apache-2.0 */
/* session.c  What several tables share: guards, actions, sentences, and the life of a session's data. */
#include "dialogue/session.h"
#include <errno.h>
#include "base/mem.h"
#include "dialogue/rows.h"

static const char *const code_names[R_CODES] = {
	[R_NONE] = "", [R_OK] = "ok", [R_EMPTY] = "empty", [R_BACK] = "back", [R_NO_INPUT] = "no input", [R_GIVE_UP] = "gave up",
	[R_SHORT] = "too short", [R_SILENT] = "silent", [R_FAILED] = "failed", [R_REFUSED] = "refused", [R_OPERATOR] = "operator",
	[R_MESSAGE] = "message", [R_LOGON] = "log on", [R_TRANSFERRED] = "transferred", [R_GOODBYE] = "goodbye", [R_KEYS] = "keys", [R_TALKED] = "talked", [R_GONE] = "gone",
	[J_REC_ENDED] = "recorded", [J_SAVED] = "saved", [J_LOGON_OK] = "right", [J_LOGON_MUST_CHANGE] = "must change",
	[J_LOGON_WRONG] = "wrong", [J_LOGON_LOCKED] = "locked", [J_LOGON_NO_PIN] = "no PIN", [J_PIN_RULE] = "against the rules",
	[J_SPEECH_BEGAN] = "speech began", [J_HEARD] = "heard", [J_DONE] = "done",
};

const char *dlg_code_name(int code)
{
	return code > 0 && code < R_CODES ? code_names[code] : "";
}

static const char *const missed_names[] = { [DLG_MISSED_GREETING] = "greeting", [DLG_MISSED_SEARCH] = "search", [DLG_MISSED_SHORT] = "short",
	                                    [DLG_MISSED_SILENT] = "silent", [DLG_MISSED_DISCARDED] = "discarded", [DLG_MISSED_FULL] = "full",
	                                    [DLG_MISSED_UNANSWERED] = "unanswered" };

const char *dlg_missed_name(enum dlg_missed m)
{
	return (unsigned)m < sizeof(missed_names) / sizeof(missed_names[0]) ? missed_names[m] : "";
}

void dlg_session_init(struct dlg_session *s, struct dir_view *view, const struct dlg_effects *fx, void *fx_arg)
{
	*s = (struct dlg_session){ .fx = fx, .fx_arg = fx_arg, .view = dir_view_ref(view), .phone.speed = DLG_SPEED_NORMAL };
	dlg_engine_init(&s->eng, s, &fx->io, fx_arg);
}

void dlg_session_close(struct dlg_session *s)
{
	dlg_engine_close(&s->eng);
	mem_wipe(s->digits, sizeof(s->digits));
	mem_wipe(s->new_pin, sizeof(s->new_pin));
	mem_free(s->list);
	s->list = NULL;
	mem_free(s->aa_piece);
	s->aa_piece = NULL;
	s->n_list = 0;
	mbox_choices_clear(&s->phone.choices);
	s->view = dir_view_unref(s->view);
}

static bool in_folder(const struct dlg_session *s, enum mbox_state state, enum mbox_state want)
{
	static const bool shown[][3] = { [DLG_FOLDER_ALL] = { true, true, false }, [DLG_FOLDER_NEW] = { true, false, false },
		                         [DLG_FOLDER_SAVED] = { false, true, false }, [DLG_FOLDER_DELETED] = { false, false, true } };
	return state == want && state <= MBOX_DELETED && shown[s->phone.folder][state];
}

int dlg_list_set(struct dlg_session *s, const struct mbox_message *v, size_t n)
{
	size_t most = n < DLG_LIST_MAX ? n : DLG_LIST_MAX;
	struct mbox_message *copy = mem_zalloc(most ? most : 1, sizeof(*copy));
	if (!copy)
		return ENOMEM;
	unsigned to = 0;
	for (size_t i = 0; i < n && to < most; i++)
		if (in_folder(s, v[i].state, MBOX_NEW))
			copy[to++] = v[i];
	s->n_new = to;
	for (size_t i = 0; i < n && to < most; i++) /* whatever does not fit, new ones are heard */
		if (in_folder(s, v[i].state, MBOX_SAVED))
			copy[to++] = v[i];
	s->n_saved = to - s->n_new;
	for (size_t i = 0; i < n && to < most; i++)
		if (in_folder(s, v[i].state, MBOX_DELETED))
			copy[to++] = v[i];
	mem_free(s->list);
	s->list = copy;
	s->n_list = to;
	s->at = 0;
	dlg_list_arrange(s);
	return 0;
}

/* ---- guards ---- */
bool dlg_is_gone(const struct dlg_session *s)
{
	return dlg_gone(&s->eng);
}

bool dlg_line_allows(const struct dlg_session *s, const struct cfg_dialplan *plan)
{
	return !plan || plan->security == CFG_SECURITY_OFF || (!s->open_line && (!s->open_sound || plan->security != CFG_SECURITY_MEDIA));
}

bool dlg_box_allowed(const struct dlg_session *s, const struct dir_user *box)
{
	return dlg_line_allows(s, dir_dialplan(s->view, box));
}

const struct cfg_policy *dlg_policy(const struct dlg_session *s)
{
	return s->box ? dir_policy(s->view, s->box) : cfg_policy(dir_view_cfg(s->view), TEXT_NONE);
}

static const struct cfg_dialplan *plan_of(const struct dlg_session *s)
{
	if (s->box)
		return dir_dialplan(s->view, s->box);
	return cfg_dialplan(dir_view_cfg(s->view), s->aa ? text_of(s->aa->dialplan) : TEXT_NONE);
}

uint64_t dlg_max_call_ms(const struct dlg_session *s)
{
	const struct cfg_dialplan *plan = s->box ? NULL : plan_of(s);
	return plan && plan->max_call_ms ? plan->max_call_ms : dlg_policy(s)->max_call_ms;
}

uint64_t dlg_max_recording_ms(const struct dlg_session *s)
{
	const struct cfg_dialplan *plan = plan_of(s);
	uint64_t ms = dlg_policy(s)->max_recording_ms;
	return plan && plan->max_recording_ms && plan->max_recording_ms < ms ? plan->max_recording_ms : ms;
}

uint64_t dlg_silence_ms(const struct dlg_session *s)
{
	const struct cfg_dialplan *plan = plan_of(s);
	uint64_t ms = dlg_policy(s)->silence_ms;
	return plan && plan->silence_ms && plan->silence_ms < ms ? plan->silence_ms : ms;
}

bool dlg_last_failure(const struct dlg_session *s)
{
	uint32_t allowed = s->aa && !s->box ? s->aa->input_failures : dlg_policy(s)->input_failures;
	return s->failures + 1 >= (allowed ? allowed : 3);
}

const char *dlg_operator(const struct dlg_session *s)
{
	const struct cfg_dialplan *plan = NULL;
	if (s->box) {
		if (*s->box->operator_number)
			return s->box->operator_number;
		plan = dir_dialplan(s->view, s->box);
	}
	if (s->aa) {
		if (s->aa_closed || *s->aa->operator_number)
			return s->aa_closed ? s->aa->closed.operator_number : s->aa->operator_number;
		plan = cfg_dialplan(dir_view_cfg(s->view), text_of(s->aa->dialplan));
	}
	return plan ? plan->operator_number : "";
}

bool dlg_has_operator(const struct dlg_session *s)
{
	return *dlg_operator(s) != '\0';
}

/* Whose cap it is. */
static uint32_t outside_cap(const struct dlg_session *s)
{
	return s->box ? dlg_policy(s)->outside_calls_per_hour : s->aa ? s->aa->outside_calls_per_hour : 0;
}

bool dlg_target_counts(const struct dlg_session *s)
{
	return s->target.outside && s->fx->count_outside && outside_cap(s);
}

int dlg_count_outside(struct dlg_session *s)
{
	char of[80];
	text_print(of, sizeof(of), s->box ? "mailbox %s" : "attendant %s", s->box ? s->box->name : s->aa->name);
	return s->fx->count_outside(s->fx_arg, dlg_job(&s->eng), of, outside_cap(s));
}

bool dlg_target_allowed(const struct dlg_session *s)
{
	return s->allow == DIR_ALLOWED;
}

bool dlg_nearly_full(const struct dlg_session *s)
{
	const struct cfg_policy *p = dlg_policy(s);
	uint64_t messages = s->n_new + s->n_saved;
	return p->max_messages && messages * 100 >= (uint64_t)p->max_messages * p->quota_warning_percent;
}

/* The first that is given; a dial plan gives what its attendant leaves open, as the directory did for mailboxes. */
static const char *first_language(const struct dlg_session *s, const char *chosen, const char *before)
{
	const struct cfg *cfg = dir_view_cfg(s->view);
	const struct cfg_dialplan *plan = cfg && s->aa ? cfg_dialplan(cfg, text_of(s->aa->dialplan)) : NULL;
	const char *of[] = { chosen, before, s->aa ? s->aa->language : "", plan ? plan->language : "", s->box ? s->box->language : "",
		             cfg && cfg->n_dialplans ? cfg->dialplans[0].language : "" };
	for (unsigned i = 0; i < sizeof of / sizeof *of; i++)
		if (of[i] && *of[i])
			return of[i];
	return "";
}

const char *dlg_language_of(const struct dlg_session *s)
{
	return first_language(s, s->phone.trying, s->language);
}

const char *dlg_written_in(const struct dlg_session *s)
{
	return first_language(s, "", "");
}

const char *dlg_box_name(const struct dlg_session *s)
{
	return s->box ? s->box->spoken_name : "";
}

/* ---- actions ---- */
int dlg_count_failure(struct dlg_session *s)
{
	s->failures++;
	return 0;
}

int dlg_no_failures(struct dlg_session *s)
{
	s->failures = 0;
	return 0;
}

int dlg_do_confirm(struct dlg_session *s)
{
	s->fx->confirm(s->fx_arg, !s->lost);
	return 0;
}

int dlg_drop_recording(struct dlg_session *s)
{
	s->fx->record_drop(s->fx_arg);
	s->rec.kept = s->has_clip[CLIP_RECORDING] = false;
	return 0;
}

int dlg_fetch_recording(struct dlg_session *s)
{
	return s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_RECORDING, NULL);
}

static bool as_long_as_an_extension(const struct dlg_session *s, size_t digits)
{
	const struct cfg *cfg = dir_view_cfg(s->view);
	for (size_t i = 0; i < cfg->n_dialplans; i++)
		if (cfg->dialplans[i].extension_digits == digits)
			return true;
	for (size_t i = 0; i < dir_view_count(s->view); i++) {
		const struct dir_user *u = dir_view_at(s->view, i);
		for (size_t k = 0; k < u->extensions.n; k++)
			if (u->extensions.v[k][0] != '+' && strlen(u->extensions.v[k]) == digits)
				return true;
	}
	return false;
}

/* A number outside: only by the rules that the mailbox's policy or the attendant names. */
static enum dir_allow outside(struct dlg_session *s, const char *number)
{
	const struct cfg *cfg = dir_view_cfg(s->view);
	if (s->box)
		return dir_may_call_outside(dir_dialplan(s->view, s->box), &dlg_policy(s)->allowed_rules, text_of(number), &s->target);
	if (s->aa)
		return dir_may_call_outside(cfg_dialplan(cfg, text_of(s->aa->dialplan)), &s->aa->allowed_rules, text_of(number), &s->target);
	return DIR_NOT_DIALABLE;
}

void dlg_aim(struct dlg_session *s, const char *target)
{
	s->target = (struct dir_target){ .uri = "", .spoken_name = "" };
	s->target_is_operator = false;
	s->uri[0] = '\0';
	s->allow = dir_may_transfer(s->view, text_of(target), &s->target);
	if (s->allow == DIR_ALLOWED && !s->target.user && !as_long_as_an_extension(s, strlen(s->target.number)))
		s->allow = outside(s, target);
}

void dlg_aim_from(struct dlg_session *s, const char *target)
{
	dlg_aim(s, target);
	if (s->allow == DIR_ALLOWED || !s->box)
		return;
	struct dir_target t;
	if (dir_may_call_outside(dir_dialplan(s->view, s->box), &dir_policy(s->view, s->box)->allowed_rules, text_of(target), &t) != DIR_ALLOWED)
		return;
	s->target = t;
	s->allow = DIR_ALLOWED;
}

int dlg_to_operator(struct dlg_session *s)
{
	dlg_aim(s, dlg_operator(s));
	s->target_is_operator = true;
	return 0;
}

static const char *domain_of(const struct dlg_session *s, const struct cfg_dialplan *plan)
{
	const struct cfg *cfg = dir_view_cfg(s->view);
	if (!plan)
		return s->home;
	if (*plan->domain)
		return plan->domain;
	const struct cfg_gateway *gw = *plan->gateway ? cfg_gateway(cfg, text_of(plan->gateway)) : cfg->n_gateways ? &cfg->gateways[0] : NULL;
	return gw && *gw->address ? gw->address : s->home;
}

int dlg_target_uri(const struct dlg_session *s, char *dst, size_t size)
{
	const struct dir_target *t = &s->target;
	if (*t->number) {
		const char *domain = domain_of(s, t->dialplan);
		bool v6 = strchr(domain, ':') && domain[0] != '[';
		return *domain ? text_print(dst, size, v6 ? "sip:%s@[%s]" : "sip:%s@%s", t->number, domain) : ENOENT;
	}
	if (!t->uri || !*t->uri)
		return ENOENT;
	bool has_scheme = text_starts_nocase(text_of(t->uri), "sip:") || text_starts_nocase(text_of(t->uri), "sips:");
	return text_print(dst, size, "%s%s", has_scheme ? "" : "sip:", t->uri);
}

/* ---- sentences ---- */
static bool has_recording(const struct dlg_session *s)
{
	return s->has_clip[CLIP_RECORDING];
}

const struct dlg_phrase dlg_say_recording[] = { SAY_CLIP(has_recording, CLIP_RECORDING), SAY_END };
const struct dlg_phrase dlg_say_empty[] = { SAY(P_MESSAGE_EMPTY), SAY_END };
const struct dlg_phrase dlg_say_invalid[] = { SAY(P_INVALID_KEY), SAY_END };
const struct dlg_phrase dlg_say_no_input[] = { SAY(P_NO_INPUT), SAY_END };
/* What is on its way when we hang up is lost: the silence goes first. */
const struct dlg_phrase dlg_say_goodbye[] = { SAY(P_GOODBYE), SAY_PAUSE(400), SAY_END };
