/* SPDX-License-Identifier: Apache-2.0 */
/* ring.h  A bounded queue of values between exactly two threads, without locks: one puts, one takes. */
#ifndef MEDIA_RING_H
#define MEDIA_RING_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct ring {
	unsigned char *slots;
	size_t size;              /* of a value */
	unsigned mask;            /* number of slots - 1; a power of two */
	char apart[64];           /* the two ends on cache lines of their own */
	atomic_uint head;         /* next to take */
	char apart_too[64];
	atomic_uint tail;         /* next to put */
};

/* `slots` a power of two. ENOMEM. */
int ring_init(struct ring *r, size_t value_size, unsigned slots);
void ring_free(struct ring *r);
/* False when full. */
bool ring_put(struct ring *r, const void *value);
/* False when empty. */
bool ring_take(struct ring *r, void *value);
/* How many more the putting thread can put at least; exact when asked by it. */
unsigned ring_room(const struct ring *r);

#endif
