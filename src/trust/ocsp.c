/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp.c  Reads a response by OpenSSL and judges signer, times and status by itself: OpenSSL's own judgement looks at the machine's clock,
 * and ours is a parameter.                                                                                             */
#include "trust/ocsp.h"
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <time.h>

enum {
	RESPONSE_MAX = 64 * 1024,
	SKEW_S = 300,             /* clocks differ */
	AGE_MAX_S = 7 * 24 * 3600 /* of a response that does not say when the next one comes */
};

static const char *const names[] = { "none", "good", "revoked", "unknown", "malformed", "unanswered", "of-another", "not-authentic", "old" };

const char *trust_ocsp_name(enum trust_ocsp o)
{
	return (unsigned)o < sizeof names / sizeof *names ? names[o] : "none";
}

enum trust_fault trust_ocsp_fault(enum trust_ocsp o)
{
	static const enum trust_fault faults[] = {
		[TRUST_OCSP_NONE] = TRUST_FAULT_OCSP_NONE,	     [TRUST_OCSP_GOOD] = TRUST_FAULT_NONE,
		[TRUST_OCSP_REVOKED] = TRUST_FAULT_OCSP_REVOKED,     [TRUST_OCSP_UNKNOWN] = TRUST_FAULT_OCSP_UNKNOWN,
		[TRUST_OCSP_MALFORMED] = TRUST_FAULT_OCSP_MALFORMED, [TRUST_OCSP_UNANSWERED] = TRUST_FAULT_OCSP_UNANSWERED,
		[TRUST_OCSP_OF_ANOTHER] = TRUST_FAULT_OCSP_OF_ANOTHER, [TRUST_OCSP_FORGED] = TRUST_FAULT_OCSP_FORGED,
		[TRUST_OCSP_OLD] = TRUST_FAULT_OCSP_OLD,
	};
	return (unsigned)o < sizeof faults / sizeof *faults ? faults[o] : TRUST_FAULT_OCSP_MALFORMED;
}

/* ---- who signed it ---- */

static bool read_s(const ASN1_TIME *t, int64_t *s)
{
	struct tm tm;
	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*s = (int64_t)timegm(&tm);
	return true;
}

/* RFC 6960 4.2.2.2: the issuer itself, or a certificate that the issuer signed for just this use. */
static bool may_answer(X509 *signer, X509 *issuer, int64_t now_s)
{
	int64_t from, to;
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	if (X509_cmp(signer, issuer) == 0)
		return true;
	if (!(X509_get_extension_flags(signer) & EXFLAG_XKUSAGE) || !(X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN))
		return false;
	if (!read_s(X509_get0_notBefore(signer), &from) || !read_s(X509_get0_notAfter(signer), &to) || now_s < from || now_s > to)
		return false;
	return X509_check_issued(issuer, signer) == X509_V_OK && key && X509_verify(signer, key) == 1;
}

static bool signed_by(OCSP_BASICRESP *basic, X509 *signer)
{
	STACK_OF(X509) *one = sk_X509_new_null();
	bool good = one && sk_X509_push(one, signer) && OCSP_basic_verify(basic, one, NULL, OCSP_NOINTERN | OCSP_NOVERIFY) == 1;
	sk_X509_free(one);
	return good;
}

static bool authentic(OCSP_BASICRESP *basic, X509 *issuer, int64_t now_s)
{
	const STACK_OF(X509) *with = OCSP_resp_get0_certs(basic);
	if (signed_by(basic, issuer))
		return true;
	for (int i = 0; i < sk_X509_num(with) && i < 8; i++)
		if (may_answer(sk_X509_value(with, i), issuer, now_s) && signed_by(basic, sk_X509_value(with, i)))
			return true;
	return false;
}

/* ---- what it says ---- */

static bool speaks_of(OCSP_SINGLERESP *single, X509 *cert, X509 *issuer)
{
	ASN1_OBJECT *md = NULL;
	const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
	if (OCSP_id_get0_info(NULL, &md, NULL, NULL, (OCSP_CERTID *)(uintptr_t)id) != 1)
		return false;
	const EVP_MD *digest = EVP_get_digestbyobj(md);
	OCSP_CERTID *ours = digest ? OCSP_cert_to_id(digest, cert, issuer) : NULL;
	bool same = ours && OCSP_id_cmp(ours, id) == 0;
	OCSP_CERTID_free(ours);
	return same;
}

static enum trust_ocsp status_of(OCSP_SINGLERESP *single, int64_t now_s, int64_t *until_s)
{
	ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;
	int64_t from, to;
	int status = OCSP_single_get0_status(single, NULL, NULL, &this_update, &next_update);
	if (!read_s(this_update, &from))
		return TRUST_OCSP_MALFORMED;
	to = from + AGE_MAX_S;
	if (next_update && !read_s(next_update, &to))
		return TRUST_OCSP_MALFORMED;
	*until_s = to;
	if (from > now_s + SKEW_S || to < now_s - SKEW_S || to < from)
		return TRUST_OCSP_OLD;
	return status == V_OCSP_CERTSTATUS_GOOD ? TRUST_OCSP_GOOD : status == V_OCSP_CERTSTATUS_REVOKED ? TRUST_OCSP_REVOKED : TRUST_OCSP_UNKNOWN;
}

static enum trust_ocsp judge(OCSP_BASICRESP *basic, X509 *cert, X509 *issuer, int64_t now_s, int64_t *until_s)
{
	if (!authentic(basic, issuer, now_s))
		return TRUST_OCSP_FORGED;
	for (int i = 0; i < OCSP_resp_count(basic) && i < 64; i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		if (speaks_of(single, cert, issuer))
			return status_of(single, now_s, until_s);
	}
	return TRUST_OCSP_OF_ANOTHER;
}

enum trust_ocsp trust_ocsp_judge(const uint8_t *der, size_t n, X509 *cert, X509 *issuer, int64_t now_s, int64_t *until_s)
{
	const unsigned char *at = der;
	int64_t none = 0;
	enum trust_ocsp o = TRUST_OCSP_MALFORMED;
	if (!until_s)
		until_s = &none;
	*until_s = 0;
	if (!der || !n)
		return TRUST_OCSP_NONE;
	OCSP_RESPONSE *r = n <= RESPONSE_MAX ? d2i_OCSP_RESPONSE(NULL, &at, (long)n) : NULL;
	if (r && at == der + n) {
		OCSP_BASICRESP *basic = OCSP_response_status(r) == OCSP_RESPONSE_STATUS_SUCCESSFUL ? OCSP_response_get1_basic(r) : NULL;
		if (OCSP_response_status(r) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
			o = TRUST_OCSP_UNANSWERED;
		else if (basic)
			o = judge(basic, cert, issuer, now_s, until_s);
		OCSP_BASICRESP_free(basic);
	}
	OCSP_RESPONSE_free(r);
	ERR_clear_error();
	return o;
}

static bool fits(OCSP_BASICRESP *basic, const X509 *cert, int64_t now_s)
{
	int64_t until_s;
	for (int i = 0; i < OCSP_resp_count(basic) && i < 64; i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		ASN1_INTEGER *serial = NULL;
		OCSP_id_get0_info(NULL, NULL, NULL, &serial, (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single));
		if (serial && ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(cert)) == 0)
			return status_of(single, now_s, &until_s) == TRUST_OCSP_GOOD;
	}
	return false;
}

bool trust_ocsp_fits(const uint8_t *der, size_t n, const X509 *cert, int64_t now_s)
{
	const unsigned char *at = der;
	OCSP_RESPONSE *r = n && n <= RESPONSE_MAX ? d2i_OCSP_RESPONSE(NULL, &at, (long)n) : NULL;
	OCSP_BASICRESP *basic = r && OCSP_response_status(r) == OCSP_RESPONSE_STATUS_SUCCESSFUL ? OCSP_response_get1_basic(r) : NULL;
	bool good = basic && fits(basic, cert, now_s);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(r);
	ERR_clear_error();
	return good;
}

bool trust_ocsp_must(const X509 *cert)
{
	TLS_FEATURE *features = X509_get_ext_d2i(cert, NID_tlsfeature, NULL, NULL);
	bool must = false;
	for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
		must = must || ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == 5; /* status_request */
	TLS_FEATURE_free(features);
	return must;
}

enum trust_fault trust_staple_judge(enum trust_staple policy, enum trust_ocsp o, const X509 *cert)
{
	if (policy == TRUST_STAPLE_OFF || o == TRUST_OCSP_GOOD)
		return TRUST_FAULT_NONE;
	return policy == TRUST_STAPLE_REQUIRE || o == TRUST_OCSP_REVOKED || trust_ocsp_must(cert) ? trust_ocsp_fault(o) : TRUST_FAULT_NONE;
}
