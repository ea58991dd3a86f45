/* SPDX-License-Identifier: Apache-2.0 */
/* transaction_private.h  What the two halves of the transaction machines share. */
#ifndef SIP_TRANSACTION_PRIVATE_H
#define SIP_TRANSACTION_PRIVATE_H
#include "base/hash.h"
#include "base/list.h"
#include "net/tmr.h"
#include "sip/transaction.h"

struct sip_txns {
	struct loop *loop;
	struct sip_timers t;
	unsigned max, count;
	uint64_t repeats;
	sip_txn_send_h *send;
	void *send_arg;
	struct hash *servers, *merges, *clients;
	struct list server_list, client_list;
};

/* A transaction as the figures of RFC 3261 17 draw it, for the tests that replay them: the state by its name there, and what is left of the timer that repeats
 * (A, E, G) and of the one that ends it (B, D, F, H to M); -1: it does not run. */
struct sip_txn_look {
	const char *state;
	int64_t repeat_ms, end_ms;
};
struct sip_txn_look sip_ctx_look(const struct sip_ctx *c);
struct sip_txn_look sip_stx_look(const struct sip_stx *s);

#endif
