/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_attendant.c  umbel attendant ... */
#include <errno.h>
#include <time.h>
#include "admin/simulate.h"
#include "cli/cli_private.h"
#include "config/cfg.h"
#include "directory/calendar_cache.h"
#include "voice/languages.h"

static int show_attendants(struct cli *c, const json_t *r)
{
	cli_table(c, json_object_get(r, "attendants"), "name:ATTENDANT number:NUMBER operator:OPERATOR dial_by_extension:EXTENSIONS dial_by_name:NAMES");
	return CLI_GOOD;
}

static int attendant_list(struct cli *c)
{
	return cli_ask_show(c, "attendant.list", NULL, show_attendants);
}

static int show_attendant(struct cli *c, const json_t *o)
{
	size_t i;
	const json_t *k;
	fprintf(c->out, "Attendant %s\n", cli_text(o, "name"));
	cli_show_strings(c, "numbers", json_object_get(o, "numbers"));
	cli_show_strings(c, "URIs", json_object_get(o, "uris"));
	fprintf(c->out, "  %-12s%s\n", "greeting", *cli_text(o, "greeting") ? cli_text(o, "greeting") : "the standard welcome");
	fprintf(c->out, "  %-12s%s\n", "operator", *cli_text(o, "operator") ? cli_text(o, "operator") : "of the dial plan");
	fprintf(c->out, "  %-12s%s\n", "schedule", *cli_text(o, "schedule") ? cli_text(o, "schedule") : "always open");
	json_array_foreach(json_object_get(o, "keys"), i, k)
		fprintf(c->out, "  key %-8s%s %s\n", cli_text(k, "key"), cli_text(k, "action"), cli_text(k, "target"));
	json_array_foreach(json_object_get(o, "closed_keys"), i, k)
		fprintf(c->out, "  key %-8s%s %s, in closed hours\n", cli_text(k, "key"), cli_text(k, "action"), cli_text(k, "target"));
	return CLI_GOOD;
}

static int attendant_show(struct cli *c)
{
	return cli_ask_show(c, "attendant.show", json_pack("{s:s}", "name", c->pos[0]), show_attendant);
}

static int show_drawing(struct cli *c, const json_t *r)
{
	fputs(cli_text(r, "drawing"), c->out);
	return CLI_GOOD;
}

static int attendant_draw(struct cli *c)
{
	return cli_ask_show(c, "attendant.draw", json_pack("{s:s, s:s}", "name", c->pos[0], "form", cli_opt(c, "dot") ? "dot" : "text"), show_drawing);
}

/* ---- simulate ---- */

static void show_line(struct cli *c, const json_t *l)
{
	const char *kind = cli_text(l, "kind");
	if (strcmp(kind, "hears") == 0) {
		cli_item(c->out, "  hears    ", cli_text(l, "words"));
	} else if (strcmp(kind, "presses") == 0) {
		fprintf(c->out, "  presses  %s\n", cli_text(l, "keys"));
	} else if (*cli_text(l, "schedule")) {
		fprintf(c->out, "%s: schedule %s (%s) says %s%s%s", cli_text(l, "attendant"), cli_text(l, "schedule"), cli_text(l, "time_zone"), cli_text(l, "state"),
		        *cli_text(l, "holiday") ? ": " : "", cli_text(l, "holiday"));
		if (json_object_get(l, "line") && cli_int(l, "line"))
			fprintf(c->out, ", line %s", cli_text(l, "line"));
		fprintf(c->out, "%s%s\n", *cli_text(l, "until") ? ", until " : "", cli_text(l, "until"));
	} else {
		fprintf(c->out, "%s: has no schedule, so it is open\n", cli_text(l, "attendant"));
	}
}

static int show_simulation(struct cli *c, const json_t *o)
{
	size_t i;
	const json_t *l, *end = json_object_get(o, "end");
	const char *how = cli_text(end, "outcome");
	fprintf(c->out, "A call to %s, %s\n", cli_text(o, "attendant"), cli_text(o, "at"));
	json_array_foreach(json_object_get(o, "lines"), i, l)
		show_line(c, l);
	if (strcmp(how, "transfer") == 0)
		fprintf(c->out, "The call goes to %s (%s).\n", cli_text(end, "to"), cli_text(end, "name"));
	else if (strcmp(how, "message") == 0)
		fprintf(c->out, "The caller leaves a message for %s (%s).\n", cli_text(end, "name"), cli_text(end, "to"));
	else if (strcmp(how, "log-on") == 0)
		fprintf(c->out, "The caller logs on to a mailbox.\n");
	else if (strcmp(how, "waits") == 0)
		fprintf(c->out, "The attendant waits for a key.\n");
	else if (strcmp(how, "endless") == 0)
		fprintf(c->out, "The call has no end: the caller goes round for half an hour.\n");
	else
		fprintf(c->out, "The call ends.\n");
	return CLI_GOOD;
}

struct copies {
	struct cli *c;
	const struct cfg *cfg;
};

static int copy_of(const struct cfg_schedule *s, struct buf *ics, void *arg)
{
	const struct copies *x = arg;
	struct calendar_copy copy;
	int err = x->cfg->has_node ? calendar_copy_read(x->cfg->node.data, s->calendar, &copy, ics) : ENOENT;
	if (err)
		fprintf(x->c->err, "umbel: schedule %s has its calendar from an address, and there is no copy of it here: its holidays are left out\n", s->name);
	return err;
}

/* What a node has fetched stands in its data folder; without that, what is missing is said. */
static int fill_calendars(struct cli *c, struct cfg **cfg)
{
	struct copies x = { c, *cfg };
	struct cfg *filled;
	if (!cfg_has_calendars(*cfg))
		return CLI_GOOD;
	if (cfg_with_calendars(&filled, *cfg, copy_of, &x))
		return cli_error(c, CLI_NO, "no memory left");
	cfg_unref(*cfg);
	*cfg = filled;
	return CLI_GOOD;
}

/* With a file no server is needed: the same tables run here. */
static int simulate_file(struct cli *c, const char *path, json_t *args)
{
	struct ev_report why = { 0 };
	struct cfg *cfg = NULL;
	int code = cli_load_cfg(c, path, &cfg);
	if (code == CLI_GOOD)
		code = fill_calendars(c, &cfg);
	struct prompt_set_prm prm = { .dir = cfg && cfg->has_node ? cfg->node.voice : "", .set = cfg && cfg->has_node ? cfg->node.voice_set : "" };
	struct languages *languages = NULL;
	if (code == CLI_GOOD)
		(void)languages_open(&languages, &prm, NULL, 0, &why); /* without them, in English */
	ev_set(&why, 0);
	json_t *o = code == CLI_GOOD ? admin_simulate(cfg, languages, args, (int64_t)time(NULL), &why) : NULL;
	if (code == CLI_GOOD && !o)
		code = cli_error_report(c, CLI_NO, &why);
	if (o)
		code = c->json ? cli_print_json(c, o) : show_simulation(c, o);
	json_decref(o);
	json_decref(args);
	languages_close(languages);
	cfg_unref(cfg);
	return code;
}

static int simulate(struct cli *c)
{
	json_t *args = json_pack("{s:s, s:b}", "name", c->pos[0], "silent", cli_opt(c, "silent") != NULL);
	cli_arg_opt(c, args, "at", "at");
	cli_arg_opt(c, args, "keys", "keys");
	cli_arg_opt(c, args, "caller", "caller");
	const char *file = cli_opt(c, "config");
	return file ? simulate_file(c, file, args) : cli_ask_show(c, "attendant.simulate", args, show_simulation);
}

static const struct cli_opt simulate_opts[] = {
	{ "at", "TIME", "when: \"2026-12-24 15:00\" on the clock of the attendant's schedule, with Z behind it in universal time; now if not given" },
	{ "keys", "KEYS", "what the caller presses: 2,1 (after a comma he listens first)" },
	{ "caller", "NUMBER", "who calls" },
	{ "config", "FILE", "ask this configuration or file of objects instead of the running server" },
	{ "silent", NULL, "when all keys were pressed the caller stays and presses nothing" },
	{ NULL, NULL, NULL },
};

static const struct cli_opt draw_opts[] = { { "dot", NULL, "for Graphviz instead of text" }, { NULL, NULL, NULL } };

const struct cli_cmd cli_attendant_cmds[] = {
	{ "attendant", "list", "", 0, 0, NULL, "List the auto attendants", NULL, "  umbel attendant list", attendant_list },
	{ "attendant", "show", "NAME", 1, 1, NULL, "Show one attendant: numbers, greeting, keys", NULL, "  umbel attendant show main", attendant_show },
	{ "attendant", "draw", "NAME", 1, 1, draw_opts, "Draw the conversation of an attendant as a graph",
	  "NAME may be a built-in conversation too: answering, subscriber.", "  umbel attendant draw main\n  umbel attendant draw main --dot | dot -Tsvg > main.svg",
	  attendant_draw },
	{ "attendant", "simulate", "NAME", 1, 1, simulate_opts, "Say what a caller would hear at a moment, key by key, and where the call would go",
	  "The real tables run in virtual time; nobody is called. Which schedule, period or holiday counts is said, with its line.",
	  "  umbel attendant simulate front --at \"2026-12-24 15:00\" --keys 2,1\n  umbel attendant simulate front --config umbel.yaml --silent", simulate },
	{ NULL },
};
