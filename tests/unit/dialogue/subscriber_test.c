/* SPDX-License-Identifier: Apache-2.0 */
/* The mailbox by phone: log-on, messages, greeting, PIN; and a store that fails or is slow at each of them. */
#include "ut.h"
#include <errno.h>
#include "talk.h"
#include "world.h"

static void begin(struct talk *t)
{
	talk_init(t);
	talk_message(t, "m1", MBOX_NEW, "+15550100");
	talk_message(t, "m2", MBOX_NEW, "");
	talk_message(t, "m3", MBOX_SAVED, "203");
}

static void log_on(struct talk *t)
{
	talk_start(t, &dlg_subscriber);
	talk_keys(t, "201#482915#");
	talk_wait(t, 200);
}

static void extension_and_pin_open_the_mailbox(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	talk_start(&t, &dlg_subscriber);
	assert_true(talk_heard(&t, "logon-welcome logon-enter-extension"));
	talk_keys(&t, "201#");
	assert_true(talk_heard(&t, "logon-enter-pin"));
	talk_keys(&t, "482915#");
	talk_wait(&t, 200);
	assert_true(talk_heard(&t, "you-have #2 and #1 main-menu"));
	assert_true(t.s.logged_on);
	talk_end(&t);
}

static void own_extension_asks_the_pin_alone(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	talk_box(&t, "alice");
	talk_start(&t, &dlg_subscriber);
	assert_true(talk_heard(&t, "logon-enter-pin"));
	talk_keys(&t, "111222#");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "logon-wrong logon-enter-pin"));
	talk_keys(&t, "*"); /* somebody else's phone after all */
	assert_true(talk_heard(&t, "logon-enter-extension"));
	talk_keys(&t, "203#482915#");
	talk_wait(&t, 200);
	assert_true(talk_heard(&t, "you-have"));
	talk_end(&t);
}

static void three_tries_a_call(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	talk_start(&t, &dlg_subscriber);
	for (int i = 0; i < 3; i++) {
		talk_keys(&t, "201#000000#");
		talk_wait(&t, 200);
	}
	assert_true(talk_heard(&t, "logon-wrong logon-too-many goodbye"));
	talk_wait(&t, 2000);
	assert_true(t.over);
	assert_int_equal(t.result, R_REFUSED);
	assert_int_equal(t.n_tries, 3);
	assert_int_equal(t.n_gave_up, 1);
	talk_end(&t);
}

/* A hundred guesses in as many calls as it takes: the tenth locks, and then even the right one does not open. */
static void a_pin_tried_a_hundred_times(void **state)
{
	(void)state;
	unsigned tries = 0;
	bool locked = false;
	for (int call = 0; call < 34; call++) {
		struct talk t;
		begin(&t);
		t.n_tries = tries;
		t.locked = locked;
		talk_start(&t, &dlg_subscriber);
		for (int i = 0; i < 3 && !t.over; i++) {
			char keys[32];
			snprintf(keys, sizeof(keys), "201#%06d#", 700000 + call * 3 + i);
			talk_keys(&t, keys);
			talk_wait(&t, 200);
		}
		talk_wait(&t, 3000);
		assert_true(t.over);
		assert_false(t.s.logged_on);
		tries = t.n_tries;
		locked = t.locked;
		talk_end(&t);
	}
	assert_true(locked);
	struct talk t;
	begin(&t);
	t.locked = true;
	log_on(&t);
	assert_true(talk_heard(&t, "logon-locked goodbye"));
	assert_false(t.s.logged_on);
	talk_end(&t);
}

static void who_does_not_exist_sounds_like_a_wrong_pin(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	talk_start(&t, &dlg_subscriber);
	talk_keys(&t, "999#482915#");
	talk_wait(&t, 200);
	assert_true(talk_heard(&t, "logon-wrong"));
	assert_int_equal(t.n_tries, 1);
	talk_end(&t);
}

static void log_on_with_the_store_away_is_told(void **state)
{
	(void)state;
	for (int mode = TALK_FAILS; mode <= TALK_REFUSES; mode++) {
		struct talk t;
		begin(&t);
		t.logon = (enum talk_mode)mode;
		log_on(&t);
		talk_wait(&t, 16000);
		assert_true(talk_heard(&t, "logon-failed try-later goodbye"));
		assert_true(t.over);
		talk_end(&t);
	}
	struct talk t;
	begin(&t);
	t.no_pin = true;
	log_on(&t);
	assert_true(talk_heard(&t, "logon-no-pin"));
	talk_end(&t);
}

static void no_digits_at_all_ends(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	talk_start(&t, &dlg_subscriber);
	talk_wait(&t, 60000);
	assert_true(talk_heard(&t, "give-up goodbye"));
	assert_true(t.over);
	talk_end(&t);
}

static void a_pin_that_never_ends_is_a_wrong_one(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	talk_box(&t, "alice");
	talk_start(&t, &dlg_subscriber);
	for (int i = 0; i < 100; i++)
		talk_keys(&t, "4");
	talk_keys(&t, "#");
	talk_wait(&t, 200);
	assert_true(talk_heard(&t, "logon-wrong"));
	talk_end(&t);
}

static void first_use_forces_a_new_pin(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	t.must_change = true;
	log_on(&t);
	assert_true(talk_heard(&t, "pin-first-use pin-enter-new"));
	assert_false(t.s.logged_on);
	talk_keys(&t, "123456#");
	assert_true(talk_heard(&t, "pin-rule-trivial pin-enter-new"));
	talk_keys(&t, "555#");
	assert_true(talk_heard(&t, "pin-rule-length #6 pin-enter-new"));
	talk_end(&t);

	begin(&t);
	t.must_change = true;
	log_on(&t);
	talk_keys(&t, "771133#");
	talk_keys(&t, "771134#");
	assert_true(talk_heard(&t, "pin-mismatch pin-enter-new"));
	talk_keys(&t, "771133#771133#");
	talk_wait(&t, 200);
	assert_string_equal(t.new_pin, "771133");
	assert_true(t.s.logged_on);
	assert_true(talk_heard(&t, "pin-changed you-have"));
	talk_end(&t);

	begin(&t); /* the last try, too, is told what was wrong with it */
	t.must_change = true;
	log_on(&t);
	talk_keys(&t, "555#");
	talk_keys(&t, "555#");
	talk_keys(&t, "123456#");
	assert_true(talk_heard(&t, "pin-rule-trivial nothing-changed"));
	talk_wait(&t, 10000);
	assert_true(t.over);
	talk_end(&t);

	begin(&t);
	t.must_change = true;
	log_on(&t);
	talk_keys(&t, "555#");
	talk_keys(&t, "555#");
	talk_keys(&t, "771133#");
	talk_keys(&t, "771134#");
	assert_true(talk_heard(&t, "pin-mismatch nothing-changed"));
	talk_end(&t);

	begin(&t); /* one that was in use before is told as such, and another is asked for */
	t.must_change = true;
	t.pins_used = 1;
	log_on(&t);
	talk_keys(&t, "771133#771133#");
	talk_wait(&t, 200);
	assert_true(talk_heard(&t, "pin-rule-used pin-enter-new"));
	assert_false(t.s.logged_on);
	talk_keys(&t, "882244#882244#");
	talk_wait(&t, 200);
	assert_true(t.s.logged_on);
	talk_end(&t);

	begin(&t); /* who will not choose one gets no further */
	t.must_change = true;
	log_on(&t);
	talk_wait(&t, 60000);
	assert_true(t.over);
	assert_false(t.s.logged_on);
	talk_end(&t);
}

static void messages_are_told_and_played(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	log_on(&t);
	talk_keys(&t, "1");
	talk_wait(&t, 200);
	assert_true(talk_heard(&t, "new-message from <+15550100> received"));
	assert_true(talk_heard(&t, "[clip message]"));
	talk_wait(&t, 1100); /* heard to its end: no longer new */
	assert_int_equal(t.marked, MBOX_SAVED);
	assert_int_equal(t.n_marks, 1);
	assert_true(talk_heard(&t, "play-menu"));
	talk_keys(&t, "#");
	talk_wait(&t, 3000);
	assert_true(talk_heard(&t, "new-message from unknown-caller"));
	assert_int_equal(t.n_marks, 2);
	talk_keys(&t, "#");
	talk_wait(&t, 2000);
	assert_true(talk_heard(&t, "saved-message from <203>"));
	assert_int_equal(t.n_marks, 2);
	talk_keys(&t, "#");
	talk_wait(&t, 2000);
	assert_true(talk_heard(&t, "no-more-messages main-menu"));
	talk_end(&t);
}

static void skipping_leaves_a_message_new(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	log_on(&t);
	talk_keys(&t, "1");
	talk_wait(&t, 200);
	talk_keys(&t, "#");
	talk_wait(&t, 1600);
	assert_true(talk_heard(&t, "unknown-caller"));
	assert_int_equal(t.messages[0].state, MBOX_NEW);
	talk_end(&t);
}

static void every_key_of_a_message(void **state)
{
	(void)state;
	static const struct {
		const char *keys, *heard;
	} cases[] = {
		{ "1", "saved-message" },   { "001", "saved-message" },      { "5", "from <+15550100> received #0 message-length" },
		{ "005", "message-length" }, { "7", "message-deleted new-message from unknown-caller" }, { "9", "message-kept-new play-menu" },
		{ "009", "message-kept-new play-menu" }, { "0", "play-more play-while play-menu" }, { "00", "play-more" },
		{ "11", "no-previous-message saved-message" }, { "0011", "no-previous-message" }, { "##", "new-message from unknown-caller" },
		{ "00##", "new-message from unknown-caller" }, { "*", "main-menu" }, { "33", "goodbye" }, { "0033", "goodbye" },
		{ "8", "reply-not-possible play-menu" }, { "0088", "reply-not-possible" }, { "4", "invalid-key play-menu" },
		{ "44", "message-flagged play-menu" }, { "0044", "message-flagged" }, { "007", "nothing-to-restore play-menu" }, { "99", "conversation-not-yet" },
		{ "0077", "conversation-not-yet" }, { "0055", "not-available-yet" }, { "2", "play-menu" }, { "002", "attendant-not-allowed play-menu" },
		{ "6", "send-to " }, { "006", "send-to " },
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct talk t;
		begin(&t);
		log_on(&t);
		talk_keys(&t, "1");
		talk_wait(&t, 1600);
		assert_true(talk_heard(&t, "play-menu"));
		talk_keys(&t, cases[i].keys);
		talk_wait(&t, 1700);
		if (!talk_heard(&t, cases[i].heard))
			fail_msg("key %s: heard %s", cases[i].keys, t.heard);
		talk_end(&t);
	}
}

static void keys_work_while_it_plays(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	log_on(&t);
	talk_keys(&t, "1");
	talk_wait(&t, 300);
	talk_keys(&t, "7");
	talk_wait(&t, 300);
	assert_int_equal(t.marked, MBOX_DELETED);
	assert_true(talk_heard(&t, "message-deleted new-message"));
	talk_end(&t);
}

static void a_store_that_fails_changes_nothing_and_says_so(void **state)
{
	(void)state;
	static const char *const keys[] = { "7", "9", "009" };
	for (int mode = TALK_FAILS; mode <= TALK_REFUSES; mode++)
		for (int i = 0; i < 3; i++) {
			struct talk t;
			begin(&t);
			log_on(&t);
			talk_keys(&t, "1");
			talk_wait(&t, 300);
			t.mark = (enum talk_mode)mode;
			talk_keys(&t, keys[i]);
			talk_wait(&t, 10000);
			assert_true(talk_heard(&t, "message-change-failed play-menu"));
			assert_int_equal(t.s.n_list, 3);
			assert_int_equal(t.n_marks, 0);
			talk_end(&t);
		}
	struct talk t;
	begin(&t);
	t.fetch = TALK_FAILS;
	log_on(&t);
	talk_keys(&t, "1");
	talk_wait(&t, 300);
	assert_true(talk_heard(&t, "message-not-readable play-menu"));
	talk_end(&t);
	begin(&t);
	t.list = TALK_FAILS;
	log_on(&t);
	assert_true(talk_heard(&t, "messages-not-readable main-menu"));
	talk_end(&t);
}

static void owner_of_a_nearly_full_mailbox_is_warned(void **state)
{
	(void)state;
	for (unsigned n = 449; n <= 450; n++) { /* 90 percent of 500 */
		struct talk t;
		talk_init(&t);
		talk_box(&t, "alice");
		t.s.n_new = n / 2;
		t.s.n_saved = n - n / 2;
		assert_int_equal(dlg_nearly_full(&t.s), n == 450);
		talk_end(&t);
	}
}

static void an_empty_mailbox_says_so(void **state)
{
	(void)state;
	struct talk t;
	talk_init(&t);
	log_on(&t);
	talk_keys(&t, "1");
	talk_wait(&t, 200);
	assert_true(talk_heard(&t, "no-messages main-menu"));
	talk_keys(&t, "2");
	assert_true(talk_heard(&t, "mail-not-yet main-menu"));
	talk_keys(&t, "3");
	talk_wait(&t, 1600);
	assert_true(talk_heard(&t, "calendar-not-yet main-menu"));
	talk_keys(&t, "33");
	assert_true(talk_heard(&t, "goodbye"));
	talk_wait(&t, 2000);
	assert_true(t.over);
	talk_end(&t);
}

static void greeting_is_recorded_heard_and_stored(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	t.speak_ms = -1;
	log_on(&t);
	talk_keys(&t, "62");
	assert_true(talk_heard(&t, "greeting-kinds"));
	talk_keys(&t, "1");
	assert_true(talk_heard(&t, "greeting-menu"));
	talk_keys(&t, "1");
	assert_true(talk_heard(&t, "greeting-record *tone*"));
	talk_wait(&t, 5000);
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "greeting-review"));
	talk_keys(&t, "1");
	talk_wait(&t, 1100);
	assert_true(talk_heard(&t, "[clip recording] greeting-review"));
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "greeting-saved greeting-kinds"));
	assert_int_equal(t.n_greetings, 1);
	assert_int_equal(t.greeting_kind, MBOX_G_PERSONAL);
	assert_false(t.file);
	talk_keys(&t, "17");
	talk_wait(&t, 100);
	assert_int_equal(t.n_removed, 1);
	assert_true(talk_heard(&t, "greeting-removed"));
	talk_end(&t);
}

static void greeting_that_cannot_be_stored_leaves_the_old_one(void **state)
{
	(void)state;
	for (int mode = TALK_FAILS; mode <= TALK_REFUSES; mode++) {
		struct talk t;
		begin(&t);
		t.greeting = (enum talk_mode)mode;
		log_on(&t);
		talk_keys(&t, "6211");
		talk_wait(&t, 10000);
		talk_keys(&t, "3");
		talk_wait(&t, 9000);
		assert_true(talk_heard(&t, "greeting-failed"));
		assert_int_equal(t.n_greetings, 0);
		assert_false(t.file);
		talk_end(&t);
	}
	struct talk t;
	begin(&t);
	log_on(&t);
	talk_keys(&t, "6211");
	talk_wait(&t, 10000);
	talk_hangup(&t);
	assert_true(t.over);
	assert_int_equal(t.n_greetings, 0);
	assert_false(t.file);
	talk_end(&t);
}

static void pin_is_changed_in_the_options(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	log_on(&t);
	talk_keys(&t, "63");
	talk_wait(&t, 1600); /* 33 could have been meant */
	assert_true(talk_heard(&t, "pin-enter-new"));
	talk_keys(&t, "918273#918273#");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "pin-changed options-menu"));
	assert_string_equal(t.new_pin, "918273");
	t.pin_set = TALK_FAILS;
	talk_keys(&t, "3");
	talk_wait(&t, 1600);
	talk_keys(&t, "918274#918274#");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "pin-change-failed options-menu"));
	talk_end(&t);
}

static void no_pin_stays_in_the_session(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	log_on(&t);
	const char *p = (const char *)&t.s;
	for (size_t i = 0; i + 6 < sizeof(t.s); i++)
		assert_int_not_equal(memcmp(p + i, "482915", 6), 0);
	talk_end(&t);
}

static void hang_up_anywhere_ends(void **state)
{
	(void)state;
	static const char *const keys = "201#482915#1#5701911006*62211#263918273#918273#*33";
	for (size_t n = 0; n <= strlen(keys); n++) {
		struct talk t;
		char some[64];
		begin(&t);
		talk_start(&t, &dlg_subscriber);
		snprintf(some, sizeof(some), "%.*s", (int)n, keys);
		talk_keys(&t, some);
		talk_hangup(&t);
		talk_wait(&t, 12000);
		assert_true(t.over);
		assert_false(t.file);
		talk_end(&t);
	}
}

UT_MAIN(UT(extension_and_pin_open_the_mailbox), UT(own_extension_asks_the_pin_alone), UT(three_tries_a_call),
        UT(a_pin_tried_a_hundred_times), UT(who_does_not_exist_sounds_like_a_wrong_pin), UT(log_on_with_the_store_away_is_told),
        UT(no_digits_at_all_ends), UT(a_pin_that_never_ends_is_a_wrong_one), UT(first_use_forces_a_new_pin), UT(messages_are_told_and_played),
        UT(skipping_leaves_a_message_new), UT(every_key_of_a_message), UT(keys_work_while_it_plays),
        UT(a_store_that_fails_changes_nothing_and_says_so), UT(an_empty_mailbox_says_so), UT(owner_of_a_nearly_full_mailbox_is_warned), UT(greeting_is_recorded_heard_and_stored),
        UT(greeting_that_cannot_be_stored_leaves_the_old_one), UT(pin_is_changed_in_the_options), UT(no_pin_stays_in_the_session),
        UT(hang_up_anywhere_ends))
