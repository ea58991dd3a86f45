/* SPDX-License-Identifier: Apache-2.0 */
/* effects_live.c  What a conversation can do, done: prompts by the player, keys' timers by the loop, recordings by the recorder, receipts and
 * transfers by the leg. What asks the directory, the mailbox or the disk is in jobs_live.c.
 *
 * A sentence with names waits until these are spoken (voice/name.h keeps those it knows); one that cannot be spoken is left out. */
#include <errno.h>
#include "base/mem.h"
#include "dialogue/call_private.h"
#include "dialogue_events.h"
#include "gateway/gateway.h"
#include "mailbox/draft.h"
#include "voice/languages.h"

/* ---- saying ---- */
static void add_name(struct say_seq *q, const char *text, struct media_clip *clip)
{
	if (clip)
		say_clip(q, clip);
	else if (text[0] >= '0' && text[0] <= '9')
		say_digits(q, text_of(text));
}

static void add_word(struct dlg_call *c, struct say_seq *q, unsigned i)
{
	const struct dlg_said *w = &c->saying->u.word[i];
	const char *text = dlg_said_text(&c->saying->u, i);
	switch (w->kind) {
	case DLG_W_PROMPT: say_prompt(q, dlg_prompt_name(w->prompt)); break;
	case DLG_W_NAMED: say_prompt(q, text); break;
	case DLG_W_NUMBER: say_number(q, w->number > 0 ? (uint32_t)w->number : 0); break;
	case DLG_W_DIGITS: say_digits(q, text_of(text)); break;
	case DLG_W_COUNT:
		say_count(q, (uint32_t)w->number, dlg_prompt_name(w->prompt), dlg_prompt_name(w->singular), dlg_prompt_name(w->plural));
		break;
	case DLG_W_WHEN: say_when(q, w->number, clock_real_s(c->svc->prm.clock)); break;
	case DLG_W_LENGTH: say_duration(q, (uint32_t)w->number); break;
	case DLG_W_NAME:
	case DLG_W_TEXT: add_name(q, text, c->saying->name[i].clip); break;
	case DLG_W_CLIP:
		if (w->number == CLIP_MESSAGE)
			dlg_phone_say(c, q);
		else
			say_clip(q, c->clip[w->number]);
		break;
	case DLG_W_BEEP: say_beep(q); break;
	case DLG_W_PAUSE: say_pause(q, (unsigned)w->number); break;
	case DLG_W_CLOCK: say_clock_time(q, (unsigned)w->number); break;
	case DLG_W_END: break;
	}
}

void dlg_live_played(struct player *p, bool stopped, uint32_t ms, void *arg)
{
	struct dlg_call *c = mem_ref(arg);
	(void)p, (void)ms;
	dlg_notice_heard(c, stopped);
	dlg_phone_stopped(c);
	c->tone_plays = false;
	if (!stopped) {
		dlg_said(&c->s.eng, c->say_id);
		dlg_notice_after(c);
	}
	mem_unref(c);
}

static void name_spoken(struct media_clip *clip, void *arg);

/* And the sentence that they belong to. */
static void forget_names(struct dlg_call *c)
{
	for (unsigned i = 0; c->saying && i < c->saying->u.n; i++) {
		struct live_name *n = &c->saying->name[i];
		if (n->waits && c->svc && c->svc->prm.names)
			voice_name_cancel(c->svc->prm.names, name_spoken, n);
		n->waits = false;
		n->clip = mem_unref(n->clip);
	}
	mem_free(c->saying);
	c->saying = NULL;
	c->names_wait = 0;
}

static int play(struct dlg_call *c)
{
	struct say_seq q;
	EV_REPORT(why);
	say_begin(&q, languages_find(c->svc->prm.languages, dlg_language_of(&c->s)));
	say_zone(&q, c->zone, c->s.phone.choices.hours);
	dlg_notice_before(c, &q);
	for (unsigned i = 0; i < c->saying->u.n; i++)
		add_word(c, &q, i);
	c->tone_plays = c->saying->u.n && c->saying->u.word[c->saying->u.n - 1].kind == DLG_W_BEEP;
	if (say_error(&q, &why))
		dlg_call_emit(c, &why);
	int err = c->port ? player_play(&c->player, &q, dlg_live_played, c) : ENOTCONN;
	dlg_phone_said(c, &q);
	say_clear(&q);
	forget_names(c);
	if (err && c->port) {
		ev_set(&why, EV_PROMPT_NOT_SAID);
		ev_str(&why, "reason", strerror(err));
		dlg_call_emit(c, &why);
	}
	return err;
}

static void name_spoken(struct media_clip *clip, void *arg)
{
	struct live_name *n = arg;
	struct dlg_call *c = n->call;
	if (!n->waits)
		return;
	n->waits = false;
	n->clip = mem_ref(clip);
	if (--c->names_wait || c->in_say || !c->svc)
		return;
	mem_ref(c);
	if (play(c))
		dlg_said(&c->s.eng, c->say_id);
	mem_unref(c);
}

static bool english(const char *tag)
{
	return !*tag || (text_starts_nocase(text_of(tag), "en") && (!tag[2] || tag[2] == '-' || tag[2] == '_'));
}

/* In which language word i is to be read; "" is that of the prompts. */
static const char *read_in(struct dlg_call *c, unsigned i)
{
	const char *tag = c->saying->u.word[i].kind == DLG_W_TEXT ? dlg_written_in(&c->s) : dlg_language_of(&c->s);
	return *tag ? tag : prompt_set_language(languages_find(c->svc->prm.languages, tag));
}

static void ask_names(struct dlg_call *c)
{
	struct voice_names *names = c->svc->prm.names;
	for (unsigned i = 0; names && i < c->saying->u.n; i++) {
		const char *text = dlg_said_text(&c->saying->u, i);
		if ((c->saying->u.word[i].kind != DLG_W_NAME && c->saying->u.word[i].kind != DLG_W_TEXT) || !*text)
			continue;
		const char *language = read_in(c, i);
		const char *sounds = english(language) ? dir_view_sounds(c->s.view, text) : text; /* pronunciations are written for English ears */
		struct live_name *n = &c->saying->name[i];
		n->call = c;
		n->waits = true;
		c->names_wait++;
		if (voice_name_clip(names, text_of(sounds), text_of(language), name_spoken, n)) {
			n->waits = false;
			c->names_wait--;
		}
	}
}

/* Most sentences have a few of the eighty words that there may be, so only those are written. */
static struct live_saying *saying_of(const struct dlg_utterance *u)
{
	struct live_saying *s = mem_alloc(sizeof(*s));
	if (!s)
		return NULL;
	s->u.n = u->n;
	s->u.text_used = u->text_used;
	memcpy(s->u.word, u->word, u->n * sizeof(u->word[0]));
	s->u.texts[0] = '\0'; /* the empty text, whether or not there are others */
	memcpy(s->u.texts, u->texts, u->text_used);
	memset(s->name, 0, u->n * sizeof(s->name[0]));
	return s;
}

static int say(void *arg, const struct dlg_utterance *u, uint32_t id)
{
	struct dlg_call *c = arg;
	if (!c->svc || !c->port)
		return ENOTCONN;
	player_forget(&c->player);
	forget_names(c);
	c->saying = saying_of(u);
	if (!c->saying)
		return ENOMEM;
	c->say_id = id;
	c->in_say = true;
	ask_names(c);
	c->in_say = false;
	return c->names_wait ? 0 : play(c);
}

void dlg_live_hush(struct dlg_call *c)
{
	forget_names(c);
	dlg_phone_stopped(c);
	if (c->port)
		player_forget(&c->player);
}

static void hush(void *arg)
{
	dlg_live_hush(arg);
}

/* ---- time ---- */
static void state_time(void *arg)
{
	struct dlg_call *c = mem_ref(arg);
	dlg_timer_fired(&c->s.eng, DLG_T_STATE);
	mem_unref(c);
}

static void key_time(void *arg)
{
	struct dlg_call *c = mem_ref(arg);
	dlg_timer_fired(&c->s.eng, DLG_T_KEY);
	mem_unref(c);
}

static void timer(void *arg, enum dlg_timer which, int64_t ms)
{
	struct dlg_call *c = arg;
	if (ms < 0 || !c->svc)
		tmr_cancel(&c->timer[which]);
	else
		tmr_start(c->svc->prm.loop, &c->timer[which], ms, which == DLG_T_STATE ? state_time : key_time, c);
}

/* ---- history ---- */
static void step(void *arg, const struct dlg_step *st)
{
	struct dlg_call *c = arg;
	const struct dlg_table *t = st->table;
	const char *from = t->states[st->from].name;
	char on[48];
	if (c->svc)
		dlg_path_step(&c->notes.path, &c->s, st, clock_mono_ms(c->svc->prm.clock) - c->started_mono_ms);
	dlg_tale_step(c, st);
	dlg_path_event(st, on, sizeof(on));
	const char *to = st->result ? dlg_code_name(st->result) : st->to == DLG_STAY ? "same" : t->states[st->to].name;
	if (!st->result && st->to == DLG_STAY && st->event == DLG_KEYS)
		return; /* single digits: how many there were is nobody's business */
	dlg_call_step(c, "%s: %s -> %s on %s", t->name, from, to, on);
	if (!c->svc || !ev_wanted(c->svc->prm.bus, EV_CALL_STEP))
		return;
	EV_REPORT(r);
	ev_set(&r, EV_CALL_STEP);
	ev_str(&r, "table", t->name);
	ev_str(&r, "from", from);
	ev_str(&r, "to", to);
	ev_str(&r, "event", on);
	dlg_call_emit(c, &r);
}

static void over(void *arg, int result)
{
	dlg_call_talk_over(arg, result);
}

/* ---- the call ---- */
static void confirm(void *arg, bool ok)
{
	struct dlg_call *c = arg;
	if (!c->receipt)
		return;
	c->receipt = false;
	leg_confirm(c->leg, ok);
}

enum cfg_transfer_by dlg_transfer_by(const struct dlg_call *c)
{
	const struct gateway *g = c->svc && c->svc->gateways ? gw_find(c->svc->gateways, c->gateway) : NULL;
	return g ? gw_cfg(g)->transfer : CFG_TRANSFER_REFER;
}

static int transfer(void *arg, uint32_t job, const char *uri)
{
	struct dlg_call *c = arg;
	dlg_call_step(c, "transfer to %s", uri);
	dlg_tell(c, TALE_TRANSFER, "target", uri);
	if (dlg_transfer_by(c) == CFG_TRANSFER_BRIDGE)
		return EOPNOTSUPP;
	c->xfer_job = job;
	return leg_transfer(c->leg, uri, NULL);
}

static void event(void *arg, struct ev_report *r)
{
	struct dlg_call *c = arg;
	if (c->svc && r->id == EV_MESSAGE_LOST)
		metric_add(c->svc->m.lost, 1);
	if (r->id == EV_RECORDING_DROPPED) {
		bool silent = text_is(ev_field_text(r, "reason"), "silent");
		if (c->svc)
			metric_add(silent ? c->svc->m.dropped_silent : c->svc->m.dropped_short, 1);
		dlg_call_step(c, "recording dropped: %s", silent ? "silent" : "too short");
		dlg_tell(c, silent ? TALE_DROPPED_SILENT : TALE_DROPPED_SHORT, NULL, NULL);
	}
	if (r->id == EV_TRANSFER_FAILED && c->verdict) {
		ev_str(r, "reason", c->verdict->sentence);
		trust_verdict_fields(c->verdict, r);
	}
	dlg_call_emit(c, r);
}

/* ---- recording ---- */
/* What reached the disk so far goes into a shared store, where other nodes find it should this one die. */
static void keep_draft(struct dlg_call *c, const struct spool_info *i, const char *path, uint64_t bytes, bool complete)
{
	struct mbox_draft d = { .offset = RECORDING_AUDIO, .bytes = bytes, .complete = complete };
	if (!c->svc || strcmp(i->kind, "message") != 0)
		return;
	d.msg = (struct mbox_message){ .received_us = i->started_s * 1000000, .codec = dlg_live_codec(i->codec) };
	text_fill(d.id, sizeof(d.id), i->id);
	if (c->n_parts)
		dlg_recording_id(c->part[0], d.msg.id);
	else
		text_fill(d.msg.id, sizeof(d.msg.id), i->id);
	text_fill(d.msg.mailbox, sizeof(d.msg.mailbox), i->mailbox);
	text_fill(d.msg.caller_number, sizeof(d.msg.caller_number), i->caller);
	text_fill(d.msg.caller_name, sizeof(d.msg.caller_name), i->name);
	text_fill(d.msg.session, sizeof(d.msg.session), i->session);
	text_fill(d.path, sizeof(d.path), path);
	mbox_draft_put(c->svc->prm.mbox, &d);
}

/* Nobody waits for it any more: the disk, or the media thread, took longer than the conversation. A message that was spoken is delivered all the same. */
static void came_late(struct dlg_call *c, const struct recorder_result *res)
{
	const struct spool_info *i = res->info;
	bool message = strcmp(i->kind, "message") == 0 && res->heard && i->duration_ms >= dlg_policy(&c->s)->min_recording_ms;
	dlg_call_step(c, "recorded %u ms, too late", i->duration_ms);
	if (!c->svc)
		return; /* the next start finds it */
	if (message)
		dlg_recover_late(c->svc, res->path, i);
	else
		dlg_file_remove(c->svc, res->path);
}

static void recorded(struct recorder *r, const struct recorder_result *res, void *arg)
{
	struct dlg_call *c = mem_ref(arg);
	uint32_t job = c->rec_job;
	c->rec_job = 0;
	if (!dlg_awaits(&c->s.eng, job)) {
		came_late(c, res);
		c->recorder = NULL;
		recorder_free(r);
		mem_unref(c);
		return;
	}
	c->rec_codec = res->info->codec;
	text_fill(c->rec_path, sizeof(c->rec_path), res->path);
	c->s.rec.duration_ms = res->info->duration_ms;
	c->s.rec.heard = res->heard;
	c->s.rec.kept = res->info->bytes > 0;
	bool failed = res->end == REC_FAILED;
	if (c->s.rec.kept && !dlg_is_gone(&c->s)) /* who hung up is saved at once */
		keep_draft(c, res->info, res->path, res->info->bytes, true);
	int err = res->err ? res->err : EIO;
	recorder_free(r);
	c->recorder = NULL;
	dlg_call_step(c, "recorded %u ms%s", c->s.rec.duration_ms, c->s.rec.heard ? "" : ", silence");
	dlg_tale_recorded(c);
	if (failed)
		dlg_job_failed(&c->s.eng, job, err);
	else
		dlg_job_done(&c->s.eng, job, J_REC_ENDED);
	mem_unref(c);
}

static const char *const record_kinds[] = { [DLG_RECORD_MESSAGE] = "message", [DLG_RECORD_GREETING] = "greeting", [DLG_RECORD_NAME] = "name", [DLG_RECORD_DRAFT] = "draft" };

enum { NAME_SILENCE_MS = 2500 }; /* who has said his name does not think about more */

enum { WIDE_MOST_MS = 1800000 }; /* of 64 MB that a recording may have until it is stored */

/* In wide band where the call has it and the mailbox keeps more than G.711. What is added to a message is as that is. */
static enum media_codec recorded_as(const struct dlg_call *c, uint64_t max_ms)
{
	enum media_codec codec;
	if (c->n_parts)
		return c->rec_codec;
	bool wide = c->s.rec.kind == DLG_RECORD_MESSAGE && max_ms <= WIDE_MOST_MS && dlg_live_form(c->s.view, c->s.box) != MBOX_PCMU &&
	            media_port_codec(c->port, &codec) && codec_info(codec)->rate == MEDIA_RATE_WIDE;
	return wide ? MEDIA_L16_WIDE : MEDIA_PCMU;
}

static int record(void *arg, uint32_t job)
{
	struct dlg_call *c = arg;
	if (!c->port)
		return ENOTCONN;
	if (c->s.rec.parts > c->n_parts && *c->rec_path && c->n_parts < DLG_PARTS - 1) {
		if (!c->part && !(c->part = mem_zalloc(DLG_PARTS - 1, sizeof(*c->part))))
			return ENOMEM;
		text_fill(c->part[c->n_parts++], SPOOL_PATH, c->rec_path);
		c->rec_path[0] = '\0';
	} else {
		dlg_live_drop_file(c);
	}
	const struct cfg_policy *policy = dlg_policy(&c->s);
	bool message = c->s.rec.kind == DLG_RECORD_MESSAGE || c->s.rec.kind == DLG_RECORD_DRAFT, name = c->s.rec.kind == DLG_RECORD_NAME;
	uint64_t silence_ms = name && dlg_silence_ms(&c->s) > NAME_SILENCE_MS ? NAME_SILENCE_MS : dlg_silence_ms(&c->s);
	uint64_t max_ms = message ? dlg_max_recording_ms(&c->s) : name ? 10000 : policy->max_greeting_ms;
	if (message && c->n_parts)
		max_ms = max_ms > c->s.part_ms + 1000 ? max_ms - c->s.part_ms : 1000;
	struct recorder_prm prm = {
		.port = c->port, .dir = c->svc->spool_dir, .clock = c->svc->prm.clock, .bus = c->svc->prm.bus,
		.mailbox = c->s.box ? c->s.box->name : "", .caller = c->s.caller_number, .name = c->s.caller_name, .session = c->session,
		.kind = record_kinds[c->s.rec.kind], .codec = recorded_as(c, max_ms), .max_ms = (uint32_t)max_ms,
		.silence_ms = (uint32_t)silence_ms, .handler = recorded, .arg = c, .level = message && policy->level_recordings,
	};
	EV_REPORT(why);
	ev_set(&why, 0);
	int err = recorder_start(&c->recorder, &prm, &why);
	if (err)
		dlg_call_emit(c, &why);
	else
		c->rec_job = job;
	return err;
}

static void record_stop(void *arg, bool hangup)
{
	struct dlg_call *c = arg;
	if (c->recorder)
		recorder_stop(c->recorder, hangup ? REC_HANGUP : REC_STOPPED);
}

void dlg_live_drop_file(struct dlg_call *c)
{
	c->clip[CLIP_RECORDING] = mem_unref(c->clip[CLIP_RECORDING]);
	if (*c->rec_path && c->svc)
		dlg_file_remove(c->svc, c->rec_path);
	c->rec_path[0] = '\0';
	while (c->n_parts) {
		c->n_parts--;
		if (c->svc)
			dlg_file_remove(c->svc, c->part[c->n_parts]);
	}
}

static void record_drop_part(void *arg)
{
	struct dlg_call *c = arg;
	if (*c->rec_path && c->svc)
		dlg_file_remove(c->svc, c->rec_path);
	c->rec_path[0] = '\0';
	if (c->n_parts)
		text_fill(c->rec_path, sizeof(c->rec_path), c->part[--c->n_parts]);
}

static void record_drop(void *arg)
{
	dlg_live_drop_file(arg);
}

static void logon_gave_up(void *arg, const struct dir_user *box, unsigned tries)
{
	struct dlg_call *c = arg;
	dir_logon_gave_up(c->svc->prm.dir, box ? box->name : "", c->s.caller_number, tries, c->session);
}

bool dlg_live_media(struct dlg_call *c, const struct media_event *ev)
{
	if (player_event(&c->player, ev) || dlg_live_heard(c, ev))
		return true;
	if (c->recorder && ev->type == MEDIA_REC_BLOCK)
		keep_draft(c, recorder_info(c->recorder), recorder_path(c->recorder), 0, false);
	return c->recorder && recorder_event(c->recorder, ev);
}

static int64_t now_s(void *arg)
{
	const struct dlg_call *c = arg;
	return c->svc ? clock_real_s(c->svc->prm.clock) : c->started_us / 1000000;
}

const struct dlg_effects dlg_live = {
	.io = { .say = say, .hush = hush, .timer = timer, .step = step, .rests = dlg_live_rests, .over = over },
	.confirm = confirm,
	.room = dlg_job_room,
	.record = record,
	.record_stop = record_stop,
	.record_drop = record_drop,
	.record_drop_part = record_drop_part,
	.save = dlg_job_save,
	.fetch = dlg_job_fetch,
	.fetch_own = dlg_job_fetch_own,
	.greeting_set = dlg_job_greeting_set,
	.greeting_remove = dlg_job_greeting_remove,
	.list = dlg_job_list,
	.mark = dlg_job_mark,
	.owner = dlg_job_owner,
	.choose = dlg_job_choose,
	.away = dlg_job_away,
	.stretch = dlg_job_stretch,
	.language = dlg_phone_language,
	.hours = dlg_phone_hours,
	.offset_s = dlg_phone_offset_s,
	.heard_ms = dlg_phone_heard,
	.undelete = dlg_job_undelete,
	.note = dlg_job_note,
	.send = dlg_job_send,
	.logon = dlg_job_logon,
	.logon_gave_up = logon_gave_up,
	.pin_set = dlg_job_pin_set,
	.count_outside = dlg_job_count_outside,
	.transfer = transfer,
	.hears = dlg_live_hears,
	.listen = dlg_live_listen,
	.deaf = dlg_live_deaf,
	.event = event,
	.find = dlg_live_find,
	.bridge = dlg_live_bridge,
	.find_stop = dlg_live_find_stop,
	.join = dlg_live_join,
	.take = dlg_live_take,
	.now_s = now_s,
};
