/* SPDX-License-Identifier: Apache-2.0 */
/* profile_rows_test.c  The rows of profiles.def one by one: what was measured or read of each verifier, and what must hold for all of them. */
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include "base/buf.h"
#include "base/mem.h"
#include "support/certs.h"
#include "trust/profile.h"
#include "trust/rule.h"
#include "ut.h"

#define POOL "pool.example.com"
#define NODE "node1.example.com"

/* "+" accepts, "?" cannot say, else the stable name of the refusal. */
static void expect(const char *what, const char *profile, const struct trust_answer *a, const char *want)
{
	bool as_wanted = *want == '+' ? a->kind == TRUST_ACCEPTS : *want == '?' ? a->kind == TRUST_CANNOT_SAY :
									       a->kind == TRUST_REFUSES && strcmp(a->name, want) == 0;
	if (!as_wanted)
		fail_msg("%s, %s: wanted %s, got %s (%s): %s", what, profile, want, trust_answer_kind_name(a->kind), a->name, a->sentence);
}

static void ask(const char *profile, const struct trust_question *q, struct trust_answer *a)
{
	const struct trust_profile *p = trust_profile_find(profile);
	if (!p)
		fail_msg("there is no profile %s", profile);
	trust_profile_judge(p, q, a);
}

/* ---- names: a row a certificate ---- */

static const struct names_case {
	const char *profile, *cn, *san, *reference, *want;
	bool critical;
} names_cases[] = {
	/* OpenSSL, as measured: the CN is ignored as soon as there is one DNS name, and used beside IP and URI only */
	{ "openssl", POOL, "DNS:" NODE, POOL, "name-in-cn-only", false },
	{ "openssl", POOL, "DNS:" NODE, NODE, "+", false },
	{ "openssl", POOL, "IP:192.0.2.1", POOL, "+", false },
	{ "openssl", POOL, "URI:sip:example.com", POOL, "+", false },
	{ "openssl", NODE, "URI:sip:" POOL, POOL, "name-in-uri-only", false },
	{ "openssl", "x", "DNS:*.example.com", POOL, "+", false },
	{ "openssl", "x", "DNS:*.example.com", "example.com", "name-mismatch", false },
	{ "openssl", "x", "DNS:*.example.com", "a.b.example.com", "name-mismatch", false },
	{ "openssl", "x", "DNS:po*.example.com", POOL, "+", false },
	{ "openssl", "x", "DNS:" POOL, POOL ".", "name-trailing-dot", false },
	{ "openssl", "x", "DNS:" POOL, "POOL.Example.COM", "+", false },
	{ "openssl", "x", "DNS:192.0.2.1", "192.0.2.1", "address-as-name", false },
	{ "openssl", "x", "IP:192.0.2.1", "192.0.2.1", "+", false },
	{ "openssl", "x", "IP:2001:db8::1", "2001:DB8:0::1", "+", false },
	/* re: the whole label only; dialled by an address, nothing is compared */
	{ "baresip-re", "x", "DNS:po*.example.com", POOL, "name-by-wildcard", false },
	{ "baresip-re", "x", "DNS:*.example.com", POOL, "+", false },
	{ "baresip-re", "x", "DNS:" NODE, "192.0.2.1", "+", false },
	/* PJSIP: the rest of a sip: or sips: URI as a whole; addresses as text; the CN always, and the first of several */
	{ "asterisk-pjsip", "x", "URI:sip:" POOL, POOL, "+", false },
	{ "asterisk-pjsip", "x", "URI:sips:" POOL, POOL, "+", false },
	{ "asterisk-pjsip", "x", "URI:sip:bob@" POOL, POOL, "name-with-user", false },
	{ "asterisk-pjsip", "x", "DNS:192.0.2.1", "192.0.2.1", "+", false },
	{ "asterisk-pjsip", "x", "IP:192.0.2.1", "192.0.2.1", "+", false },
	{ "asterisk-pjsip", POOL, "DNS:" NODE, "192.0.2.1", "name-mismatch", false },
	{ "asterisk-tcptls", "x", "DNS:" POOL, POOL, "+", false },
	{ "asterisk-tcptls", "x", "URI:sip:" POOL, POOL, "name-in-uri-only", false },
	/* Sofia: sip: URIs count, sips: URIs do not */
	{ "freeswitch-sofia", "x", "URI:sip:" POOL, POOL, "+", false },
	{ "freeswitch-sofia", "x", "URI:sips:" POOL, POOL, "name-in-sips-uri", false },
	{ "freeswitch-sofia", "x", "DNS:*.example.com", POOL, "name-by-wildcard", false },
	/* reSIProcate: the host of any URI; the CN only when nothing else is there */
	{ "resiprocate", "x", "URI:sip:bob@" POOL, POOL, "+", false },
	{ "resiprocate", "x", "IP:192.0.2.1", "192.0.2.1", "+", false },
	{ "resiprocate", POOL, "IP:192.0.2.1", POOL, "name-in-cn-only", false },
	/* libraries, as measured by tests/conformance: where a star may stand, whether dots at the end count, when the CN does */
	{ "openssl", "x", "DNS:*.example.com", "um_1.example.com", "name-by-wildcard", false },
	{ "gnutls", "x", "DNS:*1.example.com", NODE, "+", false },
	{ "gnutls", "x", "DNS:po*.example.com", POOL, "name-by-wildcard", false },
	{ "gnutls", "x", "DNS:*.example.com", "um_1.example.com", "+", false },
	{ "gnutls", "x", "DNS:" POOL, POOL ".", "+", false },
	{ "gnutls", "x", "DNS:" POOL ".", POOL ".", "name-trailing-dot", false },
	{ "gnutls", POOL, "URI:sip:example.com", POOL, "name-in-cn-only", false },
	{ "gnutls", POOL, "IP:192.0.2.1", POOL, "name-in-cn-only", false },
	{ "gnutls", POOL, "email:a@" POOL, POOL, "+", false },
	{ "java", "x", "DNS:a.*.example.com", "a.b.example.com", "+", false },
	{ "java", "x", "DNS:p*o*l.example.com", POOL, "+", false },
	{ "java", "x", "DNS:*.com", "example.com", "+", false },
	{ "java", "x", "DNS:pool.example.*", POOL, "name-mismatch", false },
	{ "java", "x", "DNS:*.example.com.", POOL, "name-mismatch", false },
	{ "java", "x", "DNS:um_1.example.com", "um_1.example.com", "reference-no-host-name", false },
	{ "java", "x", "IP:::ffff:192.0.2.1", "192.0.2.1", "+", false },
	{ "java", "x", "IP:::fffe:192.0.2.1", "192.0.2.1", "name-mismatch", false },
	{ "go", POOL, NULL, POOL, "name-in-cn-only", false },
	{ "go", "x", "DNS:*.com", "example.com", "+", false },
	{ "go", "x", "DNS:*", "um1", "+", false },
	{ "go", "x", "DNS:*", POOL, "name-mismatch", false },
	{ "go", "x", "DNS:po*.example.com", POOL, "name-by-wildcard", false },
	{ "go", "x", "DNS:" POOL ".", POOL ".", "+", false },
	{ "node", "x", "DNS:p*l.example.com", POOL, "+", false },
	{ "node", "x", "DNS:" POOL ".", POOL, "+", false },
	{ "curl", "x", "DNS:po*.example.com", POOL, "name-by-wildcard", false },
	{ "curl", "x", "DNS:" POOL ".", POOL, "+", false },
	{ "curl", "192.0.2.1", NULL, "192.0.2.1", "+", false },
	{ "curl", POOL, "IP:192.0.2.1", POOL, "name-in-cn-only", false },
	{ "curl", POOL, "URI:sip:example.com", POOL, "+", false },
	/* Microsoft */
	{ "lync", "*.example.com", NULL, POOL, "name-by-wildcard", false },
	{ "lync", "x", "DNS:*.example.com", POOL, "?", false },
	{ "exchange-um", "x", "DNS:" POOL, POOL, "?", false },
	{ "exchange-um", POOL, "DNS:" POOL, POOL, "+", false },
	{ "ocs", "x", "DNS:" POOL, POOL, "+", false },
	{ "ocs", POOL, "DNS:" POOL, POOL ".", "?", false }, /* does it drop the dot? */
	{ "teams-direct-routing", "*.example.com", NULL, POOL, "+", false },
	{ "teams-direct-routing", "*.example.com", NULL, "a." POOL, "name-mismatch", false },
	/* AudioCodes: a critical SAN without a hit is the end, otherwise the CN is looked at */
	{ "audiocodes", POOL, "DNS:" NODE, POOL, "+", false },
	{ "audiocodes", POOL, "DNS:" NODE, POOL, "san-critical", true },
	{ "expressway", POOL, "DNS:" NODE, POOL, "name-in-cn-only", false },
	{ "expressway", "x", "IP:192.0.2.1", "192.0.2.1", "+", false },
	/* nothing is known, until the name stands wherever it could count */
	{ "ribbon", POOL, NULL, POOL, "?", false },
	{ "ribbon", POOL, "DNS:" POOL, POOL, "+", false },
	{ "ribbon", NODE, "DNS:" NODE, POOL, "name-mismatch", false },
	/* standards */
	{ "rfc9525", POOL, NULL, POOL, "name-in-cn-only", false },
	{ "rfc9525", "x", "DNS:*.example.com", POOL, "?", false },
	{ "rfc5922", "x", "URI:sip:example.com,DNS:" POOL, POOL, "name-behind-uri", false },
	/* no name, whatever it is */
	{ "kamailio", "x", "DNS:x.example.org", POOL, "+", false },
	{ "opensips", "x", NULL, POOL, "+", false },
	{ "yate", "x", NULL, POOL, "+", false },
	{ "drachtio", "x", NULL, POOL, "+", false },
};

static void names(void **state)
{
	(void)state;
	struct trust_answer a;
	for (unsigned i = 0; i < sizeof names_cases / sizeof *names_cases; i++) {
		const struct names_case *n = &names_cases[i];
		char what[256];
		struct tc c;
		snprintf(what, sizeof what, "case %u, CN %s, SAN %s, dialled as %s", i, n->cn, n->san ? n->san : "none", n->reference);
		tc_make(&c, &(struct tc_prm){ .cn = n->cn, .san = n->san, .san_critical = n->critical });
		ask(n->profile, &(struct trust_question){ .leaf = c.cert, .reference = n->reference, .now_s = TC_NOW, .enabled = TRUST_SWITCHED_ON }, &a);
		expect(what, n->profile, &a, n->want);
		assert_int_equal(a.kind == TRUST_REFUSES, a.sees[0] != '\0');
		tc_free(&c);
	}
}

/* ---- usages, as measured with OpenSSL in both roles, and as others are known to take them ---- */

static const struct usage_case {
	const char *eku, *profile, *server, *client;
} usage_cases[] = {
	{ "serverAuth,clientAuth", "openssl", "+", "+" },
	{ "serverAuth", "openssl", "+", "wrong-usage" },
	{ "clientAuth", "openssl", "wrong-usage", "+" },
	{ "1.3.6.1.5.5.7.3.20", "openssl", "wrong-usage", "wrong-usage" },
	{ "1.3.6.1.5.5.7.3.20,serverAuth", "openssl", "+", "wrong-usage" },
	{ "anyExtendedKeyUsage", "openssl", "wrong-usage", "wrong-usage" },
	{ "", "openssl", "+", "+" },
	{ "1.3.6.1.5.5.7.3.20", "rfc5922", "+", "+" },
	{ "anyExtendedKeyUsage", "rfc5922", "?", "?" },
	{ "codeSigning", "rfc5922", "wrong-usage", "wrong-usage" },
	{ "", "teams-direct-routing", "?", "+" },
	{ "clientAuth", "teams-direct-routing", "wrong-usage", "+" },
	{ "serverAuth", "teams-direct-routing", "+", "?" },
	{ "serverAuth", "lync", "+", "?" },
	{ "", "lync", "?", "+" },
	{ "serverAuth", "kamailio", "+", "wrong-usage" },
	{ "serverAuth", "five9", "?", "?" },
};

static void usages(void **state)
{
	(void)state;
	struct trust_answer a;
	struct trust_names known = { 0 };
	trust_names_add_str(&known, POOL);
	for (unsigned i = 0; i < sizeof usage_cases / sizeof *usage_cases; i++) {
		const struct usage_case *u = &usage_cases[i];
		struct tc c;
		tc_make(&c, &(struct tc_prm){ .cn = POOL, .san = "DNS:" POOL, .eku = u->eku });
		struct trust_question q = { .leaf = c.cert, .reference = POOL, .known = &known, .now_s = TC_NOW, .enabled = TRUST_SWITCHED_ON };
		ask(u->profile, &q, &a);
		expect(u->eku, u->profile, &a, u->server);
		q.seat = TRUST_SEAT_CLIENT_CERT;
		ask(u->profile, &q, &a);
		expect(u->eku, u->profile, &a, u->client);
		tc_free(&c);
	}
}

/* ---- lists ---- */

static void lists_of_their_own(void **state)
{
	(void)state;
	struct trust_answer a;
	struct trust_names empty = { 0 }, other = { 0 };
	struct tc c;
	trust_names_add_str(&other, "sbc.example.com");
	tc_make(&c, &(struct tc_prm){ .cn = NODE, .san = "DNS:" NODE });
	struct trust_question q = { .seat = TRUST_SEAT_CLIENT_CERT, .leaf = c.cert, .known = &empty, .now_s = TC_NOW, .enabled = TRUST_SWITCHED_ON };
	ask("freeswitch-sofia", &q, &a);
	expect("an empty list", "freeswitch-sofia", &a, "+");
	assert_string_equal(a.name, "empty-list-admits-all");
	ask("lync", &q, &a);
	expect("an empty list", "lync", &a, "nobody-accepted");
	ask("cucm", &q, &a);
	expect("an empty list", "cucm", &a, "?");
	ask("avaya-sm", &q, &a);
	expect("an empty list", "avaya-sm", &a, "+");
	q.known = &other;
	ask("freeswitch-sofia", &q, &a);
	expect("another's name", "freeswitch-sofia", &a, "not-in-list");
	ask("cucm", &q, &a);
	expect("another's name", "cucm", &a, "not-in-list");
	q.seat = TRUST_SEAT_SERVER_CERT; /* it looks its list up in both directions */
	ask("avaya-sm", &q, &a);
	expect("another's name", "avaya-sm", &a, "not-in-list");
	q.seat = TRUST_SEAT_CLIENT_CERT;
	q.known = NULL;
	ask("freeswitch-sofia", &q, &a);
	expect("an unknown list", "freeswitch-sofia", &a, "?");
	assert_string_equal(a.name, "list-not-known");
	tc_free(&c);
}

/* ---- time and chain ---- */

static void time_and_chain(void **state)
{
	(void)state;
	struct trust_answer a;
	struct tc root, other, inter[3], leaf;
	X509_STORE *anchors = X509_STORE_new();
	STACK_OF(X509) *chain = sk_X509_new_null();
	tc_root(&root, "Root");
	tc_root(&other, "Other");
	for (unsigned i = 0; i < 3; i++) {
		char cn[16];
		snprintf(cn, sizeof cn, "Sub %u", i);
		tc_make(&inter[i], &(struct tc_prm){ .cn = cn, .ca = true, .issuer = i ? &inter[i - 1] : &root, .to_days = 300, .from_days = -2 });
		sk_X509_push(chain, inter[i].cert);
	}
	tc_leaf(&leaf, &inter[2], POOL, "DNS:" POOL);
	X509_STORE_add_cert(anchors, root.cert);
	struct trust_question q = { .leaf = leaf.cert, .chain = chain, .anchors = anchors, .reference = POOL, .now_s = TC_NOW, .enabled = TRUST_SWITCHED_ON };
	ask("openssl", &q, &a);
	expect("three intermediates", "openssl", &a, "+");
	ask("freeswitch-sofia", &q, &a);
	expect("three intermediates", "freeswitch-sofia", &a, "chain-too-long");
	q.chain = NULL;
	ask("openssl", &q, &a);
	expect("no intermediates", "openssl", &a, "issuer-unknown");
	assert_non_null(strstr(a.sees, "48"));
	q.anchors = NULL;
	ask("openssl", &q, &a);
	expect("nobody asked for the chain", "openssl", &a, "+");
	q.now_s = TC_NOW + 3 * 365 * 86400LL;
	ask("kamailio", &q, &a);
	expect("years later", "kamailio", &a, "expired");
	assert_non_null(strstr(a.sees, "45"));
	q.now_s = TC_NOW - 365 * 86400LL;
	ask("lync", &q, &a);
	expect("a year before", "lync", &a, "not-yet-valid");
	X509_STORE_free(anchors);
	sk_X509_free(chain);
	for (unsigned i = 0; i < 3; i++)
		tc_free(&inter[i]);
	tc_free(&leaf);
	tc_free(&root);
	tc_free(&other);
}

/* ---- switches ---- */

static void what_is_off_by_default(void **state)
{
	(void)state;
	struct trust_answer a;
	struct tc c;
	tc_make(&c, &(struct tc_prm){ .cn = NODE, .san = "DNS:" NODE });
	struct trust_question q = { .leaf = c.cert, .reference = POOL, .now_s = TC_NOW };
	ask("asterisk-pjsip", &q, &a);
	expect("as it comes", "asterisk-pjsip", &a, "+");
	assert_string_equal(a.name, "not-checked-by-default");
	assert_true(a.default_off);
	assert_int_equal(a.if_enabled, TRUST_REFUSES);
	assert_string_equal(a.if_enabled_name, "name-mismatch");
	assert_int_equal(a.certainty, TRUST_LIKELY);
	assert_true(a.fix[0] && a.sees[0]);
	q.enabled = TRUST_SWITCHED_ON;
	ask("asterisk-pjsip", &q, &a);
	expect("switched on", "asterisk-pjsip", &a, "name-mismatch");
	assert_int_equal(a.when, TRUST_WHEN_CLOSE);
	q.enabled = TRUST_SWITCHED_OFF;
	ask("opensips", &q, &a);
	expect("switched off", "opensips", &a, "+");
	assert_string_equal(a.name, "check-switched-off");
	ask("drachtio", &q, &a);
	assert_string_equal(a.name, "not-asked-for");
	tc_free(&c);
}

/* ---- for all rows ---- */

static void each_row_is_whole(void **state)
{
	(void)state;
	for (unsigned i = 0; i < trust_profile_count(); i++) {
		const struct trust_profile *p = trust_profile_at(i);
		char words[1024];
		assert_true(trust_profile_name(p)[0] && trust_profile_title(p)[0] && trust_profile_source(p)[0]);
		assert_ptr_equal(trust_profile_find(trust_profile_name(p)), p); /* no name stands twice */
		for (enum trust_seat s = TRUST_SEAT_SERVER_CERT; s <= TRUST_SEAT_CLIENT_CERT; s++)
			assert_true(strlen(trust_profile_words(p, s, words, sizeof words)) < sizeof words - 1);
	}
	assert_null(trust_profile_at(trust_profile_count()));
	assert_null(trust_profile_find("nobody"));
	assert_null(trust_profile_find(NULL));
	for (unsigned i = 0; trust_reason_at(i); i++)
		for (unsigned k = 0; k < i; k++)
			if (strcmp(trust_reason_at(i), trust_reason_at(k)) == 0)
				fail_msg("the reason %s stands twice", trust_reason_at(i));
}

static const char *const asked_for[] = {
	"rfc5922", "rfc9525", "lync", "sfb-trusted-application", "exchange-um", "ocs", "asterisk-pjsip", "asterisk-tcptls", "freeswitch-sofia", "kamailio",
	"opensips", "baresip-re", "resiprocate", "yate", "drachtio", "sipxecs", "cucm", "expressway", "audiocodes", "oracle-sbc", "ribbon", "avaya-sm",
	"teams-direct-routing", "twilio", "five9", "openssl", "gnutls", "schannel", "go", "java",
};

/* A certificate that is right in every respect is accepted somewhere, one that is wrong in every respect refused; and nobody is sure of a program
 * that was never run here. */
static void each_row_accepts_and_refuses(void **state)
{
	(void)state;
	struct trust_names known = { 0 };
	struct tc good, bad;
	trust_names_add_str(&known, POOL);
	tc_make(&good, &(struct tc_prm){ .cn = POOL, .san = "DNS:" POOL, .cdp = "URI:http://ca.example.com/crl", .rsa = true });
	tc_make(&bad, &(struct tc_prm){ .cn = "x.example.org", .san = "DNS:x.example.org", .eku = "codeSigning", .from_days = -20, .to_days = -10 });
	for (unsigned i = 0; i < sizeof asked_for / sizeof *asked_for; i++) {
		const struct trust_profile *p = trust_profile_find(asked_for[i]);
		unsigned seen[3] = { 0 };
		if (!p)
			fail_msg("there is no profile %s", asked_for[i]);
		for (unsigned k = 0; k < 4; k++) {
			struct trust_answer a;
			trust_profile_judge(p, &(struct trust_question){ .seat = k & 1 ? TRUST_SEAT_CLIENT_CERT : TRUST_SEAT_SERVER_CERT,
									 .leaf = k & 2 ? bad.cert : good.cert, .reference = POOL, .known = &known,
									 .now_s = TC_NOW, .enabled = TRUST_SWITCHED_ON }, &a);
			seen[a.kind]++;
			if (!trust_profile_can_run(p) && a.confidence != TRUST_BY_STANDARD && a.certainty == TRUST_SURE)
				fail_msg("%s cannot be run here and is sure: %s", asked_for[i], a.sentence);
			if (k & 2 && a.kind == TRUST_ACCEPTS && strcmp(a.name, "not-asked-for") != 0)
				fail_msg("%s accepts the bad one: %s", asked_for[i], a.sentence);
		}
		if (!seen[TRUST_ACCEPTS])
			fail_msg("%s accepts nothing", asked_for[i]);
		/* of twilio nothing is known that would make it refuse */
		if (!seen[TRUST_REFUSES] && strcmp(asked_for[i], "twilio") != 0)
			fail_msg("%s refuses nothing", asked_for[i]);
	}
	tc_free(&good);
	tc_free(&bad);
}

/* The row rfc5922 and our own judge of names say the same. */
static void our_own_rule_agrees(void **state)
{
	(void)state;
	static const char *const sans[] = { NULL, "DNS:" POOL, "DNS:" NODE, "URI:sip:" POOL, "URI:sips:" POOL, "URI:sip:bob@" POOL, "URI:sip:example.org,DNS:" POOL,
					    "DNS:*.example.com", "IP:192.0.2.1", "DNS:" POOL ".", "email:a@" POOL, "URI:https://" POOL, "DNS:POOL.example.com" };
	static const char *const cns[] = { POOL, NODE, "*.example.com", NULL };
	static const char *const asked[] = { POOL, "192.0.2.1", POOL "." };
	for (unsigned i = 0; i < sizeof sans / sizeof *sans; i++)
		for (unsigned k = 0; k < 12; k++) {
			struct tc c;
			struct trust_policy *p;
			struct trust_judgement j;
			struct trust_answer a;
			const char *wanted = asked[k / 4], *cn = cns[k % 4];
			tc_make(&c, &(struct tc_prm){ .cn = cn, .san = sans[i] });
			assert_int_equal(trust_policy_one(&p, "x", TRUST_RULE_RFC5922, &wanted, 1), 0);
			trust_policy_judge_cert(p, c.cert, &j);
			ask("rfc5922", &(struct trust_question){ .leaf = c.cert, .reference = wanted, .now_s = TC_NOW }, &a);
			if ((j.reason == TRUST_NAME_OK) != (a.kind == TRUST_ACCEPTS))
				fail_msg("%s, CN %s, SAN %s: our rule says %s, the row %s", wanted, cn ? cn : "none", sans[i] ? sans[i] : "none", trust_name_reason_name(j.reason), a.name);
			mem_unref(p);
			tc_free(&c);
		}
}

/* ---- forms that some libraries refuse, whatever is said in them: as measured by tests/conformance ---- */

static void as_version_1(X509 *x)
{
	assert_int_equal(X509_set_version(x, 0), 1);
}

static void as_version_4(X509 *x)
{
	assert_int_equal(X509_set_version(x, 3), 1);
}

static void two_of_one(X509 *x)
{
	static const unsigned char null[] = { 5, 0 };
	ASN1_OBJECT *odd = OBJ_txt2obj("1.3.6.1.4.1.55555.2", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	assert_int_equal(ASN1_OCTET_STRING_set(value, null, sizeof null), 1);
	X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, odd, 0, value);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(odd);
}

static void enciphers_only(X509 *x)
{
	int at = X509_get_ext_by_NID(x, NID_key_usage, -1);
	if (at >= 0)
		X509_EXTENSION_free(X509_delete_ext(x, at));
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "critical,keyEncipherment");
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static void must_staple(X509 *x)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_tlsfeature, "status_request");
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static void forms_that_only_some_take(void **state)
{
	(void)state;
	static const char *const columns[] = { "openssl", "gnutls", "java", "go", "node" };
	static const struct {
		const char *what;
		void (*twist)(X509 *x);
		const char *want[5];
	} forms[] = {
		{ "version 1 with extensions", as_version_1, { "+", "form-refused", "form-refused", "name-in-cn-only", "+" } },
		{ "version 4", as_version_4, { "+", "+", "form-refused", "form-refused", "+" } },
		{ "an extension twice", two_of_one, { "+", "form-refused", "form-refused", "form-refused", "+" } },
		{ "a key that may not sign", enciphers_only, { "+", "wrong-key-usage", "wrong-key-usage", "+", "+" } },
		{ "must staple", must_staple, { "+", "form-refused", "+", "+", "+" } },
	};
	for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct tc c;
		tc_make(&c, &(struct tc_prm){ .cn = POOL, .san = "DNS:" POOL, .twist = forms[i].twist });
		for (unsigned k = 0; k < 5; k++) {
			struct trust_answer a;
			ask(columns[k], &(struct trust_question){ .leaf = c.cert, .reference = POOL, .now_s = TC_NOW, .enabled = TRUST_SWITCHED_ON }, &a);
			expect(forms[i].what, columns[k], &a, forms[i].want[k]);
		}
		tc_free(&c);
	}
}

static void the_document_knows_every_row_and_reason(void **state)
{
	(void)state;
	static char page[100000];
	char word[80];
	FILE *f = fopen(UMBEL_VERIFIERS, "r");
	assert_non_null(f);
	page[fread(page, 1, sizeof page - 1, f)] = '\0';
	fclose(f);
	for (unsigned i = 0; i < trust_profile_count(); i++) {
		snprintf(word, sizeof word, "| `%s` |", trust_profile_name(trust_profile_at(i)));
		if (!trust_profile_generic(trust_profile_at(i)) && !strstr(page, word))
			fail_msg("docs/verifiers.md lacks a row: %s", word);
	}
	for (unsigned i = 0; trust_reason_at(i); i++) {
		snprintf(word, sizeof word, "| `%s` |", trust_reason_at(i));
		if (!strstr(page, word))
			fail_msg("docs/verifiers.md lacks the reason: %s", word);
	}
}

/* ---- strangers ---- */

static void thousands_of_names(void **state)
{
	(void)state;
	struct trust_answer a;
	struct buf san;
	struct tc c;
	buf_init(&san, 1 << 20);
	for (unsigned i = 0; i < 4000; i++)
		buf_printf(&san, "DNS:n%u.example.com,", i);
	buf_str(&san, "DNS:" POOL);
	tc_make(&c, &(struct tc_prm){ .cn = "x", .san = buf_cstr(&san) });
	struct trust_question q = { .leaf = c.cert, .reference = POOL, .now_s = TC_NOW };
	ask("openssl", &q, &a);
	expect("4001 names", "openssl", &a, "+");
	q.reference = "x.example.org";
	ask("openssl", &q, &a);
	expect("4001 names", "openssl", &a, "name-mismatch");
	assert_non_null(strstr(a.offered, "..."));
	tc_free(&c);
	buf_free(&san);
}

static void a_nul_in_a_name(void **state)
{
	(void)state;
	struct trust_answer a;
	struct tc c;
	tc_make(&c, &(struct tc_prm){ .cn = "x", .dns_nul = POOL });
	struct trust_question q = { .leaf = c.cert, .reference = POOL, .now_s = TC_NOW, .enabled = TRUST_SWITCHED_ON };
	ask("openssl", &q, &a);
	expect("NUL", "openssl", &a, "name-with-nul");
	ask("rfc5922", &q, &a);
	expect("NUL", "rfc5922", &a, "name-with-nul");
	ask("expressway", &q, &a);
	expect("NUL", "expressway", &a, "?"); /* who knows how it reads names */
	assert_non_null(strstr(a.offered, "\\x00"));
	tc_free(&c);
}

static void nothing_shown(void **state)
{
	(void)state;
	struct trust_answer a;
	struct trust_question q = { .seat = TRUST_SEAT_CLIENT_CERT, .now_s = TC_NOW };
	ask("lync", &q, &a);
	expect("no certificate", "lync", &a, "no-certificate");
	ask("twilio", &q, &a);
	expect("no certificate", "twilio", &a, "+");
	q.seat = TRUST_SEAT_SERVER_CERT;
	ask("openssl", &q, &a);
	expect("no certificate", "openssl", &a, "no-certificate");
}

/* ---- judges_us ---- */

static void what_the_configuration_says(void **state)
{
	(void)state;
	struct trust_judges_us j = { 0 };
	struct trust_cert shared, own;
	struct tc c;
	assert_false(trust_judges_us_set(&j, "unknown"));
	assert_false(j.configured);
	assert_true(trust_judges_us_set(&j, "lync"));
	assert_int_equal(j.rule, TRUST_RULE_CN_ONLY);
	tc_make(&c, &(struct tc_prm){ .cn = POOL, .san = "DNS:" POOL ",DNS:" NODE });
	trust_cert_describe(&shared, c.cert);
	tc_free(&c);
	tc_make(&c, &(struct tc_prm){ .cn = NODE, .san = "DNS:" NODE ",IP:192.0.2.1,URI:sip:example.com" });
	trust_cert_describe(&own, c.cert);
	tc_free(&c);
	assert_int_equal(trust_judges_us_admits(&j, &own), TRUST_CANNOT_SAY);
	trust_names_add_str(&j.known, NODE);
	assert_int_equal(trust_judges_us_admits(&j, &own), TRUST_ACCEPTS);
	assert_int_equal(trust_judges_us_admits(&j, &shared), TRUST_REFUSES);
	assert_true(trust_judges_us_set(&j, "exchange-um"));
	assert_int_equal(trust_judges_us_admits(&j, &own), TRUST_ACCEPTS);
	assert_int_equal(trust_judges_us_admits(&j, &shared), TRUST_CANNOT_SAY); /* its documents contradict each other */
	assert_true(trust_judges_us_set(&j, "teams-direct-routing"));
	assert_int_equal(trust_judges_us_admits(&j, &shared), TRUST_ACCEPTS); /* any of the names by which it knows us */
	assert_true(trust_judges_us_set(&j, "kamailio"));
	trust_names_clear(&j.known);
	assert_int_equal(trust_judges_us_admits(&j, &shared), TRUST_ACCEPTS); /* names do not matter */
	assert_true(trust_judges_us_set(&j, "rfc5922"));
	assert_int_equal(j.rule, TRUST_RULE_RFC5922);
	trust_names_add_str(&j.known, NODE);
	assert_int_equal(trust_judges_us_admits(&j, &own), TRUST_REFUSES); /* its DNS name stands beside a sip: URI */
}

UT_MAIN(UT(names), UT(usages), UT(lists_of_their_own), UT(time_and_chain), UT(what_is_off_by_default), UT(each_row_is_whole), UT(each_row_accepts_and_refuses),
	UT(our_own_rule_agrees), UT(forms_that_only_some_take), UT(the_document_knows_every_row_and_reason), UT(thousands_of_names), UT(a_nul_in_a_name), UT(nothing_shown), UT(what_the_configuration_says))
