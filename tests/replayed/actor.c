/* SPDX-License-Identifier: Apache-2.0 */
/* actor.c  See actor.h. A scripted peer's life: its steps one after the other, and what it does when the scene is over. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "replayed/actor_private.h"
#include "support/ut.h"

enum { LADDER = 24 << 10 };

struct actor *actor_open(const struct actor_prm *prm)
{
	static const struct {
		const char *name;
		enum net_transport t;
	} transports[] = { { "udp", NET_UDP }, { "tcp", NET_TCP }, { "tls", NET_TLS } };
	struct actor *a = mem_zalloc(1, sizeof(*a));
	assert_non_null(a);
	a->prm = *prm;
	a->cseq = 100;
	snprintf(a->call_id, sizeof(a->call_id), "%u-%s-%u@%s", prm->number, prm->scene->product, prm->scene->line, prm->host);
	snprintf(a->tag, sizeof(a->tag), "t%u", prm->number);
	buf_init(&a->ladder, LADDER);
	buf_init(&a->difference, LADDER * 2);
	for (unsigned i = 0; i < 3; i++)
		if (!strcmp(prm->scene->transport, transports[i].name))
			a->wire = wire_open(prm->host, transports[i].t, prm->tls, prm->epoll_fd, a);
	assert_non_null(a->wire);
	actor_sound_open(a);
	return a;
}

void actor_free(struct actor *a)
{
	while (a->n_queue)
		actor_queue_drop(a, a->n_queue - 1);
	for (unsigned i = 0; i < a->n_kept; i++)
		mem_free(a->kept[i].text);
	mem_free(a->ack.text);
	mem_free(a->later);
	mem_free(a->asked.text);
	mem_free(a->called.text);
	buf_free(&a->ladder);
	buf_free(&a->difference);
	actor_sound_close(a);
	wire_free(a->wire);
	mem_free(a);
}

unsigned actor_port(const struct actor *a)
{
	return wire_port(a->wire);
}

const struct actor_prm *actor_prm(const struct actor *a)
{
	return &a->prm;
}

void actor_to(struct actor *a, const struct sockaddr_in *to, const struct sockaddr_in *umbel)
{
	wire_to(a->wire, to);
	a->umbel = *umbel;
}

/* ---- what was said ---- */
void actor_note(struct actor *a, bool out, const char *p, size_t n)
{
	struct msg m;
	char first[160];
	if (!msg_read(&m, mem_strndup(p, n), n))
		snprintf(m.method, sizeof(m.method), "?");
	msg_first_line(&m, first, sizeof(first));
	(void)buf_printf(&a->ladder, "    %8.3f %s %s (%u %s)\n", (double)a->now_ms / 1000, out ? "->" : "<-", first, m.cseq, m.method);
	if (getenv("UMBEL_TALK"))
		fprintf(stderr, "%.3f %s %u\n%.*s\n", (double)a->now_ms / 1000, out ? "->" : "<-", a->prm.number, (int)n, p);
	mem_free(m.text);
}

static void head(struct actor *a, unsigned line)
{
	const struct astray *s = &a->prm.astray;
	buf_printf(&a->difference, "%s:%u: scene '%s' (%s", a->prm.talk->path, line ? line : a->prm.scene->line, a->prm.scene->name, astray_name(s->kind));
	if (s->kind)
		buf_printf(&a->difference, " at its message %u%s%s", s->step + 1, s->gives_up ? ", gives up" : "", s->polite ? ", polite" : "");
	buf_printf(&a->difference, ")\n    ");
}

void actor_differs(struct actor *a, unsigned line, const char *fmt, ...)
{
	char what[2000];
	va_list ap;
	if (a->difference.n)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	head(a, line);
	buf_printf(&a->difference, "%s\n  so far:\n%s", what, a->ladder.n ? buf_cstr(&a->ladder) : "    nothing\n");
	actor_over(a);
}

void actor_misses(struct actor *a, unsigned line, const char *wanted, const char *heard)
{
	a->incomplete = a->prm.lossy;
	if (a->incomplete)
		actor_over(a);
	else
		actor_differs(a, line, "wanted: %s\n    heard:  %s", wanted, heard);
}

bool actor_incomplete(const struct actor *a)
{
	return a->incomplete;
}

const char *actor_difference(struct actor *a)
{
	return a->difference.n ? buf_cstr(&a->difference) : "";
}

void actor_close_books(struct actor *a)
{
	/* What is lost again and again is given up after 64*T1. */
	if (!a->silent && !a->prm.lossy && !(a->lenient && a->prm.astray.kind == ASTRAY_CUT))
		referee_close(&a->ref);
	if (a->ref.fault[0])
		actor_differs(a, 0, "against the rules: %s", a->ref.fault);
	if (!a->done)
		actor_differs(a, 0, "the scene did not come to its end");
}

/* What a caller said before he went away in whatever manner is kept: at the last message every way counts. */
int actor_left(const struct actor *a)
{
	const struct talk_scene *sc = a->prm.scene;
	unsigned sends = 0;
	int left = -1;
	for (unsigned i = 0; i < sc->n; i++) {
		sends += sc->step[i].act == TALK_SEND;
		if (sc->step[i].act == TALK_LEFT)
			left = (int)sc->step[i].ms;
	}
	return a->lenient && a->prm.astray.step + 1 < sends ? -1 : left;
}

bool actor_done(const struct actor *a)
{
	return a->done && !a->later;
}

void actor_over(struct actor *a)
{
	a->done = true;
}

bool actor_waits_for_bye(const struct actor *a)
{
	for (unsigned i = 0; i < a->ref.n_asked; i++)
		if (!strcmp(a->ref.asked[i].method, "BYE") && !a->ref.asked[i].final && !a->ref.asked[i].excused)
			return true;
	return false;
}

/* ---- hearing ---- */
static void on_wire(const char *p, size_t n, int conn, void *arg)
{
	struct actor *a = arg;
	unsigned i = a->inbox.count;
	if (i == QUEUE)
		return;
	a->inbox.text[i] = mem_strndup(p, n);
	a->inbox.n[i] = n;
	a->inbox.conn[i] = conn;
	a->inbox.count++;
}

unsigned actor_poll(struct actor *a, int64_t now_ms)
{
	a->now_ms = now_ms;
	unsigned n = wire_poll(a->wire, on_wire, a);
	actor_hear_all(a);
	if (n)
		actor_tick(a, now_ms);
	return n;
}

/* ---- the steps ---- */
const struct talk_step *actor_step(const struct actor *a)
{
	return a->done || a->step >= a->prm.scene->n ? NULL : &a->prm.scene->step[a->step];
}

static bool lamp(struct actor *a, const struct talk_step *s)
{
	unsigned fresh = 0, old = 0;
	if (sscanf(s->what, "%u/%u", &fresh, &old) != 2 || a->prm.lamp(a, fresh, old, a->prm.arg))
		actor_differs(a, s->line, "the lamp cannot be sent");
	return true;
}

static bool quiet(struct actor *a, const struct talk_step *s)
{
	char first[200];
	if (a->n_queue && !a->lenient) {
		msg_first_line(&a->queue[0], first, sizeof(first));
		actor_misses(a, s->line, "nothing", first);
	}
	return a->now_ms - a->step_ms >= s->ms;
}

/* A held call: what was on its way in the first 60 ms does not count. */
static bool silence(struct actor *a, const struct talk_step *s)
{
	int64_t since = a->now_ms - a->step_ms;
	if (actor_hears_audio(a) && since > 60 && !a->lenient)
		actor_misses(a, s->line, "silence", "audio");
	return since >= s->ms;
}

static bool keys(struct actor *a, const struct talk_step *s)
{
	struct buf b;
	buf_init(&b, 100);
	actor_expand(a, s->what, &b);
	bool done = actor_presses(a, buf_cstr(&b));
	buf_free(&b);
	return done;
}

/* true: the next one. */
static bool run(struct actor *a, const struct talk_step *s)
{
	if (s->act != TALK_HEAR)
		actor_answer_by_rule(a);
	if (a->later && a->prm.astray.kind == ASTRAY_LATE) { /* what was said late comes before the rest all the same */
		a->step_ms = a->now_ms;
		return false;
	}
	switch (s->act) {
	case TALK_SEND:
		actor_say_step(a, s);
		return true;
	case TALK_HEAR:
		return actor_hear_step(a, s);
	case TALK_WAIT:
		return a->now_ms - a->step_ms >= s->ms;
	case TALK_SPEAK:
		return actor_speaks(a, a->step_ms, s->ms);
	case TALK_KEYS:
		return keys(a, s);
	case TALK_LAMP:
		return lamp(a, s);
	case TALK_QUIET:
		return quiet(a, s);
	case TALK_AUDIO:
		if (actor_hears_audio(a))
			return true;
		if (a->now_ms - a->step_ms < 3000)
			return false;
		if (!a->lenient)
			actor_misses(a, s->line, "audio", "none for 3 s");
		return true;
	case TALK_SILENCE:
		return silence(a, s);
	case TALK_CLOSE:
		wire_cut(a->wire);
		return true;
	case TALK_LEFT:
		return true; /* at the end of all */
	}
	return true;
}

/* The scene is over: what still comes is answered, or not. */
static void afterwards(struct actor *a)
{
	bool rude = a->prm.astray.kind && a->lenient && !a->prm.astray.polite;
	while (a->n_queue) {
		const struct msg *m = &a->queue[0];
		if (!m->status && strcmp(m->method, "ACK") != 0 && !rude) {
			bool ok = !strcmp(m->method, "BYE") || !strcmp(m->method, "OPTIONS") || !strcmp(m->method, "CANCEL");
			if (!strcmp(m->method, "INVITE") && !m->to_tag[0])
				actor_answer_plain(a, m, 486, "Busy Here");
			else
				actor_answer_plain(a, m, ok ? 200 : 481, ok ? "OK" : "Call/Transaction Does Not Exist");
		}
		actor_queue_drop(a, 0);
	}
}

void actor_tick(struct actor *a, int64_t now_ms)
{
	a->now_ms = now_ms;
	if (now_ms < a->prm.begins_ms)
		return;
	if (a->later && now_ms >= a->later_ms)
		actor_say_later(a);
	actor_repeat(a);
	for (const struct talk_step *s; (s = actor_step(a)) && !a->silent;) {
		if (!a->step_ms)
			a->step_ms = now_ms;
		if (!run(a, s))
			break;
		a->step++;
		a->step_ms = 0;
	}
	if (a->silent || a->step >= a->prm.scene->n)
		a->done = true;
	if (a->done)
		afterwards(a);
	else
		actor_sound_idle(a);
}
