/* SPDX-License-Identifier: Apache-2.0 */
/* swap.h  The second half of a certificate's way into use, from what a CA gave back to "it works, and goes on working":
 *
 *   examined (key, order, chain, dates, usages; by the rule of every gateway that will see it) -> rehearsed (a fresh connection to each of them, showing
 *   the new certificate) -> written and live for listener and dialler in one swap -> proven -> watched for a while -> done; or put back by
 *   itself with the reason, when a gateway that worked stops working.
 *
 * No connection that stands is touched. What costs time runs on the pool; handlers run on the loop. `umbel cert install` is this; the
 * cure (cure.h) is key, request and signing with this behind it.                                                              */
#ifndef CERT_SWAP_H
#define CERT_SWAP_H
#include "cert/plan.h"
#include "event/bus.h"
#include "net/loop.h"
#include "net/pool.h"
#include "trust/identity.h"

/* The steps of both errands, in the order lived. */
enum cert_cure_step {
	CERT_CURE_KEY,      /* key and request are made */
	CERT_CURE_SIGN,     /* by the CA given */
	CERT_CURE_WAIT,     /* or elsewhere: the request lies in a file, and we wait for the certificate */
	CERT_CURE_EXAMINE,  /* key fits, order, chain, names, usages; every gateway's rule */
	CERT_CURE_REHEARSE, /* fresh connections with the new certificate, asked by OPTIONS */
	CERT_CURE_INSTALL,
	CERT_CURE_PROVE,    /* once more, with what is in use now */
	CERT_CURE_WATCH,    /* and again for a while */
	CERT_CURE_ROLLBACK,
	CERT_CURE_DONE,
	CERT_CURE_FAILED,
};
const char *cert_cure_step_name(enum cert_cure_step s); /* "key", "sign" ... */

/* The outcome of a probe; call it exactly once for each probe that was taken, on the loop, not from within the probe handler. `facts` may be
 * NULL. */
typedef void (cert_probe_done_h)(bool answered, const struct trust_facts *facts, void *done_arg);
/* Opens a fresh connection to the gateway showing the identity of that name (it stands in the keeper's set) and sends OPTIONS. 0 if taken, else
 * errno, and done is not called. */
typedef int (cert_probe_h)(const char *gateway, const char *identity, cert_probe_done_h *done, void *done_arg, void *arg);
/* What is known of a gateway now; `sentence` (of size bytes) says why it does not work. */
enum cert_works { CERT_NOT_KNOWN, CERT_WORKS, CERT_REFUSED };
typedef enum cert_works (cert_works_h)(const char *gateway, char *sentence, size_t size, void *arg);

struct cert_cure_result {
	bool good;
	enum cert_cure_step failed_at; /* CERT_CURE_DONE if good */
	struct ev_report report;       /* in words: what was done, or why it could not be */
	char identity[TRUST_LABEL_SIZE];
	char cn[TRUST_NAME_SIZE];
	char old_sha256[65], new_sha256[65];
	int64_t not_after_s;
	char csr_file[512];
	unsigned asked, answered; /* gateways: asked in the rehearsal, and answering at the end */
};

struct cert_swap;
struct cert_swap_prm {
	struct loop *loop;
	struct pool *pool;
	const struct um_clock *clock;
	struct ev_bus *bus;           /* each step is said there too; may be NULL */
	struct trust_keeper *keeper;
	const char *data_dir, *fqdn, *service;
	const char *identity;         /* the one to replace, or a new one; "" = the default one */
	bool is_default;              /* it is shown to everybody who dials us and asks for no other */
	struct text chain, key;       /* PEM; key TEXT_NONE: that of the last request, or the one in use */
	const struct cert_gateway *gateways; /* all that are shown it */
	unsigned n_gateways;
	const char *target;           /* the gateway that must answer (a cure); NULL: none in particular */
	const char *wanted_cn;        /* what was asked for; NULL or "": see the request beside the key */
	bool force;                   /* go on where a gateway would be lost */
	uint32_t watch_ms;            /* 0: proven once and no more */
	cert_probe_h *probe;          /* NULL: no probes (said so) */
	void *probe_arg;
	cert_works_h *options;        /* do its OPTIONS work now, with what is in use; may be NULL */
	cert_works_h *calls_in;       /* do its connections to us work; may be NULL */
	void (*changed)(void *arg);   /* identities were swapped; may be NULL */
	void (*said)(enum cert_cure_step step, const struct ev_report *r, void *arg); /* may be NULL */
	void (*over)(const struct cert_cure_result *result, void *arg); /* the last call; it is gone afterwards */
	void *arg;                    /* of all but the probe */
};
/* Texts are copied. Handlers come later, never from within. */
int cert_swap_start(struct cert_swap **sp, const struct cert_swap_prm *prm);
/* Gives up if nothing is in use yet; else it goes on to its end. `over` is called in any case. */
void cert_swap_cancel(struct cert_swap *s);
enum cert_cure_step cert_swap_at(const struct cert_swap *s);

#endif
