/* SPDX-License-Identifier: Apache-2.0 */
/* book.h  A grammar before it meets a decoder: what may be said, as pronunciations, and whose each of them is. Each different pronunciation is one
 * word of the decoder's dictionary, a whole name: names that sound alike so are one word with several owners. An object
 * (mem_ref, mem_unref), immutable once made; any thread. */
#ifndef SPEECH_BOOK_H
#define SPEECH_BOOK_H
#include <stddef.h>
#include <stdint.h>
#include "umbel-speech/lexicon.h"
#include "voice/speech_msg.h"

struct book;

/* `l` is read to its end. 0; EINVAL: nothing in it can be pronounced; ENOMEM. *learned (may be NULL) says what sounds alike. */
int book_create(struct book **bp, const struct lexicon *lex, struct speech_learn *l, struct speech_learned *learned);
uint64_t book_key(const struct book *b);
unsigned book_entries(const struct book *b);
/* The dictionary for the decoder: names "n0", "n1" ... and the words of sentences around them ("w_please"). */
struct text book_dict(const struct book *b);
unsigned book_names(const struct book *b);
/* How name n is said: "AE N S M IH TH". They are in the order of these texts. */
struct text book_phones(const struct book *b, unsigned n);
/* How a word of a sentence is said; nothing where it has fewer variants, or isn't known. */
struct text book_word(const struct book *b, const char *word, unsigned variant);
/* The ids whose pronunciation name n is. */
const uint32_t *book_owners(const struct book *b, unsigned n, unsigned *count);
/* Sentences: 0 begins, each a list of words ended by NULL, what comes before a name and what after it. */
const char *const *book_before(unsigned i); /* NULL behind the last */
const char *const *book_after(unsigned i);
/* Pronunciation i and whose it is; NULL behind the last. In no order that means anything, but those of one sound are beside each other. */
const char *book_said(const struct book *b, size_t i, uint32_t *id);
/* Nothing but commands: no sentence begins before them. */
bool book_commands(const struct book *b);
/* Whether the word list knew that word, so that the dictionary holds it. */
bool book_holds(const struct book *b, const char *word);

#endif
