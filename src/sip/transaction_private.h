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

#endif
