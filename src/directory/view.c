/* SPDX-License-Identifier: Apache-2.0 */
/* view.c  The picture of all users: built once, sorted, then only read. */
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include "directory/dir_private.h"

/* ---- building ---- */

static void gone(void *p)
{
	struct dir_view *v = p;
	cfg_unref(v->cfg);
	arena_free(&v->arena);
}

int dir_view_begin(struct dir_view **vp, const struct cfg *cfg, size_t users)
{
	struct dir_view *v = mem_object(sizeof *v, gone);
	if (!v)
		return ENOMEM;
	v->cfg = cfg_ref(cfg);
	v->entries = arena_alloc(&v->arena, (users ? users : 1) * sizeof *v->entries);
	if (!v->entries) {
		mem_unref(v);
		return ENOMEM;
	}
	*vp = v;
	return 0;
}

struct dir_entry *dir_view_add(struct dir_view *v)
{
	return &v->entries[v->n++];
}

bool dir_uri_key(struct text uri, char *dst, size_t size)
{
	struct text t = text_trim(uri), user, host;
	size_t open = text_find(t, '<'), close = text_find(t, '>');
	if (open != SIZE_MAX && close != SIZE_MAX && close > open)
		t = text_make(t.p + open + 1, close - open - 1);
	if (text_starts_nocase(t, "sip:"))
		t = text_skip(t, 4);
	else if (text_starts_nocase(t, "sips:"))
		t = text_skip(t, 5);
	if (!text_cut(t, '@', &user, &host))
		return false;
	user = text_head(user, text_find(user, ';'));
	host = text_head(host, text_find(host, ';'));
	host = text_head(host, text_find(host, '?'));
	size_t bracket = text_find(host, ']'), colon = text_rfind(host, ':');
	if (colon != SIZE_MAX && (bracket == SIZE_MAX || colon > bracket))
		host = text_head(host, colon);
	if (!user.n || !host.n || text_print(dst, size, "%.*s@%.*s", TEXT_FMT(user), TEXT_FMT(host)))
		return false;
	for (char *p = dst; *p; p++)
		*p = text_lower(*p);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcasecmp(((const struct dir_entry *)a)->user.name, ((const struct dir_entry *)b)->user.name);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct dir_index *)a)->key, ((const struct dir_index *)b)->key);
}

static void both_orders(struct dir_entry *e)
{
	const struct dir_user *u = &e->user;
	char all[300];
	text_print(all, sizeof all, "%s%s", u->last_name, u->first_name);
	dir_keys_of(text_of(all), e->last_first, sizeof e->last_first);
	text_print(all, sizeof all, "%s%s", u->first_name, u->last_name);
	dir_keys_of(text_of(all), e->first_last, sizeof e->first_last);
	dir_keys_of(text_of(u->last_name), e->last, sizeof e->last);
	dir_keys_of(text_of(u->first_name), e->first, sizeof e->first);
	dir_keys_of(text_of(u->alias), e->alias, sizeof e->alias);
}

/* What the file leaves to the dial plan and its gateway. */
static void complete(struct dir_view *v, struct dir_user *u)
{
	const struct cfg_dialplan *plan = cfg_dialplan(v->cfg, text_of(u->dialplan));
	const char *gateway = plan && plan->gateway[0] ? plan->gateway : v->cfg->n_gateways ? v->cfg->gateways[0].name : "";
	char uri[300];
	u->lamp = u->lamp && cfg_policy(v->cfg, text_of(u->policy))->features.lamp;
	if (!u->alias[0])
		u->alias = u->name;
	if (!u->spoken_name[0])
		u->spoken_name = u->display_name[0] ? u->display_name : u->name;
	if (!u->operator_number[0] && plan)
		u->operator_number = plan->operator_number;
	if (!u->language[0] && plan)
		u->language = plan->language;
	if (!u->lamp_gateway[0])
		u->lamp_gateway = gateway;
	if (u->lamp_uri[0])
		return;
	const struct cfg_gateway *g = cfg_gateway(v->cfg, text_of(u->lamp_gateway));
	const char *domain = plan && plan->domain[0] ? plan->domain : g ? g->address : "";
	if (u->sip_uris.n)
		u->lamp_uri = u->sip_uris.v[0];
	else if (u->extensions.n && domain[0] && text_print(uri, sizeof uri, strchr(domain, ':') ? "sip:%s@[%s]" : "sip:%s@%s", u->extensions.v[0], domain) == 0)
		u->lamp_uri = arena_text(&v->arena, text_of(uri));
	if (!u->lamp_uri)
		u->lamp_uri = "";
}

static int index_all(struct dir_view *v)
{
	size_t numbers = 0, uris = 0;
	char key[320];
	for (size_t i = 0; i < v->n; i++) {
		numbers += v->entries[i].user.extensions.n;
		uris += v->entries[i].user.sip_uris.n;
	}
	v->numbers = arena_alloc(&v->arena, (numbers + 1) * sizeof *v->numbers);
	v->uris = arena_alloc(&v->arena, (uris + 1) * sizeof *v->uris);
	for (size_t i = 0; i < v->n && !v->arena.failed; i++) {
		const struct dir_entry *e = &v->entries[i];
		for (size_t k = 0; k < e->user.extensions.n; k++)
			v->numbers[v->n_numbers++] = (struct dir_index){ e->user.extensions.v[k], e };
		for (size_t k = 0; k < e->user.sip_uris.n; k++)
			if (dir_uri_key(text_of(e->user.sip_uris.v[k]), key, sizeof key)) {
				char *copy = arena_text(&v->arena, text_of(key));
				if (copy)
					v->uris[v->n_uris++] = (struct dir_index){ copy, e };
			}
	}
	if (v->arena.failed)
		return ENOMEM;
	qsort(v->numbers, v->n_numbers, sizeof *v->numbers, by_key);
	qsort(v->uris, v->n_uris, sizeof *v->uris, by_key);
	return 0;
}

static int by_sound_name(const void *a, const void *b)
{
	return strcasecmp(((const struct dir_sound *)a)->name, ((const struct dir_sound *)b)->name);
}

static void add_sound(struct dir_view *v, const char *name, const struct cfg_strings *pronunciation)
{
	if (pronunciation->n)
		v->sounds[v->n_sounds++] = (struct dir_sound){ name, pronunciation->v[0] };
}

/* Pronunciations stand in the configuration alone, not in the store's columns. A spoken name that is given is said as it is. */
static int sounds(struct dir_view *v)
{
	const struct cfg *c = v->cfg;
	size_t room = 1;
	for (size_t i = 0; c && i < c->n_mailboxes; i++)
		room += c->mailboxes[i].pronunciation.n > 0;
	for (size_t i = 0; c && i < c->n_attendants; i++)
		room += c->attendants[i].n_departments;
	v->sounds = arena_alloc(&v->arena, room * sizeof *v->sounds);
	if (!v->sounds)
		return ENOMEM;
	for (size_t i = 0; c && i < c->n_mailboxes; i++) {
		const struct cfg_mailbox *m = &c->mailboxes[i];
		struct dir_entry key = { .user.name = m->name }, *e = m->pronunciation.n ? bsearch(&key, v->entries, v->n, sizeof key, by_name) : NULL;
		if (!e)
			continue;
		e->user.pronunciation = m->pronunciation;
		if (!m->spoken_name[0])
			add_sound(v, e->user.spoken_name, &m->pronunciation);
	}
	for (size_t i = 0; c && i < c->n_attendants; i++)
		for (size_t k = 0; k < c->attendants[i].n_departments; k++)
			add_sound(v, c->attendants[i].departments[k].name, &c->attendants[i].departments[k].pronunciation);
	qsort(v->sounds, v->n_sounds, sizeof *v->sounds, by_sound_name);
	return 0;
}

const char *dir_view_sounds(const struct dir_view *v, const char *name)
{
	struct dir_sound key = { name, NULL }, *s = v && v->n_sounds ? bsearch(&key, v->sounds, v->n_sounds, sizeof key, by_sound_name) : NULL;
	return s ? s->sound : name;
}

static int by_department(const void *a, const void *b)
{
	return strcasecmp(((const struct dir_department *)a)->name, ((const struct dir_department *)b)->name);
}

static int departments(struct dir_view *v)
{
	size_t n = 0;
	v->departments = arena_alloc(&v->arena, (v->n + 1) * sizeof *v->departments);
	if (!v->departments)
		return ENOMEM;
	for (size_t i = 0; i < v->n; i++)
		if (v->entries[i].user.dialable && v->entries[i].user.department && v->entries[i].user.department[0])
			v->departments[n++] = (struct dir_department){ v->entries[i].user.department, 1 };
	qsort(v->departments, n, sizeof *v->departments, by_department);
	for (size_t i = 0; i < n; i++)
		if (v->n_departments && strcasecmp(v->departments[v->n_departments - 1].name, v->departments[i].name) == 0)
			v->departments[v->n_departments - 1].people++;
		else
			v->departments[v->n_departments++] = v->departments[i];
	return 0;
}

size_t dir_view_departments(const struct dir_view *v)
{
	return v->n_departments;
}

const char *dir_view_department(const struct dir_view *v, size_t n, size_t *people)
{
	*people = n < v->n_departments ? v->departments[n].people : 0;
	return n < v->n_departments ? v->departments[n].name : "";
}

int dir_view_end(struct dir_view *v)
{
	if (v->arena.failed)
		return ENOMEM;
	qsort(v->entries, v->n, sizeof *v->entries, by_name);
	for (size_t i = 0; i < v->n; i++) {
		complete(v, &v->entries[i].user);
		both_orders(&v->entries[i]);
	}
	int err = sounds(v);
	if (!err)
		err = departments(v);
	return err ? err : index_all(v);
}

/* Names of mailboxes are lower case everywhere behind the file. */
static const char *lower(struct arena *a, const char *name)
{
	char *s = arena_text(a, text_of(name));
	for (char *p = s; p && *p; p++)
		*p = text_lower(*p);
	return s ? s : "";
}

/* Other texts are borrowed from the configuration, which the view holds on to. */
int dir_view_of_cfg(struct dir_view **vp, const struct cfg *cfg)
{
	struct dir_view *v;
	int err = dir_view_begin(&v, cfg, cfg->n_mailboxes);
	if (err)
		return err;
	for (size_t i = 0; i < cfg->n_mailboxes; i++) {
		const struct cfg_mailbox *m = &cfg->mailboxes[i];
		dir_view_add(v)->user = (struct dir_user){ .name = lower(&v->arena, m->name), .display_name = m->display_name, .first_name = m->first_name,
			.last_name = m->last_name, .spoken_name = m->spoken_name, .language = m->language, .dialplan = m->dialplan, .policy = m->policy,
			.operator_number = m->operator_number, .department = m->department, .title = m->title, .alias = m->alias, .schedule = m->schedule,
			.extensions = m->extensions, .sip_uris = m->sip_uris, .allowed_transfers = m->allowed_transfers,
			.dialable = m->dialable, .lamp = m->lamp, .lamp_gateway = m->lamp_gateway, .lamp_uri = m->lamp_uri, .managed_by_file = true };
	}
	err = dir_view_end(v);
	if (err)
		mem_unref(v);
	else
		*vp = v;
	return err;
}

struct dir_view *dir_view_ref(const struct dir_view *v)
{
	return mem_ref((void *)(uintptr_t)v);
}

struct dir_view *dir_view_unref(const struct dir_view *v)
{
	return mem_unref((void *)(uintptr_t)v);
}

const struct cfg *dir_view_cfg(const struct dir_view *v)
{
	return v->cfg;
}

int64_t dir_view_revision(const struct dir_view *v)
{
	return v->revision;
}

size_t dir_view_count(const struct dir_view *v)
{
	return v->n;
}

const struct dir_user *dir_view_at(const struct dir_view *v, size_t n)
{
	return n < v->n ? &v->entries[n].user : NULL;
}

/* ---- finding ---- */

const struct dir_user *dir_find_name(const struct dir_view *v, struct text name)
{
	char key[128];
	struct dir_entry want = { .user = { .name = key } };
	if (!name.n || text_copy(name, key, sizeof key) || !v->n)
		return NULL;
	const struct dir_entry *e = bsearch(&want, v->entries, v->n, sizeof *v->entries, by_name);
	return e ? &e->user : NULL;
}

static const struct dir_user *look_up(const struct dir_index *index, size_t n, const char *key)
{
	struct dir_index want = { key, NULL };
	const struct dir_index *found = n ? bsearch(&want, index, n, sizeof *index, by_key) : NULL;
	return found ? &found->entry->user : NULL;
}

const struct dir_user *dir_find_extension(const struct dir_view *v, struct text digits)
{
	char key[64];
	return !digits.n || text_copy(digits, key, sizeof key) ? NULL : look_up(v->numbers, v->n_numbers, key);
}

const struct dir_user *dir_find_uri(const struct dir_view *v, struct text uri)
{
	char key[320];
	return dir_uri_key(uri, key, sizeof key) ? look_up(v->uris, v->n_uris, key) : NULL;
}

/* Digits with an optional +; false if there is anything but separators besides. */
static bool only_digits(struct text t, char *dst, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i];
		if (c == ' ' || c == '-' || c == '.' || c == '(' || c == ')')
			continue;
		if (!((c >= '0' && c <= '9') || (c == '+' && !n)) || n + 1 >= size)
			return false;
		dst[n++] = c;
	}
	dst[n] = 0;
	return n > 0;
}

const struct dir_user *dir_find_number(const struct dir_view *v, struct text number)
{
	char all[40];
	if (!only_digits(number, all, sizeof all))
		return NULL;
	const struct dir_user *u = look_up(v->numbers, v->n_numbers, all);
	const char *digits = all[0] == '+' ? all + 1 : all;
	if (!u && digits != all)
		u = look_up(v->numbers, v->n_numbers, digits);
	size_t n = strlen(digits);
	for (size_t i = 0; !u && i < v->cfg->n_dialplans; i++) {
		const struct cfg_dialplan *plan = &v->cfg->dialplans[i];
		if (!plan->extension_digits || n <= plan->extension_digits)
			continue;
		u = look_up(v->numbers, v->n_numbers, digits + n - plan->extension_digits);
		if (u && dir_dialplan(v, u) != plan)
			u = NULL;
	}
	return u;
}

const struct dir_user *dir_find(const struct dir_view *v, struct text what)
{
	const struct dir_user *u = dir_find_uri(v, what);
	if (!u)
		u = dir_find_number(v, what);
	return u ? u : dir_find_name(v, what);
}

const struct cfg_policy *dir_policy(const struct dir_view *v, const struct dir_user *u)
{
	return cfg_policy(v->cfg, text_of(u->policy));
}

const struct cfg_dialplan *dir_dialplan(const struct dir_view *v, const struct dir_user *u)
{
	return cfg_dialplan(v->cfg, text_of(u->dialplan));
}

/* ---- names on keys ---- */

static bool begins(const char *keys, struct text digits)
{
	return strncmp(keys, digits.p, digits.n) == 0;
}

void dir_match_keys(const struct dir_view *v, struct text digits, enum cfg_name_order order, bool dialable_only, const struct dir_user **out,
                    size_t max, size_t *total)
{
	size_t n = 0;
	*total = 0;
	if (!digits.n || memchr(digits.p, 0, digits.n))
		return;
	for (int pass = 0; pass < 2; pass++) /* whole names first */
		for (size_t i = 0; i < v->n; i++) {
			const struct dir_entry *e = &v->entries[i];
			const char *keys = order == CFG_LAST_FIRST ? e->last_first : order == CFG_FIRST_LAST ? e->first_last : e->alias;
			const char *part = order == CFG_LAST_FIRST ? e->last : order == CFG_FIRST_LAST ? e->first : e->alias;
			bool whole = text_is(digits, keys) || text_is(digits, part);
			if ((dialable_only && !e->user.dialable) || whole != (pass == 0) || !begins(keys, digits))
				continue;
			++*total;
			if (n < max)
				out[n++] = &e->user;
		}
}
