/* SPDX-License-Identifier: Apache-2.0 */
/* trust_verify.c  Whole chains, revocation lists and OCSP responses as a stranger might send them, through the judgement of live connections.
 *
 * First byte: 0 = the rest is PEM, taken for the chain and the lists, and as a response as it is. Else edits (which piece, two bytes of offset,
 * value) to a good chain, list and response that are made at the start; with bit 7 the edited leaf is signed again, so that what stands
 * behind the signature is reached; bits 1 to 3: strict, full revocation, client.                                         */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "trust/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1800000000, LEAF = 0, MIDDLE, LIST, RESPONSE, PIECES };

static EVP_PKEY *root_key, *middle_key;
static X509 *root;
static uint8_t *good[PIECES];
static size_t good_len[PIECES];

static void add(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (!e || !X509_add_ext(x, e, -1))
		abort();
	X509_EXTENSION_free(e);
}

static X509 *make(const char *cn, long serial, EVP_PKEY *key, X509 *issuer, EVP_PKEY *signer, bool ca)
{
	X509 *x = X509_new();
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
	ASN1_TIME_set(X509_getm_notBefore(x), NOW - 86400);
	ASN1_TIME_set(X509_getm_notAfter(x), NOW + 86400);
	X509_set_pubkey(x, key);
	issuer = issuer ? issuer : x;
	add(x, issuer, NID_basic_constraints, ca ? "critical,CA:TRUE,pathlen:3" : "CA:FALSE");
	add(x, issuer, NID_key_usage, ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
	add(x, issuer, NID_subject_key_identifier, "hash");
	add(x, issuer, NID_authority_key_identifier, "keyid");
	if (ca)
		add(x, issuer, NID_name_constraints, "critical,permitted;DNS:example.com,excluded;DNS:b.example.com,excluded;email:bad@example.com");
	else {
		add(x, issuer, NID_subject_alt_name, "DNS:a.example.com,URI:sip:a.example.com,email:x@example.com");
		add(x, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
		add(x, issuer, NID_crl_distribution_points, "URI:http://example.com/a.crl");
	}
	add(x, issuer, NID_certificate_policies, "DER:30:07:30:05:06:03:2a:03:04");
	if (!X509_sign(x, signer, EVP_sha256()))
		abort();
	return x;
}

static void make_list(X509 *issuer, EVP_PKEY *key)
{
	X509_CRL *crl = X509_CRL_new();
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer));
	ASN1_TIME *from = ASN1_TIME_set(NULL, NOW - 3600), *to = ASN1_TIME_set(NULL, NOW + 3600);
	X509_CRL_set1_lastUpdate(crl, from);
	X509_CRL_set1_nextUpdate(crl, to);
	X509_CRL_sign(crl, key, EVP_sha256());
	good_len[LIST] = (size_t)i2d_X509_CRL(crl, &good[LIST]);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	X509_CRL_free(crl);
}

static void make_response(X509 *leaf, X509 *issuer, EVP_PKEY *key)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), leaf, issuer);
	ASN1_TIME *from = ASN1_GENERALIZEDTIME_set(NULL, NOW - 3600), *to = ASN1_GENERALIZEDTIME_set(NULL, NOW + 3600);
	OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, from, to);
	OCSP_basic_sign(basic, issuer, key, EVP_sha256(), NULL, 0);
	OCSP_RESPONSE *r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	good_len[RESPONSE] = (size_t)i2d_OCSP_RESPONSE(r, &good[RESPONSE]);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
}

static void make_good(void)
{
	EVP_PKEY *leaf_key = EVP_EC_gen("P-256");
	root_key = EVP_EC_gen("P-256");
	middle_key = EVP_EC_gen("P-256");
	root = make("Root", 1, root_key, NULL, root_key, true);
	X509 *middle = make("Middle", 2, middle_key, root, root_key, true), *leaf = make("a.example.com", 3, leaf_key, middle, middle_key, false);
	good_len[LEAF] = (size_t)i2d_X509(leaf, &good[LEAF]);
	good_len[MIDDLE] = (size_t)i2d_X509(middle, &good[MIDDLE]);
	make_list(middle, middle_key);
	make_response(leaf, middle, middle_key);
	X509_free(middle);
	X509_free(leaf);
	EVP_PKEY_free(leaf_key);
}

static struct text pem(const char *what, const uint8_t *der, size_t n, BIO *bio)
{
	char *p;
	PEM_write_bio(bio, what, "", (uint8_t *)(uintptr_t)der, (long)n);
	long len = BIO_get_mem_data(bio, &p);
	return text_make(p, (size_t)len);
}

static bool judge(struct text chain, struct text list, struct text response, uint8_t flags)
{
	static const char *const names[] = { "a.example.com", "192.0.2.1" };
	static struct trust_verdict v;
	struct ev_report why = { 0 };
	bool accepted = false;
	uint8_t *der = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	int n = i2d_X509(root, &der);
	struct trust_verify_prm prm = { .ca_pem = pem("CERTIFICATE", der, (size_t)n, bio), .chain_pem = chain, .crl_pem = list, .ocsp_der = response,
					.names = names, .n_names = 2, .rule = (enum trust_rule_kind)(flags >> 4 & 3), .strict = flags & 2,
					.revocation = flags & 4 ? TRUST_REVOCATION_FULL : TRUST_REVOCATION_LEAF, .as_client = flags & 8, .time_s = NOW,
					.depth = -1 };
	int err = trust_verify(&prm, &accepted, NULL, &v, &why);
	if (!err && !accepted && (!v.name[0] || !v.sentence[0] || !trust_verdict_bad(&v)))
		abort(); /* a refusal without a word */
	OPENSSL_free(der);
	BIO_free(bio);
	return accepted;
}

/* The leaf with its signature made to fit again; the edited one where it is no certificate any more. */
static void sign_again(uint8_t **der, size_t *n)
{
	const unsigned char *at = *der;
	uint8_t *again = NULL;
	X509 *x = d2i_X509(NULL, &at, (long)*n);
	if (x && X509_sign(x, middle_key, EVP_sha256()) > 0) {
		int k = i2d_X509(x, &again);
		if (k > 0) {
			OPENSSL_free(*der);
			*der = again;
			*n = (size_t)k;
		}
	}
	X509_free(x);
}

static void edited(const uint8_t *data, size_t size)
{
	uint8_t *piece[PIECES];
	size_t n[PIECES];
	BIO *chain = BIO_new(BIO_s_mem()), *list = BIO_new(BIO_s_mem());
	for (unsigned i = 0; i < PIECES; i++) {
		piece[i] = OPENSSL_memdup(good[i], good_len[i]);
		n[i] = good_len[i];
	}
	for (size_t i = 1; i + 4 <= size; i += 4)
		piece[data[i] % PIECES][((size_t)data[i + 1] << 8 | data[i + 2]) % n[data[i] % PIECES]] = data[i + 3];
	if (data[0] & 0x80)
		sign_again(&piece[LEAF], &n[LEAF]);
	pem("CERTIFICATE", piece[LEAF], n[LEAF], chain);
	bool accepted = judge(pem("CERTIFICATE", piece[MIDDLE], n[MIDDLE], chain), pem("X509 CRL", piece[LIST], n[LIST], list), text_make(piece[RESPONSE], n[RESPONSE]),
	      data[0]);
	if (size == 1 && data[0] == 1 && !accepted)
		abort(); /* unedited, all is good */
	for (unsigned i = 0; i < PIECES; i++)
		OPENSSL_free(piece[i]);
	BIO_free(chain);
	BIO_free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!root)
		make_good();
	if (!size)
		return 0;
	if (data[0])
		edited(data, size);
	else
		judge(text_make(data + 1, size - 1), text_make(data + 1, size - 1), text_make(data + 1, size - 1), 0);
	ERR_clear_error();
	if (mem_live())
		abort();
	return 0;
}
