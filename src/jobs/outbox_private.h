/* SPDX-License-Identifier: Apache-2.0 */
/* outbox_private.h  What outbox.c (loop) and outbox_sql.c (store thread) hand each other: values, no pointers into the outbox's life. */
#ifndef JOBS_OUTBOX_PRIVATE_H
#define JOBS_OUTBOX_PRIVATE_H
#include "base/list.h"
#include "jobs/outbox.h"

enum { OUTBOX_KINDS = 8, OUTBOX_PARALLEL_MAX = 64 };

struct outbox_row {
	char id[ID_SIZE];
	char *kind, *key, *body;
	int64_t version, created_us;
	unsigned tries;
	bool ours;
};

struct outbox_take {
	struct outbox *o; /* a reference */
	char node[65];
	const char *kinds[OUTBOX_KINDS];
	unsigned n_kinds;
	int64_t lease_us;
	unsigned max, n;
	struct outbox_row rows[OUTBOX_PARALLEL_MAX];
};

struct outbox_finish {
	struct link link; /* while it waits to be written again */
	struct outbox *o; /* a reference */
	char id[ID_SIZE], node[65], error[512];
	int64_t version, pause_us;
	enum outbox_verdict verdict;
};

int outbox_take_work(struct db_tx *tx, void *arg, struct ev_report *why);
int outbox_finish_work(struct db_tx *tx, void *arg, struct ev_report *why);
void outbox_rows_free(struct outbox_take *t);

#endif
