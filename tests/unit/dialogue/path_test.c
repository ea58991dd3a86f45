/* SPDX-License-Identifier: Apache-2.0 */
/* What a record says of conversations: every key, name and number, where callers gave up, what mailboxes met; and never a PIN. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "dialogue/path.h"
#include "dialogue/service.h"
#include "talk.h"
#include "world.h"

static void attendant(struct talk *t, const char *name)
{
	struct dlg_attendants *all;
	struct cfg *cfg = world_cfg();
	assert_int_equal(dlg_attendants_create(&all, cfg), 0);
	cfg_unref(cfg);
	talk_init(t);
	talk_start(t, dlg_attendant_table(all, text_of(name)));
	mem_unref(all);
	talk_wait(t, 50);
}

/* "main/open entered; main/open key 2>night; ..." */
static const char *told(const struct talk *t)
{
	static char all[4096];
	size_t n = 0;
	all[0] = '\0';
	for (unsigned i = 0; i < t->path.n_steps; i++) {
		const struct call_step *s = &t->path.step[i];
		n += (size_t)snprintf(all + n, sizeof all - n, "%s%s/%s %s%s%s%s%s", i ? "; " : "", s->attendant, s->menu, s->what, *s->value ? " " : "", s->value,
		                      *s->target ? ">" : "", s->target);
	}
	return all;
}

static const struct call_box *box(const struct talk *t, const char *name)
{
	for (unsigned i = 0; i < t->path.n_boxes; i++)
		if (strcmp(t->path.box[i].mailbox, name) == 0)
			return &t->path.box[i];
	return NULL;
}

static void keys_numbers_and_where_the_caller_left(void **state)
{
	(void)state;
	struct talk t;
	attendant(&t, "main");
	talk_keys(&t, "88");
	talk_wait(&t, 1600);
	talk_keys(&t, "202");
	talk_wait(&t, 3000);
	talk_keys(&t, "2");
	talk_wait(&t, 1600);
	talk_hangup(&t);
	assert_true(t.over);
	const char *said = told(&t);
	assert_non_null(strstr(said, "main/open entered"));
	assert_non_null(strstr(said, "main/open wrong 8; main/open number 2xx>unknown; main/open key 2>night; night/open entered; night/open gave-up hung up>menu"));
	talk_end(&t);
}

static void a_transfer_done_and_refused(void **state)
{
	(void)state;
	struct talk t;
	attendant(&t, "main");
	talk_keys(&t, "203");
	talk_wait(&t, 5000);
	assert_int_equal(t.result, R_TRANSFERRED);
	assert_string_equal(told(&t), "main/open entered; main/open number 203>carol; main/open transfer carol>done");
	talk_end(&t);

	attendant(&t, "main");
	t.transfer = TALK_FAILS;
	talk_keys(&t, "1");
	talk_wait(&t, 8000);
	talk_hangup(&t);
	assert_string_equal(told(&t), "main/open entered; main/open key 1>201; main/open transfer alice>failed; main/open gave-up hung up>transfer");
	talk_end(&t);
}

/* Where the gateway takes no orders the target is called: told once, however long they talk. */
static void put_through_by_a_call_of_ours(void **state)
{
	(void)state;
	struct talk t;
	attendant(&t, "main");
	t.transfer = TALK_REFUSES;
	t.no_orders = true;
	talk_keys(&t, "203");
	talk_wait(&t, 10000);
	talk_hangup(&t);
	talk_wait(&t, 1000);
	assert_int_equal(t.result, R_TRANSFERRED);
	assert_string_equal(told(&t), "main/open entered; main/open number 203>carol; main/open transfer carol>done");
	talk_end(&t);

	attendant(&t, "main");
	t.transfer = TALK_REFUSES;
	t.no_orders = true;
	t.find = TALK_FAILS;
	talk_keys(&t, "203");
	talk_wait(&t, 10000);
	talk_hangup(&t);
	assert_string_equal(told(&t), "main/open entered; main/open number 203>carol; main/open transfer carol>failed; main/open gave-up hung up>transfer");
	talk_end(&t);

	attendant(&t, "main");
	t.transfer = TALK_REFUSES;
	t.no_orders = true;
	talk_keys(&t, "203");
	talk_wait(&t, 2500);
	talk_hangup(&t);
	assert_string_equal(told(&t), "main/open entered; main/open number 203>carol; main/open transfer carol>left; main/open gave-up hung up>transfer");
	talk_end(&t);
}

static void giving_up_goes_to_the_operator(void **state)
{
	(void)state;
	struct talk t;
	attendant(&t, "main");
	talk_keys(&t, "777");
	talk_keys(&t, "778");
	talk_keys(&t, "779");
	talk_wait(&t, 8000);
	assert_int_equal(t.result, R_TRANSFERRED);
	const char *said = told(&t);
	assert_non_null(strstr(said, "number 7xx>unknown; main/open number 7xx>unknown; main/open number 7xx>unknown; main/open gave-up unknown numbers>menu"));
	assert_non_null(strstr(said, "transfer operator>done"));
	talk_end(&t);

	attendant(&t, "main");
	talk_wait(&t, 120000);
	assert_true(t.over);
	said = told(&t);
	assert_non_null(strstr(said, "main/open silence; main/open silence"));
	assert_non_null(strstr(said, "main/open gave-up silence>menu"));
	talk_end(&t);
}

static void names_found_and_not(void **state)
{
	(void)state;
	struct talk t;
	attendant(&t, "main");
	talk_keys(&t, "#999#");
	talk_keys(&t, "2222#");
	talk_keys(&t, "#");
	talk_keys(&t, "1");
	talk_wait(&t, 8000);
	assert_string_equal(told(&t), "main/open entered; main/open key #>dial by name; main/open not-found 999; main/open spelt dave; main/open transfer dave>done");
	talk_end(&t);

	attendant(&t, "main"); /* and hung up just then */
	talk_keys(&t, "#888#");
	talk_hangup(&t);
	assert_string_equal(told(&t), "main/open entered; main/open key #>dial by name; main/open not-found 888; main/open gave-up hung up>dial by name");
	talk_end(&t);
}

static void listens(struct talk *t, const char *who)
{
	struct dlg_attendants *all;
	talk_init(t);
	assert_int_equal(dlg_attendants_create(&all, dir_view_cfg(t->view)), 0);
	t->recogniser = true;
	t->hear_who[0] = who;
	talk_start(t, dlg_attendant_table(all, TEXT("main")));
	mem_unref(all);
	talk_wait(t, 50);
}

static void names_said_and_spelt_after_all(void **state)
{
	(void)state;
	struct talk t;
	listens(&t, "carol");
	talk_keys(&t, "#");
	talk_wait(&t, 3000);
	talk_keys(&t, "1");
	talk_wait(&t, 8000);
	assert_string_equal(told(&t), "main/open entered; main/open key #>dial by name; main/open said carol; main/open transfer carol>done");
	talk_end(&t);

	listens(&t, "carol"); /* not her: spelt in the end */
	talk_keys(&t, "#");
	talk_wait(&t, 3000);
	talk_keys(&t, "#");
	talk_wait(&t, 3000);
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	talk_keys(&t, "76484#");
	talk_keys(&t, "1");
	talk_wait(&t, 8000);
	const char *said = told(&t);
	assert_non_null(strstr(said, "not-heard Carol Abba; main/open not-heard Carol Abba; main/open spelt alice; main/open transfer alice>done"));
	talk_end(&t);

	listens(&t, NULL); /* nobody was understood, then 0 */
	t.hear_err = ENOENT;
	talk_keys(&t, "#");
	talk_wait(&t, 2000);
	talk_keys(&t, "0");
	talk_wait(&t, 8000);
	said = told(&t);
	assert_non_null(strstr(said, "not-heard"));
	assert_null(strstr(said, "said"));
	talk_end(&t);

	listens(&t, "=2"); /* a choice of the menu, by its name */
	talk_keys(&t, "#");
	talk_wait(&t, 3000);
	talk_keys(&t, "1");
	talk_wait(&t, 1000);
	talk_hangup(&t);
	said = told(&t);
	assert_non_null(strstr(said, "main/open said night>2; night/open entered"));
	assert_null(strstr(said, "key 2"));
	talk_end(&t);
}

static void a_message_is_no_giving_up(void **state)
{
	(void)state;
	struct talk t;
	attendant(&t, "main");
	talk_keys(&t, "3");
	talk_wait(&t, 60000);
	talk_hangup(&t);
	talk_wait(&t, 1000);
	const char *said = told(&t);
	assert_non_null(strstr(said, "main/open key 3>carol"));
	assert_non_null(strstr(said, "main/open message carol"));
	assert_null(strstr(said, "gave-up"));
	assert_non_null(box(&t, "carol"));
	assert_true(box(&t, "carol")->message);
	talk_end(&t);
}

static void pins_are_never_told(void **state)
{
	(void)state;
	struct talk t;
	attendant(&t, "main");
	talk_keys(&t, "4");
	talk_wait(&t, 1600);
	talk_keys(&t, "201#");
	talk_wait(&t, 200);
	talk_keys(&t, "739184#");
	talk_wait(&t, 2000);
	talk_keys(&t, "201#");
	talk_wait(&t, 200);
	talk_keys(&t, "482915#");
	talk_wait(&t, 2000);
	assert_true(t.s.logged_on);
	talk_hangup(&t);
	const char *said = told(&t);
	assert_null(strstr(said, "739184"));
	assert_null(strstr(said, "482915"));
	assert_null(strstr(said, "201"));
	assert_non_null(strstr(said, "key 4>log-on"));
	assert_null(strstr(said, "gave-up"));
	assert_int_equal(box(&t, "alice")->logons, 1);
	assert_int_equal(box(&t, "alice")->failed, 1);
	talk_end(&t);

	attendant(&t, "main"); /* too early: nobody asked for it yet */
	talk_keys(&t, "*739184#");
	talk_wait(&t, 5000);
	talk_hangup(&t);
	said = told(&t);
	assert_non_null(strstr(said, "number 7xx>unknown; main/open number 1xx>unknown"));
	talk_end(&t);

	attendant(&t, "main"); /* # is the mailbox in other houses */
	talk_keys(&t, "#201#");
	talk_wait(&t, 2000);
	talk_keys(&t, "739184#");
	talk_wait(&t, 2000);
	talk_hangup(&t);
	said = told(&t);
	assert_non_null(strstr(said, "not-found 739xxx"));
	talk_end(&t);
}

/* A PIN comes where nobody asked for it: in a greeting, behind another one, in a menu that takes some of its digits. */
static void a_history_holds_no_digits_of_mailboxes(void **state)
{
	(void)state;
	static const char *const typed[] = { "739184#", "*739184#482915#", "*482915#739184", "7", "*482915#8", "*482915#482915" };
	for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
		struct talk t;
		talk_called(&t);
		talk_answers(&t);
		for (const char *p = typed[i]; *p; p++) {
			talk_keys(&t, (char[]){ *p, '\0' });
			talk_wait(&t, i % 2 ? 1700 : 100);
		}
		talk_wait(&t, 30000);
		talk_hangup(&t);
		if (t.events[strcspn(t.events, "0123456789")] || !strstr(t.events, "keys"))
			fail_msg("%s: %s", typed[i], t.events);
		talk_end(&t);
	}
	struct talk t;
	attendant(&t, "main"); /* what its report needs, and no more */
	talk_keys(&t, "8");
	talk_wait(&t, 2500);
	talk_keys(&t, "2");
	talk_wait(&t, 2500);
	talk_hangup(&t);
	assert_non_null(strstr(t.events, "wrong keys 8|"));
	assert_non_null(strstr(t.events, "|keys 2|"));
	talk_end(&t);
	attendant(&t, "main");
	talk_keys(&t, "739184");
	talk_wait(&t, 2500);
	talk_hangup(&t);
	assert_non_null(strstr(t.events, "keys 7xx|"));
	assert_null(strstr(t.events, "73"));
	talk_end(&t);
}

static void mailboxes_without_an_attendant(void **state)
{
	(void)state;
	struct talk t;
	talk_called(&t);
	talk_answers(&t);
	talk_wait(&t, 60000);
	talk_hangup(&t);
	talk_wait(&t, 1000);
	assert_int_equal(t.path.n_steps, 0);
	assert_int_equal(t.path.room, 0); /* no memory for a path where there is none */
	assert_true(box(&t, "alice")->message);
	talk_end(&t);

	talk_init(&t);
	t.locked = true;
	talk_start(&t, &dlg_subscriber);
	talk_wait(&t, 50);
	talk_keys(&t, "201#");
	talk_keys(&t, "111111#");
	talk_wait(&t, 5000);
	assert_int_equal(box(&t, "alice")->failed, 1);
	assert_int_equal(box(&t, "alice")->logons, 0);
	talk_end(&t);
}

static void too_much_is_counted(void **state)
{
	(void)state;
	struct talk t;
	attendant(&t, "main");
	for (int i = 0; i < 60; i++) { /* to and fro between two attendants */
		talk_keys(&t, "2");
		talk_wait(&t, 1600);
		talk_keys(&t, "1");
		talk_wait(&t, 1600);
	}
	talk_hangup(&t);
	assert_int_equal(t.path.n_steps, RECORD_STEPS);
	assert_true(t.path.steps_lost > 100);
	talk_end(&t);
}

static int a_call(void *arg)
{
	struct talk t;
	(void)arg;
	struct dlg_path p = { 0 };
	struct dlg_step st = { .event = DLG_KEYS, .keys = "1" };
	static const struct dlg_state one[] = { { "menu", NULL, NULL, 0, 0 } };
	struct dlg_table table = { .name = "main", .states = one, .n_states = 1, .owner = &t };
	memset(&t, 0, sizeof t);
	st.table = &table;
	for (int i = 0; i < 40; i++)
		dlg_path_step(&p, &t.s, &st, i);
	int err = p.steps_lost ? ENOMEM : 0;
	dlg_path_free(&p);
	return err;
}

static void without_memory_steps_are_counted_as_lost(void **state)
{
	(void)state;
	ut_oom(a_call, NULL);
}

UT_MAIN(UT(keys_numbers_and_where_the_caller_left), UT(a_transfer_done_and_refused), UT(put_through_by_a_call_of_ours), UT(giving_up_goes_to_the_operator), UT(names_found_and_not), UT(names_said_and_spelt_after_all),
        UT(a_message_is_no_giving_up), UT(pins_are_never_told), UT(a_history_holds_no_digits_of_mailboxes), UT(mailboxes_without_an_attendant), UT(too_much_is_counted),
        UT(without_memory_steps_are_counted_as_lost))
