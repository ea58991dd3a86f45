/* SPDX-License-Identifier: Apache-2.0 */
/* judge.h  What came back from a CA against what was asked for, and against the rules of every gateway that will see it. No sockets. Worker. */
#ifndef CERT_JUDGE_H
#define CERT_JUDGE_H
#include "cert/plan.h"
#include "trust/identity.h"

struct cert_judge_prm {
	const struct trust_identity *fresh, *old; /* old may be NULL */
	const struct trust_set *set;              /* our anchors, as far as a gateway's are not known */
	const char *fqdn;
	bool serves;        /* it is the default one, shown to those who dial us */
	const struct cert_gateway *gateways;
	unsigned n_gateways;
	const char *target; /* the gateway for whose sake it is done; may be "" */
	int64_t now_s;
	bool force;         /* say it, and let it pass */
};
/* By the profile of each gateway, in both roles. EINVAL: one that takes the present certificate would refuse the new one, or the target would; `why` says
 * which, by which rule, and how sure that is. What is only doubtful goes to `each`. */
int cert_judge(const struct cert_judge_prm *prm, struct ev_report *why, trust_warn_h *each, void *arg);

/* Whether a request asks for nothing but that: this CN, DNS names out of these, and a good signature of its own. EBADMSG, EPERM, with `error` saying
 * what is too much. For requests that nobody looks at before they are signed. */
int cert_request_within(struct text csr_pem, const struct cert_names *allowed, char *error, size_t size);

/* Differences between the certificate and its request (DATA/tls/NAME.csr, when it is of the same key), in words: subject, names, usages; and what is
 * short in its validity. `wanted_cn`, if not empty, takes the place of the request's. Never an error but ENOMEM: a CA may know better. */
int cert_compare_asked(const struct trust_identity *id, const char *data_dir, const char *name, const char *wanted_cn, int64_t now_s, trust_warn_h *each,
		       void *arg);

#endif
