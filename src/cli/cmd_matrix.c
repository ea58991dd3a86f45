/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_matrix.c  umbel cert matrix: who will accept whose certificate. The server is asked, or configuration files are; the table is made from the
 * same JSON in either case.                                                                                              */
#include <errno.h>
#include <unistd.h>
#include "base/clock.h"
#include "cert/matrix.h"
#include "cert/matrix_dns.h"
#include "cert/matrix_json.h"
#include "cert/matrix_pool.h"
#include "cli/cli_private.h"
#include "cli/look.h"
#include "config/cfg.h"

enum { WIDTH = 100, FLOW_WIDTH = 52, CELL_LEAST = 12, NAMED_MAX = 8 };

/* ---- what is asked ---- */

static int add_pem(struct cli *c, json_t *o, const char *path)
{
	struct buf certs;
	int code = cli_read_certs(c, path, &certs);
	if (code)
		return code;
	json_object_set_new(o, "pem", json_string(buf_cstr(&certs)));
	buf_free(&certs);
	return CLI_GOOD;
}

static int add_questions(struct cli *c, json_t *args)
{
	json_t *array = json_array();
	const char *q;
	json_object_set_new(args, "what_if", array);
	for (unsigned i = 0; (q = cli_opt_nth(c, "what-if", i)) != NULL; i++) {
		if (!matrix_is_question(q))
			return cli_error(c, CLI_USAGE, "--what-if is cert=FILE, cert=NODE:FILE, node-down=NODE, fqdn=NAME or known=[GATEWAY:]NAME,..., not \"%s\"", q);
		json_t *o = json_pack("{s:s}", "question", q);
		json_array_append_new(array, o);
		int code = o && matrix_question_file(q) ? add_pem(c, o, matrix_question_file(q)) : CLI_GOOD;
		if (code)
			return code;
	}
	return CLI_GOOD;
}

static int add_peers(struct cli *c, json_t *args)
{
	json_t *array = json_array();
	const char *p;
	json_object_set_new(args, "peer_certs", array);
	for (unsigned i = 0; (p = cli_opt_nth(c, "peer-cert", i)) != NULL; i++) {
		struct text gateway, file;
		if (!text_cut(text_of(p), '=', &gateway, &file) || text_empty(gateway) || text_empty(file))
			return cli_error(c, CLI_USAGE, "--peer-cert wants GATEWAY=FILE, not \"%s\"", p);
		json_t *o = json_object();
		json_object_set_new(o, "gateway", json_stringn(gateway.p, gateway.n));
		json_object_set_new(o, "from", json_stringn(file.p, file.n));
		json_array_append_new(array, o);
		int code = add_pem(c, o, file.p);
		if (code)
			return code;
	}
	return CLI_GOOD;
}

/* ---- without a server ---- */

static int take_config(struct cli *c, struct matrix_model *m, const char *path)
{
	struct cfg_errors errors = { 0 };
	struct ev_report why = { 0 };
	struct cfg *cfg = NULL;
	int err = cfg_load(&cfg, path, CFG_WANT_NODE, &errors), code = CLI_GOOD;
	if (err && errors.n) {
		struct buf b;
		buf_init(&b, 1 << 20);
		(void)cfg_errors_print(&errors, &b);
		code = cli_error(c, CLI_NO, "%s", b.n ? buf_cstr(&b) : path);
		buf_free(&b);
	} else if (err) {
		code = cli_error(c, CLI_NO, "%s: %s", path, strerror(err));
	} else if ((err = matrix_take_files(m, cfg, &why)) != 0) {
		code = why.id ? cli_error_report(c, CLI_NO, &why) : cli_error(c, CLI_NO, "%s: %s", path, strerror(err));
	}
	cfg_errors_free(&errors);
	if (cfg)
		cfg_unref(cfg);
	return code;
}

/* What DNS says here, now; nothing of it when it cannot be asked. */
static void dns_over(int err, void *arg)
{
	(void)err;
	*(bool *)arg = true;
}

static int ask_dns(struct cli *c, const json_t *args, struct matrix_model *m)
{
	struct matrix_asking *asking = NULL;
	struct loop *loop = NULL;
	struct dns *dns = NULL;
	bool over = false;
	if (json_is_true(json_object_get(args, "no_dns")))
		return 0;
	int err = loop_create(&loop, clock_system());
	if (!err)
		err = dns_create(&dns, loop, cli_opt(c, "dns"));
	if (!err)
		err = matrix_ask_dns(&asking, dns, m, dns_over, &over);
	while (!err && !over)
		loop_step(loop, 1000);
	dns_destroy(dns);
	loop_destroy(loop);
	return err;
}

static int judge(const json_t *args, const struct matrix_model *m, json_t **result)
{
	struct matrix *x = NULL;
	struct matrix_pool *page = NULL;
	bool page_wanted = json_is_true(json_object_get(args, "consistency"));
	int err = page_wanted ? matrix_pool_make(&page, m) : matrix_run(&x, m);
	if (!err)
		*result = page ? matrix_pool_json(page, m) : matrix_json(x);
	matrix_pool_free(page);
	matrix_free(x);
	return err;
}

static int from_files(struct cli *c, const json_t *args, json_t **result)
{
	struct matrix_model *m = NULL;
	struct ev_report why = { 0 };
	const char *path;
	int err = matrix_model_create(&m, clock_real_s(clock_system())), code = CLI_GOOD;
	for (unsigned i = 0; !err && !code && (path = cli_opt_nth(c, "config", i)) != NULL; i++)
		code = take_config(c, m, path);
	if (!err && !code)
		err = matrix_take_strangers(m);
	if (!err && !code)
		err = matrix_json_apply(m, args, &why);
	if (!err && !code)
		err = ask_dns(c, args, m);
	if (!err && !code)
		err = judge(args, m, result);
	if (err && !code)
		code = why.id ? cli_error_report(c, CLI_NO, &why) : cli_error(c, CLI_NO, "%s", strerror(err));
	matrix_model_free(m);
	return code;
}

/* ---- the table ---- */

struct page {
	struct cli *c;
	const json_t *r;
	bool colour;
};

static const char *paint(const struct page *p, const char *says)
{
	if (!p->colour)
		return "";
	return strcmp(says, "refuses") == 0 || strcmp(says, "bad") == 0 ? "\033[31m" : strcmp(says, "accepts") == 0 || strcmp(says, "good") == 0 ? "\033[32m" :
	                                                                                                                                        "\033[33m";
}

static const char *unpaint(const struct page *p)
{
	return p->colour ? "\033[0m" : "";
}

static const json_t *find_cell(const json_t *r, const char *node, const char *gateway, const char *flow)
{
	size_t i;
	const json_t *x;
	json_array_foreach(json_object_get(r, "cells"), i, x)
		if (strcmp(cli_text(x, "node"), node) == 0 && strcmp(cli_text(x, "gateway"), gateway) == 0 && strcmp(cli_text(x, "flow"), flow) == 0)
			return x;
	return NULL;
}

/* "REFUSES 1,3" */
static void cell_words(const json_t *cell, char *dst, size_t size)
{
	const char *says = cli_text(cell, "says");
	size_t i;
	const json_t *n;
	text_fill(dst, size, strcmp(says, "refuses") == 0 ? "REFUSES" : strcmp(says, "none") == 0 ? "-" : says);
	json_array_foreach(json_object_get(cell, "reasons"), i, n) {
		size_t at = strlen(dst);
		text_print(dst + at, size - at, "%s%lld", i ? "," : " ", (long long)json_integer_value(n));
	}
}

static void print_row(const struct page *p, const char *gateway, enum matrix_flow f, size_t from, size_t to, size_t width)
{
	const json_t *nodes = json_object_get(p->r, "nodes");
	fprintf(p->c->out, "  %u %-45s %-4s", matrix_flow_number(f), matrix_flow_words(f), matrix_flow_direction(f));
	for (size_t i = from; i < to; i++) {
		const json_t *cell = find_cell(p->r, cli_text(json_array_get(nodes, i), "name"), gateway, matrix_flow_name(f));
		char words[64];
		cell_words(cell, words, sizeof words);
		fprintf(p->c->out, "  %s%s%s%*s", paint(p, cli_text(cell, "says")), words, unpaint(p),
		        i + 1 < to ? (int)(width > strlen(words) ? width - strlen(words) : 0) : 0, "");
	}
	fputc('\n', p->c->out);
}

static size_t cell_width(const struct page *p, const char *gateway)
{
	size_t width = CELL_LEAST, i;
	const json_t *x;
	char words[64];
	json_array_foreach(json_object_get(p->r, "cells"), i, x) {
		if (strcmp(cli_text(x, "gateway"), gateway) != 0)
			continue;
		cell_words(x, words, sizeof words);
		size_t name = strlen(cli_text(x, "node"));
		width = strlen(words) > width ? strlen(words) : width;
		width = name > width ? name : width;
	}
	return width;
}

static void print_table(const struct page *p, const json_t *g)
{
	const json_t *nodes = json_object_get(p->r, "nodes");
	const char *name = cli_text(g, "name");
	size_t n = json_array_size(nodes), width = cell_width(p, name), at_once = (WIDTH - FLOW_WIDTH - 2) / (width + 2);
	at_once = at_once ? at_once : 1;
	for (size_t from = 0; from < n; from += at_once) {
		size_t to = from + at_once < n ? from + at_once : n;
		fprintf(p->c->out, "  %-*s", FLOW_WIDTH, "");
		for (size_t i = from; i < to; i++)
			fprintf(p->c->out, "  %-*s", i + 1 < to ? (int)width : 0, cli_text(json_array_get(nodes, i), "name"));
		fputc('\n', p->c->out);
		for (int f = 0; f < MATRIX_FLOWS; f++)
			print_row(p, name, (enum matrix_flow)f, from, to, width);
	}
}

/* "a, b and c"; of a long list the first ones and how many more. */
static void join(const json_t *array, const char *word, char *dst, size_t size)
{
	size_t i, n = json_array_size(array), shown = n > NAMED_MAX ? NAMED_MAX - 1 : n;
	const json_t *s;
	text_fill(dst, size, n ? "" : "nobody");
	json_array_foreach(array, i, s) {
		size_t at = strlen(dst);
		if (i < shown)
			text_print(dst + at, size - at, "%s%s", !i ? "" : i + 1 < n ? ", " : word, json_string_value(s) ? json_string_value(s) : "");
	}
	if (shown < n)
		text_print(dst + strlen(dst), size - strlen(dst), "%s%zu more", word, n - shown);
}

static void print_gateway(const struct page *p, const json_t *g)
{
	char known[600], line[1200];
	if (!cli_true(g, "tls")) {
		fprintf(p->c->out, "\nGateway %s: no TLS, so no certificate is looked at", cli_text(g, "name"));
		if (*cli_text(g, "transport_now"))
			fprintf(p->c->out, " (%s, as DNS says: %s)", cli_text(g, "transport_now"), *cli_text(g, "decided_by") ? cli_text(g, "decided_by") : "it has no record of TLS");
		fprintf(p->c->out, ".\n");
		return;
	}
	join(json_object_get(g, "known_names"), " and ", known, sizeof known);
	const json_t *theirs = json_object_get(g, "shows_when_dialled");
	text_print(line, sizeof line, "Gateway %s (%s), judges us as %s, knows %s; its own certificate: %s%s", cli_text(g, "name"), cli_text(g, "address"),
	           cli_text(g, "judges_us"), known, json_is_object(theirs) ? "CN " : "not seen yet", json_is_object(theirs) ? cli_text(theirs, "cn") : "");
	fputc('\n', p->c->out);
	cli_wrapped(p->c->out, line, "");
	print_table(p, g);
}

/* ---- nodes, reasons, what follows ---- */

static void print_nodes(const struct page *p)
{
	size_t i, k;
	const json_t *n, *x;
	char list[512];
	join(json_object_get(p->r, "what_if"), ", ", list, sizeof list);
	if (json_array_size(json_object_get(p->r, "what_if")))
		fprintf(p->c->out, "Supposed: %s\n", list);
	json_array_foreach(json_object_get(p->r, "nodes"), i, n) {
		fprintf(p->c->out, "Node %s (%s)%s", cli_text(n, "name"), *cli_text(n, "fqdn") ? cli_text(n, "fqdn") : "no FQDN", cli_true(n, "down") ? ", down" : "");
		json_array_foreach(json_object_get(n, "certificates"), k, x)
			fprintf(p->c->out, "%s %s: CN %s until %.10s", k ? ";" : ", shows", cli_text(x, "identity"), cli_text(x, "cn"), cli_when_us(cli_int(x, "not_after_s") * 1000000));
		fprintf(p->c->out, "%s\n", cli_true(n, "known") ? "" : ", certificates not known");
		cli_wrapped(p->c->out, cli_text(n, "why"), "    ");
	}
}

static const char *flow_title(const char *flow)
{
	static const char *const map[][2] = { { "calls-in", "calls in" }, { "options", "OPTIONS" }, { "transfer", "transfers" }, { "lamp", "lamps" },
		                              { "in-dialog-in", "in-dialog from them" }, { "in-dialog-out", "in-dialog from us" }, { "failover", "fail-over" },
		                              { "redirect", "redirects" }, { "renewal", "renewal" } };
	for (size_t i = 0; i < sizeof map / sizeof *map; i++)
		if (strcmp(map[i][0], flow) == 0)
			return map[i][1];
	return flow;
}

static void flows_of(const json_t *reason, char *dst, size_t size)
{
	size_t i;
	const json_t *f;
	text_fill(dst, size, "");
	json_array_foreach(json_object_get(reason, "flows"), i, f) {
		size_t at = strlen(dst);
		text_print(dst + at, size - at, "%s%s", i ? ", " : "", flow_title(json_string_value(f)));
	}
}

static void print_reason(const struct page *p, const json_t *r)
{
	char mark[16], nodes[512], flows[256], line[1400];
	text_print(mark, sizeof mark, "%s. ", cli_text(r, "number"));
	join(json_object_get(r, "nodes"), " and ", nodes, sizeof nodes);
	flows_of(r, flows, sizeof flows);
	text_print(line, sizeof line, "%s with %s: %s", nodes, cli_text(r, "gateway"), flows);
	cli_item(p->c->out, mark, line);
	cli_wrapped(p->c->out, cli_text(r, "sentence"), "   ");
	if (*cli_text(r, "sees")) {
		text_print(line, sizeof line, "Seen from here: %s", cli_text(r, "sees"));
		cli_wrapped(p->c->out, line, "   ");
	}
	fprintf(p->c->out, "   How sure: %s%s%s%s\n", cli_text(r, "certainty"), *cli_text(r, "known_by_words") ? " (" : "", cli_text(r, "known_by_words"),
	        *cli_text(r, "known_by_words") ? ")" : "");
	if (*cli_text(r, "fix") || *cli_text(r, "command"))
		fprintf(p->c->out, "   What to do:\n");
	cli_wrapped(p->c->out, cli_text(r, "fix"), "     ");
	if (*cli_text(r, "command")) {
		fprintf(p->c->out, "     That is done by this command, on %s%s:\n", json_array_size(json_object_get(r, "nodes")) > 1 ? "each of " : "", nodes);
		fprintf(p->c->out, "         %s\n", cli_text(r, "command"));
	}
}

static void print_outcome(const struct page *p, const json_t *o)
{
	char mark[8];
	text_print(mark, sizeof mark, "%s ", cli_true(o, "bad") ? "!" : "-");
	cli_item(p->c->out, mark, cli_text(o, "sentence"));
	cli_wrapped(p->c->out, cli_text(o, "fix"), "    ");
	if (*cli_text(o, "assumed")) {
		char line[640];
		text_print(line, sizeof line, "Taken for granted: %s.", cli_text(o, "assumed"));
		cli_wrapped(p->c->out, line, "    ");
	}
}

static void sum_up(const struct page *p)
{
	unsigned refused = 0, unknown = 0, all = 0;
	size_t i;
	const json_t *x;
	json_array_foreach(json_object_get(p->r, "cells"), i, x) {
		const char *says = cli_text(x, "says");
		all += strcmp(says, "none") != 0;
		refused += strcmp(says, "refuses") == 0;
		unknown += strcmp(says, "unknown") == 0;
	}
	fputc('\n', p->c->out);
	if (refused)
		fprintf(p->c->out, "%s%u of %u flows break%s", paint(p, "bad"), refused, all, unpaint(p));
	else
		fprintf(p->c->out, "%sNo flow breaks%s", paint(p, unknown ? "unknown" : "good"), unpaint(p));
	if (unknown)
		fprintf(p->c->out, "; of %u nobody can say", unknown);
	fprintf(p->c->out, ".\n");
}

static int show(struct cli *c, const json_t *r)
{
	struct page p = { c, r, isatty(fileno(c->out)) && !getenv("NO_COLOR") };
	size_t i;
	const json_t *x;
	print_nodes(&p);
	json_array_foreach(json_object_get(r, "gateways"), i, x)
		print_gateway(&p, x);
	if (!json_array_size(json_object_get(r, "gateways")))
		fprintf(c->out, "No gateways are configured.\n");
	if (json_array_size(json_object_get(r, "reasons")))
		fprintf(c->out, "\nWhy, and what to do:\n");
	json_array_foreach(json_object_get(r, "reasons"), i, x)
		print_reason(&p, x);
	if (json_array_size(json_object_get(r, "outcomes")))
		fprintf(c->out, "\nWhat follows:\n");
	json_array_foreach(json_object_get(r, "outcomes"), i, x)
		print_outcome(&p, x);
	sum_up(&p);
	return cli_true(r, "good") ? CLI_GOOD : CLI_NO;
}

/* ---- the pool's page ---- */

static int show_page(struct cli *c, const json_t *r)
{
	struct page p = { c, r, isatty(fileno(c->out)) && !getenv("NO_COLOR") };
	size_t i;
	const json_t *x;
	unsigned bad = 0, all = 0, other = 0;
	char about[300] = "", mark[160];
	json_array_foreach(json_object_get(r, "checks"), i, x) {
		const char *state = cli_text(x, "state");
		if (strcmp(about, cli_text(x, "about")) != 0)
			fprintf(c->out, "%s%s\n", i ? "\n" : "", cli_text(x, "about"));
		text_fill(about, sizeof about, cli_text(x, "about"));
		text_print(mark, sizeof mark, "  %-12s  %-26s  ", strcmp(state, "bad") == 0 ? "BAD" : state, cli_text(x, "title"));
		fputs(paint(&p, state), c->out);
		cli_item(c->out, mark, cli_text(x, "found"));
		fputs(unpaint(&p), c->out);
		cli_wrapped(c->out, cli_text(x, "fix"), "                ");
		all++;
		bad += strcmp(state, "bad") == 0;
		other += strcmp(state, "good") != 0;
	}
	if (bad)
		fprintf(c->out, "\n%s%u of %u are bad%s", paint(&p, "bad"), bad, all, unpaint(&p));
	else
		fprintf(c->out, "\n%sNothing is bad%s", paint(&p, other ? "unknown" : "good"), unpaint(&p));
	if (other > bad)
		fprintf(c->out, "; %u unknown or questionable", other - bad);
	fprintf(c->out, ".\n");
	return cli_true(r, "good") ? CLI_GOOD : CLI_NO;
}

/* ---- looking at those that are not known ---- */

struct eyes {
	struct cli *c;
	struct look *own; /* without a server; NULL: the server dials */
};

static json_t *dial(struct eyes *e, const char *gateway, const char *host, uint16_t port)
{
	json_t *told = NULL;
	if (e->own)
		return look_at(e->own, gateway, host, port);
	json_t *args = gateway ? json_pack("{s:s}", "gateway", gateway) : json_pack("{s:s, s:i}", "host", host, "port", port);
	return cli_ask(e->c, "cert.look", args, &told) == CLI_GOOD ? told : NULL;
}

/* What was shown is judged; that a handshake failed is told, whoever refused whom. */
static void look_for(struct eyes *e, json_t *array, bool gateway, const char *name, const char *host, uint16_t port)
{
	json_t *told = *host ? dial(e, gateway ? name : NULL, host, port ? port : 5061) : NULL;
	if (cli_true(told, "seen"))
		json_array_append_new(array, json_pack("{s:s, s:s, s:s}", gateway ? "gateway" : "node", name, "from", cli_text(told, "from"), "pem", cli_text(told, "pem")));
	if (told && !cli_true(told, "accepted") && !e->c->json)
		fprintf(e->c->err, "%s%s: %s\n", name, cli_true(told, "seen") ? " was seen, but not reached" : " stays unknown", cli_text(told, "sentence"));
	json_decref(told);
}

/* r: what is known so far. */
static void look(struct eyes *e, const json_t *r, json_t *args)
{
	json_t *nodes = json_array(), *peers = json_object_get(args, "peer_certs");
	size_t i, k;
	const json_t *x, *given;
	json_object_set_new(args, "seen_nodes", nodes);
	json_array_foreach(json_object_get(r, "nodes"), i, x)
		if (!cli_true(x, "known"))
			look_for(e, nodes, false, cli_text(x, "name"), cli_text(x, "fqdn"), 0);
	json_array_foreach(json_object_get(r, "gateways"), i, x) {
		bool known = !cli_true(x, "tls") || json_is_object(json_object_get(x, "shows_when_dialled"));
		json_array_foreach(peers, k, given)
			known |= strcmp(cli_text(given, "gateway"), cli_text(x, "name")) == 0;
		if (!known)
			look_for(e, peers, true, cli_text(x, "name"), cli_text(x, "address"), (uint16_t)cli_int(x, "port"));
	}
}

static int judge_once(struct cli *c, json_t *args, json_t **r)
{
	return cli_opt(c, "config") ? from_files(c, args, r) : cli_ask(c, "cert.matrix", json_incref(args), r);
}

static int open_eyes(struct eyes *e)
{
	struct ev_report why = { 0 };
	const char *config = cli_opt(e->c, "config");
	int err = config ? look_open(&e->own, config, cli_opt(e->c, "dns"), &why) : 0;
	if (err)
		return why.id ? cli_error_report(e->c, CLI_NO, &why) : cli_error(e->c, CLI_NO, "%s: %s", config, strerror(err));
	if (e->own && !look_shows(e->own) && !e->c->json)
		fprintf(e->c->err, "No certificate is shown to them: no key of %s can be read here.\n", config);
	return CLI_GOOD;
}

/* A first turn, plain, tells who is not known. */
static int look_first(struct cli *c, json_t *args)
{
	struct eyes e = { c, NULL };
	json_t *plain = json_pack("{s:b}", "no_dns", 1), *r = NULL;
	int code = judge_once(c, plain, &r);
	if (!code)
		code = open_eyes(&e);
	if (!code)
		look(&e, r, args);
	look_close(e.own);
	json_decref(plain);
	json_decref(r);
	return code;
}

static int matrix(struct cli *c)
{
	json_t *args = json_object(), *r = NULL;
	json_object_set_new(args, "consistency", json_boolean(cli_opt(c, "consistency") != NULL));
	json_object_set_new(args, "no_dns", json_boolean(cli_opt(c, "no-dns") != NULL));
	int code = add_peers(c, args);
	if (!code)
		code = add_questions(c, args);
	if (!code && cli_opt(c, "ask"))
		code = look_first(c, args);
	if (!code)
		code = judge_once(c, args, &r);
	if (!code && c->json)
		code = cli_print_json(c, r);
	else if (!code)
		code = cli_opt(c, "consistency") ? show_page(c, r) : show(c, r);
	if (!code && !cli_true(r, "good"))
		code = CLI_NO;
	json_decref(args);
	json_decref(r);
	return code;
}

static const struct cli_opt matrix_opts[] = {
	{ "config", "FILE", "no server: judge what this configuration says (may be repeated, a file for each node)" },
	{ "peer-cert", "GATEWAY=FILE", "the certificate that a gateway shows (PEM), when it has not been seen" },
	{ "what-if", "QUESTION", "cert=FILE, cert=NODE:FILE, node-down=NODE, fqdn=NAME, known=[GATEWAY:]NAME,... (may be repeated)" },
	{ "ask", NULL, "dial nodes and gateways that are not known yet, with this node's certificate, and take the one that they show (port 5061)" },
	{ "consistency", NULL, "whether the pool fits together instead: names, DNS, Contact, certificates, SNI, clocks, chains, line by line" },
	{ "no-dns", NULL, "do not ask DNS where the names lead" },
	{ "dns", "ADDRESS", "ask this DNS server (with --config; default: those of /etc/resolv.conf)" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_matrix_cmds[] = {
	{ "cert", "matrix", "", 0, 0, matrix_opts, "Say who accepts whose certificate: each node, each gateway, each way of a call",
	  "accepts, REFUSES or unknown, why, what to do, and how sure that is; before anybody dials. A question changes what is\n"
	  "judged: another certificate on all nodes or on one, a node that is down, nodes that call themselves by another name,\n"
	  "other names known at the gateway. Exit code 1 when a flow breaks; what is unknown is shown and breaks nothing.",
	  "  umbel cert matrix\n"
	  "  umbel cert matrix --consistency\n"
	  "  umbel cert matrix --config /etc/umbel/umbel.yaml --peer-cert pool=pool.pem\n"
	  "  umbel cert matrix --config /etc/umbel/umbel.yaml --ask\n"
	  "  umbel cert matrix --what-if cert=new-shared.pem\n"
	  "  umbel cert matrix --what-if cert=node01:a.pem --what-if cert=node02:b.pem --what-if node-down=node02\n"
	  "  umbel cert matrix --what-if fqdn=um.example.com --what-if known=pool:um.example.com",
	  matrix },
	{ NULL },
};
