/* SPDX-License-Identifier: Apache-2.0 */
/* incoming.h  What comes in in another codec than G.711, as 8,000 samples a second with time stamps that count them. A gap of a few packets is filled by the
 * codec's own concealment (Opus: by what the next packet says of it). The decoder lives with the stream; one media thread.   */
#ifndef MEDIA_INCOMING_H
#define MEDIA_INCOMING_H
#include "media/codec.h"
#include "media/rtp.h"

enum { INCOMING_GAP_MS = 60, INCOMING_MAX = (CODEC_PACKET_MS + INCOMING_GAP_MS) * MEDIA_RATE / 1000 /* twice that when wide */ };

struct incoming {
	struct codec_rx *rx;  /* NULL: nothing but G.711 is expected */
	bool wide;            /* it decodes to 16,000 samples a second; stamps count 8,000 all the same */
	bool known;           /* what follows is of a source */
	uint32_t ssrc;
	uint32_t next, next_out; /* stamp that follows what was decoded, in the codec's clock and in ours */
};

/* Takes the decoder over; NULL: none. The old one is freed. */
void incoming_set(struct incoming *in, struct codec_rx *rx);
/* Where in our time a packet stands that is passed on as it is: *ts, and how long it lasts; 0: as below. */
size_t incoming_place(struct incoming *in, const struct rtp_packet *pkt, uint32_t *ts);
/* pcm has room for INCOMING_MAX. How many samples stand there, *ts of the first; 0: nothing of use, or too late. */
size_t incoming_decode(struct incoming *in, const struct rtp_packet *pkt, int16_t *pcm, uint32_t *ts);

#endif
