/* SPDX-License-Identifier: Apache-2.0 */
/* story_store.h  Stories over a restart, and those of other nodes: reads this node's own stories at the start, writes what changed every few
 * seconds, prunes what is old, and reads what is open elsewhere. While the store is away nothing is lost: the next job writes it. Loop thread. */
#ifndef GATEWAY_STORY_STORE_H
#define GATEWAY_STORY_STORE_H
#include "gateway/story.h"

struct gw_story_store;
struct loop;
struct store;

struct gw_story_store_prm {
	struct gw_stories *stories; /* outlives it */
	struct store *store;
	struct loop *loop;
	const struct um_clock *clock;
	const char *node;
	int64_t interval_ms; /* 0: 5000 */
};

int gw_story_store_create(struct gw_story_store **sp, const struct gw_story_store_prm *prm);
/* Writes once more what changed, as far as the store still answers (submitted, not waited for). NULL is allowed. */
void gw_story_store_destroy(struct gw_story_store *s);
/* Open stories of other nodes, as last read, without their texts. Borrowed until the next turn of the loop. */
unsigned gw_story_store_others(const struct gw_story_store *s);
const struct gw_story *gw_story_store_other(const struct gw_story_store *s, unsigned i);
/* Looks a story up by its id, of any node, also one that is over for long. The handler comes once, later: NULL if there is none or the store
 * does not answer. As store_submit() when it could not be asked; then no handler. */
typedef void (gw_story_found_h)(const struct gw_story *st, void *arg);
int gw_story_store_find(struct gw_story_store *s, const char *id, gw_story_found_h *h, void *arg);

#endif
