/* SPDX-License-Identifier: Apache-2.0 */
/* trust_profile.c  A stranger's certificate before every verifier of the table. Input: which profile, which question (seat, switch, reference,
 * list), then like trust_cert.c: 0 and DER as it is, or another byte and edits (offset, byte) to a good certificate.     */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include "base/mem.h"
#include "trust/finding.h"
#include "trust/profile.h"
#include "trust/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *good;
static int good_len;
static X509_STORE *anchors;

static void add(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	if (!e || !X509_add_ext(x, e, -1))
		abort();
	X509_EXTENSION_free(e);
}

/* Its own root, so that chains are walked too. */
static void make_good(void)
{
	X509 *x = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_NAME *n = X509_get_subject_name(x);
	X509_set_version(x, X509_VERSION_3);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)"first.example.com", -1, -1, 0);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)"a.example.com", -1, -1, 0);
	X509_set_issuer_name(x, n);
	ASN1_TIME_set(X509_getm_notBefore(x), 1700000000);
	ASN1_TIME_set(X509_getm_notAfter(x), 1900000000);
	X509_set_pubkey(x, key);
	add(x, NID_subject_alt_name, "DNS:a.example.com,DNS:*.example.org,URI:sip:b.example.com,URI:sip:u@c.example.com,IP:192.0.2.1,IP:2001:db8::1");
	add(x, NID_ext_key_usage, "serverAuth,clientAuth");
	add(x, NID_key_usage, "digitalSignature,keyEncipherment");
	if (!X509_sign(x, key, EVP_sha256()))
		abort();
	good_len = i2d_X509(x, &good);
	anchors = X509_STORE_new();
	if (!anchors || !X509_STORE_add_cert(anchors, x))
		abort();
	X509_free(x);
	EVP_PKEY_free(key);
}

static void clean_words(const char *s, size_t size)
{
	if (!memchr(s, '\0', size))
		abort();
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			abort(); /* a stranger's bytes in front of an operator */
}

static void ask(const struct trust_profile *p, const struct trust_question *q)
{
	struct trust_answer a;
	trust_profile_judge(p, q, &a);
	if ((a.kind == TRUST_CANNOT_SAY) != (a.certainty == TRUST_UNKNOWN) || !trust_reason_meaning(a.name))
		abort();
	clean_words(a.sentence, sizeof a.sentence);
	clean_words(a.fix, sizeof a.fix);
	clean_words(a.wanted, sizeof a.wanted);
	clean_words(a.offered, sizeof a.offered);
	clean_words(a.sees, sizeof a.sees);
	clean_words(a.remark, sizeof a.remark);
}

static void found(const struct trust_finding *f, void *arg)
{
	(void)arg;
	clean_words(f->sentence, sizeof f->sentence);
}

static void judge(X509 *x, uint8_t which, uint8_t how)
{
	static const char *const references[] = { NULL, "a.example.com", "x.example.org", "192.0.2.1", "2001:db8::1", "b.example.com.", "", "c.example.com" };
	const struct trust_profile *p = trust_profile_at(which % trust_profile_count());
	struct trust_names known = { 0 };
	struct trust_cert described;
	trust_names_add_str(&known, "first.example.com");
	trust_names_add_str(&known, "b.example.com");
	struct trust_question q = { .seat = how & 1 ? TRUST_SEAT_CLIENT_CERT : TRUST_SEAT_SERVER_CERT, .leaf = x, .anchors = how & 2 ? anchors : NULL,
				    .reference = references[how >> 3 & 7], .known = how & 4 ? &known : NULL, .now_s = 1800000000, .enabled = how >> 6 };
	if (q.enabled > TRUST_SWITCHED_OFF)
		q.enabled = TRUST_AS_DEFAULT;
	ask(p, &q);
	trust_cert_describe(&described, x);
	q.leaf = NULL;
	q.described = &described;
	ask(p, &q);
	(void)trust_findings(x, NULL, q.now_s, found, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!good)
		make_good();
	if (size < 3)
		return 0;
	uint8_t which = data[0], how = data[1];
	data += 2;
	size -= 2;
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
		judge(x, which, how);
	X509_free(x);
	ERR_clear_error();
	free(der);
	if (mem_live())
		abort();
	return 0;
}
