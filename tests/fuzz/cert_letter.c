/* SPDX-License-Identifier: Apache-2.0 */
/* cert_letter.c  What comes out of the store under another node's name: letters, and the requests and chains in them. */
#include <stdlib.h>
#include "base/mem.h"
#include "cert/judge.h"
#include "cert/letter.h"
#include "cert/order.h"
#include "trust/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct trust_set *set;
	static struct cert_names allowed;
	static EVP_PKEY *key;
	struct trust_cert sender;
	STACK_OF(X509) *certs;
	json_t *words = NULL;
	char error[256];
	struct text t = text_make(data, size);
	if (!set) {
		if (trust_set_create(&set))
			abort();
		key = EVP_EC_gen("P-256");
		cert_names_for(&allowed, NULL, "node01.domain.local", "um.domain.local");
	}
	if (cert_letter_open(&words, &sender, t, set, 1800000000) == 0)
		abort(); /* nobody is trusted here */
	(void)cert_request_within(t, &allowed, error, sizeof error);
	struct buf answer;
	buf_init(&answer, TRUST_PEM_MAX);
	if (buf_put(&answer, data, size) == 0)
		(void)cert_answer_to_pem(&answer);
	buf_free(&answer);
	if (!trust_pem_certs(&certs, t)) {
		struct cert_order o;
		if (cert_order_make(&o, certs, key, set) == 0)
			abort(); /* nobody has that key */
		cert_order_free(&o);
		sk_X509_pop_free(certs, X509_free);
	}
	return 0;
}
