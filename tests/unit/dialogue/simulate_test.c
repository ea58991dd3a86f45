/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated calls: what is heard, what is pressed, where they end, and why. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "dialogue/review.h"
#include "dialogue/simulate.h"
#include "world.h"

struct seen {
	char text[8000];
	unsigned ends;
};

static void note(const struct dlg_sim_line *l, void *arg)
{
	struct seen *s = arg;
	size_t at = strlen(s->text);
	if (l->kind == SIM_HOURS)
		snprintf(s->text + at, sizeof s->text - at, "{%s %s %s}", l->attendant, hours_state_name(l->hours->state), l->hours->holiday_name);
	else if (l->kind == SIM_END)
		snprintf(s->text + at, sizeof s->text - at, " => %s %s %s", dlg_sim_end_name(l->end), l->to, l->name);
	else
		snprintf(s->text + at, sizeof s->text - at, l->kind == SIM_KEYS ? " [%s] " : " \"%s\" ", l->text);
	s->ends += l->kind == SIM_END;
}

static int64_t utc(int y, int mo, int d, int h, int mi)
{
	return zone_day_of(y, mo, d) * 86400 + h * 3600 + mi * 60;
}

static void calls_end_where_the_tables_lead(void **state)
{
	(void)state;
	int64_t open = utc(2026, 11, 23, 8, 0), shut = utc(2026, 11, 23, 17, 0), eve = utc(2026, 12, 24, 14, 0);
	const struct {
		const char *attendant;
		int64_t at;
		const char *keys;
		bool silent;
		const char *expect[4];
	} cases[] = {
		{ "house", open, "", false, { "{house open }", "\"Welcome to Example Calls are not recorded.\"", "If you know the extension", "=> waits" } },
		{ "house", open, "1", false, { "[1]", "transferred to Alice Smith", "=> transfer sip:201@example.com Alice Smith" } },
		{ "house", open, "203", false, { "=> transfer sip:203@example.com Carol Abba" } },
		{ "house", open, "0301234", false, { "=> transfer sip:90301234@example.com 90301234" } },
		{ "house", open, "0", false, { "transferred to the operator", "=> transfer sip:200@example.com operator" } },
		{ "house", open, "2", false, { "We are open Monday to Thursday from 08:30 until 12:00 and from 13:00 until 17:00 Friday", "=> waits" } },
		{ "house", open, "#,2222#,#,1", false, { "2 matches. Carol Abba extension 203", "[1]", "=> transfer sip:204@example.com Dave Abba" } },
		{ "house", open, "5,1", false, { "{bar closed }", "The bar is closed.", "=> transfer sip:202@example.com Bob" } },
		{ "house", shut, "1", false, { "{house closed }", "We are closed at the moment.", "=> message carol Carol Abba" } },
		{ "house", eve, "", false, { "{house holiday Christmas}", "Merry Christmas. We are back on Monday." } },
		{ "main", open, "4", false, { "=> log-on" } },
		{ "main", open, "9", false, { "Goodbye.", "=> over" } },
		{ "main", open, "", true, { "I did not hear a key", "=> transfer sip:200@example.com operator" } },
		{ "main", open, "777", false, { "no such extension", "=> waits" } },
		{ "night", open, "", true, { "=> message alice Alice Smith" } },
	};
	struct cfg *cfg = world_cfg();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct seen s = { "", 0 };
		struct dlg_sim_prm prm = { .cfg = cfg, .attendant = cases[i].attendant, .at_s = cases[i].at, .keys = cases[i].keys, .caller = "", .silent = cases[i].silent };
		assert_int_equal(dlg_simulate(&prm, note, &s), 0);
		for (int k = 0; k < 4 && cases[i].expect[k]; k++)
			if (!strstr(s.text, cases[i].expect[k]))
				fail_msg("%s %s: no \"%s\" in:\n%s", cases[i].attendant, cases[i].keys, cases[i].expect[k], s.text);
		assert_int_equal(s.ends, 1);
	}
	cfg_unref(cfg);
}

/* Clocks change in the middle of periods, and a holiday begins at its own midnight, wherever the server stands. */
static void clock_changes_and_midnights_are_those_of_the_zone(void **state)
{
	(void)state;
	static const char yaml[] = "schedules:\n"
		"  - {name: night, time_zone: Europe/Berlin, hours: {sun: '01:30-02:30, 03:30-04:30'}}\n"
		"  - {name: isle, time_zone: Australia/Lord_Howe, hours: {sun: '01:30-02:15'}}\n"
		"  - {name: half, time_zone: Asia/Kolkata, hours: {daily: 09:00-17:00}, holidays: [{name: Republic Day, from: 2026-01-26}]}\n"
		"attendants: [{name: night, schedule: night}, {name: isle, schedule: isle}, {name: half, schedule: half}]\n";
	const struct {
		const char *attendant;
		int64_t at;
		const char *state;
	} cases[] = {
		/* Berlin 2026-03-29: 02:00 becomes 03:00. 01:30 to 02:30 ends with the jump */
		{ "night", utc(2026, 3, 29, 0, 29), "closed" }, { "night", utc(2026, 3, 29, 0, 30), "open" }, { "night", utc(2026, 3, 29, 0, 59), "open" },
		{ "night", utc(2026, 3, 29, 1, 0), "closed" }, { "night", utc(2026, 3, 29, 1, 30), "open" }, { "night", utc(2026, 3, 29, 2, 30), "closed" },
		/* Berlin 2026-10-25: 03:00 becomes 02:00. 02:15 comes twice and is open both times, 02:45 neither */
		{ "night", utc(2026, 10, 25, 0, 15), "open" }, { "night", utc(2026, 10, 25, 0, 45), "closed" }, { "night", utc(2026, 10, 25, 1, 15), "open" },
		{ "night", utc(2026, 10, 25, 1, 45), "closed" }, { "night", utc(2026, 10, 25, 2, 30), "open" },
		/* Lord Howe changes by half an hour: 2026-04-05 02:00 (+11) becomes 01:30 (+10:30) */
		{ "isle", utc(2026, 4, 4, 14, 29), "closed" }, { "isle", utc(2026, 4, 4, 14, 30), "open" }, { "isle", utc(2026, 4, 4, 15, 0), "open" },
		{ "isle", utc(2026, 4, 4, 15, 44), "open" }, { "isle", utc(2026, 4, 4, 15, 45), "closed" },
		/* a holiday at the midnight of a zone of half hours */
		{ "half", utc(2026, 1, 25, 11, 29), "open" }, { "half", utc(2026, 1, 25, 18, 29), "closed" }, { "half", utc(2026, 1, 25, 18, 30), "holiday Republic Day" },
		{ "half", utc(2026, 1, 26, 18, 29), "holiday Republic Day" }, { "half", utc(2026, 1, 26, 18, 30), "closed" }, { "half", utc(2026, 1, 27, 3, 30), "open" },
	};
	struct cfg *cfg;
	assert_int_equal(cfg_parse(&cfg, "u", text_of(yaml), CFG_WANT_OBJECTS, NULL), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct seen s = { "", 0 };
		char expected[64];
		snprintf(expected, sizeof expected, "{%s %s", cases[i].attendant, cases[i].state);
		struct dlg_sim_prm prm = { .cfg = cfg, .attendant = cases[i].attendant, .at_s = cases[i].at, .keys = "", .caller = "" };
		assert_int_equal(dlg_simulate(&prm, note, &s), 0);
		if (strncmp(s.text, expected, strlen(expected)) != 0)
			fail_msg("case %zu: expected %s, got %.60s", i, expected, s.text);
	}
	cfg_unref(cfg);
}

static void what_cannot_be_simulated_is_refused(void **state)
{
	(void)state;
	struct cfg *cfg = world_cfg();
	struct seen s = { "", 0 };
	struct dlg_sim_prm prm = { .cfg = cfg, .attendant = "nobody", .keys = "", .caller = "" };
	assert_int_equal(dlg_simulate(&prm, note, &s), ENOENT);
	prm.attendant = "house/closed";
	assert_int_equal(dlg_simulate(&prm, note, &s), ENOENT);
	prm.attendant = "main";
	prm.keys = "2;1";
	assert_int_equal(dlg_simulate(&prm, note, &s), EINVAL);
	assert_string_equal(s.text, "");
	cfg_unref(cfg);
}

static int simulated(void *arg)
{
	struct seen s = { "", 0 };
	struct dlg_sim_prm prm = { .cfg = arg, .attendant = "house", .keys = "203", .caller = "" };
	return dlg_simulate(&prm, note, &s);
}

static void survives_every_failing_allocation(void **state)
{
	(void)state;
	struct cfg *cfg = world_cfg();
	ut_oom(simulated, cfg);
	cfg_unref(cfg);
}

/* ---- the configuration as a whole ---- */

static bool no_prompt(const char *name, void *arg)
{
	(void)arg;
	return strcmp(name, "known") == 0;
}

static void mistakes_of_the_whole_are_told(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *expect; /* NULL: it is good */
	} cases[] = {
		{ "attendants: [{name: a, numbers: ['1'], keys: {1: hang-up}}]", NULL },
		{ "attendants: [{name: a, keys: {1: hang-up}}]", "u:1:14: attendants[0].numbers: nobody can reach attendant a: give it numbers" },
		{ "attendants: [{name: a, numbers: ['1'], keys: {1: attendant b, 2: hang-up}}, {name: b, keys: {1: hang-up}}]", NULL },
		{ "attendants: [{name: a, numbers: ['1'], keys: {1: attendant b}}, {name: b, keys: {1: attendant a}}]", "callers of a find nobody" },
		{ "attendants: [{name: a, numbers: ['1'], keys: {1: attendant b}}, {name: b, keys: {1: attendant a, 2: hang-up}}]", NULL },
		{ "schedules: [{name: s}]\nattendants: [{name: a, schedule: s, location: x, numbers: ['1'], keys: {1: hang-up}, closed: {keys: {1: location}}}]",
		  "callers of a find nobody in closed hours" },
		{ "attendants: [{name: a, numbers: ['1'], keys: {timeout: attendant b, 1: hang-up}}, {name: b, keys: {timeout: attendant a, 1: hang-up}}]",
		  "a caller who presses nothing goes round from a" },
		{ "attendants: [{name: a, numbers: ['1'], keys: {timeout: attendant a, 1: hang-up}}]", "a caller who presses nothing goes round from a" },
		{ "attendants: [{name: a, numbers: ['1'], greeting_prompt: known, keys: {1: hang-up}}]", NULL },
		{ "attendants: [{name: a, numbers: ['1'], greeting_prompt: other, keys: {1: hang-up}}]", "the prompt set has no prompt \"other\"" },
		{ "dialplans: [{name: p, extension_digits: 3}]\nattendants: [{name: a, numbers: ['1'], keys: {1: extension 2017}}]", "calls to \"2017\" are refused" },
		{ "dialplans: [{name: p, extension_digits: 3}]\nattendants: [{name: a, numbers: ['1'], keys: {1: extension 201}}]", NULL },
		{ "dialplans: [{name: p, extension_digits: 3, country_code: '49', rules: [{name: r, pattern: '+49*'}]}]\n"
		  "attendants: [{name: a, numbers: ['1'], allowed_rules: [r], keys: {1: extension 03012345}}]", NULL },
		{ "dialplans: [{name: p, kind: sip}]\nmailboxes: [{name: m, extensions: ['201']}]", "mailboxes[0].sip_uris: mailbox m has no SIP URI, as dial plan p asks" },
		{ "dialplans: [{name: p, kind: e164}]\nmailboxes: [{name: m, extensions: ['201', '+4930201']}, {name: n, extensions: ['202']}]",
		  "mailboxes[1].extensions: mailbox n has no number in full" },
		{ "dialplans: [{name: p, extension_digits: 3, operator: '9999'}]", "dialplans[0].operator: calls to \"9999\" are refused" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct cfg_errors e = { 0 };
		struct cfg *c = NULL;
		struct buf b;
		buf_init(&b, 100000);
		assert_int_equal(cfg_parse(&c, "u", text_of(cases[i].yaml), CFG_WANT_OBJECTS, &e), 0);
		size_t n = dlg_review(c, no_prompt, NULL, &e);
		cfg_errors_print(&e, &b);
		if (!n != !cases[i].expect || n != e.n || (n && !strstr(buf_cstr(&b), cases[i].expect)))
			fail_msg("%s\nexpected \"%s\", told:\n%s", cases[i].yaml, cases[i].expect ? cases[i].expect : "nothing", b.n ? buf_cstr(&b) : "nothing");
		buf_free(&b);
		cfg_errors_free(&e);
		cfg_unref(c);
	}
}

static bool german_or_english(const char *language, void *arg)
{
	(void)arg;
	return strncmp(language, "de", 2) == 0 || strncmp(language, "en", 2) == 0;
}

static void languages_without_prompts_are_told(void **state)
{
	(void)state;
	static const char yaml[] = "dialplans: [{name: p, language: de-AT}, {name: q, language: pl}]\n"
		"attendants: [{name: a, numbers: ['1'], language: sv, keys: {1: language da, 2: language en, 3: hang-up}}, {name: b, numbers: ['2'], keys: {1: hang-up}}]\n"
		"mailboxes: [{name: m, extensions: ['201'], language: fi}, {name: n, extensions: ['202']}]\n";
	static const char *const expect[] = { "dialplans[1].language: there are no prompts in \"pl\"", "attendants[0].language: there are no prompts in \"sv\"",
		"attendants[0].keys: there are no prompts in \"da\"", "mailboxes[0].language: there are no prompts in \"fi\"", "(de-DE, en-US)" };
	struct cfg_errors e = { 0 };
	struct cfg *c = NULL;
	struct buf b;
	buf_init(&b, 100000);
	assert_int_equal(cfg_parse(&c, "u", text_of(yaml), CFG_WANT_OBJECTS, &e), 0);
	assert_int_equal(dlg_review_languages(c, german_or_english, "de-DE, en-US", NULL, &e), 4);
	cfg_errors_print(&e, &b);
	for (size_t i = 0; i < sizeof expect / sizeof expect[0]; i++)
		if (!strstr(buf_cstr(&b), expect[i]))
			fail_msg("%s\nis not in:\n%s", expect[i], buf_cstr(&b));
	buf_free(&b);
	cfg_errors_free(&e);
	cfg_unref(c);
}

UT_MAIN(UT(clock_changes_and_midnights_are_those_of_the_zone), UT(calls_end_where_the_tables_lead), UT(what_cannot_be_simulated_is_refused), UT(survives_every_failing_allocation),
	UT(mistakes_of_the_whole_are_told), UT(languages_without_prompts_are_told))
