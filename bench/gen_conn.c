/* SPDX-License-Identifier: Apache-2.0 */
/* gen_conn.c  How the generator's messages travel: one UDP socket, one TLS connection for all calls, or one for each. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "gen.h"

enum { ROOM = 65536, EVENTS = 256, STORM_LONGEST_US = 10000000 };

static int ep = -1;
static SSL_CTX *ctx;
static struct gen_conn *shared;
struct gen_storm gen_storm;

struct storm_conn { /* begins as a connection does: epoll hands out either */
	struct gen_conn conn;
	int64_t begun_us;
};

static void tls_prepare(void)
{
	ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, gen_opt.cert) != 1 || SSL_CTX_use_PrivateKey_file(ctx, gen_opt.key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_locations(ctx, gen_opt.ca, NULL) != 1)
		gen_die("certificates");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

void gen_conns_prepare(void)
{
	ep = epoll_create1(EPOLL_CLOEXEC);
	if (ep < 0)
		gen_die("epoll");
	if (gen_opt.tls)
		tls_prepare();
}

static int open_socket(struct gen_conn *c)
{
	bool tls = gen_opt.tls;
	int room = 1 << 22, on = 1;
	socklen_t len = sizeof c->local;
	c->fd = socket(AF_INET, (tls ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return errno;
	if (tls)
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	else
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	if (connect(c->fd, (struct sockaddr *)&gen_opt.target, sizeof gen_opt.target) && errno != EINPROGRESS)
		return errno;
	if (getsockname(c->fd, (struct sockaddr *)&c->local, &len))
		return errno;
	if (tls) {
		c->ssl = SSL_new(ctx);
		if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1)
			return ENOMEM;
		SSL_set_connect_state(c->ssl);
	}
	c->ready = !tls;
	struct epoll_event e = { .events = EPOLLIN | (tls ? EPOLLOUT : 0), .data.ptr = c };
	return epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e) ? errno : 0;
}

static void close_conn(struct gen_conn *c)
{
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	free(c->in);
	free(c->out);
	free(c);
}

struct gen_conn *gen_conn_get(void)
{
	if (gen_opt.reuse == GEN_ONE && shared && !shared->broken) {
		shared->users++;
		return shared;
	}
	struct gen_conn *c = calloc(1, sizeof *c);
	if (!c || !(c->in = malloc(ROOM)) || !(c->out = malloc(ROOM)))
		gen_die("memory");
	int err = open_socket(c);
	if (err) {
		errno = err;
		if (gen_opt.reuse == GEN_ONE)
			gen_die("connect");
		close_conn(c);
		return NULL;
	}
	c->users = 1;
	if (gen_opt.reuse == GEN_ONE) {
		shared = c;
		c->users++; /* of its own: it stays */
	}
	return c;
}

/* Freed at the end of a turn: events of it may still be in hand. */
static struct gen_conn *done[EVENTS * 4];
static unsigned n_done;

void gen_conn_put(struct gen_conn *c)
{
	if (!c || --c->users)
		return;
	c->broken = true;
	if (n_done == sizeof done / sizeof done[0])
		close_conn(c); /* nobody has that many in one turn */
	else
		done[n_done++] = c;
}

static void watch(struct gen_conn *c)
{
	struct epoll_event e = { .events = EPOLLIN | (c->out_n || !c->ready ? EPOLLOUT : 0), .data.ptr = c };
	epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}

static void flush(struct gen_conn *c)
{
	while (c->out_n) {
		int w = SSL_write(c->ssl, c->out, (int)c->out_n);
		if (w <= 0) {
			int e = SSL_get_error(c->ssl, w);
			c->broken |= e != SSL_ERROR_WANT_WRITE && e != SSL_ERROR_WANT_READ;
			break;
		}
		c->out_n -= (size_t)w;
		memmove(c->out, c->out + w, c->out_n);
	}
}

void gen_conn_send(struct gen_conn *c, const char *msg, size_t n)
{
	if (!c || c->broken)
		return;
	if (!c->ssl) {
		if (send(c->fd, msg, n, 0) < 0 && errno != ECONNREFUSED && errno != EAGAIN)
			gen_die("send");
		return;
	}
	if (n > ROOM - c->out_n) {
		c->broken = true; /* the other side reads nothing any more */
		return;
	}
	memcpy(c->out + c->out_n, msg, n);
	c->out_n += n;
	if (c->ready) {
		flush(c);
		if (c->out_n)
			watch(c);
	}
}

/* ---- what arrives ---- */
static void whole_messages(struct gen_conn *c)
{
	c->in[c->in_n] = '\0';
	for (char *end; !c->broken && (end = strstr(c->in, "\r\n\r\n")) != NULL;) {
		const char *len = strcasestr(c->in, "\r\nContent-Length:");
		size_t whole = (size_t)(end - c->in) + 4 + (len && len < end ? (size_t)atoi(len + 17) : 0);
		if (whole > c->in_n)
			break;
		char keep = c->in[whole];
		c->in[whole] = '\0';
		gen_incoming(c, c->in);
		c->in[whole] = keep;
		memmove(c->in, c->in + whole, c->in_n - whole + 1);
		c->in_n -= whole;
	}
}

static void read_tls(struct gen_conn *c)
{
	while (!c->broken) {
		int n = SSL_read(c->ssl, c->in + c->in_n, (int)(ROOM - 1 - c->in_n));
		if (n <= 0) {
			int e = SSL_get_error(c->ssl, n);
			c->broken |= e != SSL_ERROR_WANT_WRITE && e != SSL_ERROR_WANT_READ;
			return;
		}
		c->in_n += (size_t)n;
		whole_messages(c);
	}
}

static void read_udp(struct gen_conn *c)
{
	for (ssize_t n; (n = recv(c->fd, c->in, ROOM - 1, MSG_DONTWAIT)) > 0;) {
		c->in[n] = '\0';
		gen_incoming(c, c->in);
	}
}

static void storm_over(struct gen_conn *c, bool good)
{
	struct storm_conn *s = (struct storm_conn *)c;
	int64_t us = gen_now_us() - s->begun_us;
	gen_storm.made += good;
	gen_storm.failed += !good;
	if (good && us > gen_storm.longest_us)
		gen_storm.longest_us = us;
	c->broken = true;
	gen_conn_put(c);
}

/* Goes on with a handshake; false: not yet, or never. */
static bool shake(struct gen_conn *c)
{
	int r = SSL_do_handshake(c->ssl), e = r == 1 ? 0 : SSL_get_error(c->ssl, r);
	if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
		struct epoll_event ev = { .events = e == SSL_ERROR_WANT_WRITE ? EPOLLOUT : EPOLLIN, .data.ptr = c };
		epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev);
		return false;
	}
	if (gen_opt.mode == GEN_STORM)
		storm_over(c, !e);
	else if (e)
		c->broken = true;
	else
		c->ready = true;
	return c->ready;
}

static void serve(struct gen_conn *c, uint32_t events)
{
	if (c->broken)
		return;
	if (!c->ssl) {
		read_udp(c);
		return;
	}
	if (!c->ready) {
		if (!shake(c))
			return;
		gen_call_connected(c);
		flush(c);
		watch(c);
	}
	if (events & EPOLLOUT) {
		flush(c);
		watch(c);
	}
	read_tls(c);
}

void gen_conns_serve(int64_t wait_us)
{
	struct epoll_event ev[EVENTS];
	struct timespec ts = { wait_us / 1000000, wait_us % 1000000 * 1000 };
	int n = epoll_pwait2(ep, ev, EVENTS, wait_us > 0 ? &ts : &(struct timespec){ 0 }, NULL);
	for (int i = 0; i < n; i++)
		serve(ev[i].data.ptr, ev[i].events);
	while (n_done)
		close_conn(done[--n_done]);
}

void gen_storm_one(void)
{
	struct storm_conn *s = calloc(1, sizeof *s);
	if (!s)
		gen_die("memory");
	s->begun_us = gen_now_us();
	s->conn.users = 1;
	gen_storm.begun++;
	if (open_socket(&s->conn))
		storm_over(&s->conn, false);
}
