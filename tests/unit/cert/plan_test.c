/* SPDX-License-Identifier: Apache-2.0 */
#include "cert/plan.h"
#include "base/mem.h"
#include "cert_events.h"
#include "trust/pem.h"
#include "ut.h"

#define FQDN "node01.domain.local"
#define SERVICE "um.domain.local"

static struct cert_gateway gateway(const char *name, const char *profile, enum trust_rule_kind rule, const char *a, const char *b)
{
	struct cert_gateway g = { .name = name, .judges = { .configured = profile != NULL, .rule = rule } };
	if (profile)
		text_fill(g.judges.profile, sizeof g.judges.profile, profile);
	if (a)
		trust_names_add_str(&g.judges.known, a);
	if (b)
		trust_names_add_str(&g.judges.known, b);
	return g;
}

static struct cert_plan *plan(const struct cert_gateway *g, unsigned n)
{
	static struct cert_plan p;
	struct cert_plan_prm prm = { .identity = "own", .fqdn = FQDN, .service = SERVICE, .gateways = g, .n_gateways = n };
	cert_plan_make(&p, &prm);
	return &p;
}

static void nothing_known_asks_for_our_own_name(void **state)
{
	(void)state;
	struct cert_gateway g = gateway("any", NULL, TRUST_RULE_SAN_OR_CN, NULL, NULL);
	struct cert_plan *p = plan(&g, 1);
	assert_int_equal(p->n, 1);
	assert_string_equal(p->one[0].identity, "own");
	assert_string_equal(p->one[0].names.cn, FQDN);
	assert_true(trust_names_has(&p->one[0].names.dns, SERVICE));
	assert_false(p->one[0].cn_wanted);
	p = plan(NULL, 0);
	assert_int_equal(p->n, 1);
	assert_string_equal(p->one[0].names.cn, FQDN);
}

static void lync_wants_the_node_and_a_trusted_application_the_pool(void **state)
{
	(void)state;
	struct cert_gateway lync = gateway("lync", "cn-known-servers", TRUST_RULE_CN_ONLY, FQDN, "node02.domain.local");
	struct cert_plan *p = plan(&lync, 1);
	assert_string_equal(p->one[0].names.cn, FQDN);
	struct cert_gateway app = gateway("sfb", "sfb-trusted-application", TRUST_RULE_SAN_OR_CN, SERVICE, FQDN);
	p = plan(&app, 1);
	assert_string_equal(p->one[0].names.cn, SERVICE);
	assert_true(trust_names_has(&p->one[0].names.dns, SERVICE));
	assert_true(trust_names_has(&p->one[0].names.dns, FQDN));
	app = gateway("sfb", "sfb-trusted-application", TRUST_RULE_CN_ONLY, FQDN, "umpool.other");
	assert_string_equal(plan(&app, 1)->one[0].names.cn, "umpool.other");
}

static void one_certificate_cannot_serve_both(void **state)
{
	(void)state;
	struct cert_gateway g[] = {
		gateway("lync", "cn-known-servers", TRUST_RULE_CN_ONLY, FQDN, NULL),
		gateway("sbc", "san-or-cn", TRUST_RULE_SAN_OR_CN, "voice.example.com", NULL),
		gateway("sfb", "sfb-trusted-application", TRUST_RULE_SAN_OR_CN, SERVICE, NULL),
		gateway("lync2", "cn-known-servers", TRUST_RULE_CN_ONLY, FQDN, NULL),
	};
	struct cert_plan *p = plan(g, 4);
	assert_int_equal(p->n, 2);
	assert_string_equal(p->one[0].identity, "own");
	assert_false(p->one[0].is_new);
	assert_int_equal(p->one[0].n_gateways, 3); /* both Lyncs, and the SBC which minds no CN */
	assert_true(trust_names_has(&p->one[0].names.dns, "voice.example.com"));
	assert_string_equal(p->one[1].identity, "for-sfb");
	assert_true(p->one[1].is_new);
	assert_string_equal(p->one[1].names.cn, SERVICE);
	assert_int_equal(p->one[1].n_gateways, 1);
	struct cert_plan_prm prm = { .identity = "own", .fqdn = FQDN, .service = SERVICE, .gateways = g, .n_gateways = 4 };
	struct buf lines;
	buf_init(&lines, 8192);
	assert_int_equal(cert_plan_lines(p, &prm, "/var/lib/umbel", &lines), 0);
	const char *words = buf_cstr(&lines);
	assert_non_null(strstr(words, "identity: for-sfb"));
	assert_non_null(strstr(words, "cert: /var/lib/umbel/tls/for-sfb.pem"));
	assert_non_null(strstr(words, "umbel cert request --gateway sfb --identity for-sfb"));
	assert_null(strstr(words, "for-lync"));
	buf_free(&lines);
}

static unsigned seen[40], n_seen;
static void see(const struct ev_report *r, void *arg)
{
	char text[2048];
	(void)arg;
	assert_null(strstr(ev_sentence(r, text, sizeof text), "?"));
	if (n_seen < 40)
		seen[n_seen++] = r->id;
}

static void what_is_to_be_done_elsewhere_is_said_in_order(void **state)
{
	(void)state;
	struct cert_gateway lync = gateway("lync", "cn-known-servers", TRUST_RULE_CN_ONLY, FQDN, NULL);
	struct cert_gateway sbc = gateway("sbc", "san-or-cn", TRUST_RULE_SAN_OR_CN, FQDN, NULL), any = gateway("any", NULL, TRUST_RULE_SAN_OR_CN, NULL, NULL);
	struct cert_plan *p = plan(&lync, 1);
	n_seen = 0;
	cert_todo_at_ca(&p->one[0].names, CERT_USAGE_BOTH, "a.csr", "a.crt", see, NULL);
	assert_int_equal(n_seen, 2);
	assert_int_equal(seen[0], EV_CERT_TODO_CA);
	n_seen = 0;
	cert_todo_at_gateway(&lync, &p->one[0].names, FQDN, see, NULL);
	assert_int_equal(n_seen, 3);
	assert_int_equal(seen[0], EV_CERT_TODO_UM_DIAL_PLAN);
	n_seen = 0;
	cert_todo_at_gateway(&sbc, &p->one[0].names, FQDN, see, NULL);
	cert_todo_at_gateway(&any, &p->one[0].names, FQDN, see, NULL);
	assert_int_equal(n_seen, 0);
}

UT_MAIN(UT(nothing_known_asks_for_our_own_name), UT(lync_wants_the_node_and_a_trusted_application_the_pool), UT(one_certificate_cannot_serve_both),
	UT(what_is_to_be_done_elsewhere_is_said_in_order))
