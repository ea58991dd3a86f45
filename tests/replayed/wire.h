/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h  The sockets of one scripted peer: a datagram socket, or connections (plain or TLS with a certificate of its own) that it opens to
 * Umbel or takes from it. Hands out whole messages. Nothing of Umbel's own network code is used here. */
#ifndef TESTS_REPLAYED_WIRE_H
#define TESTS_REPLAYED_WIRE_H
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <openssl/ssl.h>
#include "net/dns.h"

struct wire;
/* A whole message, borrowed, with a NUL behind it. `conn`: where an answer goes. */
typedef void (wire_heard_h)(const char *p, size_t n, int conn, void *arg);

/* Bound to `host` (any port); ctx for TLS: borrowed, shows our certificate either way. Its descriptors are added to epoll_fd with `owner`. */
struct wire *wire_open(const char *host, enum net_transport transport, SSL_CTX *ctx, int epoll_fd, void *owner);
void wire_free(struct wire *w);
unsigned wire_port(const struct wire *w);
void wire_to(struct wire *w, const struct sockaddr_in *umbel);
/* Hands out what has come. How many messages. */
unsigned wire_poll(struct wire *w, wire_heard_h *h, void *arg);
enum { WIRE_OURS = -1 }; /* on a connection of ours; one is opened if there is none */
void wire_send(struct wire *w, int conn, const char *p, size_t n);
/* Closes all connections; the next message opens another one. Of a datagram socket: sends from another port from now on. */
void wire_cut(struct wire *w);

#endif
