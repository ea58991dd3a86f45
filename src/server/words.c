/* SPDX-License-Identifier: Apache-2.0 */
/* words.c  The table of words.def. */
#include "server/words.h"

const char *server_words(enum server_words w)
{
	static const char *const text[] = {
#define WORDS(name, text) [SERVER_SAYS_##name] = text,
#include "server/words.def"
#undef WORDS
	};
	return text[w];
}
