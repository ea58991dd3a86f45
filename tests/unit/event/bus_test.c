/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "base/mem.h"
#include "event/bus.h"
#include "event_events.h"

static unsigned seen;

static void count(const struct ev_record *rec, void *arg)
{
	(void)rec;
	(*(unsigned *)arg)++;
}

static void emit(struct ev_bus *bus, uint16_t id)
{
	struct ev_report r = { 0 };
	ev_set(&r, id);
	ev_emit(bus, &r);
}

static void level_decides_what_is_kept(void **state)
{
	(void)state;
	struct clock_fake f;
	struct ev_bus *bus;
	clock_fake_init(&f, 1795356309);
	seen = 0;
	assert_int_equal(ev_bus_create(&bus, &f.clock, 8), 0);
	assert_int_equal(ev_bus_sink(bus, count, NULL, &seen), 0);
	emit(bus, EV_LEVEL_CHANGED); /* a notice: not at lowest */
	emit(bus, EV_EVENTS_LOST);
	ev_bus_flush(bus);
	assert_int_equal(seen, 1);
	ev_bus_level(bus, EV_CAT_CORE, EV_LEVEL_LOW);
	emit(bus, EV_LEVEL_CHANGED);
	ev_bus_flush(bus);
	assert_int_equal(seen, 2);
	ev_bus_destroy(bus);
}

static void last_records_stay_readable(void **state)
{
	(void)state;
	struct ev_bus *bus;
	unsigned n = 0;
	assert_int_equal(ev_bus_create(&bus, clock_system(), 4), 0);
	for (int i = 0; i < 10; i++)
		emit(bus, EV_EVENTS_LOST);
	ev_bus_flush(bus);
	assert_int_equal(ev_bus_read(bus, 0, 100, count, &n), 10);
	assert_int_equal(n, 4);
	n = 0;
	ev_bus_read(bus, 9, 100, count, &n);
	assert_int_equal(n, 1);
	ev_bus_destroy(bus);
}

static void block_here(const struct ev_record *rec, void *arg)
{
	(void)rec;
	pthread_mutex_lock(arg);
	pthread_mutex_unlock(arg);
}

static void remember_lost(const struct ev_record *rec, void *arg)
{
	*(uint64_t *)arg += rec->lost_before;
}

static void full_ring_counts_what_it_loses(void **state)
{
	(void)state;
	struct ev_bus *bus;
	uint64_t lost = 0;
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	assert_int_equal(ev_bus_create(&bus, clock_system(), 0), 0);
	ev_bus_sink(bus, block_here, NULL, &gate);
	ev_bus_sink(bus, remember_lost, NULL, &lost);
	pthread_mutex_lock(&gate);
	for (int i = 0; i < 400; i++)
		emit(bus, EV_EVENTS_LOST);
	pthread_mutex_unlock(&gate);
	ev_bus_flush(bus);
	emit(bus, EV_EVENTS_LOST);
	ev_bus_flush(bus);
	assert_true(lost > 0 && lost < 400);
	assert_int_equal(ev_bus_last_seq(bus) + lost, 401);
	ev_bus_destroy(bus);
}

static void json_holds_the_event_in_words_and_fields(void **state)
{
	(void)state;
	struct ev_record *rec = mem_zalloc(1, sizeof *rec);
	struct buf b;
	buf_init(&b, 10000);
	rec->seq = 3;
	rec->real_us = 1795356309000000;
	ev_set(&rec->report, EV_LEVEL_CHANGED);
	ev_text(&rec->report, "category", TEXT("\xff"));
	assert_int_equal(ev_record_json(rec, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "\"name\":\"LEVEL_CHANGED\""));
	assert_non_null(strstr(buf_cstr(&b), "\"category\":\"\\\\xff\""));
	assert_non_null(strstr(buf_cstr(&b), "\"schema\":1"));
	buf_free(&b);
	mem_free(rec);
}

static int create_and_destroy(void *arg)
{
	(void)arg;
	struct ev_bus *bus;
	int err = ev_bus_create(&bus, clock_system(), 4);
	if (!err)
		ev_bus_destroy(bus);
	return err;
}

static void survives_every_failing_allocation(void **state)
{
	(void)state;
	ut_oom(create_and_destroy, NULL);
}

UT_MAIN(UT(level_decides_what_is_kept), UT(last_records_stay_readable), UT(full_ring_counts_what_it_loses),
        UT(json_holds_the_event_in_words_and_fields), UT(survives_every_failing_allocation))
