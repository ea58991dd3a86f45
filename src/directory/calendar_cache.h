/* SPDX-License-Identifier: Apache-2.0 */
/* calendar_cache.h  The copy of a fetched calendar on disk: one file an address, replaced as a whole, with what the server said about it in
 * front. It survives restarts and serves while the server is away. Any thread but the loop; two writers of one address leave one of two
 * whole files. */
#ifndef DIRECTORY_CALENDAR_CACHE_H
#define DIRECTORY_CALENDAR_CACHE_H
#include <stdint.h>
#include "directory/calendar_fetch.h"

struct calendar_copy {
	int64_t fetched_s; /* when this text came; 0: there is none */
	int64_t checked_s; /* when the server last said that it is the newest */
	char etag[CALENDAR_TAG_SIZE], last_modified[CALENDAR_TAG_SIZE];
};

/* Below `folder` (node.data). 0 with the text (body may be NULL); ENOENT: no copy, or one that cannot be used; or errno. */
int calendar_copy_read(const char *folder, const char *url, struct calendar_copy *c, struct buf *body);
/* Makes the folder if need be. */
int calendar_copy_write(const char *folder, const char *url, const struct calendar_copy *c, struct text body);
/* The file's name; false when it is too long. */
bool calendar_copy_path(const char *folder, const char *url, char *dst, size_t size);
/* For cfg_with_calendars(): arg is the folder, a const char *. */
cfg_calendar_h calendar_copy_find;

#endif
