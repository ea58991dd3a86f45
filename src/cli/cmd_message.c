/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_message.c  umbel message ... */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include "base/mem.h"
#include "cli/cli_private.h"
#include "config/zone.h"
#include "voice/stored.h"

enum { EXPORT_MAX = 256 << 20 };

/* "urgent, private, answered": what stands beside a message. */
static json_t *note_of(const json_t *m)
{
	static const char *const words[][2] = { { "urgent", "urgent" }, { "private", "private" }, { "flagged", "flagged" }, { "replied", "answered" },
		{ "forwarded", "forwarded" }, { "cut", "cut off" } };
	char text[96] = "";
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (cli_true(m, words[i][0])) {
			size_t at = strlen(text);
			snprintf(text + at, sizeof text - at, "%s%s", at ? ", " : "", words[i][1]);
		}
	return json_string(text);
}

static int show_messages(struct cli *c, const json_t *r)
{
	json_t *messages = json_deep_copy(json_object_get(r, "messages"));
	size_t i;
	json_t *m;
	json_array_foreach(messages, i, m) {
		json_object_set_new(m, "when", json_string(cli_when_us(cli_int(m, "received_us"))));
		json_object_set_new(m, "length", json_string(cli_duration_ms(cli_int(m, "duration_ms"))));
		json_object_set_new(m, "note", note_of(m));
	}
	if (json_array_size(messages))
		cli_table(c, messages, "id:MESSAGE state:STATE when:RECEIVED length:LENGTH caller:CALLER caller_name:NAME note:NOTE");
	else
		fprintf(c->out, "There is no such message for %s.\n", cli_text(r, "mailbox"));
	json_decref(messages);
	return CLI_GOOD;
}

static int list(struct cli *c)
{
	json_t *args = json_pack("{s:s}", "mailbox", c->pos[0]);
	if (cli_opt(c, "folder"))
		json_object_set_new(args, "folder", json_string(cli_opt(c, "folder")));
	if (cli_opt(c, "caller"))
		json_object_set_new(args, "caller", json_string(cli_opt(c, "caller")));
	return cli_ask_show(c, "message.list", args, show_messages);
}

static json_t *one(struct cli *c)
{
	return json_pack("{s:s, s:s}", "mailbox", c->pos[0], "id", c->pos[1]);
}

static void show_line(struct cli *c, const char *title, const char *text)
{
	if (*text)
		fprintf(c->out, "  %-12s%s\n", title, text);
}

static int show_one(struct cli *c, const json_t *r)
{
	const json_t *m = json_object_get(r, "message");
	json_t *note = note_of(m);
	fprintf(c->out, "Message %s of %s (%s)\n", cli_text(m, "id"), cli_text(m, "mailbox"), cli_text(m, "state"));
	show_line(c, "from", *cli_text(m, "caller") ? cli_text(m, "caller") : "an unknown caller");
	show_line(c, "name", cli_text(m, "caller_name"));
	show_line(c, "mailbox", cli_text(m, "sender"));
	show_line(c, "received", cli_when_us(cli_int(m, "received_us")));
	show_line(c, "length", cli_duration_ms(cli_int(m, "duration_ms")));
	show_line(c, "audio", cli_text(m, "codec"));
	show_line(c, "note", json_string_value(note));
	if (strcmp(cli_text(m, "relation"), "left") != 0)
		show_line(c, "relation", cli_text(m, "relation"));
	show_line(c, "related", cli_text(m, "related"));
	show_line(c, "call", cli_text(m, "session"));
	if (cli_int(m, "purge_us")) {
		show_line(c, "deleted", cli_when_us(cli_int(m, "deleted_us")));
		show_line(c, "kept until", cli_when_us(cli_int(m, "purge_us")));
	}
	json_decref(note);
	return CLI_GOOD;
}

static int show(struct cli *c)
{
	return cli_ask_show(c, "message.show", one(c), show_one);
}

static int show_deleted(struct cli *c, const json_t *r)
{
	if (cli_int(r, "days"))
		fprintf(c->out, "Message %s of %s is deleted. For %s days it can be brought back: umbel message undelete %s %s\n", cli_text(r, "deleted"),
		        cli_text(r, "mailbox"), cli_text(r, "days"), cli_text(r, "mailbox"), cli_text(r, "deleted"));
	else
		fprintf(c->out, "Message %s of %s is deleted for good.\n", cli_text(r, "deleted"), cli_text(r, "mailbox"));
	return CLI_GOOD;
}

static int delete(struct cli *c)
{
	json_t *args = one(c);
	json_object_set_new(args, "for_good", json_boolean(cli_opt(c, "for-good") != NULL));
	return cli_ask_show(c, "message.delete", args, show_deleted);
}

static int show_undeleted(struct cli *c, const json_t *r)
{
	fprintf(c->out, "Message %s of %s is back where it was.\n", cli_text(r, "undeleted"), cli_text(r, "mailbox"));
	return CLI_GOOD;
}

static int undelete(struct cli *c)
{
	return cli_ask_show(c, "message.undelete", one(c), show_undeleted);
}

static int show_marked(struct cli *c, const json_t *r)
{
	fprintf(c->out, "Message %s of %s is marked %s.\n", cli_text(r, "marked"), cli_text(r, "mailbox"), cli_text(r, "as"));
	return CLI_GOOD;
}

static int mark(struct cli *c)
{
	json_t *args = one(c);
	json_object_set_new(args, "as", json_string(c->pos[2]));
	return cli_ask_show(c, "message.mark", args, show_marked);
}

/* ---- export ---- */

/* The form of a codec's name. */
static enum stored_form form_of(const char *codec)
{
	enum stored_form f = STORED_PCMU;
	while (f < STORED_FORMS && strcmp(codec, stored_name(f)) != 0)
		f++;
	return f;
}

/* As the file's name wants it: as it is, in another form, or as a WAV that everything can play. */
static int convert(enum stored_form from, enum stored_form to, const uint8_t *audio, size_t n, struct buf *out)
{
	int16_t *pcm;
	size_t samples;
	unsigned rate;
	if (from == to && to >= STORED_OPUS)
		return buf_put(out, audio, n);
	int err = stored_read(from, audio, n, &pcm, &samples, &rate);
	if (err)
		return err;
	err = to >= STORED_OPUS ? stored_make(to, pcm, samples, rate, out) : stored_wav(pcm, samples, rate, out);
	mem_free(pcm);
	return err;
}

static int export_audio(struct cli *c, const json_t *r, const char *path)
{
	const char *text = cli_text(r, "audio");
	size_t n = strlen(text), pad = n && text[n - 1] == '=' ? (n > 1 && text[n - 2] == '=' ? 2 : 1) : 0;
	uint8_t *audio = malloc(n / 4 * 3 + 4);
	int got = audio ? EVP_DecodeBlock(audio, (const unsigned char *)text, (int)n) : -1;
	struct buf out;
	buf_init(&out, EXPORT_MAX);
	int err = got < 0 || (size_t)got < pad ? EBADMSG : convert(form_of(cli_text(r, "codec")), stored_of_name(text_of(path)), audio, (size_t)got - pad, &out);
	int code = err ? cli_error(c, CLI_NO, "the audio came broken, or cannot be written as %s: %s", path, strerror(err)) : cli_write_file(c, path, out.p, out.n, 0600);
	buf_free(&out);
	free(audio);
	return code;
}

static int export(struct cli *c)
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

/* ---- on a phone ---- */

static int show_called(struct cli *c, const json_t *r)
{
	fprintf(c->out, "%s is being called for %s: umbel call show %s\n", cli_text(r, "to"), cli_text(r, "mailbox"), cli_text(r, "call"));
	return CLI_GOOD;
}

static int play(struct cli *c)
{
	if (!cli_opt(c, "to"))
		return cli_error(c, CLI_USAGE, "--to says which phone is called");
	json_t *args = one(c);
	json_object_set_new(args, "to", json_string(cli_opt(c, "to")));
	return cli_ask_show(c, "message.play", args, show_called);
}

static int record_greeting(struct cli *c)
{
	if (!cli_opt(c, "to"))
		return cli_error(c, CLI_USAGE, "--to says which phone is called");
	json_t *args = json_pack("{s:s, s:s}", "mailbox", c->pos[0], "to", cli_opt(c, "to"));
	if (cli_opt(c, "greeting"))
		json_object_set_new(args, "greeting", json_string(cli_opt(c, "greeting")));
	return cli_ask_show(c, "mailbox.record-greeting", args, show_called);
}

/* ---- what owners chose ---- */

static int show_choices(struct cli *c, const json_t *r)
{
	size_t i, k;
	const json_t *g, *m;
	fprintf(c->out, "Mailbox %s\n", cli_text(r, "mailbox"));
	show_line(c, "clock", cli_int(r, "hours") ? cli_text(r, "hours") : "as the language does");
	show_line(c, "time zone", *cli_text(r, "zone") ? cli_text(r, "zone") : "the server's");
	show_line(c, "language", *cli_text(r, "language") ? cli_text(r, "language") : "of the configuration");
	show_line(c, "commands", cli_true(r, "by_voice") ? "by voice" : "by keys");
	json_array_foreach(json_object_get(r, "groups"), i, g) {
		fprintf(c->out, "  group %-6s%s:", cli_text(g, "number"), cli_text(g, "title"));
		json_array_foreach(json_object_get(g, "members"), k, m)
			fprintf(c->out, " %s", json_string_value(m));
		fputc('\n', c->out);
	}
	return CLI_GOOD;
}

static int choices(struct cli *c)
{
	return cli_ask_show(c, "mailbox.choices", json_pack("{s:s}", "name", c->pos[0]), show_choices);
}

static int show_chosen(struct cli *c, const json_t *r)
{
	fprintf(c->out, "%s of %s is set; it counts from the next call on.\n", cli_text(r, "chosen"), cli_text(r, "mailbox"));
	return CLI_GOOD;
}

static int choose(struct cli *c)
{
	struct zone *z = NULL;
	const char *value = c->n_pos > 2 ? c->pos[2] : "";
	if (strcmp(c->pos[1], "zone") == 0 && *value && zone_load(&z, value) != 0)
		return cli_error(c, CLI_NO, "there is no time zone \"%s\" on this machine: use a name of the IANA list, as in Europe/Berlin", value);
	mem_unref(z);
	return cli_ask_show(c, "mailbox.choose", json_pack("{s:s, s:s, s:s}", "name", c->pos[0], "key", c->pos[1], "value", value), show_chosen);
}

/* Title and members, one a line; none takes the group away. */
static int group(struct cli *c)
{
	char key[32], value[1200] = "";
	snprintf(key, sizeof key, "group.%s", c->pos[1]);
	for (unsigned i = 2; i < c->n_pos; i++) {
		size_t at = strlen(value);
		if (strlen(c->pos[i]) + at + 2 > sizeof value)
			return cli_error(c, CLI_USAGE, "the group is too large");
		snprintf(value + at, sizeof value - at, "%s%s", at ? "\n" : "", c->pos[i]);
	}
	return cli_ask_show(c, "mailbox.choose", json_pack("{s:s, s:s, s:s}", "name", c->pos[0], "key", key, "value", value), show_chosen);
}

static const struct cli_opt play_opts[] = { { "to", "NUMBER", "the phone: an extension, an outside number that the owner may call, or a SIP address" }, { NULL, NULL, NULL } };
static const struct cli_opt record_opts[] = {
	{ "to", "NUMBER", "the phone: an extension, an outside number that the owner may call, or a SIP address" },
	{ "greeting", "KIND", "personal (if not given), away, busy, closed, name, or rule.RULE for an answering rule" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt list_opts[] = {
	{ "folder", "FOLDER", "new, saved or deleted; without it what is new and what is saved" },
	{ "caller", "WHO", "only those of callers whose number or name holds this" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt delete_opts[] = { { "for-good", NULL, "at once and for good; it may lie in the deleted folder already" }, { NULL, NULL, NULL } };

const struct cli_cmd cli_message_cmds[] = {
	{ "message", "list", "MAILBOX", 1, 1, list_opts, "List the messages of a mailbox, the newest first", NULL,
	  "  umbel message list alice\n  umbel message list alice --folder deleted\n  umbel message list alice --caller 555", list },
	{ "message", "show", "MAILBOX MESSAGE", 2, 2, NULL, "Show one message: from whom, when, how long, what became of it",
	  "A deleted one too, as long as it can be brought back.", "  umbel message show alice 01JD...", show },
	{ "message", "export", "MAILBOX MESSAGE FILE", 3, 3, NULL, "Write the audio of a message to a file: Opus or MP3 by its name (.opus, .ogg, .mp3), else WAV ('-': standard output)",
	  "Reading a message so is an event; its state does not change.", "  umbel message export alice 01JD... message.wav", export },
	{ "message", "play", "MAILBOX MESSAGE", 2, 2, play_opts, "Call a phone and play a message there",
	  "Whoever answers is asked for the PIN, unless the phone is the owner's own. All keys of a mailbox by phone work.",
	  "  umbel message play alice 01JD... --to 201\n  umbel message play alice 01JD... --to sip:alice@example.com", play },
	{ "mailbox", "record-greeting", "NAME", 1, 1, record_opts, "Call a phone and have a greeting recorded there", "The PIN is asked as for message play.",
	  "  umbel mailbox record-greeting alice --to 201\n  umbel mailbox record-greeting alice --to 201 --greeting away", record_greeting },
	{ "mailbox", "choices", "NAME", 1, 1, NULL, "Show what the owner of a mailbox chose: clock, time zone, language, groups", NULL,
	  "  umbel mailbox choices alice", choices },
	{ "mailbox", "choose", "NAME hours|zone|language|voice [VALUE]", 2, 3, NULL, "Choose for the owner of a mailbox; without a value: as before any choice", NULL,
	  "  umbel mailbox choose alice zone Europe/Berlin\n  umbel mailbox choose alice hours 24\n  umbel mailbox choose alice language de-DE", choose },
	{ "mailbox", "group", "NAME NUMBER [TITLE MEMBER...]", 2, 16, NULL, "Make a group of recipients for the owner of a mailbox, or take it away",
	  "NUMBER, 1 to 9, is what the owner presses when a message is sent or forwarded; members are names of mailboxes.",
	  "  umbel mailbox group alice 1 Sales bob carol\n  umbel mailbox group alice 1", group },
	{ "message", "mark", "MAILBOX MESSAGE new|saved|flagged|unflagged", 3, 3, NULL, "Mark a message", "The lamp follows.",
	  "  umbel message mark alice 01JD... new", mark },
	{ "message", "delete", "MAILBOX MESSAGE", 2, 2, delete_opts, "Delete a message", "It can be brought back for the days that its policy says (deleted_days).",
	  "  umbel message delete alice 01JD...\n  umbel message delete alice 01JD... --for-good", delete },
	{ "message", "undelete", "MAILBOX MESSAGE", 2, 2, NULL, "Bring a deleted message back, new or saved as it was", NULL,
	  "  umbel message list alice --folder deleted\n  umbel message undelete alice 01JD...", undelete },
	{ NULL },
};
