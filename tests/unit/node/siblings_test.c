/* SPDX-License-Identifier: Apache-2.0 */
/* siblings_test.c  What differs among nodes is told once, with the name of the node that has it; nodes that are alike make no finding. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/text.h"
#include "cert/matrix.h"
#include "certs.h"
#include "event/report.h"
#include "jobs/registry.h"
#include "jobs_events.h"
#include "node/siblings.h"
#include "node_events.h"
#include "trust/identity.h"

#define N1 "node01.domain.local"
#define N2 "node02.domain.local"
#define UM "um.domain.local"

struct rig {
	struct registry_node v[3];
	size_t n;
	struct tc root;
	char *card[2];
	unsigned findings;
	uint16_t id[16];
	char sentence[16][300];
};

/* One that shows a certificate of that leaf. */
static char *card_of(const struct tc *leaf, const char *fqdn)
{
	static const struct cfg_listen listen = { .transport = CFG_TLS, .address = "127.0.1.11", .port = 5061 };
	struct cfg cfg = { .has_node = true, .node = { .name = "node", .fqdn = fqdn, .service = UM, .listen = &listen, .n_listen = 1 } };
	struct trust_identity *id = NULL;
	struct trust_set *set = NULL;
	struct buf b;
	buf_init(&b, 1 << 20);
	assert_int_equal(trust_identity_from(&id, "own", leaf->cert, NULL, leaf->key, NULL), 0);
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_set_identity(set, id), 0);
	assert_int_equal(matrix_card_make(&b, &cfg, set), 0);
	char *card = mem_strdup(buf_cstr(&b));
	buf_free(&b);
	mem_unref(set);
	mem_unref(id);
	return card;
}

static void show(struct rig *r, size_t i, const char *cn)
{
	struct tc leaf;
	char san[300];
	snprintf(san, sizeof san, "DNS:%s", cn);
	tc_leaf(&leaf, &r->root, cn, san);
	mem_free(r->card[i]);
	r->card[i] = card_of(&leaf, r->v[i].fqdn);
	r->v[i].card = r->card[i];
	tc_free(&leaf);
}

static void begin(struct rig *r)
{
	static const char objects[] = "0123456789abcdef0123456789abcdef";
	memset(r, 0, sizeof *r);
	tc_root(&r->root, "Lab CA");
	for (size_t i = 0; i < 2; i++) {
		struct registry_node *x = &r->v[i];
		snprintf(x->name, sizeof x->name, "node0%zu", i + 1);
		snprintf(x->fqdn, sizeof x->fqdn, "%s", i ? N2 : N1);
		text_fill(x->version, sizeof x->version, "0.1.0");
		text_fill(x->state, sizeof x->state, "ready");
		memcpy(x->objects, objects, sizeof objects);
		x->revision = 3;
		x->alive = true;
		show(r, i, x->fqdn);
	}
	r->n = 2;
}

static void end(struct rig *r)
{
	mem_free(r->card[0]);
	mem_free(r->card[1]);
	tc_free(&r->root);
}

static void found(const struct ev_report *rep, void *arg)
{
	struct rig *r = arg;
	assert_true(r->findings < 16);
	r->id[r->findings] = rep->id;
	ev_sentence(rep, r->sentence[r->findings], sizeof r->sentence[0]);
	assert_null(strchr(r->sentence[r->findings], '{'));
	r->findings++;
}

static void look(struct rig *r, int64_t now_s)
{
	r->findings = 0;
	assert_int_equal(node_compare(r->v, r->n, now_s, found, r), 0);
}

static void only(struct rig *r, uint16_t id, const char *says)
{
	look(r, TC_NOW);
	assert_int_equal(r->findings, 1);
	assert_int_equal(r->id[0], id);
	assert_non_null(strstr(r->sentence[0], says));
}

static void alike(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	look(&r, TC_NOW);
	assert_int_equal(r.findings, 0);
	r.v[0].card = r.v[1].card = NULL; /* not told: nothing is known, so nothing is wrong */
	r.v[1].objects[0] = '\0';
	look(&r, TC_NOW);
	assert_int_equal(r.findings, 0);
	r.n = 0;
	look(&r, TC_NOW);
	assert_int_equal(r.findings, 0);
	end(&r);
}

static void releases_clocks_and_objects(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	r.v[1].skew_us = 1900000;
	look(&r, TC_NOW);
	assert_int_equal(r.findings, 0);
	r.v[1].skew_us = -3700000;
	only(&r, EV_NODE_CLOCK_WRONG, "node02 differs by -3 s");
	r.v[1].skew_us = 0;
	text_fill(r.v[1].version, sizeof r.v[1].version, "0.2.0");
	only(&r, EV_NODE_VERSIONS_DIFFER, "node02 runs version 0.2.0, node node01 runs version 0.1.0");
	text_fill(r.v[1].version, sizeof r.v[1].version, "0.1.0");
	r.v[1].objects[0] = 'f';
	r.v[1].revision = 2;
	only(&r, EV_NODE_OBJECTS_DIFFER, "node02 (revision 2)");
	end(&r);
}

static void silent_and_stopped_nodes(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	text_fill(r.v[0].version, sizeof r.v[0].version, "0.0.9"); /* the first one is not the measure when it is not there */
	r.v[0].alive = false;
	r.v[0].ago_us = 7000000;
	only(&r, EV_NODE_SILENT, "node01 has given no sign for 7000 ms");
	text_fill(r.v[0].state, sizeof r.v[0].state, "stopped");
	look(&r, TC_NOW);
	assert_int_equal(r.findings, 0);
	end(&r);
}

static void certificates(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	show(&r, 1, "node03.domain.local");
	only(&r, EV_NODE_CERT_OTHER_NAME, N2);
	mem_free(r.card[1]);
	r.card[1] = mem_strdup(r.card[0]);
	r.v[1].card = r.card[1];
	look(&r, TC_NOW);
	assert_int_equal(r.findings, 2);
	assert_int_equal(r.id[0], EV_NODE_CERT_OTHER_NAME);
	assert_int_equal(r.id[1], EV_NODE_CERT_SHARED);
	assert_non_null(strstr(r.sentence[1], "node02 and node01"));
	show(&r, 1, N2);
	look(&r, TC_NOW + 20 * 365 * (int64_t)86400);
	assert_int_equal(r.findings, 2); /* both have ended */
	assert_int_equal(r.id[0], EV_NODE_CERT_ENDS);
	assert_int_equal(r.id[1], EV_NODE_CERT_ENDS);
	r.v[1].card = "{\"schema\":1,\"identities\":[{\"name\":\"b\",\"chain\":\"-----BEGIN CERTIFICATE-----\"}]}";
	look(&r, TC_NOW);
	assert_int_equal(r.findings, 0);
	end(&r);
}

static void count(const struct ev_report *rep, void *arg)
{
	(void)rep;
	(void)arg;
}

static int compare(void *arg)
{
	struct rig *r = arg;
	return node_compare(r->v, r->n, TC_NOW, count, r);
}

static void memory_runs_out(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	ut_oom(compare, &r);
	end(&r);
}

UT_MAIN(UT(alike), UT(releases_clocks_and_objects), UT(silent_and_stopped_nodes), UT(certificates), UT(memory_runs_out))
