/* SPDX-License-Identifier: Apache-2.0 */
/* order.c  From the leaf upwards: who issued it, among those given, then among those trusted. */
#include "cert/order.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

static bool is_root(X509 *x)
{
	return X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
}

static int find_leaf(STACK_OF(X509) *all, EVP_PKEY *key)
{
	for (int i = 0; i < sk_X509_num(all); i++)
		if (X509_check_private_key(sk_X509_value(all, i), key) == 1)
			return i;
	return -1;
}

static bool issued(X509 *issuer, X509 *x)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool yes = X509_check_issued(issuer, x) == X509_V_OK && key && X509_verify(x, key) == 1;
	ERR_clear_error();
	return yes;
}

static X509 *issuer_among(STACK_OF(X509) *all, X509 *x)
{
	for (int i = 0; i < sk_X509_num(all); i++)
		if (sk_X509_value(all, i) != x && issued(sk_X509_value(all, i), x))
			return sk_X509_value(all, i);
	return NULL;
}

static X509 *issuer_known(const struct trust_set *known, X509 *x)
{
	for (unsigned i = 0; known && i < trust_set_anchors(known); i++)
		if (issued(trust_set_anchor_at(known, i), x))
			return trust_set_anchor_at(known, i);
	return NULL;
}

static bool used(const struct cert_order *o, X509 *x)
{
	for (int i = 0; i < sk_X509_num(o->chain); i++)
		if (X509_cmp(sk_X509_value(o->chain, i), x) == 0)
			return true;
	return X509_cmp(o->leaf, x) == 0;
}

static int climb(struct cert_order *o, STACK_OF(X509) *all, const struct trust_set *known)
{
	for (X509 *x = o->leaf; !is_root(x);) {
		X509 *up = issuer_among(all, x);
		bool given = up != NULL;
		if (!up)
			up = issuer_known(known, x);
		if (!up || is_root(up) || used(o, up))
			return 0;
		if (!sk_X509_push(o->chain, up))
			return ENOMEM;
		X509_up_ref(up);
		o->added += !given;
		x = up;
	}
	return 0;
}

static void compare(struct cert_order *o, STACK_OF(X509) *all, int leaf_at)
{
	int last = -1;
	o->mended = leaf_at != 0;
	for (int i = 0; i < sk_X509_num(o->chain); i++) {
		int at = -1;
		for (int k = 0; k < sk_X509_num(all); k++)
			if (sk_X509_value(all, k) == sk_X509_value(o->chain, i))
				at = k;
		if (at >= 0 && at < last)
			o->mended = true;
		last = at > last ? at : last;
	}
	for (int k = 0; k < sk_X509_num(all); k++)
		o->left_out += !used(o, sk_X509_value(all, k)) && !is_root(sk_X509_value(all, k));
}

int cert_order_make(struct cert_order *o, STACK_OF(X509) *all, EVP_PKEY *key, const struct trust_set *known)
{
	*o = (struct cert_order){ 0 };
	int at = find_leaf(all, key);
	ERR_clear_error();
	if (at < 0)
		return EKEYREJECTED;
	o->leaf = sk_X509_value(all, at);
	X509_up_ref(o->leaf);
	o->chain = sk_X509_new_null();
	int err = o->chain ? climb(o, all, known) : ENOMEM;
	if (!err)
		compare(o, all, at);
	return err;
}

void cert_order_free(struct cert_order *o)
{
	X509_free(o->leaf);
	sk_X509_pop_free(o->chain, X509_free);
	*o = (struct cert_order){ 0 };
}
