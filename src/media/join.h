/* SPDX-License-Identifier: Apache-2.0 */
/* join.h  Two ports joined: what one hears, the other says. A pipe each way, filled by the media thread of one port and emptied by that of the
 * other, without locks; whichever lets go last frees it.
 *
 *   packets -> join_put() -> [ at most 256 ms ] -> join_take() -> a frame every 20 ms
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
	uint16_t sample[JOIN_ROOM]; /* the law in the high byte: it may change within a call */
};
struct media_join { /* an object: mem_ref, mem_unref */
	struct join_pipe pipe[2];
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
/* One frame in `codec`; false: there is nothing to say now. */
bool join_take(struct join_end *e, enum media_codec codec, uint8_t dst[MEDIA_FRAME]);

#endif
