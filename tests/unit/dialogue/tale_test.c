/* SPDX-License-Identifier: Apache-2.0 */
/* The table of sentences: every row with its fields, and only those; and how they are kept. */
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "dialogue/tale.h"
#include "dialogue_events.h"
#include "records/record.h"
#include "sip_events.h"
#include "ut.h"

static const struct {
	const char *name, *text, *advice;
} rows[] = {
#define TALE(name, text, advice) { #name, text, advice },
#include "dialogue/tale.def"
#undef TALE
};

static void every_row_is_a_sentence(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TALE_WHATS; i++) {
		size_t n = strlen(rows[i].text);
		assert_true(n > 10);
		if (rows[i].text[n - 1] != '.' || strstr(rows[i].text, "..") || strstr(rows[i].text, "  "))
			fail_msg("%s: \"%s\"", rows[i].name, rows[i].text);
		if (rows[i].text[0] != '{' && (rows[i].text[0] < 'A' || rows[i].text[0] > 'Z'))
			fail_msg("%s does not begin as a sentence", rows[i].name);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(rows[i].text, rows[k].text);
	}
}

/* What the code gives each row is seen in calls (tests/e2e, tests/call); here, that a row with all of its fields has no hole. */
static void fill(struct ev_report *r, const char *text)
{
	static char names[16][32];
	unsigned n = 0;
	ev_set(r, 0);
	for (const char *p = text; (p = strchr(p, '{')) && n < 16; p++) {
		const char *e = strchr(p, '}');
		assert_true(e && e - p < 32);
		text_copy(text_make(p + 1, (size_t)(e - p - 1)), names[n], sizeof names[n]);
		ev_str(r, names[n++], "some");
	}
}

static struct dlg_tale_line last;
static char last_text[9000], last_advice[9000], last_name[64];
static unsigned n_lines;

static void line_h(const struct dlg_tale_line *l, void *arg)
{
	(void)arg;
	last = *l;
	text_fill(last_name, sizeof last_name, l->name);
	text_fill(last_text, sizeof last_text, l->text);
	text_fill(last_advice, sizeof last_advice, l->advice);
	n_lines++;
}

static unsigned count(const struct dlg_tale *t)
{
	n_lines = 0;
	dlg_tale_each(t, line_h, NULL);
	return n_lines;
}

static void every_row_can_be_told(void **state)
{
	(void)state;
	struct ev_report *r = mem_zalloc(1, sizeof *r);
	for (unsigned i = 0; i < TALE_WHATS; i++) {
		struct dlg_tale t = { 0 };
		fill(r, rows[i].text);
		dlg_tale_add(&t, 1000 + i, (enum dlg_tale_what)i, r, NULL);
		assert_int_equal(count(&t), 1);
		assert_int_equal(last.at_ms, 1000 + i);
		assert_null(strchr(last_text, '{'));
		assert_null(strchr(last_text, '?'));
		assert_null(strchr(last_name, '_'));
		assert_string_equal(last_advice, rows[i].advice);
		dlg_tale_free(&t);
	}
	mem_free(r);
}

static void lines_come_back_in_order_with_their_advice(void **state)
{
	struct dlg_tale t = { 0 }, moved = { 0 };
	struct ev_report *r = mem_zalloc(1, sizeof *r);
	(void)state;
	assert_int_equal(count(&t), 0);
	ev_str(r, "who", "The caller");
	ev_str(r, "reason", "normal\r\n\x1b[2J");
	dlg_tale_add(&t, -5, TALE_THEY_HUNG_UP_WHY, r, NULL);
	dlg_tale_add(&t, 70000, TALE_BYE_GOOD, r, "look at it");
	assert_int_equal(count(&t), 2);
	assert_int_equal(last.at_ms, 70000);
	assert_string_equal(last_name, "bye-good");
	assert_string_equal(last_advice, "look at it");
	dlg_tale_move(&moved, &t);
	assert_int_equal(count(&t), 0);
	assert_int_equal(count(&moved), 2);
	assert_int_equal(moved.room, moved.n);
	dlg_tale_add(&moved, 70001, TALE_THEY_HUNG_UP_WHY, r, NULL);
	assert_int_equal(count(&moved), 3);
	assert_null(strchr(last_text, '\x1b'));
	assert_null(strchr(last_text, '\r'));
	dlg_tale_free(&moved);
	mem_free(r);
}

static void what_has_no_room_is_counted(void **state)
{
	struct dlg_tale t = { 0 };
	struct ev_report *r = mem_zalloc(1, sizeof *r);
	(void)state;
	ev_str(r, "called", "sip:somebody@domain.example");
	for (unsigned i = 0; i < 2000; i++)
		dlg_tale_add(&t, i, TALE_UP_OUT, r, NULL);
	assert_true(t.n <= DLG_TALE_BYTES && t.room <= DLG_TALE_BYTES);
	assert_int_equal(t.lines + t.lost, 2000);
	assert_int_equal(count(&t), t.lines);
	assert_true(t.lines > 100);
	dlg_tale_free(&t);
	mem_free(r);
}

/* All that a record may hold becomes sentences without a hole; one with next to nothing in it makes none up. */
static void a_record_is_told(void **state)
{
	struct call_step step[RECORD_WHATS];
	struct call_record r;
	(void)state;
	for (int w = 0; w < RECORD_WHATS; w++) {
		step[w] = (struct call_step){ .at_ms = w, .attendant = "main", .menu = "open", .value = "v", .target = "t" };
		text_fill(step[w].what, sizeof step[w].what, record_what_name((enum record_what)w));
	}
	for (int k = 0; k < RECORD_KINDS; k++) {
		struct dlg_tale t = { 0 };
		record_init(&r);
		text_fill(r.kind, sizeof r.kind, record_kind_name((enum record_kind)k));
		text_fill(r.direction, sizeof r.direction, k >= RECORD_PLAY_ON_PHONE ? "out" : "in");
		text_fill(r.drop_reason, sizeof r.drop_reason, "caller-hung-up");
		text_fill(r.callee_mailbox, sizeof r.callee_mailbox, "alice");
		text_fill(r.dialled, sizeof r.dialled, "2001");
		text_fill(r.reason, sizeof r.reason, "no-answer");
		r.received = r.lost = r.jitter_us = 5;
		struct record_item *it = record_item(&r, NULL, 0, step, RECORD_WHATS);
		dlg_tale_of_record(&t, it);
		assert_true(count(&t) >= RECORD_WHATS + 3);
		assert_string_equal(last_name, "past-end");
		assert_non_null(strstr(last_text, "caller hung up"));
		assert_int_equal(t.lost, 0);
		dlg_tale_free(&t);
		mem_free(it);
	}
	struct dlg_tale t = { 0 };
	record_init(&r);
	struct record_item *it = record_item(&r, NULL, 0, NULL, 0);
	dlg_tale_of_record(&t, it);
	assert_int_equal(count(&t), 1);
	dlg_tale_free(&t);
	mem_free(it);
}

static int told(void *arg)
{
	struct dlg_tale t = { 0 };
	dlg_tale_add(&t, 1, TALE_BYE_BAD, arg, NULL);
	int err = t.lost ? ENOMEM : 0;
	assert_int_equal(count(&t), t.lines);
	dlg_tale_free(&t);
	return err;
}

static void without_memory_a_line_is_lost_and_no_more(void **state)
{
	struct ev_report *r = mem_zalloc(1, sizeof *r);
	(void)state;
	ut_oom(told, r);
	mem_free(r);
}

static void events_that_say_the_same_are_known(void **state)
{
	(void)state;
	assert_true(dlg_tale_covers(EV_SIP_TRANSFER_FAILED));
	assert_true(dlg_tale_covers(EV_CALL_REJECTED));
	assert_false(dlg_tale_covers(EV_MESSAGE_LOST));
	assert_false(dlg_tale_covers(EV_SIP_NO_ACK));
}

UT_MAIN(UT(every_row_is_a_sentence), UT(every_row_can_be_told), UT(lines_come_back_in_order_with_their_advice), UT(what_has_no_room_is_counted),
	UT(without_memory_a_line_is_lost_and_no_more), UT(events_that_say_the_same_are_known), UT(a_record_is_told))
