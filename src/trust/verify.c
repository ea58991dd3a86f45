/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c  The judgement of judge.c over certificates from files. */
#include "trust/verify.h"
#include <errno.h>
#include <openssl/x509_vfy.h>
#include "base/mem.h"
#include "trust/judge.h"
#include "trust/offline.h"

/* What one verification holds. */
struct work {
	struct trust_offline files;
	X509_STORE_CTX *ctx;
	struct trust_policy *policy;
};

static void clean(struct work *w)
{
	X509_STORE_CTX_free(w->ctx);
	trust_offline_free(&w->files);
	mem_unref(w->policy);
}

/* As libssl sets a context up for a live connection. */
static int set_up(struct work *w, const struct trust_verify_prm *prm)
{
	struct trust_offline *o = &w->files;
	X509_STORE_set_flags(o->store, TRUST_STORE_FLAGS | (o->crls ? TRUST_CRL_FLAGS : 0));
	w->ctx = X509_STORE_CTX_new();
	if (!w->ctx || !X509_STORE_CTX_init(w->ctx, o->store, sk_X509_value(o->chain, 0), o->chain))
		return ENOMEM;
	X509_STORE_CTX_set_default(w->ctx, prm->as_client ? "ssl_client" : "ssl_server");
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(w->ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)prm->time_s);
	X509_VERIFY_PARAM_set_auth_level(param, 2);
	return 0;
}

static int judge(struct work *w, const struct trust_verify_prm *prm, struct trust_facts *f, bool *accepted)
{
	struct trust_judgement *name = mem_alloc(sizeof *name);
	int err = name ? 0 : ENOMEM;
	if (!err)
		err = prm->any_name ? trust_policy_anybody(&w->policy) :
				      trust_policy_one(&w->policy, "given", prm->rule, prm->names, prm->n_names);
	if (!err) {
		facts_init(f, prm->as_client ? TRUST_ACCEPTED : TRUST_DIALLED, TRUST_TLS, prm->time_s);
		facts_target(f, prm->n_names ? prm->names[0] : "", 0, "");
		f->tls.hello_from_peer = true;
		struct trust_chain_rules rules = { .strict = prm->strict, .depth = prm->depth, .revocation = prm->revocation, .staple = prm->staple };
		if (prm->ocsp_der.n && !rules.staple)
			rules.staple = TRUST_STAPLE_ASK;
		*accepted = trust_judge(w->ctx, &rules, w->policy, f, name);
		if (*accepted && rules.staple)
			*accepted = trust_judge_staple(X509_STORE_CTX_get0_chain(w->ctx), &rules, (const uint8_t *)prm->ocsp_der.p, prm->ocsp_der.n,
						       prm->time_s, f);
	}
	mem_free(name);
	return err;
}

int trust_verify(const struct trust_verify_prm *prm, bool *accepted, struct trust_facts *facts, struct trust_verdict *verdict,
		 struct ev_report *why)
{
	struct work w = { 0 };
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	int err = f ? trust_offline_read(&w.files, prm, why) : ENOMEM;
	if (!err)
		err = set_up(&w, prm);
	if (!err)
		err = judge(&w, prm, f, accepted);
	if (!err && facts)
		*facts = *f;
	if (!err && verdict)
		trust_explain(f, verdict);
	clean(&w);
	mem_free(f);
	return err;
}

const char *trust_verify_name(bool accepted, const struct trust_verdict *v)
{
	return accepted ? "accepted" : v->name;
}
