/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h  A table from bytes to members whose entries live in the members; it owns neither keys nor members. Keyed SipHash
 * (Aumasson, Bernstein 2012), so that a peer who chooses keys cannot choose collisions. One thread at a time.          */
#ifndef BASE_HASH_H
#define BASE_HASH_H
#include <stddef.h>
#include <stdint.h>
#include "base/text.h"

struct hash_entry {
	struct hash_entry *next;
	struct text key; /* borrowed: lives as long as the entry is in */
	uint64_t h;
	struct hash *in; /* NULL while in no table */
};

struct hash;

int hash_create(struct hash **hp, size_t expected);
void hash_destroy(struct hash *h); /* entries must be gone or never be touched again; NULL is allowed */
/* EEXIST if the key is in already (hash_find then tells by whom); never allocates after creation but to grow, and growth
 * that fails only makes it slower. */
int hash_add(struct hash *h, struct hash_entry *e, struct text key);
void hash_remove(struct hash_entry *e); /* nothing when in no table */
struct hash_entry *hash_find(const struct hash *h, struct text key);
size_t hash_count(const struct hash *h);
typedef void (hash_each_h)(struct hash_entry *e, void *arg); /* may remove the entry it is given */
void hash_each(struct hash *h, hash_each_h *each, void *arg);

#define HASH_MEMBER(entry_p, type, member) ((type *)(void *)((char *)(entry_p) - offsetof(type, member)))
uint64_t hash_siphash(const uint8_t key[16], const void *p, size_t n);

#endif
