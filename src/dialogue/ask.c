/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c  Dial by name by voice: the caller says a name, a department or "operator", alone or in a sentence; who was heard beyond doubt is s->target at once
 * where the attendant wants it so, otherwise what was heard is offered by key, three at most. A department leads to the key or the attendant of its
 * name (R_KEYS), or its people are asked for. Keys work all the time: the first one typed begins the spelling. After two failures, or without a
 * recogniser, the caller spells. What was heard before this table began (in the menu) is not asked for again.           */
#include <errno.h>
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { START, ASK, HEARING, NAME, CHOICE, CHOSEN, PEOPLE, SPELL };
enum { TRIES = 2 };

/* ---- guards ---- */
static bool listens(const struct dlg_session *s)
{
	return dlg_may_speak(s);
}

static bool has_operator(const struct dlg_session *s)
{
	return dlg_has_operator(s);
}

static bool not_understood(const struct dlg_session *s)
{
	int err = dlg_code(&s->eng);
	return (err == ENOENT || err == ETIMEDOUT) && s->ask_tries + 1 < TRIES;
}

static bool tries_left(const struct dlg_session *s)
{
	return s->ask_tries + 1 < TRIES;
}

static bool again(const struct dlg_session *s)
{
	return s->ask_tries > 0;
}

static bool anywhere(const struct dlg_session *s)
{
	return s->ask_tries == 0 && !s->department;
}

static bool in_department(const struct dlg_session *s)
{
	return s->ask_tries == 0 && s->department;
}

static bool heard_surely(const struct dlg_session *s)
{
	return s->heard_direct && s->n_heard == 1 && s->aa && s->aa->speech_direct;
}

static bool chose_keys(const struct dlg_session *s)
{
	return s->spoken_keys[0] != '\0';
}

static bool chose_department(const struct dlg_session *s)
{
	return s->department && !s->target_is_operator && !s->target.user;
}

static bool only_one(const struct dlg_session *s)
{
	return s->n_heard == 1;
}

static bool several(const struct dlg_session *s)
{
	return s->n_heard > 1;
}

static bool three(const struct dlg_session *s)
{
	return s->n_heard > 2;
}

static bool first_recorded(const struct dlg_session *s)
{
	return s->has_clip[CLIP_NAME];
}

static bool first_spoken(const struct dlg_session *s)
{
	return !s->has_clip[CLIP_NAME];
}

/* ---- actions ---- */
static int begin(struct dlg_session *s)
{
	s->ask_tries = s->n_heard = 0;
	s->unasked = false;
	s->department = NULL;
	s->has_clip[CLIP_NAME] = false;
	return s->fx->listen(s->fx_arg, dlg_job(&s->eng));
}

static int try_again(struct dlg_session *s)
{
	s->ask_tries++;
	s->unasked = false;
	s->n_heard = 0;
	s->has_clip[CLIP_NAME] = false;
	return s->fx->listen(s->fx_arg, dlg_job(&s->eng));
}

static int stop_listening(struct dlg_session *s)
{
	dlg_job_drop(&s->eng);
	if (s->fx->deaf)
		s->fx->deaf(s->fx_arg);
	return 0;
}

/* What was pressed is the first letter. */
static int spell(struct dlg_session *s)
{
	dlg_put_back(&s->eng);
	return stop_listening(s);
}

static int want_operator(struct dlg_session *s)
{
	stop_listening(s);
	return dlg_to_operator(s);
}

static int fetch_name(struct dlg_session *s)
{
	const struct dir_user *u = s->heard[0].user;
	return u ? s->fx->fetch(s->fx_arg, dlg_job(&s->eng), CLIP_NAME, u) : ENOENT;
}

/* The only one whom callers may reach there; NULL: several. */
static const struct dir_user *only_one_in(const struct dlg_session *s, const char *department)
{
	const struct dir_user *found = NULL;
	for (size_t i = 0; i < dir_view_count(s->view); i++) {
		const struct dir_user *u = dir_view_at(s->view, i);
		if (!u->dialable || !u->department || !text_is_nocase(text_of(department), u->department))
			continue;
		if (found)
			return NULL;
		found = u;
	}
	return found;
}

static int choose(struct dlg_session *s)
{
	const struct dlg_heard *h = &s->heard[dlg_arg(&s->eng)];
	const struct dir_user *u = h->department ? only_one_in(s, h->department) : h->user;
	s->failures = s->n_heard = s->ask_tries = 0;
	s->target_is_operator = s->unasked = false;
	s->target = (struct dir_target){ .uri = "", .spoken_name = "" };
	text_fill(s->spoken_keys, sizeof(s->spoken_keys), h->keys);
	s->department = u ? NULL : h->department;
	if (h->is_operator)
		return dlg_to_operator(s);
	if (u)
		dlg_aim(s, u->name);
	return 0;
}

static int listen_there(struct dlg_session *s)
{
	s->has_clip[CLIP_NAME] = false;
	return s->fx->listen(s->fx_arg, dlg_job(&s->eng));
}

static int spell_anybody(struct dlg_session *s)
{
	s->department = NULL;
	return 0;
}

static bool nobody_asked(const struct dlg_session *s)
{
	return s->unasked;
}

/* The caller did not mean us, and presses keys of the menu. Those that begin with 1 to 3 might be an answer: one alone is, and more than one, or what
 * came before the question, is not. */
static int back_to_keys(struct dlg_session *s)
{
	dlg_job_drop(&s->eng);
	dlg_put_back(&s->eng);
	return dlg_forget_heard(s);
}

/* Heard before anything was asked: that is the first try. */
static int fetch_heard(struct dlg_session *s)
{
	s->unasked = true;
	s->ask_tries = 0;
	s->department = NULL;
	s->has_clip[CLIP_NAME] = false;
	return fetch_name(s);
}

static int pick_first(struct dlg_session *s)
{
	s->eng.arg = 0;
	return choose(s);
}

/* ---- what is said ---- */
static const char *name_of(const struct dlg_session *s, unsigned i)
{
	return i < s->n_heard ? s->heard[i].say : "";
}

static const char *name_1(const struct dlg_session *s)
{
	return name_of(s, 0);
}

static const char *department(const struct dlg_session *s)
{
	return s->department ? s->department : "";
}

static const char *name_2(const struct dlg_session *s)
{
	return name_of(s, 1);
}

static const char *name_3(const struct dlg_session *s)
{
	return name_of(s, 2);
}

/* Beside a name that another of those offered has, too. */
static const char *beside(const struct dlg_session *s, unsigned i)
{
	const struct dir_user *u = i < s->n_heard ? s->heard[i].user : NULL;
	for (unsigned k = 0; u && k < s->n_heard; k++)
		if (k != i && s->heard[k].user && text_is_nocase(text_of(s->heard[k].say), s->heard[i].say))
			return u->department ? u->department : "";
	return "";
}

#define BESIDE(n, i) \
	static const char *beside_##n(const struct dlg_session *s) { return beside(s, i); } \
	static bool has_beside_##n(const struct dlg_session *s) { return *beside(s, i) != '\0'; }
BESIDE(1, 0) BESIDE(2, 1) BESIDE(3, 2)

static int64_t one(const struct dlg_session *s)
{
	(void)s;
	return 1;
}

static int64_t two(const struct dlg_session *s)
{
	(void)s;
	return 2;
}

static int64_t number_three(const struct dlg_session *s)
{
	(void)s;
	return 3;
}

#define PRESS(guard, n) SAY_IF(guard, P_AA_PRESS), { .kind = DLG_W_NUMBER, .number = n, .only_if = guard }
static const struct dlg_phrase say_ask[] = { SAY_IF(anywhere, P_ASK_NAME), SAY_NAME(in_department, department), { .kind = DLG_W_PAUSE, .clip = 300, .only_if = in_department }, SAY_IF(in_department, P_ASK_WHO), SAY_IF(again, P_ASK_AGAIN), SAY_END };
static const struct dlg_phrase say_choice[] = {
	SAY_IF(only_one, P_ASK_DID_YOU), SAY_IF(several, P_AA_FOR), SAY_CLIP(first_recorded, CLIP_NAME), SAY_NAME(first_spoken, name_1), SAY_NAME(has_beside_1, beside_1), PRESS(several, one),
	SAY_IF(several, P_AA_FOR), SAY_NAME(several, name_2), SAY_NAME(has_beside_2, beside_2), PRESS(several, two), SAY_IF(three, P_AA_FOR), SAY_NAME(three, name_3), SAY_NAME(has_beside_3, beside_3), PRESS(three, number_three),
	SAY_IF(only_one, P_ASK_RIGHT), SAY_IF(several, P_ASK_NONE), SAY_END,
};

static const struct dlg_state states[] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[ASK] = { "ask", say_ask, NULL, 20000, 0 },
	[HEARING] = { "hearing", NULL, NULL, 20000, 0 },
	[NAME] = { "fetch name", NULL, NULL, 3000, 0 },
	[CHOICE] = { "choice", say_choice, NULL, 6000, 0 },
	[CHOSEN] = { "chosen", NULL, NULL, 0, 0 },
	[PEOPLE] = { "its people", NULL, NULL, 0, 0 },
	[SPELL] = { "spell", NULL, &dlg_names, 0, DLG_TAIL },
};

static const struct dlg_row rows[] = {
	/* in       when                 if                 do                  go             said before */
	{ START,   ENTER,               IF(heard_surely),  DO(pick_first),     CHOSEN },
	{ START,   ENTER,               IF(dlg_heard_somebody), DO(fetch_heard), NAME },
	{ START,   ENTER,               IF(listens),       DO(begin),          ASK },
	{ START,   ENTER,               ALWAYS,            DO(spell_anybody),  SPELL },
	{ ASK,     PROGRESS,            ALWAYS,            NOTHING,            HEARING },
	{ ASK,     KEYS("0"),           IF(has_operator),  DO(want_operator),  RETURN(R_OK) },
	{ ASK,     KEYS("*"),           ALWAYS,            DO(stop_listening), RETURN(R_BACK) },
	{ ASK,     KEYS("#"),           ALWAYS,            DO(stop_listening), SPELL },
	{ ASK,     KEYS("x"),           ALWAYS,            DO(spell),          SPELL },
	{ ASK,     DONE,                IF(heard_surely),  DO(pick_first),     CHOSEN },
	{ ASK,     DONE,                ALWAYS,            DO(fetch_name),     NAME },
	{ ASK,     FAILED,              IF(not_understood), DO(try_again),     ASK },
	{ ASK,     FAILED,              ALWAYS,            NOTHING,            SPELL },
	{ ASK,     TIMEOUT,             ALWAYS,            DO(stop_listening), SPELL },
	{ HEARING, KEYS("0"),           IF(has_operator),  DO(want_operator),  RETURN(R_OK) },
	{ HEARING, KEYS("*"),           ALWAYS,            DO(stop_listening), RETURN(R_BACK) },
	{ HEARING, KEYS("#"),           ALWAYS,            DO(stop_listening), SPELL },
	{ HEARING, KEYS("x"),           ALWAYS,            DO(spell),          SPELL },
	{ HEARING, DONE,                IF(heard_surely),  DO(pick_first),     CHOSEN },
	{ HEARING, DONE,                ALWAYS,            DO(fetch_name),     NAME },
	{ HEARING, FAILED,              IF(not_understood), DO(try_again),     ASK },
	{ HEARING, FAILED,              ALWAYS,            NOTHING,            SPELL },
	{ HEARING, TIMEOUT,             ALWAYS,            DO(stop_listening), SPELL },
	{ NAME,    KEYS("x"),           IF(nobody_asked),  DO(back_to_keys),   RETURN(R_BACK) },
	{ NAME,    KEYS("*"),           IF(nobody_asked),  DO(back_to_keys),   RETURN(R_BACK) },
	{ NAME,    KEYS("#"),           IF(nobody_asked),  DO(back_to_keys),   RETURN(R_BACK) },
	{ NAME,    DONE,                ALWAYS,            NOTHING,            CHOICE },
	{ NAME,    FAILED,              ALWAYS,            NOTHING,            CHOICE },
	{ NAME,    TIMEOUT,             ALWAYS,            NOTHING,            CHOICE },
	{ CHOICE,  KEYS_OR("1", "yes"), ALWAYS,            DO(choose),         CHOSEN, NULL, false, 0 },
	{ CHOICE,  KEYS("2"),           IF(several),       DO(choose),         CHOSEN, NULL, false, 1 },
	{ CHOICE,  KEYS("3"),           IF(three),         DO(choose),         CHOSEN, NULL, false, 2 },
	{ CHOICE,  KEYS_OR("#", "no"),  IF(tries_left),    DO(try_again),      ASK },
	{ CHOICE,  KEYS_OR("#", "no"),  ALWAYS,            NOTHING,            SPELL },
	{ CHOSEN,  ENTER,               IF(chose_keys),    NOTHING,            RETURN(R_KEYS) },
	{ CHOSEN,  ENTER,               IF(chose_department), NOTHING,         PEOPLE },
	{ CHOSEN,  ENTER,               ALWAYS,            NOTHING,            RETURN(R_OK) },
	{ PEOPLE,  ENTER,               IF(listens),       DO(listen_there),   ASK },
	{ PEOPLE,  ENTER,               ALWAYS,            DO(spell_anybody),  SPELL },
	{ CHOICE,  KEYS("0"),           IF(has_operator),  DO(dlg_to_operator), RETURN(R_OK) },
	{ CHOICE,  KEYS("*"),           ALWAYS,            NOTHING,            RETURN(R_BACK) },
	{ CHOICE,  KEYS("x"),           IF(nobody_asked),  DO(back_to_keys),   RETURN(R_BACK) },
	{ CHOICE,  KEYS("xx"),          IF(nobody_asked),  DO(back_to_keys),   RETURN(R_BACK) },
	{ CHOICE,  WRONG,               IF(dlg_last_failure), NOTHING,         RETURN(R_GIVE_UP), NULL, true },
	{ CHOICE,  WRONG,               ALWAYS,            DO(dlg_count_failure), CHOICE, dlg_say_invalid, true },
	{ CHOICE,  TIMEOUT,             IF(dlg_last_failure), NOTHING,         RETURN(R_GIVE_UP) },
	{ CHOICE,  TIMEOUT,             ALWAYS,            DO(dlg_count_failure), CHOICE },
};

const struct dlg_table dlg_ask = { "ask", "Dial by name by voice", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
