/* SPDX-License-Identifier: Apache-2.0 */
/* writer.c  Lines of a message. Every text that comes from elsewhere goes through put_value(), the one place that keeps a value in its
 * line.                                                                                                                  */
#include <errno.h>
#include <stdarg.h>
#include "base/mem.h"
#include "sip/chars.h"
#include "sip/writer.h"

static void spoil(struct buf *b)
{
	if (!b->err)
		b->err = EINVAL;
}

/* Folding becomes one blank; any other CR, LF or NUL spoils the message, but for a NUL behind a backslash in text that was parsed. */
static void put_value(struct buf *b, struct text t, bool parsed)
{
	size_t from = 0;

	if (t.n && !memchr(t.p, '\r', t.n) && !memchr(t.p, '\n', t.n) && !memchr(t.p, '\0', t.n)) { /* nearly always */
		buf_text(b, t);
		return;
	}
	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i];

		if (c != '\r' && c != '\n' && c != '\0')
			continue;
		if (c == '\0' && parsed && i && t.p[i - 1] == '\\')
			continue;
		if (c != '\r' || t.n - i < 3 || t.p[i + 1] != '\n' || (t.p[i + 2] != ' ' && t.p[i + 2] != '\t')) {
			spoil(b);
			return;
		}
		buf_text(b, sip_trim(sip_slice(t, from, i)));
		buf_char(b, ' ');
		from = i + 2 + sip_span(t, i + 2, SIP_C_BLANK);
		i = from - 1;
	}
	buf_text(b, text_skip(t, from));
}

static void put_name(struct buf *b, const char *name)
{
	if (!sip_is_token(text_of(name)))
		spoil(b);
	buf_str(b, name);
	buf_str(b, ": ");
}

static void end_line(struct buf *b)
{
	buf_str(b, "\r\n");
}

void sip_put_request(struct buf *b, const char *method, struct text uri)
{
	struct sip_uri u;

	if (!sip_is_token(text_of(method)) || sip_uri_parse(&u, uri, NULL) || u.headers.n)
		spoil(b);
	buf_str(b, method);
	buf_char(b, ' ');
	buf_text(b, uri);
	buf_str(b, " SIP/2.0\r\n");
}

void sip_put_status(struct buf *b, unsigned status, const char *phrase)
{
	if (status < 100 || status > 699)
		spoil(b);
	if (!phrase)
		phrase = sip_status_phrase(status);
	buf_str(b, "SIP/2.0 ");
	buf_uint(b, status);
	buf_char(b, ' ');
	for (size_t n; *phrase; phrase += n) {
		for (n = 0; (unsigned char)phrase[n] >= 0x20 && phrase[n] != 0x7f; n++)
			;
		buf_put(b, phrase, n);
		if (phrase[n]) {
			buf_char(b, ' ');
			n++;
		}
	}
	end_line(b);
}

void sip_put_header(struct buf *b, const char *name, struct text value)
{
	put_name(b, name);
	put_value(b, value, false);
	end_line(b);
}

void sip_put_str(struct buf *b, const char *name, const char *value)
{
	sip_put_header(b, name, text_of(value));
}

void sip_put_printf(struct buf *b, const char *name, const char *fmt, ...)
{
	char room[1024], *line = room;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room, sizeof(room), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(room) && (line = mem_alloc((size_t)n + 1)) != NULL) { /* a peer's URI may be as long as its message */
		va_start(ap, fmt);
		n = vsnprintf(line, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	if (!line && !b->err)
		b->err = ENOMEM;
	else if (n < 0)
		spoil(b);
	else if (line)
		sip_put_header(b, name, text_make(line, (size_t)n));
	if (line != room)
		mem_free(line);
}

void sip_put_uint(struct buf *b, const char *name, uint64_t value)
{
	put_name(b, name);
	buf_uint(b, value);
	end_line(b);
}

void sip_put_cseq(struct buf *b, uint32_t number, const char *method)
{
	if (!sip_is_token(text_of(method)) || number > INT32_MAX)
		spoil(b);
	buf_str(b, "CSeq: ");
	buf_uint(b, number);
	buf_char(b, ' ');
	buf_str(b, method);
	end_line(b);
}

void sip_put_max_forwards(struct buf *b)
{
	sip_put_uint(b, "Max-Forwards", SIP_MAX_FORWARDS);
}

static void put_hostport(struct buf *b, struct text host, uint16_t port)
{
	enum sip_host_kind kind;

	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = sip_slice(host, 1, host.n - 1);
	kind = sip_host_classify(host);
	if (kind == SIP_HOST_NONE)
		spoil(b);
	if (kind == SIP_HOST_IPV6)
		buf_char(b, '[');
	buf_text(b, host);
	if (kind == SIP_HOST_IPV6)
		buf_char(b, ']');
	if (port) {
		buf_char(b, ':');
		buf_uint(b, port);
	}
}

void sip_put_via(struct buf *b, const struct sip_via_prm *via)
{
	if (via->transport == SIP_TRANSPORT_OTHER || !sip_is_token(via->branch))
		spoil(b);
	buf_str(b, "Via: SIP/2.0/");
	buf_str(b, sip_transport_name(via->transport));
	buf_char(b, ' ');
	put_hostport(b, via->host, via->port);
	buf_str(b, ";branch=");
	buf_text(b, via->branch);
	if (via->rport)
		buf_str(b, ";rport");
	if (via->alias)
		buf_str(b, ";alias");
	end_line(b);
}

void sip_put_addr(struct buf *b, const char *name, const struct sip_addr_prm *a)
{
	struct sip_uri u;

	if (sip_uri_parse(&u, a->uri, NULL) || (a->tag.n && !sip_is_token(a->tag)) || sip_params_check(a->params))
		spoil(b);
	put_name(b, name);
	if (a->display.n) {
		sip_put_quoted(b, a->display);
		buf_char(b, ' ');
	}
	buf_char(b, '<');
	buf_text(b, a->uri);
	buf_char(b, '>');
	if (a->tag.n) {
		buf_str(b, ";tag=");
		buf_text(b, a->tag);
	}
	if (a->params.n) {
		buf_char(b, ';');
		put_value(b, a->params, false);
	}
	end_line(b);
}

void sip_put_escaped(struct buf *b, struct text t, const char *also)
{
	for (size_t i = 0; i < t.n; i++) {
		if (sip_is(t.p[i], SIP_C_UNRESERVED) || sip_one_of(t.p[i], also))
			buf_char(b, t.p[i]);
		else
			buf_printf(b, "%%%02X", (unsigned char)t.p[i]);
	}
}

void sip_put_escaped_user(struct buf *b, struct text t)
{
	sip_put_escaped(b, t, "&=+$,;?/");
}

void sip_put_uri(struct buf *b, const struct sip_uri_prm *u)
{
	static const char *const schemes[] = { [SIP_SCHEME_SIP] = "sip:", [SIP_SCHEME_SIPS] = "sips:", [SIP_SCHEME_TEL] = "tel:" };
	size_t from = b->n;
	struct sip_uri check;

	if (u->scheme != SIP_SCHEME_SIP && u->scheme != SIP_SCHEME_SIPS && u->scheme != SIP_SCHEME_TEL) {
		spoil(b);
		return;
	}
	buf_str(b, schemes[u->scheme]);
	if (u->scheme == SIP_SCHEME_TEL) {
		buf_text(b, u->user);
	} else {
		if (u->user.n) {
			sip_put_escaped_user(b, u->user);
			buf_char(b, '@');
		}
		put_hostport(b, u->host, u->port);
	}
	if (u->params.n) {
		buf_char(b, ';');
		buf_text(b, u->params);
	}
	if (u->headers.n) {
		buf_char(b, '?');
		buf_text(b, u->headers);
	}
	/* what was put together must read as one URI again, or some part of it meant to be more than its place allows */
	if (!b->err && sip_uri_parse(&check, text_skip(buf_as_text(b), from), NULL))
		spoil(b);
}

/* Length of the UTF-8 sequence at p, 0 if it is broken or deceives the eye (direction marks). */
static size_t utf8_good(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (len == 3) {
		unsigned c = (p[0] & 15u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u);

		if (c < 0x800 || (c >= 0xd800 && c <= 0xdfff) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069))
			return 0;
	}
	if (len == 4 && ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)))
		return 0;
	return len;
}

void sip_put_quoted(struct buf *b, struct text t)
{
	buf_char(b, '"');
	for (size_t i = 0; i < t.n;) {
		size_t len = utf8_good((const unsigned char *)t.p + i, t.n - i);

		if (!len) {
			buf_char(b, '?');
			i++;
			continue;
		}
		if (t.p[i] == '"' || t.p[i] == '\\')
			buf_char(b, '\\');
		if ((unsigned char)t.p[i] < 0x20 || t.p[i] == 0x7f)
			buf_char(b, ' ');
		else
			buf_put(b, t.p + i, len);
		i += len;
	}
	buf_char(b, '"');
}

void sip_put_copy(struct buf *b, const struct sip_msg *msg, enum sip_hdr_id id)
{
	for (const struct sip_hdr *h = sip_msg_hdr(msg, id); h; h = sip_msg_hdr_next(msg, h)) {
		put_name(b, sip_hdr_name(id));
		put_value(b, h->value, true);
		end_line(b);
	}
}

void sip_put_copy_as(struct buf *b, const struct sip_msg *msg, enum sip_hdr_id id, const char *name, bool reverse)
{
	struct text items[SIP_HEADERS_MAX], item;
	struct sip_iter it = sip_iter_of(msg, id);
	unsigned n = 0;
	int err;

	while ((err = sip_iter_next(&it, &item)) == 0) {
		if (n == SIP_HEADERS_MAX) {
			spoil(b);
			return;
		}
		items[n++] = item;
	}
	if (err != ENOENT)
		spoil(b);
	for (unsigned i = 0; i < n; i++) {
		put_name(b, name);
		put_value(b, items[reverse ? n - 1 - i : i], true);
		end_line(b);
	}
}

void sip_put_end(struct buf *b)
{
	buf_str(b, "Content-Length: 0\r\n\r\n");
}

void sip_put_body(struct buf *b, const char *type, struct text body)
{
	sip_put_str(b, "Content-Type", type);
	sip_put_uint(b, "Content-Length", body.n);
	end_line(b);
	buf_text(b, body);
}

/* ---- responses ---- */
static bool same_address(struct text a, struct text b)
{
	return text_eq_nocase(a, b) || sip_ipv6_equal(a, b);
}

/* The top Via: what the peer said of itself, corrected by what we saw (RFC 3261 18.2.1, RFC 3581 4). */
static void put_top_via(struct buf *b, const struct sip_via *via, const struct sip_response_prm *prm)
{
	struct text rest = via->params, name, value;
	bool seen = prm->received.n && (via->has_rport || !same_address(via->host, prm->received));

	if (sip_params_check(via->params)) {
		put_value(b, via->whole, true);
		return;
	}
	put_value(b, sip_trim(text_head(via->whole, via->params.n ? (size_t)(via->params.p - via->whole.p) - 1 : via->whole.n)), true);
	while (!sip_param_next(&rest, &name, &value)) {
		if (text_is_nocase(name, "received"))
			continue;
		buf_char(b, ';');
		put_value(b, name, true);
		if (text_is_nocase(name, "rport")) {
			if (prm->rport) {
				buf_char(b, '=');
				buf_uint(b, prm->rport);
			}
		} else if (value.n) {
			buf_char(b, '=');
			put_value(b, value, true);
		}
	}
	if (seen) {
		if (sip_host_classify(prm->received) == SIP_HOST_NONE)
			spoil(b);
		buf_str(b, ";received=");
		buf_text(b, prm->received);
	}
}

static void put_vias(struct buf *b, const struct sip_msg *req, const struct sip_response_prm *prm)
{
	struct sip_iter it = sip_iter_of(req, SIP_HDR_VIA);
	struct text item;
	bool top = true;
	int err;

	while ((err = sip_iter_next(&it, &item)) == 0)
		;
	if (err != ENOENT) { /* refused, and answered with what came */
		sip_put_copy(b, req, SIP_HDR_VIA);
		return;
	}
	for (it = sip_iter_of(req, SIP_HDR_VIA); !sip_iter_next(&it, &item); top = false) {
		buf_str(b, "Via: ");
		if (top)
			put_top_via(b, &req->via, prm);
		else
			put_value(b, item, true);
		end_line(b);
	}
}

/* What cannot stand in a line, as a NUL that is refused, is left out of the answer rather than the answer. */
static void end_line_or_none(struct buf *b, size_t before)
{
	end_line(b);
	if (b->err == EINVAL) {
		b->n = before;
		b->err = 0;
	}
}

/* Once, also where it came twice and is refused for that. */
static void put_back(struct buf *b, const struct sip_msg *req, enum sip_hdr_id id)
{
	size_t before = b->n;

	if (!req->first[id] || b->err)
		return;
	put_name(b, sip_hdr_name(id));
	put_value(b, sip_msg_value(req, id), true);
	end_line_or_none(b, before);
}

static void put_to(struct buf *b, const struct sip_msg *req, const struct sip_response_prm *prm)
{
	size_t before = b->n;

	if (!req->first[SIP_HDR_TO] || b->err)
		return;
	buf_str(b, "To: ");
	put_value(b, sip_msg_value(req, SIP_HDR_TO), true);
	if (!req->to_tag.n && prm->to_tag.n && prm->status != 100 && sip_is_token(prm->to_tag)) {
		buf_str(b, ";tag=");
		buf_text(b, prm->to_tag);
	}
	end_line_or_none(b, before);
}

void sip_put_response(struct buf *b, const struct sip_msg *req, const struct sip_response_prm *prm)
{
	sip_put_status(b, prm->status, prm->phrase);
	put_vias(b, req, prm);
	if (prm->status == 100)
		sip_put_copy(b, req, SIP_HDR_TIMESTAMP);
	if (prm->status > 100 && prm->status < 300 &&
	    (req->method == SIP_INVITE || req->method == SIP_SUBSCRIBE || req->method == SIP_NOTIFY || req->method == SIP_REFER))
		sip_put_copy(b, req, SIP_HDR_RECORD_ROUTE);
	put_back(b, req, SIP_HDR_FROM);
	put_to(b, req, prm);
	put_back(b, req, SIP_HDR_CALL_ID);
	put_back(b, req, SIP_HDR_CSEQ);
}

/* ---- answers to what sip_msg_check() refused ---- */
void sip_put_allow(struct buf *b, uint32_t methods)
{
	bool first = true;

	buf_str(b, "Allow: ");
	for (unsigned m = 1; m < SIP_METHODS; m++) {
		if (!(methods & 1u << m))
			continue;
		buf_str(b, first ? "" : ", ");
		buf_str(b, sip_method_name((enum sip_method)m));
		first = false;
	}
	end_line(b);
}

static void put_unsupported(struct buf *b, const struct sip_msg *req, const struct sip_served *served)
{
	struct sip_iter it = sip_iter_of(req, SIP_HDR_REQUIRE);
	struct text item;

	while (!sip_iter_next(&it, &item)) {
		const char *const *e = served->extensions;

		while (e && *e && !text_is_nocase(item, *e))
			e++;
		if ((!e || !*e) && sip_is_token(item))
			sip_put_header(b, "Unsupported", item);
	}
}

void sip_put_refusal_headers(struct buf *b, const struct sip_msg *req, const struct sip_served *served, const struct sip_refusal *why)
{
	switch (why->fault) {
	case SIP_FAULT_METHOD_NOT_ALLOWED:
		sip_put_allow(b, served->methods);
		break;
	case SIP_FAULT_BAD_EXTENSION:
		put_unsupported(b, req, served);
		break;
	case SIP_FAULT_MEDIA_TYPE:
		for (const char *const *t = served->body_types; t && *t; t++)
			sip_put_str(b, "Accept", *t);
		break;
	case SIP_FAULT_BODY_ENCODING:
		sip_put_str(b, "Accept-Encoding", "identity");
		break;
	default:
		break;
	}
}
