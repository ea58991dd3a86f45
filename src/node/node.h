/* SPDX-License-Identifier: Apache-2.0 */
/* node.h  Is this node fit to take calls, and how does it leave?
 *
 * Readiness is a list of needs (store, prompts, certificate, listeners): whoever looks after one says so here when it changes, and the
 * answer to a peer's OPTIONS, /readyz and `umbel status` all read the same truth. Leaving has two forms. A drained node takes no new
 * calls, lets those it has run to their end, and comes back by node_resume(). A stopped node waits for its calls as long as it was
 * told, then has them hung up (messages are kept: that is the legs' business), and says when it is over. A drain may have an end, too: then the
 * calls that are left are hung up in the same way, and the node stays drained. It is safe to stop when nothing is left (struct node_left).
 * All of it on the loop thread, but for node_view_*, which any thread may read.                                           */
#ifndef NODE_NODE_H
#define NODE_NODE_H
#include <stdatomic.h>
#include <stdbool.h>
#include "base/clock.h"
#include "event/bus.h"

struct loop;
struct node;

enum node_state {
	NODE_STARTING,  /* a need was not heard of yet */
	NODE_READY,     /* calls are welcome */
	NODE_NOT_READY, /* a need is not met: new calls get 503 */
	NODE_DRAINING,  /* told to take no new calls; old ones go on */
	NODE_STOPPING,  /* on the way out */
	NODE_STOPPED,
};

enum node_need {
	NODE_NEED_STORE,       /* the store answers, or its spool takes messages */
	NODE_NEED_PROMPTS,     /* the prompts are loaded */
	NODE_NEED_CERTIFICATE, /* the certificate shown on the listeners is valid now (met when nothing listens by TLS) */
	NODE_NEED_LISTENERS,   /* the addresses of the configuration are bound */
	NODE_NEEDS
};

/* What other threads see: plain atomic numbers. */
struct node_view {
	atomic_int state;       /* enum node_state */
	atomic_uint not_met;    /* bit n: enum node_need n is not met (or not known yet) */
	atomic_int calls;
};

/* What a node that stops now would cut off, or keep to itself until it runs again. */
struct node_left {
	unsigned calls;
	unsigned messages; /* accepted, on this node's disk, not in the store yet */
	unsigned records;  /* of calls that are over, not in the store yet */
	unsigned errands;  /* lamps and other errands of the outbox under way */
};

struct node_handlers {
	unsigned (*calls)(void *arg);    /* calls alive now */
	void (*stop_accepting)(void *arg); /* close the listeners' ears for new connections; NULL: nothing */
	void (*ask_to_finish)(unsigned seconds, void *arg); /* by voice, before hang_up(): a minute, or what there is; once a limit; NULL: nothing */
	void (*hang_up)(void *arg);      /* end what calls are left, politely */
	void (*left)(struct node_left *left, void *arg); /* what besides calls would wait on this node; NULL: nothing */
	void (*stopped)(void *arg);      /* nothing left to wait for; the last handler to run */
	void *arg;
};

struct node_prm {
	struct loop *loop;
	const struct um_clock *clock;
	struct ev_bus *bus;
	const char *name;
	unsigned stop_wait_ms;    /* how long calls may go on after node_stop(); 0: 12000 */
	unsigned hang_up_wait_ms; /* and how long hanging up may take; 0: 3000 */
	struct node_handlers h;
};

/* What a peer's OPTIONS or a new call is answered. */
struct node_answer {
	bool ready;
	unsigned status;        /* 200 or 503 */
	unsigned retry_after_s; /* with 503 */
	char reason[160];       /* one sentence for a Reason or Warning header */
	bool avoid;             /* ready, but OPTIONS are to be answered 503 with this reason: pools shall choose another node while there is one */
};

/* What a node does while it is cut off from its store, beside keeping messages on its own disk. */
enum node_away {
	NODE_AWAY_SERVE,  /* it serves on as if nothing were */
	NODE_AWAY_AVOID,  /* OPTIONS get 503; a call that comes nevertheless is served */
	NODE_AWAY_REFUSE, /* OPTIONS and new calls get 503 */
};

int node_create(struct node **np, const struct node_prm *prm);
void node_destroy(struct node *n); /* NULL is allowed */

/* A need is met, or is not, and why (`detail` is copied; may be NULL). Only a change is an event. */
void node_met(struct node *n, enum node_need need);
void node_not_met(struct node *n, enum node_need need, const char *detail);
const char *node_need_name(enum node_need need);
/* "" while it is met. */
const char *node_need_detail(const struct node *n, enum node_need need);
bool node_need_ok(const struct node *n, enum node_need need);

enum node_state node_state(const struct node *n);
const char *node_state_name(enum node_state s);
const char *node_name(const struct node *n);
int64_t node_started_us(const struct node *n); /* wall clock */
unsigned node_calls(const struct node *n);
void node_answer(const struct node *n, struct node_answer *a);

/* The store went away, or came back; `policy` as configured now. Only a change is an event. */
void node_cut_off(struct node *n, bool away, enum node_away policy);
bool node_is_cut_off(const struct node *n);

/* within_ms: calls that go on for longer are hung up; 0: they may go on as long as they like. Of a node that drains already the limit is
 * changed: EALREADY when there is nothing to change. 0; EBUSY while stopping. */
int node_drain(struct node *n, uint64_t within_ms);
/* -1: none is set. */
int64_t node_drain_left_ms(const struct node *n);
void node_left(const struct node *n, struct node_left *left);
/* Draining, and nothing is left: stopping it now costs nobody anything. */
bool node_safe_to_stop(const struct node *n);
int node_resume(struct node *n);
/* A second call does not wait for calls any longer. */
void node_stop(struct node *n);

/* Borrowed as long as the node lives. */
const struct node_view *node_view(const struct node *n);
/* For /readyz, any thread: true if ready; a line of words in `line` either way. */
bool node_view_ready(const struct node_view *v, char *line, size_t size);

#endif
