/* SPDX-License-Identifier: Apache-2.0 */
/* check.h  What the checks across settings share: complete.c fills in what follows from others, unique.c finds what stands twice, check.c and
 * check_nodes.c look for names that must exist and settings that do not go together. All of it belongs to the binder (config_private.h). */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H
#include "config/config_private.h"

/* Every list member's struct begins with its position and its name. */
struct cfg_named {
	struct cfg_pos pos;
	const char *name;
};
static inline const struct cfg_named *cfg_nth(const void *v, size_t size, size_t i)
{
	return (const struct cfg_named *)(const void *)((const char *)v + i * size);
}

/* A list whose members others name. */
struct cfg_known {
	const char *word; /* "gateway" */
	const void *v;
	size_t n, size;
};
#define CFG_KNOWN(word, c, member) ((struct cfg_known){ word, (c)->member, (c)->n_##member, sizeof *(c)->member })

/* ---- check.c ---- */
/* An error where the member stands; `otherwise` where it was left out. */
void cfg_wrong_at(struct binder *b, const void *member, struct cfg_pos otherwise, const char *key, const char *fix, const char *what, ...)
	__attribute__((format(printf, 6, 7)));
bool cfg_is_ip(const char *s);
/* Nothing for an empty name. */
void cfg_must_exist(struct binder *b, const struct cfg_known *l, const char *const *member, struct cfg_pos pos, const char *key, const char *name);

/* ---- unique.c ---- */
void cfg_names_twice(struct binder *b, const char *list, const void *v, size_t n, size_t size);
void cfg_numbers_twice(struct binder *b); /* of mailboxes, attendants and dial plans */

/* ---- check_nodes.c ---- */
void cfg_check_node(struct binder *b);
void cfg_check_peer_nodes(struct binder *b);

#endif
