/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_answering.c  umbel mailbox missed, away, greeting, rules: how a mailbox answers. */
#include <errno.h>
#include <openssl/evp.h>
#include <time.h>
#include "base/mem.h"
#include "cli/cli_private.h"
#include "media/g711.h"
#include "voice/wav.h"

/* ---- missed ---- */
static int show_missed(struct cli *c, const json_t *r)
{
	json_t *calls = json_deep_copy(json_object_get(r, "missed"));
	size_t i;
	json_t *k;
	json_array_foreach(calls, i, k)
		json_object_set_new(k, "when", json_string(cli_when_us(cli_int(k, "at_us"))));
	if (json_array_size(calls))
		cli_table(c, calls, "when:WHEN caller:CALLER caller_name:NAME why:GAVE-UP reason:CAME-BECAUSE session:CALL");
	else
		fprintf(c->out, "Nobody who called %s left nothing.\n", cli_text(r, "mailbox"));
	json_decref(calls);
	return CLI_GOOD;
}

static int missed(struct cli *c)
{
	return cli_ask_show(c, "mailbox.missed", json_pack("{s:s}", "name", c->pos[0]), show_missed);
}

/* ---- away ---- */
static int show_away(struct cli *c, const json_t *r)
{
	if (!cli_true(r, "away"))
		fprintf(c->out, "%s is not away.\n", cli_text(r, "mailbox"));
	else if (cli_int(r, "until_us"))
		fprintf(c->out, "%s is away until %s; callers are told.\n", cli_text(r, "mailbox"), cli_when_us(cli_int(r, "until_us")));
	else
		fprintf(c->out, "%s is away until somebody says otherwise; callers are told.\n", cli_text(r, "mailbox"));
	size_t i;
	const json_t *g;
	json_array_foreach(json_object_get(r, "recorded"), i, g)
		fprintf(c->out, "%s%s", i ? ", " : "Recorded greetings: ", json_string_value(g));
	if (json_array_size(json_object_get(r, "recorded")))
		fputs(".\n", c->out);
	return CLI_GOOD;
}

/* "2026-12-24" is the end of that day, "2026-12-24 09:00" that moment, by this machine's clock. */
static bool read_until(const char *s, int64_t *us)
{
	int year, month, day, hour = 23, minute = 59, used = 0;
	struct tm tm = { .tm_isdst = -1 };
	bool date = sscanf(s, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3;
	if (date && s[used] && (sscanf(s + used, " %2d:%2d%n", &hour, &minute, &day) < 2 || sscanf(s, "%4d-%2d-%2d %2d:%2d%n", &year, &month, &day, &hour, &minute, &used) != 5))
		return false;
	if (!date || s[used] || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = s[10] ? 0 : 59;
	time_t t = mktime(&tm);
	*us = (int64_t)t * 1000000;
	return t != (time_t)-1 && tm.tm_mday == day;
}

static int away(struct cli *c)
{
	const char *until = cli_opt(c, "until");
	bool on = cli_opt(c, "on") || until, off = cli_opt(c, "off") != NULL;
	int64_t us = 0;
	if (on && off)
		return cli_error(c, CLI_USAGE, "--off stands beside what says the opposite");
	if (until && !read_until(until, &us))
		return cli_error(c, CLI_USAGE, "\"%s\" is no day: write 2026-12-24, or \"2026-12-24 09:00\"", until);
	if (until && us / 1000000 <= time(NULL))
		return cli_error(c, CLI_USAGE, "%s is over already", until);
	json_t *args = json_pack("{s:s}", "name", c->pos[0]);
	if (on || off)
		json_object_set_new(args, "away", json_boolean(on));
	if (us)
		json_object_set_new(args, "until_us", json_integer(us));
	return cli_ask_show(c, "mailbox.away", args, show_away);
}

/* ---- greeting ---- */
static int show_greeting(struct cli *c, const json_t *r)
{
	fprintf(c->out, "The greeting %s of %s is %s.\n", cli_text(r, "kind"), cli_text(r, "mailbox"), cli_true(r, "recorded") ? "in use" : "taken away");
	return CLI_GOOD;
}

/* The file as base64 of PCMU; NULL after saying what is wrong. */
static char *read_audio(struct cli *c, const char *path)
{
	int16_t *pcm = NULL;
	size_t n = 0;
	int err = wav_read(path, &pcm, &n);
	uint8_t *bytes = err || !n ? NULL : mem_alloc(n);
	char *text = bytes ? mem_alloc((n + 2) / 3 * 4 + 1) : NULL;
	if (text) {
		g711_encode(MEDIA_PCMU, bytes, pcm, n);
		EVP_EncodeBlock((unsigned char *)text, bytes, (int)n);
	} else {
		cli_error(c, CLI_NO, "%s: %s", path, err == EBADMSG ? "is no WAV file" : err == ENOTSUP ? "use 16 bit PCM or G.711, 8 or 16 kHz" : !err ? "holds no sound" :
		          strerror(err));
	}
	mem_free(bytes);
	mem_free(pcm);
	return text;
}

static int greeting(struct cli *c)
{
	bool remove = cli_opt(c, "remove") != NULL;
	if (remove == (c->n_pos == 3))
		return cli_error(c, CLI_USAGE, "give a WAV file, or --remove");
	char *audio = remove ? NULL : read_audio(c, c->pos[2]);
	if (!remove && !audio)
		return CLI_NO;
	json_t *args = json_pack("{s:s, s:s}", "name", c->pos[0], "kind", c->pos[1]);
	if (audio)
		json_object_set_new(args, "audio", json_string(audio));
	mem_free(audio);
	return cli_ask_show(c, "mailbox.greeting", args, show_greeting);
}

/* ---- rules ---- */
static void list_of(struct cli *c, const json_t *r, const char *key, const char *words)
{
	const json_t *array = json_object_get(r, key), *s;
	size_t i;
	json_array_foreach(array, i, s)
		fprintf(c->out, "%s%s", i ? ", " : words, json_string_value(s));
	if (json_array_size(array))
		fputc('\n', c->out);
}

static void one_of(struct cli *c, const json_t *r, const char *key, const char *words)
{
	if (*cli_text(r, key))
		fprintf(c->out, "%s%s\n", words, cli_text(r, key));
}

static void show_rule(struct cli *c, size_t n, const json_t *r)
{
	size_t i;
	const json_t *k;
	fprintf(c->out, "%zu. %s\n", n, cli_text(r, "name"));
	list_of(c, r, "callers", "     if the caller is    ");
	one_of(c, r, "open", "     while open          ");
	one_of(c, r, "closed", "     while closed        ");
	list_of(c, r, "dialled", "     if called first     ");
	list_of(c, r, "reasons", "     if it came because  ");
	one_of(c, r, "greeting", "     greets with         ");
	fprintf(c->out, "     then                %s%s\n", cli_text(r, "action"), cli_true(r, "message") ? "" : "; no message");
	list_of(c, r, "find", "     looks at            ");
	one_of(c, r, "transfer", "     transfers to        ");
	json_array_foreach(json_object_get(r, "keys"), i, k)
		fprintf(c->out, "     key %s               %s%s%s\n", cli_text(k, "key"), cli_text(k, "action"), *cli_text(k, "target") ? " " : "", cli_text(k, "target"));
}

static int show_rules(struct cli *c, const json_t *r)
{
	size_t i;
	const json_t *rules = json_object_get(r, "rules"), *o;
	if (!json_array_size(rules))
		fprintf(c->out, "%s has no answering rules: everybody hears the greeting and may leave a message.\n", cli_text(r, "mailbox"));
	else if (!cli_true(r, "allowed"))
		fprintf(c->out, "The policy of %s allows no answering rules, so that none of these is used.\n", cli_text(r, "mailbox"));
	json_array_foreach(rules, i, o)
		show_rule(c, i + 1, o);
	json_array_foreach(json_object_get(r, "problems"), i, o)
		fprintf(c->out, "Problem: %s: %s.\n", cli_text(o, "what"), cli_text(o, "fix"));
	return json_array_size(json_object_get(r, "problems")) ? CLI_NO : CLI_GOOD;
}

static int rules(struct cli *c)
{
	return cli_ask_show(c, "mailbox.rules", json_pack("{s:s}", "name", c->pos[0]), show_rules);
}

static const struct cli_opt away_opts[] = {
	{ "until", "WHEN", "away until then: 2026-12-24 (the end of that day) or \"2026-12-24 09:00\"" },
	{ "on", NULL, "away until somebody says otherwise" },
	{ "off", NULL, "not away any more" },
	{ NULL, NULL, NULL },
};

static const struct cli_opt greeting_opts[] = {
	{ "remove", NULL, "take the recording away: the standard words are said again" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_answering_cmds[] = {
	{ "mailbox", "missed", "NAME", 1, 1, NULL, "Show the calls whose caller left nothing", "Where the caller gave up: greeting, search (find me), short, silent, discarded, full, unanswered.",
	  "  umbel mailbox missed alice\n  umbel mailbox missed 201 --json", missed },
	{ "mailbox", "away", "NAME", 1, 1, away_opts, "Show or set whether the owner is away", "Callers are told so, and until when, or hear the temporary greeting where one is recorded.",
	  "  umbel mailbox away alice\n  umbel mailbox away alice --until 2026-12-24\n  umbel mailbox away alice --off", away },
	{ "mailbox", "greeting", "NAME KIND [FILE.wav]", 2, 3, greeting_opts, "Set a greeting from a WAV file, or take it away",
	  "KIND is name (how the owner is called), personal, busy, closed (after hours), away (temporary), or rule.RULE for one of its answering rules.",
	  "  umbel mailbox greeting alice busy busy.wav\n  umbel mailbox greeting alice rule.customers hello.wav\n  umbel mailbox greeting alice busy --remove", greeting },
	{ "mailbox", "rules", "NAME", 1, 1, NULL, "Show the answering rules of a mailbox", "In the order in which they are tried, and what is wrong with them.",
	  "  umbel mailbox rules alice", rules },
	{ NULL },
};
