/* SPDX-License-Identifier: Apache-2.0 */
/* actor_astray.c  What a scripted peer does wrong on purpose, and the requests that it makes beside its scene for it. */
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
/* ---- which step ---- */
bool step_is_answer(const struct talk_step *s)
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

bool step_is_method(const struct talk_step *s, const char *method)
{
	size_t n = strlen(method);
	return !strncmp(s->lines.v[0], method, n) && s->lines.v[0][n] == ' ';
}

bool astray_applies(const struct talk_step *s, enum astray_kind k, const char *transport)
{
	bool answer = step_is_answer(s), final = answer && s->lines.v[0][8] >= '2', within = !answer && has(s, "{their-tag}"), ack = step_is_method(s, "ACK");
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
		return step_is_method(s, "INVITE");
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
	bool answer = step_is_answer(s);
	switch (k) {
	case ASTRAY_NOT:
	case ASTRAY_DOUBLED:
	case ASTRAY_WRONG_CSEQ:
	case ASTRAY_STORM:
		return true;
	case ASTRAY_WRONG_TAG:
		return !answer;
	case ASTRAY_NO_TO_TAG:
		return !answer && !step_is_method(s, "INVITE") && !step_is_method(s, "ACK");
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
	snprintf(v, sizeof(v), " %u ", strncmp(text, "SIP/2.0", 7) ? 7 : 7654321);
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

/* What the twisted one gets. A method that Umbel does not know is refused before anything else; the first CSeq in the dialog that Umbel began may be any. */
static int must_get(const struct actor *a, const struct msg *m, enum astray_kind k)
{
	bool ours = !strcmp(m->call_id, a->call_id);
	if (!strcmp(m->method, "MESSAGE") || (k == ASTRAY_NO_TO_TAG && !strcmp(m->method, "INVITE")))
		return 0;
	return k != ASTRAY_WRONG_CSEQ ? 481 : ours ? 500 : 0;
}

/* Said first, its answer looked after beside the scene. */
static void say_twisted(struct actor *a, const char *text, size_t n, enum astray_kind k, int conn)
{
	struct msg m;
	size_t n2 = n;
	char *t = twisted(a, text, &n2, k);
	if (msg_read(&m, mem_strndup(t, n2), n2)) {
		bool request = !m.status && strcmp(m.method, "ACK") != 0;
		int must = must_get(a, &m, k);
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
	bool offer = !strncmp(text, "INVITE ", 7) || !strncmp(text, "UPDATE ", 7);
	actor_raw(a, conn, (char *)b.p, b.n - 1, offer ? REF_4XX : 0, false);
	buf_free(&b);
}

static void of_own_making(struct actor *a, const char *method, const char *branch, unsigned cseq, bool to_tag, const char *body, int must)
{
	struct buf b;
	buf_init(&b, 1 << 16);
	buf_printf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/", method, to_tag && a->target[0] ? a->target : "sip:umbel@127.0.0.1");
	(void)actor_name_or_number(a, "TRANSPORT", &b);
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
	char branch[100];
	snprintf(branch, sizeof(branch), "z9hG4bKbye%ux%u", a->prm.number, ++a->branches);
	extra(a, "BYE", branch, ++a->cseq);
	of_own_making(a, "BYE", branch, a->cseq, true, "", 0);
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

void actor_say_astray(struct actor *a, const char *text, size_t n, int conn)
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
		a->silent = true;
		return;
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
