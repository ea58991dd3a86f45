/* SPDX-License-Identifier: Apache-2.0 */
/* What was being said when a node died becomes a message, once, by another node; and the whole takes the place of a part. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "db_events.h"
#include "mailbox/draft.h"
#include "mailbox_events.h"
#include "net/loop.h"
#include "net/pool.h"
#include "pg.h"
#include "procs.h"

struct bench {
	struct clock_fake clock;
	const struct um_clock *time;
	struct loop *loop;
	struct store *s;
	struct pool *files;
	struct ev_bus *bus;
	struct mbox *a, *b;
	char dir[200], path[256];
	unsigned rescued, damaged;
	bool came;
	int err;
	struct mbox_message v[4];
	size_t n;
	uint8_t audio[80000];
	size_t n_audio;
};

static bool on_pg;

static void count_event(const struct ev_record *rec, void *arg)
{
	struct bench *b = arg;
	b->rescued += rec->report.id == EV_MBOX_RESCUED;
	b->damaged += rec->report.id == EV_DB_BLOB_DAMAGED;
}

static struct mbox *node(struct bench *b, const char *name)
{
	struct mbox *m;
	char spool[256];
	snprintf(spool, sizeof spool, "%s/%s", b->dir, name);
	struct mbox_prm prm = { .store = b->s, .loop = b->loop, .files = b->files, .clock = b->time, .bus = b->bus, .node = name, .shared = true,
		.spool_dir = spool, .spool_free_min_bytes = 1 };
	assert_int_equal(mbox_create(&m, &prm, NULL), 0);
	return m;
}

static void open_store(struct bench *b, const char *url)
{
	assert_int_equal(loop_create(&b->loop, b->time), 0);
	assert_int_equal(pool_create(&b->files, b->loop, "files", 1, 64), 0);
	assert_int_equal(ev_bus_create(&b->bus, b->time, 64), 0);
	ev_bus_level(b->bus, EV_CAT_MAILBOX, EV_LEVEL_EXPERT);
	assert_int_equal(ev_bus_sink(b->bus, count_event, NULL, b), 0);
	struct store_prm prm = { .url = url, .loop = b->loop, .clock = b->time, .statement_ms = 60000 };
	assert_int_equal(store_open(&b->s, &prm, NULL), 0);
}

static void begin(struct bench *b)
{
	char url[300];
	memset(b, 0, sizeof *b);
	clock_fake_init(&b->clock, 1795356309);
	b->time = &b->clock.clock;
	snprintf(b->dir, sizeof b->dir, "%s", ut_tmpdir());
	snprintf(b->path, sizeof b->path, "%s/recording", b->dir);
	snprintf(url, sizeof url, "sqlite:%s/m.db", b->dir);
	if (on_pg) {
		if (!pg_url())
			skip();
		pg_wipe();
		snprintf(url, sizeof url, "%s", pg_url());
	}
	open_store(b, url);
	b->a = node(b, "node01");
	b->b = node(b, "node02");
}

static void end(struct bench *b)
{
	mbox_destroy(b->a);
	mbox_destroy(b->b);
	store_close(b->s);
	pool_destroy(b->files);
	loop_destroy(b->loop);
	ev_bus_destroy(b->bus);
}

/* ---- looking into the store ---- */

struct number {
	const char *sql;
	int64_t v;
};

static int number_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct number *q = arg;
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, q->sql, "");
	if (err)
		return err;
	q->v = db_col_int(r, 0);
	db_rows_close(r);
	return 0;
}

static int64_t number(struct bench *b, const char *sql)
{
	struct number q = { sql, -1 };
	assert_int_equal(store_run(b->s, STORE_READ, number_work, &q, NULL), 0);
	return q.v;
}

static int exec_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	return db_exec(tx, why, arg, "");
}

static void exec(struct bench *b, const char *sql)
{
	assert_int_equal(store_run(b->s, STORE_WRITE, exec_work, (void *)(uintptr_t)sql, NULL), 0);
}

static void until(struct bench *b, const char *sql, int64_t want)
{
	while (number(b, sql) != want) /* the test's own time limit ends it */
		loop_step(b->loop, 5);
}

/* The same while time goes on: a look that was under way as the lease ended is followed by another. No faster than the store, or its queue is full. */
static void until_later(struct bench *b, const char *sql, int64_t want)
{
	while (number(b, sql) != want) {
		if (store_queued(b->s) < 8)
			clock_fake_advance_ms(&b->clock, DRAFT_TICK_MS);
		loop_step(b->loop, 5);
	}
}

#define LEASED "SELECT COUNT(*) FROM recording WHERE lease_until_us >= %lld"

static bool has_row(struct bench *b, const char *id)
{
	char sql[120];
	snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM recording WHERE id = '%s' AND bytes > 0", id);
	return number(b, sql) == 1;
}

/* Time goes on by a tick; those who live prolong what is theirs before it goes on further. */
static void tick(struct bench *b, int64_t theirs)
{
	char sql[200];
	clock_fake_advance_ms(&b->clock, DRAFT_TICK_MS);
	snprintf(sql, sizeof sql, LEASED, (long long)(clock_real_us(b->time) + (DRAFT_LEASE - 1) * DRAFT_TICK_MS * 1000ll));
	until(b, sql, theirs);
}

static void on_list(int err, const struct mbox_message *v, size_t n, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	assert_int_equal(err, 0);
	b->n = n;
	for (size_t i = 0; i < n && i < 4; i++)
		b->v[i] = v[i];
	b->came = true;
}

static void on_audio(int err, enum mbox_codec codec, const uint8_t *p, size_t n, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why, (void)codec;
	assert_int_equal(err, 0);
	b->n_audio = n;
	memcpy(b->audio, p, n < sizeof b->audio ? n : sizeof b->audio);
	b->came = true;
}

static void on_done(int err, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	b->came = true;
}

static void on_saved(enum mbox_saved outcome, int err, const struct ev_report *why, void *arg)
{
	on_done(outcome == MBOX_SAVE_DONE ? err : EIO, why, arg);
}

static void wait_came(struct bench *b)
{
	while (!b->came)
		loop_step(b->loop, 5);
	b->came = false;
}

static size_t list(struct bench *b)
{
	assert_int_equal(mbox_list(b->b, "alice", -1, MBOX_OLDEST_FIRST, on_list, b, NULL), 0);
	wait_came(b);
	return b->n;
}

static const uint8_t *audio(struct bench *b, const char *id)
{
	assert_int_equal(mbox_get_audio(b->b, "alice", id, on_audio, b, NULL), 0);
	wait_came(b);
	return b->audio;
}

/* ---- speaking ---- */

static uint8_t sample(size_t i)
{
	return (uint8_t)(i * 7 + i / 256);
}

static void speak(const char *path, size_t from, size_t to)
{
	FILE *f = fopen(path, from ? "ab" : "wb");
	assert_non_null(f);
	for (size_t i = from; i < to; i++)
		fputc(sample(i), f);
	fclose(f);
}

static struct mbox_draft draft_of(struct bench *b)
{
	struct mbox_draft d = { .msg = { .mailbox = "Alice", .caller_number = "201", .caller_name = "Bob", .session = "call-1", .received_us = 1795356309000000, .codec = MBOX_PCMU } };
	id_make(d.id, b->time);
	memcpy(d.msg.id, d.id, sizeof d.id);
	snprintf(d.path, sizeof d.path, "%s", b->path);
	return d;
}

static void said(struct bench *b, const uint8_t *p, size_t n)
{
	assert_int_equal(b->n_audio, n);
	for (size_t i = 0; i < n; i++)
		if (p[i] != sample(i))
			fail_msg("byte %zu of %zu is another", i, n);
}

static void save_whole(struct bench *b, const struct mbox_draft *d, size_t n)
{
	struct mbox_message m = d->msg;
	struct mbox_audio a = { .path = d->path, .offset = d->offset, .n = n };
	m.duration_ms = (uint32_t)(n / 8);
	assert_int_equal(mbox_save(b->a, &m, &a, on_saved, b, NULL), 0);
	wait_came(b);
	assert_int_equal(b->err, 0);
}

/* ---- tests ---- */

static void what_was_said_outlives_its_node(void **state)
{
	(void)state;
	static struct bench b;
	begin(&b);
	struct mbox_draft d = draft_of(&b);
	speak(b.path, 0, 20000);
	mbox_draft_put(b.a, &d);
	until(&b, "SELECT CAST(COALESCE(MAX(bytes), 0) AS BIGINT) FROM recording", 20000);
	for (int i = 0; i < 3 * DRAFT_LEASE; i++) /* he speaks on, and nobody takes his node for dead */
		tick(&b, 1);
	speak(b.path, 20000, 36000);
	mbox_draft_put(b.a, &d);
	until(&b, "SELECT CAST(MAX(bytes) AS BIGINT) FROM recording", 36000);
	assert_int_equal(list(&b), 0);
	mbox_destroy(b.a);
	until_later(&b, "SELECT COUNT(*) FROM message", 1);
	assert_int_equal(list(&b), 1);
	assert_string_equal(b.v[0].id, d.id);
	assert_true(b.v[0].cut);
	assert_int_equal(b.v[0].duration_ms, 4500);
	assert_string_equal(b.v[0].caller_number, "201");
	said(&b, audio(&b, d.id), 36000);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM recording"), 0);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM blob_chunk WHERE id LIKE 'recording/%'"), 0);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM outbox WHERE kind = 'lamp'"), 1);
	while (!b.rescued) /* told when the loop hears of the commit */
		loop_step(b.loop, 5), ev_bus_flush(b.bus);
	b.a = node(&b, "node01"); /* it starts again and finds its file, which holds a little more, or the same */
	d.msg.cut = true;
	speak(b.path, 36000, 44000);
	save_whole(&b, &d, 44000);
	save_whole(&b, &d, 36000);
	assert_int_equal(list(&b), 1);
	assert_true(b.v[0].cut);
	said(&b, audio(&b, d.id), 44000);
	end(&b);
}

static void take_for_dead(struct bench *b)
{
	unsigned before = b->rescued;
	exec(b, "UPDATE recording SET lease_until_us = 0, owner = 'node01/stopped'");
	clock_fake_advance_ms(&b->clock, DRAFT_TICK_MS);
	until(b, "SELECT COUNT(*) FROM recording WHERE owner = 'node01/stopped'", 0);
	while (b->rescued == before)
		loop_step(b->loop, 5), ev_bus_flush(b->bus);
}

static void whole_takes_the_place_of_a_part(void **state)
{
	(void)state;
	static struct bench b;
	begin(&b);
	struct mbox_draft d = draft_of(&b);
	speak(b.path, 0, 16384);
	mbox_draft_put(b.a, &d);
	until(&b, "SELECT CAST(COALESCE(MAX(bytes), 0) AS BIGINT) FROM recording", 16384);
	take_for_dead(&b); /* it only stood still, and goes on */
	assert_int_equal(list(&b), 1);
	int64_t heard = b.v[0].version;
	assert_int_equal(mbox_mark(b.b, "alice", d.id, MBOX_SAVED, on_done, &b, NULL), 0);
	wait_came(&b);
	speak(b.path, 16384, 32768);
	mbox_draft_put(b.a, &d);
	until(&b, "SELECT CAST(COALESCE(MAX(bytes), 0) AS BIGINT) FROM recording", 32768);
	save_whole(&b, &d, 30000);
	assert_int_equal(list(&b), 1);
	assert_false(b.v[0].cut);
	assert_int_equal(b.v[0].state, MBOX_NEW); /* the rest of it was not heard */
	assert_int_equal(b.v[0].duration_ms, 3750);
	said(&b, audio(&b, d.id), 30000);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM recording"), 0);
	/* who has the part before him does not put the rest away */
	static const uint64_t keep_ms[] = { 0, 1000000 };
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(mbox_delete_seen(b.b, "alice", d.id, heard, keep_ms[i], on_done, &b, NULL), 0);
		wait_came(&b);
		assert_int_equal(b.err, ESTALE);
	}
	assert_int_equal(mbox_mark_seen(b.b, "alice", d.id, heard, MBOX_SAVED, on_done, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(b.err, ESTALE);
	assert_int_equal(list(&b), 1);
	assert_int_equal(b.v[0].state, MBOX_NEW);
	heard = b.v[0].version;
	assert_int_equal(mbox_mark_seen(b.b, "alice", d.id, heard, MBOX_SAVED, on_done, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(b.err, 0);
	assert_int_equal(mbox_delete_seen(b.b, "alice", d.id, heard, 1000000, on_done, &b, NULL), 0); /* a mark since then is no hindrance */
	wait_came(&b);
	assert_int_equal(b.err, 0);
	assert_int_equal(mbox_undelete(b.b, "alice", d.id, on_done, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(b.err, 0);
	/* a take that is no longer holds nothing that he has not heard */
	exec(&b, "UPDATE message SET cut = 1");
	save_whole(&b, &d, 30000);
	assert_int_equal(list(&b), 1);
	assert_false(b.v[0].cut);
	assert_int_equal(mbox_mark_seen(b.b, "alice", d.id, heard, MBOX_NEW, on_done, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(b.err, 0);
	assert_int_equal(mbox_mark(b.b, "alice", d.id, MBOX_DELETED, on_done, &b, NULL), 0);
	wait_came(&b);
	save_whole(&b, &d, 32768);
	assert_int_equal(list(&b), 0); /* what was deleted stays so */
	end(&b);
}

static void what_was_thrown_away_is_gone(void **state)
{
	(void)state;
	static struct bench b;
	begin(&b);
	struct mbox_draft d = draft_of(&b), other = draft_of(&b);
	speak(b.path, 0, 16384);
	mbox_draft_put(b.a, &d);
	mbox_draft_drop(b.a, d.id); /* while the first is under way */
	mbox_draft_put(b.a, &other);
	while (!has_row(&b, other.id))
		loop_step(b.loop, 5);
	mbox_draft_drop(b.a, other.id);
	mbox_draft_drop(b.a, "unknown");
	while (has_row(&b, other.id) || has_row(&b, d.id))
		loop_step(b.loop, 5);
	d = draft_of(&b);
	mbox_draft_put(b.a, &d);
	while (!has_row(&b, d.id))
		loop_step(b.loop, 5);
	save_whole(&b, &d, 16384);
	mbox_draft_drop(b.a, d.id); /* its file goes, the message stays */
	assert_int_equal(list(&b), 1);
	until(&b, "SELECT COUNT(*) FROM recording", 0);
	until(&b, "SELECT COUNT(*) FROM blob_chunk", 1); /* the message's own */
	end(&b);
}

enum { FIRST = 9000, SECOND = 21000 };

/* The caller has stopped after FIRST bytes, and adds to it; each part as if it had a file of its own. */
static void two_parts(struct bench *b, struct mbox_draft *first, struct mbox_draft *second)
{
	*first = *second = draft_of(b);
	clock_fake_advance_ms(&b->clock, 10);
	id_make(second->id, b->time);
	speak(b->path, 0, FIRST + SECOND);
	first->complete = true;
	first->bytes = FIRST;
	second->offset = FIRST;
	mbox_draft_put(b->a, first);
	mbox_draft_put(b->a, second);
	until(b, "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM recording", FIRST + SECOND);
}

/* As a start saves what it finds, or a conversation what came late: each file for itself. */
static void save_found(struct bench *b, const struct mbox_draft *d, bool cut, size_t n)
{
	struct mbox_draft f = *d;
	memcpy(f.msg.id, f.id, sizeof f.id);
	f.msg.cut = cut;
	save_whole(b, &f, n);
}

static void both_are_there(struct bench *b, const struct mbox_draft *first, const struct mbox_draft *second)
{
	assert_int_equal(list(b), 2);
	said(b, audio(b, first->id), FIRST);
	audio(b, second->id);
	assert_int_equal(b->n_audio, SECOND);
	assert_int_equal(b->audio[0], sample(FIRST));
	until(b, "SELECT COUNT(*) FROM recording", 0);
	assert_int_equal(number(b, "SELECT COUNT(*) FROM blob_chunk WHERE id LIKE 'recording/%'"), 0);
}

static void found_parts_are_both_kept(void **state)
{
	(void)state;
	static struct bench b;
	struct mbox_draft first, second;
	begin(&b);
	two_parts(&b, &first, &second); /* killed, and started again before its lease is over */
	save_found(&b, &first, false, FIRST);
	save_found(&b, &second, true, SECOND);
	both_are_there(&b, &first, &second);
	end(&b);
}

static void rescued_parts_are_both_kept(void **state)
{
	(void)state;
	static struct bench b;
	struct mbox_draft first, second;
	begin(&b);
	two_parts(&b, &first, &second);
	take_for_dead(&b);
	until(&b, "SELECT COUNT(*) FROM message WHERE cut = 1", 2);
	both_are_there(&b, &first, &second);
	save_found(&b, &first, false, FIRST);
	save_found(&b, &second, true, SECOND);
	both_are_there(&b, &first, &second);
	memcpy(first.msg.through, second.id, sizeof second.id); /* not found again, but saved by who only stood still */
	exec(&b, "UPDATE message SET cut = 1");
	save_whole(&b, &first, FIRST + SECOND);
	said(&b, audio(&b, first.id), FIRST + SECOND);
	end(&b);
}

static void parts_sent_together_are_one(void **state)
{
	(void)state;
	static struct bench b;
	struct mbox_draft first, second;
	begin(&b);
	two_parts(&b, &first, &second);
	memcpy(first.msg.through, second.id, sizeof second.id);
	save_whole(&b, &first, FIRST + SECOND);
	assert_int_equal(list(&b), 1);
	said(&b, audio(&b, first.id), FIRST + SECOND);
	save_found(&b, &second, true, SECOND); /* its file outlived a crash */
	save_found(&b, &first, false, FIRST);
	assert_int_equal(list(&b), 1);
	said(&b, audio(&b, first.id), FIRST + SECOND);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM recording"), 0);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM blob_chunk WHERE id LIKE 'recording/%'"), 0);
	end(&b);
}

static void a_part_that_came_late_is_kept(void **state)
{
	(void)state;
	static struct bench b;
	struct mbox_draft first, second;
	begin(&b);
	two_parts(&b, &first, &second);
	memcpy(first.msg.through, first.id, sizeof first.id);
	save_whole(&b, &first, FIRST); /* sent while the second part still was being ended */
	assert_int_equal(list(&b), 1);
	assert_true(has_row(&b, second.id)); /* should the node die now */
	save_found(&b, &second, false, SECOND);
	both_are_there(&b, &first, &second);
	end(&b);
}

static void more_than_what_was_deleted_is_new(void **state)
{
	(void)state;
	static struct bench b;
	begin(&b);
	struct mbox_draft d = draft_of(&b);
	speak(b.path, 0, 16384);
	mbox_draft_put(b.a, &d);
	until(&b, "SELECT CAST(COALESCE(MAX(bytes), 0) AS BIGINT) FROM recording", 16384);
	take_for_dead(&b);
	assert_int_equal(mbox_delete(b.b, "alice", d.id, 1000000, on_done, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(list(&b), 0);
	save_found(&b, &d, true, 16384);
	assert_int_equal(list(&b), 0); /* the same stays deleted */
	speak(b.path, 16384, 32768);
	save_whole(&b, &d, 32768);
	assert_int_equal(list(&b), 1);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM message WHERE state = 0 AND cut = 0 AND purge_us = 0"), 1);
	said(&b, audio(&b, d.id), 32768);
	end(&b);
}

static void what_was_not_read_is_not_claimed(void **state)
{
	(void)state;
	static struct bench b;
	begin(&b);
	struct mbox_draft d = draft_of(&b), end_of_it = d;
	speak(b.path, 0, 16384);
	mbox_draft_put(b.a, &d);
	until(&b, "SELECT CAST(COALESCE(MAX(bytes), 0) AS BIGINT) FROM recording", 16384);
	end_of_it.complete = true; /* it is in this node's spool already, and its file is gone */
	end_of_it.bytes = 32768;
	snprintf(end_of_it.path, sizeof end_of_it.path, "%s/gone", b.dir);
	exec(&b, "UPDATE recording SET complete = 7");
	mbox_draft_put(b.a, &end_of_it);
	until(&b, "SELECT COUNT(*) FROM recording WHERE complete = 7", 0);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM recording WHERE complete = 0 AND bytes = 16384"), 1);
	take_for_dead(&b);
	assert_int_equal(list(&b), 1);
	assert_true(b.v[0].cut);
	speak(b.path, 16384, 32768);
	save_whole(&b, &d, 32768); /* shipped */
	assert_int_equal(list(&b), 1);
	assert_false(b.v[0].cut);
	said(&b, audio(&b, d.id), 32768);
	end(&b);
}

static void what_is_not_damaged_is_rescued(void **state)
{
	(void)state;
	static struct bench b;
	begin(&b);
	struct mbox_draft d = draft_of(&b);
	speak(b.path, 0, 16384);
	mbox_draft_put(b.a, &d);
	until(&b, "SELECT CAST(COALESCE(MAX(bytes), 0) AS BIGINT) FROM recording", 16384);
	speak(b.path, 16384, 32768);
	mbox_draft_put(b.a, &d);
	tick(&b, 1);
	until(&b, "SELECT CAST(COALESCE(MAX(bytes), 0) AS BIGINT) FROM recording", 32768);
	exec(&b, "UPDATE blob_chunk SET hash = 'another' WHERE seq = 1");
	take_for_dead(&b);
	assert_int_equal(list(&b), 1);
	assert_int_equal(b.v[0].duration_ms, 2048);
	said(&b, audio(&b, d.id), 16384);
	assert_int_equal(b.damaged, 1);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM recording"), 0);
	end(&b);
}

static void block_behind_its_message_stays_out(void **state)
{
	(void)state;
	static struct bench b;
	char url[300];
	begin(&b);
	struct mbox_draft d = draft_of(&b);
	speak(b.path, 0, 16384);
	memcpy(d.msg.through, d.id, sizeof d.id);
	save_whole(&b, &d, 16384);
	mbox_draft_put(b.a, &d);
	while (store_queued(b.s))
		loop_step(b.loop, 5);
	end(&b); /* what was begun is done */
	snprintf(url, sizeof url, "sqlite:%s/m.db", b.dir);
	open_store(&b, on_pg ? pg_url() : url);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM recording"), 0);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM blob_chunk"), 1);
	store_close(b.s);
	pool_destroy(b.files);
	loop_destroy(b.loop);
	ev_bus_destroy(b.bus);
}

static void blocks_stand_in_no_messages_way(void **state)
{
	(void)state;
	static struct bench b;
	begin(&b);
	struct mbox_draft d = draft_of(&b), other = draft_of(&b);
	speak(b.path, 0, 16384);
	mbox_draft_put(b.a, &d);
	until(&b, "SELECT CAST(COALESCE(MAX(bytes), 0) AS BIGINT) FROM recording", 16384);
	speak(b.path, 16384, 32768);
	mbox_draft_put(b.a, &d); /* once a tick is enough */
	mbox_draft_put(b.a, &other);
	while (!has_row(&b, other.id))
		loop_step(b.loop, 5);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM recording WHERE bytes = 16384"), 1);
	for (int i = 0; i < 38; i++) {
		other = draft_of(&b);
		mbox_draft_put(b.a, &other);
		assert_true(store_queued(b.s) <= 8 + 2); /* and the lease, and a look */
	}
	until(&b, "SELECT COUNT(*) FROM recording WHERE bytes = 32768", 39); /* all the same */
	clock_fake_advance_ms(&b.clock, DRAFT_TICK_MS);
	until(&b, "SELECT COUNT(*) FROM recording WHERE bytes = 32768", 40);
	end(&b);
}

/* ---- two processes, many orphans ---- */

enum { ORPHANS = 24 };

static void rescue_until_none_is_left(unsigned nr, struct procs_end *done, void *arg)
{
	static struct bench b;
	memset(&b, 0, sizeof b);
	b.time = clock_system();
	snprintf(b.dir, sizeof b.dir, "%s", (const char *)arg);
	open_store(&b, pg_url());
	b.a = node(&b, nr ? "node02" : "node01");
	while (number(&b, "SELECT COUNT(*) FROM recording"))
		loop_step(b.loop, 5);
	store_close(b.s); /* the ends of what was begun are told here */
	ev_bus_flush(b.bus);
	done->n[0] = (int)b.rescued;
}

static void orphans_are_taken_once(void **state)
{
	(void)state;
	static struct bench b;
	struct procs_end ends[2];
	char sql[700];
	on_pg = true;
	begin(&b);
	for (int i = 0; i < ORPHANS; i++) {
		char id[ID_SIZE];
		id_make(id, b.time);
		snprintf(sql, sizeof sql, "INSERT INTO recording (id, message, owner, lease_until_us, mailbox, caller_number, caller_name, session, started_us, codec, bytes,"
			" complete) VALUES ('%s', '%s', 'node03/gone', 0, 'alice', '201', 'Bob', 'call-%d', 1, 0, 9000, 0)", id, id, i);
		exec(&b, sql);
		snprintf(sql, sizeof sql, "INSERT INTO blob_chunk (id, seq, bytes) VALUES ('recording/%s', 0, decode(repeat('d5', 9000), 'hex'))", id);
		exec(&b, sql);
	}
	end(&b); /* its own clock stood still: it never looked */
	procs_run(2, rescue_until_none_is_left, b.dir, ends);
	assert_true(ends[0].ok && ends[1].ok);
	assert_int_equal(ends[0].n[0] + ends[1].n[0], ORPHANS); /* each told by the node that took it, and by no other */
	open_store(&b, pg_url());
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM message WHERE cut = 1 AND duration_ms = 1125"), ORPHANS);
	assert_int_equal(number(&b, "SELECT COUNT(*) FROM blob_chunk"), ORPHANS);
	store_close(b.s);
	pool_destroy(b.files);
	loop_destroy(b.loop);
	ev_bus_destroy(b.bus);
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

UT_MAIN(BOTH(what_was_said_outlives_its_node), BOTH(whole_takes_the_place_of_a_part), BOTH(what_was_thrown_away_is_gone), BOTH(found_parts_are_both_kept),
	BOTH(rescued_parts_are_both_kept), BOTH(parts_sent_together_are_one), BOTH(a_part_that_came_late_is_kept), BOTH(more_than_what_was_deleted_is_new),
	BOTH(what_was_not_read_is_not_claimed), BOTH(what_is_not_damaged_is_rescued), BOTH(block_behind_its_message_stays_out),
	BOTH(blocks_stand_in_no_messages_way),
	UT(orphans_are_taken_once))
