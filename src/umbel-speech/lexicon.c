/* SPDX-License-Identifier: Apache-2.0 */
/* lexicon.c  The word list, in memory as it lies on the disk with an index; and the rules for what it doesn't hold. */
#include "umbel-speech/lexicon.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <flite/flite.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "umbel-speech/espeak.h"
#include "voice/speak.h"

/* flite's lexicon has no header. */
cst_lexicon *cmu_lex_init(void);

enum { DICT_MAX = 64 << 20 };

struct lexicon {
	const char *p;     /* mapped */
	size_t n;
	uint32_t *line;    /* where each begins, by word */
	size_t lines;
};

static pthread_mutex_t flite_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- the word list ---- */
/* The word of a line without the number of its variant: "read(2) R EH D" is of "read". */
static struct text word_of(const struct lexicon *l, uint32_t at, struct text *phones)
{
	const char *end = memchr(l->p + at, '\n', l->n - at);
	struct text line = text_make(l->p + at, end ? (size_t)(end - l->p) - at : l->n - at), word, rest;
	(void)text_cut(line, ' ', &word, &rest);
	if (phones)
		*phones = text_trim(rest);
	size_t variant = text_rfind(word, '(');
	return variant != SIZE_MAX && variant > 0 ? text_head(word, variant) : word;
}

static int compare(struct text a, struct text b)
{
	int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return d ? d : a.n < b.n ? -1 : a.n > b.n;
}

static int by_word(const void *a, const void *b, void *arg)
{
	const uint32_t *x = a, *y = b;
	int d = compare(word_of(arg, *x, NULL), word_of(arg, *y, NULL));
	return d ? d : *x < *y ? -1 : 1;
}

static int index_lines(struct lexicon *l)
{
	size_t room = 0;
	for (const char *p = l->p; p && p < l->p + l->n; p = memchr(p, '\n', l->n - (size_t)(p - l->p)), p = p ? p + 1 : NULL)
		room++;
	l->line = mem_zalloc(room + 1, sizeof *l->line);
	if (!l->line)
		return ENOMEM;
	for (const char *p = l->p; p && p < l->p + l->n; p = memchr(p, '\n', l->n - (size_t)(p - l->p)), p = p ? p + 1 : NULL)
		if (*p != '\n' && *p != ';')
			l->line[l->lines++] = (uint32_t)(p - l->p);
	qsort_r(l->line, l->lines, sizeof *l->line, by_word, l);
	return l->lines ? 0 : EPROTO;
}

int lexicon_open(struct lexicon **lp, const char *dict)
{
	struct stat st;
	struct lexicon *l = mem_zalloc(1, sizeof *l);
	if (!l)
		return ENOMEM;
	int fd = open(dict, O_RDONLY | O_CLOEXEC), err = fd < 0 ? errno : 0;
	if (!err && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > DICT_MAX))
		err = EPROTO;
	if (!err) {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		l->n = (size_t)st.st_size;
		l->p = p == MAP_FAILED ? NULL : p;
		err = l->p ? index_lines(l) : ENOMEM;
	}
	if (fd >= 0)
		close(fd);
	if (err)
		lexicon_close(l);
	else
		*lp = l;
	return err;
}

void lexicon_close(struct lexicon *l)
{
	if (!l)
		return;
	if (l->p)
		munmap((void *)(uintptr_t)l->p, l->n);
	mem_free(l->line);
	mem_free(l);
}

void lexicon_add(struct lexicon_prons *p, const char *phones)
{
	if (!*phones || p->n == LEXICON_VARIANTS || strlen(phones) >= LEXICON_PHONES)
		return;
	for (unsigned i = 0; i < p->n; i++)
		if (strcmp(p->v[i], phones) == 0)
			return;
	text_fill(p->v[p->n++], LEXICON_PHONES, phones);
}

bool lexicon_listed(const struct lexicon *l, const char *word, struct lexicon_prons *p)
{
	struct text w = text_of(word), phones;
	size_t from = 0, to = l->lines;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (compare(word_of(l, l->line[mid], NULL), w) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	unsigned before = p->n;
	for (; from < l->lines && text_eq(word_of(l, l->line[from], &phones), w); from++) {
		char v[LEXICON_PHONES];
		if (!text_copy(phones, v, sizeof v))
			lexicon_add(p, v);
	}
	return p->n > before;
}

/* ---- flite ---- */
static void by_flite(const char *word, struct lexicon_prons *p)
{
	static cst_lexicon *lex;
	char phones[LEXICON_PHONES] = "/";
	size_t n = 1;
	pthread_mutex_lock(&flite_lock);
	if (!lex)
		lex = cmu_lex_init();
	cst_val *v = lex ? lex_lookup(lex, word, NULL, NULL) : NULL;
	for (const cst_val *i = v; i && n + 6 < sizeof phones; i = val_cdr(i)) {
		const char *s = val_string(val_car(i));
		if (strncmp(s, "ax", 2) == 0)
			s = "ah";
		for (; *s && !isdigit((unsigned char)*s) && n + 3 < sizeof phones; s++)
			phones[n++] = (char)toupper((unsigned char)*s);
		phones[n++] = ' ';
	}
	if (v)
		delete_val(v);
	pthread_mutex_unlock(&flite_lock);
	phones[n++] = '/';
	char checked[LEXICON_PHONES];
	if (lexicon_phones(text_make(phones, n), checked, sizeof checked))
		lexicon_add(p, checked);
}

/* ---- batches ---- */
struct wanted {
	struct hash_entry entry;
	struct wanted *next;
	char key[LEXICON_WORD + 16], word[LEXICON_WORD], language[8];
	struct lexicon_prons prons;
	char accent[LEXICON_ACCENTS][LEXICON_PHONES];
	bool listed;
};

struct lexicon_batch {
	const struct lexicon *lexicon;
	struct hash *words;
	struct wanted *first;
};

int lexicon_batch_open(struct lexicon_batch **bp, const struct lexicon *l)
{
	struct lexicon_batch *b = mem_zalloc(1, sizeof *b);
	if (!b)
		return ENOMEM;
	b->lexicon = l;
	int err = hash_create(&b->words, 256);
	if (err)
		mem_free(b);
	else
		*bp = b;
	return err;
}

void lexicon_batch_close(struct lexicon_batch *b)
{
	if (!b)
		return;
	for (struct wanted *w = b->first, *next; w; w = next) {
		next = w->next;
		mem_free(w);
	}
	hash_destroy(b->words);
	mem_free(b);
}

/* "de" of "de-DE"; English is "" (its rules are asked in any case). */
static void short_language(const char *language, char *dst, size_t size)
{
	size_t n = 0;
	while (isalpha((unsigned char)language[n]) && n + 1 < size && n < 3) {
		dst[n] = text_lower(language[n]);
		n++;
	}
	dst[n] = '\0';
	if (strcmp(dst, "en") == 0)
		*dst = '\0';
}

static void key_of(char *dst, size_t size, const char *word, const char *language)
{
	char l[8];
	short_language(language, l, sizeof l);
	text_print(dst, size, "%s/%s", word, l);
}

int lexicon_want(struct lexicon_batch *b, const char *word, const char *language)
{
	char key[LEXICON_WORD + 16];
	key_of(key, sizeof key, word, language);
	if (hash_find(b->words, text_of(key)))
		return 0;
	struct wanted *w = mem_zalloc(1, sizeof *w);
	if (!w)
		return ENOMEM;
	text_fill(w->key, sizeof w->key, key);
	text_fill(w->word, sizeof w->word, word);
	short_language(language, w->language, sizeof w->language);
	int err = hash_add(b->words, &w->entry, text_of(w->key));
	if (err) {
		mem_free(w);
		return err;
	}
	w->next = b->first;
	b->first = w;
	w->listed = lexicon_listed(b->lexicon, word, &w->prons);
	return 0;
}

struct asked {
	struct wanted **v;
	size_t n;
	enum lexicon_accent accent;
};

static void take_ipa(size_t i, struct text ipa, void *arg)
{
	struct asked *a = arg;
	char phones[LEXICON_PHONES];
	if (i >= a->n || !lexicon_from_ipa(ipa, a->accent == LEXICON_BRITISH, phones, sizeof phones))
		return;
	if (!a->v[i]->listed || a->accent == LEXICON_NATIVE)
		lexicon_add(&a->v[i]->prons, phones);
	text_fill(a->v[i]->accent[a->accent], sizeof a->v[i]->accent[0], phones);
}

/* espeak-ng's word for all words of the language; "": for all words. */
static void ask_espeak(struct lexicon_batch *b, const char *language, const char *voice, enum lexicon_accent accent)
{
	struct buf words;
	struct asked a = { .accent = accent };
	size_t room = hash_count(b->words);
	a.v = mem_zalloc(room + 1, sizeof(*a.v));
	buf_init(&words, 8 << 20);
	for (struct wanted *w = b->first; a.v && w; w = w->next) {
		if (*language && strcmp(w->language, language) != 0)
			continue;
		a.v[a.n++] = w;
		buf_str(&words, w->word);
		buf_char(&words, '\n');
	}
	if (a.n && !buf_error(&words))
		(void)espeak_run(voice, buf_as_text(&words), take_ipa, &a); /* without it the others must do */
	buf_free(&words);
	mem_free(a.v);
}

void lexicon_find(struct lexicon_batch *b)
{
	char done[16][8];
	unsigned n_done = 0;
	for (struct wanted *w = b->first; w; w = w->next)
		if (!w->listed)
			by_flite(w->word, &w->prons);
	ask_espeak(b, "", "en-us", LEXICON_AMERICAN);
	ask_espeak(b, "", "en-gb", LEXICON_BRITISH);
	for (struct wanted *w = b->first; w && n_done < sizeof done / sizeof *done; w = w->next) {
		unsigned i = 0;
		while (i < n_done && strcmp(done[i], w->language) != 0)
			i++;
		if (i < n_done || !*w->language)
			continue;
		text_fill(done[n_done++], sizeof *done, w->language);
		ask_espeak(b, w->language, w->language, LEXICON_NATIVE);
	}
}

const struct lexicon_prons *lexicon_get(const struct lexicon_batch *b, const char *word, const char *language)
{
	char key[LEXICON_WORD + 16];
	key_of(key, sizeof key, word, language);
	struct hash_entry *e = hash_find(b->words, text_of(key));
	return e ? &HASH_MEMBER(e, struct wanted, entry)->prons : NULL;
}

const char *lexicon_accented(const struct lexicon_batch *b, const char *word, const char *language, enum lexicon_accent accent)
{
	char key[LEXICON_WORD + 16];
	key_of(key, sizeof key, word, language);
	struct hash_entry *e = hash_find(b->words, text_of(key));
	const struct wanted *w = e ? HASH_MEMBER(e, struct wanted, entry) : NULL;
	return w && *w->accent[accent] ? w->accent[accent] : NULL;
}

/* ---- names ---- */
unsigned lexicon_words(struct text name, char (*words)[LEXICON_WORD], unsigned max)
{
	static const char *const digits[] = { "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine" };
	char utf8[512], plain[512];
	unsigned n = 0;
	size_t at = 0;
	if (text_copy(text_head(name, sizeof utf8 - 1), utf8, sizeof utf8))
		return 0;
	speak_fold(utf8, plain, sizeof plain);
	for (const char *p = plain;; p++) {
		char c = text_lower(*p);
		bool letter = (c >= 'a' && c <= 'z') || (c == '\'' && at > 0);
		if (letter && n < max && at + 1 < LEXICON_WORD)
			words[n][at++] = c;
		if (letter)
			continue;
		if (at) {
			words[n][at] = '\0';
			at = 0;
			n++;
		}
		if (c >= '0' && c <= '9' && n < max)
			text_fill(words[n++], LEXICON_WORD, digits[c - '0']);
		if (!c)
			return n;
	}
}
