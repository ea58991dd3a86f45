/* SPDX-License-Identifier: Apache-2.0 */
/* auth_memory.c  See auth_memory.h. */
#include "sip/auth_memory.h"
#include "base/hash.h"
#include "base/mem.h"

enum { NONCES = 4096, WINDOW = 64, CHALLENGE_BYTES = 2048 };

struct sip_auth_memory {
	struct list kept; /* the one used last at the end */
	unsigned n_kept;
	struct used {
		uint64_t nonce;   /* keyed hash; 0: free */
		uint64_t before;  /* which of the WINDOW counts up to `top` were used; bit 0 is top itself */
		uint32_t top;
	} used[NONCES];
};

static struct sip_auth_memory *memory(struct sip_auth_memory **mp)
{
	if (!*mp && (*mp = mem_zalloc(1, sizeof(**mp))))
		list_init(&(*mp)->kept);
	return *mp;
}

/* ---- ours ---- */
static void forget(struct sip_auth_memory *m, struct sip_kept_challenge *k)
{
	list_remove(&k->link);
	m->n_kept--;
	buf_free(&k->value);
	mem_free(k);
}

static struct sip_kept_challenge *find(struct sip_auth_memory *m, const char *peer, bool proxy)
{
	LIST_FOREACH (&m->kept, l) {
		struct sip_kept_challenge *k = LIST_ENTRY(l, struct sip_kept_challenge, link);
		if (k->proxy == proxy && text_is(text_of(k->peer), peer))
			return k;
	}
	return NULL;
}

struct sip_kept_challenge *sip_auth_kept(struct sip_auth_memory *m, const char *peer, bool proxy, int64_t now_ms)
{
	struct sip_kept_challenge *k = m ? find(m, peer, proxy) : NULL;

	return k && k->value.n && k->until_ms > now_ms && (k->handed || !k->once) ? k : NULL;
}

static struct sip_kept_challenge *make(struct sip_auth_memory *m, const char *peer, bool proxy)
{
	struct sip_kept_challenge *k;

	if (m->n_kept == SIP_CHALLENGES_KEPT)
		forget(m, LIST_ENTRY(list_first(&m->kept), struct sip_kept_challenge, link));
	k = mem_zalloc(1, sizeof(*k));
	if (!k)
		return NULL;
	text_fill(k->peer, sizeof(k->peer), peer);
	k->proxy = proxy;
	buf_init(&k->value, CHALLENGE_BYTES);
	list_append(&m->kept, &k->link);
	m->n_kept++;
	return k;
}

void sip_auth_keep(struct sip_auth_memory **mp, const char *peer, bool proxy, struct text said, uint32_t count, struct text nextnonce, int64_t now_ms)
{
	struct sip_auth_memory *m = memory(mp);
	struct sip_kept_challenge *k = m ? find(m, peer, proxy) : NULL;
	struct sip_challenge c, was;

	/* What we said reads as a challenge, too: it repeats all of it. A session key (-sess) is of one challenge, and without qop nothing is counted. */
	if (!m || sip_challenge_parse(&c, said) || c.sess || !(c.qop_auth || c.qop_int))
		return;
	if (!k)
		k = make(m, peer, proxy);
	if (!k)
		return;
	k->handed = !text_empty(nextnonce);
	if (k->handed)
		count = 0;
	/* Others may have counted on with the same nonce meanwhile. */
	if (!k->value.n || sip_challenge_parse(&was, buf_as_text(&k->value)) || !text_eq(was.nonce, k->handed ? nextnonce : c.nonce) || count > k->count)
		k->count = count;
	k->until_ms = now_ms + SIP_CHALLENGE_KEPT_MS;
	buf_clear(&k->value);
	if (sip_challenge_put(&k->value, &c, nextnonce))
		buf_clear(&k->value);
	list_remove(&k->link);
	list_append(&m->kept, &k->link);
}

void sip_auth_drop(struct sip_auth_memory *m, const char *peer, bool proxy)
{
	struct sip_kept_challenge *k = m ? find(m, peer, proxy) : NULL;

	if (!k)
		return;
	k->once = k->once || !k->handed;
	k->handed = false;
	buf_clear(&k->value);
}

/* ---- theirs ---- */
bool sip_auth_first_use(struct sip_auth_memory **mp, const uint8_t key[16], struct text nonce, uint32_t count)
{
	struct sip_auth_memory *m = memory(mp);
	uint64_t h = hash_siphash(key, nonce.p, nonce.n) | 1;
	struct used *u;

	if (!m)
		return true; /* no worse than without the memory */
	u = &m->used[(h >> 1) % NONCES];
	if (u->nonce != h)
		*u = (struct used){ .nonce = h };
	if (count > u->top) {
		uint32_t by = count - u->top;
		u->before = by < WINDOW ? u->before << by | 1 : 1;
		u->top = count;
		return true;
	}
	uint32_t back = u->top - count;
	if (back >= WINDOW || u->before >> back & 1)
		return false;
	u->before |= (uint64_t)1 << back;
	return true;
}

struct sip_auth_memory *sip_auth_memory_free(struct sip_auth_memory *m)
{
	struct link *l;

	while (m && (l = list_first(&m->kept)))
		forget(m, LIST_ENTRY(l, struct sip_kept_challenge, link));
	mem_free(m);
	return NULL;
}
