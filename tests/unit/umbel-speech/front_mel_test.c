/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <math.h>
#include <string.h>
#include "base/mem.h"
#include "umbel-speech/front_mel.h"

enum { N = 8000, FRAMES = (N - MEL_WINDOW) / MEL_SHIFT + 1 };
static int16_t pcm[N];
static float bands[FRAMES * MEL_BANDS], other[FRAMES * MEL_BANDS];

/* A quarter of a second of hiss; then, tone after tone of 1/8 s, from 300 Hz up by 550 Hz each. */
static void speak(float level)
{
	uint32_t seed = 1;
	for (int i = 0; i < N; i++) {
		seed = seed * 1664525u + 1013904223u;
		double hz = 300 + 550 * ((i - 2000) / 1000), v = (double)(seed >> 16) / 65536 * 20 - 10;
		pcm[i] = (int16_t)(level * (float)(v + (i < 2000 ? 0 : 6000 * sin(2 * M_PI * hz * i / MEL_RATE))));
	}
}

static void a_tone_is_in_its_band(void **state)
{
	(void)state;
	speak(1);
	assert_int_equal(mel_count(N), FRAMES);
	assert_int_equal(mel_compute(bands, pcm, N), 0);
	int last = -1;
	for (int tone = 0; tone < 6; tone++) {
		const float *row = bands + ((2000 + 1000 * tone + 400) / MEL_SHIFT) * MEL_BANDS;
		int top = 0;
		for (int b = 1; b < MEL_BANDS; b++)
			top = row[b] > row[top] ? b : top;
		assert_true(top > last);
		last = top;
	}
	assert_in_range(last, MEL_BANDS - 4, MEL_BANDS - 1);
}

static void loud_and_quiet_are_the_same(void **state)
{
	(void)state;
	speak(1);
	assert_int_equal(mel_compute(bands, pcm, N), 0);
	speak(0.1f);
	assert_int_equal(mel_compute(other, pcm, N), 0);
	float worst = 0;
	for (int i = 30 * MEL_BANDS; i < FRAMES * MEL_BANDS; i++)
		worst = fmaxf(worst, fabsf(bands[i] - other[i]));
	assert_true(worst < 0.5f); /* what the rounding of a tenth leaves */
}

static void the_mean_over_speech_is_nothing(void **state)
{
	(void)state;
	double sum = 0;
	speak(1);
	assert_int_equal(mel_compute(bands, pcm, N), 0);
	for (int i = 26 * MEL_BANDS; i < FRAMES * MEL_BANDS; i++) /* where the tones are */
		sum += (double)bands[i];
	assert_true(fabs(sum / (FRAMES - 26) / MEL_BANDS) < 0.2);
	assert_true(bands[0] < -1);
}

static void silence_and_scraps_are_no_trouble(void **state)
{
	(void)state;
	memset(pcm, 0, sizeof pcm);
	assert_int_equal(mel_count(MEL_WINDOW - 1), 0);
	assert_int_equal(mel_count(MEL_WINDOW), 1);
	assert_int_equal(mel_compute(bands, pcm, MEL_WINDOW - 1), 0);
	assert_int_equal(mel_compute(bands, pcm, MEL_WINDOW), 0);
	assert_int_equal(mel_compute(bands, pcm, N), 0);
	for (int i = 0; i < FRAMES * MEL_BANDS; i++)
		assert_true(fabsf(bands[i]) < 1e-3f);
	for (int i = 0; i < N; i++)
		pcm[i] = i & 1 ? INT16_MIN : INT16_MAX;
	assert_int_equal(mel_compute(bands, pcm, N), 0);
	for (int i = 0; i < FRAMES * MEL_BANDS; i++)
		assert_true(isfinite(bands[i]));
}

static int compute(void *arg)
{
	(void)arg;
	return mel_compute(bands, pcm, N);
}

static void no_memory(void **state)
{
	(void)state;
	speak(1);
	ut_oom(compute, NULL);
}

UT_MAIN(UT(a_tone_is_in_its_band), UT(loud_and_quiet_are_the_same), UT(the_mean_over_speech_is_nothing), UT(silence_and_scraps_are_no_trouble), UT(no_memory))
