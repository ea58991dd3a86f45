/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "directory/pin.h"

static const char *const extensions[] = { "2846", "31" };
static const struct dir_user user = { .name = "alice", .extensions = { extensions, 2 } };

static void trivial_pins_are_refused(void **state)
{
	(void)state;
	const struct cfg_policy *p = cfg_policy(NULL, TEXT_NONE);
	static const struct {
		const char *pin;
		enum dir_pin_rule rule;
	} cases[] = {
		{ "739164", DIR_PIN_GOOD }, { "73916", DIR_PIN_TOO_SHORT }, { "", DIR_PIN_TOO_SHORT }, { "7391640284615739164028461", DIR_PIN_TOO_LONG },
		{ "73916a", DIR_PIN_NOT_DIGITS }, { "73916 ", DIR_PIN_NOT_DIGITS }, { "111111", DIR_PIN_REPEATS }, { "121212", DIR_PIN_REPEATS },
		{ "1231231", DIR_PIN_REPEATS }, { "123456", DIR_PIN_SEQUENCE }, { "987654", DIR_PIN_SEQUENCE }, { "890123", DIR_PIN_SEQUENCE },
		{ "210987", DIR_PIN_SEQUENCE }, { "972846", DIR_PIN_EXTENSION }, { "284697", DIR_PIN_GOOD }, { "704831", DIR_PIN_GOOD },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (dir_pin_check(text_of(cases[i].pin), p, &user) != cases[i].rule)
			fail_msg("%s is %s", cases[i].pin, dir_pin_rule_name(dir_pin_check(text_of(cases[i].pin), p, &user)));
	struct cfg_policy lax = *p;
	lax.pin_allow_trivial = true;
	assert_int_equal(dir_pin_check(TEXT("111111"), &lax, &user), DIR_PIN_GOOD);
	struct cfg_policy four = *p;
	four.pin_min_length = 4;
	assert_int_equal(dir_pin_check(TEXT("2846"), &four, &user), DIR_PIN_EXTENSION);
}

static void hash_knows_its_pin_and_no_other(void **state)
{
	(void)state;
	char a[DIR_PIN_HASH_SIZE], b[DIR_PIN_HASH_SIZE];
	assert_int_equal(dir_pin_hash(TEXT("739164"), true, a), 0);
	assert_int_equal(dir_pin_hash(TEXT("739164"), true, b), 0);
	assert_string_not_equal(a, b); /* salted */
	assert_null(strstr(a, "739164"));
	assert_int_equal(dir_pin_verify(TEXT("739164"), a), 0);
	assert_int_equal(dir_pin_verify(TEXT("739165"), a), EACCES);
	assert_int_equal(dir_pin_verify(TEXT(""), a), EACCES);
	assert_int_equal(dir_pin_verify(TEXT("739164"), "plain"), EINVAL);
	assert_int_equal(dir_pin_hash(TEXT("739164"), false, a), 0);
	assert_int_equal(dir_pin_verify(TEXT("739164"), a), 0);
}

static void made_pins_are_good_and_differ(void **state)
{
	(void)state;
	char one[DIR_PIN_SIZE], two[DIR_PIN_SIZE];
	struct cfg_policy p = *cfg_policy(NULL, TEXT_NONE);
	p.pin_min_length = 10;
	dir_pin_make(&p, &user, one);
	dir_pin_make(&p, &user, two);
	assert_int_equal(strlen(one), 10);
	assert_string_not_equal(one, two);
	assert_int_equal(dir_pin_check(text_of(one), &p, &user), DIR_PIN_GOOD);
}

UT_MAIN(UT(trivial_pins_are_refused), UT(hash_knows_its_pin_and_no_other), UT(made_pins_are_good_and_differ))
