/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h  Digest authentication (RFC 8760, 7616, 3261 22) as values: a challenge taken apart, an answer to it, and the other side: a challenge of ours
 * and the judgement of what came back. Algorithms SHA-512-256, SHA-256 and MD5; qop=auth, or none where the peer knows no qop (RFC 2069); neither
 * auth-int nor -sess. Passwords are compared in constant time and never written anywhere.                               */
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

/* The value of WWW-Authenticate or Proxy-Authenticate. Texts borrow from it, without quotes. */
struct sip_challenge {
	struct text realm, nonce, opaque;
	enum sip_digest_alg alg;
	bool qop_auth, stale;
};
/* 0; EBADMSG; ENOTSUP: another scheme, algorithm or qop than ours. */
int sip_challenge_parse(struct sip_challenge *c, struct text value);
/* Writes the value of Authorization into *out. cnonce: of our making; uri: the Request-URI. EINVAL: what is quoted holds a quotation mark or backslash. */
int sip_digest_answer(struct buf *out, const struct sip_challenge *c, const struct sip_login *who, struct text method, struct text uri, const char *cnonce);

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
/* Judges one Authorization value; uri: the Request-URI that it must be for. */
enum sip_digest_verdict sip_digest_check(struct text value, const struct sip_login *who, struct text method, struct text uri,
                                         const uint8_t key[SIP_NONCE_KEY_BYTES], int64_t now_s, const char *scope);

#endif
