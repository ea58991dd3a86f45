/* SPDX-License-Identifier: Apache-2.0 */
/* trace.c  A trace's life, and what the core tells it. */
#include "trace/trace.h"
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "sip/message.h"
#include "trace/redact.h"
#include "trace/trace_private.h"
#include "trace_events.h"

/* ---- what is told ---- */

static bool wanted_gateway(const struct trace *t, const char *gateway)
{
	return !t->want.gateway[0] || !gateway[0] || strcmp(t->want.gateway, gateway) == 0;
}

/* Whose a connection is comes out only after its first bytes, which are in the ring then: its name is kept, so that they are not saved. */
static bool wanted_conn(struct trace *t, const struct sip_wire_conn *w)
{
	if (wanted_gateway(t, w->gateway))
		return true;
	(void)trace_ring_conn(t, w, false);
	return false;
}

static void on_bytes(const struct sip_wire_conn *w, bool in, const uint8_t *data, size_t n, void *arg)
{
	struct trace *t = arg;
	if (!t->running || t->want.call[0] || !wanted_conn(t, w))
		return;
	struct trace_conn *c = trace_ring_conn(t, w, true);
	if (!c)
		return;
	if (w->first)
		c->whole = true;
	if (in != w->opened && c->whole && c->n_hello < TRACE_HELLO) {
		size_t room = TRACE_HELLO - c->n_hello, take = n < room ? n : room;
		memcpy(c->hello + c->n_hello, data, take);
		c->n_hello += (unsigned)take;
	}
	struct trace_entry *e = trace_ring_add(t, TRACE_BYTES, c, data, n);
	if (e) {
		e->in = in;
		e->transport = w->transport;
	}
}

static void on_up(const struct sip_wire_conn *w, const struct trust_facts *facts, void *arg)
{
	struct trace *t = arg;
	if (t->hep && w->transport == NET_TLS)
		trace_tell_tls(t, w, "up", facts);
	trace_watch_up(t, w, facts);
}

static void on_ended(const struct sip_wire_conn *w, const struct conn_end *end, const struct trust_facts *facts, void *arg)
{
	struct trace *t = arg;
	if (t->hep && w->transport == NET_TLS)
		trace_tell_tls(t, w, "ended", facts);
	trace_watch_ended(t, w, end, facts);
	if (!t->running || t->want.call[0] || !wanted_conn(t, w))
		return;
	bool failed = w->opened && !end->established && (end->how == CONN_ERROR || end->how == CONN_TIMEOUT || end->how == CONN_RST);
	struct trace_conn *c = trace_ring_conn(t, w, failed);
	if (!c)
		return;
	c->whole = c->whole || (failed && c->entries == 0);
	c->ended = true;
	struct trace_entry *e = trace_ring_add(t, TRACE_END, c, NULL, 0);
	if (e) {
		e->how = end->how;
		e->err = end->err;
		e->transport = w->transport;
	}
}

static void on_looked_up(const char *gateway, const struct dns_targets *targets, void *arg)
{
	trace_watch_looked_up(arg, gateway, targets);
}

/* NULL when it cannot be read. */
static struct sip_msg *read_message(const struct sip_trace *m, char *call_id, size_t size)
{
	struct sip_msg *msg = mem_alloc(sizeof *msg);
	call_id[0] = '\0';
	if (msg && sip_msg_parse(msg, (const char *)m->data, m->n, NULL) == 0)
		text_escape(msg->call_id, call_id, size);
	else {
		mem_free(msg);
		msg = NULL;
	}
	return msg;
}

/* A call's first message comes before it has a session; its Call-ID brings it in. */
static bool wanted_call(struct trace *t, const char *session, const char *call_id)
{
	if (!t->want.call[0] || strcmp(t->want.call, call_id) == 0)
		return true;
	if (session[0] && strcmp(t->want.call, session) == 0) {
		text_fill(t->call_id, sizeof t->call_id, call_id);
		return true;
	}
	return t->call_id[0] && strcmp(t->call_id, call_id) == 0;
}

static void keep_message(struct trace *t, const struct sip_trace *m, const char *call_id)
{
	if (!t->running || !wanted_gateway(t, m->gateway) || !wanted_call(t, m->session, call_id))
		return;
	struct sip_wire_conn w = { .id = m->conn, .transport = m->transport, .local = &m->local, .peer = &m->peer, .gateway = m->gateway };
	struct trace_conn *c = m->conn ? trace_ring_conn(t, &w, true) : NULL;
	struct trace_entry *e = trace_ring_add(t, TRACE_MESSAGE, c, m->data, m->n);
	if (!e)
		return;
	e->in = m->in;
	e->transport = m->transport;
	e->local = m->local;
	e->peer = m->peer;
	text_fill(e->session, sizeof e->session, m->session);
	text_fill(e->call_id, sizeof e->call_id, call_id);
	text_fill(e->gateway, sizeof e->gateway, m->gateway);
	if (t->want.redact)
		trace_redact(e->data, e->n);
}

static void on_message(const struct sip_trace *m, void *arg)
{
	struct trace *t = arg;
	char call_id[TRACE_CALL_ID];
	struct sip_msg *msg = read_message(m, call_id, sizeof call_id);
	if (t->hep)
		trace_tell_message(t, m, text_of(call_id));
	keep_message(t, m, call_id);
	trace_watch_message(t, m, call_id, msg);
	mem_free(msg);
}

void trace_tune(struct trace *t)
{
	bool on = t->running || t->hep || t->n_watches;
	struct sip_wire wire = { .bytes = t->running ? on_bytes : NULL, .up = on_up, .ended = on_ended, .looked_up = t->n_watches ? on_looked_up : NULL,
		                 .keylog = t->running ? trace_keylog : NULL, .arg = t };
	if (!t->core)
		return;
	sip_core_tracer(t->core, on ? on_message : NULL, t);
	sip_core_wire(t->core, on ? &wire : NULL);
}

/* ---- its life ---- */

int trace_create(struct trace **tp, const struct trace_prm *prm)
{
	struct trace *t = mem_zalloc(1, sizeof *t);
	if (!t)
		return ENOMEM;
	int err = hash_create(&t->conns, 256);
	if (err) {
		mem_free(t);
		return err;
	}
	t->loop = prm->loop;
	t->clock = prm->clock;
	t->bus = prm->bus;
	text_fill(t->node, sizeof t->node, prm->node);
	list_init(&t->ring);
	list_init(&t->keys);
	list_init(&t->watches);
	pthread_mutex_init(&t->keys_lock, NULL);
	*tp = t;
	return 0;
}

void trace_destroy(struct trace *t)
{
	if (!t)
		return;
	trace_attach(t, NULL);
	tmr_cancel(&t->timer);
	hep_destroy(t->hep);
	trace_ring_clear(t);
	trace_keys_clear(t);
	hash_destroy(t->conns);
	pthread_mutex_destroy(&t->keys_lock);
	mem_wipe(&t->hep_prm, sizeof t->hep_prm);
	mem_free(t);
}

void trace_attach(struct trace *t, struct sip_core *core)
{
	if (t->core && !core) {
		sip_core_tracer(t->core, NULL, NULL);
		sip_core_wire(t->core, NULL);
	}
	t->core = core;
	trace_tune(t);
}

static void forget_late(void *arg)
{
	struct trace *t = arg;
	struct ev_report r = { 0 };
	trace_forget(t);
	ev_set(&r, EV_TRACE_FORGOTTEN);
	ev_emit(t->bus, &r);
}

static void time_over(void *arg)
{
	struct trace *t = arg;
	struct ev_report why = { 0 };
	(void)trace_stop(t, "its time is over", &why);
}

void trace_forget(struct trace *t)
{
	if (t->running)
		return;
	tmr_cancel(&t->timer);
	trace_ring_clear(t);
	trace_keys_clear(t);
	t->kept = false;
	atomic_fetch_add(&t->forgotten, 1);
}

static const char *secrets_words(const struct trace_want *w)
{
	return w->redact ? "no TLS keys, passwords and pressed keys struck out" : w->no_secrets ? "without TLS keys" : "with the TLS keys";
}

int trace_start(struct trace *t, const struct trace_want *w, struct ev_report *why)
{
	struct ev_report r = { 0 };
	char until[RFC3339_SIZE], what[300];
	if (t->running) {
		ev_set(why, EV_TRACE_RUNS);
		return EALREADY;
	}
	trace_forget(t);
	t->want = *w;
	t->want.limit_bytes = w->limit_bytes ? w->limit_bytes : TRACE_DEFAULT_BYTES;
	t->want.for_ms = w->for_ms ? w->for_ms : TRACE_DEFAULT_MS;
	t->call_id[0] = '\0';
	t->running = t->kept = true;
	t->started_us = clock_real_us(t->clock);
	t->ends_us = t->started_us + t->want.for_ms * 1000;
	trace_keys_want(t, !w->no_secrets && !w->redact && !w->call[0]);
	tmr_start(t->loop, &t->timer, t->want.for_ms, time_over, t);
	trace_tune(t);
	text_print(what, sizeof what, "%s%s%s%s", w->gateway[0] ? "gateway " : w->call[0] ? "" : "everything", w->gateway, w->call[0] ? " call " : "", w->call);
	ev_set(&r, EV_TRACE_STARTED);
	ev_str(&r, "what", what);
	ev_str(&r, "secrets", secrets_words(w));
	ev_int(&r, "bytes", (int64_t)t->want.limit_bytes);
	ev_str(&r, "until", rfc3339_us(t->ends_us, until));
	ev_str(&r, "why", w->no_secrets || w->redact ? "" : ", and so are the keys of TLS connections that begin meanwhile");
	ev_emit(t->bus, &r);
	return 0;
}

int trace_stop(struct trace *t, const char *reason, struct ev_report *why)
{
	struct ev_report r = { 0 };
	char until[RFC3339_SIZE];
	if (!t->running) {
		ev_set(why, EV_TRACE_NONE);
		return ENOENT;
	}
	t->running = false;
	trace_keys_want(t, false);
	trace_tune(t);
	t->ends_us = clock_real_us(t->clock) + (int64_t)TRACE_KEPT_MS * 1000;
	tmr_start(t->loop, &t->timer, TRACE_KEPT_MS, forget_late, t);
	ev_set(&r, EV_TRACE_STOPPED);
	ev_str(&r, "reason", reason);
	ev_int(&r, "messages", t->n_messages);
	ev_int(&r, "bytes", (int64_t)t->bytes);
	ev_str(&r, "until", rfc3339_us(t->ends_us, until));
	ev_emit(t->bus, &r);
	return 0;
}

void trace_status(const struct trace *t, struct trace_status *s)
{
	struct trace *keys = (struct trace *)(uintptr_t)t;
	*s = (struct trace_status){ .running = t->running, .kept = t->kept, .want = t->want, .started_us = t->started_us, .ends_us = t->ends_us,
				    .bytes = t->bytes, .packets = t->n_entries, .messages = t->n_messages, .connections = (unsigned)hash_count(t->conns),
				    .evicted = t->evicted };
	pthread_mutex_lock(&keys->keys_lock);
	s->keys = t->n_keys;
	pthread_mutex_unlock(&keys->keys_lock);
}

int trace_hep_set(struct trace *t, const struct trace_hep *h, struct dns *dns, struct metrics *metrics)
{
	struct hep_prm prm = { .loop = t->loop, .dns = dns, .metrics = metrics, .host = h->host, .port = h->port };
	int err = 0;
	hep_destroy(t->hep);
	t->hep = NULL;
	t->hep_prm = *h;
	if (h->host[0])
		err = hep_create(&t->hep, &prm);
	trace_tune(t);
	return err;
}
