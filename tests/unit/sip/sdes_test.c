/* SPDX-License-Identifier: Apache-2.0 */
/* sdes_test.c  Keys in session descriptions (RFC 4568): lines, and offer and answer with them, as phones and pools in the field send them. */
#include <errno.h>
#include "ut.h"
#include "base/mem.h"
#include "sip/offer.h"
#include "sip/sdes.h"

#define HEAD "v=0\r\no=alice 2890844526 2890844527 IN IP4 host.atlanta.example.com\r\ns=talk\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
#define KEY_30 "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" /* RFC 4568 */
#define OTHER_30 "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define KEY_46 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ=="
#define KEY_28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="
#define KEY_44 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis="
#define AVP "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
#define SAVP "m=audio 4002 RTP/SAVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
#define CM_80 "AES_CM_128_HMAC_SHA1_80"
#define CM_32 "AES_CM_128_HMAC_SHA1_32"

/* ---- lines ---- */
static void line(const char *s, enum srtp_suite suite, uint32_t tag, unsigned mki_bytes, uint32_t mki)
{
	struct sdes_line l;

	if (sdes_parse(&l, text_of(s)))
		fail_msg("refused: %s", s);
	assert_int_equal(l.tag, tag);
	assert_int_equal(l.key.suite, suite);
	assert_int_equal(l.key.mki_bytes, mki_bytes);
	assert_int_equal(l.key.mki, mki);
}

static void no_line(const char *s, int err)
{
	struct sdes_line l;

	if (sdes_parse(&l, text_of(s)) != err)
		fail_msg("not %d: %s", err, s);
}

static void lines_are_read(void **state)
{
	struct sdes_line l;

	(void)state;
	line("1 " CM_80 " inline:" KEY_30 "|2^20|1:4", SRTP_AES_CM_128_80, 1, 4, 1);
	line("2 " CM_80 " inline:" KEY_30 "|2^31|1:1", SRTP_AES_CM_128_80, 2, 1, 1);
	line("3 " CM_80 " inline:" KEY_30 "|2^31", SRTP_AES_CM_128_80, 3, 0, 0);
	line("4 " CM_32 " inline:" KEY_30 "|7:2", SRTP_AES_CM_128_32, 4, 2, 7);
	line("5 " CM_80 " inline:" KEY_30 "|281474976710656", SRTP_AES_CM_128_80, 5, 0, 0);
	line("999999999 AES_256_CM_HMAC_SHA1_80 inline:" KEY_46, SRTP_AES_CM_256_80, 999999999, 0, 0);
	line("7 AES_CM_256_HMAC_SHA1_32 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ", SRTP_AES_CM_256_32, 7, 0, 0);
	line("8 AEAD_AES_128_GCM inline:" KEY_28 " WSH=128 -later=1", SRTP_AES_GCM_128, 8, 0, 0);
	line("  9  AEAD_AES_256_GCM  inline:" KEY_44 "  ", SRTP_AES_GCM_256, 9, 0, 0);
	assert_int_equal(sdes_parse(&l, TEXT("9 AEAD_AES_256_GCM inline:" KEY_44)), 0);
	for (unsigned i = 0; i < 44; i++)
		assert_int_equal(l.key.bytes[i], i);
}

static void what_changes_packets_in_unknown_ways_is_not_taken(void **state)
{
	(void)state;
	no_line("1 F8_128_HMAC_SHA1_80 inline:" KEY_30, ENOTSUP);
	no_line("1 " CM_80 " inline:" KEY_30 " UNENCRYPTED_SRTP", ENOTSUP);
	no_line("1 " CM_80 " inline:" KEY_30 " UNENCRYPTED_SRTCP", ENOTSUP);
	no_line("1 " CM_80 " inline:" KEY_30 " UNAUTHENTICATED_SRTP", ENOTSUP);
	no_line("1 " CM_80 " inline:" KEY_30 " KDR=1", ENOTSUP);
	no_line("1 " CM_80 " inline:" KEY_30 " FEC_ORDER=FEC_SRTP", ENOTSUP);
	no_line("1 " CM_80 " inline:" KEY_30 " -x KDR=0", ENOTSUP);
	no_line("1 " CM_80 " inline:" KEY_30 "|2^20|1:4;inline:" OTHER_30 "|2^20|2:4", ENOTSUP);
	no_line("1 " CM_80 " inline:" KEY_30 "|2^20|1:32", ENOTSUP);
	no_line("1 " CM_80 " prot:abc", ENOTSUP);
}

static void broken_lines_are_refused(void **state)
{
	(void)state;
	no_line("", EBADMSG);
	no_line("1", EBADMSG);
	no_line("1 " CM_80, EBADMSG);
	no_line("x " CM_80 " inline:" KEY_30, EBADMSG);
	no_line("-1 " CM_80 " inline:" KEY_30, EBADMSG);
	no_line("1000000000 " CM_80 " inline:" KEY_30, EBADMSG);
	no_line("1 " CM_80 " inline:", EBADMSG);
	no_line("1 " CM_80 " " KEY_30, EBADMSG);
	no_line("1 " CM_80 " inline:" KEY_28, EBADMSG);
	no_line("1 " CM_80 " inline:" KEY_46, EBADMSG);
	no_line("1 AEAD_AES_128_GCM inline:" KEY_30, EBADMSG);
	no_line("1 " CM_80 " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGV*", EBADMSG);
	no_line("1 " CM_80 " inline:" KEY_30 "|0", EBADMSG);
	no_line("1 " CM_80 " inline:" KEY_30 "|2^49", EBADMSG);
	no_line("1 " CM_80 " inline:" KEY_30 "|2^", EBADMSG);
	no_line("1 " CM_80 " inline:" KEY_30 "|281474976710657", EBADMSG);
	no_line("1 " CM_80 " inline:" KEY_30 "|x", EBADMSG);
	no_line("1 " CM_80 " inline:" KEY_30 "|2^31|1", EBADMSG);
	no_line("1 " CM_80 " inline:" KEY_30 "|2^31|1:0", EBADMSG);
	no_line("1 " CM_80 " inline:" KEY_30 "|2^31|256:1", EBADMSG);
	no_line("1 " CM_80 " inline:" KEY_30 "|2^31|:1", EBADMSG);
	no_line("1 " CM_80 " inline:" KEY_30 " WSH=10", EBADMSG);
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	for (enum srtp_suite suite = 1; suite < SRTP_SUITES; suite++) {
		struct srtp_key key = { .suite = suite, .mki_bytes = (uint8_t)(suite % 3), .mki = suite % 3 ? 200 : 0 };
		struct sdes_line l;
		struct buf b;
		struct text t;
		for (size_t i = 0; i < srtp_suite_bytes(suite); i++)
			key.bytes[i] = (uint8_t)(i * 37 + suite);
		buf_init(&b, 1024);
		sdes_put(&b, 17, text_of(srtp_suite_name(suite)), &key);
		t = buf_as_text(&b);
		assert_true(text_starts(t, "a=crypto:17 "));
		assert_int_equal(sdes_parse(&l, text_trim(text_skip(t, 9))), 0);
		assert_int_equal(l.tag, 17);
		assert_true(srtp_key_equal(&l.key, &key));
		buf_free(&b);
	}
}

/* ---- offer and answer ---- */
static struct sdes at_home;

static struct sdp_local local(enum sdes_want want)
{
	sdes_init(&at_home, want);
	return (struct sdp_local){ .addr = TEXT("198.51.100.1"), .port = 30000, .dtmf = true, .sdes = &at_home };
}

struct said {
	char text[4096];
	struct sdp_agreed agreed;
	struct sip_refusal why;
};

static int answered(struct said *a, const struct sdp_local *l, const char *offer)
{
	struct sdp_session session;
	struct sdp sdp;
	struct buf out;

	sdp_session_init(&session, 4);
	assert_int_equal(sdp_parse(&sdp, text_of(offer), NULL), 0);
	buf_init(&out, 8192);
	int err = sdp_answer(&sdp, l, &session, &out, &a->agreed, &a->why);
	assert_int_equal(text_copy(buf_as_text(&out), a->text, sizeof(a->text)), 0);
	buf_free(&out);
	return err;
}

/* An offer is taken, plain (tag 0) or by the line of that tag. */
static void takes(enum sdes_want want, const char *offer, uint32_t tag, const char *m_line)
{
	struct sdp_local l = local(want);
	struct said a;
	struct sdes_line ours;
	const char *at;

	if (answered(&a, &l, offer))
		fail_msg("refused: %s", a.why.sentence);
	if (!strstr(a.text, m_line))
		fail_msg("answer: %s", a.text);
	assert_int_equal(at_home.next.on, tag != 0);
	at = strstr(a.text, "a=crypto:");
	if (!tag) {
		assert_null(at);
		return;
	}
	assert_non_null(at);
	assert_null(strstr(at + 1, "a=crypto:")); /* one */
	assert_true(at >= strstr(a.text, m_line));
	assert_int_equal(sdes_parse(&ours, text_head(text_of(at + 9), text_find(text_of(at + 9), '\r'))), 0);
	assert_int_equal(ours.tag, tag);
	assert_int_equal(at_home.next.tag, tag);
	assert_true(srtp_key_equal(&ours.key, &at_home.next.send));
	assert_false(mem_equal_secret(at_home.next.send.bytes, at_home.next.recv.bytes, 16));
	assert_int_equal(at_home.next.recv.suite, ours.key.suite);
}

static void refuses(enum sdes_want want, const char *offer, enum sip_fault fault)
{
	struct sdp_local l = local(want);
	struct said a;

	assert_int_equal(answered(&a, &l, offer), EBADMSG);
	if (a.why.fault != fault)
		fail_msg("refused with: %s", a.why.sentence);
	assert_int_equal(a.why.status, 488);
	assert_false(at_home.next.on);
}

#define LINE(tag, suite, key) "a=crypto:" tag " " suite " inline:" key "\r\n"

static void policy_decides(void **state)
{
	(void)state;
	/* plain only */
	takes(SDES_OFF, HEAD AVP, 0, "m=audio 30000 RTP/AVP 8 101");
	takes(SDES_OPTIONAL, HEAD AVP, 0, "m=audio 30000 RTP/AVP 8 101");
	refuses(SDES_REQUIRED, HEAD AVP, SIP_FAULT_SDP_NOT_ENCRYPTED);
	/* encrypted only */
	refuses(SDES_OFF, HEAD SAVP LINE("1", CM_80, KEY_30), SIP_FAULT_SDP_ONLY_SRTP);
	takes(SDES_OPTIONAL, HEAD SAVP LINE("1", CM_80, KEY_30), 1, "m=audio 30000 RTP/SAVP 8 101");
	takes(SDES_REQUIRED, HEAD SAVP LINE("1", CM_80, KEY_30), 1, "m=audio 30000 RTP/SAVP 8 101");
	/* either, in one line */
	takes(SDES_OFF, HEAD AVP LINE("4", CM_80, KEY_30), 0, "m=audio 30000 RTP/AVP 8 101");
	takes(SDES_OPTIONAL, HEAD AVP LINE("4", CM_80, KEY_30), 4, "m=audio 30000 RTP/AVP 8 101");
	takes(SDES_REQUIRED, HEAD AVP LINE("4", CM_80, KEY_30), 4, "m=audio 30000 RTP/AVP 8 101");
	/* either, in two */
	takes(SDES_OFF, HEAD SAVP LINE("1", CM_80, KEY_30) AVP, 0, "m=audio 0 RTP/SAVP 8\r\nm=audio 30000 RTP/AVP 8 101");
	takes(SDES_OPTIONAL, HEAD AVP SAVP LINE("1", CM_80, KEY_30), 1, "m=audio 0 RTP/AVP 8\r\nm=audio 30000 RTP/SAVP 8 101");
	takes(SDES_REQUIRED, HEAD SAVP LINE("1", CM_80, KEY_30) AVP, 1, "m=audio 30000 RTP/SAVP 8 101");
	takes(SDES_OPTIONAL, HEAD SAVP LINE("1", "F8_128_HMAC_SHA1_80", KEY_30) AVP, 0, "m=audio 30000 RTP/AVP 8 101");
	refuses(SDES_REQUIRED, HEAD SAVP LINE("1", "F8_128_HMAC_SHA1_80", KEY_30) AVP, SIP_FAULT_SDP_NO_SUITE);
	/* DTLS-SRTP and ZRTP know no a=crypto */
	refuses(SDES_OPTIONAL, HEAD SAVP, SIP_FAULT_SDP_NO_KEYS);
	refuses(SDES_OPTIONAL, HEAD "m=audio 4000 UDP/TLS/RTP/SAVPF 8\r\n", SIP_FAULT_SDP_NO_AUDIO);
	/* what else is wrong is told as before */
	refuses(SDES_REQUIRED, HEAD "m=audio 4002 RTP/SAVP 18\r\n" LINE("1", CM_80, KEY_30), SIP_FAULT_SDP_NO_CODEC);
	refuses(SDES_REQUIRED, HEAD "m=video 4002 RTP/SAVP 31\r\n" LINE("1", CM_80, KEY_30), SIP_FAULT_SDP_NO_AUDIO);
}

static void the_first_acceptable_line_is_taken(void **state)
{
	(void)state;
	takes(SDES_REQUIRED, HEAD SAVP LINE("1", "F8_128_HMAC_SHA1_80", KEY_30) LINE("2", CM_80, KEY_30) LINE("3", "AEAD_AES_256_GCM", KEY_44), 2, "RTP/SAVP");
	takes(SDES_REQUIRED, HEAD SAVP LINE("1", CM_32, KEY_30) LINE("2", CM_80, KEY_30), 2, "RTP/SAVP"); /* short tags come last */
	takes(SDES_REQUIRED, HEAD SAVP LINE("1", CM_32, KEY_30), 1, "RTP/SAVP");
	takes(SDES_REQUIRED, HEAD SAVP "a=crypto:1 " CM_80 " inline:" KEY_30 " UNENCRYPTED_SRTP\r\n" LINE("2", CM_80, OTHER_30), 2, "RTP/SAVP");
	takes(SDES_REQUIRED, HEAD SAVP "a=crypto:1 " CM_80 " inline:short\r\n" LINE("2", CM_80, OTHER_30), 2, "RTP/SAVP");
	takes(SDES_REQUIRED, HEAD SAVP LINE("1", "AES_CM_256_HMAC_SHA1_80", KEY_46), 1, "a=crypto:1 AES_CM_256_HMAC_SHA1_80 inline:"); /* as they write it */
	refuses(SDES_REQUIRED, HEAD SAVP "a=crypto:1 " CM_80 " inline:" KEY_30 " UNENCRYPTED_SRTP\r\n", SIP_FAULT_SDP_NO_SUITE);
}

/* A Lync pool names its keys in one line and not in the other. */
static void keys_with_names(void **state)
{
	(void)state;
	takes(SDES_OPTIONAL, HEAD "m=audio 4000 RTP/AVP 8\r\na=cryptoscale:1 client " CM_80 " inline:" KEY_30 "|2^31|1:1\r\n"
	                          "a=crypto:2 " CM_80 " inline:" OTHER_30 "|2^31|1:1\r\na=crypto:3 " CM_80 " inline:" KEY_30 "|2^31\r\n", 2, "RTP/AVP 8");
	assert_int_equal(at_home.next.recv.mki_bytes, 1);
	assert_int_equal(at_home.next.send.mki_bytes, 1);
	assert_int_equal(at_home.next.send.mki, 1);
}

static void no_keys_over_an_open_line(void **state)
{
	struct said a;
	struct sdp_local l = local(SDES_OPTIONAL);
	struct sdp_session session;
	struct buf b;

	(void)state;
	at_home.open_line = true;
	assert_int_equal(answered(&a, &l, HEAD AVP LINE("1", CM_80, KEY_30)), 0);
	assert_false(at_home.next.on);
	assert_int_equal(answered(&a, &l, HEAD SAVP LINE("1", CM_80, KEY_30)), EBADMSG);
	assert_int_equal(a.why.fault, SIP_FAULT_SDP_KEYS_OPEN);
	at_home.want = SDES_REQUIRED;
	assert_int_equal(answered(&a, &l, HEAD AVP LINE("1", CM_80, KEY_30)), EBADMSG);
	assert_int_equal(a.why.fault, SIP_FAULT_SDP_KEYS_OPEN);
	sdp_session_init(&session, 4);
	buf_init(&b, 8192);
	assert_int_equal(sdp_offer(&l, &session, &b), 0);
	assert_null(strstr(buf_cstr(&b), "crypto"));
	buf_free(&b);
}

static void suites_may_be_fewer(void **state)
{
	struct sdp_local l = local(SDES_REQUIRED);
	struct said a;

	(void)state;
	at_home.n_suites = 1;
	at_home.suites[0] = SRTP_AES_CM_128_80;
	assert_int_equal(answered(&a, &l, HEAD SAVP LINE("1", "AEAD_AES_256_GCM", KEY_44) LINE("2", CM_80, KEY_30)), 0);
	assert_int_equal(at_home.next.tag, 2);
	assert_int_equal(answered(&a, &l, HEAD SAVP LINE("1", "AEAD_AES_256_GCM", KEY_44)), EBADMSG);
	assert_int_equal(a.why.fault, SIP_FAULT_SDP_NO_SUITE);
}

static void a_key_stays_as_long_as_it_can(void **state)
{
	struct sdp_local l = local(SDES_OPTIONAL);
	struct srtp_key first;
	struct said a, b;

	(void)state;
	assert_int_equal(answered(&a, &l, HEAD SAVP LINE("1", CM_80, KEY_30)), 0);
	first = at_home.next.send;
	sdes_settle(&at_home);
	assert_true(at_home.now.on && !at_home.next.on);
	assert_int_equal(answered(&b, &l, HEAD SAVP LINE("1", CM_80, KEY_30)), 0); /* the same again */
	assert_string_equal(a.text, b.text);
	assert_true(srtp_key_equal(&at_home.next.send, &first) && srtp_key_equal(&at_home.next.recv, &at_home.now.recv));
	assert_int_equal(answered(&b, &l, HEAD SAVP LINE("2", CM_80, OTHER_30)), 0); /* theirs is new */
	assert_true(srtp_key_equal(&at_home.next.send, &first) && !srtp_key_equal(&at_home.next.recv, &at_home.now.recv));
	assert_int_equal(answered(&b, &l, HEAD SAVP LINE("1", "AEAD_AES_128_GCM", KEY_28)), 0); /* another suite */
	assert_false(srtp_key_equal(&at_home.next.send, &first));
	assert_int_equal(answered(&b, &l, HEAD AVP), 0); /* plain again: it is optional */
	sdes_settle(&at_home);
	assert_false(at_home.now.on);
}

/* ---- our offers ---- */
static void offer(char *dst, size_t size, const struct sdp_local *l)
{
	struct sdp_session session;
	struct buf b;

	sdp_session_init(&session, 4);
	buf_init(&b, 8192);
	assert_int_equal(sdp_offer(l, &session, &b), 0);
	assert_int_equal(text_copy(buf_as_text(&b), dst, size), 0);
	buf_free(&b);
}

static int accepted(const struct sdp_local *l, const char *answer, struct sip_refusal *why)
{
	struct sdp_agreed agreed;
	struct sdp sdp;

	assert_int_equal(sdp_parse(&sdp, text_of(answer), NULL), 0);
	return sdp_accept(&sdp, l, &agreed, why);
}

static void offers_what_it_has(void **state)
{
	char text[4096];
	struct sdp_local l = local(SDES_OFF);

	(void)state;
	offer(text, sizeof(text), &l);
	assert_null(strstr(text, "crypto"));
	l = local(SDES_OPTIONAL);
	offer(text, sizeof(text), &l);
	assert_non_null(strstr(text, "m=audio 30000 RTP/AVP 0 8 101\r\n"));
	assert_non_null(strstr(text, "a=crypto:1 AEAD_AES_256_GCM inline:"));
	assert_non_null(strstr(text, "a=crypto:6 AES_CM_128_HMAC_SHA1_32 inline:"));
	for (unsigned i = 0; i < 6; i++)
		for (unsigned k = 0; k < i; k++)
			assert_true(memcmp(at_home.offered[i].bytes, at_home.offered[k].bytes, 16) != 0);
	l = local(SDES_REQUIRED);
	offer(text, sizeof(text), &l);
	assert_non_null(strstr(text, "m=audio 30000 RTP/SAVP 0 8 101\r\n"));
}

static void answers_are_judged(void **state)
{
	char text[4096], again[4096];
	struct sdp_local l = local(SDES_REQUIRED);
	struct srtp_key ours;
	struct sip_refusal why;

	(void)state;
	offer(text, sizeof(text), &l);
	ours = at_home.offered[3];
	assert_int_equal(accepted(&l, HEAD AVP, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_SDP_ANSWER_PLAIN);
	assert_int_equal(accepted(&l, HEAD SAVP, &why), EBADMSG);
	assert_int_equal(why.fault, SIP_FAULT_SDP_ANSWER_KEYS);
	assert_int_equal(accepted(&l, HEAD SAVP LINE("4", CM_32, KEY_30), &why), EBADMSG); /* not what that tag was */
	assert_int_equal(accepted(&l, HEAD SAVP LINE("0", CM_80, KEY_30), &why), EBADMSG);
	assert_int_equal(accepted(&l, HEAD SAVP LINE("7", CM_80, KEY_30), &why), EBADMSG);
	assert_int_equal(accepted(&l, HEAD SAVP LINE("4", CM_80, KEY_30) LINE("1", "AEAD_AES_256_GCM", KEY_44), &why), EBADMSG);
	assert_int_equal(accepted(&l, HEAD SAVP "a=crypto:4 " CM_80 " inline:" KEY_30 " UNAUTHENTICATED_SRTP\r\n", &why), EBADMSG);
	assert_false(at_home.next.on);
	assert_int_equal(accepted(&l, HEAD SAVP LINE("4", CM_80, KEY_30), &why), 0);
	assert_true(at_home.next.on && srtp_key_equal(&at_home.next.send, &ours));
	sdes_settle(&at_home);
	assert_int_equal(at_home.n_offered, 0);
	offer(again, sizeof(again), &l); /* a hold: the same key, and no other */
	assert_non_null(strstr(again, "a=crypto:1 " CM_80 " inline:"));
	assert_null(strstr(again, "a=crypto:2"));
	assert_true(srtp_key_equal(&at_home.offered[0], &ours));
	assert_int_equal(accepted(&l, HEAD SAVP LINE("1", CM_80, KEY_30), &why), 0);
	assert_true(srtp_key_equal(&at_home.next.send, &ours));
	/* optional */
	l = local(SDES_OPTIONAL);
	offer(text, sizeof(text), &l);
	assert_int_equal(accepted(&l, HEAD AVP, &why), 0);
	assert_false(at_home.next.on);
	assert_int_equal(accepted(&l, HEAD "m=audio 4000 RTP/SAVP 8\r\n" LINE("1", "AEAD_AES_256_GCM", KEY_44), &why), 0);
	assert_true(at_home.next.on);
	/* nothing of it was offered */
	l = local(SDES_OFF);
	offer(text, sizeof(text), &l);
	assert_int_equal(accepted(&l, HEAD SAVP LINE("1", CM_80, KEY_30), &why), EBADMSG);
}

static void tells_what_was_offered(void **state)
{
	char text[256];
	struct sdp sdp;

	(void)state;
	assert_int_equal(sdp_parse(&sdp, TEXT(HEAD SAVP LINE("1", CM_80, KEY_30) LINE("2", "F8_128_HMAC_SHA1_80", KEY_30) AVP "m=video 1 RTP/AVP 31\r\n" SAVP), NULL), 0);
	assert_string_equal(sdes_offered(&sdp, text, sizeof(text)), "RTP/SAVP with " CM_80 "/F8_128_HMAC_SHA1_80, RTP/AVP, RTP/SAVP without keys");
	assert_null(strstr(text, KEY_30));
}

static void offered(const struct sdp_local *l, char *text, size_t size)
{
	struct sdp_session session;
	struct buf out;

	sdp_session_init(&session, 4);
	buf_init(&out, 8192);
	assert_int_equal(sdp_offer(l, &session, &out), 0);
	assert_int_equal(text_copy(buf_as_text(&out), text, size), 0);
	buf_free(&out);
}

static unsigned lines_of(const char *text)
{
	unsigned n = 0;
	while ((text = strstr(text, "a=crypto:")) != NULL) {
		n++;
		text++;
	}
	return n;
}

static void a_call_goes_on_by_its_profile_and_strangers_get_other_keys(void **state)
{
	struct sdp_local l = local(SDES_OPTIONAL);
	struct said a;
	struct srtp_key mine;
	char text[4096];

	(void)state;
	assert_int_equal(answered(&a, &l, HEAD SAVP LINE("1", CM_80, KEY_30)), 0);
	sdes_settle(&at_home);
	mine = at_home.now.send;
	offered(&l, text, sizeof(text));
	assert_non_null(strstr(text, "m=audio 30000 RTP/SAVP "));
	assert_int_equal(lines_of(text), 1);
	assert_true(srtp_key_equal(&at_home.offered[0], &mine));

	at_home.anew = true; /* somebody else takes the call over */
	offered(&l, text, sizeof(text));
	assert_non_null(strstr(text, "m=audio 30000 RTP/AVP "));
	assert_int_equal(lines_of(text), at_home.n_suites);
	for (unsigned i = 0; i < at_home.n_offered; i++)
		assert_false(mem_equal_secret(at_home.offered[i].bytes, mine.bytes, 16));
}

static void keys_are_struck_out(void **state)
{
	char a[] = "INVITE sip:x SIP/2.0\r\n\r\nv=0\r\na=crypto:1 " CM_80 " inline:" KEY_30 "|2^31|1:1\r\nA=CRYPTO:2 x INLINE:abc;inline:def\r\na=x:inline:ok\r\na=cryptoscale:1 client y inline:qqq";

	(void)state;
	sdes_strike(a, strlen(a));
	assert_null(strstr(a, KEY_30));
	assert_non_null(strstr(a, "a=crypto:1 " CM_80 " inline:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|2^31|1:1\r\n"));
	assert_non_null(strstr(a, "A=CRYPTO:2 x INLINE:xxx;inline:xxx\r\n"));
	assert_non_null(strstr(a, "a=x:inline:ok"));
	assert_non_null(strstr(a, "y inline:xxx"));
}

UT_MAIN(UT(lines_are_read), UT(what_changes_packets_in_unknown_ways_is_not_taken), UT(broken_lines_are_refused), UT(what_is_written_is_read),
        UT(policy_decides), UT(the_first_acceptable_line_is_taken), UT(keys_with_names), UT(no_keys_over_an_open_line), UT(suites_may_be_fewer),
        UT(a_key_stays_as_long_as_it_can), UT(offers_what_it_has), UT(answers_are_judged), UT(tells_what_was_offered),
        UT(a_call_goes_on_by_its_profile_and_strangers_get_other_keys), UT(keys_are_struck_out))
