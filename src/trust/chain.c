/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c  OpenSSL's verification, our own look at what it accepted, and the search for another way. */
#include "trust/chain.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <time.h>

enum { SIGNATURES_MAX = 128, WAYS_MAX = 24, INTERMEDIATES_MAX = 16, SHOWN_MAX = 256 };

/* What one judgement carries through OpenSSL's callback. */
struct look {
	const struct trust_chain_rules *rules;
	enum trust_fault fault; /* of the context's current certificate */
};

/* ---- where we know better than OpenSSL 3.0 ---- */

static bool is_now(const ASN1_TIME *t, X509_STORE_CTX *ctx)
{
	struct tm tm;
	return t && ASN1_TIME_to_tm(t, &tm) == 1 && timegm(&tm) == X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(ctx));
}

static bool any_usage(X509 *x)
{
	return X509_get_extension_flags(x) & EXFLAG_XKUSAGE && X509_get_extended_key_usage(x) & XKU_ANYEKU;
}

/* An intermediate or a root that may be used for anything may be used for this (RFC 5280 4.2.1.12); and who signs lists need be no
 * TLS server (RFC 5280 6.3.3 f asks for cRLSign, which OpenSSL sees to). OpenSSL checked key usage and basic constraints of CAs
 * under the same code, so they are looked at again. */
static bool purpose_is_good(X509 *x, int depth, bool of_list)
{
	if (depth == 0)
		return of_list;
	return (of_list || any_usage(x)) && X509_check_ca(x) == 1 && X509_get_key_usage(x) & KU_KEY_CERT_SIGN;
}

static bool is_root(X509_STORE_CTX *ctx, int depth)
{
	return depth > 0 && depth == sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1;
}

/* Whether a missing list is forgiven: a root is chosen, not issued; an intermediate's list may be asked for or not. */
static bool may_lack_list(X509_STORE_CTX *ctx, const struct look *l, int depth)
{
	return is_root(ctx, depth) || (depth > 0 && l->rules->revocation != TRUST_REVOCATION_FULL);
}

static int on_error(int ok, X509_STORE_CTX *ctx)
{
	X509_STORE_CTX *outer = X509_STORE_CTX_get0_parent_ctx(ctx); /* the way to a list's own issuer is judged in a context of its own */
	const struct look *l = X509_STORE_CTX_get_app_data(outer ? outer : ctx);
	X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	X509_CRL *crl = X509_STORE_CTX_get0_current_crl(ctx);
	int depth = X509_STORE_CTX_get_error_depth(ctx);
	if (ok)
		return 1;
	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_CERT_HAS_EXPIRED: ok = is_now(X509_get0_notAfter(x), ctx); break; /* the last second counts (RFC 5280 4.1.2.5) */
	case X509_V_ERR_CRL_HAS_EXPIRED: ok = (crl && is_now(X509_CRL_get0_nextUpdate(crl), ctx)) || is_root(ctx, depth); break;
	case X509_V_ERR_INVALID_PURPOSE: ok = purpose_is_good(x, depth, outer != NULL); break;
	case X509_V_ERR_UNABLE_TO_GET_CRL: ok = may_lack_list(ctx, l, depth); break;
	default: return 0;
	}
	if (ok)
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return ok;
}

static void attach(X509_STORE_CTX *ctx, struct look *l)
{
	X509_STORE_CTX_set_verify_cb(ctx, on_error);
	X509_STORE_CTX_set_app_data(ctx, l);
}

/* ---- what OpenSSL accepted, looked at by us ---- */

static bool reject(X509_STORE_CTX *ctx, struct look *l, X509 *x, int depth, enum trust_fault f)
{
	l->fault = f;
	X509_STORE_CTX_set_error(ctx, f == TRUST_FAULT_TOO_LONG ? X509_V_ERR_CERT_CHAIN_TOO_LONG : X509_V_ERR_CERT_REJECTED);
	X509_STORE_CTX_set_error_depth(ctx, depth);
	X509_STORE_CTX_set_current_cert(ctx, x);
	return false;
}

static bool look_at(X509_STORE_CTX *ctx, struct look *l, X509 *x, int depth, bool anchor)
{
	struct trust_place at = { .leaf = depth == 0, .anchor = anchor, .signs = depth > 0, .strict = l->rules->strict };
	enum trust_fault f = trust_wellformed(x, &at);
	return f ? reject(ctx, l, x, depth, f) : true;
}

static bool self_issued(X509 *x)
{
	return X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
}

static bool inspect(X509_STORE_CTX *ctx, struct look *l)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int last = sk_X509_num(chain) - 1, between = 0;
	for (int i = 0; i <= last; i++) {
		X509 *x = sk_X509_value(chain, i);
		if (!look_at(ctx, l, x, i, i == last))
			return false;
		if (i > 0 && trust_wildcard_excluded(sk_X509_value(chain, 0), x))
			return reject(ctx, l, sk_X509_value(chain, 0), 0, TRUST_FAULT_WILDCARD_EXCLUDED);
		if (i > 0 && trust_uri_evades(sk_X509_value(chain, 0), x))
			return reject(ctx, l, sk_X509_value(chain, 0), 0, TRUST_FAULT_URI_EVADES);
		between += i > 0 && i < last && !self_issued(x);
	}
	if (l->rules->depth >= 0 && between > l->rules->depth)
		return reject(ctx, l, sk_X509_value(chain, 0), 0, TRUST_FAULT_TOO_LONG);
	return true;
}

/* OpenSSL's verdict, then ours. It has one word for a key identifier marked critical and an extension that it does not know, and one for a
 * CA that may not sign and something that is no CA. */
static bool verify_one(X509_STORE_CTX *ctx, struct look *l)
{
	if (X509_verify_cert(ctx) == 1)
		return inspect(ctx, l);
	X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	int err = X509_STORE_CTX_get_error(ctx);
	if (x && err == X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION)
		(void)look_at(ctx, l, x, X509_STORE_CTX_get_error_depth(ctx), false);
	if (x && err == X509_V_ERR_INVALID_CA && X509_get_extension_flags(x) & EXFLAG_CA && !(X509_get_key_usage(x) & KU_KEY_CERT_SIGN))
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_KEYUSAGE_NO_CERTSIGN);
	return false;
}

/* ---- other ways ---- */

struct search {
	X509_STORE_CTX *ctx; /* the one that was asked first, and is answered in the end */
	struct look *look;
	STACK_OF(X509) *anchors;           /* borrowed certificates, as the next two */
	STACK_OF(X509) *shown;
	STACK_OF(X509_CRL) *lists;
	X509 *way[INTERMEDIATES_MAX + 2];  /* leaf first */
	int n;
	int signatures, ways;              /* left */
	bool told;                         /* the context says already why the best way failed */
};

static bool same(const X509 *a, const X509 *b)
{
	return a == b || X509_cmp(a, b) == 0;
}

static bool signed_by(struct search *s, X509 *x, X509 *issuer)
{
	if (X509_check_issued(issuer, x) != X509_V_OK || s->signatures <= 0)
		return false;
	s->signatures--;
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool good = key && X509_verify(x, key) == 1;
	ERR_clear_error();
	return good;
}

/* A name and key that is on the way already cannot bring us nearer (RFC 4158 2.4.2). */
static bool on_the_way(const struct search *s, const X509 *x)
{
	for (int i = 0; i < s->n; i++)
		if (same(s->way[i], x) || (X509_NAME_cmp(X509_get_subject_name(s->way[i]), X509_get_subject_name(x)) == 0 &&
					   EVP_PKEY_eq(X509_get0_pubkey(s->way[i]), X509_get0_pubkey(x)) == 1))
			return true;
	return false;
}

/* Why this way failed is told if nothing better is known: the first complete way says more than "the issuer is unknown". */
static void tell(struct search *s, X509_STORE_CTX *tried, const struct look *l)
{
	if (s->told)
		return;
	s->told = true;
	*s->look = *l;
	X509_STORE_CTX_set_error(s->ctx, X509_STORE_CTX_get_error(tried));
	X509_STORE_CTX_set_error_depth(s->ctx, X509_STORE_CTX_get_error_depth(tried));
	X509_STORE_CTX_set_current_cert(s->ctx, X509_STORE_CTX_get_current_cert(tried));
}

static bool judge_way(struct search *s, X509_STORE_CTX *c, STACK_OF(X509) *between, STACK_OF(X509) *anchor)
{
	struct look l = { .rules = s->look->rules };
	if (!X509_STORE_CTX_init(c, X509_STORE_CTX_get0_store(s->ctx), s->way[0], between))
		return false;
	X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(c), X509_STORE_CTX_get0_param(s->ctx));
	X509_STORE_CTX_set0_trusted_stack(c, anchor);
	X509_STORE_CTX_set0_crls(c, s->lists);
	attach(c, &l);
	if (!verify_one(c, &l)) {
		tell(s, c, &l);
		return false;
	}
	STACK_OF(X509) *chain = X509_STORE_CTX_get1_chain(c);
	if (!chain)
		return false;
	*s->look = l;
	X509_STORE_CTX_set0_verified_chain(s->ctx, chain);
	X509_STORE_CTX_set_error(s->ctx, X509_V_OK);
	X509_STORE_CTX_set_error_depth(s->ctx, 0);
	return true;
}

static bool try_way(struct search *s, X509 *root)
{
	if (s->ways <= 0)
		return false;
	s->ways--;
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	STACK_OF(X509) *between = sk_X509_new_null(), *anchor = sk_X509_new_null();
	bool good = c && between && anchor && sk_X509_push(anchor, root);
	for (int i = 1; i < s->n && good; i++)
		good = sk_X509_push(between, s->way[i]) > 0;
	good = good && judge_way(s, c, between, anchor);
	X509_STORE_CTX_free(c);
	sk_X509_free(between);
	sk_X509_free(anchor);
	ERR_clear_error();
	return good;
}

/* What is valid now is tried before what is not: the reason told for a failure is then the better one, too. */
static bool valid_now(const struct search *s, const X509 *x)
{
	time_t now = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(s->ctx));
	return X509_cmp_timeframe(X509_STORE_CTX_get0_param(s->ctx), X509_get0_notBefore(x), X509_get0_notAfter(x)) == 0 && now;
}

static bool is_among(STACK_OF(X509) *all, const X509 *x)
{
	for (int i = 0; i < sk_X509_num(all); i++)
		if (same(sk_X509_value(all, i), x))
			return true;
	return false;
}

static bool onward(struct search *s);

static bool by_anchors(struct search *s, bool valid)
{
	X509 *end = s->way[s->n - 1];
	for (int i = 0; i < sk_X509_num(s->anchors); i++) {
		X509 *root = sk_X509_value(s->anchors, i);
		if (valid_now(s, root) == valid && !same(root, s->way[0]) && signed_by(s, end, root) && try_way(s, root))
			return true;
	}
	return false;
}

static bool by_shown(struct search *s, bool valid)
{
	X509 *end = s->way[s->n - 1];
	for (int i = 0; i < sk_X509_num(s->shown) && i < SHOWN_MAX && s->n < INTERMEDIATES_MAX + 1; i++) {
		X509 *next = sk_X509_value(s->shown, i);
		if (valid_now(s, next) != valid || on_the_way(s, next) || is_among(s->anchors, next) || !signed_by(s, end, next))
			continue;
		s->way[s->n++] = next;
		bool good = onward(s);
		s->n--;
		if (good)
			return true;
	}
	return false;
}

static bool onward(struct search *s)
{
	return by_anchors(s, true) || by_shown(s, true) || by_anchors(s, false) || by_shown(s, false);
}

/* Under the store's lock: whoever looks something up in it first sorts it. */
static STACK_OF(X509) *anchors_of(X509_STORE *store)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	X509_STORE_lock(store);
	STACK_OF(X509_OBJECT) *objects = all ? X509_STORE_get0_objects(store) : NULL;
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
		if (x && !sk_X509_push(all, x))
			break;
	}
	X509_STORE_unlock(store);
	return all;
}

/* A store finds lists by the name of the certificate's issuer; one that another signed for it (RFC 5280 5.2.5: indirect) is found only
 * if all are handed over. NULL if there are none. */
static STACK_OF(X509_CRL) *lists_of(X509_STORE *store)
{
	STACK_OF(X509_CRL) *all = NULL;
	X509_STORE_lock(store);
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509_CRL *crl = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, i));
		if (crl && !all)
			all = sk_X509_CRL_new_null();
		if (crl && (!all || !sk_X509_CRL_push(all, crl)))
			break;
	}
	X509_STORE_unlock(store);
	return all;
}

/* OpenSSL takes a malformed authority for no issuer at all; its administrator would look for one that is missing. */
static void blame(struct search *s)
{
	X509 *x = s->way[0];
	for (int depth = 1; depth <= INTERMEDIATES_MAX; depth++) {
		X509 *up = NULL;
		for (int i = 0; i < sk_X509_num(s->shown) && i < SHOWN_MAX && !up; i++)
			if (X509_NAME_cmp(X509_get_subject_name(sk_X509_value(s->shown, i)), X509_get_issuer_name(x)) == 0)
				up = sk_X509_value(s->shown, i);
		if (!up || same(up, x) || !look_at(s->ctx, s->look, up, depth, false))
			return;
		x = up;
	}
}

static bool search(struct search *s)
{
	if (onward(s))
		return true;
	if (!s->told)
		blame(s);
	if (!s->told && (s->signatures <= 0 || s->ways <= 0))
		reject(s->ctx, s->look, s->way[0], 0, TRUST_FAULT_TOO_COMPLEX);
	return false;
}

/* Whether another way could help: what is wrong with the leaf itself stays wrong. */
static bool of_the_leaf(const X509_STORE_CTX *ctx, const struct look *l)
{
	if (X509_STORE_CTX_get_error_depth(ctx) != 0)
		return false;
	if (l->fault)
		return l->fault != TRUST_FAULT_TOO_LONG && l->fault != TRUST_FAULT_WILDCARD_EXCLUDED && l->fault != TRUST_FAULT_URI_EVADES;
	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_INVALID_PURPOSE:
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
	case X509_V_ERR_CERT_REVOKED:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return true;
	default: return false;
	}
}

/* Whether OpenSSL got as far as a root, so that its reason is worth keeping. */
static bool got_to_a_root(const X509_STORE_CTX *ctx)
{
	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED: return false;
	default: return true;
	}
}

bool trust_chain_verify(X509_STORE_CTX *ctx, const struct trust_chain_rules *rules, enum trust_fault *fault)
{
	struct look l = { .rules = rules };
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
	X509_STORE *store = X509_STORE_CTX_get0_store(ctx);
	struct search s = { .ctx = ctx, .look = &l, .way = { leaf }, .n = 1, .shown = X509_STORE_CTX_get0_untrusted(ctx), .anchors = anchors_of(store),
			    .lists = lists_of(store), .signatures = SIGNATURES_MAX, .ways = WAYS_MAX };
	*fault = TRUST_FAULT_NONE;
	/* Any policy will do for us; a CA may still demand that there be one (RFC 5280 6.1.1 c). Without this, none would do. */
	X509_VERIFY_PARAM_add0_policy(X509_STORE_CTX_get0_param(ctx), OBJ_nid2obj(NID_any_policy));
	if (rules->revocation == TRUST_REVOCATION_OFF)
		X509_VERIFY_PARAM_clear_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	attach(ctx, &l);
	X509_STORE_CTX_set0_crls(ctx, s.lists);
	bool good = look_at(ctx, &l, leaf, 0, is_among(s.anchors, leaf)) && verify_one(ctx, &l);
	if (!good && !of_the_leaf(ctx, &l)) {
		s.told = got_to_a_root(ctx);
		good = search(&s);
	}
	*fault = good ? TRUST_FAULT_NONE : l.fault;
	X509_STORE_CTX_set_app_data(ctx, NULL);
	X509_STORE_CTX_set0_crls(ctx, NULL);
	sk_X509_free(s.anchors);
	sk_X509_CRL_free(s.lists);
	ERR_clear_error();
	return good;
}
