/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include "base/mem.h"
#include "voice/name.h"
#include "voice/speech.h"

static struct loop *loop;
static struct speech *speech;
static struct voice_names *names;
static struct media_clip *got[8];
static unsigned n_got;

static int begin(void **state)
{
	ut_setup(state);
	n_got = 0;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	assert_int_equal(speech_create(&speech, &(struct speech_prm){ .loop = loop, .answer_ms = 20000 }), 0);
	speech_start(speech);
	struct speech_about a;
	for (speech_about(speech, &a); a.state != SPEECH_UP; speech_about(speech, &a))
		loop_step(loop, 100);
	assert_int_equal(voice_names_create(&names, speech, NULL, 2), 0);
	return 0;
}

static int end(void **state)
{
	voice_names_destroy(names);
	speech_destroy(speech);
	loop_destroy(loop);
	for (unsigned i = 0; i < n_got; i++)
		mem_unref(got[i]);
	return ut_teardown(state);
}

static void take(struct media_clip *clip, void *arg)
{
	(void)arg;
	got[n_got++] = mem_ref(clip);
}

static void wait_for(unsigned n)
{
	for (unsigned i = 0; n_got < n && i < 500; i++)
		loop_step(loop, 20);
	assert_int_equal(n_got, n);
}

static void ask(const char *name)
{
	assert_int_equal(voice_name_clip(names, text_of(name), take, NULL), 0);
}

static void asked_twice_rendered_once(void **state)
{
	(void)state;
	ask("Anna Schmidt");
	ask("Anna Schmidt"); /* while it is being rendered */
	assert_int_equal(n_got, 0);
	wait_for(2);
	ask(" Anna Schmidt ");
	assert_int_equal(n_got, 3); /* known: at once */
	assert_non_null(got[0]);
	assert_ptr_equal(got[0], got[1]);
	assert_ptr_equal(got[0], got[2]);
}

static void the_oldest_makes_room(void **state)
{
	(void)state;
	ask("Anna");
	ask("Bert");
	wait_for(2);
	ask("Anna");
	ask("Carl");
	wait_for(4);
	ask("Anna");
	assert_int_equal(n_got, 5);
	ask("Bert"); /* gone: rendered anew */
	assert_int_equal(n_got, 5);
	wait_for(6);
}

static void what_cannot_be_said_is_null(void **state)
{
	(void)state;
	ask("");
	assert_int_equal(n_got, 1);
	ask("...");
	wait_for(2);
	assert_null(got[0]);
	assert_null(got[1]);
}

static void who_cancels_is_not_called(void **state)
{
	(void)state;
	int a, b;
	assert_int_equal(voice_name_clip(names, TEXT("Dora"), take, &a), 0);
	assert_int_equal(voice_name_clip(names, TEXT("Dora"), take, &b), 0);
	voice_name_cancel(names, take, &a);
	wait_for(1);
	ask("Emil"); /* and the end comes while it is rendered */
}

#define IN(test) cmocka_unit_test_setup_teardown(test, begin, end)
int main(void)
{
	const struct CMUnitTest tests[] = { IN(asked_twice_rendered_once), IN(the_oldest_makes_room), IN(what_cannot_be_said_is_null),
		IN(who_cancels_is_not_called) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
