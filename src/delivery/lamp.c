/* SPDX-License-Identifier: Apache-2.0 */
/* lamp.c  From an outbox row to a NOTIFY: whose lamp, how many messages now, through which gateway; and from the answer back to the row.
 *
 *   outbox row --> find the user --> count (store) --> send (the handler given) --> lamp_result() --> outbox_finish()
 */
#include "delivery/lamp.h"
#include <errno.h>
#include "base/list.h"
#include "base/mem.h"
#include "delivery_events.h"
#include "sip/summary.h"

struct lamp {
	struct lamp_prm prm;
	struct list notes; /* on their way */
	uint64_t next;
	struct metric *sent, *failed;
};

/* One lamp on its way. */
struct note {
	struct link link;
	struct lamp *lamp; /* NULL: destroyed meanwhile, while the store was counting */
	uint64_t handle, item;
	char mailbox[65], account[512], gateway[65];
	struct mbox_counts counts;
	bool counting; /* the store has it */
};

static void finish(struct note *n, enum outbox_verdict verdict, const char *error)
{
	outbox_finish(n->lamp->prm.outbox, n->item, verdict, error);
	list_remove(&n->link);
	mem_free(n);
}

static void counted(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct note *n = arg;
	(void)err;
	n->counting = false;
	if (!n->lamp) {
		mem_free(n);
		return;
	}
	if (result != STORE_DONE) {
		char sentence[300];
		finish(n, OUTBOX_LATER, why->id ? ev_sentence(why, sentence, sizeof sentence) : "the store did not say how many messages there are");
		return;
	}
	struct lamp_note note = { .mailbox = n->mailbox, .account = n->account, .gateway = n->gateway, .fresh = n->counts.fresh, .saved = n->counts.saved,
		                  .handle = n->handle };
	n->lamp->prm.send(n->lamp, &note, n->lamp->prm.send_arg);
}

static int count(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct note *n = arg;
	return mbox_counts_tx(tx, n->mailbox, &n->counts, why);
}

/* The user's lamp, as the directory has it now. */
static int address(const struct lamp *l, const char *mailbox, struct note *n)
{
	struct dir_view *v = dir_view(l->prm.dir);
	const struct dir_user *u = v ? dir_find_name(v, text_of(mailbox)) : NULL;
	int err = !v ? EAGAIN : !u || !u->lamp || !u->lamp_uri[0] || !u->lamp_gateway[0] ? ENOENT : 0;
	if (!err && (text_print(n->mailbox, sizeof n->mailbox, "%s", u->name) || text_print(n->account, sizeof n->account, "%s", u->lamp_uri) ||
	             text_print(n->gateway, sizeof n->gateway, "%s", u->lamp_gateway)))
		err = ENAMETOOLONG;
	dir_view_unref(v);
	return err;
}

static void take(const struct outbox_item *item, void *arg)
{
	struct lamp *l = arg;
	struct note *n = mem_zalloc(1, sizeof *n);
	int err = n ? address(l, item->key, n) : ENOMEM;
	if (!err) {
		n->lamp = l;
		n->item = item->handle;
		n->handle = ++l->next;
		n->counting = true;
		list_append(&l->notes, &n->link);
		err = store_submit(l->prm.store, STORE_READ, count, counted, n);
		if (!err)
			return;
		list_remove(&n->link);
	}
	mem_free(n);
	/* A mailbox without a lamp has nothing to be told: that is done, not failed. */
	outbox_finish(l->prm.outbox, item->handle, err == ENOENT ? OUTBOX_DONE : err == ENAMETOOLONG ? OUTBOX_NEVER : OUTBOX_LATER,
	              err == ENOENT ? NULL : strerror(err));
}

int lamp_create(struct lamp **lp, const struct lamp_prm *prm)
{
	struct lamp *l = mem_zalloc(1, sizeof *l);
	if (!l)
		return ENOMEM;
	l->prm = *prm;
	list_init(&l->notes);
	l->sent = metric_get(prm->metrics, METRIC_COUNTER, "umbel_lamps_total", "outcome=\"told\"", "Message lamps told to a gateway, by outcome.");
	l->failed = metric_get(prm->metrics, METRIC_COUNTER, "umbel_lamps_total", "outcome=\"failed\"", "Message lamps told to a gateway, by outcome.");
	int err = outbox_on(prm->outbox, "lamp", take, l);
	if (err) {
		mem_free(l);
		return err;
	}
	*lp = l;
	return 0;
}

void lamp_destroy(struct lamp *l)
{
	if (!l)
		return;
	for (struct link *e; (e = list_pop(&l->notes)) != NULL;) {
		struct note *n = LIST_ENTRY(e, struct note, link);
		n->lamp = NULL;
		if (!n->counting)
			mem_free(n); /* the row comes back when its lease is over */
	}
	mem_free(l);
}

static void say_failed(const struct lamp *l, const struct note *n, const struct lamp_outcome *o)
{
	struct ev_report r = { 0 };
	ev_set(&r, EV_LAMP_NOT_DELIVERED);
	ev_str(&r, "mailbox", n->mailbox);
	ev_str(&r, "account", n->account);
	ev_str(&r, "gateway", n->gateway);
	ev_str(&r, "node", l->prm.node);
	ev_int(&r, "response_code", o->sip_status);
	ev_str(&r, "verdict_name", o->verdict_name);
	ev_str(&r, "verdict", o->sentence ? o->sentence : "no answer came");
	ev_str(&r, "advice", o->advice ? o->advice : "");
	ev_str(&r, "next", o->verdict == OUTBOX_NEVER ? "It is not tried again." : "It is tried again later.");
	ev_emit(l->prm.bus, &r);
}

void lamp_result(struct lamp *l, uint64_t handle, const struct lamp_outcome *outcome)
{
	LIST_FOREACH(&l->notes, e) {
		struct note *n = LIST_ENTRY(e, struct note, link);
		if (n->handle != handle)
			continue;
		metric_add(outcome->verdict == OUTBOX_DONE ? l->sent : l->failed, 1);
		if (outcome->verdict != OUTBOX_DONE)
			say_failed(l, n, outcome);
		finish(n, outcome->verdict, outcome->sentence);
		return;
	}
}

int lamp_body(const struct lamp_note *note, struct buf *out)
{
	struct sip_summary s = { .waiting = note->fresh > 0, .account = text_of(note->account), .has_voice = true, .fresh = note->fresh, .old = note->saved };
	sip_summary_put(out, &s);
	return buf_error(out);
}
