/* SPDX-License-Identifier: Apache-2.0 */
/* bind.c  The tree of the file into structs, by the tables of schema.c. Every mistake is noted and the rest goes on. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include "config/config_private.h"

void cfg_note(struct binder *b, const void *member, struct cfg_pos pos)
{
	struct cfg_all *a = b->all;
	if (a->n_places == a->room) {
		size_t room = a->room ? a->room * 2 : 256;
		struct cfg_place *v = mem_realloc(a->places, room * sizeof *v);
		if (!v) {
			a->arena.failed = true;
			return;
		}
		a->places = v;
		a->room = room;
	}
	a->places[a->n_places++] = (struct cfg_place){ member, pos };
}

void cfg_wrong(struct binder *b, struct cfg_pos pos, const char *fix, const char *what, ...)
{
	char words[500];
	va_list ap;
	va_start(ap, what);
	vsnprintf(words, sizeof words, what, ap);
	va_end(ap);
	cfg_fail(b->errors, b->path, pos, b->key, fix, "%s", words);
}

/* Adds ".name" or "[n]" to the key that errors name; returns what cut_key() needs. */
static size_t add_key(struct binder *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static size_t add_key(struct binder *b, const char *fmt, ...)
{
	size_t was = strlen(b->key);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(b->key + was, sizeof b->key - was, fmt, ap);
	va_end(ap);
	return was;
}

static void cut_key(struct binder *b, size_t was)
{
	b->key[was] = 0;
}

static int by_member(const void *a, const void *b)
{
	const struct cfg_place *x = a, *y = b;
	return x->member < y->member ? -1 : x->member > y->member;
}

void cfg_sort_places(struct cfg_all *all)
{
	if (all->n_places)
		qsort(all->places, all->n_places, sizeof *all->places, by_member);
	all->sorted = true;
}

static const struct tree *member(const struct tree *map, const char *key)
{
	for (const struct tree *c = map ? map->first : NULL; c; c = c->next)
		if (text_is(c->key->text, key))
			return c;
	return NULL;
}

static bool is_null(const struct tree *t)
{
	return t->kind == TREE_SCALAR && !t->quoted && (!t->text.n || text_is(t->text, "~") || text_is_nocase(t->text, "null"));
}

static void default_row(struct binder *b, const struct cfg_row *row, void *base)
{
	if (cfg_is_list(row->type) || !row->def || !row->def[0]) {
		if (!cfg_is_list(row->type) && (row->type <= CFG_PATH || (row->type >= CFG_STORE && row->type <= CFG_ADDRESS && row->type != CFG_PORTS)))
			*(const char **)(void *)((char *)base + row->offset) = "";
		return;
	}
	cfg_value(b, row, text_of(row->def), (struct cfg_pos){ 0, 0 }, base);
}

static void bind_row(struct binder *b, const struct cfg_row *row, const struct tree *map, void *base, struct cfg_pos at)
{
	const struct tree *t = member(map, row->key);
	size_t was = add_key(b, "%s%s", b->key[0] ? "." : "", row->key);
	default_row(b, row, base);
	if (!t || (is_null(t) && row->def)) {
		if (!row->def)
			cfg_wrong(b, at, row->help, "is missing");
	} else if (cfg_is_list(row->type)) {
		cfg_list(b, row, t, base);
		cfg_note(b, (char *)base + row->offset, t->pos);
	} else if (t->kind != TREE_SCALAR) {
		cfg_wrong(b, t->pos, "write one value behind the colon", "is a %s", t->kind == TREE_MAP ? "map" : "list");
	} else if (cfg_value(b, row, t->text, t->pos, base)) {
		cfg_note(b, (char *)base + row->offset, t->pos);
	}
	cut_key(b, was);
}

static bool is_known(const struct cfg_object *o, struct text key)
{
	for (size_t i = 0; i < o->n_rows; i++)
		if (text_is(key, o->rows[i].key))
			return true;
	for (size_t i = 0; i < o->n_subs; i++)
		if (text_is(key, o->subs[i].key))
			return true;
	return false;
}

static bool secret_word(struct text key)
{
	return text_is_nocase(key, "pin") || text_is_nocase(key, "pin_hash") || text_is_nocase(key, "password") || text_is_nocase(key, "greeting") ||
		text_is_nocase(key, "messages") || text_is_nocase(key, "failures") || text_is_nocase(key, "locked");
}

static void unknown_key(struct binder *b, const struct cfg_object *o, const struct tree *c)
{
	const char *known[64];
	char fix[200];
	size_t n = 0;
	for (size_t i = 0; i < o->n_rows && n < 64; i++)
		known[n++] = o->rows[i].key;
	for (size_t i = 0; i < o->n_subs && n < 64; i++)
		known[n++] = o->subs[i].key;
	size_t was = add_key(b, "%s%.*s", b->key[0] ? "." : "", TEXT_FMT(text_head(c->key->text, 64)));
	const char *near = cfg_nearest(c->key->text, known, n);
	if (strcmp(o->path, "mailboxes") == 0 && secret_word(c->key->text))
		cfg_wrong(b, c->key->pos, "take it out; use: umbel mailbox pin NAME", "PINs, greetings and counters are never in the file");
	else {
		text_print(fix, sizeof fix, near ? "did you mean %s?" : "take it out, or look into umbel.yaml(5)%s", near ? near : "");
		cfg_wrong(b, c->key->pos, fix, "is not a known key");
	}
	cut_key(b, was);
}

static void bind_object(struct binder *b, const struct cfg_object *o, const struct tree *map, void *base, struct cfg_pos at);

/* Every struct that is a list's member begins with its position. */
static void bind_list(struct binder *b, const struct cfg_sub *sub, const struct tree *t, char *base)
{
	if (!t || is_null(t))
		return;
	if (t->kind != TREE_LIST) {
		cfg_wrong(b, t->pos, "write one entry a line, each with - in front", "is not a list");
		return;
	}
	char *v = arena_alloc(&b->all->arena, (t->n ? t->n : 1) * sub->object->size);
	size_t n = 0;
	if (!v)
		return;
	for (const struct tree *c = t->first; c; c = c->next, n++) {
		char *one = v + n * sub->object->size;
		size_t was = add_key(b, "[%zu]", n);
		*(struct cfg_pos *)(void *)one = c->pos;
		if (c->kind != TREE_MAP)
			cfg_wrong(b, c->pos, "write - name: ... with its settings below", "is not a map");
		bind_object(b, sub->object, c->kind == TREE_MAP ? c : NULL, one, c->pos);
		cut_key(b, was);
	}
	*(void **)(void *)(base + sub->offset) = v;
	*(size_t *)(void *)(base + sub->offset_n) = n;
	cfg_note(b, base + sub->offset, t->pos);
}

static void bind_sub(struct binder *b, const struct cfg_sub *sub, const struct tree *map, char *base)
{
	const struct tree *t = member(map, sub->key);
	size_t was = add_key(b, "%s%s", b->key[0] ? "." : "", sub->key);
	if (sub->list) {
		bind_list(b, sub, t, base);
	} else {
		if (t && t->kind != TREE_MAP && !is_null(t)) {
			cfg_wrong(b, t->pos, "write its settings below it, indented", "is not a map");
			t = NULL;
		}
		bind_object(b, sub->object, t && t->kind == TREE_MAP ? t : NULL, base + sub->offset, t ? t->pos : (struct cfg_pos){ 1, 1 });
	}
	cut_key(b, was);
}

static void bind_object(struct binder *b, const struct cfg_object *o, const struct tree *map, void *base, struct cfg_pos at)
{
	for (const struct tree *c = map ? map->first : NULL; c; c = c->next)
		if (!is_known(o, c->key->text))
			unknown_key(b, o, c);
	for (size_t i = 0; i < o->n_rows; i++)
		bind_row(b, &o->rows[i], map, base, at);
	for (size_t i = 0; i < o->n_subs; i++)
		bind_sub(b, &o->subs[i], map, base);
}

/* `node:` has settings that must be given; without it they must not be asked for. */
static void bind_root(struct binder *b, const struct tree *root, enum cfg_want want)
{
	const struct tree *node = member(root, "node"), *nodes = member(root, "nodes");
	for (const struct tree *c = root->first; c; c = c->next)
		if (!is_known(&cfg_root, c->key->text))
			unknown_key(b, &cfg_root, c);
	if (want == CFG_WANT_NODE && !node)
		cfg_fail(b->errors, b->path, root->pos, "node", "say who this node is: node: with name, fqdn and listen below it", "is missing");
	if (want == CFG_WANT_OBJECTS && node)
		cfg_fail(b->errors, b->path, node->key->pos, "node", "leave it out: it belongs into the umbel.yaml of one node", "is not for all nodes");
	if (want == CFG_WANT_OBJECTS && nodes)
		cfg_fail(b->errors, b->path, nodes->key->pos, "nodes", "leave it out: it belongs into the umbel.yaml of each node", "nodes that share their objects have one store, and need no list");
	b->all->cfg.has_node = want == CFG_WANT_NODE;
	for (size_t i = 0; i < cfg_root.n_subs; i++)
		if (strcmp(cfg_root.subs[i].key, "node") != 0 || (node && want == CFG_WANT_NODE))
			bind_sub(b, &cfg_root.subs[i], root, (char *)&b->all->cfg);
}

int cfg_bind(struct binder *b, const struct tree *root, enum cfg_want want)
{
	if (root->kind != TREE_MAP) {
		cfg_fail(b->errors, b->path, root->pos, "file", "begin with node:", "holds no settings");
		return EINVAL;
	}
	bind_root(b, root, want);
	cfg_sort_places(b->all);
	if (!b->all->arena.failed)
		cfg_complete(b);
	if (!b->all->arena.failed)
		cfg_check(b);
	if (b->all->arena.failed)
		return ENOMEM;
	return b->errors->n || b->errors->more ? EINVAL : 0;
}
