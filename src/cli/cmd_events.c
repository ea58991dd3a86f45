/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_events.c  umbel events ..., umbel log ...: what happened, as it happens, and how much of it is written. */
#include "base/text.h"
#include "cli/cli_private.h"

static const struct cli_opt filters[] = {
	{ "category", "NAME", "only this category (umbel log show lists them)" },
	{ "severity", "NAME", "only this severity and worse: error, warning, notice, info, detail, trace" },
	{ "session", "ID", "only the lines of this call" },
	{ "gateway", "NAME", "only what concerns this gateway" },
	{ "id", "NUMBER", "only this event" },
	{ "max", "N", "at most so many; the newest (default 50); with follow: so many of the past first" },
	{ "advice", NULL, "print cause and advice below each event" },
	{ NULL, NULL, NULL },
};

static void print_event(struct cli *c, const json_t *e)
{
	const char *session = cli_text(e, "session");
	fprintf(c->out, "%s  %-7s %s %s%s%s%s  ", cli_text(e, "time"), cli_text(e, "severity"), cli_text(e, "id"), cli_text(e, "name"), *session ? " [" : "", session,
	        *session ? "]" : "");
	fprintf(c->out, "%s\n", cli_text(e, "text"));
	if (!cli_opt(c, "advice"))
		return;
	if (*cli_text(e, "cause"))
		cli_wrapped(c->out, cli_text(e, "cause"), "    cause: ");
	if (*cli_text(e, "advice"))
		cli_wrapped(c->out, cli_text(e, "advice"), "    advice: ");
}

static int make_args(struct cli *c, json_t *args, const char *max_key)
{
	uint64_t max, id;
	if (cli_opt_number(c, "max", 5000, 0, &max) || cli_opt_number(c, "id", 65535, 0, &id))
		return CLI_USAGE;
	cli_arg_opt(c, args, "category", "category");
	cli_arg_opt(c, args, "severity", "severity");
	cli_arg_opt(c, args, "session", "session");
	cli_arg_opt(c, args, "gateway", "gateway");
	if (max)
		json_object_set_new(args, max_key, json_integer((json_int_t)max));
	if (id)
		json_object_set_new(args, "id", json_integer((json_int_t)id));
	return CLI_GOOD;
}

static int show_list(struct cli *c, const json_t *r)
{
	size_t i;
	const json_t *e;
	json_array_foreach(json_object_get(r, "events"), i, e)
		print_event(c, e);
	return CLI_GOOD;
}

static int list(struct cli *c)
{
	json_t *args = json_object();
	int code = make_args(c, args, "max");
	if (code) {
		json_decref(args);
		return code;
	}
	return cli_ask_show(c, "events.list", args, show_list);
}

static bool show_more(struct cli *c, const json_t *item, void *arg)
{
	(void)arg;
	if (c->json) {
		json_dumpf(item, c->out, JSON_COMPACT);
		fputc('\n', c->out);
	} else {
		print_event(c, item);
	}
	return fflush(c->out) == 0;
}

static int follow(struct cli *c)
{
	json_t *args = json_object();
	int code = make_args(c, args, "back");
	if (code) {
		json_decref(args);
		return code;
	}
	return cli_follow(c, "events.follow", args, show_more, NULL, NULL);
}

const struct cli_cmd cli_events_cmds[] = {
	{ "events", "list", "", 0, 0, filters, "List the last events", NULL,
	  "  umbel events list\n  umbel events list --id 1400 --advice\n  umbel events list --session 01J... --json", list },
	{ "events", "follow", "", 0, 0, filters, "Show events as they happen, until Ctrl-C", "With --json: one object a line.",
	  "  umbel events follow\n  umbel events follow --gateway pool --severity warning", follow },
	{ NULL },
};

/* ---- levels ---- */

static const char *const level_names[] = { "lowest", "low", "medium", "high", "expert" };

static void show_added(struct cli *c, const json_t *category)
{
	fprintf(c->out, "Category %s is at level %s. What each level adds:\n", cli_text(category, "category"), cli_text(category, "level"));
	for (unsigned l = 0; l < 5; l++) {
		const json_t *events = json_object_get(json_object_get(category, "adds"), level_names[l]), *e;
		size_t i;
		fprintf(c->out, "\n%s%s\n", level_names[l], json_array_size(events) ? ":" : ": nothing more");
		json_array_foreach(events, i, e)
			fprintf(c->out, "  %5s %-26s %s\n", cli_text(e, "id"), cli_text(e, "name"), cli_text(e, "text"));
	}
}

static int show_levels(struct cli *c, const json_t *r)
{
	const json_t *categories = json_object_get(r, "categories"), *x;
	size_t i;
	if (json_array_size(categories) == 1) {
		show_added(c, json_array_get(categories, 0));
		return CLI_GOOD;
	}
	fprintf(c->out, "%-11s %-8s number of kinds of events that each level adds\n%-11s %-8s", "", "", "CATEGORY", "LEVEL");
	for (unsigned l = 0; l < 5; l++)
		fprintf(c->out, " %8s", level_names[l]);
	fputc('\n', c->out);
	json_array_foreach(categories, i, x) {
		fprintf(c->out, "%-11s %-8s", cli_text(x, "category"), cli_text(x, "level"));
		for (unsigned l = 0; l < 5; l++)
			fprintf(c->out, " %8zu", json_array_size(json_object_get(json_object_get(x, "adds"), level_names[l])));
		fputc('\n', c->out);
	}
	fprintf(c->out, "\nlowest: errors and warnings; low adds notices, medium information, high details, expert traces.\n"
	                "What a level adds for a category: umbel log show CATEGORY\n");
	return CLI_GOOD;
}

static int log_show(struct cli *c)
{
	return cli_ask_show(c, "log.show", c->n_pos ? json_pack("{s:s}", "category", c->pos[0]) : NULL, show_levels);
}

static int show_set(struct cli *c, const json_t *r)
{
	fprintf(c->out, "Category %s is at level %s now, until the server restarts.\n", cli_text(r, "category"), cli_text(r, "level"));
	return CLI_GOOD;
}

static int log_set(struct cli *c)
{
	return cli_ask_show(c, "log.set", json_pack("{s:s, s:s}", "category", c->pos[0], "level", c->pos[1]), show_set);
}

const struct cli_cmd cli_log_cmds[] = {
	{ "log", "show", "[CATEGORY]", 0, 1, NULL, "Show how much each category says, or what each level adds for one", NULL,
	  "  umbel log show\n  umbel log show trust", log_show },
	{ "log", "set", "CATEGORY LEVEL", 2, 2, NULL, "Change how much a category (or all) says, while the server runs",
	  "Levels: lowest, low, medium, high, expert. The configuration (node.levels) says where the next start begins.",
	  "  umbel log set trust expert\n  umbel log set all lowest", log_set },
	{ NULL },
};
