/* SPDX-License-Identifier: Apache-2.0 */
/* resample.h  Sound of any rate as 8 or 16 kHz: what libsamplerate makes of it. For what speaks or reads sound outside of the server's process. Any thread. */
#ifndef VOICE_RESAMPLE_H
#define VOICE_RESAMPLE_H
#include <stddef.h>
#include <stdint.h>

/* Mono samples between -1 and 1, 4 to 192 kHz. *pcm is the caller's (mem_free). ENODATA: nothing is left of it; ENOMEM. */
int resample_8k(const float *in, size_t n, unsigned rate, int16_t **pcm, size_t *n_out);
int resample_to(unsigned to, const float *in, size_t n, unsigned rate, int16_t **pcm, size_t *n_out);

#endif
