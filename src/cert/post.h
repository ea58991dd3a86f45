/* SPDX-License-Identifier: Apache-2.0 */
/* post.h  Letters (letter.h) between the nodes of one service, by one of two carriers:
 *
 *   - directly, as a SIP MESSAGE over mutual TLS, to the nodes that the configuration names (nodes[]);
 *   - without such a list, through the PostgreSQL store that the nodes share.
 *
 * One rule whom to believe, whoever carried it: the letter's signature is good, it is for this node, fresh, not read before, and its signer's certificate
 * is trusted here and holds, as DNS names, the name of a node on the list together with the service's. The list is the configuration's or the
 * store's. A letter that came directly is believed only if the certificate of its connection holds those names, too.
 * To one node letters go one after the other, so they arrive in order. Loop thread; the crypto pool does the sealing and opening.       */
#ifndef CERT_POST_H
#define CERT_POST_H
#include <jansson.h>
#include "base/clock.h"
#include "config/cfg.h"
#include "event/bus.h"
#include "net/loop.h"
#include "net/pool.h"
#include "trust/identity.h"

struct registry;
struct sip_core;
struct store;
struct cert_post;

struct cert_letter_in {
	const char *from, *fqdn; /* the node that wrote, and its name, proven */
	const char *order;       /* what it belongs to */
	const char *kind;
	const json_t *data;
};
typedef void (cert_post_h)(const struct cert_letter_in *l, void *arg); /* borrowed for the call */
/* A letter of that order did not reach its node: `why` says who refused whom, with advice. It was told as an event, too. */
typedef void (cert_post_unsent_h)(const char *to, const char *order, const struct ev_report *why, void *arg);

struct cert_post_prm {
	struct loop *loop;
	struct pool *pool;
	const struct um_clock *clock;
	struct ev_bus *bus;
	struct trust_keeper *keeper;
	struct store *store; /* that nodes share; NULL: this node has its own */
	struct registry *registry;
	struct sip_core *sip; /* NULL: nothing goes or comes directly */
	const char *node, *service; /* copied */
	uint64_t interval_ms;       /* of looking into the store; 0 = 2000 */
	cert_post_h *h;
	cert_post_unsent_h *unsent; /* may be NULL */
	void *arg;
};
int cert_post_create(struct cert_post **pp, const struct cert_post_prm *prm);
void cert_post_destroy(struct cert_post *p); /* before the SIP core; NULL is allowed */
/* The list of the configuration, anew. ENOMEM: the old one stays. */
int cert_post_nodes(struct cert_post *p, const struct cfg *cfg);

enum cert_post_way {
	CERT_POST_NOWHERE, /* no other node is known */
	CERT_POST_DIRECT,
	CERT_POST_STORE,
};
enum cert_post_way cert_post_way(const struct cert_post *p); /* NULL: NOWHERE */
/* The other nodes of the configuration, borrowed until the next cert_post_nodes(); NULL behind the last. */
const char *cert_post_node(const struct cert_post *p, unsigned i, const char **fqdn);

/* Writes a letter, signed by the default identity; `data` becomes the post's. ENOENT: there is no such node; ENOKEY: no certificate to sign
 * with; EAGAIN: too many wait; ENOMEM: then nobody is told. What cannot be delivered later is an event and comes to `unsent`. */
int cert_post_send(struct cert_post *p, const char *to, const char *order, const char *kind, json_t *data);

#endif
