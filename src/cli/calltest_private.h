/* SPDX-License-Identifier: Apache-2.0 */
/* calltest_private.h  The test caller's state, shared by its set-up (calltest_setup.c) and its run (calltest.c). */
#ifndef CLI_CALLTEST_PRIVATE_H
#define CLI_CALLTEST_PRIVATE_H
#include "cli/calltest.h"
#include "cli/calltest_audio.h"
#include "net/dns.h"
#include "net/pool.h"
#include "net/tmr.h"
#include "sip/core.h"
#include "voice/prompt.h"

/* One call: the first, or the one that a transfer led to. */
struct side {
	struct calltest *ct;
	struct leg *leg;
	struct media_port *port;
	struct ear ear;
	uint32_t rec_id;
	bool up, over, by_peer, ear_ended;
	int status;
	struct media_port_stats stats; /* when the port was closed */
	const char *srtp; /* the suite that its sound was encrypted with; NULL, "": none */
	char reason[256];
	char record[CT_ARG_SIZE]; /* WAV file being recorded; "" none */
	size_t searched;          /* what was recognised or looked through up to here is not looked at again */
	size_t looked;            /* so much had been heard when we last looked; only more is news */
};

struct calltest {
	const struct calltest_prm *prm;
	const struct calltest_script *script;
	struct loop *loop;
	struct metrics *metrics; /* of our own media thread */
	int64_t poll_due_ms, late_ms; /* the greatest lateness of a poll */
	unsigned gaps_ms;       /* in what was recognised */
	struct dns *dns;
	struct pool *crypto;
	struct media_engine *media;
	struct trust_keeper *keeper;
	struct trust_policy *policy;
	struct sip_core *core;
	struct sip_peer *peer;
	struct prompt_set *prompts;
	struct net_addr local;
	struct side side[2];
	struct side *now;
	unsigned at;            /* step */
	bool stepping, ending, failed, referred, transferred_to_nobody;
	int64_t began_ms, step_ms;
	size_t step_mark;       /* what had been heard when the step began */
	uint32_t play_id;
	struct match_sound sound; /* looked for by the current step */
	struct tmr limit, poll, whole;
	unsigned calls_taken;
	char heard_target[256];
	json_t *steps;
};

/* calltest_setup.c */
int calltest_setup(struct calltest *ct, struct ev_report *why);
void calltest_teardown(struct calltest *ct);
/* Opens a port for a side and begins to listen. */
int side_open(struct calltest *ct, struct side *s, media_event_h *h, struct ev_report *why);

/* calltest.c */
void calltest_offered(struct leg *leg, void *arg);

#endif
