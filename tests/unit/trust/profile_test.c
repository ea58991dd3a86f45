/* SPDX-License-Identifier: Apache-2.0 */
/* profile_test.c  The verifier profiles: shapes of certificates through the rows, and the rows themselves. */
#include "base/mem.h"
#include "support/certs.h"
#include "trust/profile.h"
#include "ut.h"

#define POOL "pool.example.com"

static void ask(const char *profile, const struct tc *c, enum trust_seat seat, const char *reference, const struct trust_names *known, struct trust_answer *a)
{
	const struct trust_profile *p = trust_profile_find(profile);
	if (!p)
		fail_msg("no profile %s", profile);
	trust_profile_judge(p, &(struct trust_question){ .seat = seat, .leaf = c->cert, .reference = reference, .known = known, .now_s = TC_NOW,
							 .enabled = TRUST_SWITCHED_ON }, a);
	assert_true((a->kind == TRUST_CANNOT_SAY) == (a->certainty == TRUST_UNKNOWN));
	assert_non_null(trust_reason_meaning(a->name));
	assert_true(a->sentence[0]);
}

static void expect(const char *shape, const char *profile, const struct trust_answer *a, enum trust_answer_kind kind, const char *name)
{
	if (a->kind != kind || (name && strcmp(a->name, name) != 0))
		fail_msg("%s, %s: wanted %s %s, got %s %s: %s", shape, profile, trust_answer_kind_name(kind), name ? name : "", trust_answer_kind_name(a->kind),
			 a->name, a->sentence);
}

/* ---- what verifiers are known to make of eight shapes, when they dial the pool's name ---- */

static const struct shape {
	const char *name, *cn, *san, *eku;
	enum trust_seat seat;
	const char *want[8]; /* of `columns`: "+" accepts, "?" cannot say, else the name of the refusal */
} shapes[] = {
	{ "A", POOL, "DNS:" POOL ",DNS:node1.example.com,DNS:node2.example.com", NULL, TRUST_SEAT_SERVER_CERT, { "+", "+", "+", "+", "+", "+", "+", "+" } },
	{ "B", "node1.example.com", "DNS:node1.example.com", NULL, TRUST_SEAT_SERVER_CERT,
	  { "name-mismatch", "name-mismatch", "+", "name-mismatch", "name-mismatch", "name-mismatch", "name-mismatch", "name-mismatch" } },
	{ "C", "*.example.com", "DNS:*.example.com", NULL, TRUST_SEAT_SERVER_CERT,
	  { "name-by-wildcard", "name-by-wildcard", "+", "name-by-wildcard", "+", "name-by-wildcard", "+", "?" } },
	{ "D", POOL, "DNS:node1.example.com", NULL, TRUST_SEAT_SERVER_CERT, { "+", "+", "+", "name-in-cn-only", "name-in-cn-only", "+", "+", "name-in-cn-only" } },
	{ "E", POOL, NULL, NULL, TRUST_SEAT_SERVER_CERT, { "+", "+", "+", "+", "+", "?", "+", "name-in-cn-only" } },
	{ "F", POOL, "URI:sip:example.com", NULL, TRUST_SEAT_SERVER_CERT, { "+", "+", "+", "name-in-cn-only", "+", "?", "+", "name-in-cn-only" } },
	{ "G", POOL, "DNS:" POOL, "serverAuth", TRUST_SEAT_CLIENT_CERT,
	  { "wrong-usage", "wrong-usage", "wrong-usage", "wrong-usage", "wrong-usage", "?", "?", "?" } },
	{ "H", POOL, "DNS:" POOL, "1.3.6.1.5.5.7.3.20", TRUST_SEAT_SERVER_CERT,
	  { "wrong-usage", "wrong-usage", "wrong-usage", "wrong-usage", "wrong-usage", "wrong-usage", "wrong-usage", "wrong-usage" } },
};
static const char *const columns[8] = { "asterisk-pjsip", "freeswitch-sofia", "kamailio", "resiprocate", "baresip-re", "sfb-trusted-application",
					"teams-direct-routing", "expressway" };

static void eight_shapes(void **state)
{
	(void)state;
	struct trust_names known = { 0 };
	trust_names_add_str(&known, POOL);
	for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		const struct shape *s = &shapes[i];
		struct tc c;
		tc_make(&c, &(struct tc_prm){ .cn = s->cn, .san = s->san, .eku = s->eku });
		for (unsigned k = 0; k < 8; k++) {
			struct trust_answer a;
			ask(columns[k], &c, s->seat, POOL, &known, &a);
			bool plus = *s->want[k] == '+', unknown = *s->want[k] == '?';
			expect(s->name, columns[k], &a, plus ? TRUST_ACCEPTS : unknown ? TRUST_CANNOT_SAY : TRUST_REFUSES, plus || unknown ? NULL : s->want[k]);
			if (!trust_profile_can_run(trust_profile_find(columns[k])))
				assert_true(a.certainty != TRUST_SURE);
		}
		tc_free(&c);
	}
}

/* ---- one certificate for two nodes, at Lync: calls come in, and what the node begins fails ---- */

static void the_shared_certificate(void **state)
{
	(void)state;
	struct trust_answer a;
	struct tc c;
	struct trust_names known = { 0 };
	trust_names_add_str(&known, "node01.domain.local");
	trust_names_add_str(&known, "node02.domain.local");
	tc_make(&c, &(struct tc_prm){ .cn = "um.domain.local", .san = "DNS:um.domain.local,DNS:node01.domain.local,DNS:node02.domain.local", .cdp = "URI:http://ca/crl" });
	ask("lync", &c, TRUST_SEAT_SERVER_CERT, "node01.domain.local", &known, &a);
	expect("shared", "lync", &a, TRUST_ACCEPTS, "name-matches");
	assert_int_equal(a.certainty, TRUST_LIKELY);
	ask("lync", &c, TRUST_SEAT_CLIENT_CERT, NULL, &known, &a);
	expect("shared", "lync", &a, TRUST_REFUSES, "not-a-known-server");
	assert_int_equal(a.when, TRUST_WHEN_CLOSE);
	assert_string_equal(a.offered, "um.domain.local");
	assert_string_equal(a.wanted, "node01.domain.local or node02.domain.local");
	assert_non_null(strstr(a.sentence, "subjectAltName"));
	ask("lync", &c, TRUST_SEAT_CLIENT_CERT, NULL, NULL, &a);
	expect("shared", "lync", &a, TRUST_CANNOT_SAY, "list-not-known");
	tc_free(&c);
	tc_make(&c, &(struct tc_prm){ .cn = "node01.domain.local", .san = "DNS:node01.domain.local,DNS:um.domain.local" });
	ask("lync", &c, TRUST_SEAT_CLIENT_CERT, NULL, &known, &a);
	expect("own", "lync", &a, TRUST_ACCEPTS, "name-listed");
	assert_non_null(strstr(a.remark, "CRL distribution point"));
	tc_free(&c);
}

UT_MAIN(UT(eight_shapes), UT(the_shared_certificate))
