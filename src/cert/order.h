/* SPDX-License-Identifier: Apache-2.0 */
/* order.h  What CAs give back, put in order: leaf first, then each issuer, whatever order the file has. Pure. */
#ifndef CERT_ORDER_H
#define CERT_ORDER_H
#include "base/buf.h"
#include "trust/identity.h"

struct cert_order {
	X509 *leaf;             /* that which fits the key; a reference */
	STACK_OF(X509) *chain;  /* its issuers in order, without the root; may be empty */
	bool mended;            /* the file's order was another */
	unsigned left_out;      /* did not belong to it (a root counts not) */
	unsigned added;         /* intermediates that the file lacked and we trust anyway */
};
/* 0; EKEYREJECTED: none of them fits the key; ENOMEM. cert_order_free() in any case. `known` (may be NULL) is asked for missing intermediates. */
int cert_order_make(struct cert_order *o, STACK_OF(X509) *all, EVP_PKEY *key, const struct trust_set *known);
void cert_order_free(struct cert_order *o);

/* What a CA gave back, in whatever form, as PEM in its place: PEM stays as it is; DER and PKCS#7 (.p7b, in both forms) are taken apart,
 * what issued none of the others first. EBADMSG: there
 * is no certificate in it, and the buffer is as it was. */
int cert_answer_to_pem(struct buf *b);

#endif
