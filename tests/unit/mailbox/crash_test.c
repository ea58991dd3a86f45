/* SPDX-License-Identifier: Apache-2.0 */
/* A process that saves messages is killed at any moment, again and again: what it said is accepted must be there, once. The store fails now and
 * then, so that the spool takes its part. */
#include "ut.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/rand.h"
#include "db/faults.h"
#include "mailbox/mbox.h"
#include "net/loop.h"
#include "net/pool.h"

enum { ROUNDS = 10, ACCEPTED_MAX = 200000, AT_LEAST = 11 };

struct life {
	struct loop *loop;
	struct store *s;
	struct pool *files;
	struct mbox *m;
	struct db_faults f;
	char url[300], spool[300];
	int out; /* where accepted ids are said */
};

static void begin(struct life *l, const char *dir, bool faults)
{
	struct store_prm sp = { .url = l->url, .loop = NULL, .clock = clock_system() };
	db_faults_init(&l->f);
	assert_int_equal(loop_create(&l->loop, clock_system()), 0);
	assert_int_equal(pool_create(&l->files, l->loop, "files", 1, 256), 0);
	sp.loop = l->loop;
	snprintf(l->url, sizeof l->url, "sqlite:%s/c.db", dir);
	snprintf(l->spool, sizeof l->spool, "%s/spool", dir);
	if (faults)
		assert_int_equal(store_open_with(&l->s, &sp, &db_scripted, &l->f, NULL), 0);
	else
		assert_int_equal(store_open(&l->s, &sp, NULL), 0);
	struct mbox_prm mp = { .store = l->s, .loop = l->loop, .files = l->files, .clock = clock_system(), .spool_dir = l->spool, .ship_ms = 10,
		.spool_free_min_bytes = 1 };
	assert_int_equal(mbox_create(&l->m, &mp, NULL), 0);
}

struct deposit {
	struct life *l;
	struct mbox_message msg;
};

static void next(struct life *l);

/* The caller hears "saved": from now on the message must never be lost. */
static void accepted(enum mbox_saved outcome, int err, const struct ev_report *why, void *arg)
{
	struct deposit *d = arg;
	struct life *l = d->l;
	(void)err;
	(void)why;
	if (outcome != MBOX_SAVE_FAILED && write(l->out, d->msg.id, ID_SIZE) != ID_SIZE)
		_exit(1);
	mem_free(d);
	next(l);
}

static void next(struct life *l)
{
	struct deposit *d = mem_zalloc(1, sizeof *d);
	d->l = l;
	id_make(d->msg.id, clock_system());
	snprintf(d->msg.mailbox, sizeof d->msg.mailbox, "alice");
	struct mbox_audio a = { .p = (const uint8_t *)d->msg.id, .n = ID_CHARS };
	if (rand_below(15) == 0)
		db_faults_add(&l->f, (struct db_fault){ DB_AT_COMMIT, rand_below(2) ? ENOSPC : ENOTCONN, .after = rand_below(2) });
	mbox_save(l->m, &d->msg, &a, accepted, d, NULL);
}

static void live(const char *dir, int out)
{
	struct life l = { .out = out };
	begin(&l, dir, true);
	for (int i = 0; i < 6; i++)
		next(&l);
	for (;;)
		loop_step(l.loop, 50);
}

static size_t round_of_deposits(const char *dir, char (*ids)[ID_SIZE], size_t max)
{
	int fd[2];
	size_t n = 0;
	assert_int_equal(pipe(fd), 0);
	pid_t child = fork();
	if (!child) {
		close(fd[0]);
		live(dir, fd[1]);
	}
	close(fd[1]);
	while (n < AT_LEAST && n < max && read(fd[0], ids[n], ID_SIZE) == ID_SIZE) /* a life on a slow machine is as full as another */
		n++;
	struct timespec t = { 0, (long)(100 + rand_below(250)) * 1000000L };
	nanosleep(&t, NULL);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	while (n < max && read(fd[0], ids[n], ID_SIZE) == ID_SIZE)
		n++;
	close(fd[0]);
	return n;
}

struct look {
	char (*ids)[ID_SIZE];
	size_t n, missing, wrong;
	int64_t rows, distinct;
};

static int look_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct look *k = arg;
	struct db_rows *r;
	struct buf audio;
	k->missing = k->wrong = 0;
	for (size_t i = 0; i < k->n; i++) {
		buf_init(&audio, 1000);
		int err = db_query_one(tx, &r, why, "SELECT bytes FROM message WHERE id = ?1 AND state = 0", "s", k->ids[i]);
		if (err && err != ENOENT)
			return err; /* the engine's trouble says nothing of the messages; the store tries the work again where that helps */
		if (err)
			k->missing++;
		else
			db_rows_close(r);
		if (db_blob_get(tx, k->ids[i], &audio, why) || audio.n != ID_CHARS || memcmp(audio.p, k->ids[i], ID_CHARS) != 0)
			k->wrong++;
		buf_free(&audio);
	}
	int err = db_query_one(tx, &r, why, "SELECT COUNT(*), COUNT(DISTINCT id) FROM message", "");
	if (err)
		return err;
	k->rows = db_col_int(r, 0);
	k->distinct = db_col_int(r, 1);
	db_rows_close(r);
	return 0;
}

static void what_was_accepted_survives_being_killed(void **state)
{
	(void)state;
	const char *dir = ut_tmpdir();
	char (*ids)[ID_SIZE] = mem_zalloc(ACCEPTED_MAX, ID_SIZE);
	struct look k = { .ids = ids };
	struct life l = { .out = -1 };
	for (int i = 0; i < ROUNDS; i++)
		k.n += round_of_deposits(dir, ids + k.n, ACCEPTED_MAX - k.n);
	begin(&l, dir, false);
	/* By time, not by turns: how many there are is a matter of how quick the machine is. */
	for (int64_t until = clock_mono_ms(clock_system()) + 40000; mbox_spooled(l.m) && clock_mono_ms(clock_system()) < until;)
		loop_step(l.loop, 10);
	assert_int_equal(mbox_spooled(l.m), 0);
	struct ev_report why = { 0 };
	int err = store_run(l.s, STORE_READ, look_work, &k, &why);
	char sentence[300];
	if (err)
		fail_msg("%d: %s", err, ev_sentence(&why, sentence, sizeof sentence));
	print_message("%zu accepted in %d lives, %lld in the store\n", k.n, ROUNDS, (long long)k.rows);
	assert_true(k.n > 100);
	assert_int_equal(k.missing, 0);
	assert_int_equal(k.wrong, 0);
	assert_true(k.rows == k.distinct && k.rows >= (int64_t)k.n && k.rows <= (int64_t)k.n + ROUNDS * 12);
	mbox_destroy(l.m);
	store_close(l.s);
	pool_destroy(l.files);
	loop_destroy(l.loop);
	mem_free(ids);
}

UT_MAIN(UT(what_was_accepted_survives_being_killed))
