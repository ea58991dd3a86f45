/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h  An answer that goes on until there is no more to tell, or until its caller goes away: one turn on the loop after the other. The caller may
 * go while something is written to him; so a stream ends only between two turns. Loop thread.                             */
#ifndef ADMIN_STREAM_H
#define ADMIN_STREAM_H
#include "admin/admin_private.h"
#include "net/tmr.h"

/* The first member of its owner's object. */
struct admin_stream {
	struct link link;
	struct admin *admin;     /* NULL when that is gone */
	struct admin_call *call; /* NULL likewise */
	struct tmr tmr;
	bool gone;               /* the caller; nothing is to be told any more */
	bool working;            /* the owner waits for a worker, who will bring it back: set and cleared by him */
	void (*turn)(struct admin_stream *s);
	void (*free)(struct admin_stream *s); /* what is behind it, and its memory */
};

/* `list` of the admin's streams of that kind. The first turn comes soon. */
void admin_stream_start(struct admin_stream *s, struct admin *a, struct list *list, struct admin_call *call, void (*turn)(struct admin_stream *s),
			void (*free)(struct admin_stream *s));
/* Another turn. */
void admin_stream_again(struct admin_stream *s, int64_t in_ms);
/* It is answered, or nobody listens: freed. */
void admin_stream_end(struct admin_stream *s);
/* On the way out: `last` (may be NULL) may answer. Those that a worker has end when he brings them back. */
void admin_streams_stop(struct list *list, void (*last)(struct admin_stream *s));

#endif
