/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h  The event loop: epoll, a timer wheel and a mailbox from other threads. One thread runs it; that thread owns signalling,
 * dialogues, timers and administration. Nothing in a handler may block. Only loop_post(), loop_stop() and loop_wake() may be called
 * on other threads.                                                                                                      */
#ifndef NET_LOOP_H
#define NET_LOOP_H
#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/list.h"
#include "event/bus.h"
#include "event/metrics.h"

struct loop;
struct loop_io;

/* `events` are EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR ... A handler may delete, close and free its own or any other io. */
typedef void (loop_io_h)(struct loop_io *io, uint32_t events, void *arg);
typedef void (loop_post_h)(void *arg);

/* Embedded in its owner; zero before use. */
struct loop_io {
	struct loop *loop; /* NULL while not added */
	int fd;
	uint32_t events;
	loop_io_h *h;
	void *arg;
	uint32_t slot; /* the loop's own */
};

/* The clock says when timers are due; with a fake clock, turn it and call loop_step(). */
int loop_create(struct loop **lp, const struct um_clock *clock);
/* Everything must be deleted before; posts still waiting are run. NULL is allowed. */
void loop_destroy(struct loop *loop);
/* Where lag over 50 ms is reported and measured; both may be NULL. */
void loop_observe(struct loop *loop, struct ev_bus *bus, struct metrics *metrics);
struct ev_bus *loop_bus(const struct loop *loop); /* NULL while nobody observes */
const struct um_clock *loop_clock(const struct loop *loop);
int64_t loop_now_ms(const struct loop *loop); /* monotonic, read once a turn */
/* Whether descriptors are let wait for some milliseconds, so that a turn serves many: what is there is then read to its end. */
bool loop_gathers(const struct loop *loop);

/* Until loop_stop(). 0 or the errno of epoll_wait(2). */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* One turn: waits at most max_wait_ms (0: not at all) for something to happen, handles it and fires what is due. Returns how many
 * handlers ran. */
unsigned loop_step(struct loop *loop, int max_wait_ms);

/* The fd stays the caller's. */
int loop_io_add(struct loop *loop, struct loop_io *io, int fd, uint32_t events, loop_io_h *h, void *arg);
int loop_io_mod(struct loop_io *io, uint32_t events);
/* Call before close(2). Nothing when not added; no handler runs afterwards, also not in this turn. */
void loop_io_del(struct loop_io *io);

/* What is to be done once at the end of this turn, before the loop waits again. Embedded in its owner; zero before use. */
struct loop_later {
	struct link link;
	loop_post_h *h;
	void *arg;
};
/* Nothing when it waits already. The loop's thread. */
void loop_later(struct loop *loop, struct loop_later *later, loop_post_h *h, void *arg);
bool loop_later_waits(const struct loop_later *later);
void loop_later_cancel(struct loop_later *later);

/* Runs h(arg) on the loop's thread, in the order of posting. Never fails but for ENOMEM. Any thread. */
int loop_post(struct loop *loop, loop_post_h *h, void *arg);
/* Whether the caller is on the loop's thread (true before the loop has run). */
bool loop_here(const struct loop *loop);

#endif
