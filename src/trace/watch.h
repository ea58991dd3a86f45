/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h  What is said just now, for somebody who watches: names looked up, connections, TLS, SIP messages, as JSON objects in a bounded queue. Who
 * reads slowly loses some, and learns how many. Passwords, keys of media and pressed keys are struck out unless asked for. Loop thread.   */
#ifndef TRACE_WATCH_H
#define TRACE_WATCH_H
#include <jansson.h>
#include "trace/trace.h"

enum { TRACE_WATCH_QUEUE = 2048, TRACE_WATCHES = 8 };

struct trace_watch;
struct trace_watch_want {
	char gateway[64]; /* "": all */
	char call[160];   /* Call-ID, session, or a beginning of one; "": all */
	char from[128], to[128]; /* calls from, to: a part of the address; "": all */
	bool full;        /* with the whole messages */
	bool secrets;     /* nothing struck out */
};
/* EAGAIN: TRACE_WATCHES are open. ENOMEM. The trace must outlive it. */
int trace_watch_open(struct trace_watch **wp, struct trace *t, const struct trace_watch_want *want);
void trace_watch_close(struct trace_watch *w); /* NULL is allowed */
/* The next one (the caller's), or NULL: {"kind": "message", "connected", "tls", "ended", "dns" or "lost", "us", ...}. */
json_t *trace_watch_next(struct trace_watch *w);

#endif
