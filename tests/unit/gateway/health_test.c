/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include "gateway/health.h"

static const struct gw_health_prm prm = { .misses = 3, .answers = 2 };
enum { MIN = 60000, HOUR = 60 * MIN };

static void first_miss_is_enough_before_anything_was_heard(void **state)
{
	(void)state;
	struct gw_health h = { 0 };
	assert_int_equal(gw_health_miss(&h, &prm, 0, "closed 0"), GW_SAY_DOWN);
	assert_int_equal(h.state, GW_DOWN);
}

static void up_goes_down_only_after_misses_in_a_row(void **state)
{
	(void)state;
	struct gw_health h = { 0 };
	assert_int_equal(gw_health_answer(&h, &prm, 0), GW_SAY_UP);
	assert_int_equal(gw_health_miss(&h, &prm, MIN, "silent 0"), GW_SAY_MISSED);
	assert_int_equal(gw_health_miss(&h, &prm, 2 * MIN, "silent 0"), GW_SAY_MISSED);
	assert_int_equal(gw_health_answer(&h, &prm, 3 * MIN), GW_SAY_NOTHING);
	assert_int_equal(gw_health_miss(&h, &prm, 4 * MIN, "silent 0"), GW_SAY_MISSED);
	assert_int_equal(gw_health_miss(&h, &prm, 5 * MIN, "silent 0"), GW_SAY_MISSED);
	assert_int_equal(gw_health_miss(&h, &prm, 6 * MIN, "silent 0"), GW_SAY_DOWN);
	assert_int_equal(h.failed, 3);
}

static void down_comes_back_only_after_answers_in_a_row(void **state)
{
	(void)state;
	struct gw_health h = { 0 };
	gw_health_miss(&h, &prm, 0, "closed 0");
	assert_int_equal(gw_health_answer(&h, &prm, MIN), GW_SAY_NOTHING);
	assert_int_equal(h.state, GW_DOWN);
	gw_health_miss(&h, &prm, 2 * MIN, "closed 0");
	assert_int_equal(gw_health_answer(&h, &prm, 3 * MIN), GW_SAY_NOTHING);
	assert_int_equal(gw_health_answer(&h, &prm, 4 * MIN), GW_SAY_BACK);
	assert_int_equal(h.state, GW_UP);
	assert_int_equal(h.failed, 2);
}

static void down_is_told_again_when_the_reason_changes_and_every_hour(void **state)
{
	(void)state;
	struct gw_health h = { 0 };
	gw_health_miss(&h, &prm, 0, "closed 0");
	assert_int_equal(gw_health_miss(&h, &prm, MIN, "closed 0"), GW_SAY_NOTHING);
	assert_int_equal(gw_health_miss(&h, &prm, 30 * MIN, "nxdomain 0"), GW_SAY_REASON);
	assert_int_equal(gw_health_miss(&h, &prm, HOUR + MIN, "nxdomain 0"), GW_SAY_NOTHING);
	assert_int_equal(gw_health_miss(&h, &prm, HOUR + 30 * MIN, "nxdomain 0"), GW_SAY_STILL);
	assert_int_equal(gw_health_miss(&h, &prm, HOUR + 31 * MIN, "nxdomain 0"), GW_SAY_NOTHING);
	assert_int_equal(gw_health_miss(&h, &prm, 2 * HOUR + 30 * MIN, "nxdomain 0"), GW_SAY_STILL);
	assert_int_equal(h.failed, 7);
}

UT_MAIN(UT(first_miss_is_enough_before_anything_was_heard), UT(up_goes_down_only_after_misses_in_a_row),
        UT(down_comes_back_only_after_answers_in_a_row), UT(down_is_told_again_when_the_reason_changes_and_every_hour))
