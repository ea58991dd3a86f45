/* SPDX-License-Identifier: Apache-2.0 */
/* check_nodes.c  This node and the list of all: addresses to listen on, certificates for them, names that tell one node from another. */
#include <strings.h>
#include "config/check.h"

void cfg_check_node(struct binder *b)
{
	const struct cfg_node *n = &b->all->cfg.node;
	struct cfg_known identities = CFG_KNOWN("identity", n, identities);
	struct cfg_pos top = { 1, 1 };
	cfg_names_twice(b, "node.identities", n->identities, n->n_identities, sizeof *n->identities);
	cfg_must_exist(b, &identities, &n->identity, top, "node.identity", n->identity);
	for (size_t i = 0; i < n->n_speakers; i++)
		for (size_t k = 0; k < i; k++)
			if (n->speakers[i].language && n->speakers[k].language && strcasecmp(n->speakers[i].language, n->speakers[k].language) == 0)
				cfg_wrong_at(b, &n->speakers[i].language, n->speakers[i].pos, "node.speakers", "give each language one voice", "\"%s\" stands twice", n->speakers[i].language);
	for (size_t i = 0; i < n->n_listen; i++) {
		if (n->listen[i].transport == CFG_TLS && !n->n_identities)
			cfg_fail(b->errors, b->path, n->listen[i].pos, "node.identities", "give node: an identity with cert and key, or take the address out",
				"a TLS address needs a certificate");
		for (size_t k = 0; k < i; k++)
			if (n->listen[k].transport == n->listen[i].transport && n->listen[k].port && n->listen[k].port == n->listen[i].port &&
			    strcmp(n->listen[k].address, n->listen[i].address) == 0)
				cfg_fail(b->errors, b->path, n->listen[i].pos, "node.listen", "take one of them out", "the same address stands twice");
	}
	if (n->media.address && n->media.address[0] && !cfg_is_ip(n->media.address))
		cfg_wrong_at(b, &n->media.address, top, "node.media.address", "give an IP address", "is a name");
	if (n->fqdn && n->fqdn[0] && cfg_is_ip(n->fqdn))
		cfg_wrong_at(b, &n->fqdn, top, "node.fqdn", "give the full name of this machine: peers compare it with our certificate", "is an IP address");
}

/* Each node is told from the others by its name and by what its certificate proves. */
static void check_peer_node(struct binder *b, const struct cfg_peer_node *n, size_t i)
{
	const struct cfg *c = &b->all->cfg;
	char key[80];
	text_print(key, sizeof key, "nodes[%zu].fqdn", i);
	if (!n->name || !n->fqdn || !n->fqdn[0])
		return;
	if (cfg_is_ip(n->fqdn))
		cfg_wrong_at(b, &n->fqdn, n->pos, key, "give its full name, which its certificate holds; where it is dialled is its address", "is an IP address");
	if (c->node.fqdn && cfg_is_self(c, n) && strcasecmp(n->fqdn, c->node.fqdn) != 0)
		cfg_wrong_at(b, &n->fqdn, n->pos, key, "let both say the same, or give the other node its own name", "node %s is this one, whose node.fqdn is %s", n->name,
			c->node.fqdn);
	if (c->node.fqdn && c->node.name && !cfg_is_self(c, n) && strcasecmp(n->fqdn, c->node.fqdn) == 0)
		cfg_wrong_at(b, &n->fqdn, n->pos, key, "each node has its own", "is this node's own name, but node.name is %s", c->node.name);
	for (size_t k = 0; k < i; k++)
		if (c->nodes[k].fqdn && strcasecmp(n->fqdn, c->nodes[k].fqdn) == 0)
			cfg_wrong_at(b, &n->fqdn, n->pos, key, "each node has its own", "is that of node %s already", c->nodes[k].name);
}

void cfg_check_peer_nodes(struct binder *b)
{
	const struct cfg *c = &b->all->cfg;
	bool tls = false;
	size_t others = 0;
	cfg_names_twice(b, "nodes", c->nodes, c->n_nodes, sizeof *c->nodes);
	for (size_t i = 0; i < c->n_nodes; i++) {
		check_peer_node(b, &c->nodes[i], i);
		others += c->nodes[i].name && !cfg_is_self(c, &c->nodes[i]);
	}
	for (size_t i = 0; i < c->node.n_listen; i++)
		tls = tls || c->node.listen[i].transport == CFG_TLS;
	if (others && c->has_node && c->node.n_listen && !tls)
		cfg_wrong_at(b, &c->nodes, (struct cfg_pos){ 1, 1 }, "nodes", "add a tls address to node.listen, with an identity", "other nodes come in over TLS, but this one listens on no tls address");
	if (c->n_nodes > CFG_NODES_MAX)
		cfg_wrong_at(b, &c->nodes, (struct cfg_pos){ 1, 1 }, "nodes", "take some out", "more than %d nodes are not served", CFG_NODES_MAX);
}
