/* SPDX-License-Identifier: Apache-2.0 */
/* greetings.c  One greeting, or the spoken name, recorded (s->phone.greeting); and the first use of a mailbox, which asks for both. The old one
 * counts until the new one is in the store.                                                                             */
#include "dialogue/rows.h"
#include "dialogue/session.h"

/* ---- recording one ---- */
enum { RECORD, REVIEW, FETCH, LISTEN, STORE };

static int begin(struct dlg_session *s)
{
	s->rec = (struct dlg_recording){ .kind = s->phone.greeting == MBOX_G_NAME ? DLG_RECORD_NAME : DLG_RECORD_GREETING };
	return 0;
}

static int store(struct dlg_session *s)
{
	return s->fx->greeting_set(s->fx_arg, dlg_job(&s->eng));
}

static int stored(struct dlg_session *s)
{
	if (s->phone.greeting < MBOX_GREETINGS)
		s->phone.recorded |= 1u << s->phone.greeting;
	s->failures = 0;
	return dlg_drop_recording(s);
}

static bool is_name(const struct dlg_session *s)
{
	return s->phone.greeting == MBOX_G_NAME;
}

static bool is_greeting(const struct dlg_session *s)
{
	return !is_name(s);
}

static const struct dlg_phrase ask_record[] = { SAY_IF(is_greeting, P_GREETING_RECORD), SAY_IF(is_name, P_NAME_RECORD), SAY_END };
static const struct dlg_phrase say_review[] = { SAY(P_GREETING_REVIEW), SAY_END };
static const struct dlg_phrase say_stored[] = { SAY(P_GREETING_SAVED), SAY_END };
static const struct dlg_phrase say_not_stored[] = { SAY(P_GREETING_FAILED), SAY_END };
static const struct dlg_phrase say_short[] = { SAY(P_GREETING_SHORT), SAY_END };
static const struct dlg_phrase say_nothing[] = { SAY(P_NOTHING_CHANGED), SAY_END };

static const struct dlg_state states[] = {
	[RECORD] = { "record", ask_record, &dlg_recorder, 0, 0 },
	[REVIEW] = { "review", say_review, NULL, 6000, 0 },
	[FETCH] = { "load recording", NULL, NULL, 3000, 0 },
	[LISTEN] = { "listen", dlg_say_recording, NULL, 2000, 0 },
	[STORE] = { "store", NULL, NULL, 8000, 0 },
};

#define REVIEW_KEYS(st) \
	{ st, KEYS("1"), ALWAYS, NOTHING,                FETCH }, \
	{ st, KEYS("2"), ALWAYS, DO(dlg_drop_recording), RECORD }, \
	{ st, KEYS("3"), ALWAYS, NOTHING,                STORE }, \
	{ st, KEYS("#"), ALWAYS, NOTHING,                STORE }, \
	{ st, KEYS("*"), ALWAYS, DO(dlg_drop_recording), RETURN(R_BACK), say_nothing }, \
	{ st, HANGUP,    ALWAYS, DO(dlg_drop_recording), RETURN(R_GONE) }

static const struct dlg_row rows[] = {
	/* in       when              if                    do                       go                 said before */
	{ RECORD,  RESULT(R_OK),     IF(dlg_is_gone),      DO(dlg_drop_recording),  RETURN(R_GONE) },
	{ RECORD,  RESULT(R_OK),     ALWAYS,               NOTHING,                 REVIEW },
	{ RECORD,  ANY_RESULT,       IF(dlg_is_gone),      NOTHING,                 RETURN(R_GONE) },
	{ RECORD,  RESULT(R_FAILED), ALWAYS,               NOTHING,                 RETURN(R_FAILED),  say_not_stored, true },
	{ RECORD,  ANY_RESULT,       IF(dlg_last_failure), NOTHING,                 RETURN(R_BACK),    say_short },
	{ RECORD,  ANY_RESULT,       ALWAYS,               DO(dlg_count_failure),   RECORD,            say_short },

	REVIEW_KEYS(REVIEW),
	{ REVIEW,  WRONG,            IF(dlg_last_failure), DO(dlg_drop_recording),  RETURN(R_BACK),    say_nothing, true },
	{ REVIEW,  WRONG,            ALWAYS,               DO(dlg_count_failure),   REVIEW,            dlg_say_invalid, true },
	{ REVIEW,  TIMEOUT,          IF(dlg_last_failure), DO(dlg_drop_recording),  RETURN(R_BACK),    say_nothing },
	{ REVIEW,  TIMEOUT,          ALWAYS,               DO(dlg_count_failure),   REVIEW },
	FETCH_AND_LISTEN(FETCH, LISTEN, REVIEW),
	{ FETCH,   HANGUP,           ALWAYS,               DO(dlg_drop_recording),  RETURN(R_GONE) },
	REVIEW_KEYS(LISTEN),

	{ STORE,   ENTER,            ALWAYS,               DO(store),               STAY },
	{ STORE,   DONE,             IF(dlg_is_gone),      DO(stored),              RETURN(R_GONE) },
	{ STORE,   DONE,             ALWAYS,               DO(stored),              RETURN(R_OK),      say_stored },
	{ STORE,   FAILED,           IF(dlg_is_gone),      DO(dlg_drop_recording),  RETURN(R_GONE) },
	{ STORE,   FAILED,           ALWAYS,               DO(dlg_drop_recording),  RETURN(R_FAILED),  say_not_stored, true },
	{ STORE,   TIMEOUT,          IF(dlg_is_gone),      DO(dlg_drop_recording),  RETURN(R_GONE) },
	{ STORE,   TIMEOUT,          ALWAYS,               DO(dlg_drop_recording),  RETURN(R_FAILED),  say_not_stored, true },
	{ STORE,   HANGUP,           ALWAYS,               NOTHING,                 STAY }, /* until then the recording is needed, and after it nobody else removes it */
};

/* begin() belongs to the caller: a state that calls a table has no row for its own entry. */
const struct dlg_table dlg_greeting = { "greeting", "Recording a greeting", states, rows, COUNT_OF(states), COUNT_OF(rows), RECORD, NULL };

int dlg_greeting_of(struct dlg_session *s, enum mbox_greeting g)
{
	s->phone.greeting = g;
	s->failures = 0;
	return begin(s);
}

/* ---- first use ---- */
enum { BEGIN, ASK_NAME, NAME, ASK_GREETING, GREETING, END };

static int mark_begun(struct dlg_session *s)
{
	return s->fx->choose(s->fx_arg, dlg_job(&s->eng), "setup", "1");
}

static int mark_ended(struct dlg_session *s)
{
	s->phone.first_use = false;
	return s->fx->choose(s->fx_arg, dlg_job(&s->eng), "setup", "");
}

static int name(struct dlg_session *s)
{
	return dlg_greeting_of(s, MBOX_G_NAME);
}

static int personal(struct dlg_session *s)
{
	return dlg_greeting_of(s, MBOX_G_PERSONAL);
}

static const struct dlg_phrase ask_name[] = { SAY(P_SETUP_NAME), SAY_END };
static const struct dlg_phrase ask_greeting[] = { SAY(P_SETUP_GREETING), SAY_END };
static const struct dlg_phrase say_ready[] = { SAY(P_SETUP_DONE), SAY_END };

static const struct dlg_state setup_states[] = {
	[BEGIN] = { "begin", NULL, NULL, 8000, 0 },
	[ASK_NAME] = { "ask name", ask_name, NULL, 2500, 0 },
	[NAME] = { "name", NULL, &dlg_greeting, 0, 0 },
	[ASK_GREETING] = { "ask greeting", ask_greeting, NULL, 2500, 0 },
	[GREETING] = { "greeting", NULL, &dlg_greeting, 0, 0 },
	[END] = { "end", NULL, NULL, 8000, 0 },
};

#define ASK_KEYS(st, action, next_one, after) \
	{ st, KEYS("*"), ALWAYS, NOTHING,    after }, \
	{ st, KEYS("#"), ALWAYS, DO(action), next_one }, \
	{ st, KEYS("1"), ALWAYS, DO(action), next_one }, \
	{ st, TIMEOUT,   ALWAYS, DO(action), next_one }

static const struct dlg_row setup_rows[] = {
	/* in        when            if      do               go              said before */
	{ BEGIN,    ENTER,          ALWAYS, DO(mark_begun),  STAY },
	{ BEGIN,    DONE,           ALWAYS, NOTHING,         ASK_NAME },
	{ BEGIN,    FAILED,         ALWAYS, NOTHING,         ASK_NAME },
	{ BEGIN,    TIMEOUT,        ALWAYS, NOTHING,         ASK_NAME },
	ASK_KEYS(ASK_NAME, name, NAME, ASK_GREETING),
	{ NAME,     RESULT(R_GONE), ALWAYS, NOTHING,         RETURN(R_GONE) },
	{ NAME,     ANY_RESULT,     ALWAYS, NOTHING,         ASK_GREETING },
	ASK_KEYS(ASK_GREETING, personal, GREETING, END),
	{ GREETING, RESULT(R_GONE), ALWAYS, NOTHING,         RETURN(R_GONE) },
	{ GREETING, ANY_RESULT,     ALWAYS, NOTHING,         END },
	{ END,      ENTER,          ALWAYS, DO(mark_ended),  STAY },
	{ END,      DONE,           ALWAYS, NOTHING,         RETURN(R_OK),   say_ready },
	{ END,      FAILED,         ALWAYS, NOTHING,         RETURN(R_OK),   say_ready },
	{ END,      TIMEOUT,        ALWAYS, NOTHING,         RETURN(R_OK),   say_ready },
};

const struct dlg_table dlg_setup = { "setup", "First use", setup_states, setup_rows, COUNT_OF(setup_states), COUNT_OF(setup_rows), BEGIN, NULL };
