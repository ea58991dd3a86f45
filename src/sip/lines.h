/* SPDX-License-Identifier: Apache-2.0 */
/* lines.h  Lines of a head, shared by the message parser and the framing of streams, so that both see the same headers. Private. */
#ifndef SIP_LINES_H
#define SIP_LINES_H
#include "base/text.h"
#include "sip/message.h"

/* The line at the front of *rest, without its CR LF, folding not yet considered; *rest moves behind it. 0; ENOENT when the rest has no
 * line end; EBADMSG for a CR or LF alone. */
int sip_line_next(struct text *rest, struct text *line);
/* A header with the lines folded into it: name without blanks behind it, value trimmed. 0; ENOENT at the blank line (consumed) or at the
 * end; EBADMSG and *why. A malformed line is consumed all the same. */
int sip_header_next(struct text *rest, struct text *name, struct text *value, struct sip_refusal *why);
/* Over a header and what is folded into it, without looking into it. 0 or EBADMSG: there was one; ENOENT as above. */
int sip_header_skip(struct text *rest);

#endif
