/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_trace.c  trace.start, trace.stop, trace.status, trace.forget, trace.save. A saved trace goes to the caller in pieces, who writes it to a file
 * of his own: the server needs no right to write there. The file is made in the file pool; the loop only takes what there is at that moment. */
#include <errno.h>
#include <openssl/evp.h>
#include "admin/stream.h"
#include "admin_events.h"
#include "base/mem.h"
#include "net/pool.h"
#include "trace/trace.h"
#include "trace_events.h"

enum { PIECE = 48 << 10, TURN = 4 * PIECE, PIECE_BYTES_MAX = 64 << 20, WAITING_MAX = 1 << 20, AGAIN_MS = 20 };

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
	*w = (struct trace_want){ .no_secrets = admin_arg_bool(args, "no_secrets"), .redact = admin_arg_bool(args, "redact"), .text = admin_arg_bool(args, "text") };
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

/* A file on its way: written piece by piece in the file pool, given to the caller by the loop, and never ahead of what he reads. */
struct sending {
	struct admin_stream stream;
	struct trace_taken *taken;
	struct buf piece;    /* of the file */
	struct buf text;     /* the same for JSON: base64, each line of it ended by NUL */
	bool over;           /* that was the last piece */
	uint64_t bytes;
};

static void wipe_buf(struct buf *b)
{
	if (b->p)
		mem_wipe(b->p, b->room);
	buf_free(b);
}

static void sending_free(struct admin_stream *stream)
{
	struct sending *s = (struct sending *)stream;
	trace_taken_free(s->taken);
	wipe_buf(&s->piece);
	wipe_buf(&s->text);
	mem_free(s);
}

static void finish(struct sending *s)
{
	struct trace_saved saved = trace_taken_saved(s->taken);
	struct ev_report r = { 0 };
	ev_set(&r, EV_TRACE_SAVED);
	ev_int(&r, "uid", admin_call_uid(s->stream.call));
	ev_int(&r, "packets", saved.packets);
	ev_int(&r, "bytes", (int64_t)s->bytes);
	ev_str(&r, "secrets", saved.keys ? "with TLS keys" : "without TLS keys");
	ev_emit(s->stream.admin->prm.bus, &r);
	admin_call_ok(s->stream.call, json_pack("{s:I, s:I, s:I}", "bytes", (json_int_t)s->bytes, "packets", (json_int_t)saved.packets, "keys", (json_int_t)saved.keys));
	admin_stream_end(&s->stream);
}

static void give_up(struct sending *s, int err)
{
	struct ev_report why = { 0 };
	if (err == ECANCELED)
		ev_set(&why, EV_TRACE_NONE);
	admin_call_errno(s->stream.call, err, &why);
	admin_stream_end(&s->stream);
}

/* In the file pool. */
static int write_work(void *arg)
{
	struct sending *s = arg;
	buf_clear(&s->piece);
	buf_clear(&s->text);
	int err = trace_taken_write(s->taken, TURN, &s->piece, &s->over);
	for (size_t at = 0; !err && at < s->piece.n; at += PIECE) {
		size_t n = s->piece.n - at < PIECE ? s->piece.n - at : PIECE, room = (n + 2) / 3 * 4 + 1;
		uint8_t *p = buf_reserve(&s->text, room);
		if (!p)
			return buf_error(&s->text);
		EVP_EncodeBlock(p, s->piece.p + at, (int)n);
		buf_grew(&s->text, room);
	}
	return err;
}

static void written(enum pool_result result, int err, void *arg)
{
	struct sending *s = arg;
	s->stream.working = false;
	if (s->stream.gone) {
		admin_stream_end(&s->stream);
		return;
	}
	if (result != POOL_DONE) {
		give_up(s, result == POOL_FAILED ? err : ESHUTDOWN);
		return;
	}
	s->bytes += s->piece.n;
	for (size_t at = 0; at < s->text.n; at += strlen((const char *)s->text.p + at) + 1)
		admin_call_more(s->stream.call, json_pack("{s:s}", "piece", (const char *)s->text.p + at));
	if (s->over)
		finish(s);
	else
		admin_stream_again(&s->stream, 0);
}

/* While the caller does not read, nothing is written; what was forgotten meanwhile is not kept for him. */
static void next(struct admin_stream *stream)
{
	struct sending *s = (struct sending *)stream;
	if (trace_taken_old(s->taken))
		give_up(s, ECANCELED);
	else if (admin_call_queued(stream->call) < WAITING_MAX && pool_submit(stream->admin->prm.files, write_work, written, s) == 0)
		stream->working = true;
	else
		admin_stream_again(stream, AGAIN_MS);
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
	if (!err)
		err = trace_take(&s->taken, a->prm.trace, &w, &why);
	if (err) {
		mem_free(s);
		admin_call_errno(call, err, &why);
		return;
	}
	buf_init(&s->piece, PIECE_BYTES_MAX);
	buf_init(&s->text, PIECE_BYTES_MAX * 2);
	admin_stream_start(&s->stream, a, &a->sendings, call, next, sending_free);
}

void admin_trace_stop(struct admin *a)
{
	admin_streams_stop(&a->sendings, NULL);
}

const struct admin_cmd admin_trace_cmds[] = {
	{ "trace.start", start }, { "trace.stop", stop }, { "trace.status", status }, { "trace.forget", forget }, { "trace.save", save }, { NULL, NULL },
};
