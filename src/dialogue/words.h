/* SPDX-License-Identifier: Apache-2.0 */
/* words.h  Parts of sentences that this folder says to operators, from words.def. */
#ifndef DIALOGUE_WORDS_H
#define DIALOGUE_WORDS_H

enum dlg_words {
#define WORDS(name, text) DLG_SAYS_##name,
#include "dialogue/words.def"
#undef WORDS
};
const char *dlg_words(enum dlg_words w);

#endif
