/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h  Digest authentication (RFC 8760, 7616, 3261 22) as values: a challenge taken apart, an answer to it, what the other side proves of itself in
 * turn (Authentication-Info), and our own side: a challenge, the judgement of what came back, our proof. Algorithms SHA-512-256, SHA-256 and MD5, as a client
 * with -sess, too; qop auth and auth-int, or none where the peer knows no qop (RFC 2069). User names are never hashed, as in RFC 8760.
 * Passwords are compared in constant time and never written anywhere.                                                   */
#ifndef SIP_DIGEST_H
#define SIP_DIGEST_H
#include <stdbool.h>
#include "base/buf.h"
#include "base/text.h"

enum sip_digest_alg { SIP_DIGEST_SHA512_256, SIP_DIGEST_SHA256, SIP_DIGEST_MD5, SIP_DIGEST_ALGS };
const char *sip_digest_alg_name(enum sip_digest_alg a); /* "SHA-512-256" ... */

/* Who somebody says he is, and where. Texts are NUL-terminated. */
struct sip_login {
	const char *user, *password, *realm;
};

/* What the sums are about. Of an answer of ours the body is the request's, of its Authentication-Info the response's. */
struct sip_digest_of {
	struct text method, uri, body; /* uri: the Request-URI */
};

/* The value of WWW-Authenticate or Proxy-Authenticate. Texts borrow from it, without quotes. */
struct sip_challenge {
	struct text realm, nonce, opaque;
	enum sip_digest_alg alg;
	bool sess, qop_auth, qop_int, stale;
};
/* 0; EBADMSG; ENOTSUP: another scheme, algorithm or qop than ours. */
int sip_challenge_parse(struct sip_challenge *c, struct text value);
/* The same as a value again, to be kept: with another nonce where `nonce` is not empty. EINVAL: what is quoted holds a quotation mark or backslash. */
int sip_challenge_put(struct buf *out, const struct sip_challenge *c, struct text nonce);
/* Writes the value of Authorization into *out. count: how many requests have been proven with this nonce, this one included; cnonce: of our making.
 * EINVAL: what is quoted holds a quotation mark or backslash. */
int sip_digest_answer(struct buf *out, const struct sip_challenge *c, const struct sip_login *who, const struct sip_digest_of *of, uint32_t count, const char *cnonce);
/* What Authentication-Info (RFC 7616 3.5) says beside an answer of ours. */
struct sip_digest_info {
	struct text nextnonce;
	bool proven, wrong; /* rspauth is there and right, or wrong: who does not know the password wrote it */
};
/* said: the Authorization value that the request bore. ENOTSUP: it is not ours. */
int sip_digest_info(struct sip_digest_info *info, struct text value, struct text said, const struct sip_login *who, struct text body);

/* ---- the other side ---- */
enum { SIP_NONCE_SIZE = 64, SIP_NONCE_KEY_BYTES = 32, SIP_NONCE_S = 120 };
/* A nonce says when it was made, for whom (`scope`), and proves that we made it: nothing is kept. */
int sip_nonce_make(char nonce[SIP_NONCE_SIZE], const uint8_t key[SIP_NONCE_KEY_BYTES], int64_t now_s, const char *scope);
enum sip_digest_verdict {
	SIP_DIGEST_GOOD,
	SIP_DIGEST_NONE,  /* no answer to our realm */
	SIP_DIGEST_STALE, /* well answered, but the nonce is too old */
	SIP_DIGEST_WRONG,
};
/* Judges one Authorization value. On GOOD and STALE the nonce, when it was made and its count are written; texts borrow from the value. */
struct sip_digest_used {
	struct text nonce;
	int64_t made_s;
	uint32_t count;
};
enum sip_digest_verdict sip_digest_check(struct text value, const struct sip_login *who, const struct sip_digest_of *of, const uint8_t key[SIP_NONCE_KEY_BYTES],
                                         int64_t now_s, const char *scope, struct sip_digest_used *used);
/* Our proof in turn, as the value of Authentication-Info: `said` is what passed the check, body that of the response; nextnonce: NULL for none.
 * ENOTSUP: it is for another realm. */
int sip_digest_proof(struct buf *out, struct text said, const struct sip_login *who, struct text body, const char *nextnonce);

#endif
