/* SPDX-License-Identifier: Apache-2.0 */
/* Loudness: quiet speech comes up, loud speech stays, nothing clips, clicks or pumps the noise up. */
#include "ut.h"
#include <math.h>
#include <string.h>
#include "audio.h"
#include "media/gain.h"

enum { FRAMES = 1500, N = FRAMES * MEDIA_FRAME };
static int16_t in[N], out[N];

static void through(double speech_over)
{
	struct gain g;
	size_t n = 0;
	gain_init(&g, MEDIA_FRAME);
	for (unsigned i = 0; i < FRAMES; i++)
		n += gain_frame(&g, in + i * MEDIA_FRAME, audio_rms(in + i * MEDIA_FRAME, MEDIA_FRAME) > speech_over, out + n) ? MEDIA_FRAME : 0;
	assert_int_equal(n, N - MEDIA_FRAME);
	assert_true(gain_last(&g, out + n));
	assert_false(gain_last(&g, out + n));
}

static double db(const int16_t *pcm, size_t n)
{
	return 20 * log10(audio_rms(pcm, n) / 32768);
}

static void softer(double by)
{
	audio_make(in, N, 3);
	for (unsigned i = 0; i < N; i++)
		in[i] = (int16_t)(in[i] * by);
}

static void quiet_speech_comes_up_loud_speech_stays(void **state)
{
	(void)state;
	softer(0.15); /* -36 dBov or so */
	double before = db(in, N);
	through(50);
	assert_in_range(-db(out + N / 2, N / 2) * 10, 180, 230);
	assert_true(db(out, N / 4) < db(out + N / 2, N / 4)); /* it takes its time */
	assert_true(audio_compare(in + N / 2, N / 2, out + N / 2, N / 2, 5).correlation > 0.99);
	softer(0.01);
	before = db(in, N);
	through(5);
	assert_in_range((db(out + N / 2, N / 2) - before) * 10, 170, 190); /* no more than 18 dB */
	softer(2.2);
	through(50);
	for (unsigned i = 0; i < N; i++)
		assert_in_range(abs(out[i] - in[i]), 0, abs(in[i]) / 10 + 1);
}

static void a_shout_after_a_whisper_does_not_clip(void **state)
{
	(void)state;
	softer(0.1);
	for (unsigned i = 0; i < N; i++)
		if (i / 16000 % 3 == 2)
			in[i] = (int16_t)(32000 * sin(i * 0.3));
	through(50);
	unsigned most = 0;
	for (unsigned i = 1; i < N; i++) {
		unsigned a = (unsigned)abs(out[i]);
		most = a > most ? a : most;
		if (i / 16000 % 3 == 2)
			assert_in_range(abs(out[i] - in[i]), 0, 1); /* full scale goes through as it is */
	}
	assert_in_range(most, 31000, 32001);
}

static void full_scale_and_silence(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N; i++)
		in[i] = i & 1 ? INT16_MIN : INT16_MAX;
	through(0);
	assert_memory_equal(in, out, sizeof in);
	memset(in, 0, sizeof in);
	through(-1); /* silence taken for speech */
	assert_memory_equal(in, out, sizeof in);
	for (unsigned i = 0; i < N; i++)
		in[i] = (int16_t)(i * 2654435761u >> 27);
	through(1000); /* noise is left alone */
	assert_memory_equal(in, out, sizeof in);
}

UT_MAIN(UT(quiet_speech_comes_up_loud_speech_stays), UT(a_shout_after_a_whisper_does_not_clip), UT(full_scale_and_silence))
