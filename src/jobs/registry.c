/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c  Heartbeats by timer; a beat that the store does not take is simply missing. */
#include "jobs/registry.h"
#include <errno.h>
#include "base/list.h"
#include "base/mem.h"
#include "jobs_events.h"
#include "net/tmr.h"

enum { NODES_MAX = 64, CARD_MAX = 1 << 20 };

struct registry {
	struct registry_prm prm;
	struct registry_node me;
	struct tmr tmr;
	char *card;              /* NULL: nothing to say */
	unsigned card_version, card_written;
	bool beating, again, closed, told_twice;
};

struct beat {
	struct registry *r; /* a reference */
	struct registry_node me;
	int64_t other_started_us; /* found in the row: somebody else's life */
	char *card;               /* a copy; NULL: it stands there already */
	unsigned card_version;
};

static int beat_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct beat *b = arg;
	struct db_rows *r;
	b->other_started_us = 0;
	int err = db_now(tx, &b->me.beat_us, why);
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
	return db_exec(tx, why, "INSERT INTO node (name, fqdn, version, state, reason, started_us, beat_us, calls) VALUES (?1,?2,?3,?4,?5,?6,?7,?8)"
		" ON CONFLICT (name) DO UPDATE SET fqdn = excluded.fqdn, version = excluded.version, state = excluded.state, reason = excluded.reason,"
		" started_us = excluded.started_us, beat_us = excluded.beat_us, calls = excluded.calls", "sssssiii", b->me.name, b->me.fqdn,
		b->me.version, b->me.state, b->me.reason, b->me.started_us, b->me.beat_us, b->me.calls);
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

static void beaten(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct beat *b = arg;
	struct registry *r = b->r;
	(void)err;
	(void)why;
	r->beating = false;
	if (result == STORE_DONE)
		look_for_twin(r, b);
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
	r->prm.interval_ms = prm->interval_ms ? prm->interval_ms : 5000;
	text_fill(r->me.name, sizeof r->me.name, prm->node);
	text_fill(r->me.fqdn, sizeof r->me.fqdn, prm->fqdn ? prm->fqdn : "");
	text_fill(r->me.version, sizeof r->me.version, prm->version ? prm->version : "");
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
	int64_t now_us, limit_us;
	char self[65];
	bool cards;
	struct registry_node v[NODES_MAX];
	char *card[NODES_MAX];
	size_t n;
};

static int read_card(struct listing *l, struct db_rows *r, size_t i)
{
	struct text t = db_col_text(r, 8);
	if (!l->cards || !t.n || t.n > CARD_MAX)
		return 0;
	mem_free(l->card[i]); /* of a try that was rolled back */
	l->card[i] = text_dup(t);
	l->v[i].card = l->card[i];
	return l->card[i] ? 0 : ENOMEM;
}

static int list_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct listing *l = arg;
	struct db_rows *r;
	int err = db_now(tx, &l->now_us, why);
	if (err)
		return err;
	err = db_query(tx, &r, why, "SELECT n.name, n.fqdn, n.version, n.state, n.reason, n.started_us, n.beat_us, n.calls, c.body FROM node n"
		" LEFT JOIN node_card c ON c.node = n.name ORDER BY n.name", "");
	if (err)
		return err;
	for (l->n = 0; l->n < NODES_MAX && (err = db_step(r, why)) == 0; l->n++) {
		struct registry_node *v = &l->v[l->n];
		db_col_copy(r, 0, v->name, sizeof v->name);
		db_col_copy(r, 1, v->fqdn, sizeof v->fqdn);
		db_col_copy(r, 2, v->version, sizeof v->version);
		db_col_copy(r, 3, v->state, sizeof v->state);
		db_col_copy(r, 4, v->reason, sizeof v->reason);
		v->started_us = db_col_int(r, 5);
		v->beat_us = db_col_int(r, 6);
		v->calls = db_col_int(r, 7);
		v->alive = l->now_us - v->beat_us < l->limit_us && strcmp(v->state, "stopped") != 0;
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
	else if (l->cards)
		l->h(ECANCELED, l->v, 0, l->arg);
	mem_unref(l->r);
	free_listing(l);
}

static int ask(struct registry *r, bool cards, registry_list_h *h, void *arg)
{
	struct listing *l = mem_zalloc(1, sizeof *l);
	if (!l)
		return ENOMEM;
	l->r = mem_ref(r);
	l->h = h;
	l->arg = arg;
	l->cards = cards;
	l->limit_us = (int64_t)r->prm.interval_ms * 3000;
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
	return ask(r, false, h, arg);
}

int registry_cards(struct registry *r, registry_list_h *h, void *arg)
{
	return ask(r, true, h, arg);
}
