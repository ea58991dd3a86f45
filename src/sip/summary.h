/* SPDX-License-Identifier: Apache-2.0 */
/* summary.h  Two small bodies: message-summary (RFC 3842), which lights the lamp, and sipfrag (RFC 3420), which tells how a
 * transfer goes (RFC 3515).                                                                                             */
#ifndef SIP_SUMMARY_H
#define SIP_SUMMARY_H
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/text.h"
#include "sip/refusal.h"

struct sip_summary {
	bool waiting;
	struct text account;      /* the mailbox's URI; empty: none */
	bool has_voice;
	uint32_t fresh, old;      /* voice messages: new and heard */
	uint32_t urgent_fresh, urgent_old;
};
#define SIP_SUMMARY_TYPE "application/simple-message-summary"
/* Appends the body. An account with control bytes is EINVAL in the buffer. */
void sip_summary_put(struct buf *b, const struct sip_summary *s);
int sip_summary_parse(struct sip_summary *s, struct text body, struct sip_refusal *why);

#define SIP_SIPFRAG_TYPE "message/sipfrag"
struct sip_sipfrag { unsigned status; struct text phrase; };
/* The status line of a sipfrag body. EBADMSG without one. */
int sip_sipfrag_parse(struct sip_sipfrag *f, struct text body, struct sip_refusal *why);
/* "SIP/2.0 100 Trying". */
void sip_sipfrag_put(struct buf *b, unsigned status, const char *phrase);

#endif
