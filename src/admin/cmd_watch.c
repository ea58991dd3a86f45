/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_watch.c  trace.follow: what is said just now, as it is said. A few times a second what has come is handed over; who reads slowly is told how much
 * he missed. */
#include <errno.h>
#include "admin/stream.h"
#include "admin_events.h"
#include "base/mem.h"
#include "node/node.h"
#include "trace/watch.h"
#include "trace_events.h"

enum { POLL_MS = 100, AT_ONCE = 500, QUEUE_MAX = 1 << 20 };

struct watching {
	struct admin_stream stream;
	struct trace_watch *watch;
	struct ev_bus *bus;
	unsigned uid;
	int64_t shown, lost;
};

static void watching_free(struct admin_stream *stream)
{
	struct watching *x = (struct watching *)stream;
	struct ev_report r = { 0 };
	trace_watch_close(x->watch);
	ev_set(&r, EV_TRACE_NOT_WATCHED);
	ev_int(&r, "uid", x->uid);
	ev_int(&r, "shown", x->shown);
	ev_int(&r, "lost", x->lost);
	ev_emit(x->bus, &r);
	mem_free(x);
}

static void hand_over(struct admin_stream *stream)
{
	struct watching *x = (struct watching *)stream;
	json_t *o;
	for (unsigned i = 0; i < AT_ONCE && !stream->gone && admin_call_queued(stream->call) < QUEUE_MAX && (o = trace_watch_next(x->watch)) != NULL; i++) {
		json_int_t lost = json_integer_value(json_object_get(o, "count"));
		x->lost += lost;
		x->shown += !lost;
		admin_call_more(stream->call, o);
	}
	admin_stream_again(stream, POLL_MS);
}

static void take_want(const json_t *args, struct trace_watch_want *w)
{
	const struct {
		const char *key;
		char *dst;
		size_t size;
	} texts[] = { { "gateway", w->gateway, sizeof w->gateway }, { "call", w->call, sizeof w->call }, { "from", w->from, sizeof w->from }, { "to", w->to, sizeof w->to } };
	*w = (struct trace_watch_want){ .full = admin_arg_bool(args, "full"), .secrets = admin_arg_bool(args, "secrets") };
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
		const char *v = admin_arg_str(args, texts[i].key);
		text_fill(texts[i].dst, texts[i].size, v ? v : "");
	}
}

static void tell(struct watching *x, const struct trace_watch_want *w)
{
	struct ev_report r = { 0 };
	const char *all = *w->gateway || *w->call || *w->from || *w->to ? "" : "everything";
	ev_set(&r, EV_TRACE_WATCHED);
	ev_int(&r, "uid", x->uid);
	ev_printf(&r, "what", "%s%s%s%s%s%s%s%s%s", all, *w->gateway ? "gateway " : "", w->gateway, *w->call ? " call " : "", w->call, *w->from ? " from " : "", w->from,
	          *w->to ? " to " : "", w->to);
	ev_str(&r, "secrets", w->full && w->secrets ? "with passwords and pressed keys" : "passwords and pressed keys struck out");
	ev_emit(x->bus, &r);
}

static void follow(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct trace_watch_want w;
	struct ev_report why = { 0 };
	int err;
	if (!a->prm.trace) {
		admin_call_absent(call, "traces");
		return;
	}
	take_want(args, &w);
	if (w.gateway[0] && a->prm.gateways && !gw_find(a->prm.gateways, w.gateway)) {
		err = admin_value_bad(&why, w.gateway, "gateway", "the names that umbel gateway list shows");
		admin_call_errno(call, err, &why);
		return;
	}
	struct watching *x = mem_zalloc(1, sizeof *x);
	err = x ? trace_watch_open(&x->watch, a->prm.trace, &w) : ENOMEM;
	if (err) {
		if (err == EAGAIN) {
			ev_set(&why, EV_TRACE_WATCHES_FULL);
			ev_int(&why, "max", TRACE_WATCHES);
		}
		mem_free(x);
		admin_call_errno(call, err, &why);
		return;
	}
	x->bus = a->prm.bus;
	x->uid = (unsigned)admin_call_uid(call);
	tell(x, &w);
	admin_call_more(call, json_pack("{s:s, s:I, s:s, s:b}", "kind", "watching", "us", (json_int_t)clock_real_us(a->prm.clock), "node", a->prm.node ? node_name(a->prm.node) : "", "secrets", w.secrets));
	admin_stream_start(&x->stream, a, &a->watches, call, hand_over, watching_free);
}

static void last_word(struct admin_stream *s)
{
	admin_call_ok(s->call, json_object());
}

void admin_watch_stop(struct admin *a)
{
	admin_streams_stop(&a->watches, last_word);
}

const struct admin_cmd admin_watch_cmds[] = { { "trace.follow", follow }, { NULL, NULL } };
