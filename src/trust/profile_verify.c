/* SPDX-License-Identifier: Apache-2.0 */
/* profile_verify.c  From PEM to a question and its answer. */
#include "trust/profile_verify.h"
#include <errno.h>
#include <openssl/x509_vfy.h>
#include "base/mem.h"
#include "trust/offline.h"

static void set_flags(X509_STORE *store, bool lists, const struct trust_verify_prm *prm)
{
	if (lists)
		X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | (prm->revocation == TRUST_REVOCATION_FULL ? X509_V_FLAG_CRL_CHECK_ALL : 0));
	if (prm->strict)
		X509_STORE_set_flags(store, X509_V_FLAG_X509_STRICT);
	if (prm->depth >= 0)
		X509_STORE_set_depth(store, prm->depth);
}

static struct trust_names *names_of(const struct trust_verify_prm *prm)
{
	struct trust_names *known = mem_zalloc(1, sizeof *known);
	for (unsigned i = 0; known && i < prm->n_names; i++)
		trust_names_add_str(known, prm->names[i]);
	return known;
}

int trust_profile_verify(const struct trust_profile *p, const struct trust_verify_prm *prm, struct trust_answer *a, struct ev_report *why)
{
	struct trust_offline o = { 0 };
	int err = trust_offline_read(&o, prm, why);
	X509 *leaf = err ? NULL : sk_X509_shift(o.chain);
	struct trust_names *known = err ? NULL : names_of(prm);
	if (!err && !known)
		err = ENOMEM;
	if (!err)
		set_flags(o.store, o.crls, prm);
	struct trust_question q = { .seat = prm->as_client ? TRUST_SEAT_CLIENT_CERT : TRUST_SEAT_SERVER_CERT, .leaf = leaf, .chain = o.chain,
				    .anchors = o.store, .known = known, .now_s = prm->time_s, .enabled = TRUST_SWITCHED_ON };
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
	mem_free(known);
	X509_free(leaf);
	trust_offline_free(&o);
	return err;
}
