/* SPDX-License-Identifier: Apache-2.0 */
/* options.c  Personal options: the temporary greeting, all greetings and the name, PIN, keys or voice, time zone, clock. The keys are those of
 * Outlook Voice Access. What was there before counts until the new is in the store.                                     */
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
	return s->pin_rule != DIR_PIN_TOO_SHORT && s->pin_rule != DIR_PIN_TOO_LONG && s->pin_rule != DIR_PIN_USED;
}

static bool used_before(const struct dlg_session *s)
{
	return s->pin_rule == DIR_PIN_USED;
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
	SAY_IF(too_long, P_PIN_RULES_LONG), SAY_IF(trivial, P_PIN_RULES_TRIVIAL), SAY_IF(used_before, P_PIN_RULES_USED), SAY_END,
};
static const struct dlg_phrase say_rule_end[] = {
	SAY_IF(too_short, P_PIN_RULES_LENGTH), { .kind = DLG_W_NUMBER, .number = min_length, .only_if = too_short },
	SAY_IF(too_long, P_PIN_RULES_LONG), SAY_IF(trivial, P_PIN_RULES_TRIVIAL), SAY_IF(used_before, P_PIN_RULES_USED), SAY(P_NOTHING_CHANGED), SAY_END,
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
	[SET] = { "set PIN", NULL, NULL, 2 * DIR_PIN_SET_MS, 0 }, /* a PIN that is told as refused must not come true later */
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

/* ---- the menu ---- */
enum { MENU, AWAY, KINDS, KIND, LOAD, HEAR, RECORD, REMOVE, PIN, VOICE, ZONE, SET_ZONE, HOURS, LANGUAGE, RULES };

static int back_to_menu(struct dlg_session *s)
{
	s->failures = 0;
	return 0;
}

/* The keys of the menu, 1 to 5. */
static int kind(struct dlg_session *s)
{
	static const enum mbox_greeting kinds[] = { MBOX_G_PERSONAL, MBOX_G_AWAY, MBOX_G_BUSY, MBOX_G_CLOSED, MBOX_G_NAME };
	return dlg_greeting_of(s, kinds[dlg_keys(&s->eng)[0] - '1']);
}

static int begin_recording(struct dlg_session *s)
{
	return dlg_greeting_of(s, s->phone.greeting);
}

static int load(struct dlg_session *s)
{
	s->failures = 0;
	return s->fx->fetch_own(s->fx_arg, dlg_job(&s->eng));
}

static int remove_greeting(struct dlg_session *s)
{
	s->failures = 0;
	return s->fx->greeting_remove(s->fx_arg, dlg_job(&s->eng));
}

static int removed(struct dlg_session *s)
{
	s->phone.recorded &= ~(1u << s->phone.greeting);
	return 0;
}

static int toggle_voice(struct dlg_session *s)
{
	s->failures = 0;
	return s->fx->choose(s->fx_arg, dlg_job(&s->eng), "voice", s->phone.choices.by_voice ? "" : "1");
}

static int toggle_hours(struct dlg_session *s)
{
	s->failures = 0;
	return s->fx->choose(s->fx_arg, dlg_job(&s->eng), "hours", s->fx->hours(s->fx_arg) == 24 ? "12" : "24");
}

static bool by_voice(const struct dlg_session *s)
{
	return s->phone.choices.by_voice;
}

static bool by_keys(const struct dlg_session *s)
{
	return !s->phone.choices.by_voice;
}

static bool hours_24(const struct dlg_session *s)
{
	return s->phone.choices.hours == 24;
}

static bool hours_12(const struct dlg_session *s)
{
	return s->phone.choices.hours != 24;
}

/* From the one that is set, or the first. */
static int zones(struct dlg_session *s)
{
	s->failures = 0;
	s->phone.at_zone = 0;
	for (unsigned i = 0; dlg_zone_name(i); i++)
		if (strcmp(dlg_zone_name(i), s->phone.choices.zone) == 0)
			s->phone.at_zone = i;
	return 0;
}

static int next_zone(struct dlg_session *s)
{
	s->failures = 0;
	s->phone.at_zone = dlg_zone_name(s->phone.at_zone + 1) ? s->phone.at_zone + 1 : 0;
	return 0;
}

static int server_zone(struct dlg_session *s)
{
	s->phone.at_zone = UINT32_MAX;
	return 0;
}

static int set_zone(struct dlg_session *s)
{
	const char *zone = s->phone.at_zone == UINT32_MAX ? "" : dlg_zone_name(s->phone.at_zone);
	return s->fx->choose(s->fx_arg, dlg_job(&s->eng), "zone", zone);
}

static const char *zone_city(const struct dlg_session *s)
{
	const char *city = dlg_zone_city(s->phone.at_zone);
	return city ? city : "";
}

static bool has_greeting(const struct dlg_session *s)
{
	return s->has_clip[CLIP_GREETING];
}

static const struct dlg_phrase say_menu[] = { SAY(P_OPTIONS_MENU), SAY(P_OPTIONS_LANGUAGE), SAY_END };
static const struct dlg_phrase say_kinds[] = { SAY(P_GREETING_KINDS), SAY_IF(dlg_has_rules, P_GREETING_KINDS_RULES), SAY_END };
static const struct dlg_phrase say_kind[] = { SAY(P_GREETING_MENU), SAY_END };
static const struct dlg_phrase say_greeting[] = { SAY_CLIP(has_greeting, CLIP_GREETING), SAY_END };
static const struct dlg_phrase say_none[] = { SAY(P_GREETING_NONE), SAY_END };
static const struct dlg_phrase say_removed[] = { SAY(P_GREETING_REMOVED), SAY_END };
static const struct dlg_phrase say_not_stored[] = { SAY(P_GREETING_FAILED), SAY_END };
static const struct dlg_phrase say_voice[] = { SAY_IF(by_voice, P_BY_VOICE), SAY_IF(by_keys, P_BY_KEYS), SAY_END };
static const struct dlg_phrase say_hours[] = { SAY_IF(hours_12, P_HOURS_12), SAY_IF(hours_24, P_HOURS_24), SAY_END };
static const struct dlg_phrase say_zone[] = { SAY(P_ZONE_OF), SAY_NAME(NULL, zone_city), SAY_PAUSE(300), SAY(P_ZONE_MENU), SAY_END };
static const struct dlg_phrase say_zone_set[] = { SAY(P_ZONE_SET), SAY_END };
static const struct dlg_phrase say_not_chosen[] = { SAY(P_CHOICE_FAILED), SAY_END };
static const struct dlg_phrase say_give_up[] = { SAY(P_GIVE_UP), SAY_END };

static const struct dlg_state states[] = {
	[MENU] = { "menu", say_menu, NULL, 6000, 0 },
	[AWAY] = { "temporary greeting", NULL, &dlg_away, 0, 0 },
	[KINDS] = { "greetings", say_kinds, NULL, 6000, 0 },
	[KIND] = { "one greeting", say_kind, NULL, 6000, 0 },
	[LOAD] = { "load greeting", NULL, NULL, 8000, 0 },
	[HEAR] = { "hear greeting", say_greeting, NULL, 2000, 0 },
	[RECORD] = { "record", NULL, &dlg_greeting, 0, 0 },
	[REMOVE] = { "standard greeting", NULL, NULL, 8000, 0 },
	[PIN] = { "change PIN", NULL, &dlg_pin_change, 0, 0 },
	[VOICE] = { "keys or voice", NULL, NULL, 8000, 0 },
	[ZONE] = { "time zone", say_zone, NULL, 6000, 0 },
	[SET_ZONE] = { "set time zone", NULL, NULL, 8000, 0 },
	[HOURS] = { "clock", NULL, NULL, 8000, 0 },
	[RULES] = { "greetings of rules", NULL, &dlg_rule_greetings, 0, 0 },
	[LANGUAGE] = { "language", NULL, &dlg_language, 0, 0 },
};

#define WRONG_KEYS(st) \
	{ st, WRONG,         IF(dlg_last_failure), NOTHING,               RETURN(R_GIVE_UP), say_give_up, true }, \
	{ st, WRONG,         ALWAYS,               DO(dlg_count_failure), st,                dlg_say_invalid, true }, \
	{ st, TIMEOUT,       IF(dlg_last_failure), NOTHING,               RETURN(R_GIVE_UP), say_give_up }, \
	{ st, TIMEOUT,       ALWAYS,               DO(dlg_count_failure), st }
/* A job that changes something: said when it is done. */
#define CHANGE(st, action, after, done, said, not_said) \
	{ st, ENTER,         ALWAYS,               DO(action),            STAY }, \
	{ st, DONE,          ALWAYS,               DO(done),              after,             said }, \
	{ st, FAILED,        ALWAYS,               NOTHING,               after,             not_said, true }, \
	{ st, TIMEOUT,       ALWAYS,               NOTHING,               after,             not_said, true }

static const struct dlg_row rows[] = {
	/* in      when           if                    do                     go                 said before */
	{ MENU,   KEYS("1"),     ALWAYS,               DO(dlg_no_failures),   AWAY },
	{ MENU,   KEYS("2"),     ALWAYS,               DO(dlg_no_failures),   KINDS },
	{ MENU,   KEYS("3"),     ALWAYS,               DO(dlg_no_failures),   PIN },
	{ MENU,   KEYS("4"),     ALWAYS,               NOTHING,               VOICE },
	{ MENU,   KEYS("5"),     ALWAYS,               DO(zones),             ZONE },
	{ MENU,   KEYS("6"),     ALWAYS,               NOTHING,               HOURS },
	{ MENU,   KEYS("7"),     ALWAYS,               DO(dlg_no_failures),   LANGUAGE },
	{ MENU,   KEYS("*"),     ALWAYS,               NOTHING,               RETURN(R_BACK) },
	{ MENU,   KEYS("33"),    ALWAYS,               NOTHING,               RETURN(R_GOODBYE) },
	{ MENU,   KEYS("0"),     ALWAYS,               NOTHING,               MENU },
	WRONG_KEYS(MENU),
	CHANGE(VOICE, toggle_voice, MENU, back_to_menu, say_voice, say_not_chosen),
	CHANGE(HOURS, toggle_hours, MENU, back_to_menu, say_hours, say_not_chosen),

	{ KINDS,  KEYS("1"),     ALWAYS,               DO(kind),              KIND },
	{ KINDS,  KEYS("2"),     ALWAYS,               DO(kind),              KIND },
	{ KINDS,  KEYS("3"),     ALWAYS,               DO(kind),              KIND },
	{ KINDS,  KEYS("4"),     ALWAYS,               DO(kind),              KIND },
	{ KINDS,  KEYS("5"),     ALWAYS,               DO(kind),              KIND },
	{ KINDS,  KEYS("6"),     IF(dlg_has_rules),    DO(dlg_no_failures),   RULES },
	{ KINDS,  KEYS("*"),     ALWAYS,               DO(dlg_no_failures),   MENU },
	WRONG_KEYS(KINDS),
	{ KIND,   KEYS("1"),     ALWAYS,               DO(begin_recording),   RECORD },
	{ KIND,   KEYS("2"),     ALWAYS,               NOTHING,               LOAD },
	{ KIND,   KEYS("7"),     ALWAYS,               NOTHING,               REMOVE },
	{ KIND,   KEYS("*"),     ALWAYS,               DO(dlg_no_failures),   KINDS },
	WRONG_KEYS(KIND),
	{ LOAD,   ENTER,         ALWAYS,               DO(load),              STAY },
	{ LOAD,   DONE,          ALWAYS,               NOTHING,               HEAR },
	{ LOAD,   FAILED,        ALWAYS,               NOTHING,               KIND,              say_none },
	{ LOAD,   TIMEOUT,       ALWAYS,               NOTHING,               KIND,              say_none },
	{ HEAR,   KEYS("1"),     ALWAYS,               DO(begin_recording),   RECORD },
	{ HEAR,   KEYS("7"),     ALWAYS,               NOTHING,               REMOVE },
	{ HEAR,   KEYS("*"),     ALWAYS,               DO(dlg_no_failures),   KINDS },
	{ HEAR,   WRONG,         ALWAYS,               NOTHING,               KIND,              dlg_say_invalid, true },
	{ HEAR,   ENDED,         ALWAYS,               NOTHING,               KIND },
	{ HEAR,   TIMEOUT,       ALWAYS,               NOTHING,               KIND },
	{ RECORD, RESULT(R_GONE), ALWAYS,              NOTHING,               RETURN(R_GONE) },
	{ RECORD, ANY_RESULT,    ALWAYS,               DO(dlg_no_failures),   KINDS },
	CHANGE(REMOVE, remove_greeting, KIND, removed, say_removed, say_not_stored),

	{ ZONE,   KEYS("1"),     ALWAYS,               NOTHING,               SET_ZONE },
	{ ZONE,   KEYS("#"),     ALWAYS,               DO(next_zone),         ZONE },
	{ ZONE,   KEYS("7"),     ALWAYS,               DO(server_zone),       SET_ZONE },
	{ ZONE,   KEYS("*"),     ALWAYS,               DO(dlg_no_failures),   MENU },
	WRONG_KEYS(ZONE),
	CHANGE(SET_ZONE, set_zone, MENU, back_to_menu, say_zone_set, say_not_chosen),

	{ PIN,    ANY_RESULT,    ALWAYS,               DO(dlg_no_failures),   MENU },
	{ AWAY,   ANY_RESULT,    ALWAYS,               DO(dlg_no_failures),   MENU },
	{ RULES,  RESULT(R_GONE), ALWAYS,              NOTHING,               RETURN(R_GONE) },
	{ RULES,  RESULT(R_GIVE_UP), ALWAYS,           NOTHING,               RETURN(R_GIVE_UP) },
	{ RULES,  ANY_RESULT,    ALWAYS,               DO(dlg_no_failures),   KINDS },
	{ LANGUAGE, RESULT(R_GIVE_UP), ALWAYS,         NOTHING,               RETURN(R_GIVE_UP) },
	{ LANGUAGE, ANY_RESULT,  ALWAYS,               DO(dlg_no_failures),   MENU },
};

const struct dlg_table dlg_options = { "options", "Personal options", states, rows, COUNT_OF(states), COUNT_OF(rows), MENU, NULL };
