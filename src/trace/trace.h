/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h  What this node sends and receives in SIP, kept in memory while somebody wants it, and told to a HEP collector if there is one.
 *
 * Streams are kept as their bytes below TLS together with the keys, so that Wireshark shows the handshake and what it protects; where
 * the beginning of a connection was missed, or only one call is wanted, or secrets are to be struck out, the messages themselves are
 * written instead. Off by default; then nothing is called. Loop thread, but for the keys, which come from workers.            */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H
#include "event/bus.h"
#include "event/metrics.h"
#include "sip/core.h"
#include "trace/hep.h"

enum { TRACE_DEFAULT_BYTES = 16 << 20, TRACE_MIN_BYTES = 64 << 10, TRACE_MAX_BYTES = 64 << 20 };
enum { TRACE_DEFAULT_MS = 600000, TRACE_MAX_MS = 86400000, TRACE_KEPT_MS = 900000 };

struct trace;
struct trace_prm {
	struct loop *loop;
	const struct um_clock *clock;
	struct ev_bus *bus;
	const char *node;
};
/* Before the pools whose workers may tell keys, and so gone after them. */
int trace_create(struct trace **tp, const struct trace_prm *prm);
void trace_destroy(struct trace *t); /* NULL is allowed */
/* The core that is listened to; NULL: it goes away. */
void trace_attach(struct trace *t, struct sip_core *core);

struct trace_want {
	char gateway[64]; /* "": all */
	char call[160];   /* session or Call-ID; "": all */
	size_t limit_bytes; /* the oldest goes; 0: the default */
	int64_t for_ms;     /* 0: the default */
	bool no_secrets;    /* TLS keys are not kept */
	bool redact;        /* nor are passwords and pressed keys */
	bool text;          /* of trace_take(): messages as text, not pcapng */
};
/* EALREADY while one runs. What the last one kept is forgotten. */
int trace_start(struct trace *t, const struct trace_want *w, struct ev_report *why);
/* ENOENT when none runs. What was kept can be saved for TRACE_KEPT_MS. */
int trace_stop(struct trace *t, const char *reason, struct ev_report *why);
/* Forgets all, at once. */
void trace_forget(struct trace *t);

struct trace_status {
	bool running, kept;
	struct trace_want want;
	int64_t started_us, ends_us; /* ends_us: of the trace; of what is kept when it is over */
	size_t bytes;
	unsigned packets, messages, connections, keys, evicted;
};
void trace_status(const struct trace *t, struct trace_status *s);

/* What was kept, taken at one moment. Taking it is quick and belongs to the loop; writing it may take as long as it does and belongs to a worker, while the
 * trace goes on. The trace must live as long as somebody writes. */
struct trace_taken;
struct trace_saved {
	unsigned packets, keys;
};
/* `only` narrows what was kept: gateway, call, no_secrets, redact. 0, ENOENT, ENOMEM. Loop thread. */
int trace_take(struct trace_taken **kp, struct trace *t, const struct trace_want *only, struct ev_report *why);
struct trace_taken *trace_taken_free(struct trace_taken *k); /* NULL is allowed; returns NULL. Any thread */
/* The trace was forgotten since: what is taken should be given back, too. Any thread. */
bool trace_taken_old(const struct trace_taken *k);
/* The next `bytes` or a little more of a pcapng file (or text), appended; *over when that was the last. 0, ECANCELED when the trace was forgotten, ENOMEM, EMSGSIZE. Any
 * thread, but one at a time. */
int trace_taken_write(struct trace_taken *k, size_t bytes, struct buf *out, bool *over);
struct trace_saved trace_taken_saved(const struct trace_taken *k);

/* ---- to a collector ---- */
struct trace_hep {
	char host[256]; /* "": none */
	uint16_t port;
	uint32_t id;
	char key[128];
	bool redact;
};
int trace_hep_set(struct trace *t, const struct trace_hep *h, struct dns *dns, struct metrics *metrics);

#endif
