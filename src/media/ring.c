/* SPDX-License-Identifier: Apache-2.0 */
/* ring.c  A bounded queue between two threads. */
#include "media/ring.h"
#include <assert.h>
#include <errno.h>
#include "base/mem.h"

int ring_init(struct ring *r, size_t value_size, unsigned slots)
{
	assert(slots && !(slots & (slots - 1)));
	r->slots = mem_zalloc(slots, value_size);
	if (!r->slots)
		return ENOMEM;
	r->size = value_size;
	r->mask = slots - 1;
	atomic_init(&r->head, 0);
	atomic_init(&r->tail, 0);
	return 0;
}

void ring_free(struct ring *r)
{
	mem_free(r->slots);
	r->slots = NULL;
}

bool ring_put(struct ring *r, const void *value)
{
	unsigned tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	if (tail - atomic_load_explicit(&r->head, memory_order_acquire) > r->mask)
		return false;
	memcpy(r->slots + (tail & r->mask) * r->size, value, r->size);
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return true;
}

bool ring_take(struct ring *r, void *value)
{
	unsigned head = atomic_load_explicit(&r->head, memory_order_relaxed);
	if (head == atomic_load_explicit(&r->tail, memory_order_acquire))
		return false;
	memcpy(value, r->slots + (head & r->mask) * r->size, r->size);
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return true;
}

unsigned ring_room(const struct ring *r)
{
	unsigned tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	return r->mask + 1 - (tail - atomic_load_explicit(&r->head, memory_order_acquire));
}
