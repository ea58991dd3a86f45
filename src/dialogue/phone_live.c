/* SPDX-License-Identifier: Apache-2.0 */
/* phone_live.c  The mailbox by phone, done: what its owner chose, messages slower and faster, from any place on, marked and brought back.
 *
 * How far a message was heard is measured by the clock from the moment it began within its sentence; that is right within a frame or two. */
#include "dialogue/phone_live.h"
#include <errno.h>
#include <time.h>
#include "base/mem.h"
#include "config/zone.h"
#include "dialogue/call_private.h"
#include "media/stretch.h"
#include "voice/lang.h"
#include "voice/languages.h"

/* ---- what the owner chose ---- */
static int zone_work(void *arg)
{
	struct live_job *j = arg;
	return zone_load(&j->zone, j->value);
}

static void zone_done(enum pool_result result, int err, void *arg)
{
	struct live_job *j = arg;
	(void)err; /* a zone that this machine does not know: the server's own is spoken */
	if (!j->svc) {
		mem_unref(j->zone);
		dlg_live_finish(j);
		return;
	}
	mem_unref(j->call->zone);
	j->call->zone = result == POOL_DONE ? j->zone : NULL;
	dlg_live_done(j, J_DONE);
}

static void with_zone(struct live_job *j)
{
	struct dlg_call *c = j->call;
	j->handle = 0;
	text_fill(j->value, sizeof(j->value), c->s.phone.choices.zone);
	if (!*c->s.phone.choices.zone) {
		c->zone = mem_unref(c->zone);
		dlg_live_done(j, J_DONE);
	} else if (pool_submit(j->svc->prm.files, zone_work, zone_done, j)) {
		dlg_live_done(j, J_DONE);
	}
}

static void standing_h(int err, const struct mbox_standing *st, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	(void)why;
	if (!err && dlg_live_awaited(j)) {
		j->call->s.phone.recorded = st->recorded;
		j->call->s.phone.away = st->away;
	}
	with_zone(j);
}

static void choices_h(int err, const struct mbox_choices *choices, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	struct dlg_call *c = j->call;
	if (err || !dlg_live_awaited(j)) {
		dlg_live_done_h(err, why, j);
		return;
	}
	err = mbox_choices_copy(&c->s.phone.choices, choices);
	c->s.phone.group = NULL; /* it was one of those */
	if (err) {
		dlg_live_done_h(err, NULL, j);
		return;
	}
	if (*choices->language && !*c->s.language)
		text_fill(c->s.language, sizeof(c->s.language), choices->language);
	err = mbox_standing(j->svc->prm.mbox, c->s.box->name, standing_h, j, &j->handle);
	if (err)
		dlg_live_done_h(err, NULL, j);
}

int dlg_job_owner(void *arg, uint32_t job)
{
	struct dlg_call *c = arg;
	struct live_job *j = dlg_live_begin_own(c, job);
	return j ? dlg_live_begun(j, mbox_choices(c->svc->prm.mbox, c->s.box->name, choices_h, j, &j->handle)) : EACCES;
}

static void chosen_h(int err, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	struct mbox_choices *choices = &j->call->s.phone.choices;
	if (err || !dlg_live_awaited(j)) {
		dlg_live_done_h(err, why, j);
		return;
	}
	(void)mbox_choice_read(choices, j->choice, j->value);
	with_zone(j);
}

int dlg_job_choose(void *arg, uint32_t job, const char *name, const char *value)
{
	struct dlg_call *c = arg;
	struct live_job *j = dlg_live_begin_own(c, job);
	if (!j)
		return EACCES;
	text_fill(j->choice, sizeof(j->choice), name);
	text_fill(j->value, sizeof(j->value), value);
	return dlg_live_begun(j, mbox_choose(c->svc->prm.mbox, c->s.box->name, name, value, chosen_h, j, &j->handle));
}

static void away_h(int err, const struct ev_report *why, void *arg)
{
	struct live_job *j = arg;
	if (!err && dlg_live_awaited(j))
		j->call->s.phone.away = j->value[0] == '1';
	dlg_live_done_h(err, why, j);
}

int dlg_job_away(void *arg, uint32_t job, bool on, int64_t until_us)
{
	struct dlg_call *c = arg;
	struct live_job *j = dlg_live_begin_own(c, job);
	if (!j)
		return EACCES;
	j->value[0] = on ? '1' : '0';
	return dlg_live_begun(j, mbox_away_set(c->svc->prm.mbox, c->s.box->name, on, until_us, away_h, j, &j->handle));
}

const char *dlg_phone_language(void *arg, unsigned i)
{
	struct dlg_call *c = arg;
	const struct languages *l = c->svc ? c->svc->prm.languages : NULL;
	return l && i < languages_count(l) ? prompt_set_language(languages_at(l, i)) : NULL;
}

unsigned dlg_phone_hours(void *arg)
{
	struct dlg_call *c = arg;
	unsigned chosen = c->s.phone.choices.hours;
	return chosen || !c->svc ? chosen : prompt_set_lang(languages_find(c->svc->prm.languages, dlg_language_of(&c->s)))->hours;
}

int32_t dlg_phone_offset_s(void *arg, int64_t when_s)
{
	const struct dlg_call *c = arg;
	time_t t = (time_t)when_s;
	struct tm tm;
	if (c->zone)
		return zone_offset_s(c->zone, when_s);
	return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

/* ---- messages ---- */
int dlg_job_undelete(void *arg, uint32_t job, const char *id)
{
	struct dlg_call *c = arg;
	struct live_job *j = dlg_live_begin_own(c, job);
	return j ? dlg_live_begun(j, mbox_undelete(c->svc->prm.mbox, c->s.box->name, id, dlg_live_done_h, j, &j->handle)) : EACCES;
}

int dlg_job_note(void *arg, uint32_t job, const char *id, unsigned set, unsigned clear)
{
	struct dlg_call *c = arg;
	struct live_job *j = dlg_live_begin_own(c, job);
	return j ? dlg_live_begun(j, mbox_note(c->svc->prm.mbox, c->s.box->name, id, set, clear, dlg_live_done_h, j, &j->handle)) : EACCES;
}

/* ---- slower and faster ---- */
static int stretch_work(void *arg)
{
	struct live_job *j = arg;
	return media_clip_stretch(&j->made, j->from, dlg_speed_percent(j->speed));
}

static void stretch_done(enum pool_result result, int err, void *arg)
{
	struct live_job *j = arg;
	struct dlg_call *c = j->call;
	mem_unref(j->from);
	if (result == POOL_DONE && j->svc && dlg_awaits(&c->s.eng, j->id)) {
		mem_unref(c->stretched);
		c->stretched = j->made;
		c->stretched_speed = j->speed;
		dlg_live_done(j, J_DONE);
		return;
	}
	mem_unref(j->made);
	if (!j->svc)
		dlg_live_finish(j);
	else
		dlg_live_failed(j, err);
}

int dlg_job_stretch(void *arg, uint32_t job, unsigned speed)
{
	struct dlg_call *c = arg;
	if (!c->clip[CLIP_MESSAGE])
		return ENOENT;
	struct live_job *j = dlg_live_begin_own(c, job);
	if (!j)
		return EACCES;
	j->speed = speed;
	j->from = mem_ref(c->clip[CLIP_MESSAGE]);
	int err = pool_submit(c->svc->prm.files, stretch_work, stretch_done, j);
	if (err)
		mem_unref(j->from);
	return dlg_live_begun(j, err);
}

/* ---- where a message is ---- */
void dlg_phone_forget(struct dlg_call *c)
{
	c->stretched = mem_unref(c->stretched);
	c->heard_ms = 0;
	c->telling = false;
}

static unsigned percent_of(const struct dlg_call *c)
{
	return c->stretched && c->stretched_speed == c->s.phone.speed ? dlg_speed_percent(c->s.phone.speed) : 100;
}

void dlg_phone_say(struct dlg_call *c, struct say_seq *q)
{
	struct media_clip *whole = percent_of(c) == 100 ? c->clip[CLIP_MESSAGE] : c->stretched, *rest = NULL;
	if (!whole)
		return;
	c->telling = true;
	c->told_from_ms = c->s.phone.play_at_ms;
	c->told_percent = percent_of(c);
	c->told_words = q->n;
	if (media_clip_from(&rest, whole, (uint32_t)((uint64_t)c->told_from_ms * 100 / c->told_percent)))
		return; /* all of it was heard */
	say_clip(q, rest);
	mem_unref(rest);
}

void dlg_phone_said(struct dlg_call *c, const struct say_seq *q)
{
	if (!c->telling)
		return;
	c->told_at_ms = clock_mono_ms(c->svc->prm.clock);
	for (unsigned i = 0; i < c->told_words && i < q->n; i++)
		c->told_at_ms += media_clip_ms(say_clips(q)[i]);
}

void dlg_phone_stopped(struct dlg_call *c)
{
	if (!c->telling || !c->svc)
		return;
	int64_t ms = clock_mono_ms(c->svc->prm.clock) - c->told_at_ms;
	c->heard_ms = c->told_from_ms + (ms > 0 ? (uint32_t)((uint64_t)ms * c->told_percent / 100) : 0);
	uint32_t all = c->clip[CLIP_MESSAGE] ? media_clip_ms(c->clip[CLIP_MESSAGE]) : 0;
	if (c->heard_ms > all)
		c->heard_ms = all;
	c->telling = false;
}

uint32_t dlg_phone_heard(void *arg)
{
	struct dlg_call *c = arg;
	dlg_phone_stopped(c);
	return c->heard_ms;
}
