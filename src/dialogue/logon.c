/* SPDX-License-Identifier: Apache-2.0 */
/* logon.c  Extension and PIN; from a believed own number, or out of one's own greeting, the PIN alone. Never without a PIN. What does not
 * exist and what is wrong sound the same and take equally long; but whose PIN could be read by others on the way is not asked for it. Tries are counted per call here, per mailbox over all calls
 * and nodes by directory/.                                                                                              */
#include <errno.h>
#include "base/mem.h"
#include "dialogue/rows.h"
#include "dialogue/session.h"
#include "dialogue/tell.h"

enum { START, WHO, PIN, CHECK, FIRST_USE, BYE };

static bool knows_box(const struct dlg_session *s)
{
	return s->box && !s->box_typed;
}

static bool last_try(const struct dlg_session *s)
{
	uint32_t allowed = dlg_policy(s)->pin_tries_per_call;
	return s->pin_tries >= (allowed ? allowed : 3);
}

static int begin(struct dlg_session *s)
{
	s->failures = 0;
	s->logged_on = s->phone.first_use = false;
	return 0;
}

static int find_box(struct dlg_session *s)
{
	s->box = dir_find_extension(s->view, text_make(s->digits, s->n_digits));
	s->box_typed = true;
	if (!s->box || dlg_box_allowed(s, s->box))
		return 0;
	dlg_tell_not_secure(s, s->box->name, dir_dialplan(s->view, s->box));
	s->box = NULL;
	return EACCES;
}

static int another_box(struct dlg_session *s)
{
	s->box = NULL;
	s->box_typed = true;
	s->failures++;
	return 0;
}

/* A PIN too long to be one is a wrong one, judged like any other. */
static int judge(struct dlg_session *s)
{
	s->pin_tries++;
	int err = s->fx->logon(s->fx_arg, dlg_job(&s->eng), s->box, text_make(s->digits, s->digits_full ? 0 : s->n_digits));
	mem_wipe(s->digits, sizeof(s->digits));
	s->n_digits = 0;
	return err;
}

static int logged_on(struct dlg_session *s)
{
	s->logged_on = true;
	s->failures = 0;
	return 0;
}

/* The PIN is somebody else's: perhaps nobody has used the mailbox yet. */
static int first_use(struct dlg_session *s)
{
	s->phone.first_use = true;
	return 0;
}

static int give_up(struct dlg_session *s)
{
	s->fx->logon_gave_up(s->fx_arg, s->box, s->pin_tries);
	return 0;
}

static const struct dlg_phrase ask_who[] = { SAY(P_LOGON_WELCOME), SAY(P_LOGON_EXTENSION), SAY_END };
static const struct dlg_phrase ask_pin[] = { SAY(P_LOGON_PIN), SAY_END };
static const struct dlg_phrase say_wrong[] = { SAY(P_LOGON_WRONG), SAY_END };
static const struct dlg_phrase say_too_many[] = { SAY(P_LOGON_WRONG), SAY(P_LOGON_TOO_MANY), SAY_END };
static const struct dlg_phrase say_locked[] = { SAY(P_LOGON_LOCKED), SAY_END };
static const struct dlg_phrase say_no_pin[] = { SAY(P_LOGON_NO_PIN), SAY_END };
static const struct dlg_phrase say_failed[] = { SAY(P_LOGON_FAILED), SAY(P_TRY_LATER), SAY_END };
static const struct dlg_phrase say_first_use[] = { SAY(P_PIN_FIRST_USE), SAY_END };
static const struct dlg_phrase say_not_here[] = { SAY(P_SERVICE_FAILED), SAY_END };
static const struct dlg_phrase say_give_up[] = { SAY(P_GIVE_UP), SAY_END };

static const struct dlg_state states[] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[WHO] = { "ask extension", ask_who, &dlg_entry, 0, 0 },
	[PIN] = { "ask PIN", ask_pin, &dlg_entry, 0, 0 },
	[CHECK] = { "check PIN", NULL, NULL, 15000, 0 },
	[FIRST_USE] = { "first use", say_first_use, &dlg_pin_change, 0, 0 },
	[BYE] = { "goodbye", dlg_say_goodbye, NULL, 2000, DLG_NO_BARGE },
};

static const struct dlg_row rows[] = {
	/* in         when                          if                     do                      go           said before */
	{ START,     ENTER,                        IF(knows_box),         DO(begin),              PIN },
	{ START,     ENTER,                        ALWAYS,                DO(begin),              WHO },

	{ WHO,       RESULT(R_OK),                 ALWAYS,                DO(find_box),           PIN },
	{ WHO,       ANY_RESULT,                   IF(dlg_last_failure),  NOTHING,                BYE,         say_give_up },
	{ WHO,       ANY_RESULT,                   ALWAYS,                DO(dlg_count_failure),  WHO },

	{ PIN,       FAILED,                       IF(dlg_last_failure),  NOTHING,                BYE,         say_not_here, true }, /* find_box */
	{ PIN,       FAILED,                       ALWAYS,                DO(dlg_count_failure),  WHO,         say_not_here, true },
	{ PIN,       RESULT(R_OK),                 ALWAYS,                NOTHING,                CHECK },
	{ PIN,       ANY_RESULT,                   IF(dlg_last_failure),  NOTHING,                BYE,         say_give_up },
	{ PIN,       RESULT(R_BACK),               ALWAYS,                DO(another_box),        WHO },
	{ PIN,       ANY_RESULT,                   ALWAYS,                DO(dlg_count_failure),  PIN },

	{ CHECK,     ENTER,                        ALWAYS,                DO(judge),              STAY },
	{ CHECK,     DONE_AS(J_LOGON_OK),          ALWAYS,                DO(logged_on),          RETURN(R_OK) },
	{ CHECK,     DONE_AS(J_LOGON_MUST_CHANGE), ALWAYS,                DO(first_use),          FIRST_USE },
	{ CHECK,     DONE_AS(J_LOGON_LOCKED),      ALWAYS,                NOTHING,                BYE,         say_locked, true },
	{ CHECK,     DONE_AS(J_LOGON_NO_PIN),      ALWAYS,                NOTHING,                BYE,         say_no_pin, true },
	{ CHECK,     DONE,                         IF(last_try),          DO(give_up),            BYE,         say_too_many, true },
	{ CHECK,     DONE,                         IF(knows_box),         NOTHING,                PIN,         say_wrong, true },
	{ CHECK,     DONE,                         ALWAYS,                NOTHING,                WHO,         say_wrong, true },
	{ CHECK,     FAILED,                       ALWAYS,                NOTHING,                BYE,         say_failed, true },
	{ CHECK,     TIMEOUT,                      ALWAYS,                NOTHING,                BYE,         say_failed, true },

	{ FIRST_USE, RESULT(R_OK),                 ALWAYS,                DO(logged_on),          RETURN(R_OK) },
	{ FIRST_USE, ANY_RESULT,                   ALWAYS,                NOTHING,                BYE },

	{ BYE,       ENDED,                        ALWAYS,                NOTHING,                RETURN(R_REFUSED) },
	{ BYE,       TIMEOUT,                      ALWAYS,                NOTHING,                RETURN(R_REFUSED) },
};

const struct dlg_table dlg_logon = { "logon", "Log-on", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
