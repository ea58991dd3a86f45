/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite.c  SQLite as an engine: WAL with synchronous=FULL, so that a COMMIT that returned is on the disk. WAL with NORMAL would
 * survive a killed process but not a power cut. One connection is used by one thread; statements are kept prepared.       */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "base/mem.h"
#include "db/driver.h"
#include "db_events.h"

enum { KEPT = 48, BUSY_MS = 5000, SMALL_BYTES = 1200, SMALL_BLOCKS = 250 };

struct kept {
	char *sql;
	const char *asked; /* by whoever prepared it: most statements are constants, found by their address and compared once */
	sqlite3_stmt *st;
	uint64_t used;
	bool busy;
};

struct conn {
	struct db_conn base;
	sqlite3 *db;
	struct kept kept[KEPT];
	uint64_t tick;
	bool writer, broken;
};

static int code_of(struct conn *c, int rc)
{
	int sys = c->db ? sqlite3_system_errno(c->db) : 0;
	int ext = c->db ? sqlite3_extended_errcode(c->db) : rc;
	switch (rc & 0xff) {
	case SQLITE_OK: case SQLITE_ROW: case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_READONLY: case SQLITE_PERM:
		return EROFS;
	case SQLITE_CANTOPEN: case SQLITE_AUTH:
		return sys == ENOSPC || sys == EDQUOT ? ENOSPC : sys == EROFS ? EROFS : sys == ENOENT ? ENOENT : EACCES;
	case SQLITE_IOERR:
		return sys == ENOSPC || sys == EDQUOT ? ENOSPC : sys == EROFS ? EROFS : EIO;
	case SQLITE_BUSY: case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_CONSTRAINT:
		return ext == SQLITE_CONSTRAINT_UNIQUE || ext == SQLITE_CONSTRAINT_PRIMARYKEY ? EEXIST : EINVAL;
	case SQLITE_CORRUPT: case SQLITE_NOTADB:
		return EBADMSG;
	default:
		return EINVAL;
	}
}

static void say(struct ev_report *why, struct conn *c, int err, const char *error)
{
	unsigned id = err == ENOSPC ? EV_DB_FULL : err == EROFS ? EV_DB_READONLY : err == EBADMSG ? EV_DB_CORRUPT :
		err == EACCES || err == ENOENT || err == EISDIR ? EV_DB_CANNOT_OPEN : err == EIO || err == EBUSY || err == ENOMEM ? EV_DB_AWAY : EV_DB_STATEMENT;
	ev_set(why, (uint16_t)id);
	ev_str(why, "place", c->base.place);
	ev_str(why, "error", error);
	ev_int(why, "code", err);
}

static int failed(struct conn *c, int rc, struct ev_report *why)
{
	int err = code_of(c, rc);
	if (err == EIO || err == EBADMSG)
		c->broken = true;
	say(why, c, err, c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc));
	return err;
}

static int script(struct db_conn *base, const char *sql, struct ev_report *why)
{
	struct conn *c = (struct conn *)base;
	int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : failed(c, rc, why);
}

/* ---- opening ---- */

const char *db_sqlite_path(const char *url)
{
	if (!text_starts(text_of(url), "sqlite:"))
		return NULL;
	const char *path = url + 7;
	if (text_starts(text_of(path), "//"))
		path += 2;
	return *path ? path : NULL;
}

int db_free_bytes(const char *path, uint64_t *bytes)
{
	struct statvfs v;
	if (statvfs(path, &v))
		return errno;
	*bytes = (uint64_t)v.f_bavail * v.f_frsize;
	return 0;
}

static void conn_close(struct db_conn *base)
{
	struct conn *c = (struct conn *)base;
	for (unsigned i = 0; i < KEPT; i++) {
		sqlite3_finalize(c->kept[i].st);
		mem_free(c->kept[i].sql);
	}
	sqlite3_close(c->db);
	mem_free(c);
}

/* A new file is for this user alone; SQLite would make it readable for all. */
static int touch(struct conn *c, const char *path, struct ev_report *why)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	int err = errno;
	/* an old file on a read-only file system can still be read: let the readers have it */
	if ((err == EROFS || err == EACCES) && access(path, R_OK) == 0)
		err = EROFS;
	say(why, c, err == ENOTDIR ? ENOENT : err, strerror(err));
	return err;
}

static int settings(struct conn *c, struct ev_report *why)
{
	sqlite3_busy_timeout(c->db, BUSY_MS);
	sqlite3_extended_result_codes(c->db, 1);
	int err = script(&c->base, "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;", why);
	if (!err && c->writer) /* the checkpoint also brings home what an earlier failure to sync left in doubt */
		err = script(&c->base, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864;"
			"PRAGMA wal_checkpoint(PASSIVE);", why);
	if (!err && !c->writer)
		err = script(&c->base, "PRAGMA query_only=ON;", why);
	return err;
}

/* SQLite counts its memory under one lock that all its threads share, a dozen times a statement, and nobody asks for the sum. */
static void count_nothing(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int conn_open(struct db_conn **cp, const struct db_open *prm, struct ev_report *why)
{
	const char *path = db_sqlite_path(prm->url);
	if (!path)
		return EINVAL;
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, count_nothing);
	struct conn *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return ENOMEM;
	c->base.drv = &db_sqlite;
	c->base.bus = prm->bus;
	c->writer = prm->writer;
	text_fill(c->base.place, sizeof c->base.place, prm->place);
	int err = prm->writer ? touch(c, path, why) : 0;
	if (!err) {
		int rc = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
		if (rc == SQLITE_OK && c->writer) /* the statements that are kept prepared take all of the hundred small blocks that it has by itself */
			(void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, SMALL_BYTES, SMALL_BLOCKS);
		err = rc == SQLITE_OK ? settings(c, why) : failed(c, rc, why);
	}
	if (err) {
		conn_close(&c->base);
		return err;
	}
	*cp = &c->base;
	return 0;
}

static bool usable(struct db_conn *base)
{
	return !((struct conn *)base)->broken;
}

/* ---- transactions ---- */

static int begin(struct db_conn *base, enum store_kind kind, struct ev_report *why)
{
	return script(base, kind == STORE_WRITE ? "BEGIN IMMEDIATE" : "BEGIN", why);
}

static void rollback(struct db_conn *base)
{
	struct conn *c = (struct conn *)base;
	if (!sqlite3_get_autocommit(c->db) && sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
		c->broken = true;
}

/* When the disk fails while the WAL is synced, the frames may or may not be there after a restart. Never sync the same data again
 * and believe it: the connection is given up, and the work is done anew. */
static int commit(struct db_conn *base, bool *unknown, struct ev_report *why)
{
	struct conn *c = (struct conn *)base;
	int rc = sqlite3_exec(c->db, "COMMIT", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return 0;
	int err = failed(c, rc, why);
	if (err == EIO) {
		*unknown = true;
		c->broken = true;
	}
	rollback(base);
	return err;
}

static bool in_tx(struct db_conn *base)
{
	return !sqlite3_get_autocommit(((struct conn *)base)->db);
}

static int lock_schema(struct db_conn *base, struct ev_report *why)
{
	(void)base;
	(void)why;
	return 0; /* BEGIN IMMEDIATE did it */
}

/* ---- statements ---- */

static struct kept *find_kept(struct conn *c, const char *sql)
{
	struct kept *oldest = NULL;
	for (unsigned i = 0; i < KEPT; i++)
		if (c->kept[i].asked == sql && !c->kept[i].busy && c->kept[i].sql && strcmp(c->kept[i].sql, sql) == 0)
			return &c->kept[i];
	for (unsigned i = 0; i < KEPT; i++) {
		struct kept *k = &c->kept[i];
		if (k->busy)
			continue;
		if (k->sql && strcmp(k->sql, sql) == 0)
			return k;
		if (!oldest || k->used < oldest->used)
			oldest = k;
	}
	return oldest;
}

static int prepare(struct conn *c, struct kept **kp, const char *sql, struct ev_report *why)
{
	struct kept *k = find_kept(c, sql);
	if (!k)
		return EMFILE; /* more rows open at once than anybody has use for */
	if (!k->sql || strcmp(k->sql, sql) != 0) {
		sqlite3_finalize(k->st);
		mem_free(k->sql);
		k->st = NULL;
		k->sql = mem_strdup(sql);
		if (!k->sql)
			return ENOMEM;
		int rc = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &k->st, NULL);
		if (rc != SQLITE_OK) {
			mem_free(k->sql);
			k->sql = NULL;
			return failed(c, rc, why);
		}
	}
	k->used = ++c->tick;
	k->asked = sql;
	*kp = k;
	return 0;
}

/* Bound bytes are borrowed: they live until the statement is reset, which finish() and exec() see to. */
static int bind(struct conn *c, struct kept *k, const struct db_value *v, unsigned n, struct ev_report *why)
{
	int rc = SQLITE_OK;
	for (unsigned i = 0; i < n && rc == SQLITE_OK; i++) {
		int at = (int)i + 1;
		if (v[i].type == 'i')
			rc = sqlite3_bind_int64(k->st, at, v[i].i);
		else if (v[i].type == 't')
			rc = sqlite3_bind_text64(k->st, at, v[i].t.n ? v[i].t.p : "", v[i].t.n, SQLITE_STATIC, SQLITE_UTF8);
		else if (v[i].type == 'b' && v[i].t.n)
			rc = sqlite3_bind_blob64(k->st, at, v[i].t.p, v[i].t.n, SQLITE_STATIC);
		else if (v[i].type == 'b')
			rc = sqlite3_bind_zeroblob(k->st, at, 0);
		else
			rc = sqlite3_bind_null(k->st, at);
	}
	return rc == SQLITE_OK ? 0 : failed(c, rc, why);
}

static void reset(struct kept *k)
{
	sqlite3_reset(k->st);
	sqlite3_clear_bindings(k->st);
	k->busy = false;
}

static int exec(struct db_conn *base, const char *sql, const struct db_value *v, unsigned n, int64_t *changes, struct ev_report *why)
{
	struct conn *c = (struct conn *)base;
	struct kept *k;
	int err = prepare(c, &k, sql, why);
	if (err)
		return err;
	err = bind(c, k, v, n, why);
	if (!err) {
		int rc;
		do
			rc = sqlite3_step(k->st);
		while (rc == SQLITE_ROW);
		if (rc != SQLITE_DONE)
			err = failed(c, rc, why);
		else
			*changes = sqlite3_stmt_readonly(k->st) ? 0 : sqlite3_changes64(c->db);
	}
	reset(k);
	return err;
}

static int query(struct db_conn *base, void **rows, const char *sql, const struct db_value *v, unsigned n, struct ev_report *why)
{
	struct conn *c = (struct conn *)base;
	struct kept *k;
	int err = prepare(c, &k, sql, why);
	if (err)
		return err;
	err = bind(c, k, v, n, why);
	if (err) {
		reset(k);
		return err;
	}
	k->busy = true;
	*rows = k;
	return 0;
}

static int step(struct db_conn *base, void *rows, struct ev_report *why)
{
	struct kept *k = rows;
	int rc = sqlite3_step(k->st);
	if (rc == SQLITE_ROW)
		return 0;
	if (rc == SQLITE_DONE)
		return ENOENT;
	return failed((struct conn *)base, rc, why);
}

static void column(struct db_conn *base, void *rows, int at, struct db_value *v)
{
	(void)base;
	sqlite3_stmt *st = ((struct kept *)rows)->st;
	switch (sqlite3_column_type(st, at)) {
	case SQLITE_INTEGER:
		v->type = 'i';
		v->i = sqlite3_column_int64(st, at);
		break;
	case SQLITE_BLOB:
		v->type = 'b';
		v->t.p = sqlite3_column_blob(st, at);
		v->t.n = (size_t)sqlite3_column_bytes(st, at);
		break;
	case SQLITE_NULL:
		v->type = 'n';
		break;
	default:
		v->type = 't';
		v->t.p = (const char *)sqlite3_column_text(st, at);
		v->t.n = (size_t)sqlite3_column_bytes(st, at);
	}
}

static void finish(struct db_conn *base, void *rows)
{
	(void)base;
	reset(rows);
}

/* ---- backup: the engine's own online copy, into a file that appears whole ---- */

static int copy_all(sqlite3 *to, sqlite3 *from)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	if (!b)
		return sqlite3_errcode(to);
	int rc;
	while ((rc = sqlite3_backup_step(b, 256)) == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		sqlite3_sleep(2); /* lets the writer in between */
	sqlite3_backup_finish(b);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int db_sqlite_backup(const char *from_url, const char *path, struct ev_report *why)
{
	char tmp[4096];
	sqlite3 *from = NULL, *to = NULL;
	if (text_print(tmp, sizeof tmp, "%s.part", path))
		return ENAMETOOLONG;
	unlink(tmp);
	int fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	int rc = sqlite3_open_v2(db_sqlite_path(from_url), &from, SQLITE_OPEN_READWRITE, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_open_v2(tmp, &to, SQLITE_OPEN_READWRITE, NULL);
	if (rc == SQLITE_OK)
		rc = copy_all(to, from);
	ev_set(why, rc == SQLITE_OK ? 0 : EV_DB_BACKUP_FAILED);
	ev_str(why, "path", path);
	ev_str(why, "error", sqlite3_errstr(rc));
	sqlite3_close(from);
	if (sqlite3_close(to) == SQLITE_OK && rc == SQLITE_OK && rename(tmp, path) == 0)
		return 0;
	unlink(tmp);
	return rc == SQLITE_FULL ? ENOSPC : EIO;
}

const struct db_driver db_sqlite = {
	.name = "sqlite", .group_commit = true, .unique_place = true, .open = conn_open, .close = conn_close, .usable = usable,
	.begin = begin, .commit = commit, .rollback = rollback, .in_tx = in_tx, .exec = exec, .query = query, .step = step,
	.column = column, .finish = finish, .script = script, .lock_schema = lock_schema,
};
