/* SPDX-License-Identifier: Apache-2.0 */
/* judge_private.h  The parts of judge.c. */
#ifndef CAPTURE_JUDGE_PRIVATE_H
#define CAPTURE_JUDGE_PRIVATE_H
#include "capture/judge.h"

enum { CAP_TLS13_NUMBER = 0x0304 };
/* What the profile of the other side says of our certificate. */
void cap_judge_profile(struct cap_judgement *j, const struct cap_talk *t);
/* What another conversation with the same peer proves about this one. */
void cap_judge_second(struct cap_judgement *j, const struct cap_book *b, const struct cap_talk *t);

#endif
