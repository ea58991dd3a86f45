/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c  A listening TCP socket. When descriptors run out it rests a moment instead of spinning. */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "base/mem.h"
#include "net/conn.h"
#include "net/tmr.h"

/* Few: what is new makes most work, and whoever reconnects has the others' messages between. */
enum { ACCEPTS_A_TURN = 8, REST_MS = 200 };

struct listener {
	struct loop *loop;
	struct loop_io io;
	int fd;
	struct net_addr local;
	listener_h *h;
	void *arg;
	struct tmr rest;
	bool gone, inside;
};

static void rested(void *arg)
{
	struct listener *l = arg;
	loop_io_mod(&l->io, EPOLLIN);
}

static void acceptable(struct loop_io *io, uint32_t events, void *arg)
{
	struct listener *l = arg;
	(void)events;
	l->inside = true;
	for (unsigned i = 0; i < ACCEPTS_A_TURN && !l->gone; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof from;
		int fd = accept4(l->fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			loop_io_mod(io, 0);
			tmr_start(l->loop, &l->rest, REST_MS, rested, l);
		}
		if (fd < 0)
			break;
		struct net_addr peer;
		net_addr_from(&peer, (struct sockaddr *)&from);
		l->h(l, fd, &peer, l->arg);
	}
	l->inside = false;
	if (l->gone)
		mem_free(l);
}

int listener_create(struct listener **lp, struct loop *loop, const struct net_addr *local, int backlog, listener_h *h, void *arg)
{
	struct listener *l = mem_zalloc(1, sizeof *l);
	if (!l)
		return ENOMEM;
	l->loop = loop;
	l->h = h;
	l->arg = arg;
	l->fd = socket(local->u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = l->fd < 0 ? errno : 0, on = 1;
	if (!err)
		setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (!err && net_addr_is_v6(local))
		setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	socklen_t len = sizeof l->local.u;
	if (!err && (bind(l->fd, &local->u.sa, net_addr_len(local)) < 0 || listen(l->fd, backlog) < 0 ||
	             getsockname(l->fd, &l->local.u.sa, &len) < 0))
		err = errno;
	if (!err)
		err = loop_io_add(loop, &l->io, l->fd, EPOLLIN, acceptable, l);
	if (err) {
		listener_destroy(l);
		return err;
	}
	*lp = l;
	return 0;
}

void listener_destroy(struct listener *l)
{
	if (!l)
		return;
	tmr_cancel(&l->rest);
	loop_io_del(&l->io);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->gone = true;
	if (!l->inside)
		mem_free(l);
}

const struct net_addr *listener_local(const struct listener *l)
{
	return &l->local;
}
