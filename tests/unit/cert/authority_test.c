/* SPDX-License-Identifier: Apache-2.0 */
#include "cert/authority.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "base/mem.h"
#include "cert/ca.h"
#include "cert/crls.h"
#include "cert_events.h"
#include "support/certs.h"
#include "trust/pem.h"
#include "trust/rule.h"
#include "trust/verify.h"
#include "ut.h"

struct site {
	char cert[256], key[256];
	struct clock_fake clock;
	struct buf root;
	struct ev_report why;
};

static void up(struct site *s)
{
	const char *dir = ut_tmpdir();
	memset(s, 0, sizeof *s);
	clock_fake_init(&s->clock, TC_NOW);
	buf_init(&s->root, TRUST_PEM_MAX);
	text_print(s->cert, sizeof s->cert, "%s/ca.pem", dir);
	text_print(s->key, sizeof s->key, "%s/ca.key", dir);
	struct cert_ca_prm prm = { .clock = &s->clock.clock, .cert_file = s->cert, .key_file = s->key, .cn = "Lab CA", .kind = CERT_KEY_EC_P256 };
	assert_int_equal(cert_ca_init(&prm, &s->root, &s->why), 0);
}

/* A certificate of the authority, to `chain`. */
static void issue(struct site *s, struct buf *chain, enum cert_usage usage)
{
	struct cert_names names;
	struct buf csr;
	EVP_PKEY *key;
	buf_init(&csr, TRUST_PEM_MAX);
	buf_init(chain, TRUST_PEM_MAX);
	cert_names_for(&names, NULL, "node01.domain.local", NULL);
	assert_int_equal(cert_key_make(&key, CERT_KEY_EC_P256), 0);
	assert_int_equal(cert_request_make(&csr, key, &names, usage), 0);
	struct cert_sign_prm prm = { .clock = &s->clock.clock, .ca_cert_file = s->cert };
	assert_int_equal(cert_ca_sign(chain, buf_as_text(&csr), &prm, &s->why), 0);
	EVP_PKEY_free(key);
	buf_free(&csr);
}

static void describe(const struct buf *chain, struct trust_cert *c)
{
	STACK_OF(X509) *all;
	assert_int_equal(trust_pem_certs(&all, buf_as_text(chain)), 0);
	trust_cert_describe(c, sk_X509_value(all, 0));
	sk_X509_pop_free(all, X509_free);
}

static void keep_last(const struct cert_issued *c, void *arg)
{
	*(struct cert_issued *)arg = *c;
}

static bool accepted(struct site *s, struct buf *chain, struct text crl)
{
	const char *name = "node01.domain.local";
	bool yes = false;
	struct trust_verify_prm prm = { .ca_pem = buf_as_text(&s->root), .chain_pem = buf_as_text(chain), .crl_pem = crl, .names = &name, .n_names = 1,
					.time_s = clock_real_s(&s->clock.clock), .depth = -1 };
	assert_int_equal(trust_verify(&prm, &yes, NULL, NULL, &s->why), 0);
	return yes;
}

static void what_was_issued_can_be_taken_back(void **state)
{
	(void)state;
	struct site s;
	struct buf first, second, crl;
	struct cert_issued last = { 0 };
	char path[512], serial[CERT_SERIAL_SIZE];
	unsigned n = 0;
	up(&s);
	issue(&s, &first, CERT_USAGE_BOTH);
	assert_int_equal(cert_authority_each(s.cert, keep_last, &last, &s.why), 0);
	text_fill(serial, sizeof serial, last.serial);
	issue(&s, &second, CERT_USAGE_BOTH);
	assert_int_equal(cert_authority_each(s.cert, keep_last, &last, &s.why), 0);
	assert_string_not_equal(serial, last.serial);
	assert_int_equal(last.revoked_s, 0);
	assert_int_equal(cert_authority_revoke(s.cert, "ABCDEF", "superseded", TC_NOW, &s.why), ENOENT);
	assert_int_equal(s.why.id, EV_CERT_NOT_OURS);
	assert_int_equal(cert_authority_revoke(s.cert, serial, "superseded", TC_NOW, &s.why), 0);
	assert_int_equal(cert_authority_revoke(s.cert, serial, "superseded", TC_NOW, &s.why), EALREADY);
	struct cert_crl_prm prm = { .clock = &s.clock.clock, .ca_cert_file = s.cert };
	assert_int_equal(cert_crl_make(&prm, &n, &s.why), 0);
	assert_int_equal(n, 1);
	buf_init(&crl, TRUST_PEM_MAX);
	assert_int_equal(trust_pem_file(&crl, cert_authority_path(s.cert, ".crl", path)), 0);
	assert_true(accepted(&s, &first, TEXT_NONE));
	assert_false(accepted(&s, &first, buf_as_text(&crl)));
	assert_true(accepted(&s, &second, buf_as_text(&crl)));
	buf_free(&crl);
	buf_free(&first);
	buf_free(&second);
	buf_free(&s.root);
}

static void the_place_of_the_list_is_in_every_certificate(void **state)
{
	(void)state;
	struct site s;
	struct buf chain;
	struct trust_cert *c = mem_alloc(sizeof *c);
	up(&s);
	issue(&s, &chain, CERT_USAGE_BOTH);
	describe(&chain, c);
	assert_false(c->has_cdp);
	buf_free(&chain);
	assert_int_equal(cert_authority_set_cdp(s.cert, "https://x/ca.crl", &s.why), EINVAL);
	assert_int_equal(s.why.id, EV_CERT_CDP_BAD);
	assert_int_equal(cert_authority_set_cdp(s.cert, "http://um.domain.local:8080/crl/ca.crl", &s.why), 0);
	issue(&s, &chain, CERT_USAGE_BOTH);
	describe(&chain, c);
	assert_true(c->has_cdp);
	buf_free(&chain);
	buf_free(&s.root);
	mem_free(c);
}

static void a_request_for_one_usage_gets_one(void **state)
{
	(void)state;
	struct site s;
	struct buf chain;
	struct trust_cert *c = mem_alloc(sizeof *c);
	up(&s);
	issue(&s, &chain, CERT_USAGE_CLIENT);
	describe(&chain, c);
	assert_int_equal(c->eku & (TRUST_EKU_SERVER | TRUST_EKU_CLIENT), TRUST_EKU_CLIENT);
	buf_free(&chain);
	issue(&s, &chain, CERT_USAGE_SERVER);
	describe(&chain, c);
	assert_int_equal(c->eku & (TRUST_EKU_SERVER | TRUST_EKU_CLIENT), TRUST_EKU_SERVER);
	buf_free(&chain);
	buf_free(&s.root);
	mem_free(c);
}

static void a_damaged_journal_is_no_empty_one(void **state)
{
	(void)state;
	struct site s;
	struct buf chain;
	struct cert_issued last;
	char path[512];
	up(&s);
	issue(&s, &chain, CERT_USAGE_BOTH);
	assert_int_equal(trust_file_write(cert_authority_path(s.cert, ".index", path), "issued\tAB\tx\ty\n", 14, 0644), 0);
	assert_int_equal(cert_authority_each(s.cert, keep_last, &last, &s.why), EBADMSG);
	struct cert_crl_prm prm = { .clock = &s.clock.clock, .ca_cert_file = s.cert };
	assert_int_equal(cert_crl_make(&prm, NULL, &s.why), EBADMSG);
	buf_free(&chain);
	buf_free(&s.root);
}

static void count_one(const struct cert_issued *c, void *arg)
{
	(void)c;
	(*(unsigned *)arg)++;
}

/* The power went while a line was written: it counts for nothing, and the next one does not grow onto it. */
static void half_a_line_is_not_grown_onto(void **state)
{
	(void)state;
	static const char *const halves[] = { "issued\tAB", "issued\tABCD\t1800000000\t18", "revoked\t", "x" };
	for (unsigned i = 0; i < sizeof halves / sizeof *halves; i++) {
		struct site s;
		struct buf first, second;
		unsigned n = 0;
		char path[512];
		up(&s);
		issue(&s, &first, CERT_USAGE_BOTH);
		FILE *f = fopen(cert_authority_path(s.cert, ".index", path), "a");
		assert_non_null(f);
		fputs(halves[i], f);
		fclose(f);
		assert_int_equal(cert_authority_each(s.cert, count_one, &n, &s.why), 0);
		assert_int_equal(n, 1);
		issue(&s, &second, CERT_USAGE_BOTH);
		n = 0;
		assert_int_equal(cert_authority_each(s.cert, count_one, &n, &s.why), 0);
		assert_int_equal(n, 2);
		buf_free(&first);
		buf_free(&second);
		buf_free(&s.root);
	}
}

/* ---- kept fresh ---- */

struct served {
	struct loop *loop;
	struct pool *pool;
	struct ev_bus *bus;
	struct cert_crls *crls;
};

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void came_back(enum pool_result result, int err, void *arg)
{
	(void)result;
	(void)err;
	*(bool *)arg = true;
}

/* One worker: what is submitted last comes back last. Three times, because a look that was asked for during another follows it. */
static void wait_for(struct served *v)
{
	for (unsigned n = 0; n < 3; n++) {
		bool back = false;
		assert_int_equal(pool_submit(v->pool, nothing, came_back, &back), 0);
		for (unsigned i = 0; i < 2000 && !back; i++)
			loop_step(v->loop, 5);
		assert_true(back);
	}
}

/* "nextUpdate" of what is served; 0 if nothing is. */
static int64_t until(struct served *v, unsigned *revoked)
{
	struct buf der;
	struct tm tm;
	buf_init(&der, 1 << 20);
	if (cert_crls_get(v->crls, TEXT("ca"), &der) != 0) {
		buf_free(&der);
		return 0;
	}
	const unsigned char *p = der.p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.n);
	assert_non_null(crl);
	assert_true(ASN1_TIME_to_tm(X509_CRL_get0_nextUpdate(crl), &tm));
	*revoked = (unsigned)(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) > 0 ? sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) : 0);
	X509_CRL_free(crl);
	buf_free(&der);
	return (int64_t)timegm(&tm);
}

static void the_list_is_kept_fresh(void **state)
{
	(void)state;
	struct site s;
	struct served v = { 0 };
	struct buf chain;
	struct cert_issued last;
	unsigned revoked = 9;
	up(&s);
	const char *files[] = { s.cert };
	assert_int_equal(loop_create(&v.loop, &s.clock.clock), 0);
	assert_int_equal(pool_create(&v.pool, v.loop, "files", 1, 8), 0);
	assert_int_equal(ev_bus_create(&v.bus, &s.clock.clock, 64), 0);
	struct cert_crls_prm prm = { .loop = v.loop, .pool = v.pool, .bus = v.bus };
	assert_int_equal(cert_crls_create(&v.crls, &prm), 0);
	assert_int_equal(cert_crls_watch(v.crls, files, 1), 0);
	wait_for(&v);
	assert_int_equal(until(&v, &revoked), 0); /* no journal: it is not our authority's business */
	issue(&s, &chain, CERT_USAGE_BOTH);
	cert_crls_look(v.crls);
	wait_for(&v);
	assert_int_equal(until(&v, &revoked), TC_NOW + CERT_CRL_DAYS * 86400);
	assert_int_equal(revoked, 0);
	/* two days later it is made anew */
	clock_fake_advance_ms(&s.clock, 2 * 86400 * 1000);
	cert_crls_look(v.crls);
	wait_for(&v);
	assert_int_equal(until(&v, &revoked), TC_NOW + (CERT_CRL_DAYS + 2) * 86400);
	/* the clock was a month ahead: a list of that time is good for nobody yet */
	clock_fake_set_real_s(&s.clock, TC_NOW + 32 * 86400);
	cert_crls_look(v.crls);
	wait_for(&v);
	assert_int_equal(until(&v, &revoked), TC_NOW + (CERT_CRL_DAYS + 32) * 86400);
	clock_fake_set_real_s(&s.clock, TC_NOW + 2 * 86400);
	cert_crls_look(v.crls);
	wait_for(&v);
	assert_int_equal(until(&v, &revoked), TC_NOW + (CERT_CRL_DAYS + 2) * 86400);
	/* and at once when something was taken back */
	assert_int_equal(cert_authority_each(s.cert, keep_last, &last, &s.why), 0);
	assert_int_equal(cert_authority_revoke(s.cert, last.serial, "keyCompromise", TC_NOW, &s.why), 0);
	cert_crls_look(v.crls);
	wait_for(&v);
	until(&v, &revoked);
	assert_int_equal(revoked, 1);
	/* an authority whose key is gone: what was made is served on */
	assert_int_equal(unlink(s.key), 0);
	clock_fake_advance_ms(&s.clock, 2 * 86400 * 1000);
	cert_crls_look(v.crls);
	wait_for(&v);
	assert_int_equal(until(&v, &revoked), TC_NOW + (CERT_CRL_DAYS + 2) * 86400);
	cert_crls_destroy(v.crls);
	pool_destroy(v.pool);
	ev_bus_destroy(v.bus);
	loop_destroy(v.loop);
	buf_free(&chain);
	buf_free(&s.root);
}

UT_MAIN(UT(what_was_issued_can_be_taken_back), UT(the_place_of_the_list_is_in_every_certificate), UT(a_request_for_one_usage_gets_one), UT(half_a_line_is_not_grown_onto),
	UT(a_damaged_journal_is_no_empty_one), UT(the_list_is_kept_fresh))
