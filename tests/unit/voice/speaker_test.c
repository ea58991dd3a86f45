/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <string.h>
#include "voice/speaker.h"

static void voices_hold_no_option_and_no_path(void **state)
{
	(void)state;
	static const char *const good[] = { "de", "fr-ch", "en-us+f3", "pt_BR", "es-419", "a234567890123456789012345678901" };
	static const char *const bad[] = { "", "-v", "--stdout", "de -w", "../x", "mb/de", "+f3", "4", "de\t", "d\xc3\xbc", "a2345678901234567890123456789012" };
	for (unsigned i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(speaker_voice_good(text_of(good[i])));
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(speaker_voice_good(text_of(bad[i])));
	assert_false(speaker_voice_good(text_make("d\0e", 3)));
}

static void languages_have_voices(void **state)
{
	(void)state;
	static const char *const of[][2] = { { "en", "" }, { "en-US", "" }, { "EN_gb", "" }, { "", "" }, { "de", "de" }, { "de-AT", "de-at" }, { "pt_BR", "pt-br" },
		{ "-w", "" }, { "de+f3", "" }, { "eno", "eno" } };
	char voice[SPEAKER_VOICE_MAX + 1];
	for (unsigned i = 0; i < sizeof of / sizeof *of; i++) {
		speaker_voice_of(text_of(of[i][0]), voice);
		assert_string_equal(voice, of[i][1]);
	}
}

static void tags_are_compared(void **state)
{
	(void)state;
	assert_true(speaker_same_tag(TEXT("de-AT"), TEXT("DE_at")));
	assert_false(speaker_same_tag(TEXT("de-AT"), TEXT("de")));
	assert_true(speaker_same_language(TEXT("de-AT"), TEXT("de")));
	assert_false(speaker_same_language(TEXT("de-AT"), TEXT("d")));
	assert_false(speaker_same_language(TEXT(""), TEXT("")));
}

UT_MAIN(UT(voices_hold_no_option_and_no_path), UT(languages_have_voices), UT(tags_are_compared))
