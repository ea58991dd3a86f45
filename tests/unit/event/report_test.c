/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <string.h>
#include "base/mem.h"
#include "event/report.h"
#include "event_events.h"

static void sentence_is_filled_with_fields(void **state)
{
	(void)state;
	struct ev_report r = { 0 };
	char line[200];
	ev_set(&r, EV_LEVEL_CHANGED);
	ev_str(&r, "category", "trust");
	ev_str(&r, "level", "expert");
	assert_string_equal(ev_sentence(&r, line, sizeof line), "category trust now says what level expert asks for (it was ?)");
}

static void control_bytes_in_fields_are_escaped(void **state)
{
	(void)state;
	struct ev_report r = { 0 };
	char line[200];
	ev_set(&r, EV_LEVEL_CHANGED);
	ev_text(&r, "category", TEXT("a\x1b[31m"));
	ev_sentence(&r, line, sizeof line);
	assert_non_null(strstr(line, "a\\x1b[31m"));
}

static void too_long_a_field_is_cut_and_marked(void **state)
{
	(void)state;
	struct ev_report *r = mem_zalloc(1, sizeof *r);
	static char big[EV_ARENA * 2];
	memset(big, 'x', sizeof big - 1);
	ev_set(r, EV_LEVEL_CHANGED);
	ev_str(r, "category", big);
	ev_str(r, "level", "after");
	assert_true(ev_field(r, "category")->cut);
	assert_int_equal(ev_field_text(r, "level").n, 0);
	mem_free(r);
}

static void a_field_set_twice_has_its_last_value(void **state)
{
	(void)state;
	struct ev_report r = { 0 };
	ev_set(&r, EV_EVENTS_LOST);
	ev_int(&r, "count", 1);
	ev_int(&r, "count", 2);
	assert_int_equal(r.n_fields, 1);
	assert_int_equal(ev_field(&r, "count")->i, 2);
}

static void table_is_sorted_and_whole(void **state)
{
	(void)state;
	unsigned n;
	const struct ev_def *d = ev_defs(&n);
	assert_true(n > 0);
	for (unsigned i = 0; i < n; i++) {
		assert_true(i == 0 || d[i - 1].id < d[i].id);
		assert_ptr_equal(ev_def_find(d[i].id), &d[i]);
		assert_ptr_equal(ev_def_by_name(text_of(d[i].name)), &d[i]);
	}
}

UT_MAIN(UT(sentence_is_filled_with_fields), UT(control_bytes_in_fields_are_escaped), UT(too_long_a_field_is_cut_and_marked),
        UT(a_field_set_twice_has_its_last_value), UT(table_is_sorted_and_whole))
