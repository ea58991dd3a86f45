/* SPDX-License-Identifier: Apache-2.0 */
/* dns_sip.c  RFC 3263 4: a host, a port and a transport become addresses in the order to try. The look-ups go one after the other:
 * NAPTR (when no transport is given), SRV (when no port is given), then A and AAAA of each SRV target, or of the host itself. */
#include <errno.h>
#include "base/mem.h"
#include "base/rand.h"
#include "net/dns_naptr.h"
#include "net/tmr.h"

enum { SRV_TARGETS = 8 };

struct srv {
	char host[DNS_NAME_SIZE];
	uint16_t port, priority, weight;
	uint32_t ttl_s;
};

struct dns_resolve {
	struct dns *dns;
	struct dns_query *query;
	enum net_transport transport; /* asked for; or of the service that is being looked at */
	bool any;                     /* it was NET_ANY */
	bool naptr;                   /* its services come from such records */
	struct dns_service service[DNS_SERVICES];
	unsigned n_services, at_service;
	char host[DNS_NAME_SIZE];
	struct srv srv[SRV_TARGETS];
	unsigned n_srv, at;
	enum dns_type asking;
	bool found_negative;
	struct dns_targets t;
	dns_targets_h *h;
	void *arg;
	struct tmr later;
	struct loop *loop;
};

const char *net_transport_name(enum net_transport t)
{
	static const char *const names[] = { "UDP", "TCP", "TLS", "as DNS says" };
	return names[t];
}

static void finish(void *arg)
{
	struct dns_resolve *r = arg;
	dns_targets_h *h = r->h;
	void *user = r->arg;
	struct dns_targets *t = mem_alloc(sizeof *t);
	static const struct dns_targets no_memory = { .outcome = DNS_SERVFAIL };
	if (t)
		*t = r->t;
	dns_resolve_cancel(r);
	h(t ? t : &no_memory, user);
	mem_free(t);
}

static void note(struct dns_resolve *r, const struct dns_result *res)
{
	if (r->t.n_trail < DNS_TRAIL) {
		struct dns_step *s = &r->t.trail[r->t.n_trail++];
		text_fill(s->name, sizeof s->name, res->name);
		text_fill(s->server, sizeof s->server, res->server);
		s->type = res->type;
		s->outcome = res->outcome;
		s->records = res->n;
	}
	if (res->outcome == DNS_OK && res->ttl_s < r->t.ttl_s)
		r->t.ttl_s = res->ttl_s;
}

static void on_answer(const struct dns_result *res, void *arg);

static void ask(struct dns_resolve *r, const char *name, enum dns_type type)
{
	r->asking = type;
	int err = dns_query(r->dns, &r->query, text_of(name), type, on_answer, r);
	if (err) {
		r->query = NULL;
		r->t.outcome = DNS_SERVFAIL;
		tmr_start(r->loop, &r->later, 0, finish, r);
	}
}

/* RFC 2782: by priority; within one, by lot weighed by weight. Done once, in place, so that load spreads over calls. */
static void order(struct dns_resolve *r)
{
	for (unsigned i = 0; i < r->n_srv; i++) {
		uint32_t sum = 0;
		unsigned best = i;
		for (unsigned k = i; k < r->n_srv; k++)
			if (r->srv[k].priority < r->srv[best].priority)
				best = k;
		uint16_t priority = r->srv[best].priority;
		for (unsigned k = i; k < r->n_srv; k++)
			if (r->srv[k].priority == priority)
				sum += r->srv[k].weight + 1u;
		uint32_t lot = rand_below(sum);
		for (unsigned k = i; k < r->n_srv; k++) {
			if (r->srv[k].priority != priority)
				continue;
			if (lot <= r->srv[k].weight) {
				best = k;
				break;
			}
			lot -= r->srv[k].weight + 1u;
		}
		struct srv swap = r->srv[i];
		r->srv[i] = r->srv[best];
		r->srv[best] = swap;
	}
}

static void next_host(struct dns_resolve *r)
{
	if (r->at < r->n_srv && r->t.n < DNS_TARGETS) {
		struct net_addr literal;
		if (net_addr_parse(&literal, text_of(r->srv[r->at].host), r->srv[r->at].port) == 0) {
			r->at++; /* a target that is an address breaks RFC 2782, and cannot be verified by name */
			next_host(r);
			return;
		}
		ask(r, r->srv[r->at].host, DNS_A);
		return;
	}
	if (r->t.n)
		r->t.outcome = DNS_OK;
	tmr_start(r->loop, &r->later, 0, finish, r);
}

static void take_addresses(struct dns_resolve *r, const struct dns_result *res)
{
	const struct srv *s = &r->srv[r->at];
	for (unsigned i = 0; i < res->n && r->t.n < DNS_TARGETS; i++) {
		struct dns_target *t = &r->t.target[r->t.n++];
		t->addr = res->rec[i].addr;
		t->transport = r->transport;
		net_addr_set_port(&t->addr, s->port);
		text_fill(t->host, sizeof t->host, s->host);
		t->ttl_s = res->ttl_s;
	}
	/* What is told when nothing is found: a failure outweighs "no data", which outweighs nothing. */
	if (res->outcome != DNS_OK && (r->t.outcome == DNS_OK || r->t.outcome == DNS_NODATA))
		r->t.outcome = res->outcome;
}

static void take_srv(struct dns_resolve *r, const struct dns_result *res)
{
	for (unsigned i = 0; i < res->n && r->n_srv < SRV_TARGETS; i++) {
		const struct dns_record *rec = &res->rec[i];
		if (!rec->target[0])
			continue; /* "." : the service is decidedly not there */
		struct srv *s = &r->srv[r->n_srv++];
		*s = (struct srv){ .port = rec->port, .priority = rec->priority, .weight = rec->weight, .ttl_s = rec->ttl_s };
		text_fill(s->host, sizeof s->host, rec->target);
	}
	order(r);
}

static void plain_host(struct dns_resolve *r, uint16_t port)
{
	r->n_srv = 1;
	r->srv[0] = (struct srv){ .port = port ? port : r->transport == NET_TLS ? 5061 : 5060 };
	text_fill(r->srv[0].host, sizeof r->srv[0].host, r->host);
}

/* Which service there is: the next one that has a name is asked for its machines. */
static void next_service(struct dns_resolve *r)
{
	if (r->at_service < r->n_services) {
		const struct dns_service *s = &r->service[r->at_service++];
		r->transport = s->transport;
		ask(r, s->name, DNS_SRV);
		return;
	}
	r->transport = NET_UDP;
	plain_host(r, 0);
	next_host(r);
}

static void default_services(struct dns_resolve *r)
{
	static const struct {
		const char *prefix;
		enum net_transport transport;
	} all[] = { { "_sips._tcp.", NET_TLS }, { "_sip._tcp.", NET_TCP }, { "_sip._udp.", NET_UDP } };
	r->n_services = sizeof all / sizeof all[0];
	for (unsigned i = 0; i < r->n_services; i++) {
		text_print(r->service[i].name, sizeof r->service[i].name, "%s%s", all[i].prefix, r->host);
		r->service[i].transport = all[i].transport;
	}
}

/* The name has no such record, which is an answer; rather than that nobody gave one. */
static bool is_absent(enum dns_outcome o)
{
	return o == DNS_NXDOMAIN || o == DNS_NODATA;
}

static void stop(struct dns_resolve *r, enum dns_outcome outcome)
{
	r->t.outcome = outcome;
	tmr_start(r->loop, &r->later, 0, finish, r);
}

static void take_naptr(struct dns_resolve *r, const struct dns_result *res)
{
	if (res->outcome != DNS_OK && !is_absent(res->outcome)) {
		stop(r, res->outcome);
		return;
	}
	r->n_services = res->outcome == DNS_OK ? dns_naptr_services(res, r->service) : 0;
	r->naptr = r->n_services > 0;
	if (!r->n_services)
		default_services(r);
	next_service(r);
}

static void service_answered(struct dns_resolve *r, const struct dns_result *res)
{
	take_srv(r, res);
	if (r->n_srv) {
		if (r->naptr)
			(void)text_print(r->t.by, sizeof r->t.by, "NAPTR %s, SRV %s", r->host, res->name);
		else
			(void)text_print(r->t.by, sizeof r->t.by, "SRV %s", res->name);
		next_host(r);
	} else if (!r->any) {
		plain_host(r, 0);
		next_host(r);
	} else if (res->outcome == DNS_OK || is_absent(res->outcome)) {
		next_service(r);
	} else {
		stop(r, res->outcome);
	}
}

static void on_answer(const struct dns_result *res, void *arg)
{
	struct dns_resolve *r = arg;
	r->query = NULL;
	note(r, res);
	if (r->asking == DNS_NAPTR) {
		take_naptr(r, res);
		return;
	}
	if (r->asking == DNS_SRV) {
		service_answered(r, res);
		return;
	}
	take_addresses(r, res);
	/* NXDOMAIN holds for every type of that name. */
	if (r->asking == DNS_A && res->outcome != DNS_NXDOMAIN) {
		ask(r, r->srv[r->at].host, DNS_AAAA);
		return;
	}
	r->at++;
	next_host(r);
}

int dns_resolve_sip(struct dns *dns, struct dns_resolve **rp, struct text host, uint16_t port, enum net_transport transport, dns_targets_h *h, void *arg)
{
	static const char *const service[] = { "_sip._udp.", "_sip._tcp.", "_sips._tcp.", "_sips._tcp." };
	struct dns_resolve *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return ENOMEM;
	r->dns = dns;
	r->loop = dns_loop(dns);
	r->any = transport == NET_ANY;
	r->transport = r->any ? NET_UDP : transport;
	r->h = h;
	r->arg = arg;
	r->t.ttl_s = UINT32_MAX;
	struct net_addr literal;
	char name[DNS_NAME_SIZE];
	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	int err = host.n && !text_copy(host, r->host, sizeof r->host) ? 0 : EINVAL;
	if (!err && net_addr_parse(&literal, host, port ? port : transport == NET_TLS ? 5061 : 5060) == 0) {
		r->t.target[0].addr = literal;
		r->t.target[0].transport = r->transport;
		text_fill(r->t.target[0].host, sizeof r->t.target[0].host, r->host);
		r->t.n = 1;
		tmr_start(r->loop, &r->later, 0, finish, r);
	} else if (!err && port) {
		plain_host(r, port);
		err = dns_query(dns, &r->query, host, DNS_A, on_answer, r);
		r->asking = DNS_A;
	} else if (!err) {
		/* The longest name that may have to be asked for fits, or none is asked for. */
		err = text_print(name, sizeof name, "%s%s", service[transport], r->host) ? EINVAL : 0;
		r->asking = r->any ? DNS_NAPTR : DNS_SRV;
		if (!err)
			err = dns_query(dns, &r->query, r->any ? host : text_of(name), r->asking, on_answer, r);
	}
	if (err) {
		mem_free(r);
		return err;
	}
	if (rp)
		*rp = r;
	return 0;
}

void dns_resolve_cancel(struct dns_resolve *r)
{
	if (!r)
		return;
	dns_cancel(r->query);
	tmr_cancel(&r->later);
	mem_free(r);
}
