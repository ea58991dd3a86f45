/* SPDX-License-Identifier: Apache-2.0 */
/* message_test.c  The message index: one small message changed in one place at a time, whole messages as peers send them, and bodies in
 * parts.                                                                                                                 */
#include <errno.h>
#include "ut.h"
#include "base/mem.h"
#include "sip/message.h"
#include "sip/sdp.h"

#define VIA "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
#define FROM "From: <sip:a@b.example>;tag=1\r\n"
#define TO "To: <sip:c@d.example>\r\n"
#define REST "Call-ID: x@y\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
#define START "OPTIONS sip:c@d.example SIP/2.0\r\n"
#define BASE START VIA FROM TO REST

static void is(struct text t, const char *s)
{
	if (!text_is(t, s))
		fail_msg("'%.*s' is not '%s'", TEXT_FMT(t), s);
}

static void good(struct sip_msg *msg, const char *s)
{
	struct sip_refusal why = { 0 };

	if (sip_msg_parse(msg, s, strlen(s), &why))
		fail_msg("refused: %s '%.*s'", why.sentence, TEXT_FMT(why.at));
}

static void bad_n(const char *s, size_t n, enum sip_fault fault)
{
	struct sip_refusal why = { 0 };
	struct sip_msg msg;

	if (!sip_msg_parse(&msg, s, n, &why))
		fail_msg("taken instead of: %s", sip_fault_sentence(fault));
	if (why.fault != fault)
		fail_msg("refused with: %s; instead of: %s", why.sentence, sip_fault_sentence(fault));
}

static void bad(const char *s, enum sip_fault fault)
{
	bad_n(s, strlen(s), fault);
}

static void refuses_each_fault(void **state)
{
	struct sip_msg msg;

	(void)state;
	bad("", SIP_FAULT_EMPTY);
	bad("\r\n\r\n", SIP_FAULT_EMPTY);
	bad("x", SIP_FAULT_NO_END_OF_HEAD);
	bad(BASE, SIP_FAULT_NO_END_OF_HEAD);
	bad("OPTIONS sip:c@d.example\r\n" VIA FROM TO REST "\r\n", SIP_FAULT_START_LINE);
	bad("OPT@IONS sip:c@d.example SIP/2.0\r\n" VIA FROM TO REST "\r\n", SIP_FAULT_METHOD);
	bad("OPTIONS sip:c@d.example SIP/3.0\r\n" VIA FROM TO REST "\r\n", SIP_FAULT_VERSION);
	bad("OPTIONS sip:c@d.example HTTP/1.1\r\n" VIA FROM TO REST "\r\n", SIP_FAULT_START_LINE);
	bad("OPTIONS sip:c@%zz SIP/2.0\r\n" VIA FROM TO REST "\r\n", SIP_FAULT_URI_ESCAPE);
	bad("SIP/2.0 99 No\r\n" VIA FROM TO REST "\r\n", SIP_FAULT_STATUS_CODE);
	bad("SIP/2.0 700 No\r\n" VIA FROM TO REST "\r\n", SIP_FAULT_STATUS_CODE);
	bad(START FROM TO REST "\r\n", SIP_FAULT_NO_VIA);
	bad(START VIA TO REST "\r\n", SIP_FAULT_NO_FROM);
	bad(START VIA FROM REST "\r\n", SIP_FAULT_NO_TO);
	bad(START VIA FROM TO "CSeq: 1 OPTIONS\r\n\r\n", SIP_FAULT_NO_CALL_ID);
	bad(START VIA FROM TO "Call-ID: 1\r\n\r\n", SIP_FAULT_NO_CSEQ);
	bad(START VIA FROM TO "Call-ID: a b\r\nCSeq: 1 OPTIONS\r\n\r\n", SIP_FAULT_CALL_ID);
	bad(START VIA FROM TO "Call-ID:\r\nCSeq: 1 OPTIONS\r\n\r\n", SIP_FAULT_CALL_ID);
	bad(START VIA FROM TO "Call-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n", SIP_FAULT_CSEQ_METHOD);
	bad(START VIA FROM TO "Call-ID: 1\r\nCSeq: 1 options\r\n\r\n", SIP_FAULT_CSEQ_METHOD);
	bad(START "Via:\r\n" FROM TO REST "\r\n", SIP_FAULT_NO_VIA);
	bad(START VIA "From: <sip:a@b.example>;tag=1;tag=2\r\n" TO REST "\r\n", SIP_FAULT_TAG);
	bad(START VIA "From: <sip:a@b.example>;tag\r\n" TO REST "\r\n", SIP_FAULT_TAG);
	bad(START VIA "From: *\r\n" TO REST "\r\n", SIP_FAULT_ADDRESS);
	bad(BASE "To : <sip:c@d.example>\r\n\r\n", SIP_FAULT_HEADER_TWICE);
	bad(BASE "i: other\r\n\r\n", SIP_FAULT_HEADER_TWICE);
	bad(BASE "Content-Length: 0\r\nl: 0\r\n\r\n", SIP_FAULT_HEADER_TWICE);
	bad(BASE "Content-Length: +1\r\n\r\nx", SIP_FAULT_CONTENT_LENGTH);
	bad(BASE "Content-Length:\r\n\r\n", SIP_FAULT_CONTENT_LENGTH);
	bad(BASE "Content-Length: 2\r\n\r\nx", SIP_FAULT_BODY_CUT);
	bad(BASE "Content-Length: 262145\r\n\r\nx", SIP_FAULT_BODY_TOO_LARGE);
	bad(BASE "Content-Length: 99999999999999999999999999\r\n\r\nx", SIP_FAULT_BODY_TOO_LARGE);
	bad(BASE "Contact: *\r\n\r\n", SIP_FAULT_CONTACT_STAR);
	bad(BASE "Contact: <sip:a@b.example>, \"x\r\n\r\n", SIP_FAULT_CONTACT);
	bad(BASE "Contact: <sip:a@b.example>;expires=99999999999\r\n\r\n", SIP_FAULT_EXPIRES);
	bad(BASE "Expires: soon\r\n\r\n", SIP_FAULT_EXPIRES);
	bad(BASE "Record-Route: sip:a@b.example\r\n\r\n", SIP_FAULT_ROUTE);
	bad(BASE "Route: <sip:a@b.example\r\n\r\n", SIP_FAULT_ROUTE);
	bad(BASE "Date: yesterday\r\n\r\n", SIP_FAULT_DATE);
	good(&msg, "SIP/2.0 200 OK\r\n" VIA FROM TO REST "Date: yesterday\r\n\r\n");
	bad(BASE "Content-Type: sdp\r\n\r\n", SIP_FAULT_CONTENT_TYPE);
	bad(BASE "No colon here\r\n\r\n", SIP_FAULT_HEADER_COLON);
	bad(BASE "N@me: x\r\n\r\n", SIP_FAULT_HEADER_NAME);
	bad(BASE ": x\r\n\r\n", SIP_FAULT_HEADER_NAME);
	bad(BASE "X: a\nY: b\r\n\r\n", SIP_FAULT_LINE_END);
	bad(BASE "X: a\rY: b\r\n\r\n", SIP_FAULT_LINE_END);
	bad(BASE "X: a\n\r\n", SIP_FAULT_NO_END_OF_HEAD);
	bad(START VIA FROM TO "Call-ID: x@y\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 256\r\n\r\n", SIP_FAULT_MAX_FORWARDS);
	bad_n(BASE "X: a\0b\r\n\r\n", sizeof(BASE "X: a\0b\r\n\r\n") - 1, SIP_FAULT_NUL_IN_HEAD);
}

static void every_cut_is_refused(void **state)
{
	static const char whole[] = BASE "Content-Length: 3\r\n\r\nabc";
	struct sip_msg msg;

	(void)state;
	good(&msg, whole);
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		char *exact = malloc(n ? n : 1);

		assert_non_null(exact);
		memcpy(exact, whole, n);
		assert_int_equal(sip_msg_parse(&msg, exact, n, NULL), EBADMSG);
		free(exact);
	}
}

static void keeps_its_limits(void **state)
{
	static char big[400000];
	size_t n;

	(void)state;
	n = (size_t)snprintf(big, sizeof(big), "%s", BASE);
	for (int i = 0; i < SIP_HEADERS_MAX; i++)
		n += (size_t)snprintf(big + n, sizeof(big) - n, "X-%d: y\r\n", i);
	snprintf(big + n, sizeof(big) - n, "\r\n");
	bad(big, SIP_FAULT_TOO_MANY_HEADERS);

	n = (size_t)snprintf(big, sizeof(big), "%sX: ", BASE);
	memset(big + n, 'a', 70000);
	n += 70000;
	snprintf(big + n, sizeof(big) - n, "\r\n\r\n");
	bad(big, SIP_FAULT_HEAD_TOO_LARGE);

	n = (size_t)snprintf(big, sizeof(big), "%s\r\n", BASE);
	memset(big + n, 'a', 300000);
	big[n + 300000] = '\0';
	bad(big, SIP_FAULT_BODY_TOO_LARGE);
}

static void one_header_has_many_spellings(void **state)
{
	struct sip_msg msg;
	struct sip_iter it;
	struct text item;

	(void)state;
	good(&msg, "\r\n\r\nOPTIONS sip:c@d.example SIP/2.0\r\nv : SIP/2.0/TCP h1.example;branch=z9hG4bK1 ,\r\n\tSIP/2.0/UDP h2.example;branch=x\r\n"
	           "VIA: SIP/2.0/UDP h3.example;branch=y\r\nF: <sip:a@b.example>;tag=1\r\nt\t: <sip:c@d.example>\r\nI: x\r\ncseq: 1 OPTIONS\r\n"
	           "X-Own : folded\r\n value\r\nk: a\r\nSupported:\r\nSUPPORTED: Timer\r\nl: 3\r\n\r\nabcREST");
	assert_int_equal(msg.via.transport, SIP_TCP);
	assert_int_equal(msg.max_forwards, 70);
	is(msg.body, "abc");
	assert_true(text_ends_nocase(msg.whole, "abc"));
	is(msg.from_tag, "1");
	it = sip_iter_of(&msg, SIP_HDR_VIA);
	assert_int_equal(sip_iter_next(&it, &item), 0);
	assert_int_equal(sip_iter_next(&it, &item), 0);
	is(item, "SIP/2.0/UDP h2.example;branch=x");
	assert_int_equal(sip_iter_next(&it, &item), 0);
	is(item, "SIP/2.0/UDP h3.example;branch=y");
	assert_int_equal(sip_iter_next(&it, &item), ENOENT);
	assert_true(sip_msg_has_token(&msg, SIP_HDR_SUPPORTED, "timer"));
	assert_false(sip_msg_has_token(&msg, SIP_HDR_REQUIRE, "timer"));
	assert_non_null(sip_msg_hdr_named(&msg, "x-own"));
	is(sip_msg_hdr_named(&msg, "x-own")->value, "folded\r\n value");
	assert_null(sip_msg_hdr_named(&msg, "x-other"));
	assert_ptr_equal(sip_msg_hdr_named(&msg, "From"), sip_msg_hdr(&msg, SIP_HDR_FROM));
}

static void knows_every_name(void **state)
{
	(void)state;
	for (enum sip_hdr_id id = SIP_HDR_OTHER + 1; id < SIP_HDR_IDS; id++) {
		char upper[64];

		text_fill(upper, sizeof(upper), sip_hdr_name(id));
		for (char *c = upper; *c; c++)
			if (*c >= 'a' && *c <= 'z')
				*c = (char)(*c - 32);
		assert_int_equal(sip_hdr_id_of(text_of(sip_hdr_name(id))), id);
		assert_int_equal(sip_hdr_id_of(text_of(upper)), id);
	}
	assert_int_equal(sip_hdr_id_of(TEXT("Vic")), SIP_HDR_OTHER);
	assert_int_equal(sip_hdr_id_of(TEXT("")), SIP_HDR_OTHER);
	assert_int_equal(sip_hdr_id_of(TEXT("z")), SIP_HDR_OTHER);
	assert_int_equal(sip_hdr_id_of(TEXT("B")), SIP_HDR_REFERRED_BY);
}

static size_t load(const char *name, char *dst, size_t size)
{
	char path[512];
	FILE *file;
	size_t n;

	assert_int_equal(text_print(path, sizeof(path), SIP_DATA_DIR "/%s", name), 0);
	file = fopen(path, "rb");
	assert_non_null(file);
	n = fread(dst, 1, size, file);
	fclose(file);
	return n;
}

static void takes_a_lync_invite(void **state)
{
	static char room[8192];
	size_t n = load("invite-lync.sip", room, sizeof(room)), before = mem_live();
	struct sip_refusal why = { 0 };
	struct sip_iter it;
	struct sip_addr a;
	struct sip_diversion d;
	struct sdp sdp;
	struct text item, value;
	struct sip_msg msg;

	(void)state;
	assert_int_equal(sip_msg_parse(&msg, room, n, &why), 0);
	assert_int_equal(msg.method, SIP_INVITE);
	assert_true(sip_uri_is_voicemail(&msg.uri));
	assert_true(sip_addr_param(&msg.from, "epid", &value));
	is(value, "aa7b2c3d4e");
	assert_int_equal(msg.via.transport, SIP_TLS);
	it = sip_iter_of(&msg, SIP_HDR_RECORD_ROUTE);
	assert_int_equal(sip_iter_addr(&it, &a), 0);
	is(a.uri.host, "pool01.contoso.com");
	assert_int_equal(sip_iter_addr(&it, &a), 0);
	is(a.uri.host, "sbs.contoso.com");
	assert_true(sip_uri_is_loose(&a.uri));
	assert_int_equal(sip_iter_addr(&it, &a), ENOENT);
	it = sip_iter_of(&msg, SIP_HDR_P_ASSERTED_IDENTITY);
	assert_int_equal(sip_iter_addr(&it, &a), 0);
	assert_int_equal(sip_iter_addr(&it, &a), 0);
	assert_int_equal(a.uri.scheme, SIP_SCHEME_TEL);
	it = sip_iter_of(&msg, SIP_HDR_DIVERSION);
	assert_int_equal(sip_iter_next(&it, &item), 0);
	assert_int_equal(sip_diversion_parse(&d, item, &why), 0);
	is(d.addr.uri.user, "alice");
	assert_true(sip_msg_has_token(&msg, SIP_HDR_SUPPORTED, "100rel"));
	assert_int_equal(sip_msg_contact(&msg, &a), 0);
	assert_true(sip_uri_is_gruu(&a.uri));
	/* of the alternatives, the last; but of descriptions the one without encryption, which we can speak */
	assert_int_equal(sip_msg_part(&msg, "application", "sdp", &item, &why), 0);
	assert_int_equal(sdp_parse(&sdp, item, &why), 0);
	assert_int_equal(sdp.media[0].proto, SDP_RTP_SAVP);
	assert_int_equal(sip_msg_sdp(&msg, &item, &why), 0);
	assert_int_equal(sdp_parse(&sdp, item, &why), 0);
	assert_int_equal(sdp.media[0].proto, SDP_RTP_AVP);
	assert_int_equal(sdp.media[0].n_formats, 13);
	assert_true(sdp.media[0].has_candidates);
	assert_int_equal(mem_live(), before); /* all of this without memory */
}

static void takes_other_recorded_messages(void **state)
{
	static const char *const names[] = { "options-mediation.sip", "bye-reason.sip", "notify-refer.sip", "response-refused.sip" };
	static char room[8192];
	struct sip_msg msg;
	struct sip_refusal why;
	struct sip_warning w;
	struct sip_ms_diagnostics d;
	struct sip_iter it;
	struct text item;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = load(names[i], room, sizeof(room));

		if (sip_msg_parse(&msg, room, n, &why))
			fail_msg("%s: %s", names[i], why.sentence);
	}
	assert_int_equal(msg.status, 403);
	assert_int_equal(msg.method, SIP_OPTIONS);
	it = sip_iter_of(&msg, SIP_HDR_WARNING);
	assert_int_equal(sip_iter_next(&it, &item), 0);
	assert_int_equal(sip_warning_parse(&w, item, NULL), 0);
	is(w.text, "Connection, allows following fqdns");
	assert_int_equal(sip_ms_diagnostics_parse(&d, sip_msg_value(&msg, SIP_HDR_MS_DIAGNOSTICS), NULL), 0);
	assert_int_equal(d.id, 1010);
}

/* ---- bodies in parts ---- */
static int part_of(const char *headers, const char *body, const char *type, const char *subtype, char *dst, size_t size)
{
	static char room[16384];
	struct sip_refusal why;
	struct sip_msg msg;
	struct text part;
	int err;

	assert_int_equal(text_print(room, sizeof(room), "%s%s\r\n%s", BASE, headers, body), 0);
	good(&msg, room);
	err = sip_msg_part(&msg, type, subtype, &part, &why);
	if (!err)
		assert_int_equal(text_copy(part, dst, size), 0);
	return err;
}

static void finds_parts(void **state)
{
	char p[256];

	(void)state;
	assert_int_equal(part_of("", "", "application", "sdp", p, sizeof(p)), ENOENT);
	assert_int_equal(part_of("Content-Type: application/sdp\r\n", "v=0", "application", "sdp", p, sizeof(p)), 0);
	assert_string_equal(p, "v=0");
	assert_int_equal(part_of("Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", "v=0", "application", "sdp", p, sizeof(p)), ENOENT);
	assert_int_equal(part_of("Content-Type: application/sdp\r\nContent-Disposition: early-session\r\n", "v=0", "application", "sdp", p, sizeof(p)), ENOENT);
	assert_int_equal(part_of("Content-Type: multipart/mixed;boundary=b\r\n",
	                         "preamble --b\r\n--b\r\n\r\nplain\r\n--b \r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--bx\r\n\r\n--b\r\nContent-Type: "
	                         "application/sdp\r\n\r\nsecond\r\n--b--\r\n",
	                         "application", "sdp", p, sizeof(p)),
	                 0);
	assert_string_equal(p, "v=0\r\n--bx\r\n"); /* "--bx" is no delimiter of b */
	assert_int_equal(part_of("Content-Type: multipart/mixed;boundary=b\r\n",
	                         "preamble --b\r\n--b\r\n\r\nplain\r\n--b \r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b\r\nContent-Type: "
	                         "application/sdp\r\n\r\nsecond\r\n--b--\r\n",
	                         "application", "sdp", p, sizeof(p)),
	                 0);
	assert_string_equal(p, "v=0");
	assert_int_equal(part_of("Content-Type: multipart/alternative;boundary=\"b\"\r\n",
	                         "--b\r\nContent-Type: application/sdp\r\n\r\nfirst\r\n--b\r\nContent-Type: multipart/mixed;boundary=c\r\n\r\n--c\r\n\r\nwords\r\n--c\r\nContent-Type: "
	                         "application/sdp\r\n\r\nlast\r\n--c--\r\n\r\n--b--\r\n",
	                         "application", "sdp", p, sizeof(p)),
	                 0);
	assert_string_equal(p, "last");
	assert_int_equal(part_of("Content-Type: multipart/mixed;boundary=b\r\n",
	                         "--b\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--b--", "application", "sdp", p, sizeof(p)),
	                 ENOENT);
	assert_int_equal(part_of("Content-Type: multipart/mixed;boundary=b\r\n", "--b\r\n--b--", "text", "plain", p, sizeof(p)), 0);
	assert_string_equal(p, "");
}

/* What stands behind a NUL would be judged by nobody. */
static void a_session_with_a_nul_is_none(void **state)
{
	static const char offer[] = "OPTIONS sip:c@d.example SIP/2.0\r\n" VIA FROM TO REST "Content-Type: application/sdp\r\n\r\nv=0\r\n\0m=audio";
	struct sip_refusal why = { 0 };
	struct sip_msg msg;
	struct text sdp;

	(void)state;
	assert_int_equal(sip_msg_parse(&msg, offer, sizeof(offer) - 1, NULL), 0);
	assert_int_equal(sip_msg_sdp(&msg, &sdp, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_SDP_LINE);
	assert_int_equal(sip_msg_parse(&msg, offer, strlen(offer), NULL), 0);
	assert_int_equal(sip_msg_sdp(&msg, &sdp, &why), 0);
}

/* A first line that ends badly is refused, and what follows it says where to. */
static void a_broken_first_line_is_answered(void **state)
{
	static const char odd[] = "OPTIONS sip:c@d.example SIP/2.0\r\r\n" VIA FROM TO REST "\r\n";
	struct sip_refusal why = { 0 };
	struct sip_msg msg;

	(void)state;
	assert_int_equal(sip_msg_parse(&msg, odd, sizeof(odd) - 1, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_LINE_END);
	assert_true(sip_msg_answerable(&msg));
	assert_int_equal(msg.cseq.number, 1);
}

static void refuses_broken_parts(void **state)
{
	char p[256], many[8192] = "", nested[2048];
	size_t n = 0;

	(void)state;
	assert_int_equal(part_of("Content-Type: multipart/mixed\r\n", "--b\r\n--b--", "text", "plain", p, sizeof(p)), EBADMSG);
	assert_int_equal(part_of("Content-Type: multipart/mixed;boundary=b\r\n", "no", "text", "plain", p, sizeof(p)), EBADMSG);
	assert_int_equal(part_of("Content-Type: multipart/mixed;boundary=b\r\n", "--b\r\nX: y\r\n\r\nno end", "a", "b", p, sizeof(p)), EBADMSG);
	assert_int_equal(part_of("Content-Type: multipart/mixed;boundary=b\r\n", "--b\r\nX\r\n\r\n\r\n--b--", "a", "b", p, sizeof(p)), EBADMSG);
	for (int i = 0; i < 40; i++)
		n += (size_t)snprintf(many + n, sizeof(many) - n, "--b\r\n\r\nx\r\n");
	snprintf(many + n, sizeof(many) - n, "--b--\r\n");
	assert_int_equal(part_of("Content-Type: multipart/mixed;boundary=b\r\n", many, "a", "b", p, sizeof(p)), EBADMSG);
	n = 0;
	for (int i = 0; i < 5; i++)
		n += (size_t)snprintf(nested + n, sizeof(nested) - n, "--b%d\r\nContent-Type: multipart/mixed;boundary=b%d\r\n\r\n", i, i + 1);
	for (int i = 5; i >= 0; i--)
		n += (size_t)snprintf(nested + n, sizeof(nested) - n, "\r\n--b%d--\r\n", i);
	assert_int_equal(part_of("Content-Type: multipart/mixed;boundary=b0\r\n", nested, "a", "b", p, sizeof(p)), EBADMSG);
}

static void checks_what_is_asked_for(void **state)
{
	static const char *const extensions[] = { "timer", NULL };
	static const char *const bodies[] = { "application/sdp", NULL };
	const struct sip_served served = { .methods = 1u << SIP_OPTIONS, .extensions = extensions, .body_types = bodies };
	static const struct {
		const char *text;
		enum sip_fault fault;
	} rows[] = {
		{ BASE "\r\n", SIP_FAULT_NONE },
		{ BASE "Require: Timer\r\n\r\n", SIP_FAULT_NONE },
		{ BASE "Require: timer, 100rel\r\n\r\n", SIP_FAULT_BAD_EXTENSION },
		{ BASE "Require: timer, \"x\r\n\r\n", SIP_FAULT_HEADER_VALUE },
		{ BASE "Content-Type: application/SDP\r\n\r\nv=0", SIP_FAULT_NONE },
		{ BASE "Content-Type: text/plain\r\n\r\nx", SIP_FAULT_MEDIA_TYPE },
		{ BASE "Content-Type: text/plain\r\n\r\n", SIP_FAULT_NONE },
		{ BASE "Content-Type: text/plain\r\nContent-Disposition: render;handling=optional\r\n\r\nx", SIP_FAULT_NONE },
		{ BASE "\r\nx", SIP_FAULT_MEDIA_TYPE },
		{ BASE "Content-Type: application/sdp\r\ne: gzip\r\n\r\nx", SIP_FAULT_BODY_ENCODING },
		{ "OPTIONS urn:service:sos SIP/2.0\r\n" VIA FROM TO REST "\r\n", SIP_FAULT_SCHEME_NOT_SERVED },
		{ "OPTIONS tel:+4930 SIP/2.0\r\n" VIA FROM TO REST "\r\n", SIP_FAULT_NONE },
		{ "MESSAGE sip:a@b.example SIP/2.0\r\n" VIA FROM TO "i: 1\r\nCSeq: 1 MESSAGE\r\n\r\n", SIP_FAULT_METHOD_NOT_ALLOWED },
		{ "X sip:a@b.example SIP/2.0\r\n" VIA FROM TO "i: 1\r\nCSeq: 1 X\r\n\r\n", SIP_FAULT_METHOD_NOT_ALLOWED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_refusal why = { 0 };
		struct sip_msg msg;

		good(&msg, rows[i].text);
		sip_msg_check(&msg, &served, &why);
		assert_int_equal(why.fault, rows[i].fault);
	}
}

static void every_fault_can_be_told(void **state)
{
	char room[256];

	(void)state;
	for (enum sip_fault f = SIP_FAULT_NONE + 1; f < SIP_FAULTS; f++) {
		assert_true(strlen(sip_fault_sentence(f)) > 10);
		assert_in_range(sip_fault_status(f), 400, 699);
		assert_string_not_equal(sip_status_phrase(sip_fault_status(f)), "Unknown");
	}
	sip_refusal_text(&(struct sip_refusal){ SIP_FAULT_VIA, 400, "Via is malformed", TEXT("a\r\nb") }, room, sizeof(room));
	assert_string_equal(room, "Via is malformed (a\\x0d\\x0ab)");
	assert_string_equal(sip_refusal_text(&(struct sip_refusal){ 0 }, room, sizeof(room)), "");
}

static void keys_of_a_pin_are_not_shown(void **state)
{
	(void)state;
	struct text info = TEXT("INFO sip:3000@h SIP/2.0\r\nCSeq: 2 INFO\r\nContent-Length: 12\r\n\r\nSignal=4\r\n\r\n");
	struct text other = TEXT("OPTIONS sip:h SIP/2.0\r\n\r\nSignal=4");
	assert_int_equal(text_find_text(sip_message_shown(info), TEXT("Signal")), SIZE_MAX);
	assert_true(text_starts(sip_message_shown(info), "INFO sip:3000@h SIP/2.0\r\nCSeq: 2 INFO"));
	assert_true(text_eq(sip_message_shown(other), other));
	assert_true(text_empty(sip_message_shown(TEXT_NONE)));
}

UT_MAIN(UT(keys_of_a_pin_are_not_shown), UT(refuses_each_fault), UT(every_cut_is_refused), UT(keeps_its_limits), UT(one_header_has_many_spellings), UT(knows_every_name),
        UT(takes_a_lync_invite), UT(takes_other_recorded_messages), UT(finds_parts), UT(refuses_broken_parts), UT(a_session_with_a_nul_is_none), UT(a_broken_first_line_is_answered), UT(checks_what_is_asked_for),
        UT(every_fault_can_be_told))
