/* SPDX-License-Identifier: Apache-2.0 */
/* hear-prompts.c  Which sentence of several is this? Each prompt of a pack is heard through the product's own front end and decoded with a grammar of whole
 * sentences that all have the same chance.
 *
 *   hear-prompts PACK MODEL < SENTENCES
 *
 * SENTENCES: "name TAB heard TAB name name ... TAB word word ...": `heard` is the prompt whose sound is listened to ("-": none), the names are of those
 * that it might be as well. A word is its pronunciation, phones of the model joined by "+" or, behind "/", of the International Phonetic Alphabet; several are parted by "|".
 * A line for each sound: name, what was understood (the same name where several sentences sound alike), score of a frame, ms, ms of sound
 * at the beginning and the end that are silent, loudest frame in dB. */
#include <errno.h>
#include <math.h>
#include <pocketsphinx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "media/g711.h"
#include "umbel-speech/front.h"
#include "umbel-speech/lexicon.h"
#include "voice/pack.h"

enum { SENTENCES = 1024, LINE = 16384, PHONES = 4096, FRAME = 80 };

static struct sentence {
	char *name, *heard, *against, *phones; /* phones: of the first pronunciations, to know those that sound alike */
	unsigned words;
} sentence[SENTENCES];
static unsigned n_sentences;

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "hear-prompts: %s: %s\n", what, why);
	exit(1);
}

/* ---- the grammar ---- */
/* "AE+N" or "/en" as phones "AE N". */
static bool phones_of(const char *word, char *dst, size_t size)
{
	if (word[0] == '/')
		return lexicon_from_ipa(text_of(word + 1), false, dst, size);
	size_t n = strlen(word);
	if (!n || n >= size)
		return false;
	for (size_t i = 0; i <= n; i++)
		dst[i] = word[i] == '+' ? ' ' : word[i];
	return true;
}

/* Writes the word's pronunciations; false when it has none. */
static bool add_word(FILE *dict, struct sentence *s, char *word, char *all, size_t size)
{
	char phones[512];
	unsigned n = 0;
	for (char *rest = word, *one; (one = strsep(&rest, "|")) != NULL;) {
		if (!phones_of(one, phones, sizeof phones))
			continue;
		if (n++)
			fprintf(dict, "s%u_%u(%u) %s\n", (unsigned)(s - sentence), s->words, n, phones);
		else
			fprintf(dict, "s%u_%u %s\n", (unsigned)(s - sentence), s->words, phones);
		size_t at = strlen(all);
		if (n == 1)
			snprintf(all + at, size - at, "%s ", phones);
	}
	s->words += n > 0;
	return n > 0;
}

static void read_sentences(FILE *dict)
{
	static char line[LINE], all[PHONES];
	while (n_sentences < SENTENCES && fgets(line, sizeof line, stdin)) {
		char *rest = line, *words;
		line[strcspn(line, "\n")] = '\0';
		struct sentence *s = &sentence[n_sentences];
		*s = (struct sentence){ .name = strdup(strsep(&rest, "\t")), .heard = strdup(rest ? strsep(&rest, "\t") : "-"),
			                  .against = strdup(rest ? strsep(&rest, "\t") : "") };
		all[0] = '\0';
		for (words = rest; words && *words;) {
			char *word = strsep(&words, " ");
			if (*word)
				add_word(dict, s, word, all, sizeof all);
		}
		if (!s->words)
			fail(s->name, "it has no words");
		s->phones = strdup(all);
		n_sentences++;
	}
}

static int number_of(const char *name)
{
	for (unsigned i = 0; i < n_sentences; i++)
		if (strcmp(sentence[i].name, name) == 0)
			return (int)i;
	fail(name, "there is no such sentence");
	return -1;
}

/* The path of one sentence, through states of its own from *state on. */
static void add_path(fsg_model_t *fsg, int i, int *state)
{
	char word[32];
	for (unsigned k = 0; k < sentence[i].words; k++) {
		snprintf(word, sizeof word, "s%d_%u", i, k);
		int from = k ? (*state)++ : 0, to = k + 1 < sentence[i].words ? *state : 1;
		fsg_model_trans_add(fsg, from, to, 0, fsg_model_word_add(fsg, word));
	}
}

/* A sentence and those that it is told apart from. */
static void use_grammar(ps_decoder_t *ps, const struct sentence *s)
{
	int which[SENTENCES], n = 0, state = 2;
	unsigned states = 2;
	char *list = strdup(s->against), *rest = list;
	which[n++] = (int)(s - sentence);
	for (char *name; n < SENTENCES && (name = strsep(&rest, " ")) != NULL;)
		if (*name)
			which[n++] = number_of(name);
	for (int i = 0; i < n; i++)
		states += sentence[which[i]].words;
	fsg_model_t *fsg = fsg_model_init("sentences", ps_get_logmath(ps), 6.5f, (int)states);
	for (int i = 0; i < n; i++)
		add_path(fsg, which[i], &state);
	fsg->start_state = 0;
	fsg->final_state = 1;
	if (ps_set_fsg(ps, "sentences", fsg) || ps_set_search(ps, "sentences"))
		fail(s->name, "the decoder does not take its grammar");
	fsg_model_free(fsg);
	free(list);
}

static ps_decoder_t *decoder(const char *model, const char *dict, const char *fillers)
{
	static const char *const files[][2] = { { "-mdef", "mdef" }, { "-mean", "means" }, { "-var", "variances" }, { "-tmat", "transition_matrices" },
		                                { "-sendump", "sendump" } };
	static const char *const fixed[] = { "-feat", "1s_c_d_dd", "-svspec", "0-12/13-25/26-38", "-agc", "none", "-cmn", "none", "-varnorm", "no", "-samprate", "16000",
		                             "-lowerf", "130", "-upperf", "6800", "-nfilt", "25", "-transform", "dct", "-lifter", "22", "-logfn", "/dev/null", "-bestpath", "no",
		                             /* an ear of another language must not give up early */
		                             "-beam", "1e-200", "-pbeam", "1e-200", "-wbeam", "1e-160", "-wip", "1.0", "-silprob", "1e-50" };
	static char path[5][512];
	const char *argv[64] = { "hear-prompts" };
	int argc = 1;
	for (unsigned i = 0; i < 5; i++) {
		snprintf(path[i], sizeof path[i], "%s/en-us/%s", model, files[i][1]);
		argv[argc++] = files[i][0];
		argv[argc++] = path[i];
	}
	argv[argc++] = "-dict";
	argv[argc++] = dict;
	argv[argc++] = "-fdict"; /* silence alone: noise would take the place of words that are hard to understand */
	argv[argc++] = fillers;
	for (unsigned i = 0; i < sizeof fixed / sizeof *fixed; i++)
		argv[argc++] = fixed[i];
	cmd_ln_t *config = cmd_ln_parse_r(NULL, ps_args(), argc, (char **)(uintptr_t)argv, TRUE);
	ps_decoder_t *ps = config ? ps_init(config) : NULL;
	if (!ps)
		fail(model, "the decoder does not take this model");
	return ps;
}

/* ---- hearing ---- */
static double power_db(const int16_t *pcm, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)pcm[i] * pcm[i];
	return sum > 0 ? 10 * log10(sum / (double)n / (32768.0 * 32768.0)) : -99;
}

static void silence_around(const int16_t *pcm, size_t n, unsigned *before, unsigned *behind, double *loudest)
{
	size_t first = n, last = 0;
	*loudest = -99;
	for (size_t i = 0; i + FRAME <= n; i += FRAME) {
		double db = power_db(pcm + i, FRAME);
		if (db > *loudest)
			*loudest = db;
		if (db > -45 && first == n)
			first = i;
		if (db > -45)
			last = i + FRAME;
	}
	*before = (unsigned)(first / 8);
	*behind = (unsigned)((n - last) / 8);
}

/* The number of the sentence that fits best; -1: none. */
static int understood(ps_decoder_t *ps, struct front *front, const int16_t *pcm, size_t n, double *score)
{
	float (*cep)[FRONT_CEPSTRA];
	size_t frames;
	int32 total = 0;
	*score = 0;
	if (front_cepstra(front, pcm, n, &cep, &frames))
		return -1;
	mfcc_t **row = mem_alloc(frames * sizeof *row);
	for (size_t i = 0; row && i < frames; i++)
		row[i] = cep[i];
	int is = -1;
	if (row && ps_start_utt(ps) >= 0) {
		ps_process_cep(ps, row, (int)frames, FALSE, TRUE);
		ps_end_utt(ps);
		const char *hyp = ps_get_hyp(ps, &total);
		if (hyp && hyp[0] == 's')
			is = atoi(hyp + 1);
		*score = frames ? (double)total / (double)frames : 0;
	}
	mem_free(row);
	mem_free(cep);
	return is;
}

static bool find_entry(const struct pack *pk, const char *name, struct pack_entry *e)
{
	for (uint32_t i = 0; i < pk->entries; i++) {
		*e = pack_entry_at(pk, i);
		if (text_is(e->name, name))
			return true;
	}
	return false;
}

static void *read_file(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END))
		fail(path, strerror(errno));
	*n = (size_t)ftell(f);
	rewind(f);
	void *p = malloc(*n + 1);
	if (!p || fread(p, 1, *n, f) != *n)
		fail(path, "it cannot be read");
	fclose(f);
	return p;
}

static FILE *temporary(char *path)
{
	int fd = mkstemp(path);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!f)
		fail(path, strerror(errno));
	return f;
}

static void hear(ps_decoder_t *ps, struct front *front, const struct pack *pk, const struct sentence *s)
{
	struct pack_entry e;
	if (!find_entry(pk, s->heard, &e)) {
		printf("%s\tmissing\t0\t0\t0\t0\t-99\n", s->name);
		return;
	}
	int16_t *pcm = malloc(e.samples * sizeof *pcm + 1);
	if (!pcm)
		fail(s->name, "no memory");
	g711_decode(MEDIA_PCMU, pcm, e.pcmu, e.samples);
	unsigned before, behind;
	double loudest, score;
	silence_around(pcm, e.samples, &before, &behind, &loudest);
	size_t n = e.samples < FRONT_RATE * (FRONT_SECONDS_MAX - 1) ? e.samples : FRONT_RATE * (FRONT_SECONDS_MAX - 1);
	use_grammar(ps, s);
	int is = understood(ps, front, pcm, n, &score);
	const char *name = is < 0 ? "-" : strcmp(sentence[is].phones, s->phones) == 0 ? s->name : sentence[is].name;
	printf("%s\t%s\t%.1f\t%u\t%u\t%u\t%.0f\n", s->name, name, score, e.samples / 8, before, behind, loudest);
	fflush(stdout);
	free(pcm);
}

int main(int argc, char **argv)
{
	char path[] = "/tmp/hear-prompts-XXXXXX", fillers[] = "/tmp/hear-prompts-XXXXXX";
	struct front *front;
	struct pack pk;
	size_t n;
	if (argc != 3) {
		fprintf(stderr, "usage: hear-prompts PACK MODEL < SENTENCES\n");
		return 2;
	}
	void *bytes = read_file(argv[1], &n);
	if (pack_open(&pk, bytes, n, true))
		fail(argv[1], "it is no prompt pack");
	FILE *dict = temporary(path), *silence = temporary(fillers);
	read_sentences(dict);
	fclose(dict);
	fputs("<s> SIL\n</s> SIL\n<sil> SIL\n", silence);
	fclose(silence);
	if (front_open(&front, NULL))
		fail("the front end", "it cannot be made");
	ps_decoder_t *ps = decoder(argv[2], path, fillers);
	unlink(path);
	unlink(fillers);
	for (unsigned i = 0; i < n_sentences; i++)
		if (strcmp(sentence[i].heard, "-") != 0)
			hear(ps, front, &pk, &sentence[i]);
	return 0;
}
