/* SPDX-License-Identifier: Apache-2.0 */
/* sibling.c  Where a call may go that this node does not take just now: another node of the store that said a moment ago that it is ready, in turn. */
#include <stdio.h>
#include "jobs/registry.h"
#include "net/addr.h"
#include "server/server_private.h"

static const char *const names[] = { [CFG_UDP] = "udp", [CFG_TCP] = "tcp", [CFG_TLS] = "tls" };

void server_listen_words(const struct cfg *cfg, char *dst, size_t size)
{
	struct buf b;
	buf_init(&b, size);
	for (size_t i = 0; i < cfg->node.n_listen; i++) {
		const struct cfg_listen *l = &cfg->node.listen[i];
		bool v6 = strchr(l->address, ':') != NULL;
		buf_printf(&b, "%s%s:%s%s%s:%u", i ? " " : "", names[l->transport], v6 ? "[" : "", l->address, v6 ? "]" : "", l->port);
	}
	text_fill(dst, size, buf_error(&b) ? "" : buf_cstr(&b)); /* far too many: then nobody is sent there */
	buf_free(&b);
}

static bool wildcard(struct text host)
{
	return text_is(host, "0.0.0.0") || text_is(host, "[::]");
}

/* "udp:192.0.2.11:5060" of a node -> "192.0.2.11:5060;transport=udp". Over TLS its name, which its certificate holds. */
static bool hostport(const struct registry_node *n, struct text listen, const char *wanted, char *dst, size_t size)
{
	struct text transport, place;
	if (!text_cut(listen, ':', &transport, &place) || !text_is(transport, wanted))
		return false;
	size_t colon = text_rfind(place, ':');
	if (colon == SIZE_MAX)
		return false;
	struct text host = text_make(place.p, colon), port = text_skip(place, colon + 1);
	bool by_name = text_is(transport, "tls") || wildcard(host);
	if (by_name && !n->fqdn[0])
		return false;
	text_print(dst, size, "%.*s:%.*s;transport=%s", by_name ? (int)strlen(n->fqdn) : (int)host.n, by_name ? n->fqdn : host.p, TEXT_FMT(port), wanted);
	return true;
}

static bool place_of(const struct registry_node *n, const char *wanted, char *dst, size_t size)
{
	struct text one, rest = text_of(n->listen);
	while (rest.n) {
		if (!text_cut(rest, ' ', &one, &rest)) {
			one = rest;
			rest = TEXT_NONE;
		}
		if (hostport(n, one, wanted, dst, size))
			return true;
	}
	return false;
}

static void looked(int err, const struct registry_node *v, size_t n, void *arg)
{
	struct server *s = arg;
	s->n_siblings = 0;
	for (size_t i = 0; !err && i < n && s->n_siblings < SERVER_SIBLINGS; i++) {
		struct server_sibling *x = &s->siblings[s->n_siblings];
		if (v[i].self || !v[i].alive || strcmp(v[i].state, "ready") != 0 || v[i].reason[0])
			continue;
		bool any = false;
		for (unsigned t = 0; t < SERVER_TRANSPORTS; t++) {
			x->place[t][0] = '\0';
			any = place_of(&v[i], names[t], x->place[t], sizeof x->place[t]) || any;
		}
		s->n_siblings += any;
	}
}

void server_siblings_look(struct server *s)
{
	if (server_shares(s))
		(void)registry_list(s->registry, looked, s); /* the next look comes soon */
}

void server_elsewhere(struct server *s, const struct sip_peer *peer, char *dst, size_t size)
{
	const struct gateway *g = peer && s->gateways ? gw_find(s->gateways, peer->name) : NULL;
	static const int of[] = { [NET_UDP] = CFG_UDP, [NET_TCP] = CFG_TCP, [NET_TLS] = CFG_TLS };
	dst[0] = '\0';
	if (!g || !gw_cfg(g)->redirect || !s->n_siblings || peer->transport == NET_ANY)
		return;
	for (unsigned i = 0; i < s->n_siblings && !dst[0]; i++)
		text_fill(dst, size, s->siblings[s->next_sibling++ % s->n_siblings].place[of[peer->transport]]);
}
