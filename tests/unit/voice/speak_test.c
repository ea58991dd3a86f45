/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include "base/mem.h"
#include "media/level.h"
#include "voice/speak.h"

static void accents_are_folded(void **state)
{
	(void)state;
	char text[64];
	speak_fold("Zo\xc3\xab M\xc3\xbcller-\xc5\x81ukasz", text, sizeof text);
	assert_string_equal(text, "Zoe Mueller-lukasz");
	speak_fold("a\xff\xc3", text, sizeof text); /* broken UTF-8 */
	assert_string_equal(text, "a  ");
	assert_int_equal(speak_fold("abcdef", text, 4), 3);
	speak_fold("<a \"b\">\x01\xe6\xbc\xa2", text, sizeof text);
	assert_string_equal(text, " a  b    ");
}

static void names_are_spoken(void **state)
{
	(void)state;
	struct media_clip *c;
	assert_int_equal(speak_text(&c, "Anna Schmidt"), 0);
	assert_in_range(media_clip_ms(c), 400, 2500);
	int8_t db = level_db(level_power(MEDIA_PCMU, media_clip_bytes(c, MEDIA_PCMU), media_clip_samples(c)));
	assert_in_range(-db, 18, 28);
	mem_unref(c);
}

static double alike(const int16_t *a, const int16_t *b, size_t n)
{
	double ab = 0, aa = 1, bb = 1;
	for (size_t i = 0; i < n; i++) {
		ab += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	return ab / sqrt(aa * bb);
}

/* What a name sounds like may be given: the sounds of a word are that word. */
static void sounds_are_spoken(void **state)
{
	(void)state;
	int16_t *word, *sounds, *other;
	size_t n_word, n_sounds, n_other;
	assert_int_equal(speak_pcm(&word, &n_word, "banana"), 0);
	assert_int_equal(speak_pcm(&sounds, &n_sounds, "/B AH0 N AE1 N AH0/"), 0);
	assert_int_equal(speak_pcm(&other, &n_other, "/AO1 R AH0 N JH/"), 0);
	assert_int_equal(n_word, n_sounds);
	assert_true(alike(word, sounds, n_word) > 0.9);
	assert_true(alike(word, other, n_word < n_other ? n_word : n_other) < 0.5);
	mem_free(word);
	mem_free(sounds);
	mem_free(other);
}

static void nothing_to_say_is_told(void **state)
{
	(void)state;
	struct media_clip *c;
	char many[SPEAK_TEXT_MAX + 1];
	memset(many, 'a', sizeof many - 1);
	many[sizeof many - 1] = 0;
	assert_int_equal(speak_text(&c, ""), EINVAL);
	assert_int_equal(speak_text(&c, "\xe6\xbc\xa2\xe5\xad\x97 ..."), EINVAL);
	assert_int_equal(speak_text(&c, many), EINVAL);
}

UT_MAIN(UT(accents_are_folded), UT(names_are_spoken), UT(sounds_are_spoken), UT(nothing_to_say_is_told))
