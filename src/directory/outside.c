/* SPDX-License-Identifier: Apache-2.0 */
/* outside.c  How many calls to numbers outside there may be in an hour, over all nodes: each is counted in the store before it is made, in one
 * statement that does nothing once the cap is met. What cannot be counted is not made.                                                      */
#include <errno.h>
#include "directory/dir_private.h"
#include "directory_events.h"

enum { KEEP_HOURS = 48 };
static const int64_t hour_us = INT64_C(3600) * 1000000;

struct counting {
	struct op op;
	struct dir *d; /* a reference */
	char of[80];
	uint32_t per_hour;
	bool counted, first; /* first: to be refused in this hour */
};

static int count_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct counting *c = arg;
	int64_t now_us;
	int err = db_now(tx, &now_us, why);
	int64_t hour = err ? 0 : now_us / hour_us;
	c->counted = c->first = false;
	if (!err)
		err = db_exec(tx, why, "INSERT INTO outside_call (of, hour, calls, told) VALUES (?1, ?2, 1, 0) ON CONFLICT (of, hour) DO UPDATE SET"
			" calls = outside_call.calls + 1 WHERE outside_call.calls < ?3", "sii", c->of, hour, (int64_t)c->per_hour);
	c->counted = !err && db_changes(tx) > 0;
	if (c->counted)
		return db_exec(tx, why, "DELETE FROM outside_call WHERE of = ?1 AND hour < ?2", "si", c->of, hour - KEEP_HOURS);
	if (!err)
		err = db_exec(tx, why, "UPDATE outside_call SET told = 1 WHERE of = ?1 AND hour = ?2 AND told = 0", "si", c->of, hour);
	c->first = !err && db_changes(tx) > 0;
	return err;
}

static void tell_cap(const struct counting *c)
{
	struct ev_report *r = c->d->prm.bus ? mem_zalloc(1, sizeof *r) : NULL;
	if (!r)
		return;
	ev_set(r, EV_DIR_OUTSIDE_CAP);
	ev_str(r, "of", c->of);
	ev_int(r, "count", c->per_hour);
	ev_emit(c->d->prm.bus, r);
	mem_free(r);
}

static void counted(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct counting *c = arg;
	(void)result;
	if (!err && c->first && !c->d->closed)
		tell_cap(c);
	if (!err && !c->counted)
		err = EDQUOT;
	if (c->op.h)
		((dir_counted_h *)c->op.h)(err, why, c->op.arg);
	op_remove(&c->op);
	mem_unref(c->d);
	mem_free(c);
}

int dir_count_outside(struct dir *d, const char *of, uint32_t per_hour, dir_counted_h *h, void *arg, uint64_t *handle)
{
	struct counting *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return ENOMEM;
	c->d = mem_ref(d);
	c->per_hour = per_hour;
	text_fill(c->of, sizeof c->of, of);
	int err = store_submit(d->prm.store, STORE_WRITE, count_work, counted, c);
	if (err) {
		mem_unref(c->d);
		mem_free(c);
		return err;
	}
	ops_add(&d->ops, &c->op, (op_fn *)h, arg, handle);
	return 0;
}
