/* SPDX-License-Identifier: Apache-2.0 */
/* recover.c  Recordings that an earlier process left behind: what a caller said before the end becomes a message, marked as cut off when its
 * end is missing. The message's id was chosen before the first sample, so one that was saved after all is not saved twice.
 * Unfinished greetings are thrown away: the old one counts.                                                            */
#include <errno.h>
#include "base/mem.h"
#include "dialogue/call_private.h"
#include "dialogue_events.h"

enum { AUDIO_MAX = 64 << 20 };

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

static void kept(enum mbox_saved outcome, int err, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	struct dlg_service *svc = j->svc;
	char sentence[256];
	svc->n_saves--;
	if (outcome == MBOX_SAVE_FAILED) {
		report(j, EV_RECORDING_KEPT, why && why->id ? ev_sentence(why, sentence, sizeof(sentence)) : strerror(err));
	} else {
		report(j, EV_RECORDING_FOUND, "");
		dlg_file_remove(svc, j->path);
	}
	end(j);
	dlg_service_check_idle(svc);
}

static int keep(struct live_job *j)
{
	int err = recording_read(j->path, &j->info, &j->audio);
	if (err)
		return err;
	struct mbox_message m = { .received_us = j->info.started_s * 1000000, .duration_ms = j->info.duration_ms,
		                  .codec = j->info.codec == MEDIA_PCMA ? MBOX_PCMA : MBOX_PCMU, .cut = !j->info.complete };
	text_fill(m.id, sizeof(m.id), j->info.id);
	text_fill(m.mailbox, sizeof(m.mailbox), j->info.mailbox);
	text_fill(m.caller_number, sizeof(m.caller_number), j->info.caller);
	text_fill(m.caller_name, sizeof(m.caller_name), j->info.name);
	text_fill(m.session, sizeof(m.session), j->info.session);
	struct mbox_audio audio = { .p = j->audio.p, .n = j->audio.n };
	err = mbox_save(j->svc->prm.mbox, &m, &audio, kept, j, &j->handle);
	if (!err)
		j->svc->n_saves++;
	buf_free(&j->audio); /* copied */
	return err;
}

static void found(const char *path, const struct spool_info *info, void *arg)
{
	struct dlg_service *svc = arg;
	if (strcmp(info->kind, "message") != 0) {
		recording_remove(path);
		return;
	}
	struct live_job *j = mem_zalloc(1, sizeof(*j));
	if (!j)
		return; /* the next start finds it again */
	j->svc = svc;
	j->info = *info;
	buf_init(&j->audio, AUDIO_MAX);
	text_fill(j->path, sizeof(j->path), path);
	list_append(&svc->jobs, &j->link);
	int err = keep(j);
	if (err) {
		report(j, EV_RECORDING_KEPT, strerror(err));
		end(j);
	}
}

void dlg_service_recover(struct dlg_service *s)
{
	recorder_recover(s->spool_dir, s->prm.bus, found, s);
}
