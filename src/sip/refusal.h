/* SPDX-License-Identifier: Apache-2.0 */
/* refusal.h  Why something that came over the wire is not accepted: the status to answer with and a sentence, from faults.def. All
 * parsers of this folder take a `struct sip_refusal *why` last, which may be NULL, and return 0 or EBADMSG.             */
#ifndef SIP_REFUSAL_H
#define SIP_REFUSAL_H
#include "base/text.h"

enum sip_fault {
	SIP_FAULT_NONE,
#define FAULT(name, status, sentence) SIP_FAULT_##name,
#include "sip/faults.def"
#undef FAULT
	SIP_FAULTS
};

struct sip_refusal {
	enum sip_fault fault;
	unsigned status;      /* what a request is answered with; a response is dropped instead */
	const char *sentence; /* a literal of faults.def; "" when nothing is refused */
	struct text at;       /* the piece that gave offence, borrowed from the input; may be empty; escape it before showing */
};

/* Fills *why (NULL is allowed) and returns EBADMSG, so that a parser ends with `return sip_refuse(why, SIP_FAULT_URI, t)`. */
int sip_refuse(struct sip_refusal *why, enum sip_fault fault, struct text at);
const char *sip_fault_sentence(enum sip_fault fault);
unsigned sip_fault_status(enum sip_fault fault);
/* "sentence (at)" with the piece escaped and cut; "" when nothing is refused. Returns dst. */
char *sip_refusal_text(const struct sip_refusal *why, char *dst, size_t size);
/* The usual phrase for a status code (RFC 3261 21 and the registry), "Unknown" when there is none. */
const char *sip_status_phrase(unsigned status);

#endif
