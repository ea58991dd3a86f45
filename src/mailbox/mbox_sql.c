/* SPDX-License-Identifier: Apache-2.0 */
/* mbox_sql.c  The statements of mailboxes; they run in store threads and may run more than once. */
#include <errno.h>
#include "base/mem.h"
#include "jobs/outbox.h"
#include "mailbox/mbox_private.h"
#include "mailbox_events.h"

static int lamp(struct db_tx *tx, const char *mailbox, struct ev_report *why)
{
	char text[80];
	text_print(text, sizeof text, "mailbox %s", mailbox);
	int err = db_notify(tx, text, why); /* phones may watch the mailbox through another node */
	return err ? err : outbox_put(tx, "lamp", mailbox, "{}", why);
}

static int insert(struct db_tx *tx, const struct mbox_message *m, size_t n, struct ev_report *why)
{
	return db_exec(tx, why, "INSERT INTO message (id, mailbox, state, caller_number, caller_name, session, node, received_us, duration_ms,"
		" bytes, codec, cut, changed_us, urgent, private, relation, related, sender) VALUES (?1, ?2, 0, ?3, ?4, ?5, '', ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
		" ?15, ?16) ON CONFLICT (id) DO NOTHING", "sssssiiiiiiiiiss", m->id, m->mailbox, m->caller_number, m->caller_name, m->session, m->received_us,
		(int64_t)m->duration_ms, (int64_t)n, (int64_t)m->codec, (int64_t)m->cut, clock_real_us(db_clock(tx)), (int64_t)m->urgent, (int64_t)m->private,
		(int64_t)m->relation, m->related, m->sender);
}

/* Another node took the caller's for dead and made a message of the part that it knew. More of it takes its place and is new, also where the
 * owner has heard or deleted the part: of the rest he knows nothing. What the caller himself ended takes the place of a longer part, too. */
static int complete(struct db_tx *tx, const struct mbox_message *m, size_t n, struct ev_report *why)
{
	return db_exec(tx, why, "UPDATE message SET state = CASE WHEN duration_ms < ?1 THEN 0 ELSE state END, duration_ms = ?1, bytes = ?2, codec = ?3, cut = ?4,"
		" changed_us = ?5, urgent = ?6, private = ?7, deleted_us = 0, purge_us = 0, version = version + 1,"
		" grown = CASE WHEN duration_ms < ?1 THEN version + 1 ELSE grown END WHERE id = ?8 AND mailbox = ?9 AND cut = 1 AND (duration_ms < ?1 OR (state < 2 AND (?10 = 1 OR (?4 = 0 AND duration_ms = ?1))))", "iiiiiiissi", (int64_t)m->duration_ms, (int64_t)n,
		(int64_t)m->codec, (int64_t)m->cut, clock_real_us(db_clock(tx)), (int64_t)m->urgent, (int64_t)m->private, m->id, m->mailbox,
		(int64_t)(m->through[0] && !m->cut));
}

int mbox_save_news_work(struct db_tx *tx, const struct mbox_message *m, const uint8_t *p, size_t n, bool *news, struct ev_report *why)
{
	int err = insert(tx, m, n, why);
	*news = !err && db_changes(tx) > 0;
	if (!err && !*news) {
		err = complete(tx, m, n, why);
		*news = !err && db_changes(tx) > 0;
	}
	if (!err)
		err = mbox_drafts_settle(tx, m->id, m->through, why);
	/* It is there already, perhaps heard and deleted by now: leave it so. But write, for only the commit of a write waits for a standby. */
	if (!err && !*news)
		return db_exec(tx, why, "UPDATE message SET id = id WHERE id = ?1", "s", m->id);
	if (!err)
		err = db_blob_put(tx, m->id, p, n, why);
	if (!err)
		err = mbox_form_wish(tx, m, why);
	return err ? err : lamp(tx, m->mailbox, why);
}

int mbox_save_work(struct db_tx *tx, const struct mbox_message *m, const uint8_t *p, size_t n, struct ev_report *why)
{
	bool news;
	return mbox_save_news_work(tx, m, p, n, &news, why);
}

static void read_message(const struct db_rows *r, struct mbox_message *m)
{
	db_col_copy(r, 0, m->id, sizeof m->id);
	db_col_copy(r, 1, m->mailbox, sizeof m->mailbox);
	m->state = (enum mbox_state)db_col_int(r, 2);
	db_col_copy(r, 3, m->caller_number, sizeof m->caller_number);
	db_col_copy(r, 4, m->caller_name, sizeof m->caller_name);
	db_col_copy(r, 5, m->session, sizeof m->session);
	m->received_us = db_col_int(r, 6);
	m->duration_ms = (uint32_t)db_col_int(r, 7);
	m->bytes = (uint32_t)db_col_int(r, 8);
	m->codec = (enum mbox_codec)db_col_int(r, 9);
	m->cut = db_col_int(r, 10) != 0;
	m->urgent = db_col_int(r, 11) != 0;
	m->private = db_col_int(r, 12) != 0;
	m->notes = (unsigned)db_col_int(r, 13) & MBOX_NOTES_ALL;
	m->relation = (enum mbox_relation)db_col_int(r, 14);
	db_col_copy(r, 15, m->related, sizeof m->related);
	db_col_copy(r, 16, m->sender, sizeof m->sender);
	bool deleted = m->state == MBOX_DELETED;
	m->deleted_us = deleted ? db_col_int(r, 17) : 0;
	m->purge_us = deleted ? db_col_int(r, 18) : 0;
	m->version = db_col_int(r, 19);
}

static int add(struct mbox_call *c, const struct db_rows *r)
{
	if (c->n_list == c->room) {
		size_t room = c->room ? c->room * 2 : 16;
		struct mbox_message *v = mem_realloc(c->list, room * sizeof *v);
		if (!v)
			return ENOMEM;
		c->list = v;
		c->room = room;
	}
	c->list[c->n_list] = (struct mbox_message){ 0 };
	read_message(r, &c->list[c->n_list++]);
	return 0;
}

int mbox_list_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	struct db_rows *r;
#define OF_MAILBOX "SELECT id, mailbox, state, caller_number, caller_name, session, received_us, duration_ms, bytes, codec, cut, urgent, private, notes, relation," \
	" related, sender, deleted_us, purge_us, version FROM message WHERE mailbox = ?1 AND state >= ?2 AND state <= ?3 AND (state < 2 OR purge_us > 0)"
	int64_t lo = c->which < 0 ? MBOX_NEW : c->which, hi = c->which < 0 ? MBOX_SAVED : c->which;
	c->n_list = 0;
	int err = db_query(tx, &r, why, c->order == MBOX_OLDEST_FIRST ? OF_MAILBOX " ORDER BY received_us, id LIMIT ?4" :
		OF_MAILBOX " ORDER BY received_us DESC, id DESC LIMIT ?4", "siii", c->msg.mailbox, lo, hi, (int64_t)MBOX_LIST_MAX);
	if (err)
		return err;
	while ((err = db_step(r, why)) == 0 && (err = add(c, r)) == 0)
		;
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

int mbox_counts_tx(struct db_tx *tx, const char *mailbox, struct mbox_counts *counts, struct ev_report *why)
{
	struct db_rows *r;
	char lower[65];
	text_fill(lower, sizeof lower, mailbox);
	for (char *p = lower; *p; p++)
		*p = text_lower(*p);
	int err = db_query_one(tx, &r, why, "SELECT COUNT(CASE WHEN state = 0 THEN 1 END), COUNT(CASE WHEN state = 1 THEN 1 END) FROM message"
		" WHERE mailbox = ?1 AND state < 2", "s", lower);
	if (err)
		return err;
	counts->fresh = (uint32_t)db_col_int(r, 0);
	counts->saved = (uint32_t)db_col_int(r, 1);
	db_rows_close(r);
	return 0;
}

int mbox_counts_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	return mbox_counts_tx(tx, c->msg.mailbox, &c->counts, why);
}

/* From the store, or what this node fetched lately and is still the same. */
static int fetch(struct db_tx *tx, struct mbox_call *c, int64_t bytes, struct ev_report *why)
{
	char mark[DB_BLOB_MARK_SIZE];
	int err = db_blob_mark(tx, c->msg.id, mark, why);
	if (err || mbox_cache_get(c->m->cache, mark, &c->audio))
		return err;
	err = db_blob_get(tx, c->msg.id, &c->audio, why);
	if (!err && c->audio.n != (size_t)bytes) {
		ev_set(why, EV_MBOX_AUDIO_SHORT);
		ev_str(why, "id", c->msg.id);
		ev_int(why, "bytes", bytes);
		ev_int(why, "found", (int64_t)c->audio.n);
		return EBADMSG;
	}
	if (!err)
		mbox_cache_put(c->m->cache, mark, c->audio.p, c->audio.n);
	return err;
}

int mbox_audio_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	struct db_rows *r;
	buf_clear(&c->audio);
	int err = db_query_one(tx, &r, why, "SELECT codec, bytes, duration_ms, cut, version FROM message WHERE id = ?1 AND mailbox = ?2 AND"
		" (state < 2 OR purge_us > 0)", "ss", c->msg.id, c->msg.mailbox);
	if (err)
		return err;
	c->msg.codec = (enum mbox_codec)db_col_int(r, 0);
	int64_t bytes = db_col_int(r, 1);
	c->msg.duration_ms = (uint32_t)db_col_int(r, 2);
	c->msg.cut = db_col_int(r, 3) != 0;
	c->msg.version = db_col_int(r, 4);
	db_rows_close(r);
	err = fetch(tx, c, bytes, why);
	return err || !c->linear ? err : mbox_form_linear(&c->msg.codec, &c->audio);
}

/* Nothing was changed: it is so already, or not there, or not what the caller saw any more. */
static int exists(struct db_tx *tx, const struct mbox_call *c, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT grown FROM message WHERE id = ?1 AND mailbox = ?2 AND state < 2", "ss", c->msg.id, c->msg.mailbox);
	if (err)
		return err;
	bool grew = db_col_int(r, 0) > c->seen;
	db_rows_close(r);
	if (!grew)
		return 0;
	ev_set(why, EV_MBOX_GREW);
	ev_str(why, "id", c->msg.id);
	ev_str(why, "mailbox", c->msg.mailbox);
	return ESTALE;
}

int mbox_mark_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	bool gone = c->msg.state == MBOX_DELETED; /* for good, out of the deleted folder too */
	int err = db_exec(tx, why, gone ?
		"UPDATE message SET state = ?1, changed_us = ?2, purge_us = 0, version = version + 1 WHERE id = ?3 AND mailbox = ?4 AND (state < 2 OR purge_us > 0)"
		" AND grown <= ?5" :
		"UPDATE message SET state = ?1, changed_us = ?2, version = version + 1 WHERE id = ?3 AND mailbox = ?4 AND state < 2 AND state <> ?1 AND grown <= ?5",
		"iissi", (int64_t)c->msg.state, clock_real_us(db_clock(tx)), c->msg.id, c->msg.mailbox, c->seen);
	if (err)
		return err;
	if (!db_changes(tx)) { /* deleting twice is harmless */
		err = exists(tx, c, why);
		return gone && err == ENOENT ? 0 : err;
	}
	if (gone)
		err = db_blob_delete(tx, c->msg.id, why);
	return err ? err : lamp(tx, c->msg.mailbox, why);
}

int mbox_delete_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	int64_t now = clock_real_us(db_clock(tx));
	int err = db_exec(tx, why, "UPDATE message SET was = state, state = 2, changed_us = ?1, deleted_us = ?1, purge_us = ?2, version = version + 1"
		" WHERE id = ?3 AND mailbox = ?4 AND state < 2 AND grown <= ?5", "iissi", now, now + (int64_t)c->keep_ms * 1000, c->msg.id, c->msg.mailbox, c->seen);
	if (err)
		return err;
	if (db_changes(tx))
		return lamp(tx, c->msg.mailbox, why);
	err = exists(tx, c, why);
	return err == ENOENT ? 0 : err;
}

int mbox_undelete_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	int err = db_exec(tx, why, "UPDATE message SET state = CASE WHEN was = 0 THEN 0 ELSE 1 END, changed_us = ?1, deleted_us = 0, purge_us = 0, version = version + 1 WHERE id = ?2"
		" AND mailbox = ?3 AND state = 2 AND purge_us > 0", "iss", clock_real_us(db_clock(tx)), c->msg.id, c->msg.mailbox);
	if (err)
		return err;
	return db_changes(tx) ? lamp(tx, c->msg.mailbox, why) : exists(tx, c, why);
}

int mbox_note_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	int err = db_exec(tx, why, "UPDATE message SET notes = (notes & ?1) | ?2, changed_us = ?3, version = version + 1 WHERE id = ?4 AND mailbox = ?5 AND state < 2", "iiiss",
		(int64_t)(MBOX_NOTES_ALL & ~c->clear), (int64_t)c->set, clock_real_us(db_clock(tx)), c->msg.id, c->msg.mailbox);
	return err || db_changes(tx) ? err : ENOENT;
}

/* ---- what lay long enough ---- */

static int purge_ids(struct db_tx *tx, int64_t now_us, char ids[MBOX_PURGE_ROWS][ID_SIZE], unsigned *n, struct ev_report *why)
{
	struct db_rows *r;
	*n = 0;
	int err = db_query(tx, &r, why, "SELECT id FROM message WHERE state = 2 AND purge_us > 0 AND purge_us <= ?1 ORDER BY purge_us LIMIT ?2", "ii", now_us,
		(int64_t)MBOX_PURGE_ROWS);
	if (err)
		return err;
	while (*n < MBOX_PURGE_ROWS && (err = db_step(r, why)) == 0)
		db_col_copy(r, 0, ids[(*n)++], ID_SIZE);
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

int mbox_purge_work(struct db_tx *tx, int64_t now_us, unsigned *n, struct ev_report *why)
{
	char ids[MBOX_PURGE_ROWS][ID_SIZE];
	int err = purge_ids(tx, now_us, ids, n, why);
	for (unsigned i = 0; i < *n && !err; i++) {
		err = db_exec(tx, why, "UPDATE message SET purge_us = 0, version = version + 1 WHERE id = ?1 AND state = 2 AND purge_us > 0 AND purge_us <= ?2", "si",
			ids[i], now_us);
		if (!err && db_changes(tx)) /* not brought back meanwhile, nor deleted anew */
			err = db_blob_delete(tx, ids[i], why);
	}
	return err;
}

/* ---- greetings ---- */

static void greeting_blob(const struct mbox_call *c, char id[160])
{
	text_print(id, 160, "greeting/%s/%s", c->msg.mailbox, c->kind);
}

int mbox_greeting_set_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	char id[160];
	int err = 0;
	if (c->path) {
		buf_clear(&c->audio);
		err = spool_read_file(c->path, c->offset, c->n, &c->audio);
	}
	greeting_blob(c, id);
	if (!err)
		err = db_exec(tx, why, "INSERT INTO greeting (mailbox, kind, codec, blob, bytes, changed_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
			" ON CONFLICT (mailbox, kind) DO UPDATE SET codec = excluded.codec, bytes = excluded.bytes, changed_us = excluded.changed_us",
			"ssisii", c->msg.mailbox, c->kind, (int64_t)c->msg.codec, id, (int64_t)c->audio.n, clock_real_us(db_clock(tx)));
	return err ? err : db_blob_put(tx, id, c->audio.p, c->audio.n, why);
}

int mbox_greeting_get_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	struct db_rows *r;
	char id[160];
	buf_clear(&c->audio);
	int err = db_query_one(tx, &r, why, "SELECT codec FROM greeting WHERE mailbox = ?1 AND kind = ?2", "ss", c->msg.mailbox, c->kind);
	if (err)
		return err;
	c->msg.codec = (enum mbox_codec)db_col_int(r, 0);
	db_rows_close(r);
	greeting_blob(c, id);
	return db_blob_get(tx, id, &c->audio, why);
}

int mbox_greeting_delete_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	char id[160];
	greeting_blob(c, id);
	int err = db_exec(tx, why, "DELETE FROM greeting WHERE mailbox = ?1 AND kind = ?2", "ss", c->msg.mailbox, c->kind);
	return err ? err : db_blob_delete(tx, id, why);
}
