/* SPDX-License-Identifier: Apache-2.0 */
/* mbox_folder.c  The deleted folder, notes, and what the owner of a mailbox chose. */
#include <errno.h>
#include "base/mem.h"
#include "jobs/lease.h"
#include "mailbox/mbox_private.h"

int mbox_delete(struct mbox *m, const char *mailbox, const char *id, uint64_t keep_ms, mbox_done_h *h, void *arg, uint64_t *handle)
{
	return mbox_delete_seen(m, mailbox, id, MBOX_ANY_VERSION, keep_ms, h, arg, handle);
}

int mbox_delete_seen(struct mbox *m, const char *mailbox, const char *id, int64_t version, uint64_t keep_ms, mbox_done_h *h, void *arg, uint64_t *handle)
{
	if (!keep_ms)
		return mbox_mark_seen(m, mailbox, id, version, MBOX_DELETED, h, arg, handle);
	struct mbox_call *c = mbox_call_new(m, mailbox, id);
	if (!c)
		return ENOMEM;
	c->seen = version < 0 ? INT64_MAX : version;
	c->keep_ms = keep_ms;
	return mbox_call_go(c, STORE_WRITE, mbox_delete_work, mbox_call_changed, (op_fn *)h, arg, handle);
}

int mbox_undelete(struct mbox *m, const char *mailbox, const char *id, mbox_done_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = mbox_call_new(m, mailbox, id);
	return c ? mbox_call_go(c, STORE_WRITE, mbox_undelete_work, mbox_call_changed, (op_fn *)h, arg, handle) : ENOMEM;
}

int mbox_note(struct mbox *m, const char *mailbox, const char *id, unsigned set, unsigned clear, mbox_done_h *h, void *arg, uint64_t *handle)
{
	if ((set | clear) & ~(unsigned)MBOX_NOTES_ALL)
		return EINVAL;
	struct mbox_call *c = mbox_call_new(m, mailbox, id);
	if (!c)
		return ENOMEM;
	c->set = set;
	c->clear = clear;
	return mbox_call_go(c, STORE_WRITE, mbox_note_work, mbox_call_changed, (op_fn *)h, arg, handle);
}

/* ---- what lay long enough ---- */

struct purge {
	struct mbox *m; /* a reference */
	int64_t now_us;
	unsigned n;
};

/* One node does it for all, until it is gone for one turn and a half. */
static int purge_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct purge *p = arg;
	p->n = 0;
	int err = *p->m->node ? lease_take(tx, "deleted-folders", p->m->node, p->m->prm.purge_ms * 3 / 2, NULL, 0, why) : 0;
	if (err)
		return err == EBUSY ? 0 : err;
	return mbox_purge_work(tx, p->now_us, &p->n, why);
}

/* Others wait for the store too: one transaction a tick. */
static void purged(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct purge *p = arg;
	struct mbox *m = p->m;
	(void)err, (void)why; /* the next tick tries again; the store tells its own troubles */
	m->purging = false;
	if (result == STORE_DONE && p->n < MBOX_PURGE_ROWS)
		m->purge_at_ms = clock_mono_ms(m->prm.clock) + (int64_t)m->prm.purge_ms;
	mem_free(p);
	mem_unref(m);
}

void mbox_purge(struct mbox *m)
{
	if (m->purging || m->closed || clock_mono_ms(m->prm.clock) < m->purge_at_ms || store_state(m->prm.store) != STORE_GOOD)
		return;
	struct purge *p = mem_zalloc(1, sizeof *p);
	if (!p)
		return;
	p->m = mem_ref(m);
	p->now_us = clock_real_us(m->prm.clock);
	m->purging = store_submit(m->prm.store, STORE_WRITE, purge_work, purged, p) == 0;
	if (!m->purging) {
		mem_unref(m);
		mem_free(p);
	}
}

/* ---- choices ---- */

static int read_bool(const char *value, bool *to)
{
	*to = strcmp(value, "1") == 0;
	return *to || !*value ? 0 : EINVAL;
}

static int read_hours(const char *value, uint8_t *to)
{
	if (*value && strcmp(value, "12") != 0 && strcmp(value, "24") != 0)
		return EINVAL;
	*to = !*value ? 0 : *value == '1' ? 12 : 24;
	return 0;
}

/* Letters, digits and what stands in names of zones and languages: it may become part of a path. */
static int read_word(const char *value, char *to, size_t size)
{
	for (const char *p = value; *p; p++)
		if (!(*p >= '0' && *p <= '9') && !(text_lower(*p) >= 'a' && text_lower(*p) <= 'z') && !strchr("_+-/", *p))
			return EINVAL;
	return value[0] == '/' || strstr(value, "..") ? EINVAL : text_copy(text_of(value), to, size);
}

static int read_group(const char *value, struct mbox_group *g)
{
	struct text name, members;
	*g = (struct mbox_group){ 0 };
	if (!*value)
		return 0;
	if (!text_cut(text_of(value), '\n', &name, &members) || !name.n || !members.n)
		return EINVAL;
	int err = text_copy(name, g->name, sizeof g->name);
	return err ? err : text_copy(members, g->members, sizeof g->members);
}

void mbox_choices_clear(struct mbox_choices *c)
{
	mem_free(c->group);
	*c = (struct mbox_choices){ 0 };
}

int mbox_choices_copy(struct mbox_choices *to, const struct mbox_choices *from)
{
	mbox_choices_clear(to);
	*to = *from;
	to->group = from->group ? mem_alloc(MBOX_GROUPS * sizeof *to->group) : NULL;
	if (to->group)
		memcpy(to->group, from->group, MBOX_GROUPS * sizeof *to->group);
	return from->group && !to->group ? ENOMEM : 0;
}

const struct mbox_group *mbox_choices_group(const struct mbox_choices *c, unsigned i)
{
	return c->group && i < MBOX_GROUPS && *c->group[i].name ? &c->group[i] : NULL;
}

static int read_one_group(struct mbox_choices *c, unsigned i, const char *value)
{
	if (!c->group && *value)
		c->group = mem_zalloc(MBOX_GROUPS, sizeof *c->group);
	if (!c->group)
		return *value ? ENOMEM : 0;
	return read_group(value, &c->group[i]);
}

int mbox_choice_read(struct mbox_choices *c, const char *name, const char *value)
{
	if (strcmp(name, "voice") == 0)
		return read_bool(value, &c->by_voice);
	if (strcmp(name, "setup") == 0)
		return read_bool(value, &c->setting_up);
	if (strcmp(name, "hours") == 0)
		return read_hours(value, &c->hours);
	if (strcmp(name, "zone") == 0)
		return read_word(value, c->zone, sizeof c->zone);
	if (strcmp(name, "language") == 0)
		return read_word(value, c->language, sizeof c->language);
	if (strncmp(name, "group.", 6) == 0 && name[6] >= '1' && name[6] <= '9' && !name[7])
		return read_one_group(c, (unsigned)(name[6] - '1'), value);
	return EINVAL;
}

static int read_choices(struct db_tx *tx, struct mbox_call *c, char *value, struct ev_report *why)
{
	struct db_rows *r;
	char name[32];
	int err = db_query(tx, &r, why, "SELECT name, value FROM mailbox_choice WHERE mailbox = ?1", "s", c->msg.mailbox);
	if (err)
		return err;
	while (!err && (err = db_step(r, why)) == 0) {
		db_col_copy(r, 0, name, sizeof name);
		db_col_copy(r, 1, value, MBOX_GROUP_TEXT + 128);
		if (mbox_choice_read(c->choices, name, value) == ENOMEM) /* EINVAL: a newer release may know more of them */
			err = ENOMEM;
	}
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

int mbox_choices_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	char value[MBOX_GROUP_TEXT + 128];
	mbox_choices_clear(c->choices);
	return read_choices(tx, c, value, why);
}

int mbox_choose_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox_call *c = arg;
	if (!*c->value)
		return db_exec(tx, why, "DELETE FROM mailbox_choice WHERE mailbox = ?1 AND name = ?2", "ss", c->msg.mailbox, c->kind);
	return db_exec(tx, why, "INSERT INTO mailbox_choice (mailbox, name, value, changed_us) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (mailbox, name) DO UPDATE"
		" SET value = excluded.value, changed_us = excluded.changed_us", "sssi", c->msg.mailbox, c->kind, c->value, clock_real_us(db_clock(tx)));
}

static void chosen(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct mbox_call *c = arg;
	(void)result;
	if (c->op.h)
		((mbox_choices_h *)c->op.h)(err, c->choices, why, c->op.arg);
	mbox_call_free(c);
}

int mbox_choices(struct mbox *m, const char *mailbox, mbox_choices_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = mbox_call_new(m, mailbox, NULL);
	if (!c)
		return ENOMEM;
	c->choices = mem_zalloc(1, sizeof *c->choices);
	if (!c->choices) {
		mbox_call_free(c);
		return ENOMEM;
	}
	return mbox_call_go(c, STORE_READ, mbox_choices_work, chosen, (op_fn *)h, arg, handle);
}

int mbox_choose(struct mbox *m, const char *mailbox, const char *name, const char *value, mbox_done_h *h, void *arg, uint64_t *handle)
{
	struct mbox_choices scratch = { 0 };
	int err = mbox_choice_read(&scratch, name, value);
	mbox_choices_clear(&scratch);
	if (err)
		return err == ENOMEM ? ENOMEM : EINVAL;
	struct mbox_call *c = mbox_call_new(m, mailbox, NULL);
	if (!c)
		return ENOMEM;
	text_fill(c->kind, sizeof c->kind, name);
	c->value = mem_strdup(value);
	if (!c->value) {
		mbox_call_free(c);
		return ENOMEM;
	}
	return mbox_call_go(c, STORE_WRITE, mbox_choose_work, mbox_call_changed, (op_fn *)h, arg, handle);
}
