/* SPDX-License-Identifier: Apache-2.0 */
/* post.h  Letters (letter.h) between the nodes of one store. A letter is believed when its signature is good, it is for this node, fresh, not read before,
 * and its signer's certificate is trusted here and holds the name of a node on the store's list together with the service's name. The store
 * carries them and is not believed. Loop thread; the crypto pool does the sealing and opening.                                    */
#ifndef CERT_POST_H
#define CERT_POST_H
#include <jansson.h>
#include "base/clock.h"
#include "event/bus.h"
#include "net/loop.h"
#include "net/pool.h"
#include "trust/identity.h"

struct registry;
struct store;
struct cert_post;

struct cert_letter_in {
	const char *from, *fqdn; /* the node that wrote, and its name, proven */
	const char *order;       /* what it belongs to */
	const char *kind;
	const json_t *data;
};
typedef void (cert_post_h)(const struct cert_letter_in *l, void *arg); /* borrowed for the call */

struct cert_post_prm {
	struct store *store;
	struct loop *loop;
	struct pool *pool;
	const struct um_clock *clock;
	struct ev_bus *bus;
	struct trust_keeper *keeper;
	struct registry *registry;
	const char *node, *service; /* copied */
	uint64_t interval_ms;       /* 0 = 2000 */
	cert_post_h *h;
	void *arg;
};
int cert_post_create(struct cert_post **pp, const struct cert_post_prm *prm);
void cert_post_destroy(struct cert_post *p); /* NULL is allowed */
/* Writes a letter, signed by the default identity; `data` becomes the post's. What cannot be delivered is an event. */
int cert_post_send(struct cert_post *p, const char *to, const char *order, const char *kind, json_t *data);

#endif
