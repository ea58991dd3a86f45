/* SPDX-License-Identifier: Apache-2.0 */
/* facts_render.c  All facts as lines or as JSON: one walk says them, two writers take them. */
#include <errno.h>
#include <jansson.h>
#include "base/rfc3339.h"
#include "trust/facts.h"
#include "trust/ocsp.h"
#include "trust/rule.h"

/* Takes one fact: `group` like "tls", `key` like "version". Empty values are not said. */
struct writer {
	struct buf *lines; /* one of the two */
	json_t *object;
	int err;
};

/* What a peer put into a certificate or a phrase need not be UTF-8; JSON must. */
static json_t *json_of(const char *value)
{
	char line[TRUST_NAMES_BYTES * 4 + 8];
	json_t *o = json_string(value);
	return o ? o : json_string(text_escape(text_of(value), line, sizeof line));
}

static void say(struct writer *w, const char *group, const char *key, const char *value)
{
	if (!value || !*value || w->err)
		return;
	if (w->lines) {
		w->err = buf_printf(w->lines, "%s.%s: %s\n", group, key, value);
		return;
	}
	json_t *o = json_object_get(w->object, group);
	if (!o) {
		o = json_object();
		if (json_object_set_new(w->object, group, o))
			w->err = ENOMEM;
	}
	if (!w->err && json_object_set_new(o, key, json_of(value)))
		w->err = ENOMEM;
}

static void say_int(struct writer *w, const char *group, const char *key, int64_t value)
{
	if (w->err)
		return;
	if (w->lines) {
		w->err = buf_printf(w->lines, "%s.%s: %lld\n", group, key, (long long)value);
		return;
	}
	say(w, group, key, "?"); /* makes the group */
	if (!w->err && json_object_set_new(json_object_get(w->object, group), key, json_integer(value)))
		w->err = ENOMEM;
}

static void say_yes(struct writer *w, const char *group, const char *key, bool yes)
{
	say(w, group, key, yes ? "yes" : "no");
}

static void say_names(struct writer *w, const char *group, const char *key, const struct trust_names *l)
{
	char words[TRUST_NAMES_BYTES + 8];
	if (l->n)
		say(w, group, key, trust_names_join(l, words, sizeof words));
}

static void say_time(struct writer *w, const char *group, const char *key, int64_t s)
{
	char at[RFC3339_SIZE];
	if (s)
		say(w, group, key, rfc3339_s(s, at));
}

static void say_connection(struct writer *w, const struct trust_facts *f)
{
	static const char *const transports[] = { "", "UDP", "TCP", "TLS" };
	static const char *const away[] = { "", "no gateway has that address", "that gateway must speak TLS", "no gateway has that name" };
	static const char *const dns[] = { "", "ok", "NXDOMAIN", "no data", "SERVFAIL", "REFUSED", "time-out", "malformed", "no server" };
	say(w, "connection", "role", trust_role_name(f->role));
	say(w, "connection", "flow", trust_flow_name(f->flow));
	say(w, "connection", "transport", transports[f->transport]);
	say(w, "connection", "gateway", f->gateway);
	say(w, "connection", "target", f->target);
	if (f->target_port)
		say_int(w, "connection", "port", f->target_port);
	say(w, "connection", "address", f->peer_addr);
	say_time(w, "connection", "at", f->now_s);
	if (f->connect_tried) {
		say(w, "connection", "connect", f->connected ? "ok" : strerrordesc_np(f->connect_errno));
		say_int(w, "connection", "connect_ms", f->connect_ms);
	}
	say(w, "connection", "end", trust_end_name(f->end));
	if (f->end_errno)
		say(w, "connection", "end_error", strerrordesc_np(f->end_errno));
	if (f->end_ms >= 0)
		say_int(w, "connection", "end_ms", f->end_ms);
	say(w, "dns", "outcome", dns[f->dns]);
	say(w, "dns", "name", f->dns_name);
	say(w, "dns", "type", f->dns_type);
	say(w, "dns", "server", f->dns_server);
	say(w, "us", "node", f->node);
	say(w, "us", "fqdn", f->our_fqdn);
	say(w, "us", "service", f->our_service);
	say(w, "us", "identity", f->our_identity);
	say_names(w, "us", "identities", &f->identities);
	say(w, "connection", "turned_away", away[f->turned_away]);
}

static void say_hello(struct writer *w, const char *group, const struct trust_hello *h)
{
	char words[TRUST_NAMES_BYTES];
	if (!h->seen)
		return;
	say(w, group, "versions", trust_versions_words(h, words, sizeof words));
	say(w, group, "suites", trust_suites_words(h, words, sizeof words));
}

static void say_alerts(struct writer *w, const struct trust_tls_facts *t)
{
	for (unsigned i = 0; i < t->n_alerts; i++) {
		char key[16], words[200];
		const struct trust_alert *a = &t->alert[i];
		text_print(key, sizeof key, "alert%u", i + 1);
		text_print(words, sizeof words, "%s %s %u %s (%s)%s", a->sent ? "sent" : "received", a->fatal ? "fatal" : "warning", a->number,
			   trust_alert_name(a->number), trust_alert_words(a->number),
			   a->after_handshake ? ", after our handshake had returned" : "");
		say(w, "tls", key, words);
	}
}

static void say_tls(struct writer *w, const struct trust_facts *f)
{
	static const char *const plain[] = { "", "SIP", "HTTP", "other" };
	const struct trust_tls_facts *t = &f->tls;
	char words[24];
	if (!t->used && !t->tls_on_plain)
		return;
	say_yes(w, "tls", "handshake_done", t->done);
	if (t->version)
		say(w, "tls", "version", trust_version_words(t->version, words, sizeof words));
	say(w, "tls", "suite", t->suite);
	say(w, "tls", "sni", t->sni);
	say_yes(w, "tls", "certificate_requested", t->cert_requested);
	say_alerts(w, t);
	say(w, "tls", "openssl_error", t->openssl_error);
	say(w, "tls", "plain", plain[t->plain]);
	say(w, "tls", "first_bytes", t->plain_bytes);
	if (t->stalled)
		say_yes(w, "tls", "stalled", true);
	if (t->verify_done) {
		say_int(w, "tls", "verify_code", t->verify_code);
		say_int(w, "tls", "verify_depth", t->verify_depth);
		if (t->ocsp)
			say(w, "tls", "ocsp", trust_ocsp_name((enum trust_ocsp)t->ocsp));
		if (t->verify_fault)
			say_int(w, "tls", "verify_fault", t->verify_fault);
		say(w, "tls", "verify", t->verify_words);
	}
	say_int(w, "tls", "handshake_ms", t->handshake_ms);
	say_hello(w, "client_offers", &t->client_hello);
	say_hello(w, "server_takes", &t->server_can);
}

static void say_cert(struct writer *w, const char *group, const struct trust_cert *c)
{
	char ekus[96];
	if (!c->sha256[0])
		return;
	say_yes(w, group, "shown", c->shown);
	say(w, group, "subject", c->subject);
	say(w, group, "cn", c->cn);
	say_names(w, group, "san", &c->sans);
	say(w, group, "issuer", c->issuer);
	say_time(w, group, "not_before", c->not_before_s);
	say_time(w, group, "not_after", c->not_after_s);
	text_print(ekus, sizeof ekus, "%s%s%s%s%s%s", c->eku & TRUST_EKU_PRESENT ? "" : "none ", c->eku & TRUST_EKU_SERVER ? "serverAuth " : "",
		   c->eku & TRUST_EKU_CLIENT ? "clientAuth " : "", c->eku & TRUST_EKU_SIP ? "sipDomain " : "",
		   c->eku & TRUST_EKU_ANY ? "any " : "", c->eku & TRUST_EKU_OTHER ? "others " : "");
	say(w, group, "usages", ekus);
	say(w, group, "key", c->key);
	say(w, group, "digest", c->digest);
	say(w, group, "serial", c->serial);
	say(w, group, "sha256", c->sha256);
	say_int(w, group, "chain", c->chain_len);
}

static void say_judgement(struct writer *w, const struct trust_facts *f)
{
	static const char *const seconds[] = { "", "another identity", "the peer's own connection" };
	static const char *const outcomes[] = { "silent", "closed", "answered", "failed" };
	if (f->name.judged) {
		say(w, "names", "rule", trust_rule_kind_name(f->name.rule));
		say(w, "names", "result", trust_name_reason_name((enum trust_name_reason)f->name.reason));
		say_names(w, "names", "wanted", &f->name.wanted);
		say_names(w, "names", "offered", &f->name.offered);
		say(w, "names", "matched", f->name.matched);
	}
	if (f->judges.configured) {
		say(w, "judges_us", "profile", f->judges.profile);
		say(w, "judges_us", "rule", trust_rule_kind_name(f->judges.rule));
		say_names(w, "judges_us", "known_names", &f->judges.known);
	}
	if (f->second.kind) {
		say(w, "second_probe", "by", seconds[f->second.kind]);
		say(w, "second_probe", "identity", f->second.identity);
		say(w, "second_probe", "cn", f->second.cn);
		say(w, "second_probe", "outcome", outcomes[f->second.outcome]);
		say_int(w, "second_probe", "status", f->second.status);
	}
}

static void say_sip(struct writer *w, const struct trust_facts *f)
{
	const struct trust_sip_facts *s = &f->sip;
	if (s->sent)
		say(w, "sip", "sent", s->method[0] ? s->method : "yes");
	if (s->large) {
		say_int(w, "sip", "bytes", s->large);
		say(w, "sip", "no_tcp", s->no_tcp);
	}
	if (!s->received)
		return;
	say_int(w, "sip", "status", s->status);
	say(w, "sip", "phrase", s->phrase);
	say(w, "sip", "reason", s->reason);
	say(w, "sip", "warning", s->warning);
	say(w, "sip", "ms_diagnostics", s->ms_diagnostics);
	if (s->retry_after_s >= 0)
		say_int(w, "sip", "retry_after_s", s->retry_after_s);
}

static int walk(struct writer *w, const struct trust_facts *f)
{
	say_connection(w, f);
	say_tls(w, f);
	say_cert(w, "our_certificate", &f->ours);
	say_cert(w, "their_certificate", &f->theirs);
	say_judgement(w, f);
	say_sip(w, f);
	return w->err;
}

int facts_text(const struct trust_facts *f, struct buf *out)
{
	struct writer w = { .lines = out };
	return walk(&w, f);
}

int facts_json(const struct trust_facts *f, struct buf *out)
{
	struct writer w = { .object = json_object() };
	int err = w.object ? walk(&w, f) : ENOMEM;
	if (!err && json_object_set_new(w.object, "schema", json_integer(1)))
		err = ENOMEM;
	char *text = err ? NULL : json_dumps(w.object, JSON_COMPACT);
	if (!err)
		err = text ? buf_str(out, text) : ENOMEM;
	free(text);
	json_decref(w.object);
	return err;
}
