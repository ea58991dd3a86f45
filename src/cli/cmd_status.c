/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_status.c  umbel status, umbel node ...: this node at a glance, and all nodes. */
#include <time.h>
#include "base/text.h"
#include "cli/cli_private.h"

static const char *flow_cell(const json_t *gateway, const char *flow)
{
	static char cells[8][64];
	static unsigned next;
	const json_t *f = json_object_get(json_object_get(gateway, "flows"), flow);
	int64_t at = cli_int(f, "at_us");
	char *cell = cells[next++ % 8];
	if (at)
		text_print(cell, sizeof cells[0], "%s %.8s", cli_text(f, "works"), cli_when_us(at) + 11);
	else
		text_fill(cell, sizeof cells[0], cli_text(f, "works"));
	return cell;
}

static void show_refused(struct cli *c, const json_t *gateway)
{
	static const char *const flows[] = { "options", "transfer", "lamp", "calls-in" };
	static const char *const words[] = { "OPTIONS", "Transfer", "Lamp", "Calls in" };
	bool any = false;
	for (unsigned i = 0; i < 4; i++) {
		const json_t *f = json_object_get(json_object_get(gateway, "flows"), flows[i]);
		if (strcmp(cli_text(f, "works"), "refused") != 0)
			continue;
		any = true;
		fprintf(c->out, "\n%s: %s with %s is refused (%s, certainty: %s):\n", cli_text(gateway, "node"), words[i], cli_text(gateway, "name"),
		        cli_text(f, "verdict_name"), cli_text(f, "certainty"));
		cli_wrapped(c->out, cli_text(f, "sentence"), "  ");
	}
	if (any)
		fprintf(c->out, "  Why, and what to do (on that node): umbel explain gateway %s\n", cli_text(gateway, "name"));
}

void cli_show_gateways(struct cli *c, const json_t *gateways)
{
	json_t *rows = json_array();
	size_t i;
	const json_t *g;
	json_array_foreach(gateways, i, g) {
		char address[300];
		text_print(address, sizeof address, "%s %s", cli_text(g, "address"), cli_text(g, "transport"));
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", cli_text(g, "name"), "node", cli_text(g, "node"), "address",
		                                      address, "state", cli_text(g, "state"), "in", flow_cell(g, "calls-in"), "options",
		                                      flow_cell(g, "options"), "transfer", flow_cell(g, "transfer"), "lamp", flow_cell(g, "lamp")));
	}
	cli_table(c, rows, "name:GATEWAY node:NODE address:ADDRESS state:STATE in:CALLS-IN options:OPTIONS transfer:TRANSFER lamp:LAMP");
	json_decref(rows);
	json_array_foreach(gateways, i, g)
		show_refused(c, g);
}

/* With its store away a node goes on by its own disk: ready, but the store is not good. */
static const char *need_words(const json_t *need, const json_t *store)
{
	bool away = strcmp(cli_text(need, "name"), "store") == 0 && json_is_object(store) && strcmp(cli_text(store, "state"), "good") != 0;
	return !cli_true(need, "ok") ? "NOT" : away ? cli_text(store, "state") : "good";
}

static void show_node(struct cli *c, const json_t *n, const json_t *store)
{
	size_t i;
	const json_t *need;
	int64_t up_ms = (cli_int(n, "now_us") - cli_int(n, "started_us")) / 1000;
	fprintf(c->out, "Node %s (%s): %s, %lld calls, up %s, version %s\n", cli_text(n, "name"), cli_text(n, "fqdn"), cli_text(n, "state"),
	        (long long)cli_int(n, "calls"), cli_duration_ms(up_ms), cli_text(n, "version"));
	json_array_foreach(json_object_get(n, "needs"), i, need)
		fprintf(c->out, "  %-12s %-4s %s\n", cli_text(need, "name"), need_words(need, store), cli_text(need, "detail"));
}

static void show_speech(struct cli *c, const json_t *s)
{
	const char *state = cli_text(s, "state");
	if (strcmp(state, "up") != 0) {
		fprintf(c->out, "Speech: the helper is not running%s%s; callers choose by the keys, and names that are not known yet are not spoken\n",
		        *cli_text(s, "ended") ? ", it ended: " : "", cli_text(s, "ended"));
		return;
	}
	fprintf(c->out, "Speech: up %s, %lld workers, ", cli_duration_ms(cli_int(s, "up_ms")), (long long)cli_int(s, "workers"));
	if (cli_true(s, "hears"))
		fprintf(c->out, "understands spoken names (%s front end)", cli_text(s, "front"));
	else
		fprintf(c->out, "speaks names but understands none: %s", cli_text(s, "reason"));
	if (cli_int(s, "starts") > 1)
		fprintf(c->out, "; started %lld times, the last one ended: %s", (long long)cli_int(s, "starts"), cli_text(s, "ended"));
	fputc('\n', c->out);
}

static int show_status(struct cli *c, const json_t *r)
{
	const json_t *store = json_object_get(r, "store"), *gateways = json_object_get(r, "gateways");
	show_node(c, json_object_get(r, "node"), store);
	if (json_is_object(store)) {
		fprintf(c->out, "Store: %s %s: %s\n", cli_text(store, "engine"), cli_text(store, "place"), cli_text(store, "state"));
		if (strcmp(cli_text(store, "state"), "good") != 0 && cli_int(store, "spooled") == 0)
			fputs("  new messages are kept on this node's disk until it is good again\n", c->out);
		if (cli_int(store, "spooled"))
			fprintf(c->out, "  %lld accepted messages wait on this node's disk for the store\n", (long long)cli_int(store, "spooled"));
	}
	if (json_is_object(json_object_get(r, "speech")))
		show_speech(c, json_object_get(r, "speech"));
	fputc('\n', c->out);
	if (json_array_size(gateways))
		cli_show_gateways(c, gateways);
	else
		fprintf(c->out, "No gateways are configured.\n");
	if (cli_int(r, "stories_open"))
		fprintf(c->out, "\n%lld kinds of failure go on: umbel explain\n", (long long)cli_int(r, "stories_open"));
	return strcmp(cli_text(json_object_get(r, "node"), "state"), "ready") == 0 ? CLI_GOOD : CLI_NO;
}

static int status(struct cli *c)
{
	json_t *result = NULL;
	int code = cli_ask(c, "status", NULL, &result);
	if (code == CLI_GOOD) {
		bool ready = strcmp(cli_text(json_object_get(result, "node"), "state"), "ready") == 0;
		if (c->json)
			cli_print_json(c, result);
		else
			show_status(c, result);
		code = ready ? CLI_GOOD : CLI_NO;
	}
	json_decref(result);
	return code;
}

/* ---- node ---- */

static int show_nodes(struct cli *c, const json_t *r)
{
	json_t *nodes = json_deep_copy(json_object_get(r, "nodes"));
	size_t i;
	json_t *n;
	char cell[64];
	json_array_foreach(nodes, i, n) {
		json_object_set_new(n, "beat", json_string(cli_when_us(cli_int(n, "beat_us"))));
		text_print(cell, sizeof cell, cli_int(n, "max_calls") ? "%lld of %lld" : "%lld", (long long)cli_int(n, "calls"), (long long)cli_int(n, "max_calls"));
		json_object_set_new(n, "load", json_string(cell));
		text_print(cell, sizeof cell, "%+.1f s", (double)cli_int(n, "clock_us") / 1e6);
		json_object_set_new(n, "clock", json_string(cell));
		json_object_set_new(n, "cn", json_string(cli_text(json_object_get(n, "certificate"), "cn")));
		json_object_set_new(n, "sha256", json_stringn(cli_text(json_object_get(n, "certificate"), "sha256"),
			strnlen(cli_text(json_object_get(n, "certificate"), "sha256"), 12)));
	}
	cli_table(c, nodes, "name:NODE fqdn:FQDN state:STATE load:CALLS version:VERSION revision:REVISION clock:CLOCK cn:CERTIFICATE sha256:SHA256 beat:LAST-SIGN "
		"reason:REASON");
	json_decref(nodes);
	json_array_foreach(json_object_get(r, "findings"), i, n) {
		fprintf(c->out, "\n");
		cli_item(c->out, "! ", cli_text(n, "sentence"));
		cli_wrapped(c->out, cli_text(n, "advice"), "  ");
	}
	return CLI_GOOD;
}

static int node_list(struct cli *c)
{
	return cli_ask_show(c, "node.list", NULL, show_nodes);
}

static int show_state(struct cli *c, const json_t *r)
{
	const json_t *left = json_object_get(r, "left");
	fprintf(c->out, "The node is %s%s; %lld calls go on.\n", cli_text(r, "state"), json_is_false(json_object_get(r, "changed")) ? " already" : "",
	        (long long)cli_int(r, "calls"));
	if (json_object_get(r, "within_ms") && cli_int(r, "calls"))
		fprintf(c->out, "Those that go on in %s are hung up; what their callers said is kept.\n", cli_duration_ms(cli_int(r, "within_ms")));
	if (strcmp(cli_text(r, "state"), "draining") != 0)
		return CLI_GOOD;
	if (cli_true(r, "safe_to_stop"))
		fprintf(c->out, "Safe to stop: no call, nothing on its disk that the store lacks, no errand under way.\n");
	else
		fprintf(c->out, "Not safe to stop yet: %lld calls, %lld messages and %lld call records wait for the store, %lld errands under way.\n",
			(long long)cli_int(left, "calls"), (long long)cli_int(left, "messages"), (long long)cli_int(left, "records"), (long long)cli_int(left, "errands"));
	return CLI_GOOD;
}

/* Until nothing is left, or somebody takes the node back. */
static int wait_until_safe(struct cli *c, json_t **result)
{
	int code = CLI_GOOD;
	int64_t told = -1;
	while (code == CLI_GOOD && !cli_true(*result, "safe_to_stop")) {
		if (strcmp(cli_text(*result, "state"), "draining") != 0)
			return CLI_NO;
		if (!c->json && told != cli_int(*result, "calls"))
			fprintf(c->out, "%lld calls go on\n", (long long)cli_int(*result, "calls"));
		fflush(c->out);
		told = cli_int(*result, "calls");
		nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
		json_decref(*result);
		*result = NULL;
		code = cli_ask(c, "node.left", NULL, result);
	}
	return code;
}

static int node_drain(struct cli *c)
{
	int64_t ms = 0;
	json_t *result = NULL;
	int code = cli_opt(c, "within") ? cli_time_ms(c, "within", cli_opt(c, "within"), &ms) : CLI_GOOD;
	if (code == CLI_GOOD)
		code = cli_ask(c, "node.drain", json_pack("{s:I}", "within_ms", (json_int_t)ms), &result);
	if (code == CLI_GOOD && cli_opt(c, "wait"))
		code = wait_until_safe(c, &result);
	if (result && c->json)
		cli_print_json(c, result);
	else if (result)
		show_state(c, result);
	json_decref(result);
	return code;
}

static const struct cli_opt drain_opts[] = {
	{ "within", "TIME", "hang up what calls are left after that time (90s, 10m, 2h), a minute before that they are asked to come to an end; what their callers said is kept" },
	{ "wait", NULL, "come back when the node is safe to stop; exit code 1 when somebody took it back meanwhile" },
	{ NULL },
};

static int node_resume(struct cli *c)
{
	return cli_ask_show(c, "node.resume", NULL, show_state);
}

static int node_stop(struct cli *c)
{
	return cli_ask_show(c, "node.stop", NULL, show_state);
}

const struct cli_cmd cli_status_cmds[] = {
	{ "status", NULL, "", 0, 0, NULL, "Show this node, its store, and what works with each gateway",
	  "For each gateway: calls in, OPTIONS, transfer and lamp, each works, refused or not tried, with the time of\nthe last try. "
	  "Exit code 1 when the node is not ready.",
	  "  umbel status\n  umbel status --json", status },
	{ "node", "list", "", 0, 0, NULL, "List the nodes that share the store, and what differs among them",
	  "Of each: state, calls, version, the revision of the objects that it serves, its clock against the database's, the certificate\n"
	  "that it shows. Below: nodes that give no sign, differences, and what to do about them.",
	  "  umbel node list\n  umbel node list --json", node_list },
	{ "node", "drain", "", 0, 0, drain_opts, "Take no new calls; those that go on run to their end",
	  "New calls and OPTIONS are answered 503 with Retry-After, so that peers turn to other nodes. The answer says what is left, and\n"
	  "whether the node is safe to stop: no call, nothing on its disk that the store lacks, no errand under way.",
	  "  umbel node drain\n  umbel node drain --within 10m --wait && systemctl restart umbeld", node_drain },
	{ "node", "resume", "", 0, 0, NULL, "Take new calls again after a drain", NULL, "  umbel node resume", node_resume },
	{ "node", "stop", "", 0, 0, NULL, "Stop the server as SIGTERM does",
	  "Calls may go on for some seconds, then they are hung up; what callers said is kept.", "  umbel node stop", node_stop },
	{ NULL },
};
