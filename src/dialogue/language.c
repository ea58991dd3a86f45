/* SPDX-License-Identifier: Apache-2.0 */
/* language.c  The language of a mailbox, chosen by its owner: each language that is installed says in its own words what it is, one after
 * another. What is chosen is spoken at once.                                                                            */
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { START, OFFER, SET };

static const char *offered(const struct dlg_session *s, unsigned i)
{
	return s->fx->language(s->fx_arg, i);
}

static bool only_one(const struct dlg_session *s)
{
	return !offered(s, 0) || !offered(s, 1);
}

static int offer(struct dlg_session *s, unsigned i)
{
	s->phone.at_language = offered(s, i) ? i : 0;
	text_fill(s->phone.trying, sizeof(s->phone.trying), offered(s, s->phone.at_language));
	s->failures = 0;
	return 0;
}

/* Whoever comes here wants another one than he hears; "" is the node's own, which stands first. */
static int first(struct dlg_session *s)
{
	struct text first_one, heard, region;
	text_cut(text_of(offered(s, 0)), '-', &first_one, &region);
	text_cut(text_of(dlg_language_of(s)), '-', &heard, &region);
	return offer(s, !heard.n || text_eq_nocase(first_one, heard));
}

static int next(struct dlg_session *s)
{
	return offer(s, s->phone.at_language + 1);
}

static int leave(struct dlg_session *s)
{
	s->phone.trying[0] = '\0';
	return 0;
}

static int the_usual(struct dlg_session *s)
{
	return leave(s);
}

static int set(struct dlg_session *s)
{
	int err = s->fx->choose(s->fx_arg, dlg_job(&s->eng), "language", s->phone.trying);
	leave(s);
	return err;
}

static int chosen(struct dlg_session *s)
{
	text_fill(s->language, sizeof(s->language), s->phone.choices.language);
	return 0;
}

static const struct dlg_phrase say_this[] = { SAY(P_LANGUAGE_THIS), SAY_END };
static const struct dlg_phrase say_only[] = { SAY(P_LANGUAGE_ONLY), SAY_END };
static const struct dlg_phrase say_set[] = { SAY(P_LANGUAGE_SET), SAY_END };
static const struct dlg_phrase say_not_set[] = { SAY(P_CHOICE_FAILED), SAY_END };
static const struct dlg_phrase say_give_up[] = { SAY(P_GIVE_UP), SAY_END };

static const struct dlg_state states[] = {
	[START] = { "start", NULL, NULL, 0, 0 },
	[OFFER] = { "offer", say_this, NULL, 6000, 0 },
	[SET] = { "set language", NULL, NULL, 8000, 0 },
};

static const struct dlg_row rows[] = {
	/* in     when       if                    do                     go                  said before */
	{ START, ENTER,     IF(only_one),         NOTHING,               RETURN(R_BACK),     say_only, true },
	{ START, ENTER,     ALWAYS,               DO(first),             OFFER },
	{ OFFER, KEYS("1"), ALWAYS,               NOTHING,               SET },
	{ OFFER, KEYS("#"), ALWAYS,               DO(next),              OFFER },
	{ OFFER, KEYS("7"), ALWAYS,               DO(the_usual),         SET },
	{ OFFER, KEYS("*"), ALWAYS,               DO(leave),             RETURN(R_BACK) },
	{ OFFER, WRONG,     IF(dlg_last_failure), DO(leave),             RETURN(R_GIVE_UP),  say_give_up, true },
	{ OFFER, WRONG,     ALWAYS,               DO(dlg_count_failure), OFFER,              dlg_say_invalid, true },
	{ OFFER, TIMEOUT,   IF(dlg_last_failure), DO(leave),             RETURN(R_GIVE_UP),  say_give_up },
	{ OFFER, TIMEOUT,   ALWAYS,               DO(dlg_count_failure), OFFER },
	{ SET,   ENTER,     ALWAYS,               DO(set),               STAY },
	{ SET,   DONE,      ALWAYS,               DO(chosen),            RETURN(R_OK),       say_set },
	{ SET,   FAILED,    ALWAYS,               NOTHING,               RETURN(R_FAILED),   say_not_set, true },
	{ SET,   TIMEOUT,   ALWAYS,               NOTHING,               RETURN(R_FAILED),   say_not_set, true },
};

const struct dlg_table dlg_language = { "language", "Language", states, rows, COUNT_OF(states), COUNT_OF(rows), START, NULL };
