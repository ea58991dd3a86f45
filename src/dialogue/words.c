/* SPDX-License-Identifier: Apache-2.0 */
/* words.c  The table of words.def. */
#include "dialogue/words.h"

const char *dlg_words(enum dlg_words w)
{
	static const char *const text[] = {
#define WORDS(name, text) [DLG_SAYS_##name] = text,
#include "dialogue/words.def"
#undef WORDS
	};
	return text[w];
}
