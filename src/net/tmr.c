/* SPDX-License-Identifier: Apache-2.0 */
/* tmr.c  A hierarchical timer wheel (Varghese and Lauck 1987): level 0 holds the next 256 ms in slots of 1 ms, level 1 the next 65 s in slots
 * of 256 ms, and so on; a slot of a higher level is spread over the lower ones when time reaches it.                     */
#include "net/tmr.h"
#include "net/tmr_private.h"

void wheel_init(struct wheel *w, int64_t now_ms)
{
	*w = (struct wheel){ .now_ms = now_ms };
	list_init(&w->soon);
	for (int l = 0; l < WHEEL_LEVELS; l++)
		for (int s = 0; s < WHEEL_SLOTS; s++)
			list_init(&w->slot[l][s]);
}

static int64_t due_of(const struct tmr *t)
{
	return (int64_t)t->due_ms;
}

static void place(struct wheel *w, struct tmr *t)
{
	int64_t due = due_of(t) > w->now_ms ? due_of(t) : w->now_ms + 1;
	const int64_t farthest = ((int64_t)1 << (WHEEL_BITS * WHEEL_LEVELS)) - 1;
	if (due - w->now_ms > farthest)
		due = w->now_ms + farthest; /* it is placed again from there */
	int level = 0;
	while (level < WHEEL_LEVELS - 1 && (due >> (WHEEL_BITS * level)) - (w->now_ms >> (WHEEL_BITS * level)) >= WHEEL_SLOTS)
		level++;
	unsigned at = (unsigned)(due >> (WHEEL_BITS * level)) & (WHEEL_SLOTS - 1);
	list_append(&w->slot[level][at], &t->link);
	if (!level && !t->lax)
		w->punctual[at / 64] |= (uint64_t)1 << at % 64;
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
		if (due_of(t) <= w->now_ms) /* due in this very millisecond: its slot is the current one */
			list_append(&w->slot[0][w->now_ms & (WHEEL_SLOTS - 1)], e);
		else
			place(w, t);
	}
}

static void fire(struct wheel *w, struct link *e)
{
	struct tmr *t = LIST_ENTRY(e, struct tmr, link);
	w->count--;
	t->loop = NULL;
	t->h(t->arg);
}

/* Not what those who run now start: that is for the next turn. */
static unsigned fire_soon(struct wheel *w)
{
	struct list now = LIST_INIT(now);
	unsigned fired = 0;
	for (struct link *e; (e = list_pop(&w->soon)) != NULL;)
		list_append(&now, e);
	for (struct link *e; (e = list_pop(&now)) != NULL; fired++)
		fire(w, e);
	return fired;
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
		unsigned at = (unsigned)w->now_ms & (WHEEL_SLOTS - 1);
		struct list *slot = &w->slot[0][at];
		w->punctual[at / 64] &= ~((uint64_t)1 << at % 64);
		for (struct link *e; (e = list_pop(slot)) != NULL; fired++)
			fire(w, e);
	}
	return fired + fire_soon(w);
}

/* The first slot from `at` on that a punctual timer waits in; WHEEL_SLOTS: none before the next spreading of a higher level. */
static unsigned punctual_from(struct wheel *w, unsigned at)
{
	for (unsigned i = at / 64; i < WHEEL_SLOTS / 64; i++) {
		uint64_t bits = i == at / 64 ? w->punctual[i] & UINT64_MAX << at % 64 : w->punctual[i];
		for (; bits; bits &= bits - 1) {
			unsigned slot = i * 64 + (unsigned)__builtin_ctzll(bits);
			if (!list_empty(&w->slot[0][slot]))
				return slot;
			w->punctual[i] &= ~(bits & -bits); /* cancelled meanwhile */
		}
	}
	return WHEEL_SLOTS;
}

int64_t wheel_next_ms(struct wheel *w, int64_t now_ms)
{
	if (!w->count)
		return -1;
	if (!list_empty(&w->soon))
		return 0;
	/* The next spreading may bring something due at once, and lax ones wait for it at the latest. */
	unsigned at = (unsigned)(w->now_ms + 1) & (WHEEL_SLOTS - 1);
	int64_t ms = w->now_ms + 1 + (at ? (int64_t)punctual_from(w, at) - (int64_t)at : 0);
	return ms > now_ms ? ms - now_ms : 0;
}

static void start(struct loop *loop, struct tmr *t, int64_t ms, bool lax, tmr_h *h, void *arg)
{
	tmr_cancel(t);
	t->loop = loop;
	t->lax = lax;
	/* never early: the current millisecond may be partly over */
	t->due_ms = (uint64_t)((clock_mono_us(loop_clock(loop)) + (ms > 0 ? ms : 0) * 1000 + 999) / 1000) & UINT64_MAX >> 1;
	t->h = h;
	t->arg = arg;
	wheel_add(loop_wheel(loop), t);
}

void tmr_start(struct loop *loop, struct tmr *t, int64_t ms, tmr_h *h, void *arg)
{
	start(loop, t, ms, false, h, arg);
}

void tmr_start_lax(struct loop *loop, struct tmr *t, int64_t ms, tmr_h *h, void *arg)
{
	start(loop, t, ms, true, h, arg);
}

void tmr_start_soon(struct loop *loop, struct tmr *t, tmr_h *h, void *arg)
{
	struct wheel *w = loop_wheel(loop);
	tmr_cancel(t);
	*t = (struct tmr){ .loop = loop, .due_ms = (uint64_t)w->now_ms & UINT64_MAX >> 1, .h = h, .arg = arg };
	list_append(&w->soon, &t->link);
	w->count++;
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
	int64_t left = t->loop ? due_of(t) - clock_mono_ms(loop_clock(t->loop)) : 0;
	return left > 0 ? left : 0;
}
