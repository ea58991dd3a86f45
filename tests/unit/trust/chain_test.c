/* SPDX-License-Identifier: Apache-2.0 */
/* chain_test.c  Chains root -> middle -> leaf, one thing twisted in each, and what is said of it; then chains with several ways, and
 * revocation. The names expected are those that people and scripts see.                                                 */
#include "trust/chain.h"
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "base/mem.h"
#include "support/certs.h"
#include "trust/der.h"
#include "trust/pem.h"
#include "trust/verify.h"
#include "ut.h"

#define HOST "a.example.com"

/* ---- asking ---- */

struct ask {
	X509 *const *roots, *const *chain;
	unsigned n_roots, n_chain;
	X509_CRL *const *crls;
	unsigned n_crls;
	bool strict, full, as_client;
	int depth; /* 0 counts as not said */
	const char *host; /* NULL: HOST */
	int64_t at_s;
	enum trust_rule_kind rule;
};

static void put_crl(struct buf *b, X509_CRL *crl)
{
	char path[256];
	text_print(path, sizeof path, "%s/crl.pem", ut_tmpdir());
	tc_write_crl(path, crl);
	assert_int_equal(trust_pem_file(b, path), 0);
}

static const char *ask(const struct ask *a)
{
	static struct trust_verdict v;
	const char *host = a->host ? a->host : HOST;
	struct buf ca, chain, crl;
	struct ev_report why = { 0 };
	bool good = false;
	buf_init(&ca, TRUST_PEM_MAX);
	buf_init(&chain, TRUST_PEM_MAX);
	buf_init(&crl, TRUST_PEM_MAX);
	for (unsigned i = 0; i < a->n_roots; i++)
		trust_pem_put_cert(&ca, a->roots[i]);
	for (unsigned i = 0; i < a->n_chain; i++)
		trust_pem_put_cert(&chain, a->chain[i]);
	for (unsigned i = 0; i < a->n_crls; i++)
		put_crl(&crl, a->crls[i]);
	struct trust_verify_prm prm = { .ca_pem = buf_as_text(&ca), .chain_pem = buf_as_text(&chain), .crl_pem = buf_as_text(&crl), .names = &host,
					.n_names = 1, .rule = a->rule, .as_client = a->as_client, .strict = a->strict,
					.time_s = a->at_s ? a->at_s : TC_NOW, .depth = a->depth ? a->depth : -1,
					.revocation = a->full ? TRUST_REVOCATION_FULL : TRUST_REVOCATION_LEAF };
	int err = trust_verify(&prm, &good, NULL, &v, &why);
	buf_free(&ca);
	buf_free(&chain);
	buf_free(&crl);
	return err ? "unreadable" : trust_verify_name(good, &v);
}

/* ---- twists ---- */

static void drop(X509 *x, int nid)
{
	int at = X509_get_ext_by_NID(x, nid, -1);
	if (at >= 0)
		X509_EXTENSION_free(X509_delete_ext(x, at));
}

static void put(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	drop(x, nid);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(e);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

/* An extension of any bytes. */
static void raw(X509 *x, const char *oid, bool critical, const void *bytes, int n)
{
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e = NULL;
	ASN1_OCTET_STRING_set(value, bytes, n);
	assert_non_null(X509_EXTENSION_create_by_OBJ(&e, o, critical, value));
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(o);
}

static void mark(X509 *x, int nid, bool critical)
{
	X509_EXTENSION_set_critical(X509_get_ext(x, X509_get_ext_by_NID(x, nid, -1)), critical);
}

static void serial(X509 *x, const char *hex)
{
	BIGNUM *n = NULL;
	BN_hex2bn(&n, hex);
	BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
}

static void no_subject(X509 *x)
{
	X509_NAME *none = X509_NAME_new();
	X509_set_subject_name(x, none);
	X509_NAME_free(none);
}

static void no_issuer(X509 *x)
{
	X509_NAME *none = X509_NAME_new();
	X509_set_issuer_name(x, none);
	X509_NAME_free(none);
}

static void not_after(X509 *x, const char *words)
{
	ASN1_STRING *t = X509_getm_notAfter(x);
	ASN1_STRING_set(t, words, -1);
	t->type = strlen(words) >= 15 ? V_ASN1_GENERALIZEDTIME : V_ASN1_UTCTIME;
}

#define TWIST(name, ...)                    \
	static void t_##name(X509 *x)       \
	{                                   \
		__VA_ARGS__;                \
	}
TWIST(zero_serial, serial(x, "0"))
TWIST(negative_serial, serial(x, "-5"))
TWIST(long_serial, serial(x, "7f00000000000000000000000000000000000000ff"))
TWIST(longest_serial, serial(x, "7f000000000000000000000000000000000000ff"))
TWIST(version_1, X509_set_version(x, X509_VERSION_1))
TWIST(version_4, X509_set_version(x, 3))
TWIST(unknown_critical, raw(x, "1.3.6.1.4.1.55738.1", true, "\x05\x00", 2))
TWIST(unknown, raw(x, "1.3.6.1.4.1.55738.1", false, "\x05\x00", 2))
TWIST(twice, raw(x, "1.3.6.1.4.1.55738.1", false, "\x05\x00", 2); raw(x, "1.3.6.1.4.1.55738.1", false, "\x05\x00", 2))
TWIST(usage_twice, raw(x, "2.5.29.37", false, "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", 12))
TWIST(san_text, drop(x, NID_subject_alt_name); raw(x, "2.5.29.17", false, HOST, sizeof HOST - 1))
TWIST(san_empty, drop(x, NID_subject_alt_name); raw(x, "2.5.29.17", false, "\x30\x00", 2))
TWIST(san_trailing, drop(x, NID_subject_alt_name); raw(x, "2.5.29.17", false, "\x30\x03\x82\x01\x61\x00", 6))
TWIST(san_ber, drop(x, NID_subject_alt_name); raw(x, "2.5.29.17", false, "\x30\x80\x82\x01\x61\x00\x00", 7))
TWIST(eku_empty, drop(x, NID_ext_key_usage); raw(x, "2.5.29.37", false, "\x30\x00", 2))
TWIST(aia_bytes, raw(x, "1.3.6.1.5.5.7.1.1", false, "malformed", 9))
TWIST(ski_critical, mark(x, NID_subject_key_identifier, true))
TWIST(aki_critical, mark(x, NID_authority_key_identifier, true))
TWIST(no_aki, drop(x, NID_authority_key_identifier))
TWIST(no_ski, drop(x, NID_subject_key_identifier))
TWIST(no_basic, drop(x, NID_basic_constraints))
TWIST(not_ca, put(x, NID_basic_constraints, "critical,CA:FALSE"); put(x, NID_key_usage, "critical,digitalSignature"))
TWIST(basic_not_critical, put(x, NID_basic_constraints, "CA:TRUE"))
TWIST(path_len_no_ca, raw(x, "2.5.29.19", false, "", 0); drop(x, NID_basic_constraints); drop(x, NID_basic_constraints);
      raw(x, "2.5.29.19", true, "\x30\x03\x02\x01\x00", 5))
TWIST(no_cert_sign, put(x, NID_key_usage, "critical,cRLSign"))
TWIST(leaf_cert_sign, put(x, NID_key_usage, "critical,digitalSignature,keyCertSign"))
TWIST(usage_of_nothing, drop(x, NID_key_usage); raw(x, "2.5.29.15", true, "\x03\x01\x00", 3))
TWIST(no_key_usage, drop(x, NID_key_usage))
TWIST(no_subject, no_subject(x))
TWIST(no_subject_critical, no_subject(x); mark(x, NID_subject_alt_name, true))
TWIST(no_issuer, no_issuer(x))
TWIST(leaf_constraints, put(x, NID_name_constraints, "critical,permitted;DNS:example.com"))
TWIST(empty_constraints, raw(x, "2.5.29.30", true, "\x30\x00", 2))
TWIST(permit_other, put(x, NID_name_constraints, "critical,permitted;DNS:example.org"))
TWIST(permit_dot, put(x, NID_name_constraints, "critical,permitted;DNS:.example.com"))
TWIST(permit_loosely, put(x, NID_name_constraints, "permitted;DNS:example.com"))
TWIST(exclude_ours, put(x, NID_name_constraints, "critical,excluded;DNS:example.com"))
TWIST(exclude_b, put(x, NID_name_constraints, "critical,excluded;DNS:b.example.com"))
TWIST(permit_net, put(x, NID_name_constraints, "critical,permitted;IP:192.0.2.0/255.255.255.0"))
TWIST(permit_seven, raw(x, "2.5.29.30", true, "\x30\x0d\xa0\x0b\x30\x09\x87\x07\xc0\x00\x02\x00\xff\xff\xff", 15))
TWIST(permit_holes, raw(x, "2.5.29.30", true, "\x30\x0e\xa0\x0c\x30\x0a\x87\x08\xc0\x00\x02\x00\xff\x00\xff\x00", 16))
TWIST(exclude_bad_uri, put(x, NID_name_constraints, "critical,excluded;URI:bad.example.org"))
TWIST(san_uri, put(x, NID_subject_alt_name, "DNS:" HOST ",URI:https\\://good.example.org\\:99/x"))
TWIST(san_uri_user, put(x, NID_subject_alt_name, "DNS:" HOST ",URI:https\\://good.example.org\\:8@bad.example.org/x"))
TWIST(san_uri_query, put(x, NID_subject_alt_name, "DNS:" HOST ",URI:https\\://bad.example.org?x"))
TWIST(documents, put(x, NID_key_usage, "critical,nonRepudiation"))
TWIST(basic_twice, raw(x, "2.5.29.19", true, "\x30\x03\x01\x01\xff", 5))
TWIST(negative_path, drop(x, NID_basic_constraints); raw(x, "2.5.29.19", true, "\x30\x06\x01\x01\xff\x02\x01\xff", 8))
TWIST(san_outer_ip, put(x, NID_subject_alt_name, "DNS:" HOST ",IP:198.51.100.1"))
TWIST(san_inner_ip, put(x, NID_subject_alt_name, "DNS:" HOST ",IP:192.0.2.9"))
TWIST(san_wild, put(x, NID_subject_alt_name, "DNS:*.example.com"))
TWIST(san_wild_top, put(x, NID_subject_alt_name, "DNS:*.com"))
TWIST(san_dot, put(x, NID_subject_alt_name, "DNS:.example.com,DNS:" HOST))
TWIST(san_dots, put(x, NID_subject_alt_name, "DNS:b..example.com,DNS:" HOST))
TWIST(san_mail, put(x, NID_subject_alt_name, "email:a@b@c,DNS:" HOST))
TWIST(san_underscore, put(x, NID_subject_alt_name, "DNS:a_b.example.com,DNS:" HOST))
TWIST(explicit_policy, put(x, NID_policy_constraints, "critical,requireExplicitPolicy:0"))
TWIST(any_eku, put(x, NID_ext_key_usage, "anyExtendedKeyUsage"))
TWIST(client_eku, put(x, NID_ext_key_usage, "clientAuth"))
TWIST(no_seconds, not_after(x, "2801010000Z"))
TWIST(no_zone, not_after(x, "280101000000"))
TWIST(february_30, not_after(x, "280230000000Z"))
TWIST(ends_before, not_after(x, "250101000000Z"))
TWIST(wrong_century, not_after(x, "20280101000000Z"))

/* ---- one thing wrong ---- */

enum where { ROOT, MIDDLE, LEAF };
static const struct {
	const char *what;
	enum where where;
	void (*twist)(X509 *x);
	const char *expected;
	bool strict;
	enum trust_rule_kind rule;
} table[] = {
	{ "nothing", LEAF, NULL, "accepted", false, 0 },
	{ "nothing, strictly", LEAF, NULL, "accepted", true, 0 },
	{ "serial 0", LEAF, t_zero_serial, "certificate-malformed", false, 0 },
	{ "serial 0 of a root", ROOT, t_zero_serial, "accepted", false, 0 },
	{ "serial -5", LEAF, t_negative_serial, "certificate-malformed", false, 0 },
	{ "serial of 21 octets", MIDDLE, t_long_serial, "certificate-malformed", false, 0 },
	{ "serial of 20 octets", MIDDLE, t_longest_serial, "accepted", false, 0 },
	{ "version 1 with extensions", LEAF, t_version_1, "certificate-malformed", false, 0 },
	{ "version 4", LEAF, t_version_4, "certificate-malformed", false, 0 },
	{ "unknown critical extension", LEAF, t_unknown_critical, "critical-extension-unknown", false, 0 },
	{ "unknown critical extension of a CA", MIDDLE, t_unknown_critical, "critical-extension-unknown", false, 0 },
	{ "unknown critical extension of a root", ROOT, t_unknown_critical, "critical-extension-unknown", false, 0 },
	{ "unknown extension", LEAF, t_unknown, "accepted", false, 0 },
	{ "unknown extension twice", LEAF, t_twice, "certificate-malformed", false, 0 },
	{ "usages twice", LEAF, t_usage_twice, "certificate-malformed", false, 0 },
	{ "SAN that is text", LEAF, t_san_text, "certificate-malformed", false, 0 },
	{ "SAN of nothing", LEAF, t_san_empty, "certificate-malformed", false, 0 },
	{ "SAN with something behind it", LEAF, t_san_trailing, "certificate-malformed", false, 0 },
	{ "SAN in BER", LEAF, t_san_ber, "certificate-malformed", false, 0 },
	{ "usages of nothing", LEAF, t_eku_empty, "certificate-malformed", false, 0 },
	{ "AIA of bytes", LEAF, t_aia_bytes, "certificate-malformed", false, 0 },
	{ "critical SKI", ROOT, t_ski_critical, "certificate-malformed", false, 0 },
	{ "critical AKI", LEAF, t_aki_critical, "certificate-malformed", false, 0 },
	{ "no AKI", LEAF, t_no_aki, "accepted", false, 0 },
	{ "no AKI, strictly", LEAF, t_no_aki, "profile-not-kept", true, 0 },
	{ "no SKI of a CA", MIDDLE, t_no_ski, "accepted", false, 0 },
	{ "no SKI of a CA, strictly", ROOT, t_no_ski, "profile-not-kept", true, 0 },
	{ "CA without basic constraints", MIDDLE, t_no_basic, "issuer-is-no-ca", false, 0 },
	{ "root without basic constraints", ROOT, t_no_basic, "issuer-is-no-ca", false, 0 },
	{ "CA that is none", MIDDLE, t_not_ca, "issuer-is-no-ca", false, 0 },
	{ "leaf without basic constraints", LEAF, t_no_basic, "accepted", false, 0 },
	{ "basic constraints not critical", MIDDLE, t_basic_not_critical, "accepted", false, 0 },
	{ "basic constraints not critical, strictly", MIDDLE, t_basic_not_critical, "profile-not-kept", true, 0 },
	{ "path length without CA", LEAF, t_path_len_no_ca, "certificate-malformed", false, 0 },
	{ "CA without keyCertSign", MIDDLE, t_no_cert_sign, "issuer-may-not-sign", false, 0 },
	{ "leaf with keyCertSign", LEAF, t_leaf_cert_sign, "certificate-malformed", false, 0 },
	{ "key usage without a bit", LEAF, t_usage_of_nothing, "certificate-malformed", false, 0 },
	{ "CA without key usage", MIDDLE, t_no_key_usage, "accepted", false, 0 },
	{ "empty subject, SAN not critical", LEAF, t_no_subject, "certificate-malformed", false, 0 },
	{ "empty subject, SAN critical", LEAF, t_no_subject_critical, "accepted", false, 0 },
	{ "empty issuer", LEAF, t_no_issuer, "certificate-malformed", false, 0 },
	{ "name constraints of a leaf", LEAF, t_leaf_constraints, "certificate-malformed", false, 0 },
	{ "empty name constraints", MIDDLE, t_empty_constraints, "certificate-malformed", false, 0 },
	{ "permitted: another domain", MIDDLE, t_permit_other, "name-outside-constraints", false, 0 },
	{ "permitted by the root: another domain", ROOT, t_permit_other, "name-outside-constraints", false, 0 },
	{ "permitted with a dot", MIDDLE, t_permit_dot, "accepted", false, 0 },
	{ "permitted with a dot, strictly", MIDDLE, t_permit_dot, "profile-not-kept", true, 0 },
	{ "permitted, not critical", MIDDLE, t_permit_loosely, "accepted", false, 0 },
	{ "permitted, not critical, strictly", MIDDLE, t_permit_loosely, "profile-not-kept", true, 0 },
	{ "excluded: our domain", MIDDLE, t_exclude_ours, "name-outside-constraints", false, 0 },
	{ "excluded: another name", MIDDLE, t_exclude_b, "accepted", false, 0 },
	{ "wildcard", LEAF, t_san_wild, "name-in-cn-only", false, TRUST_RULE_RFC5922 },
	{ "wildcard for web clients", LEAF, t_san_wild, "accepted", false, TRUST_RULE_RFC9525 },
	{ "wildcard of a top-level domain", LEAF, t_san_wild_top, "name-in-cn-only", false, TRUST_RULE_RFC9525 },
	{ "DNS name with a dot before it", LEAF, t_san_dot, "certificate-malformed", false, 0 },
	{ "DNS name with an empty label", LEAF, t_san_dots, "certificate-malformed", false, 0 },
	{ "mailbox that is none", LEAF, t_san_mail, "certificate-malformed", false, 0 },
	{ "underscore", LEAF, t_san_underscore, "accepted", false, 0 },
	{ "underscore, strictly", LEAF, t_san_underscore, "profile-not-kept", true, 0 },
	{ "policy demanded", MIDDLE, t_explicit_policy, "certificate-policy-missing", false, 0 },
	{ "any usage of a leaf", LEAF, t_any_eku, "certificate-wrong-purpose", false, 0 },
	{ "any usage of a CA", MIDDLE, t_any_eku, "accepted", false, 0 },
	{ "other usage of a CA", MIDDLE, t_client_eku, "authority-wrong-purpose", false, 0 },
	{ "other usage of a root", ROOT, t_client_eku, "authority-wrong-purpose", false, 0 },
	{ "other usage of a leaf", LEAF, t_client_eku, "certificate-wrong-purpose", false, 0 },
	{ "key usage for documents", LEAF, t_documents, "certificate-wrong-key-usage", false, 0 },
	{ "basic constraints of a CA twice", MIDDLE, t_basic_twice, "certificate-malformed", false, 0 },
	{ "negative path length", MIDDLE, t_negative_path, "certificate-malformed", false, 0 },
	{ "permitted: a network of seven bytes", MIDDLE, t_permit_seven, "certificate-malformed", false, 0 },
	{ "permitted: a mask with holes", MIDDLE, t_permit_holes, "certificate-malformed", false, 0 },
	{ "date without seconds", LEAF, t_no_seconds, "certificate-malformed", false, 0 },
	{ "date without zone", LEAF, t_no_zone, "certificate-malformed", false, 0 },
	{ "February 30", LEAF, t_february_30, "certificate-malformed", false, 0 },
	{ "ends before it begins", LEAF, t_ends_before, "certificate-malformed", false, 0 },
	{ "date of the other form", LEAF, t_wrong_century, "accepted", false, 0 },
	{ "date of the other form, strictly", LEAF, t_wrong_century, "profile-not-kept", true, 0 },
};

struct trio {
	struct tc root, middle, leaf;
};

static void make(struct trio *t, enum where where, void (*twist)(X509 *x))
{
	tc_make(&t->root, &(struct tc_prm){ .cn = "Root", .ca = true, .from_days = -30, .to_days = 3650, .twist = where == ROOT ? twist : NULL });
	tc_make(&t->middle, &(struct tc_prm){ .cn = "Middle", .ca = true, .issuer = &t->root, .from_days = -5, .to_days = 900,
					      .twist = where == MIDDLE ? twist : NULL });
	tc_make(&t->leaf, &(struct tc_prm){ .cn = HOST, .san = "DNS:" HOST, .issuer = &t->middle, .from_days = -1, .to_days = 300,
					    .twist = where == LEAF ? twist : NULL });
}

static void drop_trio(struct trio *t)
{
	tc_free(&t->leaf);
	tc_free(&t->middle);
	tc_free(&t->root);
}

static void one_thing_twisted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
		struct trio t;
		make(&t, table[i].where, table[i].twist);
		const char *got = ask(&(struct ask){ .roots = &t.root.cert, .n_roots = 1, .chain = (X509 *[]){ t.leaf.cert, t.middle.cert }, .n_chain = 2,
						     .strict = table[i].strict, .rule = table[i].rule });
		if (strcmp(got, table[i].expected) != 0)
			fail_msg("%s: %s instead of %s", table[i].what, got, table[i].expected);
		drop_trio(&t);
	}
}

/* Two twists at once: constraints of the CA and names of the leaf. */
static void addresses_and_wildcards_under_constraints(void **state)
{
	(void)state;
	static const struct {
		void (*ca)(X509 *x), (*leaf)(X509 *x);
		const char *expected, *host;
		enum trust_rule_kind rule;
	} pairs[] = {
		{ t_permit_net, t_san_inner_ip, "accepted", HOST, TRUST_RULE_RFC5922 },
		{ t_permit_net, t_san_inner_ip, "accepted", "192.0.2.9", TRUST_RULE_RFC5922 },
		{ t_permit_net, t_san_outer_ip, "name-outside-constraints", HOST, TRUST_RULE_RFC5922 },
		{ t_exclude_bad_uri, t_san_uri, "accepted", HOST, TRUST_RULE_RFC5922 },
		{ t_exclude_bad_uri, t_san_uri_user, "name-outside-constraints", HOST, TRUST_RULE_RFC5922 },
		{ t_exclude_bad_uri, t_san_uri_query, "name-outside-constraints", HOST, TRUST_RULE_RFC5922 },
		{ t_exclude_b, t_san_wild, "name-outside-constraints", "b.example.com", TRUST_RULE_RFC9525 },
		{ t_exclude_b, t_san_wild, "name-outside-constraints", HOST, TRUST_RULE_RFC9525 },
	};
	for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct tc root, leaf;
		tc_make(&root, &(struct tc_prm){ .cn = "Root", .ca = true, .twist = pairs[i].ca });
		tc_make(&leaf, &(struct tc_prm){ .cn = HOST, .san = "DNS:" HOST, .issuer = &root, .twist = pairs[i].leaf });
		assert_string_equal(ask(&(struct ask){ .roots = &root.cert, .n_roots = 1, .chain = &leaf.cert, .n_chain = 1, .host = pairs[i].host,
						       .rule = pairs[i].rule }),
				    pairs[i].expected);
		tc_free(&leaf);
		tc_free(&root);
	}
}

/* A CN that cannot count need not keep the constraints; one that can must. */
static void common_names_under_constraints(void **state)
{
	(void)state;
	struct tc root, leaf;
	tc_make(&root, &(struct tc_prm){ .cn = "Root", .ca = true, .constraints = "permitted;DNS:example.com" });
	tc_make(&leaf, &(struct tc_prm){ .cn = "other.example.org", .san = "DNS:" HOST, .issuer = &root });
	struct ask a = { .roots = &root.cert, .n_roots = 1, .chain = &leaf.cert, .n_chain = 1 };
	assert_string_equal(ask(&a), "accepted");
	a.rule = TRUST_RULE_CN_ONLY;
	a.host = "other.example.org";
	assert_string_equal(ask(&a), "name-outside-constraints");
	a.rule = TRUST_RULE_SAN_OR_CN;
	assert_string_equal(ask(&a), "name-outside-constraints");
	tc_free(&leaf);
	tc_free(&root);
}

static void the_last_second_counts(void **state)
{
	(void)state;
	struct trio t;
	make(&t, LEAF, NULL);
	struct ask a = { .roots = &t.root.cert, .n_roots = 1, .chain = (X509 *[]){ t.leaf.cert, t.middle.cert }, .n_chain = 2 };
	int64_t end = TC_NOW + INT64_C(300) * 86400, begin = TC_NOW - 86400;
	a.at_s = end;
	assert_string_equal(ask(&a), "accepted");
	a.at_s = end + 1;
	assert_string_equal(ask(&a), "certificate-expired");
	a.at_s = begin;
	assert_string_equal(ask(&a), "accepted");
	a.at_s = begin - 1;
	assert_string_equal(ask(&a), "certificate-not-yet-valid");
	drop_trio(&t);
}

static void weak_and_strange_keys(void **state)
{
	(void)state;
	static const struct {
		const char *kind;
		unsigned bits;
		const char *curve, *expected;
	} keys[] = { { "RSA", 1024, NULL, "certificate-too-weak" }, { "RSA", 2048, NULL, "accepted" }, { "EC", 0, "P-192", "certificate-too-weak" },
		     { "EC", 0, "P-384", "accepted" }, { "ED25519", 0, NULL, "accepted" } };
	struct tc root, leaf;
	tc_root(&root, "Root");
	for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++) {
		EVP_PKEY *key = keys[i].bits ? EVP_PKEY_Q_keygen(NULL, NULL, keys[i].kind, (size_t)keys[i].bits) :
				keys[i].curve ? EVP_PKEY_Q_keygen(NULL, NULL, keys[i].kind, keys[i].curve) :
						EVP_PKEY_Q_keygen(NULL, NULL, keys[i].kind);
		tc_make(&leaf, &(struct tc_prm){ .cn = HOST, .san = "DNS:" HOST, .issuer = &root, .key = key });
		assert_string_equal(ask(&(struct ask){ .roots = &root.cert, .n_roots = 1, .chain = &leaf.cert, .n_chain = 1 }), keys[i].expected);
		tc_free(&leaf);
		EVP_PKEY_free(key);
	}
	tc_make(&leaf, &(struct tc_prm){ .cn = HOST, .san = "DNS:" HOST, .issuer = &root, .md = EVP_sha1() });
	assert_string_equal(ask(&(struct ask){ .roots = &root.cert, .n_roots = 1, .chain = &leaf.cert, .n_chain = 1 }), "certificate-too-weak");
	tc_free(&leaf);
	tc_free(&root);
}

static void a_signature_that_does_not_fit(void **state)
{
	(void)state;
	struct trio t, other;
	make(&t, LEAF, NULL);
	make(&other, LEAF, NULL); /* the same names, other keys */
	drop(other.leaf.cert, NID_authority_key_identifier);
	X509 *chain[] = { t.leaf.cert, other.middle.cert };
	const char *got = ask(&(struct ask){ .roots = &t.root.cert, .n_roots = 1, .chain = chain, .n_chain = 2 });
	assert_true(strcmp(got, "issuer-not-trusted") == 0 || strcmp(got, "certificate-damaged") == 0);
	drop_trio(&other);
	drop_trio(&t);
}

/* ---- several ways ---- */

static void order_and_strangers_do_not_matter(void **state)
{
	(void)state;
	struct trio t, other;
	struct tc deep, leaf;
	make(&t, LEAF, NULL);
	make(&other, LEAF, NULL);
	tc_make(&deep, &(struct tc_prm){ .cn = "Deep", .ca = true, .issuer = &t.middle });
	tc_leaf(&leaf, &deep, HOST, "DNS:" HOST);
	X509 *chain[] = { leaf.cert, t.root.cert, other.middle.cert, t.middle.cert, other.root.cert, other.leaf.cert, deep.cert, deep.cert };
	struct ask a = { .roots = &t.root.cert, .n_roots = 1, .chain = chain, .n_chain = 8 };
	assert_string_equal(ask(&a), "accepted");
	a.depth = 2;
	assert_string_equal(ask(&a), "accepted");
	a.depth = 1;
	assert_string_equal(ask(&a), "chain-too-long");
	tc_free(&leaf);
	tc_free(&deep);
	drop_trio(&other);
	drop_trio(&t);
}

/* The same CA, certified by two roots; one way is spoilt, the other must be found whichever comes first. */
static void the_other_way_is_found(void **state)
{
	(void)state;
	static void (*const spoils[])(X509 *x) = { NULL, t_unknown_critical, t_permit_other, t_not_ca, t_client_eku, t_twice };
	struct tc root, second, leaf;
	tc_root(&root, "Root");
	tc_root(&second, "Second");
	for (unsigned i = 0; i < sizeof spoils / sizeof *spoils; i++) {
		struct tc good, bad;
		tc_make(&good, &(struct tc_prm){ .cn = "Middle", .ca = true, .issuer = &root });
		tc_make(&bad, &(struct tc_prm){ .cn = "Middle", .ca = true, .issuer = &second, .key = good.key, .twist = spoils[i],
						.from_days = i ? -3 : -9, .to_days = i ? 100 : -1 });
		tc_leaf(&leaf, &good, HOST, "DNS:" HOST);
		X509 *roots[] = { root.cert, second.cert }, *one[] = { leaf.cert, good.cert, bad.cert }, *two[] = { leaf.cert, bad.cert, good.cert };
		assert_string_equal(ask(&(struct ask){ .roots = roots, .n_roots = 2, .chain = one, .n_chain = 3 }), "accepted");
		assert_string_equal(ask(&(struct ask){ .roots = roots, .n_roots = 2, .chain = two, .n_chain = 3 }), "accepted");
		assert_string_not_equal(ask(&(struct ask){ .roots = roots, .n_roots = 2, .chain = (X509 *[]){ leaf.cert, bad.cert }, .n_chain = 2 }), "accepted");
		tc_free(&leaf);
		tc_free(&bad);
		tc_free(&good);
	}
	tc_free(&second);
	tc_free(&root);
}

/* A root's new key certified by its old one, and the other way round: a circle that leads nowhere, and one that does. */
static void circles_end(void **state)
{
	(void)state;
	struct tc a, b, a_by_b, b_by_a, leaf, root;
	tc_root(&root, "Root");
	tc_root(&a, "A");
	tc_root(&b, "B");
	tc_make(&a_by_b, &(struct tc_prm){ .cn = "A", .ca = true, .issuer = &b, .key = a.key });
	tc_make(&b_by_a, &(struct tc_prm){ .cn = "B", .ca = true, .issuer = &a, .key = b.key });
	tc_leaf(&leaf, &a, HOST, "DNS:" HOST);
	X509 *chain[] = { leaf.cert, a_by_b.cert, b_by_a.cert };
	assert_string_equal(ask(&(struct ask){ .roots = &root.cert, .n_roots = 1, .chain = chain, .n_chain = 3 }), "issuer-not-trusted");
	assert_string_equal(ask(&(struct ask){ .roots = &b.cert, .n_roots = 1, .chain = chain, .n_chain = 3 }), "accepted");
	assert_string_equal(ask(&(struct ask){ .roots = &a.cert, .n_roots = 1, .chain = chain, .n_chain = 3 }), "accepted");
	tc_free(&leaf);
	tc_free(&b_by_a);
	tc_free(&a_by_b);
	tc_free(&b);
	tc_free(&a);
	tc_free(&root);
}

/* Fifty certificates of one CA's name, each signed by the one before: every one could be the issuer of every other. */
static void a_chain_made_to_explode_is_refused(void **state)
{
	(void)state;
	enum { N = 50 };
	struct tc root, ca[N], leaf;
	X509 *chain[N + 1];
	tc_root(&root, "Root");
	for (unsigned i = 0; i < N; i++) {
		tc_make(&ca[i], &(struct tc_prm){ .cn = "Same", .ca = true, .issuer = i ? &ca[i - 1] : NULL, .twist = t_no_aki });
		chain[i + 1] = ca[i].cert;
	}
	tc_make(&leaf, &(struct tc_prm){ .cn = HOST, .san = "DNS:" HOST, .issuer = &ca[N - 1], .twist = t_no_aki });
	chain[0] = leaf.cert;
	const char *got = ask(&(struct ask){ .roots = &root.cert, .n_roots = 1, .chain = chain, .n_chain = N + 1 });
	assert_true(strcmp(got, "chain-too-complex") == 0 || strcmp(got, "root-not-trusted") == 0 || strcmp(got, "issuer-not-trusted") == 0);
	tc_free(&leaf);
	for (unsigned i = 0; i < N; i++)
		tc_free(&ca[i]);
	tc_free(&root);
}

/* A peer's own certificate may stand in the list itself, whoever issued it. */
static void a_leaf_that_is_trusted_itself(void **state)
{
	(void)state;
	struct tc self, root, leaf;
	tc_root(&root, "Root");
	tc_make(&self, &(struct tc_prm){ .cn = HOST, .san = "DNS:" HOST, .twist = t_leaf_cert_sign });
	tc_leaf(&leaf, &root, HOST, "DNS:" HOST);
	assert_string_equal(ask(&(struct ask){ .roots = &self.cert, .n_roots = 1, .chain = &self.cert, .n_chain = 1 }), "accepted");
	assert_string_equal(ask(&(struct ask){ .roots = &leaf.cert, .n_roots = 1, .chain = &leaf.cert, .n_chain = 1 }), "accepted");
	assert_string_equal(ask(&(struct ask){ .roots = &leaf.cert, .n_roots = 1, .chain = &self.cert, .n_chain = 1 }), "certificate-malformed");
	tc_free(&leaf);
	tc_free(&self);
	tc_free(&root);
}

/* ---- revocation ---- */

static void who_must_be_covered(void **state)
{
	(void)state;
	struct trio t;
	make(&t, LEAF, NULL);
	X509_CRL *of_middle = tc_crl(&t.middle, NULL), *of_root = tc_crl(&t.root, NULL), *takes_leaf = tc_crl(&t.middle, t.leaf.cert),
		 *takes_middle = tc_crl(&t.root, t.middle.cert);
	struct ask a = { .roots = &t.root.cert, .n_roots = 1, .chain = (X509 *[]){ t.leaf.cert, t.middle.cert }, .n_chain = 2, .n_crls = 1 };
	a.crls = &of_middle;
	assert_string_equal(ask(&a), "accepted");
	a.full = true;
	assert_string_equal(ask(&a), "revocation-unknown");
	a.crls = (X509_CRL *[]){ of_middle, of_root };
	a.n_crls = 2;
	assert_string_equal(ask(&a), "accepted");
	a.full = false;
	a.crls = (X509_CRL *[]){ of_middle, takes_middle };
	assert_string_equal(ask(&a), "certificate-revoked");
	a.crls = (X509_CRL *[]){ takes_leaf, of_root };
	assert_string_equal(ask(&a), "certificate-revoked");
	a.crls = &of_root;
	a.n_crls = 1;
	assert_string_equal(ask(&a), "revocation-unknown");
	a.crls = &of_middle;
	a.at_s = TC_NOW + INT64_C(30) * 86400;
	assert_string_equal(ask(&a), "accepted");
	a.at_s++;
	assert_string_equal(ask(&a), "revocation-list-old");
	X509_CRL_free(of_middle);
	X509_CRL_free(of_root);
	X509_CRL_free(takes_leaf);
	X509_CRL_free(takes_middle);
	drop_trio(&t);
}

static void lists_that_are_not_the_issuers(void **state)
{
	(void)state;
	struct trio t, other;
	make(&t, LEAF, NULL);
	make(&other, LEAF, NULL);
	X509_CRL *forged = tc_crl(&other.middle, NULL); /* the right name, another key */
	struct ask a = { .roots = &t.root.cert, .n_roots = 1, .chain = (X509 *[]){ t.leaf.cert, t.middle.cert }, .n_chain = 2, .crls = &forged, .n_crls = 1 };
	assert_string_equal(ask(&a), "revocation-list-not-authentic");
	X509_CRL_free(forged);
	drop_trio(&other);
	drop_trio(&t);
}

/* ---- the encoding ---- */

static void nothing_stands_behind_a_certificate(void **state)
{
	(void)state;
	struct tc c;
	STACK_OF(X509) *read = NULL;
	tc_root(&c, "Root");
	for (unsigned extra = 0; extra < 2; extra++) {
		uint8_t *der = NULL, *room;
		char *p;
		int n = i2d_X509(c.cert, &der);
		BIO *bio = BIO_new(BIO_s_mem());
		assert_non_null(room = OPENSSL_zalloc((size_t)n + 1));
		memcpy(room, der, (size_t)n);
		PEM_write_bio(bio, "CERTIFICATE", "", room, n + (long)extra);
		long len = BIO_get_mem_data(bio, &p);
		assert_int_equal(trust_pem_certs(&read, text_make(p, (size_t)len)), extra ? EBADMSG : 0);
		if (!extra)
			sk_X509_pop_free(read, X509_free);
		BIO_free(bio);
		OPENSSL_free(room);
		OPENSSL_free(der);
	}
	tc_free(&c);
}

static void what_is_der(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n;
		bool good;
	} rows[] = {
#define B(s, ok) { s, sizeof s - 1, ok }
		B("\x30\x00", true), B("\x30\x03\x02\x01\x05", true), B("\x01\x01\xff", true), B("\x01\x01\x00", true), B("\x02\x02\x00\x80", true),
		B("\x03\x02\x07\x80", true), B("\x06\x03\x2a\x86\x48", true), B("\x05\x00", true), B("\xa0\x03\x02\x01\x02", true),
		B("", false), B("\x30", false), B("\x30\x01", false), B("\x30\x00\x00", false), B("\x30\x80\x00\x00", false),
		B("\x30\x81\x03\x02\x01\x05", false), B("\x01\x01\x01", false), B("\x01\x02\xff\xff", false), B("\x02\x02\x00\x7f", false),
		B("\x02\x02\xff\x80", false), B("\x02\x00", false), B("\x03\x01\x01", false), B("\x03\x02\x07\x81", false), B("\x03\x00", false),
		B("\x06\x00", false), B("\x06\x02\x80\x01", false), B("\x06\x01\x80", false), B("\x05\x01\x00", false), B("\x24\x04\x04\x02" "ab", false),
		B("\x10\x00", false), B("\x1f\x81\x01\x00", false), B("\x30\x85\x01\x00\x00\x00\x00", false),
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		if (der_is_one((const uint8_t *)rows[i].bytes, rows[i].n) != rows[i].good)
			fail_msg("row %u", i);
	uint8_t deep[200];
	for (unsigned i = 0; i < 100; i++) {
		deep[2 * i] = 0x30;
		deep[2 * i + 1] = (uint8_t)(198 - 2 * i > 127 ? 127 : 198 - 2 * i);
	}
	assert_false(der_is_one(deep, sizeof deep));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UT(one_thing_twisted), UT(addresses_and_wildcards_under_constraints), UT(common_names_under_constraints), UT(the_last_second_counts),
		UT(weak_and_strange_keys), UT(a_signature_that_does_not_fit), UT(order_and_strangers_do_not_matter), UT(the_other_way_is_found),
		UT(circles_end), UT(a_chain_made_to_explode_is_refused), UT(a_leaf_that_is_trusted_itself), UT(who_must_be_covered),
		UT(lists_that_are_not_the_issuers), UT(nothing_stands_behind_a_certificate), UT(what_is_der),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
