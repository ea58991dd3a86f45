/* SPDX-License-Identifier: Apache-2.0 */
/* The engine alone, with small tables and a session of the test's own. */
#include "ut.h"
#include <errno.h>
#include "base/mem.h"
#include "dialogue/engine.h"
#include "dialogue/rows.h"

struct dlg_session {
	struct dlg_engine e;
	char log[2048];      /* what was said and done, "say:goodbye say:... do:x over:1" */
	int64_t timer[DLG_TIMERS];
	uint32_t say_id, job;
	bool door, action_fails;
	int over;
};

static void note(struct dlg_session *s, const char *fmt, const char *arg, long n)
{
	size_t at = strlen(s->log);
	snprintf(s->log + at, sizeof(s->log) - at, fmt, arg, n);
}

static int say(void *arg, const struct dlg_utterance *u, uint32_t id)
{
	struct dlg_session *s = arg;
	note(s, "say%s", "", 0);
	for (unsigned i = 0; i < u->n; i++)
		note(s, ":%s", u->word[i].kind == DLG_W_PROMPT ? dlg_prompt_name(u->word[i].prompt) : dlg_said_text(u, i), 0);
	note(s, " %s", "", 0);
	s->say_id = id;
	return 0;
}

static void hush(void *arg)
{
	note(arg, "hush%s ", "", 0);
}

static void timer(void *arg, enum dlg_timer which, int64_t ms)
{
	((struct dlg_session *)arg)->timer[which] = ms;
}

static void over(void *arg, int result)
{
	((struct dlg_session *)arg)->over = result;
	note(arg, "over:%s%ld ", "", result);
}

static const struct dlg_io io = { say, hush, timer, NULL, over };

static int act_a(struct dlg_session *s)
{
	note(s, "a:%s ", dlg_keys(&s->e), 0);
	return 0;
}

static int act_job(struct dlg_session *s)
{
	if (s->action_fails)
		return ENOSPC;
	s->job = dlg_job(&s->e);
	note(s, "job%s ", "", 0);
	return 0;
}

static int act_code(struct dlg_session *s)
{
	note(s, "%scode:%ld ", "", dlg_code(&s->e));
	return 0;
}

static bool door_open(const struct dlg_session *s)
{
	return s->door;
}

enum { S_MENU, S_WORK, S_SUB, S_END, S_HIGH, S_TAIL };
static const struct dlg_phrase say_menu[] = { SAY(P_MAIN_MENU), SAY_END };
static const struct dlg_phrase say_new[] = { SAY(P_NEW), SAY_IF(door_open, P_SAVED), SAY_END };
static const struct dlg_phrase say_bye[] = { SAY(P_GOODBYE), SAY_END };

enum { U_ASK };
static const struct dlg_state sub_states[] = { [U_ASK] = { "ask", NULL, NULL, 3000, 0 } };
static const struct dlg_row sub_rows[] = {
	{ U_ASK, KEYS("x"), ALWAYS, DO(act_a), STAY },
	{ U_ASK, KEYS("#"), ALWAYS, NOTHING, RETURN(7) },
	{ U_ASK, KEYS("*"), ALWAYS, NOTHING, RETURN(9) },
};
static const struct dlg_table sub = { "sub", "", sub_states, sub_rows, COUNT_OF(sub_states), COUNT_OF(sub_rows), U_ASK, NULL };

static const struct dlg_state states[] = {
	[S_MENU] = { "menu", say_menu, NULL, 5000, 0 },
	[S_WORK] = { "work", NULL, NULL, 4000, 0 },
	[S_SUB] = { "sub", say_new, &sub, 0, 0 },
	[S_END] = { "end", say_bye, NULL, 1000, DLG_NO_BARGE },
	[S_HIGH] = { "high", NULL, NULL, 1000, 0 },
	[S_TAIL] = { "tail", NULL, &sub, 0, DLG_TAIL },
};
static const struct dlg_row rows[] = {
	{ S_MENU, KEYS("1"), IF(door_open), DO(act_a), S_END },
	{ S_MENU, KEYS("1"), ALWAYS, DO(act_job), S_WORK },
	{ S_MENU, KEYS_OR("2", "numbers"), ALWAYS, NOTHING, S_SUB },
	{ S_MENU, KEYS("00"), ALWAYS, DO(act_a), STAY },
	{ S_MENU, KEYS("00 88"), ALWAYS, DO(act_a), S_HIGH },
	{ S_MENU, KEYS("##"), ALWAYS, DO(act_a), S_HIGH },
	{ S_MENU, KEYS("xxxx"), ALWAYS, DO(act_a), S_HIGH },
	{ S_MENU, KEYS("9"), ALWAYS, NOTHING, S_TAIL },
	{ S_MENU, WRONG, ALWAYS, DO(act_a), S_MENU, NULL, true },
	{ S_MENU, TIMEOUT, ALWAYS, NOTHING, S_END },
	{ S_WORK, DONE_AS(5), ALWAYS, DO(act_code), S_MENU, say_new },
	{ S_WORK, DONE, ALWAYS, DO(act_code), S_END },
	{ S_WORK, FAILED, ALWAYS, DO(act_code), S_END, say_new, true },
	{ S_WORK, TIMEOUT, ALWAYS, NOTHING, S_END },
	{ S_WORK, HANGUP, ALWAYS, NOTHING, STAY },
	{ S_SUB, RESULT(7), ALWAYS, DO(act_code), S_MENU },
	{ S_END, ENDED, ALWAYS, NOTHING, RETURN(3) },
	{ S_HIGH, TIMEOUT, ALWAYS, NOTHING, RETURN(4) },
};
static const struct dlg_table table = { "table", "", states, rows, COUNT_OF(states), COUNT_OF(rows), S_MENU, NULL };

static void start(struct dlg_session *s)
{
	*s = (struct dlg_session){ .over = -1 };
	dlg_engine_init(&s->e, s, &io, s);
	dlg_start(&s->e, &table);
	assert_string_equal(s->log, "say:main-menu ");
	s->log[0] = '\0';
}

static void keys(struct dlg_session *s, const char *k)
{
	for (; *k; k++)
		dlg_key(&s->e, *k);
}

static void patterns_take_keys(void **state)
{
	(void)state;
	assert_int_equal(dlg_pattern("1", "1", 1), 1);
	assert_int_equal(dlg_pattern("1", "2", 1), 0);
	assert_int_equal(dlg_pattern("00 88", "00", 2), -1);
	assert_int_equal(dlg_pattern("00 88", "00885", 5), 4);
	assert_int_equal(dlg_pattern("00 88", "009", 3), 0);
	assert_int_equal(dlg_pattern("xxxx", "2#", 2), 0);
	assert_int_equal(dlg_pattern("x", "7", 1), 1);
	assert_int_equal(dlg_pattern("x", "*", 1), 0);
}

static void first_row_that_matches_wins(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	s.door = true;
	keys(&s, "1");
	dlg_timer_fired(&s.e, DLG_T_KEY); /* "xxxx" might have been meant */
	assert_string_equal(s.log, "hush a:1 say:goodbye ");
	dlg_said(&s.e, s.say_id);
	assert_int_equal(s.over, 3);
	assert_true(dlg_over(&s.e));
}

static void longest_pattern_wins_and_the_timer_decides(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	keys(&s, "0");
	assert_int_equal(s.timer[DLG_T_KEY], DLG_INTER_DIGIT_MS);
	assert_int_equal(s.timer[DLG_T_STATE], -1);
	keys(&s, "0");
	dlg_timer_fired(&s.e, DLG_T_KEY);
	assert_string_equal(s.log, "hush a:00 ");
	assert_int_equal(s.timer[DLG_T_STATE], 5000);
	s.log[0] = '\0';
	keys(&s, "0088");
	assert_string_equal(s.log, "a:0088 ");
	dlg_engine_close(&s.e);

	start(&s);
	keys(&s, "2001"); /* not the menu's 2 */
	assert_string_equal(s.log, "hush a:2001 ");
	dlg_engine_close(&s.e);
}

static void wrong_keys_are_one_event_and_clear_the_queue(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	keys(&s, "#7");
	assert_string_equal(s.log, "hush a:#7 say:main-menu ");
	assert_int_equal(s.e.n_keys, 0);
	dlg_engine_close(&s.e);
}

static void keys_ahead_are_bounded_and_skip_what_would_be_said(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	keys(&s, "1");
	dlg_timer_fired(&s.e, DLG_T_KEY);
	assert_string_equal(s.log, "hush job ");
	for (int i = 0; i < 3 * DLG_TYPE_AHEAD; i++)
		dlg_key(&s.e, i < 2 ? '#' : '1');
	assert_int_equal(s.e.n_keys, DLG_TYPE_AHEAD);
	dlg_job_done(&s.e, s.job, 5);
	assert_string_equal(s.log, "hush job code:5 a:## ");
	dlg_engine_close(&s.e);
}

static void failure_is_heard_in_spite_of_keys_ahead(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	s.door = false;
	keys(&s, "1");
	dlg_timer_fired(&s.e, DLG_T_KEY);
	keys(&s, "##");
	dlg_job_failed(&s.e, s.job, EIO);
	assert_string_equal(s.log, "hush job code:5 say:new:goodbye ");
	assert_int_equal(s.e.n_keys, 0);
	dlg_engine_close(&s.e);
}

static void an_action_that_fails_is_an_event(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	s.action_fails = true;
	keys(&s, "1");
	dlg_timer_fired(&s.e, DLG_T_KEY);
	assert_string_equal(s.log, "hush code:28 say:new:goodbye ");
	dlg_engine_close(&s.e);
}

static void only_the_last_job_counts(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	keys(&s, "1");
	dlg_timer_fired(&s.e, DLG_T_KEY);
	uint32_t job = s.job;
	assert_true(dlg_awaits(&s.e, job));
	dlg_job_done(&s.e, job + 1, 5);
	dlg_job_done(&s.e, 0, 5);
	assert_string_equal(dlg_state_of(&s.e), "work");
	dlg_timer_fired(&s.e, DLG_T_STATE);
	assert_string_equal(dlg_state_of(&s.e), "end");
	assert_false(dlg_awaits(&s.e, job)); /* its time was up: what it brings is not for another state */
	dlg_job_done(&s.e, job, 5); /* late: its state is gone, and no row takes it */
	assert_string_equal(dlg_state_of(&s.e), "end");
	dlg_engine_close(&s.e);
}

static void tables_call_tables(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	keys(&s, "2");
	dlg_timer_fired(&s.e, DLG_T_KEY);
	assert_string_equal(s.log, "hush say:new ");
	assert_ptr_equal(dlg_table_of(&s.e), &sub);
	s.log[0] = '\0';
	keys(&s, "42#");
	assert_string_equal(s.log, "hush a:4 a:2 code:7 say:main-menu ");
	s.log[0] = '\0';
	dlg_heard(&s.e, TEXT("Numbers"));
	assert_string_equal(s.log, "hush say:new ");
	keys(&s, "*"); /* 9: nobody there knows it, so it is handed on to the end */
	assert_int_equal(s.over, 9);
}

/* What is heard while keys wait for more was not said to us. */
static void who_dials_is_not_listened_to(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	keys(&s, "1");
	dlg_heard(&s.e, TEXT("numbers"));
	assert_string_equal(dlg_state_of(&s.e), "menu");
	dlg_timer_fired(&s.e, DLG_T_KEY);
	assert_string_equal(dlg_state_of(&s.e), "work");
	assert_string_equal(s.log, "hush job ");
	dlg_engine_close(&s.e);
}

static void tail_call_takes_the_place(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	keys(&s, "9");
	dlg_timer_fired(&s.e, DLG_T_KEY);
	assert_int_equal(s.e.depth, 1);
	keys(&s, "#");
	assert_int_equal(s.over, 7);
}

static void hangup_ends_in_every_depth(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	keys(&s, "2");
	dlg_timer_fired(&s.e, DLG_T_KEY);
	dlg_hangup(&s.e);
	assert_int_equal(s.over, 0);
	start(&s);
	keys(&s, "1");
	dlg_timer_fired(&s.e, DLG_T_KEY);
	dlg_hangup(&s.e);
	dlg_hangup(&s.e);
	assert_int_equal(s.over, -1); /* the job is awaited */
	keys(&s, "11");
	dlg_job_done(&s.e, s.job, 1);
	assert_int_equal(s.over, 3);
	assert_null(strstr(s.log, "goodbye")); /* nobody hears it */
}

static void stale_ends_of_prompts_are_dropped(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	uint32_t id = s.say_id;
	keys(&s, "2");
	dlg_timer_fired(&s.e, DLG_T_KEY);
	dlg_said(&s.e, id);
	assert_int_equal(s.timer[DLG_T_STATE], -1);
	dlg_said(&s.e, s.say_id);
	assert_int_equal(s.timer[DLG_T_STATE], 3000);
	dlg_engine_close(&s.e);
}

static void what_must_be_heard_is_not_cut(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	dlg_said(&s.e, s.say_id);
	dlg_timer_fired(&s.e, DLG_T_STATE);
	s.log[0] = '\0';
	keys(&s, "1");
	assert_string_equal(s.log, "");
	dlg_said(&s.e, s.say_id);
	assert_int_equal(s.over, 3);
}

/* A table that never rests is stopped, not followed for ever. */
static const struct dlg_state loop_states[] = { { "a", NULL, NULL, 0, 0 }, { "b", NULL, NULL, 0, 0 } };
static const struct dlg_row loop_rows[] = { { 0, ENTER, ALWAYS, NOTHING, 1 }, { 1, ENTER, ALWAYS, NOTHING, 0 } };
static const struct dlg_table endless = { "endless", "", loop_states, loop_rows, 2, 2, 0, NULL };

static void a_table_that_never_rests_ends(void **state)
{
	(void)state;
	struct dlg_session s = { .over = -1 };
	dlg_engine_init(&s.e, &s, &io, &s);
	dlg_start(&s.e, &endless);
	assert_int_equal(s.over, 0);
}

static void owner_is_held_while_in_its_table(void **state)
{
	(void)state;
	struct dlg_table owned = sub;
	owned.owner = mem_object(8, NULL);
	struct dlg_session s = { .over = -1 };
	dlg_engine_init(&s.e, &s, &io, &s);
	dlg_start(&s.e, &owned);
	void *owner = owned.owner;
	assert_int_equal(mem_refs(owner), 2);
	mem_unref(owner); /* a reload */
	keys(&s, "#");
	assert_int_equal(s.over, 7);
}

static void words_that_find_no_memory_count_as_said(void **state)
{
	(void)state;
	struct dlg_session s;
	start(&s);
	s.door = true;
	keys(&s, "1");
	mem_fail_at(1);
	dlg_timer_fired(&s.e, DLG_T_KEY); /* to a state that only the end of its words leads on from */
	assert_true(mem_failed());
	mem_fail_at(0);
	assert_string_equal(s.log, "hush a:1 over:3 ");
	assert_int_equal(s.over, 3);
}

UT_MAIN(UT(patterns_take_keys), UT(first_row_that_matches_wins), UT(longest_pattern_wins_and_the_timer_decides),
        UT(wrong_keys_are_one_event_and_clear_the_queue), UT(keys_ahead_are_bounded_and_skip_what_would_be_said),
        UT(failure_is_heard_in_spite_of_keys_ahead), UT(an_action_that_fails_is_an_event), UT(only_the_last_job_counts),
        UT(tables_call_tables), UT(who_dials_is_not_listened_to), UT(tail_call_takes_the_place), UT(hangup_ends_in_every_depth), UT(stale_ends_of_prompts_are_dropped),
        UT(what_must_be_heard_is_not_cut), UT(a_table_that_never_rests_ends), UT(owner_is_held_while_in_its_table),
        UT(words_that_find_no_memory_count_as_said))
