/* SPDX-License-Identifier: Apache-2.0 */
/* profile_match.h  The ways in which verifiers compare a name of a certificate with the one they look for, each as it was read in their source or
 * measured. Pure; any bytes.                                                                                             */
#ifndef TRUST_PROFILE_MATCH_H
#define TRUST_PROFILE_MATCH_H
#include "base/text.h"

struct p_match_uri {
	struct text rest, host; /* "bob@h:5061;x" and "h" */
	bool sip, sips, user;
};
struct p_match_uri p_match_uri(struct text t);
/* "*.example.com" covers "a.example.com". */
bool p_match_label(struct text pattern, struct text wanted);
/* "um*.example.com" or "*um.example.com" as OpenSSL takes them: a star at one end of the left-most label (`within`: anywhere), and no IDN. */
bool p_match_part(struct text pattern, struct text wanted, bool within);
/* Go: a first label of one star, whatever follows. */
bool p_match_first(struct text pattern, struct text wanted);
/* Java: stars anywhere, label by label; a dot must follow the last of them, and "*." is none. */
bool p_match_glob(struct text pattern, struct text wanted);
/* Letters, digits, hyphens: what a star of OpenSSL's stands for, and what Java takes for a host name. */
bool p_match_ldh(struct text t, bool dots);
/* ASCII alone. */
bool p_match_plain(struct text t);

#endif
