/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h  A bad network between two SIP endpoints, in one process: datagrams are lost, delayed, doubled and so overtake each other, as the seed
 * says. Each end sees the relay's socket as the other one; the port in Contact is exchanged for the relay's, of as many digits, so that
 * requests within a dialog come by it too. On the loop and its clock.                                                   */
#ifndef TESTS_RELAY_H
#define TESTS_RELAY_H
#include "net/loop.h"
#include "net/addr.h"

struct relay;
struct relay_prm {
	uint64_t seed;
	unsigned lost_percent, doubled_percent;
	unsigned delay_ms; /* each datagram: 0 to so many */
	const char *host;  /* where the relay itself stands; NULL: 127.0.0.1 */
};
struct relay_stats {
	unsigned passed, lost, doubled, overtaken;
};
/* a, b: where the two ends listen, on loopback. */
int relay_create(struct relay **rp, struct loop *loop, const struct net_addr *a, const struct net_addr *b, const struct relay_prm *prm);
void relay_destroy(struct relay *r);
/* b listens there. */
void relay_towards(struct relay *r, const struct net_addr *b);
/* Where a sends to reach b, and b to reach a. */
const struct net_addr *relay_for_a(const struct relay *r);
const struct net_addr *relay_for_b(const struct relay *r);
void relay_stats(const struct relay *r, struct relay_stats *s);

#endif
