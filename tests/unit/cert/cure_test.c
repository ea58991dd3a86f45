/* SPDX-License-Identifier: Apache-2.0 */
/* cure_test.c  The errand with a gateway that is played by a function: it knows its peers by subject CN. */
#include "cert/cure.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "cert/install.h"
#include "cert_events.h"
#include "life.h"
#include "trust/pem.h"

struct bench {
	struct life life; /* first: handlers are given it and find us */
	struct tc shared;
	char ca_cert[256], ca_key[256];
	struct cert_cure_prm prm;
	struct cert_gateway gateways[4];
	struct cert_cure *cure;
	unsigned n_answers; /* how many probes the gateway answers when it knows the CN */
};

static bool answers(struct life *l, const char *gateway, const char *cn)
{
	assert_string_equal(gateway, "lyncpool");
	return strcmp(cn, "node01.domain.local") == 0 && l->probes <= ((struct bench *)l)->n_answers;
}

static void up(struct bench *b)
{
	struct life *l = &b->life;
	*b = (struct bench){ .n_answers = 100 };
	life_up(l);
	l->answers = answers;
	tc_leaf(&b->shared, &b->life.root, "um.domain.local", "DNS:um.domain.local,DNS:node01.domain.local,DNS:node02.domain.local");
	text_print(b->ca_cert, sizeof b->ca_cert, "%s/ca.pem", b->life.dir);
	text_print(b->ca_key, sizeof b->ca_key, "%s/ca.key", b->life.dir);
	tc_write_certs(b->ca_cert, &b->life.root.cert, 1);
	tc_write_key(b->ca_key, b->life.root.key);
	life_identity(l, &b->shared);
	b->prm = (struct cert_cure_prm){ .loop = l->loop, .pool = l->pool, .clock = &l->clock.clock, .keeper = l->keeper, .data_dir = l->dir,
					 .node = "node01", .fqdn = "node01.domain.local", .service = "um.domain.local", .gateway = "lyncpool",
					 .identity = "", .kind = CERT_KEY_EC_P256, .probe = life_probe, .probe_arg = l, .said = life_said,
					 .over = life_over, .arg = l };
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
	life_down(&b->life);
	tc_free(&b->shared);
}

static void start(struct bench *b)
{
	struct ev_report why;
	assert_int_equal(cert_cure_start(&b->cure, &b->prm, &why), 0);
	life_run(&b->life);
}

static void to_waiting(struct bench *b)
{
	for (unsigned i = 0; i < 200 && cert_cure_at(b->cure) != CERT_CURE_WAIT; i++)
		life_turn(&b->life);
	assert_int_equal(cert_cure_at(b->cure), CERT_CURE_WAIT);
}

static bool shows(struct bench *b, const char *cn)
{
	struct trust_set *s = trust_keeper_get(b->life.keeper);
	bool same = trust_set_count(s) == 1 && strcmp(trust_identity_cn(trust_set_find(s, "default")), cn) == 0;
	mem_unref(s);
	return same;
}

static void it_cures(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	start(&b);
	assert_true(b.life.result.good);
	assert_int_equal(b.life.result.report.id, EV_CERT_CURE_DONE);
	assert_true(shows(&b, "node01.domain.local"));
	assert_int_equal(b.life.probes, 2);
	assert_true(b.life.n_said >= 7);
	assert_string_not_equal(b.life.result.old_sha256, b.life.result.new_sha256);
	assert_true(life_on_disk(&b.life));
	down(&b);
}

static void a_rehearsal_that_fails_changes_nothing(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	b.n_answers = 0;
	start(&b);
	assert_false(b.life.result.good);
	assert_int_equal(b.life.result.failed_at, CERT_CURE_REHEARSE);
	assert_true(shows(&b, "um.domain.local"));
	assert_false(life_on_disk(&b.life));
	down(&b);
}

static void an_answer_that_stops_after_the_change_rolls_back(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	b.n_answers = 1;
	start(&b);
	assert_false(b.life.result.good);
	assert_int_equal(b.life.result.report.id, EV_CERT_ROLLED_BACK);
	assert_true(shows(&b, "um.domain.local"));
	assert_false(life_on_disk(&b.life));
	down(&b);
}

/* Waits for an outside CA, with what it would answer in `chain`. */
static void up_waiting(struct bench *b, struct buf *chain, char *awaited)
{
	struct ev_report why;
	char path[512];
	struct buf csr;
	up(b);
	struct cert_sign_prm ca = b->prm.ca;
	b->prm.ca.ca_cert_file = NULL;
	assert_int_equal(cert_cure_start(&b->cure, &b->prm, &why), 0);
	to_waiting(b);
	buf_init(&csr, TRUST_PEM_MAX);
	buf_init(chain, TRUST_PEM_MAX);
	assert_int_equal(trust_pem_file(&csr, cert_request_path(b->life.dir, "default", path)), 0);
	ca.clock = &b->life.clock.clock;
	assert_int_equal(cert_ca_sign(chain, buf_as_text(&csr), &ca, &why), 0);
	cert_awaited_path(b->life.dir, "default", awaited);
	buf_free(&csr);
}

static void without_a_ca_it_waits_for_the_file(void **state)
{
	(void)state;
	struct bench b;
	struct buf chain;
	char path[512];
	up_waiting(&b, &chain, path);
	assert_int_equal(trust_file_write(path, chain.p, chain.n, 0644), 0);
	life_run(&b.life);
	assert_true(b.life.result.good);
	assert_true(shows(&b, "node01.domain.local"));
	buf_free(&chain);
	down(&b);
}

static void seconds(struct bench *b, unsigned s)
{
	for (unsigned i = 0; i < s * 200; i++)
		life_turn(&b->life);
}

/* It comes in pieces; what looks whole is taken only when nobody writes to it any more. */
static void an_answer_that_is_being_written_is_waited_for(void **state)
{
	(void)state;
	struct bench b;
	struct buf chain;
	char path[512];
	up_waiting(&b, &chain, path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < 5; i++) { /* each time good, and each time another one */
		if (!i)
			assert_int_equal(fwrite(chain.p, 1, chain.n, f), chain.n);
		fprintf(f, "# more is to come %u\n", i);
		fflush(f);
		seconds(&b, 1);
		assert_int_equal(cert_cure_at(b.cure), CERT_CURE_WAIT);
	}
	fclose(f);
	life_run(&b.life);
	assert_true(b.life.result.good);
	buf_free(&chain);
	down(&b);
}

static void what_is_no_answer_is_told_and_waited_over(void **state)
{
	(void)state;
	struct bench b;
	struct buf chain;
	char path[512];
	up_waiting(&b, &chain, path);
	assert_int_equal(mkfifo(path, 0600), 0); /* nobody ever writes into it */
	seconds(&b, 4);
	assert_int_equal(cert_cure_at(b.cure), CERT_CURE_WAIT);
	assert_int_equal(life_heard(&b.life, EV_CERT_FILE_FAILED), 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(trust_file_write(path, chain.p, chain.n, 0644), 0);
	life_run(&b.life);
	assert_true(b.life.result.good);
	buf_free(&chain);
	down(&b);
}

static void another_gateway_is_not_lost(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	b.gateways[1] = (struct cert_gateway){ .name = "sbc", .judges = { .configured = true, .rule = TRUST_RULE_CN_ONLY } };
	trust_names_add_str(&b.gateways[1].judges.known, "um.domain.local");
	b.prm.n_gateways = 2;
	start(&b);
	assert_false(b.life.result.good);
	assert_int_equal(b.life.result.failed_at, CERT_CURE_EXAMINE);
	assert_true(shows(&b, "um.domain.local"));
	struct text advice = ev_field_text(&b.life.result.report, "advice");
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
	assert_true(b.life.is_over);
	assert_false(b.life.result.good);
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
	UT(without_a_ca_it_waits_for_the_file), UT(an_answer_that_is_being_written_is_waited_for), UT(what_is_no_answer_is_told_and_waited_over), UT(another_gateway_is_not_lost), UT(cancelled_while_it_waits), UT(an_identity_that_is_not_there))
