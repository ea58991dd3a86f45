/* SPDX-License-Identifier: Apache-2.0 */
/* note.h  A MESSAGE (RFC 3428) with a body of one type, for whoever asked for that type: how nodes of one service tell each other something. It is
 * taken over TLS alone, and from nobody's address: the taker looks at the certificate that the other side proved, and says yes or no.
 * Sent by sip_request_send(). Messages of people are no business of ours: any other MESSAGE is refused as before. Loop thread only.      */
#ifndef SIP_NOTE_H
#define SIP_NOTE_H
#include "sip/core.h"

struct sip_note {
	const struct sip_source *src; /* facts and label stand for sure */
	struct text body;
};
/* The way back to the sender. Counted: whoever answers later keeps a reference. */
struct sip_note_way;
/* All borrowed for the call. Every way must be answered, once. */
typedef void (sip_note_h)(const struct sip_note *note, struct sip_note_way *way, void *arg);

/* Bodies of `type`/`subtype` (texts that last) go to h from now on; NULL: to nobody. One at a time. */
void sip_core_notes(struct sip_core *core, const char *type, const char *subtype, sip_note_h *h, void *arg);
/* `sentence` (may be NULL) tells the sender why. Not once the core was destroyed. */
void sip_note_answer(struct sip_note_way *way, unsigned status, const char *sentence);

#endif
