/* SPDX-License-Identifier: Apache-2.0 */
/* chain.h  The way from a shown certificate to a root that is trusted here (RFC 5280 6).
 *
 * OpenSSL verifies; this asks it, looks at each certificate besides (wellformed.h), and where the first way fails tries others: peers send
 * cross-signed, expired and superfluous intermediates, and OpenSSL 3.0 goes back on its steps only where a signature does
 * not fit. No way is accepted that OpenSSL refuses, but for the five mendings of on_error() in chain.c. The search is bounded in
 * signatures and ways, so a chain made to explode costs milliseconds. Any thread; the context has one owner.              */
#ifndef TRUST_CHAIN_H
#define TRUST_CHAIN_H
#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include "trust/ocsp.h"

/* Of revocation lists, when there are any at all. */
enum trust_revocation {
	TRUST_REVOCATION_LEAF, /* the leaf must be covered by a list; an intermediate where there is a list of its issuer */
	TRUST_REVOCATION_FULL, /* every certificate but the root must be covered */
	TRUST_REVOCATION_OFF,  /* lists are not looked at */
};

/* What a store with lists is told. Which missing list is forgiven is decided by the rules. */
enum {
	TRUST_STORE_FLAGS = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_POLICY_CHECK,
	TRUST_CRL_FLAGS = X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL | X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_USE_DELTAS,
};

struct trust_chain_rules {
	bool strict;  /* every MUST of RFC 5280's profile: see trust_place */
	int depth;    /* the most intermediates, those that are self-issued not counted; < 0: as many as OpenSSL takes */
	enum trust_revocation revocation;
	enum trust_staple staple; /* of a server's OCSP response */
};

/* True if a way was found; it is then the context's chain. Else the context's error, depth and current certificate tell why, and *fault
 * more exactly if it is one of ours (the error is then X509_V_ERR_CERT_REJECTED: the peer hears alert 42). */
bool trust_chain_verify(X509_STORE_CTX *ctx, const struct trust_chain_rules *rules, enum trust_fault *fault);

#endif
