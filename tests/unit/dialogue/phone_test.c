/* SPDX-License-Identifier: Apache-2.0 */
/* The mailbox by phone beyond hearing messages in turn: where in a message and how fast, folders and order, deleting and bringing back, flags,
 * answering, forwarding and new messages, calling the sender, personal options, the first use.                           */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include "talk.h"
#include "world.h"
#include "config/zone.h"

static void begin(struct talk *t)
{
	talk_init(t);
	talk_message(t, "m1", MBOX_NEW, "203");
	talk_message(t, "m2", MBOX_SAVED, "+15550100");
	talk_message(t, "m3", MBOX_DELETED, "204");
	for (unsigned i = 0; i < 3; i++) {
		t->messages[i].duration_ms = 60000;
		t->messages[i].received_us = (int64_t)(i + 1) * 1000000;
	}
}

static void log_on(struct talk *t)
{
	talk_start(t, &dlg_subscriber);
	talk_keys(t, "201#482915#");
	talk_wait(t, 200);
}

static void play_first(struct talk *t)
{
	log_on(t);
	talk_keys(t, "1");
	talk_wait(t, 100);
}

/* The fakes say anything in a second: "heard" runs with the time. */
static void back_forward_and_pause(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	play_first(&t);
	assert_true(talk_heard(&t, "new-message from <203>"));
	t.heard_ms = 21000; /* as if it had played so long */
	t.said_due_ms = t.now_ms + 1000;
	talk_keys(&t, "3"); /* could be 33: it waits, but the place is where the key was pressed */
	talk_wait(&t, 1100);
	assert_true(talk_heard(&t, "[clip message]"));
	uint32_t at = t.played_from_ms;
	assert_true(at >= 24000 && at <= 26000);
	talk_keys(&t, "1");
	talk_wait(&t, 1100);
	assert_true(t.played_from_ms < at);
	talk_keys(&t, "2");
	assert_string_equal(talk_where(&t), "player: pause");
	assert_true(talk_heard(&t, "message-paused"));
	talk_wait(&t, 30000);
	at = t.heard_ms;
	talk_keys(&t, "2");
	talk_wait(&t, 50);
	assert_true(talk_heard(&t, "[clip message]"));
	assert_int_equal(t.played_from_ms, at);
	assert_int_equal(t.n_marks, 0); /* not heard to its end yet */
	talk_keys(&t, "001"); /* or 00 11 */
	talk_wait(&t, 1050);
	assert_true(talk_heard(&t, "new-message from"));
	assert_int_equal(t.played_from_ms, 0);
	talk_keys(&t, "2");
	talk_wait(&t, 70000); /* a pause does not last for ever, and then nobody is there any more */
	assert_true(talk_heard(&t, "play-menu"));
	talk_end(&t);
}

static void forward_beyond_the_end_has_heard_it(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	t.messages[0].duration_ms = 3000;
	play_first(&t);
	talk_keys(&t, "3");
	talk_wait(&t, 1200);
	assert_int_equal(t.marked, MBOX_SAVED);
	assert_true(talk_heard(&t, "play-menu"));
	talk_end(&t);
}

static void slower_and_faster(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	play_first(&t);
	for (unsigned i = 0; i < 4; i++) {
		talk_keys(&t, "6");
		talk_wait(&t, 100);
	}
	assert_int_equal(t.s.phone.speed, DLG_SPEEDS - 1);
	assert_int_equal(t.n_stretched, 4);
	assert_string_equal(talk_where(&t), "player: play");
	for (unsigned i = DLG_SPEEDS - 1; i > DLG_SPEED_NORMAL; i--) {
		talk_keys(&t, "4");
		talk_wait(&t, 50);
	}
	assert_int_equal(t.s.phone.speed, DLG_SPEED_NORMAL); /* no work for that */
	unsigned n = t.n_stretched;
	talk_keys(&t, "4");
	talk_wait(&t, 50);
	talk_keys(&t, "#"); /* the next one is as slow */
	talk_wait(&t, 1200);
	assert_int_equal(t.n_stretched, n + 2);
	t.stretch = TALK_FAILS;
	talk_keys(&t, "4");
	talk_wait(&t, 100);
	assert_int_equal(t.s.phone.speed, DLG_SPEED_NORMAL); /* heard at least */
	assert_string_equal(talk_where(&t), "player: play");
	talk_end(&t);
}

static void urgent_private_and_flagged_are_told(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	talk_message(&t, "m4", MBOX_NEW, "204");
	t.messages[3].urgent = t.messages[3].private = true;
	t.messages[3].notes = MBOX_FLAGGED;
	t.messages[3].duration_ms = 60000;
	play_first(&t);
	assert_true(talk_heard(&t, "message-is-urgent message-is-private message-is-flagged new-message from <204>")); /* before the older one */
	talk_keys(&t, "0044");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "message-unflagged play-menu"));
	talk_keys(&t, "44");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "message-flagged"));
	assert_int_equal(t.notes, MBOX_FLAGGED);
	talk_keys(&t, "006");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "private-no-forward play-menu"));
	talk_keys(&t, "6");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "private-no-forward"));
	assert_int_equal(t.n_sent, 0);
	talk_end(&t);
}

static void deleted_and_brought_back(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	play_first(&t);
	talk_keys(&t, "7");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "message-deleted saved-message from <+15550100>"));
	talk_keys(&t, "007"); /* or 00 77 */
	talk_wait(&t, 1100);
	assert_int_equal(t.n_undeleted, 1);
	assert_true(talk_heard(&t, "message-restored new-message from <203>"));
	assert_int_equal(t.s.n_list, 2);
	talk_keys(&t, "007"); /* once is enough */
	talk_wait(&t, 1100);
	assert_true(talk_heard(&t, "nothing-to-restore"));
	t.mark = TALK_FAILS;
	talk_keys(&t, "7");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "message-change-failed"));
	talk_end(&t);
}

static void folders_and_order(void **state)
{
	(void)state;
	static const struct {
		const char *keys, *heard;
	} cases[] = {
		{ "71", "new-message from <203>" }, { "72", "saved-message from <+15550100>" }, { "73", "deleted-message from <204>" },
		{ "75", "saved-message from <+15550100>" }, { "76", "saved-message from <+15550100>" }, { "7420#", "new-message from <203>" },
		{ "745550#", "saved-message from <+15550100>" }, { "74999#", "no-messages main-menu" }, { "7*", "main-menu" }, { "74*", "folder-menu" },
		{ "79", "invalid-key folder-menu" },
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct talk t;
		begin(&t);
		log_on(&t);
		t.heard[0] = '\0';
		talk_keys(&t, cases[i].keys);
		talk_wait(&t, 1700); /* 3 could become 33 */
		if (!talk_heard(&t, cases[i].heard))
			fail_msg("%s: heard %s", cases[i].keys, t.heard);
		talk_end(&t);
	}
}

static void the_deleted_folder_changes_nothing_but_back(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	log_on(&t);
	talk_keys(&t, "73");
	talk_wait(&t, 3100);
	assert_true(talk_heard(&t, "deleted-message from <204>"));
	assert_true(talk_heard(&t, "play-deleted-menu"));
	assert_int_equal(t.n_marks, 0); /* heard, and no longer deleted by that? no */
	talk_keys(&t, "9");
	talk_wait(&t, 1200);
	assert_true(talk_heard(&t, "invalid-key"));
	talk_keys(&t, "7");
	talk_wait(&t, 200);
	assert_int_equal(t.n_undeleted, 1);
	assert_true(talk_heard(&t, "message-restored no-messages main-menu"));
	talk_end(&t);
}

static void names_are_found_by_their_keys(void **state)
{
	(void)state;
	struct mbox_message m = { .caller_number = "203", .caller_name = "Carol Abba" };
	assert_true(dlg_found(&m, "22765") && dlg_found(&m, "2222") && dlg_found(&m, "03") && dlg_found(&m, ""));
	assert_false(dlg_found(&m, "9") || dlg_found(&m, "765"));
}

/* ---- sending ---- */
static void a_reply_goes_to_the_sender(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	t.speak_ms = -1;
	play_first(&t);
	talk_keys(&t, "8");
	talk_wait(&t, 1100); /* 88 could have been meant */
	assert_true(talk_heard(&t, "send-record *tone*"));
	talk_wait(&t, 5000);
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "send-review"));
	talk_keys(&t, "4");
	assert_true(talk_heard(&t, "send-urgent send-review"));
	talk_keys(&t, "5");
	assert_true(talk_heard(&t, "send-private send-review"));
	talk_keys(&t, "2");
	talk_wait(&t, 1100);
	assert_true(talk_heard(&t, "[clip recording] send-review"));
	talk_keys(&t, "1");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "send-done play-menu"));
	assert_string_equal(t.sent_to, "carol ");
	assert_int_equal(t.sent_as, MBOX_REPLY);
	assert_true(t.sent_urgent && t.sent_private && t.sent_file);
	assert_false(t.file);
	assert_int_equal(t.s.list[t.s.at].notes, MBOX_REPLIED);
	talk_end(&t);
}

static void forwarding_with_and_without_an_introduction(void **state)
{
	(void)state;
	for (int intro = 0; intro < 2; intro++) {
		struct talk t;
		begin(&t);
		t.group = "Team\nbob\ndave";
		play_first(&t);
		talk_keys(&t, "006");
		talk_wait(&t, 50);
		assert_true(talk_heard(&t, "send-to send-to-group send-to-name"));
		talk_keys(&t, "1#");
		assert_true(talk_heard(&t, "send-group <Team> send-added"));
		talk_keys(&t, "1203#");
		assert_true(talk_heard(&t, "<Carol Abba> send-added"));
		talk_keys(&t, "1");
		talk_keys(&t, "#"); /* a name */
		assert_true(talk_heard(&t, "name-spell"));
		talk_keys(&t, "2222#");
		talk_wait(&t, 50);
		talk_keys(&t, "#");
		talk_wait(&t, 50);
		assert_true(talk_heard(&t, "<Dave Abba> extension <204> name-choose"));
		talk_keys(&t, "1");
		talk_wait(&t, 50);
		assert_true(talk_heard(&t, "<Dave Abba> send-added"));
		talk_keys(&t, "#");
		talk_wait(&t, 50);
		assert_true(talk_heard(&t, "forward-introduction"));
		talk_keys(&t, intro ? "1" : "#");
		talk_wait(&t, intro ? 8000 : 100);
		assert_true(talk_heard(&t, "send-review"));
		talk_keys(&t, "#");
		talk_wait(&t, 100);
		assert_string_equal(t.sent_to, "bob dave carol ");
		assert_int_equal(t.sent_as, MBOX_FORWARD);
		assert_int_equal(t.sent_file, intro);
		assert_true(talk_heard(&t, "send-done play-menu"));
		talk_end(&t);
	}
}

static void a_new_message_from_the_main_menu(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	log_on(&t);
	talk_keys(&t, "5");
	talk_wait(&t, 50);
	assert_true(talk_heard(&t, "send-to send-to-name"));
	talk_keys(&t, "999#");
	talk_wait(&t, 50);
	assert_true(talk_heard(&t, "send-unknown send-to"));
	talk_keys(&t, "202#");
	talk_wait(&t, 50);
	talk_keys(&t, "*"); /* begin again */
	talk_wait(&t, 50);
	talk_keys(&t, "203#");
	talk_wait(&t, 50);
	talk_keys(&t, "#");
	talk_wait(&t, 8000);
	assert_true(talk_heard(&t, "send-review"));
	talk_keys(&t, "1");
	talk_wait(&t, 100);
	assert_string_equal(t.sent_to, "carol ");
	assert_int_equal(t.sent_as, MBOX_SENT);
	assert_true(talk_heard(&t, "send-done main-menu"));
	talk_end(&t);
}

static void who_could_not_get_it_is_named_and_tried_again(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	t.send_fails_for = 1;
	log_on(&t);
	talk_keys(&t, "5202#1203##");
	talk_wait(&t, 8000);
	talk_keys(&t, "1");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "send-partly <Carol Abba>"));
	assert_string_equal(t.sent_to, "bob ");
	assert_true(t.file);
	t.send_fails_for = 0;
	talk_keys(&t, "1");
	talk_wait(&t, 100);
	assert_string_equal(t.sent_to, "bob carol ");
	assert_true(talk_heard(&t, "send-done main-menu"));
	assert_false(t.file);
	talk_end(&t);
}

static void a_store_that_fails_is_told(void **state)
{
	(void)state;
	for (int mode = TALK_FAILS; mode <= TALK_REFUSES; mode++) {
		struct talk t;
		begin(&t);
		t.send = (enum talk_mode)mode;
		log_on(&t);
		talk_keys(&t, "5203##");
		talk_wait(&t, 8000);
		talk_keys(&t, "1");
		talk_wait(&t, mode == TALK_NEVER ? 61000 : 31000);
		assert_true(talk_heard(&t, mode == TALK_NEVER ? "send-failed" : "send-partly <Carol Abba>"));
		assert_int_equal(t.n_sent, 0);
		talk_end(&t);
	}
}

static void hanging_up_sends_nothing_before_and_is_answered_after(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	log_on(&t);
	talk_keys(&t, "5203##");
	talk_wait(&t, 8000);
	talk_hangup(&t);
	talk_wait(&t, 100);
	assert_true(t.over);
	assert_int_equal(t.n_sent, 0);
	assert_false(t.file);
	talk_end(&t);

	for (int fails = 0; fails < 2; fails++) {
		begin(&t);
		t.job_ms = 500;
		t.send = fails ? TALK_FAILS : TALK_GOOD;
		log_on(&t);
		talk_wait(&t, 3000);
		talk_keys(&t, "5203##");
		talk_wait(&t, 8000);
		talk_keys(&t, "1");
		talk_hangup(&t); /* while it is being sent */
		assert_false(t.over);
		talk_wait(&t, 1000);
		assert_true(t.over);
		assert_int_equal(t.s.lost, fails); /* the receipt says so */
		assert_false(t.file);
		talk_end(&t);
	}
}

/* ---- calling ---- */
static void calling_the_sender(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	t.transfer = TALK_GOOD;
	play_first(&t);
	talk_keys(&t, "002");
	talk_wait(&t, 4000);
	assert_true(t.over);
	assert_int_equal(t.result, R_TRANSFERRED);
	assert_string_equal(t.uri, "sip:203@example.com");
	talk_end(&t);

	begin(&t); /* nobody answers: a message instead */
	t.transfer = TALK_FAILS;
	t.xfer_status = 480;
	play_first(&t);
	talk_keys(&t, "002");
	talk_wait(&t, 4000);
	assert_true(talk_heard(&t, "transfer-no-answer transfer-offer-message"));
	talk_keys(&t, "1");
	talk_wait(&t, 8000);
	assert_true(talk_heard(&t, "send-review"));
	talk_keys(&t, "1");
	talk_wait(&t, 100);
	assert_string_equal(t.sent_to, "carol ");
	talk_end(&t);

	begin(&t); /* an outside number is none that may be called */
	play_first(&t);
	talk_keys(&t, "#");
	talk_wait(&t, 1100);
	talk_keys(&t, "002");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "attendant-not-allowed play-menu"));
	assert_string_equal(t.uri, "");
	talk_end(&t);
}

static void the_directory_calls_and_writes(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	log_on(&t);
	talk_keys(&t, "4");
	talk_wait(&t, 50);
	assert_true(talk_heard(&t, "name-spell"));
	talk_keys(&t, "22223#");
	talk_wait(&t, 50);
	talk_keys(&t, "1");
	talk_wait(&t, 50);
	assert_true(talk_heard(&t, "<Dave Abba> person-menu"));
	talk_keys(&t, "3");
	talk_wait(&t, 8000);
	talk_keys(&t, "1");
	talk_wait(&t, 100);
	assert_string_equal(t.sent_to, "dave ");
	talk_keys(&t, "422223#");
	talk_wait(&t, 50);
	talk_keys(&t, "12");
	talk_wait(&t, 4000);
	assert_int_equal(t.result, R_TRANSFERRED);
	assert_string_equal(t.uri, "sip:204@example.com");
	talk_end(&t);
}

/* ---- options ---- */
static void options_are_chosen(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	log_on(&t);
	talk_keys(&t, "61#");
	talk_wait(&t, 100);
	assert_true(t.away);
	assert_int_equal(t.until_s, 0);
	assert_true(talk_heard(&t, "away-on away-not-recorded options-menu"));
	talk_keys(&t, "1");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "away-off options-menu"));
	talk_keys(&t, "4");
	talk_wait(&t, 100);
	assert_string_equal(t.chosen, "voice=1");
	assert_true(talk_heard(&t, "commands-voice"));
	talk_keys(&t, "6");
	talk_wait(&t, 100);
	assert_string_equal(t.chosen, "hours=24");
	talk_keys(&t, "6");
	talk_wait(&t, 100);
	assert_string_equal(t.chosen, "hours=12");
	talk_keys(&t, "5");
	assert_true(talk_heard(&t, "zone-time-of <Honolulu> zone-menu"));
	talk_keys(&t, "#");
	assert_true(talk_heard(&t, "<Anchorage>"));
	talk_keys(&t, "1");
	talk_wait(&t, 100);
	assert_string_equal(t.chosen, "zone=America/Anchorage");
	assert_true(talk_heard(&t, "zone-set options-menu"));
	talk_keys(&t, "5");
	assert_true(talk_heard(&t, "<Anchorage>"));
	talk_keys(&t, "7");
	talk_wait(&t, 100);
	assert_string_equal(t.chosen, "zone=");
	t.choose = TALK_FAILS;
	talk_keys(&t, "6");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "choice-failed options-menu"));
	talk_end(&t);
}

static void away_until_a_day_that_is_said_back(void **state)
{
	(void)state;
	static const struct {
		int32_t y, m, d; /* today, at noon, universal time */
		const char *keys;
		int32_t to_y, to_m, to_d; /* 0: none */
	} rows[] = {
		{ 2026, 11, 23, "1", 2026, 11, 23 }, { 2026, 11, 23, "14", 2026, 12, 6 }, { 2026, 11, 23, "366", 2027, 11, 23 }, { 2026, 11, 23, "367", 0, 0, 0 },
		{ 2026, 11, 23, "0", 0, 0, 0 }, { 2026, 11, 23, "2412", 2026, 12, 24 }, { 2026, 11, 23, "2311", 2026, 11, 23 }, { 2026, 11, 23, "2211", 2027, 11, 22 },
		{ 2026, 11, 23, "0101", 2027, 1, 1 }, { 2026, 11, 23, "3111", 0, 0, 0 }, { 2026, 11, 23, "2902", 0, 0, 0 }, { 2027, 11, 23, "2902", 2028, 2, 29 },
		{ 2026, 11, 23, "0013", 0, 0, 0 }, { 2026, 11, 23, "1300", 0, 0, 0 }, { 2026, 11, 23, "12345", 0, 0, 0 }, { 2026, 11, 23, "9999", 0, 0, 0 },
		{ 2026, 3, 20, "2803", 2026, 3, 28 }, { 2026, 3, 20, "2903", 2026, 3, 29 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct talk t;
		char keys[32], said[64];
		begin(&t);
		t.real_s = zone_day_of(rows[i].y, rows[i].m, rows[i].d) * 86400 + 12 * 3600;
		t.offset_s = -5 * 3600;
		t.clock_change_s = zone_day_of(2026, 3, 29) * 86400 + 7 * 3600; /* two in the morning there */
		log_on(&t);
		snprintf(keys, sizeof(keys), "61%s#", rows[i].keys);
		talk_keys(&t, keys);
		talk_wait(&t, 50);
		if (!rows[i].to_y) {
			assert_true(talk_heard(&t, "away-no-such-day away-ask-end"));
			talk_keys(&t, "*");
			talk_wait(&t, 50);
			assert_true(talk_heard(&t, "nothing-changed options-menu"));
			assert_false(t.away);
			talk_end(&t);
			continue;
		}
		int64_t end = zone_day_of(rows[i].to_y, rows[i].to_m, rows[i].to_d) * 86400 + 86399 + 5 * 3600;
		end -= end < t.clock_change_s ? 3600 : 0;
		snprintf(said, sizeof(said), "away-until #%lld away-right", (long long)end);
		assert_true(talk_heard(&t, said));
		assert_false(t.away);
		talk_keys(&t, "2");
		assert_true(talk_heard(&t, "away-ask-end"));
		talk_keys(&t, keys + 2);
		talk_keys(&t, "1");
		talk_wait(&t, 100);
		assert_true(t.away);
		assert_int_equal(t.until_s, end);
		assert_true(talk_heard(&t, "away-on away-until #"));
		assert_true(talk_heard(&t, "away-not-recorded options-menu"));
		talk_keys(&t, "1");
		talk_wait(&t, 100);
		assert_false(t.away);
		assert_int_equal(t.until_s, 0);
		assert_true(talk_heard(&t, "away-off options-menu"));
		talk_end(&t);
	}
}

static void language_is_offered_in_itself_and_spoken_at_once(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	t.n_languages = 3;
	log_on(&t);
	talk_keys(&t, "67"); /* the caller hears the node's own, which he does not look for */
	talk_wait(&t, 50);
	assert_true(talk_heard(&t, "language-menu"));
	assert_string_equal(t.spoke, "de-DE");
	talk_keys(&t, "#");
	assert_string_equal(t.spoke, "fr-FR");
	talk_keys(&t, "#");
	assert_string_equal(t.spoke, "en-US"); /* round */
	talk_keys(&t, "#1");
	talk_wait(&t, 100);
	assert_string_equal(t.chosen, "language=de-DE");
	assert_true(talk_heard(&t, "language-set options-menu options-language"));
	assert_string_equal(t.spoke, "de-DE");
	talk_keys(&t, "6"); /* German tells 24 hours where nobody chose */
	talk_wait(&t, 100);
	assert_string_equal(t.chosen, "hours=12");
	t.choose = TALK_FAILS;
	talk_keys(&t, "71");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "choice-failed options-menu"));
	assert_string_equal(t.spoke, "de-DE");
	talk_keys(&t, "7*");
	assert_string_equal(t.spoke, "de-DE");
	t.choose = TALK_GOOD;
	talk_keys(&t, "7");
	assert_string_equal(t.spoke, "en-US");
	talk_wait(&t, 7100);
	assert_true(talk_heard(&t, "language-menu"));
	talk_keys(&t, "7");
	talk_wait(&t, 100);
	assert_string_equal(t.chosen, "language=");
	assert_string_equal(t.spoke, "en");
	talk_end(&t);
	begin(&t);
	t.n_languages = 1;
	log_on(&t);
	talk_keys(&t, "67");
	talk_wait(&t, 50);
	assert_true(talk_heard(&t, "language-only options-menu"));
	talk_end(&t);
	begin(&t);
	t.n_languages = 2;
	log_on(&t);
	talk_keys(&t, "67#");
	talk_wait(&t, 25000);
	assert_true(talk_heard(&t, "give-up goodbye"));
	assert_string_equal(t.spoke, "en");
	talk_end(&t);
}

static void every_greeting_is_recorded_heard_and_removed(void **state)
{
	(void)state;
	static const enum mbox_greeting kinds[] = { MBOX_G_PERSONAL, MBOX_G_AWAY, MBOX_G_BUSY, MBOX_G_CLOSED, MBOX_G_NAME };
	for (unsigned i = 0; i < 5; i++) {
		struct talk t;
		char keys[8];
		begin(&t);
		t.recorded = 1u << kinds[i];
		log_on(&t);
		snprintf(keys, sizeof(keys), "62%u1", i + 1);
		talk_keys(&t, keys);
		talk_wait(&t, 8000);
		talk_keys(&t, "3");
		talk_wait(&t, 100);
		assert_int_equal(t.n_greetings, 1);
		assert_int_equal(t.greeting_kind, kinds[i]);
		keys[1] = keys[2];
		snprintf(keys, sizeof(keys), "%u2", i + 1);
		talk_keys(&t, keys);
		talk_wait(&t, 1100);
		assert_true(talk_heard(&t, "[clip greeting] greeting-menu"));
		talk_keys(&t, "7");
		talk_wait(&t, 100);
		assert_true(talk_heard(&t, "greeting-removed greeting-menu"));
		assert_int_equal(t.n_removed, 1);
		t.recorded = 0;
		talk_keys(&t, "2");
		talk_wait(&t, 100);
		assert_true(talk_heard(&t, "greeting-none greeting-menu"));
		talk_end(&t);
	}
}

/* ---- first use ---- */
static void first_use_asks_for_everything(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	t.must_change = true;
	t.recorded = 0;
	log_on(&t);
	talk_keys(&t, "771133#771133#");
	talk_wait(&t, 200);
	assert_true(talk_heard(&t, "pin-changed setup-name"));
	assert_string_equal(t.chosen, "setup=1");
	talk_wait(&t, 12000);
	assert_true(talk_heard(&t, "name-record *tone*"));
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	assert_int_equal(t.greeting_kind, MBOX_G_NAME);
	assert_true(talk_heard(&t, "greeting-saved setup-greeting"));
	talk_wait(&t, 12000);
	assert_true(talk_heard(&t, "greeting-record *tone*"));
	talk_keys(&t, "#");
	talk_wait(&t, 200);
	assert_int_equal(t.greeting_kind, MBOX_G_PERSONAL);
	assert_string_equal(t.chosen, "setup=");
	assert_true(talk_heard(&t, "greeting-saved setup-done you-have"));
	assert_true(t.s.logged_on);
	talk_end(&t);

	begin(&t); /* interrupted then: it goes on at the next log-on; all of it can be left out */
	t.setting_up = true;
	log_on(&t);
	assert_true(talk_heard(&t, "setup-name"));
	talk_keys(&t, "**");
	talk_wait(&t, 200);
	assert_true(talk_heard(&t, "setup-done you-have"));
	assert_int_equal(t.n_greetings, 0);
	talk_end(&t);

	begin(&t); /* somebody whose PIN was reset has a mailbox that is in use */
	t.must_change = true;
	log_on(&t);
	talk_keys(&t, "771133#771133#");
	talk_wait(&t, 200);
	assert_true(talk_heard(&t, "pin-changed you-have"));
	talk_end(&t);

	for (int mode = TALK_FAILS; mode <= TALK_REFUSES; mode++) { /* a store that is away keeps nobody from the messages */
		begin(&t);
		t.owner = (enum talk_mode)mode;
		log_on(&t);
		talk_wait(&t, 4000);
		assert_true(talk_heard(&t, "you-have"));
		talk_end(&t);
	}
}

/* ---- Play on Phone ---- */
static void called_phones_hear_the_message_or_are_asked(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) {
		struct talk t;
		begin(&t);
		talk_box(&t, "alice");
		t.s.phone.own_phone = own;
		text_fill(t.s.phone.wanted, sizeof(t.s.phone.wanted), "m2");
		talk_start(&t, &dlg_play_out);
		talk_wait(&t, 1500);
		assert_true(talk_heard(&t, "play-out-hello <Alice Smith>"));
		if (!own) {
			assert_true(talk_heard(&t, "logon-enter-pin"));
			assert_false(talk_heard(&t, "saved-message"));
			talk_keys(&t, "482915#");
			talk_wait(&t, 200);
		}
		assert_true(talk_heard(&t, "saved-message from <+15550100>"));
		talk_keys(&t, "*");
		assert_true(talk_heard(&t, "goodbye"));
		talk_wait(&t, 3000);
		assert_true(t.over);
		talk_end(&t);
	}
	struct talk t;
	begin(&t); /* an answering machine knows no PIN */
	talk_box(&t, "alice");
	text_fill(t.s.phone.wanted, sizeof(t.s.phone.wanted), "m1");
	talk_start(&t, &dlg_play_out);
	talk_wait(&t, 60000);
	assert_true(t.over);
	assert_false(t.s.logged_on || talk_heard(&t, "[clip message]"));
	talk_end(&t);

	begin(&t); /* deleted meanwhile */
	talk_box(&t, "alice");
	t.s.phone.own_phone = true;
	text_fill(t.s.phone.wanted, sizeof(t.s.phone.wanted), "m9");
	talk_start(&t, &dlg_play_out);
	talk_wait(&t, 6000);
	assert_true(talk_heard(&t, "message-not-readable goodbye"));
	assert_true(t.over);
	talk_end(&t);

	begin(&t);
	talk_box(&t, "alice");
	t.s.phone.own_phone = true;
	t.s.phone.greeting = MBOX_G_BUSY;
	talk_start(&t, &dlg_play_out);
	talk_wait(&t, 9000);
	assert_true(talk_heard(&t, "greeting-record *tone*"));
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	assert_int_equal(t.greeting_kind, MBOX_G_BUSY);
	assert_true(talk_heard(&t, "greeting-saved goodbye"));
	talk_end(&t);
}

static void hang_up_anywhere_ends(void **state)
{
	(void)state;
	static const char *const paths[] = { "201#482915#5202#1203##", "201#482915#1006202##1", "201#482915#1800#1", "201#482915#73700", "201#482915#62511",
		"201#482915#6155#1", "201#482915#422223#13", "201#482915#16663331122" };
	for (unsigned p = 0; p < sizeof(paths) / sizeof(paths[0]); p++)
		for (size_t n = 0; n <= strlen(paths[p]); n++) {
			struct talk t;
			char some[64];
			begin(&t);
			talk_start(&t, &dlg_subscriber);
			snprintf(some, sizeof(some), "%.*s", (int)n, paths[p]);
			talk_keys(&t, some);
			talk_wait(&t, (int64_t)(n % 3) * 1500);
			talk_hangup(&t);
			talk_wait(&t, 12000);
			assert_true(t.over);
			assert_false(t.file);
			talk_end(&t);
		}
}

UT_MAIN(UT(back_forward_and_pause), UT(forward_beyond_the_end_has_heard_it), UT(slower_and_faster), UT(urgent_private_and_flagged_are_told),
        UT(deleted_and_brought_back), UT(folders_and_order), UT(the_deleted_folder_changes_nothing_but_back), UT(names_are_found_by_their_keys),
        UT(a_reply_goes_to_the_sender), UT(forwarding_with_and_without_an_introduction), UT(a_new_message_from_the_main_menu),
        UT(who_could_not_get_it_is_named_and_tried_again), UT(a_store_that_fails_is_told), UT(hanging_up_sends_nothing_before_and_is_answered_after),
        UT(calling_the_sender), UT(the_directory_calls_and_writes), UT(options_are_chosen), UT(away_until_a_day_that_is_said_back), UT(language_is_offered_in_itself_and_spoken_at_once),
        UT(every_greeting_is_recorded_heard_and_removed),
        UT(first_use_asks_for_everything), UT(called_phones_hear_the_message_or_are_asked), UT(hang_up_anywhere_ends))
