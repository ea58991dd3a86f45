/* SPDX-License-Identifier: Apache-2.0 */
/* wellformed.h  Whether one certificate is what RFC 5280 section 4 says a certificate is: encoding, fields, extensions. Signatures, times
 * and names are judged elsewhere (chain.c, rule.c). Pure; any thread.                                                    */
#ifndef TRUST_WELLFORMED_H
#define TRUST_WELLFORMED_H
#include <openssl/x509.h>
#include <stdbool.h>

enum trust_fault {
	TRUST_FAULT_NONE,
#define FAULT(id, verdict, words) TRUST_FAULT_##id,
#include "trust/faults.def"
#undef FAULT
	TRUST_FAULTS
};
/* "its encoding is not DER (RFC 5280 4.1)" */
const char *trust_fault_words(enum trust_fault f);

/* Where in the chain it stands. A root that an administrator chose to trust is a name and a key (RFC 5280 6.1.1 d): what was issued
 * oddly long ago, such as its serial number, is no reason to refuse it. */
struct trust_place {
	bool leaf, anchor;
	bool signs;  /* it issued another certificate of the chain */
	bool strict; /* every MUST of the profile, also those that working peers break */
};
enum trust_fault trust_wellformed(X509 *x, const struct trust_place *at);
/* Whether a wildcard among the DNS names of `x` could stand for a name that the CA's name constraints exclude. OpenSSL compares it as if it
 * were a name like others. */
bool trust_wildcard_excluded(const X509 *x, const X509 *ca);
/* Whether a URI of `x` is written so that OpenSSL would hold something else than its host against the URI constraints of `ca`. */
bool trust_uri_evades(const X509 *x, const X509 *ca);

#endif
