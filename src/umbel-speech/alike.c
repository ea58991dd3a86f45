/* SPDX-License-Identifier: Apache-2.0 */
/* alike.c  Books of names, looked through instead of listened for. */
#include "umbel-speech/alike.h"
#include <errno.h>
#include <stdlib.h>
#include "base/hash.h"
#include "base/mem.h"
#include "base/phones.h"
#include "umbel-speech/book.h"
#include "umbel-speech/tongue.h"
#include "voice/speak.h"
#include "voice/speaker.h"

enum { LINE = 1024, FIELDS = 4, PAIRS_MAX = 2000, BUCKET_MAX = 24 /* one sound of so many names says nothing about two of them */ };

/* ---- reading ---- */
struct names {
	struct speech_entry v[SPEECH_ENTRIES_MAX];
	char line[SPEECH_ENTRIES_MAX][LINE];
	size_t n;
};

static int take_line(struct names *s, char *line)
{
	const char *field[FIELDS] = { "", "", "", "" };
	unsigned n = 0;
	uint32_t id;
	line[strcspn(line, "\n")] = '\0';
	for (char *rest = line; n < FIELDS && rest;)
		field[n++] = strsep(&rest, "\t");
	if (n < 3 || text_u32(text_of(field[0]), UINT32_MAX, &id))
		return EPROTO;
	s->v[s->n++] = (struct speech_entry){ .id = id, .kind = SPEECH_PERSON, .language = text_head(text_of(field[1]), SPEECH_LANGUAGE_MAX),
		                              .name = text_head(text_of(field[2]), SPEECH_NAME_MAX), .pronunciation = text_head(text_of(field[3]), SPEECH_NAME_MAX) };
	return 0;
}

static int read_book(struct book **bp, const struct lexicon *lex, FILE *in)
{
	struct names *s = mem_zalloc(1, sizeof *s);
	struct buf body;
	struct speech_learn l;
	int err = s ? 0 : ENOMEM;
	while (!err && s->n < SPEECH_ENTRIES_MAX && fgets(s->line[s->n], LINE, in))
		err = take_line(s, s->line[s->n]);
	buf_init(&body, SPEECH_BODY_MAX);
	if (!err) {
		speech_put_learn(&body, 1, s->v, s->n);
		err = buf_error(&body) ? buf_error(&body) : s->n && !speech_get_learn(&l, body.p, body.n) ? book_create(bp, lex, &l, NULL) : EINVAL;
	}
	buf_free(&body);
	mem_free(s);
	return err;
}

/* ---- how they sound ---- */
int alike_pronounce(const struct lexicon *lex, FILE *in, FILE *out)
{
	struct book *b = NULL;
	uint32_t id;
	int err = read_book(&b, lex, in);
	if (err && err != EINVAL)
		return err;
	for (size_t i = 0; b && book_said(b, i, &id); i++)
		fprintf(out, "%u %s\n", id, book_said(b, i, &id));
	fputs("end\n", out);
	mem_unref(b);
	return 0;
}

/* ---- which sound alike ---- */
/* Sounds of one letter are taken for each other on a telephone. */
static const struct {
	const char *sounds;
	char as;
} kinds[] = {
	{ "B P D T G K ", 'p' }, { "M N NG ", 'm' }, { "F TH S HH ", 'f' }, { "V DH Z ", 'v' }, { "SH ZH CH JH ", 's' }, { "IH IY EH EY ", 'i' },
	{ "AA AO AH OW ", 'a' }, { "AE EH AH ", 'e' }, { "UH UW ", 'u' }, { "AW OW ", 'o' }, { "L R W ", 'l' }, { "ER AO ", 'r' },
};

struct seen {
	uint64_t key; /* the sounds with one of them as its kind */
	uint32_t id;
	uint32_t sound; /* which one it was */
};
struct pair {
	uint32_t a, b;
	bool same;
};
struct search {
	struct seen *seen;
	struct pair *pair;
	size_t n_seen, room_seen, n_pairs, room_pairs;
};

static int more(void **v, size_t *room, size_t n, size_t size)
{
	if (n < *room)
		return 0;
	size_t want = *room ? 2 * *room : 1024;
	void *p = mem_realloc(*v, want * size);
	if (!p)
		return ENOMEM;
	*v = p;
	*room = want;
	return 0;
}

static int add_pair(struct search *s, uint32_t a, uint32_t b, bool same)
{
	if (a == b)
		return 0;
	int err = more((void **)&s->pair, &s->room_pairs, s->n_pairs, sizeof *s->pair);
	if (!err)
		s->pair[s->n_pairs++] = (struct pair){ a < b ? a : b, a < b ? b : a, same };
	return err;
}

static int add_seen(struct search *s, const char *phones, size_t at, size_t n, char kind, uint32_t id)
{
	static const uint8_t fixed[16] = "umbel alike";
	char key[LEXICON_PHONES + 4];
	int err = more((void **)&s->seen, &s->room_seen, s->n_seen, sizeof *s->seen);
	if (err || text_print(key, sizeof key, "%.*s*%c%s", (int)at, phones, kind, phones + at + n))
		return err;
	s->seen[s->n_seen++] = (struct seen){ hash_siphash(fixed, key, strlen(key)), id, (uint32_t)hash_siphash(fixed, phones + at, n) };
	return 0;
}

static int see(struct search *s, const char *phones, uint32_t id)
{
	int err = 0;
	for (size_t at = 0, n; phones[at] && !err; at += n + (phones[at + n] == ' ')) {
		char sound[8];
		n = strcspn(phones + at, " ");
		text_print(sound, sizeof sound, "%.*s ", (int)n, phones + at);
		for (size_t k = 0; k < sizeof kinds / sizeof *kinds && !err; k++) {
			const char *in = strstr(kinds[k].sounds, sound);
			if (in && (in == kinds[k].sounds || in[-1] == ' '))
				err = add_seen(s, phones, at, n, kinds[k].as, id);
		}
	}
	return err;
}

static int by_key(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	return x->key != y->key ? (x->key < y->key ? -1 : 1) : x->id < y->id ? -1 : x->id > y->id;
}

static int by_pair(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	return x->a != y->a ? (x->a < y->a ? -1 : 1) : x->b != y->b ? (x->b < y->b ? -1 : 1) : (int)y->same - (int)x->same;
}

static int near_ones(struct search *s)
{
	int err = 0;
	qsort(s->seen, s->n_seen, sizeof *s->seen, by_key);
	for (size_t i = 0, to; i < s->n_seen && !err; i = to) {
		for (to = i + 1; to < s->n_seen && s->seen[to].key == s->seen[i].key; to++)
			;
		for (size_t a = i; a < to && to - i <= BUCKET_MAX; a++)
			for (size_t b = a + 1; b < to && !err; b++)
				if (s->seen[a].sound != s->seen[b].sound)
					err = add_pair(s, s->seen[a].id, s->seen[b].id, false);
	}
	return err;
}

static int same_ones(struct search *s, const struct book *b)
{
	int err = 0;
	for (unsigned n = 0; n < book_names(b) && !err; n++) {
		unsigned count;
		const uint32_t *ids = book_owners(b, n, &count);
		for (unsigned i = 0; i + 1 < count && !err; i++)
			err = add_pair(s, ids[i], ids[i + 1], true);
	}
	return err;
}

static void print_pairs(struct search *s, FILE *out)
{
	size_t n = 0, told = 0;
	qsort(s->pair, s->n_pairs, sizeof *s->pair, by_pair);
	for (size_t i = 0; i < s->n_pairs; i++)
		if (!n || s->pair[n - 1].a != s->pair[i].a || s->pair[n - 1].b != s->pair[i].b)
			s->pair[n++] = s->pair[i];
	for (unsigned same = 2; same-- > 0;)
		for (size_t i = 0; i < n && told < PAIRS_MAX; i++)
			if (s->pair[i].same == same) {
				fprintf(out, "%s %u %u\n", same ? "same" : "near", s->pair[i].a, s->pair[i].b);
				told++;
			}
	if (n > told)
		fprintf(out, "more %zu\n", n - told);
}

int alike_pairs(const struct lexicon *lex, FILE *in, FILE *out)
{
	struct book *b = NULL;
	struct search s = { 0 };
	const char *phones;
	uint32_t id;
	int err = read_book(&b, lex, in);
	if (err == EINVAL)
		err = 0; /* nobody */
	for (size_t i = 0; b && !err && (phones = book_said(b, i, &id)) != NULL; i++)
		err = see(&s, phones, id);
	if (b && !err)
		err = same_ones(&s, b);
	if (!err)
		err = near_ones(&s);
	if (!err) {
		print_pairs(&s, out);
		fputs("end\n", out);
	}
	mem_free(s.seen);
	mem_free(s.pair);
	mem_unref(b);
	return err;
}

/* ---- as sound ---- */
static void put(uint8_t *p, uint32_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

int alike_say(FILE *in, FILE *out)
{
	char line[LINE];
	int16_t *pcm;
	size_t n;
	uint8_t head[44] = "RIFF....WAVEfmt ";
	if (!fgets(line, sizeof line, in))
		return EINVAL;
	line[strcspn(line, "\n")] = '\0';
	char voice[SPEAKER_VOICE_MAX + 1] = "";
	struct text language, text = text_of(line);
	if (text_find(text, '\t') != SIZE_MAX) {
		(void)text_cut(text, '\t', &language, &text);
		speaker_voice_of(language, voice);
	}
	int err = *voice && !phones_meant(text) ? tongue_say(voice, text, &pcm, &n) : speak_pcm(&pcm, &n, text.p);
	if (err)
		return err;
	put(head + 4, (uint32_t)(36 + 2 * n), 4);
	put(head + 16, 16, 4);
	put(head + 20, 1, 2);
	put(head + 22, 1, 2);
	put(head + 24, MEDIA_RATE, 4);
	put(head + 28, 2 * MEDIA_RATE, 4);
	put(head + 32, 2, 2);
	put(head + 34, 16, 2);
	memcpy(head + 36, "data", 4);
	put(head + 40, (uint32_t)(2 * n), 4);
	err = fwrite(head, sizeof head, 1, out) == 1 && fwrite(pcm, sizeof *pcm, n, out) == n ? 0 : EIO;
	mem_free(pcm);
	return err;
}
