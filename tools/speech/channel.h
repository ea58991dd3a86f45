/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h  From a studio to the far end of a telephone: rates, bands, levels, noise, G.711. For the trainer and the benchmark; the
 * product has no use for it. Samples are floats in the range of 16 bit. Chance comes from a counter of one's own: the same seed, the same sound. */
#ifndef SPEECH_CHANNEL_H
#define SPEECH_CHANNEL_H
#include <stddef.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};
struct chance chance_of(uint64_t seed, uint64_t number);
uint32_t chance_u32(struct chance *c);
float chance_between(struct chance *c, float low, float high);
float chance_normal(struct chance *c); /* nearly: the sum of twelve */

struct sound {
	float *x; /* mem_free */
	size_t n;
};

/* As if played `speed` times as fast, 0.5 to 3: pitch and formants move along. With 2 a rate of 16 kHz becomes 8 kHz. */
int sound_resample(struct sound *out, const float *x, size_t n, double speed);

struct channel {
	float low_hz, high_hz; /* the band that remains, second order and 32 taps; at 8 kHz */
	float tilt;            /* -0.5 .. 0.5: dull .. bright */
	float snr_db;          /* within the band, against the loudest third of the speech; over 90: no noise */
	float pink;            /* 0 .. 1: how much of the noise's amplitude is pink, the rest white */
	float level_dbfs;      /* of the loudest third */
	int law;               /* 0 PCMU, 1 PCMA, -1 neither */
};
/* 8 kHz in, 8 kHz out. */
int channel_pass(int16_t *out, const float *in, size_t n, const struct channel *c, struct chance *chance);

/* A file by its ending: .g722 (64 kbit/s), .wav (16 bit, one channel, 16 kHz) or bare samples, 16 bit little endian at 16 kHz. */
int sound_load(struct sound *out, const char *path);

#endif
