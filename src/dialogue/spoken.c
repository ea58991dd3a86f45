/* SPDX-License-Identifier: Apache-2.0 */
/* spoken.c  Speech instead of keys, beside them: who may, where, and what was not understood. States that listen have DLG_LISTENS; what is heard there
 * comes to the rows by dlg_heard(). After DLG_MISHEARD failures in a row the keys have it alone, so that a noisy line does no harm. */
#include "base/hash.h"
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { COMMANDS_MAX = 128 };

static bool english(const struct dlg_session *s)
{
	const char *l = dlg_language_of(s);
	return !*l || (text_starts_nocase(text_of(l), "en") && (!l[2] || l[2] == '-' || l[2] == '_'));
}

bool dlg_may_speak(const struct dlg_session *s)
{
	const struct cfg_attendant *aa = s->logged_on ? NULL : s->aa;
	bool wanted = aa ? aa->speech && aa->dial_by_name && (!s->aa_closed || aa->closed.dial) : s->logged_on && s->phone.choices.by_voice;
	return wanted && english(s) && s->fx->hears && s->fx->hears(s->fx_arg);
}

bool dlg_listens(const struct dlg_session *s)
{
	return dlg_flags_of(&s->eng) & DLG_LISTENS && !dlg_gone(&s->eng) && s->misheard < DLG_MISHEARD && dlg_may_speak(s);
}

bool dlg_heard_somebody(const struct dlg_session *s)
{
	return s->n_heard > 0;
}

bool dlg_misheard_last(const struct dlg_session *s)
{
	return s->misheard + 1 >= DLG_MISHEARD;
}

int dlg_count_misheard(struct dlg_session *s)
{
	s->misheard++;
	return 0;
}

int dlg_understood(struct dlg_session *s)
{
	s->misheard = 0;
	return 0;
}

int dlg_forget_heard(struct dlg_session *s)
{
	s->n_heard = 0;
	s->department = NULL;
	return 0;
}

/* ---- commands ---- */
struct commands {
	unsigned n, tables;
	char text[COMMANDS_MAX][32];
};

static void add_words(struct commands *c, const char *spoken)
{
	for (struct text one, rest = text_of(spoken); rest.n;) {
		bool there = false;
		(void)text_cut(rest, '|', &one, &rest);
		for (unsigned i = 0; i < c->n && !there; i++)
			there = text_is_nocase(one, c->text[i]);
		if (!there && c->n < COMMANDS_MAX && !text_copy(one, c->text[c->n], sizeof c->text[0]))
			c->n++;
	}
}

static void add_table(struct commands *c, const struct dlg_table *t)
{
	for (unsigned i = 0; i < t->n_rows; i++)
		if (t->rows[i].when.spoken && t->rows[i].in != DLG_ANY && t->states[t->rows[i].in].flags & DLG_LISTENS)
			add_words(c, t->rows[i].when.spoken);
}

const char *dlg_command(unsigned i)
{
	static struct commands all; /* made once; the loop thread's */
	const struct dlg_table *const tables[] = { &dlg_subscriber, &dlg_player, &dlg_send };
	for (; all.tables < COUNT_OF(tables); all.tables++)
		add_table(&all, tables[all.tables]);
	return i < all.n ? all.text[i] : NULL;
}

/* ---- departments ---- */
const struct cfg_attendant *dlg_department_leads(const struct cfg *cfg, const struct cfg_attendant *aa, const char *department)
{
	const struct cfg_attendant *to = NULL;
	for (size_t i = 0; i < aa->n_departments && !to; i++)
		if (*aa->departments[i].attendant && text_is_nocase(text_of(department), aa->departments[i].name))
			to = cfg_attendant(cfg, text_of(aa->departments[i].attendant));
	for (size_t i = 0; i < cfg->n_attendants && !to; i++) {
		const struct cfg_attendant *other = &cfg->attendants[i];
		if (text_is_nocase(text_of(department), other->name) || text_is_nocase(text_of(department), other->business_name))
			to = other;
	}
	return to && !text_is_nocase(text_of(to->name), aa->name) ? to : NULL;
}

void dlg_attendant_keys(const struct cfg_attendant *aa, char keys[12])
{
	static const uint8_t fixed[16] = "umbel attendant";
	char lower[CFG_NAME_SIZE];
	text_fill(lower, sizeof lower, aa->name);
	for (char *p = lower; *p; p++)
		*p = text_lower(*p);
	text_print(keys, 12, "d%08x", (unsigned)hash_siphash(fixed, lower, strlen(lower)));
}

const struct dlg_phrase dlg_say_misheard[] = { SAY(P_NOT_UNDERSTOOD), SAY_END };
const struct dlg_phrase dlg_say_use_keys[] = { SAY(P_USE_KEYS), SAY_END };
