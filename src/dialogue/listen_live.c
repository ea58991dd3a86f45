/* SPDX-License-Identifier: Apache-2.0 */
/* listen_live.c  A caller's spoken name, done: what he may say becomes a grammar for the helper, the port is listened to, and who was heard becomes s->heard.
 *
 *   listen -> grammar (taught while the prompt plays, if it isn't known) -> hear.h: began, utterance -> helper -> s->heard -> J_HEARD
 *
 * Whatever fails on the way fails the job, and the caller goes on by the keys. A grammar's key is a hash of all that is in it, so that a change of the
 * directory is another grammar.                                                                                            */
#include <errno.h>
#include "base/hash.h"
#include "base/mem.h"
#include "dialogue/call_private.h"
#include "dialogue_events.h"
#include "voice_events.h"

enum { ID_MENU = 0x40000000, ID_OPERATOR = 0x7fffffff, ENTRIES = SPEECH_ENTRIES_MAX, GRAMMAR_MAX = SPEECH_BODY_MAX };

/* ---- the grammar ---- */
struct grammar {
	struct speech_entry *v;
	size_t n;
};

static void add(struct grammar *g, uint32_t id, enum speech_kind kind, const char *name, const char *language)
{
	if (*name && g->n < ENTRIES)
		g->v[g->n++] = (struct speech_entry){ .id = id, .kind = kind, .name = text_head(text_of(name), SPEECH_NAME_MAX),
			                              .language = text_head(text_of(language), SPEECH_LANGUAGE_MAX) };
}

/* All that callers of this attendant may dial: people, what its menu leads to, the operator. */
static int grammar_make(struct grammar *g, const struct dlg_session *s)
{
	const struct cfg_attendant *aa = s->aa;
	*g = (struct grammar){ .v = mem_zalloc(ENTRIES, sizeof *g->v) };
	if (!g->v)
		return ENOMEM;
	if (dlg_has_operator(s)) {
		add(g, ID_OPERATOR, SPEECH_OPERATOR, "operator", "en-US");
		add(g, ID_OPERATOR, SPEECH_OPERATOR, "the operator", "en-US");
	}
	for (size_t i = 0; aa && i < aa->n_keys; i++)
		if (*aa->keys[i].say && *aa->keys[i].target && (aa->keys[i].action == CFG_ACT_EXTENSION || aa->keys[i].action == CFG_ACT_MAILBOX))
			add(g, ID_MENU + (uint32_t)i, SPEECH_DEPARTMENT, aa->keys[i].say, aa->language);
	for (size_t i = 0; i < dir_view_count(s->view); i++) {
		const struct dir_user *u = dir_view_at(s->view, i);
		if (!u->dialable)
			continue;
		add(g, (uint32_t)i, SPEECH_PERSON, u->spoken_name, u->language);
		if (*u->display_name && strcmp(u->display_name, u->spoken_name) != 0)
			add(g, (uint32_t)i, SPEECH_PERSON, u->display_name, u->language);
	}
	return g->n ? 0 : ENOENT;
}

static uint64_t grammar_key(const struct grammar *g)
{
	static const uint8_t fixed[16] = "umbel grammar 1";
	struct buf b;
	buf_init(&b, GRAMMAR_MAX);
	speech_put_learn(&b, 0, g->v, g->n);
	uint64_t key = hash_siphash(fixed, b.p, b.n);
	buf_free(&b);
	return key;
}

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
}

void dlg_live_deaf(void *arg)
{
	let_go(arg);
}

static void fail(struct dlg_call *c, int err)
{
	uint32_t job = c->listen_job;
	let_go(c);
	if (job)
		dlg_job_failed(&c->s.eng, job, err);
}

/* ---- what was heard ---- */
static void take_heard(struct dlg_call *c, uint32_t id)
{
	struct dlg_session *s = &c->s;
	struct dlg_heard *h = &s->heard[s->n_heard];
	*h = (struct dlg_heard){ .say = "" };
	if (id == ID_OPERATOR) {
		h->is_operator = true;
		h->say = "operator";
	} else if (id >= ID_MENU) {
		if (!s->aa || id - ID_MENU >= s->aa->n_keys)
			return;
		h->target = s->aa->keys[id - ID_MENU].target;
		h->say = s->aa->keys[id - ID_MENU].say;
	} else {
		if (id >= dir_view_count(s->view))
			return;
		h->user = dir_view_at(s->view, id);
		h->say = h->user->spoken_name;
	}
	s->n_heard++;
}

static void send_utterance(struct dlg_call *c);

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
		const struct speech_result *r = a->result;
		c->s.n_heard = 0;
		for (uint32_t i = 0; r->sure != SPEECH_REJECT && i < r->n; i++)
			take_heard(c, r->v[i].id);
		c->s.heard_direct = r->sure == SPEECH_DIRECT;
		metric_add(c->s.n_heard ? c->svc->m.heard : c->svc->m.not_heard, 1);
		dlg_call_step(c, "heard %s%s%s", c->s.n_heard ? c->s.heard[0].say : "nobody", c->s.n_heard > 1 ? " or another" : "", c->s.heard_direct ? ", surely" : "");
		bool somebody = c->s.n_heard > 0;
		let_go(c);
		if (somebody)
			dlg_job_done(&c->s.eng, job, J_HEARD);
		else
			dlg_job_failed(&c->s.eng, job, ENOENT);
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
		tell_alike(c, a->learned);
		if (c->utterance)
			send_utterance(c);
	} else {
		fail(c, ENOTSUP);
	}
	mem_unref(c);
}

static int teach(struct dlg_call *c)
{
	struct grammar g;
	int err = grammar_make(&g, &c->s);
	if (!err)
		c->grammar = grammar_key(&g);
	if (!err && !known(c->svc, c->grammar)) {
		err = speech_learn(c->svc->prm.speech, &c->listen_asked, c->grammar, g.v, g.n, learned, c);
		if (!err)
			mem_ref(c);
	}
	mem_free(g.v);
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
		err = speech_listen(c->svc->prm.speech, &c->listen_asked, c->grammar, c->utterance, c->n_utterance, heard, c);
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
		dlg_job_progress(&c->s.eng, c->listen_job, J_SPEECH_BEGAN);
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

int dlg_live_listen(void *arg, uint32_t job)
{
	struct dlg_call *c = arg;
	if (!c->svc || !c->port)
		return ENOTCONN;
	let_go(c);
	if (c->hear)
		return EBUSY;
	c->listen_retried = false;
	int err = teach(c);
	if (!err)
		err = hear_start(&c->hear, &(struct hear_prm){ .loop = c->svc->prm.loop, .port = c->port, .handler = on_hear, .arg = c });
	if (err) {
		let_go(c);
		return err == EBUSY ? err : ENOTSUP;
	}
	c->listen_job = job;
	return 0;
}

bool dlg_live_heard(struct dlg_call *c, const struct media_event *ev)
{
	return c->hear && hear_event(c->hear, ev);
}
