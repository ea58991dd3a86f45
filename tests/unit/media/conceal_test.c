/* SPDX-License-Identifier: Apache-2.0 */
/* Gaps in a voice, filled. */
#include "ut.h"
#include <math.h>
#include <string.h>
#include "audio.h"
#include "media/conceal.h"

static int16_t sent[16000 * 4], heard[16000 * 4];

/* A vowel: a pitch that moves a little, with overtones. */
static void voice(int16_t *pcm, size_t n, unsigned rate, double hz)
{
	double phase = 0;
	for (size_t i = 0; i < n; i++) {
		phase += 2 * 3.14159265358979 * (hz + 4 * sin((double)i / rate * 5)) / rate;
		pcm[i] = (int16_t)(5000 * sin(phase) + 2500 * sin(2 * phase + 1) + 1500 * sin(3 * phase + 2));
	}
}

/* Every `each`th frame of 20 ms is lost. */
static double through_gaps(unsigned rate, unsigned each, bool fill)
{
	struct conceal p;
	size_t frame = rate / 50, n = rate * 2;
	conceal_init(&p, rate);
	memcpy(heard, sent, n * sizeof *sent);
	for (size_t i = 0; i < n / frame; i++) {
		if (i % each == each - 1)
			conceal_lost(&p, heard + i * frame, frame);
		else
			conceal_good(&p, heard + i * frame, frame);
		if (i % each == each - 1 && !fill)
			memset(heard + i * frame, 0, frame * sizeof *heard);
	}
	return audio_compare(sent, n, heard, n, 10).correlation;
}

static void a_gap_in_a_vowel_is_hardly_heard(void **state)
{
	(void)state;
	for (unsigned rate = 8000; rate <= 16000; rate *= 2)
		for (double hz = 75; hz < 400; hz *= 1.3) {
			voice(sent, rate * 2, rate, hz);
			double filled = through_gaps(rate, 10, true), empty = through_gaps(rate, 10, false);
			assert_true(filled > 0.985);
			assert_true(filled > empty + 0.02);
		}
}

/* Within a gap and at both its ends no step is greater than the voice's own. */
static void no_clicks(void **state)
{
	(void)state;
	int own = 0, most = 0;
	voice(sent, 16000, 8000, 130);
	for (size_t i = 1; i < 16000; i++)
		own = abs(sent[i] - sent[i - 1]) > own ? abs(sent[i] - sent[i - 1]) : own;
	through_gaps(8000, 7, true);
	for (size_t i = 1; i < 16000; i++)
		most = abs(heard[i] - heard[i - 1]) > most ? abs(heard[i] - heard[i - 1]) : most;
	assert_true(most < own * 3 / 2);
}

static void a_long_gap_fades_to_silence(void **state)
{
	(void)state;
	struct conceal p;
	conceal_init(&p, 8000);
	voice(sent, 8000, 8000, 110);
	conceal_good(&p, sent, 8000);
	conceal_lost(&p, heard, 800);
	assert_true(audio_rms(heard, 80) > 0.8 * audio_rms(sent, 8000));
	assert_true(audio_rms(heard + 320, 80) < 0.5 * audio_rms(sent, 8000));
	for (unsigned i = CONCEAL_MS * 8; i < 800; i++)
		assert_int_equal(heard[i], 0);
	assert_false(conceal_good(&p, sent, 160)); /* after silence nothing is changed */
}

static void nothing_is_made_of_nothing(void **state)
{
	(void)state;
	struct conceal p;
	conceal_init(&p, 8000);
	memset(heard, 1, sizeof heard);
	conceal_lost(&p, heard, 160);
	for (unsigned i = 0; i < 160; i++)
		assert_int_equal(heard[i], 0);
	memset(sent, 0, sizeof sent);
	for (unsigned i = 0; i < 5; i++)
		assert_false(conceal_good(&p, sent, 160));
	conceal_lost(&p, heard, 160);
	for (unsigned i = 0; i < 160; i++)
		assert_int_equal(heard[i], 0);
}

/* Loudest noise: nothing wraps around. */
static void full_scale_stays_in_range(void **state)
{
	(void)state;
	struct conceal p;
	conceal_init(&p, 8000);
	uint32_t x = 1;
	for (unsigned i = 0; i < 16000; i++) {
		x = x * 1664525u + 1013904223u;
		sent[i] = x & 0x40000000 ? INT16_MAX : INT16_MIN;
	}
	for (unsigned i = 0; i < 90; i++)
		if (i % 3)
			conceal_good(&p, sent + i * 160, 160);
		else
			conceal_lost(&p, heard, 160);
}

UT_MAIN(UT(a_gap_in_a_vowel_is_hardly_heard), UT(no_clicks), UT(a_long_gap_fades_to_silence), UT(nothing_is_made_of_nothing), UT(full_scale_stays_in_range))
