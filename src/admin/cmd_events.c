/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_events.c  events.list, events.follow, explain.event: what happened, and what an event means. */
#include <errno.h>
#include "admin/stream.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"

enum { LIST_DEFAULT = 50, LIST_MAX = 5000, POLL_MS = 150, QUEUE_MAX = 1 << 20 };

/* What is asked for. */
struct filter {
	int id, category, severity; /* -1: any; severity: this and worse */
	char session[EV_SESSION_SIZE];
	char gateway[64];
};

static int bad_value(struct ev_report *why, const char *value, const char *kind, const char *possible)
{
	ev_set(why, EV_ADMIN_VALUE_BAD);
	ev_str(why, "value", value);
	ev_str(why, "kind", kind);
	ev_str(why, "possible", possible);
	return EINVAL;
}

static int take_filter(const json_t *args, struct filter *f, struct ev_report *why)
{
	const char *category = admin_arg_str(args, "category"), *severity = admin_arg_str(args, "severity");
	const char *session = admin_arg_str(args, "session"), *gateway = admin_arg_str(args, "gateway");
	memset(f, 0, sizeof *f);
	f->id = (int)admin_arg_int(args, "id", -1);
	f->category = f->severity = -1;
	if (category) {
		enum ev_category c;
		if (ev_category_parse(text_of(category), &c) != 0)
			return bad_value(why, category, "category", "umbel log show lists them");
		f->category = (int)c;
	}
	for (int s = EV_SEV_ERROR; severity && s <= EV_SEV_TRACE; s++)
		if (text_is_nocase(text_of(severity), ev_severity_name((enum ev_severity)s)))
			f->severity = s;
	if (severity && f->severity < 0)
		return bad_value(why, severity, "severity", "error, warning, notice, info, detail, trace");
	text_fill(f->session, sizeof f->session, session ? session : "");
	text_fill(f->gateway, sizeof f->gateway, gateway ? gateway : "");
	return 0;
}

static bool passes(const struct filter *f, const struct ev_record *rec)
{
	const struct ev_def *def = ev_def_find(rec->report.id);
	if (!def || (f->id >= 0 && rec->report.id != f->id) || (f->category >= 0 && def->category != f->category) ||
	    (f->severity >= 0 && def->severity > f->severity))
		return false;
	if (*f->session && strcmp(f->session, rec->report.session) != 0)
		return false;
	return !*f->gateway || text_is(ev_field_text(&rec->report, "gateway"), f->gateway);
}

static json_t *record_json(const struct ev_record *rec)
{
	struct buf b;
	buf_init(&b, 65536);
	json_t *o = ev_record_json(rec, &b) == 0 ? admin_json_of_buf(&b) : NULL;
	buf_free(&b);
	return o;
}

/* ---- events.list ---- */

struct collect {
	struct filter filter;
	json_t *array;
	size_t max;
};

static void collect_h(const struct ev_record *rec, void *arg)
{
	struct collect *c = arg;
	if (!passes(&c->filter, rec))
		return;
	if (json_array_size(c->array) >= c->max)
		json_array_remove(c->array, 0);
	json_t *o = record_json(rec);
	if (o)
		json_array_append_new(c->array, o);
}

static void list(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct collect c = { .array = json_array() };
	struct ev_report why = { 0 };
	int64_t max = admin_arg_int(args, "max", LIST_DEFAULT);
	c.max = max < 1 ? 1 : max > LIST_MAX ? LIST_MAX : (size_t)max;
	int err = take_filter(args, &c.filter, &why);
	if (err) {
		json_decref(c.array);
		admin_call_errno(call, err, &why);
		return;
	}
	uint64_t last = ev_bus_read(a->prm.bus, (uint64_t)admin_arg_int(args, "after", 0), UINT32_MAX, collect_h, &c);
	admin_call_ok(call, json_pack("{s:o, s:I}", "events", c.array, "last", (json_int_t)last));
}

/* ---- events.follow ---- */

struct follow {
	struct admin_stream stream;
	struct filter filter;
	uint64_t seen;
};

static void follow_free(struct admin_stream *s)
{
	mem_free((struct follow *)s);
}

struct fetched {
	const struct filter *filter;
	json_t *array;
};

static void fetch_h(const struct ev_record *rec, void *arg)
{
	struct fetched *x = arg;
	json_t *o = passes(x->filter, rec) ? record_json(rec) : NULL;
	if (o)
		json_array_append_new(x->array, o);
}

/* Looks a few times a second: what is written elsewhere never waits for who follows, and who reads slowly is not sent more. */
static void look_again(struct admin_stream *s)
{
	struct follow *f = (struct follow *)s;
	struct fetched x = { &f->filter, json_array() };
	size_t i;
	json_t *o;
	if (x.array && admin_call_queued(s->call) < QUEUE_MAX)
		f->seen = ev_bus_read(s->admin->prm.bus, f->seen, 256, fetch_h, &x);
	json_array_foreach(x.array, i, o)
		if (!s->gone)
			admin_call_more(s->call, json_incref(o));
	json_decref(x.array);
	admin_stream_again(s, POLL_MS);
}

static void follow(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	struct follow *f = mem_zalloc(1, sizeof *f);
	int err = f ? take_filter(args, &f->filter, &why) : ENOMEM;
	if (err) {
		mem_free(f);
		admin_call_errno(call, err, &why);
		return;
	}
	f->seen = ev_bus_last_seq(a->prm.bus);
	int64_t back = admin_arg_int(args, "back", 0);
	f->seen -= back > 0 && (uint64_t)back < f->seen ? (uint64_t)back : back > 0 ? f->seen : 0;
	admin_stream_start(&f->stream, a, &a->follows, call, look_again, follow_free);
}

void admin_follow_init(struct admin *a)
{
	list_init(&a->follows);
}

static void last_word(struct admin_stream *s)
{
	admin_call_ok(s->call, json_object());
}

void admin_follow_stop(struct admin *a)
{
	admin_streams_stop(&a->follows, last_word);
}

/* ---- explain.event ---- */

static void last_h(const struct ev_record *rec, void *arg)
{
	struct collect *c = arg;
	if (rec->report.id != c->filter.id)
		return;
	json_decref(c->array);
	json_t *o = record_json(rec);
	json_t *said = admin_report_json(&rec->report);
	if (o && said) {
		json_object_set(o, "cause", json_object_get(said, "cause"));
		json_object_set(o, "advice", json_object_get(said, "advice"));
	}
	json_decref(said);
	c->array = o;
	c->max++;
}

static void explain(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	const char *name = admin_arg_str(args, "event");
	uint32_t id = 0;
	const struct ev_def *def = NULL;
	if (name)
		def = text_u32(text_of(name), 65535, &id) == 0 ? ev_def_find((uint16_t)id) : ev_def_by_name(text_of(name));
	json_t *story = NULL;
	if (!def && name && admin_story_answer(a, call, name))
		return;
	if (!def) {
		admin_call_not_found(call, "event", name ? name : "", admin_words(ADMIN_HINT_EVENTS));
		return;
	}
	struct collect c = { .filter = { .id = def->id } };
	ev_bus_read(a->prm.bus, 0, UINT32_MAX, last_h, &c);
	json_t *o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "id", (int)def->id, "name", def->name, "severity",
	                      ev_severity_name(def->severity), "category", ev_category_name(def->category), "text", def->text, "cause", def->cause,
	                      "advice", def->advice, "source", def->source, "kept", (json_int_t)c.max);
	if (o && c.array)
		json_object_set(o, "last", c.array);
	story = c.array ? admin_story_json(a, json_string_value(json_object_get(json_object_get(c.array, "fields"), "story"))) : NULL;
	if (o && story)
		json_object_set_new(o, "story", story);
	json_decref(c.array);
	admin_call_ok(call, o);
}

const struct admin_cmd admin_event_cmds[] = {
	{ "events.list", list }, { "events.follow", follow }, { "explain.event", explain }, { NULL, NULL },
};
