/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "base/text.h"

static void comparison_ignores_case_only_where_asked(void **state)
{
	(void)state;
	assert_true(text_eq_nocase(TEXT("SIP"), TEXT("sip")));
	assert_false(text_eq(TEXT("SIP"), TEXT("sip")));
	assert_true(text_starts_nocase(TEXT("Sips:a"), "sips:"));
	assert_true(text_ends_nocase(TEXT("a.Example.COM"), ".example.com"));
	assert_true(text_eq(TEXT_NONE, TEXT("")));
}

static void cutting_keeps_both_sides(void **state)
{
	(void)state;
	struct text head, rest;
	assert_true(text_cut(TEXT("a;b;c"), ';', &head, &rest));
	assert_true(text_is(head, "a"));
	assert_true(text_is(rest, "b;c"));
	assert_false(text_cut(TEXT("abc"), ';', &head, &rest));
	assert_true(text_is(head, "abc"));
	assert_true(text_empty(rest));
}

static void numbers_are_digits_in_range(void **state)
{
	(void)state;
	uint64_t v = 7;
	assert_int_equal(text_u64(TEXT("18446744073709551615"), UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(text_u64(TEXT("18446744073709551616"), UINT64_MAX, &v), ERANGE);
	assert_int_equal(text_u64(TEXT("-1"), 10, &v), EINVAL);
	assert_int_equal(text_u64(TEXT(""), 10, &v), EINVAL);
	assert_int_equal(text_u64(TEXT("11"), 10, &v), ERANGE);
}

static void copy_refuses_what_does_not_fit_or_holds_nul(void **state)
{
	(void)state;
	char dst[4];
	assert_int_equal(text_copy(TEXT("abc"), dst, sizeof dst), 0);
	assert_string_equal(dst, "abc");
	assert_int_equal(text_copy(TEXT("abcd"), dst, sizeof dst), ENAMETOOLONG);
	assert_string_equal(dst, "");
	assert_int_equal(text_copy(TEXT("a\0b"), dst, sizeof dst), EINVAL);
}

static void escape_hides_what_deceives_a_reader(void **state)
{
	(void)state;
	char dst[64], tiny[8];
	assert_string_equal(text_escape(TEXT("a\r\nb"), dst, sizeof dst), "a\\x0d\\x0ab");
	assert_string_equal(text_escape(TEXT("Grüße"), dst, sizeof dst), "Grüße");
	assert_string_equal(text_escape(TEXT("\xff\xc0\x80"), dst, sizeof dst), "\\xff\\xc0\\x80");
	assert_string_equal(text_escape(TEXT("a\xe2\x80\xae" "b"), dst, sizeof dst), "a\\xe2\\x80\\xaeb");
	assert_string_equal(text_escape(TEXT("abcdefghijk"), tiny, sizeof tiny), "abcd...");
}

static void instants_survive_the_round_trip(void **state)
{
	(void)state;
	char s[RFC3339_SIZE];
	int64_t t;
	assert_string_equal(rfc3339_s(1795356309, s), "2026-11-22T14:05:09Z");
	assert_int_equal(rfc3339_parse(TEXT("2026-11-22T14:05:09Z"), &t), 0);
	assert_int_equal(t, 1795356309);
	assert_int_equal(rfc3339_parse(TEXT("2026-11-22T16:05:09.25+02:00"), &t), 0);
	assert_int_equal(t, 1795356309);
	assert_int_equal(rfc3339_parse(TEXT("2026-13-22T14:05:09Z"), &t), EINVAL);
	assert_int_equal(rfc3339_parse(TEXT("2026-11-22"), &t), EINVAL);
	assert_string_equal(rfc3339_us(1795356309123456, s), "2026-11-22T14:05:09.123Z");
}

static void filling_cuts_between_letters(void **state)
{
	(void)state;
	char dst[6];
	static const struct { const char *s, *want; } v[] = {
		{ "abcdefg", "abcde" }, { "abcd\xc3\xbc", "abcd" }, { "abc\xc3\xbc", "abc\xc3\xbc" }, { "abc\xe2\x82\xac", "abc" }, { "ab\xf0\x9f\x98\x80", "ab" },
		{ "\xbf\xbf\xbf\xbf\xbf\xbf\xbf", "\xbf\xbf\xbf\xbf\xbf" }, { "", "" },
	};
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		text_fill(dst, sizeof dst, v[i].s);
		assert_string_equal(dst, v[i].want);
	}
}

UT_MAIN(UT(filling_cuts_between_letters), UT(comparison_ignores_case_only_where_asked), UT(cutting_keeps_both_sides), UT(numbers_are_digits_in_range),
        UT(copy_refuses_what_does_not_fit_or_holds_nul), UT(escape_hides_what_deceives_a_reader), UT(instants_survive_the_round_trip))
