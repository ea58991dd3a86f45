/* SPDX-License-Identifier: Apache-2.0 */
/* budget.h  What one address may ask of us, and what all may together who are no gateway's: connections, handshakes, messages, new calls, bytes that wait
 * for the rest of their message. Asked before anything is taken apart or kept, so that a flood costs little and takes nothing from others.
 *
 *   - An address is known while it belongs to a gateway (the handler), or has proven itself one by a certificate. It has limits of its own, and room that
 *     strangers cannot take: they get half of all connections.
 *   - Rates are token buckets that hold two seconds' worth. An IPv6 stranger is his /64.
 *   - More strangers than the table holds (8192) share one entry: a flood of forged addresses takes no memory, and no gateway's place.
 *
 * Loop thread only.                                                                                                     */
#ifndef SIP_BUDGET_H
#define SIP_BUDGET_H
#include "base/clock.h"
#include "event/metrics.h"
#include "net/addr.h"

struct sip_budget;

/* Does the address belong to a gateway? */
typedef bool (sip_known_h)(const struct net_addr *addr, void *arg);

struct sip_budget_prm {
	const struct um_clock *clock;
	struct metrics *metrics; /* may be NULL */
	unsigned conns;          /* accepted ones at once, in all */
	unsigned conns_per_source, conns_per_gateway;
	unsigned handshakes;     /* of strangers, under way at once */
	unsigned stranger_handshakes; /* a second, from one stranger */
	unsigned stranger_messages;   /* a second, from one stranger */
	unsigned strangers_messages;  /* a second, from all of them */
	unsigned calls;               /* new ones a second, from one address of a gateway */
	size_t stranger_bytes;   /* of messages that are not complete, from all strangers */
	sip_known_h *known;      /* NULL: everybody is known (tests) */
	void *arg;
};
int sip_budget_create(struct sip_budget **bp, const struct sip_budget_prm *prm);
void sip_budget_destroy(struct sip_budget *b); /* no seat may be taken; NULL is allowed */

enum sip_budget_what { SIP_BUDGET_CONNS, SIP_BUDGET_HANDSHAKES, SIP_BUDGET_MESSAGES, SIP_BUDGET_CALLS, SIP_BUDGET_BYTES, SIP_BUDGETS,
                       SIP_TOLD_STRANGER = SIP_BUDGETS, SIP_TOLD_BUSY, SIP_TOLD_MALFORMED, SIP_TOLD_SLOW, SIP_TOLDS }; /* the last four: only told as seldom */
const char *sip_budget_word(enum sip_budget_what what); /* "connections" ... for labels of metrics */

/* A connection that was accepted, from its first moment to its last. Zero before. */
struct sip_seat {
	struct sip_budget_source *source; /* NULL: not taken */
	bool stranger, opening;
	size_t bytes;
};
/* False: there is no room for it, *what says of which kind. */
bool sip_budget_sit(struct sip_budget *b, const struct net_addr *addr, bool tls, struct sip_seat *seat, enum sip_budget_what *what);
void sip_budget_up(struct sip_budget *b, struct sip_seat *seat); /* its handshake is done */
void sip_budget_proven(struct sip_budget *b, struct sip_seat *seat); /* it is a gateway's: so is its address, for an hour */
bool sip_budget_bytes(struct sip_budget *b, struct sip_seat *seat, size_t bytes); /* so many wait on it now; false: that is too much */
void sip_budget_leave(struct sip_budget *b, struct sip_seat *seat);

bool sip_budget_is_known(struct sip_budget *b, const struct net_addr *addr);
/* A message came. Gateways are not counted. */
bool sip_budget_message(struct sip_budget *b, const struct net_addr *addr);
/* A new call came. */
bool sip_budget_call(struct sip_budget *b, const struct net_addr *addr);

/* Something was refused for want of budget: counts it. True: tell it now, *count in all since it was told last: the first at once, then at most every ten
 * seconds an address and kind, and at most five a second altogether. */
bool sip_budget_refused(struct sip_budget *b, const struct net_addr *addr, enum sip_budget_what what, uint64_t *count);
bool sip_budget_tell(struct sip_budget *b, const struct net_addr *addr, enum sip_budget_what what, uint64_t *count); /* without counting it as refused */
unsigned sip_budget_sources(const struct sip_budget *b); /* addresses in the table */

#endif
