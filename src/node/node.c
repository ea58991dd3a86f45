/* SPDX-License-Identifier: Apache-2.0 */
/* node.c  Needs, states and the way out.
 *
 *   STARTING -> READY <-> NOT_READY      by the needs
 *        \        |  ^
 *         \       v  | resume
 *          +-> DRAINING -> STOPPING -> STOPPED
 */
#include "node/node.h"
#include <errno.h>
#include "base/mem.h"
#include "net/loop.h"
#include "net/tmr.h"
#include "node_events.h"

enum { POLL_MS = 100, STOP_WAIT_MS = 12000, HANG_UP_WAIT_MS = 3000, ASK_MS = 60000, DETAIL_SIZE = 160 };

struct need {
	bool known, met;
	char detail[DETAIL_SIZE];
};

struct node {
	struct node_prm prm;
	char name[256];
	enum node_state state;
	struct need need[NODE_NEEDS];
	int64_t started_us;
	struct tmr poll;
	int64_t deadline_ms; /* while stopping: until when calls may go on */
	bool hung_up, asked;
	bool drained_told, safe_told;
	int64_t drain_end_ms; /* while draining: when what calls are left is hung up; 0: never */
	bool cut_off;
	enum node_away away;
	struct node_view view;
};

static const char *const need_names[NODE_NEEDS] = { "store", "prompts", "certificate", "listeners" };
static const char *const state_names[] = { "starting", "ready", "not-ready", "draining", "stopping", "stopped" };

const char *node_need_name(enum node_need need)
{
	return need < NODE_NEEDS ? need_names[need] : "?";
}

const char *node_state_name(enum node_state s)
{
	return s <= NODE_STOPPED ? state_names[s] : "?";
}

unsigned node_calls(const struct node *n)
{
	return n->prm.h.calls ? n->prm.h.calls(n->prm.h.arg) : 0;
}

static void say(const struct node *n, uint16_t id, const char *need, const char *detail)
{
	struct ev_report r = { 0 };
	ev_set(&r, id);
	ev_str(&r, "node", n->name);
	ev_int(&r, "calls", node_calls(n));
	ev_int(&r, "seconds", (n->prm.stop_wait_ms + n->prm.hang_up_wait_ms) / 1000);
	if (need)
		ev_str(&r, "need", need);
	if (detail)
		ev_str(&r, "detail", detail);
	ev_emit(n->prm.bus, &r);
}

static void publish(struct node *n)
{
	unsigned bits = 0;
	for (unsigned i = 0; i < NODE_NEEDS; i++)
		if (!n->need[i].met)
			bits |= 1u << i;
	atomic_store(&n->view.state, (int)n->state);
	atomic_store(&n->view.not_met, bits);
	atomic_store(&n->view.calls, (int)node_calls(n));
}

static void set_state(struct node *n, enum node_state to)
{
	if (n->state == to)
		return;
	n->state = to;
	publish(n);
	if (to == NODE_READY)
		say(n, EV_NODE_READY, NULL, NULL);
}

/* What the needs alone make of the node; the words for a need not met come with its own event. */
static void judge_needs(struct node *n)
{
	bool all_known = true, all_met = true;
	for (unsigned i = 0; i < NODE_NEEDS; i++) {
		all_known = all_known && n->need[i].known;
		all_met = all_met && n->need[i].met;
	}
	publish(n);
	if (n->state > NODE_NOT_READY)
		return;
	if (all_met)
		set_state(n, NODE_READY);
	else if (all_known || n->state != NODE_STARTING)
		set_state(n, NODE_NOT_READY);
}

void node_met(struct node *n, enum node_need need)
{
	struct need *x = &n->need[need];
	bool news = x->known && !x->met;
	x->known = x->met = true;
	x->detail[0] = '\0';
	if (news)
		say(n, EV_NODE_NEED_MET, node_need_name(need), NULL);
	judge_needs(n);
}

void node_not_met(struct node *n, enum node_need need, const char *detail)
{
	struct need *x = &n->need[need];
	bool news = !x->known || x->met || strncmp(x->detail, detail ? detail : "", sizeof x->detail - 1) != 0;
	x->known = true;
	x->met = false;
	text_fill(x->detail, sizeof x->detail, detail ? detail : "");
	if (news)
		say(n, EV_NODE_NOT_READY, node_need_name(need), x->detail);
	judge_needs(n);
}

bool node_need_ok(const struct node *n, enum node_need need)
{
	return n->need[need].met;
}

const char *node_need_detail(const struct node *n, enum node_need need)
{
	const struct need *x = &n->need[need];
	return x->known ? x->detail : "not checked yet";
}

enum node_state node_state(const struct node *n)
{
	return n->state;
}

const char *node_name(const struct node *n)
{
	return n->name;
}

int64_t node_started_us(const struct node *n)
{
	return n->started_us;
}

static void refuse(struct node_answer *a, unsigned retry_after_s, const char *reason)
{
	a->ready = false;
	a->status = 503;
	a->retry_after_s = retry_after_s;
	text_fill(a->reason, sizeof a->reason, reason);
}

void node_answer(const struct node *n, struct node_answer *a)
{
	memset(a, 0, sizeof *a);
	switch (n->state) {
	case NODE_READY:
		a->ready = true;
		a->status = 200;
		if (!n->cut_off || n->away == NODE_AWAY_SERVE)
			return;
		refuse(a, 10, "this node is cut off from its store");
		a->ready = a->avoid = n->away == NODE_AWAY_AVOID;
		return;
	case NODE_DRAINING:
		refuse(a, 60, "this node is being drained");
		return;
	case NODE_STOPPING:
	case NODE_STOPPED:
		refuse(a, 60, "this node is stopping");
		return;
	case NODE_STARTING:
		refuse(a, 5, "this node is starting");
		return;
	case NODE_NOT_READY:
		break;
	}
	for (unsigned i = 0; i < NODE_NEEDS; i++)
		if (!n->need[i].met) {
			/* The detail may name paths and hosts; a peer learns only which need it is. */
			char line[80];
			text_print(line, sizeof line, "this node is not ready: %s", need_names[i]);
			refuse(a, 30, line);
			return;
		}
}

static void finish(struct node *n)
{
	tmr_cancel(&n->poll);
	say(n, EV_NODE_STOPPED, NULL, NULL);
	set_state(n, NODE_STOPPED);
	if (n->prm.h.stopped)
		n->prm.h.stopped(n->prm.h.arg);
}

static void hang_up(struct node *n)
{
	n->hung_up = true;
	n->deadline_ms = clock_mono_ms(n->prm.clock) + n->prm.hang_up_wait_ms;
	say(n, EV_NODE_HANGS_UP, NULL, NULL);
	if (n->prm.h.hang_up)
		n->prm.h.hang_up(n->prm.h.arg);
}

/* A minute before the end, or at once where there is less time. */
static void ask_to_finish(struct node *n, int64_t end_ms)
{
	int64_t left_ms = end_ms - clock_mono_ms(n->prm.clock);
	if (n->asked || left_ms > ASK_MS || left_ms <= 0 || !node_calls(n))
		return;
	n->asked = true;
	struct ev_report r = { 0 };
	ev_set(&r, EV_NODE_ASKS_TO_FINISH);
	ev_str(&r, "node", n->name);
	ev_int(&r, "calls", node_calls(n));
	ev_int(&r, "seconds", (left_ms + 999) / 1000);
	ev_emit(n->prm.bus, &r);
	if (n->prm.h.ask_to_finish)
		n->prm.h.ask_to_finish((unsigned)((left_ms + 999) / 1000), n->prm.h.arg);
}

static void poll_stopping(struct node *n)
{
	if (node_calls(n) == 0) {
		finish(n);
		return;
	}
	if (!n->hung_up)
		ask_to_finish(n, n->deadline_ms);
	if (clock_mono_ms(n->prm.clock) >= n->deadline_ms) {
		if (n->hung_up) {
			finish(n);
			return;
		}
		hang_up(n);
	}
}

static void poll_draining(struct node *n)
{
	if (n->drain_end_ms)
		ask_to_finish(n, n->drain_end_ms);
	if (n->drain_end_ms && clock_mono_ms(n->prm.clock) >= n->drain_end_ms) {
		n->drain_end_ms = 0;
		if (node_calls(n)) {
			say(n, EV_NODE_DRAIN_ENDS, NULL, NULL);
			if (n->prm.h.hang_up)
				n->prm.h.hang_up(n->prm.h.arg);
		}
	}
	if (!n->drained_told && node_calls(n) == 0) {
		n->drained_told = true;
		say(n, EV_NODE_DRAINED, NULL, NULL);
	}
	if (!n->safe_told && node_safe_to_stop(n)) {
		n->safe_told = true;
		say(n, EV_NODE_SAFE_TO_STOP, NULL, NULL);
	}
}

/* Looks at the calls while draining or stopping. */
static void poll_h(void *arg)
{
	struct node *n = arg;
	publish(n);
	if (n->state == NODE_DRAINING)
		poll_draining(n);
	tmr_start(n->prm.loop, &n->poll, POLL_MS, poll_h, n);
	if (n->state == NODE_STOPPING)
		poll_stopping(n);
}

void node_left(const struct node *n, struct node_left *left)
{
	memset(left, 0, sizeof *left);
	if (n->prm.h.left)
		n->prm.h.left(left, n->prm.h.arg);
	left->calls = node_calls(n);
}

bool node_safe_to_stop(const struct node *n)
{
	struct node_left l;
	node_left(n, &l);
	return n->state == NODE_DRAINING && !l.calls && !l.messages && !l.records && !l.errands;
}

int64_t node_drain_left_ms(const struct node *n)
{
	if (n->state != NODE_DRAINING || !n->drain_end_ms)
		return -1;
	int64_t left = n->drain_end_ms - clock_mono_ms(n->prm.clock);
	return left > 0 ? left : 0;
}

void node_cut_off(struct node *n, bool away, enum node_away policy)
{
	static const char *const words[] = { [NODE_AWAY_SERVE] = "serve", [NODE_AWAY_AVOID] = "avoid", [NODE_AWAY_REFUSE] = "refuse" };
	bool news = n->cut_off != away;
	n->away = policy;
	n->cut_off = away;
	if (news)
		say(n, away ? EV_NODE_CUT_OFF : EV_NODE_JOINED_AGAIN, words[policy], NULL);
}

bool node_is_cut_off(const struct node *n)
{
	return n->cut_off;
}

int node_drain(struct node *n, uint64_t within_ms)
{
	if (n->state >= NODE_STOPPING)
		return EBUSY;
	if (n->state == NODE_DRAINING && !within_ms)
		return EALREADY;
	n->drain_end_ms = within_ms ? clock_mono_ms(n->prm.clock) + (int64_t)within_ms : 0;
	n->asked = false;
	if (n->state == NODE_DRAINING)
		return 0;
	set_state(n, NODE_DRAINING);
	n->drained_told = n->safe_told = false;
	say(n, EV_NODE_DRAINING, NULL, NULL);
	tmr_start(n->prm.loop, &n->poll, POLL_MS, poll_h, n);
	return 0;
}

int node_resume(struct node *n)
{
	if (n->state >= NODE_STOPPING)
		return EBUSY;
	if (n->state != NODE_DRAINING)
		return EALREADY;
	tmr_cancel(&n->poll);
	n->drain_end_ms = 0;
	n->asked = false;
	say(n, EV_NODE_RESUMED, NULL, NULL);
	n->state = NODE_NOT_READY; /* for the needs to say otherwise */
	judge_needs(n);
	return 0;
}

void node_stop(struct node *n)
{
	if (n->state == NODE_STOPPED)
		return;
	if (n->state == NODE_STOPPING) {
		if (!n->hung_up)
			hang_up(n);
		return;
	}
	set_state(n, NODE_STOPPING);
	say(n, EV_NODE_STOPPING, NULL, NULL);
	n->deadline_ms = clock_mono_ms(n->prm.clock) + n->prm.stop_wait_ms;
	if (n->prm.h.stop_accepting)
		n->prm.h.stop_accepting(n->prm.h.arg);
	tmr_start(n->prm.loop, &n->poll, 0, poll_h, n);
}

const struct node_view *node_view(const struct node *n)
{
	return &n->view;
}

bool node_view_ready(const struct node_view *v, char *line, size_t size)
{
	int state = atomic_load(&v->state);
	unsigned not_met = atomic_load(&v->not_met);
	if (state == NODE_READY) {
		text_fill(line, size, "ready");
		return true;
	}
	text_fill(line, size, node_state_name((enum node_state)state));
	for (unsigned i = 0; i < NODE_NEEDS; i++)
		if (not_met & (1u << i)) {
			size_t n = strlen(line);
			text_print(line + n, size - n, ": %s", need_names[i]);
		}
	return false;
}

int node_create(struct node **np, const struct node_prm *prm)
{
	struct node *n = mem_zalloc(1, sizeof *n);
	if (!n)
		return ENOMEM;
	n->prm = *prm;
	text_fill(n->name, sizeof n->name, prm->name ? prm->name : "");
	if (!n->prm.stop_wait_ms)
		n->prm.stop_wait_ms = STOP_WAIT_MS;
	if (!n->prm.hang_up_wait_ms)
		n->prm.hang_up_wait_ms = HANG_UP_WAIT_MS;
	n->started_us = clock_real_us(prm->clock);
	publish(n);
	*np = n;
	return 0;
}

void node_destroy(struct node *n)
{
	if (!n)
		return;
	tmr_cancel(&n->poll);
	mem_free(n);
}
