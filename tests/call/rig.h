/* SPDX-License-Identifier: Apache-2.0 */
/* rig.h  Two SIP cores in one process on loopback, with a clock that the test turns: `a` calls, `b` is called. What their handlers heard is
 * written down as words, so that a test compares lines.                                                                */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H
#include "net/loop.h"
#include "media/media.h"
#include "net/udp.h"
#include "sip/core.h"
#include "sip/request.h"
#include "support/certs.h"
#include "support/ut.h"

struct rig;
struct rig_side {
	struct rig *rig;
	const char *name;
	struct sip_core *core;
	struct sip_peer *other;    /* how we reach the other side, and as whom we know it */
	struct leg *leg;           /* the last one that came or that we made; a reference */
	struct media_port *port;
	bool auto_answer, auto_confirm, auto_hangup_on_transfer, no_lookup;
	int auto_reject;
	int answer_err;            /* of the automatic answer */
	struct ev_report why;
	char log[4096];            /* "offered answered digit:5 ..." */
	struct leg_event last;
	char last_target[256];
	bool had_facts;
	struct trust_facts facts;  /* of the last event that had some */
	struct trust_facts flow;   /* of the last flow told */
	bool flow_works;
	unsigned flows;
	unsigned dialog_flows; /* requests within a dialog are counted apart */
	bool dialog_works;
	struct sip_readiness ready;
	struct trust_keeper *keeper;
	char heard[8192];          /* first lines of messages in, one a line */
};
enum { A, B };
struct rig {
	struct clock_fake clock;
	struct loop *loop;
	struct media_engine *engine;
	bool media_stands; /* the media thread gets no time */
	struct rig_side side[2];
	struct tc root;
	bool tls;
	struct pool *crypto;
	struct udp *name_server;
	struct dns *dns;
};
/* Set before opening: names are asked of it. */
extern udp_recv_h *rig_name_server;
/* Set before opening: the cores tell their events there. */
extern struct ev_bus *rig_bus;
/* Set before opening: handshakes go to that many threads. */
extern unsigned rig_crypto_threads;

/* Listeners of each: 0 UDP, 1 TCP, 2 TLS (with tls). `transport` is how a reaches b. */
void rig_open(struct rig *r, enum net_transport transport, bool v6);
/* The same with TLS 1.2 or 1.3 only (0x0303, 0x0304; 0: both). */
void rig_open_tls(struct rig *r, uint16_t version);
void rig_close(struct rig *r);
/* Turns the loop, and the clock where nothing happens, until the words are in the side's log; false after max_ms. */
bool rig_until(struct rig *r, int side, const char *words, int64_t max_ms);
void rig_run(struct rig *r, int64_t ms);
/* Calls from side to the other; the leg is in side->leg. */
void rig_call(struct rig *r, int side, const char *user);
/* The same, which may fail. */
int rig_try_call(struct rig *r, int side, const char *user);
/* Opens both sides' media ports beforehand. */
void rig_prepare(struct rig *r);
/* Call up on both sides. */
void rig_call_up(struct rig *r);
void rig_forget(struct rig_side *s); /* the log */
struct sip_core_stats rig_stats(struct rig *r, int side);
/* A result of sip_request_send, kept. */
struct rig_result {
	bool done;
	struct sip_result res;
	struct trust_facts facts;
	char reason[200];
};
void rig_on_result(const struct sip_result *res, void *arg);

#endif
