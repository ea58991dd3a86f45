/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_trace.c  umbel trace: what the server sends and receives, for Wireshark. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "cli/cli_private.h"

enum { MEGABYTE = 1 << 20, PIECE_MAX = 1 << 20 };

static void take_filter(struct cli *c, json_t *args)
{
	cli_arg_opt(c, args, "gateway", "gateway");
	cli_arg_opt(c, args, "call", "call");
	json_object_set_new(args, "no_secrets", json_boolean(cli_opt(c, "no-secrets") != NULL));
	json_object_set_new(args, "redact", json_boolean(cli_opt(c, "redact") != NULL));
}

static int show(struct cli *c, const json_t *r)
{
	if (!cli_true(r, "kept")) {
		fprintf(c->out, "No trace is running, and none is kept.\n");
		return CLI_GOOD;
	}
	fprintf(c->out, cli_true(r, "running") ? "A trace runs since %s, until %s" : "A trace of %s is kept until %s", cli_when_us(cli_int(r, "started_us")),
		cli_when_us(cli_int(r, "ends_us")));
	if (*cli_text(r, "gateway"))
		fprintf(c->out, ", gateway %s", cli_text(r, "gateway"));
	if (*cli_text(r, "call"))
		fprintf(c->out, ", call %s", cli_text(r, "call"));
	fprintf(c->out, ": %s messages, %s connections, %s of at most %s bytes, %s.\n", cli_text(r, "messages"), cli_text(r, "connections"), cli_text(r, "bytes"),
		cli_text(r, "limit_bytes"), cli_true(r, "redact") ? "passwords and pressed keys struck out, no TLS keys" :
		cli_true(r, "no_secrets") ? "without TLS keys" : "with the TLS keys of connections that began meanwhile");
	if (cli_int(r, "evicted"))
		fprintf(c->out, "%s older packets had to go; --size keeps more.\n", cli_text(r, "evicted"));
	return CLI_GOOD;
}

static int start(struct cli *c)
{
	uint64_t size = 0;
	int64_t ms = 0;
	int code = cli_opt(c, "for") ? cli_time_ms(c, "for", cli_opt(c, "for"), &ms) : CLI_GOOD;
	if (!code && cli_opt_number(c, "size", 64, 0, &size))
		code = CLI_USAGE;
	if (code)
		return code;
	json_t *args = json_pack("{s:I, s:I}", "bytes", (json_int_t)(size * MEGABYTE), "for_ms", (json_int_t)ms);
	take_filter(c, args);
	return cli_ask_show(c, "trace.start", args, show);
}

static int stop(struct cli *c)
{
	return cli_ask_show(c, "trace.stop", json_object(), show);
}

static int status(struct cli *c)
{
	return cli_ask_show(c, "trace.status", json_object(), show);
}

static int forget(struct cli *c)
{
	return cli_ask_show(c, "trace.forget", json_object(), show);
}

/* ---- save ---- */

struct saving {
	int fd;
	int err;
	uint64_t bytes;
};

static bool take_piece(struct cli *c, const json_t *item, void *arg)
{
	struct saving *s = arg;
	const json_t *text = json_object_get(item, "piece");
	size_t n = json_string_length(text);
	(void)c;
	if (!json_is_string(text) || n % 4 || n > PIECE_MAX) {
		s->err = EBADMSG;
		return false;
	}
	uint8_t *p = mem_alloc(n / 4 * 3 + 1);
	const char *chars = json_string_value(text);
	int got = p ? EVP_DecodeBlock(p, (const uint8_t *)chars, (int)n) : -1;
	for (size_t i = n; got > 0 && i > 0 && chars[i - 1] == '='; i--)
		got--;
	for (int done = 0; got > 0 && done < got && !s->err;) {
		ssize_t put = write(s->fd, p + done, (size_t)(got - done));
		if (put < 0 && errno != EINTR)
			s->err = errno;
		done += put > 0 ? (int)put : 0;
	}
	s->bytes += got > 0 ? (uint64_t)got : 0;
	if (got < 0)
		s->err = p ? EBADMSG : ENOMEM;
	mem_free_secret(p, n / 4 * 3 + 1);
	return s->err == 0;
}

/* It holds keys: nobody else may read it, not even for a moment; and what has that name is replaced only by a whole file. */
static int save(struct cli *c)
{
	const char *path = c->pos[0];
	char fresh[4096];
	struct saving s = { .fd = -1 };
	json_t *args = json_object(), *r = NULL;
	if (text_print(fresh, sizeof fresh, "%s.%ld.new", path, (long)getpid())) {
		json_decref(args);
		return cli_error(c, CLI_NO, "the name is too long");
	}
	take_filter(c, args);
	json_object_set_new(args, "text", json_boolean(cli_opt(c, "text") != NULL));
	s.fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s.fd < 0) {
		json_decref(args);
		return cli_error(c, CLI_NO, "%s cannot be written: %s", path, strerror(errno));
	}
	int code = cli_follow(c, "trace.save", args, take_piece, &s, &r);
	if (!s.err && code == CLI_GOOD && fsync(s.fd) != 0 && errno != EINVAL)
		s.err = errno;
	close(s.fd);
	if (!s.err && code == CLI_GOOD && rename(fresh, path) != 0)
		s.err = errno;
	if (s.err || code != CLI_GOOD) {
		unlink(fresh);
		json_decref(r);
		return s.err ? cli_error(c, CLI_NO, "%s cannot be written: %s", path, strerror(s.err)) : code;
	}
	json_object_set_new(r, "file", json_string(path));
	if (c->json)
		cli_print_json(c, r);
	else
		fprintf(c->out, "%s: %s %s, %llu bytes, %s.\n", path, cli_text(r, "packets"), cli_opt(c, "text") ? "messages" : "packets", (unsigned long long)s.bytes,
			cli_int(r, "keys") ? "with TLS keys: whoever has it can read all of it" : "without TLS keys");
	json_decref(r);
	return CLI_GOOD;
}

#define FILTER \
	{ "gateway", "NAME", "only what is said with this gateway" }, { "call", "ID", "only one call, by its session (umbel call list) or Call-ID" }, \
	{ "no-secrets", NULL, "without TLS keys" }, \
	{ "redact", NULL, "strike out passwords and the keys that callers press; implies --no-secrets" }
static const struct cli_opt start_opts[] = {
	FILTER,
	{ "for", "TIME", "stop by itself after 90s, 10m, 2h (default 10m, at most 24h)" },
	{ "size", "MB", "how much is kept, the youngest (default 16, at most 64)" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt save_opts[] = {
	FILTER, { "text", NULL, "the messages as text instead of pcapng" }, { NULL, NULL, NULL },
};

const struct cli_cmd cli_trace_cmds[] = {
	{ "trace", "start", "", 0, 0, start_opts, "Keep what the server sends and receives in SIP, with the TLS keys, in memory",
	  "Connections that begin while it runs are kept as their bytes, so that Wireshark shows handshake and SIP. Of older ones\n"
	  "the messages are kept. An event tells that it runs.",
	  "  umbel trace start --gateway pool --for 10m\n  umbel trace start --redact --size 32", start },
	{ "trace", "stop", "", 0, 0, NULL, "Stop the trace; it can be saved for a quarter of an hour", NULL, "  umbel trace stop", stop },
	{ "trace", "status", "", 0, 0, NULL, "Say whether a trace runs and how much it holds", NULL, "  umbel trace status --json", status },
	{ "trace", "save", "FILE", 1, 1, save_opts, "Write what the trace holds into a pcapng file, or as text (mode 0600)",
	  "The TLS keys are in the file (Decryption Secrets Block): Wireshark and tshark show the SIP without further ado. Whoever\n"
	  "gets the file can read it all; --redact and --no-secrets leave out what must not be given away.",
	  "  umbel trace save pool.pcapng\n  umbel trace save one-call.pcapng --call 01JD3K2N8QW7R4T6Y9ZB5C0XAE --redact\n  umbel trace save pool.txt --text --redact", save },
	{ "trace", "forget", "", 0, 0, NULL, "Forget the trace and wipe its keys now", NULL, "  umbel trace forget", forget },
	{ NULL },
};
