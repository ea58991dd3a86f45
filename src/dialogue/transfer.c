/* SPDX-License-Identifier: Apache-2.0 */
/* transfer.c  Putting a caller through: told where he goes, REFER in the dialog, its progress; the target's answer is success, then our BYE
 * ends the call (the bottom table returns). On failure, or when nothing is heard in time, the call goes on: the caller is told
 * why and offered a message or the operator. The target was judged before (s->allow): listed users and extensions only.
 *
 * Where the gateway takes no such orders the target is called by us, the caller hears it ring, and the two are joined: then our part is over
 * when one of them hangs up.                                                                                            */
#include <errno.h>
#include "dialogue/rows.h"
#include "dialogue/session.h"
#include "dialogue/tell.h"

enum { START, COUNT, NAME, ANNOUNCE, REFER, BRIDGE, JOIN, TALKING, OFFER };

/* ---- guards ---- */
static bool has_user(const struct dlg_session *s)
{
	return s->target.user != NULL;
}

static bool to_operator(const struct dlg_session *s)
{
	return s->target_is_operator;
}

static bool recorded_name(const struct dlg_session *s)
{
	return !s->target_is_operator && s->has_clip[CLIP_NAME];
}

static bool synth_name(const struct dlg_session *s)
{
	return !s->target_is_operator && !s->has_clip[CLIP_NAME] && s->target.spoken_name && *s->target.spoken_name;
}

static bool by_number(const struct dlg_session *s)
{
	return !s->target_is_operator && !s->has_clip[CLIP_NAME] && (!s->target.spoken_name || !*s->target.spoken_name);
}

static bool not_operator(const struct dlg_session *s)
{
	return !s->target_is_operator;
}

static bool busy(const struct dlg_session *s)
{
	return s->xfer_status == 486 || s->xfer_status == 600;
}

static bool no_answer(const struct dlg_session *s)
{
	return s->xfer_status == 408 || s->xfer_status == 480 || s->xfer_status == 487;
}

static bool other_failure(const struct dlg_session *s)
{
	return !busy(s) && !no_answer(s);
}

/* A message for the person who did not answer, or, out of a greeting, for its owner. */
static bool may_leave(const struct dlg_session *s)
{
	if (s->target_is_operator)
		return s->box && !s->logged_on;
	return s->target.user && dlg_box_allowed(s, s->target.user);
}

static bool may_operator(const struct dlg_session *s)
{
	return !s->target_is_operator && dlg_has_operator(s);
}

/* ---- actions ---- */
static int begin(struct dlg_session *s)
{
	s->failures = 0;
	s->xfer_status = 0;
	s->xfer_reason[0] = '\0';
	s->xfer_begun = false;
	s->has_clip[CLIP_NAME] = false;
	return 0;
}

static int refuse(struct dlg_session *s)
{
	dlg_tell_transfer_refused(s);
	return 0;
}

static int too_many(struct dlg_session *s)
{
	s->allow = DIR_OVER_CAP;
	return refuse(s);
}

static int fetch_name(struct dlg_session *s)
{
	return s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_NAME, s->target.user);
}

static int refer(struct dlg_session *s)
{
	int err = dlg_target_uri(s, s->uri, sizeof(s->uri));
	if (!err)
		err = s->fx->transfer(s->fx_arg, dlg_job(&s->eng), s->uri);
	if (err)
		return err;
	s->xfer_begun = true;
	dlg_tell_transfer(s);
	return 0;
}

static bool takes_no_orders(const struct dlg_session *s)
{
	return dlg_code(&s->eng) == EOPNOTSUPP;
}

static int bridge(struct dlg_session *s)
{
	int err = dlg_target_uri(s, s->uri, sizeof(s->uri));
	s->find_status = 0;
	if (!err)
		err = s->fx->bridge(s->fx_arg, dlg_job(&s->eng), s->uri);
	if (err)
		return err;
	if (!s->xfer_begun)
		dlg_tell_transfer(s);
	s->xfer_begun = true;
	return 0;
}

static int join(struct dlg_session *s)
{
	return s->fx->join(s->fx_arg, dlg_job(&s->eng));
}

static int stop(struct dlg_session *s)
{
	s->fx->find_stop(s->fx_arg);
	return 0;
}

static int through(struct dlg_session *s)
{
	dlg_tell_transferred(s);
	return 0;
}

static int not_through(struct dlg_session *s)
{
	if (s->xfer_begun)
		dlg_tell_transfer_failed(s);
	else
		dlg_tell_transfer_not_tried(s, dlg_code(&s->eng));
	return 0;
}

static int not_bridged(struct dlg_session *s)
{
	s->xfer_status = s->find_status;
	s->fx->find_stop(s->fx_arg);
	return not_through(s);
}

static int left_bridge(struct dlg_session *s)
{
	s->fx->find_stop(s->fx_arg);
	dlg_tell_left_in_transfer(s);
	return 0;
}

static int left(struct dlg_session *s)
{
	dlg_tell_left_in_transfer(s);
	return 0;
}

static const char *target_name(const struct dlg_session *s)
{
	return s->target.spoken_name ? s->target.spoken_name : "";
}

static const char *target_number(const struct dlg_session *s)
{
	return s->target.number;
}

/* ---- what is said ---- */
static const struct dlg_phrase say_where[] = {
	SAY_IF(to_operator, P_XFER_OPERATOR), SAY_IF(not_operator, P_XFER_HOLD), SAY_CLIP(recorded_name, CLIP_NAME),
	SAY_NAME(synth_name, target_name), SAY_IF(by_number, P_EXTENSION), SAY_DIGITS(by_number, target_number), SAY_END,
};
static const struct dlg_phrase say_why[] = { SAY_IF(busy, P_XFER_BUSY), SAY_IF(no_answer, P_XFER_NO_ANSWER),
	                                     SAY_IF(other_failure, P_XFER_FAILED), SAY_END };
static const struct dlg_phrase say_offer[] = { SAY_IF(may_leave, P_XFER_MESSAGE), SAY_IF(may_operator, P_XFER_OTHER), SAY(P_XFER_BACK), SAY_END };
/* Longer than any leg may ring. */
#define RINGING { .kind = DLG_W_NAMED, .fixed = "ringing" }, SAY_PAUSE(4000)
#define RINGING_6 RINGING, RINGING, RINGING, RINGING, RINGING, RINGING
static const struct dlg_phrase say_ringing[] = { RINGING_6, RINGING_6, RINGING_6, SAY_END };
static const struct dlg_phrase say_not_allowed[] = { SAY(P_AA_NOT_ALLOWED), SAY_END };

static const struct dlg_state states[] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[COUNT] = { "count", NULL, NULL, 3000, 0 },
	[NAME] = { "load name", NULL, NULL, 1000, 0 },
	[ANNOUNCE] = { "say where", say_where, NULL, 2000, DLG_NO_BARGE },
	[REFER] = { "transferring", NULL, NULL, 310000, 0 }, /* the leg gives up before: transfer_timeout_s */
	[BRIDGE] = { "calling", say_ringing, NULL, 10000, 0 }, /* the leg gives up before */
	[JOIN] = { "join", NULL, NULL, 5000, 0 },
	[TALKING] = { "talking", NULL, NULL, 6 * 3600 * 1000, 0 },
	[OFFER] = { "offer", say_offer, NULL, 6000, 0 },
};

static const struct dlg_row rows[] = {
	/* in        when                 if                      do                     go                    said before */
	{ START,    ENTER,               IF(dlg_target_allowed), DO(begin),             COUNT },
	{ START,    ENTER,               ALWAYS,                 DO(refuse),            RETURN(R_REFUSED),    say_not_allowed, true },
	{ COUNT,    ENTER,               IF(dlg_target_counts),  DO(dlg_count_outside), STAY },
	{ COUNT,    ENTER,               ALWAYS,                 NOTHING,               NAME },
	{ COUNT,    DONE,                ALWAYS,                 NOTHING,               NAME },
	{ COUNT,    FAILED,              ALWAYS,                 DO(too_many),          RETURN(R_REFUSED),    say_not_allowed, true },
	{ COUNT,    TIMEOUT,             ALWAYS,                 DO(too_many),          RETURN(R_REFUSED),    say_not_allowed, true },
	{ NAME,     ENTER,               IF(to_operator),        NOTHING,               ANNOUNCE },
	{ NAME,     ENTER,               IF(has_user),           DO(fetch_name),        STAY },
	{ NAME,     ENTER,               ALWAYS,                 NOTHING,               ANNOUNCE },
	{ NAME,     DONE,                ALWAYS,                 NOTHING,               ANNOUNCE },
	{ NAME,     FAILED,              ALWAYS,                 NOTHING,               ANNOUNCE },
	{ NAME,     TIMEOUT,             ALWAYS,                 NOTHING,               ANNOUNCE },
	{ ANNOUNCE, ENDED,               ALWAYS,                 NOTHING,               REFER },
	{ ANNOUNCE, TIMEOUT,             ALWAYS,                 NOTHING,               REFER },

	{ REFER,    ENTER,               ALWAYS,                 DO(refer),             STAY },
	{ REFER,    PROGRESS,            ALWAYS,                 NOTHING,               STAY },
	{ REFER,    DONE,                ALWAYS,                 DO(through),           RETURN(R_TRANSFERRED) },
	{ REFER,    FAILED,              IF(takes_no_orders),    NOTHING,               BRIDGE },
	{ REFER,    FAILED,              ALWAYS,                 DO(not_through),       OFFER,                say_why, true },
	{ REFER,    TIMEOUT,             ALWAYS,                 DO(not_through),       OFFER,                say_why, true },
	{ REFER,    HANGUP,              ALWAYS,                 DO(left),              RETURN(R_GONE) },

	{ BRIDGE,   ENTER,               ALWAYS,                 DO(bridge),            STAY },
	{ BRIDGE,   PROGRESS,            ALWAYS,                 NOTHING,               STAY },
	{ BRIDGE,   DONE,                ALWAYS,                 NOTHING,               JOIN },
	{ BRIDGE,   FAILED,              ALWAYS,                 DO(not_bridged),       OFFER,                say_why, true },
	{ BRIDGE,   TIMEOUT,             ALWAYS,                 DO(not_bridged),       OFFER,                say_why, true },
	{ BRIDGE,   HANGUP,              ALWAYS,                 DO(left_bridge),       RETURN(R_GONE) },
	{ JOIN,     ENTER,               ALWAYS,                 DO(join),              STAY },
	{ JOIN,     PROGRESS,            ALWAYS,                 DO(through),           TALKING }, /* they hear each other; the job ends with their talk */
	{ JOIN,     DONE,                ALWAYS,                 NOTHING,               RETURN(R_TRANSFERRED) },
	{ JOIN,     FAILED,              ALWAYS,                 DO(not_bridged),       OFFER,                say_why, true },
	{ JOIN,     TIMEOUT,             ALWAYS,                 DO(not_bridged),       OFFER,                say_why, true },
	{ JOIN,     HANGUP,              ALWAYS,                 DO(left_bridge),       RETURN(R_GONE) },
	{ TALKING,  DONE,                ALWAYS,                 NOTHING,               RETURN(R_TRANSFERRED) },
	{ TALKING,  FAILED,              ALWAYS,                 NOTHING,               RETURN(R_TRANSFERRED) },
	{ TALKING,  TIMEOUT,             ALWAYS,                 DO(stop),              RETURN(R_TRANSFERRED) },
	{ TALKING,  HANGUP,              ALWAYS,                 DO(stop),              RETURN(R_TRANSFERRED) },

	{ OFFER,    KEYS_OR("1", "message"),  IF(may_leave),     NOTHING,               RETURN(R_MESSAGE) },
	{ OFFER,    KEYS_OR("0", "operator"), IF(may_operator),  NOTHING,               RETURN(R_OPERATOR) },
	{ OFFER,    KEYS("*"),           ALWAYS,                 NOTHING,               RETURN(R_BACK) },
	{ OFFER,    WRONG,               IF(dlg_last_failure),   NOTHING,               RETURN(R_GIVE_UP),    NULL, true },
	{ OFFER,    WRONG,               ALWAYS,                 DO(dlg_count_failure), OFFER,                dlg_say_invalid, true },
	{ OFFER,    TIMEOUT,             IF(dlg_last_failure),   NOTHING,               RETURN(R_GIVE_UP) },
	{ OFFER,    TIMEOUT,             ALWAYS,                 DO(dlg_count_failure), OFFER },
};

const struct dlg_table dlg_transfer = { "transfer", "Transfer", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
