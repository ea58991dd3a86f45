/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_model.c  The model of the matrix: nodes, gateways, names; and what a configuration says of them. */
#include <errno.h>
#include "base/mem.h"
#include "cert/matrix_private.h"
#include "trust/rule.h"
#include "trust/verify.h"

enum { DNS_MAX = 1024, SEEN_MAX = 16384 };

int matrix_model_create(struct matrix_model **mp, int64_t now_s)
{
	struct matrix_model *m = mem_zalloc(1, sizeof *m);
	if (!m)
		return ENOMEM;
	m->now_s = now_s;
	m->nodes = mem_zalloc(MATRIX_NODES, sizeof *m->nodes);
	m->gateways = mem_zalloc(MATRIX_GATEWAYS, sizeof *m->gateways);
	if (!m->nodes || !m->gateways) {
		matrix_model_free(m);
		return ENOMEM;
	}
	*mp = m;
	return 0;
}

void matrix_model_free(struct matrix_model *m)
{
	if (!m)
		return;
	for (unsigned i = 0; m->nodes && i < m->n_nodes; i++)
		for (unsigned k = 0; k < m->nodes[i].n_shown; k++)
			mem_unref(m->nodes[i].shown[k].cert);
	mem_free(m->nodes);
	mem_free(m->gateways);
	mem_free(m->dns);
	mem_free(m->seen);
	mem_free(m->anchors_pem);
	mem_free(m);
}

struct matrix_node *matrix_add_node(struct matrix_model *m, const char *name, const char *fqdn, const char *service)
{
	if (m->n_nodes == MATRIX_NODES)
		return NULL;
	struct matrix_node *n = &m->nodes[m->n_nodes++];
	text_fill(n->name, sizeof n->name, name);
	text_fill(n->fqdn, sizeof n->fqdn, fqdn);
	text_fill(n->service, sizeof n->service, service);
	return n;
}

struct matrix_gateway *matrix_add_gateway(struct matrix_model *m, const char *name)
{
	if (m->n_gateways == MATRIX_GATEWAYS)
		return NULL;
	struct matrix_gateway *g = &m->gateways[m->n_gateways++];
	text_fill(g->name, sizeof g->name, name);
	g->tls = g->asks_certificate = g->calls_in = true;
	return g;
}

struct matrix_dns *matrix_add_dns(struct matrix_model *m, const char *name, const char *type, const char *outcome)
{
	if (m->n_dns == m->dns_room) {
		unsigned room = m->dns_room ? m->dns_room * 2 : 16;
		struct matrix_dns *more = room <= DNS_MAX ? mem_realloc(m->dns, room * sizeof *more) : NULL;
		if (!more)
			return NULL;
		m->dns = more;
		m->dns_room = room;
	}
	struct matrix_dns *d = &m->dns[m->n_dns++];
	*d = (struct matrix_dns){ 0 };
	text_fill(d->name, sizeof d->name, name);
	text_fill(d->type, sizeof d->type, type);
	text_fill(d->outcome, sizeof d->outcome, outcome);
	m->dns_asked = true;
	return d;
}

struct matrix_seen *matrix_add_seen(struct matrix_model *m, const char *node, const char *gateway)
{
	if (m->n_seen == m->seen_room) {
		unsigned room = m->seen_room ? m->seen_room * 2 : 16;
		struct matrix_seen *more = room <= SEEN_MAX ? mem_realloc(m->seen, room * sizeof *more) : NULL;
		if (!more)
			return NULL;
		m->seen = more;
		m->seen_room = room;
	}
	struct matrix_seen *s = &m->seen[m->n_seen++];
	*s = (struct matrix_seen){ 0 };
	text_fill(s->node, sizeof s->node, node);
	text_fill(s->gateway, sizeof s->gateway, gateway);
	return s;
}

const struct matrix_dns *matrix_find_dns(const struct matrix_model *m, const char *name, const char *type)
{
	for (unsigned i = 0; i < m->n_dns; i++)
		if (strcmp(m->dns[i].type, type) == 0 && matrix_same_name(m->dns[i].name, name))
			return &m->dns[i];
	return NULL;
}

bool matrix_same_name(const char *a, const char *b)
{
	struct text x = text_of(a), y = text_of(b);
	if (x.n && x.p[x.n - 1] == '.')
		x.n--;
	if (y.n && y.p[y.n - 1] == '.')
		y.n--;
	return x.n && text_eq_nocase(x, y);
}

struct matrix_node *matrix_find_node(const struct matrix_model *m, const char *name)
{
	for (unsigned i = 0; i < m->n_nodes; i++)
		if (matrix_same_name(m->nodes[i].name, name) || matrix_same_name(m->nodes[i].fqdn, name))
			return &m->nodes[i];
	return NULL;
}

struct matrix_gateway *matrix_find_gateway(const struct matrix_model *m, const char *name)
{
	for (unsigned i = 0; i < m->n_gateways; i++)
		if (strcmp(m->gateways[i].name, name) == 0)
			return &m->gateways[i];
	return NULL;
}

int matrix_node_shows(struct matrix_node *n, const char *identity, struct matrix_cert *cert)
{
	unsigned i = 0;
	while (i < n->n_shown && strcmp(n->shown[i].identity, identity) != 0)
		i++;
	if (i == MATRIX_SHOWN)
		return ENOSPC;
	mem_ref(cert);
	if (i < n->n_shown)
		mem_unref(n->shown[i].cert);
	else
		n->n_shown++;
	n->shown[i].cert = cert;
	text_fill(n->shown[i].identity, sizeof n->shown[i].identity, identity);
	n->known = true;
	return 0;
}

/* ---- from a configuration ---- */

static void take_strings(struct trust_names *to, const struct cfg_strings *from)
{
	for (size_t i = 0; i < from->n; i++)
		trust_names_add_str(to, from->v[i]);
}

static void take_gateway(struct matrix_gateway *g, const struct cfg_gateway *c)
{
	static const enum trust_rule_kind rules[] = { [CFG_RULE_SAN_OR_CN] = TRUST_RULE_SAN_OR_CN, [CFG_RULE_RFC5922] = TRUST_RULE_RFC5922,
		                                      [CFG_RULE_CN_ONLY] = TRUST_RULE_CN_ONLY };
	text_fill(g->address, sizeof g->address, c->address);
	text_fill(g->identity, sizeof g->identity, c->identity);
	text_fill(g->profile, sizeof g->profile, cfg_profile_name(c->judges_us.profile));
	g->port = c->port;
	g->tls = cfg_may_speak_tls(c->transport);
	g->any = c->transport == CFG_TRANSPORT_AUTO;
	g->asks_certificate = c->judges_us.profile != CFG_PROFILE_NONE;
	g->reuse = c->reuse;
	g->lamp = c->lamp;
	g->calls_in = c->calls_in;
	g->rule = rules[c->rule];
	take_strings(&g->accept, &c->accept_names);
	take_strings(&g->known, &c->judges_us.known_names);
}

int matrix_take_gateways(struct matrix_model *m, const struct cfg *cfg)
{
	for (size_t i = 0; i < cfg->n_gateways; i++) {
		if (matrix_find_gateway(m, cfg->gateways[i].name))
			continue;
		struct matrix_gateway *g = matrix_add_gateway(m, cfg->gateways[i].name);
		if (!g)
			return ENOSPC;
		take_gateway(g, &cfg->gateways[i]);
	}
	return 0;
}

int matrix_take_self(struct matrix_model *m, const struct cfg *cfg, struct matrix_node **np)
{
	struct matrix_node *n = matrix_find_node(m, cfg->node.name);
	if (!n)
		n = matrix_add_node(m, cfg->node.name, cfg->node.fqdn, cfg->node.service);
	if (!n)
		return ENOSPC;
	n->self = true;
	trust_names_clear(&n->addresses);
	for (size_t i = 0; i < cfg->node.n_listen; i++) {
		const struct cfg_listen *l = &cfg->node.listen[i];
		char words[TRUST_ADDR_SIZE];
		if (l->transport != CFG_TLS)
			continue;
		text_print(words, sizeof words, strchr(l->address, ':') ? "[%s]:%u" : "%s:%u", l->address, (unsigned)l->port);
		trust_names_add_str(&n->addresses, words);
	}
	*np = n;
	return 0;
}

static bool is_service(const struct matrix_model *m, const char *name)
{
	for (unsigned i = 0; i < m->n_nodes; i++)
		if (matrix_same_name(m->nodes[i].service, name))
			return true;
	return false;
}

int matrix_take_strangers(struct matrix_model *m)
{
	for (unsigned i = 0; i < m->n_gateways; i++)
		for (unsigned k = 0; k < m->gateways[i].known.n; k++) {
			const char *fqdn = trust_names_at(&m->gateways[i].known, k);
			char name[65];
			if (!m->gateways[i].tls || matrix_find_node(m, fqdn) || is_service(m, fqdn) || strchr(fqdn, '*'))
				continue;
			text_copy(text_head(text_of(fqdn), strcspn(fqdn, ".")), name, sizeof name);
			if (!matrix_add_node(m, matrix_find_node(m, name) ? fqdn : name, fqdn, m->n_nodes ? m->nodes[0].service : ""))
				return ENOSPC;
		}
	return 0;
}

/* ---- a gateway's certificate ---- */

static int judge_theirs(struct matrix_theirs *t, const struct matrix_model *m, struct text pem, bool as_client, struct ev_report *why)
{
	struct trust_verify_prm prm = { .ca_pem = text_of(m->anchors_pem), .chain_pem = pem, .any_name = true, .as_client = as_client,
		                        .time_s = m->now_s, .depth = -1 };
	struct trust_verdict *v = mem_alloc(sizeof *v);
	bool accepted = false;
	int err = v ? trust_verify(&prm, &accepted, NULL, v, why) : ENOMEM;
	if (!err) {
		t->judged = true;
		t->refused = !accepted;
		text_fill(t->why, sizeof t->why, accepted ? "" : v->sentence);
	}
	mem_free(v);
	return err;
}

int matrix_peer_cert(struct matrix_gateway *g, const struct matrix_model *m, struct text pem, const char *from, struct ev_report *why)
{
	struct matrix_cert *c = NULL;
	int err = matrix_cert_from_pem(&c, pem, from, why);
	if (err)
		return err;
	for (int role = 0; role < 2 && !err; role++) {
		struct matrix_theirs *t = role ? &g->as_client : &g->as_server;
		*t = (struct matrix_theirs){ .known = true, .facts = c->facts };
		text_fill(t->from, sizeof t->from, from);
		if (m->anchors_pem && *m->anchors_pem)
			err = judge_theirs(t, m, pem, role == 1, why);
	}
	mem_unref(c);
	return err;
}
