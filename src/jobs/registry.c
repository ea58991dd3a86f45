/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c  Heartbeats by timer; a beat that the store does not take is simply missing. */
#include "jobs/registry.h"
#include <errno.h>
#include "base/list.h"
#include "base/mem.h"
#include "jobs_events.h"
#include "net/tmr.h"

enum { NODES_MAX = 64, CARD_MAX = 1 << 20, ALONE_MS = 5000, SHARED_MS = 1000, SKEW_SURE_US = 200000 };

/* Another node as the beats see it. */
struct sibling {
	char name[65];
	int64_t ago_us, limit_us;
	bool silent, stopped;
	bool untold; /* was silent when we began: whoever is missed by us must have been seen by us */
};

struct registry {
	struct registry_prm prm;
	struct registry_node me;
	struct tmr tmr;
	char *card;              /* NULL: nothing to say */
	unsigned card_version, card_written;
	bool beating, again, closed, told_twice;
	int64_t store_us;        /* of the last beat that was written, by the store; 0: none yet */
	int64_t back_us;         /* since then our beats are written without a gap */
	struct sibling silent[NODES_MAX]; /* not back yet */
	size_t n_silent;
};

struct beat {
	struct registry *r; /* a reference */
	struct registry_node me;
	int64_t other_started_us; /* found in the row: somebody else's life */
	char *card;               /* a copy; NULL: it stands there already */
	unsigned card_version;
	const struct um_clock *clock;
	int64_t interval_ms;
	struct sibling other[NODES_MAX];
	size_t n;
};

/* When a node that beats so often counts as silent. */
static int64_t limit_us(int64_t interval_ms)
{
	return interval_ms * 3500;
}

/* The same for a row. One that another release wrote may have its interval from ours, from before it went back: releases that do not know of
 * intervals leave it, and beat every ALONE_MS. */
static int64_t limit_of(int64_t interval_ms, struct text version, const char *ours)
{
	return limit_us(!text_is(version, ours) && interval_ms < ALONE_MS ? ALONE_MS : interval_ms);
}

/* The store's time, and how far ours is from it; a store that took long to answer says nothing of our clock. */
static int ask_time(struct db_tx *tx, struct beat *b, struct ev_report *why)
{
	int64_t before_us = clock_real_us(b->clock);
	int err = db_now(tx, &b->me.beat_us, why);
	int64_t after_us = clock_real_us(b->clock);
	if (!err && after_us - before_us < SKEW_SURE_US)
		b->me.skew_us = before_us + (after_us - before_us) / 2 - b->me.beat_us;
	return err;
}

static int look_at_others(struct db_tx *tx, struct beat *b, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query(tx, &r, why, "SELECT name, state, beat_us, interval_ms, version FROM node WHERE name <> ?1 ORDER BY name", "s", b->me.name);
	if (err)
		return err;
	for (b->n = 0; b->n < NODES_MAX && (err = db_step(r, why)) == 0; b->n++) {
		struct sibling *o = &b->other[b->n];
		db_col_copy(r, 0, o->name, sizeof o->name);
		o->stopped = text_is(db_col_text(r, 1), "stopped");
		o->ago_us = b->me.beat_us - db_col_int(r, 2);
		o->limit_us = limit_of(db_col_int(r, 3), db_col_text(r, 4), b->me.version);
		o->silent = o->ago_us >= o->limit_us;
	}
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

static int beat_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct beat *b = arg;
	struct db_rows *r;
	b->other_started_us = 0;
	int err = ask_time(tx, b, why);
	if (!err)
		err = look_at_others(tx, b, why);
	if (err)
		return err;
	err = db_query_one(tx, &r, why, "SELECT started_us FROM node WHERE name = ?1", "s", b->me.name);
	if (!err) {
		b->other_started_us = db_col_int(r, 0);
		db_rows_close(r);
	} else if (err != ENOENT) {
		return err;
	}
	if (b->card)
		err = db_exec(tx, why, "INSERT INTO node_card (node, at_us, body) VALUES (?1,?2,?3) ON CONFLICT (node) DO UPDATE SET at_us = excluded.at_us,"
			" body = excluded.body", "sis", b->me.name, b->me.beat_us, b->card);
	if (b->card && err)
		return err;
	return db_exec(tx, why, "INSERT INTO node (name, fqdn, version, state, reason, started_us, beat_us, calls, skew_us, max_calls, revision, objects,"
		" interval_ms, listen) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)"
		" ON CONFLICT (name) DO UPDATE SET fqdn = excluded.fqdn, version = excluded.version, state = excluded.state, reason = excluded.reason,"
		" started_us = excluded.started_us, beat_us = excluded.beat_us, calls = excluded.calls, skew_us = excluded.skew_us,"
		" max_calls = excluded.max_calls, revision = excluded.revision, objects = excluded.objects, interval_ms = excluded.interval_ms,"
		" listen = excluded.listen",
		"sssssiiiiiisis", b->me.name, b->me.fqdn, b->me.version, b->me.state, b->me.reason, b->me.started_us, b->me.beat_us, b->me.calls, b->me.skew_us,
		b->me.max_calls, b->me.revision, b->me.objects, b->interval_ms, b->me.listen);
}

static void beat(struct registry *r);

/* A row whose start is younger than ours was written by another process of our name. */
static void look_for_twin(struct registry *r, const struct beat *b)
{
	if (b->other_started_us <= r->me.started_us || r->told_twice || !r->prm.bus)
		return;
	struct ev_report *why = mem_zalloc(1, sizeof *why);
	if (!why)
		return;
	ev_set(why, EV_NODE_NAME_TWICE);
	ev_str(why, "node", r->me.name);
	ev_emit(r->prm.bus, why);
	mem_free(why);
	r->told_twice = true;
}

static void tell_of(const struct registry *r, uint16_t id, const struct sibling *o)
{
	struct ev_report *e = r->prm.bus ? mem_zalloc(1, sizeof *e) : NULL;
	if (!e)
		return;
	ev_set(e, id);
	ev_str(e, "node", r->me.name);
	ev_str(e, "other", o->name);
	ev_int(e, "ago_ms", o->ago_us / 1000);
	ev_emit(r->prm.bus, e);
	mem_free(e);
}

static size_t known_silent(const struct registry *r, const char *name)
{
	size_t i = 0;
	while (i < r->n_silent && strcmp(r->silent[i].name, name) != 0)
		i++;
	return i;
}

/* A node that had lost the store itself knows nothing of the others' silence: theirs may have had the same cause as its own, and they may need
 * longer to come back. So a gap of ours gives each of them its whole limit anew. Their last sign may be one interval older than ours: a gap counts
 * from one interval less than the limit. */
static void look_for_silence(struct registry *r, const struct beat *b)
{
	bool first = !r->store_us;
	if (first || b->me.beat_us - r->store_us >= limit_us(b->interval_ms) - b->interval_ms * 1000)
		r->back_us = b->me.beat_us;
	r->store_us = b->me.beat_us;
	r->me.skew_us = b->me.skew_us;
	for (size_t i = 0; i < b->n; i++) {
		const struct sibling *o = &b->other[i];
		size_t known = known_silent(r, o->name);
		if (known < r->n_silent && (!o->silent || o->stopped)) {
			bool untold = r->silent[known].untold;
			r->silent[known] = r->silent[--r->n_silent];
			if (!o->stopped && !untold)
				tell_of(r, EV_NODE_BACK, o);
		} else if (known == r->n_silent && known < NODES_MAX && o->silent && !o->stopped && (first || b->me.beat_us - r->back_us >= o->limit_us)) {
			r->silent[r->n_silent] = *o;
			r->silent[r->n_silent++].untold = first;
			if (!first)
				tell_of(r, EV_NODE_SILENT, o);
		}
	}
}

static void beaten(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct beat *b = arg;
	struct registry *r = b->r;
	(void)err;
	(void)why;
	r->beating = false;
	if (result == STORE_DONE) {
		look_for_twin(r, b);
		look_for_silence(r, b);
	}
	if (result == STORE_DONE && b->card)
		r->card_written = b->card_version;
	mem_free(b->card);
	mem_free(b);
	if (r->again && !r->closed)
		beat(r);
	mem_unref(r);
}

static void beat(struct registry *r)
{
	if (r->beating) {
		r->again = true;
		return;
	}
	struct beat *b = mem_zalloc(1, sizeof *b);
	if (!b)
		return;
	r->again = false;
	b->me = r->me;
	b->clock = r->prm.clock;
	b->interval_ms = (int64_t)r->prm.interval_ms;
	b->r = mem_ref(r);
	if (r->card && r->card_written != r->card_version) {
		b->card = mem_strdup(r->card); /* without memory: with the next beat */
		b->card_version = r->card_version;
	}
	r->beating = true;
	if (store_submit(r->prm.store, STORE_WRITE, beat_work, beaten, b)) {
		r->beating = false;
		mem_unref(r);
		mem_free(b->card);
		mem_free(b);
	}
}

static void on_time(void *arg)
{
	struct registry *r = arg;
	tmr_start(r->prm.loop, &r->tmr, (int64_t)r->prm.interval_ms, on_time, r);
	beat(r);
}

static void destroy(void *object)
{
	struct registry *r = object;
	mem_free(r->card);
}

int registry_create(struct registry **rp, const struct registry_prm *prm)
{
	struct registry *r = mem_object(sizeof *r, destroy);
	if (!r)
		return ENOMEM;
	r->prm = *prm;
	r->prm.interval_ms = prm->interval_ms ? prm->interval_ms : strcmp(store_engine(prm->store), "sqlite") == 0 ? ALONE_MS : SHARED_MS;
	r->me.max_calls = prm->max_calls;
	text_fill(r->me.name, sizeof r->me.name, prm->node);
	text_fill(r->me.fqdn, sizeof r->me.fqdn, prm->fqdn ? prm->fqdn : "");
	text_fill(r->me.version, sizeof r->me.version, prm->version ? prm->version : "");
	text_fill(r->me.listen, sizeof r->me.listen, prm->listen ? prm->listen : "");
	text_fill(r->me.state, sizeof r->me.state, "not-ready");
	r->me.started_us = clock_real_us(prm->clock);
	on_time(r);
	*rp = r;
	return 0;
}

void registry_destroy(struct registry *r)
{
	if (!r)
		return;
	tmr_cancel(&r->tmr);
	text_fill(r->me.state, sizeof r->me.state, "stopped");
	r->me.reason[0] = 0;
	r->me.calls = 0;
	r->beating = false; /* one more, behind the one under way */
	beat(r);
	r->closed = true;
	mem_unref(r);
}

void registry_say(struct registry *r, const char *state, const char *reason, int64_t calls)
{
	bool news = strcmp(r->me.state, state) != 0 || strcmp(r->me.reason, reason ? reason : "") != 0;
	text_fill(r->me.state, sizeof r->me.state, state);
	text_fill(r->me.reason, sizeof r->me.reason, reason ? reason : "");
	r->me.calls = calls;
	if (news)
		beat(r);
}

void registry_serves(struct registry *r, int64_t revision, const char *objects)
{
	bool news = r->me.revision != revision || strcmp(r->me.objects, objects ? objects : "") != 0;
	r->me.revision = revision;
	text_fill(r->me.objects, sizeof r->me.objects, objects ? objects : "");
	if (news)
		beat(r);
}

int registry_card(struct registry *r, const char *body)
{
	char *copy = mem_strdup(body);
	if (!copy)
		return ENOMEM;
	if (r->card && strcmp(r->card, copy) == 0) {
		mem_free(copy);
		return 0;
	}
	mem_free(r->card);
	r->card = copy;
	r->card_version++;
	beat(r);
	return 0;
}

/* ---- the list ---- */

struct listing {
	struct registry *r; /* a reference */
	registry_list_h *h;
	void *arg;
	char self[65];
	bool cards, always;
	struct registry_node v[NODES_MAX];
	char *card[NODES_MAX];
	size_t n;
};

static int read_card(struct listing *l, struct db_rows *r, size_t i)
{
	struct text t = db_col_text(r, 14);
	if (!l->cards || !t.n || t.n > CARD_MAX)
		return 0;
	mem_free(l->card[i]); /* of a try that was rolled back */
	l->card[i] = text_dup(t);
	l->v[i].card = l->card[i];
	return l->card[i] ? 0 : ENOMEM;
}

#define OF_NODES "SELECT n.name, n.fqdn, n.version, n.state, n.reason, n.started_us, n.beat_us, n.calls," \
	" n.skew_us, n.max_calls, n.revision, n.objects, n.interval_ms, n.listen, "

static void read_node(const struct db_rows *r, struct registry_node *v, int64_t now_us, const char *ours)
{
	db_col_copy(r, 0, v->name, sizeof v->name);
	db_col_copy(r, 1, v->fqdn, sizeof v->fqdn);
	db_col_copy(r, 2, v->version, sizeof v->version);
	db_col_copy(r, 3, v->state, sizeof v->state);
	db_col_copy(r, 4, v->reason, sizeof v->reason);
	v->started_us = db_col_int(r, 5);
	v->beat_us = db_col_int(r, 6);
	v->calls = db_col_int(r, 7);
	v->skew_us = db_col_int(r, 8);
	v->max_calls = db_col_int(r, 9);
	v->revision = db_col_int(r, 10);
	db_col_copy(r, 11, v->objects, sizeof v->objects);
	db_col_copy(r, 13, v->listen, sizeof v->listen);
	v->ago_us = now_us - v->beat_us;
	v->alive = v->ago_us < limit_of(db_col_int(r, 12), text_of(v->version), ours) && strcmp(v->state, "stopped") != 0;
}

int registry_read(struct db_tx *tx, const char *ours, struct registry_node *v, size_t max, size_t *n, struct ev_report *why)
{
	struct db_rows *r;
	int64_t now_us = 0;
	*n = 0;
	int err = db_now(tx, &now_us, why);
	if (!err)
		err = db_query(tx, &r, why, OF_NODES "'' FROM node n WHERE n.name IN (SELECT name FROM node ORDER BY beat_us DESC, name LIMIT ?1) ORDER BY n.name", "i",
			(int64_t)max);
	if (err)
		return err;
	for (; *n < max && (err = db_step(r, why)) == 0; (*n)++)
		read_node(r, &v[*n], now_us, ours);
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

static int list_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct listing *l = arg;
	struct db_rows *r;
	int64_t now_us = 0;
	int err = db_now(tx, &now_us, why);
	if (err)
		return err;
	err = db_query(tx, &r, why, OF_NODES "c.body FROM node n LEFT JOIN node_card c ON c.node = n.name ORDER BY n.name", "");
	if (err)
		return err;
	for (l->n = 0; l->n < NODES_MAX && (err = db_step(r, why)) == 0; l->n++) {
		struct registry_node *v = &l->v[l->n];
		read_node(r, v, now_us, l->r->me.version);
		v->self = strcmp(v->name, l->self) == 0;
		err = read_card(l, r, l->n);
		if (err)
			break;
	}
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

static void free_listing(struct listing *l)
{
	for (size_t i = 0; i < NODES_MAX; i++)
		mem_free(l->card[i]);
	mem_free(l);
}

static void listed(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct listing *l = arg;
	(void)result;
	(void)why;
	if (!l->r->closed)
		l->h(err, l->v, err ? 0 : l->n, l->arg);
	else if (l->always)
		l->h(ECANCELED, l->v, 0, l->arg);
	mem_unref(l->r);
	free_listing(l);
}

static int ask(struct registry *r, bool cards, bool always, registry_list_h *h, void *arg)
{
	struct listing *l = mem_zalloc(1, sizeof *l);
	if (!l)
		return ENOMEM;
	l->r = mem_ref(r);
	l->h = h;
	l->arg = arg;
	l->cards = cards;
	l->always = always;
	text_fill(l->self, sizeof l->self, r->me.name);
	int err = store_submit(r->prm.store, STORE_READ, list_work, listed, l);
	if (err) {
		mem_unref(r);
		mem_free(l);
	}
	return err;
}

int registry_list(struct registry *r, registry_list_h *h, void *arg)
{
	return ask(r, false, false, h, arg);
}

int registry_list_always(struct registry *r, registry_list_h *h, void *arg)
{
	return ask(r, false, true, h, arg);
}

int registry_cards(struct registry *r, registry_list_h *h, void *arg)
{
	return ask(r, true, true, h, arg);
}
