/* SPDX-License-Identifier: Apache-2.0 */
/* story_store.c  One job at a time, made of copies: first what was kept is read, then what changes is written. */
#include "gateway/story_store.h"
#include <errno.h>
#include "base/mem.h"
#include "db/db.h"
#include "net/loop.h"
#include "net/tmr.h"

enum { INTERVAL_MS = 5000, WRITE_MAX = 32, OTHERS_MAX = 128, KEEP_DAYS = 30, KEEP_ROWS = 500, READ_EVERY = 3 };

#define COLUMNS \
	"id, node, gateway, peer, host, many, role, flow, transport, step, certainty, verdict, identity, sentence, first_us, last_us, ended_us, times, returns, ended"

struct gw_story_store {
	struct gw_story_store_prm prm;
	char node[TRUST_LABEL_SIZE];
	struct tmr tmr;
	bool busy, loaded, closed;
	unsigned turn;
	struct gw_story *other;
	unsigned n_other;
};

/* What a job carries. The texts of stories are its own. */
struct job {
	struct gw_story_store *s; /* a reference */
	char node[TRUST_LABEL_SIZE];
	int64_t now_us;
	bool load, others;
	struct gw_story out[WRITE_MAX];
	unsigned n_out;
	struct gw_story *in;
	unsigned n_in, max_in;
};

static void texts_free(struct gw_story *st)
{
	mem_free(st->verdict_json);
	mem_free(st->facts_json);
	st->verdict_json = st->facts_json = NULL;
}

static void forget_in(struct job *j)
{
	for (unsigned i = 0; i < j->n_in; i++)
		texts_free(&j->in[i]);
	j->n_in = 0;
}

static void job_free(struct job *j)
{
	for (unsigned i = 0; i < j->n_out; i++)
		texts_free(&j->out[i]);
	forget_in(j);
	mem_free(j->in);
	mem_unref(j->s);
	mem_free(j);
}

/* ---- in the store's thread ---- */

static int write_one(struct db_tx *tx, const struct gw_story *st, struct ev_report *why)
{
	return db_exec(tx, why,
	               "INSERT INTO story (" COLUMNS ", verdict_json, facts_json)"
	               " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22)"
	               " ON CONFLICT (id) DO UPDATE SET host = excluded.host, many = excluded.many, transport = excluded.transport, step = excluded.step,"
	               " certainty = excluded.certainty, sentence = excluded.sentence, first_us = excluded.first_us, last_us = excluded.last_us,"
	               " ended_us = excluded.ended_us, times = excluded.times, returns = excluded.returns, ended = excluded.ended,"
	               " verdict_json = excluded.verdict_json, facts_json = excluded.facts_json",
	               "sssssiiiiiisssiiiiiiss", st->id, st->node, st->gateway, st->peer, st->host, (int64_t)st->many, (int64_t)st->role, (int64_t)st->flow,
	               (int64_t)st->transport, (int64_t)st->step, (int64_t)st->certainty, st->verdict, st->identity, st->sentence, st->first_us, st->last_us,
	               st->ended_us, (int64_t)st->count, (int64_t)st->returns, (int64_t)st->end, st->verdict_json ? st->verdict_json : "",
	               st->facts_json ? st->facts_json : "");
}

/* Old ones, and more than so many of one node. */
static int prune(struct db_tx *tx, const struct job *j, struct ev_report *why)
{
	int err = db_exec(tx, why, "DELETE FROM story WHERE last_us < ?1", "i", j->now_us - (int64_t)KEEP_DAYS * 86400 * 1000000);
	if (err)
		return err;
	return db_exec(tx, why,
	               "DELETE FROM story WHERE node = ?1 AND last_us < (SELECT MIN(last_us) FROM (SELECT last_us FROM story WHERE node = ?1"
	               " ORDER BY last_us DESC LIMIT ?2) AS newest)",
	               "si", j->node, (int64_t)KEEP_ROWS);
}

static bool in_range(int64_t v, int64_t max)
{
	return v >= 0 && v <= max;
}

static bool take_row(const struct db_rows *r, struct gw_story *st)
{
	int64_t role = db_col_int(r, 6), flow = db_col_int(r, 7), transport = db_col_int(r, 8), step = db_col_int(r, 9), certainty = db_col_int(r, 10);
	int64_t ended = db_col_int(r, 19);
	memset(st, 0, sizeof *st);
	if (!in_range(role, TRUST_ACCEPTED) || !in_range(flow, TRUST_FLOW_DIALOG) || !in_range(transport, TRUST_TLS) || !in_range(step, TRUST_STEP_NONE) ||
	    !in_range(certainty, TRUST_SURE) || !in_range(ended, GW_STORY_QUIET))
		return false;
	db_col_copy(r, 0, st->id, sizeof st->id);
	db_col_copy(r, 1, st->node, sizeof st->node);
	db_col_copy(r, 2, st->gateway, sizeof st->gateway);
	db_col_copy(r, 3, st->peer, sizeof st->peer);
	db_col_copy(r, 4, st->host, sizeof st->host);
	st->many = db_col_int(r, 5) != 0;
	st->role = (enum trust_role)role;
	st->flow = (enum trust_flow)flow;
	st->transport = (enum trust_transport)transport;
	st->step = (enum trust_step)step;
	st->certainty = (enum trust_certainty)certainty;
	db_col_copy(r, 11, st->verdict, sizeof st->verdict);
	db_col_copy(r, 12, st->identity, sizeof st->identity);
	db_col_copy(r, 13, st->sentence, sizeof st->sentence);
	st->first_us = db_col_int(r, 14);
	st->last_us = db_col_int(r, 15);
	st->ended_us = db_col_int(r, 16);
	st->count = (uint64_t)db_col_int(r, 17);
	st->returns = (unsigned)db_col_int(r, 18);
	st->end = (enum gw_story_end)ended;
	return true;
}

static char *text_col(const struct db_rows *r, int column)
{
	struct text t = db_col_text(r, column);
	return t.n ? mem_strndup(t.p, t.n) : NULL;
}

static int read_rows(struct db_tx *tx, struct job *j, const char *sql, unsigned max, bool texts, struct ev_report *why)
{
	struct db_rows *r;
	forget_in(j); /* a job may run twice */
	if (!j->in && !(j->in = mem_zalloc(max, sizeof *j->in)))
		return ENOMEM;
	int err = db_query(tx, &r, why, sql, "si", j->node, (int64_t)max);
	if (err)
		return err;
	while (j->n_in < max && (err = db_step(r, why)) == 0) {
		struct gw_story *st = &j->in[j->n_in];
		if (!take_row(r, st))
			continue;
		if (texts) {
			st->verdict_json = text_col(r, 20);
			st->facts_json = text_col(r, 21);
		}
		j->n_in++;
	}
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

static int work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct job *j = arg;
	int err = 0;
	for (unsigned i = 0; i < j->n_out && !err; i++)
		err = write_one(tx, &j->out[i], why);
	if (!err && j->n_out)
		err = prune(tx, j, why);
	if (!err && j->load)
		err = read_rows(tx, j, "SELECT " COLUMNS ", verdict_json, facts_json FROM story WHERE node = ?1 ORDER BY last_us DESC LIMIT ?2",
		                GW_STORIES_OPEN + GW_STORIES_ENDED, true, why);
	else if (!err && j->others)
		err = read_rows(tx, j, "SELECT " COLUMNS " FROM story WHERE node <> ?1 AND ended = 0 ORDER BY last_us DESC LIMIT ?2", OTHERS_MAX, false, why);
	return err;
}

/* ---- on the loop ---- */

static void take_loaded(struct gw_story_store *s, struct job *j)
{
	for (unsigned i = 0; i < j->n_in; i++)
		if (gw_story_restore(s->prm.stories, &j->in[i]))
			j->in[i].verdict_json = j->in[i].facts_json = NULL; /* its own now */
	s->loaded = true;
}

static void take_others(struct gw_story_store *s, struct job *j)
{
	mem_free(s->other);
	s->other = j->in;
	s->n_other = j->n_in;
	j->in = NULL;
	j->n_in = 0;
}

static void done(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct job *j = arg;
	struct gw_story_store *s = j->s;
	(void)err;
	(void)why;
	s->busy = false;
	if (s->closed) {
		job_free(j);
		return;
	}
	if (result != STORE_DONE) {
		for (unsigned i = 0; i < j->n_out; i++)
			gw_story_touch(s->prm.stories, j->out[i].id);
	} else if (j->load) {
		take_loaded(s, j);
	} else if (j->others) {
		take_others(s, j);
	}
	job_free(j);
}

static void copy_out(const struct gw_story *st, void *arg)
{
	struct job *j = arg;
	struct gw_story *o = &j->out[j->n_out++];
	*o = *st;
	o->link = (struct link){ 0 };
	o->verdict_json = st->verdict_json ? mem_strdup(st->verdict_json) : NULL;
	o->facts_json = st->facts_json ? mem_strdup(st->facts_json) : NULL;
}

static void submit(struct gw_story_store *s)
{
	struct job *j = s->busy ? NULL : mem_zalloc(1, sizeof *j);
	if (!j)
		return;
	j->s = mem_ref(s);
	j->now_us = clock_real_us(s->prm.clock);
	text_fill(j->node, sizeof j->node, s->node);
	j->load = !s->loaded;
	j->others = s->turn++ % READ_EVERY == 0;
	if (s->loaded)
		gw_story_dirty(s->prm.stories, WRITE_MAX, copy_out, j);
	if (!j->load && !j->others && !j->n_out) {
		job_free(j);
		return;
	}
	s->busy = true;
	if (store_submit(s->prm.store, j->n_out ? STORE_WRITE : STORE_READ, work, done, j) == 0)
		return;
	s->busy = false;
	for (unsigned i = 0; i < j->n_out; i++)
		gw_story_touch(s->prm.stories, j->out[i].id);
	job_free(j);
}

static void on_time(void *arg)
{
	struct gw_story_store *s = arg;
	tmr_start(s->prm.loop, &s->tmr, s->prm.interval_ms, on_time, s);
	submit(s);
}

static void store_destroy(void *object)
{
	struct gw_story_store *s = object;
	mem_free(s->other);
}

int gw_story_store_create(struct gw_story_store **sp, const struct gw_story_store_prm *prm)
{
	struct gw_story_store *s = mem_object(sizeof *s, store_destroy);
	if (!s)
		return ENOMEM;
	s->prm = *prm;
	if (!s->prm.interval_ms)
		s->prm.interval_ms = INTERVAL_MS;
	text_fill(s->node, sizeof s->node, prm->node ? prm->node : "");
	tmr_start(prm->loop, &s->tmr, 0, on_time, s);
	*sp = s;
	return 0;
}

void gw_story_store_destroy(struct gw_story_store *s)
{
	if (!s)
		return;
	tmr_cancel(&s->tmr);
	submit(s);
	s->closed = true;
	mem_unref(s);
}

unsigned gw_story_store_others(const struct gw_story_store *s)
{
	return s->n_other;
}

const struct gw_story *gw_story_store_other(const struct gw_story_store *s, unsigned i)
{
	return i < s->n_other ? &s->other[i] : NULL;
}

/* ---- one by its id ---- */

struct find {
	char id[ID_SIZE];
	bool found;
	struct gw_story story;
	gw_story_found_h *h;
	void *arg;
};

static int find_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct find *f = arg;
	struct db_rows *r;
	f->found = false;
	texts_free(&f->story);
	int err = db_query_one(tx, &r, why, "SELECT " COLUMNS ", verdict_json, facts_json FROM story WHERE id = ?1", "s", f->id);
	if (err)
		return err == ENOENT ? 0 : err;
	f->found = take_row(r, &f->story);
	if (f->found) {
		f->story.verdict_json = text_col(r, 20);
		f->story.facts_json = text_col(r, 21);
	}
	db_rows_close(r);
	return 0;
}

static void find_done(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct find *f = arg;
	(void)err;
	(void)why;
	f->h(result == STORE_DONE && f->found ? &f->story : NULL, f->arg);
	texts_free(&f->story);
	mem_free(f);
}

int gw_story_store_find(struct gw_story_store *s, const char *id, gw_story_found_h *h, void *arg)
{
	struct find *f = mem_zalloc(1, sizeof *f);
	if (!f)
		return ENOMEM;
	text_fill(f->id, sizeof f->id, id);
	f->h = h;
	f->arg = arg;
	int err = store_submit(s->prm.store, STORE_READ, find_work, find_done, f);
	if (err)
		mem_free(f);
	return err;
}
