/* SPDX-License-Identifier: Apache-2.0 */
/* lookout.c  Watched mailboxes, each with who watches it. What may have changed is `due`, and counted by one job at a time that takes as many as are due:
 *
 *   SUBSCRIBE, a change here, the round of all -> due -> job (store) -> numbers -> sip_watch_tell() of each watcher                  */
#include "delivery/lookout.h"
#include <errno.h>
#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/tmr.h"
#include "sip/summary.h"

enum { BATCH = 64, ROUND_MS = 60000 };

struct place {
	struct hash_entry by_name;
	struct link link; /* of all; the round goes from its head */
	struct link due;
	struct list watchers;
	char name[65];
};

struct watcher {
	struct link link;
	struct place *place;
	struct sip_watch *w;
	char account[300]; /* as it was asked for */
};

struct job {
	struct lookout *l; /* a reference */
	unsigned n;
	char name[BATCH][65];
	struct mbox_counts counts[BATCH];
};

struct lookout {
	struct lookout_prm prm;
	struct hash *places;
	struct list all, due;
	struct tmr poll;
	bool counting, closed;
};

static void pump(struct lookout *l);

static void gone(void *object)
{
	struct lookout *l = object;

	hash_destroy(l->places);
}

/* ---- who watches what ---- */
static struct place *place_of(struct lookout *l, const char *name)
{
	struct hash_entry *e = hash_find(l->places, text_of(name));

	return e ? HASH_MEMBER(e, struct place, by_name) : NULL;
}

static struct place *place_make(struct lookout *l, const char *name)
{
	struct place *p = place_of(l, name);

	if (p)
		return p;
	p = mem_zalloc(1, sizeof *p);
	if (!p)
		return NULL;
	list_init(&p->watchers);
	text_fill(p->name, sizeof p->name, name);
	if (hash_add(l->places, &p->by_name, text_of(p->name))) {
		mem_free(p);
		return NULL;
	}
	list_append(&l->all, &p->link);
	return p;
}

static void place_leave(struct place *p)
{
	if (!list_empty(&p->watchers))
		return;
	hash_remove(&p->by_name);
	list_remove(&p->link);
	if (link_linked(&p->due))
		list_remove(&p->due);
	mem_free(p);
}

static void make_due(struct lookout *l, struct place *p)
{
	if (!link_linked(&p->due))
		list_append(&l->due, &p->due);
	pump(l);
}

/* ---- counting ---- */
static int count_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct job *j = arg;
	int err = 0;

	for (unsigned i = 0; i < j->n && !err; i++)
		err = mbox_counts_tx(tx, j->name[i], &j->counts[i], why);
	return err;
}

static bool is_watchable(const struct dir_view *v, const char *mailbox)
{
	const struct dir_user *u = v ? dir_find_name(v, text_of(mailbox)) : NULL;

	return u && u->lamp;
}

/* NULL counts: they could not be found out. */
static void tell_all(struct place *p, const struct mbox_counts *c)
{
	LIST_FOREACH (&p->watchers, it) {
		struct watcher *x = LIST_ENTRY(it, struct watcher, link);
		struct sip_summary s = { .account = text_of(x->account), .has_voice = true };
		struct buf body;
		buf_init(&body, 1024);
		if (c) {
			s.waiting = c->fresh > 0;
			s.fresh = c->fresh;
			s.old = c->saved;
			sip_summary_put(&body, &s);
		}
		sip_watch_tell(x->w, buf_error(&body) ? TEXT_NONE : buf_as_text(&body));
		buf_free(&body);
	}
}

static void end_all(struct place *p)
{
	LIST_FOREACH (&p->watchers, it)
		sip_watch_end(LIST_ENTRY(it, struct watcher, link)->w);
}

static void counted(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct job *j = arg;
	struct lookout *l = j->l;
	struct dir_view *v = l->closed ? NULL : dir_view(l->prm.dir);

	(void)err;
	(void)why;
	l->counting = false;
	for (unsigned i = 0; i < j->n && !l->closed; i++) {
		struct place *p = place_of(l, j->name[i]);
		if (!p)
			continue;
		if (v && !is_watchable(v, p->name))
			end_all(p);
		else
			tell_all(p, result == STORE_DONE ? &j->counts[i] : NULL); /* what failed is counted again by the next round */
	}
	dir_view_unref(v);
	if (!l->closed)
		pump(l);
	mem_free(j);
	mem_unref(l);
}

static void pump(struct lookout *l)
{
	struct job *j;

	if (l->counting || list_empty(&l->due) || !(j = mem_zalloc(1, sizeof *j)))
		return;
	j->l = mem_ref(l);
	LIST_FOREACH (&l->due, it) {
		if (j->n == BATCH)
			break;
		text_fill(j->name[j->n], sizeof j->name[0], LIST_ENTRY(it, struct place, due)->name);
		j->n++;
		list_remove(it);
	}
	l->counting = true;
	if (!store_submit(l->prm.store, STORE_READ, count_work, counted, j))
		return;
	l->counting = false; /* the store is busy: at the next poll */
	for (unsigned i = 0; i < j->n; i++) {
		struct place *p = place_of(l, j->name[i]);
		if (p)
			list_append(&l->due, &p->due);
	}
	mem_free(j);
	mem_unref(l);
}

/* Some at each poll, so that all are counted within a minute. */
static void on_poll(void *arg)
{
	struct lookout *l = arg;
	size_t some = hash_count(l->places) * l->prm.poll_ms / ROUND_MS + 1;

	for (; some && !list_empty(&l->all); some--) {
		struct place *p = LIST_ENTRY(list_first(&l->all), struct place, link);
		list_remove(&p->link);
		list_append(&l->all, &p->link);
		if (!link_linked(&p->due))
			list_append(&l->due, &p->due);
	}
	pump(l);
	tmr_start(l->prm.loop, &l->poll, (int64_t)l->prm.poll_ms, on_poll, l);
}

/* ---- asked by the core ---- */
static bool may_watch(const struct dir_view *v, const struct dir_user *u, const char *gateway)
{
	const struct cfg_gateway *g = cfg_gateway(dir_view_cfg(v), text_of(u->lamp_gateway));

	return u->lamp && g && g->lamp && text_is(text_of(gateway), g->name);
}

static int enter(struct lookout *l, struct sip_watch *w, const struct sip_watch_asked *asked, const struct dir_user *u)
{
	struct watcher *x = mem_zalloc(1, sizeof *x);
	struct place *p = x ? place_make(l, u->name) : NULL;
	struct text account, params;

	if (!p) {
		mem_free(x);
		return ENOMEM;
	}
	text_cut(asked->uri, ';', &account, &params);
	if (text_copy(account, x->account, sizeof x->account))
		text_fill(x->account, sizeof x->account, u->lamp_uri);
	x->place = p;
	x->w = w;
	list_append(&p->watchers, &x->link);
	sip_watch_own(w, x);
	return 0;
}

static int on_wanted(struct sip_watch *w, const struct sip_watch_asked *asked, void *arg)
{
	struct lookout *l = arg;
	struct dir_view *v = dir_view(l->prm.dir);
	const struct dir_user *u;
	int err;

	if (!v)
		return EAGAIN;
	u = dir_find_uri(v, asked->uri);
	if (!u)
		u = dir_find(v, text_of(asked->user));
	err = !u ? ENOENT : !may_watch(v, u, asked->peer->name) ? EACCES : enter(l, w, asked, u);
	dir_view_unref(v);
	return err;
}

static void on_state(struct sip_watch *w, void *arg)
{
	struct watcher *x = sip_watch_owned(w);

	make_due(arg, x->place);
}

static void on_over(struct sip_watch *w, void *arg)
{
	struct watcher *x = sip_watch_owned(w);
	struct place *p = x->place;

	(void)arg;
	list_remove(&x->link);
	mem_free(x);
	place_leave(p);
}

void lookout_attach(struct lookout *l, struct sip_core *core)
{
	const struct sip_watch_handlers h = { .wanted = on_wanted, .state = on_state, .over = on_over, .arg = l };

	sip_core_watches(core, &h);
}

void lookout_changed(struct lookout *l, const char *mailbox)
{
	struct place *p = place_of(l, mailbox);

	if (p)
		make_due(l, p);
}

static void on_change(const char *mailbox, void *arg)
{
	lookout_changed(arg, mailbox);
}

int lookout_create(struct lookout **lp, const struct lookout_prm *prm)
{
	struct lookout *l = mem_object(sizeof *l, gone);
	int err;

	if (!l)
		return ENOMEM;
	l->prm = *prm;
	if (!l->prm.poll_ms)
		l->prm.poll_ms = 5000;
	list_init(&l->all);
	list_init(&l->due);
	err = hash_create(&l->places, 64);
	if (err) {
		mem_unref(l);
		return err;
	}
	if (prm->mbox)
		mbox_on_change(prm->mbox, on_change, l);
	tmr_start(prm->loop, &l->poll, (int64_t)l->prm.poll_ms, on_poll, l);
	*lp = l;
	return 0;
}

void lookout_destroy(struct lookout *l)
{
	if (!l)
		return;
	l->closed = true;
	tmr_cancel(&l->poll);
	if (l->prm.mbox)
		mbox_on_change(l->prm.mbox, NULL, NULL);
	mem_unref(l);
}
