/* SPDX-License-Identifier: Apache-2.0 */
/* One press, however many ways it comes by. */
#include "ut.h"
#include "dialogue/key_ways.h"

static void each_way_alone_counts_every_press(void **state)
{
	(void)state;
	for (enum key_way way = 0; way < KEY_WAYS; way++) {
		struct key_ways k = { 0 };
		for (int64_t i = 0; i < 100; i++)
			assert_true(key_ways_counts(&k, way, '1', 5000 + i * 80));
	}
}

static void a_press_by_two_or_three_ways_counts_once(void **state)
{
	(void)state;
	struct key_ways k = { 0 };
	char text[KEY_WAYS_TEXT];
	assert_string_equal(key_ways_text(&k, text), "");
	assert_true(key_ways_counts(&k, KEY_BY_EVENT, '7', 1000));
	assert_false(key_ways_counts(&k, KEY_BY_TONE, '7', 1050));
	assert_string_equal(key_ways_text(&k, text), "event,tone");
	assert_false(key_ways_counts(&k, KEY_BY_INFO, '7', 1400));
	assert_true(key_ways_counts(&k, KEY_BY_TONE, '7', 1500)); /* again, this time by the tone first */
	assert_false(key_ways_counts(&k, KEY_BY_EVENT, '7', 1510));
	assert_false(key_ways_counts(&k, KEY_BY_INFO, '7', 1900));
	assert_string_equal(key_ways_text(&k, text), "event,tone,info");
}

/* INFO lags by several presses: the same key twice, then others. */
static void a_way_that_lags_finds_its_presses(void **state)
{
	(void)state;
	struct key_ways k = { 0 };
	static const char keys[] = "1123";
	for (int i = 0; i < 4; i++)
		assert_true(key_ways_counts(&k, KEY_BY_EVENT, keys[i], 1000 + i * 200));
	for (int i = 0; i < 4; i++)
		assert_false(key_ways_counts(&k, KEY_BY_INFO, keys[i], 1700 + i * 200));
}

static void one_that_was_lost_by_one_way_is_not_lost(void **state)
{
	(void)state;
	struct key_ways k = { 0 };
	assert_true(key_ways_counts(&k, KEY_BY_TONE, '4', 1000)); /* its telephone-events did not come */
	assert_true(key_ways_counts(&k, KEY_BY_EVENT, '5', 1200));
	assert_false(key_ways_counts(&k, KEY_BY_TONE, '5', 1210));
}

static void much_later_it_is_another_press(void **state)
{
	(void)state;
	struct key_ways k = { 0 };
	assert_true(key_ways_counts(&k, KEY_BY_EVENT, '#', 1000));
	assert_true(key_ways_counts(&k, KEY_BY_INFO, '#', 1000 + KEY_WAYS_MS + 1));
}

UT_MAIN(UT(each_way_alone_counts_every_press), UT(a_press_by_two_or_three_ways_counts_once), UT(a_way_that_lags_finds_its_presses),
	UT(one_that_was_lost_by_one_way_is_not_lost), UT(much_later_it_is_another_press))
