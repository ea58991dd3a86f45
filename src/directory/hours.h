/* SPDX-License-Identifier: Apache-2.0 */
/* hours.h  Whether a house is open at a moment, and why. Pure: a schedule and a moment go in.
 *
 * Clocks on walls count: where clocks go back, 02:30 comes twice and is open both times; where they go forward, what lies in the hour that
 * is skipped does not happen. A period that goes over midnight belongs to the day on which it begins. A holiday closes whatever
 * the hours say, from its first minute on. The first holiday that matches counts, those of the file before those of the calendar.  */
#ifndef DIRECTORY_HOURS_H
#define DIRECTORY_HOURS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/cfg.h"
#include "config/zone.h"

enum hours_state { HOURS_OPEN, HOURS_CLOSED, HOURS_HOLIDAY };
const char *hours_state_name(enum hours_state s); /* "open", "closed", "holiday" */

struct hours_now {
	enum hours_state state;
	const struct cfg_period *period;   /* open: within it */
	const struct cfg_holiday *holiday; /* of the file; or */
	const struct cfg_calendar_day *day; /* of the calendar */
	const char *holiday_name;          /* "" on other days */
	struct zone_time local;
};
/* schedule NULL: always open. */
void hours_at(const struct cfg_schedule *s, int64_t utc_s, struct hours_now *now);
/* The next moment, within 400 days, at which the state is another; 0: none. Looks at every minute that could be one: not for the loop. */
int64_t hours_change(const struct cfg_schedule *s, int64_t utc_s);

/* Days with the same periods that follow each other, for reading aloud: "Monday to Thursday, from ... to ...". */
struct hours_group {
	int first_day, last_day; /* 0 Monday to 6 Sunday */
	const struct cfg_period *v;
	size_t n; /* periods of each of the days; 0: closed */
};
/* At most 7, in the order of the week; returns how many. Closed days are left out. */
size_t hours_groups(const struct cfg_schedule *s, struct hours_group out[7]);

#endif
