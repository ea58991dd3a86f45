/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_json.c  Names and meanings of the members are promised: they change only with a note in CHANGELOG.md. */
#include "cert/matrix_json.h"
#include <errno.h>
#include "base/mem.h"
#include "cert_events.h"
#include "trust/json.h"

static json_t *certificate(const struct trust_cert *c, const char *from)
{
	json_t *o = json_object();
	json_object_set_new(o, "cn", trust_json_text(c->cn));
	json_object_set_new(o, "names", trust_json_names(&c->sans));
	json_object_set_new(o, "issuer", trust_json_text(c->issuer));
	json_object_set_new(o, "sha256", trust_json_text(c->sha256));
	json_object_set_new(o, "not_before_s", json_integer((json_int_t)c->not_before_s));
	json_object_set_new(o, "not_after_s", json_integer((json_int_t)c->not_after_s));
	json_object_set_new(o, "from", trust_json_text(from));
	return o;
}

static json_t *node(const struct matrix_node *n)
{
	json_t *o = json_object(), *shown = json_array();
	json_object_set_new(o, "name", trust_json_text(n->name));
	json_object_set_new(o, "fqdn", trust_json_text(n->fqdn));
	json_object_set_new(o, "service", trust_json_text(n->service));
	json_object_set_new(o, "self", json_boolean(n->self));
	json_object_set_new(o, "known", json_boolean(n->known));
	json_object_set_new(o, "down", json_boolean(n->down));
	json_object_set_new(o, "supposed_down", json_boolean(n->supposed_down));
	json_object_set_new(o, "why", trust_json_text(n->why));
	json_object_set_new(o, "addresses", trust_json_names(&n->addresses));
	for (unsigned i = 0; i < n->n_shown; i++) {
		json_t *c = certificate(&n->shown[i].cert->facts, n->shown[i].cert->from);
		json_object_set_new(c, "identity", trust_json_text(n->shown[i].identity));
		json_array_append_new(shown, c);
	}
	json_object_set_new(o, "certificates", shown);
	return o;
}

static json_t *theirs(const struct matrix_theirs *t)
{
	return t->known ? certificate(&t->facts, t->from) : json_null();
}

static json_t *gateway(const struct matrix_gateway *g)
{
	json_t *o = json_object();
	json_object_set_new(o, "name", trust_json_text(g->name));
	json_object_set_new(o, "address", trust_json_text(g->address));
	json_object_set_new(o, "port", json_integer(g->port));
	json_object_set_new(o, "tls", json_boolean(g->tls));
	if (g->any) {
		json_object_set_new(o, "transport_now", trust_json_text(g->transport));
		json_object_set_new(o, "decided_by", trust_json_text(g->by));
	}
	json_object_set_new(o, "judges_us", trust_json_text(g->profile));
	json_object_set_new(o, "known_names", trust_json_names(&g->known));
	json_object_set_new(o, "identity", trust_json_text(g->identity));
	json_object_set_new(o, "rule", trust_json_text(trust_rule_kind_name(g->rule)));
	json_object_set_new(o, "accept_names", trust_json_names(&g->accept));
	json_object_set_new(o, "shows_when_dialled", theirs(&g->as_server));
	json_object_set_new(o, "shows_when_dialling", theirs(&g->as_client));
	return o;
}

static json_t *cell(const struct matrix *x, unsigned n, unsigned g, enum matrix_flow f)
{
	const struct matrix_cell *c = matrix_cell(x, n, g, f);
	json_t *o = json_object(), *why = json_array();
	json_object_set_new(o, "node", trust_json_text(x->model->nodes[n].name));
	json_object_set_new(o, "gateway", trust_json_text(x->model->gateways[g].name));
	json_object_set_new(o, "flow", trust_json_text(matrix_flow_name(f)));
	json_object_set_new(o, "number", json_integer(matrix_flow_number(f)));
	json_object_set_new(o, "direction", trust_json_text(matrix_flow_direction(f)));
	json_object_set_new(o, "says", trust_json_text(matrix_says_name(c->says)));
	if (c->says != MATRIX_NONE)
		json_object_set_new(o, "certainty", trust_json_text(trust_certainty_name(c->certainty)));
	for (unsigned i = 0; i < c->n_reasons; i++)
		json_array_append_new(why, json_integer(c->reason[i] + 1));
	json_object_set_new(o, "reasons", why);
	return o;
}

static json_t *reason(const struct matrix *x, const struct matrix_reason *r, unsigned number)
{
	json_t *o = json_object(), *nodes = json_array(), *flows = json_array();
	for (unsigned i = 0; i < x->model->n_nodes; i++)
		if (r->nodes >> i & 1)
			json_array_append_new(nodes, trust_json_text(x->model->nodes[i].name));
	for (int f = 0; f < MATRIX_FLOWS; f++)
		if (r->flows >> f & 1)
			json_array_append_new(flows, trust_json_text(matrix_flow_name((enum matrix_flow)f)));
	json_object_set_new(o, "number", json_integer(number));
	json_object_set_new(o, "name", trust_json_text(r->name));
	json_object_set_new(o, "says", trust_json_text(matrix_says_name(r->says)));
	json_object_set_new(o, "gateway", trust_json_text(x->model->gateways[r->gateway].name));
	json_object_set_new(o, "nodes", nodes);
	json_object_set_new(o, "flows", flows);
	json_object_set_new(o, "sentence", trust_json_lines(r->sentence));
	json_object_set_new(o, "fix", trust_json_lines(r->fix));
	json_object_set_new(o, "command", trust_json_text(r->command));
	json_object_set_new(o, "wanted", trust_json_text(r->wanted));
	json_object_set_new(o, "offered", trust_json_text(r->offered));
	json_object_set_new(o, "sees", trust_json_lines(r->sees));
	json_object_set_new(o, "certainty", trust_json_text(trust_certainty_name(r->certainty)));
	json_object_set_new(o, "known_by", trust_json_text(r->by_configuration ? "configuration" : r->by_rule ? trust_confidence_name(r->confidence) : ""));
	json_object_set_new(o, "known_by_words", trust_json_text(r->by_configuration ? "if it judges as configured" : r->by_rule ? trust_confidence_words(r->confidence) : ""));
	return o;
}

static json_t *outcome(const struct matrix *x, const struct matrix_outcome *o)
{
	json_t *v = json_object();
	json_object_set_new(v, "name", trust_json_text(o->name));
	json_object_set_new(v, "bad", json_boolean(o->bad));
	json_object_set_new(v, "gateway", trust_json_text(o->gateway >= 0 ? x->model->gateways[o->gateway].name : ""));
	json_object_set_new(v, "sentence", trust_json_lines(o->sentence));
	json_object_set_new(v, "fix", trust_json_lines(o->fix));
	json_object_set_new(v, "assumed", trust_json_lines(o->assumed));
	json_object_set_new(v, "certainty", trust_json_text(trust_certainty_name(o->certainty)));
	return v;
}

json_t *matrix_json(const struct matrix *x)
{
	const struct matrix_model *m = x->model;
	json_t *o = json_object(), *nodes = json_array(), *gateways = json_array(), *cells = json_array(), *reasons = json_array(), *outcomes = json_array();
	for (unsigned i = 0; i < m->n_nodes; i++)
		json_array_append_new(nodes, node(&m->nodes[i]));
	for (unsigned i = 0; i < m->n_gateways; i++)
		json_array_append_new(gateways, gateway(&m->gateways[i]));
	for (unsigned n = 0; n < m->n_nodes; n++)
		for (unsigned g = 0; g < m->n_gateways; g++)
			for (int f = 0; f < MATRIX_FLOWS; f++)
				json_array_append_new(cells, cell(x, n, g, (enum matrix_flow)f));
	for (unsigned i = 0; i < x->n_reasons; i++)
		json_array_append_new(reasons, reason(x, &x->reasons[i], i + 1));
	for (unsigned i = 0; i < x->n_outcomes; i++)
		json_array_append_new(outcomes, outcome(x, &x->outcomes[i]));
	json_object_set_new(o, "good", json_boolean(!x->breaks));
	json_object_set_new(o, "uncertain", json_boolean(x->uncertain));
	json_object_set_new(o, "now_s", json_integer((json_int_t)m->now_s));
	json_object_set_new(o, "what_if", trust_json_names(&m->supposed));
	json_object_set_new(o, "dns_asked", json_boolean(m->dns_asked));
	json_object_set_new(o, "nodes", nodes);
	json_object_set_new(o, "gateways", gateways);
	json_object_set_new(o, "cells", cells);
	json_object_set_new(o, "reasons", reasons);
	json_object_set_new(o, "outcomes", outcomes);
	return o;
}

/* ---- what was asked besides ---- */

static const char *member(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

static int no_such_gateway(const char *name, struct ev_report *why)
{
	ev_set(why, EV_CERT_MATRIX_QUESTION);
	ev_printf(why, "question", "--peer-cert %s=", name);
	ev_str(why, "error", "there is no gateway of that name");
	return ENOENT;
}

/* A node that was looked at: what it showed, under no identity's name. One that is known is known better. */
static int looked_at(struct matrix_model *m, const json_t *o, struct ev_report *why)
{
	struct matrix_node *n = matrix_find_node(m, member(o, "node"));
	struct matrix_cert *c = NULL;
	if (!n || n->known)
		return 0;
	int err = matrix_cert_from_pem(&c, text_of(member(o, "pem")), member(o, "from"), why);
	if (!err)
		err = matrix_node_shows(n, "seen", c);
	n->looked_at = !err;
	mem_unref(c);
	return err;
}

int matrix_json_apply(struct matrix_model *m, const json_t *args, struct ev_report *why)
{
	size_t i;
	const json_t *o;
	int err = 0;
	json_array_foreach(json_object_get(args, "seen_nodes"), i, o)
		if (!err)
			err = looked_at(m, o, why);
	json_array_foreach(json_object_get(args, "peer_certs"), i, o) {
		struct matrix_gateway *g = matrix_find_gateway(m, member(o, "gateway"));
		if (!err)
			err = g ? matrix_peer_cert(g, m, text_of(member(o, "pem")), member(o, "from"), why) : no_such_gateway(member(o, "gateway"), why);
	}
	json_array_foreach(json_object_get(args, "what_if"), i, o)
		if (!err)
			err = matrix_suppose(m, member(o, "question"), text_of(member(o, "pem")), why);
	return err;
}
