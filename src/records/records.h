/* SPDX-License-Identifier: Apache-2.0 */
/* records.h  Keeps the records of calls: a bounded queue on the loop thread, written to the store in batches by its threads. While the store
 * does not take them they wait, QUEUE_MAX at most, and outlive a stop of the process in a file; whatever is lost nevertheless is counted
 * and told. Old records are deleted a few at a time. Reports out of them: report.h. Loop thread.                          */
#ifndef RECORDS_RECORDS_H
#define RECORDS_RECORDS_H
#include "db/db.h"
#include "event/metrics.h"
#include "records/record.h"

struct loop;
struct records;

enum { RECORDS_QUEUE_MAX = 2048, RECORDS_BATCH = 64, RECORDS_SWEEP_ROWS = 500 };
struct records_prm {
	struct store *store;
	struct loop *loop;
	const struct um_clock *clock;
	struct ev_bus *bus;      /* may be NULL */
	struct metrics *metrics; /* may be NULL */
	const char *node;        /* whose turn it is to delete old ones from a store that several share; copied; NULL: always ours */
	const char *spool;       /* file for what a stop leaves unwritten; copied */
	uint32_t keep_days;      /* at least 1 */
	unsigned queue_max;      /* 0: RECORDS_QUEUE_MAX */
	uint64_t write_ms;       /* calls that end so close together are written at once; 0: 200 */
	uint64_t retry_ms;       /* 0: 5000 */
	uint64_t sweep_ms;       /* how often old ones are looked for, the first time after a sixtieth of it; 0: 3600000 */
};
/* Reads what an earlier process left in the file: for the start. */
int records_create(struct records **rp, const struct records_prm *prm);
/* What waits is handed to the store, which finishes it in store_close() or fails it; then it goes to the file. NULL is
 * allowed. */
void records_destroy(struct records *rs);
/* Copies. What cannot be kept is counted and told; there is nothing that the caller could do about it. */
void records_put(struct records *rs, const struct call_record *r, const struct call_box *box, unsigned n_boxes, const struct call_step *step,
                 unsigned n_steps);
void records_keep(struct records *rs, uint32_t days); /* the configuration changed */
size_t records_waiting(const struct records *rs);
uint64_t records_lost(const struct records *rs);
void records_sweep_now(struct records *rs);

#endif
