/* SPDX-License-Identifier: Apache-2.0 */
/* rules_test.c  The referee sees what is wrong: each rule is broken once. */
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "replayed/referee.h"
#include "replayed/sdp_rules.h"
#include "replayed/talk.h"
#include "support/ut.h"

#define OFFER "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n"

static void descriptions(void **state)
{
	static const struct {
		const char *offer, *answer;
		bool good;
	} row[] = {
		{ OFFER, "v=0\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0 101\r\n", true },
		{ OFFER, "v=0\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n", true },
		{ OFFER, "v=0\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n", false },
		{ OFFER, "v=0\r\nt=1 0\r\nm=audio 5000 RTP/AVP 0\r\n", false },
		{ OFFER, "v=0\r\nt=0 0\r\nm=audio 5000 RTP/SAVP 0\r\n", false },
		{ OFFER "m=video 1 RTP/AVP 31\r\n", "v=0\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n", false },
		{ OFFER "m=video 1 RTP/AVP 31\r\n", "v=0\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\n", true },
		{ OFFER "a=sendonly\r\n", "v=0\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n", false },
		{ OFFER "a=sendonly\r\n", "v=0\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\na=recvonly\r\n", true },
		{ OFFER "a=inactive\r\n", "v=0\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\na=recvonly\r\n", false },
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++)
		if ((sdp_answers(row[i].offer, row[i].answer) == NULL) != row[i].good)
			fail_msg("row %u", i);
	assert_null(sdp_form(OFFER));
	assert_non_null(sdp_form("v=0\r\ns=-\r\no=- 1 1 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"));
	assert_non_null(sdp_form("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"));
	assert_null(sdp_follows(OFFER, OFFER));
	assert_null(sdp_follows("o=u 7 1 IN\r\ns=-\r\na=x\r\n", "o=u 7 2 IN\r\ns=-\r\n"));
	assert_non_null(sdp_follows("o=u 7 1 IN\r\ns=-\r\na=x\r\n", "o=u 7 1 IN\r\ns=-\r\n"));
	assert_non_null(sdp_follows("o=u 7 1 IN\r\ns=-\r\n", "o=u 7 3 IN\r\ns=-\r\n"));
	assert_non_null(sdp_follows("o=u 7 1 IN\r\ns=-\r\n", "o=u 8 2 IN\r\ns=-\r\n"));
}

static struct referee ref;

static void with(const char *first, const char *to_tag, const char *cseq, const char *more, bool said, int must)
{
	char text[2000];
	struct msg m;
	int n = snprintf(text, sizeof(text), "%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>%s\r\nCall-ID: c\r\nCSeq: %s\r\n%s"
	                 "Content-Length: 0\r\n\r\n", first, to_tag, cseq, more);
	assert_true(msg_read(&m, mem_strndup(text, (size_t)n), (size_t)n));
	if (said)
		referee_said(&ref, &m, must, false);
	else
		referee_heard(&ref, &m, false);
	mem_free(m.text);
}

static void begin(void)
{
	memset(&ref, 0, sizeof(ref));
}

static void answers(void **state)
{
	(void)state;
	begin();
	with("BYE sip:x SIP/2.0", ";tag=2", "2 BYE", "Max-Forwards: 70\r\n", true, 0);
	referee_close(&ref);
	assert_non_null(strstr(ref.fault, "never got a final answer"));
	begin();
	with("BYE sip:x SIP/2.0", ";tag=2", "2 BYE", "Max-Forwards: 70\r\n", true, 0);
	with("SIP/2.0 200 OK", ";tag=2", "2 BYE", "", false, 0);
	with("SIP/2.0 200 OK", ";tag=2", "2 BYE", "", false, 0);
	referee_close(&ref);
	assert_string_equal(ref.fault, "");
	with("SIP/2.0 481 No", ";tag=2", "2 BYE", "", false, 0);
	assert_non_null(strstr(ref.fault, "two final answers"));
	begin();
	with("BYE sip:x SIP/2.0", ";tag=2", "2 BYE", "Max-Forwards: 70\r\n", true, 481);
	with("SIP/2.0 200 OK", ";tag=2", "2 BYE", "", false, 0);
	assert_non_null(strstr(ref.fault, "should get 481"));
	begin();
	with("INVITE sip:x SIP/2.0", "", "2 INVITE", "Max-Forwards: 70\r\n", true, REF_4XX);
	with("SIP/2.0 488 No", ";tag=2", "2 INVITE", "", false, 0);
	assert_string_equal(ref.fault, "");
	begin();
	with("SIP/2.0 200 OK", ";tag=2", "2 BYE", "", false, 0);
	assert_non_null(strstr(ref.fault, "nothing that was asked"));
}

static void requests(void **state)
{
	(void)state;
	begin();
	with("REFER sip:x SIP/2.0", ";tag=2", "2 REFER", "Max-Forwards: 70\r\nContact: <sip:u@h>\r\n", false, 0);
	with("BYE sip:x SIP/2.0", ";tag=2", "3 BYE", "Max-Forwards: 70\r\n", false, 0);
	assert_string_equal(ref.fault, "");
	with("INFO sip:x SIP/2.0", ";tag=2", "4 INFO", "Max-Forwards: 70\r\n", false, 0);
	assert_non_null(strstr(ref.fault, "was ended"));
	begin();
	with("REFER sip:x SIP/2.0", ";tag=2", "2 REFER", "Max-Forwards: 70\r\n", false, 0);
	assert_non_null(strstr(ref.fault, "without Contact"));
	begin();
	with("INFO sip:x SIP/2.0", ";tag=2", "2 INFO", "Max-Forwards: 70\r\n", false, 0);
	with("BYE sip:x SIP/2.0", ";tag=2", "2 BYE", "Max-Forwards: 70\r\n", false, 0);
	assert_non_null(strstr(ref.fault, "CSeq 2 after 2"));
	begin();
	with("BYE sip:x SIP/2.0", ";tag=2", "2 BYE", "", false, 0);
	assert_non_null(strstr(ref.fault, "without Max-Forwards"));
}

static void words_of_a_talk(void **state)
{
	(void)state;
	assert_true(talk_is("200 INVITE", "INVITE", 200));
	assert_false(talk_is("200 INVITE", "BYE", 200));
	assert_false(talk_is("INVITE", "INVITE", 200));
	assert_true(talk_is("INVITE", "INVITE", 0));
	assert_true(talk_is("4xx", "INVITE", 486));
	assert_false(talk_is("responses", "INVITE", 0));
	assert_true(talk_is("all", "INVITE", 0));
}

UT_MAIN(UT(descriptions), UT(answers), UT(requests), UT(words_of_a_talk))
