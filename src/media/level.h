/* SPDX-License-Identifier: Apache-2.0 */
/* level.h  How loud a frame is, and whether somebody speaks. Levels are dBov: 0 is a full-scale square wave, -96 is nothing. Pure. */
#ifndef MEDIA_LEVEL_H
#define MEDIA_LEVEL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "media/clip.h"

enum { LEVEL_NOTHING = -96, LEVEL_SPEECH = -45 };

/* Mean square of n samples in a law, as a share of full scale (0 ... 1). */
float level_power(enum media_codec law, const uint8_t *p, size_t n);
int8_t level_db(float power);

/* Speech is what stands out of the noise: 8 dB over the quietest frame of the last three seconds and over `least_db`, for 60 ms;
 * it ends when it was not so for 200 ms. Very loud frames always count, so that music is not taken for noise. */
struct vad {
	int8_t least_db, floor_db[8], block_min;
	uint8_t block, in_block; /* blocks of 20 frames */
	uint8_t loud, quiet;     /* consecutive frames */
	bool speech;
};
void vad_init(struct vad *v, int8_t least_db); /* 0: LEVEL_SPEECH */
/* One frame of 20 ms; true while somebody speaks. */
bool vad_frame(struct vad *v, int8_t db);

#endif
