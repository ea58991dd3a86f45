/* SPDX-License-Identifier: Apache-2.0 */
/* find.c  Find me: while the caller waits, the places where his person may be are called one after another (s->find), and whoever answers there is
 * asked whether he takes the call (screen.c). Then the two are joined here, audio by audio, and both calls stay ours: that needs
 * nothing of either gateway, where REFER with Replaces (RFC 3891) needs it of the caller's phone or trunk, which many refuse.
 * A caller whose name is not known is asked for it first, and whoever answers hears it in his own voice; he may say nothing.
 * At any time the caller may go to the message instead (#) or ask for the operator (0).                                    */
#include <errno.h>
#include "dialogue/rows.h"
#include "dialogue/session.h"
#include "dialogue/tell.h"

enum { START, WHO, KEEP, NAME, TELL, CALL, NEXT, COUNT, JOIN, TALKING, SORRY };

/* ---- guards ---- */
static bool one_more(const struct dlg_session *s)
{
	return s->find_at < s->n_find;
}

static bool unknown_caller(const struct dlg_session *s)
{
	return !s->caller && !*s->caller_name;
}

static bool recorded_name(const struct dlg_session *s)
{
	return s->has_clip[CLIP_NAME];
}

static bool synth_name(const struct dlg_session *s)
{
	return !s->has_clip[CLIP_NAME];
}

static bool may_operator(const struct dlg_session *s)
{
	return dlg_has_operator(s);
}

/* ---- actions ---- */
static int begin(struct dlg_session *s)
{
	s->find_at = 0;
	s->failures = 0;
	s->has_clip[CLIP_CALLER] = false;
	return 0;
}

static int ask_who(struct dlg_session *s)
{
	s->rec = (struct dlg_recording){ .kind = DLG_RECORD_NAME };
	return begin(s);
}

static int keep(struct dlg_session *s)
{
	return s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_CALLER, NULL);
}

/* The file; a message that may follow is another recording. */
static int forget(struct dlg_session *s)
{
	dlg_drop_recording(s);
	s->rec = (struct dlg_recording){ .kind = DLG_RECORD_MESSAGE };
	return 0;
}

static int fetch_name(struct dlg_session *s)
{
	return s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_NAME, s->box);
}

static int aim(struct dlg_session *s)
{
	s->find_status = 0;
	dlg_aim_from(s, s->find[s->find_at].target);
	return 0;
}

static int call(struct dlg_session *s)
{
	if (!dlg_target_allowed(s))
		return EACCES;
	int err = dlg_target_uri(s, s->uri, sizeof(s->uri));
	return err ? err : s->fx->find(s->fx_arg, dlg_job(&s->eng), s->uri, s->find[s->find_at].ring_ms);
}

static int not_there(struct dlg_session *s)
{
	s->fx->find_stop(s->fx_arg);
	dlg_tell_not_found(s, s->find[s->find_at].target, dlg_code(&s->eng));
	s->find_at++;
	return 0;
}

static int stop(struct dlg_session *s)
{
	s->fx->find_stop(s->fx_arg);
	return 0;
}

static int join(struct dlg_session *s)
{
	return s->fx->join(s->fx_arg, dlg_job(&s->eng));
}

static int found(struct dlg_session *s)
{
	s->talked = true;
	dlg_tell_found(s, s->find[s->find_at].target);
	return 0;
}

/* ---- what is said ---- */
static const struct dlg_phrase ask_name[] = { SAY(P_FIND_NAME), SAY_END };
static const struct dlg_phrase say_wait[] = {
	SAY(P_FIND_HOLD), SAY_CLIP(recorded_name, CLIP_NAME), SAY_NAME(synth_name, dlg_box_name), SAY(P_FIND_SKIP), SAY_END,
};
/* Longer than any leg may ring. */
#define RINGING { .kind = DLG_W_NAMED, .fixed = "ringing" }, SAY_PAUSE(4000)
#define RINGING_6 RINGING, RINGING, RINGING, RINGING, RINGING, RINGING
static const struct dlg_phrase say_ringing[] = { RINGING_6, RINGING_6, RINGING_6, SAY_END };
static const struct dlg_phrase say_not_found[] = { SAY(P_FIND_NOBODY), SAY_END };

static const struct dlg_state states[] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[WHO] = { "who is calling", ask_name, &dlg_recorder, 0, 0 },
	[KEEP] = { "keep it", NULL, NULL, 3000, 0 },
	[NAME] = { "load name", NULL, NULL, 1000, 0 },
	[TELL] = { "ask to hold", say_wait, NULL, 100, 0 },
	[CALL] = { "calling", say_ringing, NULL, 10000, 0 }, /* the leg gives up before */
	[NEXT] = { "next place", NULL, NULL, 0, 0 },
	[COUNT] = { "count", NULL, NULL, 3000, 0 },
	[JOIN] = { "join", NULL, NULL, 5000, 0 },
	[TALKING] = { "talking", NULL, NULL, 6 * 3600 * 1000, 0 },
	[SORRY] = { "not found", say_not_found, NULL, 100, DLG_NO_BARGE },
};

static const struct dlg_row rows[] = {
	/* in       when                        if                do                go */
	{ START,   ENTER,                      IF(unknown_caller), DO(ask_who),    WHO },
	{ START,   ENTER,                      ALWAYS,           DO(begin),        NAME },
	{ WHO,     ANY_RESULT,                 IF(dlg_is_gone),  DO(forget),       RETURN(R_GONE) },
	{ WHO,     RESULT(R_OK),               ALWAYS,           NOTHING,          KEEP },
	{ WHO,     ANY_RESULT,                 ALWAYS,           DO(forget),       NAME },
	{ KEEP,    ENTER,                      ALWAYS,           DO(keep),         STAY },
	{ KEEP,    DONE,                       ALWAYS,           DO(forget),       NAME },
	{ KEEP,    FAILED,                     ALWAYS,           DO(forget),       NAME },
	{ KEEP,    TIMEOUT,                    ALWAYS,           DO(forget),       NAME },
	{ KEEP,    HANGUP,                     ALWAYS,           DO(forget),       RETURN(R_GONE) },
	{ NAME,    ENTER,                      ALWAYS,           DO(fetch_name),   STAY },
	{ NAME,    DONE,                       ALWAYS,           NOTHING,          TELL },
	{ NAME,    FAILED,                     ALWAYS,           NOTHING,          TELL },
	{ NAME,    TIMEOUT,                    ALWAYS,           NOTHING,          TELL },
	{ TELL,    KEYS("#"),                  ALWAYS,           NOTHING,          RETURN(R_MESSAGE) },
	{ TELL,    KEYS_OR("0", "operator"),   IF(may_operator), NOTHING,          RETURN(R_OPERATOR) },
	{ TELL,    ENDED,                      ALWAYS,           NOTHING,          NEXT },
	{ TELL,    TIMEOUT,                    ALWAYS,           NOTHING,          NEXT },

	{ NEXT,    ENTER,                      IF(one_more),     DO(aim),          COUNT },
	{ NEXT,    ENTER,                      ALWAYS,           NOTHING,          SORRY },
	{ COUNT,   ENTER,                      IF(dlg_target_counts), DO(dlg_count_outside), STAY },
	{ COUNT,   ENTER,                      ALWAYS,           NOTHING,          CALL },
	{ COUNT,   DONE,                       ALWAYS,           NOTHING,          CALL },
	{ COUNT,   FAILED,                     ALWAYS,           DO(not_there),    NEXT },
	{ COUNT,   TIMEOUT,                    ALWAYS,           DO(not_there),    NEXT },
	{ COUNT,   KEYS("#"),                  ALWAYS,           NOTHING,          RETURN(R_MESSAGE) },
	{ COUNT,   HANGUP,                     ALWAYS,           NOTHING,          RETURN(R_GONE) },
	{ CALL,    ENTER,                      ALWAYS,           DO(call),         STAY },
	{ CALL,    PROGRESS,                   ALWAYS,           NOTHING,          STAY },
	{ CALL,    DONE,                       ALWAYS,           NOTHING,          JOIN },
	{ CALL,    FAILED,                     ALWAYS,           DO(not_there),    NEXT },
	{ CALL,    TIMEOUT,                    ALWAYS,           DO(not_there),    NEXT },
	{ CALL,    KEYS("#"),                  ALWAYS,           DO(stop),         RETURN(R_MESSAGE) },
	{ CALL,    KEYS_OR("0", "operator"),   IF(may_operator), DO(stop),         RETURN(R_OPERATOR) },
	{ CALL,    HANGUP,                     ALWAYS,           DO(stop),         RETURN(R_GONE) },

	{ JOIN,    ENTER,                      ALWAYS,           DO(join),         STAY },
	{ JOIN,    PROGRESS,                   ALWAYS,           DO(found),        TALKING }, /* they hear each other; the job ends with their talk */
	{ JOIN,    DONE,                       ALWAYS,           NOTHING,          RETURN(R_TALKED) },
	{ JOIN,    FAILED,                     ALWAYS,           DO(not_there),    NEXT },
	{ JOIN,    TIMEOUT,                    ALWAYS,           DO(not_there),    NEXT },
	{ JOIN,    HANGUP,                     ALWAYS,           DO(stop),         RETURN(R_GONE) },
	{ TALKING, DONE,                       ALWAYS,           NOTHING,          RETURN(R_TALKED) },
	{ TALKING, FAILED,                     ALWAYS,           NOTHING,          RETURN(R_TALKED) },
	{ TALKING, TIMEOUT,                    ALWAYS,           DO(stop),         RETURN(R_TALKED) },
	{ TALKING, HANGUP,                     ALWAYS,           DO(stop),         RETURN(R_GONE) },

	{ SORRY,   ENDED,                      ALWAYS,           NOTHING,          RETURN(R_NO_INPUT) },
	{ SORRY,   TIMEOUT,                    ALWAYS,           NOTHING,          RETURN(R_NO_INPUT) },
};

const struct dlg_table dlg_find = { "find", "Find me", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
