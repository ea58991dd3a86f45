/* SPDX-License-Identifier: Apache-2.0 */
/* answering.c  Call answering: which rule and which greeting apply, the tone, the message, and what may be done with it.
 *
 *   room, standing -> rule? -> its greeting, its keys -> find me | transfer | message
 *                  -> greeting -> tone -> message -> menu -> saved
 *
 * Keys, in the greeting: # to the tone, * log on to this mailbox, 0 operator. Afterwards: 1 listen, 2 record again, 3 or # send, 4 add to it,
 * 5 urgent, 6 private, 7 discard, 0 send and operator. Whoever hangs up, waits too long or presses wrong keys has left the message all the
 * same; only one that is too short or silent is dropped. The words "has been saved", or the receipt, come after the mailbox said SAVED,
 * and never otherwise.                                                                                                  */
#include <errno.h>
#include "dialogue/tell.h"
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { START, ROOM, GREETING, NAME, GREET, TAKE, AGAIN, REVIEW, FETCH, LISTEN, SAVING, OPERATOR, LOGON, REFUSE, BYE, DISCARDED, RULED };

/* ---- guards ---- */
/* Whatever else kept us from knowing is no reason to send a caller away: recording itself tells when it fails. */
static bool no_room(const struct dlg_session *s)
{
	int err = dlg_code(&s->eng);
	return err == EDQUOT || err == ENOSPC || err == EROFS || err == EHOSTUNREACH;
}

/* The recording that was found says all that applies. */
static bool own_greeting(const struct dlg_session *s)
{
	return s->has_clip[CLIP_GREETING] && s->fetched == s->greet;
}

static bool says_name(const struct dlg_session *s)
{
	return !own_greeting(s) && s->has_clip[CLIP_NAME];
}

static bool synth_name(const struct dlg_session *s)
{
	return !own_greeting(s) && !s->has_clip[CLIP_NAME];
}

static bool is_busy(const struct dlg_session *s)
{
	return !own_greeting(s) && s->greet == MBOX_G_BUSY;
}

static bool is_closed(const struct dlg_session *s)
{
	return !own_greeting(s) && s->greet == MBOX_G_CLOSED;
}

static bool is_away(const struct dlg_session *s)
{
	return !own_greeting(s) && s->greet == MBOX_G_AWAY && !s->standing.away_until_us;
}

static bool is_away_until(const struct dlg_session *s)
{
	return !own_greeting(s) && s->greet == MBOX_G_AWAY && s->standing.away_until_us;
}

static bool not_available(const struct dlg_session *s)
{
	return !own_greeting(s) && s->greet == MBOX_G_PERSONAL;
}

/* "... is on another call", then the personal greeting, which says the rest. */
static bool then_personal(const struct dlg_session *s)
{
	return !own_greeting(s) && s->has_clip[CLIP_GREETING];
}

static bool has_greeting(const struct dlg_session *s)
{
	return own_greeting(s);
}

static bool no_greeting(const struct dlg_session *s)
{
	return !s->has_clip[CLIP_GREETING];
}

static bool try_personal(const struct dlg_session *s)
{
	return s->fetched != MBOX_G_PERSONAL && s->greet != MBOX_G_AWAY;
}

static int64_t away_until_s(const struct dlg_session *s)
{
	return s->standing.away_until_us / 1000000;
}

/* ---- guards of messages ---- */
static bool still_there(const struct dlg_session *s)
{
	return s->rec.kept && dlg_code(&s->eng) != R_OK; /* adding to it brought nothing */
}

static bool gone_but_kept(const struct dlg_session *s)
{
	return dlg_is_gone(s) && s->rec.kept;
}

static bool may_add(const struct dlg_session *s)
{
	return s->rec.parts + 1 < DLG_PARTS && s->rec.duration_ms + 1000 < dlg_max_recording_ms(s);
}

static bool is_urgent(const struct dlg_session *s)
{
	return s->urgent;
}

static bool is_not_urgent(const struct dlg_session *s)
{
	return !s->urgent;
}

static bool is_private(const struct dlg_session *s)
{
	return s->private;
}

static bool is_not_private(const struct dlg_session *s)
{
	return !s->private;
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

static bool message_left(const struct dlg_session *s)
{
	return s->left_message;
}

/* ---- actions ---- */
static int begin(struct dlg_session *s)
{
	s->failures = s->short_tries = 0;
	s->left_message = s->wants_operator = s->lost = s->urgent = s->private = false;
	s->has_clip[CLIP_GREETING] = s->has_clip[CLIP_NAME] = false;
	s->rec = (struct dlg_recording){ .kind = DLG_RECORD_MESSAGE };
	s->standing = (struct mbox_standing){ 0 };
	s->refusal = 0;
	s->part_ms = 0;
	s->rule_do = dlg_rule_begin(s);
	s->rule_wrong = false;
	s->missed = DLG_MISSED_GREETING;
	return 0;
}

static int ask_room(struct dlg_session *s)
{
	return s->fx->room(s->fx_arg, dlg_job(&s->eng), s->box);
}

static int tell_refusal(struct dlg_session *s)
{
	s->refusal = dlg_code(&s->eng);
	s->missed = DLG_MISSED_FULL;
	dlg_tell_refusal(s, s->refusal);
	return 0;
}

/* Away counts before closed, and closed before busy: the longer the caller would wait. */
static int choose_greeting(struct dlg_session *s)
{
	s->greet = s->standing.away ? MBOX_G_AWAY : s->closed ? MBOX_G_CLOSED : s->reason == DLG_BUSY ? MBOX_G_BUSY : MBOX_G_PERSONAL;
	s->fetched = s->greet;
	return 0;
}

static int personal_then(struct dlg_session *s)
{
	s->fetched = MBOX_G_PERSONAL;
	return 0;
}

static int fetch_greeting(struct dlg_session *s)
{
	return s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_GREETING, s->box);
}

static int rule_over(struct dlg_session *s)
{
	s->rule_do = DLG_RULE_NONE;
	s->rule_wrong = false;
	s->fetched = s->greet;
	s->missed = DLG_MISSED_GREETING;
	s->has_clip[CLIP_GREETING] = false;
	s->failures = 0;
	return 0;
}

static int fetch_name(struct dlg_session *s)
{
	return s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_NAME, s->box);
}

static int count_short(struct dlg_session *s)
{
	s->short_tries++;
	s->rec.kind = DLG_RECORD_MESSAGE;
	s->missed = s->rec.heard ? DLG_MISSED_SHORT : DLG_MISSED_SILENT;
	dlg_tell_dropped(s);
	return 0;
}

static int add_to(struct dlg_session *s)
{
	s->part_ms = s->rec.duration_ms;
	s->rec.parts++;
	return 0;
}

static int count_part(struct dlg_session *s)
{
	s->failures = 0;
	dlg_tell_part_dropped(s, dlg_code(&s->eng));
	return 0;
}

static int record_again(struct dlg_session *s)
{
	s->rec.parts = 0;
	return dlg_drop_recording(s);
}

static int discard(struct dlg_session *s)
{
	s->missed = DLG_MISSED_DISCARDED;
	return record_again(s);
}

static int toggle_urgent(struct dlg_session *s)
{
	s->urgent = !s->urgent;
	s->failures = 0;
	return 0;
}

static int toggle_private(struct dlg_session *s)
{
	s->private = !s->private;
	s->failures = 0;
	return 0;
}

static int drop_and_confirm(struct dlg_session *s)
{
	s->missed = !s->rec.heard && s->rec.duration_ms ? DLG_MISSED_SILENT : DLG_MISSED_SHORT;
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
	s->lost = true; /* no receipt without a message */
	if (s->rec.late)
		dlg_tell_late(s);
	else
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
	SAY_IF(not_available, P_ANSWER_NAME_AWAY),
	SAY_IF(is_busy, P_ANSWER_BUSY),
	SAY_IF(is_closed, P_ANSWER_CLOSED),
	SAY_IF(is_away, P_ANSWER_AWAY),
	SAY_IF(is_away_until, P_ANSWER_AWAY_UNTIL), { .kind = DLG_W_WHEN, .number = away_until_s, .only_if = is_away_until },
	SAY_CLIP(then_personal, CLIP_GREETING),
	SAY_IF(no_greeting, P_ANSWER_LEAVE),
	SAY_END,
};
static const struct dlg_phrase say_menu[] = {
	SAY(P_ANSWER_MENU), SAY_IF(may_add, P_ANSWER_MENU_ADD), SAY_IF(is_not_urgent, P_ANSWER_MENU_URGENT), SAY_IF(is_not_private, P_ANSWER_MENU_PRIVATE),
	SAY(P_ANSWER_MENU_DISCARD), SAY_IF(box_operator, P_ANSWER_MENU_OPERATOR), SAY_END,
};
static const struct dlg_phrase say_urgent[] = { SAY_IF(is_urgent, P_ANSWER_URGENT), SAY_IF(is_not_urgent, P_ANSWER_NOT_URGENT), SAY_END };
static const struct dlg_phrase say_private[] = { SAY_IF(is_private, P_ANSWER_PRIVATE), SAY_IF(is_not_private, P_ANSWER_NOT_PRIVATE), SAY_END };
static const struct dlg_phrase say_nothing_added[] = { SAY(P_ANSWER_NOT_ADDED), SAY_END };
static const struct dlg_phrase say_discarded[] = { SAY(P_ANSWER_DISCARDED), SAY_END };
static const struct dlg_phrase say_short[] = { SAY(P_ANSWER_TOO_SHORT), SAY_END };
static const struct dlg_phrase say_silent[] = { SAY(P_ANSWER_SILENT), SAY_END };
static const struct dlg_phrase say_again[] = { SAY(P_ANSWER_LEAVE_SHORT), SAY_END };
static const struct dlg_phrase say_saved[] = { SAY(P_ANSWER_SAVED), SAY_END };
static const struct dlg_phrase say_not_saved[] = { SAY(P_ANSWER_SAVE_FAILED), SAY(P_TRY_LATER), SAY_END };
static const struct dlg_phrase say_not_recorded[] = { SAY(P_ANSWER_RECORD_FAILED), SAY(P_TRY_LATER), SAY_END };
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
	[LISTEN] = { "listen", dlg_say_recording, NULL, 2000, 0 },
	[SAVING] = { "saving", NULL, NULL, 25000, 0 }, /* longer than any receipt_ms: the mailbox says whether it has the message, unless the disk hangs */
	[OPERATOR] = { "to the operator", NULL, &dlg_transfer, 0, 0 },
	[LOGON] = { "log on", NULL, &dlg_subscriber, 0, 0 },
	[REFUSE] = { "refuse", say_refused, NULL, 2000, DLG_NO_BARGE },
	[BYE] = { "goodbye", dlg_say_goodbye, NULL, 2000, DLG_NO_BARGE },
	[DISCARDED] = { "discarded", say_discarded, NULL, 4000, 0 },
	[RULED] = { "rule", NULL, &dlg_ruled, 0, 0 },
};

static const struct dlg_row rows[] = {
	/* in        when                  if                   do                     go               said before */
	{ START,    ENTER,                ALWAYS,              DO(begin),             ROOM },
	{ ROOM,     ENTER,                ALWAYS,              DO(ask_room),          STAY },
	{ ROOM,     DONE,                 ALWAYS,              DO(choose_greeting),   RULED },
	{ ROOM,     FAILED,               IF(no_room),         DO(tell_refusal),      REFUSE },
	{ ROOM,     FAILED,               ALWAYS,              DO(choose_greeting),   RULED },
	{ ROOM,     TIMEOUT,              ALWAYS,              DO(choose_greeting),   RULED },

	{ RULED,    RESULT(R_OK),         ALWAYS,              DO(rule_over),         GREETING },
	{ RULED,    RESULT(R_MESSAGE),    ALWAYS,              DO(rule_over),         TAKE },
	{ RULED,    RESULT(R_LOGON),      ALWAYS,              NOTHING,               LOGON },
	{ RULED,    RESULT(R_OPERATOR),   ALWAYS,              DO(dlg_to_operator),   OPERATOR },
	{ RULED,    RESULT(R_TALKED),     ALWAYS,              NOTHING,               RETURN(R_TALKED) },
	{ RULED,    RESULT(R_TRANSFERRED), ALWAYS,             NOTHING,               RETURN(R_TRANSFERRED) },
	{ RULED,    RESULT(R_GONE),       ALWAYS,              DO(dlg_do_confirm),    RETURN(R_GONE) },
	{ RULED,    ANY_RESULT,           ALWAYS,              NOTHING,               RETURN(R_GOODBYE) },

	{ GREETING, ENTER,                ALWAYS,              DO(fetch_greeting),    STAY },
	{ GREETING, DONE,                 IF(has_greeting),    NOTHING,               GREET },
	{ GREETING, DONE,                 ALWAYS,              NOTHING,               NAME },
	{ GREETING, FAILED,               IF(try_personal),    DO(personal_then),     GREETING },
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

	{ TAKE,     ANY_RESULT,           IF(gone_but_kept),   NOTHING,               SAVING },
	{ TAKE,     ANY_RESULT,           IF(still_there),     DO(count_part),        REVIEW,          say_nothing_added },
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
	{ REVIEW,   KEYS("2"),            ALWAYS,              DO(record_again),      TAKE },
	{ REVIEW,   KEYS("4"),            IF(may_add),         DO(add_to),            TAKE },
	{ REVIEW,   KEYS("5"),            ALWAYS,              DO(toggle_urgent),     REVIEW,          say_urgent, true },
	{ REVIEW,   KEYS("6"),            ALWAYS,              DO(toggle_private),    REVIEW,          say_private, true },
	{ REVIEW,   KEYS("7"),            ALWAYS,              DO(discard),           DISCARDED },
	{ REVIEW,   KEYS("3"),            ALWAYS,              NOTHING,               SAVING },
	{ REVIEW,   KEYS("#"),            ALWAYS,              NOTHING,               SAVING },
	{ REVIEW,   KEYS_OR("0", "operator"), IF(box_operator), DO(then_operator),    SAVING },
	{ REVIEW,   WRONG,                IF(dlg_last_failure), NOTHING,              SAVING },
	{ REVIEW,   WRONG,                ALWAYS,              DO(dlg_count_failure), REVIEW,          dlg_say_invalid, true },
	{ REVIEW,   TIMEOUT,              IF(dlg_last_failure), NOTHING,              SAVING },
	{ REVIEW,   TIMEOUT,              ALWAYS,              DO(dlg_count_failure), REVIEW },
	{ REVIEW,   HANGUP,               ALWAYS,              NOTHING,               SAVING },
	FETCH_AND_LISTEN(FETCH, LISTEN, REVIEW),
	{ FETCH,    HANGUP,               ALWAYS,              NOTHING,               SAVING },
	{ LISTEN,   KEYS("1"),            ALWAYS,              NOTHING,               LISTEN },
	{ LISTEN,   KEYS("2"),            ALWAYS,              DO(record_again),      TAKE },
	{ LISTEN,   KEYS("4"),            IF(may_add),         DO(add_to),            TAKE },
	{ LISTEN,   KEYS("5"),            ALWAYS,              DO(toggle_urgent),     REVIEW,          say_urgent, true },
	{ LISTEN,   KEYS("6"),            ALWAYS,              DO(toggle_private),    REVIEW,          say_private, true },
	{ LISTEN,   KEYS("7"),            ALWAYS,              DO(discard),           DISCARDED },
	{ LISTEN,   KEYS("3"),            ALWAYS,              NOTHING,               SAVING },
	{ LISTEN,   KEYS("#"),            ALWAYS,              NOTHING,               SAVING },
	{ LISTEN,   KEYS_OR("0", "operator"), IF(box_operator), DO(then_operator),    SAVING },
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

	{ DISCARDED, KEYS("2"),           ALWAYS,              NOTHING,               TAKE },
	{ DISCARDED, TIMEOUT,             ALWAYS,              NOTHING,               BYE },
	{ REFUSE,   ENDED,                ALWAYS,              NOTHING,               BYE },
	{ REFUSE,   TIMEOUT,              ALWAYS,              NOTHING,               BYE },
	{ BYE,      ENDED,                ALWAYS,              NOTHING,               RETURN(R_GOODBYE) },
	{ BYE,      TIMEOUT,              ALWAYS,              NOTHING,               RETURN(R_GOODBYE) },
	{ ANY,      HANGUP,               ALWAYS,              DO(dlg_do_confirm),    RETURN(R_GONE) },
};

const struct dlg_table dlg_answering = { "answering", "Call answering", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
