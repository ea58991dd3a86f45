/* SPDX-License-Identifier: Apache-2.0 */
/* proposal.c  A proposal's way: put, looked after until it is settled, told. And what other nodes propose, handed to whoever tries it. */
#include "directory/proposal.h"
#include <errno.h>
#include "directory/dir_private.h"
#include "directory_events.h"
#include "net/loop.h"

enum { WITHIN_MS = 10000, LOOK_MS = 250 };

/* ---- ours ---- */

static void free_proposal(struct dir_proposal *p)
{
	tmr_cancel(&p->tmr);
	cfg_unref(p->prm.cfg);
	if (p->sync) {
		dir_view_unref(p->sync->view);
		cfg_unref(p->sync->cfg);
		mem_free(p->sync);
	}
	mem_unref(p->d);
	mem_free(p);
}

static void tell_left_behind(const struct dir_proposal *p)
{
	struct ev_report *r = p->d->prm.bus ? mem_zalloc(1, sizeof *r) : NULL;
	for (size_t i = 0; r && i < p->n; i++) {
		if (p->v[i].says != DIR_SAYS_NO && p->v[i].says != DIR_SAYS_NOTHING)
			continue;
		ev_set(r, p->v[i].says == DIR_SAYS_NO ? EV_DIR_LEFT_BEHIND : EV_DIR_LEFT_SILENT);
		ev_int(r, "revision", p->sync->revision);
		ev_str(r, "node", p->v[i].node);
		if (p->v[i].says == DIR_SAYS_NO)
			ev_str(r, "finding", p->v[i].finding);
		ev_emit(p->d->prm.bus, r);
	}
	mem_free(r);
}

static void over(struct dir_proposal *p, int err, const struct ev_report *why)
{
	list_remove(&p->link);
	if (!err) {
		dir_tell_revision(p->d, p->sync);
		tell_left_behind(p);
	}
	p->h(&(struct dir_proposed){ .err = err, .why = why, .revision = err ? 0 : p->sync->revision, .v = p->v, .n = p->n }, p->arg);
	free_proposal(p);
}

static void look(void *arg);

static void refused(struct dir_proposal *p)
{
	struct ev_report *why = mem_zalloc(1, sizeof *why);
	const struct dir_answer *no = NULL, *silent = NULL;
	for (size_t i = 0; i < p->n; i++) {
		if (!no && p->v[i].says == DIR_SAYS_NO)
			no = &p->v[i];
		if (!silent && p->v[i].says == DIR_SAYS_NOTHING)
			silent = &p->v[i];
	}
	if (why && (no || silent)) {
		ev_set(why, no ? EV_DIR_PROPOSAL_REFUSED : EV_DIR_PROPOSAL_UNANSWERED);
		ev_str(why, "node", no ? no->node : silent->node);
		ev_str(why, "finding", no ? no->finding : "");
		ev_int(why, "seconds", (int64_t)p->prm.within_ms / 1000);
	}
	over(p, no ? EPERM : ETIMEDOUT, why);
	mem_free(why);
}

/* One that cannot be settled is taken back, so that nobody waits for its end; if that fails too, its time ends by itself. */
static void withdrawn(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	(void)result, (void)err, (void)why;
	free_proposal(arg);
}

static void give_up(struct dir_proposal *p, int err, const struct ev_report *why)
{
	list_remove(&p->link);
	tmr_cancel(&p->tmr);
	p->h(&(struct dir_proposed){ .err = err, .why = why, .v = p->v, .n = p->n }, p->arg);
	if (!p->put || store_submit(p->d->prm.store, STORE_WRITE, dir_withdraw_work, withdrawn, p))
		free_proposal(p);
}

static void settled(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct dir_proposal *p = arg;
	p->in_store = false;
	bool overtaken = err == EEXIST; /* a file's revision came in this very moment: the next look sees whose */
	if (p->d->closed)
		give_up(p, ECANCELED, NULL);
	else if (result == STORE_UNKNOWN || overtaken || (!err && p->decision == DIR_WAIT))
		tmr_start(p->d->prm.loop, &p->tmr, p->wake ? 0 : LOOK_MS, look, p);
	else if (err)
		give_up(p, err, why);
	else if (p->decision == DIR_REFUSED)
		refused(p);
	else
		over(p, 0, NULL);
}

static void look(void *arg)
{
	struct dir_proposal *p = arg;
	p->wake = false;
	if (p->prm.unwanted && p->prm.unwanted(p->arg)) {
		give_up(p, ECANCELED, NULL);
		return;
	}
	int err = store_submit(p->d->prm.store, STORE_WRITE, dir_settle_work, settled, p);
	p->in_store = !err;
	if (err)
		give_up(p, err, NULL);
}

static void put(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct dir_proposal *p = arg;
	p->in_store = false;
	p->put = !err || result == STORE_UNKNOWN; /* it may stand there */
	if (p->d->closed)
		give_up(p, ECANCELED, NULL);
	else if (err)
		give_up(p, err, why);
	else
		look(p);
}

int dir_propose(struct dir *d, const struct dir_proposal_prm *prm, dir_proposed_h *h, void *arg)
{
	struct dir_proposal *p = mem_zalloc(1, sizeof *p);
	struct dir_sync *s = mem_zalloc(1, sizeof *s);
	int err = p && s ? 0 : ENOMEM;
	if (!err) {
		p->d = mem_ref(d);
		p->prm = *prm;
		p->prm.cfg = cfg_ref(prm->cfg);
		p->prm.within_ms = prm->within_ms ? prm->within_ms : WITHIN_MS;
		p->h = h;
		p->arg = arg;
		*s = (struct dir_sync){ .d = d, .cfg = cfg_ref(prm->cfg) };
		p->sync = s;
		err = store_submit(d->prm.store, STORE_WRITE, dir_propose_work, put, p);
		if (err) {
			free_proposal(p);
			return err;
		}
		p->in_store = true;
		list_append(&d->proposals, &p->link);
		return 0;
	}
	mem_free(p);
	mem_free(s);
	return err;
}

/* ---- others' ---- */

void dir_on_try(struct dir *d, dir_try_h *h, void *arg)
{
	d->on_try = h;
	d->on_try_arg = arg;
}

/* The next look tries it again. */
static void unanswered(struct dir *d, int64_t number)
{
	if (d->tried == number)
		d->tried = 0;
}

static void replied(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct dir_reply *a = arg;
	(void)result, (void)why;
	if (err)
		unanswered(a->d, a->number);
	mem_unref(a->d);
	mem_free(a);
}

static void tell_tried(struct dir *d, const struct dir_question *q, const char *finding)
{
	struct ev_report *r = d->prm.bus ? mem_zalloc(1, sizeof *r) : NULL;
	if (!r)
		return;
	ev_set(r, EV_DIR_PROPOSAL_TRIED);
	ev_str(r, "node", q->node);
	ev_str(r, "finding", finding);
	ev_emit(d->prm.bus, r);
	mem_free(r);
}

void dir_answer(struct dir *d, int64_t number, bool good, const char *finding)
{
	struct dir_reply *a = d->closed ? NULL : mem_zalloc(1, sizeof *a);
	if (!a) {
		unanswered(d, number);
		return;
	}
	a->d = mem_ref(d);
	a->number = number;
	a->good = good;
	text_fill(a->finding, sizeof a->finding, finding ? finding : "");
	if (store_submit(d->prm.store, STORE_WRITE, dir_reply_work, replied, a)) {
		unanswered(d, number);
		mem_unref(a->d);
		mem_free(a);
	}
}

static void refuse_unreadable(struct dir *d, const struct dir_question *q)
{
	char line[DIR_FINDING_SIZE];
	const struct cfg_error *e = q->errors.n ? &q->errors.v[0] : NULL;
	text_print(line, sizeof line, "line %u: %s: %s", e ? e->pos.line : 0, e ? e->key : "", e ? e->what : "");
	tell_tried(d, q, line);
	dir_answer(d, q->number, false, line);
}

static void asked(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct dir_question *q = arg;
	struct dir *d = q->d;
	(void)result, (void)why;
	d->asking = false;
	if (!err && !d->closed && q->node[0] && d->on_try && q->number != d->tried) {
		d->tried = q->number;
		if (q->objects)
			d->on_try(q->objects, q->number, d->on_try_arg);
		else
			refuse_unreadable(d, q);
	}
	cfg_unref(q->objects);
	cfg_errors_free(&q->errors);
	mem_free(q);
	if (d->ask_again && !d->closed)
		dir_proposals_look(d);
	mem_unref(d);
}

void dir_proposals_look(struct dir *d)
{
	LIST_FOREACH(&d->proposals, it) {
		struct dir_proposal *p = LIST_ENTRY(it, struct dir_proposal, link);
		p->wake = true;
		if (!p->in_store)
			tmr_start(d->prm.loop, &p->tmr, 0, look, p);
	}
	d->ask_again = d->asking; /* what is being read may have been too early */
	struct dir_question *q = d->on_try && !d->asking ? mem_zalloc(1, sizeof *q) : NULL;
	if (!q)
		return;
	q->d = mem_ref(d);
	d->asking = store_submit(d->prm.store, STORE_READ, dir_question_work, asked, q) == 0;
	if (!d->asking) {
		mem_unref(d);
		mem_free(q);
	}
}

/* Nobody waits here any more, so nobody else is to be kept waiting. Those in the store are told when they come back. */
void dir_proposals_end(struct dir *d)
{
	LIST_FOREACH(&d->proposals, it) {
		struct dir_proposal *p = LIST_ENTRY(it, struct dir_proposal, link);
		if (!p->in_store)
			give_up(p, ECANCELED, NULL);
	}
}
