/* SPDX-License-Identifier: Apache-2.0 */
/* uri_equal.c  When two URIs are the same (RFC 3261 19.1.4, RFC 3966 4). */
#include "sip/chars.h"
#include "sip/uri.h"

/* The next character with its escape undone. What is reserved (RFC 2396 2.2) differs from its escape: it comes with bit 8 set then. */
static unsigned next_char(struct text t, size_t *at, bool fold)
{
	unsigned c = (unsigned char)t.p[(*at)++];

	if (c == '%' && t.n - *at >= 2 && sip_is(t.p[*at], SIP_C_HEX) && sip_is(t.p[*at + 1], SIP_C_HEX)) {
		c = sip_hex(t.p[*at]) * 16 + sip_hex(t.p[*at + 1]);
		*at += 2;
		if (sip_one_of((char)c, ";/?:@&=+$,"))
			return c | 0x100;
	}
	return fold ? (unsigned char)text_lower((char)c) : c;
}

static bool same_text(struct text a, struct text b, bool fold)
{
	size_t i = 0, k = 0;

	while (i < a.n && k < b.n)
		if (next_char(a, &i, fold) != next_char(b, &k, fold))
			return false;
	return i == a.n && k == b.n;
}

/* Those parameters that, standing in one URI only, make it another. */
static bool matters(struct text name)
{
	static const char *const names[] = { "user", "ttl", "method", "maddr", "transport" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_is_nocase(name, names[i]))
			return true;
	return false;
}

static bool find(struct text list, char separator, struct text wanted, struct text *value)
{
	struct text item, name;
	bool more = list.n > 0;

	while (more) {
		more = text_cut(list, separator, &item, &list);
		if (!text_cut(item, '=', &name, value))
			*value = TEXT_NONE;
		if (same_text(name, wanted, true))
			return true;
	}
	return false;
}

/* Every parameter of `a` agrees with `b`; `strict`: it must stand there. */
static bool agrees(struct text a, struct text b, char separator, bool strict)
{
	struct text all = a, item, name, mine, theirs;
	bool more = a.n > 0;

	while (more) {
		more = text_cut(a, separator, &item, &a);
		text_cut(item, '=', &name, &mine);
		find(all, separator, name, &mine); /* of one that stands twice, the first counts */
		if (!find(b, separator, name, &theirs)) {
			if (strict || matters(name))
				return false;
		} else if (!same_text(mine, theirs, true)) {
			return false;
		}
	}
	return true;
}

static bool same_host(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->host_kind != b->host_kind)
		return false;
	return a->host_kind == SIP_HOST_IPV6 ? sip_ipv6_equal(a->host, b->host) : text_eq_nocase(a->host, b->host);
}

/* Numbers without their visual separators. */
static bool same_number(struct text a, struct text b)
{
	size_t i = 0, k = 0;

	for (;;) {
		while (i < a.n && sip_one_of(a.p[i], "-.()"))
			i++;
		while (k < b.n && sip_one_of(b.p[k], "-.()"))
			k++;
		if (i == a.n || k == b.n)
			return i == a.n && k == b.n;
		if (text_lower(a.p[i++]) != text_lower(b.p[k++]))
			return false;
	}
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->scheme != b->scheme)
		return false;
	switch (a->scheme) {
	case SIP_SCHEME_OTHER:
		return text_eq_nocase(a->scheme_text, b->scheme_text) && text_eq(a->opaque, b->opaque);
	case SIP_SCHEME_TEL:
		return same_number(a->user, b->user) && agrees(a->params, b->params, ';', true) && agrees(b->params, a->params, ';', true);
	default:
		break;
	}
	return a->has_user == b->has_user && a->has_password == b->has_password && same_text(a->user, b->user, false) &&
	       same_text(a->password, b->password, false) && same_host(a, b) && a->port == b->port &&
	       agrees(a->params, b->params, ';', false) && agrees(b->params, a->params, ';', false) &&
	       agrees(a->headers, b->headers, '&', true) && agrees(b->headers, a->headers, '&', true);
}
