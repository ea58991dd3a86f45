/* SPDX-License-Identifier: Apache-2.0 */
/* answering.c  Call answering: the greeting, the tone, the message, and what may be done with it.
 *
 * Keys, in the greeting: # to the tone, * log on to this mailbox, 0 operator. Afterwards: 1 listen, 2 record again, 3 or # send,
 * 0 send and operator. Whoever hangs up, waits too long or presses wrong keys has left the message all the same; only one that is
 * too short is dropped. The words "has been saved", or the receipt, come after the mailbox said SAVED, and never otherwise. */
#include <errno.h>
#include "dialogue/tell.h"
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { START, ROOM, GREETING, NAME, GREET, TAKE, AGAIN, REVIEW, FETCH, LISTEN, SAVING, OPERATOR, LOGON, REFUSE, BYE };

/* ---- guards ---- */
/* Whatever else kept us from knowing is no reason to send a caller away: recording itself tells when it fails. */
static bool no_room(const struct dlg_session *s)
{
	int err = dlg_code(&s->eng);
	return err == EDQUOT || err == ENOSPC || err == EROFS || err == EHOSTUNREACH;
}

static bool has_greeting(const struct dlg_session *s)
{
	return s->has_clip[CLIP_GREETING];
}

static bool says_name(const struct dlg_session *s)
{
	return !s->has_clip[CLIP_GREETING] && s->has_clip[CLIP_NAME];
}

static bool synth_name(const struct dlg_session *s)
{
	return !s->has_clip[CLIP_GREETING] && !s->has_clip[CLIP_NAME];
}

static bool no_greeting(const struct dlg_session *s)
{
	return !s->has_clip[CLIP_GREETING];
}

static bool full_box(const struct dlg_session *s)
{
	return s->refusal == EDQUOT;
}

static bool full_disk(const struct dlg_session *s)
{
	return s->refusal != EDQUOT;
}

static bool once_more(const struct dlg_session *s)
{
	return s->short_tries < 2;
}

static bool wants_operator(const struct dlg_session *s)
{
	return s->wants_operator;
}

static bool box_operator(const struct dlg_session *s)
{
	return dlg_has_operator(s);
}

static bool has_recording(const struct dlg_session *s)
{
	return s->has_clip[CLIP_RECORDING];
}

static bool message_left(const struct dlg_session *s)
{
	return s->left_message;
}

/* ---- actions ---- */
static int begin(struct dlg_session *s)
{
	s->failures = s->short_tries = 0;
	s->left_message = s->wants_operator = s->lost = false;
	s->has_clip[CLIP_GREETING] = s->has_clip[CLIP_NAME] = false;
	s->rec.kind = DLG_RECORD_MESSAGE;
	s->refusal = 0;
	return 0;
}

static int ask_room(struct dlg_session *s)
{
	return s->fx->room(s->fx_arg, dlg_job(&s->eng), s->box);
}

static int tell_refusal(struct dlg_session *s)
{
	s->refusal = dlg_code(&s->eng);
	dlg_tell_refusal(s, s->refusal);
	return 0;
}

static int fetch_greeting(struct dlg_session *s)
{
	return s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_GREETING, s->box);
}

static int fetch_name(struct dlg_session *s)
{
	return s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_NAME, s->box);
}

static int count_short(struct dlg_session *s)
{
	s->short_tries++;
	s->rec.kind = DLG_RECORD_MESSAGE;
	dlg_tell_dropped(s);
	return 0;
}

static int drop_and_confirm(struct dlg_session *s)
{
	dlg_tell_dropped(s);
	return dlg_do_confirm(s);
}

static int save(struct dlg_session *s)
{
	return s->fx->save(s->fx_arg, dlg_job(&s->eng));
}

static int then_operator(struct dlg_session *s)
{
	s->wants_operator = true;
	return 0;
}

static int saved(struct dlg_session *s)
{
	s->left_message = true;
	s->rec.kept = false;
	return 0;
}

static int saved_confirm(struct dlg_session *s)
{
	saved(s);
	return dlg_do_confirm(s);
}

static int saved_operator(struct dlg_session *s)
{
	saved(s);
	return dlg_to_operator(s);
}

static int lose(struct dlg_session *s)
{
	s->lost = true;
	dlg_tell_lost(s, dlg_code(&s->eng));
	return 0;
}

static int lose_unrecorded(struct dlg_session *s)
{
	s->lost = true;
	dlg_tell_lost(s, -1);
	return 0;
}

static int lose_unrecorded_confirm(struct dlg_session *s)
{
	lose_unrecorded(s);
	return dlg_do_confirm(s);
}

static int lose_confirm(struct dlg_session *s)
{
	lose(s);
	return dlg_do_confirm(s);
}

/* ---- what is said ---- */
static const struct dlg_phrase say_greeting[] = {
	SAY_CLIP(has_greeting, CLIP_GREETING),
	SAY_CLIP(says_name, CLIP_NAME),
	SAY_NAME(synth_name, dlg_box_name),
	SAY_IF(no_greeting, P_ANSWER_NAME_AWAY),
	SAY_IF(no_greeting, P_ANSWER_LEAVE),
	SAY_END,
};
static const struct dlg_phrase say_menu[] = { SAY(P_ANSWER_MENU), SAY_IF(box_operator, P_ANSWER_MENU_OPERATOR), SAY_END };
static const struct dlg_phrase say_recording[] = { SAY_CLIP(has_recording, CLIP_RECORDING), SAY_END };
static const struct dlg_phrase say_short[] = { SAY(P_ANSWER_TOO_SHORT), SAY_END };
static const struct dlg_phrase say_silent[] = { SAY(P_ANSWER_SILENT), SAY_END };
static const struct dlg_phrase say_again[] = { SAY(P_ANSWER_LEAVE_SHORT), SAY_END };
static const struct dlg_phrase say_saved[] = { SAY(P_ANSWER_SAVED), SAY_END };
static const struct dlg_phrase say_not_saved[] = { SAY(P_ANSWER_SAVE_FAILED), SAY(P_TRY_LATER), SAY_END };
static const struct dlg_phrase say_not_recorded[] = { SAY(P_ANSWER_RECORD_FAILED), SAY(P_TRY_LATER), SAY_END };
static const struct dlg_phrase say_empty[] = { SAY(P_MESSAGE_EMPTY), SAY_END };
static const struct dlg_phrase say_refused[] = { SAY_IF(full_box, P_ANSWER_FULL), SAY_IF(full_disk, P_ANSWER_NO_ROOM),
	                                         SAY_IF(full_disk, P_TRY_LATER), SAY_END };

static const struct dlg_state states[] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[ROOM] = { "room for a message", NULL, NULL, 2000, 0 },
	[GREETING] = { "load greeting", NULL, NULL, 1500, 0 },
	[NAME] = { "load name", NULL, NULL, 1000, 0 },
	[GREET] = { "greeting", say_greeting, NULL, 2000, 0 },
	[TAKE] = { "take message", NULL, &dlg_recorder, 0, 0 },
	[AGAIN] = { "try again", say_again, NULL, 2000, DLG_NO_BARGE },
	[REVIEW] = { "menu", say_menu, NULL, 5000, 0 },
	[FETCH] = { "load recording", NULL, NULL, 3000, 0 },
	[LISTEN] = { "listen", say_recording, NULL, 2000, 0 },
	[SAVING] = { "saving", NULL, NULL, 10000, 0 },
	[OPERATOR] = { "to the operator", NULL, &dlg_transfer, 0, 0 },
	[LOGON] = { "log on", NULL, &dlg_subscriber, 0, 0 },
	[REFUSE] = { "refuse", say_refused, NULL, 2000, DLG_NO_BARGE },
	[BYE] = { "goodbye", dlg_say_goodbye, NULL, 2000, DLG_NO_BARGE },
};

static const struct dlg_row rows[] = {
	/* in        when                  if                   do                     go               said before */
	{ START,    ENTER,                ALWAYS,              DO(begin),             ROOM },
	{ ROOM,     ENTER,                ALWAYS,              DO(ask_room),          STAY },
	{ ROOM,     DONE,                 ALWAYS,              NOTHING,               GREETING },
	{ ROOM,     FAILED,               IF(no_room),         DO(tell_refusal),      REFUSE },
	{ ROOM,     FAILED,               ALWAYS,              NOTHING,               GREETING },
	{ ROOM,     TIMEOUT,              ALWAYS,              NOTHING,               GREETING },
	{ GREETING, ENTER,                ALWAYS,              DO(fetch_greeting),    STAY },
	{ GREETING, DONE,                 ALWAYS,              NOTHING,               GREET },
	{ GREETING, FAILED,               ALWAYS,              NOTHING,               NAME },
	{ GREETING, TIMEOUT,              ALWAYS,              NOTHING,               NAME },
	{ NAME,     ENTER,                ALWAYS,              DO(fetch_name),        STAY },
	{ NAME,     DONE,                 ALWAYS,              NOTHING,               GREET },
	{ NAME,     FAILED,               ALWAYS,              NOTHING,               GREET },
	{ NAME,     TIMEOUT,              ALWAYS,              NOTHING,               GREET },

	{ GREET,    KEYS("#"),            ALWAYS,              NOTHING,               TAKE },
	{ GREET,    KEYS("*"),            ALWAYS,              NOTHING,               LOGON },
	{ GREET,    KEYS_OR("0", "operator"), IF(box_operator), DO(dlg_to_operator),  OPERATOR },
	{ GREET,    WRONG,                ALWAYS,              NOTHING,               TAKE },
	{ GREET,    ENDED,                ALWAYS,              NOTHING,               TAKE },
	{ GREET,    TIMEOUT,              ALWAYS,              NOTHING,               TAKE },

	{ TAKE,     RESULT(R_OK),         IF(dlg_is_gone),     NOTHING,               SAVING },
	{ TAKE,     RESULT(R_OK),         ALWAYS,              DO(dlg_no_failures),   REVIEW },
	{ TAKE,     RESULT(R_FAILED),     IF(dlg_is_gone),     DO(lose_unrecorded_confirm), RETURN(R_GONE) },
	{ TAKE,     RESULT(R_FAILED),     ALWAYS,              DO(lose_unrecorded),   BYE,             say_not_recorded },
	{ TAKE,     ANY_RESULT,           IF(dlg_is_gone),     DO(drop_and_confirm),  RETURN(R_GONE) },
	{ TAKE,     RESULT(R_SILENT),     IF(once_more),       DO(count_short),       AGAIN,           say_silent },
	{ TAKE,     RESULT(R_SILENT),     ALWAYS,              DO(count_short),       BYE,             say_silent },
	{ TAKE,     ANY_RESULT,           IF(once_more),       DO(count_short),       AGAIN,           say_short },
	{ TAKE,     ANY_RESULT,           ALWAYS,              DO(count_short),       BYE,             say_short },
	{ AGAIN,    ENDED,                ALWAYS,              NOTHING,               TAKE },
	{ AGAIN,    TIMEOUT,              ALWAYS,              NOTHING,               TAKE },

	{ REVIEW,   KEYS("1"),            ALWAYS,              NOTHING,               FETCH },
	{ REVIEW,   KEYS("2"),            ALWAYS,              DO(dlg_drop_recording), TAKE },
	{ REVIEW,   KEYS("3"),            ALWAYS,              NOTHING,               SAVING },
	{ REVIEW,   KEYS("#"),            ALWAYS,              NOTHING,               SAVING },
	{ REVIEW,   KEYS_OR("0", "operator"), IF(box_operator), DO(then_operator),    SAVING },
	{ REVIEW,   WRONG,                IF(dlg_last_failure), NOTHING,              SAVING },
	{ REVIEW,   WRONG,                ALWAYS,              DO(dlg_count_failure), REVIEW,          dlg_say_invalid, true },
	{ REVIEW,   TIMEOUT,              IF(dlg_last_failure), NOTHING,              SAVING },
	{ REVIEW,   TIMEOUT,              ALWAYS,              DO(dlg_count_failure), REVIEW },
	{ REVIEW,   HANGUP,               ALWAYS,              NOTHING,               SAVING },
	{ FETCH,    ENTER,                ALWAYS,              DO(dlg_fetch_recording), STAY },
	{ FETCH,    DONE,                 ALWAYS,              NOTHING,               LISTEN },
	{ FETCH,    FAILED,               ALWAYS,              NOTHING,               REVIEW,          say_empty },
	{ FETCH,    TIMEOUT,              ALWAYS,              NOTHING,               REVIEW,          say_empty },
	{ FETCH,    HANGUP,               ALWAYS,              NOTHING,               SAVING },
	{ LISTEN,   KEYS("1"),            ALWAYS,              NOTHING,               LISTEN },
	{ LISTEN,   KEYS("2"),            ALWAYS,              DO(dlg_drop_recording), TAKE },
	{ LISTEN,   KEYS("3"),            ALWAYS,              NOTHING,               SAVING },
	{ LISTEN,   KEYS("#"),            ALWAYS,              NOTHING,               SAVING },
	{ LISTEN,   KEYS_OR("0", "operator"), IF(box_operator), DO(then_operator),    SAVING },
	{ LISTEN,   WRONG,                ALWAYS,              NOTHING,               REVIEW,          dlg_say_invalid, true },
	{ LISTEN,   ENDED,                ALWAYS,              NOTHING,               REVIEW },
	{ LISTEN,   TIMEOUT,              ALWAYS,              NOTHING,               REVIEW },
	{ LISTEN,   HANGUP,               ALWAYS,              NOTHING,               SAVING },

	{ SAVING,   ENTER,                ALWAYS,              DO(save),              STAY },
	{ SAVING,   DONE,                 IF(dlg_is_gone),     DO(saved_confirm),     RETURN(R_GONE) },
	{ SAVING,   DONE,                 IF(wants_operator),  DO(saved_operator),    OPERATOR,        say_saved },
	{ SAVING,   DONE,                 ALWAYS,              DO(saved),             BYE,             say_saved },
	{ SAVING,   FAILED,               IF(dlg_is_gone),     DO(lose_confirm),      RETURN(R_GONE) },
	{ SAVING,   FAILED,               ALWAYS,              DO(lose),              BYE,             say_not_saved, true },
	{ SAVING,   TIMEOUT,              IF(dlg_is_gone),     DO(lose_confirm),      RETURN(R_GONE) },
	{ SAVING,   TIMEOUT,              ALWAYS,              DO(lose),              BYE,             say_not_saved, true },
	{ SAVING,   HANGUP,               ALWAYS,              NOTHING,               STAY }, /* the job's end says which receipt */

	{ OPERATOR, RESULT(R_TRANSFERRED), ALWAYS,             NOTHING,               RETURN(R_TRANSFERRED) },
	{ OPERATOR, RESULT(R_GONE),       ALWAYS,              DO(dlg_do_confirm),    RETURN(R_GONE) },
	{ OPERATOR, ANY_RESULT,           IF(message_left),    NOTHING,               BYE },
	{ OPERATOR, ANY_RESULT,           ALWAYS,              NOTHING,               AGAIN },
	{ LOGON,    RESULT(R_GONE),       ALWAYS,              DO(dlg_do_confirm),    RETURN(R_GONE) },
	{ LOGON,    ANY_RESULT,           ALWAYS,              NOTHING,               RETURN(R_GOODBYE) },

	{ REFUSE,   ENDED,                ALWAYS,              NOTHING,               BYE },
	{ REFUSE,   TIMEOUT,              ALWAYS,              NOTHING,               BYE },
	{ BYE,      ENDED,                ALWAYS,              NOTHING,               RETURN(R_GOODBYE) },
	{ BYE,      TIMEOUT,              ALWAYS,              NOTHING,               RETURN(R_GOODBYE) },
	{ ANY,      HANGUP,               ALWAYS,              DO(dlg_do_confirm),    RETURN(R_GONE) },
};

const struct dlg_table dlg_answering = { "answering", "Call answering", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
