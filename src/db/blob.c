/* SPDX-License-Identifier: Apache-2.0 */
/* blob.c  Bytes in chunks: a row each, so that neither engine has to hold or rewrite a whole recording at once. */
#include <errno.h>
#include "db/db.h"

static int append_at(struct db_tx *tx, const char *id, int64_t seq, const uint8_t *p, size_t n, struct ev_report *why)
{
	int err = 0;
	for (size_t at = 0; at < n && !err; at += DB_BLOB_CHUNK, seq++) {
		size_t part = n - at < DB_BLOB_CHUNK ? n - at : DB_BLOB_CHUNK;
		err = db_exec(tx, why, "INSERT INTO blob_chunk (id, seq, bytes) VALUES (?1, ?2, ?3)", "sib", id, seq, (const void *)(p + at), part);
	}
	return err;
}

int db_blob_put(struct db_tx *tx, const char *id, const void *p, size_t n, struct ev_report *why)
{
	if (n > DB_BLOB_MAX)
		return EFBIG;
	int err = db_blob_delete(tx, id, why);
	if (!err && !n) /* an empty blob exists, too */
		return db_exec(tx, why, "INSERT INTO blob_chunk (id, seq, bytes) VALUES (?1, 0, ?2)", "sb", id, (const void *)"", (size_t)0);
	return err ? err : append_at(tx, id, 0, p, n, why);
}

int db_blob_append(struct db_tx *tx, const char *id, const void *p, size_t n, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT CAST(COALESCE(MAX(seq), -1) AS BIGINT), CAST(COALESCE(SUM(LENGTH(bytes)), 0) AS BIGINT)"
		" FROM blob_chunk WHERE id = ?1", "s", id);
	if (err)
		return err;
	int64_t seq = db_col_int(r, 0) + 1, size = db_col_int(r, 1);
	db_rows_close(r);
	if (n > DB_BLOB_MAX || size + (int64_t)n > DB_BLOB_MAX)
		return EFBIG;
	return append_at(tx, id, seq, p, n, why);
}

int db_blob_get(struct db_tx *tx, const char *id, struct buf *out, struct ev_report *why)
{
	for (int64_t seq = 0;; seq++) {
		struct db_rows *r;
		int err = db_query_one(tx, &r, why, "SELECT bytes FROM blob_chunk WHERE id = ?1 AND seq = ?2", "si", id, seq);
		if (err == ENOENT && seq)
			return 0;
		if (err)
			return err;
		struct text t = db_col_blob(r, 0);
		if (t.n)
			buf_put(out, t.p, t.n);
		db_rows_close(r);
		if (buf_error(out))
			return buf_error(out);
	}
}

int db_blob_size(struct db_tx *tx, const char *id, int64_t *bytes, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(bytes)), 0) AS BIGINT) FROM blob_chunk WHERE id = ?1",
		"s", id);
	if (err)
		return err;
	err = db_col_int(r, 0) ? 0 : ENOENT;
	if (!err)
		*bytes = db_col_int(r, 1);
	db_rows_close(r);
	return err;
}

int db_blob_delete(struct db_tx *tx, const char *id, struct ev_report *why)
{
	return db_exec(tx, why, "DELETE FROM blob_chunk WHERE id = ?1", "s", id);
}
