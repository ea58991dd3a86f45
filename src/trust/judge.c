/* SPDX-License-Identifier: Apache-2.0 */
/* judge.c  Chain, time, purpose, then the name. */
#include "trust/judge.h"
#include <openssl/x509v3.h>

/* OpenSSL calls a CA that may not sign certificates no CA at all; whoever has to mend it looks for another thing then. */
static int code_of(X509 *bad, int code)
{
	bool is_ca = X509_get_extension_flags(bad) & EXFLAG_CA;
	return code == X509_V_ERR_INVALID_CA && is_ca && !(X509_get_key_usage(bad) & KU_KEY_CERT_SIGN) ? X509_V_ERR_KEYUSAGE_NO_CERTSIGN : code;
}

/* What forbids the role: OpenSSL has one word for the extended usages of the certificate, those of an authority, and the key usage. */
static enum trust_fault purpose_fault(X509 *bad, int depth, const struct trust_facts *f)
{
	uint32_t role = f->role == TRUST_ACCEPTED ? XKU_SSL_CLIENT : XKU_SSL_SERVER | XKU_SGC;
	if (depth > 0)
		return TRUST_FAULT_AUTHORITY_USAGE;
	bool listed = X509_get_extension_flags(bad) & EXFLAG_XKUSAGE;
	return listed && !(X509_get_extended_key_usage(bad) & role) ? TRUST_FAULT_NONE : TRUST_FAULT_KEY_USAGE;
}

static void keep_bad(X509 *bad, int depth, int code, enum trust_fault fault, struct trust_facts *f)
{
	struct trust_cert at;
	struct trust_tls_facts *t = &f->tls;
	t->verify_code = code = code_of(bad, code);
	if (!fault && code == X509_V_ERR_INVALID_PURPOSE)
		fault = purpose_fault(bad, depth, f);
	t->verify_depth = (uint8_t)(depth < 0 ? 0 : depth > 255 ? 255 : depth);
	t->verify_fault = (uint8_t)fault;
	text_fill(t->verify_words, sizeof t->verify_words, fault ? trust_fault_words(fault) : X509_verify_cert_error_string(code));
	trust_cert_describe(&at, bad);
	text_fill(t->verify_subject, sizeof t->verify_subject, at.subject);
	text_fill(t->verify_issuer, sizeof t->verify_issuer, at.issuer);
	t->verify_not_after_s = at.not_after_s;
	t->verify_not_before_s = at.not_before_s;
}

static void keep_error(X509_STORE_CTX *ctx, enum trust_fault fault, struct trust_facts *f)
{
	X509 *bad = X509_STORE_CTX_get_current_cert(ctx);
	keep_bad(bad ? bad : X509_STORE_CTX_get0_cert(ctx), X509_STORE_CTX_get_error_depth(ctx), X509_STORE_CTX_get_error(ctx), fault, f);
}

static void keep_name(const struct trust_judgement *j, struct trust_facts *f)
{
	f->name.judged = true;
	f->name.rule = j->kind;
	f->name.reason = (uint8_t)j->reason;
	f->name.wanted = j->wanted;
	f->name.offered = j->offered;
	text_fill(f->name.matched, sizeof f->name.matched, j->matched);
}

/* OpenSSL holds a CN against name constraints where there is no DNS name in the SAN, as if it were one. It must, wherever the CN
 * can count under our rules, and must not where it cannot: a CN may be anything. */
static void constrain_cn(X509_STORE_CTX *ctx, const struct trust_policy *policy)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
	unsigned flags = trust_policy_counts_cn(policy)				   ? X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT :
			 X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1) >= 0 ? X509_CHECK_FLAG_NEVER_CHECK_SUBJECT :
										   0;
	X509_VERIFY_PARAM_set_hostflags(X509_STORE_CTX_get0_param(ctx), flags);
}

static void keep_middle(STACK_OF(X509) *chain, struct trust_middle *m)
{
	struct trust_cert c;
	X509 *first = NULL;
	for (int i = 1; i < sk_X509_num(chain) - 1; i++)
		if (!first || ASN1_TIME_compare(X509_get0_notAfter(sk_X509_value(chain, i)), X509_get0_notAfter(first)) < 0)
			first = sk_X509_value(chain, i);
	*m = (struct trust_middle){ 0 };
	if (!first)
		return;
	trust_cert_describe(&c, first);
	text_fill(m->cn, sizeof m->cn, c.cn[0] ? c.cn : c.subject);
	text_fill(m->sha256, sizeof m->sha256, c.sha256);
	m->not_after_s = c.not_after_s;
}

bool trust_judge(X509_STORE_CTX *ctx, const struct trust_chain_rules *rules, const struct trust_policy *policy, struct trust_facts *f,
		 struct trust_judgement *name)
{
	enum trust_fault fault;
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx);
	int n_sent = sent ? sk_X509_num(sent) : 0;
	trust_cert_describe(&f->theirs, leaf);
	f->theirs.shown = true;
	f->theirs.chain_len = (uint8_t)(n_sent < 1 ? 1 : n_sent > 255 ? 255 : n_sent);
	f->tls.verify_done = true;
	constrain_cn(ctx, policy);
	bool chain_ok = trust_chain_verify(ctx, rules, &fault);
	trust_policy_judge_cert(policy, leaf, name);
	keep_name(name, f);
	if (!chain_ok) {
		keep_error(ctx, fault, f);
		return false;
	}
	keep_middle(X509_STORE_CTX_get0_chain(ctx), &f->theirs_middle);
	if (name->reason == TRUST_NAME_OK)
		return true;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_HOSTNAME_MISMATCH);
	X509_STORE_CTX_set_error_depth(ctx, 0);
	X509_STORE_CTX_set_current_cert(ctx, leaf);
	keep_error(ctx, TRUST_FAULT_NONE, f);
	return false;
}

bool trust_judge_staple(STACK_OF(X509) *chain, const struct trust_chain_rules *rules, const uint8_t *der, size_t n, int64_t now_s,
			struct trust_facts *f)
{
	X509 *leaf = sk_X509_value(chain, 0), *issuer = sk_X509_value(chain, sk_X509_num(chain) > 1 ? 1 : 0);
	enum trust_ocsp o = leaf ? trust_ocsp_judge(der, n, leaf, issuer, now_s, NULL) : TRUST_OCSP_NONE;
	enum trust_fault fault = leaf ? trust_staple_judge(rules->staple, o, leaf) : TRUST_FAULT_NONE;
	f->tls.ocsp = (uint8_t)o;
	if (!fault)
		return true;
	keep_bad(leaf, 0, o == TRUST_OCSP_REVOKED ? X509_V_ERR_CERT_REVOKED : X509_V_ERR_OCSP_VERIFY_FAILED, fault, f);
	return false;
}
