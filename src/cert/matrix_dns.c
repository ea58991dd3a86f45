/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_dns.c  First the names (A and AAAA, SRV), all at once; when they are answered, the addresses (PTR). */
#include "cert/matrix_dns.h"
#include <arpa/inet.h>
#include <errno.h>
#include "base/mem.h"
#include "cert/matrix_private.h"

enum { QUESTIONS_MAX = 512 };

struct question {
	struct matrix_asking *a;
	struct dns_query *query; /* NULL: answered, or never asked */
	char name[TRUST_NAME_SIZE]; /* as it stands in the model: for PTR the address */
	enum dns_type type;
};

/* A gateway whose transport is for DNS to say: asked as the SIP core asks. */
struct transport_asked {
	struct matrix_asking *a;
	struct matrix_gateway *g;
	struct dns_resolve *resolve; /* NULL: answered */
};

struct matrix_asking {
	struct dns *dns;
	struct matrix_model *m;
	matrix_asked_h *h;
	void *arg;
	struct question *q;
	unsigned n, waiting;
	struct transport_asked *t; /* n_t of them */
	unsigned n_t;
	bool addresses; /* the second round */
	int err;
};

static void next_round(struct matrix_asking *a);

static void asking_free(struct matrix_asking *a)
{
	mem_free(a->q);
	mem_free(a->t);
	mem_free(a);
}

static bool asked_already(const struct matrix_asking *a, const char *name, enum dns_type type)
{
	for (unsigned i = 0; i < a->n; i++)
		if (a->q[i].type == type && matrix_same_name(a->q[i].name, name))
			return true;
	return false;
}

/* ---- answers ---- */

static struct matrix_dns *entry(struct matrix_model *m, const char *name, const char *type, const char *outcome)
{
	struct matrix_dns *d = (struct matrix_dns *)(uintptr_t)matrix_find_dns(m, name, type);
	return d ? d : matrix_add_dns(m, name, type, outcome);
}

static void add_value(struct matrix_dns *d, const struct dns_record *r)
{
	char words[NET_ADDR_SIZE + DNS_NAME_SIZE];
	if (r->type == DNS_A || r->type == DNS_AAAA)
		net_addr_print_host(&r->addr, words);
	else if (r->type == DNS_SRV)
		text_print(words, sizeof words, "%u %u %u %s", r->priority, r->weight, r->port, r->target);
	else
		text_fill(words, sizeof words, r->target);
	trust_names_add_str(&d->values, words);
}

static void on_answer(const struct dns_result *res, void *arg)
{
	struct question *q = arg;
	struct matrix_asking *a = q->a;
	const char *type = q->type == DNS_AAAA ? "A" : dns_type_name(q->type), *outcome = dns_outcome_name(res->outcome);
	struct matrix_dns *d = entry(a->m, q->name, type, outcome);
	q->query = NULL;
	if (!d) {
		a->err = ENOMEM;
	} else {
		/* Addresses of one family are enough; and that there are none of the other says less than any other failure. */
		if (res->outcome == DNS_OK || (strcmp(d->outcome, "OK") != 0 && res->outcome != DNS_NODATA))
			text_fill(d->outcome, sizeof d->outcome, outcome);
		for (unsigned i = 0; i < res->n; i++)
			add_value(d, &res->rec[i]);
	}
	if (--a->waiting == 0)
		next_round(a);
}

static void on_transport(const struct dns_targets *t, void *arg)
{
	struct transport_asked *q = arg;
	struct matrix_asking *a = q->a;
	q->resolve = NULL;
	if (t->outcome == DNS_OK && t->n) {
		q->g->tls = t->target[0].transport == NET_TLS;
		text_fill(q->g->transport, sizeof q->g->transport, net_transport_name(t->target[0].transport));
		text_fill(q->g->by, sizeof q->g->by, t->by);
	}
	if (--a->waiting == 0)
		next_round(a);
}

/* ---- questions ---- */

static void put_transport(struct matrix_asking *a, struct matrix_gateway *g)
{
	struct transport_asked *q = &a->t[a->n_t];
	*q = (struct transport_asked){ .a = a, .g = g };
	int err = dns_resolve_sip(a->dns, &q->resolve, text_of(g->address), g->port, NET_ANY, on_transport, q);
	if (!err)
		a->n_t++, a->waiting++;
	else if (err == ENOMEM)
		a->err = ENOMEM;
}

static void put(struct matrix_asking *a, const char *in_model, const char *question, enum dns_type type)
{
	if (a->err || !*question || a->n == QUESTIONS_MAX || asked_already(a, in_model, type))
		return;
	struct question *q = &a->q[a->n];
	*q = (struct question){ .a = a, .type = type };
	text_fill(q->name, sizeof q->name, in_model);
	a->n++;
	int err = dns_query(a->dns, &q->query, text_of(question), type, on_answer, q);
	if (!err)
		a->waiting++;
	else if (err == ENOMEM)
		a->err = ENOMEM;
}

static void put_name(struct matrix_asking *a, const char *name)
{
	struct net_addr literal;
	if (net_addr_parse(&literal, text_of(name), 0) == 0)
		return;
	put(a, name, name, DNS_A);
	put(a, name, name, DNS_AAAA);
}

/* RFC 1035 3.5, RFC 3596 2.5. */
static bool reverse_name(const char *address, char *dst, size_t size)
{
	uint8_t b[16];
	size_t at = 0;
	if (inet_pton(AF_INET, address, b) == 1)
		return text_print(dst, size, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]) == 0;
	if (inet_pton(AF_INET6, address, b) != 1 || size < 80)
		return false;
	for (int i = 15; i >= 0; i--) {
		text_print(dst + at, size - at, "%x.%x.", b[i] & 15, b[i] >> 4);
		at += 4;
	}
	return text_print(dst + at, size - at, "ip6.arpa") == 0;
}

static void put_address(struct matrix_asking *a, const char *address)
{
	char name[128];
	if (reverse_name(address, name, sizeof name))
		put(a, address, name, DNS_PTR);
}

static void ask_names(struct matrix_asking *a)
{
	const struct matrix_model *m = a->m;
	for (unsigned i = 0; i < m->n_nodes; i++) {
		char srv[TRUST_NAME_SIZE + 16];
		put_name(a, m->nodes[i].fqdn);
		put_name(a, m->nodes[i].service);
		if (*m->nodes[i].service && text_print(srv, sizeof srv, "_sips._tcp.%s", m->nodes[i].service) == 0)
			put(a, srv, srv, DNS_SRV);
	}
	for (unsigned i = 0; i < m->n_gateways && !a->err; i++)
		if (m->gateways[i].any)
			put_transport(a, &m->gateways[i]);
		else if (m->gateways[i].tls)
			put_name(a, m->gateways[i].address);
}

static void ask_addresses(struct matrix_asking *a)
{
	const struct matrix_model *m = a->m;
	for (unsigned i = 0; i < m->n_nodes; i++) {
		const struct matrix_dns *d = matrix_find_dns(m, m->nodes[i].fqdn, "A");
		for (unsigned k = 0; d && k < d->values.n; k++)
			put_address(a, trust_names_at(&d->values, k));
	}
}

static void over(struct matrix_asking *a)
{
	matrix_asked_h *h = a->h;
	void *arg = a->arg;
	int err = a->err;
	a->m->dns_asked = true;
	asking_free(a);
	h(err, arg);
}

static void next_round(struct matrix_asking *a)
{
	if (!a->addresses) {
		a->addresses = true;
		a->waiting = 1; /* ourselves, so that an answer from the cache does not end it early */
		ask_addresses(a);
		if (--a->waiting)
			return;
	}
	over(a);
}

static void begin(void *arg)
{
	struct matrix_asking *a = arg;
	if (!a->h) { /* cancelled before it began */
		asking_free(a);
		return;
	}
	a->waiting = 1;
	ask_names(a);
	if (--a->waiting == 0)
		next_round(a);
}

int matrix_ask_dns(struct matrix_asking **ap, struct dns *dns, struct matrix_model *m, matrix_asked_h *h, void *arg)
{
	struct matrix_asking *a = mem_zalloc(1, sizeof *a);
	if (!a)
		return ENOMEM;
	*a = (struct matrix_asking){ .dns = dns, .m = m, .h = h, .arg = arg, .q = mem_zalloc(QUESTIONS_MAX, sizeof *a->q) };
	a->t = m->n_gateways ? mem_zalloc(m->n_gateways, sizeof *a->t) : NULL;
	int err = a->q && (a->t || !m->n_gateways) ? loop_post(dns_loop(dns), begin, a) : ENOMEM;
	if (err) {
		asking_free(a);
		return err;
	}
	*ap = a;
	return 0;
}

void matrix_ask_cancel(struct matrix_asking *a)
{
	bool begun = a->n > 0 || a->n_t > 0;
	for (unsigned i = 0; i < a->n; i++)
		if (a->q[i].query)
			dns_cancel(a->q[i].query);
	for (unsigned i = 0; i < a->n_t; i++)
		if (a->t[i].resolve)
			dns_resolve_cancel(a->t[i].resolve);
	a->h = NULL;
	if (begun) {
		asking_free(a);
	}
}
