/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/lease.h"
#include <errno.h>

int lease_take(struct db_tx *tx, const char *name, const char *owner, uint64_t ttl_ms, char *holder, size_t holder_size, struct ev_report *why)
{
	int64_t now;
	int err = db_now(tx, &now, why);
	if (err)
		return err;
	err = db_exec(tx, why, "INSERT INTO lease (name, owner, until_us) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until_us = excluded.until_us"
		" WHERE lease.owner = excluded.owner OR lease.until_us <= ?4", "ssii", name, owner, now + (int64_t)ttl_ms * 1000, now);
	if (err || db_changes(tx))
		return err;
	struct db_rows *r;
	err = db_query_one(tx, &r, why, "SELECT owner FROM lease WHERE name = ?1", "s", name);
	if (err)
		return err == ENOENT ? EBUSY : err;
	if (holder)
		db_col_copy(r, 0, holder, holder_size);
	db_rows_close(r);
	return EBUSY;
}

int lease_give(struct db_tx *tx, const char *name, const char *owner, struct ev_report *why)
{
	return db_exec(tx, why, "DELETE FROM lease WHERE name = ?1 AND owner = ?2", "ss", name, owner);
}
