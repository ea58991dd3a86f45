/* SPDX-License-Identifier: Apache-2.0 */
/* subscriber.c  The mailbox by phone: log-on, how many messages, the main menu. 1 messages, 6 personal options, 0 again, 33 end, as in
 * Outlook Voice Access; 2, 3 and 5 (mail, calendar, compose) have their places there and say so honestly here.         */
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { LOGON, COUNT, MAIN, LIST, PLAY, OPTIONS, BYE };

static int load(struct dlg_session *s)
{
	return s->fx->list(s->fx_arg, dlg_job(&s->eng));
}

static int first(struct dlg_session *s)
{
	s->at = 0;
	s->at_start = s->only_new = false;
	s->failures = 0;
	return 0;
}

static int64_t n_new(const struct dlg_session *s)
{
	return s->n_new;
}

static int64_t n_saved(const struct dlg_session *s)
{
	return s->n_saved;
}

static const struct dlg_phrase say_counts[] = { SAY(P_YOU_HAVE), SAY_COUNT(n_new, P_NEW), SAY(P_AND), SAY_COUNT(n_saved, P_SAVED), SAY_END };
static const struct dlg_phrase say_menu[] = { SAY(P_MAIN_MENU), SAY_END };
static const struct dlg_phrase say_unreadable[] = { SAY(P_LIST_FAILED), SAY_END };
static const struct dlg_phrase say_not_yet[] = { SAY(P_NOT_YET), SAY_END };
static const struct dlg_phrase say_give_up[] = { SAY(P_GIVE_UP), SAY_END };

static const struct dlg_state states[] = {
	[LOGON] = { "log on", NULL, &dlg_logon, 0, 0 },
	[COUNT] = { "count messages", NULL, NULL, 8000, 0 },
	[MAIN] = { "main menu", say_menu, NULL, 6000, 0 },
	[LIST] = { "list messages", NULL, NULL, 8000, 0 },
	[PLAY] = { "messages", NULL, &dlg_player, 0, 0 },
	[OPTIONS] = { "personal options", NULL, &dlg_options, 0, 0 },
	[BYE] = { "goodbye", dlg_say_goodbye, NULL, 2000, DLG_NO_BARGE },
};

static const struct dlg_row rows[] = {
	/* in       when                 if                    do                      go                 said before */
	{ LOGON,   RESULT(R_OK),        ALWAYS,               DO(dlg_no_failures),    COUNT },
	{ LOGON,   ANY_RESULT,          ALWAYS,               NOTHING,                RETURN(R_REFUSED) },
	{ COUNT,   ENTER,               ALWAYS,               DO(load),               STAY },
	{ COUNT,   DONE,                ALWAYS,               NOTHING,                MAIN,              say_counts },
	{ COUNT,   FAILED,              ALWAYS,               NOTHING,                MAIN,              say_unreadable, true },
	{ COUNT,   TIMEOUT,             ALWAYS,               NOTHING,                MAIN,              say_unreadable, true },

	{ MAIN,    KEYS_OR("1", "voice mail"), ALWAYS,        NOTHING,                LIST },
	{ MAIN,    KEYS_OR("6", "personal options"), ALWAYS,  DO(dlg_no_failures),    OPTIONS },
	{ MAIN,    KEYS("2"),           ALWAYS,               NOTHING,                MAIN,              say_not_yet, true },
	{ MAIN,    KEYS("3"),           ALWAYS,               NOTHING,                MAIN,              say_not_yet, true },
	{ MAIN,    KEYS("5"),           ALWAYS,               NOTHING,                MAIN,              say_not_yet, true },
	{ MAIN,    KEYS("0"),           ALWAYS,               NOTHING,                MAIN },
	{ MAIN,    KEYS("*"),           ALWAYS,               NOTHING,                MAIN },
	{ MAIN,    KEYS_OR("33", "goodbye"), ALWAYS,          NOTHING,                BYE },
	{ MAIN,    KEYS("00 33"),       ALWAYS,               NOTHING,                BYE },
	{ MAIN,    WRONG,               IF(dlg_last_failure), NOTHING,                BYE,               say_give_up, true },
	{ MAIN,    WRONG,               ALWAYS,               DO(dlg_count_failure),  MAIN,              dlg_say_invalid, true },
	{ MAIN,    TIMEOUT,             IF(dlg_last_failure), NOTHING,                BYE,               say_give_up },
	{ MAIN,    TIMEOUT,             ALWAYS,               DO(dlg_count_failure),  MAIN,              dlg_say_no_input },

	{ LIST,    ENTER,               ALWAYS,               DO(load),               STAY },
	{ LIST,    DONE,                ALWAYS,               DO(first),              PLAY },
	{ LIST,    FAILED,              ALWAYS,               NOTHING,                MAIN,              say_unreadable, true },
	{ LIST,    TIMEOUT,             ALWAYS,               NOTHING,                MAIN,              say_unreadable, true },
	{ PLAY,    RESULT(R_GOODBYE),   ALWAYS,               NOTHING,                BYE },
	{ PLAY,    RESULT(R_GIVE_UP),   ALWAYS,               NOTHING,                BYE },
	{ PLAY,    ANY_RESULT,          ALWAYS,               DO(dlg_no_failures),    MAIN },
	{ OPTIONS, RESULT(R_GONE),      ALWAYS,               NOTHING,                RETURN(R_GONE) },
	{ OPTIONS, RESULT(R_GOODBYE),   ALWAYS,               NOTHING,                BYE },
	{ OPTIONS, RESULT(R_GIVE_UP),   ALWAYS,               NOTHING,                BYE },
	{ OPTIONS, ANY_RESULT,          ALWAYS,               DO(dlg_no_failures),    MAIN },

	{ BYE,     ENDED,               ALWAYS,               NOTHING,                RETURN(R_GOODBYE) },
	{ BYE,     TIMEOUT,             ALWAYS,               NOTHING,                RETURN(R_GOODBYE) },
};

const struct dlg_table dlg_subscriber = { "subscriber", "Subscriber access", states, rows, COUNT_OF(states), COUNT_OF(rows), LOGON, NULL };
