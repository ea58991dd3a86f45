/* SPDX-License-Identifier: Apache-2.0 */
/* shared.c  One job every few seconds: write what changed here, read what the others wrote. A job that fails is simply missing: the
 * rows are written by the next one.                                                                                     */
#include "gateway/shared.h"
#include <errno.h>
#include "base/mem.h"
#include "db/db.h"
#include "gateway/gateway_private.h"
#include "net/tmr.h"

enum { INTERVAL_MS = 5000, ROWS_MAX = 512, OWN_MAX = 256, KEEP_DAYS = 7, AGAIN_S = 60 };

struct gw_shared {
	struct gw_shared_prm prm;
	char node[65];
	struct tmr tmr;
	bool busy, closed;
	struct gw_shared_flow *row; /* of the others */
	unsigned n;
};

/* A job carries copies: the table may change while it runs. */
struct sync {
	struct gw_shared *s; /* a reference */
	char node[65];
	int64_t now_us;
	struct gw_shared_flow own[OWN_MAX];
	unsigned n_own;
	struct gw_shared_flow other[ROWS_MAX];
	unsigned n_other;
};

static int write_own(struct db_tx *tx, const struct sync *y, struct ev_report *why)
{
	int err = 0;
	for (unsigned i = 0; i < y->n_own && !err; i++) {
		const struct gw_shared_flow *f = &y->own[i];
		err = db_exec(tx, why,
		              "INSERT INTO gateway_flow (node, gateway, flow, works, state, at_us, worked_us, failed_us, verdict, certainty, sentence)"
		              " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11) ON CONFLICT (node, gateway, flow) DO UPDATE SET works = excluded.works,"
		              " state = excluded.state, at_us = excluded.at_us, worked_us = excluded.worked_us, failed_us = excluded.failed_us,"
		              " verdict = excluded.verdict, certainty = excluded.certainty, sentence = excluded.sentence",
		              "ssiiiiiisss", y->node, f->gateway, (int64_t)f->flow, (int64_t)f->works, (int64_t)f->state, f->at_us, f->worked_us, f->failed_us,
		              f->verdict, f->certainty, f->sentence);
	}
	/* what nobody wrote for a week belongs to a node or a gateway that is gone */
	return err ? err : db_exec(tx, why, "DELETE FROM gateway_flow WHERE at_us < ?1", "i", y->now_us - (int64_t)KEEP_DAYS * 86400 * 1000000);
}

static void take_row(struct sync *y, const struct db_rows *r)
{
	struct gw_shared_flow *f = &y->other[y->n_other];
	int64_t flow = db_col_int(r, 2), works = db_col_int(r, 3), state = db_col_int(r, 4);
	memset(f, 0, sizeof *f);
	if (flow < 0 || flow >= GW_FLOWS || works < 0 || works > GW_REFUSED || state < 0 || state > GW_DOWN)
		return;
	db_col_copy(r, 0, f->node, sizeof f->node);
	db_col_copy(r, 1, f->gateway, sizeof f->gateway);
	f->flow = (enum gw_flow_kind)flow;
	f->works = (enum gw_works)works;
	f->state = (enum gw_state)state;
	f->at_us = db_col_int(r, 5);
	f->worked_us = db_col_int(r, 6);
	f->failed_us = db_col_int(r, 7);
	db_col_copy(r, 8, f->verdict, sizeof f->verdict);
	db_col_copy(r, 9, f->certainty, sizeof f->certainty);
	db_col_copy(r, 10, f->sentence, sizeof f->sentence);
	y->n_other++;
}

static int read_others(struct db_tx *tx, struct sync *y, struct ev_report *why)
{
	struct db_rows *r;
	y->n_other = 0;
	int err = db_query(tx, &r, why,
	                   "SELECT node, gateway, flow, works, state, at_us, worked_us, failed_us, verdict, certainty, sentence FROM gateway_flow"
	                   " WHERE node <> ?1 ORDER BY node, gateway, flow",
	                   "s", y->node);
	if (err)
		return err;
	while (y->n_other < ROWS_MAX && (err = db_step(r, why)) == 0)
		take_row(y, r);
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

static int sync_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct sync *y = arg;
	int err = y->n_own ? write_own(tx, y, why) : 0;
	return err ? err : read_others(tx, y, why);
}

/* What was written is not written again; it may have changed meanwhile, so what counts is what the job carried. */
static void mark_written(struct gw_shared *s, const struct sync *y)
{
	for (unsigned i = 0; i < y->n_own; i++) {
		const struct gw_shared_flow *f = &y->own[i];
		struct gateway *g = gw_find(s->prm.table, f->gateway);
		if (!g)
			continue;
		struct gw_told *t = &g->told[f->flow];
		t->works = f->works;
		t->state = f->state;
		t->at_us = f->at_us;
		text_fill(t->verdict, sizeof t->verdict, f->verdict);
	}
}

/* A change is news at once, a mere repetition once a minute. */
static bool is_news(const struct gateway *g, enum gw_flow_kind f)
{
	const struct gw_flow_state *st = gw_flow_state(g, f);
	const struct gw_told *t = &g->told[f];
	if (!st->at_us)
		return false;
	return t->works != st->works || t->state != gw_state(g) || strcmp(t->verdict, st->verdict.name) != 0 ||
	       st->at_us - t->at_us > (int64_t)AGAIN_S * 1000000;
}

static void take_others(struct gw_shared *s, const struct sync *y)
{
	struct gw_shared_flow *row = y->n_other ? mem_alloc(y->n_other * sizeof *row) : NULL;
	if (y->n_other && !row)
		return;
	if (row)
		memcpy(row, y->other, y->n_other * sizeof *row);
	mem_free(s->row);
	s->row = row;
	s->n = y->n_other;
}

static void synced(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct sync *y = arg;
	struct gw_shared *s = y->s;
	(void)err;
	(void)why;
	s->busy = false;
	if (result == STORE_DONE && !s->closed) {
		mark_written(s, y);
		take_others(s, y);
	}
	mem_free(y);
	mem_unref(s);
}

static void fill_own(struct sync *y, const struct gateway *g, enum gw_flow_kind f)
{
	const struct gw_flow_state *st = gw_flow_state(g, f);
	struct gw_shared_flow *o = &y->own[y->n_own++];
	text_fill(o->gateway, sizeof o->gateway, gw_name(g));
	o->flow = f;
	o->works = st->works;
	o->state = gw_state(g);
	o->at_us = st->at_us;
	o->worked_us = st->worked_us;
	o->failed_us = st->failed_us;
	text_fill(o->verdict, sizeof o->verdict, st->verdict.name);
	text_fill(o->certainty, sizeof o->certainty, trust_certainty_name(st->verdict.certainty));
	if (st->works == GW_REFUSED)
		text_escape(text_of(st->verdict.sentence), o->sentence, sizeof o->sentence);
}

static void collect(struct sync *y, struct gw_table *t)
{
	for (unsigned i = 0; i < gw_count(t); i++) {
		struct gateway *g = gw_at(t, i);
		for (int f = 0; f < GW_FLOWS && y->n_own < OWN_MAX; f++)
			if (is_news(g, (enum gw_flow_kind)f))
				fill_own(y, g, (enum gw_flow_kind)f);
	}
}

static void on_time(void *arg)
{
	struct gw_shared *s = arg;
	tmr_start(s->prm.loop, &s->tmr, s->prm.interval_ms, on_time, s);
	struct sync *y = s->busy ? NULL : mem_zalloc(1, sizeof *y);
	if (!y)
		return;
	y->s = mem_ref(s);
	y->now_us = clock_real_us(s->prm.clock);
	text_fill(y->node, sizeof y->node, s->node);
	collect(y, s->prm.table);
	s->busy = true;
	if (store_submit(s->prm.store, y->n_own ? STORE_WRITE : STORE_READ, sync_work, synced, y) == 0)
		return;
	s->busy = false;
	mem_free(y);
	mem_unref(s);
}

static void shared_destroy(void *object)
{
	struct gw_shared *s = object;
	mem_free(s->row);
}

int gw_shared_create(struct gw_shared **sp, const struct gw_shared_prm *prm)
{
	struct gw_shared *s = mem_object(sizeof *s, shared_destroy);
	if (!s)
		return ENOMEM;
	s->prm = *prm;
	if (!s->prm.interval_ms)
		s->prm.interval_ms = INTERVAL_MS;
	text_fill(s->node, sizeof s->node, prm->node);
	tmr_start(prm->loop, &s->tmr, s->prm.interval_ms / 5, on_time, s);
	*sp = s;
	return 0;
}

void gw_shared_destroy(struct gw_shared *s)
{
	if (!s)
		return;
	tmr_cancel(&s->tmr);
	s->closed = true;
	mem_unref(s);
}

unsigned gw_shared_count(const struct gw_shared *s)
{
	return s->n;
}

const struct gw_shared_flow *gw_shared_at(const struct gw_shared *s, unsigned i)
{
	return &s->row[i];
}
