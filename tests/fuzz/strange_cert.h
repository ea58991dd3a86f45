/* SPDX-License-Identifier: Apache-2.0 */
/* strange_cert.h  A stranger's certificate out of a fuzzer's bytes. No certificate is kept in a corpus: the input is either DER as it is (first byte 0)
 * or a list of edits (offset, byte) to a good certificate made at the start, which gets deeper.                         */
#ifndef TESTS_FUZZ_STRANGE_CERT_H
#define TESTS_FUZZ_STRANGE_CERT_H
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct strange_good {
	const char *san, *eku, *key_usage; /* OpenSSL's words; key_usage may be NULL */
	const char *cn[2];
	int cn_type;                       /* of the second: MBSTRING_UTF8, MBSTRING_BMP */
	int cn_len;                        /* its bytes; -1: a string */
	uint8_t *der;
	int n;
};

static inline void strange_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	if (!e || !X509_add_ext(x, e, -1))
		abort();
	X509_EXTENSION_free(e);
}

/* Its own root. Deterministic but for the key, whose bytes matter to no parser. The certificate is the caller's. */
static inline X509 *strange_make_good(struct strange_good *g)
{
	X509 *x = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_NAME *n = X509_get_subject_name(x);
	X509_set_version(x, X509_VERSION_3);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)g->cn[0], -1, -1, 0);
	X509_NAME_add_entry_by_txt(n, "CN", g->cn_type, (const unsigned char *)g->cn[1], g->cn_len, -1, 0);
	X509_set_issuer_name(x, n);
	ASN1_TIME_set(X509_getm_notBefore(x), 1700000000);
	ASN1_TIME_set(X509_getm_notAfter(x), 1900000000);
	X509_set_pubkey(x, key);
	strange_extension(x, NID_subject_alt_name, g->san);
	strange_extension(x, NID_ext_key_usage, g->eku);
	if (g->key_usage)
		strange_extension(x, NID_key_usage, g->key_usage);
	if (!X509_sign(x, key, EVP_sha256()))
		abort();
	g->n = i2d_X509(x, &g->der);
	EVP_PKEY_free(key);
	return x;
}

/* NULL: the bytes are no certificate. */
static inline X509 *strange_certificate(const struct strange_good *g, const uint8_t *data, size_t size)
{
	if (!size)
		return NULL;
	uint8_t *der = malloc((size_t)g->n + size);
	size_t n = data[0] ? (size_t)g->n : size - 1;
	if (!der)
		return NULL;
	memcpy(der, data[0] ? g->der : data + 1, n);
	for (size_t i = 1; data[0] && i + 3 <= size; i += 3)
		der[((size_t)data[i] << 8 | data[i + 1]) % n] = data[i + 2];
	const unsigned char *at = der;
	X509 *x = d2i_X509(NULL, &at, (long)n);
	free(der);
	return x;
}

#endif
