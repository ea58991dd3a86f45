/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include "base/mem.h"
#include "net/tmr.h"
#include "voice/speech.h"

static struct loop *loop;
static struct speech *speech;
static struct speech_about about;
static int said[16];
static unsigned n_said, n_samples;

static void open_speech(const char *program, unsigned answer_ms)
{
	n_said = n_samples = 0;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	assert_int_equal(speech_create(&speech, &(struct speech_prm){ .loop = loop, .program = program, .answer_ms = answer_ms, .back_off_ms = 20 }), 0);
	speech_start(speech);
}

static void close_speech(void)
{
	speech_destroy(speech);
	loop_destroy(loop);
}

static void until(enum speech_state state, uint32_t starts)
{
	for (unsigned i = 0; i < 600; i++) {
		speech_about(speech, &about);
		if (about.state == state && about.starts >= starts)
			return;
		loop_step(loop, 100);
	}
	fail_msg("the helper is %s after %u starts", speech_state_name(about.state), about.starts);
}

static void take(int err, const struct speech_answer *a, void *arg)
{
	(void)arg;
	said[n_said++] = err;
	n_samples = (unsigned)a->n;
}

static void wait_for(unsigned n)
{
	for (unsigned i = 0; n_said < n && i < 600; i++)
		loop_step(loop, 100);
	assert_int_equal(n_said, n);
}

static void a_text_becomes_sound(void **state)
{
	(void)state;
	open_speech(NULL, 20000);
	assert_int_equal(speech_say(speech, NULL, TEXT_NONE, TEXT("Anna"), take, NULL), ENOTCONN); /* not yet */
	until(SPEECH_UP, 1);
	assert_true(about.pid > 0 && about.speaks && about.workers > 0);
	assert_int_equal(speech_say(speech, NULL, TEXT_NONE, TEXT("Anna Schmidt"), take, NULL), 0);
	wait_for(1);
	assert_int_equal(said[0], 0);
	assert_in_range(n_samples, 2000, 24000);
	assert_int_equal(speech_say(speech, NULL, TEXT_NONE, TEXT("..."), take, NULL), 0);
	wait_for(2);
	assert_int_equal(said[1], EINVAL);
	uint64_t handle;
	assert_int_equal(speech_say(speech, &handle, TEXT_NONE, TEXT("Bert"), take, NULL), 0);
	speech_cancel(speech, handle);
	assert_int_equal(speech_say(speech, NULL, TEXT_NONE, TEXT("Carl"), take, NULL), 0);
	wait_for(3);
	static char many[SPEECH_TEXT_MAX + 1];
	memset(many, 'a', sizeof many);
	assert_int_equal(speech_say(speech, NULL, TEXT_NONE, text_make(many, sizeof many), take, NULL), EINVAL);
	close_speech();
}

static void what_ends_fails_its_requests_and_comes_back(void **state)
{
	(void)state;
	open_speech(NULL, 20000);
	until(SPEECH_UP, 1);
	kill(about.pid, SIGSTOP); /* so that the requests are certainly under way */
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(speech_say(speech, NULL, TEXT_NONE, TEXT("Anna Schmidt"), take, NULL), 0);
	kill(about.pid, SIGKILL);
	wait_for(3);
	assert_true(said[0] == ECONNRESET && said[2] == ECONNRESET);
	assert_int_equal(speech_say(speech, NULL, TEXT_NONE, TEXT("Anna"), take, NULL), ENOTCONN);
	until(SPEECH_UP, 2);
	assert_string_equal(about.ended, "signal 9");
	assert_int_equal(speech_say(speech, NULL, TEXT_NONE, TEXT("Anna"), take, NULL), 0);
	wait_for(4);
	assert_int_equal(said[3], 0);
	close_speech();
}

static void what_hangs_is_killed(void **state)
{
	(void)state;
	open_speech(NULL, 300);
	until(SPEECH_UP, 1);
	pid_t first = about.pid;
	kill(first, SIGSTOP);
	assert_int_equal(speech_say(speech, NULL, TEXT_NONE, TEXT("Anna"), take, NULL), 0);
	wait_for(1);
	assert_int_equal(said[0], ECONNRESET);
	until(SPEECH_UP, 2);
	assert_int_not_equal(about.pid, first);
	close_speech();
}

static void destroy_in_handler(int err, const struct speech_answer *a, void *arg)
{
	(void)a, (void)arg;
	said[n_said++] = err;
	speech_destroy(speech);
	speech = NULL;
}

static void a_handler_may_end_it_all(void **state)
{
	(void)state;
	open_speech(NULL, 20000);
	until(SPEECH_UP, 1);
	kill(about.pid, SIGSTOP);
	assert_int_equal(speech_say(speech, NULL, TEXT_NONE, TEXT("Anna"), destroy_in_handler, NULL), 0);
	assert_int_equal(speech_say(speech, NULL, TEXT_NONE, TEXT("Bert"), take, NULL), 0);
	kill(about.pid, SIGKILL);
	wait_for(1);
	assert_null(speech);
	close_speech();
}

static const char *script(const char *text)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/helper", ut_tmpdir());
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, 0700);
	return path;
}

static void what_talks_nonsense_is_ended(void **state)
{
	(void)state;
	static const char *const talk[] = {
		"#!/bin/sh\nprintf 'GET / HTTP/1.1\\r\\n\\r\\n' >&3\nsleep 60\n",
		"#!/bin/sh\nprintf 'US\\002\\001\\000\\000\\000\\000\\000\\000\\000\\000' >&3\nsleep 60\n",     /* another version */
		"#!/bin/sh\nprintf 'US\\003\\001\\000\\000\\000\\000\\377\\377\\377\\377' >&3\nsleep 60\n",     /* a length beyond all bounds */
		"#!/bin/sh\nprintf 'US\\003\\007\\005\\000\\000\\000\\000\\000\\000\\000' >&3\nsleep 60\n",     /* an answer that nobody asked for */
		"#!/bin/sh\nexit 3\n",
	};
	for (unsigned i = 0; i < sizeof talk / sizeof *talk; i++) {
		open_speech(script(talk[i]), 20000);
		until(SPEECH_STARTING, 2);
		const char *ends[] = { "it broke the protocol", "it is of another version", "it broke the protocol", "it broke the protocol", "exit status 3" };
		assert_string_equal(about.ended, ends[i]);
		close_speech();
	}
}

static void what_is_not_there_is_said(void **state)
{
	(void)state;
	open_speech("/nonexistent/umbel-speech", 20000);
	speech_about(speech, &about);
	assert_int_equal(about.state, SPEECH_WAITING);
	assert_int_equal(speech_say(speech, NULL, TEXT_NONE, TEXT("Anna"), take, NULL), ENOTCONN);
	close_speech();
	speech_about(NULL, &about);
	assert_int_equal(about.state, SPEECH_STOPPED);
}

UT_MAIN(UT(a_text_becomes_sound), UT(what_ends_fails_its_requests_and_comes_back), UT(what_hangs_is_killed), UT(a_handler_may_end_it_all),
        UT(what_talks_nonsense_is_ended), UT(what_is_not_there_is_said))
