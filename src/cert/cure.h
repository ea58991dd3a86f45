/* SPDX-License-Identifier: Apache-2.0 */
/* cure.h  `umbel cert cure GATEWAY`: one errand from "our certificate is not the one that this gateway knows" to "it works", in steps:
 *
 *   key -> request -> signed by our CA, or written out and waited for -> and then as every certificate comes into use: swap.h.
 *
 * No connection that stands is touched. Steps that cost time run on the pool; the handlers run on the loop; the struct lives until `over`. */
#ifndef CERT_CURE_H
#define CERT_CURE_H
#include "cert/ca.h"
#include "cert/swap.h"
#include "event/bus.h"
#include "net/loop.h"
#include "net/pool.h"
#include "trust/identity.h"

struct cert_cure;

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
	bool is_default;              /* it is the default one */
	const struct cert_gateway *gateways; /* all that are shown it, that gateway among them; copied */
	unsigned n_gateways;
	enum cert_usage usage;
	enum cert_key_kind kind;
	struct cert_sign_prm ca;      /* ca_cert_file NULL or "": somebody else signs */
	const char *signed_file;      /* where the certificate will appear then; NULL: DATA/tls/NAME.crt */
	uint32_t wait_ms;             /* how long; 0 = one hour */
	bool force;                   /* go on where a gateway would be lost, or did not answer in the rehearsal */
	uint32_t watch_ms;            /* how long the gateways are watched afterwards; 0: proven once */
	cert_probe_h *probe;          /* NULL: no probes (said so in the report) */
	void *probe_arg;
	cert_works_h *options, *calls_in; /* see swap.h; may be NULL */
	void (*changed)(void *arg);
	/* Somebody else signs: the request, and where the answer is awaited. May be NULL: a person sees to it. */
	void (*request)(struct text csr, const char *answer_file, void *arg);
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
