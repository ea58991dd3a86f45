/* SPDX-License-Identifier: Apache-2.0 */
/* jobs_live.c  Jobs of conversations that somebody else does: directory, mailbox, files. Each holds its call until its handler came; the engine
 * drops what comes too late. A recording's file is removed only after the mailbox said that it has the message; otherwise it
 * stays and is found at the next start.                                                                                 */
#include <errno.h>
#include "base/mem.h"
#include "dialogue/call_private.h"
#include "dialogue/words.h"
#include "dialogue_events.h"
#include "mailbox/draft.h"

enum { AUDIO_MAX = 64 << 20, MBOX_KIND = 65 };

struct live_job *dlg_live_begin(struct dlg_call *c, uint32_t id)
{
	struct live_job *j = mem_zalloc(1, sizeof(*j));
	if (!j)
		return NULL;
	j->call = mem_ref(c);
	j->svc = c->svc;
	j->id = id;
	buf_init(&j->audio, AUDIO_MAX);
	list_append(&c->svc->jobs, &j->link);
	return j;
}

struct live_job *dlg_live_begin_own(struct dlg_call *c, uint32_t id)
{
	return c->s.box && c->s.logged_on ? dlg_live_begin(c, id) : NULL;
}

void dlg_live_finish(struct live_job *j)
{
	list_remove(&j->link);
	buf_free(&j->audio);
	mem_free(j->before);
	tmr_cancel(&j->tmr);
	mem_free(j->send);
	mem_unref(j->call);
	mem_free(j);
}

/* The job is over: tell the engine, then let go. */
void dlg_live_done(struct live_job *j, int code)
{
	dlg_job_done(&j->call->s.eng, j->id, code);
	dlg_live_finish(j);
}

void dlg_live_failed(struct live_job *j, int err)
{
	dlg_job_failed(&j->call->s.eng, j->id, err ? err : EIO);
	dlg_live_finish(j);
}

bool dlg_live_awaited(const struct live_job *j)
{
	return dlg_awaits(&j->call->s.eng, j->id);
}

/* A job that could not be handed over: gone, and the action fails. */
int dlg_live_begun(struct live_job *j, int err)
{
	if (err)
		dlg_live_finish(j);
	return err;
}

void dlg_live_done_h(int err, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	struct ev_report r;
	if (err && why && why->id) {
		ev_copy(&r, why);
		dlg_call_emit(j->call, &r);
	}
	if (err)
		dlg_live_failed(j, err);
	else
		dlg_live_done(j, J_DONE);
}

void dlg_jobs_cancel(struct dlg_service *svc)
{
	LIST_FOREACH(&svc->jobs, it) {
		struct live_job *j = LIST_ENTRY(it, struct live_job, link);
		if (j->handle && j->of_directory)
			dir_cancel(svc->prm.dir, j->handle);
		else if (j->handle)
			mbox_cancel(svc->prm.mbox, j->handle);
		if (j->handle || tmr_active(&j->tmr)) {
			dlg_live_finish(j);
		} else { /* the pool's: its handler still comes, after the service and its list are gone */
			j->svc = NULL;
			list_remove(&j->link);
		}
	}
}

/* ---- files ---- */
static int unlink_work(void *arg)
{
	return recording_remove(arg);
}

static void unlink_done(enum pool_result result, int err, void *arg)
{
	(void)result, (void)err; /* what stays is found at the next start */
	mem_free(arg);
}

void dlg_recording_id(const char *path, char id[ID_SIZE])
{
	size_t slash = text_rfind(text_of(path), '/');
	const char *name = slash == SIZE_MAX ? path : path + slash + 1;
	text_fill(id, ID_SIZE, name); /* cut off behind it */
}

void dlg_file_remove(struct dlg_service *svc, const char *path)
{
	char id[ID_SIZE];
	dlg_recording_id(path, id);
	if (svc->prm.mbox)
		mbox_draft_drop(svc->prm.mbox, id); /* knows nothing of it if it became a message */
	char *copy = mem_strdup(path);
	if (copy && pool_submit(svc->prm.files, unlink_work, unlink_done, copy))
		mem_free(copy);
}

/* All parts as one: it began with the first, whose id is that of the message. */
static int read_work(void *arg)
{
	struct live_job *j = arg;
	int err = recording_read(j->n_before ? j->before[0] : j->path, &j->info, &j->audio);
	for (unsigned i = 1; !err && i <= j->n_before; i++) {
		struct spool_info next;
		err = recording_read(i < j->n_before ? j->before[i] : j->path, &next, &j->audio);
		if (err)
			break;
		j->info.duration_ms += next.duration_ms;
		j->info.bytes += next.bytes;
		j->info.complete = j->info.complete && next.complete;
	}
	return err;
}

static int take_parts(struct live_job *j, const struct dlg_call *c)
{
	text_fill(j->path, sizeof(j->path), c->rec_path);
	if (!c->n_parts)
		return 0;
	j->before = mem_alloc(c->n_parts * sizeof(*j->before));
	if (!j->before)
		return ENOMEM;
	memcpy(j->before, c->part, c->n_parts * sizeof(*j->before));
	j->n_before = c->n_parts;
	return 0;
}

static void read_done(enum pool_result result, int err, void *arg)
{
	struct live_job *j = arg;
	if (!j->svc)
		dlg_live_finish(j);
	else if (result != POOL_DONE)
		dlg_live_failed(j, err);
	else
		j->then(j);
}

/* Reads the recording, then goes on with it. */
int dlg_live_with_recording(struct dlg_call *c, uint32_t id, void (*then)(struct live_job *j))
{
	if (!*c->rec_path)
		return ENOENT;
	struct live_job *j = dlg_live_begin(c, id);
	if (!j)
		return ENOMEM;
	j->then = then;
	int err = take_parts(j, c);
	return dlg_live_begun(j, err ? err : pool_submit(c->svc->prm.files, read_work, read_done, j));
}

enum mbox_codec dlg_live_codec(enum media_codec c)
{
	return c == MEDIA_PCMA ? MBOX_PCMA : c == MEDIA_L16 ? MBOX_L16 : c == MEDIA_L16_WIDE ? MBOX_L16_WIDE : MBOX_PCMU;
}

static enum media_codec media_codec_of(enum mbox_codec c)
{
	return c == MBOX_PCMA ? MEDIA_PCMA : c == MBOX_L16 ? MEDIA_L16 : c == MBOX_L16_WIDE ? MEDIA_L16_WIDE : MEDIA_PCMU;
}

static void put_clip(struct live_job *j, enum media_codec codec, const uint8_t *p, size_t n)
{
	struct dlg_call *c = j->call;
	struct media_clip *clip;
	int err = media_clip_from_bytes(&clip, codec, p, n);
	if (err) {
		dlg_live_failed(j, err);
		return;
	}
	if (!dlg_awaits(&c->s.eng, j->id)) {
		mem_unref(clip);
		dlg_live_finish(j);
		return;
	}
	mem_unref(c->clip[j->clip]);
	c->clip[j->clip] = clip;
	c->s.has_clip[j->clip] = true;
	dlg_live_done(j, J_DONE);
}

/* ---- saving ---- */
/* A message is kept even if it comes too late for the caller to be told so: the mailbox knows it by its id, and takes it once. */
static void saved(enum mbox_saved outcome, int err, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	struct dlg_call *c = j->call;
	j->svc->n_saves--;
	if (outcome == MBOX_SAVE_FAILED) {
		struct ev_report r;
		if (why && why->id) {
			ev_copy(&r, why);
			dlg_call_emit(c, &r);
		}
		struct dlg_service *svc = j->svc;
		dlg_live_failed(j, err);
		dlg_service_check_idle(svc);
		return;
	}
	dlg_file_remove(j->svc, j->path);
	for (unsigned i = 0; i < j->n_before; i++)
		dlg_file_remove(j->svc, j->before[i]);
	if (strcmp(c->rec_path, j->path) == 0) {
		c->rec_path[0] = '\0';
		c->n_parts = 0;
	}
	metric_add(j->svc->m.saved, 1);
	dlg_call_step(c, "message %s is %s", j->info.id, outcome == MBOX_SAVE_SPOOLED ? "in the spool" : "in the store");
	dlg_tell(c, outcome == MBOX_SAVE_SPOOLED ? TALE_IN_SPOOL : TALE_IN_STORE, "id", j->info.id);
	struct dlg_service *svc = j->svc;
	dlg_live_done(j, J_SAVED);
	dlg_service_check_idle(svc);
}

enum mbox_codec dlg_live_form(const struct dir_view *view, const struct dir_user *box)
{
	static const enum mbox_codec forms[] = { [CFG_AUDIO_G711] = MBOX_PCMU, [CFG_AUDIO_PCM] = MBOX_L16, [CFG_AUDIO_OPUS] = MBOX_OPUS, [CFG_AUDIO_MP3] = MBOX_MP3 };
	return box ? forms[dir_policy(view, box)->audio_format] : MBOX_PCMU;
}

static void save_read(struct live_job *j)
{
	struct mbox_message m = { .received_us = j->info.started_s * 1000000, .duration_ms = j->info.duration_ms,
		                  .codec = dlg_live_codec(j->info.codec), .cut = !j->info.complete,
		                  .form = dlg_live_form(j->call->s.view, dir_find_name(j->call->s.view, text_of(j->info.mailbox))),
		                  .urgent = j->call->s.urgent, .private = j->call->s.private };
	text_fill(m.id, sizeof(m.id), j->info.id);
	dlg_recording_id(j->path, m.through); /* the last one that was added */
	text_fill(m.mailbox, sizeof(m.mailbox), j->info.mailbox);
	text_fill(m.caller_number, sizeof(m.caller_number), j->info.caller);
	text_fill(m.caller_name, sizeof(m.caller_name), j->info.name);
	text_fill(m.session, sizeof(m.session), j->info.session);
	struct mbox_audio audio = { .p = j->audio.p, .n = j->audio.n };
	int err = mbox_save(j->svc->prm.mbox, &m, &audio, saved, j, &j->handle);
	if (err)
		dlg_live_failed(j, err);
	else
		j->svc->n_saves++;
}

int dlg_job_save(void *arg, uint32_t job)
{
	return dlg_live_with_recording(arg, job, save_read);
}

/* ---- greetings ---- */
/* s->phone.greeting by its name in the store. */
static void own_kind(const struct dlg_session *s, char kind[MBOX_KIND])
{
	if (s->phone.greeting < MBOX_GREETINGS)
		text_fill(kind, MBOX_KIND, mbox_greeting_name(s->phone.greeting));
	else
		text_print(kind, MBOX_KIND, "rule.%s", s->phone.rule ? s->phone.rule->name : "");
}

static void greeting_read(struct live_job *j)
{
	struct mbox_audio audio = { .p = j->audio.p, .n = j->audio.n };
	char kind[MBOX_KIND];
	if (!dlg_live_awaited(j)) {
		dlg_live_finish(j);
		return;
	}
	own_kind(&j->call->s, kind);
	int err = mbox_greeting_set(j->svc->prm.mbox, j->call->s.box->name, kind, dlg_live_codec(j->info.codec), &audio, dlg_live_done_h, j,
	                            &j->handle);
	if (err)
		dlg_live_failed(j, err);
}

int dlg_job_greeting_set(void *arg, uint32_t job)
{
	struct dlg_call *c = arg;
	if (!c->s.box || !c->s.logged_on)
		return EACCES;
	return dlg_live_with_recording(c, job, greeting_read);
}

int dlg_job_greeting_remove(void *arg, uint32_t job)
{
	struct dlg_call *c = arg;
	struct live_job *j = dlg_live_begin_own(c, job);
	if (!j)
		return EACCES;
	char kind[MBOX_KIND];
	own_kind(&c->s, kind);
	return dlg_live_begun(j, mbox_greeting_delete(c->svc->prm.mbox, c->s.box->name, kind, dlg_live_done_h, j, &j->handle));
}

/* ---- fetching ---- */
/* The caller hears that it failed; the administrator reads why. */
static void tell_failed(struct live_job *j, const char *what, const char *mailbox, int err, const struct ev_report *why)
{
	struct ev_report r;
	char sentence[256];
	ev_set(&r, EV_MAILBOX_FAILED);
	ev_str(&r, "what", what);
	ev_str(&r, "mailbox", mailbox);
	ev_str(&r, "reason", why && why->id ? ev_sentence(why, sentence, sizeof(sentence)) : err == ENOENT ? dlg_words(DLG_SAYS_GONE) : strerror(err));
	dlg_call_emit(j->call, &r);
}

static void fetched(int err, enum mbox_codec codec, const uint8_t *p, size_t n, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	if (!err) {
		put_clip(j, media_codec_of(codec), p, n);
		return;
	}
	if (err != ENOENT) {
		struct ev_report r;
		char sentence[256];
		ev_set(&r, EV_GREETING_UNREADABLE);
		ev_str(&r, "kind", j->clip == CLIP_NAME ? "recorded name" : "greeting");
		ev_str(&r, "mailbox", j->kind);
		ev_str(&r, "reason", why && why->id ? ev_sentence(why, sentence, sizeof(sentence)) : strerror(err));
		dlg_call_emit(j->call, &r);
	}
	dlg_live_failed(j, err);
}

/* It may have grown since he was told of it: what he hears is what he has before him. */
static void message_fetched(int err, const struct mbox_message *m, const uint8_t *p, size_t n, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	struct dlg_session *s = &j->call->s;
	if (err) {
		tell_failed(j, "a message", j->kind, err, why);
		dlg_live_failed(j, err);
		return;
	}
	if (dlg_live_awaited(j) && s->at < s->n_list && strcmp(s->list[s->at].id, m->id) == 0) {
		s->list[s->at].version = m->version;
		s->list[s->at].duration_ms = m->duration_ms;
		s->list[s->at].cut = m->cut;
	}
	put_clip(j, media_codec_of(m->codec), p, n);
}

static void clip_read(struct live_job *j)
{
	put_clip(j, j->info.codec, j->audio.p, j->audio.n);
}

/* The greeting that s->fetched says; the one of the rule where that is none of them. */
static void greeting_kind(const struct dlg_call *c, enum dlg_clip clip, char kind[MBOX_KIND])
{
	enum mbox_greeting g = clip == CLIP_NAME ? MBOX_G_NAME : c->s.fetched == MBOX_G_NAME ? MBOX_G_PERSONAL : c->s.fetched;
	if (g < MBOX_GREETINGS)
		text_fill(kind, MBOX_KIND, mbox_greeting_name(g));
	else
		text_print(kind, MBOX_KIND, "rule.%s", c->s.rule ? c->s.rule->name : "");
}

int dlg_job_fetch(void *arg, uint32_t job, enum dlg_clip clip, const struct dir_user *box)
{
	struct dlg_call *c = arg;
	c->clip[clip] = mem_unref(c->clip[clip]);
	c->s.has_clip[clip] = false;
	if (clip == CLIP_MESSAGE)
		dlg_phone_forget(c);
	if (clip == CLIP_RECORDING || clip == CLIP_CALLER) {
		int err = dlg_live_with_recording(c, job, clip_read);
		if (!err)
			LIST_ENTRY(c->svc->jobs.head.prev, struct live_job, link)->clip = clip;
		return err;
	}
	if (!box)
		return ENOENT;
	struct live_job *j = dlg_live_begin(c, job);
	if (!j)
		return ENOMEM;
	j->clip = clip;
	j->kind = box->name;
	struct mbox *m = c->svc->prm.mbox;
	if (clip == CLIP_MESSAGE)
		return dlg_live_begun(j, c->s.at < c->s.n_list ? mbox_get_sound(m, box->name, c->s.list[c->s.at].id, message_fetched, j, &j->handle) : ENOENT);
	char kind[MBOX_KIND];
	greeting_kind(c, clip, kind);
	return dlg_live_begun(j, mbox_greeting_get(m, box->name, kind, fetched, j, &j->handle));
}

int dlg_job_fetch_own(void *arg, uint32_t job)
{
	struct dlg_call *c = arg;
	if (!c->s.box || !c->s.logged_on)
		return EACCES;
	c->clip[CLIP_GREETING] = mem_unref(c->clip[CLIP_GREETING]);
	c->s.has_clip[CLIP_GREETING] = false;
	struct live_job *j = dlg_live_begin(c, job);
	if (!j)
		return ENOMEM;
	j->clip = CLIP_GREETING;
	j->kind = c->s.box->name;
	char kind[MBOX_KIND];
	own_kind(&c->s, kind);
	return dlg_live_begun(j, mbox_greeting_get(c->svc->prm.mbox, c->s.box->name, kind, fetched, j, &j->handle));
}

/* ---- the mailbox ---- */
static void listed(int err, const struct mbox_message *v, size_t n, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	if (!err && dlg_live_awaited(j))
		err = dlg_list_set(&j->call->s, v, n);
	if (err)
		tell_failed(j, "the list of messages", j->kind, err, why);
	if (err)
		dlg_live_failed(j, err);
	else
		dlg_live_done(j, J_DONE);
}

int dlg_job_list(void *arg, uint32_t job)
{
	struct dlg_call *c = arg;
	struct live_job *j = dlg_live_begin_own(c, job);
	if (!j)
		return EACCES;
	j->kind = c->s.box->name;
	static const int which[] = { [DLG_FOLDER_ALL] = -1, [DLG_FOLDER_NEW] = MBOX_NEW, [DLG_FOLDER_SAVED] = MBOX_SAVED,
		                     [DLG_FOLDER_DELETED] = MBOX_DELETED };
	return dlg_live_begun(j, mbox_list(c->svc->prm.mbox, c->s.box->name, which[c->s.phone.folder], MBOX_OLDEST_FIRST, listed, j, &j->handle));
}

static int64_t version_before_him(const struct dlg_session *s, const char *id)
{
	for (size_t i = 0; i < s->n_list; i++)
		if (strcmp(s->list[i].id, id) == 0)
			return s->list[i].version;
	return MBOX_ANY_VERSION;
}

int dlg_job_mark(void *arg, uint32_t job, const char *id, enum mbox_state state)
{
	struct dlg_call *c = arg;
	struct live_job *j = dlg_live_begin_own(c, job);
	if (!j)
		return EACCES;
	struct mbox *m = c->svc->prm.mbox;
	int64_t seen = version_before_him(&c->s, id); /* one that became longer meanwhile stays as it is */
	if (state == MBOX_DELETED)
		return dlg_live_begun(j, mbox_delete_seen(m, c->s.box->name, id, seen, (uint64_t)dlg_policy(&c->s)->deleted_days * 86400000, dlg_live_done_h, j, &j->handle));
	return dlg_live_begun(j, mbox_mark_seen(m, c->s.box->name, id, seen, state, dlg_live_done_h, j, &j->handle));
}

/* Not knowing it is no reason to send anybody away. */
static void stood(int err, const struct mbox_standing *st, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	(void)why;
	if (!err && dlg_live_awaited(j))
		j->call->s.standing = *st;
	dlg_live_done(j, J_DONE);
}

static void room_known(int err, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	struct ev_report r;
	if (err && why->id) {
		ev_copy(&r, why);
		dlg_call_emit(j->call, &r);
	}
	if (err)
		dlg_live_failed(j, err);
	else if (mbox_standing(j->svc->prm.mbox, j->kind, stood, j, &j->handle))
		dlg_live_done(j, J_DONE);
}

int dlg_job_room(void *arg, uint32_t job, const struct dir_user *box)
{
	struct dlg_call *c = arg;
	struct live_job *j = dlg_live_begin(c, job);
	if (!j)
		return ENOMEM;
	j->kind = box->name;
	return dlg_live_begun(j, mbox_room(c->svc->prm.mbox, box->name, dir_policy(c->s.view, box)->max_messages, c->svc->spool_dir, room_known, j, &j->handle));
}

/* ---- PINs ---- */
static void logged_on(const struct dir_logon_result *r, const struct ev_report *why, void *arg)
{
	static const int code[] = { [DIR_LOGON_OK] = J_LOGON_OK, [DIR_LOGON_MUST_CHANGE] = J_LOGON_MUST_CHANGE, [DIR_LOGON_WRONG] = J_LOGON_WRONG,
		                    [DIR_LOGON_LOCKED] = J_LOGON_LOCKED, [DIR_LOGON_NO_PIN] = J_LOGON_NO_PIN };
	struct live_job *j = arg;
	if (r->outcome != DIR_LOGON_FAILED) {
		dlg_live_done(j, code[r->outcome]);
		return;
	}
	struct ev_report copy;
	if (why && why->id) {
		ev_copy(&copy, why);
		dlg_call_emit(j->call, &copy);
	}
	dlg_live_failed(j, EHOSTUNREACH);
}

int dlg_job_logon(void *arg, uint32_t job, const struct dir_user *box, struct text pin)
{
	struct dlg_call *c = arg;
	struct live_job *j = dlg_live_begin(c, job);
	if (!j)
		return ENOMEM;
	j->of_directory = true;
	struct dir *d = c->svc->prm.dir;
	return dlg_live_begun(j, box ? dir_logon(d, box, pin, c->session, logged_on, j, &j->handle) : dir_logon_nobody(d, pin, logged_on, j, &j->handle));
}

int dlg_job_count_outside(void *arg, uint32_t job, const char *of, uint32_t per_hour)
{
	struct dlg_call *c = arg;
	struct live_job *j = dlg_live_begin(c, job);
	if (!j)
		return ENOMEM;
	j->of_directory = true;
	return dlg_live_begun(j, dir_count_outside(c->svc->prm.dir, of, per_hour, dlg_live_done_h, j, &j->handle));
}

static void pin_was_set(int err, enum dir_pin_rule rule, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	if (err == EINVAL && rule != DIR_PIN_GOOD) {
		if (dlg_live_awaited(j))
			j->call->s.pin_rule = rule;
		dlg_live_done(j, J_PIN_RULE);
	} else if (err) {
		tell_failed(j, "a new PIN", j->kind, err, why);
		dlg_live_failed(j, err);
	} else {
		dlg_live_done(j, J_DONE);
	}
}

int dlg_job_pin_set(void *arg, uint32_t job, struct text pin)
{
	struct dlg_call *c = arg;
	if (!c->s.box)
		return EACCES;
	struct live_job *j = dlg_live_begin(c, job);
	if (!j)
		return ENOMEM;
	j->of_directory = true;
	j->kind = c->s.box->name;
	return dlg_live_begun(j, dir_pin_set(c->svc->prm.dir, c->s.box, pin, false, pin_was_set, j, &j->handle));
}
