/* SPDX-License-Identifier: Apache-2.0 */
/* tls_filter.h  TLS as a filter of a connection (net/conn.h). The handshake's work runs in the crypto pool, and the filter is BUSY
 * meanwhile: bytes wait, the connection lives at least until the worker is back. What follows runs on the loop. established() reaches the
 * user when our side of the handshake is done. A handshake that takes longer than its limit ends the connection with CONN_TIMEOUT
 * and the fact "stalled". All functions: loop thread.                                                                     */
#ifndef TRUST_TLS_FILTER_H
#define TRUST_TLS_FILTER_H
#include "net/conn.h"
#include "net/pool.h"
#include "trust/tls.h"

enum { TLS_HANDSHAKE_MS = 10000 };

struct tls_filter_prm {
	struct tls_prm tls;
	struct loop *loop;
	struct pool *crypto;  /* NULL: on the loop (tests) */
	uint32_t handshake_ms; /* 0 = TLS_HANDSHAKE_MS */
};
/* Makes the filter to hand to conn_connect() or conn_adopt(), whose it is from then on. What prm points to is copied or referenced.
 * 0, ENOMEM, ENOKEY, EINVAL. */
int tls_filter_make(struct conn_filter *out, const struct tls_filter_prm *prm);

/* The engine of a connection with TLS on it; NULL without, and while a worker has it. */
struct tls *tls_of_conn(const struct conn *c);
/* The facts of a connection with TLS on it, at any time from its creation until its last reference is gone, closed() included; of a
 * handshake in a worker those known when it was handed over. False without TLS. */
bool tls_conn_facts(const struct conn *c, struct trust_facts *out);
/* Writes facts that are not of TLS (facts_sip_answer() and others) into the connection's own; NULL without TLS or while a worker has it. */
struct trust_facts *tls_conn_own_facts(const struct conn *c);

/* For closed(), with or without TLS: what `end` says about connecting and about the end. */
void facts_conn_end(struct trust_facts *f, const struct conn_end *end);

#endif
