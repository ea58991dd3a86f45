/* SPDX-License-Identifier: Apache-2.0 */
/* lease.h  "Only one node at a time does this", by name and for a time; in the store and by the store's clock (db_now), so it holds over all
 * nodes, whatever their clocks say. Work that takes the lease in its own transaction cannot be overtaken: who asks meanwhile waits for
 * its end. Work outside of it must not believe in a lease longer than the time given, counted from before the question. */
#ifndef JOBS_LEASE_H
#define JOBS_LEASE_H
#include "db/db.h"

/* Takes or prolongs. 0: ours until now + ttl; EBUSY: somebody else's (owner copied to holder when not NULL). */
int lease_take(struct db_tx *tx, const char *name, const char *owner, uint64_t ttl_ms, char *holder, size_t holder_size, struct ev_report *why);
/* 0 also when it was not ours. */
int lease_give(struct db_tx *tx, const char *name, const char *owner, struct ev_report *why);

#endif
