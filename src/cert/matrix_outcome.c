/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_outcome.c  What the cells mean for calls: which are lost when a node is down, what a renewal brings, and what no certificate can do. */
#include <errno.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "cert/matrix_private.h"
#include "cert/words.h"

enum { DAY_S = 86400 };

struct matrix_outcome *matrix_add_outcome(struct matrix *x, enum matrix_words w, const struct ev_report *fields, bool bad, enum trust_certainty certainty)
{
	if (x->n_outcomes == x->outcomes_room) {
		unsigned room = x->outcomes_room ? x->outcomes_room * 2 : 4;
		struct matrix_outcome *more = mem_realloc(x->outcomes, room * sizeof *more);
		if (!more)
			return NULL;
		x->outcomes = more;
		x->outcomes_room = room;
	}
	struct matrix_outcome *o = &x->outcomes[x->n_outcomes++];
	*o = (struct matrix_outcome){ .bad = bad, .certainty = certainty, .gateway = -1 };
	text_fill(o->name, sizeof o->name, matrix_words_name(w));
	matrix_words_fill(w, fields, o->sentence, sizeof o->sentence, o->fix, sizeof o->fix);
	return o;
}

static uint64_t bit(unsigned i)
{
	return UINT64_C(1) << i;
}

static unsigned bits(uint64_t v)
{
	return (unsigned)__builtin_popcountll(v);
}

/* ---- a node is down ---- */

struct way {
	uint64_t reached;  /* nodes to which calls of this gateway are sent */
	uint64_t taking;   /* of those: up, and the call would be accepted */
	uint64_t down;
	bool by_list;      /* each node is tried by its own name */
	unsigned tries;    /* for one call; 0: not known */
	const struct matrix_finder *finder;
};

static bool share_a_name(const struct matrix_model *m, const struct matrix_gateway *g, uint64_t nodes)
{
	for (unsigned i = 0; i < m->n_nodes; i++)
		for (unsigned k = 0; k < i; k++)
			if (nodes & bit(i) && nodes & bit(k) &&
			    matrix_same_name(matrix_dialled(g, &m->nodes[i], NULL), matrix_dialled(g, &m->nodes[k], NULL)))
				return true;
	return false;
}

static void find_way(const struct matrix *x, unsigned gateway, struct way *w)
{
	const struct matrix_model *m = x->model;
	const struct matrix_gateway *g = &m->gateways[gateway];
	bool known = false, shared = false;
	uint64_t by_name = 0;
	*w = (struct way){ .finder = matrix_finder(g) };
	w->by_list = w->finder && w->finder->finds == MATRIX_FINDS_NODES;
	w->tries = w->finder ? w->finder->tries : 0;
	for (unsigned i = 0; i < m->n_nodes; i++) {
		const struct matrix_node *n = &m->nodes[i];
		const struct matrix_cell *c = matrix_cell(x, i, gateway, MATRIX_CALLS_IN);
		const char *name = matrix_dialled(g, n, NULL);
		shared |= *n->service && matrix_same_name(name, n->service) && !matrix_same_name(n->service, n->fqdn);
		by_name |= matrix_leads_to(m, name, &known);
		if (!w->by_list || !matrix_has_list(g) || trust_names_has(&g->known, n->fqdn))
			w->reached |= bit(i);
		if (n->down)
			w->down |= bit(i);
		if (!n->down && c->says != MATRIX_REFUSES)
			w->taking |= bit(i);
	}
	if (shared && known && by_name)
		w->reached &= by_name;
	w->by_list &= !share_a_name(m, g, w->reached); /* then it is DNS that chooses */
	w->taking &= w->reached;
}

/* Going round a list, a call begins at each server equally often: the share of beginnings from which `tries` in a row meet nobody who takes it,
 * and the share that meets somebody who is away first. */
static void go_round(const struct way *w, unsigned *lost, unsigned *late, unsigned *of)
{
	unsigned at[MATRIX_NODES], n = 0;
	for (unsigned i = 0; i < MATRIX_NODES; i++)
		if (w->reached & bit(i))
			at[n++] = i;
	*lost = *late = 0;
	*of = n;
	for (unsigned first = 0; first < n; first++) {
		unsigned k = 0;
		while (k < w->tries && k < n && !(w->taking & bit(at[(first + k) % n])))
			k++;
		*lost += k == w->tries || k == n;
		*late += k > 0 && k < w->tries && k < n;
	}
}

static const char *share(unsigned part, unsigned of, char *dst, size_t size)
{
	if (part == of)
		text_fill(dst, size, "all");
	else if (part * 2 == of)
		text_fill(dst, size, "half");
	else
		text_print(dst, size, "%u of %u", part, of);
	return dst;
}

static const char *why_nobody(const struct way *w, char *dst, size_t size, const struct matrix_model *m)
{
	uint64_t up = w->reached & ~w->down;
	char names[512];
	if (!up)
		text_fill(dst, size, "no other node is there that it would call");
	else
		text_print(dst, size, "it refuses %s, see the table", matrix_node_names(m, up, names, sizeof names));
	return dst;
}

static struct matrix_outcome *down_outcome(struct matrix *x, unsigned gateway, const struct way *w, struct ev_report *r)
{
	char a[512], b[512], part[64], tries[64], why[600];
	unsigned lost = 0, late = 0, of = 0;
	const struct matrix_model *m = x->model;
	matrix_fields(r, m, NULL, &m->gateways[gateway]);
	ev_str(r, "down", matrix_node_names(m, w->down, a, sizeof a));
	ev_str(r, "up", matrix_node_names(m, w->taking, b, sizeof b));
	ev_str(r, "why", why_nobody(w, why, sizeof why, m));
	ev_str(r, "cure", cert_words(w->reached & ~w->down ? CERT_SAYS_CURE_UP_FIRST : CERT_SAYS_REGISTER_OTHERS));
	if (!w->taking)
		return matrix_add_outcome(x, MATRIX_W_DOWN_ALL_LOST, r, true, TRUST_LIKELY);
	if (!w->by_list || !w->tries) {
		ev_str(r, "share", share(bits(w->reached & w->down), bits(w->reached), part, sizeof part));
		return w->reached & w->down ? matrix_add_outcome(x, MATRIX_W_DOWN_DNS, r, false, TRUST_UNKNOWN) : NULL;
	}
	go_round(w, &lost, &late, &of);
	text_print(tries, sizeof tries, "%u tries", w->tries);
	ev_str(r, "tries", tries);
	ev_str(r, "share", share(lost ? lost : late, of, part, sizeof part));
	return matrix_add_outcome(x, lost ? MATRIX_W_DOWN_SOME_LOST : MATRIX_W_DOWN_NONE_LOST, r, lost > 0, TRUST_LIKELY);
}

static int when_down(struct matrix *x, struct ev_report *r)
{
	char names[512], up[512];
	uint64_t down = 0, alive = 0;
	char seconds[96] = "";
	bool waits = false;
	const struct matrix_model *m = x->model;
	for (unsigned i = 0; i < m->n_nodes; i++)
		*(m->nodes[i].down ? &down : &alive) |= bit(i);
	for (unsigned g = 0; down && g < m->n_gateways; g++) {
		struct way w;
		if (!m->gateways[g].tls || !m->gateways[g].calls_in)
			continue;
		find_way(x, g, &w);
		unsigned before = x->n_outcomes;
		struct matrix_outcome *o = down_outcome(x, g, &w, r);
		if (o) {
			o->gateway = (int)g;
			text_fill(o->assumed, sizeof o->assumed, w.finder ? w.finder->remark : "how it chooses a node is not known of this product: it is taken to dial the common name");
			waits |= w.taking && w.reached & w.down;
			if (w.finder && w.finder->connect_s)
				text_print(seconds, sizeof seconds, " (%u s where the usual time-outs of its system apply: not verified)", w.finder->connect_s);
		} else if (before != x->n_outcomes || (w.reached & w.down)) {
			return ENOMEM;
		}
	}
	if (!down)
		return 0;
	ev_set(r, 0);
	ev_str(r, "down", matrix_node_names(m, down, names, sizeof names));
	ev_str(r, "up", alive ? matrix_node_names(m, alive, up, sizeof up) : "nobody");
	ev_str(r, "seconds", seconds);
	ev_str(r, "gateway", "the gateway");
	if (waits && !matrix_add_outcome(x, MATRIX_W_DOWN_WAIT, r, false, TRUST_LIKELY))
		return ENOMEM;
	return matrix_add_outcome(x, MATRIX_W_DOWN_RUNNING, r, false, TRUST_SURE) ? 0 : ENOMEM;
}

/* ---- nodes that share a name, or a certificate ---- */

static int one_name(struct matrix *x, struct ev_report *r)
{
	const struct matrix_model *m = x->model;
	char names[512];
	for (unsigned i = 0; i < m->n_nodes; i++) {
		uint64_t same = 0;
		for (unsigned k = 0; k < m->n_nodes; k++)
			if (matrix_same_name(m->nodes[i].fqdn, m->nodes[k].fqdn))
				same |= bit(k);
		if (bits(same) < 2 || same & (bit(i) - 1))
			continue;
		for (unsigned g = 0; g < m->n_gateways; g++) {
			const struct matrix_finder *f = matrix_finder(&m->gateways[g]);
			if (!m->gateways[g].tls || !f || f->finds != MATRIX_FINDS_NODES)
				continue;
			matrix_fields(r, m, &m->nodes[i], &m->gateways[g]);
			ev_str(r, "name", m->nodes[i].fqdn);
			ev_str(r, "nodes", matrix_node_names(m, same, names, sizeof names));
			struct matrix_outcome *o = matrix_add_outcome(x, MATRIX_W_ONE_NAME, r, true, TRUST_LIKELY);
			if (!o)
				return ENOMEM;
			o->gateway = (int)g;
		}
	}
	return 0;
}

static const struct trust_cert *default_of(const struct matrix_node *n)
{
	return n->n_shown ? &n->shown[0].cert->facts : NULL;
}

static uint64_t showing(const struct matrix_model *m, const struct trust_cert *c)
{
	uint64_t nodes = 0;
	for (unsigned i = 0; i < m->n_nodes; i++)
		for (unsigned k = 0; k < m->nodes[i].n_shown; k++)
			if (strcmp(m->nodes[i].shown[k].cert->facts.sha256, c->sha256) == 0)
				nodes |= bit(i);
	return nodes;
}

static int shared(struct matrix *x, struct ev_report *r)
{
	const struct matrix_model *m = x->model;
	char names[512];
	for (unsigned i = 0; i < m->n_nodes; i++) {
		const struct trust_cert *c = default_of(&m->nodes[i]);
		uint64_t nodes = c ? showing(m, c) : 0;
		if (bits(nodes) < 2 || nodes & (bit(i) - 1))
			continue;
		ev_set(r, 0);
		ev_str(r, "cn", c->cn);
		ev_str(r, "nodes", matrix_node_names(m, nodes, names, sizeof names));
		if (!matrix_add_outcome(x, MATRIX_W_SHARED, r, false, TRUST_SURE))
			return ENOMEM;
	}
	return 0;
}

/* ---- two gateways, one identity ---- */

/* The cure for one hurts the other, whichever of the two it is made for. */
static int no_single_on(const struct matrix *x, unsigned node, unsigned gateway, struct matrix_remedy *y, struct matrix_remedy *back)
{
	const struct matrix_model *m = x->model;
	int err = matrix_remedy(x, &m->nodes[node], &m->gateways[gateway], y);
	if (!err && y->helps && y->hurts > (int)gateway)
		err = matrix_remedy(x, &m->nodes[node], &m->gateways[y->hurts], back);
	else
		y->hurts = -1;
	if (!err && y->hurts >= 0 && (!back->helps || back->hurts < 0))
		y->hurts = -1;
	return err;
}

static int say_no_single(struct matrix *x, unsigned gateway, const struct matrix_remedy *y, const struct matrix_remedy *back, uint64_t nodes, struct ev_report *r)
{
	const struct matrix_model *m = x->model;
	bool sure = y->says == MATRIX_REFUSES && back->says == MATRIX_REFUSES;
	char names[512];
	matrix_fields(r, m, NULL, &m->gateways[gateway]);
	ev_str(r, "other", m->gateways[y->hurts].name);
	ev_str(r, "nodes", matrix_node_names(m, nodes, names, sizeof names));
	ev_str(r, "cn", y->cn);
	ev_str(r, "other_cn", back->cn);
	ev_str(r, "serves", sure ? "serves" : "is known to serve");
	ev_str(r, "does", y->says == MATRIX_REFUSES ? "refuses" : "may refuse");
	ev_str(r, "other_does", back->says == MATRIX_REFUSES ? "refuses" : "may refuse");
	struct matrix_outcome *o = matrix_add_outcome(x, MATRIX_W_NO_SINGLE, r, sure, TRUST_LIKELY);
	if (o)
		o->gateway = (int)gateway;
	return o ? 0 : ENOMEM;
}

static int no_single(struct matrix *x, struct ev_report *r)
{
	const struct matrix_model *m = x->model;
	for (unsigned g = 0; g < m->n_gateways; g++) {
		struct matrix_remedy y, back, first = { .hurts = -1 }, first_back = { .hurts = -1 };
		uint64_t nodes = 0;
		for (unsigned n = 0; n < m->n_nodes; n++) {
			int err = m->gateways[g].tls && m->nodes[n].n_shown ? no_single_on(x, n, g, &y, &back) : EAGAIN;
			if (err && err != EAGAIN)
				return err;
			if (err || y.hurts < 0)
				continue;
			if (!nodes) {
				first = y;
				first_back = back;
			}
			nodes |= bit(n);
		}
		if (nodes && say_no_single(x, g, &first, &first_back, nodes, r))
			return ENOMEM;
	}
	return 0;
}

/* ---- renewal ---- */

static int when_it_ends(struct matrix *x, const struct trust_cert *c, uint64_t nodes, struct ev_report *r)
{
	char names[512], at[RFC3339_SIZE];
	int64_t left_s = c->not_after_s - x->model->now_s;
	bool over = left_s < 0;
	ev_set(r, 0);
	ev_str(r, "cn", c->cn);
	ev_str(r, "nodes", matrix_node_names(x->model, nodes, names, sizeof names));
	ev_str(r, "not_after", rfc3339_s(c->not_after_s, at));
	ev_int(r, "days", (over ? -left_s : left_s) / DAY_S);
	return matrix_add_outcome(x, over ? MATRIX_W_RENEWAL_OVER : MATRIX_W_RENEWAL_DUE, r, over, TRUST_SURE) ? 0 : ENOMEM;
}

/* Whether that gateway would refuse this node if the usage clientAuth went away; opinion[2] of the scratch says why. */
static int needs_client_usage(struct matrix *x, unsigned node, unsigned gateway, bool *needs)
{
	const struct matrix_model *m = x->model;
	const struct matrix_gateway *g = &m->gateways[gateway];
	const struct matrix_cert *now = matrix_shown_by_us(&m->nodes[node], g);
	struct matrix_opinion *o = &x->scratch->opinion[2];
	struct matrix_cert *web = NULL;
	*needs = false;
	if (!g->tls || !now || matrix_cell(x, node, gateway, MATRIX_OPTIONS)->says == MATRIX_REFUSES)
		return 0;
	int err = matrix_cert_like(&web, now, NULL, "serverAuth", 0);
	if (err)
		return err;
	matrix_they_judge(g, TRUST_SEAT_CLIENT_CERT, web, NULL, m->now_s, x->scratch, o);
	*needs = o->says == MATRIX_REFUSES;
	mem_unref(web);
	return 0;
}

static int without_client_usage(struct matrix *x, unsigned gateway, struct ev_report *r)
{
	const struct matrix_model *m = x->model;
	struct matrix_opinion *o = &x->scratch->opinion[2];
	char names[512], sentence[sizeof o->sentence] = "";
	uint64_t nodes = 0;
	for (unsigned i = 0; i < m->n_nodes; i++) {
		bool needs;
		int err = needs_client_usage(x, i, gateway, &needs);
		if (err)
			return err;
		if (needs)
			text_fill(sentence, sizeof sentence, o->sentence);
		nodes |= needs ? bit(i) : 0;
	}
	if (!nodes)
		return 0;
	matrix_fields(r, m, NULL, &m->gateways[gateway]);
	ev_str(r, "nodes", matrix_node_names(m, nodes, names, sizeof names));
	ev_str(r, "sentence", sentence);
	struct matrix_outcome *said = matrix_add_outcome(x, MATRIX_W_RENEWAL_USAGE, r, false, o->certainty);
	if (said)
		said->gateway = (int)gateway;
	return said ? 0 : ENOMEM;
}

static int renewals(struct matrix *x, struct ev_report *r)
{
	const struct matrix_model *m = x->model;
	int err = 0;
	for (unsigned i = 0; !err && i < m->n_nodes; i++)
		for (unsigned k = 0; !err && k < m->nodes[i].n_shown; k++) {
			const struct trust_cert *c = &m->nodes[i].shown[k].cert->facts;
			uint64_t nodes = showing(m, c);
			if (!(nodes & (bit(i) - 1)))
				err = when_it_ends(x, c, nodes, r);
		}
	for (unsigned g = 0; !err && g < m->n_gateways; g++)
		err = without_client_usage(x, g, r);
	return err;
}

int matrix_outcomes(struct matrix *x)
{
	struct ev_report *r = mem_zalloc(1, sizeof *r);
	int err = r ? when_down(x, r) : ENOMEM;
	if (!err)
		err = one_name(x, r);
	if (!err)
		err = no_single(x, r);
	if (!err)
		err = shared(x, r);
	if (!err)
		err = renewals(x, r);
	mem_free(r);
	return err;
}
