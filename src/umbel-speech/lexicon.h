/* SPDX-License-Identifier: Apache-2.0 */
/* lexicon.h  How words are pronounced, as phones of the acoustic model ("AE N AH"): from the model's word list; what is not in it by flite's lexicon and
 * rules and by espeak-ng (a program: nothing of it is linked), in English and in the language of the name. A lexicon may be read by several threads;
 * a batch belongs to one. */
#ifndef SPEECH_LEXICON_H
#define SPEECH_LEXICON_H
#include <stdbool.h>
#include "base/text.h"

enum { LEXICON_VARIANTS = 12, LEXICON_PHONES = 200 /* bytes of one pronunciation */, LEXICON_WORD = 48 };

struct lexicon;
/* `dict`: "word PH ON ES" lines, sorted or not. 0; ENOENT, EPROTO (nothing in it), ENOMEM. */
int lexicon_open(struct lexicon **lp, const char *dict);
void lexicon_close(struct lexicon *l);

struct lexicon_prons {
	unsigned n;
	char v[LEXICON_VARIANTS][LEXICON_PHONES];
};
/* Adds what is not there yet and has room. */
void lexicon_add(struct lexicon_prons *p, const char *phones);
/* Of the word list; false if it isn't there. */
bool lexicon_listed(const struct lexicon *l, const char *word, struct lexicon_prons *p);

/* Words that are wanted together, so that espeak-ng runs once a language. */
struct lexicon_batch;
int lexicon_batch_open(struct lexicon_batch **bp, const struct lexicon *l);
void lexicon_batch_close(struct lexicon_batch *b);
/* `word` as lexicon_words() gives it; language "de-DE" or "". Twice is once. */
int lexicon_want(struct lexicon_batch *b, const char *word, const char *language);
void lexicon_find(struct lexicon_batch *b);
/* After lexicon_find(); NULL: not wanted before. */
const struct lexicon_prons *lexicon_get(const struct lexicon_batch *b, const char *word, const char *language);
/* As one kind of speaker says it, by espeak-ng's rules: an American, a Briton, one whose language it is. So that a name can be said by one speaker
 * throughout. NULL where there are none. */
enum lexicon_accent { LEXICON_AMERICAN, LEXICON_BRITISH, LEXICON_NATIVE, LEXICON_ACCENTS };
const char *lexicon_accented(const struct lexicon_batch *b, const char *word, const char *language, enum lexicon_accent accent);

/* A name as words: folded to lower case ASCII, cut at what is no letter, digits spelt. At most max; what is longer than a word may be is cut. */
unsigned lexicon_words(struct text name, char (*words)[LEXICON_WORD], unsigned max);
/* "/AE N AH/": the phones between, or false if one of them isn't the model's. */
bool lexicon_phones(struct text t, char *dst, size_t size);
/* Phones of the International Phonetic Alphabet in UTF-8, as espeak-ng writes them, to the model's. British: a lone "a" is that of "cat". False: nothing
 * is left. */
bool lexicon_from_ipa(struct text ipa, bool british, char *dst, size_t size);

#endif
