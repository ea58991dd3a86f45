/* SPDX-License-Identifier: Apache-2.0 */
/* srtp.c  See srtp.h. AES by OpenSSL's EVP, keyed once. HMAC-SHA1 by its SHA-1 as such, from states that have eaten the padded keys already: EVP cannot
 * go back to such a state without taking memory (EVP_MD_CTX_copy_ex of OpenSSL 3.0), twice a packet.                        */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "media/srtp.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <string.h>
#include "base/mem.h"

enum { RTP_LEAST = 12, RTCP_LEAST = 8, SALT = 14, GCM_SALT = 12, GCM_TAG = 16, AUTH_KEY = 20, INDEX = 4 };
#define INDEX_MAX ((UINT64_C(1) << 48) - 1)
#define RTCP_INDEX_MAX 0x7fffffffu
#define ENCRYPTED 0x80000000u

static const struct {
	const char *name, *other; /* other: what phones said before there was an RFC */
	uint8_t key, salt, tag, rtcp_tag;
	bool gcm;
} suites[SRTP_SUITES] = {
	[SRTP_NONE] = { "", NULL, 0, 0, 0, 0, false },
	[SRTP_AES_CM_128_80] = { "AES_CM_128_HMAC_SHA1_80", NULL, 16, SALT, 10, 10, false },
	[SRTP_AES_CM_128_32] = { "AES_CM_128_HMAC_SHA1_32", NULL, 16, SALT, 4, 10, false },
	[SRTP_AES_CM_256_80] = { "AES_256_CM_HMAC_SHA1_80", "AES_CM_256_HMAC_SHA1_80", 32, SALT, 10, 10, false },
	[SRTP_AES_CM_256_32] = { "AES_256_CM_HMAC_SHA1_32", "AES_CM_256_HMAC_SHA1_32", 32, SALT, 4, 10, false },
	[SRTP_AES_GCM_128] = { "AEAD_AES_128_GCM", NULL, 16, GCM_SALT, GCM_TAG, GCM_TAG, true },
	[SRTP_AES_GCM_256] = { "AEAD_AES_256_GCM", NULL, 32, GCM_SALT, GCM_TAG, GCM_TAG, true },
};

/* One source: the highest index that was genuine, and which of those below it came (bit 0: that one). */
struct source {
	uint32_t ssrc;
	uint64_t top;
	uint64_t seen[2];
};

struct sources {
	unsigned n;
	struct source of[SRTP_SOURCES];
};

/* One half: RTP or RTCP. */
struct half {
	EVP_CIPHER_CTX *aes;
	SHA_CTX inner, outer; /* HMAC after the padded key */
	uint8_t salt[SALT], tag;
	struct sources sources;
};

struct srtp {
	struct srtp_key key;
	bool send, gcm;
	struct half rtp, rtcp;
	struct sources were; /* under the key before */
};

/* ---- suites ---- */
const char *srtp_suite_name(enum srtp_suite suite)
{
	return suites[suite].name;
}

enum srtp_suite srtp_suite_named(struct text name)
{
	for (enum srtp_suite i = 1; i < SRTP_SUITES; i++)
		if (text_is_nocase(name, suites[i].name) || (suites[i].other && text_is_nocase(name, suites[i].other)))
			return i;
	return SRTP_NONE;
}

size_t srtp_suite_bytes(enum srtp_suite suite)
{
	return suites[suite].key + suites[suite].salt;
}

bool srtp_suite_short_tag(enum srtp_suite suite)
{
	return suites[suite].tag < 10;
}

bool srtp_key_equal(const struct srtp_key *a, const struct srtp_key *b)
{
	return a->suite == b->suite && a->mki_bytes == b->mki_bytes && a->mki == b->mki && mem_equal_secret(a->bytes, b->bytes, srtp_suite_bytes(a->suite));
}

/* ---- ciphers: looked up once in the life of the process, which in OpenSSL 3 costs more than a packet ---- */
static EVP_CIPHER *ciphers[2][2]; /* [GCM][256 bits] */

static void fetch_all(void)
{
	static const char *const names[2][2] = { { "AES-128-CTR", "AES-256-CTR" }, { "AES-128-GCM", "AES-256-GCM" } };
	for (unsigned i = 0; i < 4; i++)
		ciphers[i / 2][i % 2] = EVP_CIPHER_fetch(NULL, names[i / 2][i % 2], NULL);
}

static const EVP_CIPHER *cipher(bool gcm, unsigned key_bytes)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, fetch_all);
	return ciphers[gcm][key_bytes > 16];
}

/* ---- session keys (RFC 3711 4.3, RFC 6188 3, RFC 7714 11) ---- */
/* A stream of the master key's own, which begins at the label; the derivation rate is always 0. */
static bool derive(EVP_CIPHER_CTX *prf, const uint8_t *salt, size_t salt_n, uint8_t label, uint8_t *dst, int n)
{
	static const uint8_t zeros[32];
	uint8_t iv[16] = { 0 };
	int got;
	memcpy(iv, salt, salt_n);
	iv[7] ^= label;
	return EVP_EncryptInit_ex(prf, NULL, NULL, NULL, iv) && EVP_EncryptUpdate(prf, dst, &got, zeros, n) && got == n;
}

static void hmac_key(struct half *h, const uint8_t *key)
{
	uint8_t pad[SHA_CBLOCK];
	memset(pad, 0x36, sizeof pad);
	for (unsigned i = 0; i < AUTH_KEY; i++)
		pad[i] ^= key[i];
	SHA1_Init(&h->inner);
	SHA1_Update(&h->inner, pad, sizeof pad);
	for (unsigned i = 0; i < sizeof pad; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA1_Init(&h->outer);
	SHA1_Update(&h->outer, pad, sizeof pad);
	mem_wipe(pad, sizeof pad);
}

static int half_init(struct half *h, const struct srtp *s, EVP_CIPHER_CTX *prf, uint8_t first_label)
{
	unsigned key_n = suites[s->key.suite].key, salt_n = suites[s->key.suite].salt;
	const uint8_t *salt = s->key.bytes + key_n;
	uint8_t key[32], auth[AUTH_KEY];
	bool ok = derive(prf, salt, salt_n, first_label, key, (int)key_n) && derive(prf, salt, salt_n, first_label + 1, auth, sizeof auth) &&
	          derive(prf, salt, salt_n, first_label + 2, h->salt, (int)salt_n);
	if (ok) {
		hmac_key(h, auth);
		h->aes = EVP_CIPHER_CTX_new();
		ok = h->aes && EVP_CipherInit_ex(h->aes, cipher(s->gcm, key_n), NULL, key, NULL, !s->gcm || s->send);
	}
	mem_wipe(key, sizeof key);
	mem_wipe(auth, sizeof auth);
	return ok ? 0 : EIO;
}

static void destroy(void *object)
{
	struct srtp *s = object;
	EVP_CIPHER_CTX_free(s->rtp.aes); /* wipes what it holds */
	EVP_CIPHER_CTX_free(s->rtcp.aes);
	mem_wipe(s, sizeof *s);
}

int srtp_new(struct srtp **sp, const struct srtp_key *key, bool send)
{
	if (key->suite <= SRTP_NONE || key->suite >= SRTP_SUITES || key->mki_bytes > SRTP_MKI_MAX ||
	    (key->mki_bytes < 4 && key->mki >> (8 * key->mki_bytes)))
		return EINVAL;
	struct srtp *s = mem_object(sizeof *s, destroy);
	EVP_CIPHER_CTX *prf = EVP_CIPHER_CTX_new();
	int err = s && prf ? 0 : ENOMEM;
	if (!err) {
		s->key = *key;
		s->send = send;
		s->gcm = suites[key->suite].gcm;
		s->rtp.tag = suites[key->suite].tag;
		s->rtcp.tag = suites[key->suite].rtcp_tag;
		const EVP_CIPHER *aes = cipher(false, suites[key->suite].key);
		err = aes && EVP_EncryptInit_ex(prf, aes, NULL, key->bytes, NULL) ? 0 : EIO;
	}
	if (!err)
		err = half_init(&s->rtp, s, prf, 0);
	if (!err)
		err = half_init(&s->rtcp, s, prf, 3);
	EVP_CIPHER_CTX_free(prf);
	if (err) {
		ERR_clear_error();
		mem_unref(s);
		return err;
	}
	*sp = s;
	return 0;
}

bool srtp_is(const struct srtp *s, const struct srtp_key *key)
{
	return srtp_key_equal(&s->key, key);
}

enum srtp_suite srtp_suite_of(const struct srtp *s)
{
	return s->key.suite;
}

void srtp_inherit(struct srtp *s, const struct srtp *was)
{
	s->were = was->rtp.sources;
}

/* ---- bytes ---- */
static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void xor32(uint8_t *p, uint32_t v)
{
	put32(p, get32(p) ^ v);
}

static uint16_t seq_of(const uint8_t *p)
{
	return (uint16_t)(p[2] << 8 | p[3]);
}

size_t srtp_head(const uint8_t *p, size_t n)
{
	if (n < RTP_LEAST || p[0] >> 6 != 2)
		return 0;
	size_t head = RTP_LEAST + 4u * (p[0] & 15);
	if (p[0] & 0x10) {
		if (head + 4 > n)
			return 0;
		head += 4 + 4u * (size_t)(p[head + 2] << 8 | p[head + 3]);
	}
	return head > n ? 0 : head;
}

static size_t mki_put(const struct srtp *s, uint8_t *p)
{
	for (unsigned i = 0; i < s->key.mki_bytes; i++)
		p[i] = (uint8_t)(s->key.mki >> (8 * (s->key.mki_bytes - 1u - i)));
	return s->key.mki_bytes;
}

static bool mki_is(const struct srtp *s, const uint8_t *p)
{
	uint8_t ours[SRTP_MKI_MAX];
	return memcmp(ours, p, mki_put(s, ours)) == 0;
}

/* ---- sources, roll-over counters, repetition (RFC 3711 3.3.1, 3.3.2) ---- */
static struct source *source_of(struct sources *t, uint32_t ssrc)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->of[i].ssrc == ssrc)
			return &t->of[i];
	return NULL;
}

/* Which index a sequence number stands for, so that it is the nearest one to what came last. False: before the first or behind the last. */
static bool index_near(uint64_t top, uint16_t seq, uint64_t *index)
{
	int32_t step = (int16_t)(uint16_t)(seq - (uint16_t)top);
	if (step == -32768 && !(top & 0x8000))
		step = 32768;
	if (step < 0 && top < (uint64_t)-step)
		return false;
	*index = top + (uint64_t)(int64_t)step;
	return *index <= INDEX_MAX;
}

static bool came(const struct source *src, uint64_t index)
{
	if (index > src->top)
		return false;
	uint64_t back = src->top - index;
	return back >= SRTP_WINDOW || src->seen[back / 64] >> (back % 64) & 1;
}

static void shift(uint64_t seen[2], uint64_t by)
{
	if (by >= 128) {
		seen[0] = seen[1] = 0;
	} else if (by >= 64) {
		seen[1] = seen[0] << (by - 64);
		seen[0] = 0;
	} else if (by) {
		seen[1] = seen[1] << by | seen[0] >> (64 - by);
		seen[0] <<= by;
	}
}

/* It was genuine. `src` may be NULL: then there is room for it. */
static void note(struct sources *t, struct source *src, uint32_t ssrc, uint64_t index)
{
	if (!src) {
		src = &t->of[t->n++];
		*src = (struct source){ .ssrc = ssrc, .top = index };
	}
	if (index > src->top) {
		shift(src->seen, index - src->top);
		src->top = index;
	}
	uint64_t back = src->top - index;
	src->seen[back / 64] |= UINT64_C(1) << (back % 64);
}

/* ---- AES in counter mode with HMAC-SHA1 ---- */
static bool counter_mode(struct half *h, uint32_t ssrc, uint64_t index, uint8_t *dst, const uint8_t *src, size_t n)
{
	uint8_t iv[16] = { 0 };
	int got = 0;
	memcpy(iv, h->salt, SALT);
	xor32(iv + 4, ssrc);
	xor32(iv + 8, (uint32_t)(index >> 16));
	iv[12] ^= (uint8_t)(index >> 8);
	iv[13] ^= (uint8_t)index;
	return EVP_CipherInit_ex(h->aes, NULL, NULL, NULL, iv, 1) && EVP_CipherUpdate(h->aes, dst, &got, src, (int)n) && (size_t)got == n;
}

/* Of n bytes and, if there is one, the roll-over counter behind them. */
static void hmac(const struct half *h, const uint8_t *p, size_t n, const uint8_t *roc, uint8_t mac[SHA_DIGEST_LENGTH])
{
	SHA_CTX c = h->inner;
	SHA1_Update(&c, p, n);
	if (roc)
		SHA1_Update(&c, roc, 4);
	SHA1_Final(mac, &c);
	c = h->outer;
	SHA1_Update(&c, mac, SHA_DIGEST_LENGTH);
	SHA1_Final(mac, &c);
}

/* ---- AES-GCM (RFC 7714 8, 9) ---- */
struct gcm {
	uint8_t iv[GCM_SALT];
	const uint8_t *head, *more; /* both are authenticated; more: SRTCP's index or NULL */
	size_t head_n;
};

/* RTP: roll-over counter and sequence number are the index; RTCP: its 31 bits stand in the last four. */
static void gcm_iv(struct gcm *g, const struct half *h, uint32_t ssrc, uint64_t index)
{
	memcpy(g->iv, h->salt, GCM_SALT);
	xor32(g->iv + 2, ssrc);
	xor32(g->iv + 6, (uint32_t)(index >> 16));
	g->iv[10] ^= (uint8_t)(index >> 8);
	g->iv[11] ^= (uint8_t)index;
}

static bool gcm_begin(struct half *h, const struct gcm *g, bool encrypt)
{
	int got;
	return EVP_CipherInit_ex(h->aes, NULL, NULL, NULL, g->iv, encrypt) && EVP_CipherUpdate(h->aes, NULL, &got, g->head, (int)g->head_n) &&
	       (!g->more || EVP_CipherUpdate(h->aes, NULL, &got, g->more, INDEX));
}

/* The tag goes behind the n bytes. */
static bool gcm_seal(struct half *h, const struct gcm *g, uint8_t *dst, const uint8_t *src, size_t n)
{
	int got = 0, last;
	return gcm_begin(h, g, true) && (!n || EVP_CipherUpdate(h->aes, dst, &got, src, (int)n)) && (size_t)got == n &&
	       EVP_CipherFinal_ex(h->aes, dst + n, &last) && EVP_CIPHER_CTX_ctrl(h->aes, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, dst + n);
}

static bool gcm_open(struct half *h, const struct gcm *g, uint8_t *p, size_t n)
{
	uint8_t tag[GCM_TAG];
	int got = 0, last;
	memcpy(tag, p + n, sizeof tag);
	return gcm_begin(h, g, false) && (!n || EVP_CipherUpdate(h->aes, p, &got, p, (int)n)) && (size_t)got == n &&
	       EVP_CIPHER_CTX_ctrl(h->aes, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, tag) && EVP_CipherFinal_ex(h->aes, p + n, &last);
}

/* ---- RTP ---- */
int srtp_seal(struct srtp *s, uint8_t *p, size_t head, const uint8_t *payload, size_t payload_n, size_t *total)
{
	uint32_t ssrc = get32(p + 8);
	struct half *h = &s->rtp;
	struct source *src = source_of(&h->sources, ssrc);
	uint64_t index = seq_of(p);
	uint8_t *end = p + head + payload_n, roc[4], mac[SHA_DIGEST_LENGTH];
	if (src ? !index_near(src->top, seq_of(p), &index) || index <= src->top : h->sources.n == SRTP_SOURCES)
		return EINVAL;
	if (s->gcm) {
		struct gcm g = { .head = p, .head_n = head };
		gcm_iv(&g, h, ssrc, index);
		if (!gcm_seal(h, &g, p + head, payload, payload_n))
			return EINVAL;
		end += GCM_TAG;
		end += mki_put(s, end);
	} else {
		if (!counter_mode(h, ssrc, index, p + head, payload, payload_n))
			return EINVAL;
		put32(roc, (uint32_t)(index >> 16));
		hmac(h, p, (size_t)(end - p), roc, mac);
		end += mki_put(s, end);
		memcpy(end, mac, h->tag);
		end += h->tag;
	}
	note(&h->sources, src, ssrc, index);
	*total = (size_t)(end - p);
	return 0;
}

/* Whether the packet is genuine under that index; if so it is made plain. n: header and ciphertext, with the tag of GCM. In counter mode
 * nothing is touched before that is known. */
static bool open_rtp(struct srtp *s, uint64_t index, uint8_t *p, size_t head, size_t n, const uint8_t *tag)
{
	struct half *h = &s->rtp;
	uint32_t ssrc = get32(p + 8);
	uint8_t roc[4], mac[SHA_DIGEST_LENGTH];
	if (s->gcm) {
		struct gcm g = { .head = p, .head_n = head };
		gcm_iv(&g, h, ssrc, index);
		return gcm_open(h, &g, p + head, n - head - GCM_TAG);
	}
	put32(roc, (uint32_t)(index >> 16));
	hmac(h, p, n, roc, mac);
	return mem_equal_secret(mac, tag, h->tag) && counter_mode(h, ssrc, index, p + head, p + head, n - head);
}

/* A source that is new under this key begins with 0 (RFC 3711 3.3.1), or goes on counting from the key before; who is right, its first packet tells. */
static bool open_first(struct srtp *s, uint64_t *index, uint8_t *p, size_t head, size_t n, const uint8_t *tag)
{
	const struct source *was = source_of(&s->were, get32(p + 8));
	uint64_t other;
	bool two = was && index_near(was->top, seq_of(p), &other) && other != *index;
	MEM_NOT_CLEARED uint8_t kept[2048];
	if (two && s->gcm) { /* it is overwritten while it is judged */
		if (n - head > sizeof kept)
			return false;
		memcpy(kept, p + head, n - head);
	}
	if (open_rtp(s, *index, p, head, n, tag))
		return true;
	if (!two)
		return false;
	if (s->gcm)
		memcpy(p + head, kept, n - head);
	*index = other;
	return open_rtp(s, other, p, head, n, tag);
}

int srtp_open(struct srtp *s, uint8_t *p, size_t *n)
{
	struct half *h = &s->rtp;
	size_t head = srtp_head(p, *n), extra = s->key.mki_bytes + (size_t)h->tag;
	if (!head || *n < head + extra)
		return EBADMSG;
	uint32_t ssrc = get32(p + 8);
	struct source *src = source_of(&h->sources, ssrc);
	uint64_t index = seq_of(p);
	if (src && (!index_near(src->top, seq_of(p), &index) || came(src, index)))
		return EALREADY;
	if (!src && h->sources.n == SRTP_SOURCES)
		return ENOSPC;
	/* ciphertext, MKI, tag (RFC 3711 3.1); ciphertext, tag, MKI (RFC 7714 8.2) */
	size_t body = *n - extra + (s->gcm ? GCM_TAG : 0);
	if (!mki_is(s, p + body))
		return EBADMSG;
	const uint8_t *tag = p + *n - h->tag;
	if (!(src ? open_rtp(s, index, p, head, body, tag) : open_first(s, &index, p, head, body, tag)))
		return EBADMSG;
	note(&h->sources, src, ssrc, index);
	*n = *n - extra;
	return 0;
}

/* ---- RTCP: the index goes with the packet (RFC 3711 3.4) ---- */
int srtcp_seal(struct srtp *s, uint8_t *p, size_t n, size_t *total)
{
	struct half *h = &s->rtcp;
	uint8_t word[INDEX], mac[SHA_DIGEST_LENGTH], *end = p + n;
	if (n < RTCP_LEAST)
		return EINVAL;
	uint32_t ssrc = get32(p + 4);
	struct source *src = source_of(&h->sources, ssrc);
	uint64_t index = src ? src->top + 1 : 0;
	if (index > RTCP_INDEX_MAX || (!src && h->sources.n == SRTP_SOURCES))
		return EINVAL;
	put32(word, ENCRYPTED | (uint32_t)index);
	if (s->gcm) {
		struct gcm g = { .head = p, .head_n = RTCP_LEAST, .more = word };
		gcm_iv(&g, h, ssrc, index);
		if (!gcm_seal(h, &g, p + RTCP_LEAST, p + RTCP_LEAST, n - RTCP_LEAST))
			return EINVAL;
		end += GCM_TAG;
		memcpy(end, word, INDEX);
		end += INDEX;
		end += mki_put(s, end);
	} else {
		if (!counter_mode(h, ssrc, index, p + RTCP_LEAST, p + RTCP_LEAST, n - RTCP_LEAST))
			return EINVAL;
		memcpy(end, word, INDEX);
		end += INDEX;
		hmac(h, p, (size_t)(end - p), NULL, mac);
		end += mki_put(s, end);
		memcpy(end, mac, h->tag);
		end += h->tag;
	}
	note(&h->sources, src, ssrc, index);
	*total = (size_t)(end - p);
	return 0;
}

static bool open_rtcp(struct srtp *s, uint32_t ssrc, uint32_t index, uint8_t *p, size_t n, const uint8_t *word)
{
	struct half *h = &s->rtcp;
	uint8_t mac[SHA_DIGEST_LENGTH];
	if (s->gcm) {
		struct gcm g = { .head = p, .head_n = RTCP_LEAST, .more = word };
		gcm_iv(&g, h, ssrc, index);
		return gcm_open(h, &g, p + RTCP_LEAST, n - RTCP_LEAST);
	}
	hmac(h, p, n + INDEX, NULL, mac);
	return mem_equal_secret(mac, word + INDEX + s->key.mki_bytes, h->tag) && counter_mode(h, ssrc, index, p + RTCP_LEAST, p + RTCP_LEAST, n - RTCP_LEAST);
}

int srtcp_open(struct srtp *s, uint8_t *p, size_t *n)
{
	struct half *h = &s->rtcp;
	size_t extra = INDEX + s->key.mki_bytes + (size_t)h->tag;
	if (*n < RTCP_LEAST + extra || p[0] >> 6 != 2)
		return EBADMSG;
	size_t plain = *n - extra;
	/* plain, index, MKI, tag (RFC 3711 3.4); plain, tag, index, MKI (RFC 7714 9.2) */
	const uint8_t *word = p + plain + (s->gcm ? GCM_TAG : 0);
	uint32_t ssrc = get32(p + 4), index = get32(word) & RTCP_INDEX_MAX;
	struct source *src = source_of(&h->sources, ssrc);
	if (!(get32(word) & ENCRYPTED) || !mki_is(s, word + INDEX))
		return EBADMSG;
	if (src && came(src, index))
		return EALREADY;
	if (!src && h->sources.n == SRTP_SOURCES)
		return ENOSPC;
	if (!open_rtcp(s, ssrc, index, p, plain, word))
		return EBADMSG;
	note(&h->sources, src, ssrc, index);
	*n = plain;
	return 0;
}
