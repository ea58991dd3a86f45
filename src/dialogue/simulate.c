/* SPDX-License-Identifier: Apache-2.0 */
/* simulate.c  Effects that do nothing but tell. Time jumps from one thing that happens to the next. */
#include "dialogue/simulate.h"
#include <errno.h>
#include <stdio.h>
#include "base/mem.h"
#include "dialogue/attendant_private.h"
#include "voice/languages.h"

enum { NEVER = -1, LETTER_MS = 65, SAY_LEAST_MS = 300, KEY_MS = 250, THINK_MS = 500, LONGEST_MS = 30 * 60000, STEPS_MAX = 20000 };

struct sim {
	struct dlg_session s;
	const struct dlg_sim_prm *prm;
	dlg_sim_h *h;
	void *arg;
	int64_t now_ms, timer[DLG_TIMERS], said_ms, quiet_ms; /* quiet: since when nothing is said */
	uint32_t say_id, job; /* job: due at once; 0 none */
	int job_code, job_err;
	bool saying, over, ended;
	const char *keys; /* what is left of them */
	const struct cfg_attendant *told;
	bool told_closed;
};

const char *dlg_sim_end_name(enum dlg_sim_end e)
{
	static const char *const names[] = { "waits", "transfer", "message", "log-on", "over", "endless" };
	return (unsigned)e < sizeof(names) / sizeof(names[0]) ? names[e] : "?";
}

static void tell(struct sim *m, struct dlg_sim_line l)
{
	l.at_ms = m->now_ms;
	l.text = l.text ? l.text : "";
	l.to = l.to ? l.to : "";
	l.name = l.name ? l.name : "";
	l.attendant = m->s.aa ? m->s.aa->name : "";
	l.schedule = m->s.aa ? m->s.aa->schedule : "";
	m->h(&l, m->arg);
}

static void end(struct sim *m, enum dlg_sim_end how, const char *to, const char *name)
{
	if (!m->ended)
		tell(m, (struct dlg_sim_line){ .kind = SIM_END, .end = how, .to = to, .name = name });
	m->ended = m->over = true;
}

/* ---- what is said ---- */

/* As the prompts of the caller's language say it; NULL: they have no words for it. */
static const char *in_his_language(const struct sim *m, const char *name)
{
	const struct languages *l = m->prm->languages;
	const char *words = l ? prompt_text(languages_find(l, dlg_language_of(&m->s)), name) : NULL;
	return words && *words ? words : NULL;
}

static void add_named(const struct sim *m, struct buf *b, const char *name)
{
	const char *words = in_his_language(m, name);
	static const char *const days[7] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
	struct text t = text_of(name);
	if (words)
		buf_str(b, words);
	else if (text_starts(t, "digits/day-") && t.n == 12 && t.p[11] >= '0' && t.p[11] <= '6')
		buf_str(b, days[t.p[11] - '0']);
	else
		buf_printf(b, "[%s]", name);
}

static void add_prompt(const struct sim *m, struct buf *b, enum dlg_prompt p)
{
	const char *words = in_his_language(m, dlg_prompt_name(p));
	buf_str(b, words ? words : dlg_prompt_words(p));
}

static void add_word(const struct sim *m, struct buf *b, const struct dlg_utterance *u, unsigned i)
{
	const struct dlg_said *w = &u->word[i];
	if (b->n && w->kind != DLG_W_PAUSE)
		buf_char(b, ' ');
	switch (w->kind) {
	case DLG_W_PROMPT: add_prompt(m, b, w->prompt); break;
	case DLG_W_NAMED: add_named(m, b, dlg_said_text(u, i)); break;
	case DLG_W_NAME:
	case DLG_W_TEXT:
	case DLG_W_DIGITS: buf_str(b, dlg_said_text(u, i)); break;
	case DLG_W_NUMBER: buf_printf(b, "%lld", (long long)w->number); break;
	case DLG_W_CLOCK: buf_printf(b, "%02d:%02d", (int)w->number / 60, (int)w->number % 60); break;
	case DLG_W_PAUSE: break;
	case DLG_W_BEEP: buf_str(b, "[tone]"); break;
	default: buf_str(b, "[...]"); break;
	}
}

static void tell_hours(struct sim *m)
{
	const struct cfg_attendant *aa = m->s.aa;
	if (!aa || (aa == m->told && m->s.aa_closed == m->told_closed))
		return;
	m->told = aa;
	m->told_closed = m->s.aa_closed;
	const struct cfg_schedule *s = *aa->schedule ? cfg_schedule(m->prm->cfg, text_of(aa->schedule)) : NULL;
	tell(m, (struct dlg_sim_line){ .kind = SIM_HOURS, .hours = &m->s.hours,
	                               .until_s = hours_change(s, m->prm->at_s) });
}

static int say(void *arg, const struct dlg_utterance *u, uint32_t id)
{
	struct sim *m = arg;
	struct buf b;
	buf_init(&b, 1 << 16);
	tell_hours(m);
	for (unsigned i = 0; i < u->n; i++)
		add_word(m, &b, u, i);
	const char *words = buf_cstr(&b);
	if (words && *words)
		tell(m, (struct dlg_sim_line){ .kind = SIM_SAYS, .text = words });
	m->saying = true;
	m->say_id = id;
	m->said_ms = m->now_ms + SAY_LEAST_MS + (int64_t)b.n * LETTER_MS;
	buf_free(&b);
	return 0;
}

static void hush(void *arg)
{
	struct sim *m = arg;
	m->saying = false;
	m->quiet_ms = m->now_ms;
}

static void timer(void *arg, enum dlg_timer which, int64_t ms)
{
	struct sim *m = arg;
	m->timer[which] = ms < 0 ? NEVER : m->now_ms + ms;
}

static void over(void *arg, int result)
{
	struct sim *m = arg;
	(void)result;
	end(m, SIM_OVER, "", "");
}

/* ---- jobs ---- */

static int done(struct sim *m, uint32_t job, int code, int err)
{
	m->job = job;
	m->job_code = code;
	m->job_err = err;
	return 0;
}

static int fetch(void *arg, uint32_t job, enum dlg_clip clip, const struct dir_user *box)
{
	(void)clip, (void)box;
	return done(arg, job, 0, ENOENT); /* names are told as they are written */
}

static int transfer(void *arg, uint32_t job, const char *uri)
{
	struct sim *m = arg;
	const struct dir_target *t = &m->s.target;
	end(m, SIM_TRANSFER, uri, m->s.target_is_operator ? "operator" : t->user ? t->user->display_name : t->number);
	return done(m, job, J_DONE, 0);
}

static int64_t now_s(void *arg)
{
	const struct sim *m = arg;
	return m->prm->at_s + m->now_ms / 1000;
}

static void event(void *arg, struct ev_report *r)
{
	(void)arg, (void)r;
}

static void step(void *arg, const struct dlg_step *s)
{
	(void)s;
	tell_hours(arg);
}

/* All others belong to tables that are not run here. */
static const struct dlg_effects effects = {
	.io = { .say = say, .hush = hush, .timer = timer, .step = step, .over = over },
	.fetch = fetch, .transfer = transfer, .event = event, .now_s = now_s,
};

/* ---- what stands for the mailbox: there the attendant's part is at its end ---- */

static int leave_message(struct dlg_session *s)
{
	end(s->fx_arg, SIM_MESSAGE, s->box ? s->box->name : "", s->box ? s->box->display_name : "");
	return 0;
}

static int log_on(struct dlg_session *s)
{
	end(s->fx_arg, SIM_LOGON, "", "");
	return 0;
}

static const struct dlg_state there[] = { { "there", NULL, NULL, 0, 0 } };
static const struct dlg_row message_rows[] = { { 0, ENTER, ALWAYS, DO(leave_message), RETURN(R_GOODBYE) } };
static const struct dlg_row logon_rows[] = { { 0, ENTER, ALWAYS, DO(log_on), RETURN(R_GOODBYE) } };
static const struct dlg_table message_table = { "message", "A message", there, message_rows, 1, 1, 0, NULL };
static const struct dlg_table logon_table = { "log-on", "The mailbox by phone", there, logon_rows, 1, 1, 0, NULL };

/* ---- time ---- */

static int64_t earliest(const struct sim *m, enum dlg_timer *which)
{
	int64_t at = NEVER;
	for (int i = 0; i < DLG_TIMERS; i++)
		if (m->timer[i] != NEVER && (at == NEVER || m->timer[i] < at)) {
			at = m->timer[i];
			*which = (enum dlg_timer)i;
		}
	return at;
}

static void press(struct sim *m)
{
	char group[64];
	size_t n = strcspn(m->keys, ",");
	text_print(group, sizeof(group), "%.*s", (int)n, m->keys);
	m->keys += n + (m->keys[n] == ',');
	tell(m, (struct dlg_sim_line){ .kind = SIM_KEYS, .text = group });
	for (const char *k = group; *k && !m->over; k++) {
		dlg_key(&m->s.eng, *k);
		m->now_ms += KEY_MS;
	}
}

/* One thing happens; false: nothing more will. */
static bool turn(struct sim *m)
{
	enum dlg_timer which = DLG_T_STATE;
	if (m->job) {
		uint32_t job = m->job;
		m->job = 0;
		if (m->job_err)
			dlg_job_failed(&m->s.eng, job, m->job_err);
		else
			dlg_job_done(&m->s.eng, job, m->job_code);
		return true;
	}
	if (m->saying) {
		m->now_ms = m->now_ms > m->said_ms ? m->now_ms : m->said_ms;
		m->saying = false;
		m->quiet_ms = m->now_ms;
		dlg_said(&m->s.eng, m->say_id);
		return true;
	}
	int64_t due = earliest(m, &which);
	if (due != NEVER && which == DLG_T_STATE && *m->keys) {
		m->now_ms += THINK_MS;
		press(m);
		return true;
	}
	if (due == NEVER || (which == DLG_T_STATE && !m->prm->silent)) {
		end(m, SIM_WAITS, "", "");
		return false;
	}
	m->now_ms = m->now_ms > due ? m->now_ms : due;
	m->timer[which] = NEVER;
	dlg_timer_fired(&m->s.eng, which);
	return true;
}

static void run(struct sim *m, const struct dlg_table *table)
{
	dlg_start(&m->s.eng, table);
	for (int i = 0; i < STEPS_MAX && !m->over && turn(m); i++)
		if (m->now_ms > LONGEST_MS)
			break;
	end(m, SIM_ENDLESS, "", "");
}

int dlg_simulate(const struct dlg_sim_prm *prm, dlg_sim_h *h, void *arg)
{
	struct dlg_attendants *all = NULL;
	struct dir_view *view = NULL;
	if (prm->keys[strspn(prm->keys, "0123456789*#,")])
		return EINVAL;
	struct sim *m = mem_zalloc(1, sizeof(*m));
	int err = m ? dlg_attendants_create_with(&all, prm->cfg, &message_table, &logon_table) : ENOMEM;
	if (!err)
		err = dir_view_of_cfg(&view, prm->cfg);
	const struct dlg_table *t = err ? NULL : dlg_attendant_table(all, text_of(prm->attendant));
	if (!err && (!t || strchr(prm->attendant, '/')))
		err = ENOENT;
	if (!err) {
		m->prm = prm;
		m->h = h;
		m->arg = arg;
		m->keys = prm->keys;
		m->timer[DLG_T_STATE] = m->timer[DLG_T_KEY] = NEVER;
		dlg_session_init(&m->s, view, &effects, m);
		text_fill(m->s.caller_number, sizeof(m->s.caller_number), prm->caller);
		run(m, t);
		dlg_session_close(&m->s);
	}
	dir_view_unref(view);
	mem_unref(all);
	mem_free(m);
	return err;
}
