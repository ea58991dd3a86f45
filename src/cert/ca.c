/* SPDX-License-Identifier: Apache-2.0 */
/* ca.c  The small private CA: a root, and leaves with both usages. */
#include "cert/ca.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>
#include "base/mem.h"
#include "cert/authority.h"
#include "cert/ca_private.h"
#include "cert_events.h"
#include "trust/pem.h"
#include "trust/rule.h"

int ca_complain(struct ev_report *why, uint16_t event, const char *file, const char *error, int err)
{
	ev_set(why, event);
	ev_str(why, "file", file);
	ev_str(why, "error", error ? error : strerrordesc_np(err));
	return err;
}

/* 127 random bits: no two the same, and nobody guesses the next (CA/B BR 7.1). */
static int random_serial(X509 *x)
{
	uint8_t bytes[16];
	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return EIO;
	bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
	BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
	bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok ? 0 : ENOMEM;
}

static int add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	int err = e && X509_add_ext(x, e, -1) ? 0 : EINVAL;
	X509_EXTENSION_free(e);
	return err;
}

static int set_validity(X509 *x, int64_t from_s, int64_t to_s)
{
	return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from_s) && ASN1_TIME_set(X509_getm_notAfter(x), (time_t)to_s) ? 0 : ENOMEM;
}

static int make_root(X509 **xp, EVP_PKEY *key, const struct cert_ca_prm *prm)
{
	int64_t now = clock_real_s(prm->clock);
	const char *cn = prm->cn && *prm->cn ? prm->cn : "Umbel CA";
	X509 *x = X509_new();
	int err = x ? 0 : ENOMEM;
	if (!err && (!X509_set_version(x, X509_VERSION_3) || !X509_set_pubkey(x, key)))
		err = ENOMEM;
	if (!err && !X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0))
		err = EINVAL;
	if (!err && !X509_set_issuer_name(x, X509_get_subject_name(x)))
		err = ENOMEM;
	if (!err)
		err = random_serial(x);
	if (!err)
		err = set_validity(x, now - 3600, now + (int64_t)(prm->days ? prm->days : CERT_CA_DAYS) * 86400);
	if (!err)
		err = add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	if (!err)
		err = add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
	if (!err)
		err = add_extension(x, x, NID_subject_key_identifier, "hash");
	if (!err && !X509_sign(x, key, EVP_sha256()))
		err = EIO;
	if (err)
		X509_free(x);
	else
		*xp = x;
	return err;
}

static int write_ca(const struct cert_ca_prm *prm, EVP_PKEY *key, X509 *root, struct buf *out, struct ev_report *why)
{
	struct buf pem, secret;
	buf_init(&pem, TRUST_PEM_MAX);
	buf_init(&secret, TRUST_PEM_MAX);
	int err = trust_pem_put_key(&secret, key);
	if (!err)
		err = trust_pem_put_cert(&pem, root);
	if (!err && (err = trust_file_write(prm->key_file, secret.p, secret.n, 0600)) != 0)
		ca_complain(why, EV_CERT_FILE_FAILED, prm->key_file, NULL, err);
	if (!err && (err = trust_file_write(prm->cert_file, pem.p, pem.n, 0644)) != 0)
		ca_complain(why, EV_CERT_FILE_FAILED, prm->cert_file, NULL, err);
	if (!err && out)
		err = buf_put(out, pem.p, pem.n);
	if (secret.p)
		mem_wipe(secret.p, secret.room);
	buf_free(&secret);
	buf_free(&pem);
	return err;
}

int cert_ca_init(const struct cert_ca_prm *prm, struct buf *root, struct ev_report *why)
{
	const char *files[] = { prm->cert_file, prm->key_file };
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	for (unsigned i = 0; i < 2; i++)
		if (access(files[i], F_OK) == 0)
			return ca_complain(why, EV_CERT_CA_EXISTS, files[i], NULL, EEXIST);
	int err = cert_key_make(&key, prm->kind);
	if (!err)
		err = make_root(&x, key, prm);
	if (!err)
		err = write_ca(prm, key, x, root, why);
	if (!err) {
		ev_set(why, EV_CERT_CA_MADE);
		ev_str(why, "cn", prm->cn && *prm->cn ? prm->cn : "Umbel CA");
		ev_str(why, "file", prm->cert_file);
		ev_str(why, "key_file", prm->key_file);
	}
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return err;
}

char *ca_serial_words(const ASN1_INTEGER *serial, char *dst)
{
	BIGNUM *n = ASN1_INTEGER_to_BN(serial, NULL);
	char *hex = n ? BN_bn2hex(n) : NULL;
	text_fill(dst, CERT_SERIAL_SIZE, hex ? hex : "");
	OPENSSL_free(hex);
	BN_free(n);
	return dst;
}

static int read_cert(struct ca_pair *p, const char *file, struct ev_report *why)
{
	struct buf pem;
	STACK_OF(X509) *certs = NULL;
	buf_init(&pem, TRUST_PEM_MAX);
	int err = trust_pem_file(&pem, file);
	if (!err)
		err = trust_pem_certs(&certs, buf_as_text(&pem));
	if (err)
		ca_complain(why, EV_CERT_FILE_FAILED, file, NULL, err);
	else
		p->cert = sk_X509_shift(certs);
	sk_X509_pop_free(certs, X509_free);
	buf_free(&pem);
	return err;
}

static int read_key(struct ca_pair *p, const char *file, struct ev_report *why)
{
	struct buf pem;
	buf_init(&pem, TRUST_PEM_MAX);
	int err = trust_pem_file(&pem, file);
	if (!err)
		err = trust_pem_key(&p->key, buf_as_text(&pem));
	if (err)
		ca_complain(why, EV_CERT_FILE_FAILED, file, NULL, err);
	if (pem.p)
		mem_wipe(pem.p, pem.room);
	buf_free(&pem);
	return err;
}

int ca_pair_read(struct ca_pair *p, const char *cert_file, const char *key_file, struct ev_report *why)
{
	char beside[512];
	int err = read_cert(p, cert_file, why);
	if (!err)
		err = read_key(p, key_file ? key_file : cert_authority_path(cert_file, ".key", beside), why);
	if (!err && X509_check_private_key(p->cert, p->key) != 1)
		err = ca_complain(why, EV_CERT_CA_UNUSABLE, cert_file, "the key does not fit", EKEYREJECTED);
	if (!err && X509_check_ca(p->cert) != 1)
		err = ca_complain(why, EV_CERT_CA_UNUSABLE, cert_file, "it is no CA certificate", EKEYREJECTED);
	ERR_clear_error();
	return err;
}

void ca_pair_free(struct ca_pair *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	*p = (struct ca_pair){ 0 };
}

/* ---- signing ---- */

struct signer {
	struct ca_pair ca;
	X509_REQ *req;
	EVP_PKEY *asker; /* borrowed from req */
	X509 *leaf;
};

static int read_request(struct signer *s, struct text csr_pem, struct ev_report *why)
{
	BIO *bio = csr_pem.n && csr_pem.n < 65536 ? BIO_new_mem_buf(csr_pem.p, (int)csr_pem.n) : NULL;
	s->req = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	s->asker = s->req ? X509_REQ_get0_pubkey(s->req) : NULL;
	if (!s->asker)
		return ca_complain(why, EV_CERT_REQUEST_BAD, "", "it is no request in PEM form", EBADMSG);
	if (X509_REQ_verify(s->req, s->asker) != 1)
		return ca_complain(why, EV_CERT_REQUEST_BAD, "", "its signature does not verify", EKEYREJECTED);
	return 0;
}

/* Of the request's extensions only the names are taken; what a leaf may do is ours to say. */
static int copy_names(struct signer *s, struct ev_report *why)
{
	STACK_OF(X509_EXTENSION) *asked = X509_REQ_get_extensions(s->req);
	int at = X509v3_get_ext_by_NID(asked, NID_subject_alt_name, -1), err = 0;
	if (at < 0)
		err = ca_complain(why, EV_CERT_REQUEST_BAD, "", "it asks for no subjectAltName", EBADMSG);
	else if (!X509_add_ext(s->leaf, X509v3_get_ext(asked, at), -1))
		err = ENOMEM;
	sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
	return err;
}

/* Both roles, unless the request wants only one of them. Nothing else is ever granted. */
static const char *usages_asked(struct signer *s)
{
	STACK_OF(X509_EXTENSION) *asked = X509_REQ_get_extensions(s->req);
	EXTENDED_KEY_USAGE *eku = X509V3_get_d2i(asked, NID_ext_key_usage, NULL, NULL);
	bool server = false, client = false;
	for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
		int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, i));
		server = server || nid == NID_server_auth;
		client = client || nid == NID_client_auth;
	}
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
	return server == client ? "serverAuth,clientAuth" : server ? "serverAuth" : "clientAuth";
}

static int add_usages(struct signer *s, const char *url)
{
	char cdp[600];
	int err = add_extension(s->leaf, s->ca.cert, NID_basic_constraints, "critical,CA:FALSE");
	if (!err)
		err = add_extension(s->leaf, s->ca.cert, NID_key_usage,
				    EVP_PKEY_get_base_id(s->asker) == EVP_PKEY_RSA ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature");
	if (!err)
		err = add_extension(s->leaf, s->ca.cert, NID_ext_key_usage, usages_asked(s));
	if (!err)
		err = add_extension(s->leaf, s->ca.cert, NID_subject_key_identifier, "hash");
	if (!err)
		err = add_extension(s->leaf, s->ca.cert, NID_authority_key_identifier, "keyid,issuer");
	if (!err && *url)
		err = text_print(cdp, sizeof cdp, "URI:%s", url) ? EINVAL : add_extension(s->leaf, s->ca.cert, NID_crl_distribution_points, cdp);
	return err;
}

static int set_dates(struct signer *s, const struct cert_sign_prm *prm, struct ev_report *why)
{
	struct trust_cert *ca = mem_alloc(sizeof *ca);
	int64_t now = clock_real_s(prm->clock), to = now + (int64_t)(prm->days ? prm->days : CERT_LEAF_DAYS) * 86400;
	if (!ca)
		return ENOMEM;
	trust_cert_describe(ca, s->ca.cert);
	int64_t end = ca->not_after_s;
	mem_free(ca);
	if (end <= now)
		return ca_complain(why, EV_CERT_CA_UNUSABLE, prm->ca_cert_file, "it has expired", ERANGE);
	return set_validity(s->leaf, now - 3600, to < end ? to : end);
}

/* Where the list will be: as told, or as the authority was told once. */
static int find_cdp(const struct cert_sign_prm *prm, char *url, size_t size, struct ev_report *why)
{
	text_fill(url, size, prm->cdp_url ? prm->cdp_url : "");
	if (!*url)
		return cert_authority_cdp(prm->ca_cert_file, url, size, why);
	if (!strpbrk(url, ",; \t\n\r"))
		return 0;
	ev_set(why, EV_CERT_CDP_BAD);
	ev_str(why, "url", url);
	return EINVAL;
}

static int issue(struct signer *s, const struct cert_sign_prm *prm, struct ev_report *why)
{
	char url[CERT_CDP_SIZE];
	s->leaf = X509_new();
	if (!s->leaf || !X509_set_version(s->leaf, X509_VERSION_3) || !X509_set_pubkey(s->leaf, s->asker) ||
	    !X509_set_subject_name(s->leaf, X509_REQ_get_subject_name(s->req)) || !X509_set_issuer_name(s->leaf, X509_get_subject_name(s->ca.cert)))
		return ENOMEM;
	int err = find_cdp(prm, url, sizeof url, why);
	if (!err)
		err = random_serial(s->leaf);
	if (!err)
		err = set_dates(s, prm, why);
	if (!err)
		err = add_usages(s, url);
	if (!err)
		err = copy_names(s, why);
	if (!err && !X509_sign(s->leaf, s->ca.key, EVP_sha256()))
		err = EIO;
	return err;
}

int cert_ca_sign(struct buf *chain_pem, struct text csr_pem, const struct cert_sign_prm *prm, struct ev_report *why)
{
	struct signer s = { 0 };
	int err = ca_pair_read(&s.ca, prm->ca_cert_file, prm->ca_key_file, why);
	if (!err)
		err = read_request(&s, csr_pem, why);
	if (!err)
		err = issue(&s, prm, why);
	if (!err)
		err = cert_authority_issued(prm->ca_cert_file, s.leaf, clock_real_s(prm->clock), why);
	if (!err)
		err = trust_pem_put_cert(chain_pem, s.leaf);
	bool root = !err && X509_NAME_cmp(X509_get_subject_name(s.ca.cert), X509_get_issuer_name(s.ca.cert)) == 0;
	if (!err && !root)
		err = trust_pem_put_cert(chain_pem, s.ca.cert);
	X509_free(s.leaf);
	X509_REQ_free(s.req);
	ca_pair_free(&s.ca);
	ERR_clear_error();
	return err;
}
