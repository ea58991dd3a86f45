/* SPDX-License-Identifier: Apache-2.0 */
/* migrate.c  Brings a store forward to this release's schema, one transaction a step, and refuses data it does not understand. Each step
 * says which release still reads the result, so that two neighbouring releases can serve one store.                      */
#include <errno.h>
#include "base/mem.h"
#include "db/driver.h"
#include "db_events.h"

static int found(struct db_tx *tx, int64_t *version, int64_t *readable_by, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_exec(tx, why, "CREATE TABLE IF NOT EXISTS store_schema (version BIGINT NOT NULL PRIMARY KEY, readable_by BIGINT NOT NULL,"
		" applied_us BIGINT NOT NULL)", "");
	if (!err)
		err = db_query_one(tx, &r, why, "SELECT version, readable_by FROM store_schema ORDER BY version DESC LIMIT 1", "");
	*version = *readable_by = 0;
	if (err == ENOENT)
		return 0;
	if (err)
		return err;
	*version = db_col_int(r, 0);
	*readable_by = db_col_int(r, 1);
	db_rows_close(r);
	return 0;
}

static int step_to(struct db_tx *tx, const struct db_schema *s, struct ev_report *why)
{
	int err = tx->conn->drv->script(tx->conn, s->sql, why);
	if (err)
		return err;
	return db_exec(tx, why, "INSERT INTO store_schema (version, readable_by, applied_us) VALUES (?1, ?2, ?3)", "iii", (int64_t)s->version,
		(int64_t)s->readable_by, clock_real_us(tx->clock));
}

static void tell(struct db_conn *c, struct ev_bus *bus, int64_t from, unsigned to)
{
	struct ev_report *r = bus ? mem_zalloc(1, sizeof *r) : NULL;
	if (!r)
		return;
	ev_set(r, from ? EV_DB_MIGRATED : EV_DB_OPENED);
	ev_str(r, "place", c->place);
	ev_int(r, "from", from);
	ev_int(r, "version", to);
	ev_int(r, "readable_by", db_schema_len ? db_schema[db_schema_len - 1].readable_by : 0);
	ev_emit(bus, r);
	mem_free(r);
}

static int migrate(struct db_tx *tx, int64_t *from, struct ev_report *why)
{
	int64_t readable_by;
	int err = tx->conn->drv->lock_schema(tx->conn, why);
	if (!err)
		err = found(tx, from, &readable_by, why);
	if (err)
		return err;
	if (*from > db_schema_len && readable_by > db_schema_len) {
		ev_set(why, EV_DB_NEWER);
		ev_str(why, "place", tx->conn->place);
		ev_int(why, "found", *from);
		ev_int(why, "version", db_schema_len);
		return EPROTO;
	}
	for (unsigned i = 0; i < db_schema_len && !err; i++)
		if (db_schema[i].version > *from)
			err = step_to(tx, &db_schema[i], why);
	return err;
}

/* 0: it has this release's schema, so there is nothing to wait for, and one that may not be written is no error: it can still be read.
 * ENOENT: it has another, or none, or does not tell; or the connection's error. */
static int current_as_is(struct db_conn *c, const struct um_clock *clock, struct ev_report *why)
{
	struct db_tx tx = { .conn = c, .clock = clock };
	struct db_rows *r;
	int err = c->drv->begin(c, STORE_READ, why);
	if (err)
		return err;
	err = db_query_one(&tx, &r, why, "SELECT version FROM store_schema ORDER BY version DESC LIMIT 1", "");
	if (!err) {
		err = db_col_int(r, 0) == db_schema_len ? 0 : ENOENT;
		db_rows_close(r);
	}
	c->drv->rollback(c);
	return !err || err == ENOTCONN ? err : ENOENT;
}

int db_migrate(struct db_conn *c, const struct um_clock *clock, struct ev_bus *bus, struct ev_report *why)
{
	struct db_tx tx = { .conn = c, .clock = clock };
	int64_t from = 0;
	bool unknown = false;
	int err = current_as_is(c, clock, why);
	if (!err)
		tell(c, bus, 0, db_schema_len);
	if (!err || err == ENOTCONN)
		return err;
	ev_set(why, 0);
	err = c->drv->begin(c, STORE_WRITE, why);
	if (!err)
		err = migrate(&tx, &from, why);
	if (!err)
		err = c->drv->commit(c, &unknown, why);
	if (err)
		c->drv->rollback(c);
	if (!err)
		tell(c, bus, from == db_schema_len ? 0 : from, db_schema_len);
	return err;
}
