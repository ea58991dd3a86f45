/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cert_all.c  cert.cure for all nodes of the service: this node first, then the others one after the other, each by letters (cert/post.h):
 *
 *     here                                    there
 *     cure {gateway, ...}           ->        the errand begins: key, request
 *     checked, signed by our CA     <-        request {csr}
 *     certificate {chain}           ->        examined, rehearsed, installed, watched
 *     told to the caller            <-        step {report} ... done {good, report}
 *
 * Keys never travel: requests and certificates do. One that fails ends it, so that never more than one node is in doubt.          */
#include <errno.h>
#include "admin/errand_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "cert/install.h"
#include "cert/judge.h"
#include "cert/post.h"
#include "cert_events.h"
#include "db/db.h"
#include "jobs/registry.h"
#include "net/tmr.h"
#include "trust/pem.h"

enum { NODES_MAX = 64, SILENCE_MS = 120 * 1000, FIRST_WORD_MS = 30 * 1000, ANSWER_WAIT_MS = 90 * 1000, GONE_S = 7 * 86400 };

struct tour {
	struct link link;
	struct admin *admin;
	struct admin_call *call;
	char order[ID_SIZE], gateway[64], ca_cert[512], ca_key[512];
	json_t *args;
	struct {
		char name[65], fqdn[TRUST_NAME_SIZE];
	} node[NODES_MAX];
	unsigned n, at; /* at: the one under way, of the others */
	json_t *renewed;
	struct tmr silence;
	bool signing, over, spoke; /* spoke: the one under way */
	struct ev_report r;
};

static void tour_free(struct tour *t)
{
	tmr_cancel(&t->silence);
	list_remove(&t->link);
	json_decref(t->args);
	json_decref(t->renewed);
	mem_unref(t->call);
	mem_free(t);
}

/* Freed when the worker is back, if there is one. */
static void tour_end(struct tour *t)
{
	t->over = true;
	tmr_cancel(&t->silence);
	if (!t->signing)
		tour_free(t);
}

static void tour_tell(struct tour *t, uint16_t event, const char *node, const char *cn, const char *issuer)
{
	ev_set(&t->r, event);
	ev_str(&t->r, "node", node);
	ev_str(&t->r, "gateway", t->gateway);
	ev_str(&t->r, "cn", cn);
	ev_str(&t->r, "issuer", issuer);
	ev_emit(t->admin->prm.bus, &t->r);
	tour_said(t, t->admin->cfg->node.name, admin_report_json(&t->r));
}

void tour_said(struct tour *t, const char *node, json_t *step)
{
	if (step)
		json_object_set_new(step, "node", json_string(node));
	admin_call_more(t->call, step);
}

static void tour_fail(struct tour *t, const char *node, const char *reason, const char *advice)
{
	ev_set(&t->r, EV_CERT_ORDER_FAILED);
	ev_str(&t->r, "node", node);
	ev_str(&t->r, "reason", reason);
	ev_str(&t->r, "advice", advice);
	ev_emit(t->admin->prm.bus, &t->r);
	admin_call_errno(t->call, EIO, &t->r);
	tour_end(t);
}

/* ---- one node after the other ---- */

/* It took the order, or we would know: so without a first word the way back is broken. */
static void silent(void *arg)
{
	struct tour *t = arg;
	tour_fail(t, t->node[t->at].name, t->spoke ? "nothing was heard of it for two minutes" : "it took the order, but no word of it came back",
		  admin_words(t->spoke ? ADMIN_HINT_NODE_EVENTS : ADMIN_HINT_WAY_BACK));
}

static void heard(struct tour *t, bool spoke)
{
	t->spoke = spoke;
	bool soon = !spoke && cert_post_way(t->admin->post) == CERT_POST_DIRECT;
	tmr_start(t->admin->prm.loop, &t->silence, soon ? FIRST_WORD_MS : SILENCE_MS, silent, t);
}

static void tour_done(struct tour *t)
{
	struct buf names;
	size_t i;
	json_t *name;
	buf_init(&names, 8192);
	json_array_foreach(t->renewed, i, name)
		buf_printf(&names, "%s%s", i ? ", " : "", json_string_value(name));
	ev_set(&t->r, EV_CERT_ORDER_DONE);
	ev_str(&t->r, "nodes", names.n ? buf_cstr(&names) : "");
	buf_free(&names);
	ev_emit(t->admin->prm.bus, &t->r);
	admin_call_did(t->call, "gateway %s, all nodes", t->gateway);
	admin_call_ok(t->call, json_pack("{s:b, s:s, s:O, s:o}", "good", 1, "gateway", t->gateway, "nodes", t->renewed, "report", admin_report_json(&t->r)));
	tour_end(t);
}

static void next_node(struct tour *t)
{
	if (t->at == t->n) {
		tour_done(t);
		return;
	}
	const char *name = t->node[t->at].name;
	tour_tell(t, EV_CERT_ORDER_NODE, name, "", "");
	json_t *data = json_pack("{s:s, s:I, s:b}", "gateway", t->gateway, "watch_ms", (json_int_t)admin_arg_int(t->args, "watch_ms", -1), "force",
	                         admin_arg_bool(t->args, "force"));
	if (data && admin_arg_str(t->args, "kind"))
		json_object_set_new(data, "kind", json_string(admin_arg_str(t->args, "kind")));
	int err = cert_post_send(t->admin->post, name, t->order, "cure", data);
	if (err)
		tour_fail(t, name, strerrordesc_np(err), admin_words(ADMIN_HINT_STATUS));
	else
		heard(t, false);
}

static void add_node(struct tour *t, const char *name, const char *fqdn)
{
	if (t->n == NODES_MAX)
		return;
	text_fill(t->node[t->n].name, sizeof t->node[t->n].name, name);
	text_fill(t->node[t->n].fqdn, sizeof t->node[t->n].fqdn, fqdn);
	t->n++;
}

/* Of those that are on the list of the store; one that was taken away long ago is still there. */
static void leave_out(struct tour *t, const struct registry_node *n)
{
	int64_t ago_s = n->ago_us / 1000000;
	if (ago_s > GONE_S)
		return;
	ev_set(&t->r, EV_CERT_ORDER_LEFT_OUT);
	ev_str(&t->r, "node", n->name);
	ev_int(&t->r, "ago_s", ago_s);
	ev_str(&t->r, "gateway", t->gateway);
	ev_emit(t->admin->prm.bus, &t->r);
	tour_said(t, t->admin->cfg->node.name, admin_report_json(&t->r));
}

static void listed(int err, const struct registry_node *nodes, size_t n, void *arg)
{
	struct tour *t = arg;
	if (err) {
		tour_fail(t, "", "the list of nodes cannot be read", admin_words(ADMIN_HINT_STATUS));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!nodes[i].self && nodes[i].alive)
			add_node(t, nodes[i].name, nodes[i].fqdn);
		else if (!nodes[i].self)
			leave_out(t, &nodes[i]);
	}
	next_node(t);
}

void tour_own_over(struct tour *t, const struct cert_cure_result *res)
{
	char sentence[1024];
	if (!res->good) {
		struct text advice = ev_field_text(&res->report, "advice");
		char words[2048];
		text_print(words, sizeof words, "%.*s", TEXT_FMT(advice));
		tour_fail(t, t->admin->cfg->node.name, ev_sentence(&res->report, sentence, sizeof sentence), words);
		return;
	}
	json_array_append_new(t->renewed, json_string(t->admin->cfg->node.name));
	if (cert_post_way(t->admin->post) == CERT_POST_STORE) {
		int err = registry_list(t->admin->prm.registry, listed, t);
		if (err)
			listed(err, NULL, 0, t);
		return;
	}
	const char *fqdn, *name;
	for (unsigned i = 0; (name = cert_post_node(t->admin->post, i, &fqdn)) != NULL; i++)
		add_node(t, name, fqdn);
	next_node(t);
}

void tour_start(struct admin *a, struct admin_call *call, struct gateway *g, const json_t *args)
{
	struct ev_report why = { 0 };
	struct tour *t = mem_zalloc(1, sizeof *t);
	if (!t) {
		admin_call_errno(call, ENOMEM, NULL);
		return;
	}
	list_append(&a->tours, &t->link);
	t->admin = a;
	t->call = mem_ref(call);
	t->args = json_deep_copy(args);
	t->renewed = json_array();
	id_make(t->order, a->prm.clock);
	text_fill(t->gateway, sizeof t->gateway, gw_name(g));
	errand_find_ca(a->cfg, args, t->ca_cert, t->ca_key, sizeof t->ca_cert);
	bool alone = cert_post_way(a->post) == CERT_POST_NOWHERE;
	struct errand *x = *t->ca_cert && !alone ? errand_new(a, call, "cert.cure --all") : NULL;
	int err = x ? 0 : alone ? ENOENT : ENOKEY;
	if (alone) {
		ev_set(&why, EV_CERT_ORDER_ALONE);
		ev_str(&why, "gateway", t->gateway);
	} else if (!*t->ca_cert) {
		ev_set(&why, EV_CERT_ORDER_NO_CA);
	}
	if (!err) {
		x->tour = t;
		err = errand_cure(x, g, args, true, &why);
	}
	if (err) {
		admin_call_errno(call, err, &why);
		if (x)
			errand_free(x);
		tour_free(t);
	}
}

/* ---- letters from the node under way ---- */

struct signing {
	struct tour *t;
	char node[65], ca_cert[512], ca_key[512], error[256];
	char *csr;
	struct cert_names allowed;
	unsigned days;
	const struct um_clock *clock;
	struct buf chain;
	struct ev_report why;
};

static int sign_work(void *arg)
{
	struct signing *s = arg;
	struct cert_sign_prm prm = { .clock = s->clock, .ca_cert_file = s->ca_cert, .ca_key_file = s->ca_key, .days = s->days };
	char names[512];
	int err = cert_request_within(text_of(s->csr), &s->allowed, s->error, sizeof s->error);
	if (err) {
		ev_set(&s->why, EV_CERT_ORDER_REQUEST_BAD);
		ev_str(&s->why, "node", s->node);
		ev_str(&s->why, "error", s->error);
		ev_str(&s->why, "cn", s->allowed.cn);
		ev_str(&s->why, "names", trust_names_join(&s->allowed.dns, names, sizeof names));
		return err;
	}
	return cert_ca_sign(&s->chain, text_of(s->csr), &prm, &s->why);
}

static void signed_h(enum pool_result result, int err, void *arg)
{
	struct signing *s = arg;
	struct tour *t = s->t;
	char sentence[1024];
	t->signing = false;
	if (t->over) {
		tour_free(t);
	} else if (result != POOL_DONE) {
		tour_fail(t, s->node, s->why.id ? ev_sentence(&s->why, sentence, sizeof sentence) : strerrordesc_np(err), "");
	} else {
		tour_tell(t, EV_CERT_ORDER_SIGNED, s->node, s->allowed.cn, s->ca_cert);
		err = cert_post_send(t->admin->post, s->node, t->order, "certificate", json_pack("{s:s#}", "chain", s->chain.p, s->chain.n));
		if (err)
			tour_fail(t, s->node, strerrordesc_np(err), "");
	}
	mem_free(s->csr);
	buf_free(&s->chain);
	mem_free(s);
}

/* What a certificate of that node may hold is computed here, from our own configuration. */
static void allow(struct signing *s, struct tour *t, const char *fqdn)
{
	struct admin *a = t->admin;
	struct gateway *g = gw_find(a->prm.gateways, t->gateway);
	struct cert_plan *p = mem_alloc(sizeof *p);
	struct cert_gateway *all = mem_zalloc(CERT_PLAN_GATEWAYS, sizeof *all);
	cert_names_for(&s->allowed, NULL, fqdn, a->cfg->node.service);
	if (g && p && all) {
		const char *identity = admin_identity_of(a->cfg, gw_cfg(g));
		struct cert_plan_prm prm = { .identity = identity, .fqdn = fqdn, .service = a->cfg->node.service, .gateways = all };
		prm.n_gateways = admin_gateways_shown(a, identity, all, CERT_PLAN_GATEWAYS);
		cert_plan_make(p, &prm);
		for (unsigned i = 0; i < p->n; i++)
			for (unsigned k = 0; k < p->one[i].n_gateways; k++)
				if (strcmp(all[p->one[i].gateway[k]].name, t->gateway) == 0)
					s->allowed = p->one[i].names;
	}
	mem_free(all);
	mem_free(p);
}

static void take_request(struct tour *t, const struct cert_letter_in *l)
{
	const char *csr = json_string_value(json_object_get(l->data, "csr"));
	struct signing *s = csr && !t->signing ? mem_zalloc(1, sizeof *s) : NULL;
	if (!s || !(s->csr = mem_strdup(csr))) {
		mem_free(s);
		return;
	}
	s->t = t;
	s->clock = t->admin->prm.clock;
	s->days = (unsigned)admin_arg_int(t->args, "days", 0);
	text_fill(s->node, sizeof s->node, l->from);
	text_fill(s->ca_cert, sizeof s->ca_cert, t->ca_cert);
	text_fill(s->ca_key, sizeof s->ca_key, t->ca_key);
	buf_init(&s->chain, TRUST_PEM_MAX);
	allow(s, t, l->fqdn);
	t->signing = true;
	int err = pool_submit(t->admin->prm.crypto, sign_work, signed_h, s);
	if (err)
		signed_h(POOL_FAILED, err, s);
}

static void node_over(struct tour *t, const struct cert_letter_in *l)
{
	const json_t *report = json_object_get(l->data, "report");
	const char *text = json_string_value(json_object_get(report, "text")), *advice = json_string_value(json_object_get(report, "advice"));
	if (!json_is_true(json_object_get(l->data, "good"))) {
		tour_fail(t, l->from, text ? text : "it gave no reason", advice ? advice : "");
		return;
	}
	json_array_append_new(t->renewed, json_string(l->from));
	t->at++;
	next_node(t);
}

static void to_tour(struct tour *t, const struct cert_letter_in *l)
{
	if (t->over || t->at >= t->n || strcmp(t->node[t->at].name, l->from) != 0)
		return;
	heard(t, true);
	if (strcmp(l->kind, "step") == 0)
		tour_said(t, l->from, json_deep_copy(json_object_get(l->data, "report")));
	else if (strcmp(l->kind, "request") == 0)
		take_request(t, l);
	else if (strcmp(l->kind, "done") == 0)
		node_over(t, l);
}

/* ---- an order from another node ---- */

static void answer(struct errand *x, const char *kind, json_t *data)
{
	if (*x->from && x->admin->post)
		(void)cert_post_send(x->admin->post, x->from, x->order, kind, data);
	else
		json_decref(data);
}

void order_said(struct errand *x, json_t *step)
{
	answer(x, "step", json_pack("{s:o}", "report", step ? step : json_null()));
}

void order_over(struct errand *x, const struct cert_cure_result *res)
{
	json_t *report = admin_report_json(&res->report);
	answer(x, "done", json_pack("{s:b, s:o}", "good", res->good, "report", report ? report : json_null()));
}

void order_request(struct text csr, const char *answer_file, void *errand)
{
	struct errand *x = errand;
	text_fill(x->answer_file, sizeof x->answer_file, answer_file);
	answer(x, "request", json_pack("{s:s#}", "csr", csr.p, csr.n));
}

static void refuse_order(struct admin *a, const struct cert_letter_in *l, int err, const struct ev_report *why)
{
	struct ev_report r = { 0 };
	if (!why || !why->id) {
		ev_set(&r, EV_ADMIN_FAILED);
		ev_str(&r, "command", "cert.cure");
		ev_str(&r, "error", strerrordesc_np(err));
		why = &r;
	}
	json_t *report = admin_report_json(why);
	(void)cert_post_send(a->post, l->from, l->order, "done", json_pack("{s:b, s:o}", "good", 0, "report", report ? report : json_null()));
}

static void take_order(struct admin *a, const struct cert_letter_in *l)
{
	struct ev_report why = { 0 };
	const char *gateway = json_string_value(json_object_get(l->data, "gateway"));
	struct gateway *g = gateway && a->prm.gateways ? gw_find(a->prm.gateways, gateway) : NULL;
	if (!g || !a->cfg || !gw_may_speak_tls(g) || !id_valid(text_of(l->order))) {
		refuse_order(a, l, ENOENT, NULL);
		return;
	}
	struct errand *x = errand_new(a, NULL, "cert.cure --all, asked for by another node");
	json_t *args = x ? json_deep_copy(l->data) : NULL;
	if (args) {
		json_object_set_new(args, "wait_ms", json_integer(ANSWER_WAIT_MS));
		json_object_del(args, "signed"); /* where files lie here is not theirs to say */
		if (admin_arg_int(args, "watch_ms", -1) < 0)
			json_object_del(args, "watch_ms");
	}
	if (x) {
		text_fill(x->order, sizeof x->order, l->order);
		text_fill(x->from, sizeof x->from, l->from);
	}
	int err = args ? 0 : ENOMEM;
	if (!err) {
		ev_set(&why, EV_CERT_ORDER_TAKEN);
		ev_str(&why, "from", l->from);
		ev_str(&why, "gateway", gateway);
		ev_emit(a->prm.bus, &why);
		ev_set(&why, 0);
		err = errand_cure(x, g, args, false, &why);
	}
	json_decref(args);
	if (err) {
		refuse_order(a, l, err, &why);
		if (x)
			errand_free(x);
	}
}

/* The answer goes where the errand looks for it. */
struct delivery {
	char path[512];
	char *chain;
};

static int deliver_work(void *arg)
{
	struct delivery *d = arg;
	return trust_file_write(d->path, d->chain, strlen(d->chain), 0644);
}

static void delivered(enum pool_result result, int err, void *arg)
{
	struct delivery *d = arg;
	(void)result; /* what is not there is waited for in vain, and said then */
	(void)err;
	mem_free(d->chain);
	mem_free(d);
}

static void take_certificate(struct errand *x, const struct cert_letter_in *l)
{
	const char *chain = json_string_value(json_object_get(l->data, "chain"));
	struct delivery *d = chain && x->answer_file[0] ? mem_zalloc(1, sizeof *d) : NULL;
	if (!d)
		return;
	text_fill(d->path, sizeof d->path, x->answer_file);
	d->chain = mem_strdup(chain);
	if (!d->chain || pool_submit(x->admin->prm.crypto, deliver_work, delivered, d) != 0)
		delivered(POOL_FAILED, 0, d);
}

void orders_letter(struct admin *a, const struct cert_letter_in *l)
{
	if (strcmp(l->kind, "cure") == 0) {
		take_order(a, l);
		return;
	}
	LIST_FOREACH(&a->tours, it) {
		struct tour *t = LIST_ENTRY(it, struct tour, link);
		if (strcmp(t->order, l->order) == 0) {
			to_tour(t, l);
			return;
		}
	}
	LIST_FOREACH(&a->errands, it) {
		struct errand *x = LIST_ENTRY(it, struct errand, link);
		if (!x->call && strcmp(x->order, l->order) == 0 && strcmp(x->from, l->from) == 0 && strcmp(l->kind, "certificate") == 0) {
			take_certificate(x, l);
			return;
		}
	}
}

/* The node under way cannot be told: who refused whom, and what to do, is the tour's end. */
void orders_unsent(struct admin *a, const char *to, const char *order, const struct ev_report *why)
{
	LIST_FOREACH(&a->tours, it) {
		struct tour *t = LIST_ENTRY(it, struct tour, link);
		if (t->over || strcmp(t->order, order) != 0 || t->at >= t->n || strcmp(t->node[t->at].name, to) != 0)
			continue;
		char reason[1600], advice[1600];
		tour_fail(t, to, ev_sentence(why, reason, sizeof reason), admin_advice(why, advice, sizeof advice));
		return;
	}
}

void tours_stop(struct admin *a)
{
	errands_leave(a);
	for (struct link *l; (l = list_first(&a->tours)) != NULL;) {
		struct tour *t = LIST_ENTRY(l, struct tour, link);
		list_remove(l);
		tour_end(t);
	}
}
