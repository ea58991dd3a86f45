/* SPDX-License-Identifier: Apache-2.0 */
/* What callers are told, and what is there afterwards, with a store that works, fails, is slow, or comes back. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "db/faults.h"
#include "mailbox/mbox_private.h"
#include "net/loop.h"
#include "net/pool.h"
#include "pg.h"

struct bench {
	struct loop *loop;
	struct store *s;
	struct db_faults f;
	struct pool *files;
	struct mbox *m;
	char url[300], spool[300];
	enum mbox_saved saved;
	unsigned n_saved;
	int err;
	bool came;
	struct mbox_message v[8];
	size_t n;
	struct mbox_counts counts;
	uint8_t audio[64];
	size_t n_audio;
	enum mbox_codec codec;
	struct mbox_standing standing;
	struct mbox_missed missed[4];
};

static bool on_pg;

static void open_mbox(struct bench *b, uint64_t receipt_ms)
{
	struct mbox_prm prm = { .store = b->s, .loop = b->loop, .files = b->files, .clock = clock_system(), .spool_dir = b->spool,
		.receipt_ms = receipt_ms, .ship_ms = 20, .spool_free_min_bytes = 1 };
	assert_int_equal(mbox_create(&b->m, &prm, NULL), 0);
}

static void begin(struct bench *b)
{
	memset(b, 0, sizeof *b);
	db_faults_init(&b->f);
	assert_int_equal(loop_create(&b->loop, clock_system()), 0);
	assert_int_equal(pool_create(&b->files, b->loop, "files", 1, 64), 0);
	struct store_prm prm = { .url = b->url, .loop = b->loop, .clock = clock_system() };
	snprintf(b->spool, sizeof b->spool, "%s/spool", ut_tmpdir());
	if (on_pg) {
		if (!pg_url())
			skip();
		pg_wipe();
		prm.url = pg_url();
		prm.statement_ms = 1000;
		assert_int_equal(store_open(&b->s, &prm, NULL), 0);
	} else {
		snprintf(b->url, sizeof b->url, "sqlite:%s/m.db", ut_tmpdir());
		assert_int_equal(store_open_with(&b->s, &prm, &db_scripted, &b->f, NULL), 0);
	}
	open_mbox(b, 5000);
}

static void end(struct bench *b)
{
	mbox_destroy(b->m);
	store_close(b->s);
	pool_destroy(b->files);
	loop_destroy(b->loop);
}

static void wait_came(struct bench *b)
{
	for (int i = 0; i < 1000 && !b->came; i++)
		loop_step(b->loop, 10);
	assert_true(b->came);
	b->came = false;
}

static void on_saved(enum mbox_saved outcome, int err, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->saved = outcome;
	b->err = err;
	b->n_saved++;
	b->came = true;
}

static struct mbox_message message(const char *mailbox)
{
	static int64_t t = 1795356309000000;
	struct mbox_message m = { .caller_number = "201", .caller_name = "Bob", .duration_ms = 3000, .codec = MBOX_PCMA, .received_us = t++ };
	id_make(m.id, clock_system());
	snprintf(m.mailbox, sizeof m.mailbox, "%s", mailbox);
	return m;
}

static enum mbox_saved save(struct bench *b, const struct mbox_message *m, const char *words)
{
	struct mbox_audio a = { .p = (const uint8_t *)words, .n = strlen(words) };
	assert_int_equal(mbox_save(b->m, m, &a, on_saved, b, NULL), 0);
	wait_came(b);
	return b->saved;
}

static void on_list(int err, const struct mbox_message *v, size_t n, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	b->n = n < 8 ? n : 8;
	if (n)
		memcpy(b->v, v, b->n * sizeof *v);
	b->came = true;
}

static size_t list(struct bench *b, int which)
{
	assert_int_equal(mbox_list(b->m, "Alice", which, MBOX_OLDEST_FIRST, on_list, b, NULL), 0);
	wait_came(b);
	assert_int_equal(b->err, 0);
	return b->n;
}

static void on_counts(int err, const struct mbox_counts *c, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	b->counts = *c;
	b->came = true;
}

static void expect_counts(struct bench *b, unsigned fresh, unsigned saved)
{
	assert_int_equal(mbox_counts(b->m, "alice", on_counts, b, NULL), 0);
	wait_came(b);
	assert_int_equal(b->counts.fresh, fresh);
	assert_int_equal(b->counts.saved, saved);
}

static void on_audio(int err, enum mbox_codec codec, const uint8_t *p, size_t n, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	b->codec = codec;
	b->n_audio = n < sizeof b->audio ? n : sizeof b->audio;
	if (n)
		memcpy(b->audio, p, b->n_audio);
	b->came = true;
}

static int audio(struct bench *b, const char *id)
{
	assert_int_equal(mbox_get_audio(b->m, "alice", id, on_audio, b, NULL), 0);
	wait_came(b);
	return b->err;
}

static void on_done(int err, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	b->came = true;
}

static int mark(struct bench *b, const char *mailbox, const char *id, enum mbox_state st)
{
	assert_int_equal(mbox_mark(b->m, mailbox, id, st, on_done, b, NULL), 0);
	wait_came(b);
	return b->err;
}

static int lamps_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT COUNT(*), CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM outbox WHERE kind = 'lamp' AND key = 'alice'", "");
	if (err)
		return err;
	*(int64_t *)arg = db_col_int(r, 1);
	db_rows_close(r);
	return 0;
}

static int64_t lamps(struct bench *b)
{
	int64_t n = -1;
	assert_int_equal(store_run(b->s, STORE_READ, lamps_work, &n, NULL), 0);
	return n;
}

static void message_lives_from_new_to_deleted(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_message one = message("Alice"), two = message("alice"), other = message("bob");
	assert_int_equal(save(&b, &one, "first"), MBOX_SAVE_DONE);
	assert_int_equal(save(&b, &two, "second"), MBOX_SAVE_DONE);
	assert_int_equal(save(&b, &other, "other"), MBOX_SAVE_DONE);
	assert_int_equal(lamps(&b), 2); /* one order a change */
	assert_int_equal(list(&b, -1), 2);
	assert_string_equal(b.v[0].id, one.id);
	assert_string_equal(b.v[0].caller_name, "Bob");
	assert_int_equal(b.v[0].duration_ms, 3000);
	assert_int_equal(b.v[0].bytes, 5);
	expect_counts(&b, 2, 0);
	assert_int_equal(audio(&b, two.id), 0);
	assert_int_equal(b.n_audio, 6);
	assert_memory_equal(b.audio, "second", 6);
	assert_int_equal(b.codec, MBOX_PCMA);
	assert_int_equal(audio(&b, other.id), ENOENT); /* not of this mailbox */
	assert_int_equal(mark(&b, "alice", one.id, MBOX_SAVED), 0);
	assert_int_equal(mark(&b, "alice", one.id, MBOX_SAVED), 0);
	assert_int_equal(lamps(&b), 3);
	expect_counts(&b, 1, 1);
	assert_int_equal(mark(&b, "bob", two.id, MBOX_SAVED), ENOENT);
	assert_int_equal(mark(&b, "alice", two.id, MBOX_DELETED), 0);
	assert_int_equal(mark(&b, "alice", two.id, MBOX_SAVED), ENOENT);
	assert_int_equal(audio(&b, two.id), ENOENT);
	assert_int_equal(list(&b, MBOX_NEW), 0);
	assert_int_equal(list(&b, MBOX_SAVED), 1);
	end(&b);
}

static int done(struct bench *b, int began)
{
	assert_int_equal(began, 0);
	wait_came(b);
	return b->err;
}

static int delete(struct bench *b, const char *id, uint64_t keep_ms)
{
	return done(b, mbox_delete(b->m, "alice", id, keep_ms, on_done, b, NULL));
}

static int undelete(struct bench *b, const char *id)
{
	return done(b, mbox_undelete(b->m, "alice", id, on_done, b, NULL));
}

static void deleted_message_comes_back_as_it_was(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_message fresh = message("alice"), heard = message("alice");
	assert_int_equal(save(&b, &fresh, "first"), MBOX_SAVE_DONE);
	assert_int_equal(save(&b, &heard, "second"), MBOX_SAVE_DONE);
	assert_int_equal(mark(&b, "alice", heard.id, MBOX_SAVED), 0);
	assert_int_equal(delete(&b, fresh.id, 60000), 0);
	assert_int_equal(delete(&b, fresh.id, 60000), 0);
	assert_int_equal(delete(&b, heard.id, 60000), 0);
	expect_counts(&b, 0, 0);
	assert_int_equal(list(&b, -1), 0);
	assert_int_equal(list(&b, MBOX_DELETED), 2);
	assert_true(b.v[0].deleted_us > 0 && b.v[0].purge_us >= b.v[0].deleted_us + 60000 * 1000);
	assert_int_equal(audio(&b, fresh.id), 0); /* can still be heard */
	assert_int_equal(mark(&b, "alice", fresh.id, MBOX_SAVED), ENOENT); /* only undelete brings it back */
	int64_t before = lamps(&b);
	assert_int_equal(undelete(&b, fresh.id), 0);
	assert_int_equal(undelete(&b, fresh.id), 0);
	assert_int_equal(undelete(&b, heard.id), 0);
	assert_int_equal(lamps(&b), before + 2);
	expect_counts(&b, 1, 1);
	assert_int_equal(audio(&b, fresh.id), 0);
	assert_memory_equal(b.audio, "first", 5);
	end(&b);
}

static int whose_turn(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT owner FROM lease WHERE name = 'deleted-folders'", "");
	if (err)
		return err;
	db_col_copy(r, 0, arg, 65);
	db_rows_close(r);
	return 0;
}

static void what_is_deleted_for_good_does_not_come_back(void **state)
{
	(void)state;
	char holder[65] = "";
	struct bench b;
	begin(&b);
	struct mbox_message one = message("alice"), two = message("alice"), old = message("alice");
	assert_int_equal(save(&b, &one, "first"), MBOX_SAVE_DONE);
	assert_int_equal(save(&b, &two, "second"), MBOX_SAVE_DONE);
	assert_int_equal(save(&b, &old, "third"), MBOX_SAVE_DONE);
	assert_int_equal(delete(&b, one.id, 0), 0); /* nothing is kept */
	assert_int_equal(undelete(&b, one.id), ENOENT);
	assert_int_equal(delete(&b, two.id, 60000), 0);
	assert_int_equal(mark(&b, "alice", two.id, MBOX_DELETED), 0); /* out of the deleted folder too */
	assert_int_equal(undelete(&b, two.id), ENOENT);
	assert_int_equal(audio(&b, two.id), ENOENT);
	assert_int_equal(list(&b, MBOX_DELETED), 0);
	assert_int_equal(done(&b, mbox_undelete(b.m, "bob", old.id, on_done, &b, NULL)), ENOENT);
	mbox_destroy(b.m);
	struct mbox_prm prm = { .store = b.s, .loop = b.loop, .files = b.files, .clock = clock_system(), .spool_dir = b.spool, .ship_ms = 20, .purge_ms = 300,
		.node = "node01", .spool_free_min_bytes = 1 };
	assert_int_equal(mbox_create(&b.m, &prm, NULL), 0);
	assert_int_equal(delete(&b, old.id, 1), 0);
	for (int i = 0; i < 500 && audio(&b, old.id) == 0; i++)
		loop_step(b.loop, 10);
	assert_int_equal(audio(&b, old.id), ENOENT);
	assert_int_equal(undelete(&b, old.id), ENOENT);
	assert_int_equal(store_run(b.s, STORE_READ, whose_turn, holder, NULL), 0);
	assert_string_equal(holder, "node01"); /* other nodes leave it to this one */
	end(&b);
}

static int take_chunk_away(struct db_tx *tx, void *arg, struct ev_report *why)
{
	return db_exec(tx, why, "UPDATE message SET bytes = bytes + 1 WHERE id = ?1", "s", (const char *)arg);
}

static int change_audio(struct db_tx *tx, void *arg, struct ev_report *why)
{
	return db_blob_put(tx, arg, "other", 5, why);
}

static void audio_is_kept_at_hand_while_it_is_the_same(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_message m = message("alice");
	assert_int_equal(save(&b, &m, "first"), MBOX_SAVE_DONE);
	assert_int_equal(audio(&b, m.id), 0);
	assert_int_equal(mbox_cache_hits(b.m->cache), 0);
	assert_int_equal(audio(&b, m.id), 0);
	assert_memory_equal(b.audio, "first", 5);
	assert_int_equal(mbox_cache_hits(b.m->cache), 1);
	assert_int_equal(store_run(b.s, STORE_WRITE, change_audio, m.id, NULL), 0); /* by another node */
	assert_int_equal(audio(&b, m.id), 0);
	assert_memory_equal(b.audio, "other", 5);
	assert_int_equal(mbox_cache_hits(b.m->cache), 1);
	struct mbox_message damaged = message("alice");
	assert_int_equal(save(&b, &damaged, "second"), MBOX_SAVE_DONE);
	assert_int_equal(store_run(b.s, STORE_WRITE, take_chunk_away, damaged.id, NULL), 0);
	assert_int_equal(audio(&b, damaged.id), EBADMSG);
	end(&b);
}

static void the_cache_forgets_what_was_not_heard_for_longest(void **state)
{
	(void)state;
	struct mbox_cache *c;
	struct buf out;
	uint8_t bytes[25] = { 0 };
	buf_init(&out, 1000);
	assert_int_equal(mbox_cache_create(&c, 100), 0);
	const char *const marks[] = { "a", "b", "c", "d" };
	for (int i = 0; i < 4; i++)
		mbox_cache_put(c, marks[i], bytes, 25);
	assert_true(mbox_cache_get(c, "a", &out));
	mbox_cache_put(c, "e", bytes, 20);
	assert_false(mbox_cache_get(c, "b", &out));
	assert_true(mbox_cache_get(c, "a", &out) && mbox_cache_get(c, "e", &out));
	mbox_cache_put(c, "f", bytes, 0);
	mbox_cache_put(c, "", bytes, 5);
	assert_false(mbox_cache_get(c, "", &out) || mbox_cache_get(c, "f", &out));
	assert_int_equal(out.n, 70);
	buf_free(&out);
	mbox_cache_destroy(c);
}

static void notes_are_made_and_taken_away(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_message m = message("alice");
	m.urgent = m.private = true;
	m.relation = MBOX_REPLY;
	snprintf(m.sender, sizeof m.sender, "bob");
	snprintf(m.related, sizeof m.related, "%s", m.id);
	assert_int_equal(save(&b, &m, "first"), MBOX_SAVE_DONE);
	assert_int_equal(done(&b, mbox_note(b.m, "alice", m.id, MBOX_FLAGGED | MBOX_REPLIED, 0, on_done, &b, NULL)), 0);
	assert_int_equal(done(&b, mbox_note(b.m, "alice", m.id, MBOX_FORWARDED, MBOX_FLAGGED, on_done, &b, NULL)), 0);
	assert_int_equal(list(&b, -1), 1);
	assert_int_equal(b.v[0].notes, MBOX_REPLIED | MBOX_FORWARDED);
	assert_true(b.v[0].urgent && b.v[0].private);
	assert_int_equal(b.v[0].relation, MBOX_REPLY);
	assert_string_equal(b.v[0].sender, "bob");
	assert_string_equal(b.v[0].related, m.id);
	assert_int_equal(done(&b, mbox_note(b.m, "bob", m.id, MBOX_FLAGGED, 0, on_done, &b, NULL)), ENOENT);
	assert_int_equal(mbox_note(b.m, "alice", m.id, 256, 0, on_done, &b, NULL), EINVAL);
	end(&b);
}

static void messages_are_found_by_caller(void **state)
{
	(void)state;
	struct mbox_message m = { .caller_number = "+15550203", .caller_name = "Carol Abba", .sender = "carol" };
	assert_true(mbox_is_from(&m, TEXT("0203")) && mbox_is_from(&m, TEXT("abba")) && mbox_is_from(&m, TEXT("CAROL")) && mbox_is_from(&m, TEXT("")));
	assert_false(mbox_is_from(&m, TEXT("0204")) || mbox_is_from(&m, TEXT("abbas")));
}

static struct mbox_choices chosen;
static void on_choices(int err, const struct mbox_choices *c, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	assert_int_equal(mbox_choices_copy(&chosen, c), 0);
	b->came = true;
}

static void choices_are_kept(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	static const char *const good[][2] = { { "hours", "24" }, { "zone", "Europe/Berlin" }, { "language", "de-DE" }, { "voice", "1" },
		{ "group.3", "Team\nbob\ncarol" }, { "voice", "" } };
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(done(&b, mbox_choose(b.m, "Alice", good[i][0], good[i][1], on_done, &b, NULL)), 0);
	assert_int_equal(done(&b, mbox_choices(b.m, "alice", on_choices, &b, NULL)), 0);
	assert_int_equal(chosen.hours, 24);
	assert_string_equal(chosen.zone, "Europe/Berlin");
	assert_string_equal(chosen.language, "de-DE");
	assert_false(chosen.by_voice);
	assert_string_equal(mbox_choices_group(&chosen, 2)->name, "Team");
	assert_string_equal(mbox_choices_group(&chosen, 2)->members, "bob\ncarol");
	assert_null(mbox_choices_group(&chosen, 0));
	assert_null(mbox_choices_group(&chosen, MBOX_GROUPS));
	static const char *const bad[][2] = { { "hours", "13" }, { "zone", "../../etc/passwd" }, { "zone", "/etc" }, { "group.0", "A\nb" },
		{ "group.1", "alone" }, { "colour", "red" }, { "voice", "yes" } };
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(mbox_choose(b.m, "alice", bad[i][0], bad[i][1], on_done, &b, NULL), EINVAL);
	assert_int_equal(done(&b, mbox_choices(b.m, "bob", on_choices, &b, NULL)), 0);
	assert_int_equal(chosen.hours, 0);
	assert_null(chosen.group);
	mbox_choices_clear(&chosen);
	end(&b);
}

static void saving_again_makes_no_second_message(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_message m = message("alice");
	assert_int_equal(save(&b, &m, "words"), MBOX_SAVE_DONE);
	assert_int_equal(save(&b, &m, "words"), MBOX_SAVE_DONE);
	assert_int_equal(list(&b, -1), 1);
	assert_int_equal(mark(&b, "alice", m.id, MBOX_DELETED), 0);
	assert_int_equal(save(&b, &m, "words"), MBOX_SAVE_DONE);
	assert_int_equal(list(&b, -1), 0); /* deleted stays deleted */
	end(&b);
}

static void greeting_is_kept_replaced_and_removed(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_audio a = { .p = (const uint8_t *)"hello", .n = 5 };
	assert_int_equal(mbox_greeting_get(b.m, "alice", "personal", on_audio, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(b.err, ENOENT);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mbox_greeting_set(b.m, "alice", "personal", MBOX_PCMU, &a, on_done, &b, NULL), 0);
		wait_came(&b);
		assert_int_equal(b.err, 0);
		assert_int_equal(mbox_greeting_get(b.m, "alice", "personal", on_audio, &b, NULL), 0);
		wait_came(&b);
		assert_int_equal(b.n_audio, a.n);
		assert_memory_equal(b.audio, a.p, a.n);
		assert_int_equal(b.codec, MBOX_PCMU);
		a = (struct mbox_audio){ .p = (const uint8_t *)"good day", .n = 8 };
	}
	assert_int_equal(mbox_greeting_delete(b.m, "alice", "personal", on_done, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(mbox_greeting_get(b.m, "alice", "personal", on_audio, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(b.err, ENOENT);
	end(&b);
}

static void on_standing(int err, const struct mbox_standing *st, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	b->standing = *st;
	b->came = true;
}

static struct mbox_standing standing(struct bench *b)
{
	assert_int_equal(mbox_standing(b->m, "Alice", on_standing, b, NULL), 0);
	wait_came(b);
	assert_int_equal(b->err, 0);
	return b->standing;
}

static void set_away(struct bench *b, bool on, int64_t until_us)
{
	assert_int_equal(mbox_away_set(b->m, "alice", on, until_us, on_done, b, NULL), 0);
	wait_came(b);
	assert_int_equal(b->err, 0);
}

static void answering_knows_how_a_mailbox_stands(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_audio a = { .p = (const uint8_t *)"hello", .n = 5 };
	assert_int_equal(standing(&b).recorded, 0);
	assert_false(b.standing.away);
	static const enum mbox_greeting some[] = { MBOX_G_BUSY, MBOX_G_AWAY, MBOX_G_NAME };
	for (int i = 0; i < 3; i++) {
		assert_int_equal(mbox_greeting_set(b.m, "alice", mbox_greeting_name(some[i]), MBOX_PCMU, &a, on_done, &b, NULL), 0);
		wait_came(&b);
	}
	assert_int_equal(mbox_greeting_set(b.m, "alice", "attendant.main", MBOX_PCMU, &a, on_done, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(mbox_greeting_set(b.m, "bob", "closed", MBOX_PCMU, &a, on_done, &b, NULL), 0);
	wait_came(&b);
	struct mbox_message m = message("alice");
	assert_int_equal(save(&b, &m, "words"), MBOX_SAVE_DONE);
	assert_int_equal(standing(&b).recorded, 1u << MBOX_G_BUSY | 1u << MBOX_G_AWAY | 1u << MBOX_G_NAME);
	assert_int_equal(b.standing.counts.fresh, 1);
	set_away(&b, true, 0);
	assert_true(standing(&b).away);
	assert_int_equal(b.standing.away_until_us, 0);
	int64_t now = clock_real_us(clock_system()), hour = INT64_C(3600) * 1000000;
	set_away(&b, true, now + hour);
	assert_true(standing(&b).away);
	assert_int_equal(b.standing.away_until_us, now + hour);
	set_away(&b, true, now - 1); /* its end has come */
	assert_false(standing(&b).away);
	set_away(&b, true, 0);
	set_away(&b, false, 0);
	assert_false(standing(&b).away);
	end(&b);
}

static void on_missed(int err, const struct mbox_missed *v, size_t n, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	b->n = n < 4 ? n : 4;
	if (n)
		memcpy(b->missed, v, b->n * sizeof *v);
	b->came = true;
}

static void miss(struct bench *b, const char *mailbox, const char *caller, int64_t at_us, bool twice)
{
	struct mbox_missed k = { .why = "greeting", .reason = "busy", .session = "s1", .at_us = at_us };
	id_make(k.id, clock_system());
	text_fill(k.mailbox, sizeof k.mailbox, mailbox);
	text_fill(k.caller_number, sizeof k.caller_number, caller);
	for (int i = 0; i <= twice; i++) {
		assert_int_equal(mbox_missed_put(b->m, &k, on_done, b, NULL), 0);
		wait_came(b);
		assert_int_equal(b->err, 0);
	}
}

static void missed_calls_are_listed_and_forgotten_in_time(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	int64_t now = clock_real_us(clock_system()), day = INT64_C(86400) * 1000000;
	miss(&b, "alice", "201", now - (MBOX_MISSED_DAYS + 1) * day, false);
	miss(&b, "alice", "202", now - 2 * day, true);
	miss(&b, "ALICE", "", now, false);
	miss(&b, "bob", "204", now, false);
	assert_int_equal(mbox_missed_list(b.m, "alice", on_missed, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.n, 2);
	assert_string_equal(b.missed[0].caller_number, "");
	assert_string_equal(b.missed[1].caller_number, "202");
	assert_int_equal(b.missed[1].at_us, now - 2 * day);
	assert_string_equal(b.missed[1].why, "greeting");
	assert_string_equal(b.missed[1].reason, "busy");
	struct mbox_missed none = { .mailbox = "alice" };
	assert_int_equal(mbox_missed_put(b.m, &none, NULL, NULL, NULL), EINVAL);
	end(&b);
}

static void what_the_caller_asked_for_is_kept(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_message m = message("alice"), p = message("alice");
	m.urgent = true;
	p.private = true;
	assert_int_equal(save(&b, &m, "words"), MBOX_SAVE_DONE);
	assert_int_equal(save(&b, &p, "words"), MBOX_SAVE_DONE);
	assert_int_equal(list(&b, -1), 2);
	assert_true(b.v[0].urgent && !b.v[0].private && !b.v[1].urgent && b.v[1].private);
	end(&b);
}

static void audio_can_come_from_a_part_of_a_file(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	char path[300];
	snprintf(path, sizeof path, "%s/rec", ut_tmpdir());
	FILE *f = fopen(path, "wb");
	fputs("HEADaudio", f);
	fclose(f);
	struct mbox_message m = message("alice");
	struct mbox_audio a = { .path = path, .offset = 4 };
	assert_int_equal(mbox_save(b.m, &m, &a, on_saved, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(b.saved, MBOX_SAVE_DONE);
	assert_int_equal(audio(&b, m.id), 0);
	assert_int_equal(b.n_audio, 5);
	assert_memory_equal(b.audio, "audio", 5);
	struct mbox_audio none = { .path = "/nonexistent" };
	m = message("alice");
	assert_int_equal(mbox_save(b.m, &m, &none, on_saved, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(b.saved, MBOX_SAVE_FAILED);
	end(&b);
}

/* ---- the store fails ---- */

static void wait_shipped(struct bench *b)
{
	for (int i = 0; i < 1000 && mbox_spooled(b->m); i++)
		loop_step(b->loop, 10);
	assert_int_equal(mbox_spooled(b->m), 0);
}

static void store_that_refuses_leaves_it_to_the_spool_and_gets_it_later(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_message m = message("alice");
	db_faults_add(&b.f, (struct db_fault){ DB_AT_COMMIT, ENOSPC, .times = 2 });
	assert_int_equal(save(&b, &m, "words"), MBOX_SAVE_SPOOLED);
	assert_int_equal(mbox_spooled(b.m), 1);
	wait_shipped(&b);
	assert_int_equal(list(&b, -1), 1);
	assert_int_equal(audio(&b, m.id), 0);
	assert_memory_equal(b.audio, "words", 5);
	assert_int_equal(b.n_saved, 1);
	end(&b);
}

static int poison_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	return db_exec(tx, why, "CREATE TRIGGER poison BEFORE INSERT ON message WHEN NEW.caller_name = 'poison' BEGIN SELECT RAISE(ABORT, 'no'); END", "");
}

static void message_that_the_store_refuses_holds_up_no_other(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	assert_int_equal(store_run(b.s, STORE_WRITE, poison_work, NULL, NULL), 0);
	struct mbox_message m = message("alice"), good;
	snprintf(m.caller_name, sizeof m.caller_name, "poison");
	assert_int_equal(save(&b, &m, "words"), MBOX_SAVE_SPOOLED);
	good = message("alice");
	db_faults_add(&b.f, (struct db_fault){ DB_AT_COMMIT, ENOSPC, .times = 2 });
	assert_int_equal(save(&b, &good, "words"), MBOX_SAVE_SPOOLED);
	for (int i = 0; i < 300 && mbox_spooled(b.m) > 1; i++)
		loop_step(b.loop, 10);
	assert_int_equal(mbox_spooled(b.m), 1);
	assert_int_equal(list(&b, -1), 1);
	assert_string_equal(b.v[0].id, good.id);
	end(&b);
}

static void wait_for_standby(const char *names)
{
	char sql[100];
	snprintf(sql, sizeof sql, "ALTER SYSTEM SET synchronous_standby_names = '%s'", names);
	pg_run(sql);
	pg_run("SELECT pg_reload_conf()");
	nanosleep(&(struct timespec){ 0, 300000000 }, NULL);
}

/* PostgreSQL answers COMMIT when the statement's time is up although no standby has confirmed: that copy is not enough. */
static void message_that_no_standby_has_stays_in_the_spool(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_message m = message("alice");
	wait_for_standby("nobody");
	assert_int_equal(save(&b, &m, "words"), MBOX_SAVE_SPOOLED);
	for (int64_t from = clock_mono_ms(clock_system()); clock_mono_ms(clock_system()) - from < 3000;)
		loop_step(b.loop, 10);
	assert_int_equal(mbox_spooled(b.m), 1);
	wait_for_standby("");
	wait_shipped(&b);
	assert_int_equal(list(&b, -1), 1);
	assert_int_equal(lamps(&b), 1);
	end(&b);
}

static void unknown_end_makes_no_second_message(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_message m = message("alice");
	db_faults_add(&b.f, (struct db_fault){ DB_AT_COMMIT, ENOTCONN, .after = true });
	assert_int_equal(save(&b, &m, "words"), MBOX_SAVE_SPOOLED);
	wait_shipped(&b);
	assert_int_equal(list(&b, -1), 1);
	assert_int_equal(lamps(&b), 1);
	end(&b);
}

static int sleep_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct timespec t = { 0, 400000000 };
	(void)tx;
	(void)arg;
	(void)why;
	nanosleep(&t, NULL);
	return 0;
}

static void receipt_does_not_wait_for_a_slow_store(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	mbox_destroy(b.m);
	open_mbox(&b, 50);
	struct mbox_message m = message("alice");
	assert_int_equal(store_submit(b.s, STORE_WRITE, sleep_work, NULL, NULL), 0);
	int64_t from = clock_mono_ms(clock_system());
	assert_int_equal(save(&b, &m, "words"), MBOX_SAVE_SPOOLED);
	assert_true(clock_mono_ms(clock_system()) - from < 350);
	wait_shipped(&b);
	assert_int_equal(list(&b, -1), 1);
	assert_int_equal(b.n_saved, 1);
	end(&b);
}

static void spool_of_an_earlier_life_is_shipped(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_message m = message("alice");
	db_faults_add(&b.f, (struct db_fault){ DB_AT_COMMIT, ENOSPC, .times = 1000 });
	assert_int_equal(save(&b, &m, "words"), MBOX_SAVE_SPOOLED);
	mbox_destroy(b.m);
	db_faults_clear(&b.f);
	for (int i = 0; i < 500 && store_state(b.s) != STORE_GOOD; i++)
		loop_step(b.loop, 10);
	open_mbox(&b, 5000);
	assert_int_equal(mbox_spooled(b.m), 1);
	wait_shipped(&b);
	assert_int_equal(list(&b, -1), 1);
	end(&b);
}

static void cancelled_call_is_not_heard_of(void **state)
{
	(void)state;
	struct bench b;
	uint64_t handle = 0;
	begin(&b);
	assert_int_equal(mbox_list(b.m, "alice", -1, MBOX_NEWEST_FIRST, on_list, &b, &handle), 0);
	mbox_cancel(b.m, handle);
	for (int i = 0; i < 20; i++)
		loop_step(b.loop, 5);
	assert_false(b.came);
	struct mbox_message m = message("alice");
	struct mbox_audio a = { .p = (const uint8_t *)"x", .n = 1 };
	assert_int_equal(mbox_save(b.m, &m, &a, on_saved, &b, &handle), 0);
	end(&b); /* with a call under way */
	assert_int_equal(b.n_saved, 0);
}

static unsigned n_over, n_noted;

static void one_over(int err, const struct ev_report *why, void *arg)
{
	(void)err, (void)why, (void)arg;
	n_over++;
}

static void one_noted(int err, const struct ev_report *why, void *arg)
{
	n_noted += !err; /* a machine that is very slow may let one run into its limit of time */
	one_over(err, why, arg);
}

/* As from several nodes: each is a transaction of its own, and on PostgreSQL they overlap. */
static void changes_at_once_neither_bring_back_nor_lose(void **state)
{
	(void)state;
	struct bench b;
	begin(&b);
	struct mbox_message gone = message("alice"), kept = message("alice");
	assert_int_equal(save(&b, &gone, "first"), MBOX_SAVE_DONE);
	assert_int_equal(save(&b, &kept, "second"), MBOX_SAVE_DONE);
	unsigned n = n_over = n_noted = 0;
	for (unsigned i = 0; i < 20; i++, n += 2) {
		assert_int_equal(mbox_mark(b.m, "alice", gone.id, i % 2 ? MBOX_NEW : MBOX_SAVED, one_over, &b, NULL), 0);
		assert_int_equal(mbox_note(b.m, "alice", kept.id, 1u << i % 3, 0, one_noted, &b, NULL), 0);
		if (i == 7 && ++n)
			assert_int_equal(mbox_delete(b.m, "alice", gone.id, 0, one_over, &b, NULL), 0);
		if (i > 7 && i % 4 == 0 && ++n)
			assert_int_equal(mbox_undelete(b.m, "alice", gone.id, one_over, &b, NULL), 0);
	}
	for (int i = 0; i < 6000 && n_over < n; i++)
		loop_step(b.loop, 10);
	assert_int_equal(n_over, n);
	assert_int_equal(delete(&b, gone.id, 0), 0); /* as above */
	assert_int_equal(list(&b, MBOX_DELETED), 0);
	assert_int_equal(list(&b, -1), 1);
	assert_string_equal(b.v[0].id, kept.id);
	assert_int_equal(b.v[0].version, n_noted);
	if (n_noted == 20)
		assert_int_equal(b.v[0].notes, 7);
	assert_int_equal(audio(&b, gone.id), ENOENT);
	end(&b);
}

static int set_pg(void **state)
{
	on_pg = true;
	return ut_setup(state);
}

static int set_sqlite(void **state)
{
	on_pg = false;
	return ut_setup(state);
}

#define BOTH(t) { #t " (sqlite)", t, set_sqlite, ut_teardown, NULL }, { #t " (postgresql)", t, set_pg, ut_teardown, NULL }
#define ONE(t) { #t, t, set_sqlite, ut_teardown, NULL }

UT_MAIN(UT(the_cache_forgets_what_was_not_heard_for_longest), BOTH(audio_is_kept_at_hand_while_it_is_the_same), BOTH(message_lives_from_new_to_deleted), BOTH(changes_at_once_neither_bring_back_nor_lose), BOTH(deleted_message_comes_back_as_it_was), BOTH(what_is_deleted_for_good_does_not_come_back),
        BOTH(notes_are_made_and_taken_away), ONE(messages_are_found_by_caller), BOTH(choices_are_kept), BOTH(saving_again_makes_no_second_message), BOTH(greeting_is_kept_replaced_and_removed),
        BOTH(answering_knows_how_a_mailbox_stands), BOTH(missed_calls_are_listed_and_forgotten_in_time), BOTH(what_the_caller_asked_for_is_kept),
	BOTH(audio_can_come_from_a_part_of_a_file), ONE(store_that_refuses_leaves_it_to_the_spool_and_gets_it_later),
	ONE(message_that_the_store_refuses_holds_up_no_other), ONE(unknown_end_makes_no_second_message), ONE(receipt_does_not_wait_for_a_slow_store), ONE(spool_of_an_earlier_life_is_shipped),
	BOTH(cancelled_call_is_not_heard_of), { "message_that_no_standby_has_stays_in_the_spool", message_that_no_standby_has_stays_in_the_spool, set_pg,
	ut_teardown, NULL })
