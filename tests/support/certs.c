/* SPDX-License-Identifier: Apache-2.0 */
/* certs.c  Certificates of any shape by OpenSSL's API. */
#include "support/certs.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "certs.c: %s failed\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(e != NULL, value);
	must(X509_add_ext(x, e, -1) == 1, "X509_add_ext");
	X509_EXTENSION_free(e);
}

static void add_san(X509 *x, const struct tc_prm *prm)
{
	GENERAL_NAMES *names = NULL;
	if (prm->san) {
		X509V3_CTX ctx;
		X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, prm->san);
		must(e != NULL, prm->san);
		names = X509V3_EXT_d2i(e);
		X509_EXTENSION_free(e);
	}
	if (!names)
		names = sk_GENERAL_NAME_new_null();
	if (prm->dns_nul) {
		char bytes[256];
		int n = snprintf(bytes, sizeof bytes, "%s%cevil.example", prm->dns_nul, 0);
		GENERAL_NAME *g = GENERAL_NAME_new();
		ASN1_IA5STRING *s = ASN1_IA5STRING_new();
		must(g && s && ASN1_STRING_set(s, bytes, n) == 1, "name with NUL");
		GENERAL_NAME_set0_value(g, GEN_DNS, s);
		sk_GENERAL_NAME_push(names, g);
	}
	must(X509_add1_ext_i2d(x, NID_subject_alt_name, names, prm->san_critical, X509V3_ADD_DEFAULT) == 1, "subjectAltName");
	GENERAL_NAMES_free(names);
}

static void set_subject(X509 *x, const struct tc_prm *prm)
{
	X509_NAME *name = X509_get_subject_name(x);
	const char *o = "Umbel tests";
	must(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)o, -1, -1, 0) == 1, "O");
	if (prm->cn)
		must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)prm->cn, -1, -1, 0) == 1, "CN");
	if (prm->cn2)
		must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)prm->cn2, -1, -1, 0) == 1, "CN");
}

static void set_times(X509 *x, const struct tc_prm *prm)
{
	time_t now = (time_t)(prm->now_s ? prm->now_s : TC_NOW);
	bool usual = !prm->from_days && !prm->to_days;
	X509_time_adj_ex(X509_getm_notBefore(x), usual ? -1 : prm->from_days, 0, &now);
	X509_time_adj_ex(X509_getm_notAfter(x), usual ? 365 : prm->to_days, 0, &now);
}

static void add_extensions(X509 *x, X509 *issuer, const struct tc_prm *prm)
{
	char ca[48] = "critical,CA:TRUE";
	if (prm->pathlen || prm->pathlen_zero)
		snprintf(ca, sizeof ca, "critical,CA:TRUE,pathlen:%d", prm->pathlen);
	add_extension(x, issuer, NID_basic_constraints, prm->ca ? ca : "critical,CA:FALSE");
	if (!prm->no_key_usage)
		add_extension(x, issuer, NID_key_usage, prm->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature,keyEncipherment");
	add_extension(x, issuer, NID_subject_key_identifier, "hash");
	if (issuer != x && X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) >= 0)
		add_extension(x, issuer, NID_authority_key_identifier, "keyid");
	if (!prm->ca && (!prm->eku || *prm->eku))
		add_extension(x, issuer, NID_ext_key_usage, prm->eku ? prm->eku : "serverAuth,clientAuth");
	if (prm->cdp)
		add_extension(x, issuer, NID_crl_distribution_points, prm->cdp);
	if (prm->constraints)
		add_extension(x, issuer, NID_name_constraints, prm->constraints);
	if (prm->san || prm->dns_nul)
		add_san(x, prm);
}

void tc_make(struct tc *out, const struct tc_prm *prm)
{
	static long serial = 1000;
	out->key = prm->key ? prm->key : prm->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	if (prm->key)
		EVP_PKEY_up_ref(prm->key);
	X509 *x = X509_new();
	must(out->key && x, "key");
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
	set_subject(x, prm);
	set_times(x, prm);
	X509 *issuer = prm->issuer ? prm->issuer->cert : x;
	X509_set_issuer_name(x, X509_get_subject_name(issuer));
	X509_set_pubkey(x, out->key);
	add_extensions(x, issuer, prm);
	if (prm->twist)
		prm->twist(x);
	must(X509_sign(x, prm->issuer ? prm->issuer->key : out->key, prm->md ? prm->md : EVP_sha256()) > 0, "X509_sign");
	out->cert = x;
	ERR_clear_error();
}

void tc_free(struct tc *c)
{
	X509_free(c->cert);
	EVP_PKEY_free(c->key);
	*c = (struct tc){ 0 };
}

void tc_root(struct tc *out, const char *cn)
{
	tc_make(out, &(struct tc_prm){ .cn = cn, .ca = true, .from_days = -30, .to_days = 3650 });
}

void tc_leaf(struct tc *out, const struct tc *issuer, const char *cn, const char *san)
{
	tc_make(out, &(struct tc_prm){ .cn = cn, .san = san, .issuer = issuer });
}

void tc_write_certs(const char *path, X509 *const *certs, unsigned n)
{
	FILE *f = fopen(path, "w");
	must(f != NULL, path);
	for (unsigned i = 0; i < n; i++)
		must(PEM_write_X509(f, certs[i]) == 1, path);
	fclose(f);
}

void tc_write_key(const char *path, EVP_PKEY *key)
{
	FILE *f = fopen(path, "w");
	must(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1, path);
	fclose(f);
}

X509_CRL *tc_crl(const struct tc *issuer, const X509 *gone)
{
	time_t now = TC_NOW;
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = X509_time_adj_ex(NULL, -1, 0, &now), *to = X509_time_adj_ex(NULL, 30, 0, &now);
	must(crl && from && to, "CRL");
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->cert));
	X509_CRL_set1_lastUpdate(crl, from);
	X509_CRL_set1_nextUpdate(crl, to);
	if (gone) {
		X509_REVOKED *r = X509_REVOKED_new();
		X509_REVOKED_set_serialNumber(r, (ASN1_INTEGER *)(uintptr_t)X509_get0_serialNumber(gone));
		X509_REVOKED_set_revocationDate(r, from);
		X509_CRL_add0_revoked(crl, r);
	}
	X509_CRL_sort(crl);
	must(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0, "X509_CRL_sign");
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return crl;
}

void tc_write_crl(const char *path, X509_CRL *crl)
{
	FILE *f = fopen(path, "w");
	must(f && PEM_write_X509_CRL(f, crl) == 1, path);
	fclose(f);
}
