/* SPDX-License-Identifier: Apache-2.0 */
/* facts_words.c  Stable names and words for the values that facts hold. */
#include <errno.h>
#include "trust/facts.h"

static const char *pick(const char *const *names, unsigned n, unsigned i)
{
	return i < n ? names[i] : "unknown";
}
#define PICK(table, i) pick(table, sizeof(table) / sizeof *(table), (unsigned)(i))

const char *trust_role_name(enum trust_role r)
{
	static const char *const names[] = { "dialled", "accepted" };
	return PICK(names, r);
}

const char *trust_flow_name(enum trust_flow f)
{
	static const char *const names[] = { "none", "calls in", "OPTIONS", "transfer", "lamp", "calls out", "in-dialog request" };
	return PICK(names, f);
}

const char *trust_end_name(enum trust_end e)
{
	static const char *const names[] = { "open", "close_notify", "FIN", "RST", "time-out", "closed by us", "error" };
	return PICK(names, e);
}

static const char *const rule_names[] = { "rfc5922", "san-or-cn", "cn-only", "rfc9525" };

const char *trust_rule_kind_name(enum trust_rule_kind k)
{
	return PICK(rule_names, k);
}

int trust_rule_kind_parse(struct text t, enum trust_rule_kind *k)
{
	for (unsigned i = 0; i < sizeof rule_names / sizeof *rule_names; i++)
		if (text_is_nocase(t, rule_names[i])) {
			*k = (enum trust_rule_kind)i;
			return 0;
		}
	return EINVAL;
}

/* The TLS alert registry (RFC 8446 6, RFC 5246 7.2, RFC 7301 and others). OpenSSL 3.0 calls 116 "unknown", so this is our own. */
static const struct {
	uint8_t number;
	const char *name, *words;
} alerts[] = {
	{ 0, "close_notify", "the sender closes the connection" },
	{ 10, "unexpected_message", "a message came that does not belong there" },
	{ 20, "bad_record_mac", "a record does not decrypt" },
	{ 21, "decryption_failed", "a record does not decrypt" },
	{ 22, "record_overflow", "a record is too long" },
	{ 30, "decompression_failure", "a record does not decompress" },
	{ 40, "handshake_failure", "no common ground was found (suites, certificate missing, or another reason kept to itself)" },
	{ 41, "no_certificate", "no certificate is available" },
	{ 42, "bad_certificate", "the certificate is not acceptable (its name, for many senders)" },
	{ 43, "unsupported_certificate", "the certificate may not be used for this purpose" },
	{ 44, "certificate_revoked", "the certificate was revoked" },
	{ 45, "certificate_expired", "the certificate has expired or is not valid yet" },
	{ 46, "certificate_unknown", "the certificate is not acceptable, for a reason that has no alert of its own" },
	{ 47, "illegal_parameter", "a field is out of its range" },
	{ 48, "unknown_ca", "the issuer of the certificate is not trusted" },
	{ 49, "access_denied", "the certificate is valid, but its holder is not admitted" },
	{ 50, "decode_error", "a message cannot be read" },
	{ 51, "decrypt_error", "a signature does not verify" },
	{ 60, "export_restriction", "export rules" },
	{ 70, "protocol_version", "no TLS version in common" },
	{ 71, "insufficient_security", "the suites offered are too weak" },
	{ 80, "internal_error", "the sender has a problem of its own" },
	{ 86, "inappropriate_fallback", "a lower version was tried although a higher one is possible" },
	{ 90, "user_canceled", "the handshake was called off" },
	{ 100, "no_renegotiation", "no renegotiation" },
	{ 109, "missing_extension", "an extension that is required is missing" },
	{ 110, "unsupported_extension", "an extension came that was not asked for" },
	{ 111, "certificate_unobtainable", "a certificate cannot be fetched" },
	{ 112, "unrecognized_name", "the server does not answer for the name asked for (SNI)" },
	{ 113, "bad_certificate_status_response", "the stapled OCSP answer is not acceptable" },
	{ 114, "bad_certificate_hash_value", "a certificate hash does not match" },
	{ 115, "unknown_psk_identity", "an unknown pre-shared key" },
	{ 116, "certificate_required", "a client certificate is required and none was shown" },
	{ 120, "no_application_protocol", "no application protocol in common (ALPN)" },
};

const char *trust_alert_name(unsigned number)
{
	for (unsigned i = 0; i < sizeof alerts / sizeof *alerts; i++)
		if (alerts[i].number == number)
			return alerts[i].name;
	return "unknown";
}

const char *trust_alert_words(unsigned number)
{
	for (unsigned i = 0; i < sizeof alerts / sizeof *alerts; i++)
		if (alerts[i].number == number)
			return alerts[i].words;
	return "an alert that is not in the registry";
}

char *trust_version_words(uint16_t version, char *dst, size_t size)
{
	if (version >= 0x0301 && version <= 0x0304)
		text_print(dst, size, "TLS 1.%d", version - 0x0301);
	else if (version == 0x0300)
		text_fill(dst, size, "SSL 3.0");
	else
		text_print(dst, size, "0x%04x", version);
	return dst;
}

static const struct {
	uint16_t number;
	const char *name;
} suites[] = {
	{ 0x1301, "TLS_AES_128_GCM_SHA256" },
	{ 0x1302, "TLS_AES_256_GCM_SHA384" },
	{ 0x1303, "TLS_CHACHA20_POLY1305_SHA256" },
	{ 0x1304, "TLS_AES_128_CCM_SHA256" },
	{ 0x1305, "TLS_AES_128_CCM_8_SHA256" },
	{ 0x00ff, "EMPTY_RENEGOTIATION_INFO_SCSV" },
	{ 0x5600, "FALLBACK_SCSV" },
	{ 0x0005, "RSA_WITH_RC4_128_SHA" },
	{ 0x000a, "RSA_WITH_3DES_EDE_CBC_SHA" },
	{ 0x002f, "RSA_WITH_AES_128_CBC_SHA" },
	{ 0x0033, "DHE_RSA_WITH_AES_128_CBC_SHA" },
	{ 0x0035, "RSA_WITH_AES_256_CBC_SHA" },
	{ 0x0039, "DHE_RSA_WITH_AES_256_CBC_SHA" },
	{ 0x003c, "RSA_WITH_AES_128_CBC_SHA256" },
	{ 0x003d, "RSA_WITH_AES_256_CBC_SHA256" },
	{ 0x0067, "DHE_RSA_WITH_AES_128_CBC_SHA256" },
	{ 0x006b, "DHE_RSA_WITH_AES_256_CBC_SHA256" },
	{ 0x009c, "RSA_WITH_AES_128_GCM_SHA256" },
	{ 0x009d, "RSA_WITH_AES_256_GCM_SHA384" },
	{ 0x009e, "DHE_RSA_WITH_AES_128_GCM_SHA256" },
	{ 0x009f, "DHE_RSA_WITH_AES_256_GCM_SHA384" },
	{ 0xc009, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA" },
	{ 0xc00a, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA" },
	{ 0xc013, "ECDHE_RSA_WITH_AES_128_CBC_SHA" },
	{ 0xc014, "ECDHE_RSA_WITH_AES_256_CBC_SHA" },
	{ 0xc023, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256" },
	{ 0xc024, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384" },
	{ 0xc027, "ECDHE_RSA_WITH_AES_128_CBC_SHA256" },
	{ 0xc028, "ECDHE_RSA_WITH_AES_256_CBC_SHA384" },
	{ 0xc02b, "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
	{ 0xc02c, "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
	{ 0xc02f, "ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
	{ 0xc030, "ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
	{ 0xcca8, "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ 0xcca9, "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
	{ 0xccaa, "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
};

char *trust_suite_words(uint16_t suite, char *dst, size_t size)
{
	for (unsigned i = 0; i < sizeof suites / sizeof *suites; i++)
		if (suites[i].number == suite) {
			text_fill(dst, size, suites[i].name);
			return dst;
		}
	text_print(dst, size, "0x%04x", suite);
	return dst;
}

char *trust_versions_words(const struct trust_hello *h, char *dst, size_t size)
{
	struct trust_names l = { 0 };
	char one[24];
	for (unsigned i = 0; i < h->n_versions; i++)
		trust_names_add_str(&l, trust_version_words(h->version[i], one, sizeof one));
	if (!h->seen)
		trust_names_add_str(&l, "unknown");
	return trust_names_join(&l, dst, size);
}

char *trust_suites_words(const struct trust_hello *h, char *dst, size_t size)
{
	struct trust_names l = { 0 };
	char one[48];
	for (unsigned i = 0; i < h->n_suites; i++)
		if (h->suite[i] != 0x00ff && h->suite[i] != 0x5600)
			trust_names_add_str(&l, trust_suite_words(h->suite[i], one, sizeof one));
	if (!h->seen)
		trust_names_add_str(&l, "unknown");
	return trust_names_join(&l, dst, size);
}
