/* SPDX-License-Identifier: Apache-2.0 */
/* Call answering, minute by minute: what the caller hears, what is kept, and which receipt his hang-up gets. */
#include "ut.h"
#include <errno.h>
#include "dialogue_events.h"
#include "talk.h"

static void standard_greeting_says_the_name(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	talk_answers(&t);
	assert_true(talk_heard(&t, "<Alice Smith> answer-not-available answer-leave-message"));
	assert_string_equal(talk_where(&t), "answering: greeting");
	talk_wait(&t, 1000);
	assert_true(talk_heard(&t, "*tone*"));
	talk_wait(&t, 1000);
	assert_int_equal(t.n_recorded, 1);
	talk_end(&t);
}

static void personal_greeting_is_played(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.has_greeting = true;
	talk_answers(&t);
	assert_true(talk_heard(&t, "[clip greeting]"));
	assert_false(talk_heard(&t, "answer-leave-message"));
	talk_end(&t);
	talk_called(&t);
	t.has_name = true;
	talk_answers(&t);
	assert_true(talk_heard(&t, "[clip name] answer-not-available"));
	talk_end(&t);
}

static void greeting_that_cannot_be_read_in_time_is_the_standard_one(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.has_greeting = true;
	t.fetch = TALK_NEVER;
	talk_answers(&t);
	talk_wait(&t, 3000);
	assert_true(talk_heard(&t, "answer-leave-message"));
	talk_end(&t);
}

static void hang_up_after_speaking_leaves_the_message(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.speak_ms = -1;
	talk_answers(&t);
	talk_wait(&t, 2100 + 3000);
	talk_hangup(&t);
	assert_int_equal(t.confirmed, -1); /* the receipt waits for the store */
	talk_wait(&t, 1000);
	assert_int_equal(t.n_saved, 1);
	assert_string_equal(t.saved_for, "alice");
	assert_int_equal(t.confirmed, 1);
	assert_int_equal(t.n_confirmed, 1);
	assert_true(t.over);
	assert_false(t.file);
	talk_end(&t);
}

static void slow_store_holds_the_receipt_back(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.speak_ms = -1;
	talk_answers(&t);
	talk_wait(&t, 5100);
	t.job_ms = 2900;
	talk_hangup(&t);
	talk_wait(&t, 2800);
	assert_int_equal(t.confirmed, -1);
	talk_wait(&t, 1000);
	assert_int_equal(t.confirmed, 1);
	talk_end(&t);
}

static void message_that_cannot_be_kept_gets_500(void **state)
{
	(void)state;
	for (int mode = TALK_FAILS; mode <= TALK_REFUSES; mode++) {
		struct talk t;
		talk_called(&t);
		t.speak_ms = -1;
		talk_answers(&t);
		talk_wait(&t, 5100);
		t.save = (enum talk_mode)mode;
		talk_hangup(&t);
		talk_wait(&t, 30000);
		assert_int_equal(t.confirmed, 0);
		assert_int_equal(t.n_confirmed, 1);
		assert_int_equal(t.n_saved, 0);
		assert_int_equal(t.last_event, EV_MESSAGE_LOST);
		assert_true(t.over);
		assert_true(t.file); /* found at the next start */
		talk_end(&t);
	}
}

static void recording_that_does_not_end_in_time_is_late(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.speak_ms = -1;
	talk_answers(&t);
	talk_wait(&t, 5100);
	t.record = TALK_NEVER;
	talk_hangup(&t);
	talk_wait(&t, 39000);
	assert_false(t.over);
	assert_int_equal(t.n_events, 0);
	talk_wait(&t, 2000);
	assert_true(t.over);
	assert_int_equal(t.confirmed, 0);
	assert_int_equal(t.last_event, EV_MESSAGE_LATE);
	talk_end(&t);

	talk_called(&t);
	t.speak_ms = -1;
	talk_answers(&t);
	talk_wait(&t, 5100);
	t.record = TALK_NEVER;
	talk_hangup(&t);
	talk_wait(&t, 30000);
	t.record = TALK_GOOD;
	t.speak_ms = 3000;
	talk_wait(&t, 1000);
	assert_int_equal(t.n_saved, 1);
	assert_int_equal(t.confirmed, 1);
	talk_end(&t);
}

static void too_short_a_message_is_dropped_politely(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.speak_ms = 400;
	talk_answers(&t);
	talk_wait(&t, 2600);
	assert_true(talk_heard(&t, "answer-too-short answer-after-tone"));
	assert_int_equal(t.n_dropped, 1);
	talk_wait(&t, 10000);
	assert_true(talk_heard(&t, "answer-too-short answer-after-tone"));
	assert_true(talk_heard(&t, "answer-too-short goodbye"));
	talk_wait(&t, 2000);
	assert_true(t.over);
	assert_int_equal(t.n_saved, 0);
	talk_end(&t);
}

static void hang_up_at_the_tone_leaves_nothing(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.speak_ms = -1;
	talk_answers(&t);
	talk_wait(&t, 2300); /* the tone has just ended */
	talk_hangup(&t);
	talk_wait(&t, 1000);
	assert_int_equal(t.n_saved, 0);
	assert_int_equal(t.confirmed, 1); /* nothing was lost */
	assert_int_equal(t.last_event, EV_RECORDING_DROPPED);
	assert_false(t.file);
	assert_true(t.over);
	talk_end(&t);
}

static void silence_is_no_message(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.mute = true;
	talk_answers(&t);
	talk_wait(&t, 8000);
	assert_true(talk_heard(&t, "answer-nothing-heard answer-after-tone"));
	talk_end(&t);
}

static void pound_leads_to_the_menu(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.speak_ms = -1;
	talk_answers(&t);
	talk_keys(&t, "#"); /* straight to the tone */
	assert_true(talk_heard(&t, "*tone*"));
	talk_wait(&t, 4000);
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "answer-menu answer-menu-add answer-menu-urgent answer-menu-private answer-menu-delete answer-menu-operator"));
	talk_keys(&t, "1");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "[clip recording]"));
	talk_wait(&t, 1000);
	assert_true(talk_heard(&t, "answer-menu"));
	t.speak_ms = -1;
	talk_keys(&t, "2");
	assert_int_equal(t.n_dropped, 1);
	talk_wait(&t, 4000);
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	assert_int_equal(t.n_recorded, 2);
	talk_keys(&t, "3");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "answer-saved goodbye"));
	assert_int_equal(t.n_saved, 1);
	talk_wait(&t, 1500);
	assert_true(t.over);
	assert_int_equal(t.result, R_GOODBYE);
	talk_end(&t);
}

static void saved_is_said_only_after_it_is(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	talk_answers(&t);
	talk_wait(&t, 8000);
	t.job_ms = 5000;
	talk_keys(&t, "#");
	talk_wait(&t, 4000);
	assert_null(strstr(t.heard, "answer-saved"));
	talk_wait(&t, 2000);
	assert_true(talk_heard(&t, "answer-saved"));
	talk_end(&t);

	talk_called(&t);
	t.save = TALK_FAILS;
	talk_answers(&t);
	talk_wait(&t, 8000);
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "answer-save-failed try-later goodbye"));
	talk_hangup(&t);
	assert_int_equal(t.confirmed, 0);
	talk_end(&t);
}

static void hang_up_in_the_menu_or_doing_nothing_leaves_the_message(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	talk_answers(&t);
	talk_wait(&t, 8000);
	assert_true(talk_heard(&t, "answer-menu"));
	talk_hangup(&t);
	talk_wait(&t, 100);
	assert_int_equal(t.n_saved, 1);
	assert_int_equal(t.confirmed, 1);
	talk_end(&t);

	talk_called(&t);
	talk_answers(&t);
	talk_wait(&t, 40000);
	assert_int_equal(t.n_saved, 1);
	assert_true(talk_heard(&t, "answer-saved goodbye"));
	assert_true(t.over);
	talk_end(&t);
}

static void nothing_is_recorded_where_nothing_can_be_kept(void **state)
{
	(void)state;
	static const struct {
		int err;
		const char *said;
	} cases[] = { { ENOSPC, "answer-cannot-record try-later" }, { EDQUOT, "answer-mailbox-full" }, { EROFS, "answer-cannot-record" } };
	for (unsigned i = 0; i < 3; i++) {
		struct talk t;
		talk_called(&t);
		t.room_err = cases[i].err;
		talk_answers(&t);
		assert_true(talk_heard(&t, cases[i].said));
		assert_int_equal(t.last_event, EV_RECORDING_REFUSED);
		talk_wait(&t, 5000);
		assert_true(t.over);
		assert_int_equal(t.n_recorded, 0);
		talk_end(&t);
	}
}

static void who_cannot_say_whether_there_is_room_sends_nobody_away(void **state)
{
	(void)state;
	static const enum talk_mode modes[] = { TALK_FAILS, TALK_NEVER, TALK_REFUSES };
	for (unsigned i = 0; i < 3; i++) {
		struct talk t;
		talk_called(&t);
		t.room = modes[i];
		talk_answers(&t);
		talk_wait(&t, 2500);
		assert_true(talk_heard(&t, "answer-leave-message"));
		talk_wait(&t, 8000);
		talk_hangup(&t);
		talk_wait(&t, 100);
		assert_int_equal(t.n_saved, 1);
		talk_end(&t);
	}
}

static void a_disk_that_fails_while_recording_is_told(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.record = TALK_REFUSES;
	talk_answers(&t);
	talk_wait(&t, 3000);
	assert_true(talk_heard(&t, "answer-record-failed"));
	talk_wait(&t, 3000);
	assert_true(t.over);
	talk_end(&t);

	talk_called(&t); /* late: what was said until then counts */
	t.record = TALK_FAILS;
	talk_answers(&t);
	talk_wait(&t, 8000);
	assert_true(talk_heard(&t, "answer-menu"));
	talk_hangup(&t);
	talk_wait(&t, 100);
	assert_int_equal(t.n_saved, 1);
	talk_end(&t);
}

static void zero_is_the_operator(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	talk_answers(&t);
	talk_keys(&t, "0");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "transfer-to-operator"));
	talk_wait(&t, 3000);
	assert_string_equal(t.uri, "sip:200@example.com");
	assert_true(t.over);
	assert_int_equal(t.result, R_TRANSFERRED);
	talk_end(&t);

	talk_called(&t); /* bob has none: like any other key, it leads to the tone */
	talk_box(&t, "bob");
	talk_answers(&t);
	talk_keys(&t, "0");
	assert_true(talk_heard(&t, "*tone*"));
	talk_end(&t);
}

static void operator_who_does_not_answer_leaves_the_message(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.transfer = TALK_FAILS;
	t.xfer_status = 480;
	talk_answers(&t);
	talk_keys(&t, "0");
	talk_wait(&t, 3000);
	assert_true(talk_heard(&t, "transfer-no-answer transfer-offer-message"));
	talk_keys(&t, "1");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "answer-after-tone"));
	talk_wait(&t, 10000);
	assert_true(talk_heard(&t, "answer-menu"));
	talk_keys(&t, "0"); /* send, then try again */
	talk_wait(&t, 100);
	assert_int_equal(t.n_saved, 1);
	assert_true(talk_heard(&t, "answer-saved transfer-to-operator"));
	talk_end(&t);
}

static void star_is_the_log_on(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	talk_answers(&t);
	talk_keys(&t, "*");
	assert_true(talk_heard(&t, "logon-enter-pin"));
	talk_keys(&t, "482915#");
	talk_wait(&t, 200);
	assert_true(talk_heard(&t, "you-have"));
	talk_hangup(&t);
	assert_true(t.over);
	assert_int_equal(t.confirmed, 1);
	talk_end(&t);
}

/* Wherever the caller hangs up, one receipt follows and the call ends; what was long enough is kept. */
static void hang_up_at_every_tenth_of_a_second(void **state)
{
	(void)state;
	for (int at = 0; at < 30000; at += 100) {
		struct talk t;
		talk_called(&t);
		talk_answers(&t);
		talk_wait(&t, at);
		talk_hangup(&t);
		talk_wait(&t, 12000);
		assert_true(t.over);
		if (t.n_confirmed)
			assert_int_equal(t.confirmed, 1);
		if (at > 2100 + 1200)
			assert_int_equal(t.n_saved, 1);
		assert_false(t.file);
		talk_end(&t);
	}
}

static void results_that_come_after_the_end_do_nothing(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	t.job_ms = 40000;
	talk_answers(&t);
	talk_wait(&t, 12000);
	talk_hangup(&t);
	talk_wait(&t, 26000);
	assert_true(t.over);
	for (int i = 0; i < TALK_JOBS; i++)
		if (t.job[i].used)
			dlg_job_done(&t.s.eng, t.job[i].id, J_SAVED);
	dlg_said(&t.s.eng, t.say_id);
	dlg_timer_fired(&t.s.eng, DLG_T_STATE);
	dlg_key(&t.s.eng, '1');
	dlg_hangup(&t.s.eng);
	talk_end(&t);
	dlg_job_done(&t.s.eng, 1, J_SAVED);
}

UT_MAIN(UT(standard_greeting_says_the_name), UT(personal_greeting_is_played), UT(greeting_that_cannot_be_read_in_time_is_the_standard_one),
        UT(hang_up_after_speaking_leaves_the_message), UT(slow_store_holds_the_receipt_back), UT(message_that_cannot_be_kept_gets_500), UT(recording_that_does_not_end_in_time_is_late),
        UT(too_short_a_message_is_dropped_politely), UT(hang_up_at_the_tone_leaves_nothing), UT(silence_is_no_message),
        UT(pound_leads_to_the_menu), UT(saved_is_said_only_after_it_is), UT(hang_up_in_the_menu_or_doing_nothing_leaves_the_message),
        UT(nothing_is_recorded_where_nothing_can_be_kept), UT(who_cannot_say_whether_there_is_room_sends_nobody_away), UT(a_disk_that_fails_while_recording_is_told), UT(zero_is_the_operator),
        UT(operator_who_does_not_answer_leaves_the_message), UT(star_is_the_log_on), UT(hang_up_at_every_tenth_of_a_second),
        UT(results_that_come_after_the_end_do_nothing))
