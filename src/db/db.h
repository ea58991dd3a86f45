/* SPDX-License-Identifier: Apache-2.0 */
/* db.h  The store: one interface, two engines (SQLite for one node, PostgreSQL for several).
 *
 * Work is a function that runs in a thread of the store inside a transaction and speaks the synchronous db_* calls below; its
 * end comes back to the loop thread with one of three results. SQLite has one writer thread that puts several queued jobs, each in
 * a savepoint, under one COMMIT with synchronous=FULL; PostgreSQL has a pool of connections. DONE is said only after the
 * commit is durable. UNKNOWN is a result of its own: the connection died between COMMIT and its answer, so the work must be
 * written to be harmless when done again (ids chosen beforehand, INSERT ... ON CONFLICT).
 * SQL is the common ground of both: numbered parameters ?1 ?2 ..., TEXT, BIGINT, BYTEA; it stands in *_sql.c files and schema/. */
#ifndef DB_DB_H
#define DB_DB_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "event/bus.h"
#include "event/metrics.h"
#include "event/report.h"

struct loop;
struct store;
struct db_tx;
struct db_rows;

enum store_kind { STORE_READ /* one moment of the data, whatever others commit meanwhile */, STORE_WRITE };
enum store_result {
	STORE_DONE, /* committed and durable */
	STORE_FAILED, /* nothing of it happened */
	STORE_UNKNOWN, /* the fate of the COMMIT is not known: ask, or do it again */
};
enum store_state {
	STORE_STARTING,
	STORE_GOOD,
	STORE_FULL, /* no room: reading works, nothing is accepted */
	STORE_READONLY, /* may not be written */
	STORE_AWAY, /* does not answer */
};

/* PostgreSQL: files in PEM; NULL or "" each. With a CA the server must show a certificate of it for the name in the URL (sslmode=verify-full).
 * What the URL says of the same wins. */
struct store_tls {
	const char *ca, *certificate, *key;
};

struct store_prm {
	const char *url; /* "sqlite:PATH", "postgresql://...", "fail:ERRNO" (tests) */
	struct loop *loop; /* where done handlers run */
	const struct um_clock *clock;
	struct ev_bus *bus; /* may be NULL */
	struct metrics *metrics; /* may be NULL */
	struct store_tls tls; /* copied */
	unsigned threads; /* readers (SQLite) or connections (PostgreSQL); 0 = 4 */
	unsigned queue_max; /* jobs waiting; 0 = 1024 */
	uint64_t statement_ms; /* PostgreSQL statement and lock time-out; 0 = 5000 */
	uint64_t free_min_bytes; /* SQLite: less room than this on its disk counts as full; 0 = 32 MiB */
	bool may_be_away; /* open succeeds although PostgreSQL does not answer yet, or SQLite's file system is mounted read-only; migrations follow */
};

/* Opens, migrates to this release's schema and starts the threads; blocks while doing so, so it is for start-up.
 * EPROTO: the data is newer than this program; EINVAL: the URL; EROFS, EACCES, ENOENT, EHOSTUNREACH ... with `why`. */
int store_open(struct store **sp, const struct store_prm *prm, struct ev_report *why);
/* Finishes what is queued (done handlers still run if the loop steps, see store_drained), ends the threads. Done handlers that did not
 * run by then are run here, on the calling thread, which must be the loop's. */
void store_close(struct store *s);

/* Runs in a store thread; may run more than once (a lost connection, a deadlock): it must set its results anew each time and do nothing
 * but db_* calls and filling *arg. 0 commits; anything else rolls back and becomes done's err. */
typedef int (store_work_h)(struct db_tx *tx, void *arg, struct ev_report *why);
/* On the loop thread, exactly once per accepted job. `why` is never NULL, empty when there is nothing to say. err 0 only with DONE. */
typedef void (store_done_h)(enum store_result result, int err, const struct ev_report *why, void *arg);

/* Loop thread (or any other, but done always runs on the loop). EAGAIN: queue full; ESHUTDOWN: closing; ENOMEM. On error done is not called.
 * Jobs of one kind begin in the order given; with PostgreSQL writes may overlap. */
int store_submit(struct store *s, enum store_kind kind, store_work_h *work, store_done_h *done, void *arg);
/* For command-line tools and tests: runs the work and waits. Never on the loop thread. */
int store_run(struct store *s, enum store_kind kind, store_work_h *work, void *arg, struct ev_report *why);

enum store_state store_state(const struct store *s); /* any thread */
const char *store_state_name(enum store_state st);
typedef void (store_state_h)(struct store *s, enum store_state was, enum store_state now, void *arg);
/* Loop thread; one handler. */
void store_on_state(struct store *s, store_state_h *h, void *arg);
/* "sqlite" or "postgresql"; the URL without password, for people. */
const char *store_engine(const struct store *s);
const char *store_place(const struct store *s);
size_t store_queued(const struct store *s);
/* What transactions told by db_notify(), on whichever node, ours too: as soon as the loop hears of it. Best effort: look for yourself now and then,
 * too. Loop thread; once a store, after it was opened; a thread and a connection more. ENOTSUP (SQLite: nobody else is there), EEXIST, ENOMEM. */
enum { STORE_NOTICE_MAX = 256 };
typedef void (store_notice_h)(const char *text, void *arg);
int store_on_notice(struct store *s, store_notice_h *h, void *arg);
/* Consistent copy of the whole store into a new SQLite file, while serving (SQLite only; ENOTSUP). Blocks: from a worker thread. */
int store_backup(struct store *s, const char *path, struct ev_report *why);

/* ---- inside work ----
 * `types` names the parameters, one letter each: t struct text, s const char * (NULL = null), i int64_t (pass int64_t!), b const void * and
 * size_t, n null (no argument). Errors: EEXIST (unique), ENOSPC, EROFS, ENOTCONN (away), ETIMEDOUT, EBUSY (try again), EIO, EINVAL (our
 * own mistake), ENOMEM. After an error of the engine the transaction is lost: return it. */
int db_exec(struct db_tx *tx, struct ev_report *why, const char *sql, const char *types, ...);
int64_t db_changes(const struct db_tx *tx); /* rows touched by the last db_exec */
/* Rows must be closed before the next statement of this transaction. */
int db_query(struct db_tx *tx, struct db_rows **rp, struct ev_report *why, const char *sql, const char *types, ...);
/* 0: a row; ENOENT: no more; else an error. Columns are borrowed until the next step. */
int db_step(struct db_rows *r, struct ev_report *why);
bool db_col_null(const struct db_rows *r, int column); /* columns count from 0 */
int64_t db_col_int(const struct db_rows *r, int column);
struct text db_col_text(const struct db_rows *r, int column);
struct text db_col_blob(const struct db_rows *r, int column);
/* Copies into a fixed array, cut off at its end. */
void db_col_copy(const struct db_rows *r, int column, char *dst, size_t size);
void db_rows_close(struct db_rows *r); /* NULL is allowed */
/* One row, or ENOENT; the caller closes *rp on 0. */
int db_query_one(struct db_tx *tx, struct db_rows **rp, struct ev_report *why, const char *sql, const char *types, ...);
const struct um_clock *db_clock(const struct db_tx *tx);
/* The time that all nodes of the store agree on, for leases and what is due: microseconds since 1970. PostgreSQL's own, for the clocks of
 * nodes may differ; the store's clock with SQLite, and wherever a test brought one. */
int db_now(struct db_tx *tx, int64_t *us, struct ev_report *why);

/* Tells all nodes of the store, when and if the transaction is committed; nothing where nobody else can be. At most STORE_NOTICE_MAX - 1 bytes. */
int db_notify(struct db_tx *tx, const char *text, struct ev_report *why);

/* ---- blobs: audio and other bytes, in chunks ---- */
enum { DB_BLOB_CHUNK = 128 << 10, DB_BLOB_MAX = 64 << 20 };
/* Writes a whole blob; one of the same id is replaced. EFBIG. */
int db_blob_put(struct db_tx *tx, const char *id, const void *p, size_t n, struct ev_report *why);
int db_blob_append(struct db_tx *tx, const char *id, const void *p, size_t n, struct ev_report *why);
/* Appends the bytes to out. ENOENT, EMSGSIZE (out's ceiling), EBADMSG: they are not what was written (SHA-256 of each chunk). */
int db_blob_get(struct db_tx *tx, const char *id, struct buf *out, struct ev_report *why);
/* What tells one content from another without reading it: "" where that is not known (a release before wrote it). ENOENT. */
enum { DB_BLOB_MARK_SIZE = 65 };
int db_blob_mark(struct db_tx *tx, const char *id, char mark[DB_BLOB_MARK_SIZE], struct ev_report *why);
int db_blob_size(struct db_tx *tx, const char *id, int64_t *bytes, struct ev_report *why); /* ENOENT */
int db_blob_delete(struct db_tx *tx, const char *id, struct ev_report *why); /* 0 also if there is none */

#endif
