/* SPDX-License-Identifier: Apache-2.0 */
/* recover.c  Recordings that an earlier process left behind: what a caller said before the end becomes a message, marked as cut off when its
 * end is missing. The message's id was chosen before the first sample, so one that was saved after all is not saved twice.
 * Unfinished greetings are thrown away: the old one counts.
 *
 * The same is done with a recording that ended after its call had given it up, because the disk or the machine stood still.
 *
 * The folder is looked through before calls are taken, for nobody could tell a recording that grows from one that was cut; that reads the
 * heads alone. Their audio is read later, one after another, in the file pool.                                          */
#include <errno.h>
#include "base/mem.h"
#include "dialogue/call_private.h"
#include "dialogue_events.h"

enum { AUDIO_MAX = 64 << 20 };

static void next(struct dlg_service *svc);

static void end(struct live_job *j)
{
	list_remove(&j->link);
	buf_free(&j->audio);
	mem_free(j);
}

static void report(struct live_job *j, uint16_t id, const char *reason)
{
	struct ev_report r;
	ev_set(&r, id);
	ev_session(&r, j->info.session);
	ev_int(&r, "ms", j->info.duration_ms);
	ev_str(&r, "caller", *j->info.caller ? j->info.caller : "an unknown caller");
	ev_str(&r, "mailbox", j->info.mailbox);
	ev_str(&r, "id", j->info.id);
	ev_str(&r, "path", j->path);
	ev_str(&r, "reason", reason);
	ev_emit(j->svc->prm.bus, &r);
}

/* Whatever became of it, the next one. */
static void over(struct live_job *j, const char *why_not)
{
	struct dlg_service *svc = j->svc;
	if (why_not) {
		report(j, EV_RECORDING_KEPT, why_not);
	} else {
		report(j, j->late ? EV_MESSAGE_CAME_LATE : EV_RECORDING_FOUND, "");
		dlg_file_remove(svc, j->path);
	}
	end(j);
	next(svc);
}

static void kept(enum mbox_saved outcome, int err, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	struct dlg_service *svc = j->svc;
	char sentence[256];
	svc->n_saves--;
	over(j, outcome != MBOX_SAVE_FAILED ? NULL : why && why->id ? ev_sentence(why, sentence, sizeof(sentence)) : strerror(err));
	dlg_service_check_idle(svc);
}

static int keep(struct live_job *j)
{
	struct mbox_message m = { .received_us = j->info.started_s * 1000000, .duration_ms = j->info.duration_ms,
		                  .codec = dlg_live_codec(j->info.codec), .cut = !j->info.complete };
	struct dir_view *view = dir_view(j->svc->prm.dir);
	if (view)
		m.form = dlg_live_form(view, dir_find_name(view, text_of(j->info.mailbox)));
	dir_view_unref(view);
	text_fill(m.id, sizeof(m.id), j->info.id);
	text_fill(m.mailbox, sizeof(m.mailbox), j->info.mailbox);
	text_fill(m.caller_number, sizeof(m.caller_number), j->info.caller);
	text_fill(m.caller_name, sizeof(m.caller_name), j->info.name);
	text_fill(m.session, sizeof(m.session), j->info.session);
	struct mbox_audio audio = { .p = j->audio.p, .n = j->audio.n };
	int err = mbox_save(j->svc->prm.mbox, &m, &audio, kept, j, &j->handle);
	if (!err)
		j->svc->n_saves++;
	buf_free(&j->audio); /* copied */
	return err;
}

static int read_work(void *arg)
{
	struct live_job *j = arg;
	return recording_read(j->path, &j->info, &j->audio);
}

static void was_read(enum pool_result result, int err, void *arg)
{
	struct live_job *j = arg;
	if (!j->svc) { /* the next start finds it again */
		end(j);
		return;
	}
	if (result == POOL_DONE)
		err = keep(j);
	else if (!err)
		err = ECANCELED;
	if (err)
		over(j, strerror(err));
}

static void next(struct dlg_service *svc)
{
	for (struct link *l; (l = list_pop(&svc->found));) {
		struct live_job *j = LIST_ENTRY(l, struct live_job, link);
		list_append(&svc->jobs, &j->link);
		int err = pool_submit(svc->prm.files, read_work, was_read, j);
		if (!err)
			return;
		report(j, EV_RECORDING_KEPT, strerror(err));
		end(j);
	}
}

static void add(struct dlg_service *svc, const char *path, const struct spool_info *info, bool late)
{
	struct live_job *j = mem_zalloc(1, sizeof(*j));
	if (!j)
		return; /* the next start finds it again */
	j->svc = svc;
	j->info = *info;
	j->late = late;
	buf_init(&j->audio, AUDIO_MAX);
	text_fill(j->path, sizeof(j->path), path);
	list_append(&svc->found, &j->link);
}

static void found(const char *path, const struct spool_info *info, void *arg)
{
	if (strcmp(info->kind, "message") != 0)
		recording_remove(path);
	else
		add(arg, path, info, false);
}

void dlg_recover_late(struct dlg_service *svc, const char *path, const struct spool_info *info)
{
	add(svc, path, info, true);
	next(svc);
}

void dlg_service_recover(struct dlg_service *s)
{
	recorder_recover(s->spool_dir, s->prm.bus, found, s);
	next(s);
}

unsigned dlg_service_waiting(const struct dlg_service *s)
{
	unsigned n = s->n_saves;
	LIST_FOREACH (&s->found, it)
		n++;
	LIST_FOREACH (&s->jobs, it) {
		const struct live_job *j = LIST_ENTRY(it, struct live_job, link);
		n += !j->call && !j->handle; /* its file is being read */
	}
	return n;
}

void dlg_recover_stop(struct dlg_service *s)
{
	for (struct link *l; (l = list_pop(&s->found));)
		mem_free(LIST_ENTRY(l, struct live_job, link));
}
