/* SPDX-License-Identifier: Apache-2.0 */
/* player.c  Messages one by one: who, when, what; again, next, previous, delete, save, keep as new. The keys are those of Outlook Voice
 * Access, in both documented forms where there are two (`11` and `00 11`), but for 9, which saves; `00 9` keeps as new.
 * A new message that was heard to its end counts as saved; one that was skipped stays new.                             */
#include <errno.h>
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { PICK, FETCH, PLAY, HEARD, MENU, ENVELOPE, MARK, DELETE };

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

static bool kept_new(const struct dlg_session *s)
{
	return s->mark_as == MBOX_NEW;
}

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
	return s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_MESSAGE, s->box);
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

static int mark_saved(struct dlg_session *s)
{
	s->failures = 0;
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

static int deleted(struct dlg_session *s)
{
	if (s->at < s->n_list) {
		s->n_list--;
		memmove(&s->list[s->at], &s->list[s->at + 1], (s->n_list - s->at) * sizeof(s->list[0]));
	}
	return 0;
}

/* ---- what is said ---- */
#define FROM_WHOM SAY(P_FROM), SAY_NAME(has_name, caller_name), SAY_DIGITS(has_number, caller_number), SAY_IF(unknown, P_UNKNOWN_CALLER)
static const struct dlg_phrase say_message[] = {
	SAY_IF(is_new, P_NEW_MESSAGE), SAY_IF(is_saved, P_SAVED_MESSAGE), FROM_WHOM, SAY(P_RECEIVED), SAY_WHEN(received),
	SAY_IF(was_cut, P_CUT_OFF), SAY_CLIP(has_audio, CLIP_MESSAGE), SAY_END,
};
static const struct dlg_phrase say_envelope[] = { FROM_WHOM, SAY(P_RECEIVED), SAY_WHEN(received), SAY(P_LENGTH), SAY_LENGTH(length), SAY_END };
static const struct dlg_phrase say_menu[] = { SAY(P_PLAY_MENU), SAY_END };
static const struct dlg_phrase say_more[] = { SAY(P_PLAY_MORE), SAY_END };
static const struct dlg_phrase say_none[] = { SAY(P_NO_MESSAGES), SAY_END };
static const struct dlg_phrase say_no_more[] = { SAY(P_NO_MORE_MESSAGES), SAY_END };
static const struct dlg_phrase say_no_new[] = { SAY(P_NO_NEW_MESSAGES), SAY_END };
static const struct dlg_phrase say_first[] = { SAY(P_NO_PREVIOUS), SAY_END };
static const struct dlg_phrase say_unreadable[] = { SAY(P_PLAY_FAILED), SAY_END };
static const struct dlg_phrase say_saved[] = { SAY(P_MESSAGE_KEPT), SAY_END };
static const struct dlg_phrase say_kept_new[] = { SAY(P_MESSAGE_KEPT_NEW), SAY_END };
static const struct dlg_phrase say_deleted[] = { SAY(P_MESSAGE_DELETED), SAY_END };
static const struct dlg_phrase say_unchanged[] = { SAY(P_CHANGE_FAILED), SAY_END };
static const struct dlg_phrase say_give_up[] = { SAY(P_GIVE_UP), SAY_END };

static const struct dlg_state states[] = {
	[PICK] = { "pick", NULL, NULL, 0, 0 },
	[FETCH] = { "load message", NULL, NULL, 8000, 0 },
	[PLAY] = { "play", say_message, NULL, 2000, 0 },
	[HEARD] = { "heard", NULL, NULL, 8000, 0 },
	[MENU] = { "menu", say_menu, NULL, 6000, 0 },
	[ENVELOPE] = { "time and caller", say_envelope, NULL, 2000, 0 },
	[MARK] = { "mark", NULL, NULL, 8000, 0 },
	[DELETE] = { "delete", NULL, NULL, 8000, 0 },
};

/* The same keys while it plays, while its envelope is told, and after it. */
#define MESSAGE_KEYS(st) \
	{ st, KEYS_OR("1", "again"),    ALWAYS, NOTHING,         PLAY }, \
	{ st, KEYS("00 1"),             ALWAYS, NOTHING,         PLAY }, \
	{ st, KEYS_OR("#", "next"),     ALWAYS, DO(next),        PICK }, \
	{ st, KEYS("##"),               ALWAYS, DO(next_new),    PICK }, \
	{ st, KEYS("00 ##"),            ALWAYS, DO(next_new),    PICK }, \
	{ st, KEYS_OR("11", "previous"), ALWAYS, DO(previous),   PICK }, \
	{ st, KEYS("00 11"),            ALWAYS, DO(previous),    PICK }, \
	{ st, KEYS("5"),                ALWAYS, NOTHING,         ENVELOPE }, \
	{ st, KEYS("00 5"),             ALWAYS, NOTHING,         ENVELOPE }, \
	{ st, KEYS_OR("7", "delete"),   ALWAYS, DO(delete),      DELETE }, \
	{ st, KEYS_OR("9", "save"),     ALWAYS, DO(mark_saved),  MARK }, \
	{ st, KEYS("00 9"),             ALWAYS, DO(mark_new),    MARK }, \
	{ st, KEYS("0"),                ALWAYS, NOTHING,         MENU, say_more }, \
	{ st, KEYS("00"),               ALWAYS, NOTHING,         MENU, say_more }, \
	{ st, KEYS("*"),                ALWAYS, NOTHING,         RETURN(R_BACK) }, \
	{ st, KEYS("33"),               ALWAYS, NOTHING,         RETURN(R_GOODBYE) }, \
	{ st, KEYS("00 33"),            ALWAYS, NOTHING,         RETURN(R_GOODBYE) }, \
	{ st, WRONG,                    IF(dlg_last_failure), NOTHING, RETURN(R_GIVE_UP), say_give_up }, \
	{ st, WRONG,                    ALWAYS, DO(dlg_count_failure), MENU, dlg_say_invalid, true }

static const struct dlg_row rows[] = {
	/* in        when       if                    do                      go                 said before */
	{ PICK,     ENTER,     IF(no_messages),      NOTHING,                RETURN(R_BACK),    say_none },
	{ PICK,     ENTER,     IF(before_start),     DO(from_start),         FETCH,             say_first },
	{ PICK,     ENTER,     IF(no_new),           NOTHING,                RETURN(R_BACK),    say_no_new },
	{ PICK,     ENTER,     IF(past_end),         NOTHING,                RETURN(R_BACK),    say_no_more },
	{ PICK,     ENTER,     ALWAYS,               NOTHING,                FETCH },
	{ FETCH,    ENTER,     ALWAYS,               DO(fetch),              STAY },
	{ FETCH,    DONE,      ALWAYS,               NOTHING,                PLAY },
	{ FETCH,    FAILED,    ALWAYS,               NOTHING,                MENU,              say_unreadable, true },
	{ FETCH,    TIMEOUT,   ALWAYS,               NOTHING,                MENU,              say_unreadable, true },

	MESSAGE_KEYS(PLAY),
	{ PLAY,     ENDED,     IF(is_new),           NOTHING,                HEARD },
	{ PLAY,     ENDED,     ALWAYS,               NOTHING,                MENU },
	{ PLAY,     TIMEOUT,   ALWAYS,               NOTHING,                MENU },
	{ HEARD,    ENTER,     ALWAYS,               DO(mark_heard),         STAY },
	{ HEARD,    DONE,      ALWAYS,               DO(marked),             MENU },
	{ HEARD,    FAILED,    ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ HEARD,    TIMEOUT,   ALWAYS,               NOTHING,                MENU,              say_unchanged, true },

	MESSAGE_KEYS(MENU),
	{ MENU,     TIMEOUT,   IF(dlg_last_failure), NOTHING,                RETURN(R_GIVE_UP), say_give_up },
	{ MENU,     TIMEOUT,   ALWAYS,               DO(dlg_count_failure),  MENU },
	MESSAGE_KEYS(ENVELOPE),
	{ ENVELOPE, ENDED,     ALWAYS,               NOTHING,                MENU },
	{ ENVELOPE, TIMEOUT,   ALWAYS,               NOTHING,                MENU },

	{ MARK,     DONE,      IF(kept_new),         DO(marked),             MENU,              say_kept_new },
	{ MARK,     DONE,      ALWAYS,               DO(marked),             MENU,              say_saved },
	{ MARK,     FAILED,    ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ MARK,     TIMEOUT,   ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ DELETE,   DONE,      ALWAYS,               DO(deleted),            PICK,              say_deleted },
	{ DELETE,   FAILED,    ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
	{ DELETE,   TIMEOUT,   ALWAYS,               NOTHING,                MENU,              say_unchanged, true },
};

const struct dlg_table dlg_player = { "player", "Messages", states, rows, COUNT_OF(states), COUNT_OF(rows), PICK, NULL };
