/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c  See watch.h. Where one call is wanted, what its gateway's connections do belongs to it, too; what they did just before its first message is
 * kept back until that comes. */
#include "trace/watch.h"
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "sip/message.h"
#include "trace/redact.h"
#include "trace/trace_private.h"
#include "trust/explain.h"

enum { IDS = 64, BACK = 32, BACK_US = 15000000, SHORTEST_ID = 4 };

/* Kept back: whether it belongs to the call that is wanted is not known yet. */
struct back {
	json_t *o;
	int64_t us;
	struct net_addr peer; /* unset: of a name */
	char gateway[64];
};

struct trace_watch {
	struct link link;
	struct trace *trace;
	struct trace_watch_want want;
	json_t *queue; /* array, the oldest first */
	unsigned lost;
	char id[IDS][TRACE_CALL_ID]; /* Call-IDs of what is wanted; the oldest is written over */
	unsigned n_ids;
	char gateway[64];            /* of them */
	struct net_addr peer;
	struct back back[BACK];
	unsigned n_back;
};

int trace_watch_open(struct trace_watch **wp, struct trace *t, const struct trace_watch_want *want)
{
	struct trace_watch *w = t->n_watches < TRACE_WATCHES ? mem_zalloc(1, sizeof *w) : NULL;
	if (!w)
		return t->n_watches < TRACE_WATCHES ? ENOMEM : EAGAIN;
	w->queue = json_array();
	if (!w->queue) {
		mem_free(w);
		return ENOMEM;
	}
	w->trace = t;
	w->want = *want;
	list_append(&t->watches, &w->link);
	t->n_watches++;
	trace_tune(t);
	*wp = w;
	return 0;
}

static void forget_back(struct trace_watch *w)
{
	for (unsigned i = 0; i < w->n_back; i++)
		json_decref(w->back[i].o);
	w->n_back = 0;
}

void trace_watch_close(struct trace_watch *w)
{
	if (!w)
		return;
	list_remove(&w->link);
	w->trace->n_watches--;
	trace_tune(w->trace);
	forget_back(w);
	json_decref(w->queue);
	mem_free(w);
}

json_t *trace_watch_next(struct trace_watch *w)
{
	json_t *o = json_incref(json_array_get(w->queue, 0));
	if (o)
		json_array_remove(w->queue, 0);
	else if (w->lost)
		o = json_pack("{s:s, s:I, s:i}", "kind", "lost", "us", (json_int_t)clock_real_us(w->trace->clock), "count", (int)w->lost);
	if (o && text_is(text_of(json_string_value(json_object_get(o, "kind"))), "lost"))
		w->lost = 0;
	return o;
}

/* Takes the object. */
static void put(struct trace_watch *w, json_t *o)
{
	bool room = o && !w->lost && json_array_size(w->queue) < TRACE_WATCH_QUEUE;
	if (!room || json_array_append(w->queue, o) != 0)
		w->lost++;
	json_decref(o);
}

static json_t *string(struct text t)
{
	char clean[512];
	json_t *s = json_stringn(t.p ? t.p : "", t.n);
	return s ? s : json_string(text_escape(t, clean, sizeof clean));
}

static void set(json_t *o, const char *key, struct text value)
{
	if (!text_empty(value))
		json_object_set_new(o, key, string(value));
}

static json_t *begin(const char *kind, int64_t us, const char *gateway)
{
	return json_pack("{s:s, s:I, s:s}", "kind", kind, "us", (json_int_t)us, "gateway", gateway);
}

static void set_addresses(json_t *o, enum net_transport transport, const struct net_addr *local, const struct net_addr *peer)
{
	char a[NET_ADDR_SIZE];
	json_object_set_new(o, "transport", json_string(net_transport_name(transport)));
	if (local && net_addr_is_set(local) && !net_addr_is_any(local))
		json_object_set_new(o, "local", json_string(net_addr_print(local, a)));
	json_object_set_new(o, "peer", json_string(net_addr_print(peer, a)));
}

/* ---- what is wanted ---- */

static bool one_call(const struct trace_watch *w)
{
	return w->want.call[0] || w->want.from[0] || w->want.to[0];
}

static bool id_known(const struct trace_watch *w, const char *call_id)
{
	for (unsigned i = 0; i < w->n_ids && i < IDS; i++)
		if (strcmp(w->id[i], call_id) == 0)
			return true;
	return false;
}

static bool has(struct text whole, const char *part)
{
	return text_find_text(whole, text_of(part)) != SIZE_MAX;
}

/* In a dialog From and To change places with whoever asks; then the Call-ID is known already. */
static bool names_wanted(const struct trace_watch *w, const struct sip_msg *m)
{
	if (!m || !(w->want.from[0] || w->want.to[0]))
		return false;
	bool to = has(m->to.uri.whole, w->want.to) || (m->request && has(m->uri.whole, w->want.to));
	return (!w->want.from[0] || has(m->from.uri.whole, w->want.from)) && (!w->want.to[0] || to);
}

static bool begins(const char *id, const char *want)
{
	return strlen(want) >= SHORTEST_ID && text_starts(text_of(id), want);
}

static bool call_wanted(const struct trace_watch *w, const char *session, const char *call_id, const struct sip_msg *m)
{
	const char *call = w->want.call;
	if (!one_call(w) || (call_id[0] && id_known(w, call_id)))
		return true;
	if (call[0])
		return strcmp(call, session) == 0 || strcmp(call, call_id) == 0 || begins(session, call) || begins(call_id, call);
	return names_wanted(w, m);
}

static bool of_it(const struct trace_watch *w, const struct net_addr *peer, const char *gateway)
{
	if (gateway[0] && w->gateway[0])
		return strcmp(gateway, w->gateway) == 0;
	return peer && net_addr_is_set(peer) && net_addr_is_set(&w->peer) && net_addr_eq_host(peer, &w->peer);
}

static void learn(struct trace_watch *w, const struct sip_trace *m, const char *call_id)
{
	if (!one_call(w) || !call_id[0] || id_known(w, call_id))
		return;
	text_fill(w->id[w->n_ids++ % IDS], TRACE_CALL_ID, call_id);
	text_fill(w->gateway, sizeof w->gateway, m->gateway);
	w->peer = m->peer;
	for (unsigned i = 0; i < w->n_back; i++) {
		struct back *b = &w->back[i];
		if (m->real_us - b->us < BACK_US && of_it(w, &b->peer, b->gateway))
			put(w, json_incref(b->o));
	}
	forget_back(w);
}

/* Of a connection or a name. Takes the object. */
static void put_step(struct trace_watch *w, json_t *o, const struct net_addr *peer, const char *gateway, int64_t us)
{
	if (w->want.gateway[0] && strcmp(w->want.gateway, gateway) != 0) {
		json_decref(o);
	} else if (!one_call(w) || of_it(w, peer, gateway)) {
		put(w, o);
	} else {
		if (w->n_back == BACK) {
			json_decref(w->back[0].o);
			memmove(w->back, w->back + 1, (BACK - 1) * sizeof w->back[0]);
			w->n_back--;
		}
		struct back *b = &w->back[w->n_back++];
		*b = (struct back){ .o = o, .us = us };
		if (peer)
			b->peer = *peer;
		text_fill(b->gateway, sizeof b->gateway, gateway);
	}
}

/* ---- messages ---- */

static void set_text(json_t *o, const struct sip_trace *m, bool secrets)
{
	char *copy = mem_alloc(m->n + 1);
	if (!copy)
		return;
	memcpy(copy, m->data, m->n);
	if (!secrets)
		trace_redact(copy, m->n);
	json_t *s = json_stringn(copy, m->n);
	if (!s) { /* no UTF-8: every byte above ASCII becomes a question mark */
		for (size_t i = 0; i < m->n; i++)
			copy[i] = (signed char)copy[i] < 0 ? '?' : copy[i];
		s = json_stringn(copy, m->n);
	}
	if (s)
		json_object_set_new(o, "text", s);
	mem_free_secret(copy, m->n + 1);
}

static json_t *message_json(const struct trace_watch *w, const struct sip_trace *m, const char *call_id, const struct sip_msg *msg)
{
	json_t *o = begin("message", m->real_us, m->gateway);
	struct text sdp;
	if (!o)
		return NULL;
	json_object_set_new(o, "in", json_boolean(m->in));
	set_addresses(o, m->transport, &m->local, &m->peer);
	set(o, "session", text_of(m->session));
	set(o, "call_id", text_of(call_id));
	if (msg && msg->request) {
		set(o, "method", msg->method_text);
		set(o, "uri", msg->uri.whole);
	} else if (msg) {
		json_object_set_new(o, "status", json_integer((json_int_t)msg->status));
		set(o, "phrase", msg->phrase);
		set(o, "method", msg->cseq.method_text);
	}
	if (msg) {
		json_object_set_new(o, "cseq", json_integer((json_int_t)msg->cseq.number));
		set(o, "from", msg->from.uri.whole);
		set(o, "to", msg->to.uri.whole);
		set(o, "reason", sip_msg_value(msg, SIP_HDR_REASON));
		json_object_set_new(o, "sdp", json_boolean(sip_msg_sdp(msg, &sdp, NULL) == 0));
		json_object_set_new(o, "in_dialog", json_boolean(!text_empty(msg->to_tag) && msg->request));
	}
	if (w->want.full)
		set_text(o, m, w->want.secrets);
	return o;
}

void trace_watch_message(struct trace *t, const struct sip_trace *m, const char *call_id, const struct sip_msg *msg)
{
	LIST_FOREACH (&t->watches, it) {
		struct trace_watch *w = LIST_ENTRY(it, struct trace_watch, link);
		if ((w->want.gateway[0] && strcmp(w->want.gateway, m->gateway) != 0) || !call_wanted(w, m->session, call_id, msg))
			continue;
		learn(w, m, call_id);
		put(w, message_json(w, m, call_id, msg));
	}
}

/* ---- connections ---- */

static void set_tls(json_t *o, const struct trust_facts *f)
{
	char version[24];
	if (f->tls.version)
		json_object_set_new(o, "version", json_string(trust_version_words(f->tls.version, version, sizeof version)));
	set(o, "suite", text_of(f->tls.suite));
	if (f->theirs.shown)
		set(o, "their_cn", text_of(f->theirs.cn));
	if (f->ours.shown)
		set(o, "our_cn", text_of(f->ours.cn));
	if (f->name.judged)
		set(o, "matched", text_of(f->name.matched));
	if (f->tls.done)
		json_object_set_new(o, "handshake_ms", json_integer(f->tls.handshake_ms));
}

static void set_verdict(json_t *o, const struct trust_facts *facts, const char *gateway)
{
	struct trust_verdict *v = mem_alloc(sizeof *v);
	struct trust_facts *f = mem_alloc(sizeof *f);
	if (v && f) {
		*f = *facts;
		if (!f->gateway[0])
			facts_gateway(f, gateway, f->gateway_fqdn);
		trust_explain(f, v);
	}
	if (v && f && trust_verdict_bad(v)) {
		set(o, "verdict", text_of(v->sentence));
		set(o, "advice", text_of(v->advice));
	}
	mem_free(f);
	mem_free(v);
}

static json_t *conn_json(const char *kind, const struct sip_wire_conn *c, int64_t us)
{
	json_t *o = begin(kind, us, c->gateway);
	if (!o)
		return NULL;
	set_addresses(o, c->transport, c->local, c->peer);
	json_object_set_new(o, "connection", json_integer((json_int_t)c->id));
	json_object_set_new(o, "opened_by_us", json_boolean(c->opened));
	return o;
}

void trace_watch_up(struct trace *t, const struct sip_wire_conn *c, const struct trust_facts *f)
{
	int64_t us = clock_real_us(t->clock);
	LIST_FOREACH (&t->watches, it) {
		struct trace_watch *w = LIST_ENTRY(it, struct trace_watch, link);
		json_t *o = conn_json("connected", c, us);
		if (o && c->opened)
			json_object_set_new(o, "connect_ms", json_integer(f->connect_ms));
		put_step(w, o, c->peer, c->gateway, us);
		o = c->transport == NET_TLS ? conn_json("tls", c, us) : NULL;
		if (!o)
			continue;
		set_tls(o, f);
		put_step(w, o, c->peer, c->gateway, us);
	}
}

void trace_watch_ended(struct trace *t, const struct sip_wire_conn *c, const struct conn_end *end, const struct trust_facts *f)
{
	int64_t us = clock_real_us(t->clock);
	LIST_FOREACH (&t->watches, it) {
		struct trace_watch *w = LIST_ENTRY(it, struct trace_watch, link);
		json_t *o = conn_json("ended", c, us);
		if (!o)
			continue;
		json_object_set_new(o, "established", json_boolean(end->established));
		json_object_set_new(o, "by_us", json_boolean(end->how == CONN_LOCAL || end->how == CONN_TIMEOUT));
		json_object_set_new(o, "how", json_string(f ? trust_end_name(f->end) : ""));
		if (end->err)
			json_object_set_new(o, "error", json_string(strerror(end->err)));
		if (f)
			set_verdict(o, f, c->gateway);
		put_step(w, o, c->peer, c->gateway, us);
	}
}

void trace_watch_looked_up(struct trace *t, const char *gateway, const struct dns_targets *x)
{
	int64_t us = clock_real_us(t->clock);
	LIST_FOREACH (&t->watches, it)
		for (unsigned i = 0; i < x->n_trail; i++) {
			const struct dns_step *s = &x->trail[i];
			json_t *o = begin("dns", us, gateway);
			if (!o)
				continue;
			set(o, "name", text_of(s->name));
			set(o, "type", text_of(dns_type_name(s->type)));
			set(o, "outcome", text_of(dns_outcome_name(s->outcome)));
			set(o, "server", text_of(s->server));
			json_object_set_new(o, "records", json_integer((json_int_t)s->records));
			put_step(LIST_ENTRY(it, struct trace_watch, link), o, NULL, gateway, us);
		}
}
