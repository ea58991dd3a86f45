/* SPDX-License-Identifier: Apache-2.0 */
/* Outside numbers: off by default, by named groups, digits only. */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "directory/rules.h"

static const char yaml[] =
	"dialplans:\n"
	"  - name: main\n"
	"    outside_line: '9'\n"
	"    country_code: '49'\n"
	"    rules:\n"
	"      - {name: local, pattern: xxxxxx, dial: 9xxxxxx}\n"
	"      - {name: national, pattern: '+49*'}\n"
	"      - {name: world, pattern: '+*'}\n"
	"      - {name: area, pattern: '0xx*', dial: '9077xx*'}\n"
	"      - {name: short, pattern: '*', dial: '1xx'}\n";

static void groups_allow_and_say_what_is_dialled(void **state)
{
	(void)state;
	static const struct {
		const char *group, *number, *dialled; /* NULL: refused */
	} cases[] = {
		{ "local", "123456", "9123456" }, { "local", "12345", NULL }, { "local", "1234567", NULL }, { "local", "12345a", NULL },
		{ "national", "+49301234", "90301234" }, { "national", "0049301234", "90301234" }, { "national", "0301234", "90301234" },
		{ "national", "+43123", NULL }, { "national", "123", NULL }, { "national", "+49*72", NULL }, { "national", "+49", NULL },
		{ "world", "+4312345", "9004312345" }, { "world", "004312345", "9004312345" }, { "world", "+", NULL }, { "world", "+1;ext=5", NULL },
		{ "area", "0301234", "90773" "01234" }, { "area", "03", NULL }, { "short", "5", NULL }, { "short", "567", "156" },
		{ "other", "123456", NULL }, { "LOCAL", "123456", "9123456" }, { "world", "+1234567890123456789012345678901", NULL },
	};
	struct cfg *c = NULL;
	struct cfg_errors e = { 0 };
	assert_int_equal(cfg_parse(&c, "u", text_of(yaml), CFG_WANT_OBJECTS, &e), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char dst[RULE_NUMBER_SIZE] = "";
		const char *groups[] = { cases[i].group };
		struct cfg_strings s = { groups, 1 };
		const struct cfg_call_rule *r = rule_allows(&c->dialplans[0], &s, text_of(cases[i].number), dst);
		if (!r != !cases[i].dialled || (r && strcmp(dst, cases[i].dialled) != 0))
			fail_msg("%s %s: %s \"%s\"", cases[i].group, cases[i].number, r ? "allowed" : "refused", dst);
		struct cfg_strings none = { NULL, 0 };
		assert_null(rule_allows(&c->dialplans[0], &none, text_of(cases[i].number), dst));
	}
	cfg_unref(c);
}

UT_MAIN(UT(groups_allow_and_say_what_is_dialled))
