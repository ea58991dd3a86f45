/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cert.c  umbel cert ...: the certificates of this node. */
#include "cli/cli_private.h"

static void print_identity(struct cli *c, const json_t *id)
{
	size_t i;
	const json_t *s;
	fprintf(c->out, "%s: CN %s\n  names     ", cli_text(id, "name"), cli_text(id, "cn"));
	json_array_foreach(json_object_get(id, "sans"), i, s)
		fprintf(c->out, "%s%s", i ? ", " : "", json_string_value(s));
	fprintf(c->out, "\n  issuer    %s\n  good      %s to ", cli_text(id, "issuer"), cli_when_us(cli_int(id, "not_before_s") * 1000000));
	fprintf(c->out, "%s (%s days left)\n", cli_when_us(cli_int(id, "not_after_s") * 1000000), cli_text(id, "days_left"));
	fprintf(c->out, "  key       %s\n  SHA-256   %s\n  files     %s, %s\n", cli_text(id, "key"), cli_text(id, "sha256"),
	        *cli_text(id, "cert_file") ? cli_text(id, "cert_file") : "(in memory)", *cli_text(id, "key_file") ? cli_text(id, "key_file") : "(in memory)");
}

static int show_list(struct cli *c, const json_t *r)
{
	size_t i;
	const json_t *id;
	json_array_foreach(json_object_get(r, "identities"), i, id)
		print_identity(c, id);
	if (!json_array_size(json_object_get(r, "identities")))
		fprintf(c->out, "This node has no certificate: it cannot speak TLS.\n");
	return CLI_GOOD;
}

static int list(struct cli *c)
{
	return cli_ask_show(c, "cert.list", NULL, show_list);
}

static void print_warnings(struct cli *c, const json_t *id)
{
	size_t i;
	const json_t *w;
	json_array_foreach(json_object_get(id, "warnings"), i, w) {
		fprintf(c->out, "  ! %s\n", cli_text(w, "text"));
		if (*cli_text(w, "cause"))
			cli_wrapped(c->out, cli_text(w, "cause"), "    ");
		if (*cli_text(w, "advice"))
			cli_wrapped(c->out, cli_text(w, "advice"), "    -> ");
	}
	if (!json_array_size(json_object_get(id, "warnings")))
		fprintf(c->out, "  nothing is questionable in it\n");
}

static int check(struct cli *c)
{
	json_t *r = NULL;
	size_t i;
	const json_t *id;
	int code = cli_ask(c, "cert.check", c->n_pos ? json_pack("{s:s}", "name", c->pos[0]) : NULL, &r);
	if (code != CLI_GOOD)
		return code;
	if (c->json)
		cli_print_json(c, r);
	else
		json_array_foreach(json_object_get(r, "identities"), i, id) {
			print_identity(c, id);
			print_warnings(c, id);
		}
	code = cli_true(r, "good") ? CLI_GOOD : CLI_NO;
	json_decref(r);
	return code;
}

const struct cli_cmd cli_cert_cmds[] = {
	{ "cert", "list", "", 0, 0, NULL, "List the certificates of this node", NULL, "  umbel cert list", list },
	{ "cert", "check", "[NAME]", 0, 1, NULL, "Say what is questionable in the certificates of this node, and what it leads to",
	  "Exit code 1 when something is.", "  umbel cert check\n  umbel cert check default", check },
	{ NULL },
};

const struct cli_cmd cli_ca_cmds[] = { { NULL } };
