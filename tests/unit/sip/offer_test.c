/* SPDX-License-Identifier: Apache-2.0 */
/* offer_test.c  Session descriptions and offer/answer: RFC 3264, RFC 4566, RFC 4733, and what peers in the field send. */
#include <errno.h>
#include "ut.h"
#include "sip/offer.h"

#define HEAD "v=0\r\no=alice 2890844526 2890844527 IN IP4 host.atlanta.example.com\r\ns=talk\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"

static const struct sdp_codecs g711 = { .n = 2, .v = { SDP_PCMU, SDP_PCMA } };

static struct sdp_local local(void)
{
	return (struct sdp_local){ .addr = TEXT("198.51.100.1"), .port = 30000, .codecs = &g711, .dtmf = true };
}

static void good(struct sdp *sdp, const char *s)
{
	struct sip_refusal why = { 0 };

	if (sdp_parse(sdp, text_of(s), &why))
		fail_msg("refused: %s", why.sentence);
}

static void bad(const char *s, enum sip_fault fault)
{
	struct sip_refusal why = { 0 };
	struct sdp sdp;

	assert_int_equal(sdp_parse(&sdp, text_of(s), &why), EBADMSG);
	if (why.fault != fault)
		fail_msg("refused with: %s", why.sentence);
}

/* Answers `offer` with `prm` and hands out the text of the answer. */
static int answer(const char *offer, const struct sdp_local *prm, struct sdp_session *s, char *text, size_t size, struct sdp_agreed *a,
                  struct sip_refusal *why)
{
	struct sdp sdp;
	struct buf out;
	int err;

	good(&sdp, offer);
	buf_init(&out, 8192);
	err = sdp_answer(&sdp, prm, s, &out, a, why);
	assert_int_equal(text_copy(buf_as_text(&out), text, size), 0);
	buf_free(&out);
	return err;
}

static void reads_all_lines(void **state)
{
	struct sdp sdp;
	struct text rest, name, value;

	(void)state;
	good(&sdp, HEAD "a=recvonly\r\na=ptime:30\r\nm=audio 49170/2 RTP/AVP 0 96 97\r\nc=IN IP6 2001:db8::1\r\na=rtpmap:96 opus/48000/2\r\n"
	                "a=rtpmap:97 telephone-event/8000\r\na=fmtp:97 0-16,32\r\na=rtcp:50001\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n"
	                "m=video 0 RTP/AVP 31\r\na=sendonly\r\nm=image 4000 udptl t38\r\n");
	assert_true(text_is(sdp.origin_user, "alice"));
	assert_int_equal(sdp.session_id, 2890844526);
	assert_int_equal(sdp.version, 2890844527);
	assert_true(text_is(sdp.name, "talk"));
	assert_true(text_is(sdp.time, "0 0"));
	assert_int_equal(sdp.n_media, 3);
	assert_int_equal(sdp.media[0].kind, SDP_AUDIO);
	assert_int_equal(sdp.media[0].n_ports, 2);
	assert_int_equal(sdp.media[0].direction, SDP_RECVONLY);
	assert_int_equal(sdp.media[0].ptime_ms, 30);
	assert_int_equal(sdp.media[0].rtcp_port, 50001);
	assert_true(sdp.media[0].has_crypto);
	assert_int_equal(sdp.media[0].conn.kind, SIP_HOST_IPV6);
	assert_int_equal(sdp.media[0].n_formats, 3);
	assert_true(text_is(sdp.media[0].format[0].name, "PCMU"));
	assert_false(sdp.media[0].format[0].mapped);
	assert_true(text_is(sdp.media[0].format[1].name, "opus"));
	assert_int_equal(sdp.media[0].format[1].rate, 48000);
	assert_int_equal(sdp.media[0].format[1].channels, 2);
	assert_true(text_is(sdp.media[0].format[2].fmtp, "0-16,32"));
	assert_int_equal(sdp.media[1].direction, SDP_SENDONLY);
	assert_int_equal(sdp.media[2].proto, SDP_UDPTL);
	assert_true(text_is(sdp.media[2].formats_text, "t38"));
	rest = sdp.media[1].lines;
	assert_int_equal(sdp_attr_next(&rest, &name, &value), 0);
	assert_true(text_is(name, "sendonly"));
	assert_int_equal(sdp_attr_next(&rest, &name, &value), ENOENT);
}

static void is_patient_with_line_ends(void **state)
{
	struct sdp sdp;

	(void)state;
	good(&sdp, "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 8");
	assert_int_equal(sdp.n_media, 1);
	good(&sdp, HEAD "m=audio 4000 RTP/AVP 8\r\n\r\n");
	good(&sdp, "v=0\r\no=- 99999999999999999999999 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"); /* no medium: an offer of nothing */
	assert_int_equal(sdp.n_media, 0);
}

static void refuses_what_is_broken(void **state)
{
	struct sdp sdp;

	(void)state;
	bad("", SIP_FAULT_SDP_EMPTY);
	bad("\r\n\r\n", SIP_FAULT_SDP_EMPTY);
	bad("v=1\r\n", SIP_FAULT_SDP_VERSION);
	bad("o=- 1 1 IN IP4 1.2.3.4\r\n", SIP_FAULT_SDP_VERSION);
	bad("v=0\r\ns=-\r\n", SIP_FAULT_SDP_ORIGIN);
	bad("v=0\r\no=- x 1 IN IP4 1.2.3.4\r\n", SIP_FAULT_SDP_ORIGIN);
	bad(HEAD "m\r\n", SIP_FAULT_SDP_LINE);
	bad(HEAD "=audio\r\n", SIP_FAULT_SDP_LINE);
	bad(HEAD "m=audio 70000 RTP/AVP 0\r\n", SIP_FAULT_SDP_MEDIA);
	bad(HEAD "m=audio 4000/0 RTP/AVP 0\r\n", SIP_FAULT_SDP_MEDIA);
	bad(HEAD "m=audio 4000 RTP/AVP\r\n", SIP_FAULT_SDP_MEDIA);
	bad(HEAD "m=audio 4000 RTP/AVP 128\r\n", SIP_FAULT_SDP_MEDIA);
	bad(HEAD "m=audio 4000 RTP/AVP -1\r\n", SIP_FAULT_SDP_MEDIA);
	bad(HEAD "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU\r\n", SIP_FAULT_SDP_ATTRIBUTE);
	bad(HEAD "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/0\r\n", SIP_FAULT_SDP_ATTRIBUTE);
	good(&sdp, HEAD "m=audio 4000 RTP/AVP 0\r\nm=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n");
	bad(HEAD "c=IN IP4 2001:db8::1\r\n", SIP_FAULT_SDP_CONNECTION);
	bad(HEAD "c=IN IP6 192.0.2.1\r\n", SIP_FAULT_SDP_CONNECTION);
	bad(HEAD "c=IN IP4 300.1.1.1\r\n", SIP_FAULT_SDP_CONNECTION);
	bad("v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n", SIP_FAULT_SDP_NO_CONNECTION);
	bad(HEAD "m=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\n"
	         "m=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\n"
	         "m=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\n",
	    SIP_FAULT_SDP_TOO_MANY_MEDIA);
}

static void keeps_within_the_format_table(void **state)
{
	char text[1024] = HEAD "m=audio 4000 RTP/AVP";
	size_t n = strlen(text);
	struct sdp sdp;

	(void)state;
	for (int i = 0; i < 128; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %d", i);
	good(&sdp, text);
	assert_int_equal(sdp.media[0].n_formats, SDP_FORMATS_MAX);
}

static void answers_in_the_order_of_the_offerer(void **state)
{
	struct sdp_local prm = local();
	struct sdp_session s;
	struct sdp_agreed a;
	struct sip_refusal why;
	char text[2048];

	(void)state;
	sdp_session_init(&s, 4000);
	assert_int_equal(answer(HEAD "m=audio 49170 RTP/AVP 9 8 0 96\r\na=rtpmap:9 G722/8000\r\na=rtpmap:96 telephone-event/8000\r\na=ptime:30\r\n", &prm, &s,
	                        text, sizeof(text), &a, &why),
	                 0);
	assert_int_equal(a.codec, SDP_PCMA);
	assert_int_equal(a.send_pt, 8);
	assert_int_equal(a.recv_dtmf_pt, 96);
	assert_int_equal(a.ptime_ms, 30);
	assert_int_equal(a.direction, SDP_SENDRECV);
	assert_false(a.held);
	assert_string_equal(a.remote_addr, "192.0.2.10");
	assert_int_equal(a.remote_port, 49170);
	assert_int_equal(a.remote_rtcp_port, 49171);
	assert_string_equal(text, "v=0\r\no=umbel 1000 1000 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
	                          "m=audio 30000 RTP/AVP 8 96\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\n"
	                          "a=ptime:30\r\na=sendrecv\r\n");
}

static void takes_dynamic_payload_types(void **state)
{
	struct sdp_local prm = local();
	struct sdp_session s;
	struct sdp_agreed a;
	struct sip_refusal why;
	char text[2048];

	(void)state;
	sdp_session_init(&s, 0);
	/* PCMA under a number of its own, 0 remapped to something else, events at another clock only */
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0 97 98\r\na=rtpmap:0 SPEEX/16000\r\na=rtpmap:97 pcma/8000/1\r\na=rtpmap:98 telephone-event/16000\r\n",
	                        &prm, &s, text, sizeof(text), &a, &why),
	                 0);
	assert_int_equal(a.codec, SDP_PCMA);
	assert_int_equal(a.recv_pt, 97);
	assert_int_equal(a.recv_dtmf_pt, -1);
	assert_non_null(strstr(text, "m=audio 30000 RTP/AVP 97\r\n"));
}

static void refuses_other_media(void **state)
{
	struct sdp_local prm = local();
	struct sdp_session s;
	struct sdp_agreed a;
	struct sip_refusal why;
	char text[2048];

	(void)state;
	sdp_session_init(&s, 0);
	assert_int_equal(answer(HEAD "m=video 5000 RTP/AVP 31 32\r\nm=audio 4000 RTP/SAVP 0\r\nm=audio 4002 RTP/AVP 0\r\nm=image 4004 udptl t38\r\n"
	                             "m=audio 4006 RTP/AVP 8\r\n",
	                        &prm, &s, text, sizeof(text), &a, &why),
	                 0);
	assert_int_equal(a.index, 2);
	assert_int_equal(a.remote_port, 4002);
	assert_non_null(strstr(text, "t=0 0\r\nm=video 0 RTP/AVP 31\r\nm=audio 0 RTP/SAVP 0\r\nm=audio 30000 RTP/AVP 0\r\n"));
	assert_non_null(strstr(text, "m=image 0 udptl t38\r\nm=audio 0 RTP/AVP 8\r\n"));
}

static void names_what_was_offered(void **state)
{
	struct sdp_local prm = local();
	struct sdp_session s;
	struct sdp_agreed a;
	struct sip_refusal why;
	struct sdp sdp;
	char text[2048];
	static const char offer[] = HEAD "m=audio 4000 RTP/AVP 18 9 96 101 35\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n";

	(void)state;
	sdp_session_init(&s, 0);
	assert_int_equal(answer(offer, &prm, &s, text, sizeof(text), &a, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_SDP_NO_CODEC);
	assert_int_equal(why.status, 488);
	good(&sdp, offer);
	assert_string_equal(sdp_offered_codecs(&sdp, text, sizeof(text)), "G729, G722, opus/48000/2, telephone-event, payload type 35");
	good(&sdp, HEAD "m=audio 4000 RTP/SAVP 0\r\n");
	assert_string_equal(sdp_offered_codecs(&sdp, text, sizeof(text)), "PCMU by RTP/SAVP");

	assert_int_equal(answer(HEAD "m=audio 4000 RTP/SAVP 0\r\n", &prm, &s, text, sizeof(text), &a, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_SDP_ONLY_SRTP);
	assert_true(text_is(why.at, "RTP/SAVP"));
	assert_int_equal(answer(HEAD, &prm, &s, text, sizeof(text), &a, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_SDP_NO_MEDIA);
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 media.example\r\n", &prm, &s, text, sizeof(text), &a, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_SDP_ADDRESS_NAME);
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n", &prm, &s, text, sizeof(text), &a, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_SDP_ADDRESS_FAMILY);
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n", &prm, &s, text, sizeof(text), &a, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_SDP_ADDRESS_MULTICAST);
	assert_int_equal(s.last, 0);
}

static void holds(void **state)
{
	static const struct {
		const char *attr;
		enum sdp_direction direction;
		bool held;
	} rows[] = {
		{ "a=sendrecv\r\n", SDP_SENDRECV, false },
		{ "a=sendonly\r\n", SDP_RECVONLY, true },
		{ "a=recvonly\r\n", SDP_SENDONLY, false },
		{ "a=inactive\r\n", SDP_INACTIVE, true },
		{ "c=IN IP4 0.0.0.0\r\n", SDP_SENDRECV, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sdp_local prm = local();
		struct sdp_session s;
		struct sdp_agreed a;
		struct sip_refusal why;
		char offer[1024], text[2048], want[64];

		sdp_session_init(&s, 0);
		assert_int_equal(text_print(offer, sizeof(offer), "%sm=audio 4000 RTP/AVP 0\r\n%s", HEAD, rows[i].attr), 0);
		assert_int_equal(answer(offer, &prm, &s, text, sizeof(text), &a, &why), 0);
		assert_int_equal(a.direction, rows[i].direction);
		assert_int_equal(a.held, rows[i].held);
		assert_int_equal(text_print(want, sizeof(want), "a=%s\r\n", sdp_direction_name(rows[i].direction)), 0);
		assert_non_null(strstr(text, want));
	}
}

static void version_grows_with_change_only(void **state)
{
	struct sdp_local prm = local();
	struct sdp_session s;
	struct sdp_agreed a;
	struct sip_refusal why;
	char text[2048];

	(void)state;
	sdp_session_init(&s, 40);
	answer(HEAD "m=audio 4000 RTP/AVP 0\r\n", &prm, &s, text, sizeof(text), &a, &why);
	assert_int_equal(s.changes, 0);
	answer(HEAD "m=audio 4002 RTP/AVP 0\r\n", &prm, &s, text, sizeof(text), &a, &why);
	assert_int_equal(s.changes, 0);
	answer(HEAD "m=audio 4002 RTP/AVP 0\r\na=sendonly\r\n", &prm, &s, text, sizeof(text), &a, &why);
	assert_int_equal(s.changes, 1);
	assert_non_null(strstr(text, "o=umbel 10 11 IN IP4"));
}

static void offers_and_accepts(void **state)
{
	struct sdp_local prm = local(), theirs = local();
	struct sdp_session s, t;
	struct sdp_agreed a, b;
	struct sip_refusal why;
	struct sdp sdp;
	struct buf out, back;

	(void)state;
	theirs.addr = TEXT("192.0.2.77");
	theirs.port = 7000;
	theirs.codecs = &(const struct sdp_codecs){ .n = 1, .v = { SDP_PCMA } };
	sdp_session_init(&s, 8);
	sdp_session_init(&t, 16);
	buf_init(&out, 4096);
	buf_init(&back, 4096);
	assert_int_equal(sdp_offer(&prm, &s, &out), 0);
	assert_int_equal(sdp_parse(&sdp, buf_as_text(&out), &why), 0);
	assert_int_equal(sdp_answer(&sdp, &theirs, &t, &back, &b, &why), 0);
	assert_int_equal(sdp_parse(&sdp, buf_as_text(&back), &why), 0);
	assert_int_equal(sdp_accept(&sdp, &prm, &a, &why), 0);
	assert_int_equal(a.codec, SDP_PCMA);
	assert_int_equal(a.codec, b.codec);
	assert_int_equal(a.recv_dtmf_pt, 101);
	assert_int_equal(a.remote_port, 7000);
	assert_string_equal(a.remote_addr, "192.0.2.77");
	assert_string_equal(b.remote_addr, "198.51.100.1");
	buf_free(&out);
	buf_free(&back);

	good(&sdp, HEAD "m=audio 0 RTP/AVP 0\r\n");
	assert_int_equal(sdp_accept(&sdp, &prm, &a, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_SDP_ANSWER_REFUSED);
	good(&sdp, HEAD "m=audio 4000 RTP/AVP 18\r\n");
	assert_int_equal(sdp_accept(&sdp, &prm, &a, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_SDP_ANSWER_CODEC);
	good(&sdp, HEAD "m=video 4000 RTP/AVP 31\r\n");
	assert_int_equal(sdp_accept(&sdp, &prm, &a, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_SDP_ANSWER_MEDIA);
}

static struct sdp_agreed agreed_on(const char *offer, const struct sdp_codecs *codecs, char *text, size_t size)
{
	struct sdp_local prm = local();
	struct sdp_session s;
	struct sdp_agreed a;
	struct sip_refusal why;

	prm.codecs = codecs;
	sdp_session_init(&s, 8);
	assert_int_equal(answer(offer, &prm, &s, text, size, &a, &why), 0);
	return a;
}

#define MANY HEAD "m=audio 4000 RTP/AVP 107 9 8 0 11 101 100\r\na=rtpmap:107 opus/48000/2\r\na=fmtp:107 useinbandfec=1\r\na=rtpmap:11 L16/16000\r\n" \
	"a=rtpmap:101 telephone-event/8000\r\na=rtpmap:100 telephone-event/48000\r\n"

static void takes_other_codecs(void **state)
{
	static const struct sdp_codecs opus_first = { .n = 3, .strict = true, .v = { SDP_OPUS, SDP_L16_WIDE, SDP_PCMU } }, wide = { .n = 1, .v = { SDP_L16_WIDE } };
	char text[2048];
	struct sdp_agreed a;

	(void)state;
	a = agreed_on(MANY, NULL, text, sizeof(text)); /* G.711 before the others, in their order */
	assert_int_equal(a.codec, SDP_PCMA);
	assert_int_equal(a.recv_dtmf_pt, 101);
	assert_int_equal(a.dtmf_khz, 8);
	a = agreed_on(MANY, &opus_first, text, sizeof(text));
	assert_int_equal(a.codec, SDP_OPUS);
	assert_int_equal(a.send_pt, 107);
	assert_int_equal(a.send_dtmf_pt, 100);
	assert_int_equal(a.dtmf_khz, 48);
	assert_non_null(strstr(text, "RTP/AVP 107 100\r\na=rtpmap:107 opus/48000/2\r\na=fmtp:107 "));
	assert_non_null(strstr(text, "a=rtpmap:100 telephone-event/48000\r\n"));
	a = agreed_on(MANY, &wide, text, sizeof(text));
	assert_int_equal(a.codec, SDP_L16_WIDE);
	assert_int_equal(a.recv_pt, 11);
	assert_int_equal(a.dtmf_khz, 8); /* they have none at 16,000 */
	assert_non_null(strstr(text, "a=rtpmap:11 L16/16000\r\n"));
	a = agreed_on(HEAD "m=audio 4000 RTP/AVP 9 96\r\na=rtpmap:96 opus/48000/2\r\n", NULL, text, sizeof(text));
	assert_int_equal(a.codec, SDP_G722);
	assert_int_equal(a.send_dtmf_pt, -1);
	assert_non_null(strstr(text, "a=rtpmap:9 G722/8000\r\n"));
}

static void payload_types_of_both_sides_differ(void **state)
{
	struct sdp_local prm = local();
	struct sdp_session s;
	struct sdp_agreed a;
	struct sip_refusal why;
	struct sdp sdp;
	struct buf out;

	(void)state;
	prm.codecs = &sdp_codecs_default;
	sdp_session_init(&s, 8);
	buf_init(&out, 4096);
	assert_int_equal(sdp_offer(&prm, &s, &out), 0);
	assert_non_null(strstr(buf_cstr(&out), "RTP/AVP 0 8 9 96 101 100\r\n"));
	assert_non_null(strstr(buf_cstr(&out), "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 maxplaybackrate=16000"));
	buf_free(&out);
	good(&sdp, HEAD "m=audio 4000 RTP/AVP 120 121\r\na=rtpmap:120 opus/48000/2\r\na=rtpmap:121 telephone-event/48000\r\n");
	assert_int_equal(sdp_accept(&sdp, &prm, &a, &why), 0);
	assert_int_equal(a.codec, SDP_OPUS);
	assert_int_equal(a.send_pt, 120);
	assert_int_equal(a.recv_pt, 96);
	assert_int_equal(a.send_dtmf_pt, 121);
	assert_int_equal(a.recv_dtmf_pt, 100);
}

/* RFC 3264 6.1: what the answer names first is what will be sent. */
static void the_answerers_order_counts(void **state)
{
	const struct sdp_codecs ours = { .n = 2, .strict = true, .v = { SDP_PCMU, SDP_G722 } };
	struct sdp_local prm = local();
	struct sdp_agreed a;
	struct sip_refusal why;
	struct sdp sdp;

	(void)state;
	prm.codecs = &ours;
	good(&sdp, HEAD "m=audio 4000 RTP/AVP 9 0\r\n");
	assert_int_equal(sdp_accept(&sdp, &prm, &a, &why), 0);
	assert_int_equal(a.codec, SDP_G722);
}

/* RFC 3264 8: the lines that we refused stay where they were in what we offer later. */
static void refused_lines_keep_their_place(void **state)
{
	struct sdp_local prm = local();
	struct sdp_session s;
	struct sdp_agreed a;
	struct sip_refusal why;
	struct sdp sdp;
	struct buf out;
	char text[2048];

	(void)state;
	sdp_session_init(&s, 8);
	assert_int_equal(answer(HEAD "m=video 3000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8\r\nm=image 5000 udptl t38\r\n", &prm, &s, text, sizeof(text), &a, &why), 0);
	buf_init(&out, 4096);
	assert_int_equal(sdp_offer(&prm, &s, &out), 0);
	assert_int_equal(sdp_parse(&sdp, buf_as_text(&out), &why), 0);
	assert_int_equal(sdp.n_media, 3);
	assert_int_equal(sdp.media[0].port, 0);
	assert_int_equal(sdp.media[1].port, 30000);
	assert_int_equal(sdp.media[2].port, 0);
	buf_free(&out);
	good(&sdp, HEAD "m=audio 0 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 8\r\nm=audio 0 RTP/AVP 0\r\n");
	assert_int_equal(sdp_accept(&sdp, &prm, &a, &why), 0);
	assert_int_equal(a.remote_port, 4002);
}

static void codecs_have_words(void **state)
{
	enum sdp_codec c;

	(void)state;
	assert_true(sdp_codec_of_word(TEXT("L16-16k"), &c));
	assert_int_equal(c, SDP_L16_WIDE);
	assert_false(sdp_codec_of_word(TEXT("g729"), &c));
}

static void speaks_ipv6(void **state)
{
	struct sdp_local prm = local();
	struct sdp_session s;
	struct sdp_agreed a;
	struct sip_refusal why;
	char text[2048];

	(void)state;
	prm.addr = TEXT("2001:db8::5");
	sdp_session_init(&s, 0);
	assert_int_equal(answer("v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 2001:db8::9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n", &prm, &s, text, sizeof(text),
	                        &a, &why),
	                 0);
	assert_string_equal(a.remote_addr, "2001:db8::9");
	assert_non_null(strstr(text, "c=IN IP6 2001:db8::5\r\n"));
}

static int answer_once(void *arg)
{
	struct sdp_local prm = local();
	struct sdp_session s;
	struct sdp_agreed a;
	struct buf out;
	struct sdp sdp;
	int err;

	(void)arg;
	good(&sdp, HEAD "m=audio 4000 RTP/AVP 0\r\n");
	sdp_session_init(&s, 0);
	buf_init(&out, 4096);
	err = sdp_answer(&sdp, &prm, &s, &out, &a, NULL);
	if (err)
		assert_int_equal(s.last, 0);
	buf_free(&out);
	return err;
}

static void survives_lack_of_memory(void **state)
{
	(void)state;
	ut_oom(answer_once, NULL);
}

static void comfort_noise_is_agreed_where_both_have_it(void **state)
{
	static const char offer[] = HEAD "m=audio 4000 RTP/AVP 0 13 101\r\na=rtpmap:101 telephone-event/8000\r\n", wide[] = HEAD "m=audio 4000 RTP/AVP 96 13\r\na=rtpmap:96 opus/48000/2\r\n";
	struct sdp_local l = local();
	struct sdp_session s;
	struct sdp_agreed a;
	struct sip_refusal why;
	struct sdp sdp;
	struct buf out;
	char text[2048];

	(void)state;
	sdp_session_init(&s, 4);
	assert_int_equal(answer(offer, &l, &s, text, sizeof(text), &a, &why), 0);
	assert_false(a.comfort); /* who did not ask for it is not offered it */
	assert_null(strstr(text, "CN/8000"));
	l.comfort = true;
	assert_int_equal(answer(offer, &l, &s, text, sizeof(text), &a, &why), 0);
	assert_true(a.comfort);
	assert_non_null(strstr(text, "m=audio 30000 RTP/AVP 0 101 13\r\n"));
	assert_non_null(strstr(text, "a=rtpmap:13 CN/8000\r\n"));
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n", &l, &s, text, sizeof(text), &a, &why), 0);
	assert_false(a.comfort);
	l.codecs = NULL;
	assert_int_equal(answer(wide, &l, &s, text, sizeof(text), &a, &why), 0);
	assert_false(a.comfort); /* another clock */

	l.codecs = &g711;
	buf_init(&out, 8192);
	assert_int_equal(sdp_offer(&l, &s, &out), 0);
	assert_int_equal(text_copy(buf_as_text(&out), text, sizeof(text)), 0);
	buf_free(&out);
	assert_non_null(strstr(text, "m=audio 30000 RTP/AVP 0 8 101 13\r\n"));
	good(&sdp, HEAD "m=audio 4000 RTP/AVP 8 13\r\n");
	assert_int_equal(sdp_accept(&sdp, &l, &a, &why), 0);
	assert_true(a.comfort);
	good(&sdp, HEAD "m=audio 4000 RTP/AVP 8\r\n");
	assert_int_equal(sdp_accept(&sdp, &l, &a, &why), 0);
	assert_false(a.comfort);
}

UT_MAIN(UT(reads_all_lines), UT(is_patient_with_line_ends), UT(refuses_what_is_broken), UT(keeps_within_the_format_table),
        UT(answers_in_the_order_of_the_offerer), UT(takes_dynamic_payload_types), UT(refuses_other_media), UT(names_what_was_offered), UT(holds),
        UT(version_grows_with_change_only), UT(offers_and_accepts), UT(comfort_noise_is_agreed_where_both_have_it), UT(takes_other_codecs), UT(payload_types_of_both_sides_differ),
        UT(the_answerers_order_counts), UT(refused_lines_keep_their_place), UT(codecs_have_words), UT(speaks_ipv6), UT(survives_lack_of_memory))
