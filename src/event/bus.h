/* SPDX-License-Identifier: Apache-2.0 */
/* bus.h  Where reports go. ev_emit() may be called on any thread and never waits: the report is copied into a ring, and the bus's
 * own thread hands it to the sinks. What a full ring loses is counted and told in the next report. The last reports stay
 * readable for the administrator.                                                                                     */
#ifndef EVENT_BUS_H
#define EVENT_BUS_H
#include "base/clock.h"
#include "event/report.h"

struct ev_bus;

/* A report as sinks and readers see it. */
struct ev_record {
	uint64_t seq;    /* 1, 2, 3 ... in this process */
	int64_t real_us;
	uint64_t lost_before; /* reports that a full ring dropped just before this one */
	struct ev_report report;
};

/* On the bus's thread; `rec` is borrowed for the call. */
typedef void (ev_sink_h)(const struct ev_record *rec, void *arg);

/* `keep` = how many of the last reports stay readable. Starts the thread. All levels start at "lowest". */
int ev_bus_create(struct ev_bus **bp, const struct um_clock *clock, unsigned keep);
/* Drains what is queued, ends the thread; sinks' close functions run. NULL is allowed. */
void ev_bus_destroy(struct ev_bus *bus);
/* Before the first emit or at any time; `close` (may be NULL) is called once at the end. ENOMEM, ENOSPC (16 sinks). */
int ev_bus_sink(struct ev_bus *bus, ev_sink_h *sink, void (*close)(void *arg), void *arg);
/* Takes the sink out again; returns when it runs no more. */
void ev_bus_unsink(struct ev_bus *bus, ev_sink_h *sink, void *arg);

/* Copies the report if its category's level wants it. NULL bus or an empty report: nothing. Any thread. */
void ev_emit(struct ev_bus *bus, const struct ev_report *r);
/* Whether a report of this id would be kept: for reports that cost something to make. */
bool ev_wanted(const struct ev_bus *bus, uint16_t id);
void ev_bus_level(struct ev_bus *bus, enum ev_category c, enum ev_level level);
enum ev_level ev_bus_level_of(const struct ev_bus *bus, enum ev_category c);
/* Waits until all that was emitted before this call has reached the sinks. For tests and for the end of a process. */
void ev_bus_flush(struct ev_bus *bus);
/* Calls `each` for kept records with seq > after, oldest first, at most max; under the bus's lock: be short. Returns the last seq. */
uint64_t ev_bus_read(struct ev_bus *bus, uint64_t after, unsigned max, ev_sink_h *each, void *arg);
uint64_t ev_bus_last_seq(struct ev_bus *bus);

/* ---- sinks (sinks.c, journal.c) ---- */
/* One line a report: "2026-11-22T14:05:09.123Z WARNING 1400 GW_OPTIONS_FAILED [session] sentence". fd is borrowed. */
int ev_sink_text(struct ev_bus *bus, int fd);
/* JSON lines to a file, appended; the path is opened anew for each, so rotation needs no signal. */
int ev_sink_json(struct ev_bus *bus, const char *path);
/* systemd's journal by its native datagram protocol; ENOENT where there is no journal. */
int ev_sink_journal(struct ev_bus *bus);
/* The record as one JSON object (with "schema": 1), without line feed. */
int ev_record_json(const struct ev_record *rec, struct buf *out);

#endif
