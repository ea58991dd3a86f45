/* SPDX-License-Identifier: Apache-2.0 */
/* words.c  The table of words.def. */
#include "admin/words.h"

const char *admin_words(enum admin_words w)
{
	static const char *const text[] = {
#define WORDS(name, text) [ADMIN_HINT_##name] = text,
#include "admin/words.def"
#undef WORDS
	};
	return text[w];
}
