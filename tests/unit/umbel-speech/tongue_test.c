/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/mem.h"
#include "umbel-speech/child.h"
#include "umbel-speech/tongue.h"
#include "voice/speak.h"

static bool have_espeak(void)
{
	const char *argv[] = { "espeak-ng", "--version", NULL };
	struct buf b;
	buf_init(&b, 10000);
	int err = child_run(argv, TEXT(""), 20000, &b);
	buf_free(&b);
	return !err;
}

static void only_what_is_read_is_left(void **state)
{
	(void)state;
	static const struct {
		const char *text, *plain; /* NULL: nothing to say */
	} cases[] = {
		{ "M\xc3\xbcller & S\xc3\xb6hne, 24 h", "M\xc3\xbcller & S\xc3\xb6hne, 24 h" },
		{ "<speak>Anna</speak>", "speak Anna /speak " },
		{ "[[_^_en]] Anna", "_^_en  Anna" },
		{ "-w /etc/passwd Anna", "-w /etc/passwd Anna" },     /* by standard input: no option */
		{ "a\x01\x02\x1b[31mb\r\nc", "a 31mb c" },
		{ "a\xff\xfe" "b\xc0\x80" "c\xed\xa0\x80" "d\xf5\x80\x80\x80" "e\xc3", "a b c d e " },
		{ "a\xe2\x80\xae" "b\xef\xbb\xbf" "c\xc2\x85" "d", "a b c d" },
		{ "\xce\xa3\xcf\x89", "\xce\xa3\xcf\x89" },
		{ "...", NULL }, { "", NULL }, { "\xff\xfe", NULL }, { "<>[]", NULL }, { "\xe2\x80\xa6\xe2\x86\x92", NULL },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b;
		buf_init(&b, 4000);
		int err = tongue_clean(text_of(cases[i].text), &b);
		assert_int_equal(err, cases[i].plain ? 0 : ENODATA);
		if (cases[i].plain)
			assert_string_equal(buf_cstr(&b), cases[i].plain);
		buf_free(&b);
	}
}

static void said(const char *voice, const char *text, size_t *n)
{
	int16_t *pcm;
	assert_int_equal(tongue_say(voice, text_of(text), &pcm, n), 0);
	double sum = 0;
	for (size_t i = 0; i < *n; i++)
		sum += (double)pcm[i] * pcm[i];
	double db = 10 * log10(sum / (double)*n / 32768 / 32768 + 1e-12);
	assert_true(db > -32 && db < -18); /* pauses count here */
	mem_free(pcm);
}

static void each_language_has_its_voice(void **state)
{
	(void)state;
	size_t german, french, english, longer;
	if (!have_espeak())
		skip();
	said("de", "Guten Tag, hier ist die Firma M\xc3\xbcller.", &german);
	said("fr", "Guten Tag, hier ist die Firma M\xc3\xbcller.", &french);
	said("en-gb+f3", "Guten Tag, hier ist die Firma M\xc3\xbcller.", &english);
	said("de", "Guten Tag, hier ist die Firma M\xc3\xbcller. Wir sind von neun bis f\xc3\xbcnf f\xc3\xbcr Sie da.", &longer);
	assert_in_range(german, 8000, 40000);
	assert_int_not_equal(german, french);
	assert_int_not_equal(german, english);
	assert_true(longer > german + 8000);
}

static void faults_are_told_apart(void **state)
{
	(void)state;
	int16_t *pcm;
	size_t n;
	static char many[10001];
	if (!have_espeak())
		skip();
	assert_int_equal(tongue_say("zz", TEXT("Anna"), &pcm, &n), ENOTSUP);
	assert_int_equal(tongue_say("-w/tmp/x", TEXT("Anna"), &pcm, &n), ENOTSUP);
	assert_int_equal(tongue_say("de", TEXT("..."), &pcm, &n), EINVAL);
	memset(many, 'a', sizeof many - 1);
	assert_int_equal(tongue_say("de", text_of(many), &pcm, &n), EINVAL);
}

/* In front of the PATH stands one that behaves like that. */
static void pretend(const char *script)
{
	char path[400], env[600];
	const char *dir = ut_tmpdir();
	snprintf(path, sizeof path, "%s/espeak-ng", dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(script, f);
	fclose(f);
	chmod(path, 0700);
	snprintf(env, sizeof env, "%s:/usr/bin:/bin", dir);
	setenv("PATH", env, 1);
}

static void one_that_misbehaves_is_told(void **state)
{
	(void)state;
	static const struct {
		const char *script;
		int err;
	} cases[] = {
		{ "#!/bin/sh\nexec sleep 60\n", ETIMEDOUT },
		{ "#!/bin/sh\nkill -SEGV $$\n", ENOTSUP },
		{ "#!/bin/sh\necho no sound\n", EPROTO },
		{ "#!/bin/sh\nprintf 'RIFF....WAVE'\n", EPROTO },
		{ "#!/bin/sh\nprintf 'RIFF....WAVEfmt \\020\\000\\000\\000\\001\\000\\001\\000\\001\\000\\000\\000\\002\\000\\000\\000\\002\\000\\020\\000data\\004\\000\\000\\000aaaa'\n", EPROTO },
		{ "#!/bin/sh\nexec cat /dev/zero\n", EPROTO }, /* without an end */
	};
	char was[4000];
	snprintf(was, sizeof was, "%s", getenv("PATH"));
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		int16_t *pcm;
		size_t n;
		int64_t from = clock_mono_ms(clock_system());
		pretend(cases[i].script);
		int err = tongue_say("de", TEXT("Anna"), &pcm, &n);
		if (err != ETIMEDOUT || !i) /* on a busy machine */
			assert_int_equal(err, cases[i].err);
		assert_true(clock_mono_ms(clock_system()) - from < 20000);
	}
	setenv("PATH", "/nonexistent", 1);
	int16_t *pcm;
	size_t n;
	assert_int_equal(tongue_say("de", TEXT("Anna"), &pcm, &n), ENOENT);
	setenv("PATH", was, 1);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = { UT(only_what_is_read_is_left), UT(each_language_has_its_voice), UT(faults_are_told_apart), UT(one_that_misbehaves_is_told) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
