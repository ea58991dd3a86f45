/* SPDX-License-Identifier: Apache-2.0 */
/* ring.c  The youngest of what was said, up to a number of bytes. A connection of which something had to go is marked: TLS without its beginning
 * can be read by nobody.                                                                                                */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "trace/trace_private.h"

static void conn_free(struct trace_conn *c)
{
	hash_remove(&c->by_id);
	mem_free(c);
}

static void drop(struct trace *t, struct trace_entry *e)
{
	struct trace_conn *c = e->conn;
	list_remove(&e->link);
	t->bytes -= sizeof *e + e->n;
	t->n_entries--;
	t->n_messages -= e->kind == TRACE_MESSAGE;
	if (c) {
		c->lost = true;
		if (--c->entries == 0 && c->ended)
			conn_free(c);
	}
	mem_unref(e);
}

static void wipe(void *entry)
{
	struct trace_entry *e = entry;
	mem_wipe(e, sizeof *e + e->n);
}

struct trace_entry *trace_ring_add(struct trace *t, enum trace_kind kind, struct trace_conn *c, const void *data, size_t n)
{
	size_t size = sizeof(struct trace_entry) + n;
	struct trace_entry *e = size <= t->want.limit_bytes ? mem_object(size, wipe) : NULL;
	if (!e) {
		if (c)
			c->lost = true;
		return NULL;
	}
	e->kind = kind;
	e->conn = c;
	e->us = clock_real_us(t->clock);
	e->n = n;
	if (n)
		memcpy(e->data, data, n);
	list_append(&t->ring, &e->link);
	t->bytes += size;
	t->n_entries++;
	t->n_messages += kind == TRACE_MESSAGE;
	if (c)
		c->entries++;
	while (t->bytes > t->want.limit_bytes) {
		drop(t, LIST_ENTRY(list_first(&t->ring), struct trace_entry, link));
		t->evicted++;
	}
	return e;
}

struct trace_conn *trace_ring_conn(struct trace *t, const struct sip_wire_conn *w, bool make)
{
	char id[24];
	text_print(id, sizeof id, "%llu", (unsigned long long)w->id);
	struct hash_entry *e = hash_find(t->conns, text_of(id));
	struct trace_conn *c = e ? HASH_MEMBER(e, struct trace_conn, by_id) : NULL;
	if (!c && make && (c = mem_zalloc(1, sizeof *c)) != NULL) {
		text_fill(c->id_text, sizeof c->id_text, id);
		c->id = w->id;
		c->tls = w->transport == NET_TLS;
		c->opened = w->opened;
		if (hash_add(t->conns, &c->by_id, text_of(c->id_text))) {
			mem_free(c);
			return NULL;
		}
	}
	if (c) {
		if (w->local && net_addr_is_set(w->local))
			c->local = *w->local;
		c->peer = *w->peer;
		if (w->gateway[0])
			text_fill(c->gateway, sizeof c->gateway, w->gateway);
	}
	return c;
}

static void free_entry(struct hash_entry *e, void *arg)
{
	(void)arg;
	conn_free(HASH_MEMBER(e, struct trace_conn, by_id));
}

void trace_ring_clear(struct trace *t)
{
	struct link *l;
	while ((l = list_first(&t->ring)) != NULL)
		drop(t, LIST_ENTRY(l, struct trace_entry, link));
	hash_each(t->conns, free_entry, NULL);
	t->evicted = 0;
}
