/* SPDX-License-Identifier: Apache-2.0 */
/* words.c  The table of words.def. */
#include "cert/words.h"

const char *cert_words(enum cert_words w)
{
	static const char *const text[] = {
#define WORDS(name, text) [CERT_SAYS_##name] = text,
#include "cert/words.def"
#undef WORDS
	};
	return text[w];
}
