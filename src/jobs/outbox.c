/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.c  The worker: takes rows when kicked or by time, hands them to the handler of their kind, and writes down how it ended.
 *
 *   kick, poll -> take (store) -> handler -> outbox_finish -> write (store) -> next take
 *
 * What could not be written down (the store is away) is kept and tried at the next poll; if the node dies before, the lease gives
 * the row back: done at least once.                                                                                      */
#include "jobs/outbox.h"
#include <errno.h>
#include "base/list.h"
#include "base/mem.h"
#include "base/rand.h"
#include "jobs/outbox_private.h"
#include "jobs_events.h"
#include "net/tmr.h"

struct kind {
	char name[65];
	outbox_h *h;
	void *arg;
};

/* A row that a handler works on. */
struct trial {
	struct link link;
	uint64_t handle;
	struct outbox_row row; /* texts owned */
};

struct outbox {
	struct outbox_prm prm;
	char node[65];
	struct kind kinds[OUTBOX_KINDS];
	unsigned n_kinds;
	struct tmr poll;
	struct list trials, unwritten;
	unsigned n_trials;
	uint64_t last_handle;
	bool on, closed, taking, again;
	struct metric *m_done, *m_later, *m_never;
};

static void trial_free(struct trial *t)
{
	list_remove(&t->link);
	mem_free(t->row.kind);
	mem_free(t->row.key);
	mem_free(t->row.body);
	mem_free(t);
}

static void gone(void *p)
{
	struct outbox *o = p;
	struct link *e;
	while ((e = list_first(&o->trials)) != NULL)
		trial_free(LIST_ENTRY(e, struct trial, link));
}

static void take(struct outbox *o);

/* ---- writing down ---- */

static void written(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct outbox_finish *f = arg;
	struct outbox *o = f->o;
	(void)err;
	(void)why;
	if (result != STORE_DONE && !o->closed) {
		list_append(&o->unwritten, &f->link);
		return;
	}
	mem_free(f);
	if (!o->closed)
		take(o);
	mem_unref(o);
}

static void write_down(struct outbox *o, struct outbox_finish *f)
{
	if (store_submit(o->prm.store, STORE_WRITE, outbox_finish_work, written, f))
		list_append(&o->unwritten, &f->link);
}

static void write_again(struct outbox *o)
{
	struct list all;
	struct link *e;
	list_init(&all);
	while ((e = list_pop(&o->unwritten)) != NULL)
		list_append(&all, e);
	while ((e = list_pop(&all)) != NULL)
		write_down(o, LIST_ENTRY(e, struct outbox_finish, link));
}

/* ---- trying ---- */

static const struct kind *kind_of(const struct outbox *o, const char *name)
{
	for (unsigned i = 0; i < o->n_kinds; i++)
		if (strcmp(o->kinds[i].name, name) == 0)
			return &o->kinds[i];
	return NULL;
}

static void try_row(struct outbox *o, struct outbox_row *row)
{
	const struct kind *k = kind_of(o, row->kind);
	struct trial *t = mem_zalloc(1, sizeof *t);
	if (!t || !k) {
		mem_free(t); /* without memory the lease gives it back */
		return;
	}
	t->row = *row;
	*row = (struct outbox_row){ 0 };
	t->handle = ++o->last_handle;
	list_append(&o->trials, &t->link);
	o->n_trials++;
	struct outbox_item item = { t->handle, t->row.kind, t->row.key, t->row.body, t->row.tries, t->row.created_us };
	k->h(&item, k->arg);
}

static void taken(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct outbox_take *t = arg;
	struct outbox *o = t->o;
	(void)err;
	(void)why;
	o->taking = false;
	bool full = t->n == t->max;
	if (result == STORE_DONE && !o->closed)
		for (unsigned i = 0; i < t->n && !o->closed; i++)
			if (t->rows[i].ours)
				try_row(o, &t->rows[i]);
	outbox_rows_free(t);
	mem_free(t);
	if (!o->closed && result == STORE_DONE && (o->again || full))
		take(o);
	mem_unref(o);
}

static void take(struct outbox *o)
{
	if (!o->on || o->n_trials >= o->prm.parallel)
		return;
	if (o->taking) {
		o->again = true;
		return;
	}
	struct outbox_take *t = mem_zalloc(1, sizeof *t);
	if (!t)
		return;
	o->again = false;
	t->o = mem_ref(o);
	memcpy(t->node, o->node, sizeof t->node);
	for (; t->n_kinds < o->n_kinds; t->n_kinds++)
		t->kinds[t->n_kinds] = o->kinds[t->n_kinds].name;
	t->lease_us = (int64_t)o->prm.lease_ms * 1000;
	t->max = o->prm.parallel - o->n_trials;
	o->taking = true;
	if (store_submit(o->prm.store, STORE_WRITE, outbox_take_work, taken, t)) {
		o->taking = false;
		mem_unref(o);
		mem_free(t);
	}
}

static void on_poll(void *arg)
{
	struct outbox *o = arg;
	tmr_start(o->prm.loop, &o->poll, (int64_t)o->prm.poll_ms, on_poll, o);
	write_again(o);
	take(o);
}

/* ---- how it ended ---- */

static uint64_t pause_ms(const struct outbox *o, unsigned tries)
{
	uint64_t ms = o->prm.backoff_min_ms;
	for (unsigned i = 1; i < tries && ms < o->prm.backoff_max_ms; i++)
		ms *= 2;
	if (ms > o->prm.backoff_max_ms)
		ms = o->prm.backoff_max_ms;
	return ms - ms / 10 + rand_below((uint32_t)(ms / 5 + 1)); /* so that many do not come back together */
}

static void tell(struct outbox *o, const struct trial *t, enum outbox_verdict v, uint64_t pause, const char *error)
{
	struct ev_report *r = o->prm.bus ? mem_zalloc(1, sizeof *r) : NULL;
	if (!r)
		return;
	ev_set(r, v == OUTBOX_LATER ? EV_OUTBOX_LATER : EV_OUTBOX_FAILED);
	ev_str(r, "kind", t->row.kind);
	ev_str(r, "key", t->row.key);
	ev_int(r, "tries", t->row.tries);
	ev_int(r, "seconds", (int64_t)(pause + 999) / 1000);
	ev_str(r, "error", error);
	ev_emit(o->prm.bus, r);
	mem_free(r);
}

static struct trial *trial_of(struct outbox *o, uint64_t handle)
{
	LIST_FOREACH (&o->trials, it)
		if (LIST_ENTRY(it, struct trial, link)->handle == handle)
			return LIST_ENTRY(it, struct trial, link);
	return NULL;
}

void outbox_finish(struct outbox *o, uint64_t handle, enum outbox_verdict verdict, const char *error)
{
	struct trial *t = trial_of(o, handle);
	if (!t)
		return;
	int64_t now = clock_real_us(o->prm.clock);
	uint64_t pause = pause_ms(o, t->row.tries);
	if (verdict == OUTBOX_LATER && now - t->row.created_us > (int64_t)o->prm.give_up_ms * 1000)
		verdict = OUTBOX_NEVER;
	metric_add(verdict == OUTBOX_DONE ? o->m_done : verdict == OUTBOX_LATER ? o->m_later : o->m_never, 1);
	if (verdict != OUTBOX_DONE)
		tell(o, t, verdict, pause, error ? error : "");
	struct outbox_finish *f = mem_zalloc(1, sizeof *f);
	if (f) {
		f->o = mem_ref(o);
		memcpy(f->id, t->row.id, sizeof f->id);
		memcpy(f->node, o->node, sizeof f->node);
		text_fill(f->error, sizeof f->error, error ? error : "");
		f->version = t->row.version;
		f->pause_us = (int64_t)pause * 1000;
		f->verdict = verdict;
	}
	trial_free(t);
	o->n_trials--;
	if (f)
		write_down(o, f);
}

/* ---- life ---- */

int outbox_create(struct outbox **op, const struct outbox_prm *prm)
{
	struct outbox *o = mem_object(sizeof *o, gone);
	if (!o)
		return ENOMEM;
	o->prm = *prm;
	text_fill(o->node, sizeof o->node, prm->node);
	o->prm.node = o->node;
	o->prm.poll_ms = prm->poll_ms ? prm->poll_ms : 2000;
	o->prm.lease_ms = prm->lease_ms ? prm->lease_ms : 60000;
	o->prm.backoff_min_ms = prm->backoff_min_ms ? prm->backoff_min_ms : 5000;
	o->prm.backoff_max_ms = prm->backoff_max_ms ? prm->backoff_max_ms : 900000;
	o->prm.give_up_ms = prm->give_up_ms ? prm->give_up_ms : 72ull * 3600 * 1000;
	o->prm.parallel = prm->parallel ? prm->parallel : 8;
	if (o->prm.parallel > OUTBOX_PARALLEL_MAX)
		o->prm.parallel = OUTBOX_PARALLEL_MAX;
	list_init(&o->trials);
	list_init(&o->unwritten);
	o->m_done = metric_get(prm->metrics, METRIC_COUNTER, "umbel_outbox_total", "verdict=\"done\"", "Ends of outbox tries");
	o->m_later = metric_get(prm->metrics, METRIC_COUNTER, "umbel_outbox_total", "verdict=\"later\"", "Ends of outbox tries");
	o->m_never = metric_get(prm->metrics, METRIC_COUNTER, "umbel_outbox_total", "verdict=\"never\"", "Ends of outbox tries");
	*op = o;
	return 0;
}

void outbox_destroy(struct outbox *o)
{
	if (!o)
		return;
	o->closed = true;
	o->on = false;
	tmr_cancel(&o->poll);
	struct link *e;
	while ((e = list_pop(&o->unwritten)) != NULL) {
		mem_free(LIST_ENTRY(e, struct outbox_finish, link));
		mem_unref(o);
	}
	mem_unref(o);
}

int outbox_on(struct outbox *o, const char *kind, outbox_h *h, void *arg)
{
	if (kind_of(o, kind))
		return EEXIST;
	if (o->n_kinds == OUTBOX_KINDS)
		return ENOSPC;
	struct kind *k = &o->kinds[o->n_kinds++];
	text_fill(k->name, sizeof k->name, kind);
	k->h = h;
	k->arg = arg;
	return 0;
}

void outbox_start(struct outbox *o)
{
	o->on = true;
	on_poll(o);
}

void outbox_stop(struct outbox *o)
{
	o->on = false;
}

void outbox_kick(struct outbox *o)
{
	take(o);
}

unsigned outbox_running(const struct outbox *o)
{
	return o->n_trials;
}
