/* SPDX-License-Identifier: Apache-2.0 */
/* judge_more.c  What lies beside a conversation: another one with the same peer that went well, and questions to DNS. */
#include "capture/judge_private.h"
#include <openssl/x509.h>
#include "base/text.h"

enum { NXDOMAIN = 3, SERVFAIL = 2, REFUSED = 5, DNS_SRV_TYPE = 33, DNS_NAPTR_TYPE = 35, LATE_US = 2000000 };

/* An answer of the peer to a request of ours, the last one; NULL. */
static const struct cap_txn *answered(const struct cap_talk *t, unsigned we)
{
	const struct cap_txn *best = NULL;
	for (unsigned i = 0; i < t->n_txns && i < CAP_TXNS; i++)
		if (t->txn[i].side == we && t->txn[i].status)
			best = &t->txn[i];
	return best;
}

static bool same_service(const struct cap_talk *a, const struct cap_talk *b)
{
	return strcmp(a->side[CAP_SERVER].host, b->side[CAP_SERVER].host) == 0 && a->side[CAP_SERVER].port == b->side[CAP_SERVER].port &&
	       strcmp(a->side[CAP_CLIENT].host, b->side[CAP_CLIENT].host) == 0;
}

static bool silence(const struct trust_facts *f)
{
	return f->role == TRUST_DIALLED && f->tls.done && !f->sip.received && f->ours.shown;
}

/* Only an answer whose number can be read is told of; and only if our certificate had another name there. */
void cap_judge_second(struct cap_judgement *j, const struct cap_book *b, const struct cap_talk *t)
{
	struct trust_facts *f = &j->facts;
	struct trust_cert c;
	if (!silence(f))
		return;
	for (unsigned i = 0; i < b->n_talks; i++) {
		const struct cap_talk *o = b->talk[i];
		const struct cap_txn *x;
		if (o == t || !same_service(t, o) || !(x = answered(o, CAP_CLIENT)))
			continue;
		cap_side_cert(&c, &o->side[CAP_CLIENT]);
		if (!c.shown || text_is_nocase(text_of(c.cn), f->ours.cn))
			continue;
		facts_second(f, TRUST_SECOND_IDENTITY, c.cn, c.cn, TRUST_SECOND_ANSWERED, x->status);
		return;
	}
	for (unsigned i = 0; i < b->n_talks; i++) { /* the peer's own connection to us */
		const struct cap_talk *o = b->talk[i];
		const struct cap_txn *x;
		if (strcmp(o->side[CAP_CLIENT].host, t->side[CAP_SERVER].host) != 0 || strcmp(o->side[CAP_SERVER].host, t->side[CAP_CLIENT].host) != 0 ||
		    !o->tls || !(x = answered(o, CAP_SERVER)))
			continue;
		facts_second(f, TRUST_SECOND_PEERS_CONNECTION, "", "", TRUST_SECOND_ANSWERED, x->status);
		return;
	}
}

static X509 *certificate(const struct cap_side *s, unsigned i)
{
	const uint8_t *p = s->cert[i].p;
	return i < s->n_certs ? d2i_X509(NULL, &p, (long)s->cert[i].n) : NULL;
}

void cap_judge_profile(struct cap_judgement *j, const struct cap_talk *t)
{
	const struct trust_facts *f = &j->facts;
	const struct cap_side *us = &t->side[j->we];
	const struct trust_profile *p = f->judges.configured ? trust_profile_find(f->judges.profile) : NULL;
	X509 *leaf = p ? certificate(us, 0) : NULL;
	STACK_OF(X509) *chain = leaf ? sk_X509_new_null() : NULL;
	if (!leaf)
		return;
	for (unsigned i = 1; i < us->n_certs && chain; i++) {
		X509 *x = certificate(us, i);
		if (x && !sk_X509_push(chain, x))
			X509_free(x);
	}
	trust_profile_judge(p, &(struct trust_question){ .seat = j->we == CAP_CLIENT ? TRUST_SEAT_CLIENT_CERT : TRUST_SEAT_SERVER_CERT, .leaf = leaf, .chain = chain,
							 .reference = j->we == CAP_SERVER && t->hello.sni[0] ? t->hello.sni : NULL,
							 .known = f->judges.known.n ? &f->judges.known : NULL, .now_s = f->now_s,
							 .enabled = TRUST_SWITCHED_ON }, &j->answer);
	j->profile = p;
	sk_X509_pop_free(chain, X509_free);
	X509_free(leaf);
}

/* ---- DNS ---- */

/* "_sips._tcp.example.com" asks for example.com. */
static const char *domain_of(const char *name)
{
	while (*name == '_') {
		const char *dot = strchr(name, '.');
		if (!dot)
			break;
		name = dot + 1;
	}
	return name;
}

static bool is_sip_question(const struct cap_asked *a)
{
	struct text t = text_of(a->name);
	return text_starts_nocase(t, "_sip.") || text_starts_nocase(t, "_sips.") || a->type == DNS_NAPTR_TYPE;
}

static bool is_wanted(const char *domain, const struct cap_prm *prm)
{
	for (unsigned i = 0; i < prm->n_gateways; i++)
		if (text_is_nocase(text_of(domain), prm->gateway[i].address))
			return true;
	return false;
}

static bool asker_speaks_sip(const struct cap_book *b, const struct cap_asked *a)
{
	for (unsigned i = 0; i < b->n_talks; i++)
		if (strcmp(b->talk[i]->side[0].host, a->client) == 0 || strcmp(b->talk[i]->side[1].host, a->client) == 0)
			return true;
	return false;
}

/* Whether the way ended there: a domain without SRV records is still found by its address, and an address in one family is enough. */
static bool found_otherwise(const struct cap_book *b, const char *domain)
{
	static const char *const before[] = { "", "_sips._tcp.", "_sip._tcp.", "_sip._udp.", "_sip._tls." };
	char name[TRUST_NAME_SIZE + 16];
	for (unsigned i = 0; i < sizeof before / sizeof *before; i++) {
		text_print(name, sizeof name, "%s%s", before[i], domain);
		if (cap_book_resolved(b, name))
			return true;
	}
	return false;
}

static const char *type_name(unsigned type)
{
	return type == 1 ? "A" : type == 28 ? "AAAA" : type == DNS_SRV_TYPE ? "SRV" : type == DNS_NAPTR_TYPE ? "NAPTR" : "other";
}

bool cap_judge_asked(struct cap_judgement *j, const struct cap_book *b, const struct cap_asked *a, const struct cap_prm *prm)
{
	const char *domain = domain_of(a->name);
	bool waited = !a->answered_us && b->last_us - a->at_us >= LATE_US;
	if (a->records || (!a->answered_us && !waited) || found_otherwise(b, domain) ||
	    !(is_sip_question(a) || is_wanted(domain, prm) || asker_speaks_sip(b, a) || !b->n_talks))
		return false;
	enum trust_dns_outcome o = waited ? TRUST_DNS_TIMEOUT : a->rcode == NXDOMAIN ? TRUST_DNS_NXDOMAIN : a->rcode == SERVFAIL ? TRUST_DNS_SERVFAIL :
				   a->rcode == REFUSED ? TRUST_DNS_REFUSED : a->rcode ? TRUST_DNS_SERVFAIL : TRUST_DNS_NODATA;
	/* RFC 3263: records of services may be missing; only the address decides. */
	if (is_sip_question(a) && (o == TRUST_DNS_NXDOMAIN || o == TRUST_DNS_NODATA))
		for (unsigned i = 0; i < b->n_asked; i++)
			if (&b->asked[i] != a && text_is_nocase(text_of(domain), b->asked[i].name))
				return false;
	*j = (struct cap_judgement){ .we = CAP_CLIENT };
	facts_init(&j->facts, TRUST_DIALLED, TRUST_TLS, a->at_us / 1000000);
	facts_target(&j->facts, domain, 0, "");
	facts_dns(&j->facts, o, a->name, type_name(a->type), a->server);
	for (unsigned i = 0; i < prm->n_gateways; i++)
		if (text_is_nocase(text_of(domain), prm->gateway[i].address))
			facts_gateway(&j->facts, prm->gateway[i].name, prm->gateway[i].address);
	trust_explain(&j->facts, &j->verdict);
	return true;
}
