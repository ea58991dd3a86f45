/* SPDX-License-Identifier: Apache-2.0 */
/* Slower and faster: as long as asked, at the same pitch and level, for tones, noise, silence and clips of a few samples. */
#include "ut.h"
#include <errno.h>
#include <math.h>
#include "base/mem.h"
#include "media/g711.h"
#include "media/stretch.h"

static double power_at(const struct media_clip *c, double hz, double *all)
{
	const uint8_t *law = media_clip_bytes(c, MEDIA_PCMU);
	size_t n = media_clip_samples(c);
	double re = 0, im = 0, sum = 0;
	for (size_t i = 0; i < n; i++) {
		double v = g711_table(MEDIA_PCMU)[law[i]], w = 2 * 3.14159265358979 * hz * (double)i / MEDIA_RATE;
		re += v * cos(w);
		im += v * sin(w);
		sum += v * v;
	}
	*all = sum / (double)n;
	return 2 * (re * re + im * im) / (double)n / (double)n;
}

static void tones_keep_pitch_and_level(void **state)
{
	(void)state;
	static const unsigned percents[] = { 40, 60, 80, 130, 170, 250 }, tones[] = { 110, 220, 430, 1000 };
	for (unsigned t = 0; t < 4; t++)
		for (unsigned p = 0; p < 6; p++) {
			struct media_clip *c, *s;
			double all, was;
			assert_int_equal(media_clip_tone(&c, tones[t], 0, 3000, -16), 0);
			assert_int_equal(media_clip_stretch(&s, c, percents[p]), 0);
			double want = 3000.0 * 100 / percents[p];
			assert_true(fabs(media_clip_ms(s) - want) < 40);
			power_at(c, tones[t], &was);
			power_at(s, tones[t], &all);
			assert_true(fabs(10 * log10(all / was)) < 1);
			/* within a short piece the tone is one line: no other pitch */
			struct media_clip *piece;
			assert_int_equal(media_clip_borrow(&piece, media_clip_bytes(s, MEDIA_PCMU) + 2000, media_clip_bytes(s, MEDIA_PCMA) + 2000, 800, s), 0);
			double at = power_at(piece, tones[t], &all);
			if (at < all * 0.7)
				fail_msg("%u Hz at %u %%: %.2f of the power is there", tones[t], percents[p], at / all);
			mem_unref(piece);
			mem_unref(s);
			mem_unref(c);
		}
}

static void odd_clips_are_survived(void **state)
{
	(void)state;
	int16_t noise[4000];
	uint32_t seed = 1;
	for (size_t i = 0; i < 4000; i++)
		noise[i] = (int16_t)((seed = seed * 1103515245u + 12345u) >> 16);
	for (size_t n = 1; n < 4000; n += n < 700 ? 7 : 301)
		for (unsigned percent = 40; percent <= 250; percent += 35) {
			struct media_clip *c, *s;
			assert_int_equal(media_clip_from_l16(&c, noise, n), 0);
			assert_int_equal(media_clip_stretch(&s, c, percent), 0);
			assert_true(media_clip_samples(s) > 0);
			mem_unref(s);
			mem_unref(c);
		}
	struct media_clip *c, *s;
	assert_int_equal(media_clip_silence(&c, 2000), 0);
	assert_int_equal(media_clip_stretch(&s, c, 39), EINVAL);
	assert_int_equal(media_clip_stretch(&s, c, 251), EINVAL);
	assert_int_equal(media_clip_stretch(&s, c, 100), 0);
	assert_ptr_equal(s, c);
	mem_unref(s);
	assert_int_equal(media_clip_stretch(&s, c, 60), 0);
	for (uint32_t i = 0; i < media_clip_samples(s); i++)
		assert_int_equal(g711_table(MEDIA_PCMU)[media_clip_bytes(s, MEDIA_PCMU)[i]], 0);
	mem_unref(s);
	mem_unref(c);
}

static void the_rest_of_a_clip(void **state)
{
	(void)state;
	struct media_clip *c, *rest;
	assert_int_equal(media_clip_tone(&c, 300, 0, 1000, -16), 0);
	assert_int_equal(media_clip_from(&rest, c, 400), 0);
	assert_int_equal(media_clip_ms(rest), 600);
	assert_ptr_equal(media_clip_bytes(rest, MEDIA_PCMA), media_clip_bytes(c, MEDIA_PCMA) + 3200);
	assert_int_equal(media_clip_from(&rest, c, 1000) , EINVAL);
	mem_unref(c);
	mem_unref(rest);
}

/* Tones that G.711 hasn't got are there at any speed, at any place, and louder. */
static void what_is_wide_stays_wide(void **state)
{
	enum { N = 2 * MEDIA_RATE_WIDE };
	static const unsigned percents[] = { 60, 80, 130, 170, 200 };
	static int16_t pcm[N];
	(void)state;
	for (unsigned i = 0; i < N; i++)
		pcm[i] = (int16_t)(6000 * sin(2 * 3.14159265358979 * 5600 * i / MEDIA_RATE_WIDE));
	struct media_clip *c, *s, *louder, *rest;
	assert_int_equal(media_clip_from_wide(&c, pcm, N), 0);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(media_clip_stretch(&s, c, percents[i]), 0);
		assert_int_equal(media_clip_gain(&louder, s, 3), 0);
		assert_int_equal(media_clip_from(&rest, louder, 250), 0);
		size_t n = media_clip_samples(rest) * 2u;
		assert_true(fabs((double)media_clip_ms(rest) - (2000.0 * 100 / percents[i] - 250)) < 40);
		const int16_t *v = media_clip_wide(rest);
		assert_non_null(v);
		double sum = 0;
		for (size_t k = 0; k < n; k++)
			sum += (double)v[k] * v[k];
		assert_true(fabs(10 * log10(sum / (double)n / (18000000.0 * 2)) ) < 1.5);
		mem_unref(rest);
		mem_unref(louder);
		mem_unref(s);
	}
	assert_int_equal(media_clip_from(&rest, c, 0), 0);
	assert_ptr_equal(rest, c);
	mem_unref(rest);
	mem_unref(c);
}

static int stretch_one(void *arg)
{
	struct media_clip *s;
	int err = media_clip_stretch(&s, arg, 150);
	if (!err)
		mem_unref(s);
	return err;
}

static void no_memory_is_told(void **state)
{
	(void)state;
	struct media_clip *c;
	assert_int_equal(media_clip_tone(&c, 300, 0, 500, -16), 0);
	ut_oom(stretch_one, c);
	mem_unref(c);
}

UT_MAIN(UT(tones_keep_pitch_and_level), UT(odd_clips_are_survived), UT(the_rest_of_a_clip), UT(what_is_wide_stays_wide), UT(no_memory_is_told))
