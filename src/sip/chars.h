/* SPDX-License-Identifier: Apache-2.0 */
/* chars.h  The character classes of RFC 3261 25.1 as one table. Private to the syntax of this folder. */
#ifndef SIP_CHARS_H
#define SIP_CHARS_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "base/text.h"

enum {
	SIP_C_TOKEN = 1,    /* token */
	SIP_C_USER = 2,     /* user without its escapes, and '#', which dialled numbers bring unescaped */
	SIP_C_PASSWORD = 4, /* password without its escapes */
	SIP_C_PARAM = 8,    /* a URI parameter without its escapes, and '=' in values */
	SIP_C_HNAME = 16,   /* headers of a URI without their escapes */
	SIP_C_WORD = 32,    /* callid without its '@' */
	SIP_C_HOST = 64,    /* letters, digits, '-', '.', and '_', which names in the field have */
	SIP_C_BLANK = 128,  /* SP, HTAB, and the CR and LF of a folded line */
	SIP_C_DIGIT = 256,
	SIP_C_HEX = 512,
	SIP_C_UNRESERVED = 1024,
	SIP_C_ALPHA = 2048,
	SIP_C_CONTROL = 4096, /* control bytes but for HTAB, CR, LF */
	SIP_C_LIST = 8192,    /* what a comma list is split by: , " < > */
	SIP_C_VALUE = 16384,  /* a parameter's value without quotes: wider than token and host, but nothing that separates */
};

extern const uint16_t sip_chars[256];

static inline bool sip_is(char c, unsigned classes)
{
	return (sip_chars[(unsigned char)c] & classes) != 0;
}

/* One of the characters of `set`; a NUL byte never is. */
static inline bool sip_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

/* How many bytes from `at` on are of the classes. */
static inline size_t sip_span(struct text t, size_t at, unsigned classes)
{
	size_t i = at;

	while (i < t.n && sip_is(t.p[i], classes))
		i++;
	return i - at;
}

static inline bool sip_all(struct text t, unsigned classes)
{
	return sip_span(t, 0, classes) == t.n;
}

static inline struct text sip_slice(struct text t, size_t from, size_t to)
{
	return (struct text){ t.p ? t.p + from : NULL, to - from };
}

/* The value of a hexadecimal digit. */
static inline unsigned sip_hex(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(text_lower(c) - 'a' + 10);
}

/* All bytes are of the classes or part of a correct %XX. */
bool sip_all_escaped(struct text t, unsigned classes);
/* Behind the quoted string that begins at t.p[at]; SIZE_MAX when it is not closed. */
size_t sip_quoted_end(struct text t, size_t at);
/* callid = word [ "@" word ] */
bool sip_is_callid(struct text t);
/* What stands behind a first ';' begins with a parameter, not with nothing or another ';'. */
bool sip_params_begin(struct text params);
/* Cuts off blanks, folding included, at both ends. */
static inline struct text sip_trim(struct text t)
{
	while (t.n && sip_is(t.p[0], SIP_C_BLANK)) {
		t.p++;
		t.n--;
	}
	while (t.n && sip_is(t.p[t.n - 1], SIP_C_BLANK))
		t.n--;
	return t;
}

#endif
