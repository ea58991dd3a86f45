/* SPDX-License-Identifier: Apache-2.0 */
/* words.h  Parts of sentences that this folder says to operators, from words.def. */
#ifndef CERT_WORDS_H
#define CERT_WORDS_H

enum cert_words {
#define WORDS(name, text) CERT_SAYS_##name,
#include "cert/words.def"
#undef WORDS
};
const char *cert_words(enum cert_words w);

#endif
