/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_names.c  Which name is dialled, where it leads, and which certificate is shown to whoever asks for it. */
#include "cert/matrix_private.h"
#include "net/addr.h"

/* ---- the name that they dial ---- */

static const struct matrix_finder finders[] = {
#define FINDER(profile, how, tries, connect_s, remark) { profile, MATRIX_FINDS_##how, tries, connect_s, remark },
#include "cert/matrix_peers.def"
#undef FINDER
};

const struct matrix_finder *matrix_finder(const struct matrix_gateway *g)
{
	for (size_t i = 0; i < sizeof finders / sizeof *finders; i++)
		if (strcmp(finders[i].profile, g->profile) == 0)
			return &finders[i];
	return NULL;
}

/* What was seen counts most; then the product's way; then the names that it has. */
const char *matrix_dialled(const struct matrix_gateway *g, const struct matrix_node *n, bool *assumed)
{
	const struct matrix_finder *f = matrix_finder(g);
	bool dummy;
	assumed = assumed ? assumed : &dummy;
	*assumed = false;
	if (trust_names_has(&g->dials, n->fqdn))
		return n->fqdn;
	if (*n->service && trust_names_has(&g->dials, n->service))
		return n->service;
	if (f && f->finds == MATRIX_FINDS_NODES && trust_names_has(&g->known, n->fqdn))
		return n->fqdn;
	if (*n->service && (!f || f->finds != MATRIX_FINDS_NODES) && (!g->known.n || trust_names_has(&g->known, n->service)))
		return *assumed = !f, n->service;
	*assumed = true;
	return *n->fqdn ? n->fqdn : n->service;
}

/* ---- the certificate that they see ---- */

static bool covers(const char *pattern, const char *name)
{
	const char *dot = strchr(name, '.');
	return matrix_same_name(pattern, name) || (pattern[0] == '*' && pattern[1] == '.' && dot && matrix_same_name(pattern + 1, dot));
}

/* As trust_set_by_sni() chooses: any DNS name or CN of the certificate. */
static bool holds(const struct trust_cert *c, const char *name)
{
	for (unsigned i = 0; i < c->sans.n; i++) {
		const char *san = trust_names_at(&c->sans, i);
		if (strncmp(san, "DNS:", 4) == 0 && covers(san + 4, name))
			return true;
	}
	for (unsigned i = 0; i < c->cns.n; i++)
		if (covers(trust_names_at(&c->cns, i), name))
			return true;
	return false;
}

const struct matrix_cert *matrix_shown_to_caller(const struct matrix_node *n, const struct matrix_gateway *g, const char *name)
{
	const struct trust_profile *p = trust_profile_find(g->profile);
	bool asks = !p || trust_profile_sends_sni(p) != 0;
	for (unsigned i = 0; asks && name && *name && i < n->n_shown; i++)
		if (holds(&n->shown[i].cert->facts, name))
			return n->shown[i].cert;
	return n->n_shown ? n->shown[0].cert : NULL;
}

const struct matrix_cert *matrix_shown_by_us(const struct matrix_node *n, const struct matrix_gateway *g)
{
	for (unsigned i = 0; *g->identity && i < n->n_shown; i++)
		if (strcmp(n->shown[i].identity, g->identity) == 0)
			return n->shown[i].cert;
	return n->n_shown ? n->shown[0].cert : NULL;
}

/* ---- where a name leads ---- */

static bool has_address(const struct matrix_node *n, const char *host)
{
	struct net_addr want, mine;
	if (net_addr_parse(&want, text_of(host), 0))
		return false;
	for (unsigned i = 0; i < n->addresses.n; i++)
		if (net_addr_parse_port(&mine, text_of(trust_names_at(&n->addresses, i)), 5061) == 0 && net_addr_eq_host(&mine, &want))
			return true;
	return false;
}

/* A node that listens on all addresses is known by what its own name leads to. */
static bool is_at(const struct matrix_model *m, const struct matrix_node *n, const char *host)
{
	const struct matrix_dns *own = matrix_find_dns(m, n->fqdn, "A");
	if (has_address(n, host))
		return true;
	bool vague = !n->addresses.n || has_address(n, "0.0.0.0") || has_address(n, "::");
	return vague && own && own->values.n == 1 && trust_names_has(&own->values, host);
}

uint64_t matrix_leads_to(const struct matrix_model *m, const char *name, bool *known)
{
	const struct matrix_dns *d = matrix_find_dns(m, name, "A");
	uint64_t nodes = 0;
	*known = d && (strcmp(d->outcome, "OK") == 0 || strcmp(d->outcome, "NXDOMAIN") == 0 || strcmp(d->outcome, "NODATA") == 0);
	for (unsigned i = 0; d && i < d->values.n; i++)
		for (unsigned k = 0; k < m->n_nodes; k++)
			if (is_at(m, &m->nodes[k], trust_names_at(&d->values, i)))
				nodes |= UINT64_C(1) << k;
	return nodes;
}

/* ---- words ---- */

enum { NAMED_MAX = 8 };

char *matrix_node_names(const struct matrix_model *m, uint64_t nodes, char *dst, size_t size)
{
	struct trust_names l = { 0 };
	unsigned all = (unsigned)__builtin_popcountll(nodes), shown = all > NAMED_MAX ? NAMED_MAX - 1 : all;
	char more[32];
	for (unsigned i = 0; i < m->n_nodes; i++)
		if (nodes & UINT64_C(1) << i && l.n < shown)
			trust_names_add_str(&l, m->nodes[i].name);
	text_print(more, sizeof more, "%u more", all - shown);
	if (shown < all)
		trust_names_add_str(&l, more);
	return trust_names_join(&l, dst, size);
}

static void first_address(const struct matrix_node *n, char *dst, size_t size)
{
	struct net_addr a;
	char host[NET_ADDR_SIZE];
	const char *words = trust_names_at(&n->addresses, 0);
	text_fill(dst, size, words && net_addr_parse_port(&a, text_of(words), 5061) == 0 ? net_addr_print_host(&a, host) : "ADDRESS");
}

void matrix_fields(struct ev_report *r, const struct matrix_model *m, const struct matrix_node *n, const struct matrix_gateway *g)
{
	char list[512], address[NET_ADDR_SIZE];
	(void)m;
	ev_set(r, 0);
	if (n) {
		ev_str(r, "node", n->name);
		ev_str(r, "fqdn", n->fqdn);
		ev_str(r, "service", n->service);
		first_address(n, address, sizeof address);
		ev_str(r, "address", address);
	}
	if (g) {
		ev_str(r, "gateway", g->name);
		ev_str(r, "known", g->known.n ? trust_names_join(&g->known, list, sizeof list) : "nobody");
	}
}
