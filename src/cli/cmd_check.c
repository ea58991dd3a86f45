/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_check.c  umbel check, umbel apply, umbel completion. */
#include <errno.h>
#include "cli/cli_private.h"
#include "config/cfg.h"

enum { FILE_MAX = CFG_FILE_MAX_BYTES };

/* ---- check FILE: no server needed ---- */

static int print_errors(struct cli *c, const char *path, const struct cfg_errors *errors)
{
	if (c->json) {
		json_t *array = json_array();
		for (size_t i = 0; i < errors->n; i++) {
			const struct cfg_error *e = &errors->v[i];
			json_array_append_new(array, json_pack("{s:s, s:i, s:i, s:s, s:s, s:s}", "file", e->file, "line", (int)e->pos.line, "column",
			                                       (int)e->pos.column, "key", e->key, "what", e->what, "fix", e->fix));
		}
		json_t *o = json_pack("{s:s, s:b, s:o, s:I}", "file", path, "good", errors->n == 0, "errors", array, "more", (json_int_t)errors->more);
		cli_print_json(c, o);
		json_decref(o);
	} else {
		struct buf b;
		buf_init(&b, 1 << 20);
		if (cfg_errors_print(errors, &b) == 0 && b.n)
			fputs(buf_cstr(&b), c->err);
		buf_free(&b);
	}
	return errors->n ? CLI_NO : CLI_GOOD;
}

static int check_file(struct cli *c, const char *path)
{
	struct cfg_errors errors = { 0 };
	struct cfg *cfg = NULL;
	int err = cfg_load(&cfg, path, cli_opt(c, "objects") ? CFG_WANT_OBJECTS : CFG_WANT_NODE, &errors);
	int code = err == ENOMEM ? cli_error(c, CLI_NO, "no memory left") : print_errors(c, path, &errors);
	if (!err && !c->json)
		fprintf(c->out, "%s is good: %zu gateways, %zu mailboxes, %zu attendants.\n", path, cfg->n_gateways, cfg->n_mailboxes, cfg->n_attendants);
	if (cfg)
		cfg_unref(cfg);
	cfg_errors_free(&errors);
	return code;
}

/* ---- check --live GATEWAY ---- */

static const char *step_words(const json_t *step)
{
	static const char *const map[][2] = { { "options", "OPTIONS" }, { "lamp", "Lamp" }, { "transfer", "Transfer" }, { "calls-in", "Calls in" } };
	const char *name = cli_text(step, "step");
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(map[i][0], name) == 0)
			return map[i][1];
	return name;
}

static bool live_step(struct cli *c, const json_t *step, void *arg)
{
	(void)arg;
	if (c->json)
		return true;
	char mark[64];
	text_print(mark, sizeof mark, "%-9s %s: ", step_words(step), cli_text(step, "works"));
	cli_item(c->out, mark, cli_text(step, "words"));
	const json_t *v = json_object_get(step, "verdict");
	if (strcmp(cli_text(step, "works"), "refused") == 0 && *cli_text(v, "advice")) {
		fprintf(c->out, "  What to do:\n");
		cli_wrapped(c->out, cli_text(v, "advice"), "    ");
	}
	fflush(c->out);
	return true;
}

static int check_live(struct cli *c, const char *gateway)
{
	json_t *r = NULL;
	int code = cli_follow(c, "check.live", json_pack("{s:s}", "name", gateway), live_step, NULL, &r);
	if (code != CLI_GOOD)
		return code;
	bool good = cli_true(r, "good");
	if (c->json)
		cli_print_json(c, r);
	else
		fprintf(c->out, "%s: %s.\n", gateway, cli_text(r, "words"));
	json_decref(r);
	return good ? CLI_GOOD : CLI_NO;
}

static int check(struct cli *c)
{
	const char *live = cli_opt(c, "live");
	if (live)
		return check_live(c, live);
	return check_file(c, c->n_pos ? c->pos[0] : "/etc/umbel/umbel.yaml");
}

/* ---- apply ---- */

static int show_applied(struct cli *c, const json_t *r)
{
	fprintf(c->out, "%s is in use: %s gateways, %s mailboxes, %s attendants.\n", cli_text(r, "applied"), cli_text(r, "gateways"), cli_text(r, "mailboxes"),
	        cli_text(r, "attendants"));
	return CLI_GOOD;
}

static int apply(struct cli *c)
{
	struct buf b;
	int code = cli_read_file(c, c->pos[0], FILE_MAX, &b);
	if (code)
		return code;
	json_t *args = json_pack("{s:s, s:s, s:b}", "path", c->pos[0], "yaml", b.n ? buf_cstr(&b) : "", "whole", cli_opt(c, "whole") != NULL);
	buf_free(&b);
	if (!args)
		return cli_error(c, CLI_NO, "%s is not UTF-8 text", c->pos[0]);
	return cli_ask_show(c, "config.apply", args, show_applied);
}

static int completion(struct cli *c)
{
	if (strcmp(c->pos[0], "bash") != 0)
		return cli_error(c, CLI_USAGE, "there is completion for bash only");
	return cli_completion_bash(c->out);
}

static const struct cli_opt check_opts[] = {
	{ "live", "GATEWAY", "try a gateway for real: OPTIONS, lamp, a call with a transfer, and when calls came in last" },
	{ "objects", NULL, "FILE holds only the organisation's objects, as for umbel apply" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt apply_opts[] = {
	{ "whole", NULL, "FILE is a whole configuration with its node part, as umbeld reads it" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_check_cmds[] = {
	{ "check", NULL, "[FILE]", 0, 1, check_opts, "Check a configuration file, or try a gateway for real",
	  "Without --live no server is needed: everything that is wrong is printed as file:line:column: key: what: fix\n(default /etc/umbel/umbel.yaml).",
	  "  umbel check umbel.yaml\n  umbel check --live pool", check },
	{ "apply", NULL, "FILE", 1, 1, apply_opts, "Take objects (gateways, mailboxes, attendants ...) into use, for all nodes of the store",
	  "What is wrong in FILE is printed, and nothing changes then.", "  umbel apply objects.yaml", apply },
	{ NULL },
};

const struct cli_cmd cli_completion_cmds[] = {
	{ "completion", NULL, "SHELL", 1, 1, NULL, "Print the completion for a shell (bash)", NULL,
	  "  umbel completion bash > /usr/share/bash-completion/completions/umbel\n  source <(umbel completion bash)", completion },
	{ NULL },
};
