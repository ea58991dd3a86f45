/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp.h  What an OCSP response (RFC 6960) says of a certificate: one that a server stapled to its handshake (RFC 6066 8), or a file. No
 * network: nobody is asked. Pure; any thread.                                                                          */
#ifndef TRUST_OCSP_H
#define TRUST_OCSP_H
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include "trust/wellformed.h"

/* What a connection that we open asks of the peer's staple. */
enum trust_staple {
	TRUST_STAPLE_OFF,     /* not asked for */
	TRUST_STAPLE_ASK,     /* asked for; one that says "revoked" refuses, a missing or useless one does not, unless the certificate says that
	                       * there must be one (RFC 7633) */
	TRUST_STAPLE_REQUIRE, /* there must be one, and it must say "good" */
};

enum trust_ocsp {
	TRUST_OCSP_NONE, /* there is no response */
	TRUST_OCSP_GOOD,
	TRUST_OCSP_REVOKED,
	TRUST_OCSP_UNKNOWN,    /* the responder does not know the certificate */
	TRUST_OCSP_MALFORMED,  /* it cannot be read */
	TRUST_OCSP_UNANSWERED, /* the responder says that it cannot answer: try later, unauthorized ... */
	TRUST_OCSP_OF_ANOTHER, /* it speaks of other certificates */
	TRUST_OCSP_FORGED,     /* not signed by the issuer, nor by one whom it authorized */
	TRUST_OCSP_OLD,        /* out of date, or not valid yet */
};
/* "good", "revoked" ...: stable. And the fault that it is for whom a response must be good; TRUST_FAULT_NONE for GOOD. */
const char *trust_ocsp_name(enum trust_ocsp o);
enum trust_fault trust_ocsp_fault(enum trust_ocsp o);

/* `issuer` is the one of the verified chain. `until_s` (may be NULL): till when the answer holds, 0 if there is none. */
enum trust_ocsp trust_ocsp_judge(const uint8_t *der, size_t n, X509 *cert, X509 *issuer, int64_t now_s, int64_t *until_s);
/* Whether a response of ours is worth handing out: it says "good" of this certificate, and now. Its signature is not looked at; they who ask will. */
bool trust_ocsp_fits(const uint8_t *der, size_t n, const X509 *cert, int64_t now_s);
/* Whether the certificate says that a response must be stapled (RFC 7633). */
bool trust_ocsp_must(const X509 *cert);
/* The policy: TRUST_FAULT_NONE if the connection may stand. */
enum trust_fault trust_staple_judge(enum trust_staple policy, enum trust_ocsp o, const X509 *cert);

#endif
