/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <string.h>
#include "media/level.h"

static void levels_are_of_full_scale(void **state)
{
	(void)state;
	uint8_t p[MEDIA_FRAME];
	memset(p, 0x80, sizeof p);
	assert_int_equal(level_db(level_power(MEDIA_PCMU, p, sizeof p)), 0);
	memset(p, 0xff, sizeof p);
	assert_int_equal(level_db(level_power(MEDIA_PCMU, p, sizeof p)), LEVEL_NOTHING);
	memset(p, 0xd5, sizeof p); /* A-law has no zero: the smallest step */
	assert_in_range(-level_db(level_power(MEDIA_PCMA, p, sizeof p)), 71, 73);
}

static unsigned run(struct vad *v, int db, unsigned frames)
{
	unsigned speech = 0;
	for (unsigned i = 0; i < frames; i++)
		speech += vad_frame(v, (int8_t)db);
	return speech;
}

static void speech_begins_and_ends(void **state)
{
	(void)state;
	struct vad v;
	vad_init(&v, 0);
	assert_int_equal(run(&v, -60, 50), 0);
	assert_int_equal(run(&v, -25, 2), 0); /* a click */
	assert_int_equal(run(&v, -60, 20), 0);
	assert_int_equal(run(&v, -25, 50), 48);
	assert_int_equal(run(&v, -60, 50), 9); /* lingers 200 ms */
}

static void noise_is_learnt(void **state)
{
	(void)state;
	struct vad v;
	vad_init(&v, 0);
	run(&v, -38, 250); /* five seconds of a noisy line: louder than the least */
	assert_int_equal(run(&v, -38, 100), 0);
	assert_true(run(&v, -24, 50) > 40); /* a voice over it */
	assert_true(run(&v, -38, 100) < 12);
}

static void loud_music_is_no_noise(void **state)
{
	(void)state;
	struct vad v;
	vad_init(&v, 0);
	run(&v, -20, 500);
	assert_int_equal(run(&v, -20, 100), 100);
}

static void gaps_do_not_lower_the_noise(void **state)
{
	(void)state;
	struct vad v;
	vad_init(&v, 0);
	run(&v, -38, 250);
	run(&v, LEVEL_NOTHING, 3); /* a lost packet */
	assert_int_equal(run(&v, -38, 100), 0);
	run(&v, -72, 3); /* the same in A-law */
	assert_int_equal(run(&v, -38, 100), 0);
}

UT_MAIN(UT(levels_are_of_full_scale), UT(speech_begins_and_ends), UT(noise_is_learnt), UT(loud_music_is_no_noise),
	UT(gaps_do_not_lower_the_noise))
