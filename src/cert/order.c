/* SPDX-License-Identifier: Apache-2.0 */
/* order.c  From the leaf upwards: who issued it, among those given, then among those trusted. */
#include "cert/order.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "trust/pem.h"

enum { PKCS7_MAX = 64 };

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

/* ---- the forms that CAs use ---- */

static bool is_above(STACK_OF(X509) *all, int i)
{
	X509 *x = sk_X509_value(all, i);
	for (int k = 0; k < sk_X509_num(all); k++)
		if (k != i && issued(x, sk_X509_value(all, k)))
			return true;
	return is_root(x);
}

/* PKCS#7 holds a set, in no order: what issued none of the others comes first. */
static int put_all(struct buf *out, STACK_OF(X509) *all)
{
	int n = sk_X509_num(all), err = n > 0 && n <= PKCS7_MAX ? 0 : EBADMSG;
	bool above[PKCS7_MAX] = { false };
	for (int i = 0; !err && i < n; i++)
		above[i] = is_above(all, i);
	for (int turn = 0; turn < 2; turn++)
		for (int i = 0; !err && i < n; i++)
			if (above[i] == (turn == 1))
				err = trust_pem_put_cert(out, sk_X509_value(all, i));
	return err;
}

static int from_pkcs7(struct buf *out, BIO *in, bool pem)
{
	PKCS7 *p7 = pem ? PEM_read_bio_PKCS7(in, NULL, NULL, NULL) : d2i_PKCS7_bio(in, NULL);
	bool holds = p7 && PKCS7_type_is_signed(p7) && p7->d.sign;
	int err = holds ? put_all(out, p7->d.sign->cert) : EBADMSG;
	PKCS7_free(p7);
	return err;
}

static int from_der(struct buf *out, BIO *in)
{
	X509 *x = d2i_X509_bio(in, NULL);
	int err = x ? trust_pem_put_cert(out, x) : EBADMSG;
	X509_free(x);
	return err;
}

int cert_answer_to_pem(struct buf *b)
{
	struct text t = buf_as_text(b);
	bool pkcs7 = text_find_text(t, TEXT("-----BEGIN PKCS7-----")) != SIZE_MAX;
	struct buf out;
	if (text_find_text(t, TEXT("-----BEGIN CERTIFICATE-----")) != SIZE_MAX)
		return 0;
	buf_init(&out, TRUST_PEM_MAX);
	int err = EBADMSG;
	for (int form = 0; err == EBADMSG && form < 3 && t.n && t.n <= TRUST_PEM_MAX; form++) {
		BIO *in = BIO_new_mem_buf(t.p, (int)t.n);
		if (!in)
			err = ENOMEM;
		else if (form == 0 && pkcs7)
			err = from_pkcs7(&out, in, true);
		else if (form == 1)
			err = from_der(&out, in);
		else if (form == 2)
			err = from_pkcs7(&out, in, false);
		BIO_free(in);
	}
	if (!err) {
		buf_clear(b);
		err = buf_put(b, out.p, out.n);
	}
	buf_free(&out);
	ERR_clear_error();
	return err;
}
