/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_attendant.c  attendant.*: the auto attendants as configured. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin/simulate.h"
#include "admin_events.h"
#include "dialogue/service.h"

static json_t *strings_json(const struct cfg_strings *s)
{
	json_t *array = json_array();
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(array, json_string(s->v[i]));
	return array;
}

static json_t *keys_json(const struct cfg_menu_key *keys, size_t n)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct cfg_menu_key *k = &keys[i];
		char key[16] = { k->key, '\0' };
		if (k->key == 't')
			text_fill(key, sizeof key, "time-out");
		json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s}", "key", key, "action", cfg_action_name(k->action), "target", k->target, "say", k->say));
	}
	return array;
}

static json_t *attendant_json(const struct cfg_attendant *c)
{
	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:b, s:b, s:o, s:s, s:s, s:b, s:o, s:s, s:o}", "name", c->name, "numbers", strings_json(&c->numbers), "uris", strings_json(&c->uris),
	                 "dialplan", c->dialplan, "greeting", c->greeting, "operator", c->operator_number, "dial_by_extension", c->dial_by_extension,
	                 "dial_by_name", c->dial_by_name, "keys", keys_json(c->keys, c->n_keys), "schedule", c->schedule, "location", c->location,
	                 "allow_extensions", c->allow_extensions, "allowed_rules", strings_json(&c->allowed_rules), "closed_greeting", c->closed.greeting,
	                 "closed_keys", keys_json(c->closed.keys, *c->schedule ? c->closed.n_keys : 0));
}

static void list(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	json_t *array = json_array();
	(void)args;
	for (size_t i = 0; a->objects && i < a->objects->n_attendants; i++) {
		const struct cfg_attendant *c = &a->objects->attendants[i];
		json_t *o = attendant_json(c);
		if (o)
			json_object_set_new(o, "number", json_string(c->numbers.n ? c->numbers.v[0] : c->uris.n ? c->uris.v[0] : ""));
		json_array_append_new(array, o);
	}
	admin_call_ok(call, json_pack("{s:o}", "attendants", array));
}

static void show(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	const char *name;
	if (admin_need_str(args, "name", &name, &why) != 0) {
		admin_call_fail(call, &why);
		return;
	}
	const struct cfg_attendant *c = a->objects ? cfg_attendant(a->objects, text_of(name)) : NULL;
	if (c)
		admin_call_ok(call, attendant_json(c));
	else
		admin_call_not_found(call, "attendant", name, admin_words(ADMIN_HINT_ATTENDANTS));
}

static void draw(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	const char *name, *form = admin_arg_str(args, "form");
	struct buf b;
	if (admin_need_str(args, "name", &name, &why) != 0) {
		admin_call_fail(call, &why);
		return;
	}
	buf_init(&b, 1 << 20);
	int err = !a->objects ? ENOENT : dlg_draw_named(a->objects, text_of(name), form && strcmp(form, "dot") == 0 ? DLG_DRAW_GRAPHVIZ : DLG_DRAW_TEXT, &b);
	if (err == ENOENT)
		admin_call_not_found(call, "attendant or conversation", name, admin_words(ADMIN_HINT_CONVERSATIONS));
	else if (err)
		admin_call_errno(call, err, NULL);
	else
		admin_call_ok(call, json_pack("{s:s, s:s}", "name", name, "drawing", b.n ? buf_cstr(&b) : ""));
	buf_free(&b);
}

static void simulate(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	if (!a->objects) {
		admin_call_absent(call, "attendants");
		return;
	}
	json_t *o = admin_simulate(a->objects, a->prm.languages, args, clock_real_s(a->prm.clock ? a->prm.clock : clock_system()), &why);
	if (o)
		admin_call_ok(call, o);
	else
		admin_call_fail(call, &why);
}

const struct admin_cmd admin_attendant_cmds[] = {
	{ "attendant.list", list }, { "attendant.show", show }, { "attendant.draw", draw }, { "attendant.simulate", simulate }, { NULL, NULL },
};
