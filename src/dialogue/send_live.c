/* SPDX-License-Identifier: Apache-2.0 */
/* send_live.c  A message of one owner for others: what he recorded, and behind it the message that he forwards, saved for one mailbox after the
 * other. Who has it is taken off the list at once, so that a second try does not bring it twice.                         */
#include <errno.h>
#include "base/mem.h"
#include "dialogue/call_private.h"

enum { GAP_MS = 700, BEGIN_WITHIN_MS = 25000 };

/* What is sent, as it was when it was asked for. */
struct live_send {
	const struct dir_user *to[DLG_RECIPIENTS]; /* of the session's view; NULL: has it */
	unsigned n_to, at, n_sent;
	int64_t until_ms; /* nobody more is begun with then: what was done is told before the conversation's own time is up */
	int err;
	struct mbox_message m;
};

static void next(struct live_job *j);

static const struct mbox_message *original(const struct dlg_call *c)
{
	return c->s.at < c->s.n_list ? &c->s.list[c->s.at] : NULL;
}

/* Nobody waits for this note; the next time the list is read it is there or not. */
static void note_original(struct live_job *j)
{
	const struct mbox_message *m = &j->send->m;
	unsigned note = m->relation == MBOX_REPLY ? MBOX_REPLIED : m->relation == MBOX_FORWARD ? MBOX_FORWARDED : 0;
	if (*m->related && note)
		(void)mbox_note(j->svc->prm.mbox, m->sender, m->related, note, 0, NULL, NULL, NULL);
}

/* Those who have not got it stay in the session, if it still waits for the outcome. */
static unsigned left(struct live_job *j)
{
	struct dlg_phone *p = &j->call->s.phone;
	struct live_send *x = j->send;
	bool awaited = dlg_live_awaited(j);
	unsigned n = 0;
	for (unsigned i = 0; i < x->n_to; i++) {
		if (x->to[i] && awaited)
			p->to[n] = x->to[i];
		n += x->to[i] != NULL;
	}
	if (awaited) {
		p->n_to = n;
		p->n_sent += x->n_sent;
	}
	return n;
}

static void end(struct live_job *j)
{
	struct dlg_service *svc = j->svc;
	int err = j->send->err;
	if (j->send->n_sent)
		note_original(j);
	bool all = left(j) == 0;
	svc->n_saves--;
	if (all)
		dlg_live_done(j, J_DONE);
	else
		dlg_live_failed(j, err);
	dlg_service_check_idle(svc);
}

static void sent(enum mbox_saved outcome, int err, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	struct live_send *x = j->send;
	struct ev_report r;
	if (outcome == MBOX_SAVE_FAILED) {
		x->err = err ? err : EIO;
		if (why && why->id) {
			ev_copy(&r, why);
			dlg_call_emit(j->call, &r);
		}
	} else {
		metric_add(j->svc->m.saved, 1);
		dlg_call_step(j->call, "sent to %s", x->to[x->at]->name);
		dlg_tell(j->call, TALE_SENT, "to", x->to[x->at]->name);
		x->to[x->at] = NULL;
		x->n_sent++;
	}
	x->at++;
	next(j);
}

static void save(struct live_job *j)
{
	struct live_send *x = j->send;
	if (!dlg_live_awaited(j)) { /* the caller was told that it failed, and may be sending it anew */
		sent(MBOX_SAVE_FAILED, ETIMEDOUT, NULL, j);
		return;
	}
	id_make(x->m.id, j->svc->prm.clock);
	text_fill(x->m.mailbox, sizeof(x->m.mailbox), x->to[x->at]->name);
	x->m.form = dlg_live_form(j->call->s.view, x->to[x->at]);
	struct mbox_audio audio = { .p = (const uint8_t *)j->audio.p, .n = j->audio.n };
	int err = mbox_save(j->svc->prm.mbox, &x->m, &audio, sent, j, &j->handle);
	if (err)
		sent(MBOX_SAVE_FAILED, err, NULL, j);
}

static void room_known(int err, const struct ev_report *why, void *arg)
{
	if (err)
		sent(MBOX_SAVE_FAILED, err, why, arg);
	else
		save(arg);
}

static void next(struct live_job *j)
{
	struct live_send *x = j->send;
	bool late = clock_mono_ms(j->svc->prm.clock) >= x->until_ms || !dlg_live_awaited(j);
	if (late && x->at < x->n_to) {
		x->err = ETIMEDOUT;
		x->at = x->n_to;
	}
	if (x->at == x->n_to) {
		end(j);
		return;
	}
	const struct dir_user *to = x->to[x->at];
	int err = mbox_room(j->svc->prm.mbox, to->name, dir_policy(j->call->s.view, to)->max_messages, NULL, room_known, j, &j->handle);
	if (err)
		sent(MBOX_SAVE_FAILED, err, NULL, j);
}

/* The introduction is there; behind it comes the message that is forwarded. */
static int add_original(struct live_job *j)
{
	struct dlg_call *c = j->call;
	const struct media_clip *clip = c->clip[CLIP_MESSAGE];
	const struct mbox_message *m = original(c);
	if (c->s.phone.sending != MBOX_FORWARD)
		return 0;
	if (!clip || !m)
		return ENOENT;
	if (m->private)
		return EPERM;
	for (unsigned i = 0; j->audio.n && i < GAP_MS * 8; i++)
		buf_char(&j->audio, (char)media_codec_silence(MEDIA_PCMU));
	buf_put(&j->audio, media_clip_bytes(clip, MEDIA_PCMU), media_clip_samples(clip));
	return buf_error(&j->audio);
}

static int fill(struct live_job *j)
{
	const struct dlg_session *s = &j->call->s;
	const struct dir_user *me = s->box;
	int err = add_original(j);
	struct live_send *x = err || !j->audio.n ? NULL : mem_zalloc(1, sizeof(*x));
	if (!x)
		return err ? err : ENOMEM;
	x->until_ms = clock_mono_ms(j->svc->prm.clock) + BEGIN_WITHIN_MS;
	memcpy(x->to, s->phone.to, sizeof(x->to));
	x->n_to = s->phone.n_to;
	x->m = (struct mbox_message){ .received_us = clock_real_us(j->svc->prm.clock), .duration_ms = (uint32_t)(j->audio.n / 8), .codec = MBOX_PCMU,
		                      .urgent = s->phone.urgent, .private = s->phone.private, .relation = s->phone.sending };
	text_fill(x->m.caller_number, sizeof(x->m.caller_number), me->extensions.n ? me->extensions.v[0] : "");
	text_fill(x->m.caller_name, sizeof(x->m.caller_name), me->display_name);
	text_fill(x->m.session, sizeof(x->m.session), j->call->session);
	text_fill(x->m.sender, sizeof(x->m.sender), me->name);
	if (s->phone.sending != MBOX_SENT && original(j->call))
		text_fill(x->m.related, sizeof(x->m.related), original(j->call)->id);
	j->send = x;
	return 0;
}

static void ready(struct live_job *j)
{
	int err = dlg_live_awaited(j) ? fill(j) : ETIMEDOUT;
	if (err) {
		dlg_live_failed(j, err);
		return;
	}
	j->svc->n_saves++;
	next(j);
}

/* Without an introduction there is no file to be read, but a job must not end before it was begun. */
static void no_file(void *arg)
{
	struct live_job *j = arg;
	if (j->svc)
		ready(j);
	else
		dlg_live_finish(j);
}

int dlg_job_send(void *arg, uint32_t job)
{
	struct dlg_call *c = arg;
	if (!c->s.box || !c->s.logged_on)
		return EACCES;
	if (*c->rec_path)
		return dlg_live_with_recording(c, job, ready);
	if (c->s.phone.sending != MBOX_FORWARD)
		return ENOENT;
	struct live_job *j = dlg_live_begin(c, job);
	if (!j)
		return ENOMEM;
	tmr_start(c->svc->prm.loop, &j->tmr, 0, no_file, j);
	return 0;
}
