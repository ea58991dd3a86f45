/* SPDX-License-Identifier: Apache-2.0 */
/* told.c  Messages and what happens to TLS, for a HEP collector. */
#include <jansson.h>
#include <string.h>
#include "base/mem.h"
#include "trace/redact.h"
#include "trace/trace_private.h"
#include "trust/explain.h"

static void tell(struct trace *t, struct hep_message *m)
{
	m->us = clock_real_us(t->clock);
	m->capture_id = t->hep_prm.id;
	m->key = text_of(t->hep_prm.key);
	m->node = text_of(t->node);
	hep_send(t->hep, m);
}

/* Before it is connected a socket has no address of its own. */
static void put_addresses(struct hep_message *m, bool in, const struct net_addr *local, const struct net_addr *peer)
{
	struct net_addr none = *peer;
	if (!local || !net_addr_is_set(local) || net_addr_is_v6(local) != net_addr_is_v6(peer)) {
		bool v6 = net_addr_is_v6(peer);
		net_addr_parse(&none, v6 ? TEXT("::") : TEXT("0.0.0.0"), 0);
		local = &none;
	}
	m->from = in ? *peer : *local;
	m->to = in ? *local : *peer;
}

void trace_tell_message(struct trace *t, const struct sip_trace *m, struct text call_id)
{
	char *copy = mem_alloc(m->n + 1);
	if (!copy)
		return;
	memcpy(copy, m->data, m->n);
	if (t->hep_prm.redact)
		trace_redact(copy, m->n);
	struct hep_message h = { .kind = HEP_SIP, .tcp = m->transport != NET_UDP, .correlation = call_id, .payload = text_make(copy, m->n) };
	put_addresses(&h, m->in, &m->local, &m->peer);
	tell(t, &h);
	mem_free_secret(copy, m->n + 1);
}

static json_t *alerts(const struct trust_facts *f)
{
	json_t *a = json_array();
	for (unsigned i = 0; a && i < f->tls.n_alerts; i++)
		json_array_append_new(a, json_pack("{s:s, s:i, s:s}", "by", f->tls.alert[i].sent ? "us" : "peer", "number", f->tls.alert[i].number, "name",
						   trust_alert_name(f->tls.alert[i].number)));
	return a;
}

void trace_tell_tls(struct trace *t, const struct sip_wire_conn *w, const char *what, const struct trust_facts *f)
{
	char version[24], id[32];
	struct trust_verdict *v = mem_zalloc(1, sizeof *v);
	if (!v || !f) {
		mem_free(v);
		return;
	}
	trust_explain(f, v);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "event", "tls", "what", what, "opened_by", w->opened ? "us" : "peer",
			      "gateway", w->gateway, "version", f->tls.version ? trust_version_words(f->tls.version, version, sizeof version) : "", "suite",
			      f->tls.suite, "sni", f->tls.client_hello.sni, "our_cn", f->ours.shown ? f->ours.cn : "", "their_cn", f->theirs.shown ? f->theirs.cn : "",
			      "end", trust_end_name(f->end), "end_ms", (json_int_t)f->end_ms, "alerts", alerts(f));
	if (o && trust_verdict_bad(v)) {
		json_object_set_new(o, "verdict", json_string(v->name));
		json_object_set_new(o, "certainty", json_string(trust_certainty_name(v->certainty)));
		json_object_set_new(o, "sentence", json_string(v->sentence));
	}
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (text) {
		text_print(id, sizeof id, "tls-%llu", (unsigned long long)w->id);
		struct hep_message h = { .kind = HEP_LOG, .tcp = true, .correlation = text_of(id), .payload = text_of(text) };
		put_addresses(&h, !w->opened, w->local, w->peer);
		tell(t, &h);
	}
	free(text);
	json_decref(o);
	mem_free(v);
}
