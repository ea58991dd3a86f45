/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <stdlib.h>
#include <sys/stat.h>
#include "base/mem.h"
#include "event/bus.h"
#include "voice/name.h"
#include "voice/speech.h"
#include "voice_events.h"

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

static struct ev_bus *bus;
static unsigned n_missing, n_unknown, n_failed;

static void hear_event(const struct ev_record *rec, void *arg)
{
	(void)arg;
	n_missing += rec->report.id == EV_VOICE_ESPEAK_MISSING;
	n_unknown += rec->report.id == EV_VOICE_UNKNOWN;
	n_failed += rec->report.id == EV_VOICE_ESPEAK_FAILED;
}

/* The helper has the PATH of its birth. */
static int begin_with_path(void **state, const char *path)
{
	static char was[4000];
	const char *now = getenv("PATH");
	snprintf(was, sizeof was, "%s", now ? now : "");
	setenv("PATH", path, 1);
	int err = begin(state);
	setenv("PATH", was, 1);
	voice_names_destroy(names);
	n_missing = n_unknown = n_failed = 0;
	assert_int_equal(ev_bus_create(&bus, clock_system(), 0), 0);
	ev_bus_sink(bus, hear_event, NULL, NULL);
	assert_int_equal(voice_names_create(&names, speech, bus, 8), 0);
	return err;
}

static int begin_told(void **state)
{
	return begin_with_path(state, getenv("PATH"));
}

static int begin_without_espeak(void **state)
{
	return begin_with_path(state, "/nonexistent");
}

/* One that hangs stands before the real one. */
static int begin_with_hanging(void **state)
{
	char path[400];
	const char *dir = ut_tmpdir();
	snprintf(path, sizeof path, "%s/espeak-ng", dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("#!/bin/sh\nexec /bin/sleep 60\n", f);
	fclose(f);
	chmod(path, 0700);
	return begin_with_path(state, dir);
}

static int end(void **state);
static int end_told(void **state)
{
	voice_names_destroy(names);
	names = NULL;
	ev_bus_destroy(bus);
	return end(state);
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
	assert_int_equal(voice_name_clip(names, text_of(name), TEXT_NONE, take, NULL), 0);
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
	assert_int_equal(voice_name_clip(names, TEXT("Dora"), TEXT_NONE, take, &a), 0);
	assert_int_equal(voice_name_clip(names, TEXT("Dora"), TEXT_NONE, take, &b), 0);
	voice_name_cancel(names, take, &a);
	wait_for(1);
	ask("Emil"); /* and the end comes while it is rendered */
}

static void ask_in(const char *name, const char *language)
{
	assert_int_equal(voice_name_clip(names, text_of(name), text_of(language), take, NULL), 0);
}

/* How long each is tells the voices apart. */
static void each_language_has_its_voice(void **state)
{
	(void)state;
	static const char yaml[] = "node: {name: n, fqdn: n.example.com, listen: ['udp:127.0.0.1:5060'], speakers: [{language: de-AT, voice: nl}, {language: fr, voice: flite}, "
		"{language: it, voice: zz}, {language: en, voice: en-gb}]}";
	struct cfg_errors errors = { 0 };
	struct cfg *cfg;
	if (system("espeak-ng --version >/dev/null 2>&1"))
		skip();
	ask_in("Guten Tag, J\xc3\xbcrgen.", "");
	wait_for(1); /* one by one: they are done in any order */
	ask_in("Guten Tag, J\xc3\xbcrgen.", "de-DE");
	wait_for(2);
	ask_in("Guten Tag, J\xc3\xbcrgen.", "nl");
	wait_for(3);
	assert_true(media_clip_samples(got[0]) != media_clip_samples(got[1]) && media_clip_samples(got[1]) != media_clip_samples(got[2]));
	assert_int_equal(cfg_parse(&cfg, "test", text_of(yaml), CFG_WANT_NODE, &errors), 0);
	voice_names_use(names, cfg);
	cfg_unref(cfg);
	ask_in("Guten Tag, J\xc3\xbcrgen.", "de_at"); /* known: the Dutch voice has said it */
	ask_in("Guten Tag, J\xc3\xbcrgen.", "fr-CH");
	assert_int_equal(n_got, 5);
	assert_ptr_equal(got[3], got[2]);
	assert_ptr_equal(got[4], got[0]);
	ask_in("Guten Tag, J\xc3\xbcrgen.", "de-CH"); /* no Austrian: as before */
	assert_int_equal(n_got, 5);
	wait_for(6);
	assert_true(media_clip_samples(got[5]) == media_clip_samples(got[1]));
	n_got--;
	mem_unref(got[5]);
	ask_in("Guten Tag, J\xc3\xbcrgen.", "en-US");
	wait_for(6);
	ask_in("Guten Tag, J\xc3\xbcrgen.", "it-IT"); /* a voice that there is not */
	wait_for(7);
	assert_true(media_clip_samples(got[5]) != media_clip_samples(got[0]));
	assert_true(media_clip_samples(got[6]) == media_clip_samples(got[0]));
	ev_bus_flush(bus);
	assert_true(n_unknown == 1 && !n_missing && !n_failed);
}

static void flite_stands_in_and_it_is_told_once(void **state)
{
	(void)state;
	ask_in("Anna", "de");
	ask_in("Bert", "fr");
	ask_in("Carl", "");
	wait_for(3);
	assert_true(got[0] && got[1] && got[2]);
	ev_bus_flush(bus);
	assert_true(n_missing == 1 && !n_unknown && !n_failed);
}

static void one_that_hangs_holds_up_one_caller(void **state)
{
	(void)state;
	ask_in("Anna", "de");
	wait_for(1);
	ask_in("Bert", "de"); /* not tried again for now */
	wait_for(2);
	assert_true(got[0] && got[1]);
	ev_bus_flush(bus);
	assert_true(n_failed == 1 && !n_missing && !n_unknown);
}

#define IN(test) cmocka_unit_test_setup_teardown(test, begin, end)
int main(void)
{
	const struct CMUnitTest tests[] = { IN(asked_twice_rendered_once), IN(the_oldest_makes_room), IN(what_cannot_be_said_is_null),
		IN(who_cancels_is_not_called), cmocka_unit_test_setup_teardown(each_language_has_its_voice, begin_told, end_told),
		cmocka_unit_test_setup_teardown(flite_stands_in_and_it_is_told_once, begin_without_espeak, end_told),
		cmocka_unit_test_setup_teardown(one_that_hangs_holds_up_one_caller, begin_with_hanging, end_told) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
