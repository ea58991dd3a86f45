/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c  A certificate with its chain and key, read from PEM; and what is questionable in it, in words. */
#include "trust/identity.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "trust/ocsp.h"
#include "trust/pem.h"
#include "trust/rule.h"
#include "trust_events.h"

enum { SOON_DAYS = 30, OCSP_MAX = 64 * 1024 };

struct trust_identity {
	char name[TRUST_LABEL_SIZE];
	char cert_file[512], key_file[512], staple_file[512];
	X509 *cert;
	STACK_OF(X509) *chain; /* without the leaf */
	EVP_PKEY *key;
	struct trust_cert words;
	struct buf staple; /* an OCSP response, DER */
};

static void destroy(void *object)
{
	struct trust_identity *id = object;
	X509_free(id->cert);
	sk_X509_pop_free(id->chain, X509_free);
	EVP_PKEY_free(id->key);
	buf_free(&id->staple);
}

static int make(struct trust_identity **ip, const char *name)
{
	struct trust_identity *id = mem_object(sizeof *id, destroy);
	if (!id)
		return ENOMEM;
	buf_init(&id->staple, OCSP_MAX);
	text_fill(id->name, sizeof id->name, name && *name ? name : "default");
	*ip = id;
	return 0;
}

/* The key must fit the leaf: the last thing to check, and what makes it an identity. */
static int seal(struct trust_identity *id, struct ev_report *why)
{
	trust_cert_describe(&id->words, id->cert);
	id->words.chain_len = (uint8_t)(1 + (id->chain ? sk_X509_num(id->chain) : 0));
	if (X509_check_private_key(id->cert, id->key) == 1)
		return 0;
	ev_set(why, EV_TRUST_KEY_MISMATCH);
	ev_str(why, "identity", id->name);
	ev_str(why, "file", id->cert_file);
	ev_str(why, "key_file", id->key_file);
	ev_str(why, "cn", id->words.cn);
	return EKEYREJECTED;
}

static void complain(struct ev_report *why, uint16_t event, const char *identity, const char *file, int err)
{
	ev_set(why, event);
	ev_str(why, "identity", identity);
	ev_str(why, "file", file);
	ev_str(why, "error", strerrordesc_np(err));
}

static int take_chain(struct trust_identity *id, struct text pem, struct ev_report *why)
{
	STACK_OF(X509) *all = NULL;
	int err = trust_pem_certs(&all, pem);
	if (err) {
		complain(why, EV_TRUST_CERT_NO_PEM, id->name, id->cert_file[0] ? id->cert_file : "the certificate given", err);
		return err;
	}
	if (!id->cert)
		id->cert = sk_X509_shift(all);
	if (!id->chain)
		id->chain = all;
	else {
		while (sk_X509_num(all))
			if (!sk_X509_push(id->chain, sk_X509_shift(all)))
				err = ENOMEM;
		sk_X509_free(all);
	}
	return err;
}

static int take_key(struct trust_identity *id, struct text pem, struct ev_report *why)
{
	int err = trust_pem_key(&id->key, pem);
	if (err)
		complain(why, EV_TRUST_KEY_NO_PEM, id->name, id->key_file[0] ? id->key_file : "the key given", err);
	return err;
}

int trust_identity_from_pem(struct trust_identity **ip, const char *name, struct text chain_pem, struct text key_pem, struct ev_report *why)
{
	struct trust_identity *id;
	int err = make(&id, name);
	if (err)
		return err;
	if (!(err = take_chain(id, chain_pem, why)) && !(err = take_key(id, key_pem, why)))
		err = seal(id, why);
	if (err)
		mem_unref(id);
	else
		*ip = id;
	return err;
}

static int load_into(struct trust_identity *id, const struct trust_identity_prm *prm, struct ev_report *why)
{
	struct buf pem;
	buf_init(&pem, TRUST_PEM_MAX);
	int err = trust_pem_file(&pem, prm->cert_file);
	if (err)
		complain(why, EV_TRUST_CERT_UNREADABLE, id->name, prm->cert_file, err);
	else
		err = take_chain(id, buf_as_text(&pem), why);
	buf_clear(&pem);
	if (!err && prm->chain_file && *prm->chain_file) {
		err = trust_pem_file(&pem, prm->chain_file);
		if (err)
			complain(why, EV_TRUST_CERT_UNREADABLE, id->name, prm->chain_file, err);
		else
			err = take_chain(id, buf_as_text(&pem), why);
		buf_clear(&pem);
	}
	if (!err && (err = trust_pem_file(&pem, prm->key_file)) != 0)
		complain(why, EV_TRUST_KEY_UNREADABLE, id->name, prm->key_file, err);
	else if (!err)
		err = take_key(id, buf_as_text(&pem), why);
	if (pem.p)
		mem_wipe(pem.p, pem.room);
	buf_free(&pem);
	if (!err)
		err = seal(id, why);
	/* Without a response it is still an identity: a node must be able to start. `why` then tells, and the answer is 0. */
	if (!err && prm->ocsp_file && *prm->ocsp_file) {
		int lost = trust_pem_file(&id->staple, prm->ocsp_file);
		if (lost)
			complain(why, EV_TRUST_STAPLE_UNREADABLE, id->name, prm->ocsp_file, lost);
	}
	return err;
}

int trust_identity_load(struct trust_identity **ip, const struct trust_identity_prm *prm, struct ev_report *why)
{
	struct trust_identity *id;
	int err = make(&id, prm->name);
	if (err)
		return err;
	text_fill(id->cert_file, sizeof id->cert_file, prm->cert_file);
	text_fill(id->key_file, sizeof id->key_file, prm->key_file);
	text_fill(id->staple_file, sizeof id->staple_file, prm->ocsp_file ? prm->ocsp_file : "");
	err = load_into(id, prm, why);
	if (err)
		mem_unref(id);
	else
		*ip = id;
	return err;
}

int trust_identity_from(struct trust_identity **ip, const char *name, X509 *cert, STACK_OF(X509) *chain, EVP_PKEY *key, struct ev_report *why)
{
	struct trust_identity *id;
	int err = make(&id, name);
	if (err)
		return err;
	X509_up_ref(cert);
	id->cert = cert;
	EVP_PKEY_up_ref(key);
	id->key = key;
	if (chain && !(id->chain = X509_chain_up_ref(chain)))
		err = ENOMEM;
	if (!err)
		err = seal(id, why);
	if (err)
		mem_unref(id);
	else
		*ip = id;
	return err;
}

uint8_t *trust_identity_staple(const struct trust_identity *id, int64_t now_s, size_t *n)
{
	if (!id->staple.n || !trust_ocsp_fits(id->staple.p, id->staple.n, id->cert, now_s))
		return NULL;
	*n = id->staple.n;
	return OPENSSL_memdup(id->staple.p, id->staple.n);
}

bool trust_identity_staple_useless(const struct trust_identity *id, int64_t now_s)
{
	return id->staple.n && !trust_ocsp_fits(id->staple.p, id->staple.n, id->cert, now_s);
}

const char *trust_identity_staple_file(const struct trust_identity *id)
{
	return id->staple_file;
}

const char *trust_identity_name(const struct trust_identity *id)
{
	return id->name;
}

const char *trust_identity_cn(const struct trust_identity *id)
{
	return id->words.cn;
}

const char *trust_identity_fingerprint(const struct trust_identity *id)
{
	return id->words.sha256;
}

int64_t trust_identity_not_after_s(const struct trust_identity *id)
{
	return id->words.not_after_s;
}

const struct trust_cert *trust_identity_cert(const struct trust_identity *id)
{
	return &id->words;
}

X509 *trust_identity_x509(const struct trust_identity *id)
{
	return id->cert;
}

STACK_OF(X509) *trust_identity_chain(const struct trust_identity *id)
{
	return id->chain;
}

EVP_PKEY *trust_identity_key(const struct trust_identity *id)
{
	return id->key;
}

const char *trust_identity_cert_file(const struct trust_identity *id)
{
	return id->cert_file;
}

const char *trust_identity_key_file(const struct trust_identity *id)
{
	return id->key_file;
}

/* ---- what is questionable ---- */

struct check {
	const struct trust_identity *id;
	const char *fqdn, *service;
	int64_t now_s;
	trust_warn_h *each;
	void *arg;
	unsigned n;
	struct ev_report r;
};

static void warn(struct check *k, uint16_t event)
{
	const struct trust_cert *c = &k->id->words;
	char at[RFC3339_SIZE];
	ev_set(&k->r, event);
	ev_str(&k->r, "identity", k->id->name);
	ev_str(&k->r, "cn", c->cn[0] ? c->cn : c->subject);
	ev_str(&k->r, "fqdn", k->fqdn);
	ev_str(&k->r, "file", k->id->staple_file);
	ev_str(&k->r, "issuer", c->issuer);
	ev_str(&k->r, "key", c->key);
	ev_str(&k->r, "not_before", rfc3339_s(c->not_before_s, at));
	ev_str(&k->r, "not_after", rfc3339_s(c->not_after_s, at));
	ev_int(&k->r, "days", (c->not_after_s - k->now_s) / 86400);
	k->n++;
	if (k->each)
		k->each(&k->r, k->arg);
}

static void check_time(struct check *k)
{
	const struct trust_cert *c = &k->id->words;
	if (c->not_after_s <= k->now_s)
		warn(k, EV_TRUST_CERT_EXPIRED);
	else if (c->not_before_s > k->now_s)
		warn(k, EV_TRUST_CERT_NOT_YET_VALID);
	else if (c->not_after_s - k->now_s < SOON_DAYS * 86400LL)
		warn(k, EV_TRUST_CERT_ENDS_SOON);
}

static void check_usage(struct check *k)
{
	const struct trust_cert *c = &k->id->words;
	if (!(c->eku & TRUST_EKU_PRESENT))
		return;
	if (!(c->eku & TRUST_EKU_CLIENT))
		warn(k, EV_TRUST_CERT_NO_CLIENT_AUTH);
	if (!(c->eku & TRUST_EKU_SERVER))
		warn(k, EV_TRUST_CERT_NO_SERVER_AUTH);
}

static void check_names(struct check *k)
{
	const struct trust_cert *c = &k->id->words;
	if (c->cn[0] == '*')
		warn(k, EV_TRUST_CERT_WILDCARD);
	if (!c->has_san)
		warn(k, EV_TRUST_CERT_NO_SAN);
	if (c->san_critical)
		warn(k, EV_TRUST_CERT_SAN_CRITICAL);
	if (!k->fqdn || !*k->fqdn)
		return;
	struct trust_names us = { 0 };
	trust_names_add_str(&us, k->fqdn);
	bool ours = trust_rule_would_accept(TRUST_RULE_SAN_OR_CN, c, &us);
	if (!ours)
		warn(k, EV_TRUST_CERT_LACKS_OUR_NAME);
	if (!trust_rule_would_accept(TRUST_RULE_CN_ONLY, c, &us) && c->cn[0] != '*')
		warn(k, EV_TRUST_CERT_CN_IS_NOT_US);
}

unsigned trust_identity_check(const struct trust_identity *id, const char *our_fqdn, const char *our_service, int64_t now_s,
			      trust_warn_h *each, void *arg)
{
	struct check *k = mem_zalloc(1, sizeof *k);
	if (!k)
		return 0;
	*k = (struct check){ .id = id, .fqdn = our_fqdn, .service = our_service, .now_s = now_s, .each = each, .arg = arg };
	check_time(k);
	check_usage(k);
	check_names(k);
	if (trust_identity_staple_useless(id, now_s))
		warn(k, EV_TRUST_STAPLE_USELESS);
	if (EVP_PKEY_get_base_id(id->key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(id->key) < 2048)
		warn(k, EV_TRUST_CERT_WEAK_KEY);
	unsigned n = k->n;
	mem_free(k);
	return n;
}
