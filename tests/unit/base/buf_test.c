/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include "base/buf.h"
#include "base/mem.h"

static void first_error_sticks(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 8);
	assert_int_equal(buf_str(&b, "12345678"), 0);
	assert_int_equal(buf_char(&b, '9'), EMSGSIZE);
	assert_int_equal(buf_put(&b, "", 0), EMSGSIZE);
	assert_null(buf_cstr(&b));
	buf_clear(&b);
	assert_int_equal(buf_printf(&b, "%d-%s", 12, "ab"), 0);
	assert_string_equal(buf_cstr(&b), "12-ab");
	buf_consume(&b, 3);
	assert_string_equal(buf_cstr(&b), "ab");
	buf_free(&b);
}

static int build(void *arg)
{
	(void)arg;
	struct buf b;
	buf_init(&b, 100000);
	for (int i = 0; i < 500; i++)
		buf_printf(&b, "line %d\n", i);
	int err = buf_error(&b);
	size_t n;
	uint8_t *p = buf_take(&b, &n);
	mem_free(p);
	buf_free(&b);
	return err;
}

static void survives_every_failing_allocation(void **state)
{
	(void)state;
	ut_oom(build, NULL);
}

UT_MAIN(UT(first_error_sticks), UT(survives_every_failing_allocation))
