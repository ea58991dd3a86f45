/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_log.c  log.show, log.set: how much each category says, and what each level would add. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin_events.h"
#include "event_events.h"

/* The level from which an event of that severity is shown. */
static enum ev_level level_for(unsigned severity)
{
	return severity <= EV_SEV_WARNING ? EV_LEVEL_LOWEST : (enum ev_level)(severity - EV_SEV_WARNING);
}

static json_t *events_added(enum ev_category c, enum ev_level l)
{
	unsigned n;
	const struct ev_def *def = ev_defs(&n);
	json_t *array = json_array();
	for (unsigned i = 0; i < n; i++)
		if (def[i].category == c && level_for(def[i].severity) == l)
			json_array_append_new(array, json_pack("{s:i, s:s, s:s}", "id", (int)def[i].id, "name", def[i].name, "text", def[i].text));
	return array;
}

static json_t *category_json(struct admin *a, enum ev_category c)
{
	json_t *adds = json_object();
	for (int l = EV_LEVEL_LOWEST; l <= EV_LEVEL_EXPERT; l++)
		json_object_set_new(adds, ev_level_name((enum ev_level)l), events_added(c, (enum ev_level)l));
	return json_pack("{s:s, s:s, s:o}", "category", ev_category_name(c), "level", ev_level_name(ev_bus_level_of(a->prm.bus, c)), "adds", adds);
}

static int take_category(const char *name, enum ev_category *c, struct ev_report *why)
{
	if (ev_category_parse(text_of(name), c) == 0)
		return 0;
	char possible[256] = "";
	for (int i = 0; i < EV_CATEGORIES; i++) {
		size_t n = strlen(possible);
		text_print(possible + n, sizeof possible - n, "%s%s", i ? ", " : "", ev_category_name((enum ev_category)i));
	}
	ev_set(why, EV_ADMIN_VALUE_BAD);
	ev_str(why, "value", name);
	ev_str(why, "kind", "category");
	ev_str(why, "possible", possible);
	return EINVAL;
}

static void show(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	const char *name = admin_arg_str(args, "category");
	enum ev_category c = EV_CAT_CORE;
	if (name && take_category(name, &c, &why) != 0) {
		admin_call_fail(call, &why);
		return;
	}
	json_t *array = json_array();
	for (int i = 0; i < EV_CATEGORIES; i++)
		if (!name || c == (enum ev_category)i)
			json_array_append_new(array, category_json(a, (enum ev_category)i));
	admin_call_ok(call, json_pack("{s:o}", "categories", array));
}

static void set_level(struct admin *a, enum ev_category c, enum ev_level l)
{
	struct ev_report r = { 0 };
	ev_set(&r, EV_LEVEL_CHANGED);
	ev_str(&r, "category", ev_category_name(c));
	ev_str(&r, "was", ev_level_name(ev_bus_level_of(a->prm.bus, c)));
	ev_str(&r, "level", ev_level_name(l));
	ev_bus_level(a->prm.bus, c, l);
	ev_emit(a->prm.bus, &r);
}

static void set(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	const char *name = NULL, *level = NULL;
	enum ev_category c = EV_CAT_CORE;
	enum ev_level l;
	int err = admin_need_str(args, "category", &name, &why);
	if (!err)
		err = admin_need_str(args, "level", &level, &why);
	bool all = name && strcmp(name, "all") == 0;
	if (!err && !all)
		err = take_category(name, &c, &why);
	if (!err && ev_level_parse(text_of(level), &l) != 0) {
		ev_set(&why, EV_ADMIN_VALUE_BAD);
		ev_str(&why, "value", level);
		ev_str(&why, "kind", "level");
		ev_str(&why, "possible", "lowest, low, medium, high, expert");
		err = EINVAL;
	}
	if (err) {
		admin_call_errno(call, err, &why);
		return;
	}
	for (int i = 0; i < EV_CATEGORIES; i++)
		if (all || c == (enum ev_category)i)
			set_level(a, (enum ev_category)i, l);
	admin_call_did(call, "%s to %s", name, level);
	admin_call_ok(call, json_pack("{s:s, s:s}", "category", name, "level", level));
}

const struct admin_cmd admin_log_cmds[] = { { "log.show", show }, { "log.set", set }, { NULL, NULL } };
