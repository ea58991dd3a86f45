/* SPDX-License-Identifier: Apache-2.0 */
/* world.c  The site as an administrator would write it. */
#include "world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char yaml[] =
	"dialplans:\n"
	"  - name: site\n"
	"    domain: example.com\n"
	"    extension_digits: 3\n"
	"    access_numbers: [\"700\"]\n"
	"    outside_line: \"9\"\n"
	"    country_code: \"49\"\n"
	"    rules:\n"
	"      - {name: town, pattern: \"5xxxxx\", dial: \"95xxxxx\"}\n"
	"      - {name: national, pattern: \"+49*\"}\n"
	"mailboxes:\n"
	"  - name: alice\n"
	"    display_name: Alice Smith\n"
	"    department: Sales\n"
	"    extensions: [\"201\"]\n"
	"    sip_uris: [sip:alice@example.com]\n"
	"    operator: \"200\"\n"
	"  - name: bob\n"
	"    display_name: Bob\n"
	"    extensions: [\"202\"]\n"
	"    dialable: false\n"
	"  - name: carol\n"
	"    display_name: Carol Abba\n"
	"    department: sales\n"
	"    pronunciation: [karl abba, /K AE R AH L/]\n"
	"    extensions: [\"203\"]\n"
	"  - name: dave\n"
	"    display_name: Dave Abba\n"
	"    department: Bar\n"
	"    extensions: [\"204\"]\n"
	"attendants:\n"
	"  - name: main\n"
	"    numbers: [\"100\"]\n"
	"    business_name: Example\n"
	"    operator: \"200\"\n"
	"    digit_timeout_ms: 1500\n"
	"    keys:\n"
	"      \"1\": extension 201\n"
	"      \"2\": attendant night\n"
	"      \"3\": mailbox carol\n"
	"      \"4\": log-on\n"
	"      \"5\": extension 0015551234567\n"
	"      \"9\": hang-up\n"
	"    departments:\n"
	"      - {name: Sales, also: [orders]}\n"
	"      - {name: Support, also: help desk, attendant: always}\n"
	"      - {name: Nobody}\n"
	"  - name: night\n"
	"    greeting: We are closed. Our office is open from Monday to Friday, from nine in the morning until five in the afternoon, but not on the"
	" days on which nobody works. Please call again then, or leave a message for us and we will call you back as soon as we can.\n"
	"    dial_by_extension: false\n"
	"    dial_by_name: false\n"
	"    input_failures: 2\n"
	"    keys:\n"
	"      \"1\": attendant main\n"
	"      timeout: mailbox alice\n"
	"  - name: house\n"
	"    business_name: Example\n"
	"    schedule: office\n"
	"    location: Main Street 5, second floor.\n"
	"    announcement: Calls are not recorded.\n"
	"    announcement_to_its_end: true\n"
	"    operator: \"200\"\n"
	"    allow_extensions: true\n"
	"    allowed_rules: [town, national]\n"
	"    keys:\n"
	"      \"1\": {do: extension 201, say: the sales desk}\n"
	"      \"2\": hours\n"
	"      \"3\": location\n"
	"      \"4\": language de-DE\n"
	"      \"5\": attendant bar\n"
	"      \"6\": extension 0301234\n"
	"    closed:\n"
	"      keys:\n"
	"        \"1\": mailbox carol\n"
	"        \"2\": hours\n"
	"      dial: false\n"
	"  - name: bar\n"
	"    schedule: nights\n"
	"    menu: For a table, press 1.\n"
	"    keys: {1: extension 202, 2: hours}\n"
	"    closed: {greeting: The bar is closed., operator: alice}\n"
	"  - {name: always, schedule: always, keys: {2: hours}}\n"
	"  - name: plain\n"
	"    schedule: office\n"
	"    location: Main Street 5.\n"
	"    dial_by_extension: false\n"
	"    keys: {1: language de-AT, 2: language en, 3: language fr, 4: language es, 5: language it, 6: language nl, 7: language tlh, 8: log-on, 9: operator}\n"
	"    closed:\n"
	"      keys: {1: dial-by-name, 2: repeat, 3: hang-up, 4: location, 5: {do: language fr, say: Accueil}}\n"
	"  - {name: never, schedule: never, keys: {2: hours}}\n"
	"schedules:\n"
	"  - name: office\n"
	"    time_zone: Europe/Berlin\n"
	"    hours: {mon-thu: '08:30-12:00, 13:00-17:00', fri: 08:30-12:00}\n"
	"    holidays:\n"
	"      - {name: Christmas, from: 2026-12-24, to: 2026-12-26, greeting: Merry Christmas. We are back on Monday.}\n"
	"      - {name: New Year, from: 01-01}\n"
	"      - {name: Summer, from: 2027-07-01, to: 2027-07-31, greeting_prompt: summer}\n"
	"  - {name: nights, time_zone: Europe/Berlin, hours: {fri-sat: 22:00-04:00, wed: all day}}\n"
	"  - {name: always}\n"
	"  - {name: never, hours: {}}\n";

static const char rules_yaml[] =
	"schedules: [{name: office, time_zone: Europe/Berlin, hours: {mon-fri: 09:00-17:00}}]\n"
	"dialplans:\n"
	"  - {name: site, domain: example.com, extension_digits: 3, outside_line: '9', national_prefix: '0', international_prefix: '00',"
	" country_code: '49', rules: [{name: mobiles, pattern: '+491*'}]}\n"
	"policies: [{name: some, allowed_rules: [mobiles]}]\n"
	"mailboxes:\n"
	"  - name: alice\n"
	"    display_name: Alice Smith\n"
	"    extensions: ['201']\n"
	"    operator: '200'\n"
	"    rules:\n"
	"      - {name: boss, callers: [bob], action: find-me, find: ['+491701234567', '203'], ring_s: 15}\n"
	"      - {name: customers, callers: ['+4930*', '+1 555 0100'], open: office, greeting: Hello dear customer., action: find-me, find: '203', message: false}\n"
	"      - {name: busy, reasons: [busy, no-answer], closed: office, action: transfer, transfer: '203'}\n"
	"      - {name: menu, dialled: ['205'], greeting: For my mobile press 1., action: menu,"
	" keys: {1: find-me, 2: transfer 203, 3: message, 9: hang-up}, find: '203'}\n"
	"      - {name: bye, callers: anonymous, action: hang-up, greeting: Please show your number., message: false}\n"
	"  - {name: bob, display_name: Bob, extensions: ['202']}\n"
	"  - {name: carol, extensions: ['203']}\n";

static struct cfg *parse(const char *yaml_text)
{
	struct cfg *c = NULL;
	struct cfg_errors errors = { 0 };
	int err = cfg_parse(&c, "world.yaml", text_of(yaml_text), CFG_WANT_OBJECTS, &errors);
	for (size_t i = 0; i < errors.n; i++)
		print_error("%u: %s: %s\n", errors.v[i].pos.line, errors.v[i].key, errors.v[i].what);
	cfg_errors_free(&errors);
	assert_int_equal(err, 0);
	return c;
}

struct cfg *rules_cfg(void)
{
	return parse(rules_yaml);
}

struct cfg *world_cfg(void)
{
	return parse(yaml);
}

struct dir_view *world_view(void)
{
	struct dir_view *v = NULL;
	struct cfg *c = world_cfg();
	assert_int_equal(dir_view_of_cfg(&v, c), 0);
	cfg_unref(c);
	return v;
}

const struct dir_user *world_user(const struct dir_view *v, const char *name)
{
	return dir_find_name(v, text_of(name));
}
