/* SPDX-License-Identifier: Apache-2.0 */
/* trust_pem.c  Files that an administrator was given: certificates, lists, keys. */
#include <stdlib.h>
#include "trust/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	STACK_OF(X509) *certs;
	STACK_OF(X509_CRL) *crls;
	EVP_PKEY *key;
	struct text t = text_make(data, size);
	if (!trust_pem_certs(&certs, t)) {
		if (sk_X509_num(certs) < 1)
			abort();
		sk_X509_pop_free(certs, X509_free);
	}
	if (!trust_pem_crls(&crls, t))
		sk_X509_CRL_pop_free(crls, X509_CRL_free);
	if (!trust_pem_key(&key, t))
		EVP_PKEY_free(key);
	return 0;
}
