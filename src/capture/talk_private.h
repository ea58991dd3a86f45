/* SPDX-License-Identifier: Apache-2.0 */
/* talk_private.h  The parts of talk.c. */
#ifndef CAPTURE_TALK_PRIVATE_H
#define CAPTURE_TALK_PRIVATE_H
#include "capture/talk.h"

enum { CAP_TLS12 = 0x0303, CAP_TLS13 = 0x0304 };

/* `from`: the side that sent the packet. ENOMEM. */
int cap_talk_tls(struct cap_talk *t, const struct cap_line *l, unsigned from, int64_t us);
void cap_talk_sip(struct cap_talk *t, const struct cap_line *l, unsigned from, int64_t us);
/* The sides were taken the wrong way round. */
void cap_talk_swap(struct cap_talk *t);

#endif
