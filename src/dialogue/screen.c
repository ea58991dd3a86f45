/* SPDX-License-Identifier: Apache-2.0 */
/* screen.c  Whoever answers a call of find me hears who is calling (by name, or as the caller said it) and decides: 1 takes the call, anything else leaves it to the mailbox. An
 * answering machine presses nothing, and so never gets the caller.                                                      */
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { START, NAME, ASK, TAKE, TALKING, SORRY };

/* ---- guards ---- */
static bool recorded_name(const struct dlg_session *s)
{
	return s->has_clip[CLIP_NAME];
}

static bool synth_name(const struct dlg_session *s)
{
	return !s->has_clip[CLIP_NAME] && *s->caller_name;
}

static bool own_words(const struct dlg_session *s)
{
	return s->has_clip[CLIP_CALLER];
}

static bool by_number(const struct dlg_session *s)
{
	return !s->has_clip[CLIP_NAME] && !own_words(s) && !*s->caller_name && *s->caller_number;
}

static bool unknown(const struct dlg_session *s)
{
	return !s->has_clip[CLIP_NAME] && !own_words(s) && !*s->caller_name && !*s->caller_number;
}

static const char *name(const struct dlg_session *s)
{
	return s->caller_name;
}

static const char *number(const struct dlg_session *s)
{
	return s->caller_number;
}

/* ---- actions ---- */
static int begin(struct dlg_session *s)
{
	s->failures = 0;
	s->has_clip[CLIP_NAME] = false;
	return 0;
}

static bool is_user(const struct dlg_session *s)
{
	return s->caller != NULL;
}

static int fetch_name(struct dlg_session *s)
{
	return s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_NAME, s->caller);
}

static int take(struct dlg_session *s)
{
	return s->fx->take(s->fx_arg, dlg_job(&s->eng));
}

/* ---- what is said ---- */
static const struct dlg_phrase say_who[] = {
	SAY(P_SCREEN_CALL_FOR), SAY_NAME(NULL, dlg_box_name), SAY(P_FROM), SAY_CLIP(recorded_name, CLIP_NAME), SAY_NAME(synth_name, name), SAY_CLIP(own_words, CLIP_CALLER),
	SAY_DIGITS(by_number, number), SAY_IF(unknown, P_UNKNOWN_CALLER), SAY_PAUSE(300), SAY(P_SCREEN_MENU), SAY_END,
};
static const struct dlg_phrase say_too_late[] = { SAY(P_SCREEN_GONE), SAY_PAUSE(400), SAY_END };

static const struct dlg_state states[] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[NAME] = { "load name", NULL, NULL, 1000, 0 },
	[ASK] = { "ask", say_who, NULL, 4000, 0 },
	[TAKE] = { "take the call", NULL, NULL, 5000, 0 },
	[TALKING] = { "talking", NULL, NULL, 6 * 3600 * 1000, 0 },
	[SORRY] = { "caller gone", say_too_late, NULL, 2000, DLG_NO_BARGE },
};

static const struct dlg_row rows[] = {
	/* in       when                   if                    do                      go */
	{ START,   ENTER,                 ALWAYS,               DO(begin),              NAME },
	{ NAME,    ENTER,                 IF(is_user),          DO(fetch_name),         STAY },
	{ NAME,    ENTER,                 ALWAYS,               NOTHING,                ASK },
	{ NAME,    DONE,                  ALWAYS,               NOTHING,                ASK },
	{ NAME,    FAILED,                ALWAYS,               NOTHING,                ASK },
	{ NAME,    TIMEOUT,               ALWAYS,               NOTHING,                ASK },
	{ ASK,     KEYS_OR("1", "yes"),   ALWAYS,               NOTHING,                TAKE },
	{ ASK,     KEYS_OR("2", "no"),    ALWAYS,               NOTHING,                RETURN(R_REFUSED) },
	{ ASK,     WRONG,                 IF(dlg_last_failure), NOTHING,                RETURN(R_REFUSED) },
	{ ASK,     WRONG,                 ALWAYS,               DO(dlg_count_failure),  ASK },
	{ ASK,     TIMEOUT,               IF(dlg_last_failure), NOTHING,                RETURN(R_NO_INPUT) },
	{ ASK,     TIMEOUT,               ALWAYS,               DO(dlg_count_failure),  ASK },

	{ TAKE,    ENTER,                 ALWAYS,               DO(take),               STAY },
	{ TAKE,    PROGRESS,              ALWAYS,               NOTHING,                TALKING },
	{ TAKE,    DONE,                  ALWAYS,               NOTHING,                RETURN(R_TALKED) },
	{ TAKE,    FAILED,                ALWAYS,               NOTHING,                SORRY },
	{ TAKE,    TIMEOUT,               ALWAYS,               NOTHING,                SORRY },
	{ TALKING, DONE,                  ALWAYS,               NOTHING,                RETURN(R_TALKED) },
	{ TALKING, FAILED,                ALWAYS,               NOTHING,                RETURN(R_TALKED) },
	{ TALKING, TIMEOUT,               ALWAYS,               NOTHING,                RETURN(R_TALKED) },
	{ SORRY,   ENDED,                 ALWAYS,               NOTHING,                RETURN(R_GONE) },
	{ SORRY,   TIMEOUT,               ALWAYS,               NOTHING,                RETURN(R_GONE) },
};

const struct dlg_table dlg_screen = { "screen", "Screening", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
