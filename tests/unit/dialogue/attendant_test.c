/* SPDX-License-Identifier: Apache-2.0 */
/* Attendants loaded from a configuration: menus, extensions, names, transfers, and callers who press nothing or the wrong thing. */
#include "ut.h"
#include <errno.h>
#include "base/buf.h"
#include "base/mem.h"
#include "dialogue/service.h"
#include "dialogue_events.h"
#include "talk.h"
#include "world.h"

static struct dlg_attendants *all;

static void begin(struct talk *t)
{
	struct cfg *cfg = world_cfg();
	assert_int_equal(dlg_attendants_create(&all, cfg), 0);
	cfg_unref(cfg);
	talk_init(t);
}

static void go(struct talk *t, const char *name)
{
	talk_start(t, dlg_attendant_table(all, text_of(name)));
	all = mem_unref(all); /* a reload: the session holds its own */
	talk_wait(t, 50);
}

static void menu_is_said(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	go(&t, "main");
	assert_true(talk_heard(&t, "attendant-welcome-to <Example> attendant-dial-extension attendant-for <Alice Smith> attendant-press <1>"));
	assert_true(talk_heard(&t, "attendant-for <Carol Abba> attendant-press <3>"));
	assert_true(talk_heard(&t, "attendant-dial-name attendant-dial-operator"));
	talk_end(&t);
}

static void extension_wins_over_the_menu(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	go(&t, "main");
	talk_keys(&t, "203");
	assert_true(talk_heard(&t, "transfer-to <Carol Abba>"));
	talk_wait(&t, 3000);
	assert_string_equal(t.uri, "sip:203@example.com");
	assert_true(t.over);
	assert_int_equal(t.result, R_TRANSFERRED);
	assert_int_equal(t.last_event, EV_TRANSFERRED);
	talk_end(&t);
}

static void menu_key_waits_for_a_longer_number(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	go(&t, "main");
	talk_keys(&t, "1");
	assert_false(talk_heard(&t, "transfer-to"));
	talk_wait(&t, 1600);
	assert_true(talk_heard(&t, "transfer-to <Alice Smith>"));
	talk_end(&t);
}

static void who_is_not_listed_is_not_reached(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	go(&t, "main");
	talk_keys(&t, "202"); /* bob may not be dialled */
	assert_true(talk_heard(&t, "attendant-unknown-extension"));
	talk_keys(&t, "777");
	assert_true(talk_heard(&t, "attendant-unknown-extension"));
	assert_string_equal(t.uri, "");
	talk_keys(&t, "778"); /* enough: the operator */
	assert_true(talk_heard(&t, "attendant-unknown-extension transfer-to-operator"));
	talk_end(&t);

	begin(&t); /* an outside number in the menu is refused like any other */
	go(&t, "main");
	talk_keys(&t, "5");
	talk_wait(&t, 1600);
	assert_true(talk_heard(&t, "attendant-unknown-extension"));
	assert_string_equal(t.uri, "");
	talk_end(&t);
}

static void names_are_offered_one_by_one(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	go(&t, "main");
	talk_keys(&t, "#");
	assert_true(talk_heard(&t, "name-spell"));
	talk_keys(&t, "2222#");
	assert_true(talk_heard(&t, "#2 name-matches <Carol Abba> extension <203> name-choose"));
	talk_keys(&t, "#");
	assert_true(talk_heard(&t, "<Dave Abba> extension <204> name-choose"));
	talk_keys(&t, "1");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "transfer-to <Dave Abba>"));
	talk_end(&t);

	begin(&t);
	go(&t, "main");
	talk_keys(&t, "#76484#");
	assert_true(talk_heard(&t, "name-one-match <Alice Smith> name-choose"));
	talk_keys(&t, "#");
	assert_true(talk_heard(&t, "name-no-more name-spell"));
	talk_keys(&t, "262#"); /* bob is not dialable, so nobody */
	assert_true(talk_heard(&t, "name-no-match"));
	talk_keys(&t, "*");
	assert_true(talk_heard(&t, "attendant-dial-extension"));
	talk_end(&t);
}

static void other_attendants_take_the_place(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	go(&t, "main");
	for (int i = 0; i < 20; i++) { /* there and back, as often as they like */
		talk_keys(&t, "2");
		talk_wait(&t, 1600);
		assert_true(talk_heard(&t, "<We are closed. Our office"));
		assert_true(talk_heard(&t, "nobody works.> <Please call again then")); /* in sentences, as far as one name can hold */
		talk_keys(&t, "1");
		assert_true(talk_heard(&t, "attendant-welcome-to"));
	}
	assert_int_equal(t.s.eng.depth, 1);
	talk_end(&t);
}

static void the_menu_says_what_a_time_out_means(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	go(&t, "night");
	talk_wait(&t, 7000);
	assert_true(talk_heard(&t, "attendant-message-for <Alice Smith> <Alice Smith> answer-not-available"));
	talk_wait(&t, 10000);
	talk_hangup(&t);
	talk_wait(&t, 100);
	assert_int_equal(t.n_saved, 1);
	assert_string_equal(t.saved_for, "alice");
	assert_int_equal(t.confirmed, 1);
	talk_end(&t);
}

static void failures_lead_to_the_operator_or_the_end(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	go(&t, "main");
	talk_wait(&t, 30000);
	assert_true(talk_heard(&t, "no-input"));
	assert_true(talk_heard(&t, "give-up transfer-to-operator"));
	talk_end(&t);

	begin(&t); /* the second one has no operator */
	go(&t, "night");
	talk_keys(&t, "7");
	assert_true(talk_heard(&t, "invalid-key"));
	talk_keys(&t, "7");
	assert_true(talk_heard(&t, "give-up goodbye"));
	talk_wait(&t, 2000);
	assert_true(t.over);
	talk_end(&t);
}

static void zero_without_operator_is_told(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	go(&t, "night");
	talk_keys(&t, "0");
	assert_true(talk_heard(&t, "attendant-no-operator"));
	talk_end(&t);
}

static void transfer_that_fails_is_told_and_offers_a_message(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *said;
	} cases[] = { { 486, "transfer-busy" }, { 480, "transfer-no-answer" }, { 404, "transfer-failed" }, { 0, "transfer-failed" } };
	for (unsigned i = 0; i < 4; i++) {
		struct talk t;
		begin(&t);
		t.transfer = TALK_FAILS;
		t.xfer_status = cases[i].status;
		go(&t, "main");
		talk_keys(&t, "203");
		talk_wait(&t, 3000);
		assert_true(talk_heard(&t, cases[i].said));
		assert_true(talk_heard(&t, "transfer-offer-message transfer-offer-operator transfer-offer-back"));
		assert_int_equal(t.last_event, EV_TRANSFER_FAILED);
		talk_keys(&t, "1");
		talk_wait(&t, 100);
		assert_true(talk_heard(&t, "attendant-message-for <Carol Abba>"));
		talk_wait(&t, 10000);
		talk_hangup(&t);
		talk_wait(&t, 100);
		assert_string_equal(t.saved_for, "carol");
		talk_end(&t);
	}
}

static void transfer_without_any_word_ends_in_time(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	t.transfer = TALK_NEVER;
	go(&t, "main");
	talk_keys(&t, "203");
	talk_wait(&t, 2000);
	dlg_job_progress(&t.s.eng, t.xfer_job, 180);
	talk_wait(&t, 315000);
	assert_true(talk_heard(&t, "transfer-failed transfer-offer-message"));
	talk_keys(&t, "0");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "transfer-to-operator"));
	talk_end(&t);
	begin(&t);
	t.transfer = TALK_REFUSES;
	go(&t, "main");
	talk_keys(&t, "203");
	talk_wait(&t, 2000);
	assert_true(talk_heard(&t, "transfer-failed"));
	assert_int_equal(t.last_event, EV_TRANSFER_ERROR); /* not that nobody answered */
	talk_keys(&t, "*");
	assert_true(talk_heard(&t, "attendant-dial-extension"));
	talk_end(&t);
}

/* At once (transfer: bridge), or when the gateway refused the order (auto). */
static void where_no_orders_are_taken_the_two_are_joined(void **state)
{
	(void)state;
	for (unsigned later = 0; later < 2; later++) {
		struct talk t;
		begin(&t);
		t.transfer = later ? TALK_FAILS : TALK_REFUSES;
		t.no_orders = true;
		t.find_ms = 5000;
		t.talk_ms = 60000;
		go(&t, "main");
		talk_keys(&t, "203");
		talk_wait(&t, 4500);
		assert_true(talk_heard(&t, "transfer-to <Carol Abba>"));
		assert_true(talk_heard(&t, "ringing"));
		assert_int_equal(t.n_bridged, 1);
		talk_wait(&t, 5000);
		assert_int_equal(t.n_talks, 1);
		assert_int_equal(t.last_event, EV_TRANSFERRED);
		talk_wait(&t, 40000);
		assert_false(t.over);
		talk_wait(&t, 30000);
		assert_true(t.over);
		assert_int_equal(t.result, R_TRANSFERRED);
		talk_end(&t);
	}
}

static void a_bridge_that_fails_is_told_like_a_transfer(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *said;
	} cases[] = { { 486, "transfer-busy" }, { 487, "transfer-no-answer" }, { 404, "transfer-failed" }, { 0, "transfer-failed" } };
	for (unsigned i = 0; i < 4; i++) {
		struct talk t;
		begin(&t);
		t.transfer = TALK_REFUSES;
		t.no_orders = true;
		t.find = TALK_FAILS;
		t.find_ms = 500;
		t.find_status = cases[i].status;
		go(&t, "main");
		talk_keys(&t, "203");
		talk_wait(&t, 3000);
		assert_true(talk_heard(&t, cases[i].said));
		assert_true(talk_heard(&t, "transfer-offer-message transfer-offer-operator transfer-offer-back"));
		assert_int_equal(t.last_event, EV_TRANSFER_FAILED);
		talk_end(&t);
	}
	struct talk t; /* it cannot even be tried */
	begin(&t);
	t.transfer = t.find = TALK_REFUSES;
	t.no_orders = true;
	go(&t, "main");
	talk_keys(&t, "203");
	talk_wait(&t, 3000);
	assert_true(talk_heard(&t, "transfer-failed"));
	assert_int_equal(t.last_event, EV_TRANSFER_ERROR);
	talk_end(&t);
}

/* While it rings the call made for him ends too. */
static void leaving_while_it_rings(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	t.transfer = TALK_REFUSES;
	t.no_orders = true;
	t.find = TALK_NEVER;
	go(&t, "main");
	talk_keys(&t, "203");
	talk_wait(&t, 3000);
	assert_int_equal(t.n_bridged, 1);
	talk_hangup(&t);
	assert_true(t.over);
	assert_int_equal(t.n_stopped, 1);
	assert_int_equal(t.last_event, EV_CALL_LEFT_IN_TRANSFER);
	talk_end(&t);
}

static void leaving_during_a_transfer_ends(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	t.transfer = TALK_NEVER;
	go(&t, "main");
	talk_keys(&t, "203");
	talk_wait(&t, 2000);
	talk_hangup(&t);
	assert_true(t.over);
	assert_int_equal(t.last_event, EV_CALL_LEFT_IN_TRANSFER);
	talk_end(&t);
}

static void keys_of_the_menu_lead_on(void **state)
{
	(void)state;
	struct talk t;
	begin(&t);
	go(&t, "main");
	talk_keys(&t, "4");
	talk_wait(&t, 1600);
	assert_true(talk_heard(&t, "logon-enter-extension"));
	talk_end(&t);
	begin(&t);
	go(&t, "main");
	talk_keys(&t, "9");
	talk_wait(&t, 1600);
	assert_true(talk_heard(&t, "goodbye"));
	talk_end(&t);
	begin(&t);
	go(&t, "main");
	dlg_heard(&t.s.eng, TEXT("alice smith"));
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "transfer-to <Alice Smith>"));
	talk_end(&t);
}

static void tables_are_drawn(void **state)
{
	(void)state;
	static const char *const names[] = { "main", "night", "answering", "subscriber", "logon", "player", "options", "pin", "recorder", "entry",
		                             "names", "transfer" };
	struct cfg *cfg = world_cfg();
	struct buf b;
	buf_init(&b, 1 << 20);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		buf_clear(&b);
		assert_int_equal(dlg_draw_named(cfg, text_of(names[i]), DLG_DRAW_TEXT, &b), 0);
		assert_non_null(strstr(buf_cstr(&b), names[i]));
		buf_clear(&b);
		assert_int_equal(dlg_draw_named(cfg, text_of(names[i]), DLG_DRAW_GRAPHVIZ, &b), 0);
		assert_memory_equal(buf_cstr(&b), "digraph", 7);
	}
	buf_clear(&b);
	assert_int_equal(dlg_draw_named(cfg, TEXT("nobody"), DLG_DRAW_TEXT, &b), ENOENT);
	dlg_draw_named(cfg, TEXT("main"), DLG_DRAW_TEXT, &b);
	assert_non_null(strstr(buf_cstr(&b), "key 1 or \"Alice Smith\""));
	buf_free(&b);
	cfg_unref(cfg);
}

static int load(void *arg)
{
	struct dlg_attendants *a;
	int err = dlg_attendants_create(&a, arg);
	if (!err)
		mem_unref(a);
	return err;
}

static void loading_survives_every_failing_allocation(void **state)
{
	(void)state;
	struct cfg *cfg = world_cfg();
	ut_oom(load, cfg);
	cfg_unref(cfg);
}

UT_MAIN(UT(menu_is_said), UT(extension_wins_over_the_menu), UT(menu_key_waits_for_a_longer_number), UT(who_is_not_listed_is_not_reached),
        UT(names_are_offered_one_by_one), UT(other_attendants_take_the_place), UT(the_menu_says_what_a_time_out_means),
        UT(failures_lead_to_the_operator_or_the_end), UT(zero_without_operator_is_told), UT(transfer_that_fails_is_told_and_offers_a_message),
        UT(transfer_without_any_word_ends_in_time), UT(leaving_during_a_transfer_ends), UT(where_no_orders_are_taken_the_two_are_joined),
        UT(a_bridge_that_fails_is_told_like_a_transfer), UT(leaving_while_it_rings), UT(keys_of_the_menu_lead_on), UT(tables_are_drawn),
        UT(loading_survives_every_failing_allocation))
