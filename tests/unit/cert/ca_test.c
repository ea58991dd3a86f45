/* SPDX-License-Identifier: Apache-2.0 */
#include "cert/ca.h"
#include <errno.h>
#include <sys/stat.h>
#include "base/mem.h"
#include "cert_events.h"
#include "support/certs.h"
#include "trust/identity.h"
#include "trust/pem.h"
#include "trust/rule.h"
#include "trust/verify.h"
#include "ut.h"

struct site {
	char cert[256], key[256];
	struct clock_fake clock;
	struct buf root;
	struct ev_report why;
};

static void site_up(struct site *s, enum cert_key_kind kind)
{
	const char *dir = ut_tmpdir();
	memset(s, 0, sizeof *s);
	clock_fake_init(&s->clock, TC_NOW);
	buf_init(&s->root, TRUST_PEM_MAX);
	text_print(s->cert, sizeof s->cert, "%s/ca.pem", dir);
	text_print(s->key, sizeof s->key, "%s/ca.key", dir);
	struct cert_ca_prm prm = { .clock = &s->clock.clock, .cert_file = s->cert, .key_file = s->key, .cn = "Lab CA", .kind = kind };
	assert_int_equal(cert_ca_init(&prm, &s->root, &s->why), 0);
}

static int sign(struct site *s, struct buf *chain, struct text csr, const char *cdp)
{
	struct cert_sign_prm prm = { .clock = &s->clock.clock, .ca_cert_file = s->cert, .ca_key_file = s->key, .cdp_url = cdp };
	return cert_ca_sign(chain, csr, &prm, &s->why);
}

static bool accepted(struct site *s, struct buf *chain, const char *name, bool as_client)
{
	bool yes = false;
	struct trust_verify_prm prm = { .ca_pem = buf_as_text(&s->root), .chain_pem = buf_as_text(chain), .names = &name, .n_names = 1,
					.as_client = as_client, .time_s = TC_NOW, .depth = -1 };
	assert_int_equal(trust_verify(&prm, &yes, NULL, NULL, &s->why), 0);
	return yes;
}

static void what_it_signs_is_good_in_both_roles(void **state)
{
	(void)state;
	for (enum cert_key_kind kind = CERT_KEY_RSA_2048; kind <= CERT_KEY_EC_P256; kind++) {
		struct site s;
		struct cert_names names;
		struct buf csr, chain;
		EVP_PKEY *key;
		site_up(&s, kind);
		buf_init(&csr, TRUST_PEM_MAX);
		buf_init(&chain, TRUST_PEM_MAX);
		cert_names_for(&names, NULL, "node01.domain.local", "um.domain.local");
		assert_int_equal(cert_key_make(&key, kind), 0);
		assert_int_equal(cert_request_make(&csr, key, &names, CERT_USAGE_BOTH), 0);
		assert_int_equal(sign(&s, &chain, buf_as_text(&csr), "http://ca.domain.local/lab.crl"), 0);
		assert_true(accepted(&s, &chain, "node01.domain.local", false));
		assert_true(accepted(&s, &chain, "um.domain.local", true));
		assert_false(accepted(&s, &chain, "node02.domain.local", true));
		STACK_OF(X509) *certs;
		struct trust_cert c;
		assert_int_equal(trust_pem_certs(&certs, buf_as_text(&chain)), 0);
		trust_cert_describe(&c, sk_X509_value(certs, 0));
		assert_string_equal(c.cn, "node01.domain.local");
		assert_true(c.has_cdp);
		sk_X509_pop_free(certs, X509_free);
		EVP_PKEY_free(key);
		buf_free(&csr);
		buf_free(&chain);
		buf_free(&s.root);
	}
}

static void the_key_is_for_its_owner_only_and_nothing_is_overwritten(void **state)
{
	(void)state;
	struct site s;
	struct stat st;
	site_up(&s, CERT_KEY_EC_P256);
	assert_int_equal(stat(s.key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	struct cert_ca_prm prm = { .clock = &s.clock.clock, .cert_file = s.cert, .key_file = s.key };
	assert_int_equal(cert_ca_init(&prm, NULL, &s.why), EEXIST);
	assert_int_equal(s.why.id, EV_CERT_CA_EXISTS);
	buf_free(&s.root);
}

static void a_request_that_was_changed_is_refused(void **state)
{
	(void)state;
	struct site s;
	struct cert_names names;
	struct buf csr, chain;
	EVP_PKEY *key;
	site_up(&s, CERT_KEY_EC_P256);
	buf_init(&csr, TRUST_PEM_MAX);
	buf_init(&chain, TRUST_PEM_MAX);
	assert_int_equal(sign(&s, &chain, TEXT("nonsense"), NULL), EBADMSG);
	assert_int_equal(s.why.id, EV_CERT_REQUEST_BAD);
	cert_names_for(&names, NULL, "node01.domain.local", NULL);
	assert_int_equal(cert_key_make(&key, CERT_KEY_EC_P256), 0);
	assert_int_equal(cert_request_make(&csr, key, &names, CERT_USAGE_BOTH), 0);
	uint8_t *at = csr.p + csr.n - 60; /* within the signature */
	*at = *at == 'A' ? 'B' : 'A';
	assert_int_not_equal(sign(&s, &chain, buf_as_text(&csr), NULL), 0);
	assert_int_equal(chain.n, 0);
	EVP_PKEY_free(key);
	buf_free(&csr);
	buf_free(&chain);
	buf_free(&s.root);
}

static void names_that_are_none_are_not_asked_for(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "a,DNS:b", "a b", "*.domain.local", "x\ny" };
	struct buf csr;
	EVP_PKEY *key;
	buf_init(&csr, TRUST_PEM_MAX);
	assert_int_equal(cert_key_make(&key, CERT_KEY_EC_P256), 0);
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct cert_names names;
		cert_names_for(&names, NULL, bad[i], "um.domain.local");
		assert_int_equal(cert_request_make(&csr, key, &names, CERT_USAGE_BOTH), EINVAL);
	}
	EVP_PKEY_free(key);
	buf_free(&csr);
}

static void the_cn_follows_what_the_gateway_knows(void **state)
{
	(void)state;
	struct cert_names n;
	struct trust_judges_us j = { .configured = true };
	cert_names_for(&n, NULL, "node01.domain.local", "um.domain.local");
	assert_string_equal(n.cn, "node01.domain.local");
	trust_names_add_str(&j.known, "node02.domain.local");
	trust_names_add_str(&j.known, "node01.domain.local");
	cert_names_for(&n, &j, "node01.domain.local", "um.domain.local");
	assert_string_equal(n.cn, "node01.domain.local");
	trust_names_clear(&j.known);
	trust_names_add_str(&j.known, "um.domain.local"); /* a trusted application pool */
	cert_names_for(&n, &j, "node01.domain.local", "um.domain.local");
	assert_string_equal(n.cn, "um.domain.local");
	assert_true(trust_names_has(&n.dns, "node01.domain.local"));
}

UT_MAIN(UT(what_it_signs_is_good_in_both_roles), UT(the_key_is_for_its_owner_only_and_nothing_is_overwritten),
	UT(a_request_that_was_changed_is_refused), UT(names_that_are_none_are_not_asked_for), UT(the_cn_follows_what_the_gateway_knows))
