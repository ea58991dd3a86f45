/* SPDX-License-Identifier: Apache-2.0 */
/* attendant.c  Auto attendants: what every one of them does, as rows; attendant_load.c adds the keys of the menus, which come before them and
 * win. An attendant with a schedule has two tables, one for open and one for closed hours: the first looks at the clock and goes
 * to the second where it must. Going to another table takes the place of this one (DLG_TAIL), so that callers may wander as long
 * as they like.                                                                                                        */
#include <errno.h>
#include "base/mem.h"
#include "dialogue/attendant_private.h"
#include "dialogue/tell.h"

/* ---- guards and actions ---- */
static void look_at_the_clock(struct dlg_session *s, const struct cfg_schedule *schedule)
{
	hours_at(schedule, s->fx->now_s(s->fx_arg), &s->hours);
	struct text left = TEXT_NONE;
	if (s->hours.holiday)
		left = text_trim(text_of(s->hours.holiday->greeting));
	if (left.n && !s->aa_piece)
		s->aa_piece = mem_alloc(DLG_AA_PIECES * sizeof(s->aa_piece[0])); /* without memory the day's name is said */
	if (!s->aa_piece)
		return;
	memset(s->aa_piece, 0, DLG_AA_PIECES * sizeof(s->aa_piece[0]));
	for (unsigned i = 0; i < DLG_AA_PIECES && left.n; i++) {
		size_t n_piece = dlg_breath(left);
		text_copy(text_head(left, n_piece), s->aa_piece[i], DLG_AA_PIECE);
		left = text_trim(text_skip(left, n_piece));
	}
}

static int become(struct dlg_session *s)
{
	const struct cfg *cfg = dir_view_cfg(s->view);
	/* The table may come from a newer or older revision than the view; then the attendant of that name counts. */
	const struct dlg_table *t = dlg_table_of(&s->eng);
	s->aa = cfg_attendant(cfg, text_of(t->name));
	s->box = NULL;
	s->failures = 0;
	s->aa_closed = false;
	if (!s->aa)
		return ENOENT;
	const struct cfg_dialplan *plan = cfg_dialplan(cfg, text_of(s->aa->dialplan));
	if (!dlg_line_allows(s, plan)) { /* an attendant that takes any call led here */
		dlg_tell_not_secure(s, s->aa->name, plan);
		return EACCES;
	}
	if (s->aa->digit_timeout_ms)
		s->eng.inter_digit_ms = (unsigned)s->aa->digit_timeout_ms;
	look_at_the_clock(s, cfg_schedule(cfg, text_of(s->aa->schedule)));
	return 0;
}

static int close_up(struct dlg_session *s)
{
	s->aa_closed = true;
	return s->aa ? 0 : ENOENT;
}

bool dlg_aa_is_closed(const struct dlg_session *s)
{
	return s->hours.state != HOURS_OPEN;
}

static const struct cfg_holiday *holiday(const struct dlg_session *s)
{
	return s->hours.state == HOURS_HOLIDAY ? s->hours.holiday : NULL;
}

static bool holiday_prompt(const struct dlg_session *s)
{
	const struct cfg_holiday *h = holiday(s);
	return h && *h->greeting_prompt;
}

static bool holiday_words(const struct dlg_session *s)
{
	return s->aa_piece && s->aa_piece[0][0];
}

static bool holiday_name(const struct dlg_session *s)
{
	return s->hours.state == HOURS_HOLIDAY && *s->hours.holiday_name;
}

static const char *holiday_prompt_name(const struct dlg_session *s)
{
	return holiday(s)->greeting_prompt;
}

static const char *holiday_spoken(const struct dlg_session *s)
{
	return s->hours.holiday_name;
}

static bool gives_up_to_operator(const struct dlg_session *s)
{
	return dlg_has_operator(s) && dlg_last_failure(s);
}

static bool unknown_to_operator(const struct dlg_session *s)
{
	return !dlg_target_allowed(s) && gives_up_to_operator(s);
}

bool dlg_aa_by_name(const struct dlg_session *s)
{
	return s->aa && s->aa->dial_by_name && (!s->aa_closed || s->aa->closed.dial);
}

bool dlg_aa_by_extension(const struct dlg_session *s)
{
	return s->aa && s->aa->dial_by_extension && (!s->aa_closed || s->aa->closed.dial);
}

/* Where names may be spelt they may be said, and with them all else that the menu leads to. */
bool dlg_aa_by_voice(const struct dlg_session *s)
{
	return s->misheard < DLG_MISHEARD && dlg_may_speak(s);
}

static int press_heard(struct dlg_session *s)
{
	dlg_press(&s->eng, s->spoken_keys);
	return 0;
}

static int again_by_keys(struct dlg_session *s)
{
	s->failures = 0;
	return dlg_forget_heard(s);
}

static bool has_box(const struct dlg_session *s)
{
	return s->box != NULL;
}

int dlg_aa_dial(struct dlg_session *s)
{
	s->target = (struct dir_target){ .uri = "", .spoken_name = "" };
	s->uri[0] = '\0';
	s->allow = s->aa ? dir_may_type(s->view, s->aa, text_of(dlg_keys(&s->eng)), &s->target) : DIR_NOBODY;
	s->target_is_operator = false;
	return 0;
}

static const char *key_target(const struct dlg_session *s)
{
	unsigned i = (unsigned)dlg_arg(&s->eng);
	const struct cfg_menu_key *keys = !s->aa ? NULL : s->aa_closed ? s->aa->closed.keys : s->aa->keys;
	size_t n = !s->aa ? 0 : s->aa_closed ? s->aa->closed.n_keys : s->aa->n_keys;
	return i < n ? keys[i].target : "";
}

int dlg_aa_choose(struct dlg_session *s)
{
	dlg_aim(s, key_target(s));
	return 0;
}

static int open_box(struct dlg_session *s, const struct dir_user *box)
{
	s->box = box;
	if (!box || dlg_box_allowed(s, box))
		return box ? 0 : ENOENT;
	dlg_tell_not_secure(s, box->name, dir_dialplan(s->view, box));
	s->box = NULL;
	return EACCES;
}

int dlg_aa_choose_box(struct dlg_session *s)
{
	return open_box(s, dir_find(s->view, text_of(key_target(s))));
}

int dlg_aa_speak(struct dlg_session *s)
{
	text_fill(s->language, sizeof(s->language), key_target(s));
	return 0;
}

static int box_of_target(struct dlg_session *s)
{
	return open_box(s, s->target.user);
}

static int no_box(struct dlg_session *s)
{
	s->box = NULL;
	return dlg_count_failure(s);
}

/* ---- what is said ---- */
static const struct dlg_phrase say_unknown[] = { SAY(P_AA_UNKNOWN_EXT), SAY_END };
static const struct dlg_phrase say_give_up[] = { SAY(P_GIVE_UP), SAY_END };
static const struct dlg_phrase say_no_operator[] = { SAY(P_AA_NO_OPERATOR), SAY_END };
static const struct dlg_phrase say_message_for[] = { SAY(P_AA_LEAVE_FOR), SAY_NAME(has_box, dlg_box_name), SAY_END };
static const struct dlg_phrase say_failed[] = { SAY(P_SERVICE_FAILED), SAY_END };

#define PIECE(n) \
	static bool has_piece_##n(const struct dlg_session *s) { return s->aa_piece && s->aa_piece[n][0]; } \
	static const char *piece_##n(const struct dlg_session *s) { return s->aa_piece[n]; }
PIECE(0) PIECE(1) PIECE(2) PIECE(3) PIECE(4) PIECE(5) PIECE(6) PIECE(7)
#define SAY_PIECE(n) { .kind = DLG_W_TEXT, .text = piece_##n, .only_if = has_piece_##n, .lasts = true }
static const struct dlg_phrase say_holiday_words[] = { SAY_PIECE(0), SAY_PIECE(1), SAY_PIECE(2), SAY_PIECE(3), SAY_PIECE(4), SAY_PIECE(5),
	                                               SAY_PIECE(6), SAY_PIECE(7), SAY_END };
static const struct dlg_phrase say_holiday_prompt[] = { { .kind = DLG_W_NAMED, .text = holiday_prompt_name, .lasts = true }, SAY_END };
static const struct dlg_phrase say_holiday_name[] = { SAY(P_AA_HOLIDAY), { .kind = DLG_W_TEXT, .text = holiday_spoken, .lasts = true }, SAY_END };

const struct dlg_state dlg_aa_states[FIXED_STATES] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[LOOK] = { "look at the clock", NULL, NULL, 0, 0 },
	[GREET] = { "announcement", NULL, NULL, 2000, 0 },
	[MENU] = { "menu", NULL, NULL, 5000, DLG_LISTENS },
	[DIAL] = { "dialed", NULL, NULL, 0, 0 },
	[NAMES] = { "dial by name", NULL, &dlg_ask, 0, 0 },
	[TRANSFER] = { "transfer", NULL, &dlg_transfer, 0, 0 },
	[OPERATOR] = { "operator", NULL, &dlg_transfer, 0, 0 },
	[MESSAGE] = { "leave a message", say_message_for, &dlg_answering, 0, 0 },
	[LOGON] = { "mailbox by phone", NULL, &dlg_subscriber, 0, 0 },
	[BYE] = { "goodbye", dlg_say_goodbye, NULL, 2000, DLG_NO_BARGE },
};

/* Those of a closed house, before the common ones; the last is left out where closed hours have a greeting of their own. */
static const struct dlg_row closed_rows[] = {
	{ START,     ENTER,                ALWAYS,                DO(close_up),          LOOK },
	{ LOOK,      ENTER,                IF(holiday_prompt),    NOTHING,               GREET,                 say_holiday_prompt },
	{ LOOK,      ENTER,                IF(holiday_words),     NOTHING,               GREET,                 say_holiday_words },
	{ LOOK,      ENTER,                IF(holiday_name),      NOTHING,               GREET,                 say_holiday_name },
};

static const struct dlg_row common_rows[] = {
	/* in         when                  if                     do                     go                     said before */
	{ START,     ENTER,                ALWAYS,                DO(become),            LOOK },
	{ LOOK,      FAILED,               ALWAYS,                NOTHING,               BYE,                   say_failed },
	{ GREET,     ENDED,                ALWAYS,                NOTHING,               MENU },
	{ GREET,     TIMEOUT,              ALWAYS,                NOTHING,               MENU },
	{ MENU,      KEYS_OR("0", "operator"), IF(dlg_has_operator),  DO(dlg_to_operator),   OPERATOR },
	{ MENU,      KEYS_OR("0", "operator"), ALWAYS,            DO(dlg_count_failure), MENU,                  say_no_operator, true },
	{ MENU,      KEYS("#"),            IF(dlg_aa_by_name),    DO(dlg_forget_heard),  NAMES },
	{ MENU,      SPOKEN,               IF(dlg_heard_somebody), DO(dlg_understood),   NAMES },
	MISHEARD(MENU, MENU),
	{ MENU,      KEYS("*"),            ALWAYS,                NOTHING,               MENU },
	{ MENU,      WRONG,                IF(dlg_last_failure),  NOTHING,               BYE,                   say_give_up, true },
	{ MENU,      WRONG,                ALWAYS,                DO(dlg_count_failure), MENU,                  dlg_say_invalid, true },
	{ MENU,      TIMEOUT,              IF(dlg_last_failure),  NOTHING,               BYE,                   say_give_up },
	{ MENU,      TIMEOUT,              ALWAYS,                DO(dlg_count_failure), MENU,                  dlg_say_no_input },
	{ DIAL,      ENTER,                IF(dlg_target_allowed), NOTHING,              TRANSFER },
	{ DIAL,      ENTER,                IF(dlg_last_failure),  NOTHING,               BYE,                   say_unknown, true },
	{ DIAL,      ENTER,                ALWAYS,                DO(dlg_count_failure), MENU,                  say_unknown, true },
	{ NAMES,     RESULT(R_OK),         ALWAYS,                NOTHING,               DIAL },
	{ NAMES,     RESULT(R_KEYS),       ALWAYS,                DO(press_heard),       MENU },
	{ NAMES,     RESULT(R_BACK),       ALWAYS,                DO(again_by_keys),     MENU },
	{ NAMES,     ANY_RESULT,           IF(dlg_has_operator),      DO(dlg_to_operator),   OPERATOR },
	{ NAMES,     ANY_RESULT,           ALWAYS,                NOTHING,               BYE,                   say_give_up },
	{ TRANSFER,  RESULT(R_TRANSFERRED), ALWAYS,               NOTHING,               RETURN(R_TRANSFERRED) },
	{ TRANSFER,  RESULT(R_MESSAGE),    ALWAYS,                DO(box_of_target),     MESSAGE },
	{ TRANSFER,  RESULT(R_OPERATOR),   ALWAYS,                DO(dlg_to_operator),   OPERATOR },
	{ TRANSFER,  RESULT(R_GONE),       ALWAYS,                NOTHING,               RETURN(R_GONE) },
	{ TRANSFER,  RESULT(R_GIVE_UP),    ALWAYS,                NOTHING,               BYE },
	{ TRANSFER,  ANY_RESULT,           ALWAYS,                DO(dlg_no_failures),   MENU },
	{ OPERATOR,  RESULT(R_TRANSFERRED), ALWAYS,               NOTHING,               RETURN(R_TRANSFERRED) },
	{ OPERATOR,  RESULT(R_GONE),       ALWAYS,                NOTHING,               RETURN(R_GONE) },
	{ OPERATOR,  RESULT(R_BACK),       ALWAYS,                DO(dlg_no_failures),   MENU },
	{ OPERATOR,  ANY_RESULT,           ALWAYS,                NOTHING,               BYE },
	{ MESSAGE,   RESULT(R_TRANSFERRED), ALWAYS,               NOTHING,               RETURN(R_TRANSFERRED) },
	{ MESSAGE,   FAILED,               IF(dlg_last_failure),  DO(no_box),            BYE,                   say_failed, true },
	{ MESSAGE,   FAILED,               ALWAYS,                DO(no_box),            MENU,                  say_failed, true },
	{ MESSAGE,   ANY_RESULT,           ALWAYS,                NOTHING,               RETURN(R_GOODBYE) },
	{ LOGON,     ANY_RESULT,           ALWAYS,                NOTHING,               RETURN(R_GOODBYE) },
	{ BYE,       ENDED,                ALWAYS,                NOTHING,               RETURN(R_GOODBYE) },
	{ BYE,       TIMEOUT,              ALWAYS,                NOTHING,               RETURN(R_GOODBYE) },
};
/* Too many failures lead to the operator where there is one: these come before the common rows. */
static const struct dlg_row failure_rows[] = {
	{ MENU,      WRONG,                IF(gives_up_to_operator), DO(dlg_to_operator), OPERATOR,             say_give_up, true },
	{ MENU,      TIMEOUT,              IF(gives_up_to_operator), DO(dlg_to_operator), OPERATOR,             say_give_up },
	{ DIAL,      ENTER,                IF(unknown_to_operator), DO(dlg_to_operator), OPERATOR,              say_unknown, true },
};

const struct dlg_aa_rows dlg_aa_common = { common_rows, COUNT_OF(common_rows) };
const struct dlg_aa_rows dlg_aa_failures = { failure_rows, COUNT_OF(failure_rows) };
const struct dlg_aa_rows dlg_aa_closed = { closed_rows, COUNT_OF(closed_rows) };
