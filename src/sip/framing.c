/* SPDX-License-Identifier: Apache-2.0 */
/* framing.c  A stream cut into messages. Each byte is looked at once for the end of the head; where it was seen, Content-Length decides.
 * Two ways of reading one head would let requests be smuggled, so the lines are taken apart by lines.c, as in the parser. */
#include <errno.h>
#include <string.h>
#include "sip/chars.h"
#include "sip/framing.h"
#include "sip/lines.h"

enum {
	FEED_MAX = 65536,
	IN_MAX = SIP_HEAD_MAX_BYTES + SIP_BODY_MAX_BYTES + 2 * FEED_MAX,
	KEEP_MAX = 16384, /* an idle connection keeps no more than that */
	TLS_HANDSHAKE = 0x16,
};

void sip_framer_init(struct sip_framer *f)
{
	*f = (struct sip_framer){ 0 };
	buf_init(&f->in, IN_MAX);
}

void sip_framer_free(struct sip_framer *f)
{
	buf_free(&f->in);
	sip_framer_init(f);
}

static struct text view(const struct sip_framer *f)
{
	return text_skip(buf_as_text(&f->in), f->at);
}

int sip_framer_feed(struct sip_framer *f, const void *p, size_t n)
{
	int err;

	if (f->bad)
		return 0;
	if (f->at) {
		buf_consume(&f->in, f->at);
		f->at = 0;
	}
	err = buf_put(&f->in, p, n);
	if (err) {
		f->bad = true;
		sip_refuse(&f->why, SIP_FAULT_NONE, TEXT_NONE);
	}
	return err;
}

static void taken(struct sip_framer *f, size_t n)
{
	f->at += n;
	f->scanned = 0;
	f->need = 0;
}

static enum sip_frame_kind fail(struct sip_framer *f, enum sip_fault fault, struct text head, struct sip_frame *frame)
{
	f->bad = true;
	sip_refuse(&f->why, fault, TEXT_NONE);
	*frame = (struct sip_frame){ head, f->why };
	return SIP_FRAME_BAD;
}

/* Looks on for the blank line. *end is behind it, 0 when it is not there yet. EBADMSG for a line that ends otherwise. */
static int find_head(struct sip_framer *f, struct text t, size_t *end)
{
	size_t at = f->scanned;

	*end = 0;
	while (at < t.n) {
		const char *lf = memchr(t.p + at, '\n', t.n - at);

		if (!lf)
			break;
		at = (size_t)(lf - t.p) + 1;
		if (at < 2 || t.p[at - 2] != '\r')
			return EBADMSG;
		if (at >= 4 && t.p[at - 3] == '\n' && t.p[at - 4] == '\r') {
			*end = at;
			return 0;
		}
	}
	f->scanned = t.n;
	return 0;
}

/* Content-Length of a head. */
static enum sip_fault body_length(struct text head, size_t *length)
{
	struct text line, name, value;
	uint64_t n = 0;
	bool have = false;
	int err;

	sip_line_next(&head, &line); /* the start line is the parser's business */
	for (;;) {
		/* Its name, Content-Length or l, begins its line. */
		bool may_be = head.n && strchr("CcLl", head.p[0]);
		err = may_be ? sip_header_next(&head, &name, &value, NULL) : sip_header_skip(&head);
		if (err == ENOENT)
			break;
		if (err || !may_be || sip_hdr_id_of(name) != SIP_HDR_CONTENT_LENGTH)
			continue;
		if (have)
			return SIP_FAULT_HEADER_TWICE;
		err = text_u64(value, UINT64_MAX, &n);
		if (err == ERANGE || (!err && n > SIP_BODY_MAX_BYTES))
			return SIP_FAULT_BODY_TOO_LARGE;
		if (err)
			return SIP_FAULT_CONTENT_LENGTH;
		have = true;
	}
	*length = (size_t)n;
	return have ? SIP_FAULT_NONE : SIP_FAULT_NO_CONTENT_LENGTH;
}

/* Blank lines between messages. SIP_FRAME_MESSAGE: there are none. */
static enum sip_frame_kind keep_alive(struct sip_framer *f, struct text t, struct sip_frame *frame)
{
	bool was_half = f->half;

	f->half = false;
	if (t.p[0] == '\r' && t.n == 1) {
		f->half = was_half;
		return SIP_FRAME_MORE;
	}
	if (!text_starts(t, "\r\n"))
		return SIP_FRAME_MESSAGE;
	*frame = (struct sip_frame){ 0 };
	if (was_half || text_starts(t, "\r\n\r\n")) {
		taken(f, was_half ? 2 : 4);
		return SIP_FRAME_PING;
	}
	if (t.n == 3 && t.p[2] == '\r') /* half of the second CR LF */
		return SIP_FRAME_MORE;
	taken(f, 2);
	f->half = t.n == 2;
	return SIP_FRAME_PONG;
}

static enum sip_frame_kind find_message(struct sip_framer *f, struct text t, struct sip_frame *frame)
{
	if (!f->need) {
		size_t end, length = 0;
		enum sip_fault fault;

		if (!sip_is(t.p[0], SIP_C_TOKEN))
			return fail(f, t.p[0] == TLS_HANDSHAKE ? SIP_FAULT_TLS_ON_PLAIN : SIP_FAULT_START_LINE, TEXT_NONE, frame);
		if (find_head(f, t, &end))
			return fail(f, SIP_FAULT_LINE_END, TEXT_NONE, frame);
		if (end > SIP_HEAD_MAX_BYTES || (!end && t.n > SIP_HEAD_MAX_BYTES))
			return fail(f, SIP_FAULT_HEAD_TOO_LARGE, text_head(t, SIP_HEAD_MAX_BYTES), frame);
		if (!end)
			return SIP_FRAME_MORE;
		fault = body_length(text_head(t, end), &length);
		if (fault)
			return fail(f, fault, text_head(t, end), frame);
		f->need = end + length;
		f->head = end;
	}
	if (t.n < f->need)
		return SIP_FRAME_MORE;
	*frame = (struct sip_frame){ .message = text_head(t, f->need) };
	taken(f, f->need);
	return SIP_FRAME_MESSAGE;
}

enum sip_frame_kind sip_framer_next(struct sip_framer *f, struct sip_frame *frame)
{
	struct text t = view(f);
	enum sip_frame_kind kind;

	*frame = (struct sip_frame){ 0 };
	if (f->bad) {
		frame->why = f->why;
		return SIP_FRAME_BAD;
	}
	if (!t.n) {
		f->at = 0;
		if (f->in.room > KEEP_MAX)
			buf_free(&f->in);
		else
			buf_clear(&f->in);
		return SIP_FRAME_MORE;
	}
	kind = f->need ? SIP_FRAME_MESSAGE : keep_alive(f, t, frame);
	return kind == SIP_FRAME_MESSAGE ? find_message(f, t, frame) : kind;
}

bool sip_framer_midway(const struct sip_framer *f)
{
	return !f->bad && view(f).n > 0;
}

struct text sip_framer_give_up(struct sip_framer *f)
{
	f->bad = true;
	sip_refuse(&f->why, f->need ? SIP_FAULT_BODY_CUT : SIP_FAULT_NO_END_OF_HEAD, TEXT_NONE);
	return f->need ? text_head(view(f), f->head) : text_head(view(f), SIP_HEAD_MAX_BYTES);
}
