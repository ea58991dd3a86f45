/* SPDX-License-Identifier: Apache-2.0 */
/* ca.h  A small private certificate authority for a lab or a site that has none: two files. Costs time: run on a worker. Any thread. */
#ifndef CERT_CA_H
#define CERT_CA_H
#include "base/clock.h"
#include "cert/request.h"

enum { CERT_CA_DAYS = 3650, CERT_LEAF_DAYS = 397 };

struct cert_ca_prm {
	const struct um_clock *clock;
	const char *cert_file, *key_file; /* written; the key with mode 0600 */
	const char *cn;                   /* "Umbel CA" if NULL */
	enum cert_key_kind kind;
	unsigned days;                    /* 0 = CERT_CA_DAYS */
};
/* Makes key and self-signed root. EEXIST when one of the files is there already. `root` (may be NULL) gets the certificate in PEM. */
int cert_ca_init(const struct cert_ca_prm *prm, struct buf *root, struct ev_report *why);

struct cert_sign_prm {
	const struct um_clock *clock;
	const char *ca_cert_file, *ca_key_file; /* key NULL: beside the certificate */
	unsigned days;       /* 0 = CERT_LEAF_DAYS; cut to the CA's own end */
	const char *cdp_url; /* CRL distribution point, which Lync wants; NULL or "": the one that the authority was given, if any */
};
/* Checks the request's own signature, then issues what it asks for: subject, names, and both usages or the one of them that it names; notes it in the
 * authority's journal (authority.h). Appends leaf, then the CA's certificate unless it is a root. ENOENT/EACCES, EBADMSG (no request), EKEYREJECTED (its signature or the CA's key), ERANGE (CA expired). */
int cert_ca_sign(struct buf *chain_pem, struct text csr_pem, const struct cert_sign_prm *prm, struct ev_report *why);

#endif
