/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h  Which nodes serve this store: each writes its heartbeat, everyone can read the list.
 *
 * Times are the store's (db_now), so that nodes whose clocks differ agree on who is alive. A node that gave no sign for three and a half of its
 * intervals (of 5 s at least, where another release runs) is silent; each of the others sees that with its own next beat and says so once, and again when it is back. Who could not write its own
 * beats waits as long again before it says so of anybody, and of a node that was silent when it started it says nothing.  */
#ifndef JOBS_REGISTRY_H
#define JOBS_REGISTRY_H
#include "base/clock.h"
#include "db/db.h"

struct registry_node {
	char name[65], fqdn[256], version[32];
	char state[16]; /* "ready", "draining", "not-ready", "stopped": what it said of itself */
	char reason[256];
	int64_t started_us, beat_us;
	int64_t ago_us; /* since its last beat */
	int64_t calls, max_calls; /* now; it would take at once (0: not told) */
	int64_t skew_us; /* its clock against the store's; > 0: ahead */
	int64_t revision; /* of the objects that it serves; 0: none from the store, or not told */
	char objects[33]; /* digest of them; "" not told */
	char listen[512]; /* where it takes calls: "udp:192.0.2.11:5060 tls:..."; "" not told */
	bool alive; /* its last beat is younger than three and a half intervals, and it did not say that it stops */
	bool self;
	const char *card; /* what it says of itself, registry_cards() only; NULL: it never did */
};

struct registry_prm {
	struct store *store;
	struct loop *loop;
	const struct um_clock *clock;
	struct ev_bus *bus;
	const char *node, *fqdn, *version;
	const char *listen; /* where it takes calls; NULL: not told */
	uint64_t interval_ms; /* 0: 1000 where others may share the store, 5000 with SQLite */
	int64_t max_calls;
};

struct registry;
/* Starts beating. */
int registry_create(struct registry **rp, const struct registry_prm *prm);
/* Says "stopped" with its last beat, as far as the store still answers (submitted, not waited for). */
void registry_destroy(struct registry *r);
/* What the next beats say; a change is written at once. */
void registry_say(struct registry *r, const char *state, const char *reason, int64_t calls);
/* Which revision it serves, and the digest of these objects; a change is written at once. */
void registry_serves(struct registry *r, int64_t revision, const char *objects);
/* What this node says of itself in public, as one text (its format is the caller's): written with the next beat, and again until the store
 * took it. ENOMEM. */
int registry_card(struct registry *r, const char *body);
/* Loop thread; the array is borrowed for the call. err 0, or as db.h. */
typedef void (registry_list_h)(int err, const struct registry_node *nodes, size_t n, void *arg);
int registry_list(struct registry *r, registry_list_h *h, void *arg);
/* The same in a store thread, without `self`; at most max of them, those that gave the last signs of life. `ours`: the release of who asks. */
int registry_read(struct db_tx *tx, const char *ours, struct registry_node *v, size_t max, size_t *n, struct ev_report *why);
/* The handler comes in any case: with ECANCELED when the registry was destroyed meanwhile. */
int registry_list_always(struct registry *r, registry_list_h *h, void *arg);
/* That with the cards. */
int registry_cards(struct registry *r, registry_list_h *h, void *arg);

#endif
