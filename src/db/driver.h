/* SPDX-License-Identifier: Apache-2.0 */
/* driver.h  What an engine is to the store: a connection used by one thread at a time. Private to db/ and its tests. */
#ifndef DB_DRIVER_H
#define DB_DRIVER_H
#include <stdatomic.h>
#include "db/db.h"

/* A parameter or a column: i integer, t text, b bytes, n null. */
struct db_value {
	char type;
	int64_t i;
	struct text t;
};

enum { DB_PARAMS_MAX = 48 };

struct db_driver;
struct db_conn {
	const struct db_driver *drv;
	struct ev_bus *bus; /* for what an engine has to say on its own; may be NULL */
	char place[256]; /* for people */
};

struct db_open {
	const char *url;
	bool writer; /* SQLite: the one that may write */
	uint64_t statement_ms;
	const struct store_tls *tls;
	struct ev_bus *bus;
	const char *place;
	void *arg; /* of store_open_with() */
	const atomic_bool *closing; /* outlives the connection: what waits for long gives up when it is true; may be NULL */
};

struct db_driver {
	const char *name;
	bool group_commit; /* one writer; readers apart */
	const char *now_sql; /* asks a server for its time; NULL: there is no clock but ours */
	bool unique_place; /* the url names a local file whose room can be measured */
	int (*open)(struct db_conn **cp, const struct db_open *prm, struct ev_report *why);
	void (*close)(struct db_conn *c);
	bool (*usable)(struct db_conn *c); /* false: close it and open another */
	int (*begin)(struct db_conn *c, enum store_kind kind, struct ev_report *why);
	int (*commit)(struct db_conn *c, bool *unknown, struct ev_report *why);
	void (*rollback)(struct db_conn *c);
	bool (*in_tx)(struct db_conn *c); /* false when the engine rolled back on its own */
	int (*exec)(struct db_conn *c, const char *sql, const struct db_value *v, unsigned n, int64_t *changes, struct ev_report *why);
	int (*query)(struct db_conn *c, void **rows, const char *sql, const struct db_value *v, unsigned n, struct ev_report *why);
	int (*step)(struct db_conn *c, void *rows, struct ev_report *why); /* 0, ENOENT, error */
	void (*column)(struct db_conn *c, void *rows, int column, struct db_value *v);
	void (*finish)(struct db_conn *c, void *rows);
	int (*script)(struct db_conn *c, const char *sql, struct ev_report *why); /* several statements, no parameters */
	int (*listen)(struct db_conn *c, struct ev_report *why); /* to what db_notify() tells; NULL: the engine cannot */
	int (*next_notice)(struct db_conn *c, int wake_fd, char *text, size_t size); /* waits; ECANCELED: wake_fd can be read; ENOTCONN */
	const char *notify_sql; /* ?1: the text */
	int (*lock_schema)(struct db_conn *c, struct ev_report *why); /* until the end of the transaction */
};

struct db_tx {
	struct db_conn *conn;
	const struct um_clock *clock;
	int64_t changes;
	int err; /* first error of the engine: the transaction is lost */
	bool rows_open;
};

extern const struct db_driver db_sqlite, db_pgsql, db_fail;

int store_open_with(struct store **sp, const struct store_prm *prm, const struct db_driver *drv, void *arg, struct ev_report *why);
int db_migrate(struct db_conn *c, const struct um_clock *clock, struct ev_bus *bus, struct ev_report *why);
/* One migration a file of schema/, in order; generated. */
struct db_schema {
	unsigned version, readable_by;
	const char *sql;
};
extern const struct db_schema db_schema[];
extern const unsigned db_schema_len;

/* Room on the file system of a path. */
int db_free_bytes(const char *path, uint64_t *bytes);
int db_sqlite_backup(const char *from_url, const char *to, struct ev_report *why);
/* Path part of "sqlite:PATH" or NULL. */
const char *db_sqlite_path(const char *url);

#endif
