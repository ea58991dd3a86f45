/* SPDX-License-Identifier: Apache-2.0 */
/* multipart.c  Finds one part in a multipart body (RFC 2046 5.1, RFC 5621), bounded in depth and number. */
#include <errno.h>
#include <string.h>
#include "sip/chars.h"
#include "sip/lines.h"
#include "sip/message.h"
#include "sip/sdp.h"

enum { DEPTH_MAX = 3, PARTS_MAX = 32, BOUNDARY_MAX = 70 };

typedef bool (likes_h)(struct text body);

/* What is looked for, what was found, and how much may still be looked at. */
struct search {
	const char *type, *subtype;
	likes_h *likes; /* which alternative can be used at all; NULL: any */
	struct text found;
	unsigned finds, parts;
	struct sip_refusal *why;
};

/* What the headers of a part (or of the message) say about it. */
struct part {
	struct sip_media_type type;
	bool usable; /* neither encoded nor for another purpose */
	struct text body;
};

static int look(struct search *s, const struct part *part, unsigned depth);

static bool plain_encoding(struct text t)
{
	return text_is_nocase(t, "7bit") || text_is_nocase(t, "8bit") || text_is_nocase(t, "binary") || text_is_nocase(t, "identity");
}

static bool session_disposition(struct text t)
{
	struct text kind, params;

	text_cut(t, ';', &kind, &params);
	kind = sip_trim(kind);
	return text_is_nocase(kind, "session") || text_is_nocase(kind, "render");
}

static size_t skip_blanks(struct text t, size_t at)
{
	while (at < t.n && (t.p[at] == ' ' || t.p[at] == '\t'))
		at++;
	return at;
}

/* A line that is "--boundary", maybe with "--" or blanks behind; index in t or SIZE_MAX. */
static size_t find_delimiter(struct text t, size_t from, struct text delimiter)
{
	while (from < t.n) {
		size_t at = text_find_text(text_skip(t, from), delimiter), end;

		if (at == SIZE_MAX)
			return SIZE_MAX;
		at += from;
		end = at + delimiter.n;
		if ((at == 0 || (at >= 2 && t.p[at - 1] == '\n' && t.p[at - 2] == '\r')) &&
		    (text_starts(text_skip(t, end), "--") || text_starts(text_skip(t, skip_blanks(t, end)), "\r\n")))
			return at;
		from = at + 1;
	}
	return SIZE_MAX;
}

static int read_part(struct part *part, struct text t, struct sip_refusal *why)
{
	struct text name, value;
	int err;

	*part = (struct part){ .type = { TEXT("text"), TEXT("plain"), TEXT_NONE }, .usable = true };
	while ((err = sip_header_next(&t, &name, &value, why)) == 0) {
		if (sip_hdr_id_of(name) == SIP_HDR_CONTENT_TYPE) {
			if (sip_media_type_parse(&part->type, value, why))
				return EBADMSG;
		} else if (sip_hdr_id_of(name) == SIP_HDR_CONTENT_DISPOSITION) {
			part->usable = part->usable && session_disposition(value);
		} else if (text_is_nocase(name, "Content-Transfer-Encoding") || sip_hdr_id_of(name) == SIP_HDR_CONTENT_ENCODING) {
			part->usable = part->usable && plain_encoding(value);
		}
	}
	part->body = t;
	return err == ENOENT ? 0 : err;
}

/* Each part between two delimiters, until the last or until found. */
static int walk(struct search *s, struct text t, struct text delimiter, bool best_is_last, unsigned depth)
{
	size_t at = find_delimiter(t, 0, delimiter);

	while (at != SIZE_MAX) {
		size_t from = at + delimiter.n, end;
		unsigned before = s->finds;
		struct part part;
		int err;

		if (text_starts(text_skip(t, from), "--"))
			return 0;
		if (++s->parts > PARTS_MAX)
			return sip_refuse(s->why, SIP_FAULT_MULTIPART_DEPTH, TEXT_NONE);
		from = skip_blanks(t, from) + 2;
		/* the line end before a delimiter belongs to it; of a part without anything, to the line before */
		at = find_delimiter(t, from, delimiter);
		if (at == SIZE_MAX)
			break;
		end = at >= from + 2 ? at - 2 : from;
		err = read_part(&part, sip_slice(t, from, end), s->why);
		if (!err)
			err = look(s, &part, depth);
		if (err || (s->finds != before && !best_is_last))
			return err;
	}
	return sip_refuse(s->why, SIP_FAULT_MULTIPART, TEXT_NONE);
}

static int look(struct search *s, const struct part *part, unsigned depth)
{
	char delimiter[2 + BOUNDARY_MAX + 1];
	struct text boundary;

	if (!part->usable)
		return 0;
	if (sip_media_type_is(&part->type, s->type, s->subtype)) {
		/* a later alternative is better, unless only the earlier one can be used */
		if (!s->finds++ || !s->likes || s->likes(part->body) || !s->likes(s->found))
			s->found = part->body;
		return 0;
	}
	if (!text_is_nocase(part->type.type, "multipart"))
		return 0;
	if (depth == DEPTH_MAX)
		return sip_refuse(s->why, SIP_FAULT_MULTIPART_DEPTH, TEXT_NONE);
	if (!sip_param_find(part->type.params, "boundary", &boundary) || !boundary.n || boundary.n > BOUNDARY_MAX ||
	    text_print(delimiter, sizeof(delimiter), "--%.*s", TEXT_FMT(boundary)))
		return sip_refuse(s->why, SIP_FAULT_MULTIPART_BOUNDARY, TEXT_NONE);
	return walk(s, part->body, text_of(delimiter), text_is_nocase(part->type.subtype, "alternative"), depth + 1);
}

static int find_part(const struct sip_msg *msg, struct search s, struct text *part)
{
	struct sip_refusal *why = s.why;
	struct part whole = { .usable = true, .body = msg->body };
	const struct sip_hdr *h = sip_msg_hdr(msg, SIP_HDR_CONTENT_DISPOSITION);
	int err;

	if (!msg->body.n || !msg->first[SIP_HDR_CONTENT_TYPE])
		return ENOENT;
	err = sip_media_type_parse(&whole.type, sip_msg_value(msg, SIP_HDR_CONTENT_TYPE), why);
	if (err)
		return err;
	if (h)
		whole.usable = session_disposition(h->value);
	for (h = sip_msg_hdr(msg, SIP_HDR_CONTENT_ENCODING); h; h = sip_msg_hdr_next(msg, h))
		whole.usable = whole.usable && plain_encoding(h->value);
	err = look(&s, &whole, 0);
	if (err)
		return err;
	if (!s.finds)
		return ENOENT;
	*part = s.found;
	return 0;
}

int sip_msg_part(const struct sip_msg *msg, const char *type, const char *subtype, struct text *part, struct sip_refusal *why)
{
	return find_part(msg, (struct search){ .type = type, .subtype = subtype, .why = why }, part);
}

static bool has_plain_audio(struct text body)
{
	struct sdp sdp;

	if (sdp_parse(&sdp, body, NULL))
		return false;
	for (unsigned i = 0; i < sdp.n_media; i++)
		if (sdp_is_plain_audio(&sdp.media[i]))
			return true;
	return false;
}

int sip_msg_sdp(const struct sip_msg *msg, struct text *sdp, struct sip_refusal *why)
{
	int err = find_part(msg, (struct search){ .type = "application", .subtype = "sdp", .likes = has_plain_audio, .why = why }, sdp);

	/* It is kept as a string: what is judged shall not be less than what came. */
	return !err && memchr(sdp->p, '\0', sdp->n) ? sip_refuse(why, SIP_FAULT_SDP_LINE, TEXT_NONE) : err;
}
