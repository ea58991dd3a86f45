/* SPDX-License-Identifier: Apache-2.0 */
/* mbox.c  The service as the loop sees it: calls with handles, each a job of the store. Saving stands in mbox_save.c. */
#include <errno.h>
#include "base/mem.h"
#include "jobs/outbox.h"
#include "mailbox/mbox_private.h"
#include "mailbox_events.h"
#include "voice/stored.h"

const char *mbox_codec_name(enum mbox_codec c)
{
	return stored_name((enum stored_form)c);
}

const char *mbox_state_name(enum mbox_state s)
{
	return s == MBOX_NEW ? "new" : s == MBOX_SAVED ? "saved" : "deleted";
}

const char *mbox_greeting_name(enum mbox_greeting g)
{
	static const char *const names[MBOX_GREETINGS] = { [MBOX_G_NAME] = "name", [MBOX_G_PERSONAL] = "personal", [MBOX_G_BUSY] = "busy",
		                                           [MBOX_G_CLOSED] = "closed", [MBOX_G_AWAY] = "away" };
	return (unsigned)g < MBOX_GREETINGS ? names[g] : "";
}

const char *mbox_relation_name(enum mbox_relation r)
{
	static const char *const names[] = { "left", "sent", "reply", "forward" };
	return r <= MBOX_FORWARD ? names[r] : "left";
}

bool mbox_is_from(const struct mbox_message *m, struct text caller)
{
	struct text name = text_of(m->caller_name);
	if (!caller.n)
		return true;
	if (text_eq_nocase(caller, text_of(m->sender)) || text_find_text(text_of(m->caller_number), caller) != SIZE_MAX)
		return true;
	for (; name.n >= caller.n; name = text_skip(name, 1))
		if (text_eq_nocase(text_make(name.p, caller.n), caller))
			return true;
	return false;
}

/* ---- calls ---- */

void mbox_call_free(struct mbox_call *c)
{
	op_remove(&c->op);
	buf_free(&c->audio);
	mem_free(c->list);
	mem_free(c->calls);
	mem_free(c->path);
	if (c->choices)
		mbox_choices_clear(c->choices);
	mem_free(c->choices);
	mem_free(c->value);
	mem_unref(c->m);
	mem_free(c);
}

struct mbox_call *mbox_call_new(struct mbox *m, const char *mailbox, const char *id)
{
	struct mbox_call *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->m = mem_ref(m);
	text_fill(c->msg.mailbox, sizeof c->msg.mailbox, mailbox);
	for (char *p = c->msg.mailbox; *p; p++)
		*p = text_lower(*p);
	text_fill(c->msg.id, sizeof c->msg.id, id ? id : "");
	c->seen = INT64_MAX;
	buf_init(&c->audio, MBOX_AUDIO_MAX);
	return c;
}

int mbox_call_go(struct mbox_call *c, enum store_kind kind, store_work_h *work, store_done_h *done, op_fn *h, void *arg, uint64_t *handle)
{
	struct mbox *m = c->m;
	int err = store_submit(m->prm.store, kind, work, done, c);
	if (err) {
		mbox_call_free(c);
		return err;
	}
	ops_add(&m->ops, &c->op, h, arg, handle);
	return 0;
}

static void listed(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct mbox_call *c = arg;
	(void)result;
	if (c->op.h)
		((mbox_list_h *)c->op.h)(err, c->list, err ? 0 : c->n_list, why, c->op.arg);
	mbox_call_free(c);
}

int mbox_list(struct mbox *m, const char *mailbox, int which, enum mbox_order order, mbox_list_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = mbox_call_new(m, mailbox, NULL);
	if (!c)
		return ENOMEM;
	c->which = which;
	c->order = order;
	return mbox_call_go(c, STORE_READ, mbox_list_work, listed, (op_fn *)h, arg, handle);
}

static void counted(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct mbox_call *c = arg;
	(void)result;
	if (c->op.h)
		((mbox_counts_h *)c->op.h)(err, &c->counts, why, c->op.arg);
	mbox_call_free(c);
}

int mbox_counts(struct mbox *m, const char *mailbox, mbox_counts_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = mbox_call_new(m, mailbox, NULL);
	return c ? mbox_call_go(c, STORE_READ, mbox_counts_work, counted, (op_fn *)h, arg, handle) : ENOMEM;
}

static void fetched(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct mbox_call *c = arg;
	(void)result;
	if (c->op.h)
		((mbox_audio_h *)c->op.h)(err, c->msg.codec, c->audio.p, err ? 0 : c->audio.n, why, c->op.arg);
	mbox_call_free(c);
}

int mbox_get_audio(struct mbox *m, const char *mailbox, const char *id, mbox_audio_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = mbox_call_new(m, mailbox, id);
	return c ? mbox_call_go(c, STORE_READ, mbox_audio_work, fetched, (op_fn *)h, arg, handle) : ENOMEM;
}

static void sound_fetched(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct mbox_call *c = arg;
	(void)result;
	if (c->op.h)
		((mbox_sound_h *)c->op.h)(err, &c->msg, c->audio.p, err ? 0 : c->audio.n, why, c->op.arg);
	mbox_call_free(c);
}

int mbox_get_sound(struct mbox *m, const char *mailbox, const char *id, mbox_sound_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = mbox_call_new(m, mailbox, id);
	if (!c)
		return ENOMEM;
	c->linear = true;
	return mbox_call_go(c, STORE_READ, mbox_audio_work, sound_fetched, (op_fn *)h, arg, handle);
}

void mbox_on_change(struct mbox *m, mbox_change_h *h, void *arg)
{
	m->change = h;
	m->change_arg = arg;
}

void mbox_changed(struct mbox *m, const char *mailbox)
{
	if (m->closed)
		return;
	if (m->prm.outbox)
		outbox_kick(m->prm.outbox);
	if (m->change)
		m->change(mailbox, m->change_arg);
}

void mbox_changed_elsewhere(struct mbox *m, const char *mailbox)
{
	if (m->change && !m->closed)
		m->change(mailbox, m->change_arg);
}

/* An unknown end counts as an error here: marking again is harmless, and the caller of the dialogue hears the truth. */
void mbox_call_changed(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct mbox_call *c = arg;
	if (result == STORE_DONE)
		mbox_changed(c->m, c->msg.mailbox);
	if (c->op.h)
		((mbox_done_h *)c->op.h)(err, why, c->op.arg);
	mbox_call_free(c);
}

int mbox_mark(struct mbox *m, const char *mailbox, const char *id, enum mbox_state state, mbox_done_h *h, void *arg, uint64_t *handle)
{
	return mbox_mark_seen(m, mailbox, id, MBOX_ANY_VERSION, state, h, arg, handle);
}

int mbox_mark_seen(struct mbox *m, const char *mailbox, const char *id, int64_t version, enum mbox_state state, mbox_done_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = mbox_call_new(m, mailbox, id);
	if (!c)
		return ENOMEM;
	c->seen = version < 0 ? INT64_MAX : version;
	c->msg.state = state;
	return mbox_call_go(c, STORE_WRITE, mbox_mark_work, mbox_call_changed, (op_fn *)h, arg, handle);
}

/* ---- greetings ---- */

static struct mbox_call *greeting_call(struct mbox *m, const char *mailbox, const char *kind)
{
	struct mbox_call *c = mbox_call_new(m, mailbox, NULL);
	if (c)
		text_fill(c->kind, sizeof c->kind, kind);
	return c;
}

int mbox_greeting_set(struct mbox *m, const char *mailbox, const char *kind, enum mbox_codec codec, const struct mbox_audio *audio,
                      mbox_done_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = greeting_call(m, mailbox, kind);
	if (!c)
		return ENOMEM;
	c->msg.codec = codec;
	c->offset = audio->offset;
	c->n = audio->n;
	if (audio->p)
		buf_put(&c->audio, audio->p, audio->n);
	else
		c->path = mem_strdup(audio->path);
	if (buf_error(&c->audio) || (!audio->p && !c->path)) {
		mbox_call_free(c);
		return ENOMEM;
	}
	return mbox_call_go(c, STORE_WRITE, mbox_greeting_set_work, mbox_call_changed, (op_fn *)h, arg, handle);
}

int mbox_greeting_get(struct mbox *m, const char *mailbox, const char *kind, mbox_audio_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = greeting_call(m, mailbox, kind);
	return c ? mbox_call_go(c, STORE_READ, mbox_greeting_get_work, fetched, (op_fn *)h, arg, handle) : ENOMEM;
}

int mbox_greeting_delete(struct mbox *m, const char *mailbox, const char *kind, mbox_done_h *h, void *arg, uint64_t *handle)
{
	struct mbox_call *c = greeting_call(m, mailbox, kind);
	return c ? mbox_call_go(c, STORE_WRITE, mbox_greeting_delete_work, mbox_call_changed, (op_fn *)h, arg, handle) : ENOMEM;
}

/* ---- life ---- */

static void gone(void *p)
{
	struct mbox *m = p;
	spool_close(m->spool);
	mbox_cache_destroy(m->cache);
}

int mbox_create(struct mbox **mp, const struct mbox_prm *prm, struct ev_report *why)
{
	struct mbox *m = mem_object(sizeof *m, gone);
	if (!m)
		return ENOMEM;
	m->prm = *prm;
	text_fill(m->node, sizeof m->node, prm->node ? prm->node : "");
	m->prm.receipt_ms = prm->receipt_ms ? prm->receipt_ms : 3000;
	m->prm.ship_ms = prm->ship_ms ? prm->ship_ms : 5000;
	m->prm.purge_ms = prm->purge_ms ? prm->purge_ms : 3600000;
	m->purge_at_ms = clock_mono_ms(prm->clock) + (int64_t)m->prm.purge_ms / 60;
	ops_init(&m->ops);
	list_init(&m->saves);
	list_init(&m->drafts);
	int err = mbox_cache_create(&m->cache, MBOX_CACHE_BYTES);
	if (!err)
		err = spool_open(&m->spool, prm->spool_dir, prm->spool_free_min_bytes ? prm->spool_free_min_bytes : 16 << 20, why);
	if (err) {
		mem_unref(m);
		return err;
	}
	m->prm.spool_dir = NULL;
	m->room_err = spool_room(m->spool, NULL);
	m->m_saved = metric_get(prm->metrics, METRIC_COUNTER, "umbel_messages_total", "end=\"saved\"", "Messages left by callers");
	m->m_spooled = metric_get(prm->metrics, METRIC_COUNTER, "umbel_messages_total", "end=\"spooled\"", "Messages left by callers");
	m->m_failed = metric_get(prm->metrics, METRIC_COUNTER, "umbel_messages_total", "end=\"failed\"", "Messages left by callers");
	m->m_waiting = metric_get(prm->metrics, METRIC_GAUGE, "umbel_spool_messages", NULL, "Accepted messages waiting in this node's spool");
	err = mbox_form_begin(m);
	if (err) {
		mem_unref(m);
		return err;
	}
	mbox_ship_start(m);
	mbox_drafts_begin(m);
	*mp = m;
	return 0;
}

void mbox_destroy(struct mbox *m)
{
	if (!m)
		return;
	m->closed = true;
	tmr_cancel(&m->ship_tmr);
	ops_cancel_all(&m->ops);
	mbox_save_cancel_all(m);
	mbox_drafts_end(m);
	mem_unref(m);
}

void mbox_cancel(struct mbox *m, uint64_t handle)
{
	ops_cancel(&m->ops, handle);
}

size_t mbox_spooled(const struct mbox *m)
{
	return m->spooled;
}
