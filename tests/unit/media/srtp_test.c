/* SPDX-License-Identifier: Apache-2.0 */
/* srtp_test.c  SRTP by the vectors of its RFCs, and what a receiver must refuse. The code itself is included: some vectors begin at session keys,
 * which nobody outside is to set or see. */
#include "media/srtp.c"
#include "ut.h"
#include <stdlib.h>

static size_t hex(uint8_t *dst, const char *s)
{
	size_t n = 0;
	for (; *s; s++) {
		if (*s == ' ')
			continue;
		char two[3] = { s[0], s[1], 0 };
		dst[n++] = (uint8_t)strtoul(two, NULL, 16);
		s++;
	}
	return n;
}

static void is_hex(const uint8_t *p, size_t n, const char *s)
{
	uint8_t want[512];
	size_t m = hex(want, s);
	assert_int_equal(n, m);
	assert_memory_equal(p, want, n);
}

static struct srtp *make(enum srtp_suite suite, const char *bytes, bool send)
{
	struct srtp_key key = { .suite = suite };
	struct srtp *s;
	assert_int_equal(hex(key.bytes, bytes), srtp_suite_bytes(suite));
	assert_int_equal(srtp_new(&s, &key, send), 0);
	return s;
}

#define MASTER_128 "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6"
#define MASTER_256 "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6 3b04803de51ee7c96423ab5b78d2"

/* RFC 3711 B.3, RFC 6188 7.2 and 7.4: session keys. */
static void derives(enum srtp_suite suite, const char *master, const char *cipher_key, const char *salt, const char *auth)
{
	struct srtp_key key = { .suite = suite };
	uint8_t out[64];
	unsigned n = suites[suite].key;
	hex(key.bytes, master);
	EVP_CIPHER_CTX *prf = EVP_CIPHER_CTX_new();
	assert_true(EVP_EncryptInit_ex(prf, cipher(false, n), NULL, key.bytes, NULL));
	assert_true(derive(prf, key.bytes + n, SALT, 0, out, (int)n));
	is_hex(out, n, cipher_key);
	assert_true(derive(prf, key.bytes + n, SALT, 2, out, SALT));
	is_hex(out, SALT, salt);
	assert_true(derive(prf, key.bytes + n, SALT, 1, out, AUTH_KEY));
	is_hex(out, AUTH_KEY, auth);
	EVP_CIPHER_CTX_free(prf);
}

static void session_keys_are_those_of_the_rfcs(void **state)
{
	(void)state;
	derives(SRTP_AES_CM_128_80, MASTER_128, "c61e7a93744f39ee10734afe3ff7a087", "30cbbc08863d8c85d49db34a9ae1",
	        "cebe321f6ff7716b6fd4ab49af256a156d38baa4");
	derives(SRTP_AES_CM_256_80, MASTER_256, "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
	        "fa31791685ca444a9e07c6c64e93", "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05");
}

/* The same with other session keys: vectors that begin there. */
static void rekey(struct half *h, const struct srtp *s, const char *key, const char *salt)
{
	uint8_t k[32];
	size_t n = hex(k, key);
	assert_true(EVP_CipherInit_ex(h->aes, cipher(s->gcm, (unsigned)n), NULL, k, NULL, !s->gcm || s->send));
	hex(h->salt, salt);
}

/* RFC 3711 B.2, RFC 6188 7.1: the stream of keys, here over zeros; SSRC 0, index 0. */
static void key_stream(enum srtp_suite suite, const char *master, const char *key, const char *first, const char *last)
{
	static uint8_t zeros[0xff02 * 16], out[0xff02 * 16];
	struct srtp *s = make(suite, master, true);
	rekey(&s->rtp, s, key, "f0f1f2f3f4f5f6f7f8f9fafbfcfd");
	assert_true(counter_mode(&s->rtp, 0, 0, out, zeros, sizeof zeros));
	is_hex(out, 48, first);
	is_hex(out + 0xfeff * 16, 48, last);
	mem_unref(s);
}

static void the_stream_of_keys_is_that_of_the_rfcs(void **state)
{
	(void)state;
	key_stream(SRTP_AES_CM_128_80, MASTER_128, "2b7e151628aed2a6abf7158809cf4f3c",
	           "e03ead0935c95e80e166b16dd92b4eb4 d23513162b02d0f72a43a2fe4a5f97ab 41e95b3bb0a2e8dd477901e4fca894c0",
	           "ec8cdf7398607cb0f2d21675ea9ea1e4 362b7c3c6773516318a077d7fc5073ae 6a2cc3787889374fbeb4c81b17ba6c44");
	key_stream(SRTP_AES_CM_256_80, MASTER_256, "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
	           "92bdd28a93c3f52511c677d08b5515a4 9da71b2378a854f67050756ded165bac 63c4868b7096d88421b563b8c94c9a31",
	           "cea518c90fd91ced9cbb18c078a54711 3dbc4814f4da5f00a08772b63c6a046d 6eb246913062a16891433e97dd01a57f");
}

/* A whole packet, as libsrtp checks itself with. */
static void a_packet_in_counter_mode(void **state)
{
	(void)state;
	uint8_t p[128];
	size_t n = hex(p, "800f1234decafbadcafebabe abababababababababababababababab"), total;
	struct srtp *tx = make(SRTP_AES_CM_128_80, MASTER_128, true), *rx = make(SRTP_AES_CM_128_80, MASTER_128, false);
	assert_int_equal(srtp_seal(tx, p, 12, p + 12, n - 12, &total), 0);
	is_hex(p, total, "800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
	assert_int_equal(srtp_open(rx, p, &total), 0);
	is_hex(p, total, "800f1234decafbadcafebabe abababababababababababababababab");
	mem_unref(tx);
	mem_unref(rx);
}

#define GALLIA "47616c6c696120657374206f6d6e697320646976697361 20696e207061727465732074726573"
#define QUID "517569642070726f2071756f"
#define HEAD "8040f17b8041f8d35501a0b2"
#define KEY_16 "000102030405060708090a0b0c0d0e0f"
#define KEY_32 KEY_16 "101112131415161718191a1b1c1d1e1f"

/* RFC 7714 16.1, 16.2 */
static void gcm_packet(enum srtp_suite suite, const char *key, const char *sealed)
{
	uint8_t p[128], plain[128];
	char master[128];
	size_t n = hex(p, HEAD GALLIA), total;
	memcpy(plain, p, n);
	snprintf(master, sizeof master, "%s%s", key, QUID);
	struct srtp *tx = make(suite, master, true), *rx = make(suite, master, false);
	rekey(&tx->rtp, tx, key, QUID);
	rekey(&rx->rtp, rx, key, QUID);
	assert_int_equal(srtp_seal(tx, p, 12, p + 12, n - 12, &total), 0);
	is_hex(p, total, sealed);
	assert_int_equal(srtp_open(rx, p, &total), 0);
	assert_int_equal(total, n);
	assert_memory_equal(p, plain, n);
	mem_unref(tx);
	mem_unref(rx);
}

static void packets_in_gcm(void **state)
{
	(void)state;
	gcm_packet(SRTP_AES_GCM_128, KEY_16, HEAD "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
	           "899d7f27beb16a9152cf765ee4390cce");
	gcm_packet(SRTP_AES_GCM_256, KEY_32, HEAD "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
	           "7aa3db36dfffd6b0f9bb7878d7a76c13");
}

/* RFC 7714 17.1: the index of that packet is 0x5d4. */
static void a_report_in_gcm(void **state)
{
	(void)state;
	uint8_t p[128];
	size_t n = hex(p, "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"), total;
	struct srtp *tx = make(SRTP_AES_GCM_128, KEY_16 QUID, true), *rx = make(SRTP_AES_GCM_128, KEY_16 QUID, false);
	rekey(&tx->rtcp, tx, KEY_16, QUID);
	rekey(&rx->rtcp, rx, KEY_16, QUID);
	note(&tx->rtcp.sources, NULL, 0x4d617273, 0x5d3);
	assert_int_equal(srtcp_seal(tx, p, n, &total), 0);
	is_hex(p, total, "81c8000d4d617273 63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b"
	       "c84aa45896cf4d2fc5abf87245d9eade800005d4");
	assert_int_equal(srtcp_open(rx, p, &total), 0);
	assert_int_equal(total, n);
	mem_unref(tx);
	mem_unref(rx);
}

/* ---- a conversation ---- */
struct line {
	struct srtp *tx, *rx;
	enum srtp_suite suite;
};

static struct srtp_key some_key(enum srtp_suite suite, uint8_t seed, uint8_t mki_bytes)
{
	struct srtp_key k = { .suite = suite, .mki_bytes = mki_bytes, .mki = mki_bytes };
	for (size_t i = 0; i < srtp_suite_bytes(suite); i++)
		k.bytes[i] = (uint8_t)(seed + i * 7);
	return k;
}

static void line_open(struct line *l, enum srtp_suite suite, uint8_t mki_bytes)
{
	struct srtp_key k = some_key(suite, 3, mki_bytes);
	l->suite = suite;
	assert_int_equal(srtp_new(&l->tx, &k, true), 0);
	assert_int_equal(srtp_new(&l->rx, &k, false), 0);
}

static void line_close(struct line *l)
{
	mem_unref(l->tx);
	mem_unref(l->rx);
}

static size_t packet(uint8_t *p, uint32_t ssrc, uint16_t seq, size_t payload)
{
	memset(p, 0, RTP_LEAST);
	p[0] = 0x80;
	p[2] = (uint8_t)(seq >> 8);
	p[3] = (uint8_t)seq;
	put32(p + 8, ssrc);
	for (size_t i = 0; i < payload; i++)
		p[RTP_LEAST + i] = (uint8_t)(seq + i);
	return RTP_LEAST + payload;
}

static size_t sealed(struct line *l, uint8_t *p, uint32_t ssrc, uint16_t seq)
{
	size_t n = packet(p, ssrc, seq, 160), total;
	assert_int_equal(srtp_seal(l->tx, p, RTP_LEAST, p + RTP_LEAST, n - RTP_LEAST, &total), 0);
	return total;
}

static void arrives(struct line *l, const uint8_t *sent, size_t n, uint32_t ssrc, uint16_t seq)
{
	uint8_t p[256], plain[256];
	memcpy(p, sent, n);
	assert_int_equal(srtp_open(l->rx, p, &n), 0);
	assert_int_equal(n, packet(plain, ssrc, seq, 160));
	assert_memory_equal(p, plain, n);
}

static int refused(struct line *l, const uint8_t *sent, size_t n)
{
	uint8_t p[256];
	memcpy(p, sent, n);
	return srtp_open(l->rx, p, &n);
}

static void repeated_and_old_packets_are_refused(void **state)
{
	(void)state;
	for (enum srtp_suite suite = 1; suite < SRTP_SUITES; suite++) {
		static uint8_t p[300][256];
		size_t n[300];
		struct line l;
		line_open(&l, suite, (uint8_t)(suite % 5));
		for (unsigned i = 0; i < 300; i++)
			n[i] = sealed(&l, p[i], 42, (uint16_t)(65400 + i)); /* over the edge of the sequence numbers */
		arrives(&l, p[0], n[0], 42, 65400);
		arrives(&l, p[2], n[2], 42, 65402);
		arrives(&l, p[1], n[1], 42, 65401);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(refused(&l, p[i], n[i]), EALREADY);
		for (unsigned i = 10; i < 300; i += 2)
			arrives(&l, p[i], n[i], 42, (uint16_t)(65400 + i));
		/* within the window the odd ones may still come, once */
		for (unsigned i = 299 - SRTP_WINDOW + 2; i < 299; i += 2)
			arrives(&l, p[i - i % 2 + 1], n[i - i % 2 + 1], 42, (uint16_t)(65400 + i - i % 2 + 1));
		assert_int_equal(refused(&l, p[169], n[169]), EALREADY);
		assert_int_equal(refused(&l, p[11], n[11]), EALREADY); /* too long ago */
		line_close(&l);
	}
}

static void the_roll_over_counter_goes_on(void **state)
{
	(void)state;
	struct line l;
	uint8_t p[256], before[256], last[256];
	line_open(&l, SRTP_AES_CM_128_80, 0);
	size_t n_before = 0, n_last = 0;
	for (uint32_t i = 0; i < 200000; i += 997) { /* three times round, most of it lost */
		size_t n = sealed(&l, p, 7, (uint16_t)i);
		if (n_before) { /* the one before comes late, also over the edge */
			arrives(&l, p, n, 7, (uint16_t)i);
			arrives(&l, before, n_before, 7, (uint16_t)(i - 50));
			assert_int_equal(refused(&l, before, n_before), EALREADY);
		} else {
			arrives(&l, p, n, 7, (uint16_t)i);
		}
		memcpy(last, p, n);
		n_last = n;
		n_before = sealed(&l, before, 7, (uint16_t)(i + 947));
	}
	assert_int_equal(refused(&l, last, n_last), EALREADY);
	assert_int_equal(source_of(&l.rx->rtp.sources, 7)->top >> 16, 199397 >> 16);
	line_close(&l);
}

static void changed_packets_are_refused(void **state)
{
	(void)state;
	for (enum srtp_suite suite = 1; suite < SRTP_SUITES; suite++) {
		struct line l;
		uint8_t p[256], q[256];
		line_open(&l, suite, 1);
		size_t n = sealed(&l, p, 9, 100), m;
		for (size_t bit = 0; bit < n * 8; bit++) {
			memcpy(q, p, n);
			q[bit / 8] ^= (uint8_t)(1 << (bit % 8));
			m = n;
			if (srtp_open(l.rx, q, &m) != EBADMSG)
				fail_msg("suite %u took bit %zu", suite, bit);
		}
		for (size_t cut = 0; cut < n; cut++) {
			memcpy(q, p, n);
			m = cut;
			assert_int_equal(srtp_open(l.rx, q, &m), EBADMSG);
		}
		arrives(&l, p, n, 9, 100); /* none of that did harm */
		line_close(&l);
	}
}

static void a_sequence_number_is_used_once(void **state)
{
	(void)state;
	struct line l;
	uint8_t p[256];
	size_t total;
	line_open(&l, SRTP_AES_GCM_128, 0);
	sealed(&l, p, 1, 500);
	size_t n = packet(p, 1, 500, 160);
	assert_int_equal(srtp_seal(l.tx, p, 12, p + 12, n - 12, &total), EINVAL);
	packet(p, 1, 499, 160);
	assert_int_equal(srtp_seal(l.tx, p, 12, p + 12, n - 12, &total), EINVAL);
	note(&l.tx->rtp.sources, source_of(&l.tx->rtp.sources, 1), 1, INDEX_MAX);
	packet(p, 1, 0, 160);
	assert_int_equal(srtp_seal(l.tx, p, 12, p + 12, n - 12, &total), EINVAL); /* the key is used up */
	note(&l.tx->rtcp.sources, NULL, 1, RTCP_INDEX_MAX);
	packet(p, 0, 0, 160);
	put32(p + 4, 1);
	assert_int_equal(srtcp_seal(l.tx, p, n, &total), EINVAL);
	line_close(&l);
}

static void so_many_sources_and_no_more(void **state)
{
	(void)state;
	struct line l;
	uint8_t p[256];
	line_open(&l, SRTP_AES_CM_128_32, 0);
	for (uint32_t i = 0; i < SRTP_SOURCES; i++)
		arrives(&l, p, sealed(&l, p, 100 + i, (uint16_t)(i * 9000)), 100 + i, (uint16_t)(i * 9000));
	struct line other;
	line_open(&other, SRTP_AES_CM_128_32, 0);
	size_t n = sealed(&other, p, 999, 1);
	assert_int_equal(refused(&l, p, n), ENOSPC);
	line_close(&other);
	n = sealed(&l, p, 103, 27001);
	arrives(&l, p, n, 103, 27001);
	line_close(&l);
}

static void a_new_key_knows_how_far_the_counter_was(void **state)
{
	(void)state;
	for (unsigned gcm = 0; gcm < 2; gcm++) {
		struct line l;
		uint8_t p[256];
		line_open(&l, gcm ? SRTP_AES_GCM_256 : SRTP_AES_CM_256_80, 0);
		note(&l.tx->rtp.sources, NULL, 5, (UINT64_C(3) << 16) + 70);
		struct srtp *was = l.rx;
		note(&was->rtp.sources, NULL, 5, (UINT64_C(3) << 16) + 60);
		struct srtp_key k = some_key(l.suite, 3, 0);
		assert_int_equal(srtp_new(&l.rx, &k, false), 0);
		size_t n = sealed(&l, p, 5, 71);
		assert_int_equal(refused(&l, p, n), EBADMSG);
		srtp_inherit(l.rx, was);
		arrives(&l, p, n, 5, 71);
		n = sealed(&l, p, 5, 72);
		arrives(&l, p, n, 5, 72);
		mem_unref(was);
		line_close(&l);
		/* and who begins anew is understood, too */
		line_open(&l, l.suite, 0);
		note(&l.rx->were, NULL, 5, (UINT64_C(3) << 16) + 60);
		n = sealed(&l, p, 5, 71);
		arrives(&l, p, n, 5, 71);
		line_close(&l);
	}
}

static void reports_there_and_back(void **state)
{
	(void)state;
	for (enum srtp_suite suite = 1; suite < SRTP_SUITES; suite++) {
		struct line l;
		uint8_t plain[64], p[128], q[128], first[128];
		size_t n, n_first = 0, m;
		line_open(&l, suite, 2);
		for (unsigned i = 0; i < 200; i++) {
			memset(plain, (int)i, sizeof plain);
			plain[0] = 0x80;
			put32(plain + 4, 7);
			memcpy(p, plain, sizeof plain);
			assert_int_equal(srtcp_seal(l.tx, p, sizeof plain, &n), 0);
			assert_true(n <= sizeof plain + SRTP_ROOM);
			if (!i)
				memcpy(first, p, n_first = n);
			for (size_t byte = 0; i == 3 && byte < n; byte++) {
				memcpy(q, p, n);
				q[byte] ^= 0x80;
				m = n;
				assert_true(srtcp_open(l.rx, q, &m) != 0);
			}
			for (size_t cut = 0; i == 3 && cut < n; cut++) {
				memcpy(q, p, n);
				m = cut;
				assert_true(srtcp_open(l.rx, q, &m) != 0);
			}
			memcpy(q, p, n);
			m = n;
			assert_int_equal(srtcp_open(l.rx, q, &m), 0);
			assert_int_equal(m, sizeof plain);
			assert_memory_equal(q, plain, sizeof plain);
			m = n;
			assert_int_equal(srtcp_open(l.rx, p, &m), EALREADY);
		}
		assert_int_equal(srtcp_open(l.rx, first, &n_first), EALREADY);
		line_close(&l);
	}
}

static void headers_with_more_in_them(void **state)
{
	(void)state;
	uint8_t p[128] = { 0x92, 0, 0, 1 }, plain[128];
	struct line l;
	p[23] = 1; /* two contributing sources, an extension of one word */
	assert_int_equal(srtp_head(p, 40), 12 + 8 + 4 + 4);
	assert_int_equal(srtp_head(p, 27), 0);
	assert_int_equal(srtp_head(p, 21), 0);
	assert_int_equal(srtp_head(p, 11), 0);
	memcpy(plain, p, sizeof plain);
	for (enum srtp_suite suite = 1; suite < SRTP_SUITES; suite++) {
		size_t total;
		line_open(&l, suite, 0);
		memcpy(p, plain, sizeof p);
		assert_int_equal(srtp_seal(l.tx, p, 28, plain + 28, 12, &total), 0);
		assert_memory_equal(p, plain, 28);
		assert_true(memcmp(p + 28, plain + 28, 12) != 0);
		assert_int_equal(srtp_open(l.rx, p, &total), 0);
		assert_int_equal(total, 40);
		assert_memory_equal(p, plain, 40);
		line_close(&l);
	}
}

static void names_and_keys(void **state)
{
	(void)state;
	struct srtp *s;
	for (enum srtp_suite i = 1; i < SRTP_SUITES; i++)
		assert_int_equal(srtp_suite_named(text_of(srtp_suite_name(i))), i);
	assert_int_equal(srtp_suite_named(TEXT("AES_CM_256_HMAC_SHA1_80")), SRTP_AES_CM_256_80);
	assert_int_equal(srtp_suite_named(TEXT("F8_128_HMAC_SHA1_80")), SRTP_NONE);
	assert_int_equal(srtp_suite_named(TEXT_NONE), SRTP_NONE);
	assert_true(srtp_suite_short_tag(SRTP_AES_CM_256_32) && !srtp_suite_short_tag(SRTP_AES_CM_256_80));
	struct srtp_key a = some_key(SRTP_AES_GCM_256, 1, 1), b = a;
	assert_true(srtp_key_equal(&a, &b));
	b.bytes[43] ^= 1;
	assert_false(srtp_key_equal(&a, &b));
	b = a;
	b.mki = 2;
	assert_false(srtp_key_equal(&a, &b));
	a.mki = 256;
	assert_int_equal(srtp_new(&s, &a, true), EINVAL);
	a.suite = SRTP_NONE;
	assert_int_equal(srtp_new(&s, &a, true), EINVAL);
}

static int creates(void *arg)
{
	struct srtp_key k = some_key(SRTP_AES_GCM_128, 1, 0);
	struct srtp *s;
	(void)arg;
	int err = srtp_new(&s, &k, true);
	if (!err)
		mem_unref(s);
	return err;
}

static void without_memory(void **state)
{
	(void)state;
	ut_oom(creates, NULL);
}

UT_MAIN(UT(session_keys_are_those_of_the_rfcs), UT(the_stream_of_keys_is_that_of_the_rfcs), UT(a_packet_in_counter_mode), UT(packets_in_gcm),
        UT(a_report_in_gcm), UT(repeated_and_old_packets_are_refused), UT(the_roll_over_counter_goes_on), UT(changed_packets_are_refused),
        UT(a_sequence_number_is_used_once), UT(so_many_sources_and_no_more), UT(a_new_key_knows_how_far_the_counter_was), UT(reports_there_and_back),
        UT(headers_with_more_in_them), UT(names_and_keys), UT(without_memory))
