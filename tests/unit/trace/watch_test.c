/* SPDX-License-Identifier: Apache-2.0 */
/* Who watches sees what he asked for, nothing secret, and learns what he missed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "sip/message.h"
#include "trace/trace_private.h"
#include "trace/watch.h"
#include "ut.h"

static struct clock_fake fake;
static struct trace *trace;

static void begin(void)
{
	struct trace_prm prm = { .clock = &fake.clock, .node = "node01" };
	clock_fake_init(&fake, 1800000000);
	assert_int_equal(trace_create(&trace, &prm), 0);
}

static struct trace_watch *watch(const struct trace_watch_want *want)
{
	struct trace_watch *w;
	assert_int_equal(trace_watch_open(&w, trace, want), 0);
	return w;
}

struct said {
	const char *gateway, *host, *session, *call_id, *first, *from, *to, *more, *body;
	bool in;
};

static void say(const struct said *s)
{
	char text[4000];
	struct sip_msg *msg = mem_alloc(sizeof *msg);
	int n = snprintf(text, sizeof text, "%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:%s>;tag=1\r\nTo: <sip:%s>\r\nCall-ID: %s\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\n%sContent-Length: %zu\r\n\r\n%s",
			 s->first, s->from ? s->from : "a@x", s->to ? s->to : "b@x", s->call_id, strncmp(s->first, "INFO", 4) == 0 ? "INFO" : "INVITE", s->more ? s->more : "",
			 strlen(s->body ? s->body : ""), s->body ? s->body : "");
	struct sip_trace t = { .in = s->in, .transport = NET_UDP, .real_us = clock_real_us(&fake.clock), .data = (const uint8_t *)text, .n = (size_t)n,
			       .session = s->session ? s->session : "", .gateway = s->gateway };
	assert_int_equal(net_addr_parse(&t.local, TEXT("192.0.2.1"), 5060), 0);
	assert_int_equal(net_addr_parse(&t.peer, text_of(s->host ? s->host : "192.0.2.7"), 5060), 0);
	assert_int_equal(sip_msg_parse(msg, text, (size_t)n, NULL), 0);
	trace_watch_message(trace, &t, s->call_id, msg);
	mem_free(msg);
}

static void looked_up(const char *gateway)
{
	struct dns_targets *x = mem_zalloc(1, sizeof *x);
	x->n_trail = 1;
	text_fill(x->trail[0].name, sizeof x->trail[0].name, "pool.x");
	x->trail[0].records = 2;
	trace_watch_looked_up(trace, gateway, x);
	mem_free(x);
}

/* "kind first-line-or-name", or "" when there is no more. */
static const char *next(struct trace_watch *w)
{
	static char line[200];
	json_t *o = trace_watch_next(w);
	const char *a = json_string_value(json_object_get(o, "kind")), *b = json_string_value(json_object_get(o, "method")), *c = json_string_value(json_object_get(o, "call_id"));
	text_print(line, sizeof line, "%s%s%s%s%s", a ? a : "", b ? " " : "", b ? b : "", c ? " " : "", c ? c : "");
	json_decref(o);
	return line;
}

static const struct said invite = { .gateway = "pool", .call_id = "one", .first = "INVITE sip:2001@x SIP/2.0", .from = "2002@x", .to = "2001@x", .in = true };
static const struct said ok = { .gateway = "pool", .call_id = "one", .session = "01abcdef", .first = "SIP/2.0 200 OK", .from = "2002@x", .to = "2001@x" };
static const struct said bye_of_the_called = { .gateway = "pool", .call_id = "one", .session = "01abcdef", .first = "INVITE sip:2002@x SIP/2.0", .from = "2001@x", .to = "2002@x" };
static const struct said other = { .gateway = "trunk", .host = "192.0.2.9", .call_id = "two", .first = "INVITE sip:2003@x SIP/2.0", .from = "2004@x", .to = "2003@x", .in = true };

static void everything_is_seen_unless_asked_otherwise(void **state)
{
	(void)state;
	begin();
	struct trace_watch *all = watch(&(struct trace_watch_want){ 0 }), *pool = watch(&(struct trace_watch_want){ .gateway = "pool" });
	looked_up("trunk");
	say(&other);
	say(&invite);
	assert_string_equal(next(all), "dns");
	assert_string_equal(next(all), "message INVITE two");
	assert_string_equal(next(all), "message INVITE one");
	assert_string_equal(next(all), "");
	assert_string_equal(next(pool), "message INVITE one");
	assert_string_equal(next(pool), "");
	trace_watch_close(all);
	trace_watch_close(pool);
	trace_destroy(trace);
}

static void one_call_is_followed_with_what_its_gateway_did(void **state)
{
	static const struct trace_watch_want wants[] = { { .call = "one" }, { .from = "2002" }, { .to = "2001@" }, { .from = "2002", .to = "2001" }, { .call = "one", .gateway = "pool" } };
	(void)state;
	for (unsigned i = 0; i < sizeof wants / sizeof *wants; i++) {
		begin();
		struct trace_watch *w = watch(&wants[i]);
		looked_up("trunk");
		looked_up("pool"); /* before the call: shown when it is known whose it is */
		say(&other);
		assert_string_equal(next(w), "");
		/* three letters are no beginning of an id: only the whole */
		say(&invite);
		say(&ok);
		say(&bye_of_the_called);
		say(&other);
		assert_string_equal(next(w), "dns");
		assert_string_equal(next(w), "message INVITE one");
		assert_string_equal(next(w), "message INVITE one");
		assert_string_equal(next(w), "message INVITE one");
		assert_string_equal(next(w), "");
		trace_watch_close(w);
		trace_destroy(trace);
	}
}

static void a_session_is_followed_from_where_it_is_known(void **state)
{
	(void)state;
	begin();
	struct trace_watch *w = watch(&(struct trace_watch_want){ .call = "01abc" }), *none = watch(&(struct trace_watch_want){ .call = "01a" });
	say(&ok);
	say(&invite); /* again: known by its Call-ID now */
	assert_string_equal(next(w), "message INVITE one");
	assert_string_equal(next(w), "message INVITE one");
	assert_string_equal(next(none), "");
	trace_watch_close(w);
	trace_watch_close(none);
	trace_destroy(trace);
}

static json_t *only(struct trace_watch *w)
{
	json_t *o = trace_watch_next(w);
	assert_non_null(o);
	return o;
}

static void nothing_secret_is_told(void **state)
{
	static const struct said key = { .gateway = "pool", .call_id = "one", .first = "INFO sip:2001@x SIP/2.0", .in = true, .more = "Content-Type: application/dtmf-relay\r\nAuthorization: Digest "
					 "response=\"0123abcd\"\r\n", .body = "Signal=7\r\nDuration=160\r\n" };
	(void)state;
	begin();
	struct trace_watch *brief = watch(&(struct trace_watch_want){ 0 }), *full = watch(&(struct trace_watch_want){ .full = true });
	struct trace_watch *secrets = watch(&(struct trace_watch_want){ .full = true, .secrets = true });
	say(&key);
	struct trace_watch *const all[] = { brief, full, secrets };
	for (unsigned i = 0; i < 3; i++) {
		json_t *o = only(all[i]);
		char *text = json_dumps(o, 0);
		assert_true((json_object_get(o, "text") != NULL) == (i > 0));
		assert_true((strstr(text, "Signal=7") != NULL) == (i == 2));
		assert_true((strstr(text, "0123abcd") != NULL) == (i == 2));
		free(text);
		json_decref(o);
		trace_watch_close(all[i]);
	}
	trace_destroy(trace);
}

static void who_reads_slowly_learns_what_he_missed(void **state)
{
	(void)state;
	begin();
	struct trace_watch *w = watch(&(struct trace_watch_want){ 0 });
	for (unsigned i = 0; i < TRACE_WATCH_QUEUE + 5; i++)
		say(&invite);
	for (unsigned i = 0; i < TRACE_WATCH_QUEUE; i++)
		assert_string_equal(next(w), "message INVITE one");
	json_t *o = only(w);
	assert_string_equal(json_string_value(json_object_get(o, "kind")), "lost");
	assert_int_equal(json_integer_value(json_object_get(o, "count")), 5);
	json_decref(o);
	say(&invite);
	assert_string_equal(next(w), "message INVITE one");
	assert_string_equal(next(w), "");
	trace_watch_close(w);
	trace_destroy(trace);
}

static void not_everybody_may_watch_at_once(void **state)
{
	struct trace_watch *w[TRACE_WATCHES], *more;
	(void)state;
	begin();
	for (unsigned i = 0; i < TRACE_WATCHES; i++)
		w[i] = watch(&(struct trace_watch_want){ 0 });
	assert_int_equal(trace_watch_open(&more, trace, &(struct trace_watch_want){ 0 }), EAGAIN);
	for (unsigned i = 0; i < TRACE_WATCHES; i++)
		trace_watch_close(w[i]);
	trace_destroy(trace);
}

UT_MAIN(UT(everything_is_seen_unless_asked_otherwise), UT(one_call_is_followed_with_what_its_gateway_did), UT(a_session_is_followed_from_where_it_is_known),
	UT(nothing_secret_is_told), UT(who_reads_slowly_learns_what_he_missed), UT(not_everybody_may_watch_at_once))
