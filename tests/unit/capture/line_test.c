/* SPDX-License-Identifier: Apache-2.0 */
/* line_test.c  Fields of a line, numbers and bytes in them; key logs. */
#include "capture/line.h"
#include <errno.h>
#include <string.h>
#include "capture/tshark.h"
#include "told.h"
#include "ut.h"

static void a_line_has_all_fields_or_is_refused(void **state)
{
	struct cap_line l;
	char line[CAP_FIELDS + 2];
	(void)state;
	memset(line, CAP_SEPARATOR, sizeof line);
	assert_int_equal(cap_line_split(&l, text_make(line, CAP_FIELDS - 1)), 0);
	assert_int_equal(cap_line_split(&l, text_make(line, CAP_FIELDS - 2)), EBADMSG);
	assert_int_equal(cap_line_split(&l, text_make(line, CAP_FIELDS)), EBADMSG);
	assert_int_equal(cap_line_split(&l, TEXT_NONE), EBADMSG);
}

static void values_of_a_list(void **state)
{
	struct text v, list = TEXT("a\x1f" "b\x1f" "c");
	(void)state;
	assert_int_equal(cap_count(list), 3);
	assert_true(text_is(cap_first(list), "a"));
	assert_true(text_is(cap_last(list), "c"));
	assert_true(cap_next(&list, &v) && text_is(v, "a"));
	assert_true(cap_next(&list, &v) && text_is(v, "b"));
	assert_true(cap_next(&list, &v) && text_is(v, "c"));
	assert_false(cap_next(&list, &v));
	assert_int_equal(cap_count(TEXT_NONE), 0);
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, value;
		bool good;
	} cases[] = {
		{ "0", 9, 0, true }, { "5061", 65535, 5061, true }, { "65536", 65535, 0, false }, { "0x0304", 65535, 0x304, true }, { "0x", 9, 0, false },
		{ "0x10000", 65535, 0, false }, { "-1", 9, 0, false }, { "", 9, 0, false }, { "True", 1, 1, true }, { "False", 1, 0, true },
		{ "0xfffffffffffffffff", UINT64_MAX, 0, false }, { "12 ", 99, 0, false },
	};
	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t v = 77;
		assert_int_equal(cap_number(text_of(cases[i].text), cases[i].max, &v), cases[i].good);
		if (cases[i].good)
			assert_true(v == cases[i].value);
	}
}

static void times(void **state)
{
	int64_t us;
	(void)state;
	assert_true(cap_time_us(TEXT("1795368850.038859897"), &us) && us == 1795368850038859);
	assert_true(cap_time_us(TEXT("1795368850.5"), &us) && us == 1795368850500000);
	assert_true(cap_time_us(TEXT("3"), &us) && us == 3000000);
	assert_false(cap_time_us(TEXT("99999999999999999999"), &us));
	assert_false(cap_time_us(TEXT("-3.1"), &us));
	assert_false(cap_time_us(TEXT(""), &us));
}

static void bytes_and_hosts(void **state)
{
	uint8_t b[4];
	char host[20];
	(void)state;
	assert_int_equal(cap_bytes(TEXT("160301"), b, sizeof b), 3);
	assert_memory_equal(b, "\x16\x03\x01", 3);
	assert_int_equal(cap_bytes(TEXT("16:03:01"), b, sizeof b), 3);
	assert_int_equal(cap_bytes(TEXT("0102030405"), b, sizeof b), 4);
	assert_int_equal(cap_bytes(TEXT("1g"), b, sizeof b), 0);
	assert_true(cap_host(TEXT("192.0.2.1"), host, sizeof host));
	assert_true(cap_host(TEXT("2001:db8::1"), host, sizeof host));
	assert_false(cap_host(TEXT("host\x80"), host, sizeof host));
	assert_false(cap_host(TEXT(""), host, sizeof host));
	assert_false(cap_host(TEXT("1111:2222:3333:4444:5555"), host, sizeof host));
}

static void a_key_log_keeps_keys_only(void **state)
{
	static const char random[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct buf out, in;
	unsigned n;
	(void)state;
	buf_init(&out, 1 << 16);
	buf_init(&in, 1 << 16);
	buf_printf(&in, "# comment\nCLIENT_RANDOM %s 0a0b\r\nSERVER_TRAFFIC_SECRET_0 %s ff\nMADE_UP %s ff\nCLIENT_RANDOM 00 ff\nCLIENT_RANDOM %s zz\nCLIENT_RANDOM %s abc\n",
		   random, random, random, random, random);
	assert_int_equal(cap_keylog_clean(&out, buf_as_text(&in), &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(text_find_text(buf_as_text(&out), TEXT("MADE_UP")), SIZE_MAX);
	buf_free(&out);
	buf_free(&in);
}

UT_MAIN(UT(a_line_has_all_fields_or_is_refused), UT(values_of_a_list), UT(numbers), UT(times), UT(bytes_and_hosts), UT(a_key_log_keeps_keys_only))
