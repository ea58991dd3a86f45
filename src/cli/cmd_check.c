/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_check.c  umbel check, umbel apply, umbel reload, umbel completion. */
#include <dirent.h>
#include <errno.h>
#include "admin/wire.h"
#include "cli/alike.h"
#include "config/cfg.h"
#include "dialogue/check.h"
#include "dialogue/review.h"
#include "directory/calendar_fetch.h"
#include "voice/prompt.h"
#include "voice/speaker.h"

enum { FILE_MAX = CFG_FILE_MAX_BYTES, CALENDAR_TRY_MS = 15000, WITHIN_MAX_MS = 60000 };

/* ---- check FILE: no server needed ---- */

static int print_errors(struct cli *c, const char *path, const struct cfg_errors *errors, const struct cli_alike *alike)
{
	if (c->json) {
		json_t *o = json_pack("{s:s, s:b, s:o, s:I}", "file", path, "good", errors->n == 0, "errors", admin_errors_json(errors), "more",
		                      (json_int_t)errors->more);
		if (alike) {
			json_object_set(o, "alike", alike->pairs);
			json_object_set_new(o, "alike_checked", json_boolean(alike->checked));
		}
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

int cli_load_cfg(struct cli *c, const char *path, struct cfg **cfg)
{
	struct cfg_errors errors = { 0 };
	int err = cfg_load(cfg, path, CFG_WANT_OBJECTS, &errors);
	for (size_t i = 0; i < errors.n; i++)
		if (err == EINVAL && strcmp(errors.v[i].key, "node") == 0) { /* a node's own file */
			cfg_errors_free(&errors);
			err = cfg_load(cfg, path, CFG_WANT_NODE, &errors);
			break;
		}
	int code = !err ? CLI_GOOD : err == ENOMEM ? cli_error(c, CLI_NO, "no memory left") : print_errors(c, path, &errors, NULL);
	cfg_errors_free(&errors);
	return code;
}

static bool has_prompt(const char *name, void *set)
{
	return prompt_clip(set, name) != NULL;
}

struct spoken {
	char tag[32][32];
	char all[400];
	unsigned n;
};

static bool speaks(const char *language, void *arg)
{
	const struct spoken *s = arg;
	for (unsigned i = 0; i < s->n; i++)
		if (speaker_same_language(text_of(language), text_of(s->tag[i])))
			return true;
	return false;
}

/* The languages of the packs where the node would look for them; their files' names tell. */
static void find_languages(struct spoken *s, const char *configured)
{
	for (unsigned f = 0; f < PROMPT_FOLDERS; f++) {
		const char *path = prompt_folder(f, configured);
		DIR *dir = path ? opendir(path) : NULL;
		const struct dirent *e;
		while (dir && (e = readdir(dir)) != NULL) {
			struct text name = text_of(e->d_name);
			if (!text_ends_nocase(name, ".pack") || name.p[0] == '.' || s->n == sizeof s->tag / sizeof s->tag[0] ||
			    text_copy(text_head(name, name.n - 5), s->tag[s->n], sizeof s->tag[0]) || speaks(s->tag[s->n], s))
				continue;
			size_t at = strlen(s->all);
			text_print(s->all + at, sizeof s->all - at, "%s%s", at ? ", " : "", s->tag[s->n++]);
		}
		if (dir)
			closedir(dir);
	}
}

/* Names, numbers and settings were good one by one; what they make together is looked at here. */
static void review(const struct cfg *cfg, struct cfg_errors *errors)
{
	struct prompt_set *set = NULL;
	struct ev_report why = { 0 };
	struct prompt_set_prm prm = { .dir = cfg->has_node ? cfg->node.voice : "", .set = cfg->has_node ? cfg->node.voice_set : "" };
	int err = prompt_set_open(&set, &prm, &why);
	dlg_review(cfg, err ? NULL : has_prompt, set, errors); /* without a set nothing can be said of prompts */
	struct spoken spoken = { .n = 0 };
	find_languages(&spoken, prm.dir);
	if (set && spoken.n < sizeof spoken.tag / sizeof spoken.tag[0] && !speaks(prompt_set_language(set), &spoken))
		text_fill(spoken.tag[spoken.n++], sizeof spoken.tag[0], prompt_set_language(set));
	if (spoken.n && !err)
		dlg_review_languages(cfg, speaks, spoken.all, &spoken, errors);
	prompt_set_close(set);
}

/* The node will ask these servers; whether they answer this machine is known now. */
static int ask_calendars(const struct cfg *cfg, struct cfg_errors *errors)
{
	int err = 0;
	calendar_library(true);
	for (size_t i = 0; !err && i < cfg->n_schedules; i++) {
		const struct cfg_schedule *s = &cfg->schedules[i];
		struct calendar_ask ask = { .url = s->calendar, .ca_file = s->calendar_ca, .time_zone = s->time_zone, .plain_http = s->calendar_plain_http,
			                    .etag = "", .last_modified = "", .timeout_ms = CALENDAR_TRY_MS };
		struct calendar_answer a = { 0 };
		struct ev_report why = { 0 };
		char key[64], advice[600];
		if (!cfg_calendar_is_address(s->calendar))
			continue;
		err = calendar_fetch(&ask, &a);
		if (!err && a.cause) {
			struct cfg_pos pos = cfg_pos_of(cfg, &s->calendar);
			calendar_words(&ask, &a, &why);
			text_print(key, sizeof key, "schedules[%zu].calendar", i);
			text_print(advice, sizeof advice, "%.*s", TEXT_FMT(ev_field_text(&why, "advice")));
			cfg_fail(errors, cfg->path, pos.line ? pos : s->pos, key, advice, "cannot be fetched now: %.*s", TEXT_FMT(ev_field_text(&why, "why")));
		}
		buf_free(&a.body);
	}
	calendar_library(false);
	return err;
}

static int check_file(struct cli *c, const char *path)
{
	struct cfg_errors errors = { 0 };
	struct cfg *cfg = NULL;
	int err = cfg_load(&cfg, path, cli_opt(c, "objects") ? CFG_WANT_OBJECTS : CFG_WANT_NODE, &errors);
	if (!err)
		err = dlg_rules_check(cfg, &errors);
	if (!err)
		review(cfg, &errors);
	if (!err && !cli_opt(c, "offline"))
		err = ask_calendars(cfg, &errors);
	struct cli_alike alike = { 0 };
	if (!err)
		cli_alike_find(&alike, cfg, NULL);
	int code = err == ENOMEM ? cli_error(c, CLI_NO, "no memory left") : print_errors(c, path, &errors, err ? NULL : &alike);
	if (!err && !c->json)
		cli_alike_print(&alike, c->out);
	cli_alike_free(&alike);
	if (!err && !errors.n && !c->json)
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

static void print_changes(struct cli *c, const json_t *changes, bool restart, const char *head);

/* One line each; the answer is "no" where some do not serve it. */
static int show_nodes(struct cli *c, const json_t *r)
{
	static const char *const words[][2] = {
		{ "serves", "serves it" }, { "lags", "does not serve it yet, but revision" }, { "left-behind", "was left behind; it serves revision" },
		{ "silent", "gives no sign; it takes it when it is back" },
	};
	size_t i;
	const json_t *n;
	if (!json_object_get(r, "nodes"))
		return CLI_GOOD;
	fprintf(c->out, "Revision %s:\n", cli_text(r, "revision"));
	json_array_foreach(json_object_get(r, "nodes"), i, n) {
		const char *state = cli_text(n, "state"), *say = state;
		for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
			if (strcmp(state, words[k][0]) == 0)
				say = words[k][1];
		bool other = strcmp(state, "lags") == 0 || strcmp(state, "left-behind") == 0;
		fprintf(c->out, "  %-12s %s%s%s%s%s\n", cli_text(n, "node"), say, other ? " " : "", other ? cli_text(n, "revision") : "",
		        *cli_text(n, "finding") ? ": " : "", cli_text(n, "finding"));
	}
	return cli_true(r, "everywhere") ? CLI_GOOD : CLI_NO;
}

static int show_applied(struct cli *c, const json_t *r)
{
	const json_t *changes = json_object_get(r, "changes");
	fprintf(c->out, "%s %s: %s gateways, %s mailboxes, %s attendants.\n", cli_text(r, "applied"), cli_true(r, "dry_run") ? "would be taken" : "is in use",
	        cli_text(r, "gateways"), cli_text(r, "mailboxes"), cli_text(r, "attendants"));
	print_changes(c, changes, false, cli_true(r, "dry_run") ? "It would change:" : "Changed:");
	print_changes(c, changes, true, "In use only after a restart (umbel node drain, then restart the service):");
	if (!json_array_size(changes))
		fprintf(c->out, "It says what is in use already.\n");
	return show_nodes(c, r);
}

/* What the server is asked: the file, or as it was before. */
static int apply_args(struct cli *c, json_t **args)
{
	bool back = cli_opt(c, "undo") != NULL, dry = cli_opt(c, "dry-run") != NULL;
	struct buf b;
	int64_t ms = 0;
	if (back == (c->n_pos == 1))
		return cli_error(c, CLI_USAGE, "give a file, or --undo");
	if (cli_opt(c, "within") && cli_time_ms(c, "within", cli_opt(c, "within"), &ms) != CLI_GOOD)
		return CLI_USAGE;
	if (ms > WITHIN_MAX_MS)
		return cli_error(c, CLI_USAGE, "--within: at most 60s, as all other changes wait meanwhile");
	json_t *how = json_pack("{s:b, s:I}", "leave_behind", cli_opt(c, "leave-behind") != NULL, "within_ms", (json_int_t)ms);
	if (back) {
		*args = json_pack("{s:b, s:b}", "undo", true, "dry_run", dry);
		json_object_update(*args, how);
		json_decref(how);
		return CLI_GOOD;
	}
	int code = cli_read_file(c, c->pos[0], FILE_MAX, &b);
	if (code) {
		json_decref(how);
		return code;
	}
	*args = json_pack("{s:s, s:s, s:b, s:b}", "path", c->pos[0], "yaml", b.n ? buf_cstr(&b) : "", "whole", cli_opt(c, "whole") != NULL, "dry_run", dry);
	buf_free(&b);
	json_object_update(*args, how);
	json_decref(how);
	return *args ? CLI_GOOD : cli_error(c, CLI_NO, "%s is not UTF-8 text", c->pos[0]);
}

static int apply(struct cli *c)
{
	json_t *args = NULL;
	int code = apply_args(c, &args);
	if (code)
		return code;
	json_t *r = NULL;
	code = cli_ask(c, "config.apply", args, &r);
	if (code != CLI_GOOD)
		return code;
	if (c->json)
		code = cli_print_json(c, r);
	else
		code = show_applied(c, r);
	if (c->json && json_object_get(r, "everywhere") && !cli_true(r, "everywhere"))
		code = CLI_NO;
	json_decref(r);
	if (code == CLI_GOOD)
		cli_alike_after(c, NULL);
	return code;
}

/* ---- reload ---- */

static void print_refused(struct cli *c, const json_t *r)
{
	size_t i;
	const json_t *e;
	fprintf(c->err, "umbel: %s was not taken into use; the node goes on with the last good configuration:\n", cli_text(r, "path"));
	json_array_foreach(json_object_get(r, "errors"), i, e)
		fprintf(c->err, "%s:%s:%s: %s: %s: %s\n", cli_text(e, "file"), cli_text(e, "line"), cli_text(e, "column"), cli_text(e, "key"), cli_text(e, "what"),
		        cli_text(e, "fix"));
	if (cli_int(r, "more"))
		fprintf(c->err, "and %s more\n", cli_text(r, "more"));
}

static void print_changes(struct cli *c, const json_t *changes, bool restart, const char *head)
{
	size_t i, n = 0;
	const json_t *o;
	json_array_foreach(changes, i, o) {
		if (cli_true(o, "restart") != restart)
			continue;
		if (!n++)
			fprintf(c->out, "%s\n", head);
		fprintf(c->out, "  %s, %s\n", cli_text(o, "key"), cli_text(o, "kind"));
	}
}

static void print_reloaded(struct cli *c, const json_t *r)
{
	size_t i;
	const json_t *id, *changes = json_object_get(r, "changes"), *shown = json_object_get(r, "identities");
	int64_t more = cli_int(r, "authorities_added"), fewer = cli_int(r, "authorities_removed");
	fprintf(c->out, "%s is in use.\n", cli_text(r, "path"));
	print_changes(c, changes, false, "Changed:");
	json_array_foreach(shown, i, id)
		fprintf(c->out, "Identity %s shows another certificate to new connections: CN %s, SHA-256 %.16s...\n", cli_text(id, "identity"), cli_text(id, "cn"),
		        cli_text(id, "sha256"));
	if (more || fewer)
		fprintf(c->out, "Trusted authorities: %lld added, %lld taken out.\n", (long long)more, (long long)fewer);
	print_changes(c, changes, true, "Changed in the file, but in use only after a restart (umbel node drain, then restart the service):");
	if (!json_array_size(changes) && !json_array_size(shown) && !more && !fewer)
		fprintf(c->out, "No setting and no certificate of this node was changed.\n");
}

static int reload(struct cli *c)
{
	json_t *r = NULL;
	int code = cli_ask(c, "config.reload", NULL, &r);
	if (code != CLI_GOOD)
		return code;
	bool good = cli_true(r, "good");
	if (c->json)
		cli_print_json(c, r);
	else if (good)
		print_reloaded(c, r);
	else
		print_refused(c, r);
	json_decref(r);
	return good ? CLI_GOOD : CLI_NO;
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
	{ "offline", NULL, "do not try whether the calendars of schedules can be fetched from their addresses" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt apply_opts[] = {
	{ "whole", NULL, "FILE is a whole configuration with its node part, as umbeld reads it" },
	{ "dry-run", NULL, "tell what would change, and change nothing" },
	{ "undo", NULL, "instead of a file: the objects as they were before the last change; twice, and it is undone itself" },
	{ "leave-behind", NULL, "take it into use although a node refuses it, or does not answer: that node keeps what it serves" },
	{ "within", "TIME", "how long the other nodes have for their answer, and then to serve it (default 10s, at most 60s)" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_check_cmds[] = {
	{ "check", NULL, "[FILE]", 0, 1, check_opts, "Check a configuration file, or try a gateway for real",
	  "Without --live no server is needed: everything that is wrong is printed as file:line:column: key: what: fix\n(default /etc/umbel/umbel.yaml). Calendars that schedules name by address are fetched for a try, from this machine.",
	  "  umbel check umbel.yaml\n  umbel check --live pool", check },
	{ "apply", NULL, "[FILE]", 0, 1, apply_opts, "Take objects (gateways, mailboxes, attendants ...) into use, for all nodes of the store",
	  "What is wrong in FILE is printed, and nothing changes then; else each setting that changed. Where nodes share a store, each that gives\n"
	  "signs of life tries the objects first: all take them, or none does, and which one refused is told, and why. The command comes back when\n"
	  "all serve them (a line a node), with exit code 1 if some do not. What is told as a change is against the newest revision of the store.",
	  "  umbel apply --dry-run objects.yaml\n  umbel apply objects.yaml\n  umbel apply --leave-behind objects.yaml\n  umbel apply --undo", apply },
	{ "reload", NULL, "", 0, 0, NULL, "Read the node's own configuration again, with its certificates, CAs and revocation lists",
	  "As SIGHUP does, but the answer comes when it is done: what changed, what needs a restart, which identities show another certificate;\n"
	  "or exit code 1 and all errors as file:line:column: key: what: fix, and nothing was changed.",
	  "  umbel reload\n  umbel reload --json", reload },
	{ NULL },
};

const struct cli_cmd cli_completion_cmds[] = {
	{ "completion", NULL, "SHELL", 1, 1, NULL, "Print the completion for a shell (bash)", NULL,
	  "  umbel completion bash > /usr/share/bash-completion/completions/umbel\n  source <(umbel completion bash)", completion },
	{ NULL },
};
