/* SPDX-License-Identifier: Apache-2.0 */
/* reuse.c  Which living connection may carry a request of ours (RFC 5923, and what an administrator said). */
#include "base/mem.h"
#include "sip/conns.h"
#include "sip/core_private.h"

/* The certificate that the other side showed is good for this request's target too. */
static bool proved_for(struct sip_conn *c, struct trust_policy *policy)
{
	struct trust_cert_names names;
	struct trust_judgement *j = NULL;
	struct trust_facts *f = NULL;
	bool good = false;

	if (c->transport != NET_TLS || (c->opened && c->policy == policy))
		return true;
	if (c->state != SIP_CONN_OPEN)
		return false;
	f = mem_alloc(sizeof(*f));
	j = mem_alloc(sizeof(*j));
	if (f && j && tls_conn_facts(c->conn, f) && !trust_cert_names_of_facts(&names, &f->theirs)) {
		trust_policy_judge(policy, &names, j);
		good = j->reason == TRUST_NAME_OK;
		trust_cert_names_free(&names);
	}
	mem_free(f);
	mem_free(j);
	return good;
}

/* It showed the identity that we would show today. */
static bool same_identity(struct sip_conn *c, const char *identity)
{
	struct trust_set *set;
	struct trust_identity *id;
	bool same;

	if (c->transport != NET_TLS)
		return true;
	set = trust_keeper_get(c->core->prm.trust);
	id = trust_set_find(set, identity);
	same = id && text_is(text_of(c->shown), trust_identity_fingerprint(id));
	mem_unref(set);
	return same;
}

static bool of_peer(const struct sip_conn *c, const struct sip_peer *peer)
{
	return c->owner && peer && text_is(text_of(c->owner->name), peer->name);
}

static bool ours_fits(struct sip_conn *c, const struct sip_conn_want *w)
{
	return c->opened && !c->exclusive && net_addr_eq(&c->peer, &w->addr) && same_identity(c, w->identity) && proved_for(c, w->policy);
}

/* 0: no; 1: the same peer, another of its addresses; 2: yes. */
static int theirs_fits(struct sip_conn *c, const struct sip_conn_want *w)
{
	enum sip_reuse reuse = w->peer ? w->peer->reuse : SIP_REUSE_ALIAS;
	bool host = net_addr_eq_host(&c->peer, &w->addr);

	if (c->opened || c->state != SIP_CONN_OPEN)
		return 0;
	if (w->choice == SIP_CONN_PEERS_OWN || reuse == SIP_REUSE_ANY)
		return !of_peer(c, w->peer) ? 0 : host ? 2 : 1;
	if (reuse == SIP_REUSE_NEVER || !c->alias_port || !host || c->alias_port != net_addr_port(&w->addr))
		return 0;
	return proved_for(c, w->policy) ? 2 : 0;
}

struct sip_conn *sip_conn_find(struct sip_core *core, const struct sip_conn_want *w)
{
	struct sip_conn *best = NULL;
	int best_fit = 0;

	if (w->choice == SIP_CONN_FRESH)
		return NULL;
	LIST_FOREACH (&core->conns, it) {
		struct sip_conn *c = LIST_ENTRY(it, struct sip_conn, link);
		int fit;
		if (c->transport != w->transport || c->closing || c->suspect || c->state == SIP_CONN_ENDED)
			continue;
		fit = w->choice != SIP_CONN_PEERS_OWN && ours_fits(c, w) ? 3 : theirs_fits(c, w);
		if (fit > best_fit) {
			best = c;
			best_fit = fit;
		}
	}
	return best;
}
