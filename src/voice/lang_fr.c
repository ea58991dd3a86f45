/* SPDX-License-Identifier: Apache-2.0 */
/* lang_fr.c  French: "deux cents", but "deux cent un"; "vingt et une heures". Numbers that end in one, but for 11, 71 and 91, have a
 * feminine form: digits/N-f.                                                                                             */
#include <string.h>
#include "voice/lang.h"
#include "voice/say.h"

static void below_100(struct say_seq *q, unsigned n, enum lang_gender g)
{
	bool une = g == LANG_FEMININE && n % 10 == 1 && n != 11 && n != 71 && n != 91;
	lang_print(q, une ? "digits/%u-f" : "digits/%u", n);
}

static void below_1000(struct say_seq *q, unsigned n, enum lang_gender g)
{
	if (n >= 200)
		lang_print(q, "digits/%u", n / 100);
	if (n >= 100)
		say_prompt(q, n >= 200 && n % 100 == 0 ? "digits/hundreds" : "digits/hundred");
	if (n % 100 || !n)
		below_100(q, n % 100, g);
}

static void thousands(struct say_seq *q, unsigned n, enum lang_gender g)
{
	(void)g;
	if (n > 1)
		below_1000(q, n, LANG_ALONE);
	say_prompt(q, "digits/thousand");
}

static void number(struct say_seq *q, uint32_t n, enum lang_gender g)
{
	lang_groups(q, n, g, thousands, below_1000);
}

static void count(struct say_seq *q, uint32_t n, const char *adjective, const char *singular, const char *plural)
{
	(void)plural;
	bool feminine = !strcmp(singular, "hour") || !strcmp(singular, "minute") || !strcmp(singular, "second");
	lang_count(q, n, feminine ? LANG_FEMININE : LANG_MASCULINE, adjective, singular);
}

const struct lang lang_fr = { "fr", 24, number, count, lang_no_time, lang_clock, lang_date, lang_when };
