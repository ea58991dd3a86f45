/* SPDX-License-Identifier: Apache-2.0 */
/* records.c  The queue of records, the file that outlives a stop, and the broom.
 *
 *   records_put -> queue -> (write_ms) a batch -> store -> done: the next batch
 *                    ^                               \-> failed: back to the front, again after retry_ms
 *                    \--- file <- what a stop leaves -/                                                                   */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "jobs/lease.h"
#include "records/records_private.h"
#include "records_events.h"

enum { LINE_MAX_BYTES = 128 << 10, TELL_MS = 60000, AGAIN_MS = 200 };

struct batch {
	struct records *rs; /* a reference */
	struct list items;
	unsigned n;
};

static void write_h(void *arg);

/* ---- what is lost ---- */
static void tell_lost(void *arg)
{
	struct records *rs = arg;
	struct ev_report r;
	if (rs->lost == rs->lost_told)
		return;
	ev_set(&r, EV_RECORDS_LOST);
	ev_int(&r, "count", (int64_t)(rs->lost - rs->lost_told));
	ev_str(&r, "error", rs->lost_why);
	ev_emit(rs->prm.bus, &r);
	rs->lost_told = rs->lost;
	if (!rs->closed)
		tmr_start(rs->prm.loop, &rs->tell_tmr, TELL_MS, tell_lost, rs);
}

/* Told at once, but not more often than once a minute. */
static void lose(struct records *rs, unsigned n, const char *why)
{
	rs->lost += n;
	metric_add(rs->m_lost, n);
	text_fill(rs->lost_why, sizeof rs->lost_why, why);
	if (!tmr_active(&rs->tell_tmr))
		tell_lost(rs);
}

static void counted(struct records *rs)
{
	metric_set(rs->m_waiting, (int64_t)records_waiting(rs));
}

/* ---- the file ---- */
static int write_line(int fd, const struct record_item *it, struct buf *line)
{
	buf_clear(line);
	int err = record_write(it, line);
	if (!err)
		err = buf_char(line, '\n');
	for (size_t at = 0; !err && at < line->n;) {
		ssize_t k = write(fd, line->p + at, line->n - at);
		if (k < 0 && errno != EINTR)
			err = errno;
		at += k > 0 ? (size_t)k : 0;
	}
	return err;
}

/* What came from there stands there still. */
static int write_items(int fd, struct list *items, unsigned *n)
{
	struct buf line;
	int err = 0;
	buf_init(&line, LINE_MAX_BYTES);
	LIST_FOREACH(items, l) {
		const struct record_item *it = LIST_ENTRY(l, struct record_item, link);
		if (!it->from_spool && (err = write_line(fd, it, &line)) != 0)
			break;
		++*n;
	}
	buf_free(&line);
	return err;
}

static void tell_file(struct records *rs, uint16_t id, unsigned count, int err)
{
	struct ev_report r;
	ev_set(&r, id);
	ev_int(&r, "count", count);
	ev_str(&r, "path", rs->spool);
	ev_str(&r, "error", strerror(err));
	ev_emit(rs->prm.bus, &r);
}

/* At the very end: what is neither in the store nor on its way there, behind what is in the file already. */
static void keep_in_file(struct records *rs, struct list *items, unsigned n)
{
	unsigned kept = 0;
	int fd = rs->spool[0] ? open(rs->spool, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	int err = fd < 0 ? rs->spool[0] ? errno : ENOENT : write_items(fd, items, &kept);
	if (fd >= 0 && fsync(fd) && !err)
		err = errno;
	if (fd >= 0)
		close(fd);
	rs->file_stays = true;
	if (err) {
		rs->lost += n - kept;
		metric_add(rs->m_lost, n - kept);
		tell_file(rs, EV_RECORDS_SPOOL_FAILED, n - kept, err);
	}
}

static void free_items(struct list *items)
{
	for (struct link *l; (l = list_pop(items));)
		mem_free(LIST_ENTRY(l, struct record_item, link));
}

/* False: there is no memory for it now. */
static bool take_line(struct records *rs, struct text line, unsigned *bad)
{
	struct record_item *it;
	int err = record_read(&it, line);
	if (!err) {
		it->from_spool = true;
		list_append(&rs->queue, &it->link);
		rs->n_queue++;
		rs->from_spool++;
	}
	*bad += err == EBADMSG;
	return err != ENOMEM;
}

/* Calls that end meanwhile need room, too. */
static bool room_for_file(const struct records *rs)
{
	return rs->n_queue < (rs->prm.queue_max + 1) / 2;
}

/* On from where it was left, as much as there is room for. */
static void read_spool(struct records *rs)
{
	FILE *f = rs->spool[0] ? fopen(rs->spool, "re") : NULL;
	char *line = f ? mem_alloc(LINE_MAX_BYTES) : NULL;
	unsigned bad = 0;
	bool good = line && fseek(f, rs->spool_at, SEEK_SET) == 0;
	rs->file_stays = !good;
	rs->file_more = false;
	while (good && !rs->file_more) {
		if (!room_for_file(rs))
			rs->file_more = true;
		else if (!fgets(line, LINE_MAX_BYTES, f))
			break;
		else if (take_line(rs, text_trim(text_of(line)), &bad))
			rs->spool_at = ftell(f);
		else
			rs->file_more = true;
	}
	rs->file_stays = rs->file_stays || rs->file_more;
	mem_free(line);
	if (f)
		fclose(f);
	if (bad)
		tell_file(rs, EV_RECORDS_SPOOL_DAMAGED, bad, EBADMSG);
	if (f && !rs->from_spool && !rs->file_stays)
		unlink(rs->spool);
}

/* A batch is in the store, or lost, with some of the file or without: on with the file, or away with it. */
static void file_on(struct records *rs, bool some)
{
	if (rs->from_spool)
		return;
	if (rs->file_more && !rs->closed && room_for_file(rs))
		read_spool(rs);
	else if (some && !rs->file_stays)
		unlink(rs->spool);
}

/* ---- writing ---- */
static int work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct batch *b = arg;
	return records_write(tx, &b->items, why);
}

static void tell_waiting(struct records *rs, int err)
{
	struct ev_report r;
	if (rs->waits)
		return;
	rs->waits = true;
	ev_set(&r, EV_RECORDS_WAIT);
	ev_int(&r, "count", (int64_t)records_waiting(rs));
	ev_int(&r, "most", rs->prm.queue_max);
	ev_str(&r, "error", strerror(err));
	ev_emit(rs->prm.bus, &r);
}

static void written(struct records *rs, struct batch *b)
{
	size_t before = rs->from_spool;
	LIST_FOREACH(&b->items, it)
		rs->from_spool -= LIST_ENTRY(it, struct record_item, link)->from_spool;
	file_on(rs, before > rs->from_spool);
	metric_add(rs->m_kept, b->n);
	rs->one_by_one = false;
	if (!rs->waits)
		return;
	struct ev_report r;
	rs->waits = false;
	ev_set(&r, EV_RECORDS_WRITTEN);
	ev_emit(rs->prm.bus, &r);
}

static bool store_may_recover(int err)
{
	return err != EINVAL && err != EEXIST && err != E2BIG && err != EMSGSIZE;
}

/* Back to the front, in order. */
static void take_back(struct records *rs, struct batch *b)
{
	while (!list_empty(&b->items)) {
		struct link *l = b->items.head.prev;
		list_remove(l);
		list_prepend(&rs->queue, l);
	}
	rs->n_queue += b->n;
}

static void not_written(struct records *rs, struct batch *b, int err)
{
	if (rs->closed) {
		keep_in_file(rs, &b->items, b->n);
	} else if (!store_may_recover(err) && b->n == 1) {
		bool some = LIST_ENTRY(list_first(&b->items), struct record_item, link)->from_spool;
		rs->from_spool -= some;
		lose(rs, 1, strerror(err));
		file_on(rs, some);
	} else {
		rs->one_by_one = rs->one_by_one || !store_may_recover(err); /* to find the one that the store refuses */
		take_back(rs, b);
		if (store_may_recover(err))
			tell_waiting(rs, err);
	}
}

static void batch_free(struct batch *b)
{
	struct records *rs = b->rs;
	free_items(&b->items);
	mem_free(b);
	mem_unref(rs);
}

static void done(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct batch *b = arg;
	struct records *rs = b->rs;
	(void)why;
	rs->busy = false;
	rs->n_writing = 0;
	if (result == STORE_DONE)
		written(rs, b);
	else
		not_written(rs, b, err);
	counted(rs);
	if (!rs->closed && rs->n_queue)
		tmr_start(rs->prm.loop, &rs->write_tmr, result == STORE_DONE || rs->one_by_one ? 0 : (int64_t)rs->prm.retry_ms, write_h, rs);
	batch_free(b);
}

/* All of it when it is the last. */
static void submit(struct records *rs, unsigned most)
{
	struct batch *b = mem_zalloc(1, sizeof *b);
	if (!b)
		return;
	list_init(&b->items);
	b->rs = mem_ref(rs);
	for (struct link *l; b->n < most && (l = list_pop(&rs->queue)); b->n++)
		list_append(&b->items, l);
	rs->n_queue -= b->n;
	rs->n_writing = b->n;
	rs->busy = true;
	int err = store_submit(rs->prm.store, STORE_WRITE, work, done, b);
	if (!err)
		return;
	rs->busy = false;
	rs->n_writing = 0;
	not_written(rs, b, err);
	batch_free(b);
}

static void write_h(void *arg)
{
	struct records *rs = arg;
	if (rs->busy || !rs->n_queue)
		return;
	submit(rs, rs->one_by_one ? 1 : RECORDS_BATCH);
	if (!rs->busy) /* the store's own queue is full, or no memory */
		tmr_start(rs->prm.loop, &rs->write_tmr, (int64_t)rs->prm.retry_ms, write_h, rs);
}

void records_put(struct records *rs, const struct call_record *r, const struct call_box *box, unsigned n_boxes, const struct call_step *step,
                 unsigned n_steps)
{
	struct record_item *it = records_waiting(rs) < rs->prm.queue_max ? record_item(r, box, n_boxes, step, n_steps) : NULL;
	if (!it) {
		lose(rs, 1, strerror(records_waiting(rs) < rs->prm.queue_max ? ENOMEM : ENOBUFS));
		return;
	}
	list_append(&rs->queue, &it->link);
	rs->n_queue++;
	counted(rs);
	if (!rs->busy && !tmr_active(&rs->write_tmr))
		tmr_start(rs->prm.loop, &rs->write_tmr, (int64_t)rs->prm.write_ms, write_h, rs);
}

size_t records_waiting(const struct records *rs)
{
	return rs->n_queue + rs->n_writing;
}

uint64_t records_lost(const struct records *rs)
{
	return rs->lost;
}

/* ---- the broom ---- */
struct broom {
	struct records *rs; /* a reference */
	int64_t before_us, n;
	uint32_t days;
};

/* One node does it for all, until it is gone for one turn and a half. */
static int sweep_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct broom *x = arg;
	x->n = 0;
	int err = *x->rs->node ? lease_take(tx, "call-records", x->rs->node, x->rs->prm.sweep_ms * 3 / 2, NULL, 0, why) : 0;
	if (err)
		return err == EBUSY ? 0 : err;
	return records_sweep(tx, x->before_us, &x->n, why);
}

static void sweep_h(void *arg);

static void swept(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct broom *x = arg;
	struct records *rs = x->rs;
	struct ev_report r;
	(void)err, (void)why;
	rs->sweeping = false;
	bool some = result == STORE_DONE && x->n > 0;
	if (some) {
		ev_set(&r, EV_RECORDS_SWEPT);
		ev_int(&r, "count", x->n);
		ev_int(&r, "days", x->days);
		ev_emit(rs->prm.bus, &r);
	}
	if (!rs->closed)
		tmr_start(rs->prm.loop, &rs->sweep_tmr, some ? AGAIN_MS : (int64_t)rs->prm.sweep_ms, sweep_h, rs);
	mem_unref(rs);
	mem_free(x);
}

static void sweep_h(void *arg)
{
	struct records *rs = arg;
	struct broom *x = rs->sweeping ? NULL : mem_zalloc(1, sizeof *x);
	if (x) {
		x->days = rs->prm.keep_days;
		x->before_us = clock_real_us(rs->prm.clock) - (int64_t)x->days * 86400 * 1000000;
		x->rs = mem_ref(rs);
		rs->sweeping = store_submit(rs->prm.store, STORE_WRITE, sweep_work, swept, x) == 0;
	}
	if (x && !rs->sweeping) {
		mem_unref(rs);
		mem_free(x);
	}
	if (!rs->sweeping)
		tmr_start(rs->prm.loop, &rs->sweep_tmr, (int64_t)rs->prm.sweep_ms, sweep_h, rs);
}

void records_sweep_now(struct records *rs)
{
	tmr_cancel(&rs->sweep_tmr);
	sweep_h(rs);
}

void records_keep(struct records *rs, uint32_t days)
{
	rs->prm.keep_days = days ? days : 1;
}

/* ---- life ---- */
static void gone(void *object)
{
	struct records *rs = object;
	free_items(&rs->queue);
}

int records_create(struct records **rp, const struct records_prm *prm)
{
	struct records *rs = mem_object(sizeof *rs, gone);
	if (!rs)
		return ENOMEM;
	rs->prm = *prm;
	text_fill(rs->node, sizeof rs->node, prm->node ? prm->node : "");
	rs->prm.queue_max = prm->queue_max ? prm->queue_max : RECORDS_QUEUE_MAX;
	rs->prm.write_ms = prm->write_ms ? prm->write_ms : 200;
	rs->prm.retry_ms = prm->retry_ms ? prm->retry_ms : 5000;
	rs->prm.sweep_ms = prm->sweep_ms ? prm->sweep_ms : 3600000;
	records_keep(rs, prm->keep_days);
	text_fill(rs->spool, sizeof rs->spool, prm->spool ? prm->spool : "");
	rs->prm.spool = NULL;
	list_init(&rs->queue);
	const char *name = "umbel_call_records_total", *help = "Records of calls that are over";
	rs->m_kept = metric_get(prm->metrics, METRIC_COUNTER, name, "end=\"kept\"", help);
	rs->m_lost = metric_get(prm->metrics, METRIC_COUNTER, name, "end=\"lost\"", help);
	rs->m_waiting = metric_get(prm->metrics, METRIC_GAUGE, "umbel_call_records_waiting", NULL, "Records of calls that are not in the store yet");
	read_spool(rs);
	counted(rs);
	if (rs->n_queue)
		tmr_start(prm->loop, &rs->write_tmr, 0, write_h, rs);
	tmr_start(prm->loop, &rs->sweep_tmr, (int64_t)rs->prm.sweep_ms / 60, sweep_h, rs);
	*rp = rs;
	return 0;
}

void records_destroy(struct records *rs)
{
	if (!rs)
		return;
	tmr_cancel(&rs->write_tmr);
	tmr_cancel(&rs->sweep_tmr);
	tmr_cancel(&rs->tell_tmr);
	rs->closed = true;
	if (rs->n_queue)
		submit(rs, UINT32_MAX);
	if (rs->n_queue) {
		keep_in_file(rs, &rs->queue, (unsigned)rs->n_queue);
		rs->n_queue = 0;
	}
	tell_lost(rs);
	mem_unref(rs);
}
