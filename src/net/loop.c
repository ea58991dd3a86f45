/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c  One turn of the loop: wait, posts, descriptors, timers.
 *
 * epoll's data holds the slot of an io in a table and the slot's generation: an event of this turn that concerns an io deleted earlier
 * in the same turn is recognised and dropped, even if the place has been taken by another one since.
 *
 * A busy loop gathers: to be woken costs several times what a message costs, so when descriptors ask for many turns it lets them wait for some
 * milliseconds and serves all of them in one. Posts and timers are not made to wait, nor is a loop that has little to do.   */
#include "net/loop.h"
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/mem.h"
#include "net/tmr_private.h"
#include "net_events.h"

enum { EVENTS_A_TURN = 64, LAG_MS = 50 };
/* Of the turns that descriptors had in a window: so many begin the gathering, fewer than so many end it. A window has room for 16 that gather. */
enum { GATHER_MS = 5, WINDOW_MS = 80, TURNS_TO_GATHER = 30, TURNS_TO_GO_ON = 10 };

struct slot {
	struct loop_io *io;
	uint32_t generation;
	uint32_t next_free;
};

struct post {
	struct post *next;
	loop_post_h *h;
	void *arg;
};

struct loop {
	const struct um_clock *clock;
	int epoll, wake;
	int64_t now_ms;
	struct wheel wheel;
	struct slot *slot;
	uint32_t n_slots, first_free; /* index + 1; 0 = none */
	pthread_mutex_t lock;
	struct post *first_post, **last_post;
	bool woken;          /* `wake` was written and not read yet */
	atomic_bool asleep;  /* set under the lock, when nothing was posted: who posts must wake it */
	pthread_t thread;
	bool has_thread;
	atomic_bool stopping;
	struct ev_bus *bus;
	struct metric *lag_max, *turns;
	int64_t lag_reported_ms;
	bool gathers, gathered; /* gathered: much has come during the last turn already */
	unsigned window_turns; /* in which descriptors had something */
	int64_t window_ms;     /* when it began */
	struct list later;
};

struct wheel *loop_wheel(struct loop *loop)
{
	return &loop->wheel;
}

int loop_create(struct loop **lp, const struct um_clock *clock)
{
	struct loop *loop = mem_zalloc(1, sizeof *loop);
	if (!loop)
		return ENOMEM;
	loop->clock = clock;
	loop->last_post = &loop->first_post;
	list_init(&loop->later);
	pthread_mutex_init(&loop->lock, NULL);
	loop->now_ms = clock_mono_ms(clock);
	wheel_init(&loop->wheel, loop->now_ms);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = UINT64_MAX };
	if (loop->epoll < 0 || loop->wake < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &ev) < 0) {
		int err = errno;
		loop_destroy(loop);
		return err;
	}
	*lp = loop;
	return 0;
}

static unsigned run_posts(struct loop *loop)
{
	unsigned ran = 0;
	pthread_mutex_lock(&loop->lock);
	struct post *p = loop->first_post;
	loop->first_post = NULL;
	loop->last_post = &loop->first_post;
	pthread_mutex_unlock(&loop->lock);
	for (struct post *next; p; p = next) {
		next = p->next;
		loop_post_h *h = p->h;
		void *arg = p->arg;
		mem_free(p);
		h(arg);
		ran++;
	}
	return ran;
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->first_post)
		run_posts(loop);
	if (loop->epoll >= 0)
		close(loop->epoll);
	if (loop->wake >= 0)
		close(loop->wake);
	pthread_mutex_destroy(&loop->lock);
	mem_free(loop->slot);
	mem_free(loop);
}

void loop_observe(struct loop *loop, struct ev_bus *bus, struct metrics *metrics)
{
	loop->bus = bus;
	loop->lag_max = metric_get(metrics, METRIC_GAUGE, "umbel_loop_lag_ms_max", NULL, "Longest time one turn of the signalling loop took, in milliseconds.");
	loop->turns = metric_get(metrics, METRIC_COUNTER, "umbel_loop_turns_total", NULL, "Turns of the signalling loop.");
}

struct ev_bus *loop_bus(const struct loop *loop)
{
	return loop->bus;
}

const struct um_clock *loop_clock(const struct loop *loop)
{
	return loop->clock;
}

int64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

bool loop_gathers(const struct loop *loop)
{
	return loop->gathers;
}

int loop_io_add(struct loop *loop, struct loop_io *io, int fd, uint32_t events, loop_io_h *h, void *arg)
{
	assert(!io->loop);
	if (!loop->first_free) {
		uint32_t n = loop->n_slots ? loop->n_slots * 2 : 64;
		struct slot *slot = mem_realloc(loop->slot, n * sizeof *slot);
		if (!slot)
			return ENOMEM;
		for (uint32_t i = loop->n_slots; i < n; i++)
			slot[i] = (struct slot){ .next_free = i + 1 < n ? i + 2 : 0 };
		loop->first_free = loop->n_slots + 1;
		loop->slot = slot;
		loop->n_slots = n;
	}
	uint32_t at = loop->first_free - 1;
	struct slot *s = &loop->slot[at];
	struct epoll_event ev = { .events = events, .data.u64 = (uint64_t)s->generation << 32 | at };
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return errno;
	loop->first_free = s->next_free;
	s->io = io;
	*io = (struct loop_io){ loop, fd, events, h, arg, at };
	return 0;
}

int loop_io_mod(struct loop_io *io, uint32_t events)
{
	if (!io->loop)
		return EINVAL;
	if (io->events == events)
		return 0;
	struct epoll_event ev = { .events = events, .data.u64 = (uint64_t)io->loop->slot[io->slot].generation << 32 | io->slot };
	if (epoll_ctl(io->loop->epoll, EPOLL_CTL_MOD, io->fd, &ev) < 0)
		return errno;
	io->events = events;
	return 0;
}

void loop_io_del(struct loop_io *io)
{
	struct loop *loop = io->loop;
	if (!loop)
		return;
	struct slot *s = &loop->slot[io->slot];
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, io->fd, NULL);
	s->io = NULL;
	s->generation++;
	s->next_free = loop->first_free;
	loop->first_free = io->slot + 1;
	io->loop = NULL;
}

static void wake(struct loop *loop)
{
	uint64_t one = 1;
	(void)!write(loop->wake, &one, sizeof one); /* a full counter has woken the loop already */
}

int loop_post(struct loop *loop, loop_post_h *h, void *arg)
{
	struct post *p = mem_alloc(sizeof *p);
	if (!p)
		return ENOMEM;
	*p = (struct post){ NULL, h, arg };
	pthread_mutex_lock(&loop->lock);
	*loop->last_post = p;
	loop->last_post = &p->next;
	if (!loop->woken && atomic_load_explicit(&loop->asleep, memory_order_relaxed)) {
		wake(loop);
		loop->woken = true;
	}
	pthread_mutex_unlock(&loop->lock);
	return 0;
}

bool loop_here(const struct loop *loop)
{
	return !loop->has_thread || pthread_equal(loop->thread, pthread_self());
}

static void hear_wake(struct loop *loop)
{
	uint64_t count;
	pthread_mutex_lock(&loop->lock);
	(void)!read(loop->wake, &count, sizeof count);
	loop->woken = false;
	pthread_mutex_unlock(&loop->lock);
}

/* Who posts to a loop that is awake writes nothing: it looks before it sleeps. */
static bool may_sleep(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	bool none = !loop->first_post;
	atomic_store_explicit(&loop->asleep, none, memory_order_relaxed);
	pthread_mutex_unlock(&loop->lock);
	return none;
}

static unsigned run_io(struct loop *loop, const struct epoll_event *ev)
{
	if (ev->data.u64 == UINT64_MAX) {
		hear_wake(loop);
		return 0;
	}
	struct slot *s = &loop->slot[(uint32_t)ev->data.u64];
	if (!s->io || s->generation != (uint32_t)(ev->data.u64 >> 32))
		return 0;
	s->io->h(s->io, ev->events, s->io->arg);
	return 1;
}

/* A turn that took long held up every call on this node: worth an event, at most one a minute. */
static void judge_lag(struct loop *loop, int64_t began_ms, int64_t took)
{
	metric_max(loop->lag_max, took);
	metric_add(loop->turns, 1);
	if (took <= LAG_MS || !loop->bus || (loop->lag_reported_ms && began_ms - loop->lag_reported_ms < 60000))
		return;
	struct ev_report r = { 0 };
	ev_set(&r, EV_LOOP_LAG);
	ev_int(&r, "ms", took);
	ev_emit(loop->bus, &r);
	loop->lag_reported_ms = began_ms;
}

void loop_later(struct loop *loop, struct loop_later *later, loop_post_h *h, void *arg)
{
	if (link_linked(&later->link))
		return;
	later->h = h;
	later->arg = arg;
	list_append(&loop->later, &later->link);
}

bool loop_later_waits(const struct loop_later *later)
{
	return link_linked(&later->link);
}

void loop_later_cancel(struct loop_later *later)
{
	list_remove(&later->link);
}

/* Also what these ask for. */
static void run_later(struct loop *loop)
{
	while (!list_empty(&loop->later)) {
		struct loop_later *l = LIST_ENTRY(loop->later.head.next, struct loop_later, link);
		list_remove(&l->link);
		l->h(l->arg);
	}
}

static void judge_gathering(struct loop *loop, bool had_io, int64_t took_ms)
{
	loop->gathered = took_ms > 0;
	if (loop->now_ms - loop->window_ms >= WINDOW_MS) {
		/* After a pause the window is longer, and what it counted says little. */
		bool whole = loop->now_ms - loop->window_ms < 2 * WINDOW_MS;
		loop->gathers = whole && loop->window_turns >= (loop->gathers ? TURNS_TO_GO_ON : TURNS_TO_GATHER);
		loop->window_ms = loop->now_ms;
		loop->window_turns = 0;
	}
	loop->window_turns += had_io;
}

/* Waits, but not for descriptors; a post ends it. Returns what is left of `wait`. While a turn takes its time, enough gathers by itself: under a flood the sockets'
 * room in the kernel is small. */
static int gather(struct loop *loop, int wait)
{
	if (!loop->gathers || loop->gathered || wait == 0)
		return wait;
	int most = wait < 0 || wait > GATHER_MS ? GATHER_MS : wait;
	struct pollfd posted = { .fd = loop->wake, .events = POLLIN };
	(void)!poll(&posted, 1, most);
	return wait < 0 ? wait : wait - most;
}

unsigned loop_step(struct loop *loop, int max_wait_ms)
{
	struct epoll_event ev[EVENTS_A_TURN];
	loop->now_ms = clock_mono_ms(loop->clock);
	int64_t next = wheel_next_ms(&loop->wheel, loop->now_ms);
	int wait = max_wait_ms;
	if (next >= 0 && (wait < 0 || next < wait))
		wait = (int)next;
	if (!may_sleep(loop) || !list_empty(&loop->later))
		wait = 0;
	int n = epoll_wait(loop->epoll, ev, EVENTS_A_TURN, gather(loop, wait));
	atomic_store_explicit(&loop->asleep, false, memory_order_relaxed);
	loop->now_ms = clock_mono_ms(loop->clock);
	int64_t began = loop->now_ms;
	unsigned ran = 0;
	for (int i = 0; i < n; i++)
		ran += run_io(loop, &ev[i]);
	bool had_io = ran > 0;
	ran += run_posts(loop);
	loop->now_ms = clock_mono_ms(loop->clock);
	ran += wheel_advance(&loop->wheel, loop->now_ms);
	run_later(loop);
	int64_t took = clock_mono_ms(loop->clock) - began;
	judge_lag(loop, began, took);
	judge_gathering(loop, had_io, took);
	return ran;
}

int loop_run(struct loop *loop)
{
	loop->thread = pthread_self();
	loop->has_thread = true;
	while (!atomic_load(&loop->stopping))
		loop_step(loop, 60000);
	atomic_store(&loop->stopping, false);
	return 0;
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->stopping, true);
	wake(loop);
}
