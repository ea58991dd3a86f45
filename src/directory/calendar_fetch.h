/* SPDX-License-Identifier: Apache-2.0 */
/* calendar_fetch.h  One calendar from its server, by libcurl: https verified, few redirects, bounded size and time. What came is checked to
 * be an iCalendar. Blocks: for a worker, or for a command.                                                                     */
#ifndef DIRECTORY_CALENDAR_FETCH_H
#define DIRECTORY_CALENDAR_FETCH_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "config/cfg.h"
#include "event/report.h"

enum calendar_cause {
#define CAUSE(id, word, why, advice) CALENDAR_##id,
#include "directory/calendar.def"
#undef CAUSE
};
const char *calendar_cause_word(enum calendar_cause c);

enum { CALENDAR_TAG_SIZE = 200, CALENDAR_SERVER_SIZE = 280 };

struct calendar_ask {
	const char *url, *ca_file; /* "": the system's authorities */
	const char *time_zone;
	bool plain_http;
	const char *etag, *last_modified; /* of the copy that is there; "" */
	unsigned timeout_ms;              /* 0: 30 s */
	const atomic_bool *stop;          /* NULL, or gives up when it becomes true */
};

/* Zero it before use; buf_free(&body) afterwards. */
struct calendar_answer {
	enum calendar_cause cause; /* CALENDAR_NONE: it came, or is unchanged */
	bool unchanged;
	struct buf body;
	size_t count; /* days in it */
	char etag[CALENDAR_TAG_SIZE], last_modified[CALENDAR_TAG_SIZE];
	long status;
	char detail[256];
};

/* "host" or "host:port" of an address: what may stand in logs, since the rest may be a secret. */
char *calendar_server(const char *url, char *dst, size_t size);
/* 0 (see cause), ENOMEM. calendar_library(true) before the first. */
int calendar_fetch(const struct calendar_ask *ask, struct calendar_answer *a);
/* Fields why, advice and server of an event, in words. */
void calendar_words(const struct calendar_ask *ask, const struct calendar_answer *a, struct ev_report *r);
/* libcurl as a whole; counted. From a thread while no other runs a fetch. */
void calendar_library(bool on);

#endif
