/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h  Which nodes serve this store: each writes its heartbeat, everyone can read the list. */
#ifndef JOBS_REGISTRY_H
#define JOBS_REGISTRY_H
#include "base/clock.h"
#include "db/db.h"

struct registry_node {
	char name[65], fqdn[256], version[32];
	char state[16]; /* "ready", "draining", "not-ready", "stopped": what it said of itself */
	char reason[256];
	int64_t started_us, beat_us;
	int64_t calls;
	bool alive; /* its last beat is younger than three intervals */
	bool self;
	const char *card; /* what it says of itself, registry_cards() only; NULL: it never did */
};

struct registry_prm {
	struct store *store;
	struct loop *loop;
	const struct um_clock *clock;
	struct ev_bus *bus;
	const char *node, *fqdn, *version;
	uint64_t interval_ms; /* 0 = 5000 */
};

struct registry;
/* Starts beating. */
int registry_create(struct registry **rp, const struct registry_prm *prm);
/* Says "stopped" with its last beat, as far as the store still answers (submitted, not waited for). */
void registry_destroy(struct registry *r);
/* What the next beats say; a change is written at once. */
void registry_say(struct registry *r, const char *state, const char *reason, int64_t calls);
/* What this node says of itself in public, as one text (its format is the caller's): written with the next beat, and again until the store
 * took it. ENOMEM. */
int registry_card(struct registry *r, const char *body);
/* Loop thread; the array is borrowed for the call. err 0, or as db.h. */
typedef void (registry_list_h)(int err, const struct registry_node *nodes, size_t n, void *arg);
int registry_list(struct registry *r, registry_list_h *h, void *arg);
/* The same with the cards. The handler comes in any case: with ECANCELED when the registry was destroyed meanwhile. */
int registry_cards(struct registry *r, registry_list_h *h, void *arg);

#endif
