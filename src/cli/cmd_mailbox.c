/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_mailbox.c  umbel mailbox ..., umbel attendant ... */
#include <termios.h>
#include <unistd.h>
#include "cli/letters.h"

static int show_list(struct cli *c, const json_t *r)
{
	cli_table(c, json_object_get(r, "mailboxes"), "name:MAILBOX extension:EXTENSION display_name:NAME dialable:DIALABLE lamp:LAMP");
	return CLI_GOOD;
}

static int list(struct cli *c)
{
	return cli_ask_list_show(c, "mailbox.list", NULL, show_list);
}

void cli_show_strings(struct cli *c, const char *title, const json_t *array)
{
	size_t i;
	const json_t *s;
	fprintf(c->out, "  %-12s", title);
	json_array_foreach(array, i, s)
		fprintf(c->out, "%s%s", i ? ", " : "", json_string_value(s));
	fputc('\n', c->out);
}

/* What differs from what everybody has. */
static void show_choices(struct cli *c, const json_t *choices)
{
	if (*cli_text(choices, "language"))
		fprintf(c->out, "  %-12s%s, chosen by its owner\n", "language", cli_text(choices, "language"));
	if (cli_int(choices, "hours"))
		fprintf(c->out, "  %-12sof %s hours\n", "clock", cli_text(choices, "hours"));
	if (*cli_text(choices, "zone"))
		fprintf(c->out, "  %-12s%s\n", "time zone", cli_text(choices, "zone"));
	if (cli_true(choices, "by_voice"))
		fprintf(c->out, "  %-12sby voice\n", "commands");
}

static int show_one(struct cli *c, const json_t *o)
{
	const json_t *pin = json_object_get(o, "pin"), *m = json_object_get(o, "messages");
	fprintf(c->out, "Mailbox %s (%s)%s\n", cli_text(o, "name"), cli_text(o, "display_name"), cli_true(o, "managed_by_file") ? ", from the configuration file" : "");
	cli_show_strings(c, "extensions", json_object_get(o, "extensions"));
	cli_show_strings(c, "SIP URIs", json_object_get(o, "sip_uris"));
	if (m)
		fprintf(c->out, "  %-12s%s new, %s saved\n", "messages", cli_text(m, "new"), cli_text(m, "saved"));
	else
		fprintf(c->out, "  %-12snot known: the store does not answer\n", "messages");
	show_choices(c, json_object_get(o, "choices"));
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

int cli_letter_told(struct cli *c, const struct cli_letter *l, int code, const char *mailbox)
{
	if (code != CLI_GOOD)
		return cli_error(c, CLI_NO, "no letter for %s: %s", mailbox, l->why);
	if (!c->json) {
		fprintf(c->out, "The letter for %s is in %s; it holds the PIN: hand it over, and keep no copy.\n", mailbox, l->path);
		return CLI_GOOD;
	}
	json_t *o = json_pack("{s:s, s:b, s:s}", "mailbox", mailbox, "must_change", 1, "letter", l->path);
	cli_print_json(c, o);
	json_decref(o);
	return CLI_GOOD;
}

static int reset_pin(struct cli *c)
{
	const char *file = cli_opt(c, "letter"), *folder = cli_opt(c, "letters");
	struct cli_letter l;
	if (file && folder)
		return cli_error(c, CLI_USAGE, "--letter names a file, --letters a folder: give one of them");
	if (file || folder) {
		cli_letter_init(&l, file, folder, c->pos[0]);
		int code = cli_letter_write(&l, c, c->pos[0], false, false);
		return l.no_server ? cli_error(c, CLI_NO_SERVER, "%s", l.why) : cli_letter_told(c, &l, code, c->pos[0]);
	}
	return cli_ask_show(c, "mailbox.reset-pin", json_pack("{s:s}", "name", c->pos[0]), show_pin);
}

static const struct cli_opt pin_opts[] = {
	{ "pin", "PIN", "the PIN; other users of this machine could see it while the command runs" },
	{ "final", NULL, "it need not be changed at the next log-on, though somebody else chose it" },
	{ NULL, NULL, NULL },
};

static const struct cli_opt reset_opts[] = {
	{ "letter", "FILE", "the PIN is not printed but written into a letter to its owner" },
	{ "letters", "FOLDER", "the same, as FOLDER/NAME.txt" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_mailbox_cmds[] = {
	{ "mailbox", "list", "", 0, 0, NULL, "List the mailboxes", NULL, "  umbel mailbox list", list },
	{ "mailbox", "show", "NAME", 1, 1, NULL, "Show one mailbox: messages, PIN, addresses, what its owner chose", "NAME is its name, an extension or a SIP URI.",
	  "  umbel mailbox show alice\n  umbel mailbox show 201", show },
	{ "mailbox", "pin", "NAME", 1, 1, pin_opts, "Set the PIN of a mailbox, and unlock it", "Without --pin it is read from the terminal or from standard input. Its owner has to change it at the next log-on.",
	  "  umbel mailbox pin alice\n  printf '%s\\n' 482913 | umbel mailbox pin alice", set_pin },
	{ "mailbox", "set-pin", "NAME", 1, 1, pin_opts, "The same as mailbox pin", NULL, "  umbel mailbox set-pin alice", set_pin },
	{ "mailbox", "reset-pin", "NAME", 1, 1, reset_opts, "Let the server choose a new PIN, and print it or write a letter",
	  "A letter tells its owner the extension, the number to call, the PIN, and what texts.pin_reset of the policy says. The old PIN stays until it is written.",
	  "  umbel mailbox reset-pin alice\n  umbel mailbox reset-pin alice --letter alice.txt", reset_pin },
	{ NULL },
};
