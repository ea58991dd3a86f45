/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_private.h"

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	max_align_t bytes[];
};

void *arena_alloc(struct arena *a, size_t n)
{
	enum { BLOCK = 16 << 10 };
	n = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	struct arena_block *b = a->first;
	if (a->failed)
		return NULL;
	if (!b || b->size - b->used < n) {
		size_t size = n > BLOCK ? n : BLOCK;
		b = mem_zalloc(1, sizeof *b + size);
		if (!b) {
			a->failed = true;
			return NULL;
		}
		b->size = size;
		b->next = a->first;
		a->first = b;
	}
	void *p = (char *)b->bytes + b->used;
	b->used += n;
	return p;
}

char *arena_text(struct arena *a, struct text t)
{
	char *s = arena_alloc(a, t.n + 1);
	if (s && t.n)
		memcpy(s, t.p, t.n);
	return s;
}

void arena_free(struct arena *a)
{
	for (struct arena_block *b = a->first, *next; b; b = next) {
		next = b->next;
		mem_free(b);
	}
	a->first = NULL;
}
