/* SPDX-License-Identifier: Apache-2.0 */
/* auth.c  Peers that must prove a password (RFC 3261 22.2, RFC 8760): what they begin is answered 401 with a challenge of each algorithm, the
 * strongest first, until it brings the answer; a proof that was used already, by its count (RFC 7616 3.4.5), is stale. Whoever proved it hears our own proof in
 * the 2xx, and a fresh nonce when his is half spent. Requests within a call belong to what was proven at its beginning. */
#include "base/mem.h"
#include "sip/auth_memory.h"
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
	for (unsigned i = c->peer->login.md5_only ? SIP_DIGEST_MD5 : 0; i <= SIP_DIGEST_MD5; i++)
		sip_put_printf(b, "WWW-Authenticate", "Digest realm=\"%s\", qop=\"auth,auth-int\", nonce=\"%s\", algorithm=%s%s", c->peer->login.realm, nonce,
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

/* The Authorization field of our realm, judged; NULL without one. */
static const struct sip_hdr *proof_in(struct sip_core *core, const struct sip_msg *req, const struct sip_peer *peer, enum sip_digest_verdict *v, struct sip_digest_used *used)
{
	const struct sip_login who = { peer->login.user, peer->login.password, peer->login.realm };
	const struct sip_digest_of of = { req->method_text, req->uri.whole, req->body };

	for (const struct sip_hdr *h = sip_msg_hdr(req, SIP_HDR_AUTHORIZATION); h; h = sip_msg_hdr_next(req, h)) {
		*v = sip_digest_check(h->value, &who, &of, core->nonce_key, clock_real_s(core->prm.clock), peer->name, used);
		if (*v != SIP_DIGEST_NONE)
			return h;
	}
	*v = SIP_DIGEST_NONE;
	return NULL;
}

bool sip_auth_passes(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, const struct sip_peer *peer)
{
	struct challenge c = { core, peer, false };
	struct sip_reply r = { .status = 401, .more = put_challenges, .arg = &c };
	enum sip_digest_verdict v;
	struct sip_digest_used used;

	if (!peer->login.demanded)
		return true;
	(void)proof_in(core, req, peer, &v, &used);
	if (v == SIP_DIGEST_GOOD && !sip_auth_first_use(&core->auth_memory, core->tag_key, used.nonce, used.count))
		v = SIP_DIGEST_STALE; /* said again by somebody who heard it, or counted badly: with another nonce both are told apart */
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

void sip_auth_put_proof(struct sip_core *core, struct buf *b, const struct sip_msg *req, const struct sip_path *path, struct text body)
{
	struct ev_report why;
	struct sip_peer *peer = sip_who(core, path, &why);
	struct sip_digest_used used;
	enum sip_digest_verdict v;
	const struct sip_hdr *h = peer && peer->login.demanded ? proof_in(core, req, peer, &v, &used) : NULL;
	char next[SIP_NONCE_SIZE];
	struct buf value;

	if (h && (v == SIP_DIGEST_GOOD || v == SIP_DIGEST_STALE)) {
		const struct sip_login who = { peer->login.user, peer->login.password, peer->login.realm };
		int64_t now_s = clock_real_s(core->prm.clock);
		bool spent = now_s - used.made_s > SIP_NONCE_S / 2 && !sip_nonce_make(next, core->nonce_key, now_s, peer->name);
		buf_init(&value, 1024);
		if (!sip_digest_proof(&value, h->value, &who, body, spent ? next : NULL))
			sip_put_printf(b, "Authentication-Info", "%.*s", TEXT_FMT(buf_as_text(&value)));
		buf_free(&value);
	}
	mem_unref(peer);
}
