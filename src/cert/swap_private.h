/* SPDX-License-Identifier: Apache-2.0 */
/* swap_private.h  The errand of swap.h from within: swap.c starts, tells and ends it, swap_ask.c asks the gateways. Loop thread; while `working`, the
 * worker alone touches what it works on.                                                                                        */
#ifndef CERT_SWAP_PRIVATE_H
#define CERT_SWAP_PRIVATE_H
#include "cert/swap.h"
#include "cert/words.h"
#include "net/tmr.h"
#include "trust/explain.h"

enum { SWAP_SENTENCE = 1024, SWAP_NOTES_MAX = 24 };

struct swap_seen {
	char name[TRUST_LABEL_SIZE];
	enum cert_works before;  /* OPTIONS, with what was in use */
	bool calls_in;           /* its connections to us worked */
	bool rehearsed;          /* answered with the new one */
};

/* What the probe under way is for. */
enum swap_phase { SWAP_ASK, SWAP_CONFIRM, SWAP_ASK_WITH_OLD };

struct cert_swap {
	struct cert_swap_prm prm; /* its texts point into the arrays below */
	char data_dir[512], fqdn[TRUST_NAME_SIZE], service[TRUST_NAME_SIZE], target[TRUST_LABEL_SIZE], wanted_cn[TRUST_NAME_SIZE];
	char identity[TRUST_LABEL_SIZE], rehearsal[TRUST_LABEL_SIZE];
	char *chain, *key;
	size_t key_n;
	struct cert_gateway *gateways;
	struct swap_seen *seen;

	enum cert_cure_step step;
	bool working, probing, cancelled;
	bool on_stage;                      /* gateways may be shown the rehearsal's identity */
	bool live;                          /* the new one is in use, or was */
	struct trust_set *set;              /* as it was at the beginning */
	struct trust_identity *old, *fresh; /* old NULL: a new identity. fresh: from EXAMINE on */
	struct trust_identity *rehearsing;  /* the same under the rehearsal's name */
	struct ev_report *note[SWAP_NOTES_MAX]; /* what a job has to say; told when it is back */
	unsigned n_notes;
	struct tmr timer;
	int64_t watch_until_ms;
	unsigned at;            /* gateway being asked */
	enum swap_phase phase;
	bool answered;          /* by the last probe */
	struct ev_report why;   /* of the last job */
	struct ev_report line;  /* being said */
	struct trust_verdict verdict; /* of the last probe that failed */
	char reason[SWAP_SENTENCE];  /* of the way back */
	int back_err;           /* the one before could not be put into use again */
	struct cert_cure_result result;
};

/* ---- swap.c ---- */
struct ev_report *swap_line(struct cert_swap *s, uint16_t event); /* begins what is said next, with the fields that all have */
void swap_say(struct cert_swap *s);
/* Ends it while nothing is in use; reason NULL: that of `why`. The errand is gone afterwards. */
void swap_stop(struct cert_swap *s, const char *reason);
void swap_unwrite_here(struct cert_swap *s); /* takes the installed file away, and says so if that fails */
void swap_go(struct cert_swap *s);

/* ---- swap_ask.c ---- each true: it waits, or has ended */
bool swap_rehearse(struct cert_swap *s);
bool swap_prove(struct cert_swap *s); /* puts it into use first, and watches it afterwards */

#endif
