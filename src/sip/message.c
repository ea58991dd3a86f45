/* SPDX-License-Identifier: Apache-2.0 */
/* message.c  Index of one message, in three passes over borrowed bytes:
 *
 *   start line -> header lines into the table (ids, chains) -> the typed ones -> where the body ends
 *
 * The first fault is the one that is told; later passes still run, so that a refused request can be answered.             */
#include <errno.h>
#include <string.h>
#include "sip/chars.h"
#include "sip/lines.h"
#include "sip/message.h"

enum { OFTEN_NONE, ONCE, LIST, MANY };
static const uint8_t often_of[SIP_HDR_IDS] = {
	[SIP_HDR_OTHER] = MANY,
#define HDR(name, wire, compact, often) [SIP_HDR_##name] = often,
#include "sip/headers.def"
#undef HDR
};

/* Keeps the first fault of a parse. */
struct first {
	struct sip_refusal *why;
	int err;
};

static void fail(struct first *f, enum sip_fault fault, struct text at)
{
	if (!f->err)
		f->err = sip_refuse(f->why, fault, at);
}

/* As fail(), with what a lower parser found. */
static void pass(struct first *f, int err, const struct sip_refusal *why)
{
	if (!f->err && err) {
		f->err = err;
		if (f->why)
			*f->why = *why;
	}
}

/* ---- start line ---- */
static void parse_status_line(struct sip_msg *msg, struct text line, struct first *f)
{
	uint32_t status;

	/* SIP/2.0 200 OK; the blank before an empty phrase is often forgotten */
	if (!text_starts_nocase(line, "SIP/2.0 "))
		fail(f, SIP_FAULT_VERSION, line);
	else if (line.n < 11 || (line.n > 11 && line.p[11] != ' ') || text_u32(sip_slice(line, 8, 11), 699, &status) || status < 100)
		fail(f, SIP_FAULT_STATUS_CODE, line);
	else {
		msg->status = status;
		msg->phrase = text_skip(line, 12);
	}
}

static void parse_request_line(struct sip_msg *msg, struct text line, struct first *f)
{
	struct text uri, version;
	struct sip_refusal why;
	int err;

	msg->request = true;
	text_cut(line, ' ', &msg->method_text, &uri);
	msg->method = sip_method_of(msg->method_text);
	if (!sip_is_token(msg->method_text)) {
		fail(f, SIP_FAULT_METHOD, msg->method_text);
		return;
	}
	if (!text_cut(uri, ' ', &uri, &version) || !uri.n || !version.n || text_find(version, ' ') != SIZE_MAX) {
		fail(f, SIP_FAULT_START_LINE, line);
		return;
	}
	if (!text_is_nocase(version, "SIP/2.0"))
		fail(f, text_starts_nocase(version, "SIP/") ? SIP_FAULT_VERSION : SIP_FAULT_START_LINE, version);
	err = sip_uri_parse(&msg->uri, uri, &why);
	pass(f, err, &why);
	if (!err && msg->uri.headers.n)
		fail(f, SIP_FAULT_REQUEST_URI_HEADERS, uri);
}

static void parse_start_line(struct sip_msg *msg, struct text line, struct first *f)
{
	if (text_starts_nocase(line, "SIP/"))
		parse_status_line(msg, line, f);
	else
		parse_request_line(msg, line, f);
}

/* ---- header table ---- */
static void add_header(struct sip_msg *msg, struct text name, struct text value, struct first *f)
{
	enum sip_hdr_id id = sip_hdr_id_of(name);
	struct sip_hdr *h;

	if (msg->n_hdr == SIP_HEADERS_MAX) {
		fail(f, SIP_FAULT_TOO_MANY_HEADERS, name);
		return;
	}
	h = &msg->hdr[msg->n_hdr++];
	*h = (struct sip_hdr){ id, 0, name, value };
	if (!msg->first[id]) {
		msg->first[id] = msg->n_hdr;
	} else {
		msg->hdr[msg->last[id] - 1].next = msg->n_hdr;
		if (often_of[id] == ONCE)
			fail(f, SIP_FAULT_HEADER_TWICE, name);
	}
	msg->last[id] = msg->n_hdr;
}

static void parse_headers(struct sip_msg *msg, struct text rest, struct first *f)
{
	struct text name, value;
	struct sip_refusal why;
	int err;

	while ((err = sip_header_next(&rest, &name, &value, &why)) != ENOENT) {
		if (err)
			pass(f, err, &why);
		else
			add_header(msg, name, value, f);
	}
}

/* A NUL byte may stand behind a backslash, in a quoted string (RFC 4475 3.1.1.2), and nowhere else. */
static void check_nul(struct text head, struct first *f)
{
	const char *p = head.p, *end = head.p + head.n;

	while (p < end && (p = memchr(p, 0, (size_t)(end - p)))) {
		if (p == head.p || p[-1] != '\\') {
			fail(f, SIP_FAULT_NUL_IN_HEAD, TEXT_NONE);
			return;
		}
		p++;
	}
}

/* ---- typed headers ---- */
static void parse_party(const struct sip_msg *msg, enum sip_hdr_id id, enum sip_fault missing, struct sip_addr *a, struct text *tag,
                        struct first *f)
{
	struct text rest, name, value;
	struct sip_refusal why;
	int err;

	if (!msg->first[id]) {
		fail(f, missing, TEXT_NONE);
		return;
	}
	err = sip_addr_parse(a, msg->hdr[msg->first[id] - 1].value, &why);
	pass(f, err, &why);
	if (err)
		return;
	if (a->star)
		fail(f, SIP_FAULT_ADDRESS, a->whole);
	rest = a->params;
	while (!sip_param_next(&rest, &name, &value)) {
		if (!text_is_nocase(name, "tag"))
			continue;
		if (tag->n || !sip_is_token(value))
			fail(f, SIP_FAULT_TAG, a->params);
		*tag = value;
	}
}

static void parse_via(struct sip_msg *msg, struct first *f)
{
	struct sip_iter it = sip_iter_of(msg, SIP_HDR_VIA);
	struct sip_refusal why;
	struct text item;
	int err = sip_iter_next(&it, &item);

	if (err) {
		fail(f, err == ENOENT ? SIP_FAULT_NO_VIA : SIP_FAULT_VIA, sip_msg_value(msg, SIP_HDR_VIA));
		return;
	}
	err = sip_via_parse(&msg->via, item, &why);
	pass(f, err, &why);
	while ((err = sip_iter_next(&it, &item)) == 0)
		;
	if (err != ENOENT)
		fail(f, SIP_FAULT_VIA, sip_msg_value(msg, SIP_HDR_VIA));
}

static void parse_cseq(struct sip_msg *msg, struct first *f)
{
	struct sip_refusal why;
	int err;

	if (!msg->first[SIP_HDR_CSEQ]) {
		fail(f, SIP_FAULT_NO_CSEQ, TEXT_NONE);
		return;
	}
	err = sip_cseq_parse(&msg->cseq, sip_msg_value(msg, SIP_HDR_CSEQ), &why);
	pass(f, err, &why);
	if (err)
		return;
	if (!msg->request) {
		msg->method = msg->cseq.method;
		msg->method_text = msg->cseq.method_text;
	} else if (!text_eq(msg->cseq.method_text, msg->method_text)) {
		fail(f, SIP_FAULT_CSEQ_METHOD, sip_msg_value(msg, SIP_HDR_CSEQ));
	}
}

/* Each item of a list is an address with its <> where the grammar wants them. */
static void check_addresses(const struct sip_msg *msg, enum sip_hdr_id id, enum sip_fault fault, struct first *f)
{
	struct sip_iter it = sip_iter_of(msg, id);
	struct sip_refusal why;
	struct sip_addr a;
	struct text item;
	unsigned count = 0;
	bool star = false;
	int err;

	while ((err = sip_iter_next(&it, &item)) == 0) {
		if (sip_addr_parse(&a, item, &why)) {
			pass(f, EBADMSG, &why);
			return;
		}
		count++;
		star = star || a.star;
		if (id == SIP_HDR_CONTACT) {
			struct text expires;
			uint32_t seconds;

			if (sip_param_find(a.params, "expires", &expires) && sip_expires_parse(expires, &seconds))
				fail(f, SIP_FAULT_EXPIRES, expires);
		} else if (!a.bracketed) {
			fail(f, fault, item);
		}
	}
	if (err != ENOENT)
		fail(f, fault, sip_msg_value(msg, id));
	/* Whoever begins a dialog is to be found at one place (8.1.1.8). */
	if (id == SIP_HDR_CONTACT && count > 1 && msg->request && msg->method == SIP_INVITE)
		fail(f, SIP_FAULT_CONTACT, sip_msg_value(msg, id));
	if (star && (count > 1 || msg->method != SIP_REGISTER))
		fail(f, SIP_FAULT_CONTACT_STAR, sip_msg_value(msg, id));
}

static void parse_small(struct sip_msg *msg, struct first *f)
{
	struct text t = sip_msg_value(msg, SIP_HDR_CALL_ID);
	struct sip_media_type type;
	uint32_t number;
	int64_t date;

	msg->call_id = t;
	if (!msg->first[SIP_HDR_CALL_ID])
		fail(f, SIP_FAULT_NO_CALL_ID, TEXT_NONE);
	else if (!sip_is_callid(t))
		fail(f, SIP_FAULT_CALL_ID, t);
	msg->max_forwards = SIP_MAX_FORWARDS;
	if (msg->first[SIP_HDR_MAX_FORWARDS]) {
		t = sip_msg_value(msg, SIP_HDR_MAX_FORWARDS);
		if (text_u32(t, 255, &number))
			fail(f, SIP_FAULT_MAX_FORWARDS, t);
		else
			msg->max_forwards = (uint8_t)number;
	}
	if (msg->first[SIP_HDR_EXPIRES] && sip_expires_parse(sip_msg_value(msg, SIP_HDR_EXPIRES), &number))
		fail(f, SIP_FAULT_EXPIRES, sip_msg_value(msg, SIP_HDR_EXPIRES));
	/* a response is not lost for its date */
	if (msg->request && msg->first[SIP_HDR_DATE] && sip_date_parse(sip_msg_value(msg, SIP_HDR_DATE), &date))
		fail(f, SIP_FAULT_DATE, sip_msg_value(msg, SIP_HDR_DATE));
	if (msg->first[SIP_HDR_CONTENT_TYPE] && sip_media_type_parse(&type, sip_msg_value(msg, SIP_HDR_CONTENT_TYPE), NULL))
		fail(f, SIP_FAULT_CONTENT_TYPE, sip_msg_value(msg, SIP_HDR_CONTENT_TYPE));
}

/* ---- body ---- */
static void find_body(struct sip_msg *msg, struct text rest, struct first *f)
{
	struct text value = sip_msg_value(msg, SIP_HDR_CONTENT_LENGTH);
	uint64_t length = rest.n;

	if (msg->first[SIP_HDR_CONTENT_LENGTH]) {
		int err = text_u64(value, UINT64_MAX, &length);

		if (err == ERANGE || (!err && length > SIP_BODY_MAX_BYTES))
			fail(f, SIP_FAULT_BODY_TOO_LARGE, value);
		else if (err)
			fail(f, SIP_FAULT_CONTENT_LENGTH, value);
		else if (length > rest.n)
			fail(f, SIP_FAULT_BODY_CUT, value);
	} else if (length > SIP_BODY_MAX_BYTES) {
		fail(f, SIP_FAULT_BODY_TOO_LARGE, TEXT_NONE);
	}
	msg->body = text_head(rest, length < rest.n ? (size_t)length : rest.n);
	msg->whole.n = (size_t)(msg->body.p - msg->whole.p) + msg->body.n;
}

static struct text skip_blank_lines(struct text t)
{
	while (t.n >= 2 && t.p[0] == '\r' && t.p[1] == '\n')
		t = text_skip(t, 2);
	return t;
}

/* Index of the CR LF CR LF, SIZE_MAX without one: from line end to line end, which is faster than memmem(). */
static size_t head_end(struct text t)
{
	const char *p = t.p, *end = t.p + t.n;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		p++;
		if (end - p < 2)
			break;
		if (p[0] == '\r' && p[1] == '\n' && p - t.p >= 2 && p[-2] == '\r')
			return (size_t)(p - t.p) - 2;
	}
	return SIZE_MAX;
}

int sip_msg_parse(struct sip_msg *msg, const void *p, size_t n, struct sip_refusal *why)
{
	struct first f = { why, 0 };
	struct text t = skip_blank_lines(text_make(p, n)), rest = t, line;
	size_t end;

	/* the header table is left as it is: n_hdr says how much of it counts */
	memset(msg, 0, offsetof(struct sip_msg, hdr));
	msg->whole = t;
	if (!t.n)
		return sip_refuse(why, SIP_FAULT_EMPTY, t);
	end = head_end(text_head(t, SIP_HEAD_MAX_BYTES + 4));
	if (end == SIZE_MAX) {
		fail(&f, t.n > SIP_HEAD_MAX_BYTES ? SIP_FAULT_HEAD_TOO_LARGE : SIP_FAULT_NO_END_OF_HEAD, TEXT_NONE);
		end = t.n < SIP_HEAD_MAX_BYTES ? t.n : SIP_HEAD_MAX_BYTES;
	}
	msg->head = text_head(t, end + 2);
	rest = msg->head;
	switch (sip_line_next(&rest, &line)) {
	case ENOENT:
		return f.err ? f.err : sip_refuse(why, SIP_FAULT_LINE_END, TEXT_NONE);
	case EBADMSG: /* what stands behind it says where the refusal goes */
		fail(&f, SIP_FAULT_LINE_END, line);
		break;
	default:
		break;
	}
	check_nul(msg->head, &f);
	parse_start_line(msg, line, &f);
	parse_headers(msg, rest, &f);
	parse_via(msg, &f);
	parse_party(msg, SIP_HDR_FROM, SIP_FAULT_NO_FROM, &msg->from, &msg->from_tag, &f);
	parse_party(msg, SIP_HDR_TO, SIP_FAULT_NO_TO, &msg->to, &msg->to_tag, &f);
	parse_cseq(msg, &f);
	parse_small(msg, &f);
	check_addresses(msg, SIP_HDR_CONTACT, SIP_FAULT_CONTACT, &f);
	check_addresses(msg, SIP_HDR_RECORD_ROUTE, SIP_FAULT_ROUTE, &f);
	check_addresses(msg, SIP_HDR_ROUTE, SIP_FAULT_ROUTE, &f);
	find_body(msg, text_skip(t, end + 4), &f);
	return f.err;
}

bool sip_msg_answerable(const struct sip_msg *msg)
{
	return msg->request && msg->method != SIP_ACK && msg->via.host.n;
}

struct text sip_message_shown(struct text bytes)
{
	size_t body = text_find_text(bytes, TEXT("\r\n\r\n"));
	bool keys = text_starts(bytes, "INFO ") && body != SIZE_MAX;
	return text_head(keys ? text_head(bytes, body + 4) : bytes, 6000);
}
