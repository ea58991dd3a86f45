/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.h  Work that must follow a commit, and not before it: a row written in somebody's transaction, done later by any node.
 *
 * A row has a kind ("lamp"), a key (what it is about; a mailbox name) and a body. A second row of the same kind and key replaces the first
 * one's body and starts its tries anew, so a lamp that changed ten times is told once, with the last state. The worker takes rows with a
 * lease; a node that dies gives them back by time. Each row waits for itself: one that fails never holds up others. */
#ifndef JOBS_OUTBOX_H
#define JOBS_OUTBOX_H
#include "base/clock.h"
#include "base/id.h"
#include "db/db.h"

enum outbox_verdict {
	OUTBOX_DONE,
	OUTBOX_LATER, /* again after a growing pause (5 s ... 15 min), until the row is older than its kind allows */
	OUTBOX_NEVER, /* no use: the row is kept as failed for the administrator */
};

/* Within a transaction. kind and key at most 64 and 255 bytes; body text or JSON at most 64 KiB. */
int outbox_put(struct db_tx *tx, const char *kind, const char *key, const char *body, struct ev_report *why);

struct outbox_item {
	uint64_t handle; /* names the running try; give it to outbox_finish() */
	const char *kind, *key, *body;
	unsigned tries; /* this one included */
	int64_t created_us;
};

/* Loop thread. The item is borrowed for the call. The handler ends, now or later, in exactly one outbox_finish(). */
typedef void (outbox_h)(const struct outbox_item *item, void *arg);

struct outbox_prm {
	struct store *store;
	struct loop *loop;
	const struct um_clock *clock;
	struct ev_bus *bus;
	struct metrics *metrics;
	const char *node; /* owner of the leases */
	uint64_t poll_ms; /* 0 = 2000; rows of this node come at once by outbox_kick() */
	uint64_t lease_ms; /* 0 = 60000: a try that takes longer may be done twice */
	uint64_t backoff_min_ms, backoff_max_ms; /* 0 = 5000, 900000 */
	uint64_t give_up_ms; /* 0 = 72 h */
	unsigned parallel; /* tries running at once; 0 = 8 */
};

struct outbox;
int outbox_create(struct outbox **op, const struct outbox_prm *prm);
/* Running tries end silently; their rows come back when the lease is over. */
void outbox_destroy(struct outbox *o);
/* One handler a kind, before outbox_start(). EEXIST, ENOSPC. */
int outbox_on(struct outbox *o, const char *kind, outbox_h *h, void *arg);
void outbox_start(struct outbox *o);
/* Drain: takes no more rows. */
void outbox_stop(struct outbox *o);
/* Look now: after a commit of this node that wrote rows. */
void outbox_kick(struct outbox *o);
/* `error` in words is kept with the row for LATER and NEVER; NULL is allowed. Unknown handles are ignored. */
void outbox_finish(struct outbox *o, uint64_t handle, enum outbox_verdict verdict, const char *error);
unsigned outbox_running(const struct outbox *o);

#endif
