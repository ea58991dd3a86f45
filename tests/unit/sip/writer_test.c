/* SPDX-License-Identifier: Apache-2.0 */
/* writer_test.c  What is written reads back as what was meant; what would break a line is never written. */
#include <errno.h>
#include "ut.h"
#include "sip/writer.h"

static void is(struct text t, const char *s)
{
	if (!text_is(t, s))
		fail_msg("'%.*s' is not '%s'", TEXT_FMT(t), s);
}

static void put_all(struct buf *b)
{
	sip_put_request(b, "INVITE", TEXT("sip:bob@[2001:db8::9]:5070;transport=tcp"));
	sip_put_via(b, &(struct sip_via_prm){ SIP_TLS, TEXT("2001:db8::1"), 5061, TEXT("z9hG4bKabc"), true, true });
	sip_put_max_forwards(b);
	sip_put_addr(b, "From", &(struct sip_addr_prm){ TEXT("A \"B\" \\ \r\n\xc3\xbc \xff \xe2\x80\xae"), TEXT("sip:a@b.example"), TEXT("t1"), TEXT_NONE });
	sip_put_addr(b, "To", &(struct sip_addr_prm){ .uri = TEXT("sip:bob@h.example") });
	sip_put_str(b, "Call-ID", "abc@d");
	sip_put_cseq(b, 7, "INVITE");
	sip_put_addr(b, "Contact", &(struct sip_addr_prm){ .uri = TEXT("sip:a@b.example:5061;transport=tls"), .params = TEXT("expires=60") });
	sip_put_printf(b, "X-Number", "%d of %s", 4, "many");
	sip_put_body(b, "application/sdp", TEXT("v=0\r\n"));
}

static void a_request_reads_back(void **state)
{
	struct sip_refusal why = { 0 };
	struct sip_msg msg;
	struct sip_addr a;
	struct text value;
	char room[64];
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	put_all(&b);
	assert_int_equal(buf_error(&b), 0);
	if (sip_msg_parse(&msg, b.p, b.n, &why))
		fail_msg("%s", why.sentence);
	assert_int_equal(msg.method, SIP_INVITE);
	assert_int_equal(msg.uri.host_kind, SIP_HOST_IPV6);
	assert_int_equal(msg.via.port, 5061);
	assert_true(msg.via.has_rport);
	assert_true(msg.via.has_alias);
	is(msg.via.host, "2001:db8::1");
	assert_string_equal(sip_plain_text(msg.from.display, room, sizeof(room)), "A \"B\" \\   \xc3\xbc ? ???");
	is(msg.from_tag, "t1");
	assert_int_equal(msg.cseq.number, 7);
	assert_int_equal(sip_msg_contact(&msg, &a), 0);
	assert_true(sip_addr_param(&a, "expires", &value));
	is(value, "60");
	is(sip_msg_hdr_named(&msg, "X-Number")->value, "4 of many");
	is(msg.body, "v=0\r\n");
	buf_free(&b);
}

#define SPOILS(call) \
	do { \
		struct buf b; \
		buf_init(&b, 4096); \
		call; \
		assert_int_equal(buf_error(&b), EINVAL); \
		buf_free(&b); \
	} while (0)

static void never_breaks_a_line(void **state)
{
	(void)state;
	SPOILS(sip_put_request(&b, "INV ITE", TEXT("sip:a@b.example")));
	SPOILS(sip_put_request(&b, "INVITE", TEXT("sip:a@b.example SIP/2.0\r\nX: y")));
	SPOILS(sip_put_request(&b, "INVITE", TEXT("sip:a@b.example?x=y")));
	SPOILS(sip_put_header(&b, "Subject", TEXT("a\r\nX: y")));
	SPOILS(sip_put_header(&b, "Subject", TEXT("a\nX: y")));
	SPOILS(sip_put_header(&b, "Subject", TEXT("a\rX: y")));
	SPOILS(sip_put_header(&b, "Subject", TEXT("a\0b")));
	SPOILS(sip_put_header(&b, "Subject", TEXT("a\\\0b")));
	SPOILS(sip_put_header(&b, "Subject", TEXT("a\r\n")));
	SPOILS(sip_put_header(&b, "Sub: ject", TEXT("a")));
	SPOILS(sip_put_status(&b, 99, NULL));
	SPOILS(sip_put_cseq(&b, 1, "A\r\nB"));
	SPOILS(sip_put_cseq(&b, 0x80000000u, "ACK"));
	SPOILS(sip_put_via(&b, &(struct sip_via_prm){ SIP_UDP, TEXT("h.example\r\nX: y"), 0, TEXT("z9hG4bK1"), false, false }));
	SPOILS(sip_put_via(&b, &(struct sip_via_prm){ SIP_UDP, TEXT("h.example"), 0, TEXT("z9hG4bK1;x"), false, false }));
	SPOILS(sip_put_via(&b, &(struct sip_via_prm){ SIP_TRANSPORT_OTHER, TEXT("h.example"), 0, TEXT("z9hG4bK1"), false, false }));
	SPOILS(sip_put_addr(&b, "To", &(struct sip_addr_prm){ .uri = TEXT("sip:a@b.example>;x=y") }));
	SPOILS(sip_put_addr(&b, "To", &(struct sip_addr_prm){ .uri = TEXT("sip:a@b.example"), .tag = TEXT("a;b") }));
	SPOILS(sip_put_addr(&b, "To", &(struct sip_addr_prm){ .uri = TEXT("sip:a@b.example"), .params = TEXT("a,b") }));
	SPOILS(sip_put_uri(&b, &(struct sip_uri_prm){ .scheme = SIP_SCHEME_SIP, .host = TEXT("a.example;x=y") }));
	SPOILS(sip_put_uri(&b, &(struct sip_uri_prm){ .scheme = SIP_SCHEME_SIP, .host = TEXT("a.example"), .params = TEXT("x y") }));
	SPOILS(sip_put_uri(&b, &(struct sip_uri_prm){ .scheme = SIP_SCHEME_TEL, .user = TEXT("12&34") }));
	SPOILS(sip_put_uri(&b, &(struct sip_uri_prm){ .scheme = SIP_SCHEME_OTHER, .user = TEXT("12") }));
}

static void folding_becomes_a_blank(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	sip_put_header(&b, "Subject", TEXT("a \r\n\t b\r\n c"));
	sip_put_status(&b, 480, "No\r\nX: y");
	is(buf_as_text(&b), "Subject: a b c\r\nSIP/2.0 480 No  X: y\r\n");
	buf_free(&b);
}

static void builds_uris(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	sip_put_uri(&b, &(struct sip_uri_prm){ SIP_SCHEME_SIP, TEXT("a b@c:d#\xc3\xbc"), TEXT("h.example"), 5070, TEXT("transport=tcp"), TEXT_NONE });
	is(buf_as_text(&b), "sip:a%20b%40c%3Ad%23%C3%BC@h.example:5070;transport=tcp");
	buf_clear(&b);
	sip_put_uri(&b, &(struct sip_uri_prm){ .scheme = SIP_SCHEME_SIPS, .host = TEXT("[2001:db8::1]"), .headers = TEXT("Replaces=a%40b") });
	is(buf_as_text(&b), "sips:[2001:db8::1]?Replaces=a%40b");
	buf_clear(&b);
	sip_put_uri(&b, &(struct sip_uri_prm){ .scheme = SIP_SCHEME_TEL, .user = TEXT("+4930") });
	is(buf_as_text(&b), "tel:+4930");
	buf_free(&b);
}

#define REQ \
	"INVITE sip:c@d.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5070 ;received=6.6.6.6;rport;\r\n branch=z9hG4bK1, SIP/2.0/TCP two.example\r\n" \
	"v: SIP/2.0/TCP three.example;branch=x\r\nRecord-Route: <sip:r1.example;lr>,\r\n <sip:r2.example;lr>\r\nRecord-Route: <sip:r3.example;lr>\r\n" \
	"f: \"a\r\n b\" <sip:a@b.example>;tag=1\r\nt: sip:c@d.example\r\ni: x\r\nCSeq:  1   INVITE\r\nTimestamp: 54\r\n\r\n"

static void responses_copy_what_rfc_3261_names(void **state)
{
	struct sip_msg msg;
	struct buf b;

	(void)state;
	assert_int_equal(sip_msg_parse(&msg, REQ, sizeof(REQ) - 1, NULL), 0);
	buf_init(&b, 8192);
	sip_put_response(&b, &msg, &(struct sip_response_prm){ .status = 180, .to_tag = TEXT("ours"), .received = TEXT("192.0.2.9"), .rport = 40000 });
	sip_put_end(&b);
	is(buf_as_text(&b),
	   "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 10.0.0.1:5070;rport=40000;branch=z9hG4bK1;received=192.0.2.9\r\nVia: SIP/2.0/TCP two.example\r\n"
	   "Via: SIP/2.0/TCP three.example;branch=x\r\nRecord-Route: <sip:r1.example;lr>, <sip:r2.example;lr>\r\nRecord-Route: <sip:r3.example;lr>\r\n"
	   "From: \"a b\" <sip:a@b.example>;tag=1\r\nTo: sip:c@d.example;tag=ours\r\nCall-ID: x\r\nCSeq: 1   INVITE\r\nContent-Length: 0\r\n\r\n");
	buf_clear(&b);
	sip_put_response(&b, &msg, &(struct sip_response_prm){ .status = 100, .to_tag = TEXT("ours") });
	is(buf_as_text(&b),
	   "SIP/2.0 100 Trying\r\nVia: SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK1\r\nVia: SIP/2.0/TCP two.example\r\n"
	   "Via: SIP/2.0/TCP three.example;branch=x\r\nTimestamp: 54\r\nFrom: \"a b\" <sip:a@b.example>;tag=1\r\nTo: sip:c@d.example\r\nCall-ID: x\r\n"
	   "CSeq: 1   INVITE\r\n");
	buf_clear(&b);
	sip_put_copy_as(&b, &msg, SIP_HDR_RECORD_ROUTE, "Route", true);
	is(buf_as_text(&b), "Route: <sip:r3.example;lr>\r\nRoute: <sip:r2.example;lr>\r\nRoute: <sip:r1.example;lr>\r\n");
	buf_free(&b);
}

/* An answer to what came twice or broken shall not be broken itself (RFC 4475 3.3.8: the first value is answered). */
static void an_answer_to_rubbish_is_none_itself(void **state)
{
	static const char rubbish[] = "OPTIONS sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nf: <sip:e@b>;tag=2\r\nTo: <sip:c\0@d>\r\nTo: <sip:c@d>\r\n"
	                              "Call-ID: a\0b\r\ni: x\r\nCSeq: 1 OPTIONS\r\nCSeq: 2 OPTIONS\r\n\r\n";
	struct sip_msg msg;
	struct buf b;

	(void)state;
	assert_int_equal(sip_msg_parse(&msg, rubbish, sizeof(rubbish) - 1, NULL), EBADMSG);
	buf_init(&b, 8192);
	sip_put_response(&b, &msg, &(struct sip_response_prm){ .status = 400, .to_tag = TEXT("ours") });
	sip_put_end(&b);
	assert_int_equal(buf_error(&b), 0);
	is(buf_as_text(&b), "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
	buf_free(&b);
}

static void refusals_name_what_would_be_taken(void **state)
{
	static const char *const bodies[] = { "application/sdp", "text/plain", NULL };
	const struct sip_served served = { .methods = 1u << SIP_INVITE | 1u << SIP_BYE, .body_types = bodies };
	static const char request[] = "INVITE sip:c@d.example SIP/2.0\r\nVia: SIP/2.0/UDP h.example\r\nFrom: <sip:a@b.example>\r\nTo: <sip:c@d.example>\r\n"
	                              "Call-ID: x\r\nCSeq: 1 INVITE\r\nRequire: 100rel, x;y, timer\r\n\r\n";
	struct sip_refusal why = { .fault = SIP_FAULT_METHOD_NOT_ALLOWED };
	struct sip_msg msg;
	struct buf b;

	(void)state;
	assert_int_equal(sip_msg_parse(&msg, request, sizeof(request) - 1, NULL), 0);
	buf_init(&b, 4096);
	sip_put_refusal_headers(&b, &msg, &served, &why);
	why.fault = SIP_FAULT_BAD_EXTENSION;
	sip_put_refusal_headers(&b, &msg, &served, &why);
	why.fault = SIP_FAULT_MEDIA_TYPE;
	sip_put_refusal_headers(&b, &msg, &served, &why);
	why.fault = SIP_FAULT_BODY_ENCODING;
	sip_put_refusal_headers(&b, &msg, &served, &why);
	is(buf_as_text(&b), "Allow: INVITE, BYE\r\nUnsupported: 100rel\r\nUnsupported: timer\r\nAccept: application/sdp\r\nAccept: text/plain\r\nAccept-Encoding: identity\r\n");
	buf_free(&b);
}

static int write_long(void *arg)
{
	static char uri[5000];
	struct buf b;
	int err;

	(void)arg;
	memset(uri, 'x', sizeof(uri) - 1);
	buf_init(&b, 65536);
	sip_put_printf(&b, "History-Info", "<sip:%s>;index=%s", uri, "1");
	err = buf_error(&b);
	if (!err)
		assert_int_equal(b.n, strlen("History-Info: <sip:>;index=1\r\n") + sizeof(uri) - 1);
	buf_free(&b);
	return err;
}

/* A peer's own URI stands in our answer to it, however long it is. */
static void a_long_line_is_written_whole(void **state)
{
	(void)state;
	assert_int_equal(write_long(NULL), 0);
	ut_oom(write_long, NULL);
}

static int write_once(void *arg)
{
	struct buf b;
	int err;

	(void)arg;
	buf_init(&b, 65536);
	put_all(&b);
	err = buf_error(&b);
	buf_free(&b);
	return err;
}

static void survives_lack_of_memory(void **state)
{
	struct buf b;

	(void)state;
	ut_oom(write_once, NULL);
	buf_init(&b, 100);
	put_all(&b);
	assert_int_equal(buf_error(&b), EMSGSIZE);
	buf_free(&b);
}

UT_MAIN(UT(a_request_reads_back), UT(never_breaks_a_line), UT(folding_becomes_a_blank), UT(builds_uris), UT(responses_copy_what_rfc_3261_names),
        UT(an_answer_to_rubbish_is_none_itself), UT(refusals_name_what_would_be_taken), UT(a_long_line_is_written_whole), UT(survives_lack_of_memory))
