/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_prompt.c  umbel prompt ...: what callers hear. Sound files are read here and not in the server: it gets samples. */
#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/mem.h"
#include "cli/cli_private.h"
#include "voice/own.h"
#include "voice/prompt.h"
#include "voice/sound_file.h"
#include "voice/speak.h"
#include "voice/wav.h"

enum { PATH_SIZE = 1024, FILES_MAX = OWN_MAX };

static json_t *args_of(struct cli *c, const char *name)
{
	json_t *args = json_object();
	if (name)
		json_object_set_new(args, "name", json_string(name));
	cli_arg_opt(c, args, "language", "language");
	return args;
}

/* ---- list ---- */
static int show_list(struct cli *c, const json_t *r)
{
	json_t *rows = json_deep_copy(json_object_get(r, "prompts"));
	size_t i;
	json_t *p;
	json_array_foreach(rows, i, p) {
		json_object_set_new(p, "length", json_string(cli_duration_ms(cli_int(p, "ms"))));
		json_object_set_new(p, "voice", json_string(cli_true(p, "own") ? "own" : "built in"));
	}
	if (json_array_size(rows))
		cli_table(c, rows, "language:LANGUAGE name:PROMPT voice:VOICE length:LENGTH words:WORDS");
	else
		fprintf(c->out, "There are none. umbel prompt import NAME FILE adds one.\n");
	json_decref(rows);
	return CLI_GOOD;
}

static int list(struct cli *c)
{
	json_t *args = args_of(c, NULL);
	if (cli_opt(c, "own"))
		json_object_set_new(args, "own", json_true());
	return cli_ask_show(c, "prompt.list", args, show_list);
}

/* ---- import ---- */
static int unreadable(struct cli *c, const char *path, int err, const char *why)
{
	if (err == EFBIG)
		return cli_error(c, CLI_NO, "%s: longer than %d seconds; a prompt may have %d", path, (int)SOUND_FILE_SECONDS, (int)OWN_SECONDS);
	if (err == EBADMSG)
		return cli_error(c, CLI_NO, "%s: not a sound file that can be read (%s); WAV, FLAC, Ogg, AIFF and AU are", path, why);
	if (err == ENOTSUP)
		return cli_error(c, CLI_NO, "%s: %s; 1 to 8 channels at 4 to 192 kHz can be used", path, why);
	return cli_error(c, CLI_NO, "%s: %s", path, err == ENODATA ? "there is no sound in it" : strerror(err));
}

static int encode(char **text, const int16_t *pcm, size_t n)
{
	uint8_t *le = mem_alloc(n * 2 + 1);
	*text = mem_alloc(n * 2 / 3 * 4 + 8);
	if (!le || !*text) {
		mem_free(le);
		mem_free(*text);
		return ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		le[2 * i] = (uint8_t)((uint16_t)pcm[i] & 0xff);
		le[2 * i + 1] = (uint8_t)((uint16_t)pcm[i] >> 8);
	}
	EVP_EncodeBlock((unsigned char *)*text, le, (int)(n * 2));
	mem_free(le);
	return 0;
}

/* Dither alone is no sound: callers would wait through it. */
static bool is_audible(const int16_t *pcm, size_t n)
{
	enum { DITHER = 16 };
	for (size_t i = 0; i < n; i++)
		if (pcm[i] > DITHER || pcm[i] < -DITHER)
			return true;
	return false;
}

/* Whether the file has any sound worth saying, levelled; then the server gets it. */
static int import_one(struct cli *c, const char *name, const char *path, json_t **result)
{
	char why[160], *text = NULL;
	int16_t *pcm = NULL;
	size_t n;
	if (!prompt_name_good(name))
		return cli_error(c, CLI_NO, "\"%s\" is no name of a prompt: 1 to 47 of the characters a-z 0-9, with - or / between them", name);
	int err = sound_file_read(path, &pcm, &n, why, sizeof why);
	if (err)
		return unreadable(c, path, err, why);
	if (!is_audible(pcm, n)) {
		mem_free(pcm);
		return cli_error(c, CLI_NO, "%s: nothing can be heard in it", path);
	}
	n = speak_care(pcm, n, "");
	if (n * 2 > OWN_BYTES) {
		mem_free(pcm);
		return cli_error(c, CLI_NO, "%s: %zu seconds; a prompt may have %d", path, n / MEDIA_RATE, (int)OWN_SECONDS);
	}
	err = n ? encode(&text, pcm, n) : ENODATA;
	mem_free(pcm);
	if (err)
		return unreadable(c, path, err, "");
	json_t *args = args_of(c, name);
	cli_arg_opt(c, args, "words", "words");
	json_object_set_new(args, "audio", json_string(text));
	mem_free(text);
	return cli_ask(c, "prompt.import", args, result);
}

/* main/welcome.flac is the prompt main/welcome. */
struct found {
	char name[64], path[PATH_SIZE];
};
struct found_list {
	struct found *v;
	size_t n;
	bool too_many;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static int walk(struct found_list *l, const char *folder, const char *prefix, unsigned depth)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int err = d ? 0 : errno;
	while (!err && (e = readdir(d)) != NULL) {
		char path[PATH_SIZE], name[64];
		struct stat st;
		const char *dot = strrchr(e->d_name, '.');
		if (e->d_name[0] == '.' || text_print(path, sizeof path, "%s/%s", folder, e->d_name) || stat(path, &st))
			continue;
		int stem = dot && !S_ISDIR(st.st_mode) ? (int)(dot - e->d_name) : (int)strlen(e->d_name);
		if (text_print(name, sizeof name, "%s%s%.*s", prefix, *prefix ? "/" : "", stem, e->d_name))
			continue;
		if (S_ISDIR(st.st_mode) && depth < 4) {
			err = walk(l, path, name, depth + 1);
		} else if (S_ISREG(st.st_mode) && l->n == FILES_MAX) {
			l->too_many = true;
			break;
		} else if (S_ISREG(st.st_mode)) {
			struct found *more = mem_realloc(l->v, (l->n + 1) * sizeof *more);
			if (!more) {
				err = ENOMEM;
				break;
			}
			l->v = more;
			text_fill(more[l->n].name, sizeof more->name, name);
			text_fill(more[l->n++].path, sizeof more->path, path);
		}
	}
	if (d)
		closedir(d);
	return err;
}

static int import_folder(struct cli *c, const char *folder)
{
	struct found_list l = { 0 };
	unsigned done = 0;
	int err = walk(&l, folder, "", 0), code = CLI_GOOD;
	if (err || !l.n || l.too_many) {
		mem_free(l.v);
		return cli_error(c, CLI_NO, "%s: %s", folder, err ? strerror(err) : l.n ? "more than 2000 files" : "there are no files in it");
	}
	if (cli_opt(c, "words")) {
		mem_free(l.v);
		return cli_error(c, CLI_USAGE, "--words belongs to one file, not to a folder");
	}
	qsort(l.v, l.n, sizeof *l.v, by_name);
	for (size_t i = 0; i < l.n; i++) {
		json_t *r = NULL;
		int one = import_one(c, l.v[i].name, l.v[i].path, &r);
		json_decref(r);
		if (one == CLI_GOOD)
			done++;
		else
			code = one;
		if (one != CLI_GOOD && one != CLI_NO)
			break; /* no server: the others would fail alike */
		if (!c->json && one == CLI_GOOD)
			fprintf(c->out, "%zu/%zu  %s\n", i + 1, l.n, l.v[i].name);
	}
	json_t *o = json_pack("{s:i, s:i}", "imported", (int)done, "files", (int)l.n);
	if (c->json)
		cli_print_json(c, o);
	else
		fprintf(c->out, "%u of %zu files are prompts now.\n", done, l.n);
	json_decref(o);
	mem_free(l.v);
	return code;
}

static int import(struct cli *c)
{
	json_t *r = NULL;
	if (!c->pos[1])
		return import_folder(c, c->pos[0]);
	int code = import_one(c, c->pos[0], c->pos[1], &r);
	if (code == CLI_GOOD && c->json)
		cli_print_json(c, r);
	else if (code == CLI_GOOD)
		fprintf(c->out, "Callers hear %s for %s (%s) from now on.\n", c->pos[1], cli_text(r, "name"), cli_text(r, "language"));
	json_decref(r);
	return code;
}

/* ---- export ---- */
static int export(struct cli *c)
{
	json_t *r = NULL;
	int code = cli_ask(c, "prompt.export", args_of(c, c->pos[0]), &r);
	if (code != CLI_GOOD)
		return code;
	const char *text = cli_text(r, "audio");
	size_t n = strlen(text), pad = n > 1 && text[n - 1] == '=' ? (text[n - 2] == '=' ? 2u : 1u) : 0;
	uint8_t *le = mem_alloc(n / 4 * 3 + 4);
	int got = le ? EVP_DecodeBlock(le, (const unsigned char *)text, (int)n) : -1;
	size_t samples = got < (int)pad ? 0 : ((size_t)got - pad) / 2;
	int16_t *pcm = samples ? mem_alloc(samples * sizeof *pcm) : NULL;
	for (size_t i = 0; pcm && i < samples; i++)
		pcm[i] = (int16_t)(uint16_t)(le[2 * i] | le[2 * i + 1] << 8);
	int err = pcm ? wav_write(c->pos[1], pcm, samples) : EBADMSG;
	mem_free(pcm);
	mem_free(le);
	if (err)
		code = cli_error(c, CLI_NO, "%s: %s", c->pos[1], strerror(err));
	else if (c->json)
		json_object_del(r, "audio"), json_object_set_new(r, "file", json_string(c->pos[1])), cli_print_json(c, r);
	else
		fprintf(c->out, "%s (%s) is in %s now: \"%s\"\n", cli_text(r, "name"), cli_text(r, "language"), c->pos[1], cli_text(r, "words"));
	json_decref(r);
	return code;
}

/* ---- remove ---- */
static int show_removed(struct cli *c, const json_t *r)
{
	fprintf(c->out, "The recording for %s (%s) is gone; the built-in voice speaks again where it knows the words.\n", cli_text(r, "name"), cli_text(r, "language"));
	return CLI_GOOD;
}

static int remove_own(struct cli *c)
{
	return cli_ask_show(c, "prompt.remove", args_of(c, c->pos[0]), show_removed);
}

#define LANGUAGE { "language", "TAG", "a language, \"de-DE\"; without it the node's own" }
static const struct cli_opt list_opts[] = { LANGUAGE, { "own", NULL, "only your own recordings, of all languages" }, { NULL, NULL, NULL } };
static const struct cli_opt import_opts[] = { LANGUAGE, { "words", "TEXT", "what is said in it, for lists" }, { NULL, NULL, NULL } };
static const struct cli_opt one_opts[] = { LANGUAGE, { NULL, NULL, NULL } };

const struct cli_cmd cli_prompt_cmds[] = {
	{ "prompt", "list", "", 0, 0, list_opts, "List what callers hear, with its words", NULL,
	  "  umbel prompt list --language de\n  umbel prompt list --own", list },
	{ "prompt", "import", "NAME FILE | FOLDER", 1, 2, import_opts, "Let callers hear a recording of your own",
	  "FILE is any sound file (WAV, FLAC, Ogg, AIFF, AU; any rate, mono or more); silence around it is cut, its loudness becomes that of the other\n"
	  "prompts. NAME is a prompt of the list, or a new one for an attendant's greeting. A FOLDER brings all its files: welcome.flac becomes\n"
	  "\"welcome\", main/hours.wav becomes \"main/hours\". All nodes of the store use it within seconds; sentences being said end as they began.",
	  "  umbel prompt import main-welcome welcome.flac --words \"Welcome to Contoso.\"\n  umbel prompt import goodbye tschuess.wav --language de\n  umbel prompt import recordings/",
	  import },
	{ "prompt", "export", "NAME FILE", 2, 2, one_opts, "Write what callers hear into a WAV file", NULL, "  umbel prompt export goodbye goodbye.wav --language fr", export },
	{ "prompt", "remove", "NAME", 1, 1, one_opts, "Take a recording of your own away", NULL, "  umbel prompt remove main-welcome", remove_own },
	{ NULL },
};
