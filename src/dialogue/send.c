/* SPDX-License-Identifier: Apache-2.0 */
/* send.c  A message to other mailboxes: a reply, a message forwarded with or without an introduction, a new one. To whom (extension, name on
 * the keys, one of the owner's groups), then what, then 1 or #. Whoever hangs up before that has sent nothing; after it the receipt waits
 * until every mailbox said SAVED. Those who could not get it are named, and can be tried again.                         */
#include <errno.h>
#include "dialogue/rows.h"
#include "dialogue/session.h"
#include "dialogue/tell.h"

enum { START, TO, SPELL, ADDED, INTRO, RECORD, REVIEW, FETCH, LISTEN, SEND };

/* ---- guards ---- */
static bool has_recipient(const struct dlg_session *s)
{
	return s->phone.n_to > 0;
}

static bool is_forward(const struct dlg_session *s)
{
	return s->phone.sending == MBOX_FORWARD;
}

static bool somebody(const struct dlg_session *s)
{
	return s->phone.n_added > 0;
}

static bool is_group(const struct dlg_session *s)
{
	return s->phone.group != NULL;
}

static bool is_person(const struct dlg_session *s)
{
	return !s->phone.group;
}

static bool has_groups(const struct dlg_session *s)
{
	for (int i = 0; i < MBOX_GROUPS; i++)
		if (mbox_choices_group(&s->phone.choices, (unsigned)i))
			return true;
	return false;
}

static bool is_urgent(const struct dlg_session *s)
{
	return s->phone.urgent;
}

static bool is_not_urgent(const struct dlg_session *s)
{
	return !s->phone.urgent;
}

static bool is_private(const struct dlg_session *s)
{
	return s->phone.private;
}

static bool is_not_private(const struct dlg_session *s)
{
	return !s->phone.private;
}

static bool several(const struct dlg_session *s)
{
	return s->phone.n_to > 1;
}

static bool all_sent(const struct dlg_session *s)
{
	return s->phone.n_to == 0;
}

static bool no_recording(const struct dlg_session *s)
{
	return is_forward(s) && !s->phone.introduction;
}

static bool once_more(const struct dlg_session *s)
{
	return s->phone.n_sent > 0 || !dlg_last_failure(s);
}

/* ---- actions ---- */
static int begin(struct dlg_session *s)
{
	s->rec = (struct dlg_recording){ .kind = DLG_RECORD_DRAFT };
	s->has_clip[CLIP_RECORDING] = false;
	s->failures = 0;
	return 0;
}

static void add_members(struct dlg_session *s, const struct mbox_group *g)
{
	struct text rest = text_of(g->members), name;
	while (rest.n) {
		text_cut(rest, '\n', &name, &rest);
		const struct dir_user *u = dir_find_name(s->view, name);
		if (u && dlg_send_to(s, u))
			s->phone.n_added++;
	}
	s->phone.group = g;
}

/* One of the owner's groups by its number, unless somebody has that extension. */
static int look_up(struct dlg_session *s)
{
	const struct dir_user *u = dir_find_extension(s->view, text_make(s->digits, s->n_digits));
	s->phone.n_added = 0;
	s->phone.group = NULL;
	s->phone.added = u;
	if (u)
		s->phone.n_added = dlg_send_to(s, u);
	else if (s->n_digits == 1 && s->digits[0] >= '1' && mbox_choices_group(&s->phone.choices, (unsigned)(s->digits[0] - '1')))
		add_members(s, mbox_choices_group(&s->phone.choices, (unsigned)(s->digits[0] - '1')));
	return 0;
}

static int take_match(struct dlg_session *s)
{
	s->phone.group = NULL;
	s->phone.added = s->target.user;
	s->phone.n_added = s->target.user && dlg_send_to(s, s->target.user);
	s->failures = 0;
	return 0;
}

static int to_nobody(struct dlg_session *s)
{
	s->phone.n_to = 0;
	s->failures = 0;
	return 0;
}

static int introduce(struct dlg_session *s)
{
	s->phone.introduction = true;
	s->failures = 0;
	return 0;
}

static int toggle_urgent(struct dlg_session *s)
{
	s->phone.urgent = !s->phone.urgent;
	s->failures = 0;
	return 0;
}

static int toggle_private(struct dlg_session *s)
{
	s->phone.private = !s->phone.private;
	s->failures = 0;
	return 0;
}

static int send(struct dlg_session *s)
{
	return s->fx->send(s->fx_arg, dlg_job(&s->eng));
}

static int sent(struct dlg_session *s)
{
	s->failures = 0;
	return dlg_drop_recording(s);
}

static int not_sent(struct dlg_session *s)
{
	dlg_tell_not_sent(s);
	return dlg_count_failure(s);
}

/* The caller pressed "send" and is gone: he is told by the receipt, the administrator by the event. */
static int lose(struct dlg_session *s)
{
	s->lost = true;
	dlg_tell_not_sent(s);
	return dlg_drop_recording(s);
}

static int dropped_in_the_end(struct dlg_session *s)
{
	dlg_tell_not_sent(s);
	return dlg_drop_recording(s);
}

/* ---- what is said ---- */
static const char *recipient(const struct dlg_session *s)
{
	return s->phone.n_to ? s->phone.to[s->phone.n_to - 1]->spoken_name : "";
}

static const char *added_name(const struct dlg_session *s)
{
	return s->phone.added ? s->phone.added->spoken_name : "";
}

static const char *group_name(const struct dlg_session *s)
{
	return s->phone.group ? s->phone.group->name : "";
}

static const struct dlg_phrase ask_to[] = { SAY(P_SEND_TO), SAY_IF(has_groups, P_SEND_TO_GROUP), SAY(P_SEND_TO_NAME), SAY_END };
static const struct dlg_phrase say_unknown[] = { SAY(P_SEND_UNKNOWN), SAY_END };
static const struct dlg_phrase say_added[] = {
	SAY_IF(is_group, P_SEND_GROUP), SAY_NAME(is_group, group_name), SAY_NAME(is_person, added_name), SAY_PAUSE(300), SAY(P_SEND_ADDED), SAY_END,
};
static const struct dlg_phrase ask_intro[] = { SAY(P_FORWARD_INTRO), SAY_END };
static const struct dlg_phrase ask_record[] = { SAY(P_SEND_RECORD), SAY_END };
static const struct dlg_phrase say_review[] = { SAY(P_SEND_REVIEW), SAY_END };
static const struct dlg_phrase say_short[] = { SAY(P_GREETING_SHORT), SAY_END };
static const struct dlg_phrase say_urgent[] = { SAY_IF(is_urgent, P_SEND_URGENT), SAY_IF(is_not_urgent, P_SEND_NOT_URGENT), SAY_END };
static const struct dlg_phrase say_private[] = { SAY_IF(is_private, P_SEND_PRIVATE), SAY_IF(is_not_private, P_SEND_NOT_PRIVATE), SAY_END };
static const struct dlg_phrase say_sent[] = { SAY(P_SENT), SAY_END };
static const struct dlg_phrase say_partly[] = { SAY(P_SEND_PARTLY), SAY_NAME(NULL, recipient), SAY_IF(several, P_SEND_OTHERS), SAY_PAUSE(300), SAY_END };
static const struct dlg_phrase say_failed[] = { SAY(P_SEND_FAILED), SAY_END };
static const struct dlg_phrase say_cancelled[] = { SAY(P_SEND_CANCELLED), SAY_END };

static const struct dlg_state states[] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[TO] = { "to whom", ask_to, &dlg_entry, 0, 0 },
	[SPELL] = { "spell", NULL, &dlg_names, 0, 0 },
	[ADDED] = { "recipient added", say_added, NULL, 6000, 0 },
	[INTRO] = { "introduction", ask_intro, NULL, 6000, 0 },
	[RECORD] = { "record", ask_record, &dlg_recorder, 0, 0 },
	[REVIEW] = { "review", say_review, NULL, 6000, DLG_LISTENS },
	[FETCH] = { "load recording", NULL, NULL, 3000, 0 },
	[LISTEN] = { "listen", dlg_say_recording, NULL, 2000, 0 },
	[SEND] = { "send", NULL, NULL, 60000, 0 }, /* the job ends before, unless the disk hangs */
};

#define REVIEW_KEYS(st) \
	{ st, KEYS_OR("1", "send|send message"), ALWAYS, NOTHING,        SEND }, \
	{ st, KEYS("#"), ALWAYS, NOTHING,                SEND }, \
	{ st, KEYS("2"), IF(no_recording), NOTHING,      REVIEW, dlg_say_empty }, \
	{ st, KEYS("2"), ALWAYS, NOTHING,                FETCH }, \
	{ st, KEYS_OR("3", "record again"), ALWAYS, DO(dlg_drop_recording), RECORD }, \
	{ st, KEYS("4"), ALWAYS, DO(toggle_urgent),      REVIEW, say_urgent }, \
	{ st, KEYS("5"), ALWAYS, DO(toggle_private),     REVIEW, say_private }, \
	{ st, KEYS_OR("*", "cancel"), ALWAYS, DO(dlg_drop_recording), RETURN(R_BACK), say_cancelled }, \
	{ st, HANGUP,    ALWAYS, DO(dlg_drop_recording), RETURN(R_GONE) }

static const struct dlg_row rows[] = {
	/* in      when               if                    do                       go                 said before */
	{ START,  ENTER,             IF(has_recipient),    DO(begin),               RECORD },
	{ START,  ENTER,             ALWAYS,               DO(begin),               TO },

	{ TO,     RESULT(R_OK),      ALWAYS,               DO(look_up),             ADDED },
	{ TO,     RESULT(R_EMPTY),   ALWAYS,               NOTHING,                 SPELL },
	{ TO,     RESULT(R_BACK),    ALWAYS,               NOTHING,                 RETURN(R_BACK),    say_cancelled },
	{ TO,     ANY_RESULT,        IF(dlg_last_failure), NOTHING,                 RETURN(R_BACK),    say_cancelled },
	{ TO,     ANY_RESULT,        ALWAYS,               DO(dlg_count_failure),   TO,                dlg_say_no_input },
	{ SPELL,  RESULT(R_OK),      ALWAYS,               DO(take_match),          ADDED },
	{ SPELL,  RESULT(R_BACK),    ALWAYS,               DO(dlg_no_failures),     TO },
	{ SPELL,  ANY_RESULT,        ALWAYS,               NOTHING,                 RETURN(R_BACK),    say_cancelled },

	{ ADDED,  ENTER,             IF(somebody),         NOTHING,                 STAY },
	{ ADDED,  ENTER,             IF(dlg_last_failure), NOTHING,                 RETURN(R_BACK),    say_unknown, true },
	{ ADDED,  ENTER,             ALWAYS,               DO(dlg_count_failure),   TO,                say_unknown, true },
	{ ADDED,  KEYS("1"),         ALWAYS,               DO(dlg_no_failures),     TO },
	{ ADDED,  KEYS("#"),         IF(is_forward),       DO(dlg_no_failures),     INTRO },
	{ ADDED,  KEYS("#"),         ALWAYS,               DO(dlg_no_failures),     RECORD },
	{ ADDED,  KEYS("*"),         ALWAYS,               DO(to_nobody),           TO },
	{ ADDED,  WRONG,             IF(dlg_last_failure), NOTHING,                 RETURN(R_BACK),    say_cancelled, true },
	{ ADDED,  WRONG,             ALWAYS,               DO(dlg_count_failure),   ADDED,             dlg_say_invalid, true },
	{ ADDED,  TIMEOUT,           IF(dlg_last_failure), NOTHING,                 RETURN(R_BACK),    say_cancelled },
	{ ADDED,  TIMEOUT,           ALWAYS,               DO(dlg_count_failure),   ADDED },

	{ INTRO,  KEYS("1"),         ALWAYS,               DO(introduce),           RECORD },
	{ INTRO,  KEYS("#"),         ALWAYS,               DO(dlg_no_failures),     REVIEW },
	{ INTRO,  KEYS("*"),         ALWAYS,               NOTHING,                 RETURN(R_BACK),    say_cancelled },
	{ INTRO,  WRONG,             IF(dlg_last_failure), NOTHING,                 RETURN(R_BACK),    say_cancelled, true },
	{ INTRO,  WRONG,             ALWAYS,               DO(dlg_count_failure),   INTRO,             dlg_say_invalid, true },
	{ INTRO,  TIMEOUT,           IF(dlg_last_failure), NOTHING,                 RETURN(R_BACK),    say_cancelled },
	{ INTRO,  TIMEOUT,           ALWAYS,               DO(dlg_count_failure),   INTRO },

	{ RECORD, RESULT(R_OK),      IF(dlg_is_gone),      DO(dlg_drop_recording),  RETURN(R_GONE) },
	{ RECORD, RESULT(R_OK),      ALWAYS,               DO(introduce),           REVIEW },
	{ RECORD, ANY_RESULT,        IF(dlg_is_gone),      NOTHING,                 RETURN(R_GONE) },
	{ RECORD, RESULT(R_FAILED),  ALWAYS,               NOTHING,                 RETURN(R_FAILED),  say_failed, true },
	{ RECORD, ANY_RESULT,        IF(dlg_last_failure), NOTHING,                 RETURN(R_BACK),    say_cancelled },
	{ RECORD, ANY_RESULT,        ALWAYS,               DO(dlg_count_failure),   RECORD,            say_short },

	REVIEW_KEYS(REVIEW),
	MISHEARD(REVIEW, REVIEW),
	{ REVIEW, WRONG,             IF(dlg_last_failure), DO(dlg_drop_recording),  RETURN(R_BACK),    say_cancelled, true },
	{ REVIEW, WRONG,             ALWAYS,               DO(dlg_count_failure),   REVIEW,            dlg_say_invalid, true },
	{ REVIEW, TIMEOUT,           IF(dlg_last_failure), DO(dlg_drop_recording),  RETURN(R_BACK),    say_cancelled },
	{ REVIEW, TIMEOUT,           ALWAYS,               DO(dlg_count_failure),   REVIEW },
	FETCH_AND_LISTEN(FETCH, LISTEN, REVIEW),
	{ FETCH,  HANGUP,            ALWAYS,               DO(dlg_drop_recording),  RETURN(R_GONE) },
	REVIEW_KEYS(LISTEN),

	{ SEND,   ENTER,             ALWAYS,               DO(send),                STAY },
	{ SEND,   DONE,              IF(dlg_is_gone),      DO(sent),                RETURN(R_GONE) },
	{ SEND,   DONE,              ALWAYS,               DO(sent),                RETURN(R_OK),      say_sent },
	{ SEND,   FAILED,            IF(dlg_is_gone),      DO(lose),                RETURN(R_GONE) },
	{ SEND,   FAILED,            IF(all_sent),         DO(sent),                RETURN(R_OK),      say_sent },
	{ SEND,   FAILED,            IF(once_more),        DO(not_sent),            REVIEW,            say_partly, true },
	{ SEND,   FAILED,            ALWAYS,               DO(dropped_in_the_end),  RETURN(R_FAILED),  say_failed, true },
	{ SEND,   TIMEOUT,           IF(dlg_is_gone),      DO(lose),                RETURN(R_GONE) },
	{ SEND,   TIMEOUT,           ALWAYS,               DO(dropped_in_the_end),  RETURN(R_FAILED),  say_failed, true },
	{ SEND,   HANGUP,            ALWAYS,               NOTHING,                 STAY }, /* the job's end says which receipt */
};

const struct dlg_table dlg_send = { "send", "Sending a message", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
