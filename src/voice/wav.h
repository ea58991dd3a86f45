/* SPDX-License-Identifier: Apache-2.0 */
/* wav.h  WAV files (RIFF, little endian): 16 bit PCM, or G.711 of either law, one channel or two, at 8 or 16 kHz; read to 8 kHz mono.
 * Prompts that people recorded come from anywhere, so the reader trusts no length in them.                             */
#ifndef VOICE_WAV_H
#define VOICE_WAV_H
#include <stddef.h>
#include <stdint.h>
#include "media/clip.h"

enum { WAV_FILE_MAX = 64 << 20 };

/* What stands in such a file; the sound is borrowed from its bytes. */
struct wav_sound {
	uint16_t format, channels, bits;
	uint32_t rate;
	const uint8_t *data;
	size_t frames;
};
/* Any rate. EBADMSG: not a WAV file, or its lengths lie, but for one that says more than came: streams do; ENOTSUP: a format that we do not read. */
int wav_open(struct wav_sound *s, const uint8_t *p, size_t n);
int16_t wav_frame(const struct wav_sound *s, size_t i); /* one of `frames`; channels are averaged */

/* Samples at 8 kHz (mem_free). EBADMSG: not a WAV file, or its lengths lie; ENOTSUP: a format or rate that we do not read; ENOMEM. */
int wav_parse(const uint8_t *p, size_t n, int16_t **pcm, size_t *n_samples);
/* The same from a file. errno of open and read, EFBIG above WAV_FILE_MAX. Blocks. */
int wav_read(const char *path, int16_t **pcm, size_t *n_samples);
/* 16 bit, 8 kHz, mono; over what was there. Blocks. */
int wav_write(const char *path, const int16_t *pcm, size_t n);
/* Half the rate: a low-pass of 63 taps at 3.6 kHz, then every second sample. dst has room for (n + 1) / 2; returns how many. */
size_t wav_halve(int16_t *dst, const int16_t *src, size_t n);

#endif
