/* SPDX-License-Identifier: Apache-2.0 */
/* shared.h  What works with each gateway, on every node of the store: each node writes its own rows when they change, and reads those of the
 * others, so that any of them can show the whole picture. What is read may be some seconds old. Without the store only this node's own
 * results are known. Loop thread.                                                                                        */
#ifndef GATEWAY_SHARED_H
#define GATEWAY_SHARED_H
#include "gateway/gateway.h"

struct gw_shared;
struct store;

struct gw_shared_prm {
	struct gw_table *table;
	struct store *store;
	struct loop *loop;
	const struct um_clock *clock;
	const char *node;
	int64_t interval_ms; /* 0: 5000 */
};

/* One flow of one gateway on another node. */
struct gw_shared_flow {
	char node[65], gateway[64];
	enum gw_flow_kind flow;
	enum gw_works works;
	enum gw_state state; /* of the gateway, as that node sees it */
	int64_t at_us, worked_us, failed_us;
	char verdict[48], certainty[16], sentence[512];
};

int gw_shared_create(struct gw_shared **sp, const struct gw_shared_prm *prm);
void gw_shared_destroy(struct gw_shared *s); /* NULL is allowed */
/* As last read; node by node, gateway by gateway. Borrowed until the next turn of the loop. */
unsigned gw_shared_count(const struct gw_shared *s);
const struct gw_shared_flow *gw_shared_at(const struct gw_shared *s, unsigned i);

#endif
