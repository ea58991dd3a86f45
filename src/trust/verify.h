/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h  Judges a chain from files as a live connection would (judge.h): for `umbel cert verify` and for examining a certificate before
 * its use. Pure but for memory. Any thread.                                                                             */
#ifndef TRUST_VERIFY_H
#define TRUST_VERIFY_H
#include "base/text.h"
#include "event/report.h"
#include "trust/chain.h"
#include "trust/explain.h"
#include "trust/facts.h"

struct trust_verify_prm {
	struct text ca_pem;             /* the roots */
	struct text chain_pem;          /* leaf first */
	struct text crl_pem;            /* TEXT_NONE: revocation is not checked */
	struct text ocsp_der;           /* an OCSP response about the leaf, as a server would staple it; TEXT_NONE: none */
	enum trust_staple staple;       /* OFF: ASK when there is a response */
	const char *const *names;       /* accepted; n_names 0 with any_name = false accepts nobody */
	unsigned n_names;
	bool any_name;                  /* judge the chain only */
	enum trust_rule_kind rule;
	bool as_client;                 /* what the shown certificate is used as: client, else server */
	int64_t time_s;
	int depth;                      /* the most intermediates allowed; < 0: OpenSSL's default */
	bool strict;                    /* every MUST of RFC 5280's profile */
	enum trust_revocation revocation; /* with crl_pem */
};
/* 0: judged, *accepted says how, and facts and verdict (each may be NULL) tell why. EBADMSG with `why`: a file cannot be read. ENOMEM. */
int trust_verify(const struct trust_verify_prm *prm, bool *accepted, struct trust_facts *facts, struct trust_verdict *verdict,
		 struct ev_report *why);
/* The stable name of the outcome: "accepted", else the verdict's. */
const char *trust_verify_name(bool accepted, const struct trust_verdict *v);

#endif
