/* SPDX-License-Identifier: Apache-2.0 */
/* tls_filter.h  TLS as a filter of a connection (net/conn.h). The handshake's work runs in the crypto pool, and the connection is BUSY
 * meanwhile; what follows runs on the loop. "established" reaches the connection's owner when our side of the handshake is done.
 * A handshake that takes longer than its limit ends the connection with the fact "stalled".                                          */
#ifndef TRUST_TLS_FILTER_H
#define TRUST_TLS_FILTER_H
#include "trust/tls.h"

struct conn;
struct loop;
struct pool;

enum { TLS_HANDSHAKE_MS = 10000 };

struct tls_filter_prm {
	struct tls_prm tls;
	struct loop *loop;
	struct pool *crypto;       /* NULL: on the loop (tests) */
	uint32_t handshake_ms;     /* 0 = TLS_HANDSHAKE_MS */
};
/* Stacks TLS on a connection that is being dialled or was just accepted; from the loop thread, before its first byte. What prm points to is
 * copied or referenced. 0, ENOMEM, ENOKEY, EINVAL. */
int tls_filter_push(struct conn *c, const struct tls_filter_prm *prm);
/* The engine of a connection with TLS on it; NULL without. Not while it is in the pool (tls_filter_busy). */
struct tls *tls_of_conn(struct conn *c);
bool tls_filter_busy(struct conn *c);
/* A copy of the facts as far as they are known, in any state: with the connection's end in them once it ended. False without TLS. */
bool tls_conn_facts(struct conn *c, struct trust_facts *out);

#endif
