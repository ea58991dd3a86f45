/* SPDX-License-Identifier: Apache-2.0 */
/* actor_say.c  What a scripted peer says: the lines of its scene with its variables filled in. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "replayed/actor_private.h"
#include "support/ut.h"

/* ---- variables ---- */
static void put_host_port(struct buf *b, const char *host, unsigned port)
{
	buf_printf(b, "%s:%u", host, port);
}

static void umbel(struct actor *a, struct buf *b, bool with_port)
{
	char host[64];
	(void)inet_ntop(AF_INET, &a->umbel.sin_addr, host, sizeof(host));
	if (with_port)
		put_host_port(b, host, ntohs(a->umbel.sin_port));
	else
		buf_str(b, host);
}

static void heard(struct actor *a, const char *name, struct buf *b)
{
	char v[1200];
	if (a->asked.text && msg_header(&a->asked, name, 0, v, sizeof(v)))
		buf_str(b, v);
}

/* Its To, with our tag where it has none. */
static void answer_to(struct actor *a, struct buf *b)
{
	heard(a, "To", b);
	if (a->asked.text && !a->asked.to_tag[0])
		buf_printf(b, ";tag=%s", a->tag);
}

/* Within the call that Umbel began: "From" is ours, "To" theirs. */
static void called(struct actor *a, const char *name, struct buf *b)
{
	char v[1200];
	const char *of = !strcmp(name, "From") ? "To" : !strcmp(name, "To") ? "From" : !strcmp(name, "target") ? "Contact" : name;
	if (!a->called.text || !msg_header(&a->called, of, 0, v, sizeof(v)))
		return;
	const char *uri = strchr(v, '<');
	if (!strcmp(name, "target") && uri)
		buf_printf(b, "%.*s", (int)strcspn(uri + 1, ">"), uri + 1);
	else
		buf_str(b, v);
	if (!strcmp(name, "From"))
		buf_printf(b, ";tag=%s", a->tag);
}

bool actor_name_or_number(struct actor *a, const char *name, struct buf *b)
{
	unsigned n = a->prm.number;
	if (!strcmp(name, "mailbox"))
		buf_printf(b, "2%04u", n);
	else if (!strcmp(name, "other"))
		buf_printf(b, "3%04u", n);
	else if (!strcmp(name, "attendant"))
		buf_printf(b, "4%04u", n);
	else if (!strcmp(name, "n"))
		buf_printf(b, "%u", n);
	else if (!strcmp(name, "name"))
		buf_printf(b, "p%u.test", n);
	else if (!strcmp(name, "transport"))
		buf_str(b, a->prm.scene->transport);
	else if (!strcmp(name, "TRANSPORT"))
		for (const char *p = a->prm.scene->transport; *p; p++)
			buf_char(b, (char)(*p - 32));
	else
		return false;
	return true;
}

static bool of_the_dialog(struct actor *a, const char *name, struct buf *b)
{
	if (!strcmp(name, "call-id"))
		buf_str(b, a->call_id);
	else if (!strcmp(name, "tag"))
		buf_str(b, a->tag);
	else if (!strcmp(name, "their-tag"))
		buf_str(b, a->their_tag[0] ? a->their_tag : "none");
	else if (!strcmp(name, "target"))
		buf_str(b, a->target[0] ? a->target : "sip:nobody@127.0.0.1");
	else if (!strcmp(name, "branch"))
		buf_str(b, a->branch);
	else if (!strcmp(name, "branch INVITE"))
		buf_str(b, a->invite_branch);
	else if (!strcmp(name, "cseq"))
		buf_printf(b, "%u", a->cseq);
	else if (!strcmp(name, "cseq INVITE"))
		buf_printf(b, "%u", a->invite_cseq);
	else
		return false;
	return true;
}

static void variable(struct actor *a, const char *name, struct buf *b)
{
	if (actor_name_or_number(a, name, b) || of_the_dialog(a, name, b))
		return;
	if (!strcmp(name, "umbel"))
		umbel(a, b, true);
	else if (!strcmp(name, "umbel-host"))
		umbel(a, b, false);
	else if (!strcmp(name, "me"))
		put_host_port(b, a->prm.host, wire_port(a->wire));
	else if (!strcmp(name, "me-host"))
		buf_str(b, a->prm.host);
	else if (!strcmp(name, "me-port"))
		buf_printf(b, "%u", wire_port(a->wire));
	else if (!strcmp(name, "rtp"))
		buf_printf(b, "%u", a->rtp_port);
	else if (!strcmp(name, "answer To"))
		answer_to(a, b);
	else if (!strcmp(name, "answer To of another")) {
		heard(a, "To", b);
		buf_printf(b, ";tag=%sfork", a->tag);
	} else if (!strncmp(name, "called ", 7))
		called(a, name + 7, b);
	else if (!strncmp(name, "heard ", 6))
		heard(a, name + 6, b);
	else
		fail_msg("%s: scene '%s': no variable {%s}", a->prm.talk->path, a->prm.scene->name, name);
}

void actor_expand(struct actor *a, const char *line, struct buf *out)
{
	char name[64];
	while (*line) {
		size_t plain = strcspn(line, "{");
		buf_put(out, line, plain);
		line += plain;
		const char *end = *line ? strchr(line, '}') : NULL;
		if (!end)
			break;
		snprintf(name, sizeof(name), "%.*s", (int)(end - line - 1), line + 1);
		if (!strcmp(name, "length"))
			buf_str(out, "{length}"); /* when the body is known */
		else
			variable(a, name, out);
		line = end + 1;
	}
	buf_str(out, line);
}

/* ---- messages ---- */
static void put_lines(struct actor *a, const struct talk_lines *l, struct buf *out, bool *body)
{
	for (unsigned i = 0; i < l->n; i++) {
		*body |= !*l->v[i];
		actor_expand(a, l->v[i], out);
		buf_str(out, "\r\n");
	}
}

/* With its length filled in. The text is the caller's. */
static char *finish(struct buf *b, size_t *n)
{
	struct buf out;
	char *whole = (char *)buf_take(b, n), *hole = strstr(whole, "{length}"), *end = strstr(whole, "\r\n\r\n");
	if (!hole || !end || hole > end) {
		buf_free(b);
		return whole;
	}
	buf_init(&out, 1 << 17);
	buf_put(&out, whole, (size_t)(hole - whole));
	buf_printf(&out, "%zu", *n - (size_t)(end + 4 - whole));
	buf_put(&out, hole + 8, *n - (size_t)(hole + 8 - whole));
	mem_free(whole);
	buf_char(&out, '\0');
	whole = (char *)buf_take(&out, n);
	(*n)--;
	return whole;
}

static char *take(struct buf *b, bool body, size_t *n)
{
	if (!body)
		buf_str(b, "\r\n");
	buf_char(b, '\0');
	b->n--;
	return finish(b, n);
}

static char *render(struct actor *a, const struct talk_lines *l, size_t *n)
{
	struct buf b;
	bool body = false;
	buf_init(&b, 1 << 17);
	put_lines(a, l, &b, &body);
	return take(&b, body, n);
}

static void new_branch(struct actor *a)
{
	snprintf(a->branch, sizeof(a->branch), "z9hG4bK%ux%u", a->prm.number, ++a->branches);
}

void actor_keep(struct actor *a, const struct msg *m)
{
	struct kept *k = NULL;
	bool ack = !m->status && !strcmp(m->method, "ACK");
	if (ack)
		k = &a->ack;
	else if (a->n_kept < KEPT)
		k = &a->kept[a->n_kept++];
	else {
		mem_free(a->kept[0].text);
		memmove(a->kept, a->kept + 1, (KEPT - 1) * sizeof(*k));
		k = &a->kept[KEPT - 1];
	}
	if (ack)
		mem_free(k->text);
	*k = (struct kept){ .text = mem_strndup(m->text, m->n), .n = m->n, .status = m->status, .conn = m->conn };
	snprintf(k->method, sizeof(k->method), "%s", m->method);
	snprintf(k->branch, sizeof(k->branch), "%s", m->branch);
	bool again = !m->status || (m->status >= 200 && m->status < 300 && !strcmp(m->method, "INVITE"));
	if (!ack && again && (!strcmp(a->prm.scene->transport, "udp") || m->status)) {
		k->pause_ms = 500;
		k->next_ms = a->now_ms + 500;
	}
}

void actor_raw(struct actor *a, int conn, const char *p, size_t n, int must, bool excused)
{
	struct msg m;
	if (a->silent)
		return;
	actor_note(a, true, p, n);
	wire_send(a->wire, conn, p, n);
	if (msg_read(&m, mem_strndup(p, n), n)) {
		m.conn = conn;
		referee_said(&a->ref, &m, must, excused);
		actor_keep(a, &m);
	}
	mem_free(m.text);
}

/* ---- a step ---- */
void actor_say_step(struct actor *a, const struct talk_step *s)
{
	const struct astray *astray = &a->prm.astray;
	bool answer = step_is_answer(s), ack = step_is_method(s, "ACK"), invite = step_is_method(s, "INVITE");
	bool now = astray->kind && astray->step == a->sends++;
	int conn = answer ? a->asked.conn : WIRE_OURS;
	size_t n;
	if (!answer && !step_is_method(s, "CANCEL")) {
		new_branch(a);
		a->cseq += !ack;
	}
	if (invite) {
		snprintf(a->invite_branch, sizeof(a->invite_branch), "%s", a->branch);
		a->invite_cseq = a->cseq;
	}
	char *text = render(a, &s->lines, &n);
	if (now) {
		a->lenient = !astray_strict(s, astray->kind);
		actor_say_astray(a, text, n, conn);
	} else {
		actor_raw(a, conn, text, n, 0, a->lenient && astray->kind == ASTRAY_CUT);
		if (a->later && astray->kind == ASTRAY_REORDERED)
			actor_say_later(a);
	}
	a->up |= ack && a->answered;
	mem_free(text);
}

/* ---- answers beside the scene ---- */
void actor_answer_rule(struct actor *a, const struct talk_rule *r, const struct msg *m)
{
	struct msg before = a->asked;
	size_t n;
	a->asked = *m;
	char *text = render(a, &r->lines, &n);
	actor_raw(a, m->conn, text, n, 0, false);
	mem_free(text);
	a->asked = before;
}

void actor_answer_plain(struct actor *a, const struct msg *m, int status, const char *phrase)
{
	static char *lines[] = { (char *)"", (char *)"Via: {heard Via}", (char *)"From: {heard From}", (char *)"To: {answer To}",
		                 (char *)"Call-ID: {heard Call-ID}", (char *)"CSeq: {heard CSeq}", (char *)"Content-Length: 0" };
	char first[80];
	struct talk_rule r = { .lines = { lines, sizeof(lines) / sizeof(*lines) } };
	snprintf(first, sizeof(first), "SIP/2.0 %d %s", status, phrase);
	lines[0] = first;
	actor_answer_rule(a, &r, m);
}
