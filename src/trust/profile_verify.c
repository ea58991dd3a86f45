/* SPDX-License-Identifier: Apache-2.0 */
/* profile_verify.c  From PEM to a question and its answer. */
#include "trust/profile_verify.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include "base/mem.h"
#include "trust/pem.h"
#include "trust_events.h"

struct work {
	STACK_OF(X509) *roots, *chain;
	STACK_OF(X509_CRL) *crls;
	X509_STORE *store;
	X509 *leaf;
	struct trust_names *known;
};

static void clean(struct work *w)
{
	X509_STORE_free(w->store);
	X509_free(w->leaf);
	sk_X509_pop_free(w->roots, X509_free);
	sk_X509_pop_free(w->chain, X509_free);
	sk_X509_CRL_pop_free(w->crls, X509_CRL_free);
	mem_free(w->known);
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
	w->leaf = sk_X509_shift(w->chain);
	return 0;
}

static int fill_store(struct work *w, const struct trust_verify_prm *prm)
{
	w->store = X509_STORE_new();
	w->known = mem_zalloc(1, sizeof *w->known);
	if (!w->store || !w->known)
		return ENOMEM;
	for (int i = 0; i < sk_X509_num(w->roots); i++)
		X509_STORE_add_cert(w->store, sk_X509_value(w->roots, i));
	for (int i = 0; i < sk_X509_CRL_num(w->crls); i++)
		X509_STORE_add_crl(w->store, sk_X509_CRL_value(w->crls, i));
	if (w->crls)
		X509_STORE_set_flags(w->store, X509_V_FLAG_CRL_CHECK | (prm->revocation == TRUST_REVOCATION_FULL ? X509_V_FLAG_CRL_CHECK_ALL : 0));
	if (prm->strict)
		X509_STORE_set_flags(w->store, X509_V_FLAG_X509_STRICT);
	if (prm->depth >= 0)
		X509_STORE_set_depth(w->store, prm->depth);
	for (unsigned i = 0; i < prm->n_names; i++)
		trust_names_add_str(w->known, prm->names[i]);
	return 0;
}

int trust_profile_verify(const struct trust_profile *p, const struct trust_verify_prm *prm, struct trust_answer *a, struct ev_report *why)
{
	struct work w = { 0 };
	int err = read_files(&w, prm, why);
	if (!err)
		err = fill_store(&w, prm);
	struct trust_question q = { .seat = prm->as_client ? TRUST_SEAT_CLIENT_CERT : TRUST_SEAT_SERVER_CERT, .leaf = w.leaf, .chain = w.chain,
				    .anchors = w.store, .known = w.known, .now_s = prm->time_s, .enabled = TRUST_SWITCHED_ON };
	struct trust_answer *other = err ? NULL : mem_zalloc(1, sizeof *other);
	if (!err && !other)
		err = ENOMEM;
	for (unsigned i = 0; !err && (i < prm->n_names || i == 0); i++) {
		q.reference = prm->n_names ? prm->names[i] : NULL;
		trust_profile_judge(p, &q, other);
		if (!i || other->kind == TRUST_ACCEPTS)
			*a = *other;
		if (a->kind == TRUST_ACCEPTS)
			break;
	}
	mem_free(other);
	clean(&w);
	return err;
}
