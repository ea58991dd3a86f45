/* SPDX-License-Identifier: Apache-2.0 */
/* hear.c  Has the product's own recogniser listen to a list of recordings on a telephone line; bench/speech/run makes figures of what comes out.
 *
 *   hear FRONT MODEL ENTRIES SNR < UTTERANCES
 *
 * FRONT: the trained front end, "stock", or "library": pocketsphinx as it comes (library.h). ENTRIES: "id TAB kind TAB language TAB name" lines. SNR in dB, 99 for none. UTTERANCES: "key TAB file"
 * lines. For each of them a line: key, how sure (0 rejected, 1 to be confirmed, 2 direct), fit and margin, milliseconds of CPU and of
 * sound, and up to three ids. The line of each utterance is drawn by its key: the same key, the same noise, for every front end. Behind an
 * utterance "1234-1", "1234-2" is the same caller once more: it is heard twice, alone and, as "1234-2+", together with the first, of which he has
 * refused what was offered.                                                                                                          */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/hash.h"
#include "base/mem.h"
#include "channel.h"
#include "library.h"
#include "umbel-speech/recog.h"

enum { LINE = 4096, FIELDS = 4 };

static void fail(const char *what, int err)
{
	fprintf(stderr, "hear: %s: %s\n", what, strerror(err));
	exit(1);
}

static unsigned cut(char *line, char *field[FIELDS])
{
	unsigned n = 0;
	line[strcspn(line, "\n")] = '\0';
	for (char *rest = line; n < FIELDS && rest;)
		field[n++] = strsep(&rest, "\t");
	return n;
}

static struct book *read_book(const struct lexicon *lex, const char *path)
{
	static char text[SPEECH_ENTRIES_MAX][160];
	static struct speech_entry entry[SPEECH_ENTRIES_MAX];
	static struct speech_learned learned;
	char line[LINE], *field[FIELDS];
	size_t n = 0;
	struct speech_learn learn;
	struct book *book = NULL;
	FILE *f = fopen(path, "re");
	if (!f)
		fail(path, errno);
	while (n < SPEECH_ENTRIES_MAX && fgets(line, sizeof line, f)) {
		if (cut(line, field) != FIELDS)
			fail(path, EPROTO);
		snprintf(text[n], sizeof text[n], "%s\n%s", field[2], field[3]);
		char *name = strchr(text[n], '\n');
		entry[n] = (struct speech_entry){ .id = (uint32_t)atoi(field[0]), .kind = !strcmp(field[1], "dept") ? SPEECH_DEPARTMENT : !strcmp(field[1], "command") ? SPEECH_COMMAND : SPEECH_PERSON,
			                          .name = text_of(name + 1), .language = text_make(text[n], (size_t)(name - text[n])) };
		n++;
	}
	fclose(f);
	struct buf body;
	buf_init(&body, SPEECH_BODY_MAX);
	speech_put_learn(&body, 1, entry, n);
	int err = speech_get_learn(&learn, body.p, body.n);
	if (!err)
		err = book_create(&book, lex, &learn, &learned);
	if (err)
		fail("the book", err);
	buf_free(&body);
	return book;
}

static struct library *library;

static void hear(struct recog *r, const char *key, const char *more, const int16_t *pcm, size_t n, const struct speech_memory *before, struct speech_result *result)
{
	struct recog_score score = { 0 };
	clock_t began = clock();
	int err = library ? library_hear(library, pcm, n, result) : recog_hear(r, pcm, n, before, result, &score);
	if (err)
		fail(key, err);
	double ms = (double)(clock() - began) * 1000 / CLOCKS_PER_SEC;
	printf("%s%s\t%d\t%.3f\t%.2f\t%.1f\t%.0f", key, more, result->sure, (double)score.fit, (double)score.margin, ms, (double)n / 8);
	for (unsigned i = 0; i < result->n; i++)
		printf("\t%u", result->v[i].id);
	puts("");
}

static void listen(struct recog *r, const char *key, const char *path, float snr)
{
	static struct {
		char key[64];
		struct speech_memory memory;
	} before;
	static const uint8_t zero[16];
	struct sound wide, narrow;
	struct speech_result result;
	struct chance chance = chance_of(hash_siphash(zero, key, strlen(key)), 5);
	struct channel line = { .low_hz = 300, .high_hz = 3400, .snr_db = snr, .pink = chance_between(&chance, 0, 1), .level_dbfs = chance_between(&chance, -32, -18), .law = 0 };
	int err = sound_load(&wide, path);
	if (!err)
		err = sound_resample(&narrow, wide.x, wide.n, 2);
	int16_t *pcm = err ? NULL : mem_alloc((narrow.n + 1) * sizeof *pcm);
	if (!err)
		err = pcm ? channel_pass(pcm, narrow.x, narrow.n, &line, &chance) : ENOMEM;
	if (err)
		fail(path, err);
	hear(r, key, "", pcm, narrow.n, NULL, &result);
	size_t n = strlen(key);
	if (n > 2 && !strcmp(key + n - 2, "-2") && strlen(before.key) == n && !strncmp(before.key, key, n - 1)) {
		struct speech_result again;
		hear(r, key, "+", pcm, narrow.n, &before.memory, &again);
	}
	snprintf(before.key, sizeof before.key, "%s", key);
	before.memory = result.memory;
	if (result.sure != SPEECH_REJECT)
		speech_refuse(&before.memory, &result);
	mem_free(wide.x);
	mem_free(narrow.x);
	mem_free(pcm);
}

int main(int argc, char **argv)
{
	char line[LINE], dict[512], adapted[512], *field[FIELDS];
	struct lexicon *lex;
	struct front *front;
	struct recog *r;
	if (argc != 5) {
		fprintf(stderr, "usage: hear FRONT MODEL ENTRIES SNR < UTTERANCES\n");
		return 2;
	}
	snprintf(dict, sizeof dict, "%s/cmudict-en-us.dict", argv[2]);
	int err = lexicon_open(&lex, dict);
	if (err)
		fail(dict, err);
	err = front_open(&front, strcmp(argv[1], "stock") && strcmp(argv[1], "library") ? argv[1] : NULL);
	if (err)
		fail(argv[1], err);
	struct book *book = read_book(lex, argv[3]);
	struct acoustic *model;
	char folder[512];
	int stem = (int)strlen(argv[1]) - (int)strlen(".front");
	snprintf(adapted, sizeof adapted, "%.*s", stem > 0 ? stem : 0, argv[1]);
	snprintf(folder, sizeof folder, "%s/en-us", argv[2]);
	err = acoustic_open(&model, folder, stem > 0 ? adapted : NULL);
	if (err)
		fail(folder, err);
	clock_t began = clock();
	err = recog_open(&r, book, model, front);
	if (!strcmp(argv[1], "library") && !(library = library_open(argv[2], book)))
		err = EIO;
	if (err)
		fail("the recogniser", err);
	fprintf(stderr, "hear: %u entries; the decoder was ready after %.0f ms of CPU\n", book_entries(book), (double)(clock() - began) * 1000 / CLOCKS_PER_SEC);
	while (fgets(line, sizeof line, stdin))
		if (cut(line, field) >= 2)
			listen(r, field[0], field[1], (float)atof(argv[4]));
	if (library)
		library_close(library);
	recog_close(r);
	mem_unref(model);
	mem_unref(book);
	front_close(front);
	lexicon_close(lex);
	return 0;
}
