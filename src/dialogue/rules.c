/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c  Answering rules: which one applies to a call, and what it wants. Conditions are looked at in the order of the file, and the first
 * rule whose conditions all hold counts; a rule names people and numbers, and who may be called is judged when it is tried. */
#include "dialogue/rules.h"
#include "directory/hours.h"

static const char *const reason_names[] = { [DLG_DIRECT] = "direct", [DLG_BUSY] = "busy", [DLG_NO_ANSWER] = "no-answer",
	                                    [DLG_UNREACHABLE] = "unreachable", [DLG_FORWARDED] = "forwarded" };

const char *dlg_reason_name(enum dlg_reason r)
{
	return (unsigned)r < sizeof(reason_names) / sizeof(reason_names[0]) ? reason_names[r] : "";
}

/* RFC 5806 has words, History-Info brings a Reason whose cause is a SIP status (RFC 7044, RFC 4458). */
enum dlg_reason dlg_reason_of(struct text t)
{
	static const struct {
		const char *word;
		enum dlg_reason reason;
	} words[] = {
		{ "user-busy", DLG_BUSY }, { "busy", DLG_BUSY }, { "486", DLG_BUSY }, { "600", DLG_BUSY }, { "no-answer", DLG_NO_ANSWER },
		{ "no-reply", DLG_NO_ANSWER }, { "408", DLG_NO_ANSWER }, { "480", DLG_NO_ANSWER }, { "487", DLG_NO_ANSWER },
		{ "unavailable", DLG_UNREACHABLE }, { "out-of-service", DLG_UNREACHABLE }, { "503", DLG_UNREACHABLE }, { "404", DLG_UNREACHABLE },
		{ "do-not-disturb", DLG_FORWARDED }, { "unconditional", DLG_FORWARDED }, { "deflection", DLG_FORWARDED },
		{ "follow-me", DLG_FORWARDED }, { "time-of-day", DLG_FORWARDED }, { "away", DLG_FORWARDED }, { "302", DLG_FORWARDED },
	};
	bool caused = text_find_text(t, TEXT("cause=")) != SIZE_MAX; /* "SIP;cause=486;text=..." */
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char cause[16];
		if (text_is_nocase(t, words[i].word))
			return words[i].reason;
		if (!caused || words[i].word[0] < '0' || words[i].word[0] > '9')
			continue;
		text_print(cause, sizeof(cause), "cause=%s", words[i].word);
		if (text_find_text(t, text_of(cause)) != SIZE_MAX)
			return words[i].reason;
	}
	return DLG_DIRECT;
}

/* ---- conditions ---- */
/* "+49 (30) 1234" and "+49301234" are one number. */
static size_t plain(struct text t, char *dst, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < t.n && n + 1 < size; i++)
		if (!strchr(" -./()", t.p[i]))
			dst[n++] = t.p[i];
	dst[n] = '\0';
	return n;
}

static bool number_is(const char *wanted, const char *number)
{
	char a[72], b[72];
	size_t n = plain(text_of(wanted), a, sizeof(a));
	plain(text_of(number), b, sizeof(b));
	if (n && a[n - 1] == '*')
		return n > 1 && strncmp(a, b, n - 1) == 0;
	return n && strcmp(a, b) == 0;
}

static bool caller_is(const struct dlg_rule_facts *f, const char *wanted)
{
	if (strcmp(wanted, "inside") == 0)
		return f->caller != NULL;
	if (strcmp(wanted, "outside") == 0)
		return f->caller == NULL;
	if (strcmp(wanted, "anonymous") == 0)
		return !*f->caller_number;
	if (*f->caller_number && number_is(wanted, f->caller_number))
		return true;
	const struct dir_user *u = f->caller ? dir_find(f->view, text_of(wanted)) : NULL;
	return u && u == f->caller;
}

static bool dialled_is(const struct dlg_rule_facts *f, const char *wanted)
{
	return number_is(wanted, f->dialled) || text_is_nocase(text_of(wanted), f->dialled_uri);
}

typedef bool (condition)(const struct dlg_rule_facts *f, const char *wanted);
static bool one_of(const struct cfg_strings *list, condition *holds, const struct dlg_rule_facts *f)
{
	for (size_t i = 0; i < list->n; i++)
		if (holds(f, list->v[i]))
			return true;
	return list->n == 0;
}

static bool reason_is(const struct dlg_rule_facts *f, const char *wanted)
{
	return strcmp(wanted, dlg_reason_name(f->reason)) == 0;
}

bool dlg_schedule_open(const struct cfg *cfg, const char *name, int64_t now_s)
{
	struct hours_now now;
	hours_at(*name ? cfg_schedule(cfg, text_of(name)) : NULL, now_s, &now);
	return now.state == HOURS_OPEN;
}

bool dlg_rule_applies(const struct cfg_answer_rule *r, const struct dlg_rule_facts *f)
{
	const struct cfg *cfg = dir_view_cfg(f->view);
	if (*r->open && !dlg_schedule_open(cfg, r->open, f->now_s))
		return false;
	if (*r->closed && dlg_schedule_open(cfg, r->closed, f->now_s))
		return false;
	return one_of(&r->callers, caller_is, f) && one_of(&r->dialled, dialled_is, f) && one_of(&r->reasons, reason_is, f);
}

const struct cfg_answer_rule *dlg_rule_of(const struct dir_user *box, const struct dlg_rule_facts *f)
{
	const struct cfg_mailbox *m = cfg_mailbox(dir_view_cfg(f->view), text_of(box->name));
	if (!m || !dir_policy(f->view, box)->features.answering_rules)
		return NULL;
	for (size_t i = 0; i < m->n_rules; i++)
		if (dlg_rule_applies(&m->rules[i], f))
			return &m->rules[i];
	return NULL;
}

const struct cfg_answer_rule *dlg_rule_named(const struct dir_view *v, const struct dir_user *box, const char *name)
{
	const struct cfg_mailbox *m = cfg_mailbox(dir_view_cfg(v), text_of(box->name));
	for (size_t i = 0; m && i < m->n_rules; i++)
		if (strcmp(m->rules[i].name, name) == 0)
			return &m->rules[i];
	return NULL;
}

/* ---- what it wants ---- */
static void places(struct dlg_session *s)
{
	s->n_find = 0;
	for (size_t i = 0; i < s->rule->find.n && s->n_find < DLG_PLACES; i++)
		s->find[s->n_find++] = (struct dlg_place){ s->rule->find.v[i], (uint32_t)s->rule->ring_ms };
}

enum dlg_rule_do dlg_rule_begin(struct dlg_session *s)
{
	static const enum dlg_rule_do does[] = { [CFG_ANSWER_MESSAGE] = DLG_RULE_MESSAGE, [CFG_ANSWER_FIND_ME] = DLG_RULE_FIND,
		                                 [CFG_ANSWER_TRANSFER] = DLG_RULE_TRANSFER, [CFG_ANSWER_MENU] = DLG_RULE_MENU,
		                                 [CFG_ANSWER_HANGUP] = DLG_RULE_BYE };
	if (!s->rule)
		return DLG_RULE_NONE;
	places(s);
	s->rule_target = s->rule->transfer;
	return does[s->rule->action];
}

int dlg_rule_key(struct dlg_session *s, char key)
{
	enum dlg_rule_do was = s->rule_do;
	s->rule_do = key == '0' && dlg_has_operator(s) ? DLG_RULE_OPERATOR : DLG_RULE_MENU;
	for (size_t i = 0; i < s->rule->n_keys; i++) {
		const struct cfg_menu_key *k = &s->rule->keys[i];
		if (k->key != key)
			continue;
		s->rule_target = k->target;
		s->rule_do = k->action == CFG_ACT_FIND_ME ? DLG_RULE_FIND : k->action == CFG_ACT_TRANSFER ? DLG_RULE_TRANSFER :
		             k->action == CFG_ACT_OPERATOR ? DLG_RULE_OPERATOR : k->action == CFG_ACT_HANGUP ? DLG_RULE_BYE : DLG_RULE_MESSAGE;
	}
	s->rule_wrong = s->rule_do == DLG_RULE_MENU;
	if (s->rule_wrong)
		s->rule_do = was;
	return 0;
}
