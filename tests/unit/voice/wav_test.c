/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "audio.h"
#include "base/mem.h"
#include "voice/wav.h"

static void what_is_written_is_read(void **state)
{
	(void)state;
	int16_t pcm[] = { 1, -2, 300, -32768, 32767 }, *back;
	char path[128];
	size_t n;
	snprintf(path, sizeof path, "%s/a.wav", ut_tmpdir());
	assert_int_equal(wav_write(path, pcm, 5), 0);
	assert_int_equal(wav_read(path, &back, &n), 0);
	assert_int_equal(n, 5);
	assert_memory_equal(back, pcm, sizeof pcm);
	mem_free(back);
}

/* A file in memory: returns its length. */
static size_t make(uint8_t *p, uint16_t format, uint16_t channels, uint32_t rate, uint16_t bits, const void *data, uint32_t n)
{
	struct {
		uint16_t format, channels;
		uint32_t rate, bytes;
		uint16_t align, bits;
	} f = { format, channels, rate, rate * channels * bits / 8u, (uint16_t)(channels * bits / 8), bits };
	uint32_t size = 16;
	memcpy(p, "RIFF\0\0\0\0WAVEfmt ", 16);
	memcpy(p + 16, &size, 4);
	memcpy(p + 20, &f, 16);
	memcpy(p + 36, "junk\1\0\0\0x\0data", 14); /* an odd chunk between */
	memcpy(p + 50, &n, 4);
	memcpy(p + 54, data, n);
	return 54 + n;
}

static void stereo_becomes_one_channel(void **state)
{
	(void)state;
	uint8_t p[100];
	int16_t in[] = { 100, 300, -50, -150 }, *out;
	size_t n, len = make(p, 1, 2, 8000, 16, in, sizeof in);
	assert_int_equal(wav_parse(p, len, &out, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(out[0], 200);
	assert_int_equal(out[1], -100);
	mem_free(out);
}

static void wide_band_is_halved_and_low_passed(void **state)
{
	(void)state;
	static int16_t in[16000], out[8000];
	for (int k = 0; k < 2; k++) {
		double hz = k ? 6000 : 1000; /* 6 kHz would come back as 2 kHz */
		for (size_t i = 0; i < 16000; i++)
			in[i] = (int16_t)(10000 * sin(2 * 3.14159265 * hz * (double)i / 16000));
		assert_int_equal(wav_halve(out, in, 16000), 8000);
		double rms = audio_rms(out + 100, 7800);
		if (k)
			assert_true(rms < 60);
		else
			assert_true(rms > 7000 && rms < 7200);
	}
}

static void cut_anywhere_is_refused(void **state)
{
	(void)state;
	uint8_t p[100];
	int16_t *out;
	size_t n, len = make(p, 7, 1, 8000, 8, "abcdefgh", 8);
	for (size_t i = 0; i < 54; i++)
		assert_int_equal(wav_parse(p, i, &out, &n), EBADMSG);
	assert_int_equal(wav_parse(p, len - 3, &out, &n), 0); /* a data chunk that is cut off is used as far as it goes */
	assert_int_equal(n, 5);
	mem_free(out);
}

static void other_formats_are_named_so(void **state)
{
	(void)state;
	uint8_t p[100];
	int16_t *out;
	size_t n;
	assert_int_equal(wav_parse(p, make(p, 1, 1, 44100, 16, "ab", 2), &out, &n), ENOTSUP);
	assert_int_equal(wav_parse(p, make(p, 3, 1, 8000, 32, "abcd", 4), &out, &n), ENOTSUP);
	assert_int_equal(wav_parse(p, make(p, 1, 6, 8000, 16, "ab", 2), &out, &n), ENOTSUP);
	assert_int_equal(wav_read("/nonexistent/x.wav", &out, &n), ENOENT);
}

UT_MAIN(UT(what_is_written_is_read), UT(stereo_becomes_one_channel), UT(wide_band_is_halved_and_low_passed), UT(cut_anywhere_is_refused),
	UT(other_formats_are_named_so))
