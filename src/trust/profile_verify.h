/* SPDX-License-Identifier: Apache-2.0 */
/* profile_verify.h  A chain from files judged as a verifier of profiles.def would, its checks switched on: for `umbel cert verify --profile`. Pure
 * but for memory. Any thread.                                                                                           */
#ifndef TRUST_PROFILE_VERIFY_H
#define TRUST_PROFILE_VERIFY_H
#include "trust/profile.h"
#include "trust/verify.h"

/* `prm->rule` and `prm->any_name` are not looked at; the names are what it dials (any of them) or, for a list, what it knows. 0: *a tells;
 * EBADMSG with `why`: a file cannot be read. ENOMEM. */
int trust_profile_verify(const struct trust_profile *p, const struct trust_verify_prm *prm, struct trust_answer *a, struct ev_report *why);

#endif
