/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h  Looks at every certificate of the set once an hour: events 30, 14, 7 and 1 days before an end and at the end itself, each once;
 * and a metric with the days left. Loop thread.                                                                         */
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

#endif
