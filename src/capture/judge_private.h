/* SPDX-License-Identifier: Apache-2.0 */
/* judge_private.h  The parts of judge.c. */
#ifndef CAPTURE_JUDGE_PRIVATE_H
#define CAPTURE_JUDGE_PRIVATE_H
#include "capture/judge.h"

enum { CAP_TLS13_NUMBER = 0x0304, CAP_OPEN_MS = 2000 };
/* What the profile of the other side says of our certificate. */
void cap_judge_profile(struct cap_judgement *j, const struct cap_talk *t);
/* What another conversation with the same peer proves about this one. */
void cap_judge_second(struct cap_judgement *j, const struct cap_book *b, const struct cap_talk *t);
/* judge_limits.c: facts that the capture cannot carry are taken back; then, of the verdict, how sure it can be. */
void cap_judge_limits(struct cap_judgement *j, const struct cap_talk *t);
void cap_judge_doubt(struct cap_judgement *j, const struct cap_talk *t);

bool cap_speaks_tls(const struct cap_side *s);
/* A request in the clear to the port of TLS, and not a word back. */
bool cap_plain_to_silent_tls(const struct cap_talk *t);
/* How many names a certificate has, the CN among them. */
unsigned cap_names_of(const struct trust_cert *c);

#endif
