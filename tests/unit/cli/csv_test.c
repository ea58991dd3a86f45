/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as spreadsheets write them. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cli/csv.h"

static void tables_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *csv, *expect;
	} cases[] = {
		{ "a,b\nc,d\n", "1:a|b 2:c|d" }, { "a,b\r\nc,d", "1:a|b 2:c|d" }, { "\xef\xbb\xbf" "a;b\nc;d,e\n", "1:a|b 2:c|d,e" },
		{ "a,b\n\"c, \"\"d\"\"\",\"e\nf\"\ng,h\n", "1:a|b 2:c, \"d\"|e\nf 4:g|h" }, { "\n\na,b\n\n,\n", "3:a|b 5:|" }, { "", "" }, { "a,,\n", "1:a||" },
		{ " a , b \n", "1:a|b" }, { "a,\"b\n", "1!2" }, { "a,\"b\"c\n", "1!2" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		static struct csv c;
		char got[500] = "";
		int err;
		csv_begin(&c, text_of(cases[i].csv));
		while ((err = csv_next(&c)) == 0) {
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s%u:", *got ? " " : "", c.at_line);
			for (unsigned k = 0; k < c.n; k++)
				snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s", k ? "|" : "", TEXT_FMT(c.field[k]));
		}
		if (err == EINVAL)
			snprintf(got + strlen(got), sizeof got - strlen(got), "%u!%u", c.at_line, c.wrong_column);
		assert_string_equal(got, cases[i].expect);
	}
}

static void what_is_written_is_read_again(void **state)
{
	(void)state;
	static const char *const fields[] = { "plain", "with, comma", "a \"quote\"", "two\nlines", "", "+4930123", "=1+1" };
	static struct csv c;
	struct buf b;
	buf_init(&b, 10000);
	for (size_t i = 0; i < 7; i++)
		csv_put(&b, fields[i], i == 0);
	buf_str(&b, "\r\n");
	csv_begin(&c, buf_as_text(&b));
	assert_int_equal(csv_next(&c), 0);
	assert_int_equal(c.n, 7);
	for (size_t i = 0; i < 6; i++)
		assert_true(text_is(c.field[i], fields[i]));
	assert_true(text_is(c.field[6], "'=1+1")); /* nothing that a spreadsheet computes */
	buf_free(&b);
}

static void too_much_is_refused(void **state)
{
	(void)state;
	static struct csv c;
	static char big[200000];
	memset(big, 'x', sizeof big - 1);
	csv_begin(&c, text_of(big));
	assert_int_equal(csv_next(&c), EINVAL);
	memset(big, ',', sizeof big - 1);
	csv_begin(&c, text_of(big));
	assert_int_equal(csv_next(&c), EINVAL);
}

UT_MAIN(UT(tables_are_read), UT(what_is_written_is_read_again), UT(too_much_is_refused))
