/* SPDX-License-Identifier: Apache-2.0 */
/* actor_hear.c  What a scripted peer hears: repeated messages are answered as before, the rest is learned from, compared with what the product and
 * the scene want, and waits for the step that names it.                                                                */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "replayed/actor_private.h"

enum { GIVE_UP_MS = 8000 };

/* ---- what a message must hold ---- */
static bool like(const char *glob, const char *s)
{
	for (; *glob; glob++, s++) {
		if (*glob == '*') {
			for (; !like(glob + 1, s); s++)
				if (!*s)
					return false;
			return true;
		}
		if (*glob != *s)
			return false;
	}
	return !*s;
}

static bool body_has(const struct msg *m, const char *glob)
{
	char line[600];
	for (const char *p = msg_body(m); *p; p += strspn(p, "\r\n")) {
		size_t n = strcspn(p, "\r\n");
		snprintf(line, sizeof(line), "%.*s", (int)n, p);
		if (like(glob, line))
			return true;
		p += n;
	}
	return false;
}

static bool header_like(const struct msg *m, const char *name, const char *glob, char *found, size_t size)
{
	char v[1200];
	*found = '\0';
	for (unsigned i = 0; msg_header(m, name, i, v, sizeof(v)); i++) {
		if (like(glob, v))
			return true;
		snprintf(found, size, "%s", v);
	}
	return false;
}

/* One line of "hear" or "accepts": "Header: glob", "no Header", "body glob", "no body glob", "line glob". */
static bool holds(struct actor *a, const struct msg *m, const char *wanted, unsigned at)
{
	char found[1200] = "";
	bool no = !strncmp(wanted, "no ", 3), ok;
	const char *w = no ? wanted + 3 : wanted, *colon = strchr(w, ':');
	if (!strncmp(w, "body ", 5)) {
		ok = body_has(m, w + 5) != no;
	} else if (!strncmp(w, "line ", 5)) {
		msg_first_line(m, found, sizeof(found));
		ok = like(w + 5, found) != no;
	} else {
		char name[64];
		snprintf(name, sizeof(name), "%.*s", colon ? (int)(colon - w) : (int)strlen(w), w);
		const char *glob = colon ? colon + 1 + strspn(colon + 1, " ") : "*";
		ok = header_like(m, name, glob, found, sizeof(found)) != no;
	}
	if (!ok)
		actor_differs(a, at, "wanted: %s\n    heard:  %s", wanted, *found ? found : no ? "(it is there)" : "(it is not there)");
	return ok;
}

static void compare(struct actor *a, const struct msg *m, const struct talk_lines *l, unsigned at)
{
	struct buf b;
	for (unsigned i = 0; i < l->n; i++) {
		buf_init(&b, 4096);
		actor_expand(a, l->v[i], &b);
		bool ok = !*l->v[i] || holds(a, m, buf_cstr(&b), at);
		buf_free(&b);
		if (!ok)
			return;
	}
}

/* ---- learning ---- */
static void learn(struct actor *a, const struct msg *m)
{
	char v[400];
	if (!strcmp(m->call_id, a->call_id)) {
		bool begun = m->status > 100 && !strcmp(m->method, "INVITE") && m->cseq == a->invite_cseq;
		if (begun && m->to_tag[0] && !a->up)
			snprintf(a->their_tag, sizeof(a->their_tag), "%s", m->to_tag);
		a->answered |= begun && m->status >= 200 && m->status < 300;
		const char *c = msg_header(m, "Contact", 0, v, sizeof(v)) ? strchr(v, '<') : NULL;
		if (c && m->status < 300)
			snprintf(a->target, sizeof(a->target), "%.*s", (int)strcspn(c + 1, ">"), c + 1);
	}
	if (*msg_body(m) && m->status < 300)
		actor_sound_learn(a, m);
}

/* What of ours needs not be said again after this. */
static void settled(struct actor *a, const struct msg *m)
{
	for (unsigned i = 0; i < a->n_kept; i++) {
		struct kept *k = &a->kept[i];
		bool asked = m->status && !k->status && !strcmp(k->branch, m->branch) && !strcmp(k->method, m->method);
		bool acked = !m->status && !strcmp(m->method, "ACK") && k->status;
		if ((asked && (m->status >= 200 || !strcmp(k->method, "INVITE"))) || acked)
			k->pause_ms = 0;
	}
}

/* RFC 3261 17.1.1.2, 13.3.1.4: twice as long each time, 64*T1 in all. */
void actor_repeat(struct actor *a)
{
	for (unsigned i = 0; i < a->n_kept; i++) {
		struct kept *k = &a->kept[i];
		if (!k->pause_ms || a->now_ms < k->next_ms || a->silent)
			continue;
		k->pause_ms *= 2;
		if (k->pause_ms > 32000) {
			k->pause_ms = 0;
			continue;
		}
		k->next_ms = a->now_ms + k->pause_ms;
		actor_note(a, true, k->text, k->n);
		wire_send(a->wire, k->conn, k->text, k->n);
	}
}

static void heard_again(struct actor *a, const struct msg *m)
{
	if (a->silent)
		return;
	if (m->status) {
		if (!strcmp(m->method, "INVITE") && m->status >= 200 && a->ack.text && m->cseq == a->invite_cseq)
			wire_send(a->wire, WIRE_OURS, a->ack.text, a->ack.n);
		return;
	}
	for (unsigned i = a->n_kept; i-- > 0;) {
		struct kept *k = &a->kept[i];
		if (k->status && !strcmp(k->branch, m->branch) && !strcmp(k->method, m->method)) {
			wire_send(a->wire, m->conn, k->text, k->n);
			return;
		}
	}
}

/* ---- taking in ---- */
static bool repeated(struct actor *a, const struct msg *m)
{
	for (unsigned i = 0; i < a->n_seen && i < SEEN; i++)
		if (a->seen[i] == m->print)
			return true;
	a->seen[a->n_seen++ % SEEN] = m->print;
	return false;
}

static bool beside_the_scene(struct actor *a, const struct msg *m)
{
	for (unsigned i = 0; m->status && i < a->n_extra; i++) {
		struct extra *x = &a->extra[i];
		if (strcmp(x->branch, m->branch) != 0 || strcmp(x->method, m->method) != 0)
			continue;
		char v[40];
		if (m->status == 500 && a->prm.astray.kind == ASTRAY_OVERLAP && !msg_header(m, "Retry-After", 0, v, sizeof(v)))
			actor_differs(a, 0, "the 500 to a re-INVITE that overlaps another one has no Retry-After (RFC 3261 14.2)");
		if (m->status >= 200 && !strcmp(x->method, "INVITE"))
			actor_ack_extra(a, x, m);
		x->done |= m->status >= 200;
		return true;
	}
	if (m->status || !a->until_cancel || strcmp(m->method, "CANCEL") != 0)
		return false;
	actor_answer_plain(a, m, 200, "OK");
	actor_say_later(a); /* the 200 to the INVITE, although it was cancelled */
	return true;
}

/* What becomes of an INVITE that was cancelled: the 487 is acknowledged; an answer that came first is taken, and hung up. */
static bool cancelled(struct actor *a, const struct msg *m)
{
	if (a->prm.astray.kind != ASTRAY_CANCELLED || !a->lenient || !m->status || m->status < 200 || strcmp(m->branch, a->invite_branch) != 0 ||
	    strcmp(m->method, "INVITE") != 0)
		return false;
	struct extra x = { .cseq = a->invite_cseq };
	snprintf(x.branch, sizeof(x.branch), "%s", a->invite_branch);
	actor_ack_extra(a, &x, m);
	if (m->status < 300)
		actor_bye(a);
	actor_over(a);
	return true;
}

/* RFC 3261 13.2.2.4: each 200 gets an ACK, so two of them may come. */
static bool acked_again(struct actor *a, const struct msg *m)
{
	char which[240];
	if (m->status || strcmp(m->method, "ACK") != 0)
		return false;
	snprintf(which, sizeof(which), "%u %s", m->cseq, m->call_id);
	bool again = !strcmp(which, a->acked);
	snprintf(a->acked, sizeof(a->acked), "%s", which);
	return again;
}

static void take_in(struct actor *a, char *text, size_t n, int conn)
{
	const struct talk_step *s = actor_step(a);
	struct msg m;
	if (!msg_read(&m, text, n)) {
		actor_differs(a, 0, "that is no message:\n%s", text);
		mem_free(text);
		return;
	}
	m.conn = conn;
	if (repeated(a, &m)) {
		heard_again(a, &m);
		mem_free(text);
		return;
	}
	actor_note(a, false, text, n);
	referee_heard(&a->ref, &m, a->lenient);
	settled(a, &m);
	for (unsigned i = 0; !a->lenient && i < a->prm.talk->n_accepts; i++)
		if (talk_is(a->prm.talk->accepts[i].what, m.method, m.status))
			compare(a, &m, &a->prm.talk->accepts[i].lines, 0);
	bool trying = m.status == 100 && !(s && s->act == TALK_HEAR && talk_is(s->what, m.method, 100));
	if (trying || a->silent || acked_again(a, &m) || beside_the_scene(a, &m) || a->n_queue == QUEUE) {
		mem_free(text);
		return;
	}
	learn(a, &m);
	if (cancelled(a, &m)) {
		mem_free(text);
		return;
	}
	a->queue[a->n_queue++] = m;
}

void actor_hear_all(struct actor *a)
{
	for (unsigned i = 0; i < a->inbox.count; i++)
		take_in(a, a->inbox.text[i], a->inbox.n[i], a->inbox.conn[i]);
	a->inbox.count = 0;
}

/* ---- the queue ---- */
void actor_queue_drop(struct actor *a, unsigned i)
{
	mem_free(a->queue[i].text);
	a->n_queue--;
	memmove(&a->queue[i], &a->queue[i + 1], (a->n_queue - i) * sizeof(a->queue[0]));
}

/* A request that the product always answers alike, and that this step does not wait for. */
static bool by_rule(struct actor *a, const struct talk_step *s, unsigned i)
{
	const struct msg *m = &a->queue[i];
	for (unsigned k = 0; !m->status && k < a->prm.talk->n_when; k++) {
		const struct talk_rule *r = &a->prm.talk->when[k];
		if (strcmp(r->what, m->method) != 0 || (s && s->act == TALK_HEAR && talk_is(s->what, m->method, 0)))
			continue;
		actor_answer_rule(a, r, m);
		actor_queue_drop(a, i);
		return true;
	}
	return false;
}

void actor_answer_by_rule(struct actor *a)
{
	for (unsigned i = 0; i < a->n_queue;)
		i += !by_rule(a, NULL, i);
}

static void matched(struct actor *a, const struct talk_step *s, unsigned i)
{
	struct msg *m = &a->queue[i];
	if (!a->lenient)
		compare(a, m, &s->lines, s->line);
	if (m->status) {
		actor_queue_drop(a, i);
		return;
	}
	if (!strcmp(m->method, "INVITE") && !m->to_tag[0]) {
		mem_free(a->called.text);
		a->called = *m;
		a->called.text = mem_strndup(m->text, m->n);
	}
	mem_free(a->asked.text);
	a->asked = *m;
	m->text = NULL;
	actor_queue_drop(a, i);
}

static void unexpected(struct actor *a, const struct talk_step *s, unsigned i)
{
	char first[200], heard[260];
	if (a->lenient) {
		const struct msg *m = &a->queue[i];
		if (m->status >= 300 && !strcmp(m->method, "INVITE") && !strcmp(m->branch, a->invite_branch)) {
			struct extra x = { .cseq = a->invite_cseq };
			snprintf(x.branch, sizeof(x.branch), "%s", a->invite_branch);
			actor_ack_extra(a, &x, m);
		}
	} else {
		msg_first_line(&a->queue[i], first, sizeof(first));
		snprintf(heard, sizeof(heard), "%s (%s)", first, a->queue[i].method);
		actor_misses(a, s->line, s->what, heard);
	}
	actor_queue_drop(a, i);
}

/* Which of those that wait is meant: in one call on one connection the order counts. */
static bool found(struct actor *a, const struct talk_step *s, unsigned *which)
{
	for (unsigned i = 0; i < a->n_queue; i++) {
		bool first = true;
		for (unsigned k = 0; k < i; k++)
			first &= strcmp(a->queue[k].call_id, a->queue[i].call_id) != 0 || a->queue[k].conn != a->queue[i].conn;
		*which = i;
		if ((first || a->lenient || a->prm.lossy) && talk_is(s->what, a->queue[i].method, a->queue[i].status))
			return true;
	}
	return false;
}

bool actor_hear_step(struct actor *a, const struct talk_step *s)
{
	int64_t waited = a->now_ms - a->step_ms;
	unsigned which;
	for (unsigned i = 0; i < a->n_queue;)
		i += !by_rule(a, s, i);
	if (found(a, s, &which)) {
		matched(a, s, which);
		return true;
	}
	if (s->may && a->n_queue)
		return true;
	if (a->lenient ? waited < GIVE_UP_MS : waited < s->ms)
		return false;
	if (a->n_queue && !s->may)
		unexpected(a, s, 0);
	else if (!a->lenient && !s->may)
		actor_misses(a, s->line, s->what, "nothing in that time");
	if (a->lenient && a->prm.astray.gives_up)
		actor_over(a);
	return true;
}
