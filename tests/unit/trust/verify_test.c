/* SPDX-License-Identifier: Apache-2.0 */
/* verify_test.c  Chains from files: the tables of usages and the faults of chains, in both roles. */
#include "trust/verify.h"
#include <errno.h>
#include <openssl/x509v3.h>
#include "base/mem.h"
#include "support/certs.h"
#include "trust/pem.h"
#include "trust_events.h"
#include "ut.h"

static struct tc root, middle, other;

static int roots_up(void **state)
{
	(void)state;
	tc_root(&root, "Root");
	tc_root(&other, "Other");
	tc_make(&middle, &(struct tc_prm){ .cn = "Middle", .ca = true, .pathlen_zero = true, .issuer = &root, .from_days = -5, .to_days = 900 });
	return 0;
}

static int roots_down(void **state)
{
	(void)state;
	tc_free(&middle);
	tc_free(&other);
	tc_free(&root);
	return 0;
}

static const char *verify(X509 *const *chain, unsigned n, const char *name, bool as_client, X509_CRL *crl, int depth)
{
	static struct trust_verdict v;
	struct buf ca, certs, crls;
	struct ev_report why;
	bool good = false;
	buf_init(&ca, TRUST_PEM_MAX);
	buf_init(&certs, TRUST_PEM_MAX);
	buf_init(&crls, TRUST_PEM_MAX);
	trust_pem_put_cert(&ca, root.cert);
	for (unsigned i = 0; i < n; i++)
		trust_pem_put_cert(&certs, chain[i]);
	if (crl) {
		char path[256];
		text_print(path, sizeof path, "%s/crl.pem", ut_tmpdir());
		tc_write_crl(path, crl);
		assert_int_equal(trust_pem_file(&crls, path), 0);
	}
	struct trust_verify_prm prm = { .ca_pem = buf_as_text(&ca), .chain_pem = buf_as_text(&certs), .crl_pem = buf_as_text(&crls), .names = &name,
					.n_names = name ? 1 : 0, .any_name = !name, .as_client = as_client, .time_s = TC_NOW, .depth = depth };
	assert_int_equal(trust_verify(&prm, &good, NULL, &v, &why), 0);
	buf_free(&ca);
	buf_free(&certs);
	buf_free(&crls);
	return trust_verify_name(good, &v);
}

static const char *leaf(struct tc_prm prm, bool as_client)
{
	struct tc c;
	prm.issuer = prm.issuer ? prm.issuer : &root;
	prm.cn = "a.example.com";
	prm.san = "DNS:a.example.com";
	tc_make(&c, &prm);
	const char *name = verify(&c.cert, 1, "a.example.com", as_client, NULL, -1);
	tc_free(&c);
	return name;
}

static void only_digital_signature(X509 *x)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "critical,digitalSignature");
	X509_EXTENSION_free(X509_delete_ext(x, X509_get_ext_by_NID(x, NID_key_usage, -1)));
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static void a_ca_that_may_not_sign_is_told_from_what_is_no_ca(void **state)
{
	(void)state;
	struct tc mute, no_ca, c;
	tc_make(&mute, &(struct tc_prm){ .cn = "Mute", .ca = true, .issuer = &root, .twist = only_digital_signature });
	tc_leaf(&no_ca, &root, "leaf.example.com", "DNS:leaf.example.com");
	tc_leaf(&c, &mute, "a.example.com", "DNS:a.example.com");
	assert_string_equal(verify((X509 *[]){ c.cert, mute.cert }, 2, "a.example.com", false, NULL, -1), "issuer-may-not-sign");
	tc_free(&c);
	tc_leaf(&c, &no_ca, "a.example.com", "DNS:a.example.com");
	assert_string_equal(verify((X509 *[]){ c.cert, no_ca.cert }, 2, "a.example.com", false, NULL, -1), "issuer-is-no-ca");
	tc_free(&c);
	tc_free(&no_ca);
	tc_free(&mute);
}

static void usages_and_roles(void **state)
{
	(void)state;
	static const struct {
		const char *eku;
		bool server, client;
	} table[] = {
		{ "serverAuth,clientAuth", true, true }, { "serverAuth", true, false }, { "clientAuth", false, true },
		{ "1.3.6.1.5.5.7.3.20", false, false },	 { "1.3.6.1.5.5.7.3.20,serverAuth", true, false },
		{ "anyExtendedKeyUsage", false, false }, { "", true, true },
	};
	for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
		assert_string_equal(leaf((struct tc_prm){ .eku = table[i].eku }, false), table[i].server ? "accepted" : "certificate-wrong-purpose");
		assert_string_equal(leaf((struct tc_prm){ .eku = table[i].eku }, true), table[i].client ? "accepted" : "certificate-wrong-purpose");
	}
}

static void dates_and_issuers(void **state)
{
	(void)state;
	struct tc self;
	assert_string_equal(leaf((struct tc_prm){ .from_days = -9, .to_days = -1 }, false), "certificate-expired");
	assert_string_equal(leaf((struct tc_prm){ .from_days = 1, .to_days = 9 }, false), "certificate-not-yet-valid");
	assert_string_equal(leaf((struct tc_prm){ .issuer = &other }, false), "issuer-not-trusted");
	tc_make(&self, &(struct tc_prm){ .cn = "a.example.com", .san = "DNS:a.example.com" });
	assert_string_equal(verify(&self.cert, 1, "a.example.com", false, NULL, -1), "self-signed");
	tc_free(&self);
	tc_make(&self, &(struct tc_prm){ .cn = "a.example.com", .san = "DNS:a.example.com", .issuer = &other });
	assert_string_equal(verify((X509 *[]){ self.cert, other.cert }, 2, "a.example.com", false, NULL, -1), "root-not-trusted");
	tc_free(&self);
}

static void intermediates(void **state)
{
	(void)state;
	struct tc c, deep, bad;
	tc_leaf(&c, &middle, "a.example.com", "DNS:a.example.com");
	assert_string_equal(verify((X509 *[]){ c.cert, middle.cert }, 2, "a.example.com", false, NULL, -1), "accepted");
	assert_string_equal(verify(&c.cert, 1, "a.example.com", false, NULL, -1), "issuer-not-trusted");
	assert_string_equal(verify((X509 *[]){ c.cert, middle.cert }, 2, "a.example.com", false, NULL, 0), "chain-too-long");
	tc_make(&deep, &(struct tc_prm){ .cn = "Deep", .ca = true, .issuer = &middle });
	tc_leaf(&bad, &deep, "a.example.com", "DNS:a.example.com");
	assert_string_equal(verify((X509 *[]){ bad.cert, deep.cert, middle.cert }, 3, "a.example.com", false, NULL, -1), "path-length-exceeded");
	tc_free(&bad);
	tc_leaf(&bad, &c, "a.example.com", "DNS:a.example.com"); /* a leaf is no CA */
	assert_string_equal(verify((X509 *[]){ bad.cert, c.cert, middle.cert }, 3, "a.example.com", false, NULL, -1), "issuer-is-no-ca");
	tc_free(&bad);
	tc_free(&deep);
	tc_free(&c);
}

static void name_constraints(void **state)
{
	(void)state;
	struct tc ca, in, out;
	tc_make(&ca, &(struct tc_prm){ .cn = "Narrow", .ca = true, .constraints = "permitted;DNS:domain.local", .issuer = &root });
	tc_leaf(&in, &ca, "node01.domain.local", "DNS:node01.domain.local");
	tc_leaf(&out, &ca, "node01.example.com", "DNS:node01.example.com");
	assert_string_equal(verify((X509 *[]){ in.cert, ca.cert }, 2, "node01.domain.local", false, NULL, -1), "accepted");
	assert_string_equal(verify((X509 *[]){ out.cert, ca.cert }, 2, "node01.example.com", false, NULL, -1), "name-outside-constraints");
	tc_free(&in);
	tc_free(&out);
	tc_free(&ca);
}

static void revocation(void **state)
{
	(void)state;
	struct tc c;
	tc_leaf(&c, &root, "a.example.com", "DNS:a.example.com");
	X509_CRL *with = tc_crl(&root, c.cert), *without = tc_crl(&root, NULL), *strange = tc_crl(&other, NULL);
	assert_string_equal(verify(&c.cert, 1, "a.example.com", false, with, -1), "certificate-revoked");
	assert_string_equal(verify(&c.cert, 1, "a.example.com", false, without, -1), "accepted");
	assert_string_equal(verify(&c.cert, 1, "a.example.com", false, strange, -1), "revocation-unknown");
	X509_CRL_free(with);
	X509_CRL_free(without);
	X509_CRL_free(strange);
	tc_free(&c);
}

static void names(void **state)
{
	(void)state;
	struct tc c;
	tc_leaf(&c, &root, "a.example.com", "DNS:a.example.com");
	assert_string_equal(verify(&c.cert, 1, "b.example.com", false, NULL, -1), "name-mismatch");
	assert_string_equal(verify(&c.cert, 1, NULL, false, NULL, -1), "accepted");
	tc_free(&c);
}

static void files_that_hold_nothing(void **state)
{
	(void)state;
	struct ev_report why;
	bool good;
	struct buf ca;
	buf_init(&ca, TRUST_PEM_MAX);
	trust_pem_put_cert(&ca, root.cert);
	struct trust_verify_prm prm = { .ca_pem = TEXT("nothing"), .chain_pem = buf_as_text(&ca), .time_s = TC_NOW, .depth = -1 };
	assert_int_equal(trust_verify(&prm, &good, NULL, NULL, &why), EBADMSG);
	assert_int_equal(why.id, EV_TRUST_ANCHORS_UNREADABLE);
	prm.ca_pem = buf_as_text(&ca);
	prm.chain_pem = TEXT("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	assert_int_equal(trust_verify(&prm, &good, NULL, NULL, &why), EBADMSG);
	assert_int_equal(why.id, EV_TRUST_CERT_NO_PEM);
	buf_free(&ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = { UT(a_ca_that_may_not_sign_is_told_from_what_is_no_ca), UT(usages_and_roles), UT(dates_and_issuers), UT(intermediates), UT(name_constraints), UT(revocation),
					    UT(names), UT(files_that_hold_nothing) };
	return cmocka_run_group_tests(tests, roots_up, roots_down);
}
