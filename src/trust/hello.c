/* SPDX-License-Identifier: Apache-2.0 */
/* hello.c  Reads a ClientHello with a cursor that cannot leave its bytes; and knows what is none. */
#include "trust/hello.h"
#include <errno.h>

enum { EXT_SERVER_NAME = 0, EXT_SUPPORTED_VERSIONS = 43 };

struct cursor {
	const uint8_t *p;
	size_t n;
	bool bad;
};

static unsigned number(struct cursor *c, unsigned bytes)
{
	unsigned v = 0;
	if (c->n < bytes) {
		c->bad = true;
		c->n = 0;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | c->p[i];
	c->p += bytes;
	c->n -= bytes;
	return v;
}

/* The next piece, whose length stands before it in so many bytes. */
static struct cursor piece(struct cursor *c, unsigned len_bytes)
{
	size_t n = number(c, len_bytes);
	if (n > c->n) {
		c->bad = true;
		n = c->n;
	}
	struct cursor sub = { .p = c->p, .n = n };
	c->p += n;
	c->n -= n;
	return sub;
}

/* RFC 8701: values sown to keep servers honest. */
static bool grease(unsigned v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static void read_suites(struct trust_hello *h, struct cursor c)
{
	while (c.n >= 2) {
		unsigned v = number(&c, 2);
		if (grease(v))
			continue;
		if (h->n_suites < TRUST_SUITES)
			h->suite[h->n_suites++] = (uint16_t)v;
		else
			h->cut = true;
	}
}

static void read_versions(struct trust_hello *h, struct cursor ext)
{
	struct cursor c = piece(&ext, 1);
	h->n_versions = 0;
	while (c.n >= 2) {
		unsigned v = number(&c, 2);
		if (!grease(v) && h->n_versions < TRUST_VERSIONS)
			h->version[h->n_versions++] = (uint16_t)v;
	}
}

static void read_name(struct trust_hello *h, struct cursor ext)
{
	struct cursor list = piece(&ext, 2);
	while (list.n) {
		unsigned type = number(&list, 1);
		struct cursor name = piece(&list, 2);
		if (type == 0 && !list.bad)
			text_escape(text_make(name.p, name.n), h->sni, sizeof h->sni);
	}
}

int tls_hello_parse(struct trust_hello *h, const uint8_t *p, size_t n)
{
	struct cursor c = { .p = p, .n = n };
	*h = (struct trust_hello){ 0 };
	number(&c, 4); /* type and length: the caller has framed it */
	unsigned legacy = number(&c, 2);
	for (unsigned i = 0; i < 8; i++)
		number(&c, 4); /* random */
	piece(&c, 1);	       /* session id */
	if (c.bad)
		return EBADMSG;
	h->seen = true;
	h->version[0] = (uint16_t)legacy;
	h->n_versions = 1;
	read_suites(h, piece(&c, 2));
	piece(&c, 1); /* compression */
	if (c.bad || !c.n)
		return c.bad ? EBADMSG : 0; /* extensions may be missing altogether */
	struct cursor exts = piece(&c, 2);
	while (exts.n && !exts.bad) {
		unsigned type = number(&exts, 2);
		struct cursor ext = piece(&exts, 2);
		if (type == EXT_SUPPORTED_VERSIONS)
			read_versions(h, ext);
		else if (type == EXT_SERVER_NAME)
			read_name(h, ext);
	}
	return c.bad || exts.bad ? EBADMSG : 0;
}

/* ---- who does not speak TLS ---- */
bool tls_hello_begins(const uint8_t *b)
{
	return (b[0] >= 0x14 && b[0] <= 0x18) || b[0] & 0x80; /* record types; or the hello of SSL 2 */
}

enum trust_plain tls_plain_kind(struct text t)
{
	static const char *const sip[] = { "SIP/2.0", "INVITE ", "OPTIONS ", "REGISTER ", "NOTIFY ", "BYE ", "ACK ", "CANCEL ", "REFER ", "INFO " };
	static const char *const http[] = { "HTTP/", "GET ", "POST ", "HEAD ", "PUT ", "CONNECT " };
	for (unsigned i = 0; i < sizeof http / sizeof *http; i++)
		if (text_starts(t, http[i]))
			return TRUST_PLAIN_HTTP;
	for (unsigned i = 0; i < sizeof sip / sizeof *sip; i++)
		if (text_starts(t, sip[i]))
			return TRUST_PLAIN_SIP;
	/* OPTIONS is a word of both; SIP asks for a sip: or sips: URI, and keep-alives are empty lines. */
	return text_starts(t, "\r\n") ? TRUST_PLAIN_SIP : TRUST_PLAIN_OTHER;
}
