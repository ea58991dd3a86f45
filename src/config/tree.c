/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c  libyaml's events as a tree with positions. Plain YAML only: no anchors, aliases or tags, which would let a small file mean a
 * huge one, and no second document.                                                                                          */
#include <errno.h>
#include <yaml.h>
#include "config/config_private.h"

enum { NODES_MAX = 400000 };

struct builder {
	struct arena *a;
	const char *path;
	struct cfg_errors *errors;
	struct tree *stack[CFG_DEPTH_MAX + 1];
	unsigned depth;
	struct tree *key; /* read, its value not yet */
	struct tree *root;
	unsigned n, documents;
};

static struct cfg_pos pos_of(yaml_mark_t m)
{
	return (struct cfg_pos){ (uint32_t)m.line + 1, (uint32_t)m.column + 1 };
}

static int refuse(struct builder *b, yaml_mark_t at, const char *what, const char *fix)
{
	cfg_fail(b->errors, b->path, pos_of(at), "YAML", fix, "%s", what);
	return EINVAL;
}

static struct tree *node(struct builder *b, enum tree_kind kind, yaml_mark_t at)
{
	struct tree *t = arena_alloc(b->a, sizeof *t);
	if (t) {
		t->kind = kind;
		t->pos = pos_of(at);
		t->last = &t->first;
	}
	return t;
}

static const struct tree *same_key(const struct tree *map, struct text key)
{
	for (const struct tree *c = map->first; c; c = c->next)
		if (text_eq(c->key->text, key))
			return c;
	return NULL;
}

/* Puts a finished or beginning node where it belongs. */
static int place(struct builder *b, struct tree *t, yaml_mark_t at)
{
	struct tree *in = b->depth ? b->stack[b->depth - 1] : NULL;
	if (!in) {
		b->root = t;
		return 0;
	}
	if (in->kind == TREE_MAP && !b->key) {
		const struct tree *old = t->kind == TREE_SCALAR ? same_key(in, t->text) : NULL;
		if (t->kind != TREE_SCALAR)
			return refuse(b, at, "a key must be a word", "write key: value");
		if (old) {
			cfg_fail(b->errors, b->path, t->pos, "YAML", "keep one of them", "the key \"%.*s\" stands twice, first in line %u", TEXT_FMT(t->text),
				old->key->pos.line);
		}
		b->key = t;
		return 0;
	}
	t->key = b->key;
	b->key = NULL;
	*in->last = t;
	in->last = &t->next;
	in->n++;
	return 0;
}

static int scalar(struct builder *b, const yaml_event_t *e)
{
	struct tree *t = node(b, TREE_SCALAR, e->start_mark);
	if (!t)
		return ENOMEM;
	char *s = arena_text(b->a, text_make(e->data.scalar.value, e->data.scalar.length));
	if (!s)
		return ENOMEM;
	t->text = text_make(s, e->data.scalar.length);
	t->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return place(b, t, e->start_mark);
}

static int open_node(struct builder *b, const yaml_event_t *e, enum tree_kind kind)
{
	if (b->depth >= CFG_DEPTH_MAX)
		return refuse(b, e->start_mark, "too many levels", "no setting lies that deep; look at the indentation");
	struct tree *t = node(b, kind, e->start_mark);
	if (!t)
		return ENOMEM;
	int err = place(b, t, e->start_mark);
	if (!err)
		b->stack[b->depth++] = t;
	return err;
}

static bool marked(const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return true;
	case YAML_SCALAR_EVENT:
		return e->data.scalar.anchor || e->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return e->data.sequence_start.anchor || e->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return e->data.mapping_start.anchor || e->data.mapping_start.tag;
	default:
		return false;
	}
}

static int take(struct builder *b, const yaml_event_t *e)
{
	if (++b->n > NODES_MAX)
		return refuse(b, e->start_mark, "too much in one file", "split the organisation over several stores");
	if (marked(e))
		return refuse(b, e->start_mark, "anchors, aliases and tags are not supported", "write the value out");
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return b->documents++ ? refuse(b, e->start_mark, "a second document", "keep everything in one, without ---") : 0;
	case YAML_SCALAR_EVENT:
		return scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(b, e, TREE_LIST);
	case YAML_MAPPING_START_EVENT:
		return open_node(b, e, TREE_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return 0;
	default:
		return 0;
	}
}

static int syntax(struct builder *b, const yaml_parser_t *p)
{
	if (p->error == YAML_MEMORY_ERROR)
		return ENOMEM;
	cfg_fail(b->errors, b->path, pos_of(p->problem_mark), "YAML", p->problem && strstr(p->problem, "cannot start any token") ? "is it a tab? Indent with spaces, and put what begins with a special sign into quotes" :
	         "look at indentation, quotes and colons here and in the line above", "%s",
		p->problem ? p->problem : "cannot be read");
	return EINVAL;
}

int tree_parse(struct tree **tp, struct arena *a, const char *path, struct text yaml, struct cfg_errors *errors)
{
	struct builder b = { .a = a, .path = path, .errors = errors };
	yaml_parser_t parser;
	size_t had = errors ? errors->n : 0;
	int err = 0;
	if (!yaml_parser_initialize(&parser))
		return ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)(yaml.n ? yaml.p : ""), yaml.n);
	for (bool more = true; more && !err;) {
		yaml_event_t e;
		if (!yaml_parser_parse(&parser, &e)) {
			err = syntax(&b, &parser);
			break;
		}
		more = e.type != YAML_STREAM_END_EVENT;
		err = take(&b, &e);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	if (!err && errors && errors->n > had)
		err = EINVAL;
	if (!err && b.root == NULL) {
		cfg_fail(errors, path, (struct cfg_pos){ 1, 1 }, "file", "begin with node:", "is empty");
		err = EINVAL;
	}
	if (!err)
		*tp = b.root;
	return err;
}
