/* SPDX-License-Identifier: Apache-2.0 */
/* crls.h  Keeps the revocation lists of private authorities fresh and hands them out. An authority is watched when its certificate is trusted here;
 * its list is made anew here when its key and journal lie beside the certificate and this process may use them, and in any case
 * read again when it changed. Loop thread, but for cert_crls_get().                                                              */
#ifndef CERT_CRLS_H
#define CERT_CRLS_H
#include "event/bus.h"
#include "event/metrics.h"
#include "net/loop.h"
#include "net/pool.h"

struct cert_crls;
struct cert_crls_prm {
	struct loop *loop;
	struct pool *pool; /* signing and files */
	struct ev_bus *bus;
	struct metrics *metrics; /* may be NULL */
};
int cert_crls_create(struct cert_crls **cp, const struct cert_crls_prm *prm);
void cert_crls_destroy(struct cert_crls *c); /* also while the pool works for it */
/* Which certificate files (copied) may have lists beside them; looks at once. */
int cert_crls_watch(struct cert_crls *c, const char *const *ca_files, size_t n);
/* Looks now; every minute it does so by itself. */
void cert_crls_look(struct cert_crls *c);
/* The list NAME ("ca" for /etc/umbel/ca/ca.pem) as DER (RFC 5280 4.2.1.13), appended: 0, ENOENT, ENOMEM. Any thread. */
int cert_crls_get(struct cert_crls *c, struct text name, struct buf *der);

#endif
