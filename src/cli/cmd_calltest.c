/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_calltest.c  umbel call test ...: options and scripts into calltest.h, its report onto the screen. */
#include <errno.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/calltest.h"
#include "cli/cli.h"

static const struct cli_opt opts[] = {
	{ "e", "STEPS", "steps, separated by ; or line feeds (may be repeated)" },
	{ "script", "FILE", "steps from a file, - for standard input" },
	{ "play", "FILE", "speak this WAV file once the call is answered" },
	{ "digits", "KEYS", "press keys once the call is answered; \"wait:2s,1234#\" waits first" },
	{ "record", "FILE", "write what is heard to a WAV file" },
	{ "from", "USER", "who calls: the user part of From (default umbel-test)" },
	{ "display", "NAME", "display name of From" },
	{ "diversion", "URI", "say that the call was diverted from this address" },
	{ "proxy", "HOST[:PORT]", "send the call there, whatever the address says" },
	{ "listen", "ADDR", "where to listen: udp:127.0.0.1:5080, tcp:..., tls:...; without an address to call, wait for a call there" },
	{ "cert", "FILE", "certificate for mutual TLS (PEM)" },
	{ "key", "FILE", "its private key (PEM)" },
	{ "ca", "FILE", "whom to trust (PEM)" },
	{ "accept-name", "NAME", "the name the other side must prove (default: the host of the address)" },
	{ "srtp", "WANT", "encrypted sound: off (the default), optional, required; only over tls" },
	{ "dns", "SERVERS", "name servers instead of those of resolv.conf" },
	{ "prompts", "PACK", "prompt pack for the step \"expect\"" },
	{ "t1", "MS", "SIP timer T1 (default 500)" },
	{ "for", "SECONDS", "give up after this long in all (default 180)" },
	{ "trace", NULL, "print every SIP message to standard error" },
	{ 0 },
};

static void progress(const char *text, bool ok, int64_t ms, const char *detail, void *arg)
{
	struct cli *c = arg;
	fprintf(c->out, "%-4s %6.1f s  %s%s%s\n", ok ? "ok" : "FAIL", (double)ms / 1000, text, detail[0] ? "  -- " : "", detail);
	fflush(c->out);
}

static int read_all(const char *path, struct buf *b)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	char part[4096];
	if (!f)
		return errno;
	for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;)
		buf_put(b, part, n);
	int err = ferror(f) ? EIO : buf_error(b);
	if (f != stdin)
		fclose(f);
	return err;
}

static int add(struct cli *c, struct calltest_script *s, const char *text)
{
	char what[256];
	return calltest_script_add(s, text, what, sizeof what) ? cli_error(c, CLI_USAGE, "%s", what) : CLI_GOOD;
}

/* "wait:2s,1234#" means: wait 2s, then press 1234#. */
static int add_digits(struct cli *c, struct calltest_script *s, const char *digits)
{
	struct text rest = text_of(digits), part;
	char line[300];
	while (rest.n) {
		text_cut(rest, ',', &part, &rest);
		if (text_starts(part, "wait:"))
			text_print(line, sizeof line, "wait %.*s", TEXT_FMT(text_skip(part, 5)));
		else
			text_print(line, sizeof line, "press %.*s", TEXT_FMT(part));
		if (add(c, s, line))
			return CLI_USAGE;
	}
	return CLI_GOOD;
}

/* The steps that plain options stand for. */
static int simple_steps(struct cli *c, struct calltest_script *s)
{
	char line[CT_ARG_SIZE + 16];
	int rc = CLI_GOOD;
	if (cli_opt(c, "record")) {
		text_print(line, sizeof line, "record %s", cli_opt(c, "record"));
		rc = add(c, s, line);
	}
	if (!rc && cli_opt(c, "digits"))
		rc = add_digits(c, s, cli_opt(c, "digits"));
	if (!rc && cli_opt(c, "play")) {
		text_print(line, sizeof line, "play %s", cli_opt(c, "play"));
		rc = add(c, s, line);
	}
	return rc;
}

static int make_script(struct cli *c, struct calltest_script *s)
{
	int rc = add(c, s, "expect-answer within 30s");
	if (!rc)
		rc = simple_steps(c, s);
	if (!rc && cli_opt(c, "script")) {
		struct buf b;
		buf_init(&b, 65536);
		int err = read_all(cli_opt(c, "script"), &b);
		rc = err ? cli_error(c, CLI_NO, "%s: %s", cli_opt(c, "script"), strerror(err)) : add(c, s, buf_cstr(&b));
		buf_free(&b);
	}
	const char *steps;
	for (unsigned i = 0; !rc && (steps = cli_opt_nth(c, "e", i)) != NULL; i++)
		rc = add(c, s, steps);
	/* A callee without a script of its own stays until the caller leaves. */
	if (!rc && !c->n_pos && !cli_opt(c, "script") && !cli_opt(c, "e"))
		rc = add(c, s, "expect-bye within 1h");
	return rc;
}

static bool srtp_of(const char *word, enum sdes_want *want)
{
	for (*want = SDES_OFF; *want <= SDES_REQUIRED; ++*want)
		if (strcmp(word, sdes_want_name(*want)) == 0)
			return true;
	return false;
}

static int run(struct cli *c)
{
	struct calltest_prm prm = {
		.uri = c->n_pos ? c->pos[0] : NULL, .listen = cli_opt(c, "listen"), .from_user = cli_opt(c, "from"), .from_display = cli_opt(c, "display"),
		.proxy = cli_opt(c, "proxy"), .diversion = cli_opt(c, "diversion"), .cert = cli_opt(c, "cert"), .key = cli_opt(c, "key"), .ca = cli_opt(c, "ca"),
		.accept_name = cli_opt(c, "accept-name"), .dns = cli_opt(c, "dns"), .prompts = cli_opt(c, "prompts"), .trace = cli_opt(c, "trace") != NULL,
		.progress = c->json ? NULL : progress, .arg = c,
	};
	uint64_t t1, seconds;
	struct ev_report why = { 0 };
	json_t *result = NULL;
	if (!prm.uri && !prm.listen)
		return cli_error(c, CLI_USAGE, "say whom to call, or --listen to wait for a call");
	if (cli_opt_number(c, "t1", 60000, 0, &t1) || cli_opt_number(c, "for", 86400, 0, &seconds))
		return CLI_USAGE;
	if (cli_opt(c, "srtp") && !srtp_of(cli_opt(c, "srtp"), &prm.srtp))
		return cli_error(c, CLI_USAGE, "--srtp is off, optional or required");
	prm.t1_ms = (int64_t)t1;
	prm.for_ms = (int64_t)seconds * 1000;
	struct calltest_script *script = mem_zalloc(1, sizeof *script);
	int rc = script ? make_script(c, script) : cli_error(c, CLI_NO, "no memory");
	if (!rc) {
		int err = calltest_run(&prm, script, &result, &why);
		if (err)
			rc = why.id ? cli_error_report(c, CLI_NO, &why) : cli_error(c, CLI_NO, "the test call could not begin: %s", strerror(err));
		else
			rc = json_is_true(json_object_get(result, "ok")) ? CLI_GOOD : CLI_NO;
	}
	if (result && c->json)
		cli_print_json(c, result);
	else if (result && !rc)
		fprintf(c->out, "All steps came true.\n");
	json_decref(result);
	mem_free(script);
	return rc;
}

extern const struct cli_cmd cli_calltest_cmds[];
const struct cli_cmd cli_calltest_cmds[] = {
	{ "call", "test", "[SIP-URI]", 0, 1, opts, "Make a real test call (or take one) and report each step",
	  "Steps: expect-answer, wait TIME, wait-silence, expect PROMPT, expect-sound FILE, press KEYS, press-info KEYS, play FILE, record FILE, "
	  "record-stop, expect-transfer, expect-bye, hangup; most take \"within TIME\". expect-answer comes first by itself. "
	  "When the other side asks for a transfer, the call to the new target is made and the script goes on with it. "
	  "Needs no server: the caller is a SIP endpoint of its own.",
	  "  umbel call test sip:6000@127.0.0.1 --play hello.wav\n"
	  "  umbel call test 'sip:6000@um.domain.local;transport=tls' --cert me.pem --key me.key --ca ca.pem -e 'wait-silence; press 1#; expect goodbye'\n"
	  "  umbel call test --listen udp:127.0.0.1:5080 --play answer.wav --record heard.wav",
	  run },
	{ 0 },
};
