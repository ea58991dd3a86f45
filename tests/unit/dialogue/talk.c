/* SPDX-License-Identifier: Apache-2.0 */
/* talk.c  The fakes of talk.h. */
#include "talk.h"
#include <errno.h>
#include <stdio.h>
#include "base/mem.h"
#include "world.h"

enum { SAY_MS = 1000, NEVER = -1 };

static void note(struct talk *t, const char *fmt, const char *what)
{
	size_t at = strlen(t->heard);
	snprintf(t->heard + at, sizeof(t->heard) - at, fmt, what);
}

/* ---- engine's side ---- */
static int say(void *arg, const struct dlg_utterance *u, uint32_t id)
{
	struct talk *t = arg;
	for (unsigned i = 0; i < u->n; i++) {
		const struct dlg_said *w = &u->word[i];
		char n[32];
		snprintf(n, sizeof(n), "#%lld ", (long long)w->number);
		switch (w->kind) {
		case DLG_W_PROMPT: note(t, "%s ", dlg_prompt_name(w->prompt)); break;
		case DLG_W_PAUSE: break;
		case DLG_W_BEEP: note(t, "*tone* %s", ""); break;
		case DLG_W_CLIP: note(t, "[clip%s] ", w->number == CLIP_GREETING ? " greeting" : w->number == CLIP_NAME ? " name"
			: w->number == CLIP_RECORDING ? " recording" : w->number == CLIP_CALLER ? " caller" : " message"); break;
		case DLG_W_CLOCK:
			snprintf(n, sizeof(n), "*%d:%02d* ", (int)w->number / 60, (int)w->number % 60);
			note(t, "%s", n);
			break;
		case DLG_W_NAME:
		case DLG_W_TEXT:
		case DLG_W_DIGITS:
		case DLG_W_NAMED: note(t, "<%s> ", dlg_said_text(u, i)); break;
		default: note(t, "%s", n); break;
		}
	}
	for (unsigned i = 0; i < u->n; i++)
		if (u->word[i].kind == DLG_W_CLIP && u->word[i].number == CLIP_MESSAGE) {
			t->played_from_ms = t->s.phone.play_at_ms;
			t->heard_ms = t->played_from_ms + SAY_MS;
		}
	text_fill(t->spoke, sizeof(t->spoke), dlg_language_of(&t->s));
	t->say_id = id;
	t->saying = true;
	t->said_due_ms = t->now_ms + SAY_MS;
	return 0;
}

static void hush(void *arg)
{
	struct talk *t = arg;
	if (t->saying && t->now_ms < t->said_due_ms)
		t->heard_ms -= t->heard_ms ? (uint32_t)(t->said_due_ms - t->now_ms) : 0;
	if (t->saying && t->now_ms < t->said_due_ms - SAY_MS + 50) /* nobody has understood any of it */
		note(t, "(cut) %s", "");
	t->saying = false;
}

static void timer(void *arg, enum dlg_timer which, int64_t ms)
{
	struct talk *t = arg;
	t->timer[which] = ms < 0 ? NEVER : t->now_ms + ms;
}

static void over(void *arg, int result)
{
	struct talk *t = arg;
	t->over = true;
	t->result = result;
	dlg_path_over(&t->path, &t->s, result, t->now_ms);
}

static void step(void *arg, const struct dlg_step *st)
{
	struct talk *t = arg;
	char on[48];
	size_t n = strlen(t->events);
	dlg_path_event(st, on, sizeof on);
	snprintf(t->events + n, sizeof t->events - n, "%s|", on);
	dlg_path_step(&t->path, &t->s, st, t->now_ms);
}

/* ---- jobs ---- */
static int job(struct talk *t, enum talk_mode mode, uint32_t id, int code, int err)
{
	if (mode == TALK_REFUSES)
		return EAGAIN;
	if (mode == TALK_NEVER)
		return 0;
	for (int i = 0; i < TALK_JOBS; i++)
		if (!t->job[i].used) {
			t->job[i] = (struct talk_job){ .id = id, .due_ms = t->now_ms + t->job_ms, .code = code, .err = mode == TALK_FAILS ? EIO : err, .used = true };
			return 0;
		}
	return ENOMEM;
}

static void confirm(void *arg, bool ok)
{
	struct talk *t = arg;
	t->confirmed = ok;
	t->n_confirmed++;
}

static int room(void *arg, uint32_t id, const struct dir_user *box)
{
	struct talk *t = arg;
	(void)box;
	t->s.standing = t->standing;
	return job(t, t->room, id, J_DONE, t->room_err);
}

static int record(void *arg, uint32_t id)
{
	struct talk *t = arg;
	if (t->record == TALK_REFUSES)
		return ENOSPC;
	t->rec_job = id;
	t->rec_started_ms = t->now_ms;
	t->n_recorded++;
	t->file = true;
	return 0;
}

static void recorded(struct talk *t, int64_t ms)
{
	uint32_t id = t->rec_job;
	t->rec_job = 0;
	t->s.rec.duration_ms = (uint32_t)ms;
	t->s.rec.heard = !t->mute && ms > 0;
	t->s.rec.kept = t->file;
	if (t->record == TALK_FAILS)
		dlg_job_failed(&t->s.eng, id, ENOSPC);
	else
		dlg_job_done(&t->s.eng, id, J_REC_ENDED);
}

static void record_stop(void *arg, bool hangup)
{
	struct talk *t = arg;
	(void)hangup;
	if (t->rec_job && t->record != TALK_NEVER) {
		t->speak_ms = t->now_ms - t->rec_started_ms; /* ends at once, told with the next turn */
		t->mute = t->mute || t->speak_ms == 0;
	}
}

static void record_drop(void *arg)
{
	struct talk *t = arg;
	t->n_dropped += t->file;
	t->file = false;
}

static void record_drop_part(void *arg)
{
	struct talk *t = arg;
	t->n_parts++;
}

static int save(void *arg, uint32_t id)
{
	struct talk *t = arg;
	return job(t, t->save, id, J_SAVED, 0);
}

static int fetch(void *arg, uint32_t id, enum dlg_clip clip, const struct dir_user *box)
{
	struct talk *t = arg;
	enum mbox_greeting g = t->s.fetched;
	bool greeting = g == MBOX_G_PERSONAL || g == MBOX_G_NAME ? t->has_greeting : g == MBOX_GREETINGS ? t->rule_greeting : (t->greetings >> g & 1) != 0;
	bool there = clip == CLIP_GREETING ? greeting : clip == CLIP_NAME ? t->has_name && box : true;
	t->s.has_clip[clip] = there && t->fetch == TALK_GOOD;
	return job(t, t->fetch, id, J_DONE, there ? 0 : ENOENT);
}

static int greeting_set(void *arg, uint32_t id)
{
	struct talk *t = arg;
	t->n_greetings += t->greeting == TALK_GOOD;
	t->greeting_kind = t->s.phone.greeting;
	return job(t, t->greeting, id, J_DONE, 0);
}

static int greeting_remove(void *arg, uint32_t id)
{
	struct talk *t = arg;
	t->n_removed += t->greeting == TALK_GOOD;
	return job(t, t->greeting, id, J_DONE, 0);
}

static int list(void *arg, uint32_t id)
{
	struct talk *t = arg;
	int err = job(t, t->list, id, J_DONE, 0);
	for (int i = 0; i < TALK_JOBS; i++)
		if (t->job[i].used && t->job[i].id == id)
			t->job[i].is_list = true;
	return err;
}

static int mark(void *arg, uint32_t id, const char *message, enum mbox_state state)
{
	struct talk *t = arg;
	t->marked = state;
	if (t->mark == TALK_GOOD) {
		t->n_marks++;
		for (unsigned i = 0; i < t->n_messages; i++)
			if (strcmp(t->messages[i].id, message) == 0)
				t->messages[i].state = state;
	}
	return job(t, t->mark, id, J_DONE, 0);
}

/* ---- the mailbox by phone ---- */
static int owner(void *arg, uint32_t id)
{
	struct talk *t = arg;
	if (t->owner == TALK_GOOD) {
		t->s.phone.recorded = t->recorded;
		t->s.phone.away = t->away;
		t->s.phone.choices.setting_up = t->setting_up;
		if (t->group)
			mbox_choice_read(&t->s.phone.choices, "group.1", t->group);
	}
	return job(t, t->owner, id, J_DONE, 0);
}

static int choose(void *arg, uint32_t id, const char *name, const char *value)
{
	struct talk *t = arg;
	if (t->choose == TALK_GOOD) {
		snprintf(t->chosen, sizeof(t->chosen), "%s=%s", name, value);
		mbox_choice_read(&t->s.phone.choices, name, value);
	}
	return job(t, t->choose, id, J_DONE, 0);
}

static int32_t offset_s(void *arg, int64_t when_s)
{
	struct talk *t = arg;
	return when_s < t->clock_change_s ? t->offset_s + 3600 : t->offset_s;
}

static int away(void *arg, uint32_t id, bool on, int64_t until_us)
{
	struct talk *t = arg;
	if (t->choose == TALK_GOOD)
		t->s.phone.away = t->away = on;
	t->until_s = until_us / 1000000;
	return job(t, t->choose, id, J_DONE, 0);
}

static const char *language(void *arg, unsigned i)
{
	static const char *const tags[] = { "en-US", "de-DE", "fr-FR" };
	struct talk *t = arg;
	return i < t->n_languages ? tags[i] : NULL;
}

static unsigned hours(void *arg)
{
	struct talk *t = arg;
	unsigned chosen = t->s.phone.choices.hours;
	return chosen ? chosen : text_starts(text_of(dlg_language_of(&t->s)), "de") ? 24 : 12;
}

static int stretch(void *arg, uint32_t id, unsigned speed)
{
	struct talk *t = arg;
	(void)speed;
	t->n_stretched++;
	return job(t, t->stretch, id, J_DONE, 0);
}

static uint32_t heard_ms(void *arg)
{
	return ((struct talk *)arg)->heard_ms;
}

static int undelete(void *arg, uint32_t id, const char *message)
{
	struct talk *t = arg;
	if (t->mark == TALK_GOOD) {
		t->n_undeleted++;
		for (unsigned i = 0; i < t->n_messages; i++)
			if (strcmp(t->messages[i].id, message) == 0)
				t->messages[i].state = MBOX_SAVED;
	}
	return job(t, t->mark, id, J_DONE, 0);
}

static int take_note(void *arg, uint32_t id, const char *message, unsigned set, unsigned clear)
{
	struct talk *t = arg;
	(void)message;
	if (t->mark == TALK_GOOD) {
		t->n_notes++;
		t->notes = (t->notes | set) & ~clear;
	}
	return job(t, t->mark, id, J_DONE, 0);
}

static int send(void *arg, uint32_t id)
{
	struct talk *t = arg;
	struct dlg_phone *p = &t->s.phone;
	if (t->send == TALK_GOOD) {
		unsigned good = p->n_to > t->send_fails_for ? p->n_to - t->send_fails_for : 0;
		for (unsigned i = 0; i < good; i++) {
			size_t at = strlen(t->sent_to);
			snprintf(t->sent_to + at, sizeof(t->sent_to) - at, "%s ", p->to[i]->name);
			t->n_sent++;
		}
		memmove(p->to, p->to + good, (p->n_to - good) * sizeof(p->to[0]));
		p->n_to -= good;
		p->n_sent += good;
		t->sent_as = p->sending;
		t->sent_urgent = p->urgent;
		t->sent_private = p->private;
		t->sent_file = t->file;
	}
	return job(t, t->send, id, J_DONE, p->n_to ? EDQUOT : 0);
}

static int fetch_own(void *arg, uint32_t id)
{
	struct talk *t = arg;
	bool there = t->recorded & 1u << t->s.phone.greeting;
	t->n_fetched_own++;
	t->s.has_clip[CLIP_GREETING] = there && t->fetch == TALK_GOOD;
	return job(t, t->fetch, id, J_DONE, there ? 0 : ENOENT);
}

static int logon(void *arg, uint32_t id, const struct dir_user *box, struct text pin)
{
	struct talk *t = arg;
	t->n_tries++;
	int code = J_LOGON_WRONG;
	if (t->no_pin)
		code = J_LOGON_NO_PIN;
	else if (t->locked)
		code = J_LOGON_LOCKED;
	else if (box && text_is(pin, t->pin))
		code = t->must_change ? J_LOGON_MUST_CHANGE : J_LOGON_OK;
	else if (t->n_tries >= 10)
		t->locked = true;
	return job(t, t->logon, id, code, 0);
}

static void logon_gave_up(void *arg, const struct dir_user *box, unsigned tries)
{
	(void)box, (void)tries;
	((struct talk *)arg)->n_gave_up++;
}

static int pin_set(void *arg, uint32_t id, struct text pin)
{
	struct talk *t = arg;
	text_copy(pin, t->new_pin, sizeof(t->new_pin));
	t->n_pins++;
	bool used = t->pins_used > 0;
	t->pins_used -= used;
	t->s.pin_rule = used ? DIR_PIN_USED : DIR_PIN_GOOD;
	return job(t, t->pin_set, id, used ? J_PIN_RULE : J_DONE, 0);
}

static int count_outside(void *arg, uint32_t id, const char *of, uint32_t per_hour)
{
	struct talk *t = arg;
	text_fill(t->counted_of, sizeof(t->counted_of), of);
	t->n_counted++;
	t->cap = per_hour;
	return job(t, TALK_GOOD, id, J_DONE, t->over_cap ? EDQUOT : 0);
}

static int transfer(void *arg, uint32_t id, const char *uri)
{
	struct talk *t = arg;
	text_fill(t->uri, sizeof(t->uri), uri);
	if (t->transfer == TALK_REFUSES)
		return t->no_orders ? EOPNOTSUPP : ENOTCONN;
	t->xfer_job = id;
	return 0;
}

static int find(void *arg, uint32_t id, const char *uri, uint32_t ring_ms)
{
	struct talk *t = arg;
	text_fill(t->uri, sizeof(t->uri), uri);
	t->ring_ms = ring_ms;
	t->n_calls++;
	t->s.find_status = t->find_status;
	int was = t->job_ms;
	t->job_ms = t->find_ms;
	int err = job(t, t->find == TALK_FAILS ? TALK_GOOD : t->find, id, J_DONE, t->find == TALK_FAILS ? ECONNREFUSED : 0);
	t->job_ms = was;
	return err;
}

static int bridge(void *arg, uint32_t id, const char *uri)
{
	struct talk *t = arg;
	t->n_bridged++;
	return find(t, id, uri, 0);
}

static void find_stop(void *arg)
{
	((struct talk *)arg)->n_stopped++;
}

static int talking(struct talk *t, enum talk_mode mode, uint32_t id)
{
	int was = t->job_ms;
	t->job_ms = t->talk_ms;
	int err = job(t, mode, id, J_DONE, 0);
	t->job_ms = was;
	t->joined = mode == TALK_GOOD ? id : 0;
	return err;
}

static int join(void *arg, uint32_t id)
{
	struct talk *t = arg;
	return talking(t, t->join, id);
}

static int take(void *arg, uint32_t id)
{
	struct talk *t = arg;
	return talking(t, t->take, id);
}

static bool hears(void *arg)
{
	return ((struct talk *)arg)->recogniser;
}

static int listen(void *arg, uint32_t id)
{
	struct talk *t = arg;
	t->n_listens++;
	t->hear_job = id;
	if (t->hear_err)
		return job(t, t->hear, id, 0, t->hear_err);
	for (unsigned i = 0; i < DLG_HEARD && t->hear_who[i]; i++) {
		struct dlg_heard *h = &t->s.heard[t->s.n_heard++];
		bool op = strcmp(t->hear_who[i], "operator") == 0, department = t->hear_who[i][0] == '@', key = t->hear_who[i][0] == '=';
		const struct dir_user *u = op || department || key ? NULL : world_user(t->view, t->hear_who[i]);
		*h = (struct dlg_heard){ .user = u, .is_operator = op, .department = department ? t->hear_who[i] + 1 : NULL,
			                 .say = u ? u->spoken_name : op ? t->hear_who[i] : t->hear_who[i] + 1 };
		if (key)
			text_fill(h->keys, sizeof(h->keys), t->hear_who[i] + 1);
	}
	t->s.heard_direct = t->hear_direct;
	return job(t, t->hear, id, J_HEARD, 0);
}

static void deaf(void *arg)
{
	((struct talk *)arg)->n_deaf++;
}

static void event(void *arg, struct ev_report *r)
{
	struct talk *t = arg;
	t->n_events++;
	t->last_event = r->id;
}

static int64_t now_s(void *arg)
{
	const struct talk *t = arg;
	return t->real_s + t->now_ms / 1000;
}

static const struct dlg_effects fakes = {
	.io = { say, hush, timer, step, over },
	.confirm = confirm, .room = room, .record = record, .record_stop = record_stop, .record_drop = record_drop, .record_drop_part = record_drop_part, .find = find, .bridge = bridge, .find_stop = find_stop, .join = join, .take = take, .save = save,
	.fetch = fetch, .greeting_set = greeting_set, .greeting_remove = greeting_remove, .list = list, .mark = mark, .logon = logon,
	.owner = owner, .choose = choose, .language = language, .hours = hours, .away = away, .offset_s = offset_s, .stretch = stretch, .heard_ms = heard_ms, .undelete = undelete, .note = take_note,
	.send = send, .fetch_own = fetch_own, .logon_gave_up = logon_gave_up, .pin_set = pin_set, .count_outside = count_outside, .transfer = transfer, .event = event,
	.hears = hears, .listen = listen, .deaf = deaf, .now_s = now_s,
};

/* ---- the test's side ---- */
void talk_init(struct talk *t)
{
	*t = (struct talk){ .view = world_view(), .job_ms = 10, .speak_ms = 5000, .pin = "482915", .confirmed = -1, .timer = { NEVER, NEVER },
		            .xfer_ms = 2000, .find_ms = 4000, .talk_ms = 20000, .recorded = 1u << MBOX_G_NAME | 1u << MBOX_G_PERSONAL };
	dlg_session_init(&t->s, t->view, &fakes, t);
	text_fill(t->s.caller_number, sizeof(t->s.caller_number), "+15550100");
}

void talk_start(struct talk *t, const struct dlg_table *table)
{
	dlg_start(&t->s.eng, table);
	dlg_path_look(&t->path, &t->s, t->now_ms);
}

void talk_end(struct talk *t)
{
	dlg_session_close(&t->s);
	dlg_path_free(&t->path);
	t->view = dir_view_unref(t->view);
}

void talk_box(struct talk *t, const char *mailbox)
{
	t->s.box = world_user(t->view, mailbox);
}

void talk_message(struct talk *t, const char *id, enum mbox_state state, const char *caller)
{
	struct mbox_message *m = &t->messages[t->n_messages++];
	text_fill(m->id, sizeof(m->id), id);
	text_fill(m->caller_number, sizeof(m->caller_number), caller);
	m->state = state;
	m->duration_ms = 4000;
}

static bool due(const struct talk *t, int64_t at)
{
	return at != NEVER && at <= t->now_ms;
}

static void job_back(struct talk *t, struct talk_job *j)
{
	struct talk_job copy = *j;
	j->used = false;
	if (copy.is_list && !copy.err)
		dlg_list_set(&t->s, t->messages, t->n_messages);
	if (copy.code == J_SAVED && !copy.err) {
		t->n_saved++;
		t->saved_urgent = t->s.urgent;
		t->saved_private = t->s.private;
		t->saved_ms = t->s.rec.duration_ms;
		t->file = false;
		text_fill(t->saved_for, sizeof(t->saved_for), t->s.box ? t->s.box->name : "");
	}
	if (copy.err)
		dlg_job_failed(&t->s.eng, copy.id, copy.err);
	else
		dlg_job_done(&t->s.eng, copy.id, copy.code);
}

static void transfer_back(struct talk *t)
{
	uint32_t id = t->xfer_job;
	t->xfer_job = 0;
	t->s.xfer_status = t->xfer_status;
	if (t->transfer == TALK_FAILS)
		dlg_job_failed(&t->s.eng, id, t->no_orders ? EOPNOTSUPP : ECONNREFUSED);
	else
		dlg_job_done(&t->s.eng, id, J_DONE);
}

/* Everything due now, one thing a turn. */
static bool turn(struct talk *t)
{
	if (t->over)
		return false;
	if (t->joined) {
		uint32_t id = t->joined;
		t->joined = 0;
		t->n_talks++;
		dlg_job_progress(&t->s.eng, id, 200);
		return true;
	}
	for (int i = 0; i < TALK_JOBS; i++)
		if (t->job[i].used && t->job[i].due_ms <= t->now_ms) {
			job_back(t, &t->job[i]);
			return true;
		}
	if (t->rec_job && t->speak_ms >= 0 && t->now_ms - t->rec_started_ms >= t->speak_ms && t->record != TALK_NEVER) {
		recorded(t, t->speak_ms);
		return true;
	}
	if (t->xfer_job && t->transfer != TALK_NEVER && t->now_ms >= t->xfer_ms) {
		transfer_back(t);
		return true;
	}
	if (t->saying && t->said_due_ms <= t->now_ms) {
		t->saying = false;
		dlg_said(&t->s.eng, t->say_id);
		return true;
	}
	for (int i = 0; i < DLG_TIMERS; i++)
		if (due(t, t->timer[i])) {
			t->timer[i] = NEVER;
			dlg_timer_fired(&t->s.eng, (enum dlg_timer)i);
			return true;
		}
	return false;
}

void talk_wait(struct talk *t, int64_t ms)
{
	for (int64_t end = t->now_ms + ms; ;) {
		while (turn(t))
			;
		if (t->now_ms >= end)
			return;
		t->now_ms += 10;
	}
}

void talk_keys(struct talk *t, const char *keys)
{
	for (; *keys; keys++) {
		dlg_key(&t->s.eng, *keys);
		talk_wait(t, 50);
	}
}

void talk_hangup(struct talk *t)
{
	dlg_path_hangup(&t->path, &t->s, t->now_ms);
	dlg_hangup(&t->s.eng);
}

bool talk_heard(struct talk *t, const char *what)
{
	char *at = strstr(t->heard, what);
	if (!at)
		return false;
	at += strlen(what);
	memmove(t->heard, at, strlen(at) + 1);
	return true;
}

const char *talk_where(struct talk *t)
{
	static char where[96];
	const struct dlg_table *table = dlg_table_of(&t->s.eng);
	snprintf(where, sizeof(where), "%s: %s", table ? table->name : "over", dlg_state_of(&t->s.eng));
	return where;
}

void talk_called(struct talk *t)
{
	talk_init(t);
	talk_box(t, "alice");
}

void talk_answers(struct talk *t)
{
	talk_start(t, &dlg_answering);
	talk_wait(t, 100);
}
