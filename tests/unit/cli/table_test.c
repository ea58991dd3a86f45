/* SPDX-License-Identifier: Apache-2.0 */
/* The real table: every command can be understood, and the manual knows it. */
#include "ut.h"
#include <ctype.h>
#include <string.h>
#include "base/text.h"
#include "cli/cli.h"

static const struct cli_cmd *at(unsigned n)
{
	for (unsigned g = 0; cli_groups[g]; g++)
		for (const struct cli_cmd *x = cli_groups[g]; x->noun; x++)
			if (n-- == 0)
				return x;
	return NULL;
}

static void every_command_is_explained(void **state)
{
	(void)state;
	const struct cli_cmd *x;
	for (unsigned i = 0; (x = at(i)) != NULL; i++) {
		assert_non_null(x->run);
		assert_non_null(x->args);
		assert_true(x->min <= x->max);
		assert_true(isupper((unsigned char)x->summary[0]));
		assert_int_not_equal(x->summary[strlen(x->summary) - 1], '.');
		char call[100];
		text_print(call, sizeof call, "umbel %s%s%s", x->noun, x->verb ? " " : "", x->verb ? x->verb : "");
		if (!strstr(x->examples, call))
			fail_msg("%s: its examples do not show it", call);
		for (const struct cli_opt *o = x->opts; o && o->name; o++)
			assert_true(o->help && *o->help);
	}
}

static void no_command_stands_twice(void **state)
{
	(void)state;
	const struct cli_cmd *x, *y;
	for (unsigned i = 0; (x = at(i)) != NULL; i++)
		for (unsigned k = i + 1; (y = at(k)) != NULL; k++)
			if (strcmp(x->noun, y->noun) == 0 && (!x->verb || (y->verb && strcmp(x->verb, y->verb) == 0))) /* alone only as the last row */
				fail_msg("umbel %s %s stands twice", x->noun, x->verb ? x->verb : "");
}

static void the_manual_knows_every_command(void **state)
{
	(void)state;
	static char page[100000];
	FILE *f = fopen(UMBEL_MANUAL, "r");
	assert_non_null(f);
	size_t n = fread(page, 1, sizeof page - 1, f);
	fclose(f);
	page[n] = '\0';
	const struct cli_cmd *x;
	for (unsigned i = 0; (x = at(i)) != NULL; i++) {
		char call[100];
		text_print(call, sizeof call, "Cm %s%s%s", x->noun, x->verb ? " " : "", x->verb ? x->verb : "");
		if (!strstr(page, call) && !(x->verb && strcmp(x->verb, "set-pin") == 0))
			fail_msg("man/umbel.1 lacks: %s", call);
		if (strcmp(x->noun, "call") == 0 && strcmp(x->verb, "test") == 0)
			continue; /* its options are too many; its --help has them */
		for (const struct cli_opt *o = x->opts; o && o->name; o++) {
			text_print(call, sizeof call, "Fl -%s", o->name);
			if (!strstr(page, call))
				fail_msg("man/umbel.1 lacks the option --%s of %s", o->name, x->noun);
		}
	}
}

UT_MAIN(UT(every_command_is_explained), UT(no_command_stands_twice), UT(the_manual_knows_every_command))
