/* SPDX-License-Identifier: Apache-2.0 */
/* proposal_sql.c  Proposals in the store: made, answered, settled. Runs in store threads, perhaps more than once. */
#include <errno.h>
#include <stdio.h>
#include "directory/dir_private.h"
#include "directory_events.h"
#include "jobs/lease.h"
#include "jobs/registry.h"

enum { LEASE_MORE_MS = 10000 };
static const char lease[] = "objects"; /* of whoever proposes */

static int moved(struct ev_report *why, const char *node, int64_t revision)
{
	ev_set(why, EV_DIR_REVISION_MOVED);
	ev_str(why, "node", node);
	ev_int(why, "revision", revision);
	return ESTALE;
}

static int take_lease(struct db_tx *tx, const struct dir_proposal *p, struct ev_report *why)
{
	char holder[96] = "";
	int err = lease_take(tx, lease, p->d->node, p->prm.within_ms + LEASE_MORE_MS, holder, sizeof holder, why);
	if (err == EBUSY) {
		ev_set(why, EV_DIR_PROPOSAL_BUSY);
		ev_str(why, "node", holder);
	}
	return err;
}

static int still_newest(struct db_tx *tx, struct dir_proposal *p, struct ev_report *why)
{
	struct dir_newest newest;
	int err = dir_revision_newest(tx, &newest, false, why);
	if (!err && p->prm.based_on < 0)
		p->prm.based_on = newest.number;
	return err ? err : newest.number != p->prm.based_on ? moved(why, newest.node, newest.number) : 0;
}

static int clear(struct db_tx *tx, struct ev_report *why)
{
	int err = db_exec(tx, why, "DELETE FROM proposal_answer", "");
	return err ? err : db_exec(tx, why, "DELETE FROM proposal", "");
}

int dir_propose_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct dir_proposal *p = arg;
	int err = take_lease(tx, p, why);
	if (!err)
		err = still_newest(tx, p, why);
	if (!err)
		err = db_now(tx, &p->number, why);
	if (!err)
		err = clear(tx, why); /* of somebody who died over it */
	if (err)
		return err;
	p->until_us = p->number + (int64_t)p->prm.within_ms * 1000;
	err = db_exec(tx, why, "INSERT INTO proposal (number, node, based_on, until_us, objects) VALUES (?1, ?2, ?3, ?4, ?5)", "isiis", p->number, p->d->node,
		p->prm.based_on, p->until_us, p->prm.cfg->source ? p->prm.cfg->source : "");
	return err ? err : db_notify(tx, DIR_NOTICE, why);
}

/* ---- the others ---- */

static struct dir_answer *answer_of(struct dir_proposal *p, const char *node)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->v[i].node, node) == 0)
			return &p->v[i];
	return NULL;
}

/* Who is on its way out reads the newest revision when it starts again. */
static int living(struct db_tx *tx, struct dir_proposal *p, struct ev_report *why)
{
	size_t n = 0;
	struct registry_node *v = mem_zalloc(DIR_ANSWERS_MAX, sizeof *v);
	int err = v ? registry_read(tx, UMBEL_VERSION, v, DIR_ANSWERS_MAX, &n, why) : ENOMEM;
	p->n = 0;
	for (size_t i = 0; !err && i < n; i++) {
		if (strcmp(v[i].name, p->d->node) == 0 || strncmp(v[i].state, "stop", 4) == 0)
			continue;
		struct dir_answer *a = &p->v[p->n++];
		text_fill(a->node, sizeof a->node, v[i].name);
		a->says = v[i].alive ? DIR_SAYS_NOTHING : DIR_SAYS_AWAY;
		a->finding[0] = '\0';
	}
	mem_free(v);
	return err;
}

static int answers(struct db_tx *tx, struct dir_proposal *p, struct ev_report *why)
{
	struct db_rows *r;
	char node[65];
	int err = db_query(tx, &r, why, "SELECT node, good, finding FROM proposal_answer WHERE number = ?1", "i", p->number);
	if (err)
		return err;
	while ((err = db_step(r, why)) == 0) {
		db_col_copy(r, 0, node, sizeof node);
		struct dir_answer *a = answer_of(p, node);
		if (!a || a->says == DIR_SAYS_AWAY)
			continue;
		a->says = db_col_int(r, 1) ? DIR_SAYS_YES : DIR_SAYS_NO;
		db_col_copy(r, 2, a->finding, sizeof a->finding);
	}
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

static const struct dir_answer *first_that(const struct dir_proposal *p, enum dir_says says)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].says == says)
			return &p->v[i];
	return NULL;
}

/* The proposal is gone: a settling whose end was not known was committed, or somebody else's took its place, who may not be at its end yet. */
static int already_settled(struct db_tx *tx, struct dir_proposal *p, struct ev_report *why)
{
	struct dir_newest newest;
	int err = dir_revision_same(tx, p->prm.cfg, p->prm.based_on, &p->sync->revision, why);
	if (!err)
		p->decision = DIR_MADE;
	if (err != ENOENT)
		return err;
	err = dir_revision_newest(tx, &newest, false, why);
	if (err)
		return err;
	if (newest.number > p->prm.based_on)
		return moved(why, newest.node, newest.number);
	ev_set(why, EV_DIR_PROPOSAL_LOST);
	return ESTALE;
}

static int make(struct db_tx *tx, struct dir_proposal *p, struct ev_report *why)
{
	int err = take_lease(tx, p, why);
	if (!err)
		err = still_newest(tx, p, why);
	if (!err)
		err = dir_revision_write(tx, p->sync, why);
	if (!err)
		err = clear(tx, why);
	return err ? err : lease_give(tx, lease, p->d->node, why);
}

int dir_settle_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct dir_proposal *p = arg;
	struct db_rows *r;
	int64_t now;
	p->decision = DIR_WAIT;
	int err = db_query_one(tx, &r, why, "SELECT number FROM proposal WHERE number = ?1", "i", p->number);
	if (err)
		return err == ENOENT ? already_settled(tx, p, why) : err;
	db_rows_close(r);
	err = db_now(tx, &now, why);
	if (!err)
		err = living(tx, p, why);
	if (!err)
		err = answers(tx, p, why);
	bool missing = !err && first_that(p, DIR_SAYS_NOTHING), refused = !err && first_that(p, DIR_SAYS_NO);
	if (err || (missing && now < p->until_us))
		return err;
	p->decision = (missing || refused) && !p->prm.leave_behind ? DIR_REFUSED : DIR_MADE;
	return p->decision == DIR_MADE ? make(tx, p, why) : dir_withdraw_work(tx, p, why);
}

/* As if it had never been. */
int dir_withdraw_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	const struct dir_proposal *p = arg;
	int err = db_exec(tx, why, "DELETE FROM proposal_answer WHERE number = ?1", "i", p->number);
	if (!err)
		err = db_exec(tx, why, "DELETE FROM proposal WHERE number = ?1", "i", p->number);
	return err ? err : lease_give(tx, lease, p->d->node, why);
}

/* ---- on the other nodes ---- */

int dir_question_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct dir_question *q = arg;
	struct db_rows *r;
	int64_t now;
	q->node[0] = '\0';
	q->objects = cfg_unref(q->objects);
	cfg_errors_free(&q->errors);
	int err = db_now(tx, &now, why);
	if (!err)
		err = db_query_one(tx, &r, why, "SELECT number, node, objects FROM proposal p WHERE until_us > ?1 AND node <> ?2 AND NOT EXISTS"
			" (SELECT 1 FROM proposal_answer a WHERE a.number = p.number AND a.node = ?2) ORDER BY number DESC LIMIT 1", "is", now, q->d->node);
	if (err)
		return err == ENOENT ? 0 : err;
	q->number = db_col_int(r, 0);
	db_col_copy(r, 1, q->node, sizeof q->node);
	err = cfg_parse(&q->objects, "proposal", db_col_text(r, 2), CFG_WANT_OBJECTS, &q->errors);
	db_rows_close(r);
	return err == EINVAL ? 0 : err;
}

int dir_reply_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	const struct dir_reply *a = arg;
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT number FROM proposal WHERE number = ?1", "i", a->number);
	if (err)
		return err == ENOENT ? 0 : err; /* nobody waits for it any more */
	db_rows_close(r);
	err = db_exec(tx, why, "INSERT INTO proposal_answer (number, node, good, finding) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (number, node) DO NOTHING", "isis",
		a->number, a->d->node, (int64_t)a->good, a->finding);
	return err ? err : db_notify(tx, DIR_NOTICE, why);
}
