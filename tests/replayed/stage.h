/* SPDX-License-Identifier: Apache-2.0 */
/* stage.h  Umbel as it is built into the server, from the sockets to the mailboxes, on a clock that the stage turns; and for each peer that plays on
 * it a small site of its own: address, gateway, dial plan, two mailboxes, an attendant. All play at once.                */
#ifndef TESTS_REPLAYED_STAGE_H
#define TESTS_REPLAYED_STAGE_H
#include "replayed/actor.h"
#include "support/relay.h"

struct stage_part {
	const struct talk *talk;
	const struct talk_scene *scene;
	struct astray astray;
	bool lossy; /* through a relay that loses 20 %, doubles 10 %, delays up to 100 ms; UDP only */
	uint64_t seed;
};
enum { STAGE_PARTS = 240 };
struct stage_report {
	unsigned played, differences;
	unsigned incomplete; /* lossy ones that did not come to their end */
	int64_t virtual_ms, longest_drain_ms; /* how long it took at most until nothing was left */
	struct relay_stats lossy;
};
/* Plays all of them, then waits until nothing of them is left in Umbel. Every difference is printed; those of legs, transactions, requests or
 * conversations that never end count, too. */
void stage_play(const struct stage_part *parts, unsigned n, struct stage_report *report);
/* What the process keeps between plays: prompts. Before the first and after the last. */
void stage_prepare(void);
void stage_forget(void);

#endif
