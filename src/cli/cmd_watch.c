/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_watch.c  umbel trace: ladders of what is said just now, until Ctrl-C. */
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "cli/cli_private.h"
#include "cli/ladder.h"

struct watching {
	struct ladder *ladder; /* NULL: --json */
	bool no_options;
};

/* Of the terminal; elsewhere what COLUMNS says, or 80. */
static unsigned width_of(FILE *out)
{
	struct winsize w;
	const char *columns = getenv("COLUMNS");
	uint64_t n;
	if (isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
		return w.ws_col;
	return columns && text_u64(text_of(columns), LADDER_WIDTH_MAX, &n) == 0 ? (unsigned)n : LADDER_WIDTH;
}

/* https://no-color.org: any value but none. */
static bool may_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(fileno(out)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static bool item_h(struct cli *c, const json_t *item, void *arg)
{
	struct watching *w = arg;
	if (w->no_options && text_is(text_of(cli_text(item, "method")), "OPTIONS"))
		return true;
	if (w->ladder) {
		ladder_width(w->ladder, width_of(c->out));
		ladder_item(w->ladder, item);
	} else {
		json_dumpf(item, c->out, JSON_COMPACT);
		fputc('\n', c->out);
	}
	return fflush(c->out) == 0;
}

static void summary(struct cli *c, const struct ladder *l)
{
	unsigned n = ladder_messages(l), calls = ladder_calls(l);
	fprintf(c->err, "\n%u message%s, %u call%s", n, n == 1 ? "" : "s", calls, calls == 1 ? "" : "s");
	if (ladder_lost(l))
		fprintf(c->err, "; %u were not shown, because they came faster than they were read", ladder_lost(l));
	fprintf(c->err, ".\n");
}

static int watch(struct cli *c)
{
	struct watching w = { .no_options = cli_opt(c, "no-options") != NULL };
	json_t *args = json_object();
	if (!c->json && !(w.ladder = ladder_create(c->out, width_of(c->out), may_colour(c->out)))) {
		json_decref(args);
		return cli_error(c, CLI_NO, "no memory");
	}
	cli_arg_opt(c, args, "gateway", "gateway");
	cli_arg_opt(c, args, "call", "call");
	cli_arg_opt(c, args, "from", "from");
	cli_arg_opt(c, args, "to", "to");
	json_object_set_new(args, "full", json_boolean(cli_opt(c, "full") != NULL));
	json_object_set_new(args, "secrets", json_boolean(cli_opt(c, "secrets") != NULL));
	cli_until_interrupted();
	int code = cli_follow(c, "trace.follow", args, item_h, &w, NULL);
	if (w.ladder && code == CLI_GOOD)
		summary(c, w.ladder);
	ladder_destroy(w.ladder);
	return code;
}

static const struct cli_opt opts[] = {
	{ "gateway", "NAME", "only what is said with this gateway" },
	{ "call", "ID", "only one call, by its session (umbel call list), its Call-ID, or at least 4 characters that one begins with" },
	{ "from", "TEXT", "only calls whose caller's address has this in it" },
	{ "to", "TEXT", "only calls to an address that has this in it" },
	{ "full", NULL, "whole messages below their arrows; passwords, media keys and pressed keys struck out" },
	{ "secrets", NULL, "with --full: nothing struck out" },
	{ "no-options", NULL, "without OPTIONS and their answers" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_watch_cmds[] = {
	{ "trace", NULL, "", 0, 0, opts, "Show SIP as it comes and goes, as ladders, until Ctrl-C",
	  "DNS, TCP and TLS are shown, too. Colour only on a terminal, and not with NO_COLOR. With --json: one object a line. An event\n"
	  "tells that somebody watches. To keep it for Wireshark: umbel trace start, umbel trace save.",
	  "  umbel trace\n  umbel trace --gateway pool --no-options\n  umbel trace --to 2001 --full\n  umbel trace --call 01JD > call.txt", watch },
	{ NULL },
};
