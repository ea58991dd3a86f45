/* SPDX-License-Identifier: Apache-2.0 */
/* jitter.h  Packets of one stream in the order in which they were sent. Each comes out once; what comes in order comes out at once, without a
 * copy. Behind a gap packets wait until what is missing came, or was waited for long enough: then it is lost, and the next one says how many were.
 * Nothing here looks at time stamps or payloads.
 *
 *   packets -> jitter_put() -> [ those behind a gap, at most 32 or 5 KiB ] -> out(packet, lost before it)
 *
 * A packet of another source (SSRC), or one whose number leaps (RFC 3550 A.1), is set aside: two in a row that go on from each other are a source
 * that began anew, one alone is a stray. While the source that is known goes on, no other one gets in between.
 * Pure: time comes as an argument.                                                                                       */
#ifndef MEDIA_JITTER_H
#define MEDIA_JITTER_H
#include "media/rtp.h"

enum { JITTER_SLOTS = 32, JITTER_CHUNK = 160, JITTER_CHUNKS = 32, JITTER_ASIDE = 640 };

struct jitter_packet {
	struct rtp_packet rtp; /* its payload is valid during the call */
	uint8_t tag;           /* as it was put, */
	int64_t at_us;         /* and when */
	unsigned lost;         /* packets missing before it */
	bool anew;             /* the first one of a source */
};
typedef void (jitter_out_h)(const struct jitter_packet *p, void *arg);

struct jitter_slot {
	int64_t put_us;
	uint32_t ts;
	uint16_t seq, n;
	uint8_t pt, tag, first; /* first chunk */
};
struct jitter {
	jitter_out_h *out;
	void *arg;
	uint32_t hold_us;
	bool known, has_aside;
	uint32_t ssrc;
	uint16_t next;           /* number that is due */
	uint64_t seen;           /* bit i: number next - 1 - i came */
	uint32_t lost, late, twice, strays;
	unsigned n_slots;
	struct jitter_slot slot[JITTER_SLOTS]; /* by number */
	uint8_t free_first, n_free, link[JITTER_CHUNKS];
	struct jitter_slot aside;
	uint32_t aside_ssrc;
	uint8_t aside_payload[JITTER_ASIDE];
	uint8_t chunk[JITTER_CHUNKS][JITTER_CHUNK];
};

void jitter_init(struct jitter *j, unsigned hold_ms, jitter_out_h *out, void *arg);
void jitter_put(struct jitter *j, int64_t now_us, const struct rtp_packet *pkt, uint8_t tag);
/* From now on what is missing is waited for so long. */
void jitter_hold(struct jitter *j, unsigned hold_ms);
/* Gives up what was waited for long enough. */
void jitter_tick(struct jitter *j, int64_t now_us);
/* All that waits comes out. */
void jitter_flush(struct jitter *j);

#endif
