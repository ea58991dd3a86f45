/* SPDX-License-Identifier: Apache-2.0 */
/* tmr_private.h  The wheel as the loop drives it. */
#ifndef NET_TMR_PRIVATE_H
#define NET_TMR_PRIVATE_H
#include "net/tmr.h"

enum { WHEEL_BITS = 8, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 4 };

struct wheel {
	struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
	uint64_t punctual[WHEEL_SLOTS / 64]; /* slots of level 0 that a timer that is no lax one was put into; it may be gone again */
	struct list soon; /* due before the next turn */
	int64_t now_ms; /* all that was due up to here has fired */
	unsigned count;
};

void wheel_init(struct wheel *w, int64_t now_ms);
void wheel_add(struct wheel *w, struct tmr *t);
/* Fires what is due by now_ms, in order of time, then what is due soon. Returns how many. */
unsigned wheel_advance(struct wheel *w, int64_t now_ms);
/* A lower bound of the time until the next one is due, or until a lax one should have its turn; -1 with none. */
int64_t wheel_next_ms(struct wheel *w, int64_t now_ms);
struct wheel *loop_wheel(struct loop *loop);

#endif
