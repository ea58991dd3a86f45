/* SPDX-License-Identifier: Apache-2.0 */
/* audio.h  Is this the sound that was played? Normalised cross-correlation of two recordings at 8 kHz over a range of lags. */
#ifndef TESTS_AUDIO_H
#define TESTS_AUDIO_H
#include <stddef.h>
#include <stdint.h>

struct audio_match {
	double correlation; /* -1 ... 1; 1 is the same sound, whatever its level */
	long lag;           /* samples by which b is later than a */
	size_t overlap;     /* samples compared at that lag */
};

/* The best match of the shorter of the two inside the longer. Silence matches nothing (0). */
struct audio_match audio_compare(const int16_t *a, size_t na, const int16_t *b, size_t nb, long max_lag);
/* Something that correlates with nothing but itself: a sweep with noise, speech-like in level; reproducible by seed. */
void audio_make(int16_t *pcm, size_t n, unsigned seed);
double audio_rms(const int16_t *pcm, size_t n);

#endif
