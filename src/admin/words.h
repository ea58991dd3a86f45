/* SPDX-License-Identifier: Apache-2.0 */
/* words.h  Parts of sentences that this folder says to operators, from words.def. */
#ifndef ADMIN_WORDS_H
#define ADMIN_WORDS_H

enum admin_words {
#define WORDS(name, text) ADMIN_HINT_##name,
#include "admin/words.def"
#undef WORDS
};
const char *admin_words(enum admin_words w);

#endif
