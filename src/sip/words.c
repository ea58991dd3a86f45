/* SPDX-License-Identifier: Apache-2.0 */
/* words.c  The table of words.def. */
#include "sip/words.h"

const char *sip_words(enum sip_words w)
{
	static const char *const text[] = {
#define WORDS(name, text) [SIP_SAYS_##name] = text,
#include "sip/words.def"
#undef WORDS
	};
	return text[w];
}
