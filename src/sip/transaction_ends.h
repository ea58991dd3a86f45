/* SPDX-License-Identifier: Apache-2.0 */
/* transaction_ends.h  How the table ends what it holds. */
#ifndef SIP_TRANSACTION_ENDS_H
#define SIP_TRANSACTION_ENDS_H
#include "base/list.h"
#include "sip/transaction.h"

void sip_stx_end_all(struct sip_txns *txns);
struct sip_ctx *sip_ctx_of_link(struct link *l);

#endif
