/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox.c  How a command on one mailbox begins, fails and ends. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "base/mem.h"

void *admin_mailbox_begin(size_t size, struct admin *a, struct admin_call *call, const json_t *args, bool store)
{
	struct ev_report why = { 0 };
	const char *name;
	if (admin_need_str(args, "name", &name, &why) != 0) {
		admin_call_fail(call, &why);
		return NULL;
	}
	if (store && !a->prm.mbox) {
		admin_call_absent(call, "store");
		return NULL;
	}
	struct admin_mailbox *m = mem_zalloc(1, size);
	if (!m) {
		admin_call_errno(call, ENOMEM, NULL);
		return NULL;
	}
	m->admin = a;
	m->call = mem_ref(call);
	m->view = a->prm.dir ? dir_view(a->prm.dir) : NULL;
	m->user = m->view ? dir_find(m->view, text_of(name)) : NULL;
	if (m->user)
		return m;
	admin_call_not_found(call, "mailbox", name, admin_words(ADMIN_HINT_MAILBOXES));
	admin_mailbox_end(m);
	return NULL;
}

void admin_mailbox_end(void *x)
{
	struct admin_mailbox *m = x;
	dir_view_unref(m->view);
	mem_unref(m->call);
	mem_free(m);
}

void admin_mailbox_failed(void *x, int err, const struct ev_report *why)
{
	struct admin_mailbox *m = x;
	admin_call_errno(m->call, err, why);
	admin_mailbox_end(m);
}
