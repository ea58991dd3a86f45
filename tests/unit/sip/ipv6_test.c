/* SPDX-License-Identifier: Apache-2.0 */
/* ipv6_test.c  The situations of RFC 5118 section 4, each as a message of our own. */
#include <errno.h>
#include "ut.h"
#include "sip/message.h"
#include "sip/sdp.h"

#define REGISTER(uri, via, contact) \
	"REGISTER " uri " SIP/2.0\r\nTo: sip:user@example.com\r\nFrom: sip:user@example.com;tag=81x2\r\nVia: " via "\r\n" \
	"Call-ID: SSG9559905523997077@hlau_4100\r\nMax-Forwards: 70\r\nContact: \"Caller\" <" contact ">\r\nCSeq: 98176 REGISTER\r\nContent-Length: 0\r\n\r\n"
#define GOOD_VIA "SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111"
#define GOOD_CONTACT "sip:caller@[2001:db8::1]"

static void parse(struct sip_msg *msg, const char *s, enum sip_fault fault)
{
	struct sip_refusal why = { 0 };
	int err = sip_msg_parse(msg, s, strlen(s), &why);

	if (err != (fault ? EBADMSG : 0) || why.fault != fault)
		fail_msg("%s", err ? why.sentence : "taken");
}

static void is(struct text t, const char *s)
{
	if (!text_is(t, s))
		fail_msg("'%.*s' is not '%s'", TEXT_FMT(t), s);
}

static void references_and_ports(void **state)
{
	struct sip_msg msg;
	struct sip_addr a;

	(void)state;
	/* 4.1 */
	parse(&msg, REGISTER("sip:[2001:db8::10]", GOOD_VIA, GOOD_CONTACT), SIP_FAULT_NONE);
	is(msg.uri.host, "2001:db8::10");
	is(msg.via.host, "2001:db8::9:1");
	assert_int_equal(sip_msg_contact(&msg, &a), 0);
	is(a.uri.host, "2001:db8::1");
	/* 4.2 */
	parse(&msg, REGISTER("sip:2001:db8::10", GOOD_VIA, GOOD_CONTACT), SIP_FAULT_URI_HOST);
	assert_true(sip_msg_answerable(&msg));
	/* 4.3 */
	parse(&msg, REGISTER("sip:[2001:db8::10:5070]", GOOD_VIA, GOOD_CONTACT), SIP_FAULT_NONE);
	assert_int_equal(msg.uri.port, 0);
	/* 4.4 */
	parse(&msg, REGISTER("sip:[2001:db8::10]:5070", GOOD_VIA, GOOD_CONTACT), SIP_FAULT_NONE);
	assert_int_equal(msg.uri.port, 5070);
	/* 4.10 */
	parse(&msg, REGISTER("sip:user@example.com", "SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8:::192.0.2.1];branch=z9hG4bK1",
	                     "sip:user@[2001:db8:::192.0.2.1]"), SIP_FAULT_NONE);
}

static void received_with_and_without_brackets(void **state)
{
	struct sip_msg msg;

	(void)state;
	/* 4.5 */
	parse(&msg, REGISTER("sip:[2001:db8::10]", "SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bK1", GOOD_CONTACT), SIP_FAULT_NONE);
	is(msg.via.received, "2001:db8::9:255");
	parse(&msg, REGISTER("sip:[2001:db8::10]", "SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bK1", GOOD_CONTACT), SIP_FAULT_NONE);
	is(msg.via.received, "2001:db8::9:255");
}

static void both_versions_side_by_side(void **state)
{
	static const char bye[] = "BYE sip:user@host.example.com SIP/2.0\r\nVia: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111,\r\n"
	                          " SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144,\r\n SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;"
	                          "received=192.0.2.200\r\nCall-ID: 997077@lau_4100\r\nMax-Forwards: 70\r\nCSeq: 89187 BYE\r\n"
	                          "To: sip:user@example.net;tag=9817--94\r\nFrom: sip:user@example.com;tag=81x2\r\nContent-Length: 0\r\n\r\n";
	static const char sdp[] = "v=0\r\no=assistant 971731711378798081 0 IN IP6 2001:db8::20\r\ns=Live video feed\r\nc=IN IP6 2001:db8::1\r\nt=3338481189 3370017201\r\n"
	                          "m=audio 6000 RTP/AVP 2\r\na=rtpmap:2 G726-32/8000\r\nm=video 6024 RTP/AVP 107\r\nc=IN IP4 192.0.2.1\r\na=rtpmap:107 H263-1998/90000\r\n";
	struct sip_msg msg;
	struct sip_iter it;
	struct text item;
	struct sip_via via;
	struct sdp d;

	(void)state;
	/* 4.7 */
	parse(&msg, bye, SIP_FAULT_NONE);
	it = sip_iter_of(&msg, SIP_HDR_VIA);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(sip_iter_next(&it, &item), 0);
		assert_int_equal(sip_via_parse(&via, item, NULL), 0);
		assert_int_equal(via.host_kind, i == 1 ? SIP_HOST_IPV4 : SIP_HOST_IPV6);
	}
	is(via.received, "192.0.2.200");
	/* 4.6, 4.8 */
	assert_int_equal(sdp_parse(&d, text_make(sdp, sizeof(sdp) - 1), NULL), 0);
	assert_int_equal(d.media[0].conn.kind, SIP_HOST_IPV6);
	assert_int_equal(d.media[1].conn.kind, SIP_HOST_IPV4);
	is(d.time, "3338481189 3370017201");
}

static void mapped_addresses(void **state)
{
	static const char sdp[] = "v=0\r\no=- 1 0 IN IP6 ::ffff:192.0.2.10\r\ns=-\r\nc=IN IP6 ::FFFF:192.0.2.10\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n";
	struct sip_msg msg;
	struct sdp d;

	(void)state;
	/* 4.9 */
	parse(&msg, REGISTER("sip:[2001:db8::10]", "SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19", "sip:T@[::ffff:192.0.2.10]:19823"),
	      SIP_FAULT_NONE);
	assert_int_equal(msg.via.port, 19823);
	assert_true(sip_ipv6_equal(msg.via.host, TEXT("::FFFF:c000:20a")));
	assert_int_equal(sdp_parse(&d, text_make(sdp, sizeof(sdp) - 1), NULL), 0);
	assert_int_equal(d.media[0].conn.kind, SIP_HOST_IPV6);
}

UT_MAIN(UT(references_and_ports), UT(received_with_and_without_brackets), UT(both_versions_side_by_side), UT(mapped_addresses))
