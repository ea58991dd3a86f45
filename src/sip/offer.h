/* SPDX-License-Identifier: Apache-2.0 */
/* offer.h  Offer and answer (RFC 3264) for one audio stream over RTP/AVP: G.711 and telephone-event (RFC 4733). Pure: takes parsed
 * descriptions and plain values, writes text, keeps nothing but what stands in struct sdp_session.
 *
 *   their offer  --sdp_answer()-->  our answer + struct sdp_agreed
 *   our offer (sdp_offer())  --their answer--> sdp_accept() --> struct sdp_agreed                                           */
#ifndef SIP_OFFER_H
#define SIP_OFFER_H
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/text.h"
#include "sip/sdes.h"
#include "sip/sdp.h"

enum sdp_codec { SDP_PCMU, SDP_PCMA, SDP_CODECS };
const char *sdp_codec_name(enum sdp_codec c);

/* What we bring along. */
struct sdp_local {
	struct text addr;             /* numeric; the family follows from it */
	uint16_t port;
	uint8_t n_codecs;
	enum sdp_codec codecs[SDP_CODECS]; /* in an answer the offerer's order counts, in an offer this one */
	bool dtmf;                    /* telephone-event 0-15 */
	uint16_t ptime_ms;            /* in an offer; 0: 20 */
	enum sdp_direction direction; /* what we would like; SDP_SENDRECV normally, SDP_SENDONLY to hold */
	struct sdes *sdes;            /* whether the sound is encrypted, and its keys; what is agreed stands in its `next`. NULL: plain only */
};

/* Our side's identity over the life of a dialog: the o= line. Its version grows by one whenever what we say changes (RFC 3264 8). */
struct sdp_session {
	uint64_t id, version;
	uint64_t last;   /* a hash of what was said last; 0: nothing yet */
};
/* `seed` is random or a time: id and first version. */
void sdp_session_init(struct sdp_session *s, uint64_t seed);

enum { SDP_ADDR_SIZE = 46, SDP_LINE_MAX = 256 };
/* What both have agreed upon; a plain value. */
struct sdp_agreed {
	enum sdp_codec codec;
	uint8_t send_pt, recv_pt;       /* of the codec: what we put into packets, what we expect in theirs */
	int16_t send_dtmf_pt, recv_dtmf_pt; /* -1: no telephone-event */
	uint16_t ptime_ms;              /* what to send; theirs if 10..60 and a multiple of 10, else 20 */
	enum sdp_direction direction;   /* ours: SDP_SENDRECV; SDP_RECVONLY: they hold and send (music); SDP_INACTIVE ... */
	bool held;                      /* they do not listen: send nothing */
	char remote_addr[SDP_ADDR_SIZE]; /* numeric; with 0.0.0.0 in the offer it is that, and held */
	uint16_t remote_port, remote_rtcp_port;
	uint8_t index;                  /* which m= line */
};

/* Answers `offer` into *out (appended) and *agreed: the first codec of the offerer's order that we have, on the first usable audio line;
 * all other media with port 0. 0; EBADMSG with a status of 488 when nothing fits: *why's sentence and `at` (for SDP_NO_CODEC: the
 * offered codecs as in rtpmap, see sdp_offered_codecs()); or the buffer's error. */
int sdp_answer(const struct sdp *offer, const struct sdp_local *local, struct sdp_session *s, struct buf *out, struct sdp_agreed *agreed,
               struct sip_refusal *why);
/* Writes an offer: one audio line. PCMU is 0, PCMA 8, telephone-event 101. 0 or the buffer's error. */
int sdp_offer(const struct sdp_local *local, struct sdp_session *s, struct buf *out);
/* Judges their answer to what sdp_offer() wrote from the same `local`. */
int sdp_accept(const struct sdp *answer, const struct sdp_local *local, struct sdp_agreed *agreed, struct sip_refusal *why);
/* "G722, opus/48000/2, telephone-event": the codecs of the audio lines, for the sentence of a 488. Cut to size. Returns dst. */
char *sdp_offered_codecs(const struct sdp *offer, char *dst, size_t size);

#endif
