/* SPDX-License-Identifier: Apache-2.0 */
/* trust_cert.c  A stranger's certificate: names, description, judgement. No certificate is kept in the corpus: the input is either DER as it is
 * (first byte 0) or a list of edits (offset, byte) to a good certificate made at the start, which gets deeper.             */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include "base/mem.h"
#include "trust/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *good;
static int good_len;

static void add(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	if (!e || !X509_add_ext(x, e, -1))
		abort();
	X509_EXTENSION_free(e);
}

/* Deterministic but for the key, whose bytes matter to no parser. */
static void make_good(void)
{
	X509 *x = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_NAME *n = X509_get_subject_name(x);
	X509_set_version(x, X509_VERSION_3);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)"first.example.com", -1, -1, 0);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_BMP, (const unsigned char *)"\0a\0b\0.\0c", 8, -1, 0);
	X509_set_issuer_name(x, n);
	ASN1_TIME_set(X509_getm_notBefore(x), 1700000000);
	ASN1_TIME_set(X509_getm_notAfter(x), 1900000000);
	X509_set_pubkey(x, key);
	add(x, NID_subject_alt_name, "DNS:a.example.com,URI:sip:b.example.com,URI:sip:u@c.example.com;x=y,IP:192.0.2.1,IP:2001:db8::1,email:a@b.c");
	add(x, NID_ext_key_usage, "serverAuth,clientAuth,1.3.6.1.5.5.7.3.20,anyExtendedKeyUsage");
	if (!X509_sign(x, key, EVP_sha256()))
		abort();
	good_len = i2d_X509(x, &good);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void judge(X509 *x)
{
	static const char *const wanted[] = { "a.example.com", "192.0.2.1", "2001:db8::1", "b.example.com" };
	struct trust_cert c;
	struct trust_judgement j;
	trust_cert_describe(&c, x);
	for (enum trust_rule_kind k = TRUST_RULE_RFC5922; k <= TRUST_RULE_CN_ONLY; k++) {
		struct trust_policy *p;
		if (trust_policy_one(&p, "gw", k, wanted, 4))
			abort();
		trust_policy_judge_cert(p, x, &j);
		if ((j.reason == TRUST_NAME_OK) != (j.matched[0] != '\0'))
			abort();
		(void)trust_rule_would_accept(k, &c, &j.wanted);
		mem_unref(p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!good)
		make_good();
	if (!size)
		return 0;
	uint8_t *der = malloc((size_t)good_len + size);
	size_t n = data[0] ? (size_t)good_len : size - 1;
	if (!der)
		return 0;
	memcpy(der, data[0] ? good : data + 1, n);
	for (size_t i = 1; data[0] && i + 3 <= size; i += 3)
		der[((size_t)data[i] << 8 | data[i + 1]) % n] = data[i + 2];
	const unsigned char *at = der;
	X509 *x = d2i_X509(NULL, &at, (long)n);
	if (x)
		judge(x);
	X509_free(x);
	ERR_clear_error();
	free(der);
	if (mem_live())
		abort();
	return 0;
}
