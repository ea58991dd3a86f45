/* SPDX-License-Identifier: Apache-2.0 */
#include "cert/install.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>
#include "base/mem.h"
#include "cert/ca.h"
#include "cert_events.h"
#include "support/certs.h"
#include "trust/pem.h"
#include "trust_events.h"
#include "ut.h"

struct bench {
	const char *dir;
	struct tc root, a, b;
	struct trust_set *set;
	char cert[256], key[256];
	struct ev_report why;
};

static void up(struct bench *b)
{
	memset(b, 0, sizeof *b);
	b->dir = ut_tmpdir();
	tc_root(&b->root, "Root");
	tc_leaf(&b->a, &b->root, "um.domain.local", "DNS:um.domain.local,DNS:node01.domain.local");
	tc_leaf(&b->b, &b->root, "node01.domain.local", "DNS:node01.domain.local");
	assert_int_equal(trust_set_create(&b->set), 0);
	assert_int_equal(trust_set_anchor(b->set, b->root.cert), 0);
	text_print(b->cert, sizeof b->cert, "%s/a.pem", b->dir);
	text_print(b->key, sizeof b->key, "%s/a.key", b->dir);
	tc_write_certs(b->cert, &b->a.cert, 1);
	tc_write_key(b->key, b->a.key);
}

static void down(struct bench *b)
{
	mem_unref(b->set);
	tc_free(&b->a);
	tc_free(&b->b);
	tc_free(&b->root);
}

static const char *loaded_cn(struct bench *b, char *dst, size_t size)
{
	struct trust_identity *id;
	struct trust_identity_prm prm = { .name = "default", .cert_file = b->cert, .key_file = b->key };
	assert_int_equal(cert_load_identity(&id, &prm, b->dir, &b->why), 0);
	text_fill(dst, size, trust_identity_cn(id));
	mem_unref(id);
	return dst;
}

static void what_is_installed_is_loaded_until_a_younger_file_is_configured(void **state)
{
	(void)state;
	struct bench b;
	struct trust_identity *id, *installed;
	struct stat st;
	char path[512], cn[256];
	up(&b);
	struct utimbuf old = { 1000000000, 1000000000 };
	utime(b.cert, &old);
	assert_string_equal(loaded_cn(&b, cn, sizeof cn), "um.domain.local");
	assert_int_equal(trust_identity_from(&id, "default", b.b.cert, NULL, b.b.key, &b.why), 0);
	assert_int_equal(cert_write_installed(&installed, b.dir, id, "default", &b.why), 0);
	assert_int_equal(stat(cert_installed_path(b.dir, "default", path), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_string_equal(trust_identity_cert_file(installed), path);
	assert_string_equal(loaded_cn(&b, cn, sizeof cn), "node01.domain.local");
	struct utimbuf young = { 4000000000, 4000000000 };
	utime(b.cert, &young);
	assert_string_equal(loaded_cn(&b, cn, sizeof cn), "um.domain.local");
	assert_int_equal(b.why.id, EV_CERT_INSTALLED_OLDER);
	utime(b.cert, &old);
	assert_int_equal(truncate(path, 100), 0);
	assert_string_equal(loaded_cn(&b, cn, sizeof cn), "um.domain.local");
	assert_int_equal(b.why.id, EV_CERT_INSTALLED_BROKEN);
	assert_int_equal(cert_unwrite_installed(b.dir, "default"), 0);
	assert_string_equal(loaded_cn(&b, cn, sizeof cn), "um.domain.local");
	mem_unref(installed);
	mem_unref(id);
	down(&b);
}

static void the_one_before_comes_back(void **state)
{
	(void)state;
	struct bench b;
	struct trust_identity *first, *second, *out;
	char cn[256];
	up(&b);
	assert_int_equal(trust_identity_from(&first, "default", b.b.cert, NULL, b.b.key, &b.why), 0);
	assert_int_equal(trust_identity_from(&second, "default", b.a.cert, NULL, b.a.key, &b.why), 0);
	assert_int_equal(cert_write_installed(&out, b.dir, first, "default", &b.why), 0);
	mem_unref(out);
	assert_int_equal(cert_write_installed(&out, b.dir, second, "default", &b.why), 0);
	mem_unref(out);
	assert_int_equal(cert_unwrite_installed(b.dir, "default"), 0);
	assert_string_equal(loaded_cn(&b, cn, sizeof cn), "node01.domain.local");
	mem_unref(first);
	mem_unref(second);
	down(&b);
}

static unsigned warned;
static uint16_t last_warning;
static void warn(const struct ev_report *r, void *arg)
{
	(void)arg;
	warned++;
	last_warning = r->id;
}

static int examine(struct bench *b, struct tc *c, const char *fqdn)
{
	struct trust_identity *id;
	warned = 0;
	assert_int_equal(trust_identity_from(&id, "default", c->cert, NULL, c->key, &b->why), 0);
	struct cert_examine_prm prm = { .set = b->set, .fqdn = fqdn, .service = "um.domain.local", .now_s = TC_NOW, .dials = true, .serves = true };
	int err = cert_examine(id, &prm, &b->why, warn, NULL);
	mem_unref(id);
	return err;
}

static void the_examination_says_what_is_wrong(void **state)
{
	(void)state;
	struct bench b;
	struct tc c, stranger;
	up(&b);
	assert_int_equal(examine(&b, &b.b, "node01.domain.local"), 0);
	assert_int_equal(warned, 0);
	assert_int_equal(examine(&b, &b.b, "node02.domain.local"), EINVAL);
	assert_int_equal(b.why.id, EV_CERT_EXAM_NAME);
	tc_make(&c, &(struct tc_prm){ .cn = "node01.domain.local", .san = "DNS:node01.domain.local", .eku = "serverAuth", .issuer = &b.root });
	assert_int_equal(examine(&b, &c, "node01.domain.local"), EINVAL);
	assert_int_equal(b.why.id, EV_CERT_EXAM_CHAIN);
	tc_free(&c);
	tc_make(&c, &(struct tc_prm){ .cn = "node01.domain.local", .san = "DNS:node01.domain.local", .from_days = -10, .to_days = -1, .issuer = &b.root });
	assert_int_equal(examine(&b, &c, "node01.domain.local"), EINVAL);
	tc_free(&c);
	tc_root(&stranger, "Stranger");
	tc_leaf(&c, &stranger, "node01.domain.local", "DNS:node01.domain.local");
	assert_int_equal(examine(&b, &c, "node01.domain.local"), 0);
	assert_int_equal(warned, 1);
	assert_int_equal(last_warning, EV_TRUST_CERT_CHAIN_SHORT);
	tc_free(&c);
	tc_free(&stranger);
	assert_int_equal(examine(&b, &b.a, "node01.domain.local"), 0);
	assert_int_equal(last_warning, EV_TRUST_CERT_CN_IS_NOT_US);
	down(&b);
}

static void an_answer_of_a_ca_meets_the_key_of_its_request(void **state)
{
	(void)state;
	struct bench b;
	struct cert_names names;
	struct buf csr, chain;
	struct trust_identity *id;
	char csr_file[512];
	up(&b);
	buf_init(&csr, TRUST_PEM_MAX);
	buf_init(&chain, TRUST_PEM_MAX);
	cert_names_for(&names, NULL, "node01.domain.local", "um.domain.local");
	assert_int_equal(cert_request_files(b.dir, "default", CERT_KEY_EC_P256, &names, CERT_USAGE_BOTH, &csr, csr_file, &b.why), 0);
	assert_int_equal(access(csr_file, R_OK), 0);
	/* another key's certificate does not fit */
	assert_int_equal(trust_pem_put_cert(&chain, b.b.cert), 0);
	assert_int_equal(cert_from_answer(&id, "default", buf_as_text(&chain), TEXT_NONE, b.dir, b.set, &b.why, NULL, NULL), EKEYREJECTED);
	assert_int_equal(b.why.id, EV_TRUST_KEY_MISMATCH);
	buf_free(&csr);
	buf_free(&chain);
	down(&b);
}

static void the_answer_to_an_older_request_still_meets_its_key(void **state)
{
	(void)state;
	struct bench b;
	struct cert_names names;
	struct buf csr, chain;
	struct trust_identity *id;
	char ca_cert[256], ca_key[256];
	up(&b);
	text_print(ca_cert, sizeof ca_cert, "%s/ca.pem", b.dir);
	text_print(ca_key, sizeof ca_key, "%s/ca.key", b.dir);
	tc_write_certs(ca_cert, &b.root.cert, 1);
	tc_write_key(ca_key, b.root.key);
	struct clock_fake clock;
	clock_fake_init(&clock, TC_NOW);
	struct cert_sign_prm ca = { .clock = &clock.clock, .ca_cert_file = ca_cert, .ca_key_file = ca_key };
	cert_names_for(&names, NULL, "node01.domain.local", "um.domain.local");
	buf_init(&chain, TRUST_PEM_MAX);
	for (int later = 0; later < 3; later++) { /* while it was waited for, so many more requests were made */
		buf_init(&csr, TRUST_PEM_MAX);
		assert_int_equal(cert_request_files(b.dir, "default", CERT_KEY_EC_P256, &names, CERT_USAGE_BOTH, later ? NULL : &csr, NULL, &b.why), 0);
		if (!later)
			assert_int_equal(cert_ca_sign(&chain, buf_as_text(&csr), &ca, &b.why), 0);
		int err = cert_from_answer(&id, "default", buf_as_text(&chain), TEXT_NONE, b.dir, b.set, &b.why, NULL, NULL);
		assert_int_equal(err, later < 2 ? 0 : EKEYREJECTED);
		if (!err)
			mem_unref(id);
		buf_free(&csr);
	}
	buf_free(&chain);
	down(&b);
}

/* Whatever fails on the way: what the next start finds is what is in use, and no file with half of it. */
static void what_cannot_be_written_whole_is_not_there(void **state)
{
	(void)state;
	struct bench b;
	struct trust_identity *first, *second, *out;
	char cn[256];
	bool done = false;
	up(&b);
	assert_int_equal(trust_identity_from(&first, "default", b.b.cert, NULL, b.b.key, &b.why), 0);
	assert_int_equal(trust_identity_from(&second, "default", b.a.cert, NULL, b.a.key, &b.why), 0);
	assert_int_equal(cert_write_installed(&out, b.dir, first, "default", &b.why), 0);
	mem_unref(out);
	for (size_t n = 1; !done && n < 200; n++) {
		mem_fail_at(n);
		int err = cert_write_installed(&out, b.dir, second, "default", &b.why);
		mem_fail_at(0);
		done = err == 0;
		assert_string_equal(loaded_cn(&b, cn, sizeof cn), done ? "um.domain.local" : "node01.domain.local");
	}
	assert_true(done);
	mem_unref(out);
	mem_unref(first);
	mem_unref(second);
	down(&b);
}

static void a_clock_that_was_ahead_does_not_bring_the_old_one_back(void **state)
{
	(void)state;
	struct bench b;
	struct trust_identity *id, *out;
	char cn[256];
	up(&b);
	struct utimbuf young = { 4000000000, 4000000000 };
	utime(b.cert, &young);
	assert_int_equal(trust_identity_from(&id, "default", b.b.cert, NULL, b.b.key, &b.why), 0);
	assert_int_equal(cert_write_installed(&out, b.dir, id, "default", &b.why), 0);
	assert_int_equal(cert_outlive(b.dir, "default", b.cert), 0);
	assert_string_equal(loaded_cn(&b, cn, sizeof cn), "node01.domain.local");
	mem_unref(out);
	mem_unref(id);
	down(&b);
}

UT_MAIN(UT(what_is_installed_is_loaded_until_a_younger_file_is_configured), UT(the_one_before_comes_back), UT(the_examination_says_what_is_wrong),
	UT(an_answer_of_a_ca_meets_the_key_of_its_request), UT(the_answer_to_an_older_request_still_meets_its_key), UT(what_cannot_be_written_whole_is_not_there),
	UT(a_clock_that_was_ahead_does_not_bring_the_old_one_back))
