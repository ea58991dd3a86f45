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

/* What is formatted here and what the C library formats cannot be told apart. */
#define SAME(...) \
	do { \
		char want[200]; \
		struct buf b; \
		snprintf(want, sizeof want, __VA_ARGS__); \
		buf_init(&b, 200); \
		buf_str(&b, "before "); \
		assert_int_equal(buf_printf(&b, __VA_ARGS__), 0); \
		assert_string_equal(buf_cstr(&b) + 7, want); \
		buf_free(&b); \
	} while (0)

static void formats_as_the_library_does(void **state)
{
	(void)state;
	SAME("plain");
	SAME("%s", "");
	SAME("<%s>;x=%u;y=%d%%z", "text", 4294967295u, 7);
	SAME("%d %d %d", 0, -1, INT32_MIN);
	SAME("%.*s|%.*s|%.*s", 3, "abcdef", 0, "abc", 9, "abc");
	SAME("%llu", 18446744073709551615ull);
	SAME("%.*s", -1, "all of it");
	SAME("%5d|%-5s|%05u|%x|%lld|%c|%.3s", 42, "ab", 7u, 255u, -5ll, 'c', "abcdef");
	SAME("begun %s, then %08x", "here", 48879u);
}

static void what_does_not_fit_leaves_nothing_behind(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 10);
	assert_int_equal(buf_str(&b, "12345"), 0);
	assert_int_equal(buf_printf(&b, "%s%s", "678", "9abc"), EMSGSIZE);
	assert_int_equal(b.n, 5);
	buf_free(&b);
}

UT_MAIN(UT(formats_as_the_library_does), UT(what_does_not_fit_leaves_nothing_behind), UT(first_error_sticks), UT(survives_every_failing_allocation))
