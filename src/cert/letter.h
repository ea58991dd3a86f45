/* SPDX-License-Identifier: Apache-2.0 */
/* letter.h  A few words from one node to another, signed by the sender's certificate (CMS, RFC 5652): whoever carries them, the store above all, can
 * neither write nor change one. Nothing in them is secret. Costs time: run on a worker. Any thread.                              */
#ifndef CERT_LETTER_H
#define CERT_LETTER_H
#include <jansson.h>
#include "trust/identity.h"

enum { CERT_LETTER_MAX = 256 << 10, CERT_LETTER_AGE_S = 300 };

/* Appends the signed text (PEM). `words` is a JSON object. */
int cert_letter_seal(struct buf *pem, const json_t *words, const struct trust_identity *sender);
/* Whose it is, as its certificate says, once signature and chain are good: 0; EBADMSG (no letter, or not intact), EKEYREJECTED (the certificate is
 * not trusted, or has no usage of TLS); ENOMEM. The content is the caller's. */
int cert_letter_open(json_t **words, struct trust_cert *sender, struct text pem, const struct trust_set *set, int64_t now_s);
/* Whether that certificate is one of the node `fqdn` of the service: it holds both names as DNS names (service "": only the first). */
bool cert_letter_from(const struct trust_cert *sender, const char *fqdn, const char *service);

#endif
