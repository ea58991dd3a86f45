/* SPDX-License-Identifier: Apache-2.0 */
/* dir.c  The service: holds the view, applies the file, and looks for newer revisions. */
#include "directory/dir.h"
#include <errno.h>
#include "directory/dir_private.h"
#include "directory_events.h"

static void gone(void *p)
{
	struct dir *d = p;
	dir_view_unref(d->view);
}

static void swap_view(struct dir *d, struct dir_view *v)
{
	dir_view_unref(d->view);
	d->view = v;
}

static void say(struct dir *d, const struct ev_report *r)
{
	if (r && d->prm.bus)
		ev_emit(d->prm.bus, r);
}

static void put_revision(struct dir *d, const struct dir_sync *s, struct ev_report *r)
{
	ev_set(r, EV_DIR_REVISION);
	ev_int(r, "revision", s->revision);
	ev_int(r, "count", (int64_t)s->cfg->n_mailboxes);
	ev_int(r, "removed", s->removed);
	say(d, r);
}

void dir_tell_revision(struct dir *d, const struct dir_sync *s)
{
	struct ev_report *r = s->fresh ? mem_zalloc(1, sizeof *r) : NULL;
	if (r)
		put_revision(d, s, r);
	mem_free(r);
}

static void tell_applied(struct dir *d, const struct dir_sync *s, int err, const struct ev_report *why)
{
	struct ev_report *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return;
	if (err) {
		ev_set(r, EV_DIR_NOT_APPLIED);
		struct text words = ev_field_text(why, "error");
		ev_text(r, "error", words.n ? words : text_of(strerror(err)));
		say(d, r);
	} else if (s->fresh) {
		put_revision(d, s, r);
		if (s->other[0]) {
			ev_set(r, EV_DIR_REVISION_OTHER);
			ev_str(r, "node", s->other);
			ev_int(r, "revision", s->other_revision);
			say(d, r);
		}
	}
	mem_free(r);
}

static void sync_free(struct dir_sync *s)
{
	dir_view_unref(s->view);
	cfg_unref(s->objects);
	cfg_errors_free(&s->errors);
	cfg_unref(s->cfg);
	mem_unref(s->d);
	mem_free(s);
}

static void tell_unusable(struct dir *d, const struct dir_sync *s)
{
	struct ev_report *r = s->errors.n ? mem_zalloc(1, sizeof *r) : NULL;
	if (!r)
		return;
	ev_set(r, EV_DIR_OBJECTS_UNUSABLE);
	ev_int(r, "revision", s->revision);
	ev_printf(r, "error", "line %u: %s: %s", s->errors.v[0].pos.line, s->errors.v[0].key, s->errors.v[0].what);
	say(d, r);
	mem_free(r);
}

static void synced(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct dir_sync *s = arg;
	struct dir *d = s->d;
	(void)result;
	if (s->apply)
		d->applying = false;
	else
		d->polling = false;
	/* a view made for a configuration that was replaced meanwhile is of no use */
	s->view_made = s->view != NULL;
	if (!err && s->view && !d->closed && d->view && dir_view_cfg(d->view) == s->cfg) {
		swap_view(d, s->view);
		s->view = NULL;
	}
	if (!err && !d->closed && d->view && dir_view_cfg(d->view) == s->cfg) {
		tell_unusable(d, s);
		if (s->objects && d->on_objects)
			d->on_objects(s->objects, s->revision, d->on_objects_arg);
		else if (!s->objects && !s->errors.n && s->view_made && d->on_serves)
			d->on_serves(s->revision, d->on_serves_arg);
	}
	if (s->apply && !d->closed) {
		tell_applied(d, s, err, why);
		if (s->done)
			s->done(err, err ? 0 : s->revision, why, s->arg);
	}
	bool again = d->look_again && !d->closed;
	mem_ref(d);
	sync_free(s);
	if (again)
		dir_look(d);
	mem_unref(d);
}

static int sync(struct dir *d, bool apply, dir_applied_h *done, void *arg)
{
	/* a node's file that holds no objects must not take everybody's mailboxes away, nor what this node learnt lately undo what others made since */
	const struct cfg *cfg = dir_view_cfg(d->view);
	bool learnt = d->prm.shared && cfg->source && cfg->source[0];
	bool writes = apply && !learnt && cfg_has_objects(cfg);
	struct dir_sync *s = mem_zalloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	s->d = mem_ref(d);
	s->cfg = cfg_ref(dir_view_cfg(d->view));
	s->known = apply ? -1 : d->view->revision;
	s->apply = apply;
	s->done = done;
	s->arg = arg;
	s->writes = writes;
	int err = store_submit(d->prm.store, writes ? STORE_WRITE : STORE_READ, dir_sync_work, synced, s);
	if (err)
		sync_free(s);
	else if (apply)
		d->applying = true;
	else
		d->polling = true;
	return err;
}

/* A file that could not be applied (revision 0) is applied again; else the store is asked for something newer. */
static void on_poll(void *arg)
{
	struct dir *d = arg;
	tmr_start(d->prm.loop, &d->poll, (int64_t)d->prm.poll_ms, on_poll, d);
	if (!d->view || d->applying || d->polling || store_state(d->prm.store) == STORE_AWAY)
		return;
	sync(d, d->view->revision == 0, NULL, NULL);
	dir_proposals_look(d);
}

void dir_look(struct dir *d)
{
	if (store_state(d->prm.store) == STORE_AWAY)
		return;
	dir_proposals_look(d);
	d->look_again = d->applying || d->polling;
	if (d->view && !d->look_again)
		sync(d, d->view->revision == 0, NULL, NULL);
}

int dir_apply(struct dir *d, const struct cfg *cfg, dir_applied_h *done, void *arg)
{
	struct dir_view *v;
	int err = dir_view_of_cfg(&v, cfg);
	if (err)
		return err;
	swap_view(d, v);
	return sync(d, true, done, arg);
}

void dir_use(struct dir *d, struct dir_view *view)
{
	swap_view(d, view);
	(void)sync(d, true, NULL, NULL); /* else on_poll() tries again: the view has no revision yet */
}

void dir_on_objects(struct dir *d, dir_objects_h *h, void *arg)
{
	d->on_objects = h;
	d->on_objects_arg = arg;
}

void dir_on_serves(struct dir *d, dir_serves_h *h, void *arg)
{
	d->on_serves = h;
	d->on_serves_arg = arg;
}

struct dir_view *dir_view(struct dir *d)
{
	return dir_view_ref(d->view);
}

int dir_create(struct dir **dp, const struct dir_prm *prm)
{
	struct dir *d = mem_object(sizeof *d, gone);
	if (!d)
		return ENOMEM;
	d->prm = *prm;
	d->prm.poll_ms = prm->poll_ms ? prm->poll_ms : 5000;
	text_fill(d->node, sizeof d->node, prm->node ? prm->node : "");
	ops_init(&d->ops);
	list_init(&d->proposals);
	tmr_start(prm->loop, &d->poll, (int64_t)d->prm.poll_ms, on_poll, d);
	*dp = d;
	return 0;
}

void dir_destroy(struct dir *d)
{
	if (!d)
		return;
	d->closed = true;
	tmr_cancel(&d->poll);
	ops_cancel_all(&d->ops);
	dir_proposals_end(d);
	mem_unref(d);
}

void dir_cancel(struct dir *d, uint64_t handle)
{
	ops_cancel(&d->ops, handle);
}
