/* SPDX-License-Identifier: Apache-2.0 */
/* A real file system that is really full: nothing that was accepted is lost, nobody is asked to speak into the void, and room mends everything
 * without a restart. Needs to be allowed to mount a tmpfs in a namespace of its own; skipped elsewhere. */
#include "ut.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "mailbox/mbox.h"
#include "net/loop.h"
#include "net/pool.h"

enum { DISK = 4 << 20, AUDIO = 64 << 10 };

struct bench {
	struct loop *loop;
	struct store *s;
	struct pool *files;
	struct mbox *m;
	char dir[64], filler[80];
	enum mbox_saved saved;
	int err;
	size_t n;
	bool came;
};

static int mounted = -1;
static char disk[64];

static bool mount_small_disk(void)
{
	char options[32];
	if (mounted < 0) {
		snprintf(disk, sizeof disk, "%s", ut_tmpdir());
		snprintf(options, sizeof options, "size=%d", DISK);
		mounted = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
			mount("tmpfs", disk, "tmpfs", 0, options) == 0;
	}
	return mounted == 1;
}

static void begin(struct bench *b, const char *name)
{
	char url[200], spool[200];
	memset(b, 0, sizeof *b);
	if (!mount_small_disk())
		skip();
	snprintf(b->filler, sizeof b->filler, "%s/filler", disk);
	assert_int_equal(loop_create(&b->loop, clock_system()), 0);
	assert_int_equal(pool_create(&b->files, b->loop, "files", 1, 64), 0);
	snprintf(url, sizeof url, "sqlite:%s/%s.db", disk, name);
	snprintf(spool, sizeof spool, "%s/spool-%s", disk, name);
	struct store_prm sp = { .url = url, .loop = b->loop, .clock = clock_system(), .free_min_bytes = 256 << 10 };
	assert_int_equal(store_open(&b->s, &sp, NULL), 0);
	struct mbox_prm mp = { .store = b->s, .loop = b->loop, .files = b->files, .clock = clock_system(), .spool_dir = spool, .ship_ms = 20,
		.spool_free_min_bytes = 128 << 10 };
	assert_int_equal(mbox_create(&b->m, &mp, NULL), 0);
}

static void end(struct bench *b)
{
	mbox_destroy(b->m);
	store_close(b->s);
	pool_destroy(b->files);
	loop_destroy(b->loop);
}

/* Takes all room but `left` bytes. */
static void fill(struct bench *b, off_t left)
{
	static const char zeros[4096];
	int fd = open(b->filler, O_WRONLY | O_CREAT, 0600);
	off_t n = 0;
	while (write(fd, zeros, sizeof zeros) == sizeof zeros)
		n += (off_t)sizeof zeros;
	assert_int_equal(ftruncate(fd, n > left ? n - left : 0), 0);
	close(fd);
}

static void on_saved(enum mbox_saved outcome, int err, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->saved = outcome;
	b->err = err;
	b->came = true;
}

static void on_list(int err, const struct mbox_message *v, size_t n, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)v;
	(void)why;
	b->err = err;
	b->n = n;
	b->came = true;
}

static void on_audio(int err, enum mbox_codec codec, const uint8_t *p, size_t n, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)codec;
	(void)p;
	(void)why;
	b->err = err;
	b->n = n;
	b->came = true;
}

static void wait_came(struct bench *b)
{
	for (int i = 0; i < 1500 && !b->came; i++)
		loop_step(b->loop, 10);
	assert_true(b->came);
	b->came = false;
}

static enum mbox_saved save(struct bench *b, char id[ID_SIZE])
{
	static const uint8_t audio[AUDIO];
	struct mbox_message m = { .mailbox = "alice", .received_us = clock_real_us(clock_system()) };
	struct mbox_audio a = { .p = audio, .n = sizeof audio };
	id_make(m.id, clock_system());
	memcpy(id, m.id, ID_SIZE);
	assert_int_equal(mbox_save(b->m, &m, &a, on_saved, b, NULL), 0);
	wait_came(b);
	return b->saved;
}

static size_t count(struct bench *b)
{
	assert_int_equal(mbox_list(b->m, "alice", -1, MBOX_OLDEST_FIRST, on_list, b, NULL), 0);
	wait_came(b);
	assert_int_equal(b->err, 0);
	return b->n;
}

static void wait_good(struct bench *b)
{
	for (int i = 0; i < 1500 && (store_state(b->s) != STORE_GOOD || mbox_spooled(b->m)); i++)
		loop_step(b->loop, 10);
	assert_int_equal(store_state(b->s), STORE_GOOD);
	assert_int_equal(mbox_spooled(b->m), 0);
}

static void on_room(int err, const struct ev_report *why, void *arg)
{
	struct bench *b = arg;
	(void)why;
	b->err = err;
	b->came = true;
}

static int room(struct bench *b, uint32_t most, const char *also)
{
	b->came = false;
	assert_int_equal(mbox_room(b->m, "alice", most, also, on_room, b, NULL), 0);
	wait_came(b);
	return b->err;
}

static void full_disk_loses_nothing_that_was_accepted(void **state)
{
	(void)state;
	struct bench b;
	char id[ID_SIZE], first[ID_SIZE];
	size_t accepted = 0, failed = 0;
	begin(&b, "a");
	assert_int_equal(room(&b, 1, disk), 0);
	assert_int_equal(mbox_accepts(b.m, NULL), 0);
	assert_int_equal(save(&b, first), MBOX_SAVE_DONE);
	accepted++;
	fill(&b, 200 << 10);
	for (int i = 0; i < 10; i++)
		if (save(&b, id) == MBOX_SAVE_FAILED)
			failed++;
		else
			accepted++;
	assert_true(failed > 0);
	assert_int_equal(b.err, ENOSPC);
	assert_int_equal(store_state(b.s), STORE_FULL);
	fill(&b, 0);
	assert_int_equal(room(&b, 0, NULL), ENOSPC); /* callers are told before they speak */
	assert_int_equal(mbox_accepts(b.m, NULL), ENOSPC);
	assert_true(count(&b) >= 1); /* and what is there can be heard */
	assert_int_equal(mbox_get_audio(b.m, "alice", first, on_audio, &b, NULL), 0);
	wait_came(&b);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.n, AUDIO);
	assert_int_equal(unlink(b.filler), 0);
	wait_good(&b);
	assert_int_equal(room(&b, 0, disk), 0);
	assert_int_equal(mbox_accepts(b.m, NULL), 0);
	size_t there = count(&b);
	assert_true(there >= accepted && there <= accepted + failed);
	assert_int_equal(save(&b, id), MBOX_SAVE_DONE);
	assert_int_equal(room(&b, (uint32_t)there + 1, disk), EDQUOT);
	assert_int_equal(room(&b, (uint32_t)there + 2, disk), 0);
	assert_int_equal(room(&b, 0, "/proc/self/fd"), ENOSPC); /* another file system, which has no room at all */
	end(&b);
}

UT_MAIN(UT(full_disk_loses_nothing_that_was_accepted))
