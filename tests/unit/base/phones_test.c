/* SPDX-License-Identifier: Apache-2.0 */
/* Pronunciations by their sounds. */
#include "ut.h"
#include "base/phones.h"

static void sounds_are_read(void **state)
{
	(void)state;
	char got[64];
	assert_true(phones_parse(TEXT(" /ae1 N  sh m ih1 T/ "), true, got, sizeof got, NULL));
	assert_string_equal(got, "AE1 N SH M IH1 T");
	assert_true(phones_parse(TEXT("/AE1 N/"), false, got, sizeof got, NULL));
	assert_string_equal(got, "AE N");
	assert_true(phones_parse(TEXT("/ZH/"), false, got, sizeof got, NULL));
	assert_true(phones_meant(TEXT(" /x")));
	assert_false(phones_meant(TEXT("an shmit")));
}

static void what_is_no_sound_is_named(void **state)
{
	(void)state;
	char got[64];
	struct text wrong;
	assert_false(phones_parse(TEXT("/AE N QQ/"), true, got, sizeof got, &wrong));
	assert_true(text_is(wrong, "QQ"));
	assert_false(phones_parse(TEXT("/N1/"), true, got, sizeof got, &wrong)); /* a consonant has no stress */
	assert_true(text_is(wrong, "N1"));
	static const char *const bad[] = { "", "/", "//", "/ /", "/AE", "AE/", "AE", "/A/", "/AE3/", "/1/", "/AEAEAE/" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(phones_parse(text_of(bad[i]), true, got, sizeof got, NULL));
	assert_false(phones_parse(TEXT("/AE1 N SH/"), true, got, 5, NULL));
}

static void all_that_are_listed_are_known(void **state)
{
	(void)state;
	char text[256], got[256];
	text_print(text, sizeof text, "/%s/", phones_all());
	assert_true(phones_parse(text_of(text), false, got, sizeof got, NULL));
	assert_string_equal(got, phones_all());
}

UT_MAIN(UT(sounds_are_read), UT(what_is_no_sound_is_named), UT(all_that_are_listed_are_known))
