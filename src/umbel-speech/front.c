/* SPDX-License-Identifier: Apache-2.0 */
/* front.c  Which kind of front end, and what they share. */
#include "umbel-speech/front.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
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

int front_cepstra(struct front *f, const int16_t *pcm, size_t n, float (**cep)[FRONT_CEPSTRA], size_t *frames)
{
	if (n < SHORTEST || n > (size_t)FRONT_SECONDS_MAX * FRONT_RATE)
		return EINVAL;
	return f->kind->cepstra(f, pcm, n, cep, frames);
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
