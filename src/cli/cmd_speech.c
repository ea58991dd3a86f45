/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_speech.c  umbel speech pronounce: how a name is understood when callers say it, and how it is said to them. */
#include <errno.h>
#include "base/phones.h"
#include "cli/alike.h"

static int tell_sounds(struct cli *c, const char *name, struct text out)
{
	struct text line, id, sounds;
	json_t *array = json_array();
	while (text_cut(out, '\n', &line, &out))
		if (text_cut(line, ' ', &id, &sounds))
			json_array_append_new(array, json_sprintf("/%.*s/", TEXT_FMT(sounds)));
	int code = json_array_size(array) ? CLI_GOOD : CLI_NO;
	if (c->json) {
		json_t *o = json_pack("{s:s, s:O}", "name", name, "sounds", array);
		cli_print_json(c, o);
		json_decref(o);
	} else if (code == CLI_GOOD) {
		size_t i;
		const json_t *s;
		fprintf(c->out, "%s is understood as\n", name);
		json_array_foreach(array, i, s)
			fprintf(c->out, "  %s\n", json_string_value(s));
	} else {
		fprintf(c->err, "umbel: nobody can pronounce \"%s\"; give it a pronunciation: words that sound like it, or sounds between slashes\n", name);
	}
	json_decref(array);
	return code;
}

static int write_sound(struct cli *c, const char *language, const char *text, const char *path)
{
	struct buf in, out;
	buf_init(&in, 4096);
	buf_init(&out, 16 << 20);
	buf_printf(&in, "%s\t%s\n", language ? language : "", text);
	int code = cli_speech_ask("--say", buf_as_text(&in), &out);
	if (code != CLI_GOOD)
		code = cli_error(c, CLI_NO, "\"%s\" cannot be said%s", text, language ? "; is espeak-ng installed, and does it know that language (espeak-ng --voices)?" : "");
	else
		code = cli_write_file(c, path, out.p, out.n, 0644);
	buf_free(&in);
	buf_free(&out);
	return code;
}

static int pronounce(struct cli *c)
{
	const char *name = c->pos[0], *language = cli_opt(c, "language"), *wav = cli_opt(c, "wav");
	struct text wrong;
	struct buf in, out;
	char sounds[400];
	bool given = phones_meant(text_of(name));
	if (strchr(name, '\t') || strchr(name, '\n') || strlen(name) > 180)
		return cli_error(c, CLI_USAGE, "give one line of at most 180 characters, without tabs");
	if (given && !phones_parse(text_of(name), true, sounds, sizeof sounds, &wrong))
		return wrong.n ? cli_error(c, CLI_NO, "\"%.*s\" is no sound; there are %s", TEXT_FMT(wrong), phones_all()) :
		                 cli_error(c, CLI_NO, "write sounds between slashes, as in /AE1 N SH M IH1 T/");
	buf_init(&in, 4096);
	buf_init(&out, 1 << 20);
	buf_printf(&in, "1\t%s\t%s\t%s\n", language ? language : "en-US", given ? "name" : name, given ? name : "");
	int code = cli_speech_ask("--pronounce", buf_as_text(&in), &out);
	if (code != CLI_GOOD)
		code = cli_error(c, CLI_NO, "umbel-speech, or the word list of pocketsphinx-en-us, is not here");
	else
		code = tell_sounds(c, name, buf_as_text(&out));
	buf_free(&in);
	buf_free(&out);
	return code == CLI_GOOD && wav ? write_sound(c, language, name, wav) : code;
}

static const struct cli_opt opts[] = {
	{ "language", "TAG", "the name's own language, as in de-DE: its rules are asked, too" },
	{ "wav", "FILE", "write how it is said to callers; - is standard output" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_speech_cmds[] = {
	{ "speech", "pronounce", "NAME", 1, 1, opts, "Show how a spoken name is understood, and hear how it is said",
	  "NAME is a name, or what would stand in the setting pronunciation: words that sound like it, or sounds of CMUdict between slashes.\n"
	  "No server is needed.",
	  "  umbel speech pronounce 'Anna Schmidt' --language de-DE\n  umbel speech pronounce '/AE1 N SH M IH1 T/' --wav an.wav", pronounce },
	{ NULL },
};
