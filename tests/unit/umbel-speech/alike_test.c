/* SPDX-License-Identifier: Apache-2.0 */
/* Which names sound alike, and how they sound: what umbel asks of the helper. argv: none; the word list of the packages. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include "base/mem.h"
#include "umbel-speech/alike.h"
#include "umbel-speech/work.h"

typedef int (asked_h)(const struct lexicon *lex, FILE *in, FILE *out);

static int ask(asked_h *h, const char *in, char *out, size_t size)
{
	struct lexicon *lex;
	if (work_lexicon(&lex))
		skip();
	FILE *from = fmemopen((void *)(uintptr_t)in, strlen(in), "r"), *to = fmemopen(out, size, "w");
	assert_non_null(from);
	assert_non_null(to);
	int err = h(lex, from, to);
	fclose(from);
	fclose(to);
	lexicon_close(lex);
	return err;
}

static void pairs_are_found(void **state)
{
	(void)state;
	char out[4096] = "";
	assert_int_equal(ask(alike_pairs, "1\ten-US\tAnn Smith\n2\ten-US\tAnne Smyth\t\n3\ten-US\tDan Miller\n4\ten-US\tTan Miller\n5\ten-US\tBo Diddley\n"
	                     "6\ten-US\tX\t/B OW D IH D L IY/\n7\ten-US\tGeraldine Gibson\n7\ten-US\tGerri Gibson\n", out, sizeof out), 0);
	assert_string_equal(out, "same 1 2\nsame 5 6\nnear 3 4\nend\n");
}

static void sounds_are_told(void **state)
{
	(void)state;
	char out[4096] = "";
	assert_int_equal(ask(alike_pronounce, "9\ten-US\tcat\n", out, sizeof out), 0);
	assert_string_equal(out, "9 K AE T\nend\n");
	assert_int_equal(ask(alike_pronounce, "9\ten-US\tcat\tdog\n", out, sizeof out), 0);
	assert_non_null(strstr(out, "9 D AO G\n"));
	assert_int_equal(ask(alike_pronounce, "9\ten-US\t...\n", out, sizeof out), 0); /* nobody can say that */
	assert_string_equal(out, "end\n");
}

static void broken_lines_are_refused(void **state)
{
	(void)state;
	char out[4096] = "";
	assert_int_equal(ask(alike_pairs, "x\ten-US\tcat\n", out, sizeof out), EPROTO);
	assert_int_equal(ask(alike_pairs, "1 en-US cat\n", out, sizeof out), EPROTO);
	assert_int_equal(ask(alike_pairs, "\n", out, sizeof out), EPROTO);
}

/* Thousands, some of them often: fast, and not more lines than anybody reads. */
static void many_names_are_no_trouble(void **state)
{
	(void)state;
	static char in[200000], out[200000];
	size_t n = 0;
	for (unsigned i = 0; i < 3000; i++)
		n += (size_t)snprintf(in + n, sizeof in - n, "%u\ten-US\t%s Miller\n", i, i % 2 ? "Dan" : "Tan");
	assert_int_equal(ask(alike_pairs, in, out, sizeof out), 0);
	unsigned lines = 0;
	for (const char *p = out; *p; p++)
		lines += *p == '\n';
	assert_in_range(lines, 1000, 2002);
	assert_non_null(strstr(out, "\nmore "));
	assert_non_null(strstr(out, "\nend\n"));
}

UT_MAIN(UT(pairs_are_found), UT(sounds_are_told), UT(broken_lines_are_refused), UT(many_names_are_no_trouble))
