/* SPDX-License-Identifier: Apache-2.0 */
/* summary.c  message-summary (RFC 3842 5.2) and sipfrag (RFC 3420). */
#include <errno.h>
#include "sip/chars.h"
#include "sip/summary.h"

void sip_summary_put(struct buf *b, const struct sip_summary *s)
{
	for (size_t i = 0; i < s->account.n; i++) {
		if ((unsigned char)s->account.p[i] < 0x20 || s->account.p[i] == 0x7f) {
			if (!b->err)
				b->err = EINVAL;
			return;
		}
	}
	buf_printf(b, "Messages-Waiting: %s\r\n", s->waiting ? "yes" : "no");
	if (s->account.n) {
		buf_str(b, "Message-Account: ");
		buf_text(b, s->account);
		buf_str(b, "\r\n");
	}
	if (s->has_voice) {
		buf_printf(b, "Voice-Message: %u/%u", s->fresh, s->old);
		if (s->urgent_fresh || s->urgent_old)
			buf_printf(b, " (%u/%u)", s->urgent_fresh, s->urgent_old);
		buf_str(b, "\r\n");
	}
}

/* "8/3" and what is behind it. */
static int parse_pair(struct text *t, uint32_t *a, uint32_t *b)
{
	struct text first, second;
	size_t end;

	*t = sip_trim(*t);
	if (!text_cut(*t, '/', &first, &second))
		return EBADMSG;
	second = sip_trim(second);
	end = sip_span(second, 0, SIP_C_DIGIT);
	if (text_u32(sip_trim(first), UINT32_MAX, a) || text_u32(text_head(second, end), UINT32_MAX, b))
		return EBADMSG;
	*t = sip_trim(text_skip(second, end));
	return 0;
}

static int parse_voice(struct sip_summary *s, struct text t)
{
	struct text inside, rest;

	s->has_voice = true;
	if (parse_pair(&t, &s->fresh, &s->old))
		return EBADMSG;
	if (!t.n)
		return 0;
	if (t.p[0] != '(' || !text_cut(text_skip(t, 1), ')', &inside, &rest) || sip_trim(rest).n)
		return EBADMSG;
	return parse_pair(&inside, &s->urgent_fresh, &s->urgent_old) || inside.n ? EBADMSG : 0;
}

int sip_summary_parse(struct sip_summary *s, struct text body, struct sip_refusal *why)
{
	struct text rest = body, line, name, value;
	bool have = false;

	*s = (struct sip_summary){ 0 };
	while (rest.n) {
		text_cut(rest, '\n', &line, &rest);
		line = sip_trim(line);
		if (!line.n)
			continue;
		if (!text_cut(line, ':', &name, &value))
			return sip_refuse(why, SIP_FAULT_SUMMARY, line);
		name = sip_trim(name);
		value = sip_trim(value);
		if (text_is_nocase(name, "Messages-Waiting")) {
			s->waiting = text_is_nocase(value, "yes");
			if (have || (!s->waiting && !text_is_nocase(value, "no")))
				return sip_refuse(why, SIP_FAULT_SUMMARY, line);
			have = true;
		} else if (text_is_nocase(name, "Message-Account")) {
			s->account = value;
		} else if (text_is_nocase(name, "Voice-Message")) {
			if (parse_voice(s, value))
				return sip_refuse(why, SIP_FAULT_SUMMARY, line);
		}
	}
	return have ? 0 : sip_refuse(why, SIP_FAULT_SUMMARY, TEXT_NONE);
}

int sip_sipfrag_parse(struct sip_sipfrag *f, struct text body, struct sip_refusal *why)
{
	struct text line, rest;
	uint32_t status;

	text_cut(body, '\n', &line, &rest);
	line = sip_trim(line);
	*f = (struct sip_sipfrag){ 0 };
	if (!text_starts_nocase(line, "SIP/2.0 ") || line.n < 11 || text_u32(sip_slice(line, 8, 11), 699, &status) || status < 100 ||
	    (line.n > 11 && line.p[11] != ' '))
		return sip_refuse(why, SIP_FAULT_SIPFRAG, line);
	f->status = status;
	f->phrase = text_skip(line, 12);
	return 0;
}

void sip_sipfrag_put(struct buf *b, unsigned status, const char *phrase)
{
	buf_printf(b, "SIP/2.0 %u ", status);
	for (phrase = phrase ? phrase : sip_status_phrase(status); *phrase; phrase++)
		buf_char(b, (unsigned char)*phrase < 0x20 || *phrase == 0x7f ? ' ' : *phrase);
	buf_str(b, "\r\n");
}
