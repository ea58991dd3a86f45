/* SPDX-License-Identifier: Apache-2.0 */
/* offline.c  See offline.h. */
#include "trust/offline.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <string.h>
#include "trust/pem.h"
#include "trust_events.h"

static int unreadable(struct ev_report *why, uint16_t event, const char *what, int err)
{
	ev_set(why, event);
	ev_str(why, "identity", "(offline)");
	ev_str(why, "file", what);
	ev_str(why, "error", err == EBADMSG ? "nothing usable in it, in PEM form" : strerrordesc_np(err));
	return err;
}

static int fill_store(struct trust_offline *o)
{
	bool good = (o->store = X509_STORE_new()) != NULL;
	for (int i = 0; good && i < sk_X509_num(o->roots); i++)
		good = X509_STORE_add_cert(o->store, sk_X509_value(o->roots, i)) == 1;
	for (int i = 0; good && i < sk_X509_CRL_num(o->crls); i++)
		good = X509_STORE_add_crl(o->store, sk_X509_CRL_value(o->crls, i)) == 1;
	return good ? 0 : ENOMEM;
}

int trust_offline_read(struct trust_offline *o, const struct trust_verify_prm *prm, struct ev_report *why)
{
	int err = trust_pem_certs(&o->roots, prm->ca_pem);
	if (err)
		return unreadable(why, EV_TRUST_ANCHORS_UNREADABLE, "the CA file", err);
	err = trust_pem_certs(&o->chain, prm->chain_pem);
	if (err)
		return unreadable(why, EV_TRUST_CERT_NO_PEM, "the chain file", err);
	if (prm->crl_pem.n && (err = trust_pem_crls(&o->crls, prm->crl_pem)) != 0)
		return unreadable(why, EV_TRUST_CRL_UNREADABLE, "the CRL file", err);
	return fill_store(o);
}

void trust_offline_free(struct trust_offline *o)
{
	X509_STORE_free(o->store);
	sk_X509_pop_free(o->roots, X509_free);
	sk_X509_pop_free(o->chain, X509_free);
	sk_X509_CRL_pop_free(o->crls, X509_CRL_free);
	*o = (struct trust_offline){ 0 };
	ERR_clear_error();
}
