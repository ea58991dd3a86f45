/* SPDX-License-Identifier: Apache-2.0 */
#include "cert/letter.h"
#include <errno.h>
#include "base/mem.h"
#include "cert/judge.h"
#include "support/certs.h"
#include "ut.h"

#define NODE "node02.domain.local"
#define SERVICE "um.domain.local"

struct bench {
	struct tc root, stranger, node;
	struct trust_set *set;
	struct trust_identity *id;
	struct buf pem;
	struct trust_cert sender;
	json_t *words;
};

static void up(struct bench *b, const char *san, const char *eku, bool by_stranger)
{
	memset(b, 0, sizeof *b);
	tc_root(&b->root, "Root");
	tc_root(&b->stranger, "Stranger");
	tc_make(&b->node, &(struct tc_prm){ .cn = NODE, .san = san, .eku = eku, .issuer = by_stranger ? &b->stranger : &b->root });
	assert_int_equal(trust_set_create(&b->set), 0);
	assert_int_equal(trust_set_anchor(b->set, b->root.cert), 0);
	assert_int_equal(trust_identity_from(&b->id, "own", b->node.cert, NULL, b->node.key, NULL), 0);
	buf_init(&b->pem, CERT_LETTER_MAX);
	json_t *words = json_pack("{s:s, s:s}", "kind", "step", "data", "hello");
	assert_int_equal(cert_letter_seal(&b->pem, words, b->id), 0);
	json_decref(words);
}

static int open_it(struct bench *b)
{
	return cert_letter_open(&b->words, &b->sender, buf_as_text(&b->pem), b->set, TC_NOW);
}

static void down(struct bench *b)
{
	json_decref(b->words);
	buf_free(&b->pem);
	mem_unref(b->id);
	mem_unref(b->set);
	tc_free(&b->node);
	tc_free(&b->stranger);
	tc_free(&b->root);
}

static void what_is_sealed_is_opened_and_its_sender_known(void **state)
{
	(void)state;
	struct bench b;
	up(&b, "DNS:" NODE ",DNS:" SERVICE, NULL, false);
	assert_int_equal(open_it(&b), 0);
	assert_string_equal(json_string_value(json_object_get(b.words, "data")), "hello");
	assert_true(cert_letter_from(&b.sender, NODE, SERVICE));
	assert_true(cert_letter_from(&b.sender, NODE, ""));
	assert_false(cert_letter_from(&b.sender, "node01.domain.local", SERVICE));
	assert_false(cert_letter_from(&b.sender, NODE, "other.domain.local"));
	assert_false(cert_letter_from(&b.sender, "", SERVICE));
	down(&b);
}

static void a_gateway_of_the_same_ca_is_no_node(void **state)
{
	(void)state;
	struct bench b;
	up(&b, "DNS:" NODE, NULL, false); /* a good certificate, without the service's name */
	assert_int_equal(open_it(&b), 0);
	assert_false(cert_letter_from(&b.sender, NODE, SERVICE));
	down(&b);
}

static void who_is_not_trusted_is_not_believed(void **state)
{
	(void)state;
	struct bench b;
	up(&b, "DNS:" NODE ",DNS:" SERVICE, NULL, true);
	assert_int_equal(open_it(&b), EKEYREJECTED);
	assert_null(b.words);
	down(&b);
	up(&b, "DNS:" NODE ",DNS:" SERVICE, "emailProtection", false);
	assert_int_equal(open_it(&b), EKEYREJECTED);
	down(&b);
}

/* No byte can be changed without notice: what still opens says the same. */
static void what_was_changed_is_no_letter(void **state)
{
	(void)state;
	struct bench b;
	unsigned opened = 0;
	up(&b, "DNS:" NODE ",DNS:" SERVICE, NULL, false);
	for (size_t i = 30; i + 30 < b.pem.n; i += 7) {
		uint8_t was = b.pem.p[i];
		b.pem.p[i] = was == 'A' ? 'B' : 'A';
		json_t *words = NULL;
		if (cert_letter_open(&words, &b.sender, buf_as_text(&b.pem), b.set, TC_NOW) == 0) {
			assert_string_equal(json_string_value(json_object_get(words, "data")), "hello");
			opened++;
		}
		json_decref(words);
		b.pem.p[i] = was;
	}
	assert_true(opened < b.pem.n / 70); /* unsigned corners of the wrapping may differ */
	assert_int_equal(cert_letter_open(&b.words, &b.sender, TEXT("nonsense"), b.set, TC_NOW), EBADMSG);
	assert_int_equal(cert_letter_open(&b.words, &b.sender, TEXT_NONE, b.set, TC_NOW), EBADMSG);
	down(&b);
}

static void an_expired_certificate_signs_nothing(void **state)
{
	(void)state;
	struct bench b;
	up(&b, "DNS:" NODE ",DNS:" SERVICE, NULL, false);
	assert_int_equal(cert_letter_open(&b.words, &b.sender, buf_as_text(&b.pem), b.set, TC_NOW + 800 * 86400LL), EKEYREJECTED);
	down(&b);
}

/* ---- requests that are signed unseen ---- */

static void a_request_that_wants_more_is_not_signed(void **state)
{
	(void)state;
	struct cert_names allowed, asked;
	struct buf csr;
	EVP_PKEY *key;
	char error[256];
	buf_init(&csr, TRUST_NAMES_BYTES * 64);
	cert_names_for(&allowed, NULL, NODE, SERVICE);
	assert_int_equal(cert_key_make(&key, CERT_KEY_EC_P256), 0);
	assert_int_equal(cert_request_make(&csr, key, &allowed, CERT_USAGE_BOTH), 0);
	assert_int_equal(cert_request_within(buf_as_text(&csr), &allowed, error, sizeof error), 0);
	csr.p[csr.n - 80] ^= 1;
	assert_int_not_equal(cert_request_within(buf_as_text(&csr), &allowed, error, sizeof error), 0);
	asked = allowed;
	trust_names_add_str(&asked.dns, "lyncpool.domain.com");
	buf_clear(&csr);
	assert_int_equal(cert_request_make(&csr, key, &asked, CERT_USAGE_BOTH), 0);
	assert_int_equal(cert_request_within(buf_as_text(&csr), &allowed, error, sizeof error), EPERM);
	assert_non_null(strstr(error, "lyncpool.domain.com"));
	asked = allowed;
	text_fill(asked.cn, sizeof asked.cn, SERVICE);
	buf_clear(&csr);
	assert_int_equal(cert_request_make(&csr, key, &asked, CERT_USAGE_BOTH), 0);
	assert_int_equal(cert_request_within(buf_as_text(&csr), &allowed, error, sizeof error), EPERM);
	assert_int_equal(cert_request_within(TEXT("x"), &allowed, error, sizeof error), EBADMSG);
	EVP_PKEY_free(key);
	buf_free(&csr);
}

UT_MAIN(UT(what_is_sealed_is_opened_and_its_sender_known), UT(a_gateway_of_the_same_ca_is_no_node), UT(who_is_not_trusted_is_not_believed),
	UT(what_was_changed_is_no_letter), UT(an_expired_certificate_signs_nothing), UT(a_request_that_wants_more_is_not_signed))
