/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_trace.c  trace.start, trace.stop, trace.status, trace.forget, trace.save. A saved trace goes to the caller in pieces, who writes it to a file
 * of his own: the server needs no right to write there.                                                                 */
#include <errno.h>
#include <openssl/evp.h>
#include "admin/admin_private.h"
#include "admin_events.h"
#include "base/mem.h"
#include "net/tmr.h"
#include "trace/trace.h"
#include "trace_events.h"

enum { PIECE = 48 << 10, WAITING_MAX = 1 << 20, AGAIN_MS = 20 };

static bool have_trace(struct admin *a, struct admin_call *call)
{
	if (!a->prm.trace)
		admin_call_absent(call, "traces");
	return a->prm.trace != NULL;
}

static void text_arg(const json_t *args, const char *key, char *dst, size_t size)
{
	const char *v = admin_arg_str(args, key);
	text_fill(dst, size, v ? v : "");
}

static int bad_value(struct ev_report *why, const char *value, const char *kind, const char *possible)
{
	ev_set(why, EV_ADMIN_VALUE_BAD);
	ev_str(why, "value", value);
	ev_str(why, "kind", kind);
	ev_str(why, "possible", possible);
	return EINVAL;
}

static int take_want(struct admin *a, const json_t *args, struct trace_want *w, struct ev_report *why)
{
	char value[32];
	*w = (struct trace_want){ .no_secrets = admin_arg_bool(args, "no_secrets"), .redact = admin_arg_bool(args, "redact") };
	text_arg(args, "gateway", w->gateway, sizeof w->gateway);
	text_arg(args, "call", w->call, sizeof w->call);
	int64_t bytes = admin_arg_int(args, "bytes", 0), ms = admin_arg_int(args, "for_ms", 0);
	if (w->gateway[0] && a->prm.gateways && !gw_find(a->prm.gateways, w->gateway))
		return bad_value(why, w->gateway, "gateway", "the names that umbel gateway list shows");
	text_print(value, sizeof value, "%lld", (long long)bytes);
	if (bytes && (bytes < TRACE_MIN_BYTES || bytes > TRACE_MAX_BYTES))
		return bad_value(why, value, "size in bytes", "65536 to 67108864");
	text_print(value, sizeof value, "%lld", (long long)ms);
	if (ms < 0 || ms > TRACE_MAX_MS)
		return bad_value(why, value, "time in ms", "up to 86400000 (24 h)");
	w->limit_bytes = (size_t)bytes;
	w->for_ms = ms;
	return 0;
}

static json_t *status_json(struct admin *a)
{
	struct trace_status s;
	trace_status(a->prm.trace, &s);
	return json_pack("{s:b, s:b, s:s, s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "running", s.running, "kept", s.kept, "gateway",
	                 s.want.gateway, "call", s.want.call, "no_secrets", s.want.no_secrets, "redact", s.want.redact, "limit_bytes",
	                 (json_int_t)s.want.limit_bytes, "started_us", (json_int_t)s.started_us, "ends_us", (json_int_t)s.ends_us, "now_us",
	                 (json_int_t)clock_real_us(a->prm.clock), "bytes", (json_int_t)s.bytes, "packets", (json_int_t)s.packets, "messages",
	                 (json_int_t)s.messages, "connections", (json_int_t)s.connections, "keys", (json_int_t)s.keys, "evicted", (json_int_t)s.evicted);
}

static void start(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	struct trace_want w;
	if (!have_trace(a, call))
		return;
	int err = take_want(a, args, &w, &why);
	if (!err)
		err = trace_start(a->prm.trace, &w, &why);
	if (err) {
		admin_call_errno(call, err, &why);
		return;
	}
	admin_call_did(call, "trace started");
	admin_call_ok(call, status_json(a));
}

static void stop(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	(void)args;
	if (!have_trace(a, call))
		return;
	int err = trace_stop(a->prm.trace, "by command", &why);
	if (err) {
		admin_call_errno(call, err, &why);
		return;
	}
	admin_call_did(call, "trace stopped");
	admin_call_ok(call, status_json(a));
}

static void status(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	(void)args;
	if (have_trace(a, call))
		admin_call_ok(call, status_json(a));
}

static void forget(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	(void)args;
	if (!have_trace(a, call))
		return;
	(void)trace_stop(a->prm.trace, "by command", &why);
	trace_forget(a->prm.trace);
	admin_call_did(call, "trace forgotten");
	admin_call_ok(call, status_json(a));
}

/* ---- save ---- */

struct sending {
	struct link link;
	struct admin *admin;
	struct admin_call *call;
	struct buf file;
	struct trace_saved saved;
	size_t at;
	struct tmr tmr;
	bool gone;
};

static void sending_free(struct sending *s)
{
	tmr_cancel(&s->tmr);
	list_remove(&s->link);
	mem_unref(s->call);
	if (s->file.p)
		mem_wipe(s->file.p, s->file.room);
	buf_free(&s->file);
	mem_free(s);
}

static void sent_all(struct sending *s)
{
	struct ev_report r = { 0 };
	ev_set(&r, EV_TRACE_SAVED);
	ev_int(&r, "uid", admin_call_uid(s->call));
	ev_int(&r, "packets", s->saved.packets);
	ev_int(&r, "bytes", (int64_t)s->file.n);
	ev_str(&r, "secrets", s->saved.keys ? "with TLS keys" : "without TLS keys");
	ev_emit(s->admin->prm.bus, &r);
	admin_call_gone(s->call, NULL, NULL);
	admin_call_ok(s->call, json_pack("{s:I, s:I, s:I}", "bytes", (json_int_t)s->file.n, "packets", (json_int_t)s->saved.packets, "keys",
	                                 (json_int_t)s->saved.keys));
}

/* A few pieces a turn, and none while the caller does not read. */
static void send_some(void *arg)
{
	struct sending *s = arg;
	char piece[(PIECE + 2) / 3 * 4 + 1];
	for (unsigned i = 0; i < 4 && s->at < s->file.n && !s->gone && admin_call_queued(s->call) < WAITING_MAX; i++) {
		size_t n = s->file.n - s->at < PIECE ? s->file.n - s->at : PIECE;
		EVP_EncodeBlock((uint8_t *)piece, s->file.p + s->at, (int)n);
		s->at += n;
		admin_call_more(s->call, json_pack("{s:s}", "piece", piece));
	}
	mem_wipe(piece, sizeof piece);
	if (!s->gone && s->at < s->file.n) {
		tmr_start(s->admin->prm.loop, &s->tmr, admin_call_queued(s->call) < WAITING_MAX ? 0 : AGAIN_MS, send_some, s);
		return;
	}
	if (!s->gone)
		sent_all(s);
	sending_free(s);
}

static void sending_gone(struct admin_call *call, void *arg)
{
	struct sending *s = arg;
	(void)call;
	s->gone = true;
	if (tmr_active(&s->tmr))
		tmr_start(s->admin->prm.loop, &s->tmr, 0, send_some, s);
}

static void save(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	struct trace_want w;
	if (!have_trace(a, call))
		return;
	struct sending *s = mem_zalloc(1, sizeof *s);
	int err = s ? take_want(a, args, &w, &why) : ENOMEM;
	if (!err) {
		buf_init(&s->file, 3 * (size_t)TRACE_MAX_BYTES);
		err = trace_save(a->prm.trace, &w, &s->file, &s->saved, &why);
	}
	if (err) {
		if (s)
			buf_free(&s->file);
		mem_free(s);
		admin_call_errno(call, err, &why);
		return;
	}
	s->admin = a;
	s->call = mem_ref(call);
	list_append(&a->sendings, &s->link);
	admin_call_gone(call, sending_gone, s);
	tmr_start(a->prm.loop, &s->tmr, 0, send_some, s);
}

void admin_trace_stop(struct admin *a)
{
	LIST_FOREACH (&a->sendings, it) {
		struct sending *s = LIST_ENTRY(it, struct sending, link);
		admin_call_gone(s->call, NULL, NULL);
		sending_free(s);
	}
}

const struct admin_cmd admin_trace_cmds[] = {
	{ "trace.start", start }, { "trace.stop", stop }, { "trace.status", status }, { "trace.forget", forget }, { "trace.save", save }, { NULL, NULL },
};
