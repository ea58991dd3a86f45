/* SPDX-License-Identifier: Apache-2.0 */
/* conceal.h  What is said where packets are lost, in the spirit of ITU-T G.711 Appendix I: the last pitch period again and again, for 10 ms as loud as
 * it was, then fading to nothing at 60 ms; and 4 ms of fading over to what comes next. For codecs without a concealment of their own.
 * Pure; on 16 bit samples of any rate up to 16 kHz.                                                                     */
#ifndef MEDIA_CONCEAL_H
#define MEDIA_CONCEAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONCEAL_RATE_MAX = 16000, CONCEAL_HISTORY = CONCEAL_RATE_MAX * 30 / 1000, CONCEAL_PITCH = CONCEAL_RATE_MAX * 15 / 1000, CONCEAL_MS = 60 };

struct conceal {
	unsigned rate;                /* samples a second */
	unsigned n;                   /* of history, at the end of it */
	unsigned missing;             /* samples made up since the last good one */
	unsigned pitch, at;           /* of period */
	int16_t step;                 /* what lies between the last sample and the period's first */
	int16_t history[CONCEAL_HISTORY], period[CONCEAL_PITCH];
};

void conceal_init(struct conceal *p, unsigned rate);
/* Samples that came. After a gap their beginning is changed, so that it goes on from what was made up: true then. */
bool conceal_good(struct conceal *p, int16_t *pcm, size_t n);
/* n samples for what is missing; a gap may be filled piece by piece. Zeros after CONCEAL_MS of it. */
void conceal_lost(struct conceal *p, int16_t *dst, size_t n);

#endif
