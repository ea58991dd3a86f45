/* SPDX-License-Identifier: Apache-2.0 */
/* uri.c  URIs (RFC 3261 19.1 and 25.1). The user part ends at the first '@' of the whole URI: neither parameters nor headers may hold one,
 * while ';' and '?' may stand in a user.                                                                                */
#include <arpa/inet.h>
#include <errno.h>
#include "sip/chars.h"
#include "sip/header.h"
#include "sip/uri.h"

enum {
	HOST_MAX = 255,
	PORT_MAX = 65535,
	PAIRS_MAX = 64, /* parameters, and headers: comparing two URIs looks at each with each */
};

static bool is_ipv4(struct text t)
{
	unsigned dots = 0, digits = 0, value = 0;

	for (size_t i = 0; i <= t.n; i++) {
		if (i == t.n || t.p[i] == '.') {
			if (!digits || value > 255)
				return false;
			dots += i < t.n;
			digits = value = 0;
		} else if (!sip_is(t.p[i], SIP_C_DIGIT) || ++digits > 3) {
			return false;
		} else {
			value = value * 10 + (unsigned)(t.p[i] - '0');
		}
	}
	return dots == 3;
}

static bool ipv6_bytes(struct text t, uint8_t bytes[16])
{
	char s[64];
	char *three;

	if (text_copy(t, s, sizeof(s)))
		return false;
	/* RFC 5118 4.10: the first grammar let three colons stand before an IPv4 tail, so they are taken for two. */
	three = strstr(s, ":::");
	if (three && strchr(three, '.'))
		memmove(three, three + 1, strlen(three));
	return inet_pton(AF_INET6, s, bytes) == 1;
}

static bool is_name(struct text t)
{
	size_t label = 0, last = 0;

	if (!t.n || t.n > HOST_MAX)
		return false;
	for (size_t i = 0; i < t.n; i++) {
		if (!sip_is(t.p[i], SIP_C_HOST))
			return false;
		if (t.p[i] != '.') {
			if (!label)
				last = i;
			if (++label > 63)
				return false;
		} else if (!label) {
			return false;
		} else {
			label = 0;
		}
	}
	/* the last label begins with a letter, so that no broken IPv4 address passes for a name */
	return sip_is(t.p[last], SIP_C_ALPHA);
}

enum sip_host_kind sip_host_classify(struct text host)
{
	uint8_t bytes[16];

	if (!host.n)
		return SIP_HOST_NONE;
	if (sip_is(host.p[0], SIP_C_DIGIT) && is_ipv4(host))
		return SIP_HOST_IPV4;
	if (is_name(host))
		return SIP_HOST_NAME;
	return text_find(host, ':') != SIZE_MAX && ipv6_bytes(host, bytes) ? SIP_HOST_IPV6 : SIP_HOST_NONE;
}

int sip_hostport_parse(struct text t, struct text *host, enum sip_host_kind *kind, uint16_t *port, struct sip_refusal *why)
{
	struct text h = t;
	enum sip_host_kind k;
	size_t at;
	uint32_t number = 0;

	if (t.n && t.p[0] == '[') {
		at = text_find(t, ']');
		if (at == SIZE_MAX)
			return sip_refuse(why, SIP_FAULT_URI_HOST, t);
		h = sip_slice(t, 1, at);
		at++;
		k = sip_host_classify(h);
		if (k != SIP_HOST_IPV6)
			return sip_refuse(why, SIP_FAULT_URI_HOST, t);
	} else {
		at = sip_span(t, 0, SIP_C_HOST);
		h = text_head(t, at);
		k = sip_host_classify(h);
		if (k == SIP_HOST_NONE)
			return sip_refuse(why, SIP_FAULT_URI_HOST, t);
	}
	if (at < t.n) {
		if (t.p[at] != ':')
			return sip_refuse(why, SIP_FAULT_URI_HOST, t);
		if (text_u32(text_skip(t, at + 1), PORT_MAX, &number) || !number)
			return sip_refuse(why, SIP_FAULT_URI_PORT, t);
	}
	*host = h;
	*kind = k;
	*port = (uint16_t)number;
	return 0;
}

/* ";a=b;c": names not empty, all of the right alphabet. `t` is without its first ';'. '=' inside a value is against the grammar but seen, as base64
 * padding. */
static bool params_good(struct text t)
{
	unsigned pairs = 1;
	size_t begin = 0;

	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i];

		if (sip_is(c, SIP_C_PARAM))
			continue;
		if (i == begin && (c == ';' || c == '='))
			return false;
		if (c == ';') {
			begin = i + 1;
			if (++pairs > PAIRS_MAX)
				return false;
		} else if (c == '%' && t.n - i >= 3 && sip_is(t.p[i + 1], SIP_C_HEX) && sip_is(t.p[i + 2], SIP_C_HEX)) {
			i += 2;
		} else if (c != '=') {
			return false;
		}
	}
	return begin < t.n;
}

static bool headers_good(struct text t)
{
	struct text item, name, value;
	bool more = true;

	for (unsigned n = 0; more; n++) {
		more = text_cut(t, '&', &item, &t);
		if (n == PAIRS_MAX || !text_cut(item, '=', &name, &value) || !name.n)
			return false;
		/* "=" and "@" of a Replaces that nobody escaped do no harm here */
		for (size_t i = 0; i < value.n; i++)
			if (value.p[i] != '=' && value.p[i] != '@' && value.p[i] != ';' && value.p[i] != '%' && !sip_is(value.p[i], SIP_C_HNAME))
				return false;
		if (!sip_all_escaped(name, SIP_C_HNAME))
			return false;
	}
	return true;
}

/* Any % without two hexadecimal digits behind it. */
static bool escapes_good(struct text t)
{
	for (size_t at; (at = text_find(t, '%')) != SIZE_MAX; t = text_skip(t, at + 3))
		if (t.n - at < 3 || !sip_is(t.p[at + 1], SIP_C_HEX) || !sip_is(t.p[at + 2], SIP_C_HEX))
			return false;
	return true;
}

static int parse_userinfo(struct sip_uri *u, struct text t, struct sip_refusal *why)
{
	u->has_user = true;
	u->has_password = text_cut(t, ':', &u->user, &u->password);
	if (!u->user.n || !sip_all_escaped(u->user, SIP_C_USER) || (u->has_password && !sip_all_escaped(u->password, SIP_C_PASSWORD)))
		return sip_refuse(why, SIP_FAULT_URI, t);
	return 0;
}

/* Behind "sip:" or "sips:". */
static int parse_sip(struct sip_uri *u, struct text t, struct sip_refusal *why)
{
	size_t at = text_find(t, '@');
	size_t end;
	int err;

	if (at != SIZE_MAX) {
		err = parse_userinfo(u, text_head(t, at), why);
		if (err)
			return err;
		t = text_skip(t, at + 1);
	}
	for (end = 0; end < t.n && t.p[end] != ';' && t.p[end] != '?'; end++)
		;
	err = sip_hostport_parse(text_head(t, end), &u->host, &u->host_kind, &u->port, why);
	if (err)
		return err;
	t = text_skip(t, end);
	if (t.n && t.p[0] == ';') {
		for (end = 1; end < t.n && t.p[end] != '?'; end++)
			;
		u->params = sip_slice(t, 1, end);
		if (!params_good(u->params))
			return sip_refuse(why, SIP_FAULT_URI, u->params);
		t = text_skip(t, end);
	}
	if (t.n) {
		u->headers = text_skip(t, 1);
		if (!headers_good(u->headers))
			return sip_refuse(why, SIP_FAULT_URI, u->headers);
	}
	return 0;
}

/* Behind "tel:" (RFC 3966): number;parameters. */
static int parse_tel(struct sip_uri *u, struct text t, struct sip_refusal *why)
{
	bool params = text_cut(t, ';', &u->user, &u->params);

	u->has_user = true;
	for (size_t i = 0; i < u->user.n; i++)
		if (!sip_is(u->user.p[i], SIP_C_HEX) && !sip_one_of(u->user.p[i], "+-.()*#"))
			return sip_refuse(why, SIP_FAULT_URI, u->user);
	if (!u->user.n || (params && !params_good(u->params)))
		return sip_refuse(why, SIP_FAULT_URI, t);
	return 0;
}

static int parse_opaque(struct sip_uri *u, struct text t, struct sip_refusal *why)
{
	u->opaque = t;
	if (!t.n)
		return sip_refuse(why, SIP_FAULT_URI, u->whole);
	for (size_t i = 0; i < t.n; i++)
		if ((unsigned char)t.p[i] <= 0x20 || (unsigned char)t.p[i] >= 0x7f || sip_one_of(t.p[i], "<>\"\\^`{|}"))
			return sip_refuse(why, SIP_FAULT_URI, u->whole);
	return 0;
}

int sip_uri_parse(struct sip_uri *u, struct text t, struct sip_refusal *why)
{
	size_t colon = 0;

	*u = (struct sip_uri){ .whole = t };
	while (colon < t.n && (sip_is(t.p[colon], SIP_C_ALPHA | SIP_C_DIGIT) || t.p[colon] == '+' || t.p[colon] == '-' || t.p[colon] == '.'))
		colon++;
	if (!colon || colon == t.n || t.p[colon] != ':' || !sip_is(t.p[0], SIP_C_ALPHA))
		return sip_refuse(why, SIP_FAULT_URI, t);
	u->scheme_text = text_head(t, colon);
	if (!escapes_good(t))
		return sip_refuse(why, SIP_FAULT_URI_ESCAPE, t);
	t = text_skip(t, colon + 1);
	if (text_is_nocase(u->scheme_text, "sip"))
		u->scheme = SIP_SCHEME_SIP;
	else if (text_is_nocase(u->scheme_text, "sips"))
		u->scheme = SIP_SCHEME_SIPS;
	else if (text_is_nocase(u->scheme_text, "tel"))
		u->scheme = SIP_SCHEME_TEL;
	else
		return parse_opaque(u, t, why);
	return u->scheme == SIP_SCHEME_TEL ? parse_tel(u, t, why) : parse_sip(u, t, why);
}

static bool pair_find(struct text list, char separator, const char *wanted, struct text *found)
{
	struct text item, name, value;
	bool more = list.n > 0;

	while (more) {
		more = text_cut(list, separator, &item, &list);
		if (!text_cut(item, '=', &name, &value))
			value = TEXT_NONE;
		if (text_is_nocase(name, wanted)) {
			if (found)
				*found = value;
			return true;
		}
	}
	return false;
}

bool sip_uri_param(const struct sip_uri *u, const char *name, struct text *value)
{
	return pair_find(u->params, ';', name, value);
}

bool sip_uri_header(const struct sip_uri *u, const char *name, struct text *value)
{
	return pair_find(u->headers, '&', name, value);
}

bool sip_uri_is_loose(const struct sip_uri *u)
{
	return sip_uri_param(u, "lr", NULL);
}

bool sip_uri_is_gruu(const struct sip_uri *u)
{
	return sip_uri_param(u, "gr", NULL) || sip_uri_param(u, "gruu", NULL);
}

bool sip_uri_app(const struct sip_uri *u, struct text *app)
{
	struct text value;

	if (!sip_uri_param(u, "opaque", &value) || !text_starts_nocase(value, "app:"))
		return false;
	*app = text_skip(value, 4);
	return true;
}

bool sip_uri_is_voicemail(const struct sip_uri *u)
{
	struct text app, name, rest;

	if (!sip_uri_app(u, &app))
		return false;
	text_cut(app, ':', &name, &rest);
	return text_is_nocase(name, "voicemail");
}

int sip_unescape(struct text t, char *dst, size_t size)
{
	size_t n = 0;

	if (size)
		dst[0] = '\0';
	for (size_t i = 0; i < t.n; i++) {
		unsigned c = (unsigned char)t.p[i];

		if (c == '%') {
			if (t.n - i < 3 || !sip_is(t.p[i + 1], SIP_C_HEX) || !sip_is(t.p[i + 2], SIP_C_HEX))
				goto bad;
			c = sip_hex(t.p[i + 1]) * 16 + sip_hex(t.p[i + 2]);
			i += 2;
		}
		if (c < 0x20 || c == 0x7f)
			goto bad;
		if (n + 1 >= size) {
			if (size)
				dst[0] = '\0';
			return ENAMETOOLONG;
		}
		dst[n++] = (char)c;
	}
	if (!size)
		return ENAMETOOLONG;
	dst[n] = '\0';
	return 0;
bad:
	if (size)
		dst[0] = '\0';
	return EBADMSG;
}

int sip_unescape_buf(struct text t, struct buf *out)
{
	if (!escapes_good(t))
		return EBADMSG;
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '%') {
			buf_char(out, (char)(sip_hex(t.p[i + 1]) * 16 + sip_hex(t.p[i + 2])));
			i += 2;
		} else {
			buf_char(out, t.p[i]);
		}
	}
	return buf_error(out);
}

bool sip_ipv6_equal(struct text a, struct text b)
{
	uint8_t x[16], y[16];

	return ipv6_bytes(a, x) && ipv6_bytes(b, y) && !memcmp(x, y, sizeof(x));
}
