/* SPDX-License-Identifier: Apache-2.0 */
/* mbox_save.c  From "the caller has spoken" to "it is durable", and the way from the spool into the store.
 *
 *   store job ---- done --------------------------------> SAVED
 *        \---- failed, unknown, or receipt_ms over ---> spool job ---- done ----> SPOOLED ... shipped later
 *                                                             \---- failed ---> FAILED
 *
 * Both may end well: then the message is in the store under the same id, and the spool file goes.                        */
#include <errno.h>
#include "base/mem.h"
#include "jobs/outbox.h"
#include "mailbox/mbox_private.h"
#include "mailbox_events.h"

struct save {
	struct link link;
	struct op op;
	struct mbox *m; /* a reference */
	struct mbox_message msg;
	struct buf audio;
	char *path; /* owned; then audio is empty */
	uint64_t offset;
	size_t n;
	struct tmr tmr;
	bool store_busy, refused, spool_begun, spool_busy, in_store, in_spool, told; /* refused: the store's queue is full */
	int spool_err;
	struct ev_report *why; /* of the store's failure; NULL when there is nothing to say */
};

/* A spooled message whose row is in the store now. */
struct drop {
	struct mbox *m; /* a reference */
	char id[ID_SIZE], mailbox[65];
};

static void save_end(struct save *s)
{
	if (s->store_busy || s->spool_busy)
		return;
	tmr_cancel(&s->tmr);
	op_remove(&s->op);
	list_remove(&s->link);
	buf_free(&s->audio);
	mem_free(s->path);
	mem_free(s->why);
	mem_unref(s->m);
	mem_free(s);
}

/* ---- telling ---- */

static void emit(struct mbox *m, uint16_t id, const struct mbox_message *msg, const char *error, size_t n_error)
{
	if (!m->prm.bus || !ev_wanted(m->prm.bus, id))
		return;
	struct ev_report *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return;
	ev_set(r, id);
	ev_session(r, msg->session);
	ev_str(r, "id", msg->id);
	ev_str(r, "mailbox", msg->mailbox);
	ev_int(r, "seconds", (msg->duration_ms + 999) / 1000);
	ev_str(r, "caller", msg->caller_number[0] ? msg->caller_number : "an unknown number");
	ev_text(r, "error", text_make(error, n_error));
	ev_emit(m->prm.bus, r);
	mem_free(r);
}

static void tell(struct save *s, enum mbox_saved outcome, int err)
{
	static const struct ev_report nothing;
	static const uint16_t ids[] = { EV_MBOX_SAVED, EV_MBOX_SPOOLED, EV_MBOX_SAVE_FAILED };
	struct mbox *m = s->m;
	if (s->told)
		return;
	s->told = true;
	struct text error = s->why && s->why->id ? ev_field_text(s->why, "error") : s->refused ? TEXT("it takes no more jobs at the moment") : TEXT("it did not answer in time");
	char both[200];
	if (outcome == MBOX_SAVE_FAILED) {
		text_print(both, sizeof both, "the store: %.*s; the spool: %s", TEXT_FMT(error), strerror(err));
		error = text_of(both);
	}
	emit(m, ids[outcome], &s->msg, error.p, error.n);
	if (outcome == MBOX_SAVE_SPOOLED) /* its row in the store goes with the shipping, or another node makes a part of it known before */
		mbox_drafts_saved(m, &s->msg, false);
	metric_add(outcome == MBOX_SAVE_DONE ? m->m_saved : outcome == MBOX_SAVE_SPOOLED ? m->m_spooled : m->m_failed, 1);
	if (s->op.h)
		((mbox_saved_h *)s->op.h)(outcome, err, s->why ? s->why : &nothing, s->op.arg);
}

/* ---- the spool's side ---- */

static int drop_work(void *arg)
{
	struct drop *d = arg;
	return spool_remove(d->m->spool, d->id);
}

static void count_spooled(struct mbox *m, int by)
{
	m->spooled = by < 0 && m->spooled < (size_t)-by ? 0 : m->spooled + (size_t)by;
	metric_set(m->m_waiting, (int64_t)m->spooled);
}

static void dropped(enum pool_result result, int err, void *arg)
{
	struct drop *d = arg;
	(void)err;
	if (result == POOL_DONE)
		count_spooled(d->m, -1);
	mem_unref(d->m);
	mem_free(d);
}

/* If it cannot be removed now, the next shipping finds it and does it again. */
static void drop_file(struct mbox *m, const struct mbox_message *msg)
{
	struct drop *d = m->closed ? NULL : mem_zalloc(1, sizeof *d);
	if (!d)
		return;
	d->m = mem_ref(m);
	memcpy(d->id, msg->id, sizeof d->id);
	if (pool_submit(m->prm.files, drop_work, dropped, d)) {
		mem_unref(m);
		mem_free(d);
	}
}

static int spool_work(void *arg)
{
	struct save *s = arg;
	struct buf b;
	if (!s->path)
		return spool_put(s->m->spool, &s->msg, s->audio.p, s->audio.n, NULL);
	buf_init(&b, MBOX_AUDIO_MAX);
	int err = spool_read_file(s->path, s->offset, s->n, &b);
	if (!err)
		err = spool_put(s->m->spool, &s->msg, b.p, b.n, NULL);
	buf_free(&b);
	return err;
}

static void spooled(enum pool_result result, int err, void *arg)
{
	struct save *s = arg;
	s->spool_busy = false;
	if (result == POOL_DONE) {
		s->in_spool = true;
		count_spooled(s->m, 1);
		tell(s, MBOX_SAVE_SPOOLED, 0);
		if (s->in_store)
			drop_file(s->m, &s->msg);
	} else {
		tell(s, MBOX_SAVE_FAILED, err ? err : ECANCELED);
	}
	save_end(s);
}

static void begin_spool(struct save *s)
{
	if (s->spool_begun)
		return;
	s->spool_begun = true;
	int err = s->m->closed ? ESHUTDOWN : pool_submit(s->m->prm.files, spool_work, spooled, s);
	if (!err)
		s->spool_busy = true;
	else
		tell(s, MBOX_SAVE_FAILED, err);
}

static void receipt_is_due(void *arg)
{
	begin_spool(arg);
	save_end(arg);
}

/* ---- the store's side ---- */

static int store_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct save *s = arg;
	struct buf b;
	if (!s->path)
		return mbox_save_work(tx, &s->msg, s->audio.p, s->audio.n, why);
	buf_init(&b, MBOX_AUDIO_MAX);
	int err = spool_read_file(s->path, s->offset, s->n, &b);
	if (!err)
		err = mbox_save_work(tx, &s->msg, b.p, b.n, why);
	buf_free(&b);
	return err;
}

static void stored(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct save *s = arg;
	s->store_busy = false;
	if (result == STORE_DONE) {
		s->in_store = true;
		mbox_drafts_saved(s->m, &s->msg, true);
		tmr_cancel(&s->tmr);
		mbox_changed(s->m, s->msg.mailbox);
		tell(s, MBOX_SAVE_DONE, 0);
		if (s->in_spool)
			drop_file(s->m, &s->msg);
	} else if (!s->told) {
		s->why = why->id ? mem_alloc(sizeof *s->why) : NULL;
		if (s->why)
			ev_copy(s->why, why);
		tmr_cancel(&s->tmr);
		begin_spool(s);
	}
	(void)err;
	save_end(s);
}

static int take_audio(struct save *s, const struct mbox_audio *audio)
{
	buf_init(&s->audio, MBOX_AUDIO_MAX);
	s->offset = audio->offset;
	s->n = audio->n;
	if (audio->p)
		return buf_put(&s->audio, audio->p, audio->n);
	s->path = mem_strdup(audio->path);
	return s->path ? 0 : ENOMEM;
}

static void take_message(struct save *s, const struct mbox_message *msg)
{
	s->msg = *msg;
	s->msg.state = MBOX_NEW;
	for (char *p = s->msg.mailbox; *p; p++)
		*p = text_lower(*p);
}

int mbox_save(struct mbox *m, const struct mbox_message *msg, const struct mbox_audio *audio, mbox_saved_h *h, void *arg, uint64_t *handle)
{
	if (!id_valid(text_of(msg->id)) || !msg->mailbox[0] || (!audio->p && !audio->path))
		return EINVAL;
	struct save *s = mem_zalloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	s->m = mem_ref(m);
	take_message(s, msg);
	int err = take_audio(s, audio);
	if (err) {
		save_end(s);
		return err;
	}
	ops_add(&m->ops, &s->op, (op_fn *)h, arg, handle);
	list_append(&m->saves, &s->link);
	s->store_busy = store_submit(m->prm.store, STORE_WRITE, store_work, stored, s) == 0;
	s->refused = !s->store_busy;
	/* A store that takes no more jobs is left to the timer, so that the handler never runs before this call returns. */
	tmr_start(m->prm.loop, &s->tmr, s->store_busy ? (int64_t)m->prm.receipt_ms : 0, receipt_is_due, s);
	return 0;
}

void mbox_save_cancel_all(struct mbox *m)
{
	LIST_FOREACH (&m->saves, it) {
		struct save *s = LIST_ENTRY(it, struct save, link);
		tmr_cancel(&s->tmr);
		s->told = true;
		save_end(s);
	}
}

/* ---- shipping ---- */

struct ship {
	struct mbox *m; /* a reference */
	char (*ids)[ID_SIZE];
	size_t n, at;
	struct mbox_message msg;
	struct buf audio;
};

static void ship_next(struct ship *p);

static void ship_end(struct ship *p)
{
	p->m->shipping = false;
	buf_free(&p->audio);
	mem_free(p->ids);
	mem_unref(p->m);
	mem_free(p);
}

static void shipped_file_gone(enum pool_result result, int err, void *arg)
{
	struct ship *p = arg;
	(void)err;
	if (result == POOL_DONE)
		count_spooled(p->m, -1);
	p->at++;
	ship_next(p);
}

static int ship_remove_work(void *arg)
{
	struct ship *p = arg;
	return spool_remove(p->m->spool, p->msg.id);
}

static int ship_store_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct ship *p = arg;
	return mbox_save_work(tx, &p->msg, p->audio.p, p->audio.n, why);
}

/* The store works but refuses this one message: the others must not wait behind it. Told once a minute, for it is tried again each time. */
static void ship_refused(struct ship *p, int err, const struct ev_report *why)
{
	struct mbox *m = p->m;
	int64_t now = clock_mono_ms(m->prm.clock);
	if (!m->refused_said_ms || now - m->refused_said_ms >= 60000) {
		struct text error = why->id ? ev_field_text(why, "error") : text_of(strerror(err));
		m->refused_said_ms = now;
		emit(m, EV_MBOX_NOT_SHIPPED, &p->msg, error.p, error.n);
	}
	p->at++;
	ship_next(p);
}

static void ship_stored(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct ship *p = arg;
	struct mbox *m = p->m;
	if (result == STORE_FAILED && !m->closed && (err == EINVAL || err == EEXIST || err == EFBIG)) {
		ship_refused(p, err, why);
		return;
	}
	if (result != STORE_DONE || m->closed) {
		ship_end(p); /* the next tick begins again */
		return;
	}
	emit(m, EV_MBOX_SHIPPED, &p->msg, NULL, 0);
	mbox_changed(m, p->msg.mailbox);
	if (pool_submit(m->prm.files, ship_remove_work, shipped_file_gone, p))
		ship_end(p);
}

static int ship_read_work(void *arg)
{
	struct ship *p = arg;
	struct ev_report *why = mem_zalloc(1, sizeof *why);
	buf_clear(&p->audio);
	int err = spool_get(p->m->spool, p->ids[p->at], &p->msg, &p->audio, why);
	if (err == EBADMSG)
		ev_emit(p->m->prm.bus, why);
	mem_free(why);
	return err;
}

static void ship_read(enum pool_result result, int err, void *arg)
{
	struct ship *p = arg;
	if (result == POOL_DONE && !p->m->closed && store_submit(p->m->prm.store, STORE_WRITE, ship_store_work, ship_stored, p) == 0)
		return;
	if (result == POOL_DONE || err == ENOMEM || p->m->closed) {
		ship_end(p);
		return;
	}
	if (err == EBADMSG)
		count_spooled(p->m, -1);
	p->at++;
	ship_next(p);
}

static bool being_saved(const struct mbox *m, const char *id)
{
	LIST_FOREACH (&m->saves, it)
		if (strcmp(LIST_ENTRY(it, struct save, link)->msg.id, id) == 0)
			return true;
	return false;
}

static void ship_next(struct ship *p)
{
	while (p->at < p->n && being_saved(p->m, p->ids[p->at]))
		p->at++;
	if (p->at >= p->n || p->m->closed || pool_submit(p->m->prm.files, ship_read_work, ship_read, p))
		ship_end(p);
}

static int ship_list_work(void *arg)
{
	struct ship *p = arg;
	return spool_list(p->m->spool, &p->ids, &p->n);
}

static void ship_listed(enum pool_result result, int err, void *arg)
{
	struct ship *p = arg;
	(void)err;
	if (result != POOL_DONE || p->m->closed) {
		ship_end(p);
		return;
	}
	if (list_empty(&p->m->saves)) /* somebody may have tidied the folder by hand */
		count_spooled(p->m, (int)p->n - (int)p->m->spooled);
	ship_next(p);
}

void mbox_ship_now(struct mbox *m)
{
	if (m->shipping || m->closed || !m->spooled || store_state(m->prm.store) != STORE_GOOD)
		return;
	struct ship *p = mem_zalloc(1, sizeof *p);
	if (!p)
		return;
	p->m = mem_ref(m);
	buf_init(&p->audio, MBOX_AUDIO_MAX);
	m->shipping = true;
	if (pool_submit(m->prm.files, ship_list_work, ship_listed, p))
		ship_end(p);
}

static void on_ship_time(void *arg)
{
	struct mbox *m = arg;
	tmr_start(m->prm.loop, &m->ship_tmr, (int64_t)m->prm.ship_ms, on_ship_time, m);
	mbox_look_at_room(m);
	mbox_ship_now(m);
	mbox_purge(m);
}

void mbox_ship_start(struct mbox *m)
{
	char (*ids)[ID_SIZE] = NULL;
	size_t n = 0;
	if (spool_list(m->spool, &ids, &n) == 0)
		count_spooled(m, (int)n);
	mem_free(ids);
	on_ship_time(m);
}
