/* SPDX-License-Identifier: Apache-2.0 */
/* lang_it.c  Italian: "duecento quarantatré", "mille", "duemila"; one hundred is "cento". */
#include "voice/lang.h"
#include "voice/say.h"

static void below_1000(struct say_seq *q, unsigned n, enum lang_gender g)
{
	(void)g;
	if (n >= 200)
		lang_print(q, "digits/%u", n / 100);
	if (n >= 100)
		say_prompt(q, "digits/hundred");
	if (n % 100 || !n)
		lang_print(q, "digits/%u", n % 100);
}

static void thousands(struct say_seq *q, unsigned n, enum lang_gender g)
{
	if (n > 1)
		below_1000(q, n, g);
	say_prompt(q, n > 1 ? "digits/thousands" : "digits/thousand");
}

static void number(struct say_seq *q, uint32_t n, enum lang_gender g)
{
	lang_groups(q, n, g, thousands, below_1000);
}

static void count(struct say_seq *q, uint32_t n, const char *adjective, const char *singular, const char *plural)
{
	(void)plural;
	lang_count(q, n, LANG_ALONE, adjective, singular);
}

const struct lang lang_it = { "it", number, count, lang_no_time, lang_clock, lang_date, lang_when };
