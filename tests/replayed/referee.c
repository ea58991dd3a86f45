/* SPDX-License-Identifier: Apache-2.0 */
/* referee.c  See referee.h. */
#include "replayed/referee.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "replayed/sdp_rules.h"

/* ---- messages ---- */
bool msg_header(const struct msg *m, const char *name, unsigned i, char *dst, size_t size)
{
	size_t n = strlen(name);
	const char *end = strstr(m->text, "\r\n\r\n");
	for (const char *p = strstr(m->text, "\r\n"); p && p < end; p = strstr(p + 2, "\r\n")) {
		if (strncasecmp(p + 2, name, n) != 0 || p[2 + n] != ':')
			continue;
		if (i--)
			continue;
		const char *v = p + 3 + n;
		v += strspn(v, " \t");
		snprintf(dst, size, "%.*s", (int)strcspn(v, "\r\n"), v);
		return true;
	}
	return false;
}

const char *msg_body(const struct msg *m)
{
	const char *end = strstr(m->text, "\r\n\r\n");
	return end ? end + 4 : "";
}

void msg_first_line(const struct msg *m, char *dst, size_t size)
{
	snprintf(dst, size, "%.*s", (int)strcspn(m->text, "\r\n"), m->text);
}

static void param(const char *value, const char *name, char *dst, size_t size)
{
	const char *p = strcasestr(value, name);
	*dst = '\0';
	if (p)
		snprintf(dst, size, "%.*s", (int)strcspn(p + strlen(name), ";>, \t\r\n"), p + strlen(name));
}

bool msg_read(struct msg *m, char *text, size_t n)
{
	char v[1024], *rest;
	*m = (struct msg){ .text = text, .n = n, .print = 14695981039346656037ULL };
	for (size_t i = 0; i < n; i++)
		m->print = (m->print ^ (uint8_t)text[i]) * 1099511628211ULL;
	if (!strstr(text, "\r\n\r\n") || !msg_header(m, "CSeq", 0, v, sizeof(v)))
		return false;
	m->cseq = (unsigned)strtoul(v, &rest, 10);
	snprintf(m->method, sizeof(m->method), "%s", rest + strspn(rest, " "));
	if (!strncmp(text, "SIP/2.0 ", 8))
		m->status = atoi(text + 8);
	(void)(msg_header(m, "Call-ID", 0, m->call_id, sizeof(m->call_id)) || (m->call_id[0] = '\0'));
	if (msg_header(m, "Via", 0, v, sizeof(v)))
		param(v, ";branch=", m->branch, sizeof(m->branch));
	if (msg_header(m, "From", 0, v, sizeof(v)))
		param(v, ";tag=", m->from_tag, sizeof(m->from_tag));
	if (msg_header(m, "To", 0, v, sizeof(v)))
		param(v, ";tag=", m->to_tag, sizeof(m->to_tag));
	return true;
}

/* ---- rules ---- */
static void fault(struct referee *r, const struct msg *m, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void fault(struct referee *r, const struct msg *m, const char *fmt, ...)
{
	char first[160] = "";
	va_list ap;
	if (r->fault[0])
		return;
	if (m)
		msg_first_line(m, first, sizeof(first));
	va_start(ap, fmt);
	vsnprintf(r->fault, sizeof(r->fault), fmt, ap);
	va_end(ap);
	size_t n = strlen(r->fault);
	if (m)
		snprintf(r->fault + n, sizeof(r->fault) - n, " (%s)", first);
}

static struct ref_dialog *dialog_of(struct referee *r, const struct msg *m)
{
	for (unsigned i = 0; i < r->n_dialogs; i++)
		if (!strcmp(r->dialog[i].call_id, m->call_id))
			return &r->dialog[i];
	if (r->n_dialogs == REF_DIALOGS)
		return NULL;
	struct ref_dialog *d = &r->dialog[r->n_dialogs++];
	snprintf(d->call_id, sizeof(d->call_id), "%s", m->call_id);
	return d;
}

/* What we offer is remembered until it is answered. */
static void offered(struct referee *r, const struct msg *m)
{
	const char *sdp = sdp_in(msg_body(m));
	struct ref_dialog *d = dialog_of(r, m);
	if (!d || m->status || (strcmp(m->method, "INVITE") != 0 && strcmp(m->method, "UPDATE") != 0))
		return;
	d->offered = sdp ? m->cseq : 0;
	snprintf(d->offer, sizeof(d->offer), "%s", sdp ? sdp : "");
}

static void described(struct referee *r, const struct msg *m, bool lenient)
{
	const char *sdp = sdp_in(msg_body(m)), *wrong;
	struct ref_dialog *d = dialog_of(r, m);
	if (!sdp || !d)
		return;
	if ((wrong = sdp_form(sdp)))
		fault(r, m, "%s", wrong);
	bool answers = m->status && d->offered == m->cseq;
	if (!lenient && answers && (wrong = sdp_answers(d->offer, sdp)))
		fault(r, m, "%s", wrong);
	const char *tag = m->status ? m->to_tag : m->from_tag;
	if (d->own[0] && !strcmp(d->own_tag, tag) && (wrong = sdp_follows(d->own, sdp)))
		fault(r, m, "%s", wrong);
	snprintf(d->own_tag, sizeof(d->own_tag), "%s", tag);
	snprintf(d->own, sizeof(d->own), "%s", sdp);
}

void referee_said(struct referee *r, const struct msg *m, int must, bool excused)
{
	if (m->status || !strcmp(m->method, "ACK"))
		return;
	offered(r, m);
	for (unsigned i = 0; i < r->n_asked; i++) /* said again */
		if (!strcmp(r->asked[i].branch, m->branch) && !strcmp(r->asked[i].method, m->method))
			return;
	if (r->n_asked == REF_ASKED) {
		fault(r, m, "the referee's book is full");
		return;
	}
	struct ref_asked *a = &r->asked[r->n_asked++];
	*a = (struct ref_asked){ .cseq = m->cseq, .must = must, .excused = excused };
	snprintf(a->method, sizeof(a->method), "%s", m->method);
	snprintf(a->branch, sizeof(a->branch), "%s", m->branch);
}

static void answer(struct referee *r, const struct msg *m)
{
	struct ref_asked *a = NULL;
	for (unsigned i = 0; i < r->n_asked; i++)
		if (!strcmp(r->asked[i].branch, m->branch) && !strcmp(r->asked[i].method, m->method))
			a = &r->asked[i];
	if (!a) {
		fault(r, m, "an answer to nothing that was asked: %s %s", m->method, m->branch);
		return;
	}
	if (a->cseq != m->cseq)
		fault(r, m, "the answer to CSeq %u says %u", a->cseq, m->cseq);
	if (m->status > 100 && !m->to_tag[0])
		fault(r, m, "an answer without To tag");
	if (m->status < 200)
		return;
	if (a->final && a->final != m->status)
		fault(r, m, "one request got two final answers: %d and %d", a->final, m->status);
	if (!a->final && a->must && a->must != m->status && a->must != m->status / 100)
		fault(r, m, "%s should get %d%s", a->method, a->must, a->must == REF_4XX ? "xx" : "");
	a->final = m->status;
}

/* RFC 3261 8.1.1, 12.2.1.1. */
static void request(struct referee *r, const struct msg *m, bool lenient)
{
	static const char *const must[] = { "Via", "From", "To", "Call-ID", "Max-Forwards", "Content-Length" };
	char v[1024];
	for (unsigned i = 0; i < sizeof(must) / sizeof(*must); i++)
		if (!msg_header(m, must[i], 0, v, sizeof(v)))
			fault(r, m, "a request without %s", must[i]);
	if (strncmp(m->branch, "z9hG4bK", 7) != 0)
		fault(r, m, "a branch without its cookie: %s", m->branch);
	if (!m->from_tag[0])
		fault(r, m, "a request without From tag");
	bool target = !strcmp(m->method, "INVITE") || !strcmp(m->method, "REFER") || !strcmp(m->method, "UPDATE") || !strcmp(m->method, "SUBSCRIBE");
	if (target && !msg_header(m, "Contact", 0, v, sizeof(v)))
		fault(r, m, "%s without Contact", m->method);
	struct ref_dialog *d = dialog_of(r, m);
	if (!d || !strcmp(m->method, "ACK") || !strcmp(m->method, "CANCEL"))
		return;
	if (d->ended && m->to_tag[0] && !lenient && strcmp(m->method, "BYE") != 0)
		fault(r, m, "a request in a dialog that was ended");
	/* The same one may be tried on another way (RFC 3261 8.1.2, 3263 4.3). */
	if (d->cseq && (m->cseq < d->cseq || (m->cseq == d->cseq && strcmp(d->method, m->method) != 0)))
		fault(r, m, "CSeq %u after %u", m->cseq, d->cseq);
	d->cseq = m->cseq;
	snprintf(d->method, sizeof(d->method), "%s", m->method);
	d->ended |= !strcmp(m->method, "BYE");
}

void referee_heard(struct referee *r, const struct msg *m, bool lenient)
{
	char v[64];
	if (m->status)
		answer(r, m);
	else
		request(r, m, lenient);
	if (!msg_header(m, "Content-Length", 0, v, sizeof(v)) || strtoul(v, NULL, 10) != strlen(msg_body(m)))
		fault(r, m, "Content-Length is not the body's");
	described(r, m, lenient);
	if (*msg_body(m) && !msg_header(m, "Content-Type", 0, v, sizeof(v)))
		fault(r, m, "a body without Content-Type");
}

void referee_excuse_all(struct referee *r)
{
	for (unsigned i = 0; i < r->n_asked; i++)
		r->asked[i].excused = true;
}

void referee_close(struct referee *r)
{
	for (unsigned i = 0; i < r->n_asked; i++)
		if (!r->asked[i].final && !r->asked[i].excused)
			fault(r, NULL, "%s (CSeq %u) never got a final answer", r->asked[i].method, r->asked[i].cseq);
}
