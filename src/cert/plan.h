/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h  Which certificates this node needs, computed from how its gateways judge it. Pure.
 *
 * A gateway that knows its peers by the subject CN (Lync knows a node by its own FQDN, a trusted application pool is known by the pool's name) wants
 * one CN; every other gateway is content as long as a name that it knows is among the names. So gateways that want different CNs need
 * different identities, and all others fit in anywhere.                                                                    */
#ifndef CERT_PLAN_H
#define CERT_PLAN_H
#include "cert/request.h"

/* A gateway that is shown one of our identities over TLS. */
struct cert_gateway {
	const char *name;
	const char *identity; /* which; "" or NULL: the default one */
	struct trust_judges_us judges;
};

enum { CERT_PLAN_MAX = 8, CERT_PLAN_GATEWAYS = 64 };

struct cert_plan_one {
	char identity[TRUST_LABEL_SIZE];
	bool is_new; /* proposed: it does not stand in the configuration yet */
	struct cert_names names;
	unsigned gateway[CERT_PLAN_GATEWAYS], n_gateways; /* indices into the gateways given */
	bool cn_wanted; /* some gateway insists on this CN */
};

struct cert_plan {
	struct cert_plan_one one[CERT_PLAN_MAX];
	unsigned n; /* 1: a single certificate serves all gateways that are shown this identity */
	bool cut;   /* more were needed */
};

struct cert_plan_prm {
	const char *identity;         /* whose certificate is planned */
	const char *fqdn, *service;
	const struct cert_gateway *gateways; /* those that are shown it */
	unsigned n_gateways;
};
void cert_plan_make(struct cert_plan *p, const struct cert_plan_prm *prm);
/* The CN that this gateway insists on, to dst; "" when any of several names will do. Returns dst. */
char *cert_plan_wanted_cn(const struct trust_judges_us *j, const char *fqdn, const char *service, char *dst, size_t size);
/* Appends the lines of the configuration that the plan needs, when it has more than one identity. `data_dir` is where certificates are installed. */
int cert_plan_lines(const struct cert_plan *p, const struct cert_plan_prm *prm, const char *data_dir, struct buf *out);

/* What a person has to do elsewhere, a report a step in the order of doing, each saying how sure it is. */
typedef void (cert_todo_h)(const struct ev_report *r, void *arg);
/* At a CA that is not ours: what it must keep and grant, and the command for AD CS. */
void cert_todo_at_ca(const struct cert_names *names, enum cert_usage usage, const char *csr_file, const char *answer_file, cert_todo_h *each, void *arg);
/* At the gateway, that it may know the new name; nothing for gateways that do not keep a list. */
void cert_todo_at_gateway(const struct cert_gateway *g, const struct cert_names *names, const char *fqdn, cert_todo_h *each, void *arg);

#endif
