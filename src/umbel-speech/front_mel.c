/* SPDX-License-Identifier: Apache-2.0 */
/* front_mel.c  8 kHz PCM to normalised log mel bands. The transform is our own: 256 real points is one page, and the
 * well-kept libraries either bring a licence that this one does not have or are not in step with a fixed size.         */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "umbel-speech/front_mel.h"

enum { POINTS = 256, HALF = POINTS / 2 };
static const double low_hz = 200, high_hz = 3600, pi = 3.14159265358979323846;
static const float loud_rms = 3000, floor_energy = 1e4f;

static struct {
	float window[MEL_WINDOW];
	float cosine[HALF], sine[HALF]; /* of 2 pi i / POINTS */
	float weight[MEL_BANDS][HALF];
	unsigned from[MEL_BANDS], to[MEL_BANDS];
} tables;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static double to_mel(double hz)
{
	return 2595 * log10(1 + hz / 700);
}

static double to_hz(double mel)
{
	return 700 * (pow(10, mel / 2595) - 1);
}

/* Triangles, each from its lower neighbour's middle to its upper one's. */
static void make_band(unsigned b)
{
	double step = (to_mel(high_hz) - to_mel(low_hz)) / (MEL_BANDS + 1), bottom = to_mel(low_hz) + b * step;
	double left = to_hz(bottom), middle = to_hz(bottom + step), right = to_hz(bottom + 2 * step);
	tables.from[b] = HALF;
	for (unsigned i = 0; i < HALF; i++) {
		double hz = (double)i * MEL_RATE / POINTS;
		double w = hz <= middle ? (hz - left) / (middle - left) : (right - hz) / (right - middle);
		if (w <= 0)
			continue;
		tables.weight[b][i] = (float)w;
		tables.from[b] = i < tables.from[b] ? i : tables.from[b];
		tables.to[b] = i + 1;
	}
}

static void make_tables(void)
{
	for (unsigned i = 0; i < MEL_WINDOW; i++)
		tables.window[i] = (float)(0.54 - 0.46 * cos(2 * pi * i / (MEL_WINDOW - 1)));
	for (unsigned i = 0; i < HALF; i++) {
		tables.cosine[i] = (float)cos(2 * pi * i / POINTS);
		tables.sine[i] = (float)sin(2 * pi * i / POINTS);
	}
	for (unsigned b = 0; b < MEL_BANDS; b++)
		make_band(b);
}

/* HALF complex points in place, decimation in time. */
static void transform(float *re, float *im)
{
	for (unsigned i = 1, j = 0; i < HALF; i++) {
		unsigned bit = HALF >> 1;
		for (; j & bit; bit >>= 1)
			j ^= bit;
		j ^= bit;
		if (i < j) {
			float t = re[i];
			re[i] = re[j], re[j] = t;
			t = im[i];
			im[i] = im[j], im[j] = t;
		}
	}
	for (unsigned size = 2; size <= HALF; size <<= 1)
		for (unsigned start = 0; start < HALF; start += size)
			for (unsigned k = 0; k < size / 2; k++) {
				unsigned a = start + k, b = a + size / 2, turn = k * (POINTS / size);
				float c = tables.cosine[turn], s = -tables.sine[turn];
				float x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
				re[b] = re[a] - x, im[b] = im[a] - y;
				re[a] += x, im[a] += y;
			}
}

/* |X|^2 of POINTS real samples, bins 0 to HALF - 1: even samples are the real part, odd ones the imaginary part. */
static void power(float *out, const float *x)
{
	float re[HALF], im[HALF];
	for (unsigned i = 0; i < HALF; i++)
		re[i] = x[2 * i], im[i] = x[2 * i + 1];
	transform(re, im);
	out[0] = (re[0] + im[0]) * (re[0] + im[0]);
	for (unsigned i = 1; i < HALF; i++) {
		unsigned m = HALF - i;
		float er = (re[i] + re[m]) / 2, ei = (im[i] - im[m]) / 2, or = (im[i] + im[m]) / 2, oi = (re[m] - re[i]) / 2;
		float c = tables.cosine[i], s = -tables.sine[i];
		float xr = er + or * c - oi * s, xi = ei + or * s + oi * c;
		out[i] = xr * xr + xi * xi;
	}
}

size_t mel_count(size_t n)
{
	return n < MEL_WINDOW ? 0 : (n - MEL_WINDOW) / MEL_SHIFT + 1;
}

static void frame(float *bands, const int16_t *pcm, float gain)
{
	float x[POINTS] = { 0 }, p[HALF];
	double mean = 0;
	for (unsigned i = 0; i < MEL_WINDOW; i++)
		mean += pcm[i];
	mean /= MEL_WINDOW;
	for (unsigned i = 0; i < MEL_WINDOW; i++)
		x[i] = (pcm[i] - (float)mean) * gain * tables.window[i];
	power(p, x);
	for (unsigned b = 0; b < MEL_BANDS; b++) {
		float e = 0;
		for (unsigned i = tables.from[b]; i < tables.to[b]; i++)
			e += p[i] * tables.weight[b][i];
		bands[b] = logf(e + floor_energy);
	}
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

int mel_speech(bool *speech, const float *level, size_t frames)
{
	float *sorted = mem_zalloc(frames + 1, sizeof *sorted);
	if (!sorted)
		return ENOMEM;
	memcpy(sorted, level, frames * sizeof *sorted);
	qsort(sorted, frames, sizeof *sorted, ascending);
	float low = sorted[frames / 10], high = sorted[frames - frames / 20 - (frames > 0)];
	for (size_t i = 0; i < frames; i++)
		speech[i] = level[i] >= low + 0.4f * (high - low);
	mem_free(sorted);
	return 0;
}

int mel_loudness(float *rms, const int16_t *pcm, size_t n)
{
	size_t parts = n / MEL_SHIFT, first = parts - (parts + 2) / 3;
	float *energy = mem_zalloc(parts + 1, sizeof *energy);
	if (!energy)
		return ENOMEM;
	for (size_t f = 0; f < parts; f++)
		for (size_t i = 0; i < MEL_SHIFT; i++)
			energy[f] += (float)pcm[f * MEL_SHIFT + i] * (float)pcm[f * MEL_SHIFT + i];
	qsort(energy, parts, sizeof *energy, ascending);
	double sum = 0;
	for (size_t f = first; f < parts; f++)
		sum += (double)energy[f];
	*rms = parts ? (float)sqrt(sum / (double)((parts - first) * MEL_SHIFT)) : 0;
	mem_free(energy);
	return 0;
}

static int take_mean(float *bands, size_t frames)
{
	float *level = mem_zalloc(frames, sizeof *level);
	bool *speech = mem_zalloc(frames, sizeof *speech);
	int err = level && speech ? 0 : ENOMEM;
	for (size_t f = 0; !err && f < frames; f++)
		for (unsigned b = 0; b < MEL_BANDS; b++)
			level[f] += bands[f * MEL_BANDS + b] / MEL_BANDS;
	if (!err)
		err = mel_speech(speech, level, frames);
	for (unsigned b = 0; !err && b < MEL_BANDS; b++) {
		double sum = 0, n = 0;
		for (size_t f = 0; f < frames; f++)
			if (speech[f])
				sum += bands[f * MEL_BANDS + b], n++;
		float mean = n > 0 ? (float)(sum / n) : 0;
		for (size_t f = 0; f < frames; f++)
			bands[f * MEL_BANDS + b] -= mean;
	}
	mem_free(level);
	mem_free(speech);
	return err;
}

int mel_compute(float *bands, const int16_t *pcm, size_t n)
{
	size_t frames = mel_count(n);
	float rms;
	if (!frames)
		return 0;
	pthread_once(&made, make_tables);
	int err = mel_loudness(&rms, pcm, frames * MEL_SHIFT);
	if (err)
		return err;
	float gain = rms > 1 ? loud_rms / rms : loud_rms; /* the loudest third of the frames becomes loud_rms */
	for (size_t f = 0; f < frames; f++)
		frame(bands + f * MEL_BANDS, pcm + f * MEL_SHIFT, gain);
	return take_mean(bands, frames);
}
