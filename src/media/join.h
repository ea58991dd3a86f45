/* SPDX-License-Identifier: Apache-2.0 */
/* join.h  Two ports joined: what one hears, the other says. A pipe each way, filled by the media thread of one port and emptied by that of the
 * other, without locks; whichever lets go last frees it.
 *
 *   packets -> join_put() -> [ at most 256 ms ] -> join_take() -> a frame every 20 ms
 *
 * A place in a pipe is an eighth of a millisecond: a sample of G.711, or, where both sides speak the same other codec, what its payload has for that time (a
 * byte of G.722; two bytes of a packet of Opus that lasts 20 ms). Otherwise who puts has decoded, and who takes encodes.
 *
 * The emptying side holds 60 ms back before it begins, and again after it ran dry: that hides the jitter of the packets' way. More than 180 ms
 * that piled up are skipped. Late packets are left out, a short gap becomes silence, so that both sides keep step.      */
#ifndef MEDIA_JOIN_H
#define MEDIA_JOIN_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "media/clip.h"

enum { JOIN_ROOM = 2048, JOIN_HOLD = 3 * MEDIA_FRAME, JOIN_MOST = 9 * MEDIA_FRAME };

struct join_pipe {
	atomic_uint head, tail;  /* taken, put: counts that never end */
	uint32_t sample[JOIN_ROOM]; /* what it is above 16 bits of it: that may change within a call */
};
struct media_join { /* an object: mem_ref, mem_unref */
	struct join_pipe pipe[2];
	atomic_uint speaks[2];   /* codec that a side sends and expects, and one; 0: not known */
};
/* What a port keeps of it. */
struct join_end {
	struct media_join *join; /* a reference; NULL: not joined */
	unsigned side;           /* puts into pipe[side], takes from the other */
	bool placed, flows;      /* next_ts is known; the hold is over */
	uint32_t ssrc, next_ts;
};

struct media_join *media_join_new(void);
/* The reference is taken over; NULL lets go. */
void join_set(struct join_end *e, struct media_join *join, unsigned side);
void join_put(struct join_end *e, uint32_t ssrc, uint32_t ts, enum media_codec codec, const uint8_t *p, size_t n);
/* What this side speaks from now on. */
void join_speaks(struct join_end *e, enum media_codec codec);
/* A payload of `codec` that lasts n samples of 8,000 a second, as it is: false if the other side could not say it so; then it is to be decoded. */
bool join_put_payload(struct join_end *e, uint32_t ssrc, uint32_t ts, enum media_codec codec, const uint8_t *p, size_t n_bytes, size_t n);
/* A frame of payload that was put so; false: there is none now, but perhaps something else. */
bool join_take_payload(struct join_end *e, enum media_codec codec, uint8_t *dst, size_t *n_bytes);
/* One frame in a law; false: there is nothing to say now. */
bool join_take(struct join_end *e, enum media_codec codec, uint8_t dst[MEDIA_FRAME]);

#endif
