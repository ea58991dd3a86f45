/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c  See digest.h. */
#include "sip/digest.h"
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include "base/rand.h"
#include "sip/header.h"

enum { HEX_MAX = 2 * 32 + 1, COUNT_DIGITS = 8 };

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

static int alg_of(struct text t, enum sip_digest_alg *alg, bool *sess)
{
	*sess = t.n > 5 && text_is_nocase(text_skip(t, t.n - 5), "-sess");
	if (*sess)
		t = text_head(t, t.n - 5);
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
	c->qop_int = sip_list_has(qop, "auth-int");
	if (text_empty(c->nonce) || !c->realm.p)
		return EBADMSG;
	if (!text_empty(qop) && !c->qop_auth && !c->qop_int)
		return ENOTSUP;
	return alg_of(param(rest, "algorithm"), &c->alg, &c->sess);
}

int sip_challenge_put(struct buf *out, const struct sip_challenge *c, struct text nonce)
{
	if (text_empty(nonce))
		nonce = c->nonce;
	if (!quotable(c->realm) || !quotable(nonce) || !quotable(c->opaque))
		return EINVAL;
	buf_printf(out, "Digest realm=\"%.*s\", nonce=\"%.*s\", algorithm=%s%s", TEXT_FMT(c->realm), TEXT_FMT(nonce), algs[c->alg].name, c->sess ? "-sess" : "");
	if (c->qop_auth || c->qop_int)
		buf_printf(out, ", qop=\"%s\"", c->qop_auth && c->qop_int ? "auth, auth-int" : c->qop_auth ? "auth" : "auth-int");
	if (c->opaque.p)
		buf_printf(out, ", opaque=\"%.*s\"", TEXT_FMT(c->opaque));
	return buf_error(out);
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

static bool same(struct text a, const char *b)
{
	return a.n == strlen(b) && CRYPTO_memcmp(a.p, b, a.n) == 0;
}

/* What somebody says of himself in an Authorization value, and of which message. */
struct said {
	enum sip_digest_alg alg;
	bool sess, integrity;
	struct text user, realm, nonce, method, uri, qop, nc, cnonce, body;
};

/* ENOTSUP: another scheme or algorithm; the message is filled in by whoever asks. */
static int said_of(struct said *d, struct text *rest, struct text value)
{
	*d = (struct said){ 0 };
	if (params_of(value, rest) || alg_of(param(*rest, "algorithm"), &d->alg, &d->sess))
		return ENOTSUP;
	d->user = param(*rest, "username");
	d->realm = param(*rest, "realm");
	d->nonce = param(*rest, "nonce");
	d->uri = param(*rest, "uri");
	d->qop = param(*rest, "qop");
	d->nc = param(*rest, "nc");
	d->cnonce = param(*rest, "cnonce");
	d->integrity = text_is_nocase(d->qop, "auth-int");
	return 0;
}

static int a1_of(char hex[HEX_MAX], const struct said *d, const char *password)
{
	struct sum s;
	int err;

	sum_begin(&s, d->alg);
	sum_put(&s, d->user);
	sum_next(&s, d->realm);
	sum_next(&s, text_of(password));
	err = sum_end(&s, hex);
	if (err || !d->sess)
		return err;
	sum_begin(&s, d->alg);
	sum_put(&s, text_of(hex));
	sum_next(&s, d->nonce);
	sum_next(&s, d->cnonce);
	return sum_end(&s, hex);
}

/* A response's proof has no method (RFC 7616 3.5). */
static int a2_of(char hex[HEX_MAX], const struct said *d)
{
	char body[HEX_MAX];
	struct sum s;
	int err = 0;

	if (d->integrity) {
		sum_begin(&s, d->alg);
		sum_put(&s, d->body);
		err = sum_end(&s, body);
	}
	if (err)
		return err;
	sum_begin(&s, d->alg);
	sum_put(&s, d->method);
	sum_next(&s, d->uri);
	if (d->integrity)
		sum_next(&s, text_of(body));
	return sum_end(&s, hex);
}

/* RFC 7616 3.4.1; without qop as RFC 2069 had it. */
static int response(char hex[HEX_MAX], const struct said *d, const char *password)
{
	char a1[HEX_MAX], a2[HEX_MAX];
	struct sum s;
	int err = a1_of(a1, d, password);

	if (!err)
		err = a2_of(a2, d);
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

int sip_digest_answer(struct buf *out, const struct sip_challenge *c, const struct sip_login *who, const struct sip_digest_of *of, uint32_t count, const char *cnonce)
{
	struct said d = { .alg = c->alg, .sess = c->sess, .user = text_of(who->user), .realm = c->realm, .nonce = c->nonce, .method = of->method,
		          .uri = of->uri, .body = of->body };
	char hex[HEX_MAX], nc[COUNT_DIGITS + 1];
	int err;

	if (!quotable(d.user) || !quotable(c->realm) || !quotable(c->nonce) || !quotable(c->opaque) || !quotable(of->uri))
		return EINVAL;
	snprintf(nc, sizeof(nc), "%08x", count);
	if (c->qop_auth || c->qop_int) {
		d.integrity = !c->qop_auth; /* proxies and border controllers change bodies: only where nothing less is taken */
		d.qop = d.integrity ? TEXT("auth-int") : TEXT("auth");
		d.nc = text_of(nc);
	}
	if (c->qop_auth || c->qop_int || c->sess)
		d.cnonce = text_of(cnonce);
	err = response(hex, &d, who->password);
	if (err)
		return err;
	buf_printf(out, "Digest username=\"%s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%.*s\", response=\"%s\", algorithm=%s%s", who->user, TEXT_FMT(c->realm),
	           TEXT_FMT(c->nonce), TEXT_FMT(of->uri), hex, algs[c->alg].name, c->sess ? "-sess" : "");
	if (d.qop.n)
		buf_printf(out, ", qop=%.*s, nc=%s", TEXT_FMT(d.qop), nc);
	if (d.cnonce.n)
		buf_printf(out, ", cnonce=\"%s\"", cnonce);
	if (c->opaque.p)
		buf_printf(out, ", opaque=\"%.*s\"", TEXT_FMT(c->opaque));
	return buf_error(out);
}

int sip_digest_info(struct sip_digest_info *info, struct text value, struct text said, const struct sip_login *who, struct text body)
{
	char hex[HEX_MAX];
	struct text rest, proof, qop;
	struct said d;

	*info = (struct sip_digest_info){ 0 };
	if (said_of(&d, &rest, said) || !text_is(d.realm, who->realm))
		return ENOTSUP;
	proof = param(value, "rspauth");
	qop = param(value, "qop");
	info->nextnonce = param(value, "nextnonce");
	if (text_empty(proof) || !d.qop.n)
		return 0; /* without qop it proves nothing (RFC 2617 3.2.3) */
	if (qop.n)
		d.integrity = text_is_nocase(qop, "auth-int"); /* of the response, it may be another than the request's */
	d.body = body;
	d.qop = qop.n ? qop : d.qop;
	info->wrong = response(hex, &d, who->password) || !same(proof, hex);
	info->proven = !info->wrong;
	return 0;
}

/* ---- ours ---- */
static int nonce_of(char nonce[SIP_NONCE_SIZE], const uint8_t *key, int64_t at_s, uint32_t salt, const char *scope)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	char words[160];
	unsigned n = 0;
	int at;

	if (text_print(words, sizeof(words), "%lld %u %s", (long long)at_s, salt, scope) ||
	    !HMAC(EVP_sha256(), key, SIP_NONCE_KEY_BYTES, (const uint8_t *)words, strlen(words), mac, &n) || n < 16)
		return ENOMEM;
	at = snprintf(nonce, SIP_NONCE_SIZE, "%llx.%08x.", (unsigned long long)at_s, salt);
	for (unsigned i = 0; i < 16; i++)
		at += snprintf(nonce + at, SIP_NONCE_SIZE - (size_t)at, "%02x", mac[i]);
	return 0;
}

int sip_nonce_make(char nonce[SIP_NONCE_SIZE], const uint8_t key[SIP_NONCE_KEY_BYTES], int64_t now_s, const char *scope)
{
	uint32_t salt = rand_u32();

	return nonce_of(nonce, key, now_s, salt ? salt : 1, scope); /* two challenges of one second are told apart: uses are counted by nonce */
}

/* Hexadecimal digits, eight by the RFC. */
static bool count_of(struct text t, uint32_t *count)
{
	*count = 0;
	for (size_t i = 0; i < t.n && i < COUNT_DIGITS; i++) {
		char c = t.p[i];
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
		if (digit < 0)
			return false;
		*count = *count << 4 | (uint32_t)digit;
	}
	return t.n && t.n <= COUNT_DIGITS && *count;
}

/* When we made it, or -1 when we did not. */
static int64_t made_at(struct text nonce, const uint8_t *key, const char *scope)
{
	char again[SIP_NONCE_SIZE];
	uint32_t salt;
	int64_t at = 0;
	size_t i;

	for (i = 0; i < nonce.n && i < 12 && nonce.p[i] != '.'; i++) {
		char c = nonce.p[i];
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (digit < 0)
			return -1;
		at = at * 16 + digit;
	}
	if (!count_of(text_head(text_skip(nonce, i + 1), COUNT_DIGITS), &salt))
		return -1;
	return nonce_of(again, key, at, salt, scope) || !same(nonce, again) ? -1 : at;
}

enum sip_digest_verdict sip_digest_check(struct text value, const struct sip_login *who, const struct sip_digest_of *of, const uint8_t key[SIP_NONCE_KEY_BYTES],
                                         int64_t now_s, const char *scope, struct sip_digest_used *used)
{
	char hex[HEX_MAX];
	struct text rest;
	struct said d;
	int64_t at;

	/* -sess is in no challenge of ours. */
	if (said_of(&d, &rest, value) || !text_is(d.realm, who->realm) || d.sess)
		return SIP_DIGEST_NONE;
	/* We ask for a qop: an answer without it can be replayed for longer than one request. */
	if ((!text_is_nocase(d.qop, "auth") && !d.integrity) || !count_of(d.nc, &used->count) || !text_is(d.user, who->user) || !text_eq(d.uri, of->uri) ||
	    (at = made_at(d.nonce, key, scope)) < 0)
		return SIP_DIGEST_WRONG;
	d.method = of->method;
	d.body = of->body;
	if (response(hex, &d, who->password) || !same(param(rest, "response"), hex))
		return SIP_DIGEST_WRONG;
	used->nonce = d.nonce;
	used->made_s = at;
	return now_s - at > SIP_NONCE_S || at > now_s + 5 ? SIP_DIGEST_STALE : SIP_DIGEST_GOOD;
}

int sip_digest_proof(struct buf *out, struct text said, const struct sip_login *who, struct text body, const char *nextnonce)
{
	char hex[HEX_MAX];
	struct text rest;
	struct said d;
	int err;

	if (said_of(&d, &rest, said) || !text_is(d.realm, who->realm) || !d.qop.n)
		return ENOTSUP;
	if (!quotable(d.cnonce) || !quotable(d.nc) || !quotable(d.qop))
		return EINVAL;
	d.body = body;
	err = response(hex, &d, who->password);
	if (err)
		return err;
	buf_printf(out, "qop=%.*s, rspauth=\"%s\", cnonce=\"%.*s\", nc=%.*s", TEXT_FMT(d.qop), hex, TEXT_FMT(d.cnonce), TEXT_FMT(d.nc));
	if (nextnonce)
		buf_printf(out, ", nextnonce=\"%s\"", nextnonce);
	return buf_error(out);
}
