/* SPDX-License-Identifier: Apache-2.0 */
/* sip_sdes.c  Session descriptions with keys: the first byte is the policy, the rest an offer (answered; then taken as an answer to ours). What is taken is
 * written so that it reads back as the same, and no key is in what is told of it. */
#include <assert.h>
#include <string.h>
#include "base/mem.h"
#include "sip/offer.h"
#include "sip/sdes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_back(const struct sdes *s)
{
	struct sdes_line l;
	struct buf b;
	buf_init(&b, 4096);
	sdes_put_answer(&b, s);
	struct text t = buf_as_text(&b);
	assert(text_starts(t, "a=crypto:"));
	assert(!sdes_parse(&l, text_trim(text_skip(t, 9))));
	assert(l.tag == s->next.tag && srtp_key_equal(&l.key, &s->next.send));
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sdp sdp;
	struct sdes s;
	struct sdp_session session;
	struct sdp_agreed agreed;
	struct sip_refusal why;
	struct buf out;
	char told[200];
	if (size < 1)
		return 0;
	sdes_init(&s, (enum sdes_want)(data[0] % 3));
	s.open_line = data[0] / 3 % 4 == 1;
	struct text t = text_make(data + 1, size - 1);
	struct sdp_local local = { .addr = TEXT("198.51.100.1"), .port = 30000, .dtmf = true, .sdes = &s };
	char *copy = mem_alloc(size);
	memcpy(copy, data, size);
	sdes_strike(copy, size);
	mem_free(copy);
	if (sdp_parse(&sdp, t, NULL))
		return 0;
	sdes_offered(&sdp, told, sizeof told);
	sdp_session_init(&session, 1);
	for (unsigned i = 0; i < 2; i++) {
		buf_init(&out, 65536);
		if (!sdp_answer(&sdp, &local, &session, &out, &agreed, &why)) {
			assert(!s.next.on || (s.want != SDES_OFF && !s.open_line));
			assert(s.next.on || s.want != SDES_REQUIRED);
			if (s.next.on)
				read_back(&s);
			sdes_settle(&s);
		}
		buf_free(&out);
		buf_init(&out, 65536);
		if (!sdp_offer(&local, &session, &out) && !sdp_accept(&sdp, &local, &agreed, &why)) {
			assert(s.next.on || s.want != SDES_REQUIRED);
			sdes_settle(&s);
		}
		buf_free(&out);
	}
	mem_wipe(&s, sizeof s);
	return 0;
}
