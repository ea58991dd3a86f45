/* SPDX-License-Identifier: Apache-2.0 */
/* swap_test.c  Installation with two gateways that are played by functions: what each knows us by, and from when on it stops. */
#include <errno.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "cert/install.h"
#include "cert/lock.h"
#include "cert/order.h"
#include "cert_events.h"
#include "life.h"
#include "trust/pem.h"
#include "trust_events.h"

struct played {
	const char *knows;    /* the CN that it answers to; NULL: to none */
	int64_t stops_ms;     /* on the monotonic clock: from then on it is silent; 0: never */
	enum cert_works before;
	bool calls_in_break;  /* its connections to us fail once the new one is in use */
	unsigned probes;
};

struct bench {
	struct life life; /* first: handlers are given it and find us */
	struct tc middle, old, fresh;
	struct cert_gateway gateways[2];
	struct played played[2];
	struct cert_swap_prm prm;
	struct cert_swap *swap;
	struct buf chain, key;
	unsigned disk_fails_at; /* at which probe; 0: never */
	size_t first_fails, second_fails; /* which allocation fails when it is put back, and when that is tried again; 0: none */
	bool changed;
	unsigned changes;
};

/* A folder with something in it is where the installed file was: it can be neither replaced nor removed. */
static void spoil_file(struct bench *b)
{
	char path[512], in[520];
	cert_installed_path(b->life.dir, "default", path);
	text_print(in, sizeof in, "%s/x", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mkdir(in, 0700), 0);
}

static struct played *played(struct bench *b, const char *gateway)
{
	return &b->played[strcmp(gateway, "pool") == 0 ? 0 : 1];
}

static bool answers(struct life *l, const char *gateway, const char *cn)
{
	struct bench *b = (struct bench *)l;
	struct played *p = played(b, gateway);
	p->probes++;
	if (b->disk_fails_at && l->probes == b->disk_fails_at)
		spoil_file(b);
	bool on = !p->stops_ms || clock_mono_ms(&l->clock.clock) < p->stops_ms;
	return on && p->knows && strcmp(p->knows, cn) == 0;
}

static enum cert_works options(const char *gateway, char *sentence, size_t size, void *arg)
{
	struct bench *b = arg;
	text_fill(sentence, size, "");
	return played(b, gateway)->before;
}

static enum cert_works calls_in(const char *gateway, char *sentence, size_t size, void *arg)
{
	struct bench *b = arg;
	const struct played *p = played(b, gateway);
	text_fill(sentence, size, "it refuses our certificate");
	if (!b->changed || !p->calls_in_break)
		return CERT_WORKS;
	mem_fail_at(b->first_fails);
	return CERT_REFUSED;
}

static void changed(void *arg)
{
	struct bench *b = arg;
	b->changed = true;
	if (++b->changes == 2) /* the one before was put back, or was not */
		mem_fail_at(b->second_fails);
}

static struct cert_gateway knows_by_cn(const char *name, const char *cn)
{
	struct cert_gateway g = { .name = name, .judges = { .configured = true, .profile = "cn-known-servers", .rule = TRUST_RULE_CN_ONLY } };
	trust_names_add_str(&g.judges.known, cn);
	return g;
}

#define NODE "node01.domain.local"

static void up(struct bench *b)
{
	struct life *l = &b->life;
	*b = (struct bench){ 0 };
	life_up(l);
	l->answers = answers;
	tc_make(&b->middle, &(struct tc_prm){ .cn = "Issuing CA", .ca = true, .issuer = &b->life.root });
	tc_leaf(&b->old, &b->life.root, NODE, "DNS:" NODE);
	tc_leaf(&b->fresh, &b->middle, NODE, "DNS:" NODE);
	life_identity(l, &b->old);
	buf_init(&b->chain, TRUST_PEM_MAX);
	buf_init(&b->key, TRUST_PEM_MAX);
	assert_int_equal(trust_pem_put_cert(&b->chain, b->fresh.cert), 0);
	assert_int_equal(trust_pem_put_cert(&b->chain, b->middle.cert), 0);
	assert_int_equal(trust_pem_put_key(&b->key, b->fresh.key), 0);
	b->gateways[0] = knows_by_cn("pool", NODE);
	b->gateways[1] = (struct cert_gateway){ .name = "sbc" };
	b->played[0] = (struct played){ .knows = NODE, .before = CERT_WORKS };
	b->played[1] = (struct played){ .knows = NODE, .before = CERT_WORKS };
	b->prm = (struct cert_swap_prm){ .loop = l->loop, .pool = l->pool, .clock = &l->clock.clock, .keeper = l->keeper, .data_dir = l->dir, .fqdn = NODE,
					 .service = "", .identity = "", .is_default = true, .gateways = b->gateways, .n_gateways = 2, .watch_ms = 20000,
					 .probe = life_probe, .probe_arg = l, .options = options, .calls_in = calls_in, .changed = changed,
					 .said = life_said, .over = life_over, .arg = b };
}

static void down(struct bench *b)
{
	life_down(&b->life);
	buf_free(&b->chain);
	buf_free(&b->key);
	tc_free(&b->fresh);
	tc_free(&b->old);
	tc_free(&b->middle);
}

static void start(struct bench *b)
{
	b->prm.chain = buf_as_text(&b->chain);
	b->prm.key = buf_as_text(&b->key);
	assert_int_equal(cert_swap_start(&b->swap, &b->prm), 0);
}

static void run(struct bench *b)
{
	b->life.is_over = false;
	start(b);
	life_run(&b->life);
}

static void it_is_rehearsed_installed_and_watched(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	run(&b);
	assert_true(b.life.result.good);
	assert_int_equal(b.life.result.report.id, EV_CERT_INSTALL_DONE);
	assert_int_equal(b.life.result.asked, 2);
	assert_true(life_shows(&b.life, &b.fresh));
	assert_true(life_on_disk(&b.life));
	assert_true(b.changed);
	/* rehearsal, proof, and the looks of 20 s, each of both */
	assert_int_equal(b.played[0].probes, 6);
	assert_int_equal(b.played[1].probes, 6);
	assert_true(life_heard(&b.life, EV_CERT_WATCHING));
	down(&b);
}

static void a_gateway_that_stops_later_brings_the_old_one_back(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	b.played[1].stops_ms = clock_mono_ms(&b.life.clock.clock) + 12000;
	run(&b);
	assert_false(b.life.result.good);
	assert_int_equal(b.life.result.report.id, EV_CERT_ROLLED_BACK);
	assert_int_equal(b.life.result.failed_at, CERT_CURE_WATCH);
	assert_true(text_starts(ev_field_text(&b.life.result.report, "reason"), "gateway sbc:"));
	assert_true(life_shows(&b.life, &b.old));
	assert_false(life_on_disk(&b.life));
	down(&b);
}

static void a_file_that_cannot_be_taken_back_is_told(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	b.played[1].stops_ms = clock_mono_ms(&b.life.clock.clock) + 12000;
	b.disk_fails_at = 4; /* after rehearsal and proof began: it is installed */
	run(&b);
	assert_int_equal(b.life.result.report.id, EV_CERT_ROLLED_BACK);
	assert_true(life_heard(&b.life, EV_CERT_FILE_STAYS));
	assert_true(life_shows(&b.life, &b.old));
	down(&b);
}

static void what_did_not_work_before_is_not_lost(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	b.prm.watch_ms = 0;
	b.played[1].knows = NULL; /* silent always, as before */
	b.played[1].before = CERT_REFUSED;
	run(&b);
	assert_true(b.life.result.good); /* what did not work is not lost */
	assert_true(life_heard(&b.life, EV_CERT_REHEARSAL_NO_CHANGE));
	assert_int_equal(b.life.result.asked, 1);
	down(&b);
}

static void a_gateway_nobody_knows_of_is_asked_with_the_old_one_too(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	tc_free(&b.fresh);
	tc_leaf(&b.fresh, &b.middle, "other.domain.local", "DNS:other.domain.local,DNS:" NODE);
	buf_clear(&b.chain);
	buf_clear(&b.key);
	trust_pem_put_cert(&b.chain, b.fresh.cert);
	trust_pem_put_cert(&b.chain, b.middle.cert);
	trust_pem_put_key(&b.key, b.fresh.key);
	b.prm.gateways = &b.gateways[1];
	b.prm.n_gateways = 1;
	b.played[1].before = CERT_NOT_KNOWN; /* it answers to the old CN only: nobody could know but by asking */
	run(&b);
	assert_false(b.life.result.good);
	assert_int_equal(b.life.result.failed_at, CERT_CURE_REHEARSE);
	assert_int_equal(b.played[1].probes, 2);
	assert_true(life_shows(&b.life, &b.old));
	assert_false(life_on_disk(&b.life));
	down(&b);
}

static void the_rule_of_a_gateway_stops_it_before_anybody_is_asked(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	tc_free(&b.fresh);
	tc_leaf(&b.fresh, &b.middle, "um.domain.local", "DNS:um.domain.local,DNS:" NODE);
	buf_clear(&b.chain);
	buf_clear(&b.key);
	trust_pem_put_cert(&b.chain, b.fresh.cert);
	trust_pem_put_cert(&b.chain, b.middle.cert);
	trust_pem_put_key(&b.key, b.fresh.key);
	run(&b);
	assert_false(b.life.result.good);
	assert_int_equal(b.life.result.failed_at, CERT_CURE_EXAMINE);
	assert_int_equal(b.played[0].probes, 0);
	assert_true(life_shows(&b.life, &b.old));
	b.prm.force = true; /* then the probe decides: it does not know it either, and --force goes on */
	b.prm.watch_ms = 0;
	b.played[0].knows = "um.domain.local";
	b.played[1].knows = "um.domain.local";
	run(&b);
	assert_true(b.life.result.good);
	assert_true(life_heard(&b.life, EV_CERT_PROFILE_REFUSES));
	down(&b);
}

static void calls_that_fail_bring_the_old_one_back(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	b.played[0].calls_in_break = true;
	run(&b);
	assert_false(b.life.result.good);
	assert_int_equal(b.life.result.report.id, EV_CERT_ROLLED_BACK);
	assert_true(life_shows(&b.life, &b.old));
	down(&b);
}

/* Memory fails when the old one is put back, and at the nth place when that is tried once more. */
static void one_that_cannot_be_put_back_is_told(void **state)
{
	(void)state;
	unsigned not_back = 0, back = 0;
	for (size_t n = 0; n < 12; n++) {
		struct bench b;
		up(&b);
		b.played[0].calls_in_break = true;
		b.first_fails = 1;
		b.second_fails = n;
		run(&b);
		mem_fail_at(0);
		bool stays = b.life.result.report.id == EV_CERT_NOT_TAKEN_BACK;
		assert_false(b.life.result.good);
		assert_true(stays || b.life.result.report.id == EV_CERT_ROLLED_BACK);
		assert_true(life_shows(&b.life, stays ? &b.fresh : &b.old)); /* it says what is so */
		assert_false(life_on_disk(&b.life));                        /* a restart shows the old one in any case */
		if (stays)
			assert_true(text_is(ev_field_text(&b.life.result.report, "error"), strerrordesc_np(ENOMEM)));
		not_back += stays;
		back += !stays;
		down(&b);
	}
	assert_true(not_back > 0);
	assert_true(back > 0);
}

/* A name as long as names may be: the rehearsal's must be another one. */
static void the_longest_name_is_rehearsed_under_another(void **state)
{
	(void)state;
	struct bench b;
	char name[TRUST_LABEL_SIZE];
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	up(&b);
	b.prm.identity = name;
	b.prm.is_default = false;
	b.prm.watch_ms = 0;
	b.played[0].knows = b.played[1].knows = NULL; /* refused by both: nothing of it may be left */
	run(&b);
	assert_false(b.life.result.good);
	assert_int_equal(b.life.result.failed_at, CERT_CURE_REHEARSE);
	assert_true(life_shows(&b.life, &b.old));
	b.played[0].knows = b.played[1].knows = NODE;
	run(&b);
	assert_true(b.life.result.good);
	struct trust_set *s = trust_keeper_get(b.life.keeper);
	assert_int_equal(trust_set_count(s), 2);
	assert_non_null(trust_set_find(s, name));
	mem_unref(s);
	down(&b);
}

static void the_wrong_order_is_put_right(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	buf_clear(&b.chain);
	trust_pem_put_cert(&b.chain, b.old.cert); /* not of this key, not of this chain */
	trust_pem_put_cert(&b.chain, b.life.root.cert);
	trust_pem_put_cert(&b.chain, b.middle.cert);
	trust_pem_put_cert(&b.chain, b.fresh.cert);
	b.prm.watch_ms = 0;
	run(&b);
	assert_true(b.life.result.good);
	assert_true(life_heard(&b.life, EV_CERT_ORDER_MENDED));
	assert_true(life_shows(&b.life, &b.fresh));
	struct trust_set *s = trust_keeper_get(b.life.keeper);
	STACK_OF(X509) *chain = trust_identity_chain(trust_set_find(s, "default"));
	assert_int_equal(sk_X509_num(chain), 1);
	assert_int_equal(X509_cmp(sk_X509_value(chain, 0), b.middle.cert), 0);
	mem_unref(s);
	down(&b);
}

/* AD CS gives .cer (DER) and .p7b. */
static void every_form_of_an_answer_is_read(void **state)
{
	(void)state;
	struct bench b;
	struct buf in;
	unsigned char *der = NULL;
	STACK_OF(X509) *all;
	up(&b);
	buf_init(&in, TRUST_PEM_MAX);
	int n = i2d_X509(b.fresh.cert, &der);
	buf_put(&in, der, (size_t)n);
	OPENSSL_free(der);
	der = NULL;
	assert_int_equal(cert_answer_to_pem(&in), 0);
	assert_int_equal(trust_pem_certs(&all, buf_as_text(&in)), 0);
	assert_int_equal(X509_cmp(sk_X509_value(all, 0), b.fresh.cert), 0);
	sk_X509_pop_free(all, X509_free);
	PKCS7 *p7 = PKCS7_new();
	PKCS7_set_type(p7, NID_pkcs7_signed);
	PKCS7_content_new(p7, NID_pkcs7_data);
	PKCS7_add_certificate(p7, b.middle.cert);
	PKCS7_add_certificate(p7, b.fresh.cert);
	for (int pem = 0; pem < 2; pem++) {
		char *p = NULL;
		BIO *out = BIO_new(BIO_s_mem());
		assert_int_equal(pem ? PEM_write_bio_PKCS7(out, p7) : i2d_PKCS7_bio(out, p7), 1);
		long len = BIO_get_mem_data(out, &p);
		buf_clear(&in);
		buf_put(&in, p, (size_t)len);
		BIO_free(out);
		assert_int_equal(cert_answer_to_pem(&in), 0);
		assert_int_equal(trust_pem_certs(&all, buf_as_text(&in)), 0);
		assert_int_equal(sk_X509_num(all), 2);
		sk_X509_pop_free(all, X509_free);
	}
	buf_clear(&in);
	buf_str(&in, "no certificate");
	assert_int_equal(cert_answer_to_pem(&in), EBADMSG);
	assert_int_equal(in.n, 14);
	PKCS7_free(p7);
	buf_free(&in);
	down(&b);
}

static void a_key_of_somebody_else_is_refused(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	buf_clear(&b.key);
	trust_pem_put_key(&b.key, b.middle.key);
	buf_clear(&b.chain);
	trust_pem_put_cert(&b.chain, b.fresh.cert);
	run(&b);
	assert_false(b.life.result.good);
	assert_int_equal(b.life.result.failed_at, CERT_CURE_EXAMINE);
	down(&b);
}

static void a_new_identity_comes_and_goes(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	b.prm.identity = "second";
	b.prm.is_default = false;
	b.prm.n_gateways = 0;
	run(&b);
	assert_true(b.life.result.good);
	struct trust_set *s = trust_keeper_get(b.life.keeper);
	assert_int_equal(trust_set_count(s), 2);
	assert_non_null(trust_set_find(s, "second"));
	mem_unref(s);
	down(&b);
}

/* One identity a role: this one is shown only where we dial. */
static void one_for_dialling_alone_needs_no_other_usage(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	tc_free(&b.fresh);
	tc_make(&b.fresh, &(struct tc_prm){ .cn = NODE, .san = "DNS:" NODE, .eku = "clientAuth", .issuer = &b.middle });
	buf_clear(&b.chain);
	buf_clear(&b.key);
	trust_pem_put_cert(&b.chain, b.fresh.cert);
	trust_pem_put_cert(&b.chain, b.middle.cert);
	trust_pem_put_key(&b.key, b.fresh.key);
	b.prm.watch_ms = 0;
	run(&b); /* as the default one it is refused */
	assert_false(b.life.result.good);
	assert_int_equal(b.life.result.failed_at, CERT_CURE_EXAMINE);
	b.prm.identity = "dialling";
	b.prm.is_default = false;
	run(&b);
	assert_true(b.life.result.good);
	down(&b);
}

static void cancelled_before_it_is_in_use(void **state)
{
	(void)state;
	struct bench b;
	up(&b);
	start(&b);
	cert_swap_cancel(b.swap);
	for (unsigned i = 0; i < 1000 && !b.life.is_over; i++)
		loop_step(b.life.loop, 5);
	assert_true(b.life.is_over);
	assert_false(b.life.result.good);
	assert_true(life_shows(&b.life, &b.old));
	assert_false(life_on_disk(&b.life));
	down(&b);
}

static void one_errand_at_a_time(void **state)
{
	(void)state;
	struct cert_locks l = { 0 };
	struct ev_report why = { 0 };
	unsigned first, second;
	char text[512];
	assert_int_equal(cert_lock_take(&l, "own", "cert.cure", "user 0", TC_NOW, &first, &why), 0);
	assert_int_equal(cert_lock_take(&l, "own", "cert.install", "user 5", TC_NOW + 9, &second, &why), EBUSY);
	assert_int_equal(why.id, EV_CERT_BUSY);
	ev_sentence(&why, text, sizeof text);
	assert_non_null(strstr(text, "cert.cure"));
	assert_non_null(strstr(text, "user 0"));
	assert_int_equal(cert_lock_take(&l, "other", "cert.install", "user 5", TC_NOW, &second, &why), 0);
	cert_lock_give(&l, first);
	assert_int_equal(cert_lock_take(&l, "own", "cert.install", "user 5", TC_NOW, &first, &why), 0);
}

UT_MAIN(UT(it_is_rehearsed_installed_and_watched), UT(a_gateway_that_stops_later_brings_the_old_one_back), UT(a_file_that_cannot_be_taken_back_is_told), UT(what_did_not_work_before_is_not_lost),
	UT(a_gateway_nobody_knows_of_is_asked_with_the_old_one_too), UT(the_rule_of_a_gateway_stops_it_before_anybody_is_asked),
	UT(calls_that_fail_bring_the_old_one_back), UT(one_that_cannot_be_put_back_is_told), UT(the_longest_name_is_rehearsed_under_another), UT(the_wrong_order_is_put_right), UT(a_key_of_somebody_else_is_refused), UT(every_form_of_an_answer_is_read),
	UT(a_new_identity_comes_and_goes), UT(one_for_dialling_alone_needs_no_other_usage), UT(cancelled_before_it_is_in_use), UT(one_errand_at_a_time))
