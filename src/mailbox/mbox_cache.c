/* SPDX-License-Identifier: Apache-2.0 */
/* mbox_cache.c  Audio that was fetched lately, in memory, so that who listens to a message again does not fetch it again. Whether he may, and
 * whether it is still the same (db_blob_mark), the store says each time. Bounded in bytes; the one not heard for longest goes first.
 * Used in store threads, under a mutex of its own. */
#include <errno.h>
#include <pthread.h>
#include "base/mem.h"
#include "mailbox/mbox_private.h"

struct kept {
	struct link link; /* the last one heard comes first */
	char mark[DB_BLOB_MARK_SIZE];
	size_t n;
	uint8_t p[];
};

struct mbox_cache {
	pthread_mutex_t lock;
	struct list list;
	size_t bytes, bytes_max;
	uint64_t hits;
};

int mbox_cache_create(struct mbox_cache **cp, size_t bytes_max)
{
	struct mbox_cache *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return ENOMEM;
	pthread_mutex_init(&c->lock, NULL);
	list_init(&c->list);
	c->bytes_max = bytes_max;
	*cp = c;
	return 0;
}

static void drop(struct mbox_cache *c, struct kept *k)
{
	list_remove(&k->link);
	c->bytes -= k->n;
	mem_free(k);
}

void mbox_cache_destroy(struct mbox_cache *c)
{
	if (!c)
		return;
	LIST_FOREACH (&c->list, it)
		drop(c, LIST_ENTRY(it, struct kept, link));
	pthread_mutex_destroy(&c->lock);
	mem_free(c);
}

static struct kept *find(struct mbox_cache *c, const char *mark)
{
	LIST_FOREACH (&c->list, it)
		if (strcmp(LIST_ENTRY(it, struct kept, link)->mark, mark) == 0)
			return LIST_ENTRY(it, struct kept, link);
	return NULL;
}

bool mbox_cache_get(struct mbox_cache *c, const char *mark, struct buf *out)
{
	pthread_mutex_lock(&c->lock);
	struct kept *k = *mark ? find(c, mark) : NULL;
	bool hit = k && buf_put(out, k->p, k->n) == 0;
	if (hit) {
		list_remove(&k->link);
		list_prepend(&c->list, &k->link);
		c->hits++;
	}
	pthread_mutex_unlock(&c->lock);
	return hit;
}

void mbox_cache_put(struct mbox_cache *c, const char *mark, const uint8_t *p, size_t n)
{
	if (!*mark || !n || n > c->bytes_max / 4) /* a single long one must not drive out all others */
		return;
	struct kept *k = mem_alloc(sizeof *k + n);
	if (!k)
		return;
	k->link = (struct link){ 0 };
	k->n = n;
	text_fill(k->mark, sizeof k->mark, mark);
	memcpy(k->p, p, n);
	pthread_mutex_lock(&c->lock);
	if (find(c, mark)) {
		mem_free(k);
	} else {
		list_prepend(&c->list, &k->link);
		for (c->bytes += n; c->bytes > c->bytes_max;)
			drop(c, LIST_ENTRY(c->list.head.prev, struct kept, link));
	}
	pthread_mutex_unlock(&c->lock);
}

uint64_t mbox_cache_hits(struct mbox_cache *c)
{
	pthread_mutex_lock(&c->lock);
	uint64_t n = c->hits;
	pthread_mutex_unlock(&c->lock);
	return n;
}
