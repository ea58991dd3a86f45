/* SPDX-License-Identifier: Apache-2.0 */
/* lines.c  Lines end with CR LF and nothing else: whoever takes a lone LF for an end sees other headers than its neighbour does. */
#include <errno.h>
#include <string.h>
#include "sip/chars.h"
#include "sip/lines.h"

int sip_line_next(struct text *rest, struct text *line)
{
	const char *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n;

	if (!lf)
		return ENOENT;
	n = (size_t)(lf - rest->p);
	*line = text_head(*rest, n ? n - 1 : 0);
	*rest = text_skip(*rest, n + 1);
	if (!n || lf[-1] != '\r' || (line->n && memchr(line->p, '\r', line->n)))
		return EBADMSG;
	return 0;
}

static bool folded(struct text rest)
{
	return rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t');
}

/* One header field's lines, folding included, without the last line's end. ENOENT: there are no more; EBADMSG: a line does not end as it should. */
static int unfolded_next(struct text *rest, struct text *line)
{
	struct text more;
	int err = sip_line_next(rest, line);

	if (err == ENOENT || (!err && !line->n))
		return ENOENT;
	while (folded(*rest)) {
		int broken = sip_line_next(rest, &more);

		if (broken == ENOENT)
			break;
		line->n = (size_t)(more.p + more.n - line->p);
		err = err ? err : broken;
	}
	return err;
}

int sip_header_skip(struct text *rest)
{
	struct text line;

	return unfolded_next(rest, &line);
}

int sip_header_next(struct text *rest, struct text *name, struct text *value, struct sip_refusal *why)
{
	struct text line;
	size_t end, colon;
	int err = unfolded_next(rest, &line);

	*name = TEXT_NONE;
	*value = TEXT_NONE;
	if (err == ENOENT)
		return ENOENT;
	if (err)
		return sip_refuse(why, SIP_FAULT_LINE_END, line);
	end = sip_span(line, 0, SIP_C_TOKEN);
	for (colon = end; colon < line.n && (line.p[colon] == ' ' || line.p[colon] == '\t'); colon++)
		;
	if (colon == line.n || line.p[colon] != ':')
		return sip_refuse(why, text_find(line, ':') == SIZE_MAX ? SIP_FAULT_HEADER_COLON : SIP_FAULT_HEADER_NAME, line);
	if (!end)
		return sip_refuse(why, SIP_FAULT_HEADER_NAME, line);
	*name = text_head(line, end);
	*value = sip_trim(text_skip(line, colon + 1));
	return 0;
}
