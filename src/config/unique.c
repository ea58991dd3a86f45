/* SPDX-License-Identifier: Apache-2.0 */
/* unique.c  Names and numbers that may stand once only: of two that are the same, the later one is told with the line of the first. */
#include <stdlib.h>
#include <strings.h>
#include "config/check.h"

struct use {
	const char *what, *by;
	struct cfg_pos pos;
	char key[96];
};

static int by_what(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	int c = strcasecmp(x->what, y->what);
	return c ? c : x->pos.line < y->pos.line ? -1 : x->pos.line > y->pos.line;
}

struct uses {
	struct use *v;
	size_t n, room;
};

static void use(struct binder *b, struct uses *u, const char *what, const char *by, struct cfg_pos pos, const char *list, size_t i, const char *key)
{
	if (!what || !what[0])
		return;
	if (u->n == u->room) {
		size_t room = u->room ? u->room * 2 : 64;
		struct use *v = mem_realloc(u->v, room * sizeof *v);
		if (!v) {
			b->all->arena.failed = true;
			return;
		}
		u->v = v;
		u->room = room;
	}
	struct use *x = &u->v[u->n++];
	*x = (struct use){ what, by ? by : "?", pos, "" };
	text_print(x->key, sizeof x->key, "%s[%zu].%s", list, i, key);
}

static void complain_twice(struct binder *b, struct uses *u, const char *fix)
{
	if (u->n)
		qsort(u->v, u->n, sizeof *u->v, by_what);
	for (size_t i = 1; i < u->n; i++)
		if (strcasecmp(u->v[i].what, u->v[i - 1].what) == 0)
			cfg_fail(b->errors, b->path, u->v[i].pos, u->v[i].key, fix, "\"%s\" is used already, by %s in line %u", u->v[i].what, u->v[i - 1].by,
				u->v[i - 1].pos.line);
	mem_free(u->v);
	*u = (struct uses){ 0 };
}

void cfg_names_twice(struct binder *b, const char *list, const void *v, size_t n, size_t size)
{
	struct uses u = { 0 };
	for (size_t i = 0; i < n; i++)
		use(b, &u, cfg_nth(v, size, i)->name, cfg_nth(v, size, i)->name, cfg_nth(v, size, i)->pos, list, i, "name");
	complain_twice(b, &u, "give each its own name");
}

static void use_all(struct binder *b, struct uses *u, const struct cfg_strings *s, const char *by, struct cfg_pos pos, const char *list, size_t i, const char *key)
{
	struct cfg_pos where = cfg_pos_of(&b->all->cfg, s);
	for (size_t k = 0; k < s->n; k++)
		use(b, u, s->v[k], by, where.line ? where : pos, list, i, key);
}

void cfg_numbers_twice(struct binder *b)
{
	const struct cfg *c = &b->all->cfg;
	struct uses u = { 0 };
	for (size_t i = 0; i < c->n_mailboxes; i++) {
		const struct cfg_mailbox *m = &c->mailboxes[i];
		use_all(b, &u, &m->extensions, m->name, m->pos, "mailboxes", i, "extensions");
		use_all(b, &u, &m->sip_uris, m->name, m->pos, "mailboxes", i, "sip_uris");
	}
	for (size_t i = 0; i < c->n_attendants; i++) {
		const struct cfg_attendant *a = &c->attendants[i];
		use_all(b, &u, &a->numbers, a->name, a->pos, "attendants", i, "numbers");
		use_all(b, &u, &a->uris, a->name, a->pos, "attendants", i, "uris");
	}
	for (size_t i = 0; i < c->n_dialplans; i++)
		use_all(b, &u, &c->dialplans[i].access_numbers, c->dialplans[i].name, c->dialplans[i].pos, "dialplans", i, "access_numbers");
	complain_twice(b, &u, "give each number and URI to one only");
}
