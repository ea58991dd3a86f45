/* SPDX-License-Identifier: Apache-2.0 */
/* summary_test.c  message-summary (RFC 3842) and sipfrag (RFC 3420, RFC 3515). */
#include <errno.h>
#include "ut.h"
#include "sip/summary.h"

static void summaries_read_back(void **state)
{
	const struct sip_summary in = { .waiting = true, .account = TEXT("sip:alice@h.example"), .has_voice = true, .fresh = 8, .old = 3, .urgent_fresh = 1 };
	struct sip_summary out;
	struct buf b;

	(void)state;
	buf_init(&b, 1024);
	sip_summary_put(&b, &in);
	assert_string_equal(buf_cstr(&b), "Messages-Waiting: yes\r\nMessage-Account: sip:alice@h.example\r\nVoice-Message: 8/3 (1/0)\r\n");
	assert_int_equal(sip_summary_parse(&out, buf_as_text(&b), NULL), 0);
	assert_true(out.waiting);
	assert_true(text_eq(out.account, in.account));
	assert_int_equal(out.fresh, 8);
	assert_int_equal(out.old, 3);
	assert_int_equal(out.urgent_fresh, 1);
	buf_clear(&b);
	sip_summary_put(&b, &(struct sip_summary){ .account = TEXT("sip:a\r\nX: y") });
	assert_int_equal(buf_error(&b), EINVAL);
	buf_free(&b);
}

static void reads_other_summaries(void **state)
{
	struct sip_summary s;

	(void)state;
	assert_int_equal(sip_summary_parse(&s, TEXT("Messages-Waiting: no"), NULL), 0);
	assert_false(s.waiting);
	assert_false(s.has_voice);
	/* RFC 3842 5.2, with the headers of messages behind the counts */
	assert_int_equal(sip_summary_parse(&s, TEXT("messages-waiting : YES\nMessage-Account: sip:alice@vmail.example.com\nVoice-Message: 4/8 (1/2)\n"
	                                            "Video-Message: 0/0\n\nTo: <alice@atlanta.example.com>\nSubject: carpool tomorrow?\n"), NULL), 0);
	assert_int_equal(s.urgent_old, 2);
	assert_int_equal(sip_summary_parse(&s, TEXT(""), NULL), EBADMSG);
	assert_int_equal(sip_summary_parse(&s, TEXT("Voice-Message: 1/1\r\n"), NULL), EBADMSG);
	assert_int_equal(sip_summary_parse(&s, TEXT("Messages-Waiting: maybe\r\n"), NULL), EBADMSG);
	assert_int_equal(sip_summary_parse(&s, TEXT("Messages-Waiting: yes\r\nMessages-Waiting: no\r\n"), NULL), EBADMSG);
	assert_int_equal(sip_summary_parse(&s, TEXT("Messages-Waiting: yes\r\nVoice-Message: 1\r\n"), NULL), EBADMSG);
	assert_int_equal(sip_summary_parse(&s, TEXT("Messages-Waiting: yes\r\nVoice-Message: 1/99999999999\r\n"), NULL), EBADMSG);
	assert_int_equal(sip_summary_parse(&s, TEXT("Messages-Waiting: yes\r\nVoice-Message: 1/1 (1/1\r\n"), NULL), EBADMSG);
	assert_int_equal(sip_summary_parse(&s, TEXT("Messages-Waiting: yes\r\nVoice-Message: 1/1 x\r\n"), NULL), EBADMSG);
}

static void sipfrags_read_back(void **state)
{
	struct sip_sipfrag f;
	struct buf b;

	(void)state;
	buf_init(&b, 256);
	sip_sipfrag_put(&b, 180, NULL);
	assert_int_equal(sip_sipfrag_parse(&f, buf_as_text(&b), NULL), 0);
	assert_int_equal(f.status, 180);
	assert_true(text_is(f.phrase, "Ringing"));
	buf_free(&b);
	assert_int_equal(sip_sipfrag_parse(&f, TEXT("SIP/2.0 503\nFrom: x"), NULL), 0);
	assert_int_equal(f.status, 503);
	assert_int_equal(sip_sipfrag_parse(&f, TEXT(""), NULL), EBADMSG);
	assert_int_equal(sip_sipfrag_parse(&f, TEXT("SIP/2.0 20"), NULL), EBADMSG);
	assert_int_equal(sip_sipfrag_parse(&f, TEXT("SIP/2.0 2000 x"), NULL), EBADMSG);
	assert_int_equal(sip_sipfrag_parse(&f, TEXT("SIP/2.0 099 x"), NULL), EBADMSG);
	assert_int_equal(sip_sipfrag_parse(&f, TEXT("From: x\r\n"), NULL), EBADMSG);
}

UT_MAIN(UT(summaries_read_back), UT(reads_other_summaries), UT(sipfrags_read_back))
