/* SPDX-License-Identifier: Apache-2.0 */
/* health.h  Whether a member of a gateway is up, with hysteresis: pure, time is a parameter.
 *
 *   UNKNOWN --first answer--> UP --`misses` in a row--> DOWN --`answers` in a row--> UP
 *       \-----first miss----------------------------------^
 * Before anything was heard one unanswered probe is enough: the verdict must stand soon after the start. What is to be said about it
 * comes back from each call, so that an event is written when it goes down, when the reason changes, and now and then while it stays down. */
#ifndef GATEWAY_HEALTH_H
#define GATEWAY_HEALTH_H
#include <stdbool.h>
#include <stdint.h>

enum gw_state { GW_UNKNOWN, GW_UP, GW_DOWN };
const char *gw_state_name(enum gw_state s); /* "unknown", "up", "down" */

enum gw_say {
	GW_SAY_NOTHING,
	GW_SAY_UP,     /* heard for the first time */
	GW_SAY_MISSED, /* still up, but this probe was not answered as expected */
	GW_SAY_DOWN,
	GW_SAY_REASON, /* down as before, for another reason */
	GW_SAY_STILL,  /* down as before: time for a reminder */
	GW_SAY_BACK,
};

struct gw_health_prm {
	unsigned misses, answers; /* in a row; 0 counts as 1 */
	int64_t remind_ms;        /* 0: an hour */
};

/* Zero it before the first use. */
struct gw_health {
	enum gw_state state;
	unsigned misses, answers; /* in a row, up to now */
	uint64_t failed;          /* probes since it went down */
	int64_t since_ms, told_ms;
	char reason[96];
};

enum gw_say gw_health_answer(struct gw_health *h, const struct gw_health_prm *prm, int64_t now_ms);
/* `reason` is a stable name: verdict and status. */
enum gw_say gw_health_miss(struct gw_health *h, const struct gw_health_prm *prm, int64_t now_ms, const char *reason);

#endif
