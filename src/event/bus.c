/* SPDX-License-Identifier: Apache-2.0 */
/* bus.c  A bounded ring of records between those who report and the thread that writes.
 *
 *   ev_emit() --copy--> ring (QUEUE records) --thread--> kept (last `keep`) --> sinks
 */
#include "event/bus.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include "base/mem.h"
#include "event_events.h"

enum { QUEUE = 256, SINKS = 16 };

struct sink {
	ev_sink_h *run;
	void (*close)(void *arg);
	void *arg;
};

struct ev_bus {
	const struct um_clock *clock;
	pthread_t thread;
	pthread_mutex_t lock;      /* queue, kept, seq */
	pthread_mutex_t sink_lock; /* sinks; held while they run */
	pthread_cond_t more, done;
	bool ending, running;
	struct ev_record *queue, *kept;
	unsigned head, n_queue, keep, n_kept, at_kept;
	uint64_t seq, written, lost;
	struct sink sink[SINKS];
	unsigned n_sinks;
	atomic_uchar level[EV_CATEGORIES];
};

static void copy_record(struct ev_record *dst, const struct ev_record *src)
{
	dst->seq = src->seq;
	dst->real_us = src->real_us;
	dst->lost_before = src->lost_before;
	ev_copy(&dst->report, &src->report);
}

static void hand_out(struct ev_bus *bus, const struct ev_record *rec)
{
	pthread_mutex_lock(&bus->sink_lock);
	for (unsigned i = 0; i < bus->n_sinks; i++)
		bus->sink[i].run(rec, bus->sink[i].arg);
	pthread_mutex_unlock(&bus->sink_lock);
}

static void *run(void *arg)
{
	struct ev_bus *bus = arg;
	struct ev_record *rec = bus->queue + QUEUE; /* one place more than the ring: the thread's own */
	pthread_mutex_lock(&bus->lock);
	for (;;) {
		while (!bus->n_queue && !bus->ending)
			pthread_cond_wait(&bus->more, &bus->lock);
		if (!bus->n_queue)
			break;
		copy_record(rec, &bus->queue[bus->head]);
		bus->head = (bus->head + 1) % QUEUE;
		bus->n_queue--;
		if (bus->keep) {
			copy_record(&bus->kept[bus->at_kept], rec);
			bus->at_kept = (bus->at_kept + 1) % bus->keep;
			if (bus->n_kept < bus->keep)
				bus->n_kept++;
		}
		pthread_mutex_unlock(&bus->lock);
		hand_out(bus, rec);
		pthread_mutex_lock(&bus->lock);
		bus->written = rec->seq;
		pthread_cond_broadcast(&bus->done);
	}
	pthread_mutex_unlock(&bus->lock);
	return NULL;
}

int ev_bus_create(struct ev_bus **bp, const struct um_clock *clock, unsigned keep)
{
	struct ev_bus *bus = mem_zalloc(1, sizeof *bus);
	if (!bus)
		return ENOMEM;
	bus->clock = clock;
	bus->keep = keep;
	pthread_mutex_init(&bus->lock, NULL);
	pthread_mutex_init(&bus->sink_lock, NULL);
	pthread_cond_init(&bus->more, NULL);
	pthread_cond_init(&bus->done, NULL);
	bus->queue = mem_zalloc(QUEUE + 1, sizeof *bus->queue);
	bus->kept = keep ? mem_zalloc(keep, sizeof *bus->kept) : NULL;
	int err = bus->queue && (!keep || bus->kept) ? pthread_create(&bus->thread, NULL, run, bus) : ENOMEM;
	if (err) {
		ev_bus_destroy(bus);
		return err;
	}
	bus->running = true;
	*bp = bus;
	return 0;
}

void ev_bus_destroy(struct ev_bus *bus)
{
	if (!bus)
		return;
	if (bus->running) {
		pthread_mutex_lock(&bus->lock);
		bus->ending = true;
		pthread_cond_signal(&bus->more);
		pthread_mutex_unlock(&bus->lock);
		pthread_join(bus->thread, NULL);
	}
	for (unsigned i = 0; i < bus->n_sinks; i++)
		if (bus->sink[i].close)
			bus->sink[i].close(bus->sink[i].arg);
	pthread_mutex_destroy(&bus->lock);
	pthread_mutex_destroy(&bus->sink_lock);
	pthread_cond_destroy(&bus->more);
	pthread_cond_destroy(&bus->done);
	mem_free(bus->queue);
	mem_free(bus->kept);
	mem_free(bus);
}

int ev_bus_sink(struct ev_bus *bus, ev_sink_h *sink, void (*close)(void *arg), void *arg)
{
	int err = 0;
	pthread_mutex_lock(&bus->sink_lock);
	if (bus->n_sinks == SINKS)
		err = ENOSPC;
	else
		bus->sink[bus->n_sinks++] = (struct sink){ sink, close, arg };
	pthread_mutex_unlock(&bus->sink_lock);
	return err;
}

void ev_bus_unsink(struct ev_bus *bus, ev_sink_h *sink, void *arg)
{
	struct sink found = { 0 };
	pthread_mutex_lock(&bus->sink_lock);
	for (unsigned i = 0; i < bus->n_sinks; i++)
		if (bus->sink[i].run == sink && bus->sink[i].arg == arg) {
			found = bus->sink[i];
			bus->sink[i] = bus->sink[--bus->n_sinks];
			break;
		}
	pthread_mutex_unlock(&bus->sink_lock);
	if (found.close)
		found.close(found.arg);
}

bool ev_wanted(const struct ev_bus *bus, uint16_t id)
{
	const struct ev_def *d = bus ? ev_def_find(id) : NULL;
	/* level lowest (0) takes severities up to warning (1); each level one more */
	return d && d->severity <= atomic_load_explicit(&bus->level[d->category], memory_order_relaxed) + 1;
}

void ev_emit(struct ev_bus *bus, const struct ev_report *r)
{
	if (!bus || !r || !ev_wanted(bus, r->id))
		return;
	pthread_mutex_lock(&bus->lock);
	if (bus->n_queue == QUEUE) {
		bus->lost++;
	} else {
		struct ev_record *rec = &bus->queue[(bus->head + bus->n_queue++) % QUEUE];
		rec->seq = ++bus->seq;
		rec->real_us = clock_real_us(bus->clock);
		rec->lost_before = bus->lost;
		bus->lost = 0;
		ev_copy(&rec->report, r);
		pthread_cond_signal(&bus->more);
	}
	pthread_mutex_unlock(&bus->lock);
}

void ev_bus_level(struct ev_bus *bus, enum ev_category c, enum ev_level level)
{
	atomic_store(&bus->level[c], (unsigned char)level);
}

enum ev_level ev_bus_level_of(const struct ev_bus *bus, enum ev_category c)
{
	return (enum ev_level)atomic_load(&bus->level[c]);
}

void ev_bus_flush(struct ev_bus *bus)
{
	pthread_mutex_lock(&bus->lock);
	uint64_t upto = bus->seq;
	while (bus->written < upto)
		pthread_cond_wait(&bus->done, &bus->lock);
	pthread_mutex_unlock(&bus->lock);
}

uint64_t ev_bus_read(struct ev_bus *bus, uint64_t after, unsigned max, ev_sink_h *each, void *arg)
{
	uint64_t last = after;
	pthread_mutex_lock(&bus->lock);
	for (unsigned i = 0, given = 0; i < bus->n_kept && given < max; i++) {
		const struct ev_record *rec = &bus->kept[(bus->at_kept + bus->keep - bus->n_kept + i) % bus->keep];
		if (rec->seq <= after)
			continue;
		each(rec, arg);
		last = rec->seq;
		given++;
	}
	pthread_mutex_unlock(&bus->lock);
	return last;
}

uint64_t ev_bus_last_seq(struct ev_bus *bus)
{
	pthread_mutex_lock(&bus->lock);
	uint64_t seq = bus->seq;
	pthread_mutex_unlock(&bus->lock);
	return seq;
}
