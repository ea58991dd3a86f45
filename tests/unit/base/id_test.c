/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <string.h>
#include "base/id.h"
#include "base/rand.h"

static void ids_sort_by_time_and_differ(void **state)
{
	(void)state;
	struct clock_fake f;
	char a[ID_SIZE], b[ID_SIZE], c[ID_SIZE];
	clock_fake_init(&f, 1795356309);
	id_make(a, &f.clock);
	id_make(b, &f.clock);
	clock_fake_advance_ms(&f, 1);
	id_make(c, &f.clock);
	assert_string_not_equal(a, b);
	assert_true(strcmp(a, c) < 0 && strcmp(b, c) < 0);
	assert_true(id_valid(text_of(a)));
	assert_false(id_valid(TEXT("../../../../etc/passwd....")));
	assert_false(id_valid(TEXT("short")));
}

static void random_below_stays_below(void **state)
{
	(void)state;
	unsigned seen[3] = { 0 };
	for (int i = 0; i < 300; i++)
		seen[rand_below(3)]++;
	assert_true(seen[0] && seen[1] && seen[2]);
}

UT_MAIN(UT(ids_sort_by_time_and_differ), UT(random_below_stays_below))
