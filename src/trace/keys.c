/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c  Key log lines, found by the random of the ClientHello. They come on whatever thread shakes hands; they are wiped when they go. */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "trace/trace_private.h"

static int digit(char c)
{
	c = text_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool random_of(struct text line, uint8_t random[TRACE_RANDOM])
{
	struct text label, hex, rest;
	if (!text_cut(line, ' ', &label, &rest) || !text_cut(rest, ' ', &hex, &rest) || hex.n != 2 * TRACE_RANDOM)
		return false;
	for (unsigned i = 0; i < TRACE_RANDOM; i++) {
		int high = digit(hex.p[2 * i]), low = digit(hex.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		random[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static void drop(struct trace *t, struct trace_key *k)
{
	list_remove(&k->link);
	t->n_keys--;
	mem_free_secret(k, sizeof *k + k->n);
}

void trace_keylog(const char *line, void *trace)
{
	struct trace *t = trace;
	size_t n = strlen(line);
	uint8_t random[TRACE_RANDOM];
	if (n > TRACE_KEY_LINE || !random_of(text_make(line, n), random))
		return;
	pthread_mutex_lock(&t->keys_lock);
	struct trace_key *k = t->keys_wanted ? mem_alloc(sizeof *k + n + 1) : NULL;
	if (k) {
		*k = (struct trace_key){ .n = n + 1 };
		memcpy(k->random, random, sizeof random);
		memcpy(k->line, line, n);
		k->line[n] = '\n';
		list_append(&t->keys, &k->link);
		if (++t->n_keys > TRACE_KEYS_MAX)
			drop(t, LIST_ENTRY(list_first(&t->keys), struct trace_key, link));
	}
	pthread_mutex_unlock(&t->keys_lock);
}

void trace_keys_want(struct trace *t, bool on)
{
	pthread_mutex_lock(&t->keys_lock);
	t->keys_wanted = on;
	pthread_mutex_unlock(&t->keys_lock);
}

void trace_keys_clear(struct trace *t)
{
	struct link *l;
	pthread_mutex_lock(&t->keys_lock);
	t->keys_wanted = false;
	while ((l = list_first(&t->keys)) != NULL)
		drop(t, LIST_ENTRY(l, struct trace_key, link));
	pthread_mutex_unlock(&t->keys_lock);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, TRACE_RANDOM);
}

void trace_keys_sort(trace_random *randoms, size_t n)
{
	qsort(randoms, n, sizeof *randoms, by_bytes);
}

unsigned trace_keys_of(struct trace *t, trace_random *randoms, size_t n, struct buf *out)
{
	unsigned found = 0;
	pthread_mutex_lock(&t->keys_lock);
	LIST_FOREACH (&t->keys, it) {
		struct trace_key *k = LIST_ENTRY(it, struct trace_key, link);
		if (!n || !bsearch(k->random, randoms, n, sizeof *randoms, by_bytes))
			continue;
		buf_put(out, k->line, k->n);
		found++;
	}
	pthread_mutex_unlock(&t->keys_lock);
	return found;
}

/* Record header (5), message header (4), version (2), random (32): RFC 8446 4.1.2 and 5.1. */
bool trace_hello_random(const uint8_t *p, size_t n, uint8_t random[TRACE_RANDOM])
{
	if (n < TRACE_HELLO || p[0] != 22 || p[1] != 3 || p[5] != 1)
		return false;
	memcpy(random, p + 11, TRACE_RANDOM);
	return true;
}
