/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp_test.c  OCSP responses made here: by whom, about what, of when; then stapled to a handshake, in both versions of TLS. */
#include "trust/ocsp.h"
#include <errno.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include "base/mem.h"
#include "support/certs.h"
#include "trust/explain.h"
#include "trust/pem.h"
#include "trust/tls.h"
#include "ut.h"

enum { DAY_S = 86400 };

/* ---- responses ---- */

struct answer {
	const struct tc *about, *issuer, *signer; /* signer NULL: the issuer */
	int status;                               /* V_OCSP_CERTSTATUS_* */
	int64_t from_s, to_s;                     /* around now; 0, 0: a day each way */
	bool no_next, with_signer, sha256_id;
};

static size_t make(const struct answer *a, uint8_t **der)
{
	const struct tc *signer = a->signer ? a->signer : a->issuer;
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(a->sha256_id ? EVP_sha256() : EVP_sha1(), a->about->cert, a->issuer->cert);
	int64_t from = a->from_s ? a->from_s : -DAY_S, to = a->to_s ? a->to_s : DAY_S;
	ASN1_TIME *this_update = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(TC_NOW + from)), *next = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(TC_NOW + to)),
		  *when = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(TC_NOW - DAY_S));
	bool gone = a->status == V_OCSP_CERTSTATUS_REVOKED;
	assert_non_null(OCSP_basic_add1_status(basic, id, a->status, gone ? OCSP_REVOKED_STATUS_KEYCOMPROMISE : 0, gone ? when : NULL, this_update,
					       a->no_next ? NULL : next));
	assert_int_equal(OCSP_basic_sign(basic, signer->cert, signer->key, EVP_sha256(), NULL, a->with_signer ? 0 : OCSP_NOCERTS), 1);
	OCSP_RESPONSE *r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	*der = NULL;
	int n = i2d_OCSP_RESPONSE(r, der);
	assert_true(n > 0);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(this_update);
	ASN1_TIME_free(next);
	ASN1_TIME_free(when);
	return (size_t)n;
}

static enum trust_ocsp judged(const struct answer *a)
{
	uint8_t *der;
	size_t n = make(a, &der);
	enum trust_ocsp o = trust_ocsp_judge(der, n, a->about->cert, a->issuer->cert, TC_NOW, NULL);
	OPENSSL_free(der);
	return o;
}

static struct tc root, other, leaf, second, responder, impostor, stranger;

static int up(void **state)
{
	(void)state;
	tc_root(&root, "Root");
	tc_root(&other, "Other");
	tc_leaf(&leaf, &root, "pool.domain.com", "DNS:pool.domain.com");
	tc_leaf(&second, &root, "b.domain.com", "DNS:b.domain.com");
	tc_make(&responder, &(struct tc_prm){ .cn = "Responder", .issuer = &root, .eku = "OCSPSigning" });
	tc_make(&impostor, &(struct tc_prm){ .cn = "Impostor", .issuer = &root, .eku = "serverAuth" });
	tc_make(&stranger, &(struct tc_prm){ .cn = "Stranger", .issuer = &other, .eku = "OCSPSigning" });
	return 0;
}

static int down(void **state)
{
	(void)state;
	struct tc *all[] = { &root, &other, &leaf, &second, &responder, &impostor, &stranger };
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		tc_free(all[i]);
	return 0;
}

static void status_signer_and_times(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		struct answer a;
		enum trust_ocsp expected;
	} rows[] = {
		{ "good", { .about = &leaf, .issuer = &root, .status = V_OCSP_CERTSTATUS_GOOD }, TRUST_OCSP_GOOD },
		{ "good, named by SHA-256", { .about = &leaf, .issuer = &root, .sha256_id = true }, TRUST_OCSP_GOOD },
		{ "revoked", { .about = &leaf, .issuer = &root, .status = V_OCSP_CERTSTATUS_REVOKED }, TRUST_OCSP_REVOKED },
		{ "unknown", { .about = &leaf, .issuer = &root, .status = V_OCSP_CERTSTATUS_UNKNOWN }, TRUST_OCSP_UNKNOWN },
		{ "by a responder of the issuer", { .about = &leaf, .issuer = &root, .signer = &responder, .with_signer = true }, TRUST_OCSP_GOOD },
		{ "by that one, but not with it", { .about = &leaf, .issuer = &root, .signer = &responder }, TRUST_OCSP_FORGED },
		{ "by one who may not", { .about = &leaf, .issuer = &root, .signer = &impostor, .with_signer = true }, TRUST_OCSP_FORGED },
		{ "by another CA's responder", { .about = &leaf, .issuer = &root, .signer = &stranger, .with_signer = true }, TRUST_OCSP_FORGED },
		{ "by another CA", { .about = &leaf, .issuer = &root, .signer = &other, .with_signer = true }, TRUST_OCSP_FORGED },
		{ "out of date", { .about = &leaf, .issuer = &root, .from_s = -3 * DAY_S, .to_s = -DAY_S }, TRUST_OCSP_OLD },
		{ "not valid yet", { .about = &leaf, .issuer = &root, .from_s = DAY_S, .to_s = 2 * DAY_S }, TRUST_OCSP_OLD },
		{ "a clock 4 minutes off", { .about = &leaf, .issuer = &root, .from_s = 240 }, TRUST_OCSP_GOOD },
		{ "no next one, young", { .about = &leaf, .issuer = &root, .no_next = true, .from_s = -6 * DAY_S }, TRUST_OCSP_GOOD },
		{ "no next one, old", { .about = &leaf, .issuer = &root, .no_next = true, .from_s = -8 * DAY_S }, TRUST_OCSP_OLD },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum trust_ocsp o = judged(&rows[i].a);
		if (o != rows[i].expected)
			fail_msg("%s: %s instead of %s", rows[i].what, trust_ocsp_name(o), trust_ocsp_name(rows[i].expected));
	}
}

static void what_is_no_answer(void **state)
{
	(void)state;
	uint8_t *der;
	size_t n = make(&(struct answer){ .about = &second, .issuer = &root }, &der);
	assert_int_equal(trust_ocsp_judge(der, n, leaf.cert, root.cert, TC_NOW, NULL), TRUST_OCSP_OF_ANOTHER);
	assert_true(trust_ocsp_fits(der, n, second.cert, TC_NOW));
	assert_false(trust_ocsp_fits(der, n, leaf.cert, TC_NOW));
	assert_false(trust_ocsp_fits(der, n, second.cert, TC_NOW + 3 * DAY_S));
	assert_int_equal(trust_ocsp_judge(der, n - 1, leaf.cert, root.cert, TC_NOW, NULL), TRUST_OCSP_MALFORMED);
	assert_int_equal(trust_ocsp_judge((const uint8_t *)"\x30\x03\x0a\x01\x03", 5, leaf.cert, root.cert, TC_NOW, NULL), TRUST_OCSP_UNANSWERED);
	assert_int_equal(trust_ocsp_judge((const uint8_t *)"nothing", 7, leaf.cert, root.cert, TC_NOW, NULL), TRUST_OCSP_MALFORMED);
	assert_int_equal(trust_ocsp_judge(NULL, 0, leaf.cert, root.cert, TC_NOW, NULL), TRUST_OCSP_NONE);
	OPENSSL_free(der);
}

static void must_staple(X509 *x)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_tlsfeature, "status_request");
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

/* ---- stapled ---- */

struct side {
	struct trust_identity *id;
	struct trust_set *set;
	struct trust_policy *policy;
	struct tls *tls;
	int err;
};

static void side_up(struct side *s, const struct tc *cert, const char *file, const char *accepts, const struct trust_chain_rules *rules)
{
	struct ev_report why = { 0 };
	const char *dir = ut_tmpdir();
	char certs[300], key[300];
	text_print(certs, sizeof certs, "%s/c.pem", dir);
	text_print(key, sizeof key, "%s/k.pem", dir);
	tc_write_certs(certs, &cert->cert, 1);
	tc_write_key(key, cert->key);
	struct trust_identity_prm prm = { .cert_file = certs, .key_file = key, .ocsp_file = file };
	assert_int_equal(trust_identity_load(&s->id, &prm, &why), 0);
	assert_int_equal(trust_set_create(&s->set), 0);
	assert_int_equal(trust_set_identity(s->set, s->id), 0);
	assert_int_equal(trust_set_anchor(s->set, root.cert), 0);
	trust_set_rules(s->set, rules);
	assert_int_equal(trust_policy_one(&s->policy, "gw", TRUST_RULE_RFC5922, &accepts, 1), 0);
}

static void side_down(struct side *s)
{
	tls_destroy(s->tls);
	mem_unref(s->policy);
	mem_unref(s->set);
	mem_unref(s->id);
}

static size_t carry(struct tls *from, struct tls *to)
{
	uint8_t bytes[4096];
	size_t n = tls_drain(from, bytes, sizeof bytes);
	if (n)
		assert_int_equal(tls_feed(to, bytes, n), 0);
	return n;
}

/* The name of the client's verdict, or "" where the handshake was good; `ocsp` is what it saw. */
static const char *shake_with(const struct tc *server_cert, const char *file, const struct trust_chain_rules *rules, const char *list, uint16_t version,
			      enum trust_ocsp *ocsp)
{
	static struct trust_verdict v;
	struct side c = { 0 }, s = { 0 };
	struct clock_fake clock;
	clock_fake_init(&clock, TC_NOW);
	struct ev_report why = { 0 };
	side_up(&c, &second, NULL, "pool.domain.com", rules);
	side_up(&s, server_cert, file, "b.domain.com", &(struct trust_chain_rules){ .depth = -1 });
	if (list)
		assert_int_equal(trust_set_crl_file(c.set, list, &why), 0);
	struct tls_prm cp = { .role = TRUST_DIALLED, .set = c.set, .policy = c.policy, .sni = "pool.domain.com", .limits = { version, version, TLS_LEGACY_OFF },
			      .clock = &clock.clock };
	struct tls_prm sp = { .role = TRUST_ACCEPTED, .set = s.set, .policy = s.policy, .clock = &clock.clock };
	assert_int_equal(tls_create(&c.tls, &cp), 0);
	assert_int_equal(tls_create(&s.tls, &sp), 0);
	for (unsigned i = 0; i < 20; i++) {
		c.err = tls_step(c.tls);
		size_t moved = carry(c.tls, s.tls);
		s.err = tls_step(s.tls);
		if (!(moved + carry(s.tls, c.tls)))
			break;
	}
	*ocsp = (enum trust_ocsp)tls_facts(c.tls)->tls.ocsp;
	trust_explain(tls_facts(c.tls), &v);
	const char *name = c.err ? v.name : "";
	if (c.err)
		assert_int_equal(v.who, TRUST_US);
	side_down(&c);
	side_down(&s);
	return name;
}

static const char *shake(const struct tc *server_cert, const char *file, enum trust_staple staple, uint16_t version, enum trust_ocsp *ocsp)
{
	return shake_with(server_cert, file, &(struct trust_chain_rules){ .depth = -1, .staple = staple }, NULL, version, ocsp);
}

/* Lists on a connection: the one that takes the server back, one of somebody else, and lists that nobody looks at. */
static void lists_on_a_connection(void **state)
{
	(void)state;
	char file[300];
	enum trust_ocsp seen;
	X509_CRL *gone = tc_crl(&root, leaf.cert), *good = tc_crl(&root, NULL), *strange = tc_crl(&other, NULL);
	struct trust_chain_rules rules = { .depth = -1 };
	text_print(file, sizeof file, "%s/crl.pem", ut_tmpdir());
	tc_write_crl(file, good);
	assert_string_equal(shake_with(&leaf, NULL, &rules, file, 0x0304, &seen), "");
	tc_write_crl(file, strange);
	assert_string_equal(shake_with(&leaf, NULL, &rules, file, 0x0304, &seen), "revocation-unknown");
	tc_write_crl(file, gone);
	for (uint16_t version = 0x0303; version <= 0x0304; version++)
		assert_string_equal(shake_with(&leaf, NULL, &rules, file, version, &seen), "certificate-revoked");
	rules.revocation = TRUST_REVOCATION_OFF;
	assert_string_equal(shake_with(&leaf, NULL, &rules, file, 0x0304, &seen), "");
	X509_CRL_free(gone);
	X509_CRL_free(good);
	X509_CRL_free(strange);
}

static void stapled_to_a_handshake(void **state)
{
	(void)state;
	static const struct {
		int status; /* < 0: nothing is stapled */
		enum trust_staple staple;
		const char *expected;
		enum trust_ocsp seen;
	} rows[] = {
		{ V_OCSP_CERTSTATUS_GOOD, TRUST_STAPLE_ASK, "", TRUST_OCSP_GOOD },
		{ V_OCSP_CERTSTATUS_GOOD, TRUST_STAPLE_REQUIRE, "", TRUST_OCSP_GOOD },
		{ V_OCSP_CERTSTATUS_GOOD, TRUST_STAPLE_OFF, "", TRUST_OCSP_NONE },
		{ -1, TRUST_STAPLE_ASK, "", TRUST_OCSP_NONE },
		{ -1, TRUST_STAPLE_REQUIRE, "ocsp-response-missing", TRUST_OCSP_NONE },
	};
	char file[300];
	text_print(file, sizeof file, "%s/ocsp.der", ut_tmpdir());
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		for (uint16_t version = 0x0303; version <= 0x0304; version++) {
			enum trust_ocsp seen;
			if (rows[i].status >= 0) {
				uint8_t *der;
				size_t n = make(&(struct answer){ .about = &leaf, .issuer = &root, .status = rows[i].status }, &der);
				assert_int_equal(trust_file_write(file, der, n, 0600), 0);
				OPENSSL_free(der);
			}
			const char *name = shake(&leaf, rows[i].status >= 0 ? file : NULL, rows[i].staple, version, &seen);
			if (strcmp(name, rows[i].expected) != 0 || seen != rows[i].seen)
				fail_msg("row %u, version %x: %s (%s)", i, version, name, trust_ocsp_name(seen));
		}
}

/* What a server would not hand out (ours does not) is judged all the same, and a certificate can demand its response. */
static void the_policy(void **state)
{
	(void)state;
	struct tc must;
	enum trust_ocsp seen;
	tc_make(&must, &(struct tc_prm){ .cn = "pool.domain.com", .san = "DNS:pool.domain.com", .issuer = &root, .twist = must_staple });
	assert_true(trust_ocsp_must(must.cert));
	assert_false(trust_ocsp_must(leaf.cert));
	assert_string_equal(shake(&must, NULL, TRUST_STAPLE_ASK, 0x0304, &seen), "ocsp-response-missing");
	assert_string_equal(shake(&must, NULL, TRUST_STAPLE_OFF, 0x0304, &seen), "");
	assert_int_equal(trust_staple_judge(TRUST_STAPLE_ASK, TRUST_OCSP_REVOKED, leaf.cert), TRUST_FAULT_OCSP_REVOKED);
	assert_int_equal(trust_staple_judge(TRUST_STAPLE_ASK, TRUST_OCSP_OLD, leaf.cert), TRUST_FAULT_NONE);
	assert_int_equal(trust_staple_judge(TRUST_STAPLE_ASK, TRUST_OCSP_FORGED, leaf.cert), TRUST_FAULT_NONE);
	assert_int_equal(trust_staple_judge(TRUST_STAPLE_REQUIRE, TRUST_OCSP_UNKNOWN, leaf.cert), TRUST_FAULT_OCSP_UNKNOWN);
	assert_int_equal(trust_staple_judge(TRUST_STAPLE_OFF, TRUST_OCSP_REVOKED, leaf.cert), TRUST_FAULT_NONE);
	tc_free(&must);
}

static void a_response_that_is_lost_costs_a_warning(void **state)
{
	(void)state;
	struct trust_identity *id;
	struct ev_report why = { 0 };
	char certs[300], key[300];
	size_t n;
	text_print(certs, sizeof certs, "%s/c.pem", ut_tmpdir());
	text_print(key, sizeof key, "%s/k.pem", ut_tmpdir());
	tc_write_certs(certs, &leaf.cert, 1);
	tc_write_key(key, leaf.key);
	assert_int_equal(trust_identity_load(&id, &(struct trust_identity_prm){ .cert_file = certs, .key_file = key, .ocsp_file = "/nowhere/ocsp" }, &why), 0);
	assert_int_not_equal(why.id, 0);
	assert_null(trust_identity_staple(id, TC_NOW, &n));
	mem_unref(id);
}

int main(void)
{
	const struct CMUnitTest tests[] = { UT(status_signer_and_times), UT(what_is_no_answer), UT(lists_on_a_connection), UT(stapled_to_a_handshake), UT(the_policy),
					    UT(a_response_that_is_lost_costs_a_warning) };
	return cmocka_run_group_tests(tests, up, down);
}
