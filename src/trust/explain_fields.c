/* SPDX-License-Identifier: Apache-2.0 */
/* explain_fields.c  The fields that the sentences of verdicts.def take in. Each is a small function of the facts; those of compared names and
 * of SIP stand in explain_names.c. */
#include <errno.h>
#include <stddef.h>
#include "base/rfc3339.h"
#include "trust/explain_private.h"
#include "trust/rule.h"

const char *const explain_others[OTHERS] = {
#define VERDICT(id, name, who, step, certainty, sentence, cause, advice)
#define NOTE(id, text)
#define OTHER(id, text) [OTHER_##id] = text,
#include "trust/verdicts.def"
#undef OTHER
#undef NOTE
};
const char *const explain_notes[NOTES] = {
#define OTHER(id, text)
#define NOTE(id, text) [NOTE_##id] = text,
#include "trust/verdicts.def"
#undef VERDICT
#undef OTHER
#undef NOTE
};

void explain_note(const struct explain *x, enum explain_note_id n, char *dst, size_t size)
{
	explain_fill(x, explain_notes[n], dst, size);
}

/* ---- who and where ---- */

static void where(const struct explain *x, char *dst, size_t size)
{
	const struct trust_facts *f = x->f;
	if (f->target[0] && f->target_port)
		text_print(dst, size, "%s:%u", f->target, f->target_port);
	else if (f->target[0]) /* a certificate in a file */
		text_fill(dst, size, f->target);
	else
		text_fill(dst, size, f->peer_addr);
}

static void f_peer(const struct explain *x, char *dst, size_t size)
{
	char at[TRUST_NAME_SIZE + 8];
	where(x, at, sizeof at);
	if (x->f->gateway[0] && at[0])
		text_print(dst, size, "gateway %s (%s)", x->f->gateway, at);
	else if (x->f->gateway[0])
		text_print(dst, size, "gateway %s", x->f->gateway);
	else
		text_fill(dst, size, at[0] ? at : "the peer");
}

static void f_gateway(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, x->f->gateway[0] ? x->f->gateway : "GATEWAY");
}

static void f_target(const struct explain *x, char *dst, size_t size)
{
	const struct trust_facts *f = x->f;
	text_fill(dst, size, f->target[0] ? f->target : f->gateway_fqdn[0] ? f->gateway_fqdn : f->peer_addr[0] ? f->peer_addr : "the peer");
}

static void f_port(const struct explain *x, char *dst, size_t size)
{
	text_print(dst, size, "%u", x->f->target_port ? x->f->target_port : 5061);
}

static void f_addr(const struct explain *x, char *dst, size_t size)
{
	if (x->f->peer_addr[0])
		text_fill(dst, size, x->f->peer_addr);
	else
		where(x, dst, size);
}

static void f_addr_host(const struct explain *x, char *dst, size_t size)
{
	f_addr(x, dst, size);
	struct text t = text_of(dst);
	size_t colon = text_rfind(t, ':');
	if (colon != SIZE_MAX)
		dst[colon] = '\0';
	if (dst[0] == '[') { /* [2001:db8::1] */
		size_t n = strlen(dst);
		memmove(dst, dst + 1, n);
		if (n >= 2 && dst[n - 2] == ']')
			dst[n - 2] = '\0';
	}
}

static void f_us(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, x->f->our_fqdn[0] ? x->f->our_fqdn : x->f->node[0] ? x->f->node : "this node");
}

static void f_error(const struct explain *x, char *dst, size_t size)
{
	int err = x->f->connect_errno ? x->f->connect_errno : x->f->end_errno;
	const char *words = strerrordesc_np(err);
	text_fill(dst, size, err && words ? words : "no reason given");
}

static void f_transport(const struct explain *x, char *dst, size_t size)
{
	static const char *const names[] = { "an unknown transport", "UDP", "TCP", "TLS" };
	text_fill(dst, size, names[x->f->transport]);
}

static void f_connect_ms(const struct explain *x, char *dst, size_t size)
{
	text_print(dst, size, "%lld", (long long)x->f->connect_ms);
}

static void f_bytes(const struct explain *x, char *dst, size_t size)
{
	text_print(dst, size, "%u", x->f->sip.large);
}

/* ---- the end ---- */

static void f_ended(const struct explain *x, char *dst, size_t size)
{
	static const char *const words[] = {
		[TRUST_OPEN] = "did not go on",
		[TRUST_CLOSE_NOTIFY] = "closed the connection (close_notify)",
		[TRUST_FIN] = "closed the connection (FIN, without close_notify)",
		[TRUST_RST] = "reset the connection",
		[TRUST_TIMED_OUT] = "kept silent",
		[TRUST_LOCAL] = "was left by us",
		[TRUST_FAILED] = "broke the connection",
	};
	if (x->f->end == TRUST_TIMED_OUT && x->f->end_ms > 0)
		text_print(dst, size, "kept silent for %lld ms", (long long)x->f->end_ms);
	else if (x->f->end_ms == 0 && x->f->tls.done)
		text_print(dst, size, "%s at once", words[x->f->end]);
	else if (x->f->end_ms > 0 && x->f->tls.done)
		text_print(dst, size, "%s after %lld ms", words[x->f->end], (long long)x->f->end_ms);
	else
		text_fill(dst, size, words[x->f->end]);
}

static void f_end_ms(const struct explain *x, char *dst, size_t size)
{
	text_print(dst, size, "%lld", (long long)(x->f->end_ms < 0 ? 0 : x->f->end_ms));
}

static void f_stage(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, !x->f->tls.hello_from_peer ? "before its own hello" :
			     x->f->ours.shown		? "after our certificate was shown" :
							  "after its own hello");
}

static void f_handshake_time(const struct explain *x, char *dst, size_t size)
{
	if (x->f->tls.handshake_ms)
		text_print(dst, size, "%lld ms", (long long)x->f->tls.handshake_ms);
	else
		text_fill(dst, size, "the time that it may take");
}

/* What dig takes: the address, and the port where it is not 53. */
static void f_dns_at(const struct explain *x, char *dst, size_t size)
{
	struct text s = text_of(x->f->dns_server), host = s;
	size_t colon = text_rfind(s, ':');
	unsigned long port = 53;
	if (!s.n)
		return;
	if (colon != SIZE_MAX && (s.p[0] == '[' || text_find(s, ':') == colon)) {
		host = text_make(s.p, colon);
		port = strtoul(x->f->dns_server + colon + 1, NULL, 10);
	}
	if (text_starts(host, "[") && host.n > 2)
		host = text_make(host.p + 1, host.n - 2);
	if (port == 53)
		text_print(dst, size, " @%.*s", TEXT_FMT(host));
	else
		text_print(dst, size, " @%.*s -p %lu", TEXT_FMT(host), port);
}

static void f_dns_asked(const struct explain *x, char *dst, size_t size)
{
	if (x->f->dns_server[0])
		explain_note(x, NOTE_DNS_ASKED, dst, size);
}

/* Nobody can dial the port from which a peer dialled us. */
static void f_showcerts(const struct explain *x, char *dst, size_t size)
{
	if (x->f->role == TRUST_DIALLED)
		explain_note(x, NOTE_SHOWCERTS, dst, size);
}

/* Only what we dial can be set here. */
static void f_plain_fix(const struct explain *x, char *dst, size_t size)
{
	if (x->f->role == TRUST_DIALLED)
		explain_note(x, x->f->transport == TRUST_TLS ? NOTE_TLS_TO_PLAIN : NOTE_PLAIN_TO_TLS, dst, size);
}

/* Addresses are asked for in both families. */
static void f_dns_types(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, strcmp(x->f->dns_type, "SRV") == 0 || strcmp(x->f->dns_type, "NAPTR") == 0 ? x->f->dns_type : "A or AAAA");
}

/* ---- TLS ---- */

static void f_alert(const struct explain *x, char *dst, size_t size)
{
	if (x->alert)
		text_print(dst, size, "%u %s", x->alert->number, trust_alert_name(x->alert->number));
}

static void f_alert_note(const struct explain *x, char *dst, size_t size)
{
	if (x->alert)
		text_print(dst, size, " (alert %u %s, %s)", x->alert->number, trust_alert_name(x->alert->number),
			   x->alert->sent ? "sent by us" : "received");
}

static void f_when(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, x->alert && x->alert->after_handshake ?
		"after our side of the handshake had returned (in TLS 1.3 the peer judges our certificate last)" : "during the handshake");
}

static void f_client_versions(const struct explain *x, char *dst, size_t size)
{
	trust_versions_words(&x->f->tls.client_hello, dst, size);
}

static void f_server_versions(const struct explain *x, char *dst, size_t size)
{
	if (x->f->tls.server_can.seen)
		trust_versions_words(&x->f->tls.server_can, dst, size);
	else
		explain_note(x, NOTE_NOT_SAID, dst, size);
}

static void f_client_suites(const struct explain *x, char *dst, size_t size)
{
	trust_suites_words(&x->f->tls.client_hello, dst, size > 460 ? 460 : size);
}

static void f_server_suites(const struct explain *x, char *dst, size_t size)
{
	if (x->f->tls.server_can.seen)
		trust_suites_words(&x->f->tls.server_can, dst, size > 460 ? 460 : size);
	else
		explain_note(x, NOTE_NOT_SAID, dst, size);
}

static void f_verify_code(const struct explain *x, char *dst, size_t size)
{
	text_print(dst, size, "%d", x->f->tls.verify_code);
}

static void f_sni(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, x->f->tls.sni[0] ? x->f->tls.sni : x->f->tls.client_hello.sni[0] ? x->f->tls.client_hello.sni : "no name");
}

/* ---- certificates ---- */

static void usages(const struct trust_cert *c, char *dst, size_t size)
{
	struct trust_names l = { 0 };
	if (!c->shown)
		trust_names_add_str(&l, "not seen");
	if (c->eku & TRUST_EKU_SERVER)
		trust_names_add_str(&l, "serverAuth");
	if (c->eku & TRUST_EKU_CLIENT)
		trust_names_add_str(&l, "clientAuth");
	if (c->eku & TRUST_EKU_SIP)
		trust_names_add_str(&l, "sipDomain");
	if (c->eku & TRUST_EKU_ANY)
		trust_names_add_str(&l, "anyExtendedKeyUsage");
	if (c->eku & TRUST_EKU_OTHER)
		trust_names_add_str(&l, "others");
	if (c->shown && !(c->eku & TRUST_EKU_PRESENT))
		trust_names_add_str(&l, "any, none is listed");
	trust_names_join(&l, dst, size);
}

static void f_our_usages(const struct explain *x, char *dst, size_t size)
{
	usages(&x->f->ours, dst, size);
}

static void f_their_usages(const struct explain *x, char *dst, size_t size)
{
	usages(&x->f->theirs, dst, size);
}

void explain_cert_names(const struct trust_cert *c, char *dst, size_t size)
{
	if (c->sans.n)
		trust_names_join(&c->sans, dst, size > 400 ? 400 : size);
	else if (!c->shown)
		text_fill(dst, size, c->cn[0] ? c->cn : "not seen");
	else
		text_print(dst, size, "CN %s, %s", c->cn[0] ? c->cn : c->cns.cut ? "(not readable)" : "(none)",
			   !c->has_san ? "no subjectAltName" : c->sans.cut ? "its subjectAltName not readable" : "nothing that counts in its subjectAltName");
}

static void f_our_names(const struct explain *x, char *dst, size_t size)
{
	explain_cert_names(&x->f->ours, dst, size);
}

static void f_their_names(const struct explain *x, char *dst, size_t size)
{
	explain_cert_names(&x->f->theirs, dst, size);
}

static void chain_words(unsigned n, char *dst, size_t size)
{
	if (n == 0)
		text_fill(dst, size, "certificates that are not seen here");
	else if (n == 1)
		text_fill(dst, size, "the leaf alone");
	else
		text_print(dst, size, "%u certificates", n);
}

static void f_our_chain(const struct explain *x, char *dst, size_t size)
{
	chain_words(x->f->ours.chain_len, dst, size);
}

static void f_their_chain(const struct explain *x, char *dst, size_t size)
{
	chain_words(x->f->theirs.chain_len, dst, size);
}

static bool we_are_client(const struct explain *x)
{
	return x->f->role == TRUST_DIALLED;
}

static void f_our_role(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, we_are_client(x) ? "client" : "server");
}

static void f_their_role(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, we_are_client(x) ? "server" : "client");
}

static void f_our_eku(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, we_are_client(x) ? "clientAuth" : "serverAuth");
}

static void f_their_eku(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, we_are_client(x) ? "serverAuth" : "clientAuth");
}

static void when_s(int64_t s, char *dst, size_t size)
{
	char at[RFC3339_SIZE];
	text_fill(dst, size, s ? rfc3339_s(s, at) : "an unknown time");
}

static void f_now(const struct explain *x, char *dst, size_t size)
{
	when_s(x->f->now_s, dst, size);
}

static void f_bad_not_after(const struct explain *x, char *dst, size_t size)
{
	when_s(x->f->tls.verify_not_after_s, dst, size);
}

static void f_bad_not_before(const struct explain *x, char *dst, size_t size)
{
	when_s(x->f->tls.verify_not_before_s, dst, size);
}

static void f_our_not_after(const struct explain *x, char *dst, size_t size)
{
	when_s(x->f->ours.not_after_s, dst, size);
}

static void f_our_not_before(const struct explain *x, char *dst, size_t size)
{
	when_s(x->f->ours.not_before_s, dst, size);
}

bool explain_we_expired(const struct trust_facts *f)
{
	return f->ours.not_after_s && f->now_s && f->ours.not_after_s <= f->now_s;
}

static void f_expired_cause(const struct explain *x, char *dst, size_t size)
{
	explain_note(x, explain_we_expired(x->f) ? NOTE_EXPIRED_CAUSE : NOTE_NOT_EXPIRED_CAUSE, dst, size);
}

static void f_expired_advice(const struct explain *x, char *dst, size_t size)
{
	explain_note(x, explain_we_expired(x->f) ? NOTE_EXPIRED_ADVICE : NOTE_NOT_EXPIRED_ADVICE, dst, size);
}

static void f_usage_cause(const struct explain *x, char *dst, size_t size)
{
	explain_note(x, explain_lack_usage(x->f) ? NOTE_USAGE_CAUSE : NOTE_USAGE_FITS_CAUSE, dst, size);
}

static void f_usage_advice(const struct explain *x, char *dst, size_t size)
{
	explain_note(x, explain_lack_usage(x->f) ? NOTE_USAGE_ADVICE : NOTE_USAGE_FITS_ADVICE, dst, size);
}

/* ---- the tables ---- */

static const struct explain_field_row by_function[] = {
	{ "peer", f_peer }, { "speaker", f_peer }, { "gateway", f_gateway }, { "target", f_target }, { "port", f_port },
	{ "addr", f_addr }, { "addr_host", f_addr_host }, { "us", f_us }, { "transport", f_transport }, { "error", f_error },
	{ "connect_ms", f_connect_ms }, { "bytes", f_bytes }, { "ended", f_ended }, { "end_ms", f_end_ms }, { "stage", f_stage },
	{ "handshake_time", f_handshake_time }, { "alert", f_alert }, { "alert_note", f_alert_note }, { "when", f_when },
	{ "client_versions", f_client_versions }, { "server_versions", f_server_versions },
	{ "client_suites", f_client_suites }, { "server_suites", f_server_suites }, { "verify_code", f_verify_code },
	{ "sni", f_sni }, { "our_usages", f_our_usages }, { "their_usages", f_their_usages }, { "our_names", f_our_names },
	{ "their_names", f_their_names }, { "our_chain", f_our_chain }, { "their_chain", f_their_chain },
	{ "our_role", f_our_role }, { "their_role", f_their_role }, { "our_eku", f_our_eku }, { "their_eku", f_their_eku },
	{ "now", f_now }, { "bad_not_after", f_bad_not_after }, { "bad_not_before", f_bad_not_before },
	{ "our_not_after", f_our_not_after }, { "our_not_before", f_our_not_before }, { "dns_at", f_dns_at },
	{ "dns_asked", f_dns_asked }, { "plain_fix", f_plain_fix }, { "showcerts", f_showcerts },
	{ "dns_types", f_dns_types }, { "usage_cause", f_usage_cause }, { "usage_advice", f_usage_advice },
	{ "expired_cause", f_expired_cause }, { "expired_advice", f_expired_advice },
};

/* Texts that stand in the facts as they are. */
#define FACT(name, member, empty) { name, offsetof(struct trust_facts, member), empty }
static const struct {
	const char *name;
	size_t at;
	const char *empty;
} by_place[] = {
	FACT("fqdn", our_fqdn, "of unknown name"),
	FACT("dns_name", dns_name, "(none)"),
	FACT("dns_type", dns_type, "A or AAAA"),
	FACT("dns_server", dns_server, "(none)"),
	FACT("first_bytes", tls.plain_bytes, "(none)"),
	FACT("openssl_error", tls.openssl_error, "no reason given"),
	FACT("verify", tls.verify_words, "no reason given"),
	FACT("bad_subject", tls.verify_subject, "(none)"),
	FACT("bad_issuer", tls.verify_issuer, "(none)"),
	FACT("our_cn", ours.cn, "(none)"),
	FACT("our_issuer", ours.issuer, "(unknown)"),
	FACT("our_key", ours.key, "of unknown kind"),
	FACT("our_serial", ours.serial, "(unknown)"),
	FACT("their_cn", theirs.cn, "(no CN)"),
	FACT("their_issuer", theirs.issuer, "(unknown)"),
	FACT("their_key", theirs.key, "of unknown kind"),
	FACT("their_sha256", theirs.sha256, "(unknown)"),
	FACT("judge_profile", judges.profile, "(none)"),
	FACT("phrase", sip.phrase, ""),
	FACT("no_tcp", sip.no_tcp, "no reason given"),
};

bool explain_field(const struct explain *x, struct text name, char *dst, size_t size)
{
	dst[0] = '\0';
	for (unsigned i = 0; i < sizeof by_function / sizeof *by_function; i++)
		if (text_is(name, by_function[i].name)) {
			by_function[i].fn(x, dst, size);
			return true;
		}
	if (explain_name_field(x, name, dst, size))
		return true;
	for (unsigned i = 0; i < sizeof by_place / sizeof *by_place; i++)
		if (text_is(name, by_place[i].name)) {
			const char *value = (const char *)x->f + by_place[i].at;
			text_fill(dst, size, *value ? value : by_place[i].empty);
			return true;
		}
	return false;
}

char *explain_fill(const struct explain *x, const char *pattern, char *dst, size_t size)
{
	struct text left = text_of(pattern);
	size_t at = 0;
	dst[0] = '\0';
	while (left.n && at + 1 < size) {
		size_t close = left.p[0] == '{' && left.n > 1 && left.p[1] != '{' ? text_find(left, '}') : SIZE_MAX;
		if (close != SIZE_MAX) {
			if (!explain_field(x, text_make(left.p + 1, close - 1), dst + at, size - at))
				text_fill(dst + at, size - at, "?");
			at += strlen(dst + at);
			left = text_skip(left, close + 1);
			continue;
		}
		bool doubled = left.n > 1 && (left.p[0] == '{' || left.p[0] == '}') && left.p[1] == left.p[0];
		dst[at++] = left.p[0];
		dst[at] = '\0';
		left = text_skip(left, doubled ? 2 : 1);
	}
	return dst;
}
