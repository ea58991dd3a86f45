/* SPDX-License-Identifier: Apache-2.0 */
/* look.c  Name -> addresses -> one connection after the other until somebody shows a certificate -> a while, in which he may object -> goodbye. */
#include "cert/look.h"
#include <errno.h>
#include "base/mem.h"
#include "net/tmr.h"
#include "cert_events.h"
#include "trust/pem.h"
#include "trust/tls_filter.h"

enum { CONNECT_MS = 4000, HANDSHAKE_MS = 5000, OBJECT_MS = 400 };

struct cert_look {
	struct cert_look_prm prm; /* set and peer are references */
	struct dns_resolve *resolve;
	struct dns_targets *targets;
	unsigned at;
	struct conn *conn;
	struct trust_identity *ours;
	struct tmr timer;
	STACK_OF(X509) *chain;
	struct trust_facts facts;
	struct trust_verdict verdict;
	cert_look_h *h;
	void *arg;
};

static void look_free(struct cert_look *l)
{
	tmr_cancel(&l->timer);
	if (l->resolve)
		dns_resolve_cancel(l->resolve);
	mem_unref(l->conn);
	sk_X509_pop_free(l->chain, X509_free);
	mem_free(l->targets);
	mem_unref(l->prm.set);
	mem_unref(l->prm.peer);
	mem_free(l);
}

static void over(struct cert_look *l)
{
	struct cert_look_result res = { .chain = l->chain, .shown_cn = l->ours ? trust_identity_cn(l->ours) : "", .verdict = &l->verdict, .by = l->targets->by };
	struct trust_facts *f = &l->facts;
	f->gateway[0] = '\0';
	facts_target(f, l->prm.peer->host, l->prm.peer->port ? l->prm.peer->port : 5061, f->peer_addr);
	trust_set_facts(l->prm.set, f);
	trust_explain(f, &l->verdict);
	res.accepted = f->tls.done && !trust_verdict_bad(&l->verdict);
	l->h(&res, l->arg);
	look_free(l);
}

static void on_over(void *arg)
{
	over(arg);
}

static void next_address(struct cert_look *l);

static void no_objection(void *arg)
{
	struct cert_look *l = arg;
	conn_close(l->conn);
}

static void on_established(struct conn *c, void *arg)
{
	struct cert_look *l = arg;
	tmr_start(conn_loop(c), &l->timer, OBJECT_MS, no_objection, l);
}

static void on_recv(struct conn *c, const uint8_t *data, size_t n, void *arg)
{
	(void)c, (void)data, (void)n, (void)arg; /* nothing was asked */
}

static void on_closed(struct conn *c, const struct conn_end *end, void *arg)
{
	struct cert_look *l = arg;
	struct tls *tls = tls_of_conn(c);
	char addr[NET_ADDR_SIZE];
	tmr_cancel(&l->timer);
	if (!tls_conn_facts(c, &l->facts))
		facts_init(&l->facts, TRUST_DIALLED, TRUST_TLS, clock_real_s(l->prm.clock));
	l->facts.tls.used = true;
	text_fill(l->facts.peer_addr, sizeof l->facts.peer_addr, net_addr_print(conn_peer(c), addr));
	facts_conn_end(&l->facts, end);
	if (tls && tls_shown(tls))
		l->chain = X509_chain_up_ref(tls_shown(tls));
	l->conn = mem_unref(l->conn);
	if (l->chain || l->at >= l->targets->n)
		over(l);
	else
		next_address(l);
}

static const struct conn_handlers handlers = { .established = on_established, .recv = on_recv, .closed = on_closed };

static int dial(struct cert_look *l, const struct net_addr *to)
{
	const struct sip_peer *p = l->prm.peer;
	struct conn_filter filter;
	struct net_addr literal;
	const char *sni = *p->sni ? p->sni : p->host;
	struct tls_filter_prm prm = { .loop = l->prm.loop, .crypto = l->prm.crypto, .handshake_ms = HANDSHAKE_MS };
	prm.tls = (struct tls_prm){ .role = TRUST_DIALLED, .set = l->prm.set, .policy = p->policy, .clock = l->prm.clock, .limits = p->tls, .identity = l->ours,
		                    .no_identity = !l->ours, .sni = net_addr_parse(&literal, text_of(sni), 0) == 0 ? NULL : sni };
	int err = tls_filter_make(&filter, &prm);
	return err ? err : conn_connect(&l->conn, l->prm.loop, to, NULL, CONNECT_MS, &filter, &handlers, l);
}

static void next_address(struct cert_look *l)
{
	int err = EHOSTUNREACH;
	while (err && l->at < l->targets->n)
		err = dial(l, &l->targets->target[l->at++].addr);
	if (!err)
		return;
	facts_init(&l->facts, TRUST_DIALLED, TRUST_TLS, clock_real_s(l->prm.clock));
	facts_connect(&l->facts, err, 0);
	tmr_start(l->prm.loop, &l->timer, 0, on_over, l);
}

static void on_targets(const struct dns_targets *t, void *arg)
{
	struct cert_look *l = arg;
	static const enum trust_dns_outcome outcome[] = {
		[DNS_OK] = TRUST_DNS_OK, [DNS_NXDOMAIN] = TRUST_DNS_NXDOMAIN, [DNS_NODATA] = TRUST_DNS_NODATA, [DNS_SERVFAIL] = TRUST_DNS_SERVFAIL,
		[DNS_REFUSED] = TRUST_DNS_REFUSED, [DNS_TIMEOUT] = TRUST_DNS_TIMEOUT, [DNS_MALFORMED] = TRUST_DNS_MALFORMED, [DNS_NO_SERVER] = TRUST_DNS_NO_SERVER };
	l->resolve = NULL;
	*l->targets = *t;
	if (t->outcome == DNS_OK && t->n && t->target[0].transport != NET_TLS) {
		struct cert_look_result res = { .shown_cn = "", .plain = net_transport_name(t->target[0].transport), .by = l->targets->by };
		l->h(&res, l->arg);
		look_free(l);
		return;
	}
	if (t->outcome == DNS_OK && t->n) {
		next_address(l);
		return;
	}
	const struct dns_step *last = t->n_trail ? &t->trail[t->n_trail - 1] : NULL;
	facts_init(&l->facts, TRUST_DIALLED, TRUST_TLS, clock_real_s(l->prm.clock));
	facts_dns(&l->facts, outcome[t->outcome], last ? last->name : l->prm.peer->host, last ? dns_type_name(last->type) : "A", last ? last->server : "");
	over(l);
}

int cert_look_start(struct cert_look **lp, const struct cert_look_prm *prm, cert_look_h *h, void *arg)
{
	struct cert_look *l = mem_zalloc(1, sizeof *l);
	struct net_addr literal;
	const struct sip_peer *p = prm->peer;
	uint16_t port = p->port ? p->port : 5061;
	if (!l)
		return ENOMEM;
	l->prm = *prm;
	l->prm.set = mem_ref(prm->set);
	l->prm.peer = mem_ref(prm->peer);
	l->h = h;
	l->arg = arg;
	l->ours = trust_set_find(prm->set, p->identity);
	l->targets = mem_zalloc(1, sizeof *l->targets);
	int err = l->targets ? 0 : ENOMEM;
	if (!err && p->transport != NET_ANY && net_addr_parse(&literal, text_of(p->host), port) == 0) {
		l->targets->n = 1;
		l->targets->target[0].addr = literal;
		next_address(l);
	} else if (!err) {
		err = prm->dns ? dns_resolve_sip(prm->dns, &l->resolve, text_of(p->host), p->port, p->transport == NET_ANY ? NET_ANY : NET_TLS, on_targets, l) : EINVAL;
	}
	if (err)
		look_free(l);
	else
		*lp = l;
	return err;
}

void cert_look_cancel(struct cert_look *l)
{
	if (l->conn)
		conn_abort(l->conn, false);
	look_free(l);
}

int cert_look_peer(struct sip_peer **pp, const char *host, uint16_t port)
{
	struct sip_peer *p = sip_peer_create();
	int err = p ? trust_policy_one(&p->policy, host, TRUST_RULE_RFC9525, &host, 1) : ENOMEM;
	if (err) {
		mem_unref(p);
		return err;
	}
	text_fill(p->name, sizeof p->name, host);
	text_fill(p->host, sizeof p->host, host);
	p->port = port;
	p->transport = NET_TLS;
	p->rule = TRUST_RULE_RFC9525;
	*pp = p;
	return 0;
}

json_t *cert_look_json(const struct cert_look_result *res, const struct sip_peer *peer)
{
	struct buf pem;
	char from[640], words[1200];
	struct ev_report plain = { 0 };
	int err = 0;
	buf_init(&pem, TRUST_PEM_MAX);
	for (int i = 0; !err && res->chain && i < sk_X509_num(res->chain); i++)
		err = trust_pem_put_cert(&pem, sk_X509_value(res->chain, i));
	const char *chain = !err && pem.n ? buf_cstr(&pem) : "";
	text_print(from, sizeof from, "as %s:%u showed it, not proven, %s%s", peer->host, peer->port ? peer->port : 5061,
	           *res->shown_cn ? "when it was dialled as CN " : "to somebody without a certificate", res->shown_cn);
	json_t *o = json_object();
	json_object_set_new(o, "seen", json_boolean(*chain != 0));
	json_object_set_new(o, "pem", json_string(chain));
	json_object_set_new(o, "from", json_string(from));
	json_object_set_new(o, "accepted", json_boolean(res->accepted));
	json_object_set_new(o, "decided_by", json_string(res->by ? res->by : ""));
	if (res->plain) {
		ev_set(&plain, EV_CERT_LOOK_PLAIN);
		ev_str(&plain, "name", peer->host);
		ev_str(&plain, "transport", res->plain);
		ev_str(&plain, "records", *res->by ? res->by : "-");
	}
	json_object_set_new(o, "verdict", json_string(res->accepted || res->plain ? "" : res->verdict->name));
	json_object_set_new(o, "sentence", json_string(res->accepted ? "" : res->plain ? ev_sentence(&plain, words, sizeof words) : res->verdict->sentence));
	json_object_set_new(o, "advice", json_string(res->accepted || res->plain ? "" : res->verdict->advice));
	buf_free(&pem);
	return o;
}
