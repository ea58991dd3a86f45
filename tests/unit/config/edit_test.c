/* SPDX-License-Identifier: Apache-2.0 */
/* A file of objects changed by commands comes out as a file that means the same but for the change. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "config/edit.h"

static const char base[] =
	"dialplans: [{name: main, extension_digits: 4, rules: [{name: r, pattern: '0*'}]}]\n"
	"schedules:\n  - name: office\n    time_zone: Europe/Berlin\n    hours: {mon-fri: '08:30-12:00, 13:00-17:00', sat: 22:00-04:00}\n"
	"    holidays: [{name: X, from: 2026-12-24 12:00, greeting: \"a: \\\"b\\\" #c\"}]\n"
	"attendants:\n  - name: front\n    numbers: ['0800']\n    schedule: office\n    keys: {1: mailbox alice, '*': hours}\n"
	"mailboxes:\n  - {name: alice, display_name: 'Smith: Alice', extensions: ['0201']}\n  - {name: bob, extensions: '0202', dialable: false}\n";

static int edit(const char *yaml, struct cfg_edit *e, size_t n, struct cfg **cp, struct cfg_errors *errors)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	int err = cfg_edit(text_of(yaml), e, n, &out, errors);
	if (!err)
		err = cfg_parse(cp, "u", buf_as_text(&out), CFG_WANT_OBJECTS, errors);
	buf_free(&out);
	return err;
}

static struct cfg *good(const char *yaml, struct cfg_edit *e, size_t n)
{
	struct cfg_errors errors = { 0 };
	struct cfg *c = NULL;
	struct buf b;
	buf_init(&b, 1 << 16);
	if (edit(yaml, e, n, &c, &errors)) {
		cfg_errors_print(&errors, &b);
		fail_msg("%s", b.n ? buf_cstr(&b) : "?");
	}
	cfg_errors_free(&errors);
	return c;
}

static void nothing_changed_is_the_same(void **state)
{
	(void)state;
	struct cfg *a = NULL, *b = good(base, NULL, 0);
	struct cfg_changes ch = { 0 };
	assert_int_equal(cfg_parse(&a, "u", text_of(base), CFG_WANT_OBJECTS, NULL), 0);
	assert_int_equal(cfg_diff(a, b, &ch), 0);
	for (size_t i = 0; i < ch.n; i++)
		print_error("%s\n", ch.v[i].key);
	assert_int_equal(ch.n, 0);
	assert_string_equal(b->schedules[0].holidays[0].greeting, "a: \"b\" #c");
	cfg_changes_free(&ch);
	cfg_unref(a);
	cfg_unref(b);
}

static void objects_are_added_changed_and_taken_out(void **state)
{
	(void)state;
	struct cfg_edit_setting set[] = { { "extensions", "[\"0203\", '0204']" }, { "display_name", "Carol: #1 - \\ \"x\"" }, { "dialable", "no" } };
	struct cfg_edit_setting some[] = { { "closed.greeting", "We are closed." }, { "keys", "{2: hours}" }, { "schedule", "office" } };
	struct cfg_edit_setting none[] = { { "dialable", NULL }, { "extensions", "0299" } };
	struct cfg_edit_setting texts[] = { { "texts.welcome", "Good day.\nCall 2222: #1" }, { "texts.pin_reset", "\"One.\\nTwo.\"" } };
	struct cfg_edit e[] = {
		{ CFG_EDIT_ADD, "mailboxes", "carol", set, 3, 0 },
		{ CFG_EDIT_SET, "attendants", "FRONT", some, 3, 0 },
		{ CFG_EDIT_REMOVE, "mailboxes", "alice", NULL, 0, 0 },
		{ CFG_EDIT_SET, "mailboxes", "bob", none, 2, 0 },
		{ CFG_EDIT_ADD, "policies", "p", texts, 2, 0 },
	};
	struct cfg *c = good(base, e, 5);
	const struct cfg_mailbox *m = cfg_mailbox(c, TEXT("carol"));
	assert_string_equal(m->display_name, "Carol: #1 - \\ \"x\"");
	assert_int_equal(m->extensions.n, 2);
	assert_string_equal(m->extensions.v[1], "0204");
	assert_false(m->dialable);
	assert_null(cfg_mailbox(c, TEXT("alice")));
	assert_true(cfg_mailbox(c, TEXT("bob"))->dialable);
	assert_string_equal(cfg_mailbox(c, TEXT("bob"))->extensions.v[0], "0299");
	assert_string_equal(cfg_attendant(c, TEXT("front"))->closed.greeting, "We are closed.");
	assert_int_equal(cfg_attendant(c, TEXT("front"))->n_keys, 1);
	assert_int_equal(c->n_policies, 1);
	assert_string_equal(c->policies[0].texts.welcome, "Good day.\nCall 2222: #1");
	assert_string_equal(c->policies[0].texts.pin_reset, "One.\nTwo.");
	assert_int_equal(e[0].index, 2);
	assert_int_equal(e[2].index, SIZE_MAX);
	cfg_unref(c);
	c = good("", e, 1);
	assert_int_equal(c->n_mailboxes, 1);
	cfg_unref(c);
}

static void what_cannot_be_is_told(void **state)
{
	(void)state;
	struct cfg_edit_setting unknown[] = { { "color", "red" } }, broken[] = { { "extensions", "[1, 2" } }, twice[] = { { "extensions", "0202" } };
	struct cfg_edit_setting deep[] = { { "closed.color", "red" } };
	struct {
		struct cfg_edit e;
		const char *expect;
	} cases[] = {
		{ { CFG_EDIT_ADD, "mailboxes", "Alice", NULL, 0, 0 }, "is there already" },
		{ { CFG_EDIT_SET, "mailboxes", "zoe", NULL, 0, 0 }, "there is no zoe" },
		{ { CFG_EDIT_REMOVE, "policies", "p", NULL, 0, 0 }, "there is no p" },
		{ { CFG_EDIT_SET, "mailboxes", "bob", unknown, 1, 0 }, "there is no setting color" },
		{ { CFG_EDIT_SET, "attendants", "front", deep, 1, 0 }, "there is no setting closed.color" },
		{ { CFG_EDIT_SET, "mailboxes", "bob", broken, 1, 0 }, "the value of extensions cannot be read" },
		{ { CFG_EDIT_ADD, "mailboxes", "new", twice, 1, 0 }, "\"0202\" is used already" },
		{ { CFG_EDIT_REMOVE, "mailboxes", "alice", NULL, 0, 0 }, "there is no mailbox \"alice\"" }, /* a key leads to it */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct cfg_errors errors = { 0 };
		struct cfg *c = NULL;
		struct buf b;
		buf_init(&b, 1 << 16);
		assert_int_equal(edit(base, &cases[i].e, 1, &c, &errors), EINVAL);
		cfg_errors_print(&errors, &b);
		if (!strstr(buf_cstr(&b), cases[i].expect))
			fail_msg("\"%s\" not in:\n%s", cases[i].expect, buf_cstr(&b));
		buf_free(&b);
		cfg_errors_free(&errors);
	}
}

static void note(const char *key, const char *value, bool given, const char *help, void *arg)
{
	char *all = arg;
	size_t n = strlen(all);
	assert_true(*help);
	if (given)
		snprintf(all + n, 4000 - n, "%s=%s\n", key, value);
}

/* What is shown of an object can be given back as it is. */
static void what_is_shown_can_be_set(void **state)
{
	(void)state;
	struct cfg *c = NULL;
	char all[4000] = "";
	assert_int_equal(cfg_parse(&c, "u", text_of(base), CFG_WANT_OBJECTS, NULL), 0);
	assert_int_equal(cfg_show(c, "schedules", 0, note, all), 0);
	assert_non_null(strstr(all, "hours={mon: \"08:30-12:00, 13:00-17:00\", tue: \"08:30-12:00, 13:00-17:00\""));
	assert_non_null(strstr(all, "sat: \"22:00-04:00\"}"));
	assert_non_null(strstr(all, "holidays=[{name: \"X\", from: \"2026-12-24 12:00\", greeting: \"a: \\\"b\\\" #c\"}]"));
	char *hours = strstr(all, "hours=") + 6;
	hours[strcspn(hours, "\n")] = '\0';
	struct cfg_edit_setting set[] = { { "hours", hours } };
	struct cfg_edit e = { CFG_EDIT_SET, "schedules", "office", set, 1, 0 };
	struct cfg *d = good(base, &e, 1);
	struct cfg_changes ch = { 0 };
	assert_int_equal(cfg_diff(c, d, &ch), 0);
	assert_int_equal(ch.n, 0);
	cfg_changes_free(&ch);
	cfg_unref(d);
	all[0] = '\0';
	assert_int_equal(cfg_show(c, "attendants", 0, note, all), 0);
	assert_non_null(strstr(all, "numbers=[\"0800\"]"));
	assert_non_null(strstr(all, "keys={\"1\": mailbox alice, \"*\": hours}"));
	assert_int_equal(cfg_show(c, "attendants", 1, note, all), ENOENT);
	assert_int_equal(cfg_show(c, "node", 0, note, all), ENOENT);
	assert_int_equal(cfg_list_count(c, "mailboxes"), 2);
	cfg_unref(c);
}

static int edit_all(void *arg)
{
	struct cfg_errors errors = { 0 };
	struct cfg *c = NULL;
	struct cfg_edit_setting set[] = { { "extensions", "[\"0203\", '0204']" }, { "display_name", "Carol" } };
	struct cfg_edit e = { CFG_EDIT_ADD, "mailboxes", "carol", set, 2, 0 };
	int err = edit(arg, &e, 1, &c, &errors);
	if (!err)
		cfg_unref(c);
	if (err == EMSGSIZE || (err == EINVAL && errors.more))
		err = ENOMEM;
	cfg_errors_free(&errors);
	return err;
}

static void survives_every_failing_allocation(void **state)
{
	(void)state;
	char *copy = mem_strdup(base);
	ut_oom(edit_all, copy);
	mem_free(copy);
}

UT_MAIN(UT(nothing_changed_is_the_same), UT(objects_are_added_changed_and_taken_out), UT(what_cannot_be_is_told), UT(what_is_shown_can_be_set),
	UT(survives_every_failing_allocation))
