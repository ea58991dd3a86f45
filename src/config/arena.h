/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h  Memory for many small things that live and die together: a configuration, a view of all users. Zero it before use. One thread. */
#ifndef CONFIG_ARENA_H
#define CONFIG_ARENA_H
#include <stdbool.h>
#include <stddef.h>
#include "base/text.h"

struct arena {
	struct arena_block *first;
	bool failed; /* no memory; sticks, so that a run of calls is checked once */
};

void *arena_alloc(struct arena *a, size_t n); /* zeroed; NULL and `failed` without memory */
char *arena_text(struct arena *a, struct text t); /* a copy with NUL */
void arena_free(struct arena *a);

#endif
