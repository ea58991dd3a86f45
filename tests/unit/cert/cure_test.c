/* SPDX-License-Identifier: Apache-2.0 */
/* cure_test.c  The errand with a gateway that is played by a function: it knows its peers by subject CN. */
#include "cert/cure.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "cert/install.h"
#include "cert_events.h"
#include "net/loop.h"
#include "net/tmr.h"
#include "support/certs.h"
#include "trust/pem.h"
#include "ut.h"

struct bench {
	const char *dir;
	struct clock_fake clock;
	struct loop *loop;
	struct pool *pool;
	struct tc root, shared;
	struct trust_keeper *keeper;
	char ca_cert[256], ca_key[256];
	struct cert_cure_prm prm;
	struct cert_gateway gateways[4];
	struct cert_cure *cure;
	/* the gateway */
	unsigned answers; /* how many probes it answers when it knows the CN */
	unsigned probes;
	struct tmr timer;
	cert_probe_done_h *done;
	void *done_arg;
	char asked_with[256];
	/* the outcome */
	bool is_over;
	struct cert_cure_result result;
	unsigned lines;
};

static void answer_probe(void *arg)
{
	struct bench *b = arg;
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, TRUST_DIALLED, TRUST_TLS, TC_NOW);
	bool known = strcmp(b->asked_with, "node01.domain.local") == 0 && b->probes <= b->answers;
	f->tls.done = true;
	facts_silent(f, 5000);
	b->done(known, f, b->done_arg);
	mem_free(f);
}

static int probe(const char *gateway, const char *identity, cert_probe_done_h *done, void *done_arg, void *arg)
{
	struct bench *b = arg;
	struct trust_set *s = trust_keeper_get(b->keeper);
	struct trust_identity *id = trust_set_find(s, identity);
	assert_string_equal(gateway, "lyncpool");
	assert_non_null(id);
	text_fill(b->asked_with, sizeof b->asked_with, trust_identity_cn(id));
	mem_unref(s);
	b->probes++;
	b->done = done;
	b->done_arg = done_arg;
	tmr_start(b->loop, &b->timer, 0, answer_probe, b);
	return 0;
}

static void said(enum cert_cure_step step, const struct ev_report *r, void *arg)
{
	struct bench *b = arg;
	char text[1024];
	(void)step;
	assert_null(strstr(ev_sentence(r, text, sizeof text), "?"));
	b->lines++;
}

static void over(const struct cert_cure_result *r, void *arg)
{
	struct bench *b = arg;
	b->is_over = true;
	b->result = *r;
}

static void make_trust(struct bench *b)
{
	struct trust_identity *id;
	struct trust_set *set;
	assert_int_equal(trust_identity_from(&id, "default", b->shared.cert, NULL, b->shared.key, NULL), 0);
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_set_identity(set, id), 0);
	assert_int_equal(trust_set_anchor(set, b->root.cert), 0);
	assert_int_equal(trust_keeper_create(&b->keeper, set), 0);
	mem_unref(set);
	mem_unref(id);
}

static void up(struct bench *b)
{
	*b = (struct bench){ .dir = ut_tmpdir(), .answers = 100 };
	clock_fake_init(&b->clock, TC_NOW);
	assert_int_equal(loop_create(&b->loop, &b->clock.clock), 0);
	assert_int_equal(pool_create(&b->pool, b->loop, "files", 1, 8), 0);
	tc_root(&b->root, "Lab CA");
	tc_leaf(&b->shared, &b->root, "um.domain.local", "DNS:um.domain.local,DNS:node01.domain.local,DNS:node02.domain.local");
	text_print(b->ca_cert, sizeof b->ca_cert, "%s/ca.pem", b->dir);
	text_print(b->ca_key, sizeof b->ca_key, "%s/ca.key", b->dir);
	tc_write_certs(b->ca_cert, &b->root.cert, 1);
	tc_write_key(b->ca_key, b->root.key);
	make_trust(b);
	b->prm = (struct cert_cure_prm){ .loop = b->loop, .pool = b->pool, .clock = &b->clock.clock, .keeper = b->keeper, .data_dir = b->dir,
					 .node = "node01", .fqdn = "node01.domain.local", .service = "um.domain.local", .gateway = "lyncpool",
					 .identity = "", .kind = CERT_KEY_EC_P256, .probe = probe, .probe_arg = b, .said = said, .over = over, .arg = b };
	b->gateways[0] = (struct cert_gateway){ .name = "lyncpool", .judges = { .configured = true, .profile = "cn-known-servers", .rule = TRUST_RULE_CN_ONLY } };
	trust_names_add_str(&b->gateways[0].judges.known, "node01.domain.local");
	trust_names_add_str(&b->gateways[0].judges.known, "node02.domain.local");
	b->prm.gateways = b->gateways;
	b->prm.n_gateways = 1;
	b->prm.is_default = true;
	b->prm.ca = (struct cert_sign_prm){ .ca_cert_file = b->ca_cert, .ca_key_file = b->ca_key };
}

static void down(struct bench *b)
{
	pool_destroy(b->pool);
	loop_destroy(b->loop);
	trust_keeper_destroy(b->keeper);
	tc_free(&b->shared);
	tc_free(&b->root);
}

static void run(struct bench *b)
{
	for (unsigned i = 0; i < 400 && !b->is_over; i++) {
		loop_step(b->loop, 5);
		clock_fake_advance_ms(&b->clock, 5);
	}
	assert_true(b->is_over);
}

static void start(struct bench *b)
{
	struct ev_report why;
	assert_int_equal(cert_cure_start(&b->cure, &b->prm, &why), 0);
	run(b);
}

static void to_waiting(struct bench *b)
{
	for (unsigned i = 0; i < 200 && cert_cure_at(b->cure) != CERT_CURE_WAIT; i++) {
		loop_step(b->loop, 5);
		clock_fake_advance_ms(&b->clock, 5);
	}
	assert_int_equal(cert_cure_at(b->cure), CERT_CURE_WAIT);
}

static const char *live_cn(struct bench *b, char *dst, size_t size)
{
	struct trust_set *s = trust_keeper_get(b->keeper);
	assert_int_equal(trust_set_count(s), 1); /* the rehearsal's is gone */
	text_fill(dst, size, trust_identity_cn(trust_set_find(s, "default")));
	mem_unref(s);
	return dst;
}

static void it_cures(void **state)
{
	(void)state;
	struct bench b;
	char cn[256], path[512];
	up(&b);
	start(&b);
	assert_true(b.result.good);
	assert_int_equal(b.result.report.id, EV_CERT_CURE_DONE);
	assert_string_equal(live_cn(&b, cn, sizeof cn), "node01.domain.local");
	assert_int_equal(b.probes, 2);
	assert_true(b.lines >= 7);
	assert_string_not_equal(b.result.old_sha256, b.result.new_sha256);
	assert_int_equal(access(cert_installed_path(b.dir, "default", path), R_OK), 0);
	down(&b);
}

static void a_rehearsal_that_fails_changes_nothing(void **state)
{
	(void)state;
	struct bench b;
	char cn[256], path[512];
	up(&b);
	b.answers = 0;
	start(&b);
	assert_false(b.result.good);
	assert_int_equal(b.result.failed_at, CERT_CURE_REHEARSE);
	assert_string_equal(live_cn(&b, cn, sizeof cn), "um.domain.local");
	assert_int_equal(access(cert_installed_path(b.dir, "default", path), R_OK), -1);
	down(&b);
}

static void an_answer_that_stops_after_the_change_rolls_back(void **state)
{
	(void)state;
	struct bench b;
	char cn[256], path[512];
	up(&b);
	b.answers = 1;
	start(&b);
	assert_false(b.result.good);
	assert_int_equal(b.result.report.id, EV_CERT_ROLLED_BACK);
	assert_string_equal(live_cn(&b, cn, sizeof cn), "um.domain.local");
	assert_int_equal(access(cert_installed_path(b.dir, "default", path), R_OK), -1);
	down(&b);
}

static void without_a_ca_it_waits_for_the_file(void **state)
{
	(void)state;
	struct bench b;
	struct ev_report why;
	char path[512], cn[256];
	struct buf csr, chain;
	up(&b);
	struct cert_sign_prm ca = b.prm.ca;
	b.prm.ca.ca_cert_file = NULL;
	assert_int_equal(cert_cure_start(&b.cure, &b.prm, &why), 0);
	to_waiting(&b);
	buf_init(&csr, TRUST_PEM_MAX);
	buf_init(&chain, TRUST_PEM_MAX);
	text_print(path, sizeof path, "%s/tls/default.csr", b.dir);
	assert_int_equal(trust_pem_file(&csr, path), 0);
	ca.clock = &b.clock.clock;
	assert_int_equal(cert_ca_sign(&chain, buf_as_text(&csr), &ca, &why), 0);
	assert_int_equal(trust_file_write(cert_awaited_path(b.dir, "default", path), chain.p, chain.n, 0644), 0);
	run(&b);
	assert_true(b.result.good);
	assert_string_equal(live_cn(&b, cn, sizeof cn), "node01.domain.local");
	buf_free(&csr);
	buf_free(&chain);
	down(&b);
}

static void another_gateway_is_not_lost(void **state)
{
	(void)state;
	struct bench b;
	char cn[256];
	up(&b);
	b.gateways[1] = (struct cert_gateway){ .name = "sbc", .judges = { .configured = true, .rule = TRUST_RULE_CN_ONLY } };
	trust_names_add_str(&b.gateways[1].judges.known, "um.domain.local");
	b.prm.n_gateways = 2;
	start(&b);
	assert_false(b.result.good);
	assert_int_equal(b.result.failed_at, CERT_CURE_EXAMINE);
	assert_string_equal(live_cn(&b, cn, sizeof cn), "um.domain.local");
	struct text advice = ev_field_text(&b.result.report, "advice");
	assert_true(advice.n > 0);
	assert_int_equal(text_find(advice, '{'), SIZE_MAX); /* what is said is filled in */
	down(&b);
}

static void cancelled_while_it_waits(void **state)
{
	(void)state;
	struct bench b;
	struct ev_report why;
	up(&b);
	b.prm.ca.ca_cert_file = NULL;
	assert_int_equal(cert_cure_start(&b.cure, &b.prm, &why), 0);
	to_waiting(&b);
	cert_cure_cancel(b.cure);
	assert_true(b.is_over);
	assert_false(b.result.good);
	down(&b);
}

static void an_identity_that_is_not_there(void **state)
{
	(void)state;
	struct bench b;
	struct ev_report why;
	up(&b);
	b.prm.identity = "nobody";
	assert_int_equal(cert_cure_start(&b.cure, &b.prm, &why), ENOENT);
	assert_int_equal(why.id, EV_CERT_CURE_FAILED);
	down(&b);
}

UT_MAIN(UT(it_cures), UT(a_rehearsal_that_fails_changes_nothing), UT(an_answer_that_stops_after_the_change_rolls_back),
	UT(without_a_ca_it_waits_for_the_file), UT(another_gateway_is_not_lost), UT(cancelled_while_it_waits), UT(an_identity_that_is_not_there))
