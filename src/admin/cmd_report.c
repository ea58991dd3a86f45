/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_report.c  report.calls, report.records, report.attendants, report.mailboxes: what the records of calls say. Single calls and mailboxes
 * come a page at a time: whoever wants more asks again with `next` as `after`.                                          */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "directory/dir.h"
#include "records/report.h"

/* ---- numbers that may be unknown ---- */
static json_t *known(int64_t figure)
{
	return figure < 0 ? json_null() : json_integer((json_int_t)figure);
}

static json_t *part(int64_t figure, double of)
{
	return figure < 0 ? json_null() : json_real((double)figure / of);
}

static json_t *mean(int64_t sum, int64_t n, double of)
{
	return n > 0 ? json_real((double)(sum * 100 / n) / 100 / of) : json_null();
}

/* To a thousandth of a per cent. */
static json_t *loss(int64_t lost, int64_t received)
{
	if (lost < 0 || received < 0 || lost + received == 0)
		return json_null();
	return json_real((double)(int64_t)(100000.0 * (double)lost / (double)(lost + received) + 0.5) / 1000);
}

static json_t *text(const char *s)
{
	return admin_json_text(text_of(s));
}

/* ---- calls in figures ---- */
static void count(json_t *period, const char *of, const char *what, int64_t n)
{
	json_t *o = json_object_get(period, of);
	json_object_set_new(o, what, json_integer((json_int_t)n + json_integer_value(json_object_get(o, what))));
}

/* Every kind, result and band is there, so that tables have the same columns every day. */
static json_t *empty_period(const char *name)
{
	static const char *const bands[] = { "excellent", "good", "average", "poor", "bad", "not-measured" };
	json_t *p = json_pack("{s:s, s:i, s:n, s:{}, s:{}, s:{}}", "period", name, "calls", 0, "mean_duration_ms", "kinds", "offer_results", "quality");
	for (int k = 0; k < RECORD_KINDS; k++)
		count(p, "kinds", record_kind_name((enum record_kind)k), 0);
	for (int k = 0; k < RECORD_OFFERS; k++)
		count(p, "offer_results", record_offer_name((enum record_offer)k), 0);
	for (unsigned k = 0; k < sizeof bands / sizeof *bands; k++)
		count(p, "quality", bands[k], 0);
	return p;
}

static void close_period(json_t *p, const struct report_calls *sum)
{
	json_object_set_new(p, "calls", json_integer((json_int_t)sum->calls));
	json_object_set_new(p, "mean_duration_ms", sum->calls ? json_integer((json_int_t)(sum->duration_ms / sum->calls)) : json_null());
	json_object_set_new(p, "packets_received", json_integer((json_int_t)sum->received));
	json_object_set_new(p, "packets_lost", json_integer((json_int_t)sum->lost));
	json_object_set_new(p, "loss_percent", loss(sum->lost, sum->received));
	json_object_set_new(p, "mean_jitter_ms", mean(sum->jitter_us, sum->n_jitter, 1000));
	json_object_set_new(p, "mean_round_trip_ms", mean(sum->round_trip_us, sum->n_round_trip, 1000));
	json_object_set_new(p, "mean_nmos", mean(sum->nmos_centi, sum->n_nmos, 100));
}

static void add(struct report_calls *sum, const struct report_calls *x)
{
	sum->calls += x->calls;
	sum->duration_ms += x->duration_ms;
	sum->received += x->received;
	sum->lost += x->lost;
	sum->n_jitter += x->n_jitter;
	sum->jitter_us += x->jitter_us;
	sum->n_round_trip += x->n_round_trip;
	sum->round_trip_us += x->round_trip_us;
	sum->n_nmos += x->n_nmos;
	sum->nmos_centi += x->nmos_centi;
}

static json_t *calls_json(const struct report *rep)
{
	const struct report_calls *v = rep->rows;
	json_t *periods = json_array(), *p = NULL;
	struct report_calls sum = { 0 };
	for (size_t i = 0; i < rep->n; i++) {
		if (!p || strcmp(v[i].period, v[i - 1].period) != 0) {
			if (p)
				close_period(p, &sum);
			sum = (struct report_calls){ 0 };
			json_array_append_new(periods, p = empty_period(v[i].period));
		}
		count(p, "kinds", v[i].kind, v[i].calls);
		count(p, "offer_results", v[i].offer_result, v[i].calls);
		count(p, "quality", v[i].band[0] ? v[i].band : "not-measured", v[i].calls);
		add(&sum, &v[i]);
	}
	if (!p && rep->f.by == REPORT_ALL)
		json_array_append_new(periods, p = empty_period(""));
	if (p)
		close_period(p, &sum);
	return json_pack("{s:o}", "periods", periods);
}

/* ---- single calls ---- */
static json_t *path_json(const struct record_item *it)
{
	json_t *v = json_array();
	for (unsigned i = 0; i < it->n_steps; i++) {
		const struct call_step *s = &it->step[i];
		json_array_append_new(v, json_pack("{s:I, s:s, s:s, s:s, s:o, s:o}", "at_ms", (json_int_t)s->at_ms, "attendant", s->attendant, "menu", s->menu, "what",
		                                   s->what, "value", text(s->value), "target", text(s->target)));
	}
	return v;
}

static json_t *record_json(const struct record_item *it)
{
	const struct call_record *r = &it->r;
	char at[RFC3339_SIZE];
	json_t *o = json_pack("{s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s}", "started", rfc3339_us(r->started_us, at), "started_us",
	                      (json_int_t)r->started_us, "duration_ms", (json_int_t)r->duration_ms, "kind", r->kind, "direction", r->direction, "id", r->id,
	                      "parent", r->parent, "call_id", text(r->call_id), "node", r->node, "dialplan", r->dialplan, "gateway", r->gateway, "gateway_address",
	                      r->gateway_address, "transport", r->transport);
	json_t *who = json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s}", "called", text(r->called), "caller", text(r->caller),
	                        "caller_name", text(r->caller_name), "dialled", text(r->dialled), "offer_result", r->offer_result, "drop_reason", r->drop_reason,
	                        "reason", r->reason, "caller_mailbox", r->caller_mailbox, "callee_mailbox", r->callee_mailbox, "attendant", r->attendant,
	                        "transferred_to", text(r->transferred_to), "codec", r->codec, "keys", r->keys, "srtp", r->srtp);
	json_t *sound = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "quality", r->band[0] ? json_string(r->band) : json_null(),
	                          "nmos", part(r->nmos_centi, 100), "nmos_degradation", part(r->degradation_centi, 100), "nmos_degradation_jitter",
	                          part(r->degradation_jitter_centi, 100), "nmos_degradation_loss", part(r->degradation_loss_centi, 100), "jitter_ms",
	                          part(r->jitter_us, 1000), "packets_received", known(r->received), "packets_lost", known(r->lost), "loss_percent",
	                          loss(r->lost, r->received), "peer_packets_lost", known(r->peer_lost), "round_trip_ms", part(r->round_trip_us, 1000),
	                          "burst_density", part(r->burst_density_centi, 100), "burst_gap_ms", known(r->burst_gap_ms));
	json_object_update(o, who);
	json_object_update(o, sound);
	json_decref(who);
	json_decref(sound);
	json_object_set_new(o, "path", path_json(it));
	json_object_set_new(o, "steps_lost", json_integer((json_int_t)r->steps_lost));
	return o;
}

static json_t *records_json(const struct report *rep)
{
	struct record_item *const *v = rep->rows;
	json_t *array = json_array(), *next = json_null();
	for (size_t i = 0; i < rep->n; i++)
		json_array_append_new(array, record_json(v[i]));
	unsigned most = rep->f.limit && rep->f.limit < REPORT_PAGE ? rep->f.limit : REPORT_PAGE;
	if (rep->n && rep->n == most)
		next = json_pack("{s:I, s:s}", "us", (json_int_t)v[rep->n - 1]->r.started_us, "id", v[rep->n - 1]->r.id);
	return json_pack("{s:o, s:o}", "records", array, "next", next);
}

/* ---- attendants ---- */
static json_t *find(json_t *array, const char *key, const char *value)
{
	size_t i;
	json_t *o;
	json_array_foreach(array, i, o)
		if (strcmp(json_string_value(json_object_get(o, key)), value) == 0)
			return o;
	return NULL;
}

static void sum_up(json_t *menu, const struct report_step *s)
{
	bool to_operator = strcmp(s->value, "operator") == 0, transfer = strcmp(s->what, "transfer") == 0;
	const char *total = transfer && strcmp(s->target, "done") != 0 ? NULL : transfer && to_operator ? "to_operator" : transfer ? "put_through" : NULL;
	if (strcmp(s->what, "said") == 0 || strcmp(s->what, "spelt") == 0)
		total = "names_found";
	else if (strcmp(s->what, "not-heard") == 0 || strcmp(s->what, "not-found") == 0)
		total = "names_not_found";
	else if (strcmp(s->what, "gave-up") == 0)
		total = "gave_up";
	else if (strcmp(s->what, "key") == 0)
		total = "keys";
	if (total)
		json_object_set_new(menu, total, json_integer((json_int_t)s->count + json_integer_value(json_object_get(menu, total))));
}

static json_t *menu_of(json_t *attendant, const char *name)
{
	json_t *menus = json_object_get(attendant, "menus"), *m = find(menus, "menu", name);
	if (m)
		return m;
	m = json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:[]}", "menu", name, "calls", 0, "keys", 0, "names_found", 0, "names_not_found", 0, "put_through", 0,
	              "to_operator", 0, "gave_up", 0, "steps");
	json_array_append_new(menus, m);
	return m;
}

static json_t *attendants_json(const struct report *rep)
{
	const struct report_step *v = rep->rows;
	json_t *array = json_array();
	for (size_t i = 0; i < rep->n; i++) {
		const struct report_step *s = &v[i];
		json_t *a = find(array, "attendant", s->attendant);
		if (!a)
			json_array_append_new(array, a = json_pack("{s:s, s:i, s:[]}", "attendant", s->attendant, "calls", 0, "menus"));
		json_t *m = s->menu[0] ? menu_of(a, s->menu) : NULL;
		if (!s->what[0]) {
			json_object_set_new(m ? m : a, "calls", json_integer((json_int_t)s->calls));
			continue;
		}
		sum_up(m, s);
		json_array_append_new(json_object_get(m, "steps"), json_pack("{s:s, s:o, s:o, s:I, s:I, s:o}", "what", s->what, "value", text(s->value), "target",
		                                                             text(s->target), "count", (json_int_t)s->count, "calls", (json_int_t)s->calls, "share",
		                                                             mean(s->calls * 100, json_integer_value(json_object_get(m, "calls")), 1)));
	}
	return json_pack("{s:o, s:b}", "attendants", array, "cut", rep->n >= REPORT_STEPS_MAX);
}

/* ---- mailboxes ---- */
static json_t *mailboxes_json(const struct report *rep)
{
	const struct report_box *v = rep->rows;
	json_t *array = json_array();
	for (size_t i = 0; i < rep->n; i++) {
		char left[RFC3339_SIZE], heard[RFC3339_SIZE];
		const struct report_box *b = &v[i];
		json_array_append_new(array, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:I}", "mailbox", b->mailbox, "calls", (json_int_t)b->called,
		                                       "messages", (json_int_t)b->messages, "missed", (json_int_t)b->missed, "logons", (json_int_t)b->logons,
		                                       "failed_logons", (json_int_t)b->failed, "last_message",
		                                       b->last_message_us ? json_string(rfc3339_us(b->last_message_us, left)) : json_null(), "last_logon",
		                                       b->last_logon_us ? json_string(rfc3339_us(b->last_logon_us, heard)) : json_null(), "last_message_us",
		                                       (json_int_t)b->last_message_us, "last_logon_us", (json_int_t)b->last_logon_us));
	}
	json_t *next = rep->n == REPORT_BOXES_PAGE ? json_pack("{s:s}", "mailbox", v[rep->n - 1].mailbox) : json_null();
	return json_pack("{s:o, s:o}", "mailboxes", array, "next", next);
}

/* ---- asking ---- */
static void answered(const struct report *rep, int err, const struct ev_report *why, void *arg)
{
	static json_t *(*const make[])(const struct report *rep) = { calls_json, records_json, attendants_json, mailboxes_json };
	struct admin_call *call = arg;
	if (err)
		admin_call_errno(call, err, why);
	else if (!admin_call_left(call))
		admin_call_ok(call, make[rep->what](rep));
	mem_unref(call);
}

/* As in the configuration where it is there: an extension is as good as a name. */
static void mailbox_name(struct admin *a, const char *given, char *dst, size_t size)
{
	struct dir_view *v = given && a->prm.dir ? dir_view(a->prm.dir) : NULL;
	const struct dir_user *u = v ? dir_find(v, text_of(given)) : NULL;
	text_fill(dst, size, u ? u->name : given ? given : "");
	if (v)
		dir_view_unref(v);
}

static int times(struct admin *a, const json_t *args, struct report_filter *f, struct ev_report *why)
{
	const char *since = admin_arg_str(args, "since"), *until = admin_arg_str(args, "until");
	int64_t now_us = clock_real_us(a->prm.clock);
	if (since && report_since(f, text_of(since), now_us))
		return admin_value_bad(why, since, "time", "a day (2026-11-23), today, yesterday, a number of days (7d), all, a time (2026-11-23T14:00:00Z)");
	if (until && report_until(f, text_of(until), now_us))
		return admin_value_bad(why, until, "time", "a day (2026-11-23), today, yesterday, a number of days (7d), all, a time (2026-11-23T14:00:00Z)");
	return 0;
}

static int by(const json_t *args, struct report_filter *f, struct ev_report *why)
{
	static const char *const names[] = { "all", "day", "month" };
	const char *given = admin_arg_str(args, "by");
	for (unsigned i = 0; given && i < sizeof names / sizeof *names; i++)
		if (strcmp(given, names[i]) == 0) {
			f->by = (enum report_by)i;
			return 0;
		}
	return given ? admin_value_bad(why, given, "period", "day, month, all") : 0;
}

static int kind(const json_t *args, struct report_filter *f, struct ev_report *why)
{
	char all[256] = "";
	const char *given = admin_arg_str(args, "kind");
	size_t n = 0;
	for (int k = 0; k < RECORD_KINDS; k++) {
		const char *name = record_kind_name((enum record_kind)k);
		if (given && strcmp(given, name) == 0) {
			text_fill(f->kind, sizeof f->kind, name);
			return 0;
		}
		text_print(all + n, sizeof all - n, "%s%s", k ? ", " : "", name);
		n = strlen(all);
	}
	return given ? admin_value_bad(why, given, "kind of call", all) : 0;
}

static void name(const json_t *args, const char *key, char *dst, size_t size)
{
	const char *given = admin_arg_str(args, key);
	text_fill(dst, size, given ? given : "");
}

static int filter(struct admin *a, const json_t *args, struct report_filter *f, struct ev_report *why)
{
	const json_t *after = json_object_get(args, "after");
	int64_t limit = admin_arg_int(args, "limit", 0);
	*f = (struct report_filter){ .limit = limit < 0 || limit > UINT32_MAX ? UINT32_MAX : (unsigned)limit };
	int err = times(a, args, f, why);
	if (!err)
		err = by(args, f, why);
	if (!err)
		err = kind(args, f, why);
	mailbox_name(a, admin_arg_str(args, "mailbox"), f->mailbox, sizeof f->mailbox);
	name(args, "attendant", f->attendant, sizeof f->attendant);
	name(args, "gateway", f->gateway, sizeof f->gateway);
	name(args, "dialplan", f->dialplan, sizeof f->dialplan);
	name(args, "node", f->node, sizeof f->node);
	if (after) {
		f->before_us = admin_arg_int(after, "us", 0);
		name(after, "id", f->before_id, sizeof f->before_id);
		name(after, "mailbox", f->after_mailbox, sizeof f->after_mailbox);
	}
	return err;
}

static void ask(struct admin *a, struct admin_call *call, const json_t *args, enum report_what what)
{
	struct ev_report why = { 0 };
	struct report_filter f;
	if (!a->prm.records) {
		admin_call_absent(call, "records of calls");
		return;
	}
	int err = filter(a, args, &f, &why);
	if (!err)
		err = report_ask(a->prm.records, what, &f, answered, mem_ref(call));
	else
		mem_ref(call);
	if (!err)
		return;
	admin_call_errno(call, err, &why);
	mem_unref(call);
}

static void calls(struct admin_call *call, const json_t *args, void *arg)
{
	ask(arg, call, args, REPORT_CALLS);
}

static void records(struct admin_call *call, const json_t *args, void *arg)
{
	ask(arg, call, args, REPORT_RECORDS);
}

static void attendants(struct admin_call *call, const json_t *args, void *arg)
{
	ask(arg, call, args, REPORT_ATTENDANTS);
}

static void mailboxes(struct admin_call *call, const json_t *args, void *arg)
{
	ask(arg, call, args, REPORT_MAILBOXES);
}

const struct admin_cmd admin_report_cmds[] = {
	{ "report.calls", calls }, { "report.records", records }, { "report.attendants", attendants }, { "report.mailboxes", mailboxes }, { NULL, NULL },
};
