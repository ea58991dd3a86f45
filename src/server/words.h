/* SPDX-License-Identifier: Apache-2.0 */
/* words.h  Parts of sentences that this folder says to operators, from words.def. */
#ifndef SERVER_WORDS_H
#define SERVER_WORDS_H

enum server_words {
#define WORDS(name, text) SERVER_SAYS_##name,
#include "server/words.def"
#undef WORDS
};
const char *server_words(enum server_words w);

#endif
