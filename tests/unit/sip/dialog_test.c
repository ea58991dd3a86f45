/* SPDX-License-Identifier: Apache-2.0 */
/* dialog_test.c  Route sets, targets and sequence numbers of dialogs (RFC 3261 12), and where the next hop is. */
#include <errno.h>
#include <stdio.h>
#include "base/mem.h"
#include "sip/dialog.h"
#include "support/ut.h"

static void parse(struct sip_msg *m, const char *text)
{
	struct sip_refusal why;

	if (sip_msg_parse(m, text, strlen(text), &why))
		fail_msg("%s", why.sentence);
}

#define HEAD(start, more) \
	start "\r\nVia: SIP/2.0/TLS a.test;branch=z9hG4bKq\r\nFrom: \"Al\" <sip:a@a.test;x=1>;tag=them\r\nTo: <sip:100@b.test>\r\n" \
	      "Call-ID: x\r\nCSeq: 7 INVITE\r\n" more "Content-Length: 0\r\n\r\n"
#define INVITE(more) HEAD("INVITE sip:100@b.test SIP/2.0", more)

static const char *request_of(struct sip_dialog *d, struct buf *b)
{
	struct sip_via_prm via = { .transport = SIP_TLS, .host = TEXT("n.test"), .branch = TEXT("z9hG4bKx") };

	buf_init(b, 8192);
	sip_dialog_put(d, b, "BYE", 42, &via);
	sip_put_end(b);
	return buf_cstr(b);
}

static void wants(struct sip_dialog *d, const char *const *words)
{
	struct buf b;
	const char *text = request_of(d, &b), *at = text;

	for (; *words; words++) {
		at = strstr(at, *words);
		if (!at)
			fail_msg("wanted '%s' in:\n%s", *words, text);
	}
	buf_free(&b);
}

static void called_with_loose_routes(void **state)
{
	static const char *const words[] = { "BYE sip:a@10.0.0.1 SIP/2.0\r\n", "Route: <sip:p1.test;lr>\r\nRoute: <sip:p2.test:5062;lr>\r\n",
		                             "From: <sip:100@b.test>;tag=", "To: <sip:a@a.test;x=1>;tag=them\r\n", "CSeq: 42 BYE\r\n", NULL };
	struct sip_dialog d;
	struct sip_hop hop;
	struct sip_msg m;

	(void)state;
	parse(&m, INVITE("Contact: <sip:a@10.0.0.1>\r\nRecord-Route: <sip:p1.test;lr>, <sip:p2.test:5062;lr>\r\n"));
	assert_int_equal(sip_dialog_uas(&d, &m, NET_TLS), 0);
	wants(&d, words);
	assert_int_equal(sip_dialog_hop(&d, &hop), 0);
	assert_string_equal(hop.host, "p1.test");
	assert_int_equal(hop.port, 0);
	assert_int_equal(hop.transport, NET_TLS); /* as the call came */
	sip_dialog_clear(&d);
}

static void called_with_a_strict_route(void **state)
{
	static const char *const words[] = { "BYE sip:p1.test:5070 SIP/2.0\r\n", "Route: <sip:p2.test;lr>\r\nRoute: <sip:a@10.0.0.1>\r\n", NULL };
	struct sip_dialog d;
	struct sip_hop hop;
	struct sip_msg m;

	(void)state;
	parse(&m, INVITE("Contact: <sip:a@10.0.0.1>\r\nRecord-Route: <sip:p1.test:5070>\r\nRecord-Route: <sip:p2.test;lr>\r\n"));
	assert_int_equal(sip_dialog_uas(&d, &m, NET_UDP), 0);
	wants(&d, words);
	assert_int_equal(sip_dialog_hop(&d, &hop), 0);
	assert_string_equal(hop.host, "p1.test");
	assert_int_equal(hop.port, 5070);
	sip_dialog_clear(&d);
}

static void calling_takes_the_routes_in_reverse(void **state)
{
	static const char *const words[] = { "BYE sip:z@10.0.0.9;transport=tcp SIP/2.0\r\n", "Route: <sip:p2.test;lr>\r\nRoute: <sip:p1.test;lr>\r\n",
		                             "From: \"We\" <sip:um@n.test>;tag=", "To: <sip:100@b.test>;tag=t2\r\n", NULL };
	struct sip_dialog d;
	struct sip_msg m;

	(void)state;
	assert_int_equal(sip_dialog_uac(&d, "sip:um@n.test", "We", "sip:100@b.test", NULL, NET_TCP), 0);
	parse(&m, "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP n.test;branch=z9hG4bKq\r\nFrom: <sip:um@n.test>;tag=1\r\nTo: <sip:100@b.test>;tag=t2\r\n"
	          "Call-ID: x\r\nCSeq: 7 INVITE\r\nContact: <sip:z@10.0.0.9;transport=tcp>\r\nRecord-Route: <sip:p1.test;lr>,<sip:p2.test;lr>\r\n"
	          "Content-Length: 0\r\n\r\n");
	assert_int_equal(sip_dialog_answered(&d, &m), 0);
	wants(&d, words);
	sip_dialog_clear(&d);
}

static void refused(const char *text)
{
	struct sip_dialog d;
	struct sip_msg m;

	parse(&m, text);
	assert_int_equal(sip_dialog_uas(&d, &m, NET_UDP), EBADMSG);
}

static void without_a_usable_contact(void **state)
{
	char many[4096] = "", text[8192];

	(void)state;
	refused(INVITE(""));
	refused(INVITE("Contact: <mailto:a@b>\r\n"));
	for (int i = 0; i <= SIP_ROUTES; i++)
		strncat(many, "Record-Route: <sip:p.test;lr>\r\n", sizeof(many) - strlen(many) - 1);
	snprintf(text, sizeof(text), "INVITE sip:100@b.test SIP/2.0\r\nVia: SIP/2.0/TLS a.test;branch=z9hG4bKq\r\nFrom: <sip:a@a.test>;tag=them\r\n"
	         "To: <sip:100@b.test>\r\nCall-ID: x\r\nCSeq: 7 INVITE\r\nContact: <sip:a@b>\r\n%sContent-Length: 0\r\n\r\n", many);
	refused(text);
}

static void order_and_target(void **state)
{
	struct sip_dialog d;
	struct sip_hop hop;
	struct sip_msg m;

	(void)state;
	parse(&m, INVITE("Contact: <sip:a@10.0.0.1>\r\n"));
	assert_int_equal(sip_dialog_uas(&d, &m, NET_UDP), 0);
	assert_false(sip_dialog_in_order(&d, &m)); /* the same number again */
	m.cseq.number = 9;
	assert_true(sip_dialog_in_order(&d, &m)); /* gaps are allowed */
	m.cseq.number = 8;
	assert_false(sip_dialog_in_order(&d, &m));
	parse(&m, INVITE("Contact: <sips:a@c.test:5065>\r\n"));
	assert_int_equal(sip_dialog_target(&d, &m), 0);
	assert_int_equal(sip_dialog_hop(&d, &hop), 0);
	assert_string_equal(hop.host, "c.test");
	assert_int_equal(hop.transport, NET_TLS);
	sip_dialog_clear(&d);
}

static void hops(void **state)
{
	static const struct {
		const char *uri;
		int err;
		const char *host;
		uint16_t port;
		enum net_transport transport;
	} row[] = {
		{ "sip:h.test", 0, "h.test", 0, NET_UDP },
		{ "sip:u@h.test:5080;transport=tcp", 0, "h.test", 5080, NET_TCP },
		{ "sip:h.test;transport=TLS", 0, "h.test", 0, NET_TLS },
		{ "sips:h.test;transport=tcp", 0, "h.test", 0, NET_TLS },
		{ "sip:h.test;maddr=10.1.1.1", 0, "10.1.1.1", 0, NET_UDP },
		{ "sip:[2001:db8::1]:5060", 0, "2001:db8::1", 5060, NET_UDP },
		{ "sip:h.test;transport=sctp", EBADMSG, "", 0, NET_UDP },
		{ "tel:+1234", EBADMSG, "", 0, NET_UDP },
	};
	struct sip_hop hop;

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++) {
		assert_int_equal(sip_hop_of_uri(&hop, text_of(row[i].uri), NET_UDP), row[i].err);
		if (row[i].err)
			continue;
		assert_string_equal(hop.host, row[i].host);
		assert_int_equal(hop.port, row[i].port);
		assert_int_equal(hop.transport, row[i].transport);
	}
}

static int oom_body(void *arg)
{
	struct sip_dialog d;
	struct sip_msg m;
	int err;

	(void)arg;
	parse(&m, INVITE("Contact: <sip:a@10.0.0.1>\r\nRecord-Route: <sip:p1.test;lr>, <sip:p2.test:5062;lr>\r\n"));
	err = sip_dialog_uas(&d, &m, NET_TLS);
	if (!err)
		sip_dialog_clear(&d);
	return err;
}

static void out_of_memory(void **state)
{
	(void)state;
	ut_oom(oom_body, NULL);
}

UT_MAIN(UT(called_with_loose_routes), UT(called_with_a_strict_route), UT(calling_takes_the_routes_in_reverse), UT(without_a_usable_contact),
        UT(order_and_target), UT(hops), UT(out_of_memory))
