/* SPDX-License-Identifier: Apache-2.0 */
/* Answering rules: which one applies to whom and when, what callers hear, and how the search for somebody ends. */
#include "ut.h"
#include "dialogue/check.h"
#include "dialogue/rules.h"
#include "dialogue_events.h"
#include "talk.h"
#include "world.h"

static struct cfg *cfg;
static struct dir_view *view;

static int setup(void **state)
{
	ut_setup(state);
	cfg = rules_cfg();
	return dir_view_of_cfg(&view, cfg);
}

static int teardown(void **state)
{
	view = dir_view_unref(view);
	cfg = cfg_unref(cfg);
	return ut_teardown(state);
}

/* ---- holidays that are fetched ---- */
static int fetched(const struct cfg_schedule *s, struct buf *ics, void *arg)
{
	(void)s;
	return buf_str(ics, arg);
}

static void holidays_of_fetched_calendars_close_for_rules_and_greetings(void **state)
{
	(void)state;
	static const char yaml[] = "schedules: [{name: office, time_zone: Europe/Berlin, hours: {mon-fri: 08:00-18:00}, calendar: 'https://calendar.example.com/'}]\n"
		"mailboxes: [{name: zoe, extensions: ['301'], schedule: office, rules: [{name: shut, closed: office, action: hang-up}]}]\n";
	static char ics[] = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261123\r\nSUMMARY:Day off\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
	struct cfg *bare, *filled;
	assert_int_equal(cfg_parse(&bare, "u", text_of(yaml), CFG_WANT_OBJECTS, NULL), 0);
	assert_int_equal(cfg_with_calendars(&filled, bare, fetched, ics), 0);
	const struct cfg *both[] = { bare, filled };
	for (int i = 0; i < 2; i++) {
		struct dir_view *v;
		assert_int_equal(dir_view_of_cfg(&v, both[i]), 0);
		struct dlg_rule_facts f = { .view = v, .caller_number = "", .dialled = "", .dialled_uri = "", .now_s = 1795431600 }; /* a Monday, 12:00 in Berlin */
		assert_int_equal(dlg_schedule_open(both[i], "office", f.now_s), i == 0); /* what the closed greeting asks */
		const struct cfg_answer_rule *r = dlg_rule_of(dir_find_name(v, TEXT("zoe")), &f);
		assert_int_equal(r != NULL, i == 1);
		dir_view_unref(v);
	}
	cfg_unref(filled);
	cfg_unref(bare);
}

/* ---- which one ---- */
enum { MONDAY_NOON = 1795431600 /* 2026-11-23 11:00 UTC, 12:00 in Berlin */, MONDAY_NIGHT = MONDAY_NOON + 9 * 3600 };

static void first_rule_that_applies_counts(void **state)
{
	(void)state;
	static const struct {
		const char *caller, *number, *dialled;
		enum dlg_reason reason;
		int64_t at;
		const char *rule;
	} rows[] = {
		{ "bob", "202", "201", DLG_BUSY, MONDAY_NIGHT, "boss" },
		{ NULL, "202", "201", DLG_DIRECT, MONDAY_NOON, NULL }, /* the number alone proves nothing */
		{ NULL, "+49301234567", "201", DLG_BUSY, MONDAY_NOON, "customers" },
		{ NULL, "+49 30 1234567", "201", DLG_BUSY, MONDAY_NOON, "customers" },
		{ NULL, "+15550100", "201", DLG_BUSY, MONDAY_NOON, "customers" },
		{ NULL, "+155501000", "201", DLG_DIRECT, MONDAY_NOON, NULL },
		{ NULL, "+49401234567", "201", DLG_BUSY, MONDAY_NOON, NULL },
		{ NULL, "+49301234567", "201", DLG_BUSY, MONDAY_NIGHT, "busy" },
		{ NULL, "+49301234567", "201", DLG_NO_ANSWER, MONDAY_NIGHT, "busy" },
		{ NULL, "+49301234567", "201", DLG_FORWARDED, MONDAY_NIGHT, NULL },
		{ NULL, "+49301234567", "205", DLG_FORWARDED, MONDAY_NIGHT, "menu" },
		{ NULL, "", "201", DLG_DIRECT, MONDAY_NOON, "bye" },
	};
	const struct dir_user *alice = dir_find_name(view, TEXT("alice"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dlg_rule_facts f = { .view = view, .caller = rows[i].caller ? dir_find_name(view, text_of(rows[i].caller)) : NULL,
			                    .caller_number = rows[i].number, .dialled = rows[i].dialled, .dialled_uri = "", .reason = rows[i].reason, .now_s = rows[i].at };
		const struct cfg_answer_rule *r = dlg_rule_of(alice, &f);
		if (!r != !rows[i].rule || (r && strcmp(r->name, rows[i].rule) != 0))
			fail_msg("row %zu: %s instead of %s", i, r ? r->name : "none", rows[i].rule ? rows[i].rule : "none");
	}
}

static void reasons_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum dlg_reason reason;
	} rows[] = {
		{ "user-busy", DLG_BUSY }, { "USER-BUSY", DLG_BUSY }, { "no-answer", DLG_NO_ANSWER }, { "unconditional", DLG_FORWARDED },
		{ "SIP;cause=486", DLG_BUSY }, { "SIP ;cause=408 ;text=\"Timeout\"", DLG_NO_ANSWER }, { "unavailable", DLG_UNREACHABLE }, { "486", DLG_BUSY },
		{ "", DLG_DIRECT }, { "nonsense", DLG_DIRECT }, { "busybody", DLG_DIRECT },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (dlg_reason_of(text_of(rows[i].text)) != rows[i].reason)
			fail_msg("\"%s\" is %s", rows[i].text, dlg_reason_name(dlg_reason_of(text_of(rows[i].text))));
}

/* ---- what it does ---- */
static bool stranger; /* the next one to call has no name */

static void begin(struct talk *t, const char *rule)
{
	talk_init(t);
	dlg_session_close(&t->s);
	dir_view_unref(t->view);
	t->view = dir_view_ref(view);
	const struct dlg_effects *fx = t->s.fx;
	dlg_session_init(&t->s, view, fx, t);
	text_fill(t->s.caller_number, sizeof(t->s.caller_number), "+15550100");
	text_fill(t->s.caller_name, sizeof(t->s.caller_name), stranger ? "" : "Example Bank");
	talk_box(t, "alice");
	const struct cfg_mailbox *m = cfg_mailbox(cfg, TEXT("alice"));
	for (size_t i = 0; i < m->n_rules; i++)
		if (strcmp(m->rules[i].name, rule) == 0)
			t->s.rule = &m->rules[i];
	assert_non_null(t->s.rule);
	talk_start(t, &dlg_answering);
	talk_wait(t, 100);
}

static void found_at_the_first_place(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "boss");
	assert_true(talk_heard(&t, "find-hold <Alice Smith> find-skip"));
	talk_wait(&t, 1100);
	assert_true(talk_heard(&t, "<ringing>"));
	assert_string_equal(t.uri, "sip:901701234567@example.com"); /* as this house dials it */
	assert_int_equal(t.ring_ms, 15000);
	talk_wait(&t, 4000);
	assert_string_equal(talk_where(&t), "find: talking");
	assert_int_equal(t.n_talks, 1);
	assert_true(t.s.talked);
	assert_int_equal(t.last_event, EV_FIND_TALKING);
	talk_wait(&t, 20000);
	assert_true(t.over);
	assert_int_equal(t.result, R_TALKED);
	assert_int_equal(t.n_recorded, 0);
	talk_end(&t);
}

static void a_place_outside_is_counted_and_left_out_when_there_were_too_many(void **state)
{
	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		struct talk t;
		begin(&t, "boss");
		t.over_cap = over;
		talk_wait(&t, 1500);
		assert_int_equal(t.n_counted, 1);
		assert_string_equal(t.counted_of, "mailbox alice");
		assert_int_equal(t.cap, 20);
		assert_string_equal(t.uri, over ? "sip:203@example.com" : "sip:901701234567@example.com");
		assert_int_equal(t.n_calls, 1);
		talk_end(&t);
	}
}

static void second_place_after_the_first_then_a_message(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "boss");
	t.find = TALK_FAILS;
	t.find_status = 486;
	talk_wait(&t, 1500 + 4000);
	assert_int_equal(t.n_calls, 2);
	assert_string_equal(t.uri, "sip:203@example.com");
	assert_int_equal(t.last_event, EV_FIND_FAILED);
	talk_wait(&t, 4000);
	assert_true(talk_heard(&t, "find-nobody"));
	talk_wait(&t, 1000);
	assert_true(talk_heard(&t, "<Alice Smith> answer-not-available answer-leave-message"));
	talk_wait(&t, 1000 + 1000 + 6000);
	talk_hangup(&t);
	talk_wait(&t, 500);
	assert_int_equal(t.n_saved, 1);
	talk_end(&t);
}

/* Whoever may not be called is not, and the next one is tried. */
static void forbidden_place_is_told_and_passed_over(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "boss");
	talk_wait(&t, 100);
	t.s.find[0].target = "+491999"; /* allowed */
	t.s.find[1].target = "0015551234567"; /* not */
	t.find = TALK_FAILS;
	talk_wait(&t, 6000);
	assert_int_equal(t.n_calls, 1);
	assert_int_equal(t.last_event, EV_FIND_NOT_POSSIBLE);
	talk_end(&t);
}

static void caller_skips_to_the_message(void **state)
{
	(void)state;
	for (int64_t at = 200; at <= 5000; at += 1200) {
		struct talk t;
		begin(&t, "boss");
		t.find_ms = 60000;
		talk_wait(&t, at);
		talk_keys(&t, "#");
		talk_wait(&t, 200);
		assert_true(talk_heard(&t, "answer-leave-message"));
		assert_int_equal(t.n_stopped, t.n_calls);
		talk_end(&t);
	}
}

static void caller_hangs_up_while_we_search(void **state)
{
	(void)state;
	for (int64_t at = 0; at < 12000; at += 300) {
		struct talk t;
		begin(&t, "boss");
		talk_wait(&t, at);
		bool talked = t.n_talks > 0;
		talk_hangup(&t);
		talk_wait(&t, 3000);
		assert_true(t.over);
		assert_int_equal(t.result, R_GONE);
		assert_int_equal(t.confirmed, 1);
		assert_int_equal(t.n_recorded, 0);
		assert_int_equal(t.n_stopped, t.n_calls);
		assert_int_equal(t.s.talked, talked);
		talk_end(&t);
	}
}

static void strangers_are_asked_for_their_name(void **state)
{
	(void)state;
	struct talk t;
	stranger = true;
	begin(&t, "boss");
	assert_true(talk_heard(&t, "find-say-name *tone*"));
	t.speak_ms = 1200;
	talk_wait(&t, 9000);
	assert_int_equal(t.n_recorded, 1);
	assert_false(t.file); /* what is kept is sound in memory */
	assert_true(t.s.has_clip[CLIP_CALLER]);
	assert_true(talk_heard(&t, "find-hold <Alice Smith>"));
	assert_int_equal(t.n_calls, 1);
	talk_end(&t);
	begin(&t, "boss"); /* says nothing: searched for all the same */
	t.mute = true;
	talk_wait(&t, 9000);
	assert_false(t.s.has_clip[CLIP_CALLER]);
	assert_int_equal(t.n_calls, 1);
	talk_end(&t);
	begin(&t, "boss"); /* nobody there: the message is one of its own */
	t.find = TALK_FAILS;
	t.speak_ms = 1200;
	talk_wait(&t, 9000);
	t.speak_ms = 4000;
	talk_wait(&t, 20000);
	assert_int_equal(t.n_recorded, 2);
	talk_hangup(&t);
	talk_wait(&t, 500);
	assert_int_equal(t.n_saved, 1);
	assert_in_range(t.saved_ms, 3500, 5000);
	talk_end(&t);
	for (int64_t at = 0; at < 9000; at += 250) { /* gone at any moment: no file is left, and it is no message */
		begin(&t, "boss");
		t.speak_ms = 1500;
		talk_wait(&t, at);
		talk_hangup(&t);
		talk_wait(&t, 3000);
		assert_true(t.over);
		assert_int_equal(t.result, R_GONE);
		assert_int_equal(t.confirmed, 1);
		assert_int_equal(t.n_saved, 0);
		assert_false(t.file);
		talk_end(&t);
	}
	stranger = false;
}

static void joining_that_fails_goes_on(void **state)
{
	(void)state;
	for (int mode = TALK_FAILS; mode <= TALK_REFUSES; mode++) {
		struct talk t;
		begin(&t, "boss");
		t.join = (enum talk_mode)mode;
		t.talk_ms = 10;
		talk_wait(&t, 40000);
		assert_int_equal(t.n_calls, 2);
		assert_int_equal(t.n_stopped, 2);
		assert_true(talk_heard(&t, "find-nobody"));
		talk_end(&t);
	}
}

static void own_greeting_then_no_message(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "customers");
	t.find = TALK_FAILS;
	assert_true(talk_heard(&t, "<Hello dear customer.>"));
	talk_wait(&t, 20000);
	assert_true(talk_heard(&t, "find-nobody goodbye") || talk_heard(&t, "goodbye"));
	assert_true(t.over);
	assert_int_equal(t.n_recorded, 0);
	talk_end(&t);
	talk_init(&t);
	talk_end(&t);
	begin(&t, "bye");
	assert_true(talk_heard(&t, "<Please show your number.>"));
	talk_wait(&t, 3000);
	assert_true(talk_heard(&t, "goodbye"));
	assert_true(t.over);
	talk_end(&t);
}

static void keys_of_a_menu(void **state)
{
	(void)state;
	static const struct {
		const char *keys, *where;
	} rows[] = { { "1", "find: ask to hold" }, { "3", "answering: greeting" }, { "9", "rule: goodbye" }, { "0", "transfer: say where" },
		     { "#", "recorder: tone" }, { "*", "entry: entry" }, { "5", "rule: greeting" }, { "555", "answering: greeting" } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct talk t;
		begin(&t, "menu");
		assert_true(talk_heard(&t, "<For my mobile press 1.>"));
		for (const char *k = rows[i].keys; *k; k++) {
			char key[2] = { *k, 0 };
			talk_keys(&t, key);
			talk_wait(&t, 150);
		}
		if (strcmp(talk_where(&t), rows[i].where) != 0)
			fail_msg("%s leads to %s", rows[i].keys, talk_where(&t));
		talk_end(&t);
	}
	struct talk t;
	begin(&t, "menu");
	talk_wait(&t, 30000); /* nobody presses anything: a message */
	assert_true(talk_heard(&t, "answer-leave-message"));
	talk_end(&t);
}

static void transfer_by_rule(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "busy");
	talk_wait(&t, 3000);
	assert_string_equal(t.uri, "sip:203@example.com");
	assert_int_equal(t.result, R_TRANSFERRED);
	talk_end(&t);
	begin(&t, "busy");
	t.transfer = TALK_FAILS;
	t.xfer_status = 486;
	talk_wait(&t, 3500);
	assert_true(talk_heard(&t, "transfer-busy"));
	talk_keys(&t, "1");
	talk_wait(&t, 200);
	assert_true(talk_heard(&t, "answer-leave-message"));
	talk_end(&t);
}

/* A place that the owner may not call is found before anybody waits for it. */
static void places_are_checked_beforehand(void **state)
{
	(void)state;
	struct cfg_errors e = { 0 };
	assert_int_equal(dlg_rules_check(cfg, &e), 0);
	assert_int_equal(e.n, 0);
	static const char bad[] =
		"dialplans: [{name: site, domain: example.com, extension_digits: 3, outside_line: '9', national_prefix: '0', country_code: '49',"
		" rules: [{name: mobiles, pattern: '+491*'}]}]\n"
		"policies: [{name: none}, {name: some, allowed_rules: [mobiles]}]\n"
		"mailboxes:\n"
		"  - {name: alice, extensions: ['201'], policy: none, rules: [{name: r, action: find-me, find: ['+491701234567', '202']}]}\n"
		"  - {name: bob, extensions: ['202'], policy: some, rules: [{name: r, action: find-me, find: ['+491701234567', '+4930123']},"
		" {name: q, action: transfer, transfer: '2021'}, {name: k, keys: {1: transfer alice, 2: transfer 0015551234567}}]}\n";
	struct cfg *c = NULL;
	assert_int_equal(cfg_parse(&c, "bad.yaml", text_of(bad), CFG_WANT_OBJECTS, &e), 0);
	assert_int_equal(dlg_rules_check(c, &e), 0);
	static const char *const keys[] = { "mailboxes[0].rules[0].find", "mailboxes[1].rules[0].find", "mailboxes[1].rules[1].transfer",
		                            "mailboxes[1].rules[2].keys" };
	assert_int_equal(e.n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(e.v[i].key, keys[i]);
	assert_non_null(strstr(e.v[1].what, "bob may not call \"+4930123\""));
	assert_int_equal(e.v[0].pos.line, 4);
	cfg_errors_free(&e);
	cfg_unref(c);
}

/* The owner records them by phone: rule by rule, each kept under its own name. */
static void greetings_of_rules_are_recorded_by_phone(void **state)
{
	(void)state;
	struct talk t;
	const struct cfg_mailbox *m = cfg_mailbox(cfg, TEXT("alice"));
	talk_init(&t);
	dlg_session_close(&t.s);
	dir_view_unref(t.view);
	t.view = dir_view_ref(view);
	const struct dlg_effects *fx = t.s.fx;
	dlg_session_init(&t.s, view, fx, &t);
	unsigned recorded = t.recorded;
	talk_start(&t, &dlg_subscriber);
	talk_keys(&t, "201#482915#");
	talk_wait(&t, 200);
	talk_keys(&t, "62");
	talk_wait(&t, 1100);
	assert_true(talk_heard(&t, "greeting-kinds greeting-kinds-rules"));
	talk_keys(&t, "6");
	talk_wait(&t, 50);
	assert_true(talk_heard(&t, "rule-greeting <"));
	assert_ptr_equal(t.s.phone.rule, &m->rules[0]);
	talk_keys(&t, "#1");
	talk_wait(&t, 8000);
	talk_keys(&t, "3");
	talk_wait(&t, 100);
	assert_int_equal(t.n_greetings, 1);
	assert_int_equal(t.greeting_kind, MBOX_GREETINGS);
	assert_ptr_equal(t.s.phone.rule, &m->rules[1]);
	assert_int_equal(t.s.phone.recorded, recorded); /* it is none of the others */
	assert_true(talk_heard(&t, "greeting-saved rule-greeting <"));
	for (size_t i = 1; i < m->n_rules; i++) {
		talk_keys(&t, "#");
		talk_wait(&t, 50);
	}
	assert_ptr_equal(t.s.phone.rule, &m->rules[0]); /* round */
	talk_keys(&t, "2");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "rule-greeting-none rule-greeting <"));
	talk_keys(&t, "7");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "rule-greeting-removed"));
	assert_int_equal(t.n_removed, 1);
	talk_keys(&t, "*");
	talk_wait(&t, 50);
	assert_true(talk_heard(&t, "greeting-kinds"));
	talk_end(&t);
}

/* ---- the other side ---- */
static void screen(struct talk *t, const char *number, const char *name)
{
	talk_init(t);
	talk_box(t, "alice");
	text_fill(t->s.caller_number, sizeof(t->s.caller_number), number);
	text_fill(t->s.caller_name, sizeof(t->s.caller_name), name);
	talk_start(t, &dlg_screen);
	talk_wait(t, 100);
}

static void whoever_answers_hears_who_calls(void **state)
{
	(void)state;
	struct talk t;
	screen(&t, "+15550100", "Bob Brown");
	assert_true(talk_heard(&t, "screen-call-for <Alice Smith> from <Bob Brown> screen-menu"));
	talk_keys(&t, "1");
	talk_wait(&t, 100);
	assert_string_equal(talk_where(&t), "screen: talking");
	talk_wait(&t, 20000);
	assert_int_equal(t.result, R_TALKED);
	talk_end(&t);
	screen(&t, "+15550100", "");
	assert_true(talk_heard(&t, "from <+15550100> screen-menu"));
	t.s.has_clip[CLIP_CALLER] = true; /* as find me gives it */
	talk_keys(&t, "5");
	talk_wait(&t, 50);
	assert_true(talk_heard(&t, "from [clip caller] screen-menu"));
	talk_keys(&t, "2");
	talk_wait(&t, 100);
	assert_int_equal(t.result, R_REFUSED);
	talk_end(&t);
	screen(&t, "", "");
	assert_true(talk_heard(&t, "from unknown-caller screen-menu"));
	talk_wait(&t, 30000); /* an answering machine */
	assert_int_equal(t.result, R_NO_INPUT);
	assert_int_equal(t.n_talks, 0);
	talk_end(&t);
	screen(&t, "", "");
	t.take = TALK_FAILS;
	t.talk_ms = 10;
	talk_keys(&t, "1");
	talk_wait(&t, 500);
	assert_true(talk_heard(&t, "screen-caller-gone"));
	talk_end(&t);
}

#define CASE(t) { #t, t, setup, teardown, NULL }
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(holidays_of_fetched_calendars_close_for_rules_and_greetings),
		CASE(first_rule_that_applies_counts), CASE(reasons_are_read), CASE(found_at_the_first_place), CASE(a_place_outside_is_counted_and_left_out_when_there_were_too_many), CASE(second_place_after_the_first_then_a_message),
		CASE(forbidden_place_is_told_and_passed_over), CASE(caller_skips_to_the_message), CASE(caller_hangs_up_while_we_search),
		CASE(greetings_of_rules_are_recorded_by_phone), CASE(strangers_are_asked_for_their_name), CASE(joining_that_fails_goes_on), CASE(own_greeting_then_no_message), CASE(keys_of_a_menu), CASE(transfer_by_rule), CASE(places_are_checked_beforehand),
		CASE(whoever_answers_hears_who_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
