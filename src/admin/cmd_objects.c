/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_objects.c  object.*: dial plans, policies, attendants, mailboxes, schedules and gateways as settings, and changed by commands.
 *
 *   edit: base (the file of objects that is in use) + edits -> a new file -> parsed and checked whole (pool) -> taken into use as umbel apply
 *         does it, or not at all
 *
 * What stands in a node's own file is not changed here: the next start would undo it. One edit at a time: each sees what the one before made. Where
 * another node's revision, or proposal, came first, the edit is made anew on top of it.                                                      */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "config/edit.h"
#include "directory/calendars.h"
#include "net/pool.h"
#include "net/tmr.h"

enum { EDITS_MAX = 50000, SHOWN_MAX = 200, AGAIN_MS = 250, TRIES = 60 };

/* ---- which kind ---- */

static const struct {
	const char *kind, *list;
} kinds[] = { { "dialplan", "dialplans" }, { "policy", "policies" }, { "attendant", "attendants" }, { "mailbox", "mailboxes" }, { "schedule", "schedules" },
	{ "gateway", "gateways" } };

static const char *list_of(const char *kind)
{
	for (size_t i = 0; kind && i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].list;
	return NULL;
}

static bool from_file(const struct cfg *c)
{
	return c && cfg_has_objects(c) && (!c->source || !c->source[0]);
}

/* ---- looking ---- */

struct showing {
	json_t *settings;
	bool given_only;
};

static void one_setting(const char *key, const char *value, bool given, const char *help, void *arg)
{
	struct showing *s = arg;
	if (!s->given_only)
		json_array_append_new(s->settings, json_pack("{s:s, s:s, s:b, s:s}", "key", key, "value", value, "given", given, "help", help));
	else if (given)
		json_object_set_new(s->settings, key, json_string(value));
}

static json_t *listed(const struct admin_listing *l, size_t i)
{
	struct showing s = { json_object(), true };
	cfg_show(l->cfg, l->of, i, one_setting, &s);
	json_object_set_new(s.settings, "name", json_string(cfg_list_name(l->cfg, l->of, i)));
	return s.settings;
}

static void list_objects(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	const char *list = list_of(admin_arg_str(args, "kind"));
	size_t n = list && a->objects ? cfg_list_count(a->objects, list) : 0;
	admin_list(a, call, &(struct admin_listing){ .key = "objects", .n = n, .item = listed, .of = list, .cfg = a->objects ? cfg_ref(a->objects) : NULL,
	                                             .rest = json_pack("{s:b}", "managed_by_file", from_file(a->objects)) });
}

static void put_time(json_t *o, const char *key, int64_t at_s)
{
	char when[32];
	if (at_s)
		json_object_set_new(o, key, json_string(rfc3339_s(at_s, when)));
}

/* Where the holidays of a schedule come from, how many there are, and how old they are. */
static json_t *calendar_json(const struct admin *a, const struct cfg_schedule *s)
{
	struct calendars_state *st = mem_zalloc(1, sizeof *st);
	json_t *o = json_pack("{s:s, s:I, s:s, s:I}", "source", s->calendar, "days", (json_int_t)s->n_days, "time_zone", s->time_zone, "holidays_of_its_own",
	                      (json_int_t)s->n_holidays);
	if (st && a->prm.calendars && calendars_state(a->prm.calendars, s->name, st)) {
		struct text why = ev_field_text(&st->why, "why"), advice = ev_field_text(&st->why, "advice");
		json_object_set_new(o, "asked", json_boolean(st->asked > 0));
		put_time(o, "fetched", st->fetched_s);
		put_time(o, "confirmed", st->checked_s);
		if (st->checked_s)
			json_object_set_new(o, "age_s", json_integer(clock_real_s(a->prm.clock ? a->prm.clock : clock_system()) - st->checked_s));
		put_time(o, "failing_since", st->failing_s);
		if (st->failing_s) {
			json_object_set_new(o, "cause", json_string(calendar_cause_word(st->cause)));
			json_object_set_new(o, "why", json_stringn(why.n ? why.p : "", why.n));
			json_object_set_new(o, "advice", json_stringn(advice.n ? advice.p : "", advice.n));
		}
	}
	mem_free(st);
	return o;
}

static void show(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	const char *kind = admin_arg_str(args, "kind"), *list = list_of(kind), *name;
	if (admin_need_str(args, "name", &name, &why) != 0) {
		admin_call_fail(call, &why);
		return;
	}
	size_t n = list && a->objects ? cfg_list_count(a->objects, list) : 0;
	for (size_t i = 0; i < n; i++) {
		if (!text_is_nocase(text_of(name), cfg_list_name(a->objects, list, i)))
			continue;
		struct showing s = { json_array(), false };
		cfg_show(a->objects, list, i, one_setting, &s);
		json_t *o = json_pack("{s:s, s:s, s:b, s:o}", "kind", kind, "name", cfg_list_name(a->objects, list, i), "managed_by_file", from_file(a->objects),
		                      "settings", s.settings);
		if (strcmp(list, "schedules") == 0 && *a->objects->schedules[i].calendar)
			json_object_set_new(o, "calendar", calendar_json(a, &a->objects->schedules[i]));
		admin_call_ok(call, o);
		return;
	}
	admin_call_not_found(call, kind ? kind : "object", name, admin_words(ADMIN_HINT_OBJECTS));
}

/* ---- changing ---- */

struct changing {
	struct link link; /* admin's edits: the first is under way */
	struct admin *a; /* NULL once it is gone */
	struct admin_call *call; /* a reference */
	json_t *args; /* a reference: the texts of the edits are its */
	const char *list;
	struct cfg_edit *edits;
	struct cfg_edit_setting *set;
	size_t n;
	bool dry_run, begun;
	struct cfg *base, *made, *whole;
	unsigned tries;
	struct tmr tmr;
	int64_t based_on; /* the revision that base is of; what others made meanwhile is not undone */
	struct cfg_errors errors;
};

static void free_changing(struct changing *x)
{
	tmr_cancel(&x->tmr);
	cfg_errors_free(&x->errors);
	cfg_unref(x->base);
	cfg_unref(x->made);
	cfg_unref(x->whole);
	mem_free(x->edits);
	mem_free(x->set);
	json_decref(x->args);
	mem_unref(x->call);
	mem_free(x);
}

static void next_edit(struct admin *a);

static void over(struct changing *x)
{
	struct admin *a = x->a;
	if (a)
		list_remove(&x->link);
	free_changing(x);
	if (a)
		next_edit(a);
}

/* "mailboxes[12].extensions" belongs to the edit whose object stands there now; -1: to none. */
static json_int_t edit_of(const struct changing *x, const struct cfg_error *e)
{
	struct text rest, number, key = text_of(e->key);
	uint32_t index;
	if (!text_starts(key, x->list)) {
		for (size_t i = 0; i < x->n; i++)
			if (strcmp(e->file, x->list) == 0 && strcmp(e->key, x->edits[i].name) == 0)
				return (json_int_t)i;
		return -1;
	}
	if (!text_cut(text_skip(key, strlen(x->list)), ']', &number, &rest) || text_u32(text_skip(number, 1), UINT32_MAX, &index))
		return -1;
	for (size_t i = 0; i < x->n; i++)
		if (x->edits[i].index == index)
			return (json_int_t)i;
	return -1;
}

static json_t *errors_json(const struct changing *x)
{
	json_t *array = json_array();
	for (size_t i = 0; i < x->errors.n && i < SHOWN_MAX; i++) {
		const struct cfg_error *e = &x->errors.v[i];
		json_t *o = json_pack("{s:s, s:s, s:s, s:I}", "key", e->key, "what", e->what, "fix", e->fix, "edit", edit_of(x, e));
		struct text head, setting;
		text_cut(text_of(e->key), ']', &head, &setting);
		json_object_set_new(o, "setting", json_stringn(setting.n ? setting.p + 1 : "", setting.n ? setting.n - 1 : 0));
		json_array_append_new(array, o);
	}
	return array;
}

static void answer(struct changing *x, bool applied)
{
	bool good = !x->errors.n && !x->errors.more;
	admin_call_ok(x->call, json_pack("{s:b, s:b, s:I, s:o, s:I, s:s}", "good", good, "applied", applied, "edits", (json_int_t)x->n, "errors",
	                                 errors_json(x), "more", (json_int_t)x->errors.more, "list", x->list));
}

static void anew(void *arg)
{
	struct changing *x = arg;
	x->base = cfg_unref(x->base);
	x->made = cfg_unref(x->made);
	x->whole = cfg_unref(x->whole);
	cfg_errors_free(&x->errors);
	x->begun = false;
	next_edit(x->a);
}

static void applied(const struct admin_applied *r, void *arg)
{
	struct changing *x = arg;
	if (x->a && (r->err == ESTALE || r->err == EBUSY) && ++x->tries < TRIES && !admin_call_left(x->call)) {
		tmr_start(x->a->prm.loop, &x->tmr, AGAIN_MS, anew, x);
		return;
	}
	if (r->err)
		admin_call_errno(x->call, r->err, r->why);
	else
		answer(x, true);
	if (!r->err)
		admin_call_did(x->call, "%s %s%s", x->list, x->edits[0].name, x->n > 1 ? " and others" : "");
	over(x);
}

static bool left(void *arg)
{
	const struct changing *x = arg;
	return !x->a || admin_call_left(x->call);
}

static int work(void *arg)
{
	struct changing *x = arg;
	struct buf out;
	buf_init(&out, CFG_FILE_MAX_BYTES);
	const char *source = x->base && x->base->source ? x->base->source : "";
	int err = cfg_edit(text_of(source), x->edits, x->n, &out, &x->errors);
	if (!err)
		err = cfg_parse(&x->made, "objects", buf_as_text(&out), CFG_WANT_OBJECTS, &x->errors);
	if (!err && x->base)
		err = cfg_merge(&x->whole, x->base, x->made, &x->errors);
	buf_free(&out);
	return err;
}

static void worked(enum pool_result result, int err, void *arg)
{
	struct changing *x = arg;
	struct admin *a = x->a;
	if (result == POOL_CANCELLED || !a)
		err = ECANCELED;
	if (err == EINVAL && (x->errors.n || x->errors.more)) {
		answer(x, false);
	} else if (err) {
		admin_call_errno(x->call, err, NULL);
	} else if (x->dry_run) {
		answer(x, false);
	} else {
		err = a->prm.apply ? a->prm.apply(x->made, &(struct admin_apply){ .objects = true, .based_on = x->based_on, .left = left }, applied, x, a->prm.arg) : ENOTSUP;
		if (!err)
			return;
		admin_call_errno(x->call, err, NULL);
	}
	over(x);
}

static void next_edit(struct admin *a)
{
	struct changing *x = list_empty(&a->edits) ? NULL : LIST_ENTRY(a->edits.head.next, struct changing, link);
	if (!x || x->begun)
		return;
	x->begun = true;
	x->base = cfg_ref(a->objects);
	x->based_on = a->prm.revision ? a->prm.revision(a->prm.arg) : -1;
	int err = pool_submit(a->prm.crypto, work, worked, x);
	if (err) {
		admin_call_errno(x->call, err, NULL);
		over(x);
	}
}

/* ---- taking the request apart ---- */

static bool take_settings(struct cfg_edit *e, struct cfg_edit_setting *set, json_t *settings)
{
	const char *key;
	json_t *v;
	e->set = set;
	json_object_foreach(settings, key, v) {
		if (!json_is_string(v) && !json_is_null(v))
			return false;
		set[e->n++] = (struct cfg_edit_setting){ key, json_string_value(v) };
	}
	return true;
}

static bool take_edits(struct changing *x, json_t *edits)
{
	size_t i, settings = 0;
	json_t *e;
	json_array_foreach(edits, i, e)
		settings += json_object_size(json_object_get(e, "settings"));
	x->n = json_array_size(edits);
	x->edits = mem_zalloc(x->n + 1, sizeof *x->edits);
	x->set = mem_zalloc(settings + 1, sizeof *x->set);
	if (!x->edits || !x->set)
		return false;
	settings = 0;
	json_array_foreach(edits, i, e) {
		const char *op = json_string_value(json_object_get(e, "op")), *name = json_string_value(json_object_get(e, "name"));
		if (!op || !name)
			return false;
		x->edits[i] = (struct cfg_edit){ .op = strcmp(op, "add") == 0 ? CFG_EDIT_ADD : strcmp(op, "remove") == 0 ? CFG_EDIT_REMOVE : CFG_EDIT_SET,
		                                 .list = x->list, .name = name };
		if (!take_settings(&x->edits[i], x->set + settings, json_object_get(e, "settings")))
			return false;
		settings += x->edits[i].n;
	}
	return x->n > 0 && x->n <= EDITS_MAX;
}

static void edit(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	const char *kind = admin_arg_str(args, "kind"), *list = list_of(kind);
	struct ev_report why = { 0 };
	if (from_file(a->objects)) {
		ev_set(&why, EV_ADMIN_MANAGED_BY_FILE);
		ev_str(&why, "kind", kind ? kind : "object");
		ev_str(&why, "path", a->objects->path);
		admin_call_fail(call, &why);
		return;
	}
	struct changing *x = mem_zalloc(1, sizeof *x);
	if (!x) {
		admin_call_errno(call, ENOMEM, NULL);
		return;
	}
	x->a = a;
	x->list = list;
	x->call = mem_ref(call);
	x->args = json_incref((json_t *)(uintptr_t)args);
	x->dry_run = admin_arg_bool(args, "dry_run");
	if (!list || !take_edits(x, json_object_get(args, "edits"))) {
		ev_set(&why, EV_ADMIN_ARGUMENT_MISSING);
		ev_str(&why, "argument", list ? "edits" : "kind");
		admin_call_fail(call, &why);
		free_changing(x);
		return;
	}
	list_append(&a->edits, &x->link);
	next_edit(a);
}

/* What is at work comes back later and finds nobody. */
void admin_edits_stop(struct admin *a)
{
	while (!list_empty(&a->edits)) {
		struct changing *x = LIST_ENTRY(a->edits.head.next, struct changing, link);
		list_remove(&x->link);
		x->a = NULL;
		if (!x->begun || tmr_active(&x->tmr))
			free_changing(x);
	}
}

static void export_objects(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	(void)args;
	admin_call_ok(call, json_pack("{s:s, s:b}", "yaml", a->objects && a->objects->source ? a->objects->source : "", "managed_by_file", from_file(a->objects)));
}

const struct admin_cmd admin_object_cmds[] = {
	{ "object.list", list_objects }, { "object.show", show }, { "object.edit", edit }, { "object.export", export_objects }, { NULL, NULL },
};
