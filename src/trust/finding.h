/* SPDX-License-Identifier: Apache-2.0 */
/* finding.h  What is questionable in a certificate by itself, whoever judges it: for looking at files (findings.def). Pure. Any thread. */
#ifndef TRUST_FINDING_H
#define TRUST_FINDING_H
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

struct trust_finding {
	const char *name;   /* stable: "no-san" */
	bool grave;         /* somebody will refuse it for that */
	char sentence[512];
	const char *fix;
};
typedef void (trust_finding_h)(const struct trust_finding *f, void *arg);
/* Calls `each` for each finding, in the order of time, usages, names, key and chain. `chain`: what stands behind the leaf, may be NULL.
 * Gives how many. */
unsigned trust_findings(X509 *leaf, STACK_OF(X509) *chain, int64_t now_s, trust_finding_h *each, void *arg);

#endif
