/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_matrix.c  cert.matrix: the model of the matrix from what runs here: the identities in use, the certificates that gateways showed, the names
 * by which they dialled us.                                                                                             */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin_events.h"
#include "base/mem.h"
#include "admin/words.h"
#include "base/id.h"
#include "base/rfc3339.h"
#include "cert/letter.h"
#include "cert/post.h"
#include "cert/matrix.h"
#include "cert/matrix_dns.h"
#include "cert/matrix_json.h"
#include "cert/matrix_pool.h"
#include "gateway/shared.h"
#include "jobs/registry.h"
#include "net/pool.h"
#include "net/tmr.h"
#include "trust/identity.h"
#include "trust/pem.h"

/* ---- this node ---- */

static int take_identities(struct matrix_node *n, const struct trust_set *set)
{
	int err = 0;
	for (unsigned i = 0; !err && i < trust_set_count(set); i++) {
		const struct trust_identity *id = trust_set_at(set, i);
		struct matrix_cert *c = NULL;
		if (strchr(trust_identity_name(id), '+'))
			continue; /* being rehearsed */
		err = matrix_cert_from(&c, trust_identity_x509(id), trust_identity_chain(id), *trust_identity_cert_file(id) ? trust_identity_cert_file(id) : "in use");
		if (!err)
			err = matrix_node_shows(n, trust_identity_name(id), c);
		mem_unref(c);
	}
	return err;
}

static int take_anchors(struct matrix_model *m, const struct trust_set *set)
{
	struct buf pem;
	int err = 0;
	buf_init(&pem, 8 << 20);
	for (unsigned i = 0; !err && i < trust_set_anchors(set); i++)
		err = trust_pem_put_cert(&pem, trust_set_anchor_at(set, i));
	const char *all = err ? NULL : buf_cstr(&pem);
	m->anchors_pem = all ? mem_strdup(all) : NULL;
	buf_free(&pem);
	return err ? err : m->anchors_pem ? 0 : ENOMEM;
}

/* ---- what was seen of the gateways ---- */

static void take_seen(struct matrix_theirs *t, const struct trust_facts *f, int64_t at_us)
{
	char when[RFC3339_SIZE];
	if (!f || !f->theirs.shown || !*f->theirs.sha256)
		return;
	*t = (struct matrix_theirs){ .known = true, .facts = f->theirs, .judged = f->tls.verify_done, .refused = f->tls.verify_done && f->tls.verify_code != 0 };
	if (f->name.judged && f->name.reason && f->tls.verify_code == X509_V_ERR_HOSTNAME_MISMATCH)
		t->refused = false; /* its chain was good: the name is judged anew */
	text_fill(t->why, sizeof t->why, f->tls.verify_words);
	text_print(t->from, sizeof t->from, "seen %s", rfc3339_s(at_us / 1000000, when));
}

static void take_gateway(struct matrix_gateway *g, struct gateway *live)
{
	static const enum gw_flow_kind ours[] = { GW_OPTIONS, GW_TRANSFER, GW_LAMP };
	struct gw_member_info member;
	const struct gw_flow_state *in = gw_flow_state(live, GW_CALLS_IN);
	for (size_t i = 0; i < sizeof ours / sizeof *ours && !g->as_server.known; i++)
		take_seen(&g->as_server, &gw_flow_state(live, ours[i])->facts, gw_flow_state(live, ours[i])->at_us);
	for (unsigned i = 0; i < gw_members(live) && !g->as_server.known; i++) {
		gw_member(live, i, &member);
		take_seen(&g->as_server, member.facts, member.probed_us);
	}
	take_seen(&g->as_client, &in->facts, in->at_us);
	if (in->facts.role == TRUST_ACCEPTED && *in->facts.tls.sni)
		trust_names_add_str(&g->dials, in->facts.tls.sni);
}

/* ---- what was seen of flows, here and by the others ---- */

static const int flow_of[GW_FLOWS] = { [GW_CALLS_IN] = MATRIX_CALLS_IN, [GW_OPTIONS] = MATRIX_OPTIONS, [GW_TRANSFER] = MATRIX_TRANSFER, [GW_LAMP] = MATRIX_LAMP };

static int add_seen(struct matrix_model *m, const char *node, const char *gateway, enum gw_flow_kind flow, enum gw_works works, int64_t at_us, const char *verdict)
{
	if (works == GW_NOT_TRIED)
		return 0;
	struct matrix_seen *s = matrix_add_seen(m, node, gateway);
	if (!s)
		return ENOMEM;
	s->flow = flow_of[flow];
	s->works = works == GW_WORKS;
	s->at_us = at_us;
	text_fill(s->verdict, sizeof s->verdict, verdict);
	return 0;
}

static int take_seen_flows(struct admin *a, struct matrix_model *m)
{
	int err = 0;
	for (unsigned i = 0; i < m->n_gateways && !err; i++) {
		struct gateway *g = a->prm.gateways ? gw_find(a->prm.gateways, m->gateways[i].name) : NULL;
		for (int f = 0; g && f < GW_FLOWS && !err; f++) {
			const struct gw_flow_state *s = gw_flow_state(g, (enum gw_flow_kind)f);
			err = add_seen(m, a->cfg->node.name, gw_name(g), (enum gw_flow_kind)f, s->works, s->at_us, s->verdict.name);
		}
	}
	for (unsigned i = 0; a->prm.shared && i < gw_shared_count(a->prm.shared) && !err; i++) {
		const struct gw_shared_flow *s = gw_shared_at(a->prm.shared, i);
		if (strcmp(s->node, a->cfg->node.name) != 0)
			err = add_seen(m, s->node, s->gateway, s->flow, s->works, s->at_us, s->verdict);
	}
	return err;
}

static int take_self(struct admin *a, struct matrix_model *m)
{
	struct matrix_node *n = NULL;
	struct trust_set *set = trust_keeper_get(a->prm.trust);
	int err = matrix_take_self(m, a->cfg, &n);
	if (!err)
		err = take_identities(n, set);
	if (!err)
		err = take_anchors(m, set);
	if (!err)
		err = matrix_take_gateways(m, a->objects ? a->objects : a->cfg);
	mem_unref(set);
	for (unsigned i = 0; !err && a->prm.gateways && i < m->n_gateways; i++) {
		struct gateway *live = gw_find(a->prm.gateways, m->gateways[i].name);
		if (live)
			take_gateway(&m->gateways[i], live);
	}
	return err ? err : take_seen_flows(a, m);
}

/* ---- the errand: other nodes by the store or by their own word, names by DNS, the judging on a worker ---- */

enum { STALE_S = 7 * 86400, CARDS_MS = 18000 }; /* longer than a letter may take on its way: that would be told better */

/* A node that was asked for its card. */
struct asked {
	char name[65], fqdn[TRUST_NAME_SIZE], why[512];
	char *card; /* NULL: it did not give one */
	bool over, down;
};

struct errand {
	struct link link; /* of the admin */
	struct admin *admin; /* NULL: it went away meanwhile */
	struct admin_call *call;
	struct matrix_asking *asking;
	struct matrix_model *model;
	json_t *args, *result;
	struct ev_report why;
	char order[ID_SIZE];
	struct asked *other; /* of the configuration; NULL: the store tells */
	unsigned n_others;
	struct tmr patience;
};

static void finish(struct errand *e, int err)
{
	if (e->admin)
		list_remove(&e->link);
	if (e->admin && err)
		admin_call_errno(e->call, err, &e->why);
	else if (e->admin)
		admin_call_ok(e->call, json_incref(e->result));
	tmr_cancel(&e->patience);
	for (unsigned i = 0; i < e->n_others; i++)
		mem_free(e->other[i].card);
	mem_free(e->other);
	mem_unref(e->call);
	json_decref(e->args);
	json_decref(e->result);
	matrix_model_free(e->model);
	mem_free(e);
}

static int judge_work(void *arg)
{
	struct errand *e = arg;
	struct matrix *x = NULL;
	struct matrix_pool *page = NULL;
	int err = admin_arg_bool(e->args, "consistency") ? matrix_pool_make(&page, e->model) : matrix_run(&x, e->model);
	if (!err)
		e->result = page ? matrix_pool_json(page, e->model) : matrix_json(x);
	matrix_pool_free(page);
	matrix_free(x);
	return err;
}

static void judged(enum pool_result result, int err, void *arg)
{
	finish(arg, result == POOL_CANCELLED ? ECANCELED : err);
}

static void asked(int err, void *arg)
{
	struct errand *e = arg;
	e->asking = NULL;
	if (!err)
		err = pool_submit(e->admin->prm.crypto, judge_work, judged, e);
	if (err)
		finish(e, err);
}

/* Everything is in the model but what DNS says. */
static void ask_names(struct errand *e)
{
	int err = matrix_take_strangers(e->model);
	if (!err)
		err = matrix_json_apply(e->model, e->args, &e->why);
	if (!err && e->admin->prm.dns && !admin_arg_bool(e->args, "no_dns"))
		err = matrix_ask_dns(&e->asking, e->admin->prm.dns, e->model, asked, e);
	else if (!err)
		asked(0, e);
	if (err)
		finish(e, err);
}

static int take_other(struct matrix_model *m, const struct registry_node *r, int64_t skew_us)
{
	struct matrix_node *n = NULL;
	if (r->self || (!r->alive && r->ago_us / 1000000 > STALE_S))
		return 0;
	int err = matrix_take_card(m, r->name, r->fqdn, r->card, &n);
	if (err)
		return err == ENOSPC ? 0 : err;
	n->down = !r->alive;
	n->has_beat = true;
	n->beat_ago_ms = (r->ago_us - r->skew_us + skew_us) / 1000; /* by our clock */
	return 0;
}

static void others(int err, const struct registry_node *nodes, size_t n, void *arg)
{
	struct errand *e = arg;
	if (!e->admin) {
		finish(e, ECANCELED);
		return;
	}
	int64_t skew_us = 0;
	for (size_t i = 0; i < n && !err; i++)
		skew_us = nodes[i].self ? nodes[i].skew_us : skew_us;
	/* Without the store this node is judged alone, with those that gateways name beside it. */
	for (size_t i = 0; i < n && !err; i++)
		if (take_other(e->model, &nodes[i], skew_us) == ENOMEM)
			err = ENOMEM;
	if (err == ENOMEM)
		finish(e, err);
	else
		ask_names(e);
}

/* ---- other nodes, each asked for its card ---- */

static void all_heard(struct errand *e)
{
	int err = 0;
	tmr_cancel(&e->patience);
	for (unsigned i = 0; i < e->n_others && err != ENOMEM; i++) {
		struct asked *o = &e->other[i];
		struct matrix_node *n = NULL;
		o->over = true;
		err = matrix_take_card(e->model, o->name, o->fqdn, o->card, &n);
		if (err)
			continue;
		n->down = o->down;
		text_fill(n->why, sizeof n->why, o->why);
	}
	if (err == ENOMEM)
		finish(e, err);
	else
		ask_names(e);
}

static void look_if_all(struct errand *e)
{
	for (unsigned i = 0; i < e->n_others; i++)
		if (!e->other[i].over)
			return;
	if (tmr_active(&e->patience)) /* else they are still being asked */
		all_heard(e);
}

static void out_of_patience(void *arg)
{
	struct errand *e = arg;
	for (unsigned i = 0; i < e->n_others; i++)
		if (!e->other[i].over)
			text_fill(e->other[i].why, sizeof e->other[i].why, admin_words(ADMIN_HINT_NO_CARD));
	all_heard(e);
}

static void ask_cards(struct errand *e)
{
	struct admin *a = e->admin;
	const char *fqdn, *name;
	id_make(e->order, a->prm.clock);
	e->other = mem_zalloc(CFG_NODES_MAX, sizeof *e->other);
	if (!e->other) {
		finish(e, ENOMEM);
		return;
	}
	for (unsigned i = 0; i < CFG_NODES_MAX && (name = cert_post_node(a->post, i, &fqdn)) != NULL; i++) {
		text_fill(e->other[i].name, sizeof e->other[i].name, name);
		text_fill(e->other[i].fqdn, sizeof e->other[i].fqdn, fqdn);
		e->n_others++;
	}
	for (unsigned i = 0; i < e->n_others; i++) {
		int err = cert_post_send(a->post, e->other[i].name, e->order, "card?", NULL);
		if (err) {
			e->other[i].over = true;
			text_fill(e->other[i].why, sizeof e->other[i].why, strerrordesc_np(err));
		}
	}
	tmr_start(a->prm.loop, &e->patience, CARDS_MS, out_of_patience, e);
	look_if_all(e);
}

/* NULL: nobody asked, or it is too late. */
static struct asked *find_asked(struct admin *a, const char *order, const char *node, struct errand **ep)
{
	LIST_FOREACH(&a->matrices, it) {
		struct errand *e = LIST_ENTRY(it, struct errand, link);
		if (strcmp(e->order, order) != 0)
			continue;
		*ep = e;
		for (unsigned i = 0; i < e->n_others; i++)
			if (strcmp(e->other[i].name, node) == 0 && !e->other[i].over)
				return &e->other[i];
	}
	return NULL;
}

/* Names and certificates, as everybody sees them who calls; never a key. */
static void give_card(struct admin *a, const struct cert_letter_in *l)
{
	struct trust_set *set = trust_keeper_get(a->prm.trust);
	struct buf card;
	buf_init(&card, CERT_LETTER_MAX);
	const char *text = matrix_card_make(&card, a->cfg, set) == 0 ? buf_cstr(&card) : NULL;
	if (text)
		(void)cert_post_send(a->post, l->from, l->order, "card", json_pack("{s:s}", "card", text));
	buf_free(&card);
	mem_unref(set);
}

bool matrix_letter(struct admin *a, const struct cert_letter_in *l)
{
	struct errand *e = NULL;
	if (strcmp(l->kind, "card?") == 0) {
		give_card(a, l);
		return true;
	}
	if (strcmp(l->kind, "card") != 0)
		return false;
	const char *text = json_string_value(json_object_get(l->data, "card"));
	struct asked *o = find_asked(a, l->order, l->from, &e);
	if (o) {
		o->over = true;
		o->card = text ? mem_strdup(text) : NULL;
		look_if_all(e);
	}
	return true;
}

bool matrix_unsent(struct admin *a, const char *to, const char *order, const struct ev_report *why)
{
	struct errand *e = NULL;
	struct asked *o = find_asked(a, order, to, &e);
	bool ours = e != NULL;
	if (o) {
		o->over = true;
		o->down = ev_field_text(why, "step").n && (text_is(ev_field_text(why, "step"), "dns") || text_is(ev_field_text(why, "step"), "connect"));
		ev_sentence(why, o->why, sizeof o->why);
		look_if_all(e);
	}
	return ours;
}

static void matrix(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	if (!a->prm.trust || !a->prm.crypto || !a->cfg || !a->cfg->has_node) {
		admin_call_absent(call, "TLS");
		return;
	}
	struct errand *e = mem_zalloc(1, sizeof *e);
	if (!e) {
		admin_call_errno(call, ENOMEM, NULL);
		return;
	}
	e->admin = a;
	e->call = mem_ref(call);
	e->args = json_deep_copy(args);
	list_append(&a->matrices, &e->link);
	int err = matrix_model_create(&e->model, clock_real_s(a->prm.clock));
	if (!err)
		err = take_self(a, e->model);
	if (err)
		finish(e, err);
	else if (cert_post_way(a->post) == CERT_POST_DIRECT)
		ask_cards(e);
	else if (!a->prm.registry || registry_cards(a->prm.registry, others, e) != 0)
		ask_names(e);
}

void admin_matrix_stop(struct admin *a)
{
	while (!list_empty(&a->matrices)) {
		struct errand *e = LIST_ENTRY(a->matrices.head.next, struct errand, link);
		list_remove(&e->link);
		bool waits = e->other && tmr_active(&e->patience);
		e->admin = NULL; /* a store or a worker that still has it lets it end */
		if (e->asking)
			matrix_ask_cancel(e->asking);
		if (e->asking || waits)
			finish(e, ECANCELED);
	}
}

const struct admin_cmd admin_matrix_cmds[] = { { "cert.matrix", matrix }, { NULL, NULL } };
