/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/identity.h"
#include <errno.h>
#include <pthread.h>
#include <unistd.h>
#include "base/mem.h"
#include "support/certs.h"
#include "trust/pem.h"
#include "trust_events.h"
#include "ut.h"

struct files {
	struct tc root, leaf, other;
	char cert[256], key[256], other_key[256], empty[256], crl[256];
	struct ev_report why;
};

static void up(struct files *f)
{
	const char *dir = ut_tmpdir();
	memset(f, 0, sizeof *f);
	tc_root(&f->root, "Root");
	tc_leaf(&f->leaf, &f->root, "node01.domain.local", "DNS:node01.domain.local");
	tc_leaf(&f->other, &f->root, "um.domain.local", "DNS:*.um.domain.local,DNS:um.domain.local");
	text_print(f->cert, sizeof f->cert, "%s/n.pem", dir);
	text_print(f->key, sizeof f->key, "%s/n.key", dir);
	text_print(f->other_key, sizeof f->other_key, "%s/o.key", dir);
	text_print(f->empty, sizeof f->empty, "%s/empty.pem", dir);
	text_print(f->crl, sizeof f->crl, "%s/crl.pem", dir);
	tc_write_certs(f->cert, (X509 *[]){ f->leaf.cert, f->root.cert }, 2);
	tc_write_certs(f->empty, NULL, 0);
	tc_write_key(f->key, f->leaf.key);
	tc_write_key(f->other_key, f->other.key);
}

static void down(struct files *f)
{
	tc_free(&f->leaf);
	tc_free(&f->other);
	tc_free(&f->root);
}

static int load(struct files *f, const char *cert, const char *key)
{
	struct trust_identity *id = NULL;
	struct trust_identity_prm prm = { .name = "default", .cert_file = cert, .key_file = key };
	int err = trust_identity_load(&id, &prm, &f->why);
	if (!err)
		mem_unref(id);
	return err;
}

static void loading_errors_are_in_words(void **state)
{
	(void)state;
	struct files f;
	char line[512];
	up(&f);
	assert_int_equal(load(&f, f.cert, f.key), 0);
	assert_int_equal(load(&f, "/nonexistent/n.pem", f.key), ENOENT);
	assert_int_equal(f.why.id, EV_TRUST_CERT_UNREADABLE);
	assert_non_null(strstr(ev_sentence(&f.why, line, sizeof line), "/nonexistent/n.pem cannot be read: No such file or directory"));
	assert_int_equal(load(&f, f.empty, f.key), EBADMSG);
	assert_int_equal(f.why.id, EV_TRUST_CERT_NO_PEM);
	assert_int_equal(load(&f, f.key, f.key), EBADMSG);
	assert_int_equal(load(&f, f.cert, "/nonexistent/n.key"), ENOENT);
	assert_int_equal(f.why.id, EV_TRUST_KEY_UNREADABLE);
	assert_int_equal(load(&f, f.cert, f.empty), EBADMSG);
	assert_int_equal(f.why.id, EV_TRUST_KEY_NO_PEM);
	assert_int_equal(load(&f, f.cert, f.other_key), EKEYREJECTED);
	assert_int_equal(f.why.id, EV_TRUST_KEY_MISMATCH);
	assert_non_null(strstr(ev_sentence(&f.why, line, sizeof line), "does not belong to the certificate of node01.domain.local"));
	assert_int_equal(load(&f, "/tmp", f.key), EISDIR);
	down(&f);
}

static int load_oom(void *arg)
{
	struct files *f = arg;
	return load(f, f->cert, f->key);
}

static void loading_without_memory(void **state)
{
	(void)state;
	struct files f;
	up(&f);
	ut_oom(load_oom, &f);
	down(&f);
}

static unsigned seen[3000];
static void count(const struct ev_report *r, void *arg)
{
	char line[1024];
	(void)arg;
	if (r->id < 3000)
		seen[r->id]++;
	assert_null(strchr(ev_sentence(r, line, sizeof line), '?'));
}

static unsigned check(struct tc_prm *prm, const char *fqdn)
{
	struct tc c;
	struct trust_identity *id;
	memset(seen, 0, sizeof seen);
	tc_make(&c, prm);
	assert_int_equal(trust_identity_from(&id, NULL, c.cert, NULL, c.key, NULL), 0);
	unsigned n = trust_identity_check(id, fqdn, "um.domain.local", TC_NOW, count, NULL);
	mem_unref(id);
	tc_free(&c);
	return n;
}

static void what_is_questionable_is_said(void **state)
{
	(void)state;
	const char *us = "node01.domain.local";
	assert_int_equal(check(&(struct tc_prm){ .cn = us, .san = "DNS:node01.domain.local" }, us), 0);
	check(&(struct tc_prm){ .cn = "um.domain.local", .san = "DNS:um.domain.local,DNS:node01.domain.local" }, us);
	assert_int_equal(seen[EV_TRUST_CERT_CN_IS_NOT_US], 1);
	assert_int_equal(seen[EV_TRUST_CERT_LACKS_OUR_NAME], 0);
	check(&(struct tc_prm){ .cn = "um.domain.local", .san = "DNS:um.domain.local" }, us);
	assert_int_equal(seen[EV_TRUST_CERT_LACKS_OUR_NAME], 1);
	check(&(struct tc_prm){ .cn = us, .san = "DNS:node01.domain.local", .eku = "serverAuth" }, us);
	assert_int_equal(seen[EV_TRUST_CERT_NO_CLIENT_AUTH], 1);
	check(&(struct tc_prm){ .cn = us, .san = "DNS:node01.domain.local", .eku = "clientAuth" }, us);
	assert_int_equal(seen[EV_TRUST_CERT_NO_SERVER_AUTH], 1);
	check(&(struct tc_prm){ .cn = us, .san = "DNS:node01.domain.local", .from_days = -9, .to_days = -1 }, us);
	assert_int_equal(seen[EV_TRUST_CERT_EXPIRED], 1);
	check(&(struct tc_prm){ .cn = us, .san = "DNS:node01.domain.local", .from_days = 1, .to_days = 9 }, us);
	assert_int_equal(seen[EV_TRUST_CERT_NOT_YET_VALID], 1);
	check(&(struct tc_prm){ .cn = us, .san = "DNS:node01.domain.local", .from_days = -9, .to_days = 9 }, us);
	assert_int_equal(seen[EV_TRUST_CERT_ENDS_SOON], 1);
	check(&(struct tc_prm){ .cn = "*.domain.local", .san = "DNS:*.domain.local" }, us);
	assert_int_equal(seen[EV_TRUST_CERT_WILDCARD], 1);
	check(&(struct tc_prm){ .cn = us }, us);
	assert_int_equal(seen[EV_TRUST_CERT_NO_SAN], 1);
	check(&(struct tc_prm){ .cn = us, .san = "DNS:node01.domain.local", .san_critical = true }, us);
	assert_int_equal(seen[EV_TRUST_CERT_SAN_CRITICAL], 1);
}

static void count_event(const struct ev_report *r, void *arg)
{
	unsigned *n = arg;
	n[0] += r->id == EV_TRUST_CRL_OLD;
	n[1] += r->id == EV_TRUST_CRL_ENDS_SOON;
}

/* The list holds for 30 days: nothing to say; then a day before its end, and at its end, once each. */
static void lists_are_watched(const struct trust_set *s)
{
	unsigned n[2] = { 0, 0 };
	int64_t day_s = 86400, end_s = TC_NOW + 30 * day_s;
	trust_set_lists_check(s, 0, TC_NOW, count_event, n);
	assert_int_equal(n[0] + n[1], 0);
	trust_set_lists_check(s, end_s - 2 * day_s, end_s - 3600, count_event, n);
	trust_set_lists_check(s, end_s - 3600, end_s - 1800, count_event, n);
	assert_int_equal(n[1], 1);
	assert_int_equal(n[0], 0);
	trust_set_lists_check(s, end_s - 1800, end_s + 1800, count_event, n);
	trust_set_lists_check(s, end_s + 1800, end_s + 3600, count_event, n);
	assert_int_equal(n[0], 1);
	assert_int_equal(n[1], 1);
	trust_set_lists_check(s, 0, end_s + 9 * day_s, count_event, n);
	assert_int_equal(n[0], 2);
}

/* As they lie on the web, and as they come together in a file; one that is damaged is not passed over for those before it. */
static void lists_come_in_either_form_and_whole(void **state)
{
	(void)state;
	struct tc root;
	STACK_OF(X509_CRL) *all;
	unsigned char *der = NULL;
	char *pem;
	tc_root(&root, "Root");
	X509_CRL *crl = tc_crl(&root, NULL);
	int n = i2d_X509_CRL(crl, &der);
	assert_true(n > 0);
	assert_int_equal(trust_pem_crls(&all, text_make(der, (size_t)n)), 0);
	assert_int_equal(sk_X509_CRL_num(all), 1);
	assert_int_equal(X509_CRL_cmp(sk_X509_CRL_value(all, 0), crl), 0);
	sk_X509_CRL_pop_free(all, X509_CRL_free);
	assert_int_equal(trust_pem_crls(&all, text_make(der, (size_t)n - 1)), EBADMSG);
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_X509_CRL(bio, crl), 1);
	assert_int_equal(PEM_write_bio_X509_CRL(bio, crl), 1);
	size_t size = (size_t)BIO_get_mem_data(bio, &pem);
	assert_int_equal(trust_pem_crls(&all, text_make(pem, size)), 0);
	assert_int_equal(sk_X509_CRL_num(all), 2);
	sk_X509_CRL_pop_free(all, X509_CRL_free);
	pem[size * 3 / 4] = '!';
	assert_int_equal(trust_pem_crls(&all, text_make(pem, size)), EBADMSG);
	BIO_free(bio);
	OPENSSL_free(der);
	X509_CRL_free(crl);
	tc_free(&root);
}

static void a_set_finds_by_name_and_by_sni(void **state)
{
	(void)state;
	struct files f;
	struct trust_identity *a, *b, *rehearsal;
	struct trust_set *s, *copy;
	up(&f);
	assert_int_equal(trust_identity_from(&a, "default", f.leaf.cert, NULL, f.leaf.key, NULL), 0);
	assert_int_equal(trust_identity_from(&b, "um", f.other.cert, NULL, f.other.key, NULL), 0);
	assert_int_equal(trust_identity_from(&rehearsal, "default+rehearsal", f.other.cert, NULL, f.other.key, NULL), 0);
	assert_int_equal(trust_set_create(&s), 0);
	assert_null(trust_set_find(s, NULL));
	assert_int_equal(trust_set_identity(s, a), 0);
	assert_int_equal(trust_set_identity(s, rehearsal), 0);
	assert_null(trust_set_by_sni(s, "um.domain.local"));
	trust_set_drop(s, "default+rehearsal");
	assert_int_equal(trust_set_identity(s, b), 0);
	assert_ptr_equal(trust_set_find(s, ""), a);
	assert_ptr_equal(trust_set_find(s, "um"), b);
	assert_null(trust_set_find(s, "nobody"));
	assert_ptr_equal(trust_set_by_sni(s, "UM.domain.local"), b);
	assert_ptr_equal(trust_set_by_sni(s, "x.um.domain.local"), b);
	assert_null(trust_set_by_sni(s, "x.y.um.domain.local"));
	assert_null(trust_set_by_sni(s, ""));
	unsigned n;
	assert_int_equal(trust_set_anchor_file(s, f.cert, &n, &f.why), 0);
	assert_int_equal(n, 2);
	assert_int_equal(trust_set_anchor_file(s, f.cert, &n, &f.why), 0);
	assert_int_equal(trust_set_anchors(s), 2); /* not twice */
	assert_int_equal(trust_set_anchor_file(s, f.empty, &n, &f.why), EBADMSG);
	assert_int_equal(f.why.id, EV_TRUST_ANCHORS_UNREADABLE);
	X509_CRL *crl = tc_crl(&f.root, NULL);
	tc_write_crl(f.crl, crl);
	X509_CRL_free(crl);
	assert_int_equal(trust_set_crl_file(s, f.crl, &f.why), 0);
	assert_int_equal(trust_set_crl_file(s, f.cert, &f.why), EBADMSG);
	lists_are_watched(s);
	assert_int_equal(trust_set_copy(&copy, s), 0);
	assert_int_equal(trust_set_count(copy), 2);
	assert_int_equal(trust_set_anchors(copy), 2);
	mem_unref(copy);
	mem_unref(s);
	mem_unref(a);
	mem_unref(b);
	mem_unref(rehearsal);
	down(&f);
}

struct reader {
	struct trust_keeper *keeper;
	bool ending;
};

static void *read_sets(void *arg)
{
	struct reader *r = arg;
	while (!__atomic_load_n(&r->ending, __ATOMIC_ACQUIRE)) {
		struct trust_set *s = trust_keeper_get(r->keeper);
		if (trust_set_count(s) != 1)
			abort();
		mem_unref(s);
	}
	return NULL;
}

static void sets_are_swapped_whole_under_readers(void **state)
{
	(void)state;
	struct files f;
	struct trust_identity *id;
	struct trust_set *s;
	struct reader r = { 0 };
	pthread_t threads[2];
	up(&f);
	assert_int_equal(trust_identity_from(&id, "default", f.leaf.cert, NULL, f.leaf.key, NULL), 0);
	assert_int_equal(trust_set_create(&s), 0);
	assert_int_equal(trust_set_identity(s, id), 0);
	assert_int_equal(trust_keeper_create(&r.keeper, s), 0);
	mem_unref(s);
	for (unsigned i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, read_sets, &r);
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(trust_set_create(&s), 0);
		assert_int_equal(trust_set_identity(s, id), 0);
		trust_keeper_swap(r.keeper, s);
		mem_unref(s);
	}
	__atomic_store_n(&r.ending, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(trust_keeper_generation(r.keeper), 50);
	trust_keeper_destroy(r.keeper);
	mem_unref(id);
	down(&f);
}

UT_MAIN(UT(loading_errors_are_in_words), UT(loading_without_memory), UT(what_is_questionable_is_said), UT(lists_come_in_either_form_and_whole),
		UT(a_set_finds_by_name_and_by_sni),
	UT(sets_are_swapped_whole_under_readers))
