/* SPDX-License-Identifier: Apache-2.0 */
/* smuggle_test.c  What two readers of one message might read differently: blanks before the colon, compact and folded names, doubled values, NUL bytes, numbers
 * beyond their bounds, escapes cut off. One parse serves policy and use, so each has one meaning here or none, and the cutter of streams and
 * the parser of messages agree on where a message ends.                                                                                     */
#include <errno.h>
#include "ut.h"
#include "sip/framing.h"
#include "sip/message.h"

#define START "INVITE sip:2001@d.example SIP/2.0\r\n"
#define VIA "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n"
#define FROM "From: <sip:a@b.example>;tag=1\r\n"
#define TO "To: <sip:2001@d.example>\r\n"
#define REST "Call-ID: x@y\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:a@192.0.2.1>\r\n"
#define LENGTH "Content-Length: 0\r\n"

struct row {
	const char *what;
	const char *bytes;
	size_t n;
	enum sip_fault fault; /* of the parser; of both where it concerns the length */
};
#define ROW(what, bytes, fault) { what, bytes, sizeof(bytes) - 1, SIP_FAULT_##fault }

static const struct row rows[] = {
	ROW("as it should be", START VIA FROM TO REST LENGTH "\r\n", NONE),
	/* one name, many spellings */
	ROW("blank before the colon", START VIA "From : <sip:a@b.example>;tag=1\r\n" TO REST LENGTH "\r\n", NONE),
	ROW("second one behind a blank", START VIA FROM "From : <sip:boss@b.example>;tag=2\r\n" TO REST LENGTH "\r\n", HEADER_TWICE),
	ROW("second one behind a tab", START VIA FROM "From\t: <sip:boss@b.example>;tag=2\r\n" TO REST LENGTH "\r\n", HEADER_TWICE),
	ROW("second one compact", START VIA FROM "f: <sip:boss@b.example>;tag=2\r\n" TO REST LENGTH "\r\n", HEADER_TWICE),
	ROW("second one in another case", START VIA FROM "fROM: <sip:boss@b.example>;tag=2\r\n" TO REST LENGTH "\r\n", HEADER_TWICE),
	ROW("second one folded", START VIA FROM "From:\r\n <sip:boss@b.example>;tag=2\r\n" TO REST LENGTH "\r\n", HEADER_TWICE),
	ROW("colon on the next line", START VIA FROM TO REST "P-Asserted-Identity\r\n : <sip:boss@b.example>\r\n" LENGTH "\r\n", HEADER_NAME),
	ROW("name cut by a blank", START VIA FROM TO REST "P-Asserted Identity: <sip:boss@b.example>\r\n" LENGTH "\r\n", HEADER_NAME),
	ROW("name with a no-break space", START VIA FROM TO REST "From\xc2\xa0: <sip:boss@b.example>;tag=2\r\n" LENGTH "\r\n", HEADER_NAME),
	ROW("first line folded", START " X: y\r\n" VIA FROM TO REST LENGTH "\r\n", HEADER_NAME),
	/* single values */
	ROW("To twice", START VIA FROM TO TO REST LENGTH "\r\n", HEADER_TWICE),
	ROW("Call-ID twice", START VIA FROM TO REST "i: x@y\r\n" LENGTH "\r\n", HEADER_TWICE),
	ROW("CSeq twice", START VIA FROM TO REST "CSeq: 2 INVITE\r\n" LENGTH "\r\n", HEADER_TWICE),
	ROW("Max-Forwards twice", START VIA FROM TO REST "Max-Forwards: 0\r\n" LENGTH "\r\n", HEADER_TWICE),
	ROW("two tags", START VIA "From: <sip:a@b.example>;tag=1;tag=2\r\n" TO REST LENGTH "\r\n", TAG),
	ROW("two branches", START "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1;branch=z9hG4bK2\r\n" FROM TO REST LENGTH "\r\n", VIA),
	ROW("two rports", START "Via: SIP/2.0/TCP 192.0.2.1;rport;branch=z9hG4bK1;rport=7\r\n" FROM TO REST LENGTH "\r\n", VIA),
	ROW("two receiveds", START "Via: SIP/2.0/TCP 192.0.2.1;received=192.0.2.7;branch=z9hG4bK1;Received=192.0.2.8\r\n" FROM TO REST LENGTH "\r\n", VIA),
	ROW("two Contacts", START VIA FROM TO REST "m: <sip:b@192.0.2.2>\r\n" LENGTH "\r\n", CONTACT),
	/* lengths */
	ROW("two lengths, the same", START VIA FROM TO REST LENGTH "l: 0\r\n\r\n", HEADER_TWICE),
	ROW("two lengths, one behind a blank", START VIA FROM TO REST "Content-Length : 5\r\n" LENGTH "\r\nhello", HEADER_TWICE),
	ROW("length with a sign", START VIA FROM TO REST "Content-Length: +0\r\n\r\n", CONTENT_LENGTH),
	ROW("length below nought", START VIA FROM TO REST "Content-Length: -1\r\n\r\n", CONTENT_LENGTH),
	ROW("length in another base", START VIA FROM TO REST "Content-Length: 0x0\r\n\r\n", CONTENT_LENGTH),
	ROW("length with a fraction", START VIA FROM TO REST "Content-Length: 0.0\r\n\r\n", CONTENT_LENGTH),
	ROW("length as a list", START VIA FROM TO REST "Content-Length: 0, 0\r\n\r\n", CONTENT_LENGTH),
	ROW("no length", START VIA FROM TO REST "Content-Length:\r\n\r\n", CONTENT_LENGTH),
	ROW("length of 2^64", START VIA FROM TO REST "Content-Length: 18446744073709551616\r\n\r\n", BODY_TOO_LARGE),
	ROW("length of 2^32", START VIA FROM TO REST "Content-Length: 4294967296\r\n\r\n", BODY_TOO_LARGE),
	ROW("folded length", START VIA FROM TO REST "Content-Length:\r\n 5\r\n\r\nhello", NONE),
	ROW("length with noughts before", START VIA FROM TO REST "Content-Length: 0005\r\n\r\nhello", NONE),
	/* other numbers */
	ROW("CSeq of 2^31", START VIA FROM TO "Call-ID: x@y\r\nCSeq: 2147483648 INVITE\r\nContact: <sip:a@192.0.2.1>\r\n" LENGTH "\r\n", CSEQ_NUMBER),
	ROW("CSeq of 2^32 + 1", START VIA FROM TO "Call-ID: x@y\r\nCSeq: 4294967297 INVITE\r\nContact: <sip:a@192.0.2.1>\r\n" LENGTH "\r\n", CSEQ_NUMBER),
	ROW("CSeq of 2^64 + 1", START VIA FROM TO "Call-ID: x@y\r\nCSeq: 18446744073709551617 INVITE\r\nContact: <sip:a@192.0.2.1>\r\n" LENGTH "\r\n", CSEQ_NUMBER),
	ROW("Max-Forwards of 256", START VIA FROM TO "Call-ID: x@y\r\nCSeq: 1 INVITE\r\nMax-Forwards: 256\r\n" LENGTH "\r\n", MAX_FORWARDS),
	ROW("port of 65536", "INVITE sip:2001@d.example:65536 SIP/2.0\r\n" VIA FROM TO REST LENGTH "\r\n", URI_PORT),
	ROW("port of 2^32 + 5060", "INVITE sip:2001@d.example:4294972356 SIP/2.0\r\n" VIA FROM TO REST LENGTH "\r\n", URI_PORT),
	ROW("port in Via of 2^32 + 5060", START "Via: SIP/2.0/TCP 192.0.2.1:4294972356;branch=z9hG4bK1\r\n" FROM TO REST LENGTH "\r\n", VIA_PORT),
	ROW("Expires of 2^32", START VIA FROM TO REST "Expires: 4294967296\r\n" LENGTH "\r\n", EXPIRES),
	/* escapes */
	ROW("% at the end of the user", "INVITE sip:2001%@d.example SIP/2.0\r\n" VIA FROM TO REST LENGTH "\r\n", URI_ESCAPE),
	ROW("% and one digit", "INVITE sip:2001%2@d.example SIP/2.0\r\n" VIA FROM TO REST LENGTH "\r\n", URI_ESCAPE),
	ROW("% at the end of a parameter", "INVITE sip:2001@d.example;x=% SIP/2.0\r\n" VIA FROM TO REST LENGTH "\r\n", URI_ESCAPE),
	ROW("% at the end of Contact", START VIA FROM TO "Call-ID: x@y\r\nCSeq: 1 INVITE\r\nContact: %\r\n" LENGTH "\r\n", URI),
	ROW("% at the end of From", START VIA "From: <sip:a%4@b.example>;tag=1\r\n" TO REST LENGTH "\r\n", URI_ESCAPE),
	/* NUL, CR, LF */
	ROW("NUL in a name", START VIA FROM TO REST "X\0Y: z\r\n" LENGTH "\r\n", NUL_IN_HEAD),
	ROW("NUL in a value", START VIA FROM TO REST "Subject: a\0b\r\n" LENGTH "\r\n", NUL_IN_HEAD),
	ROW("NUL in the user", "INVITE sip:2001\0@d.example SIP/2.0\r\n" VIA FROM TO REST LENGTH "\r\n", NUL_IN_HEAD),
	ROW("LF alone", START VIA FROM TO REST "X: y\nFrom: <sip:boss@b.example>\r\n" LENGTH "\r\n", LINE_END),
	ROW("CR alone", START VIA FROM TO REST "X: y\rFrom: <sip:boss@b.example>\r\n" LENGTH "\r\n", LINE_END),
	ROW("CR CR LF", START VIA FROM TO REST "X: y\r\r\n" LENGTH "\r\n", LINE_END),
	/* quotes */
	ROW("tag in a quoted name", START VIA "From: \";tag=2\" <sip:a@b.example>;tag=1\r\n" TO REST LENGTH "\r\n", NONE),
	ROW("address in a quoted name", START VIA "From: \"<sip:boss@b.example>\" <sip:a@b.example>;tag=1\r\n" TO REST LENGTH "\r\n", NONE),
	ROW("quotation mark left open", START VIA "From: \"a <sip:a@b.example>;tag=1\r\n" TO REST LENGTH "\r\n", QUOTE),
};

/* What policy looks at is what is used. */
static void is_whom_it_says(const struct sip_msg *m)
{
	assert_true(text_is(m->from.uri.user, "a"));
	assert_true(text_is(m->from_tag, "1"));
	assert_true(text_is(m->uri.user, "2001"));
	assert_true(text_is(m->via.branch, "z9hG4bK1"));
	assert_true(m->body.n == 0 || text_is(m->body, "hello"));
}

static void one_meaning_or_none(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		char *exact = malloc(r->n); /* so that reading behind its end is seen */
		struct sip_refusal why = { 0 };
		struct sip_msg m;
		int err;

		assert_non_null(exact);
		memcpy(exact, r->bytes, r->n);
		err = sip_msg_parse(&m, exact, r->n, &why);
		if (err != (r->fault ? EBADMSG : 0) || (err && why.fault != r->fault))
			wrong++, print_error("%s: %s, instead of: %s\n", r->what, err ? why.sentence : "taken", sip_fault_sentence(r->fault));
		else if (!err)
			is_whom_it_says(&m);
		free(exact);
	}
	assert_int_equal(wrong, 0);
}

/* Behind each an OPTIONS: the cutter hands out the message as the parser sees it, or nothing ever again. */
static void the_cutter_agrees(void **state)
{
	static const char next[] = "OPTIONS sip:next SIP/2.0\r\nContent-Length: 0\r\n\r\n";

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		struct sip_framer f;
		struct sip_frame frame;
		struct sip_msg m;

		sip_framer_init(&f);
		assert_int_equal(sip_framer_feed(&f, r->bytes, r->n), 0);
		assert_int_equal(sip_framer_feed(&f, next, sizeof(next) - 1), 0);
		if (sip_framer_next(&f, &frame) != SIP_FRAME_MESSAGE) {
			assert_true(r->fault != SIP_FAULT_NONE);
			assert_int_equal(sip_framer_next(&f, &frame), SIP_FRAME_BAD);
		} else {
			(void)sip_msg_parse(&m, r->bytes, r->n, NULL);
			if (frame.message.n != r->n || m.whole.n != r->n)
				fail_msg("%s: cut after %zu, parsed to %zu, of %zu bytes", r->what, frame.message.n, m.whole.n, r->n);
			assert_int_equal(sip_framer_next(&f, &frame), SIP_FRAME_MESSAGE);
			assert_true(text_is(frame.message, next));
		}
		sip_framer_free(&f);
	}
}

UT_MAIN(UT(one_meaning_or_none), UT(the_cutter_agrees))
