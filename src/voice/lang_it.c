/* SPDX-License-Identifier: Apache-2.0 */
/* lang_it.c  Italian: "duecento quarantatré", "mille", "duemila"; one hundred is "cento". */
#include "voice/lang.h"
#include "voice/say.h"

static void thousands(struct say_seq *q, unsigned n, enum lang_gender g)
{
	if (n > 1)
		lang_plain_below_1000(q, n, g);
	say_prompt(q, n > 1 ? "digits/thousands" : "digits/thousand");
}

static void number(struct say_seq *q, uint32_t n, enum lang_gender g)
{
	lang_groups(q, n, g, thousands, lang_plain_below_1000);
}

const struct lang lang_it = { "it", 24, number, lang_plain_count, lang_no_time, lang_clock, lang_date, lang_when };
