/* SPDX-License-Identifier: Apache-2.0 */
/* framing_test.c  Streams cut into messages: whole, byte by byte, with keep-alives between, and what makes a stream useless. */
#include <errno.h>
#include "ut.h"
#include "sip/framing.h"
#include "sip/message.h"

#define MSG(length, body) "OPTIONS sip:a@b.example SIP/2.0\r\nCSeq: 1 OPTIONS\r\n" length "\r\n" body
#define FIRST MSG("Content-Length: 4\r\n", "a\r\n\r")
#define SECOND MSG("L : \r\n 0\r\n", "")

static void feed(struct sip_framer *f, const char *s, size_t n)
{
	assert_int_equal(sip_framer_feed(f, s, n), 0);
}

static void expect(struct sip_framer *f, enum sip_frame_kind kind, const char *message)
{
	struct sip_frame frame;
	enum sip_frame_kind got = sip_framer_next(f, &frame);

	if (got != kind)
		fail_msg("kind %d instead of %d: %s", got, kind, frame.why.sentence ? frame.why.sentence : "");
	if (message && !text_is(frame.message, message))
		fail_msg("message '%.*s'", TEXT_FMT(frame.message));
}

static void cuts_at_content_length(void **state)
{
	struct sip_framer f;

	(void)state;
	sip_framer_init(&f);
	expect(&f, SIP_FRAME_MORE, NULL);
	feed(&f, FIRST SECOND FIRST, sizeof(FIRST SECOND FIRST) - 2);
	expect(&f, SIP_FRAME_MESSAGE, FIRST);
	expect(&f, SIP_FRAME_MESSAGE, SECOND);
	expect(&f, SIP_FRAME_MORE, NULL);
	assert_true(sip_framer_midway(&f));
	feed(&f, "\r", 1);
	expect(&f, SIP_FRAME_MESSAGE, FIRST);
	expect(&f, SIP_FRAME_MORE, NULL);
	assert_false(sip_framer_midway(&f));
	sip_framer_free(&f);
}

/* When a message does not come to its end: a head that is whole can be answered. */
static void gives_up(void **state)
{
	struct sip_framer f;

	(void)state;
	sip_framer_init(&f);
	feed(&f, SECOND FIRST, sizeof(SECOND FIRST) - 2);
	expect(&f, SIP_FRAME_MESSAGE, SECOND);
	expect(&f, SIP_FRAME_MORE, NULL);
	assert_true(text_ends_nocase(sip_framer_give_up(&f), "\r\n\r\n"));
	expect(&f, SIP_FRAME_BAD, NULL);
	sip_framer_free(&f);
	sip_framer_init(&f);
	feed(&f, "OPTIONS sip:a SIP/2.0\r\nVia:", 27);
	expect(&f, SIP_FRAME_MORE, NULL);
	assert_int_equal(sip_framer_give_up(&f).n, 27);
	sip_framer_free(&f);
}

static void byte_by_byte(void **state)
{
	static const char all[] = "\r\n\r\n" FIRST "\r\n" SECOND SECOND "\r\n\r\n";
	unsigned messages = 0, pings = 0, pongs = 0;
	struct sip_framer f;
	struct sip_frame frame;
	enum sip_frame_kind kind;

	(void)state;
	sip_framer_init(&f);
	for (size_t i = 0; i < sizeof(all) - 1; i++) {
		feed(&f, all + i, 1);
		while ((kind = sip_framer_next(&f, &frame)) != SIP_FRAME_MORE) {
			messages += kind == SIP_FRAME_MESSAGE;
			pings += kind == SIP_FRAME_PING;
			pongs += kind == SIP_FRAME_PONG;
			assert_int_not_equal(kind, SIP_FRAME_BAD);
		}
	}
	assert_int_equal(messages, 3);
	assert_int_equal(pings, 2); /* each told as a pong first, because its second half had not come yet */
	assert_int_equal(pongs, 3);
	sip_framer_free(&f);
}

static void answers_keep_alives(void **state)
{
	struct sip_framer f;

	(void)state;
	sip_framer_init(&f);
	feed(&f, "\r\n\r\n", 4);
	expect(&f, SIP_FRAME_PING, NULL);
	expect(&f, SIP_FRAME_MORE, NULL);
	feed(&f, "\r\n", 2);
	expect(&f, SIP_FRAME_PONG, NULL);
	feed(&f, SECOND, sizeof(SECOND) - 1);
	expect(&f, SIP_FRAME_MESSAGE, SECOND);
	feed(&f, "\r\n" SECOND "\r\n\r\n" SECOND, 2 * sizeof(SECOND) - 2 + 6);
	expect(&f, SIP_FRAME_PONG, NULL);
	expect(&f, SIP_FRAME_MESSAGE, SECOND);
	expect(&f, SIP_FRAME_PING, NULL);
	expect(&f, SIP_FRAME_MESSAGE, SECOND);
	expect(&f, SIP_FRAME_MORE, NULL);
	sip_framer_free(&f);
}

static void refuses(const char *s, size_t n, enum sip_fault fault, bool has_head)
{
	struct sip_framer f;
	struct sip_frame frame;
	size_t at = 0;
	enum sip_frame_kind kind = SIP_FRAME_MORE;

	sip_framer_init(&f);
	while (at < n && kind != SIP_FRAME_BAD) {
		size_t part = n - at < 1000 ? n - at : 1000;

		feed(&f, s + at, part);
		at += part;
		kind = sip_framer_next(&f, &frame);
	}
	assert_int_equal(kind, SIP_FRAME_BAD);
	if (frame.why.fault != fault)
		fail_msg("refused with: %s", frame.why.sentence);
	assert_int_equal(frame.message.n > 0, has_head);
	assert_int_equal(sip_framer_feed(&f, SECOND, sizeof(SECOND) - 1), 0);
	assert_int_equal(sip_framer_next(&f, &frame), SIP_FRAME_BAD);
	assert_int_equal(frame.why.fault, fault);
	sip_framer_free(&f);
}
#define REFUSES(s, fault, has_head) refuses(s, sizeof(s) - 1, SIP_FAULT_##fault, has_head)

static void refuses_what_loses_the_rhythm(void **state)
{
	static char big[70000];

	(void)state;
	REFUSES(MSG("", ""), NO_CONTENT_LENGTH, true);
	REFUSES(MSG("Content-Length: 1\r\nl: 1\r\n", "x"), HEADER_TWICE, true);
	REFUSES(MSG("Content-Length : 0\r\nContent-Length: 5\r\n", "x"), HEADER_TWICE, true);
	REFUSES(MSG("Content-Length: -1\r\n", ""), CONTENT_LENGTH, true);
	REFUSES(MSG("Content-Length: 1 1\r\n", ""), CONTENT_LENGTH, true);
	REFUSES(MSG("Content-Length: 262145\r\n", ""), BODY_TOO_LARGE, true);
	REFUSES(MSG("Content-Length: 18446744073709551616\r\n", ""), BODY_TOO_LARGE, true);
	REFUSES("OPTIONS sip:a SIP/2.0\nCSeq", LINE_END, false);
	REFUSES("\n", START_LINE, false);
	REFUSES("\rx", START_LINE, false);
	REFUSES("\x16\x03\x01\x02", TLS_ON_PLAIN, false);
	REFUSES("\x80", START_LINE, false);
	memset(big, 'a', sizeof(big));
	refuses(big, sizeof(big), SIP_FAULT_HEAD_TOO_LARGE, true);
}

static void takes_the_largest_message(void **state)
{
	static char big[SIP_HEAD_MAX_BYTES + SIP_BODY_MAX_BYTES + 1];
	static const char start[] = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 262144\r\nX: ";
	struct sip_framer f;
	struct sip_frame frame;
	size_t n = sizeof(start) - 1, at = 0;

	(void)state;
	memset(big, 'a', sizeof(big));
	memcpy(big, start, n);
	memcpy(big + SIP_HEAD_MAX_BYTES - 4, "\r\n\r\n", 4);
	n = SIP_HEAD_MAX_BYTES + SIP_BODY_MAX_BYTES;
	sip_framer_init(&f);
	while (at < n) {
		size_t part = n - at < 65536 ? n - at : 65536;

		assert_int_equal(sip_framer_next(&f, &frame), SIP_FRAME_MORE);
		feed(&f, big + at, part);
		at += part;
	}
	assert_int_equal(sip_framer_next(&f, &frame), SIP_FRAME_MESSAGE);
	assert_int_equal(frame.message.n, n);
	assert_int_equal(sip_framer_next(&f, &frame), SIP_FRAME_MORE);
	assert_null(f.in.p); /* an idle connection keeps no large buffer */
	sip_framer_free(&f);
}

static int feed_once(void *arg)
{
	struct sip_framer f;
	struct sip_frame frame;
	int err;

	(void)arg;
	sip_framer_init(&f);
	err = sip_framer_feed(&f, SECOND, sizeof(SECOND) - 1);
	assert_int_equal(sip_framer_next(&f, &frame), err ? SIP_FRAME_BAD : SIP_FRAME_MESSAGE);
	sip_framer_free(&f);
	return err;
}

static void survives_lack_of_memory(void **state)
{
	(void)state;
	ut_oom(feed_once, NULL);
}

UT_MAIN(UT(cuts_at_content_length), UT(gives_up), UT(byte_by_byte), UT(answers_keep_alives), UT(refuses_what_loses_the_rhythm), UT(takes_the_largest_message),
        UT(survives_lack_of_memory))
