/* SPDX-License-Identifier: Apache-2.0 */
/* edit.c  The tree of a file of objects, changed and written out again. */
#include "config/edit.h"
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include "config/config_private.h"

enum { INDENT_MAX = 64, OUT_MAX = CFG_FILE_MAX_BYTES };

/* ---- writing a tree ---- */

static void quoted(struct buf *out, struct text t)
{
	buf_char(out, '"');
	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.p[i];
		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_char(out, (char)c);
	}
	buf_char(out, '"');
}

/* Letters, _ and - within: never YAML of any other meaning to us, who take keys as texts. */
static bool plain_word(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!((t.p[i] >= 'a' && t.p[i] <= 'z') || (i && (t.p[i] == '_' || t.p[i] == '-'))))
			return false;
	return t.n > 0;
}

static void scalar(struct buf *out, const struct tree *t)
{
	if (t->quoted)
		quoted(out, t->text);
	else
		buf_text(out, t->text);
}

static void indent(struct buf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth && i < INDENT_MAX; i++)
		buf_str(out, "  ");
}

static void node(struct buf *out, const struct tree *t, unsigned depth);

static void members(struct buf *out, const struct tree *t, unsigned depth, bool first_stands)
{
	for (const struct tree *c = t->first; c; c = c->next) {
		if (!first_stands)
			indent(out, depth);
		first_stands = false;
		if (plain_word(c->key->text))
			buf_text(out, c->key->text);
		else
			quoted(out, c->key->text);
		buf_char(out, ':');
		node(out, c, depth);
	}
}

/* What follows a key or a dash: on the same line, or below it. */
static void node(struct buf *out, const struct tree *t, unsigned depth)
{
	if (t->kind == TREE_SCALAR) {
		buf_char(out, ' ');
		scalar(out, t);
		buf_char(out, '\n');
	} else if (!t->first) {
		buf_str(out, t->kind == TREE_MAP ? " {}\n" : " []\n");
	} else if (t->kind == TREE_MAP) {
		buf_char(out, '\n');
		members(out, t, depth + 1, false);
	} else {
		buf_char(out, '\n');
		for (const struct tree *c = t->first; c; c = c->next) {
			indent(out, depth + 1);
			buf_char(out, '-');
			if (c->kind == TREE_MAP && c->first) {
				buf_char(out, ' ');
				members(out, c, depth + 2, true);
			} else {
				node(out, c, depth + 1);
			}
		}
	}
}

/* ---- changing a tree ---- */

struct editor {
	struct arena arena;
	struct tree *root;
	struct cfg_errors *errors;
	struct cfg_edit *edit;
};

static void wrong(struct editor *e, const char *fix, const char *what, const char *name)
{
	char words[300];
	text_print(words, sizeof words, what, name);
	cfg_fail(e->errors, e->edit->list, (struct cfg_pos){ 0, 0 }, e->edit->name, fix, "%s", words);
}

static struct tree *new_node(struct editor *e, enum tree_kind kind, struct text t)
{
	struct tree *x = arena_alloc(&e->arena, sizeof *x);
	if (!x)
		return NULL;
	char *copy = arena_text(&e->arena, t);
	*x = (struct tree){ .kind = kind, .text = text_make(copy ? copy : "", copy ? t.n : 0), .quoted = true };
	x->last = &x->first;
	return x;
}

static struct tree *find(const struct tree *map, struct text key)
{
	for (struct tree *c = map->first; c; c = c->next)
		if (text_eq(c->key->text, key))
			return c;
	return NULL;
}

static void append(struct tree *to, struct tree *x)
{
	*to->last = x;
	to->last = &x->next;
	to->n++;
}

static void unlink_node(struct tree *from, const struct tree *x)
{
	struct tree **at = &from->first;
	while (*at && *at != x)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = x->next;
	from->n--;
	from->last = &from->first;
	while (*from->last)
		from->last = &(*from->last)->next;
}

static struct tree *put(struct editor *e, struct tree *map, struct text key, struct tree *value)
{
	struct tree *old = find(map, key), *k = new_node(e, TREE_SCALAR, key);
	if (!value || !k)
		return NULL;
	value->key = k;
	value->next = NULL;
	if (old) { /* keeps its place */
		struct tree **at = &map->first;
		while (*at != old)
			at = &(*at)->next;
		value->next = old->next;
		*at = value;
		if (!value->next)
			map->last = &value->next;
	} else {
		append(map, value);
	}
	return value;
}

/* A map below a map, made if it is not there. */
static struct tree *below(struct editor *e, struct tree *map, struct text key, enum tree_kind kind, bool make)
{
	struct tree *x = find(map, key);
	if (x && x->kind == kind)
		return x;
	return make ? put(e, map, key, new_node(e, kind, TEXT_NONE)) : NULL;
}

static struct tree *value_of(struct editor *e, const char *key, const char *value)
{
	struct tree *t = NULL;
	struct cfg_errors own = { 0 };
	if (!*value || !strchr("[{\"'", *value))
		return new_node(e, TREE_SCALAR, text_of(value));
	int err = tree_parse(&t, &e->arena, key, text_of(value), &own);
	if (err) {
		char fix[200];
		text_print(fix, sizeof fix, "write it as in the file, and put it into quotes for the shell: '%s=[\"201\", \"202\"]'", key);
		wrong(e, fix, "the value of %s cannot be read", key);
	}
	cfg_errors_free(&own);
	return err ? NULL : t;
}

static void set_one(struct editor *e, struct tree *object, const struct cfg_edit_setting *s)
{
	struct text group, key;
	bool several;
	if (!cfg_setting_known(e->edit->list, s->key, &several)) {
		wrong(e, "umbel.yaml(5) lists the settings of each kind of object", "there is no setting %s", s->key);
		return;
	}
	struct tree *map = object;
	if (text_cut(text_of(s->key), '.', &group, &key))
		map = below(e, object, group, TREE_MAP, s->value != NULL);
	else
		key = text_of(s->key);
	if (!map)
		return; /* a setting of a group that is not there is the default already */
	if (s->value)
		put(e, map, key, value_of(e, s->key, s->value));
	else if (find(map, key))
		unlink_node(map, find(map, key));
}

/* Names are found by halving in thousands of objects only after sorting; a table of them costs more than it saves here, but for imports. */
static struct tree *object_named(const struct tree *list, const char *name, size_t *index)
{
	size_t i = 0;
	for (struct tree *c = list ? list->first : NULL; c; c = c->next, i++) {
		const struct tree *n = c->kind == TREE_MAP ? find(c, TEXT("name")) : NULL;
		if (n && n->kind == TREE_SCALAR && text_eq_nocase(n->text, text_of(name))) {
			*index = i;
			return c;
		}
	}
	return NULL;
}

static void apply(struct editor *e)
{
	struct cfg_edit *x = e->edit;
	size_t index = SIZE_MAX;
	struct tree *list = below(e, e->root, text_of(x->list), TREE_LIST, x->op == CFG_EDIT_ADD), *object = object_named(list, x->name, &index);
	x->index = SIZE_MAX;
	if (x->op == CFG_EDIT_ADD && object) {
		wrong(e, "choose another name, or change it with set", "%s is there already", x->name);
		return;
	}
	if (x->op != CFG_EDIT_ADD && !object) {
		wrong(e, "list shows those that are there; add makes a new one", "there is no %s", x->name);
		return;
	}
	if (x->op == CFG_EDIT_REMOVE) {
		unlink_node(list, object);
		return;
	}
	if (x->op == CFG_EDIT_ADD && list) {
		object = new_node(e, TREE_MAP, TEXT_NONE);
		if (!object || !put(e, object, TEXT("name"), new_node(e, TREE_SCALAR, text_of(x->name))))
			return;
		index = list->n;
		append(list, object);
	}
	for (size_t i = 0; object && i < x->n; i++)
		set_one(e, object, &x->set[i]);
	x->index = index;
}

int cfg_edit(struct text yaml, struct cfg_edit *edits, size_t n, struct buf *out, struct cfg_errors *errors)
{
	struct editor e = { .errors = errors };
	size_t had = errors->n + errors->more;
	int err = 0;
	if (text_trim(yaml).n)
		err = tree_parse(&e.root, &e.arena, "objects", yaml, errors);
	else
		e.root = new_node(&e, TREE_MAP, TEXT_NONE);
	if (!err && e.root && e.root->kind != TREE_MAP)
		err = EINVAL;
	for (size_t i = 0; !err && e.root && i < n; i++) {
		e.edit = &edits[i];
		apply(&e);
	}
	if (!err && e.arena.failed)
		err = ENOMEM;
	if (!err && errors->n + errors->more > had)
		err = EINVAL;
	if (!err) {
		members(out, e.root, 0, false);
		if (!e.root->first)
			buf_str(out, "{}\n");
		err = buf_error(out);
	}
	arena_free(&e.arena);
	return err;
}

/* ---- by the tables ---- */

static const struct cfg_sub *sub_named(const struct cfg_object *o, struct text key)
{
	for (size_t i = 0; i < o->n_subs; i++)
		if (text_is(key, o->subs[i].key))
			return &o->subs[i];
	return NULL;
}

static const struct cfg_sub *list_of(const char *list)
{
	const struct cfg_sub *s = sub_named(&cfg_root, text_of(list));
	return s && s->list ? s : NULL;
}

bool cfg_setting_known(const char *list, const char *key, bool *several)
{
	struct text group = TEXT_NONE, rest = text_of(key);
	const struct cfg_sub *s = list_of(list);
	const struct cfg_object *o = s ? s->object : NULL;
	*several = false;
	if (o && text_find(rest, '.') != SIZE_MAX) {
		text_cut(text_of(key), '.', &group, &rest);
		const struct cfg_sub *below_it = sub_named(o, group);
		o = below_it && !below_it->list ? below_it->object : NULL;
	}
	for (size_t i = 0; o && i < o->n_rows; i++)
		if (text_is(rest, o->rows[i].key)) {
			*several = cfg_is_list(o->rows[i].type);
			return true;
		}
	const struct cfg_sub *whole = o && !group.n ? sub_named(o, rest) : NULL;
	*several = whole && whole->list;
	return whole && whole->list;
}

static const char *object_at(const struct cfg *c, const struct cfg_sub *s, size_t i)
{
	const char *v = *(const char *const *)(const void *)((const char *)c + s->offset);
	size_t n = *(const size_t *)(const void *)((const char *)c + s->offset_n);
	return i < n ? v + i * s->object->size : NULL;
}

size_t cfg_list_count(const struct cfg *c, const char *list)
{
	const struct cfg_sub *s = list_of(list);
	return s ? *(const size_t *)(const void *)((const char *)c + s->offset_n) : 0;
}

const char *cfg_list_name(const struct cfg *c, const char *list, size_t i)
{
	const struct cfg_sub *s = list_of(list);
	const char *o = s ? object_at(c, s, i) : NULL;
	if (!o)
		return "";
	const struct {
		struct cfg_pos pos;
		const char *name;
	} *x = (const void *)o;
	return x->name ? x->name : "";
}

static void keys_text(const struct cfg_menu_key *k, size_t n, struct buf *b)
{
	for (size_t i = 0; i < n; i++) {
		buf_str(b, i ? ", " : "{");
		if (k[i].key == 't')
			buf_str(b, "timeout: ");
		else
			buf_printf(b, "\"%c\": ", k[i].key);
		buf_printf(b, "%s%s%s", cfg_action_name(k[i].action), *k[i].target ? " " : "", k[i].target);
	}
	buf_str(b, n ? "}" : "{}");
}

static void hours_text(const struct cfg_period *p, size_t n, struct buf *b)
{
	static const char *const days[7] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	for (size_t i = 0; i < n; i++) {
		bool more = i && p[i - 1].day == p[i].day;
		unsigned to = p[i].to_min > CFG_DAY_MIN ? p[i].to_min - CFG_DAY_MIN : p[i].to_min;
		if (more)
			buf_str(b, ", ");
		else
			buf_printf(b, "%s%s: \"", i ? "\", " : "{", days[p[i].day % 7]);
		buf_printf(b, "%02u:%02u-%02u:%02u", p[i].from_min / 60u, p[i].from_min % 60u, to / 60, to % 60);
	}
	buf_str(b, n ? "\"}" : "{}");
}

static void strings_text(const struct cfg_strings *s, struct buf *b)
{
	buf_char(b, '[');
	for (size_t i = 0; i < s->n; i++) {
		if (i)
			buf_str(b, ", ");
		quoted(b, text_of(s->v[i]));
	}
	buf_char(b, ']');
}

static void date_text(const struct cfg_date *d, struct buf *b)
{
	if (d->year)
		buf_printf(b, "%04d-", d->year);
	if (d->month)
		buf_printf(b, "%02d-%02d", d->month, d->day);
	if (d->month && d->minute >= 0)
		buf_printf(b, " %02d:%02d", d->minute / 60, d->minute % 60);
}

static void value_text(const struct cfg_row *r, const void *at, struct buf *b)
{
	const struct cfg_strings *s = at;
	switch (r->type) {
	case CFG_BOOL: buf_str(b, *(const bool *)at ? "true" : "false"); break;
	case CFG_U16: buf_printf(b, "%u", *(const uint16_t *)at); break;
	case CFG_U32: buf_printf(b, "%u", *(const uint32_t *)at); break;
	case CFG_MS: buf_printf(b, "%llu", (unsigned long long)*(const uint64_t *)at); break;
	case CFG_SEC: buf_printf(b, "%g", (double)*(const uint64_t *)at / 1000); break;
	case CFG_DATE: date_text(at, b); break;
	case CFG_KEYS: keys_text(*(const struct cfg_menu_key *const *)at, s->n, b); break;
	case CFG_HOURS: hours_text(*(const struct cfg_period *const *)at, s->n, b); break;
	default:
		if (cfg_is_list(r->type)) {
			strings_text(s, b);
		} else {
			size_t n;
			if (cfg_words(r->type, &n))
				buf_str(b, cfg_word_of(r->type, *(const int *)at));
			else
				buf_str(b, *(const char *const *)at ? *(const char *const *)at : "");
		}
	}
}

static int show_rows(const struct cfg *c, const struct cfg_object *o, const char *base, const char *group, cfg_show_h *h, void *arg)
{
	struct buf b;
	char key[96];
	int err = 0;
	buf_init(&b, 1 << 20);
	for (size_t i = 0; !err && i < o->n_rows; i++) {
		const void *at = base + o->rows[i].offset;
		buf_clear(&b);
		value_text(&o->rows[i], at, &b);
		text_print(key, sizeof key, "%s%s", group, o->rows[i].key);
		const char *value = buf_cstr(&b);
		if (value)
			h(key, value, cfg_pos_of(c, at).line != 0, o->rows[i].help, arg);
		else
			err = ENOMEM;
	}
	buf_free(&b);
	return err;
}

/* Rules of a dial plan, holidays of a schedule: as they would stand there, without what is empty. */
static int show_list(const struct cfg_sub *s, const char *base, cfg_show_h *h, void *arg)
{
	size_t n = *(const size_t *)(const void *)(base + s->offset_n);
	struct buf b, one;
	buf_init(&b, 1 << 20);
	buf_init(&one, 1 << 16);
	buf_char(&b, '[');
	for (size_t i = 0; i < n; i++) {
		const char *o = *(const char *const *)(const void *)(base + s->offset) + i * s->object->size;
		buf_str(&b, i ? ", {" : "{");
		for (size_t k = 0, put_any = 0; k < s->object->n_rows; k++) {
			buf_clear(&one);
			value_text(&s->object->rows[k], o + s->object->rows[k].offset, &one);
			if (!one.n)
				continue;
			buf_printf(&b, "%s%s: ", put_any++ ? ", " : "", s->object->rows[k].key);
			quoted(&b, buf_as_text(&one));
		}
		buf_char(&b, '}');
	}
	buf_char(&b, ']');
	const char *value = buf_cstr(&b);
	if (value)
		h(s->key, value, n > 0, s->object->help, arg);
	int err = value ? 0 : ENOMEM;
	buf_free(&b);
	buf_free(&one);
	return err;
}

int cfg_show(const struct cfg *c, const char *list, size_t i, cfg_show_h *h, void *arg)
{
	const struct cfg_sub *s = list_of(list);
	const char *base = s ? object_at(c, s, i) : NULL;
	if (!base)
		return ENOENT;
	int err = show_rows(c, s->object, base, "", h, arg);
	for (size_t k = 0; !err && k < s->object->n_subs; k++) {
		const struct cfg_sub *g = &s->object->subs[k];
		char group[48];
		text_print(group, sizeof group, "%s.", g->key);
		err = g->list ? show_list(g, base, h, arg) : show_rows(c, g->object, base + g->offset, group, h, arg);
	}
	return err;
}
