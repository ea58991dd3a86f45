/* SPDX-License-Identifier: Apache-2.0 */
/* Digest: the sums of RFC 7616's example, challenges that are and are not answered, and what the other side makes of answers. */
#include <errno.h>
#include <string.h>
#include "sip/digest.h"
#include "support/ut.h"

static const uint8_t key[SIP_NONCE_KEY_BYTES] = { 1, 2, 3 };
static const struct sip_login mufasa = { "Mufasa", "Circle of Life", "http-auth@example.org" };

/* RFC 7616 3.9.1; the third is computed by Python's hashlib, as the RFC's own example is of another sum. */
static void the_sums_are_those_of_the_rfc(void **state)
{
	static const char *const alg[] = { "MD5", "SHA-256", "SHA-512-256" };
	static const char *const response[] = { "8ca523f5e9506fed4657c9700eebdbec", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
		                                "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0" };
	char value[400];
	struct sip_challenge c;
	struct buf b;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		snprintf(value, sizeof(value),
		         "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=%s, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
		         "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"", alg[i]);
		assert_int_equal(sip_challenge_parse(&c, text_of(value)), 0);
		buf_init(&b, 2048);
		assert_int_equal(sip_digest_answer(&b, &c, &mufasa, TEXT("GET"), TEXT("/dir/index.html"), "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"), 0);
		if (!strstr(buf_cstr(&b), response[i]))
			fail_msg("%s: %s", alg[i], buf_cstr(&b));
		assert_non_null(strstr(buf_cstr(&b), "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""));
		assert_non_null(strstr(buf_cstr(&b), "qop=auth, nc=00000001, cnonce=\"f2/"));
		buf_free(&b);
	}
}

static void challenges(void **state)
{
	static const struct {
		const char *value;
		int err;
	} row[] = {
		{ "Digest realm=\"r\", nonce=\"n\"", 0 },
		{ "digest  nonce=\"n\" ,realm=\"\",stale=TRUE", 0 },
		{ "Digest realm=\"a, b\", nonce=\"n\", algorithm=md5", 0 },
		{ "Digest realm=\"r\"", EBADMSG },
		{ "Digest nonce=\"n\"", EBADMSG },
		{ "Digest realm=\"r\", nonce=\"\"", EBADMSG },
		{ "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1", ENOTSUP },
		{ "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess", ENOTSUP },
		{ "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", ENOTSUP },
		{ "Basic realm=\"r\"", ENOTSUP },
		{ "NTLM realm=\"SIP Communications Service\", targetname=\"x\"", ENOTSUP },
		{ "", ENOTSUP },
		{ "Digest", EBADMSG },
	};
	struct sip_challenge c;

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++)
		if (sip_challenge_parse(&c, text_of(row[i].value)) != row[i].err)
			fail_msg("%s", row[i].value);
	assert_int_equal(sip_challenge_parse(&c, text_of(row[1].value)), 0);
	assert_true(c.stale);
	assert_int_equal(sip_challenge_parse(&c, text_of(row[2].value)), 0);
	assert_true(text_is(c.realm, "a, b"));
}

/* An answer to a challenge of ours, as the peer would make it. */
static void reply(struct buf *b, enum sip_digest_alg alg, const struct sip_login *who, const char *nonce, const char *uri)
{
	struct sip_challenge c = { .realm = text_of(who->realm), .nonce = text_of(nonce), .alg = alg, .qop_auth = true };

	buf_init(b, 2048);
	assert_int_equal(sip_digest_answer(b, &c, who, TEXT("INVITE"), text_of(uri), "abc"), 0);
}

static void what_we_make_of_answers(void **state)
{
	static const struct sip_login wrong[] = { { "Mufasa", "circle of life", "http-auth@example.org" }, { "mufasa", "Circle of Life", "http-auth@example.org" } };
	const struct sip_login elsewhere = { "Mufasa", "Circle of Life", "elsewhere" };
	char nonce[SIP_NONCE_SIZE], other[SIP_NONCE_SIZE];
	struct buf b;

	(void)state;
	assert_int_equal(sip_nonce_make(nonce, key, 1000, "pool"), 0);
	assert_int_equal(sip_nonce_make(other, key, 1000, "another pool"), 0);
#define CHECK(at, scope) sip_digest_check(buf_as_text(&b), &mufasa, TEXT("INVITE"), TEXT("sip:100@b"), key, at, scope)
	for (int alg = 0; alg < SIP_DIGEST_ALGS; alg++) {
		reply(&b, (enum sip_digest_alg)alg, &mufasa, nonce, "sip:100@b");
		assert_int_equal(CHECK(1000, "pool"), SIP_DIGEST_GOOD);
		assert_int_equal(CHECK(1000 + SIP_NONCE_S, "pool"), SIP_DIGEST_GOOD);
		assert_int_equal(CHECK(1001 + SIP_NONCE_S, "pool"), SIP_DIGEST_STALE);
		assert_int_equal(CHECK(900, "pool"), SIP_DIGEST_STALE);
		assert_int_equal(CHECK(1000, "another pool"), SIP_DIGEST_WRONG);
		assert_int_equal(sip_digest_check(buf_as_text(&b), &mufasa, TEXT("BYE"), TEXT("sip:100@b"), key, 1000, "pool"), SIP_DIGEST_WRONG);
		assert_int_equal(sip_digest_check(buf_as_text(&b), &mufasa, TEXT("INVITE"), TEXT("sip:101@b"), key, 1000, "pool"), SIP_DIGEST_WRONG);
		buf_free(&b);
		for (unsigned i = 0; i < 2; i++) {
			reply(&b, (enum sip_digest_alg)alg, &wrong[i], nonce, "sip:100@b");
			assert_int_equal(CHECK(1000, "pool"), SIP_DIGEST_WRONG);
			buf_free(&b);
		}
		reply(&b, (enum sip_digest_alg)alg, &elsewhere, nonce, "sip:100@b");
		assert_int_equal(CHECK(1000, "pool"), SIP_DIGEST_NONE);
		buf_free(&b);
		reply(&b, (enum sip_digest_alg)alg, &mufasa, other, "sip:100@b");
		assert_int_equal(CHECK(1000, "pool"), SIP_DIGEST_WRONG);
		buf_free(&b);
		reply(&b, (enum sip_digest_alg)alg, &mufasa, "ffffffffffffffffffffffff.00", "sip:100@b");
		assert_int_equal(CHECK(1000, "pool"), SIP_DIGEST_WRONG);
		buf_free(&b);
	}
	static const char *const rubbish[] = { "", "Digest", "Basic abc", "Digest realm=\"http-auth@example.org\"",
		                               "Digest realm=\"http-auth@example.org\", qop=auth, username=\"Mufasa\", uri=\"sip:100@b\"",
		                               "Digest realm=\"http-auth@example.org\", nonce=\"" };
	for (unsigned i = 0; i < sizeof(rubbish) / sizeof(*rubbish); i++)
		assert_int_not_equal(sip_digest_check(text_of(rubbish[i]), &mufasa, TEXT("INVITE"), TEXT("sip:100@b"), key, 1000, "pool"), SIP_DIGEST_GOOD);
}

static void nothing_leaves_its_quotes(void **state)
{
	struct sip_challenge c = { .realm = TEXT("r"), .nonce = TEXT("n\\\""), .alg = SIP_DIGEST_MD5 };
	struct buf b;

	(void)state;
	buf_init(&b, 2048);
	assert_int_equal(sip_digest_answer(&b, &c, &mufasa, TEXT("INVITE"), TEXT("sip:a"), "x"), EINVAL);
	c.nonce = TEXT("n");
	c.opaque = TEXT("a\r\nb");
	assert_int_equal(sip_digest_answer(&b, &c, &mufasa, TEXT("INVITE"), TEXT("sip:a"), "x"), EINVAL);
	assert_int_equal(b.n, 0);
	buf_free(&b);
}

UT_MAIN(UT(the_sums_are_those_of_the_rfc), UT(challenges), UT(what_we_make_of_answers), UT(nothing_leaves_its_quotes))
