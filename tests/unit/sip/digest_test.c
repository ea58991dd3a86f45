/* SPDX-License-Identifier: Apache-2.0 */
/* Digest: the sums of RFC 7616's example, challenges that are and are not answered, and what the other side makes of answers. */
#include <errno.h>
#include <string.h>
#include "sip/digest.h"
#include "support/ut.h"

static const uint8_t key[SIP_NONCE_KEY_BYTES] = { 1, 2, 3 };
static const struct sip_login mufasa = { "Mufasa", "Circle of Life", "http-auth@example.org" };

#define CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

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
		const struct sip_digest_of of = { TEXT("GET"), TEXT("/dir/index.html"), TEXT("not counted") };
		assert_int_equal(sip_digest_answer(&b, &c, &mufasa, &of, 1, CNONCE), 0);
		if (!strstr(buf_cstr(&b), response[i]))
			fail_msg("%s: %s", alg[i], buf_cstr(&b));
		assert_non_null(strstr(buf_cstr(&b), "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""));
		assert_non_null(strstr(buf_cstr(&b), "qop=auth, nc=00000001, cnonce=\"f2/"));
		buf_free(&b);
	}
}

/* By Python's hashlib, with the names and nonces of RFC 7616 3.9.1: it has no example of these. */
static void integrity_and_session_keys(void **state)
{
	static const struct {
		const char *alg, *qop, *response, *rspauth;
	} row[] = {
		{ "MD5", "auth", "71b475cb7386094f8e8f958e1edcf61a", "85fca94c0bb90b035d59f19b0782cf67" },
		{ "MD5", "auth-int", "acf5736c8427a6b215171963e773a411", "084b26f6e9a03171f86407874b258c7e" },
		{ "MD5-sess", "auth", "9bf81c788d36cc0432d06a799a71f22a", "e377b48b8ecd8a2938da13e85a3a7ba7" },
		{ "SHA-256", "auth-int", "956b6ae5fb0d0a03309e613e4e036e44d30d13ece063c520c484a53b68d4d968", "0af97e191cc5eaace7079cad7f8213dbc6cfd9545d55cf362ea36a3290e5b207" },
		{ "SHA-256-sess", "auth-int", "b56fa4d238b6bec255676897377f1127b312ba5d8fa0a7e2e76810caa379f777", "9627fc1ff3a5f9e248ac24e866f1d5f8d3205f051b0435616fe65a4bd2ae7551" },
		{ "SHA-512-256-sess", "auth", "49ee68532d4f1ca2532be4fcebb16341afecbf9e83d6c55711d619202262b83c", "77cb6e191b6bd5114d5b93229d5a6dc9d8dd304b89146e21145a23ba462173f1" },
		{ "SHA-512-256", "auth-int", "57f4661896a41bcbddf42ae500427174414e302d3121ec14bb9fa18366fedb4c", "8deaeb8ae83310a5efdc166060bc41cdd35d465695aac2ae6853753de743f5bd" },
	};
	const struct sip_digest_of of = { TEXT("INVITE"), TEXT("sip:200@b"), TEXT("v=0\r\n") };
	struct sip_digest_info info;
	struct sip_challenge c;
	char value[400], said[1024];
	struct buf b;

	(void)state;
	buf_init(&b, 2048);
	for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++) {
		snprintf(value, sizeof(value), "Digest realm=\"http-auth@example.org\", qop=\"%s\", algorithm=%s, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"", row[i].qop,
		         row[i].alg);
		assert_int_equal(sip_challenge_parse(&c, text_of(value)), 0);
		buf_clear(&b);
		assert_int_equal(sip_digest_answer(&b, &c, &mufasa, &of, 1, CNONCE), 0);
		snprintf(said, sizeof(said), "response=\"%s\", algorithm=%s, qop=%s, nc=00000001", row[i].response, row[i].alg, row[i].qop);
		if (!strstr(buf_cstr(&b), said))
			fail_msg("wanted %s in %s", said, buf_cstr(&b));
		/* and what its answer proves, counted to ten */
		buf_clear(&b);
		assert_int_equal(sip_digest_answer(&b, &c, &mufasa, &of, 10, CNONCE), 0);
		snprintf(said, sizeof(said), "%s", buf_cstr(&b));
		snprintf(value, sizeof(value), "nextnonce=\"next\", qop=%s, rspauth=\"%s\", nc=0000000a", row[i].qop, row[i].rspauth);
		assert_int_equal(sip_digest_info(&info, text_of(value), text_of(said), &mufasa, TEXT("ok")), 0);
		assert_true(info.proven && !info.wrong && text_is(info.nextnonce, "next"));
		assert_int_equal(sip_digest_info(&info, text_of(value), text_of(said), &mufasa, TEXT("changed")), 0);
		assert_int_equal(info.wrong, strcmp(row[i].qop, "auth-int") == 0);
		value[strlen(value) - 16] ^= 1;
		assert_int_equal(sip_digest_info(&info, text_of(value), text_of(said), &mufasa, TEXT("ok")), 0);
		assert_true(info.wrong && !info.proven);
	}
	assert_int_equal(sip_digest_info(&info, TEXT("nextnonce=\"n2\""), text_of(said), &mufasa, TEXT_NONE), 0);
	assert_true(!info.proven && !info.wrong && text_is(info.nextnonce, "n2"));
	const struct sip_login elsewhere = { "Mufasa", "Circle of Life", "elsewhere" };
	assert_int_equal(sip_digest_info(&info, TEXT("nextnonce=\"n2\""), text_of(said), &elsewhere, TEXT_NONE), ENOTSUP);
	buf_free(&b);
}

/* What is kept of a challenge says the same again, with the nonce that was handed out. */
static void a_challenge_is_kept(void **state)
{
	struct sip_challenge c, again;
	struct buf b;

	(void)state;
	buf_init(&b, 2048);
	assert_int_equal(sip_challenge_parse(&c, TEXT("Digest realm=\"a b\", nonce=\"n\", opaque=\"\", qop=\"auth-int,auth\", algorithm=SHA-256-sess, stale=true")), 0);
	assert_int_equal(sip_challenge_put(&b, &c, TEXT_NONE), 0);
	assert_string_equal(buf_cstr(&b), "Digest realm=\"a b\", nonce=\"n\", algorithm=SHA-256-sess, qop=\"auth, auth-int\", opaque=\"\"");
	buf_clear(&b);
	assert_int_equal(sip_challenge_put(&b, &c, TEXT("n2")), 0);
	assert_int_equal(sip_challenge_parse(&again, buf_as_text(&b)), 0);
	assert_true(text_is(again.nonce, "n2") && again.sess && again.alg == SIP_DIGEST_SHA256 && !again.stale);
	assert_int_equal(sip_challenge_put(&b, &c, TEXT("n\"2")), EINVAL);
	buf_free(&b);
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
		{ "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess", 0 },
		{ "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1-sess", ENOTSUP },
		{ "Digest realm=\"r\", nonce=\"n\", algorithm=-sess", ENOTSUP },
		{ "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", 0 },
		{ "Digest realm=\"r\", nonce=\"n\", qop=\"auth-conf\"", ENOTSUP },
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
	const struct sip_digest_of of = { TEXT("INVITE"), text_of(uri), TEXT_NONE };

	buf_init(b, 2048);
	assert_int_equal(sip_digest_answer(b, &c, who, &of, 1, "abc"), 0);
}

static void what_we_make_of_answers(void **state)
{
	static const struct sip_login wrong[] = { { "Mufasa", "circle of life", "http-auth@example.org" }, { "mufasa", "Circle of Life", "http-auth@example.org" } };
	const struct sip_login elsewhere = { "Mufasa", "Circle of Life", "elsewhere" };
	char nonce[SIP_NONCE_SIZE], other[SIP_NONCE_SIZE];
	struct buf b;

	(void)state;
	assert_int_equal(sip_nonce_make(nonce, key, 1000, "pool"), 0);
	assert_int_equal(sip_nonce_make(other, key, 1000, "pool"), 0);
	assert_string_not_equal(nonce, other); /* of one second, yet each has its own count of uses */
	assert_int_equal(sip_nonce_make(other, key, 1000, "another pool"), 0);
	const struct sip_digest_of invite = { TEXT("INVITE"), TEXT("sip:100@b"), TEXT("body") }, bye = { TEXT("BYE"), TEXT("sip:100@b"), TEXT_NONE },
				   other_uri = { TEXT("INVITE"), TEXT("sip:101@b"), TEXT_NONE };
	struct sip_digest_used used;
#define CHECK(at, scope) sip_digest_check(buf_as_text(&b), &mufasa, &invite, key, at, scope, &used)
	for (int alg = 0; alg < SIP_DIGEST_ALGS; alg++) {
		reply(&b, (enum sip_digest_alg)alg, &mufasa, nonce, "sip:100@b");
		assert_int_equal(CHECK(1000, "pool"), SIP_DIGEST_GOOD);
		assert_int_equal(CHECK(1000 + SIP_NONCE_S, "pool"), SIP_DIGEST_GOOD);
		assert_int_equal(CHECK(1001 + SIP_NONCE_S, "pool"), SIP_DIGEST_STALE);
		assert_int_equal(CHECK(900, "pool"), SIP_DIGEST_STALE);
		assert_int_equal(CHECK(1000, "another pool"), SIP_DIGEST_WRONG);
		assert_int_equal(sip_digest_check(buf_as_text(&b), &mufasa, &bye, key, 1000, "pool", &used), SIP_DIGEST_WRONG);
		assert_int_equal(sip_digest_check(buf_as_text(&b), &mufasa, &other_uri, key, 1000, "pool", &used), SIP_DIGEST_WRONG);
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
		assert_int_not_equal(sip_digest_check(text_of(rubbish[i]), &mufasa, &invite, key, 1000, "pool", &used), SIP_DIGEST_GOOD);
}

/* auth-int: the body is what was sent; and our proof in turn holds with the body of the answer. */
static void bodies_are_proven_both_ways(void **state)
{
	const struct sip_digest_of sent = { TEXT("INVITE"), TEXT("sip:100@b"), TEXT("v=0") }, changed = { TEXT("INVITE"), TEXT("sip:100@b"), TEXT("v=1") };
	struct sip_digest_used used;
	struct sip_digest_info info;
	char nonce[SIP_NONCE_SIZE];
	struct buf said, proof;

	(void)state;
	buf_init(&said, 2048);
	buf_init(&proof, 2048);
	assert_int_equal(sip_nonce_make(nonce, key, 1000, "pool"), 0);
	struct sip_challenge c = { .realm = text_of(mufasa.realm), .nonce = text_of(nonce), .alg = SIP_DIGEST_SHA512_256, .qop_int = true };
	assert_int_equal(sip_digest_answer(&said, &c, &mufasa, &sent, 0x1f, "abc"), 0);
	assert_non_null(strstr(buf_cstr(&said), "qop=auth-int, nc=0000001f"));
	assert_int_equal(sip_digest_check(buf_as_text(&said), &mufasa, &sent, key, 1000, "pool", &used), SIP_DIGEST_GOOD);
	assert_int_equal(used.count, 0x1f);
	assert_int_equal(used.made_s, 1000);
	assert_true(text_is(used.nonce, nonce));
	assert_int_equal(sip_digest_check(buf_as_text(&said), &mufasa, &changed, key, 1000, "pool", &used), SIP_DIGEST_WRONG);
	assert_int_equal(sip_digest_proof(&proof, buf_as_text(&said), &mufasa, TEXT("answer"), "next"), 0);
	assert_int_equal(sip_digest_info(&info, buf_as_text(&proof), buf_as_text(&said), &mufasa, TEXT("answer")), 0);
	assert_true(info.proven && text_is(info.nextnonce, "next"));
	assert_int_equal(sip_digest_info(&info, buf_as_text(&proof), buf_as_text(&said), &mufasa, TEXT("another")), 0);
	assert_true(info.wrong);
	/* a session key is in no challenge of ours */
	buf_clear(&said);
	c.sess = true;
	assert_int_equal(sip_digest_answer(&said, &c, &mufasa, &sent, 1, "abc"), 0);
	assert_int_equal(sip_digest_check(buf_as_text(&said), &mufasa, &sent, key, 1000, "pool", &used), SIP_DIGEST_NONE);
	buf_free(&said);
	buf_free(&proof);
}

static void nothing_leaves_its_quotes(void **state)
{
	struct sip_challenge c = { .realm = TEXT("r"), .nonce = TEXT("n\\\""), .alg = SIP_DIGEST_MD5 };
	struct buf b;

	(void)state;
	buf_init(&b, 2048);
	const struct sip_digest_of of = { TEXT("INVITE"), TEXT("sip:a"), TEXT_NONE };
	assert_int_equal(sip_digest_answer(&b, &c, &mufasa, &of, 1, "x"), EINVAL);
	c.nonce = TEXT("n");
	c.opaque = TEXT("a\r\nb");
	assert_int_equal(sip_digest_answer(&b, &c, &mufasa, &of, 1, "x"), EINVAL);
	assert_int_equal(b.n, 0);
	buf_free(&b);
}

UT_MAIN(UT(the_sums_are_those_of_the_rfc), UT(integrity_and_session_keys), UT(a_challenge_is_kept), UT(bodies_are_proven_both_ways), UT(challenges), UT(what_we_make_of_answers), UT(nothing_leaves_its_quotes))
