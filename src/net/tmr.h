/* SPDX-License-Identifier: Apache-2.0 */
/* tmr.h  Timers on the loop's clock: a wheel of four levels with a grain of one millisecond, so that starting and stopping cost the
 * same with ten timers or a hundred thousand. A timer lives in its owner; zero before use. Loop thread only.            */
#ifndef NET_TMR_H
#define NET_TMR_H
#include "net/loop.h"

typedef void (tmr_h)(void *arg);

struct tmr {
	struct link link;
	struct loop *loop;
	uint64_t due_ms : 63; /* on the monotonic clock */
	uint64_t lax : 1;
	tmr_h *h;
	void *arg;
};
enum { TMR_LAX_MS = 256 };

/* Starts anew if it is running. It fires once, not before `ms` have passed. The handler may start it again or free its owner. */
void tmr_start(struct loop *loop, struct tmr *t, int64_t ms, tmr_h *h, void *arg);
/* The same for what only tidies up: it wakes nobody, but fires with whatever happens next when it is due, at most TMR_LAX_MS late. */
void tmr_start_lax(struct loop *loop, struct tmr *t, int64_t ms, tmr_h *h, void *arg);
/* At the end of this turn of the loop: for what must not run within the handler that asks for it. */
void tmr_start_soon(struct loop *loop, struct tmr *t, tmr_h *h, void *arg);
void tmr_cancel(struct tmr *t); /* nothing when it is not running */
bool tmr_active(const struct tmr *t);
int64_t tmr_left_ms(const struct tmr *t); /* 0 when due or not running */

#endif
