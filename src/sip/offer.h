/* SPDX-License-Identifier: Apache-2.0 */
/* offer.h  Offer and answer (RFC 3264) for one audio stream over RTP/AVP: its codec, and telephone-event (RFC 4733) beside it. Pure: takes parsed
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

enum sdp_codec { SDP_PCMU, SDP_PCMA, SDP_G722, SDP_OPUS, SDP_L16, SDP_L16_WIDE, SDP_CODECS };
const char *sdp_codec_name(enum sdp_codec c); /* as rtpmap has it */
/* What a configuration writes: "pcmu", "opus", "l16-16k" ... False: none of them. */
bool sdp_codec_of_word(struct text word, enum sdp_codec *c);

/* Which codecs, and whose order counts when we answer. Without `strict` it is the offerer's, but for one thing: G.711 comes before the others. It
 * costs a hundredth of what they cost, nearly all that is played and recorded has 8,000 samples a second anyway, and what it recorded is stored as it
 * came. Who wants the others first says so; then our own order counts. What we offer ourselves has our order, and by default G.711 alone: there is nobody who
 * does not take it, and an INVITE has to fit into a datagram. */
struct sdp_codecs {
	uint8_t n;
	bool strict;
	enum sdp_codec v[SDP_CODECS];
};
extern const struct sdp_codecs sdp_codecs_default; /* what is answered: PCMU, PCMA, G722, opus */

/* What we bring along. */
struct sdp_local {
	struct text addr;             /* numeric; the family follows from it */
	uint16_t port;
	const struct sdp_codecs *codecs; /* NULL: the default */
	bool dtmf;                    /* telephone-event 0-15 */
	bool comfort;                 /* comfort noise */
	uint16_t ptime_ms;            /* in an offer; 0: 20 */
	enum sdp_direction direction; /* what we would like; SDP_SENDRECV normally, SDP_SENDONLY to hold */
	struct sdes *sdes;            /* whether the sound is encrypted, and its keys; what is agreed stands in its `next`. NULL: plain only */
};

/* Our side's identity over the life of a dialog: the o= line. Its version grows by one whenever what we say changes (RFC 3264 8). */
struct sdp_session {
	uint64_t id;
	uint64_t last;   /* a hash of what was said last; 0: nothing yet */
	uint32_t changes; /* the version is the id and so many more */
	uint8_t before, behind; /* how many lines of theirs were refused on either side of the one in use */
};
/* `seed` is random or a time: id and first version. */
void sdp_session_init(struct sdp_session *s, uint64_t seed);

enum { SDP_ADDR_SIZE = 46, SDP_LINE_MAX = 256, SDP_COMFORT_PT = 13 /* of both sides (RFC 3389 4, RFC 3551 table 4) */ };
/* What both have agreed upon; a plain value. */
struct sdp_agreed {
	enum sdp_codec codec : 8;
	enum sdp_direction direction : 8; /* ours: SDP_SENDRECV; SDP_RECVONLY: they hold and send (music); SDP_INACTIVE ... */
	uint8_t send_pt, recv_pt;       /* of the codec: what we put into packets, what we expect in theirs */
	int16_t send_dtmf_pt, recv_dtmf_pt; /* -1: no telephone-event */
	bool comfort;                   /* comfort noise both ways, by SDP_COMFORT_PT */
	uint16_t dtmf_khz;              /* clock of its time stamps: the codec's (RFC 4733 2.1), or 8 where they offer no other */
	uint16_t ptime_ms;              /* what to send; theirs if 10..60 and a multiple of 10, else 20 */
	uint16_t remote_port, remote_rtcp_port;
	bool held;                      /* they do not listen: send nothing */
	uint8_t index;                  /* which m= line */
	char remote_addr[SDP_ADDR_SIZE]; /* numeric; with 0.0.0.0 in the offer it is that, and held */
};

/* Answers `offer` into *out (appended) and *agreed: a codec that both have (struct sdp_codecs), on the first usable audio line;
 * all other media with port 0. 0; EBADMSG with a status of 488 when nothing fits: *why's sentence and `at` (for SDP_NO_CODEC: the
 * offered codecs as in rtpmap, see sdp_offered_codecs()); or the buffer's error. */
int sdp_answer(const struct sdp *offer, const struct sdp_local *local, struct sdp_session *s, struct buf *out, struct sdp_agreed *agreed,
               struct sip_refusal *why);
/* Writes an offer: one audio line. Dynamic payload types: opus 96, L16 97, L16/16000 98; telephone-event 101, at 48 kHz 100, at 16 kHz 99. 0 or the
 * buffer's error. */
int sdp_offer(const struct sdp_local *local, struct sdp_session *s, struct buf *out);
/* Judges their answer to what sdp_offer() wrote from the same `local`. */
int sdp_accept(const struct sdp *answer, const struct sdp_local *local, struct sdp_agreed *agreed, struct sip_refusal *why);
/* "G722, opus/48000/2, telephone-event": the codecs of the audio lines, for the sentence of a 488. Cut to size. Returns dst. */
char *sdp_offered_codecs(const struct sdp *offer, char *dst, size_t size);
/* "PCMU, opus". NULL: the default. Cut to size. Returns dst. */
char *sdp_codecs_text(const struct sdp_codecs *c, char *dst, size_t size);

#endif
