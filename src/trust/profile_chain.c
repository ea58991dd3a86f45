/* SPDX-License-Identifier: Apache-2.0 */
/* profile_chain.c  What a verifier asks of a certificate besides its names: time, usage, key, and a chain to what it trusts. */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include "base/rfc3339.h"
#include "trust/profile_private.h"
#include "trust/rule.h"

enum { ALERT_BAD = 42, ALERT_UNSUPPORTED = 43, ALERT_REVOKED = 44, ALERT_EXPIRED = 45, ALERT_UNKNOWN = 46, ALERT_UNKNOWN_CA = 48 };

static bool as_client(const struct p_case *c)
{
	return c->q->seat == TRUST_SEAT_CLIENT_CERT;
}

/* ---- time ---- */

static bool time_s(const ASN1_TIME *t, int64_t *s)
{
	struct tm tm;
	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*s = (int64_t)timegm(&tm);
	return true;
}

/* The leaf itself is among the anchors. */
static bool self_trusted(const struct p_case *c)
{
	STACK_OF(X509_OBJECT) *objects = c->q->anchors ? X509_STORE_get0_objects(c->q->anchors) : NULL;
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
		if (x && X509_cmp(x, c->q->leaf) == 0)
			return true;
	}
	return false;
}

bool p_check_time(struct p_case *c)
{
	int64_t from, to;
	char at[RFC3339_SIZE];
	if (!time_s(X509_get0_notBefore(c->q->leaf), &from) || !time_s(X509_get0_notAfter(c->q->leaf), &to))
		return p_refuse(c, P_UNREADABLE, ALERT_BAD);
	bool early = from > c->q->now_s;
	if (!early && to >= c->q->now_s)
		return true;
	if (c->p->habits & P_ROOT_IS_KEY && self_trusted(c))
		return true;
	text_fill(c->detail, sizeof c->detail, rfc3339_s(early ? from : to, at));
	c->late = true;
	return early ? p_refuse(c, P_NOT_YET_VALID, ALERT_BAD) : p_refuse(c, P_EXPIRED, ALERT_EXPIRED);
}

/* ---- usage ---- */

static bool usage_by_openssl(struct p_case *c)
{
	int purpose = as_client(c) ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER;
	int fits = X509_check_purpose(c->q->leaf, purpose, 0);
	if (fits == 1)
		return true;
	if (fits < 0)
		return p_refuse(c, P_UNREADABLE, ALERT_BAD);
	uint32_t listed = X509_get_extended_key_usage(c->q->leaf), needed = as_client(c) ? XKU_SSL_CLIENT : XKU_SSL_SERVER;
	return p_refuse(c, listed != UINT32_MAX && !(listed & needed) ? P_USAGE : P_KEY_USAGE, ALERT_UNSUPPORTED);
}

static bool usage_strict(struct p_case *c, uint8_t eku, bool has, bool any)
{
	if (has)
		return true;
	if (!(eku & TRUST_EKU_PRESENT))
		return p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_NO_USAGES);
	return any ? p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_ANY_USAGE) : p_refuse(c, P_USAGE, ALERT_UNSUPPORTED);
}

static bool usage_by_list(struct p_case *c, uint8_t eku)
{
	bool has = eku & (as_client(c) ? TRUST_EKU_CLIENT : TRUST_EKU_SERVER), any = eku & TRUST_EKU_ANY, none = !(eku & TRUST_EKU_PRESENT);
	none = none || (eku == TRUST_EKU_PRESENT && c->p->habits & P_EKU_EMPTY);
	has = has || (!as_client(c) && c->p->habits & P_EKU_GATED && eku & TRUST_EKU_OTHER && X509_get_extended_key_usage(c->q->leaf) & XKU_SGC);
	switch (c->s->eku) {
	case P_EKU_IGNORED:
	case P_EKU_OPENSSL:
		return true;
	case P_EKU_ROLE:
		return has || any || none || p_refuse(c, P_USAGE, ALERT_UNSUPPORTED);
	case P_EKU_SIP:
		if (has || none || eku & TRUST_EKU_SIP)
			return true;
		return any ? p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_ANY_POLICY) : p_refuse(c, P_USAGE, ALERT_UNSUPPORTED);
	case P_EKU_STRICT:
		return usage_strict(c, eku, has, any);
	case P_EKU_ADVISED:
		if (has || none)
			return true;
		if (!any && !(eku & (TRUST_EKU_SERVER | TRUST_EKU_CLIENT)))
			return p_refuse(c, P_USAGE, ALERT_UNSUPPORTED);
		return p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_USAGE_ADVISED);
	case P_EKU_MAYBE:
		return has || none || p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_USAGE_LOOKED);
	}
	return true;
}

bool p_check_usage(struct p_case *c)
{
	int critical = -1;
	if (c->s->eku == P_EKU_OPENSSL)
		return usage_by_openssl(c);
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(c->q->leaf, NID_ext_key_usage, &critical, NULL);
	if (!eku && critical != -1)
		return p_refuse(c, P_UNREADABLE, ALERT_BAD);
	EXTENDED_KEY_USAGE_free(eku);
	return usage_by_list(c, trust_cert_ekus(c->q->leaf));
}

/* ---- key and signature ---- */

bool p_check_hash(struct p_case *c)
{
	int hash = NID_undef;
	if (X509_NAME_cmp(X509_get_subject_name(c->q->leaf), X509_get_issuer_name(c->q->leaf)) == 0)
		return true; /* its own signature proves nothing to anybody */
	if (!X509_get_signature_info(c->q->leaf, &hash, NULL, NULL, NULL))
		return true;
	if (hash == NID_sha224 && c->p->reading & P_SHA224_BY_TLS)
		return p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_SHA224);
	if (hash != NID_sha1 && hash != NID_md5 && hash != NID_md4 && hash != NID_md2)
		return true;
	if (hash == NID_sha1 && c->p->sha1 == P_YES)
		return true;
	text_fill(c->detail, sizeof c->detail, OBJ_nid2sn(hash));
	if (c->p->sha1 == P_NO || (hash != NID_sha1 && c->p->habits & P_CA_MD5))
		return p_refuse(c, P_WEAK_HASH, ALERT_BAD);
	return p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_HASH);
}

bool p_check_key(struct p_case *c)
{
	EVP_PKEY *key = X509_get0_pubkey(c->q->leaf); /* borrowed */
	if (!key)
		return p_refuse(c, P_UNREADABLE, ALERT_BAD);
	int bits = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? EVP_PKEY_get_bits(key) : INT16_MAX;
	if (bits < (c->p->rsa_min ? c->p->rsa_min : 2048)) {
		if (!c->p->rsa_min)
			return p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_KEY);
		text_print(c->detail, sizeof c->detail, "RSA-%d, and it wants %u", bits, c->p->rsa_min);
		return p_refuse(c, P_WEAK_KEY, ALERT_BAD);
	}
	return true;
}

/* ---- chain ---- */

static const struct {
	int code;
	enum p_reason reason;
	int alert; /* as OpenSSL maps it (ssl_x509err2alert) */
} codes[] = {
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, P_ISSUER_UNKNOWN, ALERT_UNKNOWN_CA },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, P_ISSUER_UNKNOWN, ALERT_UNKNOWN_CA },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, P_ISSUER_UNKNOWN, ALERT_UNKNOWN_CA },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, P_ISSUER_UNKNOWN, ALERT_UNKNOWN_CA },
	{ X509_V_ERR_CERT_UNTRUSTED, P_ISSUER_UNKNOWN, ALERT_BAD },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, P_SELF_SIGNED, ALERT_UNKNOWN_CA },
	{ X509_V_ERR_CERT_HAS_EXPIRED, P_EXPIRED, ALERT_EXPIRED },
	{ X509_V_ERR_CERT_NOT_YET_VALID, P_NOT_YET_VALID, ALERT_BAD },
	{ X509_V_ERR_CERT_REVOKED, P_REVOKED, ALERT_REVOKED },
	{ X509_V_ERR_UNABLE_TO_GET_CRL, P_CRL_MISSING, ALERT_UNKNOWN_CA },
	{ X509_V_ERR_CRL_HAS_EXPIRED, P_CRL_MISSING, ALERT_EXPIRED },
	{ X509_V_ERR_CRL_NOT_YET_VALID, P_CRL_MISSING, ALERT_BAD },
	{ X509_V_ERR_CERT_CHAIN_TOO_LONG, P_CHAIN_TOO_LONG, ALERT_UNKNOWN_CA },
	{ X509_V_ERR_INVALID_PURPOSE, P_USAGE, ALERT_UNSUPPORTED },
	{ X509_V_ERR_EE_KEY_TOO_SMALL, P_WEAK_KEY, ALERT_BAD },
	{ X509_V_ERR_CA_KEY_TOO_SMALL, P_WEAK_KEY, ALERT_BAD },
	{ X509_V_ERR_CA_MD_TOO_WEAK, P_WEAK_HASH, ALERT_BAD },
	{ X509_V_ERR_PATH_LENGTH_EXCEEDED, P_CHAIN_INVALID, ALERT_UNKNOWN_CA },
	{ X509_V_ERR_INVALID_CA, P_CHAIN_INVALID, ALERT_UNKNOWN_CA },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, P_CHAIN_INVALID, 51 },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, P_CHAIN_INVALID, ALERT_BAD },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, P_CHAIN_INVALID, ALERT_BAD },
};

static bool found_late(int code)
{
	switch (code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
	case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_CERT_REVOKED:
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
	case X509_V_ERR_SUBTREE_MINMAX:
	case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
	case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
	case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX: return true;
	default: return false;
	}
}

static bool by_code(struct p_case *c, X509_STORE_CTX *ctx)
{
	char subject[TRUST_NAME_SIZE], at[RFC3339_SIZE];
	int code = X509_STORE_CTX_get_error(ctx);
	int64_t when = 0;
	c->late = found_late(code);
	X509 *bad = X509_STORE_CTX_get_current_cert(ctx);
	trust_cert_subject(bad ? bad : c->q->leaf, subject, sizeof subject);
	text_print(c->detail, sizeof c->detail, "%s; at %s", X509_verify_cert_error_string(code), subject);
	if (bad && (code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID) &&
	    time_s(code == X509_V_ERR_CERT_HAS_EXPIRED ? X509_get0_notAfter(bad) : X509_get0_notBefore(bad), &when))
		text_print(c->detail, sizeof c->detail, "%s (%s)", rfc3339_s(when, at), subject);
	for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i].code == code)
			return p_refuse(c, codes[i].reason == P_USAGE && bad != c->q->leaf ? P_CHAIN_INVALID : codes[i].reason, codes[i].alert);
	return p_refuse(c, P_CHAIN_INVALID, ALERT_UNKNOWN);
}

/* As the row's verifier would set a context up. The store is only read. */
static void set_up(const struct p_case *c, X509_STORE_CTX *ctx)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	if (c->s->eku == P_EKU_OPENSSL)
		X509_STORE_CTX_set_default(ctx, as_client(c) ? "ssl_client" : "ssl_server");
	X509_VERIFY_PARAM_clear_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_TRUSTED_FIRST | (c->p->partial_chain ? X509_V_FLAG_PARTIAL_CHAIN : 0));
	X509_VERIFY_PARAM_set_time(param, (time_t)c->q->now_s);
	X509_VERIFY_PARAM_set_auth_level(param, !c->p->openssl ? 0 : c->p->rsa_min >= 2048 ? 2 : c->p->sha1 == P_NO ? 1 : 0);
	if (c->p->depth)
		X509_VERIFY_PARAM_set_depth(param, c->p->depth);
}

static int on_error(int good, X509_STORE_CTX *ctx)
{
	return good || p_overlooks(X509_STORE_CTX_get_app_data(ctx), ctx);
}

static bool try_chain(struct p_case *c, STACK_OF(X509) *chain)
{
	bool good = false;
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	if (!ctx || !X509_STORE_CTX_init(ctx, c->q->anchors, c->q->leaf, chain)) {
		(void)p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_MEMORY);
	} else {
		set_up(c, ctx);
		X509_STORE_CTX_set_app_data(ctx, c);
		X509_STORE_CTX_set_verify_cb(ctx, on_error);
		good = X509_verify_cert(ctx) == 1 ? p_check_way(c, X509_STORE_CTX_get0_chain(ctx)) : by_code(c, ctx);
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

/* A verifier that searches finds a way that OpenSSL finds when it is not led astray: without one of the certificates shown. */
static bool try_without_each(struct p_case *c)
{
	enum { SHOWN_MAX = 16 };
	struct p_case first = *c;
	for (int i = 0; i < sk_X509_num(c->q->chain) && i < SHOWN_MAX; i++) {
		STACK_OF(X509) *fewer = sk_X509_dup(c->q->chain); /* borrows the certificates */
		if (!fewer)
			break;
		(void)sk_X509_delete(fewer, i);
		c->kind = TRUST_ACCEPTS;
		bool good = try_chain(c, fewer);
		sk_X509_free(fewer);
		if (good)
			return true;
	}
	*c = first;
	return false;
}

/* The leaf is signed by a root, and only the key identifier that it names is another. */
static bool signed_all_the_same(struct p_case *c)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(c->q->anchors);
	STACK_OF(X509) *way = sk_X509_new_null(); /* borrows the certificates */
	bool good = false;
	for (int i = 0; i < sk_X509_OBJECT_num(objects) && way && !good; i++) {
		X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
		if (!x || X509_check_issued(x, c->q->leaf) != X509_V_ERR_AKID_SKID_MISMATCH || X509_verify(c->q->leaf, X509_get0_pubkey(x)) != 1)
			continue;
		c->kind = TRUST_ACCEPTS;
		good = sk_X509_push(way, c->q->leaf) && sk_X509_push(way, x) && p_check_way(c, way);
	}
	sk_X509_free(way);
	ERR_clear_error();
	return good;
}

bool p_check_chain(struct p_case *c)
{
	enum p_reason accepted = c->reason;
	if (!c->q->anchors || try_chain(c, c->q->chain))
		return true;
	if (c->kind == TRUST_REFUSES && c->p->habits & P_SEARCHES && try_without_each(c)) {
		c->reason = accepted;
		return true;
	}
	if (c->kind == TRUST_REFUSES && c->reason == P_ISSUER_UNKNOWN && c->p->habits & P_AKI_IGNORED && signed_all_the_same(c)) {
		c->reason = accepted;
		return true;
	}
	return false;
}
