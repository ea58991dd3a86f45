/* SPDX-License-Identifier: Apache-2.0 */
/* acoustic.h  The acoustic model of pocketsphinx (phonetically tied mixtures, three streams of 13), read and applied: cepstra in, for each frame the
 * log likelihood of every senone out. An object (mem_ref, mem_unref), immutable; any thread. One serves all decoders: some 12 MB.
 *
 * The library's own decoder tells only what survived its pruning; to compare all names of a directory, and two utterances of one caller, the scores
 * themselves are needed. */
#ifndef SPEECH_ACOUSTIC_H
#define SPEECH_ACOUSTIC_H
#include <stddef.h>
#include <stdint.h>
#include "base/text.h"
#include "umbel-speech/front.h"

enum { ACOUSTIC_STATES = 3, ACOUSTIC_TRANSITIONS_MAX = 64, ACOUSTIC_ANY = 255 };
enum acoustic_place { ACOUSTIC_INSIDE, ACOUSTIC_FIRST, ACOUSTIC_LAST, ACOUSTIC_ALONE }; /* in its word */

/* A phone among others: the senone of each state, and which transitions. */
struct acoustic_unit {
	uint16_t senone[ACOUSTIC_STATES];
	uint8_t transitions;
};

struct acoustic;
/* `folder` holds mdef, means, variances, sendump and transition_matrices; "ADAPTED.means" and "ADAPTED.variances" stand for the folder's where they are
 * (adapted may be NULL). 0; ENOENT, EPROTO, ENOMEM. */
int acoustic_open(struct acoustic **ap, const char *folder, const char *adapted);
unsigned acoustic_senones(const struct acoustic *a);
/* The number of a phone ("AE", "SIL"); -1: there is none of that name. How many there are. */
int acoustic_phone(const struct acoustic *a, struct text name);
unsigned acoustic_phones(const struct acoustic *a);
/* The phone between two others, or the nearest that the model has; left and right may be ACOUSTIC_ANY: without neighbours. */
struct acoustic_unit acoustic_unit(const struct acoustic *a, unsigned phone, unsigned left, unsigned right, enum acoustic_place place);
/* The logarithm of staying in a state, and of leaving it for the next one. */
float acoustic_stay(const struct acoustic *a, const struct acoustic_unit *u, unsigned state);
float acoustic_leave(const struct acoustic *a, const struct acoustic_unit *u, unsigned state);
/* scores: frames rows of acoustic_senones(), 0 for the likeliest of each frame, less for the others. 0 or ENOMEM. */
int acoustic_scores(const struct acoustic *a, float (*cep)[FRONT_CEPSTRA], size_t frames, float *scores);

#endif
