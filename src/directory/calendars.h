/* SPDX-License-Identifier: Apache-2.0 */
/* calendars.h  Calendars that schedules name by address: asked for at the start, at each reload and daily, in a pool of their own; kept on
 * disk (calendar_cache.h). This says when one has changed; whoever holds the configuration puts the new days into it (cfg_with_calendars).
 * A server that is away changes nothing: the copy stays in use, and events say since when and why. Loop thread.           */
#ifndef DIRECTORY_CALENDARS_H
#define DIRECTORY_CALENDARS_H
#include "base/clock.h"
#include "directory/calendar_fetch.h"
#include "event/bus.h"
#include "net/loop.h"

struct calendars;

struct calendars_prm {
	struct loop *loop;
	const struct um_clock *clock;
	struct ev_bus *bus;      /* may be NULL */
	struct metrics *metrics; /* may be NULL */
	const char *folder;      /* node.data; copied */
	uint64_t retry_ms;       /* after a failure; 0: 15 minutes, or the schedule's own pace if that is quicker */
};
typedef void(calendars_h)(void *arg); /* a copy on disk is another now */

int calendars_create(struct calendars **cp, const struct calendars_prm *prm, calendars_h *changed, void *arg);
/* Gives up what is being fetched; returns within a second or so. */
void calendars_destroy(struct calendars *c);
/* The schedules of this configuration from now on. New addresses are asked at once; the others, too, if `all`. 0, ENOMEM. */
int calendars_use(struct calendars *c, const struct cfg *cfg, bool all);

struct calendars_state {
	unsigned asked; /* how often since the start, with an answer or none */
	int64_t fetched_s, checked_s; /* of the copy: when it came, when it was last confirmed; 0: there is none */
	int64_t failing_s;            /* since when it cannot be fetched; 0: it can */
	enum calendar_cause cause;
	struct ev_report why; /* of a failure: fields server, why, advice */
};
/* false: no schedule of that name has an address. */
bool calendars_state(const struct calendars *c, const char *schedule, struct calendars_state *s);

#endif
