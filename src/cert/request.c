/* SPDX-License-Identifier: Apache-2.0 */
/* request.c  Key and PKCS#10 (RFC 2986) with the names that a gateway's judgement asks for. */
#include "cert/request.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "trust/explain.h"

static const char *const kinds[] = { "rsa-2048", "ec-p256" };

const char *cert_key_kind_name(enum cert_key_kind k)
{
	return (unsigned)k < 2 ? kinds[k] : "unknown";
}

int cert_key_kind_parse(struct text t, enum cert_key_kind *k)
{
	for (unsigned i = 0; i < 2; i++)
		if (text_is_nocase(t, kinds[i])) {
			*k = (enum cert_key_kind)i;
			return 0;
		}
	return EINVAL;
}

static const char *const usages[] = { "both", "server", "client" };

const char *cert_usage_name(enum cert_usage u)
{
	return (unsigned)u < 3 ? usages[u] : "unknown";
}

int cert_usage_parse(struct text t, enum cert_usage *u)
{
	for (unsigned i = 0; i < 3; i++)
		if (text_is_nocase(t, usages[i])) {
			*u = (enum cert_usage)i;
			return 0;
		}
	return EINVAL;
}

static void add_once(struct trust_names *l, const char *name)
{
	if (name && *name && !trust_names_has(l, name))
		trust_names_add_str(l, name);
}

void cert_names_for(struct cert_names *n, const struct trust_judges_us *j, const char *our_fqdn, const char *our_service)
{
	*n = (struct cert_names){ 0 };
	trust_wanted_cn(j, our_fqdn, our_service, n->cn, sizeof n->cn);
	add_once(&n->dns, n->cn);
	add_once(&n->dns, our_fqdn);
	add_once(&n->dns, our_service);
}

int cert_key_make(EVP_PKEY **key, enum cert_key_kind kind)
{
	EVP_PKEY *k = kind == CERT_KEY_EC_P256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
	ERR_clear_error();
	if (!k)
		return EIO;
	*key = k;
	return 0;
}

/* A domain name and nothing that OpenSSL's little language of names could take for more. */
static bool plain_name(const char *s)
{
	size_t n = strlen(s);
	return n && n < 254 && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == n;
}

static int add_extension(STACK_OF(X509_EXTENSION) *all, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	if (!e)
		return EINVAL;
	if (sk_X509_EXTENSION_push(all, e))
		return 0;
	X509_EXTENSION_free(e);
	return ENOMEM;
}

static int add_names(STACK_OF(X509_EXTENSION) *all, const struct cert_names *names)
{
	struct buf san;
	buf_init(&san, 8192);
	for (unsigned i = 0; i < names->dns.n; i++)
		buf_printf(&san, "%sDNS:%s", i ? "," : "", trust_names_at(&names->dns, i));
	const char *words = buf_cstr(&san);
	int err = words ? add_extension(all, NID_subject_alt_name, words) : buf_error(&san);
	buf_free(&san);
	return err;
}

static int fill(X509_REQ *req, EVP_PKEY *key, const struct cert_names *names, enum cert_usage usage)
{
	static const char *const eku[] = { "serverAuth,clientAuth", "serverAuth", "clientAuth" };
	X509_NAME *subject = X509_REQ_get_subject_name(req);
	STACK_OF(X509_EXTENSION) *all = sk_X509_EXTENSION_new_null();
	int err = all ? 0 : ENOMEM;
	if (!err && !X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)names->cn, -1, -1, 0))
		err = EINVAL; /* longer than 64 characters, most likely (RFC 5280 ub-common-name) */
	if (!err)
		err = add_names(all, names);
	if (!err)
		err = add_extension(all, NID_key_usage, EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature");
	if (!err)
		err = add_extension(all, NID_ext_key_usage, eku[usage]);
	if (!err && (!X509_REQ_add_extensions(req, all) || !X509_REQ_set_pubkey(req, key) || !X509_REQ_sign(req, key, EVP_sha256())))
		err = ENOMEM;
	sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
	return err;
}

int cert_request_make(struct buf *csr_pem, EVP_PKEY *key, const struct cert_names *names, enum cert_usage usage)
{
	if (!plain_name(names->cn) || !names->dns.n)
		return EINVAL;
	for (unsigned i = 0; i < names->dns.n; i++)
		if (!plain_name(trust_names_at(&names->dns, i)))
			return EINVAL;
	X509_REQ *req = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	int err = req && bio ? fill(req, key, names, usage) : ENOMEM;
	if (!err && !PEM_write_bio_X509_REQ(bio, req))
		err = ENOMEM;
	long n = err ? 0 : BIO_get_mem_data(bio, &p);
	if (!err)
		err = buf_put(csr_pem, p, (size_t)n);
	BIO_free(bio);
	X509_REQ_free(req);
	ERR_clear_error();
	return err;
}
