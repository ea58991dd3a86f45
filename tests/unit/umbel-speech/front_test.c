/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include "base/mem.h"
#include "umbel-speech/front.h"

static int16_t pcm[FRONT_RATE * 2];

/* Half a second of hiss, a second of something like a vowel, hiss again. */
static void speak(void)
{
	unsigned seed = 1;
	for (size_t i = 0; i < sizeof pcm / sizeof *pcm; i++) {
		seed = seed * 1103515245u + 12345u;
		double v = (double)(seed >> 16 & 0x3f) - 32;
		if (i > 4000 && i < 12000)
			for (int k = 1; k < 20; k++)
				v += 2000.0 / k * sin(2 * M_PI * 120 * k * (double)i / FRONT_RATE);
		pcm[i] = (int16_t)v;
	}
}

static void an_utterance_becomes_frames(void **state)
{
	(void)state;
	struct front *f;
	float(*cep)[FRONT_CEPSTRA];
	size_t n = 0, more = 0;
	speak();
	assert_int_equal(front_open(&f, NULL), 0);
	assert_string_equal(front_name(f), "stock");
	assert_int_equal(front_cepstra(f, pcm, FRONT_RATE * 2, &cep, &n), 0);
	assert_in_range(n, 80, 201);
	float first = cep[n / 2][1];
	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < FRONT_CEPSTRA; k++)
			assert_true(isfinite(cep[i][k]));
	mem_free(cep);
	assert_int_equal(front_cepstra(f, pcm, FRONT_RATE * 2, &cep, &more), 0); /* nothing is left of the one before */
	assert_int_equal(more, n);
	assert_true(fabsf(cep[n / 2][1] - first) < 0.01f);
	mem_free(cep);
	assert_int_equal(front_cepstra(f, pcm, 10, &cep, &n), EINVAL);
	assert_int_equal(front_cepstra(f, pcm, (size_t)FRONT_SECONDS_MAX * FRONT_RATE + 1, &cep, &n), EINVAL);
	memset(pcm, 0, sizeof pcm);
	int err = front_cepstra(f, pcm, FRONT_RATE * 2, &cep, &n);
	assert_true(err == 0 || err == ENODATA);
	if (!err)
		mem_free(cep);
	front_close(f);
	front_close(NULL);
}

static void the_mean_is_that_of_the_louder_half(void **state)
{
	(void)state;
	float cep[4][FRONT_CEPSTRA] = { { 0, 100 }, { 0, 100 }, { 10, 2 }, { 10, 4 } };
	front_zero_mean(cep, 4);
	assert_true(fabsf(cep[2][1] + 1) < 1e-5f && fabsf(cep[3][1] - 1) < 1e-5f);
	assert_true(fabsf(cep[0][0] + 10) < 1e-5f && fabsf(cep[0][1] - 97) < 1e-4f);
	front_zero_mean(cep, 0);
}

static void what_is_no_model(void **state)
{
	(void)state;
	struct front *f = NULL;
	assert_int_not_equal(front_open(&f, "/nonexistent/model"), 0);
	assert_null(f);
}

UT_MAIN(UT(an_utterance_becomes_frames), UT(the_mean_is_that_of_the_louder_half), UT(what_is_no_model))
