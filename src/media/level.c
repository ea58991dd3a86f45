/* SPDX-License-Identifier: Apache-2.0 */
/* level.c  Power of a frame and a detector of speech. */
#include "media/level.h"
#include <math.h>
#include "media/g711.h"

enum { ABOVE_NOISE = 8, GAP_BELOW = -70, /* the silence that fills gaps is at -72 in A-law */ ALWAYS_SPEECH = -30, FLOOR_AT_FIRST = -65, FRAMES_A_BLOCK = 20, ONSET = 3, HANG = 10 };

float level_power(enum media_codec law, const uint8_t *p, size_t n)
{
	const float *square = g711_squares(law);
	float sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += square[p[i]];
	return n ? sum / (float)n / (32768.0f * 32768.0f) : 0;
}

int8_t level_db(float power)
{
	if (power < 2.6e-10f)
		return LEVEL_NOTHING;
	float db = 10 * log10f(power);
	return (int8_t)lrintf(db > 0 ? 0 : db);
}

void vad_init(struct vad *v, int8_t least_db)
{
	*v = (struct vad){ .least_db = least_db ? least_db : LEVEL_SPEECH, .block_min = 0 };
	memset(v->floor_db, FLOOR_AT_FIRST, sizeof v->floor_db);
}

static int noise_floor(const struct vad *v)
{
	int least = 0;
	for (unsigned i = 0; i < sizeof v->floor_db; i++)
		if (v->floor_db[i] < least)
			least = v->floor_db[i];
	return least;
}

/* Frames of nothing are gaps, not the line's noise: they do not count for the floor. */
static void learn_noise(struct vad *v, int8_t db)
{
	if (db > GAP_BELOW && db < v->block_min)
		v->block_min = db;
	if (++v->in_block < FRAMES_A_BLOCK)
		return;
	v->floor_db[v->block] = v->block_min ? v->block_min : FLOOR_AT_FIRST;
	v->block = (uint8_t)((v->block + 1u) % sizeof v->floor_db);
	v->block_min = 0;
	v->in_block = 0;
}

bool vad_frame(struct vad *v, int8_t db)
{
	int threshold = noise_floor(v) + ABOVE_NOISE;
	if (threshold < v->least_db)
		threshold = v->least_db;
	if (threshold > ALWAYS_SPEECH)
		threshold = ALWAYS_SPEECH;
	learn_noise(v, db);
	if (db > threshold) {
		v->quiet = 0;
		if (v->loud < ONSET)
			v->loud++;
		if (v->loud == ONSET)
			v->speech = true;
	} else {
		v->loud = 0;
		if (v->quiet < HANG)
			v->quiet++;
		if (v->quiet == HANG)
			v->speech = false;
	}
	return v->speech;
}
