/* SPDX-License-Identifier: Apache-2.0 */
/* raw.c  See raw.h. */
#include "call/raw.h"
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"

void raw_open(struct raw *x, bool stream)
{
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(me);
	struct sockaddr_in to;

	rig_open(&x->r, NET_UDP, false);
	x->stream = stream;
	x->fd = socket(AF_INET, stream ? SOCK_STREAM : SOCK_DGRAM, 0);
	assert_true(x->fd >= 0);
	if (!stream)
		assert_int_equal(bind(x->fd, (struct sockaddr *)&me, sizeof(me)), 0);
	to = sip_core_local(x->r.side[B].core, stream ? 1 : 0)->u.v4;
	assert_int_equal(connect(x->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(getsockname(x->fd, (struct sockaddr *)&me, &n), 0);
	x->port = ntohs(me.sin_port);
	fcntl(x->fd, F_SETFL, O_NONBLOCK);
	if (stream)
		assert_int_equal(setsockopt(x->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)), 0);
	x->cseq = 1;
	x->tag[0] = '\0';
}

void raw_close(struct raw *x)
{
	close(x->fd);
	rig_close(&x->r);
}

const char *heard(struct raw *x, int64_t ms)
{
	size_t n = 0;

	rig_run(&x->r, ms);
	for (;;) {
		ssize_t got = recv(x->fd, x->in + n, sizeof(x->in) - 1 - n, 0);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	x->in[n] = '\0';
	for (char *to = x->in; (to = strstr(to, "\r\nTo:")); to += 2) {
		char *tag = strstr(to, ";tag=");
		if (tag && tag < strstr(to + 2, "\r\n") && strcspn(tag, "\r\n") != strlen(";tag=me")) /* ours are longer than the peer's "me" */
			snprintf(x->tag, sizeof(x->tag), "%.*s", (int)strcspn(tag, "\r\n"), tag);
	}
	return x->in;
}

void say_bytes(struct raw *x, const char *p, size_t n)
{
	assert_int_equal(send(x->fd, p, n, 0), (ssize_t)n);
}

void say(struct raw *x, const char *method, const char *branch, const char *more, const char *body)
{
	char room[8192];
	int n = snprintf(room, sizeof(room),
	                 "%s sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/%s 127.0.0.1:%u;rport;branch=z9hG4bK%s\r\nFrom: <sip:a@a.test>;tag=me\r\n"
	                 "To: <sip:100@b.test>%s\r\nCall-ID: raw\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\nContact: <sip:a@127.0.0.1:%u>\r\n%s"
	                 "%sContent-Length: %zu\r\n\r\n%s",
	                 method, x->stream ? "TCP" : "UDP", x->port, branch, x->tag, x->cseq, method, x->port, more,
	                 *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);

	say_bytes(x, room, (size_t)n);
}

unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* The line of that header in the last request, with its CR LF. */
static void line_of(const struct raw *x, const char *name, char *dst, size_t size)
{
	const char *at = strstr(x->in, name);

	assert_non_null(at);
	snprintf(dst, size, "%.*s\r\n", (int)strcspn(at, "\r"), at);
}

static void answer_as(struct raw *x, unsigned status, const char *tag, const char *contact, const char *more, const char *body)
{
	char via[300], from[1000], to[1000], cseq[100], call_id[200], room[8192];
	int n;

	line_of(x, "Via: ", via, sizeof(via));
	line_of(x, "From: ", from, sizeof(from));
	line_of(x, "To: ", to, sizeof(to));
	line_of(x, "CSeq: ", cseq, sizeof(cseq));
	line_of(x, "Call-ID: ", call_id, sizeof(call_id));
	if (!strstr(to, ";tag="))
		snprintf(to + strlen(to) - 2, sizeof(to) - strlen(to) + 2, ";tag=%s\r\n", tag);
	n = snprintf(room, sizeof(room), "SIP/2.0 %u X\r\n%s%s%s%s%s%s%s%sContent-Length: %zu\r\n\r\n%s", status, via, from, to,
	             call_id, cseq, contact, more, *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
	say_bytes(x, room, (size_t)n);
}

void answer_more(struct raw *x, unsigned status, const char *tag, const char *more, const char *body)
{
	char contact[80];

	snprintf(contact, sizeof(contact), "Contact: <sip:a@127.0.0.1:%u>\r\n", x->port);
	answer_as(x, status, tag, contact, more, body);
}

void answer(struct raw *x, unsigned status, const char *tag, const char *body)
{
	answer_more(x, status, tag, "", body);
}

void answer_moved(struct raw *x, unsigned status, const char *more)
{
	answer_as(x, status, "moved", "", more, "");
}
