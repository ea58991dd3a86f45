/* SPDX-License-Identifier: Apache-2.0 */
/* grammar.c  Entries: ids say what they are of. */
#include "dialogue/grammar.h"
#include <errno.h>
#include <strings.h>
#include "base/hash.h"
#include "base/mem.h"

enum { ID_DEPARTMENT = 0x10000000 /* of the view */, ID_ENTRY = 0x20000000 /* of the attendant's list */, ID_MENU = 0x40000000, ID_OPERATOR = 0x7fffffff,
	ENTRIES = SPEECH_ENTRIES_MAX };

struct maker {
	struct dlg_grammar *g;
	const struct dlg_session *s;
	const struct cfg *cfg;
	const struct cfg_attendant *aa;
};

static void add(struct dlg_grammar *g, uint32_t id, enum speech_kind kind, const char *name, const char *language, const char *sounds)
{
	if (*name && g->n < ENTRIES)
		g->v[g->n++] = (struct speech_entry){ .id = id, .kind = kind, .name = text_head(text_of(name), SPEECH_NAME_MAX),
			                              .language = text_head(text_of(language), SPEECH_LANGUAGE_MAX), .pronunciation = text_of(sounds) };
}

/* A name as it is written, unless it is said how it sounds. */
static void add_name(struct dlg_grammar *g, uint32_t id, enum speech_kind kind, const char *name, const char *language, const struct cfg_strings *sounds)
{
	for (size_t i = 0; i < sounds->n; i++)
		add(g, id, kind, name, language, sounds->v[i]);
	if (!sounds->n)
		add(g, id, kind, name, language, "");
}

/* ---- people ---- */
static void add_person(struct dlg_grammar *g, uint32_t id, const struct dir_user *u)
{
	add_name(g, id, SPEECH_PERSON, u->display_name && *u->display_name ? u->display_name : u->spoken_name, u->language, &u->pronunciation);
	if (!u->pronunciation.n && u->display_name && *u->display_name && strcmp(u->display_name, u->spoken_name) != 0)
		add(g, id, SPEECH_PERSON, u->spoken_name, u->language, "");
}

static void add_people(struct maker *m)
{
	const char *department = m->s->department;
	for (size_t i = 0; i < dir_view_count(m->s->view); i++) {
		const struct dir_user *u = dir_view_at(m->s->view, i);
		if (u->dialable && (!department || (u->department && strcasecmp(u->department, department) == 0)))
			add_person(m->g, (uint32_t)i, u);
	}
}

/* ---- choices ---- */
static const struct cfg_menu_key *keys_of(const struct dlg_session *s, size_t *n)
{
	*n = !s->aa ? 0 : s->aa_closed ? s->aa->closed.n_keys : s->aa->n_keys;
	return !s->aa ? NULL : s->aa_closed ? s->aa->closed.keys : s->aa->keys;
}

/* Whether that key has words that can be said instead. People are in the grammar anyway. */
static bool has_words(const struct cfg_menu_key *k)
{
	switch (k->action) {
	case CFG_ACT_EXTENSION: case CFG_ACT_MAILBOX: case CFG_ACT_LANGUAGE: return k->key != 't' && *k->say;
	case CFG_ACT_ATTENDANT: case CFG_ACT_HOURS: case CFG_ACT_LOCATION: return k->key != 't';
	case CFG_ACT_SUBSCRIBER: return k->key != 't';
	default: return false;
	}
}

static const char *without_article(const char *name)
{
	static const char *const articles[] = { "the ", "our ", "your " };
	for (size_t i = 0; i < sizeof articles / sizeof *articles; i++)
		if (text_starts_nocase(text_of(name), articles[i]))
			return name + strlen(articles[i]);
	return name;
}

static bool same_words(const char *a, const char *b)
{
	return strcasecmp(without_article(a), without_article(b)) == 0;
}

static bool key_named(const struct maker *m, const char *name, size_t *at)
{
	size_t n;
	const struct cfg_menu_key *k = keys_of(m->s, &n);
	for (size_t i = 0; i < n; i++) {
		const struct cfg_attendant *to = k[i].action == CFG_ACT_ATTENDANT ? cfg_attendant(m->cfg, text_of(k[i].target)) : NULL;
		if (has_words(&k[i]) && (same_words(name, dlg_choice_name(m->cfg, &k[i])) || (to && same_words(name, to->name)))) {
			*at = i;
			return true;
		}
	}
	return false;
}

static const struct cfg_department *entry_named(const struct cfg_attendant *aa, const char *name)
{
	for (size_t i = 0; i < aa->n_departments; i++)
		if (same_words(name, aa->departments[i].name))
			return &aa->departments[i];
	return NULL;
}

static void add_choices(struct maker *m)
{
	size_t n;
	const struct cfg_menu_key *k = keys_of(m->s, &n);
	for (size_t i = 0; i < n; i++) {
		const char *name = has_words(&k[i]) ? dlg_choice_name(m->cfg, &k[i]) : "";
		if (!*name || entry_named(m->aa, name))
			continue;
		add(m->g, ID_MENU + (uint32_t)i, SPEECH_DEPARTMENT, name, m->aa->language, "");
		if (without_article(name) != name)
			add(m->g, ID_MENU + (uint32_t)i, SPEECH_DEPARTMENT, without_article(name), m->aa->language, "");
	}
}

/* ---- departments ---- */
static bool has_people(const struct dlg_session *s, const char *department)
{
	size_t people;
	for (size_t i = 0; i < dir_view_departments(s->view); i++)
		if (strcasecmp(dir_view_department(s->view, i, &people), department) == 0)
			return true;
	return false;
}

static void add_entries(struct maker *m)
{
	for (size_t i = 0; i < m->aa->n_departments; i++) {
		const struct cfg_department *d = &m->aa->departments[i];
		size_t at;
		if (!key_named(m, d->name, &at) && !dlg_department_leads(m->cfg, m->aa, d->name) && !has_people(m->s, d->name))
			continue;
		add_name(m->g, ID_ENTRY + (uint32_t)i, SPEECH_DEPARTMENT, d->name, m->aa->language, &d->pronunciation);
		for (size_t k = 0; k < d->also.n; k++)
			add(m->g, ID_ENTRY + (uint32_t)i, SPEECH_DEPARTMENT, d->also.v[k], m->aa->language, "");
	}
}

static void add_departments(struct maker *m)
{
	size_t at, people;
	for (size_t i = 0; i < dir_view_departments(m->s->view); i++) {
		const char *name = dir_view_department(m->s->view, i, &people);
		if (!entry_named(m->aa, name) && !key_named(m, name, &at))
			add(m->g, ID_DEPARTMENT + (uint32_t)i, SPEECH_DEPARTMENT, name, m->aa->language, "");
	}
}

/* ---- all of it ---- */
static void add_operator(struct maker *m)
{
	static const char *const words[] = { "operator", "the operator", "reception", "the reception" };
	size_t at;
	for (size_t i = 0; i < sizeof words / sizeof *words && dlg_has_operator(m->s); i++)
		if (!key_named(m, words[i], &at))
			add(m->g, ID_OPERATOR, SPEECH_OPERATOR, words[i], "en-US", "");
}

int dlg_grammar_make(struct dlg_grammar *g, const struct dlg_session *s, bool commands)
{
	static const struct cfg_attendant nobody = { .language = "" };
	struct maker m = { g, s, dir_view_cfg(s->view), s->aa ? s->aa : &nobody };
	*g = (struct dlg_grammar){ .v = mem_zalloc(ENTRIES, sizeof *g->v) };
	if (!g->v)
		return ENOMEM;
	if (commands) {
		for (unsigned i = 0; dlg_command(i); i++)
			add(g, i, SPEECH_COMMAND, dlg_command(i), "en-US", "");
		return 0;
	}
	add_operator(&m);
	if (!s->department) {
		add_choices(&m);
		add_entries(&m);
		add_departments(&m);
	}
	add_people(&m);
	return g->n ? 0 : ENOENT;
}

void dlg_grammar_free(struct dlg_grammar *g)
{
	mem_free(g->v);
	g->v = NULL;
}

uint64_t dlg_grammar_key(const struct dlg_grammar *g)
{
	static const uint8_t fixed[16] = "umbel grammar 2";
	struct buf b;
	buf_init(&b, SPEECH_BODY_MAX);
	speech_put_learn(&b, 0, g->v, g->n);
	uint64_t key = hash_siphash(fixed, b.p, b.n);
	buf_free(&b);
	return key;
}

/* ---- what an id means ---- */
static bool means_key(struct dlg_heard *h, const struct dlg_session *s, size_t at)
{
	size_t n;
	const struct cfg_menu_key *k = keys_of(s, &n);
	if (at >= n)
		return false;
	h->keys[0] = k[at].key;
	h->keys[1] = '\0';
	h->say = dlg_choice_name(dir_view_cfg(s->view), &k[at]);
	return true;
}

static bool means_department(struct dlg_heard *h, const struct dlg_session *s, const char *name)
{
	struct maker m = { NULL, s, dir_view_cfg(s->view), s->aa };
	size_t at;
	if (key_named(&m, name, &at))
		return means_key(h, s, at);
	const struct cfg_attendant *to = dlg_department_leads(m.cfg, s->aa, name);
	h->say = name;
	if (to)
		dlg_attendant_keys(to, h->keys);
	else
		h->department = name;
	return true;
}

bool dlg_grammar_means(struct dlg_heard *h, const struct dlg_session *s, uint32_t id)
{
	size_t people;
	*h = (struct dlg_heard){ .say = "" };
	if (id == ID_OPERATOR) {
		h->is_operator = true;
		h->say = "operator";
		return true;
	}
	if (id >= ID_MENU)
		return means_key(h, s, id - ID_MENU);
	if (id >= ID_ENTRY)
		return s->aa && id - ID_ENTRY < s->aa->n_departments && means_department(h, s, s->aa->departments[id - ID_ENTRY].name);
	if (id >= ID_DEPARTMENT)
		return s->aa && id - ID_DEPARTMENT < dir_view_departments(s->view) && means_department(h, s, dir_view_department(s->view, id - ID_DEPARTMENT, &people));
	h->user = id < dir_view_count(s->view) ? dir_view_at(s->view, id) : NULL;
	h->say = h->user ? h->user->spoken_name : "";
	return h->user != NULL;
}
