/* SPDX-License-Identifier: Apache-2.0 */
/* Letters to owners: what they need to know to begin, in their language, with the words of their policy. */
#include "ut.h"
#include <string.h>
#include "base/mem.h"
#include "directory/letter.h"

static const char yaml[] =
	"dialplans:\n"
	"  - {name: main, access_numbers: ['8000', '+49301234'], language: de-DE}\n"
	"  - {name: none}\n"
	"policies:\n"
	"  - name: some\n"
	"    pin_min_length: 8\n"
	"    texts:\n"
	"      welcome: |\n"
	"        Welcome to the house.\n"
	"        Ask 2222 for help.\n"
	"      pin_reset: You asked for it.\n"
	"  - {name: easy, pin_allow_trivial: true}\n"
	"mailboxes:\n"
	"  - {name: alice, display_name: Alice Smith, extensions: ['201', '202'], sip_uris: [sip:alice@example.com], language: en-US}\n"
	"  - {name: bernd, display_name: Bernd Groß, extensions: ['203']}\n"
	"  - {name: carla, display_name: Carla, extensions: ['204'], dialplan: none, policy: easy}\n"
	"  - {name: dmitri, display_name: Dmitri, extensions: ['205'], language: ru-RU}\n"
	"  - {name: m-en, display_name: M, language: en-US}\n"
	"  - {name: m-de, display_name: M, language: de}\n"
	"  - {name: m-fr, display_name: M, language: fr-FR}\n"
	"  - {name: m-es, display_name: M, language: es-ES}\n"
	"  - {name: m-it, display_name: M, language: it-IT}\n"
	"  - {name: m-nl, display_name: M, language: nl-NL}\n";

static struct dir_view *view;
static struct buf out;

static int setup(void **state)
{
	struct cfg *c;
	ut_setup(state);
	assert_int_equal(cfg_parse(&c, "letters.yaml", text_of(yaml), CFG_WANT_OBJECTS, NULL), 0);
	assert_int_equal(dir_view_of_cfg(&view, c), 0);
	cfg_unref(c);
	buf_init(&out, DIR_LETTER_MAX);
	return 0;
}

static int teardown(void **state)
{
	buf_free(&out);
	view = dir_view_unref(view);
	return ut_teardown(state);
}

static const char *letter(enum dir_letter kind, const char *mailbox)
{
	buf_clear(&out);
	assert_int_equal(dir_letter(&out, kind, view, dir_find_name(view, text_of(mailbox)), "482913"), 0);
	return buf_cstr(&out);
}

static void it_tells_all_that_is_needed_to_begin(void **state)
{
	(void)state;
	assert_string_equal(letter(DIR_LETTER_WELCOME, "alice"),
		"For Alice Smith\n\n"
		"You have a voice mailbox now.\n\n"
		"Welcome to the house.\nAsk 2222 for help.\n\n"
		"Your extension: 201, 202\n"
		"Your address: sip:alice@example.com\n"
		"Number of the mailbox: 8000, +49301234\n"
		"Your first PIN: 482913\n\n"
		"Call 8000. Enter your extension if it is asked for, then the PIN, each followed by #.\n"
		"You are asked then to choose a PIN of your own, of at least 8 digits.\n"
		"Simple ones, such as 123456, 111111 or your extension, are refused.\n"
		"Tell nobody your PIN, and destroy this letter when you have chosen your own.\n");
	const char *again = letter(DIR_LETTER_PIN_RESET, "alice");
	assert_non_null(strstr(again, "the old one is no longer valid.\n\nYou asked for it.\n\nYour extension"));
	assert_non_null(strstr(again, "Your new PIN: 482913\n"));
	assert_null(strstr(again, "Welcome"));
}

static void in_the_language_of_mailbox_or_plan(void **state)
{
	(void)state;
	assert_non_null(strstr(letter(DIR_LETTER_WELCOME, "bernd"), "Für Bernd Groß\n"));
	assert_non_null(strstr(letter(DIR_LETTER_WELCOME, "bernd"), "Ihre erste PIN: 482913\n"));
	assert_non_null(strstr(letter(DIR_LETTER_WELCOME, "carla"), "For Carla\n"));
	assert_non_null(strstr(letter(DIR_LETTER_WELCOME, "dmitri"), "For Dmitri\n")); /* one that we do not speak */
	static const char *const mailboxes[] = { "m-en", "m-de", "m-fr", "m-es", "m-it", "m-nl" };
	static const char *const greets[] = { "For M", "Für M", "Pour M", "Para M", "Per M", "Voor M" };
	for (size_t i = 0; i < sizeof mailboxes / sizeof mailboxes[0]; i++)
		for (int kind = DIR_LETTER_WELCOME; kind <= DIR_LETTER_PIN_RESET; kind++) {
			const char *l = letter((enum dir_letter)kind, mailboxes[i]);
			assert_null(strstr(l, "{}"));
			assert_non_null(strstr(l, "482913\n"));
			assert_non_null(strstr(l, " 8000"));
			assert_ptr_equal(strstr(l, greets[i]), l);
		}
}

static void what_is_not_there_is_not_promised(void **state)
{
	(void)state;
	const char *l = letter(DIR_LETTER_WELCOME, "carla");
	assert_non_null(strstr(l, "Your administrator will tell you which number to call"));
	assert_null(strstr(l, "Number of the mailbox"));
	assert_null(strstr(l, "address"));
	assert_null(strstr(l, "Simple ones"));
}

static int one(void *arg)
{
	struct buf b;
	(void)arg;
	buf_init(&b, DIR_LETTER_MAX);
	int err = dir_letter(&b, DIR_LETTER_WELCOME, view, dir_find_name(view, TEXT("alice")), "482913");
	buf_free(&b);
	return err;
}

static void without_memory_there_is_none(void **state)
{
	(void)state;
	ut_oom(one, NULL);
}

#define LT(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
UT_MAIN(LT(it_tells_all_that_is_needed_to_begin), LT(in_the_language_of_mailbox_or_plan), LT(what_is_not_there_is_not_promised), LT(without_memory_there_is_none))
