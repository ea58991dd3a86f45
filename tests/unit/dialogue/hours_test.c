/* SPDX-License-Identifier: Apache-2.0 */
/* Attendants by hours: which greeting, menu and operator a caller meets at which moment, what may be typed, names narrowed and told apart. */
#include "ut.h"
#include <errno.h>
#include "base/mem.h"
#include "config/zone.h"
#include "dialogue_events.h"
#include "talk.h"
#include "world.h"

static int64_t utc(int y, int mo, int d, int h, int mi)
{
	return zone_day_of(y, mo, d) * 86400 + h * 3600 + mi * 60;
}

static void call(struct talk *t, const char *name, int64_t real_s)
{
	struct dlg_attendants *all;
	struct cfg *cfg = world_cfg();
	assert_int_equal(dlg_attendants_create(&all, cfg), 0);
	cfg_unref(cfg);
	talk_init(t);
	t->real_s = real_s;
	talk_start(t, dlg_attendant_table(all, text_of(name)));
	mem_unref(all);
	talk_wait(t, 1500);
}

#define OPEN utc(2026, 11, 23, 8, 0) /* Monday, nine in Berlin */
#define SHUT utc(2026, 11, 23, 17, 0)

static void open_and_closed_have_their_own_words_keys_and_operator(void **state)
{
	(void)state;
	struct talk t;
	call(&t, "house", OPEN);
	assert_true(talk_heard(&t, "attendant-welcome-to <Example> <Calls are not recorded.>"));
	assert_true(talk_heard(&t, "attendant-dial-extension attendant-for <the sales desk> attendant-press <1> attendant-for attendant-choice-hours attendant-press <2>"));
	talk_keys(&t, "0");
	talk_wait(&t, 3200);
	assert_true(talk_heard(&t, "transfer-to-operator"));
	talk_end(&t);
	call(&t, "house", SHUT);
	assert_true(talk_heard(&t, "attendant-welcome-to <Example> attendant-closed <Calls are not recorded.>"));
	assert_true(talk_heard(&t, "attendant-for <Carol Abba> attendant-press <1>"));
	assert_false(talk_heard(&t, "attendant-dial-"));
	talk_keys(&t, "0");
	talk_wait(&t, 3200);
	assert_true(talk_heard(&t, "attendant-no-operator"));
	talk_keys(&t, "203");
	talk_wait(&t, 2000);
	assert_string_equal(t.uri, ""); /* nobody is dialled while it is closed */
	talk_end(&t);
	call(&t, "house", SHUT);
	talk_keys(&t, "1");
	talk_wait(&t, 4000);
	assert_true(talk_heard(&t, "attendant-message-for <Carol Abba>"));
	talk_end(&t);
}

static void the_minute_counts(void **state)
{
	(void)state;
	int64_t opens = utc(2026, 11, 23, 7, 30);
	struct talk t;
	for (int i = 0; i < 2; i++) {
		call(&t, "house", opens - 1 + i);
		assert_int_equal(talk_heard(&t, "attendant-closed"), i == 0);
		talk_end(&t);
	}
	for (int i = 0; i < 2; i++) { /* over midnight into the clock change: the bar closes at four on the wall */
		call(&t, "bar", utc(2026, 10, 25, 2, 59) + 60 * i);
		assert_int_equal(talk_heard(&t, "<The bar is closed.>"), i == 1);
		talk_end(&t);
	}
}

static void holidays_speak_for_themselves(void **state)
{
	(void)state;
	struct talk t;
	call(&t, "house", utc(2026, 12, 24, 9, 0));
	assert_true(talk_heard(&t, "<Merry Christmas. We are back on Monday.> <Calls are not recorded.>"));
	talk_end(&t);
	call(&t, "house", utc(2026, 12, 31, 23, 0)); /* midnight in Berlin */
	assert_true(talk_heard(&t, "attendant-closed-for <New Year>"));
	talk_end(&t);
	call(&t, "house", utc(2027, 7, 5, 9, 0));
	assert_true(talk_heard(&t, "<summer> <Calls are not recorded.>"));
	talk_end(&t);
}

static void an_announcement_may_insist(void **state)
{
	(void)state;
	struct talk t;
	call(&t, "house", OPEN);
	talk_end(&t);
	struct dlg_attendants *all;
	struct cfg *cfg = world_cfg();
	assert_int_equal(dlg_attendants_create(&all, cfg), 0);
	cfg_unref(cfg);
	talk_init(&t);
	t.real_s = OPEN;
	talk_start(&t, dlg_attendant_table(all, TEXT("house")));
	mem_unref(all);
	talk_keys(&t, "203");
	assert_string_equal(talk_where(&t), "house: announcement"); /* what was typed waits */
	talk_wait(&t, 1200);
	assert_true(talk_heard(&t, "transfer-to <Carol Abba>"));
	talk_end(&t);
}

static void hours_and_address_are_read(void **state)
{
	(void)state;
	struct talk t;
	call(&t, "house", OPEN);
	talk_keys(&t, "2");
	talk_wait(&t, 3200);
	assert_true(talk_heard(&t, "attendant-open <digits/day-1> attendant-day-to <digits/day-4> attendant-from *8:30* attendant-until *12:00* and attendant-from"
	                           " *13:00* attendant-until *17:00* <digits/day-5> attendant-from *8:30* attendant-until *12:00* attendant-dial-extension"));
	talk_keys(&t, "3");
	talk_wait(&t, 3200);
	assert_true(talk_heard(&t, "attendant-located <Main Street 5, second floor.>"));
	talk_keys(&t, "4");
	talk_wait(&t, 3200);
	assert_string_equal(t.s.language, "de-DE");
	talk_end(&t);
	call(&t, "always", OPEN);
	talk_keys(&t, "2");
	talk_wait(&t, 3200);
	assert_true(talk_heard(&t, "attendant-open-always"));
	talk_end(&t);
	call(&t, "never", OPEN);
	assert_true(talk_heard(&t, "attendant-closed"));
	talk_keys(&t, "2");
	talk_wait(&t, 3200);
	assert_true(talk_heard(&t, "attendant-never-open"));
	talk_end(&t);
}

static void own_words_offer_the_choices(void **state)
{
	(void)state;
	struct talk t;
	call(&t, "bar", utc(2026, 11, 27, 22, 0));
	assert_true(talk_heard(&t, "attendant-welcome <For a table, press 1.>"));
	talk_end(&t);
	call(&t, "bar", utc(2026, 11, 27, 12, 0));
	assert_true(talk_heard(&t, "<The bar is closed.> <For a table, press 1.>")); /* the keys are those of the open hours, so are the words */
	talk_keys(&t, "0");
	talk_wait(&t, 3200);
	assert_true(talk_heard(&t, "transfer-to-operator"));
	talk_end(&t);
}

static void outside_numbers_only_by_rules(void **state)
{
	(void)state;
	static const struct {
		const char *attendant, *keys, *uri; /* "": nothing like it; after enough failures the operator */
	} cases[] = {
		{ "house", "777", "sip:777@example.com" }, /* extensions without a mailbox are allowed there */
		{ "house", "512345", "sip:9512345@example.com" },
		{ "house", "0301234", "sip:90301234@example.com" },
		{ "house", "0049301234", "sip:90301234@example.com" },
		{ "house", "00432345678", "" }, /* another country */
		{ "main", "777", "" },
		{ "main", "512345", "" },
		{ "main", "0301234", "" },
		{ "house", "6", "sip:90301234@example.com" }, /* the administrator's own key, by the same rules */
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct talk t;
		call(&t, cases[i].attendant, OPEN);
		talk_keys(&t, cases[i].keys);
		talk_wait(&t, 8000);
		if (*cases[i].uri ? strcmp(t.uri, cases[i].uri) != 0 : strstr(t.uri, cases[i].keys) != NULL)
			fail_msg("%s at %s: \"%s\", not \"%s\"", cases[i].keys, cases[i].attendant, t.uri, cases[i].uri);
		assert_int_equal(t.n_counted, strncmp(cases[i].uri, "sip:9", 5) == 0); /* what leaves the house */
		talk_end(&t);
	}
}

static void calls_outside_have_a_cap(void **state)
{
	(void)state;
	struct talk t;
	call(&t, "house", OPEN);
	talk_keys(&t, "512345");
	talk_wait(&t, 8000);
	assert_string_equal(t.counted_of, "attendant house");
	assert_int_equal(t.cap, 60);
	assert_string_equal(t.uri, "sip:9512345@example.com");
	talk_end(&t);
	call(&t, "house", OPEN);
	t.over_cap = true;
	talk_keys(&t, "512345");
	talk_wait(&t, 8000);
	assert_int_equal(t.n_counted, 1);
	assert_string_equal(t.uri, "");
	assert_false(t.over);
	assert_int_equal(t.n_events, 1);
	assert_int_equal(t.last_event, EV_TRANSFER_ERROR);
	talk_end(&t);
}

/* Words of our own must be prompts, or a menu in German would offer its choices in English. */
static void choices_without_words_are_prompts(void **state)
{
	(void)state;
	struct talk t;
	call(&t, "plain", OPEN);
	assert_true(talk_heard(&t, "attendant-for attendant-choice-de attendant-press <1> attendant-for attendant-choice-en attendant-press <2>"));
	assert_true(talk_heard(&t, "attendant-for <tlh> attendant-press <7> attendant-for attendant-choice-mailbox attendant-press <8> attendant-for attendant-choice-operator"));
	talk_end(&t);
	call(&t, "plain", SHUT);
	assert_true(talk_heard(&t, "attendant-for attendant-choice-names attendant-press <1> attendant-for attendant-choice-address attendant-press <4> "
				   "attendant-for <Accueil> attendant-press <5>"));
	talk_end(&t);
}

UT_MAIN(UT(choices_without_words_are_prompts), UT(open_and_closed_have_their_own_words_keys_and_operator), UT(the_minute_counts), UT(holidays_speak_for_themselves),
	UT(an_announcement_may_insist), UT(hours_and_address_are_read), UT(own_words_offer_the_choices),
	UT(outside_numbers_only_by_rules), UT(calls_outside_have_a_cap))
