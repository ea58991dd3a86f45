/* SPDX-License-Identifier: Apache-2.0 */
/* Which greeting applies and what the caller is told of it; what may be done with a message before it is sent; and that no hang-up, anywhere,
 * loses one that was accepted.                                                                                          */
#include "ut.h"
#include "dialogue_events.h"
#include "talk.h"

/* ---- greetings ---- */
static void caller_is_told_why(void **state)
{
	(void)state;
	static const struct {
		bool away, until, closed, personal;
		enum dlg_reason reason;
		unsigned recorded;
		const char *heard;
	} rows[] = {
		{ false, false, false, false, DLG_DIRECT, 0, "<Alice Smith> answer-not-available answer-leave-message" },
		{ false, false, false, false, DLG_NO_ANSWER, 0, "<Alice Smith> answer-not-available answer-leave-message" },
		{ false, false, false, false, DLG_BUSY, 0, "<Alice Smith> answer-busy answer-leave-message" },
		{ false, false, true, false, DLG_BUSY, 0, "<Alice Smith> answer-closed answer-leave-message" },
		{ true, false, true, false, DLG_BUSY, 0, "<Alice Smith> answer-away answer-leave-message" },
		{ true, true, false, false, DLG_DIRECT, 0, "<Alice Smith> answer-away-until #1800000000 answer-leave-message" },
		/* a recording for the very case says it all */
		{ false, false, false, true, DLG_BUSY, 1u << MBOX_G_BUSY, "[clip greeting] *tone*" },
		{ false, false, true, true, DLG_BUSY, 1u << MBOX_G_CLOSED, "[clip greeting] *tone*" },
		{ true, true, true, true, DLG_BUSY, 1u << MBOX_G_AWAY, "[clip greeting] *tone*" },
		{ false, false, false, true, DLG_DIRECT, 0, "[clip greeting] *tone*" },
		/* without one, the case is said before the personal greeting; nobody who is away says that he is only not available */
		{ false, false, false, true, DLG_BUSY, 0, "<Alice Smith> answer-busy [clip greeting] *tone*" },
		{ false, false, true, true, DLG_DIRECT, 1u << MBOX_G_BUSY, "<Alice Smith> answer-closed [clip greeting] *tone*" },
		{ true, false, false, true, DLG_DIRECT, 0, "<Alice Smith> answer-away answer-leave-message *tone*" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct talk t;
		talk_called(&t);
		t.standing = (struct mbox_standing){ .away = rows[i].away, .away_until_us = rows[i].until ? INT64_C(1800000000000000) : 0 };
		t.s.closed = rows[i].closed;
		t.s.reason = rows[i].reason;
		t.has_greeting = rows[i].personal;
		t.greetings = rows[i].recorded;
		talk_answers(&t);
		talk_wait(&t, 1100);
		if (!strstr(t.heard, rows[i].heard))
			fail_msg("row %zu: \"%s\" instead of \"%s\"", i, t.heard, rows[i].heard);
		talk_end(&t);
	}
}

static void store_that_does_not_answer_changes_no_reason(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.room = TALK_NEVER;
	t.fetch = TALK_NEVER;
	t.s.reason = DLG_BUSY;
	talk_answers(&t);
	talk_wait(&t, 6000);
	assert_true(talk_heard(&t, "<Alice Smith> answer-busy answer-leave-message"));
	talk_end(&t);
}

/* ---- what may be done with it ---- */
static void record_one(struct talk *t)
{
	talk_called(t);
	t->speak_ms = -1;
	talk_answers(t);
	talk_keys(t, "#");
	talk_wait(t, 4000);
	talk_keys(t, "#");
	talk_wait(t, 100);
	assert_string_equal(talk_where(t), "answering: menu");
	t->heard[0] = '\0';
}

static void urgent_and_private_and_not(void **state)
{
	(void)state;
	struct talk t;
	record_one(&t);
	talk_keys(&t, "5");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "answer-urgent answer-menu answer-menu-add answer-menu-private"));
	talk_keys(&t, "6");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "answer-private answer-menu answer-menu-add answer-menu-delete"));
	talk_keys(&t, "5");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "answer-not-urgent"));
	talk_keys(&t, "3");
	talk_wait(&t, 100);
	assert_int_equal(t.n_saved, 1);
	assert_false(t.saved_urgent);
	assert_true(t.saved_private);
	talk_end(&t);
}

static void more_can_be_added(void **state)
{
	(void)state;
	struct talk t;
	record_one(&t);
	uint32_t before = t.s.rec.duration_ms;
	t.speak_ms = -1;
	talk_keys(&t, "4");
	talk_wait(&t, 1000);
	assert_true(talk_heard(&t, "*tone*"));
	talk_wait(&t, 2000);
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	assert_string_equal(talk_where(&t), "answering: menu");
	assert_in_range(t.s.rec.duration_ms, before + 1500, before + 2500);
	assert_int_equal(t.n_dropped, 0);
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	assert_int_equal(t.n_saved, 1);
	assert_in_range(t.saved_ms, before + 1500, before + 2500);
	talk_end(&t);
}

static void nothing_added_leaves_what_was_there(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		struct talk t;
		record_one(&t);
		uint32_t before = t.s.rec.duration_ms;
		t.speak_ms = how == 0 ? 200 : 3000;
		t.mute = how == 1;
		t.record = how == 2 ? TALK_REFUSES : TALK_GOOD;
		talk_keys(&t, "4");
		talk_wait(&t, 5000);
		assert_true(talk_heard(&t, "answer-nothing-added answer-menu"));
		assert_int_equal(t.n_parts, 1);
		assert_int_equal(t.n_dropped, 0);
		assert_int_equal(t.s.rec.duration_ms, before);
		t.mute = false;
		talk_keys(&t, "3");
		talk_wait(&t, 100);
		assert_int_equal(t.n_saved, 1);
		talk_end(&t);
	}
}

static void only_so_many_parts(void **state)
{
	(void)state;
	struct talk t;
	record_one(&t);
	for (int i = 0; i < DLG_PARTS + 3; i++) {
		t.speak_ms = 2000;
		t.heard[0] = '\0';
		talk_keys(&t, "4");
		talk_wait(&t, 4000);
	}
	assert_int_equal(t.n_recorded, DLG_PARTS);
	assert_int_equal(t.n_saved, 1); /* three keys that mean nothing: sent */
	talk_end(&t);
}

static void discarded_is_gone_and_counts_as_missed(void **state)
{
	(void)state;
	struct talk t;
	record_one(&t);
	talk_keys(&t, "7");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "answer-deleted"));
	assert_int_equal(t.n_dropped, 1);
	assert_int_equal(t.s.missed, DLG_MISSED_DISCARDED);
	talk_wait(&t, 10000);
	assert_true(t.over);
	assert_int_equal(t.n_saved, 0);
	assert_false(t.s.left_message);
	talk_end(&t);
	record_one(&t);
	t.speak_ms = 3000;
	talk_keys(&t, "72");
	talk_wait(&t, 5000);
	assert_string_equal(talk_where(&t), "answering: menu");
	talk_end(&t);
}

/* Wherever the caller hangs up: what he said and did not take back is saved, exactly once, and the receipt says so. */
static void hang_up_at_every_moment_loses_nothing(void **state)
{
	(void)state;
	static const char *const ways[] = { "#~#", "#~#1", "#~#5", "#~#6", "#~#4~#", "#~#4", "#~#4~#4~#5", "#~#2~#", "#~#9", "#~#1~4~#", "#~#7", "#~#72~#" };
	for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++)
		for (int64_t at = 0; at < 24000; at += 170) {
			struct talk t;
			talk_called(&t);
			t.speak_ms = -1;
			t.job_ms = 30;
			talk_start(&t, &dlg_answering);
			int64_t now = 0;
			for (const char *k = ways[w]; *k && now < at && !t.over; k++) {
				char key[2] = { *k, 0 };
				int64_t wait = *k == '~' ? 3000 : 350;
				if (*k != '~') {
					t.speak_ms = -1;
					talk_keys(&t, key);
				}
				wait = now + wait > at ? at - now : wait;
				talk_wait(&t, wait);
				now += wait;
			}
			if (now < at)
				talk_wait(&t, at - now);
			bool accepted = t.s.rec.kept && !t.rec_job;
			bool before = t.n_saved > 0;
			uint32_t length = t.s.rec.duration_ms;
			talk_hangup(&t);
			talk_wait(&t, 16000);
			if (!t.over)
				fail_msg("way %s, %lld ms: does not end (%s)", ways[w], (long long)at, talk_where(&t));
			if (t.n_saved > 1 || (accepted && !before && t.n_saved != 1))
				fail_msg("way %s, %lld ms: %u saved", ways[w], (long long)at, t.n_saved);
			if (accepted && !before && t.saved_ms < length)
				fail_msg("way %s, %lld ms: %u of %u ms saved", ways[w], (long long)at, t.saved_ms, length);
			if (t.n_confirmed > 1 || (t.n_saved && t.n_confirmed && !t.confirmed))
				fail_msg("way %s, %lld ms: wrong receipt", ways[w], (long long)at);
			talk_end(&t);
		}
}

UT_MAIN(UT(caller_is_told_why), UT(store_that_does_not_answer_changes_no_reason), UT(urgent_and_private_and_not), UT(more_can_be_added),
        UT(nothing_added_leaves_what_was_there), UT(only_so_many_parts), UT(discarded_is_gone_and_counts_as_missed),
        UT(hang_up_at_every_moment_loses_nothing))
