/* SPDX-License-Identifier: Apache-2.0 */
/* profile_walk.h  A certificate's names, one by one, where they lie: thousands of them cost no memory, and every byte may be a stranger's. */
#ifndef TRUST_PROFILE_WALK_H
#define TRUST_PROFILE_WALK_H
#include <openssl/x509v3.h>
#include "trust/profile_private.h"

enum p_name_kind { P_NAME_CN, P_NAME_DNS, P_NAME_URI, P_NAME_IP };

/* One name, and what stands beside it in the certificate. */
struct p_name {
	enum p_name_kind kind;
	struct text value; /* IP: bytes */
	int index, of;     /* CN: which of how many, in the order of the subject */
	bool last_rdn;     /* CN: the first one of the last RDN that has any */
};
typedef void (p_name_h)(const struct p_name *n, void *arg);

/* Those of the subject; false: one of them cannot be read. */
bool p_walk_cns(const struct p_case *c, p_name_h *each, void *arg);
/* Those of the subjectAltName: `sans` of the certificate, or what is known by its description. */
void p_walk_sans(const struct p_case *c, const GENERAL_NAMES *sans, p_name_h *each, void *arg);
bool p_walk_has_srv(const GENERAL_NAMES *sans);

#endif
