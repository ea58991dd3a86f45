/* SPDX-License-Identifier: Apache-2.0 */
/* lamp.c  From an outbox row to a NOTIFY and its verdict.
 *
 *   row (which mailbox) -> who and through whom (directory) -> how many (store) -> send (gateway) -> outbox_finish
 *
 * The numbers are counted when the row is taken, not when it was written: the lamp shows what is true now.              */
#include "delivery/lamp.h"
#include <errno.h>
#include "base/list.h"
#include "base/mem.h"
#include "delivery/words.h"
#include "delivery_events.h"
#include "sip/summary.h"

struct attempt {
	struct link link;
	struct lamp *l; /* a reference, while the store counts */
	uint64_t handle, row;
	char mailbox[65], account[300], gateway[65];
	struct mbox_counts counts;
	unsigned tries;
};

struct lamp {
	struct lamp_prm prm;
	struct list attempts; /* being sent */
	uint64_t last;
	bool closed;
	struct metric *m_sent, *m_failed;
};

static void gone(void *p)
{
	struct lamp *l = p;
	struct link *e;
	while ((e = list_pop(&l->attempts)) != NULL)
		mem_free(LIST_ENTRY(e, struct attempt, link));
}

/* ---- telling ---- */

static struct ev_report *report(const struct lamp *l, uint16_t id, const char *mailbox)
{
	struct ev_report *r = l->prm.bus && ev_wanted(l->prm.bus, id) ? mem_zalloc(1, sizeof *r) : NULL;
	if (r) {
		ev_set(r, id);
		ev_str(r, "mailbox", mailbox);
	}
	return r;
}

static void emit(const struct lamp *l, struct ev_report *r)
{
	if (r)
		ev_emit(l->prm.bus, r);
	mem_free(r);
}

static void tell_failure(const struct lamp *l, const struct attempt *a, const struct lamp_outcome *o, const char *error)
{
	struct ev_report *r = report(l, EV_LAMP_FAILED, a->mailbox);
	if (!r)
		return;
	ev_str(r, "account", a->account);
	ev_str(r, "gateway", a->gateway);
	ev_int(r, "response_code", o->sip_status);
	ev_int(r, "tries", a->tries);
	ev_str(r, "error", error);
	ev_str(r, "verdict_name", o->verdict_name ? o->verdict_name : o->sip_status ? "sip-refused" : "no-answer");
	ev_str(r, "verdict", o->sentence ? o->sentence : error);
	ev_str(r, "next", lamp_words(o->verdict == OUTBOX_NEVER ? LAMP_SAYS_NOT_TRIED_AGAIN : LAMP_SAYS_TRIED_AGAIN));
	ev_str(r, "advice", o->advice && o->advice[0] ? o->advice : lamp_words(LAMP_SAYS_LOOK_AT_GATEWAY));
	ev_str(r, "node", l->prm.node ? l->prm.node : "");
	emit(l, r);
}

/* ---- the way of a row ---- */

static void nothing_to_do(struct lamp *l, const struct outbox_item *item, const char *reason)
{
	struct ev_report *r = report(l, EV_LAMP_NOWHERE, item->key);
	ev_str(r, "error", reason);
	emit(l, r);
	outbox_finish(l->prm.outbox, item->handle, OUTBOX_DONE, NULL);
}

static int count_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct attempt *a = arg;
	return mbox_counts_tx(tx, a->mailbox, &a->counts, why);
}

static void counted(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct attempt *a = arg;
	struct lamp *l = a->l;
	(void)err;
	(void)why;
	if (result != STORE_DONE || l->closed) {
		if (!l->closed)
			outbox_finish(l->prm.outbox, a->row, OUTBOX_LATER, lamp_words(LAMP_SAYS_NOT_COUNTED));
		mem_free(a);
		mem_unref(l);
		return;
	}
	a->handle = ++l->last;
	list_append(&l->attempts, &a->link);
	struct lamp_note note = { a->mailbox, a->account, a->gateway, a->counts.fresh, a->counts.saved, a->handle };
	l->prm.send(l, &note, l->prm.send_arg);
	mem_unref(l);
}

/* Who is told, through whom; NULL, or why nobody is. */
static const char *whom(const struct dir_view *v, const char *mailbox, struct attempt *a)
{
	const struct dir_user *u = v ? dir_find_name(v, text_of(mailbox)) : NULL;
	if (!u)
		return lamp_words(LAMP_SAYS_NO_MAILBOX);
	if (!u->lamp)
		return lamp_words(LAMP_SAYS_MAILBOX_OFF);
	if (!u->lamp_uri[0])
		return lamp_words(LAMP_SAYS_NO_URI);
	const struct cfg_gateway *g = cfg_gateway(dir_view_cfg(v), text_of(u->lamp_gateway));
	if (!g)
		return lamp_words(LAMP_SAYS_NO_GATEWAY);
	if (!g->lamp)
		return lamp_words(LAMP_SAYS_GATEWAY_OFF);
	text_fill(a->mailbox, sizeof a->mailbox, u->name);
	text_fill(a->account, sizeof a->account, u->lamp_uri);
	text_fill(a->gateway, sizeof a->gateway, g->name);
	return NULL;
}

static void on_row(const struct outbox_item *item, void *arg)
{
	struct lamp *l = arg;
	struct attempt *a = mem_zalloc(1, sizeof *a);
	if (!a) {
		outbox_finish(l->prm.outbox, item->handle, OUTBOX_LATER, lamp_words(LAMP_SAYS_NO_MEMORY));
		return;
	}
	struct dir_view *v = dir_view(l->prm.dir);
	const char *reason = whom(v, item->key, a);
	if (!v)
		outbox_finish(l->prm.outbox, item->handle, OUTBOX_LATER, lamp_words(LAMP_SAYS_NO_DIRECTORY));
	else if (reason)
		nothing_to_do(l, item, reason);
	bool go_on = v && !reason;
	dir_view_unref(v);
	if (!go_on) {
		mem_free(a);
		return;
	}
	a->l = mem_ref(l);
	a->row = item->handle;
	a->tries = item->tries;
	if (store_submit(l->prm.store, STORE_READ, count_work, counted, a)) {
		outbox_finish(l->prm.outbox, item->handle, OUTBOX_LATER, lamp_words(LAMP_SAYS_STORE_BUSY));
		mem_unref(l);
		mem_free(a);
	}
}

void lamp_result(struct lamp *l, uint64_t handle, const struct lamp_outcome *o)
{
	struct attempt *a = NULL;
	LIST_FOREACH (&l->attempts, it)
		if (LIST_ENTRY(it, struct attempt, link)->handle == handle)
			a = LIST_ENTRY(it, struct attempt, link);
	if (!a)
		return;
	char error[400];
	if (o->sip_status)
		text_print(error, sizeof error, "it answered %d%s%s", o->sip_status, o->sentence ? ": " : "", o->sentence ? o->sentence : "");
	else
		text_print(error, sizeof error, "%s", o->sentence ? o->sentence : lamp_words(LAMP_SAYS_NO_ANSWER));
	if (o->verdict == OUTBOX_DONE) {
		struct ev_report *r = report(l, EV_LAMP_SET, a->mailbox);
		ev_int(r, "fresh", a->counts.fresh);
		ev_int(r, "saved", a->counts.saved);
		emit(l, r);
	} else {
		tell_failure(l, a, o, error);
	}
	metric_add(o->verdict == OUTBOX_DONE ? l->m_sent : l->m_failed, 1);
	outbox_finish(l->prm.outbox, a->row, o->verdict, o->verdict == OUTBOX_DONE ? NULL : error);
	list_remove(&a->link);
	mem_free(a);
}

int lamp_body(const struct lamp_note *note, struct buf *out)
{
	struct sip_summary s = { .waiting = note->fresh > 0, .account = text_of(note->account), .has_voice = true, .fresh = note->fresh, .old = note->saved };
	sip_summary_put(out, &s);
	return buf_error(out);
}

int lamp_create(struct lamp **lp, const struct lamp_prm *prm)
{
	struct lamp *l = mem_object(sizeof *l, gone);
	if (!l)
		return ENOMEM;
	l->prm = *prm;
	list_init(&l->attempts);
	l->m_sent = metric_get(prm->metrics, METRIC_COUNTER, "umbel_lamps_total", "end=\"sent\"", "Message lamp notifications");
	l->m_failed = metric_get(prm->metrics, METRIC_COUNTER, "umbel_lamps_total", "end=\"failed\"", "Message lamp notifications");
	int err = outbox_on(prm->outbox, "lamp", on_row, l);
	if (err) {
		mem_unref(l);
		return err;
	}
	*lp = l;
	return 0;
}

void lamp_destroy(struct lamp *l)
{
	if (!l)
		return;
	l->closed = true;
	mem_unref(l);
}
