/* SPDX-License-Identifier: Apache-2.0 */
/* auth.c  Peers that must prove a password (RFC 3261 22.2, RFC 8760): what they begin is answered 401 with a challenge of each algorithm, the
 * strongest first, until it brings the answer. Requests within a call belong to what was proven at its beginning.        */
#include "sip/core_private.h"
#include "sip/digest.h"

struct challenge {
	struct sip_core *core;
	const struct sip_peer *peer;
	bool stale;
};

static void put_challenges(struct buf *b, void *arg)
{
	const struct challenge *c = arg;
	char nonce[SIP_NONCE_SIZE];

	if (sip_nonce_make(nonce, c->core->nonce_key, clock_real_s(c->core->prm.clock), c->peer->name))
		return;
	for (unsigned i = 0; i < SIP_DIGEST_ALGS; i++)
		sip_put_printf(b, "WWW-Authenticate", "Digest realm=\"%s\", qop=\"auth\", nonce=\"%s\", algorithm=%s%s", c->peer->login.realm, nonce,
		               sip_digest_alg_name((enum sip_digest_alg)i), c->stale ? ", stale=true" : "");
}

static void report(struct sip_core *core, const struct sip_path *path, const struct sip_peer *peer)
{
	char addr[NET_ADDR_SIZE];
	struct ev_report r;

	sip_ev(core, &r, EV_SIP_LOGIN_WRONG, NULL);
	ev_str(&r, "gateway", peer->name);
	ev_str(&r, "peer", net_addr_print(&path->peer, addr));
	ev_str(&r, "realm", peer->login.realm);
	ev_emit(core->bus, &r);
}

bool sip_auth_passes(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, const struct sip_peer *peer)
{
	const struct sip_login who = { peer->login.user, peer->login.password, peer->login.realm };
	struct challenge c = { core, peer, false };
	struct sip_reply r = { .status = 401, .more = put_challenges, .arg = &c };
	enum sip_digest_verdict v = SIP_DIGEST_NONE;

	if (!peer->login.demanded)
		return true;
	for (const struct sip_hdr *h = sip_msg_hdr(req, SIP_HDR_AUTHORIZATION); h && v == SIP_DIGEST_NONE; h = sip_msg_hdr_next(req, h))
		v = sip_digest_check(h->value, &who, req->method_text, req->uri.whole, core->nonce_key, clock_real_s(core->prm.clock), peer->name);
	if (v == SIP_DIGEST_GOOD)
		return true;
	c.stale = v == SIP_DIGEST_STALE;
	if (v == SIP_DIGEST_WRONG) {
		core->stats.refused++;
		report(core, sip_stx_path(stx), peer);
	}
	(void)sip_reply(core, stx, &r);
	return false;
}
