/* SPDX-License-Identifier: Apache-2.0 */
/* hash.c  Chained table with SipHash-2-4. */
#include "base/hash.h"
#include <errno.h>
#include "base/mem.h"
#include "base/rand.h"

struct hash {
	struct hash_entry **slot;
	size_t mask, count;
	uint8_t key[16];
};

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return v; /* little endian is all we run on; another order only changes the hash */
}

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define SIPROUND \
	do { \
		v0 += v1; v1 = ROTL(v1, 13); v1 ^= v0; v0 = ROTL(v0, 32); \
		v2 += v3; v3 = ROTL(v3, 16); v3 ^= v2; \
		v0 += v3; v3 = ROTL(v3, 21); v3 ^= v0; \
		v2 += v1; v1 = ROTL(v1, 17); v1 ^= v2; v2 = ROTL(v2, 32); \
	} while (0)

uint64_t hash_siphash(const uint8_t key[16], const void *p, size_t n)
{
	const uint8_t *in = p;
	uint64_t k0 = load64(key), k1 = load64(key + 8);
	uint64_t v0 = k0 ^ 0x736f6d6570736575ULL, v1 = k1 ^ 0x646f72616e646f6dULL;
	uint64_t v2 = k0 ^ 0x6c7967656e657261ULL, v3 = k1 ^ 0x7465646279746573ULL;
	size_t whole = n & ~(size_t)7;
	for (size_t i = 0; i < whole; i += 8) {
		uint64_t m = load64(in + i);
		v3 ^= m;
		SIPROUND;
		SIPROUND;
		v0 ^= m;
	}
	uint64_t last = (uint64_t)n << 56;
	for (size_t i = whole; i < n; i++)
		last |= (uint64_t)in[i] << (8 * (i - whole));
	v3 ^= last;
	SIPROUND;
	SIPROUND;
	v0 ^= last;
	v2 ^= 0xff;
	SIPROUND;
	SIPROUND;
	SIPROUND;
	SIPROUND;
	return v0 ^ v1 ^ v2 ^ v3;
}

int hash_create(struct hash **hp, size_t expected)
{
	struct hash *h = mem_zalloc(1, sizeof *h);
	if (!h)
		return ENOMEM;
	size_t slots = 16;
	while (slots < expected && slots < ((size_t)1 << 24))
		slots *= 2;
	h->slot = mem_zalloc(slots, sizeof *h->slot);
	int err = h->slot ? rand_bytes(h->key, sizeof h->key) : ENOMEM;
	if (err) {
		hash_destroy(h);
		return err;
	}
	h->mask = slots - 1;
	*hp = h;
	return 0;
}

void hash_destroy(struct hash *h)
{
	if (!h)
		return;
	mem_free(h->slot);
	mem_free(h);
}

static void grow(struct hash *h)
{
	size_t slots = (h->mask + 1) * 2;
	struct hash_entry **slot = mem_zalloc(slots, sizeof *slot);
	if (!slot)
		return;
	for (size_t i = 0; i <= h->mask; i++)
		for (struct hash_entry *e = h->slot[i], *next; e; e = next) {
			next = e->next;
			e->next = slot[e->h & (slots - 1)];
			slot[e->h & (slots - 1)] = e;
		}
	mem_free(h->slot);
	h->slot = slot;
	h->mask = slots - 1;
}

static struct hash_entry *find(const struct hash *h, struct text key, uint64_t v)
{
	for (struct hash_entry *e = h->slot[v & h->mask]; e; e = e->next)
		if (e->h == v && text_eq(e->key, key))
			return e;
	return NULL;
}

int hash_add(struct hash *h, struct hash_entry *e, struct text key)
{
	uint64_t v = hash_siphash(h->key, key.p, key.n);
	if (find(h, key, v))
		return EEXIST;
	if (h->count > h->mask)
		grow(h);
	*e = (struct hash_entry){ .next = h->slot[v & h->mask], .key = key, .h = v, .in = h };
	h->slot[v & h->mask] = e;
	h->count++;
	return 0;
}

void hash_remove(struct hash_entry *e)
{
	struct hash *h = e->in;
	if (!h)
		return;
	struct hash_entry **at = &h->slot[e->h & h->mask];
	while (*at && *at != e)
		at = &(*at)->next;
	if (*at) {
		*at = e->next;
		h->count--;
	}
	*e = (struct hash_entry){ 0 };
}

struct hash_entry *hash_find(const struct hash *h, struct text key)
{
	return find(h, key, hash_siphash(h->key, key.p, key.n));
}

size_t hash_count(const struct hash *h)
{
	return h->count;
}

void hash_each(struct hash *h, hash_each_h *each, void *arg)
{
	for (size_t i = 0; i <= h->mask; i++)
		for (struct hash_entry *e = h->slot[i], *next; e; e = next) {
			next = e->next;
			each(e, arg);
		}
}
