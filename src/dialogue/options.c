/* SPDX-License-Identifier: Apache-2.0 */
/* options.c  Personal options: greeting, spoken name, PIN. The old greeting and the old PIN count until the new one is in the store. */
#include "base/mem.h"
#include "dialogue/rows.h"
#include "dialogue/session.h"

/* ---- PIN: twice, by the rules ---- */
enum { NEW, JUDGED, AGAIN, SET };

static int judge(struct dlg_session *s)
{
	text_copy(text_make(s->digits, s->n_digits), s->new_pin, sizeof(s->new_pin));
	mem_wipe(s->digits, sizeof(s->digits));
	s->pin_rule = s->digits_full ? DIR_PIN_TOO_LONG : dir_pin_check(text_of(s->new_pin), dlg_policy(s), s->box);
	return 0;
}

static bool good(const struct dlg_session *s)
{
	return s->pin_rule == DIR_PIN_GOOD;
}

static bool too_short(const struct dlg_session *s)
{
	return s->pin_rule == DIR_PIN_TOO_SHORT;
}

static bool too_long(const struct dlg_session *s)
{
	return s->pin_rule == DIR_PIN_TOO_LONG;
}

static bool trivial(const struct dlg_session *s)
{
	return s->pin_rule != DIR_PIN_TOO_SHORT && s->pin_rule != DIR_PIN_TOO_LONG;
}

static bool same(const struct dlg_session *s)
{
	return text_eq(text_of(s->new_pin), text_make(s->digits, s->n_digits));
}

static int set_pin(struct dlg_session *s)
{
	int err = s->fx->pin_set(s->fx_arg, dlg_job(&s->eng), text_of(s->new_pin));
	mem_wipe(s->new_pin, sizeof(s->new_pin));
	mem_wipe(s->digits, sizeof(s->digits));
	s->n_digits = 0;
	return err;
}

static int64_t min_length(const struct dlg_session *s)
{
	return dlg_policy(s)->pin_min_length;
}

static const struct dlg_phrase ask_new[] = { SAY(P_PIN_NEW), SAY_END };
static const struct dlg_phrase ask_again[] = { SAY(P_PIN_AGAIN), SAY_END };
static const struct dlg_phrase say_rule[] = {
	SAY_IF(too_short, P_PIN_RULES_LENGTH), { .kind = DLG_W_NUMBER, .number = min_length, .only_if = too_short },
	SAY_IF(too_long, P_PIN_RULES_LONG), SAY_IF(trivial, P_PIN_RULES_TRIVIAL), SAY_END,
};
static const struct dlg_phrase say_rule_end[] = {
	SAY_IF(too_short, P_PIN_RULES_LENGTH), { .kind = DLG_W_NUMBER, .number = min_length, .only_if = too_short },
	SAY_IF(too_long, P_PIN_RULES_LONG), SAY_IF(trivial, P_PIN_RULES_TRIVIAL), SAY(P_NOTHING_CHANGED), SAY_END,
};
static const struct dlg_phrase say_mismatch[] = { SAY(P_PIN_MISMATCH), SAY_END };
static const struct dlg_phrase say_mismatch_end[] = { SAY(P_PIN_MISMATCH), SAY(P_NOTHING_CHANGED), SAY_END };
static const struct dlg_phrase say_changed[] = { SAY(P_PIN_CHANGED), SAY_END };
static const struct dlg_phrase say_pin_failed[] = { SAY(P_PIN_CHANGE_FAILED), SAY_END };
static const struct dlg_phrase say_nothing[] = { SAY(P_NOTHING_CHANGED), SAY_END };

static const struct dlg_state pin_states[] = {
	[NEW] = { "new PIN", ask_new, &dlg_entry, 0, 0 },
	[JUDGED] = { "judge PIN", NULL, NULL, 0, 0 },
	[AGAIN] = { "once more", ask_again, &dlg_entry, 0, 0 },
	[SET] = { "set PIN", NULL, NULL, 15000, 0 },
};

static const struct dlg_row pin_rows[] = {
	/* in      when                  if                    do                      go                said before */
	{ NEW,    RESULT(R_OK),         ALWAYS,               DO(judge),              JUDGED },
	{ NEW,    RESULT(R_BACK),       ALWAYS,               NOTHING,                RETURN(R_BACK),   say_nothing },
	{ NEW,    ANY_RESULT,           IF(dlg_last_failure), NOTHING,                RETURN(R_BACK),   say_nothing },
	{ NEW,    ANY_RESULT,           ALWAYS,               DO(dlg_count_failure),  NEW },
	{ JUDGED, ENTER,                IF(good),             NOTHING,                AGAIN },
	{ JUDGED, ENTER,                IF(dlg_last_failure), NOTHING,                RETURN(R_BACK),   say_rule_end, true },
	{ JUDGED, ENTER,                ALWAYS,               DO(dlg_count_failure),  NEW,              say_rule, true },
	{ AGAIN,  RESULT(R_OK),         IF(same),             NOTHING,                SET },
	{ AGAIN,  RESULT(R_BACK),       ALWAYS,               NOTHING,                RETURN(R_BACK),   say_nothing },
	{ AGAIN,  RESULT(R_OK),         IF(dlg_last_failure), NOTHING,                RETURN(R_BACK),   say_mismatch_end, true },
	{ AGAIN,  ANY_RESULT,           IF(dlg_last_failure), NOTHING,                RETURN(R_BACK),   say_nothing, true },
	{ AGAIN,  RESULT(R_OK),         ALWAYS,               DO(dlg_count_failure),  NEW,              say_mismatch, true },
	{ AGAIN,  ANY_RESULT,           ALWAYS,               DO(dlg_count_failure),  AGAIN },
	{ SET,    ENTER,                ALWAYS,               DO(set_pin),            STAY },
	{ SET,    DONE_AS(J_PIN_RULE),  IF(dlg_last_failure), NOTHING,                RETURN(R_BACK),   say_rule_end, true },
	{ SET,    DONE_AS(J_PIN_RULE),  ALWAYS,               DO(dlg_count_failure),  NEW,              say_rule, true },
	{ SET,    DONE,                 ALWAYS,               DO(dlg_no_failures),    RETURN(R_OK),     say_changed },
	{ SET,    FAILED,               ALWAYS,               NOTHING,                RETURN(R_FAILED), say_pin_failed, true },
	{ SET,    TIMEOUT,              ALWAYS,               NOTHING,                RETURN(R_FAILED), say_pin_failed, true },
};

const struct dlg_table dlg_pin_change = { "pin", "New PIN", pin_states, pin_rows, COUNT_OF(pin_states), COUNT_OF(pin_rows), NEW, NULL };

/* ---- the menu, greeting and name ---- */
enum { MENU, GREETINGS, RECORD, REVIEW, FETCH, LISTEN, STORE, REMOVE, PIN };

static int greeting(struct dlg_session *s)
{
	s->rec.kind = DLG_RECORD_GREETING;
	s->failures = 0;
	return 0;
}

static int name(struct dlg_session *s)
{
	s->rec.kind = DLG_RECORD_NAME;
	s->failures = 0;
	return 0;
}

static int store(struct dlg_session *s)
{
	return s->fx->greeting_set(s->fx_arg, dlg_job(&s->eng));
}

static int remove_greeting(struct dlg_session *s)
{
	s->rec.kind = DLG_RECORD_GREETING;
	return s->fx->greeting_remove(s->fx_arg, dlg_job(&s->eng));
}

static bool is_greeting(const struct dlg_session *s)
{
	return s->rec.kind == DLG_RECORD_GREETING;
}

static bool is_name(const struct dlg_session *s)
{
	return s->rec.kind == DLG_RECORD_NAME;
}

static bool has_recording(const struct dlg_session *s)
{
	return s->has_clip[CLIP_RECORDING];
}

static const struct dlg_phrase say_menu[] = { SAY(P_OPTIONS_MENU), SAY_END };
static const struct dlg_phrase say_greetings[] = { SAY(P_GREETING_MENU), SAY_END };
static const struct dlg_phrase ask_record[] = { SAY_IF(is_greeting, P_GREETING_RECORD), SAY_IF(is_name, P_NAME_RECORD), SAY_END };
static const struct dlg_phrase say_review[] = { SAY(P_GREETING_REVIEW), SAY_END };
static const struct dlg_phrase say_recording[] = { SAY_CLIP(has_recording, CLIP_RECORDING), SAY_END };
static const struct dlg_phrase say_stored[] = { SAY(P_GREETING_SAVED), SAY_END };
static const struct dlg_phrase say_removed[] = { SAY(P_GREETING_REMOVED), SAY_END };
static const struct dlg_phrase say_not_stored[] = { SAY(P_GREETING_FAILED), SAY_END };
static const struct dlg_phrase say_short[] = { SAY(P_GREETING_SHORT), SAY_END };
static const struct dlg_phrase say_empty[] = { SAY(P_MESSAGE_EMPTY), SAY_END };
static const struct dlg_phrase say_give_up[] = { SAY(P_GIVE_UP), SAY_END };

static const struct dlg_state states[] = {
	[MENU] = { "menu", say_menu, NULL, 6000, 0 },
	[GREETINGS] = { "greetings", say_greetings, NULL, 6000, 0 },
	[RECORD] = { "record", ask_record, &dlg_recorder, 0, 0 },
	[REVIEW] = { "review", say_review, NULL, 6000, 0 },
	[FETCH] = { "load recording", NULL, NULL, 3000, 0 },
	[LISTEN] = { "listen", say_recording, NULL, 2000, 0 },
	[STORE] = { "store", NULL, NULL, 8000, 0 },
	[REMOVE] = { "standard greeting", NULL, NULL, 8000, 0 },
	[PIN] = { "change PIN", NULL, &dlg_pin_change, 0, 0 },
};

#define REVIEW_KEYS(st) \
	{ st, KEYS("1"), ALWAYS, NOTHING,                FETCH }, \
	{ st, KEYS("2"), ALWAYS, DO(dlg_drop_recording), RECORD }, \
	{ st, KEYS("3"), ALWAYS, NOTHING,                STORE }, \
	{ st, KEYS("#"), ALWAYS, NOTHING,                STORE }, \
	{ st, KEYS("*"), ALWAYS, DO(dlg_drop_recording), GREETINGS, say_nothing }, \
	{ st, HANGUP,    ALWAYS, DO(dlg_drop_recording), RETURN(R_GONE) }

static const struct dlg_row rows[] = {
	/* in         when           if                    do                       go                 said before */
	{ MENU,      KEYS("2"),     ALWAYS,               DO(dlg_no_failures),     GREETINGS },
	{ MENU,      KEYS("3"),     ALWAYS,               DO(dlg_no_failures),     PIN },
	{ MENU,      KEYS("*"),     ALWAYS,               NOTHING,                 RETURN(R_BACK) },
	{ MENU,      KEYS("33"),    ALWAYS,               NOTHING,                 RETURN(R_GOODBYE) },
	{ MENU,      KEYS("0"),     ALWAYS,               NOTHING,                 MENU },
	{ MENU,      WRONG,         IF(dlg_last_failure), NOTHING,                 RETURN(R_GIVE_UP), say_give_up, true },
	{ MENU,      WRONG,         ALWAYS,               DO(dlg_count_failure),   MENU,              dlg_say_invalid, true },
	{ MENU,      TIMEOUT,       IF(dlg_last_failure), NOTHING,                 RETURN(R_GIVE_UP), say_give_up },
	{ MENU,      TIMEOUT,       ALWAYS,               DO(dlg_count_failure),   MENU },
	{ GREETINGS, KEYS("1"),     ALWAYS,               DO(greeting),            RECORD },
	{ GREETINGS, KEYS("2"),     ALWAYS,               DO(name),                RECORD },
	{ GREETINGS, KEYS("7"),     ALWAYS,               NOTHING,                 REMOVE },
	{ GREETINGS, KEYS("*"),     ALWAYS,               NOTHING,                 MENU },
	{ GREETINGS, WRONG,         IF(dlg_last_failure), NOTHING,                 RETURN(R_GIVE_UP), say_give_up, true },
	{ GREETINGS, WRONG,         ALWAYS,               DO(dlg_count_failure),   GREETINGS,         dlg_say_invalid, true },
	{ GREETINGS, TIMEOUT,       IF(dlg_last_failure), NOTHING,                 RETURN(R_GIVE_UP), say_give_up },
	{ GREETINGS, TIMEOUT,       ALWAYS,               DO(dlg_count_failure),   GREETINGS },

	{ RECORD,    RESULT(R_OK),  IF(dlg_is_gone),      DO(dlg_drop_recording),  RETURN(R_GONE) },
	{ RECORD,    RESULT(R_OK),  ALWAYS,               NOTHING,                 REVIEW },
	{ RECORD,    ANY_RESULT,    IF(dlg_is_gone),      NOTHING,                 RETURN(R_GONE) },
	{ RECORD,    RESULT(R_FAILED), ALWAYS,            NOTHING,                 GREETINGS,         say_not_stored, true },
	{ RECORD,    ANY_RESULT,    IF(dlg_last_failure), NOTHING,                 GREETINGS,         say_short },
	{ RECORD,    ANY_RESULT,    ALWAYS,               DO(dlg_count_failure),   RECORD,            say_short },

	REVIEW_KEYS(REVIEW),
	{ REVIEW,    WRONG,         IF(dlg_last_failure), DO(dlg_drop_recording),  MENU,              say_nothing, true },
	{ REVIEW,    WRONG,         ALWAYS,               DO(dlg_count_failure),   REVIEW,            dlg_say_invalid, true },
	{ REVIEW,    TIMEOUT,       IF(dlg_last_failure), DO(dlg_drop_recording),  MENU,              say_nothing },
	{ REVIEW,    TIMEOUT,       ALWAYS,               DO(dlg_count_failure),   REVIEW },
	{ FETCH,     ENTER,         ALWAYS,               DO(dlg_fetch_recording), STAY },
	{ FETCH,     DONE,          ALWAYS,               NOTHING,                 LISTEN },
	{ FETCH,     FAILED,        ALWAYS,               NOTHING,                 REVIEW,            say_empty },
	{ FETCH,     TIMEOUT,       ALWAYS,               NOTHING,                 REVIEW,            say_empty },
	{ FETCH,     HANGUP,        ALWAYS,               DO(dlg_drop_recording),  RETURN(R_GONE) },
	REVIEW_KEYS(LISTEN),
	{ LISTEN,    WRONG,         ALWAYS,               NOTHING,                 REVIEW,            dlg_say_invalid, true },
	{ LISTEN,    ENDED,         ALWAYS,               NOTHING,                 REVIEW },
	{ LISTEN,    TIMEOUT,       ALWAYS,               NOTHING,                 REVIEW },

	{ STORE,     ENTER,         ALWAYS,               DO(store),               STAY },
	{ STORE,     DONE,          ALWAYS,               DO(dlg_drop_recording),  GREETINGS,         say_stored },
	{ STORE,     FAILED,        ALWAYS,               DO(dlg_drop_recording),  GREETINGS,         say_not_stored, true },
	{ STORE,     TIMEOUT,       ALWAYS,               DO(dlg_drop_recording),  GREETINGS,         say_not_stored, true },
	{ STORE,     HANGUP,        ALWAYS,               NOTHING,                 RETURN(R_GONE) }, /* the store finishes alone */
	{ REMOVE,    ENTER,         ALWAYS,               DO(remove_greeting),     STAY },
	{ REMOVE,    DONE,          ALWAYS,               NOTHING,                 GREETINGS,         say_removed },
	{ REMOVE,    FAILED,        ALWAYS,               NOTHING,                 GREETINGS,         say_not_stored, true },
	{ REMOVE,    TIMEOUT,       ALWAYS,               NOTHING,                 GREETINGS,         say_not_stored, true },

	{ PIN,       ANY_RESULT,    ALWAYS,               DO(dlg_no_failures),     MENU },
};

const struct dlg_table dlg_options = { "options", "Personal options", states, rows, COUNT_OF(states), COUNT_OF(rows), MENU, NULL };
