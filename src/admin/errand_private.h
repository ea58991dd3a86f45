/* SPDX-License-Identifier: Apache-2.0 */
/* errand_private.h  A certificate's errand on this node, and who is told of it: a command's caller, or the node that asked for it. */
#ifndef ADMIN_ERRAND_PRIVATE_H
#define ADMIN_ERRAND_PRIVATE_H
#include "admin/admin_private.h"
#include "base/id.h"
#include "cert/cure.h"

struct cert_letter_in;
struct tour; /* cmd_cert_all.c: one command for all nodes */

struct errand {
	struct link link; /* of the admin */
	struct admin *admin;
	struct admin_call *call; /* NULL: another node is told, or nobody */
	struct tour *tour;       /* it is the first of several */
	char order[ID_SIZE], from[65]; /* the node that asked; "": nobody did */
	const char *what; /* "cert.cure" */
	char gateway[64]; /* of a cure */
	char ca_cert[512], ca_key[512], answer_file[512];
	struct cert_gateway gateways[CERT_PLAN_GATEWAYS];
	unsigned n_gateways;
	unsigned lock;
	bool locked;
	struct cert_cure *cure; /* of a cure, till it is over */
	bool alone;       /* the admin is gone: nobody is told any more */
	int64_t live_us;  /* when the new certificate came into use; 0: not yet */
};

/* cmd_cure.c */
struct errand *errand_new(struct admin *a, struct admin_call *call, const char *what);
void errand_free(struct errand *x);
void errands_leave(struct admin *a); /* on the way out */
/* `args` as of cert.cure. The errand tells its end; on an error it is still the caller's. */
int errand_cure(struct errand *x, struct gateway *g, const json_t *args, bool with_ca, struct ev_report *why);
/* Takes the identity's lock and looks who is shown it. */
int errand_begin(struct errand *x, const char *identity, struct ev_report *why);
/* The second half alone, with what a CA gave back; `args` (may be NULL) hold watch_ms and force. */
int errand_swap(struct errand *x, const char *identity, struct text chain, struct text key, const json_t *args);
/* The authority that signs: as args say, or as it is found; "" if there is none. */
void errand_find_ca(const struct cfg *cfg, const json_t *args, char *cert, char *key, size_t size);

/* cmd_cert_all.c */
void orders_letter(struct admin *a, const struct cert_letter_in *l);
void orders_unsent(struct admin *a, const char *to, const char *order, const struct ev_report *why);
void tours_stop(struct admin *a);
void tour_start(struct admin *a, struct admin_call *call, struct gateway *g, const json_t *args);
void tour_said(struct tour *t, const char *node, json_t *step); /* takes it */
void tour_own_over(struct tour *t, const struct cert_cure_result *res);
/* An errand that another node asked for: told by letter. */
void order_said(struct errand *x, json_t *step);
void order_over(struct errand *x, const struct cert_cure_result *res);
void order_request(struct text csr, const char *answer_file, void *errand);

#endif
