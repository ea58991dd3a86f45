/* SPDX-License-Identifier: Apache-2.0 */
/* corpus.h  The recordings to learn from: each at several speeds (other speakers, as it were), with what the acoustic model would have liked
 * to get beside what a telephone leaves of it.                                                                                              */
#ifndef SPEECH_CORPUS_H
#define SPEECH_CORPUS_H
#include <stddef.h>
#include <stdint.h>
#include "channel.h"
#include "umbel-speech/front_net.h"

enum { CORPUS_SPEEDS = 3 };

struct take { /* a recording at one speed */
	struct sound narrow;      /* 8 kHz, before the telephone */
	float (*want)[NET_OUT];   /* wide-band cepstra, their mean over speech taken away */
	uint8_t *weight;          /* 1 speech, 0 none */
	size_t frames;
};

struct corpus {
	struct take *takes; /* CORPUS_SPEEDS for each recording */
	size_t recordings;
	double seconds; /* of the recordings, at their own speed */
};

/* `list`: a path a line. */
int corpus_load(struct corpus *c, const char *list, uint64_t seed);
/* Raises the first cepstrum of all that is wanted. */
void corpus_lift(struct corpus *c, float lift);
void corpus_free(struct corpus *c);
/* What the product would see of a take on a line that is drawn by chance: take->frames rows of MEL_BANDS. */
int corpus_hear(float *bands, const struct take *t, struct chance *chance);

#endif
