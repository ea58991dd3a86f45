/* SPDX-License-Identifier: Apache-2.0 */
/* line.h  Puts what arrives on one line of time: packets in the order of their time stamps, silence where some are missing, so that a
 * recording lasts as long as the call did. What a packet says of its time is believed only within what the clock allows.
 *
 *   packets -> line_put() -> [ window of 512 ms, last 60 ms held back for stragglers ] -> out
 *
 * Pure: time comes as an argument.                                                                                      */
#ifndef MEDIA_LINE_H
#define MEDIA_LINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "media/clip.h"

enum { LINE_WINDOW = 4096, LINE_HOLD = 3 * MEDIA_FRAME };

/* n samples in order; p NULL: that many of silence. */
typedef void (line_out_h)(const uint8_t *p, size_t n, void *arg);

struct line {
	line_out_h *out;
	void *arg;
	enum media_codec law;    /* PCMU or PCMA: of what is put in and comes out */
	bool placed;             /* head_ts is known */
	uint32_t ssrc, head_ts;  /* source, and time stamp of data[0] */
	uint32_t held;           /* samples from there to the last one known */
	int64_t start_us, last_us; /* begin of the line, last packet */
	uint64_t total;          /* samples that went out */
	uint32_t late, leaps;    /* packets not used, stamps not believed */
	uint8_t data[LINE_WINDOW];
};

void line_init(struct line *l, enum media_codec law, int64_t now_us, line_out_h *out, void *arg);
/* `payload` in `codec` (converted if it is the other law). */
void line_put(struct line *l, int64_t now_us, uint32_t ssrc, uint32_t ts, enum media_codec codec, const uint8_t *payload, size_t n);
/* Lets out what waited long enough; silence for the time when nothing came for a second. */
void line_tick(struct line *l, int64_t now_us);
/* Lets out all. */
void line_flush(struct line *l, int64_t now_us);

#endif
