/* SPDX-License-Identifier: Apache-2.0 */
/* names.c  Dial by name on the keys: the caller spells, matches are offered one by one, the chosen one is s->target. A recogniser's
 * words come in by the same rows later: SPOKEN has its slot in the engine.                                             */
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { SPELL, FOUND, OFFER };

static const struct cfg_dialplan *plan_of(const struct dlg_session *s)
{
	return cfg_dialplan(dir_view_cfg(s->view), s->aa ? text_of(s->aa->dialplan) : TEXT_NONE);
}

static enum cfg_name_order order_of(const struct dlg_session *s)
{
	const struct cfg_dialplan *plan = plan_of(s);
	return plan ? plan->name_order : CFG_LAST_FIRST;
}

/* What too many had in common goes before what is typed now. */
static int look_up(struct dlg_session *s)
{
	char all[2 * DLG_DIGITS];
	text_print(all, sizeof(all), "%s%.*s", s->spelled, (int)s->n_digits, s->digits);
	dir_match_keys(s->view, text_of(all), order_of(s), true, s->match, DLG_MATCHES, &s->total_match);
	s->n_match = (unsigned)(s->total_match < DLG_MATCHES ? s->total_match : DLG_MATCHES);
	s->at_match = 0;
	text_fill(s->spelled, sizeof(s->spelled), s->total_match > DLG_MATCHES ? all : "");
	return 0;
}

static int begin_again(struct dlg_session *s)
{
	s->spelled[0] = '\0';
	return 0;
}

static bool narrowing(const struct dlg_session *s)
{
	return s->spelled[0] != '\0';
}

static bool last_first(const struct dlg_session *s)
{
	return !narrowing(s) && order_of(s) == CFG_LAST_FIRST;
}

static bool first_last(const struct dlg_session *s)
{
	return !narrowing(s) && order_of(s) == CFG_FIRST_LAST;
}

static bool by_alias(const struct dlg_session *s)
{
	return !narrowing(s) && order_of(s) == CFG_BY_ALIAS;
}

static bool offer_by(const struct dlg_session *s, enum cfg_offer_by by)
{
	const struct cfg_dialplan *plan = plan_of(s);
	return s->n_match > 1 && (plan ? plan->offer_by : CFG_OFFER_EXTENSION) == by;
}

static const char *word_beside(const struct dlg_session *s)
{
	const struct dir_user *u = s->match[s->at_match];
	return offer_by(s, CFG_OFFER_DEPARTMENT) ? u->department : offer_by(s, CFG_OFFER_TITLE) ? u->title : "";
}

static bool has_word(const struct dlg_session *s)
{
	return *word_beside(s) != '\0';
}

static bool somebody(const struct dlg_session *s)
{
	return s->n_match > 0 && s->total_match <= DLG_MATCHES;
}

static bool too_many(const struct dlg_session *s)
{
	return s->total_match > DLG_MATCHES;
}

static bool first_of_several(const struct dlg_session *s)
{
	return s->n_match > 1 && s->at_match == 0;
}

static bool only_one(const struct dlg_session *s)
{
	return s->n_match == 1;
}

static bool last_match(const struct dlg_session *s)
{
	return s->at_match + 1 >= s->n_match;
}

static bool has_extension(const struct dlg_session *s)
{
	return offer_by(s, CFG_OFFER_EXTENSION) && s->match[s->at_match]->extensions.n > 0;
}

static int64_t n_matches(const struct dlg_session *s)
{
	return s->n_match;
}

static const char *match_name(const struct dlg_session *s)
{
	return s->match[s->at_match]->spoken_name;
}

static const char *match_extension(const struct dlg_session *s)
{
	const struct dir_user *u = s->match[s->at_match];
	return u->extensions.n ? u->extensions.v[0] : "";
}

static int next(struct dlg_session *s)
{
	s->at_match++;
	return 0;
}

static int choose(struct dlg_session *s)
{
	dlg_aim(s, s->match[s->at_match]->name);
	s->failures = 0;
	return 0;
}

static const struct dlg_phrase ask[] = { SAY_IF(narrowing, P_NAME_NARROW), SAY_IF(last_first, P_NAME_SPELL), SAY_IF(first_last, P_NAME_SPELL_FIRST),
	                                 SAY_IF(by_alias, P_NAME_SPELL_ALIAS), SAY_END };
static const struct dlg_phrase say_offer[] = {
	SAY_IF(only_one, P_NAME_ONE), { .kind = DLG_W_NUMBER, .number = n_matches, .only_if = first_of_several },
	SAY_IF(first_of_several, P_NAME_MATCHES), SAY_NAME(NULL, match_name), SAY_IF(has_extension, P_EXTENSION),
	SAY_DIGITS(has_extension, match_extension), SAY_NAME(has_word, word_beside), SAY(P_NAME_CHOOSE), SAY_END,
};
static const struct dlg_phrase say_nobody[] = { SAY(P_NAME_NONE), SAY_END };
static const struct dlg_phrase say_too_many[] = { SAY(P_NAME_TOO_MANY), SAY_END };
static const struct dlg_phrase say_no_more[] = { SAY(P_NAME_NO_MORE), SAY_END };

static const struct dlg_state states[] = {
	[SPELL] = { "spell", ask, &dlg_entry, 0, 0 },
	[FOUND] = { "found", NULL, NULL, 0, 0 },
	[OFFER] = { "offer", say_offer, NULL, 5000, 0 },
};

static const struct dlg_row rows[] = {
	/* in      when                 if                    do                     go                 said before */
	{ SPELL,  RESULT(R_OK),        ALWAYS,               DO(look_up),           FOUND },
	{ SPELL,  RESULT(R_BACK),      IF(narrowing),        DO(begin_again),       SPELL },
	{ SPELL,  RESULT(R_BACK),      ALWAYS,               NOTHING,               RETURN(R_BACK) },
	{ SPELL,  ANY_RESULT,          IF(dlg_last_failure), NOTHING,               RETURN(R_GIVE_UP) },
	{ SPELL,  ANY_RESULT,          ALWAYS,               DO(dlg_count_failure), SPELL,             dlg_say_no_input },
	{ FOUND,  ENTER,               IF(somebody),         NOTHING,               OFFER },
	{ FOUND,  ENTER,               IF(dlg_last_failure), NOTHING,               RETURN(R_GIVE_UP), say_nobody, true },
	{ FOUND,  ENTER,               IF(too_many),         DO(dlg_count_failure), SPELL,             say_too_many, true },
	{ FOUND,  ENTER,               ALWAYS,               DO(dlg_count_failure), SPELL,             say_nobody, true },
	{ OFFER,  KEYS_OR("1", "yes"), ALWAYS,               DO(choose),            RETURN(R_OK) },
	{ OFFER,  KEYS_OR("#", "no"),  IF(last_match),       NOTHING,               SPELL,             say_no_more, true },
	{ OFFER,  KEYS_OR("#", "no"),  ALWAYS,               DO(next),              OFFER },
	{ OFFER,  KEYS("*"),           ALWAYS,               DO(begin_again),       SPELL },
	{ OFFER,  WRONG,               IF(dlg_last_failure), NOTHING,               RETURN(R_GIVE_UP), NULL, true },
	{ OFFER,  WRONG,               ALWAYS,               DO(dlg_count_failure), OFFER,             dlg_say_invalid, true },
	{ OFFER,  TIMEOUT,             IF(dlg_last_failure), NOTHING,               RETURN(R_GIVE_UP) },
	{ OFFER,  TIMEOUT,             ALWAYS,               DO(dlg_count_failure), OFFER },
};

const struct dlg_table dlg_names = { "names", "Dial by name", states, rows, COUNT_OF(states), COUNT_OF(rows), SPELL, NULL };
