/* SPDX-License-Identifier: Apache-2.0 */
/* front_mel.h  What the network sees of a sound: 22 bands of 200 to 3600 Hz, 100 times a second.
 *
 * The sound's level is set first (the loud part of every utterance comes out alike), then 25.6 ms under a Hamming window
 * every 10 ms, the logarithm of each band's energy, and the mean of the frames that hold speech taken away: what is left
 * of a quiet phone, a loud one and a dull one is nearly the same. The trainer calls this very code.                     */
#ifndef FRONT_MEL_H
#define FRONT_MEL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEL_RATE = 8000, MEL_BANDS = 22, MEL_SHIFT = 80, MEL_WINDOW = 205 };

/* How many frames n samples give; none if there are fewer than a window. */
size_t mel_count(size_t n);
/* `bands` holds mel_count(n) rows of MEL_BANDS. Borrows both only for the call. 0 or ENOMEM. */
int mel_compute(float *bands, const int16_t *pcm, size_t n);
/* The root mean square of the loudest third of its parts of 10 ms; 0 for less than one of them. 0 or ENOMEM. */
int mel_loudness(float *rms, const int16_t *pcm, size_t n);
/* Which of the frames hold speech, by a level for each: louder than two fifths of the way from the floor to the peak. */
int mel_speech(bool *speech, const float *level, size_t frames);

#endif
