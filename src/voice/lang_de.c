/* SPDX-License-Identifier: Apache-2.0 */
/* lang_de.c  German: "zweihundert dreiundvierzig"; one hundred is "hundert", one thousand "tausend". */
#include "voice/lang.h"
#include "voice/say.h"

static void thousands(struct say_seq *q, unsigned n, enum lang_gender g)
{
	if (n % 100 == 1 && n > 1) { /* "hundert ein tausend" */
		lang_plain_below_1000(q, n - 1, g);
		say_prompt(q, "digits/joined");
	} else if (n > 1) {
		lang_plain_below_1000(q, n, g);
	}
	say_prompt(q, "digits/thousand");
}

static void number(struct say_seq *q, uint32_t n, enum lang_gender g)
{
	lang_groups(q, n, g, thousands, lang_plain_below_1000);
}

const struct lang lang_de = { "de", 24, number, lang_plain_count, lang_no_time, lang_clock, lang_date, lang_when };
