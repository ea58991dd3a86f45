/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of each language, word by word, and the choice of a set. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "voice/languages.h"
#include "voice/pack.h"
#include "voice/say.h"

static struct languages *all;

static int open_all(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return languages_open(&all, &(struct prompt_set_prm){ 0 }, NULL, 0, NULL);
}

static int close_all(void **state)
{
	(void)state;
	languages_close(all);
	return 0;
}

/* What a sequence says; clips of a set are told apart by their identity. */
static const char *words(struct say_seq *q)
{
	static char text[2048];
	size_t n = 0;
	text[0] = 0;
	for (unsigned i = 0; i < q->n; i++)
		for (unsigned k = 0; k < prompt_count(q->set); k++)
			if (prompt_clip(q->set, prompt_name(q->set, k)) == q->clip[i])
				n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", prompt_text(q->set, prompt_name(q->set, k)));
	if (say_error(q, NULL))
		snprintf(text, sizeof text, "missing: %s", q->missing);
	say_clear(q);
	return text;
}

static void begin(struct say_seq *q, const char *tag)
{
	assert_true(languages_speaks(all, tag));
	say_begin(q, languages_find(all, tag));
}

static void numbers(void **state)
{
	(void)state;
	static const struct {
		const char *tag;
		uint32_t n;
		const char *words;
	} rows[] = {
		{ "de", 0, "null" }, { "de", 1, "eins" }, { "de", 21, "einundzwanzig" }, { "de", 101, "hundert eins" }, { "de", 243, "zwei hundert dreiundvierzig" },
		{ "de", 1000, "tausend" }, { "de", 2001, "zwei tausend eins" }, { "de", 101000, "hundert ein tausend" }, { "de", 1000000, "eine Million" }, { "de", 3000017, "drei Millionen siebzehn" },
		{ "fr", 1, "un" }, { "fr", 21, "vingt et un" }, { "fr", 71, "soixante et onze" }, { "fr", 80, "quatre-vingts" }, { "fr", 81, "quatre-vingt-un" }, { "fr", 99, "quatre-vingt-dix-neuf" },
		{ "fr", 200, "deux cents" }, { "fr", 201, "deux cent un" }, { "fr", 1000, "mille" }, { "fr", 2000, "deux mille" }, { "fr", 1000001, "un million un" },
		{ "es", 21, "veintiuno" }, { "es", 100, "cien" }, { "es", 101, "ciento uno" }, { "es", 555, "quinientos cincuenta y cinco" }, { "es", 1000, "mil" }, { "es", 21000, "veintiún mil" },
		{ "es", 2000000, "dos millones" }, { "es", 300, "trescientos" },
		{ "it", 23, "ventitré" }, { "it", 28, "ventotto" }, { "it", 100, "cento" }, { "it", 243, "due cento quarantatré" }, { "it", 1000, "mille" }, { "it", 2000, "due mila" },
		{ "nl", 21, "eenentwintig" }, { "nl", 22, "tweeëntwintig" }, { "nl", 100, "honderd" }, { "nl", 1001, "duizend een" }, { "nl", 5000000, "vijf miljoen" },
	};
	struct say_seq q;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin(&q, rows[i].tag);
		say_number(&q, rows[i].n);
		assert_string_equal(words(&q), rows[i].words);
	}
}

static void what_is_counted_agrees_with_its_number(void **state)
{
	(void)state;
	static const struct {
		const char *tag;
		uint32_t n;
		const char *adjective, *singular, *words;
	} rows[] = {
		{ "de", 0, "new", "message", "keine neuen Nachrichten" }, { "de", 1, "new", "message", "eine neue Nachricht" }, { "de", 4, "new", "message", "vier neue Nachrichten" },
		{ "fr", 0, "saved", "message", "aucun message enregistré" }, { "fr", 1, NULL, "message", "un message" }, { "fr", 21, "new", "message", "vingt et un nouveaux messages" },
		{ "fr", 21, NULL, "minute", "vingt et une minutes" }, { "es", 21, "new", "message", "veintiún mensajes nuevos" }, { "es", 21, NULL, "hour", "veintiuna horas" },
		{ "es", 200, NULL, "hour", "doscientas horas" }, { "es", 31, NULL, "minute", "treinta y un minutos" }, { "it", 1, NULL, "hour", "un'ora" }, { "it", 2, NULL, "hour", "due ore" },
		{ "nl", 1, "saved", "message", "één bewaard bericht" }, { "nl", 3, NULL, "hour", "drie uur" },
	};
	struct say_seq q;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin(&q, rows[i].tag);
		say_count(&q, rows[i].n, rows[i].adjective, rows[i].singular, "");
		assert_string_equal(words(&q), rows[i].words);
	}
}

static void dates_and_times(void **state)
{
	(void)state;
	const int64_t now = 1774869300; /* Monday 2026-03-30 11:15:00 UTC */
	static const struct {
		const char *tag;
		int64_t ago_s;
		const char *words;
	} rows[] = {
		{ "de", 0, "heute um elf Uhr fünfzehn" }, { "de", 10 * 3600, "heute um ein Uhr fünfzehn" }, { "de", 86400, "gestern um elf Uhr fünfzehn" },
		{ "de", 3 * 86400, "am Freitag um elf Uhr fünfzehn" }, { "de", 27 * 86400, "am dritten März um elf Uhr fünfzehn" },
		{ "fr", 0, "aujourd'hui à onze heures quinze" }, { "fr", 29 * 86400, "le premier mars à onze heures quinze" }, { "fr", 10 * 3600 + 15 * 60, "aujourd'hui à une heure" },
		{ "es", 10 * 3600, "hoy a la una y quince" }, { "es", 27 * 86400, "el tres de marzo a las once y quince" }, { "es", 2 * 86400, "el sábado a las once y quince" },
		{ "it", 10 * 3600, "oggi all'una e quindici" }, { "it", 22 * 86400, "l'otto marzo alle undici e quindici" }, { "it", 86400, "ieri alle undici e quindici" },
		{ "nl", 27 * 86400, "op drie maart om elf uur vijftien" }, { "nl", 4 * 86400, "op donderdag om elf uur vijftien" },
	};
	struct say_seq q;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin(&q, rows[i].tag);
		say_when(&q, now - rows[i].ago_s, now);
		assert_string_equal(words(&q), rows[i].words);
	}
	static const char *const dates[][2] = { { "de", "Montag der dreißigste März" }, { "fr", "lundi trente mars" }, { "es", "lunes treinta de marzo" },
		{ "it", "lunedì trenta marzo" }, { "nl", "maandag dertig maart" } };
	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
		begin(&q, dates[i][0]);
		say_date(&q, now);
		assert_string_equal(words(&q), dates[i][1]);
	}
	begin(&q, "it");
	say_time(&q, now);
	assert_string_equal(words(&q), "le undici e quindici");
	begin(&q, "de");
	say_duration(&q, 0);
	assert_string_equal(words(&q), "null Sekunden");
	begin(&q, "fr");
	say_duration(&q, 121000);
	assert_string_equal(words(&q), "deux minutes et une seconde");
}

/* Nothing that can be asked for is missing in any language. */
static void twelve_hours_name_the_part_of_the_day(void **state)
{
	(void)state;
	static const struct {
		const char *tag;
		int hour, minute;
		const char *twelve, *usual;
	} rows[] = {
		{ "de", 15, 10, "drei Uhr zehn nachmittags", "fünfzehn Uhr zehn" }, { "de", 0, 20, "zwölf Uhr zwanzig nachts", "null Uhr zwanzig" },
		{ "de", 12, 0, "zwölf Uhr mittags", "zwölf Uhr" }, { "fr", 23, 5, "onze heures cinq du soir", "vingt-trois heures cinq" },
		{ "fr", 4, 0, "quatre heures du matin", "quatre heures" }, { "es", 19, 20, "las siete y veinte de la tarde", "las diecinueve y veinte" },
		{ "es", 21, 0, "las nueve de la noche", "las veintiuna" }, { "it", 11, 59, "le undici e cinquantanove di mattina", "le undici e cinquantanove" },
		{ "it", 18, 0, "le sei di sera", "le diciotto" }, { "nl", 14, 30, "twee uur dertig 's middags", "veertien uur dertig" },
		{ "nl", 1, 0, "een uur 's nachts", "een uur" }, { "en", 15, 0, "three o'clock P M", "three o'clock P M" },
	};
	struct say_seq q;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t when = rows[i].hour * 3600 + rows[i].minute * 60;
		begin(&q, rows[i].tag);
		say_zone(&q, NULL, 12);
		say_time(&q, when);
		assert_string_equal(words(&q), rows[i].twelve);
		begin(&q, rows[i].tag);
		say_time(&q, when);
		assert_string_equal(words(&q), rows[i].usual);
		for (int h = 0; h < 24; h++) {
			begin(&q, rows[i].tag);
			say_zone(&q, NULL, 12);
			say_when(&q, h * 3600 + 86400, 0);
			assert_int_equal(say_error(&q, NULL), 0);
			say_clear(&q);
		}
	}
}

static void every_number_date_and_count_has_its_words(void **state)
{
	(void)state;
	static const char *const counted[][2] = { { "new", "message" }, { "saved", "message" }, { NULL, "message" } };
	for (unsigned i = 1; i < languages_count(all); i++) {
		struct prompt_set *set = languages_at(all, i);
		struct say_seq q;
		for (uint32_t n = 0; n < 2200000; n += n < 1100 ? 1 : 99991)
			for (int g = LANG_ALONE; g <= LANG_FEMININE; g++) {
				say_begin(&q, set);
				say_number_as(&q, n, (enum lang_gender)g);
				assert_int_equal(say_error(&q, NULL), 0);
				assert_true(q.n > 0);
				say_clear(&q);
			}
		for (int64_t t = 0; t < 366; t++) {
			say_begin(&q, set);
			say_when(&q, t * 86400 + t * 239, 400 * 86400);
			say_date(&q, t * 86400);
			say_time(&q, t * 241);
			say_when(&q, 400 * 86400 - t * 3600, 400 * 86400);
			say_duration(&q, (uint32_t)t * 61000);
			assert_int_equal(say_error(&q, NULL), 0);
			say_clear(&q);
		}
		for (size_t k = 0; k < sizeof counted / sizeof *counted; k++)
			for (uint32_t n = 0; n < 3; n++) {
				say_begin(&q, set);
				say_count(&q, n, counted[k][0], counted[k][1], "");
				assert_int_equal(say_error(&q, NULL), 0);
				say_clear(&q);
			}
	}
}

static void a_tag_finds_the_nearest_language(void **state)
{
	(void)state;
	static const char *const rows[][2] = { { "de-DE", "de-DE" }, { "de-AT", "de-DE" }, { "DE", "de-DE" }, { "en", "en-US" }, { "en-GB", "en-US" }, { "", "en-US" }, { "xx", "en-US" },
		{ "deutsch", "en-US" }, { "-", "en-US" } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(prompt_set_language(languages_find(all, rows[i][0])), rows[i][1]);
	assert_false(languages_speaks(all, "xx"));
	assert_false(languages_speaks(all, ""));
	assert_string_equal(lang_find("de-AT")->code, "de");
	assert_string_equal(lang_find("sv")->code, "en");
}

/* A sentence that a language lacks is heard in the node's own, never as silence. */
static void what_a_language_lacks_is_lent(void **state)
{
	(void)state;
	static const struct prompt_words v[] = { { "goodbye", "Goodbye." }, { "digits/h-3", "third" } }; /* ordinals are English only */
	struct languages *l;
	assert_int_equal(languages_open(&l, &(struct prompt_set_prm){ 0 }, v, 2, NULL), 0);
	struct prompt_set *de = languages_find(l, "de");
	assert_ptr_equal(prompt_clip(de, "digits/h-3"), prompt_clip(languages_at(l, 0), "digits/h-3"));
	assert_string_equal(prompt_text(de, "goodbye"), "Auf Wiederhören.");
	for (unsigned i = 1; i < prompt_count(de); i++)
		assert_true(strcmp(prompt_name(de, i - 1), prompt_name(de, i)) < 0);
	languages_close(l);
}

static void write_small(const char *path, const char *language, const char *name)
{
	struct media_clip *c;
	struct buf out;
	buf_init(&out, 1 << 20);
	assert_int_equal(media_clip_tone(&c, 400, 0, 20, -20), 0);
	struct pack_item item = { name, "words", c };
	assert_int_equal(pack_write(&out, language, &item, 1), 0);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(out.p, 1, out.n, f), out.n);
	fclose(f);
	buf_free(&out);
	mem_unref(c);
}

static char one[256], two[256];

static int own_and_lent(void *arg)
{
	(void)arg;
	struct prompt_set *s = NULL, *from = NULL;
	struct media_clip *mine = NULL;
	int err = prompt_set_open(&s, &(struct prompt_set_prm){ .pack = one }, NULL);
	if (!err)
		err = prompt_set_open(&from, &(struct prompt_set_prm){ .pack = two }, NULL);
	if (!err)
		err = media_clip_tone(&mine, 400, 0, 40, -20);
	if (!err) {
		prompt_set_fall_back(s, from);
		err = prompt_set_own(s, "a", "", mine);
	}
	if (!err)
		err = prompt_set_own(s, "0-first", "Mine.", mine);
	if (!err) {
		assert_int_equal(media_clip_ms(prompt_clip(s, "b")), 20); /* lent */
		assert_null(prompt_clip(s, "nowhere"));
		assert_ptr_equal(prompt_clip(s, "a"), mine);
		assert_string_equal(prompt_text(s, "a"), "words");
		assert_string_equal(prompt_name(s, 0), "0-first");
		assert_string_equal(prompt_text(s, "0-first"), "Mine.");
		assert_true(prompt_is_own(s, "a") && !prompt_is_own(s, "b"));
		assert_int_equal(prompt_set_own(s, "a", "", NULL), 0);
		assert_int_equal(prompt_set_own(s, "0-first", "", NULL), 0);
		assert_int_equal(prompt_set_own(s, "never-there", "", NULL), 0);
		assert_int_equal(prompt_count(s), 1);
		assert_int_equal(media_clip_ms(prompt_clip(s, "a")), 20);
	}
	mem_unref(mine);
	prompt_set_close(s);
	prompt_set_close(from);
	return err;
}

static void own_prompts_stand_before_the_sets_and_go_again(void **state)
{
	(void)state;
	const char *dir = ut_tmpdir();
	snprintf(one, sizeof one, "%s/xx.pack", dir);
	snprintf(two, sizeof two, "%s/yy.pack", dir);
	write_small(one, "xx", "a");
	write_small(two, "yy", "b");
	ut_oom(own_and_lent, NULL);
}

static void names_of_prompts(void **state)
{
	(void)state;
	static const char *const good[] = { "a", "main-greeting", "digits/4", "a/b-c/9", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	static const char *const bad[] = { "", "A", "-a", "a-", "/a", "a/", "a//b", "a-/b", "../x", "a b", "\xc3\xa4", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(prompt_name_good(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(prompt_name_good(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = { UT(numbers), UT(what_is_counted_agrees_with_its_number), UT(dates_and_times), UT(twelve_hours_name_the_part_of_the_day), UT(every_number_date_and_count_has_its_words),
		UT(a_tag_finds_the_nearest_language), UT(what_a_language_lacks_is_lent), UT(own_prompts_stand_before_the_sets_and_go_again), UT(names_of_prompts) };
	return cmocka_run_group_tests(tests, open_all, close_all);
}
