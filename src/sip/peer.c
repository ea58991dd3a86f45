/* SPDX-License-Identifier: Apache-2.0 */
/* peer.c  A peer is a value; this is its birth, its end, and which hosts it owns. */
#include "sip/peer.h"
#include "base/mem.h"
#include "trust/rule.h"

static void peer_destroy(void *object)
{
	struct sip_peer *p = object;

	mem_unref(p->policy);
	mem_wipe(p->login.password, sizeof(p->login.password));
}

struct sip_peer *sip_peer_create(void)
{
	return mem_object(sizeof(struct sip_peer), peer_destroy);
}

bool sip_peer_owns_host(const struct sip_peer *peer, struct text host)
{
	struct trust_cert_names names;
	struct trust_judgement *j;
	struct trust_name name = { TRUST_KIND_DNS, host };
	bool owns;

	if (text_eq_nocase(text_of(peer->host), host))
		return true;
	if (!peer->policy || text_empty(host))
		return false;
	j = mem_alloc(sizeof(*j));
	if (!j)
		return false;
	/* A certificate that held this one name, in the place where the rule looks. */
	names = (struct trust_cert_names){ .name = &name, .n = 1, .has_san = peer->rule != TRUST_RULE_CN_ONLY };
	if (peer->rule == TRUST_RULE_CN_ONLY)
		name.kind = TRUST_KIND_CN;
	trust_policy_judge(peer->policy, &names, j);
	owns = j->reason == TRUST_NAME_OK;
	mem_free(j);
	return owns;
}
