/* SPDX-License-Identifier: Apache-2.0 */
/* rule_greetings.c  The greetings of a mailbox's answering rules, recorded by its owner: one rule after another, by its name. */
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { START, OFFER, LOAD, HEAR, RECORD, REMOVE };

static const struct cfg_mailbox *own(const struct dlg_session *s)
{
	return s->box && dlg_policy(s)->features.answering_rules ? cfg_mailbox(dir_view_cfg(s->view), text_of(s->box->name)) : NULL;
}

bool dlg_has_rules(const struct dlg_session *s)
{
	const struct cfg_mailbox *m = own(s);
	return m && m->n_rules > 0;
}

int dlg_rule_greeting_of(struct dlg_session *s, const struct cfg_answer_rule *r)
{
	s->phone.rule = r;
	return dlg_greeting_of(s, MBOX_GREETINGS);
}

static int first(struct dlg_session *s)
{
	return dlg_rule_greeting_of(s, &own(s)->rules[0]);
}

static int next(struct dlg_session *s)
{
	const struct cfg_mailbox *m = own(s);
	const struct cfg_answer_rule *r = s->phone.rule + 1;
	return dlg_rule_greeting_of(s, r < m->rules + m->n_rules ? r : m->rules);
}

static int begin_recording(struct dlg_session *s)
{
	return dlg_rule_greeting_of(s, s->phone.rule);
}

static int load(struct dlg_session *s)
{
	s->failures = 0;
	return s->fx->fetch_own(s->fx_arg, dlg_job(&s->eng));
}

static int take_away(struct dlg_session *s)
{
	s->failures = 0;
	return s->fx->greeting_remove(s->fx_arg, dlg_job(&s->eng));
}

static bool has_greeting(const struct dlg_session *s)
{
	return s->has_clip[CLIP_GREETING];
}

static const char *name(const struct dlg_session *s)
{
	return s->phone.rule->name;
}

static const struct dlg_phrase say_rule[] = { SAY(P_RULE_GREETING), SAY_NAME(NULL, name), SAY_PAUSE(300), SAY(P_RULE_MENU), SAY_END };
static const struct dlg_phrase say_greeting[] = { SAY_CLIP(has_greeting, CLIP_GREETING), SAY_END };
static const struct dlg_phrase say_none[] = { SAY(P_RULE_NO_GREETING), SAY_END };
static const struct dlg_phrase say_removed[] = { SAY(P_RULE_GREETING_REMOVED), SAY_END };
static const struct dlg_phrase say_not_done[] = { SAY(P_CHOICE_FAILED), SAY_END };
static const struct dlg_phrase say_give_up[] = { SAY(P_GIVE_UP), SAY_END };

static const struct dlg_state states[] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[OFFER] = { "one rule", say_rule, NULL, 6000, 0 },
	[LOAD] = { "load greeting", NULL, NULL, 8000, 0 },
	[HEAR] = { "hear greeting", say_greeting, NULL, 2000, 0 },
	[RECORD] = { "record", NULL, &dlg_greeting, 0, 0 },
	[REMOVE] = { "take it away", NULL, NULL, 8000, 0 },
};

#define RULE_KEYS(st) \
	{ st,    KEYS("1"),      ALWAYS,               DO(begin_recording),   RECORD }, \
	{ st,    KEYS("2"),      ALWAYS,               NOTHING,               LOAD }, \
	{ st,    KEYS("7"),      ALWAYS,               NOTHING,               REMOVE }, \
	{ st,    KEYS("#"),      ALWAYS,               DO(next),              OFFER }, \
	{ st,    KEYS("*"),      ALWAYS,               NOTHING,               RETURN(R_BACK) }

static const struct dlg_row rows[] = {
	/* in     when            if                    do                     go                  said before */
	{ START, ENTER,          IF(dlg_has_rules),    DO(first),             OFFER },
	{ START, ENTER,          ALWAYS,               NOTHING,               RETURN(R_BACK) },
	RULE_KEYS(OFFER),
	{ OFFER, WRONG,          IF(dlg_last_failure), NOTHING,               RETURN(R_GIVE_UP),  say_give_up, true },
	{ OFFER, WRONG,          ALWAYS,               DO(dlg_count_failure), OFFER,              dlg_say_invalid, true },
	{ OFFER, TIMEOUT,        IF(dlg_last_failure), NOTHING,               RETURN(R_GIVE_UP),  say_give_up },
	{ OFFER, TIMEOUT,        ALWAYS,               DO(dlg_count_failure), OFFER },
	{ LOAD,  ENTER,          ALWAYS,               DO(load),              STAY },
	{ LOAD,  DONE,           ALWAYS,               NOTHING,               HEAR },
	{ LOAD,  FAILED,         ALWAYS,               NOTHING,               OFFER,              say_none },
	{ LOAD,  TIMEOUT,        ALWAYS,               NOTHING,               OFFER,              say_none },
	RULE_KEYS(HEAR),
	{ HEAR,  WRONG,          ALWAYS,               NOTHING,               OFFER,              dlg_say_invalid, true },
	{ HEAR,  ENDED,          ALWAYS,               NOTHING,               OFFER },
	{ HEAR,  TIMEOUT,        ALWAYS,               NOTHING,               OFFER },
	{ RECORD, RESULT(R_GONE), ALWAYS,              NOTHING,               RETURN(R_GONE) },
	{ RECORD, ANY_RESULT,    ALWAYS,               DO(dlg_no_failures),   OFFER },
	{ REMOVE, ENTER,         ALWAYS,               DO(take_away),         STAY },
	{ REMOVE, DONE,          ALWAYS,               NOTHING,               OFFER,              say_removed },
	{ REMOVE, FAILED,        ALWAYS,               NOTHING,               OFFER,              say_not_done, true },
	{ REMOVE, TIMEOUT,       ALWAYS,               NOTHING,               OFFER,              say_not_done, true },
};

const struct dlg_table dlg_rule_greetings = { "rule-greetings", "Greetings of rules", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
