/* SPDX-License-Identifier: Apache-2.0 */
/* words.h  Parts of sentences that this folder says to operators, from words.def. */
#ifndef SIP_WORDS_H
#define SIP_WORDS_H

enum sip_words {
#define WORDS(name, text) SIP_SAYS_##name,
#include "sip/words.def"
#undef WORDS
};
const char *sip_words(enum sip_words w);

#endif
