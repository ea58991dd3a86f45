/* SPDX-License-Identifier: Apache-2.0 */
/* matrix.c  From the model to the cells. Each flow is a few opinions, the worst of which is what the cell says:
 *
 *     in   their dialler judges our server certificate by the name it dialled; our listener judges theirs
 *     out  our dialler judges theirs; their listener judges our client certificate, by its list
 *     and whether the name that is dialled leads where it should. */
#include "cert/matrix.h"
#include <errno.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "cert/matrix_private.h"

static const struct {
	const char *name, *words, *direction;
	unsigned number;
} flows[] = {
	[MATRIX_CALLS_IN] = { "calls-in", "they call us, on a new connection", "in", 1 },
	[MATRIX_OPTIONS] = { "options", "we ask them (OPTIONS), on a new connection", "out", 2 },
	[MATRIX_TRANSFER] = { "transfer", "we transfer a call, on a new connection", "out", 2 },
	[MATRIX_LAMP] = { "lamp", "we set a lamp, on a new connection", "out", 2 },
	[MATRIX_DIALOG_IN] = { "in-dialog-in", "their next request, after a lost connection", "in", 3 },
	[MATRIX_DIALOG_OUT] = { "in-dialog-out", "our next request, after a lost connection", "out", 4 },
	[MATRIX_FAILOVER] = { "failover", "fail-over: called in another node's place", "in", 5 },
	[MATRIX_REDIRECT] = { "redirect", "redirect (302) to this node's own name", "in", 6 },
	[MATRIX_RENEWAL] = { "renewal", "all that, renewed as the certificate is", "both", 7 },
};

const char *matrix_flow_name(enum matrix_flow f)
{
	return flows[f].name;
}

const char *matrix_flow_words(enum matrix_flow f)
{
	return flows[f].words;
}

unsigned matrix_flow_number(enum matrix_flow f)
{
	return flows[f].number;
}

const char *matrix_flow_direction(enum matrix_flow f)
{
	return flows[f].direction;
}

const char *matrix_says_name(enum matrix_says s)
{
	static const char *const names[] = { "none", "accepts", "unknown", "refuses" };
	return names[s];
}

/* ---- collecting ---- */

const struct matrix_cell *matrix_cell(const struct matrix *x, unsigned node, unsigned gateway, enum matrix_flow f)
{
	return &x->cells[(node * x->model->n_gateways + gateway) * MATRIX_FLOWS + f];
}

static struct matrix_reason *find_reason(struct matrix *x, unsigned gateway, const struct matrix_opinion *o)
{
	for (unsigned i = 0; i < x->n_reasons; i++) {
		struct matrix_reason *r = &x->reasons[i];
		if (r->gateway == gateway && r->says == o->says && strcmp(r->name, o->name) == 0 && strcmp(r->sentence, o->sentence) == 0)
			return r;
	}
	return NULL;
}

static struct matrix_reason *new_reason(struct matrix *x)
{
	if (x->n_reasons == x->reasons_room) {
		unsigned room = x->reasons_room ? x->reasons_room * 2 : 8;
		struct matrix_reason *more = room <= UINT16_MAX ? mem_realloc(x->reasons, room * sizeof *more) : NULL;
		if (!more)
			return NULL;
		x->reasons = more;
		x->reasons_room = room;
	}
	struct matrix_reason *r = &x->reasons[x->n_reasons++];
	*r = (struct matrix_reason){ 0 };
	return r;
}

int matrix_add_reason(struct matrix *x, unsigned node, unsigned gateway, enum matrix_flow f, const struct matrix_opinion *o, const char *command)
{
	struct matrix_cell *cell = &x->cells[(node * x->model->n_gateways + gateway) * MATRIX_FLOWS + f];
	struct matrix_reason *r = find_reason(x, gateway, o);
	if (!r) {
		r = new_reason(x);
		if (!r)
			return ENOMEM;
		text_fill(r->name, sizeof r->name, o->name);
		text_fill(r->sentence, sizeof r->sentence, o->sentence);
		text_fill(r->fix, sizeof r->fix, o->fix);
		text_fill(r->wanted, sizeof r->wanted, o->wanted);
		text_fill(r->offered, sizeof r->offered, o->offered);
		text_fill(r->sees, sizeof r->sees, o->sees);
		r->says = o->says;
		r->certainty = o->certainty;
		r->confidence = o->confidence;
		r->by_rule = o->by_rule;
		r->by_configuration = o->by_configuration;
		r->gateway = gateway;
	}
	if (*command)
		text_fill(r->command, sizeof r->command, command);
	r->nodes |= UINT64_C(1) << node;
	r->flows |= UINT32_C(1) << f;
	uint16_t index = (uint16_t)(r - x->reasons);
	for (unsigned i = 0; i < cell->n_reasons; i++)
		if (cell->reason[i] == index)
			return 0;
	if (cell->n_reasons < MATRIX_REASONS)
		cell->reason[cell->n_reasons++] = index;
	return 0;
}

/* ---- one cell at a time ---- */

struct at {
	struct matrix *x;
	const struct matrix_model *m;
	unsigned node, gateway;
	enum matrix_flow flow;
	const struct matrix_node *n;
	const struct matrix_gateway *g;
	struct matrix_scratch *s;
	int err;
};

static struct matrix_cell *cell_of(struct at *a)
{
	return &a->x->cells[(a->node * a->m->n_gateways + a->gateway) * MATRIX_FLOWS + a->flow];
}

/* The worse counts; of two that say the same, the one that is less sure. */
static void count(struct at *a, const struct matrix_opinion *o)
{
	struct matrix_cell *c = cell_of(a);
	char command[160] = "";
	if (a->err)
		return;
	if (o->says > c->says) {
		c->says = o->says;
		c->certainty = o->certainty;
	} else if (o->says == c->says && o->says == MATRIX_ACCEPTS && o->certainty < c->certainty) {
		c->certainty = o->certainty;
	} else if (o->says == c->says && o->says == MATRIX_REFUSES && o->certainty > c->certainty) {
		c->certainty = o->certainty; /* two that refuse: the surer one decides */
	}
	if (o->ours_to_cure) {
		struct matrix_remedy r;
		a->err = matrix_remedy(a->x, a->n, a->g, &r);
		if (!a->err && r.helps && r.hurts < 0)
			text_print(command, sizeof command, "umbel cert cure %s", a->g->name);
	}
	if (!a->err && *o->name)
		a->err = matrix_add_reason(a->x, a->node, a->gateway, a->flow, o, command);
}

static void count_words(struct at *a, enum matrix_words w, enum matrix_says says, enum trust_certainty certainty)
{
	matrix_opinion_of(&a->s->opinion[0], w, says, certainty, &a->s->report);
	count(a, &a->s->opinion[0]);
}

static void fields(struct at *a)
{
	matrix_fields(&a->s->report, a->m, a->n, a->g);
}

/* ---- opinions on a certificate of ours ---- */

static void nothing_known(struct at *a)
{
	fields(a);
	if (a->n->self)
		count_words(a, MATRIX_W_NO_CERTIFICATE, MATRIX_REFUSES, TRUST_SURE);
	else
		count_words(a, MATRIX_W_NODE_UNKNOWN, MATRIX_UNKNOWN, TRUST_UNKNOWN);
}

/* The rules take the chain as good. Where our own authorities do not prove it, that is said beside. */
static void doubt_chain(struct at *a, const struct matrix_cert *cert)
{
	struct matrix_scratch *s = a->s;
	unsigned i = 0;
	while (i < s->n_chains && s->chain[i].cert != cert)
		i++;
	if (a->err || !a->m->anchors_pem || !*a->m->anchors_pem || i == MATRIX_NODES)
		return;
	if (i == s->n_chains) {
		int err = matrix_cert_proven(cert, a->m->anchors_pem, a->m->now_s, &s->chain[i].proven, s->chain[i].why, sizeof s->chain[i].why);
		a->err = err == ENOMEM ? ENOMEM : 0;
		if (err)
			return;
		s->chain[i].cert = cert;
		s->n_chains++;
	}
	if (s->chain[i].proven)
		return;
	fields(a);
	ev_str(&s->report, "cn", cert->facts.cn);
	ev_str(&s->report, "error", s->chain[i].why);
	count_words(a, MATRIX_W_OUR_CHAIN, cert->facts.self_signed ? MATRIX_UNKNOWN : MATRIX_ACCEPTS, cert->facts.self_signed ? TRUST_UNKNOWN : TRUST_LIKELY);
}

static void they_judge(struct at *a, enum trust_seat seat, const struct matrix_cert *cert, const char *reference, int64_t now_s)
{
	if (!cert) {
		nothing_known(a);
		return;
	}
	matrix_they_judge(a->g, seat, cert, reference, now_s, a->s, &a->s->opinion[1]);
	if (seat == TRUST_SEAT_CLIENT_CERT && a->n->looked_at && a->s->opinion[1].certainty == TRUST_SURE)
		a->s->opinion[1].certainty = TRUST_LIKELY;
	bool accepts = a->s->opinion[1].says == MATRIX_ACCEPTS && (seat == TRUST_SEAT_SERVER_CERT || a->g->asks_certificate);
	count(a, &a->s->opinion[1]);
	if (accepts && a->flow != MATRIX_RENEWAL)
		doubt_chain(a, cert);
}

/* Where the name is only a guess, the other one may turn a refusal into nothing known. */
static void they_dial(struct at *a, const struct matrix_cert *cert, int64_t now_s)
{
	bool assumed;
	const char *name = matrix_dialled(a->g, a->n, &assumed), *other = name == a->n->fqdn ? a->n->service : a->n->fqdn;
	const struct matrix_cert *shown = cert ? cert : matrix_shown_to_caller(a->n, a->g, name);
	if (shown && assumed && *other) {
		struct matrix_opinion *o = &a->s->opinion[2];
		matrix_they_judge(a->g, TRUST_SEAT_SERVER_CERT, shown, name, now_s, a->s, o);
		bool refuses = o->says == MATRIX_REFUSES;
		matrix_they_judge(a->g, TRUST_SEAT_SERVER_CERT, cert ? cert : matrix_shown_to_caller(a->n, a->g, other), other, now_s, a->s, o);
		if (refuses && o->says != MATRIX_REFUSES) {
			fields(a);
			ev_str(&a->s->report, "name", name);
			ev_str(&a->s->report, "other", other);
			count_words(a, MATRIX_W_DIALLED_UNKNOWN, MATRIX_UNKNOWN, TRUST_UNKNOWN);
			return;
		}
	}
	they_judge(a, TRUST_SEAT_SERVER_CERT, shown, name, now_s);
}

static void we_judge(struct at *a, bool dialled)
{
	if (!a->err)
		a->err = matrix_we_judge(a->g, dialled, a->m->now_s, a->s, &a->s->opinion[1]);
	count(a, &a->s->opinion[1]);
}

/* ---- whether the name leads to the node ---- */

static void look_up(struct at *a, const char *name)
{
	const struct matrix_dns *d = matrix_find_dns(a->m, name, "A");
	if (!d || strcmp(d->outcome, "OK") == 0)
		return;
	fields(a);
	ev_str(&a->s->report, "name", name);
	ev_str(&a->s->report, "outcome", d->outcome);
	count_words(a, MATRIX_W_NAME_NOT_IN_DNS, MATRIX_UNKNOWN, TRUST_UNKNOWN);
}

/* A list of servers knows each by its own name; a node that is not in it does not exist for that gateway. */
static bool listed(struct at *a)
{
	const struct matrix_finder *f = matrix_finder(a->g);
	if (!matrix_has_list(a->g) || f->finds != MATRIX_FINDS_NODES || trust_names_has(&a->g->known, a->n->fqdn))
		return true;
	fields(a);
	count_words(a, MATRIX_W_NOT_IN_LIST, MATRIX_REFUSES, TRUST_LIKELY);
	return false;
}

/* The other nodes have the name too: some requests within a call go astray. */
static void astray(struct at *a, const char *name)
{
	bool known;
	uint64_t to = matrix_leads_to(a->m, name, &known), me = UINT64_C(1) << a->node;
	unsigned n = 0;
	for (unsigned i = 0; i < a->m->n_nodes; i++) {
		bool same = matrix_same_name(a->m->nodes[i].fqdn, name);
		to |= same && a->m->nodes[i].fqdn[0] ? UINT64_C(1) << i : 0;
		n += (to >> i) & 1;
	}
	if (n < 2 && (!to || (to & me)))
		return;
	char targets[512], lost[64];
	fields(a);
	ev_str(&a->s->report, "name", name);
	ev_str(&a->s->report, "targets", matrix_node_names(a->m, to, targets, sizeof targets));
	if (to & me)
		text_print(lost, sizeof lost, "%u of %u", n - 1, n);
	ev_str(&a->s->report, "lost", to & me ? lost : "all");
	count_words(a, MATRIX_W_NAME_LEADS_ELSEWHERE, MATRIX_REFUSES, TRUST_LIKELY);
}

/* ---- the flows ---- */

static void calls_in(struct at *a)
{
	const char *name = matrix_dialled(a->g, a->n, NULL);
	if (!listed(a))
		return;
	they_dial(a, NULL, a->m->now_s);
	look_up(a, name);
	we_judge(a, false);
}

static void calls_out(struct at *a)
{
	if (a->flow == MATRIX_TRANSFER && a->g->reuse == CFG_REUSE_ANY) {
		fields(a);
		count_words(a, MATRIX_W_REUSE_ANY, MATRIX_ACCEPTS, TRUST_LIKELY);
		return;
	}
	they_judge(a, TRUST_SEAT_CLIENT_CERT, matrix_shown_by_us(a->n, a->g), NULL, a->m->now_s);
	we_judge(a, true);
}

/* Their request goes to the host of our Contact: this node's own name. */
static void to_own_name(struct at *a)
{
	if (!*a->n->fqdn) {
		fields(a);
		count_words(a, MATRIX_W_CONTACT_ADDRESS, MATRIX_REFUSES, TRUST_LIKELY);
		return;
	}
	if (!listed(a))
		return;
	they_judge(a, TRUST_SEAT_SERVER_CERT, matrix_shown_to_caller(a->n, a->g, a->n->fqdn), a->n->fqdn, a->m->now_s);
	look_up(a, a->n->fqdn);
	we_judge(a, false);
}

static void dialog_in(struct at *a)
{
	to_own_name(a);
	if (*a->n->fqdn)
		astray(a, a->n->fqdn);
}

static bool alone(const struct at *a)
{
	for (unsigned i = 0; i < a->m->n_nodes; i++)
		if (i != a->node)
			return false;
	return true;
}

/* Calls that were meant for a node that is away come here: by this node's own name from a list, by the common name else. */
static void failover(struct at *a)
{
	const char *name = matrix_dialled(a->g, a->n, NULL);
	bool known;
	if (alone(a))
		return;
	calls_in(a);
	uint64_t to = matrix_leads_to(a->m, name, &known);
	if (!known || to & UINT64_C(1) << a->node || !a->n->addresses.n)
		return;
	char targets[512];
	fields(a);
	ev_str(&a->s->report, "name", name);
	ev_str(&a->s->report, "targets", matrix_node_names(a->m, to, targets, sizeof targets));
	/* An address of nobody's may be a load balancer's, or a translated one. */
	count_words(a, to ? MATRIX_W_SERVICE_MISSES_NODE : MATRIX_W_SERVICE_ELSEWHERE, to ? MATRIX_REFUSES : MATRIX_UNKNOWN, to ? TRUST_LIKELY : TRUST_UNKNOWN);
}

/* The day after the old one ended, with one that differs in its dates only. */
static void renewal(struct at *a)
{
	const char *name = matrix_dialled(a->g, a->n, NULL);
	const struct matrix_cert *seat[2] = { matrix_shown_to_caller(a->n, a->g, name), matrix_shown_by_us(a->n, a->g) };
	for (int i = 0; i < 2 && !a->err; i++) {
		struct matrix_cert *renewed = NULL;
		if (!seat[i]) {
			nothing_known(a);
			continue;
		}
		int64_t from_s = seat[i]->facts.not_after_s < a->m->now_s ? a->m->now_s : seat[i]->facts.not_after_s;
		a->err = matrix_cert_like(&renewed, seat[i], NULL, NULL, from_s);
		if (!a->err && i)
			they_judge(a, TRUST_SEAT_CLIENT_CERT, renewed, NULL, from_s + 60);
		else if (!a->err)
			they_dial(a, renewed, from_s + 60);
		mem_unref(renewed);
	}
}

/* ---- what was seen of it ---- */

static const struct matrix_seen *seen(const struct at *a)
{
	const struct matrix_model *m = a->m;
	for (unsigned i = 0; !m->supposed.n && i < m->n_seen; i++) /* under a question, nothing was seen yet */
		if (m->seen[i].flow == (int)a->flow && strcmp(m->seen[i].node, a->n->name) == 0 && strcmp(m->seen[i].gateway, a->g->name) == 0)
			return &m->seen[i];
	return NULL;
}

/* What happened tells more than a rule that cannot say, and is told beside one that says otherwise. */
static void compare(struct at *a)
{
	const struct matrix_seen *s = seen(a);
	struct matrix_cell *c = cell_of(a);
	char at[RFC3339_SIZE];
	enum matrix_says says = c->says;
	if (!s || a->err || says == MATRIX_NONE || (says == MATRIX_ACCEPTS && s->works) || (says != MATRIX_ACCEPTS && !s->works))
		return;
	fields(a);
	ev_str(&a->s->report, "at", rfc3339_s(s->at_us / 1000000, at));
	ev_str(&a->s->report, "verdict", s->verdict);
	if (says == MATRIX_UNKNOWN) {
		c->says = MATRIX_NONE;
		c->n_reasons = 0;
		count_words(a, MATRIX_W_SEEN_WORKS, MATRIX_ACCEPTS, TRUST_LIKELY);
	} else {
		count_words(a, s->works ? MATRIX_W_SEEN_TO_WORK_STILL : MATRIX_W_SEEN_TO_FAIL, says, TRUST_LIKELY);
		c->certainty = TRUST_LIKELY;
	}
}

static void flow(struct at *a)
{
	static void (*const run[])(struct at *) = {
		[MATRIX_CALLS_IN] = calls_in,     [MATRIX_OPTIONS] = calls_out,  [MATRIX_TRANSFER] = calls_out, [MATRIX_LAMP] = calls_out,
		[MATRIX_DIALOG_IN] = dialog_in,   [MATRIX_DIALOG_OUT] = calls_out, [MATRIX_FAILOVER] = failover, [MATRIX_REDIRECT] = to_own_name,
		[MATRIX_RENEWAL] = renewal,
	};
	bool in = a->flow == MATRIX_CALLS_IN || a->flow == MATRIX_DIALOG_IN || a->flow == MATRIX_FAILOVER || a->flow == MATRIX_REDIRECT;
	if (!a->g->tls || (a->flow == MATRIX_LAMP && !a->g->lamp) || (in && !a->g->calls_in))
		return;
	run[a->flow](a);
	compare(a);
}

/* ---- whether a cure would help ---- */

static bool same_identity(const struct matrix_node *n, const struct matrix_gateway *a, const struct matrix_gateway *b)
{
	return matrix_shown_by_us(n, a) == matrix_shown_by_us(n, b);
}

/* In both roles; the worse counts. Where nothing is known of how a gateway judges, nothing speaks against. */
static enum matrix_says would_say(const struct matrix *x, const struct matrix_node *n, const struct matrix_gateway *g, const struct matrix_cert *c)
{
	static const enum trust_seat seats[] = { TRUST_SEAT_CLIENT_CERT, TRUST_SEAT_SERVER_CERT };
	enum matrix_says worst = MATRIX_ACCEPTS;
	for (int i = 0; i < 2; i++) {
		struct matrix_opinion *o = &x->scratch->opinion[3];
		matrix_they_judge(g, seats[i], c, i ? matrix_dialled(g, n, NULL) : NULL, x->model->now_s, x->scratch, o);
		if (o->says > worst && (o->says == MATRIX_REFUSES || o->by_rule))
			worst = o->says;
	}
	return worst;
}

/* The names that the cure would ask for: planned for all gateways that are shown the same identity, as cert/cure.c does. */
static const struct cert_names *planned(const struct matrix *x, const struct matrix_node *n, const struct matrix_gateway *g)
{
	const struct matrix_model *m = x->model;
	struct matrix_scratch *s = x->scratch;
	struct cert_plan_prm prm = { .fqdn = n->fqdn, .service = n->service, .gateways = s->sharing };
	for (unsigned i = 0; i < m->n_gateways && prm.n_gateways < CERT_PLAN_GATEWAYS; i++) {
		const struct matrix_gateway *o = &m->gateways[i];
		if (!o->tls || !same_identity(n, g, o))
			continue;
		s->sharing[prm.n_gateways].name = o->name;
		matrix_judges_us(o, &s->sharing[prm.n_gateways++].judges);
	}
	cert_plan_make(&s->plan, &prm);
	for (unsigned i = 0; i < s->plan.n; i++)
		for (unsigned k = 0; k < s->plan.one[i].n_gateways; k++)
			if (s->sharing[s->plan.one[i].gateway[k]].name == g->name)
				return &s->plan.one[i].names;
	return &s->plan.one[0].names;
}

int matrix_remedy(const struct matrix *x, const struct matrix_node *n, const struct matrix_gateway *g, struct matrix_remedy *r)
{
	const struct matrix_cert *now = matrix_shown_by_us(n, g);
	struct matrix_cert *cured = NULL;
	*r = (struct matrix_remedy){ .hurts = -1 };
	if (!now || !*n->fqdn)
		return 0;
	const struct cert_names *names = planned(x, n, g);
	text_fill(r->cn, sizeof r->cn, names->cn);
	int err = matrix_cert_like(&cured, now, &names->dns, "serverAuth,clientAuth", x->model->now_s);
	if (err)
		return err == EINVAL ? 0 : err;
	r->helps = would_say(x, n, g, cured) != MATRIX_REFUSES;
	for (unsigned i = 0; r->helps && r->hurts < 0 && i < x->model->n_gateways; i++) {
		const struct matrix_gateway *other = &x->model->gateways[i];
		if (other == g || !other->tls || !same_identity(n, g, other))
			continue;
		r->says = would_say(x, n, other, cured);
		if (r->says != MATRIX_ACCEPTS)
			r->hurts = (int)i;
	}
	mem_unref(cured);
	return 0;
}

/* ---- all of it ---- */

static int fill(struct matrix *x)
{
	const struct matrix_model *m = x->model;
	for (unsigned n = 0; n < m->n_nodes; n++)
		for (unsigned g = 0; g < m->n_gateways; g++)
			for (int f = 0; f < MATRIX_FLOWS; f++) {
				struct at a = { x, m, n, g, (enum matrix_flow)f, &m->nodes[n], &m->gateways[g], x->scratch, 0 };
				flow(&a);
				if (a.err)
					return a.err;
			}
	return 0;
}

static void sum_up(struct matrix *x)
{
	const struct matrix_model *m = x->model;
	for (unsigned n = 0; n < m->n_nodes; n++)
		for (unsigned i = 0; i < m->n_gateways * MATRIX_FLOWS; i++) {
			enum matrix_says says = x->cells[n * m->n_gateways * MATRIX_FLOWS + i].says;
			x->breaks |= says == MATRIX_REFUSES && !m->nodes[n].supposed_down;
			x->uncertain |= says == MATRIX_UNKNOWN;
		}
	for (unsigned i = 0; i < x->n_outcomes; i++)
		x->breaks |= x->outcomes[i].bad;
}

int matrix_run(struct matrix **xp, const struct matrix_model *m)
{
	struct matrix *x = mem_zalloc(1, sizeof *x);
	if (!x)
		return ENOMEM;
	x->model = m;
	x->cells = mem_zalloc(m->n_nodes * m->n_gateways * MATRIX_FLOWS + 1, sizeof *x->cells);
	x->scratch = mem_zalloc(1, sizeof *x->scratch);
	int err = x->cells && x->scratch ? 0 : ENOMEM;
	if (!err)
		err = fill(x);
	if (!err)
		err = matrix_outcomes(x);
	if (err) {
		matrix_free(x);
		return err;
	}
	sum_up(x);
	*xp = x;
	return 0;
}

void matrix_free(struct matrix *x)
{
	if (!x)
		return;
	mem_free(x->scratch);
	mem_free(x->cells);
	mem_free(x->reasons);
	mem_free(x->outcomes);
	mem_free(x);
}
