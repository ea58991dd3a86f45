/* SPDX-License-Identifier: Apache-2.0 */
/* letters.c  The post between the nodes (cert/post.h): by which way it goes, and whose each letter is: an order about certificates
 * (cmd_cert_all.c), or a card for a matrix (cmd_matrix.c).                                                                     */
#include "admin/errand_private.h"
#include "cert/post.h"
#include "db/db.h"

static void letter_h(const struct cert_letter_in *l, void *arg)
{
	struct admin *a = arg;
	if (!matrix_letter(a, l))
		orders_letter(a, l);
}

static void unsent_h(const char *to, const char *order, const struct ev_report *why, void *arg)
{
	struct admin *a = arg;
	if (!matrix_unsent(a, to, order, why))
		orders_unsent(a, to, order, why);
}

const char *admin_advice(const struct ev_report *r, char *dst, size_t size)
{
	const struct ev_def *d = ev_def_find(r->id);
	struct buf b;
	buf_init(&b, size);
	text_fill(dst, size, "");
	if (d && ev_render(d->advice, r, &b) == 0 && b.n)
		text_fill(dst, size, buf_cstr(&b));
	buf_free(&b);
	return dst;
}

int admin_post_start(struct admin *a)
{
	bool shared = a->prm.store && a->prm.registry && strcmp(store_engine(a->prm.store), "postgresql") == 0; /* SQLite serves one node */
	struct cert_post_prm prm = { .store = shared ? a->prm.store : NULL, .registry = a->prm.registry, .sip = a->prm.sip, .loop = a->prm.loop,
		                     .pool = a->prm.crypto, .clock = a->prm.clock, .bus = a->prm.bus, .keeper = a->prm.trust, .node = a->cfg->node.name,
		                     .service = a->cfg->node.service, .h = letter_h, .unsent = unsent_h, .arg = a };
	if (!a->prm.trust || !a->prm.crypto)
		return 0;
	return cert_post_create(&a->post, &prm);
}

void admin_post_stop(struct admin *a)
{
	cert_post_destroy(a->post);
	a->post = NULL;
	tours_stop(a);
}
