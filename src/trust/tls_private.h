/* SPDX-License-Identifier: Apache-2.0 */
/* tls_private.h  What set.c and tls.c share: a set holds one OpenSSL context a role; they carry the callbacks and no certificate, so that
 * identities can be swapped without making contexts anew.                                                               */
#ifndef TRUST_TLS_PRIVATE_H
#define TRUST_TLS_PRIVATE_H
#include <openssl/ssl.h>
#include "trust/facts.h"
#include "trust/identity.h"

/* A context with the callbacks of tls.c; NULL without memory. */
SSL_CTX *tls_context_new(enum trust_role role);
SSL_CTX *trust_set_context(const struct trust_set *s, enum trust_role role); /* borrowed */
bool trust_set_has_crls(const struct trust_set *s);

#endif
