/* SPDX-License-Identifier: Apache-2.0 */
/* look.c  A loop and a resolver of our own, the trust that the configuration names, and cert/look.h over them. */
#include "cli/look.h"
#include <errno.h>
#include "base/mem.h"
#include "cert/anchors.h"
#include "cert/install.h"
#include "cert/look.h"
#include "config/cfg.h"
#include "gateway/gateway.h"

struct look {
	struct cfg *cfg;
	struct loop *loop;
	struct dns *dns;
	struct trust_set *set;
	struct sip_peer *peer; /* who is being dialled */
	json_t *told;
	bool over;
};

/* Those whose keys may be read here; the default one first, as a set wants it. */
static int add_identities(struct look *l)
{
	const struct cfg_node *n = &l->cfg->node;
	const struct cfg_identity *first = cfg_identity(l->cfg, TEXT(""));
	struct ev_report why = { 0 };
	int err = 0;
	for (int turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < n->n_identities && err != ENOMEM; i++) {
			const struct cfg_identity *c = &n->identities[i];
			struct trust_identity_prm prm = { .name = c->name, .cert_file = c->cert, .key_file = c->key, .chain_file = *c->chain ? c->chain : NULL };
			struct trust_identity *id = NULL;
			if ((c == first) != (turn == 0))
				continue;
			err = cert_load_identity(&id, &prm, n->data, &why);
			if (!err)
				err = trust_set_identity(l->set, id);
			mem_unref(id);
		}
	return err == ENOMEM ? err : 0;
}

static int read_trust(struct look *l, struct ev_report *why)
{
	int err = trust_set_create(&l->set);
	if (!err)
		err = add_identities(l);
	for (size_t i = 0; !err && i < l->cfg->trust.ca_files.n; i++)
		err = trust_set_anchor_file(l->set, l->cfg->trust.ca_files.v[i], NULL, why);
	if (!err && cert_anchors_load(l->set, l->cfg->node.data, why) != 0)
		ev_set(why, 0); /* those that were trusted by command are the node's own affair */
	return err;
}

int look_open(struct look **lp, const char *config, const char *dns, struct ev_report *why)
{
	struct cfg_errors errors = { 0 };
	struct look *l = mem_zalloc(1, sizeof *l);
	int err = l ? cfg_load(&l->cfg, config, CFG_WANT_NODE, &errors) : ENOMEM;
	cfg_errors_free(&errors); /* told when the model was made of it */
	if (!err)
		err = read_trust(l, why);
	if (!err)
		err = loop_create(&l->loop, clock_system());
	if (!err)
		err = dns_create(&l->dns, l->loop, dns);
	if (err)
		look_close(l);
	else
		*lp = l;
	return err;
}

void look_close(struct look *l)
{
	if (!l)
		return;
	dns_destroy(l->dns);
	loop_destroy(l->loop);
	mem_unref(l->set);
	cfg_unref(l->cfg);
	mem_free(l);
}

bool look_shows(const struct look *l)
{
	return trust_set_count(l->set) > 0;
}

static void looked_h(const struct cert_look_result *res, void *arg)
{
	struct look *l = arg;
	l->told = cert_look_json(res, l->peer);
	l->over = true;
}

json_t *look_at(struct look *l, const char *gateway, const char *host, uint16_t port)
{
	const struct cfg_gateway *g = gateway ? cfg_gateway(l->cfg, text_of(gateway)) : NULL;
	struct cert_look *look;
	int err = g ? gw_make_peer(&l->peer, g) : cert_look_peer(&l->peer, host, port);
	struct cert_look_prm prm = { .loop = l->loop, .dns = l->dns, .clock = clock_system(), .set = l->set, .peer = l->peer };
	l->told = NULL;
	l->over = false;
	if (!err)
		err = cert_look_start(&look, &prm, looked_h, l);
	while (!err && !l->over)
		loop_step(l->loop, 1000);
	l->peer = mem_unref(l->peer);
	return l->told;
}
