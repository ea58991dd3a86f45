/* SPDX-License-Identifier: Apache-2.0 */
/* torture_test.c  The messages of RFC 4475, as datagrams and as streams, each with the judgement the RFC wants: taken, or refused with
 * a status. Some are well formed and refused for what they ask: those go through sip_msg_check().                       */
#include <errno.h>
#include "ut.h"
#include "base/buf.h"
#include "sip/framing.h"
#include "sip/message.h"
#include "sip/writer.h"

struct row {
	const char *name;
	enum sip_fault parse; /* of sip_msg_parse() */
	enum sip_fault check; /* of sip_msg_check(), when the parse is good and it is a request */
	enum sip_method method;
};

#define F(x) SIP_FAULT_##x
static const struct row rows[] = {
	/* 3.1.1 valid */
	{ "wsinv", 0, 0, SIP_INVITE },
	{ "intmeth", 0, F(METHOD_NOT_ALLOWED), SIP_METHOD_OTHER },
	{ "esc01", 0, 0, SIP_INVITE },
	{ "escnull", 0, F(METHOD_NOT_ALLOWED), SIP_REGISTER },
	{ "esc02", 0, F(METHOD_NOT_ALLOWED), SIP_METHOD_OTHER }, /* "RE%47IST%45R" is not REGISTER */
	{ "lwsdisp", 0, 0, SIP_OPTIONS },
	{ "longreq", 0, 0, SIP_INVITE },
	{ "dblreq", 0, F(METHOD_NOT_ALLOWED), SIP_REGISTER },
	{ "semiuri", 0, 0, SIP_OPTIONS },
	{ "transports", 0, 0, SIP_OPTIONS },
	{ "mpart01", 0, F(METHOD_NOT_ALLOWED), SIP_MESSAGE },
	{ "unreason", 0, 0, SIP_INVITE },
	{ "noreason", 0, 0, SIP_INVITE },
	/* 3.1.2 invalid */
	{ "badinv01", F(VIA), 0, SIP_INVITE },
	{ "clerr", F(BODY_CUT), 0, SIP_INVITE },
	{ "ncl", F(CONTENT_LENGTH), 0, SIP_INVITE },
	{ "scalar02", F(CSEQ_NUMBER), 0, SIP_REGISTER },
	{ "scalarlg", F(CSEQ_NUMBER), 0, SIP_METHOD_OTHER },
	{ "quotbal", F(QUOTE), 0, SIP_INVITE },
	{ "ltgtruri", F(URI), 0, SIP_INVITE },
	{ "lwsruri", F(START_LINE), 0, SIP_INVITE },
	{ "lwsstart", F(START_LINE), 0, SIP_INVITE },
	{ "trws", F(START_LINE), 0, SIP_OPTIONS },
	{ "escruri", F(REQUEST_URI_HEADERS), 0, SIP_INVITE },
	{ "baddate", F(DATE), 0, SIP_INVITE },
	{ "regbadct", F(ADDRESS_BRACKETS), 0, SIP_REGISTER },
	{ "badaspec", F(URI), 0, SIP_OPTIONS },
	{ "baddn", F(ADDRESS_DISPLAY), 0, SIP_OPTIONS },
	{ "badvers", F(VERSION), 0, SIP_OPTIONS },
	{ "mismatch01", F(CSEQ_METHOD), 0, SIP_OPTIONS },
	{ "mismatch02", F(CSEQ_METHOD), 0, SIP_METHOD_OTHER },
	{ "bigcode", F(STATUS_CODE), 0, SIP_INVITE },
	/* 3.2 transaction layer */
	{ "badbranch", 0, 0, SIP_OPTIONS },
	/* 3.3 application layer */
	{ "insuf", F(NO_FROM), 0, SIP_INVITE },
	{ "unkscm", 0, F(SCHEME_NOT_SERVED), SIP_OPTIONS },
	{ "novelsc", 0, F(SCHEME_NOT_SERVED), SIP_OPTIONS },
	{ "unksm2", 0, F(METHOD_NOT_ALLOWED), SIP_REGISTER },
	{ "bext01", 0, F(BAD_EXTENSION), SIP_OPTIONS },
	{ "invut", 0, F(MEDIA_TYPE), SIP_INVITE },
	{ "regaut01", 0, F(METHOD_NOT_ALLOWED), SIP_REGISTER },
	{ "multi01", F(HEADER_TWICE), 0, SIP_INVITE },
	{ "mcl01", F(HEADER_TWICE), 0, SIP_OPTIONS },
	{ "bcast", 0, 0, SIP_INVITE },
	{ "zeromf", 0, 0, SIP_OPTIONS },
	{ "cparam01", 0, F(METHOD_NOT_ALLOWED), SIP_REGISTER },
	{ "cparam02", 0, F(METHOD_NOT_ALLOWED), SIP_REGISTER },
	{ "regescrt", 0, F(METHOD_NOT_ALLOWED), SIP_REGISTER },
	{ "sdp01", 0, 0, SIP_INVITE },
	/* 3.4 old peers */
	{ "inv2543", 0, 0, SIP_INVITE },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const char *const bodies[] = { "application/sdp", NULL };
static const struct sip_served served = {
	.methods = 1u << SIP_INVITE | 1u << SIP_ACK | 1u << SIP_BYE | 1u << SIP_CANCEL | 1u << SIP_OPTIONS | 1u << SIP_NOTIFY,
	.body_types = bodies,
};

static size_t load(const char *name, char *dst, size_t size)
{
	char path[512];
	FILE *file;
	size_t n;

	assert_int_equal(text_print(path, sizeof(path), RFC4475_DIR "/%s.dat", name), 0);
	file = fopen(path, "rb");
	assert_non_null(file);
	n = fread(dst, 1, size, file);
	fclose(file);
	assert_in_range(n, 1, size - 1);
	return n;
}

static void datagrams(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROWS; i++) {
		static char room[16384];
		size_t n = load(rows[i].name, room, sizeof(room));
		char *exact = malloc(n); /* so that reading one byte behind it is seen */
		struct sip_refusal why = { 0 };
		struct sip_msg msg;
		int err;

		assert_non_null(exact);
		memcpy(exact, room, n);
		err = sip_msg_parse(&msg, exact, n, &why);
		if (err != (rows[i].parse ? EBADMSG : 0) || (err && why.fault != rows[i].parse))
			fail_msg("%s: err %d, %s", rows[i].name, err, err ? why.sentence : "accepted");
		assert_int_equal(msg.method, rows[i].method);
		if (!err && msg.request) {
			err = sip_msg_check(&msg, &served, &why);
			if (err != (rows[i].check ? EBADMSG : 0) || (err && why.fault != rows[i].check))
				fail_msg("%s: check err %d, %s", rows[i].name, err, err ? why.sentence : "accepted");
		}
		free(exact);
	}
}

/* Whatever is refused and can be answered gets a response that is itself without fault, unless the copied headers are the fault. */
static void answers(void **state)
{
	unsigned answered = 0;

	(void)state;
	for (unsigned i = 0; i < ROWS; i++) {
		static char room[16384];
		size_t n = load(rows[i].name, room, sizeof(room));
		struct sip_refusal why = { .status = 200 };
		struct sip_msg msg, back;
		struct buf out;
		int err = sip_msg_parse(&msg, room, n, &why);

		if (!sip_msg_answerable(&msg))
			continue;
		buf_init(&out, 65536);
		sip_put_response(&out, &msg, &(struct sip_response_prm){ .status = err ? why.status : 200, .to_tag = TEXT("abc"),
		                                                         .received = TEXT("198.51.100.7"), .rport = 4321 });
		sip_put_end(&out);
		assert_int_equal(buf_error(&out), 0);
		answered++;
		if (!err) {
			assert_int_equal(sip_msg_parse(&back, out.p, out.n, &why), 0);
			assert_false(back.request);
			assert_true(text_eq(back.call_id, msg.call_id));
			assert_true(text_eq(back.cseq.method_text, msg.method_text));
			assert_true(back.to_tag.n > 0);
			assert_true(text_eq(back.from_tag, msg.from_tag));
		}
		buf_free(&out);
	}
	assert_in_range(answered, 35, 49);
}

static void streams(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROWS; i++) {
		static char room[16384];
		size_t n = load(rows[i].name, room, sizeof(room));
		struct sip_framer f;
		struct sip_frame frame;
		enum sip_frame_kind kind = SIP_FRAME_MORE;

		sip_framer_init(&f);
		for (size_t k = 0; k < n && kind == SIP_FRAME_MORE; k++) {
			assert_int_equal(sip_framer_feed(&f, room + k, 1), 0);
			kind = sip_framer_next(&f, &frame);
		}
		switch (rows[i].parse) {
		case F(BODY_CUT):
			assert_int_equal(kind, SIP_FRAME_MORE);
			break;
		case F(CONTENT_LENGTH):
			assert_int_equal(kind, SIP_FRAME_BAD);
			assert_int_equal(frame.why.status, 400);
			break;
		default:
			if (!strcmp(rows[i].name, "inv2543")) {
				assert_int_equal(kind, SIP_FRAME_BAD);
				assert_int_equal(frame.why.fault, F(NO_CONTENT_LENGTH));
			} else if (!strcmp(rows[i].name, "mcl01")) {
				assert_int_equal(kind, SIP_FRAME_BAD);
				assert_int_equal(frame.why.fault, F(HEADER_TWICE));
			} else if (kind != SIP_FRAME_MESSAGE) {
				fail_msg("%s: kind %d %s", rows[i].name, kind, frame.why.sentence);
			}
		}
		sip_framer_free(&f);
	}
}

UT_MAIN(UT(datagrams), UT(answers), UT(streams))
