/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_test.c  Sites in a table: what each node shows, how a gateway judges; which flows must be accepted, refused, unknown. */
#include "cert/matrix.h"
#include <errno.h>
#include "base/mem.h"
#include "cert/matrix_json.h"
#include "cert/matrix_pool.h"
#include "support/certs.h"
#include "trust/identity.h"
#include "trust/pem.h"
#include "ut.h"

#define N1 "node01.domain.local"
#define N2 "node02.domain.local"
#define UM "um.domain.local"
#define BOTH "DNS:" UM ",DNS:" N1 ",DNS:" N2

/* What the nodes show, and how the pool judges. */
struct site {
	const char *cn[2], *san[2], *eku;   /* of node01 and node02; cn[1] NULL: the same certificate on both */
	int from_days, to_days;             /* 0,0: a year */
	const char *profile, *known;        /* names, separated by commas; NULL: none */
	const char *pool_cn, *pool_eku;     /* its certificate; NULL: lyncpool.domain.com with both usages; "": never seen */
};

static void make_cert(struct matrix_cert **cp, const struct tc *root, const char *cn, const char *san, const struct site *s)
{
	struct tc leaf;
	struct tc_prm prm = { .cn = cn, .san = san, .eku = s->eku, .from_days = s->from_days, .to_days = s->to_days, .issuer = root };
	tc_make(&leaf, &prm);
	assert_int_equal(matrix_cert_from(cp, leaf.cert, NULL, "test"), 0);
	tc_free(&leaf);
}

static void add_names(struct trust_names *to, const char *list)
{
	struct text rest = text_of(list), word;
	while (!text_empty(rest)) {
		text_cut(rest, ',', &word, &rest);
		trust_names_add(to, word);
	}
}

static struct matrix_gateway *add_gateway(struct matrix_model *m, const char *name, const char *profile, const char *known)
{
	struct matrix_gateway *g = matrix_add_gateway(m, name);
	assert_non_null(g);
	text_fill(g->profile, sizeof g->profile, profile);
	text_fill(g->address, sizeof g->address, "lyncpool.domain.com");
	g->lamp = true;
	g->rule = TRUST_RULE_SAN_OR_CN;
	trust_names_add_str(&g->accept, "lyncpool.domain.com");
	add_names(&g->known, known);
	return g;
}

static void pool_shows(struct matrix_gateway *g, const struct matrix_model *m, const struct tc *root, const char *cn, const char *eku)
{
	struct tc pool;
	struct buf pem;
	char san[300];
	if (cn && !*cn)
		return;
	text_print(san, sizeof san, "DNS:%s", cn ? cn : "lyncpool.domain.com");
	struct tc_prm prm = { .cn = cn ? cn : "lyncpool.domain.com", .san = san, .eku = eku, .issuer = root };
	tc_make(&pool, &prm);
	buf_init(&pem, 1 << 20);
	assert_int_equal(trust_pem_put_cert(&pem, pool.cert), 0);
	assert_int_equal(matrix_peer_cert(g, m, buf_as_text(&pem), "pool.pem", NULL), 0);
	buf_free(&pem);
	tc_free(&pool);
}

static struct matrix_model *model_of(const struct site *s)
{
	struct matrix_model *m = NULL;
	struct tc root;
	struct buf pem;
	tc_root(&root, "Lab CA");
	assert_int_equal(matrix_model_create(&m, TC_NOW), 0);
	buf_init(&pem, 1 << 20);
	assert_int_equal(trust_pem_put_cert(&pem, root.cert), 0);
	m->anchors_pem = mem_strdup(buf_cstr(&pem));
	buf_free(&pem);
	struct matrix_cert *c[2] = { NULL, NULL };
	make_cert(&c[0], &root, s->cn[0], s->san[0], s);
	if (s->cn[1])
		make_cert(&c[1], &root, s->cn[1], s->san[1], s);
	else
		c[1] = mem_ref(c[0]);
	for (int i = 0; i < 2; i++) {
		struct matrix_node *n = matrix_add_node(m, i ? "node02" : "node01", i ? N2 : N1, UM);
		trust_names_add_str(&n->addresses, i ? "127.0.1.12:5061" : "127.0.1.11:5061");
		assert_int_equal(matrix_node_shows(n, "own", c[i]), 0);
		mem_unref(c[i]);
	}
	pool_shows(add_gateway(m, "lyncpool", s->profile, s->known), m, &root, s->pool_cn, s->pool_eku);
	tc_free(&root);
	return m;
}

/* The cells of a node in one word: a letter a flow, in the order of the table; the lamp and the others of our dialling stand together. */
static const char *letters(const struct matrix *x, unsigned node, unsigned gateway)
{
	static char words[4][MATRIX_FLOWS + 1];
	static unsigned turn;
	char *w = words[turn++ % 4];
	for (int f = 0; f < MATRIX_FLOWS; f++)
		w[f] = "-a?R"[matrix_cell(x, node, gateway, (enum matrix_flow)f)->says];
	w[MATRIX_FLOWS] = 0;
	return w;
}

static const struct matrix_reason *first_reason(const struct matrix *x, unsigned node, enum matrix_flow f)
{
	const struct matrix_cell *c = matrix_cell(x, node, 0, f);
	assert_true(c->n_reasons > 0);
	return &x->reasons[c->reason[0]];
}

static const struct matrix_outcome *outcome(const struct matrix *x, const char *name)
{
	for (unsigned i = 0; i < x->n_outcomes; i++)
		if (strcmp(x->outcomes[i].name, name) == 0)
			return &x->outcomes[i];
	return NULL;
}

static const struct matrix_model *supposed(struct matrix_model *m, const char *question)
{
	struct ev_report why = { 0 };
	assert_int_equal(matrix_suppose(m, question, TEXT_NONE, &why), 0);
	return m;
}

/* ---- the table of sites ----
 * flows: calls-in OPTIONS transfer lamp in-dialog-in in-dialog-out failover redirect renewal */

static void sites(void **state)
{
	static const struct {
		const char *what;
		struct site site;
		const char *node01, *node02;
		const char *reason; /* of OPTIONS on node01; NULL: there is none */
		bool cured;         /* by the command */
	} t[] = {
		{ "the case of the lab", { .cn = { UM }, .san = { BOTH }, .profile = "lync", .known = N1 "," N2 }, "aRRRaRaaR", "aRRRaRaaR", "not-a-known-server", true },
		{ "the same, as configured", { .cn = { UM }, .san = { BOTH }, .profile = "cn-known-servers", .known = N1 "," N2 }, "aRRRaRaaR", "aRRRaRaaR", "not-a-known-server", true },
		{ "the cured case", { .cn = { N1, N2 }, .san = { "DNS:" N1 ",DNS:" UM, "DNS:" N2 ",DNS:" UM }, .profile = "lync", .known = N1 "," N2 }, "aaaaaaaaa", "aaaaaaaaa", NULL, false },
		{ "one node cured", { .cn = { N1, UM }, .san = { "DNS:" N1, BOTH }, .profile = "lync", .known = N1 "," N2 }, "aaaaaaaaa", "aRRRaRaaR", NULL, false },
		{ "node01's certificate on both", { .cn = { N1 }, .san = { BOTH }, .profile = "lync", .known = N1 "," N2 }, "aaaaaaaaa", "aaaaaaaaa", NULL, false },
		{ "node02 not registered", { .cn = { N1, N2 }, .san = { "DNS:" N1, "DNS:" N2 }, .profile = "lync", .known = N1 }, "aaaaaaaaa", "RRRRRRRRR", NULL, false },
		{ "the right CN, the name missing in the SAN", { .cn = { N1, N2 }, .san = { "DNS:" UM, "DNS:" UM }, .profile = "lync", .known = N1 "," N2 }, "aaaaaaaaa", "aaaaaaaaa", NULL, false },
		{ "expired", { .cn = { N1, N2 }, .san = { "DNS:" N1, "DNS:" N2 }, .profile = "lync", .known = N1 "," N2, .from_days = -30, .to_days = -1 }, "RRRRRRRRa", "RRRRRRRRa", "expired", true },
		{ "no usage for dialling", { .cn = { N1, N2 }, .san = { "DNS:" N1, "DNS:" N2 }, .eku = "serverAuth", .profile = "openssl" }, "?RRRaR?aR", "?RRRaR?aR", "wrong-usage", true },
		{ "their name is another", { .cn = { N1, N2 }, .san = { "DNS:" N1, "DNS:" N2 }, .profile = "lync", .known = N1 "," N2, .pool_cn = "other.domain.com" }, "RRRRRRRRa", "RRRRRRRRa", "their-name-not-accepted", false },
		{ "they cannot dial", { .cn = { N1, N2 }, .san = { "DNS:" N1, "DNS:" N2 }, .profile = "lync", .known = N1 "," N2, .pool_eku = "serverAuth" }, "RaaaRaRRa", "RaaaRaRRa", NULL, false },
		{ "they were never seen", { .cn = { N1, N2 }, .san = { "DNS:" N1, "DNS:" N2 }, .profile = "lync", .known = N1 "," N2, .pool_cn = "" }, "????????a", "????????a", "their-certificate-not-known", false },
		{ "not said how it judges", { .cn = { UM }, .san = { BOTH }, .profile = "unknown" }, "?????????", "?????????", NULL, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct matrix_model *m = model_of(&t[i].site);
		struct matrix *x = NULL;
		assert_int_equal(matrix_run(&x, m), 0);
		if (strcmp(letters(x, 0, 0), t[i].node01) != 0 || strcmp(letters(x, 1, 0), t[i].node02) != 0)
			print_message("%s: %s %s\n", t[i].what, letters(x, 0, 0), letters(x, 1, 0));
		for (unsigned k = 0; k < x->n_reasons && strcmp(letters(x, 0, 0), t[i].node01) != 0; k++)
			print_message("   %u: %s: %s\n", k + 1, x->reasons[k].name, x->reasons[k].sentence);
		assert_string_equal(letters(x, 0, 0), t[i].node01);
		assert_string_equal(letters(x, 1, 0), t[i].node02);
		assert_int_equal(x->breaks, strchr(t[i].node01, 'R') || strchr(t[i].node02, 'R'));
		if (t[i].reason)
			assert_string_equal(first_reason(x, 0, MATRIX_OPTIONS)->name, t[i].reason);
		if (t[i].cured)
			assert_string_equal(first_reason(x, 0, MATRIX_OPTIONS)->command, "umbel cert cure lyncpool");
		matrix_free(x);
		matrix_model_free(m);
	}
}

static const struct site cured = { .cn = { N1, N2 }, .san = { "DNS:" N1 ",DNS:" UM, "DNS:" N2 ",DNS:" UM }, .profile = "lync", .known = N1 "," N2 };
static const struct site lab = { .cn = { UM }, .san = { BOTH }, .profile = "lync", .known = N1 "," N2 };

/* ---- one reason for all that it explains ---- */

static void said_once(void **state)
{
	struct matrix_model *m = model_of(&lab);
	struct matrix *x = NULL;
	(void)state;
	assert_int_equal(matrix_run(&x, m), 0);
	assert_int_equal(x->n_reasons, 1);
	assert_int_equal(x->reasons[0].nodes, 3);
	assert_string_equal(x->reasons[0].offered, UM);
	assert_non_null(strstr(x->reasons[0].wanted, N1));
	assert_non_null(outcome(x, "one-certificate-for-all"));
	matrix_free(x);
	matrix_model_free(m);
}

/* ---- a gateway of each kind on one identity ---- */

static void no_single_certificate(void **state)
{
	struct matrix_model *m = model_of(&cured);
	struct matrix *x = NULL;
	struct tc root;
	(void)state;
	tc_root(&root, "Lab CA");
	struct matrix_gateway *g = add_gateway(m, "sfbpool", "sfb-trusted-application", UM);
	pool_shows(g, m, &root, NULL, NULL);
	g->as_server.judged = g->as_client.judged = false; /* its root is another one of the same name */
	assert_int_equal(matrix_run(&x, m), 0);
	assert_string_equal(letters(x, 0, 0), "aaaaaaaaa");
	assert_int_equal(matrix_cell(x, 0, 1, MATRIX_OPTIONS)->says, MATRIX_UNKNOWN); /* its manual does not say whether the SAN counts there */
	const struct matrix_outcome *o = outcome(x, "no-single-certificate");
	assert_non_null(o);
	assert_non_null(strstr(o->sentence, "no single certificate is known to serve both"));
	assert_non_null(strstr(o->sentence, "which sfbpool may refuse"));
	assert_non_null(strstr(o->sentence, "which lyncpool refuses"));
	assert_non_null(strstr(o->sentence, "lyncpool"));
	assert_non_null(strstr(o->sentence, "sfbpool"));
	for (unsigned i = 0; i < x->n_reasons; i++) /* a cure that would break the other is not advised */
		assert_string_equal(x->reasons[i].command, "");
	matrix_free(x);

	/* Where both look at the CN alone there is no doubt. */
	text_fill(g->profile, sizeof g->profile, "cn-known-servers");
	assert_int_equal(matrix_run(&x, m), 0);
	assert_int_equal(matrix_cell(x, 0, 1, MATRIX_OPTIONS)->says, MATRIX_REFUSES);
	o = outcome(x, "no-single-certificate");
	assert_non_null(o);
	assert_true(o->bad);
	assert_non_null(strstr(o->sentence, "no single certificate serves both"));
	matrix_free(x);
	text_fill(g->profile, sizeof g->profile, "sfb-trusted-application");

	/* Two identities, one for each: nothing is wrong then. */
	struct matrix_cert *common = NULL;
	struct site two = { .eku = NULL };
	make_cert(&common, &root, UM, BOTH, &two);
	text_fill(m->gateways[1].identity, sizeof m->gateways[1].identity, "sfb");
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(matrix_node_shows(&m->nodes[i], "sfb", common), 0);
	mem_unref(common);
	assert_int_equal(matrix_run(&x, m), 0);
	assert_int_equal(matrix_cell(x, 0, 1, MATRIX_OPTIONS)->says, MATRIX_ACCEPTS);
	assert_null(outcome(x, "no-single-certificate"));
	matrix_free(x);
	tc_free(&root);
	matrix_model_free(m);
}

/* ---- questions ---- */

static const struct site second_is_a_stranger = { .cn = { N1, "x.domain.local" }, .san = { "DNS:" N1, "DNS:x.domain.local" }, .profile = "lync", .known = N1 "," N2 };
static const struct site one_registered = { .cn = { N1, N2 }, .san = { "DNS:" N1, "DNS:" N2 }, .profile = "lync", .known = N1 };
static const struct site application_pool = { .cn = { UM }, .san = { BOTH }, .profile = "sfb-trusted-application", .known = UM };

static void node_down(void **state)
{
	static const struct {
		const struct site *site;
		const char *down[2];
		const char *outcome;
		bool breaks;
		const char *says; /* a piece of the sentence */
	} t[] = {
		{ &cured, { "node-down=node01" }, "node-down-no-call-lost", false, "half of them meet a node that is away first, and go to node02" },
		{ &cured, { "node-down=node01", "node-down=node02" }, "node-down-all-calls-lost", true, "every new call" },
		{ &second_is_a_stranger, { "node-down=node01" }, "node-down-all-calls-lost", true, "it refuses node02" },
		{ &one_registered, { "node-down=node01" }, "node-down-all-calls-lost", true, "no other node" },
		{ &application_pool, { "node-down=node01" }, "node-down-by-dns", false, "half of the new calls" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct matrix_model *m = model_of(t[i].site);
		struct matrix *x = NULL;
		for (int k = 0; k < 2 && t[i].down[k]; k++)
			supposed(m, t[i].down[k]);
		assert_int_equal(matrix_run(&x, m), 0);
		const struct matrix_outcome *o = outcome(x, t[i].outcome);
		assert_non_null(o);
		assert_non_null(strstr(o->sentence, t[i].says));
		assert_true(*o->assumed);
		assert_int_equal(o->bad, t[i].breaks);
		matrix_free(x);
		matrix_model_free(m);
	}
}

/* Three nodes, two of them away, two tries: a third of the calls begins at the two that are away. */
static void tries_run_out(void **state)
{
	struct site s = cured;
	s.known = N1 "," N2 ",node03.domain.local";
	struct matrix_model *m = model_of(&s);
	struct matrix *x = NULL;
	struct tc root;
	struct matrix_cert *c = NULL;
	(void)state;
	tc_root(&root, "Lab CA");
	make_cert(&c, &root, "node03.domain.local", "DNS:node03.domain.local", &s);
	assert_int_equal(matrix_node_shows(matrix_add_node(m, "node03", "node03.domain.local", UM), "own", c), 0);
	mem_unref(c);
	tc_free(&root);
	supposed(m, "node-down=node01");
	supposed(m, "node-down=node02");
	assert_int_equal(matrix_run(&x, m), 0);
	const struct matrix_outcome *o = outcome(x, "node-down-calls-lost");
	assert_non_null(o);
	assert_non_null(strstr(o->sentence, "1 of 3 of the new calls from lyncpool are lost"));
	assert_true(x->breaks);
	matrix_free(x);
	matrix_model_free(m);
}

/* The nodes call themselves by the pool's name, and that name is registered: then the shared certificate is good, and high availability gone. */
static void one_name_for_all(void **state)
{
	struct matrix_model *m = model_of(&lab);
	struct matrix *x = NULL;
	(void)state;
	supposed(m, "fqdn=" UM);
	assert_int_equal(matrix_run(&x, m), 0);
	assert_string_equal(first_reason(x, 0, MATRIX_CALLS_IN)->name, "node-not-in-their-list");
	matrix_free(x);
	supposed(m, "known=lyncpool:" UM);
	assert_int_equal(matrix_run(&x, m), 0);
	assert_string_equal(letters(x, 0, 0), "aaaaRaaaa");
	assert_string_equal(first_reason(x, 0, MATRIX_DIALOG_IN)->name, "name-leads-elsewhere");
	assert_non_null(strstr(first_reason(x, 0, MATRIX_DIALOG_IN)->sentence, "1 of 2"));
	assert_non_null(outcome(x, "nodes-share-one-name"));
	assert_true(x->breaks);
	assert_int_equal(m->supposed.n, 2);
	matrix_free(x);
	matrix_model_free(m);
}

static void another_certificate(void **state)
{
	struct matrix_model *m = model_of(&lab);
	struct matrix *x = NULL;
	struct tc root;
	struct buf pem;
	struct matrix_cert *c = NULL;
	(void)state;
	tc_root(&root, "Lab CA");
	make_cert(&c, &root, N2, "DNS:" N2, &lab);
	buf_init(&pem, 1 << 20);
	assert_int_equal(trust_pem_put_cert(&pem, c->leaf), 0);
	assert_int_equal(matrix_suppose(m, "cert=node02:/tmp/a.pem", buf_as_text(&pem), NULL), 0);
	assert_int_equal(matrix_run(&x, m), 0);
	assert_string_equal(letters(x, 0, 0), "aRRRaRaaR");
	assert_string_equal(letters(x, 1, 0), "aaaaaaaaa");
	matrix_free(x);
	assert_int_equal(matrix_suppose(m, "cert=/tmp/a.pem", buf_as_text(&pem), NULL), 0);
	assert_int_equal(matrix_run(&x, m), 0);
	assert_string_equal(letters(x, 0, 0), "RaaaRaRRR"); /* known by that CN, but not the name that is dialled */
	matrix_free(x);
	buf_free(&pem);
	mem_unref(c);
	tc_free(&root);
	matrix_model_free(m);
}

static void bad_questions(void **state)
{
	static const char *const bad[] = { "", "node-down", "node-down=", "node-down=node09", "fqdn=", "fqdn=*.x", "known=", "known=nobody:x", "cert=node09:x", "cert=x", "weather=rain" };
	struct matrix_model *m = model_of(&lab);
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ev_report why = { 0 };
		assert_int_not_equal(matrix_suppose(m, bad[i], TEXT_NONE, &why), 0);
		assert_int_not_equal(why.id, 0);
	}
	assert_string_equal(matrix_question_file("cert=node01:/a/b.pem"), "/a/b.pem");
	assert_string_equal(matrix_question_file("cert=/a:b.pem"), "/a:b.pem");
	assert_null(matrix_question_file("node-down=node01"));
	matrix_model_free(m);
}

/* ---- DNS ---- */

static void names_lead(void **state)
{
	struct site s = { .cn = { UM }, .san = { BOTH }, .profile = "sfb-trusted-application", .known = UM };
	struct matrix_model *m = model_of(&s);
	struct matrix *x = NULL;
	(void)state;
	trust_names_add_str(&matrix_add_dns(m, UM, "A", "OK")->values, "127.0.1.11");
	trust_names_add_str(&matrix_add_dns(m, N1, "A", "OK")->values, "127.0.1.11");
	(void)matrix_add_dns(m, N2, "A", "NXDOMAIN");
	assert_int_equal(matrix_run(&x, m), 0);
	assert_int_equal(matrix_cell(x, 0, 0, MATRIX_FAILOVER)->says, MATRIX_ACCEPTS);
	assert_int_equal(matrix_cell(x, 1, 0, MATRIX_FAILOVER)->says, MATRIX_REFUSES);
	assert_string_equal(first_reason(x, 1, MATRIX_FAILOVER)->name, "service-name-misses-node");
	assert_non_null(strstr(first_reason(x, 1, MATRIX_FAILOVER)->fix, UM " A 127.0.1.12"));
	assert_int_equal(matrix_cell(x, 1, 0, MATRIX_DIALOG_IN)->says, MATRIX_UNKNOWN);
	assert_string_equal(first_reason(x, 1, MATRIX_DIALOG_IN)->name, "name-not-in-dns");
	matrix_free(x);
	matrix_model_free(m);
}

/* ---- what was seen ---- */

static void seen_and_foretold(void **state)
{
	static const struct site silent = { .cn = { UM }, .san = { BOTH }, .profile = "unknown" };
	static const struct {
		const struct site *site;
		bool works;
		enum matrix_says says;
		const char *reason;
	} t[] = {
		{ &silent, true, MATRIX_ACCEPTS, "seen-to-work" },
		{ &silent, false, MATRIX_UNKNOWN, "judgement-not-configured" },
		{ &lab, true, MATRIX_REFUSES, "works-against-the-rule" },
		{ &lab, false, MATRIX_REFUSES, "not-a-known-server" },
		{ &cured, false, MATRIX_ACCEPTS, "fails-against-the-rule" },
		{ &cured, true, MATRIX_ACCEPTS, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct matrix_model *m = model_of(t[i].site);
		struct matrix *x = NULL;
		struct matrix_seen *s = matrix_add_seen(m, "node01", "lyncpool");
		s->flow = MATRIX_OPTIONS;
		s->works = t[i].works;
		s->at_us = (int64_t)TC_NOW * 1000000;
		text_fill(s->verdict, sizeof s->verdict, "some-verdict");
		assert_int_equal(matrix_run(&x, m), 0);
		const struct matrix_cell *c = matrix_cell(x, 0, 0, MATRIX_OPTIONS);
		assert_int_equal(c->says, t[i].says);
		assert_int_equal(c->n_reasons == 0, t[i].reason == NULL);
		if (t[i].reason)
			assert_string_equal(x->reasons[c->reason[c->n_reasons - 1]].name, t[i].reason);
		assert_int_equal(matrix_cell(x, 1, 0, MATRIX_OPTIONS)->n_reasons > 0, t[i].site != &cured); /* the other node saw nothing */
		matrix_free(x);
		matrix_model_free(m);
	}
}

/* ---- what a node says of itself ---- */

static void cards(void **state)
{
	static const char *const bad[] = { NULL, "", "{", "[]", "{\"schema\":1}", "{\"schema\":2,\"identities\":[]}", "{\"schema\":1,\"identities\":7,\"tls\":{},\"service\":[]}",
		                           "{\"schema\":1,\"identities\":[{},{\"name\":\"a\"},{\"name\":\"b\",\"chain\":\"-----BEGIN CERTIFICATE-----\"}]}" };
	static const struct cfg_listen listen = { .transport = CFG_TLS, .address = "127.0.1.11", .port = 5061 };
	struct cfg cfg = { .has_node = true, .node = { .name = "node01", .fqdn = N1, .service = UM, .listen = &listen, .n_listen = 1 } };
	struct tc root, leaf;
	struct trust_identity *id = NULL;
	struct trust_set *set = NULL;
	struct matrix_model *m = NULL;
	struct matrix_node *n = NULL;
	struct buf card;
	(void)state;
	tc_root(&root, "Lab CA");
	tc_leaf(&leaf, &root, N1, "DNS:" N1);
	assert_int_equal(trust_identity_from(&id, "own", leaf.cert, NULL, leaf.key, NULL), 0);
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_set_identity(set, id), 0);
	buf_init(&card, 1 << 20);
	assert_int_equal(matrix_card_make(&card, &cfg, set), 0);
	assert_null(strstr(buf_cstr(&card), "PRIVATE"));
	assert_int_equal(matrix_model_create(&m, TC_NOW), 0);
	assert_int_equal(matrix_take_card(m, "node01", N1, buf_cstr(&card), &n), 0);
	assert_true(n->known);
	assert_string_equal(n->service, UM);
	assert_string_equal(trust_names_at(&n->addresses, 0), "127.0.1.11:5061");
	assert_string_equal(n->shown[0].identity, "own");
	assert_string_equal(n->shown[0].cert->facts.cn, N1);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(matrix_take_card(m, "node02", N2, bad[i], &n), 0);
		assert_false(n->known);
	}
	matrix_model_free(m);
	buf_free(&card);
	mem_unref(set);
	mem_unref(id);
	tc_free(&leaf);
	tc_free(&root);
}

/* ---- the pool's page ---- */

static const struct matrix_check *check_of(const struct matrix_pool *p, const char *about, const char *name)
{
	for (unsigned i = 0; i < p->n; i++)
		if (strcmp(p->checks[i].about, about) == 0 && strcmp(p->checks[i].name, name) == 0)
			return &p->checks[i];
	fail_msg("no line %s of %s", name, about);
	return NULL;
}

static void good_names(struct matrix_model *m)
{
	struct matrix_dns *d;
	trust_names_add_str(&matrix_add_dns(m, N1, "A", "OK")->values, "127.0.1.11");
	trust_names_add_str(&matrix_add_dns(m, N2, "A", "OK")->values, "127.0.1.12");
	trust_names_add_str(&matrix_add_dns(m, "127.0.1.11", "PTR", "OK")->values, N1);
	trust_names_add_str(&matrix_add_dns(m, "127.0.1.12", "PTR", "OK")->values, N2);
	d = matrix_add_dns(m, UM, "A", "OK");
	trust_names_add_str(&d->values, "127.0.1.11");
	trust_names_add_str(&d->values, "127.0.1.12");
	d = matrix_add_dns(m, "_sips._tcp." UM, "SRV", "OK");
	trust_names_add_str(&d->values, "10 50 5061 " N1);
	trust_names_add_str(&d->values, "10 50 5061 " N2);
	trust_names_add_str(&matrix_add_dns(m, "lyncpool.domain.com", "A", "OK")->values, "127.0.1.20");
}

/* transport: auto: what DNS said stands on the page, with the records that said it; without TLS no certificate is looked at. */
static void dns_says_how_a_gateway_is_dialled(void **state)
{
	struct matrix_model *m = model_of(&cured);
	struct matrix_gateway *g = &m->gateways[0];
	struct matrix_pool *p = NULL;
	(void)state;
	good_names(m);
	g->any = true;
	text_fill(g->transport, sizeof g->transport, "TLS");
	text_fill(g->by, sizeof g->by, "NAPTR a.test, SRV _sips._tcp.a.test");
	assert_int_equal(matrix_pool_make(&p, m), 0);
	assert_int_equal(check_of(p, g->name, "gateway-transport")->state, MATRIX_GOOD);
	assert_string_equal(check_of(p, g->name, "gateway-transport")->found, "TLS (NAPTR a.test, SRV _sips._tcp.a.test)");
	matrix_pool_free(p);
	g->transport[0] = g->by[0] = '\0'; /* asked, and nobody answered */
	assert_int_equal(matrix_pool_make(&p, m), 0);
	assert_int_equal(check_of(p, g->name, "gateway-transport")->state, MATRIX_BAD);
	matrix_pool_free(p);
	g->tls = false;
	text_fill(g->transport, sizeof g->transport, "UDP");
	text_fill(g->by, sizeof g->by, "SRV _sip._udp.a.test");
	assert_int_equal(matrix_pool_make(&p, m), 0);
	for (unsigned i = 0; i < p->n; i++)
		assert_string_not_equal(p->checks[i].about, g->name);
	matrix_pool_free(p);
	matrix_model_free(m);
}

static void page_of_a_good_pool(void **state)
{
	struct matrix_model *m = model_of(&cured);
	struct matrix_pool *p = NULL;
	(void)state;
	good_names(m);
	m->nodes[1].has_beat = true;
	m->nodes[1].beat_ago_ms = 1500;
	assert_int_equal(matrix_pool_make(&p, m), 0);
	for (unsigned i = 0; i < p->n; i++)
		if (p->checks[i].state != MATRIX_GOOD)
			fail_msg("%s: %s: %s", p->checks[i].about, p->checks[i].name, p->checks[i].found);
	assert_false(p->bad);
	assert_true(p->n > 30);
	json_t *o = matrix_pool_json(p, m);
	assert_int_equal(json_array_size(json_object_get(o, "checks")), p->n);
	json_decref(o);
	matrix_pool_free(p);
	matrix_model_free(m);
}

static struct matrix_dns *dns_of(struct matrix_model *m, const char *name, const char *type)
{
	return (struct matrix_dns *)(uintptr_t)matrix_find_dns(m, name, type);
}

static void spoil(struct matrix_model *m, int what)
{
	struct matrix_dns *d;
	switch (what) {
	case 0: trust_names_clear(&dns_of(m, N1, "A")->values), text_fill(dns_of(m, N1, "A")->outcome, 16, "NXDOMAIN"); break;
	case 1: d = dns_of(m, N1, "A"), trust_names_clear(&d->values), trust_names_add_str(&d->values, "127.0.1.99"); break;
	case 2: d = dns_of(m, UM, "A"), trust_names_clear(&d->values), trust_names_add_str(&d->values, "127.0.1.11"); break;
	case 3: trust_names_add_str(&dns_of(m, UM, "A")->values, "127.0.1.77"); break;
	case 4: d = dns_of(m, "_sips._tcp." UM, "SRV"), trust_names_clear(&d->values), trust_names_add_str(&d->values, "10 50 5060 " N1); break;
	case 5: d = dns_of(m, "127.0.1.12", "PTR"), trust_names_clear(&d->values), trust_names_add_str(&d->values, "other.domain.local"); break;
	case 6: m->nodes[1].has_beat = true, m->nodes[1].beat_ago_ms = -60000; break;
	case 7: m->nodes[1].has_beat = m->nodes[1].down = true, m->nodes[1].beat_ago_ms = 40000; break;
	case 8: m->nodes[0].fqdn[0] = 0; break;
	case 9: trust_names_clear(&m->gateways[0].known), trust_names_add_str(&m->gateways[0].known, N1); break;
	case 10: trust_names_add_str(&m->gateways[0].known, "node09.domain.local"); break;
	case 11: mem_free(m->anchors_pem), m->anchors_pem = mem_strdup("x"); break;
	case 12: m->now_s += 400 * 86400; break;
	case 13: m->now_s += 350 * 86400; break;
	case 14: trust_names_clear(&m->gateways[0].accept), trust_names_add_str(&m->gateways[0].accept, "pool2.domain.com"); break;
	case 16: d = dns_of(m, N1, "A"), trust_names_clear(&d->values), trust_names_add_str(&d->values, "127.0.1.12"); break;
	case 15: text_fill(m->nodes[1].fqdn, sizeof m->nodes[1].fqdn, "node2.domain.local"); break;
	}
}

static void page_names_what_to_enter(void **state)
{
	static const struct {
		const char *about, *name;
		enum matrix_state state;
		const char *piece; /* of the line or its fix */
	} t[] = {
		{ "node01", "name-in-dns", MATRIX_BAD, N1 " A 127.0.1.11" },
		{ "node01", "name-in-dns", MATRIX_QUESTIONABLE, N1 " A 127.0.1.11" },
		{ UM, "common-name-in-dns", MATRIX_BAD, UM " A 127.0.1.12" },
		{ UM, "common-name-strays", MATRIX_QUESTIONABLE, "127.0.1.77" },
		{ UM, "common-name-srv", MATRIX_BAD, "_sips._tcp." UM " SRV 10 50 5061 " N2 },
		{ "node02", "address-in-dns", MATRIX_QUESTIONABLE, "12.1.0.127.in-addr.arpa PTR " N2 },
		{ "node02", "clock", MATRIX_BAD, "60 s ahead" },
		{ "node02", "alive", MATRIX_BAD, "40 s" },
		{ "node01", "contact", MATRIX_BAD, "node: fqdn" },
		{ "node02", "known-at-gateway", MATRIX_BAD, "Register " N2 " at lyncpool" },
		{ "lyncpool", "gateway-knows-strangers", MATRIX_QUESTIONABLE, "node09.domain.local" },
		{ "node02", "certificate-chain", MATRIX_NOT_KNOWN, "cannot be read" },
		{ "node01", "certificate-dates", MATRIX_BAD, "ended at" },
		{ "node01", "certificate-dates", MATRIX_QUESTIONABLE, "in 15 days" },
		{ "lyncpool", "gateway-certificate-dialled", MATRIX_BAD, "pool2.domain.com" },
		{ "node02", "own-name-in-certificate", MATRIX_BAD, "Put node2.domain.local into the certificate" },
		{ "node01", "name-in-dns", MATRIX_BAD, N1 " A 127.0.1.11" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct matrix_model *m = model_of(&cured);
		struct matrix_pool *p = NULL;
		good_names(m);
		spoil(m, (int)i);
		assert_int_equal(matrix_pool_make(&p, m), 0);
		if (t[i].piece) {
			const struct matrix_check *c = check_of(p, t[i].about, t[i].name);
			assert_int_equal(c->state, t[i].state);
			if (!strstr(c->fix, t[i].piece) && !strstr(c->found, t[i].piece))
				fail_msg("%s: \"%s\", \"%s\", not \"%s\"", c->name, c->found, c->fix, t[i].piece);
			assert_int_equal(p->bad, t[i].state == MATRIX_BAD);
		}
		matrix_pool_free(p);
		matrix_model_free(m);
	}
}

/* All names are in the shared certificate: what is wrong is what the pool is shown. */
static void page_of_the_lab(void **state)
{
	struct matrix_model *m = model_of(&lab);
	struct matrix_pool *p = NULL;
	(void)state;
	good_names(m);
	assert_int_equal(matrix_pool_make(&p, m), 0);
	assert_int_equal(check_of(p, "node01", "shown-to-gateway")->state, MATRIX_BAD);
	assert_non_null(strstr(check_of(p, "node02", "shown-to-gateway")->fix, "CN is " N2));
	for (unsigned i = 0; i < p->n; i++)
		if (strcmp(p->checks[i].name, "shown-to-gateway") != 0)
			assert_int_equal(p->checks[i].state, MATRIX_GOOD);
	matrix_pool_free(p);
	matrix_model_free(m);
}

static int page_once(void *arg)
{
	struct matrix_pool *p = NULL;
	int err = matrix_pool_make(&p, arg);
	matrix_pool_free(err ? NULL : p);
	return err;
}

static void page_without_memory(void **state)
{
	struct matrix_model *m = model_of(&lab);
	(void)state;
	good_names(m);
	ut_oom(page_once, m);
	matrix_model_free(m);
}

/* A node of our own without a certificate, and a name that leads to a device before the nodes. */
static void odd_sites(void **state)
{
	struct site s = { .cn = { UM }, .san = { BOTH }, .profile = "sfb-trusted-application", .known = UM };
	struct matrix_model *m = model_of(&s);
	struct matrix *x = NULL;
	(void)state;
	trust_names_add_str(&matrix_add_dns(m, UM, "A", "OK")->values, "203.0.113.5");
	assert_int_equal(matrix_run(&x, m), 0);
	assert_int_equal(matrix_cell(x, 0, 0, MATRIX_FAILOVER)->says, MATRIX_UNKNOWN);
	assert_string_equal(first_reason(x, 0, MATRIX_FAILOVER)->name, "service-name-leads-elsewhere");
	matrix_free(x);
	matrix_add_node(m, "node03", "node03.domain.local", UM)->self = true;
	assert_int_equal(matrix_run(&x, m), 0);
	assert_int_equal(matrix_cell(x, 2, 0, MATRIX_OPTIONS)->says, MATRIX_REFUSES);
	assert_string_equal(first_reason(x, 2, MATRIX_OPTIONS)->name, "no-certificate");
	matrix_free(x);
	matrix_model_free(m);
}

/* Another authority's certificate is doubted, a self-signed one more so. */
static void chains(void **state)
{
	struct matrix_model *m = model_of(&cured);
	struct matrix *x = NULL;
	struct tc root, own;
	struct matrix_cert *c = NULL;
	(void)state;
	tc_root(&root, "Another CA");
	make_cert(&c, &root, N1, "DNS:" N1, &cured);
	assert_int_equal(matrix_node_shows(&m->nodes[0], "own", c), 0);
	mem_unref(c);
	tc_leaf(&own, NULL, N2, "DNS:" N2);
	assert_int_equal(matrix_cert_from(&c, own.cert, NULL, "test"), 0);
	assert_int_equal(matrix_node_shows(&m->nodes[1], "own", c), 0);
	mem_unref(c);
	assert_int_equal(matrix_run(&x, m), 0);
	assert_string_equal(letters(x, 0, 0), "aaaaaaaaa");
	assert_string_equal(first_reason(x, 0, MATRIX_OPTIONS)->name, "own-chain-not-proven");
	assert_int_equal(matrix_cell(x, 0, 0, MATRIX_OPTIONS)->certainty, TRUST_LIKELY);
	assert_string_equal(letters(x, 1, 0), "????????a");
	assert_false(x->breaks);
	matrix_free(x);
	tc_free(&own);
	tc_free(&root);
	matrix_model_free(m);
}

/* ---- JSON, and memory ---- */

static void as_json(void **state)
{
	struct matrix_model *m = model_of(&lab);
	struct matrix *x = NULL;
	(void)state;
	assert_int_equal(matrix_run(&x, m), 0);
	json_t *o = matrix_json(x);
	assert_non_null(o);
	assert_int_equal(json_array_size(json_object_get(o, "cells")), 2 * MATRIX_FLOWS);
	assert_false(json_is_true(json_object_get(o, "good")));
	const json_t *r = json_array_get(json_object_get(o, "reasons"), 0);
	assert_string_equal(json_string_value(json_object_get(r, "command")), "umbel cert cure lyncpool");
	json_decref(o);
	matrix_free(x);
	matrix_model_free(m);
}

static int run_once(void *arg)
{
	struct matrix *x = NULL;
	int err = matrix_run(&x, arg);
	if (!err)
		assert_string_equal(letters(x, 0, 0), "aRRRaRaaR");
	matrix_free(x);
	return err;
}

static void memory_runs_out(void **state)
{
	struct matrix_model *m = model_of(&lab);
	(void)state;
	supposed(m, "node-down=node01");
	ut_oom(run_once, m);
	matrix_model_free(m);
}

UT_MAIN(UT(sites), UT(said_once), UT(no_single_certificate), UT(node_down), UT(tries_run_out), UT(one_name_for_all), UT(another_certificate),
	UT(bad_questions), UT(names_lead), UT(dns_says_how_a_gateway_is_dialled), UT(page_of_a_good_pool), UT(page_names_what_to_enter), UT(page_of_the_lab), UT(page_without_memory), UT(seen_and_foretold), UT(cards), UT(chains), UT(odd_sites), UT(as_json), UT(memory_runs_out))
