/* SPDX-License-Identifier: Apache-2.0 */
/* uac_auth.c  A request that was answered 401 or 407 is sent again with the answer to that challenge (RFC 3261 22.2, 22.3, RFC 8760): only to the peer
 * whose login we have and where it is itself, only for the realm that stands with it, and once; twice where the peer says that its nonce had grown
 * stale. */
#include "base/mem.h"
#include "base/rand.h"
#include "sip/digest.h"
#include "sip/uac_private.h"

enum { TRIES_MAX = 2 };

/* The topmost that we can answer (RFC 8760 2.4). */
static bool challenge_of(const struct sip_msg *res, enum sip_hdr_id id, const char *realm, struct sip_challenge *c)
{
	for (const struct sip_hdr *h = sip_msg_hdr(res, id); h; h = sip_msg_hdr_next(res, h))
		if (!sip_challenge_parse(c, h->value) && text_is(c->realm, realm))
			return true;
	return false;
}

/* Method and Request-URI as they were sent. */
static void first_line(struct text request, struct text *method, struct text *uri)
{
	struct text rest;

	text_cut(request, ' ', method, &rest);
	text_cut(rest, ' ', uri, &rest);
}

/* A Contact or route leads to anybody, who could ask the gateway for a challenge, put it to us, and call in our name with the answer. */
static bool is_at_peer(const struct sip_uac *u)
{
	const struct sip_core_prm *prm = &u->core->prm;

	if (u->at_peer)
		return true;
	if (u->conn && !u->conn->opened)
		return u->conn->owner && text_is(text_of(u->conn->owner->name), u->peer->name);
	return prm->known && prm->known(&u->addr, prm->arg);
}

bool uac_auth_answer(struct sip_uac *u, const struct sip_msg *res)
{
	bool proxy = res->status == 407;
	struct buf *line = proxy ? &u->proxy_auth : &u->auth;
	struct sip_challenge c;
	struct text method, uri;
	char cnonce[17];

	if ((res->status != 401 && !proxy) || !u->peer || !u->peer->login.user[0] || !u->ctx)
		return false;
	if (!challenge_of(res, proxy ? SIP_HDR_PROXY_AUTHENTICATE : SIP_HDR_WWW_AUTHENTICATE, u->peer->login.realm, &c))
		return false;
	if (!is_at_peer(u))
		return false;
	if (line->n && (!c.stale || u->auth_tries >= TRIES_MAX))
		return false; /* the same again: it does not take our word */
	const struct sip_login who = { u->peer->login.user, u->peer->login.password, u->peer->login.realm };
	first_line(sip_ctx_request(u->ctx), &method, &uri);
	rand_token(cnonce, 16);
	buf_clear(line);
	buf_str(line, proxy ? "Proxy-Authorization: " : "Authorization: ");
	if (sip_digest_answer(line, &c, &who, method, uri, cnonce) || buf_str(line, "\r\n")) {
		buf_clear(line);
		return false;
	}
	u->auth_tries++;
	return true;
}

unsigned sip_uac_auth_tries(const struct sip_uac *u)
{
	return u ? u->auth_tries : 0;
}

void sip_uac_put_auth(const struct sip_uac *u, struct buf *b)
{
	if (!u)
		return;
	buf_put(b, u->auth.p, u->auth.n);
	buf_put(b, u->proxy_auth.p, u->proxy_auth.n);
}
