/* SPDX-License-Identifier: Apache-2.0 */
/* play_out.c  Play on Phone: the server calls a phone, and whoever answers there hears a message, or records a greeting. The PIN is asked, unless
 * the phone is the mailbox owner's own and is reached through a gateway whose word counts. An answering machine knows no PIN.  */
#include "dialogue/rows.h"
#include "dialogue/session.h"

/* ---- the conversation ---- */
enum { START, HELLO, LOGON, OWNER, LIST, PLAY, GREETING, GONE, BYE };

static bool own_phone(const struct dlg_session *s)
{
	return s->phone.own_phone;
}

static bool wants_greeting(const struct dlg_session *s)
{
	return !*s->phone.wanted;
}

static bool found(const struct dlg_session *s)
{
	for (unsigned i = 0; i < s->n_list; i++)
		if (strcmp(s->list[i].id, s->phone.wanted) == 0)
			return true;
	return false;
}

static int let_in(struct dlg_session *s)
{
	s->logged_on = true;
	return 0;
}

static int load_owner(struct dlg_session *s)
{
	return s->fx->owner(s->fx_arg, dlg_job(&s->eng));
}

static int load(struct dlg_session *s)
{
	s->phone.folder = DLG_FOLDER_ALL;
	return s->fx->list(s->fx_arg, dlg_job(&s->eng));
}

static int go_there(struct dlg_session *s)
{
	s->at_start = s->only_new = false;
	for (s->at = 0; s->at < s->n_list && strcmp(s->list[s->at].id, s->phone.wanted) != 0; s->at++)
		;
	return 0;
}

static int begin_greeting(struct dlg_session *s)
{
	return dlg_greeting_of(s, s->phone.greeting);
}

static const struct dlg_phrase say_hello[] = { SAY(P_PLAY_OUT_HELLO), SAY_NAME(NULL, dlg_box_name), SAY_PAUSE(300), SAY_END };
static const struct dlg_phrase say_gone[] = { SAY(P_PLAY_FAILED), SAY_END };

static const struct dlg_state states[] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[HELLO] = { "hello", say_hello, NULL, 3000, 0 },
	[LOGON] = { "log on", NULL, &dlg_logon, 0, 0 },
	[OWNER] = { "load choices", NULL, NULL, 3000, 0 },
	[LIST] = { "list messages", NULL, NULL, 8000, 0 },
	[PLAY] = { "message", NULL, &dlg_player, 0, 0 },
	[GREETING] = { "greeting", NULL, &dlg_greeting, 0, 0 },
	[GONE] = { "message gone", say_gone, NULL, 2000, DLG_NO_BARGE },
	[BYE] = { "goodbye", dlg_say_goodbye, NULL, 2000, DLG_NO_BARGE },
};

static const struct dlg_row rows[] = {
	/* in        when                    if                  do                   go */
	{ START,    ENTER,                  ALWAYS,             NOTHING,             HELLO },
	{ HELLO,    KEYS("#"),              IF(own_phone),      DO(let_in),          OWNER },
	{ HELLO,    KEYS("#"),              ALWAYS,             NOTHING,             LOGON },
	{ HELLO,    ENDED,                  IF(own_phone),      DO(let_in),          OWNER },
	{ HELLO,    ENDED,                  ALWAYS,             NOTHING,             LOGON },
	{ HELLO,    TIMEOUT,                ALWAYS,             NOTHING,             LOGON },
	{ LOGON,    RESULT(R_OK),           ALWAYS,             DO(dlg_no_failures), OWNER },
	{ LOGON,    ANY_RESULT,             ALWAYS,             NOTHING,             RETURN(R_REFUSED) },
	{ OWNER,    ENTER,                  ALWAYS,             DO(load_owner),      STAY },
	{ OWNER,    DONE,                   IF(wants_greeting), DO(begin_greeting),  GREETING },
	{ OWNER,    FAILED,                 IF(wants_greeting), DO(begin_greeting),  GREETING },
	{ OWNER,    TIMEOUT,                IF(wants_greeting), DO(begin_greeting),  GREETING },
	{ OWNER,    DONE,                   ALWAYS,             NOTHING,             LIST },
	{ OWNER,    FAILED,                 ALWAYS,             NOTHING,             LIST },
	{ OWNER,    TIMEOUT,                ALWAYS,             NOTHING,             LIST },
	{ LIST,     ENTER,                  ALWAYS,             DO(load),            STAY },
	{ LIST,     DONE,                   IF(found),          DO(go_there),        PLAY },
	{ LIST,     DONE,                   ALWAYS,             NOTHING,             GONE },
	{ LIST,     FAILED,                 ALWAYS,             NOTHING,             GONE },
	{ LIST,     TIMEOUT,                ALWAYS,             NOTHING,             GONE },
	{ PLAY,     RESULT(R_GONE),         ALWAYS,             NOTHING,             RETURN(R_GONE) },
	{ PLAY,     RESULT(R_TRANSFERRED),  ALWAYS,             NOTHING,             RETURN(R_TRANSFERRED) },
	{ PLAY,     ANY_RESULT,             ALWAYS,             NOTHING,             BYE },
	{ GREETING, RESULT(R_GONE),         ALWAYS,             NOTHING,             RETURN(R_GONE) },
	{ GREETING, ANY_RESULT,             ALWAYS,             NOTHING,             BYE },
	{ GONE,     ENDED,                  ALWAYS,             NOTHING,             BYE },
	{ GONE,     TIMEOUT,                ALWAYS,             NOTHING,             BYE },
	{ BYE,      ENDED,                  ALWAYS,             NOTHING,             RETURN(R_GOODBYE) },
	{ BYE,      TIMEOUT,                ALWAYS,             NOTHING,             RETURN(R_GOODBYE) },
};

const struct dlg_table dlg_play_out = { "play-out", "Play on Phone", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
