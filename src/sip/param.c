/* SPDX-License-Identifier: Apache-2.0 */
/* param.c  Comma lists, parameters, quoted strings (RFC 3261 7.3.1, 25.1). */
#include <errno.h>
#include "sip/chars.h"
#include "sip/header.h"

/* The '>' of the '<' at `at`. SIZE_MAX: there is none, or a quotation mark before it, which no URI has. */
static size_t bracket_end(struct text t, size_t at)
{
	const char *close = memchr(t.p + at, '>', t.n - at);

	return close && !memchr(t.p + at, '"', (size_t)(close - t.p) - at) ? (size_t)(close - t.p) : SIZE_MAX;
}

/* Where the item that begins at `at` ends: at its comma or at the end. SIZE_MAX: a quotation mark or bracket is left open. */
static size_t item_end(struct text t, size_t at)
{
	const char *p = t.p + at, *comma;

	/* What has neither quotes nor brackets, as a Via, is cut by its commas alone. */
	if (!memchr(p, '<', t.n - at) && !memchr(p, '"', t.n - at)) {
		comma = memchr(p, ',', t.n - at);
		return comma ? (size_t)(comma - t.p) : t.n;
	}
	for (size_t i = at; i < t.n; i++) {
		if (!sip_is(t.p[i], SIP_C_LIST))
			continue;
		switch (t.p[i]) {
		case ',':
			return i;
		case '"':
			i = sip_quoted_end(t, i);
			if (i == SIZE_MAX)
				return SIZE_MAX;
			i--;
			break;
		case '<':
			i = bracket_end(t, i);
			if (i == SIZE_MAX)
				return SIZE_MAX;
			break;
		default:
			break;
		}
	}
	return t.n;
}

int sip_list_next(struct text *rest, struct text *item)
{
	while (rest->n) {
		size_t end = item_end(*rest, 0);
		struct text one;

		if (end == SIZE_MAX) {
			*rest = TEXT_NONE;
			return EBADMSG;
		}
		one = sip_trim(text_head(*rest, end));
		*rest = text_skip(*rest, end < rest->n ? end + 1 : end);
		if (one.n) {
			*item = one;
			return 0;
		}
	}
	return ENOENT;
}

static size_t blanks(struct text t, size_t at)
{
	return at + sip_span(t, at, SIP_C_BLANK);
}

int sip_param_next(struct text *rest, struct text *name, struct text *value)
{
	struct text t = *rest, n, v = TEXT_NONE;
	size_t at = blanks(t, 0), end;

	*rest = TEXT_NONE;
	if (at == t.n)
		return ENOENT;
	if (t.p[at] == ';')
		at = blanks(t, at + 1);
	end = at + sip_span(t, at, SIP_C_TOKEN);
	if (end == at)
		return EBADMSG;
	n = sip_slice(t, at, end);
	at = blanks(t, end);
	if (at < t.n && t.p[at] == '=') {
		at = blanks(t, at + 1);
		end = at < t.n && t.p[at] == '"' ? sip_quoted_end(t, at) : at + sip_span(t, at, SIP_C_VALUE);
		if (end == SIZE_MAX)
			return EBADMSG;
		v = sip_slice(t, at, end);
		at = blanks(t, end);
	}
	if (at < t.n && t.p[at] != ';')
		return EBADMSG;
	*name = n;
	*value = v;
	*rest = text_skip(t, at);
	return 0;
}

int sip_params_check(struct text params)
{
	struct text name, value;
	int err;

	while ((err = sip_param_next(&params, &name, &value)) == 0)
		;
	return err == ENOENT ? 0 : err;
}

bool sip_param_find(struct text params, const char *wanted, struct text *found)
{
	struct text name, value;

	while (!sip_param_next(&params, &name, &value)) {
		if (text_is_nocase(name, wanted)) {
			if (found)
				*found = sip_unquote(value);
			return true;
		}
	}
	return false;
}

struct text sip_unquote(struct text t)
{
	if (t.n >= 2 && t.p[0] == '"' && t.p[t.n - 1] == '"')
		return sip_slice(t, 1, t.n - 1);
	return t;
}

/* A UTF-8 sequence that was cut is left out. */
static size_t whole_utf8(const char *s, size_t n)
{
	size_t k = n, len;

	while (k && ((unsigned char)s[k - 1] & 0xc0) == 0x80 && n - k < 3)
		k--;
	if (!k || (unsigned char)s[k - 1] < 0xc0)
		return n;
	len = (unsigned char)s[k - 1] >= 0xf0 ? 4 : (unsigned char)s[k - 1] >= 0xe0 ? 3 : 2;
	return n - (k - 1) < len ? k - 1 : n;
}

char *sip_plain_text(struct text t, char *dst, size_t size)
{
	size_t n = 0, i;

	if (!size)
		return dst;
	t = sip_unquote(sip_trim(t));
	for (i = 0; i < t.n && n + 1 < size; i++) {
		char c = t.p[i];

		if (c == '\r' || c == '\n') {
			i += sip_span(t, i, SIP_C_BLANK) - 1;
			while (n && dst[n - 1] == ' ')
				n--;
			c = ' ';
		} else if (c == '\\' && i + 1 < t.n) {
			c = t.p[++i];
		}
		dst[n++] = (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c;
	}
	if (i < t.n)
		n = whole_utf8(dst, n);
	dst[n] = '\0';
	return dst;
}

bool sip_is_token(struct text t)
{
	return t.n && sip_all(t, SIP_C_TOKEN);
}

bool sip_list_has(struct text list, const char *token)
{
	struct text item;

	while (!sip_list_next(&list, &item))
		if (text_is_nocase(item, token))
			return true;
	return false;
}
