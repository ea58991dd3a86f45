/* SPDX-License-Identifier: Apache-2.0 */
/* take_private.h  What was taken, and how far it is written. */
#ifndef TRACE_TAKE_PRIVATE_H
#define TRACE_TAKE_PRIVATE_H
#include "trace/trace_private.h"

struct taken_conn {
	struct trace_conn is;
	/* of the file */
	bool wanted, begun, keyed;
	uint32_t seq[2]; /* of what we sent, of what we received */
};

struct taken_entry {
	struct trace_entry *e;
	struct taken_conn *conn; /* NULL: a datagram */
};

struct trace_taken {
	struct trace *trace; /* for its keys */
	unsigned forgotten;
	struct trace_want want, only;
	bool redact, no_secrets, text;
	char call_id[TRACE_CALL_ID]; /* of the session that is wanted */
	struct taken_conn *conn;
	unsigned n_conns;
	struct taken_entry *entry;
	size_t n_entries, at;
	bool begun;
	struct trace_saved saved;
};

/* save.c: what goes into the file. After trace_taken_write() has begun. */
bool trace_taken_wants(const struct trace_taken *k, const struct taken_entry *x);
/* text.c: as trace_taken_write(). */
int trace_text_write(struct trace_taken *k, size_t bytes, struct buf *out, bool *over);

#endif
