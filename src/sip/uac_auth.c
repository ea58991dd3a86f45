/* SPDX-License-Identifier: Apache-2.0 */
/* uac_auth.c  A request that was answered 401 or 407 is sent again with the answer to that challenge (RFC 3261 22.2, 22.3, RFC 8760): only to the peer
 * whose login we have and where it is itself, only for the realm that stands with it, and once; twice where the peer says that its nonce had grown
 * stale. Of several challenges the one with the strongest sum is answered: topmost, as RFC 8760 2.4 has it, only among equals, since proxies add
 * theirs in any order.
 *
 * What it was content with is remembered for a minute (auth_memory.h): the next request brings the proof at once, with the nonce that
 * Authentication-Info handed out, or the same one counted on. Where that is challenged, the challenge is answered as if nothing had been said. */
#include "base/mem.h"
#include "base/rand.h"
#include "sip/auth_memory.h"
#include "sip/digest.h"
#include "sip/uac_private.h"

enum { CNONCE_SIZE = 17 };

/* The strongest that we can answer. */
static bool challenge_of(const struct sip_msg *res, bool proxy, const char *realm, struct sip_challenge *c)
{
	struct sip_challenge one;
	bool found = false;

	for (const struct sip_hdr *h = sip_msg_hdr(res, proxy ? SIP_HDR_PROXY_AUTHENTICATE : SIP_HDR_WWW_AUTHENTICATE); h; h = sip_msg_hdr_next(res, h))
		if (!sip_challenge_parse(&one, h->value) && text_is(one.realm, realm) && (!found || one.alg < c->alg)) {
			*c = one;
			found = true;
		}
	return found;
}

/* Method, Request-URI and body as they were, or will be, sent. */
static struct sip_digest_of sent(struct text request)
{
	struct sip_digest_of of = { 0 };
	struct text rest;

	text_cut(request, ' ', &of.method, &rest);
	text_cut(rest, ' ', &of.uri, &rest);
	for (size_t i = 0; i + 4 <= request.n; i++)
		if (memcmp(request.p + i, "\r\n\r\n", 4) == 0) {
			of.body = text_skip(request, i + 4);
			break;
		}
	return of;
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

static struct sip_login login_of(const struct sip_peer *p)
{
	return (struct sip_login){ p->login.user, p->login.password, p->login.realm };
}

static bool has_login(const struct sip_uac *u)
{
	return u->peer && u->peer->login.user[0];
}

static bool say(struct sip_uac *u, bool proxy, const struct sip_challenge *c, const struct sip_digest_of *of, uint32_t count)
{
	struct uac_login *l = proxy ? &u->proxy_login : &u->login;
	const struct sip_login who = login_of(u->peer);
	char cnonce[CNONCE_SIZE];

	rand_token(cnonce, CNONCE_SIZE - 1);
	buf_clear(&l->line);
	buf_str(&l->line, proxy ? "Proxy-Authorization: " : "Authorization: ");
	if (sip_digest_answer(&l->line, c, &who, of, count, cnonce) || buf_str(&l->line, "\r\n")) {
		buf_clear(&l->line);
		return false;
	}
	l->count = count;
	return true;
}

/* The value of the line. */
static struct text said(const struct uac_login *l)
{
	struct text name, value;

	text_cut(buf_as_text(&l->line), ':', &name, &value);
	return text_trim(value);
}

/* ---- challenges ---- */
static bool answer_one(struct sip_uac *u, const struct sip_msg *res, bool proxy, const struct sip_digest_of *of)
{
	struct uac_login *l = proxy ? &u->proxy_login : &u->login;
	struct sip_challenge c;

	if (!challenge_of(res, proxy, u->peer->login.realm, &c))
		return false;
	if (l->line.n && l->ahead)
		sip_auth_drop(u->core->auth_memory, u->peer->name, proxy);
	else if (l->line.n && (!c.stale || l->stale))
		return false; /* the same again: it does not take our word */
	else
		l->stale = l->line.n != 0;
	l->ahead = false;
	return say(u, proxy, &c, of, 1);
}

bool uac_auth_answer(struct sip_uac *u, const struct sip_msg *res)
{
	bool proxy = res->status == 407;
	struct sip_digest_of of;

	if ((res->status != 401 && !proxy) || !has_login(u) || !u->ctx || !is_at_peer(u))
		return false;
	of = sent(sip_ctx_request(u->ctx));
	if (!answer_one(u, res, proxy, &of))
		return false;
	/* A proxy that forked brings the challenges of all whom it asked (RFC 3261 16.7). */
	(void)answer_one(u, res, !proxy, &of);
	u->auth_tries++;
	return true;
}

/* ---- before it is asked ---- */
static bool ahead_one(struct sip_uac *u, bool proxy, const struct sip_digest_of *of)
{
	struct uac_login *l = proxy ? &u->proxy_login : &u->login;
	struct sip_kept_challenge *k = sip_auth_kept(u->core->auth_memory, u->peer->name, proxy, clock_mono_ms(u->core->prm.clock));
	struct sip_challenge c;

	if (l->line.n && !l->ahead)
		return false; /* a challenge has been answered already */
	buf_clear(&l->line);
	if (!k || sip_challenge_parse(&c, buf_as_text(&k->value)) || !text_is(c.realm, u->peer->login.realm))
		return false;
	l->ahead = say(u, proxy, &c, of, k->count + 1);
	k->count += l->ahead;
	return l->ahead;
}

bool uac_auth_ahead(struct sip_uac *u, struct text request)
{
	struct sip_digest_of of;
	bool had = u->login.ahead || u->proxy_login.ahead, made;

	if (!u->core->auth_memory || !has_login(u) || u->ack)
		return false;
	if (!is_at_peer(u)) {
		if (u->login.ahead)
			buf_clear(&u->login.line);
		if (u->proxy_login.ahead)
			buf_clear(&u->proxy_login.line);
		return had;
	}
	of = sent(request);
	made = ahead_one(u, false, &of);
	return ahead_one(u, true, &of) || made || had;
}

/* ---- what is kept ---- */
static void tell_wrong(struct sip_uac *u)
{
	char addr[NET_ADDR_SIZE];
	struct ev_report r;

	sip_ev(u->core, &r, EV_SIP_PROOF_WRONG, NULL);
	ev_str(&r, "gateway", u->peer->name);
	ev_str(&r, "peer", net_addr_print(&u->addr, addr));
	ev_str(&r, "realm", u->peer->login.realm);
	ev_emit(u->core->bus, &r);
}

void uac_auth_done(struct sip_uac *u, const struct sip_msg *res)
{
	int64_t now_ms = clock_mono_ms(u->core->prm.clock);
	const struct sip_hdr *h = sip_msg_hdr(res, SIP_HDR_AUTHENTICATION_INFO);
	struct sip_digest_info info = { 0 };

	if (res->status / 100 != 2 || !has_login(u) || (!u->login.line.n && !u->proxy_login.line.n))
		return;
	const struct sip_login who = login_of(u->peer);
	/* No field of SIP says the same of a proxy: what it kept is counted on. */
	for (; h && u->login.line.n && !info.proven && !info.wrong; h = sip_msg_hdr_next(res, h))
		(void)sip_digest_info(&info, h->value, said(&u->login), &who, res->body);
	if (info.wrong) {
		tell_wrong(u);
		info.nextnonce = TEXT_NONE;
	}
	if (u->login.line.n)
		sip_auth_keep(&u->core->auth_memory, u->peer->name, false, said(&u->login), u->login.count, info.nextnonce, now_ms);
	if (u->proxy_login.line.n)
		sip_auth_keep(&u->core->auth_memory, u->peer->name, true, said(&u->proxy_login), u->proxy_login.count, TEXT_NONE, now_ms);
}

unsigned sip_uac_auth_tries(const struct sip_uac *u)
{
	return u ? u->auth_tries : 0;
}

void sip_uac_put_auth(const struct sip_uac *u, struct buf *b)
{
	if (!u)
		return;
	buf_put(b, u->login.line.p, u->login.line.n);
	buf_put(b, u->proxy_login.line.p, u->proxy_login.line.n);
}
