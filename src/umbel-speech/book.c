/* SPDX-License-Identifier: Apache-2.0 */
/* book.c  Entries to pronunciations to a dictionary. */
#include "umbel-speech/book.h"
#include <errno.h>
#include "base/buf.h"
#include "base/mem.h"

enum { WORDS_A_NAME = 8, DICT_MAX = 32 << 20 };

/* One pronunciation of one entry. */
struct said {
	char *phones;
	uint32_t id;
};

struct book {
	uint64_t key;
	unsigned entries, names;
	bool others; /* than commands */
	struct said *said;   /* by phones, then id */
	size_t n_said, room;
	uint32_t *owner;     /* as said[], ids alone */
	size_t *from;        /* names + 1: where each name's owners begin */
	const char **phones; /* of each name */
	struct buf dict;
};

/* ---- sentences ---- */
#define S(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const char *const *const before[] = {
	S("um"), S("uh"), S("hello"), S("call"), S("um", "call"), S("dial"), S("please", "call"), S("get", "me"), S("i'd", "like", "to", "speak", "to"),
	S("i'd", "like", "to", "speak", "with"), S("i'd", "like", "to", "talk", "to"), S("i", "would", "like", "to", "speak", "to"), S("i", "would", "like", "to", "talk", "to"),
	S("i", "want", "to", "speak", "to"), S("i", "want", "to", "talk", "to"), S("can", "i", "speak", "to"), S("could", "i", "speak", "to"), S("could", "i", "speak", "with"),
	S("may", "i", "speak", "to"), S("put", "me", "through", "to"), S("can", "you", "put", "me", "through", "to"), S("could", "you", "put", "me", "through", "to"),
	S("connect", "me", "to"), S("please", "connect", "me", "to"), S("transfer", "me", "to"), S("i'm", "looking", "for"),
};
static const char *const *const after[] = { S("please"), S("thanks"), S("thank", "you") };

const char *const *book_before(unsigned i)
{
	return i < sizeof before / sizeof *before ? before[i] : NULL;
}

const char *const *book_after(unsigned i)
{
	return i < sizeof after / sizeof *after ? after[i] : NULL;
}

/* ---- pronunciations ---- */
static int add_said(struct book *b, uint32_t id, const char *phones)
{
	if (b->n_said == b->room) {
		size_t room = b->room ? 2 * b->room : 256;
		struct said *v = mem_realloc(b->said, room * sizeof *v);
		if (!v)
			return ENOMEM;
		b->said = v;
		b->room = room;
	}
	char *copy = mem_strdup(phones);
	if (!copy)
		return ENOMEM;
	b->said[b->n_said++] = (struct said){ copy, id };
	return 0;
}

static bool join(char *dst, const char *phones)
{
	size_t n = strlen(dst), len = strlen(phones);
	if (n + len + 2 > LEXICON_PHONES)
		return false;
	if (n)
		dst[n++] = ' ';
	memcpy(dst + n, phones, len + 1);
	return true;
}

typedef char name_words[WORDS_A_NAME][LEXICON_WORD];

/* All words as one kind of speaker says them. */
static void add_accent(struct lexicon_prons *all, const struct lexicon_batch *batch, const name_words words, unsigned n, const char *language, enum lexicon_accent accent)
{
	char phones[LEXICON_PHONES] = "";
	bool whole = n > 0;
	for (unsigned i = 0; i < n && whole; i++) {
		const char *one = lexicon_accented(batch, words[i], language, accent);
		whole = one && join(phones, one);
	}
	if (whole)
		lexicon_add(all, phones);
}

/* A name by the rules of its own language and of two Englishes; then the variants of its words combined, the first ones first. */
static int add_name(struct book *b, const struct lexicon_batch *batch, const struct speech_entry *e, struct text name)
{
	name_words words;
	char language[SPEECH_LANGUAGE_MAX + 1];
	const struct lexicon_prons *p[WORDS_A_NAME];
	struct lexicon_prons all = { 0 };
	unsigned n = lexicon_words(name, words, WORDS_A_NAME), at[WORDS_A_NAME] = { 0 };
	(void)text_copy(e->language, language, sizeof language);
	for (unsigned i = 0; i < n; i++) {
		p[i] = lexicon_get(batch, words[i], language);
		if (!p[i] || !p[i]->n)
			return 0; /* a word that nobody can pronounce */
	}
	for (unsigned i = 0; i < LEXICON_ACCENTS; i++)
		add_accent(&all, batch, words, n, language, (enum lexicon_accent)i);
	for (unsigned done = 0; n && !done && all.n < LEXICON_VARIANTS;) {
		char phones[LEXICON_PHONES] = "";
		bool fits = true;
		for (unsigned i = 0; i < n; i++)
			fits = fits && join(phones, p[i]->v[at[i]]);
		if (fits)
			lexicon_add(&all, phones);
		unsigned i = n;
		while (i > 0 && ++at[i - 1] == p[i - 1]->n)
			at[--i] = 0;
		done = i == 0;
	}
	int err = 0;
	for (unsigned i = 0; i < all.n && !err; i++)
		err = add_said(b, e->id, all.v[i]);
	return err;
}

static struct text spelt(const struct speech_entry *e)
{
	return e->pronunciation.n ? e->pronunciation : e->name;
}

static int want(struct lexicon_batch *batch, const struct speech_entry *e)
{
	char words[WORDS_A_NAME][LEXICON_WORD], language[SPEECH_LANGUAGE_MAX + 1], phones[LEXICON_PHONES];
	if (lexicon_phones(e->pronunciation, phones, sizeof phones))
		return 0;
	(void)text_copy(e->language, language, sizeof language);
	unsigned n = lexicon_words(spelt(e), words, WORDS_A_NAME);
	int err = 0;
	for (unsigned i = 0; i < n && !err; i++)
		err = lexicon_want(batch, words[i], language);
	return err;
}

static int pronounce(struct book *b, const struct lexicon *lex, struct speech_learn *l)
{
	struct lexicon_batch *batch;
	struct speech_learn again = *l;
	struct speech_entry e;
	char phones[LEXICON_PHONES];
	int err = lexicon_batch_open(&batch, lex);
	if (err)
		return err;
	while (!err && speech_next_entry(&again, &e))
		err = want(batch, &e);
	if (!err)
		lexicon_find(batch);
	while (!err && speech_next_entry(l, &e)) {
		size_t before_it = b->n_said;
		if (lexicon_phones(e.pronunciation, phones, sizeof phones))
			err = add_said(b, e.id, phones);
		else
			err = add_name(b, batch, &e, spelt(&e));
		b->entries += b->n_said > before_it;
		b->others = b->others || e.kind != SPEECH_COMMAND;
	}
	lexicon_batch_close(batch);
	return err;
}

/* ---- the dictionary ---- */
static int by_phones(const void *a, const void *b)
{
	const struct said *x = a, *y = b;
	int d = strcmp(x->phones, y->phones);
	return d ? d : x->id < y->id ? -1 : x->id > y->id;
}

static void note_alike(struct speech_learned *l, uint32_t a, uint32_t b)
{
	for (uint32_t i = 0; i < l->n; i++)
		if ((l->v[i].a == a && l->v[i].b == b) || (l->v[i].a == b && l->v[i].b == a))
			return;
	l->alike++;
	if (l->n < SPEECH_ALIKE_MAX)
		l->v[l->n++] = (struct speech_alike){ a, b };
}

static int number(struct book *b, struct speech_learned *learned)
{
	qsort(b->said, b->n_said, sizeof *b->said, by_phones);
	b->owner = mem_zalloc(b->n_said, sizeof *b->owner);
	b->from = mem_zalloc(b->n_said + 1, sizeof *b->from);
	b->phones = mem_zalloc(b->n_said, sizeof *b->phones);
	if (!b->owner || !b->from || !b->phones)
		return ENOMEM;
	size_t owners = 0;
	for (size_t i = 0; i < b->n_said; i++) {
		bool same = i && strcmp(b->said[i - 1].phones, b->said[i].phones) == 0;
		if (!same) {
			b->from[b->names] = owners;
			b->phones[b->names] = b->said[i].phones;
			buf_printf(&b->dict, "n%u %s\n", b->names++, b->said[i].phones);
		} else if (b->said[i - 1].id == b->said[i].id) {
			continue;
		} else if (learned) {
			note_alike(learned, b->said[i - 1].id, b->said[i].id);
		}
		b->owner[owners++] = b->said[i].id;
	}
	b->from[b->names] = owners;
	return 0;
}

static void add_word(struct book *b, const struct lexicon *lex, const char *word)
{
	struct lexicon_prons p = { 0 };
	if (book_holds(b, word) || !lexicon_listed(lex, word, &p))
		return;
	for (unsigned i = 0; i < p.n && i < 3; i++)
		if (i == 0)
			buf_printf(&b->dict, "w_%s %s\n", word, p.v[i]);
		else
			buf_printf(&b->dict, "w_%s(%u) %s\n", word, i + 1, p.v[i]);
}

struct text book_word(const struct book *b, const char *word, unsigned variant)
{
	char line[80];
	struct text head, rest, all = buf_as_text(&b->dict);
	if (variant)
		text_print(line, sizeof line, "\nw_%s(%u) ", word, variant + 1);
	else
		text_print(line, sizeof line, "\nw_%s ", word);
	size_t at = text_find_text(all, text_of(line));
	if (at == SIZE_MAX)
		return TEXT_NONE;
	(void)text_cut(text_skip(all, at + strlen(line)), '\n', &head, &rest);
	return head;
}

bool book_holds(const struct book *b, const char *word)
{
	char line[80];
	text_print(line, sizeof line, "\nw_%s ", word);
	return text_find_text(buf_as_text(&b->dict), text_of(line)) != SIZE_MAX;
}

static void add_words(struct book *b, const struct lexicon *lex)
{
	buf_char(&b->dict, '\n');
	for (unsigned i = 0; i < sizeof before / sizeof *before; i++)
		for (const char *const *w = before[i]; *w; w++)
			add_word(b, lex, *w);
	for (unsigned i = 0; i < sizeof after / sizeof *after; i++)
		for (const char *const *w = after[i]; *w; w++)
			add_word(b, lex, *w);
}

static void book_free(void *object)
{
	struct book *b = object;
	for (size_t i = 0; i < b->n_said; i++)
		mem_free(b->said[i].phones);
	mem_free(b->said);
	mem_free(b->owner);
	mem_free(b->from);
	mem_free(b->phones);
	buf_free(&b->dict);
}

int book_create(struct book **bp, const struct lexicon *lex, struct speech_learn *l, struct speech_learned *learned)
{
	struct book *b = mem_object(sizeof *b, book_free);
	if (!b)
		return ENOMEM;
	b->key = l->key;
	buf_init(&b->dict, DICT_MAX);
	add_words(b, lex); /* first, where they are found again quickly */
	if (learned)
		*learned = (struct speech_learned){ 0 };
	int err = pronounce(b, lex, l);
	if (!err)
		err = b->n_said ? number(b, learned) : EINVAL;
	if (!err)
		err = buf_error(&b->dict);
	if (learned)
		learned->entries = b->entries;
	if (err)
		mem_unref(b);
	else
		*bp = b;
	return err;
}

uint64_t book_key(const struct book *b)
{
	return b->key;
}

const char *book_said(const struct book *b, size_t i, uint32_t *id)
{
	if (i >= b->n_said)
		return NULL;
	*id = b->said[i].id;
	return b->said[i].phones;
}

bool book_commands(const struct book *b)
{
	return !b->others;
}

unsigned book_entries(const struct book *b)
{
	return b->entries;
}

struct text book_dict(const struct book *b)
{
	return buf_as_text(&b->dict);
}

unsigned book_names(const struct book *b)
{
	return b->names;
}

struct text book_phones(const struct book *b, unsigned n)
{
	return n < b->names ? text_of(b->phones[n]) : TEXT_NONE;
}

const uint32_t *book_owners(const struct book *b, unsigned n, unsigned *count)
{
	*count = n < b->names ? (unsigned)(b->from[n + 1] - b->from[n]) : 0;
	return b->owner + (n < b->names ? b->from[n] : 0);
}
