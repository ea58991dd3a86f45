/* SPDX-License-Identifier: Apache-2.0 */
/* facts.c  The setters of facts.h: each writes one thing, cuts what does not fit, and escapes what a log must not hold. */
#include "trust/facts.h"
#include <errno.h>

void trust_names_clear(struct trust_names *l)
{
	l->n = l->used = 0;
	l->cut = false;
	l->text[0] = '\0';
}

void trust_names_add(struct trust_names *l, struct text name)
{
	if (l->cut || name.n >= sizeof l->text || l->used + name.n + 1 > sizeof l->text) {
		l->cut = true;
		return;
	}
	char *at = l->text + l->used;
	if (name.n)
		memcpy(at, name.p, name.n);
	at[name.n] = '\0';
	l->used = (uint16_t)(l->used + name.n + 1);
	l->n++;
}

void trust_names_add_str(struct trust_names *l, const char *name)
{
	trust_names_add(l, text_of(name));
}

const char *trust_names_at(const struct trust_names *l, unsigned i)
{
	if (i >= l->n)
		return NULL;
	const char *p = l->text;
	while (i--)
		p += strlen(p) + 1;
	return p;
}

static struct text without_dot(struct text t)
{
	return t.n > 1 && t.p[t.n - 1] == '.' ? text_head(t, t.n - 1) : t;
}

bool trust_names_has(const struct trust_names *l, const char *name)
{
	struct text want = without_dot(text_of(name));
	for (unsigned i = 0; i < l->n; i++)
		if (text_eq_nocase(without_dot(text_of(trust_names_at(l, i))), want))
			return true;
	return false;
}

char *trust_names_join(const struct trust_names *l, char *dst, size_t size)
{
	return trust_names_join_by(l, "and", dst, size);
}

char *trust_names_join_by(const struct trust_names *l, const char *word, char *dst, size_t size)
{
	size_t at = 0;
	text_fill(dst, size, l->n ? "" : "none");
	for (unsigned i = 0; i < l->n && at < size; i++) {
		bool last = i + 1 == l->n && !l->cut;
		const char *name = trust_names_at(l, i);
		int cut = !i   ? text_print(dst, size, "%s", name) :
			  last ? text_print(dst + at, size - at, " %s %s", word, name) :
				 text_print(dst + at, size - at, ", %s", name);
		if (cut)
			break;
		at += strlen(dst + at);
	}
	if (l->cut && at + 5 < size)
		text_fill(dst + at, size - at, ", ...");
	return dst;
}

void facts_init(struct trust_facts *f, enum trust_role role, enum trust_transport t, int64_t now_s)
{
	*f = (struct trust_facts){ .role = role, .transport = t, .now_s = now_s, .end_ms = -1 };
	f->tls.used = t == TRUST_TLS;
	f->tls.verify_code = 0;
	f->tls.verify_fault = 0;
	f->tls.ocsp = 0;
	f->sip.retry_after_s = -1;
}

/* Copies with control bytes escaped: everything here may come from a stranger. */
static void put(char *dst, size_t size, struct text t)
{
	text_escape(t, dst, size);
}

void facts_us(struct trust_facts *f, const char *node, const char *fqdn, const char *service)
{
	if (!f)
		return;
	put(f->node, sizeof f->node, text_of(node));
	put(f->our_fqdn, sizeof f->our_fqdn, text_of(fqdn));
	put(f->our_service, sizeof f->our_service, text_of(service));
}

void facts_gateway(struct trust_facts *f, const char *gateway, const char *fqdn)
{
	if (!f)
		return;
	put(f->gateway, sizeof f->gateway, text_of(gateway));
	put(f->gateway_fqdn, sizeof f->gateway_fqdn, text_of(fqdn));
}

void facts_flow(struct trust_facts *f, enum trust_flow flow)
{
	if (f)
		f->flow = flow;
}

void facts_target(struct trust_facts *f, const char *host, uint16_t port, const char *addr)
{
	if (!f)
		return;
	put(f->target, sizeof f->target, text_of(host));
	put(f->peer_addr, sizeof f->peer_addr, text_of(addr));
	f->target_port = port;
}

void facts_dns(struct trust_facts *f, enum trust_dns_outcome o, const char *name, const char *type, const char *server)
{
	if (!f)
		return;
	f->dns = o;
	put(f->dns_name, sizeof f->dns_name, text_of(name));
	put(f->dns_type, sizeof f->dns_type, text_of(type));
	put(f->dns_server, sizeof f->dns_server, text_of(server));
}

void facts_connect(struct trust_facts *f, int err, int64_t ms)
{
	if (!f)
		return;
	f->connect_tried = true;
	f->connected = err == 0;
	f->connect_errno = err;
	f->connect_ms = ms;
}

bool facts_plain_bytes(struct trust_facts *f, const void *p, size_t n)
{
	const uint8_t *b = p;
	bool tls = n >= 2 && (b[0] == 0x16 || b[0] == 0x15) && b[1] == 0x03;
	if (tls && f) {
		f->tls.tls_on_plain = true;
		f->tls.hello_from_peer = b[0] == 0x16;
		put(f->tls.plain_bytes, sizeof f->tls.plain_bytes, text_make(p, n < 8 ? n : 8));
	}
	return tls;
}

void facts_alert(struct trust_facts *f, bool sent, bool fatal, bool after_handshake, unsigned number)
{
	if (!f || f->tls.n_alerts >= TRUST_ALERTS)
		return;
	f->tls.alert[f->tls.n_alerts++] =
		(struct trust_alert){ .sent = sent, .fatal = fatal, .after_handshake = after_handshake, .number = (uint8_t)number };
}

void facts_closed(struct trust_facts *f, enum trust_end how, int err, int64_t ms_since_established)
{
	if (!f || f->end != TRUST_OPEN)
		return;
	f->end = how;
	f->end_errno = err;
	f->end_ms = ms_since_established;
}

void facts_silent(struct trust_facts *f, int64_t ms_since_sent)
{
	facts_closed(f, TRUST_TIMED_OUT, ETIMEDOUT, ms_since_sent);
}

void facts_late(struct trust_facts *f, int64_t ms)
{
	if (!f || f->end != TRUST_OPEN)
		return;
	if (f->connect_tried && !f->connected && !f->connect_errno) {
		facts_connect(f, ETIMEDOUT, ms);
	} else if (f->tls.used && f->connected && !f->tls.done) {
		f->tls.stalled = true;
		f->tls.handshake_ms = ms;
		facts_closed(f, TRUST_TIMED_OUT, ETIMEDOUT, ms);
	}
}

void facts_sip_sent(struct trust_facts *f, struct text method)
{
	if (!f)
		return;
	f->sip.sent = true;
	put(f->sip.method, sizeof f->sip.method, method);
}

void facts_sip_large(struct trust_facts *f, size_t bytes, const char *no_tcp)
{
	if (!f)
		return;
	f->sip.large = (uint32_t)bytes;
	put(f->sip.no_tcp, sizeof f->sip.no_tcp, text_of(no_tcp));
}

void facts_sip_answer(struct trust_facts *f, unsigned status, struct text phrase)
{
	if (!f)
		return;
	f->sip.received = true;
	f->sip.status = (uint16_t)status;
	put(f->sip.phrase, sizeof f->sip.phrase, phrase);
}

void facts_sip_headers(struct trust_facts *f, struct text reason, struct text warning, struct text ms_diagnostics, int32_t retry_after_s)
{
	if (!f)
		return;
	put(f->sip.reason, sizeof f->sip.reason, reason);
	put(f->sip.warning, sizeof f->sip.warning, warning);
	put(f->sip.ms_diagnostics, sizeof f->sip.ms_diagnostics, ms_diagnostics);
	f->sip.retry_after_s = retry_after_s;
}

void facts_judges(struct trust_facts *f, const char *profile, enum trust_rule_kind rule)
{
	if (!f)
		return;
	f->judges.configured = true;
	f->judges.rule = rule;
	put(f->judges.profile, sizeof f->judges.profile, text_of(profile));
}

void facts_judges_name(struct trust_facts *f, const char *known)
{
	if (f)
		trust_names_add_str(&f->judges.known, known);
}

void facts_identity_held(struct trust_facts *f, const char *identity, const char *cn)
{
	char pair[TRUST_LABEL_SIZE + TRUST_NAME_SIZE + 1];
	if (!f)
		return;
	text_print(pair, sizeof pair, "%s=%s", identity, cn);
	trust_names_add_str(&f->identities, pair);
}

void facts_second(struct trust_facts *f, enum trust_second_kind kind, const char *identity, const char *cn, enum trust_second_outcome o,
		  unsigned status)
{
	if (!f)
		return;
	f->second.kind = kind;
	f->second.outcome = o;
	f->second.status = (uint16_t)status;
	put(f->second.identity, sizeof f->second.identity, text_of(identity));
	put(f->second.cn, sizeof f->second.cn, text_of(cn));
}
