/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include "base/mem.h"
#include "media/clip.h"
#include "media/g711.h"
#include "media/level.h"

static void both_laws_hold_the_same_sound(void **state)
{
	(void)state;
	struct media_clip *c;
	int16_t pcm[] = { 0, 1000, -1000, 32767, -32768 };
	assert_int_equal(media_clip_from_l16(&c, pcm, 5), 0);
	assert_int_equal(media_clip_samples(c), 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(media_clip_bytes(c, MEDIA_PCMU)[i], g711_encode_ulaw(pcm[i]));
		assert_int_equal(media_clip_bytes(c, MEDIA_PCMA)[i], g711_encode_alaw(pcm[i]));
	}
	struct media_clip *again;
	assert_int_equal(media_clip_from_bytes(&again, MEDIA_PCMA, media_clip_bytes(c, MEDIA_PCMA), 5), 0);
	assert_memory_equal(media_clip_bytes(again, MEDIA_PCMA), media_clip_bytes(c, MEDIA_PCMA), 5);
	mem_unref(again);
	assert_int_equal(media_clip_from_bytes(&again, MEDIA_L16, pcm, sizeof pcm), 0);
	assert_memory_equal(media_clip_bytes(again, MEDIA_PCMU), media_clip_bytes(c, MEDIA_PCMU), 5);
	mem_unref(again);
	mem_unref(c);
}

static void tone_has_its_level_and_soft_edges(void **state)
{
	(void)state;
	struct media_clip *c;
	assert_int_equal(media_clip_tone(&c, 1000, 0, 500, -16), 0);
	assert_int_equal(media_clip_ms(c), 500);
	const uint8_t *u = media_clip_bytes(c, MEDIA_PCMU);
	assert_int_equal(u[0], 0xff);
	assert_in_range(-level_db(level_power(MEDIA_PCMU, u + 800, 1600)), 15, 17);
	mem_unref(c);
}

static void sizes_are_checked(void **state)
{
	(void)state;
	struct media_clip *c;
	assert_int_equal(media_clip_from_l16(&c, NULL, 0), EINVAL);
	assert_int_equal(media_clip_from_bytes(&c, MEDIA_L16, "abc", 3), EINVAL);
	assert_int_equal(media_clip_silence(&c, 0), EINVAL);
	assert_int_equal(media_clip_silence(&c, 3600001), EINVAL);
}

static void borrowed_bytes_are_kept(void **state)
{
	(void)state;
	char *home = mem_object(8, NULL);
	struct media_clip *c;
	assert_int_equal(media_clip_borrow(&c, (uint8_t *)home, (uint8_t *)home, 8, home), 0);
	mem_unref(home);
	assert_ptr_equal(media_clip_bytes(c, MEDIA_PCMA), home);
	mem_unref(c);
}

static int make_all(void *arg)
{
	struct media_clip *c[2] = { 0 };
	(void)arg;
	int err = media_clip_tone(&c[0], 440, 480, 100, -20);
	if (!err)
		err = media_clip_silence(&c[1], 20);
	mem_unref(c[0]);
	mem_unref(c[1]);
	return err;
}

static void lack_of_memory_leaks_nothing(void **state)
{
	(void)state;
	ut_oom(make_all, NULL);
}

UT_MAIN(UT(both_laws_hold_the_same_sound), UT(tone_has_its_level_and_soft_edges), UT(sizes_are_checked), UT(borrowed_bytes_are_kept),
	UT(lack_of_memory_leaks_nothing))
