/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_call.c  umbel call list, show, end: the calls of this node. The caller of our own is in cmd_calltest.c. */
#include "cli/cli_private.h"

static int show_list(struct cli *c, const json_t *r)
{
	json_t *calls = json_deep_copy(json_object_get(r, "calls"));
	size_t i;
	json_t *o;
	json_array_foreach(calls, i, o) {
		json_object_set_new(o, "began", json_string(cli_when_us(cli_int(o, "started_us"))));
		json_object_set_new(o, "lasts", json_string(cli_duration_ms(cli_int(o, "duration_ms"))));
	}
	if (json_array_size(calls))
		cli_table(c, calls, "id:CALL began:BEGAN lasts:LASTS from:FROM called:CALLED gateway:GATEWAY dialogue:DIALOGUE object:FOR state:STATE");
	else
		fprintf(c->out, "There is no call.\n");
	json_decref(calls);
	return CLI_GOOD;
}

static int list(struct cli *c)
{
	return cli_ask_show(c, "call.list", json_pack("{s:b}", "history", cli_opt(c, "history") != NULL), show_list);
}

/* Each sentence behind its time, and what to do below it. */
static void show_line(struct cli *c, const json_t *o, const json_t *line)
{
	char mark[32];
	int64_t us = cli_int(o, "started_us") + cli_int(line, "at_ms") * 1000;
	text_print(mark, sizeof mark, "  %s.%03d  ", cli_when_us(us) + strlen("2026-11-23 "), (int)(us / 1000 % 1000));
	cli_item(c->out, mark, cli_text(line, "text"));
	if (!*cli_text(line, "advice"))
		return;
	fprintf(c->out, "%16sWhat to do:\n", "");
	cli_wrapped(c->out, cli_text(line, "advice"), "                  ");
}

static void show_story(struct cli *c, const json_t *o)
{
	size_t i;
	const json_t *line;
	json_array_foreach(json_object_get(o, "story"), i, line)
		show_line(c, o, line);
	if (cli_int(o, "story_lost"))
		fprintf(c->out, "%16sMore happened than is kept: %s sentences are missing here.\n", "", cli_text(o, "story_lost"));
	if (!cli_true(o, "over"))
		fprintf(c->out, "%16sThe call goes on: %s%s.\n", "", cli_text(o, "state"), cli_true(o, "held") ? ", on hold" : "");
}

static int show_one(struct cli *c, const json_t *o)
{
	const char *from = cli_text(o, "from"), *name = cli_text(o, "from_name"), *object = cli_text(o, "object"), *source = cli_text(o, "source");
	size_t i;
	const json_t *s;
	fprintf(c->out, "Call %s, %s: %s\n", cli_text(o, "id"), cli_true(o, "over") ? "over" : "alive", cli_text(o, "state"));
	fprintf(c->out, "  %s%s%s%s%s%sto %s, gateway %s%s%s%s\n", *from ? "from " : "", from, *name ? " (" : "", name, *name ? ")" : "", *from || *name ? " " : "",
	        cli_text(o, "called"), cli_text(o, "gateway"), *source ? " (" : "", source, *source ? ")" : "");
	fprintf(c->out, "  began %s, %s %s%s%s%s%s\n\n", cli_when_us(cli_int(o, "started_us")), cli_true(o, "over") ? "lasted" : "lasts",
	        cli_duration_ms(cli_int(o, "duration_ms")), *cli_text(o, "dialogue") ? ", " : "", cli_text(o, "dialogue"), *object ? " of " : "", object);
	show_story(c, o);
	if (cli_opt(c, "steps")) {
		fprintf(c->out, "\nStep by step:\n");
		json_array_foreach(json_object_get(o, "steps"), i, s)
			fprintf(c->out, "  %8.3f s  %s\n", (double)cli_int(s, "at_ms") / 1000, cli_text(s, "text"));
	}
	fprintf(c->out, "\nIts events: umbel events list --session %s\n", cli_text(o, "id"));
	if (!cli_true(o, "over"))
		fprintf(c->out, "Its SIP from now on: umbel trace --call %s\n", cli_text(o, "id"));
	return CLI_GOOD;
}

static int show(struct cli *c)
{
	return cli_ask_show(c, "call.show", json_pack("{s:s}", "id", c->pos[0]), show_one);
}

static int show_ended(struct cli *c, const json_t *r)
{
	fprintf(c->out, "Call %s is being ended; what the caller left is kept.\n", cli_text(r, "ended"));
	return CLI_GOOD;
}

static int end(struct cli *c)
{
	return cli_ask_show(c, "call.end", json_pack("{s:s}", "id", c->pos[0]), show_ended);
}

static const struct cli_opt list_opts[] = { { "history", NULL, "also those that are lately over" }, { NULL, NULL, NULL } };

static const struct cli_opt show_opts[] = { { "steps", NULL, "also each step of the conversation's tables" }, { NULL, NULL, NULL } };

const struct cli_cmd cli_call_cmds[] = {
	{ "call", "list", "", 0, 0, list_opts, "List the calls of this node", NULL, "  umbel call list\n  umbel call list --history", list },
	{ "call", "show", "CALL", 1, 1, show_opts, "Tell one call in words: how it came, what was said and agreed, how and why it ended",
	  "Calls that live, the last 256 that are over, and the last 64 that were refused; of older ones what their records keep. A unique\nbeginning of the id is enough.",
	  "  umbel call show 01JD\n  umbel call show 01JD --steps\n  umbel call show 01JD --json", show },
	{ "call", "end", "CALL", 1, 1, NULL, "End a call as if the caller had hung up", NULL, "  umbel call end 01JD", end },
	{ NULL },
};
