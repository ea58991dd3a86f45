/* SPDX-License-Identifier: Apache-2.0 */
/* capture_print.c  See capture_print.h. */
#include "cli/capture_print.h"
#include <string.h>
#include "base/text.h"

static void print_side(struct cli *c, const json_t *o, const char *who)
{
	const json_t *s = json_object_get(o, who), *cert = json_object_get(s, "certificate");
	char names[1024] = "";
	size_t i, at = 0;
	const json_t *n;
	if (json_is_object(cert)) {
		json_array_foreach(json_object_get(cert, "names"), i, n) {
			text_print(names + at, sizeof names - at, "%s%s", i ? ", " : "", json_string_value(n));
			at = strlen(names);
		}
		char line[2048];
		text_print(line, sizeof line, "the %s showed %s certificate%s: CN %s, names %s, issued by %s, %s to %s", who, cli_text(s, "certificates"),
			   cli_int(s, "certificates") == 1 ? "" : "s", *cli_text(cert, "cn") ? cli_text(cert, "cn") : "(none)", *names ? names : "(no subjectAltName)",
			   cli_text(cert, "issuer"), cli_text(cert, "not_before"), cli_text(cert, "not_after"));
		cli_wrapped(c->out, line, "  ");
	} else if (cli_true(s, "certificate_hidden")) {
		fprintf(c->out, "  the %s's certificate is hidden by TLS 1.3\n", who);
	} else if (json_is_object(json_object_get(o, "tls"))) {
		fprintf(c->out, "  the %s showed no certificate\n", who);
	}
}

static void print_tls(struct cli *c, const json_t *o)
{
	const json_t *t = json_object_get(o, "tls"), *a;
	char line[1024];
	size_t i;
	if (!json_is_object(t))
		return;
	if (cli_true(t, "hello_seen")) {
		text_print(line, sizeof line, "the client offered %s with %s suites (%.120s%s)%s%s", cli_text(t, "offered_versions"), cli_text(t, "n_suites"),
			   cli_text(t, "offered_suites"), strlen(cli_text(t, "offered_suites")) > 120 ? "..." : "",
			   *cli_text(t, "asked_for") ? " and asked for " : ", and asked for no name", cli_text(t, "asked_for"));
		cli_wrapped(c->out, line, "  ");
	}
	if (*cli_text(t, "version"))
		fprintf(c->out, "  the server chose %s, %s\n", cli_text(t, "version"), cli_text(t, "suite"));
	print_side(c, o, "server");
	fprintf(c->out, "  the server %s\n", cli_true(t, "client_certificate_requested") ? "asked for the client's certificate" :
		strcmp(cli_text(t, "version"), "TLS 1.3") == 0 && !cli_true(t, "readable") ? "may have asked for the client's certificate (hidden)" :
		"did not ask for the client's certificate");
	if (cli_true(t, "client_certificate_requested"))
		print_side(c, o, "client");
	if (cli_true(t, "handshake_done"))
		fprintf(c->out, "  the handshake was done after %s ms\n", cli_text(t, "handshake_ms"));
	else
		fprintf(c->out, "  the handshake did not end\n");
	json_array_foreach(json_object_get(t, "alerts"), i, a)
		fprintf(c->out, "  +%s ms: the %s sent alert %s %s%s\n", cli_text(a, "ms"), cli_text(a, "by"), cli_text(a, "number"), cli_text(a, "name"),
			cli_true(a, "fatal") ? " (fatal)" : "");
}

static void print_sip(struct cli *c, const json_t *o)
{
	const json_t *x, *sip = json_object_get(o, "sip");
	size_t i;
	json_array_foreach(sip, i, x) {
		if (i == 6) {
			fprintf(c->out, "  ... and %zu more requests\n", json_array_size(sip) - i);
			break;
		}
		if (cli_int(x, "status"))
			fprintf(c->out, "  +%s ms: %s by the %s, answered after %s ms with %s %s\n", cli_text(x, "ms"), cli_text(x, "method"), cli_text(x, "by"),
				cli_text(x, "took_ms"), cli_text(x, "status"), cli_text(x, "phrase"));
		else
			fprintf(c->out, "  +%s ms: %s by the %s, without a final answer\n", cli_text(x, "ms"), cli_text(x, "method"), cli_text(x, "by"));
	}
	if (json_array_size(sip))
		return;
	static const char *const sides[] = { "client", "server" };
	for (unsigned k = 0; k < 2; k++) {
		const json_t *s = json_object_get(o, sides[k]);
		const char *spoke = cli_text(s, "spoke");
		if (json_is_object(json_object_get(o, "tls")))
			fprintf(c->out, "  the %s %s\n", sides[k], strcmp(spoke, "yes") == 0 ? "sent application data (encrypted)" :
				strcmp(spoke, "perhaps") == 0 ? "may have sent application data" : "sent no application data");
	}
}

static void print_end(struct cli *c, const json_t *o)
{
	const json_t *e = json_object_get(o, "end");
	const char *connect = cli_text(o, "connect");
	if (strcmp(connect, "refused") == 0)
		fprintf(c->out, "  the connection was refused (RST)\n");
	else if (strcmp(connect, "unreachable") == 0)
		fprintf(c->out, "  the connection did not come up: %s says that it cannot be reached (ICMP)\n", cli_text(o, "icmp_from"));
	else if (strcmp(connect, "no-answer") == 0)
		fprintf(c->out, "  the connection did not come up: %s SYN without an answer\n", cli_text(o, "syns"));
	else if (strcmp(cli_text(e, "by"), "nobody") == 0)
		fprintf(c->out, strcmp(cli_text(o, "transport"), "udp") == 0 || strcmp(cli_text(o, "transport"), "message") == 0 ? "" : "  nobody ended it while the capture went on\n");
	else if (cli_int(e, "after_handshake_ms") >= 0)
		fprintf(c->out, "  the %s ended it by %s at +%s ms, %s ms after the handshake%s\n", cli_text(e, "by"), cli_text(e, "how"), cli_text(e, "ms"),
			cli_text(e, "after_handshake_ms"), cli_true(e, "small_record_before") ? ", behind a record that can be an alert" : "");
	else
		fprintf(c->out, "  the %s ended it by %s at +%s ms\n", cli_text(e, "by"), cli_text(e, "how"), cli_text(e, "ms"));
}

void cli_capture_details(struct cli *c, const json_t *talk)
{
	print_tls(c, talk);
	print_sip(c, talk);
	print_end(c, talk);
}

static void print_notes(struct cli *c, const json_t *o)
{
	const json_t *n, *notes = json_object_get(o, "notes");
	size_t i;
	if (json_array_size(notes))
		fprintf(c->out, "  What this capture leaves open:\n");
	json_array_foreach(notes, i, n)
		cli_wrapped(c->out, cli_text(n, "text"), "    ");
}

void cli_capture_verdict(struct cli *c, const json_t *o, bool bad)
{
	const json_t *v = json_object_get(o, "verdict"), *line;
	const char *who = cli_text(o, "we");
	size_t i;
	if (bad && *who)
		fprintf(c->out, "  Verdict, in the words of the %s (\"we\", \"this node\": the %s%s):\n", who, who, cli_true(o, "we_told") ? "" : "; --we changes sides");
	cli_wrapped(c->out, cli_text(v, "sentence"), bad ? "    " : "  ");
	if (!bad) {
		if (strcmp(cli_text(v, "verdict"), "nothing-known") == 0)
			print_notes(c, o);
		return;
	}
	fprintf(c->out, "    How sure: %s (verdict %s, refused by %s, at step %s)\n", cli_text(v, "certainty"), cli_text(v, "verdict"), cli_text(v, "who_refused"),
		cli_text(v, "step"));
	if (*cli_text(v, "cause")) {
		fprintf(c->out, "  Why:\n");
		cli_wrapped(c->out, cli_text(v, "cause"), "    ");
	}
	if (json_array_size(json_object_get(v, "advice")))
		fprintf(c->out, "  What to do:\n");
	json_array_foreach(json_object_get(v, "advice"), i, line)
		cli_wrapped(c->out, json_string_value(line), "    ");
	if (json_array_size(json_object_get(v, "other_causes")))
		fprintf(c->out, "  What else looks the same, and how to tell:\n");
	json_array_foreach(json_object_get(v, "other_causes"), i, line)
		cli_wrapped(c->out, json_string_value(line), "    ");
	const json_t *p = json_object_get(o, "profile");
	if (p && strcmp(cli_text(p, "answer"), "unknown") != 0) {
		fprintf(c->out, "  What the profile of %s says of our certificate (%s):\n", cli_text(p, "title"), cli_text(p, "confidence"));
		cli_wrapped(c->out, cli_text(p, "sentence"), "    ");
	}
	print_notes(c, o);
}
