/* SPDX-License-Identifier: Apache-2.0 */
/* sink_mem.c  A recording kept in memory. */
#include "media/media.h"

static struct media_sink_mem *self(struct media_sink *s)
{
	return (struct media_sink_mem *)(void *)((char *)s - offsetof(struct media_sink_mem, sink));
}

static int mem_append(struct media_sink *s, const void *p, size_t n)
{
	return buf_put(&self(s)->bytes, p, n);
}

static int mem_finish(struct media_sink *s, const struct media_rec_stats *stats)
{
	self(s)->stats = *stats;
	return 0;
}

void media_sink_mem_init(struct media_sink_mem *m, size_t max_bytes)
{
	m->sink = (struct media_sink){ .append = mem_append, .finish = mem_finish };
	buf_init(&m->bytes, max_bytes);
	m->stats = (struct media_rec_stats){ 0 };
}
