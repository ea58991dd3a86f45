/* SPDX-License-Identifier: Apache-2.0 */
/* Names by voice: who is heard is offered, put through at once only where that is wanted, and whoever isn't understood goes on by the keys. */
#include "ut.h"
#include <errno.h>
#include "base/mem.h"
#include "talk.h"
#include "world.h"

static struct cfg_attendant aa;

static void begin(struct talk *t, const char *first, const char *second)
{
	talk_init(t);
	aa = *cfg_attendant(dir_view_cfg(t->view), TEXT("main"));
	aa.speech_direct = false;
	t->s.aa = &aa;
	t->recogniser = true;
	t->hear_who[0] = first;
	t->hear_who[1] = second;
	t->job_ms = 2000; /* longer than the prompt */
}

static void ask(struct talk *t)
{
	talk_start(t, &dlg_ask);
	talk_wait(t, 50);
}

static void one_who_was_heard_is_confirmed(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "carol", NULL);
	ask(&t);
	assert_true(talk_heard(&t, "ask-name"));
	dlg_job_progress(&t.s.eng, t.hear_job, J_SPEECH_BEGAN);
	assert_string_equal(talk_where(&t), "ask: hearing"); /* and the prompt is cut */
	assert_false(t.saying);
	talk_wait(&t, 5000);
	assert_true(talk_heard(&t, "ask-did-you <Carol Abba> ask-right"));
	talk_keys(&t, "1");
	assert_true(t.over);
	assert_int_equal(t.result, R_OK);
	assert_ptr_equal(t.s.target.user, world_user(t.view, "carol"));
	talk_end(&t);
}

static void three_are_offered(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "carol", "dave");
	t.hear_who[2] = "operator";
	t.hear_direct = true; /* never among several */
	aa.speech_direct = true;
	ask(&t);
	talk_wait(&t, 5000);
	assert_true(talk_heard(&t, "attendant-for <Carol Abba> attendant-press #1 attendant-for <Dave Abba> attendant-press #2 attendant-for <operator> attendant-press #3 ask-none"));
	talk_keys(&t, "2");
	assert_true(t.over);
	assert_ptr_equal(t.s.target.user, world_user(t.view, "dave"));
	talk_end(&t);

	begin(&t, "carol", "dave");
	t.hear_who[2] = "operator";
	ask(&t);
	talk_wait(&t, 5000);
	talk_keys(&t, "3");
	assert_true(t.over && t.s.target_is_operator);
	talk_end(&t);
}

static void beyond_doubt_only_where_it_is_wanted(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "carol", NULL);
	t.hear_direct = true;
	ask(&t);
	talk_wait(&t, 5000);
	assert_false(t.over);
	talk_end(&t);
	begin(&t, "carol", NULL);
	t.hear_direct = true;
	aa.speech_direct = true;
	ask(&t);
	talk_wait(&t, 5000);
	assert_true(t.over);
	assert_int_equal(t.result, R_OK);
	assert_ptr_equal(t.s.target.user, world_user(t.view, "carol"));
	talk_end(&t);
}

static void twice_not_understood_is_spelt(void **state)
{
	(void)state;
	static const int errs[] = { ENOENT, ETIMEDOUT };
	for (unsigned i = 0; i < 2; i++) {
		struct talk t;
		begin(&t, NULL, NULL);
		t.hear_err = errs[i];
		ask(&t);
		talk_wait(&t, 2100);
		assert_true(talk_heard(&t, "ask-again"));
		talk_wait(&t, 4000);
		assert_true(talk_heard(&t, "name-spell"));
		assert_int_equal(t.n_listens, 2);
		talk_end(&t);
	}
}

static void a_helper_that_ends_is_no_end(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, NULL, NULL);
	t.hear_err = ENOTSUP;
	ask(&t);
	talk_wait(&t, 4000);
	assert_true(talk_heard(&t, "name-spell"));
	assert_int_equal(t.n_listens, 1);
	talk_end(&t);
	begin(&t, NULL, NULL);
	t.hear = TALK_REFUSES;
	ask(&t);
	assert_true(talk_heard(&t, "name-spell"));
	talk_end(&t);
	begin(&t, "carol", NULL);
	t.recogniser = false;
	ask(&t);
	assert_true(talk_heard(&t, "name-spell"));
	assert_int_equal(t.n_listens, 0);
	talk_end(&t);
	begin(&t, "carol", NULL);
	aa.speech = false;
	ask(&t);
	assert_true(talk_heard(&t, "name-spell"));
	talk_end(&t);
}

static void keys_work_all_the_time(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "carol", NULL);
	t.hear = TALK_NEVER;
	ask(&t);
	talk_keys(&t, "76484#"); /* Smith: the first key is a letter of it already */
	assert_true(talk_heard(&t, "name-one-match <Alice Smith> name-choose"));
	assert_int_equal(t.n_deaf, 1);
	talk_end(&t);

	begin(&t, "carol", NULL);
	t.hear = TALK_NEVER;
	ask(&t);
	talk_keys(&t, "#");
	assert_true(talk_heard(&t, "name-spell"));
	talk_end(&t);

	begin(&t, "carol", NULL);
	t.hear = TALK_NEVER;
	ask(&t);
	dlg_job_progress(&t.s.eng, t.hear_job, J_SPEECH_BEGAN);
	talk_keys(&t, "0"); /* while he speaks */
	assert_true(t.over && t.s.target_is_operator);
	assert_int_equal(t.n_deaf, 1);
	talk_end(&t);

	begin(&t, "carol", NULL);
	t.hear = TALK_NEVER;
	ask(&t);
	talk_keys(&t, "*");
	assert_true(t.over);
	assert_int_equal(t.result, R_BACK);
	talk_end(&t);
}

static void not_that_one_is_asked_again_then_spelt(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "carol", NULL);
	ask(&t);
	talk_wait(&t, 5000);
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "ask-again"));
	talk_wait(&t, 5000);
	assert_true(talk_heard(&t, "ask-did-you <Carol Abba> ask-right"));
	talk_keys(&t, "#");
	talk_wait(&t, 100);
	assert_true(talk_heard(&t, "name-spell"));
	talk_end(&t);
}

static void silence_at_every_step_ends(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "carol", NULL);
	ask(&t);
	talk_wait(&t, 200000);
	assert_true(t.over);
	assert_int_equal(t.result, R_GIVE_UP);
	talk_end(&t);
	begin(&t, NULL, NULL);
	t.hear = TALK_NEVER;
	ask(&t);
	talk_wait(&t, 400000);
	assert_true(t.over);
	talk_end(&t);
}

/* Two of one name: each is told by the department, or nobody could choose. */
static void namesakes_are_told_by_their_department(void **state)
{
	(void)state;
	struct talk t;
	begin(&t, "carol", "dave");
	t.job_ms = 100;
	ask(&t);
	t.s.heard[0].say = t.s.heard[1].say = "Sam Abba";
	talk_wait(&t, 1000);
	assert_true(talk_heard(&t, "<Sam Abba> <sales> attendant-press #1 attendant-for <Sam Abba> <Bar> attendant-press #2"));
	talk_end(&t);
}

UT_MAIN(UT(namesakes_are_told_by_their_department), UT(one_who_was_heard_is_confirmed), UT(three_are_offered), UT(beyond_doubt_only_where_it_is_wanted), UT(twice_not_understood_is_spelt),
        UT(a_helper_that_ends_is_no_end), UT(keys_work_all_the_time), UT(not_that_one_is_asked_again_then_spelt), UT(silence_at_every_step_ends))
