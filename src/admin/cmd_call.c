/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_call.c  call.list, call.show, call.end: the calls of this node, alive and lately over. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "dialogue/service.h"
#include "dialogue/tale.h"
#include "records/report.h"

static json_t *call_json(const struct dlg_call_info *c)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:b, s:b, s:I, s:I}", "id", c->session, "from", admin_json_text(text_of(c->from)),
	                 "from_name", admin_json_text(text_of(c->from_name)), "called", admin_json_text(text_of(c->called)), "gateway", c->gateway, "source",
	                 c->source, "dialogue", c->dialogue, "object", admin_json_text(text_of(c->object)), "state", admin_json_text(text_of(c->state)), "over",
	                 c->over, "held", c->held, "started_us", (json_int_t)c->started_us, "duration_ms", (json_int_t)c->duration_ms);
}

static void collect_h(const struct dlg_call_info *c, void *arg)
{
	json_t *o = call_json(c);
	if (o)
		json_array_append_new(arg, o);
}

static void list(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	if (!a->prm.calls) {
		admin_call_absent(call, "calls");
		return;
	}
	json_t *array = json_array();
	dlg_service_calls(a->prm.calls, admin_arg_bool(args, "history"), collect_h, array);
	admin_call_ok(call, json_pack("{s:o}", "calls", array));
}

/* ---- the story ---- */
struct story {
	json_t *lines;
	int64_t started_us;
	const char *session;
};

/* Advice has lines, and commands on lines of their own. */
static json_t *lines_json(const char *lines)
{
	struct text rest = text_of(lines), line;
	struct buf b;
	char clean[4096];
	buf_init(&b, 65536);
	while (!text_empty(rest)) {
		text_cut(rest, '\n', &line, &rest);
		buf_printf(&b, "%s%s", text_escape(line, clean, sizeof clean), text_empty(rest) ? "" : "\n");
	}
	json_t *o = admin_json_text(TEXT_NONE);
	const char *whole = buf_cstr(&b);
	if (o && whole && *whole)
		json_string_set(o, whole);
	buf_free(&b);
	return o;
}

static void line_h(const struct dlg_tale_line *l, void *arg)
{
	struct story *s = arg;
	json_array_append_new(s->lines, json_pack("{s:I, s:s, s:o, s:o}", "at_ms", (json_int_t)l->at_ms, "name", l->name, "text", admin_json_text(text_of(l->text)),
	                                          "advice", lines_json(l->advice)));
}

/* Behind all that was before it. */
static void put_in_order(json_t *lines, json_t *line)
{
	json_int_t at = json_integer_value(json_object_get(line, "at_ms"));
	size_t i = json_array_size(lines);
	while (i > 0 && json_integer_value(json_object_get(json_array_get(lines, i - 1), "at_ms")) > at)
		i--;
	json_array_insert_new(lines, i, line);
}

/* What went wrong in other parts of the server during the call: their events bear its session. */
static void event_h(const struct ev_record *rec, void *arg)
{
	struct story *s = arg;
	const struct ev_def *def = ev_def_find(rec->report.id);
	char name[32];
	if (strcmp(rec->report.session, s->session) != 0 || !def || def->severity > EV_SEV_NOTICE || dlg_tale_covers(rec->report.id))
		return;
	json_t *said = admin_report_json(&rec->report), *o;
	text_print(name, sizeof name, "event-%u", (unsigned)rec->report.id);
	o = json_pack("{s:I, s:s, s:O, s:O}", "at_ms", (json_int_t)((rec->real_us - s->started_us) / 1000), "name", name, "text", json_object_get(said, "text"), "advice",
	              json_object_get(said, "advice"));
	if (o)
		put_in_order(s->lines, o);
	json_decref(said);
}

struct showing {
	struct admin *admin;
	json_t *call;
};

static void one_h(const struct dlg_call_info *c, void *arg)
{
	struct showing *x = arg;
	struct story story = { .lines = json_array(), .started_us = c->started_us, .session = c->session };
	json_t **op = &x->call, *steps = json_array(), *o = call_json(c);
	dlg_tale_each(c->tale, line_h, &story);
	ev_bus_read(x->admin->prm.bus, 0, UINT32_MAX, event_h, &story);
	for (unsigned i = 0; i < c->n_steps; i++)
		json_array_append_new(steps, json_pack("{s:I, s:o}", "at_ms", (json_int_t)c->steps[i].at_ms, "text", admin_json_text(text_of(c->steps[i].text))));
	if (o) {
		json_object_set(o, "steps", steps);
		json_object_set_new(o, "steps_lost", json_integer(c->steps_lost));
		json_object_set(o, "story", story.lines);
		json_object_set_new(o, "story_lost", json_integer(c->tale->lost));
	}
	json_decref(steps);
	json_decref(story.lines);
	*op = o;
}

/* 0 when found; else answered. */
static int missed(struct admin_call *call, int err, const char *id)
{
	if (err == ENOENT)
		admin_call_not_found(call, "call", id, admin_words(ADMIN_HINT_CALLS));
	else if (err == EEXIST)
		admin_call_not_found(call, "single call that begins with", id, admin_words(ADMIN_HINT_SEVERAL_CALLS));
	else if (err)
		admin_call_errno(call, err, NULL);
	return err;
}

static const char *id_of(struct admin *a, struct admin_call *call, const json_t *args)
{
	struct ev_report why = { 0 };
	const char *id = NULL;
	if (!a->prm.calls)
		admin_call_absent(call, "calls");
	else if (admin_need_str(args, "id", &id, &why) != 0)
		admin_call_fail(call, &why);
	return id;
}

/* ---- calls that only the store remembers: of any node ---- */
static json_t *record_json(const struct record_item *it)
{
	const struct call_record *r = &it->r;
	struct dlg_tale tale = { 0 };
	struct story story = { .lines = json_array() };
	dlg_tale_of_record(&tale, it);
	dlg_tale_each(&tale, line_h, &story);
	json_t *o = json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:s, s:b, s:b, s:I, s:I, s:s, s:[], s:i, s:o, s:i}", "id", r->id, "from",
	                      admin_json_text(text_of(r->caller)), "from_name", admin_json_text(text_of(r->caller_name)), "called", admin_json_text(text_of(r->called)),
	                      "gateway", r->gateway, "source", r->gateway_address, "dialogue", r->kind, "object",
	                      admin_json_text(text_of(*r->attendant ? r->attendant : r->callee_mailbox)), "state", r->drop_reason, "over", 1, "held", 0, "started_us",
	                      (json_int_t)r->started_us, "duration_ms", (json_int_t)r->duration_ms, "node", r->node, "steps", "steps_lost", 0, "story", story.lines,
	                      "story_lost", (int)tale.lost);
	dlg_tale_free(&tale);
	return o;
}

static void recorded_h(const struct report *rep, int err, const struct ev_report *why, void *arg)
{
	struct admin_call *call = arg;
	struct record_item *const *v = rep->rows;
	if (err)
		admin_call_why(call, err, why);
	else if (missed(call, rep->n == 0 ? ENOENT : rep->n > 1 ? EEXIST : 0, rep->f.id) == 0)
		admin_call_ok(call, record_json(v[0]));
	mem_unref(call);
}

static int ask_records(struct admin *a, struct admin_call *call, const char *id)
{
	struct report_filter f = { 0 };
	if (!a->prm.records || strlen(id) >= sizeof f.id)
		return ENOENT;
	text_fill(f.id, sizeof f.id, id);
	int err = report_ask(a->prm.records, REPORT_RECORDS, &f, recorded_h, mem_ref(call));
	if (err)
		mem_unref(call);
	return err;
}

static void show(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct showing x = { .admin = a };
	const char *id = id_of(a, call, args);
	int err = id ? dlg_service_call(a->prm.calls, id, one_h, &x) : 0;
	if (!id || (err == ENOENT && *id && ask_records(a, call, id) == 0))
		return;
	if (missed(call, err, id) == 0)
		admin_call_ok(call, x.call);
}

static void end(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	const char *id = id_of(a, call, args);
	if (!id || missed(call, dlg_service_end(a->prm.calls, id), id) != 0)
		return;
	admin_call_did(call, "%s", id);
	admin_call_ok(call, json_pack("{s:s}", "ended", id));
}

const struct admin_cmd admin_call_cmds[] = { { "call.list", list }, { "call.show", show }, { "call.end", end }, { NULL, NULL } };
