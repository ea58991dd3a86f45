/* SPDX-License-Identifier: Apache-2.0 */
/* take.c  What the ring holds at one moment: references to its entries, which never change, and copies of its connections, which do. All that the loop
 * has to do for a file is this; a few milliseconds for the largest ring. */
#include <errno.h>
#include "base/mem.h"
#include "trace/take_private.h"
#include "trace_events.h"

struct trace_taken *trace_taken_free(struct trace_taken *k)
{
	if (!k)
		return NULL;
	for (size_t i = 0; i < k->n_entries; i++)
		mem_unref(k->entry[i].e);
	mem_free(k->entry);
	mem_free_secret(k->conn, k->n_conns * sizeof *k->conn);
	mem_free(k);
	return NULL;
}

struct copying {
	struct trace_taken *k;
	unsigned room;
};

static void copy_conn(struct hash_entry *e, void *arg)
{
	struct copying *c = arg;
	struct trace_conn *from = HASH_MEMBER(e, struct trace_conn, by_id);
	from->number = c->k->n_conns;
	if (c->k->n_conns < c->room)
		c->k->conn[c->k->n_conns++] = (struct taken_conn){ .is = *from };
}

static void copy_entries(struct trace_taken *k, struct trace *t)
{
	LIST_FOREACH (&t->ring, it) {
		struct trace_entry *e = LIST_ENTRY(it, struct trace_entry, link);
		if (k->n_entries == t->n_entries)
			break;
		k->entry[k->n_entries++] = (struct taken_entry){ .e = mem_ref(e), .conn = e->conn ? &k->conn[e->conn->number] : NULL };
	}
}

int trace_take(struct trace_taken **kp, struct trace *t, const struct trace_want *only, struct ev_report *why)
{
	struct copying c = { .room = (unsigned)hash_count(t->conns) };
	if (!t->kept) {
		ev_set(why, EV_TRACE_NONE);
		return ENOENT;
	}
	struct trace_taken *k = mem_zalloc(1, sizeof *k);
	if (!k)
		return ENOMEM;
	k->trace = t;
	k->forgotten = atomic_load(&t->forgotten);
	k->want = t->want;
	k->only = *only;
	k->redact = only->redact || t->want.redact;
	k->text = only->text;
	k->no_secrets = k->text || k->redact || only->no_secrets || t->want.no_secrets;
	k->conn = mem_alloc(c.room * sizeof *k->conn);
	k->entry = mem_alloc(t->n_entries * sizeof *k->entry);
	if (!k->conn || !k->entry) {
		trace_taken_free(k);
		return ENOMEM;
	}
	c.k = k;
	hash_each(t->conns, copy_conn, &c);
	copy_entries(k, t);
	*kp = k;
	return 0;
}

bool trace_taken_old(const struct trace_taken *k)
{
	return atomic_load(&k->trace->forgotten) != k->forgotten;
}

struct trace_saved trace_taken_saved(const struct trace_taken *k)
{
	return k->saved;
}
