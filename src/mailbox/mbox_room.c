/* SPDX-License-Identifier: Apache-2.0 */
/* mbox_room.c  Whether there is room for another message: on the disks (asked in the file pool, for a disk may be slow to answer even that), and
 * in the mailbox.                                                                                                       */
#include <errno.h>
#include "base/mem.h"
#include "mailbox/mbox_private.h"
#include "mailbox_events.h"

int mbox_accepts(struct mbox *m, struct ev_report *why)
{
	enum store_state st = store_state(m->prm.store);
	int err = m->room_err;
	if (st == STORE_GOOD || !err)
		return 0;
	ev_set(why, EV_MBOX_NO_RECORDING);
	ev_printf(why, "error", "the store is %s, the spool: %s", store_state_name(st), strerror(err));
	return err == ENOSPC || err == EROFS ? err : EHOSTUNREACH;
}

struct look {
	struct op op;
	struct mbox *m; /* a reference */
	bool asked;     /* by somebody; else it is the look of every now and then */
	char mailbox[65], also[512];
	uint32_t most;
	int spool_err, also_err;
};

static void look_end(struct look *l, int err, const struct ev_report *why)
{
	static const struct ev_report nothing;
	if (l->op.h)
		((mbox_room_h *)l->op.h)(err, why ? why : &nothing, l->op.arg);
	if (l->asked)
		op_remove(&l->op);
	mem_unref(l->m);
	mem_free(l);
}

static void counted(int err, const struct mbox_counts *n, const struct ev_report *why, void *arg)
{
	struct look *l = arg;
	(void)why;
	look_end(l, !err && n->fresh + n->saved >= l->most ? EDQUOT : 0, NULL);
}

static int look_work(void *arg)
{
	struct look *l = arg;
	l->spool_err = spool_room(l->m->spool, NULL);
	l->also_err = l->also[0] ? spool_disk_room(l->m->spool, l->also) : 0;
	return 0;
}

static void looked(enum pool_result result, int err, void *arg)
{
	struct look *l = arg;
	struct mbox *m = l->m;
	struct ev_report why;
	if (!l->asked)
		m->looking = false;
	if (result != POOL_DONE || m->closed) {
		look_end(l, err ? err : ECANCELED, NULL);
		return;
	}
	m->room_err = l->spool_err;
	ev_set(&why, 0);
	err = l->asked ? l->also_err : 0;
	if (l->asked && !err)
		err = mbox_accepts(m, &why);
	if (err || !l->asked || !l->most)
		look_end(l, err, &why);
	else if (mbox_counts(m, l->mailbox, counted, l, NULL))
		look_end(l, 0, NULL);
}

static int look(struct mbox *m, struct look *l)
{
	l->m = mem_ref(m);
	int err = pool_submit(m->prm.files, look_work, looked, l);
	if (err) {
		mem_unref(m);
		mem_free(l);
	}
	return err;
}

void mbox_look_at_room(struct mbox *m)
{
	struct look *l = m->looking || m->closed ? NULL : mem_zalloc(1, sizeof *l);
	if (l)
		m->looking = look(m, l) == 0;
}

int mbox_room(struct mbox *m, const char *mailbox, uint32_t most, const char *also, mbox_room_h *h, void *arg, uint64_t *handle)
{
	struct look *l = mem_zalloc(1, sizeof *l);
	if (!l)
		return ENOMEM;
	text_fill(l->mailbox, sizeof l->mailbox, mailbox);
	text_fill(l->also, sizeof l->also, also ? also : "");
	l->most = most;
	l->asked = true;
	int err = look(m, l);
	if (!err) /* the handler comes with a later turn of the loop */
		ops_add(&m->ops, &l->op, (op_fn *)h, arg, handle);
	return err;
}
