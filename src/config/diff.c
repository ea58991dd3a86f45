/* SPDX-License-Identifier: Apache-2.0 */
/* diff.c  What changed between two configurations, by the same tables that made them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include "config/config_private.h"

struct differ {
	struct cfg_changes *out;
	int err;
	char key[512];
};

static void add(struct differ *d, enum cfg_change_kind kind, enum cfg_when when)
{
	struct cfg_changes *c = d->out;
	if (d->err)
		return;
	if (c->n == c->room) {
		size_t room = c->room ? c->room * 2 : 16;
		struct cfg_change *v = mem_realloc(c->v, room * sizeof *v);
		if (!v) {
			d->err = ENOMEM;
			return;
		}
		c->v = v;
		c->room = room;
	}
	char *key = mem_strdup(d->key);
	if (!key) {
		d->err = ENOMEM;
		return;
	}
	c->v[c->n++] = (struct cfg_change){ kind, when == CFG_RESTART, key };
}

static size_t down(struct differ *d, const char *key)
{
	size_t was = strlen(d->key);
	snprintf(d->key + was, sizeof d->key - was, "%s%s", was ? "." : "", key ? key : "?");
	return was;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_strings(const struct cfg_strings *a, const struct cfg_strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_text(a->v[i], b->v[i]))
			return false;
	return true;
}

static bool same_listen(const struct cfg_listen *const *a, const struct cfg_listen *const *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((*a)[i].transport != (*b)[i].transport || (*a)[i].port != (*b)[i].port || !same_text((*a)[i].address, (*b)[i].address))
			return false;
	return true;
}

static bool same_levels(const struct cfg_level *const *a, const struct cfg_level *const *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!same_text((*a)[i].category, (*b)[i].category) || !same_text((*a)[i].level, (*b)[i].level))
			return false;
	return true;
}

static bool same_keys(const struct cfg_menu_key *const *a, const struct cfg_menu_key *const *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((*a)[i].key != (*b)[i].key || (*a)[i].action != (*b)[i].action || !same_text((*a)[i].target, (*b)[i].target) ||
		    !same_text((*a)[i].say, (*b)[i].say))
			return false;
	return true;
}

static bool same_hours(const struct cfg_period *const *a, const struct cfg_period *const *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((*a)[i].day != (*b)[i].day || (*a)[i].from_min != (*b)[i].from_min || (*a)[i].to_min != (*b)[i].to_min)
			return false;
	return true;
}

static bool same(const struct cfg_row *row, const void *x, const void *y)
{
	const void *a = (const char *)x + row->offset, *b = (const char *)y + row->offset;
	size_t na = 0, nb = 0;
	if (cfg_is_list(row->type)) {
		na = ((const struct cfg_strings *)a)->n;
		nb = ((const struct cfg_strings *)b)->n;
		if (na != nb)
			return false;
	}
	switch (row->type) {
	case CFG_BOOL:
		return *(const bool *)a == *(const bool *)b;
	case CFG_U16:
		return *(const uint16_t *)a == *(const uint16_t *)b;
	case CFG_PORTS:
		return memcmp(a, b, 2 * sizeof(uint16_t)) == 0;
	case CFG_U32: case CFG_TRANSPORT: case CFG_RULE: case CFG_PROFILE: case CFG_TLSVERSION: case CFG_LEGACY: case CFG_REUSE: case CFG_STOREAWAY: case CFG_TRANSFERBY: case CFG_NAMEORDER:
	case CFG_REVOCATION: case CFG_STAPLE: case CFG_URIKIND: case CFG_SECURITY: case CFG_SRTP: case CFG_OFFERBY: case CFG_ANSWER: case CFG_AUTOONOFF: case CFG_AUDIOFORM:
		return memcmp(a, b, sizeof(uint32_t)) == 0;
	case CFG_MS: case CFG_SEC:
		return *(const uint64_t *)a == *(const uint64_t *)b;
	case CFG_LISTEN:
		return same_listen(a, b, na);
	case CFG_LEVELS:
		return same_levels(a, b, na);
	case CFG_KEYS: case CFG_ANSWERKEYS:
		return same_keys(a, b, na);
	case CFG_HOURS:
		return same_hours(a, b, na);
	case CFG_DATE:
		return memcmp(a, b, sizeof(struct cfg_date)) == 0;
	default:
		return cfg_is_list(row->type) ? same_strings(a, b) : same_text(*(const char *const *)a, *(const char *const *)b);
	}
}

static void object(struct differ *d, const struct cfg_object *o, const char *was, const char *now);

static const char *name_at(const char *v, size_t size, size_t i)
{
	const struct {
		struct cfg_pos pos;
		const char *name;
	} *x = (const void *)(v + i * size);
	return x->name;
}

/* The one at the same place first: rules of one group and holidays of several years share a name. */
static const char *find(const char *v, size_t n, size_t size, size_t at, const char *name)
{
	if (at < n && strcasecmp(name_at(v, size, at), name) == 0)
		return v + at * size;
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(name_at(v, size, i), name) == 0)
			return v + i * size;
	return NULL;
}

static void list(struct differ *d, const struct cfg_sub *sub, const char *was, const char *now)
{
	const char *a = *(const char *const *)(const void *)(was + sub->offset), *b = *(const char *const *)(const void *)(now + sub->offset);
	size_t na = *(const size_t *)(const void *)(was + sub->offset_n), nb = *(const size_t *)(const void *)(now + sub->offset_n);
	size_t size = sub->object->size;
	for (size_t i = 0; i < na; i++) {
		size_t mark = down(d, name_at(a, size, i));
		const char *other = find(b, nb, size, i, name_at(a, size, i));
		if (other)
			object(d, sub->object, a + i * size, other);
		else
			add(d, CFG_REMOVED, sub->when);
		d->key[mark] = 0;
	}
	for (size_t i = 0; i < nb; i++) {
		size_t mark = down(d, name_at(b, size, i));
		if (!find(a, na, size, i, name_at(b, size, i)))
			add(d, CFG_ADDED, sub->when);
		d->key[mark] = 0;
	}
}

static void object(struct differ *d, const struct cfg_object *o, const char *was, const char *now)
{
	for (size_t i = 0; i < o->n_rows; i++)
		if (!same(&o->rows[i], was, now)) {
			size_t mark = down(d, o->rows[i].key);
			add(d, CFG_CHANGED, o->rows[i].when);
			d->key[mark] = 0;
		}
	for (size_t i = 0; i < o->n_subs; i++) {
		size_t mark = down(d, o->subs[i].key);
		if (o->subs[i].list)
			list(d, &o->subs[i], was, now);
		else
			object(d, o->subs[i].object, was + o->subs[i].offset, now + o->subs[i].offset);
		d->key[mark] = 0;
	}
}

int cfg_diff(const struct cfg *was, const struct cfg *now, struct cfg_changes *out)
{
	struct differ d = { .out = out };
	object(&d, &cfg_root, (const char *)was, (const char *)now);
	if (d.err)
		cfg_changes_free(out);
	return d.err;
}

void cfg_changes_free(struct cfg_changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		mem_free(c->v[i].key);
	mem_free(c->v);
	*c = (struct cfg_changes){ 0 };
}
