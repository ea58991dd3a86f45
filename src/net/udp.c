/* SPDX-License-Identifier: Apache-2.0 */
/* udp.c  Datagrams on the loop. */
#include "net/udp.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/mem.h"
#include "net_events.h"

enum { GATHERED_MAX = 64, GATHERED_BYTES = 128 << 10 };
enum { TELL_AGAIN_MS = 60000 };
enum { DATAGRAM_MAX = 65536, DATAGRAMS_A_TURN = 64, SOCKET_BUFFER = 1 << 21 };

/* Datagrams that wait for the end of the turn; their bytes lie one behind the other. */
struct gathered {
	struct buf bytes;
	unsigned n;
	struct net_addr to[GATHERED_MAX];
	size_t len[GATHERED_MAX];
};

struct udp {
	struct loop_io io;
	int fd;
	struct net_addr local;
	udp_recv_h *recv;
	void *arg;
	bool gone;   /* destroyed from within a handler: freed behind it */
	bool inside;
	bool burst;  /* the last turn found several: they are asked for until there are no more */
	struct loop *loop;
	int64_t last_ms;
	int64_t told_ms; /* that one could not be sent */
	struct loop_later flush;
	struct gathered out;
	uint8_t data[DATAGRAM_MAX];
};

static void readable(struct loop_io *io, uint32_t events, void *arg)
{
	struct udp *udp = arg;
	(void)io;
	(void)events;
	/* One that comes alone, as most do, costs one call and not two; more in the same millisecond are read until the socket is empty. */
	udp->burst = udp->burst || loop_gathers(udp->loop) || udp->last_ms == loop_now_ms(udp->loop);
	udp->last_ms = loop_now_ms(udp->loop);
	unsigned most = udp->burst ? DATAGRAMS_A_TURN : 1, i;
	udp->inside = true;
	for (i = 0; i < most && !udp->gone; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(udp->fd, udp->data, sizeof udp->data - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
		if (n < 0 && (errno == EINTR || errno == ECONNREFUSED))
			continue; /* an ICMP error of an earlier send: that sender's timer finds out */
		if (n < 0)
			break;
		struct net_addr peer;
		net_addr_from(&peer, (struct sockaddr *)&from);
		udp->recv(udp, &peer, udp->data, (size_t)n, udp->arg);
	}
	udp->inside = false;
	udp->burst = udp->burst && i > 1;
	if (udp->gone)
		mem_free(udp);
}

/* Who asked hears nothing, and nobody here waits for it: it is told, at most once a minute. A full socket's buffer is the network's loss. */
static void tell_unsent(struct udp *udp, const struct net_addr *to, int err)
{
	struct ev_report r = { 0 };
	char address[NET_ADDR_SIZE], host[NET_ADDR_SIZE];
	int64_t now_ms = loop_now_ms(udp->loop);
	if (err == EAGAIN || !loop_bus(udp->loop) || now_ms - udp->told_ms < TELL_AGAIN_MS)
		return;
	udp->told_ms = now_ms;
	ev_set(&r, EV_DATAGRAM_UNSENT);
	ev_str(&r, "address", net_addr_print(to, address));
	ev_str(&r, "host", net_addr_print_host(to, host));
	ev_str(&r, "error", strerror(err));
	ev_emit(loop_bus(udp->loop), &r);
}

/* One that the kernel refuses does not hold up those behind it. */
static void flush(void *arg)
{
	struct udp *udp = arg;
	struct gathered *out = &udp->out;
	struct mmsghdr m[GATHERED_MAX];
	struct iovec part[GATHERED_MAX];
	uint8_t *at = out->bytes.p;
	loop_later_cancel(&udp->flush);
	for (unsigned i = 0; i < out->n; at += out->len[i++]) {
		part[i] = (struct iovec){ at, out->len[i] };
		m[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &out->to[i].u.sa, .msg_namelen = net_addr_len(&out->to[i]), .msg_iov = &part[i], .msg_iovlen = 1 } };
	}
	for (unsigned done = 0; done < out->n;) {
		int n = sendmmsg(udp->fd, m + done, out->n - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			tell_unsent(udp, &out->to[done], errno);
		done += n > 0 ? (unsigned)n : 1;
	}
	out->n = 0;
	buf_clear(&out->bytes);
}

int udp_create(struct udp **up, struct loop *loop, const struct net_addr *local, udp_recv_h *recv, void *arg)
{
	struct udp *udp = mem_zalloc(1, sizeof *udp);
	if (!udp)
		return ENOMEM;
	udp->recv = recv;
	udp->arg = arg;
	udp->loop = loop;
	udp->last_ms = INT64_MIN;
	udp->told_ms = -TELL_AGAIN_MS;
	buf_init(&udp->out.bytes, GATHERED_BYTES);
	udp->fd = socket(local->u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = udp->fd < 0 ? errno : 0, on = 1, room = SOCKET_BUFFER;
	if (!err && net_addr_is_v6(local))
		setsockopt(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (!err) {
		setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room); /* bursts of a busy pool; what the kernel allows is enough */
		err = bind(udp->fd, &local->u.sa, net_addr_len(local)) < 0 ? errno : 0;
	}
	socklen_t len = sizeof udp->local.u;
	if (!err && getsockname(udp->fd, &udp->local.u.sa, &len) < 0)
		err = errno;
	if (!err)
		err = loop_io_add(loop, &udp->io, udp->fd, EPOLLIN, readable, udp);
	if (err) {
		udp_destroy(udp);
		return err;
	}
	*up = udp;
	return 0;
}

void udp_destroy(struct udp *udp)
{
	if (!udp)
		return;
	if (loop_later_waits(&udp->flush))
		flush(udp);
	buf_free(&udp->out.bytes);
	loop_io_del(&udp->io);
	if (udp->fd >= 0)
		close(udp->fd);
	udp->fd = -1;
	udp->gone = true;
	if (!udp->inside)
		mem_free(udp);
}

const struct net_addr *udp_local(const struct udp *udp)
{
	return &udp->local;
}

int udp_send(struct udp *udp, const struct net_addr *to, const void *data, size_t n)
{
	if (loop_later_waits(&udp->flush)) /* what was sent before goes before */
		flush(udp);
	if (sendto(udp->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL, &to->u.sa, net_addr_len(to)) >= 0)
		return 0;
	return errno;
}

int udp_send_soon(struct udp *udp, const struct net_addr *to, const void *data, size_t n)
{
	struct gathered *out = &udp->out;
	if (out->n == GATHERED_MAX || out->bytes.n + n > GATHERED_BYTES)
		flush(udp);
	if (!loop_gathers(udp->loop) || buf_put(&out->bytes, data, n)) {
		out->bytes.err = 0;
		int err = udp_send(udp, to, data, n);
		if (err)
			tell_unsent(udp, to, err);
		return err;
	}
	out->to[out->n] = *to;
	out->len[out->n++] = n;
	loop_later(udp->loop, &udp->flush, flush, udp);
	return 0;
}
