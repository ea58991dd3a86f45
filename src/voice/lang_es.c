/* SPDX-License-Identifier: Apache-2.0 */
/* lang_es.c  Spanish: "cien", but "ciento uno"; the hundreds and the ones agree with what is counted: "veintiún mensajes", "doscientas
 * horas". Such forms are digits/N-m and digits/N-f.                                                                      */
#include <string.h>
#include "voice/lang.h"
#include "voice/say.h"

static void below_1000(struct say_seq *q, unsigned n, enum lang_gender g)
{
	unsigned hundreds = n / 100, rest = n % 100;
	if (hundreds == 1)
		say_prompt(q, rest ? "digits/100-and" : "digits/100");
	else if (hundreds)
		lang_print(q, g == LANG_FEMININE ? "digits/%u-f" : "digits/%u", hundreds * 100);
	if (!rest && n)
		return;
	bool ends_in_one = rest % 10 == 1 && rest != 11;
	lang_print(q, !ends_in_one || g == LANG_ALONE ? "digits/%u" : g == LANG_FEMININE ? "digits/%u-f" : "digits/%u-m", rest);
}

static void thousands(struct say_seq *q, unsigned n, enum lang_gender g)
{
	if (n > 1)
		below_1000(q, n, g == LANG_FEMININE ? LANG_FEMININE : LANG_MASCULINE); /* "veintiún mil" */
	say_prompt(q, "digits/thousand");
}

static void number(struct say_seq *q, uint32_t n, enum lang_gender g)
{
	lang_groups(q, n, g, thousands, below_1000);
}

static void count(struct say_seq *q, uint32_t n, const char *adjective, const char *singular, const char *plural)
{
	(void)plural;
	lang_count(q, n, !strcmp(singular, "hour") ? LANG_FEMININE : LANG_MASCULINE, adjective, singular);
}

const struct lang lang_es = { "es", 24, number, count, lang_no_time, lang_clock, lang_date, lang_when };
