/* SPDX-License-Identifier: Apache-2.0 */
/* front.c  Which kind of front end, and what they share. */
#include "umbel-speech/front.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "umbel-speech/front_mel.h"
#include "umbel-speech/front_private.h"

enum { SHORTEST = FRONT_RATE / 20 };

int front_open(struct front **fp, const char *model_path)
{
	return model_path ? front_trained_open(fp, model_path) : front_stock_open(fp);
}

void front_close(struct front *f)
{
	if (f)
		f->kind->close(f);
}

const char *front_name(const struct front *f)
{
	return f->kind->name;
}

/* A line without noise (comfort noise left out, packets not sent) is silent to the last bit, which no acoustic model has ever heard: the names are
 * found, and then refused, since that silence is like no speech. So every line gets a hiss, this far under what is loud: the same one each time. */
static const float hiss_db = 40;

static int hissing(int16_t **out, const int16_t *pcm, size_t n)
{
	float rms;
	int err = mel_loudness(&rms, pcm, n);
	int16_t *x = err ? NULL : mem_alloc(n * sizeof *x);
	if (!x)
		return ENOMEM;
	float peak = sqrtf(3) * powf(10, -hiss_db / 20) * rms; /* of what is equally likely from -peak to peak */
	uint32_t state = 1; /* a linear congruential generator: its upper bits are random enough for that */
	for (size_t i = 0; i < n; i++) {
		state = state * 1664525 + 1013904223;
		float v = (float)pcm[i] + peak * ((float)(state >> 8) / (1 << 23) - 1);
		x[i] = (int16_t)lrintf(fmaxf(INT16_MIN, fminf(INT16_MAX, v)));
	}
	*out = x;
	return 0;
}

int front_cepstra(struct front *f, const int16_t *pcm, size_t n, float (**cep)[FRONT_CEPSTRA], size_t *frames)
{
	int16_t *heard;
	if (n < SHORTEST || n > (size_t)FRONT_SECONDS_MAX * FRONT_RATE)
		return EINVAL;
	int err = hissing(&heard, pcm, n);
	if (err)
		return err;
	err = f->kind->cepstra(f, heard, n, cep, frames);
	mem_free(heard);
	return err;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return x < y ? -1 : x > y;
}

void front_zero_mean(float (*cep)[FRONT_CEPSTRA], size_t frames)
{
	double sum[FRONT_CEPSTRA] = { 0 };
	size_t counted = 0;
	float *c0 = mem_alloc(frames * sizeof *c0), median = -1e30f;
	for (size_t i = 0; c0 && i < frames; i++)
		c0[i] = cep[i][0];
	if (c0 && frames) {
		qsort(c0, frames, sizeof *c0, by_value);
		median = c0[frames / 2];
	}
	mem_free(c0);
	for (size_t i = 0; i < frames; i++)
		if (cep[i][0] >= median) {
			for (unsigned k = 0; k < FRONT_CEPSTRA; k++)
				sum[k] += (double)cep[i][k];
			counted++;
		}
	for (size_t i = 0; counted && i < frames; i++)
		for (unsigned k = 0; k < FRONT_CEPSTRA; k++)
			cep[i][k] -= (float)(sum[k] / (double)counted);
}
