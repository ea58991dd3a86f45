/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c  A TCP socket with an optional filter above it. The life: CONNECTING, FILTERING (the filter shakes hands), UP, CLOSING (the queue
 * drains), ENDED. Each call into the user or the filter may end the connection, so each is followed by a look at the state. */
#include "net/conn.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/mem.h"
#include "net/tmr.h"

enum { QUEUE_MAX = 1 << 20, GATHER_MAX = 16384, READ_SIZE = 16384, READS_A_TURN = 8, CLOSE_MS = 5000 };

enum state { CONNECTING, FILTERING, UP, CLOSING, ENDING, ENDED };

struct conn {
	struct loop *loop;
	struct loop_io io;
	int fd;
	enum state state;
	struct net_addr peer, local;
	struct conn_filter filter;
	bool filtered;
	struct conn_handlers h;
	void *arg;
	struct buf out;
	struct loop_later flush; /* what a turn of a busy loop sends goes out at its end, in one call */
	struct tmr timer;
	struct conn_end end;
	int64_t established_ms;
	bool paused, read_closed, ref_held;
	bool reset; /* a write has met the peer's reset, and the kernel tells of it only once */
	int early_err; /* connect(2) itself said no */
	conn_tap_h *tap;
	void *tap_arg;
};

static void destroy(void *object)
{
	struct conn *c = object;
	loop_later_cancel(&c->flush);
	tmr_cancel(&c->timer);
	loop_io_del(&c->io);
	if (c->fd >= 0)
		close(c->fd);
	if (c->filtered && c->filter.destroy)
		c->filter.destroy(c->filter.state);
	buf_free(&c->out);
}

static void want(struct conn *c)
{
	uint32_t events = 0;
	if (c->state == CONNECTING || c->out.n)
		events |= EPOLLOUT;
	if (c->state != CONNECTING && !c->paused && !c->read_closed)
		events |= EPOLLIN | EPOLLRDHUP;
	loop_io_mod(&c->io, events);
}

/* Writes what the socket takes. 0 or errno. */
static int flush(struct conn *c)
{
	size_t done = 0;
	int err = 0;
	loop_later_cancel(&c->flush);
	while (done < c->out.n) {
		ssize_t n = send(c->fd, c->out.p + done, c->out.n - done, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = errno == EAGAIN ? 0 : errno;
			c->reset = c->reset || err == ECONNRESET;
			break;
		}
		done += (size_t)n;
	}
	buf_consume(&c->out, done);
	return err;
}

/* Before the end of the turn: what was sent counts as given to the kernel, whatever happens to the connection now. */
static void flush_gathered(struct conn *c)
{
	if (loop_later_waits(&c->flush) && c->fd >= 0)
		(void)flush(c);
	loop_later_cancel(&c->flush);
}

static void shut_socket(struct conn *c)
{
	flush_gathered(c);
	tmr_cancel(&c->timer);
	loop_io_del(&c->io);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* The last step: the user hears of it once, and our own reference goes. */
static void ended(struct conn *c)
{
	if (c->state == ENDED)
		return;
	c->state = ENDED;
	shut_socket(c);
	if (c->end.established)
		c->end.since_established_ms = clock_mono_ms(loop_clock(c->loop)) - c->established_ms;
	if (c->h.closed)
		c->h.closed(c, &c->end, c->arg);
	if (c->ref_held) {
		c->ref_held = false;
		mem_unref(c);
	}
}

static void end(struct conn *c, enum conn_how how, int err)
{
	if (c->state == ENDED || c->state == ENDING)
		return;
	if (c->state == CLOSING) /* whatever the peer does now: it was us who closed */
		how = CONN_LOCAL, err = 0;
	bool ask = c->filtered && c->filter.ending && c->state != CONNECTING && how != CONN_LOCAL;
	c->state = ENDING;
	c->end.how = how;
	c->end.err = err;
	flush_gathered(c);
	loop_io_del(&c->io);
	tmr_cancel(&c->timer);
	if (ask && c->filter.ending(c, c->filter.state, &c->end))
		return; /* conn_filter_ended() follows */
	ended(c);
}

void conn_filter_ended(struct conn *c)
{
	if (c->state == ENDING)
		ended(c);
}

static enum conn_how how_of(int err)
{
	return err == ECONNRESET || err == EPIPE ? CONN_RST : err == ETIMEDOUT ? CONN_TIMEOUT : CONN_ERROR;
}

static void timed_out(void *arg)
{
	struct conn *c = arg;
	end(c, c->state == CLOSING ? CONN_LOCAL : CONN_TIMEOUT, ETIMEDOUT);
}

static void come_up(struct conn *c)
{
	tmr_cancel(&c->timer);
	c->state = UP;
	c->end.established = true;
	c->established_ms = clock_mono_ms(loop_clock(c->loop));
	if (c->h.established)
		c->h.established(c, c->arg);
}

void conn_filter_up(struct conn *c)
{
	if (c->state == FILTERING)
		come_up(c);
}

void conn_filter_fail(struct conn *c, enum conn_how how, int err)
{
	if (c->fd >= 0 && c->out.n)
		(void)flush(c); /* an alert on its way out: best effort, the reason stays ours */
	end(c, how, err);
}

void conn_filter_timeout(struct conn *c, int64_t ms)
{
	if (ms <= 0)
		tmr_cancel(&c->timer);
	else if (c->state == FILTERING)
		tmr_start(c->loop, &c->timer, ms, timed_out, c);
}

static void start_filter(struct conn *c)
{
	tmr_cancel(&c->timer);
	c->state = FILTERING;
	if (!c->filtered) {
		come_up(c);
		return;
	}
	int err = c->filter.start ? c->filter.start(c, c->filter.state) : 0;
	if (err)
		end(c, CONN_ERROR, err);
}

static void connected(struct conn *c)
{
	int err = 0;
	socklen_t len = sizeof err;
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err) {
		end(c, how_of(err), err);
		return;
	}
	struct sockaddr_storage local;
	len = sizeof local;
	if (getsockname(c->fd, (struct sockaddr *)&local, &len) == 0)
		net_addr_from(&c->local, (struct sockaddr *)&local);
	start_filter(c);
}

static void readable(struct conn *c)
{
	uint8_t data[READ_SIZE] MEM_NOT_CLEARED;
	for (unsigned i = 0; i < READS_A_TURN && !c->paused && (c->state == FILTERING || c->state == UP || c->state == CLOSING); i++) {
		ssize_t n = recv(c->fd, data, sizeof data, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			int err = n < 0 ? errno : c->reset ? ECONNRESET : 0;
			end(c, err ? how_of(err) : CONN_FIN, err);
			return;
		}
		if (c->tap)
			c->tap(c, true, data, (size_t)n, c->tap_arg);
		if (c->state == CLOSING)
			continue; /* nobody listens any more */
		int err = c->filtered ? c->filter.below(c, c->filter.state, data, (size_t)n) : conn_up(c, data, (size_t)n);
		if (err && err != ECONNABORTED) {
			conn_filter_fail(c, CONN_ERROR, err);
			return;
		}
		if ((size_t)n < sizeof data)
			return; /* there was no more; what comes now, and an end behind it, wakes us again */
	}
}

static void writable(struct conn *c)
{
	bool had = c->out.n > 0;
	int err = flush(c);
	if (err) {
		/* What the peer sent before it reset the connection (an alert, say) may still be there to read. */
		readable(c);
		end(c, how_of(err), err);
	} else if (!c->out.n && c->state == CLOSING) {
		end(c, CONN_LOCAL, 0);
	} else if (had && !c->out.n && c->state == UP && c->h.drained) {
		c->h.drained(c, c->arg);
	}
}

static void on_socket(struct loop_io *io, uint32_t events, void *arg)
{
	struct conn *c = mem_ref(arg);
	(void)io;
	if (c->state == CONNECTING) {
		connected(c);
	} else {
		if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
			readable(c);
		if (events & EPOLLOUT && c->fd >= 0 && c->state != ENDING)
			writable(c);
	}
	if (c->fd >= 0 && c->io.loop)
		want(c);
	mem_unref(c);
}

static int make(struct conn **cp, struct loop *loop, int fd, const struct net_addr *peer, const struct conn_filter *filter,
                const struct conn_handlers *h, void *arg)
{
	struct conn *c = mem_object(sizeof *c, destroy);
	if (!c) {
		if (filter && filter->destroy)
			filter->destroy(filter->state);
		return ENOMEM;
	}
	c->loop = loop;
	c->fd = fd;
	c->peer = *peer;
	if (filter) {
		c->filter = *filter;
		c->filtered = true;
	}
	c->h = *h;
	c->arg = arg;
	buf_init(&c->out, QUEUE_MAX);
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	*cp = c;
	return 0;
}

static bool is_of_network(int err)
{
	static const int of_network[] = { ECONNREFUSED, ECONNRESET, ECONNABORTED, ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, ETIMEDOUT, EPIPE };
	for (unsigned i = 0; i < sizeof of_network / sizeof of_network[0]; i++)
		if (err == of_network[i])
			return true;
	return false;
}

static void refused_early(void *arg)
{
	struct conn *c = arg;
	if (c->state == CONNECTING)
		end(c, how_of(c->early_err), c->early_err);
	mem_unref(c);
}

int conn_connect(struct conn **cp, struct loop *loop, const struct net_addr *to, const struct net_addr *local, int64_t timeout_ms,
                 const struct conn_filter *filter, const struct conn_handlers *h, void *arg)
{
	struct conn *c;
	int fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = fd < 0 ? errno : 0;
	if (err) {
		if (filter && filter->destroy)
			filter->destroy(filter->state);
		return err;
	}
	err = make(&c, loop, fd, to, filter, h, arg);
	if (err) {
		close(fd);
		return err;
	}
	if (local && net_addr_is_set(local) && !net_addr_is_any(local)) {
		struct net_addr from = *local;
		net_addr_set_port(&from, 0);
		err = bind(fd, &from.u.sa, net_addr_len(&from)) < 0 ? errno : 0;
	}
	if (!err && connect(fd, &to->u.sa, net_addr_len(to)) < 0 && errno != EINPROGRESS)
		err = errno;
	/* What the network says may be known at once: on loopback even the reset of a peer that accepted. It still comes to closed(). */
	if (is_of_network(err)) {
		c->early_err = err;
		err = loop_post(loop, refused_early, mem_ref(c));
		if (err)
			mem_unref(c);
	} else if (!err) {
		err = loop_io_add(loop, &c->io, fd, EPOLLOUT, on_socket, c);
	}
	if (err) {
		mem_unref(c);
		return err;
	}
	c->state = CONNECTING;
	tmr_start(loop, &c->timer, timeout_ms, timed_out, c);
	mem_ref(c);
	c->ref_held = true;
	*cp = c;
	return 0;
}

static void adopted(void *arg)
{
	struct conn *c = arg;
	if (c->state == CONNECTING && c->fd >= 0) {
		connected(c);
		if (c->fd >= 0 && c->io.loop)
			want(c);
	}
	mem_unref(c);
}

int conn_adopt(struct conn **cp, struct loop *loop, int fd, const struct net_addr *peer, const struct conn_filter *filter,
               const struct conn_handlers *h, void *arg)
{
	struct conn *c;
	int err = make(&c, loop, fd, peer, filter, h, arg);
	if (err) {
		close(fd);
		return err;
	}
	c->state = CONNECTING;
	err = loop_io_add(loop, &c->io, fd, 0, on_socket, c);
	/* established() must not be called before the caller has his pointer */
	if (!err && (err = loop_post(loop, adopted, mem_ref(c))) != 0)
		mem_unref(c);
	if (err) {
		mem_unref(c);
		return err;
	}
	mem_ref(c);
	c->ref_held = true;
	*cp = c;
	return 0;
}

int conn_up(struct conn *c, const uint8_t *data, size_t n)
{
	if (c->state != UP)
		return ECONNABORTED;
	c->end.bytes_in += n;
	if (c->h.recv)
		c->h.recv(c, data, n, c->arg);
	return c->state == UP ? 0 : ECONNABORTED;
}

static void flush_later(void *arg)
{
	struct conn *c = mem_ref(arg);
	int err = flush(c);
	if (err && err != EPIPE && err != ECONNRESET)
		end(c, how_of(err), err);
	else if (c->state == CLOSING && (err || !c->out.n))
		end(c, CONN_LOCAL, 0);
	if (c->fd >= 0 && c->io.loop)
		want(c);
	mem_unref(c);
}

int conn_down(struct conn *c, const void *data, size_t n)
{
	if (c->fd < 0 || c->state == ENDED)
		return ENOTCONN;
	int err = buf_put(&c->out, data, n);
	if (err) {
		c->out.err = 0; /* full is an answer, not an end */
		return err;
	}
	if (c->tap)
		c->tap(c, false, data, n, c->tap_arg);
	bool first = c->out.n == n;
	if (c->state == UP && c->out.n <= GATHER_MAX && (loop_later_waits(&c->flush) || (first && loop_gathers(c->loop)))) {
		loop_later(c->loop, &c->flush, flush_later, c);
		return 0;
	}
	if ((first || loop_later_waits(&c->flush)) && (err = flush(c)) != 0 && err != EPIPE && err != ECONNRESET)
		return err;
	/* A reset found by writing is told by the read side, which may still hold the peer's last words. */
	if (c->io.loop)
		want(c);
	return 0;
}

int conn_send(struct conn *c, const void *data, size_t n)
{
	if (c->state != UP)
		return ENOTCONN;
	int err = c->filtered ? c->filter.above(c, c->filter.state, data, n) : conn_down(c, data, n);
	if (!err)
		c->end.bytes_out += n;
	return err;
}

static void closed_later(void *arg)
{
	struct conn *c = arg;
	if (c->state == CLOSING && !c->out.n)
		end(c, CONN_LOCAL, 0);
	mem_unref(c);
}

void conn_close(struct conn *c)
{
	if (c->state >= CLOSING)
		return;
	if (c->state == UP && c->filtered && c->filter.goodbye)
		c->filter.goodbye(c, c->filter.state);
	c->state = CLOSING;
	tmr_start(c->loop, &c->timer, CLOSE_MS, timed_out, c); /* a peer that takes nothing more must not keep us */
	if (c->io.loop)
		want(c);
	if (loop_post(c->loop, closed_later, mem_ref(c)))
		mem_unref(c); /* without memory: the timer ends it */
}

void conn_abort(struct conn *c, bool reset)
{
	if (c->state == ENDED)
		return;
	if (reset && c->fd >= 0) {
		struct linger now = { .l_onoff = 1, .l_linger = 0 };
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	}
	c->h = (struct conn_handlers){ 0 };
	c->end.how = CONN_LOCAL;
	ended(c);
}

void conn_tap(struct conn *c, conn_tap_h *tap, void *arg)
{
	c->tap = tap;
	c->tap_arg = arg;
}

bool conn_is_established(const struct conn *c)
{
	return c->state == UP;
}

bool conn_is_open(const struct conn *c)
{
	return c->state < CLOSING;
}

const struct net_addr *conn_peer(const struct conn *c)
{
	return &c->peer;
}

const struct net_addr *conn_local(const struct conn *c)
{
	return &c->local;
}

struct loop *conn_loop(const struct conn *c)
{
	return c->loop;
}

size_t conn_queued(const struct conn *c)
{
	return c->out.n;
}

void conn_pause(struct conn *c, bool paused)
{
	c->paused = paused;
	if (c->io.loop)
		want(c);
}

void *conn_filter_state(const struct conn *c, const char *name)
{
	return c->filtered && strcmp(c->filter.name, name) == 0 ? c->filter.state : NULL;
}
