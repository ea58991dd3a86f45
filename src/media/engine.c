/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c  The media threads, their ticks, and the rings between them and the loop.
 *
 * A tick is due at next_us, whatever the tick before cost: no drift. A thread that is late catches up frame by frame; more than
 * five frames late it gives those up, and time stamps leap (the receiver conceals that better than a burst).             */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "media/g711.h"
#include "media/media_private.h"
#include "media_events.h"

enum {
	CMD_SLOTS = 256, EVENT_SLOTS = 2048, EVENTS_AT_ONCE = 512, THREADS_MAX = 64, PORTS_DEFAULT = 4096,
	CATCH_UP_US = 5 * MEDIA_FRAME_MS * 1000, LATE_US = MEDIA_FRAME_MS * 1000,
	TELL_LATE_US = 60000000, LATE_EVENT_US = 50000, /* what a receiver's jitter buffer no longer hides */
	TELL_STRANGERS_US = 1000000,
};

static void signal_fd(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof one);
	(void)n;
}

static void clear_fd(int fd)
{
	uint64_t n;
	ssize_t got = read(fd, &n, sizeof n);
	(void)got;
}

/* ---- media thread ---- */
void thread_emit(struct media_thread *t, const struct media_msg *msg)
{
	bool put = ring_put(&t->events, msg);
	assert(put); /* stream_turn() is only let to emit when there is room */
	(void)put;
	t->events_put = true;
}

static bool may_emit(const struct media_thread *t)
{
	return ring_room(&t->events) >= EVENTS_A_TURN;
}

static void take_commands(struct media_thread *t, int64_t now_us)
{
	struct media_cmd cmd;
	while (ring_take(&t->cmds, &cmd)) {
		if (!t->served) { /* the first port: time begins now */
			t->next_us = now_us;
			t->slot_now = 0;
		}
		stream_command(t, &cmd, now_us);
	}
}

/* With a thousand calls nothing of a port is in the cache any more when its turn comes: it is fetched while the one before is served. */
static void fetch(const struct link *l)
{
	const char *p = (const char *)LIST_ENTRY(l, struct media_port, slot_link);
	for (size_t at = offsetof(struct media_port, fd) & ~(size_t)63; at < sizeof(struct media_port); at += 64)
		__builtin_prefetch(p + at);
}

static void serve_slot(struct media_thread *t, int64_t now_us)
{
	LIST_FOREACH(&t->slot[t->slot_now], l) {
		fetch(l_next);
		stream_turn(t, LIST_ENTRY(l, struct media_port, slot_link), now_us, may_emit(t));
	}
}

static void next_slot(struct media_thread *t)
{
	t->next_us += SLOT_US;
	t->slot_now = (t->slot_now + 1) % SLOTS;
	if (!t->slot_now)
		t->frame++;
}

static void measure(struct media_thread *t, int64_t late_us)
{
	struct media_engine *e = t->engine;
	if (late_us < LATE_US)
		return;
	metric_add(e->m_late, 1);
	metric_max(e->m_late_max, late_us);
	unsigned late = (unsigned)(late_us > 1000000000 ? 1000000000 : late_us);
	if (late > atomic_load_explicit(&t->late_max_us, memory_order_relaxed)) {
		atomic_store_explicit(&t->late_max_us, late, memory_order_relaxed);
		t->events_put = true; /* so that the loop looks */
	}
	if (late_us <= CATCH_UP_US)
		return;
	int64_t frames = late_us / (MEDIA_FRAME_MS * 1000);
	t->next_us += frames * MEDIA_FRAME_MS * 1000;
	t->frame += (uint64_t)frames;
	metric_add(e->m_skipped, frames);
}

/* All that is due. */
static void turn(struct media_thread *t)
{
	const struct um_clock *clock = t->engine->prm.clock;
	int64_t now_us = clock_mono_us(clock);
	take_commands(t, now_us);
	while (t->served && t->next_us <= now_us) {
		if (t->slot_ports[t->slot_now]) {
			measure(t, now_us - t->next_us);
			serve_slot(t, now_us);
			now_us = clock_mono_us(clock);
		}
		next_slot(t);
	}
	if (t->events_put) {
		t->events_put = false;
		signal_fd(t->fd_event);
	}
}

static void sleep_until(int64_t us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* Whoever puts a command looks afterwards whether somebody sleeps; who goes to sleep looks afterwards whether there is one. */
static void wait_for_command(struct media_thread *t)
{
	struct pollfd p = { .fd = t->fd_cmd, .events = POLLIN };
	atomic_store(&t->idle, true);
	atomic_thread_fence(memory_order_seq_cst);
	take_commands(t, clock_mono_us(t->engine->prm.clock));
	if (!t->served)
		poll(&p, 1, -1);
	atomic_store(&t->idle, false);
	clear_fd(t->fd_cmd);
}

static void *run(void *arg)
{
	struct media_thread *t = arg;
	while (!atomic_load_explicit(&t->ending, memory_order_acquire)) {
		if (!t->served) { /* nobody to serve: sleep until there is a command */
			wait_for_command(t);
		} else {
			while (!t->slot_ports[t->slot_now])
				next_slot(t);
			sleep_until(t->next_us);
		}
		turn(t);
	}
	return NULL;
}

/* ---- loop thread ---- */
bool engine_command(struct media_thread *t, const struct media_cmd *cmd)
{
	/* a place is kept for the close of each port, so that closing never fails */
	if (cmd->type != CMD_CLOSE && ring_room(&t->cmds) <= t->ports)
		return false;
	if (!ring_put(&t->cmds, cmd))
		return false;
	atomic_thread_fence(memory_order_seq_cst);
	if (t->running && atomic_exchange(&t->idle, false)) /* the first one wakes it */
		signal_fd(t->fd_cmd);
	return true;
}

static void told_plays(struct media_port *port, struct media_play_item *it)
{
	while (it) {
		struct media_play_item *next = it->next;
		struct media_event ev = { .type = MEDIA_PLAY_ENDED, .id = it->id, .samples = it->samples,
			.ms = it->samples / (MEDIA_RATE / 1000), .stopped = it->stopped };
		bool swapped = it->swapped;
		it->next = NULL;
		plays_free(it);
		if (!swapped)
			port_deliver(port, &ev);
		it = next;
	}
}

static void report(const struct media_port *port, const struct media_msg *msg)
{
	struct media_engine *e = port->engine;
	struct ev_bus *bus = e->prm.bus;
	uint16_t id = msg->type == MEDIA_STRANGER ? EV_MEDIA_STRANGER_HEARD : msg->type == MEDIA_RTP_TIMEOUT ? EV_MEDIA_RTP_SILENT
	            : msg->type == MEDIA_RTP_BACK ? EV_MEDIA_RTP_AGAIN : msg->type == MEDIA_LATCHED ? EV_MEDIA_LATCHED_ON
	            : msg->type == MEDIA_COLLISION ? EV_MEDIA_SSRC_COLLISION : msg->type == MEDIA_LOOP ? EV_MEDIA_LOOPED
	            : msg->type == MEDIA_SRTP_FAILED ? msg->heard ? EV_MEDIA_SRTP_PLAIN : EV_MEDIA_SRTP_FAILED : 0;
	if (msg->type == MEDIA_STRANGER)
		metric_add(e->m_strangers, msg->count);
	if (!bus || !id || !ev_wanted(bus, id))
		return;
	if (msg->type == MEDIA_STRANGER) { /* somebody who sprays all ports shall not fill the log */
		int64_t now_us = clock_mono_us(e->prm.clock);
		if (e->stranger_told_us && now_us - e->stranger_told_us < TELL_STRANGERS_US)
			return;
		e->stranger_told_us = now_us;
	}
	struct ev_report r;
	char text[NET_ADDR_SIZE];
	ev_set(&r, id);
	ev_session(&r, port->session);
	ev_str(&r, "local", net_addr_print(&port->local, text));
	ev_str(&r, "remote", net_addr_print(&port->remote_told, text));
	if (net_addr_is_set(&msg->addr))
		ev_str(&r, "stranger", net_addr_print(&msg->addr, text));
	ev_int(&r, "count", msg->count);
	ev_int(&r, "ms", msg->ms);
	ev_str(&r, "suite", secure_suite_name(port));
	ev_emit(bus, &r);
}

static void dispatch_one(const struct media_msg *msg)
{
	struct media_port *port = msg->port;
	switch (msg->type) {
	case MEDIA_PLAY_ENDED:
		told_plays(port, msg->plays);
		return;
	case MEDIA_SECURE_OVER:
		secure_free(msg->secure);
		return;
	case MEDIA_CLOSED:
		port->closed = true;
		port_try_closed(port);
		return;
	case MEDIA_DIGITS_SENT:
		port->digits_busy = false;
		break;
	default:
		report(port, msg);
		break;
	}
	port_deliver(port, &(struct media_event){ .type = msg->type, .id = msg->id, .digit = msg->digit, .heard = msg->heard, .by_tone = msg->by_tone, .ms = msg->ms,
		.samples = msg->samples, .count = msg->count, .addr = net_addr_is_set(&msg->addr) ? &msg->addr : NULL });
}

static void tell_late(struct media_thread *t)
{
	struct media_engine *e = t->engine;
	unsigned late = atomic_exchange_explicit(&t->late_max_us, 0, memory_order_relaxed);
	int64_t now_us = clock_mono_us(e->prm.clock);
	if (late > e->late_worst_us)
		e->late_worst_us = late;
	if (e->late_worst_us < LATE_EVENT_US || (e->late_told_us && now_us - e->late_told_us < TELL_LATE_US))
		return;
	struct ev_report r;
	ev_set(&r, EV_MEDIA_LATE);
	ev_int(&r, "late_ms", e->late_worst_us / 1000);
	ev_emit(e->prm.bus, &r);
	e->late_told_us = now_us;
	e->late_worst_us = 0;
}

static void dispatch(struct media_thread *t)
{
	struct media_msg msg;
	clear_fd(t->fd_event);
	tell_late(t);
	unsigned n = 0;
	while (n++ < EVENTS_AT_ONCE && ring_take(&t->events, &msg))
		dispatch_one(&msg);
	if (n > EVENTS_AT_ONCE)
		signal_fd(t->fd_event); /* the rest after the others' turn */
}

static void on_events(struct loop_io *io, uint32_t events, void *arg)
{
	(void)io;
	(void)events;
	dispatch(arg);
}

static void recording_news(struct media_engine *e, const struct rec_news *news)
{
	struct rec *r = news->rec;
	struct media_port *port = r->port;
	int err = news->err ? news->err : news->done && r->overrun ? ETIMEDOUT : 0;
	if (err && !r->err_told) {
		struct ev_report why;
		r->err_told = true;
		ev_set(&why, EV_MEDIA_RECORD_FAILED);
		ev_session(&why, port->session);
		ev_int(&why, "ms", news->written / (MEDIA_RATE / 1000));
		ev_str(&why, "error", err == ETIMEDOUT ? "the disk is half a minute behind" : strerror(err));
		ev_emit(e->prm.bus, &why);
		media_record_stop(port);
	}
	if (!news->done) {
		port_deliver(port, &(struct media_event){ .type = MEDIA_REC_BLOCK, .id = r->id, .samples = news->written,
			.ms = news->written / (MEDIA_RATE / 1000), .err = err });
		return;
	}
	struct media_event ev = { .type = MEDIA_REC_ENDED, .id = r->id, .samples = news->written, .ms = news->written / (MEDIA_RATE / 1000),
		.err = err, .heard = r->heard, .rec = r->stats };
	port->rec_running = NULL;
	rec_free(r);
	metric_add(e->m_rec, -1);
	port_deliver(port, &ev);
	port_try_closed(port);
}

static void on_news(struct loop_io *io, uint32_t events, void *arg)
{
	struct media_engine *e = arg;
	struct rec_news news;
	(void)io;
	(void)events;
	/* a recording's own events come before its end */
	for (unsigned i = 0; i < e->threads; i++)
		dispatch(&e->thread[i]);
	while (filer_news(e->filer, &news))
		recording_news(e, &news);
}

void media_engine_step(struct media_engine *e)
{
	assert(!e->prm.threads);
	turn(&e->thread[0]);
	encoder_step(e->encoder);
	filer_step(e->filer);
	on_news(NULL, 0, e);
}

unsigned media_engine_room(const struct media_engine *e)
{
	return e->prm.ports_max - e->n_ports;
}

void engine_port_gone(struct media_port *port)
{
	struct media_engine *e = port->engine;
	list_remove(&port->link);
	e->n_ports--;
	port->thread->ports--;
	metric_set(e->m_ports, e->n_ports);
	port_free(port);
}

/* ---- creation and end ---- */
static int thread_create(struct media_engine *e, struct media_thread *t, unsigned i)
{
	t->engine = e;
	t->index = i;
	t->blocks = filer_ring(e->filer, i);
	for (unsigned s = 0; s < SLOTS; s++)
		list_init(&t->slot[s]);
	t->fd_cmd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	t->fd_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (t->fd_cmd < 0 || t->fd_event < 0)
		return EMFILE;
	unsigned slots = CMD_SLOTS; /* two for each port: one is kept for its close */
	while (slots < CMD_SLOTS + 2 * (e->prm.ports_max / e->threads + 1))
		slots *= 2;
	int err = ring_init(&t->cmds, sizeof(struct media_cmd), slots);
	if (!err)
		err = ring_init(&t->events, sizeof(struct media_msg), EVENT_SLOTS);
	if (err || !e->prm.threads)
		return err;
	err = loop_io_add(e->prm.loop, &t->io, t->fd_event, EPOLLIN, on_events, t);
	if (err)
		return err;
	err = pthread_create(&t->id, NULL, run, t);
	if (err)
		return err;
	t->running = true;
	char name[16];
	snprintf(name, sizeof name, "media-%u", i % 100);
	pthread_setname_np(t->id, name);
	return 0;
}

static void make_metrics(struct media_engine *e, struct metrics *m)
{
	e->m_ports = metric_get(m, METRIC_GAUGE, "umbel_media_ports", NULL, "RTP ports open");
	e->m_rec = metric_get(m, METRIC_GAUGE, "umbel_media_recordings", NULL, "recordings running");
	e->m_late = metric_get(m, METRIC_COUNTER, "umbel_media_ticks_late_total", NULL, "ticks served more than 20 ms late");
	e->m_late_max = metric_get(m, METRIC_GAUGE, "umbel_media_tick_late_max_us", NULL, "greatest lateness of a tick");
	e->m_strangers = metric_get(m, METRIC_COUNTER, "umbel_media_stranger_packets_total", NULL, "RTP packets from other addresses than negotiated");
	e->m_skipped = metric_get(m, METRIC_COUNTER, "umbel_media_frames_skipped_total", NULL, "frames given up because a thread was too late");
}

int media_engine_create(struct media_engine **ep, const struct media_engine_prm *prm, struct ev_report *why)
{
	assert(prm->threads <= THREADS_MAX && (prm->loop || !prm->threads));
	struct media_engine *e = mem_zalloc(1, sizeof *e);
	int err = e ? 0 : ENOMEM;
	if (err)
		goto out;
	e->prm = *prm;
	if (!e->prm.ports_max)
		e->prm.ports_max = PORTS_DEFAULT;
	e->next_port = (uint16_t)((prm->port_min + 1) & ~1);
	list_init(&e->ports);
	make_metrics(e, prm->metrics);
	size_t n;
	g711_table(MEDIA_PCMU); /* made here, not by a media thread */
	codec_silence(MEDIA_OPUS, &n);
	e->threads = prm->threads ? prm->threads : 1;
	e->thread = mem_zalloc(e->threads, sizeof *e->thread);
	for (unsigned i = 0; e->thread && i < e->threads; i++)
		e->thread[i].fd_cmd = e->thread[i].fd_event = -1;
	err = e->thread ? filer_create(&e->filer, prm->clock, e->threads, e->prm.ports_max, prm->threads > 0) : ENOMEM;
	if (!err)
		err = encoder_create(&e->encoder, prm->threads > 0);
	for (unsigned i = 0; !err && i < e->threads; i++)
		err = thread_create(e, &e->thread[i], i);
	if (!err && prm->threads)
		err = loop_io_add(prm->loop, &e->news_io, filer_fd_news(e->filer), EPOLLIN, on_news, e);
out:
	if (err) {
		ev_set(why, EV_MEDIA_THREADS_FAILED);
		ev_str(why, "error", strerror(err));
		media_engine_destroy(e);
		return err;
	}
	*ep = e;
	return 0;
}

static void thread_destroy(struct media_thread *t)
{
	struct media_cmd cmd;
	struct media_msg msg;
	while (t->cmds.slots && ring_take(&t->cmds, &cmd))
		if (cmd.type == CMD_PLAY || cmd.type == CMD_SWAP)
			plays_free(cmd.u.play);
		else if (cmd.type == CMD_JOIN)
			mem_unref(cmd.u.join.join);
		else if (cmd.type == CMD_START)
			port_states_free(&cmd.u.stream);
	while (t->events.slots && ring_take(&t->events, &msg)) {
		plays_free(msg.plays);
		secure_free(msg.secure);
	}
	ring_free(&t->cmds);
	ring_free(&t->events);
	if (t->fd_cmd >= 0)
		close(t->fd_cmd);
	if (t->fd_event >= 0)
		close(t->fd_event);
}

void media_engine_destroy(struct media_engine *e)
{
	if (!e)
		return;
	for (unsigned i = 0; e->thread && i < e->threads; i++) {
		struct media_thread *t = &e->thread[i];
		loop_io_del(&t->io);
		if (!t->running)
			continue;
		atomic_store_explicit(&t->ending, true, memory_order_release);
		signal_fd(t->fd_cmd);
		pthread_join(t->id, NULL);
	}
	loop_io_del(&e->news_io);
	filer_destroy(e->filer);
	encoder_destroy(e->encoder);
	for (unsigned i = 0; e->thread && i < e->threads; i++)
		thread_destroy(&e->thread[i]);
	LIST_FOREACH(&e->ports, l)
		port_free(LIST_ENTRY(l, struct media_port, link));
	mem_free(e->thread);
	mem_free(e);
}
