/* SPDX-License-Identifier: Apache-2.0 */
/* ut.h  What every unit test shares: cmocka, a leak check after each test, and the walk through failing allocations. */
#ifndef TESTS_UT_H
#define TESTS_UT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* cmocka set-up and tear-down: the test fails when it leaves a block behind. Use UT(test) in the table. */
int ut_setup(void **state);
int ut_teardown(void **state);
#define UT(test) cmocka_unit_test_setup_teardown(test, ut_setup, ut_teardown)
#define UT_MAIN(...) \
	int main(void) \
	{ \
		const struct CMUnitTest tests[] = { __VA_ARGS__ }; \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}

/* Runs `body` with the 1st, 2nd, 3rd ... allocation failing until a run meets no failure. Body returns 0 when all went well, ENOMEM
 * when it met the failure; it must not leak in either case, and must clean up what it built. */
typedef int (ut_body)(void *arg);
void ut_oom(ut_body *body, void *arg);
/* A new empty folder below the test's temporary folder, removed at exit. */
const char *ut_tmpdir(void);

#endif
