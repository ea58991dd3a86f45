/* SPDX-License-Identifier: Apache-2.0 */
/* channel.c  The telephone line, made of short textbook filters. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "channel.h"
#include "media/g711.h"

enum { SINC = 8, TAPS = 32, RATE = 8000, LOUD_FRAME = 80 };
static const double pi = 3.14159265358979323846;

struct chance chance_of(uint64_t seed, uint64_t number)
{
	struct chance c = { seed * 0x9e3779b97f4a7c15u ^ number * 0xd1342543de82ef95u };
	chance_u32(&c);
	return c;
}

uint32_t chance_u32(struct chance *c) /* splitmix64, its upper half */
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ (z >> 31)) >> 32);
}

float chance_between(struct chance *c, float low, float high)
{
	return low + (high - low) * (float)(chance_u32(c) >> 8) / (float)(1 << 24);
}

float chance_normal(struct chance *c)
{
	float sum = -6;
	for (int i = 0; i < 12; i++)
		sum += (float)(chance_u32(c) >> 8) / (float)(1 << 24);
	return sum;
}

int sound_resample(struct sound *out, const float *x, size_t n, double speed)
{
	enum { STEPS = 256 };
	double cut = speed > 1 ? 1 / speed : 1, width = SINC / cut;
	size_t half = (size_t)ceil(width), count = (size_t)((double)n / speed), table_n = half * STEPS + STEPS + 1;
	float *table = mem_alloc(table_n * sizeof *table), *y = mem_alloc((count + 1) * sizeof *y);
	if (!table || !y) {
		mem_free(table);
		mem_free(y);
		return ENOMEM;
	}
	for (size_t i = 0; i < table_n; i++) {
		double t = (double)i / STEPS, s = t == 0 ? cut : sin(pi * t * cut) / (pi * t);
		table[i] = t >= width ? 0 : (float)(s * (0.5 + 0.5 * cos(pi * t / width)));
	}
	for (size_t i = 0; i < count; i++) {
		double at = (double)i * speed;
		ptrdiff_t middle = (ptrdiff_t)at;
		float sum = 0;
		for (ptrdiff_t k = middle - (ptrdiff_t)half + 1; k <= middle + (ptrdiff_t)half; k++)
			if (k >= 0 && k < (ptrdiff_t)n)
				sum += x[k] * table[(size_t)(fabs(at - (double)k) * STEPS + 0.5)];
		y[i] = sum;
	}
	mem_free(table);
	*out = (struct sound){ y, count };
	return 0;
}

/* Second order Butterworth, nothing below hz. */
static void high_pass(float *x, size_t n, float hz)
{
	double w = tan(pi * (double)hz / RATE), q = 1 / sqrt(2), a0 = 1 + w / q + w * w;
	double a1 = 2 * (w * w - 1) / a0, a2 = (1 - w / q + w * w) / a0, x1 = 0, x2 = 0, y1 = 0, y2 = 0;
	for (size_t i = 0; i < n; i++) {
		double in = (double)x[i], y = (in - 2 * x1 + x2) / a0 - a1 * y1 - a2 * y2;
		x2 = x1, x1 = in, y2 = y1, y1 = y;
		x[i] = (float)y;
	}
}

static void low_pass(float *y, const float *x, size_t n, float hz)
{
	float tap[TAPS + 1];
	for (int i = 0; i <= TAPS; i++) {
		double t = i - TAPS / 2, f = 2 * (double)hz / RATE;
		tap[i] = (float)((t == 0 ? f : sin(pi * f * t) / (pi * t)) * (0.54 + 0.46 * cos(2 * pi * t / TAPS)));
	}
	for (size_t i = 0; i < n; i++) {
		float sum = 0;
		for (int k = 0; k <= TAPS; k++) {
			ptrdiff_t at = (ptrdiff_t)i + k - TAPS / 2;
			if (at >= 0 && at < (ptrdiff_t)n)
				sum += tap[k] * x[at];
		}
		y[i] = sum;
	}
}

static int descending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x < y) - (x > y);
}

/* The level of the loudest third, in frames of 10 ms. */
static float loud_rms(const float *x, size_t n)
{
	size_t frames = n / LOUD_FRAME, third = (frames + 2) / 3;
	float *e = mem_zalloc(frames + 1, sizeof *e), sum = 0;
	if (!e || !frames) {
		mem_free(e);
		return 1;
	}
	for (size_t f = 0; f < frames; f++)
		for (size_t i = 0; i < LOUD_FRAME; i++)
			e[f] += x[f * LOUD_FRAME + i] * x[f * LOUD_FRAME + i];
	qsort(e, frames, sizeof *e, descending);
	for (size_t f = 0; f < third; f++)
		sum += e[f];
	mem_free(e);
	float rms = sqrtf(sum / (float)(third * LOUD_FRAME));
	return rms > 1e-3f ? rms : 1e-3f;
}

static float all_rms(const float *x, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)x[i];
	return (float)sqrt(sum / (double)(n ? n : 1)) + 1e-3f;
}

/* Pink after P. Kellet's three poles. */
static float noise(struct chance *c, float pink, float pole[3])
{
	float w = chance_normal(c);
	pole[0] = 0.99765f * pole[0] + w * 0.0990460f;
	pole[1] = 0.96300f * pole[1] + w * 0.2965164f;
	pole[2] = 0.57000f * pole[2] + w * 1.0526913f;
	return pink * (pole[0] + pole[1] + pole[2] + w * 0.1848f) / 2.3f + (1 - pink) * w;
}

static int16_t coded(float v, int law)
{
	int16_t s = (int16_t)lrintf(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
	if (law < 0)
		return s;
	return law ? g711_table(MEDIA_PCMA)[g711_encode_alaw(s)] : g711_table(MEDIA_PCMU)[g711_encode_ulaw(s)];
}

/* Into the band that a telephone carries. */
static void band(float *y, float *x, size_t n, const struct channel *c)
{
	high_pass(x, n, c->low_hz);
	low_pass(y, x, n, c->high_hz);
}

int channel_pass(int16_t *out, const float *in, size_t n, const struct channel *c, struct chance *chance)
{
	float *x = mem_alloc((3 * n + 1) * sizeof *x), *y = x ? x + n : NULL, *z = x ? y + n : NULL, pole[3] = { 0 };
	if (!x)
		return ENOMEM;
	for (size_t i = 0; i < n; i++)
		x[i] = in[i] - (i ? c->tilt * in[i - 1] : 0);
	band(y, x, n, c);
	float rms = loud_rms(y, n), hiss = 0;
	if (c->snr_db <= 90) {
		for (size_t i = 0; i < n; i++)
			x[i] = noise(chance, c->pink, pole);
		band(z, x, n, c);
		hiss = rms * powf(10, -c->snr_db / 20) / all_rms(z, n);
	}
	float gain = 32768 * powf(10, c->level_dbfs / 20) / rms;
	for (size_t i = 0; i < n; i++)
		out[i] = coded((y[i] + (hiss > 0 ? hiss * z[i] : 0)) * gain, c->law);
	mem_free(x);
	return 0;
}
