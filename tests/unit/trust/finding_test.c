/* SPDX-License-Identifier: Apache-2.0 */
/* finding_test.c  What is questionable in a certificate by itself. */
#include <openssl/x509v3.h>
#include "base/buf.h"
#include "base/mem.h"
#include "support/certs.h"
#include "trust/finding.h"
#include "trust/rule.h"
#include "ut.h"

static char all[2048];

static void keep(const struct trust_finding *f, void *arg)
{
	(void)arg;
	assert_true(f->sentence[0] && f->fix[0]);
	size_t n = strlen(all);
	snprintf(all + n, sizeof all - n, "%s ", f->name);
}

struct look {
	struct tc_prm prm;
	const char *names; /* those that must be found, with a blank behind each; the order of the look */
};
#define GOOD .cn = "node1.example.com", .rsa = true, .cdp = "URI:http://ca.example.com/crl"
#define SAN "DNS:node1.example.com"

static const struct look looks[] = {
	{ { GOOD, .san = SAN }, "no-intermediates " },
	{ { .cn = "node1.example.com", .san = SAN, .cdp = "URI:http://ca.example.com/crl" }, "ec-key no-intermediates " },
	{ { .cn = "node1.example.com", .san = SAN, .rsa = true }, "no-revocation-address no-intermediates " },
	{ { GOOD, .san = SAN, .from_days = -20, .to_days = -10 }, "expired no-intermediates " },
	{ { GOOD, .san = SAN, .from_days = 10, .to_days = 20 }, "not-yet-valid no-intermediates " },
	{ { GOOD, .san = SAN, .from_days = -20, .to_days = 9 }, "ends-soon no-intermediates " },
	{ { GOOD, .san = SAN, .eku = "serverAuth" }, "no-client-usage no-intermediates " },
	{ { GOOD, .san = SAN, .eku = "clientAuth" }, "no-server-usage no-intermediates " },
	{ { GOOD, .san = SAN, .eku = "" }, "no-usages no-intermediates " },
	{ { GOOD, .san = SAN, .eku = "serverAuth,clientAuth,1.3.6.1.5.5.7.3.20" }, "sip-usage no-intermediates " },
	{ { GOOD }, "no-san no-intermediates " },
	{ { GOOD, .san = "IP:192.0.2.1" }, "no-dns-name no-intermediates " },
	{ { GOOD, .san = "DNS:node2.example.com" }, "cn-not-in-san no-intermediates " },
	{ { GOOD, .san = SAN ",DNS:*.example.com" }, "wildcard no-intermediates " },
	{ { GOOD, .san = SAN, .san_critical = true }, "san-critical no-intermediates " },
	{ { GOOD, .san = SAN ",URI:sip:example.com" }, "uri-hides-names no-intermediates " },
	{ { GOOD, .san = SAN ",DNS:pool.example.com." }, "name-trailing-dot no-intermediates " },
	{ { GOOD, .san = SAN ",DNS:192.0.2.1" }, "address-as-name no-intermediates " },
	{ { GOOD, .san = SAN ",DNS:node1" }, "short-name no-intermediates " },
	{ { GOOD, .san = SAN, .dns_nul = "x.example.com" }, "name-with-nul no-intermediates " },
	{ { GOOD, .san = SAN, .cn2 = "x.example.com" }, "cn-not-in-san several-cns no-intermediates " },
};

static void what_is_found(void **state)
{
	(void)state;
	struct tc root;
	tc_root(&root, "Root");
	for (unsigned i = 0; i < sizeof looks / sizeof *looks; i++) {
		struct tc c;
		struct tc_prm prm = looks[i].prm;
		prm.issuer = &root;
		tc_make(&c, &prm);
		all[0] = '\0';
		(void)trust_findings(c.cert, NULL, TC_NOW, keep, NULL);
		if (strcmp(all, looks[i].names) != 0)
			fail_msg("case %u: wanted \"%s\", got \"%s\"", i, looks[i].names, all);
		tc_free(&c);
	}
	tc_free(&root);
}

static void spoil_nothing(X509 *x)
{
	(void)x;
}

static void spoil_serial(X509 *x)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	assert_true(ASN1_INTEGER_set(n, -5) == 1 && X509_set_serialNumber(x, n) == 1);
	ASN1_INTEGER_free(n);
}

static void spoil_dates(X509 *x)
{
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 1000));
}

static void repeat(X509 *x, int nid)
{
	int at = X509_get_ext_by_NID(x, nid, -1);
	assert_true(at >= 0 && X509_add_ext(x, X509_get_ext(x, at), -1) == 1);
}

static void spoil_usages(X509 *x)
{
	repeat(x, NID_ext_key_usage);
}

static void spoil_names(X509 *x)
{
	repeat(x, NID_subject_alt_name);
}

/* What cert verify refuses as malformed is not passed over, and what cannot be read is not called missing. */
static void what_is_no_certificate_is_told(void **state)
{
	static const struct {
		void (*spoil)(X509 *x);
		unsigned names;
		const char *found, *never;
	} cases[] = {
		{ spoil_nothing, 2, "no-intermediates", "malformed" },     { spoil_serial, 2, "malformed ", "expired" },
		{ spoil_dates, 2, "malformed ", "expired" },               { spoil_usages, 2, "malformed ", "no-usages" },
		{ spoil_names, 2, "malformed names-unreadable ", "no-san" }, { spoil_nothing, 10000, "too-many-names ", "no-san" },
	};
	struct tc root, c;
	(void)state;
	tc_root(&root, "Root");
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf san;
		buf_init(&san, 1 << 20);
		for (unsigned k = 0; k < cases[i].names; k++)
			buf_printf(&san, "%sDNS:h%u.example.com", k ? "," : "", k);
		tc_make(&c, &(struct tc_prm){ .cn = "h0.example.com", .cdp = "URI:http://ca.example.com/crl", .san = buf_cstr(&san), .issuer = &root });
		cases[i].spoil(c.cert);
		assert_true(X509_sign(c.cert, root.key, EVP_sha256()) > 0);
		all[0] = '\0';
		(void)trust_findings(c.cert, NULL, TC_NOW, keep, NULL);
		if (!strstr(all, cases[i].found) || strstr(all, cases[i].never))
			fail_msg("case %u: wanted \"%s\" and not \"%s\", got \"%s\"", i, cases[i].found, cases[i].never, all);
		struct trust_cert *w = mem_zalloc(1, sizeof *w);
		trust_cert_describe(w, c.cert);
		assert_true(w->has_san);
		assert_int_equal(w->sans.cut, cases[i].spoil == spoil_names || cases[i].names > 2);
		assert_true(w->eku & TRUST_EKU_PRESENT);
		mem_free(w);
		tc_free(&c);
		buf_free(&san);
	}
	tc_free(&root);
}

static void the_chain_behind_it(void **state)
{
	(void)state;
	struct tc root, sub, leaf;
	tc_root(&root, "Root");
	tc_make(&sub, &(struct tc_prm){ .cn = "Sub", .ca = true, .issuer = &root, .from_days = -2, .to_days = 300 });
	tc_make(&leaf, &(struct tc_prm){ GOOD, .san = SAN, .issuer = &sub });
	STACK_OF(X509) *chain = sk_X509_new_null();
	sk_X509_push(chain, sub.cert);
	all[0] = '\0';
	assert_int_equal(trust_findings(leaf.cert, chain, TC_NOW, keep, NULL), 0);
	sk_X509_unshift(chain, root.cert); /* the root before the intermediate */
	assert_int_equal(trust_findings(leaf.cert, chain, TC_NOW, keep, NULL), 1);
	assert_string_equal(all, "chain-out-of-order ");
	all[0] = '\0';
	(void)trust_findings(root.cert, NULL, TC_NOW, keep, NULL);
	assert_non_null(strstr(all, "self-signed "));
	all[0] = '\0';
	(void)trust_findings(sub.cert, NULL, TC_NOW, keep, NULL);
	assert_non_null(strstr(all, "is-a-ca "));
	sk_X509_free(chain);
	tc_free(&root);
	tc_free(&sub);
	tc_free(&leaf);
}

UT_MAIN(UT(what_is_found), UT(what_is_no_certificate_is_told), UT(the_chain_behind_it))
