/* SPDX-License-Identifier: Apache-2.0 */
/* words.h  Parts of sentences that this folder says to operators, from words.def. */
#ifndef DELIVERY_WORDS_H
#define DELIVERY_WORDS_H

enum lamp_words {
#define WORDS(name, text) LAMP_SAYS_##name,
#include "delivery/words.def"
#undef WORDS
};
const char *lamp_words(enum lamp_words w);

#endif
