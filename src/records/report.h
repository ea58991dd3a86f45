/* SPDX-License-Identifier: Apache-2.0 */
/* report.h  Questions to the records of calls, answered in the store's threads. Loop thread. */
#ifndef RECORDS_REPORT_H
#define RECORDS_REPORT_H
#include "event/report.h"
#include "records/records.h"

enum report_what {
	REPORT_CALLS,      /* calls in figures: struct report_calls, the newest period first */
	REPORT_RECORDS,    /* single calls, the newest first: struct record_item * with their steps, without boxes */
	REPORT_ATTENDANTS, /* what callers did: struct report_step, by attendant and menu; the most frequent first within one kind of step */
	REPORT_MAILBOXES,  /* struct report_box, by name */
};
enum report_by { REPORT_ALL, REPORT_DAY, REPORT_MONTH };
enum { REPORT_PAGE = 200, REPORT_STEPS_MAX = 5000, REPORT_BOXES_PAGE = 1000 };

/* Texts "" ask nothing. */
struct report_filter {
	int64_t since_us, until_us; /* until: not any more; 0: open */
	char since_day[11], until_day[11]; /* the same where both are whole days or open; else "" with `times` set */
	bool times;
	enum report_by by;
	char mailbox[65];   /* calls that had to do with it */
	char attendant[65]; /* CALLS, RECORDS: the one that answered */
	char gateway[65], dialplan[65], node[65], kind[20];
	unsigned limit;     /* periods or records; 0: all periods, REPORT_PAGE records */
	int64_t before_us;  /* RECORDS: those behind this one; 0: from the newest on */
	char before_id[32];
	char after_mailbox[65]; /* MAILBOXES: those behind this one */
	char id[32];        /* RECORDS: only those whose id begins so, two at most; nothing else counts then */
};
/* "2026-11-23", "today", "yesterday", "7d" (so many days back, with today), "all" (nothing), or a time as RFC 3339 says it. A day as `until`
 * counts to its end. Days are those of this machine's clock. EINVAL. */
int report_since(struct report_filter *f, struct text when, int64_t now_us);
int report_until(struct report_filter *f, struct text when, int64_t now_us);

/* One row for each kind, result and band of a period. */
struct report_calls {
	char period[11], kind[20], offer_result[12], band[12];
	int64_t calls, duration_ms, received, lost, n_jitter, jitter_us, n_round_trip, round_trip_us, n_nmos, nmos_centi;
};
struct report_step {
	char attendant[65], menu[8], what[12], value[96], target[64]; /* menu and what "": calls of the attendant as a whole; what "": of the menu */
	int64_t count, calls;
};
struct report_box {
	char mailbox[65];
	int64_t called, messages, missed, logons, failed, last_message_us, last_logon_us; /* 0: never */
};

struct report {
	struct report_filter f;
	enum report_what what;
	void *rows; /* struct report_calls, struct record_item *, struct report_step, struct report_box */
	size_t n, room;
};
/* Exactly once, on the loop's thread, perhaps while the store is being closed. The report is borrowed for the call. */
typedef void (report_h)(const struct report *rep, int err, const struct ev_report *why, void *arg);
/* EAGAIN, ESHUTDOWN, ENOMEM: the handler is not called. */
int report_ask(struct records *rs, enum report_what what, const struct report_filter *f, report_h *h, void *arg);

#endif
