/* SPDX-License-Identifier: Apache-2.0 */
/* judge.h  The one place where a shown certificate is judged: chain, time and purpose (chain.h), then the name by our policy. Live
 * connections (tls.c) and `umbel cert verify` (verify.c) both come here.                                                */
#ifndef TRUST_JUDGE_H
#define TRUST_JUDGE_H
#include <openssl/x509_vfy.h>
#include "trust/chain.h"
#include "trust/facts.h"
#include "trust/rule.h"

/* Verifies what `ctx` was set up with and writes all it learns into the facts (theirs, tls.verify_*, name). True if accepted; else the
 * context's error says why (X509_V_ERR_HOSTNAME_MISMATCH for a name: the peer is told by alert 42). */
bool trust_judge(X509_STORE_CTX *ctx, const struct trust_chain_rules *rules, const struct trust_policy *policy, struct trust_facts *f,
		 struct trust_judgement *name);

/* The second half where a server stapled an OCSP response (or did not): after trust_judge() accepted, with the verified chain. False: refused,
 * and the facts say why. */
bool trust_judge_staple(STACK_OF(X509) *chain, const struct trust_chain_rules *rules, const uint8_t *der, size_t n, int64_t now_s,
			struct trust_facts *f);

#endif
