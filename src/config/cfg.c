/* SPDX-License-Identifier: Apache-2.0 */
/* cfg.c  Loading, and finding in what was loaded. */
#include "config/cfg.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config/config_private.h"

static void gone(void *p)
{
	struct cfg_all *a = p;
	for (size_t i = 0; !a->of[0] && i < a->cfg.n_schedules; i++)
		mem_unref(a->cfg.schedules[i].zone);
	cfg_unref(a->of[0]);
	cfg_unref(a->of[1]);
	mem_free(a->places);
	arena_free(&a->arena);
}

int cfg_parse(struct cfg **cp, const char *path, struct text yaml, enum cfg_want want, struct cfg_errors *errors)
{
	struct cfg_errors own = { 0 };
	struct arena trees = { 0 };
	struct tree *root;
	struct cfg_all *all = mem_object(sizeof *all, gone);
	if (!all)
		return ENOMEM;
	struct binder b = { .all = all, .errors = errors ? errors : &own, .path = path };
	int err = 0;
	if (yaml.n > CFG_FILE_MAX_BYTES) {
		cfg_fail(b.errors, path, (struct cfg_pos){ 1, 1 }, "file", "split the organisation over several stores", "is larger than 4 MiB");
		err = EINVAL;
	}
	all->cfg.path = arena_text(&all->arena, text_of(path));
	all->cfg.source = want == CFG_WANT_OBJECTS && !err ? arena_text(&all->arena, yaml) : "";
	if (all->arena.failed)
		err = ENOMEM;
	if (!err)
		err = tree_parse(&root, &trees, path, yaml, b.errors);
	if (!err)
		err = cfg_bind(&b, root, want);
	arena_free(&trees);
	cfg_errors_free(&own);
	if (err)
		mem_unref(all);
	else
		*cp = &all->cfg;
	return err;
}

int cfg_merge(struct cfg **cp, const struct cfg *node, const struct cfg *objects, struct cfg_errors *errors)
{
	struct cfg_errors own = { 0 };
	struct cfg_all *all = mem_object(sizeof *all, gone);
	if (!all)
		return ENOMEM;
	/* of what is itself put together only the part that counts is kept, else each reload would hold on to the one before */
	const struct cfg_all *n = (const struct cfg_all *)(const void *)node, *o = (const struct cfg_all *)(const void *)objects;
	node = n->of[0] ? n->of[0] : node;
	objects = o->of[1] ? o->of[1] : objects;
	struct binder b = { .all = all, .errors = errors ? errors : &own, .path = objects->path };
	all->cfg = *objects;
	all->cfg.path = node->path;
	all->cfg.has_node = node->has_node;
	all->cfg.node = node->node;
	all->cfg.nodes = node->nodes;
	all->cfg.n_nodes = node->n_nodes;
	if (!objects->trust.ca_files.n)
		all->cfg.trust = node->trust;
	all->of[0] = cfg_ref(node);
	all->of[1] = cfg_ref(objects);
	cfg_check(&b);
	int err = all->arena.failed ? ENOMEM : b.errors->n || b.errors->more ? EINVAL : 0;
	cfg_errors_free(&own);
	if (err)
		mem_unref(all);
	else
		*cp = &all->cfg;
	return err;
}

int cfg_with_calendars(struct cfg **cp, const struct cfg *base, cfg_calendar_h *find, void *arg)
{
	const struct cfg_all *was = (const struct cfg_all *)(const void *)base;
	struct cfg_all *all = mem_object(sizeof *all, gone);
	if (!all)
		return ENOMEM;
	all->cfg = *base;
	all->of[0] = cfg_ref(was->of[0] ? was->of[0] : base);
	all->of[1] = cfg_ref(was->of[1] ? was->of[1] : base);
	cfg_fill_calendars(all, find, arg);
	if (all->arena.failed) {
		mem_unref(all);
		return ENOMEM;
	}
	*cp = &all->cfg;
	return 0;
}

bool cfg_has_objects(const struct cfg *c)
{
	return c->n_gateways || c->n_dialplans || c->n_schedules || c->n_policies || c->n_attendants || c->n_mailboxes;
}

static int read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	if (fd < 0)
		return errno;
	for (;;) {
		uint8_t *p = buf_reserve(out, 65536);
		if (!p) {
			err = buf_error(out);
			break;
		}
		ssize_t n = read(fd, p, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		err = n < 0 ? errno : 0;
		if (n <= 0)
			break;
		buf_grew(out, (size_t)n);
	}
	close(fd);
	return err;
}

int cfg_load(struct cfg **cp, const char *path, enum cfg_want want, struct cfg_errors *errors)
{
	struct buf b;
	buf_init(&b, CFG_FILE_MAX_BYTES + (1 << 17));
	int err = read_file(path, &b);
	if (err == ENOMEM) {
		buf_free(&b);
		return err;
	}
	if (err && err != EMSGSIZE) {
		cfg_fail(errors, path, (struct cfg_pos){ 0, 0 }, "file", err == ENOENT ? "make it, or name another file on the command line" : "mend its owner or mode",
			"cannot be read: %s", strerror(err));
		err = EINVAL;
	} else {
		err = cfg_parse(cp, path, buf_as_text(&b), want, errors);
	}
	buf_free(&b);
	return err;
}

struct cfg *cfg_ref(const struct cfg *c)
{
	return mem_ref((void *)(uintptr_t)c);
}

struct cfg *cfg_unref(const struct cfg *c)
{
	return mem_unref((void *)(uintptr_t)c);
}

struct cfg_pos cfg_pos_of(const struct cfg *c, const void *member)
{
	const struct cfg_all *a = (const struct cfg_all *)(const void *)c;
	size_t from = 0, to = a->n_places;
	while (a->sorted && from < to) {
		size_t mid = from + (to - from) / 2;
		if (a->places[mid].member == member)
			return a->places[mid].pos;
		if (a->places[mid].member < member)
			from = mid + 1;
		else
			to = mid;
	}
	struct cfg_pos pos = { 0, 0 };
	for (int i = 0; i < 2 && a->of[i] && !pos.line; i++)
		pos = cfg_pos_of(a->of[i], member);
	return pos;
}

/* ---- finding ---- */

#define FIND(type, fn, list, size_field) \
	const struct type *fn(const struct cfg *c, struct text name) \
	{ \
		for (size_t i = 0; i < c->size_field; i++) \
			if (c->list[i].name && text_eq_nocase(text_of(c->list[i].name), name)) \
				return &c->list[i]; \
		return NULL; \
	}

FIND(cfg_gateway, cfg_gateway, gateways, n_gateways)
FIND(cfg_attendant, cfg_attendant, attendants, n_attendants)
FIND(cfg_schedule, cfg_schedule, schedules, n_schedules)
FIND(cfg_mailbox, cfg_mailbox, mailboxes, n_mailboxes)

const struct cfg_dialplan *cfg_dialplan(const struct cfg *c, struct text name)
{
	for (size_t i = 0; i < c->n_dialplans; i++)
		if (!name.n || (c->dialplans[i].name && text_eq_nocase(text_of(c->dialplans[i].name), name)))
			return &c->dialplans[i];
	return NULL;
}

const struct cfg_policy *cfg_policy(const struct cfg *c, struct text name)
{
	static const struct cfg_policy standard = { .name = "default", .pin_min_length = 6, .pin_tries_per_call = 3, .pin_tries_per_mailbox = 10,
		.max_greeting_ms = 300000, .max_recording_ms = 1200000, .min_recording_ms = 1000, .silence_ms = 5000, .max_call_ms = 1800000,
		.input_failures = 3, .pin_history = 5, .outside_calls_per_hour = 20, .max_messages = 500, .deleted_days = 14,
		.quota_warning_percent = 90,
		.features = { true, true, true, true, true }, .texts = { "", "" } };
	for (size_t i = 0; c && i < c->n_policies; i++)
		if (!name.n || (c->policies[i].name && text_eq_nocase(text_of(c->policies[i].name), name)))
			return &c->policies[i];
	return &standard;
}

bool cfg_is_self(const struct cfg *c, const struct cfg_peer_node *n)
{
	return c->has_node && c->node.name && strcasecmp(n->name, c->node.name) == 0;
}

const struct cfg_identity *cfg_identity(const struct cfg *c, struct text name)
{
	if (!name.n)
		name = text_of(c->node.identity);
	for (size_t i = 0; i < c->node.n_identities; i++)
		if (!name.n || text_eq_nocase(text_of(c->node.identities[i].name), name))
			return &c->node.identities[i];
	return NULL;
}

static bool holds(const struct cfg_strings *s, struct text what)
{
	for (size_t i = 0; i < s->n; i++)
		if (text_eq_nocase(text_of(s->v[i]), what))
			return true;
	return false;
}

const struct cfg_attendant *cfg_attendant_by_number(const struct cfg *c, struct text what)
{
	for (size_t i = 0; i < c->n_attendants; i++)
		if (holds(&c->attendants[i].numbers, what) || holds(&c->attendants[i].uris, what))
			return &c->attendants[i];
	return NULL;
}
