/* SPDX-License-Identifier: Apache-2.0 */
/* A dial plan with security: nothing of it is reached by a call that others on the way can read, wherever that call was let in. */
#include "ut.h"
#include <string.h>
#include "base/mem.h"
#include "dialogue_events.h"
#include "talk.h"

static const char yaml[] =
	"dialplans:\n"
	"  - {name: open, domain: example.com, extension_digits: 3, access_numbers: ['700']}\n"
	"  - {name: vault, domain: example.com, extension_digits: 3, security: sip}\n"
	"  - {name: booth, domain: example.com, extension_digits: 3, security: sip-and-media}\n"
	"mailboxes:\n"
	"  - {name: olga, display_name: Olga Open, extensions: ['301']}\n"
	"  - {name: vera, display_name: Vera Vault, extensions: ['302'], dialplan: vault}\n"
	"  - {name: bea, display_name: Bea Booth, extensions: ['303'], dialplan: booth}\n"
	"attendants:\n"
	"  - {name: front, numbers: ['300'], keys: {1: mailbox olga, 2: mailbox vera, 3: attendant inner, 4: log-on, 5: mailbox bea}}\n"
	"  - {name: silent, numbers: ['310'], input_failures: 3, keys: {timeout: mailbox vera}}\n"
	"  - {name: inner, numbers: ['320'], dialplan: vault, keys: {1: mailbox vera}}\n";

static struct cfg *cfg;
static struct dlg_attendants *attendants;

static void begin(struct talk *t, const char *line)
{
	struct dir_view *view;
	assert_int_equal(cfg_parse(&cfg, "secure.yaml", text_of(yaml), CFG_WANT_OBJECTS, NULL), 0);
	assert_int_equal(dir_view_of_cfg(&view, cfg), 0);
	assert_int_equal(dlg_attendants_create(&attendants, cfg), 0);
	talk_init(t);
	const struct dlg_effects *fx = t->s.fx;
	dlg_session_close(&t->s);
	dir_view_unref(t->view);
	t->view = view;
	dlg_session_init(&t->s, view, fx, t);
	t->s.open_line = line;
}

static void end(struct talk *t)
{
	talk_end(t);
	attendants = mem_unref(attendants);
	cfg_unref(cfg);
}

static void go(struct talk *t, const char *attendant)
{
	talk_start(t, dlg_attendant_table(attendants, text_of(attendant)));
	talk_wait(t, 100);
}

static void a_key_leads_to_no_mailbox_of_it(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "UDP");
	go(&t, "front");
	talk_keys(&t, "2");
	talk_wait(&t, 3500);
	assert_true(talk_heard(&t, "service-failed"));
	assert_int_equal(t.last_event, EV_NOT_REACHED_SECURELY);
	assert_string_equal(talk_where(&t), "front: menu");
	assert_null(t.s.box);
	talk_keys(&t, "1"); /* others are reached as ever */
	talk_wait(&t, 5000);
	assert_true(talk_heard(&t, "attendant-message-for <Olga Open>"));
	assert_string_equal(t.s.box->name, "olga");
	end(&t);

	begin(&t, NULL);
	go(&t, "front");
	talk_keys(&t, "2");
	talk_wait(&t, 5000);
	assert_true(talk_heard(&t, "attendant-message-for <Vera Vault>"));
	end(&t);
}

static void plain_sound_leads_to_no_mailbox_that_wants_it_encrypted(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, NULL);
	t.s.open_sound = true;
	go(&t, "front");
	talk_keys(&t, "5");
	talk_wait(&t, 3500);
	assert_true(talk_heard(&t, "service-failed"));
	assert_int_equal(t.last_event, EV_NOT_REACHED_ENCRYPTED);
	assert_null(t.s.box);
	talk_keys(&t, "2"); /* TLS is all that one asks for */
	talk_wait(&t, 5000);
	assert_true(talk_heard(&t, "attendant-message-for <Vera Vault>"));
	end(&t);

	begin(&t, NULL);
	go(&t, "front");
	talk_keys(&t, "5");
	talk_wait(&t, 5000);
	assert_true(talk_heard(&t, "attendant-message-for <Bea Booth>"));
	end(&t);
}

static void nor_does_saying_nothing_for_ever(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "TCP");
	go(&t, "silent");
	talk_wait(&t, 60000);
	assert_true(t.over);
	assert_int_equal(t.n_recorded, 0);
	assert_int_equal(t.n_events, 3);
	end(&t);
}

static void nor_to_an_attendant_of_it(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "UDP");
	go(&t, "front");
	talk_keys(&t, "3");
	talk_wait(&t, 8000);
	assert_true(talk_heard(&t, "service-failed goodbye"));
	assert_true(t.over);
	assert_int_equal(t.last_event, EV_NOT_REACHED_SECURELY);
	end(&t);
	begin(&t, NULL);
	go(&t, "front");
	talk_keys(&t, "3");
	talk_wait(&t, 4000);
	assert_string_equal(talk_where(&t), "inner: menu");
	end(&t);
}

/* Before the PIN is asked for: it would be read, too. */
static void nobody_logs_on_to_it(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "UDP");
	talk_start(&t, &dlg_subscriber);
	talk_keys(&t, "302#");
	talk_wait(&t, 2000);
	assert_true(talk_heard(&t, "service-failed logon-welcome logon-enter-extension"));
	assert_false(talk_heard(&t, "logon-enter-pin"));
	assert_int_equal(t.last_event, EV_NOT_REACHED_SECURELY);
	talk_keys(&t, "301#");
	talk_wait(&t, 500);
	talk_keys(&t, "482915#");
	talk_wait(&t, 500);
	assert_true(t.s.logged_on);
	assert_string_equal(t.s.box->name, "olga");
	assert_int_equal(t.n_tries, 1);
	end(&t);

	begin(&t, "UDP");
	talk_start(&t, &dlg_subscriber);
	for (int i = 0; i < 3; i++) {
		talk_keys(&t, "302#");
		talk_wait(&t, 2000);
	}
	talk_wait(&t, 6000);
	assert_true(t.over);
	assert_int_equal(t.n_tries, 0);
	end(&t);

	begin(&t, NULL);
	talk_start(&t, &dlg_subscriber);
	talk_keys(&t, "302#");
	talk_wait(&t, 500);
	talk_keys(&t, "482915#");
	talk_wait(&t, 500);
	assert_true(t.s.logged_on);
	end(&t);
}

/* The person's phone is the gateway's business, but the message that is offered where nobody answers is ours. */
static void no_message_is_offered_for_who_does_not_answer(void **state)
{
	(void)state;
	for (int open = 0; open < 2; open++) {
		struct talk t;
		begin(&t, open ? "UDP" : NULL);
		t.transfer = TALK_FAILS;
		t.xfer_status = 486;
		go(&t, "front");
		talk_keys(&t, "302");
		talk_wait(&t, 9000);
		assert_true(talk_heard(&t, "transfer-busy"));
		assert_int_equal(talk_heard(&t, "transfer-offer-message"), !open);
		end(&t);
	}
}

UT_MAIN(UT(a_key_leads_to_no_mailbox_of_it), UT(plain_sound_leads_to_no_mailbox_that_wants_it_encrypted), UT(nor_does_saying_nothing_for_ever), UT(nor_to_an_attendant_of_it), UT(nobody_logs_on_to_it),
        UT(no_message_is_offered_for_who_does_not_answer))
