/* SPDX-License-Identifier: Apache-2.0 */
/* authority.h  What a private CA remembers, and how it takes a certificate back.
 *
 * Beside the CA's certificate (ca.pem) lie its key (ca.key), its journal (ca.index) and its revocation list (ca.crl, PEM). The journal is only ever
 * appended to, a line a fact, each synced before anybody gets the certificate: what was issued can always be revoked. Costs time: run on a
 * worker. Any thread; several processes may use one authority.                                                              */
#ifndef CERT_AUTHORITY_H
#define CERT_AUTHORITY_H
#include <openssl/x509.h>
#include "base/clock.h"
#include "event/report.h"

enum { CERT_SERIAL_SIZE = 64, CERT_CRL_DAYS = 7, CERT_CDP_SIZE = 512 };

struct cert_issued {
	char serial[CERT_SERIAL_SIZE]; /* hexadecimal, upper case */
	char sha256[65];
	char subject[256];
	int64_t issued_s, not_after_s;
	int64_t revoked_s; /* 0: it holds */
	char reason[32];
};

/* Path of a file of the authority: its certificate's with another ending (".key", ".index", ".crl"). Returns dst (512 bytes). */
char *cert_authority_path(const char *ca_cert_file, const char *ending, char *dst);

/* Everything issued, oldest first; what was revoked says so. 0 also without a journal; EBADMSG when it cannot be read as one. */
typedef void (cert_issued_h)(const struct cert_issued *c, void *arg);
int cert_authority_each(const char *ca_cert_file, cert_issued_h *each, void *arg, struct ev_report *why);
/* Where its certificates say that the revocation list is; "" if never said. */
int cert_authority_cdp(const char *ca_cert_file, char *url, size_t size, struct ev_report *why);
int cert_authority_set_cdp(const char *ca_cert_file, const char *url, struct ev_report *why);
/* Notes one that is about to be handed out. */
int cert_authority_issued(const char *ca_cert_file, X509 *leaf, int64_t now_s, struct ev_report *why);

/* Words of RFC 5280 5.3.1: "unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation". */
bool cert_reason_known(const char *reason);
/* Takes back the one of that serial number. ENOENT: this authority has not issued it; EALREADY. The list is made anew by the caller. */
int cert_authority_revoke(const char *ca_cert_file, const char *serial, const char *reason, int64_t now_s, struct ev_report *why);

struct cert_crl_prm {
	const struct um_clock *clock;
	const char *ca_cert_file, *ca_key_file; /* key NULL: beside the certificate */
	unsigned days; /* 0 = CERT_CRL_DAYS: how long verifiers may keep it */
};
/* Makes the list from the journal, and puts it in its place at once. `revoked` (may be NULL): how many it names. */
int cert_crl_make(const struct cert_crl_prm *prm, unsigned *revoked, struct ev_report *why);

#endif
