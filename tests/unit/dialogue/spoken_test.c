/* SPDX-License-Identifier: Apache-2.0 */
/* Speech beside the keys: what may be said where, what it means, and what comes of what was not understood. */
#include "ut.h"
#include <errno.h>
#include "base/mem.h"
#include "dialogue/grammar.h"
#include "talk.h"
#include "world.h"

static struct dlg_attendants *attendants;

static void begin(struct talk *t, const char *name)
{
	talk_init(t);
	assert_int_equal(dlg_attendants_create(&attendants, dir_view_cfg(t->view)), 0);
	t->recogniser = true;
	talk_start(t, dlg_attendant_table(attendants, text_of(name)));
	talk_wait(t, 50);
}

static void end(struct talk *t)
{
	talk_end(t);
	attendants = mem_unref(attendants);
}

static const struct speech_entry *said(const struct dlg_grammar *g, const char *words)
{
	for (size_t i = 0; i < g->n; i++)
		if (text_is(g->v[i].pronunciation.n ? g->v[i].pronunciation : g->v[i].name, words))
			return &g->v[i];
	return NULL;
}

static struct dlg_heard meant(const struct talk *t, const struct dlg_grammar *g, const char *words)
{
	struct dlg_heard h = { .say = "" };
	const struct speech_entry *e = said(g, words);
	if (!e)
		fail_msg("\"%s\" cannot be said", words);
	else
		assert_true(dlg_grammar_means(&h, &t->s, e->id));
	return h;
}

static void people_departments_and_choices_may_be_said(void **state)
{
	(void)state;
	struct talk t;
	struct dlg_grammar g;
	begin(&t, "main");
	assert_int_equal(dlg_grammar_make(&g, &t.s, false), 0);
	assert_ptr_equal(meant(&t, &g, "Alice Smith").user, world_user(t.view, "alice"));
	assert_ptr_equal(meant(&t, &g, "karl abba").user, world_user(t.view, "carol"));
	assert_ptr_equal(meant(&t, &g, "/K AE R AH L/").user, world_user(t.view, "carol"));
	assert_null(said(&g, "Bob")); /* nobody may dial him */
	assert_true(meant(&t, &g, "operator").is_operator);
	assert_string_equal(meant(&t, &g, "Sales").department, "Sales");
	assert_string_equal(meant(&t, &g, "orders").department, "Sales");
	assert_null(said(&g, "sales")); /* once */
	assert_null(said(&g, "Nobody"));
	/* the key of that name, an attendant by its entry, one of the same name */
	char keys[12];
	assert_string_equal(meant(&t, &g, "night").keys, "2");
	dlg_attendant_keys(cfg_attendant(dir_view_cfg(t.view), TEXT("always")), keys);
	assert_string_equal(meant(&t, &g, "help desk").keys, keys);
	dlg_attendant_keys(cfg_attendant(dir_view_cfg(t.view), TEXT("bar")), keys);
	assert_string_equal(meant(&t, &g, "Bar").keys, keys);
	dlg_grammar_free(&g);

	t.s.department = "SALES";
	assert_int_equal(dlg_grammar_make(&g, &t.s, false), 0);
	assert_non_null(said(&g, "Alice Smith"));
	assert_non_null(said(&g, "operator"));
	assert_null(said(&g, "Dave Abba"));
	assert_null(said(&g, "Sales"));
	dlg_grammar_free(&g);
	struct dlg_heard h;
	assert_false(dlg_grammar_means(&h, &t.s, 77));
	assert_false(dlg_grammar_means(&h, &t.s, 0x10000063));
	assert_false(dlg_grammar_means(&h, &t.s, 0x20000063));
	assert_false(dlg_grammar_means(&h, &t.s, 0x40000063));
	end(&t);
}

static void a_closed_house_has_the_choices_of_its_closed_hours(void **state)
{
	(void)state;
	struct talk t;
	struct dlg_grammar g;
	begin(&t, "house");
	for (unsigned closed = 0; closed < 2; closed++) {
		t.s.aa_closed = closed;
		assert_int_equal(dlg_grammar_make(&g, &t.s, false), 0);
		assert_true(!closed == (said(&g, "sales desk") != NULL));
		assert_string_equal(meant(&t, &g, "opening hours").keys, "2");
		dlg_grammar_free(&g);
	}
	end(&t);
}

/* What the recogniser heard while nothing was asked, as listen_live.c would tell it. */
static void heard(struct talk *t, const char *words)
{
	struct dlg_grammar g;
	assert_true(dlg_listens(&t->s));
	dlg_speaks(&t->s.eng);
	assert_int_equal(dlg_grammar_make(&g, &t->s, false), 0);
	t->s.n_heard = 0;
	if (words)
		t->s.heard[t->s.n_heard++] = meant(t, &g, words);
	t->s.heard_direct = false;
	dlg_grammar_free(&g);
	dlg_heard(&t->s.eng, TEXT_NONE);
	talk_wait(t, 100);
}

static void menus_are_spoken_to(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "main");
	assert_true(talk_heard(&t, "attendant-say"));
	heard(&t, "Dave Abba");
	talk_wait(&t, 3000);
	assert_true(talk_heard(&t, "ask-did-you <Dave Abba> ask-right"));
	talk_keys(&t, "1");
	talk_wait(&t, 1600); /* no extension follows */
	assert_ptr_equal(t.s.target.user, world_user(t.view, "dave"));
	end(&t);

	begin(&t, "main"); /* a choice of the menu, and an attendant that no key leads to */
	heard(&t, "night");
	talk_wait(&t, 3000);
	assert_true(talk_heard(&t, "ask-did-you <night> ask-right"));
	talk_keys(&t, "1");
	talk_wait(&t, 1600);
	assert_string_equal(t.s.aa->name, "night");
	end(&t);
	begin(&t, "main");
	heard(&t, "help desk");
	talk_wait(&t, 3000);
	talk_keys(&t, "1");
	talk_wait(&t, 1600);
	assert_string_equal(t.s.aa->name, "always");
	end(&t);
}

/* Who talks to somebody else while he dials an extension is not kept from it. */
static void keys_of_the_menu_win_over_what_nobody_asked(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "main");
	heard(&t, "Dave Abba");
	talk_keys(&t, "203");
	talk_wait(&t, 100);
	assert_ptr_equal(t.s.target.user, world_user(t.view, "carol"));
	end(&t);

	begin(&t, "main"); /* also where its first digit would be an answer */
	heard(&t, "Dave Abba");
	t.s.heard[t.s.n_heard++] = (struct dlg_heard){ .user = world_user(t.view, "alice"), .say = "Alice Smith" };
	talk_keys(&t, "203");
	talk_wait(&t, 100);
	assert_ptr_equal(t.s.target.user, world_user(t.view, "carol"));
	end(&t);

	begin(&t, "main"); /* typed before anything is asked */
	t.fetch = TALK_NEVER;
	heard(&t, "Dave Abba");
	talk_keys(&t, "1");
	talk_wait(&t, 2000);
	assert_ptr_equal(t.s.target.user, world_user(t.view, "alice"));
	end(&t);

	begin(&t, "main"); /* half of it before anybody was heard */
	talk_keys(&t, "2");
	heard(&t, "Dave Abba");
	talk_keys(&t, "03");
	talk_wait(&t, 100);
	assert_ptr_equal(t.s.target.user, world_user(t.view, "carol"));
	end(&t);
}

static void a_department_asks_whom_there(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "main");
	heard(&t, "orders");
	talk_wait(&t, 3000);
	assert_true(talk_heard(&t, "ask-did-you <Sales> ask-right"));
	t.hear_who[0] = "carol";
	t.job_ms = 4000;
	talk_keys(&t, "1");
	talk_wait(&t, 1600);
	assert_true(talk_heard(&t, "<Sales>"));
	assert_true(talk_heard(&t, "ask-who"));
	assert_string_equal(t.s.department, "Sales");
	talk_wait(&t, 8000);
	assert_true(talk_heard(&t, "ask-did-you <Carol Abba> ask-right"));
	talk_keys(&t, "1");
	talk_wait(&t, 1600);
	assert_ptr_equal(t.s.target.user, world_user(t.view, "carol"));
	end(&t);

	begin(&t, "main"); /* keys all the time */
	heard(&t, "Sales");
	talk_wait(&t, 3000);
	t.hear = TALK_NEVER;
	talk_keys(&t, "1");
	talk_wait(&t, 1600);
	talk_keys(&t, "76484#");
	assert_true(talk_heard(&t, "name-one-match <Alice Smith> name-choose"));
	end(&t);

	begin(&t, "main"); /* the recogniser is gone by then */
	heard(&t, "Sales");
	talk_wait(&t, 3000);
	t.recogniser = false;
	talk_keys(&t, "1");
	talk_wait(&t, 1600);
	assert_true(talk_heard(&t, "name-spell"));
	end(&t);
}

static void three_times_not_understood_leaves_the_keys(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "main");
	heard(&t, NULL);
	assert_true(talk_heard(&t, "not-understood"));
	heard(&t, NULL);
	assert_true(talk_heard(&t, "not-understood"));
	heard(&t, NULL);
	assert_true(talk_heard(&t, "use-keys"));
	assert_false(dlg_listens(&t.s));
	talk_keys(&t, "2");
	talk_wait(&t, 2000);
	assert_string_equal(t.s.aa->name, "night");
	end(&t);
}

static void who_may_speak(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "main");
	assert_true(dlg_listens(&t.s));
	t.recogniser = false;
	assert_false(dlg_listens(&t.s));
	t.recogniser = true;
	static const char *const tags[] = { "en", "en-GB", "de-DE", "enm" };
	for (unsigned i = 0; i < 4; i++) {
		text_fill(t.s.language, sizeof t.s.language, tags[i]);
		assert_int_equal(dlg_listens(&t.s), i < 2);
	}
	t.s.language[0] = '\0';
	dlg_hangup(&t.s.eng);
	assert_false(dlg_listens(&t.s));
	end(&t);
	begin(&t, "night"); /* where nobody may dial by name */
	assert_false(dlg_listens(&t.s));
	end(&t);
}

/* ---- the mailbox ---- */
static void log_on(struct talk *t)
{
	talk_init(t);
	t->recogniser = true;
	talk_box(t, "alice");
	talk_message(t, "m1", MBOX_NEW, "202");
	talk_message(t, "m2", MBOX_NEW, "203");
	t->messages[0].duration_ms = t->messages[1].duration_ms = 60000;
	talk_start(t, &dlg_subscriber);
	talk_wait(t, 2000);
	assert_false(dlg_listens(&t->s)); /* a PIN is typed */
	t->s.phone.choices.by_voice = true;
	talk_keys(t, t->pin);
	talk_keys(t, "#");
	talk_wait(t, 200);
	t->s.phone.choices.by_voice = true;
}

static void command(struct talk *t, const char *words)
{
	bool known = false;
	for (unsigned i = 0; dlg_command(i); i++)
		known = known || strcmp(dlg_command(i), words) == 0;
	if (!known)
		fail_msg("no command \"%s\"", words);
	assert_true(dlg_listens(&t->s));
	dlg_heard(&t->s.eng, text_of(words));
	talk_wait(t, 200);
}

static void owners_may_say_what_they_want(void **state)
{
	(void)state;
	struct talk t;
	log_on(&t);
	assert_string_equal(talk_where(&t), "subscriber: main menu");
	command(&t, "play messages");
	assert_string_equal(talk_where(&t), "player: play");
	command(&t, "next message");
	assert_int_equal(t.s.at, 1);
	command(&t, "delete message");
	assert_int_equal(t.marked, MBOX_DELETED);
	assert_true(talk_heard(&t, "message-deleted"));
	talk_end(&t);

	log_on(&t);
	command(&t, "voice mail");
	command(&t, "delete");
	command(&t, "undelete");
	assert_int_equal(t.n_undeleted, 1);
	assert_true(talk_heard(&t, "message-restored"));
	command(&t, "pause");
	assert_string_equal(talk_where(&t), "player: pause");
	talk_wait(&t, 2000);
	command(&t, "continue");
	assert_string_equal(talk_where(&t), "player: play");
	command(&t, "slower");
	assert_int_equal(t.n_stretched, 1);
	command(&t, "envelope");
	assert_string_equal(talk_where(&t), "player: time and caller");
	command(&t, "repeat");
	assert_string_equal(talk_where(&t), "player: play");
	command(&t, "save message");
	assert_int_equal(t.marked, MBOX_NEW);
	command(&t, "main menu");
	command(&t, "help");
	assert_true(talk_heard(&t, "say-commands"));
	command(&t, "goodbye");
	talk_wait(&t, 5000);
	assert_true(t.over);
	talk_end(&t);
}

static void what_is_no_choice_here_says_the_keys(void **state)
{
	(void)state;
	struct talk t;
	log_on(&t);
	(void)talk_heard(&t, "main-menu");
	command(&t, "slower");
	assert_true(talk_heard(&t, "not-understood main-menu"));
	talk_wait(&t, 20000); /* time goes on after it */
	assert_true(talk_heard(&t, "no-input"));
	t.s.phone.choices.by_voice = false;
	assert_false(dlg_listens(&t.s));
	talk_end(&t);
}

/* Speech stops the clock and what is said; every end of it starts both again. */
static void time_stands_still_while_somebody_speaks(void **state)
{
	(void)state;
	struct talk t;
	log_on(&t);
	dlg_speaks(&t.s.eng);
	assert_false(t.saying);
	talk_wait(&t, 60000);
	assert_string_equal(talk_where(&t), "subscriber: main menu");
	dlg_heard(&t.s.eng, TEXT("slower"));
	assert_true(t.saying);
	talk_wait(&t, 120000);
	assert_true(t.over);
	talk_end(&t);
}

UT_MAIN(UT(people_departments_and_choices_may_be_said), UT(a_closed_house_has_the_choices_of_its_closed_hours), UT(menus_are_spoken_to), UT(keys_of_the_menu_win_over_what_nobody_asked),
        UT(a_department_asks_whom_there), UT(three_times_not_understood_leaves_the_keys), UT(who_may_speak), UT(owners_may_say_what_they_want),
        UT(what_is_no_choice_here_says_the_keys), UT(time_stands_still_while_somebody_speaks))
