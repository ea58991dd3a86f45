/* SPDX-License-Identifier: Apache-2.0 */
/* sip_message.c  Fuzz target: a datagram. What is taken can be answered, and the answer is without fault and says the same. */
#include <errno.h>
#include "sip/message.h"
#include "sip/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool yes)
{
	if (!yes)
		abort();
}

static void inside(const struct sip_msg *msg, struct text t)
{
	must(!t.n || (t.p >= msg->whole.p && t.p + t.n <= msg->whole.p + msg->whole.n));
}

static void walk(const struct sip_msg *msg)
{
	for (unsigned id = 0; id < SIP_HDR_IDS; id++) {
		unsigned n = 0;

		for (const struct sip_hdr *h = sip_msg_hdr(msg, (enum sip_hdr_id)id); h; h = sip_msg_hdr_next(msg, h)) {
			must(h->id == (enum sip_hdr_id)id && ++n <= SIP_HEADERS_MAX);
			inside(msg, h->name);
			inside(msg, h->value);
		}
	}
}

static void answer(const struct sip_msg *msg, bool good)
{
	struct sip_response_prm prm = { .status = 200, .to_tag = TEXT("ours"), .received = TEXT("192.0.2.1"), .rport = 5070 };
	struct sip_refusal why;
	struct sip_msg back;
	struct buf b;

	buf_init(&b, 1 << 20);
	sip_put_response(&b, msg, &prm);
	sip_put_copy_as(&b, msg, SIP_HDR_RECORD_ROUTE, "Route", true);
	sip_put_end(&b);
	if (good) {
		must(buf_error(&b) == 0);
		if (!msg->first[SIP_HDR_ROUTE] && 2 * msg->n_hdr < SIP_HEADERS_MAX && b.n < SIP_HEAD_MAX_BYTES) {
			int err = sip_msg_parse(&back, b.p, b.n, &why);

			/* a list header becomes one header an item, so their number may grow beyond the limit */
			must(!err || why.fault == SIP_FAULT_TOO_MANY_HEADERS);
			must(err || (text_eq(back.call_id, msg->call_id) && back.cseq.number == msg->cseq.number && back.to_tag.n > 0));
		}
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const bodies[] = { "application/sdp", NULL };
	const struct sip_served served = { .methods = 0x3ffe, .body_types = bodies };
	struct sip_refusal why = { 0 };
	struct sip_msg msg;
	struct sip_addr a;
	struct text part;
	int err = sip_msg_parse(&msg, data, size, &why);
	char room[64];

	must(err == 0 || err == EBADMSG);
	must((err != 0) == (why.fault != SIP_FAULT_NONE));
	sip_refusal_text(&why, room, sizeof(room));
	if (!err)
		walk(&msg);
	if (sip_msg_answerable(&msg))
		answer(&msg, !err);
	if (!err && msg.request && sip_msg_check(&msg, &served, &why)) {
		struct buf b;

		buf_init(&b, 1 << 20);
		sip_put_refusal_headers(&b, &msg, &served, &why);
		must(buf_error(&b) == 0);
		buf_free(&b);
	}
	if (!sip_msg_part(&msg, "application", "sdp", &part, &why))
		inside(&msg, part);
	if (!sip_msg_contact(&msg, &a))
		sip_plain_text(a.display, room, sizeof(room));
	return 0;
}
