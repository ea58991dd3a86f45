/* SPDX-License-Identifier: Apache-2.0 */
/* letter.c  CMS by OpenSSL; the signer's chain is judged here, because a certificate for TLS is none for mail. */
#include "cert/letter.h"
#include <errno.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include "base/mem.h"
#include "trust/rule.h"

int cert_letter_seal(struct buf *pem, const json_t *words, const struct trust_identity *sender)
{
	char *text = json_dumps(words, JSON_COMPACT | JSON_SORT_KEYS), *p = NULL;
	BIO *in = text ? BIO_new_mem_buf(text, -1) : NULL, *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = in ? CMS_sign(trust_identity_x509(sender), trust_identity_key(sender), trust_identity_chain(sender), in,
					     CMS_BINARY | CMS_NOSMIMECAP) : NULL;
	long n = cms && out && PEM_write_bio_CMS(out, cms) ? BIO_get_mem_data(out, &p) : 0;
	int err = n > 0 ? buf_put(pem, p, (size_t)n) : ENOMEM;
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);
	free(text);
	ERR_clear_error();
	return err;
}

static int judge(X509 *leaf, STACK_OF(X509) *chain, const struct trust_set *set, int64_t now_s)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int err = ctx && X509_STORE_CTX_init(ctx, trust_set_store(set), leaf, chain) ? 0 : ENOMEM;
	if (!err) {
		X509_STORE_CTX_set_time(ctx, 0, (time_t)now_s);
		err = X509_verify_cert(ctx) == 1 ? 0 : EKEYREJECTED;
	}
	X509_STORE_CTX_free(ctx);
	return err;
}

static int read_words(json_t **words, BIO *in)
{
	char *p = NULL;
	long n = BIO_get_mem_data(in, &p);
	*words = n > 0 ? json_loadb(p, (size_t)n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (json_is_object(*words))
		return 0;
	json_decref(*words);
	*words = NULL;
	return EBADMSG;
}

static int open_it(json_t **words, struct trust_cert *sender, CMS_ContentInfo *cms, const struct trust_set *set, int64_t now_s)
{
	BIO *out = BIO_new(BIO_s_mem());
	int err = out && CMS_verify(cms, NULL, NULL, NULL, out, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1 ? 0 : EBADMSG;
	STACK_OF(X509) *signers = err ? NULL : CMS_get0_signers(cms), *chain = err ? NULL : CMS_get1_certs(cms);
	if (!err && sk_X509_num(signers) != 1)
		err = EBADMSG;
	if (!err)
		err = judge(sk_X509_value(signers, 0), chain, set, now_s);
	if (!err) {
		trust_cert_describe(sender, sk_X509_value(signers, 0));
		/* a node's certificate may do something in TLS; one for mail or code is somebody else's */
		if ((sender->eku & TRUST_EKU_PRESENT) && !(sender->eku & (TRUST_EKU_SERVER | TRUST_EKU_CLIENT)))
			err = EKEYREJECTED;
	}
	if (!err)
		err = read_words(words, out);
	sk_X509_free(signers);
	sk_X509_pop_free(chain, X509_free);
	BIO_free(out);
	return err;
}

int cert_letter_open(json_t **words, struct trust_cert *sender, struct text pem, const struct trust_set *set, int64_t now_s)
{
	BIO *in = pem.n && pem.n <= CERT_LETTER_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	CMS_ContentInfo *cms = in ? PEM_read_bio_CMS(in, NULL, NULL, NULL) : NULL;
	int err = cms ? open_it(words, sender, cms, set, now_s) : EBADMSG;
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	ERR_clear_error();
	return err;
}

static bool holds(const struct trust_cert *c, const char *name)
{
	char dns[TRUST_NAME_SIZE + 8];
	text_print(dns, sizeof dns, "DNS:%s", name);
	return trust_names_has(&c->sans, dns);
}

bool cert_letter_from(const struct trust_cert *sender, const char *fqdn, const char *service)
{
	return fqdn && *fqdn && holds(sender, fqdn) && (!service || !*service || holds(sender, service));
}
