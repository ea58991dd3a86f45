/* SPDX-License-Identifier: Apache-2.0 */
/* rule_test.c  Names of every shape under every rule. */
#include <errno.h>
#include "base/mem.h"
#include "support/certs.h"
#include "trust/rule.h"
#include "ut.h"


struct shape {
	const char *name, *cn, *cn2, *san, *dns_nul;
	bool critical;
	const char *wanted;
	enum trust_name_reason rfc5922, san_or_cn, cn_only;
};
#define OK TRUST_NAME_OK
#define NO TRUST_NAME_MISMATCH
#define R(x) TRUST_NAME_##x
static const struct shape shapes[] = {
	{ "san", "x", NULL, "DNS:pool.example.com", NULL, false, "pool.example.com", OK, OK, R(IN_SAN_ONLY) },
	{ "upper_case_in_certificate", "x", NULL, "DNS:POOL.Example.COM", NULL, false, "pool.example.com", OK, OK, R(IN_SAN_ONLY) },
	{ "upper_case_wanted", "x", NULL, "DNS:pool.example.com", NULL, false, "POOL.example.com", OK, OK, R(IN_SAN_ONLY) },
	{ "dot_wanted", "x", NULL, "DNS:pool.example.com", NULL, false, "pool.example.com.", OK, OK, R(IN_SAN_ONLY) },
	{ "dot_in_certificate", "x", NULL, "DNS:pool.example.com.", NULL, false, "pool.example.com", R(TRAILING_DOT), R(TRAILING_DOT), R(TRAILING_DOT) },
	{ "cn_alone", "pool.example.com", NULL, NULL, NULL, false, "pool.example.com", OK, OK, OK },
	{ "cn_beside_other_san", "pool.example.com", NULL, "DNS:node1.example.com", NULL, false, "pool.example.com", R(IN_CN_ONLY), OK, OK },
	{ "cn_beside_ip_san", "pool.example.com", NULL, "IP:192.0.2.1", NULL, false, "pool.example.com", R(IN_CN_ONLY), OK, OK },
	{ "both", "pool.example.com", NULL, "DNS:pool.example.com", NULL, false, "pool.example.com", OK, OK, OK },
	{ "wildcard_san", "x", NULL, "DNS:*.example.com", NULL, false, "pool.example.com", R(WILDCARD), R(WILDCARD), R(WILDCARD) },
	{ "wildcard_cn", "*.example.com", NULL, NULL, NULL, false, "pool.example.com", R(WILDCARD), R(WILDCARD), R(WILDCARD) },
	{ "wildcard_covers_not", "x", NULL, "DNS:*.example.com", NULL, false, "a.pool.example.com", NO, NO, NO },
	{ "uri", "x", NULL, "URI:sip:pool.example.com", NULL, false, "pool.example.com", OK, OK, R(IN_SAN_ONLY) },
	{ "uri_upper_scheme_port_parameters", "x", NULL, "URI:SIP:pool.example.com:5061;transport=tls", NULL, false, "pool.example.com", OK, OK, R(IN_SAN_ONLY) },
	{ "uri_with_user", "x", NULL, "URI:sip:bob@pool.example.com", NULL, false, "pool.example.com", R(USER_URI), R(USER_URI), R(IN_SAN_ONLY) },
	{ "uri_sips", "x", NULL, "URI:sips:pool.example.com", NULL, false, "pool.example.com", R(SIPS_URI), R(SIPS_URI), R(IN_SAN_ONLY) },
	{ "uri_of_another_scheme", "x", NULL, "URI:https://pool.example.com", NULL, false, "pool.example.com", NO, NO, NO },
	{ "dns_behind_uri", "x", NULL, "URI:sip:example.com,DNS:pool.example.com", NULL, false, "pool.example.com", R(BEHIND_URI), OK, R(IN_SAN_ONLY) },
	{ "dns_beside_user_uri", "x", NULL, "URI:sip:bob@example.com,DNS:pool.example.com", NULL, false, "pool.example.com", OK, OK, R(IN_SAN_ONLY) },
	{ "ip", "x", NULL, "IP:192.0.2.1", NULL, false, "192.0.2.1", OK, OK, R(IN_SAN_ONLY) },
	{ "ip_v6", "x", NULL, "IP:2001:db8::1", NULL, false, "2001:DB8:0::1", OK, OK, R(IN_SAN_ONLY) },
	{ "ip_as_dns", "x", NULL, "DNS:192.0.2.1", NULL, false, "192.0.2.1", R(IP_AS_DNS), R(IP_AS_DNS), R(IP_AS_DNS) },
	{ "ip_as_cn", "192.0.2.1", NULL, NULL, NULL, false, "192.0.2.1", R(IP_AS_DNS), R(IP_AS_DNS), R(IP_AS_DNS) },
	{ "last_cn_counts", "first.example.com", "last.example.com", NULL, NULL, false, "last.example.com", OK, OK, OK },
	{ "lesser_cn", "first.example.com", "last.example.com", NULL, NULL, false, "first.example.com", OK, OK, R(LESSER_CN) },
	{ "nul_in_name", "x", NULL, NULL, "pool.example.com", false, "pool.example.com", R(NUL), R(NUL), R(NUL) },
	{ "nul_beside_good_name", "pool.example.com", NULL, "DNS:pool.example.com", "x.example.com", false, "pool.example.com", R(NUL), R(NUL), R(NUL) },
	{ "critical_san", "x", NULL, "DNS:pool.example.com", NULL, true, "pool.example.com", OK, OK, R(IN_SAN_ONLY) },
	{ "no_names", NULL, NULL, NULL, NULL, false, "pool.example.com", R(NONE_OFFERED), R(NONE_OFFERED), R(NONE_OFFERED) },
	{ "suffix_is_not_enough", "x", NULL, "DNS:evilpool.example.com", NULL, false, "pool.example.com", NO, NO, NO },
	{ "mail_san_does_not_count", "x", NULL, "email:pool.example.com", NULL, false, "pool.example.com", NO, NO, NO },
};

static void check(const struct shape *s, const X509 *cert, enum trust_rule_kind kind, enum trust_name_reason want)
{
	struct trust_policy *p;
	struct trust_judgement j;
	assert_int_equal(trust_policy_one(&p, "gw", kind, &s->wanted, 1), 0);
	trust_policy_judge_cert(p, cert, &j);
	if (j.reason != want)
		fail_msg("%s, rule %s: wanted %s, got %s", s->name, trust_rule_kind_name(kind), trust_name_reason_name(want), trust_name_reason_name(j.reason));
	assert_int_equal(j.label[0] != '\0', want == TRUST_NAME_OK);
	assert_int_equal(j.matched[0] != '\0', want == TRUST_NAME_OK);
	/* judging ourselves by a described certificate says the same; a NUL is escaped there and matches nothing */
	struct trust_cert c;
	struct trust_names known = { 0 };
	trust_cert_describe(&c, cert);
	trust_names_add_str(&known, s->wanted);
	if (want != TRUST_NAME_NUL && s->wanted[strlen(s->wanted) - 1] != '.')
		assert_int_equal(trust_rule_would_accept(kind, &c, &known), want == TRUST_NAME_OK);
	mem_unref(p);
}

static void shape(void **state)
{
	const struct shape *s = *state;
	struct tc c;
	tc_make(&c, &(struct tc_prm){ .cn = s->cn, .cn2 = s->cn2, .san = s->san, .dns_nul = s->dns_nul, .san_critical = s->critical });
	check(s, c.cert, TRUST_RULE_RFC5922, s->rfc5922);
	check(s, c.cert, TRUST_RULE_SAN_OR_CN, s->san_or_cn);
	check(s, c.cert, TRUST_RULE_CN_ONLY, s->cn_only);
	tc_free(&c);
}

/* RFC 9525: only the SAN counts, and a wildcard may be its whole left-most label. */
static void names_as_web_clients_judge_them(void **state)
{
	(void)state;
	static const struct shape rows[] = {
		{ "san", "x", NULL, "DNS:pool.example.com", NULL, false, "pool.example.com", OK },
		{ "cn", "pool.example.com", NULL, NULL, NULL, false, "pool.example.com", R(IN_CN_ONLY) },
		{ "uri", "x", NULL, "URI:sip:pool.example.com", NULL, false, "pool.example.com", NO },
		{ "beside_uri", "x", NULL, "URI:sip:example.com,DNS:pool.example.com", NULL, false, "pool.example.com", OK },
		{ "wildcard", "x", NULL, "DNS:*.example.com", NULL, false, "pool.example.com", OK },
		{ "wildcard_upper_case", "x", NULL, "DNS:*.EXAMPLE.com", NULL, false, "pool.example.com", OK },
		{ "wildcard_two_labels", "x", NULL, "DNS:*.example.com", NULL, false, "a.pool.example.com", NO },
		{ "wildcard_bare_domain", "x", NULL, "DNS:*.example.com", NULL, false, "example.com", NO },
		{ "wildcard_top_level", "x", NULL, "DNS:*.com", NULL, false, "example.com", NO },
		{ "wildcard_alone", "x", NULL, "DNS:*", NULL, false, "com", NO },
		{ "wildcard_in_part", "x", NULL, "DNS:po*.example.com", NULL, false, "pool.example.com", NO },
		{ "wildcard_not_first", "x", NULL, "DNS:pool.*.com", NULL, false, "pool.example.com", NO },
		{ "wildcard_in_cn", "*.example.com", NULL, NULL, NULL, false, "pool.example.com", R(WILDCARD) },
		{ "ip", "x", NULL, "IP:192.0.2.1", NULL, false, "192.0.2.1", OK },
		{ "ip_other", "x", NULL, "IP:192.0.2.1", NULL, false, "192.0.2.2", NO },
		{ "ip_as_dns", "x", NULL, "DNS:192.0.2.1", NULL, false, "192.0.2.1", R(IP_AS_DNS) },
		{ "ip_by_wildcard", "x", NULL, "DNS:*.0.2.1", NULL, false, "192.0.2.1", NO },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tc c;
		tc_make(&c, &(struct tc_prm){ .cn = rows[i].cn, .san = rows[i].san });
		check(&rows[i], c.cert, TRUST_RULE_RFC9525, rows[i].rfc5922);
		tc_free(&c);
	}
}

static void an_empty_list_is_nobody(void **state)
{
	(void)state;
	struct tc c;
	struct trust_policy *p;
	struct trust_judgement j;
	tc_make(&c, &(struct tc_prm){ .cn = "pool.example.com", .san = "DNS:pool.example.com" });
	assert_int_equal(trust_policy_one(&p, "gw", TRUST_RULE_SAN_OR_CN, NULL, 0), 0);
	trust_policy_judge_cert(p, c.cert, &j);
	assert_int_equal(j.reason, TRUST_NAME_NOBODY_ACCEPTED);
	mem_unref(p);
	trust_policy_judge_cert(NULL, c.cert, &j);
	assert_int_equal(j.reason, TRUST_NAME_NOBODY_ACCEPTED);
	assert_int_equal(trust_policy_create(&p), 0);
	trust_policy_judge_cert(p, c.cert, &j);
	assert_int_equal(j.reason, TRUST_NAME_NOBODY_ACCEPTED);
	mem_unref(p);
	tc_free(&c);
}

static void the_rule_that_accepts_gives_its_label(void **state)
{
	(void)state;
	struct tc c;
	struct trust_policy *p;
	struct trust_judgement j;
	const char *sbc = "sbc.example.com", *pool = "pool.example.com";
	tc_make(&c, &(struct tc_prm){ .cn = "pool.example.com", .san = "DNS:node.example.com" });
	assert_int_equal(trust_policy_create(&p), 0);
	assert_int_equal(trust_policy_add(p, "empty", TRUST_RULE_SAN_OR_CN, NULL, 0), 0);
	assert_int_equal(trust_policy_add(p, "sbc", TRUST_RULE_SAN_OR_CN, &sbc, 1), 0);
	assert_int_equal(trust_policy_add(p, "strict", TRUST_RULE_RFC5922, &pool, 1), 0);
	trust_policy_judge_cert(p, c.cert, &j);
	assert_int_equal(j.reason, TRUST_NAME_IN_CN_ONLY); /* the near miss, not "somebody else" */
	assert_int_equal(j.wanted.n, 2);
	assert_int_equal(trust_policy_add(p, "lyncpool", TRUST_RULE_CN_ONLY, &pool, 1), 0);
	trust_policy_judge_cert(p, c.cert, &j);
	assert_int_equal(j.reason, TRUST_NAME_OK);
	assert_string_equal(j.label, "lyncpool");
	assert_string_equal(j.matched, "pool.example.com");
	mem_unref(p);
	tc_free(&c);
}

static void names_that_cannot_be_accepted_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", " ", "*.example.com" };
	struct trust_policy *p;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(trust_policy_one(&p, "gw", TRUST_RULE_RFC5922, &bad[i], 1), EINVAL);
}

static int make_and_judge(void *arg)
{
	const char *names[] = { "pool.example.com", "b.example.com" };
	struct trust_policy *p;
	struct trust_judgement j;
	int err = trust_policy_one(&p, "gw", TRUST_RULE_RFC5922, names, 2);
	if (err)
		return err;
	trust_policy_judge_cert(p, arg, &j);
	mem_unref(p);
	/* without memory the names are unreadable, and who cannot be read is refused */
	return j.reason == TRUST_NAME_OK ? 0 : ENOMEM;
}

static void without_memory_nobody_is_accepted_by_mistake(void **state)
{
	(void)state;
	struct tc c;
	tc_make(&c, &(struct tc_prm){ .cn = "pool.example.com", .san = "DNS:pool.example.com" });
	ut_oom(make_and_judge, c.cert);
	tc_free(&c);
}

int main(void)
{
	enum { N = sizeof shapes / sizeof *shapes };
	static struct CMUnitTest tests[N + 5];
	for (unsigned i = 0; i < N; i++)
		tests[i] = (struct CMUnitTest){ shapes[i].name, shape, NULL, NULL, (void *)(uintptr_t)&shapes[i] };
	tests[N] = (struct CMUnitTest)UT(an_empty_list_is_nobody);
	tests[N + 1] = (struct CMUnitTest)UT(the_rule_that_accepts_gives_its_label);
	tests[N + 2] = (struct CMUnitTest)UT(names_that_cannot_be_accepted_are_refused);
	tests[N + 3] = (struct CMUnitTest)UT(without_memory_nobody_is_accepted_by_mistake);
	tests[N + 4] = (struct CMUnitTest)UT(names_as_web_clients_judge_them);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
