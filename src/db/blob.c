/* SPDX-License-Identifier: Apache-2.0 */
/* blob.c  Bytes in chunks: a row each, so that neither engine has to hold or rewrite a whole recording at once. Each has the SHA-256 of what
 * was written, compared when it is read: what a disk or a hand has changed is never taken for the message. */
#include <errno.h>
#include <openssl/sha.h>
#include "db/driver.h"
#include "db_events.h"

enum { HASH_SIZE = SHA256_DIGEST_LENGTH * 2 + 1 };

static void hash_of(const void *p, size_t n, char hex[HASH_SIZE])
{
	static const char digit[] = "0123456789abcdef";
	uint8_t d[SHA256_DIGEST_LENGTH];
	SHA256(p, n, d);
	for (size_t i = 0; i < sizeof d; i++) {
		hex[2 * i] = digit[d[i] >> 4];
		hex[2 * i + 1] = digit[d[i] & 15];
	}
	hex[HASH_SIZE - 1] = 0;
}

static int insert(struct db_tx *tx, const char *id, int64_t seq, const void *p, size_t n, struct ev_report *why)
{
	char hash[HASH_SIZE];
	hash_of(p, n, hash);
	return db_exec(tx, why, "INSERT INTO blob_chunk (id, seq, bytes, hash) VALUES (?1, ?2, ?3, ?4)", "sibs", id, seq, p, n, hash);
}

static int append_at(struct db_tx *tx, const char *id, int64_t seq, const uint8_t *p, size_t n, struct ev_report *why)
{
	int err = 0;
	for (size_t at = 0; at < n && !err; at += DB_BLOB_CHUNK, seq++) {
		size_t part = n - at < DB_BLOB_CHUNK ? n - at : DB_BLOB_CHUNK;
		err = insert(tx, id, seq, p + at, part, why);
	}
	return err;
}

int db_blob_put(struct db_tx *tx, const char *id, const void *p, size_t n, struct ev_report *why)
{
	if (n > DB_BLOB_MAX)
		return EFBIG;
	int err = db_blob_delete(tx, id, why);
	if (!err && !n) /* an empty blob exists, too */
		return insert(tx, id, 0, "", 0, why);
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

static bool as_written(struct text bytes, struct text want)
{
	char hash[HASH_SIZE];
	if (!want.n)
		return true;
	hash_of(bytes.p ? bytes.p : "", bytes.n, hash);
	return text_eq(want, text_of(hash));
}

static int damaged(struct db_tx *tx, const char *id, struct ev_report *why)
{
	ev_set(why, EV_DB_BLOB_DAMAGED);
	ev_str(why, "id", id);
	ev_str(why, "place", tx->conn->place);
	return EBADMSG;
}

int db_blob_mark(struct db_tx *tx, const char *id, char mark[DB_BLOB_MARK_SIZE], struct ev_report *why)
{
	struct db_rows *r;
	char chain[2 * HASH_SIZE];
	bool known = true;
	int64_t n = 0;
	int err = db_query(tx, &r, why, "SELECT hash FROM blob_chunk WHERE id = ?1 ORDER BY seq", "s", id);
	if (err)
		return err;
	for (mark[0] = 0; (err = db_step(r, why)) == 0; n++) {
		struct text t = db_col_text(r, 0);
		known = known && t.n;
		text_print(chain, sizeof chain, "%s%.*s", mark, TEXT_FMT(t));
		hash_of(chain, strlen(chain), mark);
	}
	db_rows_close(r);
	if (!known)
		mark[0] = 0;
	return err != ENOENT ? err : n ? 0 : ENOENT;
}

int db_blob_get(struct db_tx *tx, const char *id, struct buf *out, struct ev_report *why)
{
	for (int64_t seq = 0;; seq++) {
		struct db_rows *r;
		int err = db_query_one(tx, &r, why, "SELECT bytes, hash FROM blob_chunk WHERE id = ?1 AND seq = ?2", "si", id, seq);
		if (err == ENOENT && seq)
			return 0;
		if (err)
			return err;
		struct text t = db_col_blob(r, 0);
		bool good = as_written(t, db_col_text(r, 1));
		if (t.n && good)
			buf_put(out, t.p, t.n);
		db_rows_close(r);
		if (!good)
			return damaged(tx, id, why);
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
