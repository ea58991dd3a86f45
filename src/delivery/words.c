/* SPDX-License-Identifier: Apache-2.0 */
/* words.c  The table of words.def. */
#include "delivery/words.h"

const char *lamp_words(enum lamp_words w)
{
	static const char *const text[] = {
#define WORDS(name, text) [LAMP_SAYS_##name] = text,
#include "delivery/words.def"
#undef WORDS
	};
	return text[w];
}
