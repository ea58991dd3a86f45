/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cert.c  umbel cert ...: the certificates of this node. */
#include "base/mem.h"
#include "cert/order.h"
#include "cli/cli_private.h"

static void print_identity(struct cli *c, const json_t *id)
{
	size_t i;
	const json_t *s;
	fprintf(c->out, "%s: CN %s\n  names     ", cli_text(id, "name"), cli_text(id, "cn"));
	json_array_foreach(json_object_get(id, "sans"), i, s)
		fprintf(c->out, "%s%s", i ? ", " : "", json_string_value(s));
	fprintf(c->out, "\n  issuer    %s\n  good      %s to ", cli_text(id, "issuer"), cli_when_us(cli_int(id, "not_before_s") * 1000000));
	int64_t days = cli_int(id, "days_left");
	fprintf(c->out, "%s (%s%lld days %s)\n", cli_when_us(cli_int(id, "not_after_s") * 1000000), days < 0 ? "expired " : "",
	        (long long)(days < 0 ? -days : days), days < 0 ? "ago" : "left");
	fprintf(c->out, "  key       %s\n  SHA-256   %s\n  files     %s, %s\n", cli_text(id, "key"), cli_text(id, "sha256"),
	        *cli_text(id, "cert_file") ? cli_text(id, "cert_file") : "(in memory)", *cli_text(id, "key_file") ? cli_text(id, "key_file") : "(in memory)");
}

/* Which certificate is shown on which connections; an old one lives on where a connection does. */
static void print_in_use(struct cli *c, const json_t *in_use)
{
	size_t i, k;
	const json_t *o, *conn;
	json_array_foreach(in_use, i, o) {
		fprintf(c->out, "%.16s (%s%s): connections %lld opened by peers, %lld by us\n", cli_text(o, "sha256"), cli_text(o, "identity"),
		        cli_true(o, "current") ? "" : ", an earlier certificate", (long long)cli_int(o, "accepted"), (long long)cli_int(o, "dialled"));
		json_array_foreach(json_object_get(o, "connections"), k, conn)
			fprintf(c->out, "  %s %s%s%s, for %s\n", strcmp(cli_text(conn, "opened_by"), "us") == 0 ? "to" : "from", cli_text(conn, "peer"),
			        *cli_text(conn, "gateway") ? ", gateway " : "", cli_text(conn, "gateway"), cli_duration_ms(cli_int(conn, "age_ms")));
	}
}

static int show_list(struct cli *c, const json_t *r)
{
	size_t i;
	const json_t *id;
	json_array_foreach(json_object_get(r, "identities"), i, id)
		print_identity(c, id);
	print_in_use(c, json_object_get(r, "in_use"));
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
		cli_item(c->out, "  ! ", cli_text(w, "text"));
		if (*cli_text(w, "cause"))
			cli_wrapped(c->out, cli_text(w, "cause"), "    ");
		if (*cli_text(w, "advice"))
			cli_wrapped(c->out, cli_text(w, "advice"), "      ");
	}
	if (!json_array_size(json_object_get(id, "warnings")))
		fprintf(c->out, "  nothing is questionable in it\n");
}

static int check(struct cli *c)
{
	json_t *r = NULL;
	size_t i;
	const json_t *id;
	if (cli_cert_names_files(c))
		return cli_cert_check_files(c);
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

/* ---- request ---- */

static void print_todo(struct cli *c, FILE *out, const json_t *list)
{
	size_t i;
	const json_t *t;
	(void)c;
	json_array_foreach(list, i, t) {
		char mark[16];
		text_print(mark, sizeof mark, "%zu. ", i + 1);
		cli_item(out, mark, cli_text(t, "text"));
		if (*cli_text(t, "cause"))
			cli_wrapped(out, cli_text(t, "cause"), "   ");
		if (*cli_text(t, "advice"))
			cli_wrapped(out, cli_text(t, "advice"), "   ");
	}
}

static int show_request(struct cli *c, const json_t *r)
{
	size_t i;
	const json_t *w;
	const char *out = cli_opt(c, "out"), *pem = cli_text(r, "csr");
	int code = out ? cli_write_file(c, out, pem, strlen(pem), 0644) : CLI_GOOD;
	if (!out)
		fputs(pem, c->out);
	if (code)
		return code;
	FILE *words = out ? c->out : c->err; /* the request alone goes to a pipe */
	json_array_foreach(json_object_get(r, "warnings"), i, w)
		cli_item(words, "! ", cli_text(w, "text"));
	if (out)
		fprintf(words, "The request for CN %s is in %s; its key stays in the server. What is to be done now:\n", cli_text(r, "cn"), out);
	else
		fprintf(words, "The key stays in the server. What is to be done now:\n");
	print_todo(c, words, json_object_get(r, "todo"));
	fprintf(words, "Then: umbel cert install FILE%s%s\n", cli_opt(c, "identity") ? " --identity " : "", cli_opt(c, "identity") ? cli_opt(c, "identity") : "");
	return CLI_GOOD;
}

static int request(struct cli *c)
{
	json_t *args = json_object();
	cli_arg_opt(c, args, "identity", "name");
	cli_arg_opt(c, args, "gateway", "gateway");
	cli_arg_opt(c, args, "kind", "kind");
	cli_arg_opt(c, args, "usage", "usage");
	return cli_ask_show(c, "cert.request", args, show_request);
}

/* ---- install, cure: told step by step ---- */

static int add_file(struct cli *c, json_t *args, const char *key, const char *path)
{
	struct buf b;
	int code = cli_read_file(c, path, 1 << 20, &b);
	if (code)
		return code;
	if (strcmp(key, "chain") == 0 && cert_answer_to_pem(&b) != 0)
		code = cli_no_certificate(c, path, &b);
	else
		json_object_set_new(args, key, json_string(b.n ? buf_cstr(&b) : ""));
	if (b.p)
		mem_wipe(b.p, b.room); /* it may be a key */
	buf_free(&b);
	return code;
}

static bool told_step(struct cli *c, const json_t *step, void *arg)
{
	unsigned *n = arg;
	if (c->json) {
		json_dumpf(step, c->out, JSON_COMPACT);
		fputc('\n', c->out);
	} else {
		char mark[96];
		bool doubt = strcmp(cli_text(step, "severity"), "warning") == 0 || strcmp(cli_text(step, "severity"), "error") == 0;
		text_print(mark, sizeof mark, "%u.%s ", ++*n, doubt ? " !" : "");
		if (*cli_text(step, "node"))
			text_print(mark + strlen(mark), sizeof mark - strlen(mark), "%s: ", cli_text(step, "node"));
		cli_item(c->out, mark, cli_text(step, "text"));
		cli_wrapped(c->out, cli_text(step, "advice"), "   ");
	}
	return fflush(c->out) == 0;
}

/* "60", "60s", "2m": seconds. */
static int add_watch(struct cli *c, json_t *args)
{
	const char *given = cli_opt(c, "watch");
	uint64_t n;
	if (!given)
		return CLI_GOOD;
	struct text t = text_of(given);
	uint64_t unit = text_ends_nocase(t, "m") ? 60 : 1;
	if (text_ends_nocase(t, "m") || text_ends_nocase(t, "s"))
		t = text_head(t, t.n - 1);
	if (text_u64(t, 3600, &n) != 0 || n * unit > 3600)
		return cli_error(c, CLI_USAGE, "--watch is a time up to an hour, 60s or 2m, not \"%s\"", given);
	json_object_set_new(args, "watch_ms", json_integer((json_int_t)(n * unit * 1000)));
	return CLI_GOOD;
}

static int install(struct cli *c)
{
	json_t *r = NULL, *args = json_pack("{s:b}", "force", cli_opt(c, "force") != NULL);
	unsigned steps = 0;
	cli_arg_opt(c, args, "identity", "name");
	int code = add_watch(c, args);
	if (!code)
		code = add_file(c, args, "chain", c->pos[0]);
	if (!code && cli_opt(c, "key"))
		code = add_file(c, args, "key", cli_opt(c, "key"));
	else if (!code && strstr(cli_text(args, "chain"), "PRIVATE KEY-----")) /* both in one file */
		json_object_set(args, "key", json_object_get(args, "chain"));
	if (code) {
		json_decref(args);
		return code;
	}
	code = cli_follow(c, "cert.install", args, told_step, &steps, &r);
	if (code == CLI_GOOD && c->json)
		cli_print_json(c, r);
	else if (code == CLI_GOOD)
		fprintf(c->out, "Identity %s is CN %s now, until %s; new connections show it, those that stand keep theirs.\n", cli_text(r, "identity"),
		        cli_text(r, "cn"), cli_when_us(cli_int(r, "not_after_s") * 1000000));
	json_decref(r);
	return code;
}

static int cure(struct cli *c)
{
	json_t *r = NULL, *args = json_pack("{s:s, s:b}", "gateway", c->pos[0], "force", cli_opt(c, "force") != NULL);
	uint64_t days, wait;
	unsigned steps = 0;
	if (cli_opt_number(c, "days", 36500, 0, &days) || cli_opt_number(c, "wait", 86400, 0, &wait) || add_watch(c, args)) {
		json_decref(args);
		return CLI_USAGE;
	}
	if (cli_opt(c, "ca-key") && !cli_opt(c, "ca")) {
		json_decref(args);
		return cli_error(c, CLI_USAGE, "--ca-key is the key of --ca, which is missing");
	}
	if (cli_opt(c, "all"))
		json_object_set_new(args, "all", json_true());
	cli_arg_path(c, args, "ca", "ca");
	cli_arg_path(c, args, "ca-key", "ca_key");
	cli_arg_opt(c, args, "kind", "kind");
	cli_arg_path(c, args, "signed", "signed");
	json_object_set_new(args, "days", json_integer((json_int_t)days));
	json_object_set_new(args, "wait_ms", json_integer((json_int_t)wait * 1000));
	int code = cli_follow(c, "cert.cure", args, told_step, &steps, &r);
	if (code == CLI_GOOD && c->json)
		cli_print_json(c, r);
	else if (code == CLI_GOOD && json_is_array(json_object_get(r, "nodes")))
		fprintf(c->out, "Gateway %s: all %zu nodes show it new certificates now. No call was dropped.\n", cli_text(r, "gateway"),
		        json_array_size(json_object_get(r, "nodes")));
	else if (code == CLI_GOOD)
		fprintf(c->out, "Gateway %s is cured: identity %s is CN %s now, until %s. No call was dropped.\n", cli_text(r, "gateway"), cli_text(r, "identity"),
		        cli_text(r, "cn"), cli_when_us(cli_int(r, "not_after_s") * 1000000));
	json_decref(r);
	return code;
}

static const struct cli_opt request_opts[] = {
	{ "identity", "NAME", "for which identity of the node (default: the default one)" },
	{ "gateway", "NAME", "ask for the names that this gateway knows us by" },
	{ "kind", "KIND", "of key: rsa-2048 (default) or ec-p256" },
	{ "usage", "USAGE", "both (default), server or client: where a CA grants only one, use an identity a role" },
	{ "out", "FILE", "write the request there (default: standard output)" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt install_opts[] = {
	{ "identity", "NAME", "as which identity of the node (default: the default one)" },
	{ "key", "FILE", "its key (default: the one in FILE, or that of the last request, which is in the server)" },
	{ "watch", "TIME", "how long the gateways are watched afterwards (default 30s; 0: proven once)" },
	{ "force", NULL, "install although a gateway would be lost" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt cure_opts[] = {
	{ "ca", "FILE", "authority that signs (default: one of trust.ca whose key lies beside it)" },
	{ "ca-key", "FILE", "its key (default: beside it, with the ending .key)" },
	{ "signed", "FILE", "where the certificate will appear when somebody else signs" },
	{ "wait", "SECONDS", "how long to wait for it then (default 3600)" },
	{ "kind", "KIND", "of key: rsa-2048 (default) or ec-p256" },
	{ "days", "N", "how long the certificate holds (default 397)" },
	{ "watch", "TIME", "how long the gateways are watched afterwards (default 3s; 0: proven once)" },
	{ "all", NULL, "this node first, then all other nodes (of nodes[], or of the common store), one after the other; keys stay where they are" },
	{ "force", NULL, "install although the rehearsal was not answered, or another gateway would be lost" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_cert_cmds[] = {
	{ "cert", "list", "", 0, 0, NULL, "List the certificates of this node, and the connections on which each is shown", NULL, "  umbel cert list", list },
	{ "cert", "check", "[NAME | FILE...]", 0, CLI_POS, cli_cert_check_opts, "Say what is questionable in certificates, what it leads to, and who would accept them",
	  "Without a file: the certificates of this node, or its identity NAME; exit code 1 when something is questionable.\n"
	  "With files (chain, leaf first; no server is needed): what is questionable, and whether each known product would accept\n"
	  "it, in both directions; exit code 1 when something grave is found.",
	  "  umbel cert check\n  umbel cert check default\n  umbel cert check node01.pem --name um.domain.local --known node01.domain.local\n"
	  "  umbel cert check node01.pem --profile lync --known node01.domain.local --ca root.pem --json", check },
	{ "cert", "cure", "GATEWAY", 1, 1, cure_opts, "Give this node the certificate that a gateway wants, and prove that it works",
	  "Makes the key in the server, requests, has it signed (or writes the request and waits for the file), rehearses\n"
	  "against the gateway, installs live for new connections, and proves it; or puts everything back.",
	  "  umbel cert cure pool\n  umbel cert cure pool --ca /etc/umbel/ca/ca.pem --ca-key /etc/umbel/ca/ca.key", cure },
	{ "cert", "request", "", 0, 0, request_opts, "Make a key in the server and print a certificate request for it",
	  "Names, kind of key and usages are computed from how the gateways judge this node; where no single certificate can serve\n"
	  "all of them it says so, with the identities to use instead and the lines of the configuration.",
	  "  umbel cert request --out node01.csr\n  umbel cert request --gateway pool\n  umbel cert request --identity dialling --usage client --out dialling.csr", request },
	{ "cert", "install", "FILE", 1, 1, install_opts, "Take a certificate (chain, leaf first) into use, without a restart",
	  "It is examined first (key, chain, order, names, usages, the rule of each gateway), rehearsed by fresh connections to the gateways,\n"
	  "put into use for both roles at once, and watched: if a gateway that worked stops working, the one before is put back.",
	  "  umbel cert install node01.pem\n  umbel cert install node01.pem --key node01.key --watch 2m", install },
	{ NULL },
};
