/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_mailbox.c  umbel mailbox ..., umbel message ..., umbel attendant ... */
#include <openssl/evp.h>
#include <termios.h>
#include <unistd.h>
#include "cli/cli_private.h"
#include "media/g711.h"

static int show_list(struct cli *c, const json_t *r)
{
	cli_table(c, json_object_get(r, "mailboxes"), "name:MAILBOX extension:EXTENSION display_name:NAME dialable:DIALABLE lamp:LAMP");
	return CLI_GOOD;
}

static int list(struct cli *c)
{
	return cli_ask_show(c, "mailbox.list", NULL, show_list);
}

static void show_strings(struct cli *c, const char *title, const json_t *array)
{
	size_t i;
	const json_t *s;
	fprintf(c->out, "  %-12s", title);
	json_array_foreach(array, i, s)
		fprintf(c->out, "%s%s", i ? ", " : "", json_string_value(s));
	fputc('\n', c->out);
}

static int show_one(struct cli *c, const json_t *o)
{
	const json_t *pin = json_object_get(o, "pin"), *m = json_object_get(o, "messages");
	fprintf(c->out, "Mailbox %s (%s)%s\n", cli_text(o, "name"), cli_text(o, "display_name"), cli_true(o, "managed_by_file") ? ", from the configuration file" : "");
	show_strings(c, "extensions", json_object_get(o, "extensions"));
	show_strings(c, "SIP URIs", json_object_get(o, "sip_uris"));
	if (m)
		fprintf(c->out, "  %-12s%s new, %s saved\n", "messages", cli_text(m, "new"), cli_text(m, "saved"));
	else
		fprintf(c->out, "  %-12snot known: the store does not answer\n", "messages");
	if (!pin)
		fprintf(c->out, "  %-12snot known: the store does not answer\n", "PIN");
	else if (!cli_true(pin, "set"))
		fprintf(c->out, "  %-12snone: umbel mailbox reset-pin %s makes one\n", "PIN", cli_text(o, "name"));
	else
		fprintf(c->out, "  %-12s%s%s, changed %s, last log-on %s\n", "PIN", cli_true(pin, "locked") ? "LOCKED after too many wrong tries" : "good",
		        cli_true(pin, "must_change") ? ", must be changed at the next log-on" : "", cli_when_us(cli_int(pin, "changed_us")),
		        cli_when_us(cli_int(pin, "logon_us")));
	return CLI_GOOD;
}

static int show(struct cli *c)
{
	return cli_ask_show(c, "mailbox.show", json_pack("{s:s}", "name", c->pos[0]), show_one);
}

/* From the terminal without echo, or a line of standard input: the command line can be read by others. */
static int read_pin(struct cli *c, char *pin, size_t size)
{
	struct termios was;
	bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &was) == 0;
	if (terminal) {
		struct termios quiet = was;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fprintf(c->err, "New PIN for %s: ", c->pos[0]);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	bool got = fgets(pin, (int)size, stdin) != NULL;
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
		fputc('\n', c->err);
	}
	if (!got)
		return cli_error(c, CLI_USAGE, "no PIN was given on standard input");
	pin[strcspn(pin, "\r\n")] = '\0';
	return CLI_GOOD;
}

static int show_pin(struct cli *c, const json_t *r)
{
	if (*cli_text(r, "pin"))
		fprintf(c->out, "The PIN of %s is %s now; it must be changed at the next log-on.\n", cli_text(r, "mailbox"), cli_text(r, "pin"));
	else
		fprintf(c->out, "The PIN of %s is set%s.\n", cli_text(r, "mailbox"), cli_true(r, "must_change") ? "; it must be changed at the next log-on" : "");
	return CLI_GOOD;
}

static int set_pin(struct cli *c)
{
	char pin[128] = "";
	const char *given = cli_opt(c, "pin");
	int code = given ? CLI_GOOD : read_pin(c, pin, sizeof pin);
	if (code)
		return code;
	json_t *args = json_pack("{s:s, s:s, s:b}", "name", c->pos[0], "pin", given ? given : pin, "must_change", cli_opt(c, "final") == NULL);
	explicit_bzero(pin, sizeof pin);
	return cli_ask_show(c, "mailbox.set-pin", args, show_pin);
}

static int reset_pin(struct cli *c)
{
	return cli_ask_show(c, "mailbox.reset-pin", json_pack("{s:s}", "name", c->pos[0]), show_pin);
}

static const struct cli_opt pin_opts[] = {
	{ "pin", "PIN", "the PIN; other users of this machine could see it while the command runs" },
	{ "final", NULL, "it need not be changed at the next log-on, though somebody else chose it" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_mailbox_cmds[] = {
	{ "mailbox", "list", "", 0, 0, NULL, "List the mailboxes", NULL, "  umbel mailbox list", list },
	{ "mailbox", "show", "NAME", 1, 1, NULL, "Show one mailbox: messages, PIN, addresses", "NAME is its name, an extension or a SIP URI.",
	  "  umbel mailbox show alice\n  umbel mailbox show 201", show },
	{ "mailbox", "pin", "NAME", 1, 1, pin_opts, "Set the PIN of a mailbox, and unlock it", "Without --pin it is read from the terminal or from standard input. Its owner has to change it at the next log-on.",
	  "  umbel mailbox pin alice\n  printf '%s\\n' 482913 | umbel mailbox pin alice", set_pin },
	{ "mailbox", "set-pin", "NAME", 1, 1, pin_opts, "The same as mailbox pin", NULL, "  umbel mailbox set-pin alice", set_pin },
	{ "mailbox", "reset-pin", "NAME", 1, 1, NULL, "Let the server choose a new PIN, and print it", NULL, "  umbel mailbox reset-pin alice", reset_pin },
	{ NULL },
};

/* ---- message ---- */

static int show_messages(struct cli *c, const json_t *r)
{
	json_t *messages = json_deep_copy(json_object_get(r, "messages"));
	size_t i;
	json_t *m;
	json_array_foreach(messages, i, m) {
		json_object_set_new(m, "when", json_string(cli_when_us(cli_int(m, "received_us"))));
		json_object_set_new(m, "length", json_string(cli_duration_ms(cli_int(m, "duration_ms"))));
		json_object_set_new(m, "note", json_string(cli_true(m, "cut") ? "cut off" : ""));
	}
	if (json_array_size(messages))
		cli_table(c, messages, "id:MESSAGE state:STATE when:RECEIVED length:LENGTH caller:CALLER caller_name:NAME note:NOTE");
	else
		fprintf(c->out, "There is no message for %s.\n", cli_text(r, "mailbox"));
	json_decref(messages);
	return CLI_GOOD;
}

static int message_list(struct cli *c)
{
	return cli_ask_show(c, "message.list", json_pack("{s:s}", "mailbox", c->pos[0]), show_messages);
}

static int show_deleted(struct cli *c, const json_t *r)
{
	fprintf(c->out, "Message %s of %s is deleted.\n", cli_text(r, "deleted"), cli_text(r, "mailbox"));
	return CLI_GOOD;
}

static int message_delete(struct cli *c)
{
	return cli_ask_show(c, "message.delete", json_pack("{s:s, s:s}", "mailbox", c->pos[0], "id", c->pos[1]), show_deleted);
}

static void put32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* A plain 16-bit WAV at 8 kHz, which everything can play. */
static int write_wav(struct cli *c, const char *path, enum media_codec law, const uint8_t *audio, size_t n)
{
	static const uint8_t head[44] = "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data";
	uint8_t *wav = malloc(sizeof head + n * 2);
	int16_t *pcm = malloc(n * sizeof *pcm + 2);
	if (!wav || !pcm) {
		free(wav);
		free(pcm);
		return cli_error(c, CLI_NO, "no memory left");
	}
	memcpy(wav, head, sizeof head);
	put32(wav + 4, (uint32_t)(36 + n * 2));
	put32(wav + 40, (uint32_t)(n * 2));
	g711_decode(law, pcm, audio, n);
	for (size_t i = 0; i < n; i++) {
		wav[44 + 2 * i] = (uint8_t)((uint16_t)pcm[i] & 0xff);
		wav[45 + 2 * i] = (uint8_t)((uint16_t)pcm[i] >> 8);
	}
	int code = cli_write_file(c, path, wav, sizeof head + n * 2, 0600);
	free(wav);
	free(pcm);
	return code;
}

static int export_audio(struct cli *c, const json_t *r, const char *path)
{
	const char *text = cli_text(r, "audio");
	size_t n = strlen(text), pad = n && text[n - 1] == '=' ? (n > 1 && text[n - 2] == '=' ? 2 : 1) : 0;
	uint8_t *audio = malloc(n / 4 * 3 + 4);
	int got = audio ? EVP_DecodeBlock(audio, (const unsigned char *)text, (int)n) : -1;
	int code = got < 0 || (size_t)got < pad ? cli_error(c, CLI_NO, "the audio came broken") :
	           write_wav(c, path, strcmp(cli_text(r, "codec"), "PCMA") == 0 ? MEDIA_PCMA : MEDIA_PCMU, audio, (size_t)got - pad);
	free(audio);
	return code;
}

static int message_export(struct cli *c)
{
	json_t *r = NULL;
	int code = cli_ask(c, "message.export", json_pack("{s:s, s:s}", "mailbox", c->pos[0], "id", c->pos[1]), &r);
	if (code == CLI_GOOD)
		code = export_audio(c, r, c->pos[2]);
	if (code == CLI_GOOD && strcmp(c->pos[2], "-") != 0) {
		json_t *o = json_pack("{s:s, s:s}", "id", c->pos[1], "file", c->pos[2]);
		if (c->json)
			cli_print_json(c, o);
		else
			fprintf(c->out, "Message %s is in %s now.\n", c->pos[1], c->pos[2]);
		json_decref(o);
	}
	json_decref(r);
	return code;
}

const struct cli_cmd cli_message_cmds[] = {
	{ "message", "list", "MAILBOX", 1, 1, NULL, "List the messages of a mailbox, the newest first", NULL, "  umbel message list alice", message_list },
	{ "message", "export", "MAILBOX MESSAGE FILE.wav", 3, 3, NULL, "Write the audio of a message to a WAV file ('-': standard output)",
	  "Reading a message so is an event; its state does not change.", "  umbel message export alice 01JD... message.wav", message_export },
	{ "message", "delete", "MAILBOX MESSAGE", 2, 2, NULL, "Delete a message for good", NULL, "  umbel message delete alice 01JD...", message_delete },
	{ NULL },
};

/* ---- attendant ---- */

static int show_attendants(struct cli *c, const json_t *r)
{
	cli_table(c, json_object_get(r, "attendants"), "name:ATTENDANT number:NUMBER operator:OPERATOR dial_by_extension:EXTENSIONS dial_by_name:NAMES");
	return CLI_GOOD;
}

static int attendant_list(struct cli *c)
{
	return cli_ask_show(c, "attendant.list", NULL, show_attendants);
}

static int show_attendant(struct cli *c, const json_t *o)
{
	size_t i;
	const json_t *k;
	fprintf(c->out, "Attendant %s\n", cli_text(o, "name"));
	show_strings(c, "numbers", json_object_get(o, "numbers"));
	show_strings(c, "URIs", json_object_get(o, "uris"));
	fprintf(c->out, "  %-12s%s\n", "greeting", *cli_text(o, "greeting") ? cli_text(o, "greeting") : "the standard welcome");
	fprintf(c->out, "  %-12s%s\n", "operator", *cli_text(o, "operator") ? cli_text(o, "operator") : "of the dial plan");
	json_array_foreach(json_object_get(o, "keys"), i, k)
		fprintf(c->out, "  key %-8s%s %s\n", cli_text(k, "key"), cli_text(k, "action"), cli_text(k, "target"));
	return CLI_GOOD;
}

static int attendant_show(struct cli *c)
{
	return cli_ask_show(c, "attendant.show", json_pack("{s:s}", "name", c->pos[0]), show_attendant);
}

static int show_drawing(struct cli *c, const json_t *r)
{
	fputs(cli_text(r, "drawing"), c->out);
	return CLI_GOOD;
}

static int attendant_draw(struct cli *c)
{
	return cli_ask_show(c, "attendant.draw", json_pack("{s:s, s:s}", "name", c->pos[0], "form", cli_opt(c, "dot") ? "dot" : "text"), show_drawing);
}

static const struct cli_opt draw_opts[] = { { "dot", NULL, "for Graphviz instead of text" }, { NULL, NULL, NULL } };

const struct cli_cmd cli_attendant_cmds[] = {
	{ "attendant", "list", "", 0, 0, NULL, "List the auto attendants", NULL, "  umbel attendant list", attendant_list },
	{ "attendant", "show", "NAME", 1, 1, NULL, "Show one attendant: numbers, greeting, keys", NULL, "  umbel attendant show main", attendant_show },
	{ "attendant", "draw", "NAME", 1, 1, draw_opts, "Draw the conversation of an attendant as a graph",
	  "NAME may be a built-in conversation too: answering, subscriber.", "  umbel attendant draw main\n  umbel attendant draw main --dot | dot -Tsvg > main.svg",
	  attendant_draw },
	{ NULL },
};
