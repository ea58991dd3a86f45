/* SPDX-License-Identifier: Apache-2.0 */
/* life.h  What tests of errands on certificates share: a loop with a worker and a clock of ours, a keeper with one identity and one root, probes that a
 * function of the test answers, and what was heard.                                                                            */
#ifndef TESTS_CERT_LIFE_H
#define TESTS_CERT_LIFE_H
#include "cert/swap.h"
#include "net/tmr.h"
#include "support/certs.h"
#include "ut.h"

struct life {
	const char *dir;
	struct clock_fake clock;
	struct loop *loop;
	struct pool *pool;
	struct tc root;
	struct trust_keeper *keeper;
	/* the gateways, played: whether that one answers to a certificate of that CN */
	bool (*answers)(struct life *l, const char *gateway, const char *cn);
	unsigned probes;
	char asked_with[TRUST_NAME_SIZE];
	/* what was heard */
	bool is_over;
	struct cert_cure_result result;
	uint16_t said[64];
	unsigned n_said;
	/* of a probe under way */
	char asked[TRUST_LABEL_SIZE];
	struct tmr timer;
	cert_probe_done_h *done;
	void *done_arg;
};

void life_up(struct life *l);
/* The identity "default" in use, and the root that is trusted. */
void life_identity(struct life *l, const struct tc *shown);
void life_down(struct life *l);
/* Handlers of the errand; their arg is the life. */
cert_probe_h life_probe;
void life_said(enum cert_cure_step step, const struct ev_report *r, void *arg);
void life_over(const struct cert_cure_result *r, void *arg);
/* Turns the loop and the clock by 5 ms until it is over. */
void life_turn(struct life *l);
void life_run(struct life *l);
unsigned life_heard(const struct life *l, uint16_t event); /* how often */
/* "default" shows that certificate, and nothing of a rehearsal is left. */
bool life_shows(struct life *l, const struct tc *c);
bool life_on_disk(struct life *l);

#endif
