/* SPDX-License-Identifier: Apache-2.0 */
/* listen_live.c  What a caller says, done: what he may say becomes a grammar for the helper, the port is listened to, and who was heard becomes s->heard.
 *
 *   listen -> grammar (taught while the prompt plays, if it isn't known) -> hear.h: began, utterance -> helper -> s->heard -> J_HEARD, or dlg_heard()
 *
 * A conversation asks for it as a job (ask.c), or rests in a state that listens beside its keys: then the port is listened to as long as it rests
 * there. Whatever fails on the way fails the job, or is as good as silence, and the caller goes on by the keys.          */
#include <errno.h>
#include "base/mem.h"
#include "dialogue/call_private.h"
#include "dialogue/grammar.h"
#include "dialogue_events.h"
#include "voice_events.h"

/* A command is taken where it is much likelier than all others and than noise. */
enum { COMMAND_SCORE = -700, COMMAND_SHARE = 900, BESIDE_SCORE = -1100 /* between what is offered where somebody was asked, and what is beyond doubt */, BESIDE_MS = 20000 };

/* ---- the end of a job ---- */
static void let_go(struct dlg_call *c)
{
	if (c->listen_asked) {
		speech_cancel(c->svc ? c->svc->prm.speech : NULL, c->listen_asked);
		c->listen_asked = 0;
		mem_unref(c);
	}
	if (c->hear)
		hear_stop(c->hear);
	mem_free(c->utterance);
	c->utterance = NULL;
	c->listen_job = 0;
	c->listen_beside = c->listen_waits = false;
}

void dlg_live_deaf(void *arg)
{
	let_go(arg);
}

/* Where nothing was asked, nobody who spoke is no failure; and what stops nothing that is said needs no answer. */
static void not_heard_beside(struct dlg_call *c, int err)
{
	bool spoke = c->spoke, talks_on = dlg_flags_of(&c->s.eng) & DLG_TALKS_ON;
	c->spoke = false;
	if (err == ENOTSUP || err == ENOMEM)
		c->s.misheard = DLG_MISHEARD; /* the keys have it alone */
	c->s.n_heard = 0;
	if (spoke && !talks_on)
		dlg_heard(&c->s.eng, TEXT_NONE);
	else
		dlg_live_rests(c);
}

static void fail(struct dlg_call *c, int err)
{
	uint32_t job = c->listen_job;
	bool beside = c->listen_beside;
	let_go(c);
	if (job)
		dlg_job_failed(&c->s.eng, job, err);
	else if (beside)
		not_heard_beside(c, err);
}

/* ---- what was heard ---- */
static void take_heard(struct dlg_call *c, const struct speech_result *r)
{
	struct dlg_session *s = &c->s;
	s->n_heard = 0;
	for (uint32_t i = 0; r->sure != SPEECH_REJECT && i < r->n && s->n_heard < DLG_HEARD; i++)
		s->n_heard += dlg_grammar_means(&s->heard[s->n_heard], s, r->v[i].id);
	s->heard_direct = r->sure == SPEECH_DIRECT;
	metric_add(s->n_heard ? c->svc->m.heard : c->svc->m.not_heard, 1);
	dlg_call_step(c, "heard %s%s%s", s->n_heard ? s->heard[0].say : "nobody", s->n_heard > 1 ? " or another" : "", s->heard_direct ? ", surely" : "");
	if (s->n_heard)
		dlg_tell(c, TALE_HEARD, "what", s->heard[0].say);
}

/* A command is done or not done: nobody is asked whether it was meant. */
static const char *command_heard(const struct speech_result *r)
{
	bool sure = r->sure == SPEECH_DIRECT || (r->sure == SPEECH_CONFIRM && r->n > 0 && r->v[0].score >= COMMAND_SCORE && r->v[0].posterior >= COMMAND_SHARE);
	return sure && r->n ? dlg_command(r->v[0].id) : NULL;
}

static void heard_command(struct dlg_call *c, const struct speech_result *r)
{
	const char *words = command_heard(r);
	metric_add(words ? c->svc->m.heard : c->svc->m.not_heard, 1);
	dlg_call_step(c, "heard %s", words ? words : "no command");
	if (words)
		dlg_tell(c, TALE_HEARD, "what", words);
	if (!words) {
		fail(c, ENOENT);
		return;
	}
	let_go(c);
	c->spoke = false;
	c->s.misheard = 0;
	dlg_heard(&c->s.eng, text_of(words));
}

static void heard_beside(struct dlg_call *c, const struct speech_result *r)
{
	if (r->n && r->v[0].score < BESIDE_SCORE) { /* more likely said to somebody else than badly heard */
		fail(c, ENOENT);
		return;
	}
	take_heard(c, r);
	if (!c->s.n_heard) {
		fail(c, ENOENT);
		return;
	}
	let_go(c);
	c->spoke = false;
	dlg_heard(&c->s.eng, TEXT_NONE);
}

/* For the next try. It comes only when the caller has refused what he was offered now. */
static void remember(struct dlg_call *c, const struct speech_result *r)
{
	if (!c->listen_memory && !(c->listen_memory = mem_alloc(sizeof(*c->listen_memory))))
		return;
	*c->listen_memory = r->memory;
	c->listen_memory_of = c->grammar;
	if (r->sure != SPEECH_REJECT)
		speech_refuse(c->listen_memory, r);
}

static void send_utterance(struct dlg_call *c);

static void answered(struct dlg_call *c, uint32_t job, const struct speech_result *r)
{
	if (c->listen_beside && c->grammar_commands) {
		heard_command(c, r);
		return;
	}
	remember(c, r);
	if (c->listen_beside) {
		heard_beside(c, r);
	} else {
		take_heard(c, r);
		bool somebody = c->s.n_heard > 0;
		let_go(c);
		if (somebody)
			dlg_job_done(&c->s.eng, job, J_HEARD);
		else
			dlg_job_failed(&c->s.eng, job, ENOENT);
	}
}

static void heard(int err, const struct speech_answer *a, void *arg)
{
	struct dlg_call *c = arg;
	uint32_t job = c->listen_job;
	c->listen_asked = 0;
	if (err == ENOENT && !c->listen_retried) { /* a new helper, or it has forgotten that grammar */
		c->listen_retried = true;
		c->svc->n_known = 0;
		send_utterance(c);
	} else if (err) {
		fail(c, ENOTSUP);
	} else {
		answered(c, job, a->result);
	}
	mem_unref(c);
}

/* ---- teaching ---- */
static bool known(struct dlg_service *svc, uint64_t key)
{
	struct speech_about a;
	speech_about(svc->prm.speech, &a);
	if (a.starts != svc->known_starts)
		svc->n_known = 0;
	svc->known_starts = a.starts;
	for (unsigned i = 0; i < svc->n_known; i++)
		if (svc->known[i] == key)
			return true;
	return false;
}

static void tell_alike(struct dlg_call *c, const struct speech_learned *l)
{
	for (uint32_t i = 0; i < l->n && i < 10; i++) {
		uint32_t x = l->v[i].a, y = l->v[i].b;
		if (x >= dir_view_count(c->s.view) || y >= dir_view_count(c->s.view))
			continue;
		struct ev_report r;
		ev_set(&r, EV_SPEECH_NAMES_ALIKE);
		ev_str(&r, "a", dir_view_at(c->s.view, x)->name);
		ev_str(&r, "b", dir_view_at(c->s.view, y)->name);
		dlg_call_emit(c, &r);
	}
}

static void learned(int err, const struct speech_answer *a, void *arg)
{
	struct dlg_call *c = arg;
	c->listen_asked = 0;
	if (!err) {
		struct dlg_service *svc = c->svc;
		svc->known[svc->n_known < DLG_GRAMMARS ? svc->n_known++ : 0] = c->grammar;
		if (!c->grammar_commands)
			tell_alike(c, a->learned);
		if (c->utterance)
			send_utterance(c);
	} else {
		fail(c, ENOTSUP);
	}
	mem_unref(c);
}

/* Whether what may be said now is what it was when c->grammar was made. */
static bool same_grammar(const struct dlg_call *c)
{
	const struct dlg_session *s = &c->s;
	return c->grammar && c->grammar_commands == s->logged_on && (s->logged_on || (c->grammar_aa == s->aa && c->grammar_closed == s->aa_closed &&
	                                                                               c->grammar_department == s->department));
}

static int teach(struct dlg_call *c)
{
	struct dlg_grammar g;
	if (c->listen_asked || (same_grammar(c) && known(c->svc, c->grammar)))
		return 0;
	int err = dlg_grammar_make(&g, &c->s, c->s.logged_on);
	if (!err) {
		c->grammar = dlg_grammar_key(&g);
		c->grammar_commands = c->s.logged_on;
		c->grammar_aa = c->s.aa;
		c->grammar_closed = c->s.aa_closed;
		c->grammar_department = c->s.department;
	}
	if (!err && !known(c->svc, c->grammar)) {
		err = speech_learn(c->svc->prm.speech, &c->listen_asked, c->grammar, g.v, g.n, learned, c);
		if (!err)
			mem_ref(c);
	}
	dlg_grammar_free(&g);
	return err;
}

/* To the helper; or, while it is being taught, when it has been. */
static void send_utterance(struct dlg_call *c)
{
	if (c->listen_asked)
		return;
	int err = known(c->svc, c->grammar) ? 0 : teach(c);
	if (!err && c->listen_asked)
		return;
	if (!err)
		err = speech_listen_again(c->svc->prm.speech, &c->listen_asked, c->grammar,
		                          !c->listen_beside && c->listen_memory_of == c->grammar ? c->listen_memory : NULL, c->utterance, c->n_utterance, heard, c);
	if (!err)
		mem_ref(c);
	else
		fail(c, ENOTSUP);
}

/* ---- listening ---- */
static void on_hear(const struct hear_event *ev, void *arg)
{
	struct dlg_call *c = mem_ref(arg);
	switch (ev->what) {
	case HEAR_BEGAN:
		c->spoke = true;
		if (!c->listen_beside)
			dlg_job_progress(&c->s.eng, c->listen_job, J_SPEECH_BEGAN);
		else if (!(dlg_flags_of(&c->s.eng) & DLG_TALKS_ON))
			dlg_speaks(&c->s.eng);
		break;
	case HEAR_UTTERANCE:
		mem_free(c->utterance);
		c->utterance = mem_alloc(ev->n * sizeof *c->utterance);
		c->n_utterance = ev->n;
		if (c->utterance && c->svc) {
			memcpy(c->utterance, ev->pcm, ev->n * sizeof *ev->pcm);
			send_utterance(c);
		} else {
			fail(c, ENOMEM);
		}
		break;
	case HEAR_NOTHING: fail(c, ETIMEDOUT); break;
	case HEAR_FAILED: fail(c, ENOTSUP); break;
	}
	mem_unref(c);
}

bool dlg_live_hears(void *arg)
{
	struct dlg_call *c = arg;
	return c->svc && speech_hears(c->svc->prm.speech);
}

static int start(struct dlg_call *c)
{
	c->listen_retried = c->spoke = false;
	int err = teach(c);
	if (!err)
		err = hear_start(&c->hear, &(struct hear_prm){ .loop = c->svc->prm.loop, .port = c->port, .handler = on_hear, .arg = c,
		                                               .no_speech_ms = c->listen_beside ? BESIDE_MS : 0 });
	if (err)
		let_go(c);
	return err;
}

int dlg_live_listen(void *arg, uint32_t job)
{
	struct dlg_call *c = arg;
	if (!c->svc || !c->port)
		return ENOTCONN;
	let_go(c);
	if (!c->s.ask_tries) {
		mem_free(c->listen_memory);
		c->listen_memory = NULL;
	}
	c->listen_job = job;
	c->listen_waits = c->hear != NULL; /* one that was stopped is over soon */
	int err = c->listen_waits ? teach(c) : start(c);
	if (err)
		let_go(c);
	return !err || err == EBUSY ? err : ENOTSUP;
}

/* The conversation rests: it is listened to, or not any more. A job that listens is none of our business. */
void dlg_live_rests(void *arg)
{
	struct dlg_call *c = arg;
	bool wanted = c->svc && c->port && !c->talk_over && dlg_listens(&c->s);
	if (c->listen_beside && (!wanted || !same_grammar(c))) /* in another menu, words and what they mean are others */
		dlg_live_deaf(c);
	if (wanted && !c->listen_beside && !c->listen_job && !c->hear && !c->listen_asked) {
		c->listen_beside = true;
		(void)start(c); /* where that fails there are keys */
	}
}

bool dlg_live_heard(struct dlg_call *c, const struct media_event *ev)
{
	if (!c->hear || !hear_event(c->hear, ev))
		return false;
	if (c->hear || (c->listen_asked && !c->listen_waits)) /* while it waits, what is asked is that the helper learns: that goes on beside it */
		return true;
	if (c->listen_waits) {
		uint32_t job = c->listen_job;
		c->listen_waits = false;
		if (c->svc && c->port && start(c)) /* which lets go of it */
			dlg_job_failed(&c->s.eng, job, ENOTSUP);
	} else {
		dlg_live_rests(c);
	}
	return true;
}
