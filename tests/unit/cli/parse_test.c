/* SPDX-License-Identifier: Apache-2.0 */
/* The command line against a small table of its own. */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/text.h"
#include "cli/cli.h"

static struct cli seen;

static int run(struct cli *c)
{
	seen = *c;
	return CLI_GOOD;
}

static int show(struct cli *c, const json_t *r)
{
	fprintf(c->out, "n is %lld\n", (long long)cli_int(r, "n"));
	return CLI_GOOD;
}

static int ask(struct cli *c)
{
	return cli_ask_show(c, "thing.ask", json_pack("{s:s}", "name", c->pos[0]), show);
}

static const struct cli_opt opts[] = { { "count", "N", "how many" }, { "e", "STEP", "a step" }, { "all", NULL, "all of them" }, { NULL, NULL, NULL } };
static const struct cli_cmd things[] = {
	{ "thing", "list", "", 0, 0, opts, "List the things", NULL, "  umbel thing list", run },
	{ "thing", "show", "NAME [FILE]", 1, 2, NULL, "Show a thing", NULL, "  umbel thing show x", run },
	{ "thing", "ask", "NAME", 1, 1, NULL, "Ask for a thing", NULL, "  umbel thing ask x", ask },
	{ NULL },
};
static const struct cli_cmd alone[] = { { "check", NULL, "[FILE]", 0, 1, NULL, "Check", NULL, "  umbel check", run }, { NULL } };
const struct cli_cmd *const cli_groups[] = { things, alone, NULL };

static char *out_text, *err_text;
static size_t out_n, err_n;

static int umbel(const char *line)
{
	static char words[2000];
	char *argv[40] = { (char *)(uintptr_t)"umbel" };
	int argc = 1;
	text_fill(words, sizeof words, line);
	for (char *p = words, *save = NULL, *w; (w = strtok_r(p, " ", &save)) != NULL; p = NULL)
		argv[argc++] = w;
	free(out_text);
	free(err_text);
	FILE *out = open_memstream(&out_text, &out_n), *err = open_memstream(&err_text, &err_n);
	memset(&seen, 0, sizeof seen);
	int code = cli_main(argc, argv, out, err);
	fclose(out);
	fclose(err);
	return code;
}

static void commands_are_found_with_options_anywhere(void **state)
{
	(void)state;
	assert_int_equal(umbel("thing show a b --json"), CLI_GOOD);
	assert_string_equal(seen.cmd->verb, "show");
	assert_int_equal(seen.n_pos, 2);
	assert_string_equal(seen.pos[1], "b");
	assert_true(seen.json);
	assert_int_equal(umbel("--socket /tmp/x thing list --count=3 --all -e one -e two"), CLI_GOOD);
	assert_string_equal(seen.socket, "/tmp/x");
	assert_string_equal(cli_opt(&seen, "count"), "3");
	assert_string_equal(cli_opt_nth(&seen, "e", 0), "one");
	assert_string_equal(cli_opt_nth(&seen, "e", 1), "two");
	assert_null(cli_opt_nth(&seen, "e", 2));
	assert_non_null(cli_opt(&seen, "all"));
	assert_int_equal(umbel("check file.yaml"), CLI_GOOD);
	assert_string_equal(seen.pos[0], "file.yaml");
	assert_int_equal(umbel("thing show -- --json"), CLI_GOOD);
	assert_string_equal(seen.pos[0], "--json");
}

static void wrong_usage_is_2_and_says_what(void **state)
{
	(void)state;
	static const char *const lines[] = { "", "nothing", "thing", "thing dance", "thing show", "thing show a b c", "thing list --nope", "thing list --count",
		                             "thing list --all=1", "thing list x" };
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		assert_int_equal(umbel(lines[i]), CLI_USAGE);
		assert_null(seen.cmd);
		assert_true(err_n > 0);
	}
}

static void help_is_good_and_has_examples(void **state)
{
	(void)state;
	assert_int_equal(umbel("help"), CLI_GOOD);
	assert_non_null(strstr(out_text, "thing show NAME [FILE]"));
	assert_int_equal(umbel("thing --help"), CLI_GOOD);
	assert_non_null(strstr(out_text, "List the things"));
	assert_int_equal(umbel("thing list --help"), CLI_GOOD);
	assert_non_null(strstr(out_text, "--count N"));
	assert_non_null(strstr(out_text, "Examples:"));
	assert_int_equal(umbel("--version"), CLI_GOOD);
}

static void no_server_is_3(void **state)
{
	(void)state;
	char line[300];
	text_print(line, sizeof line, "thing ask x --socket %s/none", ut_tmpdir());
	assert_int_equal(umbel(line), CLI_NO_SERVER);
	assert_non_null(strstr(err_text, "no server reached"));
	strncat(line, " --json", 20);
	assert_int_equal(umbel(line), CLI_NO_SERVER);
	assert_non_null(strstr(out_text, "NO_SERVER"));
	assert_non_null(strstr(out_text, "\"schema\": 1"));
}

/* A server that answers one request with `answer`. */
static pid_t serve_once(const char *path, const char *answer)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	text_print(sun.sun_path, sizeof sun.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char rq[4096];
		int c = accept(fd, NULL, NULL);
		ssize_t n = recv(c, rq, sizeof rq - 1, 0);
		rq[n > 0 ? n : 0] = '\0';
		if (strstr(rq, "\"cmd\":\"thing.ask\"") && strstr(rq, "\"name\":\"x\""))
			(void)!send(c, answer, strlen(answer), MSG_NOSIGNAL);
		_exit(0);
	}
	close(fd);
	return pid;
}

static int ask_with(const char *answer, const char *more)
{
	char path[200], line[300];
	text_print(path, sizeof path, "%s/s", ut_tmpdir());
	pid_t pid = serve_once(path, answer);
	text_print(line, sizeof line, "thing ask x --socket %s%s", path, more);
	int code = umbel(line);
	waitpid(pid, NULL, 0);
	return code;
}

static void answers_make_the_exit_code(void **state)
{
	(void)state;
	assert_int_equal(ask_with("{\"schema\":1,\"ok\":true,\"result\":{\"n\":7}}\n", ""), CLI_GOOD);
	assert_string_equal(out_text, "n is 7\n");
	assert_int_equal(ask_with("{\"schema\":1,\"ok\":true,\"result\":{\"n\":7}}\n", " --json"), CLI_GOOD);
	assert_non_null(strstr(out_text, "\"n\": 7"));
	assert_non_null(strstr(out_text, "\"schema\": 1"));
	assert_int_equal(ask_with("{\"schema\":1,\"ok\":false,\"error\":{\"name\":\"X\",\"text\":\"there is no thing\",\"advice\":\"make one\"}}\n", ""), CLI_NO);
	assert_non_null(strstr(err_text, "there is no thing"));
	assert_non_null(strstr(err_text, "make one"));
	assert_int_equal(ask_with("{\"schema\":1,", ""), CLI_NO_SERVER);
	assert_int_equal(ask_with("nonsense\n", ""), CLI_NO_SERVER);
}

static void completion_names_every_command(void **state)
{
	(void)state;
	free(out_text);
	FILE *f = open_memstream(&out_text, &out_n);
	cli_completion_bash(f);
	fclose(f);
	assert_non_null(strstr(out_text, "help thing check"));
	assert_non_null(strstr(out_text, "thing) words=\" list show ask\""));
	assert_non_null(strstr(out_text, "--count -e --all --json --socket --help"));
}

static void tables_line_up(void **state)
{
	(void)state;
	struct cli c = { 0 };
	json_t *rows = json_pack("[{s:s, s:i}, {s:s, s:i}]", "a", "J\xc3\xb6rg", "b", 1, "a", "x", "b", 22);
	free(out_text);
	c.out = open_memstream(&out_text, &out_n);
	cli_table(&c, rows, "a:NAME b:N");
	fclose(c.out);
	json_decref(rows);
	assert_string_equal(out_text, "NAME  N\nJ\xc3\xb6rg  1\nx     22\n");
}

static void long_sentences_are_wrapped_and_commands_left_alone(void **state)
{
	(void)state;
	free(out_text);
	FILE *f = open_memstream(&out_text, &out_n);
	cli_wrapped(f, "aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccccccccc ddddddddddddddddddddd eeeeeeee\n  umbel cert cure pool", "> ");
	fclose(f);
	assert_string_equal(out_text, "> aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccccccccc\n> ddddddddddddddddddddd eeeeeeee\n>   umbel cert cure pool\n");
}

static void items_hang_behind_their_mark(void **state)
{
	(void)state;
	free(out_text);
	FILE *f = open_memstream(&out_text, &out_n);
	cli_item(f, "1. ", "aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccccccccc ddddddddddddddddddddd eeeeeeee");
	cli_item(f, "2. ", "short");
	fclose(f);
	assert_string_equal(out_text, "1. aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccccccccc\n   ddddddddddddddddddddd eeeeeeee\n2. short\n");
}

UT_MAIN(UT(items_hang_behind_their_mark), UT(commands_are_found_with_options_anywhere), UT(wrong_usage_is_2_and_says_what), UT(help_is_good_and_has_examples), UT(no_server_is_3),
        UT(answers_make_the_exit_code), UT(completion_names_every_command), UT(tables_line_up), UT(long_sentences_are_wrapped_and_commands_left_alone))
