/* SPDX-License-Identifier: Apache-2.0 */
/* child_test.c  A child's lines, its last words, its end; and a file that is no capture, read by the real tshark where there is one. */
#include "capture/child.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "capture/tshark.h"
#include "ut.h"

static char heard[256];
static unsigned n_heard;

static void hear(struct text line, void *arg)
{
	size_t at = strlen(heard);
	(void)arg;
	n_heard++;
	text_print(heard + at, sizeof heard - at, "[%.*s]", (int)(line.n < 40 ? line.n : 40), line.p ? line.p : "");
}

static int run(struct cap_child *c, const char *script, size_t line_max)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	static const char *argv[4] = { "sh", "-c", NULL, NULL };
	argv[2] = script;
	*c = (struct cap_child){ .argv = argv, .env = env, .in = open("/dev/null", O_RDONLY | O_CLOEXEC), .extra = -1, .line = hear, .line_max = line_max };
	heard[0] = '\0';
	n_heard = 0;
	int err = cap_child_run(c);
	close(c->in);
	return err;
}

static void lines_and_last_words(void **state)
{
	struct cap_child c;
	(void)state;
	assert_int_equal(run(&c, "printf 'one\\n\\ntwo'; echo sorry >&2; exit 3", 1000), 0);
	assert_string_equal(heard, "[one][][two]");
	assert_string_equal(c.said, "sorry\n");
	assert_true(WIFEXITED(c.status) && WEXITSTATUS(c.status) == 3);
}

static void a_line_without_end_is_left_out(void **state)
{
	struct cap_child c;
	(void)state;
	assert_int_equal(run(&c, "head -c 300000 /dev/zero | tr '\\0' x; echo; echo good", 1000), 0);
	assert_string_equal(heard, "[good]");
	assert_int_equal(c.long_lines, 1);
}

static void of_many_last_words_the_end_is_kept(void **state)
{
	struct cap_child c;
	(void)state;
	assert_int_equal(run(&c, "i=0; while [ $i -lt 400 ]; do echo word$i >&2; i=$((i+1)); done", 1000), 0);
	assert_true(strlen(c.said) < sizeof c.said);
	assert_non_null(strstr(c.said, "word399\n"));
	assert_null(strstr(c.said, "word1\n"));
}

static void it_has_no_rights_and_no_descriptors(void **state)
{
	struct cap_child c;
	(void)state;
	int open_one = open("/dev/null", O_RDONLY);
	assert_int_equal(run(&c, "ulimit -c; ulimit -f; ls /proc/self/fd | wc -l; test $(id -u) != 0 || id -u", 1000), 0);
	close(open_one);
	/* ls itself holds the folder it reads */
	assert_int_equal(strncmp(heard, "[0][0][4]", 9), 0);
	assert_true(getuid() != 0 || n_heard == 3);
}

static void a_signal_is_told(void **state)
{
	struct cap_child c;
	(void)state;
	assert_int_equal(run(&c, "kill -9 $$", 1000), 0);
	assert_true(WIFSIGNALED(c.status));
}

static void a_program_that_is_not_there(void **state)
{
	static const char *const argv[] = { "no-such-program-anywhere", NULL }, *const env[] = { NULL };
	struct cap_child c = { .argv = argv, .env = env, .in = STDIN_FILENO, .extra = -1, .line = hear, .line_max = 100 };
	(void)state;
	assert_int_equal(cap_child_run(&c), ENOENT);
}

static enum cap_read read_bytes(const void *p, size_t n)
{
	FILE *f = tmpfile();
	struct cap_book *b;
	assert_non_null(f);
	fwrite(p, 1, n, f);
	fflush(f);
	assert_int_equal(cap_book_create(&b), 0);
	struct cap_tshark t = { .fd = fileno(f) };
	enum cap_read r = cap_tshark_read(&t, b);
	cap_book_destroy(b);
	fclose(f);
	return r;
}

static void what_is_no_capture_is_told(void **state)
{
	static const uint8_t empty_pcap[] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0 };
	static const uint8_t half[] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0,
		60, 0, 0, 0, 1, 2, 3 };
	(void)state;
	enum cap_read r = read_bytes("this is a text and no capture at all\n", 37);
	if (r == CAP_READ_NO_TSHARK)
		skip();
	assert_int_equal(r, CAP_READ_NOT_A_CAPTURE);
	assert_int_equal(read_bytes(empty_pcap, sizeof empty_pcap), CAP_READ_OK);
	assert_int_equal(read_bytes(half, sizeof half), CAP_READ_SHORT);
}

UT_MAIN(UT(lines_and_last_words), UT(a_line_without_end_is_left_out), UT(of_many_last_words_the_end_is_kept), UT(it_has_no_rights_and_no_descriptors), UT(a_signal_is_told),
	UT(a_program_that_is_not_there), UT(what_is_no_capture_is_told))
