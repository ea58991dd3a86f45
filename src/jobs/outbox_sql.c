/* SPDX-License-Identifier: Apache-2.0 */
/* outbox_sql.c  The outbox's statements; they run in a store thread. */
#include "jobs/outbox_private.h"
#include <errno.h>
#include "base/mem.h"

int outbox_put(struct db_tx *tx, const char *kind, const char *key, const char *body, struct ev_report *why)
{
	char id[ID_SIZE];
	if (strlen(kind) > 64 || strlen(key) > 255 || strlen(body) > 64 << 10)
		return EMSGSIZE;
	id_make(id, db_clock(tx));
	/* A lease stays: the try under way notices by the version that there is newer work, and gives the row back at once. */
	return db_exec(tx, why, "INSERT INTO outbox (id, kind, key, body, version, state, tries, created_us, due_us, lease_owner, lease_until_us, error)"
		" VALUES (?1, ?2, ?3, ?4, 1, 0, 0, ?5, ?5, '', 0, '') ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body,"
		" version = outbox.version + 1, state = 0, tries = 0, created_us = excluded.created_us, due_us = excluded.due_us, error = ''",
		"ssssi", id, kind, key, body, clock_real_us(db_clock(tx)));
}

/* What was never tried is due, whatever the clock of the node that wrote it said. */
static int read_rows(struct db_tx *tx, struct outbox_take *t, const char *kind, int64_t now_us, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query(tx, &r, why, "SELECT id, kind, key, body, version, tries, created_us FROM outbox"
		" WHERE state = 0 AND kind = ?1 AND (due_us <= ?2 OR tries = 0) AND lease_until_us <= ?2 ORDER BY due_us LIMIT ?3", "sii", kind, now_us,
		(int64_t)(t->max - t->n));
	if (err)
		return err;
	while (t->n < t->max && (err = db_step(r, why)) == 0) {
		struct outbox_row *row = &t->rows[t->n];
		db_col_copy(r, 0, row->id, sizeof row->id);
		row->kind = text_dup(db_col_text(r, 1));
		row->key = text_dup(db_col_text(r, 2));
		row->body = text_dup(db_col_text(r, 3));
		row->version = db_col_int(r, 4);
		row->tries = (unsigned)db_col_int(r, 5) + 1;
		row->created_us = db_col_int(r, 6);
		t->n++;
		if (!row->kind || !row->key || !row->body) {
			err = ENOMEM;
			break;
		}
	}
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

void outbox_rows_free(struct outbox_take *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		mem_free(t->rows[i].kind);
		mem_free(t->rows[i].key);
		mem_free(t->rows[i].body);
		t->rows[i] = (struct outbox_row){ 0 };
	}
	t->n = 0;
}

int outbox_take_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct outbox_take *t = arg;
	int64_t now_us;
	outbox_rows_free(t);
	int err = db_now(tx, &now_us, why);
	for (unsigned k = 0; k < t->n_kinds && !err && t->n < t->max; k++)
		err = read_rows(tx, t, t->kinds[k], now_us, why);
	for (unsigned i = 0; i < t->n && !err; i++) {
		struct outbox_row *row = &t->rows[i];
		err = db_exec(tx, why, "UPDATE outbox SET lease_owner = ?1, lease_until_us = ?2, tries = ?3"
			" WHERE id = ?4 AND version = ?5 AND lease_until_us <= ?6", "siisii", t->node, now_us + t->lease_us, (int64_t)row->tries,
			row->id, row->version, now_us);
		row->ours = !err && db_changes(tx) == 1; /* another node may have been quicker */
	}
	return err;
}

int outbox_finish_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct outbox_finish *f = arg;
	int64_t now_us;
	int err = db_now(tx, &now_us, why);
	if (err)
		return err;
	if (f->verdict == OUTBOX_DONE)
		err = db_exec(tx, why, "DELETE FROM outbox WHERE id = ?1 AND version = ?2", "si", f->id, f->version);
	else
		err = db_exec(tx, why, "UPDATE outbox SET state = ?1, due_us = ?2, lease_owner = '', lease_until_us = 0, error = ?3"
			" WHERE id = ?4 AND version = ?5", "iissi", (int64_t)(f->verdict == OUTBOX_NEVER), now_us + f->pause_us, f->error, f->id, f->version);
	/* replaced meanwhile: give the newer order back at once */
	if (!err && !db_changes(tx))
		err = db_exec(tx, why, "UPDATE outbox SET lease_owner = '', lease_until_us = 0 WHERE id = ?1 AND lease_owner = ?2", "ss", f->id, f->node);
	return err;
}
