/* SPDX-License-Identifier: Apache-2.0 */
/* mbox_standing.c  What answering asks of a mailbox before it speaks (counts, greetings, whether its owner is away), and the calls whose
 * caller left nothing.                                                                                                  */
#include <errno.h>
#include "base/mem.h"
#include "mailbox/mbox_private.h"

static const int64_t day_us = INT64_C(86400) * 1000000;

/* ---- store threads ---- */
static int read_away(struct db_tx *tx, const char *mailbox, struct mbox_standing *st, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT until_us FROM away WHERE mailbox = ?1", "s", mailbox);
	st->away = false;
	if (err)
		return err == ENOENT ? 0 : err;
	st->away_until_us = db_col_int(r, 0);
	st->away = !st->away_until_us || st->away_until_us > clock_real_us(db_clock(tx));
	db_rows_close(r);
	return 0;
}

static int read_recorded(struct db_tx *tx, const char *mailbox, struct mbox_standing *st, struct ev_report *why)
{
	struct db_rows *r;
	char kind[65];
	int err = db_query(tx, &r, why, "SELECT kind FROM greeting WHERE mailbox = ?1", "s", mailbox);
	st->recorded = 0;
	if (err)
		return err;
	while (!(err = db_step(r, why))) {
		db_col_copy(r, 0, kind, sizeof kind);
		for (unsigned g = 0; g < MBOX_GREETINGS; g++)
			if (strcmp(kind, mbox_greeting_name((enum mbox_greeting)g)) == 0)
				st->recorded |= 1u << g;
	}
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

int mbox_standing_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	c->standing = (struct mbox_standing){ 0 };
	int err = mbox_counts_tx(tx, c->msg.mailbox, &c->standing.counts, why);
	if (!err)
		err = read_recorded(tx, c->msg.mailbox, &c->standing, why);
	return err ? err : read_away(tx, c->msg.mailbox, &c->standing, why);
}

int mbox_away_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	if (!c->standing.away)
		return db_exec(tx, why, "DELETE FROM away WHERE mailbox = ?1", "s", c->msg.mailbox);
	return db_exec(tx, why, "INSERT INTO away (mailbox, until_us, changed_us) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (mailbox) DO UPDATE SET until_us = excluded.until_us, changed_us = excluded.changed_us",
		"sii", c->msg.mailbox, c->standing.away_until_us, clock_real_us(db_clock(tx)));
}

int mbox_missed_put_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	const struct mbox_missed *k = &((struct mbox_call *)arg)->missed;
	const char *mailbox = ((struct mbox_call *)arg)->msg.mailbox;
	int err = db_exec(tx, why, "DELETE FROM missed_call WHERE mailbox = ?1 AND at_us < ?2", "si", mailbox,
		clock_real_us(db_clock(tx)) - MBOX_MISSED_DAYS * day_us);
	return err ? err : db_exec(tx, why, "INSERT INTO missed_call (id, mailbox, caller_number, caller_name, session, at_us, why, reason)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING", "sssssiss", k->id, mailbox, k->caller_number, k->caller_name,
		k->session, k->at_us, k->why, k->reason);
}

static int add(struct mbox_call *c, const struct db_rows *r)
{
	if (c->n_list == c->room) {
		size_t room = c->room ? c->room * 2 : 16;
		struct mbox_missed *v = mem_realloc(c->calls, room * sizeof *v);
		if (!v)
			return ENOMEM;
		c->calls = v;
		c->room = room;
	}
	struct mbox_missed *k = &c->calls[c->n_list++];
	*k = (struct mbox_missed){ 0 };
	db_col_copy(r, 0, k->id, sizeof k->id);
	text_fill(k->mailbox, sizeof k->mailbox, c->msg.mailbox);
	db_col_copy(r, 1, k->caller_number, sizeof k->caller_number);
	db_col_copy(r, 2, k->caller_name, sizeof k->caller_name);
	db_col_copy(r, 3, k->session, sizeof k->session);
	k->at_us = db_col_int(r, 4);
	db_col_copy(r, 5, k->why, sizeof k->why);
	db_col_copy(r, 6, k->reason, sizeof k->reason);
	return 0;
}

int mbox_missed_list_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	struct db_rows *r;
	c->n_list = 0;
	int err = db_query(tx, &r, why, "SELECT id, caller_number, caller_name, session, at_us, why, reason FROM missed_call"
		" WHERE mailbox = ?1 ORDER BY at_us DESC, id DESC LIMIT ?2", "si", c->msg.mailbox, (int64_t)MBOX_MISSED_MAX);
	if (err)
		return err;
	while ((err = db_step(r, why)) == 0 && (err = add(c, r)) == 0)
		;
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

/* ---- loop ---- */
static void stood(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct mbox_call *c = arg;
	(void)result;
	if (c->op.h)
		((mbox_standing_h *)c->op.h)(err, &c->standing, why, c->op.arg);
	mbox_call_free(c);
}

int mbox_standing(struct mbox *m, const char *mailbox, mbox_standing_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = mbox_call_new(m, mailbox, NULL);
	return c ? mbox_call_go(c, STORE_READ, mbox_standing_work, stood, (op_fn *)h, arg, handle) : ENOMEM;
}

int mbox_away_set(struct mbox *m, const char *mailbox, bool on, int64_t until_us, mbox_done_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = mbox_call_new(m, mailbox, NULL);
	if (!c)
		return ENOMEM;
	c->standing.away = on;
	c->standing.away_until_us = until_us;
	return mbox_call_go(c, STORE_WRITE, mbox_away_work, mbox_call_changed, (op_fn *)h, arg, handle);
}

int mbox_missed_put(struct mbox *m, const struct mbox_missed *call, mbox_done_h *h, void *arg, uint64_t *handle)
{
	if (!id_valid(text_of(call->id)) || !call->mailbox[0])
		return EINVAL;
	struct mbox_call *c = mbox_call_new(m, call->mailbox, call->id);
	if (!c)
		return ENOMEM;
	c->missed = *call;
	return mbox_call_go(c, STORE_WRITE, mbox_missed_put_work, mbox_call_changed, (op_fn *)h, arg, handle);
}

static void missed_listed(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct mbox_call *c = arg;
	(void)result;
	if (c->op.h)
		((mbox_missed_h *)c->op.h)(err, c->calls, err ? 0 : c->n_list, why, c->op.arg);
	mbox_call_free(c);
}

int mbox_missed_list(struct mbox *m, const char *mailbox, mbox_missed_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = mbox_call_new(m, mailbox, NULL);
	return c ? mbox_call_go(c, STORE_READ, mbox_missed_list_work, missed_listed, (op_fn *)h, arg, handle) : ENOMEM;
}
