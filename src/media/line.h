/* SPDX-License-Identifier: Apache-2.0 */
/* line.h  Puts what arrives on one line of time: packets, already in order, each where its time stamp says, silence where none are, so that a
 * recording lasts as long as the call did. Time stamps rule: a sender whose clock is fast or slow is neither cut nor stretched; but what a packet
 * says of its time is believed only within what our clock allows.
 *
 *   jitter.h, conceal.h -> line_put() -> out
 *
 * Pure: time comes as an argument.                                                                                      */
#ifndef MEDIA_LINE_H
#define MEDIA_LINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "media/clip.h"

enum { LINE_MOST = 2048 }; /* ticks a packet. A tick is an eighth of a millisecond: a byte of a law, or two samples of MEDIA_L16_WIDE */

/* n ticks in order; p NULL: that many of silence. */
typedef void (line_out_h)(const uint8_t *p, size_t n, void *arg);

struct line {
	line_out_h *out;
	void *arg;
	enum media_codec law;    /* PCMU, PCMA or L16_WIDE: of what comes out */
	unsigned unit;           /* bytes a tick of it */
	bool placed;             /* head_ts is known */
	uint32_t ssrc, head_ts;  /* source, and the time stamp that follows what went out */
	int64_t start_us, last_us; /* begin of the line, last packet */
	uint64_t total;          /* samples that went out */
	uint64_t filled;         /* of them, silence since the last packet that only our clock asked for */
	uint32_t late, leaps;    /* packets not used, stamps not believed */
};

void line_init(struct line *l, enum media_codec law, int64_t now_us, line_out_h *out, void *arg);
/* `payload` of n ticks in `codec`: that of the line, or the other law. */
void line_put(struct line *l, int64_t now_us, uint32_t ssrc, uint32_t ts, enum media_codec codec, const uint8_t *payload, size_t n);
/* Silence for the time when nothing came for a second. */
void line_tick(struct line *l, int64_t now_us);
/* The same up to now. */
void line_flush(struct line *l, int64_t now_us);

#endif
