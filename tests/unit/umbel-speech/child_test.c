/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "umbel-speech/child.h"

static int run(const char *script, struct text in, int64_t limit_ms, size_t most, char *out, size_t size)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	struct buf b;
	buf_init(&b, most);
	int err = child_run(argv, in, limit_ms, &b);
	(void)text_copy(text_head(buf_as_text(&b), size - 1), out, size);
	buf_free(&b);
	return err;
}

static void what_it_writes_comes_back(void **state)
{
	(void)state;
	char out[64];
	assert_int_equal(run("cat", TEXT("Anna\nBert\n"), 20000, 1 << 20, out, sizeof out), 0);
	assert_string_equal(out, "Anna\nBert\n");
	assert_int_equal(run("exit 0", TEXT("nobody reads this"), 20000, 1 << 20, out, sizeof out), 0);
	assert_string_equal(out, "");
}

/* More than a pipe holds, both ways at once. */
static void neither_waits_for_the_other(void **state)
{
	(void)state;
	size_t n = 3 << 20;
	char *big = mem_alloc(n), out[64];
	assert_non_null(big);
	memset(big, 'a', n);
	assert_int_equal(run("cat", text_make(big, n), 20000, 4 << 20, out, sizeof out), 0);
	assert_int_equal(run("cat", text_make(big, n), 20000, 1 << 20, out, sizeof out), EMSGSIZE);
	mem_free(big);
}

static void faults_have_names(void **state)
{
	(void)state;
	char out[64];
	const char *nobody[] = { "/nonexistent/espeak-ng", NULL };
	struct buf b;
	buf_init(&b, 1000);
	assert_int_equal(child_run(nobody, TEXT("x"), 20000, &b), ENOENT);
	buf_free(&b);
	assert_int_equal(run("exit 3", TEXT("x"), 20000, 1000, out, sizeof out), ECHILD);
	assert_int_equal(run("kill -SEGV $$", TEXT_NONE, 20000, 1000, out, sizeof out), ECHILD);
	assert_int_equal(run("while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done", TEXT("x"), 20000, 10000, out, sizeof out), EMSGSIZE);
}

static void who_hangs_is_ended_in_time(void **state)
{
	(void)state;
	static const char *const hang[] = { "exec sleep 60", "exec cat >/dev/null", "exec >&-; exec sleep 60", "trap '' TERM; while :; do :; done" };
	char out[64];
	for (unsigned i = 0; i < sizeof hang / sizeof *hang; i++) {
		int64_t from = clock_mono_ms(clock_system());
		if (i == 1) /* it reads all, and ends when there is no more */
			assert_int_equal(run(hang[i], TEXT("x"), 20000, 1000, out, sizeof out), 0);
		else
			assert_int_equal(run(hang[i], TEXT("x"), 200, 1000, out, sizeof out), ETIMEDOUT);
		assert_true(clock_mono_ms(clock_system()) - from < 20000);
	}
}

static void it_gets_little_memory(void **state)
{
	(void)state;
	char out[64];
	assert_int_equal(run("sleep 0.2; ulimit -v", TEXT(""), 20000, 1000, out, sizeof out), 0); /* the limit is set while it begins */
	assert_true(atoi(out) > 0 && atoi(out) <= 512 << 10);
}

static void it_has_no_descriptor_of_ours(void **state)
{
	(void)state;
	char out[64];
	assert_int_equal(run("test -e /proc/self/fd/3 && ls -l /proc/self/fd/3 | grep -c socket; true", TEXT(""), 20000, 1000, out, sizeof out), 0);
	assert_string_equal(out, "");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = { UT(what_it_writes_comes_back), UT(neither_waits_for_the_other), UT(faults_have_names), UT(who_hangs_is_ended_in_time),
		UT(it_gets_little_memory), UT(it_has_no_descriptor_of_ours) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
