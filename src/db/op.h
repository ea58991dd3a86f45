/* SPDX-License-Identifier: Apache-2.0 */
/* op.h  Calls under way whose caller may lose interest: each has a handle that is never used again, and cancelling by handle is harmless at
 * any time. The owner of the calls (a mailbox service, a directory) outlives its callers' interest by being counted. Loop thread. */
#ifndef DB_OP_H
#define DB_OP_H
#include <stdint.h>
#include "base/list.h"

typedef void (op_fn)(void); /* the handler, cast back by who calls it */

struct op {
	struct link link;
	uint64_t handle;
	op_fn *h; /* NULL once cancelled */
	void *arg;
};

struct ops {
	struct list list;
	uint64_t last;
};

static inline void ops_init(struct ops *o)
{
	list_init(&o->list);
	o->last = 0;
}

static inline void ops_add(struct ops *o, struct op *op, op_fn *h, void *arg, uint64_t *handle)
{
	op->handle = ++o->last;
	op->h = h;
	op->arg = arg;
	list_append(&o->list, &op->link);
	if (handle)
		*handle = op->handle;
}

static inline void op_remove(struct op *op)
{
	list_remove(&op->link);
}

static inline void ops_cancel(struct ops *o, uint64_t handle)
{
	LIST_FOREACH (&o->list, it) {
		struct op *op = LIST_ENTRY(it, struct op, link);
		if (op->handle == handle)
			op->h = NULL;
	}
}

static inline void ops_cancel_all(struct ops *o)
{
	LIST_FOREACH (&o->list, it)
		LIST_ENTRY(it, struct op, link)->h = NULL;
}

#endif
