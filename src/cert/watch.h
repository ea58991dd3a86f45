/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h  Looks once an hour at every certificate that matters here: our own with their intermediates, the roots that we trust, and those that the
 * gateways showed us last, with theirs. Events 30, 14, 7 and 1 days before an end and at the end itself, each once; metrics with the time left; and
 * once each what is known to end in trouble: weak signatures, short keys, usages that the next certificate will lack. Loop thread. */
#ifndef CERT_WATCH_H
#define CERT_WATCH_H
#include "event/bus.h"
#include "event/metrics.h"
#include "net/loop.h"
#include "trust/identity.h"

struct cert_watch;
/* Looks at once, then hourly. metrics may be NULL. */
int cert_watch_create(struct cert_watch **wp, struct loop *loop, struct trust_keeper *keeper, struct ev_bus *bus, struct metrics *metrics);
void cert_watch_destroy(struct cert_watch *w);
void cert_watch_look(struct cert_watch *w);
/* What a gateway showed, and the authorities behind it. */
void cert_watch_peer(struct cert_watch *w, const char *gateway, const struct trust_facts *f);
/* Whose certificates were seen (borrowed); NULL before it goes. */
struct gw_table;
void cert_watch_gateways(struct cert_watch *w, struct gw_table *gateways);

#endif
