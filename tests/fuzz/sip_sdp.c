/* SPDX-License-Identifier: Apache-2.0 */
/* sip_sdp.c  Fuzz target: a session description, taken as an offer and as an answer. Our answer to it has as many media, and reads back. */
#include <errno.h>
#include "sip/offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool yes)
{
	if (!yes)
		abort();
}

static void check(const struct sdp_agreed *a)
{
	must(a->codec < SDP_CODECS && a->ptime_ms >= 10 && a->ptime_ms <= 60 && a->ptime_ms % 10 == 0);
	must(a->remote_port && strlen(a->remote_addr) > 0 && a->send_pt < 128 && a->recv_dtmf_pt < 128 && a->send_dtmf_pt < 128);
}

static void use(const struct sdp *sdp, struct text addr)
{
	const struct sdp_local local = { .addr = addr, .port = 4000, .dtmf = true };
	struct sdp_session s;
	struct sdp_agreed a;
	struct sip_refusal why = { 0 };
	struct sdp back;
	struct buf out;
	char room[128];
	int err;

	sdp_session_init(&s, 12);
	buf_init(&out, 1 << 20);
	err = sdp_answer(sdp, &local, &s, &out, &a, &why);
	if (!err) {
		check(&a);
		must(sdp_parse(&back, buf_as_text(&out), &why) == 0 && back.n_media == sdp->n_media);
		must(back.media[a.index].port == 4000);
	} else {
		must(err == EMSGSIZE || (err == EBADMSG && why.status == 488));
	}
	if (!sdp_accept(sdp, &local, &a, &why))
		check(&a);
	sdp_offered_codecs(sdp, room, sizeof(room));
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sip_refusal why = { 0 };
	struct text rest, name, value;
	struct sdp sdp;
	int err = sdp_parse(&sdp, text_make(data, size), &why);

	must(err == 0 || err == EBADMSG);
	must((err != 0) == (why.fault != SIP_FAULT_NONE));
	if (err)
		return 0;
	for (unsigned i = 0; i < sdp.n_media; i++)
		for (rest = sdp.media[i].lines; !sdp_attr_next(&rest, &name, &value);)
			must(name.n <= size);
	for (rest = sdp.lines; !sdp_attr_next(&rest, &name, &value);)
		must(name.n <= size);
	use(&sdp, TEXT("192.0.2.1"));
	use(&sdp, TEXT("2001:db8::1"));
	return 0;
}
