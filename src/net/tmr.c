/* SPDX-License-Identifier: Apache-2.0 */
/* tmr.c  A hierarchical timer wheel (Varghese and Lauck 1987): level 0 holds the next 256 ms in slots of 1 ms, level 1 the next 65 s in slots
 * of 256 ms, and so on; a slot of a higher level is spread over the lower ones when time reaches it.                     */
#include "net/tmr.h"
#include "net/tmr_private.h"

void wheel_init(struct wheel *w, int64_t now_ms)
{
	w->now_ms = now_ms;
	w->count = 0;
	for (int l = 0; l < WHEEL_LEVELS; l++)
		for (int s = 0; s < WHEEL_SLOTS; s++)
			list_init(&w->slot[l][s]);
}

static void place(struct wheel *w, struct tmr *t)
{
	int64_t due = t->due_ms > w->now_ms ? t->due_ms : w->now_ms + 1;
	const int64_t farthest = ((int64_t)1 << (WHEEL_BITS * WHEEL_LEVELS)) - 1;
	if (due - w->now_ms > farthest)
		due = w->now_ms + farthest; /* it is placed again from there */
	int level = 0;
	while (level < WHEEL_LEVELS - 1 && (due >> (WHEEL_BITS * level)) - (w->now_ms >> (WHEEL_BITS * level)) >= WHEEL_SLOTS)
		level++;
	list_append(&w->slot[level][(due >> (WHEEL_BITS * level)) & (WHEEL_SLOTS - 1)], &t->link);
}

void wheel_add(struct wheel *w, struct tmr *t)
{
	place(w, t);
	w->count++;
}

static void spread(struct wheel *w, int level)
{
	int at = (int)((w->now_ms >> (WHEEL_BITS * level)) & (WHEEL_SLOTS - 1));
	struct list due = LIST_INIT(due);
	for (struct link *e; (e = list_pop(&w->slot[level][at])) != NULL;)
		list_append(&due, e);
	if (at == 0 && level + 1 < WHEEL_LEVELS)
		spread(w, level + 1);
	for (struct link *e; (e = list_pop(&due)) != NULL;) {
		struct tmr *t = LIST_ENTRY(e, struct tmr, link);
		if (t->due_ms <= w->now_ms) /* due in this very millisecond: its slot is the current one */
			list_append(&w->slot[0][w->now_ms & (WHEEL_SLOTS - 1)], e);
		else
			place(w, t);
	}
}

unsigned wheel_advance(struct wheel *w, int64_t now_ms)
{
	unsigned fired = 0;
	while (w->now_ms < now_ms) {
		if (!w->count) {
			w->now_ms = now_ms;
			break;
		}
		w->now_ms++;
		if ((w->now_ms & (WHEEL_SLOTS - 1)) == 0)
			spread(w, 1);
		/* What a handler starts lands at now + 1 or later, so this slot empties. */
		struct list *slot = &w->slot[0][w->now_ms & (WHEEL_SLOTS - 1)];
		for (struct link *e; (e = list_pop(slot)) != NULL;) {
			struct tmr *t = LIST_ENTRY(e, struct tmr, link);
			w->count--;
			t->loop = NULL;
			t->h(t->arg);
			fired++;
		}
	}
	return fired;
}

int64_t wheel_next_ms(const struct wheel *w, int64_t now_ms)
{
	if (!w->count)
		return -1;
	for (int64_t ms = w->now_ms + 1; ms <= w->now_ms + WHEEL_SLOTS; ms++) {
		/* the next spreading of a higher level may bring something due at once */
		if ((ms & (WHEEL_SLOTS - 1)) == 0 || !list_empty(&w->slot[0][ms & (WHEEL_SLOTS - 1)]))
			return ms > now_ms ? ms - now_ms : 0;
	}
	return WHEEL_SLOTS;
}

void tmr_start(struct loop *loop, struct tmr *t, int64_t ms, tmr_h *h, void *arg)
{
	tmr_cancel(t);
	t->loop = loop;
	t->due_ms = (clock_mono_us(loop_clock(loop)) + (ms > 0 ? ms : 0) * 1000 + 999) / 1000; /* never early: the current millisecond may be partly over */
	t->h = h;
	t->arg = arg;
	wheel_add(loop_wheel(loop), t);
}

void tmr_cancel(struct tmr *t)
{
	if (!t->loop)
		return;
	list_remove(&t->link);
	loop_wheel(t->loop)->count--;
	t->loop = NULL;
}

bool tmr_active(const struct tmr *t)
{
	return t->loop != NULL;
}

int64_t tmr_left_ms(const struct tmr *t)
{
	int64_t left = t->loop ? t->due_ms - clock_mono_ms(loop_clock(t->loop)) : 0;
	return left > 0 ? left : 0;
}
