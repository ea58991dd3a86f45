/* SPDX-License-Identifier: Apache-2.0 */
/* calltest_setup.c  Everything that the test caller stands on: loop, names, certificates, media, the SIP core. */
#include <errno.h>
#include "base/mem.h"
#include "cli/calltest_private.h"
#include "cli_events.h"
#include "sip/uri.h"

static int bad(struct ev_report *why, const char *what, const char *value)
{
	ev_set(why, EV_CALLTEST_ARGUMENT);
	ev_str(why, "what", what);
	ev_str(why, "value", value);
	return EINVAL;
}

static enum net_transport transport_of(const struct sip_uri *u)
{
	struct text t;
	if (u->scheme == SIP_SCHEME_SIPS)
		return NET_TLS;
	if (!sip_uri_param(u, "transport", &t))
		return NET_UDP;
	return text_is_nocase(t, "tls") ? NET_TLS : text_is_nocase(t, "tcp") ? NET_TCP : NET_UDP;
}

/* Who is called, through whom. */
static int make_peer(struct calltest *ct, struct ev_report *why)
{
	const struct calltest_prm *prm = ct->prm;
	struct sip_refusal refusal;
	struct sip_uri u = { 0 };
	struct text host = TEXT("127.0.0.1");
	enum sip_host_kind kind;
	uint16_t port = 0;
	ct->peer = sip_peer_create();
	if (!ct->peer)
		return ENOMEM;
	text_fill(ct->peer->name, sizeof ct->peer->name, "test");
	if (prm->uri) {
		if (sip_uri_parse(&u, text_of(prm->uri), &refusal) || (u.scheme != SIP_SCHEME_SIP && u.scheme != SIP_SCHEME_SIPS))
			return bad(why, "the address to call is no sip: URI", prm->uri);
		host = u.host;
		port = u.port;
		ct->peer->transport = transport_of(&u);
	}
	if (prm->proxy && sip_hostport_parse(text_of(prm->proxy), &host, &kind, &port, &refusal))
		return bad(why, "the proxy is no host or host:port", prm->proxy);
	if (text_copy(host, ct->peer->host, sizeof ct->peer->host))
		return bad(why, "the host is too long", prm->uri);
	ct->peer->port = port;
	ct->peer->reuse = SIP_REUSE_ANY;
	ct->peer->srtp = prm->srtp;
	ct->peer->rule = TRUST_RULE_SAN_OR_CN;
	ct->peer->believes_headers = true;
	ct->peer->policy = mem_ref(ct->policy);
	return 0;
}

static int make_trust(struct calltest *ct, struct ev_report *why)
{
	const struct calltest_prm *prm = ct->prm;
	struct trust_set *set = NULL;
	struct trust_identity *id = NULL;
	if (!prm->cert && !prm->key && !prm->ca)
		return 0;
	if (!prm->cert || !prm->key || !prm->ca)
		return bad(why, "mutual TLS needs all three: --cert, --key and --ca", "");
	struct trust_identity_prm ip = { .name = "test", .cert_file = prm->cert, .key_file = prm->key };
	int err = trust_set_create(&set);
	if (!err)
		err = trust_identity_load(&id, &ip, why);
	if (!err)
		err = trust_set_identity(set, id);
	if (!err)
		err = trust_set_anchor_file(set, prm->ca, NULL, why);
	if (!err)
		err = trust_keeper_create(&ct->keeper, set);
	mem_unref(id);
	mem_unref(set);
	return err;
}

/* The name that the other side must prove: asked for, or the host that is dialled. */
static int make_policy(struct calltest *ct, struct ev_report *why)
{
	struct sip_refusal refusal;
	struct sip_uri u;
	char host[SIP_HOST_SIZE] = "";
	const char *name = ct->prm->accept_name;
	if (!name && ct->prm->uri && sip_uri_parse(&u, text_of(ct->prm->uri), &refusal) == 0 && text_copy(u.host, host, sizeof host) == 0)
		name = host;
	int err = trust_policy_one(&ct->policy, "test", TRUST_RULE_SAN_OR_CN, &name, name ? 1 : 0);
	return err == EINVAL ? bad(why, "no name can be accepted of", name) : err;
}

/* "tls:127.0.0.1:5080" */
static int parse_listen(struct calltest *ct, struct sip_listen *l, struct ev_report *why)
{
	struct text word, rest;
	if (!ct->prm->listen) {
		*l = (struct sip_listen){ .transport = ct->peer->transport, .addr = ct->local };
		return 0;
	}
	text_cut(text_of(ct->prm->listen), ':', &word, &rest);
	l->transport = text_is(word, "tls") ? NET_TLS : text_is(word, "tcp") ? NET_TCP : NET_UDP;
	if ((!text_is(word, "udp") && !text_is(word, "tcp") && !text_is(word, "tls")) ||
	    net_addr_parse_port(&l->addr, rest, l->transport == NET_TLS ? 5061 : 5060))
		return bad(why, "--listen takes udp:, tcp: or tls: and an address with a port, not", ct->prm->listen);
	ct->local = l->addr;
	net_addr_set_port(&ct->local, 0);
	return 0;
}

static int lookup(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg)
{
	struct calltest *ct = arg;
	(void)src;
	(void)why;
	*peer = mem_ref(ct->peer);
	return 0;
}

static void found(const struct dns_targets *t, void *arg)
{
	struct calltest *ct = arg;
	if (t->n)
		(void)net_addr_local_for(&ct->local, &t->target[0].addr);
	loop_stop(ct->loop);
}

/* The address from which the target is reached: SIP and media are bound there. */
static int find_local(struct calltest *ct, struct ev_report *why)
{
	int err = dns_resolve_sip(ct->dns, NULL, text_of(ct->peer->host), ct->peer->port, ct->peer->transport, found, ct);
	if (!err)
		loop_run(ct->loop);
	if (!err && net_addr_is_set(&ct->local))
		return 0;
	return bad(why, "no address was found for", ct->peer->host);
}

static void print_trace(const struct sip_trace *t, void *arg)
{
	char peer[NET_ADDR_SIZE];
	(void)arg;
	char *copy = text_dup(text_make(t->data, t->n)); /* without keys of SRTP */
	if (copy)
		sdes_strike(copy, t->n);
	fprintf(stderr, "---- %s %s %s\n%.*s\n", t->in ? "from" : "to", net_transport_name(t->transport), net_addr_print(&t->peer, peer), copy ? (int)t->n : 0,
	        copy ? copy : "");
	mem_free(copy);
}

static int make_core(struct calltest *ct, struct ev_report *why)
{
	struct sip_core_prm prm = {
		.loop = ct->loop, .clock = clock_system(), .dns = ct->dns, .crypto = ct->crypto, .trust = ct->keeper, .accept = ct->policy,
		.n_listen = 1, .lookup = lookup, .offered = calltest_offered, .arg = ct,
	};
	prm.timers.t1 = (unsigned)ct->prm->t1_ms;
	int err = parse_listen(ct, &prm.listen[0], why);
	if (!err && prm.listen[0].transport == NET_TLS && !ct->keeper)
		err = bad(why, "TLS needs --cert, --key and --ca", "");
	if (!err)
		err = sip_core_create(&ct->core, &prm, why);
	if (!err && ct->prm->trace)
		sip_core_tracer(ct->core, print_trace, ct);
	return err;
}

int calltest_setup(struct calltest *ct, struct ev_report *why)
{
	int err = loop_create(&ct->loop, clock_system());
	if (!err)
		err = metrics_create(&ct->metrics);
	if (!err)
		err = dns_create(&ct->dns, ct->loop, ct->prm->dns);
	if (!err)
		err = pool_create(&ct->crypto, ct->loop, "crypto", 1, 16);
	if (!err)
		err = make_trust(ct, why);
	if (!err)
		err = make_policy(ct, why);
	if (!err)
		err = make_peer(ct, why);
	if (!err && ct->prm->uri)
		err = find_local(ct, why);
	struct media_engine_prm mp = { .loop = ct->loop, .clock = clock_system(), .metrics = ct->metrics, .threads = 1 };
	if (!err)
		err = media_engine_create(&ct->media, &mp, why);
	return err ? err : make_core(ct, why);
}

void calltest_teardown(struct calltest *ct)
{
	for (int i = 0; i < 2; i++) {
		if (ct->side[i].leg)
			leg_handler(ct->side[i].leg, NULL, NULL);
		mem_unref(ct->side[i].leg);
	}
	sip_core_destroy(ct->core);
	media_engine_destroy(ct->media);
	for (int i = 0; i < 2; i++)
		if (ct->side[i].ct)
			ear_free(&ct->side[i].ear);
	prompt_set_close(ct->prompts);
	mem_unref(ct->peer);
	mem_unref(ct->policy);
	trust_keeper_destroy(ct->keeper);
	pool_destroy(ct->crypto);
	dns_destroy(ct->dns);
	tmr_cancel(&ct->limit);
	tmr_cancel(&ct->poll);
	tmr_cancel(&ct->whole);
	loop_destroy(ct->loop);
	metrics_destroy(ct->metrics);
	match_free(&ct->sound);
}

int side_open(struct calltest *ct, struct side *s, media_event_h *h, struct ev_report *why)
{
	struct media_port_prm pp = { .local = &ct->local, .handler = h, .arg = s };
	struct media_record_prm rp = { .format = MEDIA_L16 };
	s->ct = ct;
	ear_init(&s->ear);
	int err = media_port_open(&s->port, ct->media, &pp, why);
	rp.sink = &s->ear.sink;
	return err ? err : media_record(s->port, &rp, &s->rec_id);
}
