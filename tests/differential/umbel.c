/* SPDX-License-Identifier: Apache-2.0 */
/* umbel.c  Our parser as a filter. */
#include "reader.h"
#include "sip/message.h"

static void field(struct text t)
{
	reader_field(t.p, t.n);
}

void reader_message(char *data, size_t n)
{
	struct sip_msg m;

	if (sip_msg_parse(&m, data, n, NULL)) {
		reader_refused();
		return;
	}
	if (m.request)
		field(m.method_text);
	else
		reader_number(m.status);
	field(m.call_id);
	reader_number(m.cseq.number);
	field(m.cseq.method_text);
	field(m.from_tag);
	field(m.to_tag);
	field(m.via.branch);
	reader_number(m.body.n);
}
