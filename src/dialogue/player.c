/* SPDX-License-Identifier: Apache-2.0 */
/* player.c  Messages one by one: who, when, what; and all that can be done with one. The keys are those of Outlook Voice Access, in both
 * documented forms where there are two (`11` and `00 11`); man/umbel-dialogue.5 has them in one table.
 * A new message that was heard to its end counts as saved; one that was skipped stays new. In the deleted folder nothing changes but by 7,
 * which brings a message back.                                                                                          */
#include <errno.h>
#include "base/mem.h"
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { PICK, FETCH, SPEED, PLAY, SEEK, PAUSED, HEARD, MENU, ENVELOPE, MARK, DELETE, RESTORE, NOTE, CALL, SEND };
enum { INTER_DIGIT_MS = 1000 }; /* keys while something plays are pressed quickly or not meant to go together */

/* ---- guards ---- */
static bool no_messages(const struct dlg_session *s)
{
	return s->n_list == 0;
}

static bool past_end(const struct dlg_session *s)
{
	return s->at >= s->n_list;
}

static bool no_new(const struct dlg_session *s)
{
	return s->only_new && s->at >= s->n_list;
}

static bool before_start(const struct dlg_session *s)
{
	return s->at_start;
}

static const struct mbox_message *current(const struct dlg_session *s)
{
	return s->at < s->n_list ? &s->list[s->at] : NULL;
}

static bool is_new(const struct dlg_session *s)
{
	return current(s) && current(s)->state == MBOX_NEW;
}

static bool is_saved(const struct dlg_session *s)
{
	return current(s) && current(s)->state == MBOX_SAVED;
}

static bool is_deleted(const struct dlg_session *s)
{
	return s->phone.folder == DLG_FOLDER_DELETED;
}

static bool not_deleted(const struct dlg_session *s)
{
	return !is_deleted(s);
}

static bool is_urgent(const struct dlg_session *s)
{
	return current(s) && current(s)->urgent;
}

static bool is_private(const struct dlg_session *s)
{
	return current(s) && current(s)->private;
}

static bool is_flagged(const struct dlg_session *s)
{
	return current(s) && current(s)->notes & MBOX_FLAGGED;
}

static bool is_not_flagged(const struct dlg_session *s)
{
	return !is_flagged(s);
}

static bool can_reply(const struct dlg_session *s)
{
	return current(s) && dlg_sender(s, current(s));
}

static bool can_call(const struct dlg_session *s)
{
	return current(s) && (*current(s)->sender || *current(s)->caller_number);
}

static bool can_restore(const struct dlg_session *s)
{
	return *s->phone.last.id != '\0';
}

static bool normal_speed(const struct dlg_session *s)
{
	return s->phone.speed == DLG_SPEED_NORMAL;
}

static bool audio_over(const struct dlg_session *s)
{
	return !current(s) || s->phone.play_at_ms >= current(s)->duration_ms;
}

static bool has_number(const struct dlg_session *s)
{
	return current(s) && !*current(s)->caller_name && *current(s)->caller_number;
}

static bool has_name(const struct dlg_session *s)
{
	return current(s) && *current(s)->caller_name;
}

static bool unknown(const struct dlg_session *s)
{
	return !has_number(s) && !has_name(s);
}

static bool was_cut(const struct dlg_session *s)
{
	return current(s) && current(s)->cut;
}

static bool has_audio(const struct dlg_session *s)
{
	return s->has_clip[CLIP_MESSAGE];
}

/* It begins: the caller hears whose it is. Later on he only goes on where he was. */
static bool at_beginning(const struct dlg_session *s)
{
	return s->phone.play_at_ms == 0;
}

static bool new_and_over(const struct dlg_session *s)
{
	return audio_over(s) && is_new(s);
}

#define AT_BEGINNING(name, and) \
	static bool name(const struct dlg_session *s) \
	{ \
		return at_beginning(s) && and(s); \
	}
AT_BEGINNING(begins_new, is_new)
AT_BEGINNING(begins_saved, is_saved)
AT_BEGINNING(begins_deleted, is_deleted)
AT_BEGINNING(begins_urgent, is_urgent)
AT_BEGINNING(begins_private, is_private)
AT_BEGINNING(begins_flagged, is_flagged)
AT_BEGINNING(begins_with_name, has_name)
AT_BEGINNING(begins_with_number, has_number)
AT_BEGINNING(begins_unknown, unknown)
AT_BEGINNING(begins_cut, was_cut)

/* ---- arguments ---- */
static const char *caller_name(const struct dlg_session *s)
{
	return current(s) ? current(s)->caller_name : "";
}

static const char *caller_number(const struct dlg_session *s)
{
	return current(s) ? current(s)->caller_number : "";
}

static int64_t received(const struct dlg_session *s)
{
	return current(s) ? current(s)->received_us / 1000000 : 0;
}

static int64_t length(const struct dlg_session *s)
{
	return current(s) ? current(s)->duration_ms : 0;
}

/* ---- actions ---- */
static int fetch(struct dlg_session *s)
{
	s->has_clip[CLIP_MESSAGE] = s->only_new = false;
	s->phone.play_at_ms = 0;
	s->eng.inter_digit_ms = INTER_DIGIT_MS;
	return s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_MESSAGE, s->box);
}

static int from_beginning(struct dlg_session *s)
{
	s->phone.play_at_ms = 0;
	s->failures = 0;
	return 0;
}

static uint32_t heard_ms(struct dlg_session *s)
{
	s->failures = 0;
	return s->fx->heard_ms(s->fx_arg);
}

static int go_on(struct dlg_session *s)
{
	s->phone.play_at_ms = heard_ms(s);
	return 0;
}

static int back(struct dlg_session *s)
{
	uint32_t at = heard_ms(s);
	s->phone.play_at_ms = at > DLG_SEEK_MS ? at - DLG_SEEK_MS : 0;
	return 0;
}

static int forward(struct dlg_session *s)
{
	s->phone.play_at_ms = heard_ms(s) + DLG_SEEK_MS;
	return 0;
}

static int slower(struct dlg_session *s)
{
	s->phone.play_at_ms = heard_ms(s);
	if (s->phone.speed > 0)
		s->phone.speed--;
	return 0;
}

static int faster(struct dlg_session *s)
{
	s->phone.play_at_ms = heard_ms(s);
	if (s->phone.speed + 1 < DLG_SPEEDS)
		s->phone.speed++;
	return 0;
}

static int stretch(struct dlg_session *s)
{
	return s->fx->stretch(s->fx_arg, dlg_job(&s->eng), s->phone.speed);
}

static int normal(struct dlg_session *s)
{
	s->phone.speed = DLG_SPEED_NORMAL;
	return 0;
}

static int next(struct dlg_session *s)
{
	s->at++;
	s->failures = 0;
	return 0;
}

static int next_new(struct dlg_session *s)
{
	s->failures = 0;
	s->only_new = true;
	do
		s->at++;
	while (s->at < s->n_list && s->list[s->at].state != MBOX_NEW);
	return 0;
}

static int previous(struct dlg_session *s)
{
	s->failures = 0;
	s->at_start = s->at == 0;
	if (s->at)
		s->at--;
	return 0;
}

static int from_start(struct dlg_session *s)
{
	s->at_start = false;
	return 0;
}

static int start_mark(struct dlg_session *s, enum mbox_state as)
{
	const struct mbox_message *m = current(s);
	if (!m)
		return ENOENT;
	s->mark_as = as;
	return s->fx->mark(s->fx_arg, dlg_job(&s->eng), m->id, as);
}

static int mark_heard(struct dlg_session *s)
{
	return start_mark(s, MBOX_SAVED);
}

static int mark_new(struct dlg_session *s)
{
	s->failures = 0;
	return start_mark(s, MBOX_NEW);
}

static int delete(struct dlg_session *s)
{
	return start_mark(s, MBOX_DELETED);
}

static int marked(struct dlg_session *s)
{
	struct mbox_message *m = s->at < s->n_list ? &s->list[s->at] : NULL;
	if (m)
		m->state = s->mark_as;
	return 0;
}

static void take_out(struct dlg_session *s)
{
	s->n_list--;
	memmove(&s->list[s->at], &s->list[s->at + 1], (s->n_list - s->at) * sizeof(s->list[0]));
}

static int deleted(struct dlg_session *s)
{
	if (s->at < s->n_list) {
		s->phone.last = s->list[s->at];
		s->phone.last_at = s->at;
		take_out(s);
	}
	return 0;
}

/* Of the deleted folder the message at hand, elsewhere the one that was deleted last. */
static int restore(struct dlg_session *s)
{
	const char *id = is_deleted(s) && current(s) ? current(s)->id : s->phone.last.id;
	return s->fx->undelete(s->fx_arg, dlg_job(&s->eng), id);
}

static int restored(struct dlg_session *s)
{
	if (is_deleted(s)) {
		take_out(s);
		return 0;
	}
	struct mbox_message *v = mem_realloc(s->list, (s->n_list + 1) * sizeof(*v));
	if (!v)
		return ENOMEM;
	s->list = v;
	s->at = s->phone.last_at < s->n_list ? s->phone.last_at : s->n_list;
	memmove(&v[s->at + 1], &v[s->at], (s->n_list - s->at) * sizeof(*v));
	v[s->at] = s->phone.last;
	s->n_list++;
	s->phone.last.id[0] = '\0';
	return 0;
}

static int flag(struct dlg_session *s)
{
	const struct mbox_message *m = current(s);
	s->failures = 0;
	if (!m)
		return ENOENT;
	bool on = !(m->notes & MBOX_FLAGGED);
	return s->fx->note(s->fx_arg, dlg_job(&s->eng), m->id, on ? MBOX_FLAGGED : 0, on ? 0 : MBOX_FLAGGED);
}

static int flagged(struct dlg_session *s)
{
	if (s->at < s->n_list)
		s->list[s->at].notes ^= MBOX_FLAGGED;
	return 0;
}

static int reply(struct dlg_session *s)
{
	dlg_send_begin(s, MBOX_REPLY);
	dlg_send_to(s, dlg_sender(s, current(s)));
	return 0;
}

static int pass_on(struct dlg_session *s)
{
	dlg_send_begin(s, MBOX_FORWARD);
	return 0;
}

static int leave_for_target(struct dlg_session *s)
{
	dlg_send_begin(s, MBOX_SENT);
	dlg_send_to(s, s->target.user);
	return 0;
}

/* His mailbox if he has one here, for then it is certain who is called; else the number, which the rules judge. */
static int aim(struct dlg_session *s)
{
	const struct dir_user *u = dlg_sender(s, current(s));
	dlg_aim_from(s, u ? u->name : current(s)->caller_number);
	return 0;
}

static int sent(struct dlg_session *s)
{
	s->failures = 0;
	if (s->at < s->n_list)
		s->list[s->at].notes |= s->phone.sending == MBOX_REPLY ? MBOX_REPLIED : s->phone.sending == MBOX_FORWARD ? MBOX_FORWARDED : 0;
	return 0;
}

/* ---- what is said ---- */
#define FROM_WHOM SAY(P_FROM), SAY_NAME(has_name, caller_name), SAY_DIGITS(has_number, caller_number), SAY_IF(unknown, P_UNKNOWN_CALLER)
static const struct dlg_phrase say_message[] = {
	SAY_IF(begins_urgent, P_IS_URGENT), SAY_IF(begins_private, P_IS_PRIVATE), SAY_IF(begins_flagged, P_IS_FLAGGED),
	SAY_IF(begins_new, P_NEW_MESSAGE), SAY_IF(begins_saved, P_SAVED_MESSAGE), SAY_IF(begins_deleted, P_DELETED_MESSAGE),
	SAY_IF(at_beginning, P_FROM), SAY_NAME(begins_with_name, caller_name), SAY_DIGITS(begins_with_number, caller_number),
	SAY_IF(begins_unknown, P_UNKNOWN_CALLER), SAY_IF(at_beginning, P_RECEIVED),
	{ .kind = DLG_W_WHEN, .number = received, .only_if = at_beginning },
	SAY_IF(begins_cut, P_CUT_OFF), SAY_CLIP(has_audio, CLIP_MESSAGE), SAY_END,
};
static const struct dlg_phrase say_envelope[] = { FROM_WHOM, SAY(P_RECEIVED), SAY_WHEN(received), SAY(P_LENGTH), SAY_LENGTH(length), SAY_END };
static const struct dlg_phrase say_menu[] = { SAY_IF(not_deleted, P_PLAY_MENU), SAY_IF(is_deleted, P_PLAY_DELETED_MENU), SAY_END };
static const struct dlg_phrase say_more[] = { SAY_IF(not_deleted, P_PLAY_MORE), SAY(P_PLAY_WHILE), SAY_IF(dlg_may_speak, P_SAY_COMMANDS), SAY_END };
static const struct dlg_phrase say_paused[] = { SAY(P_PAUSED), SAY_END };
static const struct dlg_phrase say_restored[] = { SAY(P_MESSAGE_RESTORED), SAY_END };
static const struct dlg_phrase say_no_deleted[] = { SAY(P_NOTHING_TO_RESTORE), SAY_END };
static const struct dlg_phrase say_flag[] = { SAY_IF(is_flagged, P_MESSAGE_FLAGGED), SAY_IF(is_not_flagged, P_MESSAGE_UNFLAGGED), SAY_END };
static const struct dlg_phrase say_no_reply[] = { SAY(P_NO_REPLY), SAY_END };
static const struct dlg_phrase say_no_call[] = { SAY(P_NO_NUMBER), SAY_END };
static const struct dlg_phrase say_private[] = { SAY(P_NO_FORWARD), SAY_END };
static const struct dlg_phrase say_conversation[] = { SAY(P_CONVERSATION_LATER), SAY_END };
static const struct dlg_phrase say_not_yet[] = { SAY(P_NOT_YET), SAY_END };
static const struct dlg_phrase say_none[] = { SAY(P_NO_MESSAGES), SAY_END };
static const struct dlg_phrase say_no_more[] = { SAY(P_NO_MORE_MESSAGES), SAY_END };
static const struct dlg_phrase say_no_new[] = { SAY(P_NO_NEW_MESSAGES), SAY_END };
static const struct dlg_phrase say_first[] = { SAY(P_NO_PREVIOUS), SAY_END };
static const struct dlg_phrase say_unreadable[] = { SAY(P_PLAY_FAILED), SAY_END };
static const struct dlg_phrase say_kept_new[] = { SAY(P_MESSAGE_KEPT_NEW), SAY_END };
static const struct dlg_phrase say_deleted[] = { SAY(P_MESSAGE_DELETED), SAY_END };
static const struct dlg_phrase say_unchanged[] = { SAY(P_CHANGE_FAILED), SAY_END };
static const struct dlg_phrase say_give_up[] = { SAY(P_GIVE_UP), SAY_END };

static const struct dlg_state states[] = {
	[PICK] = { "pick", NULL, NULL, 0, 0 },
	[FETCH] = { "load message", NULL, NULL, 8000, 0 },
	[SPEED] = { "make it slower or faster", NULL, NULL, 8000, 0 },
	[PLAY] = { "play", say_message, NULL, 2000, DLG_LISTENS | DLG_TALKS_ON },
	[SEEK] = { "seek", NULL, NULL, 0, 0 },
	[PAUSED] = { "pause", say_paused, NULL, 60000, DLG_LISTENS },
	[HEARD] = { "heard", NULL, NULL, 8000, 0 },
	[MENU] = { "menu", say_menu, NULL, 6000, DLG_LISTENS },
	[ENVELOPE] = { "time and caller", say_envelope, NULL, 2000, DLG_LISTENS | DLG_TALKS_ON },
	[MARK] = { "mark", NULL, NULL, 8000, 0 },
	[DELETE] = { "delete", NULL, NULL, 8000, 0 },
	[RESTORE] = { "bring back", NULL, NULL, 8000, 0 },
	[NOTE] = { "flag", NULL, NULL, 8000, 0 },
	[CALL] = { "call the sender", NULL, &dlg_transfer, 0, 0 },
	[SEND] = { "reply or forward", NULL, &dlg_send, 0, 0 },
};

/* The same keys while it plays, while it pauses, while its envelope is told, and after it. In the deleted folder nothing is changed, sent or
 * marked, but for bringing a message back. */
#define MESSAGE_KEYS(st) \
	{ st, KEYS_OR("00 1", "repeat|again|play again"), ALWAYS, DO(from_beginning), PLAY }, \
	{ st, KEYS_OR("#", "next|next message"),     ALWAYS, DO(next),        PICK }, \
	{ st, KEYS_OR("##", "next new message"), ALWAYS, DO(next_new),    PICK }, \
	{ st, KEYS("00 ##"),            ALWAYS, DO(next_new),    PICK }, \
	{ st, KEYS_OR("11", "previous|previous message"), ALWAYS, DO(previous),   PICK }, \
	{ st, KEYS("00 11"),            ALWAYS, DO(previous),    PICK }, \
	{ st, KEYS_OR("5", "envelope|time and caller"), ALWAYS, NOTHING,         ENVELOPE }, \
	{ st, KEYS("00 5"),             ALWAYS, NOTHING,         ENVELOPE }, \
	{ st, KEYS_OR("7", "restore|restore message|undelete"),  IF(is_deleted), DO(restore), RESTORE }, \
	{ st, KEYS_OR("7", "delete|delete message"),   ALWAYS, DO(delete),      DELETE }, \
	{ st, KEYS("00 7"),             IF(is_deleted), DO(restore), RESTORE }, \
	{ st, KEYS_OR("00 7", "undelete|undelete message|restore message"), IF(can_restore), DO(restore), RESTORE }, \
	{ st, KEYS_OR("00 7", "undelete|undelete message|restore message"), ALWAYS, NOTHING, MENU, say_no_deleted }, \
	{ st, KEYS_OR("8", "reply|reply to message"),    IF(can_reply), DO(reply), SEND }, \
	{ st, KEYS("88"),               IF(can_reply), DO(reply), SEND }, \
	{ st, KEYS("00 8"),             IF(can_reply), DO(reply), SEND }, \
	{ st, KEYS("00 88"),            IF(can_reply), DO(reply), SEND }, \
	{ st, KEYS_OR("8", "reply|reply to message"), ALWAYS, NOTHING, MENU, say_no_reply }, \
	{ st, KEYS("88"),               ALWAYS, NOTHING,         MENU, say_no_reply }, \
	{ st, KEYS("00 8"),             ALWAYS, NOTHING,         MENU, say_no_reply }, \
	{ st, KEYS("00 88"),            ALWAYS, NOTHING,         MENU, say_no_reply }, \
	{ st, KEYS_OR("00 2", "call sender|call back"), IF(can_call), DO(aim),   CALL }, \
	{ st, KEYS_OR("00 2", "call sender|call back"), ALWAYS, NOTHING,         MENU, say_no_call }, \
	{ st, KEYS_OR("00 6", "forward|forward message"), IF(is_private), NOTHING, MENU, say_private, true }, \
	{ st, KEYS_OR("00 6", "forward|forward message"), ALWAYS, DO(pass_on),   SEND }, \
	{ st, KEYS("9"),                IF(not_deleted), DO(mark_new), MARK }, \
	{ st, KEYS_OR("00 9", "mark as unread|keep as new|save message"), IF(not_deleted), DO(mark_new), MARK }, \
	{ st, KEYS_OR("00 44", "flag"), IF(not_deleted), DO(flag), NOTE }, \
	{ st, KEYS("00 55"),            ALWAYS, NOTHING,         MENU, say_not_yet }, \
	{ st, KEYS("00 77"),            ALWAYS, NOTHING,         MENU, say_conversation }, \
	{ st, KEYS("99"),               ALWAYS, NOTHING,         MENU, say_conversation }, \
	{ st, KEYS("00 99"),            ALWAYS, NOTHING,         MENU, say_conversation }, \
	{ st, KEYS_OR("0", "help|more options"), ALWAYS, NOTHING,         MENU, say_more }, \
	{ st, KEYS("00"),               ALWAYS, NOTHING,         MENU, say_more }, \
	{ st, KEYS_OR("*", "main menu|cancel"), ALWAYS, NOTHING, RETURN(R_BACK) }, \
	{ st, KEYS_OR("33", "goodbye|end the call"), ALWAYS, NOTHING,         RETURN(R_GOODBYE) }, \
	{ st, KEYS("00 33"),            ALWAYS, NOTHING,         RETURN(R_GOODBYE) }, \
	MISHEARD(st, MENU), \
	{ st, WRONG,                    IF(dlg_last_failure), NOTHING, RETURN(R_GIVE_UP), say_give_up }, \
	{ st, WRONG,                    ALWAYS, DO(dlg_count_failure), MENU, dlg_say_invalid, true }
/* While it plays or pauses. */
#define TAPE_KEYS(st) \
	{ st, KEYS_OR("1", "rewind"),   ALWAYS, DO(back),        SEEK }, \
	{ st, KEYS_OR("3", "fast forward"), ALWAYS, DO(forward), SEEK }, \
	{ st, KEYS_OR("4", "slower"),   ALWAYS, DO(slower),      SPEED }, \
	{ st, KEYS_OR("6", "faster"),   ALWAYS, DO(faster),      SPEED }
/* When it does not: 1 begins again, 2 goes on where it stopped, and 6 and 44 mean what they mean with 00. */
#define STILL_KEYS(st) \
	{ st, KEYS("1"),    ALWAYS, DO(from_beginning), PLAY }, \
	{ st, KEYS_OR("2", "go on|continue"), ALWAYS, DO(go_on),  SEEK }, \
	{ st, KEYS("6"),                IF(is_private), NOTHING, MENU, say_private, true }, \
	{ st, KEYS("6"),                ALWAYS, DO(pass_on),     SEND }, \
	{ st, KEYS("44"),               IF(not_deleted), DO(flag), NOTE }

static const struct dlg_row rows[] = {
	/* in        when       if                    do                      go                 said before */
	{ PICK,     ENTER,     IF(no_messages),      NOTHING,                RETURN(R_BACK),    say_none },
	{ PICK,     ENTER,     IF(before_start),     DO(from_start),         FETCH,             say_first },
	{ PICK,     ENTER,     IF(no_new),           NOTHING,                RETURN(R_BACK),    say_no_new },
	{ PICK,     ENTER,     IF(past_end),         NOTHING,                RETURN(R_BACK),    say_no_more },
	{ PICK,     ENTER,     ALWAYS,               NOTHING,                FETCH },
	{ PICK,     FAILED,    ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ FETCH,    ENTER,     ALWAYS,               DO(fetch),              STAY },
	{ FETCH,    DONE,      ALWAYS,               NOTHING,                SPEED },
	{ FETCH,    FAILED,    ALWAYS,               NOTHING,                MENU,              say_unreadable, true },
	{ FETCH,    TIMEOUT,   ALWAYS,               NOTHING,                MENU,              say_unreadable, true },
	{ SPEED,    ENTER,     IF(normal_speed),     NOTHING,                PLAY },
	{ SPEED,    ENTER,     ALWAYS,               DO(stretch),            STAY },
	{ SPEED,    DONE,      ALWAYS,               NOTHING,                PLAY },
	{ SPEED,    FAILED,    ALWAYS,               DO(normal),             PLAY },
	{ SPEED,    TIMEOUT,   ALWAYS,               DO(normal),             PLAY },

	MESSAGE_KEYS(PLAY),
	TAPE_KEYS(PLAY),
	{ PLAY,     KEYS_OR("2", "pause|pause message"), ALWAYS,   DO(go_on),              PAUSED },
	{ PLAY,     ENDED,     IF(is_new),           NOTHING,                HEARD },
	{ PLAY,     ENDED,     ALWAYS,               NOTHING,                MENU },
	{ PLAY,     TIMEOUT,   ALWAYS,               NOTHING,                MENU },
	{ SEEK,     ENTER,     IF(new_and_over),     NOTHING,                HEARD },
	{ SEEK,     ENTER,     IF(audio_over),       NOTHING,                MENU },
	{ SEEK,     ENTER,     ALWAYS,               NOTHING,                PLAY },
	MESSAGE_KEYS(PAUSED),
	TAPE_KEYS(PAUSED),
	{ PAUSED,   KEYS_OR("2", "go on|continue"), ALWAYS,   DO(go_on),              SEEK },
	{ PAUSED,   TIMEOUT,   ALWAYS,               NOTHING,                MENU },
	{ HEARD,    ENTER,     ALWAYS,               DO(mark_heard),         STAY },
	{ HEARD,    DONE,      ALWAYS,               DO(marked),             MENU },
	{ HEARD,    FAILED,    ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ HEARD,    TIMEOUT,   ALWAYS,               NOTHING,                MENU,              say_unchanged, true },

	MESSAGE_KEYS(MENU),
	STILL_KEYS(MENU),
	{ MENU,     TIMEOUT,   IF(dlg_last_failure), NOTHING,                RETURN(R_GIVE_UP), say_give_up },
	{ MENU,     TIMEOUT,   ALWAYS,               DO(dlg_count_failure),  MENU },
	MESSAGE_KEYS(ENVELOPE),
	STILL_KEYS(ENVELOPE),
	{ ENVELOPE, ENDED,     ALWAYS,               NOTHING,                MENU },
	{ ENVELOPE, TIMEOUT,   ALWAYS,               NOTHING,                MENU },

	{ MARK,     DONE,      ALWAYS,               DO(marked),             MENU,              say_kept_new },
	{ MARK,     FAILED,    ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ MARK,     TIMEOUT,   ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ DELETE,   DONE,      ALWAYS,               DO(deleted),            PICK,              say_deleted },
	{ DELETE,   FAILED,    ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ DELETE,   TIMEOUT,   ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ RESTORE,  DONE,      ALWAYS,               DO(restored),           PICK,              say_restored },
	{ RESTORE,  FAILED,    ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ RESTORE,  TIMEOUT,   ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ NOTE,     DONE,      ALWAYS,               DO(flagged),            MENU,              say_flag },
	{ NOTE,     FAILED,    ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ NOTE,     TIMEOUT,   ALWAYS,               NOTHING,                MENU,              say_unchanged, true },

	{ CALL,     RESULT(R_TRANSFERRED), ALWAYS,   NOTHING,                RETURN(R_TRANSFERRED) },
	{ CALL,     RESULT(R_GONE), ALWAYS,          NOTHING,                RETURN(R_GONE) },
	{ CALL,     RESULT(R_MESSAGE), ALWAYS,       DO(leave_for_target),   SEND },
	{ CALL,     RESULT(R_OPERATOR), ALWAYS,      DO(dlg_to_operator),    CALL },
	{ CALL,     ANY_RESULT, ALWAYS,              DO(dlg_no_failures),    MENU },
	{ SEND,     RESULT(R_OK), ALWAYS,            DO(sent),               MENU },
	{ SEND,     RESULT(R_GONE), ALWAYS,          NOTHING,                RETURN(R_GONE) },
	{ SEND,     ANY_RESULT, ALWAYS,              DO(dlg_no_failures),    MENU },
};

const struct dlg_table dlg_player = { "player", "Messages", states, rows, COUNT_OF(states), COUNT_OF(rows), PICK, NULL };
