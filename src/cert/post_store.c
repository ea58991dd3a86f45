/* SPDX-License-Identifier: Apache-2.0 */
/* post_store.c  Letters as rows of the store that the nodes share: written, and taken out by the node that they are for. The store carries them
 * and is not believed.                                                                                                       */
#include <errno.h>
#include "base/mem.h"
#include "cert/post_private.h"
#include "cert_events.h"
#include "db/db.h"

enum { BATCH = 16, KEEP_S = 3600 };

/* ---- out ---- */

static int write_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct post_out *o = arg;
	int err = db_exec(tx, why, "DELETE FROM node_letter WHERE at_us < ?1", "i", o->now_us - (int64_t)KEEP_S * 1000000);
	return err ? err : db_exec(tx, why, "INSERT INTO node_letter (id, to_node, at_us, body) VALUES (?1,?2,?3,?4) ON CONFLICT (id) DO NOTHING", "ssit", o->id,
				   o->to, o->now_us, buf_as_text(&o->body));
}

static void written(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct post_out *o = arg;
	struct ev_report r = { 0 };
	(void)why;
	if (result != STORE_DONE) {
		ev_set(&r, EV_CERT_LETTER_UNSENT);
		ev_str(&r, "to", o->to);
		ev_str(&r, "error", strerrordesc_np(err ? err : EIO));
	}
	post_sent(o, result != STORE_DONE ? &r : NULL);
}

int post_by_store(struct post_out *o)
{
	return o->p->prm.store ? store_submit(o->p->prm.store, STORE_WRITE, write_work, written, o) : ENOENT;
}

/* ---- in ---- */

struct fetch {
	struct cert_post *p; /* a reference */
	unsigned n, at;
	struct {
		char id[ID_SIZE];
		char *body;
	} row[BATCH];
};

static void fetch_free(struct fetch *f)
{
	for (unsigned k = 0; k < f->n; k++)
		mem_free(f->row[k].body);
	f->p->fetching = false;
	mem_unref(f->p);
	mem_free(f);
}

static void next_letter(struct fetch *f);

static void was_read(const char *doubt, void *arg)
{
	(void)doubt; /* told where it was found */
	next_letter(arg);
}

static void next_letter(struct fetch *f)
{
	char *body = NULL;
	if (!f->p->closed && f->at < f->n) {
		body = f->row[f->at].body;
		f->row[f->at++].body = NULL;
	}
	if (!body || post_read(f->p, body, NULL, was_read, f) != 0)
		fetch_free(f);
}

/* Read and taken out in one transaction. One that is done again finds nothing. */
static int fetch_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct fetch *f = arg;
	struct db_rows *r;
	for (unsigned k = 0; k < f->n; k++)
		mem_free(f->row[k].body);
	f->n = 0;
	int err = db_query(tx, &r, why, "SELECT id, body FROM node_letter WHERE to_node = ?1 ORDER BY at_us, id LIMIT 16", "s", f->p->node);
	if (err)
		return err;
	while (f->n < BATCH && (err = db_step(r, why)) == 0) {
		db_col_copy(r, 0, f->row[f->n].id, sizeof f->row[f->n].id);
		struct text body = db_col_text(r, 1);
		f->row[f->n].body = text_dup(text_head(body, CERT_LETTER_MAX));
		f->n += f->row[f->n].body != NULL;
	}
	db_rows_close(r);
	err = err == ENOENT ? 0 : err;
	for (unsigned k = 0; !err && k < f->n; k++)
		err = db_exec(tx, why, "DELETE FROM node_letter WHERE id = ?1", "s", f->row[k].id);
	return err;
}

static void fetched(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct fetch *f = arg;
	(void)err;
	(void)why;
	if (result != STORE_DONE)
		fetch_free(f);
	else
		next_letter(f);
}

static void on_time(void *arg)
{
	struct cert_post *p = arg;
	tmr_start(p->prm.loop, &p->timer, (int64_t)p->prm.interval_ms, on_time, p);
	if (p->fetching || cert_post_way(p) != CERT_POST_STORE)
		return;
	struct fetch *f = mem_zalloc(1, sizeof *f);
	if (!f)
		return;
	f->p = mem_ref(p);
	p->fetching = true;
	if (store_submit(p->prm.store, STORE_WRITE, fetch_work, fetched, f) != 0)
		fetch_free(f);
}

void post_store_start(struct cert_post *p)
{
	tmr_start(p->prm.loop, &p->timer, (int64_t)p->prm.interval_ms, on_time, p);
}
