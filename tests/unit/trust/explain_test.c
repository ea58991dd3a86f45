/* SPDX-License-Identifier: Apache-2.0 */
/* explain_test.c  A case a row of verdicts.def: facts in, the row and words that must be in it out. The last test asks that no row is left
 * without a case, and that no sentence has a field that nobody fills. */
#include <errno.h>
#include <openssl/x509_vfy.h>
#include "base/mem.h"
#include "trust/explain.h"
#include "trust/explain_private.h"
#include "trust/rule.h"
#include "trust/wellformed.h"
#include "ut.h"

typedef void (set_h)(struct trust_facts *f);

static void cert(struct trust_cert *c, const char *cn, const char *san, uint8_t eku)
{
	*c = (struct trust_cert){ .eku = eku, .has_san = san != NULL, .chain_len = 1, .not_before_s = 1700000000, .not_after_s = 1900000000 };
	text_fill(c->cn, sizeof c->cn, cn);
	text_print(c->subject, sizeof c->subject, "CN=%s", cn);
	text_fill(c->issuer, sizeof c->issuer, "CN=Lab CA");
	text_fill(c->key, sizeof c->key, "EC-P-256");
	text_fill(c->serial, sizeof c->serial, "0a0b");
	text_fill(c->sha256, sizeof c->sha256, "ab12");
	trust_names_add_str(&c->cns, cn);
	for (struct text left = text_of(san), one; left.n;) {
		text_cut(left, ',', &one, &left);
		trust_names_add(&c->sans, one);
	}
}

enum { BOTH = TRUST_EKU_PRESENT | TRUST_EKU_SERVER | TRUST_EKU_CLIENT };

/* Node 1 of the lab, with the one certificate that it shares, dials the pool. */
static void dialled(struct trust_facts *f)
{
	facts_init(f, TRUST_DIALLED, TRUST_TLS, 1800000000);
	facts_us(f, "node01", "node01.domain.local", "um.domain.local");
	facts_gateway(f, "lyncpool", "lyncpool.domain.com");
	facts_target(f, "lyncpool.domain.com", 5061, "192.0.2.10:5061");
	facts_flow(f, TRUST_FLOW_OPTIONS);
	facts_identity_held(f, "default", "um.domain.local");
	text_fill(f->our_identity, sizeof f->our_identity, "default");
	cert(&f->ours, "um.domain.local", "DNS:um.domain.local,DNS:node01.domain.local,DNS:node02.domain.local", BOTH);
	f->tls.client_hello = (struct trust_hello){ .seen = true, .n_versions = 2, .version = { 0x0304, 0x0303 }, .n_suites = 1, .suite = { 0x1301 } };
	f->tls.started = true;
}

static void accepted(struct trust_facts *f)
{
	dialled(f);
	f->role = TRUST_ACCEPTED;
	facts_flow(f, TRUST_FLOW_CALL_IN);
	text_fill(f->target, sizeof f->target, "");
	text_fill(f->tls.client_hello.sni, TRUST_NAME_SIZE, "node01.domain.local");
	f->tls.hello_from_peer = true;
}

/* The handshake is done, our certificate was shown, and OPTIONS sent. */
static void up(struct trust_facts *f)
{
	dialled(f);
	facts_connect(f, 0, 1);
	f->tls.hello_from_peer = f->tls.done = f->tls.cert_requested = f->tls.cert_sent = f->ours.shown = true;
	f->tls.version = 0x0304;
	facts_sip_sent(f, TEXT("OPTIONS"));
}

static void judges(struct trust_facts *f)
{
	facts_judges(f, "cn-known-servers", TRUST_RULE_CN_ONLY);
	facts_judges_name(f, "node01.domain.local");
	facts_judges_name(f, "node02.domain.local");
}

static void answer(struct trust_facts *f, unsigned status, const char *phrase)
{
	up(f);
	facts_sip_answer(f, status, text_of(phrase));
}

static void dns(struct trust_facts *f, enum trust_dns_outcome o)
{
	dialled(f);
	facts_dns(f, o, "lyncpool.domain.com", "A", "127.0.0.1:53");
}

static void connect_err(struct trust_facts *f, int err)
{
	dialled(f);
	facts_connect(f, err, 3000);
}

static void verify(struct trust_facts *f, int code)
{
	dialled(f);
	f->tls.hello_from_peer = f->tls.verify_done = true;
	f->tls.verify_code = code;
	text_fill(f->tls.verify_words, sizeof f->tls.verify_words, X509_verify_cert_error_string(code));
	cert(&f->theirs, "lyncpool.domain.com", "DNS:lyncpool.domain.com", TRUST_EKU_PRESENT | TRUST_EKU_CLIENT);
	f->theirs.shown = true;
	text_fill(f->tls.verify_subject, TRUST_NAME_SIZE, "CN=lyncpool.domain.com");
	text_fill(f->tls.verify_issuer, TRUST_NAME_SIZE, "CN=Pool CA");
	text_fill(f->theirs.issuer, TRUST_NAME_SIZE, "CN=Pool CA");
	f->tls.verify_not_before_s = 1810000000;
	f->tls.verify_not_after_s = 1790000000;
	facts_alert(f, true, true, false, 42);
}

static void fault(struct trust_facts *f, enum trust_fault what)
{
	verify(f, X509_V_ERR_CERT_REJECTED);
	f->tls.verify_fault = (uint8_t)what;
	text_fill(f->tls.verify_words, sizeof f->tls.verify_words, trust_fault_words(what));
}

static void name(struct trust_facts *f, enum trust_name_reason r)
{
	verify(f, X509_V_ERR_HOSTNAME_MISMATCH);
	f->name.judged = true;
	f->name.rule = TRUST_RULE_RFC5922;
	f->name.reason = (uint8_t)r;
	trust_names_add_str(&f->name.wanted, "pool.other.com");
	trust_names_add_str(&f->name.offered, "lyncpool.domain.com");
}

static void alert(struct trust_facts *f, unsigned number)
{
	dialled(f);
	f->tls.hello_from_peer = f->tls.cert_requested = f->ours.shown = true;
	facts_alert(f, false, true, false, number);
	facts_closed(f, TRUST_FIN, 0, 0);
}

/* ---- the cases ---- */
#define CASE(fn, ...) static void fn(struct trust_facts *f) { __VA_ARGS__; }
CASE(works, answer(f, 200, "OK"))
CASE(proven, up(f); f->sip.sent = false; f->sip.received = true)
CASE(nothing, dialled(f))
CASE(by_us, up(f); facts_closed(f, TRUST_LOCAL, 0, 5))
CASE(nxdomain, dns(f, TRUST_DNS_NXDOMAIN))
CASE(nodata, dns(f, TRUST_DNS_NODATA))
CASE(nodata_port, facts_dns((dialled(f), f), TRUST_DNS_NODATA, "lyncpool.domain.com", "AAAA", "127.0.0.1:5353"))
CASE(nodata_v6, facts_dns((dialled(f), f), TRUST_DNS_NODATA, "lyncpool.domain.com", "SRV", "[2001:db8::1]:53"))
CASE(dns_refused, dns(f, TRUST_DNS_REFUSED))
CASE(dns_timeout, dns(f, TRUST_DNS_TIMEOUT))
CASE(servfail, dns(f, TRUST_DNS_SERVFAIL))
CASE(dns_malformed, dns(f, TRUST_DNS_MALFORMED))
CASE(no_server, dns(f, TRUST_DNS_NO_SERVER))
CASE(refused, connect_err(f, ECONNREFUSED))
CASE(no_route, connect_err(f, EHOSTUNREACH))
CASE(connect_timeout, connect_err(f, ETIMEDOUT))
CASE(connect_reset, connect_err(f, ECONNRESET))
CASE(local_fault, connect_err(f, EADDRNOTAVAIL))
CASE(udp_silent, dialled(f); f->transport = TRUST_UDP; f->tls.used = false; facts_silent(f, 5000))
CASE(large_udp_silent, dialled(f); f->transport = TRUST_UDP; f->tls.used = false; facts_silent(f, 5000); facts_sip_large(f, 1618, "Connection refused"))
CASE(plain_sip, dialled(f); f->tls.plain = TRUST_PLAIN_SIP; text_fill(f->tls.plain_bytes, 48, "SIP/2.0 400"))
CASE(http, accepted(f); f->tls.plain = TRUST_PLAIN_HTTP; text_fill(f->tls.plain_bytes, 48, "GET / HTTP/1.1"))
CASE(not_tls, dialled(f); f->tls.plain = TRUST_PLAIN_OTHER; text_fill(f->tls.plain_bytes, 48, "PROXY TCP4"))
CASE(tls_on_plain, dialled(f); f->transport = TRUST_TCP; f->tls.used = false; facts_plain_bytes(f, "\x15\x03\x01\x00\x02", 5))
CASE(version, dialled(f); facts_alert(f, false, true, false, 70))
CASE(version_ours, accepted(f); facts_alert(f, true, true, false, 70); f->tls.server_can = (struct trust_hello){ .seen = true, .n_versions = 1, .version = { 0x0304 } };
	text_fill(f->tls.openssl_error, 160, "unsupported protocol"))
CASE(suite, accepted(f); facts_alert(f, true, true, false, 40); text_fill(f->tls.openssl_error, 160, "no shared cipher");
	f->tls.server_can = (struct trust_hello){ .seen = true, .n_suites = 1, .suite = { 0x1302 } })
CASE(suite_theirs, dialled(f); facts_alert(f, false, true, false, 40))
CASE(handshake_failure, alert(f, 40))
CASE(stalled_silent, dialled(f); f->tls.stalled = true; f->tls.handshake_ms = 10000; facts_closed(f, TRUST_TIMED_OUT, ETIMEDOUT, 0))
CASE(stalled, dialled(f); f->tls.hello_from_peer = f->tls.stalled = true; facts_closed(f, TRUST_TIMED_OUT, ETIMEDOUT, 0))
CASE(before_hello, dialled(f); facts_closed(f, TRUST_RST, ECONNRESET, 0))
CASE(opened_silent, accepted(f); f->tls.started = f->tls.hello_from_peer = false; f->tls.stalled = true; f->tls.handshake_ms = 2500; facts_closed(f, TRUST_TIMED_OUT, ETIMEDOUT, 0))
CASE(stalled_in_hello, accepted(f); f->tls.hello_from_peer = false; f->tls.heard = f->tls.stalled = true; facts_closed(f, TRUST_TIMED_OUT, ETIMEDOUT, 0))
CASE(in_hello, dialled(f); f->tls.heard = true; facts_closed(f, TRUST_RST, ECONNRESET, 0))
CASE(plain_to_tls, dialled(f); f->transport = TRUST_TCP; f->tls.used = false; f->tls.tls_on_plain = true; facts_closed(f, TRUST_RST, ECONNRESET, 0))
CASE(in_handshake, dialled(f); f->tls.hello_from_peer = f->ours.shown = true; facts_closed(f, TRUST_FIN, 0, 0))
CASE(in_handshake_early, dialled(f); f->tls.hello_from_peer = true; facts_closed(f, TRUST_FIN, 0, 0))
CASE(broken, dialled(f); f->tls.hello_from_peer = true; text_fill(f->tls.openssl_error, 160, "bad record type"); facts_alert(f, true, true, false, 10))
CASE(broken_by_them, alert(f, 51))
CASE(issuer, verify(f, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY))
CASE(root, verify(f, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN))
CASE(self_signed, verify(f, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT))
CASE(expired, verify(f, X509_V_ERR_CERT_HAS_EXPIRED))
CASE(not_yet, verify(f, X509_V_ERR_CERT_NOT_YET_VALID))
CASE(clock_late, verify(f, X509_V_ERR_CERT_HAS_EXPIRED); f->ours.not_after_s = f->now_s - 86400)
CASE(clock_early, verify(f, X509_V_ERR_CERT_NOT_YET_VALID); f->ours.not_before_s = f->now_s + 86400)
CASE(purpose, verify(f, X509_V_ERR_INVALID_PURPOSE))
CASE(purpose_client, verify(f, X509_V_ERR_INVALID_PURPOSE); f->role = TRUST_ACCEPTED; f->theirs.eku = TRUST_EKU_PRESENT | TRUST_EKU_SERVER)
CASE(purpose_sip, verify(f, X509_V_ERR_INVALID_PURPOSE); f->theirs.eku = TRUST_EKU_PRESENT | TRUST_EKU_SIP)
CASE(purpose_any, verify(f, X509_V_ERR_INVALID_PURPOSE); f->theirs.eku = TRUST_EKU_PRESENT | TRUST_EKU_ANY)
CASE(key_usage, fault(f, TRUST_FAULT_KEY_USAGE))
CASE(authority_usage, fault(f, TRUST_FAULT_AUTHORITY_USAGE))
CASE(revoked, verify(f, X509_V_ERR_CERT_REVOKED))
CASE(no_crl, verify(f, X509_V_ERR_UNABLE_TO_GET_CRL))
CASE(old_crl, verify(f, X509_V_ERR_CRL_HAS_EXPIRED))
CASE(weak, verify(f, X509_V_ERR_EE_KEY_TOO_SMALL))
CASE(not_a_ca, verify(f, X509_V_ERR_INVALID_CA))
CASE(no_basic_constraints, fault(f, TRUST_FAULT_NO_BASIC_CONSTRAINTS))
CASE(may_not_sign, verify(f, X509_V_ERR_KEYUSAGE_NO_CERTSIGN))
CASE(path_length, verify(f, X509_V_ERR_PATH_LENGTH_EXCEEDED))
CASE(too_long, fault(f, TRUST_FAULT_TOO_LONG))
CASE(outside_constraints, verify(f, X509_V_ERR_PERMITTED_VIOLATION))
CASE(constraints_unreadable, verify(f, X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE))
CASE(critical_unknown, verify(f, X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION))
CASE(no_policy, verify(f, X509_V_ERR_NO_EXPLICIT_POLICY))
CASE(too_complex, fault(f, TRUST_FAULT_TOO_COMPLEX))
CASE(malformed, fault(f, TRUST_FAULT_EXTENSION_TWICE))
CASE(key_kind, fault(f, TRUST_FAULT_KEY_KIND))
CASE(strict, fault(f, TRUST_FAULT_NO_AUTHORITY_KEY_ID))
CASE(ocsp_missing, fault(f, TRUST_FAULT_OCSP_NONE))
CASE(ocsp_unusable, fault(f, TRUST_FAULT_OCSP_OLD))
CASE(ocsp_revoked, fault(f, TRUST_FAULT_OCSP_REVOKED))
CASE(crl_forged, verify(f, X509_V_ERR_CRL_SIGNATURE_FAILURE))
CASE(crl_scope, verify(f, X509_V_ERR_DIFFERENT_CRL_SCOPE))
CASE(bad_signature, verify(f, X509_V_ERR_CERT_SIGNATURE_FAILURE))
CASE(chain_other, verify(f, X509_V_ERR_APPLICATION_VERIFICATION))
CASE(no_client_cert, accepted(f); text_fill(f->tls.openssl_error, 160, "peer did not return a certificate"); facts_alert(f, true, true, false, 116))
CASE(n_nobody, name(f, TRUST_NAME_NOBODY_ACCEPTED))
CASE(n_none, name(f, TRUST_NAME_NONE_OFFERED))
CASE(n_mismatch, name(f, TRUST_NAME_MISMATCH))
CASE(n_cn, name(f, TRUST_NAME_IN_CN_ONLY))
CASE(n_san, name(f, TRUST_NAME_IN_SAN_ONLY))
CASE(n_uri, name(f, TRUST_NAME_BEHIND_URI))
CASE(n_wild, name(f, TRUST_NAME_WILDCARD))
CASE(n_user, name(f, TRUST_NAME_USER_URI))
CASE(n_sips, name(f, TRUST_NAME_SIPS_URI))
CASE(n_dot, name(f, TRUST_NAME_TRAILING_DOT))
CASE(n_ip, name(f, TRUST_NAME_IP_AS_DNS))
CASE(n_lesser, name(f, TRUST_NAME_LESSER_CN))
CASE(n_nul, name(f, TRUST_NAME_NUL))
CASE(n_unreadable, name(f, TRUST_NAME_TOO_MANY))
CASE(wants_cert_12, dialled(f); f->tls.hello_from_peer = f->tls.cert_requested = true; facts_alert(f, false, true, false, 40))
CASE(wants_cert_13, up(f); f->ours.shown = false; facts_alert(f, false, true, true, 116); facts_closed(f, TRUST_FIN, 0, 3))
CASE(bad_cert, alert(f, 42))
CASE(bad_server_cert, accepted(f); f->ours.shown = true; text_fill(f->tls.client_hello.sni, TRUST_NAME_SIZE, "voice.domain.local"); facts_alert(f, false, true, false, 42))
CASE(bad_cert_too_early, alert(f, 42); f->ours.not_before_s = f->now_s + 86400)
CASE(their_purpose_12, alert(f, 43); f->ours.eku = TRUST_EKU_PRESENT | TRUST_EKU_SERVER)
CASE(their_purpose_13, up(f); f->ours.eku = TRUST_EKU_PRESENT | TRUST_EKU_SERVER; facts_alert(f, false, true, true, 43); facts_closed(f, TRUST_RST, ECONNRESET, 2))
CASE(their_purpose_other, alert(f, 43))
CASE(they_revoked, alert(f, 44))
CASE(they_expired_12, alert(f, 45); f->ours.not_after_s = 1799999999)
CASE(they_expired_13, up(f); f->ours.not_after_s = 1799999999; facts_alert(f, false, true, true, 45); facts_closed(f, TRUST_FIN, 0, 2))
CASE(they_expired_wrongly, alert(f, 45))
CASE(they_unknown_46, alert(f, 46))
CASE(they_ca_12, alert(f, 48))
CASE(they_ca_13, up(f); facts_alert(f, false, true, true, 48); facts_closed(f, TRUST_FIN, 0, 2))
CASE(they_denied, alert(f, 49))
CASE(not_this_name, alert(f, 112); text_fill(f->tls.sni, TRUST_NAME_SIZE, "lyncpool.domain.com"))
CASE(internal, alert(f, 80))
CASE(other_alert, alert(f, 109))
CASE(the_case_closed, up(f); judges(f); facts_closed(f, TRUST_CLOSE_NOTIFY, 0, 12))
CASE(the_case_silent, up(f); judges(f); facts_silent(f, 5000))
CASE(the_case_sure, up(f); judges(f); facts_silent(f, 5000); facts_second(f, TRUST_SECOND_PEERS_CONNECTION, "", "", TRUST_SECOND_ANSWERED, 200))
CASE(the_case_not_answered_twice, up(f); judges(f); facts_silent(f, 5000); facts_second(f, TRUST_SECOND_PEERS_CONNECTION, "", "", TRUST_SECOND_SILENT, 0))
CASE(the_case_unconfigured, up(f); facts_closed(f, TRUST_RST, ECONNRESET, 12))
CASE(the_case_unconfigured_answered, up(f); facts_closed(f, TRUST_FIN, 0, 12); facts_second(f, TRUST_SECOND_PEERS_CONNECTION, "", "", TRUST_SECOND_ANSWERED, 200))
CASE(the_case_of_others, up(f); facts_judges(f, "cn-known-servers", TRUST_RULE_CN_ONLY); facts_judges_name(f, "sbc.domain.local"); facts_silent(f, 5000))
CASE(the_case_held, up(f); judges(f); facts_silent(f, 5000); facts_identity_held(f, "lync", "node01.domain.local");
	facts_second(f, TRUST_SECOND_IDENTITY, "lync", "node01.domain.local", TRUST_SECOND_ANSWERED, 200))
CASE(wildcard, up(f); cert(&f->ours, "*.domain.local", "DNS:*.domain.local", BOTH); f->ours.shown = true; facts_closed(f, TRUST_FIN, 0, 3))
CASE(known_silent, up(f); judges(f); cert(&f->ours, "node01.domain.local", "DNS:node01.domain.local", BOTH); f->ours.shown = true; facts_silent(f, 5000))
CASE(any_name_silent, up(f); facts_judges(f, "ca-only", TRUST_RULE_SAN_OR_CN); facts_silent(f, 5000))
CASE(closed, up(f); cert(&f->ours, "node01.domain.local", "DNS:node01.domain.local", BOTH); f->ours.shown = true; facts_closed(f, TRUST_FIN, 0, 3))
CASE(silent, up(f); cert(&f->ours, "node01.domain.local", "DNS:node01.domain.local", BOTH); f->ours.shown = true; facts_silent(f, 5000))
CASE(unasked, up(f); f->tls.cert_requested = f->tls.cert_sent = f->ours.shown = false; facts_closed(f, TRUST_FIN, 0, 3))
CASE(server_name, accepted(f); f->tls.done = f->ours.shown = true; text_fill(f->tls.client_hello.sni, TRUST_NAME_SIZE, "voice.domain.local"); facts_closed(f, TRUST_FIN, 0, 3))
CASE(server_name_by_profile, accepted(f); f->tls.done = true; cert(&f->ours, "um.domain.local", "DNS:node01.domain.local", BOTH); f->ours.shown = true; facts_judges(f, "expressway", TRUST_RULE_SAN_OR_CN);
	text_fill(f->tls.client_hello.sni, TRUST_NAME_SIZE, "um.domain.local"); facts_closed(f, TRUST_FIN, 0, 3))
CASE(server_name_good_for_profile, accepted(f); f->tls.done = true; cert(&f->ours, "um.domain.local", "DNS:node01.domain.local", BOTH); f->ours.shown = true; facts_judges(f, "asterisk-pjsip", TRUST_RULE_SAN_OR_CN);
	text_fill(f->tls.client_hello.sni, TRUST_NAME_SIZE, "um.domain.local"); facts_closed(f, TRUST_FIN, 0, 3))
CASE(lync_by_name, up(f); facts_judges(f, "lync", TRUST_RULE_CN_ONLY); facts_judges_name(f, "node01.domain.local"); facts_second(f, TRUST_SECOND_IDENTITY, "own", "node01.domain.local", TRUST_SECOND_ANSWERED, 200);
	facts_silent(f, 5000))
CASE(not_known_how, up(f); facts_judges(f, "exchange-um", TRUST_RULE_SAN_OR_CN); facts_judges_name(f, "node01.domain.local"); facts_second(f, TRUST_SECOND_IDENTITY, "own", "node01.domain.local", TRUST_SECOND_ANSWERED, 200);
	facts_silent(f, 5000))
CASE(said_nothing, accepted(f); f->tls.done = f->ours.shown = true; facts_closed(f, TRUST_FIN, 0, 3))
CASE(tcp_closed, dialled(f); f->transport = TRUST_TCP; f->tls.used = false; facts_closed(f, TRUST_FIN, 0, 3))
CASE(lost, up(f); f->sip.received = true; facts_closed(f, TRUST_RST, ECONNRESET, 60000))
CASE(not_allowed, answer(f, 403, "Forbidden");
	facts_sip_headers(f, TEXT_NONE, TEXT_NONE, TEXT("1000;reason=\"Connection allows following fqdns: sbc.contoso.com\""), -1))
CASE(forbidden, answer(f, 403, "Forbidden"); facts_sip_headers(f, TEXT("SIP;cause=403;text=\"rule 7\""), TEXT_NONE, TEXT_NONE, -1))
CASE(authentication, answer(f, 401, "Unauthorized"))
CASE(unavailable, answer(f, 503, "Service Unavailable"); facts_sip_headers(f, TEXT_NONE, TEXT_NONE, TEXT_NONE, 30))
CASE(next_hop, answer(f, 504, "Server time-out"); facts_sip_headers(f, TEXT_NONE, TEXT_NONE, TEXT("1008;reason=\"Unable to resolve DNS SRV record\""), -1))
CASE(not_found, answer(f, 404, "Not Found"))
CASE(method, answer(f, 405, "Method Not Allowed"))
CASE(stranger, accepted(f); facts_gateway(f, "", ""); f->transport = TRUST_UDP; f->sip.received = true; f->turned_away = TRUST_AWAY_ADDRESS; text_fill(f->gateway, 1, ""))
CASE(must_tls, accepted(f); f->transport = TRUST_TCP; f->sip.received = true; f->turned_away = TRUST_AWAY_NOT_BY_TLS)
CASE(strangers_name, name(f, TRUST_NAME_MISMATCH); f->role = TRUST_ACCEPTED; f->sip.received = true; f->turned_away = TRUST_AWAY_NAME)
CASE(sip_other, answer(f, 488, "Not Acceptable Here"))

struct row {
	const char *name;
	set_h *set;
	enum trust_verdict_id id;
	enum trust_certainty certainty;
	enum trust_who who;
	const char *words;  /* in the sentence */
	const char *advice; /* in the advice; NULL: not looked at */
};
#define ROW(fn, id, certainty, who, words, advice) { #fn, fn, TRUST_V_##id, TRUST_##certainty, TRUST_##who, words, advice }
static const struct row rows[] = {
	ROW(works, WORKS, SURE, NOBODY, "answered OPTIONS with 200 OK", NULL),
	ROW(proven, PROVEN, SURE, NOBODY, "carries SIP", NULL),
	ROW(nothing, NOTHING_KNOWN, UNKNOWN, NOBODY, "gateway lyncpool (lyncpool.domain.com:5061)", NULL),
	ROW(by_us, CLOSED_BY_US, SURE, NOBODY, "this node closed", NULL),
	ROW(nxdomain, DNS_NXDOMAIN, SURE, NETWORK, "NXDOMAIN", "dig lyncpool.domain.com @127.0.0.1"),
	ROW(nodata, DNS_NODATA, SURE, NETWORK, "has no A or AAAA record", NULL),
	ROW(nodata_port, DNS_NODATA, SURE, NETWORK, "has no A or AAAA record", "dig lyncpool.domain.com A @127.0.0.1 -p 5353"),
	ROW(nodata_v6, DNS_NODATA, SURE, NETWORK, "has no SRV record", "dig lyncpool.domain.com A @2001:db8::1"),
	ROW(dns_refused, DNS_REFUSED, SURE, NETWORK, "refused to answer", NULL),
	ROW(dns_timeout, DNS_TIMEOUT, SURE, NETWORK, "no DNS server answered", NULL),
	ROW(servfail, DNS_SERVFAIL, SURE, NETWORK, "SERVFAIL", NULL),
	ROW(dns_malformed, DNS_MALFORMED, SURE, NETWORK, "cannot be read", NULL),
	ROW(no_server, DNS_NO_SERVER, SURE, NETWORK, "no DNS server can be reached (last asked: 127.0.0.1:53)", "dig lyncpool.domain.com @127.0.0.1"),
	ROW(refused, PORT_CLOSED, SURE, NETWORK, "nothing listens on 192.0.2.10:5061", NULL),
	ROW(no_route, NO_ROUTE, SURE, NETWORK, "No route to host", "ip route get 192.0.2.10\n"),
	ROW(connect_timeout, CONNECT_TIMEOUT, SURE, NETWORK, "within 3000 ms", NULL),
	ROW(connect_reset, CONNECT_RESET, SURE, NETWORK, "was reset", NULL),
	ROW(local_fault, LOCAL_FAULT, SURE, US, "could not even try", NULL),
	ROW(udp_silent, UDP_SILENT, UNKNOWN, NOBODY, "OPTIONS over UDP", NULL),
	ROW(large_udp_silent, LARGE_UDP_SILENT, LIKELY, NETWORK, "it has 1618 bytes", "SIP over TCP at port 5061"),
	ROW(plain_sip, PLAIN_SIP_ON_TLS_PORT, SURE, NOBODY, "plain SIP on port 5061", NULL),
	ROW(http, HTTP_ON_TLS_PORT, SURE, NOBODY, "speaks HTTP", NULL),
	ROW(not_tls, NOT_TLS, SURE, NOBODY, "PROXY TCP4", NULL),
	ROW(tls_on_plain, TLS_ON_PLAIN_PORT, SURE, NOBODY, "port for plain SIP", NULL),
	ROW(version, NO_COMMON_VERSION, SURE, NOBODY, "TLS 1.3 and TLS 1.2", "    gateways: lyncpool: tls: {min: 1.0, legacy: tls10}"),
	ROW(version_ours, NO_COMMON_VERSION, SURE, NOBODY, "the called takes TLS 1.3", NULL),
	ROW(suite, NO_COMMON_SUITE, SURE, NOBODY, "TLS_AES_256_GCM_SHA384", NULL),
	ROW(suite_theirs, NO_COMMON_SUITE, LIKELY, NOBODY, "TLS_AES_128_GCM_SHA256", NULL),
	ROW(handshake_failure, PEER_SAYS_HANDSHAKE_FAILURE, UNKNOWN, PEER, "40 handshake_failure", NULL),
	ROW(stalled_silent, STALLED_SILENT, UNKNOWN, PEER, "did not say a word of TLS for 10000 ms", NULL),
	ROW(stalled, STALLED, UNKNOWN, PEER, "did not end within", NULL),
	ROW(before_hello, CLOSED_BEFORE_HELLO, UNKNOWN, PEER, "reset the connection before it said a word", NULL),
	ROW(opened_silent, OPENED_SILENT, UNKNOWN, PEER, "said nothing for 2500 ms", "speak first"),
	ROW(stalled_in_hello, STALLED, UNKNOWN, PEER, "did not end within the time that it may take", NULL),
	ROW(in_hello, CLOSED_IN_HANDSHAKE, UNKNOWN, PEER, "before its own hello", NULL),
	ROW(plain_to_tls, TLS_ON_PLAIN_PORT, SURE, NOBODY, "port for plain SIP", "    gateways: lyncpool: transport: tls"),
	ROW(in_handshake, CLOSED_IN_HANDSHAKE, LIKELY, PEER, "after our certificate was shown", NULL),
	ROW(in_handshake_early, CLOSED_IN_HANDSHAKE, UNKNOWN, PEER, "after its own hello", NULL),
	ROW(broken, BROKEN_PROTOCOL, SURE, NOBODY, "bad record type", NULL),
	ROW(broken_by_them, BROKEN_PROTOCOL, SURE, NOBODY, "decrypt_error, received", NULL),
	ROW(issuer, ISSUER_UNKNOWN, SURE, US, "issued by CN=Pool CA, which is not trusted here", "-showcerts"),
	ROW(root, ROOT_UNKNOWN, SURE, US, "ends at", "umbel trust add FILE"),
	ROW(self_signed, SELF_SIGNED, SURE, US, "self-signed", NULL),
	ROW(expired, EXPIRED, SURE, US, "expired at 2026-09-21", NULL),
	ROW(not_yet, NOT_YET_VALID, SURE, US, "valid from 2027-05-11", NULL),
	ROW(clock_late, OUR_CLOCK, LIKELY, US, "and neither is this node's own", "timedatectl"),
	ROW(clock_early, OUR_CLOCK, LIKELY, US, "by the clock here", "timedatectl"),
	ROW(purpose, WRONG_PURPOSE, SURE, US, "as a server certificate (its usages: clientAuth)", NULL),
	ROW(purpose_client, WRONG_PURPOSE, SURE, US, "as a client certificate (its usages: serverAuth)", NULL),
	ROW(purpose_sip, WRONG_PURPOSE, SURE, US, "(its usages: sipDomain)", NULL),
	ROW(purpose_any, WRONG_PURPOSE, SURE, US, "(its usages: anyExtendedKeyUsage)", NULL),
	ROW(key_usage, WRONG_KEY_USAGE, SURE, US, "does not allow it to be used as a server certificate", "digitalSignature"),
	ROW(authority_usage, AUTHORITY_PURPOSE, SURE, US, "that lack serverAuth", "another authority"),
	ROW(revoked, REVOKED, SURE, US, "was revoked by CN=Pool CA", NULL),
	ROW(no_crl, CRL_MISSING, SURE, US, "there is no list of CN=Pool CA", NULL),
	ROW(old_crl, CRL_EXPIRED, SURE, US, "out of date", NULL),
	ROW(weak, WEAK_CERTIFICATE, SURE, US, "key too weak", "tls: {legacy: tls10}"),
	ROW(not_a_ca, NOT_A_CA, SURE, US, "but is no CA", NULL),
	ROW(no_basic_constraints, NOT_A_CA, SURE, US, "RFC 5280 6.1.4 k", NULL),
	ROW(may_not_sign, MAY_NOT_SIGN, SURE, US, "signing certificates is not among them", "keyCertSign"),
	ROW(path_length, PATH_LENGTH, SURE, US, "path length", NULL),
	ROW(too_long, CHAIN_TOO_LONG, SURE, US, "more intermediates than are allowed", "--depth"),
	ROW(outside_constraints, OUTSIDE_CONSTRAINTS, SURE, US, "may not issue for a name", "openssl x509"),
	ROW(constraints_unreadable, CONSTRAINTS_UNREADABLE, SURE, US, "not understood here", NULL),
	ROW(critical_unknown, CRITICAL_UNKNOWN, SURE, US, "marked critical and not understood", NULL),
	ROW(no_policy, NO_POLICY, SURE, US, "demands a certificate policy", NULL),
	ROW(too_complex, CHAIN_TOO_COMPLEX, SURE, US, "would take too long", NULL),
	ROW(malformed, MALFORMED, SURE, US, "the same extension twice", "issued anew"),
	ROW(key_kind, KEY_NOT_ACCEPTED, SURE, US, "of a kind that is not accepted", NULL),
	ROW(strict, STRICT, SURE, US, "strictness is asked for: it has no authority key identifier", "--strict"),
	ROW(ocsp_missing, OCSP_MISSING, SURE, US, "and none did", "stapling"),
	ROW(ocsp_unusable, OCSP_UNUSABLE, SURE, US, "out of date", "openssl ocsp"),
	ROW(ocsp_revoked, REVOKED, SURE, US, "was revoked by CN=Pool CA", NULL),
	ROW(crl_forged, CRL_FORGED, SURE, US, "is not by its issuer", NULL),
	ROW(crl_scope, CRL_SCOPE, SURE, US, "cannot be used for it", NULL),
	ROW(bad_signature, BAD_SIGNATURE, SURE, US, "signature failure", NULL),
	ROW(chain_other, CHAIN_OTHER, SURE, US, "OpenSSL code 50", NULL),
	ROW(no_client_cert, NO_CLIENT_CERTIFICATE, SURE, US, "showed no certificate", NULL),
	ROW(n_nobody, NAME_NOBODY, SURE, US, "nobody is", "accept_names: [lyncpool.domain.com]"),
	ROW(n_none, NAME_NONE, SURE, US, "holds no name", NULL),
	ROW(n_mismatch, NAME_MISMATCH, SURE, US, "names lyncpool.domain.com, accepted are pool.other.com (rule rfc5922)", NULL),
	ROW(n_cn, NAME_IN_CN_ONLY, SURE, US, "only in the CN", "rule: san-or-cn"),
	ROW(n_san, NAME_IN_SAN_ONLY, SURE, US, "rule cn-only looks at the CN", NULL),
	ROW(n_uri, NAME_BEHIND_URI, SURE, US, "only the URI counts", NULL),
	ROW(n_wild, NAME_WILDCARD, SURE, US, "wildcards do not count", NULL),
	ROW(n_user, NAME_USER_URI, SURE, US, "user part", NULL),
	ROW(n_sips, NAME_SIPS_URI, SURE, US, "sips: URI", NULL),
	ROW(n_dot, NAME_TRAILING_DOT, SURE, US, "dot at the end", NULL),
	ROW(n_ip, NAME_IP_AS_DNS, SURE, US, "as a DNS name instead of an IP address", NULL),
	ROW(n_lesser, NAME_LESSER_CN, SURE, US, "one of several CNs", NULL),
	ROW(n_nul, NAME_NUL, SURE, US, "NUL byte", NULL),
	ROW(n_unreadable, NAME_UNREADABLE, SURE, US, "cannot be read", NULL),
	ROW(wants_cert_12, PEER_WANTS_CERTIFICATE, SURE, PEER, "during the handshake", NULL),
	ROW(wants_cert_13, PEER_WANTS_CERTIFICATE, SURE, PEER, "116 certificate_required", NULL),
	ROW(bad_cert, PEER_BAD_CERTIFICATE, LIKELY, PEER, "42 bad_certificate", "umbel cert cure lyncpool"),
	ROW(bad_server_cert, PEER_BAD_CERTIFICATE, LIKELY, PEER, "CN um.domain.local", NULL),
	ROW(bad_cert_too_early, OUR_NOT_YET_VALID, LIKELY, PEER, "valid only from", "timedatectl"),
	ROW(their_purpose_12, PEER_WRONG_PURPOSE, SURE, PEER, "as a client certificate (its usages: serverAuth)", NULL),
	ROW(their_purpose_13, PEER_WRONG_PURPOSE, SURE, PEER, "after our side of the handshake had returned", NULL),
	ROW(their_purpose_other, PEER_WRONG_PURPOSE, LIKELY, PEER, "43 unsupported_certificate", "Look at the log"),
	ROW(they_revoked, PEER_REVOKED, SURE, PEER, "serial 0a0b", NULL),
	ROW(they_expired_12, PEER_EXPIRED, SURE, PEER, "45 certificate_expired", "umbel cert cure lyncpool"),
	ROW(they_expired_13, PEER_EXPIRED, SURE, PEER, "after our side", NULL),
	ROW(they_expired_wrongly, PEER_EXPIRED, LIKELY, PEER, "the clock here says 2027-01-15", "Compare the two clocks"),
	ROW(they_unknown_46, PEER_CERTIFICATE_UNKNOWN, UNKNOWN, PEER, "46 certificate_unknown", NULL),
	ROW(they_ca_12, PEER_UNKNOWN_CA, SURE, PEER, "does not trust CN=Lab CA", NULL),
	ROW(they_ca_13, PEER_UNKNOWN_CA, SURE, PEER, "after our side of the handshake had returned", NULL),
	ROW(they_denied, PEER_ACCESS_DENIED, SURE, PEER, "49 access_denied", NULL),
	ROW(not_this_name, PEER_UNRECOGNIZED_NAME, SURE, PEER, "(lyncpool.domain.com): alert 112 unrecognized_name", NULL),
	ROW(internal, PEER_INTERNAL, UNKNOWN, PEER, "80 internal_error", NULL),
	ROW(other_alert, PEER_ALERT, UNKNOWN, PEER, "109 missing_extension", NULL),
	ROW(the_case_closed, IDENTITY_UNKNOWN, LIKELY, PEER,
	    "closed the connection (close_notify) after 12 ms without any SIP answer: our certificate's subject CN is um.domain.local, and the peer knows this "
	    "node as node01.domain.local", "    umbel cert cure lyncpool\n"),
	ROW(the_case_silent, IDENTITY_UNKNOWN, LIKELY, PEER, "kept silent for 5000 ms", "CN=node01.domain.local"),
	ROW(the_case_sure, IDENTITY_UNKNOWN, SURE, PEER, "um.domain.local", "New-CsTrustedApplicationPool -Identity um.domain.local -ComputerFqdn node01.domain.local"),
	ROW(the_case_not_answered_twice, IDENTITY_UNKNOWN, LIKELY, PEER, "um.domain.local", NULL),
	ROW(the_case_unconfigured, IDENTITY_UNKNOWN, LIKELY, PEER, "while this node is node01.domain.local", "umbel cert cure lyncpool"),
	ROW(the_case_unconfigured_answered, IDENTITY_UNKNOWN, LIKELY, PEER, "um.domain.local", "not tested by us"),
	ROW(the_case_of_others, IDENTITY_UNKNOWN, LIKELY, PEER, "and the peer knows only sbc.domain.local", NULL),
	ROW(the_case_held, IDENTITY_UNKNOWN, SURE, PEER, "um.domain.local", "gateways: lyncpool: identity: lync"),
	ROW(wildcard, IDENTITY_WILDCARD, LIKELY, PEER, "wildcard *.domain.local", "umbel cert cure lyncpool"),
	ROW(known_silent, KNOWN_BUT_UNANSWERED, UNKNOWN, PEER, "by its rules it should admit", NULL),
	ROW(any_name_silent, KNOWN_BUT_UNANSWERED, UNKNOWN, PEER, "it looks at no name", NULL),
	ROW(closed, CLOSED_WITHOUT_SIP, UNKNOWN, PEER, "FIN, without close_notify", "judges_us"),
	ROW(silent, SILENT_WITHOUT_SIP, UNKNOWN, PEER, "OPTIONS got no SIP answer in 5000 ms", "judges_us"),
	ROW(unasked, UNASKED_WITHOUT_SIP, UNKNOWN, PEER, "had not asked for our certificate", "admits this node's address"),
	ROW(server_name, SERVER_NAME_REFUSED, LIKELY, PEER, "it asked for voice.domain.local", NULL),
	ROW(server_name_by_profile, SERVER_NAME_REFUSED, LIKELY, PEER, "it asked for um.domain.local", NULL),
	ROW(server_name_good_for_profile, ACCEPTED_SAID_NOTHING, UNKNOWN, NOBODY, "without a request", NULL),
	ROW(lync_by_name, IDENTITY_UNKNOWN, SURE, PEER, "um.domain.local", "umbel cert cure"),
	ROW(not_known_how, IDENTITY_UNKNOWN, LIKELY, PEER, "um.domain.local", "umbel cert cure"), /* its documents contradict each other */
	ROW(said_nothing, ACCEPTED_SAID_NOTHING, UNKNOWN, NOBODY, "without a request", NULL),
	ROW(tcp_closed, TCP_WITHOUT_SIP, UNKNOWN, PEER, "accepted the TCP connection", "openssl s_client -connect 192.0.2.10:5061"),
	ROW(lost, LOST_LATER, UNKNOWN, NOBODY, "had carried SIP", NULL),
	ROW(not_allowed, SIP_NAME_NOT_ALLOWED, SURE, PEER, "allows following fqdns: sbc.contoso.com", "umbel cert cure lyncpool"),
	ROW(forbidden, SIP_FORBIDDEN, SURE, PEER, "rule 7", NULL),
	ROW(authentication, SIP_AUTHENTICATION, SURE, PEER, "asks for a password", NULL),
	ROW(unavailable, SIP_UNAVAILABLE, SURE, PEER, "ask again in 30 s", NULL),
	ROW(next_hop, SIP_TIMEOUT, SURE, PEER, "Unable to resolve DNS SRV record", NULL),
	ROW(not_found, SIP_NOT_FOUND, SURE, PEER, "404 Not Found", NULL),
	ROW(method, SIP_METHOD, SURE, PEER, "does not take OPTIONS", NULL),
	ROW(stranger, STRANGER, SURE, US, "speaks SIP by UDP, and no gateway has that address", "sources"),
	ROW(must_tls, MUST_SPEAK_TLS, SURE, US, "speaks by TCP, but that gateway must speak TLS", "gateways: lyncpool: transport"),
	ROW(strangers_name, STRANGERS_NAME, SURE, US, "names lyncpool.domain.com, and gateways accept only pool.other.com", "accept_names: [lyncpool.domain.com]"),
	ROW(sip_other, SIP_OTHER, SURE, PEER, "488 Not Acceptable Here", NULL),
};
enum { ROWS = sizeof rows / sizeof *rows };

static void whole(const char *text)
{
	assert_null(strstr(text, "{?"));
	assert_null(strstr(text, " ? "));
	assert_null(strstr(text, "{peer"));
}

static void one_row(void **state)
{
	const struct row *r = *state;
	struct trust_facts *f = mem_alloc(sizeof *f);
	struct trust_verdict *v = mem_alloc(sizeof *v);
	r->set(f);
	trust_explain(f, v);
	if (v->id != r->id || !strstr(v->sentence, r->words) || (r->advice && !strstr(v->advice, r->advice)))
		fail_msg("%s: got %s: %s\nadvice: %s", r->name, v->name, v->sentence, v->advice);
	assert_int_equal(v->certainty, r->certainty);
	assert_int_equal(v->who, r->who);
	whole(v->sentence);
	whole(v->cause);
	whole(v->advice);
	assert_true(!trust_verdict_bad(v) || (v->cause[0] && v->advice[0]));
	mem_free(f);
	mem_free(v);
}

static bool is_field(struct text t)
{
	static const struct trust_facts none;
	struct explain x = { .f = &none };
	char value[512];
	return explain_field(&x, t, value, sizeof value);
}

static void fields_of(const char *pattern)
{
	struct text left = text_of(pattern);
	for (size_t at; (at = text_find(left, '{')) != SIZE_MAX;) {
		left = text_skip(left, at + 1);
		if (left.n && left.p[0] == '{') {
			left = text_skip(left, 1);
			continue;
		}
		size_t end = text_find(left, '}');
		if (end == SIZE_MAX || !is_field(text_head(left, end)))
			fail_msg("nobody fills {%.*s} in: %s", TEXT_FMT(text_head(left, end == SIZE_MAX ? 20 : end)), pattern);
	}
}

static void every_row_has_its_case_and_its_fields(void **state)
{
	static const char *const sentences[] = {
#define OTHER(id, text) text,
#define NOTE(id, text) text,
#define VERDICT(id, name, who, step, certainty, sentence, cause, advice) sentence, cause, advice,
#include "trust/verdicts.def"
#undef VERDICT
#undef NOTE
#undef OTHER
	};
	(void)state;
	for (unsigned id = 0; id < TRUST_VERDICTS; id++) {
		bool met = false;
		for (unsigned i = 0; i < ROWS; i++)
			met |= (unsigned)rows[i].id == id;
		if (!met)
			fail_msg("no case for verdict %s", trust_verdict_name((enum trust_verdict_id)id));
		for (unsigned j = 0; j < id; j++)
			assert_string_not_equal(trust_verdict_name((enum trust_verdict_id)id), trust_verdict_name((enum trust_verdict_id)j));
	}
	for (unsigned i = 0; i < sizeof sentences / sizeof *sentences; i++)
		fields_of(sentences[i]);
}

static void others_are_listed_unless_it_is_sure(void **state)
{
	(void)state;
	struct trust_facts f;
	struct trust_verdict v;
	the_case_silent(&f);
	trust_explain(&f, &v);
	assert_non_null(strstr(v.other_causes, "(a) "));
	assert_non_null(strstr(v.other_causes, "(f) "));
	assert_string_equal(v.command, "umbel cert cure lyncpool");
	assert_string_equal(v.wanted, "node01.domain.local or node02.domain.local");
	assert_string_equal(v.offered, "CN um.domain.local");
	the_case_sure(&f);
	trust_explain(&f, &v);
	assert_string_equal(v.other_causes, "");
}

static void it_is_said_as_text_as_json_and_in_an_event(void **state)
{
	(void)state;
	struct trust_facts *f = mem_alloc(sizeof *f);
	struct trust_verdict v;
	struct ev_report r = { 0 };
	struct buf b;
	the_case_silent(f);
	trust_explain(f, &v);
	buf_init(&b, 1 << 16);
	assert_int_equal(trust_verdict_text(&v, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "How sure: likely"));
	assert_non_null(strstr(buf_cstr(&b), "    umbel cert cure lyncpool\n"));
	buf_clear(&b);
	assert_int_equal(trust_verdict_json(&v, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "\"verdict\":\"peer-does-not-know-our-name\""));
	buf_clear(&b);
	assert_int_equal(facts_text(f, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "judges_us.known_names: node01.domain.local and node02.domain.local"));
	buf_clear(&b);
	assert_int_equal(facts_json(f, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "\"cn\":\"um.domain.local\""));
	buf_free(&b);
	trust_verdict_fields(&v, &r);
	assert_true(text_is(ev_field_text(&r, "certainty"), "likely"));
	mem_free(f);
}

int main(void)
{
	static struct CMUnitTest tests[ROWS + 3];
	for (unsigned i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = one_row, .initial_state = (void *)(uintptr_t)&rows[i] };
	tests[ROWS] = (struct CMUnitTest)UT(every_row_has_its_case_and_its_fields);
	tests[ROWS + 1] = (struct CMUnitTest)UT(others_are_listed_unless_it_is_sure);
	tests[ROWS + 2] = (struct CMUnitTest)UT(it_is_said_as_text_as_json_and_in_an_event);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
