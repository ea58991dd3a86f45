/* SPDX-License-Identifier: Apache-2.0 */
/* zone.h  Time zones, several at once and in any thread: the C library knows only one a process. A zone is read from the system's compiled
 * data (TZif, RFC 9636) and is a plain value from then on: no I/O, no globals.                                          */
#ifndef CONFIG_ZONE_H
#define CONFIG_ZONE_H
#include <stdbool.h>
#include <stdint.h>
#include "base/text.h"

struct zone;

enum { ZONE_FILE_MAX_BYTES = 1 << 18 };
#define ZONE_DIR "/usr/share/zoneinfo"

/* From the bytes of a TZif file. EINVAL: they are none, ENOMEM. An object: mem_unref(). */
int zone_parse(struct zone **zp, struct text tzif);
/* By its IANA name, below ZONE_DIR. Reads a file: not on the loop of a busy node. "UTC" needs no file. ENOENT: no such zone. */
int zone_load(struct zone **zp, const char *name);

/* Seconds to be added to universal time at that moment. */
int32_t zone_offset_s(const struct zone *z, int64_t utc_s);

/* A moment as the clocks there show it. */
struct zone_time {
	int64_t day; /* days since 1970-01-01, there */
	int32_t second; /* of that day: 0 to 86399 */
};
struct zone_time zone_local(const struct zone *z, int64_t utc_s);
/* The first moment at which the clocks there show this time or, where it is skipped (clocks go forward), the moment of the change. */
int64_t zone_utc(const struct zone *z, int64_t day, int32_t second);

/* ---- days (proleptic Gregorian) ---- */
struct zone_date {
	int32_t year;
	int32_t month, day; /* 1-based */
};
int64_t zone_day_of(int32_t year, int32_t month, int32_t day);
struct zone_date zone_date_of(int64_t day);
int zone_weekday(int64_t day); /* 0 Monday to 6 Sunday */

#endif
