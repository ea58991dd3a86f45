/* SPDX-License-Identifier: Apache-2.0 */
/* conn.h  A byte stream with stacked filters (socket at the bottom; TLS, made in trust/, on top). Each filter knows only its neighbours:
 *
 *      user  <- recv / established / closed --  [ filter n ] ... [ filter 1 ]  <-- socket
 *      user  --  conn_send ------------------>
 *
 * A connection is reference-counted: the creator has one reference, and the library one while it is open. Handlers run on the loop. After
 * closed() nothing more is called. Any handler may close the connection and give its reference back.                   */
#ifndef NET_CONN_H
#define NET_CONN_H
#include "net/addr.h"
#include "net/loop.h"

struct conn;

/* How a connection ended, as far as the wire tells. */
enum conn_how {
	CONN_LOCAL,        /* we closed it */
	CONN_FIN,          /* the peer closed in order (end of file), without a word of a filter */
	CONN_CLOSE_NOTIFY, /* the peer said goodbye in the filter's language (TLS close_notify) */
	CONN_RST,          /* the peer reset it */
	CONN_TIMEOUT,      /* connecting, or a filter's handshake, took too long */
	CONN_ERROR,        /* err says which (ECONNREFUSED, EHOSTUNREACH, EPROTO from a filter ...) */
};

struct conn_end {
	enum conn_how how;
	int err;                  /* errno, 0 for FIN, CLOSE_NOTIFY, LOCAL */
	bool established;         /* whether established() was called before */
	int64_t since_established_ms; /* 0 unless established */
	uint64_t bytes_in, bytes_out; /* what the user got and gave */
};

struct conn_handlers {
	void (*established)(struct conn *c, void *arg); /* all filters are through: conn_send may be called */
	void (*recv)(struct conn *c, const uint8_t *data, size_t n, void *arg); /* borrowed for the call */
	void (*drained)(struct conn *c, void *arg); /* the write queue became empty; may be NULL */
	void (*closed)(struct conn *c, const struct conn_end *end, void *arg); /* last call */
};

/* What a filter is made of. It gets bytes from below by `below`, gives bytes up by conn_up(), sends down by conn_down(). A filter may keep
 * bytes back while its work is done elsewhere (a handshake on a worker). */
struct conn_filter {
	const char *name;
	void *state;
	/* The layer below is up: start. Call conn_filter_up() when through. 0 or errno (the connection then ends with ERROR). */
	int (*start)(struct conn *c, void *state);
	/* Bytes from below. 0, or errno: ends with ERROR. */
	int (*below)(struct conn *c, void *state, const uint8_t *data, size_t n);
	/* Bytes from the user. 0 or errno. */
	int (*above)(struct conn *c, void *state, const uint8_t *data, size_t n);
	/* The layer below ended; the filter may change `end` (FIN after a goodbye of its own becomes CLOSE_NOTIFY). It may also ask for a delay
	 * by returning true, and then calls conn_filter_ended() itself when its work is back. May be NULL. */
	bool (*ending)(struct conn *c, void *state, struct conn_end *end);
	/* The user closes: say goodbye if the language has one. May be NULL. */
	void (*goodbye)(struct conn *c, void *state);
	/* The connection is gone. */
	void (*destroy)(void *state);
};

/* Starts connecting (from `local`'s address if not NULL). The filter (NULL for none) belongs to the connection from here on, also when this
 * fails. timeout_ms covers connecting; filters time their handshakes by conn_filter_timeout(). Only what this node lacks (EMFILE, ENOMEM, EADDRNOTAVAIL ...) is
 * returned; what the network says, ECONNREFUSED and ENETUNREACH among it, comes to closed(). */
int conn_connect(struct conn **cp, struct loop *loop, const struct net_addr *to, const struct net_addr *local, int64_t timeout_ms,
                 const struct conn_filter *filter, const struct conn_handlers *h, void *arg);
/* Takes over a connected socket (from a listener). */
int conn_adopt(struct conn **cp, struct loop *loop, int fd, const struct net_addr *peer, const struct conn_filter *filter,
               const struct conn_handlers *h, void *arg);
/* The bytes are copied. 0; EMSGSIZE when the queue (1 MiB) is full; ENOTCONN before established and after the end. */
int conn_send(struct conn *c, const void *data, size_t n);
/* Sends what is queued and says goodbye, then closes; closed() comes with LOCAL, later, from the loop. Nothing when it ended already. */
void conn_close(struct conn *c);
/* At once, without goodbye; reset = true: the peer gets a TCP reset. closed() is NOT called. */
void conn_abort(struct conn *c, bool reset);
bool conn_is_established(const struct conn *c);
bool conn_is_open(const struct conn *c); /* neither ended nor closing */
const struct net_addr *conn_peer(const struct conn *c);
const struct net_addr *conn_local(const struct conn *c);
struct loop *conn_loop(const struct conn *c);
size_t conn_queued(const struct conn *c);
/* Stops and resumes reading, for back-pressure. */
void conn_pause(struct conn *c, bool paused);
/* The state of the filter of that name; NULL if there is none. */
void *conn_filter_state(const struct conn *c, const char *name);

/* Hears the bytes as the socket gives and takes them, below all filters. NULL takes it off. Borrowed for the call; it must not touch the
 * connection. */
typedef void (conn_tap_h)(const struct conn *c, bool in, const uint8_t *data, size_t n, void *arg);
void conn_tap(struct conn *c, conn_tap_h *tap, void *arg);

/* ---- for filters ---- */
void conn_filter_up(struct conn *c);                                  /* handshake done: established() follows */
void conn_filter_fail(struct conn *c, enum conn_how how, int err);    /* ends the connection; what was queued below is still sent */
void conn_filter_timeout(struct conn *c, int64_t ms);                 /* until conn_filter_up(); 0 stops the clock */
void conn_filter_ended(struct conn *c);                               /* after ending() had returned true */
int conn_up(struct conn *c, const uint8_t *data, size_t n);           /* bytes for the user. ECONNABORTED: he closed it meanwhile */
int conn_down(struct conn *c, const void *data, size_t n);            /* bytes for the socket */

/* ---- listening ---- */
struct listener;
/* A new connection: adopt or close fd. */
typedef void (listener_h)(struct listener *l, int fd, const struct net_addr *peer, void *arg);
int listener_create(struct listener **lp, struct loop *loop, const struct net_addr *local, int backlog, listener_h *h, void *arg);
void listener_destroy(struct listener *l);
const struct net_addr *listener_local(const struct listener *l);

#endif
