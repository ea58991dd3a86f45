/* SPDX-License-Identifier: Apache-2.0 */
/* Finding people by what callers and peers give us, and refusing what is not listed. */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "directory/dir.h"

static const char file[] =
	"gateways: [{name: pool, address: lyncpool.domain.com}, {name: pbx, address: 192.0.2.1, transport: udp}]\n"
	"dialplans:\n"
	"  - {name: main, extension_digits: 4, operator: desk}\n"
	"  - {name: branch, extension_digits: 3, gateway: pbx, domain: branch.org}\n"
	"mailboxes:\n"
	"  - {name: Alice, display_name: 'Alice Smith', extensions: ['0201', '+15550100'], sip_uris: 'sip:Alice.Smith@Contoso.com', spoken_name: Al}\n"
	"  - {name: bob, display_name: 'J\xc3\xb6rg Gro\xc3\x9f', extensions: ['0202'], dialable: false, allowed_transfers: [alice, '0299'], lamp_uri: 'sip:x@y'}\n"
	"  - {name: carol, display_name: 'Carol Smithson', extensions: ['0203'], pronunciation: [kay rol, '/K EH1 R AH0 L/']}\n"
	"  - {name: desk, extensions: ['0200']}\n"
	"  - {name: dan, display_name: 'Dan Smith', extensions: ['301'], dialplan: branch}\n";

static struct dir_view *view(void)
{
	struct cfg_errors e = { 0 };
	struct cfg *c;
	struct dir_view *v;
	struct buf b;
	buf_init(&b, 10000);
	if (cfg_parse(&c, "f", text_of(file), CFG_WANT_OBJECTS, &e)) {
		cfg_errors_print(&e, &b);
		fail_msg("%s", buf_cstr(&b));
	}
	assert_int_equal(dir_view_of_cfg(&v, c), 0);
	cfg_unref(c);
	return v;
}

static const char *who(const struct dir_user *u)
{
	return u ? u->name : "nobody";
}

static void people_are_found_by_all_their_names(void **state)
{
	(void)state;
	struct dir_view *v = view();
	assert_int_equal(dir_view_count(v), 5);
	static const struct {
		const char *what, *who;
	} cases[] = {
		{ "0201", "alice" }, { "+1 (555) 0100", "alice" }, { "+15550100", "alice" }, { "+4989 555 0202", "bob" }, { "5550301", "dan" }, { "555301", "dan" },
		{ "201", "nobody" }, { "02011", "nobody" }, { "+", "nobody" }, { "0201;x=y", "nobody" }, { "ALICE", "alice" }, { "", "nobody" },
		{ "sip:alice.smith@contoso.com", "alice" }, { "<sip:Alice.Smith@contoso.com:5061;transport=tls>;opaque=app:voicemail", "alice" },
		{ "alice.smith@contoso.com", "alice" }, { "sip:alice.smith@contoso.org", "nobody" }, { "sip:@contoso.com", "nobody" }, { "sips:alice.smith@CONTOSO.COM?x=y", "alice" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (strcmp(who(dir_find(v, text_of(cases[i].what))), cases[i].who) != 0)
			fail_msg("%s finds %s", cases[i].what, who(dir_find(v, text_of(cases[i].what))));
	dir_view_unref(v);
}

static void what_the_file_leaves_open_comes_from_the_dial_plan(void **state)
{
	(void)state;
	struct dir_view *v = view();
	const struct dir_user *a = dir_find_name(v, TEXT("alice")), *c = dir_find_name(v, TEXT("carol")), *d = dir_find_name(v, TEXT("dan"));
	assert_string_equal(a->lamp_uri, "sip:Alice.Smith@Contoso.com");
	assert_string_equal(a->lamp_gateway, "pool");
	assert_string_equal(a->spoken_name, "Al");
	assert_string_equal(a->operator_number, "desk");
	assert_string_equal(c->lamp_uri, "sip:0203@lyncpool.domain.com");
	assert_string_equal(c->spoken_name, "Carol Smithson");
	assert_string_equal(d->lamp_uri, "sip:301@branch.org");
	assert_string_equal(d->lamp_gateway, "pbx");
	assert_string_equal(dir_find_name(v, TEXT("bob"))->lamp_uri, "sip:x@y");
	assert_string_equal(d->language, "en");
	dir_view_unref(v);
}

static void names_become_keys(void **state)
{
	(void)state;
	static const struct {
		const char *name, *keys;
	} cases[] = { { "Smith", "76484" }, { "J\xc3\xbcrgen Gro\xc3\x9f", "58743647677" }, { "O'Brien-Lee", "627436533" }, { "\xc5\x81ukasz \xc3\x98", "5852796" },
		{ "Anna 2", "26622" }, { "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", "" }, { "e\xcc\x81", "3" }, { "\xc3", "" }, { "", "" } };
	char keys[48];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		dir_keys_of(text_of(cases[i].name), keys, sizeof keys);
		assert_string_equal(keys, cases[i].keys);
	}
	dir_keys_of(TEXT("abcdef"), keys, 4);
	assert_string_equal(keys, "222");
}

static void several_matches_are_offered_whole_names_first(void **state)
{
	(void)state;
	struct dir_view *v = view();
	const struct dir_user *out[4];
	size_t total;
	dir_match_keys(v, TEXT("76484"), CFG_LAST_FIRST, true, out, 4, &total);
	assert_int_equal(total, 3);
	assert_string_equal(out[0]->name, "alice");
	assert_string_equal(out[1]->name, "dan");
	assert_string_equal(out[2]->name, "carol");
	dir_match_keys(v, TEXT("76484326"), CFG_LAST_FIRST, true, out, 4, &total);
	assert_int_equal(total, 1);
	assert_string_equal(out[0]->name, "dan");
	dir_match_keys(v, TEXT("25423"), CFG_FIRST_LAST, true, out, 4, &total);
	assert_int_equal(total, 1);
	dir_match_keys(v, TEXT("4767"), CFG_LAST_FIRST, true, out, 4, &total); /* bob may not be called */
	assert_int_equal(total, 0);
	dir_match_keys(v, TEXT("4767"), CFG_LAST_FIRST, false, out, 4, &total);
	assert_int_equal(total, 1);
	dir_match_keys(v, TEXT("76484"), CFG_LAST_FIRST, true, out, 1, &total);
	assert_int_equal(total, 3);
	dir_match_keys(v, TEXT_NONE, CFG_LAST_FIRST, true, out, 4, &total);
	assert_int_equal(total, 0);
	dir_view_unref(v);
}

static void only_listed_targets_are_allowed(void **state)
{
	(void)state;
	struct dir_view *v = view();
	struct dir_target t;
	static const char *const evil[] = { "0201&300", "900@evil.org", "0201;method=INVITE", "0201%40x", "+0201", "sip:0201@x", "", " ", "02 01",
		"123456789012345678901", "0201\n" };
	for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++)
		assert_int_equal(dir_may_dial(v, text_of(evil[i]), &t), DIR_NOT_DIGITS);
	assert_int_equal(dir_may_dial(v, TEXT("0201"), &t), DIR_ALLOWED);
	assert_string_equal(t.number, "0201");
	assert_string_equal(t.uri, "sip:Alice.Smith@Contoso.com");
	assert_string_equal(t.dialplan->name, "main");
	assert_int_equal(dir_may_dial(v, TEXT("0202"), &t), DIR_NOT_DIALABLE);
	assert_int_equal(dir_may_dial(v, TEXT("9011"), &t), DIR_NOBODY);
	/* the administrator may name an extension without mailbox, but nothing foreign */
	assert_int_equal(dir_may_transfer(v, TEXT("0777"), &t), DIR_ALLOWED);
	assert_null(t.user);
	assert_int_equal(dir_may_transfer(v, TEXT("bob"), &t), DIR_ALLOWED);
	assert_string_equal(t.number, "0202");
	assert_int_equal(dir_may_transfer(v, TEXT("sip:boss@evil.org"), &t), DIR_NOBODY);
	assert_int_equal(dir_may_transfer(v, TEXT("nobody"), &t), DIR_NOT_DIGITS);
	/* callers of a greeting get its list and its operator, and no more */
	const struct dir_user *bob = dir_find_name(v, TEXT("bob"));
	assert_int_equal(dir_may_transfer_from(v, bob, TEXT("0201"), &t), DIR_ALLOWED);
	assert_int_equal(dir_may_transfer_from(v, bob, TEXT("0299"), &t), DIR_ALLOWED);
	assert_int_equal(dir_may_transfer_from(v, bob, TEXT("0200"), &t), DIR_ALLOWED);
	assert_int_equal(dir_may_transfer_from(v, bob, TEXT("0203"), &t), DIR_NOT_DIALABLE);
	assert_int_equal(dir_may_transfer_from(v, bob, TEXT("0298"), &t), DIR_NOBODY);
	dir_view_unref(v);
}

static int build(void *arg)
{
	struct dir_view *v;
	int err = dir_view_of_cfg(&v, arg);
	if (!err)
		dir_view_unref(v);
	return err;
}

static void survives_every_failing_allocation(void **state)
{
	(void)state;
	struct dir_view *v = view();
	ut_oom(build, (void *)(uintptr_t)dir_view_cfg(v));
	dir_view_unref(v);
}

static void names_are_said_as_they_are_heard(void **state)
{
	(void)state;
	struct dir_view *v = view();
	const struct dir_user *carol = dir_find_name(v, TEXT("carol"));
	assert_int_equal(carol->pronunciation.n, 2);
	assert_string_equal(carol->pronunciation.v[1], "/K EH1 R AH0 L/");
	assert_string_equal(carol->spoken_name, "Carol Smithson"); /* what people read stays */
	assert_string_equal(dir_view_sounds(v, "carol smithson"), "kay rol");
	assert_string_equal(dir_view_sounds(v, "Alice Smith"), "Alice Smith");
	dir_view_unref(v);
}

static void a_policy_may_take_the_lamp_away(void **state)
{
	(void)state;
	static const char yaml[] = "policies: [{name: all}, {name: dark, features: {lamp: false}}]\n"
		"mailboxes: [{name: alice}, {name: bob, policy: dark}, {name: carol, lamp: false}]\n";
	struct cfg *c;
	struct dir_view *v;
	assert_int_equal(cfg_parse(&c, "u", text_of(yaml), CFG_WANT_OBJECTS, NULL), 0);
	assert_int_equal(dir_view_of_cfg(&v, c), 0);
	assert_true(dir_find_name(v, TEXT("alice"))->lamp);
	assert_false(dir_find_name(v, TEXT("bob"))->lamp);
	assert_false(dir_find_name(v, TEXT("carol"))->lamp);
	dir_view_unref(v);
	cfg_unref(c);
}

UT_MAIN(UT(a_policy_may_take_the_lamp_away), UT(names_are_said_as_they_are_heard), UT(people_are_found_by_all_their_names), UT(what_the_file_leaves_open_comes_from_the_dial_plan), UT(names_become_keys),
	UT(several_matches_are_offered_whole_names_first), UT(only_listed_targets_are_allowed), UT(survives_every_failing_allocation))
