/* SPDX-License-Identifier: Apache-2.0 */
/* answering_rule.c  The answering rule that applies to a call (s->rule_do, by rules.c): its greeting, its keys, what it does; then the ordinary
 * greeting (R_OK) or the message (R_MESSAGE), which are the caller's table's. Without a rule it returns at once.
 *
 *   greeting + keys -> find me | transfer | operator | goodbye | what everybody hears                                    */
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { START, GREETING, GREET, NEXT, FIND, PUT_THROUGH, BYE };

/* ---- guards ---- */
static bool no_rule(const struct dlg_session *s)
{
	return s->rule_do == DLG_RULE_NONE;
}

static bool recorded(const struct dlg_session *s)
{
	return s->has_clip[CLIP_GREETING];
}

static bool in_words(const struct dlg_session *s)
{
	return !s->has_clip[CLIP_GREETING] && *s->rule->greeting;
}

static const char *words(const struct dlg_session *s)
{
	return s->rule->greeting;
}

static bool says_anything(const struct dlg_session *s)
{
	return s->has_clip[CLIP_GREETING] || *s->rule->greeting;
}

static bool has_keys(const struct dlg_session *s)
{
	return s->rule->n_keys > 0;
}

static bool wants_find(const struct dlg_session *s)
{
	return s->rule_do == DLG_RULE_FIND;
}

static bool wants_transfer(const struct dlg_session *s)
{
	return s->rule_do == DLG_RULE_TRANSFER;
}

static bool wants_menu(const struct dlg_session *s)
{
	return s->rule_do == DLG_RULE_MENU; /* its time runs once it is said */
}

/* Without a menu, or with keys that only shorten the way, the greeting's end is the beginning of the rule's action. */
static bool goes_on(const struct dlg_session *s)
{
	return s->rule_do != DLG_RULE_MENU;
}

static bool wrong_key(const struct dlg_session *s)
{
	return s->rule_wrong;
}

static bool wrong_too_often(const struct dlg_session *s)
{
	return s->rule_wrong && dlg_last_failure(s);
}

static bool ends(const struct dlg_session *s)
{
	return s->rule_do == DLG_RULE_BYE;
}

static bool wants_operator(const struct dlg_session *s)
{
	return s->rule_do == DLG_RULE_OPERATOR && dlg_has_operator(s);
}

static bool no_message(const struct dlg_session *s)
{
	return s->rule && !s->rule->message && s->rule_do != DLG_RULE_MESSAGE;
}

static bool box_operator(const struct dlg_session *s)
{
	return dlg_has_operator(s);
}

/* ---- actions ---- */
static int fetch_greeting(struct dlg_session *s)
{
	s->fetched = MBOX_GREETINGS;
	return s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_GREETING, s->box);
}

static int give_up(struct dlg_session *s)
{
	s->rule_do = DLG_RULE_NONE;
	s->rule_wrong = false;
	return 0;
}

static int wrong_again(struct dlg_session *s)
{
	s->rule_wrong = false;
	return dlg_count_failure(s);
}

static int search(struct dlg_session *s)
{
	s->missed = DLG_MISSED_SEARCH;
	return 0;
}

static int take_key(struct dlg_session *s)
{
	return dlg_rule_key(s, dlg_keys(&s->eng)[0]);
}

static int aim(struct dlg_session *s)
{
	dlg_aim_from(s, s->rule_target);
	return 0;
}

static const struct dlg_phrase say_greeting[] = {
	SAY_CLIP(recorded, CLIP_GREETING), { .kind = DLG_W_TEXT, .text = words, .only_if = in_words, .lasts = true }, SAY_END,
};

static const struct dlg_state states[] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[GREETING] = { "load greeting", NULL, NULL, 1500, 0 },
	[GREET] = { "greeting", say_greeting, NULL, 4000, 0 },
	[NEXT] = { "action", NULL, NULL, 0, 0 },
	[FIND] = { "find me", NULL, &dlg_find, 0, 0 },
	[PUT_THROUGH] = { "put through", NULL, &dlg_transfer, 0, 0 },
	[BYE] = { "goodbye", dlg_say_goodbye, NULL, 2000, DLG_NO_BARGE },
};

static const struct dlg_row rows[] = {
	/* in         when                      if                    do                      go                    said before */
	{ START,       ENTER,                    IF(no_rule),          NOTHING,                RETURN(R_OK) },
	{ START,       ENTER,                    ALWAYS,               NOTHING,                GREETING },
	{ GREETING,    ENTER,                    ALWAYS,               DO(fetch_greeting),     STAY },
	{ GREETING,    DONE,                     ALWAYS,               NOTHING,                GREET },
	{ GREETING,    FAILED,                   ALWAYS,               NOTHING,                GREET },
	{ GREETING,    TIMEOUT,                  ALWAYS,               NOTHING,                GREET },
	{ GREET,       KEYS("*"),                ALWAYS,               NOTHING,                RETURN(R_LOGON) },
	{ GREET,       KEYS("#"),                IF(no_message),       NOTHING,                NEXT },
	{ GREET,       KEYS("#"),                ALWAYS,               NOTHING,                RETURN(R_MESSAGE) },
	{ GREET,       KEYS("x"),                IF(has_keys),         DO(take_key),           NEXT },
	{ GREET,       KEYS_OR("0", "operator"), IF(box_operator),     NOTHING,                RETURN(R_OPERATOR) },
	{ GREET,       ENDED,                    IF(goes_on),          NOTHING,                NEXT },
	{ GREET,       ENTER,                    IF(says_anything),    NOTHING,                STAY },
	{ GREET,       ENTER,                    IF(wants_menu),       NOTHING,                STAY },
	{ GREET,       ENTER,                    ALWAYS,               NOTHING,                NEXT },
	{ GREET,       WRONG,                    IF(dlg_last_failure), DO(give_up),            NEXT },
	{ GREET,       WRONG,                    ALWAYS,               DO(dlg_count_failure),  GREET,                dlg_say_invalid, true },
	{ GREET,       TIMEOUT,                  IF(dlg_last_failure), DO(give_up),            NEXT },
	{ GREET,       TIMEOUT,                  ALWAYS,               DO(dlg_count_failure),  GREET },

	{ NEXT,        ENTER,                    IF(wrong_too_often),  DO(give_up),            NEXT },
	{ NEXT,        ENTER,                    IF(wrong_key),        DO(wrong_again),        GREET,                dlg_say_invalid, true },
	{ NEXT,        ENTER,                    IF(wants_find),       DO(search),             FIND },
	{ NEXT,        ENTER,                    IF(wants_transfer),   DO(aim),                PUT_THROUGH },
	{ NEXT,        ENTER,                    IF(wants_operator),   NOTHING,                RETURN(R_OPERATOR) },
	{ NEXT,        ENTER,                    IF(ends),             NOTHING,                BYE },
	{ NEXT,        ENTER,                    IF(no_message),       NOTHING,                BYE },
	{ NEXT,        ENTER,                    ALWAYS,               NOTHING,                RETURN(R_OK) },

	{ FIND,        RESULT(R_TALKED),         ALWAYS,               NOTHING,                RETURN(R_TALKED) },
	{ FIND,        RESULT(R_GONE),           ALWAYS,               NOTHING,                RETURN(R_GONE) },
	{ FIND,        RESULT(R_OPERATOR),       ALWAYS,               NOTHING,                RETURN(R_OPERATOR) },
	{ FIND,        ANY_RESULT,               IF(no_message),       NOTHING,                BYE },
	{ FIND,        ANY_RESULT,               ALWAYS,               NOTHING,                RETURN(R_OK) },
	{ PUT_THROUGH, RESULT(R_TRANSFERRED),    ALWAYS,               NOTHING,                RETURN(R_TRANSFERRED) },
	{ PUT_THROUGH, RESULT(R_GONE),           ALWAYS,               NOTHING,                RETURN(R_GONE) },
	{ PUT_THROUGH, RESULT(R_OPERATOR),       ALWAYS,               NOTHING,                RETURN(R_OPERATOR) },
	{ PUT_THROUGH, ANY_RESULT,               IF(no_message),       NOTHING,                BYE },
	{ PUT_THROUGH, ANY_RESULT,               ALWAYS,               NOTHING,                RETURN(R_OK) },

	{ BYE,         ENDED,                    ALWAYS,               NOTHING,                RETURN(R_GOODBYE) },
	{ BYE,         TIMEOUT,                  ALWAYS,               NOTHING,                RETURN(R_GOODBYE) },
};

const struct dlg_table dlg_ruled = { "rule", "Answering rule", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
