/* SPDX-License-Identifier: Apache-2.0 */
/* offline.h  What a verification of files works on, read from PEM: for verify.c and profile_verify.c. Pure but for memory. Any thread. */
#ifndef TRUST_OFFLINE_H
#define TRUST_OFFLINE_H
#include <openssl/x509.h>
#include "trust/verify.h"

struct trust_offline {
	STACK_OF(X509) *roots, *chain; /* chain: as in the file, leaf first; at least one */
	STACK_OF(X509_CRL) *crls;      /* NULL: none were given */
	X509_STORE *store;             /* roots and lists; no flags are set */
};

/* 0; EBADMSG with `why`: a file cannot be read; ENOMEM. trust_offline_free() in any case. `o` is zeroed before. */
int trust_offline_read(struct trust_offline *o, const struct trust_verify_prm *prm, struct ev_report *why);
void trust_offline_free(struct trust_offline *o);

#endif
