/* SPDX-License-Identifier: Apache-2.0 */
/* Own prompts: every node of a store hears a change, a taken one is gone everywhere, a damaged one is told and does no harm. */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "net/loop.h"
#include "pg.h"
#include "voice/languages.h"
#include "voice/own.h"
#include "voice_events.h"

struct side {
	struct languages *languages;
	struct own_prompts *own;
	struct ev_bus *bus;
};
static _Atomic unsigned unusable; /* counted by the threads of the buses */

static void count(const struct ev_record *rec, void *arg)
{
	(void)arg;
	unusable += rec->report.id == EV_VOICE_OWN_UNUSABLE;
}

static void begin(struct side *d, struct loop *loop, struct store *store, unsigned poll_ms)
{
	assert_int_equal(ev_bus_create(&d->bus, clock_system(), 0), 0);
	ev_bus_sink(d->bus, count, NULL, NULL);
	assert_int_equal(languages_open(&d->languages, &(struct prompt_set_prm){ 0 }, NULL, 0, NULL), 0);
	struct own_prompts_prm prm = { .store = store, .loop = loop, .languages = d->languages, .bus = d->bus, .poll_ms = poll_ms };
	assert_int_equal(own_prompts_create(&d->own, &prm), 0);
}

static void end(struct side *d)
{
	own_prompts_destroy(d->own);
	d->own = NULL;
}

static void end_after_the_store(struct side *d)
{
	languages_close(d->languages);
	ev_bus_destroy(d->bus);
}

struct answer {
	bool came;
	int err;
};

static void answered(int err, const struct ev_report *why, void *arg)
{
	struct answer *a = arg;
	char line[400];
	if (err && err != ENOENT)
		print_message("%s\n", ev_sentence(why, line, sizeof line));
	a->came = true;
	a->err = err;
}

static int wait_answer(struct loop *loop, struct answer *a)
{
	for (unsigned i = 0; i < 1000 && !a->came; i++)
		loop_step(loop, 10);
	assert_true(a->came);
	return a->err;
}

static int import(struct loop *loop, struct side *d, const char *language, const char *name, const char *words, unsigned ms)
{
	static int16_t pcm[8000 * 2];
	for (unsigned i = 0; i < ms * 8; i++)
		pcm[i] = (int16_t)(i % 64 * 300);
	struct answer a = { 0 };
	int err = own_prompts_set(d->own, language, name, words, pcm, ms * 16, answered, &a);
	return err ? err : wait_answer(loop, &a);
}

static int take_away(struct loop *loop, struct side *d, const char *language, const char *name)
{
	struct answer a = { 0 };
	int err = own_prompts_remove(d->own, language, name, answered, &a);
	return err ? err : wait_answer(loop, &a);
}

static uint32_t length(struct side *d, const char *tag, const char *name)
{
	struct media_clip *c = prompt_clip(languages_find(d->languages, tag), name);
	return c ? media_clip_ms(c) : 0;
}

static bool becomes(struct loop *loop, struct side *d, const char *tag, const char *name, uint32_t ms)
{
	for (unsigned i = 0; i < 1000 && length(d, tag, name) != ms; i++)
		loop_step(loop, 10);
	return length(d, tag, name) == ms;
}

static void on_every_node(const char *url)
{
	struct loop *loop;
	struct side a, b;
	struct store *store;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	struct store_prm prm = { .url = url, .loop = loop, .clock = clock_system() };
	assert_int_equal(store_open(&store, &prm, NULL), 0);
	begin(&a, loop, store, 10);
	begin(&b, loop, store, 10);
	const uint32_t was = length(&a, "en", "goodbye"), was_de = length(&a, "de", "goodbye");
	assert_int_equal(import(loop, &a, "en-US", "goodbye", "So long.", 500), 0);
	assert_int_equal(length(&a, "en", "goodbye"), 500); /* here at once */
	assert_true(becomes(loop, &b, "en", "goodbye", 500));
	assert_string_equal(prompt_text(languages_find(b.languages, "en"), "goodbye"), "So long.");
	assert_int_equal(length(&b, "de", "goodbye"), was_de); /* its own language only */
	assert_int_equal(import(loop, &b, "EN-us", "goodbye", "", 700), 0); /* the other node changes it; a tag has no case */
	assert_true(becomes(loop, &a, "en", "goodbye", 700));
	assert_string_equal(prompt_text(languages_find(a.languages, "en"), "goodbye"), "Goodbye.");
	assert_int_equal(import(loop, &a, "en-US", "main-welcome", "Welcome to Contoso.", 300), 0);
	assert_true(becomes(loop, &b, "de", "main-welcome", 300)); /* heard in other languages, too, rather than not at all */
	assert_int_equal(take_away(loop, &a, "en-US", "nothing"), ENOENT);
	assert_int_equal(take_away(loop, &b, "en-US", "main-welcome"), 0);
	assert_int_equal(length(&b, "en", "main-welcome"), 0);
	assert_true(becomes(loop, &a, "en", "main-welcome", 0));
	assert_int_equal(import(loop, &a, "xx-XX", "goodbye", "", 200), 0); /* a language of another node */
	for (unsigned i = 0; i < 1000 && unusable < 2; i++)
		loop_step(loop, 10);
	ev_bus_flush(a.bus);
	ev_bus_flush(b.bus);
	for (unsigned i = 0; i < 30; i++)
		loop_step(loop, 10);
	ev_bus_flush(b.bus);
	end(&a);
	end(&b);
	store_close(store);
	assert_int_equal(unusable, 3); /* by a: when it came, and at its next look; by b once, not at every look */
	end_after_the_store(&a);
	end_after_the_store(&b);
	unusable = 0;

	/* after a restart */
	assert_int_equal(store_open(&store, &prm, NULL), 0);
	begin(&a, loop, store, 10);
	assert_int_equal(length(&a, "en", "goodbye"), was);
	assert_true(becomes(loop, &a, "en", "goodbye", 700));
	end(&a);
	store_close(store);
	end_after_the_store(&a);
	unusable = 0;
	loop_destroy(loop);
}

static void every_node_of_a_store_hears_a_change(void **state)
{
	(void)state;
	char url[300];
	text_print(url, sizeof url, "sqlite:%s/db", ut_tmpdir());
	on_every_node(url);
}

static void in_postgresql_too(void **state)
{
	(void)state;
	if (!pg_url())
		skip();
	pg_wipe();
	on_every_node(pg_url());
}

/* Looks are always under way here, beside the changes: what one of them read before a change, and brings after it, must not undo it. */
static void looks_beside_changes(const char *url)
{
	struct loop *loop;
	struct side a;
	struct store *store;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	struct store_prm prm = { .url = url, .loop = loop, .clock = clock_system() };
	assert_int_equal(store_open(&store, &prm, NULL), 0);
	begin(&a, loop, store, 1);
	const uint32_t was = length(&a, "en", "goodbye");
	for (unsigned i = 0; i < 60; i++) {
		const uint32_t ms = i % 3 == 2 ? was : 200 + i;
		assert_int_equal(i % 3 == 2 ? take_away(loop, &a, "en-US", "goodbye") : import(loop, &a, "en-US", "goodbye", "", ms), 0);
		for (unsigned k = 0; k < i % 7; k++) {
			assert_int_equal(length(&a, "en", "goodbye"), ms);
			loop_step(loop, 1);
		}
		assert_int_equal(length(&a, "en", "goodbye"), ms);
	}
	end(&a);
	store_close(store);
	end_after_the_store(&a);
	loop_destroy(loop);
}

static void no_look_undoes_a_change(void **state)
{
	(void)state;
	char url[300];
	text_print(url, sizeof url, "sqlite:%s/db", ut_tmpdir());
	looks_beside_changes(url);
}

static void nor_in_postgresql(void **state)
{
	(void)state;
	if (!pg_url())
		skip();
	pg_wipe();
	looks_beside_changes(pg_url());
}

/* Rows that no release of ours writes: no audio at all, an empty one, half a sample, one that is too long. */
static int damage(struct db_tx *tx, void *arg, struct ev_report *why)
{
	static const char *const names[] = { "x-none", "x-empty", "x-half", "x-long" };
	static uint8_t big[OWN_BYTES + 2];
	size_t bytes[] = { 0, 0, 1, sizeof big };
	int err = 0;
	(void)arg;
	for (size_t i = 0; !err && i < 4; i++) {
		char id[96];
		text_print(id, sizeof id, "prompt/en-US/%s", names[i]);
		err = db_exec(tx, why, "INSERT INTO prompt (language, name, words, bytes, changed_us) VALUES ('en-US', ?1, '', ?2, ?3)", "sii", names[i], (int64_t)bytes[i], (int64_t)i + 1);
		if (!err && i)
			err = db_blob_put(tx, id, big, bytes[i], why);
	}
	return err;
}

static void damaged_rows_are_told_once_and_keep_no_other_away(void **state)
{
	(void)state;
	struct loop *loop;
	struct side a;
	struct store *store;
	char url[300];
	text_print(url, sizeof url, "sqlite:%s/db", ut_tmpdir());
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	struct store_prm prm = { .url = url, .loop = loop, .clock = clock_system() };
	assert_int_equal(store_open(&store, &prm, NULL), 0);
	assert_int_equal(store_run(store, STORE_WRITE, damage, NULL, NULL), 0);
	unusable = 0;
	begin(&a, loop, store, 10);
	assert_int_equal(import(loop, &a, "en-US", "a-first", "", 300), 0);
	assert_int_equal(import(loop, &a, "en-US", "z-last", "", 400), 0);
	for (unsigned i = 0; i < 1000 && unusable < 4; i++) {
		loop_step(loop, 10);
		ev_bus_flush(a.bus);
	}
	for (unsigned i = 0; i < 30; i++)
		loop_step(loop, 10);
	ev_bus_flush(a.bus);
	assert_int_equal(unusable, 4);
	assert_int_equal(length(&a, "en", "a-first"), 300);
	assert_int_equal(length(&a, "en", "x-half"), 0);
	end(&a);
	store_close(store);
	end_after_the_store(&a);
	unusable = 0;
	loop_destroy(loop);
}

static void what_cannot_be_is_refused_at_once(void **state)
{
	(void)state;
	struct loop *loop;
	struct side a;
	struct store *store;
	struct answer no = { 0 };
	static const char *const tags[] = { "", "d", "de-", "d e", "../../etc", "averyveryverylongtag" };
	static const char *const names[] = { "", "A", "../x", "a//b", "a b" };
	static char big[OWN_BYTES + 2];
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	char url[300];
	text_print(url, sizeof url, "sqlite:%s/db", ut_tmpdir());
	struct store_prm prm = { .url = url, .loop = loop, .clock = clock_system() };
	assert_int_equal(store_open(&store, &prm, NULL), 0);
	begin(&a, loop, store, 10);
	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
		assert_int_equal(import(loop, &a, tags[i], "goodbye", "", 100), EINVAL);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(import(loop, &a, "de-DE", names[i], "", 100), EINVAL);
	assert_int_equal(own_prompts_set(a.own, "de-DE", "goodbye", "", big, 0, answered, &no), ENODATA);
	assert_int_equal(own_prompts_set(a.own, "de-DE", "goodbye", "", big, 3, answered, &no), ENODATA);
	assert_int_equal(own_prompts_set(a.own, "de-DE", "goodbye", "", big, sizeof big, answered, &no), EFBIG);
	assert_false(no.came);
	end(&a);
	store_close(store);
	end_after_the_store(&a);
	loop_destroy(loop);
}

UT_MAIN(UT(every_node_of_a_store_hears_a_change), UT(in_postgresql_too), UT(no_look_undoes_a_change), UT(nor_in_postgresql), UT(damaged_rows_are_told_once_and_keep_no_other_away), UT(what_cannot_be_is_refused_at_once))
