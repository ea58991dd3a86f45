/* SPDX-License-Identifier: Apache-2.0 */
/* trace_private.h  The parts of a trace: ring, connections, keys. */
#ifndef TRACE_PRIVATE_H
#define TRACE_PRIVATE_H
#include <pthread.h>
#include <stdatomic.h>
#include "base/hash.h"
#include "base/list.h"
#include "net/conn.h"
#include "net/tmr.h"
#include "trace/trace.h"

enum { TRACE_RANDOM = 32, TRACE_HELLO = 43, TRACE_CALL_ID = 160, TRACE_KEYS_MAX = 16384, TRACE_KEY_LINE = 512 };

enum trace_kind { TRACE_BYTES, TRACE_MESSAGE, TRACE_END };

/* A connection, as long as the ring has something of it. */
struct trace_conn {
	struct hash_entry by_id;
	char id_text[24];
	uint64_t id;
	unsigned entries;
	bool whole;   /* from its first byte */
	bool lost;    /* something of it had to go */
	bool ended, tls, opened;
	struct net_addr local, peer;
	char gateway[64];
	uint8_t hello[TRACE_HELLO]; /* the client's first bytes, for the random in them */
	unsigned n_hello;
	unsigned number; /* among all, while what is kept is taken */
};

/* Counted: whoever writes a file holds the entries that go into it. Apart from the first two members, which are the loop's, it never changes. */
struct trace_entry {
	struct link link;
	struct trace_conn *conn; /* NULL: a datagram */
	enum trace_kind kind;
	bool in;
	enum net_transport transport;
	struct net_addr local, peer;
	int64_t us;
	enum conn_how how;       /* TRACE_END */
	int err;
	char session[40], call_id[TRACE_CALL_ID], gateway[64];
	size_t n;
	char data[];
};

/* One line of the key log. */
struct trace_key {
	struct link link;
	uint8_t random[TRACE_RANDOM];
	size_t n;
	char line[]; /* with newline */
};

struct trace {
	struct loop *loop;
	const struct um_clock *clock;
	struct ev_bus *bus;
	char node[64];
	struct sip_core *core;
	bool running, kept;
	struct trace_want want;
	int64_t started_us, ends_us;
	atomic_uint forgotten; /* how often */
	struct tmr timer;
	struct list ring;
	size_t bytes;
	unsigned n_entries, n_messages, evicted;
	struct hash *conns;
	char call_id[TRACE_CALL_ID]; /* learnt from the session that is wanted */
	pthread_mutex_t keys_lock;   /* guards the four below: workers add, the loop reads */
	bool keys_wanted;
	struct list keys;
	unsigned n_keys;
	struct hep *hep;
	struct trace_hep hep_prm;
	bool hep_up;
	struct list watches;
	unsigned n_watches;
};

/* trace.c */
void trace_tune(struct trace *t); /* listens when there is a reason to, and costs nothing otherwise */

/* watch.c: what the core tells, to those who watch. msg: NULL when it cannot be read. */
struct sip_msg;
void trace_watch_message(struct trace *t, const struct sip_trace *m, const char *call_id, const struct sip_msg *msg);
void trace_watch_up(struct trace *t, const struct sip_wire_conn *c, const struct trust_facts *f);
void trace_watch_ended(struct trace *t, const struct sip_wire_conn *c, const struct conn_end *end, const struct trust_facts *f);
void trace_watch_looked_up(struct trace *t, const char *gateway, const struct dns_targets *x);

/* ring.c */
struct trace_entry *trace_ring_add(struct trace *t, enum trace_kind kind, struct trace_conn *c, const void *data, size_t n);
struct trace_conn *trace_ring_conn(struct trace *t, const struct sip_wire_conn *w, bool make);
void trace_ring_clear(struct trace *t);

/* keys.c */
void trace_keylog(const char *line, void *trace);
void trace_keys_want(struct trace *t, bool on);
void trace_keys_clear(struct trace *t);
/* Appends the lines that belong to connections with those randoms, which are n and sorted; returns how many. Any thread. */
typedef uint8_t trace_random[TRACE_RANDOM];
unsigned trace_keys_of(struct trace *t, trace_random *randoms, size_t n, struct buf *out);
void trace_keys_sort(trace_random *randoms, size_t n);
/* The client's random out of its first bytes: false if they are no ClientHello. */
bool trace_hello_random(const uint8_t *p, size_t n, uint8_t random[TRACE_RANDOM]);

/* told.c: what the core tells, to the collector. */
void trace_tell_message(struct trace *t, const struct sip_trace *m, struct text call_id);
void trace_tell_tls(struct trace *t, const struct sip_wire_conn *w, const char *what, const struct trust_facts *facts);

#endif
