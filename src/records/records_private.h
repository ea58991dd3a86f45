/* SPDX-License-Identifier: Apache-2.0 */
/* records_private.h  Shared by records.c (queue and file), records_sql.c (statements) and report.c. */
#ifndef RECORDS_PRIVATE_H
#define RECORDS_PRIVATE_H
#include "base/list.h"
#include "net/loop.h"
#include "net/tmr.h"
#include "records/records.h"

struct records {
	struct records_prm prm;
	char node[65], spool[512];
	struct list queue;
	size_t n_queue, n_writing, from_spool; /* from_spool: of the file, not yet in the store */
	bool busy, waits, closed, sweeping, one_by_one;
	bool file_stays; /* it holds more than what was read of it */
	bool file_more;  /* and that is still to be read, behind spool_at */
	long spool_at;
	uint64_t lost, lost_told;
	char lost_why[160];
	struct tmr write_tmr, sweep_tmr, tell_tmr;
	struct metric *m_kept, *m_lost, *m_waiting;
};

/* ---- in store threads ---- */
int records_write(struct db_tx *tx, struct list *items, struct ev_report *why); /* may run again: struct record_item */
/* Deletes the oldest RECORDS_SWEEP_ROWS of what began before; *n how many. */
int records_sweep(struct db_tx *tx, int64_t before_us, int64_t *n, struct ev_report *why);

#endif
