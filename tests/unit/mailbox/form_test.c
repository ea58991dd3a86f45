/* SPDX-License-Identifier: Apache-2.0 */
/* Messages in the form that their policy wants: made after they were accepted, never instead of them. */
#include "ut.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "audio.h"
#include "base/mem.h"
#include "jobs/outbox.h"
#include "mailbox/mbox.h"
#include "media/codec.h"
#include "media/g711.h"
#include "net/loop.h"
#include "net/pool.h"
#include "pg.h"
#include "voice/stored.h"

enum { N = MEDIA_RATE * 3 };
static int16_t said[N];
static uint8_t law[N];
static bool on_pg;

struct bench {
	struct loop *loop;
	struct store *s;
	struct pool *files;
	struct outbox *outbox;
	struct mbox *m;
	bool came;
	int err;
	enum mbox_codec codec;
	struct buf audio;
	struct mbox_message msg;
	unsigned done;
};

static void begin(struct bench *b)
{
	char url[300], spool[300];
	double phase = 0;
	memset(b, 0, sizeof *b);
	for (unsigned i = 0; i < N; i++) {
		double t = (double)i / MEDIA_RATE, v = 0;
		phase += 2 * 3.14159265 * (130 + 30 * sin(8 * t)) / MEDIA_RATE;
		for (unsigned k = 1; k <= 20; k++)
			v += sin(phase * k) / k;
		said[i] = (int16_t)(4000 * (0.55 - 0.45 * cos(25 * t)) * v);
	}
	g711_encode(MEDIA_PCMU, law, said, N);
	buf_init(&b->audio, 1 << 20);
	assert_int_equal(loop_create(&b->loop, clock_system()), 0);
	assert_int_equal(pool_create(&b->files, b->loop, "files", 1, 64), 0);
	snprintf(url, sizeof url, "sqlite:%s/f.db", ut_tmpdir());
	snprintf(spool, sizeof spool, "%s/spool", ut_tmpdir());
	if (on_pg && !pg_url())
		skip();
	if (on_pg)
		pg_wipe();
	struct store_prm sp = { .url = on_pg ? pg_url() : url, .loop = b->loop, .clock = clock_system() };
	assert_int_equal(store_open(&b->s, &sp, NULL), 0);
	struct outbox_prm op = { .store = b->s, .loop = b->loop, .clock = clock_system(), .node = "n", .poll_ms = 20 };
	assert_int_equal(outbox_create(&b->outbox, &op), 0);
	struct mbox_prm mp = { .store = b->s, .loop = b->loop, .files = b->files, .clock = clock_system(), .outbox = b->outbox, .spool_dir = spool,
		.spool_free_min_bytes = 1 };
	assert_int_equal(mbox_create(&b->m, &mp, NULL), 0);
}

static void end(struct bench *b)
{
	outbox_stop(b->outbox);
	mbox_destroy(b->m);
	outbox_destroy(b->outbox);
	store_close(b->s);
	pool_destroy(b->files);
	loop_destroy(b->loop);
	buf_free(&b->audio);
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
	assert_int_equal(outcome, MBOX_SAVE_DONE);
	b->err = err;
	b->came = true;
}

static void save(struct bench *b, enum mbox_codec form)
{
	struct mbox_audio a = { .p = law, .n = N };
	b->msg = (struct mbox_message){ .mailbox = "alice", .duration_ms = 3000, .codec = MBOX_PCMU, .form = form, .received_us = 1 };
	id_make(b->msg.id, clock_system());
	assert_int_equal(mbox_save(b->m, &b->msg, &a, on_saved, b, NULL), 0);
	wait_came(b);
}

static void on_audio(int err, enum mbox_codec codec, const uint8_t *p, size_t n, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	b->codec = codec;
	buf_clear(&b->audio);
	if (!err)
		assert_int_equal(buf_put(&b->audio, p, n), 0);
	b->came = true;
}

static void on_sound(int err, const struct mbox_message *what, const uint8_t *p, size_t n, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	assert_true(err || (what->version == 1 && what->duration_ms == 3000 && !what->cut));
	on_audio(err, what->codec, p, n, why, arg);
	assert_string_equal(what->id, b->msg.id);
}

static enum mbox_codec stored_as(struct bench *b)
{
	assert_int_equal(mbox_get_audio(b->m, "alice", b->msg.id, on_audio, b, NULL), 0);
	wait_came(b);
	assert_int_equal(b->err, 0);
	return b->codec;
}

static void becomes(struct bench *b, enum mbox_codec form)
{
	for (unsigned i = 0; i < 500 && stored_as(b) != form; i++)
		loop_step(b->loop, 10);
	assert_int_equal(stored_as(b), form);
}

static void sounds_right(struct bench *b)
{
	assert_int_equal(mbox_get_sound(b->m, "alice", b->msg.id, on_sound, b, NULL), 0);
	wait_came(b);
	assert_int_equal(b->err, 0);
	assert_int_equal(b->codec, MBOX_L16);
	assert_true(audio_compare(said, N, (int16_t *)(void *)b->audio.p, b->audio.n / 2, 400).correlation > 0.9);
}

static void messages_take_their_form(void **state)
{
	struct bench b;
	(void)state;
	begin(&b);
	save(&b, MBOX_OPUS);
	assert_int_equal(stored_as(&b), MBOX_PCMU); /* accepted as it was recorded, and heard so meanwhile */
	assert_memory_equal(b.audio.p, law, N);
	outbox_start(b.outbox);
	becomes(&b, MBOX_OPUS);
	assert_memory_equal(b.audio.p, "OggS", 4);
	assert_true(b.audio.n < N / 2);
	sounds_right(&b);
	save(&b, MBOX_MP3);
	becomes(&b, MBOX_MP3);
	sounds_right(&b);
	save(&b, MBOX_L16);
	becomes(&b, MBOX_L16);
	assert_int_equal(b.audio.n, 2 * N);
	sounds_right(&b);
	end(&b);
}

static void on_done(int err, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	b->came = true;
}

/* Deleted before its turn comes: nothing is brought back. */
static void deleted_ones_stay_so(void **state)
{
	struct bench b;
	(void)state;
	begin(&b);
	save(&b, MBOX_OPUS);
	char first[ID_SIZE];
	memcpy(first, b.msg.id, sizeof first);
	assert_int_equal(mbox_delete(b.m, "alice", first, 0, on_done, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(b.err, 0);
	save(&b, MBOX_OPUS);
	outbox_start(b.outbox);
	becomes(&b, MBOX_OPUS);
	assert_int_equal(mbox_get_audio(b.m, "alice", first, on_audio, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(b.err, ENOENT);
	end(&b);
}

static void messages_take_their_form_in_postgresql(void **state)
{
	on_pg = true;
	messages_take_their_form(state);
	on_pg = false;
}

UT_MAIN(UT(messages_take_their_form), UT(deleted_ones_stay_so), UT(messages_take_their_form_in_postgresql))
