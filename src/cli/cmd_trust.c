/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_trust.c  umbel trust ...: whom this node believes. */
#include "base/clock.h"
#include "cli/cli_private.h"

static int show_list(struct cli *c, const json_t *r)
{
	json_t *anchors = json_deep_copy(json_object_get(r, "anchors"));
	size_t i;
	json_t *a;
	json_array_foreach(anchors, i, a) {
		char print[20];
		text_fill(print, sizeof print, cli_text(a, "sha256"));
		json_object_set_new(a, "print", json_string(print));
		json_object_set_new(a, "until", json_string(cli_when_us(cli_int(a, "not_after_s") * 1000000)));
	}
	if (json_array_size(anchors))
		cli_table(c, anchors, "print:FINGERPRINT until:GOOD-UNTIL subject:AUTHORITY");
	else
		fprintf(c->out, "No authority is trusted: no peer can prove who it is. umbel trust add FILE adds one.\n");
	json_decref(anchors);
	return CLI_GOOD;
}

static int list(struct cli *c)
{
	return cli_ask_show(c, "trust.list", NULL, show_list);
}

static int show_added(struct cli *c, const json_t *r)
{
	size_t i;
	const json_t *a;
	fprintf(c->out, "Trusted from now on, on this node, which keeps it in its data folder:\n");
	json_array_foreach(json_object_get(r, "certificates"), i, a) {
		bool over = cli_int(a, "not_after_s") < clock_real_s(clock_system());
		fprintf(c->out, "  %s, good until %s\n", cli_text(a, "subject"), cli_when_us(cli_int(a, "not_after_s") * 1000000));
		if (!cli_true(a, "is_ca"))
			cli_item(c->out, "  ! ", "It is no authority: this certificate alone is believed, as it stands, and nothing that its key signs.");
		if (over)
			cli_item(c->out, "  ! ", "It has ended; nothing that it signed is believed.");
	}
	return CLI_GOOD;
}

static int add(struct cli *c)
{
	struct buf b;
	int code = cli_read_certs(c, c->pos[0], &b);
	if (code)
		return code;
	json_t *args = json_pack("{s:s}", "pem", buf_cstr(&b));
	buf_free(&b);
	return cli_ask_show(c, "trust.add", args, show_added);
}

static int show_removed(struct cli *c, const json_t *r)
{
	fprintf(c->out, "%s is not trusted any more. Connections that stand are not cut.\n", cli_text(r, "removed"));
	return CLI_GOOD;
}

static int remove_one(struct cli *c)
{
	return cli_ask_show(c, "trust.remove", json_pack("{s:s}", "sha256", c->pos[0]), show_removed);
}

const struct cli_cmd cli_trust_cmds[] = {
	{ "trust", "list", "", 0, 0, NULL, "List the authorities that are believed", NULL, "  umbel trust list", list },
	{ "trust", "add", "FILE", 1, 1, NULL, "Believe the certificates of a file (PEM, DER, PKCS#7) from now on", "This node keeps them over restarts; every node is told for itself.", "  umbel trust add root.pem", add },
	{ "trust", "remove", "FINGERPRINT", 1, 1, NULL, "Believe an authority no more", "The first 8 or more characters of its fingerprint. Those that the configuration names in trust.ca are taken out there.", "  umbel trust remove 3F2A91C07B", remove_one },
	{ NULL },
};
