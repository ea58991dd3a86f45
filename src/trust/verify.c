/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c  The judgement of judge.c over certificates from files. */
#include "trust/verify.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include "base/mem.h"
#include "trust/judge.h"
#include "trust/pem.h"
#include "trust_events.h"

/* What one verification holds. */
struct work {
	STACK_OF(X509) *roots, *chain;
	STACK_OF(X509_CRL) *crls;
	X509_STORE *store;
	X509_STORE_CTX *ctx;
	struct trust_policy *policy;
};

static void clean(struct work *w)
{
	X509_STORE_CTX_free(w->ctx);
	X509_STORE_free(w->store);
	sk_X509_pop_free(w->roots, X509_free);
	sk_X509_pop_free(w->chain, X509_free);
	sk_X509_CRL_pop_free(w->crls, X509_CRL_free);
	mem_unref(w->policy);
	ERR_clear_error();
}

static int unreadable(struct ev_report *why, uint16_t event, const char *what, int err)
{
	ev_set(why, event);
	ev_str(why, "identity", "(offline)");
	ev_str(why, "file", what);
	ev_str(why, "error", err == EBADMSG ? "nothing usable in it, in PEM form" : strerrordesc_np(err));
	return err;
}

static int read_files(struct work *w, const struct trust_verify_prm *prm, struct ev_report *why)
{
	int err = trust_pem_certs(&w->roots, prm->ca_pem);
	if (err)
		return unreadable(why, EV_TRUST_ANCHORS_UNREADABLE, "the CA file", err);
	err = trust_pem_certs(&w->chain, prm->chain_pem);
	if (err)
		return unreadable(why, EV_TRUST_CERT_NO_PEM, "the chain file", err);
	if (prm->crl_pem.n && (err = trust_pem_crls(&w->crls, prm->crl_pem)) != 0)
		return unreadable(why, EV_TRUST_CRL_UNREADABLE, "the CRL file", err);
	return 0;
}

static int fill_store(struct work *w)
{
	w->store = X509_STORE_new();
	if (!w->store)
		return ENOMEM;
	for (int i = 0; i < sk_X509_num(w->roots); i++)
		X509_STORE_add_cert(w->store, sk_X509_value(w->roots, i));
	for (int i = 0; i < sk_X509_CRL_num(w->crls); i++)
		X509_STORE_add_crl(w->store, sk_X509_CRL_value(w->crls, i));
	X509_STORE_set_flags(w->store, TRUST_STORE_FLAGS | (w->crls ? TRUST_CRL_FLAGS : 0));
	return 0;
}

/* As libssl sets a context up for a live connection. */
static int set_up(struct work *w, const struct trust_verify_prm *prm)
{
	w->ctx = X509_STORE_CTX_new();
	if (!w->ctx || !X509_STORE_CTX_init(w->ctx, w->store, sk_X509_value(w->chain, 0), w->chain))
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
	int err = f ? read_files(&w, prm, why) : ENOMEM;
	if (!err)
		err = fill_store(&w);
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
