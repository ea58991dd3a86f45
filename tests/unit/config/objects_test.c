/* SPDX-License-Identifier: Apache-2.0 */
/* The organisation's objects: schedules, rules, attendants by hours; what is wrong with them is told with its place and its cure. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "config/cfg.h"

static const char whole[] =
	"gateways: [{name: pbx, address: 192.0.2.1, transport: udp}]\n"
	"dialplans:\n"
	"  - name: main\n"
	"    extension_digits: 3\n"
	"    outside_line: '9'\n"
	"    country_code: '49'\n"
	"    name_order: alias\n"
	"    offer_by: department\n"
	"    input_failures: 4\n"
	"    rules:\n"
	"      - {name: national, pattern: '0xxxx*', dial: '90xxxx*', comment: in this country}\n"
	"      - {name: national, pattern: '+49*', dial: '90*'}\n"
	"schedules:\n"
	"  - name: office\n"
	"    time_zone: Europe/Berlin\n"
	"    hours:\n"
	"      mon-thu: 08:30-12:00, 13:00-17:45\n"
	"      fri: [8:30-12:00]\n"
	"      sat,sun: closed\n"
	"    holidays:\n"
	"      - {name: Christmas, from: 2026-12-24 12:00, to: 2026-12-26, greeting: Merry Christmas.}\n"
	"      - {name: Christmas, from: 2027-12-24, to: 2027-12-26}\n"
	"      - {name: New Year, from: 01-01}\n"
	"      - {name: Leap, from: 02-29}\n"
	"  - {name: night, hours: {fri: 22:00-06:00, sun-mon: 20:00-24:00}}\n"
	"  - {name: always}\n"
	"  - {name: never, hours: {}}\n"
	"policies:\n"
	"  - {name: some, pin_lifetime_days: 3, allowed_rules: [national], features: {lamp: false}}\n"
	"attendants:\n"
	"  - name: front\n"
	"    numbers: ['800', '+49301234']\n"
	"    schedule: office\n"
	"    location: Main Street 5\n"
	"    allowed_rules: [national]\n"
	"    menu: For sales, press 1.\n"
	"    keys:\n"
	"      1: {do: extension 201, say: the sales desk}\n"
	"      2: hours\n"
	"      3: location\n"
	"      4: language de-DE\n"
	"    closed: {greeting: We are closed., keys: {1: mailbox alice}}\n"
	"    departments:\n"
	"      - {name: Sales, also: [the shop, orders], pronunciation: say ills}\n"
	"      - {name: Bar, attendant: side}\n"
	"  - {name: side, numbers: ['801'], schedule: office, menu: Words., keys: {2: hours}}\n"
	"mailboxes:\n"
	"  - name: alice\n"
	"    extensions: ['201', '202']\n"
	"    department: Sales\n"
	"    title: Dr\n"
	"    schedule: office\n"
	"    rules:\n"
	"      - {name: customers, callers: ['+4930*', outside], closed: office, reasons: busy, action: find-me, find: ['+49170123', '202'], ring_s: 15}\n"
	"      - {name: menu, greeting: Hello., action: menu, message: false, keys: {1: find-me, 2: transfer 202, 3: message, 9: hang-up}, find: '202'}\n";

static struct cfg *good(const char *yaml);
static void what_people_write_is_taken(void **state)
{
	(void)state;
	struct cfg *c = good("schedules: [{name: a, holidays: [{name: x, from: 12-24, to: 01-06}, {name: y, from: 10-01, to: 04-15}]}]\ndialplans: [{name: p, country_code: '+49'}]\n");
	assert_string_equal(c->dialplans[0].country_code, "49");
	cfg_unref(c);
}

static struct cfg *good(const char *yaml)
{
	struct cfg_errors e = { 0 };
	struct cfg *c = NULL;
	struct buf b;
	buf_init(&b, 100000);
	if (cfg_parse(&c, "u", text_of(yaml), CFG_WANT_OBJECTS, &e)) {
		cfg_errors_print(&e, &b);
		fail_msg("%s", buf_cstr(&b));
	}
	cfg_errors_free(&e);
	return c;
}

static void every_setting_arrives(void **state)
{
	(void)state;
	struct cfg *c = good(whole);
	const struct cfg_dialplan *p = cfg_dialplan(c, TEXT("main"));
	assert_int_equal(p->n_rules, 2);
	assert_string_equal(p->rules[1].pattern, "+49*");
	assert_string_equal(p->rules[1].dial, "90*");
	assert_int_equal(p->name_order, CFG_BY_ALIAS);
	assert_int_equal(p->offer_by, CFG_OFFER_DEPARTMENT);
	const struct cfg_schedule *s = cfg_schedule(c, TEXT("OFFICE"));
	assert_int_equal(s->n_hours, 9);
	assert_int_equal(s->hours[1].from_min, 780);
	assert_int_equal(s->hours[1].to_min, 1065);
	assert_int_equal(s->hours[8].day, 4);
	assert_int_equal(s->n_holidays, 4);
	assert_int_equal(s->holidays[0].from.minute, 720);
	assert_int_equal(s->holidays[0].to.minute, -1);
	assert_int_equal(s->holidays[2].from.year, 0);
	assert_int_equal(s->holidays[2].to.month, 0);
	s = cfg_schedule(c, TEXT("night"));
	assert_int_equal(s->n_hours, 3);
	assert_int_equal(s->hours[1].to_min, 30 * 60);
	assert_int_equal(s->hours[2].day, 6);
	assert_int_equal(s->hours[2].to_min, 1440);
	assert_int_equal(cfg_schedule(c, TEXT("always"))->n_hours, 7);
	assert_int_equal(cfg_schedule(c, TEXT("never"))->n_hours, 0);
	const struct cfg_policy *y = cfg_policy(c, TEXT("some"));
	assert_int_equal(y->pin_lifetime_days, 3);
	assert_false(y->features.lamp);
	assert_true(y->features.missed_calls);
	assert_true(cfg_policy(NULL, TEXT_NONE)->features.directory);
	const struct cfg_attendant *a = cfg_attendant_by_number(c, TEXT("+49301234"));
	assert_string_equal(a->keys[0].say, "the sales desk");
	assert_int_equal(a->keys[3].action, CFG_ACT_LANGUAGE);
	assert_string_equal(a->keys[3].target, "de-DE");
	assert_int_equal(a->input_failures, 4);
	assert_int_equal(a->closed.n_keys, 1);
	assert_string_equal(a->closed.menu, ""); /* its own keys: the words are made from them */
	assert_int_equal(a->n_departments, 2);
	assert_string_equal(a->departments[0].also.v[1], "orders");
	assert_string_equal(a->departments[0].pronunciation.v[0], "say ills");
	assert_string_equal(a->departments[1].attendant, "side");
	a = cfg_attendant(c, TEXT("side"));
	assert_ptr_equal(a->closed.keys, a->keys);
	assert_string_equal(a->closed.menu, "Words.");
	assert_true(a->closed.dial);
	const struct cfg_mailbox *m = cfg_mailbox(c, TEXT("alice"));
	assert_string_equal(m->alias, "alice");
	assert_string_equal(m->department, "Sales");
	assert_int_equal(m->n_rules, 2);
	assert_string_equal(m->rules[0].callers.v[1], "outside");
	assert_string_equal(m->rules[0].closed, "office");
	assert_string_equal(m->rules[0].open, "");
	assert_int_equal(m->rules[0].action, CFG_ANSWER_FIND_ME);
	assert_int_equal(m->rules[0].ring_ms, 15000);
	assert_true(m->rules[0].message);
	assert_int_equal(m->rules[1].n_keys, 4);
	assert_int_equal(m->rules[1].keys[1].action, CFG_ACT_TRANSFER);
	assert_string_equal(m->rules[1].keys[1].target, "202");
	assert_string_equal(cfg_answer_key_name(m->rules[1].keys[3].action), "hang-up");
	assert_string_equal(cfg_answer_name(m->rules[1].action), "menu");
	assert_false(m->rules[1].message);
	cfg_unref(c);
}

static void all_errors_are_told(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *expect;
	} cases[] = {
		{ "policies: [{name: p, texts: {welcome: \"a\\tb\"}}]", "without tabs" },
		{ "policies: [{name: p, texts: {farewell: a}}]", "policies[0].texts.farewell: is not a known key" },
		{ "policies: [{name: p, texts: Welcome.}]", "policies[0].texts: is not a map" },
		{ "schedules: [{name: a, hours: {moonday: 8:00-9:00}}]", "u:1:31: schedules[0].hours: \"moonday\" is no day" },
		{ "schedules: [{name: a, hours: {mon: 8-9}}]", "holds \"8-9\"" },
		{ "schedules: [{name: a, hours: {mon: 25:00-26:00}}]", "holds \"25:00-26:00\"" },
		{ "schedules: [{name: a, hours: {mon: 08:00-08:00}}]", "holds \"08:00-08:00\"" },
		{ "schedules: [{name: a, hours: {mon-wed: 08:00-09:00, tue: 10:00-11:00}}]", "stands in another line, too" },
		{ "schedules: [{name: a, hours: {mon: '08:00-12:00, 11:59-13:00'}}]", "two periods overlap" },
		{ "schedules: [{name: a, hours: {mon: 22:00-06:00, tue: 05:00-09:00}}]", "two periods overlap" },
		{ "schedules: [{name: a, hours: {sun: 22:00-06:00, mon: 05:59-09:00}}]", "two periods overlap" },
		{ "schedules: [{name: a, hours: 8:00-9:00}]", "is not a map" },
		{ "schedules: [{name: a, time_zone: '/etc/passwd'}]", "schedules[0].time_zone: is \"/etc/passwd\": give an IANA time zone" },
		{ "schedules: [{name: a, holidays: [{name: x, from: 2026-02-29}]}]", "schedules[0].holidays[0].from: is \"2026-02-29\"" },
		{ "schedules: [{name: a, holidays: [{name: x, from: 2026-02-28, to: 03-01}]}]", "one is for every year" },
		{ "schedules: [{name: a, holidays: [{name: x, from: 2026-03-02, to: 2026-03-01}]}]", "is not behind from" },
		{ "schedules: [{name: a, holidays: [{name: x, from: 2026-03-02 10:00, to: 2026-03-02 09:59}]}]", "is not behind from" },
		{ "schedules: [{name: a, holidays: [{name: x, from: 12-24, to: 12-23}]}]", "closed nearly the whole year" },
		{ "schedules: [{name: a, holidays: [{name: x, from: 12-26, to: 12-24 12:00}]}]", "closed nearly the whole year" },
		{ "dialplans: [{name: a, country_code: '0049'}]", "\"0049\" is the code of no country" },
		{ "dialplans: [{name: a, country_code: '4#'}]", "\"4#\" is the code of no country" },
		{ "schedules: [{name: a, holidays: [{name: x, from: 01-01, greeting: y, greeting_prompt: z}]}]", "stands beside words that say the same" },
		{ "schedules: [{name: a}, {name: A}]", "schedules[1].name: \"A\" is used already" },
		{ "gateways: [{name: p, address: p.example.com, srtp: off}]\ndialplans: [{name: a, security: sip-and-media}]", "asks for encrypted sound, but gateway p has srtp: off" },
		{ "gateways: [{name: p, address: 192.0.2.1, transport: udp}]\ndialplans: [{name: a, security: sip-and-media}]", "asks for TLS, but gateway p uses udp" },
		{ "gateways: [{name: p, address: 192.0.2.1, transport: tcp, srtp: optional}]", "gateways[0].srtp: encrypts nothing with transport tcp" },
		{ "gateways: [{name: p, address: 192.0.2.1, transport: udp}]\ndialplans: [{name: a, security: sip}]", "asks for TLS, but gateway p uses udp" },
		{ "dialplans: [{name: a, rules: [{name: r, pattern: '0*0'}]}]", "is \"0*0\"" },
		{ "dialplans: [{name: a, rules: [{name: r, pattern: '0xx', dial: '0xxx'}]}]", "has more x than the pattern" },
		{ "dialplans: [{name: a, rules: [{name: r, pattern: '0xx', dial: '9*'}]}]", "has a *, the pattern has none" },
		{ "attendants: [{name: a, schedule: office}]", "there is no schedule \"office\"" },
		{ "attendants: [{name: a, keys: {1: location}}]", "there is no location to say" },
		{ "attendants: [{name: a, keys: {1: hours}}]", "there are no hours to say" },
		{ "attendants: [{name: a, closed: {keys: {1: mailbox bob}}}]", "attendants[0].closed.keys: there is no mailbox \"bob\"" },
		{ "attendants: [{name: a, allowed_rules: [x]}]", "there is no group of rules \"x\"" },
		{ "attendants: [{name: a, greeting: y, greeting_prompt: z}]", "stands beside words that say the same" },
		{ "attendants: [{name: a, keys: {1: {do: operator, yell: x}}}]", "key 1 does \"something else\"" },
		{ "attendants: [{name: a, keys: {1: language}}]", "key 1 does \"language\"" },
		{ "policies: [{name: p, allowed_rules: x}]", "there is no group of rules \"x\"" },
		{ "mailboxes: [{name: m, rules: [{name: r, open: s}]}]", "mailboxes[0].rules[0].open: there is no schedule \"s\"" },
		{ "mailboxes: [{name: m, rules: [{name: r, reasons: [busy, bored]}]}]", "holds \"bored\"" },
		{ "mailboxes: [{name: m, rules: [{name: r, action: find-me}]}]", "names nowhere to look" },
		{ "mailboxes: [{name: m, rules: [{name: r, action: menu, keys: {1: find-me}}]}]", "names nowhere to look" },
		{ "mailboxes: [{name: m, rules: [{name: r, find: ['201', '202', '203']}]}]", "has 3 entries" },
		{ "mailboxes: [{name: m, rules: [{name: r, action: transfer}]}]", "names nobody to transfer to" },
		{ "mailboxes: [{name: m, rules: [{name: r, action: transfer, transfer: bob}]}]", "there is no mailbox \"bob\"" },
		{ "mailboxes: [{name: m, rules: [{name: r, action: menu}]}]", "is a menu without a key" },
		{ "mailboxes: [{name: m, rules: [{name: r, keys: {'*': transfer 201}}]}]", "is no key of a greeting" },
		{ "mailboxes: [{name: m, rules: [{name: r, keys: {1: transfer bob}}]}]", "there is no mailbox \"bob\"" },
		{ "mailboxes: [{name: m, rules: [{name: r, keys: {1: dial-by-name}}]}]", "key 1 does \"dial-by-name\"" },
		{ "mailboxes: [{name: m, pronunciation: /AE N QQ/}]", "mailboxes[0].pronunciation: holds \"/AE N QQ/\": write sounds of CMUdict between slashes" },
		{ "mailboxes: [{name: m, pronunciation: '12'}]", "give words that sound like it" },
		{ "attendants: [{name: a, departments: [{name: b, attendant: c}]}]", "attendants[0].departments[0].attendant: there is no attendant \"c\"" },
		{ "attendants: [{name: a, departments: [{also: b}]}]", "attendants[0].departments[0].name: is missing" },
		{ "mailboxes: [{name: m, schedule: s}]", "mailboxes[0].schedule: there is no schedule \"s\"" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct cfg_errors e = { 0 };
		struct cfg *c = NULL;
		struct buf b;
		buf_init(&b, 100000);
		assert_int_equal(cfg_parse(&c, "u", text_of(cases[i].yaml), CFG_WANT_OBJECTS, &e), EINVAL);
		cfg_errors_print(&e, &b);
		if (!strstr(buf_cstr(&b), cases[i].expect) || e.n != 1)
			fail_msg("%s\n\"%s\" is not the only error:\n%s", cases[i].yaml, cases[i].expect, buf_cstr(&b));
		buf_free(&b);
		cfg_errors_free(&e);
	}
}

static void holidays_of_one_name_are_compared_by_their_place(void **state)
{
	(void)state;
	struct cfg *a = good(whole), *b = good(whole);
	struct cfg_changes ch = { 0 };
	assert_int_equal(cfg_diff(a, b, &ch), 0);
	assert_int_equal(ch.n, 0);
	cfg_changes_free(&ch);
	cfg_unref(b);
	char *other = mem_strdup(whole), *at = strstr(other, "2027-12-26");
	at[9] = '7';
	at = strstr(other, "13:00");
	at[1] = '4';
	b = good(other);
	assert_int_equal(cfg_diff(a, b, &ch), 0);
	assert_int_equal(ch.n, 2);
	assert_string_equal(ch.v[0].key, "schedules.office.hours");
	assert_string_equal(ch.v[1].key, "schedules.office.holidays.Christmas.to");
	cfg_changes_free(&ch);
	mem_free(other);
	cfg_unref(a);
	cfg_unref(b);
}

static int parse(void *arg)
{
	struct cfg_errors e = { 0 };
	struct cfg *c = NULL;
	int err = cfg_parse(&c, "u", text_of(arg), CFG_WANT_OBJECTS, &e);
	if (!err)
		cfg_unref(c);
	if (err == EINVAL && e.more) /* an error that found no memory to be told */
		err = ENOMEM;
	cfg_errors_free(&e);
	return err;
}

static void survives_every_failing_allocation(void **state)
{
	(void)state;
	char *copy = mem_strdup(whole);
	ut_oom(parse, copy);
	mem_free(copy);
}

/* 512 letters, however many bytes each has. */
static void texts_of_policies_are_lines_of_limited_length(void **state)
{
	(void)state;
	for (int n = 511; n <= 513; n++) {
		struct cfg_errors errors = { 0 };
		struct cfg *c = NULL;
		struct buf b, words;
		buf_init(&b, 1 << 16);
		buf_init(&words, 1 << 16);
		buf_str(&b, "policies: [{name: p, texts: {welcome: \"");
		for (int i = 0; i < n - 1; i++)
			buf_str(&b, "\xc3\xa4");
		buf_str(&b, "\\n\"}}]\n");
		int err = cfg_parse(&c, "u", buf_as_text(&b), CFG_WANT_OBJECTS, &errors);
		assert_int_equal(err, n <= 512 ? 0 : EINVAL);
		assert_int_equal(cfg_errors_print(&errors, &words), 0);
		if (err)
			assert_non_null(strstr(buf_cstr(&words), "u:1:39: policies[0].texts.welcome: has 513 characters: use at most 512 characters"));
		else
			assert_string_equal(c->policies[0].texts.pin_reset, "");
		cfg_unref(c);
		cfg_errors_free(&errors);
		buf_free(&words);
		buf_free(&b);
	}
}

UT_MAIN(UT(what_people_write_is_taken), UT(texts_of_policies_are_lines_of_limited_length), UT(every_setting_arrives), UT(all_errors_are_told), UT(holidays_of_one_name_are_compared_by_their_place), UT(survives_every_failing_allocation))
