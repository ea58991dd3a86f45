/* SPDX-License-Identifier: Apache-2.0 */
/* uri_test.c  URIs: the examples of RFC 3261 19.1, RFC 3966 and RFC 5118, those that Lync writes, and broken ones. */
#include <errno.h>
#include "ut.h"
#include "sip/uri.h"

static struct sip_uri good(const char *s)
{
	struct sip_refusal why = { 0 };
	struct sip_uri u;

	if (sip_uri_parse(&u, text_of(s), &why))
		fail_msg("%s: %s", s, why.sentence);
	return u;
}

static void bad(const char *s, enum sip_fault fault)
{
	struct sip_refusal why = { 0 };
	struct sip_uri u;

	if (!sip_uri_parse(&u, text_of(s), &why))
		fail_msg("%s: taken", s);
	if (why.fault != fault)
		fail_msg("%s: %s", s, why.sentence);
}

static void is(struct text t, const char *s)
{
	if (!text_is(t, s))
		fail_msg("'%.*s' is not '%s'", TEXT_FMT(t), s);
}

static void takes_rfc_3261_examples_apart(void **state)
{
	struct sip_uri u;
	struct text value;

	(void)state;
	u = good("sip:alice@atlanta.com");
	assert_int_equal(u.scheme, SIP_SCHEME_SIP);
	is(u.user, "alice");
	is(u.host, "atlanta.com");
	assert_int_equal(u.port, 0);
	u = good("sip:alice:secretword@atlanta.com;transport=tcp");
	assert_true(u.has_password);
	is(u.password, "secretword");
	assert_true(sip_uri_param(&u, "Transport", &value));
	is(value, "tcp");
	u = good("sips:alice@atlanta.com?subject=project%20x&priority=urgent");
	assert_int_equal(u.scheme, SIP_SCHEME_SIPS);
	assert_true(sip_uri_header(&u, "priority", &value));
	is(value, "urgent");
	u = good("sip:+1-212-555-1212:1234@gateway.com;user=phone");
	is(u.user, "+1-212-555-1212");
	is(u.params, "user=phone");
	u = good("sips:1212@gateway.com");
	u = good("sip:alice@192.0.2.4");
	assert_int_equal(u.host_kind, SIP_HOST_IPV4);
	u = good("sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com");
	assert_false(u.has_user);
	is(u.params, "method=REGISTER");
	is(u.headers, "to=alice%40atlanta.com");
	u = good("sip:alice;day=tuesday@atlanta.com");
	is(u.user, "alice;day=tuesday");
	assert_int_equal(u.params.n, 0);
}

static void takes_ipv6(void **state)
{
	struct sip_uri u;

	(void)state;
	u = good("sip:[2001:db8::10]");
	is(u.host, "2001:db8::10");
	assert_int_equal(u.host_kind, SIP_HOST_IPV6);
	assert_int_equal(u.port, 0);
	u = good("sip:user@[2001:db8::10]:5070;lr");
	assert_int_equal(u.port, 5070);
	assert_true(sip_uri_is_loose(&u));
	u = good("sip:[2001:db8::10:5070]"); /* RFC 5118 4.3: no port, another address */
	assert_int_equal(u.port, 0);
	good("sip:user@[::ffff:192.0.2.10]:19823");
	good("sip:user@[2001:db8:::192.0.2.1]"); /* RFC 5118 4.10 */
	bad("sip:2001:db8::10", SIP_FAULT_URI_HOST); /* RFC 5118 4.2 */
	bad("sip:[2001:db8::10", SIP_FAULT_URI_HOST);
	bad("sip:[192.0.2.1]", SIP_FAULT_URI_HOST);
	bad("sip:[2001:db8::10]x", SIP_FAULT_URI_HOST);
	bad("sip:[1::2::3]", SIP_FAULT_URI_HOST);
}

static void takes_tel_and_others(void **state)
{
	struct sip_uri u;
	struct text value;

	(void)state;
	u = good("tel:+1-201-555-0123;ext=12");
	assert_int_equal(u.scheme, SIP_SCHEME_TEL);
	is(u.user, "+1-201-555-0123");
	u = good("tel:7042;phone-context=example.com");
	assert_true(sip_uri_param(&u, "phone-context", &value));
	is(value, "example.com");
	u = good("urn:service:sos");
	assert_int_equal(u.scheme, SIP_SCHEME_OTHER);
	is(u.opaque, "service:sos");
	good("http://www.example.com/x?y=1");
	bad("tel:", SIP_FAULT_URI);
	bad("tel:+49x", SIP_FAULT_URI);
	bad("tel:300&Zap/g1/123", SIP_FAULT_URI);
}

static void takes_what_lync_writes(void **state)
{
	struct sip_uri u;
	struct text app;

	(void)state;
	u = good("sip:alice@contoso.com;gruu;opaque=app:voicemail");
	assert_true(sip_uri_is_gruu(&u));
	assert_true(sip_uri_app(&u, &app));
	is(app, "voicemail");
	assert_true(sip_uri_is_voicemail(&u));
	u = good("sip:alice@contoso.com;opaque=app:voicemail:rerouted;gruu");
	assert_true(sip_uri_is_voicemail(&u));
	u = good("sip:alice@contoso.com;opaque=app:voicemails");
	assert_false(sip_uri_is_voicemail(&u));
	u = good("sip:alice@contoso.com;opaque=user:epid:5JAnbpUzBVCM_ux-A7sgAAA;gruu");
	assert_false(sip_uri_app(&u, &app));
	good("sip:pool01.contoso.com:5061;transport=Tls;ms-opaque=a1b2c3d4;lr;ms-route-sig=aaBase64==");
	good("sip:+4930123;phone-context=defaultprofile@contoso.com;user=phone");
	good("sip:*72#@pbx.example");
	u = good("sip:bob@b.example;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
	assert_true(sip_uri_is_gruu(&u));
}

static void refuses_what_is_broken(void **state)
{
	char longest[400];

	(void)state;
	bad("", SIP_FAULT_URI);
	bad("sip", SIP_FAULT_URI);
	bad(":a@b", SIP_FAULT_URI);
	bad("sip:", SIP_FAULT_URI_HOST);
	bad("sip:@host.example", SIP_FAULT_URI);
	bad("sip:a@", SIP_FAULT_URI_HOST);
	bad("sip:a@b c", SIP_FAULT_URI_HOST);
	bad("sip:a b@c", SIP_FAULT_URI);
	bad("sip:a@host:0", SIP_FAULT_URI_PORT);
	bad("sip:a@host:65536", SIP_FAULT_URI_PORT);
	bad("sip:a@host:", SIP_FAULT_URI_PORT);
	bad("sip:a@host:99999999999999999999", SIP_FAULT_URI_PORT);
	bad("sip:a@host;", SIP_FAULT_URI);
	bad("sip:a@host;;x", SIP_FAULT_URI);
	bad("sip:a@host;=x", SIP_FAULT_URI);
	bad("sip:a@host?", SIP_FAULT_URI);
	bad("sip:a@host?x", SIP_FAULT_URI);
	bad("sip:a@256.0.0.1", SIP_FAULT_URI_HOST);
	bad("sip:a@1.2.3", SIP_FAULT_URI_HOST);
	bad("sip:a@-.", SIP_FAULT_URI_HOST);
	bad("sip:a@b..c", SIP_FAULT_URI_HOST);
	bad("sip:%", SIP_FAULT_URI_ESCAPE);
	bad("sip:%4@host", SIP_FAULT_URI_ESCAPE);
	bad("sip:a@host;x=%zz", SIP_FAULT_URI_ESCAPE);
	bad("sip:a\"b@host", SIP_FAULT_URI);
	bad("sip:a<b@host", SIP_FAULT_URI);
	memcpy(longest, "sip:h", 5);
	for (size_t i = 5; i + 2 < sizeof(longest); i += 2)
		memcpy(longest + i, ";x", 3);
	bad(longest, SIP_FAULT_URI);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "sip:", 4);
	longest[sizeof(longest) - 1] = '\0';
	bad(longest, SIP_FAULT_URI_HOST);
}

static bool same(const char *a, const char *b)
{
	struct sip_uri x = good(a), y = good(b);
	bool one = sip_uri_equal(&x, &y), other = sip_uri_equal(&y, &x);

	assert_int_equal(one, other);
	return one;
}

static void compares_as_rfc_3261_says(void **state)
{
	(void)state;
	assert_true(same("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"));
	assert_true(same("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
	assert_true(same("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"));
	assert_true(same("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
	                 "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"));
	assert_true(same("sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x"));
	assert_false(same("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
	assert_false(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
	assert_false(same("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
	assert_false(same("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
	assert_false(same("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
	assert_false(same("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
	assert_false(same("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
	assert_false(same("sip:a@b.c", "sips:a@b.c"));
	assert_false(same("sip:a%3bb@c.d", "sip:a;b@c.d")); /* reserved: an escape differs */
	assert_true(same("sip:a@[2001:DB8::1]", "sip:a@[2001:db8:0:0::1]"));
	assert_true(same("tel:+1-201-555-0123", "tel:+12015550123"));
	assert_false(same("tel:123;phone-context=a.example", "tel:123;phone-context=b.example"));
	assert_false(same("tel:123", "tel:123;phone-context=b.example"));
	assert_true(same("sip:a@b.c;x=1;x=2", "sip:a@b.c;x=1;x=2"));
	assert_true(same("urn:service:sos", "URN:service:sos"));
}

static void undoes_escapes(void **state)
{
	char room[8];

	(void)state;
	assert_int_equal(sip_unescape(TEXT("a%20b"), room, sizeof(room)), 0);
	assert_string_equal(room, "a b");
	assert_int_equal(sip_unescape(TEXT("1234567"), room, sizeof(room)), 0);
	assert_int_equal(sip_unescape(TEXT("12345678"), room, sizeof(room)), ENAMETOOLONG);
	assert_string_equal(room, "");
	assert_int_equal(sip_unescape(TEXT("a%00"), room, sizeof(room)), EBADMSG);
	assert_int_equal(sip_unescape(TEXT("a%0d%0a"), room, sizeof(room)), EBADMSG);
	assert_int_equal(sip_unescape(TEXT("a%"), room, sizeof(room)), EBADMSG);
	assert_int_equal(sip_unescape(TEXT("a%4"), room, sizeof(room)), EBADMSG);
	assert_int_equal(sip_unescape(TEXT_NONE, room, sizeof(room)), 0);
	assert_string_equal(room, "");
}

UT_MAIN(UT(takes_rfc_3261_examples_apart), UT(takes_ipv6), UT(takes_tel_and_others), UT(takes_what_lync_writes), UT(refuses_what_is_broken),
        UT(compares_as_rfc_3261_says), UT(undoes_escapes))
