/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c  See wire.h. */
#include "replayed/wire.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/err.h>
#include "base/mem.h"
#include "support/ut.h"

enum { CONNS = 8, ROOM = 70000 };
struct conn {
	int fd; /* -1: free */
	bool ours, connecting;
	SSL *ssl;
	bool secured;
	char in[ROOM];
	size_t n;
	char out[16384]; /* said before the handshake was done */
	size_t n_out;
};
struct wire {
	enum net_transport transport;
	SSL_CTX *ctx;
	int epoll_fd, fd; /* datagrams, or the listener */
	void *owner;
	struct sockaddr_in own, umbel;
	struct conn *conn[CONNS];
};

static void watch(struct wire *w, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = w->owner };
	assert_int_equal(epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &ev), 0);
}

static int socket_at(const struct wire *w, int type, struct sockaddr_in *at)
{
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_addr = w->own.sin_addr };
	socklen_t n = sizeof(*at);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&me, sizeof(me)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &n), 0);
	return fd;
}

struct wire *wire_open(const char *host, enum net_transport transport, SSL_CTX *ctx, int epoll_fd, void *owner)
{
	struct wire *w = mem_zalloc(1, sizeof(*w));
	assert_non_null(w);
	*w = (struct wire){ .transport = transport, .ctx = ctx, .epoll_fd = epoll_fd, .owner = owner };
	assert_int_equal(inet_pton(AF_INET, host, &w->own.sin_addr), 1);
	w->fd = socket_at(w, transport == NET_UDP ? SOCK_DGRAM : SOCK_STREAM, &w->own);
	if (transport != NET_UDP)
		assert_int_equal(listen(w->fd, CONNS), 0);
	watch(w, w->fd);
	return w;
}

static void drop(struct wire *w, unsigned i)
{
	struct conn *c = w->conn[i];
	if (!c)
		return;
	if (c->ssl) {
		if (c->secured)
			(void)SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	ERR_clear_error();
	close(c->fd);
	mem_free(c);
	w->conn[i] = NULL;
}

void wire_cut(struct wire *w)
{
	for (unsigned i = 0; i < CONNS; i++)
		drop(w, i);
	if (w->transport != NET_UDP)
		return;
	close(w->fd);
	w->fd = socket_at(w, SOCK_DGRAM, &w->own);
	watch(w, w->fd);
}

void wire_free(struct wire *w)
{
	for (unsigned i = 0; i < CONNS; i++)
		drop(w, i);
	close(w->fd);
	mem_free(w);
}

unsigned wire_port(const struct wire *w)
{
	return ntohs(w->own.sin_port);
}

void wire_to(struct wire *w, const struct sockaddr_in *umbel)
{
	w->umbel = *umbel;
}

static int add(struct wire *w, int fd, bool ours)
{
	for (unsigned i = 0; i < CONNS; i++) {
		if (w->conn[i])
			continue;
		struct conn *c = w->conn[i] = mem_zalloc(1, sizeof(*c));
		assert_non_null(c);
		c->fd = fd;
		c->ours = ours;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
		if (w->transport == NET_TLS) {
			c->ssl = SSL_new(w->ctx);
			assert_non_null(c->ssl);
			SSL_set_fd(c->ssl, fd);
			if (ours)
				SSL_set_connect_state(c->ssl);
			else
				SSL_set_accept_state(c->ssl);
		}
		watch(w, fd);
		return (int)i;
	}
	close(fd);
	return -1;
}

static int dial(struct wire *w)
{
	struct sockaddr_in at;
	int fd = socket_at(w, SOCK_STREAM, &at);
	if (connect(fd, (struct sockaddr *)&w->umbel, sizeof(w->umbel)) != 0 && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return add(w, fd, true);
}

static bool flush(struct conn *c)
{
	if (c->ssl && !c->secured) {
		int r = SSL_do_handshake(c->ssl);
		if (r != 1) {
			int e = SSL_get_error(c->ssl, r);
			ERR_clear_error();
			return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
		}
		c->secured = true;
	}
	if (!c->n_out)
		return true;
	ssize_t n = c->ssl ? SSL_write(c->ssl, c->out, (int)c->n_out) : send(c->fd, c->out, c->n_out, MSG_NOSIGNAL);
	ERR_clear_error();
	if (n <= 0)
		return c->ssl ? false : errno == EAGAIN || errno == ENOTCONN || errno == EINPROGRESS;
	memmove(c->out, c->out + n, c->n_out - (size_t)n);
	c->n_out -= (size_t)n;
	return true;
}

void wire_send(struct wire *w, int conn, const char *p, size_t n)
{
	if (w->transport == NET_UDP) {
		(void)sendto(w->fd, p, n, MSG_NOSIGNAL, (struct sockaddr *)&w->umbel, sizeof(w->umbel));
		return;
	}
	if (conn < 0 || conn >= CONNS || !w->conn[conn]) {
		conn = WIRE_OURS;
		for (int i = 0; i < CONNS && conn < 0; i++)
			if (w->conn[i] && w->conn[i]->ours)
				conn = i;
	}
	if (conn < 0)
		conn = dial(w);
	struct conn *c = conn < 0 ? NULL : w->conn[conn];
	if (!c || c->n_out + n > sizeof(c->out))
		return;
	memcpy(c->out + c->n_out, p, n);
	c->n_out += n;
	if (!flush(c))
		drop(w, (unsigned)conn);
}

/* Length of the first message in a stream, 0: not whole yet. Blank lines before it are keep-alives and skipped. */
static size_t first_message(struct conn *c)
{
	size_t blank = 0;
	while (blank < c->n && (c->in[blank] == '\r' || c->in[blank] == '\n'))
		blank++;
	memmove(c->in, c->in + blank, c->n - blank);
	c->n -= blank;
	c->in[c->n] = '\0';
	char *end = memmem(c->in, c->n, "\r\n\r\n", 4), *length = strcasestr(c->in, "\r\nContent-Length:");
	if (!end)
		return 0;
	if (!length || length > end)
		fail_msg("a message without Content-Length on a stream:\n%s", c->in);
	size_t n = (size_t)(end + 4 - c->in) + strtoul(length + 17, NULL, 10);
	return n <= c->n ? n : 0;
}

static unsigned deliver(struct conn *c, int conn, wire_heard_h *h, void *arg)
{
	unsigned told = 0;
	for (size_t n; (n = first_message(c)); told++) {
		char keep = c->in[n];
		c->in[n] = '\0';
		h(c->in, n, conn, arg);
		c->in[n] = keep;
		memmove(c->in, c->in + n, c->n - n);
		c->n -= n;
	}
	return told;
}

/* false: it is over. */
static bool read_some(struct conn *c)
{
	for (;;) {
		size_t room = sizeof(c->in) - 1 - c->n;
		ssize_t n = c->ssl ? SSL_read(c->ssl, c->in + c->n, (int)room) : recv(c->fd, c->in + c->n, room, 0);
		if (n > 0) {
			c->n += (size_t)n;
			continue;
		}
		bool again = c->ssl ? SSL_get_error(c->ssl, (int)n) == SSL_ERROR_WANT_READ : n < 0 && (errno == EAGAIN || errno == ENOTCONN);
		ERR_clear_error();
		return again;
	}
}

static unsigned poll_streams(struct wire *w, wire_heard_h *h, void *arg)
{
	unsigned told = 0;
	for (int fd; (fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;)
		(void)add(w, fd, false);
	for (unsigned i = 0; i < CONNS; i++) {
		struct conn *c = w->conn[i];
		if (!c)
			continue;
		bool lives = flush(c);
		if (lives && (!c->ssl || c->secured))
			lives = read_some(c);
		told += deliver(c, (int)i, h, arg);
		if (!lives && w->conn[i] == c)
			drop(w, i);
	}
	return told;
}

unsigned wire_poll(struct wire *w, wire_heard_h *h, void *arg)
{
	static char in[ROOM];
	unsigned told = 0;
	if (w->transport != NET_UDP)
		return poll_streams(w, h, arg);
	for (ssize_t n; (n = recv(w->fd, in, sizeof(in) - 1, 0)) > 0; told++) {
		in[n] = '\0';
		h(in, (size_t)n, WIRE_OURS, arg);
	}
	return told;
}
