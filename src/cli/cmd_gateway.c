/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_gateway.c  umbel gateway ..., umbel explain ...: who answers, and why one does not. */
#include <ctype.h>
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_private.h"

static int show_list(struct cli *c, const json_t *r)
{
	cli_show_gateways(c, json_object_get(r, "gateways"));
	return CLI_GOOD;
}

static int list(struct cli *c)
{
	return cli_ask_show(c, "gateway.list", NULL, show_list);
}

static void show_flow(struct cli *c, const char *words, const json_t *f)
{
	fprintf(c->out, "  %-9s %s", words, cli_text(f, "works"));
	if (cli_int(f, "at_us"))
		fprintf(c->out, ", last tried %s (worked %lld times, failed %lld)", cli_when_us(cli_int(f, "at_us")), (long long)cli_int(f, "good"),
		        (long long)cli_int(f, "bad"));
	fputc('\n', c->out);
	if (strcmp(cli_text(f, "works"), "refused") == 0)
		cli_wrapped(c->out, cli_text(f, "sentence"), "            ");
}

static int show_one(struct cli *c, const json_t *g)
{
	const json_t *flows = json_object_get(g, "flows"), *m;
	size_t i;
	fprintf(c->out, "Gateway %s on node %s: %s\n", cli_text(g, "name"), cli_text(g, "node"), cli_text(g, "state"));
	fprintf(c->out, "  %s by %s, port %s, shown identity %s, names by %s, reuse %s, judges us by %s\n", cli_text(g, "address"), cli_text(g, "transport"),
	        cli_int(g, "port") ? cli_text(g, "port") : "by DNS", *cli_text(g, "identity") ? cli_text(g, "identity") : "of the node", cli_text(g, "rule"),
	        cli_text(g, "reuse"), cli_text(g, "judges_us"));
	if (json_object_get(g, "transport_now"))
		fprintf(c->out, "  now %s, by %s\n", *cli_text(g, "transport_now") ? cli_text(g, "transport_now") : "not known",
		        *cli_text(g, "decided_by") ? cli_text(g, "decided_by") : "no record of DNS");
	fprintf(c->out, "\nFlows:\n");
	show_flow(c, "calls in", json_object_get(flows, "calls-in"));
	show_flow(c, "OPTIONS", json_object_get(flows, "options"));
	show_flow(c, "transfer", json_object_get(flows, "transfer"));
	show_flow(c, "lamp", json_object_get(flows, "lamp"));
	fprintf(c->out, "\nMembers:\n");
	json_array_foreach(json_object_get(g, "members"), i, m) {
		fprintf(c->out, "  %s (%s): %s", *cli_text(m, "address") ? cli_text(m, "address") : "no address", cli_text(m, "host"), cli_text(m, "state"));
		if (cli_int(m, "probed_us"))
			fprintf(c->out, ", asked %s, ", cli_when_us(cli_int(m, "probed_us")));
		if (cli_int(m, "status"))
			fprintf(c->out, "answer %lld within %lld ms", (long long)cli_int(m, "status"), (long long)cli_int(m, "took_ms"));
		else if (cli_int(m, "probed_us"))
			fprintf(c->out, "no answer");
		fputc('\n', c->out);
	}
	if (json_array_size(json_object_get(g, "other_nodes"))) {
		fprintf(c->out, "\nOn other nodes, as they last said:\n");
		cli_show_gateways(c, json_object_get(g, "other_nodes"));
	}
	if (strcmp(cli_text(g, "state"), "down") == 0)
		fprintf(c->out, "\nWhy, and what to do: umbel explain gateway %s\n", cli_text(g, "name"));
	return CLI_GOOD;
}

static int show(struct cli *c)
{
	return cli_ask_show(c, "gateway.show", json_pack("{s:s}", "name", c->pos[0]), show_one);
}

static int probe(struct cli *c)
{
	json_t *r = NULL;
	int code = cli_ask(c, "gateway.probe", json_pack("{s:s}", "name", c->pos[0]), &r);
	if (code != CLI_GOOD)
		return code;
	const json_t *f = json_object_get(json_object_get(r, "flows"), "options");
	bool works = strcmp(cli_text(f, "works"), "works") == 0;
	if (c->json)
		cli_print_json(c, r);
	else
		show_one(c, r);
	json_decref(r);
	return works ? CLI_GOOD : CLI_NO;
}

/* ---- stories ---- */

static void show_verdict(struct cli *c, const json_t *v)
{
	static const char *const parts[][2] = { { "cause", "Why:" }, { "advice", "What to do:" }, { "other_causes", "What else looks the same, and how to tell:" } };
	for (unsigned i = 0; i < 3; i++) {
		const json_t *o = json_object_get(v, parts[i][0]), *line;
		size_t k;
		if (json_is_string(o) ? !json_string_length(o) : !json_array_size(o))
			continue;
		fprintf(c->out, "  %s\n", parts[i][1]);
		if (json_is_string(o))
			cli_wrapped(c->out, json_string_value(o), "    ");
		json_array_foreach(o, k, line)
			cli_wrapped(c->out, json_string_value(line), "    ");
	}
}

/* `told`: cause and cure stand elsewhere on the page. */
static void show_story(struct cli *c, const json_t *st, bool told)
{
	bool open = strcmp(cli_text(st, "end"), "open") == 0;
	const char *gateway = cli_text(st, "gateway"), *peer = cli_text(st, "peer");
	fprintf(c->out, "\n%s: %s%s%s%s, %s (%s)\n", cli_text(st, "verdict_name"), *gateway ? "gateway " : "", gateway, *gateway && *peer ? " at " : "", peer,
	        cli_text(st, "flow"), strcmp(cli_text(st, "direction"), "dialled") == 0 ? "we dialled" : "they dialled us");
	if (cli_int(st, "count") == 1)
		fprintf(c->out, "  once, %s; ", cli_when_us(cli_int(st, "last_us")));
	else
		fprintf(c->out, "  %lld times since %s", (long long)cli_int(st, "count"), cli_when_us(cli_int(st, "first_us")));
	if (cli_int(st, "count") != 1)
		fprintf(c->out, ", last %s; ", cli_when_us(cli_int(st, "last_us")));
	if (open)
		fprintf(c->out, "it goes on\n");
	else
		fprintf(c->out, "over since %s (%s), after %s\n", cli_when_us(cli_int(st, "ended_us")), cli_text(st, "end"), cli_text(st, "lasted"));
	if (!told)
		cli_wrapped(c->out, cli_text(st, "sentence"), "  ");
	if (json_is_object(json_object_get(st, "verdict")) && open && !told) {
		fprintf(c->out, "  How sure: %s.\n", cli_text(st, "certainty"));
		show_verdict(c, json_object_get(st, "verdict"));
	}
	fprintf(c->out, "  Story %s on node %s\n", cli_text(st, "id"), cli_text(st, "node"));
}

static unsigned show_stories(struct cli *c, const json_t *stories, bool open)
{
	size_t i;
	const json_t *st;
	unsigned n = 0;
	json_array_foreach(stories, i, st)
		if ((strcmp(cli_text(st, "end"), "open") == 0) == open) {
			show_story(c, st, false);
			n++;
		}
	return n;
}

/* What goes on stands above with its flow; here is how often, and what the flows do not say: what came in, and what is over. */
static bool told_above(const json_t *flows, const json_t *st)
{
	size_t i;
	const json_t *f;
	json_array_foreach(flows, i, f)
		if (strcmp(cli_text(f, "works"), "refused") == 0 && strcmp(cli_text(f, "verdict_name"), cli_text(st, "verdict_name")) == 0)
			return true;
	return false;
}

static void show_gateway_stories(struct cli *c, const json_t *flows, const json_t *stories)
{
	size_t i;
	const json_t *st;
	if (json_array_size(stories))
		fprintf(c->out, "\nStories, the newest first:\n");
	json_array_foreach(stories, i, st)
		show_story(c, st, told_above(flows, st));
}

static int show_all(struct cli *c, const json_t *r)
{
	const json_t *stories = json_object_get(r, "stories"), *others = json_object_get(r, "other_nodes");
	fprintf(c->out, "What fails on node %s:\n", cli_text(r, "node"));
	if (!show_stories(c, stories, true))
		fprintf(c->out, "\nNothing that this node knows of.\n");
	if (json_array_size(others)) {
		fprintf(c->out, "\nOn other nodes, as they last said:\n");
		show_stories(c, others, true);
	}
	if (cli_int(r, "lost"))
		fprintf(c->out, "\n%lld failures more were only counted: there were too many different ones.\n", (long long)cli_int(r, "lost"));
	return CLI_GOOD;
}

static int explain_all(struct cli *c)
{
	return cli_ask_show(c, "explain.all", NULL, show_all);
}

/* ---- explain ---- */

static int show_explained(struct cli *c, const json_t *r)
{
	size_t i;
	const json_t *f;
	unsigned refused = 0;
	fprintf(c->out, "Gateway %s, as node %s sees it:\n", cli_text(r, "name"), cli_text(r, "node"));
	json_array_foreach(json_object_get(r, "flows"), i, f) {
		fprintf(c->out, "\n%s: %s", cli_text(f, "flow"), cli_text(f, "works"));
		if (cli_int(f, "at_us"))
			fprintf(c->out, " (%s)", cli_when_us(cli_int(f, "at_us")));
		fputc('\n', c->out);
		if (strcmp(cli_text(f, "works"), "refused") != 0)
			continue;
		refused++;
		cli_wrapped(c->out, cli_text(f, "text"), "  ");
	}
	show_gateway_stories(c, json_object_get(r, "flows"), json_object_get(r, "stories"));
	return refused ? CLI_NO : CLI_GOOD;
}

static int explain_gateway(struct cli *c)
{
	json_t *r = NULL;
	int code = cli_ask(c, "explain.gateway", json_pack("{s:s}", "name", c->pos[0]), &r);
	if (code != CLI_GOOD)
		return code;
	if (c->json)
		cli_print_json(c, r);
	else
		show_explained(c, r);
	json_decref(r);
	return CLI_GOOD;
}

static int show_event(struct cli *c, const json_t *r)
{
	const json_t *last = json_object_get(r, "last"), *story = json_object_get(r, "story");
	if (story && !json_object_get(r, "id")) {
		show_story(c, story, false);
		return CLI_GOOD;
	}
	fprintf(c->out, "%s %s (%s, category %s)\n", cli_text(r, "id"), cli_text(r, "name"), cli_text(r, "severity"), cli_text(r, "category"));
	cli_wrapped(c->out, cli_text(r, "text"), "  ");
	if (*cli_text(r, "cause")) {
		fprintf(c->out, "\nCause:\n");
		cli_wrapped(c->out, cli_text(r, "cause"), "  ");
	}
	if (*cli_text(r, "advice")) {
		fprintf(c->out, "\nWhat to do:\n");
		cli_wrapped(c->out, cli_text(r, "advice"), "  ");
	}
	if (*cli_text(r, "source"))
		fprintf(c->out, "\nSource: %s\n", cli_text(r, "source"));
	if (!last)
		return CLI_GOOD;
	fprintf(c->out, "\nHappened %lld times among the events kept; the last time:\n", (long long)cli_int(r, "kept"));
	fprintf(c->out, "  %s\n", cli_text(last, "time"));
	cli_wrapped(c->out, cli_text(last, "text"), "  ");
	if (*cli_text(last, "advice")) {
		fprintf(c->out, "  What to do then:\n");
		cli_wrapped(c->out, cli_text(last, "advice"), "    ");
	}
	if (story)
		show_story(c, story, false);
	return CLI_GOOD;
}

/* What an event means is known here too: without a server the answer only lacks the last time. */
static int explain_event_here(struct cli *c)
{
	uint32_t id = 0;
	struct text t = text_of(c->pos[0]);
	const struct ev_def *def = text_u32(t, 65535, &id) == 0 ? ev_def_find((uint16_t)id) : ev_def_by_name(t);
	if (!def)
		return cli_error(c, CLI_NO, "there is no event \"%s\"; umbel-events(7) lists all", c->pos[0]);
	json_t *r = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", (int)def->id, "name", def->name, "severity",
	                      ev_severity_name(def->severity), "category", ev_category_name(def->category), "text", def->text, "cause", def->cause,
	                      "advice", def->advice, "source", def->source);
	int code = c->json ? cli_print_json(c, r) : show_event(c, r);
	json_decref(r);
	return code;
}

static int explain_event(struct cli *c)
{
	if (!cli_server_there(c))
		return explain_event_here(c);
	return cli_ask_show(c, "explain.event", json_pack("{s:s}", "event", c->pos[0]), show_event);
}

const struct cli_cmd cli_gateway_cmds[] = {
	{ "gateway", "list", "", 0, 0, NULL, "List the gateways with what works and what does not", NULL, "  umbel gateway list\n  umbel gateway list --json", list },
	{ "gateway", "show", "NAME", 1, 1, NULL, "Show one gateway: flows, members, how it is judged",
	  "With --json the facts of each connection come along: names, certificates, alerts, how it ended.", "  umbel gateway show pool", show },
	{ "gateway", "probe", "NAME", 1, 1, NULL, "Send OPTIONS to all members of a gateway now", "Exit code 1 when OPTIONS is not answered as expected.",
	  "  umbel gateway probe pool", probe },
	{ NULL },
};

const struct cli_cmd cli_explain_cmds[] = {
	{ "explain", "gateway", "NAME", 1, 1, NULL, "Say in words why something with a gateway does not work, and what to do",
	  "Who refused whom, at which step, the names wanted and offered, the cause, the cure with its command, how sure\nit is, "
	  "and what else it could be.",
	  "  umbel explain gateway pool", explain_gateway },
	{ "explain", "event", "ID", 1, 1, NULL, "Say what an event means, and what to do about it",
	  "ID is a number or a name, or the id of a story, as events and umbel explain show it. What a number means is told\nwithout a server too.",
	  "  umbel explain event 1400\n  umbel explain event GW_OPTIONS_FAILED\n  umbel explain event 01m82a2ayqfw1er0v6j7ph08eh", explain_event },
	{ "explain", NULL, "", 0, 0, NULL, "Show everything that fails, with whom, since when and how often",
	  "Each kind of failure is one story: first and last time, a count, the cause and the cure. A story ends by itself when\nthe same thing works again.",
	  "  umbel explain\n  umbel explain --json", explain_all },
	{ NULL },
};
