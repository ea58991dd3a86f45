/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_gateway.c  gateway.*, explain.gateway, check.live: who answers, what works, and why it does not. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "gateway/shared.h"
#include "node/node.h"

static json_t *verdict_json(const struct trust_verdict *v)
{
	struct buf b;
	buf_init(&b, 65536);
	json_t *o = trust_verdict_json(v, &b) == 0 ? admin_json_of_buf(&b) : NULL;
	buf_free(&b);
	return o ? o : json_null();
}

static json_t *facts_as_json(const struct trust_facts *f)
{
	struct buf b;
	buf_init(&b, 262144);
	json_t *o = facts_json(f, &b) == 0 ? admin_json_of_buf(&b) : NULL;
	buf_free(&b);
	return o ? o : json_null();
}

static json_t *flow_json(const struct gw_flow_state *s, bool full)
{
	json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "works", gw_works_name(s->works), "at_us", (json_int_t)s->at_us, "worked_us",
	                      (json_int_t)s->worked_us, "failed_us", (json_int_t)s->failed_us, "good", (json_int_t)s->good, "bad", (json_int_t)s->bad);
	if (!o || s->works == GW_NOT_TRIED)
		return o;
	json_object_set_new(o, "verdict_name", json_string(s->verdict.name));
	json_object_set_new(o, "sentence", admin_json_text(text_of(s->verdict.sentence)));
	json_object_set_new(o, "certainty", json_string(trust_certainty_name(s->verdict.certainty)));
	if (full)
		json_object_set_new(o, "verdict", verdict_json(&s->verdict));
	if (full)
		json_object_set_new(o, "facts", facts_as_json(&s->facts));
	return o;
}

static json_t *member_json(struct admin *a, const struct gateway *g, unsigned i, bool full)
{
	struct gw_member_info m;
	char address[NET_ADDR_SIZE] = "";
	gw_member(g, i, &m);
	if (net_addr_is_set(&m.addr))
		net_addr_print(&m.addr, address);
	int64_t since_us = m.since_ms ? clock_real_us(a->prm.clock) - (clock_mono_ms(a->prm.clock) - m.since_ms) * 1000 : 0;
	json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:i, s:i, s:I}", "address", address, "host", m.host ? m.host : "", "state",
	                      gw_state_name(m.state), "since_us", (json_int_t)since_us, "probed_us", (json_int_t)m.probed_us, "took_ms",
	                      (json_int_t)m.took_ms, "status", m.status, "misses", (int)m.misses, "failed", (json_int_t)m.failed);
	if (o && m.verdict) {
		json_object_set_new(o, "verdict_name", json_string(m.verdict->name));
		json_object_set_new(o, "sentence", admin_json_text(text_of(m.verdict->sentence)));
		if (full)
			json_object_set_new(o, "facts", facts_as_json(m.facts));
	}
	return o;
}

json_t *admin_gateway_json(struct admin *a, struct gateway *g, bool full)
{
	const struct cfg_gateway *c = gw_cfg(g);
	json_t *members = json_array(), *flows = json_object();
	for (unsigned i = 0; i < gw_members(g); i++)
		json_array_append_new(members, member_json(a, g, i, full));
	for (int f = 0; f < GW_FLOWS; f++)
		json_object_set_new(flows, gw_flow_name((enum gw_flow_kind)f), flow_json(gw_flow_state(g, (enum gw_flow_kind)f), full));
	json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:o, s:o}", "name", gw_name(g), "node", a->prm.node ? node_name(a->prm.node) : "", "address",
	                      c->address, "port", (int)c->port, "transport", cfg_transport_name(c->transport), "state", gw_state_name(gw_state(g)),
	                      "members", members, "flows", flows);
	if (o && c->transport == CFG_TRANSPORT_AUTO) {
		json_object_set_new(o, "transport_now", json_string(gw_transport(g) == NET_ANY ? "" : net_transport_name(gw_transport(g))));
		json_object_set_new(o, "decided_by", json_string(gw_decided_by(g)));
	}
	if (o && full) {
		json_object_set_new(o, "identity", json_string(c->identity));
		json_object_set_new(o, "rule", json_string(cfg_rule_name(c->rule)));
		json_object_set_new(o, "reuse", json_string(cfg_reuse_name(c->reuse)));
		json_object_set_new(o, "transfer", json_string(cfg_transfer_by_name(c->transfer)));
		json_object_set_new(o, "judges_us", json_string(cfg_profile_name(c->judges_us.profile)));
		json_object_set_new(o, "legacy", json_string(cfg_legacy_name(c->tls.legacy)));
		json_object_set_new(o, "calls_in", json_boolean(c->calls_in));
	}
	return o;
}

/* ---- what other nodes said: rows of a node and a gateway stand together ---- */

static json_t *shared_flow_json(const struct gw_shared_flow *f)
{
	json_t *o = json_pack("{s:s, s:I, s:I, s:I}", "works", gw_works_name(f->works), "at_us", (json_int_t)f->at_us, "worked_us", (json_int_t)f->worked_us,
	                      "failed_us", (json_int_t)f->failed_us);
	if (o && f->works == GW_REFUSED) {
		json_object_set_new(o, "verdict_name", json_string(f->verdict));
		json_object_set_new(o, "sentence", admin_json_text(text_of(f->sentence)));
		json_object_set_new(o, "certainty", json_string(f->certainty));
	}
	return o;
}

static json_t *untried_flows(void)
{
	json_t *flows = json_object();
	for (int f = 0; f < GW_FLOWS; f++)
		json_object_set_new(flows, gw_flow_name((enum gw_flow_kind)f), json_pack("{s:s}", "works", gw_works_name(GW_NOT_TRIED)));
	return flows;
}

static void append_others(struct admin *a, json_t *array, const char *only)
{
	const struct gw_shared_flow *last = NULL;
	json_t *flows = NULL;
	for (unsigned i = 0; a->prm.shared && i < gw_shared_count(a->prm.shared); i++) {
		const struct gw_shared_flow *f = gw_shared_at(a->prm.shared, i);
		const struct gateway *g = a->prm.gateways ? gw_find(a->prm.gateways, f->gateway) : NULL;
		if (only && strcmp(only, f->gateway) != 0)
			continue;
		if (!last || strcmp(last->node, f->node) != 0 || strcmp(last->gateway, f->gateway) != 0) {
			flows = untried_flows();
			json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "name", f->gateway, "node", f->node, "state", gw_state_name(f->state),
			                                       "address", g ? gw_cfg(g)->address : "", "transport",
			                                       g ? cfg_transport_name(gw_cfg(g)->transport) : "", "flows", flows));
		}
		json_object_set_new(flows, gw_flow_name(f->flow), shared_flow_json(f));
		last = f;
	}
}

json_t *admin_gateways_json(struct admin *a)
{
	json_t *array = json_array();
	for (unsigned i = 0; a->prm.gateways && i < gw_count(a->prm.gateways); i++)
		json_array_append_new(array, admin_gateway_json(a, gw_at(a->prm.gateways, i), false));
	append_others(a, array, NULL);
	return array;
}

/* The gateway that args name; NULL after the answer was given. */
static struct gateway *named(struct admin *a, struct admin_call *call, const json_t *args)
{
	struct ev_report why = { 0 };
	const char *name;
	if (!a->prm.gateways) {
		admin_call_absent(call, "gateways");
		return NULL;
	}
	if (admin_need_str(args, "name", &name, &why) != 0) {
		admin_call_fail(call, &why);
		return NULL;
	}
	struct gateway *g = gw_find(a->prm.gateways, name);
	if (!g)
		admin_call_not_found(call, "gateway", name, admin_words(ADMIN_HINT_GATEWAYS));
	return g;
}

static void list(struct admin_call *call, const json_t *args, void *arg)
{
	(void)args;
	admin_call_ok(call, json_pack("{s:o}", "gateways", admin_gateways_json(arg)));
}

static void show(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct gateway *g = named(a, call, args);
	if (!g)
		return;
	json_t *o = admin_gateway_json(a, g, true), *others = json_array();
	append_others(a, others, gw_name(g));
	if (o)
		json_object_set(o, "other_nodes", others);
	json_decref(others);
	admin_call_ok(call, o);
}

/* ---- explain.gateway ---- */

static json_t *explain_flow(const struct gateway *g, enum gw_flow_kind f)
{
	const struct gw_flow_state *s = gw_flow_state(g, f);
	struct buf b;
	buf_init(&b, 65536);
	json_t *text = s->works != GW_NOT_TRIED && trust_verdict_text(&s->verdict, &b) == 0 ? json_string(buf_cstr(&b)) : json_string("");
	buf_free(&b);
	json_t *o = flow_json(s, true);
	if (o) {
		json_object_set_new(o, "flow", json_string(gw_flow_name(f)));
		json_object_set_new(o, "text", text ? text : json_string(""));
	} else {
		json_decref(text);
	}
	return o;
}

static void explain(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct gateway *g = named(a, call, args);
	if (!g)
		return;
	enum gw_flow_kind worst = gw_worst_flow(g);
	json_t *array = json_array();
	json_array_append_new(array, explain_flow(g, worst));
	for (int f = 0; f < GW_FLOWS; f++)
		if ((enum gw_flow_kind)f != worst)
			json_array_append_new(array, explain_flow(g, (enum gw_flow_kind)f));
	admin_call_ok(call, json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", gw_name(g), "node", a->prm.node ? node_name(a->prm.node) : "", "state",
	                              gw_state_name(gw_state(g)), "flows", array, "stories", admin_stories_json(a, gw_name(g), true)));
}

/* ---- gateway.probe ---- */

struct asked {
	struct admin *admin;
	struct admin_call *call;
};

static void probed_h(struct gateway *g, void *arg)
{
	struct asked *x = arg;
	if (g)
		admin_call_ok(x->call, admin_gateway_json(x->admin, g, true));
	else
		admin_call_not_found(x->call, "gateway", "", admin_words(ADMIN_HINT_GATEWAY_REMOVED));
	mem_unref(x->call);
	mem_free(x);
}

static void probe(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct gateway *g = named(a, call, args);
	if (!g)
		return;
	struct asked *x = mem_zalloc(1, sizeof *x);
	int err = x ? 0 : ENOMEM;
	if (x) {
		*x = (struct asked){ a, mem_ref(call) };
		err = gw_probe(g, probed_h, x);
	}
	if (err) {
		if (x)
			mem_unref(x->call);
		mem_free(x);
		admin_call_errno(call, err, NULL);
	}
}

/* ---- check.live ---- */

struct live {
	struct admin_call *call;
	struct gw_live *check;
	json_t *steps;
};

static void live_free(struct live *x)
{
	json_decref(x->steps);
	mem_unref(x->call);
	mem_free(x);
}

static json_t *step_json(const struct gw_live_result *res)
{
	static const char *const names[] = { "options", "lamp", "transfer", "calls-in", "all" };
	json_t *o = json_pack("{s:s, s:s, s:o}", "step", names[res->step], "works", gw_works_name(res->works), "words", admin_json_text(text_of(res->words)));
	if (o && res->verdict && *res->verdict->name)
		json_object_set_new(o, "verdict", verdict_json(res->verdict));
	return o;
}

static void live_h(const struct gw_live_result *res, void *arg)
{
	struct live *x = arg;
	json_t *o = step_json(res);
	if (res->step != GW_LIVE_STEPS) {
		json_array_append(x->steps, o);
		admin_call_more(x->call, o);
		return;
	}
	json_decref(o);
	admin_call_gone(x->call, NULL, NULL);
	admin_call_ok(x->call, json_pack("{s:b, s:O, s:s}", "good", res->works == GW_WORKS, "steps", x->steps, "words", res->words));
	live_free(x);
}

static void live_gone(struct admin_call *call, void *arg)
{
	(void)call;
	(void)arg; /* the check goes on to its end: it is short, and its events are worth having */
}

static void live(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct gateway *g = named(a, call, args);
	if (!g)
		return;
	struct live *x = mem_zalloc(1, sizeof *x);
	int err = ENOMEM;
	if (x) {
		x->call = mem_ref(call);
		x->steps = json_array();
		admin_call_gone(call, live_gone, x);
		err = gw_check_live(&x->check, g, live_h, x);
	}
	if (err) {
		if (x)
			live_free(x);
		admin_call_errno(call, err, NULL);
	}
}

const struct admin_cmd admin_gateway_cmds[] = {
	{ "gateway.list", list },       { "gateway.show", show },   { "gateway.probe", probe },
	{ "explain.gateway", explain }, { "check.live", live },     { NULL, NULL },
};
