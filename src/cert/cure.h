/* SPDX-License-Identifier: Apache-2.0 */
/* cure.h  `umbel cert cure GATEWAY`: one errand from "our certificate is not the one that this gateway knows" to "it works", in steps:
 *
 *   key -> request -> signed by our CA, or written out and waited for -> examined -> rehearsed against the gateway's rule and by a probe on a
 *   fresh connection -> installed live for listener and dialler -> proven by one more probe -> done; or everything put back.
 *
 * No connection that stands is touched. Steps that cost time run on the pool; the handlers run on the loop; the struct lives until `over`. */
#ifndef CERT_CURE_H
#define CERT_CURE_H
#include "cert/ca.h"
#include "cert/plan.h"
#include "event/bus.h"
#include "net/loop.h"
#include "net/pool.h"
#include "trust/identity.h"

struct cert_cure;

enum cert_cure_step {
	CERT_CURE_KEY,      /* key and request are made */
	CERT_CURE_SIGN,     /* by the CA given */
	CERT_CURE_WAIT,     /* or elsewhere: the request lies in a file, and we wait for the certificate */
	CERT_CURE_EXAMINE,  /* key fits, chain, names, both usages; every gateway's rule */
	CERT_CURE_REHEARSE, /* a fresh connection with the new certificate, asked by OPTIONS */
	CERT_CURE_INSTALL,
	CERT_CURE_PROVE,    /* once more, with what is in use now */
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

struct cert_cure_result {
	bool good;
	enum cert_cure_step failed_at; /* CERT_CURE_DONE if good */
	struct ev_report report;       /* in words: what was done, or why it could not be */
	char identity[TRUST_LABEL_SIZE];
	char cn[TRUST_NAME_SIZE];
	char old_sha256[65], new_sha256[65];
	int64_t not_after_s;
	char csr_file[512];
};

struct cert_cure_prm {
	struct loop *loop;
	struct pool *pool;
	const struct um_clock *clock;
	struct ev_bus *bus;           /* each step is said there too; may be NULL */
	struct trust_keeper *keeper;
	const char *data_dir;
	const char *node;             /* for the name of the request file */
	const char *fqdn, *service;
	const char *gateway;
	const char *identity;         /* the one to replace: "" = the default one */
	struct trust_judges_us judges; /* of that gateway */
	const struct cert_gateway *others; /* copied */
	unsigned n_others;
	enum cert_key_kind kind;
	struct cert_sign_prm ca;      /* ca_cert_file NULL or "": somebody else signs */
	const char *signed_file;      /* where the certificate will appear then; NULL: DATA/tls/NAME.crt */
	uint32_t wait_ms;             /* how long; 0 = one hour */
	bool force;                   /* install although the rehearsal was not answered */
	cert_probe_h *probe;          /* NULL: no probes (said so in the report) */
	void *probe_arg;
	/* Each step, in words (events 3300 ...); may be NULL. */
	void (*said)(enum cert_cure_step step, const struct ev_report *r, void *arg);
	/* The last call; the cure is gone afterwards. */
	void (*over)(const struct cert_cure_result *result, void *arg);
	void *arg;
};
/* Texts are copied. 0; ENOENT: no identity of that name; EAGAIN: the pool is full; ENOMEM. */
int cert_cure_start(struct cert_cure **cp, const struct cert_cure_prm *prm, struct ev_report *why);
/* Gives up as soon as it may; `over` is called (ECANCELED in its report), possibly later. */
void cert_cure_cancel(struct cert_cure *c);
enum cert_cure_step cert_cure_at(const struct cert_cure *c);

#endif
