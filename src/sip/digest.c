/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c  See digest.h. */
#include "sip/digest.h"
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include "sip/header.h"

enum { HEX_MAX = 2 * 32 + 1 };

static const struct {
	const char *name, *md;
} algs[SIP_DIGEST_ALGS] = {
	[SIP_DIGEST_SHA512_256] = { "SHA-512-256", "SHA512-256" },
	[SIP_DIGEST_SHA256] = { "SHA-256", "SHA256" },
	[SIP_DIGEST_MD5] = { "MD5", "MD5" },
};

const char *sip_digest_alg_name(enum sip_digest_alg a)
{
	return algs[a].name;
}

/* ---- values: Digest name=value, name="value" ---- */
/* Behind the word Digest; ENOTSUP for another scheme. */
static int params_of(struct text value, struct text *rest)
{
	struct text scheme;
	size_t at;

	value = text_trim(value);
	for (at = 0; at < value.n && value.p[at] != ' ' && value.p[at] != '\t' && value.p[at] != '\r'; at++)
		;
	scheme = text_head(value, at);
	if (!text_is_nocase(scheme, "Digest"))
		return ENOTSUP;
	*rest = text_skip(value, at);
	return 0;
}

/* By name; without quotes. The first counts, as everywhere; TEXT_NONE without one. */
static struct text param(struct text rest, const char *name)
{
	struct text item, key, value;

	while (!sip_list_next(&rest, &item))
		if (text_cut(item, '=', &key, &value) && text_is_nocase(text_trim(key), name))
			return sip_unquote(text_trim(value));
	return TEXT_NONE;
}

static int alg_of(struct text t, enum sip_digest_alg *alg)
{
	if (text_empty(t))
		return *alg = SIP_DIGEST_MD5, 0; /* RFC 2617 */
	for (unsigned i = 0; i < SIP_DIGEST_ALGS; i++)
		if (text_is_nocase(t, algs[i].name))
			return *alg = (enum sip_digest_alg)i, 0;
	return ENOTSUP;
}

/* What stands between quotes and would end them. */
static bool quotable(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] == '"' || t.p[i] == '\\' || (unsigned char)t.p[i] < ' ')
			return false;
	return true;
}

int sip_challenge_parse(struct sip_challenge *c, struct text value)
{
	struct text rest, qop;
	int err = params_of(value, &rest);

	*c = (struct sip_challenge){ 0 };
	if (err)
		return err;
	c->realm = param(rest, "realm");
	c->nonce = param(rest, "nonce");
	c->opaque = param(rest, "opaque");
	c->stale = text_is_nocase(param(rest, "stale"), "true");
	qop = param(rest, "qop");
	c->qop_auth = sip_list_has(qop, "auth");
	if (text_empty(c->nonce) || !c->realm.p)
		return EBADMSG;
	if (!text_empty(qop) && !c->qop_auth)
		return ENOTSUP;
	return alg_of(param(rest, "algorithm"), &c->alg);
}

/* ---- sums ---- */
struct sum {
	EVP_MD_CTX *ctx;
	EVP_MD *md;
	bool good;
};

static void sum_begin(struct sum *s, enum sip_digest_alg alg)
{
	s->md = EVP_MD_fetch(NULL, algs[alg].md, NULL);
	s->ctx = EVP_MD_CTX_new();
	s->good = s->md && s->ctx && EVP_DigestInit_ex(s->ctx, s->md, NULL) == 1;
}

static void sum_put(struct sum *s, struct text t)
{
	s->good = s->good && EVP_DigestUpdate(s->ctx, t.p, t.n) == 1;
}

/* The next part, behind a colon. */
static void sum_next(struct sum *s, struct text t)
{
	sum_put(s, TEXT(":"));
	sum_put(s, t);
}

static int sum_end(struct sum *s, char hex[HEX_MAX])
{
	uint8_t raw[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	s->good = s->good && EVP_DigestFinal_ex(s->ctx, raw, &n) == 1 && n <= 32;
	for (unsigned i = 0; s->good && i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", raw[i]);
	EVP_MD_CTX_free(s->ctx);
	EVP_MD_free(s->md);
	OPENSSL_cleanse(raw, sizeof(raw));
	return s->good ? 0 : ENOMEM;
}

struct said {
	enum sip_digest_alg alg;
	struct text user, realm, nonce, method, uri, qop, nc, cnonce;
};

/* RFC 7616 3.4.1; without qop as RFC 2069 had it. */
static int response(char hex[HEX_MAX], const struct said *d, const char *password)
{
	char a1[HEX_MAX], a2[HEX_MAX];
	struct sum s;
	int err;

	sum_begin(&s, d->alg);
	sum_put(&s, d->user);
	sum_next(&s, d->realm);
	sum_next(&s, text_of(password));
	err = sum_end(&s, a1);
	if (!err) {
		sum_begin(&s, d->alg);
		sum_put(&s, d->method);
		sum_next(&s, d->uri);
		err = sum_end(&s, a2);
	}
	if (!err) {
		sum_begin(&s, d->alg);
		sum_put(&s, text_of(a1));
		sum_next(&s, d->nonce);
		if (d->qop.n) {
			sum_next(&s, d->nc);
			sum_next(&s, d->cnonce);
			sum_next(&s, d->qop);
		}
		sum_next(&s, text_of(a2));
		err = sum_end(&s, hex);
	}
	OPENSSL_cleanse(a1, sizeof(a1));
	return err;
}

int sip_digest_answer(struct buf *out, const struct sip_challenge *c, const struct sip_login *who, struct text method, struct text uri, const char *cnonce)
{
	struct said d = { .alg = c->alg, .user = text_of(who->user), .realm = c->realm, .nonce = c->nonce, .method = method, .uri = uri };
	char hex[HEX_MAX];
	int err;

	if (!quotable(d.user) || !quotable(c->realm) || !quotable(c->nonce) || !quotable(c->opaque) || !quotable(uri))
		return EINVAL;
	if (c->qop_auth) {
		d.qop = TEXT("auth");
		d.nc = TEXT("00000001");
		d.cnonce = text_of(cnonce);
	}
	err = response(hex, &d, who->password);
	if (err)
		return err;
	buf_printf(out, "Digest username=\"%s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%.*s\", response=\"%s\", algorithm=%s", who->user, TEXT_FMT(c->realm),
	           TEXT_FMT(c->nonce), TEXT_FMT(uri), hex, algs[c->alg].name);
	if (c->qop_auth)
		buf_printf(out, ", qop=auth, nc=00000001, cnonce=\"%s\"", cnonce);
	if (c->opaque.p)
		buf_printf(out, ", opaque=\"%.*s\"", TEXT_FMT(c->opaque));
	return buf_error(out);
}

/* ---- ours ---- */
static int nonce_of(char nonce[SIP_NONCE_SIZE], const uint8_t *key, int64_t at_s, const char *scope)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	char words[160];
	unsigned n = 0;
	int at;

	if (text_print(words, sizeof(words), "%lld %s", (long long)at_s, scope) ||
	    !HMAC(EVP_sha256(), key, SIP_NONCE_KEY_BYTES, (const uint8_t *)words, strlen(words), mac, &n) || n < 16)
		return ENOMEM;
	at = snprintf(nonce, SIP_NONCE_SIZE, "%llx.", (unsigned long long)at_s);
	for (unsigned i = 0; i < 16; i++)
		at += snprintf(nonce + at, SIP_NONCE_SIZE - (size_t)at, "%02x", mac[i]);
	return 0;
}

int sip_nonce_make(char nonce[SIP_NONCE_SIZE], const uint8_t key[SIP_NONCE_KEY_BYTES], int64_t now_s, const char *scope)
{
	return nonce_of(nonce, key, now_s, scope);
}

static bool same(struct text a, const char *b)
{
	return a.n == strlen(b) && CRYPTO_memcmp(a.p, b, a.n) == 0;
}

/* When we made it, or -1 when we did not. */
static int64_t made_at(struct text nonce, const uint8_t *key, const char *scope)
{
	char again[SIP_NONCE_SIZE];
	int64_t at = 0;
	size_t i;

	for (i = 0; i < nonce.n && i < 12 && nonce.p[i] != '.'; i++) {
		char c = nonce.p[i];
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (digit < 0)
			return -1;
		at = at * 16 + digit;
	}
	return nonce_of(again, key, at, scope) || !same(nonce, again) ? -1 : at;
}

enum sip_digest_verdict sip_digest_check(struct text value, const struct sip_login *who, struct text method, struct text uri,
                                         const uint8_t key[SIP_NONCE_KEY_BYTES], int64_t now_s, const char *scope)
{
	struct said d = { .method = method };
	char hex[HEX_MAX];
	struct text rest;
	int64_t at;

	if (params_of(value, &rest))
		return SIP_DIGEST_NONE;
	d.realm = param(rest, "realm");
	if (!text_is(d.realm, who->realm) || alg_of(param(rest, "algorithm"), &d.alg))
		return SIP_DIGEST_NONE;
	d.user = param(rest, "username");
	d.nonce = param(rest, "nonce");
	d.uri = param(rest, "uri");
	d.qop = param(rest, "qop");
	d.nc = param(rest, "nc");
	d.cnonce = param(rest, "cnonce");
	/* We ask for qop=auth: an answer without it can be replayed for longer than one request. */
	if (!text_is_nocase(d.qop, "auth") || !text_is(d.user, who->user) || !text_eq(d.uri, uri) || (at = made_at(d.nonce, key, scope)) < 0)
		return SIP_DIGEST_WRONG;
	if (response(hex, &d, who->password) || !same(param(rest, "response"), hex))
		return SIP_DIGEST_WRONG;
	return now_s - at > SIP_NONCE_S || at > now_s + 5 ? SIP_DIGEST_STALE : SIP_DIGEST_GOOD;
}
