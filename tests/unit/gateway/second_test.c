/* SPDX-License-Identifier: Apache-2.0 */
/* When silence is asked about in another way, and in which. */
#include "ut.h"
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "gateway/gateway_private.h"

static struct trust_facts *silent_pool(void)
{
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, TRUST_DIALLED, TRUST_TLS, 1700000000);
	f->tls.done = true;
	facts_sip_sent(f, TEXT("OPTIONS"));
	return f;
}

static void only_an_end_after_a_good_handshake_is_doubtful(void **state)
{
	(void)state;
	static const enum trust_end ends[] = { TRUST_CLOSE_NOTIFY, TRUST_FIN, TRUST_RST, TRUST_TIMED_OUT };
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct trust_facts *f = silent_pool();
		facts_closed(f, ends[i], 0, 5);
		assert_true(gw_second_wanted(f));
		facts_sip_answer(f, 403, TEXT("Forbidden"));
		assert_false(gw_second_wanted(f)); /* an answer is no silence */
		mem_free(f);
	}
	struct trust_facts *f = silent_pool();
	f->tls.done = false;
	facts_closed(f, TRUST_FIN, 0, 5);
	assert_false(gw_second_wanted(f)); /* the handshake itself failed: that says why */
	f->tls.done = true;
	f->transport = TRUST_TCP;
	assert_false(gw_second_wanted(f)); /* without TLS no name was judged */
	f->transport = TRUST_TLS;
	f->role = TRUST_ACCEPTED;
	assert_false(gw_second_wanted(f));
	mem_free(f);
}

static struct trust_identity *identity_from(const char *name, const char *cn, long from_s)
{
	struct trust_identity *id = NULL;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), from_s);
	X509_gmtime_adj(X509_getm_notAfter(x), from_s + 86400);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(trust_identity_from(&id, name, x, NULL, key, NULL), 0);
	X509_free(x);
	EVP_PKEY_free(key);
	return id;
}

static void add_from(struct trust_set *s, const char *name, const char *cn, long from_s)
{
	struct trust_identity *id = identity_from(name, cn, from_s);
	assert_int_equal(trust_set_identity(s, id), 0);
	mem_unref(id);
}

static void add(struct trust_set *s, const char *name, const char *cn)
{
	add_from(s, name, cn, -60); /* well before the moment that was noted: a second may end in between */
}

static void another_name_is_tried_preferably_our_own(void **state)
{
	(void)state;
	const char *name = NULL, *cn = NULL;
	struct trust_facts *f = silent_pool();
	f->now_s = time(NULL);
	facts_us(f, "node01", "node01.example.com", "um.example.com");
	struct trust_set *s = NULL;
	assert_int_equal(trust_set_create(&s), 0);
	assert_false(gw_second_identity(s, "", f, &name, &cn));
	add(s, "shared", "um.example.com");
	assert_false(gw_second_identity(s, "", f, &name, &cn));
	add(s, "twin", "um.example.com");
	assert_false(gw_second_identity(s, "", f, &name, &cn)); /* the same name again would tell nothing */
	add(s, "old", "old.example.com");
	assert_true(gw_second_identity(s, "", f, &name, &cn));
	assert_string_equal(name, "old");
	add(s, "own", "NODE01.example.com");
	assert_true(gw_second_identity(s, "shared", f, &name, &cn));
	assert_string_equal(name, "own");
	assert_true(gw_second_identity(s, "own", f, &name, &cn));
	assert_string_not_equal(name, "own");
	mem_unref(s);
	assert_false(gw_second_identity(NULL, "", f, &name, &cn));
	mem_free(f);
}

/* What the peer would refuse in the handshake already is the last choice, and what it knows is the first. */
static void a_usable_and_known_name_goes_first(void **state)
{
	(void)state;
	const char *name = NULL, *cn = NULL;
	struct trust_facts *f = silent_pool();
	struct trust_set *s = NULL;
	f->now_s = time(NULL);
	facts_us(f, "node01", "node01.example.com", "um.example.com");
	assert_int_equal(trust_set_create(&s), 0);
	add(s, "shared", "um.example.com");
	add_from(s, "expired", "node01.example.com", -200000);
	assert_true(gw_second_identity(s, "shared", f, &name, &cn));
	assert_string_equal(name, "expired"); /* better than nothing */
	add(s, "own", "node01.example.com");
	add_from(s, "early", "node01.example.com", 90000);
	assert_true(gw_second_identity(s, "shared", f, &name, &cn));
	assert_string_equal(name, "own");
	add(s, "legacy", "exch01.example.com");
	facts_judges(f, "cn-known-servers", TRUST_RULE_CN_ONLY);
	facts_judges_name(f, "exch01.example.com");
	assert_true(gw_second_identity(s, "shared", f, &name, &cn));
	assert_string_equal(name, "legacy");
	mem_unref(s);
	mem_free(f);
}

static void an_answer_weighs_most_and_no_connection_least(void **state)
{
	(void)state;
	struct trust_second now = { .kind = TRUST_SECOND_NONE };
	assert_true(gw_second_better(&now, TRUST_SECOND_FAILED));
	now.kind = TRUST_SECOND_IDENTITY;
	now.outcome = TRUST_SECOND_FAILED;
	assert_true(gw_second_better(&now, TRUST_SECOND_SILENT));
	now.outcome = TRUST_SECOND_CLOSED;
	assert_false(gw_second_better(&now, TRUST_SECOND_SILENT));
	assert_true(gw_second_better(&now, TRUST_SECOND_ANSWERED));
	now.outcome = TRUST_SECOND_ANSWERED;
	assert_false(gw_second_better(&now, TRUST_SECOND_CLOSED));
}

static void outcomes_are_told_apart(void **state)
{
	(void)state;
	struct trust_facts *f = silent_pool();
	struct sip_result res = { .outcome = SIP_ANSWERED, .status = 200, .facts = f };
	assert_int_equal(gw_second_outcome(&res), TRUST_SECOND_ANSWERED);
	res.outcome = SIP_TIMEOUT;
	assert_int_equal(gw_second_outcome(&res), TRUST_SECOND_SILENT);
	res.outcome = SIP_FAILED;
	res.err = ECONNREFUSED;
	f->tls.done = false;
	assert_int_equal(gw_second_outcome(&res), TRUST_SECOND_FAILED);
	f->tls.done = true;
	facts_closed(f, TRUST_RST, 0, 3);
	assert_int_equal(gw_second_outcome(&res), TRUST_SECOND_CLOSED);
	mem_free(f);
}

UT_MAIN(UT(only_an_end_after_a_good_handshake_is_doubtful), UT(another_name_is_tried_preferably_our_own), UT(a_usable_and_known_name_goes_first), UT(an_answer_weighs_most_and_no_connection_least),
        UT(outcomes_are_told_apart))
