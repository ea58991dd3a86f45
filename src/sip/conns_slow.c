/* SPDX-License-Identifier: Apache-2.0 */
/* conns_slow.c  A peer that asks and asks, and does not read what it is answered: it is read no further while much waits for it, so that no memory is taken
 * and no answer lost, and let go of when that lasts as long as a message may take.                                       */
#include "sip/budget.h"
#include "sip/conns.h"
#include "sip/core_private.h"

enum { MUCH_BYTES = 128 << 10 };

static void on_late(void *arg)
{
	struct sip_conn *c = arg;
	struct ev_report r;
	char peer[NET_ADDR_SIZE];
	uint64_t count;

	mem_ref(c);
	if (sip_budget_tell(c->core->budget, &c->peer, SIP_TOLD_SLOW, &count)) {
		sip_ev(c->core, &r, EV_SIP_READS_TOO_SLOWLY, NULL);
		ev_str(&r, "peer", net_addr_print(&c->peer, peer));
		ev_int(&r, "bytes", (int64_t)conn_queued(c->conn));
		ev_int(&r, "seconds", c->core->prm.timers.message_ms / 1000);
		ev_int(&r, "count", (int64_t)count);
		ev_emit(c->core->bus, &r);
	}
	sip_conn_close(c);
	mem_unref(c);
}

void sip_conn_heed_queue(struct sip_conn *c)
{
	if (c->state != SIP_CONN_OPEN || c->closing || tmr_active(&c->slow) || conn_queued(c->conn) < MUCH_BYTES)
		return;
	conn_pause(c->conn, true);
	tmr_cancel(&c->message); /* it is we who do not listen */
	tmr_start(c->core->loop, &c->slow, c->core->prm.timers.message_ms, on_late, c);
}

void sip_conn_drained(struct conn *conn, void *arg)
{
	struct sip_conn *c = arg;

	if (!tmr_active(&c->slow))
		return;
	tmr_cancel(&c->slow);
	conn_pause(conn, false);
}
