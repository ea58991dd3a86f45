/* SPDX-License-Identifier: Apache-2.0 */
/* header_test.c  Each typed header value: what its RFC shows, what the field sends, what is broken. */
#include <errno.h>
#include "ut.h"
#include "sip/header.h"

static void is(struct text t, const char *s)
{
	if (!text_is(t, s))
		fail_msg("'%.*s' is not '%s'", TEXT_FMT(t), s);
}

static void splits_lists(void **state)
{
	struct text rest = TEXT("  \"a, b\" <sip:x,y@h?z=1,2> , , c;p=\"d,\\\",e\" ,\r\n f"), item;

	(void)state;
	assert_int_equal(sip_list_next(&rest, &item), 0);
	is(item, "\"a, b\" <sip:x,y@h?z=1,2>");
	assert_int_equal(sip_list_next(&rest, &item), 0);
	is(item, "c;p=\"d,\\\",e\"");
	assert_int_equal(sip_list_next(&rest, &item), 0);
	is(item, "f");
	assert_int_equal(sip_list_next(&rest, &item), ENOENT);
	rest = TEXT("\"open, x");
	assert_int_equal(sip_list_next(&rest, &item), EBADMSG);
	rest = TEXT("<sip:open, x");
	assert_int_equal(sip_list_next(&rest, &item), EBADMSG);
	rest = TEXT("\"open\\");
	assert_int_equal(sip_list_next(&rest, &item), EBADMSG);
	assert_true(sip_list_has(TEXT("100rel, Replaces ,timer"), "replaces"));
	assert_false(sip_list_has(TEXT("100rel"), "100"));
}

static void reads_parameters(void **state)
{
	struct text rest = TEXT(" ; a = b ;\r\n c;D=\"x;\\\"y\" ;e=[2001:db8::1]"), name, value;

	(void)state;
	assert_int_equal(sip_param_next(&rest, &name, &value), 0);
	is(name, "a");
	is(value, "b");
	assert_int_equal(sip_param_next(&rest, &name, &value), 0);
	is(name, "c");
	assert_null(value.p);
	assert_int_equal(sip_param_next(&rest, &name, &value), 0);
	is(value, "\"x;\\\"y\"");
	assert_int_equal(sip_param_next(&rest, &name, &value), 0);
	is(value, "[2001:db8::1]");
	assert_int_equal(sip_param_next(&rest, &name, &value), ENOENT);
	assert_true(sip_param_find(TEXT("a=b;D=\"x\""), "d", &value));
	is(value, "x");
	assert_false(sip_param_find(TEXT("a=b"), "b", &value));
	assert_int_equal(sip_params_check(TEXT_NONE), 0);
	assert_int_equal(sip_params_check(TEXT("a;;b")), EBADMSG);
	assert_int_equal(sip_params_check(TEXT("a;b;")), EBADMSG);
	assert_int_equal(sip_params_check(TEXT("a b")), EBADMSG);
	assert_int_equal(sip_params_check(TEXT("a=\"b")), EBADMSG);
	assert_int_equal(sip_params_check(TEXT("a=b\"c")), EBADMSG);
	assert_int_equal(sip_params_check(TEXT("=b")), EBADMSG);
}

static void makes_text_plain(void **state)
{
	char room[8];

	(void)state;
	assert_string_equal(sip_plain_text(TEXT("\"a\\\"b\""), room, sizeof(room)), "a\"b");
	assert_string_equal(sip_plain_text(TEXT("a \r\n\t b"), room, sizeof(room)), "a b");
	assert_string_equal(sip_plain_text(TEXT("a\\\r\\\n\x7f"), room, sizeof(room)), "a   ");
	assert_string_equal(sip_plain_text(TEXT("123456\xc3\xbc"), room, sizeof(room)), "123456");
	assert_string_equal(sip_plain_text(TEXT("12345\xc3\xbc"), room, sizeof(room)), "12345\xc3\xbc");
	assert_string_equal(sip_plain_text(TEXT("\\"), room, sizeof(room)), "\\");
}

static struct sip_addr addr(const char *s)
{
	struct sip_refusal why = { 0 };
	struct sip_addr a;

	if (sip_addr_parse(&a, text_of(s), &why))
		fail_msg("%s: %s", s, why.sentence);
	return a;
}

static void bad_addr(const char *s, enum sip_fault fault)
{
	struct sip_refusal why = { 0 };
	struct sip_addr a;

	if (!sip_addr_parse(&a, text_of(s), &why) || why.fault != fault)
		fail_msg("%s: %s", s, why.sentence ? why.sentence : "taken");
}

static void takes_addresses_apart(void **state)
{
	struct sip_addr a;
	struct text value;

	(void)state;
	a = addr("\"A. G. \\\"Bell\\\"\" <sip:agb@bell-telephone.com> ;tag=a48s");
	is(a.display, "A. G. \\\"Bell\\\"");
	is(a.uri.user, "agb");
	is(sip_addr_tag(&a), "a48s");
	a = addr("sip:+12125551212@server.phone2net.com;tag=887s");
	is(a.uri.params, "");
	is(sip_addr_tag(&a), "887s");
	a = addr("Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8");
	is(a.display, "Anonymous");
	a = addr("Mr. Watson<sip:watson@worcester.bell-telephone.com;transport=tcp>; q=0.7; expires=3600");
	is(a.uri.params, "transport=tcp");
	assert_true(sip_addr_param(&a, "expires", &value));
	is(value, "3600");
	a = addr("M\xc3\xbcller <sip:m@h.example>");
	is(a.display, "M\xc3\xbcller");
	a = addr("<sip:+49301234@contoso.com;user=phone>;epid=1234567890;tag=abc");
	assert_true(sip_addr_param(&a, "epid", &value));
	a = addr("*");
	assert_true(a.star);
	a = addr("<tel:+493012345>");
	assert_int_equal(a.uri.scheme, SIP_SCHEME_TEL);
	a = addr("\"\" <sip:a@b.example>");
	assert_int_equal(a.display.n, 0);
}

static void refuses_broken_addresses(void **state)
{
	(void)state;
	bad_addr("", SIP_FAULT_URI);
	bad_addr("\"Joe <sip:joe@example.org>", SIP_FAULT_QUOTE);
	bad_addr("Bell, Alexander <sip:a@example.com>", SIP_FAULT_ADDRESS_DISPLAY);
	bad_addr("\"Joe\" sip:joe@example.org", SIP_FAULT_ADDRESS);
	bad_addr("\"Joe\"", SIP_FAULT_ADDRESS);
	bad_addr("<sip:joe@example.org", SIP_FAULT_ADDRESS);
	bad_addr("<sip:joe@example.org> x", SIP_FAULT_ADDRESS);
	bad_addr("< sip:joe@example.org >", SIP_FAULT_URI);
	bad_addr("<>", SIP_FAULT_URI);
	bad_addr("sip:joe@example.org?x=y", SIP_FAULT_ADDRESS_BRACKETS);
	bad_addr("<sip:joe@example.org>;", SIP_FAULT_PARAMETER);
	bad_addr("<sip:joe@example.org>;;tag=1", SIP_FAULT_PARAMETER);
	bad_addr("sip:joe@example.org;", SIP_FAULT_PARAMETER);
}

static struct sip_via via(const char *s)
{
	struct sip_refusal why = { 0 };
	struct sip_via v;

	if (sip_via_parse(&v, text_of(s), &why))
		fail_msg("%s: %s", s, why.sentence);
	return v;
}

static void bad_via(const char *s)
{
	struct sip_via v;

	if (!sip_via_parse(&v, text_of(s), NULL))
		fail_msg("%s: taken", s);
}

static void takes_via_apart(void **state)
{
	struct sip_via v;

	(void)state;
	v = via("SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7");
	assert_int_equal(v.transport, SIP_UDP);
	is(v.host, "erlang.bell-telephone.com");
	assert_int_equal(v.port, 5060);
	assert_true(v.has_magic);
	v = via("SIP / 2.0 / tls\r\n first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1");
	assert_int_equal(v.transport, SIP_TLS);
	assert_int_equal(v.port, 4000);
	assert_int_equal(v.ttl, 16);
	is(v.maddr, "224.2.0.1");
	v = via("SIP/2.0/TCP [2001:db8::9:1]:5080;received=[2001:db8::9:255];rport=1234;alias;branch=z9hG4bKas3-111");
	assert_int_equal(v.host_kind, SIP_HOST_IPV6);
	is(v.received, "2001:db8::9:255");
	assert_int_equal(v.rport, 1234);
	assert_true(v.has_rport);
	assert_true(v.has_alias);
	v = via("SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK");
	assert_true(v.has_rport);
	assert_int_equal(v.rport, 0);
	assert_false(v.has_magic);
	v = via("SIP/2.0/UNKNOWN h.example");
	assert_int_equal(v.transport, SIP_TRANSPORT_OTHER);
	is(v.transport_text, "UNKNOWN");
	bad_via("");
	bad_via("SIP/2.0/UDP");
	bad_via("SIP/2.0/UDP ");
	bad_via("SIP/2.0 UDP h.example");
	bad_via("HTTP/1.1/TCP h.example");
	bad_via("SIP/2.0/UDP h.example:0");
	bad_via("SIP/2.0/UDP h.example:99999");
	bad_via("SIP/2.0/UDP h.example x");
	bad_via("SIP/2.0/UDP h.example;");
	bad_via("SIP/2.0/UDP h.example;;branch=x");
	bad_via("SIP/2.0/UDP h.example;rport=x");
	bad_via("SIP/2.0/UDP h.example;ttl=256");
	bad_via("SIP/2.0/UDP [2001:db8::1");
}

static void takes_cseq_apart(void **state)
{
	struct sip_refusal why;
	struct sip_cseq c;

	(void)state;
	assert_int_equal(sip_cseq_parse(&c, TEXT("4711 INVITE"), NULL), 0);
	assert_int_equal(c.number, 4711);
	assert_int_equal(c.method, SIP_INVITE);
	assert_int_equal(sip_cseq_parse(&c, TEXT("0009 \r\n invite"), NULL), 0);
	assert_int_equal(c.method, SIP_METHOD_OTHER);
	assert_int_equal(sip_cseq_parse(&c, TEXT("2147483647 ACK"), NULL), 0);
	assert_int_equal(sip_cseq_parse(&c, TEXT("2147483648 ACK"), &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_CSEQ_NUMBER);
	assert_int_equal(sip_cseq_parse(&c, TEXT("ACK"), NULL), EBADMSG);
	assert_int_equal(sip_cseq_parse(&c, TEXT("1ACK"), NULL), EBADMSG);
	assert_int_equal(sip_cseq_parse(&c, TEXT("1"), NULL), EBADMSG);
	assert_int_equal(sip_cseq_parse(&c, TEXT("-1 ACK"), NULL), EBADMSG);
	assert_int_equal(sip_cseq_parse(&c, TEXT("1 ACK x"), NULL), EBADMSG);
	for (enum sip_method m = SIP_INVITE; m < SIP_METHODS; m++)
		assert_int_equal(sip_method_of(text_of(sip_method_name(m))), m);
	for (enum sip_transport t = SIP_UDP; t <= SIP_WSS; t++)
		assert_int_equal(sip_transport_of(text_of(sip_transport_name(t))), t);
}

static void reads_diversion(void **state)
{
	struct sip_diversion d;

	(void)state;
	assert_int_equal(sip_diversion_parse(&d, TEXT("\"Bob\" <sip:2001@pbx.example>;reason=\"no-answer\";counter=2;privacy=off;screen=yes"), NULL), 0);
	is(d.addr.uri.user, "2001");
	is(d.reason, "no-answer");
	is(d.privacy, "off");
	assert_int_equal(d.counter, 2);
	assert_int_equal(sip_diversion_parse(&d, TEXT("<tel:+3222222>;reason=user-busy"), NULL), 0);
	is(d.addr.uri.user, "+3222222");
	assert_int_equal(sip_diversion_parse(&d, TEXT("<sip:called@domain>"), NULL), 0);
	assert_int_equal(d.counter, 0);
	assert_int_equal(sip_diversion_parse(&d, TEXT("2001"), NULL), EBADMSG);
	assert_int_equal(sip_diversion_parse(&d, TEXT("<sip:a@b.c>;counter=x"), NULL), EBADMSG);
	assert_int_equal(sip_diversion_parse(&d, TEXT("*"), NULL), EBADMSG);
}

static void reads_history_info(void **state)
{
	struct sip_history a, b;
	struct sip_reason r;
	char room[64];

	(void)state;
	assert_int_equal(sip_history_parse(&a, TEXT("<sip:bob@p1.example?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%22&Privacy=history>;index=1.2"), NULL), 0);
	assert_int_equal(a.n_index, 2);
	assert_int_equal(a.index[1], 2);
	is(a.privacy, "history");
	assert_int_equal(sip_history_reason(&a, room, sizeof(room), &r), 0);
	is(r.protocol, "SIP");
	assert_int_equal(r.cause, 486);
	is(r.text, "Busy");
	assert_int_equal(sip_history_parse(&b, TEXT("<sip:vm@p1.example;target=sip:bob%40p1.example;cause=302>;index=1.2.1;mp=1.2"), NULL), 0);
	assert_true(b.has_cause);
	assert_int_equal(b.cause, 302);
	is(b.mp, "1.2");
	assert_int_equal(sip_history_compare(&a, &b), -1);
	assert_int_equal(sip_history_compare(&b, &a), 1);
	assert_int_equal(sip_history_compare(&a, &a), 0);
	assert_int_equal(sip_history_reason(&b, room, sizeof(room), &r), ENOENT);
	assert_int_equal(sip_history_parse(&b, TEXT("<sip:a@b.c>;index=1..2"), NULL), EBADMSG);
	assert_int_equal(sip_history_parse(&b, TEXT("<sip:a@b.c>;index=1.99999999999"), NULL), EBADMSG);
	assert_int_equal(sip_history_parse(&b, TEXT("<sip:a@b.c>;index=1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1"), NULL), 0);
	assert_int_equal(b.n_index, SIP_HISTORY_DEPTH);
	assert_int_equal(sip_history_parse(&a, TEXT("<sip:bob@p1.example?Reason=SIP%3Bcause%3D486%0d%0aX:y>;index=1"), NULL), 0);
	assert_int_equal(sip_history_reason(&a, room, sizeof(room), &r), EBADMSG);
}

static void reads_small_headers(void **state)
{
	struct sip_reason r;
	struct sip_event e;
	struct sip_subscription_state s;
	struct sip_warning w;
	struct sip_ms_diagnostics d;
	struct sip_replaces rep;
	uint32_t n;

	(void)state;
	assert_int_equal(sip_reason_parse(&r, TEXT("Q.850 ;cause=16 ;text=\"Terminated, \\\"really\\\"\""), NULL), 0);
	is(r.protocol, "Q.850");
	assert_int_equal(r.cause, 16);
	is(r.text, "Terminated, \\\"really\\\"");
	assert_int_equal(sip_reason_parse(&r, TEXT(";cause=16"), NULL), EBADMSG);
	assert_int_equal(sip_reason_parse(&r, TEXT("SIP;cause=99999999999"), NULL), EBADMSG);

	assert_int_equal(sip_event_parse(&e, TEXT("refer;id=93809823"), NULL), 0);
	is(e.package, "refer");
	is(e.id, "93809823");
	assert_int_equal(sip_event_parse(&e, TEXT(""), NULL), EBADMSG);

	assert_int_equal(sip_subscription_state_parse(&s, TEXT("terminated;reason=noresource"), NULL), 0);
	assert_int_equal(s.state, SIP_SUB_TERMINATED);
	is(s.reason, "noresource");
	assert_int_equal(sip_subscription_state_parse(&s, TEXT("Active;expires=60"), NULL), 0);
	assert_int_equal(s.state, SIP_SUB_ACTIVE);
	assert_int_equal(s.expires_s, 60);
	assert_int_equal(sip_subscription_state_parse(&s, TEXT("active;expires=x"), NULL), EBADMSG);

	assert_int_equal(sip_retry_after_parse(TEXT("18000;duration=3600"), &n), 0);
	assert_int_equal(n, 18000);
	assert_int_equal(sip_retry_after_parse(TEXT("120 (I'm in a meeting)"), &n), 0);
	assert_int_equal(sip_retry_after_parse(TEXT("x"), &n), EBADMSG);
	assert_int_equal(sip_retry_after_parse(TEXT("949302838503028349304023988"), &n), EBADMSG);

	assert_int_equal(sip_warning_parse(&w, TEXT("307 isi.edu \"Session parameter 'foo' not understood\""), NULL), 0);
	assert_int_equal(w.code, 307);
	is(w.agent, "isi.edu");
	assert_int_equal(sip_warning_parse(&w, TEXT("1812 overture \"In Progress\""), NULL), EBADMSG);
	assert_int_equal(sip_warning_parse(&w, TEXT("399"), NULL), EBADMSG);
	assert_int_equal(sip_warning_parse(&w, TEXT("399 h \"open"), NULL), EBADMSG);

	assert_int_equal(sip_ms_diagnostics_parse(&d, TEXT("1008;reason=\"Unable to resolve DNS SRV record\";domain=\"x\";source=\"fe.contoso.com\""), NULL), 0);
	assert_int_equal(d.id, 1008);
	is(d.source, "fe.contoso.com");
	assert_int_equal(sip_ms_diagnostics_parse(&d, TEXT("x;reason=y"), NULL), EBADMSG);

	assert_int_equal(sip_replaces_parse(&rep, TEXT("98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff;early-only"), NULL), 0);
	is(rep.call_id, "98732@sip.example.com");
	is(rep.to_tag, "ff87ff");
	assert_true(rep.early_only);
	assert_int_equal(sip_replaces_parse(&rep, TEXT("98732;from-tag=1"), NULL), EBADMSG);
	assert_int_equal(sip_replaces_parse(&rep, TEXT("a@b@c;from-tag=1;to-tag=2"), NULL), EBADMSG);
	assert_int_equal(sip_replaces_parse(&rep, TEXT("a@b;from-tag=1;to-tag=2;to-tag=3"), NULL), EBADMSG);
	assert_int_equal(sip_replaces_parse(&rep, TEXT("a@b;from-tag=1;to-tag=2;From-Tag=1"), NULL), EBADMSG);
}

static void reads_types_and_dates(void **state)
{
	struct sip_media_type m;
	struct text value;
	int64_t t;

	(void)state;
	assert_int_equal(sip_media_type_parse(&m, TEXT("Multipart / Alternative;boundary=\"a b\""), NULL), 0);
	assert_true(sip_media_type_is(&m, "multipart", "alternative"));
	assert_true(sip_param_find(m.params, "boundary", &value));
	is(value, "a b");
	assert_int_equal(sip_media_type_parse(&m, TEXT("text"), NULL), EBADMSG);
	assert_int_equal(sip_media_type_parse(&m, TEXT("text/"), NULL), EBADMSG);
	assert_int_equal(sip_media_type_parse(&m, TEXT("/plain"), NULL), EBADMSG);
	assert_true(sip_accepts(TEXT("application/sdp;level=1, application/x-private, text/html"), "application", "sdp"));
	assert_false(sip_accepts(TEXT("text/nobodyKnowsThis"), "application", "sdp"));
	assert_true(sip_accepts(TEXT("application/*;q=0.1"), "application", "sdp"));
	assert_true(sip_accepts(TEXT("*/*"), "application", "sdp"));
	assert_false(sip_accepts(TEXT("*/*, application/sdp;q=0.0"), "application", "sdp"));

	assert_int_equal(sip_date_parse(TEXT("Sat, 13 Nov 2010 23:29:00 GMT"), &t), 0);
	assert_int_equal(t, 1289690940);
	assert_int_equal(sip_date_parse(TEXT("Thu, 01 Jan 1970 00:00:00 GMT"), &t), 0);
	assert_int_equal(t, 0);
	assert_int_equal(sip_date_parse(TEXT("Fri, 01 Jan 2010 16:00:00 EST"), &t), EBADMSG);
	assert_int_equal(sip_date_parse(TEXT("Fri, 32 Jan 2010 16:00:00 GMT"), &t), EBADMSG);
	assert_int_equal(sip_date_parse(TEXT("Fri, 01 Foo 2010 16:00:00 GMT"), &t), EBADMSG);
}

UT_MAIN(UT(splits_lists), UT(reads_parameters), UT(makes_text_plain), UT(takes_addresses_apart), UT(refuses_broken_addresses), UT(takes_via_apart),
        UT(takes_cseq_apart), UT(reads_diversion), UT(reads_history_info), UT(reads_small_headers), UT(reads_types_and_dates))
