/* SPDX-License-Identifier: Apache-2.0 */
/* list.c  Settings that are lists: of texts, of addresses to listen on, of levels, of menu keys. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include "config/config_private.h"

/* All list members are laid out alike: the array, then how many. */
struct array {
	const void *v;
	size_t n;
};

static struct array *array_of(const struct cfg_row *row, void *base)
{
	return (struct array *)(void *)((char *)base + row->offset);
}

static bool too_many(struct binder *b, const struct cfg_row *row, const struct tree *t, size_t n)
{
	char fix[64];
	if (n >= (size_t)row->least && n <= (size_t)row->most)
		return false;
	text_print(fix, sizeof fix, "give %lld to %lld", (long long)row->least, (long long)row->most);
	cfg_wrong(b, t->pos, fix, "has %zu entries", n);
	return true;
}

/* One value counts as a list of one. */
static const struct tree *first_of(const struct tree *t, size_t *n)
{
	*n = t->kind == TREE_LIST ? t->n : 1;
	return t->kind == TREE_LIST ? t->first : t;
}

static void strings(struct binder *b, const struct cfg_row *row, const struct tree *t, struct array *out)
{
	size_t n, got = 0;
	const struct tree *c = first_of(t, &n);
	if (t->kind == TREE_MAP) {
		cfg_wrong(b, t->pos, "write a list", "is a map");
		return;
	}
	if (too_many(b, row, t, n))
		return;
	const char **v = arena_alloc(&b->all->arena, (n ? n : 1) * sizeof *v);
	for (size_t i = 0; v && i < n; i++, c = t->kind == TREE_LIST ? c->next : NULL) {
		const char *wrong = c->kind == TREE_SCALAR ? cfg_text_wrong(cfg_element(row->type), c->text) : "give one value";
		if (!wrong && c->text.n > 400)
			wrong = "use at most 400 characters";
		if (wrong)
			cfg_wrong(b, c->pos, wrong, "holds \"%.*s\"", TEXT_FMT(text_head(c->text, 80)));
		else if ((v[got] = arena_text(&b->all->arena, c->text)) != NULL)
			got++;
	}
	*out = (struct array){ v, v ? got : 0 };
}

/* ---- listen ---- */

/* transport:address:port; an IPv6 address stands in brackets. */
static bool one_listen(struct binder *b, struct text t, struct cfg_listen *l)
{
	struct text word, rest, host, port;
	size_t n, colon;
	uint32_t number;
	const struct cfg_word *w = cfg_words(CFG_TRANSPORT, &n);
	if (!text_cut(t, ':', &word, &rest))
		return false;
	for (size_t i = 0; i < n; i++)
		if (text_is_nocase(word, w[i].word) && w[i].value != CFG_TRANSPORT_AUTO) {
			l->transport = (enum cfg_transport)w[i].value;
			colon = text_rfind(rest, ':');
			if (colon == SIZE_MAX)
				return false;
			host = text_head(rest, colon);
			port = text_skip(rest, colon + 1);
			if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
				host = text_make(host.p + 1, host.n - 2);
			char s[64];
			struct in6_addr a;
			if (text_copy(host, s, sizeof s) || (inet_pton(AF_INET, s, &a) != 1 && inet_pton(AF_INET6, s, &a) != 1) || text_u32(port, 65535, &number))
				return false;
			l->port = (uint16_t)number;
			l->address = arena_text(&b->all->arena, host);
			return l->address != NULL;
		}
	return false;
}

static void listens(struct binder *b, const struct cfg_row *row, const struct tree *t, struct array *out)
{
	size_t n, got = 0;
	const struct tree *c = first_of(t, &n);
	if (too_many(b, row, t, n))
		return;
	struct cfg_listen *v = arena_alloc(&b->all->arena, (n ? n : 1) * sizeof *v);
	for (size_t i = 0; v && i < n; i++, c = t->kind == TREE_LIST ? c->next : NULL) {
		v[got].pos = c->pos;
		if (c->kind == TREE_SCALAR && one_listen(b, c->text, &v[got]))
			got++;
		else
			cfg_wrong(b, c->pos, "write transport:address:port, as in tls:192.0.2.10:5061 or udp:[::1]:5060", "holds \"%.*s\"",
				TEXT_FMT(text_head(c->text, 80)));
	}
	*out = (struct array){ v, v ? got : 0 };
}

/* ---- maps ---- */

static void levels(struct binder *b, const struct cfg_row *row, const struct tree *t, struct array *out)
{
	static const char *const names[] = { "lowest", "low", "medium", "high", "expert" };
	size_t got = 0;
	if (t->kind != TREE_MAP) {
		cfg_wrong(b, t->pos, "write category: level, one a line", "is not a map");
		return;
	}
	if (too_many(b, row, t, t->n))
		return;
	struct cfg_level *v = arena_alloc(&b->all->arena, (t->n ? t->n : 1) * sizeof *v);
	for (const struct tree *c = t->first; v && c; c = c->next) {
		bool good = false;
		for (size_t i = 0; i < 5; i++)
			good = good || text_is(c->text, names[i]);
		v[got] = (struct cfg_level){ c->pos, arena_text(&b->all->arena, c->key->text), arena_text(&b->all->arena, c->text) };
		if (!good)
			cfg_wrong(b, c->pos, "use one of lowest, low, medium, high, expert", "%.*s is \"%.*s\"", TEXT_FMT(text_head(c->key->text, 40)),
				TEXT_FMT(text_head(c->text, 40)));
		else
			got++;
	}
	*out = (struct array){ v, got };
}

static bool one_action(struct binder *b, enum cfg_type type, struct text text, struct cfg_menu_key *k)
{
	struct text word, target = TEXT_NONE;
	size_t n;
	const struct cfg_word *w = cfg_words(type, &n);
	text_cut(text_trim(text), ' ', &word, &target);
	target = text_trim(target);
	for (size_t i = 0; i < n; i++) {
		if (!text_is(word, w[i].word))
			continue;
		k->action = (enum cfg_action)w[i].value;
		k->target = arena_text(&b->all->arena, target);
		bool wants = k->action == CFG_ACT_EXTENSION || k->action == CFG_ACT_ATTENDANT || k->action == CFG_ACT_MAILBOX || k->action == CFG_ACT_LANGUAGE ||
		             k->action == CFG_ACT_TRANSFER;
		if (wants == (target.n > 0) && (!wants || !cfg_text_wrong(CFG_TARGET, target)))
			return true;
	}
	return false;
}

/* An action, or a map of what to do and how it is called when the menu is read out. */
static bool one_key(struct binder *b, enum cfg_type type, const struct tree *c, struct cfg_menu_key *k)
{
	const struct tree *action = c->kind == TREE_SCALAR ? c : NULL;
	k->say = "";
	for (const struct tree *m = c->kind == TREE_MAP ? c->first : NULL; m; m = m->next) {
		if (m->kind == TREE_SCALAR && text_is(m->key->text, "do"))
			action = m;
		else if (m->kind == TREE_SCALAR && text_is(m->key->text, "say") && m->text.n <= 180 && !cfg_text_wrong(CFG_TEXT, m->text))
			k->say = arena_text(&b->all->arena, m->text);
		else
			return false;
	}
	return action && k->say && one_action(b, type, action->text, k);
}

static void keys(struct binder *b, const struct cfg_row *row, const struct tree *t, struct array *out)
{
	size_t got = 0;
	if (t->kind != TREE_MAP) {
		cfg_wrong(b, t->pos, "write key: action, one a line", "is not a map");
		return;
	}
	if (too_many(b, row, t, t->n))
		return;
	struct cfg_menu_key *v = arena_alloc(&b->all->arena, (t->n ? t->n : 1) * sizeof *v);
	for (const struct tree *c = t->first; v && c; c = c->next) {
		struct text name = c->key->text;
		bool timeout = text_is(name, "timeout");
		v[got].pos = c->pos;
		v[got].key = timeout ? 't' : name.n ? name.p[0] : 0;
		if (!timeout && (name.n != 1 || !strchr("0123456789*#", name.p[0])))
			cfg_wrong(b, c->key->pos, "use 0 to 9, \"*\", \"#\" or timeout", "\"%.*s\" is no key", TEXT_FMT(text_head(name, 40)));
		else if (!one_key(b, row->type, c, &v[got]))
			cfg_wrong(b, c->pos, row->type == CFG_ANSWERKEYS ? "use find-me, transfer TARGET, message, operator or hang-up" : "use extension N, attendant NAME, mailbox NAME, operator, dial-by-name, log-on, hours, location, language NAME, repeat or hang-up;"
				" or {do: one of them, say: at most 180 letters}", "key %.*s does \"%.*s\"", TEXT_FMT(name),
				TEXT_FMT(c->kind == TREE_SCALAR ? text_head(c->text, 80) : TEXT("something else")));
		else
			got++;
	}
	*out = (struct array){ v, got };
}

void cfg_list(struct binder *b, const struct cfg_row *row, const struct tree *t, void *base)
{
	struct array *out = array_of(row, base);
	if (row->type == CFG_LISTEN)
		listens(b, row, t, out);
	else if (row->type == CFG_LEVELS)
		levels(b, row, t, out);
	else if (row->type == CFG_KEYS || row->type == CFG_ANSWERKEYS)
		keys(b, row, t, out);
	else if (row->type == CFG_HOURS)
		cfg_hours(b, row, t, base);
	else
		strings(b, row, t, out);
}
