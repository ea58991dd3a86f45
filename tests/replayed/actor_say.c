/* SPDX-License-Identifier: Apache-2.0 */
/* actor_say.c  What a scripted peer says: the lines of its scene with its variables filled in, and what is done wrong on purpose. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "replayed/actor_private.h"
#include "support/ut.h"

static const char *const names[] = { "as written",
#define X(id, name) name,
	ASTRAY_KINDS(X)
#undef X
};

const char *astray_name(enum astray_kind k)
{
	return names[k];
}

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

static bool names_and_numbers(struct actor *a, const char *name, struct buf *b)
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
	if (names_and_numbers(a, name, b) || of_the_dialog(a, name, b))
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

/* ---- done wrong on purpose ---- */
static bool is_answer(const struct talk_step *s)
{
	return !strncmp(s->lines.v[0], "SIP/2.0 ", 8);
}

static bool has(const struct talk_step *s, const char *what)
{
	for (unsigned i = 0; i < s->lines.n; i++)
		if (strstr(s->lines.v[i], what))
			return true;
	return false;
}

static bool method_is(const struct talk_step *s, const char *method)
{
	size_t n = strlen(method);
	return !strncmp(s->lines.v[0], method, n) && s->lines.v[0][n] == ' ';
}

bool astray_applies(const struct talk_step *s, enum astray_kind k, const char *transport)
{
	bool answer = is_answer(s), final = answer && s->lines.v[0][8] >= '2', within = !answer && has(s, "{their-tag}"), ack = method_is(s, "ACK");
	switch (k) {
	case ASTRAY_WRONG_TAG:
	case ASTRAY_NO_TO_TAG:
		return answer || within;
	case ASTRAY_WRONG_CSEQ:
		return answer || (within && !ack);
	case ASTRAY_GLARE:
	case ASTRAY_STORM:
	case ASTRAY_NO_FINAL:
	case ASTRAY_ANSWERED_LATE:
		return final;
	case ASTRAY_CANCELLED:
		return method_is(s, "INVITE");
	case ASTRAY_OVERLAP:
		return ack && within;
	case ASTRAY_CUT:
	case ASTRAY_GONE:
		return strcmp(transport, "udp") != 0;
	default:
		return true;
	}
}

bool astray_strict(const struct talk_step *s, enum astray_kind k)
{
	bool answer = is_answer(s);
	switch (k) {
	case ASTRAY_NOT:
	case ASTRAY_DOUBLED:
	case ASTRAY_WRONG_CSEQ:
	case ASTRAY_STORM:
	case ASTRAY_OVERLAP:
		return true;
	case ASTRAY_WRONG_TAG:
		return !answer;
	case ASTRAY_NO_TO_TAG:
		return !answer && !method_is(s, "INVITE") && !method_is(s, "ACK");
	case ASTRAY_LATE:
		return !answer;
	default:
		return false;
	}
}

/* Changes one value in a header's line: from `key` on, as long as none of `until` comes; an empty `now` takes the key away, too. */
static char *altered(const char *text, const char *header, const char *key, const char *until, const char *now, size_t *n)
{
	char line[40];
	snprintf(line, sizeof(line), "\r\n%s:", header);
	const char *at = strcasestr(text, line), *end = at ? strstr(at + 2, "\r\n") : NULL;
	const char *k = at ? strcasestr(at, key) : NULL;
	if (!k || k > end)
		return NULL;
	const char *v = k + strlen(key), *rest = v + strcspn(v, until);
	struct buf b;
	buf_init(&b, 1 << 17);
	buf_put(&b, text, (size_t)((*now ? v : k) - text));
	buf_str(&b, now);
	buf_put(&b, rest, *n - (size_t)(rest - text));
	buf_char(&b, '\0');
	char *out = (char *)buf_take(&b, n);
	(*n)--;
	return out;
}

static char *replaced(char *old, char *now)
{
	if (!now)
		return old;
	mem_free(old);
	return now;
}

/* A copy that differs in one thing; a request has a transaction of its own. */
static char *twisted(struct actor *a, const char *text, size_t *n, enum astray_kind k)
{
	char v[120], *out = mem_strndup(text, *n);
	if (strncmp(text, "SIP/2.0", 7) != 0) {
		snprintf(v, sizeof(v), "z9hG4bKtwisted%ux%u", a->prm.number, ++a->branches);
		out = replaced(out, altered(out, "Via", "branch=", ";,\r ", v, n));
	}
	if (k == ASTRAY_WRONG_TAG)
		return replaced(out, altered(out, "To", ";tag=", ";>\r ", "not-that-one", n));
	if (k == ASTRAY_NO_TO_TAG)
		return replaced(out, altered(out, "To", ";tag=", ";>\r ", "", n));
	snprintf(v, sizeof(v), " %u ", strncmp(text, "SIP/2.0", 7) ? a->cseq - 1 : 7654321);
	return replaced(out, altered(out, "CSeq", ":", "ABCDEFGHIJKLMNOPQRSTUVWXYZ\r", v, n));
}

static void extra(struct actor *a, const char *method, const char *branch, unsigned cseq)
{
	if (a->n_extra == EXTRAS)
		return;
	struct extra *x = &a->extra[a->n_extra++];
	*x = (struct extra){ .cseq = cseq };
	snprintf(x->method, sizeof(x->method), "%s", method);
	snprintf(x->branch, sizeof(x->branch), "%s", branch);
}

/* Said first, its answer looked after beside the scene. */
static void say_twisted(struct actor *a, const char *text, size_t n, enum astray_kind k, int conn)
{
	struct msg m;
	size_t n2 = n;
	char *t = twisted(a, text, &n2, k);
	if (msg_read(&m, mem_strndup(t, n2), n2)) {
		bool request = !m.status && strcmp(m.method, "ACK") != 0;
		int must = k == ASTRAY_WRONG_CSEQ ? 500 : k == ASTRAY_NO_TO_TAG && !strcmp(m.method, "INVITE") ? 0 : 481;
		if (request)
			extra(a, m.method, m.branch, m.cseq);
		if (request || m.status) {
			actor_raw(a, conn, t, n2, request ? must : 0, false);
		} else {
			actor_note(a, true, t, n2);
			wire_send(a->wire, conn, t, n2);
		}
	}
	mem_free(m.text);
	mem_free(t);
}

static void say_provisional(struct actor *a, const char *text, int conn)
{
	const char *head = strstr(text, "\r\n"), *end = strstr(text, "\r\n\r\n");
	struct buf b;
	buf_init(&b, 1 << 16);
	buf_str(&b, a->asked.text && !strcmp(a->asked.method, "INVITE") ? "SIP/2.0 183 Session Progress" : "SIP/2.0 100 Trying");
	for (const char *p = head; p < end;) {
		const char *next = strstr(p + 2, "\r\n");
		if (strncasecmp(p + 2, "Content-", 8) != 0)
			buf_put(&b, p, (size_t)(next - p));
		p = next;
	}
	buf_str(&b, "\r\nContent-Length: 0\r\n\r\n");
	wire_send(a->wire, conn, (char *)b.p, b.n);
	actor_note(a, true, (char *)b.p, b.n);
	buf_free(&b);
}

static void say_garbage(struct actor *a, const char *text, int conn)
{
	static const char garbage[] = "\x7f""ELF\xff\xfe{\"v\"=0\r\nm=audio -1 RTP/AVP 0 0 0 0\r\nc=IN IP4 999.1.1.1\r\n--\r\n=\r\n";
	const char *end = strstr(text, "\r\n\r\n");
	struct buf b;
	buf_init(&b, 1 << 16);
	bool typed = false;
	for (const char *p = text; p < end;) {
		const char *next = strstr(p + 2, "\r\n");
		typed |= !strncasecmp(p + 2, "Content-Type", 12);
		if (p == text || strncasecmp(p + 2, "Content-Length", 14) != 0)
			buf_put(&b, p, (size_t)(next - p));
		p = next;
	}
	buf_printf(&b, "%s\r\nContent-Length: %zu\r\n\r\n%s", typed ? "" : "\r\nContent-Type: application/sdp", sizeof(garbage) - 1, garbage);
	buf_char(&b, '\0');
	actor_raw(a, conn, (char *)b.p, b.n - 1, 0, false);
	buf_free(&b);
}

static void of_own_making(struct actor *a, const char *method, const char *branch, unsigned cseq, bool to_tag, const char *body, int must)
{
	struct buf b;
	buf_init(&b, 1 << 16);
	buf_printf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/", method, to_tag && a->target[0] ? a->target : "sip:umbel@127.0.0.1");
	(void)names_and_numbers(a, "TRANSPORT", &b);
	buf_printf(&b, " %s:%u;rport;branch=%s\r\nFrom: <sip:peer@%s>;tag=%s\r\nTo: <sip:umbel@127.0.0.1>%s%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", a->prm.host,
	           wire_port(a->wire), branch, a->prm.host, a->tag, to_tag ? ";tag=" : "", to_tag ? a->their_tag : "", a->call_id, cseq, method);
	buf_printf(&b, "Max-Forwards: 70\r\nContact: <sip:peer@%s:%u;transport=%s>\r\n%sContent-Length: %zu\r\n\r\n%s", a->prm.host, wire_port(a->wire),
	           a->prm.scene->transport, *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
	buf_char(&b, '\0');
	actor_raw(a, WIRE_OURS, (char *)b.p, b.n - 1, must, false);
	buf_free(&b);
}

void actor_reinvite(struct actor *a)
{
	char sdp[400], branch[100];
	snprintf(branch, sizeof(branch), "z9hG4bKagain%ux%u", a->prm.number, ++a->branches);
	snprintf(sdp, sizeof(sdp), "v=0\r\no=- 9 %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n",
	         a->branches + 10, a->prm.host, a->prm.host, a->rtp_port);
	a->cseq++;
	extra(a, "INVITE", branch, a->cseq);
	of_own_making(a, "INVITE", branch, a->cseq, true, sdp, 0);
}

void actor_ack_extra(struct actor *a, const struct extra *x, const struct msg *m)
{
	char branch[128];
	struct kept before = a->ack;
	a->ack = (struct kept){ 0 };
	if (m->status < 300)
		snprintf(branch, sizeof(branch), "z9hG4bKack%u", a->branches++);
	else
		snprintf(branch, sizeof(branch), "%s", x->branch);
	of_own_making(a, "ACK", branch, x->cseq, m->to_tag[0] != '\0', "", 0);
	mem_free(a->ack.text);
	a->ack = before;
}

void actor_bye(struct actor *a)
{
	new_branch(a);
	extra(a, "BYE", a->branch, ++a->cseq);
	of_own_making(a, "BYE", a->branch, a->cseq, true, "", 0);
}

static void cancel(struct actor *a)
{
	char uri[200], *text = a->kept[a->n_kept - 1].text;
	struct buf b;
	extra(a, "CANCEL", a->invite_branch, a->invite_cseq);
	buf_init(&b, 1 << 16);
	snprintf(uri, sizeof(uri), "%.*s", (int)strcspn(text + 7, " "), text + 7);
	buf_printf(&b, "CANCEL %s SIP/2.0\r\n", uri);
	for (const char *p = strstr(text, "\r\n") + 2, *next; p && strncmp(p, "\r\n", 2) != 0; p = next + 2) {
		next = strstr(p, "\r\n");
		static const char *const same[] = { "Via:", "From:", "To:", "Call-ID:", "Max-Forwards:" };
		for (unsigned i = 0; i < sizeof(same) / sizeof(*same); i++)
			if (!strncasecmp(p, same[i], strlen(same[i])))
				buf_put(&b, p, (size_t)(next + 2 - p));
	}
	buf_printf(&b, "CSeq: %u CANCEL\r\nContent-Length: 0\r\n\r\n", a->invite_cseq);
	buf_char(&b, '\0');
	actor_raw(a, WIRE_OURS, (char *)b.p, b.n - 1, 200, false);
	buf_free(&b);
}

static void later(struct actor *a, const char *text, size_t n, int conn, int64_t ms)
{
	a->later = mem_strndup(text, n);
	a->later_n = n;
	a->later_conn = conn;
	a->later_ms = a->now_ms + ms;
}

void actor_say_later(struct actor *a)
{
	char *text = a->later;
	a->later = NULL;
	a->until_cancel = false;
	actor_raw(a, a->later_conn, text, a->later_n, 0, false);
	mem_free(text);
}

static void say_astray(struct actor *a, const char *text, size_t n, int conn)
{
	enum astray_kind k = a->prm.astray.kind;
	switch (k) {
	case ASTRAY_GONE:
	case ASTRAY_CUT:
		wire_cut(a->wire);
		referee_excuse_all(&a->ref);
		if (k == ASTRAY_CUT) {
			actor_raw(a, WIRE_OURS, text, n, 0, true);
			return;
		}
		/* fall through */
	case ASTRAY_SILENT:
		a->silent = true;
		referee_excuse_all(&a->ref);
		return;
	case ASTRAY_REORDERED:
	case ASTRAY_LATE:
		later(a, text, n, conn, k == ASTRAY_LATE ? 3000 : 700);
		return;
	case ASTRAY_ANSWERED_LATE:
		later(a, text, n, conn, 200000);
		a->until_cancel = true;
		return;
	case ASTRAY_WRONG_TAG:
	case ASTRAY_NO_TO_TAG:
	case ASTRAY_WRONG_CSEQ:
		say_twisted(a, text, n, k, conn);
		if (a->lenient && !strncmp(text, "SIP/2.0", 7))
			return;
		break;
	case ASTRAY_GLARE:
		if (a->up)
			actor_reinvite(a);
		break;
	case ASTRAY_STORM:
		for (unsigned i = 0; i < 40; i++)
			say_provisional(a, text, conn);
		break;
	case ASTRAY_NO_FINAL:
		say_provisional(a, text, conn);
		a->hid_final = true;
		return;
	case ASTRAY_GARBAGE:
		say_garbage(a, text, conn);
		return;
	default:
		break;
	}
	actor_raw(a, conn, text, n, 0, false);
	if (k == ASTRAY_DOUBLED) {
		actor_note(a, true, text, n);
		wire_send(a->wire, conn, text, n);
	} else if (k == ASTRAY_CANCELLED) {
		cancel(a);
	} else if (k == ASTRAY_OVERLAP) {
		actor_reinvite(a);
		actor_reinvite(a);
	}
}

void actor_say_step(struct actor *a, const struct talk_step *s)
{
	const struct astray *astray = &a->prm.astray;
	bool answer = is_answer(s), ack = method_is(s, "ACK"), invite = method_is(s, "INVITE");
	bool now = astray->kind && astray->step == a->sends++;
	int conn = answer ? a->asked.conn : WIRE_OURS;
	size_t n;
	if (!answer && !method_is(s, "CANCEL")) {
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
		say_astray(a, text, n, conn);
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
