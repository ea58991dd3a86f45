/* SPDX-License-Identifier: Apache-2.0 */
/* certs.h  Certificates for tests, made in the process by OpenSSL: roots, intermediates, leaves of any shape. Nothing of it is ever
 * committed. Times are days around TC_NOW, so tests that give a fake clock never grow old. EC P-256 unless asked otherwise, because RSA keys take long to make.                                    */
#ifndef TESTS_CERTS_H
#define TESTS_CERTS_H
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

enum { TC_NOW = 1800000000 };

struct tc {
	X509 *cert;
	EVP_PKEY *key;
};

struct tc_prm {
	const char *cn;          /* NULL: no CN (the subject then has an O) */
	const char *cn2;         /* a second CN behind it: the most specific */
	const char *san;         /* OpenSSL's words: "DNS:a,URI:sip:b,IP:192.0.2.1"; NULL: none */
	const char *dns_nul;     /* one more DNS name, with a NUL and "evil.example" behind it */
	const char *eku;         /* "serverAuth,clientAuth"; NULL: both; "": no extension */
	const char *cdp;         /* "URI:http://..."; NULL: none */
	const char *constraints; /* name constraints: "permitted;DNS:example.com" */
	bool san_critical, ca, rsa, no_key_usage;
	int pathlen;             /* of a CA; 0 counts as "not said" unless pathlen_zero */
	bool pathlen_zero;
	int from_days, to_days;  /* around now; 0,0 = -1 to +365 */
	const struct tc *issuer; /* NULL: self-signed */
	int64_t now_s;           /* 0 = TC_NOW */
	EVP_PKEY *key;           /* borrowed; NULL: a new one is made */
	const EVP_MD *md;        /* of the signature; NULL: SHA-256 */
	void (*twist)(X509 *x);  /* changes whatever it likes before the signature; may be NULL */
};
/* Aborts the test when OpenSSL will not. */
void tc_make(struct tc *out, const struct tc_prm *prm);
void tc_free(struct tc *c);
/* A root with that CN. */
void tc_root(struct tc *out, const char *cn);
/* A leaf of `issuer` with CN and SAN (NULL: none) and both usages. */
void tc_leaf(struct tc *out, const struct tc *issuer, const char *cn, const char *san);
/* PEM files for tests of loading; the chain's certificates one after the other. */
void tc_write_certs(const char *path, X509 *const *certs, unsigned n);
void tc_write_key(const char *path, EVP_PKEY *key);
/* A CRL of `issuer` that revokes `gone` (may be NULL). */
X509_CRL *tc_crl(const struct tc *issuer, const X509 *gone);
void tc_write_crl(const char *path, X509_CRL *crl);

#endif
