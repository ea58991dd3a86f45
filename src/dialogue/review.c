/* SPDX-License-Identifier: Apache-2.0 */
/* review.c  Attendants as a graph: who leads to whom, by which key, and where callers who press nothing come to. */
#include "dialogue/review.h"
#include <stdio.h>
#include "base/mem.h"
#include "directory/rules.h"

struct review {
	const struct cfg *cfg;
	dlg_has_prompt_h *has_prompt;
	void *arg;
	struct cfg_errors *errors;
	unsigned lengths; /* that extensions have, as bits */
	bool *seen;
	size_t found;
};

static void wrong(struct review *r, struct cfg_pos pos, const char *key, const char *fix, const char *fmt, const char *a, const char *b)
{
	char what[400];
	text_print(what, sizeof what, fmt, a, b);
	cfg_fail(r->errors, r->cfg->path, pos, key, fix, "%s", what);
	r->found++;
}

static struct cfg_pos place(const struct review *r, const void *member, struct cfg_pos otherwise)
{
	struct cfg_pos pos = cfg_pos_of(r->cfg, member);
	return pos.line ? pos : otherwise;
}

/* ---- targets ---- */

static bool digits(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

static void learn_lengths(struct review *r)
{
	const struct cfg *c = r->cfg;
	for (size_t i = 0; i < c->n_dialplans; i++)
		if (c->dialplans[i].extension_digits < 31)
			r->lengths |= 1U << c->dialplans[i].extension_digits;
	for (size_t i = 0; i < c->n_mailboxes; i++)
		for (size_t k = 0; k < c->mailboxes[i].extensions.n; k++)
			if (c->mailboxes[i].extensions.v[k][0] != '+')
				r->lengths |= 1U << (strlen(c->mailboxes[i].extensions.v[k]) & 31);
}

static bool has_number(const struct cfg *c, const char *number)
{
	for (size_t i = 0; i < c->n_mailboxes; i++)
		for (size_t k = 0; k < c->mailboxes[i].extensions.n; k++)
			if (strcmp(c->mailboxes[i].extensions.v[k], number) == 0)
				return true;
	return false;
}

/* As calls do it: a mailbox, a number as long as an extension, or one that a rule allows. Names were checked already. */
static void target(struct review *r, const char *to, const struct cfg_dialplan *plan, const struct cfg_strings *rules, struct cfg_pos pos, const char *key)
{
	char dial[RULE_NUMBER_SIZE];
	bool number = digits(to[0] == '+' ? to + 1 : to);
	size_t n = strlen(to);
	if (!number || has_number(r->cfg, to) || (to[0] != '+' && n < 31 && r->lengths >> n & 1))
		return;
	if (rules && rule_allows(plan, rules, text_of(to), dial))
		return;
	wrong(r, pos, key, "give the number of an extension, or allow it by a group of the dial plan's rules (allowed_rules)",
	      "calls to \"%s\" are refused: it is no extension, and no rule that applies here allows it%s", to, "");
}

/* ---- attendants ---- */

static size_t index_of(const struct cfg *c, const char *name)
{
	const struct cfg_attendant *a = cfg_attendant(c, text_of(name));
	return a ? (size_t)(a - c->attendants) : SIZE_MAX;
}

static const struct cfg_menu_key *keys_of(const struct cfg_attendant *a, bool closed, size_t *n)
{
	*n = closed ? a->closed.n_keys : a->n_keys;
	return closed ? a->closed.keys : a->keys;
}

static void reach(struct review *r, size_t at)
{
	const struct cfg_attendant *a = &r->cfg->attendants[at];
	if (r->seen[at])
		return;
	r->seen[at] = true;
	for (int closed = 0; closed < 1 + (*a->schedule != '\0'); closed++) {
		size_t n;
		const struct cfg_menu_key *k = keys_of(a, closed, &n);
		for (size_t i = 0; i < n; i++) {
			size_t to = k[i].action == CFG_ACT_ATTENDANT ? index_of(r->cfg, k[i].target) : SIZE_MAX;
			if (to != SIZE_MAX)
				reach(r, to);
		}
	}
}

/* Whether a caller can do anything there but walk on to other attendants. */
static bool has_way_out(const struct cfg *c, const struct cfg_attendant *a, bool closed)
{
	const struct cfg_dialplan *plan = cfg_dialplan(c, text_of(a->dialplan));
	size_t n;
	const struct cfg_menu_key *k = keys_of(a, closed, &n);
	for (size_t i = 0; i < n; i++)
		if (k[i].action != CFG_ACT_ATTENDANT && k[i].action != CFG_ACT_REPEAT && k[i].action != CFG_ACT_HOURS && k[i].action != CFG_ACT_LOCATION &&
		    k[i].action != CFG_ACT_LANGUAGE)
			return true;
	bool dial = (a->dial_by_extension || a->dial_by_name) && (!closed || a->closed.dial) && c->n_mailboxes;
	const char *operator = closed ? a->closed.operator_number : *a->operator_number ? a->operator_number : plan ? plan->operator_number : "";
	return dial || *operator;
}

static bool leaves(struct review *r, size_t at, bool closed)
{
	const struct cfg_attendant *a = &r->cfg->attendants[at];
	if (has_way_out(r->cfg, a, closed))
		return true;
	if (r->seen[at])
		return false;
	r->seen[at] = true;
	size_t n;
	const struct cfg_menu_key *k = keys_of(a, closed, &n);
	for (size_t i = 0; i < n; i++) {
		size_t to = k[i].action == CFG_ACT_ATTENDANT ? index_of(r->cfg, k[i].target) : SIZE_MAX;
		if (to != SIZE_MAX && (leaves(r, to, false) || (*r->cfg->attendants[to].schedule && leaves(r, to, true))))
			return true;
	}
	return false;
}

static const struct cfg_menu_key *timeout_of(const struct cfg_attendant *a, bool closed)
{
	size_t n;
	const struct cfg_menu_key *k = keys_of(a, closed, &n);
	for (size_t i = 0; i < n; i++)
		if (k[i].key == 't')
			return &k[i];
	return NULL;
}

/* A caller who presses nothing must come to an end: time-outs that lead from one attendant to another, and back, never do. */
static void check_silence(struct review *r, size_t at, bool closed, const char *key)
{
	size_t here = at;
	const struct cfg_menu_key *first = timeout_of(&r->cfg->attendants[at], closed), *k = first;
	for (size_t i = 0; k && k->action == CFG_ACT_ATTENDANT && i <= r->cfg->n_attendants; i++) {
		here = index_of(r->cfg, k->target);
		if (here == SIZE_MAX)
			return;
		if (here == at) {
			wrong(r, first->pos, key, "let one of the time-outs lead to an extension, a mailbox, the operator or hang-up",
			      "a caller who presses nothing goes round from %s and comes back to it for ever%s", r->cfg->attendants[at].name, "");
			return;
		}
		k = timeout_of(&r->cfg->attendants[here], closed && *r->cfg->attendants[here].schedule);
	}
}

static void check_keys(struct review *r, size_t at, bool closed)
{
	const struct cfg_attendant *a = &r->cfg->attendants[at];
	const struct cfg_dialplan *plan = cfg_dialplan(r->cfg, text_of(a->dialplan));
	char key[80];
	size_t n;
	const struct cfg_menu_key *k = keys_of(a, closed, &n);
	text_print(key, sizeof key, "attendants[%zu].%skeys", at, closed ? "closed." : "");
	for (size_t i = 0; i < n && (!closed || a->closed.keys != a->keys); i++)
		if (k[i].action == CFG_ACT_EXTENSION)
			target(r, k[i].target, plan, &a->allowed_rules, k[i].pos, key);
	memset(r->seen, 0, r->cfg->n_attendants * sizeof *r->seen);
	if (!leaves(r, at, closed))
		wrong(r, place(r, closed ? (const void *)&a->closed.keys : (const void *)&a->keys, a->pos), key,
		      "give it a key that leads to a person, a mailbox, an operator or hang-up", "callers of %s find nobody%s", a->name,
		      closed ? " in closed hours: all its keys lead in a circle, or nowhere" : ": all its keys lead in a circle, or nowhere");
	check_silence(r, at, closed, key);
}

static void prompt(struct review *r, const char *const *name, struct cfg_pos pos, const char *list, size_t i, const char *member)
{
	char key[96];
	text_print(key, sizeof key, "%s[%zu].%s", list, i, member);
	if (r->has_prompt && **name && !r->has_prompt(*name, r->arg))
		wrong(r, place(r, name, pos), key, "record it into the prompt set, or give the words instead (greeting, menu, announcement)",
		      "the prompt set has no prompt \"%s\"%s", *name, "");
}

static void check_attendant(struct review *r, size_t i)
{
	const struct cfg_attendant *a = &r->cfg->attendants[i];
	const struct cfg_dialplan *plan = cfg_dialplan(r->cfg, text_of(a->dialplan));
	char key[80];
	text_print(key, sizeof key, "attendants[%zu].operator", i);
	target(r, a->operator_number, plan, &a->allowed_rules, place(r, &a->operator_number, a->pos), key);
	text_print(key, sizeof key, "attendants[%zu].closed.operator", i);
	target(r, a->closed.operator_number, plan, &a->allowed_rules, place(r, &a->closed.operator_number, a->pos), key);
	check_keys(r, i, false);
	if (*a->schedule)
		check_keys(r, i, true);
	prompt(r, &a->greeting_prompt, a->pos, "attendants", i, "greeting_prompt");
	prompt(r, &a->menu_prompt, a->pos, "attendants", i, "menu_prompt");
	prompt(r, &a->announcement_prompt, a->pos, "attendants", i, "announcement_prompt");
	prompt(r, &a->closed.greeting_prompt, a->pos, "attendants", i, "closed.greeting_prompt");
	if (a->closed.menu_prompt != a->menu_prompt)
		prompt(r, &a->closed.menu_prompt, a->pos, "attendants", i, "closed.menu_prompt");
}

static void check_reach(struct review *r)
{
	const struct cfg *c = r->cfg;
	char key[80];
	memset(r->seen, 0, c->n_attendants * sizeof *r->seen);
	for (size_t i = 0; i < c->n_attendants; i++)
		if (c->attendants[i].numbers.n || c->attendants[i].uris.n)
			reach(r, i);
	for (size_t i = 0; i < c->n_attendants; i++) {
		text_print(key, sizeof key, "attendants[%zu].numbers", i);
		if (!r->seen[i])
			wrong(r, c->attendants[i].pos, key, "give it numbers, or let a key of an attendant that has some lead to it",
			      "nobody can reach attendant %s%s", c->attendants[i].name, "");
	}
}

static void check_others(struct review *r)
{
	const struct cfg *c = r->cfg;
	char key[96];
	for (size_t i = 0; i < c->n_dialplans; i++) {
		text_print(key, sizeof key, "dialplans[%zu].operator", i);
		target(r, c->dialplans[i].operator_number, &c->dialplans[i], NULL, place(r, &c->dialplans[i].operator_number, c->dialplans[i].pos), key);
	}
	for (size_t i = 0; i < c->n_mailboxes; i++) {
		const struct cfg_mailbox *m = &c->mailboxes[i];
		const struct cfg_dialplan *plan = cfg_dialplan(c, text_of(m->dialplan));
		const struct cfg_policy *policy = cfg_policy(c, text_of(m->policy));
		if (*m->operator_number) {
			text_print(key, sizeof key, "mailboxes[%zu].operator", i);
			target(r, m->operator_number, plan, &policy->allowed_rules, place(r, &m->operator_number, m->pos), key);
		}
		bool full = false;
		for (size_t k = 0; k < m->extensions.n; k++)
			full = full || m->extensions.v[k][0] == '+';
		text_print(key, sizeof key, plan && plan->kind == CFG_KIND_SIP ? "mailboxes[%zu].sip_uris" : "mailboxes[%zu].extensions", i);
		if (plan && plan->kind == CFG_KIND_SIP && !m->sip_uris.n)
			wrong(r, m->pos, key, "give it one, or use kind: extension for the dial plan", "mailbox %s has no SIP URI, as dial plan %s asks", m->name, plan->name);
		else if (plan && plan->kind == CFG_KIND_E164 && !full)
			wrong(r, m->pos, key, "give it one, or use kind: extension for the dial plan", "mailbox %s has no number in full (+...), as dial plan %s asks", m->name,
			      plan->name);
		text_print(key, sizeof key, "mailboxes[%zu].allowed_transfers", i);
		for (size_t k = 0; k < m->allowed_transfers.n; k++)
			target(r, m->allowed_transfers.v[k], plan, &policy->allowed_rules, place(r, &m->allowed_transfers, m->pos), key);
	}
	for (size_t i = 0; i < c->n_schedules; i++)
		for (size_t k = 0; k < c->schedules[i].n_holidays; k++) {
			text_print(key, sizeof key, "holidays[%zu].greeting_prompt", k);
			prompt(r, &c->schedules[i].holidays[k].greeting_prompt, c->schedules[i].holidays[k].pos, "schedules", i, key);
		}
}

size_t dlg_review(const struct cfg *cfg, dlg_has_prompt_h *has_prompt, void *arg, struct cfg_errors *errors)
{
	struct review r = { .cfg = cfg, .has_prompt = has_prompt, .arg = arg, .errors = errors };
	r.seen = mem_zalloc(cfg->n_attendants + 1, sizeof *r.seen);
	if (!r.seen) {
		errors->more++; /* nothing can be said of it */
		return 1;
	}
	learn_lengths(&r);
	check_reach(&r);
	for (size_t i = 0; i < cfg->n_attendants; i++)
		check_attendant(&r, i);
	check_others(&r);
	mem_free(r.seen);
	return r.found;
}

/* ---- languages ---- */

struct tongues {
	const struct cfg *cfg;
	dlg_speaks_h *speaks;
	const char *known;
	void *arg;
	struct cfg_errors *errors;
	size_t found;
};

static void language(struct tongues *t, const char *tag, struct cfg_pos pos, const char *list, size_t i, const char *member)
{
	char key[80], fix[400];
	if (!*tag || t->speaks(tag, t->arg))
		return;
	text_print(key, sizeof key, "%s[%zu].%s", list, i, member);
	text_print(fix, sizeof fix, "use one of those that are installed (%s), or install the prompts of that language", t->known);
	cfg_fail(t->errors, t->cfg->path, pos, key, fix, "there are no prompts in \"%s\": callers would hear those of another language", tag);
	t->found++;
}

static void languages_of_keys(struct tongues *t, const struct cfg_menu_key *k, size_t n, size_t i, const char *member)
{
	for (size_t m = 0; m < n; m++)
		if (k[m].action == CFG_ACT_LANGUAGE)
			language(t, k[m].target, k[m].pos, "attendants", i, member);
}

size_t dlg_review_languages(const struct cfg *cfg, dlg_speaks_h *speaks, const char *known, void *arg, struct cfg_errors *errors)
{
	struct tongues t = { .cfg = cfg, .speaks = speaks, .known = known, .arg = arg, .errors = errors };
	struct review r = { .cfg = cfg };
	for (size_t i = 0; i < cfg->n_dialplans; i++)
		language(&t, cfg->dialplans[i].language, place(&r, &cfg->dialplans[i].language, cfg->dialplans[i].pos), "dialplans", i, "language");
	for (size_t i = 0; i < cfg->n_attendants; i++) {
		const struct cfg_attendant *a = &cfg->attendants[i];
		language(&t, a->language, place(&r, &a->language, a->pos), "attendants", i, "language");
		languages_of_keys(&t, a->keys, a->n_keys, i, "keys");
		if (a->closed.keys != a->keys)
			languages_of_keys(&t, a->closed.keys, a->closed.n_keys, i, "closed.keys");
	}
	for (size_t i = 0; i < cfg->n_mailboxes; i++)
		language(&t, cfg->mailboxes[i].language, place(&r, &cfg->mailboxes[i].language, cfg->mailboxes[i].pos), "mailboxes", i, "language");
	return t.found;
}
