/* SPDX-License-Identifier: Apache-2.0 */
/* sip_framing.c  Fuzz target: a stream. However it is cut into pieces (the first byte says), the same messages come out of it, and the
 * parser sees each message end where the framing did. */
#include <errno.h>
#include "sip/framing.h"
#include "sip/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool yes)
{
	if (!yes)
		abort();
}

static uint64_t mix(uint64_t h, struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		h = (h ^ (unsigned char)t.p[i]) * 1099511628211u;
	return h * 31 + t.n;
}

/* A hash of what came out. */
static uint64_t run(const uint8_t *data, size_t size, size_t piece)
{
	struct sip_framer f;
	struct sip_frame frame;
	enum sip_frame_kind kind;
	uint64_t h = 1;

	sip_framer_init(&f);
	for (size_t at = 0; at < size; at += piece) {
		must(sip_framer_feed(&f, data + at, size - at < piece ? size - at : piece) == 0);
		while ((kind = sip_framer_next(&f, &frame)) != SIP_FRAME_MORE) {
			struct sip_refusal why;
			struct sip_msg msg;

			if (kind == SIP_FRAME_BAD) {
				must(frame.why.fault != SIP_FAULT_NONE);
				h = h * 31 + frame.why.fault;
				goto out;
			}
			if (kind != SIP_FRAME_MESSAGE)
				continue;
			h = mix(h, frame.message);
			if (!sip_msg_parse(&msg, frame.message.p, frame.message.n, &why))
				must(msg.whole.n == frame.message.n);
			else
				must(why.fault != SIP_FAULT_BODY_CUT && why.fault != SIP_FAULT_CONTENT_LENGTH && why.fault != SIP_FAULT_NO_END_OF_HEAD);
		}
	}
out:
	sip_framer_free(&f);
	return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 65536)
		return 0;
	must(run(data + 1, size - 1, size) == run(data + 1, size - 1, (size_t)data[0] + 1));
	return 0;
}
