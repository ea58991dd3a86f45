/* SPDX-License-Identifier: Apache-2.0 */
/* pem.h  Certificates, keys and lists out of PEM text, with bounds; and whole small files. Pure but for the files. Any thread. */
#ifndef TRUST_PEM_H
#define TRUST_PEM_H
#include <openssl/evp.h>
#include <openssl/x509.h>
#include "base/buf.h"

enum { TRUST_PEM_MAX = 1 << 20, TRUST_PEM_CERTS = 4096 };

/* Reads a file of at most the buffer's ceiling: 0; ENOENT, EACCES, EISDIR, EINVAL (a pipe, a device), EMSGSIZE, ENOMEM ... */
int trust_pem_file(struct buf *out, const char *path);
/* All certificates in the text, in its order; at least one: else EBADMSG. The stack is the caller's (sk_X509_pop_free). */
int trust_pem_certs(STACK_OF(X509) **certs, struct text pem);
/* All revocation lists, or one in DER, as they lie on the web; at least one, and each of them whole: else EBADMSG. */
int trust_pem_crls(STACK_OF(X509_CRL) **crls, struct text pem);
/* The private key, which must not be encrypted: 0, EBADMSG. */
int trust_pem_key(EVP_PKEY **key, struct text pem);
/* Appends in PEM form. 0, ENOMEM, EMSGSIZE. */
int trust_pem_put_cert(struct buf *out, X509 *cert);
int trust_pem_put_key(struct buf *out, EVP_PKEY *key); /* PKCS#8, unencrypted; wipe the buffer */
/* Writes a whole file: into a new one beside it with that mode, synced, then renamed over it. 0 or errno. */
int trust_file_write(const char *path, const void *p, size_t n, unsigned mode);

#endif
