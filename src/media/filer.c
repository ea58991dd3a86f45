/* SPDX-License-Identifier: Apache-2.0 */
/* filer.c  Two threads between recordings and the disk: one appends, the other syncs, so that a slow fdatasync holds up no append, and
 * neither holds up a media thread.
 *
 *   ring a media thread --> writer: append --> [to_sync] --> syncer: sync, at the end finish --> [news] --> loop
 */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/mem.h"
#include "media/media_private.h"

enum { SYNC_EVERY_US = 3900000, RINGS_MAX = 64 };

struct filer {
	const struct um_clock *clock;
	struct ring ring[RINGS_MAX];
	unsigned rings;
	int fd_work, fd_news;
	bool threads, writer_on, syncer_on;
	pthread_t writer, syncer;
	atomic_bool writer_ends;
	pthread_mutex_t lock; /* the lists, and what struct rec says */
	pthread_cond_t more;
	struct list to_sync, news;
	bool syncer_ends;
};

static void signal_fd(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof one);
	(void)n; /* full means readable, which is all it is for */
}

static void clear_fd(int fd)
{
	uint64_t n;
	ssize_t got = read(fd, &n, sizeof n);
	(void)got;
}

static void tell(struct filer *f, struct rec *r)
{
	if (!link_linked(&r->news_link))
		list_append(&f->news, &r->news_link);
}

/* Writer. After the last block was passed on, the recording belongs to the syncer. */
static void write_block(struct filer *f, struct rec_block *b)
{
	struct rec *r = b->rec;
	bool last = b->last;
	size_t samples = b->n / media_codec_tick_bytes(r->prm.format);
	struct media_sink *sink = r->prm.sink;
	bool begins = !r->begun && sink->begin;
	int err = begins ? sink->begin(sink) : 0;
	r->begun = true;
	bool wrote = !err && b->n && !r->broken;
	if (wrote && (err = sink->append(sink, b->bytes, b->n)) != 0)
		wrote = false;
	if (err)
		r->broken = true;
	int64_t now = clock_mono_us(f->clock);
	bool told = (wrote || err) && !last;
	bool sync = last || (sink->sync && (begins || (wrote && now - r->synced_us >= SYNC_EVERY_US)));
	if (sync)
		r->synced_us = now;
	atomic_store_explicit(&b->busy, false, memory_order_release);
	pthread_mutex_lock(&f->lock);
	if (err)
		r->err = err;
	if (wrote)
		r->written += (uint32_t)samples;
	if (last)
		r->final = true;
	if (sync && !link_linked(&r->sync_link))
		list_append(&f->to_sync, &r->sync_link);
	if (told)
		tell(f, r);
	if (sync)
		pthread_cond_signal(&f->more);
	pthread_mutex_unlock(&f->lock);
	if (told)
		signal_fd(f->fd_news);
}

static bool write_some(struct filer *f)
{
	bool any = false;
	for (unsigned i = 0; i < f->rings; i++) {
		struct rec_block *b;
		while (ring_take(&f->ring[i], &b)) {
			write_block(f, b);
			any = true;
		}
	}
	return any;
}

static void *writer(void *arg)
{
	struct filer *f = arg;
	while (!atomic_load(&f->writer_ends)) {
		struct pollfd p = { .fd = f->fd_work, .events = POLLIN };
		poll(&p, 1, -1);
		clear_fd(f->fd_work);
		write_some(f);
	}
	write_some(f);
	return NULL;
}

/* Syncer, with the lock held; gives it back while the disk works. */
static void sync_one(struct filer *f, struct rec *r)
{
	bool final = r->final, broken = r->err != 0;
	pthread_mutex_unlock(&f->lock);
	int err = broken || !r->prm.sink->sync ? 0 : r->prm.sink->sync(r->prm.sink);
	int finish_err = final ? r->prm.sink->finish(r->prm.sink, &r->stats) : 0;
	pthread_mutex_lock(&f->lock);
	if (!err)
		err = finish_err;
	if (err && !r->err)
		r->err = err;
	if (final)
		r->done = true;
	if (err || final) {
		tell(f, r);
		signal_fd(f->fd_news);
	}
}

static void *syncer(void *arg)
{
	struct filer *f = arg;
	pthread_mutex_lock(&f->lock);
	for (;;) {
		struct link *l = list_pop(&f->to_sync);
		if (l)
			sync_one(f, LIST_ENTRY(l, struct rec, sync_link));
		else if (f->syncer_ends)
			break;
		else
			pthread_cond_wait(&f->more, &f->lock);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

void filer_step(struct filer *f)
{
	write_some(f);
	pthread_mutex_lock(&f->lock);
	struct link *l;
	while ((l = list_pop(&f->to_sync)) != NULL)
		sync_one(f, LIST_ENTRY(l, struct rec, sync_link));
	pthread_mutex_unlock(&f->lock);
}

bool filer_news(struct filer *f, struct rec_news *news)
{
	pthread_mutex_lock(&f->lock);
	struct link *l = list_pop(&f->news);
	if (l) {
		struct rec *r = LIST_ENTRY(l, struct rec, news_link);
		*news = (struct rec_news){ .rec = r, .written = r->written, .err = r->err, .done = r->done };
	} else {
		clear_fd(f->fd_news);
	}
	pthread_mutex_unlock(&f->lock);
	return l != NULL;
}

int filer_create(struct filer **fp, const struct um_clock *clock, unsigned rings, unsigned recordings, bool threads)
{
	unsigned slots = 1;
	while (slots < recordings * BLOCKS_MAX) /* all that they may have: the ring is never full */
		slots *= 2;
	struct filer *f = mem_zalloc(1, sizeof *f);
	if (!f)
		return ENOMEM;
	f->clock = clock;
	f->threads = threads;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->more, NULL);
	list_init(&f->to_sync);
	list_init(&f->news);
	f->fd_work = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	f->fd_news = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int err = f->fd_work < 0 || f->fd_news < 0 ? EMFILE : 0;
	for (; !err && f->rings < rings && f->rings < RINGS_MAX; f->rings++)
		err = ring_init(&f->ring[f->rings], sizeof(struct rec_block *), slots);
	if (!err && threads) {
		err = pthread_create(&f->writer, NULL, writer, f);
		f->writer_on = !err;
	}
	if (!err && threads) {
		err = pthread_create(&f->syncer, NULL, syncer, f);
		f->syncer_on = !err;
	}
	if (err) {
		filer_destroy(f);
		return err;
	}
	if (threads) {
		pthread_setname_np(f->writer, "media-write");
		pthread_setname_np(f->syncer, "media-sync");
	}
	*fp = f;
	return 0;
}

void filer_destroy(struct filer *f)
{
	if (!f)
		return;
	if (f->writer_on) {
		atomic_store(&f->writer_ends, true);
		signal_fd(f->fd_work);
		pthread_join(f->writer, NULL);
	}
	if (f->syncer_on) {
		pthread_mutex_lock(&f->lock);
		f->syncer_ends = true;
		pthread_cond_signal(&f->more);
		pthread_mutex_unlock(&f->lock);
		pthread_join(f->syncer, NULL);
	}
	for (unsigned i = 0; i < f->rings; i++)
		ring_free(&f->ring[i]);
	if (f->fd_work >= 0)
		close(f->fd_work);
	if (f->fd_news >= 0)
		close(f->fd_news);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->more);
	mem_free(f);
}

int filer_fd_news(const struct filer *f)
{
	return f->fd_news;
}

struct ring *filer_ring(struct filer *f, unsigned i)
{
	return &f->ring[i];
}

void filer_wake(struct filer *f)
{
	if (f->threads)
		signal_fd(f->fd_work);
}
