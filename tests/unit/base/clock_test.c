/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include "base/clock.h"

static void fake_clock_moves_only_when_turned(void **state)
{
	(void)state;
	struct clock_fake f;
	clock_fake_init(&f, 1000);
	int64_t m = clock_mono_ms(&f.clock);
	clock_fake_advance_ms(&f, 2500);
	assert_int_equal(clock_mono_ms(&f.clock) - m, 2500);
	assert_int_equal(clock_real_s(&f.clock), 1002);
	clock_fake_set_real_s(&f, 5);
	assert_int_equal(clock_real_s(&f.clock), 5);
	assert_int_equal(clock_mono_ms(&f.clock) - m, 2500);
}

static void system_clock_does_not_run_backwards(void **state)
{
	(void)state;
	int64_t a = clock_mono_us(clock_system()), b = clock_mono_us(clock_system());
	assert_true(b >= a);
	assert_true(clock_real_s(clock_system()) > 1700000000);
}

UT_MAIN(UT(fake_clock_moves_only_when_turned), UT(system_clock_does_not_run_backwards))
