/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_cert.c  Certificates of the matrix: as they are, and as they would be with other names, usages or dates. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include "base/mem.h"
#include "cert/matrix_private.h"
#include "cert_events.h"
#include "trust/pem.h"
#include "trust/rule.h"
#include "trust/verify.h"

static void destroy(void *object)
{
	struct matrix_cert *c = object;
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
}

/* Takes leaf and chain over, also when it fails. */
static int make(struct matrix_cert **cp, X509 *leaf, STACK_OF(X509) *chain, const char *from)
{
	struct matrix_cert *c = leaf && chain ? mem_object(sizeof *c, destroy) : NULL;
	if (!c) {
		X509_free(leaf);
		sk_X509_pop_free(chain, X509_free);
		return ENOMEM;
	}
	c->leaf = leaf;
	c->chain = chain;
	trust_cert_describe(&c->facts, leaf);
	c->facts.chain_len = (uint8_t)(1 + sk_X509_num(chain));
	text_fill(c->from, sizeof c->from, from);
	*cp = c;
	return 0;
}

int matrix_cert_from_pem(struct matrix_cert **cp, struct text pem, const char *from, struct ev_report *why)
{
	STACK_OF(X509) *all = NULL;
	int err = trust_pem_certs(&all, pem);
	if (err) {
		ev_set(why, EV_CERT_FILE_FAILED);
		ev_str(why, "file", from);
		ev_str(why, "error", err == EBADMSG ? "there is no certificate in PEM form in it" : strerrordesc_np(err));
		return err;
	}
	X509 *leaf = sk_X509_shift(all);
	return make(cp, leaf, all, from);
}

int matrix_cert_from(struct matrix_cert **cp, X509 *leaf, STACK_OF(X509) *chain, const char *from)
{
	STACK_OF(X509) *copy = chain ? X509_chain_up_ref(chain) : sk_X509_new_null();
	X509_up_ref(leaf);
	return make(cp, leaf, copy, from);
}

/* ---- as it would be ---- */

static int put_extension(X509 *x, int nid, const char *value)
{
	int at = X509_get_ext_by_NID(x, nid, -1);
	if (at >= 0)
		X509_EXTENSION_free(X509_delete_ext(x, at));
	if (!*value)
		return 0;
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	int err = !e ? EINVAL : X509_add_ext(x, e, -1) ? 0 : ENOMEM;
	X509_EXTENSION_free(e);
	return err;
}

static int put_names(X509 *x, const struct trust_names *names)
{
	X509_NAME *subject = X509_NAME_new();
	struct buf san;
	buf_init(&san, 65536);
	for (unsigned i = 0; i < names->n; i++)
		buf_printf(&san, "%sDNS:%s", i ? "," : "", trust_names_at(names, i));
	const char *words = buf_cstr(&san);
	int err = subject && words ? 0 : ENOMEM;
	if (!err && !X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)trust_names_at(names, 0), -1, -1, 0))
		err = EINVAL;
	if (!err && !X509_set_subject_name(x, subject))
		err = ENOMEM;
	if (!err)
		err = put_extension(x, NID_subject_alt_name, words);
	X509_NAME_free(subject);
	buf_free(&san);
	return err;
}

static int put_dates(X509 *x, const struct trust_cert *was, int64_t from_s)
{
	int64_t to_s = from_s + (was->not_after_s - was->not_before_s);
	return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from_s) && ASN1_TIME_set(X509_getm_notAfter(x), (time_t)to_s) ? 0 : ENOMEM;
}

/* Goes through its own bytes once, so that nothing of the old certificate is remembered. */
static int read_again(X509 **x)
{
	unsigned char *der = NULL;
	(void)i2d_re_X509_tbs(*x, NULL); /* forget the bytes that were signed */
	int n = i2d_X509(*x, &der);
	const unsigned char *p = der;
	X509 *again = n > 0 ? d2i_X509(NULL, &p, n) : NULL;
	OPENSSL_free(der);
	X509_free(*x);
	*x = again;
	return again ? 0 : ENOMEM;
}

int matrix_cert_like(struct matrix_cert **cp, const struct matrix_cert *c, const struct trust_names *names, const char *eku, int64_t not_before_s)
{
	X509 *x = X509_dup(c->leaf);
	STACK_OF(X509) *chain = X509_chain_up_ref(c->chain);
	int err = x && chain ? 0 : ENOMEM;
	if (!err && names)
		err = put_names(x, names);
	if (!err && eku)
		err = put_extension(x, NID_ext_key_usage, eku);
	if (!err && not_before_s)
		err = put_dates(x, &c->facts, not_before_s);
	if (!err)
		err = read_again(&x);
	ERR_clear_error();
	if (err) {
		X509_free(x);
		sk_X509_pop_free(chain, X509_free);
		return err;
	}
	return make(cp, x, chain, c->from);
}

/* ---- its chain ---- */

static int put_chain(struct buf *pem, const struct matrix_cert *c)
{
	int err = trust_pem_put_cert(pem, c->leaf);
	for (int i = 0; !err && i < sk_X509_num(c->chain); i++)
		err = trust_pem_put_cert(pem, sk_X509_value(c->chain, i));
	return err;
}

int matrix_cert_proven(const struct matrix_cert *c, const char *anchors_pem, int64_t now_s, bool *proven, char *why, size_t size)
{
	struct trust_verdict *v = mem_alloc(sizeof *v);
	bool accepted = false, holds = now_s >= c->facts.not_before_s && now_s <= c->facts.not_after_s;
	struct buf pem;
	buf_init(&pem, TRUST_PEM_MAX);
	int err = v ? put_chain(&pem, c) : ENOMEM;
	for (int role = 0; !err && !accepted && role < 2; role++) { /* usages are judged elsewhere */
		struct trust_verify_prm prm = { .ca_pem = text_of(anchors_pem), .chain_pem = buf_as_text(&pem), .any_name = true, .as_client = role == 1,
			                        .time_s = holds ? now_s : c->facts.not_before_s + 1, .depth = -1 };
		err = trust_verify(&prm, &accepted, NULL, v, NULL);
	}
	if (!err) {
		*proven = accepted;
		text_fill(why, size, accepted ? "" : v->sentence);
	}
	buf_free(&pem);
	mem_free(v);
	return err;
}
